//! The spool: where it is, what is in it, and every change of state. Each change is one rename of one empty token file
//! (`files::mv`), so the file system is the referee and nothing can be half done. nn-spool(5) tells each step and what a
//! crash before it leaves; `spool::recover` mends that.

mod add;
mod claim;
mod import;
mod origin;
mod place;
pub mod report;

pub use add::{environment, is_of_a_run, least_environment, read_environment, variables};
pub use claim::{Claims, Judge, May};
pub use import::{Ended, Fill, IMPORTED};
pub use origin::{Given, Origin, UNBORN, is_id};
pub use place::Spool;

use super::owner::Owner;
use super::state::{Folder, State, Token};
use crate::base::error::{Error, Result};
use crate::base::files::{self, Moved};
use crate::base::json::{self, Value};
use crate::base::time::Time;
use std::collections::HashMap;

impl Spool {
    /// The tokens of one folder, in no order. What is no token is left alone; `strays` tells of it.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn tokens(&self, folder: Folder) -> Result<Vec<Token>> {
        let names = files::names(&self.folder(folder))?;
        Ok(names.iter().filter_map(|name| Token::parse(folder, name.to_str()?)).collect())
    }

    /// Names in the state folders that are no tokens.
    ///
    /// # Errors
    /// A folder cannot be read.
    pub fn strays(&self) -> Result<Vec<std::path::PathBuf>> {
        let mut strays = Vec::new();
        for folder in Folder::ALL {
            let dir = self.folder(folder);
            let names = files::names(&dir)?;
            let is_stray = |name: &&std::ffi::OsString| name.to_str().and_then(|n| Token::parse(folder, n)).is_none();
            strays.extend(names.iter().filter(is_stray).map(|name| dir.join(name)));
        }
        Ok(strays)
    }

    /// The truth about the runs in these folders, by number: where a run is seen twice, the most advanced token.
    /// Folders must be given in listing order (`Folder::ALL`, `Folder::OPEN`).
    ///
    /// What moves forward meanwhile is met further on. What comes back to the queue is not, and within a folder that is
    /// renamed in a listing may skip; so the folders of unfinished runs, which are small, are read once more at each end.
    ///
    /// # Errors
    /// A folder cannot be read.
    pub fn states(&self, folders: &[Folder]) -> Result<HashMap<u64, Token>> {
        let (ended, open): (Vec<Folder>, Vec<Folder>) = folders.iter().partition(|folder| folder.is_end());
        let again = if open.is_empty() || ended.is_empty() { &[] } else { open.as_slice() };
        let mut states: HashMap<u64, Token> = HashMap::new();
        for folder in [open.as_slice(), &open, &ended, again].concat() {
            for token in self.tokens(folder)? {
                match states.get(&token.run) {
                    Some(other) if other.rank() >= token.rank() => {}
                    _ => {
                        states.insert(token.run, token);
                    }
                }
            }
        }
        Ok(states)
    }

    /// Where one run stands. None: it has no token, so it was never acknowledged.
    ///
    /// # Errors
    /// A folder cannot be read.
    pub fn state_of(&self, run: u64) -> Result<Option<Token>> {
        Ok(self.states(&Folder::ALL)?.remove(&run))
    }

    /// The one way a token moves. Lost: somebody else was first.
    ///
    /// # Errors
    /// It is unknown whether it was done.
    pub fn shift(&self, from: &Token, to: &Token) -> Result<Moved> {
        files::mv(&self.dir().join(from.path()), &self.dir().join(to.path()))
    }

    /// `shift`, durable once it has returned.
    ///
    /// # Errors
    /// As `shift`; or it was done, but cannot be written out.
    pub fn shift_durably(&self, from: &Token, to: &Token) -> Result<Moved> {
        let moved = self.shift(from, to)?;
        if moved == Moved::Won {
            files::sync_dir(&self.folder(to.folder()))?;
        }
        Ok(moved)
    }

    /// The fence: the runner itself moves a claimed run to started, durably, and only then executes the command. None: the
    /// claim was taken back, the command must not run.
    ///
    /// # Errors
    /// It is unknown whether it was done: the command must not run.
    pub fn start(&self, claimed: &Token, runner: &Owner) -> Result<Option<Token>> {
        let State::Claimed(worker) = &claimed.state else {
            return Err(Error::other(format!("run {} is not claimed", claimed.run)));
        };
        let started = claimed.to(State::Started(worker.clone(), runner.clone()));
        Ok(match self.shift_durably(claimed, &started)? {
            Moved::Won => Some(started),
            Moved::Lost => None,
        })
    }

    /// The end of a run: `result` becomes result.json, with the state and generation added, then the token moves to its
    /// last folder, durably.
    ///
    /// # Errors
    /// result.json cannot be written (the token stays: try again), or the move is in doubt.
    pub fn finish(&self, started: &Token, end: State, result: &Value) -> Result<Moved> {
        self.write_result(started, &end, result)?;
        self.shift_durably(started, &started.to(end))
    }

    /// Writes result.json: what recovery needs to finish a run whose runner died right after.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_result(&self, token: &Token, end: &State, result: &Value) -> Result<()> {
        self.put(token.run, "result.json", &whole_result(&token.to(end.clone()), result))
    }

    /// Writes one JSON file of a run, durably, in one step.
    ///
    /// # Errors
    /// It cannot be written; what was there before still is.
    pub fn put(&self, run: u64, name: &str, value: &Value) -> Result<()> {
        let path = self.run_dir(run).join(name);
        files::put(&self.dir().join("tmp"), &path, format!("{value}\n").as_bytes(), true)
    }

    /// Writes one JSON file of a run in one step, without waiting for the disk.
    ///
    /// # Errors
    /// It cannot be written; what was there before still is.
    pub fn put_lazily(&self, run: u64, name: &str, value: &Value) -> Result<()> {
        let path = self.run_dir(run).join(name);
        files::put(&self.dir().join("tmp"), &path, format!("{value}\n").as_bytes(), false)
    }

    /// Reads one JSON file of a run; None when there is none.
    ///
    /// # Errors
    /// It cannot be read, or is no JSON.
    pub fn read(&self, run: u64, name: &str) -> Result<Option<Value>> {
        let path = self.run_dir(run).join(name);
        let Some(text) = files::read_text_if_any(&path)? else { return Ok(None) };
        Value::parse(&text).map(Some).map_err(|bad| Error::data(&path, bad.line, bad.to_string()))
    }

    /// Appends to the run's events what happened: `{"t":…,"event":…,…}`. Only the owner of a started run writes
    /// events.jsonl; everybody else a file of his own host, for hosts that append to one file on NFS lose lines.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn event(&self, run: u64, is_owner: bool, event: &str, details: Value) -> Result<()> {
        let mut line = json::map([("t", Value::from(Time::now())), ("event", Value::from(event))]);
        line.extend(&details);
        let name = if is_owner {
            "events.jsonl".to_string()
        } else {
            format!("events.{}.jsonl", crate::base::sys::host_name())
        };
        files::append(&self.run_dir(run).join(name), &format!("{line}\n"))
    }

    /// The token of a run that comes back to the queue by itself: what was begun goes before what is new.
    pub fn again(&self, token: &Token) -> Token {
        token.again(State::Queued(self.priority_of(token.run).saturating_sub(1)))
    }

    /// The priority with which a run comes back to the queue: what `nn-queue prio` set, else what the job asked for.
    pub fn priority_of(&self, run: u64) -> u8 {
        let set = self.read(run, "labels.json").ok().flatten().and_then(|labels| labels.int("priority"));
        let asked = || self.job(run).map_or(super::job::PRIORITY, |job| job.priority());
        set.and_then(|p| u8::try_from(p).ok()).filter(|p| *p < 10).unwrap_or_else(asked)
    }
}

