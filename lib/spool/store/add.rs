//! Adding runs: a number by mkdir, the files, everything to disk, and only then the token. A run without a token was
//! never acknowledged; `gc` takes it later.

use super::Spool;
use crate::base::error::{Doing, Error, Result};
use crate::base::files;
use crate::base::json::Value;
use crate::base::time::Time;
use crate::spool::batch::Batch;
use crate::spool::job::Job;
use crate::spool::owner::Owner;
use crate::spool::snapshot::asked;
use crate::spool::state::{Folder, State, Token};
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// From so many runs on, one syncfs is cheaper than an fsync a file.
const MANY: usize = 8;
/// From so many on, a second thread is worth its start.
const VERY_MANY: usize = 256;

impl Spool {
    /// Adds runs to the queue (or held, as each job says), all or none, durably; returns their numbers. `env` is the
    /// environment they shall have, NAME=VALUE each ended by NUL. In `after` and `after-any`, the string "+3" stands for
    /// the number of the third of these jobs, which must be an earlier one.
    ///
    /// # Errors
    /// Something cannot be written; then nothing is left but what a worker had claimed already.
    pub fn add(&self, jobs: &[Job], env: &[u8]) -> Result<Vec<u64>> {
        let mut runs = Vec::with_capacity(jobs.len());
        let added = self.add_files(jobs, env, &mut runs);
        let added = added.and_then(|()| self.check_code(jobs)).and_then(|()| {
            // Only who adds the same again would miss it.
            let _ = asked::remember(self, jobs, &runs);
            self.add_tokens(jobs, &runs)
        });
        if let Err(err) = added {
            self.undo(&runs);
            return Err(err);
        }
        Ok(runs)
    }

    /// Nobody removes a snapshot that was asked for lately; here it is seen that nobody has.
    pub(super) fn check_code(&self, jobs: &[Job]) -> Result<()> {
        let mut seen = HashSet::new();
        for code in jobs.iter().filter_map(Job::code) {
            if seen.insert((code.tree.clone(), code.facts.clone())) && !code.is_there(self) {
                return Err(Error::Again("the snapshot of the code was removed meanwhile: try again".into()));
            }
        }
        Ok(())
    }

    pub(super) fn add_files(&self, jobs: &[Job], env: &[u8], runs: &mut Vec<u64>) -> Result<()> {
        let durable = jobs.len() < MANY;
        let now = Time::now();
        let mut next = self.first_number()?;
        if jobs.len() < VERY_MANY {
            for job in jobs {
                runs.push(self.make_run(&mut next)?);
                self.fill_run(runs, job, now, env, durable)?;
            }
        } else {
            self.add_in_two_threads(jobs, now, env, &mut next, runs)?;
        }
        self.remember(next);
        if durable { files::sync_dir(&self.dir().join("runs")) } else { files::sync_file_system(self.dir()) }
    }

    /// One thread makes the directories, which the file system does one after the other, another fills them.
    fn add_in_two_threads(
        &self,
        jobs: &[Job],
        now: Time,
        env: &[u8],
        next: &mut u64,
        runs: &mut Vec<u64>,
    ) -> Result<()> {
        std::thread::scope(|scope| {
            let (made, to_fill) = std::sync::mpsc::channel::<u64>();
            let filler = scope.spawn(move || {
                let mut filled = Vec::with_capacity(jobs.len());
                for (run, job) in to_fill.iter().zip(jobs) {
                    filled.push(run);
                    self.fill_run(&filled, job, now, env, false)?;
                }
                Ok(())
            });
            for _ in jobs {
                let run = self.make_run(next)?;
                runs.push(run);
                // The filler has stopped at an error, which join tells.
                if made.send(run).is_err() {
                    break;
                }
            }
            drop(made);
            filler.join().unwrap_or_else(|_| Err(Error::other("a thread died while adding runs")))
        })
    }

    /// Writes the files of the last of `runs`. One environment for all: links cost nothing, and env is never rewritten.
    fn fill_run(&self, runs: &[u64], job: &Job, now: Time, env: &[u8], durable: bool) -> Result<()> {
        let (Some(&first), Some(&run)) = (runs.first(), runs.last()) else { return Ok(()) };
        match numbered(job, runs)? {
            Some(job) => self.write_job(run, &job, now, durable)?,
            None => self.write_job(run, job, now, durable)?,
        }
        let env_of = |run| self.run_dir(run).join("env");
        if first == run || !files::link(&env_of(first), &env_of(run)) {
            files::write_new(&env_of(run), env, durable)?;
        }
        if durable { files::sync_dir(&self.run_dir(run)) } else { Ok(()) }
    }

