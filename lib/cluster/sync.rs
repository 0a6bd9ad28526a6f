//! What became of what was handed over: engines are asked, each by one call, and the spool is brought up to date.
//!
//! - `sending`, and who sent it is dead: the job is found by its name, or there is none and the run goes back.
//! - With an id, and the job has ended although its token is still here: nn-run was never reached. Taken back by a person:
//!   cancelled; its node failed or others needed it: handed over again; else failed, with what its script printed.
//! - To be handed over again: done so, unless its last job was taken back by a person.
//! - Started on another host, and its job has ended: that proves its runner dead, which silence never does.
//!
//! Who does not answer is not taken for anything: then all stays as it is.

use super::batch::{Id, Record, Task};
use super::engine::{self, End, Engine, Fate};
use super::handover::{self, Outcome, Ready, Sender};
use crate::base::error::Result;
use crate::base::files::Moved;
use crate::base::json::{self, Value};
use crate::base::time::Time;
use crate::spool::owner::Life;
use crate::spool::recover::{self, Recovery};
use crate::spool::state::{Folder, How, State, Token};
use crate::spool::store::Spool;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::mpsc::channel;
use std::time::Duration;

/// Most bytes of what a job's script printed that are kept as evidence.
const MOST_WORDS: u64 = 2048;

/// How nn-run ends that found nothing to run.
const FENCE_LOST: i32 = 111;

/// What sync found and did.
#[derive(Debug, Default)]
pub struct Synced {
    /// Changed: run, and how
    pub changed: Vec<(u64, String)>,
    /// Handed over again, or not
    pub again: Outcome,
    /// Nothing is known of them, for this reason
    pub unknown: Vec<(u64, String)>,
}

/// An engine's answer about a job, or why there is none.
pub type Told = std::result::Result<Fate, String>;

/// What engines say of submitted runs, for people who do not wait longer than this for each.
///
/// # Errors
/// The settings are wrong.
pub fn fates(spool: &Spool, tokens: &[Token], patience: Duration) -> Result<HashMap<u64, Told>> {
    let config = spool.config()?;
    let mut told = HashMap::new();
    for (name, tokens) in by_engine(tokens) {
        let Some(engine) = engine::by_name(&name, &config) else { continue };
        let jobs: Vec<(u64, String)> = tokens.iter().filter_map(|(token, id)| Some((token.run, job_of(id)?))).collect();
        if jobs.is_empty() {
            continue;
        }
        let ids: Vec<String> = jobs.iter().map(|(_, id)| id.clone()).collect();
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            let _ = sender.send(engine.ask(&ids));
        });
        match answers.recv_timeout(patience) {
            Ok(Ok(fates)) => {
                told.extend(jobs.into_iter().filter_map(|(run, id)| Some((run, Ok(fates.get(&id)?.clone())))));
            }
            Ok(Err(err)) => told.extend(jobs.into_iter().map(|(run, _)| (run, Err(err.to_string())))),
            Err(_) => told.extend(jobs.into_iter().map(|(run, _)| (run, Err(format!("{name} does not answer"))))),
        }
    }
    Ok(told)
}

fn job_of(id: &Id) -> Option<String> {
    match id {
        Id::Job(job) => Some(job.clone()),
        Id::Sending(..) | Id::Again(_) => None,
    }
}

fn by_engine(tokens: &[Token]) -> BTreeMap<String, Vec<(&Token, Id)>> {
    let mut engines: BTreeMap<String, Vec<(&Token, Id)>> = BTreeMap::new();
    for token in tokens {
        if let State::Submitted(engine, id) = &token.state {
            engines.entry(engine.clone()).or_default().push((token, Id::parse(id)));
        }
    }
    engines
}

