//! The course of one run: how far it is, its variables so far, what was warned of. A look reads only what its history and
//! its events have grown by; of a history a summary of each variable and the attempt's first and last place are kept.

use super::events::Events;
use super::history::{News, Point, Tail};
use super::progress;
use super::results::Results;
use crate::base::error::Result;
use crate::base::json::Value;
use crate::base::time::Time;
use std::path::Path;
use std::time::Duration;

/// Variables of a run that are kept.
pub const VARIABLES: usize = 100;
/// Warnings of a run that are kept.
const WARNINGS: usize = 20;

/// Counters by name.
pub type Counters = Vec<(String, f64)>;

/// What is known so far.
#[derive(Debug)]
pub struct Course {
    /// The variables, in the order of their first appearance
    pub results: Results,
    /// Counters at the last point
    pub at: Counters,
    /// Time and counters of the attempt's first point
    pub first: Option<(Time, Counters)>,
    /// Time of the last point
    pub last: Option<Time>,
    /// Warnings and errors that were raised, the latest last
    pub warnings: Vec<Value>,
    /// How many there were in all
    pub warned: usize,
    tail: Tail,
    events: Events,
}

impl Course {
    /// Of a run, given its folder; nothing is read yet.
    pub fn new(run: &Path) -> Course {
        Course {
            results: Results::default(),
            at: Vec::new(),
            first: None,
            last: None,
            warnings: Vec::new(),
            warned: 0,
            tail: Tail::new(run),
            events: Events::new(run),
        }
    }

    /// Another attempt has begun, or the run has moved: the pace is measured anew.
    pub fn begin_anew(&mut self) {
        self.first = None;
    }

    /// Reads what is new. `started`: when the attempt did; points from before are not its own. `each` is told of every
    /// piece of news after it was taken in. True: there was some.
    ///
    /// # Errors
    /// The history or the events cannot be read.
    pub fn look(&mut self, started: Option<Time>, each: &mut dyn FnMut(&Results, &News)) -> Result<bool> {
        let mut tail = std::mem::replace(&mut self.tail, Tail::new(""));
        let mut is_new = false;
        let looked = tail.look(&mut |news| {
            is_new = true;
            match news {
                News::Over => {
                    self.results = Results::default();
                    self.first = None;
                }
                News::Point(point) => self.add(point, started),
            }
            each(&self.results, &news);
        });
        self.tail = tail;
        let (warnings, warned) = (&mut self.warnings, &mut self.warned);
        let before = *warned;
        self.events.look(&mut |event| {
            if matches!(event.str("level"), Some("warning" | "error")) {
                *warned += 1;
                warnings.push(event);
            }
        })?;
        is_new |= *warned > before;
        let more = self.warnings.len().saturating_sub(WARNINGS);
        self.warnings.drain(..more);
        looked.map(|()| is_new)
    }

    fn add(&mut self, point: &Point, started: Option<Time>) {
        self.results.add(point, &[], VARIABLES);
        self.at.clear();
        self.at.extend(point.counters().map(|(name, value)| (name.to_string(), value)));
        if let Some(t) = point.t {
            self.last = Some(t);
            if self.first.is_none() && started.is_none_or(|started| t >= started) {
                self.first = Some((t, self.at.clone()));
            }
        }
    }

    /// How much is done, 0 to 1, and how long the rest takes at the pace so far, by what the parameters tell of the end.
    pub fn progress(&self, params: &[(String, Value)]) -> (Option<f64>, Option<Duration>) {
        let goals = progress::goals(params);
        let done = progress::toward(&goals, &self.at).map(|(goal, at)| (at / goal.end).clamp(0.0, 1.0));
        let pace = self.first.as_ref().zip(self.last);
        let left = pace.and_then(|((t, first), last)| progress::left(&goals, first, &self.at, last.since(*t)));
        (done, left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::files;

    #[test]
    fn only_what_is_new() {
        let dir = std::env::temp_dir().join(format!("nn-course-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let append = |name: &str, text: &str| files::append(&dir.join(name), text).unwrap();
        let mut course = Course::new(&dir);
        let look = |course: &mut Course| {
            let mut n = 0;
            (course.look(None, &mut |_, _| n += 1).unwrap(), n)
        };
        assert_eq!(look(&mut course), (false, 0));
        append("history.jsonl", "{\"t\":\"2026-01-01T00:00:00Z\",\"epoch\":1,\"cost\":5}\n");
        append("history.jsonl", "{\"t\":\"2026-01-01T00:01:00Z\",\"epoch\":2,\"cost\":4}\n");
        append("events.jsonl", "{\"t\":\"2026-01-01T00:01:00Z\",\"event\":\"judged\",\"level\":\"warning\"}\n");
        assert_eq!(look(&mut course), (true, 2));
        assert_eq!((course.results.get("cost").unwrap().last, course.warned), (4.0, 1));
        let params = [("epochs".to_string(), Value::from(4u64))];
        assert_eq!(course.progress(&params), (Some(0.5), Some(Duration::from_secs(120))));
        assert_eq!(look(&mut course), (false, 0));
        std::fs::remove_dir_all(dir).unwrap();
    }
}
