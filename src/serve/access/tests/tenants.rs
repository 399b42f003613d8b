//! Eight tenants, each with a canary: whatever is asked of whichever route, nobody is answered with another's.

use super::{
    super::super::{
        Settings,
        routes::{Answer, Method, Needs, ROUTES, Route},
    },
    Served, ask, ask_with, claims, served, signed,
};
use crate::{
    Cursor, ExecutionId, StreamEvent,
    event::{ExecutionEnd, ExecutionStart, StepEnd, TextDelta, TextEnd, TextStart},
    wire::Dialect,
};
use axum::{
    body::{BodyDataStream, to_bytes},
    response::Response,
};
use fastrand::Rng;
use futures_util::StreamExt;
use std::time::Duration;
use tokio::{task::JoinSet, time::timeout};

const TENANTS: usize = 8;
const ROUNDS: usize = 600;
/// How long a stream's next piece is waited for: it only bounds how much is looked at.
const PATIENCE: Duration = Duration::from_millis(20);
const MOST_BYTES: usize = 256 << 10;
const LAST_WORDS: &str = "these are the last words";

struct World {
    server: Served,
    random: Rng,
    /// The running execution of each tenant, by number.
    runs: [usize; TENANTS],
    /// Requests that send something and were taken; that sent something of others, and were told that it is none of theirs.
    sent: [usize; 2],
}

fn canary(tenant: usize) -> String {
    format!("canary number {tenant} sings")
}

fn tenant(tenant: usize) -> String {
    format!("tenant-{tenant}")
}

fn id(tenant: usize, run: usize) -> String {
    format!("run-{tenant}-{run}")
}

impl World {
    fn new() -> Self {
        let server = served(Settings::default());
        let world = Self { server, random: Rng::with_seed(8), runs: [0; TENANTS], sent: [0; 2] };
        (0..TENANTS).for_each(|tenant| world.start(tenant));
        world
    }

    fn emit(&self, tenant: usize, event: impl Into<crate::event::Body>) {
        let id = ExecutionId::parse(&id(tenant, self.runs[tenant])).expect("id");
        self.server.recorder.emit(StreamEvent::new(event).of_execution(id));
    }

    /// Everything that can be said at a start has the canary in it; the conversation is named alike by all.
    fn start(&self, of: usize) {
        let start = ExecutionStart::new().name(canary(of)).user_id(canary(of)).session_id("the same session");
        self.emit(of, start.tenant_id(tenant(of)));
    }

    /// Something happens to somebody.
    fn happen(&mut self) {
        let of = self.random.usize(..TENANTS);
        match self.random.u8(..10) {
            0 => {
                self.emit(of, ExecutionEnd::new(1_u64));
                self.runs[of] += 1;
                self.start(of);
            }
            1..4 => self.emit(of, StepEnd::new(7_u64)),
            _ => self.say(of, &canary(of)),
        }
    }

    fn say(&self, of: usize, text: &str) {
        self.emit(of, TextStart::new("t"));
        self.emit(of, TextDelta::new("t", text));
        self.emit(of, TextEnd::new("t"));
    }

    /// An execution: half of the time the asker's.
    fn run(&mut self, asker: usize) -> String {
        let of = if self.random.bool() { asker } else { self.random.usize(..TENANTS) };
        id(of, self.random.usize(..=self.runs[of]))
    }

    fn uri(&mut self, route: &Route, asker: usize) -> String {
        let of = self.random.usize(..TENANTS);
        let run = self.run(asker);
        let names = [run, "the%20same%20session".to_owned(), tenant(of)];
        let name = if route.path.starts_with("/executions") { &names[0] } else { &names[self.random.usize(..3)] };
        let path =
            route.path.split('/').map(|part| if part.starts_with('{') { name } else { part }).collect::<Vec<_>>();
        let query = route.query.iter().filter_map(|param| Some(format!("{}={}", param.name, self.value(param.name)?)));
        format!("{}?{}", path.join("/"), query.collect::<Vec<_>>().join("&"))
    }

