//! Programs that print on the terminal on which their runs are drawn: nothing of theirs is lost.

use crate::research::time;
use crate::screen::Terminal;
use crate::terminal::{FOOTER, Written};
use expect_test::expect;
use spanwright::{
    ExecutionId, StepId, StreamEvent,
    event::{Body, ExecutionEnd, ExecutionStart, StepStart, StepType},
    hub::Received,
    terminal::{Live, Look, Output, Size, Stage, TerminalTree},
};
use std::{
    io::{self, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering::Relaxed},
        mpsc,
    },
    time::Duration,
};

const SIZE: Size = Size::new(61, 20);

fn id(run: u128) -> ExecutionId {
    ExecutionId::from_trace_id(run)
}

fn event(run: u128, ms: i64, body: impl Into<Body>) -> StreamEvent {
    StreamEvent::new(body).of_execution(id(run)).of_step(StepId::from_span_id(run as u64)).at(time(ms))
}

fn starts(run: u128, ms: i64, name: &str) -> StreamEvent {
    event(run, ms, ExecutionStart::new().name(name.to_owned()))
}

fn ends(run: u128, ms: i64) -> StreamEvent {
    event(run, ms, ExecutionEnd::new(ms as u64))
}

/// The three that work together, without threads.
struct Show {
    live: Live,
    stage: Stage,
    terminal: Terminal,
}

impl Show {
    fn new() -> Self {
        Self { live: Live::new(FOOTER), stage: Stage::new(false), terminal: Terminal::new(SIZE.width, SIZE.height) }
    }

    /// Draws, and gives what was sent.
    fn frame(&mut self, ms: i64) -> String {
        let bytes = self.live.frame(&mut self.stage, time(ms), SIZE);
        self.terminal.feed(&bytes);
        bytes
    }

    fn last_frame(&mut self, ms: i64) {
        self.terminal.feed(&self.live.last_frame(&mut self.stage, time(ms), SIZE));
    }

    /// What the recorder's hook does, on the thread that ends the run.
    fn clear(&mut self, run: u128, ms: i64) {
        self.terminal.feed(&self.stage.clear(Some(&id(run)), time(ms), SIZE));
    }
}

#[test]
fn a_run_shorter_than_300_ms_is_not_drawn_before_it_has_ended() {
    let mut show = Show::new();
    show.live.apply(&starts(1, 0, "quick"));
    assert_eq!((show.frame(0), show.frame(150), show.frame(299)), Default::default());
    assert_eq!(show.live.wait(time(350)), Duration::from_millis(49), "it is looked at again, since it may grow old");
    show.clear(1, 299);
    show.terminal.print("the answer\n");
    show.live.apply(&ends(1, 299));
    assert_eq!(show.frame(350), "", "the program has the floor");
    let appended = show.frame(399);
    assert!(!appended.contains("A"), "it goes up by no line: {appended:?}");
    assert_eq!(show.terminal.text(), format!("the answer\n✓ quick 0001{}299 ms\n\n", " ".repeat(42)));
}

#[test]
fn a_run_is_drawn_with_the_footer_from_300_ms_on() {
    let mut show = Show::new();
    show.live.apply(&starts(1, 0, "slow"));
    show.frame(300);
    assert!(show.terminal.text().starts_with("● slow 0001"), "{}", show.terminal.text());
    assert!(show.terminal.text().trim_end().ends_with(FOOTER));
}

