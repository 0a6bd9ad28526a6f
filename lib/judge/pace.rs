//! How fast points come: the cadence of a run. Stall: silence longer than anything so far by far. Slow: the time a step
//! takes has doubled for good, by medians of what is now against what was.
//!
//! Points of one look at a log have one time: what counts are the distinct times at which there was something. Pauses
//! of evaluation are learned as the longest gap; before two epochs are over nobody knows how long they will be.

use super::event::Alarm;
use super::sketch::{Sketch, median, quantile};
use crate::base::time::Time;
use crate::record::history::Point;

/// No silence shorter than this is a stall, seconds.
const LEAST_SILENCE: f64 = 60.0;
/// Gaps that must have been seen.
const LEAST_GAPS: u64 = 6;

/// The cadence of a run.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    first: Option<Time>,
    last: Option<Time>,
    gaps: Sketch,
    count: u64,
    longest: f64,
    epochs: u32,
    epoch: Option<f64>,
    /// Where and when a step was counted last
    step: Option<(&'static str, f64, Time)>,
    steps: Sketch,
    /// Silence
    pub stall: Alarm,
    /// A step takes twice the time
    pub slow: Alarm,
}

/// Where a point stands among others of its sort: the sort is the finest counter it has.
fn position(point: &Point) -> Option<(&'static str, f64)> {
    if let Some(step) = point.counter("step") {
        return Some(("step", step));
    }
    match (point.counter("epoch"), point.counter("batch"), point.counter("batches")) {
        (Some(epoch), Some(batch), Some(batches)) => Some(("batch", epoch * batches + batch)),
        (None, Some(batch), _) => Some(("batch", batch)),
        (Some(_), Some(_), None) => None,
        (Some(epoch), None, _) => Some(("epoch", epoch)),
        (None, None, _) => point.counter("iter").map(|iter| ("iter", iter)),
    }
}

impl Pace {
    /// Forgets when the last point came: an attempt has ended, and another begins.
    pub fn pause(&mut self) {
        self.last = None;
        self.step = None;
        self.stall = Alarm::default();
    }

    /// When the last point came.
    pub fn last(&self) -> Option<Time> {
        self.last
    }

    /// Epochs that are over.
    pub fn epochs(&self) -> u32 {
        self.epochs
    }

    /// Adds a point. True: a bin of times a step is full.
    pub fn add(&mut self, point: &Point) -> bool {
        let Some(t) = point.t else { return false };
        self.first.get_or_insert(t);
        if let Some(epoch) = point.counter("epoch").filter(|epoch| self.epoch.is_none_or(|known| *epoch > known)) {
            self.epochs = self.epochs.saturating_add(u32::from(self.epoch.is_some()));
            self.epoch = Some(epoch);
        }
        if let Some(gap) = self.last.filter(|last| t > *last).map(|last| t.since(last).as_secs_f64()) {
            self.count += 1;
            self.longest = self.longest.max(gap);
            self.gaps.push(gap, 0.0);
        }
        // One that is read late says nothing of now.
        self.last = self.last.max(Some(t));
        self.stall = Alarm::default();
        self.take_step(point, t)
    }

    fn take_step(&mut self, point: &Point, t: Time) -> bool {
        let Some((sort, at)) = position(point) else { return false };
        match self.step {
            Some((known, before, since)) if known == sort && at > before => {
                let took = t.since(since).as_secs_f64();
                // Several points came in one look: they are counted together.
                if took < 1.0 {
                    return false;
                }
                self.step = Some((sort, at, t));
                self.steps.push(took / (at - before), 0.0)
            }
            // The finest counter is the one that is followed.
            Some((known, ..)) if known != sort && sort == "epoch" => false,
            _ => {
                self.step = Some((sort, at, t));
                false
            }
        }
    }

    /// How long a step takes now and took before, seconds, if it has doubled.
    pub fn slower(&self) -> Option<(f64, f64)> {
        doubled(&self.steps.values())
    }

    /// The silence now and the silence allowed, seconds, if it is longer.
    pub fn silence(&self, now: Time) -> Option<(f64, f64)> {
        let silent = now.since(self.last?).as_secs_f64();
        if self.count < LEAST_GAPS {
            return None;
        }
        let usual = median(&self.gaps.values());
        let mut allowed = LEAST_SILENCE.max(4.0 * self.longest).max(20.0 * usual);
        if self.epochs < 2 {
            let so_far = self.last?.since(self.first?).as_secs_f64();
            allowed = allowed.max(so_far.min(3600.0));
        }
        (silent > allowed).then_some((silent, allowed))
    }
}

/// Whether what a step takes has doubled for good: the level now and in the earlier half, for it may have crept up.
pub fn doubled(times: &[f64]) -> Option<(f64, f64)> {
    let last = (times.len() / 8).max(6);
    let (earlier, recent) = times.split_at_checked(times.len().checked_sub(last)?)?;
    // The first steps compile, fill caches, and say nothing.
    let past = earlier.get(2..(times.len() / 2).max(12))?;
    let (before, now) = (median(past), median(recent));
    let apart = quantile(recent, 0.2) > 1.5 * quantile(past, 0.85);
    (before > 0.0 && now > 1.9 * before && apart).then_some((now, before))
}
