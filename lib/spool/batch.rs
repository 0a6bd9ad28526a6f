//! The batch job that this process runs in, as its scheduler's environment tells: sbatch(1) OUTPUT ENVIRONMENT VARIABLES of
//! Slurm, qsub(1) of Grid Engine, qsub(1B) of PBS, bsub(1) of LSF. All of it is taken for what people could have set, too.
//!
//! A scheduler may start a job's script again from its beginning, under the same id: after a node failed, after
//! preemption, by scontrol requeue. What runs by the script then is the same run (batch/again.rs), found by
//! batch/ENGINE,ID,KEY, which holds its number; KEY is a fingerprint of command, directory, name and rank, for a script may
//! make several runs. nn-spool(5) tells what a crash leaves.

mod again;

pub use again::{Former, former};

use super::job::Job;
use super::store::Spool;
use crate::base::error::Result;
use crate::base::files;
use crate::base::hash::Hasher;
use crate::base::json::{self, Value};
use crate::base::time::Time;
use std::path::PathBuf;
use std::time::Duration;

/// Longest part of an id or name kept, bytes.
const LONGEST: usize = 64;
/// What schedulers call a session in which a person types: no name for what is run there.
const NO_NAMES: [&str; 5] = ["interactive", "bash", "sh", "wrap", "STDIN"];

/// A batch job, see the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// `slurm`, `gridengine`, `pbs` or `lsf`
    pub engine: &'static str,
    /// Its id there; a task of an array is `4711_3` with Slurm, else `4711.3`
    pub id: String,
    /// The cluster, where a scheduler has several
    pub cluster: Option<String>,
    /// The job's name
    pub name: Option<String>,
    /// The partition or queue
    pub queue: Option<String>,
    /// How often it was started again
    pub restarts: u32,
    /// When its time is over
    pub ends: Option<Time>,
    /// The GPUs it was given, as the scheduler names them, or how many
    pub gpus: Option<String>,
    /// Which of the processes that srun started
    pub rank: u32,
}

impl Batch {
    /// The job that this process runs in. None: no job; or inside a run, whose environment may be that of another job, in
    /// which it was queued.
    pub fn here() -> Option<Batch> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if variable("NN_RUN_DIR").is_some() { None } else { Batch::of(&variable) }
    }

    /// What variables tell.
    fn of(variable: &dyn Fn(&str) -> Option<String>) -> Option<Batch> {
        let first = |names: &[&str]| names.iter().find_map(|name| variable(name));
        let short = |names: &[&str]| first(names).map(|value| value.chars().take(LONGEST).collect::<String>());
        let id = |names: &[&str]| first(names).map(|id| plain(&id)).filter(|id| !id.is_empty());
        let count = |names: &[&str]| first(names).and_then(|n| n.parse().ok()).unwrap_or(0);
        if let Some(job) = id(&["SLURM_JOB_ID", "SLURM_JOBID"]) {
            let task = id(&["SLURM_ARRAY_JOB_ID"]).zip(id(&["SLURM_ARRAY_TASK_ID"]));
            let ends = variable("SLURM_JOB_END_TIME").and_then(|t| t.parse::<i64>().ok()?.checked_mul(1000));
            return Some(Batch {
                engine: "slurm",
                id: task.map_or(job, |(array, task)| format!("{array}_{task}")),
                cluster: id(&["SLURM_CLUSTER_NAME"]),
                name: short(&["SLURM_JOB_NAME"]),
                queue: short(&["SLURM_JOB_PARTITION"]),
                restarts: count(&["SLURM_RESTART_COUNT"]),
                ends: ends.filter(|ends| *ends > 0).map(Time),
                gpus: short(&["SLURM_JOB_GPUS", "CUDA_VISIBLE_DEVICES", "SLURM_GPUS", "SLURM_GPUS_ON_NODE"]),
                rank: count(&["SLURM_PROCID"]),
            });
        }
        let array = |job: String, task: Option<String>| match task.filter(|task| task != "undefined" && task != "0") {
            Some(task) => format!("{job}.{task}"),
            None => job,
        };
        // JOB_ID alone may be anybody's.
        if let Some(job) = first(&["SGE_TASK_ID", "SGE_ROOT", "SGE_O_HOST"]).and_then(|_| id(&["JOB_ID"])) {
            return Some(Batch {
                engine: "gridengine",
                id: array(job, id(&["SGE_TASK_ID"])),
                cluster: id(&["SGE_CELL"]),
                name: short(&["JOB_NAME"]),
                queue: short(&["QUEUE"]),
                restarts: count(&["RESTARTED"]),
                gpus: short(&["SGE_HGR_gpu", "CUDA_VISIBLE_DEVICES"]),
                ..Batch::default()
            });
        }
        let (engine, id, name, queue) = if let Some(job) = id(&["PBS_JOBID"]) {
            ("pbs", job, short(&["PBS_JOBNAME"]), short(&["PBS_QUEUE"]))
        } else {
            let job = id(&["LSB_JOBID"])?;
            ("lsf", array(job, id(&["LSB_JOBINDEX"])), short(&["LSB_JOBNAME"]), short(&["LSB_QUEUE"]))
        };
        Some(Batch { engine, id, name, queue, gpus: short(&["CUDA_VISIBLE_DEVICES"]), ..Batch::default() })
    }

    /// What a run in it is called when nobody says.
    pub fn run_name(&self) -> Option<&str> {
        self.name.as_deref().filter(|name| !NO_NAMES.contains(name))
    }

    /// Time until it is over, where that is known.
    pub fn left(&self) -> Option<Duration> {
        self.ends.map(|ends| ends.since(Time::now()))
    }

    /// What is recorded with the run, in `batch` of its job.json: by what it is found again.
    pub fn record(&self) -> Value {
        let mut record = json::map([("engine", Value::from(self.engine)), ("id", self.id.as_str().into())]);
        if let Some(cluster) = &self.cluster {
            record.set("cluster", cluster.as_str());
        }
        record
    }

    /// All that is known, for facts.json.
    pub fn facts(&self) -> Value {
        let mut facts = self.record();
        for (key, text) in [("name", &self.name), ("queue", &self.queue), ("gpus", &self.gpus)] {
            if let Some(text) = text {
                facts.set(key, text.as_str());
            }
        }
        if self.restarts > 0 {
            facts.set("restarts", self.restarts);
        }
        if let Some(ends) = self.ends {
            facts.set("ends", ends);
        }
        facts
    }

    /// Where the number of its run of that job stands.
    fn path(&self, spool: &Spool, job: &Job) -> PathBuf {
        let mut key = Hasher::new();
        for member in ["argv", "cwd", "name"] {
            key.text(job.json.get(member).map(Value::to_string).unwrap_or_default().as_bytes());
        }
        key.number(u64::from(self.rank));
        let cluster = self.cluster.as_deref().unwrap_or_default();
        let name = format!("{},{cluster},{},{}", self.engine, self.id, key.finish());
        spool.dir().join("batch").join(name)
    }

    /// Notes the run of a job, before it has a token.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn remember(&self, spool: &Spool, job: &Job, run: u64) -> Result<()> {
        files::make_dir(&spool.dir().join("batch"))?;
        files::put(&spool.dir().join("tmp"), &self.path(spool, job), format!("{run}\n").as_bytes(), false)
    }

    /// The run of a job that an earlier start of this batch job made.
    fn remembered(&self, spool: &Spool, job: &Job) -> Result<Option<u64>> {
        let text = files::read_text_if_any(self.path(spool, job))?;
        Ok(text.and_then(|text| text.strip_suffix('\n')?.parse().ok()))
    }
}

