//! One execution as trace events: names of its lanes, slices, moments, arrows, counters.

use super::{
    Run, field,
    lanes::arrange,
    slice::{Moment, Sample, Slice},
};
use crate::{ExecutionId, Text, otlp::span::Fact};
use std::collections::HashMap;

pub(super) struct Drawing {
    out: String,
    process: u64,
    lanes: u64,
    arrows: u64,
}

impl Drawing {
    /// `first`: the first number that is free for the process and its lanes.
    pub(super) const fn new(first: u64) -> Self {
        Self { out: String::new(), process: first, lanes: 1, arrows: 0 }
    }

    pub(super) const fn next_number(&self) -> u64 {
        self.process + self.lanes
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    pub(super) fn run(&mut self, id: &ExecutionId, name: Option<&Text>, run: Run) {
        let Run { mut slices, samples, late } = run;
        if slices.is_empty() && late.is_empty() {
            return;
        }
        let places = arrange(&mut slices);
        self.lanes = places.iter().max().map_or(1, |last| *last as u64 + 1);
        self.names(id, name);
        for (slice, lane) in slices.iter().zip(&places) {
            self.slice(slice, *lane);
        }
        self.arrows(&slices, &places);
        late.iter().for_each(|fact| self.late(fact));
        self.counters(slices.first().map(|slice| slice.start), samples);
    }

    /// Begins an event; [`end`](Drawing::end) ends it.
    fn begin(&mut self, phase: &str, name: &str, lane: usize, time: Option<i64>) {
        self.out.push_str(if self.out.is_empty() { "{\"ph\":\"" } else { ",\n{\"ph\":\"" });
        self.out.push_str(phase);
        self.out.push('"');
        field(&mut self.out, "name", name);
        field(&mut self.out, "pid", &self.process);
        // The main lane has the number of its process.
        field(&mut self.out, "tid", &(self.process + lane as u64));
        time.iter().for_each(|time| field(&mut self.out, "ts", time));
    }

    /// `arguments`: members of an object, each with a comma before it.
    fn end(&mut self, arguments: &str) {
        self.out.push_str(",\"args\":{");
        self.out.push_str(arguments.strip_prefix(',').unwrap_or(arguments));
        self.out.push_str("}}");
    }

    fn names(&mut self, id: &ExecutionId, name: Option<&Text>) {
        let title = name.map_or_else(|| id.to_string(), |name| format!("{name} · {id}"));
        self.metadata("process_name", 0, |out| field(out, "name", title.as_str()));
        let order = self.process;
        self.metadata("process_sort_index", 0, |out| field(out, "sort_index", &order));
        for lane in 0..self.lanes {
            let title = if lane == 0 { "run".to_owned() } else { format!("beside {lane}") };
            self.metadata("thread_name", lane as usize, |out| field(out, "name", title.as_str()));
            self.metadata("thread_sort_index", lane as usize, |out| field(out, "sort_index", &lane));
        }
    }

    fn metadata(&mut self, what: &str, lane: usize, write: impl FnOnce(&mut String)) {
        self.begin("M", what, lane, None);
        let mut arguments = String::new();
        write(&mut arguments);
        self.end(&arguments);
    }

    fn slice(&mut self, slice: &Slice, lane: usize) {
        self.begin("X", &slice.name, lane, Some(slice.start));
        field(&mut self.out, "dur", &(slice.end - slice.start));
        if !slice.category.is_empty() {
            field(&mut self.out, "cat", slice.category.as_str());
        }
        self.end(&slice.arguments);
        slice.moments.iter().for_each(|moment| self.moment(moment, lane));
    }

    fn moment(&mut self, moment: &Moment, lane: usize) {
        self.begin("i", &moment.name, lane, Some(moment.time));
        // Of the scope of its thread.
        field(&mut self.out, "s", "t");
        self.end(&moment.arguments);
    }

    /// What was said when everything was over.
    fn late(&mut self, fact: &Fact) {
        let mut object = String::new();
        fact.body.write_object(&mut object);
        let arguments = object.trim_start_matches('{').strip_suffix('}').unwrap_or_default().to_owned();
        self.moment(&Moment { time: super::micros(fact.time), name: fact.body.tag().to_owned(), arguments }, 0);
    }

    /// From what a slice is linked to, and from what is around it where that is on another lane.
    fn arrows(&mut self, slices: &[Slice], places: &[usize]) {
        let known: HashMap<u64, usize> = slices.iter().enumerate().map(|(at, slice)| (slice.span_id, at)).collect();
        for (at, slice) in slices.iter().enumerate() {
            for (from, words) in &slice.links {
                if let Some(from) = known.get(from) {
                    let time = (slices[*from].end - 1).clamp(slices[*from].start, slice.start.max(slices[*from].start));
                    self.arrow(words, (places[*from], time), (places[at], slice.start));
                }
            }
            let around = slice.parent.and_then(|parent| known.get(&parent));
            if let Some(around) = around.filter(|around| places[**around] != places[at]) {
                self.arrow("inside", (places[*around], slice.start), (places[at], slice.start));
            }
        }
    }

    fn arrow(&mut self, words: &str, from: (usize, i64), to: (usize, i64)) {
        self.arrows += 1;
        // Numbers of arrows are the whole trace's: made of the process's, which nothing else has.
        let id = format!("{}.{}", self.process, self.arrows);
        for (phase, (lane, time)) in [("s", from), ("f", to)] {
            self.begin(phase, words, lane, Some(time));
            field(&mut self.out, "cat", "link");
            field(&mut self.out, "id", id.as_str());
            if phase == "f" {
                // It ends at the slice around it, not at the next one.
                field(&mut self.out, "bp", "e");
            }
            self.end("");
        }
    }

    fn counters(&mut self, start: Option<i64>, mut samples: Vec<Sample>) {
        samples.sort_by_key(|sample| sample.time);
        let costs = samples.iter().any(|sample| sample.cost_usd.is_some());
        let zero = start.filter(|_| !samples.is_empty());
        let zero = zero.map(|time| Sample { time, tokens: 0, cost_usd: costs.then_some(0.0) });
        for sample in zero.into_iter().chain(samples) {
            self.counter("tokens", sample.time, |out| field(out, "total", &sample.tokens));
            if let Some(cost) = sample.cost_usd {
                self.counter("cost", sample.time, |out| field(out, "usd", &cost));
            }
        }
    }

    fn counter(&mut self, name: &str, time: i64, write: impl FnOnce(&mut String)) {
        self.begin("C", name, 0, Some(time));
        let mut arguments = String::new();
        write(&mut arguments);
        self.end(&arguments);
    }
}
