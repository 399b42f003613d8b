//! What the record holds of secrets: their kind, and not them. The program itself gets everything as it is.

use spanwright::{
    ContentLevel, ContentPolicy, agent, current,
    log::{Query, Scope},
    tool,
};
use std::{error::Error, time::Duration};

#[tool(redact(password))]
fn log_in(user: &str, password: &str) -> Result<String, String> {
    if password.len() < 8 { Err(format!("no such password: {password}")) } else { Ok(format!("{user} is in")) }
}

#[tool]
fn send(headers: &[(&str, &str)], body: &str) -> String {
    format!("sent {} bytes with {} headers", body.len(), headers.len())
}

#[agent]
fn mail(customer: &str) -> Result<String, String> {
    current().note("config", &serde_json::json!({"api_key": "whatever it is", "max_tokens": 100}));
    log_in("ada@example.org", "correct horse")?;
    let bearer = format!("Bearer {}", "a1B2c3D4".repeat(5));
    Ok(send(&[("authorization", &bearer)], &format!("Dear {customer}, your card 4111 1111 1111 1111 has expired.")))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Secrets and personal data are masked by default; customer numbers are known to us alone.
    let policy = ContentPolicy::new(ContentLevel::Redacted).pattern("customer", r"\bC-[0-9]{8}\b");
    let guard = spanwright::builder().content(policy).without_terminal().init()?;
    println!("{}", mail("C-12345678")?);
    guard.recorder().flush().wait(Duration::from_secs(5))?;
    let log = guard.recorder().log().ok_or("no log")?;
    for event in log.read(Query::new(Scope::Everything, 0, 100)).await?.events {
        println!("{:?} {}", event.kind, event.fields);
    }
    Ok(())
}
