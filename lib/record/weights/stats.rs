//! Norm, mean, deviation and extremes of numbers that come in blocks: one pass over a tensor, two over each block while
//! it is in the cache.
//!
//! A block gives its mean and the sum of squares around it, and blocks are put together by the formula of Chan, Golub
//! and LeVeque (1983); the norm follows as sqrt(M2 + n mean^2), a sum of positive terms. Where numbers are so great or
//! small that their squares leave the range of f64, they are scaled by a power of two first, and what is kept with them.
//! NaN and infinities are counted and left out; the norm alone tells of them, as it would be by its definition.

/// Numbers in a block: what fits the first cache together with the bytes they come from.
pub const BLOCK: usize = 4096;
/// Powers of two between which squares and their sums are safe.
const SAFE: i32 = 400;
const LANES: usize = 8;

/// What is known of the numbers so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stats {
    /// Numbers that are finite
    finite: u64,
    /// Their mean, and the sum of squares around it, of the numbers over 2^power
    mean: f64,
    m2: f64,
    power: i32,
    low: f64,
    high: f64,
    /// How many are zero
    pub zeros: u64,
    /// How many are no numbers
    pub nan: u64,
    /// How many are infinite
    pub infinite: u64,
}

impl Default for Stats {
    fn default() -> Stats {
        let (low, high) = (f64::INFINITY, f64::NEG_INFINITY);
        Stats { finite: 0, mean: 0.0, m2: 0.0, power: 0, low, high, zeros: 0, nan: 0, infinite: 0 }
    }
}

impl Stats {
    /// Takes numbers, of which there may be up to a `BLOCK` or so.
    pub fn block(&mut self, numbers: &[f64]) {
        if numbers.is_empty() {
            return;
        }
        let mut sum = Sum::default();
        let (lanes, rest) = numbers.as_chunks::<LANES>();
        lanes.iter().for_each(|lane| sum.lane(lane));
        let (low, high) = sum.extremes();
        let low = rest.iter().copied().fold(low, f64::min);
        let high = rest.iter().copied().fold(high, f64::max);
        let total = sum.total() + rest.iter().sum::<f64>();
        if !total.is_finite() || !is_safe(low.abs().max(high.abs())) {
            return self.odd(numbers);
        }
        let count = numbers.len() as f64;
        let mean = total / count;
        let mut squares = [0.0; LANES];
        for lane in lanes {
            squares.iter_mut().zip(lane).for_each(|(square, x)| *square += (x - mean) * (x - mean));
        }
        let m2 = squares.iter().sum::<f64>() + rest.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>();
        let zeros = sum.zeros.iter().sum::<u64>() + rest.iter().filter(|x| **x == 0.0).count() as u64;
        let of_block = Stats { finite: numbers.len() as u64, mean, m2, low, high, zeros, ..Stats::default() };
        self.merge(&of_block);
    }

    /// A block with NaN, infinities, or numbers whose squares are out of range.
    fn odd(&mut self, numbers: &[f64]) {
        let finite: Vec<f64> = numbers.iter().copied().filter(|x| x.is_finite()).collect();
        self.nan += numbers.iter().filter(|x| x.is_nan()).count() as u64;
        self.infinite += numbers.iter().filter(|x| x.is_infinite()).count() as u64;
        if finite.is_empty() {
            return;
        }
        let most = finite.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        let power = if is_safe(most) { 0 } else { exponent(most) };
        let scaled = || finite.iter().map(|x| scale(*x, -power));
        let mean = scaled().sum::<f64>() / finite.len() as f64;
        self.merge(&Stats {
            finite: finite.len() as u64,
            mean,
            m2: scaled().map(|x| (x - mean) * (x - mean)).sum(),
            power,
            low: finite.iter().copied().fold(f64::INFINITY, f64::min),
            high: finite.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            zeros: finite.iter().filter(|x| **x == 0.0).count() as u64,
            ..Stats::default()
        });
    }

    /// Adds what is known of other numbers.
    fn merge(&mut self, other: &Stats) {
        let mut other = *other;
        let is_nothing = |s: &Stats| s.mean == 0.0 && s.m2 == 0.0;
        let power = match (is_nothing(self), is_nothing(&other)) {
            (true, _) => other.power,
            (_, true) => self.power,
            _ => self.power.max(other.power),
        };
        self.scale_to(power);
        other.scale_to(power);
        let (own, others) = (self.finite as f64, other.finite as f64);
        let (all, difference) = (own + others, other.mean - self.mean);
        self.mean += difference * (others / all);
        self.m2 += other.m2 + difference * difference * (own / all) * others;
        self.finite += other.finite;
        self.low = self.low.min(other.low);
        self.high = self.high.max(other.high);
        self.zeros += other.zeros;
    }

    fn scale_to(&mut self, power: i32) {
        self.mean = scale(self.mean, self.power - power);
        self.m2 = scale(self.m2, 2 * (self.power - power));
        self.power = power;
    }

    /// As if each number had come so many times.
    pub fn repeat(&mut self, times: u64) {
        self.m2 *= times as f64;
        for count in [&mut self.finite, &mut self.zeros, &mut self.nan, &mut self.infinite] {
            *count = count.saturating_mul(times);
        }
    }

    /// The square root of the sum of squares, of NaN and infinities too.
    pub fn norm(&self) -> f64 {
        match () {
            () if self.nan > 0 => f64::NAN,
            () if self.infinite > 0 => f64::INFINITY,
            () => scale((self.m2 + self.finite as f64 * self.mean * self.mean).sqrt(), self.power),
        }
    }

    /// The mean of the finite numbers. None: there is none.
    pub fn mean(&self) -> Option<f64> {
        (self.finite > 0).then(|| scale(self.mean, self.power))
    }

