//! Failures on top of failures: a process dies at any of its operations, the recovery of that dies or is refused at any of
//! its own, and so on once more; then one recovery without failures mends it all. What must hold is that of crash.rs.
//!
//! Needs the cargo feature `failpoints`.

use crate::crash::{KILLS, SCENARIOS, act, copy, each, lines, mended, prepared};
use crate::place::{Place, say};
use std::fs;

/// What may go wrong in a recovery.
const FAULTS: [&str; 6] = ["before", "after", "EIO", "ESTALE", "EROFS:sticky", "ENOSPC:sticky"];

/// A spool in which something died, and what the recovery of that would do.
struct Wreck {
    scenario: usize,
    what: String,
    place: Place,
    recovery: Vec<String>,
}

/// Dies at `k` and looks what a recovery would do. None: nothing.
fn wreck(scenario: usize, template: &std::path::Path, what: String) -> Option<Wreck> {
    let (place, trial) = (Place::quick("wreck"), Place::quick("trial"));
    copy(template, &place.dir);
    act(&place, SCENARIOS[scenario].name, Some(&what));
    _ = fs::remove_file(place.dir.join("operations"));
    copy(&place.dir, &trial.dir);
    act(&trial, "recover", None);
    let recovery = lines(&trial, "operations");
    (!recovery.is_empty()).then_some(Wreck { scenario, what, place, recovery })
}

/// The faults of the j-th operation of a recovery.
fn faults(operation: &str) -> Vec<&'static str> {
    let name = operation.split(' ').nth(1).unwrap_or("");
    let mut faults = FAULTS.to_vec();
    faults.extend((name == "write").then_some("half"));
    faults.extend(matches!(name, "mv" | "rename").then_some("lost"));
    faults
}

#[test]
fn every_point_of_every_recovery() {
    if !cfg!(feature = "failpoints") {
        return say("skipped: compound failures: needs cargo test --features failpoints");
    }
    let mut wrecks = Vec::new();
    for (i, scenario) in SCENARIOS.iter().enumerate() {
        let (_, place, operations) = prepared(i, scenario);
        let template = place.dir.join("template");
        wrecks.extend((1..=operations).filter_map(|k| wreck(i, &template, format!("{k}:before"))));
        // The end of it all.
        wrecks.extend(wreck(i, &template, format!("{operations}:after")));
    }
    let mut cases = Vec::new();
    for wreck in &wrecks {
        for (j, operation) in wreck.recovery.iter().enumerate() {
            let all = faults(operation);
            // The scenarios that are recoveries themselves have many wrecks, much like each other.
            let many = wreck.recovery.len() > 9;
            cases.extend(
                all.iter().enumerate().filter(|(n, _)| !many || n % 3 == j % 3).map(|(n, f)| (wreck, j + 1, *f, n)),
            );
        }
    }
    each(&cases, |(wreck, j, fault, n)| {
        let scenario = &SCENARIOS[wreck.scenario];
        let place = Place::quick("compound");
        copy(&wreck.place.dir, &place.dir);
        let mut label = format!("{}, {}, then {j}:{fault}", scenario.name, wreck.what);
        let output = act(&place, "recover", Some(&format!("{j}:{fault}")));
        assert!(!KILLS.contains(fault) || !output.status.success(), "{label}: not killed");
        // Every other time a second recovery dies too.
        if (j + n) % 2 == 0 {
            let second = format!("{}:{}", 1 + (j + n) % 3, KILLS[n % 2]);
            act(&place, "recover", Some(&second));
            label += &format!(", then {second}");
        }
        mended(&label, scenario, &place);
    });
    say(&format!("compound failures: {} cases, {} wrecks of {} scenarios", cases.len(), wrecks.len(), SCENARIOS.len()));
}
