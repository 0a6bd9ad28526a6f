//! One curve, judged by its sketch (see `sketch`) whenever a bin is full. Scores are turned upside down, so that everything
//! is to fall. Thresholds are in units of the noise, and of the progress made: start less best. What does not move is
//! judged in `rest`.
//!
//! - divergence of a loss or score: (a) the last tenth lies above all that was before by half its range, and does not fall;
//!   (b) after a settled time most of the progress is lost at once, for a fifth of the curve and twice as long as ever
//!   before, and does not come back (a warm restart comes back, a spike is too short, what swings has been up as long); (c) it
//!   has risen steadily, by Kendall's tau, for a quarter of the curve, by a quarter of the progress; (d) b or c hold of the
//!   logarithms of what is trained for, and had not swung there; (e) points ten times as far above all as all is wide, one after the other.
//! - of a return: b or c, when it had time to learn; or it lies for a quarter of the curve as far below all as that is wide.
//! - of players against each other: for a quarter of the curve three times as high as all before.

use super::sketch::{median, noise, quantile, range, smoothed, trend};
use std::ops::Range;

/// A finding: why, and the figures.
pub struct Found {
    /// In words, after the name of the variable
    pub why: String,
    /// The figures
    pub figures: Vec<(&'static str, f64)>,
}

pub(super) fn found(why: impl Into<String>, figures: &[(&'static str, f64)]) -> Option<Found> {
    Some(Found { why: why.into(), figures: figures.to_vec() })
}

/// What detectors ask of a curve again and again.
pub struct Shape {
    /// The bins
    pub values: Vec<f64>,
    /// The same, smoothed
    pub smooth: Vec<f64>,
    /// Where the first points stand
    pub start: f64,
    /// The least of the smoothed values, and where it stands
    pub best: f64,
    /// Its index
    pub best_at: usize,
    /// Standard deviation of the noise of a bin
    pub noise: f64,
}

impl Shape {
    /// Of the bins; `start`: where the first points stand.
    pub fn new(values: Vec<f64>, start: f64) -> Shape {
        let smooth = smoothed(&values);
        let (best_at, best) =
            smooth.iter().enumerate().fold((0, f64::INFINITY), |best, (i, x)| if *x < best.1 { (i, *x) } else { best });
        let size = values.iter().fold(0.0f64, |size, x| size.max(x.abs()));
        // What is counted moves by whole steps.
        let step = values.windows(2).map(|pair| (pair[1] - pair[0]).abs()).filter(|step| *step > 0.0);
        let noise = noise(&values).max(size * 1e-12).max(0.5 * step.min_by(f64::total_cmp).unwrap_or(0.0));
        Shape { values, smooth, start, best, best_at, noise }
    }

    /// The same in logarithms, where it spans more than that a rise would show beside its start.
    fn in_decades(&self) -> Option<Shape> {
        let spans = self.best > 0.0 && self.start > 5.0 * self.best && self.values.iter().all(|x| *x > 0.0);
        spans.then(|| {
            Shape::new(self.values.iter().map(|x| (x / self.best).ln()).collect(), (self.start / self.best).ln())
        })
    }

    /// Whether it had come down most of its way, and was up by half of it again, before its best.
    fn has_swung(&self) -> bool {
        let level = |share: f64| self.best + share * self.progress();
        let down = self.smooth.iter().position(|x| *x < level(0.35)).unwrap_or(self.best_at);
        self.smooth.get(down..self.best_at).unwrap_or_default().iter().any(|x| *x > level(0.5))
    }

    fn progress(&self) -> f64 {
        self.start - self.best
    }

    /// Whether most of what was gained is lost at this moment.
    pub fn is_up(&self) -> bool {
        self.smooth.last().is_some_and(|now| *now > self.best + UP * self.progress())
    }

    /// Whether it has fallen at all, beyond doubt.
    pub fn has_improved(&self) -> bool {
        self.progress() > (6.0 * self.noise).max(0.02 * self.start.abs())
    }
}

/// The start is the upper quartile of so many points: some fall far within the first two, and one of them may be anything.
pub const START: usize = 5;
/// Above this part of what was gained it is lost, below this part it is not.
const UP: f64 = 0.55;
const DOWN: f64 = 0.3;
/// Less than this part of the start is nothing to lose.
const GAIN: f64 = 0.2;

fn half(values: &[f64], second: bool) -> f64 {
    let (a, b) = values.split_at(values.len() / 2);
    median(if second { b } else { a })
}

/// Divergence, by the bins. `paired`: a curve of held-out data whose training curve is known; its slow rise is overfitting.
pub fn divergence(shape: &Shape, paired: bool, is_main: bool, points: u64) -> Option<Found> {
    let rises = |shape: &Shape, settled| rising(shape, settled).filter(|_| !paired);
    let decades = || shape.in_decades().filter(|shape| is_main && !shape.has_swung());
    above_all(shape, points)
        .or_else(|| lost(shape, if is_main { FEW } else { 40 }))
        .or_else(|| rises(shape, 0.5))
        .or_else(|| decades().and_then(|shape| lost(&shape, FEW).or_else(|| rises(&shape, 0.33))))
}

/// Bins that are enough to say of what is trained for that it is lost.
const FEW: usize = 28;

fn above_all(shape: &Shape, points: u64) -> Option<Found> {
    let v = &shape.values;
    let last = (v.len() / 10).max(4);
    if v.len() < 10.max(last * 2) {
        return None;
    }
    let (past, recent) = v.split_at(v.len() - last);
    let (bottom, top) = range(past);
    let top = top.max(shape.start);
    let least = if points < 30 { 0.5 } else { 0.1 } * top.abs();
    let over = ((top - bottom) * 0.5).max(6.0 * noise(past)).max(least);
    let falls = half(recent, true) < half(recent, false) - 0.1 * over;
    if range(recent).0 <= top + over || falls {
        return None;
    }
    let now = median(recent);
    found("is higher than ever and does not come back", &[("now", now), ("highest_before", top), ("lowest", bottom)])
}

/// Whether it has lost most of what it had gained, reckoned from its start; or from where it stands now, where that is
/// higher: what fell within its first points seems to have begun low.
fn lost(shape: &Shape, least: usize) -> Option<Found> {
    let now = median(shape.values.get(shape.values.len() * 4 / 5..).filter(|_| shape.values.len() >= least)?);
    let had_gained = shape.progress() > GAIN * shape.start.abs();
    lost_since(shape, shape.start).or_else(|| lost_since(shape, now).filter(|_| now > shape.start && had_gained))
}

fn lost_since(shape: &Shape, from: f64) -> Option<Found> {
    let v = &shape.values;
    let progress = from - shape.best;
    if progress < (8.0 * shape.noise).max(GAIN * shape.start.abs()) {
        return None;
    }
    let part = |share: f64| shape.best + share * progress;
    let (stays, is_up) = stays(v, part(DOWN), part(UP));
    let (now_up, before) = stays.split_last().filter(|_| is_up)?;
    // What swings stays no longer than it did before, by far.
    let longest = before.iter().map(|stay| stay.len()).max().unwrap_or(0);
    let last = (v.len() / 5).max(6);
    if now_up.len() < last.max(2 * longest + 1) {
        return None;
    }
    let (past, recent) = (v.get(..now_up.start)?, v.get(v.len() - last..)?);
    let settled = past.iter().filter(|x| **x < part(0.4)).count();
    // Or it goes up slowly, and has begun to come down.
    let at_once = past.iter().rev().take(3).any(|x| *x < part(DOWN));
    if !at_once || settled < (past.len() / 3).max(5) || quantile(recent, 0.1) < part(UP) {
        return None;
    }
    let falls = half(recent, false) - half(recent, true);
    if falls > 0.03 * progress || falls > 0.01 * progress && trend(recent).1 < -2.0 {
        return None;
    }
    let figures = [("now", median(recent)), ("best", shape.best), ("start", shape.start)];
    found("has lost most of what it had gained", &figures)
}

/// The times for which values were high after they had been low, and whether the last one goes on. With hysteresis (Schmitt
/// 1938): they begin above `high` and end below `low`.
fn stays(values: &[f64], low: f64, high: f64) -> (Vec<Range<usize>>, bool) {
    let (mut stays, mut since, mut was_low) = (Vec::new(), None, false);
    for (i, x) in values.iter().enumerate() {
        was_low |= *x < low;
        match since {
            None if was_low && *x > high => since = Some(i),
            Some(begin) if *x < low => {
                stays.push(begin..i);
                since = None;
            }
            _ => {}
        }
    }
    stays.extend(since.map(|begin| begin..values.len()));
    (stays, since.is_some())
}

fn rising(shape: &Shape, part: f64) -> Option<Found> {
    let v = &shape.values;
    let (since, progress) = (v.len() - shape.best_at, shape.progress());
    // What has never fallen, as a penalty that grows from nothing, may rise; and a spike of a loss that spans decades takes a
    // dozen points to come down.
    if shape.best_at < 4 || since < (v.len() / 4).max(14) || progress < (8.0 * shape.noise).max(0.4 * shape.start.abs())
    {
        return None;
    }
    let (before, after) = v.split_at(shape.best_at);
    let settled = before.iter().filter(|x| **x < shape.best + 0.35 * progress).count();
    let (tau, deviations) = trend(after);
    let last = median(after.get(after.len() - after.len() / 4..).unwrap_or_default());
    let rise = last - shape.best;
    if (settled as f64) < part * before.len() as f64
        || tau < 0.6
        || deviations < 3.0
        || rise < (10.0 * shape.noise).max(0.25 * progress)
    {
        return None;
    }
    found("has been rising since its best value", &[("now", last), ("best", shape.best), ("tau", tau)])
}

/// Divergence of a return, by the bins: what was learned is lost. Dips are usual in the beginning.
pub fn collapse(shape: &Shape, points: u64) -> Option<Found> {
    let had_time = points >= LEARNING;
    far_above(shape, 1.0)
        .or_else(|| lost(shape, 40).filter(|_| had_time))
        .or_else(|| rising(shape, 0.5).filter(|_| had_time))
}

/// Divergence of a loss that is no measure of how good it goes, as of players against each other: it runs away from all that
/// was before.
pub fn runaway(shape: &Shape, points: u64) -> Option<Found> {
    far_above(shape, 2.0).filter(|_| points >= LEARNING)
}

/// Whether most of the last quarter lies above all that was before by so many times what that is wide and high.
fn far_above(shape: &Shape, times: f64) -> Option<Found> {
    let v = &shape.values;
    let (past, recent) = v.split_at(v.len() - v.len() / 4);
    if v.len() < 48 {
        return None;
    }
    let (bottom, top) = range(past);
    let (now, over) = (quantile(recent, 0.3), times * (top - bottom).max(top.abs()));
    if now <= top + over || half(recent, true) < half(recent, false) {
        return None;
    }
    found("runs away", &[("now", median(recent)), ("highest_before", top), ("lowest", bottom)])
}

/// So many points there are at least before it is judged that something is lost again.
const LEARNING: u64 = 100;

/// Overfitting: held-out values rise since their best, while those of training beside them go on falling.
pub fn overfit(shape: &Shape, beside: &[f64]) -> Option<Found> {
    let v = &shape.values;
    let since = v.len() - shape.best_at;
    if v.len() < 8 || since < (v.len() / 6).max(5) {
        return None;
    }
    let after = v.get(shape.best_at..)?;
    let quarter = (after.len() / 3).max(2);
    let last = median(after.get(after.len() - quarter..)?);
    let rise = last - shape.best;
    let (tau, deviations) = trend(after);
    // Of a short one every value has to rise, nearly.
    let sure = if after.len() < 8 { tau > 0.75 } else { tau > 0.4 && deviations > 3.0 };
    let enough = (4.0 * shape.noise).max(0.04 * shape.best.abs()).max(0.03 * shape.progress());
    if !sure || rise < enough {
        return None;
    }
    let trained = beside.get(shape.best_at..).filter(|t| t.iter().all(|x| x.is_finite()))?;
    let (then, now) = (median(trained.get(..2)?), median(trained.get(trained.len() - quarter..)?));
    let train_noise = noise(trained);
    if trend(trained).0 > -0.25 || then - now < (2.0 * train_noise).max(0.01 * then.abs()) {
        return None;
    }
    found(
        "gets worse since its best value, while training gets better",
        &[("now", last), ("best", shape.best), ("train_then", then), ("train_now", now)],
    )
}

/// Norms: the logarithm of the level now against that of the earlier half.
pub fn norm(values: &[f64]) -> Option<(bool, Found)> {
    let logs: Vec<f64> = values.iter().map(|x| x.max(1e-300).log10()).collect();
    let last = (logs.len() / 12).max(4);
    if logs.len() < 12 {
        return None;
    }
    let (past, recent) = logs.split_at(logs.len() - last);
    let base = past.get(past.len() / 8..).unwrap_or_default();
    let (usual, spread) = (median(base), noise(base));
    let (low, high) = range(recent);
    let figures = [("now", 10f64.powf(median(recent))), ("usual", 10f64.powf(usual))];
    // All was zero.
    if usual < -200.0 {
        return None;
    }
    let (bottom, top) = (quantile(base, 0.25), quantile(base, 0.75));
    if low > usual + 1.3f64.max(8.0 * spread) && low > top + 0.5 {
        return found("explodes", &figures).map(|found| (true, found));
    }
    if high < usual - 2.5f64.max(8.0 * spread) && high < bottom - 0.5 || high < -9.0 {
        return found("vanishes", &figures).map(|found| (false, found));
    }
    None
}
