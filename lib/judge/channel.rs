//! One variable of interest of one run: what kind it is, its sketch, what rules ask for, and which alarms are on.

use super::curve::{START, Shape};
use super::event::Alarm;
use super::names::{self, Kind, Part};
use super::sketch::{Sketch, quantile};

/// The alarms a variable can raise.
#[derive(Clone, Debug, Default)]
pub struct Alarms {
    /// NaN and infinities
    pub nan: Alarm,
    /// Divergence
    pub divergence: Alarm,
    /// Plateau
    pub plateau: Alarm,
    /// Overfitting
    pub overfit: Alarm,
    /// Dead from the start
    pub dead: Alarm,
    /// A step takes twice the time
    pub slow: Alarm,
    /// Exploding and vanishing norms
    pub norm: Alarm,
}

/// A variable.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Its name
    pub name: String,
    /// What it is
    pub kind: Kind,
    /// On which data
    pub part: Part,
    /// Its name without that
    pub base: String,
    /// Whether it is what is trained for
    pub is_main: bool,
    /// Values so far
    pub points: u64,
    /// The last one
    pub last: f64,
    /// The first one
    pub first: f64,
    /// The smallest and greatest number
    pub min: f64,
    /// See min
    pub max: f64,
    /// Points since the best was last improved by a thousandth
    pub since_best: u64,
    best: f64,
    /// Values in a row that are no numbers, and whether those are infinite only
    pub bad_run: u64,
    /// Numbers so far
    pub numbers: u64,
    /// Of the finite values
    pub sketch: Sketch,
    /// The first few numbers
    start: Vec<f64>,
    /// Far above all: how many in a row, and the last of them
    pub far: (u32, f64),
    /// The least and greatest of the smoothed curve so far
    pub known: (f64, f64),
    /// What has been said
    pub alarms: Alarms,
}

impl Channel {
    /// Of this name.
    pub fn new(name: &str) -> Channel {
        Channel {
            name: name.to_string(),
            kind: names::kind(name),
            part: names::part(name),
            base: names::base(name),
            is_main: names::is_main(name),
            points: 0,
            last: f64::NAN,
            first: f64::NAN,
            min: f64::NAN,
            max: f64::NAN,
            since_best: 0,
            best: f64::INFINITY,
            bad_run: 0,
            numbers: 0,
            sketch: Sketch::default(),
            start: Vec::new(),
            far: (0, f64::NAN),
            known: (f64::INFINITY, f64::NEG_INFINITY),
            alarms: Alarms::default(),
        }
    }

    /// Whether more is better.
    pub fn rises(&self) -> bool {
        matches!(self.kind, Kind::Score | Kind::Return)
    }

    /// Adds a value; `beside`: that of the training curve it is compared with. True: a bin is full.
    pub fn push(&mut self, x: f64, beside: f64) -> bool {
        if self.points == 0 {
            self.first = x;
        }
        self.points += 1;
        self.last = x;
        self.since_best = self.since_best.saturating_add(1);
        if !x.is_finite() {
            self.bad_run += 1;
            return false;
        }
        self.bad_run = 0;
        self.numbers += 1;
        self.min = self.min.min(x);
        self.max = self.max.max(x);
        let x = if self.rises() { -x } else { x };
        if x < self.best - 1e-3 * self.best.abs() || self.best.is_infinite() {
            self.best = x;
            self.since_best = 0;
        }
        if self.start.len() < START {
            self.start.push(x);
        }
        self.watch_far(x);
        let full = self.sketch.push(x, beside);
        if full && let Some(bin) = self.sketch.bins().last() {
            self.known = (self.known.0.min(bin.value), self.known.1.max(bin.value));
        }
        full
    }

    /// Counts points in a row that lie ten times as far above all bins as those are wide, and do not come down.
    fn watch_far(&mut self, x: f64) {
        let (low, high) = self.known;
        let (count, before) = self.far;
        let width = (high - low).max(0.1 * high.abs());
        let far = self.numbers > 8 && (high - low).is_finite() && x > high + 10.0 * width;
        let goes_on = count > 0 && x >= 0.8 * before;
        self.far = match (far || goes_on && x > high, goes_on) {
            (true, true) => (count + 1, x),
            (true, false) => (1, x),
            _ => (0, f64::NAN),
        };
    }

    /// The shape of its curve.
    pub fn shape(&self) -> Shape {
        Shape::new(self.sketch.values(), quantile(&self.start, 0.75))
    }
}
