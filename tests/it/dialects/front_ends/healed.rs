//! What is told of a text is the text, whatever got lost on the way, if it was told that it did.

use super::{frames, of, told, values};
use proptest::{collection::vec, prelude::*};
use spanwright::{
    Json, StreamEvent,
    event::{
        ExecutionEnd, ExecutionStart, StreamLagged, TextDelta, TextEnd, TextStart, ToolInputAvailable, ToolInputDelta,
        ToolInputStart, ToolOutputAvailable,
    },
    wire::Dialect,
};

/// The two texts, one from letters and one from digits, their pieces mixed, each start before its pieces.
fn mixed(pieces: &[(bool, String)]) -> (Vec<StreamEvent>, [String; 2]) {
    let mut texts = [String::new(), String::new()];
    let mut events: Vec<StreamEvent> = ["0", "1"].map(|id| TextStart::new(id).into()).into();
    for (which, piece) in pieces {
        texts[usize::from(*which)].push_str(piece);
        events.push(TextDelta::new(if *which { "1" } else { "0" }, piece).into());
    }
    (events, texts)
}

/// Without what is lost, which is told where it was.
fn lossy(events: Vec<StreamEvent>, lost: &[bool]) -> Vec<StreamEvent> {
    let lost = lost.iter().copied().chain(std::iter::repeat(false));
    events.into_iter().zip(lost).map(|(event, lost)| if lost { StreamLagged::new(1).into() } else { event }).collect()
}

fn joined(chunks: &[serde_json::Value], id: &str) -> String {
    let pieces = of(chunks, "text-delta").into_iter().filter(|piece| piece["id"] == id);
    pieces.map(|piece| piece["delta"].as_str().expect("delta")).collect()
}

proptest! {
    #[test]
    fn pieces_put_together_are_the_whole_whatever_was_lost(
        pieces in vec((any::<bool>(), "[a-zäß☃]{1,4}"), 0..20),
        lost in vec(prop::bool::weighted(0.3), 0..24),
    ) {
        let (pieces, texts) = mixed(&pieces);
        let mut events = vec![StreamEvent::from(ExecutionStart::new())];
        events.extend(lossy(pieces, &lost));
        events.extend(["0", "1"].map(|id| TextEnd::new(id).final_text(&texts[usize::from(id == "1")]).into()));
        events.push(ExecutionEnd::new(0).into());
        let (told, _) = told(Dialect::AiSdkUi, &events);
        let all = frames(&told);
        let chunks = values(&all[..all.len() - 1]);
        prop_assert_eq!([joined(&chunks, "0"), joined(&chunks, "1")], texts);
    }
}

#[test]
fn a_tools_input_is_whole_again_when_pieces_of_it_were_lost() {
    let lost_at = |lost: usize| {
        let mut events: Vec<StreamEvent> =
            vec![ExecutionStart::new().into(), ToolInputStart::new("c", "search").into()];
        events.extend(["{\"a\"", ":1,\"b\"", ":2}"].map(|piece| ToolInputDelta::new("c", piece).into()));
        events[lost] = StreamLagged::new(1).into();
        let input = Json::parse("{\"a\":1,\"b\":2}").expect("JSON");
        events.push(ToolInputAvailable::new("c", "search", input).into());
        events.push(ToolOutputAvailable::new("c", Json::text("found")).into());
        events.push(ExecutionEnd::new(0).into());
        let (told, _) = told(Dialect::AgUi, &events);
        let chunks = values(&frames(&told));
        of(&chunks, "TOOL_CALL_ARGS").iter().map(|args| args["delta"].as_str().expect("text")).collect::<String>()
    };
    for lost in 1..5 {
        assert_eq!(lost_at(lost), "{\"a\":1,\"b\":2}", "lost {lost}");
    }
}

#[test]
fn a_text_that_was_cut_short_by_the_record_stays_as_it_was_said() {
    let events: Vec<StreamEvent> = vec![
        ExecutionStart::new().into(),
        TextStart::new("t").into(),
        TextDelta::new("t", "all of it").into(),
        TextEnd::new("t").final_text("all").truncated(true).into(),
        ExecutionEnd::new(0).into(),
    ];
    let (told, repairs) = told(Dialect::AgUi, &events);
    assert_eq!(values(&frames(&told))[2]["delta"], "all of it");
    assert_eq!(repairs, 0);
}

#[test]
fn a_run_without_pieces_says_its_texts_at_their_ends() {
    let events: Vec<StreamEvent> = vec![
        ExecutionStart::new().into(),
        TextStart::new("t").into(),
        TextEnd::new("t").final_text("all of it").into(),
        ExecutionEnd::new(0).final_output("the result").into(),
    ];
    let (told, repairs) = told(Dialect::AiSdkUi, &events);
    assert!(told.contains(r#"{"type":"text-delta","id":"t","delta":"all of it"}"#), "{told}");
    assert!(!told.contains("the result"), "{told}");
    assert_eq!(repairs, 0);
}

#[test]
fn a_run_that_says_nothing_but_its_result_says_it_as_a_text() {
    let events: Vec<StreamEvent> =
        vec![ExecutionStart::new().into(), ExecutionEnd::new(0).final_output("the result").into()];
    let (told, _) = told(Dialect::AiSdkUi, &events);
    assert!(told.contains(r#"{"type":"text-delta","id":"result","delta":"the result"}"#), "{told}");
}

#[test]
fn what_is_open_at_once_is_bounded() {
    let mut events: Vec<StreamEvent> = vec![ExecutionStart::new().into()];
    events.extend((0..5_000).map(|number| StreamEvent::from(TextDelta::new(format!("t{number}"), "x"))));
    events.push(ExecutionEnd::new(0).into());
    let (told, repairs) = told(Dialect::AiSdkUi, &events);
    assert_eq!(told.matches("\"text-start\"").count(), told.matches("\"text-end\"").count());
    assert_eq!(told.matches("\"text-start\"").count(), 4_095);
    assert!(repairs >= 905, "{repairs}");
}
