//! What can truly be allocated: some quotas, reserves and snapshots show in no number, only in a refusal. A file without a
//! name gets as much set aside as is needed, and is gone with its descriptor, however this process ends. What is
//! certainly not there is not tried, so that a disk is never filled knowingly.

use super::{By, Disk, Limit, memory, within};
use crate::base::error::{Doing, Result};
use crate::base::files;
use crate::base::sys;
use crate::base::units::show_size;
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

/// How long it may take: allocating is a matter of milliseconds where it is one at all.
const PATIENCE: Duration = Duration::from_secs(120);
/// The step at which the search for the greatest amount ends, bytes.
const FINE: u64 = 1 << 16;

/// Allocates `need` bytes on trial and adds what was found to the disk's limits.
///
/// # Errors
/// Nothing can be written there, or the file system does not answer.
pub fn probe(disk: &mut Disk, need: u64) -> Result<()> {
    if need == 0 || need > disk.free() {
        return Ok(());
    }
    if let Some(why) = refusal(disk, need) {
        disk.warnings.push(format!("not probed: {why}"));
        return Ok(());
    }
    let at = if disk.at.is_dir() { disk.at.clone() } else { parent(&disk.at).to_path_buf() };
    let dir = at.clone();
    let allocated = within(PATIENCE, at.clone(), move || files::unnamed(&dir).and_then(|file| allocate(&file, need)))?;
    match allocated {
        Ok(bytes) => {
            disk.probed = Some(bytes);
            if bytes < need {
                disk.limits.push(Limit { by: By::Probe, free: Some(bytes), inodes: None });
            }
            Ok(())
        }
        Err(err) if err.kind() == io::ErrorKind::Unsupported => {
            disk.warnings.push("not probed: this file system sets no room aside".to_string());
            Ok(())
        }
        Err(err) => Err(err).doing("probe", at),
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

/// Why it had better not be tried.
fn refusal(disk: &Disk, need: u64) -> Option<String> {
    let in_memory = disk.mount.as_ref().is_some_and(|mount| matches!(mount.kind.as_str(), "tmpfs" | "ramfs"));
    if in_memory && memory().is_some_and(|memory| need > memory.available / 2) {
        return Some("it would take more than half of the memory".to_string());
    }
    // Beyond it the kernel would kill this process.
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let size =
        limits.lines().find_map(|line| line.strip_prefix("Max file size")?.split_whitespace().next()?.parse().ok());
    let size: u64 = size.unwrap_or(u64::MAX);
    (need > size).then(|| format!("a file may have {} at most (ulimit -f)", show_size(size)))
}

/// How much of `most` bytes can be set aside: all at once, or else by halves.
fn allocate(file: &File, most: u64) -> io::Result<u64> {
    let (mut have, mut step) = (0, most);
    while have < most {
        match sys::allocate(file, have, step.min(most - have)) {
            Ok(()) => have += step.min(most - have),
            Err(err) if is_full(&err) && step > FINE => step /= 2,
            Err(err) if is_full(&err) => break,
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            Err(err) => return Err(err),
        }
    }
    Ok(have)
}

fn is_full(err: &io::Error) -> bool {
    matches!(err.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
