//! What does not move: curves that stopped, and curves that never began. As in `curve`, everything is to fall.
//!
//! - plateau: (a) it fell, then stopped short at once, while still high, and has not fallen for half of the curve: a broken
//!   line (Hudson 1966); what converges, as an exponential, a power law or an S does, slows down before it stops; (b) or it
//!   slowed down, but has rested for three quarters of the curve or more, still high, so surely that a fall by a fiftieth of
//!   what it fell before would have been seen. What is between them is silent, and so is what might be either.
//! - dead: it has never moved, by as little as can be told from the noise, and nothing hints that it begins to. A return,
//!   whose size says nothing, has shown no trend in hundreds of points.

use super::curve::{Found, Shape, found};
use super::sketch::{median, noise, quantile, range, slope, trend};

/// Plateau; `bound`: the best value there can be, 0 for a loss that is never negative.
pub fn plateau(shape: &Shape, bound: f64, points: u64) -> Option<Found> {
    let n = shape.values.len();
    if points < 40 || n < 24 || !shape.has_improved() {
        return None;
    }
    let long = RESTS.iter().filter(|rest| points as f64 * rest.since >= 10.0);
    stuck(shape, bound).or_else(|| long.filter_map(|rest| rests(shape, bound, rest)).next())
}

/// It stopped at once, and has not fallen for half of the curve.
fn stuck(shape: &Shape, bound: f64) -> Option<Found> {
    let from = shape.values.len() / 2;
    let flat = shape.smooth.get(from..)?;
    let level = median(flat);
    let (way, gone) = (shape.start - bound, shape.start - level);
    let noise = noise(shape.values.get(from..)?).max(1e-3 * gone);
    let (low, high) = range(flat);
    let stuck_high = way > 0.0 && gone > 0.05 * way && gone < 0.75 * way;
    if !stuck_high || gone < 30.0 * noise || high - low > (0.2 * gone).min(8.0 * noise) {
        return None;
    }
    if slope(flat).abs() * flat.len() as f64 > noise || !stops_at_once(shape, level, noise) {
        return None;
    }
    stopped(shape, level)
}

/// It may have slowed down, but has rested since: of what it fell before, a part as small as `still` would have been seen.
struct Rest {
    /// Since this part of the curve
    since: f64,
    /// It fell by so much of its way
    gone: (f64, f64),
    still: f64,
}

/// For three quarters of it, in the middle of its way; or for nearly all of it, since it settled near its start.
const RESTS: [Rest; 2] =
    [Rest { since: 0.25, gone: (0.2, 0.65), still: 0.02 }, Rest { since: 0.08, gone: (0.06, 0.3), still: 0.05 }];

fn rests(shape: &Shape, bound: f64, rest: &Rest) -> Option<Found> {
    let flat = shape.values.get((shape.values.len() as f64 * rest.since) as usize..)?;
    let level = median(flat);
    let (way, gone) = (shape.start - bound, shape.start - level);
    // A score has an end that is far for many, and most come near to theirs more slowly.
    let (most, still) = if bound < 0.0 { (rest.gone.1.min(0.5), 0.04) } else { (rest.gone.1, rest.still) };
    if gone < rest.gone.0 * way || gone > most * way {
        return None;
    }
    let count = flat.len() as f64;
    // Of the rise of a straight line through so many values.
    let deviation = noise(flat).max(1e-3 * gone) * (12.0 / count).sqrt();
    let moved = slope(flat).abs() * count + deviation;
    let third = flat.len() / 3;
    let (low, high) = range(&[median(flat.get(..third)?), level, median(flat.get(flat.len() - third..)?)]);
    if moved.max(high - low) < still * gone { stopped(shape, level) } else { None }
}

fn stopped(shape: &Shape, level: f64) -> Option<Found> {
    found("stopped falling short of its way, and has not moved since", &[("now", level), ("start", shape.start)])
}

