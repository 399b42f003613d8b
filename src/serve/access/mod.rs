//! Who asks, and what they may see and do. What users must know stands in `docs/access.md`.

mod digest;
mod door;
mod grant;
mod holders;
mod issued;
#[cfg(feature = "jwt")]
mod jwt;
mod presented;
#[cfg(feature = "jwt")]
mod public_key;
mod refusal;
pub(super) mod session;
#[cfg(all(test, feature = "jwt"))]
mod tests;
pub(super) mod ticket;
mod token;
mod until;

pub(super) use door::{Door, enter};
pub use grant::Right;
pub use holders::{Access, AccessBuilder};
#[cfg(feature = "jwt")]
pub use jwt::JwtKey;
pub use token::Token;
pub(super) use until::CutShort;

use super::failure::Failure;
use crate::Text;
use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
};
use grant::Holder;

/// What whoever sent this request is allowed. Every handler that shows or takes somebody's data asks for it, and hands
/// its tenant on to the hub, the log and the gate.
#[derive(Debug, Clone)]
pub(super) struct Allowed(Option<(Access, Holder)>);

impl Allowed {
    /// Where nobody is asked for a token.
    fn everything() -> Self {
        Self(None)
    }

    /// Whose data may be seen; none where everybody's may.
    pub(super) fn tenant(&self) -> Option<&Text> {
        self.0.as_ref()?.1.grant.tenant.as_ref()
    }

    /// The same question, only of that tenant's data.
    pub(super) fn restrict<T>(&self, question: T, of_tenant: impl FnOnce(T, Text) -> T) -> T {
        match self.tenant() {
            Some(tenant) => of_tenant(question, tenant.clone()),
            None => question,
        }
    }

    /// By which right; none where nobody is asked for one.
    fn holder(&self) -> Option<(&Access, &Holder)> {
        self.0.as_ref().map(|(access, holder)| (access, holder))
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

/// What the door found out about the request. A request that came past the door is told nothing.
impl<S: Send + Sync> FromRequestParts<S> for Allowed {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let unguarded = || Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "the route does not say what it needs");
        parts.extensions.get::<Self>().cloned().ok_or_else(unguarded)
    }
}

/// Tickets and sessions stand for a token.
fn no_access() -> Failure {
    Failure::new(StatusCode::NOT_IMPLEMENTED, "this server asks for no token, so there are no tickets and no sessions")
}
