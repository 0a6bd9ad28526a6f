//! What waiting runs wait for. What the spool itself tells (other runs, the pause before a retry) is found out here by
//! whoever shows it; what only a worker can know (what its host lacks) it writes to hosts/W.waits.json, W being the worker.
//! That file also tells that the heartbeat of that name is a worker's, and it goes with it.

use super::job::Job;
use super::owner::{Life, Owner};
use super::recover::LEASE;
use super::state::{State, Token};
use super::store::Spool;
use super::turn::{After, BACKOFF, Behind, Pause, Standing};
use crate::base::error::Result;
use crate::base::files;
use crate::base::json::{self, Value};
use crate::base::time::Time;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::time::Duration;

/// What all wait for when no worker lives.
const NO_WORKER: &str = "no worker runs";
/// What stands after the worker in the name of its file.
const SUFFIX: &str = ".waits.json";

/// The worker's file.
pub fn path(spool: &Spool, worker: &Owner) -> PathBuf {
    spool.dir().join("hosts").join(format!("{worker}{SUFFIX}"))
}

/// The worker of such a file, by its name.
pub fn worker(name: &str) -> Option<Owner> {
    Owner::parse(name.strip_suffix(SUFFIX)?)
}

/// Writes what runs wait for on a worker's host.
///
/// # Errors
/// It cannot be written.
pub fn write(spool: &Spool, worker: &Owner, runs: &BTreeMap<u64, String>) -> Result<()> {
    let runs = runs.iter().map(|(run, words)| (run.to_string(), Value::from(words.as_str())));
    let whole = json::map([("host", Value::from(worker.host.as_str())), ("runs", json::map(runs))]);
    files::put(&spool.dir().join("tmp"), &path(spool, worker), format!("{whole}\n").as_bytes(), false)
}

/// Finds out what waiting runs wait for.
#[derive(Debug)]
pub struct Waits {
    spool: Spool,
    standing: Standing,
    now: Time,
    backoff: Duration,
    /// The live workers' hosts, and what each says of runs
    workers: Vec<(String, HashMap<u64, String>)>,
}

impl Waits {
    /// Asks the live workers.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn new(spool: &Spool) -> Result<Waits> {
        let backoff = spool.config()?.duration("backoff")?.unwrap_or(BACKOFF);
        let workers = workers(spool)?;
        Ok(Waits { spool: spool.clone(), standing: Standing::default(), now: Time::now(), backoff, workers })
    }

    /// The next look at the other runs begins.
    pub fn look_again(&mut self) {
        self.standing.look_again();
    }

    /// The first run that this one waits for.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn behind(&mut self, after: &After) -> Result<Option<Behind>> {
        self.standing.behind(&self.spool, after)
    }

    /// What keeps a run from starting that only workers know, or that there is none for it. None: its turn will come.
    pub fn at_workers(&self, run: u64, job: &Job) -> Option<String> {
        let fitting = || self.workers.iter().filter(|(host, _)| job.may_start_on(host));
        let mut all: Vec<&str> = Vec::new();
        for words in fitting().filter_map(|(_, said)| said.get(&run)) {
            if !all.contains(&words.as_str()) {
                all.push(words);
            }
        }
        match (fitting().next(), job.host()) {
            (Some(_), _) => Some(all.join("; ")).filter(|words| !words.is_empty()),
            (None, Some(hosts)) => Some(format!("{NO_WORKER} on {hosts}")),
            (None, None) => Some(NO_WORKER.into()),
        }
    }

    /// In words, for a queued run.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn words(&mut self, token: &Token, job: &Job) -> Result<String> {
        if !matches!(token.state, State::Queued(_)) {
            return Ok(String::new());
        }
        if let Some(behind) = self.behind(&After::of(job))? {
            return Ok(behind.words());
        }
        let pause = Pause::of(&self.spool, token, self.backoff);
        if let Some(left) = pause.map(|pause| pause.left(self.now, Duration::ZERO)).filter(|left| !left.is_zero()) {
            return Ok(Pause::words(left));
        }
        Ok(self.at_workers(token.run, job).unwrap_or_else(|| "its turn".into()))
    }
}

/// Whether a worker lives.
///
/// # Errors
/// The spool cannot be read.
pub fn somebody_works(spool: &Spool) -> Result<bool> {
    Ok(!live(spool)?.is_empty())
}

/// The hosts of the live workers, one for each.
///
/// # Errors
/// The spool cannot be read.
pub fn at_work(spool: &Spool) -> Result<Vec<String>> {
    Ok(live(spool)?.into_iter().map(|worker| worker.host).collect())
}

/// The hosts of the live workers, and what each says of each run.
fn workers(spool: &Spool) -> Result<Vec<(String, HashMap<u64, String>)>> {
    Ok(live(spool)?.into_iter().map(|worker| (worker.host.clone(), said(spool, &worker))).collect())
}

fn live(spool: &Spool) -> Result<Vec<Owner>> {
    let mut names = files::names(&spool.dir().join("hosts"))?;
    names.sort();
    Ok(names.iter().filter_map(|name| worker(name.to_str()?)).filter(|worker| is_live(spool, worker)).collect())
}

fn said(spool: &Spool, worker: &Owner) -> HashMap<u64, String> {
    let text = std::fs::read_to_string(path(spool, worker)).unwrap_or_default();
    let read = Value::parse(&text).unwrap_or(Value::Null);
    let runs = read.get("runs").and_then(Value::as_map).unwrap_or_default().iter();
    runs.filter_map(|(run, words)| Some((run.parse().ok()?, words.as_str()?.to_string()))).collect()
}

/// For people only: on another host, whether its heartbeat is as young as this host's clock and that of the files tell.
fn is_live(spool: &Spool, worker: &Owner) -> bool {
    match worker.life() {
        Life::Alive => true,
        Life::Dead | Life::Rebooted => false,
        Life::Unknown => {
            let beat = spool.dir().join("hosts").join(worker.to_string());
            let age = std::fs::metadata(beat).and_then(|meta| meta.modified()).ok().and_then(|at| at.elapsed().ok());
            age.is_some_and(|age| age <= LEASE)
        }
    }
}
