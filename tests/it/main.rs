//! The tests, one binary: what users can see, through the public API.

mod docs;
mod drops;
mod elsewhere;
mod escapes;
mod gate;
mod http;
mod inert;
mod lag;
mod layer;
mod log;
mod macros;
mod printing;
mod real_runs;
mod record;
mod research;
mod runs;
mod scratch;
mod screen;
mod serve;
mod shapes;
mod shared;
mod span;
mod terminal;
mod tidy;
mod view;
mod vocabulary;
