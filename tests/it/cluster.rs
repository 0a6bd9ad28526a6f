//! A real engine in namespaces of its own (tests/servers), and nn-queue on its host. Only with NN_ENGINES=1, which
//! `scripts/test --all` sets, as root; skipped, by name, elsewhere.

use crate::place::{Place, output_within, say, tests};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(240);

/// A trainer that saves each of so many epochs, each of so many seconds, and leaves when it is told to.
const TRAIN: &str = r#"#!/bin/sh
epoch=$(cat "${NN_CHECKPOINT:-/dev/null}")
trap 'exit 0' USR1
while [ "${epoch:-0}" -lt "$1" ]; do
    sleep "$2"
    epoch=$((epoch + 1))
    echo "epoch=$epoch cost=$((100 - epoch))"
    echo "$epoch" >"$NN_CHECKPOINTS/c-$epoch.tmp" && mv "$NN_CHECKPOINTS/c-$epoch.tmp" "$NN_CHECKPOINTS/c-$epoch"
done
"#;

/// An engine that runs, and a spool beside it.
pub struct Cluster {
    child: Child,
    pub place: Place,
    kind: &'static str,
}

impl Cluster {
    /// With a spool. None, and said: it cannot be had here.
    pub fn start(kind: &'static str, name: &str) -> Option<Cluster> {
        Cluster::start_with(kind, name, &[])
    }

    /// The same, with words for the script that starts the engine.
    pub fn start_with(kind: &'static str, name: &str, words: &[&str]) -> Option<Cluster> {
        let name = format!("{kind}-{name}");
        let skip = |why: &str| {
            say(&format!("skipped: {name}: {why}"));
            None
        };
        if std::env::var_os("NN_ENGINES").is_none() {
            return skip(&format!("starts a {kind}: only with scripts/test --all"));
        }
        let place = Place::new(&name);
        let mut command = Command::new(tests().join("servers").join(kind));
        command.arg(&place.dir).args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line != "ready\n" {
            let _ = child.wait();
            return skip("needs root, namespaces and Debian's packages");
        }
        std::fs::write(place.dir.join("train"), TRAIN).unwrap();
        let cluster = Cluster { child, place, kind };
        cluster.good("nn-queue init");
        Some(cluster)
    }

    /// A script of sh on the host of the cluster.
    pub fn sh(&self, script: &str) -> Output {
        let inside = self.place.dir.join("in");
        output_within(self.place.command(&inside.to_string_lossy()).args(["sh", "-c", script]), LIMIT)
    }

    /// What a script that must succeed printed.
    pub fn good(&self, script: &str) -> String {
        let output = self.sh(script);
        assert!(output.status.success(), "{script}: {}", &format!("{output:?}").chars().take(4000).collect::<String>());
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a script that must fail said.
    pub fn bad(&self, script: &str) -> String {
        let output = self.sh(script);
        assert!(!output.status.success(), "{script}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// The folder of each run, and the rest of its token's name after the number.
    pub fn states(&self) -> BTreeMap<u64, (String, String)> {
        let tokens = self.good(
            "cd spool && ls -d queued/* held/* submitted/* running/* done/* failed/* cancelled/* 2>/dev/null || :",
        );
        let mut states = BTreeMap::new();
        for line in tokens.lines() {
            let (folder, name) = line.split_once('/').unwrap();
            let name = name.trim_start_matches("5-").trim_start_matches("4-");
            let (run, rest) = name.split_once('.').unwrap();
            states.insert(run.parse().unwrap(), (folder.to_string(), rest.to_string()));
        }
        states
    }

    pub fn count(&self, folder: &str) -> usize {
        self.states().values().filter(|(state, _)| state == folder).count()
    }

    /// Whether all runs have come to an end.
    pub fn have_ended(&self) -> bool {
        self.states().values().all(|(state, _)| matches!(state.as_str(), "done" | "failed" | "cancelled"))
    }

    pub fn folder(&self, run: u64) -> String {
        self.states().remove(&run).map(|(folder, _)| folder).unwrap_or_default()
    }

    /// Waits, and lets `nn-queue sync` do what it does, until something is so.
    pub fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            assert!(
                begun.elapsed() < LIMIT,
                "{what}: {:#?} {}",
                self.states(),
                self.good(&format!(
                    "{} 2>&1; nn-queue sync 2>&1; tail -n 20 spool/batches/*/*.out spool/runs/*/log 2>&1 || :",
                    if self.kind == "slurm" { "squeue" } else { "qstat" }
                ))
            );
            std::thread::sleep(Duration::from_millis(300));
            self.sh("nn-queue sync");
        }
    }

    /// The epochs on the curve of a run, in order.
    pub fn epochs(&self, run: u64) -> Vec<u32> {
        let csv = self.good(&format!("nn-log export --csv {run}"));
        let column = csv.lines().next().unwrap().split(',').position(|name| name == "epoch").unwrap();
        csv.lines().skip(1).map(|line| line.split(',').nth(column).unwrap().parse().unwrap()).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The end of its standard input is the end of its namespaces, and of all in them.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
