//! Snapshots of code that no run refers to. A run counts from the moment its job.json is there, acknowledged or not; for an
//! add under way, which has no run yet, the snapshot's file `used` speaks: it is written before anything relies on the
//! snapshot. It is looked at once more after the snapshot was moved away, and then the snapshot is moved back.

use super::{Gc, REMAINS, age};
use nn::base::error::{Doing, Result};
use nn::base::files::{self, Moved};
use nn::base::time::show_duration;
use nn::spool::select::all;
use nn::spool::snapshot::{USED, is_fingerprint};
use nn::spool::store::Spool;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

impl Gc<'_> {
    /// Removes them, when they were not asked for lately.
    pub fn snapshots(&mut self) -> Result<()> {
        let dir = self.spool.dir().join("code");
        let mut old: BTreeMap<String, Duration> = BTreeMap::new();
        for name in files::names(&dir)? {
            let name = name.to_string_lossy().into_owned();
            if let Some(age) = unused_since(&dir.join(&name)).filter(|age| is_fingerprint(&name) && *age > REMAINS) {
                old.insert(name, age);
            }
        }
        if old.is_empty() {
            return Ok(());
        }
        let spool = self.spool;
        for run in all(spool)? {
            let path = spool.run_dir(run).join("job.json");
            match std::fs::read(&path) {
                Ok(text) => {
                    fingerprints(&text).for_each(|tree| {
                        old.remove(tree);
                    });
                }
                Err(err) if err.kind() == std::io::ErrorKind::NotFound => {}
                // A run that cannot be read may need any of them.
                Err(err) => return Err(err).doing("read", &path),
            }
        }
        for (tree, age) in old {
            let why = format!("no run refers to it, {} old", show_duration(age));
            self.act(&format!("code/{tree}"), &why, || remove(spool, &tree))?;
        }
        Ok(())
    }
}

/// How long ago a snapshot was last asked for.
fn unused_since(dir: &Path) -> Option<Duration> {
    age(&dir.join(USED)).or_else(|| age(dir))
}

/// The values of members `tree` in the text of a job; anywhere in it, so that none is overlooked.
fn fingerprints(text: &[u8]) -> impl Iterator<Item = &str> {
    const MARK: &[u8] = b"\"tree\":\"";
    let starts = text.windows(MARK.len()).enumerate().filter(|(_, part)| *part == MARK).map(|(at, _)| at + MARK.len());
    starts.filter_map(|at| std::str::from_utf8(text.get(at..at + 32)?).ok())
}

fn remove(spool: &Spool, tree: &str) -> Result<()> {
    let dir = spool.dir().join("code").join(tree);
    let gone = spool.dir().join("tmp").join(format!("code-{tree}.{}", std::process::id()));
    if files::mv(&dir, &gone)? == Moved::Lost {
        return Ok(());
    }
    if unused_since(&gone).is_some_and(|age| age > REMAINS) {
        return files::remove_tree(&gone);
    }
    // Somebody has asked for it just now. Who did so after it was moved has made another one, and then this is one too many.
    match files::mv(&gone, &dir) {
        Ok(_) => Ok(()),
        Err(_) => files::remove_tree(&gone),
    }
}

#[cfg(test)]
mod tests {
    use super::fingerprints;

    #[test]
    fn of_a_job() {
        let tree = "0123456789abcdef0123456789abcdef";
        let text = format!(r#"{{"argv":["\"tree\":\"x"],"code":{{"tree":"{tree}","dir":""}}}}"#);
        assert_eq!(fingerprints(text.as_bytes()).collect::<Vec<_>>(), [tree]);
        assert_eq!(fingerprints(br#"{"tree":"short"}"#).count(), 0);
    }
}
