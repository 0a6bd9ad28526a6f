//! The server, and nn-log, killed and refused at each operation while a run is reported: at the end the run is there once,
//! the same to the byte. Needs the cargo feature `failpoints`.

use super::Peers;
use crate::crash::{KILLS, copy};
use crate::place::{Place, say};
use std::fs;

const REPORT: &str = "nn-log report --server $URL 1";

/// A run that is reported, and whose end is not told yet.
const PREPARE: &str = "nn-log start -n crash --server http://127.0.0.1:1 >/dev/null
    for e in 1 2 3; do echo \"epoch=$e loss=0.$e\" >>train.out; done; nn-log finish --log train.out";

/// Both spools before the report, and the token, to be copied for each case.
fn template(name: &str) -> Peers {
    let mut peers = Peers::new(name);
    let output = peers.sh(PREPARE);
    assert!(output.status.success(), "{output:?}");
    peers.kill();
    peers
}

fn copied(template: &Peers) -> Peers {
    let peers = Peers { place: Place::quick("report-crash"), server: None, port: 0 };
    copy(&template.place.dir, &peers.place.dir);
    peers
}

/// One in so many operations, another one for each thing that may go wrong; all with NN_CRASH_ALL=1.
fn chosen(number: usize, kind: usize) -> impl Iterator<Item = usize> {
    let step = if std::env::var_os("NN_CRASH_ALL").is_some() { 1 } else { 3 };
    (1 + kind % step..=number).step_by(step)
}

/// How many operations of a program stand in a log of them.
fn operations(peers: &Peers, program: &str) -> usize {
    let text = fs::read_to_string(peers.place.dir.join("operations")).unwrap();
    text.lines().filter(|line| line.contains(&format!("@{program} "))).count()
}

fn skip() -> bool {
    let skips = !cfg!(feature = "failpoints");
    if skips {
        say("skipped: crash points of reports: needs cargo test --features failpoints");
    }
    skips
}

#[test]
fn crash_points_of_the_receiver() {
    if skip() {
        return;
    }
    let template = template("report-crash");
    let mut peers = copied(&template);
    let log = peers.place.dir.join("operations").display().to_string();
    peers.start(&[("NN_FAIL_LOG", &log), ("NN_FAIL_IN", "nn-web")]);
    assert!(peers.sh(REPORT).status.success());
    peers.is_all_there("no failure");
    let number = operations(&peers, "nn-web");
    let mut struck = 0;
    for (kind, what) in KILLS.into_iter().chain(["ENOSPC", "EIO", "lost"]).enumerate() {
        for k in chosen(number, kind) {
            let label = format!("NN_FAIL={k}:{what}");
            let mut peers = copied(&template);
            peers.start(&[("NN_FAIL", &format!("{k}:{what}")), ("NN_FAIL_IN", "nn-web")]);
            let output = peers.sh_with(REPORT, &[("NN_REPORT_TIMEOUT", "5s")]);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!said.contains("panicked") && !said.contains("os error"), "{label}: {said}");
            struck += usize::from(!output.status.success());
            peers.kill();
            peers.start(&[]);
            let output = peers.sh("nn-log report --server $URL 1; NN_SPOOL=server nn-queue gc >/dev/null");
            assert!(output.status.success(), "{label}: {output:?}");
            peers.is_all_there(&label);
        }
    }
    assert!(number > 15 && struck > number / 3, "{struck} of {number}");
}

#[test]
fn crash_points_of_the_client() {
    if skip() {
        return;
    }
    let template = template("report-crash-client");
    let mut peers = copied(&template);
    peers.start(&[]);
    let log = peers.place.dir.join("operations").display().to_string();
    assert!(peers.sh_with(REPORT, &[("NN_FAIL_LOG", &log)]).status.success());
    let number = operations(&peers, "nn-log");
    for (kind, what) in KILLS.into_iter().enumerate() {
        for k in chosen(number, kind) {
            let label = format!("NN_FAIL={k}:{what}");
            let mut peers = copied(&template);
            peers.start(&[]);
            let _ = peers.sh_with(REPORT, &[("NN_FAIL", &format!("{k}:{what}")), ("NN_FAIL_IN", "nn-log")]);
            let output = peers.sh(REPORT);
            assert!(output.status.success(), "{label}: {output:?}");
            peers.is_all_there(&label);
        }
    }
}
