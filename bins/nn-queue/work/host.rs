//! What this host has to give, and giving it. What runs of this spool hold here is read from running/ and their placed.json,
//! so any number of workers agree on it; strangers are seen as processes on GPUs, memory in use, and less room on disks.
//!
//! To give: take the mutex of this host and spool; look, choose; claim; write placed.json; let go. Before that the same
//! look is taken without the mutex, and only what seems to fit goes on.
//!
//! A run that lacks only what runs of this spool hold will have it when they end. So what it needs is kept for it: a run
//! behind it is given none of that. What strangers hold, and what is not there, keeps nobody waiting.

use super::chooser::Why;
use super::gpus::{self, Choice, Fit};
use super::view::{Known, View};
use nn::base::error::{Result, reason};
use nn::base::role::{self, Role};
use nn::base::sys::{self, Signal};
use nn::record::gpu::{Look, Looker, Unseen};
use nn::record::room::{self, Disk, Rooms};
use nn::spool::needs::{Needs, Placed};
use nn::spool::owner::Owner;
use nn::spool::state::Token;
use nn::spool::store::{May, Spool};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The oldest look at GPUs by which one is given away.
const OLDEST: Duration = Duration::from_secs(5);
/// The oldest by which people are told of them.
const GLANCE: Duration = Duration::from_secs(60);
/// While GPUs are asked, nothing is started for so long; after that others go first.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks for the answer.
const ASK_AGAIN: Duration = Duration::from_millis(50);
/// The longest wait for other workers of this host.
const MUTEX: Duration = Duration::from_secs(2);
/// Between two tries.
const MUTEX_PAUSE: Duration = Duration::from_millis(2);
/// A disk that could not be looked at is left alone for so long: it may hang.
const DISK_PAUSE: Duration = Duration::from_secs(60);
/// Why a run is not started now.
pub struct Blocked {
    pub may: May,
    pub why: Why,
    /// Look again after so long
    pub again: Option<Duration>,
}

/// The host.
pub struct Host {
    spool: Spool,
    name: String,
    me: Owner,
    choice: Choice,
    looker: Looker,
    /// Since when an answer about GPUs is waited for
    asking: Option<Instant>,
    rooms: Rooms,
    bad_disks: HashMap<PathBuf, (Instant, String)>,
    known: Known,
    view: Option<View>,
    /// When a run of this worker last ended: GPUs looked at before that may have become free
    changed: Instant,
    kept: Kept,
    plan: Option<(u64, Placed, Role)>,
}

/// What is kept for a run further ahead.
#[derive(Default)]
struct Kept {
    gpus: bool,
    ram: bool,
    disk: bool,
}

impl Host {
    /// Nothing is known yet, and nothing asked.
    pub fn new(spool: &Spool, me: &Owner, choice: Choice) -> Host {
        Host {
            spool: spool.clone(),
            name: sys::host_name(),
            me: me.clone(),
            choice,
            looker: Looker::new(),
            asking: None,
            rooms: Rooms::new(),
            bad_disks: HashMap::new(),
            known: Known::new(),
            view: None,
            changed: Instant::now(),
            kept: Kept::default(),
            plan: None,
        }
    }

    /// A walk along the queue begins.
    pub fn begin(&mut self) {
        self.view = None;
        self.kept = Kept::default();
        self.forget();
    }

    /// A run of this worker has ended.
    pub fn ended(&mut self) {
        self.changed = Instant::now();
    }

    /// Whether a program that tells of GPUs is being asked.
    pub fn is_asking(&self) -> bool {
        self.looker.is_asking()
    }

    /// The GPUs as of a minute ago or so, asked for without waiting.
    pub fn glance(&mut self) -> Option<Arc<Look>> {
        match self.looker.look(GLANCE, Duration::ZERO) {
            Ok(look) => Some(look),
            Err(_) => self.looker.last().cloned(),
        }
        .filter(|look| !look.gpus.is_empty())
    }

    /// The worker ends: nobody waits for an answer any more.
    pub fn leave(&mut self) {
        self.forget();
        if let Some(pid) = self.looker.child() {
            // Ended already is as good.
            let _ = sys::kill(pid, Signal::KILL);
        }
    }

