//! wait: until runs have ended. The names in the folders of unfinished runs are read a few times a second; what is not
//! there any more is looked for among the ended ones, for it may also have gone back to the queue. When nothing is left but
//! runs that come after one that failed, nothing is worth waiting for.

use crate::engines;
use crate::host::{self, following::Following};
use crate::runs::{self, Refused};
use nn::base::args::{Arg, Args};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Error, Result};
use nn::base::time::parse_duration;
use nn::spool::state::{Folder, State, Token};
use nn::spool::store::Spool;
use nn::spool::turn::After;
use nn::spool::waits::Waits;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::fs::FileTypeExt;
use std::time::{Duration, Instant};

/// First and longest pause between two looks.
const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(1);

/// When nothing has ended for so long, it is told what is waited for.
const SILENCE: Duration = Duration::from_secs(if cfg!(feature = "failpoints") { 1 } else { 10 });

/// Waits, and prints how each run ended.
pub fn wait(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let (mut limit, mut given) = (None, Vec::new());
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Long(name) if name == "timeout" => {
                limit = Some(args.with("a duration such as 2h30m", parse_duration)?)
            }
            Arg::Value(value) => given.push(value),
            arg => return Err(arg.unexpected()),
        }
    }
    let spool = Spool::find()?;
    let mut left: BTreeSet<u64> = wanted(&spool, given)?.into_iter().collect();
    let _following = Following::begin(&spool, left.clone());
    let (started, mut pause) = (Instant::now(), FIRST);
    let mut all_done = true;
    let (mut silent_since, mut told) = (started, false);
    let mut chains = Chains::new(&spool, &left)?;
    tell_held(&spool, &left, &mut chains)?;
    loop {
        for (run, state) in ended(&spool, &left)? {
            left.remove(&run);
            all_done &= state == State::Done;
            let how = if let State::Failed(how) = state { how.words() } else { String::new() };
            let word = match state {
                State::Done => "done",
                State::Failed(_) => "failed",
                _ => "cancelled",
            };
            writeln!(out, "{run}\t{word}\t{how}")?;
            pause = FIRST;
            silent_since = Instant::now();
        }
        if left.is_empty() {
            return Ok(if all_done { Exit::DONE } else { Exit::NO });
        }
        if let Some(stuck) = chains.all_stuck(&spool, &left)? {
            for (run, why) in stuck {
                writeln!(out, "{run}\tqueued\t{why}")?;
            }
            return Ok(Exit::NO);
        }
        if !told && silent_since.elapsed() > SILENCE {
            told = tell_blocked(&spool, &left)?;
            silent_since = Instant::now();
        }
        out.flush()?;
        let remaining = limit.map(|limit: Duration| limit.saturating_sub(started.elapsed()));
        if remaining == Some(Duration::ZERO) {
            let mut slow = Refused::default();
            left.iter().for_each(|run| slow.add(*run, "not ended yet"));
            return Err(Error::Again(slow.lines().collect()));
        }
        std::thread::sleep(remaining.map_or(pause, |r| r.min(pause)));
        pause = (pause * 2).min(LONGEST);
    }
}

/// The runs named; without any, by a terminal or nobody: all that wait or run now.
fn wanted(spool: &Spool, given: Vec<OsString>) -> Result<Vec<u64>> {
    let nobody = std::fs::metadata("/dev/stdin").is_ok_and(|meta| meta.file_type().is_char_device());
    if !given.is_empty() || !nobody {
        return runs::find(spool, given);
    }
    let states = spool.states(&[Folder::Queued, Folder::Submitted, Folder::Running])?;
    Ok(states.into_keys().collect())
}

fn tell_held(spool: &Spool, left: &BTreeSet<u64>, chains: &mut Chains) -> Result<()> {
    for token in spool.tokens(Folder::Held)?.iter().filter(|token| left.contains(&token.run)) {
        cli::tell(&format!("run {} is held: it has to be released first", token.run));
    }
    for (run, after) in &chains.after {
        if let Some(behind) = chains.waits.behind(after)?.filter(|b| matches!(b.state, Some(State::Held(_)))) {
            cli::tell(&format!("run {run} waits: {}", behind.words()));
        }
    }
    Ok(())
}

/// Tells what the queued ones of these lack, as far as workers and engines say. True: there was something to tell.
fn tell_blocked(spool: &Spool, left: &BTreeSet<u64>) -> Result<bool> {
    let waits = Waits::new(spool)?;
    let mut blocked = Refused::default();
    let queued: BTreeSet<u64> = spool.tokens(Folder::Queued)?.iter().map(|token| token.run).collect();
    for run in queued.intersection(left) {
        if let Some(why) = spool.job(*run).ok().and_then(|job| waits.at_workers(*run, &job)) {
            blocked.add(*run, why);
        }
    }
    let submitted = spool.tokens(Folder::Submitted)?;
    let submitted: Vec<&Token> =
        submitted.iter().filter(|token| left.contains(&token.run) && !host::is_running(spool, token)).collect();
    engines::notes(spool, &submitted)?.into_iter().for_each(|(run, note)| blocked.add(run, note));
    let lines: Vec<String> = blocked.lines().collect();
    lines.iter().for_each(|line| cli::tell(&format!("still waiting for {line}")));
    Ok(!lines.is_empty())
}

/// The runs waited for that come after others.
struct Chains {
    after: BTreeMap<u64, After>,
    waits: Waits,
}

impl Chains {
    fn new(spool: &Spool, left: &BTreeSet<u64>) -> Result<Chains> {
        let after = |run: &u64| Some((*run, After::of(&spool.job(*run).ok()?)));
        let after = left.iter().filter_map(after).filter(|(_, after)| !after.is_empty()).collect();
        Ok(Chains { after, waits: Waits::new(spool)? })
    }

    /// When none of the runs left can ever start as things are: why.
    fn all_stuck(&mut self, spool: &Spool, left: &BTreeSet<u64>) -> Result<Option<Vec<(u64, String)>>> {
        if left.iter().any(|run| !self.after.contains_key(run)) {
            return Ok(None);
        }
        self.waits.look_again();
        let queued: BTreeSet<u64> = spool.tokens(Folder::Queued)?.iter().map(|token| token.run).collect();
        let mut stuck = Vec::new();
        for run in left {
            let Some(after) = self.after.get(run).filter(|_| queued.contains(run)) else { return Ok(None) };
            match self.waits.behind(after)? {
                Some(behind) if behind.hopeless => stuck.push((*run, behind.words())),
                _ => return Ok(None),
            }
        }
        Ok(Some(stuck))
    }
}

/// Which of these have ended, and how.
fn ended(spool: &Spool, left: &BTreeSet<u64>) -> Result<Vec<(u64, State)>> {
    let open = spool.states(&Folder::OPEN)?;
    if left.iter().all(|run| open.contains_key(run)) {
        return Ok(Vec::new());
    }
    let all = spool.states(&Folder::ALL)?;
    let end = |run: &u64| {
        let token = all.get(run).filter(|token| token.folder().is_end())?;
        // Between the two looks it may have come back to the queue.
        let is_newer = open.get(run).is_some_and(|o| o.rank() > token.rank());
        (!is_newer).then(|| (*run, token.state.clone()))
    };
    Ok(left.iter().filter_map(end).collect())
}
