//! Which checkpoints to keep: `last=K,best=METRIC[:max]`, and only ever in the run's own directory.
//!
//! Checkpoints whose names differ in their last number alone (model-0010.pt, model-0020.pt) are a series; of each, the K
//! changed last stay, and the one at which the metric was best. Names without a number, a series of one, what a symbolic
//! link points to, symbolic links, unfinished files and the newest complete checkpoint always stay.

use super::{Checkpoint, Place, is_finished_name};
use crate::base::error::{Error, Result};
use crate::base::files;
use crate::record::history::Reader;
use std::collections::{BTreeMap, HashSet};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// What a person asked to keep.
#[derive(Clone, Debug, PartialEq)]
pub struct Keep {
    last: usize,
    best: Option<Best>,
}

#[derive(Clone, Debug, PartialEq)]
struct Best {
    metric: String,
    greatest: bool,
}

/// What would be removed, and why the rest stays is in `Keep`'s rules.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// To be removed, the oldest first
    pub remove: Vec<PathBuf>,
    /// How many stay
    pub kept: usize,
}

impl Keep {
    /// Reads `last=3,best=valid_cost` or `best=accuracy:max`. Without `last` the newest stays.
    ///
    /// # Errors
    /// A sentence that names the word.
    pub fn parse(text: &str) -> std::result::Result<Keep, String> {
        let mut keep = Keep { last: 1, best: None };
        for word in text.split(',') {
            match word.trim().split_once('=') {
                Some(("last", count)) => {
                    let count = count.parse().ok().filter(|n| *n > 0);
                    keep.last = count.ok_or_else(|| format!("'{word}': expected a count from 1"))?;
                }
                Some(("best", metric)) => {
                    let (metric, greatest) = match metric.rsplit_once(':') {
                        Some((metric, "max")) => (metric, true),
                        Some((metric, "min")) => (metric, false),
                        _ => (metric, false),
                    };
                    if metric.is_empty() {
                        return Err(format!("'{word}': which metric?"));
                    }
                    keep.best = Some(Best { metric: metric.into(), greatest });
                }
                _ => return Err(format!("'{word}': expected last=COUNT or best=METRIC[:max]")),
            }
        }
        Ok(keep)
    }

    /// What may be removed now. Changes nothing.
    ///
    /// # Errors
    /// The checkpoints are outside of the run's directory, or its history cannot be read.
    pub fn plan(&self, run: &Path, place: &Place) -> Result<Plan> {
        if place.pattern.is_some_and(|pattern| pattern.contains('/')) {
            return Err(Error::other("checkpoints outside of the run's own directory are never removed"));
        }
        if std::fs::symlink_metadata(place.own).is_ok_and(|meta| !meta.is_dir()) {
            return Err(Error::other(format!("{} is no directory: nothing in it is removed", place.own.display())));
        }
        let all = place.all();
        let pointed: HashSet<PathBuf> = all.iter().filter_map(|c| linked(&c.path)).collect();
        let values = match &self.best {
            Some(best) => values(run, &best.metric)?,
            None => Vec::new(),
        };
        let mut remove: Vec<&Checkpoint> = Vec::new();
        for series in series(&all).values() {
            let best = self.best.as_ref().and_then(|best| best.of(series, &values));
            let spare = series.iter().skip(self.last).filter(|(_, c)| Some(&c.path) != best);
            remove.extend(spare.map(|(_, c)| *c));
        }
        remove.retain(|c| !pointed.contains(&c.path) && linked(&c.path).is_none());
        if !remove.is_empty() {
            let newest = place.newest();
            remove.retain(|c| Some(&c.path) != newest.as_ref());
        }
        let oldest_first = all.iter().rev().filter(|c| remove.contains(c)).map(|c| c.path.clone());
        Ok(Plan { remove: oldest_first.collect(), kept: all.len() - remove.len() })
    }
}

