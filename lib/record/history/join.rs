//! One curve out of several attempts. An attempt that resumes does again what the former one did after its last
//! checkpoint; of such a stretch only the later attempt's points belong to the curve.
//!
//! Nothing is rewritten: before an attempt starts its command, `resumed.jsonl` notes how long each history file is, so
//! that every point belongs to an attempt by where it stands, whatever the clocks did. A reader finds the earliest
//! position of the attempt's points and passes over the former points from there on. A program that started over thus
//! replaces the former curve, one that went on continues it.

use super::Point;
use crate::base::error::Result;
use crate::base::files;
use crate::base::json::{self, Value};
use crate::base::time::Time;
use std::cmp::Ordering;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// What resumed attempts note, one line each.
pub const RESUMED: &str = "resumed.jsonl";
/// Incomparable positions (by step, by epoch, by batch, by iter) kept of an attempt.
const MOST_PLACES: usize = 8;

/// Whether a name is that of a history file.
pub fn is_history(name: &OsStr) -> bool {
    name.to_str().is_some_and(|n| n.starts_with("history.") && n.ends_with("jsonl"))
}

/// Where an attempt begins in the files that grow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Start {
    /// In the log
    pub log: u64,
    /// In nn-run's history.jsonl
    pub history: u64,
    /// In the files of metrics that the command writes
    pub files: Vec<(PathBuf, u64)>,
}

impl Start {
    /// The start of a run's latest attempt: all zero for the first, which notes nothing.
    ///
    /// # Errors
    /// The note cannot be read.
    pub fn of_last(run: &Path) -> Result<Start> {
        let text = files::read_text_if_any(run.join(RESUMED))?.unwrap_or_default();
        let Some(value) = text.lines().rev().find_map(|line| Value::parse(line).ok()) else {
            return Ok(Start::default());
        };
        let size = |value: Option<&Value>| value.and_then(Value::as_int).and_then(|n| u64::try_from(n).ok());
        let file = |pair: &Value| {
            let [path, at] = pair.as_list()? else { return None };
            Some((json::to_os(path)?.into(), size(Some(at))?))
        };
        Ok(Start {
            log: size(value.get("log")).unwrap_or(0),
            history: size(value.get("history").and_then(|sizes| sizes.get("history.jsonl"))).unwrap_or(0),
            files: value.list("files").unwrap_or_default().iter().filter_map(file).collect(),
        })
    }
}

/// Notes that attempt `number` of a run begins now, from a checkpoint or from none that is known, at `log` and `files`.
///
/// # Errors
/// The directory cannot be read or the line not written.
pub fn note(run: &Path, number: i64, checkpoint: Option<&Path>, log: u64, files: &[(PathBuf, u64)]) -> Result<()> {
    let mut sizes = Vec::new();
    for name in files::names(run)?.iter().filter(|name| is_history(name)) {
        let size = std::fs::metadata(run.join(name)).map_or(0, |meta| meta.len());
        sizes.push((name.to_string_lossy().into_owned(), Value::from(size)));
    }
    let file = |(path, at): &(PathBuf, u64)| Value::List(vec![json::from_os(path.as_os_str()), (*at).into()]);
    let line = json::map([
        ("t", Value::from(Time::now())),
        ("attempt", number.into()),
        ("checkpoint", checkpoint.map(|path| json::from_os(path.as_os_str())).unwrap_or(Value::Null)),
        ("log", log.into()),
        ("history", Value::Map(sizes)),
        ("files", files.iter().map(file).collect::<Vec<_>>().into()),
    ]);
    files::append(&run.join(RESUMED), &format!("{line}\n"))
}

/// Where an attempt's points begin in each file, and what they replace.
#[derive(Clone, Debug, Default)]
pub(super) struct Seam {
    starts: Vec<(String, u64)>,
    /// It began from a checkpoint that is known
    resumed: bool,
    any: bool,
    places: Vec<Place>,
}

