//! `Account`: one execution's spending. Each call is counted once, where it happened.

use super::{
    call::{Call, Calls},
    money::Money,
    prices::Prices,
    spending::{Entry, Spending},
    usage::{self, Usage},
};
use crate::{
    StepId, StreamEvent, Text, Timestamp,
    event::{
        Body, Concept, CostSource, Embedding, Life, LlmCallEnd, LlmCallFailed, LlmCallStart, Outcome, Roots, TokenUsage,
    },
};
use std::collections::VecDeque;

/// What an execution has spent so far, and the little that is needed to count no call twice.
#[derive(Debug, Clone, Default)]
pub(crate) struct Account {
    sums: Sums,
    calls: Calls,
    /// Steps of agents: usage told there is a sum.
    agents: VecDeque<StepId>,
    roots: Roots,
}

/// The sums, and what the last event changed about them.
#[derive(Debug, Clone, Default)]
struct Sums {
    spending: Spending,
    changes: Vec<Change>,
}

/// A call that came into the sums, or went out of them.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) step: Option<StepId>,
    pub(super) model: Option<Text>,
    pub(super) entry: Entry,
    pub(super) is_removed: bool,
}

/// What a usage event turned out to say.
struct Told {
    model: Option<Text>,
    provider: Option<Text>,
    cost: Option<Money>,
    is_aggregate: bool,
}

/// Agents of one execution that are remembered at once.
const MAX_AGENTS: usize = 64;

impl Account {
    /// The sums so far.
    pub(super) const fn spending(&self) -> &Spending {
        &self.sums.spending
    }

    /// Takes in what an earlier process had counted: the last usage event of the execution.
    pub(crate) fn continue_after(&mut self, last: &TokenUsage) {
        let without = (last.calls_without_usage.unwrap_or(0), last.calls_without_price.unwrap_or(0));
        let earlier = Spending::continued(last.cumulative_tokens, last.cumulative_cost_usd, without);
        self.sums.spending.add_all(&earlier);
    }

    /// Takes in that an earlier process counted, and nobody knows what: the sums are lower bounds from now on.
    pub(crate) fn continue_after_unknown(&mut self) {
        self.sums.spending.add_all(&Spending::continued(0, None, (1, 0)));
    }

    /// Takes in the next event of the execution. One that tells usage gets its price and the sums.
    pub(crate) fn complete(&mut self, event: &mut StreamEvent, prices: &Prices) {
        self.sums.changes.clear();
        let Body::TokenUsage(used) = &mut event.body else { return self.fold(event, prices) };
        if usage::set_right(used) {
            used.repaired = Some(true);
        }
        let told = self.used(event.step_id.as_ref(), event.time, used, prices);
        told.write(used);
        self.write_sums(used);
    }

    /// Takes in the next event of the execution, and says what changed in the sums.
    pub(super) fn apply(&mut self, event: &StreamEvent, prices: &Prices) -> &[Change] {
        self.sums.changes.clear();
        self.fold(event, prices);
        &self.sums.changes
    }

    fn fold(&mut self, event: &StreamEvent, prices: &Prices) {
        let (step, time) = (event.step_id.as_ref(), event.time);
        self.roots.apply(event);
        match &event.body {
            Body::LlmCallStart(start) => self.begin(step, start),
            Body::LlmCallEnd(end) => self.end(step, time, end, prices),
            Body::LlmCallFailed(end) => self.fail(step, end),
            Body::Embedding(embedding) => self.embedded(step, time, embedding, prices),
            Body::TokenUsage(used) => drop(self.used(step, time, used, prices)),
            Body::ExecutionStart(_) | Body::AgentStart(_) => self.remember_agent(step),
            _ if event.kind().life() == Life::Closes(Concept::Execution) && self.roots.is_empty() => self.close(),
            _ => {}
        }
    }

    fn begin(&mut self, step: Option<&StepId>, start: &LlmCallStart) {
        let outer = start.parent_step_id.as_ref().filter(|parent| Some(*parent) != step);
        let outer = outer.filter(|parent| self.calls.last(Some(*parent)).is_some_and(|call| !call.ended)).cloned();
        let call = self.calls.open(step);
        call.outer = outer;
        call.answered_by(start.model.as_ref(), start.provider.as_ref());
    }

    /// What the end says counts as long as no event of its own tells the usage.
    fn end(&mut self, step: Option<&StepId>, time: Option<Timestamp>, end: &LlmCallEnd, prices: &Prices) {
        let call = self.calls.open(step);
        call.answered_by(end.model.as_ref(), end.provider.as_ref());
        call.ended = true;
        if call.told || call.covered {
            return;
        }
        let usage = usage::of_end(end);
        // Of a call inside another, that one may say more.
        if usage.is_some() || call.outer.is_none() {
            let total = end.total_tokens.unwrap_or(0);
            let entry = entry(usage, total, call.model.as_ref(), call.provider.as_ref(), time, prices);
            self.sums.exchange(call, entry);
            self.cover_outer(step);
        }
    }

    /// A call that was refused used nothing; one that was cut off did, and nobody knows how much.
    fn fail(&mut self, step: Option<&StepId>, end: &LlmCallFailed) {
        let call = self.calls.open(step);
        call.answered_by(end.model.as_ref(), None);
        call.ended = true;
        let cut_off = end.outcome.as_ref().is_some_and(|outcome| !matches!(outcome, Outcome::Error | Outcome::Ok));
        if cut_off && !call.told && !call.covered && call.outer.is_none() {
            self.sums.exchange(call, Entry::default());
        }
    }

