//! All that comes before the command: the job, the claim, the fence, the attempt.
//!
//! A run that this process makes for itself is born claimed by it, and nothing waits for the disk. A claimed run is taken
//! over by the fence, see nn-spool(5).

use crate::Opts;
use nn::base::cli;
use nn::base::error::{Doing, Error, Result};
use nn::base::files::{self, Moved};
use nn::base::json::{self, Value};
use nn::base::sys::{Signal, Signals};
use nn::record::facts::git;
use nn::record::resources;
use nn::spool::job::{Job, parse_needs};
use nn::spool::owner::Owner;
use nn::spool::recover::attempts;
use nn::spool::snapshot::{Code, work};
use nn::spool::state::{Folder, State, Token};
use nn::spool::store::{Spool, environment, least_environment, read_environment, variables};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

/// Status of a runner whose claim was taken back: it has run nothing.
pub const FENCE_LOST: u8 = 111;
/// Time between TERM and KILL when nobody says otherwise.
const GRACE: Duration = Duration::from_secs(30);
/// The longest that git may delay a start.
const GIT_LIMIT: Duration = Duration::from_millis(50);

/// A run that is started and whose command is about to be.
pub struct Attempt {
    pub spool: Spool,
    pub token: Token,
    pub runner: Owner,
    /// What was asked, or why it cannot be done
    pub job: std::result::Result<Job, String>,
    pub env: Vec<(OsString, OsString)>,
    pub number: i64,
    /// The attempts before
    pub former: Vec<Value>,
    pub git: Option<git::Taking>,
    pub git_in_time: bool,
    pub signals: Signals,
    pub grace: Duration,
    /// Time between two samples of what it uses, zero for none
    pub sample_every: Duration,
    pub quiet: bool,
    /// A worker started it: nobody sits at its standard input
    pub of_worker: bool,
}

impl Attempt {
    /// The run's directory.
    pub fn dir(&self) -> PathBuf {
        self.spool.run_dir(self.token.run)
    }

    /// The snapshot of the code that it runs in, if it was frozen.
    pub fn code(&self) -> Option<Code> {
        self.job.as_ref().ok().and_then(Job::code)
    }

    /// Where the command runs.
    pub fn cwd(&self) -> PathBuf {
        match self.code() {
            Some(code) => work::dir(&self.spool, self.token.run, &code),
            None => self.job.as_ref().ok().and_then(Job::cwd).unwrap_or_else(|| PathBuf::from("/")),
        }
    }
}

/// Everything up to the fence and over it. None: the fence was lost.
///
/// # Errors
/// There is no spool, or it cannot be changed; nothing has run.
pub fn prepare(opts: Opts) -> Result<Option<Attempt>> {
    let spool = Spool::find()?;
    let config = spool.config()?;
    let grace = match opts.grace {
        Some(grace) => grace,
        None => config.duration("grace")?.unwrap_or(GRACE),
    };
    let sample_every = config.duration("resources.every")?.unwrap_or(resources::EVERY);
    let signals = [Signal::CHLD, Signal::TERM, Signal::INT, Signal::HUP, Signal::USR1, Signal::USR2];
    let signals = Signals::catch(&signals).doing("catch", "signals")?;
    let runner = Owner::me()?;
    let (quiet, of_worker) = (opts.quiet, opts.claimed.is_some());
    let claim = match opts.claimed {
        Some(name) => taken_over(&spool, &name)?,
        None => own(&spool, opts, &runner)?,
    };
    // What git said of frozen code was put on record with it.
    let in_place = claim.job.as_ref().ok().filter(|job| job.code().is_none());
    let mut git = in_place.and_then(|job| git::begin(&job.cwd()?));
    let Some(token) = fence(&spool, &claim.token, &runner, of_worker)? else {
        let run = claim.token.run;
        cli::tell(&format!("run {run}: the claim was taken back, nothing was run"));
        return Ok(None);
    };
    let (number, former) = former_attempts(&spool, token.run);
    let git_in_time = git.as_mut().is_none_or(|git| git.wait(GIT_LIMIT));
    let Claim { job, env, .. } = claim;
    Ok(Some(Attempt {
        spool,
        token,
        runner,
        job,
        env,
        number,
        former,
        git,
        git_in_time,
        signals,
        grace,
        sample_every,
        quiet,
        of_worker,
    }))
}

struct Claim {
    token: Token,
    job: std::result::Result<Job, String>,
    env: Vec<(OsString, OsString)>,
}

/// A run that a worker claimed. A damaged one is taken over too: its end tells why.
fn taken_over(spool: &Spool, name: &str) -> Result<Claim> {
    let token = Token::parse(Folder::Running, name).filter(|token| matches!(token.state, State::Claimed(_)));
    let token = token.ok_or_else(|| Error::usage(format!("'{name}' is not the token of a claimed run")))?;
    let job = spool.job(token.run).map_err(|err| err.to_string());
    let path = spool.run_dir(token.run).join("env");
    // A run made by hand may have none.
    let env = if path.exists() { read_environment(&path)? } else { least_environment() };
    Ok(Claim { token, job, env })
}

/// A run of this process's own.
fn own(spool: &Spool, opts: Opts, me: &Owner) -> Result<Claim> {
    let cwd = std::env::current_dir().doing("find", "the working directory")?;
    let mut job = Job::new(&opts.command, &cwd).json;
    if !opts.params.is_empty() {
        job.set("params", json::map(opts.params));
    }
    let texts = [("name", opts.name), ("group", opts.group), ("note", opts.note), ("metrics", opts.metrics)];
    for (key, text) in texts {
        if let Some(text) = text {
            job.set(key, text);
        }
    }
    for (key, list) in [("tags", opts.tags), ("pattern", opts.patterns)] {
        if !list.is_empty() {
            job.set(key, list);
        }
    }
    if let Some(time) = opts.time {
        job.set("needs", parse_needs(&format!("time={time}")).map_err(Error::usage)?);
    }
    let job = Job::check(job).map_err(Error::usage)?;
    let token = spool.add_claimed(&job, &environment(), me)?;
    Ok(Claim { token, job: Ok(job), env: variables() })
}

fn fence(spool: &Spool, claimed: &Token, runner: &Owner, of_worker: bool) -> Result<Option<Token>> {
    if of_worker {
        return spool.start(claimed, runner);
    }
    let started = claimed.to(State::Started(runner.clone(), runner.clone()));
    Ok((spool.shift(claimed, &started)? == Moved::Won).then_some(started))
}

/// The number of this attempt and what is on record of those before. Their history is put aside: one history is one
/// curve.
fn former_attempts(spool: &Spool, run: u64) -> (i64, Vec<Value>) {
    let (number, former) = attempts(spool, run);
    let dir = spool.run_dir(run);
    let history = dir.join("history.jsonl");
    if number > 1 && history.exists() {
        // Without room for it the two curves stay in one file, which is worse to read and loses nothing.
        let aside = dir.join("former");
        let name = format!("{}.history.jsonl", number - 1);
        let kept = files::make_dir(&aside).and_then(|_| files::mv(&history, &aside.join(name)));
        if let Err(err) = kept {
            cli::warn(&err.to_string());
        }
    }
    (number, former)
}

/// A parameter's name as part of a variable's name.
pub fn variable_name(name: &str) -> OsString {
    let kept: Vec<u8> = name.bytes().map(|b| if b.is_ascii_alphanumeric() || b == b'_' { b } else { b'_' }).collect();
    std::ffi::OsStr::from_bytes(&kept).to_os_string()
}
