//! nn-log import, killed and refused at each of its operations: what can be seen of a run is whole, what was refused left
//! nothing, the same import brings the rest, and gc takes what was never acknowledged. Needs the cargo feature
//! `failpoints`. The real peers are asked by tests/python/exchange.py, which scripts/test runs.

use crate::crash::{KILLS, REFUSALS, copy, each, lines};
use crate::place::{Place, output_within, say};
use crate::spool;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

const HISTORY: &str = "{\"t\":\"2026-11-22T20:00:01.000Z\",\"step\":1,\"loss\":0.5}\n";

/// Three runs of Sacred in a directory, one of which is damaged.
fn prepare(place: &Place) {
    for (number, status) in [("1", "COMPLETED"), ("2", "FAILED"), ("3", "cut")] {
        let dir = place.dir.join("sacred").join(number);
        fs::create_dir_all(&dir).unwrap();
        let run = format!(r#"{{"status":"{status}","host":{{"hostname":"h"}},"start_time":"2026-11-22T20:00:00"}}"#);
        let end = if status == "cut" { 9 } else { run.len() };
        fs::write(dir.join("run.json"), &run[..end]).unwrap();
        let metrics = r#"{"loss":{"steps":[1],"values":[0.5],"timestamps":["2026-11-22T20:00:01"]}}"#;
        fs::write(dir.join("metrics.json"), metrics).unwrap();
        fs::write(dir.join("cout.txt"), "hello\n").unwrap();
    }
}

fn shell(place: &Place, script: &str, fail: Option<&str>) -> Output {
    let mut sh = place.command("sh");
    sh.args(["-c", script]).env("NN_FAIL_LOG", place.dir.join("operations"));
    if let Some(fail) = fail {
        sh.env("NN_FAIL", fail).env("NN_FAIL_IN", "nn-log");
    }
    output_within(&mut sh, Duration::from_secs(60))
}

fn case(template: &Path, k: usize, what: &str) {
    let label = format!("NN_FAIL={k}:{what}");
    let place = Place::quick("import");
    copy(template, &place.dir);
    let dir = place.dir.join("spool");
    let output = shell(&place, "exec nn-log import --sacred sacred", Some(&format!("{k}:{what}")));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    let killed = output.status.signal() == Some(9);
    assert!(!message.contains("panicked") && !message.contains("os error"), "{label}: {message}");
    assert!(killed || output.status.code() == Some(2), "{label}: {output:?}");
    let states = spool::states(&dir);
    spool::assert_whole(&dir);
    for run in states.keys() {
        let read = |name: &str| fs::read_to_string(spool::run_dir(&dir, *run).join(name)).unwrap();
        assert_eq!((read("history.jsonl").as_str(), read("log").as_str()), (HISTORY, "hello\n"), "{label}: run {run}");
        assert!(read("facts.json").ends_with("}\n"), "{label}: run {run}");
    }
    let printed: Vec<u64> = String::from_utf8_lossy(&output.stdout).lines().map(|line| line.parse().unwrap()).collect();
    assert!(printed.iter().all(|run| states.contains_key(run)), "{label}: printed {printed:?}, there are {states:?}");
    if !killed && printed.is_empty() && !what.contains("sticky") {
        assert!(states.is_empty(), "{label}: it failed and left {states:?}");
        assert_eq!(fs::read_dir(dir.join("runs")).unwrap().count(), 0, "{label}: it failed and left a directory");
    }
    for _ in 0..2 {
        let after = shell(&place, "nn-queue recover >/dev/null && nn-log import --new --sacred sacred", None);
        assert_eq!(after.status.code(), Some(2), "{label}: the third is damaged: {after:?}");
    }
    let folders: Vec<&str> = spool::states(&dir).values().map(|token| token.folder).collect();
    assert_eq!(folders.iter().filter(|f| **f == "done").count(), 1, "{label}: {folders:?}");
    assert_eq!(folders.iter().filter(|f| **f == "failed").count(), 1, "{label}: {folders:?}");
    assert!(shell(&place, "touch -d 2020-01-01 spool/runs/*; nn-queue gc", None).status.success(), "{label}");
    assert_eq!(fs::read_dir(dir.join("runs")).unwrap().count(), 2, "{label}: gc left what was never acknowledged");
}

#[test]
fn crash_points_of_import() {
    if !cfg!(feature = "failpoints") {
        return say("skipped: crash points of import: needs cargo test --features failpoints");
    }
    let place = Place::quick("import-template");
    let template = place.dir.join("template");
    fs::create_dir_all(&template).unwrap();
    let made = Place { dir: template.clone() };
    prepare(&made);
    assert!(shell(&made, "nn-queue init >/dev/null", None).status.success());
    let _ = fs::remove_file(template.join("operations"));
    std::mem::forget(made);
    copy(&template, &place.dir);
    assert_eq!(shell(&place, "nn-log import --sacred sacred", None).status.code(), Some(2));
    let operations = lines(&place, "operations");
    assert!(operations.len() > 15, "{operations:?}");
    let mut cases: Vec<(usize, String)> = Vec::new();
    for (k, operation) in (1..).zip(&operations) {
        let kills = KILLS.iter().filter(|what| **what != "half" || operation.contains(" write "));
        cases.extend(kills.map(|what| (k, what.to_string())));
        for errno in REFUSALS {
            cases.push((k, errno.to_string()));
            cases.push((k, format!("{errno}:sticky")));
        }
    }
    each(&cases, |(k, what)| case(&template, *k, what));
    say(&format!("crash points of import: {} cases", cases.len()));
}
