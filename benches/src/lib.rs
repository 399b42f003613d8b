//! What an event costs, beside what others' cost: systems, the operations that each is put through, and two ways to
//! measure (time within one run; instructions under callgrind). The tables are printed by `benches/*.rs`.
//!
//! Each measurement is a process of its own: global subscribers and reporters of one system never touch another's, and
//! the rounds of all systems are interleaved.

pub mod callgrind;
pub mod case;
pub mod child;
pub mod clock;
pub mod direct;
pub mod fanout;
pub mod fastrace_side;
pub mod frames;
pub mod layer;
pub mod naive;
mod naive_record;
#[cfg(feature = "otlp")]
pub mod otlp;
pub mod serving;
pub mod stalled;
pub mod systems;
pub mod table;
pub mod watching;
pub mod words;
