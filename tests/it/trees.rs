//! 100,000 random trees of work, awaited, joined, spawned, aborted, dropped half-way, panicking, on one thread and on
//! several, through the real layer and the real gate: each start has exactly one end, under the right parent, with the
//! outcome that the work itself saw.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering::SeqCst};

use futures_core::Stream;
use futures_util::future::{Either, join_all, select};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use proptest::prelude::*;
use spanwright::event::{Body, Concept, Life, Outcome};
use spanwright::{ExecutionId, StepId, StreamEvent, agent, llm, memory, span, step, tool};
use tokio::runtime::{Builder, Runtime};

const TREES: u32 = 100_000;
const TREES_IN_A_CASE: u32 = 250;

// -- what is done --------------------------------------------------------------------------------------------------

#[derive(Clone, Debug)]
struct Plan {
    form: Form,
    how: How,
    end: End,
    children: Vec<Plan>,
}

/// What a piece of work is.
#[derive(Clone, Copy, Debug)]
enum Form {
    Agent,
    Step,
    Tool,
    Llm,
    Stream,
    Sync,
}

/// How its parent runs it.
#[derive(Clone, Copy, Debug)]
enum How {
    Await,
    AwaitAndCatch,
    /// Together with its neighbours that are joined too.
    Join,
    Spawn,
    /// Spawned, and aborted after so many turns.
    Abort(u8),
    /// Spawned, and forgotten: the runtime drops it in the end if need be.
    Forget,
    /// Dropped after so many turns, if it is not done by then.
    Select(u8),
    /// On a thread of its own.
    Thread,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Ok,
    Err,
    Panic,
    Never,
}

fn plan() -> impl Strategy<Value = Plan> {
    let leaf = (form(), how(), end()).prop_map(|(form, how, end)| Plan { form, how, end, children: Vec::new() });
    leaf.prop_recursive(4, 12, 4, |inner| {
        (form(), how(), end(), prop::collection::vec(inner, 0..4)).prop_map(|(form, how, end, children)| Plan {
            form,
            how,
            end,
            children,
        })
    })
}

fn form() -> impl Strategy<Value = Form> {
    use Form::{Agent, Llm, Step, Stream, Sync, Tool};
    prop::sample::select(&[Step, Agent, Tool, Llm, Stream, Sync][..])
}

fn how() -> impl Strategy<Value = How> {
    use How::{Abort, Await, AwaitAndCatch, Forget, Join, Select, Spawn, Thread};
    let ways = [Await, Await, AwaitAndCatch, Join, Join, Spawn, Abort(0), Abort(1), Abort(3), Forget];
    let rest = [Select(0), Select(1), Select(4), Thread];
    prop::sample::select([&ways[..], &rest[..]].concat())
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![6 => Just(End::Ok), 2 => Just(End::Err), 1 => Just(End::Panic), 2 => Just(End::Never)]
}

// -- the work itself -----------------------------------------------------------------------------------------------

/// A plan with a number in the case, and the number of the one around it.
#[derive(Debug)]
struct Node {
    id: usize,
    parent: Option<usize>,
    form: Form,
    how: How,
    end: End,
    children: Vec<Arc<Node>>,
    /// What the work itself saw.
    fate: AtomicU8,
}

const NOT_BEGUN: u8 = 0;
const GIVEN_UP: u8 = 1;
const OK: u8 = 2;
const ERROR: u8 = 3;
const PANICKED: u8 = 4;

impl Node {
    fn grow(plan: &Plan, parent: Option<usize>, next: &AtomicUsize) -> Arc<Self> {
        let id = next.fetch_add(1, SeqCst);
        let children = plan.children.iter().map(|child| Self::grow(child, Some(id), next)).collect();
        let (form, how, end) = (plan.form, plan.how, plan.end);
        Arc::new(Self { id, parent, form, how, end, children, fate: AtomicU8::new(NOT_BEGUN) })
    }

    fn each(self: &Arc<Self>, all: &mut Vec<Arc<Self>>) {
        all.push(self.clone());
        self.children.iter().for_each(|child| child.each(all));
    }
}

/// Given up, unless something else is seen.
struct Fate(Arc<Node>);

impl Fate {
    fn begin(node: &Arc<Node>) -> Self {
        node.fate.store(GIVEN_UP, SeqCst);
        Self(node.clone())
    }

    fn returns(&self) -> Result<u8, String> {
        let (fate, output) = if matches!(self.0.end, End::Err) { (ERROR, Err("as told".into())) } else { (OK, Ok(1)) };
        self.0.fate.store(fate, SeqCst);
        output
    }

    async fn end(&self) -> Result<u8, String> {
        match self.0.end {
            End::Panic => resume_unwind(Box::new("as told")),
            End::Never => std::future::pending().await,
            End::Ok | End::Err => self.returns(),
        }
    }
}

impl Drop for Fate {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.0.fate.compare_exchange(GIVEN_UP, PANICKED, SeqCst, SeqCst);
        }
    }
}

type Work = Pin<Box<dyn Future<Output = Result<u8, String>> + Send>>;

