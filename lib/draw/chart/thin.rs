//! Curves of any length in little memory, and smoothing.
//!
//! `Curve` takes points one by one. It keeps them as buckets of equally many consecutive points: first, lowest, highest,
//! last, and the first that is no number. When there are too many buckets, neighbours are merged and buckets become twice as
//! long. So extremes and breaks are never lost, whatever the length. `Smoother` replaces each value by the mean or the
//! median of the last N.

use std::collections::VecDeque;

const BUCKETS: usize = 2048;

#[derive(Clone, Copy, Debug)]
struct Point<X> {
    number: u64,
    x: X,
    y: f64,
}

#[derive(Clone, Copy, Debug)]
struct Bucket<X> {
    first: Point<X>,
    low: Option<Point<X>>,
    high: Option<Point<X>>,
    odd: Option<Point<X>>,
    last: Point<X>,
}

fn pick<X>(a: Option<Point<X>>, b: Option<Point<X>>, better: fn(f64, f64) -> bool) -> Option<Point<X>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if better(b.y, a.y) { b } else { a }),
        (a, b) => a.or(b),
    }
}

impl<X: Copy> Bucket<X> {
    fn of(p: Point<X>) -> Bucket<X> {
        let value = p.y.is_finite().then_some(p);
        Bucket { first: p, low: value, high: value, odd: value.is_none().then_some(p), last: p }
    }

    fn merge(&mut self, later: &Bucket<X>) {
        self.low = pick(self.low, later.low, |new, old| new < old);
        self.high = pick(self.high, later.high, |new, old| new > old);
        self.odd = self.odd.or(later.odd);
        self.last = later.last;
    }

    /// The points it stands for, in order.
    fn points(&self) -> impl Iterator<Item = (X, f64)> {
        let mut some: Vec<Point<X>> =
            [Some(self.first), self.low, self.high, self.odd, Some(self.last)].into_iter().flatten().collect();
        some.sort_by_key(|p| p.number);
        some.dedup_by_key(|p| p.number);
        some.into_iter().map(|p| (p.x, p.y))
    }
}

/// Most points that stand for a bucket.
const OF_BUCKET: usize = 5;

/// A curve in at most so many points (but five): of equally long stretches the first, the lowest, the highest, the first
/// that is no number, and the last.
pub fn fewer<X: Copy>(points: Vec<(X, f64)>, most: usize) -> Vec<(X, f64)> {
    if points.len() <= most {
        return points;
    }
    let length = points.len().div_ceil((most / OF_BUCKET).max(1));
    let mut all = Vec::with_capacity(most);
    for (i, stretch) in points.chunks(length).enumerate() {
        let mut bucket: Option<Bucket<X>> = None;
        for (j, (x, y)) in stretch.iter().enumerate() {
            let one = Bucket::of(Point { number: (i * length + j) as u64, x: *x, y: *y });
            match &mut bucket {
                Some(bucket) => bucket.merge(&one),
                None => bucket = Some(one),
            }
        }
        all.extend(bucket.iter().flat_map(Bucket::points));
    }
    all
}

/// A curve that is being collected; X says where a point stands.
#[derive(Clone, Debug)]
pub struct Curve<X = f64> {
    buckets: Vec<Bucket<X>>,
    most: usize,
    per_bucket: u64,
    count: u64,
}

impl<X> Default for Curve<X> {
    fn default() -> Curve<X> {
        Curve::new(BUCKETS)
    }
}

impl<X> Curve<X> {
    /// One of at most so many buckets; so many points it keeps as they are.
    pub fn new(buckets: usize) -> Curve<X> {
        Curve { buckets: Vec::new(), most: buckets.max(2), per_bucket: 1, count: 0 }
    }
}

impl<X: Copy> Curve<X> {
    /// Adds a point.
    pub fn push(&mut self, x: X, y: f64) {
        let bucket = Bucket::of(Point { number: self.count, x, y });
        match self.buckets.last_mut() {
            Some(last) if !self.count.is_multiple_of(self.per_bucket) => last.merge(&bucket),
            _ => {
                if self.buckets.len() >= self.most {
                    self.halve();
                }
                self.buckets.push(bucket);
            }
        }
        self.count += 1;
    }

    fn halve(&mut self) {
        let pairs = self.buckets.chunks(2).filter_map(|pair| {
            let mut first = *pair.first()?;
            pair.iter().skip(1).for_each(|second| first.merge(second));
            Some(first)
        });
        self.buckets = pairs.collect();
        self.per_bucket *= 2;
    }

