//! What one execution was told, and who waits for it to change.

use super::{
    Permission, PermissionAsked,
    cancellation::{Cancellation, Cancelled},
};
use crate::Text;
use event_listener::{Event, Listener};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// Shared by the execution's own code and by every handle on it.
#[derive(Debug, Default)]
pub(crate) struct Control {
    state: Mutex<State>,
    changed: Event,
}

#[derive(Debug, Default)]
pub(super) struct State {
    paused: bool,
    cancelled: Option<Text>,
    over: bool,
    asked: Vec<Asked>,
}

#[derive(Debug)]
struct Asked {
    question: PermissionAsked,
    answer: Option<Permission>,
}

/// Questions of one execution that may be open at a time.
const MAX_ASKED: usize = 1_024;

impl Control {
    /// That of an execution that does not run here, or not any more: nothing is asked of it, and nobody answers it.
    pub(crate) fn of_none() -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State { over: true, ..State::default() }), changed: Event::new() })
    }

    /// Pauses, unless it is paused, cancelled or over; `say` is called while nobody else can change it, so that what is
    /// said has the order of what was done.
    pub(crate) fn pause(&self, say: impl FnOnce()) {
        let pauses = |state: &mut State| {
            let may = !state.over && !state.paused && state.cancelled.is_none();
            state.paused |= may;
            may
        };
        self.change(pauses, say);
    }

    pub(crate) fn resume(&self, say: impl FnOnce()) {
        self.change(|state| std::mem::replace(&mut state.paused, false), say);
    }

    /// Asks for the end. What waits, for a resume or for an answer, waits no more.
    pub(crate) fn cancel(&self, reason: Text, say: impl FnOnce()) {
        let first = |state: &mut State| {
            let first = !state.over && state.cancelled.is_none();
            if first {
                (state.cancelled, state.paused) = (Some(reason), false);
            }
            first
        };
        self.change(first, say);
    }

    /// The execution is over: nothing can be asked of it any more.
    pub(super) fn end(&self) {
        self.change(|state| !std::mem::replace(&mut state.over, true), || {});
    }

    /// Why it was cancelled, if it was.
    pub(crate) fn cancelled(&self) -> Option<Text> {
        self.state().cancelled.clone()
    }

    /// Puts a question, and says so before anyone can answer it. Where too many are open, or the execution is cancelled,
    /// nobody will. False where it is over: after its end nothing is said.
    pub(crate) fn ask(&self, question: PermissionAsked, say: impl FnOnce()) -> bool {
        let mut state = self.state();
        if state.over {
            return false;
        }
        if state.asked.len() < MAX_ASKED && state.cancelled.is_none() {
            state.asked.push(Asked { question, answer: None });
        }
        say();
        true
    }

    /// Answers an open question, once. False when there is no such question.
    pub(crate) fn answer(&self, id: &str, permission: Permission, say: impl FnOnce(&PermissionAsked)) -> bool {
        let mut state = self.state();
        let open = state.asked.iter_mut().find(|asked| asked.question.permission_id() == id && asked.answer.is_none());
        let Some(asked) = open else { return false };
        asked.answer = Some(permission);
        say(&asked.question);
        drop(state);
        self.changed.notify(usize::MAX);
        true
    }

    /// Takes a question back. Its answer, if somebody gave one meanwhile.
    pub(crate) fn take_back(&self, id: &str) -> Option<Permission> {
        self.state().take(id)?.answer
    }

    /// The questions that nobody has answered yet, oldest first.
    pub(crate) fn open_questions(&self) -> Vec<PermissionAsked> {
        let state = self.state();
        let open = state.asked.iter().filter(|asked| asked.answer.is_none());
        open.map(|asked| asked.question.clone()).collect()
    }

    /// Until the question is answered; none when the execution was cancelled before, or is over.
    pub(crate) async fn answered(&self, id: &str) -> Option<Permission> {
        self.until(|state| state.outcome_of(id)).await
    }

    /// The same, blocking; the outer none when the time ran out.
    pub(crate) fn answered_by(&self, id: &str, deadline: Option<Instant>) -> Option<Option<Permission>> {
        self.until_deadline(|state| state.outcome_of(id), deadline)
    }

    /// Until it may go on.
    pub(crate) async fn go_on(&self) -> Result<(), Cancelled> {
        self.until(State::may_go_on).await
    }

    /// The same, blocking.
    pub(crate) fn go_on_blocking(&self) -> Result<(), Cancelled> {
        self.until_deadline(State::may_go_on, None).unwrap_or(Ok(()))
    }

    /// Until it is cancelled; none when it ended before.
    pub(super) async fn cancelled_or_over(&self) -> Option<Text> {
        self.until(|state| state.cancelled.clone().map(Some).or_else(|| state.over.then_some(None))).await
    }

    pub(crate) fn cancellation(self: &Arc<Self>) -> Cancellation {
        Cancellation::of(self.clone())
    }

    fn change(&self, change: impl FnOnce(&mut State) -> bool, say: impl FnOnce()) {
        let mut state = self.state();
        if change(&mut state) {
            say();
            drop(state);
            self.changed.notify(usize::MAX);
        }
    }

    async fn until<T>(&self, mut look: impl FnMut(&mut State) -> Option<T>) -> T {
        loop {
            // Listening begins before the look: a change between the two wakes it.
            let listener = self.changed.listen();
            if let Some(found) = look(&mut self.state()) {
                return found;
            }
            listener.await;
        }
    }

    fn until_deadline<T>(&self, mut look: impl FnMut(&mut State) -> Option<T>, deadline: Option<Instant>) -> Option<T> {
        loop {
            let listener = self.changed.listen();
            if let Some(found) = look(&mut self.state()) {
                return Some(found);
            }
            match deadline {
                Some(deadline) => drop(listener.wait_deadline(deadline)?),
                None => listener.wait(),
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn may_go_on(&mut self) -> Option<Result<(), Cancelled>> {
        match &self.cancelled {
            Some(reason) => Some(Err(Cancelled::new(reason.clone()))),
            None => (!self.paused || self.over).then_some(Ok(())),
        }
    }

    /// None while it is open.
    fn outcome_of(&mut self, id: &str) -> Option<Option<Permission>> {
        let asked = self.asked.iter().find(|asked| asked.question.permission_id() == id);
        let answered = asked.is_none_or(|asked| asked.answer.is_some());
        (answered || self.cancelled.is_some() || self.over).then(|| self.take(id).and_then(|asked| asked.answer))
    }

    fn take(&mut self, id: &str) -> Option<Asked> {
        let place = self.asked.iter().position(|asked| asked.question.permission_id() == id)?;
        Some(self.asked.remove(place))
    }
}
