//! Mends what a crash left, see nn-spool(5). Any process may do it at any time, any number of times.
//!
//! 1. Of two tokens of one run the most advanced is the truth; the other is a ghost of a power cut and is unlinked.
//! 2. Claimed, and the worker dead: back to the queue. It certainly has not run.
//! 3. Started, the runner dead, result.json of this generation there: finish it, or queue it again where it says so.
//! 4. Started, runner and command dead, no result: cancelled if that was asked for, stopped by rule if its events say so,
//!    else queued again while retries are left, else failed as lost.
//!
//! Dead means proved (spool/owner); a claimant on another host, or on a rebooted one, counts as dead only when its
//! heartbeat has not changed for a whole lease by the observer's own clock. A started run of another host is never taken.

mod ghosts;

use super::attempts::{attempts, is_of_script, is_stopped_by_rule, record_unrecorded, recorded_end};
use super::owner::{Life, Owner, leader_or_group_lives};
use super::state::{Folder, How, State, Token};
use super::store::Spool;
use crate::base::error::Result;
use crate::base::files::Moved;
use crate::base::json::{self, Value};
use crate::base::time::Time;
use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// With failpoints, whose tests wait for it, all of this goes so many times faster.
pub const HASTE: u32 = if cfg!(feature = "failpoints") { 60 } else { 1 };
/// A heartbeat is written this often.
pub const HEARTBEAT: Duration = Duration::from_millis(15_000 / HASTE as u64);
/// Silence for so long is the end of a lease. Longer than NFS keeps attributes (60 s).
pub const LEASE: Duration = Duration::from_millis(90_000 / HASTE as u64);

/// The event of what was done for a run.
const RECOVERED: &str = "recovered";

/// What was done for one run.
#[derive(Clone, Debug, PartialEq)]
pub struct Mended {
    /// The run
    pub run: u64,
    /// What was done, in words
    pub what: String,
}

/// What an engine tells of a started run whose job has ended: its runner is dead, by that word.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// How it ended, in words
    pub words: String,
    /// What becomes of the run, unless its runner has recorded something else; a state of waiting is one of the next
    /// generation. None: as when its runner died
    pub end: Option<State>,
}

/// Hears of the end of a run: its number, the event and its details.
pub type Herald = fn(&Spool, u64, &str, &Value);

/// Recovery, and what it has observed of silent owners so far.
#[derive(Debug, Default)]
pub struct Recovery {
    heard: HashMap<String, (Option<String>, Instant)>,
    /// By a person's word
    dead_place: Option<String>,
    undecided: bool,
    /// Met by the last look
    orphans: Vec<Token>,
    /// Somebody stands by who starts nn-run
    has_runners: bool,
    unread: Vec<Token>,
    /// Hears of each end that is found, before it is one
    herald: Option<Herald>,
}

impl Recovery {
    /// Nothing observed yet.
    pub fn new() -> Recovery {
        Recovery::default()
    }

    /// With a person's word that a host is dead, or `HOST,BOOT,NS`: one boot or container of it.
    pub fn knowing_dead(place: &str) -> Recovery {
        Recovery { dead_place: Some(place.to_string()), ..Recovery::default() }
    }

    /// Whether the last look met an owner of whom a lease that stays silent would prove something.
    pub fn is_undecided(&self) -> bool {
        self.undecided
    }

    /// With somebody who starts an nn-run for what `take_unread` returns.
    pub fn with_runners(self) -> Recovery {
        Recovery { has_runners: true, ..self }
    }

    /// With somebody who hears of each end that is found, before the token is moved: after a crash in between the end is
    /// found once more.
    pub fn heard_by(self, herald: Herald) -> Recovery {
        Recovery { herald: Some(herald), ..self }
    }

    /// The started runs of this host that the last look found dead, and about to be lost. What their runner had not read of
    /// the log any more, which may be most of it, is read by one who adopts them; then they are lost.
    pub fn take_unread(&mut self) -> Vec<Token> {
        std::mem::take(&mut self.unread)
    }

    /// The started runs of this host that the last look met with a dead runner and a living command: to be adopted.
    pub fn take_orphans(&mut self) -> Vec<Token> {
        std::mem::take(&mut self.orphans)
    }

    /// All of it: for the start of a worker, and for `nn-queue recover`.
    ///
    /// # Errors
    /// A folder cannot be read, or a change is in doubt.
    pub fn whole(&mut self, spool: &Spool) -> Result<Vec<Mended>> {
        self.undecided = false;
        self.orphans.clear();
        self.unread.clear();
        let mut mended = ghosts::unlink(spool)?;
        let mut tokens = spool.tokens(Folder::Running)?;
        tokens.sort_unstable_by_key(|token| token.run);
        for token in tokens {
            mended.extend(self.running(spool, &token)?);
        }
        Ok(mended)
    }

