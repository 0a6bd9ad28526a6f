//! Handing over: queued -> submitted, step by step as in nn-spool(5), and the way back.
//!
//! 1. batches/B is written; then each token moves to `submitted/N.g~ENGINE,sending.B_i`, durably.
//! 2. The engine takes the batch as one job array that bears the name B, or refuses it.
//! 3. Each token moves on to `submitted/N.g~ENGINE,ID`; or, refused, back to where it came from, with the next generation.
//!
//! The job of a task becomes `nn-run --claim N.g`, whose first act is the move from submitted/ to running/: the fence. So
//! what is in submitted/ has certainly not run, and whoever gives it back makes its job do nothing.

use super::batch::{self, Batch, FOLDER, How, Id, Record, Task, Wants};
use super::engine::{Engine, Handed, Limits};
use crate::base::error::{Error, Result};
use crate::base::files::{self, Moved};
use crate::base::json::{self, Value};
use crate::spool::job::Job;
use crate::spool::owner::Owner;
use crate::spool::state::{Folder, State, Token};
use crate::spool::store::Spool;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The longest label of a job's name.
const LABEL: usize = 24;

/// A run that is to be handed over: a token in queued/, or one that is to be handed over again.
#[derive(Clone, Debug)]
pub struct Ready {
    /// Where it is now
    pub token: Token,
    /// What was asked
    pub job: Job,
}

/// What became of runs that were to be handed over.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The engine has them: run, and its id there
    pub taken: Vec<(u64, String)>,
    /// They are where they were: the engine said no, for this reason
    pub refused: Vec<(u64, String)>,
    /// It is not known whether the engine has them: sync finds out
    pub unclear: Vec<(u64, String)>,
}

/// Hands runs over to engines.
pub struct Sender<'a> {
    spool: &'a Spool,
    engine: &'a dyn Engine,
    limits: Limits,
    me: Owner,
    runner: PathBuf,
    grace: Duration,
    how: How,
}

