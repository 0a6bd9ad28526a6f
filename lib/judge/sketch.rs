//! A curve in constant memory: at most `MOST` bins of equal length over all of it. A bin holds the median of its points,
//! found in one pass by the P² algorithm (R. Jain, I. Chlamtac, Communications of the ACM 28(10), 1985); when all bins are
//! full, neighbours are joined and bins are twice as long. So a look at a curve costs the same for ten points and for ten
//! million, what lasts for a given part of the curve takes a given number of bins, and short spikes vanish.
//!
//! And the robust statistics that detectors are made of: median, the noise by the median absolute difference of
//! neighbours (a trend does not count as noise; the factor 1.4826 as for the MAD, Hampel 1974), the slope of Theil and Sen
//! (1968), and the sign test for a trend of Mann (1945) and Kendall.

/// Bins at most.
pub const MOST: usize = 96;

/// The median of a stream.
#[derive(Clone, Debug, Default)]
pub struct Median {
    count: u64,
    heights: [f64; 5],
    places: [f64; 5],
}

impl Median {
    /// Adds a finite value.
    pub fn add(&mut self, x: f64) {
        if self.count < 5 {
            self.heights[self.count as usize] = x;
            self.count += 1;
            if self.count == 5 {
                self.heights.sort_by(f64::total_cmp);
                self.places = [1.0, 2.0, 3.0, 4.0, 5.0];
            }
            return;
        }
        self.count += 1;
        let h = &mut self.heights;
        h[0] = h[0].min(x);
        h[4] = h[4].max(x);
        let cell = (1..4).filter(|i| x >= h[*i]).count();
        for place in self.places.iter_mut().skip(cell + 1) {
            *place += 1.0;
        }
        let n = self.count as f64;
        for (i, share) in [(1, 0.25), (2, 0.5), (3, 0.75)] {
            self.adjust(i, 1.0 + (n - 1.0) * share);
        }
    }

    fn adjust(&mut self, i: usize, wanted: f64) {
        let (h, p) = (&self.heights, &self.places);
        let off = wanted - p[i];
        let step = off.signum();
        let room = if off > 0.0 { p[i + 1] - p[i] > 1.0 } else { p[i - 1] - p[i] < -1.0 };
        if off.abs() < 1.0 || !room {
            return;
        }
        let (up, down) = (p[i + 1] - p[i], p[i] - p[i - 1]);
        let parabola = h[i]
            + step / (up + down) * ((down + step) * (h[i + 1] - h[i]) / up + (up - step) * (h[i] - h[i - 1]) / down);
        let next = if step > 0.0 { i + 1 } else { i - 1 };
        let line = h[i] + step * (h[next] - h[i]) / (p[next] - p[i]);
        let fits = h[i - 1] < parabola && parabola < h[i + 1];
        self.heights[i] = if fits { parabola } else { line };
        self.places[i] += step;
    }

    /// The median so far; NaN of nothing. Exact up to five values.
    pub fn get(&self) -> f64 {
        match self.count {
            0 => f64::NAN,
            n @ 1..5 => median(&self.heights[..n as usize]),
            _ => self.heights[2],
        }
    }
}

/// A stretch of a curve.
#[derive(Clone, Copy, Debug)]
pub struct Bin {
    /// Its median
    pub value: f64,
    /// What stood beside it: see `Sketch::push`
    pub beside: f64,
}

/// A curve in bins.
#[derive(Clone, Debug)]
pub struct Sketch {
    bins: Vec<Bin>,
    per: u64,
    open: Median,
    beside: f64,
}

impl Default for Sketch {
    fn default() -> Sketch {
        Sketch { bins: Vec::new(), per: 1, open: Median::default(), beside: f64::NAN }
    }
}

impl Sketch {
    /// Adds a finite value, and one of another curve at the same time (NaN: there is none). True: a bin is full.
    pub fn push(&mut self, x: f64, beside: f64) -> bool {
        self.open.add(x);
        self.beside = beside;
        if self.open.count < self.per {
            return false;
        }
        if self.bins.len() == MOST {
            let joined = |pair: &[Bin]| {
                let sum = pair.iter().fold((0.0, 0.0), |sum, bin| (sum.0 + bin.value, sum.1 + bin.beside));
                Bin { value: sum.0 / pair.len() as f64, beside: sum.1 / pair.len() as f64 }
            };
            self.bins = self.bins.chunks(2).map(joined).collect();
            self.per *= 2;
            // This one is the first half of a longer bin now, unless it was full of single points.
            return false;
        }
        self.bins.push(Bin { value: self.open.get(), beside: self.beside });
        self.open = Median::default();
        true
    }

