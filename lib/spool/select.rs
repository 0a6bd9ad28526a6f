//! Which runs a person means: `17`, a name if it is unique, `last` or `last~2`, a range `12-20`, a group `@sweep1`.
//!
//! Numbers, ranges and `last` cost nothing; names and groups read the job.json of every run, once for all operands.

use super::store::Spool;
use crate::base::error::{Error, Result};
use crate::base::files;
use crate::base::text::did_you_mean;

/// The runs that operands name, in their order, each once.
///
/// # Errors
/// An operand names no run, or a name several.
pub fn select(spool: &Spool, operands: &[String]) -> Result<Vec<u64>> {
    let mut index = Index { spool, numbers: None, labels: None };
    let mut runs = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for operand in operands {
        runs.extend(index.resolve(operand)?.into_iter().filter(|run| seen.insert(*run)));
    }
    Ok(runs)
}

/// The one run that an operand names.
///
/// # Errors
/// None, or several.
pub fn select_one(spool: &Spool, operand: &str) -> Result<u64> {
    match select(spool, &[operand.to_string()])?.as_slice() {
        [run] => Ok(*run),
        runs => Err(Error::other(format!("'{operand}' is {} runs, and one is wanted", runs.len()))),
    }
}

/// Every run there is, in order of number.
///
/// # Errors
/// The spool cannot be read.
pub fn all(spool: &Spool) -> Result<Vec<u64>> {
    let names = files::names(&spool.dir().join("runs"))?;
    let mut runs: Vec<u64> = names.iter().filter_map(|n| n.to_str().and_then(number)).filter(|run| *run > 0).collect();
    runs.sort_unstable();
    Ok(runs)
}

struct Index<'a> {
    spool: &'a Spool,
    numbers: Option<Vec<u64>>,
    labels: Option<Vec<Label>>,
}

/// A run, its name and its group.
type Label = (u64, Option<String>, Option<String>);

impl Index<'_> {
    fn resolve(&mut self, operand: &str) -> Result<Vec<u64>> {
        if let Some(run) = number(operand) {
            return self.existing(run).map(|run| vec![run]);
        }
        if let Some((from, to)) = operand.split_once('-').and_then(|(a, b)| Some((number(a)?, number(b)?))) {
            return self.range(operand, from, to);
        }
        if let Some(back) = operand.strip_prefix("last").and_then(steps_back) {
            return self.last(operand, back).map(|run| vec![run]);
        }
        match operand.strip_prefix('@') {
            Some(group) => self.group(group),
            None => self.name(operand).map(|run| vec![run]),
        }
    }

    fn existing(&self, run: u64) -> Result<u64> {
        if run > 0 && self.spool.run_dir(run).is_dir() {
            return Ok(run);
        }
        Err(Error::other(format!("there is no run {run}")))
    }

    fn numbers(&mut self) -> Result<&[u64]> {
        if self.numbers.is_none() {
            self.numbers = Some(all(self.spool)?);
        }
        Ok(self.numbers.as_deref().unwrap_or_default())
    }

    fn range(&mut self, operand: &str, from: u64, to: u64) -> Result<Vec<u64>> {
        let runs: Vec<u64> = self.numbers()?.iter().copied().filter(|run| (from..=to).contains(run)).collect();
        if runs.is_empty() { Err(Error::other(format!("there is no run in {operand}"))) } else { Ok(runs) }
    }

    fn last(&mut self, operand: &str, back: usize) -> Result<u64> {
        let none = || Error::other(format!("there is no run '{operand}'"));
        self.numbers()?.iter().rev().nth(back).copied().ok_or_else(none)
    }

    fn labels(&mut self) -> Result<&[Label]> {
        if self.labels.is_none() {
            let spool = self.spool;
            let label = |run: &u64| {
                // A run being added has no job yet, and a damaged one no name; neither hides the others.
                let job = spool.job(*run).ok()?;
                Some((*run, job.name().map(String::from), job.group().map(String::from)))
            };
            self.labels = Some(self.numbers()?.iter().filter_map(label).collect());
        }
        Ok(self.labels.as_deref().unwrap_or_default())
    }

    fn group(&mut self, group: &str) -> Result<Vec<u64>> {
        let labels = self.labels()?;
        let runs: Vec<u64> =
            labels.iter().filter(|(.., g)| g.as_deref() == Some(group)).map(|(run, ..)| *run).collect();
        if !runs.is_empty() {
            return Ok(runs);
        }
        let near = did_you_mean(group, labels.iter().filter_map(|(.., g)| g.as_deref()));
        Err(Error::other(format!("there is no group '{group}'{near}")))
    }

    fn name(&mut self, name: &str) -> Result<u64> {
        let labels = self.labels()?;
        let runs: Vec<u64> =
            labels.iter().filter(|(_, n, _)| n.as_deref() == Some(name)).map(|(run, ..)| *run).collect();
        match runs.as_slice() {
            [run] => Ok(*run),
            [] => {
                let near = did_you_mean(name, labels.iter().filter_map(|(_, n, _)| n.as_deref()));
                Err(Error::other(format!("there is no run '{name}'{near}")))
            }
            [.., last] => Err(Error::other(format!(
                "{} runs are called '{name}' (the last is {last}): say the number",
                runs.len()
            ))),
        }
    }
}

fn number(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// How far back `last` (0) or `last~2` goes, from what stands after "last".
fn steps_back(rest: &str) -> Option<usize> {
    if rest.is_empty() { Some(0) } else { number(rest.strip_prefix('~')?)?.try_into().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::job::Job;
    use std::path::Path;

    #[test]
    fn every_way_to_name_a_run() {
        let dir = std::env::temp_dir().join(format!("nn-select-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let spool = Spool::init(&dir, false).unwrap();
        for (name, group) in [("a", "g1"), ("b", "g1"), ("b", "g2"), ("d", "g2")] {
            let mut job = Job::new(&["true".into()], Path::new("/"));
            job.json.set("name", name);
            job.json.set("group", group);
            spool.add(&[job], b"").unwrap();
        }
        let runs = |operand: &str| select(&spool, &[operand.to_string()]).map_err(|e| e.to_string());
        assert_eq!(runs("2").unwrap(), [2]);
        assert_eq!(runs("a").unwrap(), [1]);
        assert_eq!(runs("last").unwrap(), [4]);
        assert_eq!(runs("last~3").unwrap(), [1]);
        assert_eq!(runs("2-9").unwrap(), [2, 3, 4]);
        assert_eq!(runs("@g2").unwrap(), [3, 4]);
        assert_eq!(select(&spool, &["3".into(), "@g2".into()]).unwrap(), [3, 4]);
        assert_eq!(runs("5").unwrap_err(), "there is no run 5");
        assert_eq!(runs("0").unwrap_err(), "there is no run 0");
        assert_eq!(runs("b").unwrap_err(), "2 runs are called 'b' (the last is 3): say the number");
        assert_eq!(runs("@g").unwrap_err(), "there is no group 'g' (did you mean 'g1'?)");
        assert_eq!(runs("last~4").unwrap_err(), "there is no run 'last~4'");
        assert_eq!(runs("../x").unwrap_err(), "there is no run '../x'");
        std::fs::remove_dir_all(dir).unwrap();
    }
}
