//! Inside a job of an engine: `--claim N.g` takes over what was submitted. The move from submitted/ to started is the
//! fence: whoever took the run back was quicker, or this is a second start of the same job, and nothing runs.
//!
//! A run that is interrupted here, and may go on, does not go to the queue but back to its engine.

use crate::prepare::Attempt;
use nn::base::cli;
use nn::base::error::{Error, Result};
use nn::base::files::Moved;
use nn::base::json::Value;
use nn::base::sys::Signal;
use nn::cluster::batch::Id;
use nn::cluster::environment;
use nn::cluster::gridengine;
use nn::cluster::ssh::host::is_host;
use nn::spool::batch::Batch;
use nn::spool::owner::Owner;
use nn::spool::state::{Folder, How, State, Token};
use nn::spool::store::Spool;
use std::ffi::OsString;
use std::process::{Command, Stdio};

/// So often a token is looked for that whoever hands it over is just moving on.
const LOOKS: u32 = 5;

/// The job this process runs in.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineJob {
    /// The engine's name
    pub engine: String,
    /// The job's id there
    pub id: String,
}

/// What an engine says of a job while that runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Notice {
    /// Its time is nearly up
    Time,
    /// KILL comes soon
    Kill,
    /// It is about to be suspended
    Stop,
}

impl Notice {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Notice::Time => "the time of its job is nearly up",
            Notice::Kill => "its job will soon be killed",
            Notice::Stop => "its job will soon be suspended",
        }
    }
}

/// What an engine means by a signal to its job. Slurm sends what was asked for; Grid Engine USR2 before KILL and USR1
/// before STOP, neither of which reaches the command, which has a process group of its own. In a script of a person's own
/// these are for the command, unless that said what it understands (`finish_up`).
pub fn notice(attempt: &Attempt, finish_up: bool, signal: Signal) -> Option<Notice> {
    let of_script = || Batch::here().map(|batch| batch.engine).filter(|name| finish_up && *name == gridengine::NAME);
    let engine = attempt.engine.as_ref().map(|job| job.engine.as_str()).or_else(of_script)?;
    match (engine, signal) {
        (gridengine::NAME, Signal::USR1) => Some(Notice::Stop),
        (gridengine::NAME, Signal::USR2) => Some(Notice::Kill),
        (_, Signal::USR1) => Some(Notice::Time),
        _ => None,
    }
}

impl EngineJob {
    /// Writes it into attempt.json.
    pub fn note(&self, record: &mut Value) {
        record.set("engine", self.engine.as_str());
        record.set("job", self.id.as_str());
    }

    /// Reads it from there.
    pub fn of_record(record: &Value) -> Option<EngineJob> {
        Some(EngineJob { engine: record.str("engine")?.to_string(), id: record.str("job")?.to_string() })
    }
}

/// The token of a submitted run, `N.GENERATION`. None: it was taken back.
///
/// # Errors
/// It is not so named, or the spool cannot be read.
pub fn submitted(spool: &Spool, word: &str) -> Result<Option<(Token, EngineJob)>> {
    let (run, generation) =
        parse(word).ok_or_else(|| Error::usage(format!("--claim {word}: expected RUN.GENERATION, as in 17.1")))?;
    let Some(token) = find(spool, run, generation)? else { return Ok(None) };
    let State::Submitted(engine, id) = &token.state else { return Ok(None) };
    if is_host(engine) {
        return Err(Error::other(format!(
            "run {run} was handed to {engine}, where it is run under a number of its own"
        )));
    }
    if token.reported().is_some() {
        return Err(Error::other(format!("run {run} goes on elsewhere: its host only tells of it")));
    }
    // The name may still say that it is being handed over.
    let id = environment::job_id(engine).unwrap_or_else(|| id.clone());
    let job = EngineJob { engine: engine.clone(), id };
    Ok(Some((token, job)))
}

