//! The worker's loop, see work.rs: what is due when, signals, heartbeat, bar. What it starts is the matter of choose.rs, and
//! what becomes of it that of children.rs.

use super::bar::Progress;
use super::breaker::Breaker;
use super::children::Own;
use super::choose::{LOOK, PAUSE};
use super::chooser::Chooser;
use super::gpus::Choice;
use super::host::Host;
use super::syncing::Syncing;
use super::telling::Telling;
use super::{Opts, detach};
use crate::adopt;
use crate::list::last_point;
use nn::base::cli::{self, Bar, Exit};
use nn::base::error::{Doing, Result};
use nn::base::files;
use nn::base::sys::{Signal, Signals};
use nn::record::resources;
use nn::spool::owner::Owner;
use nn::spool::recover::{HASTE, HEARTBEAT, Mended, Recovery};
use nn::spool::state::Folder;
use nn::spool::store::{Claims, Spool};
use nn::spool::turn::BACKOFF;
use nn::spool::waits;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What others left is mended this often: interrupted runs come before new ones, so it does not wait for an empty queue.
const MEND: Duration = Duration::from_millis(30_000 / HASTE as u64);
/// For so many heartbeats a first answer about GPUs is waited for before the host is told of.
const FIRST_BEATS: u64 = 2;
/// The bar is drawn at most so often, and at least every second while something runs.
const REDRAW: Duration = Duration::from_millis(250);

/// The worker.
pub struct Worker {
    pub(super) spool: Spool,
    pub(super) me: Owner,
    pub(super) runner: PathBuf,
    pub(super) slots: usize,
    pub(super) forever: bool,
    pub(super) quiet: bool,
    /// Its words go to a file, which is read later
    pub(super) detached: bool,
    pub(super) claims: Claims,
    pub(super) chooser: Chooser,
    pub(super) recovery: Recovery,
    pub(super) signals: Signals,
    /// Runs under way, by the pid of their nn-run
    pub(super) children: HashMap<u32, Own>,
    /// Runs whose nn-run died and whose command lives: they keep their slots
    pub(super) orphans: Vec<Own>,
    /// Runs that died with their nn-run, and were left to one that reads their log
    pub(super) unread: HashSet<(u64, u32)>,
    /// Slots became free since the queue was walked along
    pub(super) changed: bool,
    /// Runs that were told to be unable to start here
    pub(super) never: HashSet<u64>,
    /// What was written of what runs wait for
    waits: Option<BTreeMap<u64, String>>,
    pub(super) breaker: Breaker,
    pub(super) telling: Telling,
    pub(super) syncing: Syncing,
    /// How often runs could not be started
    pub(super) tries: HashMap<u64, u32>,
    pub(super) stopping: bool,
    pub(super) beats: u64,
    pub(super) beat_failed: bool,
    pub(super) pause: Duration,
    /// The last trouble with the queue that was told: not again and again
    pub(super) said: String,
    pub(super) due: Due,
    pub(super) progress: Progress,
    pub(super) bar: Option<Bar>,
}

/// When things are to be done next.
pub(super) struct Due {
    pub(super) beat: Instant,
    pub(super) tell: Instant,
    pub(super) look: Instant,
    pub(super) mend: Instant,
    pub(super) orphans: Instant,
    pub(super) draw: Instant,
    /// Not before this, whatever happens
    pub(super) draw_again: Instant,
    pub(super) count: Instant,
}

