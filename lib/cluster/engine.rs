//! What nn-tools need of an engine, a program that starts jobs on other machines: to take a batch of runs, to tell what
//! became of them, and to let them go. Slurm and Grid Engine are engines; hosts reached by ssh are served elsewhere.
//!
//! An engine only ever answers for what it knows. What it does not say, or says in words not understood here, is unknown,
//! and unknown is never taken for dead.

use super::batch::{Batch, Record};
use super::{gridengine, slurm};
use crate::base::error::{Error, Result};
use crate::base::text::did_you_mean;
use crate::spool::config::Config;
use std::collections::HashMap;
use std::time::Duration;

/// The engines there are.
pub const NAMES: [&str; 2] = [slurm::NAME, gridengine::NAME];

/// What became of a batch that was handed to an engine.
#[derive(Clone, Debug, PartialEq)]
pub enum Handed {
    /// It has it: an id for each task, in order
    Taken(Vec<String>),
    /// It certainly has not; its words. `too_many`: fewer of them it may take
    Refused {
        /// Why, for people
        why: String,
        /// It was a limit on how many
        too_many: bool,
    },
    /// Nobody knows: the answer did not come, or was not understood
    Unclear(String),
}

/// What an engine says of a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// It waits, for this reason
    Waiting(String),
    /// It runs, or is just ending
    Running,
    /// The same, and somebody has taken it back
    TakenBack,
    /// It has ended
    Ended(End),
    /// The engine answered, and knows no such job (any more)
    Gone,
}

/// How a job ended, as the engine saw it.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// Its script's exit code
    Exit(i32),
    /// Its script was killed by this signal
    Signal(i32),
    /// A person took it back
    Cancelled,
    /// Its time was over
    Time,
    /// Others needed the place
    Preempted,
    /// Its node failed
    Node,
    /// It used more memory than it asked for
    Oom,
    /// In the engine's own words
    Other(String),
}

impl End {
    /// In words, for people.
    pub fn words(&self) -> String {
        match self {
            End::Exit(code) => format!("ended with exit {code}"),
            End::Signal(signal) => format!("was ended by signal {signal}"),
            End::Cancelled => "was cancelled".into(),
            End::Time => "came to its time limit".into(),
            End::Preempted => "was preempted".into(),
            End::Node => "lost its node".into(),
            End::Oom => "ran out of memory".into(),
            End::Other(words) => format!("ended: {words}"),
        }
    }
}

/// What the engine must keep to, asked once before batches are made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Limits {
    /// Tasks in one array; None: no limit is known
    pub tasks: Option<usize>,
    /// Between the word that a job must end and its KILL
    pub kill_wait: Option<Duration>,
}

/// An engine, see the module.
pub trait Engine: Send {
    /// Its name, as in `--to NAME` and in the names of tokens.
    fn name(&self) -> &'static str;

    /// Its limits.
    ///
    /// # Errors
    /// It is not here, or does not answer: nothing should be handed to it now.
    fn limits(&self) -> Result<Limits>;

    /// The script that an array of this batch runs: task i (from 0) becomes the nn-run of the i-th run.
    ///
    /// # Errors
    /// The batch asks for what this engine cannot do.
    fn script(&self, batch: &Batch) -> Result<String>;

    /// Hands a batch over, whose script is in its directory, as one job array. It bears the batch's name, so that `find`
    /// finds it.
    fn submit(&self, batch: &Batch) -> Handed;

    /// The ids of a batch's tasks, by its name. None: the engine answered, and has no such job.
    ///
    /// # Errors
    /// It does not answer: nothing is known.
    fn find(&self, record: &Record) -> Result<Option<Vec<String>>>;

    /// What became of jobs, by one call for all of them. An id that is missing in the answer is unknown.
    ///
    /// # Errors
    /// It does not answer: all are unknown.
    fn ask(&self, ids: &[String]) -> Result<HashMap<String, Fate>>;

    /// Takes jobs back. Those that have ended already are no error.
    ///
    /// # Errors
    /// It refuses, or does not answer.
    fn cancel(&self, ids: &[String]) -> Result<()>;
}

/// The engine so named. None: it is none; perhaps a host.
pub fn by_name(name: &str, config: &Config) -> Option<Box<dyn Engine>> {
    match name {
        slurm::NAME => Some(Box::new(slurm::Slurm::new(config))),
        gridengine::NAME => Some(Box::new(gridengine::GridEngine::new(config))),
        _ => None,
    }
}

/// What to say of a name that is neither an engine nor one of these hosts or groups.
pub fn unknown<'a>(name: &str, hosts: impl IntoIterator<Item = &'a str>) -> Error {
    let all: Vec<&str> = NAMES.into_iter().chain(hosts).collect();
    let near = did_you_mean(name, all.iter().copied());
    Error::usage(format!("--to {name}: there is no such engine, host or group{near}: one of {}", all.join(", ")))
}
