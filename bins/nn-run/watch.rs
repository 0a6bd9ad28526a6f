//! While the command runs: one loop that sleeps until a signal comes, the log is to be looked at, or a limit is reached.
//!
//! TERM, INT, HUP, USR1 and USR2 are passed to the command's group. TERM begins its end: after the grace time KILL
//! follows. A second INT is a TERM, a third a KILL, for the person at the terminal who wants out. A TERM while the file
//! runs/N/cancel is there means that somebody called the run off.

use crate::adopt::Live;
use crate::batch;
use crate::command::{self, Refused};
use crate::end::{self, End, Next};
use crate::engine::{self, Notice};
use crate::follow::{self, Follower, Following};
use crate::judge::Judging;
use crate::keep::Keeper;
use crate::prepare::Attempt;
use crate::room::Room;
use crate::sampler::Resources;
use crate::weights::Weighing;
use nn::base::cli::{self, Out};
use nn::base::error::Result;
use nn::base::files;
use nn::base::json::{self, Value};
use nn::base::sys::{self, Ended, Signal, Usage};
use nn::base::time::{Time, show_duration};
use nn::record::facts::Facts;
use nn::record::history::Recorded;
use nn::record::history::join::{self, Start};
use nn::record::oom;
use nn::spool::batch::Batch;
use nn::spool::job::Job;
use nn::spool::recover::HEARTBEAT;
use std::fs::File;
use std::time::{Duration, Instant};

/// Between two looks at a log that grows: a person sees it at once, and a trainer is not disturbed.
const LOOK: Duration = Duration::from_millis(200);
/// Between two looks at a silent log, at most.
const LONGEST_LOOK: Duration = Duration::from_secs(1);
/// Between the command's death by TERM and that signal for this process, where a scheduler sent both.
const LAST_WORD: Duration = Duration::from_millis(500);
/// Between two looks for the file that calls the run off.
pub const CANCEL: Duration = Duration::from_secs(2);

/// Between two notes of which processes it has: of one that is killed nobody can tell afterwards whose it was.
const KIN: Duration = Duration::from_secs(5);

/// What made the command end, other than itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cause {
    /// Somebody called it off
    Cancelled,
    /// The time limit, which was this
    TimeLimit(Duration),
    /// It was told to finish up so long before the time limit, which was this
    FinishUp(Duration, Duration),
    /// The engine in whose job it runs gave notice
    Notice(Notice),
    /// This signal came from outside
    Signal(Signal),
    /// A rule stopped it
    Rule,
}

/// Runs the command of an attempt to its end.
///
/// # Errors
/// The end cannot be recorded.
pub fn run(attempt: Attempt, out: &mut Out) -> Result<Next> {
    let started = Time::now();
    if attempt.number > 1 && !attempt.was_followed_to_its_end() {
        let caught_up = follow::catch_up(&attempt.dir(), attempt.job.as_ref().ok(), &attempt.cwd(), out);
        if let Err(err) = caught_up {
            cli::warn(&err.to_string());
        }
    }
    let opened = command::open_log(&attempt).map(|(log, from)| (log, begin(&attempt, from)));
    let (log, start) = match opened {
        Ok(opened) => opened,
        Err(err) => {
            let passing = err.io().is_some_and(command::is_shortage);
            return end::not_started(attempt, started, Refused { status: 125, why: err.to_string(), passing });
        }
    };
    let ooms = oom::Watch::begin();
    let pid = match command::start(&attempt, &log) {
        Ok(pid) => pid,
        Err(refused) => {
            if !refused.passing {
                let _ = files::append(&attempt.dir().join("log"), &format!("nn-run: {}\n", refused.why));
            }
            return end::not_started(attempt, started, refused);
        }
    };
    let who = Who { pid, started, clock: Instant::now(), adopted: None };
    let watch = Watch::new(attempt, who, ooms, log, start, Recorded::default(), out.is_terminal());
    watch.record_start();
    watch.finish(out)
}

/// Goes on with a command that another process started.
///
/// # Errors
/// The end cannot be recorded.
pub fn go_on(attempt: Attempt, who: Who, log: File, start: Start, recorded: Recorded, out: &mut Out) -> Result<Next> {
    let ooms = oom::Watch::begin();
    Watch::new(attempt, who, ooms, log, start, recorded, out.is_terminal()).finish(out)
}

