//! Judges the waiting runs before one is claimed: a run that cannot start yet is passed over, so that others overtake it,
//! and why is kept for the person. What is asked of each run is read once: job.json is never rewritten.
//!
//! In this order: whether it is for this host; the runs it comes after; the pause before a retry; slots; what else it needs of the host. A run that lacks slots ends the walk: all
//! slots are held by runs of this worker, and whoever took one now would hold it up again and again.

use super::host::Host;
use nn::base::sys;
use nn::base::time::Time;
use nn::spool::job::Job;
use nn::spool::needs::Needs;
use nn::spool::state::{State, Token};
use nn::spool::store::{Judge, May, Spool};
use nn::spool::turn::{After, Pause, Standing};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What is known of a waiting run.
pub struct Candidate {
    pub name: String,
    pub group: Option<String>,
    pub slots: usize,
    /// Why it is not for this host
    elsewhere: Option<String>,
    /// What it needs more than slots, and where it works
    needs: Option<(Needs, PathBuf)>,
    after: After,
    /// Of which generation the rest is
    generation: u32,
    pause: Option<Pause>,
    since: Instant,
}

/// Why a run was passed over.
pub enum Why {
    /// It will be its turn by itself
    Soon,
    /// It waits for this run
    Behind(u64),
    /// It waits for something of this host
    Lacks(String),
    /// Nothing that happens here lets it start, for this reason
    Never(String),
}

/// Candidates beyond those that wait which are kept: others have claimed them.
const KEPT: usize = 1000;

/// What the worker knows of the queue.
pub struct Chooser {
    spool: Spool,
    slots: usize,
    backoff: Duration,
    name: String,
    pub host: Host,
    candidates: HashMap<u64, Candidate>,
    standing: Standing,
    /// Slots free now
    pub free: usize,
    /// The runs passed over in this walk
    pub passed: BTreeMap<u64, Why>,
    /// When the first pause is over
    pub wake: Option<Instant>,
}

impl Chooser {
    /// Knows nothing yet.
    pub fn new(spool: &Spool, slots: usize, backoff: Duration, host: Host) -> Chooser {
        Chooser {
            spool: spool.clone(),
            slots,
            backoff,
            name: sys::host_name(),
            host,
            candidates: HashMap::new(),
            standing: Standing::default(),
            free: 0,
            passed: BTreeMap::new(),
            wake: None,
        }
    }

    /// What is known of a run that was claimed.
    pub fn take(&mut self, token: &Token) -> Candidate {
        self.candidates.remove(&token.run).unwrap_or_else(|| self.read(token))
    }

    /// A damaged job is nn-run's matter: it says so in the run's result.
    fn read(&self, token: &Token) -> Candidate {
        let job = self.spool.job(token.run).ok();
        let needs = job.as_ref().map(Needs::of).unwrap_or_default();
        // Frozen code runs in the spool, where the copy is not made yet.
        let in_place = job.as_ref().filter(|job| job.code().is_none());
        let cwd = || in_place.map_or_else(|| self.spool.run_dir(token.run), |job| job.cwd().unwrap_or_default());
        Candidate {
            name: job.as_ref().map_or_else(String::new, |j| j.name().map_or_else(|| j.command_line(), String::from)),
            group: job.as_ref().and_then(Job::group).map(String::from),
            slots: needs.slots.clamp(1, self.slots),
            elsewhere: job.as_ref().and_then(|job| self.elsewhere(job)),
            needs: needs.is_more_than_slots().then(|| (needs, cwd())),
            after: job.as_ref().map(After::of).unwrap_or_default(),
            generation: token.generation,
            pause: Pause::of(&self.spool, token, self.backoff),
            since: Instant::now(),
        }
    }

    fn judge(&mut self, token: &Token) -> Result<(), (May, Why)> {
        let mut candidate = match self.candidates.remove(&token.run) {
            Some(known) => known,
            None => self.read(token),
        };
        if candidate.generation != token.generation {
            candidate.generation = token.generation;
            candidate.pause = Pause::of(&self.spool, token, self.backoff);
            candidate.since = Instant::now();
        }
        let judged = self.weigh(token, &candidate);
        self.candidates.insert(token.run, candidate);
        judged
    }