fn work(node: &Arc<Node>) -> Work {
    let (id, node) = (node.id, node.clone());
    match node.form {
        Form::Agent => Box::pin(an_agent(id, node)),
        Form::Step => Box::pin(a_step(id, node)),
        Form::Tool => a_tool(id, node),
        Form::Llm => Box::pin(a_model(id, node)),
        Form::Stream => Box::pin(a_stream(id, node).fold(Ok(1), async |_, last| last)),
        Form::Sync => Box::pin(async move { a_sync_step(id, node) }),
    }
}

#[agent(skip(node))]
async fn an_agent(id: usize, node: Arc<Node>) -> Result<u8, String> {
    asynchronous(Fate::begin(&node)).await
}

#[step(skip(node))]
async fn a_step(id: usize, node: Arc<Node>) -> Result<u8, String> {
    asynchronous(Fate::begin(&node)).await
}

#[llm(skip(node))]
async fn a_model(id: usize, node: Arc<Node>) -> Result<u8, String> {
    asynchronous(Fate::begin(&node)).await
}

#[tool(skip(node))]
fn a_tool(id: usize, node: Arc<Node>) -> Pin<Box<dyn Future<Output = Result<u8, String>> + Send>> {
    Box::pin(asynchronous(Fate::begin(&node)))
}

/// An item for each child, then one of its own.
#[memory(recall, skip(node))]
fn a_stream(id: usize, node: Arc<Node>) -> impl Stream<Item = Result<u8, String>> + Send {
    stream::unfold((0, Some(Fate::begin(&node))), |(at, fate)| async move {
        let fate = fate?;
        match fate.0.children.get(at) {
            Some(child) => {
                run(std::slice::from_ref(child)).await;
                Some((Ok(0), (at + 1, Some(fate))))
            }
            None => match fate.end().await {
                Ok(_) => None,
                Err(error) => Some((Err(error), (at, None))),
            },
        }
    })
}

#[step(skip(node))]
fn a_sync_step(id: usize, node: Arc<Node>) -> Result<u8, String> {
    let fate = Fate::begin(&node);
    for child in &node.children {
        let call = || a_sync_step(child.id, child.clone());
        match child.how {
            How::Await | How::Join => drop(call()),
            How::Thread => on_a_thread(child),
            _ => drop(catch_unwind(AssertUnwindSafe(call))),
        }
    }
    match node.end {
        End::Panic => resume_unwind(Box::new("as told")),
        _ => fate.returns(),
    }
}

async fn asynchronous(fate: Fate) -> Result<u8, String> {
    run(&fate.0.children).await;
    fate.end().await
}

/// Runs neighbours, each as it is told.
async fn run(nodes: &[Arc<Node>]) {
    let (joined, alone): (Vec<_>, Vec<_>) = nodes.iter().partition(|node| matches!(node.how, How::Join));
    join_all(joined.into_iter().map(|node| within(20, work(node)))).await;
    for node in alone {
        match node.how {
            How::Await | How::Join => within(20, work(node)).await,
            How::AwaitAndCatch => drop(AssertUnwindSafe(within(20, work(node))).catch_unwind().await),
            How::Spawn => drop(span::spawn(within(20, work(node))).await),
            How::Forget => drop(span::spawn(work(node))),
            How::Select(turns) => within(turns, work(node)).await,
            How::Thread => on_a_thread(node),
            How::Abort(turns) => {
                let task = span::spawn(work(node));
                pass(turns).await;
                task.abort();
                drop(task.await);
            }
        }
    }
}

/// Drops the work after so many turns, so that what never ends does not hold up the others.
async fn within(turns: u8, work: Work) {
    if let Either::Left((output, _)) = select(work, Box::pin(pass(turns))).await {
        drop(output);
    }
}

async fn pass(turns: u8) {
    for _ in 0..turns {
        tokio::task::yield_now().await;
    }
}

fn on_a_thread(node: &Arc<Node>) {
    let node = node.clone();
    let work = span::in_context(move || catch_unwind(AssertUnwindSafe(|| a_sync_step(node.id, node))));
    drop(std::thread::spawn(work).join());
}

// -- what is told of it --------------------------------------------------------------------------------------------

/// A start and its end, and where in the stream they stand.
#[derive(Debug)]
struct Told {
    step: StepId,
    execution: ExecutionId,
    parent: Option<StepId>,
    start: usize,
    end: usize,
    outcome: String,
}

/// By the number in the input, having held each start against its end.
fn told(events: &[StreamEvent]) -> HashMap<usize, Told> {
    let mut ends: HashMap<&StepId, (usize, &Body)> = HashMap::new();
    for (at, event) in ends_of(events) {
        let step = event.step_id.as_ref().expect("a step");
        assert!(ends.insert(step, (at, &event.body)).is_none(), "{step} ended twice");
    }
    let mut told = HashMap::new();
    for (at, event) in events.iter().enumerate() {
        let Some((id, parent)) = started(&event.body) else { continue };
        let step = event.step_id.clone().expect("a step");
        let (end, body) = ends.remove(&step).unwrap_or_else(|| panic!("{id} has no end"));
        let (execution, parent) = (event.execution_id.clone().expect("an execution"), parent.cloned());
        let one = Told { step, execution, parent, start: at, end, outcome: outcome(body) };
        assert!(told.insert(id, one).is_none(), "{id} began twice");
    }
    assert!(ends.is_empty(), "ends without a start: {ends:?}");
    told
}

