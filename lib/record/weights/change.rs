//! How far a tensor has moved from one file to another: the norm of the difference, relative to what it was, and the
//! cosine of the angle between both.

use super::stats::{BLOCK, Stats, exponent, scale};
use super::{Tensor, Weights};
use crate::base::error::{Error, Result, reason};

/// What became of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The norm in the first file, and in the second
    pub norms: (f64, f64),
    /// The norm of the difference
    pub difference: f64,
    /// The cosine of the angle between both; NaN where one of them is zero
    pub cosine: f64,
}

impl Change {
    /// The difference over the norm it had.
    pub fn relative(&self) -> f64 {
        if self.difference == 0.0 { 0.0 } else { self.difference / self.norms.0 }
    }
}

/// Compares a tensor in one file with one of the same shape in another. Where they lie in different orders both must be
/// in memory: None when that would take more than `memory` bytes.
///
/// # Errors
/// A file cannot be read.
pub fn change(a: (&Weights, &Tensor), b: (&Weights, &Tensor), memory: u64) -> Result<Option<Change>> {
    let mut sums = Sums::default();
    let mut repeat = 1;
    if a.1.layout.is_in_order_of(&b.1.layout) && a.1.kind.parts() == b.1.kind.parts() {
        repeat = a.1.layout.repeat;
        let (mut one, mut other) = (a.0.values(a.1)?, b.0.values(b.1)?);
        let (mut first, mut second) = (Vec::new(), Vec::new());
        let broken =
            |of: (&Weights, &Tensor), err| Error::data(&of.0.path, 0, format!("'{}': {}", of.1.name, reason(&err)));
        while one.next(&mut first).map_err(|err| broken(a, err))? {
            other.next(&mut second).map_err(|err| broken(b, err))?;
            sums.block(&first, &second);
        }
    } else {
        if a.1.bytes_as_f64().saturating_add(b.1.bytes_as_f64()).saturating_mul(2) > memory {
            return Ok(None);
        }
        let (first, second) = (a.0.load(a.1)?, b.0.load(b.1)?);
        first.chunks(BLOCK).zip(second.chunks(BLOCK)).for_each(|(first, second)| sums.block(first, second));
    }
    for stats in [&mut sums.first, &mut sums.second, &mut sums.difference] {
        stats.repeat(repeat);
    }
    let norms = (sums.first.norm(), sums.second.norm());
    let cosine = sums.cosine(norms, repeat);
    Ok(Some(Change { norms, difference: sums.difference.norm(), cosine }))
}

#[derive(Default)]
struct Sums {
    first: Stats,
    second: Stats,
    difference: Stats,
    /// The product of both, over 2^power
    product: f64,
    power: i32,
    buffer: Vec<f64>,
}

impl Sums {
    fn block(&mut self, first: &[f64], second: &[f64]) {
        self.first.block(first);
        self.second.block(second);
        self.buffer.clear();
        self.buffer.extend(first.iter().zip(second).map(|(a, b)| b - a));
        self.difference.block(&self.buffer);
        let sum: f64 = first.iter().zip(second).map(|(a, b)| a * b).sum();
        let size = |block: &[f64]| block.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        let (a, b) = (size(first), size(second));
        if a == 0.0 || b == 0.0 {
            return;
        }
        // Out of range, or about to be: scaled, as in Stats.
        let (a, b) = (exponent(a), exponent(b));
        let power = if sum.is_finite() && a.abs() < 400 && b.abs() < 400 { 0 } else { a + b };
        let scaled = || first.iter().zip(second).map(|(x, y)| scale(*x, -a) * scale(*y, -b)).sum();
        let sum = if power == 0 { sum } else { scaled() };
        let greater = if self.product == 0.0 { power } else { self.power.max(power) };
        self.product = scale(self.product, self.power - greater) + scale(sum, power - greater);
        self.power = greater;
    }

    fn cosine(&self, norms: (f64, f64), repeat: u64) -> f64 {
        let parts = |x: f64| (scale(x, -exponent(x)), exponent(x));
        if norms.0 == 0.0 || norms.1 == 0.0 || !norms.0.is_finite() || !norms.1.is_finite() {
            return f64::NAN;
        }
        let ((a, power_a), (b, power_b)) = (parts(norms.0), parts(norms.1));
        (scale(self.product * repeat as f64 / a / b, self.power - power_a - power_b)).clamp(-1.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(first: &[f64], second: &[f64]) -> (f64, f64, f64) {
        let mut sums = Sums::default();
        first.chunks(3).zip(second.chunks(3)).for_each(|(a, b)| sums.block(a, b));
        let norms = (sums.first.norm(), sums.second.norm());
        (norms.0, sums.difference.norm(), sums.cosine(norms, 1))
    }

    #[test]
    fn angles() {
        assert_eq!(of(&[3.0, 4.0], &[3.0, 4.0]), (5.0, 0.0, 1.0));
        assert_eq!(of(&[3.0, 0.0], &[0.0, 4.0]), (3.0, 5.0, 0.0));
        assert_eq!(of(&[1.0, 1.0, 1.0, 1.0], &[-1.0, -1.0, -1.0, -1.0]).2, -1.0);
        assert!(of(&[0.0], &[1.0]).2.is_nan() && of(&[f64::NAN], &[1.0]).2.is_nan());
        for size in [1e200, 1e-200, 1e300] {
            let (norm, difference, cosine) = of(&[0.0, 0.0, 0.0, size, size], &[1.0, 0.0, 0.0, size, size]);
            assert!((norm / size - 2f64.sqrt()).abs() < 1e-12);
            assert!((difference - 1.0).abs() < 1e-12 && (cosine - 1f64.min(size)).abs() < 1e-12, "{size} {cosine}");
        }
    }
}