    fn embedded(&mut self, step: Option<&StepId>, time: Option<Timestamp>, event: &Embedding, prices: &Prices) {
        let call = self.calls.push(Call { step: step.cloned(), ended: true, ..Call::default() });
        call.answered_by(Some(&event.model).filter(|model| !model.is_empty()), None);
        let entry = entry(usage::of_embedding(event), 0, call.model.as_ref(), None, time, prices);
        self.sums.exchange(call, entry);
    }

    fn used(&mut self, step: Option<&StepId>, time: Option<Timestamp>, used: &TokenUsage, prices: &Prices) -> Told {
        let is_agent = used.aggregate.is_none() && step.is_some_and(|step| self.agents.contains(step));
        let call = self.calls.last(step).filter(|call| call.takes_usage() && !(is_agent && call.told));
        let model = used.model.as_ref().or(call.as_ref().and_then(|call| call.model.as_ref())).cloned();
        let provider = used.provider.as_ref().or(call.as_ref().and_then(|call| call.provider.as_ref())).cloned();
        // A call that used nothing is one whose instrumentation missed what it used.
        let usage = Some(Usage::from(used)).filter(|usage| usage.total() > 0 || used.cost_usd.is_some());
        let mut entry = entry(usage, used.total_tokens, model.as_ref(), provider.as_ref(), time, prices);
        entry.cost = used.cost_usd.and_then(Money::from_usd).or(entry.cost);
        let mut told = Told { model, provider, cost: entry.cost, is_aggregate: false };
        match call {
            _ if used.aggregate == Some(true) => told.is_aggregate = true,
            // Unless its emitter knows better: that a call has others inside and spent something itself besides.
            Some(call) if call.covered && used.aggregate != Some(false) => told.is_aggregate = true,
            Some(call) => {
                call.told = true;
                call.answered_by(told.model.as_ref(), told.provider.as_ref());
                self.sums.exchange(call, entry);
                self.cover_outer(step);
            }
            None if is_agent => told.is_aggregate = true,
            None => self.sums.add(Change { step: step.cloned(), model: told.model.clone(), entry, is_removed: false }),
        }
        told
    }

    /// A call whose usage is known covers those around it: what they say is the same once more.
    fn cover_outer(&mut self, step: Option<&StepId>) {
        let mut inner = self.calls.last(step).filter(|call| call.is_known()).and_then(|call| call.outer.clone());
        while let Some(step) = inner.take() {
            let Some(outer) = self.calls.last(Some(&step)).filter(|outer| !outer.covered) else { return };
            outer.covered = true;
            self.sums.remove(outer);
            inner.clone_from(&outer.outer);
        }
    }

    fn remember_agent(&mut self, step: Option<&StepId>) {
        if let Some(step) = step {
            if self.agents.len() >= MAX_AGENTS {
                self.agents.pop_front();
            }
            self.agents.push_back(step.clone());
        }
    }

    fn close(&mut self) {
        self.calls.clear();
        self.agents = VecDeque::new();
    }

    fn write_sums(&self, used: &mut TokenUsage) {
        let spending = &self.sums.spending;
        used.cumulative_tokens = spending.total_tokens();
        used.cumulative_cost_usd = spending.cost_usd().or(used.cumulative_cost_usd);
        used.calls_without_usage = Some(spending.calls_without_usage).filter(|calls| *calls > 0);
        used.calls_without_price = Some(spending.calls_without_price).filter(|calls| *calls > 0);
    }
}

impl Told {
    /// What its emitter said stands. An amount that is none was not said.
    fn write(self, used: &mut TokenUsage) {
        let said = used.cost_usd.and_then(Money::from_usd).is_some();
        if !said {
            used.cost_usd = self.cost.map(Money::usd);
            used.cost_source = self.cost.map(|_| CostSource::Local);
        }
        (used.model, used.provider) = (self.model, self.provider);
        used.aggregate = self.is_aggregate.then_some(true).or(used.aggregate);
    }
}

impl Sums {
    fn add(&mut self, change: Change) {
        self.spending.add(&change.entry);
        self.changes.push(change);
    }

    /// Puts what is known of a call now in the place of what was.
    fn exchange(&mut self, call: &mut Call, entry: Entry) {
        self.remove(call);
        call.counted = Some((entry, call.model.clone()));
        self.add(Change { step: call.step.clone(), model: call.model.clone(), entry, is_removed: false });
    }

    fn remove(&mut self, call: &mut Call) {
        if let Some((entry, model)) = call.counted.take() {
            self.spending.remove(&entry);
            self.changes.push(Change { step: call.step.clone(), model, entry, is_removed: true });
        }
    }
}

fn entry(
    usage: Option<Usage>,
    total: u64,
    model: Option<&Text>,
    provider: Option<&Text>,
    time: Option<Timestamp>,
    prices: &Prices,
) -> Entry {
    let price = |usage: &Usage| prices.cost(usage, model.map(Text::as_str), provider.map(Text::as_str), time);
    Entry { usage, total, cost: usage.as_ref().and_then(price) }
}
