//! The kinds of events: the one table that everything else about them is derived from.

use super::{
    Class, Concept, CostSource, ExecutionError, ExecutionEventType, FeedbackType, GoalStatus, GuardrailDecision,
    GuardrailStage, InboxMessageType, Life, MemoryOperation, MemoryType, Operation, Outcome, ParentType,
    PermissionVerdict, PolicyVerdict, ProgressStatus, ReasoningType, StepSourceType, StepType, ToolFailure,
    UsageReport, content,
    declare::{HeapBytes, kinds},
};
use crate::{Json, StepId, Text, json::WriteJson};
use serde::de;

/// Several texts.
pub type Texts = Vec<Text>;

/// A read number: `null` stands for what JSON cannot say (NaN, infinity).
fn number_or_null<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(<Option<f64> as serde::Deserialize>::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

kinds! {
    // -- message and text ------------------------------------------------------------------------------------------

    /// A message to the user begins.
    Start "data-start", Structural, [as MessageStart], opens(Message by message_id), inline {
        req { /// Id of the message.
            message_id: Text as id, }
    }
    /// A message to the user is complete.
    Finish "data-finish", Structural, [as MessageFinish], closes(Message by message_id), inline {
        req { /// Id of the message.
            message_id: Text as id, }
        opt { /// The whole answer.
            final_output: Text as content, }
    }
    /// Something went wrong that belongs to no step.
    Error "data-error", Control, [as Error], at_once, boxed {
        req { /// What went wrong.
            error: ExecutionError, }
    }
    /// A segment of the answer's text begins.
    TextStart "data-text-start", Structural, [as TextStart], opens(Text by id), inline {
        req { /// Id of the segment.
            id: Text as id, }
    }
    /// A piece of the answer's text.
    TextDelta "data-text-delta", Bulk, [not logged], continues(Text by id), inline {
        req { /// Id of the segment.
            id: Text as id,
            /// The piece.
            delta: Text as content, }
    }
    /// A segment of text is complete.
    TextEnd "data-text-end", Structural, [as TextEnd], closes(Text by id), boxed {
        req { /// Id of the segment.
            id: Text as id, }
        opt { /// The segment's whole text. Pieces are not kept, so this is what the record has; it also heals a
            /// reader that missed some.
            final_text: Text as content,
            /// True when the text is only the beginning of a longer one, or pieces of it were lost under load.
            truncated: bool,
            /// How the segment ended, where not well.
            outcome: Outcome, }
    }
    /// A segment of the model's reasoning begins.
    ReasoningStart "data-reasoning-start", Structural, [as ReasoningStart], opens(Reasoning by id), inline {
        req { /// Id of the segment.
            id: Text as id, }
    }
    /// A piece of the model's reasoning.
    ReasoningDelta "data-reasoning-delta", Bulk, [not logged], continues(Reasoning by id), inline {
        req { /// Id of the segment.
            id: Text as id,
            /// The piece.
            delta: Text as content, }
    }
    /// A segment of reasoning is complete.
    ReasoningEnd "data-reasoning-end", Structural, [as ReasoningEnd], closes(Reasoning by id), boxed {
        req { /// Id of the segment.
            id: Text as id, }
        opt { /// The segment's whole text.
            final_text: Text as content,
            /// True when the text is only the beginning of a longer one, or pieces of it were lost under load.
            truncated: bool,
            /// How the segment ended, where not well.
            outcome: Outcome, }
    }
    /// The answer rests on this source.
    Citation "data-citation", Structural, [as Citation], at_once, boxed {
        req { /// Id of the source.
            source_id: Text as id, }
        opt { /// Where it is.
            url: Text,
            /// What it is called.
            title: Text as content,
            /// The words that are cited.
            snippet: Text as content,
            /// The segment that cites it.
            segment_id: Text as id, }
    }

    // -- execution -------------------------------------------------------------------------------------------------

    /// An execution begins.
    ExecutionStart "data-execution-start", Structural, [as ExecutionStart], opens(Execution), boxed {
        opt { /// Id of what caused it.
            parent_id: Text as id,
            /// What kind of thing caused it.
            parent_type: ParentType,
            /// Name of the agent or workflow.
            name: Text,
            /// The conversation it belongs to (`gen_ai.conversation.id`).
            session_id: Text as id,
            /// Whose data it is.
            tenant_id: Text as id,
            /// For whom it runs.
            user_id: Text as id,
            /// Which try, from 1.
            attempt: u64,
            /// What was asked.
            input: Json as content,
            /// What else the author said of it: a JSON object.
            fields: Json,
            /// What it does, in the conventions' word, where that is not `invoke_agent`.
            operation: Operation, }
    }
    /// An execution ended well.
    ExecutionEnd "data-execution-end", Structural, [as ExecutionEnd], closes(Execution), boxed {
        req { /// From start to end, in ms.
            duration_ms: u64, }
        opt { /// The result.
            final_output: Text as content,
            /// How it ended, where not well.
            outcome: Outcome,
            /// Which try, from 1.
            attempt: u64, }
    }
    /// An execution failed.
    ExecutionFailed "data-execution-failed", Control, [as ExecutionFailed], closes(Execution), boxed {
        req { /// Why.
            error: ExecutionError, }
        opt { /// From start to end, in ms.
            duration_ms: u64,
            /// How it ended: error, panicked or timed out.
            outcome: Outcome, }
    }
    /// An execution waits, for a person mostly.
    ExecutionPaused "data-execution-paused", Control, [as ControlPause], at_once, inline {
        req { /// For what.
            reason: Text, }
    }
    /// A paused execution goes on.
    ExecutionResumed "data-execution-resumed", Control, [as ControlResume], at_once, inline {
    }
    /// An execution was given up.
    ExecutionCancelled "data-execution-cancelled", Control, [as ExecutionCancelled], closes(Execution), inline {
        req { /// By whom or why.
            reason: Text, }
        opt { /// From start to end, in ms.
            duration_ms: u64, }
    }
    /// An execution was found open after its process had ended.
    ExecutionLost "data-execution-lost", Control, [as ExecutionLost], closes(Execution), inline {
        req { /// What is known of it.
            reason: Text, }
    }

    // -- steps -----------------------------------------------------------------------------------------------------

    /// A step begins, for a client that only wants to draw a line between steps.
    StartStep "data-start-step", Structural, [as StartStep], at_once, inline {
    }
    /// A step is over, for a client that only wants to draw a line between steps.
    FinishStep "data-finish-step", Structural, [as FinishStep], at_once, inline {
    }
    /// A step begins.
    StepStart "data-step-start", Structural, [as StepStart], opens(Step), boxed {
        req { /// What the step does.
            step_type: StepType,
            /// What it is called.
            name: Text, }
        opt { /// The step around it.
            parent_step_id: StepId,
            /// Its place among its siblings, from 0.
            index: u64,
            /// Which try, from 1.
            attempt: u64,
            /// What it was given.
            input: Json as content,
            /// What else the author said of it: a JSON object.
            fields: Json,
            /// What it does, in the conventions' word, where its type leaves that open: a step of memory.
            operation: Operation, }
    }
    /// A step ended well.
    StepEnd "data-step-end", Structural, [as StepEnd], closes(Step), inline {
        req { /// From start to end, in ms.
            duration_ms: u64, }
        opt { /// Its result.
            output: Text as content,
            /// How it ended, where not well.
            outcome: Outcome, }
    }
    /// A step failed.
    StepFailed "data-step-failed", Structural, [as StepFailed], closes(Step), boxed {
        req { /// Why.
            error: ExecutionError, }
        opt { /// From start to end, in ms.
            duration_ms: u64,
            /// How it ended: error, cancelled, panicked, timed out or lost.
            outcome: Outcome, }
    }
    /// Work that was not planned turned up.
    StepDiscovered "data-step-discovered", Structural, [as StepDiscovered], at_once, boxed {
        req { /// What made it turn up.
            source_type: StepSourceType,
            /// Why it is needed.
            reason: Text,
            /// How far from the first plan.
            depth: u64, }
        nul { /// The step that found it.
            discovered_by: Text as id, }
    }

    // -- tools -----------------------------------------------------------------------------------------------------

    /// The model begins to write a tool's input, or a tool was called whose input is not known yet.
    ToolInputStart "data-tool-input-start", Structural, [as ToolInputStart], opens(ToolCall by tool_call_id), inline {
        req { /// Id of the call.
            tool_call_id: Text as id,
            /// Name of the tool.
            tool_name: Text, }
        opt { /// The step around the call.
            parent_step_id: StepId, }
    }
    /// A piece of a tool's input.
    ToolInputDelta "data-tool-input-delta", Bulk, [not logged], continues(ToolCall by tool_call_id), inline {
        req { /// Id of the call.
            tool_call_id: Text as id,
            /// The piece: part of a JSON text.
            input_text_delta: Text as content, }
    }
    /// A tool's whole input; the call begins.
    ToolInputAvailable "data-tool-input-available", Structural, [as ToolCallStart], opens(ToolCall by tool_call_id), boxed {
        req { /// Id of the call.
            tool_call_id: Text as id,
            /// Name of the tool.
            tool_name: Text,
            /// The input.
            input: Json as content, }
        opt { /// The step around the call.
            parent_step_id: StepId,
            /// What else the author said of it: a JSON object.
            fields: Json,
            /// What the tool is for, in its author's words.
            description: Text, }
    }
    /// A tool's output.
    ToolOutputAvailable "data-tool-output-available", Structural, [as ToolCallEnd], closes(ToolCall by tool_call_id), boxed {
        req { /// Id of the call.
            tool_call_id: Text as id,
            /// The output.
            output: Json as content, }
        opt { /// Name of the tool.
            tool_name: Text,
            /// From call to output, in ms.
            duration_ms: u64, }
    }
    /// A tool gave no output.
    ToolOutputError "data-tool-output-error", Structural, [as ToolCallFailed], closes(ToolCall by tool_call_id), boxed {
        req { /// Id of the call.
            tool_call_id: Text as id,
            /// What is known of it.
            error: Text,
            /// Why there is no output.
            outcome: ToolFailure, }
        opt { /// Name of the tool.
            tool_name: Text,
            /// From call to failure, in ms.
            duration_ms: u64,
            /// Low-cardinality class of the error (`error.type`).
            error_type: Text, }
    }
    /// Every tool that a model's answer asked for has answered.
    ToolsComplete "data-tools-complete", Structural, [as ToolsComplete], at_once, inline {
        opt { /// How many.
            count: u64, }
    }
    /// A person is asked whether a tool may run.
    PermissionRequest "data-permission-request", Control, [as DecisionMade], at_once, boxed {
        req { /// Name of the tool.
            tool_name: Text,
            /// What it would be called with.
            arguments: Json as content,
            /// The policy that asks.
            policy: Text, }
        opt { /// Id of the request; the decision carries the same.
            permission_id: Text as id,
            /// Id of the tool call.
            tool_call_id: Text as id,
            /// Until when an answer counts, in ms from now.
            expires_in_ms: u64, }
    }
    /// A permission request was answered.
    PermissionDecision "data-permission-decision", Control, [as PermissionDecided], at_once, boxed {
        req { /// Id of the request.
            permission_id: Text as id,
            /// The answer.
            decision: PermissionVerdict, }
        opt { /// Who answered.
            decided_by: Text,
            /// Why.
            reason: Text,
            /// Id of the tool call.
            tool_call_id: Text as id, }
    }
    /// A policy decided about a tool. A denial is of class control.
    PolicyDecision "data-policy-decision", Structural, [as DecisionMade], at_once, boxed {
        req { /// Name of the tool.
            tool_name: Text,
            /// The decision.
            decision: PolicyVerdict, }
        nul { /// Why.
            reason: Text, }
        opt { /// Id of the tool call.
            tool_call_id: Text as id, }
    }

    // -- model -----------------------------------------------------------------------------------------------------

    /// A model call begins.
    LlmCallStart "data-llm-call-start", Structural, [as LlmCallStart], opens(LlmCall), boxed {
        req { /// What calls the model.
            callable_name: Text,
            /// Messages sent; 0 also where nobody said how many.
            history_length: u64, }
        nul { /// The model asked for.
            model: Text, }
        opt { /// Who serves it (`gen_ai.provider.name`).
            provider: Text,
            /// The step around the call.
            parent_step_id: StepId,
            /// Which try, from 1.
            attempt: u64,
            /// The messages sent.
            input: Json as content,
            /// What else the author said of it: a JSON object.
            fields: Json,
            /// What it does, in the conventions' word, where that is not `chat`.
            operation: Operation,
            /// The tools that the model may ask for: a JSON array.
            tool_definitions: Json as content, }
    }
    /// A model call ended well.
    LlmCallEnd "data-llm-call-end", Structural, [as LlmCallEnd], closes(LlmCall), boxed {
        req { /// From request to last chunk, in ms.
            duration_ms: u64, }
        nul { /// Input tokens, the cached ones among them.
            prompt_tokens: u64,
            /// Output tokens, the reasoning ones among them.
            completion_tokens: u64,
            /// Both.
            total_tokens: u64, }
        opt { /// The model that answered.
            model: Text,
            /// Who served it.
            provider: Text,
            /// The provider's id of the answer.
            response_id: Text as id,
            /// Why it stopped.
            finish_reasons: Texts,
            /// From request to first chunk, in ms.
            time_to_first_chunk_ms: u64,
            /// Output tokens for each second from the first chunk to the end.
            tokens_per_second: f64,
            /// Input tokens read from a cache; part of `prompt_tokens`.
            cached_tokens: u64,
            /// Input tokens written to a cache; part of `prompt_tokens`.
            cache_creation_tokens: u64,
            /// Output tokens spent on reasoning; part of `completion_tokens`.
            reasoning_tokens: u64,
            /// Audio tokens, in and out; part of both.
            audio_tokens: u64,
            /// Whether the tokens of this call are known. Absent where nobody looked.
            usage: UsageReport,
            /// The answer's messages.
            output: Json as content, }
    }
    /// A model call failed.
    LlmCallFailed "data-llm-call-failed", Structural, [as LlmCallFailed], closes(LlmCall), boxed {
        req { /// Why.
            error: Text, }
        opt { /// From request to failure, in ms.
            duration_ms: u64,
            /// How it ended: error, cancelled, panicked, timed out or lost.
            outcome: Outcome,
            /// Low-cardinality class of the error (`error.type`).
            error_type: Text,
            /// The model asked for.
            model: Text, }
    }
    /// What a model call used, and what the execution has used so far. Whoever emits it says what the call used; the
    /// gate adds the price and the sums. `docs/prices.md` has the rules.
    TokenUsage "data-token-usage", Structural, [as TokenUsageRecorded], at_once, boxed {
        req { /// Input tokens, the cached ones among them.
            prompt_tokens: u64,
            /// Output tokens, the reasoning ones among them.
            completion_tokens: u64,
            /// Both.
            total_tokens: u64,
            /// Of the whole execution so far, this call included; written by the gate.
            cumulative_tokens: u64, }
        nul { /// Price of the call, in USD; absent where it is not known. What its emitter says stands; else the gate
            /// looks it up in its table.
            cost_usd: f64,
            /// Of the whole execution so far, in USD; written by the gate.
            cumulative_cost_usd: f64, }
        opt { /// The model that answered; where it is absent, the gate takes what the call's start or end said.
            model: Text,
            /// Who served it (`gen_ai.provider.name`).
            provider: Text,
            /// Input tokens read from a cache; part of `prompt_tokens`.
            cached_tokens: u64,
            /// Input tokens written to a cache; part of `prompt_tokens`.
            cache_creation_tokens: u64,
            /// Those of them that are to stay an hour, which costs more; part of `cache_creation_tokens`.
            cache_creation_1h_tokens: u64,
            /// Output tokens spent on reasoning; part of `completion_tokens`.
            reasoning_tokens: u64,
            /// Input tokens that are audio; part of `prompt_tokens`.
            audio_input_tokens: u64,
            /// Output tokens that are audio; part of `completion_tokens`.
            audio_output_tokens: u64,
            /// Where `cost_usd` comes from; absent where its emitter did not say.
            cost_source: CostSource,
            /// True where a part was larger than its whole and the gate set the counts right.
            repaired: bool,
            /// True where it sums up calls that are counted by themselves (usage told on an agent, or by a second
            /// instrumentation around a call): it is no part of the sums. False where an agent's usage is its own.
            aggregate: bool,
            /// Calls of the execution so far whose usage is not known: then both sums are lower bounds.
            calls_without_usage: u64,
            /// Calls so far whose usage is known and whose price is not: then the sum of money is a lower bound.
            calls_without_price: u64, }
    }
    /// How full the context window is.
    ContextSnapshot "data-context-snapshot", Structural, [as ContextSnapshot], at_once, inline {
        req { /// Messages in the window.
            message_count: u64,
            /// Tokens in the window, estimated.
            estimated_tokens: u64,
            /// Part of the window in use, in percent.
            #[serde(deserialize_with = "number_or_null")]
            utilization_pct: f64, }
        nul { /// What fits.
            max_tokens: u64, }
    }
    /// Reasoning that an agent wants kept.
    ReasoningTrace "data-reasoning-trace", Structural, [as ReasoningTrace], at_once, boxed {
        req { /// What kind of reasoning.
            reasoning_type: ReasoningType,
            /// The words.
            content: Text as content, }
        nul { /// True when some of it was cut.
            truncated: bool, }
    }

    // -- memory ----------------------------------------------------------------------------------------------------

    /// Something was looked up in memory.
    MemoryRecalled "data-memory-recalled", Structural, [as MemoryRecalled], at_once, boxed {
        req { /// What was looked for.
            query: Text as content,
            /// How many were found.
            memories_count: u64,
            /// How long it took, in ms.
            duration_ms: u64, }
        nul { /// The session it belongs to.
            session_id: Text as id, }
        opt { /// What was found.
            records: Json as content,
            /// Which store was asked.
            store_id: Text as id, }
    }
    /// Something was stored in memory.
    MemoryStored "data-memory-stored", Structural, [as MemoryStored], at_once, boxed {
        req { /// What kind of memory.
            memory_type: MemoryType, }
        nul { /// The session it belongs to.
            session_id: Text as id, }
        opt { /// Id of the record.
            record_id: Text as id,
            /// What was stored.
            record: Json as content,
            /// Which store it was put into.
            store_id: Text as id, }
    }
    /// Something remembered was changed.
    MemoryUpdated "data-memory-updated", Structural, [as MemoryUpdated], at_once, boxed {
        req { /// What was done.
            operation: MemoryOperation, }
        opt { /// Id of the record.
            record_id: Text as id,
            /// The session it belongs to.
            session_id: Text as id,
            /// How many records.
            count: u64,
            /// In which store.
            store_id: Text as id, }
    }
    /// A session of the memory begins.
    SessionStarted "data-session-started", Structural, [as SessionStarted], at_once, inline {
        req { /// Id of the session.
            session_id: Text as id, }
    }
    /// A session of the memory is over.
    SessionEnded "data-session-ended", Structural, [as SessionEnded], at_once, inline {
        req { /// Id of the session.
            session_id: Text as id, }
    }

    // -- guardrail, goal, feedback ---------------------------------------------------------------------------------

    /// A guardrail gave its verdict. A block is of class control.
    GuardrailEvaluated "data-guardrail-evaluated", Structural, [as GuardrailEvaluated], at_once, boxed {
        req { /// Name of the guardrail.
            guardrail_name: Text,
            /// The verdict.
            decision: GuardrailDecision, }
        nul { /// Why.
            reason: Text,
            /// How sure, 0 to 1.
            score: f64, }
        opt { /// What it looked at.
            stage: GuardrailStage, }
    }
    /// How far a goal is.
    GoalEvaluated "data-goal-evaluated", Structural, [as GoalEvaluated], at_once, boxed {
        req { /// Id of the goal.
            goal_id: Text as id,
            /// How far.
            status: GoalStatus, }
        nul { /// 0 to 1.
            score: f64,
            /// Why.
            reason: Text, }
    }
    /// Someone said how good it was.
    FeedbackReceived "data-feedback-received", Structural, [as FeedbackReceived], at_once, boxed {
        req { /// What kind of feedback.
            feedback_type: FeedbackType, }
        nul { /// A number.
            score: f64,
            /// Words.
            comment: Text as content,
            /// From whom.
            user_id: Text as id, }
    }
    /// An evaluation gave a score (`gen_ai.evaluation.result`).
    EvaluationScored "data-evaluation-scored", Structural, [as EvaluationScored], at_once, boxed {
        req { /// Name of the evaluation.
            name: Text, }
        opt { /// A number.
            score: f64,
            /// A word.
            label: Text,
            /// Why.
            explanation: Text as content, }
    }

    // -- state -----------------------------------------------------------------------------------------------------

    /// Something was made.
    ArtifactCreated "data-artifact-created", Structural, [as ArtifactCreated], at_once, boxed {
        req { /// Id of the artifact.
            artifact_id: Text as id,
            /// What it is.
            artifact_type: Text, }
        opt { /// What it is called.
            name: Text,
            /// Where it is.
            uri: Text,
            /// How large, in bytes.
            size_bytes: u64, }
    }
    /// The agent's state, whole.
    StateSnapshot "data-state-snapshot", Structural, [as StateSnapshot], at_once, inline {
        req { /// The state.
            state: Json as content, }
    }
    /// A place to go back to was saved.
    CheckpointSaved "data-checkpoint-saved", Structural, [as CheckpointSaved], at_once, inline {
        req { /// Id of the checkpoint.
            checkpoint_id: Text as id,
            /// Hash of the state.
            state_hash: Text as id, }
    }
    /// Someone wrote to the running agent.
    InboxMessage "data-inbox-message", Control, [as InboxMessage], at_once, inline {
        req { /// Id of the message.
            message_id: Text as id,
            /// What it is for.
            message_type: InboxMessageType, }
    }

    /// Something that the author wants kept beside the rest.
    Note "data-note", Structural, [as Note], at_once, boxed {
        req { /// What it is about.
            name: Text,
            /// What is noted.
            value: Json, }
    }

    // -- work in progress ------------------------------------------------------------------------------------------

    /// How far a download, an installation, an indexing or another job is.
    OperationProgress "data-operation-progress", Structural, [as OperationProgress], at_once, boxed {
        req { /// Id of the work.
            operation_id: Text as id,
            /// What kind of work.
            operation_type: Text,
            /// How much is done, in the work's own unit.
            done: u64,
            /// How far it is.
            status: ProgressStatus, }
        opt { /// How much there is to do, in the same unit.
            total: u64,
            /// In words.
            message: Text, }
    }

    // -- agents ----------------------------------------------------------------------------------------------------

    /// An agent inside an execution begins.
    AgentStart "data-agent-start", Structural, [as AgentStart], opens(Agent), boxed {
        req { /// Name of the agent.
            name: Text, }
        opt { /// The step around it.
            parent_step_id: StepId,
            /// The agent that handed over to it, where it does not come back.
            handoff_from: Text,
            /// What it was asked.
            input: Json as content,
            /// What else the author said of it: a JSON object.
            fields: Json,
            /// What it does, in the conventions' word, where that is not `invoke_agent`.
            operation: Operation, }
    }
    /// An agent inside an execution is done.
    AgentEnd "data-agent-end", Structural, [as AgentEnd], closes(Agent), boxed {
        req { /// From start to end, in ms.
            duration_ms: u64, }
        opt { /// Its result.
            output: Text as content,
            /// How it ended, where not well.
            outcome: Outcome,
            /// What went wrong.
            error: Text, }
    }
    /// An agent gives the work to another one, and does not expect it back.
    AgentHandoff "data-agent-handoff", Structural, [as AgentHandoff], at_once, inline {
        req { /// Name of the agent that goes on.
            to_agent: Text, }
        opt { /// Why.
            reason: Text, }
    }
    /// A data source was searched.
    Retrieval "data-retrieval", Structural, [as Retrieval], at_once, boxed {
        req { /// What was looked for.
            query: Text as content,
            /// How many documents were found.
            documents_count: u64,
            /// How long it took, in ms.
            duration_ms: u64, }
        opt { /// The source (`gen_ai.data_source.id`).
            data_source_id: Text as id,
            /// What was found.
            documents: Json as content, }
    }
    /// Something was embedded.
    Embedding "data-embedding", Structural, [as Embedding], at_once, boxed {
        req { /// The model.
            model: Text,
            /// How long it took, in ms.
            duration_ms: u64, }
        opt { /// Tokens embedded.
            prompt_tokens: u64,
            /// Numbers in a vector.
            dimensions: u64, }
    }

    // -- transport: of the stream itself, made for one reader ------------------------------------------------------

    /// The first event of every stream.
    Connected "data-connected", Transport, [not logged], at_once, inline {
        opt { /// Where the stream begins: a cursor.
            cursor: Text as id, }
    }
    /// Nothing happened; the line is up.
    Ping "data-ping", Transport, [not logged], at_once, inline {
    }
    /// Pieces were lost because the reader or the queue could not keep up. Structural events among them that the log
    /// has are sent again; this counts what is gone for good from this stream.
    StreamLagged "data-stream-lagged", Transport, [not logged], at_once, inline {
        req { /// How many events.
            dropped: u64, }
    }
    /// A part of the record cannot be had: the reader's cursor points to it, or a crash took it back.
    StreamGap "data-stream-gap", Transport, [not logged], at_once, inline {
        opt { /// Cursor of the last event before the gap.
            from: Text as id,
            /// Cursor of the first event after it.
            to: Text as id, }
    }
}

/// An event of a kind that this version does not know, kept as it came.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Unknown {
    /// Its `type` on the wire.
    pub tag: Text,
    /// Its other fields, those of the envelope aside: a JSON object.
    pub fields: Json,
}

