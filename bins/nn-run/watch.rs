//! While the command runs: one loop that sleeps until a signal comes, the log is to be looked at, or a limit is reached.
//!
//! TERM, INT, HUP, USR1 and USR2 are passed to the command's group. TERM begins its end: after the grace time KILL
//! follows. A second INT is a TERM, a third a KILL, for the person at the terminal who wants out. A TERM while the file
//! runs/N/cancel is there means that somebody called the run off.

use crate::command::{self, Refused};
use crate::end::{self, End};
use crate::follow::Follower;
use crate::prepare::Attempt;
use crate::sampler::Resources;
use nn::base::cli::{self, Exit, Out};
use nn::base::error::Result;
use nn::base::files;
use nn::base::json::{self, Value};
use nn::base::sys::{self, Ended, Signal, Usage};
use nn::base::time::{Time, show_duration};
use nn::record::facts::Facts;
use nn::spool::job::Job;
use nn::spool::recover::HEARTBEAT;
use std::fs::File;
use std::time::{Duration, Instant};

/// Between two looks at a log that grows: a person sees it at once, and a trainer is not disturbed.
const LOOK: Duration = Duration::from_millis(200);
/// Between two looks at a silent log, at most.
const LONGEST_LOOK: Duration = Duration::from_secs(1);
/// Between two looks for the file that calls the run off.
const CANCEL: Duration = Duration::from_secs(2);

/// What made the command end, other than itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cause {
    /// Somebody called it off
    Cancelled,
    /// The time limit, which was this
    TimeLimit(Duration),
    /// This signal came from outside
    Signal(Signal),
}

/// Runs the command of an attempt to its end.
///
/// # Errors
/// The end cannot be recorded.
pub fn run(attempt: Attempt, out: &mut Out) -> Result<Exit> {
    let started = Time::now();
    let (log, from) = match command::open_log(&attempt) {
        Ok(log) => log,
        Err(err) => {
            return end::not_started(attempt, started, Refused { status: 125, why: err.to_string(), passing: false });
        }
    };
    let ooms = end::oom_kills();
    let pid = match command::start(&attempt, &log) {
        Ok(pid) => pid,
        Err(refused) => {
            if !refused.passing {
                let _ = files::append(&attempt.dir().join("log"), &format!("nn-run: {}\n", refused.why));
            }
            return end::not_started(attempt, started, refused);
        }
    };
    let mut watch = Watch::new(attempt, pid, log, from, started, out.is_terminal());
    watch.record_start();
    // The command has its own priority: where cores are short, it goes before the reading of its log.
    sys::step_back();
    let (ended, usage) = watch.until_end(out);
    watch.follower.finish(out);
    let Watch { attempt, follower, cause, facts, resources, clock, beats, .. } = watch;
    let hung = resources.end();
    if beats > 0 {
        let _ = files::remove(&attempt.spool.dir().join("hosts").join(attempt.runner.to_string()));
    }
    end::finish(
        attempt,
        End { started, duration: clock.elapsed(), ended, usage, cause, ooms, facts, hung, summary: follower.summary() },
    )
}

struct Watch {
    attempt: Attempt,
    pid: u32,
    started: Time,
    clock: Instant,
    follower: Follower,
    facts: Facts,
    resources: Resources,
    limit: Option<Duration>,
    cause: Option<Cause>,
    interrupts: u32,
    kill_at: Option<Instant>,
    look_at: Instant,
    pause: Duration,
    cancel_at: Instant,
    beat_at: Instant,
    beats: u64,
}

impl Watch {
    fn new(mut attempt: Attempt, pid: u32, log: File, from: u64, started: Time, terminal: bool) -> Watch {
        let clock = Instant::now();
        let job = attempt.job.as_ref().ok();
        let cwd = attempt.cwd();
        let follower = Follower::new(&attempt.dir(), log, from, job, &cwd, !attempt.quiet, terminal);
        let argv = job.map(Job::argv).unwrap_or_default();
        let limit = job.and_then(Job::time_limit);
        let git = attempt.git.take();
        let mut facts =
            Facts::begin(&attempt.spool.dir().join("hosts"), git, attempt.git_in_time, &argv, &cwd, &attempt.env)
                .of_attempt(attempt.number);
        if let Some(code) = attempt.code() {
            facts.frozen(&attempt.spool, attempt.token.run, &code);
        }
        let resources = Resources::begin(attempt.sample_every);
        Watch {
            attempt,
            pid,
            started,
            clock,
            follower,
            facts,
            resources,
            limit,
            cause: None,
            interrupts: 0,
            kill_at: None,
            look_at: clock + LOOK / 4,
            pause: LOOK,
            cancel_at: clock + CANCEL,
            beat_at: clock + HEARTBEAT,
            beats: 0,
        }
    }

