//! Removes checkpoints that nobody asked to keep, now and then while the command runs and at its end. Only in the run's
//! own directory; what went is among the events.

use crate::prepare::Attempt;
use nn::base::cli;
use nn::base::json::{self, Value};
use nn::record::checkpoint::{Keep, Plan};
use nn::spool::job::Job;
use std::time::{Duration, Instant, SystemTime};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(if cfg!(feature = "failpoints") { 1 } else { 30 });

/// What to keep, and when it was last looked after.
pub struct Keeper {
    keep: Option<Keep>,
    at: Instant,
    /// When the directory had last changed
    changed: Option<SystemTime>,
}

impl Keeper {
    /// By what the job says; a rule that is none was refused when it was added.
    pub fn new(job: Option<&Job>) -> Keeper {
        let keep = job.and_then(Job::keep_checkpoints).and_then(|text| Keep::parse(text).ok());
        Keeper { keep, at: Instant::now() + LOOK, changed: None }
    }

    /// When to look next; None: never.
    pub fn due(&self) -> Option<Instant> {
        self.keep.as_ref().map(|_| self.at)
    }

    /// Looks, when something has changed since the last time.
    pub fn look(&mut self, attempt: &Attempt) {
        self.at = Instant::now() + LOOK;
        let Some(keep) = &self.keep else { return };
        let changed = std::fs::metadata(attempt.checkpoint_dir()).and_then(|meta| meta.modified()).ok();
        if changed == self.changed {
            return;
        }
        self.changed = changed;
        let plan = attempt.checkpoints(|place| keep.plan(&attempt.dir(), place));
        match plan.and_then(|plan| plan.carry_out().map(|()| plan)) {
            Ok(plan) if plan.remove.is_empty() => {}
            Ok(plan) => tell(attempt, &plan),
            Err(err) => {
                cli::warn(&err.to_string());
                self.keep = None;
            }
        }
    }
}

fn tell(attempt: &Attempt, plan: &Plan) {
    let name = |path: &std::path::PathBuf| path.file_name().map(json::from_os).unwrap_or(Value::Null);
    let names: Vec<Value> = plan.remove.iter().map(name).collect();
    let _ = attempt.spool.event(attempt.token.run, true, "removed", json::map([("checkpoints", Value::List(names))]));
}
