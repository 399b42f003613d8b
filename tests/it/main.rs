//! The tests, one binary: what users can see, through the public API.

mod gate;
mod layer;
mod real_runs;
mod runs;
mod shared;
mod tidy;
mod vocabulary;