    /// attempt.json first: by it the command is found should this process die.
    fn record_start(&mut self) {
        let run = self.attempt.token.run;
        let attempt = command::record(&self.attempt, Some(self.pid), self.started);
        let details = json::map([
            ("attempt", Value::from(self.attempt.number)),
            ("pid", self.pid.into()),
            ("host", self.attempt.runner.host.as_str().into()),
        ]);
        let spool = &self.attempt.spool;
        let recorded =
            spool.put_lazily(run, "attempt.json", &attempt).and_then(|()| spool.event(run, true, "started", details));
        if let Err(err) = recorded {
            cli::warn(&err.to_string());
        }
    }

    fn until_end(&mut self, out: &mut Out) -> (Ended, Usage) {
        loop {
            match self.attempt.signals.wait(Some(self.until_next())) {
                Some(Signal::CHLD) | None => {}
                Some(signal) => self.on_signal(signal),
            }
            if let Some(ended) = self.reap() {
                return ended;
            }
            self.on_time(out);
        }
    }

    /// The command's end, if it has ended. Orphans of the command that came here are waited for as well, but not while
    /// this program has processes of its own, which others wait for.
    fn reap(&self) -> Option<(Ended, Usage)> {
        let lost = (Ended::Code(125), Usage::default());
        if !self.facts.is_settled() || self.resources.is_asking() {
            return sys::reap_child(self.pid).unwrap_or(Some(lost));
        }
        loop {
            match sys::reap_with_usage() {
                Ok(Some((pid, ended, usage))) if pid == self.pid => return Some((ended, usage)),
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(_) => return Some(lost),
            }
        }
    }

    /// Time until the next thing to do.
    fn until_next(&self) -> Duration {
        let deadline = self.limit.filter(|_| self.kill_at.is_none()).map(|limit| self.clock + limit);
        let times =
            [Some(self.look_at), Some(self.cancel_at), Some(self.beat_at), self.resources.at(), deadline, self.kill_at];
        let next = times.into_iter().flatten().min().unwrap_or(self.look_at);
        next.saturating_duration_since(Instant::now())
    }

    fn on_time(&mut self, out: &mut Out) {
        let now = Instant::now();
        if now >= self.look_at {
            self.pause = if self.follower.look(out) { LOOK } else { (self.pause * 3 / 2).min(LONGEST_LOOK) };
            self.facts.look(&self.attempt.spool, self.attempt.token.run);
            self.look_at = Instant::now() + self.pause;
        }
        if let Some(limit) = self.limit.filter(|limit| self.kill_at.is_none() && self.clock.elapsed() >= *limit) {
            cli::tell(&format!("run {}: the time limit of {} is over", self.attempt.token.run, show_duration(limit)));
            self.begin_end(Cause::TimeLimit(limit));
        }
        if self.kill_at.is_some_and(|at| now >= at) {
            self.send(Signal::KILL);
            self.kill_at = Some(now + Duration::from_secs(5));
        }
        if now >= self.cancel_at {
            self.cancel_at = now + CANCEL;
            self.look_for_cancel();
        }
        self.resources.look(&self.attempt, now);
        if now >= self.beat_at {
            self.beat_at = now + HEARTBEAT;
            self.beats += 1;
            let path = self.attempt.spool.dir().join("hosts").join(self.attempt.runner.to_string());
            // A missing heartbeat is a sign to others, and that is all it is.
            let _ = files::overwrite(&path, format!("{}\n", self.beats).as_bytes());
        }
    }

    /// True: the run is called off.
    fn look_for_cancel(&mut self) -> bool {
        let called_off = self.attempt.dir().join("cancel").exists();
        if called_off && self.cause != Some(Cause::Cancelled) {
            self.begin_end(Cause::Cancelled);
        }
        called_off
    }

    fn on_signal(&mut self, signal: Signal) {
        match signal {
            Signal::TERM if self.look_for_cancel() => {}
            Signal::TERM => self.begin_end(Cause::Signal(signal)),
            Signal::INT => {
                self.interrupts += 1;
                match self.interrupts {
                    1 => self.send(Signal::INT),
                    2 => self.begin_end(Cause::Signal(Signal::INT)),
                    _ => self.send(Signal::KILL),
                }
            }
            other => self.send(other),
        }
    }

    /// TERM now, KILL after the grace time.
    fn begin_end(&mut self, cause: Cause) {
        self.cause.get_or_insert(cause);
        if cause == Cause::Cancelled {
            self.cause = Some(cause);
        }
        self.send(Signal::TERM);
        self.kill_at.get_or_insert(Instant::now() + self.attempt.grace);
    }

    fn send(&self, signal: Signal) {
        // Gone already: its end is about to be seen.
        let _ = sys::kill_group(self.pid, signal);
        if matches!(signal, Signal::TERM | Signal::INT) {
            let _ = sys::kill_group(self.pid, Signal::CONT);
        }
    }
}
