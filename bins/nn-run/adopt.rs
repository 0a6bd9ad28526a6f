//! Adoption: an nn-run was killed and its command lives on. This process takes the run over, by a move of the token that
//! only one can win, and does for the command what the dead one would have done: reads on, keeps the time limit, passes
//! signals on, ends what is left at its end, and records that.
//!
//! A command that has ended meanwhile is adopted too: its log is read to the end, and what it left is ended; then the run
//! is lost.
//!
//! The command is found by what attempt.json says of it (pid, start time, and of which boot), or, when its runner died
//! before it wrote that, as the process group leader that carries NN_RUN_DIR. It is no child of this process, so nobody
//! owes it the exit status: a new kernel tells it all the same (sys::Process), and so does a zombie that nobody has waited
//! for; where neither does, the run ends with its exit status unknown, which is not taken for success.
//!
//! How far the dead runner had read the log is not known either: it is read again from the attempt's start, and only what
//! the history lacks is written to it (recorded.rs).

use crate::Opts;
use crate::engine::EngineJob;
use crate::prepare::{self, Attempt, FENCE_LOST, Ground};
use crate::watch::{self, Who};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Doing, Error, Result};
use nn::base::files::{self, Moved};
use nn::base::json::{self, Value};
use nn::base::sys::{self, Ended, Process};
use nn::base::time::Time;
use nn::record::history::Recorded;
use nn::record::history::join::Start;
use nn::spool::owner::{self, Life, Owner};
use nn::spool::recover::survivors;
use nn::spool::state::{Folder, State, Token};
use nn::spool::store::{Spool, read_environment, variables};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The longest that a dead command's parent is waited for: only then does the kernel tell how it ended.
const PATIENCE: Duration = Duration::from_secs(2);

/// A command that is no child of this process.
pub struct Live {
    /// It leads the process group of this number; 0: it is gone and was never known
    pub pid: u32,
    me: Owner,
    process: Option<Process>,
    /// The kernel shows this process the exit status of that one
    is_shown: bool,
    run_dir: PathBuf,
    /// The runner it had
    pub runner: Owner,
    /// It had ended before it was adopted
    pub is_gone: bool,
}