    /// What was chosen last is not given.
    pub fn forget(&mut self) {
        self.plan = None;
    }

    /// What was chosen for this claimed run, to be written before the mutex is let go.
    pub fn give(&mut self, token: &Token) -> Result<()> {
        let Some((run, placed, held)) = self.plan.take() else { return Ok(()) };
        self.view = None;
        let written = if run == token.run { placed.write(&self.spool, run) } else { Ok(()) };
        drop(held);
        written
    }

    /// Chooses what a run gets, and keeps the mutex until `give` or `forget`.
    pub fn choose(&mut self, token: &Token, needs: &Needs, cwd: &Path) -> std::result::Result<(), Blocked> {
        self.forget();
        self.weigh(token.run, needs, cwd)?;
        let blocked = |why| Blocked { may: May::Pass, why, again: None };
        let held = self.mutex().map_err(|why| blocked(Why::Lacks(why)))?;
        self.view = None;
        let (gpus, devices) = self.weigh(token.run, needs, cwd)?;
        let (generation, host) = (token.generation, self.name.clone());
        self.plan = Some((token.run, Placed { generation, host, gpus, needs: needs.clone(), devices }, held));
        Ok(())
    }

    /// Of the workers of this host and spool one at a time chooses.
    fn mutex(&self) -> std::result::Result<Role, String> {
        let trouble = |err| format!("cannot take turns with other workers: {}", reason(&err));
        let name = role::name_of("nn-queue", self.spool.dir()).map_err(trouble)?;
        let begun = Instant::now();
        loop {
            match Role::take(&name).map_err(trouble)? {
                Some(role) => return Ok(role),
                None if begun.elapsed() < MUTEX => std::thread::sleep(MUTEX_PAUSE),
                None => return Err(format!("the other workers on {}", self.name)),
            }
        }
    }

    /// GPUs and file systems for a run, or why it cannot start.
    fn weigh(&mut self, run: u64, needs: &Needs, cwd: &Path) -> std::result::Result<(Vec<String>, Vec<u64>), Blocked> {
        let kept = self.kept.gpus && needs.gpu_count() > 0 || self.kept.ram && needs.ram > 0;
        if kept || self.kept.disk && needs.disk > 0 {
            return Err(Blocked { may: May::Pass, why: Why::Soon, again: None });
        }
        if self.view.is_none() {
            // Unread is not empty: nothing is given away.
            let blocked = |why| Blocked { may: May::Pass, why, again: None };
            let view = View::read(&self.spool, &self.me, &mut self.known);
            let view = view.map_err(|err| blocked(Why::Lacks(err.to_string())))?;
            self.view = Some(view);
        }
        let mut lacks = Lacks::default();
        let gpus = if needs.gpu_count() > 0 { self.gpus(needs, &mut lacks)? } else { Vec::new() };
        if needs.ram > 0 {
            self.ram(needs.ram, &mut lacks);
        }
        let devices = if needs.disk > 0 { self.disk(run, needs.disk, cwd, &mut lacks) } else { Vec::new() };
        if lacks.words.is_empty() {
            return Ok((gpus, devices));
        }
        let words = lacks.words.join("; ");
        if lacks.never {
            return Err(Blocked { may: May::Pass, why: Why::Never(words), again: None });
        }
        if !lacks.of_others {
            self.kept.gpus |= needs.gpu_count() > 0;
            self.kept.ram |= needs.ram > 0;
            self.kept.disk |= needs.disk > 0;
        }
        Err(Blocked { may: May::Pass, why: Why::Lacks(words), again: None })
    }

    fn gpus(&mut self, needs: &Needs, lacks: &mut Lacks) -> std::result::Result<Vec<String>, Blocked> {
        // An old look is good enough to see that runs of this spool hold what is needed.
        let fresh = OLDEST.min(self.changed.elapsed());
        let mut fit = match self.look(Duration::MAX)? {
            Ok(look) => self.fit(&look, needs),
            Err(why) => {
                lacks.others(format!("gpus: {why}"));
                return Ok(Vec::new());
            }
        };
        if !matches!(fit, Fit::AfterOurs(_)) && self.looker.has_source() {
            fit = match self.look(fresh)? {
                Ok(look) => self.fit(&look, needs),
                Err(why) => {
                    lacks.others(format!("gpus: {why}"));
                    return Ok(Vec::new());
                }
            };
        }
        let words = fit.words(needs, &self.name);
        match fit {
            Fit::Now(gpus) => return Ok(gpus),
            Fit::AfterOurs(_) => lacks.ours(words),
            Fit::AfterOthers(..) => lacks.others(words),
            Fit::Never(_) => lacks.never(words),
        }
        Ok(Vec::new())
    }