impl Unknown {
    fn write_fields(&self, out: &mut String) {
        let inner = self.fields.as_str().trim().trim_start_matches('{').trim_end();
        let inner = inner.strip_suffix('}').unwrap_or(inner).trim();
        if !inner.is_empty() {
            out.push(',');
            out.extend(inner.split(['\n', '\r']));
        }
    }

    fn heap_bytes(&self) -> usize {
        size_of::<Self>() + self.tag.heap_bytes() + self.fields.heap_bytes()
    }
}

/// From the whole object: what is not the envelope's is kept, each value as the text it came as, in its order.
impl<'de> serde::Deserialize<'de> for Unknown {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UnknownVisitor)
    }
}

struct UnknownVisitor;

impl<'de> de::Visitor<'de> for UnknownVisitor {
    type Value = Unknown;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an event: a JSON object")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Unknown, A::Error> {
        let (mut tag, mut fields) = (None, String::from("{"));
        while let Some(name) = map.next_key::<Text>()? {
            if name == "type" {
                tag = Some(map.next_value::<Text>()?);
            } else if super::stream::ENVELOPE.contains(&name.as_str()) {
                map.next_value::<de::IgnoredAny>()?;
            } else {
                let value = map.next_value::<Box<serde_json::value::RawValue>>()?;
                if fields.len() > 1 {
                    fields.push(',');
                }
                crate::json::write_str(&name, &mut fields);
                fields.push(':');
                fields.push_str(value.get());
            }
        }
        fields.push('}');
        let tag = tag.ok_or_else(|| de::Error::missing_field("type"))?;
        Ok(Unknown { tag, fields: Json::parse(&fields).map_err(de::Error::custom)? })
    }
}

