//! An owner that sleeps for longer than its lease, as a suspended machine does, and then goes on: nothing of his is started a
//! second time, what was taken back from him he does not start, and what he ends late lands where it belongs.
//!
//! Once at each operation of worker and nn-run that changes the spool (NN_FAIL=K:stop), with an idle worker of another host
//! that watches; and at random moments on four hosts. NN_PAUSE_STOPS=100 makes the second longer.
//! Needs the cargo feature `failpoints`, under which leases are short, and root to play other hosts.

use crate::hosts::Host;
use crate::place::{Place, output_within, say};
use crate::spool;
use crate::storm::{Random, lives, number, prepare};
use nn::spool::recover::LEASE;
use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The longest that anything here may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Processes of a test, continued and killed when it ends in whatever way.
#[derive(Default)]
pub struct Flock(Vec<Child>);

impl Flock {
    pub fn add(&mut self, command: &mut Command) -> u32 {
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        self.0.push(child);
        self.0.last().map_or(0, Child::id)
    }
}

impl Drop for Flock {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

pub fn signal(pid: u32, name: &str) {
    let _ = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).stderr(Stdio::null()).status();
}

/// State letter and parent, proc_pid_stat(5).
pub fn stat(pid: u32) -> Option<(String, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit(')').next()?.split_whitespace();
    Some((fields.next()?.to_string(), fields.next()?.parse().ok()?))
}

pub fn is_stopped(pid: u32) -> bool {
    stat(pid).is_some_and(|(state, _)| state == "T")
}

pub fn all_pids() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc").unwrap().flatten().filter_map(|e| e.file_name().to_str()?.parse().ok())
}

