//! Whose turn it is: what keeps a queued run from starting, as far as the spool itself tells. Other runs that it comes
//! after (`after`: they must be done; `after-any`: they must have ended), and the pause before it is tried again when it
//! came back to the queue because it failed.
//!
//! Where another run stands is read from names: the folders of open runs once a look, and for a run that has ended the one
//! name that its result.json tells. The folders of ended runs are read only for what left no result.

use super::job::Job;
use super::state::{Folder, How, State, Token};
use super::store::Spool;
use crate::base::error::Result;
use crate::base::json::Value;
use crate::base::time::{Time, show_duration};
use std::collections::HashMap;
use std::time::Duration;

/// The pause before the first retry, unless `backoff` says otherwise; each further one is twice as long.
pub const BACKOFF: Duration = Duration::from_secs(10);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(600);
/// So many runs one behind the other are followed.
const DEEPEST: u32 = 100;

/// Where runs stand, for one look after the other.
#[derive(Debug, Default)]
pub struct Standing {
    open: Option<HashMap<u64, Token>>,
    /// Ended, as last seen: whether the name is still there is asked once a look
    ended: HashMap<u64, Token>,
    /// Of this look
    seen: HashMap<u64, Option<State>>,
    stuck: HashMap<u64, bool>,
    all: Option<HashMap<u64, Token>>,
}

impl Standing {
    /// With the runs in the folders of open runs, just read.
    pub fn new(open: HashMap<u64, Token>) -> Standing {
        Standing { open: Some(open), ..Standing::default() }
    }

    /// The next look begins.
    pub fn look_again(&mut self) {
        self.open = None;
        self.all = None;
        self.seen.clear();
        self.stuck.clear();
    }

    /// Where a run stands. None: there is no such run, or it was never acknowledged.
    ///
    /// # Errors
    /// A folder cannot be read.
    pub fn of(&mut self, spool: &Spool, run: u64) -> Result<Option<State>> {
        if let Some(seen) = self.seen.get(&run) {
            return Ok(seen.clone());
        }
        if self.open.is_none() {
            self.open = Some(spool.states(&Folder::OPEN)?);
        }
        let state = match self.open.as_ref().and_then(|open| open.get(&run)) {
            Some(token) => Some(token.state.clone()),
            None => self.ended(spool, run)?,
        };
        self.seen.insert(run, state.clone());
        Ok(state)
    }

    fn ended(&mut self, spool: &Spool, run: u64) -> Result<Option<State>> {
        let is_there = |token: &Token| spool.dir().join(token.path()).exists();
        if let Some(known) = self.ended.get(&run).filter(|known| is_there(known)) {
            return Ok(Some(known.state.clone()));
        }
        let mut token = recorded(spool, run).filter(is_there);
        if token.is_none() && spool.run_dir(run).is_dir() {
            if self.all.is_none() {
                self.all = Some(spool.states(&Folder::ALL)?);
            }
            token = self.all.as_ref().and_then(|all| all.get(&run)).cloned();
        }
        if let Some(token) = &token
            && token.folder().is_end()
        {
            self.ended.insert(run, token.clone());
        }
        Ok(token.map(|token| token.state))
    }

    /// The first run that keeps another from starting. None: nothing does.
    ///
    /// # Errors
    /// A folder cannot be read.
    pub fn behind(&mut self, spool: &Spool, after: &After) -> Result<Option<Behind>> {
        self.behind_at(spool, after, 0)
    }

    fn behind_at(&mut self, spool: &Spool, after: &After, depth: u32) -> Result<Option<Behind>> {
        let mut first = None;
        for (any, run) in after.runs() {
            let state = self.of(spool, run)?;
            let hopeless = match &state {
                Some(State::Done) => continue,
                Some(State::Failed(_) | State::Cancelled) | None if any => continue,
                Some(State::Failed(_) | State::Cancelled) | None => true,
                Some(State::Queued(_)) => self.is_stuck(spool, run, depth)?,
                Some(_) => false,
            };
            let behind = Behind { run, state, hopeless };
            if hopeless {
                return Ok(Some(behind));
            }
            first.get_or_insert(behind);
        }
        Ok(first)
    }

    /// Whether a queued run can never start as things are, because of those before it.
    fn is_stuck(&mut self, spool: &Spool, run: u64, depth: u32) -> Result<bool> {
        if let Some(stuck) = self.stuck.get(&run) {
            return Ok(*stuck);
        }
        if depth >= DEEPEST {
            return Ok(false);
        }
        // Numbers of runs that were there before cannot go in a circle; written by hand they can.
        self.stuck.insert(run, false);
        let after = spool.job(run).map(|job| After::of(&job)).unwrap_or_default();
        let stuck = self.behind_at(spool, &after, depth + 1)?.is_some_and(|behind| behind.hopeless);
        self.stuck.insert(run, stuck);
        Ok(stuck)
    }
}

