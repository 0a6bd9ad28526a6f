//! What of an attempt's log is in the history already. A runner that was killed has read the log up to somewhere, and
//! nobody knows how far; whoever reads after it begins at the beginning, so that the recognisers know what they must,
//! and writes only what the history lacks: a value at a position counts as often as it is there.

use super::{Point, Reader};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

/// Values on record, and how often.
#[derive(Default)]
pub struct Recorded {
    values: HashMap<u64, u32>,
}

impl Recorded {
    /// What history.jsonl holds from a byte on; nothing when it cannot be read.
    pub fn read(history: &Path, from: u64) -> Recorded {
        let mut recorded = Recorded::default();
        let Ok(mut reader) = Reader::file_from(history, from) else { return recorded };
        while let Ok(Some(point)) = reader.next() {
            for (name, value) in point.values() {
                *recorded.values.entry(key(point, name, value)).or_default() += 1;
            }
        }
        recorded
    }

    /// Whether nothing is left: all that was on record has been met.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// What of a point is not on record.
    pub fn lacks(&mut self, point: &Point) -> Point {
        let mut missing = Point::new();
        missing.t = point.t;
        point.counters().for_each(|(name, value)| missing.set_counter(name, value));
        for (name, value) in point.values() {
            let key = key(point, name, value);
            match self.values.get_mut(&key) {
                Some(1) => drop(self.values.remove(&key)),
                Some(count) => *count -= 1,
                None => missing.push_value(name, value),
            }
        }
        missing
    }
}

/// A position and a value as one number. The same in one process, which is all that is asked of it.
fn key(point: &Point, name: &str, value: f64) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut counters: Vec<(&str, u64)> = point.counters().map(|(name, value)| (name, value.to_bits())).collect();
    counters.sort_unstable();
    (counters, name, value.to_bits()).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(epoch: f64, values: &[(&str, f64)]) -> Point {
        let mut point = Point::new();
        point.set_counter("epoch", epoch);
        values.iter().for_each(|(name, value)| point.push_value(name, *value));
        point
    }

    #[test]
    fn only_what_is_missing() {
        let path = std::env::temp_dir().join(format!("nn-recorded-{}", std::process::id()));
        std::fs::write(
            &path,
            "{\"a\":0}\n{\"epoch\":1,\"a\":0.5}\n{\"epoch\":1,\"a\":0.5}\n{\"epoch\":2,\"b\":\"NaN\"}\n",
        )
        .unwrap();
        let mut recorded = Recorded::read(&path, 8);
        assert!(recorded.lacks(&point(1.0, &[("a", 0.5)])).is_empty());
        assert!(recorded.lacks(&point(2.0, &[("b", f64::NAN)])).is_empty());
        let missing = recorded.lacks(&point(1.0, &[("a", 0.5), ("c", 3.0)]));
        assert_eq!(missing.values().collect::<Vec<_>>(), [("c", 3.0)]);
        assert!(recorded.is_empty());
        assert_eq!(recorded.lacks(&point(1.0, &[("a", 0.5)])).value("a"), Some(0.5), "a third time");
        assert!(Recorded::read(Path::new("/nowhere"), 0).is_empty());
        std::fs::remove_file(path).unwrap();
    }
}