    /// Only when something in running/ asks for it: for an idle worker. Costs nothing for finished runs.
    ///
    /// # Errors
    /// As `whole`.
    pub fn when_needed(&mut self, spool: &Spool) -> Result<Vec<Mended>> {
        let orphaned = |token: &Token| match &token.state {
            State::Claimed(worker) => !matches!(worker.life(), Life::Alive),
            State::Started(_, runner) => !matches!(runner.life(), Life::Alive),
            _ => false,
        };
        if spool.tokens(Folder::Running)?.iter().any(orphaned) { self.whole(spool) } else { Ok(Vec::new()) }
    }

    fn running(&mut self, spool: &Spool, token: &Token) -> Result<Option<Mended>> {
        match &token.state {
            // Safe even from an owner who only sleeps: the fence refuses his late start.
            State::Claimed(worker)
                if self.is_dead(spool, worker) || worker.life() == Life::Unknown && self.is_silent(spool, worker) =>
            {
                let back = token.again(State::Queued(spool.priority_of(token.run)));
                let what = if worker.is_here() { "claimed by a dead worker" } else { "claimed by a silent worker" };
                self.moved(spool, token, &back, &format!("{what}: queued again"))
            }
            State::Started(_, runner) if self.is_dead(spool, runner) => self.started(spool, token, runner),
            _ => Ok(None),
        }
    }

    fn started(&mut self, spool: &Spool, token: &Token, runner: &Owner) -> Result<Option<Mended>> {
        // Of another boot or host nothing can be found here, and its numbers are others' here.
        if recorded_end(spool, token).is_none() && runner.is_here() && command_lives(spool, token)? {
            self.orphans.push(token.clone());
            return Ok(None);
        }
        if runner.life() == Life::Dead && is_of_script(spool, token) {
            let what = "its script ended without nn-log finish";
            return self.ended(spool, token, runner, what, what.into(), Some(State::Failed(How::Unknown)));
        }
        let (what, evidence) = self.words_of_death(runner);
        self.ended(spool, token, runner, &what, evidence, None)
    }

    /// What becomes of a started run when an engine says that its job has ended.
    ///
    /// # Errors
    /// As `whole`.
    pub fn told(&mut self, spool: &Spool, token: &Token, told: &Told) -> Result<Option<Mended>> {
        let State::Started(_, runner) = &token.state else { return Ok(None) };
        self.ended(spool, token, runner, &told.words, told.words.clone(), told.end.clone())
    }

    /// Runner and command are dead: by what is on record, else by `end`, else by the retries that are left.
    fn ended(
        &mut self,
        spool: &Spool,
        token: &Token,
        runner: &Owner,
        what: &str,
        evidence: String,
        end: Option<State>,
    ) -> Result<Option<Mended>> {
        if let Some(end) = recorded_end(spool, token) {
            let what = if end.folder().is_end() { "finished" } else { "queued again" };
            return self.moved(spool, token, &end, &format!("its end was recorded: {what}"));
        }
        if spool.run_dir(token.run).join("cancel").exists() || end == Some(State::Cancelled) {
            return self.moved(
                spool,
                token,
                &token.to(State::Cancelled),
                &format!("called off, and {what}: cancelled"),
            );
        }
        let (next, former) = attempts(spool, token.run);
        let recorded = former.last().is_some_and(|a| a.int("generation") == Some(i64::from(token.generation)));
        let attempt = if recorded { next - 1 } else { next };
        let how = match end {
            Some(State::Failed(how)) => how,
            _ if is_stopped_by_rule(spool, token.run, attempt) => How::Rule,
            _ => How::Lost,
        };
        let on_record = if recorded { Ok(()) } else { record_unrecorded(spool, token, attempt, former) };
        if how != How::Rule
            && let Some(waiting @ State::Submitted(..)) = end
        {
            on_record?;
            return self.moved(spool, token, &token.again(waiting), &format!("{what}: to be handed over again"));
        }
        if spool.job(token.run).is_ok_and(|job| job.is_retried(attempt, how)) {
            on_record?;
            return self.moved(spool, token, &spool.again(token), &format!("{what}: queued again"));
        }
        if self.has_runners && runner.is_here() && has_log(spool, token) {
            self.unread.push(token.clone());
            return Ok(None);
        }
        let mut result = json::map([("evidence", Value::from(evidence))]);
        result.set("ended", Value::from(Time::now()));
        // The name alone tells the truth on a full disk.
        let _ = spool.write_result(token, &State::Failed(how), &result);
        self.moved(spool, token, &token.to(State::Failed(how)), &format!("{what}: {}", how.words()))
    }

