//! Many claimers at once: each run is claimed by exactly one process, and none is left over.
//!
//! The claimers are this test program itself, started again with NN_IT_CLAIMER set: it then only runs `claimer`.
//! NN_IT_CLAIMERS=32 makes it more.

use crate::place::{Place, say};
use crate::spool;
use nn::spool::owner::Owner;
use nn::spool::state::State;
use nn::spool::store::{Claims, Spool};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Instant;

const JOBS: usize = 5_000;

#[test]
fn claimer() {
    let Some(dir) = std::env::var_os("NN_IT_CLAIMER").map(PathBuf::from) else { return };
    let spool = Spool::open(&dir.join("spool")).unwrap();
    let me = Owner::me().unwrap();
    let mut claims = Claims::new(me.clone());
    let mut lines = fs::File::create(dir.join(format!("claimed.{}", me.pid))).unwrap();
    while !dir.join("go").exists() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    while let Some(claimed) = claims.claim(&spool).unwrap() {
        writeln!(lines, "{}", claimed.run).unwrap();
        // A tenth goes all the way, a tenth is given back once, the rest stays claimed.
        match (claimed.run % 10, claimed.generation) {
            (0, _) => {
                let started = spool.start(&claimed, &me).unwrap().unwrap();
                spool.shift(&started, &started.to(State::Done)).unwrap();
            }
            (1, 1) => {
                claims.give_back(&spool, &claimed).unwrap();
            }
            _ => {}
        }
    }
}

fn start(dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "concurrent::claimer", "--nocapture", "--test-threads=1"])
        .env("NN_IT_CLAIMER", dir)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn every_run_is_claimed_once() {
    let place = Place::new("claimers");
    let dir = place.dir.join("spool");
    let made = Spool::init(&dir, false).unwrap();
    let job = nn::spool::job::Job::new(&["true".into()], &place.dir);
    let runs = made.add(&vec![job; JOBS], b"").unwrap();
    assert_eq!(runs.len(), JOBS);
    let count = std::env::var("NN_IT_CLAIMERS").ok().and_then(|n| n.parse().ok()).unwrap_or(8);
    let children: Vec<Child> = (0..count).map(|_| start(&place.dir)).collect();
    let started = Instant::now();
    fs::write(place.dir.join("go"), "").unwrap();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let took = started.elapsed();
    let mut claims = Vec::new();
    for entry in fs::read_dir(&place.dir).unwrap().flatten() {
        if entry.file_name().to_string_lossy().starts_with("claimed.") {
            let text = fs::read_to_string(entry.path()).unwrap();
            claims.extend(text.lines().map(|l| l.parse::<u64>().unwrap()));
        }
    }
    let given_back = runs.iter().filter(|r| **r % 10 == 1).count();
    assert_eq!(claims.len(), JOBS + given_back, "claims");
    assert_eq!(claims.iter().collect::<BTreeSet<_>>().len(), JOBS, "runs claimed");
    let states = spool::states(&dir);
    assert_eq!(states.len(), JOBS, "runs there");
    for (run, token) in states {
        let expected = if run % 10 == 0 { "done" } else { "running" };
        assert_eq!((token.folder, token.generation), (expected, if run % 10 == 1 { 2 } else { 1 }), "{token:?}");
    }
    say(&format!(
        "claimers: {count} processes, {JOBS} runs, {:.0} claims a second",
        claims.len() as f64 / took.as_secs_f64()
    ));
}
