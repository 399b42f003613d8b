//! Functions of every shape, under every lint: what an attribute leaves as it was.

#![deny(warnings, clippy::all, clippy::pedantic, clippy::nursery)]
#![allow(
    clippy::future_not_send,
    clippy::needless_pass_by_value,
    clippy::unused_async,
    reason = "the shapes are the point, not the bodies"
)]

use std::cell::RefCell;
use std::fmt::{Debug, Display};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Mutex;

use serde::Serialize;
use spanwright::{agent, guardrail, llm, memory, step, tool};

use crate::record::{block_on, record, record_one};

type Failing<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tool]
async fn questioned(text: &str) -> Failing<u32> {
    let n = text.parse::<u32>()?;
    if n == 0 {
        return Err("zero".into());
    }
    Ok(n)
}

#[tool]
fn questioned_sync(text: &str) -> Failing<u32> {
    if text.is_empty() {
        return Ok(0);
    }
    Ok(text.parse()?)
}

#[step]
async fn returns_nothing(early: bool) {
    if early {
        return;
    }
    block_on(async {});
}

#[step]
fn returns_nothing_sync() {}

#[step]
async fn never_returns() -> ! {
    panic!("at once")
}

#[step]
fn never_returns_sync() -> ! {
    panic!("at once")
}

#[step]
async fn always_panics() -> u32 {
    todo_later()
}

fn todo_later() -> ! {
    panic!("later")
}

#[tool]
async fn coerced(even: bool) -> Box<dyn Iterator<Item = u8> + Send> {
    if even { Box::new([2, 4].into_iter()) } else { Box::new(std::iter::once(1)) }
}

#[tool]
fn opaque(items: &[u8]) -> impl Iterator<Item = u8> + '_ {
    items.iter().copied()
}

#[tool]
async fn opaque_async<'a>(
    items: &'a [u8],
    by: impl Fn(u8) -> u8 + 'a,
) -> Result<impl Iterator<Item = u8> + 'a, String> {
    if items.is_empty() {
        return Err("empty".to_owned());
    }
    Ok(items.iter().map(move |item| by(*item)))
}

#[agent]
async fn generic<T: Serialize, U: Debug, V>(shown: T, debugged: U, kept: V) -> V
where
    V: Clone,
{
    let _ = (shown, debugged);
    kept.clone()
}

#[tool]
async fn local(shared: Rc<RefCell<Vec<u8>>>, mut more: Vec<u8>) -> usize {
    more.push(9);
    shared.borrow_mut().append(&mut more);
    shared.borrow().len()
}

#[tool]
fn locked(numbers: Mutex<u8>) -> u8 {
    *numbers.lock().unwrap()
}

#[tool]
fn boxed<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = Failing<usize>> + Send + 'a>> {
    Box::pin(async move { Ok(text.parse()?) })
}

#[tool]
fn future(text: &str) -> impl Future<Output = usize> + use<'_> {
    let length = text.len();
    async move { length }
}

/// Documented, and not to be thrown away.
#[must_use]
#[inline]
#[llm]
pub(crate) fn attributed(model: &str) -> String {
    model.to_uppercase()
}

struct Counter<T> {
    items: Vec<T>,
    label: String,
}

impl<T: Display> Counter<T> {
    #[memory(recall)]
    fn borrow(&self, index: usize) -> Option<&T> {
        self.items.get(index)
    }

    #[memory(update)]
    fn borrow_mut(&mut self, index: usize) -> Result<&mut T, String> {
        self.items.get_mut(index).ok_or_else(|| format!("no {index}"))
    }

    #[memory(update)]
    async fn borrow_mut_async(&mut self, index: usize) -> Option<&mut T> {
        self.items.get_mut(index)
    }

    #[guardrail]
    async fn longest<'a>(&'a self, other: &'a str) -> &'a str {
        if self.label.len() > other.len() { &self.label } else { other }
    }

    #[step]
    fn consume(mut self) -> String {
        self.items.clear();
        self.label
    }

    #[step]
    fn boxed(self: Box<Self>, more: T) -> Vec<T> {
        let mut items = self.items;
        items.push(more);
        items
    }
}

#[async_trait::async_trait]
trait Search {
    async fn search(&self, query: &str) -> Failing<usize>;
}

