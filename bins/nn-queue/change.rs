//! hold, release, cancel, retry, prio: one move of a token each. Workers may be quicker: then the run is looked at again,
//! and either the verb still fits or the person is told what the run does now.
//!
//! All tokens are found by one look, moved, and the folders they came to synced once; only then the numbers are printed.

use crate::adopt;
use crate::engines;
use crate::host;
use crate::labels;
use crate::runs::{self, Refused};
use nn::base::args::{Arg, Args};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Error, Result};
use nn::base::files::{self, Moved};
use nn::base::json::{self, Value};
use nn::base::sys::{self, Signal};
use nn::cluster::ssh::host::is_host;
use nn::spool::attempts::is_of_script;
use nn::spool::owner::{Life, Owner, group_of};
use nn::spool::recover::Recovery;
use nn::spool::reported::Reported;
use nn::spool::state::{Folder, REPORT, State, Token};
use nn::spool::store::Spool;
use std::collections::BTreeSet;

/// Looks at a run again so often when others keep moving it.
const LOOKS: u32 = 5;

/// What a verb has to do to a run in the state it is in.
enum Step {
    /// Move the token
    Move(Token),
    /// Nothing: it is so already
    Already,
    /// Something else was done; the word that is printed for it
    Did(&'static str),
    /// It cannot be; the reason
    No(String),
    /// It was mended just now: look again
    Look,
}

/// What a verb does to a run.
type Act<'a> = dyn Fn(&Spool, &Token) -> Result<Step> + 'a;

/// queued or submitted -> held
pub fn hold(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let given = runs::operands(args)?;
    change("hold", given, out, &|spool, token| {
        Ok(match &token.state {
            State::Queued(priority) => Step::Move(token.to(State::Held(*priority))),
            State::Held(_) => Step::Already,
            State::Submitted(engine, _) if engines::is_engine(spool, engine)? => {
                Step::Move(token.again(State::Held(spool.priority_of(token.run))))
            }
            state => Step::No(reason(state)),
        })
    })
}

/// held -> queued
pub fn release(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let given = runs::operands(args)?;
    change("release", given, out, &|_, token| {
        Ok(match &token.state {
            State::Held(priority) => Step::Move(token.again(State::Queued(*priority))),
            State::Queued(_) => Step::Already,
            state => Step::No(reason(state)),
        })
    })
}

/// not started -> cancelled; started: asks its runner to stop it
pub fn cancel(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let given = runs::operands(args)?;
    let exit = change("cancel", given, out, &called_off)?;
    host::sync::call_off(&Spool::find()?)?;
    Ok(exit)
}

fn called_off(spool: &Spool, token: &Token) -> Result<Step> {
    Ok(match &token.state {
        State::Queued(_) | State::Held(_) | State::Claimed(_) => Step::Move(token.to(State::Cancelled)),
        State::Started(_, runner) => stop(spool, token, runner)?,
        State::Submitted(engine, _) if is_host(engine) => {
            files::create_empty_durable(&spool.run_dir(token.run).join("cancel"))?;
            Step::Did("stopping")
        }
        State::Submitted(engine, _) if engine == REPORT => tell_its_host(spool, token)?,
        State::Cancelled => Step::Already,
        State::Submitted(engine, _) if engines::is_engine(spool, engine)? => Step::Move(token.to(State::Cancelled)),
        state => Step::No(reason(state)),
    })
}

/// A run that goes on elsewhere: its host hears of it when it tells the next time. Asked once more, nobody waits for that.
fn tell_its_host(spool: &Spool, token: &Token) -> Result<Step> {
    if !files::create_empty_durable(&spool.run_dir(token.run).join("cancel"))? {
        return Ok(Step::Move(token.to(State::Cancelled)));
    }
    let words = Reported::of(spool, token.run).words();
    cli::tell(&format!(
        "run {}: {words}: it is stopped there with its next report (once more: cancelled here)",
        token.run
    ));
    Ok(Step::Did("stopping"))
}

/// cancel, for one run; the word for what it is now.
///
/// # Errors
/// It cannot be called off: why.
pub fn call_off(spool: &Spool, run: u64) -> Result<String> {
    let (from, step) = one(spool, run, None, &called_off)?;
    Ok(match step {
        Step::Move(to) => {
            files::sync_dir(&spool.folder(to.folder()))?;
            engines::let_go(spool, std::iter::once(&from))?;
            let details = json::map([("from", Value::from(from.path())), ("to", to.path().into())]);
            let _ = spool.event(run, false, "cancel", details);
            to.folder().name().into()
        }
        Step::Did(word) => word.into(),
        Step::No(why) => why,
        Step::Already | Step::Look => from.folder().name().into(),
    })
}

/// failed or cancelled (or done, when asked for) -> queued
pub fn retry(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let (mut done_too, mut given) = (false, Vec::new());
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Long(name) if name == "done" => done_too = true,
            Arg::Value(value) => given.push(value),
            arg => return Err(arg.unexpected()),
        }
    }
    change("retry", given, out, &|spool, token| {
        if token.folder().is_end()
            && let Some(why) = elsewhere(spool, token)
        {
            return Ok(Step::No(why));
        }
        Ok(match &token.state {
            State::Done if !done_too => Step::No("done (--done runs it again all the same)".into()),
            State::Done | State::Failed(_) | State::Cancelled => {
                // The old request is not meant for the new attempt.
                files::remove(&spool.run_dir(token.run).join("cancel"))?;
                Step::Move(token.again(State::Queued(spool.priority_of(token.run))))
            }
            State::Queued(_) => Step::Already,
            state => Step::No(reason(state)),
        })
    })
}

