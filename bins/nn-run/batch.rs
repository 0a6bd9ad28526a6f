//! In a batch job: how much time its scheduler leaves, and the run that goes on when the scheduler starts the job again.

use crate::prepare::Claim;
use nn::base::cli;
use nn::base::error::{Error, Result};
use nn::base::files::Moved;
use nn::base::json::{self, Value};
use nn::base::time::{parse_duration, show_duration};
use nn::record::ask::Asked;
use nn::spool::batch::{Batch, Former, former};
use nn::spool::job::Job;
use nn::spool::owner::Owner;
use nn::spool::state::State;
use nn::spool::store::{Spool, variables};
use std::process::Command;
use std::time::Duration;

/// So long before the job's time is over the command is ended at the latest, where it was to finish up: the end must be on
/// record before the scheduler kills all. A tenth of what is left, when that is less.
const MARGIN: Duration = Duration::from_secs(30);
/// A TERM that comes so long before the job's time is over, or later, is the scheduler's word that it is.
const NEAR_END: Duration = Duration::from_secs(5);
/// The longest that the scheduler is asked.
const PATIENCE: Duration = Duration::from_secs(5);
/// More than a duration is no answer.
const LONGEST_ANSWER: u64 = 4096;

/// The run of this script from before, claimed by this process: Some(Err) when it is done. None: there is none.
///
/// # Errors
/// It cannot go on; the spool cannot be used.
pub fn resumed(spool: &Spool, batch: &Batch, job: &Job, me: &Owner) -> Result<Option<std::result::Result<Claim, u64>>> {
    let from = match former(spool, batch, job)? {
        Former::None => return Ok(None),
        Former::Done(run) => return Ok(Some(Err(run))),
        Former::GoesOn(token) => token,
    };
    let run = from.run;
    let claimed = from.again(State::Claimed(me.clone()));
    if spool.shift(&from, &claimed)? == Moved::Lost {
        return Err(Error::Again(format!("run {run} of this job: somebody else was quicker, look again")));
    }
    let details = json::map([("from", Value::from(from.name())), ("batch", batch.facts())]);
    // The state is right already; the note about it may fail on a full disk.
    let _ = spool.event(run, false, "requeued", details);
    cli::tell(&format!("run {run} goes on: the job was started again"));
    let job = spool.job(run).map_err(|err| err.to_string());
    // The environment is that of this start: node names, GPUs, the time.
    Ok(Some(Ok(Claim { token: claimed, job, env: variables(), born_here: false, engine: None })))
}

/// The time limit of a command that is to finish up before the job's time is over, from now on. None: it has another, or
/// none that is known.
pub fn limit(job: &Job) -> Option<Duration> {
    let finish_up = job.finish_up()?;
    let batch = Batch::here()?;
    let known = || job.time_limit().is_some();
    let Some(left) = batch.left().or_else(|| ask(&batch)) else {
        if !known() {
            cli::warn(&format!("{} does not tell when the job ends: --finish-up needs --time here", batch.engine));
        }
        return None;
    };
    let limit = left.saturating_sub(MARGIN.min(left / 10));
    if limit <= finish_up {
        cli::warn(&format!("the job ends in {}: too soon to finish up", show_duration(left)));
        return None;
    }
    Some(limit)
}

/// Whether the job's time is over, or nearly.
pub fn is_over() -> bool {
    Batch::here().and_then(|batch| batch.left()).is_some_and(|left| left <= NEAR_END)
}

/// Slurm before 22.05 or so does not set SLURM_JOB_END_TIME.
fn ask(batch: &Batch) -> Option<Duration> {
    if batch.engine != "slurm" {
        return None;
    }
    let mut command = Command::new("squeue");
    command.args(["--noheader", "--format=%L", &format!("--jobs={}", batch.id)]);
    let mut asked = Asked::begin(command, LONGEST_ANSWER);
    asked.wait(PATIENCE);
    let answer = asked.take().filter(|answer| answer.code == Some(0))?;
    parse_duration(String::from_utf8_lossy(&answer.out).trim())
}
