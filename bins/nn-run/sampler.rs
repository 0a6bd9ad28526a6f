//! What the run uses, a line every ten seconds in runs/N/resources.jsonl. Nothing is set up before the first is due: a
//! short run pays nothing.

use crate::prepare::Attempt;
use nn::base::files;
use nn::base::json::Value;
use nn::record::resources::Sampler;
use std::time::{Duration, Instant};

/// When and by what samples are taken.
pub struct Resources {
    every: Duration,
    at: Option<Instant>,
    sampler: Option<Sampler>,
}

impl Resources {
    /// Every so often from now on; zero: never.
    pub fn begin(every: Duration) -> Resources {
        Resources { every, at: Instant::now().checked_add(every).filter(|_| !every.is_zero()), sampler: None }
    }

    /// When the next one is due.
    pub fn at(&self) -> Option<Instant> {
        self.at
    }

    /// Whether this process may have a child for it, one that is not the command's.
    pub fn is_asking(&self) -> bool {
        self.sampler.as_ref().is_some_and(Sampler::is_asking)
    }

    /// Takes one if it is due.
    pub fn look(&mut self, attempt: &Attempt, now: Instant) -> Option<Value> {
        if self.at.is_none_or(|at| now < at) {
            return None;
        }
        let (spool, run) = (&attempt.spool, attempt.token.run);
        let sampler = self.sampler.get_or_insert_with(|| Sampler::new(spool, run, &attempt.runner, self.every));
        let (line, pause) = sampler.tick(spool);
        let line = line.map(|mut line| {
            line.set("attempt", attempt.number);
            // Refused on a full disk: the training goes on, and so do the samples.
            let _ = files::append(&attempt.dir().join("resources.jsonl"), &format!("{line}\n"));
            line
        });
        self.at = Instant::now().checked_add(pause);
        line
    }

    /// The host's GPUs as they were seen last, as in hosts/HOST.json.
    pub fn gpus(&self) -> &[Value] {
        self.sampler.as_ref().map(Sampler::gpus).unwrap_or_default()
    }

    /// No more; processes of its own that nothing can end are returned.
    pub fn end(self) -> Vec<u32> {
        self.sampler.map(Sampler::end).unwrap_or_default()
    }
}
