//! Variables of interest over time: `history.jsonl`, one JSON object a line, e.g.
//! `{"t":"2026-11-22T23:00:00.123Z","epoch":1,"batch":10,"batches":50,"loss":1.05}`.
//!
//! A `Point` is what stands at one position: counters (`COUNTERS`) and values. It keeps all its names in one string, so
//! that a reader or a recogniser can fill the same point a million times without allocating. NaN and infinities are the
//! strings "NaN", "Infinity", "-Infinity". `Writer` appends whole lines; `Reader` merges the files of a run by time.

use crate::base::json;
use crate::base::time::Time;
use std::fmt::Write;

mod file;
pub mod join;
mod parse;
mod recorded;
mod tail;

pub use file::{Reader, Writer, file_of_host};
pub use recorded::Recorded;
pub use tail::{News, Tail};

/// The names that say where a point stands; every other number in a line is a value.
pub const COUNTERS: [&str; 5] = ["epoch", "step", "batch", "batches", "iter"];

/// Whether a value cannot bear this name: counters and the time have their own meaning in a line.
pub fn is_reserved(name: &str) -> bool {
    name == "t" || COUNTERS.contains(&name)
}

/// What to plot against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// `step` if there is one, else epoch * batches + batch, else the epoch, else `iter`.
    Updates,
    /// The epoch as printed.
    Epoch,
    /// The step as printed.
    Step,
    /// Seconds since 1970 UTC.
    Time,
}

