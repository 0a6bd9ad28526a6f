//! All that comes before the command: the job, the claim, the fence, the attempt.
//!
//! A run that this process makes for itself is born claimed by it, and nothing waits for the disk. A claimed run is taken
//! over by the fence, see nn-spool(5).

use crate::Opts;
use crate::batch;
use crate::engine::{self, EngineJob};
use nn::base::cli::{self, Exit};
use nn::base::error::{Doing, Error, Result};
use nn::base::files::{self, Moved};
use nn::base::json::{self, Value};
use nn::base::sys::{Signal, Signals};
use nn::base::time::Time;
use nn::mail::news;
use nn::record::checkpoint::{Checkpoint, Place};
use nn::record::facts::git;
use nn::record::resources;
use nn::spool::attempts::attempts;
use nn::spool::batch::Batch;
use nn::spool::job::{GRACE, Job, parse_needs};
use nn::spool::owner::Owner;
use nn::spool::select::select_one;
use nn::spool::snapshot::{Code, work};
use nn::spool::state::{Folder, State, Token};
use nn::spool::store::{Spool, environment, least_environment, read_environment, variables};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Status of a runner whose claim was taken back: it has run nothing.
pub const FENCE_LOST: u8 = 111;
/// The same in a batch job: less than schedulers have between theirs, which Slurm calls KillWait, so that the end is recorded.
const BATCH_GRACE: Duration = Duration::from_secs(20);
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
    /// The newest complete checkpoint they left
    pub checkpoint: Option<PathBuf>,
    /// When the newest one was changed, before this attempt
    pub newest_before: Option<SystemTime>,
    /// Nothing speaks against another attempt, while retries are left
    pub may_again: bool,
    pub git: Option<git::Taking>,
    pub git_in_time: bool,
    pub signals: Signals,
    pub grace: Duration,
    /// Time between two samples of what it uses, zero for none
    pub sample_every: Duration,
    pub quiet: bool,
    /// A worker started it, or an engine: nobody sits at its standard input
    pub of_worker: bool,
    /// The engine it was handed to, in whose job this process is
    pub engine: Option<EngineJob>,
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
        let job = self.job.as_ref().ok();
        job.and_then(|job| work::cwd(&self.spool, self.token.run, job)).unwrap_or_else(|| PathBuf::from("/"))
    }

    /// Whether the runner of the attempt before lived to read all of its log.
    pub fn was_followed_to_its_end(&self) -> bool {
        let result = self.former.last().and_then(|former| former.get("result"));
        result.is_some_and(|result| result.get("metrics").is_some() && result.int("attempt") == Some(self.number - 1))
    }

    /// The directory the command is given for its checkpoints.
    pub fn checkpoint_dir(&self) -> PathBuf {
        self.dir().join("checkpoints")
    }

    /// Asks something about the run's checkpoints.
    pub fn checkpoints<T>(&self, ask: impl FnOnce(&Place) -> T) -> T {
        self.matching(self.job.as_ref().ok().and_then(Job::checkpoint), ask)
    }

    /// The checkpoints whose norms are asked for, the newest first.
    pub fn weights(&self) -> Vec<Checkpoint> {
        self.matching(self.job.as_ref().ok().and_then(Job::weights), |place| place.all())
    }

    fn matching<T>(&self, pattern: Option<&str>, ask: impl FnOnce(&Place) -> T) -> T {
        let job = self.job.as_ref().ok();
        let first = self.former.first().and_then(|first| first.str("started")).and_then(Time::parse);
        let began = first.or_else(|| job.and_then(Job::added));
        let since = began.and_then(system_time);
        let (own, cwd) = (self.checkpoint_dir(), self.cwd());
        ask(&Place { own: &own, cwd: &cwd, pattern, since })
    }

    /// The same run once more, by this process, its end being on record. None: somebody else has decided about it.
    ///
    /// # Errors
    /// The spool cannot be changed; nothing has run.
    pub fn again(self) -> Result<Option<Attempt>> {
        let claimed = self.token.again(State::Claimed(self.runner.clone()));
        if self.spool.shift(&self.token, &claimed)? == Moved::Lost {
            return Ok(None);
        }
        let Attempt { spool, runner, signals, grace, quiet, of_worker, sample_every, job, env, .. } = self;
        let claim = Claim { token: claimed, job, env, born_here: false, engine: None };
        enter(Entering { spool, runner, signals, grace, quiet, of_worker, sample_every }, claim)
    }
}

/// A time as file systems know it.
pub fn system_time(time: Time) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_millis(u64::try_from(time.ms()).ok()?))
}

/// What there is to be done.
pub enum Plan {
    /// A command is to be started
    Start(Box<Attempt>),
    /// Nothing; leave with this status
    Leave(Exit),
}