pub fn until(what: &str, done: impl Fn() -> bool) {
    let since = Instant::now();
    while !done() {
        assert!(since.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// All is done; each run was executed once and came to its end; every attempt on record.
fn assert_once(place: &Place, jobs: usize) {
    let dir = place.dir.join("spool");
    spool::assert_whole(&dir);
    let states = spool::states(&dir);
    let lives = lives(place);
    assert_eq!(states.len(), jobs);
    for (run, token) in states {
        let lives = lives.get(&run).map_or(&[][..], Vec::as_slice);
        assert_eq!(token.folder, "done", "{token:?}, {lives:?}");
        assert!(lives.len() == 1 && lives[0].end.is_some(), "executed other than once: {token:?}, {lives:?}");
    }
}

/// Who is paused: program and operation.
fn every_operation(place: &Place) -> Vec<(String, usize)> {
    prepare(place, &[("0.01".into(), 0)]);
    let mut work = place.command("nn-queue");
    output_within(work.args(["work", "-q"]).env("NN_FAIL_LOG", place.dir.join("operations")), PATIENCE);
    let text = fs::read_to_string(place.dir.join("operations")).unwrap();
    let operations = text.lines().filter_map(|line| {
        let (k, program) = line.split(' ').next()?.split_once('@')?;
        Some((program.to_string(), k.parse().ok()?))
    });
    operations.collect()
}

#[test]
fn paused_at_every_operation() {
    if !cfg!(feature = "failpoints") {
        return say("skipped: paused owners: needs cargo test --features failpoints");
    }
    let place = Place::new("paused");
    let Some(there) = Host::new(&place, "there", 1, "paused owners") else { return };
    let Some(here) = Host::new(&place, "here", 2, "paused owners") else { return };
    let points = every_operation(&Place::new("operations"));
    // Some workers do others before they are stopped.
    let jobs = points.len() * 4;
    prepare(&place, &vec![("0.05".into(), 0); jobs]);
    let dir = place.dir.join("spool");
    let mut flock = Flock::default();
    let mut sleepers = Vec::new();
    for (program, k) in &points {
        let mut work = there.command(&place, "nn-queue");
        // Forever, so that what is not his is not waited for by him alone.
        work.args(["work", "--forever", "-q"]).env("NN_FAIL", format!("{k}:stop")).env("NN_FAIL_IN", program);
        let worker = flock.add(&mut work);
        let stopped = || {
            let sleeps = |pid: &u32| is_stopped(*pid) && (*pid == worker || stat(*pid).is_some_and(|s| s.1 == worker));
            all_pids().find(sleeps)
        };
        until(&format!("{program} stopped at {k}"), || stopped().is_some());
        sleepers.push((worker, stopped().unwrap()));
        signal(worker, "STOP");
    }
    let stolen = || {
        fs::read_dir(dir.join("running")).unwrap().flatten().any(|e| {
            let name = e.file_name().into_string().unwrap();
            name.contains("~there,") && name.ends_with("~c")
        })
    };
    assert!(stolen(), "nobody sleeps with a claim");
    flock.add(here.command(&place, "nn-queue").args(["work", "--forever", "-q", "-j4"]));
    until("claims taken back", || !stolen());
    // As long again: what is started is left alone.
    let since = Instant::now();
    until("another lease", || since.elapsed() > LEASE * 3 / 2);
    let at_rest = fs::read_dir(dir.join("running")).unwrap().count();
    for (worker, sleeper) in &sleepers {
        signal(*worker, "CONT");
        signal(*sleeper, "CONT");
    }
    until("all done", || fs::read_dir(dir.join("done")).unwrap().count() == jobs);
    assert_once(&place, jobs);
    let taken = spool::states(&dir).values().filter(|token| token.generation > 1).count();
    say(&format!(
        "paused owners: {} operations of worker and nn-run, {taken} claims taken over, {at_rest} started runs left alone, \
         0 double starts",
        points.len()
    ));
    assert!(taken > 0 && at_rest > 0);
}

/// Workers and runners of this spool, by what their command line begins with.
fn victims(place: &Place) -> Vec<u32> {
    let spool = format!("NN_SPOOL={}", place.dir.join("spool").display());
    let is_one = |pid: &u32| {
        let read = |file: &str| fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        let line = read("cmdline");
        let mut args = line.split(|b| *b == 0);
        let program = args.next().unwrap_or_default();
        (program.ends_with(b"nn-run") || program.ends_with(b"nn-queue"))
            && read("environ").split(|b| *b == 0).any(|v| v == spool.as_bytes())
    };
    all_pids().filter(is_one).collect()
}

#[test]
fn paused_at_random() {
    if !cfg!(feature = "failpoints") {
        return say("skipped: paused at random: needs cargo test --features failpoints");
    }
    let stops = number("NN_PAUSE_STOPS").unwrap_or(30) as usize;
    let seed = number("NN_STORM_SEED").unwrap_or(u64::from(std::process::id()) | 1);
    say(&format!("paused at random: NN_STORM_SEED={seed} NN_PAUSE_STOPS={stops}"));
    let mut random = Random(seed);
    let place = Place::new("pauses");
    let jobs = stops * 6;
    let all: Vec<(String, u32)> = (0..jobs).map(|_| (format!("0.{:02}", 10 + random.below(60)), 0)).collect();
    prepare(&place, &all);
    let mut flock = Flock::default();
    for (i, name) in ["one", "two", "three", "four"].iter().enumerate() {
        let Some(host) = Host::new(&place, name, i as u8 + 1, "paused at random") else { return };
        flock.add(host.command(&place, "nn-queue").args(["work", "--forever", "-q", "-j2"]));
        // Its runners stop themselves right before the fence.
        let mut sleepy = host.command(&place, "nn-queue");
        flock.add(sleepy.args(["work", "--forever", "-q"]).env("NN_FAIL", "1:stop").env("NN_FAIL_IN", "nn-run"));
    }
    let dir = place.dir.join("spool");
    let left = || ["queued", "running"].iter().map(|f| fs::read_dir(dir.join(f)).unwrap().count()).sum::<usize>();
    let (mut asleep, mut stopped, began) = (BTreeMap::<u32, Instant>::new(), 0, Instant::now());
    while left() > 0 {
        assert!(began.elapsed() < PATIENCE * 3, "not at rest: {:?}", spool::tokens(&dir));
        let at = random.below(1 << 20);
        if stopped < stops && asleep.len() < 8 {
            let mut victims = victims(&place);
            victims.retain(|pid| !asleep.contains_key(pid));
            let mut sleep = |pid: u32| {
                signal(pid, "STOP");
                asleep.insert(pid, Instant::now() + LEASE + LEASE * random.below(100) as u32 / 100);
                stopped += 1;
            };
            match victims.iter().find(|pid| is_stopped(**pid)) {
                Some(runner) => [Some(*runner), stat(*runner).map(|s| s.1)].into_iter().flatten().for_each(&mut sleep),
                None if victims.is_empty() => {}
                None => sleep(victims[at % victims.len()]),
            }
        }
        if stopped >= stops {
            victims(&place)
                .into_iter()
                .filter(|pid| is_stopped(*pid) && !asleep.contains_key(pid))
                .for_each(|pid| signal(pid, "CONT"));
        }
        let now = Instant::now();
        asleep.retain(|pid, wake| {
            let sleeps_on = *wake > now;
            if !sleeps_on {
                signal(*pid, "CONT");
            }
            sleeps_on
        });
        std::thread::sleep(Duration::from_millis(10 + random.below(40) as u64));
    }
    assert_once(&place, jobs);
    let taken = spool::states(&dir).values().filter(|token| token.generation > 1).count();
    say(&format!("paused at random: {stopped} stops, {jobs} jobs, {taken} claims taken over, 0 double starts"));
}