fn ends_of(events: &[StreamEvent]) -> impl Iterator<Item = (usize, &StreamEvent)> {
    let concerns = |concept| !matches!(concept, Concept::Text | Concept::Reasoning);
    let ends = move |event: &StreamEvent| matches!(event.kind().life(), Life::Closes(concept) if concerns(concept));
    events.iter().enumerate().filter(move |(_, event)| ends(event))
}

fn started(body: &Body) -> Option<(usize, Option<&StepId>)> {
    let (input, parent) = match body {
        Body::ExecutionStart(start) => (start.input.as_ref(), None),
        Body::AgentStart(start) => (start.input.as_ref(), start.parent_step_id.as_ref()),
        Body::StepStart(start) => (start.input.as_ref(), start.parent_step_id.as_ref()),
        Body::LlmCallStart(start) => (start.input.as_ref(), start.parent_step_id.as_ref()),
        Body::ToolInputAvailable(start) => (Some(&start.input), start.parent_step_id.as_ref()),
        _ => return None,
    };
    let id = input.expect("an input").as_str().strip_prefix(r#"{"id":"#)?.strip_suffix('}')?;
    Some((id.parse().expect("a number"), parent))
}

fn outcome(end: &Body) -> String {
    let outcome = match end {
        Body::ToolOutputError(end) => return end.outcome.to_string(),
        Body::ExecutionCancelled(_) => Some(Outcome::Cancelled),
        Body::ExecutionFailed(end) => end.outcome.clone().or(Some(Outcome::Error)),
        Body::AgentEnd(end) => end.outcome.clone(),
        Body::StepFailed(end) => end.outcome.clone().or(Some(Outcome::Error)),
        Body::LlmCallFailed(end) => end.outcome.clone().or(Some(Outcome::Error)),
        _ => None,
    };
    outcome.unwrap_or(Outcome::Ok).to_string()
}

fn holds(nodes: &[Arc<Node>], events: &[StreamEvent]) {
    let mut told = told(events);
    let known: HashMap<usize, (StepId, ExecutionId, usize, usize)> = told
        .iter()
        .map(|(id, told)| (*id, (told.step.clone(), told.execution.clone(), told.start, told.end)))
        .collect();
    for node in nodes {
        let expected = ["", "cancelled", "ok", "error", "panicked"][usize::from(node.fate.load(SeqCst))];
        let told = told.remove(&node.id);
        assert_eq!(told.as_ref().map_or("", |told| &told.outcome), expected, "{node:?}");
        let Some(told) = told else { continue };
        let around = node.parent.map(|parent| &known[&parent]);
        assert_eq!(told.parent.as_ref(), around.map(|(step, ..)| step), "{node:?}");
        if let Some((_, execution, start, end)) = around {
            assert!(told.execution == *execution && *start < told.start && told.end < *end, "{node:?}: {told:?}");
        }
    }
    assert!(told.is_empty(), "told of what was never done: {told:?}");
}

fn runtime(threads: usize) -> Runtime {
    match threads {
        0 => Builder::new_current_thread().build(),
        _ => Builder::new_multi_thread().worker_threads(threads).on_thread_start(keep_subscriber()).build(),
    }
    .expect("a runtime")
}

/// What a thread does first: it takes this thread's subscriber for its own. A task that is aborted is dropped outside of
/// its subscriber, and what tokio holds of it cannot be closed well on a thread that has none.
fn keep_subscriber() -> impl Fn() + Send + Sync {
    let dispatch = tracing::dispatcher::get_default(Clone::clone);
    move || std::mem::forget(tracing::dispatcher::set_default(&dispatch))
}

/// Grows the trees side by side in one runtime, then looks at what was told of them.
fn grow(plans: &[Plan], threads: usize) {
    let next = AtomicUsize::new(0);
    // The outermost is an agent: it is the execution.
    let roots: Vec<_> =
        plans.iter().map(|plan| Node::grow(&Plan { form: Form::Agent, ..plan.clone() }, None, &next)).collect();
    let events = crate::told::record(|| {
        let runtime = runtime(threads);
        runtime.block_on(async {
            let tasks: Vec<_> = roots.iter().map(|root| span::spawn(within(40, work(root)))).collect();
            join_all(tasks).await;
        });
    });
    let mut nodes = Vec::new();
    roots.iter().for_each(|root| root.each(&mut nodes));
    holds(&nodes, &events);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: TREES / TREES_IN_A_CASE, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_start_has_one_end_whatever_becomes_of_the_work(
        plans in prop::collection::vec(plan(), TREES_IN_A_CASE as usize),
        threads in prop::sample::select(&[0_usize, 1, 3][..]),
    ) {
        grow(&plans, threads);
    }
}
