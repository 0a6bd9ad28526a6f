//! The end of an attempt: nothing of it survives, how it ended is recorded with evidence, and its token moves to its last
//! folder, or back to the queue where it is to be run again (a run of nn-run's own is run again here, after the pause).
//! On a full disk the recording is tried again for a while and then done without: the move needs no space.

use crate::adopt::Live;
use crate::command::{self, Refused};
use crate::engine;
use crate::news;
use crate::prepare::Attempt;
use crate::verdict::verdict;
use crate::watch::{CANCEL, Cause, Who};
use nn::base::cli::{self, Exit};
use nn::base::error::Result;
use nn::base::files::Moved;
use nn::base::json::{self, Value};
use nn::base::sys::{self, Ended, Signal, Signals, Usage};
use nn::base::time::{Time, show_duration};
use nn::record::facts::Facts;
use nn::record::oom;
use nn::spool::snapshot::work;
use nn::spool::state::{How, State, Token};
use nn::spool::turn::{BACKOFF, Pause};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// The longest time that processes left behind by the command get between TERM and KILL.
const LEFTOVER_GRACE: Duration = Duration::from_secs(5);
/// After KILL: a process in the kernel's hands may take a while, or for ever.
const LEFTOVER_LIMIT: Duration = Duration::from_secs(10);
/// For so long a refused result.json is tried again.
const RECORD_LIMIT: Duration = Duration::from_millis(if cfg!(feature = "failpoints") { 500 } else { 30_000 });

/// What is known of the end.
pub struct End {
    /// None: nobody can tell how
    pub ended: Option<Ended>,
    pub usage: Option<Usage>,
    pub cause: Option<Cause>,
    /// The rule that ended it, with the values it saw
    pub rule: Option<String>,
    pub ooms: oom::Watch,
    pub facts: Facts,
    /// Processes that are not the command's: what nothing can end, what rules started
    pub spared: Vec<u32>,
    pub summary: Value,
}

/// What comes after an attempt.
pub enum Next {
    /// Nothing: leave with this status
    Ended(Exit),
    /// The next one
    Again(Box<Attempt>),
}

/// Records the end of a command.
///
/// # Errors
/// It cannot be recorded.
pub fn finish(mut attempt: Attempt, who: Who, end: End) -> Result<Next> {
    // The person at the terminal wanted it to stop, not to begin again.
    attempt.may_again &= end.cause != Some(Cause::Signal(Signal::INT));
    // In a job that is about to be killed nothing is begun.
    attempt.may_again &= attempt.of_worker || !matches!(end.cause, Some(Cause::Notice(_)));
    let mut facts = end.facts;
    let is_gone = who.adopted.as_ref().is_some_and(|live| live.is_gone);
    let mut hung = if is_gone { Vec::new() } else { facts.finish(&attempt.spool, attempt.token.run, &attempt.cwd()) };
    hung.extend(end.spared);
    let leftovers = end_leftovers(&attempt.signals, attempt.grace.min(LEFTOVER_GRACE), &hung, who.adopted.as_ref());
    let mut ooms = end.ooms;
    let (state, evidence) = verdict(who.pid, end.cause, end.ended, is_gone, || ooms.found(who.pid));
    // Nobody knows when a command ended that was found dead.
    let of_its_time = |value: Value| if is_gone { Value::Null } else { value };
    let mut result = json::map([
        ("attempt", Value::from(attempt.number)),
        ("started", of_its_time(who.started.into())),
        ("ended", Time::now().into()),
        ("duration", of_its_time(round(who.clock.elapsed().as_secs_f64()).into())),
    ]);
    let status = match end.ended {
        None => {
            result.set("exit", Value::Null);
            UNKNOWN
        }
        Some(Ended::Code(code)) => {
            result.set("exit", code);
            code
        }
        Some(Ended::Signal(signal, core)) => {
            result.set("signal", signal);
            result.set("core", core);
            128 + signal
        }
    };
    let mut evidence: Vec<String> = evidence.into_iter().collect();
    if let Some(rule) = end.rule.filter(|_| end.cause == Some(Cause::Rule)) {
        evidence.push(rule);
    }
    if let Some(live) = &who.adopted {
        evidence.push(match (live.is_gone, end.ended) {
            (true, None) => "runner and command are gone, and left no result".to_string(),
            (true, Some(_)) => "runner and command are gone; as a zombie it tells how it ended".to_string(),
            (false, None) => {
                format!("adopted: its nn-run {} had died, so its exit status is unknown", live.runner.pid)
            }
            (false, Some(_)) => format!("adopted: its nn-run {} had died", live.runner.pid),
        });
    }
    if !evidence.is_empty() {
        result.set("evidence", evidence.join("; "));
    }
    if leftovers > 0 {
        result.set("leftovers", leftovers);
    }
    if let Some(usage) = end.usage {
        result.set("cpu_user", round(usage.user));
        result.set("cpu_system", round(usage.system));
        result.set("max_rss", usage.max_rss);
    }
    result.set("metrics", end.summary);
    let status = match end.cause {
        Some(Cause::TimeLimit(_) | Cause::FinishUp(..) | Cause::Notice(_)) => TIMED_OUT,
        Some(Cause::Signal(Signal::TERM) | Cause::Rule) if status == 0 => 128 + Signal::TERM.0,
        _ => status,
    };
    record(attempt, state, result, Exit(u8::try_from(status).unwrap_or(u8::MAX)))
}