/// Everything up to the fence and over it.
///
/// # Errors
/// There is no spool, or it cannot be changed; nothing has run.
pub fn prepare(opts: Opts) -> Result<Plan> {
    let Ground { spool, grace, sample_every, signals } = ground(&opts)?;
    let runner = Owner::me()?;
    let (quiet, of_worker) = (opts.quiet, opts.claimed.is_some() || opts.claim.is_some());
    let claim = match (&opts.claimed, &opts.claim, &opts.resume) {
        (Some(name), ..) => taken_over(&spool, name)?,
        (None, Some(run), _) => match engine::submitted(&spool, run)? {
            Some((token, job)) => in_job(&spool, token, job)?,
            None => {
                cli::tell(&format!("run {run}: it was taken back, nothing was run"));
                return Ok(Plan::Leave(Exit(FENCE_LOST)));
            }
        },
        (None, None, Some(run)) => resumed(&spool, run, &runner)?,
        (None, None, None) => match own(&spool, opts, &runner)? {
            Ok(claim) => claim,
            Err(run) => {
                cli::tell(&format!("run {run} of this job is done: it is not run again"));
                return Ok(Plan::Leave(Exit::DONE));
            }
        },
    };
    let entered = enter(Entering { spool, runner, signals, grace, quiet, of_worker, sample_every }, claim)?;
    Ok(entered.map_or(Plan::Leave(Exit(FENCE_LOST)), |attempt| Plan::Start(Box::new(attempt))))
}

/// What a runner stands on, whatever it is to do.
pub struct Ground {
    pub spool: Spool,
    pub grace: Duration,
    pub sample_every: Duration,
    pub signals: Signals,
}

/// Finds the spool and the settings, and catches signals.
///
/// # Errors
/// There is no spool, or the system refuses signals.
pub fn ground(opts: &Opts) -> Result<Ground> {
    let spool = Spool::find()?;
    let config = spool.config()?;
    let grace = match opts.grace {
        Some(grace) => grace,
        None => config.duration("grace")?.unwrap_or(if Batch::here().is_some() { BATCH_GRACE } else { GRACE }),
    };
    match config.get("judge").as_deref() {
        None | Some("on" | "off") => drop(config.rules()?),
        Some(other) => return Err(Error::other(format!("setting judge: '{other}' is neither on nor off"))),
    }
    news::Wanted::read(&config)?;
    let sample_every = config.duration("resources.every")?.unwrap_or(resources::EVERY);
    let signals = [Signal::CHLD, Signal::TERM, Signal::INT, Signal::HUP, Signal::USR1, Signal::USR2];
    let signals = Signals::catch(&signals).doing("catch", "signals")?;
    Ok(Ground { spool, grace, sample_every, signals })
}

/// What stays the same from one attempt of a run to the next.
struct Entering {
    spool: Spool,
    runner: Owner,
    signals: Signals,
    grace: Duration,
    quiet: bool,
    of_worker: bool,
    sample_every: Duration,
}

/// Over the fence, and what the attempt before left. None: the fence was lost.
fn enter(common: Entering, claim: Claim) -> Result<Option<Attempt>> {
    let Entering { spool, runner, signals, grace, quiet, of_worker, sample_every } = common;
    let Claim { token, job, env, born_here, engine } = claim;
    // What git said of frozen code was put on record with it.
    let in_place = job.as_ref().ok().filter(|job| job.code().is_none());
    let mut git = in_place.and_then(|job| git::begin(&job.cwd()?, &env));
    let Some(token) = fence(&spool, &token, &runner, born_here)? else {
        cli::tell(&format!("run {}: the claim was taken back, nothing was run", token.run));
        return Ok(None);
    };
    let (number, former) = attempts(&spool, token.run);
    let git_in_time = git.as_mut().is_none_or(|git| git.wait(GIT_LIMIT));
    let mut attempt = Attempt {
        spool,
        token,
        runner,
        job,
        env,
        number,
        former,
        checkpoint: None,
        newest_before: None,
        may_again: true,
        git,
        git_in_time,
        signals,
        grace,
        sample_every,
        quiet,
        of_worker,
        engine,
    };
    if number > 1 {
        attempt.checkpoint = attempt.checkpoints(|place| place.newest());
        attempt.newest_before = attempt.checkpoints(|place| place.all()).first().map(|found| found.modified);
    }
    Ok(Some(attempt))
}

/// A run that this process may start.
pub struct Claim {
    pub token: Token,
    pub job: std::result::Result<Job, String>,
    pub env: Vec<(OsString, OsString)>,
    /// This process made the run: nobody was promised anything
    pub born_here: bool,
    /// The engine in whose job this is
    pub engine: Option<EngineJob>,
}

/// A run that a worker claimed.
fn taken_over(spool: &Spool, name: &str) -> Result<Claim> {
    let token = Token::parse(Folder::Running, name).filter(|token| matches!(token.state, State::Claimed(_)));
    let token = token.ok_or_else(|| Error::usage(format!("'{name}' is not the token of a claimed run")))?;
    on_record(spool, token)
}

