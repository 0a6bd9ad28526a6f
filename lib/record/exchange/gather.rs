//! From single values to points. Other tools keep one value a record, each variable by itself or all in turn; a point has
//! what stands at one step. Values are sorted by time, a chunk at a time so that memory has a bound, and a value joins
//! the point of its step if that is not a second away and lacks its name. What is called like a counter becomes one.

use super::Sink;
use crate::base::error::{Error, Result};
use crate::base::text::cut;
use crate::base::text::is_hostile;
use crate::base::time::Time;
use crate::record::history::{Point, is_reserved};
use std::collections::{HashMap, VecDeque};
use std::path::Path;

/// Values that are sorted at once.
const CHUNK: usize = 1 << 20;
/// Points that a value may still join.
const OPEN: usize = 64;
/// How far in time it may be from the first value of the point, milliseconds.
const NEAR: i64 = 1000;
/// The most values of a point, and names of a run.
const MOST_VALUES: usize = 256;
const MOST_NAMES: usize = 100_000;
/// Longest name, bytes.
const LONGEST: usize = 200;

/// One value of a variable.
#[derive(Clone, Copy, Debug)]
struct Entry {
    t: Option<Time>,
    step: Option<f64>,
    name: usize,
    value: f64,
}

/// Puts values together, see the module.
pub struct Gather<'a> {
    path: &'a Path,
    sink: Sink<'a>,
    names: Vec<String>,
    numbers: HashMap<String, usize>,
    waiting: Vec<Entry>,
    open: VecDeque<Point>,
}

impl<'a> Gather<'a> {
    /// For the values of one run, at `path`.
    pub fn new(path: &'a Path, sink: Sink<'a>) -> Gather<'a> {
        let (names, numbers) = (Vec::new(), HashMap::new());
        Gather { path, sink, names, numbers, waiting: Vec::new(), open: VecDeque::new() }
    }

    /// The number of a name that was met before.
    pub fn number(&self, name: &str) -> Option<usize> {
        self.numbers.get(cut(name, LONGEST)).copied()
    }

    /// The number of a name.
    ///
    /// # Errors
    /// There are too many.
    pub fn name(&mut self, name: &str) -> Result<usize> {
        if let Some(number) = self.number(name) {
            return Ok(number);
        }
        if self.names.len() == MOST_NAMES {
            return Err(Error::data(self.path, 0, format!("has more than {MOST_NAMES} variables")));
        }
        self.names.push(clean(name));
        self.numbers.insert(cut(name, LONGEST).to_string(), self.names.len() - 1);
        Ok(self.names.len() - 1)
    }

    /// Takes a value of the variable with this number.
    ///
    /// # Errors
    /// The sink fails.
    pub fn add(&mut self, t: Option<Time>, step: Option<f64>, name: usize, value: f64) -> Result<()> {
        let step = step.filter(|step| step.is_finite());
        self.waiting.push(Entry { t, step, name, value });
        if self.waiting.len() == CHUNK { self.put_together() } else { Ok(()) }
    }

    /// Hands on what is left.
    ///
    /// # Errors
    /// The sink fails.
    pub fn finish(mut self) -> Result<()> {
        self.put_together()?;
        while let Some(point) = self.open.pop_front() {
            hand_on(&mut *self.sink, &point)?;
        }
        Ok(())
    }

    fn put_together(&mut self) -> Result<()> {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.sort_by_key(|entry| entry.t);
        for entry in &waiting {
            let Some(name) = self.names.get(entry.name) else { continue };
            if let Some(point) = self.open.iter_mut().rev().find(|point| joins(point, entry, name)) {
                put(point, name, entry.value);
                continue;
            }
            if self.open.len() == OPEN
                && let Some(first) = self.open.pop_front()
            {
                hand_on(&mut *self.sink, &first)?;
            }
            let mut point = Point::new();
            point.t = entry.t;
            if let Some(step) = entry.step {
                point.set_counter("step", step);
            }
            put(&mut point, name, entry.value);
            self.open.push_back(point);
        }
        waiting.clear();
        self.waiting = waiting;
        Ok(())
    }
}

/// A point that has nothing but counters says nothing.
fn hand_on(sink: Sink, point: &Point) -> Result<()> {
    if point.is_empty() { Ok(()) } else { sink(point) }
}

