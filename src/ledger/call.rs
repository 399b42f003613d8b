//! The calls of one execution that may still be told something about, so that each is counted once.

use super::spending::Entry;
use crate::{StepId, Text};
use std::collections::VecDeque;

/// One call of a model.
#[derive(Debug, Clone, Default)]
pub(super) struct Call {
    pub(super) step: Option<StepId>,
    /// The step of the call that this one is inside of: the same call, seen by a second instrumentation.
    pub(super) outer: Option<StepId>,
    pub(super) model: Option<Text>,
    pub(super) provider: Option<Text>,
    pub(super) ended: bool,
    /// Its usage has been told by an event of its own; what its end says is no more than a stand-in for that.
    pub(super) told: bool,
    /// Calls inside of it are counted, so that its own usage is their sum.
    pub(super) covered: bool,
    /// What stands in the sums for it, and under which model.
    pub(super) counted: Option<(Entry, Option<Text>)>,
}

impl Call {
    /// Takes what is said of who answered.
    pub(super) fn answered_by(&mut self, model: Option<&Text>, provider: Option<&Text>) {
        self.model = model.or(self.model.as_ref()).cloned();
        self.provider = provider.or(self.provider.as_ref()).cloned();
    }

    /// Whether a usage event that comes now is about this call: one without a step is about the last call, once.
    pub(super) const fn takes_usage(&self) -> bool {
        self.step.is_some() || !self.told
    }

    /// Whether what it used is known.
    pub(super) fn is_known(&self) -> bool {
        self.counted.as_ref().is_some_and(|(entry, _)| entry.usage.is_some())
    }
}

/// The calls that are remembered, oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls(VecDeque<Call>);

/// Ended calls that are remembered, for the usage that is told after the end.
const MAX_ENDED: usize = 16;
/// Calls that are remembered at all.
const MAX_CALLS: usize = 256;

impl Calls {
    /// The last call of this step.
    pub(super) fn last(&mut self, step: Option<&StepId>) -> Option<&mut Call> {
        self.0.iter_mut().rfind(|call| call.step.as_ref() == step)
    }

    /// The call of this step that has begun and not ended, else a new one.
    pub(super) fn open(&mut self, step: Option<&StepId>) -> &mut Call {
        match self.0.iter().rposition(|call| call.step.as_ref() == step && !call.ended) {
            Some(at) => &mut self.0[at],
            None => self.push(Call { step: step.cloned(), ..Call::default() }),
        }
    }

    /// Adds a call; old ones are forgotten for it, ended ones first.
    pub(super) fn push(&mut self, call: Call) -> &mut Call {
        let ended = self.0.iter().filter(|call| call.ended).count();
        let oldest = (ended > MAX_ENDED).then(|| self.0.iter().position(|call| call.ended)).flatten();
        if let Some(at) = oldest.or((self.0.len() >= MAX_CALLS).then_some(0)) {
            self.0.remove(at);
        }
        self.0.push_back(call);
        let last = self.0.len() - 1;
        &mut self.0[last]
    }

    pub(super) fn clear(&mut self) {
        self.0 = VecDeque::new();
    }
}