/// A claim on a run of the spool. A damaged one is taken over too: its end tells why.
fn on_record(spool: &Spool, token: Token) -> Result<Claim> {
    let job = spool.job(token.run).map_err(|err| err.to_string());
    let path = spool.run_dir(token.run).join("env");
    // A run made by hand may have none.
    let env = if path.exists() { read_environment(&path)? } else { least_environment() };
    Ok(Claim { token, job, env, born_here: false, engine: None })
}

/// A run that was handed to an engine, in whose job this process is.
fn in_job(spool: &Spool, token: Token, job: EngineJob) -> Result<Claim> {
    let claim = on_record(spool, token)?;
    let env = nn::cluster::environment::of_job(claim.env, variables());
    Ok(Claim { env, engine: Some(job), ..claim })
}

/// A run that has ended, or waits, is claimed by this process.
fn resumed(spool: &Spool, run: &str, me: &Owner) -> Result<Claim> {
    let run = select_one(spool, run)?;
    let from = spool.state_of(run)?.ok_or_else(|| Error::other(format!("run {run} has no state")))?;
    if let Some(why) = spool.job(run)?.elsewhere() {
        return Err(Error::other(format!("run {run} was {why}")));
    }
    let mine = State::Claimed(me.clone());
    let claimed = match &from.state {
        State::Queued(_) | State::Held(_) => from.to(mine),
        State::Failed(_) | State::Cancelled => {
            // The old request is not meant for the new attempt.
            files::remove(&spool.run_dir(run).join("cancel"))?;
            from.again(mine)
        }
        State::Done => return Err(Error::other(format!("run {run} is done ('nn-queue retry --done' runs it again)"))),
        State::Submitted(engine, id) => return Err(Error::other(format!("run {run} was handed to {engine} as {id}"))),
        State::Claimed(owner) | State::Started(_, owner) => {
            return Err(Error::other(format!("run {run} is running, under process {} on {}", owner.pid, owner.host)));
        }
    };
    match spool.shift(&from, &claimed)? {
        Moved::Won => on_record(spool, claimed),
        Moved::Lost => Err(Error::Again(format!("run {run}: somebody else was quicker, look again"))),
    }
}

/// A run of this process's own; in a batch job that was started again, that of the start before, or its number if it is done.
fn own(spool: &Spool, opts: Opts, me: &Owner) -> Result<std::result::Result<Claim, u64>> {
    let batch = Batch::here();
    let cwd = std::env::current_dir().doing("find", "the working directory")?;
    let mut job = Job::new(&opts.command, &cwd).json;
    if !opts.params.is_empty() {
        job.set("params", json::map(opts.params));
    }
    let texts = [
        ("name", opts.name.or_else(|| batch.as_ref()?.run_name().map(String::from))),
        ("group", opts.group),
        ("note", opts.note),
        ("metrics", opts.metrics),
        ("finish-up", opts.finish_up),
        ("checkpoint", opts.checkpoint),
        ("weights", opts.weights),
        ("keep-checkpoints", opts.keep),
        ("profile", opts.profile),
        ("notify", opts.notify),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            job.set(key, text);
        }
    }
    for (key, list) in [("tags", opts.tags), ("pattern", opts.patterns), ("rules", opts.rules)] {
        if !list.is_empty() {
            job.set(key, list);
        }
    }
    if let Some(retries) = opts.retries {
        job.set("retries", retries);
    }
    if let Some(time) = opts.time {
        job.set("needs", parse_needs(&format!("time={time}")).map_err(Error::usage)?);
    }
    if let Some(batch) = &batch {
        job.set("batch", batch.record());
    }
    let job = Job::check(job).map_err(Error::usage)?;
    if let Some(batch) = &batch
        && let Some(before) = batch::resumed(spool, batch, &job, me)?
    {
        return Ok(before);
    }
    let token = spool.add_claimed(&job, &environment(), me, batch.as_ref())?;
    Ok(Ok(Claim { token, job: Ok(job), env: variables(), born_here: true, engine: None }))
}

fn fence(spool: &Spool, claimed: &Token, runner: &Owner, born_here: bool) -> Result<Option<Token>> {
    if let State::Submitted(..) = claimed.state {
        return engine::fence(spool, claimed, runner);
    }
    if !born_here {
        return spool.start(claimed, runner);
    }
    let started = claimed.to(State::Started(runner.clone(), runner.clone()));
    Ok((spool.shift(claimed, &started)? == Moved::Won).then_some(started))
}

/// A parameter's name as part of a variable's name.
pub fn variable_name(name: &str) -> OsString {
    let kept: Vec<u8> = name.bytes().map(|b| if b.is_ascii_alphanumeric() || b == b'_' { b } else { b'_' }).collect();
    std::ffi::OsStr::from_bytes(&kept).to_os_string()
}