/// The end that a run's result.json tells, as a token.
fn recorded(spool: &Spool, run: u64) -> Option<Token> {
    let result = spool.read(run, "result.json").ok().flatten()?;
    let generation = u32::try_from(result.int("generation")?).ok()?;
    let state = match result.str("state")? {
        "done" => State::Done,
        "cancelled" => State::Cancelled,
        "failed" => State::Failed(How::parse(result.str("how")?)?),
        _ => return None,
    };
    Some(Token { run, generation, state })
}

/// The runs that a run comes after.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct After {
    /// They must be done
    pub done: Vec<u64>,
    /// They must have ended, in whatever way
    pub ended: Vec<u64>,
}

impl After {
    /// What a job says.
    pub fn of(job: &Job) -> After {
        After { done: job.after("after"), ended: job.after("after-any") }
    }

    /// Whether it comes after none.
    pub fn is_empty(&self) -> bool {
        self.done.is_empty() && self.ended.is_empty()
    }

    fn runs(&self) -> impl Iterator<Item = (bool, u64)> {
        self.done.iter().map(|run| (false, *run)).chain(self.ended.iter().map(|run| (true, *run)))
    }
}

/// A run that another one waits for.
#[derive(Clone, Debug, PartialEq)]
pub struct Behind {
    /// Its number
    pub run: u64,
    /// Where it stands, if anywhere
    pub state: Option<State>,
    /// The other one can never start, unless somebody changes something
    pub hopeless: bool,
}

impl Behind {
    /// In words: "after 12", "after 12, which failed".
    pub fn words(&self) -> String {
        let which = match &self.state {
            None => ", which is gone",
            Some(State::Failed(_)) => ", which failed",
            Some(State::Cancelled) => ", which was cancelled",
            Some(State::Held(_)) => ", which is held",
            Some(_) if self.hopeless => ", which cannot start",
            Some(_) => "",
        };
        format!("after {}{which}", self.run)
    }
}

/// The pause before a run is tried again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pause {
    /// When the attempt before ended, by the clock of its host
    pub ended: Time,
    /// How long the pause is
    pub delay: Duration,
}

impl Pause {
    /// The pause of a run that came back to the queue by itself because it failed: one generation after its result, and
    /// one priority digit earlier. What a person sends back (`nn-queue retry`, `prio`) starts at once, and so does what
    /// was interrupted. Costs nothing for a run that was never started.
    pub fn of(spool: &Spool, token: &Token, base: Duration) -> Option<Pause> {
        let State::Queued(digit) = token.state else { return None };
        if token.generation < 2 {
            return None;
        }
        // With priority 0 there is no earlier one: then the result tells whether it came back by itself.
        let again = || spool.read(token.run, "result.json").ok().flatten()?.get("again")?.as_bool();
        if digit >= spool.priority_of(token.run) && !(digit == 0 && again() == Some(true)) {
            return None;
        }
        Pause::after(spool, token.run, token.generation - 1, base)
    }

    /// The pause after the attempt of a generation, if it failed.
    pub fn after(spool: &Spool, run: u64, generation: u32, base: Duration) -> Option<Pause> {
        let result = spool.read(run, "result.json").ok().flatten()?;
        if result.int("generation") != Some(i64::from(generation)) || !is_own_failure(&result) {
            return None;
        }
        // It saved its work when its time was over, and goes on from there.
        let saves = |job: Job| job.json.get("finish-up").is_some();
        if result.str("how") == Some("time") && spool.job(run).is_ok_and(saves) {
            return None;
        }
        let ended = Time::parse(result.str("ended")?)?;
        let attempt = spool.read(run, "attempt.json").ok().flatten();
        let former = attempt.as_ref().and_then(|a| a.list("former")).unwrap_or_default();
        let failed = former.iter().filter(|a| a.get("result").is_some_and(is_own_failure)).count();
        let doubled = u32::try_from(failed).ok().and_then(|n| 2u32.checked_pow(n)).unwrap_or(u32::MAX);
        Some(Pause { ended, delay: base.saturating_mul(doubled).min(LONGEST) })
    }

    /// What is left of it for one who has watched the run wait for so long: by the clock or by that, whichever is less, so
    /// that a clock set back holds nothing up.
    pub fn left(&self, now: Time, watched: Duration) -> Duration {
        let by_clock = self.delay.saturating_sub(now.since(self.ended));
        by_clock.min(self.delay.saturating_sub(watched))
    }

    /// In words: "back-off 40s".
    pub fn words(left: Duration) -> String {
        format!("back-off {}", show_duration(Duration::from_secs(left.as_secs().max(1))))
    }
}

