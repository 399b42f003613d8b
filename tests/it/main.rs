//! The tests, one binary: what users can see, through the public API.

mod gate;
mod layer;
mod shared;
mod vocabulary;
