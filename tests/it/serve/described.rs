//! The description of the API against what the server does: every operation, and every status that it says.

use super::{
    SOON,
    fits::{fits, resolved},
    ingest::{JSON, LINES, steps},
    served,
    steer::ask_in_a_run,
    until,
};
use crate::{
    http::{Reply, connect, get, post_head, send},
    serve::snapshots::a_run,
};
use serde_json::Value;
use spanwright::{
    EventEmitter, ExecutionId, Recorder,
    event::{ExecutionEnd, ExecutionStart},
    log::MemoryLog,
    serve::{Access, Right, Server, ServerHandle, Settings, Token},
};
use std::{collections::BTreeSet, io::Write, net::SocketAddr, sync::mpsc, thread};

/// `GET /openapi.json` of a server.
pub(crate) fn description() -> Value {
    let (_recorder, server, _emitter) = served(100);
    get(server.addr(), "/openapi.json").json()
}

#[test]
fn what_is_described_is_what_the_router_takes() {
    let (_recorder, server, _emitter) = served(100);
    let api = get(server.addr(), "/openapi.json").json();
    for (path, methods) in api["paths"].as_object().expect("paths") {
        // What the router itself says that it takes there.
        let uri = path.replace("{id}", "x").replace("{permission_id}", "y");
        let put = format!("PUT {uri} HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\n\r\n", server.addr());
        let reply = send(server.addr(), &put);
        assert_eq!(reply.status, 405, "{path}");
        let allowed = reply.header("allow").expect("allow").to_lowercase().replace(' ', "");
        let allowed: BTreeSet<_> = allowed.split(',').filter(|method| *method != "head").map(str::to_owned).collect();
        assert_eq!(allowed, methods.as_object().expect("methods").keys().cloned().collect(), "{path}");
    }
    let ids: Vec<_> = operations(&api).map(|one| one.id().to_owned()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
}

#[test]
fn every_operation_answers_as_described_and_every_described_status_is_answered() {
    let (recorder, server, emitter) = served(1_000);
    let mut held = Held { api: get(server.addr(), "/openapi.json").json(), seen: BTreeSet::new() };
    held.ask_whatever(server.addr(), &recorder, &emitter);
    held.ask_in_the_middle(server.addr(), &recorder);
    held.ask_without_a_log();
    held.ask_with_access();
    recorder.shutdown(SOON).expect("shutdown");
    held.ask_all(server.addr(), "nobody", &[]);
    let described: BTreeSet<_> = operations(&held.api).flat_map(|one| one.statuses()).collect();
    let unseen: Vec<_> =
        described.difference(&held.seen).filter(|(id, status)| !is_out_of_reach(id, *status)).collect();
    assert!(unseen.is_empty(), "described and never answered: {unseen:?}");
}

/// What would need a clock, a log that fails, or thousands of tickets. What is asked of the log only for a tenant.
fn is_out_of_reach(id: &str, status: u16) -> bool {
    let is_steering = ["pause", "resume", "cancel", "permissions", "permission_id"].iter().any(|end| id.ends_with(end));
    matches!(status, 408 | 500) || status == 503 && (is_steering || ["post_tickets", "post_session"].contains(&id))
}

#[test]
fn a_server_that_asks_for_tokens_says_so() {
    let (_recorder, server) = with_access();
    for (api, asks) in [(description(), false), (get(server.addr(), "/openapi.json").json(), true)] {
        for one in operations(&api) {
            let ways = one.operation["security"].as_array().expect("security");
            let is_free = ways.iter().any(|way| way.as_object().expect("way").is_empty());
            let needs_nothing = ["get_health", "get_openapi_json", "delete_session"].contains(&one.id());
            assert_eq!(is_free, needs_nothing || !asks, "{}", one.id());
        }
    }
}

/// One operation of the description.
#[derive(Clone, Copy)]
struct Operation<'a> {
    path: &'a str,
    method: &'a str,
    operation: &'a Value,
}

fn operations(api: &Value) -> impl Iterator<Item = Operation<'_>> {
    api["paths"].as_object().expect("paths").iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods").iter();
        methods.map(move |(method, operation)| Operation { path, method, operation })
    })
}

