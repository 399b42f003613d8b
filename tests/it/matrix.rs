//! Each attribute on each form of function, through the real layer and the real gate: one start, one end, the right
//! parent, the right outcome.

#![deny(warnings, clippy::all, clippy::pedantic, clippy::nursery)]
#![allow(
    clippy::future_not_send,
    clippy::manual_async_fn,
    clippy::missing_const_for_fn,
    clippy::needless_pass_by_value,
    clippy::unused_async,
    reason = "the forms are the point, not the bodies"
)]

use std::fmt::Debug;
use std::io;
use std::pin::Pin;
use std::rc::Rc;

use futures_core::Stream;
use futures_util::{StreamExt as _, stream};
use serde::Serialize;
use spanwright::event::{Concept, Life};
use spanwright::{StreamEvent, span};

use crate::record::{block_on, pause};
use crate::told::{outcome, record};

type IoResult<T> = Result<T, io::Error>;
type AnyhowResult<T> = anyhow::Result<T>;
type BoxedResult<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What a function is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Do {
    Return,
    Fail,
    Panic,
    Wait,
}

use Do::{Fail, Panic, Return, Wait};

impl Do {
    const fn outcome(self) -> &'static str {
        match self {
            Return => "ok",
            Fail => "error",
            Panic => "panicked",
            Wait => "cancelled",
        }
    }

    fn obey(self) -> IoResult<u32> {
        match self {
            Return | Wait => Ok(7),
            Fail => Err(io::Error::other("as told")),
            // Without the hook, which would print a trace each time.
            Panic => std::panic::resume_unwind(Box::new("as told")),
        }
    }

    async fn obey_later(self) -> IoResult<u32> {
        pause().await;
        if self == Wait {
            std::future::pending::<()>().await;
        }
        self.obey()
    }

    /// One item, then what it was told to do.
    fn obey_as_a_stream(self) -> impl Stream<Item = IoResult<u32>> + Send + 'static {
        stream::once(async { Ok(1) }).chain(stream::once(self.obey_later())).take_while(move |item| {
            let over = self == Return && matches!(item, Ok(7));
            async move { !over }
        })
    }
}

/// Calls a sync function.
fn called<T>(_: Do, call: impl FnOnce() -> T) {
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call));
}

/// Polls a future to its end; one that never ends, a few times.
fn polled<T>(what: Do, future: impl Future<Output = T>) {
    let mut future = Box::pin(future);
    let run = || match what {
        Wait => (0..3).for_each(|_| {
            let polled = future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
            assert!(polled.is_pending());
        }),
        _ => drop(block_on(future.as_mut())),
    };
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
}

/// Takes all items of a stream, or only as many as come.
fn drained<T>(what: Do, items: impl Stream<Item = T>) {
    polled(what, items.for_each(|_| async {}));
}

#[async_trait::async_trait]
trait Dynamic {
    async fn run(&self, what: Do) -> IoResult<u32>;
    async fn open(&self, what: Do) -> BoxedResult<Pin<Box<dyn Stream<Item = IoResult<u32>> + Send>>>;
}

trait Native {
    fn run(&self, what: Do) -> impl Future<Output = IoResult<u32>>;
    fn sync(&self, what: Do) -> IoResult<u32>;
}

struct Plain;
struct Generic<'a, T, const N: usize>(&'a [T; N]);