impl<'a> Sender<'a> {
    /// Asks the engine for its limits first: one that is not here is handed nothing.
    ///
    /// # Errors
    /// The engine does not answer.
    pub fn new(spool: &'a Spool, engine: &'a dyn Engine, runner: &Path, how: How) -> Result<Sender<'a>> {
        let limits = engine.limits()?;
        let asked = spool.config()?.duration("grace")?.unwrap_or(crate::spool::job::GRACE);
        // What the engine leaves between its word and its KILL must do for TERM, the grace, KILL and the record.
        let grace = limits.kill_wait.map_or(asked, |wait| asked.min(wait * 2 / 3));
        Ok(Sender { spool, engine, limits, me: Owner::me()?, runner: runner.to_path_buf(), grace, how })
    }

    /// Hands runs over, those with equal needs as one array, as large as the engine takes them. What it refuses for their
    /// number is tried by halves; the first that is refused for good ends it for those with the same needs.
    ///
    /// # Errors
    /// The spool cannot be changed.
    pub fn send(&self, ready: Vec<Ready>) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        let groups = by_wants(ready);
        let most = self.limits.tasks.unwrap_or(usize::MAX).max(1);
        let arrays: usize = groups.iter().map(|(_, ready)| ready.len().div_ceil(most)).sum();
        for (wants, ready) in groups {
            let mut rest = ready.as_slice();
            let mut refused = None;
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min(most));
                refused = self.send_or_halves(&wants, now, arrays, &mut outcome)?;
                rest = later;
                if refused.is_some() {
                    break;
                }
            }
            if let Some(why) = refused {
                outcome.refused.extend(rest.iter().map(|ready| (ready.token.run, why.clone())));
            }
        }
        Ok(outcome)
    }

    /// Hands over one array; or, when they are too many, its halves. Some: the engine takes no more, for this reason.
    fn send_or_halves(
        &self,
        wants: &Wants,
        ready: &[Ready],
        arrays: usize,
        outcome: &mut Outcome,
    ) -> Result<Option<String>> {
        let (back, why, too_many) = match self.send_one(wants, ready, arrays, outcome)? {
            Sent::All => return Ok(None),
            Sent::Refused { back, why, too_many } => (back, why, too_many),
        };
        if !too_many || back.len() < 2 {
            outcome.refused.extend(back.iter().map(|ready| (ready.token.run, why.clone())));
            return Ok(Some(why));
        }
        let (first, second) = back.split_at(back.len().div_ceil(2));
        let refused = self.send_or_halves(wants, first, arrays, outcome)?;
        match refused {
            None => self.send_or_halves(wants, second, arrays, outcome),
            Some(why) => {
                outcome.refused.extend(second.iter().map(|ready| (ready.token.run, why.clone())));
                Ok(Some(why))
            }
        }
    }

    /// One array, through all steps.
    fn send_one(&self, wants: &Wants, ready: &[Ready], arrays: usize, outcome: &mut Outcome) -> Result<Sent> {
        let batch = self.batch(wants, ready, arrays);
        let sending = self.begin(&batch, ready)?;
        if sending.is_empty() {
            return Ok(Sent::All);
        }
        match self.engine.submit(&batch) {
            Handed::Taken(ids) if ids.len() == batch.tasks.len() && ids.iter().all(|id| batch::is_id(id)) => {
                let noted = settle(self.spool, &batch.name, self.engine.name(), &sending, &ids)?;
                outcome.taken.extend(noted);
                Ok(Sent::All)
            }
            Handed::Taken(ids) => {
                let why = format!("{} answered with {} ids, which are none", self.engine.name(), ids.len());
                outcome.unclear.extend(sending.iter().map(|(_, token)| (token.run, why.clone())));
                Ok(Sent::All)
            }
            Handed::Unclear(why) => {
                outcome.unclear.extend(sending.iter().map(|(_, token)| (token.run, why.clone())));
                Ok(Sent::All)
            }
            Handed::Refused { why, too_many } => {
                let mut back = Vec::new();
                for (index, token) in &sending {
                    let Some(ready) = ready.get(*index) else { continue };
                    let to = token.again(ready.token.state.clone());
                    if self.spool.shift(token, &to)? == Moved::Won {
                        back.push(Ready { token: to, job: ready.job.clone() });
                    }
                }
                self.sync(&back)?;
                files::remove_tree(&batch.dir)?;
                Ok(Sent::Refused { back, why, too_many })
            }
        }
    }

    fn batch(&self, wants: &Wants, ready: &[Ready], arrays: usize) -> Batch {
        let name = batch::new_name(&self.me);
        let spool = self.spool.dir().to_path_buf();
        let next = |ready: &Ready| Task { run: ready.token.run, generation: ready.token.generation };
        let mut how = self.how.clone();
        // All arrays of one call together keep to it, as far as there is one for each.
        how.max_parallel = how.max_parallel.map(|most| (most / arrays.max(1)).max(1));
        Batch {
            dir: spool.join(FOLDER).join(&name),
            name,
            engine: self.engine.name().to_string(),
            submitter: self.me.clone(),
            label: label(ready),
            how,
            wants: wants.clone(),
            grace: self.grace,
            tasks: ready.iter().map(next).collect(),
            spool,
            runner: self.runner.clone(),
        }
    }

    /// Step 1. Who loses a run to a worker leaves it out; its task will find no token, and end at once.
    fn begin(&self, batch: &Batch, ready: &[Ready]) -> Result<Vec<(usize, Token)>> {
        batch.write(&self.engine.script(batch)?)?;
        let mut sending = Vec::with_capacity(ready.len());
        for (index, Ready { token, .. }) in ready.iter().enumerate() {
            let id = Id::Sending(batch.name.clone(), index).to_string();
            let to = token.to(State::Submitted(batch.engine.clone(), id));
            if self.spool.shift(token, &to)? == Moved::Won {
                sending.push((index, to));
            }
        }
        if sending.is_empty() {
            files::remove_tree(&batch.dir)?;
        } else {
            files::sync_dir(&self.spool.folder(Folder::Submitted))?;
        }
        Ok(sending)
    }

    fn sync(&self, back: &[Ready]) -> Result<()> {
        for folder in [Folder::Queued, Folder::Submitted] {
            if back.iter().any(|ready| ready.token.folder() == folder) {
                files::sync_dir(&self.spool.folder(folder))?;
            }
        }
        Ok(())
    }
}

