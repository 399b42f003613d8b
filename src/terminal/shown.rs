//! `Shown`: what shows events, as a tree or as plain lines.

use super::{Live, Look, Output, Plain, Size, Stage, WAIT_MAX};
use crate::{StreamEvent, Timestamp};
use std::time::Duration;

/// Either form.
#[derive(Debug)]
pub(super) enum Shown {
    Tree(Box<Live>),
    Lines(Box<Plain>),
}

impl Shown {
    pub(super) fn new(output: &Output) -> Self {
        match output.look() {
            Look::Lines => Self::Lines(Box::new(Plain::new(output.footer()))),
            Look::Tree | Look::ColouredTree => Self::Tree(Box::new(Live::new(output.footer()))),
        }
    }

    pub(super) fn apply(&mut self, event: &StreamEvent) {
        match self {
            Self::Tree(live) => live.apply(event),
            Self::Lines(plain) => plain.apply(event),
        }
    }

    pub(super) fn wait(&self, now: Timestamp) -> Duration {
        match self {
            Self::Tree(live) => live.wait(now),
            Self::Lines(plain) if plain.has_lines() => Duration::ZERO,
            Self::Lines(_) => WAIT_MAX,
        }
    }

    pub(super) fn frame(&mut self, stage: &mut Stage, now: Timestamp, size: Size) -> String {
        match self {
            Self::Tree(live) => live.frame(stage, now, size),
            Self::Lines(plain) => plain.take_lines(),
        }
    }

    pub(super) fn last_frame(&mut self, stage: &mut Stage, now: Timestamp, size: Size) -> String {
        match self {
            Self::Tree(live) => live.last_frame(stage, now, size),
            Self::Lines(plain) => plain.last_lines(),
        }
    }
}
