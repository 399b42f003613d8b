//! `Access`: which tokens there are, and what was made with them.

#[cfg(feature = "jwt")]
use super::jwt::JwtKey;
use super::{
    digest::Digest,
    grant::{Grant, Holder},
    issued::Issued,
    presented::Presented,
    refusal::Refusal,
    ticket::Ticket,
    token::Token,
};
use crate::Error;
use std::{
    collections::HashSet,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, PoisonError, RwLock},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

/// Who may ask a server, for [`Settings::access`](super::super::Settings::access). A handle: clones are the same access,
/// so that a program can revoke what it gave out.
///
/// ```
/// use spanwright::serve::{Access, Right, Settings, Token};
///
/// # fn main() -> Result<(), spanwright::Error> {
/// # let secret = "a-long-random-text-of-your-own";
/// let access = Access::builder().token(Token::new(secret, [Right::Read]).tenant("acme")).build()?;
/// let settings = Settings::default().access(access.clone());
/// access.revoke(secret)?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Access(Arc<Inner>);

struct Inner {
    tokens: Vec<Arc<Grant>>,
    #[cfg(feature = "jwt")]
    keys: Vec<JwtKey>,
    tickets: Issued<Ticket>,
    sessions: Issued<Holder>,
    /// Tokens and ids of tokens.
    revoked: RwLock<HashSet<Digest>>,
    /// Something was revoked, or a session ended.
    changed: watch::Sender<()>,
}

/// What was revoked is never forgotten, so there is a bound.
const MOST_REVOKED: usize = 1 << 20;

/// Done when somebody's rights are over.
pub(super) type Over = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Access {
    /// No token yet: at least one, or one key for signed ones, is needed.
    pub fn builder() -> AccessBuilder {
        AccessBuilder::default()
    }

    /// From now on this token is refused, and so is what was made with it; its streams end at once.
    ///
    /// # Errors
    /// `is_config` when a million are revoked already: then take the token out of the settings, or change the key.
    pub fn revoke(&self, token: impl AsRef<str>) -> Result<(), Error> {
        let token = token.as_ref();
        #[cfg(feature = "jwt")]
        if let Some(mark) = super::jwt::mark(token) {
            self.revoke_digest(mark)?;
        }
        self.revoke_digest(Digest::of(token))
    }

    /// The same for every token of this id: that of [`Token::id`], or the claim `jti` of a signed one.
    ///
    /// # Errors
    /// As for [`revoke`](Access::revoke).
    pub fn revoke_id(&self, id: impl AsRef<str>) -> Result<(), Error> {
        self.revoke_digest(Digest::of(id.as_ref()))
    }

    fn revoke_digest(&self, digest: Digest) -> Result<(), Error> {
        let mut revoked = self.0.revoked.write().unwrap_or_else(PoisonError::into_inner);
        if revoked.len() >= MOST_REVOKED && !revoked.contains(&digest) {
            return Err(Error::config(
                "a million tokens are revoked: change the key, or take tokens out of the settings",
            ));
        }
        revoked.insert(digest);
        drop(revoked);
        self.0.changed.send_replace(());
        Ok(())
    }

    pub(super) fn tickets(&self) -> &Issued<Ticket> {
        &self.0.tickets
    }

    pub(super) fn sessions(&self) -> &Issued<Holder> {
        &self.0.sessions
    }

    /// The cookie is worth nothing any more, and its streams end.
    pub(super) fn end_session(&self, secret: &str) {
        self.0.sessions.take(&Digest::of(secret));
        self.0.changed.send_replace(());
    }

    /// Who it is, if what was shown holds now.
    pub(super) fn holder(&self, presented: Presented, path: &[&str]) -> Result<Holder, Refusal> {
        let holder = match presented {
            Presented::Nothing => return Err(Refusal::Nothing),
            Presented::Bearer(token) => Holder::of(self.grant(&token)?),
            Presented::Cookie(secret) => self.of_session(&secret).ok_or(Refusal::Token(NO_SESSION))?,
            Presented::Ticket(secret) => {
                let ticket = self.0.tickets.take(&Digest::of(&secret)).ok_or(Refusal::Token(NO_TICKET))?;
                ticket.opens(path).ok_or(Refusal::Token(NO_TICKET))?
            }
        };
        if holder.is_expired() {
            return Err(Refusal::Token("the token has expired"));
        }
        if self.holds(&holder) { Ok(holder) } else { Err(Refusal::Token(NOT_KNOWN)) }
    }

    fn of_session(&self, secret: &str) -> Option<Holder> {
        let digest = Digest::of(secret);
        let holder = self.0.sessions.get(&digest)?;
        Some(Holder { session: Some(digest), ..holder })
    }

    /// Looks at every token of the list, whichever it is.
    fn grant(&self, token: &str) -> Result<Arc<Grant>, Refusal> {
        let digest = Digest::of(token);
        let same = |found: Option<&'_ Arc<Grant>>, one: &Arc<Grant>| {
            if one.token.equals(&digest) { Some(one.clone()) } else { found.cloned() }
        };
        let known = self.0.tokens.iter().fold(None, |found, one| same(found.as_ref(), one));
        known.map_or_else(|| self.signed(token), Ok)
    }

    #[cfg(feature = "jwt")]
    fn signed(&self, token: &str) -> Result<Arc<Grant>, Refusal> {
        let grant = self.0.keys.iter().find_map(|key| key.grant(token));
        grant.map(Arc::new).ok_or(Refusal::Token(NOT_KNOWN))
    }

    #[cfg(not(feature = "jwt"))]
    fn signed(&self, _: &str) -> Result<Arc<Grant>, Refusal> {
        Err(Refusal::Token(NOT_KNOWN))
    }

    /// Whether neither the token nor the session has been taken back.
    fn holds(&self, holder: &Holder) -> bool {
        let revoked = self.0.revoked.read().unwrap_or_else(PoisonError::into_inner);
        let marks = [Some(holder.grant.token), holder.grant.id];
        let open = holder.session.is_none_or(|session| self.0.sessions.get(&session).is_some());
        open && !marks.iter().flatten().any(|mark| revoked.contains(mark))
    }

    /// Done when the holder's time is over, or it was taken back.
    pub(super) fn over(&self, holder: Holder) -> Over {
        let (access, mut changed) = (self.clone(), self.0.changed.subscribe());
        let end = Instant::now() + holder.time_left();
        Box::pin(async move {
            let expired = sleep_until(end);
            let revoked = async {
                // The sender lives in `access`: there is always a next change to wait for.
                while access.holds(&holder) && changed.changed().await.is_ok() {}
            };
            tokio::select! {
                () = expired => {}
                () = revoked => {}
            }
        })
    }
}

