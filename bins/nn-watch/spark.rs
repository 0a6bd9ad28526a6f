//! A curve in one line of text: means over equal stretches, as eighths of a block. In constant memory: when all places are
//! taken, neighbours are joined and a stretch is twice as long from then on.

/// Places, and the most columns it can have.
const PLACES: usize = 64;
const EIGHTHS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A curve that is being collected.
#[derive(Clone, Debug)]
pub struct Spark {
    /// Sum and count of the numbers of each stretch
    stretches: Vec<(f64, u32)>,
    /// Values a stretch, and in the last one
    length: u32,
    filled: u32,
}

impl Default for Spark {
    fn default() -> Spark {
        Spark { stretches: Vec::new(), length: 1, filled: 0 }
    }
}

impl Spark {
    /// Adds a value; what is no number leaves a hole.
    pub fn push(&mut self, value: f64) {
        if self.stretches.is_empty() || self.filled == self.length {
            if self.stretches.len() == PLACES {
                self.stretches = self.stretches.chunks(2).map(sum).collect();
                self.length = self.length.saturating_mul(2);
            }
            self.stretches.push((0.0, 0));
            self.filled = 0;
        }
        self.filled += 1;
        if let Some((sum, count)) = self.stretches.last_mut().filter(|_| value.is_finite()) {
            *sum += value;
            *count += 1;
        }
    }

    /// In so many columns at most.
    pub fn text(&self, columns: usize) -> String {
        let step = self.stretches.len().div_ceil(columns.max(1)).max(1);
        let mean = |stretches: &[(f64, u32)]| Some(sum(stretches)).filter(|s| s.1 > 0).map(|s| s.0 / f64::from(s.1));
        let means: Vec<Option<f64>> = self.stretches.chunks(step).map(mean).collect();
        let numbers = || means.iter().flatten().copied();
        let (low, high) = (numbers().fold(f64::INFINITY, f64::min), numbers().fold(f64::NEG_INFINITY, f64::max));
        let block = |mean: &Option<f64>| match mean {
            None => ' ',
            Some(_) if high <= low => '▄',
            Some(mean) => {
                // The conversion saturates, and what is no number becomes 0.
                let eighth = ((mean - low) / (high - low) * 7.0).round() as usize;
                EIGHTHS.get(eighth).copied().unwrap_or('█')
            }
        };
        means.iter().map(block).collect()
    }
}

fn sum(stretches: &[(f64, u32)]) -> (f64, u32) {
    stretches.iter().fold((0.0, 0), |a, b| (a.0 + b.0, a.1.saturating_add(b.1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line() {
        let mut spark = Spark::default();
        assert_eq!(spark.text(10), "");
        (0..8).for_each(|n| spark.push(f64::from(n)));
        assert_eq!(spark.text(8), "▁▂▃▄▅▆▇█");
        assert_eq!(spark.text(4), "▁▃▆█");
        spark.push(f64::NAN);
        assert_eq!(spark.text(9), "▁▂▃▄▅▆▇█ ");
        let mut flat = Spark::default();
        (0..1000).for_each(|_| flat.push(2.0));
        assert!(flat.text(20).chars().all(|c| c == '▄') && flat.text(20).chars().count() <= 20);
    }
}