/// An id as part of a file's name.
fn plain(id: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    id.chars().take(LONGEST).map(kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Option<Batch> {
        Batch::of(&|name| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| value.to_string()))
    }

    #[test]
    fn schedulers() {
        let slurm = of(&[
            ("SLURM_JOB_ID", "4713"),
            ("SLURM_ARRAY_JOB_ID", "4711"),
            ("SLURM_ARRAY_TASK_ID", "3"),
            ("SLURM_JOB_NAME", "LM_miuc"),
            ("SLURM_RESTART_COUNT", "2"),
            ("SLURM_JOB_END_TIME", "1000"),
        ]);
        let slurm = slurm.unwrap();
        assert_eq!((slurm.engine, slurm.id.as_str(), slurm.restarts), ("slurm", "4711_3", 2));
        assert_eq!((slurm.run_name(), slurm.ends), (Some("LM_miuc"), Some(Time(1_000_000))));
        assert_eq!(slurm.record().to_string(), r#"{"engine":"slurm","id":"4711_3"}"#);
        let task = of(&[("JOB_ID", "12"), ("SGE_TASK_ID", "7"), ("QUEUE", "main.q"), ("RESTARTED", "1")]).unwrap();
        assert_eq!((task.engine, task.id.as_str(), task.restarts), ("gridengine", "12.7", 1));
        assert_eq!(of(&[("JOB_ID", "12"), ("SGE_TASK_ID", "undefined")]).unwrap().id, "12");
        assert_eq!(of(&[("JOB_ID", "12")]), None);
        assert_eq!(of(&[("PBS_JOBID", "123[4].server")]).unwrap().id, "123_4_.server");
        assert_eq!(of(&[("LSB_JOBID", "9"), ("LSB_JOBINDEX", "0")]).unwrap().id, "9");
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn hostile_values() {
        let odd = of(&[("SLURM_JOB_ID", "../../x\n"), ("SLURM_RESTART_COUNT", "-1"), ("SLURM_JOB_END_TIME", "soon")]);
        let odd = odd.unwrap();
        assert_eq!((odd.id.as_str(), odd.restarts, odd.ends), (".._.._x_", 0, None));
        assert_eq!(of(&[("SLURM_JOB_ID", "1"), ("SLURM_JOB_END_TIME", "9223372036854775807")]).unwrap().ends, None);
        assert_eq!(of(&[("SLURM_JOB_ID", &"9".repeat(5000))]).unwrap().id.len(), LONGEST);
        assert_eq!(of(&[("SLURM_JOB_ID", "1"), ("SLURM_JOB_NAME", "bash")]).unwrap().run_name(), None);
    }
}