/// Whether a value belongs to a point.
fn joins(point: &Point, entry: &Entry, name: &str) -> bool {
    // Without a step nothing tells which values stand together.
    if entry.step.is_none() || point.counter("step") != entry.step || point.len() == MOST_VALUES {
        return false;
    }
    let is_near = match (point.t, entry.t) {
        (Some(a), Some(b)) => a.ms().abs_diff(b.ms()) <= NEAR.unsigned_abs(),
        (a, b) => a == b,
    };
    let is_new = if is_reserved(name) { point.counter(name).is_none() } else { point.value(name).is_none() };
    is_near && is_new
}

fn put(point: &mut Point, name: &str, value: f64) {
    if !is_reserved(name) {
        point.push_value(name, value);
    } else if value.is_finite() && point.counter(name).is_none() {
        point.set_counter(name, value);
    }
}

/// A name as a history may have it: blanks and what cannot be seen become `_`, and none is too long.
fn clean(name: &str) -> String {
    let seen = |c: char| if c.is_whitespace() || is_hostile(c) { '_' } else { c };
    let out: String = cut(name.trim(), LONGEST).chars().map(seen).collect();
    match out.as_str() {
        "" | "t" => out + "_",
        _ => out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(values: &[(i64, f64, &str, f64)]) -> Vec<String> {
        let mut lines = Vec::new();
        let mut sink = |point: &Point| {
            let mut line = String::new();
            point.write_line(&mut line);
            lines.push(line.trim_end().replace("1970-01-01T00:00:", ""));
            Ok(())
        };
        let mut gather = Gather::new(Path::new("x"), &mut sink);
        for (t, step, name, value) in values {
            let name = gather.name(name).unwrap();
            gather.add(Some(Time(*t)), Some(*step), name, *value).unwrap();
        }
        gather.finish().unwrap();
        lines
    }

    #[test]
    fn what_stands_together() {
        let found = lines(&[
            (1000, 1.0, "loss", 0.5),
            (1002, 2.0, "loss", 0.4),
            (1001, 1.0, "acc", 0.1),
            (1003, 2.0, "acc", 0.2),
            (1001, 1.0, "epoch", 0.0),
            (9000, 2.0, "val loss", 0.3),
            (9001, 2.0, "val loss", 0.2),
            (9500, 7.0, "epoch", 3.0),
        ]);
        assert_eq!(
            found,
            [
                r#"{"t":"01.000Z","step":1,"epoch":0,"loss":0.5,"acc":0.1}"#,
                r#"{"t":"01.002Z","step":2,"loss":0.4,"acc":0.2}"#,
                r#"{"t":"09.000Z","step":2,"val_loss":0.3}"#,
                r#"{"t":"09.001Z","step":2,"val_loss":0.2}"#,
            ]
        );
    }

    #[test]
    fn names_from_elsewhere() {
        for (name, cleaned) in
            [("a/b.c", "a/b.c"), ("../x", "../x"), ("a\u{1b}[1m\nb", "a_[1m_b"), (" ", "_"), ("t", "t_")]
        {
            assert_eq!(clean(name), cleaned);
        }
        assert!(clean(&"é".repeat(500)).len() <= LONGEST);
        let found = lines(&[(1000, f64::NAN, "step", 4.0), (1000, f64::NAN, "batch", f64::NAN), (1000, 1.0, "t", 2.0)]);
        assert_eq!(found, [r#"{"t":"01.000Z","step":1,"t_":2}"#]);
    }

    #[test]
    fn many_names_and_values() {
        let mut count = 0;
        let mut sink = |point: &Point| {
            assert!(point.len() <= MOST_VALUES);
            count += point.len();
            Ok(())
        };
        let mut gather = Gather::new(Path::new("many"), &mut sink);
        for i in 0..MOST_NAMES {
            let name = gather.name(&format!("n{i}")).unwrap();
            gather.add(None, Some(1.0), name, 0.0).unwrap();
        }
        assert_eq!(gather.name("n7").unwrap(), 7);
        assert_eq!(gather.name("one more").unwrap_err().to_string(), "many: has more than 100000 variables");
        gather.finish().unwrap();
        assert_eq!(count, MOST_NAMES);
    }
}
