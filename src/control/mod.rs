//! A running execution as it is steered from outside: paused, resumed, cancelled, and answered when it asks.
//!
//! This room only remembers and wakes. What is said of it in the stream, its callers say.

mod cancellation;
mod permission;
mod running;
mod state;

pub use cancellation::{Cancellation, Cancelled};
pub use permission::{Permission, PermissionAsked};
pub(crate) use running::Running;
pub(crate) use state::Control;
