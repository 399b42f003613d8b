//! `Ledger`: a stream of events added up by step, execution, model and session.

use super::{
    account::{Account, Change},
    prices::Prices,
    spending::Spending,
};
use crate::{ExecutionId, StepId, StreamEvent, Text, event::Body};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// What many executions spent: a fold of their events, live ones or those of a log, from their beginnings on.
///
/// A call without a price of its own gets one from the ledger's table. Sums are over the executions that are held: of
/// more than [`new`](Ledger::new) was told, the oldest is forgotten.
///
/// ```
/// use spanwright::{ExecutionId, StreamEvent, event::TokenUsage, ledger::{Ledger, Prices}};
///
/// let mut ledger = Ledger::new(100, Prices::builtin());
/// let run = ExecutionId::new();
/// ledger.apply(&StreamEvent::new(TokenUsage::new(1_000_000, 0, 1_000_000, 0).model("gpt-4o")).of_execution(run.clone()));
/// assert_eq!(ledger.execution(&run).unwrap().cost_usd(), Some(2.5));
/// assert_eq!(ledger.models()["gpt-4o"].input_tokens, 1_000_000);
/// ```
#[derive(Debug, Clone)]
pub struct Ledger {
    prices: Prices,
    executions: HashMap<ExecutionId, Page>,
    /// In the order of their first event.
    order: VecDeque<ExecutionId>,
    executions_max: usize,
}

/// What is held of one execution.
#[derive(Debug, Clone, Default)]
struct Page {
    account: Account,
    session_id: Option<Text>,
    steps: HashMap<StepId, Spending>,
    parents: HashMap<StepId, StepId>,
    models: BTreeMap<Text, Spending>,
}

/// Steps of one execution that are told apart.
const MAX_STEPS: usize = 16_384;
/// Models of one execution that are told apart.
const MAX_MODELS: usize = 1_024;
/// Steps around a step that get its sums too.
const MAX_DEPTH: usize = 64;

impl Ledger {
    /// Nothing spent yet. At most so many executions are held; these prices are for calls that have none.
    pub fn new(executions_max: usize, prices: Prices) -> Self {
        let (executions, order) = Default::default();
        Self { prices, executions, order, executions_max: executions_max.max(1) }
    }

    /// Takes in the next event. One that names no execution is nobody's.
    pub fn apply(&mut self, event: &StreamEvent) {
        let Some(id) = &event.execution_id else { return };
        if !self.executions.contains_key(id) {
            self.add(id);
        }
        if let Some(page) = self.executions.get_mut(id) {
            page.apply(event, &self.prices);
        }
    }

    fn add(&mut self, id: &ExecutionId) {
        if self.order.len() >= self.executions_max
            && let Some(oldest) = self.order.pop_front()
        {
            self.executions.remove(&oldest);
        }
        self.order.push_back(id.clone());
        self.executions.insert(id.clone(), Page::default());
    }

    /// What an execution has spent; none where no event of it was seen.
    pub fn execution(&self, id: &ExecutionId) -> Option<&Spending> {
        self.executions.get(id).map(|page| page.account.spending())
    }

    /// What a step has spent, with everything inside of it; none where it has spent nothing.
    pub fn step(&self, id: &ExecutionId, step: &StepId) -> Option<&Spending> {
        self.executions.get(id)?.steps.get(step)
    }

    /// What was spent on each model, by the names that calls gave them.
    pub fn models(&self) -> BTreeMap<String, Spending> {
        let mut models = BTreeMap::<String, Spending>::new();
        for (model, spending) in self.executions.values().flat_map(|page| &page.models) {
            models.entry(model.to_string()).or_default().add_all(spending);
        }
        // A model whose calls were told anew under another name.
        models.retain(|_, spending| spending.calls > 0);
        models
    }

    /// What the executions of a session have spent.
    pub fn session(&self, id: &str) -> Spending {
        self.sum(|page| page.session_id.as_deref() == Some(id))
    }

    /// What all executions have spent.
    pub fn total(&self) -> Spending {
        self.sum(|_| true)
    }

    fn sum(&self, counts: impl Fn(&Page) -> bool) -> Spending {
        let mut sum = Spending::default();
        let pages = self.executions.values().filter(|page| counts(page));
        pages.for_each(|page| sum.add_all(page.account.spending()));
        sum
    }
}

impl Page {
    fn apply(&mut self, event: &StreamEvent, prices: &Prices) {
        if let Body::ExecutionStart(start) = &event.body {
            self.session_id = start.session_id.clone().or_else(|| self.session_id.take());
        }
        if let (Some(step), Some(parent)) = (&event.step_id, event.body.parent_step_id())
            && self.parents.len() < MAX_STEPS
        {
            self.parents.insert(step.clone(), parent.clone());
        }
        let Self { account, steps, parents, models, .. } = self;
        for change in account.apply(event, prices) {
            if let Some(model) = &change.model
                && let Some(spending) = known(models, model, MAX_MODELS)
            {
                count(spending, change);
            }
            let around = std::iter::successors(change.step.as_ref(), |step| parents.get(*step));
            for step in around.take(MAX_DEPTH) {
                if steps.len() < MAX_STEPS || steps.contains_key(step) {
                    count(steps.entry(step.clone()).or_default(), change);
                }
            }
        }
    }
}

/// The sums of a name, as long as there is room for it.
fn known<'a>(sums: &'a mut BTreeMap<Text, Spending>, name: &Text, most: usize) -> Option<&'a mut Spending> {
    (sums.len() < most || sums.contains_key(name)).then(|| sums.entry(name.clone()).or_default())
}

fn count(spending: &mut Spending, change: &Change) {
    match change.is_removed {
        true => spending.remove(&change.entry),
        false => spending.add(&change.entry),
    }
}
