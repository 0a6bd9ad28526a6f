//! A GPU that hardly works while its run goes on. How often it rests anyway is learned: of looks that find it idle with
//! probability p, k in a row happen by chance with p^k, which has to be less than one in a million; and a pause has to be
//! much longer than any before (validation on the processor, saving, games between two updates).

use super::event::Alarm;
use super::sketch::Median;
use crate::base::time::Time;

/// Per cent up to which it does not work.
const IDLE: f64 = 3.0;
/// Looks are so far apart, seconds, at least: what is told is renewed once a minute.
const APART: f64 = 50.0;
/// No pause shorter than this is one, seconds.
const LEAST: f64 = 600.0;
/// Looks at work that must have been seen.
const LEAST_BUSY: u64 = 5;
/// What it did at work, per cent, at least: who works less does not work for want of a GPU.
const LEAST_WORK: f64 = 10.0;
/// One that has never worked: seconds, and points of its run in that time.
const NEVER: f64 = 900.0;
/// See NEVER
const NEVER_POINTS: u64 = 20;
/// ln 1e6
const BY_CHANCE: f64 = 13.8;

/// What is known of one GPU.
#[derive(Clone, Debug, Default)]
pub struct Idle {
    /// When it was first looked at after a point of the run, and the points by then
    first: Option<(Time, u64)>,
    last: Option<Time>,
    looks: u64,
    busy: u64,
    work: Median,
    /// Since when it rests, and looks since
    rests: Option<(Time, u64)>,
    /// The longest rest that ended, seconds
    longest: f64,
    alarm: Alarm,
}

/// A GPU that does not work.
pub struct Resting {
    /// Seconds
    pub for_seconds: f64,
    /// Per cent it worked before; None: it never did
    pub before: Option<f64>,
}

impl Idle {
    /// Adds a look. `points`: of the run so far; `epochs`: those it has ended. Some: to be said.
    pub fn add(&mut self, t: Time, per_cent: f64, points: u64, epochs: u32) -> Option<Resting> {
        if self.last.is_some_and(|last| t.since(last).as_secs_f64() < APART) || !per_cent.is_finite() {
            return None;
        }
        // It starts up: data are read and prepared.
        if points == 0 && per_cent <= IDLE && self.busy == 0 {
            return None;
        }
        self.last = Some(t);
        let (first, points_then) = *self.first.get_or_insert((t, points));
        if per_cent > IDLE {
            if let Some((since, looks)) = self.rests.take().filter(|_| self.busy > 0) {
                self.longest = self.longest.max(t.since(since).as_secs_f64());
                self.looks += looks;
            }
            self.looks += 1;
            self.busy += 1;
            self.work.add(per_cent);
            self.alarm.see(false);
            return None;
        }
        let (since, looks) = self.rests.get_or_insert((t, 0));
        *looks += 1;
        let (rested, looks) = (t.since(*since).as_secs_f64(), *looks);
        let so_far = t.since(first).as_secs_f64();
        let found = if self.busy == 0 {
            (so_far >= NEVER && points - points_then >= NEVER_POINTS).then_some(None)
        } else {
            // Looks at rests that have ended, of all.
            let share = (self.looks.saturating_sub(self.busy) + 1) as f64 / (self.looks + 2) as f64;
            let by_chance = BY_CHANCE / -share.ln();
            let allowed = LEAST.max(3.0 * self.longest);
            // Before two epochs are over nobody knows how long validation takes.
            let allowed = if epochs < 2 { allowed.max((so_far - rested).min(3600.0)) } else { allowed };
            let work = self.work.get();
            let is_long = rested >= allowed && looks as f64 > by_chance;
            (is_long && self.busy >= LEAST_BUSY && work >= LEAST_WORK).then_some(Some(work))
        };
        let is_new = self.alarm.see(found.is_some() || self.alarm.is_on());
        found.filter(|_| is_new).map(|before| Resting { for_seconds: rested, before })
    }
}