enum Sent {
    All,
    Refused { back: Vec<Ready>, why: String, too_many: bool },
}

/// Step 3, when the engine has the batch. Returns the runs and their ids, those too that a task has started already.
///
/// # Errors
/// The spool cannot be changed; sync does it later.
pub fn settle(
    spool: &Spool,
    batch: &str,
    engine: &str,
    sending: &[(usize, Token)],
    ids: &[String],
) -> Result<Vec<(u64, String)>> {
    // Before the tokens: from now on nobody needs to look for the job by its name.
    Record::note_ids(spool, batch, ids)?;
    let mut settled = Vec::with_capacity(sending.len());
    for (index, token) in sending {
        let Some(id) = ids.get(*index) else { continue };
        let to = token.to(State::Submitted(engine.to_string(), id.clone()));
        // Lost: its task was quicker, or somebody called it off.
        if spool.shift(token, &to)? == Moved::Won {
            let details = json::map([("engine", Value::from(engine)), ("job", Value::from(id.as_str()))]);
            let _ = spool.event(token.run, false, "submitted", details);
        }
        settled.push((token.run, id.clone()));
    }
    files::sync_dir(&spool.folder(Folder::Submitted))?;
    Ok(settled)
}

/// Runs with equal wants, in the order of their first.
fn by_wants(ready: Vec<Ready>) -> Vec<(Wants, Vec<Ready>)> {
    let mut groups: Vec<(Wants, Vec<Ready>)> = Vec::new();
    for ready in ready {
        let wants = Wants::of(&ready.job);
        match groups.iter_mut().find(|(known, _)| *known == wants) {
            Some((_, all)) => all.push(ready),
            None => groups.push((wants, vec![ready])),
        }
    }
    groups
}

/// What people see in the engine's lists: the group or the name if all have the same, else "nn".
fn label(ready: &[Ready]) -> String {
    let common = |of: fn(&Job) -> Option<&str>| {
        let first = of(&ready.first()?.job)?;
        ready.iter().all(|ready| of(&ready.job) == Some(first)).then(|| first.to_string())
    };
    let text = common(Job::group).or_else(|| common(Job::name)).unwrap_or_else(|| "nn".into());
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' };
    let label: String = text.chars().map(plain).take(LABEL).collect();
    // Grid Engine takes no name that begins with a digit, and a dash begins an option.
    if label.starts_with(|c: char| c.is_ascii_alphabetic()) { label } else { format!("nn_{label}") }
}

/// A run that was submitted goes back to the queue; where it stood there.
///
/// # Errors
/// The spool cannot be changed.
pub fn give_back(spool: &Spool, token: &Token) -> Result<Option<Token>> {
    let back = token.again(State::Queued(spool.priority_of(token.run)));
    match spool.shift_durably(token, &back)? {
        Moved::Won => Ok(Some(back)),
        Moved::Lost => Ok(None),
    }
}

/// The options for runs that are handed over by themselves, from what was said the first time.
///
/// # Errors
/// Nothing is on record of a batch with this job.
pub fn how_before(records: &[Record], engine: &str, job: &str) -> Result<How> {
    let has = |record: &&Record| {
        record.engine == engine && record.ids.as_ref().is_some_and(|ids| ids.iter().any(|id| id == job))
    };
    let record = records.iter().find(has);
    record.map(|record| record.how.clone()).ok_or_else(|| {
        Error::other(format!("how {engine} job {job} was handed over is not on record any more: submit it anew"))
    })
}
