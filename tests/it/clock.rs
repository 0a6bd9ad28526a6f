//! A clock that is set forward and back by days and by seconds while runs are queued and run: numbers are given in order,
//! the queue keeps its order, nothing lasts for less than nothing or for days, limits and leases go by the clock that
//! nobody can set.
//!
//! libfaketime plays the clock (`faketime` of Debian), which reads it from a file; the monotonic clock is left alone.

use crate::hosts::Host;
use crate::paused::{Flock, all_pids, is_stopped, signal, stat, until};
use crate::place::{Place, output_within, say};
use crate::spool;
use nn::base::json::Value;
use nn::spool::recover::LEASE;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const STEPS: [&str; 8] = ["+0", "+1s", "-1s", "+3d", "+3d", "-3d", "-1s", "+259201s"];

/// libfaketime; None, and said, where there is none.
fn library(test: &str) -> Option<PathBuf> {
    let dirs = fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|e| e.path());
    let found = dirs.map(|dir| dir.join("faketime/libfaketime.so.1")).find(|path| path.exists());
    if found.is_none() {
        say(&format!("skipped: {test}: no faketime"));
    }
    found
}

/// The names of what processes under libfaketime share. Each process would make its own, named by its pid, and now and
/// then one finds what another of the same pid left and ends; so one makes them for all, and lives as long as the tests.
fn shared(library: &PathBuf) -> &'static str {
    static SHARED: OnceLock<(Child, String)> = OnceLock::new();
    let keeper = || {
        let mut keeper = Command::new("cat");
        keeper.env("LD_PRELOAD", library).env("FAKETIME", "+0").stdin(Stdio::piped()).stdout(Stdio::null());
        let keeper = keeper.spawn().unwrap();
        let pid = keeper.id();
        until("libfaketime at work", || PathBuf::from(format!("/dev/shm/faketime_shm_{pid}")).exists());
        (keeper, format!("/faketime_sem_{pid} /faketime_shm_{pid}"))
    };
    &SHARED.get_or_init(keeper).1
}

/// Gives a command the clock of a file.
fn with_clock<'a>(command: &'a mut Command, place: &Place, library: &PathBuf) -> &'a mut Command {
    command
        .env("LD_PRELOAD", library)
        .env("FAKETIME_TIMESTAMP_FILE", place.dir.join("clock"))
        .env("FAKETIME_SHARED", shared(library))
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
}

fn set_clock(place: &Place, offset: &str) {
    // Whole, for it is read at every look at the clock.
    fs::write(place.dir.join("clock.new"), offset).unwrap();
    fs::rename(place.dir.join("clock.new"), place.dir.join("clock")).unwrap();
}

/// Does something while the clock jumps.
fn while_it_jumps<T>(place: &Place, act: impl FnOnce() -> T) -> T {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for offset in STEPS.iter().cycle() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                set_clock(place, offset);
                std::thread::sleep(Duration::from_millis(23));
            }
        });
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(act));
        over.store(true, Ordering::Relaxed);
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn tool(place: &Place, library: &PathBuf, program: &str, args: &[&str]) -> Output {
    output_within(with_clock(place.command(program).args(args), place, library), Duration::from_secs(60))
}

