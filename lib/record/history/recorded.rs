//! What of an attempt's log is in the history already. A runner that was killed has read the log up to somewhere, and
//! nobody knows how far; whoever reads after it begins at the beginning, so that the recognisers know what they must,
//! and writes only what the history lacks: a value at a position counts as often as it is there.

use super::{Point, Reader};
use crate::base::time::Time;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

/// Values on record: how often, and since when.
#[derive(Default)]
pub struct Recorded {
    values: HashMap<u64, (u32, Option<Time>)>,
}

impl Recorded {
    /// What history.jsonl holds from a byte on; nothing when it cannot be read.
    pub fn read(history: &Path, from: u64) -> Recorded {
        let mut recorded = Recorded::default();
        let Ok(mut reader) = Reader::file_from(history, from) else { return recorded };
        while let Ok(Some(point)) = reader.next() {
            for (name, value) in point.values() {
                recorded.values.entry(key(point, name, value)).or_insert((0, point.t)).0 += 1;
            }
        }
        recorded
    }

    /// Whether nothing is left: all that was on record has been met.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// What of a point is not on record. The point gets the time at which it was recorded.
    pub fn lacks(&mut self, point: &mut Point) -> Point {
        let mut missing = Point::new();
        missing.t = point.t;
        point.counters().for_each(|(name, value)| missing.set_counter(name, value));
        let mut known = None;
        for (name, value) in point.values() {
            let key = key(point, name, value);
            let Some((count, t)) = self.values.get_mut(&key) else {
                missing.push_value(name, value);
                continue;
            };
            (*count, known) = (*count - 1, known.or(*t));
            if *count == 0 {
                self.values.remove(&key);
            }
        }
        point.t = known.or(point.t);
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
            "{\"a\":0}\n{\"t\":\"2026-11-22T23:00:00Z\",\"epoch\":1,\"a\":0.5}\n{\"epoch\":1,\"a\":0.5}\n{\"epoch\":2,\"b\":\"NaN\"}\n",
        )
        .unwrap();
        let mut recorded = Recorded::read(&path, 8);
        let mut first = point(1.0, &[("a", 0.5)]);
        assert!(recorded.lacks(&mut first).is_empty());
        assert_eq!(first.t, Time::parse("2026-11-22T23:00:00Z"));
        assert!(recorded.lacks(&mut point(2.0, &[("b", f64::NAN)])).is_empty());
        let missing = recorded.lacks(&mut point(1.0, &[("a", 0.5), ("c", 3.0)]));
        assert_eq!(missing.values().collect::<Vec<_>>(), [("c", 3.0)]);
        assert!(recorded.is_empty());
        assert_eq!(recorded.lacks(&mut point(1.0, &[("a", 0.5)])).value("a"), Some(0.5), "a third time");
        assert!(Recorded::read(Path::new("/nowhere"), 0).is_empty());
        std::fs::remove_file(path).unwrap();
    }
}