impl Body {
    /// The step around the thing that begins here.
    pub(crate) fn parent_step_id(&self) -> Option<&StepId> {
        match self {
            Self::AgentStart(start) => start.parent_step_id.as_ref(),
            Self::StepStart(start) => start.parent_step_id.as_ref(),
            Self::LlmCallStart(start) => start.parent_step_id.as_ref(),
            Self::ToolInputStart(start) => start.parent_step_id.as_ref(),
            Self::ToolInputAvailable(start) => start.parent_step_id.as_ref(),
            _ => None,
        }
    }

    /// The event's class: that of its kind, but a denial and a block are control.
    pub fn class(&self) -> Class {
        match self {
            Self::PolicyDecision(event) if event.decision == PolicyVerdict::Deny => Class::Control,
            Self::GuardrailEvaluated(event) if event.decision == GuardrailDecision::Block => Class::Control,
            _ => self.kind().class(),
        }
    }

    /// Appends the fields of the kind as one JSON object.
    pub(crate) fn write_object(&self, out: &mut String) {
        let start = out.len();
        self.write_fields(out);
        match out.len() > start {
            // Each field is written with a comma before it; that of the first is where the brace belongs.
            true => out.replace_range(start..=start, "{"),
            false => out.push('{'),
        }
        out.push('}');
    }

    /// The event's `type` on the wire.
    pub fn tag(&self) -> &str {
        match self {
            Self::Unknown(event) => &event.tag,
            _ => self.kind().tag(),
        }
    }
}
