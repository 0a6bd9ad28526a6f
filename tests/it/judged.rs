//! A run that a rule stops, whose nn-run is killed before and after the history line, and at each operation from the first
//! event of its judge on: whoever adopts it judges again what was judged, so that each event stands there once, each is
//! told once, and the command is stopped. And an attempt that goes on from a checkpoint is judged on from there. Needs the
//! cargo feature `failpoints` for the most part.

use crate::crash::failing;
use crate::place::{Place, output_within, say};
use crate::spool;
use std::fs;
use std::time::Duration;

/// Starts a run that becomes NaN when it is told to; `mend` has it adopted until nothing runs.
const BEGIN: &str = r#"
export NN_MAIL_VIA='cat >>$NN_SPOOL/../got; echo END >>$NN_SPOOL/../got #' NN_MAIL_FROM=me@example.org
export NN_MAIL_TO=you@example.org NN_MAIL_LIMIT=100
cat >job.sh <<'J'
echo $$ >ran
echo "epoch 1 loss 1"; echo "epoch 2 loss 2"
until [ -e nan ]; do sleep 0.01; done
echo "epoch 3 loss nan"
while :; do sleep 0.01; done
J
until_ok() { n=0; until "$@" >/dev/null 2>&1; do n=$((n+1)); [ $n -lt 3000 ] || { echo "gave up: $*"; exit 9; }; sleep 0.01; done; }
mended() { nn-queue recover >>recovered 2>&1; [ -z "$(ls spool/running)" ]; }
nn-queue init >/dev/null
start() { nn-run -q --retries 3 --rule 'stop if nan(loss)' --rule 'warn if loss@max > 1.5' --rule "run 'echo x >>fixed' if nan(loss)" -- sh job.sh 2>/dev/null & R=$!; }
"#;

/// What must be there, whatever was killed.
const END: &str = r#"
until_ok mended
ls spool/failed; grep -c '"loss":"NaN"' spool/runs/1/history.jsonl
grep '"judged"' spool/runs/1/events.jsonl | sed 's/.*"detector":"\([a-z]*\)".*"why":"\([a-z]*\).*/\1 \2/' | sort
"#;

const KILLED_ANYWHERE: &str = r#"
export NN_FAIL=$WHAT NN_FAIL_IN=nn-run NN_FAIL_LOG=$PWD/operations; start; unset NN_FAIL NN_FAIL_IN NN_FAIL_LOG
until_ok grep -q 'loss":2' spool/runs/1/history.jsonl
touch nan; wait $R
"#;

const KILLED_BEFORE_THE_LINE: &str = r#"
start; until_ok grep -q 'loss":2' spool/runs/1/history.jsonl
kill -9 $R; wait; touch nan; until_ok grep -q nan spool/runs/1/log
"#;

const EXPECTED: &str = "0000001.1~rule\n1\nnan loss\nrule run\nrule stop\nrule warn\n";

fn case(what: &str, middle: &str) -> Place {
    let place = Place::quick("judged");
    let mut sh = place.command("sh");
    sh.args(["-c", &format!("{BEGIN}{middle}{END}")]).env("WHAT", what);
    let output = output_within(&mut sh, Duration::from_secs(120));
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text, EXPECTED, "{what}: {}", String::from_utf8_lossy(&output.stderr));
    spool::assert_whole(&place.dir.join("spool"));
    // What a rule runs is started once its event is on record, at most once.
    let fixed = fs::read_to_string(place.dir.join("fixed")).unwrap_or_default();
    assert!(fixed.lines().count() <= 1, "{what}: {fixed}");
    place
}

#[test]
fn killed_before_the_history_line() {
    case("", KILLED_BEFORE_THE_LINE);
}

#[test]
fn killed_around_each_event() {
    if !cfg!(feature = "failpoints") {
        return say("skipped: a judge killed: needs cargo test --features failpoints");
    }
    let place = case("100000:before", KILLED_ANYWHERE);
    let operations = fs::read_to_string(place.dir.join("operations")).unwrap();
    let own: Vec<&str> = operations.lines().filter(|line| line.contains("@nn-run ")).collect();
    // With the news of it, the first of what the judge does.
    let first = own.iter().position(|line| line.contains("/mail")).unwrap() + 1;
    // Before one is after the one before it.
    let cases: Vec<String> = (first..=own.len()).map(|k| format!("{k}:before")).collect();
    let failures = failing(4, &cases, |what| drop(case(what, KILLED_ANYWHERE)));
    say(&format!("judge: {} cases", cases.len()));
    assert!(failures.is_empty(), "{failures:?}\n{operations}");
}

/// Fails in its first attempt; says what it is told in its second, then ends.
const RESUMED: &str = r#"
cat >job.sh <<'J'
if [ $NN_ATTEMPT = 1 ]; then
    e=10; while [ $e -lt 50 ]; do echo "epoch $e loss 0.$((90 - e))"; e=$((e+1)); done
    [ -z "$SAVE" ] || echo state >$NN_CHECKPOINTS/state.pt
    exit 1
fi
# As if the first attempt were months ago, an epoch a minute.
sed -i 's/"t":"[^"]*","epoch":\([0-9]*\)/"t":"2026-01-01T00:\1:00.000Z","epoch":\1/' $NN_RUN_DIR/history.jsonl
e=${FROM}; n=0; while [ $n -lt 10 ]; do echo "epoch $e loss 9.$n"; e=$((e+1)); n=$((n+1)); done
J
nn-queue init >/dev/null
NN_BACKOFF=0s nn-run -q --retries 1 -- sh job.sh 2>/dev/null
grep -c . spool/runs/1/history.jsonl
grep -o '"attempt":2,"level":"[a-z]*","detector":"[a-z]*"' spool/runs/1/events.jsonl
"#;

#[test]
fn an_attempt_is_judged_on_from_its_checkpoint() {
    // It goes on far above all that was before: seen only by who knows what was before. Begun anew it has no before.
    let cases = [
        ("1", "50", "50\n\"attempt\":2,\"level\":\"error\",\"detector\":\"divergence\"\n"),
        ("1", "30", "50\n\"attempt\":2,\"level\":\"error\",\"detector\":\"divergence\"\n"),
        ("", "10", "50\n"),
    ];
    for (save, from, expected) in cases {
        let place = Place::quick("resumed");
        let mut sh = place.command("sh");
        sh.args(["-c", RESUMED]).env("SAVE", save).env("FROM", from);
        let output = output_within(&mut sh, Duration::from_secs(60));
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "from {from}: {output:?}");
    }
}
