//! Taking a snapshot: the files of a work tree are read once, in the order of their names, into an archive in tmp/ and
//! into a fingerprint. What is there under that fingerprint already needs no second archive.
//!
//! Bytes count as they lie in the work tree; no filter sees them. Links are kept as links; one that leads out of the work
//! tree by a relative path gets the absolute one, for the copy lies elsewhere. Whoever has taken one asks at the end whether
//! a file has changed meanwhile, and takes another: half of an edit is never queued.

use super::tar::{self, Entry, Kind};
use super::{ARCHIVE, USED, folder, plain};
use crate::base::error::{Doing, Error, Result, reason};
use crate::base::files::{self, Draft};
use crate::base::hash::Hasher;
use crate::base::json::Value;
use crate::base::units::show_size;
use crate::spool::store::Spool;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// open(2): neither through a link, nor waiting for whoever writes into a FIFO.
#[cfg(any(target_arch = "aarch64", target_arch = "arm"))]
const SAFELY: i32 = 0o100000 | 0o4000;
#[cfg(not(any(target_arch = "aarch64", target_arch = "arm")))]
const SAFELY: i32 = 0o400000 | 0o4000;

/// A path to be taken, below the top of the work tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// The path
    pub path: Vec<u8>,
    /// Whether it is taken whatever its size
    pub tracked: bool,
}

/// How much of what is not tracked is taken, bytes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest file
    pub file: u64,
    /// All files together
    pub all: u64,
}

/// A path that is not in the snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The path below the top
    pub path: Vec<u8>,
    /// Why, in words
    pub why: String,
}

/// What tells whether a file is still the same.
#[derive(Debug, PartialEq)]
struct Stamp([i64; 6]);

impl Stamp {
    fn of(meta: &Metadata) -> Stamp {
        let [ino, len] = [meta.ino(), meta.len()].map(|n| i64::try_from(n).unwrap_or(-1));
        Stamp([ino, len, meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec()])
    }
}

/// A snapshot that is taken, and not kept yet.
#[derive(Debug)]
pub struct Snapshot {
    /// Its fingerprint
    pub tree: String,
    /// What is missing in it
    pub left_out: Vec<LeftOut>,
    /// Bytes of its files
    pub size: u64,
    /// What is in it, in the order of the paths
    files: Vec<(Vec<u8>, Stamp)>,
    draft: Draft,
}

impl Snapshot {
    /// Takes what is at `sources` below `root`, but for what is at or below one of `without`.
    ///
    /// # Errors
    /// The archive cannot be written, or a file cannot be read for a reason of the system.
    pub fn take(
        spool: &Spool,
        root: &Path,
        mut sources: Vec<Source>,
        without: &[PathBuf],
        limits: Limits,
    ) -> Result<Snapshot> {
        sources.sort();
        sources.dedup_by(|a, b| a.path == b.path);
        let draft = Draft::new(&spool.dir().join("tmp"))?;
        let mut taker = Taker {
            root,
            limits,
            draft,
            hasher: Hasher::new(),
            files: Vec::with_capacity(sources.len()),
            links: HashSet::new(),
            left_out: Vec::new(),
            untracked: 0,
            size: 0,
            buffer: Vec::new(),
        };
        for source in &sources {
            let path = Path::new(OsStr::from_bytes(&source.path));
            let excluded = without.iter().any(|without| path.starts_with(without)) || taker.is_below_link(path);
            if tar::is_inside(&source.path) && !excluded {
                taker.source(source, &root.join(path))?;
            }
        }
        taker.draft.write(&tar::END)?;
        let Taker { draft, hasher, files, left_out, size, .. } = taker;
        Ok(Snapshot { tree: hasher.finish(), left_out, size, files, draft })
    }

    /// Whether it holds a file or directory of this path.
    pub fn holds(&self, path: &Path) -> bool {
        let bytes = path.as_os_str().as_bytes();
        if bytes.is_empty() || self.files.binary_search_by(|(known, _)| known.as_slice().cmp(bytes)).is_ok() {
            return true;
        }
        let below = [bytes, b"/"].concat();
        let at = self.files.partition_point(|(known, _)| *known < below);
        self.files.get(at).is_some_and(|(known, _)| known.starts_with(&below))
    }

    /// A file that has changed since it was read.
    pub fn changed(&self, root: &Path) -> Option<PathBuf> {
        let has_changed = |(path, stamp): &&(Vec<u8>, Stamp)| {
            let now = std::fs::symlink_metadata(root.join(OsStr::from_bytes(path)));
            now.map(|meta| Stamp::of(&meta)).ok().as_ref() != Some(stamp)
        };
        self.files.iter().find(has_changed).map(|(path, _)| root.join(OsStr::from_bytes(path)))
    }

