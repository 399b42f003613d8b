//! Who asks, and what they may see and do.

use super::failure::Failure;
use crate::Text;
use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
};

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

    /// The tenant whose data is asked for. That it is another's is said whether there is such a tenant or not.
    pub(super) fn only(&self, asked: Option<Text>) -> Result<Option<Text>, Failure> {
        match (self.tenant(), &asked) {
            (Some(own), Some(asked)) if own != asked => {
                Err(Failure::new(StatusCode::FORBIDDEN, "tenant: the token is for another one"))
            }
            _ => Ok(asked.or_else(|| self.tenant().cloned())),
        }
    }
}

/// What the guard found out about the request.
impl<S: Send + Sync> FromRequestParts<S> for Allowed {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}