    fn moved(&self, spool: &Spool, from: &Token, to: &Token, what: &str) -> Result<Option<Mended>> {
        let mut details = json::map([("from", Value::from(from.name())), ("what", Value::from(what))]);
        if to.folder().is_end() {
            details.set("generation", to.generation);
            details.extend(&to.outcome());
            if let Some(herald) = self.herald {
                herald(spool, from.run, RECOVERED, &details);
            }
        }
        if spool.shift_durably(from, to)? == Moved::Lost {
            return Ok(None);
        }
        // The state is right already; the note about it may fail on a full disk.
        let _ = spool.event(from.run, false, RECOVERED, details);
        Ok(Some(Mended { run: from.run, what: what.to_string() }))
    }

    /// What happened to runner and command, in short and as evidence.
    fn words_of_death(&self, runner: &Owner) -> (String, String) {
        let host = &runner.host;
        match runner.life() {
            Life::Rebooted | Life::Unknown if self.is_said_to_be_dead(runner) => {
                (format!("{host} is said to be dead"), format!("a person said that {host} is dead"))
            }
            Life::Rebooted => (
                format!("{host} was rebooted"),
                format!("{host} was rebooted, and nothing was heard of the runner for a whole lease"),
            ),
            _ => {
                let gone = "runner and command are gone, and left no result";
                ("its runner and command died".to_string(), gone.to_string())
            }
        }
    }

    /// Proved dead: on this boot by the process table; on an earlier boot of a host of this name only together with a
    /// silent lease, for two machines may share a name.
    fn is_dead(&mut self, spool: &Spool, owner: &Owner) -> bool {
        match owner.life() {
            Life::Dead => true,
            Life::Alive => false,
            Life::Rebooted | Life::Unknown if self.is_said_to_be_dead(owner) => true,
            Life::Rebooted => self.is_silent(spool, owner),
            Life::Unknown => false,
        }
    }

    fn is_said_to_be_dead(&self, owner: &Owner) -> bool {
        self.dead_place.as_ref().is_some_and(|place| owner.is_of(place))
    }

    /// Whether an owner's heartbeat has not changed for a lease, by this observer's own monotonic clock.
    fn is_silent(&mut self, spool: &Spool, owner: &Owner) -> bool {
        let name = owner.to_string();
        let beat = std::fs::read_to_string(spool.dir().join("hosts").join(&name)).ok();
        let is_silent = match self.heard.get(&name) {
            Some((known, since)) if *known == beat => since.elapsed() > LEASE,
            _ => {
                self.heard.insert(name, (beat, Instant::now()));
                false
            }
        };
        self.undecided |= !is_silent;
        is_silent
    }
}

fn has_log(spool: &Spool, token: &Token) -> bool {
    std::fs::metadata(spool.run_dir(token.run).join("log")).is_ok_and(|meta| meta.len() > 0)
}

/// Whether anything of a started run is alive on this host, its runner being dead: the command by pid and start time, or any
/// process that carries the run's directory in its environment.
///
/// # Errors
/// /proc cannot be read.
pub fn command_lives(spool: &Spool, token: &Token) -> Result<bool> {
    let attempt = spool.read(token.run, "attempt.json").ok().flatten();
    if let Some(attempt) = attempt.filter(|a| a.int("generation") == Some(i64::from(token.generation))) {
        let pid = attempt.int("pid").and_then(|pid| u32::try_from(pid).ok());
        let start = attempt.int("start").and_then(|start| u64::try_from(start).ok());
        if pid.zip(start).is_some_and(|(pid, start)| leader_or_group_lives(pid, start)) {
            return Ok(true);
        }
    }
    Ok(!survivors(&spool.run_dir(token.run)).is_empty())
}

