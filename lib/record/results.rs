//! A run as a row: where it stands, what was asked, what was found, and of each variable of interest its first, last,
//! smallest and greatest value and its value at chosen epochs. One pass over the history, nothing of it kept.
//!
//! NaN is never the smallest or the greatest; it can be the last. A value at epoch N is the last one printed with
//! epoch N, so of a loss printed every hundred batches the one at the end of the epoch.

use super::history::{Point, Reader};
use crate::base::error::Result;
use crate::base::json::{self, Value};
use crate::base::time::Time;
use crate::spool::job::Job;
use crate::spool::state::{State, Token};
use crate::spool::store::Spool;
use std::time::Duration;

/// How long an attempt took, from its result.json: as its nn-run measured it, for the clock may have been set meanwhile;
/// else, in a record made by hand, from its start to its end.
pub fn took(result: &Value) -> Option<Duration> {
    let measured = result.num("duration").and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let at = |key: &str| result.str(key).and_then(Time::parse);
    measured.or_else(|| Some(at("ended")?.since(at("started")?)))
}

/// What is told of one variable of interest.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The first value
    pub first: f64,
    /// The last value
    pub last: f64,
    /// The smallest value; NaN when there is no number
    pub min: f64,
    /// The greatest value; NaN when there is no number
    pub max: f64,
    /// Values at the epochs that were asked for, in their order
    pub at: Vec<Option<f64>>,
}

impl Summary {
    fn new(value: f64, epochs: usize) -> Summary {
        Summary { first: value, last: value, min: value, max: value, at: vec![None; epochs] }
    }

    fn add(&mut self, value: f64) {
        self.last = value;
        // f64::min and max take the number when the other is NaN.
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    fn to_json(&self) -> Value {
        let members = [("first", self.first), ("last", self.last), ("min", self.min), ("max", self.max)];
        json::map(members.map(|(key, value)| (key, value.into())))
    }
}

/// The summaries of a run's variables, in the order in which they first appear.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Results {
    /// Name and summary
    pub metrics: Vec<(String, Summary)>,
}

impl Results {
    /// Reads the history of a run; `epochs`: where values are wanted.
    ///
    /// # Errors
    /// The history cannot be read.
    pub fn read(spool: &Spool, run: u64, epochs: &[f64]) -> Result<Results> {
        let mut results = Results::default();
        let mut reader = Reader::open(&spool.run_dir(run))?;
        while let Some(point) = reader.next()? {
            results.add(point, epochs, usize::MAX);
        }
        Ok(results)
    }

    /// Adds a point; of variables beyond `most` nothing is kept.
    pub fn add(&mut self, point: &Point, epochs: &[f64], most: usize) {
        let epoch = point.counter("epoch");
        for (i, (name, value)) in point.values().enumerate() {
            let Some(summary) = self.summary(i, name, value, epochs.len(), most) else { continue };
            summary.add(value);
            for (at, _) in summary.at.iter_mut().zip(epochs).filter(|(_, e)| epoch == Some(**e)) {
                *at = Some(value);
            }
        }
    }

    /// The summary of a name; `guess` is where it stands when every point has the same names.
    fn summary(&mut self, guess: usize, name: &str, value: f64, epochs: usize, most: usize) -> Option<&mut Summary> {
        let is_there = self.metrics.get(guess).is_some_and(|(n, _)| n == name);
        let at = if is_there { Some(guess) } else { self.metrics.iter().position(|(n, _)| n == name) };
        let at = at.unwrap_or(self.metrics.len());
        if at == self.metrics.len() && at < most {
            self.metrics.push((name.to_string(), Summary::new(value, epochs)));
        }
        self.metrics.get_mut(at).map(|(_, summary)| summary)
    }

    /// The summary of a variable.
    pub fn get(&self, name: &str) -> Option<&Summary> {
        self.metrics.iter().find(|(n, _)| n == name).map(|(_, s)| s)
    }

    /// Of each variable: first, last, smallest, greatest; as result.json has them.
    pub fn to_json(&self) -> Value {
        json::map(self.metrics.iter().map(|(name, summary)| (name.as_str(), summary.to_json())))
    }
}

/// All that is known of a run without its history. What is missing or damaged is null: a table shows what there is.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its number
    pub run: u64,
    /// Where it stands; None: it was never acknowledged
    pub token: Option<Token>,
    /// What was asked
    pub job: Job,
    /// labels.json
    pub labels: Value,
    /// attempt.json
    pub attempt: Value,
    /// result.json, if it is of this generation or the run is not queued again
    pub result: Value,
}

