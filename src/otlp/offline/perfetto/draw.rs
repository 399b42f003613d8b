//! One execution as trace events: names of its lanes, slices, moments, arrows, counters.

use super::{
    Numbers, Run, field,
    lanes::{Mark, arrange},
    slice::{Moment, Sample, Slice},
};
use crate::{ExecutionId, Text, otlp::span::Fact};
use std::collections::HashMap;

pub(super) struct Drawing {
    out: String,
    process: u64,
    lanes: u64,
    next_arrow: u64,
}

/// One of the two ends of an arrow.
#[derive(Clone)]
struct End<'a> {
    /// `s` where it begins, `f` where it leads.
    phase: &'static str,
    arrow: u64,
    words: &'a str,
}

impl Drawing {
    /// The first numbers that are free.
    pub(super) const fn new(free: Numbers) -> Self {
        Self { out: String::new(), process: free.process, lanes: 1, next_arrow: free.arrow }
    }

    pub(super) const fn next_numbers(&self) -> Numbers {
        Numbers { process: self.process + self.lanes, arrow: self.next_arrow }
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    pub(super) fn run(&mut self, id: &ExecutionId, name: Option<&Text>, run: Run) {
        let Run { mut slices, samples, late } = run;
        if slices.is_empty() && late.is_empty() {
            return;
        }
        let marks = arrange(&mut slices);
        self.lanes = marks.iter().map(|mark| mark.lane() as u64 + 1).max().unwrap_or(1);
        self.names(id, name);
        let ends = self.arrows(&slices, &marks);
        for mark in marks {
            match mark {
                Mark::Begin { slice, lane, .. } => self.slice(&slices[slice], &ends[slice], lane),
                Mark::Moment { slice, moment, lane } => self.moment(&slices[slice].moments[moment], lane),
                Mark::End { slice, lane } => self.slice_end(slices[slice].end, lane),
            }
        }
        late.iter().for_each(|fact| self.late(fact));
        self.counters(slices.first().map(|slice| slice.start), samples);
    }

    /// Begins an event; [`end`](Drawing::end) ends it.
    fn begin(&mut self, phase: &str, name: &str, lane: usize, time: Option<i64>) {
        self.out.push_str(if self.out.is_empty() { "{\"ph\":\"" } else { ",\n{\"ph\":\"" });
        self.out.push_str(phase);
        self.out.push('"');
        if !name.is_empty() {
            field(&mut self.out, "name", name);
        }
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

    /// Its beginning, and right behind it its ends of arrows: a reader takes the innermost slice that is open on the lane
    /// for the one that an arrow is of. (Whole slices, `X`, are sorted by their length first, whatever is between them.)
    fn slice(&mut self, slice: &Slice, ends: &[End<'_>], lane: usize) {
        self.begin("B", &slice.name, lane, Some(slice.start));
        if !slice.category.is_empty() {
            field(&mut self.out, "cat", slice.category.as_str());
        }
        self.end(&slice.arguments);
        ends.iter().for_each(|end| self.arrow(end, slice.start, lane));
    }

    fn slice_end(&mut self, time: i64, lane: usize) {
        self.begin("E", "", lane, Some(time));
        self.out.push('}');
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

    /// From what a slice is linked to, and from what is around it where it is not drawn in that; the ends at each slice.
    /// None comes from what is drawn later, since that began later: an arrow begins before it ends.
    fn arrows<'a>(&mut self, slices: &'a [Slice], marks: &[Mark]) -> Vec<Vec<End<'a>>> {
        let known: HashMap<u64, usize> = slices.iter().enumerate().map(|(at, slice)| (slice.span_id, at)).collect();
        let mut ends = vec![Vec::new(); slices.len()];
        for mark in marks {
            let Mark::Begin { slice: to, around, .. } = *mark else { continue };
            let slice = &slices[to];
            let links = slice.links.iter().filter_map(|(from, words)| Some((*known.get(from)?, words.as_str())));
            let parent = slice.parent.and_then(|parent| known.get(&parent).copied());
            let parent = parent.filter(|parent| Some(*parent) != around).map(|parent| (parent, "inside"));
            for (from, words) in links.chain(parent).filter(|(from, _)| *from < to) {
                let arrow = self.next_arrow;
                ends[from].push(End { phase: "s", arrow, words });
                ends[to].push(End { phase: "f", arrow, words });
                self.next_arrow += 1;
            }
        }
        ends
    }

    fn arrow(&mut self, end: &End<'_>, time: i64, lane: usize) {
        self.begin(end.phase, end.words, lane, Some(time));
        field(&mut self.out, "cat", "link");
        field(&mut self.out, "id", &end.arrow);
        if end.phase == "f" {
            // It leads to the slice around it, not to the next one.
            field(&mut self.out, "bp", "e");
        }
        self.end("");
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
