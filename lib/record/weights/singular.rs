//! The largest singular value of a matrix, by power iteration on A'A from a start that is always the same.
//!
//! It ends when an iteration changes the value by less than 1e-10 of it, or after 1000. The estimate comes from below,
//! and is the value to about that tolerance unless the next one is so near that it makes no difference either.

use super::stats::{exponent, scale};

/// Relative change between two iterations that ends them.
const TOLERANCE: f64 = 1e-10;
const MOST: usize = 1000;

/// The largest singular value of the matrix in `rows` of `columns` numbers; NaN where it holds what is no number.
pub fn largest_singular(mut numbers: Vec<f64>, columns: usize) -> f64 {
    let most = numbers.iter().fold(0.0, |most: f64, x| if x.is_nan() { f64::NAN } else { most.max(x.abs()) });
    if !most.is_finite() || numbers.iter().any(|x| x.is_nan()) {
        return f64::NAN;
    }
    if most == 0.0 || columns == 0 {
        return 0.0;
    }
    // Squares of what is between -2 and 2 stay in range, whatever was there.
    let power = exponent(most);
    numbers.iter_mut().for_each(|x| *x = scale(*x, -power));
    let mut seed = 1u64;
    let mut direction: Vec<f64> = (0..columns).map(|_| uniform(&mut seed)).collect();
    let mut value = 0.0;
    for _ in 0..MOST {
        normalise(&mut direction);
        // Both products in one pass over the matrix: A'A v is the sum of the rows, each times its product with v.
        let mut next = vec![0.0; columns];
        let mut square = 0.0;
        for row in numbers.chunks_exact(columns) {
            let product: f64 = row.iter().zip(&direction).map(|(a, b)| a * b).sum();
            square += product * product;
            next.iter_mut().zip(row).for_each(|(sum, a)| *sum += product * a);
        }
        let now = f64::sqrt(square);
        let change = (now - value).abs();
        value = now;
        direction = next;
        if change <= TOLERANCE * now {
            break;
        }
    }
    scale(value, power)
}

fn normalise(direction: &mut [f64]) {
    let norm = direction.iter().map(|x| x * x).sum::<f64>().sqrt();
    if norm > 0.0 {
        direction.iter_mut().for_each(|x| *x /= norm);
    }
}

/// splitmix64 (Steele, Lea, Flood, 2014), as a number between -1 and 1.
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ z >> 31) as f64 / (u64::MAX as f64 / 2.0) - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_matrices() {
        let near = |numbers: &[f64], columns, value: f64| {
            let found = largest_singular(numbers.to_vec(), columns);
            assert!((found - value).abs() <= 1e-8 * value, "{found} {value}");
        };
        near(&[3.0, 0.0, 0.0, -5.0], 2, 5.0);
        near(&[3.0, 4.0], 2, 5.0);
        near(&[3.0, 4.0], 1, 5.0);
        // (1 2; 3 4; 5 6): the root of the greater root of x^2 - 91 x + 24.
        near(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, ((91.0 + (91.0f64 * 91.0 - 96.0).sqrt()) / 2.0).sqrt());
        near(&[3e200, 0.0, 0.0, 4e200], 2, 4e200);
        near(&[1e-300; 4], 2, 2e-300);
        assert_eq!(largest_singular(vec![0.0; 6], 3), 0.0);
        assert!(largest_singular(vec![1.0, f64::NAN], 2).is_nan());
        assert!(largest_singular(vec![1.0, f64::INFINITY], 2).is_nan());
    }
}