impl Worker {
    /// A worker that has not claimed anything yet.
    ///
    /// # Errors
    /// There is no nn-run beside this program, or the system refuses signals.
    pub fn new(spool: Spool, slots: usize, opts: &Opts) -> Result<Worker> {
        let runner = adopt::runner()?;
        let signals = Signals::catch(&[Signal::CHLD, Signal::INT, Signal::TERM, Signal::HUP, Signal::WINCH]);
        let me = Owner::me()?;
        let config = spool.config()?;
        let host = Host::new(&spool, &me, opts.gpus.clone().map_or_else(Choice::of_environment, |(_, choice)| choice));
        let now = Instant::now();
        Ok(Worker {
            claims: Claims::new(me.clone()),
            chooser: Chooser::new(&spool, slots, config.duration("backoff")?.unwrap_or(BACKOFF), host),
            breaker: Breaker::new(config.number("breaker")?),
            telling: Telling::default(),
            syncing: Syncing::default(),
            me,
            spool,
            runner,
            slots,
            forever: opts.forever,
            quiet: opts.quiet,
            detached: detach::is_detached(),
            recovery: adopt::recovery(),
            signals: signals.doing("catch", "signals")?,
            children: HashMap::new(),
            orphans: Vec::new(),
            unread: HashSet::new(),
            changed: false,
            never: HashSet::new(),
            waits: None,
            tries: HashMap::new(),
            stopping: false,
            beats: 0,
            beat_failed: false,
            pause: PAUSE,
            said: String::new(),
            due: Due {
                beat: now,
                tell: now,
                look: now,
                mend: now + MEND,
                orphans: now,
                draw: now,
                draw_again: now,
                count: now,
            },
            progress: Progress { slots, ..Progress::default() },
            bar: if opts.quiet { None } else { Bar::new() },
        })
    }

    /// Works until nothing is left, or for ever.
    ///
    /// # Errors
    /// The spool cannot be used.
    pub fn work(mut self) -> Result<Exit> {
        let started = Instant::now();
        let worked = self.round();
        self.chooser.host.leave();
        self.telling.end(&self.spool);
        // Only people are told less without it.
        let _ = files::remove(&waits::path(&self.spool, &self.me));
        let _ = files::remove(&self.heartbeat());
        if self.bar.take().is_some() && worked.is_ok() && self.children.is_empty() {
            cli::report(&self.progress.summary(started.elapsed()));
        }
        worked?;
        Ok(if self.progress.failed > 0 || !self.never.is_empty() { Exit::NO } else { Exit::DONE })
    }

    fn round(&mut self) -> Result<()> {
        self.beat()?;
        self.write_waits();
        let mended = self.recovery.whole(&self.spool)?;
        self.tell_mended(&mended);
        self.adopt_orphans();
        loop {
            self.beat()?;
            self.reap();
            self.settle_orphans();
            self.mend();
            self.telling.look(&self.spool);
            let nothing = self.fill()?;
            if self.is_through(nothing) {
                return Ok(());
            }
            self.tell_of_host();
            self.draw();
            match self.signals.wait(Some(self.until_next())) {
                Some(Signal::INT | Signal::TERM) if self.stopping => return self.leave(),
                Some(Signal::INT | Signal::TERM) => self.stop(),
                Some(Signal::HUP) => return self.leave(),
                Some(Signal::WINCH) => self.due.draw = Instant::now(),
                _ => {}
            }
        }
    }

    fn is_through(&self, nothing: bool) -> bool {
        let idle = self.children.is_empty() && self.orphans.is_empty();
        idle && (self.stopping || nothing && !self.forever)
    }

    fn heartbeat(&self) -> PathBuf {
        self.spool.dir().join("hosts").join(self.me.to_string())
    }

    /// Writes the heartbeat when it is due. Without runs of its own a worker that cannot is of no use.
    fn beat(&mut self) -> Result<()> {
        if Instant::now() < self.due.beat {
            return Ok(());
        }
        self.beats += 1;
        match files::overwrite(&self.heartbeat(), format!("{}\n", self.beats).as_bytes()) {
            Ok(()) => {
                self.beat_failed = false;
                self.due.beat = Instant::now() + HEARTBEAT;
            }
            Err(err) if self.children.is_empty() && !self.forever => return Err(err),
            Err(err) => {
                if !self.beat_failed {
                    cli::complain(&err);
                    cli::tell("nothing is claimed until the heartbeat can be written again");
                }
                self.beat_failed = true;
                self.due.beat = Instant::now() + LOOK;
            }
        }
        Ok(())
    }

