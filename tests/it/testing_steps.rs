//! The language of `assert_steps`: what fits, what does not, and what is said then.

use crate::testing::failure;
use expect_test::expect;
use proptest::prelude::*;
use spanwright::{
    span::{self, AgentSpan},
    testing::{Recording, record},
};

/// A thing with what is done in it.
#[derive(Debug, Clone)]
struct Thing(String, Vec<Self>);

impl Thing {
    fn run(&self) {
        let Self(name, inside) = self;
        let span: AgentSpan = if name.len().is_multiple_of(2) { span::step(name) } else { span::tool(name) };
        span.in_scope(|| inside.iter().for_each(Self::run));
    }
}

fn thing(name: &str, inside: &[Thing]) -> Thing {
    Thing(name.into(), inside.into())
}

fn run_of(things: &[Thing]) -> Recording<()> {
    record(|| span::agent("agent").in_scope(|| things.iter().for_each(Thing::run)))
}

/// `plan(search > search(fetch)) > check > answer`
fn planned() -> Recording<()> {
    let fetch = [thing("fetch", &[])];
    let inner = [thing("search", &[]), thing("search", &fetch)];
    run_of(&[thing("plan", &inner), thing("check", &[]), thing("answer", &[])])
}

#[test]
fn steps_fit_in_order_in_any_order_with_gaps_and_inside() {
    let run = planned();
    assert_eq!(run.steps(), "plan(search > search(fetch)) > check > answer");
    for steps in [
        "plan > check > answer",
        " plan>check>answer ",
        "step plan > tool check > \"answer\"",
        "answer, plan, check",
        "plan > answer, check",
        "plan > ..",
        ".. > answer",
        "..",
        "plan > .. > answer",
        "plan > .. > check > .. > answer > ..",
        ".. > check, plan > ..",
        "plan(search > search) > ..",
        "plan(search(fetch), search) > ..",
        "plan(search, search(fetch())) > ..",
        "plan(search, search()) > ..",
        "plan(search() > ..) > check() > answer",
        "plan(..) > ..",
    ] {
        run.assert_steps(steps);
    }
}

