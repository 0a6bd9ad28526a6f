//! The copy of the code that a run executes in: `runs/N/work`.
//!
//! The first attempt makes it under a name of its own and renames it, so that it is whole or not there. A later attempt
//! finds what the former one left: what it wrote stays, code that is missing or was torn by a power cut is put back. At the
//! end of an attempt everything goes that is still as it was in the snapshot (same size, and the time it was given), and so
//! do links and Python's caches: what stays is what the run wrote.

use super::tar::{self, Entry, Kind};
use super::{ARCHIVE, Code};
use crate::base::error::{Doing, Error, Result, reason};
use crate::base::files::{self, Moved};
use crate::spool::job::Job;
use crate::spool::store::Spool;
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Bytes read at once from an archive.
const BUFFER: usize = 1 << 16;

/// Where the command of a run executes: in its copy of the code, or in place. The copy is there once it has started.
pub fn cwd(spool: &Spool, run: u64, job: &Job) -> Option<PathBuf> {
    match job.code() {
        Some(code) => Some(code.below(&work(spool, run))),
        None => job.cwd(),
    }
}

/// The run whose copy of its code holds a directory, and where in it.
pub fn run_of(spool: &Spool, dir: &Path) -> Option<(u64, PathBuf)> {
    let below = dir.strip_prefix(spool.dir().canonicalize().ok()?.join("runs")).ok()?;
    let mut parts = below.iter();
    let run = parts.next()?.to_str()?.parse().ok()?;
    (parts.next()? == "work").then(|| (run, parts.as_path().to_path_buf()))
}

fn work(spool: &Spool, run: u64) -> PathBuf {
    spool.run_dir(run).join("work")
}

/// Makes the copy, or makes it whole again.
///
/// # Errors
/// It cannot be written, the snapshot is missing or damaged, or the original of a link is gone.
pub fn unpack(spool: &Spool, run: u64, code: &Code) -> Result<()> {
    let work = work(spool, run);
    let run_dir = spool.run_dir(run);
    if work.is_dir() {
        return Filler { top: work, aside: Some(run_dir.join(".copy")), dirs: HashMap::new() }.fill(spool, code);
    }
    let fresh = run_dir.join(".work");
    files::remove_tree(&fresh)?;
    files::make_dir(&fresh)?;
    let filled = Filler { top: fresh.clone(), aside: None, dirs: HashMap::new() }.fill(spool, code);
    if filled.is_err() {
        let _ = files::remove_tree(&fresh);
        return filled;
    }
    match files::mv(&fresh, &work)? {
        Moved::Won => Ok(()),
        Moved::Lost => Err(Error::other(format!("{} was taken away", fresh.display()))),
    }
}

/// Takes out of the copy what the run did not write.
///
/// # Errors
/// Something cannot be removed, or the archive cannot be read: then more stays than is needed.
pub fn prune(spool: &Spool, run: u64, code: &Code) -> Result<()> {
    let work = work(spool, run);
    if !work.is_dir() {
        return Ok(());
    }
    let mut dirs = BTreeSet::new();
    let above = |path: &Path, dirs: &mut BTreeSet<PathBuf>| {
        for dir in path.ancestors().skip(1) {
            if !dirs.insert(dir.to_path_buf()) {
                break;
            }
        }
    };
    each(spool, code, |entry, contents| {
        let path = Path::new(OsStr::from_bytes(&entry.path));
        above(path, &mut dirs);
        if is_as_it_was(&work.join(path), entry) {
            files::remove(&work.join(path))?;
        }
        skip(entry, contents).doing("read", code.folder(spool).join(ARCHIVE))
    })?;
    for link in &code.links {
        above(link, &mut dirs);
        if std::fs::read_link(work.join(link)).is_ok_and(|target| target == code.root.join(link)) {
            files::remove(&work.join(link))?;
        }
    }
    above(&code.dir.join("."), &mut dirs);
    // The deepest first: a path sorts before what is below it.
    for dir in dirs.iter().rev() {
        let cache = work.join(dir).join("__pycache__");
        if std::fs::symlink_metadata(&cache).is_ok_and(|meta| meta.is_dir()) {
            files::remove_tree(&cache)?;
        }
        if std::fs::symlink_metadata(work.join(dir)).is_ok_and(|meta| meta.is_dir()) {
            files::remove_empty(&work.join(dir))?;
        }
    }
    Ok(())
}

type Archive = BufReader<File>;