#[test]
fn what_is_printed_between_the_end_and_the_next_frame_survives_and_nothing_stale_stays() {
    let mut show = Show::new();
    show.terminal.print("$ program\n");
    show.live.apply(&starts(1, 0, "research"));
    show.live.apply(&event(1, 5, StepStart::new(StepType::FunctionNode, "think")).of_step(StepId::from_span_id(9)));
    show.frame(400);
    show.clear(1, 450);
    show.terminal.print("line one\n");
    show.frame(500);
    show.terminal.print("line two\n");
    // The end has not come through the gate yet; the run is not drawn at work again all the same.
    show.frame(550);
    show.terminal.print("line three\n");
    show.live.apply(&ends(1, 450));
    show.frame(650);
    show.terminal.print("line four\n");
    show.last_frame(700);
    expect![[r#"
        $ program
        line one
        line two
        line three
        ✓ research 0001                                       450 ms
        └─ ? step think  no end was seen
        line four

    "#]]
    .assert_eq(&show.terminal.text());
}

#[test]
fn a_prompt_without_a_line_end_survives() {
    let mut show = Show::new();
    show.live.apply(&starts(1, 0, "chat"));
    show.frame(400);
    show.clear(1, 450);
    show.terminal.print("the answer\n> ");
    show.live.apply(&ends(1, 450));
    show.frame(550);
    assert!(show.terminal.text().starts_with("the answer\n>\n✓ chat 0001"), "{}", show.terminal.text());
}

#[test]
fn runs_that_are_still_at_work_are_drawn_again_below_what_was_printed() {
    let mut show = Show::new();
    show.live.apply(&starts(1, 0, "first"));
    show.live.apply(&starts(2, 0, "second"));
    show.frame(400);
    show.clear(1, 450);
    show.terminal.print("answer one\n");
    show.live.apply(&ends(1, 450));
    show.frame(500);
    show.terminal.print("and more of it\n");
    show.frame(550);
    show.frame(650);
    expect![[r#"
        answer one
        and more of it
        ✓ first 0001                                          450 ms
        ● second 0002                                          0.6 s
        log runs.db   live http://127.0.0.1:7777

    "#]]
    .assert_eq(&show.terminal.text());
    show.clear(2, 700);
    show.terminal.print("answer two\n");
    show.live.apply(&ends(2, 700));
    show.last_frame(701);
    expect![[r#"
        answer one
        and more of it
        ✓ first 0001                                          450 ms
        answer two
        ✓ second 0002                                         700 ms

    "#]]
    .assert_eq(&show.terminal.text());
}

#[test]
fn finished_trees_are_drawn_although_runs_end_all_the_time() {
    let mut show = Show::new();
    for run in 1..=100_u128 {
        let ms = run as i64 * 20;
        show.live.apply(&starts(run, ms, "worker"));
        show.clear(run, ms + 10);
        show.live.apply(&ends(run, ms + 10));
        if show.live.wait(time(ms + 10)).is_zero() {
            show.frame(ms + 10);
        }
    }
    show.last_frame(2100);
    assert_eq!(show.terminal.text().matches("✓ worker").count(), 100);
}

#[test]
fn where_a_clearing_came_too_late_an_old_frame_stays_and_no_output_is_lost() {
    let mut show = Show::new();
    show.live.apply(&starts(1, 0, "stopped"));
    show.frame(400);
    show.terminal.print("the answer\n");
    show.stage.abandon(time(500));
    show.live.apply(&ends(1, 450));
    show.last_frame(600);
    assert!(show.terminal.text().contains("the answer\n✓ stopped 0001"), "{}", show.terminal.text());
}

#[test]
fn what_still_runs_at_the_end_is_left_and_not_cleared_any_more() {
    let mut show = Show::new();
    show.live.apply(&starts(1, 0, "background"));
    show.frame(400);
    show.last_frame(450);
    show.terminal.print("record in spanwright.db\n");
    show.clear(1, 500);
    let text = show.terminal.text();
    assert!(text.starts_with("● background 0001") && text.ends_with("s\nrecord in spanwright.db\n\n"), "{text}");
}

/// The thread with a source and a clock of the test's own.
fn start(writer: impl Write + Send + 'static, clock: &Arc<AtomicI64>) -> (TerminalTree, mpsc::Sender<StreamEvent>) {
    let clock = Arc::clone(clock);
    let (send, receive) = mpsc::channel();
    let next = move |limit| match receive.recv_timeout(limit) {
        Ok(event) => Received::Event(event),
        Err(mpsc::RecvTimeoutError::Timeout) => Received::TimedOut,
        Err(mpsc::RecvTimeoutError::Disconnected) => Received::Ended,
    };
    let output = Output::new(writer, Look::Tree).with_size(|| SIZE).with_clock(move || time(clock.load(Relaxed)));
    (TerminalTree::start(next, output).expect("a thread"), send)
}

#[test]
fn the_screen_is_clear_when_the_call_that_makes_way_returns() {
    let written = Written::default();
    let (tree, send) = start(written.clone(), &Arc::new(AtomicI64::new(400)));
    send.send(starts(1, 0, "threaded")).expect("the thread listens");
    while !written.text().contains("● threaded") {
        std::thread::yield_now();
    }
    (tree.make_way())(Some(&id(1)));
    let mut terminal = Terminal::new(SIZE.width, SIZE.height);
    let until_here = written.text();
    terminal.feed(&until_here);
    assert_eq!(terminal.text(), "\n");
    terminal.print("the answer\n");
    send.send(ends(1, 400)).expect("the thread listens");
    drop(send);
    drop(tree);
    terminal.feed(&written.text()[until_here.len()..]);
    assert!(terminal.text().starts_with("the answer\n✓ threaded 0001"), "{}", terminal.text());
}

/// A terminal that was stopped with Ctrl-S after its first frame.
struct Stopped {
    written: Written,
    frames: u32,
    told: mpsc::Sender<()>,
    go_on: Mutex<mpsc::Receiver<()>>,
}

impl Write for Stopped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.frames += 1;
        if self.frames == 2 {
            self.told.send(()).expect("the test waits");
            self.go_on.lock().expect("lock").recv().expect("the test says so");
        }
        self.written.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_terminal_that_hangs_holds_up_no_run_that_ends_and_what_is_printed_then_survives() {
    let (written, (told, is_stopped), (go, go_on)) = (Written::default(), mpsc::channel(), mpsc::channel());
    let clock = Arc::new(AtomicI64::new(400));
    let (tree, send) = start(Stopped { written: written.clone(), frames: 0, told, go_on: Mutex::new(go_on) }, &clock);
    send.send(starts(1, 0, "first")).expect("the thread listens");
    while written.text().is_empty() {
        std::thread::yield_now();
    }
    let first = written.text().len();
    clock.store(500, Relaxed);
    is_stopped.recv().expect("the second frame");
    (tree.make_way())(Some(&id(1)));
    go.send(()).expect("the writer waits");
    while written.text().len() == first {
        std::thread::yield_now();
    }
    let mut terminal = Terminal::new(SIZE.width, SIZE.height);
    let until_here = written.text();
    terminal.feed(&until_here);
    terminal.print("the answer\n");
    send.send(ends(1, 450)).expect("the thread listens");
    drop(send);
    drop(tree);
    terminal.feed(&written.text()[until_here.len()..]);
    assert!(terminal.text().contains("the answer\n✓ first 0001"), "{}", terminal.text());
}