    /// A look at the GPUs, or why there is none. Not answered yet: the run is blocked for the moment.
    fn look(&mut self, oldest: Duration) -> std::result::Result<std::result::Result<Arc<Look>, String>, Blocked> {
        match self.looker.look(oldest, Duration::ZERO) {
            Ok(look) => {
                self.asking = None;
                Ok(Ok(look))
            }
            Err(Unseen::Failed(why)) => {
                self.asking = None;
                Ok(Err(why))
            }
            Err(Unseen::Asked) => {
                let long = self.asking.get_or_insert_with(Instant::now).elapsed() > PATIENCE;
                let may = if long { May::Pass } else { May::Stop };
                let why = Why::Lacks(format!("gpus: {} asks which are free", self.name));
                Err(Blocked { may, why, again: (!long).then_some(ASK_AGAIN) })
            }
        }
    }

    fn fit(&mut self, look: &Look, needs: &Needs) -> Fit {
        let Some(view) = &mut self.view else { return Fit::Never(0) };
        let (devices, shares) = view.gpus(look, &self.choice);
        gpus::fit(devices, shares, needs)
    }

    fn ram(&mut self, need: u64, lacks: &mut Lacks) {
        let (Some(memory), Some(view)) = (room::memory(), &mut self.view) else { return };
        if need > memory.total {
            return lacks.never(format!("ram: {} needed, {} has {}", size(need), self.name, size(memory.total)));
        }
        let (promised, used) = view.memory();
        if let Some(lack) = memory.lacks(need, promised) {
            let words = format!("{lack} on {}", self.name);
            if need <= memory.available.saturating_add(used) { lacks.ours(words) } else { lacks.others(words) }
        }
    }

    /// Where the run is recorded and where it works: in both there must be room.
    fn disk(&mut self, run: u64, need: u64, cwd: &Path, lacks: &mut Lacks) -> Vec<u64> {
        let mut devices = Vec::new();
        for path in [self.spool.run_dir(run), cwd.to_path_buf()] {
            let disk = match self.look_at_disk(&path) {
                Ok(disk) => disk,
                Err(why) => {
                    lacks.others(why);
                    continue;
                }
            };
            if devices.contains(&disk.device) {
                continue;
            }
            devices.push(disk.device);
            if need > disk.total {
                lacks.never(format!("disk: {} needed, {} has {}", size(need), disk.at.display(), size(disk.total)));
                continue;
            }
            let promised = self.view.as_ref().map_or(0, |view| view.promised_on(disk.device));
            for lack in disk.lacks(need, 0, promised) {
                let words = format!("{lack} on {}", self.name);
                if need <= disk.free() { lacks.ours(words) } else { lacks.others(words) }
            }
        }
        devices
    }

    fn look_at_disk(&mut self, path: &Path) -> std::result::Result<Disk, String> {
        self.bad_disks.retain(|_, (since, _)| since.elapsed() < DISK_PAUSE);
        if let Some((_, why)) = self.bad_disks.get(path) {
            return Err(why.clone());
        }
        self.rooms.disk(path).map_err(|err| {
            let why = format!("disk: {err}");
            self.bad_disks.insert(path.to_path_buf(), (Instant::now(), why.clone()));
            why
        })
    }
}

fn size(bytes: u64) -> String {
    nn::base::units::show_size(bytes)
}

/// What a run lacks.
#[derive(Default)]
struct Lacks {
    words: Vec<String>,
    /// Some of it is held by strangers
    of_others: bool,
    /// Some of it is not there at all
    never: bool,
}

impl Lacks {
    fn ours(&mut self, words: String) {
        self.words.push(words);
    }

    fn others(&mut self, words: String) {
        self.of_others = true;
        self.words.push(words);
    }

    fn never(&mut self, words: String) {
        self.never = true;
        self.words.push(words);
    }
}
