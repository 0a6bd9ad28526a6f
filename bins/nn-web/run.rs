//! One run in full: its row, what was asked, its attempts, what was found, how it ended, what happened to it.

use crate::app::Answered;
use crate::model::Model;
use nn::base::json::Value;
use nn::record::events::Events;
use nn::spool::attempts::attempts;
use nn::spool::store::Spool;
use nn::web::response::Response;
use std::path::PathBuf;

/// Most events of a run that are told, the last ones.
const EVENTS: usize = 1000;

/// The answer when there is no such run.
pub fn none(run: u64) -> Response {
    Response::error(404, &format!("there is no run {run}"))
}

/// All of a run but its curves and its log.
pub fn whole(model: &Model, run: u64) -> Answered {
    tell(model, run).map(|value| Response::json(value.to_string())).ok_or_else(|| none(run))
}

/// The same as a value; None: there is no such run.
pub fn tell(model: &Model, run: u64) -> Option<Value> {
    let mut whole = model.row(run)?;
    let spool = &model.spool;
    let read = |name: &str| spool.read(run, name).ok().flatten();
    for (name, file) in [("job", "job.json"), ("facts", "facts.json"), ("result", "result.json")] {
        if let Some(value) = read(file) {
            whole.set(name, value);
        }
    }
    whole.set("attempts", attempts(spool, run).1);
    whole.set("events", events(spool, run));
    if let Some(good) = model.good(run) {
        whole.set("good", good);
    }
    Some(whole)
}

/// The folder of a run.
///
/// # Errors
/// The answer when there is no such run.
pub fn dir(spool: &Spool, run: u64) -> Result<PathBuf, Response> {
    let dir = spool.run_dir(run);
    if dir.is_dir() { Ok(dir) } else { Err(none(run)) }
}

fn events(spool: &Spool, run: u64) -> Vec<Value> {
    let mut all = Vec::new();
    // What cannot be read is left out: the rest is still to be seen.
    let _ = Events::new(spool.run_dir(run)).look(&mut |event| all.push(event));
    all.drain(..all.len().saturating_sub(EVENTS));
    all
}
