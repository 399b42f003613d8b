//! `AskPermission`: the event goes out, the answer comes in, and the work goes on in the same trace.

use crate::{
    Json, Text,
    control::{Control, Permission, PermissionAsked},
    event::{PermissionRequest, PermissionVerdict},
    layer::Here,
    recorder::decision,
};
use futures_timer::Delay;
use std::{
    future::{Future, IntoFuture, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

/// A question that is about to be asked. Await it, or block on it with [`wait`](Self::wait).
///
/// It is asked when it is awaited. Whoever watches is told of question and answer; the first answer counts. Without an
/// answer it waits, for ever unless it has a [`timeout`](Self::timeout). The answer is a no as well when the execution is
/// cancelled or ends, and when nobody listens at all. Where it has ended already, nothing is asked.
#[derive(Debug)]
#[must_use = "nothing is asked until it is awaited"]
pub struct AskPermission {
    here: Option<Here>,
    question: PermissionAsked,
    policy: Text,
    tool_call_id: Option<Text>,
    limit: Option<Duration>,
}

impl AskPermission {
    pub(super) fn new(here: Option<Here>, tool_name: Text, arguments: Json) -> Self {
        let permission_id = Text::from(format!("perm_{:016x}", fastrand::u64(..)));
        let question = PermissionAsked { permission_id, tool_name, arguments };
        Self { here, question, policy: Text::from_static("ask"), tool_call_id: None, limit: None }
    }

    /// The policy that asks; else `ask`.
    pub fn policy(mut self, policy: impl Into<Text>) -> Self {
        self.policy = policy.into();
        self
    }

    /// Id of the tool call, where it has one.
    pub fn tool_call_id(mut self, id: impl Into<Text>) -> Self {
        self.tool_call_id = Some(id.into());
        self
    }

    /// After this time without an answer it is a no: expired.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Id of the question.
    pub fn permission_id(&self) -> &str {
        &self.question.permission_id
    }

    /// Asks, and blocks this thread until there is an answer. Not for async code: await it there.
    pub fn wait(self) -> Permission {
        let Some(asked) = Asked::ask(&self) else { return unheard() };
        let deadline = self.limit.and_then(|limit| Instant::now().checked_add(limit));
        let outcome = asked.control.answered_by(&asked.question.permission_id, deadline);
        asked.settle(outcome)
    }

    fn request(&self) -> PermissionRequest {
        let PermissionAsked { permission_id, tool_name, arguments } = self.question.clone();
        let mut request = PermissionRequest::new(tool_name, arguments, self.policy.clone());
        request.permission_id = Some(permission_id);
        request.tool_call_id.clone_from(&self.tool_call_id);
        request.expires_in_ms = self.limit.map(|limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
        request
    }

    async fn answer(self) -> Permission {
        let Some(asked) = Asked::ask(&self) else { return unheard() };
        let answered = async { Some(asked.control.answered(&asked.question.permission_id).await) };
        let outcome = match self.limit {
            Some(limit) => {
                first(answered, async {
                    Delay::new(limit).await;
                    None
                })
                .await
            }
            None => answered.await,
        };
        asked.settle(outcome)
    }
}

impl IntoFuture for AskPermission {
    type Output = Permission;
    type IntoFuture = Pin<Box<dyn Future<Output = Permission> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.answer())
    }
}

/// A question that was asked. Dropped without an answer it is taken back, and that is told.
struct Asked {
    here: Here,
    control: Arc<Control>,
    question: PermissionAsked,
    settled: bool,
}

impl Asked {
    fn ask(asking: &AskPermission) -> Option<Self> {
        let here = asking.here.clone()?;
        let control = here.recorder.control(&here.execution_id);
        let asked = control.ask(asking.question.clone(), || here.emit(asking.request()));
        asked.then(|| Self { here, control, question: asking.question.clone(), settled: false })
    }

    /// The outer none: the time ran out. The inner: there is nobody to wait for any more.
    fn settle(mut self, outcome: Option<Option<Permission>>) -> Permission {
        self.settled = true;
        match outcome {
            Some(Some(permission)) => permission,
            Some(None) => self.take_back(PermissionVerdict::Withdrawn),
            None => self.take_back(PermissionVerdict::Expired),
        }
    }

    /// Someone may have answered at the last moment: then that is the answer.
    fn take_back(&self, verdict: PermissionVerdict) -> Permission {
        self.control.take_back(&self.question.permission_id).unwrap_or_else(|| {
            let permission = Permission::of(verdict);
            self.here.emit(decision(&self.question, &permission));
            permission
        })
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if !self.settled {
            let _ = self.take_back(PermissionVerdict::Withdrawn);
        }
    }
}

fn unheard() -> Permission {
    Permission::denied().because("nothing runs here that anybody listens to, so nobody can answer")
}

/// The output of the one that is ready first; of the first, when both are.
async fn first<T>(one: impl Future<Output = T>, other: impl Future<Output = T>) -> T {
    let (mut one, mut other) = (pin!(one), pin!(other));
    poll_fn(|context| match one.as_mut().poll(context) {
        Poll::Pending => other.as_mut().poll(context),
        ready => ready,
    })
    .await
}
