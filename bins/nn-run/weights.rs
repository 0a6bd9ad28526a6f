//! The norms of the layers in each new checkpoint: nn-weights is asked, one file at a time, at the low priority this
//! process has, and its answers go into the history at the counters that were in force when the checkpoint was seen.
//!
//! A checkpoint counts once it is complete and has not changed for a second. What was there before the attempt is not
//! measured; a file that is written anew is, each time. At the end of the run only the newest one still waiting is, and
//! for so long nobody waits more than a few seconds.

use crate::follow::Follower;
use crate::prepare::Attempt;
use nn::base::cli;
use nn::base::json::Value;
use nn::base::text::escape;
use nn::record::ask::{Answer, Asked};
use nn::record::checkpoint::{Checkpoint, is_complete};
use nn::record::history::Point;
use nn::spool::job::Job;
use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

/// Between two looks; while one is measured it is sooner, so that the next can be.
const LOOK: Duration = Duration::from_secs(1);
const SOON: Duration = Duration::from_millis(100);
/// So long a file must not have changed.
const STABLE: Duration = Duration::from_secs(1);
/// Longest that one file may take, and that the end of the run waits.
const LONGEST: Duration = Duration::from_secs(600);
const LAST: Duration = Duration::from_secs(10);
/// Bytes of an answer: some ten thousand layers.
const MOST: u64 = 16 << 20;

/// Who looks after new checkpoints; does nothing unless the job asks for it.
pub struct Weighing {
    is_wanted: bool,
    at: Instant,
    /// How each was when it was measured, or when the attempt began
    done: HashMap<PathBuf, SystemTime>,
    /// Those that are to be measured
    fresh: HashMap<PathBuf, Fresh>,
    asked: Option<(Asked, PathBuf, Point)>,
    has_complained: bool,
}

/// A checkpoint that may still be written to.
struct Fresh {
    modified: SystemTime,
    since: Instant,
    /// The counters when it was seen
    place: Point,
}

impl Fresh {
    /// Whether it is this old, by our clock or by that of the file system.
    fn is_stable(&self) -> bool {
        self.since.elapsed() >= STABLE || self.modified.elapsed().is_ok_and(|age| age >= STABLE)
    }
}

impl Weighing {
    /// What is there already is not measured; of an adopted command, what was there when its history was last written.
    pub fn begin(attempt: &Attempt, is_adopted: bool) -> Weighing {
        let is_wanted = attempt.job.as_ref().ok().and_then(Job::weights).is_some();
        let history = || std::fs::metadata(attempt.dir().join("history.jsonl")).and_then(|meta| meta.modified()).ok();
        let until = is_adopted.then(history).flatten();
        let there = if is_wanted { attempt.weights() } else { Vec::new() };
        let old = there.into_iter().filter(|c| until.is_none_or(|until| c.modified <= until));
        let done = old.map(|c| (c.path, c.modified)).collect();
        Weighing {
            is_wanted,
            at: Instant::now() + LOOK,
            done,
            fresh: HashMap::new(),
            asked: None,
            has_complained: false,
        }
    }

    /// When to look next; None: never.
    pub fn due(&self) -> Option<Instant> {
        self.is_wanted.then_some(self.at)
    }

    /// Whether this process has a child for it, one that is not the command's.
    pub fn is_asking(&self) -> bool {
        self.asked.is_some()
    }

    /// Takes an answer, and asks about the oldest new checkpoint.
    pub fn look(&mut self, attempt: &Attempt, follower: &mut Follower) {
        self.at = Instant::now() + LOOK;
        if let Some((asked, ..)) = &mut self.asked {
            if !asked.is_finished() && asked.age() < LONGEST {
                self.at = Instant::now() + SOON;
                return;
            }
            self.take(follower);
        }
        let new = self.unmeasured(attempt);
        self.fresh.retain(|path, fresh| new.iter().any(|c| c.path == *path && c.modified == fresh.modified));
        for Checkpoint { path, modified } in &new {
            let place = || Fresh { modified: *modified, since: Instant::now(), place: follower.place() };
            self.fresh.entry(path.clone()).or_insert_with(place);
        }
        let is_ready = |c: &&Checkpoint| self.fresh.get(&c.path).is_some_and(Fresh::is_stable) && is_complete(&c.path);
        if let Some(next) = new.iter().rev().find(is_ready) {
            self.ask(next, follower);
            self.at = Instant::now() + SOON;
        }
    }