/// Its own when that of the command is not known.
const UNKNOWN: i32 = 1;
/// The status of timeout(1) for the same.
const TIMED_OUT: i32 = 124;

fn round(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e6
}

/// The command could not be started. When the system was only short of something a queued run goes back to the queue.
///
/// # Errors
/// It cannot be recorded.
pub fn not_started(attempt: Attempt, started: Time, refused: Refused) -> Result<Next> {
    let run = attempt.token.run;
    cli::tell(&format!("run {run}: {}", refused.why));
    if refused.passing && attempt.of_worker {
        let queued = || attempt.token.again(State::Queued(attempt.spool.priority_of(run)));
        let back = engine::again(&attempt).unwrap_or_else(queued);
        attempt.spool.shift_durably(&attempt.token, &back)?;
        return Ok(Next::Ended(Exit::AGAIN));
    }
    let _ = attempt.spool.put_lazily(run, "attempt.json", &command::record(&attempt, None, started));
    let result = json::map([
        ("attempt", Value::from(attempt.number)),
        ("started", started.into()),
        ("ended", Time::now().into()),
        ("exit", refused.status.into()),
        ("evidence", refused.why.into()),
    ]);
    let exit = Exit(u8::try_from(refused.status).unwrap_or(u8::MAX));
    conclude(&attempt, State::Failed(How::Exit(refused.status)), &result)?;
    Ok(Next::Ended(exit))
}

/// Records an end, and what comes after it: the run is queued again, or run again here, while retries are left.
fn record(attempt: Attempt, state: State, mut result: Value, exit: Exit) -> Result<Next> {
    let how = match (&state, &attempt.job) {
        (State::Failed(how), Ok(job))
            if attempt.may_again
                && (job.is_retried(attempt.number, *how) || engine::is_interrupted(&attempt, *how)) =>
        {
            *how
        }
        _ => {
            conclude(&attempt, state, &result)?;
            return Ok(Next::Ended(exit));
        }
    };
    result.set("again", true);
    if attempt.of_worker {
        let back = engine::again(&attempt);
        if let Some(State::Submitted(engine, id)) = back.as_ref().map(|token| &token.state) {
            result.set("submitted", format!("{engine},{id}"));
        }
        let back = back.unwrap_or_else(|| attempt.spool.again(&attempt.token));
        settle(&attempt, &state, back, &result)?;
        if how != How::Preempted {
            engine::hand_over_again(&attempt);
        }
        return Ok(Next::Ended(exit));
    }
    // Until the pause is over the run stays started, with its result on record: whoever finds it then queues it again.
    let written = write_result(&attempt, &state, &result);
    if written.is_err() || !wait_before_again(&attempt, how)? {
        conclude(&attempt, state, &result)?;
        return Ok(Next::Ended(exit));
    }
    event_of_end(&attempt, &state, true);
    Ok(match attempt.again()? {
        Some(next) => Next::Again(Box::new(next)),
        None => Next::Ended(exit),
    })
}

/// The pause before the next attempt. False: a signal came, or the run was called off; there is none.
fn wait_before_again(attempt: &Attempt, how: How) -> Result<bool> {
    let run = attempt.token.run;
    let base = attempt.spool.config()?.duration("backoff")?.unwrap_or(BACKOFF);
    let pause = Pause::after(&attempt.spool, run, attempt.token.generation, base);
    let pause = pause.map_or(Duration::ZERO, |pause| pause.delay);
    let in_a_while = if pause.is_zero() { String::new() } else { format!(" in {}", show_duration(pause)) };
    cli::tell(&format!("run {run}: {}; attempt {} begins{in_a_while}", how.words(), attempt.number + 1));
    let until = Instant::now() + pause;
    loop {
        if attempt.dir().join("cancel").exists() {
            return Ok(false);
        }
        let left = until.saturating_duration_since(Instant::now());
        match attempt.signals.wait(Some(left.min(CANCEL))) {
            Some(Signal::TERM | Signal::INT | Signal::HUP) => return Ok(false),
            _ if left.is_zero() => return Ok(true),
            _ => {}
        }
    }
}