trait Native {
    fn plan(&self, goal: &str) -> impl Future<Output = usize> + Send;
}

struct Engine;

#[async_trait::async_trait]
impl Search for Engine {
    #[tool]
    async fn search(&self, query: &str) -> Failing<usize> {
        Ok(query.parse()?)
    }
}

impl Native for Engine {
    #[step]
    async fn plan(&self, goal: &str) -> usize {
        goal.len()
    }
}

#[test]
fn early_returns_and_question_marks_leave_the_body_and_not_the_span() {
    assert_eq!(block_on(questioned("7")).unwrap(), 7);
    assert_eq!(questioned_sync("").unwrap(), 0);
    let seen = record(|| {
        assert!(block_on(questioned("0")).is_err() && block_on(questioned("x")).is_err());
        assert!(questioned_sync("x").is_err());
        block_on(returns_nothing(true));
        returns_nothing_sync();
    });
    let ends: Vec<_> = seen.iter().map(|span| (span.outcome(), span.get("error.type"))).collect();
    let failed = ("error", "_OTHER");
    assert_eq!(ends, [failed, failed, failed, ("ok", ""), ("ok", "")]);
}

#[test]
fn functions_that_never_return_end_as_panicked() {
    let seen = record(|| {
        crate::record::caught(|| block_on(never_returns()));
        crate::record::caught(|| never_returns_sync());
        crate::record::caught(|| block_on(always_panics()));
    });
    assert!(seen.iter().all(|span| span.outcome() == "panicked"));
}

#[test]
fn opaque_and_coerced_outputs_stay_what_they_were() {
    assert_eq!(block_on(coerced(true)).chain(block_on(coerced(false))).collect::<Vec<_>>(), [2, 4, 1]);
    assert_eq!(opaque(&[1, 2]).sum::<u8>(), 3);
    assert_eq!(block_on(opaque_async(&[1, 2], |n| n * 2)).unwrap().sum::<u8>(), 6);
    assert!(block_on(opaque_async(&[], |n| n)).is_err());
    let seen = record_one(|| assert_eq!(block_on(generic(1, Some("x"), 'c')), 'c'));
    assert_eq!(seen.get("input.value"), r#"{"shown":1,"debugged":"Some(\"x\")","kept":null}"#);
    assert_eq!(block_on(local(Rc::default(), vec![1])), 2);
    assert_eq!(locked(Mutex::new(3)), 3);
    assert_eq!(attributed("a"), "A");
}

#[test]
fn a_function_that_returns_a_future_is_in_its_span_until_that_is_done() {
    let seen = record(|| {
        assert!(block_on(boxed("x")).is_err());
        assert_eq!(block_on(future("four")), 4);
        assert!(block_on(Engine.search("x")).is_err());
        assert_eq!(block_on(Engine.plan("four")), 4);
        drop(boxed("x"));
    });
    let ends: Vec<_> = seen.iter().map(|span| (span.title(), span.outcome())).collect();
    assert_eq!(
        ends,
        [
            ("execute_tool boxed", "error"),
            ("execute_tool future", "ok"),
            ("execute_tool search", "error"),
            ("run_step plan", "ok"),
            ("execute_tool boxed", "cancelled")
        ]
    );
    assert_eq!(seen[2].get("gen_ai.tool.call.arguments"), r#"{"query":"x"}"#);
}

#[test]
fn methods_may_take_self_in_any_form_and_return_what_they_borrow() {
    let mut counter = Counter { items: vec![1, 2], label: "label".to_owned() };
    assert_eq!(counter.borrow(1), Some(&2));
    *counter.borrow_mut(0).unwrap() = 5;
    *block_on(counter.borrow_mut_async(1)).unwrap() = 6;
    assert_eq!(block_on(counter.longest("abc")), "label");
    assert_eq!(Box::new(Counter { items: vec![3], label: String::new() }).boxed(4), [3, 4]);
    assert_eq!((counter.items.clone(), counter.consume()), (vec![5, 6], "label".to_owned()));
}

#[test]
fn a_future_is_send_exactly_when_its_body_is() {
    fn is_send<T: Send>(_: &T) {}
    is_send(&questioned("1"));
    is_send(&generic(1, 2, 3));
    is_send(&Engine.plan("x"));
    is_send(&boxed("x"));
}