/// Where this attempt begins in what grows; noted for those who read the history, when there is something before it.
fn begin(attempt: &Attempt, log: u64) -> Start {
    let files = follow::lengths(attempt.job.as_ref().ok(), &attempt.cwd());
    if attempt.number > 1 || !files.is_empty() {
        let noted = join::note(&attempt.dir(), attempt.number, attempt.checkpoint.as_deref(), log, &files);
        if let Err(err) = noted {
            cli::warn(&err.to_string());
        }
    }
    Start { log, files, ..Start::default() }
}

/// The command that is watched.
pub struct Who {
    /// It leads the process group of this number
    pub pid: u32,
    pub started: Time,
    /// The same by the monotonic clock
    pub clock: Instant,
    /// It is no child of this process
    pub adopted: Option<Live>,
}

struct Watch {
    attempt: Attempt,
    who: Who,
    ooms: oom::Watch,
    /// When its processes are to be noted next
    kin_at: Instant,
    follower: Follower,
    facts: Facts,
    resources: Resources,
    room: Room,
    keeper: Keeper,
    weighing: Weighing,
    limit: Option<Duration>,
    /// So long before the limit the command is told to finish up
    finish_up: Option<Duration>,
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
    fn new(
        mut attempt: Attempt,
        who: Who,
        ooms: oom::Watch,
        log: File,
        start: Start,
        recorded: Recorded,
        terminal: bool,
    ) -> Watch {
        let now = Instant::now();
        let job = attempt.job.as_ref().ok();
        let cwd = attempt.cwd();
        let show = !attempt.quiet;
        let (dir, judging) = (attempt.dir(), Judging::of(&attempt, who.started, who.adopted.is_some()));
        let following = Following { dir: &dir, job, cwd: &cwd, start, recorded, judging, show, escape: terminal };
        let follower = Follower::new(log, following);
        let argv = job.map(Job::argv).unwrap_or_default();
        let finish_up = job.and_then(Job::finish_up);
        let of_batch = job.and_then(batch::limit).map(|left| who.clock.elapsed() + left);
        let limit = [job.and_then(Job::time_limit), of_batch].into_iter().flatten().min();
        let git = attempt.git.take();
        let on_record = || Facts::on_record(&attempt.spool, attempt.token.run, attempt.number);
        let facts = who.adopted.as_ref().and_then(|live| {
            let none = || live.is_gone.then(|| Facts::none(attempt.number));
            on_record().or_else(none)
        });
        let facts = facts.unwrap_or_else(|| {
            let hosts = attempt.spool.dir().join("hosts");
            let mut facts =
                Facts::begin(&hosts, git, attempt.git_in_time, &argv, &cwd, &attempt.env).of_attempt(attempt.number);
            if let Some(code) = attempt.code() {
                facts.frozen(&attempt.spool, attempt.token.run, &code);
            }
            facts
        });
        let resources = Resources::begin(attempt.sample_every);
        let room = Room::begin(attempt.sample_every);
        let keeper = Keeper::new(job);
        let weighing = Weighing::begin(&attempt, who.adopted.is_some());
        Watch {
            attempt,
            who,
            ooms,
            kin_at: now + KIN,
            follower,
            facts,
            resources,
            room,
            keeper,
            weighing,
            limit,
            finish_up,
            cause: None,
            interrupts: 0,
            kill_at: None,
            look_at: now + LOOK / 4,
            pause: LOOK,
            cancel_at: now + CANCEL,
            beat_at: now + HEARTBEAT,
            beats: 0,
        }
    }

    fn finish(mut self, out: &mut Out) -> Result<Next> {
        // The command has its own priority: where cores are short, it goes before the reading of its log.
        sys::step_back();
        let (ended, usage) = self.until_end(out);
        self.follower.finish(out);
        let weighing = self.weighing.finish(&self.attempt, &mut self.follower);
        self.follower.judging().end(&self.attempt);
        if self.follower.judging().was_stopped() {
            self.cause.get_or_insert(Cause::Rule);
        }
        self.keeper.look(&self.attempt);
        let Watch { attempt, who, ooms, mut follower, cause, facts, resources, beats, .. } = self;
        let mut spared = resources.end();
        spared.extend(follower.judging().started());
        spared.extend(weighing);
        let rule = follower.judging().stopped().map(str::to_string);
        if beats > 0 {
            let _ = files::remove(&attempt.spool.dir().join("hosts").join(attempt.runner.to_string()));
        }
        end::finish(attempt, who, End { ended, usage, cause, rule, ooms, facts, spared, summary: follower.summary() })
    }

