//! The tests, one binary: what users can see, through the public API.

mod gate;
mod shared;
mod vocabulary;
