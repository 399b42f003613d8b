//! Steering over HTTP: what is asked reaches the execution, what cannot be asked is said in a sentence.
