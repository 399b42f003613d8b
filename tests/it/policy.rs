//! The content policy: what is recorded at each level, what is cut, what is refused.

use proptest::prelude::*;
use spanwright::{
    ContentLevel, ContentPolicy, EventEmitter, ExecutionId, Json, Recorder, StreamEvent,
    event::{
        AgentStart, Body, ErrorCategory, ExecutionError, ExecutionFailed, ExecutionStart, FeedbackReceived,
        FeedbackType, Kind, LlmCallStart, ReasoningDelta, ReasoningEnd, Retrieval, StateSnapshot, StepEnd, TextDelta,
        TextEnd, ToolFailure, ToolInputAvailable, ToolInputDelta, ToolOutputAvailable, ToolOutputError,
    },
};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);
const CARD: &str = "4111 1111 1111 1111";

fn recorder(policy: ContentPolicy) -> Recorder {
    Recorder::builder().content(policy).start().expect("start")
}

fn text(policy: &ContentPolicy, text: &str) -> String {
    policy.redactor().expect("a policy").text(text)
}

/// What comes out of these events at this level.
fn recorded(level: ContentLevel, emit: impl FnOnce(&EventEmitter)) -> Vec<StreamEvent> {
    let emitter = recorder(ContentPolicy::new(level)).emitter();
    emit(&emitter);
    emitter.drain()
}

fn one(level: ContentLevel, event: impl Into<StreamEvent>) -> serde_json::Value {
    let events = recorded(level, |emitter| emitter.emit(event));
    assert_eq!(events.len(), 1);
    serde_json::from_str(&events[0].to_json()).expect("JSON")
}

#[test]
fn at_none_optional_content_is_absent_and_what_must_be_there_is_empty() {
    let json = || Json::from(serde_json::json!({"q": "what is said"}));
    let start = one(ContentLevel::None, LlmCallStart::new("chat", 1).model("gpt-4o").input(json()));
    assert_eq!((start.get("input"), &start["model"]), (None, &"gpt-4o".into()));
    let tool = one(ContentLevel::None, ToolInputAvailable::new("call-1", "search", json()));
    assert_eq!((&tool["input"], &tool["tool_call_id"]), (&serde_json::Value::Null, &"call-1".into()));
    let output = one(ContentLevel::None, ToolOutputAvailable::new("call-1", json()));
    assert!(output["output"].is_null());
    let found = one(ContentLevel::None, Retrieval::new("what is said", 3, 7).documents(json()));
    assert_eq!((&found["query"], found.get("documents"), &found["documents_count"]), (&"".into(), None, &3.into()));
    assert!(one(ContentLevel::None, StateSnapshot::new(json()))["state"].is_null());
    let words = one(ContentLevel::None, FeedbackReceived::new(FeedbackType::Rating).score(0.5).comment("what is said"));
    assert_eq!((words.get("comment"), &words["score"]), (None, &0.5.into()));
}

#[test]
fn at_none_no_piece_is_shown_and_no_text_kept() {
    let events = recorded(ContentLevel::None, |emitter| {
        emitter.emit(TextDelta::new("t", "what is said "));
        emitter.emit(ReasoningDelta::new("r", "what is thought "));
        emitter.emit(ToolInputDelta::new("c", "{\"what\": \"is asked\"} "));
        emitter.emit(TextEnd::new("t"));
        emitter.emit(ReasoningEnd::new("r").final_text("what was thought"));
    });
    assert_eq!(events.iter().map(StreamEvent::kind).collect::<Vec<_>>(), [Kind::TextEnd, Kind::ReasoningEnd]);
    assert!(events.iter().all(|event| !event.to_json().contains("what")), "{events:?}");
}

#[test]
fn errors_are_redacted_at_every_level_but_full() {
    let message = format!("card {CARD} was declined for jane@example.com");
    let error = || ExecutionError::new(ErrorCategory::ToolError, message.as_str());
    for level in [ContentLevel::None, ContentLevel::Redacted] {
        let failed = one(level, ExecutionFailed::new(error()));
        assert_eq!(failed["error"]["message"], "card [redacted:card] was declined for [redacted:email]");
        let failed = one(level, ToolOutputError::new("c", message.as_str(), ToolFailure::Error));
        assert_eq!(failed["error"], "card [redacted:card] was declined for [redacted:email]");
    }
    assert_eq!(one(ContentLevel::Full, ExecutionFailed::new(error()))["error"]["message"], message.as_str());
}

