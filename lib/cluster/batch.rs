//! A batch: runs with equal needs, handed to an engine as one job array. Its name, eight hexadecimal digits, is chosen
//! before, and is part of the job's name: so the job is found again by whoever comes after a crash. What was handed over
//! stands in batches/NAME/ of the spool:
//!
//! ```text
//! batch.json   engine, options, who hands it over, its runs in the order of the tasks; never rewritten
//! script       what the engine starts once for each task
//! ids          the engine's ids of the tasks, a JSON list, once they are known
//! 3.out        what the script of task 3 printed; nn-run prints nothing but errors
//! ```

use crate::base::error::{Error, Result};
use crate::base::files;
use crate::base::hash::Hasher;
use crate::base::hash::is_hex;
use crate::base::json::{self, Value};
use crate::base::time::Time;
use crate::spool::job::Job;
use crate::spool::needs::Needs;
use crate::spool::owner::Owner;
use crate::spool::store::Spool;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// One run of a batch, at the generation at which it is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// The run's number
    pub run: u64,
    /// Its generation
    pub generation: u32,
}

impl Task {
    /// `17.1`, which `nn-run --claim` takes.
    pub fn word(self) -> String {
        format!("{}.{}", self.run, self.generation)
    }
}

/// What all runs of a batch have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Wants {
    /// What each needs of its host
    pub needs: Needs,
    /// Its time limit
    pub time: Option<Duration>,
    /// How long before that it is told
    pub finish_up: Option<Duration>,
}

impl Wants {
    /// What a job says.
    pub fn of(job: &Job) -> Wants {
        Wants { needs: Needs::of(job), time: job.time_limit(), finish_up: job.finish_up() }
    }
}

/// How a person wants it handed over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct How {
    /// Words for the engine's own command line
    pub options: Vec<String>,
    /// At most so many at a time
    pub max_parallel: Option<usize>,
}

/// A batch, see the module.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Its name
    pub name: String,
    /// The engine's
    pub engine: String,
    /// Who hands it over
    pub submitter: Owner,
    /// What people shall see of it in the engine's lists: letters, digits, `-`, `_`
    pub label: String,
    /// How
    pub how: How,
    /// What each of its runs wants
    pub wants: Wants,
    /// Between TERM and KILL for each of them
    pub grace: Duration,
    /// Its runs, in the order of the tasks, from 0
    pub tasks: Vec<Task>,
    /// batches/NAME
    pub dir: PathBuf,
    /// The spool
    pub spool: PathBuf,
    /// The nn-run that the tasks are to become
    pub runner: PathBuf,
}

/// The folder of a spool in which they are.
pub const FOLDER: &str = "batches";

impl Batch {
    /// The name that the job has in the engine: the label for people, the name for `find`.
    pub fn job_name(&self) -> String {
        job_name(&self.label, &self.name)
    }

    /// Where the engine is to write what a task's script prints, with the engine's own word for the task's index.
    pub fn output(&self, index: &str) -> PathBuf {
        self.dir.join(format!("{index}.out"))
    }

    /// The script, once it is written.
    pub fn script(&self) -> PathBuf {
        self.dir.join("script")
    }

    /// Writes it and its script, durably, before any token speaks of it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, script: &str) -> Result<()> {
        files::make_dir(&self.dir)?;
        let tmp = self.spool.join("tmp");
        files::put(&tmp, &self.script(), script.as_bytes(), false)?;
        let tasks = self.tasks.iter().map(|task| Value::List(vec![whole(task.run), Value::from(task.generation)]));
        let mut json = json::map([
            ("engine", Value::from(self.engine.as_str())),
            ("submitter", self.submitter.to_string().into()),
            ("label", self.label.as_str().into()),
            ("options", Value::List(self.how.options.iter().map(|word| word.as_str().into()).collect())),
            ("added", Time::now().into()),
        ]);
        if let Some(most) = self.how.max_parallel {
            json.set("max-parallel", whole(most as u64));
        }
        json.set("tasks", Value::List(tasks.collect()));
        files::put(&tmp, &self.dir.join("batch.json"), format!("{json}\n").as_bytes(), true)?;
        files::sync_dir(&self.spool.join(FOLDER))
    }
}

fn job_name(label: &str, name: &str) -> String {
    format!("{label}.{name}")
}

fn whole(n: u64) -> Value {
    Value::from(i64::try_from(n).unwrap_or(i64::MAX))
}

/// A batch as it is on record.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its name
    pub name: String,
    /// The engine's
    pub engine: String,
    /// Who handed it over
    pub submitter: Option<Owner>,
    /// The label of its job's name
    pub label: String,
    /// How
    pub how: How,
    /// Its runs
    pub tasks: Vec<Task>,
    /// The engine's ids of its tasks, as far as known
    pub ids: Option<Vec<String>>,
}

