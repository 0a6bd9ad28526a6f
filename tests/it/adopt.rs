//! A command whose nn-run was killed, and the nn-run that adopts it killed as well, at each of its operations that changes
//! the spool: whoever comes next adopts it again, nothing runs twice, and the history has each point once. Of several that
//! adopt at once, one wins. Needs the cargo feature `failpoints` for the most part.

use crate::crash::failing;
use crate::place::{Place, output_within, say};
use crate::spool;
use std::fs;
use std::process::Output;
use std::time::Duration;

/// Starts run 1 and kills its worker and its nn-run; `runner` prints the pid of the nn-run of today.
const ORPHAN: &str = r#"
cat >job.sh <<'E'
echo $$ >>ran
echo "epoch 1 loss 1"; echo "epoch 2 loss 2"
until [ -e go ]; do sleep 0.01; done
echo "epoch 3 loss 3"
E
until_ok() { n=0; until "$@" >/dev/null 2>&1; do n=$((n+1)); [ $n -lt 3000 ] || { echo "gave up: $*"; exit 9; }; sleep 0.01; done; }
runner() { ls spool/running | sed 's/.*,\([0-9]*\),[0-9]*~s/\1/'; }
dead() { nn-queue list | grep -q dead; }
nn-queue init >/dev/null && nn-queue add --live -- sh job.sh >/dev/null || exit 8
nn-queue work -q 2>/dev/null & W=$!
until_ok grep -q 'loss":2' spool/runs/1/history.jsonl
kill -9 $W $(runner); wait; until_ok dead
"#;

/// Adopts with a failure, lets the command end once its runner is settled, and mends until nothing runs.
const ADOPT: &str = r#"
T=$(ls spool/running)
NN_FAIL=$WHAT NN_FAIL_IN=nn-run NN_FAIL_LOG=$PWD/operations nn-run -q --adopt "$T" 2>/dev/null & A=$!
settled() { ! kill -0 $A || grep -q '"adopted"' spool/runs/1/events.jsonl; }
until_ok settled
if kill -0 $A 2>/dev/null; then touch go; wait $A; fi
over() { nn-queue recover >>recovered; touch go; [ -z "$(ls spool/running)" ]; }
until_ok over
ls spool/done spool/failed; echo; cat spool/runs/1/history.jsonl
"#;

fn shell(place: &Place, script: &str, what: &str) -> Output {
    let mut sh = place.command("sh");
    sh.args(["-c", &format!("{ORPHAN}{script}")]).env("WHAT", what);
    output_within(&mut sh, Duration::from_secs(60))
}

fn case(what: &str, takeover: usize) {
    let place = Place::quick("adopt");
    let output = shell(&place, ADOPT, what);
    let text = String::from_utf8_lossy(&output.stdout);
    spool::assert_whole(&place.dir.join("spool"));
    let ran = fs::read_to_string(place.dir.join("ran")).unwrap_or_default();
    assert_eq!(ran.lines().count(), 1, "{what}: ran {ran} times: {text}");
    let points = |loss| text.matches(&format!("\"loss\":{loss}")).count();
    assert_eq!((points(1), points(2)), (1, 1), "{what}: {text}");
    // Killed after the command has ended, nobody can tell how it ended; before that it is done, and its curve is whole.
    let k: usize = what.split(':').next().and_then(|k| k.parse().ok()).unwrap_or_default();
    let is_whole = text.contains("0000001.1\n") && points(3) == 1;
    let is_lost = k > takeover && text.contains("~lost") && points(3) <= 1;
    assert!(is_whole || is_lost, "{what}: {text}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn killed_at_every_operation() {
    if !cfg!(feature = "failpoints") {
        return say("skipped: adoption killed: needs cargo test --features failpoints");
    }
    let place = Place::quick("adopt");
    let output = shell(&place, ADOPT, "100000:before");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("0000001.1\n"), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let operations = fs::read_to_string(place.dir.join("operations")).unwrap();
    let count = operations.lines().count();
    // The event is the last operation of the takeover.
    let takeover = operations.lines().position(|line| line.contains("events.jsonl")).unwrap() + 1;
    assert!(takeover > 3, "{operations}");
    let cases: Vec<String> = (1..=count).flat_map(|k| ["before", "after"].map(|what| format!("{k}:{what}"))).collect();
    let failures = failing(4, &cases, |what| case(what, takeover));
    say(&format!("adoption: {} cases of {count} operations", cases.len()));
    assert!(failures.is_empty(), "{failures:?}\n{operations}");
}

#[test]
fn one_of_many_adopts() {
    let place = Place::new("adopters");
    let script = r#"
T=$(ls spool/running)
for i in 1 2 3 4 5 6 7 8; do { nn-run -q --adopt "$T" 2>/dev/null; echo $? >>statuses; } & done
lost() { [ $(wc -l <statuses) = 7 ]; }
until_ok lost
touch go; wait; grep -c '^0$' statuses; grep -c '"adopted"' spool/runs/1/events.jsonl
grep -c loss spool/runs/1/history.jsonl; ls spool/done
"#;
    let output = shell(&place, script, "");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1\n1\n3\n0000001.1\n", "{output:?}");
}

#[test]
fn a_kernel_that_tells_nothing() {
    if !cfg!(feature = "failpoints") {
        return say("skipped: adoption by an old kernel: needs cargo test --features failpoints");
    }
    let place = Place::quick("old-kernel");
    let script = r#"
export NN_FAIL_PIDFD=1
nn-queue recover; touch go; nn-queue wait 1; nn-queue show 1 | grep evidence
grep -o '"exit":null' spool/runs/1/result.json; grep -c loss spool/runs/1/history.jsonl
"#;
    let text = String::from_utf8_lossy(&shell(&place, script, "").stdout).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], "1\tfailed\texit status unknown", "{text}");
    assert!(lines[2].ends_with("had died, so its exit status is unknown"), "{text}");
    assert_eq!(lines.get(3..), Some(&["\"exit\":null", "3"][..]), "{text}");
}

#[test]
fn what_nobody_saw_end_is_read_to_its_end() {
    let place = Place::new("unread");
    let script = r#"
touch go; ended() { ! kill -0 $(cat ran); }; until_ok ended
nn-queue recover; nn-queue recover; nn-queue show 1 | grep evidence; nn-queue list -a | cut -f2,6,8
grep -c loss spool/runs/1/history.jsonl; grep -o '"metrics":{"loss":{"first":1.0,"last":3.0' spool/runs/1/result.json
"#;
    let output = shell(&place, script, "");
    let text = String::from_utf8_lossy(&output.stdout);
    let expected = "1\tits runner and command died: lost
evidence    runner and command are gone, and left no result
failed\t\tlost
3
\"metrics\":{\"loss\":{\"first\":1.0,\"last\":3.0
";
    assert_eq!(text, expected, "{output:?}");
}

#[test]
fn a_run_of_its_own_is_adopted_too() {
    let place = Place::new("own");
    let script = r#"
touch go; over() { nn-queue recover >/dev/null; [ -z "$(ls spool/running)" ]; }; until_ok over
nn-run -q -n own --retries 1 -- sh -c 'until [ -e go2 ]; do sleep 0.01; done; exit 4' & R=$!
until_ok grep -q pid spool/runs/2/attempt.json
kill -9 $R; until_ok dead; nn-queue recover; touch go2
queued() { ls spool/queued | grep 0000002.2; }
until_ok queued; ls spool/queued; rm go2; nn-queue cancel 2
"#;
    let output = shell(&place, script, "");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text, "2\tits nn-run died, its command goes on: adopted\n4-0000002.2\n2\tcancelled\n", "{output:?}");
}