    fn elsewhere(&self, job: &Job) -> Option<String> {
        let hosts = job.host().filter(|_| !job.may_start_on(&self.name))?;
        Some(format!("host: for {hosts}, this is {}", self.name))
    }

    fn weigh(&mut self, token: &Token, candidate: &Candidate) -> Result<(), (May, Why)> {
        if let Some(words) = &candidate.elsewhere {
            return Err((May::Pass, Why::Never(words.clone())));
        }
        if !candidate.after.is_empty() {
            // Unknown is no reason to start it; the queue itself is about to be read again.
            let behind = self.standing.behind(&self.spool, &candidate.after);
            if let Some(behind) = behind.map_err(|_| (May::Pass, Why::Soon))? {
                let here = !behind.hopeless && !matches!(behind.state, Some(State::Held(_)));
                let why = if here { Why::Behind(behind.run) } else { Why::Never(behind.words()) };
                return Err((May::Pass, why));
            }
        }
        if let Some(pause) = candidate.pause {
            let left = pause.left(Time::now(), candidate.since.elapsed());
            if !left.is_zero() {
                self.wake_in(left);
                return Err((May::Pass, Why::Soon));
            }
        }
        if candidate.slots > self.free {
            let words = format!("slots: {} needed, {} free on {}", candidate.slots, self.free, self.name);
            return Err((May::Stop, if candidate.slots > 1 { Why::Lacks(words) } else { Why::Soon }));
        }
        if let Some((needs, cwd)) = &candidate.needs {
            return self.host.choose(token, needs, cwd).map_err(|blocked| {
                blocked.again.inspect(|after| self.wake_in(*after));
                (blocked.may, blocked.why)
            });
        }
        Ok(())
    }

    fn wake_in(&mut self, after: Duration) {
        let at = Instant::now() + after;
        self.wake = Some(self.wake.map_or(at, |wake| wake.min(at)));
    }

    /// What this host lacks for runs of the last walk.
    pub fn lacking(&self) -> BTreeMap<u64, String> {
        let words =
            |why: &Why| if let Why::Lacks(words) | Why::Never(words) = why { Some(words.clone()) } else { None };
        self.passed.iter().filter_map(|(run, why)| Some((*run, words(why)?))).collect()
    }

    /// The runs of the last walk that cannot start here, and why; one that waits for such a run is one itself, and so are
    /// those of which each waits for another.
    pub fn never(&self) -> BTreeMap<u64, String> {
        let mut never: BTreeMap<u64, String> = BTreeMap::new();
        loop {
            let rest = || self.passed.iter().filter(|(run, _)| !never.contains_key(run));
            let more = rest().filter_map(|(run, why)| match why {
                Why::Never(words) => Some((*run, words.clone())),
                Why::Behind(other) if never.contains_key(other) => {
                    Some((*run, format!("after {other}, which cannot start here")))
                }
                _ => None,
            });
            let mut more: Vec<(u64, String)> = more.collect();
            let in_circle = |why: &Why| matches!(why, Why::Behind(other) if self.passed.contains_key(other));
            if more.is_empty() && rest().all(|(_, why)| in_circle(why)) {
                more = rest().map(|(run, _)| (*run, "each waits for another".to_string())).collect();
            }
            if more.is_empty() {
                return never;
            }
            never.extend(more);
        }
    }
}

impl Judge for Chooser {
    fn begin(&mut self, waiting: usize) {
        if self.candidates.len() > waiting + KEPT {
            self.candidates.clear();
        }
        self.standing.look_again();
        self.host.begin();
        self.passed.clear();
        self.wake = None;
    }

    fn may(&mut self, token: &Token) -> May {
        self.host.forget();
        match self.judge(token) {
            Ok(()) => May::Start,
            Err((may, why)) => {
                self.passed.insert(token.run, why);
                may
            }
        }
    }
}