impl Plan {
    /// Removes what the plan says; what others removed already is gone as well.
    ///
    /// # Errors
    /// One of them cannot be removed; those before it are gone.
    pub fn carry_out(&self) -> Result<()> {
        for path in &self.remove {
            match std::fs::symlink_metadata(path) {
                Ok(meta) if meta.is_dir() => files::remove_tree(path)?,
                Ok(_) => drop(files::remove(path)?),
                Err(_) => {}
            }
        }
        Ok(())
    }
}

type Series<'a> = BTreeMap<(Vec<u8>, Vec<u8>), Vec<(u64, &'a Checkpoint)>>;

/// Finished checkpoints by what their names have in common, each series the newest first.
fn series(all: &[Checkpoint]) -> Series<'_> {
    let mut series = Series::new();
    for checkpoint in all.iter().filter(|c| is_finished_name(&c.path)) {
        if let Some((before, number, after)) = split(&checkpoint.path) {
            series.entry((before, after)).or_default().push((number, checkpoint));
        }
    }
    series
}

/// A name as what stands before its last number, the number, and what stands after. An extension's digits are none: .h5
fn split(path: &Path) -> Option<(Vec<u8>, u64, Vec<u8>)> {
    let name = path.file_name()?.as_bytes();
    let is_extension = |e: &&std::ffi::OsStr| {
        let e = e.as_bytes();
        e.iter().all(u8::is_ascii_alphanumeric) && !e.iter().all(u8::is_ascii_digit)
    };
    let extension = path.extension().filter(is_extension).map_or(0, |e| e.len() + 1);
    let stem = name.len().checked_sub(extension)?;
    let end = name.get(..stem)?.iter().rposition(u8::is_ascii_digit)? + 1;
    let begin = name.get(..end)?.iter().rposition(|b| !b.is_ascii_digit()).map_or(0, |at| at + 1);
    let number = str::from_utf8(name.get(begin..end)?).ok()?.parse().ok()?;
    Some((name.get(..begin)?.to_vec(), number, name.get(end..)?.to_vec()))
}

/// What a symbolic link points to.
fn linked(path: &Path) -> Option<PathBuf> {
    let target = std::fs::read_link(path).ok()?;
    Some(path.parent()?.join(target))
}

/// A value of the metric: where and when it was seen.
struct Seen {
    counters: [Option<f64>; 3],
    /// Milliseconds since 1970 UTC
    t: i64,
    value: f64,
}

fn values(run: &Path, metric: &str) -> Result<Vec<Seen>> {
    let mut seen = Vec::new();
    let mut reader = Reader::open(run)?;
    while let Some(point) = reader.next()? {
        if let Some(value) = point.value(metric).filter(|value| !value.is_nan()) {
            let counters = ["epoch", "step", "iter"].map(|name| point.counter(name));
            seen.push(Seen { counters, t: point.t.map_or(i64::MIN, |t| t.ms()), value });
        }
    }
    Ok(seen)
}

impl Best {
    /// The checkpoint of a series at which the metric was best.
    fn of<'a>(&self, series: &[(u64, &'a Checkpoint)], values: &[Seen]) -> Option<&'a PathBuf> {
        let valued = series.iter().filter_map(|(number, c)| Some((value_at(*number, c, values)?, *c)));
        let sign = if self.greatest { -1.0 } else { 1.0 };
        valued.min_by(|a, b| (sign * a.0).total_cmp(&(sign * b.0))).map(|(_, c)| &c.path)
    }
}