fn parse(word: &str) -> Option<(u64, u32)> {
    let (run, generation) = word.split_once('.')?;
    Some((run.parse().ok().filter(|run| *run > 0)?, generation.parse().ok()?))
}

fn find(spool: &Spool, run: u64, generation: u32) -> Result<Option<Token>> {
    let tokens = spool.tokens(Folder::Submitted)?;
    Ok(tokens.into_iter().find(|token| token.run == run && token.generation == generation))
}

/// submitted -> started, durably. None: it was taken back.
///
/// # Errors
/// It is unknown whether it was done: the command must not run.
pub fn fence(spool: &Spool, submitted: &Token, runner: &Owner) -> Result<Option<Token>> {
    let mut from = submitted.clone();
    for _ in 0..LOOKS {
        let started = from.to(State::Started(runner.clone(), runner.clone()));
        if spool.shift_durably(&from, &started)? == Moved::Won {
            return Ok(Some(started));
        }
        // Whoever hands it over has perhaps just learnt its id.
        match find(spool, submitted.run, submitted.generation)? {
            Some(token) => from = token,
            None => return Ok(None),
        }
    }
    Ok(None)
}

/// Whether an attempt was cut off by its engine, and not by what it did: others needed the place, or its time was over and
/// it has left a checkpoint to go on from. Without one it would only begin again, and come no further.
pub fn is_interrupted(attempt: &Attempt, how: How) -> bool {
    match how {
        How::Preempted => attempt.engine.is_some(),
        How::Time => attempt.engine.is_some() && has_come_further(attempt),
        _ => false,
    }
}

fn has_come_further(attempt: &Attempt) -> bool {
    let newest = attempt.checkpoints(|place| place.newest());
    let modified = newest.and_then(|path| std::fs::metadata(path).and_then(|meta| meta.modified()).ok());
    modified.is_some_and(|at| attempt.newest_before.is_none_or(|before| at > before))
}

/// Where a run of an engine goes when it is to be run again: to be handed over again. None: it is none.
pub fn again(attempt: &Attempt) -> Option<Token> {
    let EngineJob { engine, id } = attempt.engine.as_ref()?;
    let id = Id::Again(id.clone()).to_string();
    Some(attempt.token.again(State::Submitted(engine.clone(), id))).filter(Token::is_sound)
}

/// Has it handed over now, from inside the job that ends: sync knows by its id that this one is over. Where that cannot be
/// done from here, the next sync elsewhere does it.
pub fn hand_over_again(attempt: &Attempt) {
    let Some(job) = &attempt.engine else { return };
    let mut command = Command::new(cli::sibling("nn-queue").unwrap_or_else(|_| "nn-queue".into()));
    command.args(["sync", "--ending", &job.id]).env("NN_SPOOL", attempt.spool.dir());
    command.stdin(Stdio::null()).stdout(Stdio::null());
    if let Err(err) = command.status() {
        cli::warn(&format!("run {}: it is not handed over again from here: {err}", attempt.token.run));
    }
}

/// A command as bash runs it after the lines that the settings give for this engine, `ENGINE.setup`, each of which must
/// succeed.
///
/// # Errors
/// The settings are wrong.
pub fn with_setup(attempt: &Attempt, argv: Vec<OsString>) -> Result<Vec<OsString>> {
    let Some(job) = &attempt.engine else { return Ok(argv) };
    let key = format!("{}.setup", job.engine);
    let lines = attempt.spool.config()?.list(&key);
    if lines.is_empty() {
        return Ok(argv);
    }
    let mut script = String::new();
    for line in &lines {
        script += &format!(
            "{line}\n_nn=$?; [ $_nn = 0 ] || {{ echo \"nn-run: {key}: line failed with $_nn\" >&2; exit $_nn; }}\n"
        );
    }
    script += "unset _nn; exec \"$@\"\n";
    let words: [OsString; 4] = ["/bin/bash".into(), "-c".into(), script.into(), "bash".into()];
    Ok(words.into_iter().chain(argv).collect())
}
