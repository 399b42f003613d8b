//! The words that fields of events may hold.

use super::declare::words;

words! {
    /// What a step does.
    StepType {
        /// A model call.
        LlmNode = "LlmNode",
        /// A graph run as one step.
        GraphNode = "GraphNode",
        /// A tool call.
        ToolNode = "ToolNode",
        /// Plain code.
        FunctionNode = "FunctionNode",
        /// Chooses where to go next.
        RouterNode = "RouterNode",
        /// One of several ways.
        BranchNode = "BranchNode",
        /// Repeats.
        LoopNode = "LoopNode",
        /// Reads or writes memory.
        MemoryNode = "MemoryNode",
        /// Checks input, output or a tool call.
        GuardrailNode = "GuardrailNode",
        /// Searches a data source.
        RetrieverNode = "RetrieverNode",
        /// Embeds.
        EmbeddingNode = "EmbeddingNode",
        /// Scores.
        EvaluatorNode = "EvaluatorNode",
    }

    /// What a span does, in the word of OpenTelemetry's GenAI conventions (`gen_ai.operation.name`).
    Operation {
        /// A model call.
        Chat = "chat",
        /// A model call in the older completion form.
        TextCompletion = "text_completion" | "completion",
        /// A model call in Gemini's form.
        GenerateContent = "generate_content",
        /// A call of a model that writes down what is said. (No convention; as rig names it.)
        Transcription = "transcription",
        /// A call of a model that draws. (No convention; as rig names it.)
        ImageGeneration = "image_generation",
        /// A call of a model that speaks. (No convention; as rig names it.)
        AudioGeneration = "audio_generation",
        /// A run of an agent.
        InvokeAgent = "invoke_agent",
        /// A run of a workflow: several agents or steps under one name.
        InvokeWorkflow = "invoke_workflow",
        /// A look into memory.
        SearchMemory = "search_memory",
        /// Something new in memory.
        CreateMemory = "create_memory",
        /// A change of something remembered.
        UpdateMemory = "update_memory",
        /// A write that creates or changes.
        UpsertMemory = "upsert_memory",
        /// Something forgotten on purpose.
        DeleteMemory = "delete_memory",
    }

    /// Where a discovered step came from. The wire has the reference's spelling without underscores; the snake-case
    /// spelling is read as well.
    StepSourceType {
        /// Planned from the start.
        InitialPlan = "initialplan" | "initial_plan",
        /// Found on the way.
        Discovered = "discovered",
        /// A second try.
        Retry = "retry",
        /// A person asked for it.
        UserGuidance = "userguidance" | "user_guidance",
        /// A tool's result asked for it.
        ToolResult = "toolresult" | "tool_result",
        /// The model asked for it.
        LlmOutput = "llmoutput" | "llm_output",
        /// Another agent asked for it.
        A2aMessage = "a2amessage" | "a2a_message",
    }

    /// What caused an execution.
    ParentType {
        /// A person's message.
        UserMessage = "user_message",
        /// A schedule.
        ScheduleEvent = "schedule_event",
        /// A step of another execution.
        StepExecution = "step_execution",
        /// A webhook.
        Webhook = "webhook",
        /// Another agent.
        A2aRequest = "a2a_request",
        /// The system itself.
        System = "system",
        /// An assistant's message.
        AssistantMessage = "assistant_message",
        /// The start of a thread.
        ThreadStart = "thread_start",
        /// A tool's result.
        ToolResult = "tool_result",
    }

    /// How something ended. Absent on the wire where it ended well.
    Outcome {
        /// As intended.
        Ok = "ok",
        /// With an error.
        Error = "error",
        /// Given up from outside: a dropped future, an aborted task, a person's word.
        Cancelled = "cancelled",
        /// By a panic.
        Panicked = "panicked",
        /// Its time ran out.
        TimedOut = "timed_out",
        /// Found open after its process had ended.
        Lost = "lost",
    }

    /// A guardrail's verdict.
    GuardrailDecision {
        /// Nothing found.
        Pass = "pass",
        /// Not let through.
        Block = "block",
        /// Let through, with a remark.
        Warn = "warn",
    }

    /// What a guardrail looked at.
    GuardrailStage {
        /// What came in.
        Input = "input",
        /// What goes out.
        Output = "output",
        /// A tool call.
        Tool = "tool",
    }

    /// A policy's decision about a tool.
    PolicyVerdict {
        /// May run.
        Allow = "allow",
        /// May not.
        Deny = "deny",
        /// May run, with a remark.
        Warn = "warn",
    }

    /// The answer to a permission request.
    PermissionVerdict {
        /// Yes.
        Granted = "granted",
        /// No.
        Denied = "denied",
        /// Nobody answered in time.
        Expired = "expired",
        /// Whoever asked does not want to know any more: it was dropped, or its execution cancelled.
        Withdrawn = "withdrawn",
    }

    /// How far a goal is.
    GoalStatus {
        /// Reached.
        Met = "met",
        /// Not reached.
        NotMet = "not_met",
        /// On the way.
        Progressing = "progressing",
    }

    /// What kind of memory something was stored in.
    MemoryType {
        /// What happened.
        Episodic = "episodic",
        /// What is known.
        Semantic = "semantic",
        /// What is needed now.
        Working = "working",
    }

    /// What was done to something remembered.
    MemoryOperation {
        /// Removed.
        Forgotten = "forgotten",
        /// Several became one.
        Consolidated = "consolidated",
        /// Its weight changed.
        ImportanceUpdated = "importance_updated",
        /// A double was removed.
        Deduplicated = "deduplicated",
        /// Brought back.
        Restored = "restored",
        /// Its content changed.
        Updated = "updated",
    }

    /// What kind of reasoning a trace holds.
    ReasoningType {
        /// Step by step.
        ChainOfThought = "chain_of_thought",
        /// What to do.
        Plan = "plan",
        /// What was done, looked at again.
        Reflection = "reflection",
    }

    /// What kind of feedback was given.
    FeedbackType {
        /// Good.
        ThumbsUp = "thumbs_up",
        /// Bad.
        ThumbsDown = "thumbs_down",
        /// A number.
        Rating = "rating",
        /// Better words.
        Correction = "correction",
    }

    /// What an inbox message is for.
    InboxMessageType {
        /// Pause, resume, cancel …
        Control = "control",
        /// Advice.
        Guidance = "guidance",
        /// A fact.
        Evidence = "evidence",
        /// From another agent.
        A2a = "a2a",
    }

    /// Why a tool gave no output.
    ToolFailure {
        /// It ran and failed.
        Error = "error",
        /// It was not allowed to run.
        Denied = "denied",
        /// It did not finish in time.
        TimedOut = "timed_out",
        /// It was given up.
        Cancelled = "cancelled",
        /// It panicked.
        Panicked = "panicked",
        /// Its process ended.
        Lost = "lost",
        /// It was left out on purpose.
        Skipped = "skipped",
        /// A model asked for it, and the execution ended before anyone was seen to run it.
        Unanswered = "unanswered",
    }

    /// Whether what a call used is known.
    UsageReport {
        /// Whoever served it said it.
        Reported = "reported",
        /// Nobody said it. It is not 0, and it is not estimated.
        Unknown = "unknown",
    }

    /// Where a price comes from (`gen_ai.usage.cost.source`, proposed to the conventions).
    CostSource {
        /// The provider said it with the answer.
        Provider = "provider",
        /// Computed here, from the table of list prices.
        Local = "local",
    }

    /// How far a piece of work is.
    ProgressStatus {
        /// Not begun.
        Pending = "pending",
        /// At work.
        Running = "running",
        /// Done.
        Completed = "completed",
        /// Failed.
        Failed = "failed",
    }
}

/// A kind's place in the life of something: what pairs a start with its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Life {
    /// Begins and ends in itself.
    AtOnce,
    /// Begins something.
    Opens(Concept),
    /// Belongs to something that is open.
    Continues(Concept),
    /// Ends something.
    Closes(Concept),
}

/// Something that lasts: opened by one event, closed by exactly one other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Concept {
    /// The whole run of an agent or workflow.
    Execution,
    /// A message to the user.
    Message,
    /// An agent inside an execution.
    Agent,
    /// A step.
    Step,
    /// A model call.
    LlmCall,
    /// A tool call.
    ToolCall,
    /// A segment of text.
    Text,
    /// A segment of reasoning.
    Reasoning,
}
