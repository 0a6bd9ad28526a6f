//! The worker's runs under way: starting an nn-run for each, and finding out how they ended. Whatever becomes of an nn-run,
//! the token of its run tells the truth: still claimed, it was never started and goes back; started, its command may live
//! on without it (an orphan, which keeps its slots); else result.json or the token says how it ended.

use super::choose::PAUSE;
use super::detach;
use super::worker::Worker;
use crate::adopt;
use nn::base::cli;
use nn::base::error::{Error, Result};
use nn::base::sys::{self, Ended};
use nn::base::time::{Time, show_duration};
use nn::spool::recover::Recovery;
use nn::spool::state::{Folder, How, State, Token};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Runs whose runner died while the command goes on are looked at this often.
const ORPHANS: Duration = Duration::from_millis(if cfg!(feature = "failpoints") { 100 } else { 2000 });
/// How an nn-run ends that was to adopt a run and found it adopted.
const NOT_MINE: i32 = 111;
/// So often a run that nn-run cannot even start is tried before it is held.
const TRIES: u32 = 3;

/// A claimed run, or one that has been started.
#[derive(Debug)]
pub struct Own {
    pub token: Token,
    pub name: String,
    pub group: Option<String>,
    pub slots: usize,
    pub started: Instant,
}

impl Worker {
    /// Starts an nn-run for a claimed run. False: the system refused, wait a little.
    pub(super) fn start(&mut self, mut own: Own) -> Result<bool> {
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

    pub(super) fn reap(&mut self) {
        while let Some((pid, ended)) = self.next_ended() {
            if self.telling.ended(pid) || self.syncing.ended(pid) {
                continue;
            }
            if let Some(own) = self.children.remove(&pid) {
                self.due.look = self.due.look.min(Instant::now());
                self.changed = true;
                self.chooser.host.ended();
                self.due.draw = self.due.draw_again;
                self.ended(own, ended);
            }
        }
    }

    /// One that has ended. While GPUs are asked about, that program is a child too, and its status is not for this loop.
    fn next_ended(&self) -> Option<(u32, Ended)> {
        if !self.chooser.host.is_asking() {
            return sys::reap().ok().flatten();
        }
        let ended = |pid: &u32| sys::reap_child(*pid).ok().flatten().map(|(ended, _)| (*pid, ended));
        self.children.keys().copied().chain(self.telling.sender()).chain(self.syncing.pid()).find_map(|pid| ended(&pid))
    }

    /// An nn-run has ended: what became of its run?
    fn ended(&mut self, own: Own, ended: Ended) {
        // The quick way for what is expected: one look-up instead of a listing.
        if ended == Ended::Code(0) && self.spool.dir().join(own.token.to(State::Done).path()).exists() {
            return self.verdict(&own, &State::Done, false);
        }
        match self.still_running(&own) {
            None => self.verdict_of(&own),
            Some(State::Claimed(_)) => self.not_started(own, ended),
            Some(_) => {
                if ended != Ended::Code(NOT_MINE) {
                    cli::warn(&format!("run {}: its nn-run died", own.token.run));
                }
                self.orphans.push(own);
                // One that was killed is adopted at once; what cannot be adopted is not tried all the time.
                let pause = if matches!(ended, Ended::Signal(..)) { Duration::ZERO } else { ORPHANS };
                self.due.orphans = Instant::now() + pause;
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

    /// Starts an nn-run for each run that mending met with a dead one and a living command.
    pub(super) fn adopt_orphans(&mut self) {
        let living = self.recovery.take_orphans().into_iter().map(|token| (token, true));
        let dead = self.recovery.take_unread().into_iter().map(|token| (token, false));
        for (token, lives) in living.chain(dead).collect::<Vec<_>>() {
            // Where an nn-run could not read its log, and died of it perhaps, it is lost without.
            if !lives && !self.unread.insert((token.run, token.generation)) {
                let mended = Recovery::new().heard_by(adopt::herald).whole(&self.spool).unwrap_or_default();
                self.tell_mended(&mended);
                continue;
            }
            let same = |own: &Own| own.token.run == token.run && own.token.generation == token.generation;
            match adopt::start(&self.runner, &self.spool, &token, false) {
                Ok(child) => {
                    if lives {
                        adopt::tell(&token);
                    } else {
                        cli::tell(&format!("run {}: its runner and command died", token.run));
                    }
                    // Another worker's run is left to its new nn-run.
                    if let Some(at) = self.orphans.iter().position(same) {
                        self.children.insert(child.id(), self.orphans.swap_remove(at));
                    }
                }
                Err(err) => cli::warn(&err.to_string()),
            }
        }
    }

    pub(super) fn settle_orphans(&mut self) {
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
        let again = result.as_ref().and_then(|r| r.get("again")?.as_bool()).unwrap_or(false);
        let told = result.and_then(|r| match r.str("state")? {
            "done" => Some(State::Done),
            "cancelled" => Some(State::Cancelled),
            _ => r.str("how").and_then(How::parse).map(State::Failed),
        });
        let seen = || self.spool.state_of(own.token.run).ok().flatten().map(|token| token.state);
        if let Some(state) = told.or_else(seen) {
            self.verdict(own, &state, again);
        }
    }

    /// Counts and tells it. `again`: it came back to the queue, to be run again.
    fn verdict(&mut self, own: &Own, state: &State, again: bool) {
        let took = own.started.elapsed();
        let (what, good) = match state {
            State::Done => ("done".to_string(), true),
            State::Failed(how) => (format!("failed ({})", how.words()), false),
            State::Cancelled => ("cancelled".to_string(), false),
            // Interrupted, or given back because the system was short of something: not at once again.
            _ => return self.pause(),
        };
        if again {
            self.progress.left += 1;
        } else {
            self.progress.spent += took;
            self.progress.done += usize::from(good);
            self.progress.failed += usize::from(!good);
        }
        self.tries.remove(&own.token.run);
        let only_in_the_bar = good && self.bar.is_some();
        if !self.quiet && !only_in_the_bar {
            let name = if own.name.is_empty() { "" } else { &format!(" {}", own.name) };
            let when = if self.detached { format!("{} ", Time::now().local()) } else { String::new() };
            let again = if again { ", queued again" } else { "" };
            cli::report(&format!("{when}{}{name} {what}{again} {}", own.token.run, show_duration(took)));
        }
        if self.breaker.count(own, state, took) {
            self.breaker.trip(&self.spool);
            self.due.look = self.due.look.min(Instant::now());
        }
    }
}
