//! The attributes of spanwright: each wraps a function in one span of its kind. Entry points only.
//!
#![doc = include_str!("attributes.md")]

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
#[doc = include_str!("attributes.md")]
#[proc_macro_attribute]
pub fn agent(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Agent, args.into(), item.into()).into()
}

/// A run of a workflow: several agents or steps under one name.
///
#[doc = include_str!("attributes.md")]
#[proc_macro_attribute]
pub fn workflow(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Workflow, args.into(), item.into()).into()
}

/// A named step of an agent or a workflow.
///
#[doc = include_str!("attributes.md")]
#[proc_macro_attribute]
pub fn step(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Step, args.into(), item.into()).into()
}

/// A call of a model. The model is `model = expr`, or the argument called `model`.
///
#[doc = include_str!("attributes.md")]
#[proc_macro_attribute]
pub fn llm(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Llm, args.into(), item.into()).into()
}

/// A call of a tool.
///
#[doc = include_str!("attributes.md")]
#[proc_macro_attribute]
pub fn tool(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Tool, args.into(), item.into()).into()
}

/// An operation on memory: `#[memory(recall)]`, `store`, `update` or `forget`.
///
/// A recall keeps its first text argument as the query, and counts what it returns where that has a length.
///
#[doc = include_str!("attributes.md")]
#[proc_macro_attribute]
pub fn memory(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Memory, args.into(), item.into()).into()
}

/// A check of an input, an output or a tool call. A returned `bool` (`true` passes) or `Verdict` is kept as its decision.
///
#[doc = include_str!("attributes.md")]
#[proc_macro_attribute]
pub fn guardrail(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Guardrail, args.into(), item.into()).into()
}

/// A judgement of how good something is. A returned number, `bool` or `Score` is kept as what was found.
///
#[doc = include_str!("attributes.md")]
#[proc_macro_attribute]
pub fn evaluator(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Evaluator, args.into(), item.into()).into()
}

/// A search in a data source. Its first text argument is kept as the query.
///
#[doc = include_str!("attributes.md")]
#[proc_macro_attribute]
pub fn retriever(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Retriever, args.into(), item.into()).into()
}

/// A call of an embedding model. The model is `model = expr`, or the argument called `model`.
///
#[doc = include_str!("attributes.md")]
#[proc_macro_attribute]
pub fn embedding(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Embedding, args.into(), item.into()).into()
}