/// Every form under one attribute: a module with `each`, which names a form, what it can be told, and runs it.
macro_rules! forms {
    ($($module:ident: #[$kind:ident $args:tt];)*) => {$(
        mod $module {
            use super::*;
            use spanwright::$kind;

            #[$kind $args]
            fn sync(what: Do) -> IoResult<u32> {
                what.obey()
            }

            #[$kind $args]
            fn option(what: Do) -> Option<u32> {
                what.obey().ok()
            }

            #[$kind $args]
            async fn asynchronous(what: Do) -> IoResult<u32> {
                what.obey_later().await
            }

            #[$kind $args]
            async fn of_anyhow(what: Do) -> AnyhowResult<u32> {
                Ok(what.obey_later().await?)
            }

            #[$kind $args]
            async fn of_a_box(what: Do) -> BoxedResult<u32> {
                Ok(what.obey_later().await?)
            }

            #[$kind $args]
            async fn not_send(what: Do) -> IoResult<u32> {
                let held = Rc::new(what);
                let result = what.obey_later().await;
                drop(held);
                result
            }

            #[$kind $args]
            async fn generic<T: Debug, U>(what: Do, shown: T, kept: U) -> IoResult<(T, U)> {
                what.obey_later().await.map(|_| (shown, kept))
            }

            #[$kind $args]
            async fn borrowed<'a>(what: Do, text: &'a str, other: &str) -> IoResult<&'a str> {
                let _ = other;
                what.obey_later().await.map(|_| text)
            }

            #[$kind $args]
            fn constant<const N: usize>(what: Do, of: [u8; N]) -> IoResult<[u8; N]> {
                what.obey().map(|_| of)
            }

            #[$kind $args]
            fn future(what: Do) -> impl Future<Output = IoResult<u32>> + Send {
                what.obey_later()
            }

            #[$kind $args]
            fn boxed_future(what: Do) -> Pin<Box<dyn Future<Output = IoResult<u32>> + Send>> {
                Box::pin(what.obey_later())
            }

            #[$kind $args]
            fn items(what: Do) -> impl Stream<Item = IoResult<u32>> + Send {
                what.obey_as_a_stream()
            }

            #[$kind $args]
            fn boxed_items(what: Do) -> Pin<Box<dyn Stream<Item = IoResult<u32>> + Send>> {
                Box::pin(what.obey_as_a_stream())
            }

            #[$kind $args]
            fn items_or_not(what: Do) -> IoResult<impl Stream<Item = IoResult<u32>>> {
                Ok(what.obey_as_a_stream())
            }

            #[$kind $args]
            async fn later_items(what: Do) -> impl Stream<Item = IoResult<u32>> + Send {
                pause().await;
                what.obey_as_a_stream()
            }

            #[$kind $args]
            async fn later_items_or_not(what: Do) -> Result<stream::BoxStream<'static, IoResult<u32>>, String> {
                pause().await;
                Ok(what.obey_as_a_stream().boxed())
            }

            #[$kind $args]
            fn future_of_items(what: Do) -> impl Future<Output = impl Stream<Item = IoResult<u32>>> {
                async move { what.obey_as_a_stream() }
            }

            impl Plain {
                #[$kind $args]
                fn $module(&self, what: Do) -> IoResult<u32> {
                    what.obey()
                }
            }

            /// In an impl of its own type for each attribute.
            struct Here;

            impl Here {
                #[$kind $args]
                fn associated(what: Do) -> IoResult<u32> {
                    what.obey()
                }

                #[$kind $args]
                async fn changing(&mut self, what: Do) -> IoResult<&mut Self> {
                    what.obey_later().await.map(|_| self)
                }

                #[$kind $args]
                async fn consuming(self, what: Do) -> IoResult<Self> {
                    what.obey_later().await.map(|_| self)
                }
            }

            impl<T: Debug, const N: usize> Generic<'_, T, N> {
                #[$kind $args]
                async fn $module(&self, what: Do) -> IoResult<&T> {
                    what.obey_later().await.map(|_| &self.0[0])
                }
            }

            impl Native for Here {
                #[$kind $args]
                async fn run(&self, what: Do) -> IoResult<u32> {
                    what.obey_later().await
                }

                #[$kind $args]
                fn sync(&self, what: Do) -> IoResult<u32> {
                    what.obey()
                }
            }

            #[async_trait::async_trait]
            impl Dynamic for Here {
                #[$kind $args]
                async fn run(&self, what: Do) -> IoResult<u32> {
                    what.obey_later().await
                }

                #[$kind $args]
                async fn open(&self, what: Do) -> BoxedResult<Pin<Box<dyn Stream<Item = IoResult<u32>> + Send>>> {
                    Ok(Box::pin(what.obey_as_a_stream()))
                }
            }

            /// Each form with what it can be told, as a name and a call.
            pub(super) fn each(check: &dyn Fn(&str, Do, &dyn Fn())) {
                let sync = [Return, Fail, Panic];
                let all = [Return, Fail, Panic, Wait];
                let each = |name: &str, told: &[Do], run: &dyn Fn(Do)| {
                    for what in told {
                        check(name, *what, &|| run(*what));
                    }
                };
                each("sync", &sync, &|what| called(what, || sync_fn(what)));
                each("option", &[Return, Panic], &|what| called(what, || option(what)));
                each("method", &sync, &|what| called(what, || Plain.$module(what)));
                each("associated", &sync, &|what| called(what, || Here::associated(what)));
                each("constant", &sync, &|what| called(what, || constant(what, [1, 2])));
                each("trait method", &sync, &|what| called(what, || Native::sync(&Here, what)));
                each("async", &all, &|what| polled(what, asynchronous(what)));
                each("anyhow", &all, &|what| polled(what, of_anyhow(what)));
                each("boxed error", &all, &|what| polled(what, of_a_box(what)));
                each("not send", &all, &|what| polled(what, not_send(what)));
                each("generic", &all, &|what| polled(what, generic(what, 1, Plain)));
                each("borrowed", &all, &|what| polled(what, borrowed(what, "a", "b")));
                each("&mut self", &all, &|what| polled(what, Here.changing(what)));
                each("self", &all, &|what| polled(what, Here.consuming(what)));
                each("generic impl", &all, &|what| polled(what, Generic(&["a"]).$module(what)));
                each("native trait", &all, &|what| polled(what, Native::run(&Here, what)));
                each("async_trait", &all, &|what| polled(what, Dynamic::run(&Here, what)));
                each("impl Future", &all, &|what| polled(what, future(what)));
                each("boxed future", &all, &|what| polled(what, boxed_future(what)));
                each("impl Stream", &all, &|what| drained(what, items(what)));
                each("boxed stream", &all, &|what| drained(what, boxed_items(what)));
                each("Result of a stream", &all, &|what| drained(what, items_or_not(what).expect("a stream")));
                each("async impl Stream", &all, &|what| polled(what, async { drain(later_items(what).await).await }));
                each("async Result of a stream", &all, &|what| {
                    polled(what, async { drain(later_items_or_not(what).await.expect("a stream")).await });
                });
                each("future of a stream", &all, &|what| {
                    polled(what, async { drain(future_of_items(what).await).await });
                });
                each("async_trait stream", &all, &|what| {
                    polled(what, async { drain(Dynamic::open(&Here, what).await.expect("a stream")).await });
                });
            }

            use sync as sync_fn;
        }
    )*

        fn every_kind(check: &dyn Fn(&str, &str, Do, &dyn Fn())) {
            $($module::each(&|form, what, run| check(stringify!($module), form, what, run));)*
        }
    };
}

