//! One execution over a task, a thread, a channel and a child process, which is this program again.

use spanwright::{
    ExecutionId, agent,
    context::{Context, TraceContext},
    span, step,
};
use std::{env, error::Error, process::Command, sync::mpsc, thread};

/// Where this code works, as a part of which execution.
#[step]
fn look() -> Option<ExecutionId> {
    TraceContext::current().map(|here| here.execution_id().clone())
}

#[agent]
async fn boss() -> Result<(), Box<dyn Error>> {
    let here = look();
    let says = |place: &str, there| println!("{place:14} {}", if there == here { "yes" } else { "no" });
    println!("in the same execution?");

    says("a task", span::spawn(async { look() }).await?);
    says("a thread", thread::spawn(span::in_context(look)).join().expect("no panic"));

    // What is done for a message belongs to who sent it, not to who receives it.
    let (jobs, inbox) = mpsc::channel::<Context>();
    let receiver = thread::spawn(move || inbox.recv().map(|sender| sender.in_scope(look)));
    jobs.send(Context::current())?;
    says("a channel", receiver.join().expect("no panic")?);

    says("a child", child()?);
    Ok(())
}

#[step]
fn child() -> Result<Option<ExecutionId>, Box<dyn Error>> {
    let mut command = Command::new(env::current_exe()?);
    if let Some(here) = TraceContext::current() {
        here.to_env(&mut command);
    }
    let output = command.arg("worker").output()?;
    Ok(Some(String::from_utf8(output.stdout)?.trim().parse()?))
}

#[agent]
fn worker() {
    println!("{}", look().expect("an agent runs"));
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if env::args().nth(1).as_deref() == Some("worker") {
        let _guard = spanwright::builder().log("worker.db").init()?;
        Context::remote(TraceContext::from_env()).in_scope(worker);
        return Ok(());
    }
    let _guard = spanwright::init()?;
    boss().await
}
