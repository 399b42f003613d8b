//! A tool that asks first. The question goes out as an event, the answer comes in from anywhere, and the run goes on.

use spanwright::{
    Permission, Recorder, agent, current,
    event::Body,
    hub::{Filter, From, Received},
    tool,
};
use std::time::Duration;

#[tool]
async fn delete_file(path: &str) -> Result<String, String> {
    let asked = current().ask_permission("delete_file", &path).policy("destructive").timeout(Duration::from_secs(60));
    let permission = asked.await;
    match permission.is_granted() {
        true => Ok(format!("{path} is gone")),
        false => Err(format!("not allowed: {}", permission.reason.as_deref().unwrap_or("no reason given"))),
    }
}

#[agent]
async fn tidy_up() -> Vec<Result<String, String>> {
    vec![delete_file("old.log").await, delete_file("thesis.tex").await]
}

/// The person: hears of every question, and answers it. It could as well sit behind a web page.
fn answer_questions(recorder: &Recorder) -> impl FnOnce() + use<> {
    let (recorder, mut events) = (recorder.clone(), recorder.subscribe(Filter::everything(), From::Live));
    move || {
        while let Received::Event(event) = events.recv_timeout(Duration::from_secs(60)) {
            let (Body::PermissionRequest(request), Some(id)) = (&event.body, &event.execution_id) else { continue };
            let answer = match request.arguments.as_str().contains(".log") {
                true => Permission::granted().by("ada"),
                false => Permission::denied().by("ada").because("that is three years of work"),
            };
            let decided = recorder.execution(id).decide(request.permission_id.as_deref().unwrap_or_default(), answer);
            decided.unwrap_or_else(|error| eprintln!("too late: {error}"));
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), spanwright::Error> {
    let guard = spanwright::init()?;
    std::thread::spawn(answer_questions(guard.recorder()));
    for outcome in tidy_up().await {
        println!("{outcome:?}");
    }
    Ok(())
}