impl<'a> Operation<'a> {
    fn id(&self) -> &'a str {
        self.operation["operationId"].as_str().expect("operationId")
    }

    fn statuses(&self) -> impl Iterator<Item = (String, u16)> + use<'a> {
        let (id, responses) = (self.id(), self.operation["responses"].as_object().expect("responses"));
        responses.keys().map(move |status| (id.to_owned(), status.parse().expect("status")))
    }

    fn uri(&self, id: &str) -> String {
        self.path.replace("{id}", id).replace("{permission_id}", "p")
    }

    /// Bodies that fit and bodies that do not, each with its media type; none where none is described.
    fn bodies(&self) -> Vec<(Option<String>, Vec<u8>)> {
        let Some(content) = self.operation["requestBody"]["content"].as_object() else {
            return vec![(None, Vec::new())];
        };
        let good = match self.path.ends_with("/events") {
            true => steps(&ExecutionId::new(), 0..1).remove(0).replace(r#""execution_id""#, r#""note""#),
            false => r#"{"decision":"granted","reason":"r"}"#.to_owned(),
        };
        let of = |media: &str| {
            let bodies = [good.as_str(), "", "nonsense", "[1"].map(|body| body.as_bytes().to_vec());
            bodies.map(|body| (Some(media.to_owned()), body))
        };
        content.keys().map(String::as_str).chain(["text/plain"]).flat_map(of).collect()
    }
}

/// What was answered, held against the description.
struct Held {
    api: Value,
    /// Operations and statuses.
    seen: BTreeSet<(String, u16)>,
}

type Headers<'a> = &'a [(&'a str, &'a str)];

impl Held {
    /// Every operation in every way: of runs in every state, with everything in the query, with every body.
    fn ask_whatever(&mut self, addr: SocketAddr, recorder: &Recorder, running: &EventEmitter) {
        a_run(running, "s1");
        let (ended, elsewhere) = (recorder.emitter(), ExecutionId::new());
        ended.emit(ExecutionStart::new().session_id("s1"));
        ended.emit(ExecutionEnd::new(1_u64));
        self.ask("post_events", addr, "/events", &[LINES], steps(&elsewhere, 0..1)[0].as_bytes());
        recorder.flush().wait(SOON).expect("flush");
        let newest = get(addr, &format!("/executions/{}/events", ended.execution_id())).json();
        let over =
            format!("/executions/{}/stream?after={}", ended.execution_id(), newest["cursor"].as_str().expect("c"));
        self.ask("get_executions_id_stream", addr, &over, &[], b"");
        let ids = [running.execution_id(), ended.execution_id(), &elsewhere].map(ToString::to_string);
        for id in ids.iter().map(String::as_str).chain(["nobody", "s1", "%FF"]) {
            self.ask_all(addr, id, &[]);
        }
        self.ask_all(addr, "nobody", &[("Host", "evil.example")]);
        for one in operations(&self.api.clone()).filter(|one| one.operation["requestBody"].is_object()) {
            let is_events = one.path.ends_with("/events");
            let huge = vec![b' '; if is_events { 3 << 20 } else { 17 << 10 }];
            self.ask_one(one, addr, &one.uri("nobody"), &[if is_events { LINES } else { JSON }], &huge);
        }
    }

    /// What is answered while something is under way: a question that is open, a key that is in use.
    fn ask_in_the_middle(&mut self, addr: SocketAddr, recorder: &Recorder) {
        let (asked, hears) = mpsc::channel();
        let agent = thread::spawn({
            let recorder = recorder.clone();
            move || ask_in_a_run(&recorder, asked)
        });
        let path = format!("/executions/{}/permissions", hears.recv_timeout(SOON).expect("a run"));
        until(|| get(addr, &path).json()["permissions"].as_array().is_some_and(|open| !open.is_empty()));
        self.ask("get_executions_id_permissions", addr, &path, &[], b"");
        let question = get(addr, &path).json()["permissions"][0]["permission_id"].as_str().expect("id").to_owned();
        let answer = br#"{"decision":"granted"}"#;
        let id = "post_executions_id_permissions_permission_id";
        self.ask(id, addr, &format!("{path}/{question}"), &[JSON], answer);
        assert!(agent.join().expect("agent").is_granted());
        let headers = [LINES, ("Idempotency-Key", "k")];
        for (id, path) in [("post_events", "/events"), ("post_executions_id_events", "/executions/e/events")] {
            let mut first = connect(addr);
            first.write_all(post_head(addr, path, &headers, 9).as_bytes()).expect("send");
            until(|| {
                self.ask(id, addr, path, &headers, b"\n");
                self.seen.contains(&(id.to_owned(), 409))
            });
        }
    }

    fn ask_without_a_log(&mut self) {
        let recorder = Recorder::builder().start().expect("start");
        let server = Server::spawn(recorder, "127.0.0.1:0").expect("serve");
        self.ask_all(server.addr(), "nobody", &[]);
    }

