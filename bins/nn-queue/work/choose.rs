//! What the worker starts next: it claims along the queue while slots are free. After a refusal of the system it pauses.

use super::children::Own;
use super::worker::Worker;
use nn::base::cli;
use nn::base::error::Result;
use nn::spool::recover::HEARTBEAT;
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

    /// Claims and starts runs while slots are free. True: the queue was seen empty.
    pub(super) fn fill(&mut self) -> Result<bool> {
        if self.stopping || self.beat_failed || self.free() == 0 || Instant::now() < self.due.look {
            return Ok(false);
        }
        while self.free() > 0 {
            let next = match self.waiting.take() {
                Some(own) => Some(own),
                None => self.claim()?,
            };
            let Some(own) = next else {
                self.due.look = self.due.look.max(Instant::now() + LOOK);
                self.mend();
                return Ok(self.due.look > Instant::now());
            };
            if own.slots > self.free() {
                self.waiting = Some(own);
                self.due.look = Instant::now() + HEARTBEAT;
                return Ok(false);
            }
            if !self.start(own)? {
                return Ok(false);
            }
        }
        Ok(false)
    }

    pub(super) fn claim(&mut self) -> Result<Option<Own>> {
        let token = match self.claims.claim(&self.spool) {
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
        // A damaged job is nn-run's matter: it says so in the run's result.
        let job = self.spool.job(token.run).ok();
        let needs = job.as_ref().and_then(|job| job.json.get("needs")?.int("slots"));
        let slots = needs.and_then(|n| usize::try_from(n).ok()).unwrap_or(1).clamp(1, self.slots);
        let name = job.map(|job| job.name().map_or_else(|| job.command_line(), String::from));
        Ok(Some(Own { token, name: name.unwrap_or_default(), slots, started: Instant::now() }))
    }

    /// Claims nothing for a while, longer each time.
    pub(super) fn pause(&mut self) {
        self.due.look = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    pub(super) fn give_back_waiting(&mut self) {
        if let Some(own) = self.waiting.take()
            && let Err(err) = self.claims.give_back(&self.spool, &own.token)
        {
            cli::complain(&err);
        }
    }
}
