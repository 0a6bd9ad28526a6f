//! The circuit breaker: when run after run fails within seconds of its start, the fault is not theirs (a wrong path, a lost
//! file system, a broken driver), and the rest of the sweep shall not be burnt for it. The queued runs of their group,
//! or all when they are of several, are held, and one event tells of it.
//!
//! Counted are failures in a row of different runs: a run that is tried again and fails again counts once. A run that is
//! done, or that failed later than that, ends the row; one that was cancelled or interrupted says nothing.

use super::children::Own;
use crate::adopt::herald;
use nn::base::cli;
use nn::base::error::Result;
use nn::base::files::{self, Moved};
use nn::base::json::{self, Value};
use nn::base::time::show_duration;
use nn::spool::state::{Folder, How, State, Token};
use nn::spool::store::Spool;
use std::time::Duration;

/// So many failures in a row, unless the setting says otherwise; 0: never.
const ROW: usize = 5;
/// A failure within so long of the start counts.
const QUICK: Duration = Duration::from_secs(10);

/// The event of it.
const BREAKER: &str = "breaker";

/// The failures in a row so far: number and group.
pub struct Breaker {
    limit: usize,
    row: Vec<(u64, Option<String>)>,
}

impl Breaker {
    /// Nothing has failed yet.
    pub fn new(limit: Option<u64>) -> Breaker {
        Breaker { limit: limit.map_or(ROW, |n| usize::try_from(n).unwrap_or(usize::MAX)), row: Vec::new() }
    }

    /// One more run has ended. True: it was one failure too many.
    pub fn count(&mut self, own: &Own, state: &State, took: Duration) -> bool {
        let run = own.token.run;
        match state {
            State::Failed(How::Lost | How::Preempted) | State::Cancelled => return false,
            State::Failed(_) if took < QUICK => {}
            _ => {
                self.row.clear();
                return false;
            }
        }
        if self.limit > 0 && !self.row.iter().any(|(other, _)| *other == run) {
            self.row.push((run, own.group.clone()));
        }
        self.limit > 0 && self.row.len() >= self.limit
    }

    /// Holds what is queued. What is claimed meanwhile by another worker is that one's matter.
    pub fn trip(&mut self, spool: &Spool) {
        let row = std::mem::take(&mut self.row);
        let Some((last, group)) = row.last().cloned() else { return };
        let group = group.filter(|group| row.iter().all(|(_, other)| other.as_ref() == Some(group)));
        let runs: Vec<String> = row.iter().map(|(run, _)| run.to_string()).collect();
        let failed = format!("{} runs in a row failed within {}", row.len(), show_duration(QUICK));
        match hold(spool, group.as_deref()) {
            Ok(0) => {}
            Ok(held) => {
                let of = group.as_ref().map_or(String::new(), |group| format!(" of group {group}"));
                let which = group.as_ref().map_or(String::new(), |group| format!(" @{group}"));
                cli::warn(&format!(
                    "{failed} ({}): the {held} queued{of} are held; see nn-queue log {last}, then: \
                     nn-queue list --state held{which} | nn-queue release",
                    runs.join(" ")
                ));
                let runs = row.iter().map(|(run, _)| Value::from(i64::try_from(*run).unwrap_or(0))).collect();
                let details = json::map([
                    ("failed", Value::List(runs)),
                    ("group", group.into()),
                    ("held", i64::try_from(held).unwrap_or(i64::MAX).into()),
                    ("why", format!("{failed} of their start").into()),
                ]);
                // The runs are held already; the note about it may fail on a full disk.
                let _ = spool.event(last, false, BREAKER, details.clone());
                herald(spool, last, BREAKER, &details);
            }
            Err(err) => cli::complain(&err),
        }
    }
}

/// Holds the queued runs of a group, or all; says how many.
fn hold(spool: &Spool, group: Option<&str>) -> Result<usize> {
    let wanted = |token: &Token| group.is_none() || spool.job(token.run).is_ok_and(|job| job.group() == group);
    let mut held = 0;
    for token in spool.tokens(Folder::Queued)?.iter().filter(|token| wanted(token)) {
        if let State::Queued(priority) = token.state
            && spool.shift(token, &token.to(State::Held(priority)))? == Moved::Won
        {
            held += 1;
        }
    }
    files::sync_dir(&spool.folder(Folder::Held))?;
    Ok(held)
}