    /// The full bins, in order.
    pub fn bins(&self) -> &[Bin] {
        &self.bins
    }

    /// Their values.
    pub fn values(&self) -> Vec<f64> {
        self.bins.iter().map(|bin| bin.value).collect()
    }

    /// Points in a bin.
    pub fn per(&self) -> u64 {
        self.per
    }
}

/// The median; NaN of nothing.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// A quantile between two values by the line between them; NaN of nothing.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = share * sorted.len().saturating_sub(1) as f64;
    let (low, high) = (sorted.get(at.floor() as usize), sorted.get(at.ceil() as usize));
    low.zip(high).map_or(f64::NAN, |(low, high)| low + (high - low) * at.fract())
}

/// Least and greatest.
pub fn range(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)))
}

/// The standard deviation of the noise, by the differences of neighbours.
pub fn noise(values: &[f64]) -> f64 {
    let steps: Vec<f64> = values.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    if steps.is_empty() { 0.0 } else { median(&steps) * 1.4826 / std::f64::consts::SQRT_2 }
}

/// Each value replaced by the median of it and its neighbours.
pub fn smoothed(values: &[f64]) -> Vec<f64> {
    let near = |i: usize| values.get(i.saturating_sub(1)..(i + 2).min(values.len())).unwrap_or_default();
    (0..values.len()).map(|i| median(near(i))).collect()
}

/// The median slope of all pairs, a step.
pub fn slope(values: &[f64]) -> f64 {
    let mut slopes = Vec::with_capacity(values.len() * values.len() / 2);
    for (i, a) in values.iter().enumerate() {
        slopes.extend(values.iter().enumerate().skip(i + 1).map(|(j, b)| (b - a) / (j - i) as f64));
    }
    median(&slopes)
}

/// How surely values rise or fall: Kendall's tau, from -1 (each is below those before) to 1, and its distance from chance
/// in standard deviations.
pub fn trend(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    if values.len() < 3 {
        return (0.0, 0.0);
    }
    let mut sum = 0.0;
    for (i, a) in values.iter().enumerate() {
        for b in values.iter().skip(i + 1) {
            sum += if b > a {
                1.0
            } else if b < a {
                -1.0
            } else {
                0.0
            };
        }
    }
    let deviation = (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    (sum / (n * (n - 1.0) / 2.0), sum / deviation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_memory() {
        let mut sketch = Sketch::default();
        for i in 0..1_000_000u64 {
            sketch.push(i as f64, 0.0);
            assert!(sketch.bins().len() <= MOST);
        }
        let values = sketch.values();
        assert!(values.len() >= MOST / 2 && sketch.per() > 8192, "{} bins of {}", values.len(), sketch.per());
        assert!(values.windows(2).all(|pair| pair[0] < pair[1]));
        let width = sketch.per() as f64;
        for (i, value) in values.iter().enumerate() {
            assert!((value - (i as f64 + 0.5) * width).abs() < 0.1 * width, "bin {i}: {value}");
        }
    }

    #[test]
    fn medians() {
        let mut p2 = Median::default();
        assert!(p2.get().is_nan());
        for i in 0..1001u64 {
            p2.add((i * 7919 % 1001) as f64);
        }
        assert!((p2.get() - 500.0).abs() < 10.0, "{}", p2.get());
        let mut same = Median::default();
        (0..100).for_each(|_| same.add(3.0));
        assert_eq!(same.get(), 3.0);
        assert_eq!((median(&[3.0, 1.0, 2.0]), median(&[1.0, 2.0]), quantile(&[0.0, 1.0, 2.0], 0.25)), (2.0, 1.5, 0.5));
    }

    #[test]
    fn statistics() {
        let line: Vec<f64> = (0..20).map(f64::from).collect();
        assert_eq!((slope(&line), trend(&line).0), (1.0, 1.0));
        assert!(trend(&line).1 > 5.0);
        assert_eq!(smoothed(&[1.0, 9.0, 1.0, 1.0])[1], 1.0);
        assert_eq!(noise(&[]), 0.0);
        assert_eq!(range(&[2.0, -1.0]), (-1.0, 2.0));
    }
}
