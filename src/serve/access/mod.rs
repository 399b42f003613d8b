//! Who asks, and what they may see and do.

use super::failure::Failure;
use crate::Text;
use axum::{extract::FromRequestParts, http::request::Parts};

/// What whoever sent this request is allowed. Every handler that shows or takes somebody's data asks for it, and hands
/// its tenant on to the hub, the log and the gate.
#[derive(Debug, Clone, Default)]
pub(super) struct Allowed {
    tenant: Option<Text>,
}

impl Allowed {
    /// Whose data may be seen; none where everybody's may.
    pub(super) fn tenant(&self) -> Option<&Text> {
        self.tenant.as_ref()
    }
}

/// What the guard found out about the request.
impl<S: Send + Sync> FromRequestParts<S> for Allowed {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}
