//! Events folded into what people look at: the tree of one execution, and the list of executions. Pure: no I/O, no
//! threads, no clock.
//!
//! ```
//! use spanwright::{StreamEvent, event::{ExecutionEnd, ExecutionStart}, view::RunTree};
//!
//! let mut tree = RunTree::new();
//! tree.apply(&StreamEvent::new(ExecutionStart::new().name("research").input("why is the sky blue")));
//! tree.apply(&StreamEvent::new(ExecutionEnd::new(40)));
//! assert_eq!(tree.outline(), "✓ run research  \"why is the sky blue\"\n");
//! ```

mod arrange;
#[cfg(feature = "terminal")]
mod columns;
#[cfg(feature = "terminal")]
mod draw;
mod fold;
mod inert;
mod kind;
#[cfg(feature = "terminal")]
mod line;
mod node;
mod outline;
mod payload;
mod runs;
mod totals;
mod tree;
pub(crate) mod words;

#[cfg(feature = "terminal")]
pub use draw::DrawOptions;
pub use inert::Inert;
pub use kind::{NodeKind, Status};
#[cfg(feature = "terminal")]
pub use line::{Line, Style};
pub use node::{Facts, Node};
pub use runs::Runs;
pub use totals::{Totals, Usage};
pub use tree::{Change, RunTree};
