//! What is known of the runs that are watched, brought up to date by reading only what is new.
//!
//! A look lists the folders of open runs, and those of ended runs only when a run has left the open ones (or all were
//! asked for). Of a run that waits only the job is read, once; of one that runs, what its history and events have grown
//! by. Of a history the last values, the time of the first point, and one line of curve a variable are kept.

use crate::Opts;
use crate::hosts::Hosts;
use crate::spark::Spark;
use nn::base::cli;
use nn::base::error::Result;
use nn::base::json::Value;
use nn::base::time::Time;
use nn::cluster::ssh::host::is_host;
use nn::record::course::Course;
use nn::record::history::{News, Point};
use nn::record::results::Results;
use nn::spool::job::Job;
use nn::spool::select::select;
use nn::spool::state::{Folder, REPORT, State, Token};
use nn::spool::store::Spool;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Waiting runs that are looked into; the rest is counted.
const WAITING: usize = 200;

/// One run.
pub struct Run {
    pub token: Token,
    /// What was asked; None: it cannot be read
    pub job: Option<Job>,
    /// Start of the current attempt
    pub started: Option<Time>,
    pub result: Value,
    pub course: Course,
    /// A curve for each of its variables
    pub sparks: Vec<Spark>,
}

/// All of it.
pub struct Model {
    pub spool: Spool,
    pub runs: BTreeMap<u64, Run>,
    pub hosts: Hosts,
    /// Runs by state, whether watched or not
    pub counts: BTreeMap<Folder, usize>,
    wanted: Option<HashSet<u64>>,
    all: bool,
}

impl Model {
    /// Nothing read yet.
    ///
    /// # Errors
    /// There is no spool, or no such run.
    pub fn new(opts: Opts) -> Result<Model> {
        let spool = Spool::find()?;
        let named = if opts.once { cli::operands_if_any(opts.runs)? } else { Some(words(opts.runs)) };
        let wanted: Option<HashSet<u64>> = match named.filter(|named| !named.is_empty()) {
            Some(named) => Some(select(&spool, &named)?.into_iter().collect()),
            None => None,
        };
        let hosts = Hosts::new(spool.dir());
        let all = opts.all || wanted.is_some();
        Ok(Model { spool, runs: BTreeMap::new(), hosts, counts: BTreeMap::new(), wanted, all })
    }

    /// Reads what is new.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn look(&mut self) -> Result<()> {
        let mut tokens = self.spool.states(if self.all { &Folder::ALL } else { &Folder::OPEN })?;
        let has_left = |(run, known): (&u64, &Run)| !tokens.contains_key(run) && !known.token.folder().is_end();
        if !self.all && self.runs.iter().any(has_left) {
            let everywhere = self.spool.states(&Folder::ALL)?;
            let left = self.runs.keys().filter_map(|run| everywhere.get(run));
            tokens.extend(left.map(|token| (token.run, token.clone())));
        }
        self.counts.clear();
        for token in tokens.values() {
            *self.counts.entry(token.folder()).or_default() += 1;
        }
        self.choose(tokens);
        for run in self.runs.values_mut() {
            run.look()?;
        }
        self.hosts.look();
        Ok(())
    }

    /// Takes in the runs to be watched, and drops those that are gone.
    fn choose(&mut self, tokens: HashMap<u64, Token>) {
        let priority = |token: &Token| match token.state {
            State::Queued(priority) => Some((priority, token.run)),
            _ => None,
        };
        let mut waiting: Vec<(u8, u64)> = tokens.values().filter_map(priority).collect();
        waiting.sort_unstable();
        let first: HashSet<u64> = waiting.iter().take(WAITING).map(|(_, run)| *run).collect();
        let is_watched = |token: &Token| match (&self.wanted, &token.state) {
            (Some(wanted), _) => wanted.contains(&token.run),
            (None, State::Queued(_)) => first.contains(&token.run),
            (None, State::Held(_)) => false,
            _ => true,
        };
        self.runs.retain(|run, known| tokens.contains_key(run) || known.token.folder().is_end());
        for token in tokens.into_values().filter(is_watched) {
            match self.runs.get_mut(&token.run) {
                Some(run) => run.is_at(&self.spool, token),
                None => drop(self.runs.insert(token.run, Run::new(&self.spool, token))),
            }
        }
    }
}

fn words(given: Vec<std::ffi::OsString>) -> Vec<String> {
    given.into_iter().map(|word| word.to_string_lossy().into_owned()).collect()
}

impl Run {
    fn new(spool: &Spool, token: Token) -> Run {
        let dir = spool.run_dir(token.run);
        let mut new = Run {
            job: spool.job(token.run).ok(),
            token,
            started: None,
            result: Value::Null,
            course: Course::new(&dir),
            sparks: Vec::new(),
        };
        new.read_attempt(spool);
        new
    }

    /// The run stands there now.
    fn is_at(&mut self, spool: &Spool, token: Token) {
        let moved = self.token != token;
        if moved {
            self.token = token;
            self.course.begin_anew();
        }
        if moved || self.started.is_none() {
            self.read_attempt(spool);
        }
    }

    fn read_attempt(&mut self, spool: &Spool) {
        let read = |name| spool.read(self.token.run, name).ok().flatten().unwrap_or(Value::Null);
        let started = |record: &Value| record.str("started").and_then(Time::parse);
        self.result = Value::Null;
        self.started = match self.token.state {
            State::Started(..) => {
                let attempt = read("attempt.json");
                let is_this = attempt.int("generation") == Some(i64::from(self.token.generation));
                started(&attempt).filter(|_| is_this)
            }
            State::Done | State::Failed(_) | State::Cancelled => {
                self.result = read("result.json");
                started(&self.result)
            }
            _ => None,
        };
    }

    fn look(&mut self) -> Result<()> {
        let is_elsewhere =
            matches!(&self.token.state, State::Submitted(engine, _) if !is_host(engine) && engine != REPORT);
        if is_elsewhere || matches!(self.token.state, State::Queued(_) | State::Held(_)) {
            return Ok(());
        }
        let sparks = &mut self.sparks;
        let looked = self.course.look(self.started, &mut |results, news| match news {
            News::Over => sparks.clear(),
            News::Point(point) => draw(sparks, results, point),
        });
        looked.map(drop)
    }
}

/// Goes on with the curves of the variables that a point has; they stand in the order of the results.
fn draw(sparks: &mut Vec<Spark>, results: &Results, point: &Point) {
    sparks.resize_with(results.metrics.len(), Spark::default);
    for (i, (name, value)) in point.values().enumerate() {
        let is_there = results.metrics.get(i).is_some_and(|(n, _)| n == name);
        let at = if is_there { Some(i) } else { results.metrics.iter().position(|(n, _)| n == name) };
        if let Some(spark) = at.and_then(|at| sparks.get_mut(at)) {
            spark.push(value);
        }
    }
}
