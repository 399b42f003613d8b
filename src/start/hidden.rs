//! Whether a filter in front of the whole subscriber hides agent spans from everybody: said once, at the start.

use crate::{error::say, semconv};
use std::{sync::mpsc, time::Duration};
use tracing::{
    Dispatch, Level, Metadata,
    callsite::{Callsite, Identifier},
    field::FieldSet,
    level_filters::STATIC_MAX_LEVEL,
    metadata::Kind,
    subscriber::Interest,
};

/// A span as `span::agent` opens it, which nobody ever opens: for filters to judge.
struct Probe;

static PROBE: Probe = Probe;

static SPAN: Metadata<'static> = Metadata::new(
    "invoke_agent",
    "spanwright::agent",
    Level::INFO,
    None,
    None,
    None,
    FieldSet::new(&[semconv::OPERATION_NAME], Identifier(&PROBE)),
    Kind::SPAN,
);

impl Callsite for Probe {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &SPAN
    }
}

/// How long a filter of the user's may take to answer.
const LIMIT: Duration = Duration::from_secs(1);

/// Says on stderr when the complete subscriber lets no agent span through, and what to do.
pub(super) fn tell(dispatch: &Dispatch) {
    if STATIC_MAX_LEVEL < Level::INFO {
        say(
            "agent spans are compiled out: a `max_level_…` feature of the crate `tracing` removes level INFO; drop that \
             feature, or set it to `info` or more",
        );
    } else if is_hidden(dispatch) {
        say(
            "agent spans are hidden (target `spanwright::agent`, level INFO) by a filter on the whole subscriber: give it \
             to the layer that it is meant for, as in `fmt::layer().with_filter(filter)`, or add `spanwright=info` to it",
        );
    }
}

/// Asked on a thread of its own: tracing-subscriber keeps the answers of filters in thread locals for the span that it
/// expects next, and here comes none.
fn is_hidden(dispatch: &Dispatch) -> bool {
    let (answer, answered) = mpsc::channel();
    let dispatch = dispatch.clone();
    let asking = std::thread::Builder::new().name("spanwright-filters".into()).spawn(move || {
        let hidden = match dispatch.register_callsite(&SPAN) {
            interest if interest.is_always() => false,
            interest if interest.is_never() => true,
            _ => !dispatch.enabled(&SPAN),
        };
        // Before the answer: nobody may find the subscriber still held.
        drop(dispatch);
        let _ = answer.send(hidden);
    });
    asking.is_ok() && answered.recv_timeout(LIMIT).unwrap_or(false)
}