/// What result.json says of a run that has come to this end.
fn whole_result(end: &Token, result: &Value) -> Value {
    let mut whole = json::map([("generation", Value::from(end.generation))]);
    whole.extend(&end.outcome());
    whole.extend(result);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// A run that comes back to the queue while the folders are read is not missed.
    #[test]
    fn what_moves_back_is_seen() {
        let dir = std::env::temp_dir().join(format!("nn-store-back-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let spool = Spool::init(&dir, false).unwrap();
        let me = Owner::me().unwrap();
        let mut token = Token { run: 1, generation: 1, state: State::Queued(5) };
        files::create_empty(&dir.join(token.path())).unwrap();
        let (began, ended) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            let mover = scope.spawn(|| {
                for _ in 0..3000 {
                    let next = match token.state {
                        State::Queued(_) => token.to(State::Claimed(me.clone())),
                        _ => token.again(State::Queued(5)),
                    };
                    began.fetch_add(1, Ordering::SeqCst);
                    spool.shift(&token, &next).unwrap();
                    ended.fetch_add(1, Ordering::SeqCst);
                    token = next;
                    std::thread::sleep(std::time::Duration::from_micros(50));
                }
            });
            while !mover.is_finished() {
                let before = ended.load(Ordering::SeqCst);
                let seen = spool.states(&Folder::ALL).unwrap().contains_key(&1);
                let moves = began.load(Ordering::SeqCst) - before;
                // It came back once at most, which is more than happens in the time of one look.
                assert!(seen || moves > 2, "not seen, after {moves} moves");
            }
        });
        std::fs::remove_dir_all(dir).unwrap();
    }
}