    /// Puts it into the spool, durably, with what git said; returns the name of those facts.
    ///
    /// # Errors
    /// Something cannot be written; what is there is whole all the same.
    pub fn keep(self, spool: &Spool, facts: &Value, patch: Option<&[u8]>) -> Result<String> {
        let text = format!("{facts}\n");
        let mut hasher = Hasher::new();
        hasher.text(text.as_bytes());
        hasher.text(patch.unwrap_or_default());
        let name = hasher.finish();
        let dir = folder(spool, &self.tree);
        let made = files::make_dir(&dir)?;
        // From now on nobody takes it away for being old.
        files::overwrite(&dir.join(USED), b"\n")?;
        let archive = dir.join(ARCHIVE);
        if !archive.exists() {
            self.draft.publish(&archive)?;
        }
        let tmp = spool.dir().join("tmp");
        let patch = patch.filter(|patch| !patch.is_empty());
        for (end, bytes) in [("patch", patch), ("json", Some(text.as_bytes()))] {
            let path = dir.join(format!("git-{name}.{end}"));
            if let Some(bytes) = bytes.filter(|_| !path.exists()) {
                files::put(&tmp, &path, bytes, true)?;
            }
        }
        if made {
            files::sync_dir(&spool.dir().join("code"))?;
        }
        Ok(name)
    }
}

struct Taker<'a> {
    root: &'a Path,
    limits: Limits,
    draft: Draft,
    hasher: Hasher,
    files: Vec<(Vec<u8>, Stamp)>,
    links: HashSet<PathBuf>,
    left_out: Vec<LeftOut>,
    /// Bytes of untracked files so far
    untracked: u64,
    size: u64,
    buffer: Vec<u8>,
}

impl Taker<'_> {
    /// Whether a path leads through a link: the link is what is there, not what a list says is behind it.
    fn is_below_link(&self, path: &Path) -> bool {
        !self.links.is_empty() && path.ancestors().skip(1).any(|above| self.links.contains(above))
    }

    fn leave_out(&mut self, source: &Source, why: String) {
        self.left_out.push(LeftOut { path: source.path.clone(), why });
    }

    fn source(&mut self, source: &Source, path: &Path) -> Result<()> {
        let meta = match std::fs::symlink_metadata(path) {
            Ok(meta) => meta,
            // Deleted, or behind what is no directory any more.
            Err(err) if matches!(err.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(()),
            Err(err) => {
                self.leave_out(source, reason(&err));
                return Ok(());
            }
        };
        if meta.is_symlink() {
            self.link(source, path, &meta)
        } else if meta.is_file() {
            self.file(source, path)
        } else {
            Ok(())
        }
    }

    fn link(&mut self, source: &Source, path: &Path, meta: &Metadata) -> Result<()> {
        let target = std::fs::read_link(path).doing("read", path)?;
        let lexical = plain(&path.parent().unwrap_or(self.root).join(&target));
        let target = if target.is_relative() && !lexical.starts_with(self.root) { lexical } else { target };
        self.links.insert(PathBuf::from(OsStr::from_bytes(&source.path)));
        let kind = Kind::Link(target.as_os_str().as_bytes().to_vec());
        self.begin(source, kind, 0, meta)
    }

    fn file(&mut self, source: &Source, path: &Path) -> Result<()> {
        let opened = OpenOptions::new().read(true).custom_flags(SAFELY).open(path).and_then(|f| Ok((f.metadata()?, f)));
        let (meta, file) = match opened {
            Ok((meta, file)) if meta.is_file() => (meta, file),
            Ok(_) => return Ok(()),
            Err(err) if err.kind() == ErrorKind::PermissionDenied => {
                self.leave_out(source, reason(&err));
                return Ok(());
            }
            Err(err) if err.kind() == ErrorKind::NotFound => return Ok(()),
            Err(err) => return Err(err).doing("read", path),
        };
        if !source.tracked {
            if meta.len() > self.limits.file {
                let why = format!("{}, more than {}", show_size(meta.len()), show_size(self.limits.file));
                self.leave_out(source, why);
                return Ok(());
            }
            if self.untracked + meta.len() > self.limits.all {
                self.leave_out(source, format!("all together are more than {}", show_size(self.limits.all)));
                return Ok(());
            }
            self.untracked += meta.len();
        }
        self.begin(source, Kind::File(meta.mode() & 0o111 != 0), meta.len(), &meta)?;
        self.contents(path, file, meta.len())
    }

    fn begin(&mut self, source: &Source, kind: Kind, size: u64, meta: &Metadata) -> Result<()> {
        let mark = match &kind {
            Kind::File(exec) => [b'f', u8::from(*exec)],
            Kind::Link(_) => *b"l ",
        };
        self.hasher.text(&source.path);
        self.hasher.bytes(&mark);
        if let Kind::Link(target) = &kind {
            self.hasher.text(target);
        }
        self.hasher.number(size);
        let entry = Entry { path: source.path.clone(), kind, size, mtime: meta.mtime().max(0) };
        self.files.push((source.path.clone(), Stamp::of(meta)));
        self.size += size;
        self.draft.write(&tar::header(&entry))
    }

    /// Exactly `size` bytes; a file that has become shorter is an error, and a longer one is found by its stamp.
    fn contents(&mut self, path: &Path, mut file: File, size: u64) -> Result<()> {
        const PIECE: u64 = 1 << 20;
        let mut left = size;
        while left > 0 {
            self.buffer.clear();
            let read = (&mut file).take(left.min(PIECE)).read_to_end(&mut self.buffer).doing("read", path)?;
            if read == 0 {
                return Err(Error::Again(format!("{} changes while it is read: try again", path.display())));
            }
            left = left.saturating_sub(read as u64);
            self.hasher.bytes(&self.buffer);
            self.draft.write(&self.buffer)?;
        }
        self.draft.write(tar::padding(size))
    }
}