    pub(super) fn write_job(&self, run: u64, job: &Job, now: Time, durable: bool) -> Result<()> {
        let mut json = job.json.clone();
        json.set("added", Value::from(now));
        files::write_new(&self.run_dir(run).join("job.json"), format!("{json}\n").as_bytes(), durable)
    }

    fn add_tokens(&self, jobs: &[Job], runs: &[u64]) -> Result<()> {
        let durable = jobs.len() < MANY;
        let mut first: Option<PathBuf> = None;
        for (job, &run) in jobs.iter().zip(runs) {
            let state = if job.hold() { State::Held(job.priority()) } else { State::Queued(job.priority()) };
            let path = self.dir().join(Token { run, generation: 1, state }.path());
            // An empty file is an empty file: a link to the first is ten times quicker to make than another one.
            if !durable && first.as_ref().is_some_and(|first| files::link(first, &path)) {
                continue;
            }
            if durable {
                files::create_empty_durable(&path)?
            } else {
                files::create_empty(&path)?
            };
            first = Some(path);
        }
        if !durable {
            return files::sync_file_system(self.dir());
        }
        for (folder, hold) in [(Folder::Queued, false), (Folder::Held, true)] {
            if jobs.iter().any(|job| job.hold() == hold) {
                files::sync_dir(&self.folder(folder))?;
            }
        }
        Ok(())
    }

    /// Takes back what is not claimed yet: the token first, then the run.
    fn undo(&self, runs: &[u64]) {
        let states = self.states(&Folder::ALL).unwrap_or_default();
        for run in runs {
            let gone = match states.get(run) {
                None => true,
                Some(token) if matches!(token.state, State::Queued(_) | State::Held(_)) => {
                    files::remove(&self.dir().join(token.path())).unwrap_or(false)
                }
                Some(_) => false,
            };
            if gone {
                let _ = files::remove_tree(&self.run_dir(*run));
            }
        }
    }

    /// Adds a run that its maker, this process, runs at once: born claimed by it. Nothing is to be waited for: a power cut
    /// before its end leaves nothing that anybody was promised. At its end `keep` makes it durable. A batch job is told
    /// of it, should it be started again.
    ///
    /// # Errors
    /// Something cannot be written.
    pub fn add_claimed(&self, job: &Job, env: &[u8], me: &Owner, batch: Option<&Batch>) -> Result<Token> {
        self.add_own(job, env, State::Claimed(me.clone()), batch)
    }

    /// Adds a run that goes on already, in a script whose process is its owner.
    ///
    /// # Errors
    /// Something cannot be written.
    pub fn add_started(&self, job: &Job, env: &[u8], owner: &Owner, batch: Option<&Batch>) -> Result<Token> {
        self.add_own(job, env, State::Started(owner.clone(), owner.clone()), batch)
    }

    fn add_own(&self, job: &Job, env: &[u8], state: State, batch: Option<&Batch>) -> Result<Token> {
        let mut next = self.first_number()?;
        let run = self.make_run(&mut next)?;
        self.remember(next);
        let token = Token { run, generation: 1, state };
        let made = self
            .write_job(run, job, Time::now(), false)
            .and_then(|()| files::write_new(&self.run_dir(run).join("env"), env, false))
            .and_then(|()| batch.map_or(Ok(()), |batch| batch.remember(self, job, run)))
            .and_then(|()| files::create_empty(&self.dir().join(token.path())));
        if let Err(err) = made {
            let _ = files::remove_tree(&self.run_dir(run));
            return Err(err);
        }
        Ok(token)
    }

    /// Makes a run of `add_claimed` durable, as `add` does with others from the start.
    ///
    /// # Errors
    /// Something cannot be written out.
    pub fn keep(&self, run: u64) -> Result<()> {
        files::sync_file(&self.run_dir(run).join("job.json"))?;
        files::sync_dir(&self.dir().join("runs"))
    }

    /// Makes runs/N for the first free N from `next` on: mkdir is the referee, never a listing.
    pub(super) fn make_run(&self, next: &mut u64) -> Result<u64> {
        loop {
            let run = *next;
            *next += 1;
            if files::make_dir(&self.run_dir(run))? {
                return Ok(run);
            }
        }
    }

