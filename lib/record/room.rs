//! How much room there is, before a run starts and while it runs. On a disk the least counts of: what the file system has
//! free for this user, what the user's and the group's quotas leave, and, when asked, what can truly be allocated. Of a
//! path that is not there yet, the nearest folder above it that is. Memory: room/memory.rs, room/gpus.rs.
//!
//! Nothing here hangs: a file system that does not answer, or a quota program, is left behind after a while.
//! `disk_quick` asks the file system only (microseconds); `disk` the quota programs as well (milliseconds, or seconds
//! over a network); `Rooms` remembers what they said for a minute, for those who ask again and again.

mod gpus;
mod memory;
mod mounts;
mod probe;
mod quota;

pub use gpus::{GpuMemory, gpu_memory};
pub use memory::{Memory, MemoryBy, memory, memory_group};
pub use mounts::Mount;
pub use probe::probe;

use crate::base::error::{Doing, Error, Result};
use crate::base::files;
use crate::base::sys;
use crate::base::units::show_size;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// How long a file system may take to say how much room it has.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long `Rooms` believes a quota program, and that a file system does not answer.
const REMEMBERED: Duration = Duration::from_secs(60);

/// What limits the room on a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum By {
    FileSystem,
    ReadOnly,
    UserQuota,
    GroupQuota,
    /// What could be allocated
    Probe,
}

impl By {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            By::FileSystem => "file system",
            By::ReadOnly => "read-only",
            By::UserQuota => "user quota",
            By::GroupQuota => "group quota",
            By::Probe => "probe",
        }
    }
}

/// One limit; what it does not limit is None.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Whose it is
    pub by: By,
    /// Bytes it leaves
    pub free: Option<u64>,
    /// Inodes (files) it leaves
    pub inodes: Option<u64>,
}

/// Room at a path.
#[derive(Clone, Debug)]
pub struct Disk {
    /// As it was asked for
    pub path: PathBuf,
    /// What is there of it: itself, or the nearest folder above, without symbolic links
    pub at: PathBuf,
    /// The device number (st_dev): paths with the same share their room
    pub device: u64,
    /// Where it is mounted, if that could be found out
    pub mount: Option<Mount>,
    /// Size of the file system, bytes
    pub total: u64,
    /// Inodes of the file system; 0: they are not counted
    pub inodes_total: u64,
    /// The file system's own limit, then the others
    pub limits: Vec<Limit>,
    /// Bytes that were allocated on trial
    pub probed: Option<u64>,
    /// What could not be found out, and what is close to being refused, in words
    pub warnings: Vec<String>,
    /// The group new files get
    group: u32,
}

impl Disk {
    /// Bytes free: the least of all limits.
    pub fn free(&self) -> u64 {
        self.least(|limit| limit.free).map_or(0, |(free, _)| free)
    }

    /// What limits the bytes.
    pub fn limited_by(&self) -> By {
        self.least(|limit| limit.free).map_or(By::FileSystem, |(_, by)| by)
    }

    /// Inodes free and what limits them; None: they are not counted here.
    pub fn inodes(&self) -> Option<(u64, By)> {
        self.least(|limit| limit.inodes)
    }

    fn least(&self, of: impl Fn(&Limit) -> Option<u64>) -> Option<(u64, By)> {
        self.limits.iter().filter_map(|limit| Some((of(limit)?, limit.by))).min_by_key(|(free, _)| *free)
    }

    /// What is missing when so many bytes and inodes are needed (0: none) and `promised` bytes of what is free are
    /// spoken for by others.
    pub fn lacks(&self, bytes: u64, inodes: u64, promised: u64) -> Vec<Lack> {
        let by = |by: By| format!("{} of {}", by.words(), self.at.display());
        let bytes = Lack::of("disk", bytes, self.free(), promised, || by(self.limited_by()));
        let inodes = self.inodes().and_then(|(free, limit)| Lack::of("inodes", inodes, free, 0, || by(limit)));
        bytes.into_iter().chain(inodes).collect()
    }
}

impl Memory {
    /// What is missing when so many bytes are needed and `promised` bytes of what is available are spoken for.
    pub fn lacks(&self, bytes: u64, promised: u64) -> Option<Lack> {
        Lack::of("ram", bytes, self.available, promised, || self.by.words())
    }
}

/// Something there is not enough of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// `disk`, `inodes`, `ram`, `gpu-mem`, as in a job's needs
    pub what: &'static str,
    /// Bytes or inodes needed
    pub need: u64,
    /// Those that are free
    pub free: u64,
    /// Of the free ones, those promised to others
    pub promised: u64,
    /// What limits them, in words
    pub by: String,
}

impl Lack {
    fn of(what: &'static str, need: u64, free: u64, promised: u64, by: impl FnOnce() -> String) -> Option<Lack> {
        let enough = need == 0 || need <= free.saturating_sub(promised);
        (!enough).then(|| Lack { what, need, free, promised, by: by() })
    }
}

impl fmt::Display for Lack {
    /// `disk: 20G needed, 12G free (user quota of /scratch)`
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let count = self.what == "inodes" || show_size(self.need) == show_size(self.free);
        let show = |n: u64| if count { n.to_string() } else { show_size(n) };
        write!(f, "{}: ", self.what)?;
        if self.need > 1 {
            write!(f, "{} needed, ", show(self.need))?;
        }
        match self.free {
            0 => f.write_str("none free")?,
            free => write!(f, "{} free", show(free))?,
        }
        if self.promised > 0 {
            write!(f, ", {} of it promised to other runs", show(self.promised))?;
        }
        write!(f, " ({})", self.by)
    }
}