#[test]
fn what_does_not_fit_is_told_by_its_first_difference() {
    let run = planned();
    let found = "   found the steps `plan(search > search(fetch)) > check > answer`\n";
    let tree = format!("\nthe run:\n{}", run.tree());
    let mut told = String::new();
    for steps in [
        "",
        "search > plan",
        "plan > search",
        "plan > check",
        "plan > check > answer > more",
        "plan > check > answer, more",
        "plan, check, more",
        "plan(search > fetch) > ..",
        "plan(search) > ..",
        "plan(search > search(fetch > more)) > ..",
        "plan(search(), search()) > ..",
        "check() > ..",
        ".. > check",
        "plan > .. > more > ..",
        "plan > .. > plan > check > answer",
        "plan > check > .. > check > answer",
    ] {
        let whole = failure(|| run.assert_steps(steps));
        let expected = format!("expected the steps `{steps}`\n{found}");
        let difference = whole.strip_prefix(&expected).and_then(|rest| rest.strip_suffix(&tree)).expect(&whole);
        told += &format!("{steps}\n  {difference}\n");
    }
    expect![[r#"

          at the beginning: expected the end, found `plan`
        search > plan
          at the beginning: expected `search`, found `plan`
        plan > search
          after `plan`: expected `search`, found `check`
        plan > check
          after `check`: expected the end, found `answer`
        plan > check > answer > more
          after `answer`: expected `more`, found nothing
        plan > check > answer, more
          after `check`: expected `answer, more`, found `answer`
        plan, check, more
          at the beginning: expected `plan, check, more` in any order, found `plan > check > answer`
        plan(search > fetch) > ..
          inside `plan`, after `search`: expected `fetch`, found `search`
        plan(search) > ..
          inside `plan`, after `search`: expected the end, found `search`
        plan(search > search(fetch > more)) > ..
          inside `plan`, inside `search`, after `fetch`: expected `more`, found nothing
        plan(search(), search()) > ..
          inside `plan`, inside `search`, at the beginning: expected the end, found `fetch`
        check() > ..
          at the beginning: expected `check`, found `plan`
        .. > check
          after `check`: expected `check`, found `answer`
        plan > .. > more > ..
          after `plan`: expected `more` somewhere, found `check > answer`
        plan > .. > plan > check > answer
          after `plan`: expected `plan > check > answer` at the end, found `check > answer`
        plan > check > .. > check > answer
          after `check`: expected `check > answer` at the end, found `answer`
    "#]]
    .assert_eq(&told);
}

#[test]
fn what_cannot_be_read_is_told_with_its_place() {
    let run = planned();
    let mut told = String::new();
    for steps in ["plan >", "> plan", "plan > > answer", "plan(search", "plan)", "a, .. > b", "\"plan", "a b (c) d"] {
        told += &format!("{}\n", failure(|| run.assert_steps(steps)));
    }
    expect![[r#"
        the steps `plan >` cannot be read: a name should stand at the end, after `plan >`
        the steps `> plan` cannot be read: a name should stand where `>` stands, after ``
        the steps `plan > > answer` cannot be read: a name should stand where `>` stands, after `plan >`
        the steps `plan(search` cannot be read: `)` should stand at the end, after `plan(search`
        the steps `plan)` cannot be read: `>` or the end should stand where `)` stands, after `plan`
        the steps `a, .. > b` cannot be read: a name should stand where `.` stands, after `a,`
        the steps `"plan` cannot be read: a name that ends in `"` should stand where `p` stands, after `"`
        the steps `a b (c) d` cannot be read: `>` or the end should stand where `d` stands, after `a b (c)`
    "#]]
    .assert_eq(&told);
    let deep = "a(".repeat(70);
    assert!(failure(|| run.assert_steps(&deep)).ends_with("nested deeper than 64"));
}

#[test]
fn of_a_deep_run_what_can_be_said_is_said() {
    let deep = (0..100).fold(thing("innermost", &[]), |inside, _| thing("deep", &[inside]));
    let run = run_of(&[deep]);
    assert_eq!(run.steps().matches('(').count(), 64);
    run.assert_steps(&run.steps());
}

#[test]
fn of_several_executions_the_executions_are_outermost() {
    let run = record(|| {
        span::agent("first").in_scope(|| thing("search", &[]).run());
        span::tool("second").in_scope(|| ());
    });
    assert_eq!(run.steps(), "first(search) > second(second)");
    run.assert_steps("first(search) > second");
    run.assert_steps("run first > run second(tool second)");
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("search".to_owned()),
        Just("..".to_owned()),
        Just("...".to_owned()),
        "[a-c >,()\"]{1,4}".prop_filter("a name", |name| !name.trim().is_empty())
    ]
}

fn things() -> impl Strategy<Value = Vec<Thing>> {
    let leaf = names().prop_map(|name| Thing(name, Vec::new()));
    let tree = leaf.prop_recursive(3, 20, 4, |inner| {
        (names(), prop::collection::vec(inner, 0..4)).prop_map(|(name, inside)| Thing(name, inside))
    });
    prop::collection::vec(tree, 1..4)
}

fn shuffled(things: &[Thing]) -> String {
    let mut parts: Vec<String> = things
        .iter()
        .map(|Thing(name, inside)| {
            let name = name.split_whitespace().collect::<Vec<_>>().join(" ").replace('"', "\"\"");
            format!("\"{name}\"({})", shuffled(inside))
        })
        .collect();
    parts.reverse();
    parts.join(", ")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What a run says of itself is true of it, and so is the same in any order.
    #[test]
    fn a_run_fits_its_own_steps(things in things()) {
        let run = run_of(&things);
        run.assert_steps(&run.steps());
        run.assert_steps(&shuffled(&things));
        run.assert_steps("..");
        let one_more = format!("{} > more", run.steps());
        prop_assert!(failure(|| run.assert_steps(&one_more)).contains("found nothing"));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[a-b >,().\"é]{0,24}") {
        let told = std::panic::catch_unwind(|| Recording::of([]).assert_steps(&text));
        // Nothing was recorded, so nothing holds.
        prop_assert!(told.is_err());
    }
}
