//! Which part of the numbers a chart shows.
//!
//! Sideways: everything. Upwards: everything, unless a few numbers lie so far off that nothing could be told of the rest,
//! as when one run of many diverges. For that, each curve stands with the middle 80 % of its values. The core is the
//! third of the curves whose values are smallest; of the others, those join it that lie within 20 of its heights
//! (within 1000, if more than a quarter would be left out: then they are another scale, not an accident). Values further from
//! all these than five times their height (more where there are few points) are far off. If there are any, curves that go six times as
//! far are shown only up to a quarter above what the other curves need, or, where there is no other, up to those five
//! times; but all this only if the picture grows at least four times by it. On a logarithmic axis the same is done with
//! the logarithms, and 6 in place of 20 and five times in place of thirty: decades are wide already.

use super::Series;
use super::ticks::Kind;

/// A range of an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Lower end.
    pub low: f64,
    /// Upper end, greater than `low`.
    pub high: f64,
}

/// All x of points that have a value, or are marked for not having one; `None` without any.
pub fn sideways(series: &[Series]) -> Option<Range> {
    let all = series.iter().flat_map(|s| s.points.iter().chain(&s.behind)).map(|p| p.0).filter(|x| x.is_finite());
    let (low, high) = bounds(all)?;
    Some(if low < high { Range { low, high } } else { around(low) })
}

/// True if all x are whole numbers.
pub fn whole(series: &[Series]) -> bool {
    series.iter().flat_map(|s| &s.points).all(|p| !p.0.is_finite() || p.0 == p.0.trunc())
}

/// What of y to show: see above; `full` leaves nothing out, `low` and `high` are the user's own ends. With a margin
/// of 4 % at the ends found here. `None` if there is no number to show.
pub fn upwards(series: &[Series], kind: Kind, full: bool, low: Option<f64>, high: Option<f64>) -> Option<Range> {
    let log = kind == Kind::Log;
    let scale = |v: f64| if log { v.log10() } else { v };
    let values =
        |points: &[(f64, f64)]| -> Vec<f64> { points.iter().map(|p| scale(p.1)).filter(|v| v.is_finite()).collect() };
    let curves: Vec<Vec<f64>> = series.iter().map(|s| values(&s.points)).filter(|v| !v.is_empty()).collect();
    let behind: Vec<Vec<f64>> = series.iter().map(|s| values(&s.behind)).collect();
    let all = || curves.iter().chain(&behind).flatten().copied();
    let whole = bounds(all())?;
    let kept = if full { whole } else { without_outliers(curves.clone(), &all, whole, log) };
    let margin = if kept.0 < kept.1 { (kept.1 / 25.0) - (kept.0 / 25.0) } else { 0.0 };
    let back = |v: f64| if log { 10f64.powf(v) } else { v };
    let found = |end: f64| back(end).clamp(-f64::MAX, f64::MAX);
    let given = |v: Option<f64>| v.filter(|v| v.is_finite() && (!log || *v > 0.0));
    let range = Range {
        low: given(low).unwrap_or_else(|| found(kept.0 - margin)),
        high: given(high).unwrap_or_else(|| found(kept.1 + margin)),
    };
    Some(widened(range, log, given(low).is_some(), given(high).is_some()))
}

/// A range with room between its ends, whatever was given.
fn widened(range: Range, log: bool, low_given: bool, high_given: bool) -> Range {
    let Range { low, high } = range;
    let floor = if log { f64::MIN_POSITIVE } else { -f64::MAX };
    let least = if log { low.abs() * 1e-6 } else { (low.abs() + high.abs()) * 1e-13 };
    if high - low > least.max(1e-300) {
        return Range { low: low.max(floor), high };
    }
    let room = around(low);
    match (low_given, high_given) {
        (true, false) if log => Range { low, high: low * 10.0 },
        (false, true) if log => Range { low: high / 10.0, high },
        _ if log => Range { low: low.min(high) / 2.0, high: (low.max(high) * 2.0).min(f64::MAX) },
        (true, false) => Range { low, high: low + (room.high - room.low) },
        (false, true) => Range { low: high - (room.high - room.low), high },
        _ => around(if low == high { low } else { low / 2.0 + high / 2.0 }),
    }
}

/// A range with one number in its middle.
fn around(value: f64) -> Range {
    let half = if value == 0.0 { 0.5 } else { (value.abs() * 0.05).max(1e-300) };
    Range { low: (value - half).max(-f64::MAX), high: (value + half).min(f64::MAX) }
}

fn bounds(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |b: Option<(f64, f64)>, v| Some(b.map_or((v, v), |(l, h)| (l.min(v), h.max(v)))))
}

type Values<'a, I> = &'a dyn Fn() -> I;

/// Lower and upper end of the middle 80 % of a curve; all of it if it has three points or fewer.
fn middle(mut curve: Vec<f64>) -> (f64, f64) {
    let last = curve.len().saturating_sub(1);
    let trim = if last < 3 { 0 } else { (last / 10).max(1) };
    let mut nth = |n: usize| *curve.select_nth_unstable_by(n, f64::total_cmp).1;
    (nth(trim), nth(last - trim))
}

