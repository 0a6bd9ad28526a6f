//! What is left of what the run may use up, looked at once a minute: the file systems of its folder, of its checkpoints and
//! of the command's directory, with inodes and quotas, and memory. A thread asks, for each look anew: a file system may
//! hang, and a quota program may have to ask a server. A short run pays nothing.

use crate::prepare::Attempt;
use nn::judge::reserve::{Level, What};
use nn::record::room::{By, Disk, Rooms, memory};
use nn::spool::job::Job;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

/// Looks are so many times rarer than samples.
const RARER: u32 = 6;
/// How long a quota program is believed.
const QUOTAS: Duration = Duration::from_secs(600);

/// When and where it is looked.
pub struct Room {
    every: Duration,
    at: Option<Instant>,
    rooms: Option<Rooms>,
    asking: Option<Receiver<(Rooms, Vec<Level>)>>,
}

impl Room {
    /// As often as samples are taken, but rarer; zero: never.
    pub fn begin(sample_every: Duration) -> Room {
        let every = sample_every * RARER;
        let at = Instant::now().checked_add(every).filter(|_| !every.is_zero());
        Room { every, at, rooms: Some(Rooms::believing(QUOTAS)), asking: None }
    }

    /// Whether this process may have a child for it, one that is not the command's.
    pub fn is_asking(&self) -> bool {
        self.asking.is_some()
    }

    /// What a look found that has ended; and begins one when it is due.
    pub fn look(&mut self, attempt: &Attempt, now: Instant) -> Option<Vec<Level>> {
        let found = self.take();
        if self.asking.is_none() && self.at.is_some_and(|at| now >= at) {
            self.at = now.checked_add(self.every);
            self.ask(attempt);
        }
        found
    }

    fn take(&mut self) -> Option<Vec<Level>> {
        match self.asking.as_ref()?.try_recv() {
            Ok((rooms, levels)) => {
                (self.rooms, self.asking) = (Some(rooms), None);
                Some(levels)
            }
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                self.asking = None;
                None
            }
        }
    }

    fn ask(&mut self, attempt: &Attempt) {
        let mut rooms = self.rooms.take().unwrap_or_else(|| Rooms::believing(QUOTAS));
        let places = places(attempt);
        let (sender, answer) = channel();
        let body = move || {
            let levels = levels(&mut rooms, &places);
            let _ = sender.send((rooms, levels));
        };
        // Short of threads: at the next look, perhaps.
        if std::thread::Builder::new().stack_size(1 << 18).spawn(body).is_ok() {
            self.asking = Some(answer);
        }
    }
}

/// Where a run writes.
fn places(attempt: &Attempt) -> Vec<PathBuf> {
    let cwd = attempt.cwd();
    let saved = attempt.job.as_ref().ok().and_then(Job::checkpoint).map(|glob| cwd.join(glob));
    let saved = saved.and_then(|glob| Some(glob.parent()?.to_path_buf())).filter(|dir| dir.is_dir());
    [attempt.dir().join("checkpoints"), attempt.dir(), cwd].into_iter().chain(saved).collect()
}

fn levels(rooms: &mut Rooms, places: &[PathBuf]) -> Vec<Level> {
    let mut disks: Vec<Disk> = Vec::new();
    for place in places {
        if let Ok(disk) = rooms.disk(place)
            && disks.iter().all(|known| known.device != disk.device)
        {
            disks.push(disk);
        }
    }
    let mut levels: Vec<Level> = disks.iter().flat_map(of_disk).collect();
    if let Some(memory) = memory() {
        let (free, total) = (memory.available as f64, memory.total as f64);
        levels.push(Level { what: What::Ram, of: memory.by.words(), free, total });
    }
    levels
}

fn of_disk(disk: &Disk) -> Vec<Level> {
    let point = disk.mount.as_ref().map_or(&disk.at, |mount| &mount.point).display().to_string();
    let level = |what: What, free: u64, by: By, total: u64| {
        let free = free as f64;
        // Of a quota is told what it leaves, not how much it is.
        match by {
            By::FileSystem => Level { what, of: point.clone(), free, total: total as f64 },
            by => Level { what, of: format!("{point}, {}", by.words()), free, total: free },
        }
    };
    let space = level(What::Disk, disk.free(), disk.limited_by(), disk.total);
    let inodes = disk.inodes().map(|(free, by)| level(What::Inodes, free, by, disk.inodes_total));
    std::iter::once(space).chain(inodes).collect()
}
