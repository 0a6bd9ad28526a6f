//! Several hosts on one file system: each with a host name, a boot id, process ids and a network of its own, so that all they
//! share is the spool. Exactly once whoever works; nothing taken from a host that lives, nor from one that is only silent.
//! Needs root and namespaces; what waits for a lease needs the cargo feature `failpoints`, under which leases are short.

use crate::hosts::Host;
use crate::paused::{Flock, all_pids, signal, stat, until};
use crate::place::{Place, output_within, say};
use crate::spool;
use nn::spool::recover::LEASE;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

const HOSTS: [&str; 4] = ["alpha", "beta", "gamma", "delta"];
const WORKERS: usize = 4;
const JOBS: usize = 1000;

fn hosts(place: &Place, test: &str) -> Option<Vec<Host>> {
    HOSTS.iter().zip(1..).map(|(name, boot)| Host::alone(place, name, boot, test)).collect()
}

fn count(dir: &Path) -> usize {
    fs::read_dir(dir).map_or(0, Iterator::count)
}

#[test]
fn a_thousand_jobs_on_four_hosts() {
    let place = Place::new("shared");
    let Some(hosts) = hosts(&place, "hosts on one file system") else { return };
    fs::create_dir(place.dir.join("ran")).unwrap();
    // Every tenth is for one host only.
    let line = |job: usize| {
        let host = if job.is_multiple_of(10) { r#","host":"gam*""# } else { "" };
        format!("{{\"argv\":[\"sh\",\"-c\",\"hostname >>ran/$NN_RUN\"]{host}}}\n")
    };
    fs::write(place.dir.join("jobs"), (1..=JOBS).map(line).collect::<String>()).unwrap();
    let add = "nn-queue init >/dev/null 2>&1 && nn-queue add --live <jobs";
    let added = output_within(place.command("sh").args(["-c", add]), Duration::from_secs(60));
    assert!(added.status.success(), "{added:?}");
    let work = format!("for w in $(seq {WORKERS}); do nn-queue work -q 2>/dev/null & done; wait");
    let mut flock = Flock::default();
    for host in &hosts {
        flock.add(host.command(&place, "sh").args(["-c", &work]));
    }
    let dir = place.dir.join("spool");
    let began = Instant::now();
    while count(&dir.join("done")) < JOBS {
        assert!(began.elapsed() < Duration::from_secs(300), "{} of {JOBS} are done", count(&dir.join("done")));
        std::thread::sleep(Duration::from_millis(50));
    }
    spool::assert_whole(&dir);
    let mut by_host = [0; HOSTS.len()];
    for (run, token) in spool::states(&dir) {
        let ran = fs::read_to_string(place.dir.join(format!("ran/{run}"))).unwrap();
        let host = HOSTS.iter().position(|host| ran == format!("{host}\n"));
        let host = host.unwrap_or_else(|| panic!("run {run} ran as {ran:?}"));
        assert_eq!((token.folder, token.generation), ("done", 1), "{token:?}");
        assert!(!run.is_multiple_of(10) || HOSTS[host] == "gamma", "run {run} ran on {ran}");
        by_host[host] += 1;
    }
    assert_eq!(by_host.iter().sum::<usize>(), JOBS);
    assert!(by_host.iter().all(|ran| *ran > 0), "{by_host:?}");
    say(&format!("hosts on one file system: {JOBS} jobs once each, by host {by_host:?}, in {:?}", began.elapsed()));
}

/// Everything that lives on the host whose unshare this is, as seen from outside.
fn processes(unshare: u32) -> Vec<u32> {
    let space = |pid: u32| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
    let Some(first) = all_pids().find(|pid| stat(*pid).is_some_and(|(_, parent)| parent == unshare)) else {
        return Vec::new();
    };
    let own = space(first);
    all_pids().filter(|pid| own.is_some() && space(*pid) == own).collect()
}

#[test]
fn a_silent_host_keeps_what_it_started() {
    if !cfg!(feature = "failpoints") {
        return say("skipped: a silent host: needs cargo test --features failpoints");
    }
    let place = Place::new("silent");
    let test = "a silent host";
    let (Some(there), Some(here)) = (Host::alone(&place, "there", 1, test), Host::alone(&place, "here", 2, test))
    else {
        return;
    };
    let dir = place.dir.join("spool");
    let sh = |host: &Host, script: &str| {
        let output = output_within(host.command(&place, "sh").args(["-c", script]), Duration::from_secs(60));
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    let add = "nn-queue add --live --host there -- sh -c 'until [ -e go ]; do sleep 0.05; done'";
    assert_eq!(sh(&here, &format!("nn-queue init >/dev/null; {add}; nn-queue add --live -- true")), "1\n2\n");
    // The second worker's nn-run stops before the fence: claimed, and certainly not started.
    let work = "nn-queue work --forever -q & NN=$!
        until ls spool/running | grep -q '~s$'; do sleep 0.05; done
        NN_FAIL=1:stop NN_FAIL_IN=nn-run nn-queue work --forever -q & wait";
    let mut flock = Flock::default();
    let unshare = flock.add(there.command(&place, "sh").args(["-c", work]));
    let running = |end: &str| {
        let names = fs::read_dir(dir.join("running")).unwrap().flatten();
        names.filter(|e| e.file_name().to_string_lossy().ends_with(end)).count()
    };
    until("one started, one claimed", || running("~s") == 1 && running("~c") == 1);
    let asleep = processes(unshare);
    assert!(asleep.len() >= 5, "{asleep:?}");
    asleep.iter().for_each(|pid| signal(*pid, "STOP"));

    flock.add(here.command(&place, "nn-queue").args(["work", "--forever", "-q"]));
    until("the claim taken back, and run here", || dir.join("done/0000002.2").exists());
    let since = Instant::now();
    until("another lease", || since.elapsed() > LEASE * 3 / 2);
    assert_eq!((running("~s"), running("~c")), (1, 0));
    let seen = sh(&here, "nn-queue recover; nn-queue list 1 | cut -f2,8; nn-queue hosts | cut -f1-3,12");
    let seen = seen.split("silent for").collect::<Vec<_>>();
    assert!(seen[0].starts_with("running\tunknown, ") && seen.len() == 3, "{seen:?}");
    assert!(seen[1].contains("\nhere\t1\t0\t\nthere\t0\t1\t"), "{seen:?}");

    // It wakes: its run is its own still, and the late start of the other is refused.
    fs::write(place.dir.join("go"), "").unwrap();
    asleep.iter().for_each(|pid| signal(*pid, "CONT"));
    until("the first done", || dir.join("done/0000001.1").exists());

    // The power fails there. The other worker would only claim.
    let environ = |pid: &u32| fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let fails = |pid: &&u32| environ(pid).split(|b| *b == 0).any(|v| v == b"NN_FAIL=1:stop");
    processes(unshare).iter().filter(fails).for_each(|pid| signal(*pid, "KILL"));
    fs::remove_file(place.dir.join("go")).unwrap();
    assert_eq!(sh(&here, add), "3\n");
    until("the third started", || running("~s") == 1);
    let first = processes(unshare).into_iter().find(|pid| stat(*pid).is_some_and(|(_, parent)| parent == unshare));
    signal(first.unwrap(), "KILL");
    until("all dead there", || processes(unshare).is_empty());
    let since = Instant::now();
    until("two leases", || since.elapsed() > LEASE * 2);
    assert_eq!(sh(&here, "nn-queue recover; nn-queue recover --wait; ls spool/failed | wc -l"), "0\n");
    assert_eq!(running("~s"), 1);
    let said =
        sh(&here, "nn-queue recover --host-is-dead there; nn-queue hosts | cut -f1-3; ls spool/failed spool/running");
    let expected = "3\tthere is said to be dead: lost\nhere\t1\t0\nthere\t0\t0\n";
    assert_eq!(said, format!("{expected}spool/failed:\n0000003.1~lost\n\nspool/running:\n"));
}
