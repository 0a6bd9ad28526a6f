//! Batches that were handed to an engine, once no run of them is there any more.

use super::{Gc, REMAINS, age};
use nn::base::error::Result;
use nn::base::files;
use nn::base::time::show_duration;
use nn::cluster::batch::{FOLDER, Id, Record, Task};
use nn::spool::state::{Folder, State};
use std::collections::HashSet;

/// Removes them.
///
/// # Errors
/// The spool cannot be read.
pub fn batches(gc: &mut Gc) -> Result<()> {
    let spool = gc.spool;
    // What moves from the one to the other meanwhile is seen at least once; what was handed over since is young.
    let mut open = HashSet::new();
    let mut jobs = HashSet::new();
    for token in [spool.tokens(Folder::Submitted)?, spool.tokens(Folder::Running)?].concat() {
        open.insert((token.run, token.generation));
        if let State::Submitted(_, id) = &token.state
            && let Id::Again(job) | Id::Job(job) = Id::parse(id)
        {
            jobs.insert(job);
        }
    }
    let dir = spool.dir().join(FOLDER);
    for name in files::names(&dir)? {
        let Some(name) = name.to_str() else { continue };
        let path = dir.join(name);
        let Some(age) = age(&path).filter(|age| *age > REMAINS) else { continue };
        let is_open = |record: &Record| {
            record.tasks.iter().any(|Task { run, generation }| open.contains(&(*run, *generation)))
                || record.ids.iter().flatten().any(|id| jobs.contains(id))
        };
        if Record::read(spool, name).is_some_and(|record| is_open(&record)) {
            continue;
        }
        let why = format!("{} old", show_duration(age));
        gc.act(&format!("{FOLDER}/{}", nn::base::text::escape(name)), &why, || files::remove_tree(&path))?;
    }
    Ok(())
}
