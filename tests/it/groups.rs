//! Whole trees of processes: TERM reaches all of them, the grace time passes, KILL reaches all that are left; a worker leaves
//! no zombies behind. NN_ZOMBIE_JOBS=1000 makes the second longer.

use crate::place::{Place, output_within, say};
use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

/// Three levels, 1 + 7 + 42 shells that note a TERM and stay.
const TREE: &str = r#"
trap 'echo TERM $$ >>marks' TERM
[ $1 = 0 ] || for i in $(seq $2); do sh tree.sh $(($1 - 1)) 6 & done
echo UP $$ >>marks
while :; do sleep 600 & wait $!; done
"#;

#[test]
fn a_tree_of_fifty() {
    let place = Place::new("tree");
    fs::write(place.dir.join("tree.sh"), TREE).unwrap();
    let script = r#"
nn-queue init >/dev/null
nn-run -q --grace 1s -- sh tree.sh 2 7 & R=$!
n=0; until [ $(grep -c UP marks) = 50 ]; do n=$((n + 1)); [ $n -lt 3000 ] || exit 9; sleep 0.02; done
kill $R; wait $R; echo "exit $?"; ls spool/failed
"#;
    let output = output_within(place.command("sh").args(["-c", script]), Duration::from_secs(100));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "exit 137\n0000001.1~preempted\n", "{output:?}");
    let marks = fs::read_to_string(place.dir.join("marks")).unwrap();
    let of = |what: &str| -> BTreeSet<&str> { marks.lines().filter_map(|line| line.strip_prefix(what)).collect() };
    assert_eq!((of("UP ").len(), of("TERM ")), (50, of("UP ")), "{marks}");
    let lives = |pid: &&str| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(&place.dir));
    assert_eq!(of("UP ").into_iter().filter(lives).count(), 0, "some survived");
    let result = fs::read_to_string(place.dir.join("spool/runs/1/result.json")).unwrap();
    let duration = result.split("\"duration\":").nth(1).and_then(|rest| rest.split(',').next()?.parse::<f64>().ok());
    assert!(duration.is_some_and(|seconds| seconds >= 1.0), "no grace: {result}");
}

#[test]
fn no_zombies() {
    let place = Place::quick("zombies");
    let jobs: u32 = std::env::var("NN_ZOMBIE_JOBS").ok().and_then(|n| n.parse().ok()).unwrap_or(100);
    let script = r#"
nn-queue init >/dev/null
for i in $(seq $JOBS); do echo '{"argv":["true"]}'; done | nn-queue add --live >/dev/null || exit 8
nn-queue work -q -j4 --forever & W=$!
n=0; until [ $(ls spool/done | wc -l) = $JOBS ]; do n=$((n + 1)); [ $n -lt 4000 ] || exit 9; sleep 0.05; done
none() { [ -z "$(cat /proc/$W/task/*/children)" ]; }
n=0; until none; do n=$((n + 1)); [ $n -lt 500 ] || exit 7; sleep 0.02; done
kill $W; wait $W; echo "exit $?"
"#;
    let mut sh = place.command("sh");
    let output = output_within(sh.args(["-c", script]).env("JOBS", jobs.to_string()), Duration::from_secs(300));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "exit 0\n", "{output:?}");
    say(&format!("zombies: none after {jobs} jobs"));
}