impl Record {
    /// Reads one. None: there is none, or it cannot be understood.
    pub fn read(spool: &Spool, name: &str) -> Option<Record> {
        let dir = dir(spool, name)?;
        let parsed = |file: &str| Value::parse(&files::read_text_if_any(dir.join(file)).ok()??).ok();
        let json = parsed("batch.json")?;
        let task = |value: &Value| match value.as_list()? {
            [run, generation] => Some(Task {
                run: u64::try_from(run.as_int()?).ok()?,
                generation: u32::try_from(generation.as_int()?).ok()?,
            }),
            _ => None,
        };
        let texts = |list: &[Value]| list.iter().map(|v| v.as_str().map(String::from)).collect::<Option<Vec<String>>>();
        let tasks = json.list("tasks")?.iter().map(task).collect::<Option<Vec<Task>>>()?;
        let ids = parsed("ids").and_then(|ids| texts(ids.as_list()?)).filter(|ids| ids.len() == tasks.len());
        Some(Record {
            name: name.to_string(),
            engine: json.str("engine")?.to_string(),
            submitter: json.str("submitter").and_then(Owner::parse),
            label: json.str("label").unwrap_or("nn").to_string(),
            how: How {
                options: json.list("options").and_then(texts).unwrap_or_default(),
                max_parallel: json.int("max-parallel").and_then(|n| usize::try_from(n).ok()),
            },
            tasks,
            ids,
        })
    }

    /// All there are.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn all(spool: &Spool) -> Result<Vec<Record>> {
        let mut names = files::names(&spool.dir().join(FOLDER))?;
        names.sort();
        Ok(names.iter().filter_map(|name| Record::read(spool, name.to_str()?)).collect())
    }

    /// Notes the engine's ids. A hint: without them the job is looked for by its name.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn note_ids(spool: &Spool, name: &str, ids: &[String]) -> Result<()> {
        let dir = dir(spool, name).ok_or_else(|| Error::other(format!("'{name}' is no batch")))?;
        let list = Value::List(ids.iter().map(|id| id.as_str().into()).collect());
        files::put(&spool.dir().join("tmp"), &dir.join("ids"), format!("{list}\n").as_bytes(), false)
    }

    /// The name that the job has in the engine.
    pub fn job_name(&self) -> String {
        job_name(&self.label, &self.name)
    }

    /// The engine's id of a run's job.
    pub fn id_of(&self, task: Task) -> Option<&str> {
        let at = self.tasks.iter().position(|other| *other == task)?;
        self.ids.as_ref()?.get(at).map(String::as_str)
    }
}

fn dir(spool: &Spool, name: &str) -> Option<PathBuf> {
    is_name(name).then(|| spool.dir().join(FOLDER).join(name))
}

fn is_name(name: &str) -> bool {
    is_hex(name, 8)
}

/// A name that no other batch has, by all odds: of the time, the process and a count.
pub fn new_name(submitter: &Owner) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let seed = format!("{submitter} {} {}", Time::now().ms(), COUNT.fetch_add(1, Ordering::Relaxed));
    let mut hasher = Hasher::new();
    hasher.text(seed.as_bytes());
    hasher.finish().chars().take(8).collect()
}

/// The id of a submitted token, as it stands in its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Id {
    /// Being handed over: the batch, and the index in it
    Sending(String, usize),
    /// To be handed over again; the job in which it was interrupted
    Again(String),
    /// The engine's id
    Job(String),
}

impl Id {
    /// Reads it.
    pub fn parse(text: &str) -> Id {
        let sending = |rest: &str| {
            let (name, index) = rest.rsplit_once('_')?;
            Some(Id::Sending(is_name(name).then(|| name.to_string())?, index.parse().ok()?))
        };
        match (text.strip_prefix("sending."), text.strip_prefix("again.")) {
            (Some(rest), _) => sending(rest).unwrap_or_else(|| Id::Job(text.to_string())),
            (_, Some(job)) => Id::Again(job.to_string()),
            _ => Id::Job(text.to_string()),
        }
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Id::Sending(batch, index) => write!(f, "sending.{batch}_{index}"),
            Id::Again(job) => write!(f, "again.{job}"),
            Id::Job(job) => f.write_str(job),
        }
    }
}

/// Whether an engine's id may stand in the name of a token: what was read from a program is not trusted.
pub fn is_id(id: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'+');
    !id.is_empty() && id.len() <= 64 && id.bytes().all(plain) && !id.starts_with(['.', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back() {
        for text in ["sending.0badcafe_12", "again.4711_3", "4711_3", "4711.3"] {
            assert_eq!(Id::parse(text).to_string(), text);
        }
        assert_eq!(Id::parse("sending.0badcafe_12"), Id::Sending("0badcafe".into(), 12));
        assert_eq!(Id::parse("sending.../x_1"), Id::Job("sending.../x_1".into()));
        assert!(is_id("4711_3") && is_id("12.3") && !is_id("a/b") && !is_id("") && !is_id("a~b") && !is_id("../x"));
        let me = Owner::me().unwrap();
        assert!(is_name(&new_name(&me)) && new_name(&me) != new_name(&me));
    }
}