    /// The command has ended: the newest checkpoint is measured, if it was not. Processes that nothing ends are returned.
    pub fn finish(&mut self, attempt: &Attempt, follower: &mut Follower) -> Option<u32> {
        if !self.is_wanted {
            return None;
        }
        let begun = Instant::now();
        let left = || LAST.saturating_sub(begun.elapsed());
        if let Some((asked, ..)) = &mut self.asked {
            asked.wait(left());
            self.take(follower);
        }
        let newest = self.unmeasured(attempt).into_iter().find(|checkpoint| is_complete(&checkpoint.path))?;
        self.ask(&newest, follower);
        let (asked, ..) = self.asked.as_mut()?;
        asked.wait(left());
        let pid = asked.pid();
        self.take(follower);
        pid
    }

    /// Those not measured yet, the newest first.
    fn unmeasured(&self, attempt: &Attempt) -> Vec<Checkpoint> {
        let mut new = attempt.weights();
        new.retain(|checkpoint| self.done.get(&checkpoint.path) != Some(&checkpoint.modified));
        new
    }

    fn ask(&mut self, checkpoint: &Checkpoint, follower: &Follower) {
        let place = self.fresh.remove(&checkpoint.path).map_or_else(|| follower.place(), |fresh| fresh.place);
        self.done.insert(checkpoint.path.clone(), checkpoint.modified);
        let Ok(program) = cli::sibling("nn-weights") else { return };
        let mut command = Command::new(program);
        command.arg("--json").arg("--").arg(&checkpoint.path);
        self.asked = Some((Asked::begin(command, MOST), checkpoint.path.clone(), place));
    }

    fn take(&mut self, follower: &mut Follower) {
        let Some((asked, path, place)) = self.asked.take() else { return };
        let answer = asked.take().unwrap_or_else(|| Answer { words: "it took too long".into(), ..Answer::default() });
        let mut point = norms(&answer.out, place);
        if !point.is_empty() {
            follower.add(&mut point);
        } else if path.exists() && !std::mem::replace(&mut self.has_complained, true) {
            let path = path.display().to_string();
            let words = answer.words.trim_start_matches("nn-weights: ");
            cli::warn(&format!("no norms of {}: {}", escape(&path), escape(words)));
        }
    }
}

/// The norms in what nn-weights printed, of weights alone: not of counters, nor of what an optimizer remembers.
fn norms(records: &[u8], mut point: Point) -> Point {
    for record in String::from_utf8_lossy(records).lines().filter_map(|line| Value::parse(line).ok()) {
        let (Some(layer), Some(norm), Some(kind)) = (record.str("layer"), record.num("norm"), record.str("dtype"))
        else {
            continue;
        };
        let is_counter = kind.contains("int") || kind == "bool";
        if !is_counter && !layer.starts_with("optim") {
            point.push_value(&format!("norm/{layer}"), norm);
        }
    }
    point
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norms_of_weights() {
        let records = b"{\"layer\":\"a.w\",\"dtype\":\"float32\",\"norm\":1.5}\n{\"layer\":\"n\",\"dtype\":\"int64\",\"norm\":3}\n\
            {\"layer\":\"b\",\"dtype\":\"bfloat16\",\"norm\":\"NaN\"}\n{\"layer\":\"optimizer.state.0.exp_avg\",\"dtype\":\"float32\",\
            \"norm\":1}\nno record\n";
        let mut place = Point::new();
        place.set_counter("epoch", 3.0);
        let point = norms(records, place);
        let names: Vec<&str> = point.values().map(|(name, _)| name).collect();
        assert_eq!((names, point.counter("epoch")), (vec!["norm/a.w", "norm/b"], Some(3.0)));
        assert!(point.value("norm/b").is_some_and(f64::is_nan));
    }
}
