//! Code as it was when a run was queued. `code/TREE/tree.tar` holds the files of a work tree, and TREE is the fingerprint of
//! their names, modes and bytes: the same code is there once, for any number of runs. Beside it stands what git said of it
//! (`git-FACTS.json`, `git-FACTS.patch`), and which jobs were asked for with it (`asked.HOST`).
//!
//! A run executes in a copy of its own, `runs/N/work`, made of the archive when it starts: no run can change the code of
//! another, and what it writes to relative paths stays with it. At its end the copy loses what is still as it was.
//!
//! take.rs makes an archive, work.rs the copy, asked.rs the list of jobs, tar.rs knows the format. Nothing here knows git.

pub mod asked;
mod take;
pub mod tar;
pub mod work;

pub use take::{LeftOut, Limits, Snapshot, Source};

use super::store::Spool;
use crate::base::hash::is_hex;
use crate::base::json::{self, Value};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// The archive in a snapshot's folder.
const ARCHIVE: &str = "tree.tar";
/// An empty file whose time tells when the snapshot was last asked for.
pub const USED: &str = "used";

/// The code of a job: its member `code`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// Fingerprint of the files, the name in code/
    pub tree: String,
    /// Where the command runs, below the top of the work tree
    pub dir: PathBuf,
    /// The work tree it was taken from
    pub root: PathBuf,
    /// Paths below the top that are links to the work tree
    pub links: Vec<PathBuf>,
    /// Which of the facts of this tree are those of this job
    pub facts: String,
}

impl Code {
    /// Reads the member `code`.
    pub fn of(json: &Value) -> Option<Code> {
        let path = |value: &Value| json::to_os(value).map(PathBuf::from);
        let inside = |value: &Value| path(value).filter(|path| is_below(path));
        let links = json.list("links").unwrap_or_default().iter().map(inside).collect::<Option<Vec<_>>>()?;
        Some(Code {
            tree: json.str("tree").filter(|tree| is_fingerprint(tree))?.to_string(),
            dir: json.get("dir").and_then(inside)?,
            root: json.get("root").and_then(path).filter(|root| root.is_absolute())?,
            links,
            facts: json.str("facts").filter(|facts| is_fingerprint(facts))?.to_string(),
        })
    }

    /// As the member `code`.
    pub fn to_json(&self) -> Value {
        let path = |path: &Path| json::from_os(path.as_os_str());
        let mut json = json::map([("tree", Value::from(self.tree.as_str())), ("dir", path(&self.dir))]);
        json.set("root", path(&self.root));
        if !self.links.is_empty() {
            json.set("links", Value::List(self.links.iter().map(|link| path(link)).collect()));
        }
        json.set("facts", self.facts.as_str());
        json
    }

    /// Its directory below another top.
    pub fn below(&self, top: &Path) -> PathBuf {
        // Joined to nothing, a path would end in a slash.
        if self.dir.as_os_str().is_empty() { top.to_path_buf() } else { top.join(&self.dir) }
    }

    /// The folder of its snapshot.
    pub fn folder(&self, spool: &Spool) -> PathBuf {
        folder(spool, &self.tree)
    }

    /// What git said of it.
    pub fn git_facts(&self, spool: &Spool) -> PathBuf {
        self.folder(spool).join(format!("git-{}.json", self.facts))
    }

    /// The uncommitted change; the file is missing when there was none.
    pub fn git_patch(&self, spool: &Spool) -> PathBuf {
        self.folder(spool).join(format!("git-{}.patch", self.facts))
    }

    /// Whether everything is there that running it needs.
    pub fn is_there(&self, spool: &Spool) -> bool {
        self.folder(spool).join(ARCHIVE).exists() && self.git_facts(spool).exists()
    }
}

fn folder(spool: &Spool, tree: &str) -> PathBuf {
    spool.dir().join("code").join(tree)
}

/// Whether a name is that of a snapshot.
pub fn is_fingerprint(text: &str) -> bool {
    is_hex(text, 32)
}

/// A path that leads nowhere but down; an empty one is the top itself.
fn is_below(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_))) && !path.as_os_str().as_bytes().contains(&0)
}

/// A path free of `.` and `..`, by its text alone. None: it leads above the root directory.
pub fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests;