/// Asks one engine and does what follows. `ending`: a job that is just ending by itself, and is taken for ended.
///
/// # Errors
/// The spool cannot be read or changed.
pub fn sync(spool: &Spool, engine: &dyn Engine, runner: &Path, ending: Option<&str>) -> Result<Synced> {
    let mut sync = Sync { spool, engine, records: Record::all(spool)?, done: Synced::default() };
    sync.records.retain(|record| record.engine == engine.name());
    sync.sending()?;
    // Listed before the engine is asked: what it says ended has ended after that.
    let submitted = spool.tokens(Folder::Submitted)?;
    let started = sync.started_elsewhere()?;
    let mine = by_engine(&submitted).remove(engine.name()).unwrap_or_default();
    let mut ids: HashSet<String> = HashSet::new();
    for (_, id) in &mine {
        match id {
            Id::Job(job) | Id::Again(job) => drop(ids.insert(job.clone())),
            Id::Sending(..) => {}
        }
    }
    ids.extend(started.iter().map(|(_, id)| id.clone()));
    if ids.is_empty() {
        return Ok(sync.done);
    }
    let mut ids: Vec<String> = ids.into_iter().collect();
    ids.sort_unstable();
    let mut fates = match engine.ask(&ids) {
        Ok(fates) => fates,
        Err(err) => {
            let runs = mine.iter().map(|(token, _)| token.run).chain(started.iter().map(|(token, _)| token.run));
            let why = err.to_string();
            sync.done.unknown.extend(runs.map(|run| (run, why.clone())));
            HashMap::new()
        }
    };
    if let Some(job) = ending.filter(|job| fates.get(*job) != Some(&Fate::TakenBack)) {
        fates.insert(job.to_string(), Fate::Ended(End::Time));
    }
    let mut again = Vec::new();
    for (token, id) in &mine {
        match id {
            Id::Job(job) => sync.submitted(token, job, fates.get(job))?,
            Id::Again(job) => again.extend(sync.interrupted(token, job, fates.get(job))?),
            Id::Sending(..) => {}
        }
    }
    for (token, id) in &started {
        sync.started(token, id, fates.get(id))?;
    }
    sync.send_again(again, runner)?;
    Ok(sync.done)
}

struct Sync<'a> {
    spool: &'a Spool,
    engine: &'a dyn Engine,
    records: Vec<Record>,
    done: Synced,
}

