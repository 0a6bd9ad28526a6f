//! Claiming while slots are free, of what chooser.rs lets start, and telling once what cannot start here. After a refusal of
//! the system the worker pauses.

use super::children::Own;
use super::chooser::Candidate;
use super::worker::Worker;
use crate::runs::Refused;
use nn::base::cli;
use nn::base::error::Result;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// While a slot is free the queue is looked at this often.
pub const LOOK: Duration = Duration::from_millis(if cfg!(feature = "failpoints") { 170 } else { 1700 });
/// After a refusal of the system: the first pause; each further one doubles it, up to the longest.
pub const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(if cfg!(feature = "failpoints") { 1 } else { 10 });

impl Worker {
    pub(super) fn free(&self) -> usize {
        let own = self.children.values().chain(&self.orphans);
        self.slots.saturating_sub(own.map(|o| o.slots).sum())
    }

    /// Claims and starts runs while slots are free. True: nothing is left that could start here now or later.
    pub(super) fn fill(&mut self) -> Result<bool> {
        if self.stopping || self.beat_failed || self.free() == 0 || Instant::now() < self.due.look {
            return Ok(false);
        }
        if self.changed {
            self.claims.look_again(&mut self.chooser);
            self.changed = false;
        }
        while self.free() > 0 {
            let Some(own) = self.claim()? else {
                self.due.look = self.due.look.max(Instant::now() + LOOK);
                if let Some(wake) = self.chooser.wake {
                    self.due.look = self.due.look.min(wake);
                }
                let never = self.chooser.never();
                self.tell_never(&never);
                self.write_waits();
                return Ok(never.len() == self.claims.known() && self.due.look > Instant::now());
            };
            if !self.start(own)? {
                return Ok(false);
            }
        }
        Ok(false)
    }

    fn claim(&mut self) -> Result<Option<Own>> {
        self.chooser.free = self.free();
        let claimed = self.claims.claim_if(&self.spool, &mut self.chooser);
        if !matches!(claimed, Ok(Some(_))) {
            self.chooser.host.forget();
        }
        let token = match claimed {
            Ok(Some(token)) => token,
            Ok(None) => return Ok(None),
            Err(err) if self.children.is_empty() && !self.forever => return Err(err),
            Err(err) => {
                let said = err.to_string();
                if said != self.said {
                    cli::complain(&err);
                    self.said = said;
                }
                self.pause();
                return Ok(None);
            }
        };
        if let Err(err) = self.chooser.host.give(&token) {
            self.claims.give_back(&self.spool, &token)?;
            if self.children.is_empty() && !self.forever {
                return Err(err);
            }
            cli::complain(&err);
            self.pause();
            return Ok(None);
        }
        let Candidate { name, group, slots, .. } = self.chooser.take(&token);
        Ok(Some(Own { token, name, group, slots, started: Instant::now() }))
    }

    /// Tells once of each run that cannot start here, many in one line.
    fn tell_never(&mut self, never: &BTreeMap<u64, String>) {
        self.never.retain(|run| never.contains_key(run));
        let mut news = Refused::default();
        for (run, why) in never {
            if self.never.insert(*run) {
                news.add(*run, why.as_str());
            }
        }
        for line in news.lines() {
            cli::tell(&format!("cannot start {line}"));
        }
    }

    /// Claims nothing for a while, longer each time.
    pub(super) fn pause(&mut self) {
        self.due.look = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }
}