    /// The standard deviation of the finite numbers, over their number. None: there is none.
    pub fn deviation(&self) -> Option<f64> {
        (self.finite > 0).then(|| scale((self.m2 / self.finite as f64).sqrt(), self.power))
    }

    /// The smallest and the greatest finite number. None: there is none.
    pub fn extremes(&self) -> Option<(f64, f64)> {
        (self.finite > 0).then_some((self.low, self.high))
    }
}

/// Sums of eight streams, which the processor adds side by side.
struct Sum {
    sums: [f64; LANES],
    low: [f64; LANES],
    high: [f64; LANES],
    zeros: [u64; LANES],
}

impl Default for Sum {
    fn default() -> Sum {
        let (low, high) = ([f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
        Sum { sums: [0.0; LANES], low, high, zeros: [0; LANES] }
    }
}

impl Sum {
    #[inline]
    fn lane(&mut self, lane: &[f64; LANES]) {
        for (i, x) in lane.iter().enumerate() {
            self.sums[i] += x;
            self.low[i] = if *x < self.low[i] { *x } else { self.low[i] };
            self.high[i] = if *x > self.high[i] { *x } else { self.high[i] };
            self.zeros[i] += u64::from(*x == 0.0);
        }
    }

    fn total(&self) -> f64 {
        self.sums.iter().sum()
    }

    fn extremes(&self) -> (f64, f64) {
        (
            self.low.iter().copied().fold(f64::INFINITY, f64::min),
            self.high.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        )
    }
}

fn is_safe(most: f64) -> bool {
    most == 0.0 || exponent(most).abs() <= SAFE || most.is_infinite()
}

/// The power of two of a finite number that is not 0, within what one scaling can do.
pub fn exponent(x: f64) -> i32 {
    let bits = (x.to_bits() >> 52 & 0x7ff) as i32;
    bits - 1023
}

/// x times 2^power, in steps that stay in range.
pub fn scale(x: f64, power: i32) -> f64 {
    let (mut x, mut left) = (x, power.clamp(-4400, 4400));
    while left != 0 {
        let step = left.clamp(-1000, 1000);
        x *= 2f64.powi(step);
        left -= step;
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(numbers: &[f64]) -> Stats {
        let mut stats = Stats::default();
        numbers.chunks(BLOCK).for_each(|block| stats.block(block));
        stats
    }

    fn near(a: f64, b: f64) -> bool {
        a == b || (a - b).abs() <= 1e-12 * b.abs()
    }

    #[test]
    fn of_plain_numbers() {
        let stats = of(&[3.0, -4.0, 0.0]);
        assert_eq!((stats.norm(), stats.zeros, stats.extremes()), (5.0, 1, Some((-4.0, 3.0))));
        assert!(near(stats.mean().unwrap(), -1.0 / 3.0));
        let many: Vec<f64> = (0..100_003).map(|n| f64::from(n % 1000) - 400.0).collect();
        let stats = of(&many);
        let mean = many.iter().sum::<f64>() / many.len() as f64;
        let square = many.iter().map(|x| x * x).sum::<f64>();
        assert!(near(stats.norm(), square.sqrt()) && near(stats.mean().unwrap(), mean));
        let deviation = (square / many.len() as f64 - mean * mean).sqrt();
        assert!(near(stats.deviation().unwrap(), deviation));
        assert_eq!(stats.zeros, 100);
        assert_eq!((of(&[]).norm(), of(&[]).mean(), of(&[0.0; 17]).zeros), (0.0, None, 17));
        assert_eq!(of(&[0.0; 16]).zeros, 16);
    }

    #[test]
    fn squares_out_of_range() {
        for size in [1e300, 1e-300, 1e160, 1e-200, f64::MAX / 8.0, 1e-310, 5e-324] {
            let stats = of(&[3.0 * size, 4.0 * size, 0.0]);
            assert!((stats.norm() / (5.0 * size) - 1.0).abs() < 1e-9, "{size}: {}", stats.norm());
        }
        // Blocks of different sizes, and of nothing, put together.
        let mut numbers = vec![0.0; BLOCK];
        numbers.extend(vec![1e-250; BLOCK]);
        assert!(near(of(&numbers).norm(), 64.0 * 1e-250));
        numbers.extend(vec![1.0; BLOCK]);
        assert!(near(of(&numbers).norm(), 64.0));
        numbers.extend(vec![1e200; BLOCK]);
        assert!(near(of(&numbers).norm(), 64.0 * 1e200));
        assert!(near(of(&[f64::MAX; 9]).mean().unwrap(), f64::MAX));
        assert_eq!(of(&[f64::MAX; 9]).norm(), f64::INFINITY, "it is that great");
    }

    #[test]
    fn what_is_no_number_is_counted() {
        let stats = of(&[1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0]);
        assert_eq!((stats.nan, stats.infinite, stats.zeros), (1, 2, 1));
        assert!(stats.norm().is_nan());
        assert_eq!((stats.mean(), stats.extremes()), (Some(0.5), Some((0.0, 1.0))));
        assert_eq!(of(&[f64::INFINITY, 1.0]).norm(), f64::INFINITY);
        // Only in the rest of a block, and all of it.
        let mut numbers = vec![1.0; 16];
        numbers.push(f64::NAN);
        assert_eq!((of(&numbers).nan, of(&numbers).mean()), (1, Some(1.0)));
        assert_eq!(of(&[f64::NAN]).mean(), None);
    }

    #[test]
    fn repeated() {
        let mut stats = of(&[1.0, 2.0, 0.0]);
        stats.repeat(4);
        assert!(near(stats.norm(), 20f64.sqrt()));
        assert_eq!((stats.zeros, stats.mean()), (4, Some(1.0)));
    }
}
