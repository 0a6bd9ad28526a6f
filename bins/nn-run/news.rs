//! News of a run: kept before the change of state it belongs to, told after it. A worker of this host tells what its runs
//! keep; where there is none, or it is dead, this process has it told. What cannot be kept or told is warned of, no more:
//! the run comes first.

use crate::prepare::Attempt;
use nn::base::cli;
use nn::base::json::{self, Value};
use nn::mail::news;
use nn::spool::owner::Life;
use nn::spool::state::State;

/// Keeps what happened, when somebody wants to be told. True: there is something to be told.
pub fn keep(attempt: &Attempt, event: &str, details: &Value) -> bool {
    let token = &attempt.token;
    let mut whole = json::map([("generation", Value::from(token.generation))]);
    whole.extend(details);
    news::raise(&attempt.spool, token.run, event, &whole).unwrap_or_else(|err| {
        cli::warn(&format!("run {}: the news cannot be kept: {err}", token.run));
        false
    })
}

/// Has it told, unless a worker does that; the process that does.
pub fn tell(attempt: &Attempt) -> Option<u32> {
    let State::Started(worker, runner) = &attempt.token.state else { return None };
    if worker != runner && worker.life() == Life::Alive {
        return None;
    }
    match news::tell(&attempt.spool) {
        Ok(child) => Some(child.id()),
        Err(err) => {
            cli::warn(&format!("run {}: nothing is told now: {err}", attempt.token.run));
            None
        }
    }
}