impl Seam {
    /// The seams of a run, in order. A line that is none is passed over: it was torn by a crash before the command started.
    pub(super) fn read(run: &Path) -> Result<Vec<Seam>> {
        let Some(text) = files::read_text_if_any(run.join(RESUMED))? else { return Ok(Vec::new()) };
        let seam = |line: &str| {
            let value = Value::parse(line).ok()?;
            let sizes = value.get("history")?.as_map()?;
            let starts =
                sizes.iter().filter_map(|(name, size)| Some((name.clone(), u64::try_from(size.as_int()?).ok()?)));
            let resumed = value.get("checkpoint").is_some_and(|c| *c != Value::Null);
            Some(Seam { starts: starts.collect(), resumed, ..Seam::default() })
        };
        Ok(text.lines().filter_map(seam).collect())
    }

    /// Where its points begin in a file: one that was not there then is all its own.
    pub(super) fn start(&self, file: &str) -> u64 {
        self.starts.iter().find(|(name, _)| name == file).map_or(0, |(_, at)| *at)
    }

    /// Takes note of a point of its own.
    pub(super) fn see(&mut self, point: &Point) {
        self.any = true;
        let Some(place) = Place::of(point) else { return };
        for known in &mut self.places {
            match place.compare(known) {
                Some(Ordering::Less) => return *known = place,
                Some(_) => return,
                None => {}
            }
        }
        if self.places.len() < MOST_PLACES {
            self.places.push(place);
        }
    }

    /// Whether a point of a former attempt is not part of the curve any more.
    pub(super) fn replaces(&self, former: &Point) -> bool {
        match Place::of(former) {
            Some(place) => self.places.iter().any(|from| place.compare(from).is_some_and(Ordering::is_ge)),
            // It stands nowhere: it stays, unless all was done again.
            None => self.any && !self.resumed,
        }
    }
}

/// Where a point stands.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Place {
    step: Option<f64>,
    epoch: Option<f64>,
    batch: Option<f64>,
    iter: Option<f64>,
}

impl Place {
    fn of(point: &Point) -> Option<Place> {
        let [step, epoch, batch, iter] = ["step", "epoch", "batch", "iter"].map(|name| point.counter(name));
        let place = Place { step, epoch, batch, iter };
        [step, epoch, batch, iter].iter().any(Option::is_some).then_some(place)
    }

    /// None: they cannot be compared. An epoch without a batch stands for all of the epoch.
    fn compare(&self, other: &Place) -> Option<Ordering> {
        let both = |a: Option<f64>, b: Option<f64>| a?.partial_cmp(&b?);
        both(self.step, other.step)
            .or_else(|| match both(self.epoch, other.epoch)? {
                Ordering::Equal => Some(both(self.batch, other.batch).unwrap_or(Ordering::Equal)),
                other => Some(other),
            })
            .or_else(|| both(self.iter, other.iter))
            .or_else(|| both(self.batch, other.batch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(counters: &[(&str, f64)]) -> Point {
        let mut point = Point::new();
        counters.iter().for_each(|(name, value)| point.set_counter(name, *value));
        point.push_value("loss", 1.0);
        point
    }

    #[test]
    fn what_a_later_attempt_replaces() {
        let mut seam = Seam { resumed: true, ..Seam::default() };
        assert!(!seam.replaces(&point(&[("epoch", 9.0)])), "an attempt without points replaces nothing");
        seam.see(&point(&[("epoch", 6.0), ("batch", 3.0)]));
        seam.see(&point(&[("epoch", 5.0), ("batch", 2.0)]));
        seam.see(&point(&[("epoch", 5.0), ("batch", 3.0)]));
        for (counters, replaced) in [
            (&[("epoch", 4.0)][..], false),
            (&[("epoch", 4.0), ("batch", 9.0)], false),
            (&[("epoch", 5.0), ("batch", 1.0)], false),
            (&[("epoch", 5.0), ("batch", 2.0)], true),
            (&[("epoch", 5.0)], true),
            (&[("epoch", 6.0)], true),
            (&[("step", 1e9)], false),
            (&[], false),
        ] {
            assert_eq!(seam.replaces(&point(counters)), replaced, "{counters:?}");
        }
        seam.see(&point(&[("step", 100.0)]));
        assert!(seam.replaces(&point(&[("step", 100.0)])) && !seam.replaces(&point(&[("step", 99.0)])));
        seam.resumed = false;
        assert!(seam.replaces(&point(&[])), "all was done again");
    }
}
