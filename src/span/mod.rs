//! What an agent's author holds: one span for each thing an agent does, which always ends with an outcome.
//!
//! These are ordinary `tracing` spans under the names of [`semconv`](crate::semconv); this room knows nothing of who
//! reads them. When nobody does, a span costs one atomic read.
//!
//! ```
//! use spanwright::span;
//!
//! # struct Answer { text: String, input_tokens: u64, output_tokens: u64 }
//! # async fn ask(_: &str) -> Result<Answer, std::io::Error> {
//! #     Ok(Answer { text: String::new(), input_tokens: 0, output_tokens: 0 })
//! # }
//! async fn research(topic: &str) -> Result<String, std::io::Error> {
//!     let agent = span::agent("research");
//!     agent.run(async {
//!         let llm = span::llm("gpt-4o");
//!         llm.provider("openai");
//!         let answer = llm.run(ask(topic)).await?;
//!         llm.usage(answer.input_tokens, answer.output_tokens);
//!         Ok(answer.text)
//!     })
//!     .await
//! }
//! ```

mod agent_span;
#[doc(hidden)]
pub mod autoref;
mod chunks;
mod context;
mod counts;
mod delta;
mod facts;
mod kinds;
#[doc(hidden)]
pub mod made;
mod outcome;
mod run;
mod score;
mod told;
mod verdict;

#[cfg(feature = "tokio")]
pub use context::{spawn, spawn_blocking};
pub use {
    agent_span::AgentSpan,
    chunks::ChunkReader,
    context::in_context,
    delta::{reasoning_delta, text_delta},
    kinds::{
        agent, embedding, evaluator, guardrail, llm, memory_forget, memory_recall, memory_store, memory_update,
        retriever, step, tool, workflow,
    },
    outcome::{Failure, Outcome},
    run::Run,
    score::Score,
    told::{ReadItems, Told},
    verdict::{Decision, Verdict},
};
pub(crate) use {
    kinds::{open_embedding, open_llm, open_memory},
    outcome::error_type,
};