fn elsewhere(spool: &Spool, token: &Token) -> Option<String> {
    spool.job(token.run).ok()?.elsewhere()
}

/// queued and held: another priority; what has left the queue: when it comes back
pub fn prio(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let mut given = runs::operands(args)?;
    let what = || Error::usage("say which priority: a digit from 0 (first) to 9 (last), then the runs");
    let word = if given.is_empty() { None } else { Some(given.remove(0)) };
    let digit = word.and_then(|w| crate::add::digit(w.to_str()?)).ok_or_else(what)?;
    let to = u8::try_from(digit).map_err(|_| what())?;
    change("prio", given, out, &|spool, token| {
        labels::set(spool, token.run, "priority", Some(digit.into()))?;
        Ok(match &token.state {
            State::Queued(p) | State::Held(p) if *p == to => Step::Already,
            State::Queued(_) => Step::Move(token.again(State::Queued(to))),
            State::Held(_) => Step::Move(token.again(State::Held(to))),
            _ => Step::Did(token.folder().name()),
        })
    })
}

/// Why a verb does not fit.
pub fn reason(state: &State) -> String {
    match state {
        State::Queued(_) => "queued".into(),
        State::Held(_) => "held".into(),
        State::Submitted(engine, _) if engine == REPORT => "it goes on elsewhere, and its host only tells of it".into(),
        State::Submitted(engine, id) => format!("handed to {engine} as {id}"),
        State::Claimed(_) => "about to start".into(),
        State::Started(..) => "running".into(),
        State::Done => "done already".into(),
        State::Failed(how) => format!("failed already ({})", how.words()),
        State::Cancelled => "cancelled".into(),
    }
}

/// Asks a runner to stop its run.
fn stop(spool: &Spool, token: &Token, runner: &Owner) -> Result<Step> {
    let run = token.run;
    files::create_empty(&spool.run_dir(run).join("cancel"))?;
    match runner.life() {
        Life::Alive if runner.is_here() => {
            // It may have ended just now, which is as good. A script has no nn-run that ends what it started.
            let of_script = is_of_script(spool, token) && group_of(runner.pid) == Some(runner.pid);
            let _ =
                if of_script { sys::kill_group(runner.pid, Signal::TERM) } else { sys::kill(runner.pid, Signal::TERM) };
        }
        Life::Dead => {
            let mut recovery = Recovery::new().heard_by(adopt::herald);
            recovery.whole(spool)?;
            // The new nn-run sees the file at once.
            if !recovery.take_orphans().contains(token) || !adopt::start_and_wait(spool, token)? {
                return Ok(Step::Look);
            }
        }
        _ => cli::tell(&format!("run {run} runs on {}: its nn-run there sees this within seconds", runner.host)),
    }
    Ok(Step::Did("stopping"))
}

/// Does a verb to each of the runs named.
fn change(verb: &str, given: Vec<std::ffi::OsString>, out: &mut Out, act: &Act) -> Result<Exit> {
    let spool = Spool::find()?;
    let wanted = runs::find(&spool, given)?;
    let states = runs::states(&spool, &wanted)?;
    let mut refused = Refused::default();
    let mut done: Vec<(Token, Option<Token>, &str)> = Vec::new();
    for run in wanted {
        match one(&spool, run, states.get(&run).cloned(), act) {
            Ok((_, Step::No(reason))) => refused.add(run, reason),
            Ok((_, Step::Look)) => {}
            Ok((token, Step::Already)) => done.push((token.clone(), None, token.folder().name())),
            Ok((token, Step::Did(word))) => done.push((token, None, word)),
            Ok((token, Step::Move(to))) => {
                let word = to.folder().name();
                done.push((token, Some(to), word));
            }
            Err(err) => cli::complain(&err),
        }
    }
    let folders: BTreeSet<Folder> = done.iter().filter_map(|(_, to, _)| Some(to.as_ref()?.folder())).collect();
    for folder in folders {
        files::sync_dir(&spool.folder(folder))?;
    }
    engines::let_go(&spool, done.iter().filter(|(_, to, _)| to.is_some()).map(|(from, ..)| from))?;
    for (from, to, word) in done {
        if to.is_some() || word == "stopping" {
            let details = json::map([("from", Value::from(from.path())), ("to", to.map(|to| to.path()).into())]);
            // The state is right already; the note about it may fail on a full disk.
            let _ = spool.event(from.run, false, verb, details);
        }
        writeln!(out, "{}\t{word}", from.run)?;
    }
    refused.complain(verb);
    Ok(Exit::DONE)
}

/// Does it to one run, which others may be moving. Returns the token it was done to.
fn one(spool: &Spool, run: u64, mut token: Option<Token>, act: &Act) -> Result<(Token, Step)> {
    for _ in 0..LOOKS {
        if let Some(token) = token {
            let step = act(spool, &token)?;
            match &step {
                Step::Move(to) if spool.shift(&token, to)? == Moved::Lost => {}
                Step::Look => {}
                _ => return Ok((token, step)),
            }
        }
        token = spool.state_of(run)?;
    }
    Err(Error::Again(format!("run {run} has no state, or changes it all the time: try again")))
}