    /// How many points were added.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// What is left of them, in order.
    pub fn points(&self) -> Vec<(X, f64)> {
        self.buckets.iter().flat_map(Bucket::points).collect()
    }
}

/// How to smooth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Smoothing {
    /// The mean of the last values.
    Mean,
    /// The median of the last values: single spikes vanish.
    Median,
}

/// Smooths values as they come. What is not a number passes unchanged and starts a new window.
#[derive(Clone, Debug)]
pub struct Smoother {
    how: Smoothing,
    length: usize,
    window: VecDeque<f64>,
    sorted: Vec<f64>,
}

impl Smoother {
    /// A smoother over the last `length` values, at least one.
    pub fn new(how: Smoothing, length: usize) -> Smoother {
        Smoother { how, length: length.max(1), window: VecDeque::new(), sorted: Vec::new() }
    }

    /// The smoothed value after one more.
    pub fn next(&mut self, value: f64) -> f64 {
        if !value.is_finite() {
            self.window.clear();
            self.sorted.clear();
            return value;
        }
        self.window.push_back(value);
        let gone = if self.window.len() > self.length { self.window.pop_front() } else { None };
        if self.how == Smoothing::Mean {
            let n = self.window.len() as f64;
            return self.window.iter().map(|v| v / n).sum();
        }
        let place = |sorted: &[f64], v: f64| sorted.partition_point(|s| s.total_cmp(&v).is_lt());
        if let Some(gone) = gone {
            let at = place(&self.sorted, gone);
            if at < self.sorted.len() {
                self.sorted.remove(at);
            }
        }
        self.sorted.insert(place(&self.sorted, value), value);
        let n = self.sorted.len();
        let at = |i: usize| self.sorted.get(i).copied().unwrap_or(value);
        if n % 2 == 1 { at(n / 2) } else { at(n / 2 - 1) / 2.0 + at(n / 2) / 2.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_and_breaks_survive_any_length() {
        let mut curve = Curve::default();
        for n in 0..300_000u32 {
            let y = match n {
                77_777 => -9.0,
                200_001 => 9.0,
                123_456 => f64::NAN,
                _ => f64::from(n % 10) / 100.0,
            };
            curve.push(f64::from(n), y);
        }
        let points = curve.points();
        assert!(points.len() <= 5 * BUCKETS && points.len() > BUCKETS);
        assert!(points.contains(&(77_777.0, -9.0)) && points.contains(&(200_001.0, 9.0)));
        assert!(points.iter().any(|p| p.0 == 123_456.0 && p.1.is_nan()));
        assert_eq!((points[0].0, points[points.len() - 1].0), (0.0, 299_999.0));
        assert!(points.windows(2).all(|w| w[0].0 < w[1].0));
    }

    #[test]
    fn in_so_many_points() {
        let points: Vec<(f64, f64)> = (0..1001).map(|n| (f64::from(n), if n == 500 { 9.0 } else { 0.0 })).collect();
        assert_eq!(fewer(points.clone(), 1001), points);
        let few = fewer(points, 100);
        assert!(few.len() <= 100 && few.contains(&(500.0, 9.0)) && few[few.len() - 1].0 == 1000.0);
        assert!(few.windows(2).all(|w| w[0].0 < w[1].0));
    }

    #[test]
    fn short_curves_are_kept_as_they_are() {
        let mut curve = Curve::default();
        (0..2000).for_each(|n| curve.push(f64::from(n), f64::from(n * n % 17)));
        assert_eq!(curve.points(), (0..2000).map(|n| (f64::from(n), f64::from(n * n % 17))).collect::<Vec<_>>());
    }

    #[test]
    fn smoothing_takes_the_last_values() {
        let smooth = |how, values: &[f64]| -> Vec<f64> {
            let mut s = Smoother::new(how, 3);
            values.iter().map(|v| s.next(*v)).collect()
        };
        assert_eq!(smooth(Smoothing::Mean, &[3.0, 5.0, 7.0, 9.0]), [3.0, 4.0, 5.0, 7.0]);
        assert_eq!(smooth(Smoothing::Median, &[1.0, 1.0, 99.0, 1.0, 2.0]), [1.0, 1.0, 1.0, 1.0, 2.0]);
        let broken = smooth(Smoothing::Median, &[1.0, f64::NAN, 5.0]);
        assert!(broken[1].is_nan() && broken[2] == 5.0);
    }
}
