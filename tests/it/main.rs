//! The tests, one binary: what users can see, through the public API.

mod gate;
mod log;
mod log_speed;
mod scratch;
mod shared;
mod vocabulary;
