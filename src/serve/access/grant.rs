//! What a token gives: rights, whose data, until when.

use super::{super::routes::Needs, digest::Digest};
use crate::{Text, Timestamp};
use std::{sync::Arc, time::Duration};

/// One thing that a token allows. Tokens name them in the claim `scope` (RFC 8693, 4.2), separated by spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Right {
    /// `read`: to see what belongs to the token's tenant, or everything where the token has none.
    Read,
    /// `ingest`: to send events, and to see nothing.
    Ingest,
    /// `admin`: all that there is.
    Admin,
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 3] = [Self::Read, Self::Ingest, Self::Admin];

    /// The name, as in a token's `scope`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Ingest => "ingest",
            Self::Admin => "admin",
        }
    }

    /// What a route asks for; none where it asks for nothing.
    pub(super) fn for_needs(needs: Needs) -> Option<Self> {
        match needs {
            Needs::Nothing => None,
            Needs::Read => Some(Self::Read),
            Needs::Ingest => Some(Self::Ingest),
            Needs::Admin => Some(Self::Admin),
        }
    }
}

/// What a token gives to whoever shows it.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) rights: Vec<Right>,
    /// Whose data; everybody's where there is none.
    pub(super) tenant: Option<Text>,
    pub(super) until: Option<Timestamp>,
    /// Of the token's text; of the signed part where it has one.
    pub(super) token: Digest,
    /// The token's own name, by which it can be revoked.
    pub(super) id: Option<Digest>,
}

impl Grant {
    pub(super) fn gives(&self, right: Right) -> bool {
        self.rights.iter().any(|given| *given == right || *given == Right::Admin)
    }
}

/// Somebody with a grant: by the token itself, or by a session or ticket that was made with it.
#[derive(Debug, Clone)]
pub(super) struct Holder {
    pub(super) grant: Arc<Grant>,
    /// The session that stands for the token.
    pub(super) session: Option<Digest>,
    pub(super) until: Option<Timestamp>,
}

/// A timer needs an end. Nothing is open for longer.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);

impl Holder {
    pub(super) fn of(grant: Arc<Grant>) -> Self {
        Self { until: grant.until, grant, session: None }
    }

    pub(super) fn is_expired(&self) -> bool {
        // RFC 7519, 4.1.4: "on or after which the JWT MUST NOT be accepted".
        self.until.is_some_and(|until| until <= Timestamp::now())
    }

    pub(super) fn time_left(&self) -> Duration {
        self.until.map_or(FOR_EVER, |until| until.since(Timestamp::now()).min(FOR_EVER))
    }
}