#[test]
fn what_the_author_adds_is_redacted_and_stays_at_none() {
    let fields = || Json::from(serde_json::json!({"tier": "gold", "owner": "jane@example.com"}));
    for level in [ContentLevel::None, ContentLevel::Redacted] {
        let start = one(level, AgentStart::new("helper").fields(fields()));
        assert_eq!(start["fields"], serde_json::json!({"tier": "gold", "owner": "[redacted:email]"}));
    }
}

#[test]
fn ids_pair_events_and_stay_as_they_are() {
    let tool =
        one(ContentLevel::Redacted, ToolInputAvailable::new("jane@example.com", "jane@example.com", Json::null()));
    assert_eq!((&tool["tool_call_id"], &tool["tool_name"]), (&"jane@example.com".into(), &"[redacted:email]".into()));
    let start = one(ContentLevel::Redacted, ExecutionStart::new().user_id("jane@example.com"));
    assert_eq!(start["user_id"], "jane@example.com");
}

#[test]
fn an_event_of_another_version_is_redacted_and_at_none_says_nothing() {
    let unknown = || StreamEvent::from_json(r#"{"type":"data-new","note":"jane@example.com","n":1}"#).expect("event");
    let event = one(ContentLevel::Redacted, unknown());
    assert_eq!((&event["note"], &event["n"]), (&"[redacted:email]".into(), &1.into()));
    assert_eq!(one(ContentLevel::None, unknown()).get("note"), None);
}

// -- JSON ----------------------------------------------------------------------------------------------------------

fn json(policy: &ContentPolicy, json: &str) -> String {
    policy.redactor().expect("a policy").json(&Json::parse(json).expect("JSON")).as_str().to_owned()
}

#[test]
fn a_key_that_names_a_secret_has_its_whole_value_masked() {
    let policy = ContentPolicy::default().secret_key("pin-code");
    for (given, expected) in [
        (r#"{"password": "x"}"#, r#"{"password": "[redacted:secret]"}"#),
        (r#"{"apiKey":{"a":[1,2]},"b":2}"#, r#"{"apiKey":"[redacted:secret]","b":2}"#),
        (r#"{"Set-Cookie":["a","b"]}"#, r#"{"Set-Cookie":"[redacted:secret]"}"#),
        (r#"{"pass\u0077ord":"x"}"#, r#"{"pass\u0077ord":"[redacted:secret]"}"#),
        (r#"{"pinCode":1234 , "PIN_CODE":true}"#, r#"{"pinCode":"[redacted:secret]" , "PIN_CODE":true}"#),
        (r#"{"token_count":3,"max_tokens":4,"token":"a"}"#, r#"{"token_count":3,"max_tokens":4,"token":"a"}"#),
        (r#"{"card":4111111111111111}"#, r#"{"card":"[redacted:card]"}"#),
        (r#"{"jane@example.com":1}"#, r#"{"[redacted:email]":1}"#),
        (r#"["jan\u0065@example.com"]"#, r#"["[redacted:email]"]"#),
    ] {
        assert_eq!(json(&policy, given), expected);
    }
}

#[test]
fn json_in_a_string_of_json_is_gone_through_as_json() {
    let inner = serde_json::json!({"password": "it has \"quotes\" in it", "ok": 1}).to_string();
    let outer = serde_json::json!({"arguments": inner}).to_string();
    let treated: serde_json::Value = serde_json::from_str(&json(&ContentPolicy::default(), &outer)).expect("JSON");
    let inner: serde_json::Value = serde_json::from_str(treated["arguments"].as_str().expect("text")).expect("JSON");
    assert_eq!(inner, serde_json::json!({"password": "[redacted:secret]", "ok": 1}));
}

#[test]
fn long_strings_are_cut_inside_of_json_and_the_rest_of_what_is_too_long_is_told() {
    let policy = ContentPolicy::default().max_text_bytes(256).max_json_bytes(1_024);
    let long = "word ".repeat(100);
    let cut: serde_json::Value =
        serde_json::from_str(&json(&policy, &serde_json::json!({"a": long, "b": 1}).to_string())).expect("JSON");
    let shown = cut["a"].as_str().expect("text");
    assert!(shown.len() <= 256 && shown.starts_with("word word"), "{shown}");
    assert!(shown.contains(" … [cut: 500 bytes, sha256 "), "{shown}");
    assert_eq!(cut["b"], 1);
    let wide: Vec<u64> = (0..10_000).collect();
    let cut = json(&policy, &serde_json::json!({"list": wide, "b": {"c": 1}}).to_string());
    assert!(cut.len() < 2_048, "{}", cut.len());
    let cut: serde_json::Value = serde_json::from_str(&cut).expect("JSON");
    let list = cut["list"].as_array().expect("array");
    assert_eq!(list[0], 0);
    let mark = list.last().expect("mark").as_str().expect("text");
    assert!(mark.starts_with("… [cut: ") && mark.contains("sha256"), "{mark}");
    // The rest of the outer object is short: its hash would tell it.
    assert_eq!(cut["…"], "… [cut: 11 bytes]");
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let word = prop_oneof![
        any::<String>(),
        Just("jane@example.com".to_owned()),
        Just("{\"password\": \"x\"}".to_owned()),
        Just("ghp_0123456789012345678901234567890123456789".to_owned()),
        "[a-z ]{0,600}",
    ];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        word.clone().prop_map(Into::into),
    ];
    let key = prop_oneof![any::<String>(), Just("password".to_owned()), Just("api_key".to_owned()), "[a-z]{1,8}"];
    leaf.prop_recursive(5, 60, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Into::into),
            prop::collection::vec((key.clone(), inner), 0..8)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn valid_json_stays_valid_and_no_secret_is_left(value in any_json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.expect("JSON");
        let policy = ContentPolicy::default().max_text_bytes(512).max_json_bytes(2_048);
        let redactor = policy.redactor().expect("a policy");
        let treated = redactor.json(&Json::parse(&text).expect("JSON"));
        prop_assert!(serde_json::from_str::<serde_json::Value>(treated.as_str()).is_ok(), "{}", treated);
        prop_assert!(!treated.as_str().contains("jane@example.com") && !treated.as_str().contains("ghp_0123"), "{}", treated);
    }

    #[test]
    fn any_text_is_gone_through_without_a_panic(given in "(?s)[ -~\u{0}-\u{20}é漢]{0,200}", also in any::<String>()) {
        let redactor = ContentPolicy::default().redactor().expect("a policy");
        let once = redactor.text(&given);
        prop_assert_eq!(redactor.text(&once), once);
        redactor.text(&also);
    }
}

// -- caps ----------------------------------------------------------------------------------------------------------

#[test]
fn a_text_that_is_too_long_is_cut_and_says_so_and_no_secret_is_cut_in_two() {
    let policy = ContentPolicy::default().max_text_bytes(1_000);
    let key = format!("ghp_{}", "a1".repeat(18));
    // Wherever the key stands, at the cut as well.
    for before in (880..1_010).step_by(3) {
        let given = format!("{}{key} {}", "x ".repeat(before / 2), "y".repeat(100_000));
        let shown = text(&policy, &given);
        assert!(shown.len() <= 1_000 && shown.contains(&format!("[cut: {} bytes, sha256 ", given.len())), "{shown}");
        assert!(!shown.contains("a1a1"), "{shown}");
        assert_eq!(text(&policy, &shown), shown);
    }
    let full = ContentPolicy::new(ContentLevel::Full).max_text_bytes(1_000);
    assert!(text(&full, &"é".repeat(1_000)).len() <= 1_000);
}

#[test]
fn a_huge_field_is_cut_before_it_waits_and_its_event_is_not_shed() {
    for level in ContentLevel::ALL {
        let events = recorded(level, |emitter| emitter.emit(StepEnd::new(1).output("long ".repeat(20 << 20))));
        let Body::StepEnd(end) = &events[0].body else { panic!("{events:?}") };
        match (&end.output, level) {
            (output, ContentLevel::None) => assert_eq!(*output, None),
            (output, _) => assert!(output.as_ref().expect("output").contains("[cut: 104857600 bytes, sha256 ")),
        }
    }
}

#[test]
fn a_whole_text_that_is_cut_is_said_to_be_truncated() {
    let emitter = recorder(ContentPolicy::default().max_text_bytes(300)).emitter();
    (0..100).for_each(|_| emitter.emit(TextDelta::new("t", "and so on ")));
    emitter.emit(TextEnd::new("t"));
    let events = emitter.drain();
    let Some(Body::TextEnd(end)) = events.last().map(|event| &event.body) else { panic!("{events:?}") };
    assert_eq!(end.truncated, Some(true));
    assert!(end.final_text.as_ref().expect("text").contains("[cut: 1000 bytes"));
}

// -- settings ------------------------------------------------------------------------------------------------------

#[test]
fn patterns_and_keys_of_the_user_are_masked_under_their_name() {
    let policy = ContentPolicy::default().pattern("customer", r"\bC-[0-9]{8}\b").secret_key("pin");
    assert_eq!(text(&policy, "C-12345678 and C-1; pin: 0815"), "[redacted:customer] and C-1; pin: [redacted:secret]");
    let many = "C-12345678 ".repeat(600);
    assert_eq!(text(&policy, &many), "[redacted:text]");
}

#[test]
fn a_policy_that_cannot_be_used_is_refused_where_the_recorder_starts() {
    let default = ContentPolicy::default;
    for (policy, said) in [
        (default().pattern("broken", "(a"), "pattern \"broken\""),
        (default().pattern("empty", "a*"), "matches the empty text"),
        (default().pattern("huge", "(a{1000}){1000}"), "pattern \"huge\""),
        (default().pattern("no good", "a"), "A-Z a-z 0-9 _ - ."),
        (default().secret_key(""), "secret key"),
        (default().max_text_bytes(10), "256 to 1048576"),
        (default().max_json_bytes(1 << 30), "256 to 1048576"),
        ((0..65).fold(default(), |policy, n| policy.pattern(format!("p{n}"), "a")), "at most 64"),
    ] {
        let error = Recorder::builder().content(policy).start().expect_err(said);
        assert!(error.is_config() && error.to_string().contains(said), "{error}");
    }
    assert_eq!("redacted".parse::<ContentLevel>().expect("a level"), ContentLevel::Redacted);
    assert!("some".parse::<ContentLevel>().expect_err("none").to_string().contains("none, redacted or full"));
}

// -- pieces --------------------------------------------------------------------------------------------------------

/// Canaries of shapes with gaps and without, each with what may not be seen of it.
const SECRETS: [(&str, &str); 14] = [
    ("ghp_CANARYCANARYCANARYCANARY0123456789abcd", "CANARYCANARY"),
    ("sk-proj-CANARY0123456789abcdefCANARY", "CANARY0123"),
    ("4111 1111 1111 1111", "1111 1111"),
    ("+49 30 1234567", "30 1234567"),
    ("DE89 3704 0044 0532 0130 00", "3704 0044"),
    ("jane.canary@example.com", "jane.canary"),
    ("Bearer canary0123456789abcdef", "canary0123456789"),
    ("password = \"the canary sings at night\"", "canary sings"),
    ("\"api_key\" : \"canary one two\"", "canary one"),
    ("DB_PASSWORD=canary0815", "canary0815"),
    ("Authorization: Basic Y2FuYXJ5OmNhbmFyeQ== canary", "Y2FuYXJ5"),
    ("postgres://app:canarypass@db.example.org/x", "canarypass"),
    ("-----BEGIN PRIVATE KEY-----\nCANARYMIIEvQIB\nADANBgkqCANARY\n-----END PRIVATE KEY-----", "CANARY"),
    ("078-05-1120", "078-05-1120"),
];

fn written() -> impl Strategy<Value = (String, Vec<usize>)> {
    let word = prop_oneof![
        3 => "[a-zé漢.,:=\n 0-9]{0,12} ".prop_map(|text| text),
        2 => (0..SECRETS.len()).prop_map(|at| format!("{} ", SECRETS[at].0)),
        1 => (0..SECRETS.len()).prop_map(|at| format!("{}\n", SECRETS[at].0)),
    ];
    (prop::collection::vec(word, 1..12).prop_map(|words| words.concat()), prop::collection::vec(0_usize..40, 1..60))
}

/// The text cut into pieces of these lengths, over and over.
fn pieces<'a>(text: &'a str, lengths: &[usize]) -> Vec<&'a str> {
    let (mut rest, mut pieces) = (text, Vec::new());
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let end = (0..=(*length).clamp(1, rest.len())).rev().find(|at| rest.is_char_boundary(*at)).unwrap_or(0);
        let end = if end == 0 { rest.chars().next().map_or(0, char::len_utf8) } else { end };
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    pieces
}

fn deltas(events: &[StreamEvent]) -> Vec<String> {
    let delta = |event: &StreamEvent| match &event.body {
        Body::TextDelta(piece) => Some(piece.delta.to_string()),
        Body::ToolInputDelta(piece) => Some(piece.input_text_delta.to_string()),
        _ => None,
    };
    events.iter().filter_map(delta).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn however_a_text_is_cut_into_pieces_together_they_are_what_the_whole_would_be((text, lengths) in written()) {
        let recorder = recorder(ContentPolicy::default());
        let whole = ContentPolicy::default().redactor().expect("a policy").text(&text);
        let (emitter, id) = (recorder.emitter(), ExecutionId::new());
        for piece in pieces(&text, &lengths) {
            emitter.emit(TextDelta::new("t", piece));
            // Another text of the same name elsewhere does not disturb it.
            recorder.emit(StreamEvent::from(TextDelta::new("t", piece)).of_execution(id.clone()));
        }
        emitter.emit(TextEnd::new("t"));
        let events = emitter.drain();
        let shown = deltas(&events);
        prop_assert_eq!(shown.concat(), whole.clone());
        for (secret, canary) in SECRETS {
            if text.contains(secret) {
                prop_assert!(shown.iter().all(|piece| !piece.contains(canary)), "{}", canary);
            }
        }
        let Some(Body::TextEnd(end)) = events.last().map(|event| &event.body) else { panic!("{events:?}") };
        prop_assert_eq!(end.final_text.as_deref(), Some(whole.as_str()));
    }
}

#[test]
fn what_is_held_back_comes_with_the_end_of_its_text() {
    let events = recorded(ContentLevel::Redacted, |emitter| {
        emitter.emit(TextDelta::new("t", "The sky is bl"));
        emitter.emit(TextDelta::new("t", "ue"));
        emitter.emit(ToolInputDelta::new("c", "{\"city\":"));
        emitter.emit(ToolInputDelta::new("c", "\"Paris\"}"));
        emitter.emit(ToolInputAvailable::new("c", "weather", Json::from(serde_json::json!({"city": "Paris"}))));
        emitter.emit(TextEnd::new("t"));
    });
    assert_eq!(deltas(&events), ["The sky is ", "{\"city\":\"Paris\"}", "blue"]);
    let kinds: Vec<_> = events.iter().map(StreamEvent::kind).collect();
    let (delta, input) = (Kind::TextDelta, Kind::ToolInputDelta);
    assert_eq!(kinds, [delta, input, Kind::ToolInputAvailable, delta, Kind::TextEnd]);
}

#[test]
fn a_piece_that_is_held_back_is_counted_and_none_is_lost() {
    let recorder = recorder(ContentPolicy::default());
    let emitter = recorder.emitter();
    ["a", "b", "c ", "d", "e "].iter().for_each(|piece| emitter.emit(TextDelta::new("t", *piece)));
    recorder.settle().wait(SOON).expect("settle");
    let stats = recorder.stats();
    assert_eq!((stats.recorded, stats.withheld), (2, 3));
    assert_eq!(deltas(&emitter.drain()), ["abc ", "de "]);
}

#[test]
fn a_word_without_an_end_is_let_through_in_bounded_parts() {
    let events = recorded(ContentLevel::Redacted, |emitter| {
        (0..100).for_each(|n| emitter.emit(TextDelta::new("t", "abcdefghij".repeat(100 + n % 3))));
    });
    let shown: usize = deltas(&events).iter().map(String::len).sum();
    assert!(shown > 100_000 - (32 << 10), "{shown}");
}

#[test]
fn with_patterns_of_the_user_a_text_is_shown_line_by_line() {
    let emitter = recorder(ContentPolicy::default().pattern("name", "Jane +Doe")).emitter();
    ["It was Ja", "ne   ", "Doe.\nYes", ", she. "].iter().for_each(|piece| emitter.emit(TextDelta::new("t", *piece)));
    emitter.emit(TextEnd::new("t"));
    assert_eq!(deltas(&emitter.drain()), ["It was [redacted:name].\n", "Yes, she. "]);
}

#[test]
fn one_long_string_does_not_make_a_payload_longer_than_its_cap() {
    let long = "word ".repeat(10_000);
    let jsons =
        [serde_json::json!(long), serde_json::json!({ "a": 1, "b": long }), serde_json::json!([[&long], &long])];
    for level in [ContentLevel::Redacted, ContentLevel::Full] {
        let redactor = ContentPolicy::new(level).max_json_bytes(1_024).redactor().expect("a policy");
        for json in &jsons {
            let kept = redactor.json(&Json::from(json.clone()));
            assert!(kept.as_str().len() <= 1_024 + 512, "{} bytes are kept", kept.as_str().len());
            assert!(kept.as_str().contains("word word") && kept.as_str().contains("[cut: "), "{kept}");
            assert_eq!(redactor.json(&kept), kept, "once more changes nothing");
        }
    }
}
