//! Which jobs were asked for with a snapshot: a line `DIGEST RUN` each in `code/TREE/asked.HOST`. So `add` finds out that a job
//! was there before by reading the few lines of the same code, however many runs there are.
//!
//! The lines are hints: they may be missing (then nobody is asked) or tell of a run that is gone (which is looked at).

use super::folder;
use crate::base::error::Result;
use crate::base::files;
use crate::base::hash::Hasher;
use crate::base::sys::host_name;
use crate::spool::job::Job;
use crate::spool::store::Spool;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

/// What makes two jobs the same: command, parameters in any order, code, where in it they run, and what is linked to.
/// None: the code is not frozen, so nobody can tell.
pub fn digest(job: &Job) -> Option<String> {
    let code = job.code()?;
    let mut hasher = Hasher::new();
    let argv = job.argv();
    hasher.number(argv.len() as u64);
    argv.iter().for_each(|word| hasher.text(word.as_bytes()));
    let params: BTreeMap<&str, String> = job.params().iter().map(|(k, v)| (k.as_str(), v.to_string())).collect();
    hasher.number(params.len() as u64);
    for (name, value) in &params {
        hasher.text(name.as_bytes());
        hasher.text(value.as_bytes());
    }
    hasher.text(code.tree.as_bytes());
    hasher.text(code.dir.as_os_str().as_bytes());
    for link in &code.links {
        hasher.text(code.root.join(link).as_os_str().as_bytes());
    }
    Some(hasher.finish())
}

/// Notes that these runs are these jobs.
///
/// # Errors
/// It cannot be written.
pub fn remember(spool: &Spool, jobs: &[Job], runs: &[u64]) -> Result<()> {
    let mut lines: BTreeMap<String, String> = BTreeMap::new();
    for (job, run) in jobs.iter().zip(runs) {
        if let (Some(code), Some(digest)) = (job.code(), digest(job)) {
            // Writing to a string cannot fail.
            let _ = writeln!(lines.entry(code.tree).or_default(), "{digest} {run}");
        }
    }
    for (tree, lines) in lines {
        files::append(&folder(spool, &tree).join(format!("asked.{}", host_name())), &lines)?;
    }
    Ok(())
}

/// The runs that were asked for with a snapshot, by the digest of their jobs.
pub fn known(spool: &Spool, tree: &str) -> HashMap<String, Vec<u64>> {
    let mut known: HashMap<String, Vec<u64>> = HashMap::new();
    let dir = folder(spool, tree);
    for name in files::names(&dir).unwrap_or_default() {
        if !name.as_bytes().starts_with(b"asked.") {
            continue;
        }
        let text = std::fs::read(dir.join(name)).unwrap_or_default();
        for line in text.split_inclusive(|b| *b == b'\n') {
            let line = std::str::from_utf8(line).ok().and_then(|line| line.strip_suffix('\n')?.split_once(' '));
            if let Some((digest, Ok(run))) = line.map(|(digest, run)| (digest, run.parse())) {
                known.entry(digest.to_string()).or_default().push(run);
            }
        }
    }
    known
}