    fn ask_with_access(&mut self) {
        let (_recorder, server) = with_access();
        for token in [None, Some("wrong"), Some(READER), Some(OPERATOR), Some(SENDER)] {
            let bearer = token.map(|token| format!("Bearer {token}"));
            let headers: Vec<_> = bearer.iter().map(|bearer| ("Authorization", bearer.as_str())).collect();
            self.ask_all(server.addr(), "nobody", &headers);
        }
        for one in operations(&self.api.clone()) {
            self.ask_one(one, server.addr(), &format!("{}?token=x", one.uri("nobody")), &[], b"");
        }
    }

    /// Every operation of what has this id; last what ends a run, and what begins one.
    fn ask_all(&mut self, addr: SocketAddr, id: &str, headers: Headers<'_>) {
        let api = self.api.clone();
        let mut all: Vec<_> = operations(&api).collect();
        all.sort_by_key(|one| (one.method == "post" && one.path.ends_with("/events"), one.path.ends_with("/cancel")));
        for one in all {
            for (media, body) in one.bodies() {
                let media = media.as_deref().map(|media| ("Content-Type", media));
                let headers: Vec<_> = headers.iter().copied().chain(media).collect();
                self.ask_one(one, addr, &one.uri(id), &headers, &body);
            }
            for parameter in one.operation["parameters"].as_array().expect("parameters") {
                let name = parameter["name"].as_str().expect("name");
                for value in examples(parameter) {
                    self.ask_one(one, addr, &format!("{}?{name}={value}", one.uri(id)), headers, b"");
                }
            }
        }
    }

    fn ask(&mut self, id: &str, addr: SocketAddr, uri: &str, headers: Headers<'_>, body: &[u8]) {
        let api = self.api.clone();
        let one = operations(&api).find(|one| one.id() == id).expect(id);
        self.ask_one(one, addr, uri, headers, body);
    }

    fn ask_one(&mut self, one: Operation<'_>, addr: SocketAddr, uri: &str, headers: Headers<'_>, body: &[u8]) {
        let reply = request(addr, &one.method.to_uppercase(), uri, headers, body);
        self.seen.insert((one.id().to_owned(), reply.status));
        self.fits(one, uri, reply);
    }

    fn fits(&self, one: Operation<'_>, uri: &str, reply: Reply) {
        let (api, request) = (&self.api, format!("{} {uri}: {}", one.method, reply.status));
        let described = &one.operation["responses"][reply.status.to_string()];
        assert!(!described.is_null(), "{request} is not described: {}", reply.text());
        let described = resolved(api, described);
        let media = reply.header("content-type").map(str::to_owned);
        let Some(media) = media else { return assert!(described["content"].is_null(), "{request}: nothing to read") };
        let schema = &described["content"][&media]["schema"];
        assert!(!schema.is_null(), "{request}: {media} is not described");
        if media == "application/json" {
            let body = reply.json();
            if let Err(why) = fits(api, schema, &body) {
                panic!("{request}: {why}\n{body:#}");
            }
        }
    }
}

/// Values that fit and values that do not; none for what does not stand in the query.
fn examples(parameter: &Value) -> Vec<String> {
    if parameter["in"] != "query" {
        return Vec::new();
    }
    let words = parameter["schema"]["enum"].as_array().into_iter().flatten();
    let words = words.map(|word| word.as_str().expect("word").to_owned());
    let others = ["1", "0", "data-step-start,text-end", "0123456789abcdef-7", "nonsense", "", "%00", "%FF"];
    words.chain(others.map(str::to_owned)).collect()
}

/// What is said is what counts, also where the server does not wait for the whole of the body.
fn request(addr: SocketAddr, method: &str, uri: &str, headers: Headers<'_>, body: &[u8]) -> Reply {
    let mut head = format!("{method} {uri} HTTP/1.1\r\nContent-Length: {}\r\n", body.len());
    if !headers.iter().any(|(name, _)| *name == "Host") {
        head += &format!("Host: {addr}\r\n");
    }
    headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
    let mut tcp = connect(addr);
    tcp.write_all((head + "\r\n").as_bytes()).expect("send");
    let _ = tcp.write_all(body);
    Reply::read(tcp)
}

const READER: &str = "the-token-of-the-reader";
const SENDER: &str = "the-token-of-the-sender";
const OPERATOR: &str = "the-token-of-the-operator";

fn with_access() -> (Recorder, ServerHandle) {
    let tokens = [(READER, Right::Read), (SENDER, Right::Ingest), (OPERATOR, Right::Admin)];
    let all = tokens
        .into_iter()
        .fold(Access::builder(), |all, (secret, right)| all.token(Token::new(secret, [right]).tenant("t")));
    let recorder = Recorder::builder().log(MemoryLog::new()).start().expect("start");
    let settings = Settings::default().access(all.build().expect("access"));
    let server = Server::spawn_with(recorder.clone(), "127.0.0.1:0", settings).expect("serve");
    (recorder, server)
}