async fn drain<T>(items: impl Stream<Item = T>) {
    items.for_each(|_| async {}).await;
}

forms! {
    agent: #[agent()];
    workflow: #[workflow()];
    step: #[step()];
    llm: #[llm()];
    tool: #[tool()];
    recall: #[memory(recall)];
    store: #[memory(store)];
    update: #[memory(update)];
    forget: #[memory(forget)];
    guardrail: #[guardrail()];
    evaluator: #[evaluator()];
    retriever: #[retriever()];
    embedding: #[embedding()];
}

#[test]
fn every_kind_on_every_form_has_one_start_one_end_its_parent_and_its_outcome() {
    every_kind(&|kind, form, what, run| {
        let events = record(|| span::agent("parent").in_scope(run));
        let case = format!("{kind} on {form} told to {what:?}: {events:#?}");
        assert_eq!(ends(&events, &case), what.outcome(), "{case}");
    });
}

/// The outcome of the only thing in the execution.
fn ends(events: &[StreamEvent], case: &str) -> String {
    let root = events.first().expect(case).step_id.clone();
    let inside = |event: &&StreamEvent| {
        let concerns = |concept| !matches!(concept, Concept::Execution | Concept::Text | Concept::Reasoning);
        matches!(event.kind().life(), Life::Opens(concept) | Life::Closes(concept) if concerns(concept))
    };
    let [start, end] = events.iter().filter(inside).collect::<Vec<_>>()[..] else { panic!("{case}") };
    assert!(matches!(start.kind().life(), Life::Opens(_)) && matches!(end.kind().life(), Life::Closes(_)), "{case}");
    assert_eq!(start.step_id, end.step_id, "{case}");
    assert_eq!(crate::told::parent(start), root, "{case}");
    outcome(end)
}
