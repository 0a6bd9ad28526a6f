//! A batch job was started again by its scheduler: what has become of the run that its script made before.
//!
//! That the scheduler starts the same job anew is its word that the former start is over, wherever that was, as a person's
//! word is (recover --host-is-dead). What can be seen from here must agree: an owner that lives, or a command that does,
//! keeps its run.

use super::Batch;
use crate::base::error::{Error, Result};
use crate::base::files;
use crate::spool::attempts::{attempts, record_unrecorded, recorded_end};
use crate::spool::job::Job;
use crate::spool::owner::{Life, Owner};
use crate::spool::recover::command_lives;
use crate::spool::state::{State, Token};
use crate::spool::store::Spool;

/// The run that the script made when it was started before.
#[derive(Debug)]
pub enum Former {
    /// There is none: make one
    None,
    /// It is done
    Done(u64),
    /// It goes on: to be moved from this state to the next generation
    GoesOn(Token),
}

/// The run that a job of this batch job made before. What can be settled of it is.
///
/// # Errors
/// It runs, or was called off; the spool cannot be used.
pub fn former(spool: &Spool, batch: &Batch, job: &Job) -> Result<Former> {
    if batch.restarts == 0 {
        return Ok(Former::None);
    }
    let Some(run) = batch.remembered(spool, job)? else { return Ok(Former::None) };
    // One without a token was never acknowledged, or was removed.
    let Some(token) = spool.state_of(run)? else { return Ok(Former::None) };
    match &token.state {
        State::Done => return Ok(Former::Done(run)),
        State::Queued(_) | State::Held(_) => {}
        State::Failed(_) => drop(files::remove(&spool.run_dir(run).join("cancel"))?),
        State::Cancelled => {
            return Err(Error::other(format!(
                "run {run} of this job was called off ('nn-queue retry {run}' takes that back)"
            )));
        }
        State::Submitted(engine, id) => return Err(Error::other(format!("run {run} was handed to {engine} as {id}"))),
        State::Claimed(owner) => over(run, owner)?,
        State::Started(_, runner) => {
            over(run, runner)?;
            if runner.is_here() && command_lives(spool, &token)? {
                return Err(Error::Again(format!("run {run} of this job goes on: 'nn-queue recover' follows it")));
            }
            if let Some(end) = recorded_end(spool, &token).filter(|end| matches!(end.state, State::Done)) {
                // Whoever does it: it is done.
                spool.shift_durably(&token, &end)?;
                return Ok(Former::Done(run));
            }
            put_on_record(spool, &token)?;
        }
    }
    Ok(Former::GoesOn(token))
}

fn over(run: u64, owner: &Owner) -> Result<()> {
    match owner.life() {
        Life::Alive => {
            Err(Error::Again(format!("run {run} of this job runs already, under process {} here", owner.pid)))
        }
        Life::Dead | Life::Rebooted | Life::Unknown => Ok(()),
    }
}

/// An attempt that left no attempt.json counts all the same.
fn put_on_record(spool: &Spool, token: &Token) -> Result<()> {
    let (next, former) = attempts(spool, token.run);
    let is_this = |attempt: &crate::base::json::Value| attempt.int("generation") == Some(i64::from(token.generation));
    if former.last().is_some_and(is_this) { Ok(()) } else { record_unrecorded(spool, token, next, former) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::state::How;
    use std::path::Path;

    #[test]
    fn what_becomes_of_it() {
        let dir = std::env::temp_dir().join(format!("nn-batch-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let spool = Spool::init(&dir, false).unwrap();
        let mut job = Job::new(&["true".into()], Path::new("/"));
        let mut batch = Batch { engine: "slurm", id: "7".into(), ..Batch::default() };
        job.json.set("batch", batch.record());
        let me = Owner::me().unwrap();
        let mut token = spool.add_claimed(&job, b"", &me, Some(&batch)).unwrap();
        assert!(matches!(former(&spool, &batch, &job), Ok(Former::None)), "not started again");
        batch.restarts = 1;
        assert!(former(&spool, &batch, &job).unwrap_err().to_string().contains("runs already"));
        let elsewhere = Owner { host: "elsewhere".into(), ..me.clone() };
        let goes_on = |token: &Token| matches!(former(&spool, &batch, &job), Ok(Former::GoesOn(t)) if t == *token);
        let mut to = |state: State| {
            let next = token.again(state);
            spool.shift(&token, &next).unwrap();
            token = next.clone();
            next
        };
        assert!(goes_on(&to(State::Claimed(elsewhere.clone()))));
        assert!(goes_on(&to(State::Started(elsewhere.clone(), elsewhere.clone()))));
        assert_eq!(attempts(&spool, 1).0, 2, "the attempt that was cut off is on record");
        assert!(goes_on(&to(State::Failed(How::Preempted))));
        assert!(goes_on(&to(State::Queued(4))));
        let cancelled = to(State::Cancelled);
        assert!(former(&spool, &batch, &job).unwrap_err().to_string().contains("called off"));
        // Its end was written, and the move was not done any more.
        let started = cancelled.again(State::Started(elsewhere.clone(), elsewhere));
        spool.shift(&cancelled, &started).unwrap();
        spool.write_result(&started, &State::Done, &crate::base::json::Value::Null).unwrap();
        assert!(matches!(former(&spool, &batch, &job), Ok(Former::Done(1))));
        assert_eq!(spool.state_of(1).unwrap().unwrap().state, State::Done);
        // Another command of the same job, and the same one of another rank.
        let other = Job::new(&["false".into()], Path::new("/"));
        assert!(matches!(former(&spool, &batch, &other), Ok(Former::None)));
        assert!(matches!(former(&spool, &Batch { rank: 1, ..batch.clone() }, &job), Ok(Former::None)));
        std::fs::remove_dir_all(spool.dir()).unwrap();
    }
}
