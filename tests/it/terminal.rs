//! What the terminal is sent: frames that stay in place, and plain lines where there is no terminal.

use crate::research::{any_events, at, research_begins, research_ends, step, time, whole_research};
use crate::screen::Terminal;
use expect_test::expect;
use proptest::prelude::*;
use spanwright::{
    ExecutionId, Recorder, StreamEvent,
    event::{Body, ExecutionEnd, ExecutionStart, StepEnd, StepStart, StepType, StreamLagged},
    hub::{Filter, From, Received},
    terminal::{Live, Look, Output, Plain, Size, Stage, TerminalTree},
};
use std::{
    collections::VecDeque,
    io::{self, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

pub(crate) const FOOTER: &str = "log runs.db   live http://127.0.0.1:7777";

#[test]
fn the_live_tree_stands_still_while_it_works_and_scrolls_up_when_it_is_done() {
    let (mut live, mut stage, mut terminal) = (Live::new(FOOTER), Stage::new(true), Terminal::new(101, 40));
    let size = terminal.size;
    research_begins().iter().for_each(|event| live.apply(event));
    terminal.feed(&live.frame(&mut stage, time(6900), size));
    let first = terminal.text();
    terminal.feed(&live.frame(&mut stage, time(7100), size));
    expect![[r#"
        ● research 7f3a  "why is the sky blue"      3,912 tok (2,048 cached) · context 61 %   7.1 s  $0.0022
        ├─ ✓ memory recall           3 hits for "sky colour"                                  12 ms
        ├─ ! guardrail pii           warn: one value redacted                                  2 ms
        ├─ ✓ llm gpt-5-2026-01       2,600 → 81 tok (2,048 cached) · ttft 310 ms · 74 tok/s   1.4 s  $0.0018
        ├─ ✓ tool search             "rayleigh scattering"                                   420 ms
        │  └─ ✓ agent reader                                                                 414 ms
        │     ├─ ✓ retriever papers  12 hits for "rayleigh"                                    8 ms
        │     └─ ✓ llm gpt-5-mini    1,100 → 131 tok · 328 tok/s                             400 ms  $0.0004
        ├─ ● llm gpt-5               streaming 216 chars · ttft 310 ms                        5.1 s
        └─ ◌ tool write_file         waiting for permission (ask) · path: "report.md", mod…   0.8 s
        log runs.db   live http://127.0.0.1:7777

    "#]]
    .assert_eq(&terminal.text());
    assert_eq!(first.lines().count(), terminal.text().lines().count());
    research_ends().iter().for_each(|event| live.apply(event));
    terminal.feed(&live.last_frame(&mut stage, time(39_100), size));
    expect![[r#"
        ✓ research 7f3a  "why is the sky blue"  ≥ 7,325 tok (2,048 cached) · context 61 %  39.0 s  ≥ $0.0053
        ├─ ✓ memory recall           3 hits for "sky colour"                                12 ms
        ├─ ! guardrail pii           warn: one value redacted                                2 ms
        ├─ ✓ llm gpt-5-2026-01       2,600 → 81 tok (2,048 cached) · ttft 310 ms · 74 to…   1.4 s    $0.0018
        ├─ ✓ tool search             "rayleigh scattering"                                 420 ms
        │  └─ ✓ agent reader                                                               414 ms
        │     ├─ ✓ retriever papers  12 hits for "rayleigh"                                  8 ms
        │     └─ ✓ llm gpt-5-mini    1,100 → 131 tok · 328 tok/s                           400 ms    $0.0004
        ├─ ✓ llm gpt-5               3,000 → 413 tok · ttft 310 ms · 86 tok/s · stopped:…   5.1 s    $0.0031
        ├─ ✓ tool write_file         path: "report.md", mode: "new" · granted by anna      930 ms
        ├─ ✓ artifact report.md      text/markdown, 12,345 bytes
        ├─ ✗ tool fetch              error: HTTP 503 from example.org · url: "https://ex…  100 ms
        ├─ ✗ tool shell              denied: the policy said no · "rm -rf /" · policy de…    2 ms
        ├─ ✗ tool crawl              timed out: no answer within 31 s · depth: 9           31.0 s
        ├─ ✗ tool render             panicked: index out of bounds · page: 1               31.0 s
        ├─ ⊘ step second opinion     cancelled: given up · try 2                           101 ms
        │  └─ ⊘ llm other-model      cancelled: dropped                                     90 ms
        ├─ ✓ memory store            stored episodic                                         5 ms
        ├─ ? agent critic            lost: its process ended before it did
        └─ ✓ evaluator faithful      0.9: all claims have a source

    "#]]
    .assert_eq(&terminal.text());
}

#[test]
fn the_live_tree_is_never_higher_than_the_terminal() {
    for height in 1..30 {
        let (mut live, mut stage, mut terminal) = (Live::new(FOOTER), Stage::new(false), Terminal::new(80, height));
        for event in research_begins() {
            live.apply(&event);
            terminal.feed(&live.frame(&mut stage, time(7100), Size::new(80, height)));
        }
        assert!(terminal.lines.len() <= height.max(1), "{height}\n{}", terminal.text());
    }
}

#[test]
fn many_runs_share_the_terminal_and_those_without_room_are_counted() {
    let event =
        |run: u128, number, body: Body| at(run as i64, number, body).of_execution(ExecutionId::from_trace_id(run));
    let mut live = [Live::new(FOOTER), Live::new(FOOTER)];
    let mut apply = |event: StreamEvent| live.iter_mut().for_each(|live| live.apply(&event));
    for run in 1..=3_u128 {
        apply(event(run, 1, ExecutionStart::new().name("worker").into()));
        for number in 2..(2 + 4 * run as u64) {
            apply(event(run, number, StepStart::new(StepType::FunctionNode, format!("s{number}")).into()));
        }
    }
    apply(StreamEvent::new(StreamLagged::new(12)));
    let mut terminal = Terminal::new(61, 16);
    terminal.feed(&live[0].frame(&mut Stage::new(false), time(500), terminal.size));
    expect![[r#"
        ● worker 0001                                          0.4 s
        ├─ … 2 more
        ├─ ● step s4                                           0.4 s
        └─ ● step s5                                           0.4 s
        ● worker 0002                                          0.4 s
        ├─ … 6 more
        ├─ ● step s8                                           0.4 s
        └─ ● step s9                                           0.4 s
        ● worker 0003                                          0.4 s
        ├─ … 9 more
        ├─ ● step s11                                          0.4 s
        ├─ ● step s12                                          0.4 s
        └─ ● step s13                                          0.4 s
        12 events were not shown
        log runs.db   live http://127.0.0.1:7777

    "#]]
    .assert_eq(&terminal.text());
    let mut terminal = Terminal::new(61, 5);
    terminal.feed(&live[1].frame(&mut Stage::new(false), time(500), terminal.size));
    expect![[r#"
        … 2 more runs
        ● worker 0003                                          0.4 s
        12 events were not shown
        log runs.db   live http://127.0.0.1:7777

    "#]]
    .assert_eq(&terminal.text());
}

#[test]
fn it_is_drawn_ten_times_a_second_at_most_and_only_where_something_moves() {
    let (mut live, mut stage) = (Live::new(""), Stage::new(false));
    assert_eq!(live.wait(time(0)), Duration::MAX);
    live.apply(&at(0, 1, ExecutionStart::new()));
    assert_eq!(live.wait(time(0)), Duration::ZERO);
    live.frame(&mut stage, time(0), Size::new(80, 24));
    live.apply(&at(30, 2, StepStart::new(StepType::FunctionNode, "x")));
    assert_eq!(live.wait(time(30)), Duration::from_millis(70));
    assert_eq!(live.wait(time(-5000)), Duration::ZERO, "the clock was set back");
    live.frame(&mut stage, time(100), Size::new(80, 24));
    live.apply(&at(110, 1, ExecutionEnd::new(110)));
    live.frame(&mut stage, time(200), Size::new(80, 24));
    assert_eq!(live.wait(time(200)), Duration::MAX, "nothing runs any more");
}

#[test]
fn a_late_event_of_a_finished_run_is_not_shown_as_a_new_run() {
    let (mut live, mut stage) = (Live::new(""), Stage::new(false));
    live.apply(&at(0, 1, ExecutionStart::new().name("quick")));
    live.apply(&at(1, 2, StepStart::new(StepType::FunctionNode, "background")));
    live.apply(&at(2, 1, ExecutionEnd::new(2)));
    assert!(live.frame(&mut stage, time(2), Size::new(80, 24)).contains("no end was seen"));
    live.apply(&at(9, 2, StepEnd::new(8)));
    assert_eq!(live.frame(&mut stage, time(9), Size::new(80, 24)), "");
}

#[test]
fn without_a_terminal_each_start_and_each_end_is_one_plain_line() {
    let mut plain = Plain::new(FOOTER);
    whole_research().iter().for_each(|event| plain.apply(event));
    let text = plain.last_lines();
    assert!(!text.contains('\u{1b}'));
    expect![[r#"
           0.0s  run research              start               "why is the sky blue"
           0.0s  memory recall             start
           0.0s  memory recall             ok           12 ms  3 hits for "sky colour"
           0.0s  guardrail pii             start
           0.0s  guardrail pii             ok            2 ms  warn: one value redacted
           0.0s  llm gpt-5                 start
           1.4s  llm gpt-5-2026-01         ok           1.4 s  2,600 → 81 tok (2,048 cached) · ttft 310 ms · 74 tok/s
           1.4s  tool search               start               "rayleigh scattering"
           1.4s  agent reader              start
           1.4s  retriever papers          start
           1.4s  retriever papers          ok            8 ms  12 hits for "rayleigh"
           1.4s  llm gpt-5-mini            start
           1.8s  llm gpt-5-mini            ok          400 ms  1,100 → 131 tok · 328 tok/s
           1.8s  agent reader              ok          414 ms
           1.9s  tool search               ok          420 ms  "rayleigh scattering"
           2.0s  llm gpt-5                 start
           6.3s  tool write_file           start               path: "report.md", mode: "new"
           6.3s  tool write_file           wait                waiting for permission (ask) · path: "report.md", mode: "new"
           7.1s  llm gpt-5                 ok           5.1 s  3,000 → 413 tok · ttft 310 ms · 86 tok/s · stopped: length
           7.2s  tool write_file           go on               path: "report.md", mode: "new" · granted by anna
           7.2s  tool write_file           ok          930 ms  path: "report.md", mode: "new" · granted by anna
           7.2s  artifact report.md        ok                  text/markdown, 12,345 bytes
           7.3s  tool fetch                start               url: "https://example.org/a", tries: 3
           7.4s  tool fetch                error       100 ms  HTTP 503 from example.org · url: "https://example.org/a", tries: 3
           7.4s  tool shell                start               "rm -rf /"
           7.4s  tool shell                denied        2 ms  the policy said no · "rm -rf /" · policy deny: destructive
           7.5s  tool crawl                start               depth: 9
           7.5s  tool render               start               page: 1
          38.5s  tool crawl                timed out   31.0 s  no answer within 31 s · depth: 9
          38.5s  tool render               panicked    31.0 s  index out of bounds · page: 1
          38.6s  step second opinion       start               try 2
          38.6s  llm other-model           start
          38.7s  llm other-model           cancelled    90 ms  dropped
          38.7s  step second opinion       cancelled   101 ms  given up · try 2
          38.8s  memory store              start
          38.8s  memory store              ok            5 ms  stored episodic
          38.8s  agent critic              start
          38.9s  agent critic              lost                its process ended before it did
          39.0s  evaluator faithful        ok                  0.9: all claims have a source
          39.0s  run research              ok          39.0 s  "why is the sky blue" · ≥ 7,325 tok (2,048 cached) · context 61 % · ≥ $0.0053
        log runs.db   live http://127.0.0.1:7777
    "#]].assert_eq(&text);
}

#[test]
fn plain_lines_of_several_runs_say_whose_they_are() {
    let event = |run: u128, ms, number, body: Body| at(ms, number, body).of_execution(ExecutionId::from_trace_id(run));
    let mut plain = Plain::new("");
    plain.apply(&event(0xa, 0, 1, ExecutionStart::new().name("one").into()));
    plain.apply(&event(0xb, 5, 1, ExecutionStart::new().name("two").into()));
    plain.apply(&event(0xa, 60_000, 2, StepStart::new(StepType::FunctionNode, "x").into()));
    plain.apply(&event(0xb, 60_000, 1, ExecutionEnd::new(59_995).into()));
    plain.apply(&event(0xa, 60_001, 2, StepEnd::new(1).into()));
    expect![[r#"
        two at once
           0.0s  run one                   start
           0.0s  000b  run two                   start
          60.0s  000a  step x                    start
          60.0s  000b  run two                   ok          59.9 s
          60.0s  000a  step x                    ok            1 ms
    "#]]
    .assert_eq(&format!("two at once\n{}", plain.last_lines()));
}

#[test]
fn colours_and_redrawing_need_a_terminal_that_can_and_an_owner_who_wants() {
    let look = |is_terminal, variables: &'static [(&'static str, &'static str)]| {
        Look::detect(is_terminal, |name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into())
        })
    };
    assert_eq!(look(true, &[("TERM", "xterm-256color")]), Look::ColouredTree);
    assert_eq!(look(true, &[("NO_COLOR", "")]), Look::ColouredTree, "an empty NO_COLOR is none, says no-color.org");
    assert_eq!(look(true, &[("NO_COLOR", "1")]), Look::Lines);
    assert_eq!(look(true, &[("TERM", "dumb")]), Look::Lines);
    assert_eq!(look(false, &[]), Look::Lines);
}

/// A writer that can be read while it is written to.
#[derive(Clone, Default)]
pub(crate) struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Written {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("lock").clone()).expect("UTF-8")
    }
}

/// Gives the events with their own times; waiting moves the clock.
fn replay(events: Vec<StreamEvent>, clock: Arc<AtomicI64>) -> impl FnMut(Duration) -> Received + Send {
    let mut events: VecDeque<_> = events.into();
    move |limit| {
        let now = clock.load(Ordering::Relaxed);
        let due = events.front().and_then(|event| event.time).map(|time| time.unix_nanos());
        match due {
            Some(due) if due <= now + limit.as_nanos() as i64 => {
                clock.store(due.max(now), Ordering::Relaxed);
                events.pop_front().map_or(Received::Ended, Received::Event)
            }
            Some(_) => {
                clock.store(now + limit.as_nanos() as i64, Ordering::Relaxed);
                Received::TimedOut
            }
            None => Received::TimedOut,
        }
    }
}

fn shown_by_the_thread(look: Look) -> String {
    let clock = Arc::new(AtomicI64::new(time(0).unix_nanos()));
    let (written, read) = (Written::default(), Arc::clone(&clock));
    let output = Output::new(written.clone(), look)
        .with_footer(FOOTER)
        .with_size(|| Size::new(101, 40))
        .with_clock(move || spanwright::Timestamp::from_unix_nanos(read.load(Ordering::Relaxed)));
    let tree = TerminalTree::start(replay(whole_research(), clock), output).expect("a thread");
    while !written.text().contains("39.0 s") {
        std::thread::yield_now();
    }
    tree.stop();
    written.text()
}

#[test]
fn the_thread_shows_the_same_as_its_parts() {
    let text = shown_by_the_thread(Look::ColouredTree);
    let mut terminal = Terminal::new(101, 40);
    terminal.feed(&text);
    let frames = text.matches("\u{1b}[J").count();
    assert!((100..=400).contains(&frames), "{frames} frames in 39 s");
    assert!(terminal.text().starts_with("✓ research"), "{}", terminal.text());
    assert!(text.contains(FOOTER) && !terminal.text().contains(FOOTER), "it stands below what runs");
    let mut plain = Plain::new(FOOTER);
    whole_research().iter().for_each(|event| plain.apply(event));
    assert_eq!(shown_by_the_thread(Look::Lines), plain.last_lines());
}

#[test]
fn a_stream_of_the_hub_is_shown_to_its_end() {
    let recorder = Recorder::builder().start().expect("a recorder");
    let mut stream = recorder.subscribe(Filter::everything(), From::Live);
    let written = Written::default();
    let output = Output::new(written.clone(), Look::Tree).with_footer(FOOTER);
    let tree = TerminalTree::start(move |limit| stream.recv_timeout(limit), output).expect("a thread");
    whole_research().into_iter().for_each(|event| recorder.emit(event));
    recorder.shutdown(Duration::from_secs(60)).expect("all is shown");
    drop(tree);
    let mut terminal = Terminal::new(100, 40);
    terminal.feed(&written.text());
    assert!(terminal.text().starts_with("✓ research 7f3a"), "{}", terminal.text());
    assert!(terminal.text().contains("└─ ✓ evaluator faithful"), "{}", terminal.text());
}

#[test]
fn the_thread_ends_with_its_source_and_with_a_writer_that_fails() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let tree = TerminalTree::start(|_| Received::Ended, Output::new(Closed, Look::Tree)).expect("a thread");
    drop(tree);
    let forever = |_| Received::Event(at(0, 1, ExecutionStart::new()));
    drop(TerminalTree::start(forever, Output::new(Closed, Look::Lines)).expect("a thread"));
}

#[test]
fn a_source_that_never_pauses_does_not_hold_up_the_stop() {
    let mut number = 10;
    let forever = move |_| {
        number += 1;
        Received::Event(at(0, number, StepStart::new(StepType::FunctionNode, "x").parent_step_id(step(1))))
    };
    let written = Written::default();
    drop(TerminalTree::start(forever, Output::new(written.clone(), Look::Tree)).expect("a thread"));
    assert!(written.text().contains("more"));
}

proptest! {
    #[test]
    fn a_terminal_is_sent_no_command_but_ours_whatever_the_events(
        events in any_events(), width in 1..130_usize, height in 1..30_usize, footer in any::<String>(),
    ) {
        let (mut live, mut stage, mut terminal) = (Live::new(&footer), Stage::new(true), Terminal::new(width, height));
        let mut plain = Plain::new(&footer);
        for (index, event) in events.iter().enumerate() {
            live.apply(event);
            plain.apply(event);
            if index % 7 == 0 {
                terminal.feed(&live.frame(&mut stage, time(index as i64), terminal.size));
            }
            if index % 11 == 0 {
                terminal.feed(&stage.clear(event.execution_id.as_ref(), time(index as i64), terminal.size));
            }
        }
        terminal.feed(&live.last_frame(&mut stage, time(100), terminal.size));
        prop_assert!(plain.last_lines().chars().all(|c| c == '\n' || !c.is_control()));
    }
}