/// The metric at a checkpoint: where a counter has the number of its name, else the last before it was written.
fn value_at(number: u64, checkpoint: &Checkpoint, values: &[Seen]) -> Option<f64> {
    let has = |seen: &Seen, i: usize| seen.counters.get(i).copied().flatten() == Some(number as f64);
    let counted = (0..3).find_map(|i| values.iter().rfind(|seen| has(seen, i)));
    let written = checkpoint.modified.duration_since(UNIX_EPOCH).ok()?.as_millis();
    let before = || values.iter().rfind(|seen| i128::from(seen.t) <= written as i128);
    counted.or_else(before).map(|seen| seen.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::time::{Duration, SystemTime};

    #[test]
    fn what_people_write() {
        let best = |metric: &str, greatest| Some(Best { metric: metric.into(), greatest });
        assert_eq!(Keep::parse("last=3,best=acc:max"), Ok(Keep { last: 3, best: best("acc", true) }));
        assert_eq!(Keep::parse("best=valid_cost"), Ok(Keep { last: 1, best: best("valid_cost", false) }));
        assert_eq!(Keep::parse("best=a:b"), Ok(Keep { last: 1, best: best("a:b", false) }));
        for bad in ["", "last", "last=0", "last=x", "best=", "first=1", "last=1,,"] {
            assert!(Keep::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_number_in_a_name() {
        let split = |name: &str| {
            let (a, n, b) = split(Path::new(name))?;
            Some((String::from_utf8(a).unwrap(), n, String::from_utf8(b).unwrap()))
        };
        assert_eq!(split("model-0010.pt"), Some(("model-".into(), 10, ".pt".into())));
        assert_eq!(split("epoch=3-step=1200.ckpt"), Some(("epoch=3-step=".into(), 1200, ".ckpt".into())));
        assert_eq!(split("model.ckpt-300"), Some(("model.ckpt-".into(), 300, String::new())));
        assert_eq!(split("weights.h5"), None);
        assert_eq!(split("params.17"), Some(("params.".into(), 17, String::new())));
        assert_eq!(split("best.pt"), None);
    }

    #[test]
    fn what_stays_and_what_goes() {
        let run = std::env::temp_dir().join(format!("nn-keep-{}", std::process::id()));
        let _ = fs::remove_dir_all(&run);
        let own = run.join("checkpoints");
        fs::create_dir_all(&own).unwrap();
        let write = |name: &str, age: u64| {
            fs::write(own.join(name), "x").unwrap();
            let file = fs::File::options().append(true).open(own.join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
        };
        for epoch in 1..=6 {
            write(&format!("m-{epoch}.pt"), 100 - epoch);
            write(&format!("o-{epoch}.pt"), 100 - epoch);
        }
        for name in ["best.pt", "vgg16.pt", "resnet50.pt", "m-7.pt.tmp"] {
            write(name, 200);
        }
        std::os::unix::fs::symlink("m-1.pt", own.join("latest")).unwrap();
        let history: String = [5, 1, 2, 3, 4, 5]
            .iter()
            .zip(1..)
            .map(|(cost, epoch)| format!("{{\"epoch\":{epoch},\"cost\":{cost},\"nan\":\"NaN\"}}\n"))
            .collect();
        fs::write(run.join("history.jsonl"), history).unwrap();
        let place = Place { own: &own, cwd: &run, pattern: None, since: None };
        let plan = |text: &str, place: &Place| Keep::parse(text).unwrap().plan(&run, place);
        let names = |plan: &Plan| -> Vec<String> {
            plan.remove.iter().map(|p| p.file_name().unwrap().to_string_lossy().into_owned()).collect()
        };
        let mut two = names(&plan("last=2,best=cost", &place).unwrap());
        two.sort();
        assert_eq!(two, ["m-3.pt", "m-4.pt", "o-1.pt", "o-3.pt", "o-4.pt"]);
        assert_eq!(names(&plan("last=1,best=cost:max", &place).unwrap()).len(), 9, "of equals the later");
        assert_eq!(names(&plan("last=5,best=none", &place).unwrap()), ["o-1.pt"]);
        assert!(plan("last=1", &Place { pattern: Some("./*.pt"), ..place }).is_err());
        plan("last=1", &place).unwrap().carry_out().unwrap();
        let mut left: Vec<_> = fs::read_dir(&own).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["best.pt", "latest", "m-1.pt", "m-6.pt", "m-7.pt.tmp", "o-6.pt", "resnet50.pt", "vgg16.pt"]);
        fs::remove_dir_all(run).unwrap();
    }
}