impl Sync<'_> {
    /// Batches whose handing over was cut off.
    fn sending(&mut self) -> Result<()> {
        let tokens = self.spool.tokens(Folder::Submitted)?;
        let mut batches: BTreeMap<String, Vec<(usize, Token)>> = BTreeMap::new();
        for (token, id) in by_engine(&tokens).remove(self.engine.name()).unwrap_or_default() {
            if let Id::Sending(batch, index) = id {
                batches.entry(batch).or_default().push((index, token.clone()));
            }
        }
        for (name, sending) in batches {
            self.cut_off(&name, &sending)?;
        }
        Ok(())
    }

    fn cut_off(&mut self, name: &str, sending: &[(usize, Token)]) -> Result<()> {
        let unknown = |why: &str| sending.iter().map(|(_, t)| (t.run, why.to_string())).collect::<Vec<_>>();
        let Some(record) = self.records.iter().find(|record| record.name == name).cloned() else {
            return self.back(sending, "its batch is not on record: queued again");
        };
        let life = record.submitter.as_ref().map_or(Life::Dead, |owner| owner.life());
        if life == Life::Alive {
            return Ok(());
        }
        let found = match record.ids.clone() {
            Some(ids) => Ok(Some(ids)),
            None => self.engine.find(&record),
        };
        match found {
            Ok(Some(ids)) if ids.len() == record.tasks.len() => {
                let settled = handover::settle(self.spool, name, self.engine.name(), sending, &ids)?;
                let told = |(run, id)| (run, format!("{} has it as {id}", self.engine.name()));
                self.done.changed.extend(settled.into_iter().map(told));
                self.records.iter_mut().filter(|r| r.name == name).for_each(|r| r.ids = Some(ids.clone()));
            }
            Ok(Some(_)) => {
                self.done.unknown.extend(unknown("its batch and the engine's job do not fit together"));
            }
            Ok(None) if life == Life::Dead => {
                let why = format!("{} never got it: queued again", self.engine.name());
                self.back(sending, &why)?;
            }
            Ok(None) => {
                let host = record.submitter.map_or_else(String::new, |owner| owner.host);
                let why = format!(
                    "{} has no such job, and whether {host} still hands it over is unknown from here",
                    self.engine.name()
                );
                self.done.unknown.extend(unknown(&why));
            }
            Err(err) => self.done.unknown.extend(unknown(&err.to_string())),
        }
        Ok(())
    }

    fn back(&mut self, sending: &[(usize, Token)], why: &str) -> Result<()> {
        for (_, token) in sending {
            if handover::give_back(self.spool, token)?.is_some() {
                self.changed(token, why);
            }
        }
        Ok(())
    }

    /// Started runs whose runner cannot be judged from here, and that run in a job of this engine.
    fn started_elsewhere(&self) -> Result<Vec<(Token, String)>> {
        let mut found = Vec::new();
        for token in self.spool.tokens(Folder::Running)? {
            let State::Started(_, runner) = &token.state else { continue };
            if !matches!(runner.life(), Life::Unknown | Life::Rebooted) {
                continue;
            }
            let task = Task { run: token.run, generation: token.generation };
            if let Some(id) = self.records.iter().find_map(|record| record.id_of(task)) {
                let id = id.to_string();
                found.push((token, id));
            }
        }
        Ok(found)
    }

    /// A submitted run, by what the engine says of its job.
    fn submitted(&mut self, token: &Token, job: &str, fate: Option<&Fate>) -> Result<()> {
        let name = self.engine.name();
        match fate {
            None => self.done.unknown.push((token.run, format!("{name} said nothing of job {job} that is understood"))),
            Some(Fate::Waiting(_) | Fate::Running | Fate::TakenBack) => {}
            Some(Fate::Gone) => self.give_back(token, &format!("{name} knows no job {job} any more"))?,
            // Its script comes to no such end: the engine has mistaken it for another, as after a loss of its own state.
            Some(Fate::Ended(End::Exit(0 | FENCE_LOST))) => {
                self.give_back(token, &format!("{name} takes job {job} for done"))?;
            }
            Some(Fate::Ended(End::Cancelled)) => {
                self.shift(token, &token.to(State::Cancelled), &format!("{name} job {job} was cancelled: cancelled"))?;
            }
            Some(Fate::Ended(end @ (End::Node | End::Preempted))) => {
                let again = token.again(State::Submitted(name.into(), Id::Again(job.into()).to_string()));
                let why = format!("{name} job {job} {}, and it had not started: to be handed over again", end.words());
                self.shift(token, &again, &why)?;
            }
            Some(Fate::Ended(end)) => self.never_started(token, job, end)?,
        }
        Ok(())
    }

    fn give_back(&mut self, token: &Token, why: &str) -> Result<()> {
        if handover::give_back(self.spool, token)?.is_some() {
            self.changed(token, &format!("{why}, and it has not run: queued again"));
        }
        Ok(())
    }

    /// The job ended before nn-run had the run: its script could not get so far, and would not the next time.
    fn never_started(&mut self, token: &Token, job: &str, end: &End) -> Result<()> {
        let how = match end {
            End::Exit(code) if *code != 0 => How::Exit(*code),
            End::Signal(signal) => How::Signal(*signal),
            End::Time => How::Time,
            End::Oom => How::Oom,
            _ => How::Unknown,
        };
        let name = self.engine.name();
        let mut evidence = format!("{name} job {job} {} before nn-run had the run", end.words());
        let words = self.printed(token);
        if !words.is_empty() {
            evidence += &format!(": {words}");
        }
        let failed = State::Failed(how);
        if self.spool.shift_durably(token, &token.to(failed.clone()))? == Moved::Won {
            let result = json::map([("evidence", Value::from(evidence.as_str())), ("ended", Time::now().into())]);
            // The name tells the truth without it.
            let _ = self.spool.write_result(token, &failed, &result);
            self.changed(token, &format!("{evidence}: failed"));
        }
        Ok(())
    }

    /// The end of what the script of a run's task printed.
    fn printed(&self, token: &Token) -> String {
        use std::io::{Read, Seek, SeekFrom};
        let task = Task { run: token.run, generation: token.generation };
        let place = self.records.iter().find_map(|record| {
            let index = record.tasks.iter().position(|other| *other == task)?;
            Some(self.spool.dir().join(super::batch::FOLDER).join(&record.name).join(format!("{index}.out")))
        });
        let read = || {
            let mut file = crate::base::files::open_regular(&place?).ok()?;
            let length = file.metadata().ok()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(MOST_WORDS))).ok()?;
            let mut bytes = Vec::new();
            file.take(MOST_WORDS).read_to_end(&mut bytes).ok()?;
            Some(String::from_utf8_lossy(&bytes).trim().to_string())
        };
        read().unwrap_or_default()
    }

    /// A run that was interrupted: Some, when it is to be handed over again now.
    fn interrupted(&mut self, token: &Token, job: &str, fate: Option<&Fate>) -> Result<Option<(Token, String)>> {
        match fate {
            Some(Fate::Ended(End::Cancelled) | Fate::TakenBack) => {
                let why = format!("{} job {job} was cancelled: cancelled", self.engine.name());
                self.shift(token, &token.to(State::Cancelled), &why)?;
                Ok(None)
            }
            Some(Fate::Ended(_) | Fate::Gone) => Ok(Some((token.clone(), job.to_string()))),
            // Its last job is ending; or nobody knows.
            Some(Fate::Waiting(_) | Fate::Running) | None => Ok(None),
        }
    }

    fn started(&mut self, token: &Token, job: &str, fate: Option<&Fate>) -> Result<()> {
        // That the engine has forgotten a job proves nothing.
        let Some(Fate::Ended(end)) = fate else { return Ok(()) };
        let name = self.engine.name();
        let told = recover::Told {
            words: format!("{name} job {job} {}", end.words()),
            end: match end {
                End::Cancelled => Some(State::Cancelled),
                End::Node | End::Preempted => Some(State::Submitted(name.into(), Id::Again(job.into()).to_string())),
                End::Oom => Some(State::Failed(How::Oom)),
                End::Time => Some(State::Failed(How::Time)),
                End::Exit(_) | End::Signal(_) | End::Other(_) => None,
            },
        };
        if let Some(mended) = Recovery::new().told(self.spool, token, &told)? {
            self.done.changed.push((mended.run, mended.what));
        }
        Ok(())
    }

    /// Hands over again, each with the options it had.
    fn send_again(&mut self, again: Vec<(Token, String)>, runner: &Path) -> Result<()> {
        let mut by_how: Vec<(super::batch::How, Vec<Ready>)> = Vec::new();
        for (token, job_id) in again {
            let how = handover::how_before(&self.records, self.engine.name(), &job_id);
            match (how, self.spool.job(token.run)) {
                (Ok(how), Ok(job)) => match by_how.iter_mut().find(|(known, _)| *known == how) {
                    Some((_, ready)) => ready.push(Ready { token, job }),
                    None => by_how.push((how, vec![Ready { token, job }])),
                },
                (Err(err), _) | (_, Err(err)) => {
                    if handover::give_back(self.spool, &token)?.is_some() {
                        self.changed(&token, &format!("queued again: {err}"));
                    }
                }
            }
        }
        for (how, ready) in by_how {
            let sent = Sender::new(self.spool, self.engine, runner, how).and_then(|sender| sender.send(ready.clone()));
            match sent {
                Ok(outcome) => {
                    self.done.again.taken.extend(outcome.taken);
                    self.done.again.refused.extend(outcome.refused);
                    self.done.again.unclear.extend(outcome.unclear);
                }
                Err(err) => {
                    let why = err.to_string();
                    self.done.again.refused.extend(ready.iter().map(|ready| (ready.token.run, why.clone())));
                }
            }
        }
        Ok(())
    }

    fn shift(&mut self, token: &Token, to: &Token, why: &str) -> Result<()> {
        if self.spool.shift_durably(token, to)? == Moved::Won {
            self.changed(token, why);
        }
        Ok(())
    }

    fn changed(&mut self, token: &Token, why: &str) {
        let details = json::map([("from", Value::from(token.name())), ("what", Value::from(why))]);
        let _ = self.spool.event(token.run, false, "sync", details);
        self.done.changed.push((token.run, why.to_string()));
    }
}