impl Live {
    /// How it ended: Some(None) when it has and nobody can tell. None: it lives.
    pub fn ended(&self) -> Option<Option<Ended>> {
        if self.lives() {
            return None;
        }
        let begun = Instant::now();
        loop {
            let zombie = owner::status_of_zombie(self.pid, self.me.start);
            // Zero is also what is shown to those who may not see it.
            if let Some(status) = zombie.filter(|status| *status != 0 || self.is_shown) {
                return Some(Some(Ended::of_status(status)));
            }
            let told = self.process.as_ref().and_then(Process::ended);
            if told.is_some() || zombie.is_none() || begun.elapsed() > PATIENCE {
                return Some(told);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether it runs.
    pub fn lives(&self) -> bool {
        match &self.process {
            Some(process) => !sys::wait_readable(process, Duration::ZERO),
            None => self.pid != 0 && self.me.life() != Life::Dead,
        }
    }

    /// What wakes a wait when it has ended.
    pub fn process(&self) -> Option<&Process> {
        self.process.as_ref()
    }

    /// What lives of the run: the command's group, and whatever carries the run's directory in its environment.
    pub fn kin(&self) -> Vec<u32> {
        let mut kin = if self.pid == 0 { Vec::new() } else { owner::group(self.pid) };
        kin.extend(survivors(&self.run_dir));
        kin.sort_unstable();
        kin.dedup();
        kin
    }

    /// Finds the command of a started run whose runner is dead.
    fn find(spool: &Spool, token: &Token, attempt: &Value, runner: &Owner) -> Live {
        let run_dir = spool.run_dir(token.run);
        let number = |key: &str| attempt.int(key).and_then(|n| u64::try_from(n).ok());
        let recorded = number("pid").and_then(|pid| u32::try_from(pid).ok()).zip(number("start"));
        let (pid, start) = recorded.or_else(|| leader(&run_dir)).unwrap_or((0, 0));
        let me = Owner { pid, start, ..runner.clone() };
        // First held, then looked at: what is held cannot be given to another.
        let process = Process::open(pid).ok().filter(|_| me.life() == Life::Alive);
        let is_shown = owner::is_shown(pid);
        let mut live = Live { pid, me, process, is_shown, run_dir, runner: runner.clone(), is_gone: false };
        live.is_gone = !live.lives();
        live
    }
}

/// The first process group leader that carries the run's directory, and its start time.
fn leader(run_dir: &Path) -> Option<(u32, u64)> {
    let leads = |pid: &u32| owner::group_of(*pid) == Some(*pid);
    let leaders = survivors(run_dir).into_iter().filter(leads);
    leaders.filter_map(|pid| Some((pid, owner::start_of(pid)?))).min_by_key(|(_, start)| *start)
}

/// Adopts a run and follows its command to the end. 111: there is nothing to adopt any more, or another was quicker.
///
/// # Errors
/// The run's nn-run is not proved dead; the spool cannot be changed.
pub fn adopt(opts: Opts, name: &str, out: &mut Out) -> Result<Exit> {
    // It outlives whoever started it, and their terminal. A leader of a group is left alone already.
    let _ = sys::new_session();
    let Ground { spool, grace, sample_every, signals } = prepare::ground(&opts)?;
    let me = Owner::me()?;
    let token = Token::parse(Folder::Running, name);
    let Some((token, State::Started(worker, runner))) = token.map(|token| (token.clone(), token.state)) else {
        return Err(Error::usage(format!("'{name}' is not the token of a started run")));
    };
    let run = token.run;
    let lost = |why: &str| {
        cli::tell(&format!("run {run}: {why}, nothing was adopted"));
        Ok(Exit(FENCE_LOST))
    };
    if !runner.is_here() || runner.life() != Life::Dead {
        return Err(Error::Again(format!(
            "run {run}: its nn-run {} on {} is not proved dead",
            runner.pid, runner.host
        )));
    }
    let is_of_now = |value: &Value| value.int("generation") == Some(i64::from(token.generation));
    if spool.read(run, "result.json").ok().flatten().is_some_and(|result| is_of_now(&result)) {
        return lost("its end is on record");
    }
    let last = spool.read(run, "attempt.json").ok().flatten().unwrap_or(Value::Null);
    let current = if is_of_now(&last) { last.clone() } else { Value::Null };
    let live = Live::find(&spool, &token, &current, &runner);
    let mine = token.to(State::Started(worker.clone(), me.clone()));
    if spool.shift_durably(&token, &mine)? == Moved::Lost {
        return lost("somebody else was quicker");
    }
    if worker == runner
        && let Err(err) = spool.keep(run)
    {
        cli::warn(&err.to_string());
    }
    let job = spool.job(run).map_err(|err| err.to_string());
    let path = spool.run_dir(run).join("env");
    let env = if path.exists() { read_environment(&path)? } else { variables() };
    let (number, former) = match &current {
        Value::Null => nn::spool::attempts::attempts(&spool, run),
        current => (current.int("attempt").unwrap_or(1), current.list("former").unwrap_or_default().to_vec()),
    };
    let attempt = Attempt {
        spool,
        token: mine,
        runner: me,
        job,
        env,
        number,
        former,
        checkpoint: current.get("checkpoint").and_then(json::to_os).map(PathBuf::from),
        newest_before: current.str("started").and_then(Time::parse).and_then(prepare::system_time),
        may_again: true,
        git: None,
        git_in_time: false,
        signals,
        grace,
        sample_every,
        quiet: opts.quiet,
        of_worker: true,
        engine: EngineJob::of_record(&current),
    };
    let started = current.str("started").and_then(Time::parse).unwrap_or_else(Time::now);
    if !live.is_gone {
        record(&attempt, current, &live, started);
    }
    follow(attempt, live, started, out)
}

/// Who runs it now, for those who look, and for whoever adopts it next.
fn record(attempt: &Attempt, mut current: Value, live: &Live, started: Time) {
    let mut adopted = current.list("adopted").unwrap_or_default().to_vec();
    adopted.push(live.runner.to_string().into());
    if current == Value::Null {
        current = crate::command::record(attempt, Some(live.pid).filter(|pid| *pid != 0), started);
    }
    current.set("runner", attempt.runner.to_string());
    current.set("adopted", adopted);
    let run = attempt.token.run;
    let details = json::map([("from", Value::from(live.runner.to_string())), ("pid", live.pid.into())]);
    let spool = &attempt.spool;
    let recorded = spool.put_lazily(run, "attempt.json", &current);
    if let Err(err) = recorded.and_then(|()| spool.event(run, true, "adopted", details)) {
        cli::warn(&err.to_string());
    }
}

fn follow(attempt: Attempt, live: Live, started: Time, out: &mut Out) -> Result<Exit> {
    let path = attempt.dir().join("log");
    let log = files::open_append(&path).doing("open", &path)?;
    let start = Start::of_last(&attempt.dir()).unwrap_or_default();
    let recorded = Recorded::read(&attempt.dir().join("history.jsonl"), start.history);
    let now = Instant::now();
    let clock = owner::age(live.me.start).and_then(|age| now.checked_sub(age)).unwrap_or(now);
    let who = Who { pid: live.pid, started, clock, adopted: Some(live) };
    match watch::go_on(attempt, who, log, start, recorded, out)? {
        crate::end::Next::Ended(exit) => Ok(exit),
        // Only a run of this process's own is run again here.
        crate::end::Next::Again(_) => Ok(Exit::AGAIN),
    }
}