    /// attempt.json first: by it the command is found should this process die.
    fn record_start(&self) {
        let run = self.attempt.token.run;
        let attempt = command::record(&self.attempt, Some(self.who.pid), self.who.started);
        let details = json::map([
            ("attempt", Value::from(self.attempt.number)),
            ("pid", self.who.pid.into()),
            ("host", self.attempt.runner.host.as_str().into()),
        ]);
        let spool = &self.attempt.spool;
        let recorded =
            spool.put_lazily(run, "attempt.json", &attempt).and_then(|()| spool.event(run, true, "started", details));
        if let Err(err) = recorded {
            cli::warn(&err.to_string());
        }
    }

    fn until_end(&mut self, out: &mut Out) -> (Option<Ended>, Option<Usage>) {
        if let Some(live) = self.who.adopted.as_ref().filter(|live| live.is_gone) {
            return (live.ended().flatten(), None);
        }
        loop {
            let process = self.who.adopted.as_ref().and_then(Live::process);
            match self.attempt.signals.wait_or_end(process, Some(self.until_next())) {
                Some(Signal::CHLD) | None => {}
                Some(signal) => self.on_signal(signal),
            }
            if let Some(live) = &self.who.adopted {
                if let Some(ended) = live.ended() {
                    return (ended, None);
                }
            } else if let Some((ended, usage)) = self.reap() {
                self.hear_last_word(ended);
                return (Some(ended), Some(usage));
            }
            self.on_time(out);
        }
    }

    /// A scheduler sends TERM to every process of its job, and the command may be dead of it before this one has heard.
    fn hear_last_word(&mut self, ended: Ended) {
        let is_term = matches!(ended, Ended::Signal(15, _) | Ended::Code(143));
        let patience = if is_term && Batch::here().is_some() { LAST_WORD } else { Duration::ZERO };
        let begun = Instant::now();
        while self.cause.is_none() {
            match self.attempt.signals.wait(Some(patience.saturating_sub(begun.elapsed()))) {
                Some(Signal::TERM) if batch::is_over() => self.cause = Some(Cause::TimeLimit(self.who.clock.elapsed())),
                Some(Signal::TERM) => self.cause = Some(Cause::Signal(Signal::TERM)),
                Some(_) => {}
                None => return,
            }
        }
    }

    /// The command's end, if it has ended. Orphans of the command that came here are waited for as well, but not while
    /// this program has processes of its own, which others wait for.
    fn reap(&self) -> Option<(Ended, Usage)> {
        let lost = (Ended::Code(125), Usage::default());
        if !self.facts.is_settled() || self.resources.is_asking() || self.room.is_asking() || self.weighing.is_asking()
        {
            return sys::reap_child(self.who.pid).unwrap_or(Some(lost));
        }
        loop {
            match sys::reap_with_usage() {
                Ok(Some((pid, ended, usage))) if pid == self.who.pid => return Some((ended, usage)),
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(_) => return Some(lost),
            }
        }
    }

    /// Time until the next thing to do.
    fn until_next(&self) -> Duration {
        let deadline = self.limit.filter(|_| self.kill_at.is_none()).map(|limit| self.who.clock + limit);
        let times = [
            Some(self.look_at),
            Some(self.cancel_at),
            Some(self.beat_at),
            self.resources.at(),
            deadline,
            self.finish_up_at(),
            self.kill_at,
            self.keeper.due(),
            self.weighing.due(),
        ];
        let next = times.into_iter().flatten().min().unwrap_or(self.look_at);
        next.saturating_duration_since(Instant::now())
    }

