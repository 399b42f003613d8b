//! The tests, one binary: what users can see, through the public API.

mod gate;
mod http;
mod layer;
mod serve;
mod shared;
mod vocabulary;