/// Whether a fall to this level ended as a broken line does. The line through the middle half of the fall meets the level at
/// a corner; near it an exponential lies above both by a tenth of the fall, a logistic curve by a sixteenth. Where the noise or
/// too few bins hide that, the fall may have slowed down.
fn stops_at_once(shape: &Shape, level: f64, noise: f64) -> bool {
    let v = &shape.values;
    let gone = shape.start - level;
    let reached = |share: f64| shape.smooth.iter().position(|x| shape.start - x >= share * gone);
    let (Some(quarter), Some(three)) = (reached(0.25), reached(0.75)) else { return false };
    let middle = v.get(quarter..=three).unwrap_or_default();
    let slope = slope(middle);
    if middle.len() < 4 || slope >= 0.0 {
        return false;
    }
    let (centre, height) = ((quarter + three) as f64 / 2.0, median(middle));
    let line = |i: f64| height + slope * (i - centre);
    let off = |(i, x): (usize, &f64)| (x - line((quarter + i) as f64)).abs();
    if middle.iter().enumerate().map(off).fold(0.0, f64::max) > 0.1 * gone {
        return false;
    }
    let corner = centre + (level - height) / slope;
    let near = ((corner - centre) / 2.0).max(1.0);
    let (from, to) = ((corner - near).ceil() as usize, ((corner + near).floor() as usize + 1).min(v.len()));
    let Some(about) = v.get(from..to) else { return false };
    let above: f64 = about.iter().enumerate().map(|(i, x)| x - line((from + i) as f64).max(level)).sum();
    let count = about.len() as f64;
    above / count + 2.0 * noise / count.sqrt() < 0.04 * gone
}

/// A loss that has moved less than this part of its size is dead.
const SEEN: f64 = 0.012;
/// Standard deviations of what is measured of that.
const SURE: f64 = 2.0;

/// A trend of so many standard deviations hints at a fall: another look later.
const HINT: f64 = -1.0;

/// Dead from the start. `long`: so long that something must have been learned.
pub fn dead(shape: &Shape, long: bool) -> Option<Found> {
    let v = &shape.values;
    let size = shape.start.abs();
    let (low, high) = (quantile(v, 0.1), quantile(v, 0.9));
    if !long || v.len() < 12 || size == 0.0 || low <= 0.0 {
        return None;
    }
    let width = if v.len() < 30 { 0.015 } else { 0.06 };
    let third = v.len() / 3;
    let (first, middle, last) =
        (median(v.get(..third)?), median(v.get(third..v.len() - third)?), median(v.get(v.len() - third..)?));
    let deviation = shape.noise * 1.5 / (third as f64).sqrt();
    // What has turned round in between has moved.
    let (bottom, top) = range(&[first, middle, last]);
    let moved = top - bottom;
    // Said only where so small a change would have been seen: in much noise that takes long, and what learns slowly has
    // begun to learn by then.
    if moved + SURE * deviation > SEEN * size {
        return None;
    }
    let fell = first - last > (2.5 * deviation).max(0.001 * size) || trend(v).1 < HINT;
    if high - low > width * size || fell {
        return None;
    }
    found("has not moved since the start", &[("now", last), ("start", shape.start)])
}

/// Dead from the start, of a return, whose size says nothing: no trend to be seen in so many points.
pub fn never_learned(shape: &Shape, points: u64) -> Option<Found> {
    let v = &shape.values;
    let third = v.len() / 3;
    if points < PATIENCE || third < 4 {
        return None;
    }
    let (first, last) = (median(v.get(..third)?), median(v.get(v.len() - third..)?));
    let deviation = shape.noise * 1.5 / (third as f64).sqrt();
    if trend(v).1.abs() > 1.5 || (first - last).abs() > 2.0 * deviation {
        return None;
    }
    found("has not moved since the start", &[("now", last), ("start", shape.start)])
}

/// So many points a game takes until something is learned, and more than many do.
const PATIENCE: u64 = 400;
