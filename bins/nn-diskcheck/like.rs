//! What an earlier run used: what its directory holds, the greatest memory it was seen with (result.json and
//! resources.jsonl), of the system and of one GPU; and a quarter more, for no two runs are the same.

use crate::Need;
use nn::base::cli;
use nn::base::error::{Doing, Result};
use nn::base::json::Value;
use nn::base::units::show_size;
use nn::spool::select::select_one;
use nn::spool::state::Folder;
use nn::spool::store::Spool;
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What is added: one part in so many.
const MARGIN: u64 = 4;
/// The longest line of resources.jsonl that is read, bytes.
const LONGEST: u64 = 1 << 20;

/// What a run like this one will need.
pub fn need(name: &str) -> Result<Need> {
    let spool = Spool::find()?;
    let run = select_one(&spool, name)?;
    let state = spool.state_of(run)?.map(|token| token.folder());
    if state != Some(Folder::Done) {
        let state = state.map_or("incomplete", Folder::name);
        cli::warn(&format!("run {run} is {state}: a whole one may use more"));
    }
    let dir = spool.run_dir(run);
    let (bytes, inodes) = used(&dir)?;
    let peak = Peak::read(&dir.join("resources.jsonl"))?;
    let result = spool.read(run, "result.json")?.unwrap_or(Value::Null);
    let ram = peak.ram.max(count(&result, "max_rss"));
    let more = |n: u64| n.saturating_add(n / MARGIN);
    let disk = more(bytes);
    if peak.written.is_some_and(|written| written > disk) {
        let written = show_size(peak.written.unwrap_or(0));
        cli::warn(&format!("run {run} wrote {written}, of which {} are left in its directory", show_size(bytes)));
    }
    Ok(Need { disk: Some(disk), inodes: Some(more(inodes)), ram: ram.map(more), gpu_mem: peak.gpu_mem.map(more) })
}

/// A member that is a number of bytes.
fn count(value: &Value, key: &str) -> Option<u64> {
    value.int(key).and_then(|n| u64::try_from(n).ok())
}

/// The greatest of what was sampled; None: it was never seen.
#[derive(Debug, Default, PartialEq)]
struct Peak {
    ram: Option<u64>,
    /// On one GPU
    gpu_mem: Option<u64>,
    /// Of one attempt, to disks anywhere
    written: Option<u64>,
}

impl Peak {
    fn read(path: &Path) -> Result<Peak> {
        let mut peak = Peak::default();
        let file = match File::open(path) {
            Ok(file) => file,
            Err(err) if err.kind() == ErrorKind::NotFound => return Ok(peak),
            Err(err) => return Err(err).doing("read", path),
        };
        let mut reader = BufReader::with_capacity(1 << 16, file);
        let mut line = Vec::new();
        while reader.by_ref().take(LONGEST).read_until(b'\n', &mut line).doing("read", path)? > 0 {
            // A torn or damaged line is no sample.
            if let Ok(sample) = Value::parse(&String::from_utf8_lossy(&line)) {
                peak.add(&sample);
            }
            line.clear();
        }
        Ok(peak)
    }

    fn add(&mut self, sample: &Value) {
        self.ram = self.ram.max(count(sample, "rss")).max(count(sample, "rss_peak"));
        self.written = self.written.max(count(sample, "written"));
        for gpu in sample.list("gpus").unwrap_or_default() {
            self.gpu_mem = self.gpu_mem.max(count(gpu, "memory"));
        }
    }
}

/// Bytes and inodes below a directory: the greater of a file's size and of what is set aside for it, hard links once.
fn used(dir: &Path) -> Result<(u64, u64)> {
    let (mut bytes, mut inodes) = (0u64, 0u64);
    let mut seen = HashSet::new();
    let mut left = vec![dir.to_path_buf()];
    while let Some(dir) = left.pop() {
        let entries = match std::fs::read_dir(&dir) {
            Ok(entries) => entries,
            // Removed meanwhile: not used any more.
            Err(err) if err.kind() == ErrorKind::NotFound => continue,
            Err(err) => return Err(err).doing("read", dir),
        };
        for entry in entries.flatten() {
            let Ok(meta) = entry.metadata() else { continue };
            if meta.nlink() > 1 && !meta.is_dir() && !seen.insert((meta.dev(), meta.ino())) {
                continue;
            }
            inodes += 1;
            bytes = bytes.saturating_add(meta.len().max(meta.blocks().saturating_mul(512)));
            if meta.is_dir() {
                left.push(entry.path());
            }
        }
    }
    Ok((bytes, inodes))
}