const NOT_KNOWN: &str = "the token is not accepted";
const NO_SESSION: &str = "the session has ended: POST /session with a token makes a new one";
const NO_TICKET: &str = "the ticket was used, has expired or is for another path: POST /tickets gives a new one";

/// No secrets in here, and none are shown: how much there is.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Access");
        out.field("tokens", &self.0.tokens.len());
        #[cfg(feature = "jwt")]
        out.field("keys", &self.0.keys.len());
        out.finish_non_exhaustive()
    }
}

/// Collects what an [`Access`] is made of.
#[derive(Debug, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct AccessBuilder {
    tokens: Vec<Token>,
    #[cfg(feature = "jwt")]
    keys: Vec<JwtKey>,
}

impl AccessBuilder {
    /// Accepts this token.
    pub fn token(mut self, token: Token) -> Self {
        self.tokens.push(token);
        self
    }

    /// Accepts tokens that are signed with this key: JSON Web Tokens (RFC 7519). Several keys are tried in turn, so that
    /// one can be changed for another.
    #[cfg(feature = "jwt")]
    pub fn jwt(mut self, key: JwtKey) -> Self {
        self.keys.push(key);
        self
    }

    /// The access.
    ///
    /// # Errors
    /// `is_config` when nobody would be accepted, or a token is not of the form that is accepted.
    pub fn build(self) -> Result<Access, Error> {
        let tokens: Vec<_> =
            self.tokens.into_iter().map(|token| token.grant().map(Arc::new)).collect::<Result<_, _>>()?;
        #[cfg(feature = "jwt")]
        let nobody = tokens.is_empty() && self.keys.is_empty();
        #[cfg(not(feature = "jwt"))]
        let nobody = tokens.is_empty();
        if nobody {
            return Err(Error::config("access: at least one token, or one key for signed tokens, is needed"));
        }
        Ok(Access(Arc::new(Inner {
            tokens,
            #[cfg(feature = "jwt")]
            keys: self.keys,
            tickets: Issued::new(),
            sessions: Issued::new(),
            revoked: RwLock::default(),
            changed: watch::Sender::new(()),
        })))
    }
}
