//! The worker's loop, see work.rs.

use super::bar::Progress;
use super::{Opts, detach};
use crate::list::last_point;
use nn::base::cli::{self, Bar, Exit};
use nn::base::error::{Doing, Error, Result};
use nn::base::files;
use nn::base::sys::{self, Ended, Signal, Signals};
use nn::base::time::{Time, show_duration};
use nn::spool::owner::Owner;
use nn::spool::recover::{HEARTBEAT, Mended, Recovery};
use nn::spool::state::{Folder, How, State, Token};
use nn::spool::store::{Claims, Spool};
use std::collections::HashMap;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// While a slot is free the queue is looked at this often.
const LOOK: Duration = Duration::from_millis(1700);
/// While idle, what others left is mended this often.
const MEND: Duration = Duration::from_secs(30);
/// Runs whose runner died while the command goes on are looked at this often.
const ORPHANS: Duration = Duration::from_millis(if cfg!(feature = "failpoints") { 100 } else { 2000 });
/// After a refusal of the system: the first pause; each further one doubles it, up to the longest.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// So often a run that nn-run cannot even start is tried before it is held.
const TRIES: u32 = 3;
/// The bar is drawn at most so often, and at least every second while something runs.
const REDRAW: Duration = Duration::from_millis(250);

/// A claimed run, or one that has been started.
#[derive(Debug)]
struct Own {
    token: Token,
    name: String,
    slots: usize,
    started: Instant,
}

/// The worker.
pub struct Worker {
    spool: Spool,
    me: Owner,
    runner: PathBuf,
    slots: usize,
    forever: bool,
    quiet: bool,
    /// Its words go to a file, which is read later
    detached: bool,
    claims: Claims,
    recovery: Recovery,
    signals: Signals,
    /// Runs under way, by the pid of their nn-run
    children: HashMap<u32, Own>,
    /// Runs whose nn-run died and whose command lives: they keep their slots
    orphans: Vec<Own>,
    /// Claimed, but asks for more slots than are free just now
    waiting: Option<Own>,
    /// How often runs could not be started
    tries: HashMap<u64, u32>,
    stopping: bool,
    beats: u64,
    beat_failed: bool,
    pause: Duration,
    /// The last trouble with the queue that was told: not again and again
    said: String,
    due: Due,
    progress: Progress,
    bar: Option<Bar>,
}

/// When things are to be done next.
struct Due {
    beat: Instant,
    look: Instant,
    mend: Instant,
    orphans: Instant,
    draw: Instant,
    /// Not before this, whatever happens
    draw_again: Instant,
    count: Instant,
}