    fn on_time(&mut self, out: &mut Out) {
        let now = Instant::now();
        if now >= self.look_at {
            self.pause = if self.follower.look(out) { LOOK } else { (self.pause * 3 / 2).min(LONGEST_LOOK) };
            self.facts.look(&self.attempt.spool, self.attempt.token.run);
            if let Some(levels) = self.room.look(&self.attempt, now) {
                self.follower.judging().levels(&levels);
            }
            if self.follower.judge(&self.attempt) {
                self.begin_end(Cause::Rule);
            }
            if now >= self.kin_at {
                self.kin_at = now + KIN;
                self.ooms.see(self.who.pid);
            }
            self.look_at = Instant::now() + self.pause;
        }
        if self.keeper.due().is_some_and(|at| now >= at) {
            self.keeper.look(&self.attempt);
        }
        if self.weighing.due().is_some_and(|at| now >= at) {
            // Up to where it printed when it saved.
            self.follower.look(out);
            self.weighing.look(&self.attempt, &mut self.follower);
        }
        if self.finish_up_at().is_some_and(|at| now >= at) {
            self.finish_up();
        }
        if let Some(limit) = self.limit.filter(|limit| self.kill_at.is_none() && self.who.clock.elapsed() >= *limit) {
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
        if let Some(line) = self.resources.look(&self.attempt, now) {
            let gpus = self.resources.gpus();
            self.follower.judging().sample(&line, gpus);
        }
        if now >= self.beat_at {
            self.beat_at = now + HEARTBEAT;
            self.beats += 1;
            let path = self.attempt.spool.dir().join("hosts").join(self.attempt.runner.to_string());
            // A missing heartbeat is a sign to others, and that is all it is.
            let _ = files::overwrite(&path, format!("{}\n", self.beats).as_bytes());
        }
    }

    /// When the command is to be told to finish up, unless it has been, or its end has begun.
    fn finish_up_at(&self) -> Option<Instant> {
        let begun = self.kill_at.is_some() || matches!(self.cause, Some(Cause::FinishUp(..) | Cause::Notice(_)));
        let at = self.who.clock.checked_add(self.limit?.saturating_sub(self.finish_up?))?;
        (!begun).then_some(at)
    }

    fn finish_up(&mut self) {
        let (Some(before), Some(limit)) = (self.finish_up, self.limit) else { return };
        let left = show_duration(before);
        cli::tell(&format!("run {}: {left} left: USR1 tells it to save and leave", self.attempt.token.run));
        self.cause.get_or_insert(Cause::FinishUp(before, limit));
        self.send(Signal::USR1);
    }

    /// The engine will soon end this job: the command is told as it can bear it, USR1 if it said so, else TERM.
    fn on_notice(&mut self, notice: Notice) {
        let (run, why) = (self.attempt.token.run, notice.words());
        let told = matches!(self.cause, Some(Cause::FinishUp(..) | Cause::Notice(_)));
        if self.finish_up.is_none() || told && notice == Notice::Kill {
            cli::tell(&format!("run {run}: {why}: TERM is sent"));
            self.begin_end(Cause::Notice(notice));
            return;
        }
        cli::tell(&format!("run {run}: {why}: USR1 tells it to save and leave"));
        self.cause.get_or_insert(Cause::Notice(notice));
        self.send(Signal::USR1);
        if notice == Notice::Kill {
            self.kill_at.get_or_insert(Instant::now() + self.attempt.grace);
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
            Signal::TERM if batch::is_over() => self.begin_end(Cause::TimeLimit(self.who.clock.elapsed())),
            Signal::TERM => self.begin_end(Cause::Signal(signal)),
            Signal::INT => {
                self.interrupts += 1;
                self.cause.get_or_insert(Cause::Signal(signal));
                match self.interrupts {
                    1 => self.send(Signal::INT),
                    2 => self.begin_end(Cause::Signal(Signal::INT)),
                    _ => self.send(Signal::KILL),
                }
            }
            other => match engine::notice(&self.attempt, self.finish_up.is_some(), other) {
                Some(notice) => self.on_notice(notice),
                None => self.send(other),
            },
        }
    }

    /// TERM now, KILL after the grace time.
    fn begin_end(&mut self, cause: Cause) {
        // Told to finish up it did not, and what came then made it end; and a person's word beats all.
        match self.cause {
            Some(Cause::FinishUp(..)) | None => self.cause = Some(cause),
            Some(_) if cause == Cause::Cancelled => self.cause = Some(cause),
            Some(_) => {}
        }
        self.send(Signal::TERM);
        self.kill_at.get_or_insert(Instant::now() + self.attempt.grace);
    }

    fn send(&self, signal: Signal) {
        // The number of a group that is gone, and nobody's child, may be another's.
        if self.who.adopted.as_ref().is_some_and(|live| !live.lives()) {
            return;
        }
        // Gone already: its end is about to be seen.
        let _ = sys::kill_group(self.who.pid, signal);
        if matches!(signal, Signal::TERM | Signal::INT) {
            let _ = sys::kill_group(self.who.pid, Signal::CONT);
        }
    }
}
