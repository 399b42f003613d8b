//! Threads that go while the layer listens.

use crate::child;
use spanwright::{
    AgentLayer, Recorder,
    semconv::{DELTA_TARGET, DELTA_TEXT},
    span,
};
use tracing::{Level, event, info};
use tracing_subscriber::{prelude::*, registry};

/// What a thread leaves behind logs when everything that the layer keeps for the thread is gone. (It opens no span: the
/// registry itself cannot take one any more.)
struct LastWords;

impl Drop for LastWords {
    fn drop(&mut self) {
        info!(gen_ai.usage.input_tokens = 7, "used");
        event!(target: DELTA_TARGET, Level::INFO, { { DELTA_TEXT } = "said" });
    }
}

thread_local! {
    static LAST_WORDS: LastWords = const { LastWords };
}

#[test]
fn what_a_thread_logs_while_it_is_torn_down_harms_nobody() {
    const TEST: &str = "teardown::what_a_thread_logs_while_it_is_torn_down_harms_nobody";
    if child::part().is_none() {
        let said = child::run(TEST, "global", &[]);
        assert!(!said.contains("panicked"), "{said}");
        return;
    }
    let recorder = Recorder::builder().start().expect("start");
    let subscriber = registry().with(AgentLayer::new(recorder.clone()));
    tracing::subscriber::set_global_default(subscriber).expect("the only one");
    let thread = std::thread::spawn(|| {
        LAST_WORDS.with(|_| ());
        span::tool("first").in_scope(|| ());
    });
    thread.join().expect("the thread");
    assert_eq!(recorder.stats().callback_panics, 0);
}
