//! Checkpoints of a run: what a resumed attempt goes on from, and which may be removed.
//!
//! They are the entries of the run's own checkpoints/ or, by the job's pattern, files or directories elsewhere. A
//! pattern without a slash is one for names in checkpoints/; any other is relative to the command's directory, and what
//! was there before the run began is none of its checkpoints. The one to go on from is the newest that is complete: not
//! empty, under no name for unfinished things, not being written, and whole as far as its format tells
//! (checkpoint/whole).

mod keep;
mod whole;

pub use keep::{Keep, Plan};
pub use whole::is_whole;

use crate::base::files;
use crate::base::glob;
use std::cmp::Reverse;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What changed so recently may still be growing; for so long it is watched.
const RECENT: Duration = Duration::from_secs(3);
const WATCHED: Duration = Duration::from_millis(150);
/// A file's time is that of the kernel's clock tick; and clocks of file servers differ a little.
const SLACK: Duration = Duration::from_secs(2);

/// One of a run's checkpoints.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// The file or directory
    pub path: PathBuf,
    /// When it was changed last
    pub modified: SystemTime,
}

/// Where a run's checkpoints are.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The run's own directory for them
    pub own: &'a Path,
    /// The command's directory
    pub cwd: &'a Path,
    /// The job's pattern
    pub pattern: Option<&'a str>,
    /// When the run began
    pub since: Option<SystemTime>,
}

impl Place<'_> {
    /// All checkpoints, the newest first.
    pub fn all(&self) -> Vec<Checkpoint> {
        let elsewhere = self.pattern.is_some_and(|pattern| pattern.contains('/'));
        let paths = match self.pattern {
            Some(pattern) if elsewhere => glob::matching(&self.cwd.join(pattern)),
            pattern => {
                let mut names = files::names(self.own).unwrap_or_default();
                names.retain(|name| glob::fits(pattern.unwrap_or("*").as_bytes(), name.as_bytes()));
                names.iter().map(|name| self.own.join(name)).collect()
            }
        };
        let since = self.since.filter(|_| elsewhere).and_then(|since| since.checked_sub(SLACK));
        let mut found: Vec<Checkpoint> = paths.into_iter().filter_map(checkpoint).collect();
        found.retain(|found| since.is_none_or(|since| found.modified >= since));
        found.sort_by_cached_key(|found| Reverse((found.modified, natural(&found.path))));
        found
    }

    /// The newest that is complete.
    pub fn newest(&self) -> Option<PathBuf> {
        let complete = |c: &Checkpoint| is_finished_name(&c.path) && !is_growing(c) && is_whole(&c.path);
        self.all().into_iter().find(complete).map(|c| c.path)
    }
}

fn checkpoint(path: PathBuf) -> Option<Checkpoint> {
    let modified = std::fs::metadata(&path).and_then(|meta| meta.modified()).ok()?;
    Some(Checkpoint { path, modified })
}

/// A name in which numbers compare as numbers: the texts between them, each with the number that follows.
fn natural(path: &Path) -> Vec<(Vec<u8>, u64)> {
    let mut parts = vec![(Vec::new(), 0u64)];
    for &byte in path.as_os_str().as_bytes() {
        let Some((text, number)) = parts.last_mut() else { break };
        match byte {
            b'0'..=b'9' => *number = number.saturating_mul(10).saturating_add(u64::from(byte - b'0')),
            _ if *number > 0 => parts.push((vec![byte], 0)),
            _ => text.push(byte),
        }
    }
    parts
}

/// Whether a checkpoint that has not changed for a while is complete: under no name for unfinished things, open to write
/// in no process, whole.
pub fn is_complete(path: &Path) -> bool {
    is_finished_name(path) && !is_open_to_write(path) && is_whole(path)
}

/// Whether a name is not one that programs give to what they have not finished.
fn is_finished_name(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_bytes();
    let unfinished: [&[u8]; 7] = [b".tmp", b".temp", b".part", b".partial", b".incomplete", b".lock", b"~"];
    !name.starts_with(b".") && !name.starts_with(b"tmp-") && !unfinished.iter().any(|end| name.ends_with(end))
}

