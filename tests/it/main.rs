//! The tests, one binary: what users can see, through the public API.

mod shared;
mod vocabulary;