/// The room at a path, quotas included.
///
/// # Errors
/// The path cannot be reached, or the file system does not answer.
pub fn disk(path: impl AsRef<Path>) -> Result<Disk> {
    let mut disk = disk_quick(path)?;
    if let Some(mount) = &disk.mount {
        let quotas = quota::ask(mount, disk.group);
        disk.limits.extend(quotas.limits);
        disk.warnings.extend(quotas.warnings);
    }
    Ok(disk)
}

/// The room at a path as the file system tells it, without quotas.
///
/// # Errors
/// The path cannot be reached, or the file system does not answer.
pub fn disk_quick(path: impl AsRef<Path>) -> Result<Disk> {
    let path = path.as_ref().to_path_buf();
    within(PATIENCE, path.clone(), move || look(path))?
}

/// The answer of something that may hang, or the error that it does.
fn within<T: Send + 'static>(limit: Duration, path: PathBuf, act: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let (sender, answer) = channel();
    let body = move || {
        let _ = sender.send(act());
    };
    std::thread::Builder::new().stack_size(1 << 18).spawn(body).doing("look at", &path)?;
    answer.recv_timeout(limit).map_err(|_| silence()).doing("look at", path)
}

fn silence() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the file system does not answer")
}

fn look(path: PathBuf) -> Result<Disk> {
    let (there, meta) = nearest(files::absolute(&path)?)?;
    let at = std::fs::canonicalize(&there).doing("look at", &there)?;
    let space = sys::space(&at).doing("look at", &at)?;
    let free = if space.read_only { 0 } else { space.free };
    let by = if space.read_only { By::ReadOnly } else { By::FileSystem };
    let own = Limit { by, free: Some(free), inodes: (space.inodes > 0).then_some(space.inodes_free) };
    let set_group = meta.is_dir() && meta.mode() & 0o2000 != 0;
    Ok(Disk {
        mount: mounts::of(&at),
        device: meta.dev(),
        group: if set_group { meta.gid() } else { sys::effective_group_id() },
        total: space.total,
        inodes_total: space.inodes,
        limits: vec![own],
        probed: None,
        warnings: Vec::new(),
        path,
        at,
    })
}

/// The path, or the nearest one above it that is there.
fn nearest(path: PathBuf) -> Result<(PathBuf, std::fs::Metadata)> {
    let mut there = path.as_path();
    loop {
        match std::fs::metadata(there) {
            Ok(meta) => return Ok((there.to_path_buf(), meta)),
            Err(err) if err.kind() != io::ErrorKind::NotFound => return Err(err).doing("look at", there),
            // Nobody can make a folder in its place: what will be written there goes wherever it points.
            Err(_) if there.is_symlink() => {
                return Err(Error::other(format!("{} is a symbolic link to nowhere", there.display())));
            }
            Err(err) => there = there.parent().ok_or(err).doing("look at", &path)?,
        }
    }
}

/// Room asked for again and again, by a worker for instance: the file system is asked each time, the quota programs
/// once a minute for each mount. A path whose file system does not answer is not asked again for a minute either.
#[derive(Debug)]
pub struct Rooms {
    believed: Duration,
    quotas: HashMap<(PathBuf, u32), (Instant, quota::Quotas)>,
    silent: HashMap<PathBuf, Instant>,
}

impl Default for Rooms {
    fn default() -> Rooms {
        Rooms::believing(REMEMBERED)
    }
}

impl Rooms {
    /// Nothing is known yet.
    pub fn new() -> Rooms {
        Rooms::default()
    }

    /// The same, where a quota program is believed for so long.
    pub fn believing(believed: Duration) -> Rooms {
        Rooms { believed, quotas: HashMap::new(), silent: HashMap::new() }
    }

    /// The room at a path, quotas included; these may be as old as they are believed. The first call for a mount takes as long as
    /// `disk`, the others microseconds. While it lasts this process may have a child that is not its caller's.
    ///
    /// # Errors
    /// The path cannot be reached, or the file system does not answer.
    pub fn disk(&mut self, path: impl AsRef<Path>) -> Result<Disk> {
        self.disk_by(path.as_ref(), |path| disk_quick(path))
    }

    fn disk_by(&mut self, path: &Path, look: impl FnOnce(&Path) -> Result<Disk>) -> Result<Disk> {
        self.silent.retain(|_, when| when.elapsed() < REMEMBERED);
        if self.silent.contains_key(path) {
            return Err(silence()).doing("look at", path);
        }
        let looked = look(path);
        if looked.as_ref().is_err_and(|err| err.io().is_some_and(|err| err.kind() == io::ErrorKind::TimedOut)) {
            self.silent.insert(path.to_path_buf(), Instant::now());
        }
        let mut disk = looked?;
        self.quotas.retain(|_, (when, _)| when.elapsed() < self.believed);
        if let Some(mount) = &disk.mount {
            let key = (mount.point.clone(), disk.group);
            // From the answer on: a program that hangs is not asked again at once.
            let (_, quotas) = self.quotas.entry(key).or_insert_with(|| {
                let quotas = quota::ask(mount, disk.group);
                (Instant::now(), quotas)
            });
            disk.limits.extend(quotas.limits.iter().copied());
            disk.warnings.extend(quotas.warnings.iter().cloned());
        }
        Ok(disk)
    }
}

#[cfg(test)]
mod tests;
