//! The tests, one binary: what users can see, through the public API.

mod drops;
mod gate;
#[cfg(feature = "terminal")]
mod inert;
mod layer;
mod macros;
mod real_runs;
mod record;
#[cfg(feature = "terminal")]
mod research;
mod runs;
#[cfg(feature = "terminal")]
mod screen;
mod shapes;
mod shared;
mod span;
#[cfg(feature = "terminal")]
mod terminal;
mod tidy;
#[cfg(feature = "terminal")]
mod view;
mod vocabulary;