/// Whether a result tells of a failure that was the command's own, and not of an interruption.
fn is_own_failure(result: &Value) -> bool {
    result.str("state") == Some("failed") && !matches!(result.str("how"), Some("lost" | "preempted"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::json;
    use crate::spool::owner::Owner;
    use std::path::Path;

    fn spool(name: &str) -> Spool {
        let dir = std::env::temp_dir().join(format!("nn-turn-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        Spool::init(&dir, false).unwrap()
    }

    fn add(spool: &Spool, members: &[(&str, Value)]) -> Token {
        let mut job = Job::new(&["true".into()], Path::new("/"));
        members.iter().for_each(|(key, value)| job.json.set(key, value.clone()));
        let run = spool.add(&[Job::check(job.json).unwrap()], b"").unwrap()[0];
        Token { run, generation: 1, state: State::Queued(5) }
    }

    #[test]
    fn behind_others() {
        let spool = spool("after");
        let after = |run: u64| ("after", Value::List(vec![(run as i64).into()]));
        let a = add(&spool, &[]);
        let b = add(&spool, &[after(a.run)]);
        let c = add(&spool, &[after(b.run)]);
        let any = After { done: vec![], ended: vec![a.run] };
        let me = Owner::me().unwrap();
        let mut standing = Standing::default();
        let mut words = |spool: &Spool, after: &After| {
            standing.look_again();
            standing.behind(spool, after).unwrap().map(|behind| (behind.words(), behind.hopeless))
        };
        let after_of = |token: &Token| After::of(&spool.job(token.run).unwrap());
        let wait = |text: &str, hopeless| Some((text.to_string(), hopeless));
        assert_eq!(words(&spool, &after_of(&b)), wait("after 1", false));
        assert_eq!(words(&spool, &after_of(&c)), wait("after 2", false));
        let started = a.to(State::Started(me.clone(), me));
        spool.shift(&a, &started).unwrap();
        assert_eq!(words(&spool, &any), wait("after 1", false));
        // Cancelled leaves no result; failed does; a retry makes it hopeful again.
        spool.finish(&started, State::Failed(How::Exit(1)), &Value::Null).unwrap();
        assert_eq!(words(&spool, &after_of(&b)), wait("after 1, which failed", true));
        assert_eq!(words(&spool, &after_of(&c)), wait("after 2, which cannot start", true));
        assert_eq!(words(&spool, &any), None);
        let failed = a.to(State::Failed(How::Exit(1)));
        spool.shift(&failed, &a.again(State::Queued(5))).unwrap();
        assert_eq!(words(&spool, &after_of(&c)), wait("after 2", false));
        spool.shift(&a.again(State::Queued(5)), &a.again(State::Cancelled)).unwrap();
        assert_eq!(words(&spool, &after_of(&b)), wait("after 1, which was cancelled", true));
        spool.shift(&a.again(State::Cancelled), &a.again(State::Done)).unwrap();
        assert_eq!(words(&spool, &after_of(&b)), None);
        assert_eq!(words(&spool, &After { done: vec![99], ended: vec![98] }), wait("after 99, which is gone", true));
        // A circle, which only hands can make.
        for (run, other) in [(b.run, c.run), (c.run, b.run)] {
            let job = format!("{{\"argv\":[\"true\"],\"after\":[{other}]}}");
            std::fs::write(spool.run_dir(run).join("job.json"), job).unwrap();
        }
        assert_eq!(words(&spool, &After { done: vec![c.run], ended: vec![] }), wait("after 3", false));
        std::fs::remove_dir_all(spool.dir()).unwrap();
    }

    #[test]
    fn pauses() {
        let spool = spool("pause");
        let a = add(&spool, &[]);
        let base = Duration::from_secs(10);
        let failed = json::map([
            ("generation", Value::from(1u32)),
            ("state", "failed".into()),
            ("how", "exit,1".into()),
            ("ended", "2026-01-01T00:00:00.000Z".into()),
        ]);
        let by_itself = a.again(State::Queued(4));
        assert_eq!(Pause::of(&spool, &by_itself, base), None);
        spool.put(a.run, "result.json", &failed).unwrap();
        let pause = Pause::of(&spool, &by_itself, base).unwrap();
        assert_eq!(pause.delay, base);
        let at = |text: &str| Time::parse(text).unwrap();
        let seconds = Duration::from_secs;
        assert_eq!(pause.left(at("2026-01-01T00:00:04Z"), seconds(0)), seconds(6));
        assert_eq!(pause.left(at("2025-01-01T00:00:00Z"), seconds(7)), seconds(3));
        assert_eq!(pause.left(at("2026-01-01T01:00:00Z"), seconds(0)), seconds(0));
        // By a person; of another generation; never started.
        assert_eq!(Pause::of(&spool, &a.again(State::Queued(5)), base), None);
        assert_eq!(Pause::of(&spool, &by_itself.again(State::Queued(4)), base), None);
        assert_eq!(Pause::of(&spool, &a, base), None);
        let former = json::map([("result", failed.clone())]);
        let lost = json::map([("result", json::map([("state", "failed".into()), ("how", "lost".into())]))]);
        let attempt = json::map([("former", Value::List(vec![former.clone(), lost, former]))]);
        spool.put(a.run, "attempt.json", &attempt).unwrap();
        assert_eq!(Pause::of(&spool, &by_itself, base).unwrap().delay, base * 4);
        assert_eq!(Pause::of(&spool, &by_itself, seconds(500)).unwrap().delay, LONGEST);
        std::fs::remove_dir_all(spool.dir()).unwrap();
    }
}
