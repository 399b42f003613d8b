//! What is measured: names, units and bucket boundaries of the GenAI conventions (metrics, "Generative AI client metrics",
//! "agent metrics").

/// One metric.
#[derive(Debug, PartialEq)]
pub(crate) struct Instrument {
    pub(super) name: &'static str,
    /// UCUM, as the conventions have it.
    pub(super) unit: &'static str,
    pub(super) description: &'static str,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    /// A sum that only grows.
    Counter,
    /// With these boundaries; each is the last value of its bucket.
    Histogram(&'static [f64]),
}

/// Calls that a client makes, in seconds.
const CALL: &[f64] = &[0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const AGENT: &[f64] = &[0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6];
const WORKFLOW: &[f64] = &[1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0];
const TOKENS: &[f64] = &[
    1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0, 16777216.0,
    67108864.0,
];
const CALLS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];
/// Ours: the proposal has none. From a thousandth of a cent on, each four times the one before.
const COST: &[f64] =
    &[0.00001, 0.00004, 0.00016, 0.00064, 0.00256, 0.01024, 0.04096, 0.16384, 0.65536, 2.62144, 10.48576, 41.94304];

macro_rules! instruments {
    ($($(#[$about:meta])* $constant:ident = $name:literal $unit:literal $kind:expr, $description:literal;)*) => {
        $($(#[$about])* pub(super) static $constant: Instrument =
            Instrument { name: $name, unit: $unit, description: $description, kind: $kind };)*

        #[cfg(test)]
        pub(super) static ALL: &[&Instrument] = &[$(&$constant),*];
    };
}

instruments! {
    /// Of model calls at the naming level `compat`, and of other client operations.
    OPERATION_DURATION = "gen_ai.client.operation.duration" "s" Kind::Histogram(CALL), "GenAI operation duration.";
    /// `compat`
    TOKEN_USAGE = "gen_ai.client.token.usage" "{token}" Kind::Histogram(TOKENS), "Number of input and output tokens used.";
    /// `compat`
    OPERATION_FIRST_CHUNK = "gen_ai.client.operation.time_to_first_chunk" "s" Kind::Histogram(CALL),
        "Time to receive the first chunk of a streamed answer.";
    /// `latest`, as all that follow with `inference` in their names.
    INFERENCE_DURATION = "gen_ai.client.inference.duration" "s" Kind::Histogram(CALL), "Duration of a model call.";
    INFERENCE_FIRST_CHUNK = "gen_ai.client.inference.time_to_first_chunk" "s" Kind::Histogram(CALL),
        "Time to receive the first chunk of a streamed answer.";
    INPUT_TOKENS = "gen_ai.client.inference.usage.input_tokens" "{token}" Kind::Counter, "Input tokens used.";
    OUTPUT_TOKENS = "gen_ai.client.inference.usage.output_tokens" "{token}" Kind::Counter, "Output tokens used.";
    CACHE_READ_TOKENS = "gen_ai.client.inference.usage.cache_read.input_tokens" "{token}" Kind::Counter,
        "Input tokens read from a cache.";
    CACHE_WRITE_TOKENS = "gen_ai.client.inference.usage.cache_write.input_tokens" "{token}" Kind::Counter,
        "Input tokens written to a cache.";
    REASONING_TOKENS = "gen_ai.client.inference.usage.reasoning.output_tokens" "{token}" Kind::Counter,
        "Output tokens spent on reasoning.";
    INPUT_TOKENS_OF_CALL = "gen_ai.client.inference.operation.input_tokens" "{token}" Kind::Histogram(TOKENS),
        "Input tokens of one call.";
    OUTPUT_TOKENS_OF_CALL = "gen_ai.client.inference.operation.output_tokens" "{token}" Kind::Histogram(TOKENS),
        "Output tokens of one call.";
    /// Proposed to the conventions; `latest` only.
    COST_OF_CALL = "gen_ai.client.operation.cost" "{cost}" Kind::Histogram(COST), "Cost of one call.";
    AGENT_DURATION = "gen_ai.invoke_agent.duration" "s" Kind::Histogram(AGENT), "Duration of a run of an agent.";
    AGENT_INFERENCE_CALLS = "gen_ai.invoke_agent.inference_calls" "{inference_call}" Kind::Histogram(CALLS),
        "Model calls that an agent made itself in one run.";
    AGENT_TOOL_CALLS = "gen_ai.invoke_agent.tool_calls" "{tool_call}" Kind::Histogram(CALLS),
        "Tool calls that an agent made itself in one run.";
    WORKFLOW_DURATION = "gen_ai.invoke_workflow.duration" "s" Kind::Histogram(WORKFLOW), "Duration of a run of a workflow.";
    TOOL_DURATION = "gen_ai.execute_tool.duration" "s" Kind::Histogram(CALL), "Duration of a tool call.";
}
