//! The values that every system records: made at run time, so that no compiler knows them.

use spanwright::{ExecutionId, StepId};

/// A line of a long text, as models write them: 91 bytes, three of them to be escaped.
const LINE: &str = "The tool answered \"nothing found\", so the next step is to widen the search and try again.\n";

/// Run-time values.
#[derive(Debug, Clone)]
pub struct Words {
    pub execution_id: ExecutionId,
    pub step_id: StepId,
    /// The same as texts, for systems whose ids are texts: 37 and 21 bytes.
    pub execution_text: String,
    pub step_text: String,
    pub tool: String,
    pub call_id: String,
    pub model: String,
    pub provider: String,
    pub segment_id: String,
    pub piece: String,
    pub long_text: String,
    pub history_length: u64,
    pub tokens: [u64; 4],
    pub cost: [f64; 2],
}

impl Words {
    /// A set of values.
    pub fn new() -> Self {
        let (execution_id, step_id) = (ExecutionId::new(), StepId::new());
        std::hint::black_box(Self {
            execution_text: execution_id.to_string(),
            step_text: step_id.to_string(),
            execution_id,
            step_id,
            tool: "search_documents".into(),
            call_id: "call_9fK2mQ7xLw".into(),
            model: "claude-sonnet-4-5".into(),
            provider: "anthropic".into(),
            segment_id: "text_0123456789abc".into(),
            piece: "twenty bytes of text".into(),
            long_text: LINE.repeat(4_096 / LINE.len() + 1),
            history_length: 12,
            tokens: [1_234, 345, 1_579, 18_432],
            cost: [0.012_345, 0.456_789],
        })
    }
}

impl Default for Words {
    fn default() -> Self {
        Self::new()
    }
}