    /// Tells of this host while nothing of this worker runs here. What runs is told of by a runner.
    fn tell_of_host(&mut self) {
        if Instant::now() < self.due.tell || !self.children.is_empty() {
            return;
        }
        let look = self.chooser.host.glance();
        // The first answer about GPUs is waited for.
        if look.is_some() || !self.chooser.host.is_asking() || self.beats > FIRST_BEATS {
            self.due.tell = Instant::now() + HEARTBEAT;
            resources::tell_of_idle_host(&self.spool, &self.me, look.as_deref());
        }
    }

    /// Mends what others left, now and then.
    pub(super) fn mend(&mut self) {
        if Instant::now() >= self.due.mend {
            self.mend_now();
        }
    }

    pub(super) fn mend_now(&mut self) {
        self.due.mend = Instant::now() + MEND;
        self.syncing.look(&self.spool);
        match self.recovery.when_needed(&self.spool) {
            Ok(mended) => {
                if !mended.is_empty() {
                    self.due.look = Instant::now();
                }
                self.tell_mended(&mended);
                self.adopt_orphans();
            }
            Err(err) => {
                cli::complain(&err);
                self.due.orphans = Instant::now() + MEND;
            }
        }
    }

    pub(super) fn tell_mended(&self, mended: &[Mended]) {
        for Mended { run, what } in mended {
            cli::tell(&format!("run {run}: {what}"));
        }
    }

    /// The first signal: no new runs; the own ones are waited for.
    fn stop(&mut self) {
        self.stopping = true;
        let runs = self.children.len() + self.orphans.len();
        if runs > 0 {
            cli::tell(&format!("stopping: {runs} still running are waited for (once more: leave them to themselves)"));
        }
    }

    /// The second signal, or the terminal is gone: the runs go on under their own nn-run.
    fn leave(&mut self) -> Result<()> {
        let mut runs: Vec<u64> = self.children.values().map(|own| own.token.run).collect();
        runs.sort_unstable();
        if !runs.is_empty() {
            let runs: Vec<String> = runs.iter().map(u64::to_string).collect();
            cli::tell(&format!("left: {} (each goes on under its own nn-run)", runs.join(" ")));
        }
        Ok(())
    }

    /// Until something is due.
    fn until_next(&self) -> Duration {
        let mut next = self.due.beat;
        if !self.stopping && !self.beat_failed && self.free() > 0 {
            next = next.min(self.due.look);
        }
        if let Some(at) = self.telling.due(&self.spool) {
            next = next.min(at);
        }
        if !self.orphans.is_empty() {
            next = next.min(self.due.orphans);
        }
        if self.bar.is_some() && !self.children.is_empty() {
            next = next.min(self.due.draw);
        }
        next.saturating_duration_since(Instant::now())
    }

    /// Tells what runs wait for here, when that is news.
    pub(super) fn write_waits(&mut self) {
        let waits = self.chooser.lacking();
        if self.waits.as_ref() != Some(&waits) {
            // Tried again with the next news: only people read it.
            let _ = waits::write(&self.spool, &self.me, &waits);
            self.waits = Some(waits);
        }
    }

    fn draw(&mut self) {
        let now = Instant::now();
        let Some(bar) = &mut self.bar else { return };
        if now < self.due.draw {
            return;
        }
        if now >= self.due.count {
            self.due.count = now + Duration::from_secs(1);
            let queued = self.spool.tokens(Folder::Queued).map_or(0, |t| t.len());
            self.progress.left = queued;
        }
        let mut runs: Vec<&Own> = self.children.values().chain(&self.orphans).collect();
        runs.sort_unstable_by_key(|own| own.token.run);
        self.progress.running = runs.len();
        self.progress.elapsed = runs.iter().map(|own| own.started.elapsed()).collect();
        let names = runs.iter().take(4).map(|own| {
            let point = last_point(&self.spool, own.token.run);
            format!("{}{}{point}", own.name, if point.is_empty() { "" } else { " " })
        });
        let names: Vec<String> = names.collect();
        bar.show(&self.progress.line(&names.join(" | ")));
        self.due.draw = now + Duration::from_secs(1);
        self.due.draw_again = now + REDRAW;
    }
}