/// Whether somebody writes to it: a process of this host has it open to write, or it changes before our eyes.
fn is_growing(checkpoint: &Checkpoint) -> bool {
    let look = || std::fs::metadata(&checkpoint.path).ok().map(|meta| state(&meta));
    let before = look();
    let recent = checkpoint.modified.elapsed().map_or(true, |age| age < RECENT);
    if recent {
        std::thread::sleep(WATCHED);
    }
    before.is_none() || before != look() || is_open_to_write(&checkpoint.path)
}

fn state(meta: &Metadata) -> (u64, i64, i64) {
    (meta.size(), meta.mtime(), meta.mtime_nsec())
}

/// Whether a process has a file open to write, as far as /proc tells this user.
fn is_open_to_write(path: &Path) -> bool {
    let Ok(path) = std::fs::canonicalize(path) else { return false };
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter(|entry| entry.file_name().as_bytes().iter().all(u8::is_ascii_digit));
    pids.flat_map(|pid| std::fs::read_dir(pid.path().join("fd")).into_iter().flatten().flatten())
        .filter(|fd| std::fs::read_link(fd.path()).is_ok_and(|file| file.starts_with(&path)))
        .any(|fd| is_writable(&fd.path()))
}

/// The access mode in /proc/PID/fdinfo/FD, proc_pid_fdinfo(5): octal, its last two bits 0 for reading only.
fn is_writable(fd: &Path) -> bool {
    let (Some(number), Some(process)) = (fd.file_name(), fd.parent().and_then(Path::parent)) else { return false };
    let info = std::fs::read_to_string(process.join("fdinfo").join(number)).unwrap_or_default();
    let flags = info.lines().find_map(|line| u32::from_str_radix(line.strip_prefix("flags:")?.trim(), 8).ok());
    flags.is_some_and(|flags| flags & 3 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};

    fn dir(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("nn-checkpoint-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(dir.join("own")).unwrap();
        dir
    }

    fn old(path: &Path, age: u64) {
        let file = File::options().append(true).create(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
    }

    #[test]
    fn the_newest_complete_one() {
        let dir = dir("newest");
        let own = dir.join("own");
        let place = Place { own: &own, cwd: &dir, pattern: None, since: None };
        assert_eq!(place.newest(), None);
        for (name, text, age) in [("c-9", "x", 50), ("c-10", "x", 50), ("c-11", "", 40), ("c-12.tmp", "x", 30)] {
            fs::write(own.join(name), text).unwrap();
            old(&own.join(name), age);
        }
        assert_eq!(place.newest(), Some(own.join("c-10")), "10 comes after 9; empty and .tmp do not count");
        let open = File::create(own.join("c-13")).unwrap();
        fs::write(own.join("c-13"), "half").unwrap();
        old(&own.join("c-13"), 20);
        assert_eq!(place.newest(), Some(own.join("c-10")), "it is open to write");
        drop(open);
        assert_eq!(place.newest(), Some(own.join("c-13")));
        let named = Place { pattern: Some("c-?"), ..place };
        assert_eq!(named.newest(), Some(own.join("c-9")));
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn elsewhere_only_what_came_since_the_start() {
        let dir = dir("elsewhere");
        for (name, age) in [("a.pt", 100), ("b.pt", 20)] {
            fs::write(dir.join(name), "x").unwrap();
            old(&dir.join(name), age);
        }
        let own = dir.join("own");
        let since = |age| SystemTime::now().checked_sub(Duration::from_secs(age));
        let place = |age| Place { own: &own, cwd: &dir, pattern: Some("./*.pt"), since: since(age) };
        assert_eq!(place(10).newest(), None);
        assert_eq!(place(50).all().len(), 1);
        assert_eq!(place(50).newest().unwrap().file_name().unwrap(), "b.pt");
        fs::remove_dir_all(dir).unwrap();
    }
}
