//! The worker has the news of its runs told: one nn-mail at a time, however many runs end. It is started when something is
//! kept that was not there before, and now and then as long as something is, for what may not be told yet; nobody waits
//! for it.

use nn::base::{cli, files};
use nn::mail::held;
use nn::mail::news;
use nn::spool::store::Spool;
use std::collections::HashSet;
use std::time::{Duration, Instant, SystemTime};

/// Between two of them, at least.
const PAUSE: Duration = Duration::from_secs(5);
/// So often, while something waits to be told.
const AGAIN: Duration = Duration::from_secs(60);

/// What was seen of mail/held, and who tells it.
#[derive(Default)]
pub struct Telling {
    sender: Option<u32>,
    begun: Option<Instant>,
    looked: Option<SystemTime>,
    known: HashSet<String>,
}

impl Telling {
    /// Has new news told, if it is time for that.
    pub fn look(&mut self, spool: &Spool) {
        let since = self.begun.map(|at| at.elapsed());
        if self.sender.is_some() || since.is_some_and(|since| since < PAUSE) {
            return;
        }
        // A look costs one stat as long as nothing comes, nothing is kept, or there is no mail at all.
        let changed = std::fs::metadata(held::dir(spool)).and_then(|meta| meta.modified()).ok();
        let is_over = !self.known.is_empty() && since.is_none_or(|since| since >= AGAIN);
        if changed == self.looked && !is_over {
            return;
        }
        self.looked = changed;
        let names = held::waiting_names(spool);
        let is_new = names.iter().any(|name| !self.known.contains(name));
        self.known = names.into_iter().collect();
        if is_new || is_over && !self.known.is_empty() {
            self.start(spool);
        }
    }

    /// The last word: what is kept is looked at once more.
    pub fn end(&mut self, spool: &Spool) {
        if !held::waiting_names(spool).is_empty() {
            self.start(spool);
        }
    }

    fn start(&mut self, spool: &Spool) {
        self.begun = Some(Instant::now());
        match news::tell(spool) {
            Ok(child) => self.sender = Some(child.id()),
            Err(err) => cli::warn(&format!("nothing is told now: {err}")),
        }
    }

    /// The process that tells, as long as it lives.
    pub fn sender(&self) -> Option<u32> {
        self.sender
    }

    /// A process has ended. True: it was that one.
    pub fn ended(&mut self, pid: u32) -> bool {
        let is_it = self.sender == Some(pid);
        if is_it {
            self.sender = None;
        }
        is_it
    }

    /// Until news that came too early is looked at.
    pub fn due(&self, spool: &Spool) -> Option<Instant> {
        let begun = self.begun.filter(|at| at.elapsed() < PAUSE)?;
        files::names(&held::dir(spool)).is_ok_and(|names| !names.is_empty()).then(|| begun + PAUSE)
    }
}
