//! kill -9 of a process that exports, at any moment: what it logged arrives, and twice only what nobody could know of.

use super::{Answer, Collector, LIMIT, Run, coin, count, ended, flush_at_last, recorder_on, start};
use crate::{child, scratch::Scratch};
use spanwright::{StepId, otlp::Destination};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

/// At least; and on, where they came too soon to show anything, as on a busy machine, up to the most.
const KILLS: u64 = 36;
const MOST_KILLS: u64 = 360;
const ENOUGH_SPANS: u64 = 1_000;
const PART: &str = "SPANWRIGHT_TEST_PART";
const NAME: &str = "delivery::killed::kill_9_at_any_moment_loses_nothing_and_repeats_one_batch_at_most";

/// This binary at that test, with these variables, left to itself.
pub(super) fn spawn(test: &str, variables: &[(&str, &str)]) -> Child {
    Command::new(std::env::current_exe().expect("this binary"))
        .args([test, "--exact", "--nocapture"])
        .env(PART, "child")
        .envs(variables.iter().copied())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a process")
}

/// Known under one name, however often it starts; which start it is stands in the resource.
fn to(collector: &str, process: &str) -> Destination {
    Destination::http(collector)
        .name("collector")
        .resource("process", process)
        .from_beginning(true)
        .interval(Duration::from_micros(500))
        .backoff(Duration::from_micros(100), Duration::from_millis(6))
        .timeout(LIMIT)
        .batch_spans(8)
}

/// Runs one run after the other, three at once, until it is killed.
fn work() {
    let [log, url, process] = ["LOG", "URL", "PROCESS"].map(|name| std::env::var(name).expect(name));
    let recorder = recorder_on(&PathBuf::from(log));
    let _delivery = start(&to(&url, &process), &recorder);
    let mut runs: Vec<(Run, Vec<StepId>)> = Vec::new();
    for turn in 0_u64.. {
        if runs.len() < 3 {
            runs.push((Run::begin(&recorder), Vec::new()));
        }
        let at = turn as usize % runs.len();
        let (run, open) = &mut runs[at];
        match turn % 7 {
            0..4 => open.push(run.open()),
            4 | 5 if !open.is_empty() => run.close(&open.remove(0)),
            _ => {
                let (run, open) = runs.remove(at);
                open.iter().rev().for_each(|step| run.close(step));
                run.end();
            }
        }
        if turn % 16 == 0 {
            recorder.flush().wait(LIMIT).expect("logged");
        }
    }
}

#[test]
fn kill_9_at_any_moment_loses_nothing_and_repeats_one_batch_at_most() {
    if child::part().is_some() {
        return work();
    }
    let (scratch, collector) = (Scratch::new(), Collector::taking_all());
    let path = scratch.file("log.db");
    // Now and then an answer does not come.
    collector.answer(|arrived| if arrived.spans[0].span_id % 11 == 0 && coin() { Answer::Lost } else { Answer::Taken });
    let mut kills = 0;
    while kills < KILLS || kills < MOST_KILLS && count(&first_arrivals(&collector)) < ENOUGH_SPANS {
        run_and_kill(&path, &collector, kills);
        kills += 1;
    }
    let recorder = recorder_on(&path);
    let delivery = start(&to(&collector.url(), "last"), &recorder);
    flush_at_last(&recorder, &delivery);
    let logged = ended(&**recorder.log().expect("log"));
    assert!(count(&logged) >= ENOUGH_SPANS, "only {}: the kills come too soon to show anything", count(&logged));
    assert_eq!(first_arrivals(&collector), logged, "all, and each execution's in order");
    let repeated = repeated_for_a_reason(&collector);
    eprintln!("{kills} kills: {} spans logged, all there; {repeated} of them twice", count(&logged));
}

/// Half are killed at a time after their start, half at a time after their first request.
fn run_and_kill(path: &Path, collector: &Collector, process: u64) {
    let log = path.to_str().expect("UTF-8");
    let seen = collector.seen().len();
    let mut child = spawn(NAME, &[("LOG", log), ("URL", &collector.url()), ("PROCESS", &process.to_string())]);
    if process % 2 == 1 {
        collector.until_seen(seen + 1);
    }
    // A time that differs from kill to kill, and covers what happens in it evenly.
    thread::sleep(Duration::from_micros(1_000 + process * 61_803 % 60_000));
    child.kill().expect("kill");
    let status = child.wait().expect("its end");
    assert!(status.code().is_none(), "process {process} ended by itself, {status}");
}

fn first_arrivals(collector: &Collector) -> BTreeMap<u128, Vec<u64>> {
    let (mut known, mut first) = (HashSet::new(), BTreeMap::<u128, Vec<u64>>::new());
    for span in collector.spans() {
        if known.insert(span.span_id) {
            first.entry(span.trace_id).or_default().push(span.span_id);
        }
    }
    first
}

/// What came again was in an answer that was lost, or in the last batch of a process before the one that sent it again.
fn repeated_for_a_reason(collector: &Collector) -> usize {
    let (mut batches, mut known) = (HashMap::<String, Vec<HashSet<u64>>>::new(), HashMap::<u64, String>::new());
    let (mut lost, mut repeated) = (HashSet::new(), 0);
    for (arrived, answer) in collector.seen() {
        let process = arrived.resource["process"].clone();
        let spans: HashSet<u64> = arrived.spans.iter().map(|span| span.span_id).collect();
        for span in &spans {
            let Some(before) = known.insert(*span, process.clone()) else { continue };
            repeated += 1;
            // A batch is of two requests where a root took its open steps along.
            let last = batches[&before].iter().rev().take(2).any(|batch| batch.contains(span));
            assert!(lost.contains(span) || before != process && last, "span {span:x} came again from {process}");
        }
        lost = if matches!(answer, Answer::Lost) { spans.clone() } else { HashSet::new() };
        batches.entry(process).or_default().push(spans);
    }
    repeated
}