fn text(output: Output) -> String {
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The clock is what the file says, or nothing is tested.
fn assert_fakes(place: &Place, library: &PathBuf) {
    set_clock(place, "-3650d");
    let year = text(tool(place, library, "date", &["+%Y"]));
    assert!(year.trim().parse::<i32>().is_ok_and(|y| y < 2100), "{year}");
    let own =
        fs::read_to_string("/proc/uptime").is_ok() && year != text(place.command("date").arg("+%Y").output().unwrap());
    assert!(own, "the clock is not faked: {year}");
}

#[test]
fn numbers_order_and_durations() {
    let Some(library) = library("clock steps") else { return };
    let place = Place::new("clock");
    assert_fakes(&place, &library);
    let dir = place.dir.join("spool");
    let run = |program: &str, args: &[&str]| tool(&place, &library, program, args);
    text(run("nn-queue", &["init"]));
    while_it_jumps(&place, || {
        let job = ["add", "--", "sh", "-c", "echo $NN_RUN >>order; sleep 0.02; echo epoch=1 loss=1"];
        // In order, and each its own.
        let numbers: Vec<u64> = (0..24).map(|_| text(run("nn-queue", &job)).trim().parse().unwrap()).collect();
        assert_eq!(numbers, (1..=24).collect::<Vec<u64>>());
        assert!(run("nn-queue", &["work", "-q"]).status.success());
        let order = fs::read_to_string(place.dir.join("order")).unwrap();
        assert_eq!(order.split_whitespace().map(|n| n.parse().unwrap()).collect::<Vec<u64>>(), numbers);
        for (run, token) in spool::states(&dir) {
            assert_eq!(token.folder, "done");
            let duration = spool::json(&dir, run, "result.json").and_then(|r| r.num("duration"));
            assert!(duration.is_some_and(|d| (0.0..60.0).contains(&d)), "run {run}: {duration:?}");
        }
        for line in text(run("nn-queue", &["list", "--all", "--json"])).lines() {
            let row = Value::parse(line).unwrap_or(Value::Null);
            assert!(row.num("time").is_some_and(|t| (0.0..60.0).contains(&t)), "{line}");
        }
        let table = text(run("nn-table", &["--csv", "--columns", "run,duration,loss@last"]));
        assert_eq!(table.lines().count(), 25, "{table}");
        assert!(table.lines().skip(1).all(|l| l.split(',').nth(1).is_some_and(|d| d.parse::<f64>().unwrap() < 60.0)));
        assert!(text(run("nn-queue", &["show", "3"])).contains("after"));
        assert_eq!(text(run("nn-queue", &["wait", "1-24"])).lines().count(), 24);
    });
}

#[test]
fn limits_go_by_a_clock_that_nobody_sets() {
    let Some(library) = library("limits under clock steps") else { return };
    let place = Place::new("limits");
    let dir = place.dir.join("spool");
    set_clock(&place, "+0");
    let run = |program: &str, args: &[&str]| tool(&place, &library, program, args);
    text(run("nn-queue", &["init"]));
    while_it_jumps(&place, || {
        let began = Instant::now();
        let ended = run("nn-run", &["-q", "--time", "1s", "--", "sleep", "50"]);
        assert_eq!(ended.status.code(), Some(124), "{ended:?}");
        assert!(began.elapsed() >= Duration::from_secs(1));
        let result = spool::json(&dir, 1, "result.json").unwrap();
        assert!(result.str("how") == Some("time") && result.num("duration").is_some_and(|d| d >= 1.0), "{result}");
        let mut long =
            with_clock(place.command("nn-run").args(["-q", "--", "sleep", "0.5"]), &place, &library).spawn().unwrap();
        until("a run that is shown", || !text(run("nn-queue", &["list"])).is_empty());
        while long.try_wait().unwrap().is_none() {
            let list = text(run("nn-queue", &["list", "--json", "--state", "running"]));
            let time = Value::parse(list.trim()).ok().and_then(|row| row.num("time"));
            assert!(time.is_none_or(|t| t < 60.0), "runs for days: {list}");
        }
        // Three days are over by the clock, and not in truth.
        let ended = run("nn-run", &["-q", "--time", "50s", "--", "sleep", "0.3"]);
        assert!(ended.status.success(), "{ended:?}");
        text(run("nn-queue", &["add", "--hold", "--", "true"]));
        let began = Instant::now();
        let waited = run("nn-queue", &["wait", "--timeout", "1s", "4"]);
        assert_eq!(waited.status.code(), Some(75), "{waited:?}");
        assert!(began.elapsed() >= Duration::from_secs(1));
    });
}

#[test]
fn leases_go_by_the_observers_own_time() {
    if !cfg!(feature = "failpoints") {
        return say("skipped: leases under clock steps: needs cargo test --features failpoints");
    }
    let Some(library) = library("leases under clock steps") else { return };
    let place = Place::new("leases");
    let Some(there) = Host::new(&place, "there", 1, "leases under clock steps") else { return };
    let Some(here) = Host::new(&place, "here", 2, "leases under clock steps") else { return };
    set_clock(&place, "+0");
    let dir = place.dir.join("spool");
    text(tool(&place, &library, "nn-queue", &["init"]));
    text(tool(&place, &library, "nn-queue", &["add", "--", "true"]));
    let mut flock = Flock::default();
    // There: a claim whose runner sleeps before the fence, and whose worker lives.
    let mut work = there.command(&place, "nn-queue");
    work.args(["work", "--forever", "-q"]).env("NN_FAIL", "1:stop").env("NN_FAIL_IN", "nn-run");
    let worker = flock.add(with_clock(&mut work, &place, &library));
    let runner = || all_pids().find(|pid| is_stopped(*pid) && stat(*pid).is_some_and(|s| s.1 == worker));
    until("a runner stopped", || runner().is_some());
    let runner = runner().unwrap();
    let claimed = || {
        fs::read_dir(dir.join("running")).unwrap().flatten().any(|e| {
            let name = e.file_name().into_string().unwrap();
            name.contains("~there,") && name.ends_with("~c")
        })
    };
    while_it_jumps(&place, || {
        let mut work = here.command(&place, "nn-queue");
        flock.add(with_clock(work.args(["work", "--forever", "-q"]), &place, &library));
        let since = Instant::now();
        until("three leases", || {
            assert!(claimed(), "taken from a worker that lives");
            since.elapsed() > LEASE * 3
        });
        signal(worker, "STOP");
        until("taken over from a silent worker", || !claimed());
        until("run here", || fs::read_dir(dir.join("done")).unwrap().count() == 1);
    });
    signal(worker, "CONT");
    signal(runner, "CONT");
    until("the late runner gone", || stat(runner).is_none_or(|(state, _)| state == "Z"));
    let states = spool::states(&dir);
    assert_eq!((states[&1].folder, states[&1].generation), ("done", 2));
}
