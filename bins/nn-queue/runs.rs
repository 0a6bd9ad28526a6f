//! What the verbs that take RUNS share: finding the runs and their states, going on after an error, and telling of many
//! refusals in one line.

use nn::base::args::{Arg, Args};
use nn::base::cli;
use nn::base::error::{Error, Result};
use nn::spool::select::select;
use nn::spool::state::{Folder, Token};
use nn::spool::store::Spool;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;

/// Numbers of refused runs that are named in one message.
const NAMED: usize = 10;

/// The operands that are left, when no option may come any more.
pub fn operands(args: &mut Args) -> Result<Vec<OsString>> {
    let mut values = Vec::new();
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Value(value) => values.push(value),
            arg => return Err(arg.unexpected()),
        }
    }
    Ok(values)
}

/// The runs that operands (or standard input) name. What names none is told, and the others are still found.
pub fn find(spool: &Spool, given: Vec<OsString>) -> Result<Vec<u64>> {
    let words = cli::operands(given)?;
    if let Ok(runs) = select(spool, &words) {
        return Ok(runs);
    }
    let mut runs = Vec::new();
    for word in &words {
        match select(spool, std::slice::from_ref(word)) {
            Ok(more) => runs.extend(more),
            Err(err) => cli::complain(&err),
        }
    }
    let mut seen = std::collections::HashSet::new();
    runs.retain(|run| seen.insert(*run));
    Ok(runs)
}

/// Where these runs stand, by one look at the spool; the folders of ended runs are read only when a run is not elsewhere.
pub fn states(spool: &Spool, runs: &[u64]) -> Result<HashMap<u64, Token>> {
    let open = spool.states(&Folder::OPEN)?;
    if runs.iter().all(|run| open.contains_key(run)) {
        return Ok(open);
    }
    let mut all = spool.states(&Folder::ALL)?;
    // A run that went from one folder to another against the order of reading was seen at least the first time.
    for (run, token) in open {
        all.entry(run).or_insert(token);
    }
    Ok(all)
}

/// Runs that were refused, by the reason.
#[derive(Default)]
pub struct Refused(BTreeMap<String, Vec<u64>>);

impl Refused {
    /// One more.
    pub fn add(&mut self, run: u64, reason: impl Into<String>) {
        self.0.entry(reason.into()).or_default().push(run);
    }

    /// None was refused.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A line a reason, each of which makes the final status a failure.
    pub fn complain(&self, verb: &str) {
        for line in self.lines() {
            cli::complain(&Error::other(format!("cannot {verb} {line}")));
        }
    }

    /// `17 18 and 3 more: reason`
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(reason, runs)| {
            let mut named: Vec<String> = runs.iter().take(NAMED).map(u64::to_string).collect();
            if runs.len() > NAMED {
                named.push(format!("and {} more", runs.len() - NAMED));
            }
            format!("{}: {reason}", named.join(" "))
        })
    }
}