impl Worker {
    /// A worker that has not claimed anything yet.
    ///
    /// # Errors
    /// There is no nn-run beside this program, or the system refuses signals.
    pub fn new(spool: Spool, slots: usize, opts: &Opts) -> Result<Worker> {
        let exe = std::env::current_exe().doing("find", "this program")?;
        let runner = exe.with_file_name("nn-run");
        std::fs::metadata(&runner).doing("run", &runner)?;
        let signals = Signals::catch(&[Signal::CHLD, Signal::INT, Signal::TERM, Signal::HUP, Signal::WINCH]);
        let me = Owner::me()?;
        let now = Instant::now();
        Ok(Worker {
            claims: Claims::new(me.clone()),
            me,
            spool,
            runner,
            slots,
            forever: opts.forever,
            quiet: opts.quiet,
            detached: detach::is_detached(),
            recovery: Recovery::new(),
            signals: signals.doing("catch", "signals")?,
            children: HashMap::new(),
            orphans: Vec::new(),
            waiting: None,
            tries: HashMap::new(),
            stopping: false,
            beats: 0,
            beat_failed: false,
            pause: PAUSE,
            said: String::new(),
            due: Due { beat: now, look: now, mend: now + MEND, orphans: now, draw: now, draw_again: now, count: now },
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
        let _ = files::remove(&self.heartbeat());
        if self.bar.take().is_some() && worked.is_ok() && self.children.is_empty() {
            cli::report(&self.progress.summary(started.elapsed()));
        }
        worked?;
        Ok(if self.progress.failed > 0 { Exit::NO } else { Exit::DONE })
    }

    fn round(&mut self) -> Result<()> {
        self.beat()?;
        let mended = self.recovery.whole(&self.spool)?;
        self.tell_mended(&mended);
        loop {
            self.beat()?;
            self.reap();
            self.settle_orphans();
            let empty = self.fill()?;
            if self.is_through(empty) {
                return Ok(());
            }
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

    fn is_through(&self, empty: bool) -> bool {
        let idle = self.children.is_empty() && self.orphans.is_empty() && self.waiting.is_none();
        idle && (self.stopping || empty && !self.forever)
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

    fn free(&self) -> usize {
        let own = self.children.values().chain(&self.orphans);
        self.slots.saturating_sub(own.map(|o| o.slots).sum())
    }

    /// Claims and starts runs while slots are free. True: the queue was seen empty.
    fn fill(&mut self) -> Result<bool> {
        if self.stopping || self.beat_failed || self.free() == 0 || Instant::now() < self.due.look {
            return Ok(false);
        }
        while self.free() > 0 {
            let next = match self.waiting.take() {
                Some(own) => Some(own),
                None => self.claim()?,
            };
            let Some(own) = next else {
                self.due.look = self.due.look.max(Instant::now() + LOOK);
                self.mend();
                return Ok(self.due.look > Instant::now());
            };
            if own.slots > self.free() {
                self.waiting = Some(own);
                self.due.look = Instant::now() + HEARTBEAT;
                return Ok(false);
            }
            if !self.start(own)? {
                return Ok(false);
            }
        }
        Ok(false)
    }

    fn claim(&mut self) -> Result<Option<Own>> {
        let token = match self.claims.claim(&self.spool) {
            Ok(Some(token)) => token,
            Ok(None) => return Ok(None),
            Err(err) if self.children.is_empty() && !self.forever => return Err(err),
            Err(err) => {
                let said = err.to_string();
                if said != self.said {
                    cli::complain(&err);
                    self.said = said;
                }
                self.pause();
                return Ok(None);
            }
        };
        // A damaged job is nn-run's matter: it says so in the run's result.
        let job = self.spool.job(token.run).ok();
        let needs = job.as_ref().and_then(|job| job.json.get("needs")?.int("slots"));
        let slots = needs.and_then(|n| usize::try_from(n).ok()).unwrap_or(1).clamp(1, self.slots);
        let name = job.map(|job| job.name().map_or_else(|| job.command_line(), String::from));
        Ok(Some(Own { token, name: name.unwrap_or_default(), slots, started: Instant::now() }))
    }

    /// Starts an nn-run for a claimed run. False: the system refused, wait a little.
    fn start(&mut self, mut own: Own) -> Result<bool> {
        let mut command = Command::new(&self.runner);
        command.args(["-q", "--claimed", &own.token.name()]);
        command.env("NN_SPOOL", self.spool.dir()).env("NN_RUN_DIR", self.spool.run_dir(own.token.run));
        detach::clean(&mut command);
        // A group of its own: what the terminal or a supervisor sends to the worker's group is not meant for the runs.
        command.stdin(Stdio::null()).stdout(Stdio::null()).process_group(0);
        match command.spawn() {
            Ok(child) => {
                own.started = Instant::now();
                self.children.insert(child.id(), own);
                self.pause = PAUSE;
                self.progress.left = self.progress.left.saturating_sub(1);
                Ok(true)
            }
            Err(err) => {
                self.claims.give_back(&self.spool, &own.token)?;
                let fatal = matches!(err.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied);
                let err = Error::Io { doing: "run", path: self.runner.clone(), err };
                if fatal {
                    return Err(err);
                }
                cli::warn(&err.to_string());
                self.pause();
                Ok(false)
            }
        }
    }

    /// Claims nothing for a while, longer each time.
    fn pause(&mut self) {
        self.due.look = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    fn reap(&mut self) {
        while let Ok(Some((pid, ended))) = sys::reap() {
            if let Some(own) = self.children.remove(&pid) {
                self.due.look = self.due.look.min(Instant::now());
                self.due.draw = self.due.draw_again;
                self.ended(own, ended);
            }
        }
    }

    /// An nn-run has ended: what became of its run?
    fn ended(&mut self, own: Own, ended: Ended) {
        // The quick way for what is expected: one look-up instead of a listing.
        if ended == Ended::Code(0) && self.spool.dir().join(own.token.to(State::Done).path()).exists() {
            return self.verdict(&own, &State::Done);
        }
        match self.still_running(&own) {
            None => self.verdict_of(&own),
            Some(State::Claimed(_)) => self.not_started(own, ended),
            Some(_) => {
                cli::warn(&format!("run {}: its nn-run died", own.token.run));
                self.orphans.push(own);
                self.due.orphans = Instant::now();
            }
        }
    }

    /// The state of a run of this worker and generation that is still in running/.
    fn still_running(&self, own: &Own) -> Option<State> {
        let tokens = self.spool.tokens(Folder::Running).unwrap_or_default();
        let same = |t: &Token| t.run == own.token.run && t.generation == own.token.generation;
        let token = tokens.into_iter().filter(same).max_by_key(Token::rank)?;
        let is_mine = match &token.state {
            State::Claimed(worker) | State::Started(worker, _) => *worker == self.me,
            _ => false,
        };
        is_mine.then_some(token.state)
    }

    /// nn-run ended before it had moved the token: given back, and held when that happens again and again.
    fn not_started(&mut self, own: Own, ended: Ended) {
        let tries = self.tries.entry(own.token.run).or_default();
        *tries += 1;
        let (what, back) = if *tries < TRIES {
            ("queued again", self.claims.give_back(&self.spool, &own.token))
        } else {
            let priority = self.spool.priority_of(own.token.run);
            ("held", self.spool.shift_durably(&own.token, &own.token.again(State::Held(priority))))
        };
        let how = match ended {
            Ended::Code(code) => format!("exit {code}"),
            Ended::Signal(n, _) => How::Signal(n).words(),
        };
        match back {
            Ok(_) => cli::warn(&format!("run {}: nn-run could not start it ({how}): {what}", own.token.run)),
            Err(err) => cli::complain(&err),
        }
        self.pause();
    }

    fn settle_orphans(&mut self) {
        if self.orphans.is_empty() || Instant::now() < self.due.orphans {
            return;
        }
        self.due.orphans = Instant::now() + ORPHANS;
        self.mend_now();
        for own in std::mem::take(&mut self.orphans) {
            match self.still_running(&own) {
                Some(_) => self.orphans.push(own),
                None => self.verdict_of(&own),
            }
        }
        self.due.look = self.due.look.min(Instant::now());
    }

    /// Tells how a run ended, from its result, or from its token when there is none.
    fn verdict_of(&mut self, own: &Own) {
        let result = self.spool.read(own.token.run, "result.json").ok().flatten();
        let result = result.filter(|r| r.int("generation") == Some(i64::from(own.token.generation)));
        let told = result.and_then(|r| match r.str("state")? {
            "done" => Some(State::Done),
            "cancelled" => Some(State::Cancelled),
            _ => r.str("how").and_then(How::parse).map(State::Failed),
        });
        let seen = || self.spool.state_of(own.token.run).ok().flatten().map(|token| token.state);
        if let Some(state) = told.or_else(seen) {
            self.verdict(own, &state);
        }
    }

    fn verdict(&mut self, own: &Own, state: &State) {
        let (what, good) = match state {
            State::Done => ("done".to_string(), true),
            State::Failed(how) => (format!("failed ({})", how.words()), false),
            State::Cancelled => ("cancelled".to_string(), false),
            // Interrupted, or given back because the system was short of something: not at once again.
            _ => return self.pause(),
        };
        let took = own.started.elapsed();
        self.progress.spent += took;
        self.progress.done += usize::from(good);
        self.progress.failed += usize::from(!good);
        self.tries.remove(&own.token.run);
        let only_in_the_bar = good && self.bar.is_some();
        if !self.quiet && !only_in_the_bar {
            let name = if own.name.is_empty() { "" } else { &format!(" {}", own.name) };
            let when = if self.detached { format!("{} ", Time::now().local()) } else { String::new() };
            cli::report(&format!("{when}{}{name} {what} {}", own.token.run, show_duration(took)));
        }
    }

    /// Mends what others left, now and then while idle.
    fn mend(&mut self) {
        if Instant::now() >= self.due.mend {
            self.mend_now();
        }
    }

    fn mend_now(&mut self) {
        self.due.mend = Instant::now() + MEND;
        match self.recovery.when_needed(&self.spool) {
            Ok(mended) => {
                if !mended.is_empty() {
                    self.due.look = Instant::now();
                }
                self.tell_mended(&mended);
            }
            Err(err) => {
                cli::complain(&err);
                self.due.orphans = Instant::now() + MEND;
            }
        }
    }

    fn tell_mended(&self, mended: &[Mended]) {
        for Mended { run, what } in mended {
            cli::tell(&format!("run {run}: {what}"));
        }
    }

    /// The first signal: no new runs; the own ones are waited for.
    fn stop(&mut self) {
        self.stopping = true;
        self.give_back_waiting();
        let runs = self.children.len() + self.orphans.len();
        if runs > 0 {
            cli::tell(&format!("stopping: {runs} still running are waited for (once more: leave them to themselves)"));
        }
    }

    fn give_back_waiting(&mut self) {
        if let Some(own) = self.waiting.take()
            && let Err(err) = self.claims.give_back(&self.spool, &own.token)
        {
            cli::complain(&err);
        }
    }

    /// The second signal, or the terminal is gone: the runs go on under their own nn-run.
    fn leave(&mut self) -> Result<()> {
        self.give_back_waiting();
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
        if !self.orphans.is_empty() {
            next = next.min(self.due.orphans);
        }
        if self.bar.is_some() && !self.children.is_empty() {
            next = next.min(self.due.draw);
        }
        next.saturating_duration_since(Instant::now())
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
            self.progress.left = queued + usize::from(self.waiting.is_some());
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