impl Axis {
    /// Reads the name of an axis.
    pub fn parse(name: &str) -> Option<Axis> {
        match name {
            "updates" => Some(Axis::Updates),
            "epoch" => Some(Axis::Epoch),
            "step" => Some(Axis::Step),
            "time" => Some(Axis::Time),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Entry {
    from: u32,
    to: u32,
    value: f64,
}

/// Counters and values at one position.
#[derive(Clone, Debug, Default)]
pub struct Point {
    /// When it was seen.
    pub t: Option<Time>,
    names: String,
    counters: Vec<Entry>,
    values: Vec<Entry>,
}

impl Point {
    /// A point without anything.
    pub fn new() -> Point {
        Point::default()
    }

    /// Empties it, keeping the memory.
    pub fn clear(&mut self) {
        self.t = None;
        self.names.clear();
        self.counters.clear();
        self.values.clear();
    }

    /// Whether it holds no value.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// How many values it holds.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    fn entry(&mut self, name: &str, value: f64) -> Entry {
        let from = self.names.len() as u32;
        self.names.push_str(name);
        Entry { from, to: self.names.len() as u32, value }
    }

    fn name(&self, entry: &Entry) -> &str {
        self.names.get(entry.from as usize..entry.to as usize).unwrap_or_default()
    }

    /// Sets a counter, in place if it is there.
    pub fn set_counter(&mut self, name: &str, value: f64) {
        match self.counters.iter().position(|e| self.name(e) == name) {
            Some(i) => self.counters[i].value = value,
            None => {
                let entry = self.entry(name, value);
                self.counters.push(entry);
            }
        }
    }

    /// Adds a value. A reserved name (see `is_reserved`) is left out; a name that is there already takes the new value.
    pub fn push_value(&mut self, name: &str, value: f64) {
        if is_reserved(name) {
            return;
        }
        match self.values.iter().position(|e| self.name(e) == name) {
            Some(i) => self.values[i].value = value,
            None => {
                let entry = self.entry(name, value);
                self.values.push(entry);
            }
        }
    }

    /// The counters in the order they were set.
    pub fn counters(&self) -> impl Iterator<Item = (&str, f64)> {
        self.counters.iter().map(|e| (self.name(e), e.value))
    }

    /// The values in the order they were added.
    pub fn values(&self) -> impl Iterator<Item = (&str, f64)> {
        self.values.iter().map(|e| (self.name(e), e.value))
    }

    /// A counter.
    pub fn counter(&self, name: &str) -> Option<f64> {
        self.counters.iter().find(|e| self.name(e) == name).map(|e| e.value)
    }

    /// A value.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.values.iter().find(|e| self.name(e) == name).map(|e| e.value)
    }

    /// Whether both stand at the same position.
    pub fn same_place(&self, other: &Point) -> bool {
        self.counters.len() == other.counters.len() && self.counters().all(|(name, v)| other.counter(name) == Some(v))
    }

    /// Where the point stands on an axis.
    pub fn x(&self, axis: Axis) -> Option<f64> {
        match axis {
            Axis::Time => self.t.map(|t| t.ms() as f64 / 1000.0),
            Axis::Epoch => self.counter("epoch"),
            Axis::Step => self.counter("step"),
            Axis::Updates => self.updates(),
        }
    }

    /// The epoch, and within one the part of it that is done: the end of an epoch is the epoch itself, as it is for
    /// values that come once an epoch.
    pub fn epochs(&self) -> Option<f64> {
        let epoch = self.counter("epoch")?;
        let part = self.counter("batch").zip(self.counter("batches")).filter(|(_, all)| *all > 0.0);
        Some(part.map_or(epoch, |(batch, all)| epoch - 1.0 + batch / all))
    }

    fn updates(&self) -> Option<f64> {
        if let Some(step) = self.counter("step") {
            return Some(step);
        }
        let epoch = self.counter("epoch");
        match (epoch, self.counter("batch"), self.counter("batches")) {
            (Some(epoch), Some(batch), Some(batches)) => Some(epoch * batches + batch),
            (None, Some(batch), _) => Some(batch),
            _ => epoch.or_else(|| self.counter("iter")),
        }
    }

    /// Appends the point as a line of `history.jsonl`, with its newline.
    pub fn write_line(&self, out: &mut String) {
        let stamp = self.t.map(|t| t.to_string());
        self.write_stamped(stamp.as_deref(), out);
    }

    /// The same with the time as text, for many points at one time.
    fn write_stamped(&self, stamp: Option<&str>, out: &mut String) {
        out.push('{');
        if let Some(stamp) = stamp {
            out.push_str("\"t\":\"");
            out.push_str(stamp);
            out.push('"');
        }
        for (name, value) in self.counters().chain(self.values()) {
            if !out.ends_with('{') {
                out.push(',');
            }
            write_name(out, name);
            out.push(':');
            write_number(out, value);
        }
        out.push_str("}\n");
    }
}

impl PartialEq for Point {
    fn eq(&self, other: &Point) -> bool {
        self.t == other.t && self.counters().eq(other.counters()) && self.values().eq(other.values())
    }
}

fn write_name(out: &mut String, name: &str) {
    if name.bytes().all(|b| b >= b' ' && b != b'"' && b != b'\\' && b != 0x7f) {
        out.push('"');
        out.push_str(name);
        out.push('"');
    } else {
        let _ = write!(out, "{}", json::Value::from(name));
    }
}

/// A number as JSON, the shortest text that reads back the same.
pub fn write_number(out: &mut String, x: f64) {
    let size = x.abs();
    if x.fract() == 0.0 && size < 1e15 {
        return write_whole(out, x as i64);
    }
    let _ = if !x.is_finite() {
        write!(out, "{}", json::number(x))
    } else if (1e-4..1e16).contains(&size) {
        write!(out, "{x}")
    } else {
        write!(out, "{x:e}")
    };
}

fn write_whole(out: &mut String, x: i64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut left = x.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    if x < 0 {
        out.push('-');
    }
    out.push_str(str::from_utf8(&digits[at..]).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(point: &Point) -> String {
        let mut out = String::new();
        point.write_line(&mut out);
        out
    }

    #[test]
    fn a_point_is_a_line() {
        let mut point = Point::new();
        assert_eq!(line(&point), "{}\n");
        point.t = Time::parse("2026-11-22T23:00:00.123Z");
        point.set_counter("epoch", 1.0);
        point.set_counter("batch", 10.0);
        point.push_value("loss", 1.05);
        point.push_value("bad", f64::NAN);
        point.push_value("lr", 1e-5);
        point.push_value("say \"x\"", -0.5);
        point.push_value("step", 3.0);
        point.push_value("whole", -120.0);
        assert_eq!(
            line(&point),
            "{\"t\":\"2026-11-22T23:00:00.123Z\",\"epoch\":1,\"batch\":10,\"loss\":1.05,\"bad\":\"NaN\",\"lr\":1e-5,\"say \\\"x\\\"\":-0.5,\"whole\":-120}\n"
        );
        point.push_value("loss", 2.0);
        assert_eq!(point.value("loss"), Some(2.0), "the last value of a name holds");
    }

    #[test]
    fn where_a_point_stands() {
        let mut point = Point::new();
        assert_eq!(point.x(Axis::Updates), None);
        point.set_counter("epoch", 2.0);
        assert_eq!(point.x(Axis::Updates), Some(2.0));
        point.set_counter("batch", 10.0);
        point.set_counter("batches", 50.0);
        assert_eq!(point.x(Axis::Updates), Some(110.0));
        assert_eq!(point.epochs(), Some(1.2));
        assert_eq!(point.x(Axis::Epoch), Some(2.0));
        point.set_counter("step", 7.0);
        assert_eq!(point.x(Axis::Updates), Some(7.0));
        assert_eq!(point.x(Axis::Time), None);
    }
}
