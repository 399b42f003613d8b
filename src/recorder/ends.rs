//! `Ends`: whoever wants to hear of an execution's end on the thread that ends it, before that thread goes on.

use crate::{
    ExecutionId, StreamEvent,
    event::{Concept, Life},
};
use std::sync::OnceLock;

/// Told which execution ends, where the event says so. It must be quick, and it must not panic: the program waits.
pub(crate) type OnEnd = Box<dyn Fn(Option<&ExecutionId>) + Send + Sync>;

#[derive(Default)]
pub(super) struct Ends(OnceLock<OnEnd>);

/// An execution's end that is to be told once its event is in line.
pub(super) struct End<'a> {
    hook: &'a OnEnd,
    execution_id: Option<ExecutionId>,
}

impl Ends {
    /// The first hook stays; there is one terminal.
    #[cfg(feature = "terminal")]
    pub(super) fn install(&self, hook: OnEnd) {
        // A second one is dropped.
        let _ = self.0.set(hook);
    }

    /// Looked at before the event is given away. Costs one comparison for each event that ends no execution.
    pub(super) fn of(&self, event: &StreamEvent) -> Option<End<'_>> {
        let ends = event.kind().life() == Life::Closes(Concept::Execution);
        let hook = if ends { self.0.get()? } else { return None };
        Some(End { hook, execution_id: event.execution_id.clone() })
    }
}

impl End<'_> {
    pub(super) fn tell(self) {
        (self.hook)(self.execution_id.as_ref());
    }
}

#[cfg(all(test, feature = "terminal", not(spanwright_loom)))]
mod tests {
    use crate::{
        Recorder, StreamEvent,
        event::{ExecutionCancelled, ExecutionEnd, ExecutionStart, StepEnd, StreamMode},
    };
    use std::{
        sync::{Arc, Mutex},
        thread,
    };

    #[test]
    fn an_end_is_told_on_the_thread_that_ends_and_nothing_else_is() {
        let recorder = Recorder::builder().start().expect("a recorder");
        let told = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&told);
        recorder.on_execution_end(Box::new(move |id| {
            list.lock().expect("lock").push((id.cloned(), thread::current().id()));
        }));
        let emitter = recorder.emitter();
        emitter.emit(ExecutionStart::new());
        emitter.emit(StepEnd::new(1));
        assert!(told.lock().expect("lock").is_empty());
        emitter.emit(ExecutionEnd::new(1));
        recorder.emit(StreamEvent::new(ExecutionCancelled::new("enough")));
        let here = thread::current().id();
        let expected = [(Some(emitter.execution_id().clone()), here), (None, here)];
        assert_eq!(*told.lock().expect("lock"), expected);
    }

    #[test]
    fn a_hook_may_emit_and_ask_and_a_second_one_is_not_called() {
        let recorder = Recorder::builder().start().expect("a recorder");
        let same = recorder.clone();
        recorder.on_execution_end(Box::new(move |_| same.emit(StepEnd::new(1))));
        recorder.on_execution_end(Box::new(|_| panic!("the second")));
        let emitter = recorder.emitter();
        emitter.set_mode(StreamMode::Silent);
        emitter.emit(ExecutionEnd::new(1));
    }
}