    /// A value for a name in a query, half of the time.
    fn value(&mut self, name: &str) -> Option<String> {
        let newest = self.server.recorder.hub().newest();
        let after = Cursor::new(newest.epoch ^ (self.random.u64(..10) / 9), self.random.u64(..newest.offset + 2));
        let of = self.random.usize(..TENANTS);
        let value = match name {
            "after" | "before" => after.to_string(),
            "from" => "start".into(),
            "mode" => "summary".into(),
            "limit" => "7".into(),
            "session" => "the%20same%20session".into(),
            "tenant" => tenant(of),
            "dialect" => Dialect::ALL[self.random.usize(..Dialect::ALL.len())].as_str().into(),
            _ => return None,
        };
        self.random.bool().then_some(value)
    }

    /// What is sent to a route has the sender's canary in it: where it comes into somebody else's record, it is seen there.
    fn body(&mut self, route: &Route, of: usize) -> String {
        let (run, canary) = (self.run(of), canary(of));
        match (route.method, route.needs, route.path) {
            (Method::Get | Method::Delete, ..) | (_, Needs::Read, _) => String::new(),
            (_, Needs::Ingest, "/events") => {
                format!(r#"{{"type":"data-note","execution_id":"{run}","name":"n","value":"{canary}"}}"#)
            }
            (_, Needs::Ingest, _) => format!(r#"{{"type":"data-note","name":"n","value":"{canary}"}}"#),
            _ => format!(r#"{{"reason":"{canary}","decision":"granted","decided_by":"{canary}"}}"#),
        }
    }

    /// With a token, or with a ticket that was had for it.
    async fn send(&mut self, route: &Route, uri: &str, bearer: &str, body: String) -> Response {
        let method = route.method.as_str().split(',').next().expect("method");
        let router = &self.server.router;
        let headers = [("Authorization", bearer), ("Content-Type", "application/json")];
        if matches!(route.answer, Answer::Stream) && self.random.bool() {
            let response = ask(router, "POST", "/tickets", &headers).await;
            let bytes = to_bytes(response.into_body(), 1 << 10).await.expect("body");
            let answer: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
            if let Some(ticket) = answer["ticket"].as_str() {
                return ask(router, method, &format!("{uri}&ticket={ticket}"), &[]).await;
            }
        }
        ask_with(router, method, uri, &headers, body.into()).await
    }

    /// Somebody asks for something; true if the answer has the own canary.
    async fn ask(&mut self, scope: &str) -> bool {
        let (of, route) = (self.random.usize(..TENANTS), &ROUTES[self.random.usize(..ROUTES.len())]);
        let (uri, body) = (self.uri(route, of), self.body(route, of));
        let bearer = format!("Bearer {}", signed(&claims(scope, Some(&tenant(of)))));
        let question = format!("{uri} {body}");
        let response = self.send(route, &uri, &bearer, body).await;
        if matches!(route.needs, Needs::Ingest | Needs::Admin) && route.method == Method::Post {
            self.sent[0] += usize::from(response.status().is_success());
            self.sent[1] += usize::from(matches!(response.status().as_u16(), 404 | 422));
        }
        let head = format!("{:?}", response.headers());
        let is_stream = matches!(route.answer, Answer::Stream) && route.method == Method::Get;
        let body = match is_stream && response.status() == 200 {
            true => beginning(response.into_body().into_data_stream()).await,
            false => to_bytes(response.into_body(), 16 << 20).await.expect("body").to_vec(),
        };
        let text = head + &String::from_utf8(body).expect("UTF-8");
        no_stranger(of, &question, &text);
        text.contains(&canary(of))
    }
}

async fn beginning(mut body: BodyDataStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Ok(Some(Ok(piece))) = timeout(PATIENCE, body.next()).await {
        bytes.extend_from_slice(&piece);
        if bytes.len() > MOST_BYTES {
            break;
        }
    }
    bytes
}

/// No canary, no id and no name of any other tenant; what stands in the question may be said again.
fn no_stranger(of: usize, question: &str, text: &str) {
    for other in (0..TENANTS).filter(|other| *other != of) {
        for needle in [canary(other), format!("run-{other}-"), tenant(other)] {
            let found = text.contains(&needle) && !question.contains(&needle);
            assert!(!found, "tenant {of} asks {question} and is told {needle:?}: {text}");
        }
    }
}

/// Reads everything that its tenant may see, until the last words.
fn watch(world: &World, of: usize, readers: &mut JoinSet<()>) {
    let bearer = format!("Bearer {}", signed(&claims("read", Some(&tenant(of)))));
    let router = world.server.router.clone();
    readers.spawn(async move {
        let response = ask(&router, "GET", "/stream?from=start", &[("Authorization", &bearer)]).await;
        let (mut body, mut text) = (response.into_body().into_data_stream(), String::new());
        while !text.contains(LAST_WORDS) {
            let piece = body.next().await.expect("not the end").expect("bytes");
            text.push_str(std::str::from_utf8(&piece).expect("UTF-8"));
        }
        no_stranger(of, "/stream", &text);
        assert!(text.contains(&canary(of)), "{text}");
    });
}

#[tokio::test]
async fn eight_tenants_who_ask_for_everything_see_no_byte_of_each_other() {
    let (mut world, mut watching) = (World::new(), JoinSet::new());
    (0..TENANTS).for_each(|of| watch(&world, of, &mut watching));
    let mut seen = 0;
    for round in 0..ROUNDS {
        (0..4).for_each(|_| world.happen());
        world.server.recorder.settle().await.expect("settle");
        // Also what they may not.
        let scope = ["read", "read", "admin", "ingest"][round % 4];
        seen += usize::from(world.ask(scope).await);
    }
    assert!(seen > ROUNDS / 16, "only {seen} answers had anything in them");
    assert!(world.sent.iter().all(|sent| *sent > ROUNDS / 60), "only {:?} were sent", world.sent);
    (0..TENANTS).for_each(|of| world.say(of, LAST_WORDS));
    while let Some(reader) = watching.join_next().await {
        reader.expect("nothing of anybody else");
    }
}

/// The difference between "not there" and "not yours" would tell that it is there.
#[tokio::test]
async fn what_is_anothers_is_answered_like_what_is_not_there() {
    let world = World::new();
    world.say(1, "said");
    world.emit(1, ExecutionEnd::new(1_u64));
    world.server.recorder.flush().await.expect("flush");
    let bearer = format!("Bearer {}", signed(&claims("admin", Some(&tenant(0)))));
    let last = world.server.recorder.hub().newest().to_string();
    let headers = [("Authorization", &*bearer), ("Last-Event-ID", &last), ("Content-Type", "application/json")];
    // What is sent for an execution that is not there makes it.
    for route in ROUTES.iter().filter(|route| route.path.contains("{id}") && route.needs != Needs::Ingest) {
        let mut answers = Vec::new();
        let method = if route.method == Method::Get { "GET" } else { "POST" };
        for run in ["run-1-0", "run-9-9"] {
            let uri = route.path.replace("{id}", run).replace("{permission_id}", "p");
            let body = if method == "GET" { "" } else { r#"{"decision":"granted"}"# };
            let response = ask_with(&world.server.router, method, &uri, &headers, body.into()).await;
            if method == "POST" {
                assert_eq!(response.status(), 404, "{uri}");
            }
            let (status, head) = (response.status(), format!("{:?}", response.headers()));
            let body = beginning(response.into_body().into_data_stream()).await;
            let text = String::from_utf8(body).expect("UTF-8").replace(run, "the id");
            // Chosen at random for each answer.
            let lines = text.lines().filter(|line| !line.starts_with("retry: ")).map(str::to_owned).collect::<Vec<_>>();
            answers.push((status, head, lines));
        }
        assert_eq!(answers[0], answers[1], "{}", route.path);
    }
}
