//! `ExecutionHandle`: an execution as somebody outside of it steers it.

use super::Recorder;
#[cfg(feature = "serve")]
use crate::event::PermissionRequest;
use crate::{
    Error, ExecutionId, StreamEvent, Text,
    control::{Cancellation, Cancelled, Control, Permission, PermissionAsked},
    event::{Body, ExecutionPaused, ExecutionResumed, InboxMessage, InboxMessageType, PermissionDecision},
};
use std::sync::Arc;

/// Steers an execution that runs in this process: from any thread, as often as wanted, by any number of handles.
///
/// Pausing and cancelling are requests. The execution's own code follows them where it looks:
/// [`Current::checkpoint`](crate::Current::checkpoint), [`Cancellation`].
#[derive(Debug, Clone)]
pub struct ExecutionHandle {
    recorder: Recorder,
    execution_id: ExecutionId,
}

impl Recorder {
    /// The handle of an execution. Whether it runs here shows when the handle is used.
    pub fn execution(&self, id: &ExecutionId) -> ExecutionHandle {
        ExecutionHandle { recorder: self.clone(), execution_id: id.clone() }
    }

    /// How an execution is steered, for its own code, which may outlive it.
    pub(crate) fn control(&self, id: &ExecutionId) -> Arc<Control> {
        self.0.shared.running.find(id).unwrap_or_else(Control::of_none)
    }

    /// Why an execution was asked to end, if it was.
    pub(crate) fn cancelled(&self, id: &ExecutionId) -> Option<Text> {
        self.0.shared.running.find(id)?.cancelled()
    }
}

#[cfg(feature = "serve")]
impl super::Shared {
    /// As the event was treated that told of the question.
    fn redact(&self, asked: &mut PermissionAsked) {
        let request = PermissionRequest::new(asked.tool_name.clone(), asked.arguments.clone(), "");
        let mut event = StreamEvent::new(request);
        self.redactor.treat_event(&mut event);
        if let Body::PermissionRequest(request) = event.body {
            (asked.tool_name, asked.arguments) = (request.tool_name, request.arguments);
        }
    }
}

impl ExecutionHandle {
    /// The execution.
    pub fn id(&self) -> &ExecutionId {
        &self.execution_id
    }

    /// Asks it to wait at its next checkpoint. Told in the stream at once; nothing happens where it is paused already.
    ///
    /// # Errors
    /// `is_not_found` when it does not run here.
    pub fn pause(&self, reason: impl Into<Text>) -> Result<(), Error> {
        let reason = reason.into();
        self.control()?.pause(|| self.emit(ExecutionPaused::new(reason)));
        Ok(())
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// `is_not_found` when it does not run here.
    pub fn resume(&self) -> Result<(), Error> {
        self.control()?.resume(|| self.emit(ExecutionResumed::new()));
        Ok(())
    }

    /// Asks it to end: at its next checkpoint, or where it awaits its [`Cancellation`]. The request is told in the stream
    /// as an inbox message `cancel` of type control, the reason by the execution's end, which follows when it has ended.
    ///
    /// # Errors
    /// `is_not_found` when it does not run here.
    pub fn cancel(&self, reason: impl Into<Text>) -> Result<(), Error> {
        let message = || InboxMessage::new("cancel", InboxMessageType::Control);
        self.control()?.cancel(reason.into(), || self.emit(message()));
        Ok(())
    }

    /// Tells when it was cancelled.
    ///
    /// # Errors
    /// `is_not_found` when it does not run here.
    pub fn cancellation(&self) -> Result<Cancellation, Error> {
        Ok(self.control()?.cancellation())
    }

    /// Waits while it is paused, for agents that emit their events themselves. Others have
    /// [`Current::checkpoint`](crate::Current::checkpoint). Goes on at once where the execution does not run here.
    ///
    /// # Errors
    /// [`Cancelled`] when it was asked to end.
    pub async fn checkpoint(&self) -> Result<(), Cancelled> {
        self.recorder.control(&self.execution_id).go_on().await
    }

    /// What it asks and nobody has answered yet, oldest first. Empty when it does not run here.
    ///
    /// The arguments are those with which the tool would run, whatever the [`ContentPolicy`](crate::ContentPolicy) hides of
    /// them in the record: whoever answers must see what is asked. They are in memory until the answer, and nowhere else.
    pub fn permissions(&self) -> Vec<PermissionAsked> {
        let control = self.recorder.0.shared.running.find(&self.execution_id);
        control.map(|control| control.open_questions()).unwrap_or_default()
    }

    /// The same as the record may show them: for whoever asks from outside of this process.
    #[cfg(feature = "serve")]
    pub(crate) fn permissions_as_recorded(&self) -> Vec<PermissionAsked> {
        let mut questions = self.permissions();
        questions.iter_mut().for_each(|asked| self.recorder.0.shared.redact(asked));
        questions
    }

    /// Answers a question. The first answer counts.
    ///
    /// # Errors
    /// `is_not_found` when it does not run here, or the question is not open: unknown, answered, expired, taken back.
    pub fn decide(&self, permission_id: &str, permission: Permission) -> Result<(), Error> {
        let said = permission.clone();
        let say = |asked: &PermissionAsked| self.emit(decision(asked, &said));
        match self.control()?.answer(permission_id, permission, say) {
            true => Ok(()),
            false => Err(Error::not_found(format!("permission {permission_id}: no such question is open"))),
        }
    }

    fn control(&self) -> Result<Arc<Control>, Error> {
        self.recorder.0.shared.running.find(&self.execution_id).ok_or_else(|| {
            Error::not_found(format!(
                "{} does not run in this process: it is unknown here, or has ended",
                self.execution_id
            ))
        })
    }

    fn emit(&self, body: impl Into<Body>) {
        self.recorder.emit(StreamEvent::new(body).of_execution(self.execution_id.clone()));
    }
}

/// The answer as everybody who watches is told of it.
pub(crate) fn decision(asked: &PermissionAsked, permission: &Permission) -> PermissionDecision {
    let mut event = PermissionDecision::new(asked.permission_id.clone(), permission.verdict.clone());
    event.decided_by.clone_from(&permission.decided_by);
    event.reason.clone_from(&permission.reason);
    event
}