/// Calls `act` with each entry of the archive; it must read or skip the contents, but not what fills them up.
fn each(spool: &Spool, code: &Code, mut act: impl FnMut(&Entry, &mut Archive) -> Result<()>) -> Result<()> {
    let path = code.folder(spool).join(ARCHIVE);
    let mut archive = BufReader::with_capacity(BUFFER, File::open(&path).doing("read", &path)?);
    while let Some(entry) = tar::next(&mut archive).doing("read", &path)? {
        act(&entry, &mut archive)?;
        let padding = i64::try_from(tar::padding(entry.size).len()).unwrap_or(0);
        archive.seek_relative(padding).doing("read", &path)?;
    }
    Ok(())
}

fn skip(entry: &Entry, archive: &mut Archive) -> io::Result<()> {
    archive.seek_relative(i64::try_from(entry.size).map_err(|_| io::ErrorKind::InvalidData)?)
}

fn is_as_it_was(path: &Path, entry: &Entry) -> bool {
    let Ok(meta) = std::fs::symlink_metadata(path) else { return false };
    match &entry.kind {
        Kind::File(_) => {
            meta.is_file() && meta.len() == entry.size && (meta.mtime(), meta.mtime_nsec()) == (entry.mtime, 0)
        }
        Kind::Link(target) => std::fs::read_link(path).is_ok_and(|now| now.as_os_str().as_bytes() == target.as_slice()),
    }
}

struct Filler {
    top: PathBuf,
    /// Where files are written before they get their names, when some may be there already
    aside: Option<PathBuf>,
    /// Directories that were looked at; false: something else stands there
    dirs: HashMap<PathBuf, bool>,
}

impl Filler {
    fn fill(mut self, spool: &Spool, code: &Code) -> Result<()> {
        let archive = code.folder(spool).join(ARCHIVE);
        each(spool, code, |entry, contents| {
            let path = Path::new(OsStr::from_bytes(&entry.path));
            if !self.directory(path.parent().unwrap_or(path))? {
                return skip(entry, contents).doing("read", &archive);
            }
            self.entry(entry, &self.top.join(path), contents)
        })?;
        for link in &code.links {
            let original = code.root.join(link);
            std::fs::metadata(&original)
                .map_err(|err| Error::other(format!("cannot link {}: {}", original.display(), reason(&err))))?;
            if self.directory(link.parent().unwrap_or(link))? {
                files::symlink(&original, &self.top.join(link))?;
            }
        }
        self.directory(&code.dir).map(drop)
    }

    /// Makes a directory below the top and those above it. False: the run has put something else there.
    fn directory(&mut self, dir: &Path) -> Result<bool> {
        if dir.as_os_str().is_empty() {
            return Ok(true);
        }
        if let Some(usable) = self.dirs.get(dir) {
            return Ok(*usable);
        }
        let usable = self.directory(dir.parent().unwrap_or(Path::new("")))? && {
            let path = self.top.join(dir);
            files::make_dir(&path)? || std::fs::symlink_metadata(&path).doing("read", &path)?.is_dir()
        };
        self.dirs.insert(dir.to_path_buf(), usable);
        Ok(usable)
    }

    fn entry(&self, entry: &Entry, path: &Path, contents: &mut Archive) -> Result<()> {
        let exec = match &entry.kind {
            Kind::File(exec) => *exec,
            Kind::Link(target) => return files::symlink(Path::new(OsStr::from_bytes(target)), path).map(drop),
        };
        if self.aside.is_some() && stays(path, entry) {
            return skip(entry, contents).doing("read", path);
        }
        let aside = self.aside.as_deref().unwrap_or(path);
        files::write_copy(aside, path, exec, entry.mtime, |file| {
            match io::copy(&mut contents.take(entry.size), file)? == entry.size {
                true => Ok(()),
                false => Err(io::ErrorKind::UnexpectedEof.into()),
            }
        })
    }
}

/// Whether what a former attempt left at the place of a file stays: it wrote it, or it is as it was. Not when it is gone,
/// or a power cut took its bytes and left its name.
fn stays(path: &Path, entry: &Entry) -> bool {
    let Ok(meta) = std::fs::symlink_metadata(path) else { return false };
    let torn = meta.is_file()
        && meta.len() != entry.size
        && (meta.len() == 0 || (meta.mtime(), meta.mtime_nsec()) == (entry.mtime, 0));
    !torn
}