/// Processes of this host that carry NN_RUN_DIR=DIR in their environment.
pub fn survivors(run_dir: &Path) -> Vec<u32> {
    use std::os::unix::ffi::OsStrExt;
    let wanted = [b"NN_RUN_DIR=", run_dir.as_os_str().as_bytes()].concat();
    let me = std::process::id();
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let carries = |pid: &u32| {
        let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environ.split(|&b| b == 0).any(|pair| pair == wanted.as_slice())
    };
    pids.filter(|pid| *pid != me).filter(carries).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::files;
    use crate::spool::job::Job;

    fn spool(name: &str) -> Spool {
        let dir = std::env::temp_dir().join(format!("nn-recover-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        Spool::init(&dir, false).unwrap()
    }

    fn dead() -> Owner {
        let me = Owner::me().unwrap();
        Owner { start: me.start + 1, ..me }
    }

    fn add(spool: &Spool) -> Token {
        let job = Job::new(&["true".into()], Path::new("/"));
        let run = spool.add(&[job], b"").unwrap()[0];
        Token { run, generation: 1, state: State::Queued(5) }
    }

    fn only_state(spool: &Spool, run: u64) -> Token {
        let mut all: Vec<Token> = Folder::ALL.iter().flat_map(|f| spool.tokens(*f).unwrap()).collect();
        all.retain(|t| t.run == run);
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    #[test]
    fn each_crash_point() {
        let spool = spool("points");
        // Claimed by the dead: back in the queue.
        let t = add(&spool);
        spool.shift(&t, &t.to(State::Claimed(dead()))).unwrap();
        // Claimed by the living: left alone.
        let u = add(&spool);
        let alive = u.to(State::Claimed(Owner::me().unwrap()));
        spool.shift(&u, &alive).unwrap();
        // Started by the dead without a result: lost.
        let v = add(&spool);
        spool.shift(&v, &v.to(State::Started(dead(), dead()))).unwrap();
        // Started by the dead, with its end on record: finished.
        let w = add(&spool);
        let started = w.to(State::Started(dead(), dead()));
        spool.shift(&w, &started).unwrap();
        spool.write_result(&started, &State::Failed(How::Exit(3)), &Value::Null).unwrap();
        // The same, called off before.
        let y = add(&spool);
        spool.shift(&y, &y.to(State::Started(dead(), dead()))).unwrap();
        files::create_empty(&spool.run_dir(y.run).join("cancel")).unwrap();
        // Two tokens of one run: the most advanced stays.
        let x = add(&spool);
        files::create_empty(&spool.dir().join(x.to(State::Done).path())).unwrap();
        for _ in 0..2 {
            Recovery::new().whole(&spool).unwrap();
            assert_eq!(only_state(&spool, t.run), t.again(State::Queued(5)));
            assert_eq!(only_state(&spool, u.run), alive);
            assert_eq!(only_state(&spool, v.run).state, State::Failed(How::Lost));
            assert_eq!(only_state(&spool, w.run).state, State::Failed(How::Exit(3)));
            assert_eq!(only_state(&spool, x.run).state, State::Done);
            assert_eq!(only_state(&spool, y.run).state, State::Cancelled);
        }
        std::fs::remove_dir_all(spool.dir()).unwrap();
    }

    #[test]
    fn a_zombie_is_dead() {
        use crate::spool::owner::start_of;
        use std::os::unix::process::CommandExt;
        let spool = spool("zombie");
        let t = add(&spool);
        let started = t.to(State::Started(dead(), dead()));
        spool.shift(&t, &started).unwrap();
        // The first process of a container may never wait for what is given to it.
        let mut command = std::process::Command::new("cat");
        let mut child = command.process_group(0).stdin(std::process::Stdio::piped()).spawn().unwrap();
        let (pid, start) = (child.id(), start_of(child.id()));
        let attempt = json::map([("generation", Value::from(1u32)), ("pid", pid.into()), ("start", start.into())]);
        spool.put(t.run, "attempt.json", &attempt).unwrap();
        assert!(Recovery::new().whole(&spool).unwrap().is_empty());
        drop(child.stdin.take());
        let stat = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        while !stat().contains(") Z ") {
            std::thread::sleep(Duration::from_millis(1));
        }
        Recovery::new().whole(&spool).unwrap();
        assert_eq!(only_state(&spool, t.run).state, State::Failed(How::Lost));
        child.wait().unwrap();
        std::fs::remove_dir_all(spool.dir()).unwrap();
    }

    #[test]
    fn other_hosts_are_left_alone() {
        let spool = spool("hosts");
        let t = add(&spool);
        let there = Owner { host: "elsewhere".into(), ..dead() };
        let started = t.to(State::Started(there.clone(), there));
        spool.shift(&t, &started).unwrap();
        assert!(Recovery::new().whole(&spool).unwrap().is_empty());
        assert_eq!(only_state(&spool, t.run), started);
        std::fs::remove_dir_all(spool.dir()).unwrap();
    }
}