    /// Where to begin looking for a free number: the hint; without a usable one, after the greatest there is.
    pub(super) fn first_number(&self) -> Result<u64> {
        match self.hint() {
            Some(next) => Ok(next),
            None => {
                let names = files::names(&self.dir().join("runs"))?;
                let numbers = names.iter().filter_map(|name| name.to_str()?.parse::<u64>().ok());
                Ok(numbers.max().unwrap_or(0) + 1)
            }
        }
    }

    /// The number after the greatest given out, as far as the hint file knows.
    pub fn hint(&self) -> Option<u64> {
        let text = std::fs::read_to_string(self.dir().join("next")).ok()?;
        text.strip_suffix('\n')?.parse().ok().filter(|n| *n > 0 && *n < u64::MAX / 2)
    }

    pub(super) fn remember(&self, next: u64) {
        if self.hint().is_none_or(|known| known < next) {
            // Only a hint: without it the next number is found by looking.
            let _ = files::overwrite(&self.dir().join("next"), format!("{next}\n").as_bytes());
        }
    }
}

/// A job that comes after others of the same add, with their numbers. None: it does not.
fn numbered(job: &Job, runs: &[u64]) -> Result<Option<Job>> {
    let place = |item: &Value| item.as_str()?.strip_prefix('+')?.parse::<usize>().ok();
    let mut whole: Option<Job> = None;
    for member in ["after", "after-any"] {
        let Some(items) = job.json.list(member).filter(|items| items.iter().any(|i| i.as_str().is_some())) else {
            continue;
        };
        // The last of `runs` is this one itself.
        let earlier = runs.split_last().map_or(&[][..], |(_, earlier)| earlier);
        let number = |item: &Value| match place(item) {
            Some(place) => earlier.get(place.checked_sub(1)?).and_then(|run| i64::try_from(*run).ok()).map(Value::from),
            None => Some(item.clone()),
        };
        let numbers: Option<Vec<Value>> = items.iter().map(number).collect();
        let numbers = numbers.ok_or_else(|| Error::other(format!("'{member}' names a job that is no earlier one")))?;
        whole.get_or_insert_with(|| job.clone()).json.set(member, numbers);
    }
    Ok(whole)
}

/// This process's environment, without what belongs to the run it may itself be in.
pub fn variables() -> Vec<(OsString, OsString)> {
    outside_of_runs(std::env::vars_os().collect())
}

/// `variables` in the form of /proc/PID/environ.
pub fn environment() -> Vec<u8> {
    let pair = |(name, value): (OsString, OsString)| [name.as_bytes(), b"=", value.as_bytes(), b"\0"].concat();
    variables().into_iter().flat_map(pair).collect()
}

/// What a command needs of this process's environment when none was recorded for it.
pub fn least_environment() -> Vec<(OsString, OsString)> {
    let names = ["HOME", "PATH", "USER", "LOGNAME", "SHELL", "LANG", "TZ"];
    names.iter().filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?))).collect()
}

/// Takes away what nn-run sets for its command: a run started from within another must not inherit it. The GPUs of the
/// outer run are known by NN_GPUS, which says the same.
fn outside_of_runs(mut variables: Vec<(OsString, OsString)>) -> Vec<(OsString, OsString)> {
    let gpus = variables.iter().find(|(name, _)| name == "NN_GPUS").map(|(_, gpus)| gpus.clone());
    let is_given = |name: &OsStr, value: &OsStr| name == "CUDA_VISIBLE_DEVICES" && gpus.as_deref() == Some(value);
    variables.retain(|(name, value)| !is_of_a_run(name) && !is_given(name, value));
    variables
}

/// Variables that nn-run sets.
pub fn is_of_a_run(name: &OsStr) -> bool {
    let own =
        ["NN_RUN", "NN_RUN_DIR", "NN_CHECKPOINTS", "NN_PARAMS", "NN_ATTEMPT", "NN_RESUME", "NN_CHECKPOINT", "NN_GPUS"];
    name.to_str().is_some_and(|name| own.contains(&name) || name.starts_with("NN_PARAM_"))
}

/// Reads an `env` file, but for what belongs to a run.
///
/// # Errors
/// It cannot be read.
pub fn read_environment(path: &Path) -> Result<Vec<(OsString, OsString)>> {
    let bytes = std::fs::read(path).doing("read", path)?;
    let os = |b: &[u8]| OsStr::from_bytes(b).to_os_string();
    let pairs = bytes.split(|&b| b == 0).filter_map(|pair| {
        let at = pair.iter().position(|&b| b == b'=').filter(|at| *at > 0)?;
        Some((os(&pair[..at]), os(&pair[at + 1..])))
    });
    Ok(outside_of_runs(pairs.collect()))
}
