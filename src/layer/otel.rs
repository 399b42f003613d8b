//! Beside a tracing-opentelemetry layer: the ids that it gives a span are ours.
//!
//! It keeps them to itself until its span is started, which asking does. A started span takes no other parent, name or
//! kind any more, so it is asked as late as our own start can be told, and never while a span is locked.

use super::open::OpenSpan;
use crate::{ExecutionId, StepId};
use tracing::{Dispatch, span::Id};
use tracing_subscriber::registry::{LookupSpan, SpanRef};

/// What OpenTelemetry calls a span: its trace and itself.
pub(super) struct Ids {
    pub(super) trace: ExecutionId,
    pub(super) step: StepId,
}

pub(super) use neighbour::Neighbour;

#[cfg(feature = "tracing-opentelemetry")]
mod neighbour {
    use super::{Dispatch, ExecutionId, Id, Ids, LookupSpan, OpenSpan, SpanRef, StepId};
    use opentelemetry::trace::TraceContextExt;
    use std::{
        cell::Cell,
        sync::{
            OnceLock,
            atomic::{AtomicBool, Ordering},
        },
    };
    use tracing::dispatcher::{self, WeakDispatch};

    thread_local! {
        static ASKING: Cell<bool> = const { Cell::new(false) };
    }

    /// Until it is dropped, this thread asks.
    struct Asking;

    impl Asking {
        /// Not while it asks already: a processor may open spans when one starts, which is locked then.
        fn begin() -> Option<Self> {
            (!ASKING.replace(true)).then_some(Self)
        }
    }

    impl Drop for Asking {
        fn drop(&mut self) {
            ASKING.set(false);
        }
    }

    /// The tracing-opentelemetry layer of the same subscriber, if there is one.
    #[derive(Debug)]
    pub(in crate::layer) struct Neighbour {
        dispatch: OnceLock<WeakDispatch>,
        /// It gave ids: it is there, though a filter of its own may keep some spans from it.
        seen: AtomicBool,
        /// It gave none for a span that every layer has seen.
        missed: AtomicBool,
    }

    impl Neighbour {
        pub(in crate::layer) const fn new() -> Self {
            Self { dispatch: OnceLock::new(), seen: AtomicBool::new(false), missed: AtomicBool::new(false) }
        }

        /// The subscriber that both layers are in.
        pub(in crate::layer) fn meet(&self, dispatch: &Dispatch) {
            let _ = self.dispatch.set(dispatch.downgrade());
        }

        /// Whether it is there, as far as one knows: it cannot be asked without a span.
        pub(in crate::layer) fn is_expected(&self) -> bool {
            self.seen.load(Ordering::Relaxed) || !self.missed.load(Ordering::Relaxed)
        }

        /// The ids of a span, which starts it. Nothing of the span may be locked. None too where the layer stands
        /// behind ours and has not seen the span yet.
        pub(in crate::layer) fn ids(&self, id: &Id) -> Option<Ids> {
            let _asking = Asking::begin()?;
            // Around our layer may be one that does not hand the dispatch on (an `Option`, a `Vec`): the global one then.
            let dispatch = self.dispatch.get().and_then(WeakDispatch::upgrade);
            let dispatch = dispatch.unwrap_or_else(|| dispatcher::get_default(Clone::clone));
            let context = tracing_opentelemetry::get_otel_context(id, &dispatch)?;
            let span = context.span();
            // Without a tracer behind it, it has no ids to give.
            let known = Some(span.span_context()).filter(|context| context.is_valid())?;
            self.seen.store(true, Ordering::Relaxed);
            Some(Ids {
                trace: ExecutionId::from_trace_id(u128::from_be_bytes(known.trace_id().to_bytes())),
                step: StepId::from_span_id(u64::from_be_bytes(known.span_id().to_bytes())),
            })
        }

        /// The ids of a span that every layer has seen, if it is about to be announced.
        pub(in crate::layer) fn ids_for_start<S>(
            &self,
            span: &SpanRef<'_, S>,
            when: fn(&OpenSpan) -> bool,
        ) -> Option<Ids>
        where
            S: for<'a> LookupSpan<'a>,
        {
            let starts = |open: &OpenSpan| !open.announced && when(open);
            if !self.is_expected() || !span.extensions().get::<OpenSpan>().is_some_and(starts) {
                return None;
            }
            self.ids_or_miss(&span.id())
        }

        /// The ids of a span that every layer has seen.
        pub(in crate::layer) fn ids_or_miss(&self, id: &Id) -> Option<Ids> {
            let ids = self.ids(id);
            if ids.is_none() {
                self.missed.store(true, Ordering::Relaxed);
            }
            ids
        }
    }
}

#[cfg(not(feature = "tracing-opentelemetry"))]
mod neighbour {
    use super::{Dispatch, Id, Ids, LookupSpan, OpenSpan, SpanRef};

    /// Nobody.
    #[derive(Debug)]
    pub(in crate::layer) struct Neighbour;

    impl Neighbour {
        pub(in crate::layer) const fn new() -> Self {
            Self
        }

        pub(in crate::layer) fn meet(&self, _: &Dispatch) {}

        pub(in crate::layer) fn is_expected(&self) -> bool {
            false
        }

        pub(in crate::layer) fn ids(&self, _: &Id) -> Option<Ids> {
            None
        }

        pub(in crate::layer) fn ids_for_start<S>(&self, _: &SpanRef<'_, S>, _: fn(&OpenSpan) -> bool) -> Option<Ids>
        where
            S: for<'a> LookupSpan<'a>,
        {
            None
        }

        pub(in crate::layer) fn ids_or_miss(&self, _: &Id) -> Option<Ids> {
            None
        }
    }
}