/// The last end of a run.
fn conclude(attempt: &Attempt, state: State, result: &Value) -> Result<()> {
    if !attempt.of_worker
        && let Err(err) = attempt.spool.keep(attempt.token.run)
    {
        cli::warn(&err.to_string());
    }
    let to = attempt.token.to(state.clone());
    settle(attempt, &state, to, result)
}

/// result.json, the news, the event, the move; and before them, while the run is still this process's own, its copy of the code
/// goes.
fn settle(attempt: &Attempt, state: &State, to: Token, result: &Value) -> Result<()> {
    let (run, spool) = (attempt.token.run, &attempt.spool);
    if let Some(code) = attempt.code()
        && let Err(err) = work::prune(spool, run, &code)
    {
        cli::warn(&err.to_string());
    }
    let to = match write_result(attempt, state, result) {
        Ok(()) => to,
        Err(err) => {
            cli::complain(&err);
            cli::tell(&format!("run {run}: ends without result.json, its state tells how"));
            attempt.token.to(state.clone())
        }
    };
    let is_news = event_of_end(attempt, state, !to.folder().is_end());
    if spool.shift_durably(&attempt.token, &to)? == Moved::Lost {
        cli::tell(&format!("run {run}: somebody else has decided how it ended"));
    }
    if is_news {
        news::tell(attempt);
    }
    Ok(())
}

/// Less than the result: what is refused here stood there already. True: it is to be told by mail.
fn event_of_end(attempt: &Attempt, state: &State, again: bool) -> bool {
    let mut details = attempt.token.to(state.clone()).outcome();
    if again {
        details.set("again", true);
    }
    let is_news = news::keep(attempt, "ended", &details);
    let _ = attempt.spool.event(attempt.token.run, true, "ended", details);
    is_news
}

/// Tries for a while; a signal ends the patience.
fn write_result(attempt: &Attempt, state: &State, result: &Value) -> Result<()> {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(100);
    loop {
        let Err(err) = attempt.spool.write_result(&attempt.token, state, result) else { return Ok(()) };
        if begun.elapsed() + pause > RECORD_LIMIT {
            return Err(err);
        }
        cli::warn(&format!("{err}; trying again"));
        match attempt.signals.wait(Some(pause)) {
            Some(Signal::TERM | Signal::INT) => return Err(err),
            _ => pause = (pause * 2).min(Duration::from_secs(8)),
        }
    }
}

/// Ends what the command left running, in its group or out of it (this process is the subreaper, so all of it is below),
/// but for processes that are not the command's, and what is below them; says how many processes that were.
fn end_leftovers(signals: &Signals, grace: Duration, hung: &[u32], adopted: Option<&Live>) -> u32 {
    let left = left(hung, adopted);
    let begun = Instant::now();
    let mut now = left.clone();
    send(&now, Signal::TERM);
    while !now.is_empty() && begun.elapsed() < grace + LEFTOVER_LIMIT {
        signals.wait(Some(Duration::from_millis(50)));
        // Anew each time: what is dying may still fork.
        now = self::left(hung, adopted);
        if begun.elapsed() > grace {
            send(&now, Signal::KILL);
        }
    }
    u32::try_from(left.len()).unwrap_or(u32::MAX)
}

fn send(pids: &[u32], signal: Signal) {
    for pid in pids {
        let _ = sys::kill(*pid, signal);
        let _ = sys::kill(*pid, Signal::CONT);
    }
}

/// What lives below this process; the dead are waited for. Usually there is nothing, which one system call tells. What an
/// adopted command left is elsewhere.
fn left(hung: &[u32], adopted: Option<&Live>) -> Vec<u32> {
    let mut left = adopted.map(Live::kin).unwrap_or_default();
    loop {
        match sys::reap() {
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(_) => return left,
        }
    }
    left.extend(descendants(hung));
    left.retain(|pid| !hung.contains(pid));
    left
}

/// Every process below this one, by the parents in /proc/PID/stat, but for some and what is below them.
fn descendants(but: &[u32]) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok());
        if let Some((pid, parent)) = pid.and_then(|pid| Some((pid, nn::spool::owner::parent_of(pid)?))) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = Vec::new();
    let mut next = vec![std::process::id()];
    while let Some(parent) = next.pop() {
        for pid in children.remove(&parent).unwrap_or_default().into_iter().filter(|pid| !but.contains(pid)) {
            found.push(pid);
            next.push(pid);
        }
    }
    found
}
