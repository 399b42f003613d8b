//! Text from outside: shown, and obeyed by nobody.

use crate::research::{at, json, step, tree_of};
use expect_test::expect;
use proptest::prelude::*;
use spanwright::{
    event::{
        ErrorCategory, ExecutionError, ExecutionStart, GuardrailDecision, GuardrailEvaluated, StepFailed, StepStart,
        StepType, ToolInputAvailable,
    },
    view::{DrawOptions, Inert},
};

#[test]
fn hostile_text_is_shown_and_obeyed_by_nobody() {
    let tree = tree_of([
        at(0, 1, ExecutionStart::new().name("a\u{1b}[2Jb").input("line one\r\nline\ttwo \u{7}\u{9b}31m")),
        at(1, 2, StepStart::new(StepType::FunctionNode, "pay \u{202e}001$\u{2066}").parent_step_id(step(1))),
        at(
            2,
            2,
            StepFailed::new(ExecutionError::new(
                ErrorCategory::ToolError,
                "\u{1b}]0;title\u{7} \u{200b}hid\u{200d}den",
            )),
        ),
        at(
            3,
            3,
            ToolInputAvailable::new(
                "c",
                "名前の長いツール名前の長いツール名前の長いツール",
                json(r#"{"q":"日本語の質問","e":"👩‍👩‍👧 ⚠️ é"}"#),
            ),
        ),
        at(4, 4, StepStart::new(StepType::Other("\u{1b}c".into()), "x".repeat(10_000))),
        at(5, 5, GuardrailEvaluated::new("g", GuardrailDecision::Other("\u{1b}[1m".into()))),
    ]);
    let drawn: String = tree.draw(DrawOptions::default()).iter().map(|line| format!("{line}\n")).collect();
    expect![[r#"
        ● a\u{1b}[2Jb 7f3a  "line one line two \u{7}\u{9b}31m"                                         0.0 s
        ├─ ✗ step pay \u{202e}001$\u{2066}              error: \u{1b}]0;title\u{7} \u{200b}hid\u{20…    1 ms
        ├─ ● tool 名前の長いツール名前の長いツール名…   q: "日本語の質問", e: "👩\u{200d}👩\u{200d}…   0.0 s
        ├─ ● step xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…                                                 0.0 s
        └─ ! guardrail g                                \u{1b}[1m
    "#]]
    .assert_eq(&drawn);
}

/// Independent of the library's own table: what steers direction, or takes no columns.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

#[test]
fn ordinary_text_of_every_script_is_left_as_it_is() {
    for text in ["", "plain", "naïve café", "日本語", "हिन्दी", "ไทย", "שלום", "🦀 emoji", "a → b · c"]
    {
        assert_eq!(Inert::new(text, 100).as_str(), text);
    }
    assert_eq!(Inert::new("  a \n\n b  ", 100).as_str(), "a b");
    assert_eq!(Inert::new("abcdef", 3).as_str(), "abc…");
    assert_eq!(Inert::new("abc", 3).as_str(), "abc");
    assert_eq!(Inert::new("a\u{1b}[2J", 100).as_str(), "a\\u{1b}[2J");
}

proptest! {
    #[test]
    fn inert_text_is_one_bounded_line_without_what_cannot_be_seen(text in any::<String>(), limit in 0..300_usize) {
        let inert = Inert::new(&text, limit);
        prop_assert!(inert.chars().all(|c| !c.is_control() && !is_invisible(c)), "{inert:?}");
        prop_assert!(inert.chars().all(|c| !c.is_whitespace() || c == ' '));
        // One escape more than the limit at most, and the sign that it was cut.
        prop_assert!(inert.chars().count() <= limit + 11);
        prop_assert_eq!(Inert::new(&inert, usize::MAX), inert);
    }
}
