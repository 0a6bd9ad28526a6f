//! Workers of one host and the GPUs they give: never one to two runs at a time, however many workers there are, and whatever
//! becomes of one between its claim and its placed.json.
//! GPUs are those of tests/nvidia-smi.

use crate::place::{Place, output_within, tests};
use nn::spool::job::{Job, parse_needs};
use nn::spool::store::Spool;
use std::ffi::OsString;
use std::fs;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

/// A spool in a place with so many GPUs.
fn host(name: &str, gpus: usize) -> (Place, Spool) {
    let place = Place::new(name);
    let smi = place.dir.join("smi");
    fs::create_dir(&smi).unwrap();
    let gpu = |i: usize| format!("{i}, GPU-{i}, 24576, 10, 24000, 0, 35, 20.5, Disabled, 550.1, Card\n");
    fs::write(smi.join("gpus"), (0..gpus).map(gpu).collect::<String>()).unwrap();
    let spool = Spool::init(&place.dir.join("spool"), false).unwrap();
    (place, spool)
}

fn add(place: &Place, spool: &Spool, script: &str, needs: &[&str]) {
    let job = |needs: &&str| {
        let mut job = Job::new(&["sh", "-c", script].map(OsString::from), &place.dir);
        job.json.set("needs", parse_needs(needs).unwrap());
        job
    };
    let jobs: Vec<Job> = needs.iter().map(job).collect();
    spool.add(&jobs, b"PATH=/usr/local/bin:/usr/bin:/bin\0").unwrap();
}

fn worker(place: &Place) -> Command {
    let mut command = place.command("nn-queue");
    command.args(["work", "-q"]).env("NN_NVIDIA_SMI", tests().join("nvidia-smi"));
    command.env("SMI", place.dir.join("smi")).env("NN_BREAKER", "0");
    command
}

fn until(what: &str, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A directory is made for each GPU while a run has it: mkdir tells of two at once.
const ALONE: &str = "for gpu in $(echo $CUDA_VISIBLE_DEVICES | tr , ' '); do mkdir held.$gpu || echo $NN_RUN >>twice; done; \
                     echo $CUDA_VISIBLE_DEVICES >>given; sleep 0.02; \
                     for gpu in $(echo $CUDA_VISIBLE_DEVICES | tr , ' '); do rmdir held.$gpu; done";

/// Eight workers and three GPUs, and sixty runs that each want one or two.
#[test]
fn many_workers() {
    let (place, spool) = host("gpus", 3);
    let needs: Vec<&str> = (0..60).map(|i: usize| if i.is_multiple_of(5) { "gpus=2" } else { "gpus=1" }).collect();
    add(&place, &spool, ALONE, &needs);
    let workers: Vec<Child> = (0..8).map(|_| worker(&place).arg("-j3").spawn().unwrap()).collect();
    for mut worker in workers {
        assert!(worker.wait().unwrap().success());
    }
    assert_eq!(fs::read_to_string(place.dir.join("twice")).unwrap_or_default(), "");
    let given = fs::read_to_string(place.dir.join("given")).unwrap();
    assert_eq!(given.lines().count(), 60);
    assert_eq!(given.lines().filter(|line| line.contains(',')).count(), 12);
    assert_eq!(fs::read_dir(place.dir.join("spool/done")).unwrap().count(), 60);
}

/// A worker stops after its claim, before its placed.json; another one is at work.
#[test]
#[allow(clippy::zombie_processes)] // Waited for on every way but a failure, and then the place ends what is left.
fn stopped_before_it_is_written() {
    if !cfg!(feature = "failpoints") {
        return crate::place::say(
            "skipped: a worker stopped while it gives a GPU: needs cargo test --features failpoints",
        );
    }
    for (what, sleeps) in [("stop", true), ("before", false), ("EIO", false)] {
        let (place, spool) = host("stopped", 1);
        add(&place, &spool, ALONE, &["gpus=1", "gpus=1"]);
        let mut first = worker(&place);
        first.env("NN_FAIL", format!("1:{what}")).env("NN_FAIL_IN", "nn-queue").env("NN_FAIL_PATH", "placed.json");
        let mut first = first.spawn().unwrap();
        if sleeps {
            let stat = format!("/proc/{}/stat", first.id());
            until("the first stops", || fs::read_to_string(&stat).unwrap_or_default().contains(") T "));
        } else {
            first.wait().unwrap();
        }
        let mut second = worker(&place).spawn().unwrap();
        if sleeps {
            let told = || {
                fs::read_dir(place.dir.join("spool/hosts"))
                    .unwrap()
                    .flatten()
                    .any(|entry| fs::read_to_string(entry.path()).unwrap_or_default().contains("the other workers"))
            };
            until("the second waits", told);
            assert_eq!(fs::read_dir(place.dir.join("spool/running")).unwrap().count(), 1, "given twice");
            assert!(!place.dir.join("given").exists());
            Command::new("kill").args(["-CONT", &first.id().to_string()]).status().unwrap();
            first.wait().unwrap();
        }
        assert!(second.wait().unwrap().success());
        assert_eq!(fs::read_to_string(place.dir.join("twice")).unwrap_or_default(), "", "{what}");
        assert_eq!(fs::read_dir(place.dir.join("spool/done")).unwrap().count(), 2, "{what}");
        crate::spool::assert_whole(&place.dir.join("spool"));
    }
}

/// wait does not wait in silence for what nobody starts.
#[test]
fn waiting_for_nobody() {
    if !cfg!(feature = "failpoints") {
        return crate::place::say("skipped: waiting for nobody: needs cargo test --features failpoints");
    }
    let (place, spool) = host("nobody", 1);
    add(&place, &spool, "true", &["gpus=2", "slots=1"]);
    let wait = || {
        let output = output_within(place.command("nn-queue").args(["wait", "--timeout", "4s", "1-2"]), PATIENCE);
        String::from_utf8(output.stderr).unwrap()
    };
    let said = wait();
    assert!(said.contains("nn-queue: still waiting for 1 2: no worker runs\n"), "{said}");
    let mut worker = worker(&place).arg("--forever").spawn().unwrap();
    until("one is done", || fs::read_dir(place.dir.join("spool/done")).unwrap().count() == 1);
    let said = wait();
    worker.kill().unwrap();
    worker.wait().unwrap();
    assert!(said.contains("nn-queue: still waiting for 1: gpus: 2 needed, "), "{said}");
}
