//! Events folded into what people look at: the tree of one execution, the list of executions, summaries, tasks. Pure: no I/O, no
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
mod blocked;
#[cfg(feature = "terminal")]
mod columns;
#[cfg(feature = "terminal")]
mod draw;
mod fold;
mod inert;
mod json;
mod kind;
#[cfg(feature = "terminal")]
mod line;
mod node;
mod outline;
mod payload;
mod runs;
mod summary;
mod tasks;
mod totals;
mod tree;
pub(crate) mod words;

pub use blocked::{Blocked, BlockedOn};
#[cfg(feature = "terminal")]
pub use draw::DrawOptions;
pub use inert::Inert;
pub use kind::{NodeKind, Status};
#[cfg(feature = "terminal")]
pub use line::{Line, Style};
pub use node::{Facts, Node};
pub use runs::Runs;
pub use summary::{CurrentStep, Run, Spent, Summary};
pub use tasks::Task;
#[cfg(feature = "serve")]
pub(crate) use tasks::seconds;
pub use totals::{Totals, Usage};
pub use tree::{Change, RunTree};
