//! The tests, one binary: what users can see, through the public API.

mod gate;
mod shared;
#[cfg(feature = "terminal")]
mod terminal;
#[cfg(feature = "terminal")]
mod view;
mod vocabulary;