impl Row {
    /// Reads the small files of a run.
    ///
    /// # Errors
    /// There is no such run, or its job is damaged.
    pub fn read(spool: &Spool, run: u64, token: Option<Token>) -> Result<Row> {
        let job = spool.job(run)?;
        let read = |name: &str| spool.read(run, name).ok().flatten().unwrap_or(Value::Null);
        let result = read("result.json");
        let current = token.as_ref().is_some_and(|t| result.int("generation") == Some(i64::from(t.generation)));
        let result = if current { result } else { Value::Null };
        Ok(Row { run, token, job, labels: read("labels.json"), attempt: read("attempt.json"), result })
    }

    /// The state in a word: the folder's name.
    pub fn state(&self) -> &'static str {
        self.token.as_ref().map_or("incomplete", |token| token.folder().name())
    }

    /// How it failed, in words.
    pub fn how(&self) -> Option<String> {
        match self.token.as_ref().map(|token| &token.state) {
            Some(State::Failed(how)) => Some(how.words()),
            _ => None,
        }
    }

    /// The note: what was said last.
    pub fn note(&self) -> Option<&str> {
        self.labels.str("note").or_else(|| self.job.json.str("note"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_back() {
        let took = |text: &str| super::took(&Value::parse(text).unwrap()).map(|d| d.as_millis());
        let times = r#""started":"2026-11-26T03:01:07.838Z","ended":"2026-11-23T03:01:10.842Z""#;
        assert_eq!(took(&format!("{{{times},\"duration\":2.5}}")), Some(2500));
        assert_eq!(took(&format!("{{{times}}}")), Some(0));
        assert_eq!(took(r#"{"started":"2026-11-23T03:01:07Z","ended":"2026-11-23T03:01:10Z"}"#), Some(3000));
        assert_eq!(took(r#"{"duration":-1}"#), None);
    }

    fn results(lines: &[&str], epochs: &[f64]) -> Results {
        let mut results = Results::default();
        for line in lines {
            let mut point = Point::new();
            assert!(point.read_line(line), "{line}");
            results.add(&point, epochs, usize::MAX);
        }
        results
    }

    #[test]
    fn one_pass() {
        let r = results(
            &[
                r#"{"epoch":1,"cost":3}"#,
                r#"{"epoch":2,"cost":1,"acc":0.5}"#,
                r#"{"epoch":2,"cost":2}"#,
                r#"{"epoch":3,"cost":"NaN"}"#,
            ],
            &[2.0, 9.0],
        );
        let cost = r.get("cost").unwrap();
        assert_eq!((cost.first, cost.min, cost.max), (3.0, 1.0, 3.0));
        assert!(cost.last.is_nan());
        assert_eq!(cost.at, [Some(2.0), None]);
        assert_eq!(r.get("acc").unwrap().last, 0.5);
        assert_eq!(r.get("none"), None);
    }

    #[test]
    fn the_smallest_is_never_nan() {
        let r = results(&[r#"{"a":3}"#, r#"{"a":"NaN"}"#, r#"{"a":1}"#], &[]);
        let a = r.get("a").unwrap();
        assert_eq!((r.metrics.len(), [a.first, a.last, a.min, a.max]), (1, [3.0, 1.0, 1.0, 3.0]));
        assert_eq!(r.to_json().to_string(), r#"{"a":{"first":3.0,"last":1.0,"min":1.0,"max":3.0}}"#);
    }

    #[test]
    fn no_more_variables_than_wanted() {
        let mut results = Results::default();
        for line in [r#"{"a":1,"b":2,"c":3}"#, r#"{"c":4,"b":5,"a":6}"#] {
            let mut point = Point::new();
            assert!(point.read_line(line), "{line}");
            results.add(&point, &[], 2);
        }
        let last: Vec<_> = results.metrics.iter().map(|(name, summary)| (name.as_str(), summary.last)).collect();
        assert_eq!(last, [("a", 6.0), ("b", 5.0)]);
    }

    #[test]
    fn nothing_but_nan() {
        let r = results(&[r#"{"epoch":1,"cost":"NaN"}"#], &[]);
        assert!(r.get("cost").unwrap().min.is_nan());
        let r = results(&[r#"{"epoch":1,"cost":"NaN"}"#, r#"{"epoch":2,"cost":5}"#], &[]);
        assert_eq!(r.get("cost").unwrap().min, 5.0);
    }
}
