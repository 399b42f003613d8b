//! The three tools of the research agent; the last one is an agent of its own.

use rig::agent::Agent;
use rig::completion::PromptError;
use rig::tool::{PortableTool, ToolExecutionError};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{calculator, notes};

pub(crate) struct SearchNotes;

#[derive(Deserialize)]
pub(crate) struct SearchArgs {
    query: String,
    #[serde(default = "three")]
    limit: usize,
}

fn three() -> usize {
    3
}

impl PortableTool for SearchNotes {
    const NAME: &'static str = "search_notes";
    type Args = SearchArgs;
    type Output = Value;
    type Error = ToolExecutionError;

    fn description(&self) -> String {
        "Searches the notes by keywords and returns the best ones with their text.".to_owned()
    }

    fn parameters(&self) -> Value {
        json!({
            "type": "object",
            "properties": {
                "query": {"type": "string", "description": "keywords"},
                "limit": {"type": "integer", "minimum": 1, "maximum": 5}
            },
            "required": ["query"]
        })
    }

    async fn call(&self, args: SearchArgs) -> Result<Value, ToolExecutionError> {
        Ok(json!({ "hits": notes::search(&args.query, args.limit) }))
    }
}

pub(crate) struct Calculator;

#[derive(Deserialize)]
pub(crate) struct CalculatorArgs {
    expression: String,
}

impl PortableTool for Calculator {
    const NAME: &'static str = "calculator";
    type Args = CalculatorArgs;
    type Output = Value;
    type Error = ToolExecutionError;

    fn description(&self) -> String {
        "Computes an expression with + - * / ^ and parentheses.".to_owned()
    }

    fn parameters(&self) -> Value {
        json!({
            "type": "object",
            "properties": {"expression": {"type": "string", "description": "for example 384400 / 299792.458"}},
            "required": ["expression"]
        })
    }

    async fn call(&self, args: CalculatorArgs) -> Result<Value, ToolExecutionError> {
        let result = calculator::evaluate(&args.expression).map_err(ToolExecutionError::invalid_args)?;
        Ok(json!({ "expression": args.expression, "result": result }))
    }
}

pub(crate) struct FactCheck {
    pub(crate) checker: Agent,
}

#[derive(Deserialize)]
pub(crate) struct FactCheckArgs {
    claim: String,
}

impl PortableTool for FactCheck {
    const NAME: &'static str = "delegate_fact_check";
    type Args = FactCheckArgs;
    type Output = String;
    type Error = ToolExecutionError;

    fn description(&self) -> String {
        "Hands one claim to the fact checker, who looks it up and says whether the notes support it.".to_owned()
    }

    fn parameters(&self) -> Value {
        json!({
            "type": "object",
            "properties": {"claim": {"type": "string", "description": "one sentence"}},
            "required": ["claim"]
        })
    }

    async fn call(&self, args: FactCheckArgs) -> Result<String, ToolExecutionError> {
        check_claim(&self.checker, &args.claim).await.map_err(ToolExecutionError::from_error)
    }
}

// rig opens no span for an agent that runs inside another span: the attribute names it.
#[spanwright::agent(name = "fact_checker", skip(checker))]
async fn check_claim(checker: &Agent, claim: &str) -> Result<String, PromptError> {
    let response = checker.prompt(format!("Claim: {claim}")).await?;
    Ok(response.output())
}
