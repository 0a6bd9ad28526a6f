//! Claiming: a worker lists the queue once, sorts it, and walks along it. Alone it goes in exact order. Each miss (somebody
//! was quicker) doubles how far it skips ahead and how far it spreads, so that many workers spread out instead of racing
//! for the same names; what was skipped is seen again when the list is made anew, at the latest after a second.
//!
//! The worker judges each run before it is claimed: what may not start yet is passed over, and others overtake it. The
//! first of the list is always judged, so that nothing is overtaken for ever by those that are picked from behind it.

use super::Spool;
use crate::base::error::{Error, Result};
use crate::base::files::Moved;
use crate::spool::owner::Owner;
use crate::spool::state::{Folder, State, Token};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Among how many of the first runs workers spread at most.
const FARTHEST: usize = 16;
/// Farthest skip after a miss, in runs.
const LONGEST_SKIP: usize = 1024;
/// Misses in a row after which the list is too old.
const MISSES: u32 = 24;
/// Fresh lists without a win after which something is wrong: a list means that somebody else won all it named.
const LISTS: u32 = 100;
/// Longest time a list is walked: runs added with a higher priority are seen after that.
const LIST_AGE: Duration = Duration::from_secs(1);

/// What a worker says of a waiting run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum May {
    /// It may start now
    Start,
    /// Not yet, or not here; another one may
    Pass,
    /// Neither it nor any other
    Stop,
}

/// Who says which runs may start.
pub trait Judge {
    /// A walk begins, along so many runs: in the order of the queue from its first run on.
    fn begin(&mut self, waiting: usize);
    /// Whether this run may start.
    fn may(&mut self, token: &Token) -> May;
}

/// Lets every run start.
struct Anything;

impl Judge for Anything {
    fn begin(&mut self, _: usize) {}
    fn may(&mut self, _: &Token) -> May {
        May::Start
    }
}

/// A walk along the queue.
#[derive(Debug)]
pub struct Claims {
    me: Owner,
    waiting: VecDeque<Token>,
    /// Judged, and passed over, in order
    passed: Vec<Token>,
    listed: Option<Instant>,
    spread: usize,
    random: u64,
}

impl Claims {
    /// A walk for this worker.
    pub fn new(me: Owner) -> Claims {
        let random = u64::from(me.pid) << 32 ^ me.start | 1;
        Claims { me, waiting: VecDeque::new(), passed: Vec::new(), listed: None, spread: 1, random }
    }

    /// Claims the next run. None: the queue is empty. No fsync: a claim lost in a power cut harms nobody.
    ///
    /// # Errors
    /// The queue cannot be read, a claim is in doubt, or the file system denies what it lists (a stale NFS mount).
    pub fn claim(&mut self, spool: &Spool) -> Result<Option<Token>> {
        self.claim_if(spool, &mut Anything)
    }

    /// Claims the next run that the judge lets start. None: there is none.
    ///
    /// # Errors
    /// As `claim`.
    pub fn claim_if(&mut self, spool: &Spool, judge: &mut dyn Judge) -> Result<Option<Token>> {
        if self.listed.is_none_or(|at| at.elapsed() > LIST_AGE) {
            self.list(spool)?;
            judge.begin(self.waiting.len());
        }
        let (mut misses, mut skip, mut lists) = (0, 1, 0);
        loop {
            if self.waiting.is_empty() || misses >= MISSES {
                lists += 1;
                if lists > LISTS {
                    let queue = spool.folder(Folder::Queued);
                    return Err(Error::Again(format!(
                        "cannot claim from {}: what it lists cannot be renamed",
                        queue.display()
                    )));
                }
                self.list(spool)?;
                judge.begin(self.waiting.len());
                (misses, skip) = (0, 1);
            }
            let Some(token) = self.pick(judge) else { return Ok(None) };
            let claimed = token.to(State::Claimed(self.me.clone()));
            match spool.shift(&token, &claimed)? {
                Moved::Won => {
                    self.spread = (self.spread - self.spread / 4).max(1);
                    return Ok(Some(claimed));
                }
                Moved::Lost => {
                    misses += 1;
                    self.waiting.drain(..skip.min(self.waiting.len()));
                    skip = (skip * 2).min(LONGEST_SKIP);
                    self.spread = (self.spread * 2).min(FARTHEST);
                }
            }
        }
    }

    fn list(&mut self, spool: &Spool) -> Result<()> {
        let mut tokens = spool.tokens(Folder::Queued)?;
        tokens.sort_by_key(|token| (priority(token), token.run));
        self.waiting = tokens.into();
        self.passed.clear();
        self.listed = Some(Instant::now());
        Ok(())
    }

    /// Something has changed: a walk begins anew with what was passed over.
    pub fn look_again(&mut self, judge: &mut dyn Judge) {
        for token in self.passed.drain(..).rev() {
            self.waiting.push_front(token);
        }
        judge.begin(self.waiting.len());
    }

    /// How many runs wait, as far as this walk knows.
    pub fn known(&self) -> usize {
        self.waiting.len() + self.passed.len()
    }

    /// One that may start.
    fn pick(&mut self, judge: &mut dyn Judge) -> Option<Token> {
        loop {
            match judge.may(self.waiting.front()?) {
                May::Start => {}
                May::Stop => return None,
                May::Pass => {
                    self.passed.extend(self.waiting.pop_front());
                    continue;
                }
            }
            let near = self.near()?;
            if near == 0 {
                return self.waiting.pop_front();
            }
            match judge.may(self.waiting.get(near)?) {
                May::Start => return self.waiting.remove(near),
                May::Stop => return None,
                May::Pass => self.passed.extend(self.waiting.remove(near)),
            }
        }
    }

    /// The place of one of the first `spread` waiting runs of the best priority; nearer ones stay in the list.
    fn near(&mut self) -> Option<usize> {
        let best = priority(self.waiting.front()?);
        let near = self.waiting.iter().take(self.spread).take_while(|token| priority(token) == best).count();
        // xorshift64: any spread will do.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        Some(if near < 2 { 0 } else { (self.random % near as u64) as usize })
    }

    /// Gives back a run that was claimed but certainly not started, as the next generation.
    ///
    /// # Errors
    /// It is unknown whether it was done.
    pub fn give_back(&self, spool: &Spool, claimed: &Token) -> Result<Moved> {
        spool.shift(claimed, &claimed.again(State::Queued(spool.priority_of(claimed.run))))
    }
}

fn priority(token: &Token) -> u8 {
    if let State::Queued(priority) = token.state { priority } else { 9 }
}
