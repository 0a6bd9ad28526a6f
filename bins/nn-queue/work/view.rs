//! What runs of this spool hold on this host at one time: the tokens in running/ of this host and boot, whoever started
//! them, and their placed.json of the same generation; and what their processes use of it.

use super::gpus::{self, Choice, Device, Share};
use super::processes::Processes;
use nn::base::error::Result;
use nn::record::gpu::{Look, Process};
use nn::spool::needs::Placed;
use nn::spool::owner::Owner;
use nn::spool::state::{Folder, State};
use nn::spool::store::Spool;
use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Most files of a run that are counted to see how much it has written.
const FILES: usize = 2000;

/// What started runs were given, by number and generation: it does not change any more.
pub type Known = HashMap<(u64, u32), Option<Placed>>;

/// What one run holds here.
pub struct Holding {
    pub run: u64,
    pub placed: Placed,
}

/// What is held at one time.
pub struct View {
    pub holdings: Vec<Holding>,
    /// Folder of all runs
    runs: PathBuf,
    /// nn-run -> run, of all runs of this spool on this host
    runners: HashMap<u32, u64>,
    processes: Option<Processes>,
    seen: Option<(Instant, Vec<Device>, Vec<Share>)>,
}

impl View {
    /// Reads it.
    ///
    /// # Errors
    /// running/ cannot be read.
    pub fn read(spool: &Spool, me: &Owner, known: &mut Known) -> Result<View> {
        let (mut holdings, mut runners) = (Vec::new(), HashMap::new());
        let tokens = spool.tokens(Folder::Running)?;
        for token in &tokens {
            let (owner, started) = match &token.state {
                State::Claimed(worker) => (worker, false),
                State::Started(_, runner) => (runner, true),
                _ => continue,
            };
            if owner.host != me.host || owner.boot != me.boot {
                continue;
            }
            if started {
                runners.insert(owner.pid, token.run);
            }
            let key = (token.run, token.generation);
            let placed = match known.get(&key) {
                Some(placed) => placed.clone(),
                None => Placed::read(spool, token.run, token.generation),
            };
            if started {
                known.insert(key, placed.clone());
            }
            holdings.extend(placed.map(|placed| Holding { run: token.run, placed }));
        }
        if known.len() > tokens.len() {
            known.retain(|key, _| tokens.iter().any(|token| (token.run, token.generation) == *key));
        }
        Ok(View { holdings, runs: spool.dir().join("runs"), runners, processes: None, seen: None })
    }

    /// The GPUs that may be given, as they were seen, and what runs hold of them.
    pub fn gpus(&mut self, look: &Look, choice: &Choice) -> (&[Device], &[Share]) {
        if self.seen.as_ref().is_none_or(|(when, ..)| *when != look.when) {
            let (devices, shares) = self.who_is_who(look, choice);
            self.seen = Some((look.when, devices, shares));
        }
        self.seen.as_ref().map_or((&[], &[]), |(_, devices, shares)| (devices, shares))
    }

    fn who_is_who(&mut self, look: &Look, choice: &Choice) -> (Vec<Device>, Vec<Share>) {
        let holds = |gpu: &str| self.holdings.iter().any(|holding| holding.placed.gpus.iter().any(|g| g == gpu));
        let mut used: HashMap<u64, Vec<(String, u64)>> = HashMap::new();
        let mut ours: Vec<(&str, Option<u32>)> = Vec::new();
        if !look.processes.is_empty() {
            let processes = self.processes.get_or_insert_with(Processes::read);
            for process in &look.processes {
                let run = process.pid.and_then(|pid| processes.run_of(pid, &self.runners, &self.runs));
                let run = run.filter(|run| self.runners.values().any(|running| running == run));
                // Told by the number of another pid namespace: on a GPU that was given away, the one it was given to.
                let nameless = process.pid.is_none_or(|pid| !processes.has(pid)) && holds(&process.gpu);
                if run.is_some() || nameless {
                    ours.push((&process.gpu, process.pid));
                }
                if let (Some(run), Some(memory)) = (run, process.memory) {
                    used.entry(run).or_default().push((process.gpu.clone(), memory));
                }
            }
        }
        let is_ours = |process: &Process| ours.contains(&(process.gpu.as_str(), process.pid));
        let share = |holding: &Holding| Share {
            gpus: holding.placed.gpus.clone(),
            alone: holding.placed.needs.is_alone(),
            memory: holding.placed.needs.gpu_mem,
            used: used.get(&holding.run).cloned().unwrap_or_default(),
        };
        (gpus::devices(look, choice, is_ours), self.holdings.iter().map(share).collect())
    }

    /// Bytes of main memory that runs were promised and do not use yet, and that they use.
    pub fn memory(&mut self) -> (u64, u64) {
        if self.holdings.iter().all(|holding| holding.placed.needs.ram == 0) {
            return (0, 0);
        }
        let used = self.processes.get_or_insert_with(Processes::read).memory(&self.runners);
        let of = |holding: &Holding| used.get(&holding.run).copied().unwrap_or(0);
        let promised = self.holdings.iter().map(|h| h.placed.needs.ram.saturating_sub(of(h)));
        (promised.fold(0, u64::saturating_add), self.holdings.iter().map(of).fold(0, u64::saturating_add))
    }

    /// Bytes of a file system that runs were promised and have not written yet, where they are recorded.
    pub fn promised_on(&self, device: u64) -> u64 {
        let holdings = self.holdings.iter().filter(|holding| holding.placed.devices.contains(&device));
        let left = |h: &Holding| h.placed.needs.disk.saturating_sub(written(&self.runs.join(h.run.to_string())));
        holdings.map(left).fold(0, u64::saturating_add)
    }
}

/// Bytes a run has written, as far as a short count goes.
fn written(dir: &Path) -> u64 {
    let (mut left, mut bytes) = (FILES, 0u64);
    let mut dirs = vec![dir.to_path_buf()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            if left == 0 {
                return bytes;
            }
            left -= 1;
            match entry.metadata() {
                Ok(meta) if meta.is_dir() => dirs.push(entry.path()),
                Ok(meta) => bytes = bytes.saturating_add(meta.blocks().saturating_mul(512)),
                Err(_) => {}
            }
        }
    }
    bytes
}
