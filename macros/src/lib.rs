//! The attributes of spanwright: each wraps a function in one span of its kind. Entry points only.
//!
//! They go on sync and async functions and methods, and on functions that return a future (`impl Future`,
//! `Pin<Box<dyn Future>>`, `BoxFuture`; so also under `async_trait`) or a stream (`impl Stream`, `Pin<Box<dyn Stream>>`,
//! `BoxStream`, also as the output of a future, or in a `Result` or a `..Result`). Signature, `Send`-ness and error type stay as they are.
//!
//! While somebody is interested, the arguments are kept as JSON (by `Serialize`, else `Debug`, else as `null`), except
//! `self` and those whose name begins with `_`; so is what the function returns, and of a `Result` what is `Ok`. An `Err`
//! fails the span with its message and those of its causes; a panic, and a dropped future or stream, end it as such. While
//! nobody is interested a call costs one atomic read.
//!
//! A stream keeps the span open until its last item: texts are told as they come, an `Err` among the items fails the
//! span. What a future or a stream is, is read off the return type as it is written: behind an alias, or as a type of its
//! own, it is a value like any other, and the span ends when the function returns.
//!
//! | argument | for | what it does |
//! |---|---|---|
//! | `name = "search"` | all | the name of the span; else that of the function |
//! | `model = expr` | `llm`, `embedding` | the model; else an argument called `model` |
//! | `skip(a, b)` | all | these arguments are left out |
//! | `redact(a, b)` | all | these arguments are named, their values are not looked at: `"[redacted]"` |
//! | `fields(key = expr, a.b = expr)` | all | further facts; a name of the span contract is recorded as itself |
//! | `ret = false` | all | what the function returns is not kept, except a count, a verdict or a score taken from it |
//! | `err = false` | all | of an error only its type is kept, not its message |
//! | `ret`, `err` | all | the default, said aloud |
//! | `recall`, `store`, `update`, `forget` | `memory` | which operation it is; required |

mod args;
mod expand;
mod fallback;
mod function;
mod kind;
mod output;
mod run;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

use crate::kind::Kind;

/// A run of an agent.
///
/// What is recorded, and the arguments that it takes: [the page of all attributes](crate).
#[proc_macro_attribute]
pub fn agent(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Agent, args.into(), item.into()).into()
}

/// A run of a workflow: several agents or steps under one name.
///
/// What is recorded, and the arguments that it takes: [the page of all attributes](crate).
#[proc_macro_attribute]
pub fn workflow(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Workflow, args.into(), item.into()).into()
}

/// A named step of an agent or a workflow.
///
/// What is recorded, and the arguments that it takes: [the page of all attributes](crate).
#[proc_macro_attribute]
pub fn step(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Step, args.into(), item.into()).into()
}

/// A call of a model. The model is `model = expr`, or the argument called `model`.
///
/// What is recorded, and the arguments that it takes: [the page of all attributes](crate).
#[proc_macro_attribute]
pub fn llm(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Llm, args.into(), item.into()).into()
}

/// A call of a tool.
///
/// What is recorded, and the arguments that it takes: [the page of all attributes](crate).
#[proc_macro_attribute]
pub fn tool(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Tool, args.into(), item.into()).into()
}

/// An operation on memory: `#[memory(recall)]`, `store`, `update` or `forget`.
///
/// A recall keeps its first text argument as the query, and counts what it returns where that has a length.
///
/// What is recorded, and the arguments that it takes: [the page of all attributes](crate).
#[proc_macro_attribute]
pub fn memory(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Memory, args.into(), item.into()).into()
}

/// A check of an input, an output or a tool call. A returned `bool` (`true` passes) or `Verdict` is kept as its decision.
///
/// What is recorded, and the arguments that it takes: [the page of all attributes](crate).
#[proc_macro_attribute]
pub fn guardrail(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Guardrail, args.into(), item.into()).into()
}

/// A judgement of how good something is. A returned number, `bool` or `Score` is kept as what was found.
///
/// What is recorded, and the arguments that it takes: [the page of all attributes](crate).
#[proc_macro_attribute]
pub fn evaluator(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Evaluator, args.into(), item.into()).into()
}

/// A search in a data source. Its first text argument is kept as the query.
///
/// What is recorded, and the arguments that it takes: [the page of all attributes](crate).
#[proc_macro_attribute]
pub fn retriever(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Retriever, args.into(), item.into()).into()
}

/// A call of an embedding model. The model is `model = expr`, or the argument called `model`.
///
/// What is recorded, and the arguments that it takes: [the page of all attributes](crate).
#[proc_macro_attribute]
pub fn embedding(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Embedding, args.into(), item.into()).into()
}
