//! Inside a process: tasks, threads, pools and channels.

use super::{record, steps};
use spanwright::{context::Context, span};
use std::{
    sync::{Barrier, mpsc},
    thread,
};
use tokio::task::JoinSet;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("runtime")
}

/// The steps of an agent's run, on the threads of a runtime that know no subscriber by themselves.
fn agent_does<F: Future<Output = ()>>(work: impl FnOnce() -> F) -> Vec<String> {
    let runtime = runtime();
    let (_, events) = record(|| runtime.block_on(span::agent("agent").run(async { work().await })));
    steps(&events)
}

fn do_step(name: &str) {
    span::step(name).finish();
}

#[test]
fn tasks_and_blocking_work_stay_in_the_step_that_started_them() {
    let seen = agent_does(|| async {
        span::spawn(async { do_step("task") }).await.expect("task");
        span::step("outer")
            .run(async {
                span::spawn(async {
                    tokio::task::yield_now().await;
                    span::spawn_blocking(|| do_step("blocking")).await.expect("blocking");
                })
                .await
                .expect("task");
            })
            .await;
    });
    assert_eq!(seen, ["agent", "blocking in outer", "outer in agent", "task in agent"]);
}

#[test]
fn the_tasks_of_a_join_set_stay_in_the_step_that_spawned_them() {
    let seen = agent_does(|| async {
        let mut set = JoinSet::new();
        for name in ["a", "b", "c"] {
            set.spawn(Context::current().run(async move {
                tokio::task::yield_now().await;
                do_step(name);
            }));
        }
        set.spawn_blocking(span::in_context(|| do_step("d")));
        set.join_all().await;
    });
    assert_eq!(seen, ["a in agent", "agent", "b in agent", "c in agent", "d in agent"]);
}

#[test]
fn a_thread_that_is_spawned_in_a_step_stays_in_it() {
    let (_, events) = record(|| {
        span::agent("agent").in_scope(|| {
            thread::spawn(span::in_context(|| do_step("thread"))).join().expect("thread");
            thread::scope(|threads| drop(threads.spawn(span::in_context(|| do_step("scoped")))));
        });
    });
    assert_eq!(steps(&events), ["agent", "scoped in agent", "thread in agent"]);
}

#[test]
fn a_closure_that_many_threads_call_at_once_stays_where_it_was_made() {
    let (_, events) = record(|| {
        span::agent("agent").in_scope(|| {
            let (context, together) = (Context::current(), Barrier::new(4));
            let work = |name: &str| {
                context.in_scope(|| {
                    together.wait();
                    do_step(name);
                });
            };
            thread::scope(|threads| ["a", "b", "c", "d"].map(|name| threads.spawn(move || work(name))).map(drop));
        });
    });
    assert_eq!(steps(&events), ["a in agent", "agent", "b in agent", "c in agent", "d in agent"]);
}

#[test]
fn what_comes_through_a_channel_is_done_where_it_was_sent() {
    let (_, events) = record(|| {
        let (jobs, work) = mpsc::channel::<(Context, &str)>();
        let worker = thread::spawn(move || work.iter().for_each(|(context, name)| context.in_scope(|| do_step(name))));
        for agent in ["first", "second"] {
            span::agent(agent).in_scope(|| {
                span::step("send").in_scope(|| jobs.send((Context::current(), agent)).expect("a worker"));
            });
        }
        drop(jobs);
        worker.join().expect("worker");
    });
    assert_eq!(
        steps(&events),
        ["first", "first in send", "second", "second in send", "send in first", "send in second"]
    );
}

#[test]
fn a_future_that_is_dropped_unfinished_ends_where_it_ran() {
    let (_, events) = record(|| {
        runtime().block_on(span::agent("agent").run(async {
            let context = Context::current();
            let (begun, begins) = tokio::sync::oneshot::channel();
            let task = tokio::spawn(context.run(span::step("stuck").run(async {
                begun.send(()).expect("someone waits");
                std::future::pending::<()>().await;
            })));
            begins.await.expect("it begins");
            task.abort();
            assert!(task.await.expect_err("aborted").is_cancelled());
        }));
    });
    assert_eq!(steps(&events), ["agent", "stuck in agent"]);
    let failed = events.iter().find(|event| event.kind() == spanwright::event::Kind::StepFailed).expect("its end");
    assert!(failed.to_json().contains("cancelled"), "{}", failed.to_json());
}

#[test]
fn nowhere_in_particular_work_runs_all_the_same() {
    let nobody = tracing::subscriber::NoSubscriber::new();
    tracing::subscriber::with_default(nobody, || {
        assert_eq!(Context::current().in_scope(|| 1), 1);
        assert_eq!(runtime().block_on(Context::remote(None).run(async { 2 })), 2);
        assert_eq!(spanwright::context::TraceContext::current(), None);
    });
}
