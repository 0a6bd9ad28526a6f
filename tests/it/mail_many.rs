//! A sweep of five hundred runs through a worker: what becomes of it is told in two messages at most, by one nn-mail at a
//! time. And a tick reads only what is new.

use crate::place::{Place, output_within, say};
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

fn good(command: &mut Command) -> String {
    let output = output_within(command, Duration::from_secs(300));
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_sweep_is_two_messages() {
    let place = Place::quick("mail-many");
    good(place.command("nn-queue").arg("init"));
    // The sink counts messages, and how many there are at a time.
    let sink = "mkdir busy || touch crowd; cat >>got; echo END >>got; rmdir busy #";
    let spool = place.dir.join("spool");
    let config = format!(
        "mail.from = me@example.org\nmail.to = you@example.org\nmail.via = cd {}; {sink}\n",
        place.dir.display()
    );
    fs::write(spool.join("config"), config).unwrap();
    let job = |i: u32| {
        let status = u32::from(i % 167 == 100);
        format!(
            "{{\"argv\":[\"sh\",\"-c\",\"echo epoch=1 loss=0.{i}; exit {status}\"],\"cwd\":\"/\",\"group\":\"grid\"}}\n"
        )
    };
    fs::write(place.dir.join("jobs"), (1..=500).map(job).collect::<String>()).unwrap();
    let script = "nn-queue add <jobs >/dev/null; nn-queue work -q -j8; true";
    good(place.command("sh").args(["-c", script]));
    let ended = |folder: &str| fs::read_dir(spool.join(folder)).unwrap().count();
    assert_eq!((ended("done"), ended("failed")), (497, 3));
    let begun = Instant::now();
    let list = |folder: &str| fs::read_dir(spool.join("mail").join(folder)).map_or(0, Iterator::count);
    while list("told") < 500 || list("new") > 0 {
        assert!(begun.elapsed() < Duration::from_secs(120), "told {}, held {}", list("told"), list("held"));
        std::thread::sleep(Duration::from_millis(50));
    }
    let got = fs::read_to_string(place.dir.join("got")).unwrap();
    let messages = got.matches("\nEND\n").count();
    assert!((1..=2).contains(&messages), "{messages} messages");
    assert_eq!(list("sent"), messages);
    assert!(!place.dir.join("crowd").exists(), "two at a time");
    // `@grid: 3 failed, 497 finished`, in one or two.
    let subjects = good(place.command("nn-mail").args(["--list", "--all"]));
    let count = |kind: &str| -> usize {
        let words: Vec<&str> = subjects.split([' ', ',', '\t', '\n']).filter(|word| !word.is_empty()).collect();
        words.windows(2).filter(|pair| pair[1] == kind).map(|pair| pair[0].parse::<usize>().unwrap()).sum()
    };
    assert_eq!((count("failed"), count("finished")), (3, 497), "{subjects}");
}

#[test]
fn a_tick_reads_only_what_is_new() {
    if Command::new("strace").arg("-V").output().is_err() {
        return say("skipped: a tick reads only what is new: needs strace");
    }
    let place = Place::quick("watch-tick");
    good(place.command("nn-queue").arg("init"));
    good(place.command("sh").args(["-c", "for i in 1 2 3 4 5; do nn-run -q -- sh -c 'echo epoch=1 loss=1'; done"]));
    let spool = place.dir.join("spool");
    // Long ago: a folder that has just changed is listed once more.
    for folder in ["queued", "held", "submitted", "done", "failed", "cancelled"] {
        good(Command::new("touch").args(["-d", "2026-01-01"]).arg(spool.join(folder)));
    }
    let mut sleeper = place.command("nn-run").args(["-q", "--", "sleep", "600"]).spawn().unwrap();
    let running = spool.join("runs/6/events.jsonl");
    while !running.exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let tick = || good(place.command("nn-watch").args(["--tick", "--new"]));
    tick();
    let trace = place.dir.join("trace");
    let mut strace = place.command("strace");
    strace
        .args(["-f", "-e", "trace=openat,statx,newfstatat,stat,open", "-o"])
        .arg(&trace)
        .args(["nn-watch", "--tick", "--new"]);
    good(&mut strace);
    let calls = fs::read_to_string(&trace).unwrap();
    Command::new("kill").arg(sleeper.id().to_string()).status().unwrap();
    sleeper.wait().unwrap();
    assert!(calls.contains("runs/6/events.jsonl"), "{calls}");
    let of_ended = |line: &&str| {
        (1..=5).any(|run| line.contains(&format!("runs/{run}")) || line.contains(&format!("runs/{run}/")))
    };
    assert_eq!(calls.lines().filter(of_ended).collect::<Vec<_>>(), Vec::<&str>::new());
    for content in ["history", "resources", "log\""] {
        assert!(!calls.contains(content), "{content}: {calls}");
    }
    assert!(!calls.lines().any(|line| line.contains("O_DIRECTORY") && line.contains("/done")), "{calls}");
    assert!(tick().contains("ended"));
}