fn without_outliers<I: Iterator<Item = f64>>(
    curves: Vec<Vec<f64>>,
    all: Values<I>,
    whole: (f64, f64),
    log: bool,
) -> (f64, f64) {
    let points: usize = curves.iter().map(Vec::len).sum();
    let ends: Vec<(f64, f64)> = curves.iter().filter_map(|c| bounds(c.iter().copied())).collect();
    let mut middles: Vec<(f64, f64)> = curves.into_iter().map(middle).collect();
    middles.sort_by(|a, b| a.0.abs().max(a.1.abs()).total_cmp(&b.0.abs().max(b.1.abs())));
    let third = middles.len().div_ceil(3);
    let hull = |a: (f64, f64), b: &(f64, f64)| (a.0.min(b.0), a.1.max(b.1));
    let none = (f64::MAX, f64::MIN);
    let mut core = middles.iter().take(third).fold(none, hull);
    let mut heights: Vec<f64> = middles.iter().map(|m| m.1 - m.0).collect();
    heights.sort_by(f64::total_cmp);
    let ordinary = heights.iter().skip(third - 1).find(|h| **h > 0.0).copied().unwrap_or(0.0);
    let height = (core.1 - core.0).max(ordinary);
    let far = |times: f64, m: &(f64, f64)| (core.0 - m.0).max(m.1 - core.1) > times * height;
    let (near, once_more) = if log { (6.0, 1.0) } else { (20.0, 6.0) };
    let few = middles.iter().filter(|m| far(near, m)).count() * 4 <= middles.len();
    let times = if few { near } else { 1000.0 };
    core = middles.iter().filter(|m| !far(times, m)).fold(core, hull);
    let reach = (core.1 - core.0).max(ordinary) * (5.0 + 50.0 / points as f64);
    if reach.is_nan() || reach <= 0.0 || !reach.is_finite() {
        return whole;
    }
    let mild: Vec<&(f64, f64)> =
        ends.iter().filter(|e| (core.0 - e.0).max(e.1 - core.1) <= once_more * reach).collect();
    let (low, high) = mild.iter().fold(core, |a, b| hull(a, b));
    let reach = if mild.is_empty() { reach } else { (high - low) / 4.0 };
    let (low, high) = (low - reach, high + reach);
    let fence = low..=high;
    match bounds(all().filter(|v| fence.contains(v))) {
        Some(kept) if (whole.1 - whole.0) > 4.0 * (kept.1 - kept.0) && kept.0 < kept.1 => kept,
        _ => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(values: impl IntoIterator<Item = f64>) -> Series {
        let points = values.into_iter().enumerate().map(|(n, v)| (n as f64, v)).collect();
        Series { points, ..Series::default() }
    }

    fn falling(start: f64) -> Series {
        curve((1..100).map(|n| start / f64::from(n)))
    }

    fn range(series: &[Series], kind: Kind) -> (f64, f64) {
        let r = upwards(series, kind, false, None, None).unwrap();
        (r.low, r.high)
    }

    #[test]
    fn ordinary_curves_are_shown_whole() {
        let exponential = curve((0..100).map(|n| 100.0 * 10f64.powf(-f64::from(n) / 16.0)));
        assert!(range(std::slice::from_ref(&exponential), Kind::Number).1 >= 100.0);
        let (low, high) = range(&[exponential], Kind::Log);
        assert!(low < 1e-4 && high > 100.0 && high < 200.0);
        assert!(range(&[curve([0.1, 0.5, 0.9]), curve([0.2, 0.4, 12.0])], Kind::Number).1 > 12.0);
        assert!(range(&[curve([1.0, 2.0, 3.0, 10.0])], Kind::Number).1 > 10.0);
    }

    #[test]
    fn a_diverging_run_does_not_flatten_the_others() {
        let diverging = || curve((0..100).map(|n| 10f64.powf(f64::from(n) * 0.3)));
        let (_, high) = range(&[falling(3.0), falling(2.0), diverging()], Kind::Number);
        assert!((3.0..30.0).contains(&high), "{high}");
        let (_, high) = range(&[falling(3.0), diverging()], Kind::Number);
        assert!((3.0..30.0).contains(&high), "{high}");
        let (_, high) = range(&[falling(3.0), falling(2.0), falling(1.0), falling(4.0), diverging()], Kind::Log);
        assert!((4.0..1e8).contains(&high), "{high}");
        let late = curve((0..100).map(|n| if n < 95 { 3.0 / f64::from(n + 1) } else { 1e30 }));
        assert!(range(&[late], Kind::Number).1 < 30.0);
        assert!(range(&[curve([1.0, 0.8, 0.7, 0.6, 1e30])], Kind::Number).1 < 30.0);
    }

    #[test]
    fn there_is_always_room_between_the_ends() {
        for value in [0.0, 5.0, -5.0, 1e300, 1e-300, f64::MAX, 1e-320] {
            for kind in [Kind::Number, Kind::Log] {
                if let Some(r) = upwards(&[curve([value, value])], kind, false, None, None) {
                    assert!(r.low < r.high && r.low.is_finite() && r.high.is_finite(), "{value} {kind:?} {r:?}");
                }
            }
        }
        let r = upwards(&[curve([1.0, 2.0])], Kind::Number, false, Some(7.0), None).unwrap();
        assert!(r.low == 7.0 && r.high > 7.0);
        assert_eq!(upwards(&[curve([f64::NAN])], Kind::Number, false, None, None), None);
        assert_eq!(upwards(&[curve([-1.0])], Kind::Log, false, None, None), None);
        assert!(sideways(&[curve([3.0])]).is_some_and(|r| r.low < 0.0 && r.high > 0.0));
    }
}
