//! The same as crash.rs for whole programs: each verb of nn-queue that changes a state, a worker, and nn-run, failing at
//! each of their operations in every way. After recovery the run is in one state, the one before or the one after; a
//! verb that said 0 did it; one that did not says which path and why; the command ran at most once an attempt; and the
//! same verb, now without failures, still reaches its end.

use crate::crash::{KILLS, REFUSALS, copy, lines, names_are_new};
use crate::place::{Place, output_within, say};
use crate::spool;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Output;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What is prepared by a shell, what is done, and where run 1 may stand before, and must stand after it. "" is: no such run.
struct Verb {
    prepare: &'static str,
    act: &'static str,
    before: &'static [&'static str],
    after: &'static str,
}

const JOB: &str = "sh -c 'echo ran $NN_RUN $NN_ATTEMPT >>$NN_SPOOL/../ran; echo loss=1'";

const VERBS: [Verb; 19] = [
    Verb { prepare: "", act: "nn-queue add -- JOB", before: &["", "queued"], after: "queued" },
    Verb { prepare: "nn-queue add -- JOB", act: "nn-queue hold 1", before: &["queued"], after: "held" },
    Verb { prepare: "nn-queue add --hold -- JOB", act: "nn-queue release 1", before: &["held"], after: "queued" },
    Verb { prepare: "nn-queue add -- JOB", act: "nn-queue prio 2 1", before: &["queued"], after: "queued" },
    Verb { prepare: "nn-queue add -- JOB", act: "nn-queue cancel 1", before: &["queued"], after: "cancelled" },
    Verb {
        prepare: "nn-queue add -- JOB && nn-queue cancel 1",
        act: "nn-queue retry 1",
        before: &["cancelled"],
        after: "queued",
    },
    Verb { prepare: "nn-queue add -- JOB", act: "nn-queue note text 1", before: &["queued"], after: "queued" },
    Verb { prepare: "nn-queue add -- JOB", act: "nn-queue tag a,b 1", before: &["queued"], after: "queued" },
    Verb {
        prepare: "nn-queue add -- JOB && nn-queue cancel 1 && mkdir -p spool/runs/9/x && touch -d '9 days ago' spool/runs/9",
        act: "nn-queue gc --older-than 0s",
        before: &["cancelled", ""],
        after: "",
    },
    Verb {
        prepare: "nn-queue add -- JOB",
        act: "nn-queue work -q",
        before: &["queued", "failed", "held"],
        after: "done",
    },
    Verb {
        prepare: "nn-queue add --needs 'ram=1M disk=1K' -- JOB",
        act: "nn-queue work -q",
        before: &["queued", "failed", "held"],
        after: "done",
    },
    Verb {
        prepare: "nn-queue add --retries 1 -- JOB",
        act: "nn-queue work -q -j2",
        before: &["queued", "failed", "held"],
        after: "done",
    },
    Verb { prepare: "", act: "nn-run -q -- JOB", before: &["", "queued", "failed", "done"], after: "done" },
    // It fails, is queued again by its nn-run, and fails for good.
    Verb {
        prepare: "nn-queue add --retries 1 -- FAIL",
        act: "nn-queue work -q",
        before: &["queued", "held"],
        after: "failed",
    },
    Verb { prepare: "", act: "nn-run -q --retries 1 -- FAIL", before: &["", "queued"], after: "failed" },
    Verb {
        prepare: "nn-queue add -- JOB && nn-queue cancel 1",
        act: "nn-run -q --resume 1",
        before: &["cancelled", "queued", "failed"],
        after: "done",
    },
    Verb {
        prepare: "",
        act: "nn-run -q --checkpoint '*.npz' --keep-checkpoints last=1 -- SAVE",
        before: &["", "queued", "failed"],
        after: "done",
    },
    Verb {
        prepare: "nn-run -q --checkpoint '*.npz' -- SAVE",
        act: "nn-queue gc --keep-checkpoints last=1 1",
        before: &["done"],
        after: "done",
    },
    // The second of the group is held by the breaker.
    Verb {
        prepare: "nn-queue add -g g -- FAIL && nn-queue add -g g -- JOB",
        act: "env NN_BREAKER=1 nn-queue work -q",
        before: &["queued", "held"],
        after: "failed",
    },
];

/// The same, and fails.
const FAIL: &str = "sh -c 'echo ran $NN_RUN $NN_ATTEMPT >>$NN_SPOOL/../ran; exit 3'";
/// The same, and leaves checkpoints, the last of them the newest.
const SAVE: &str = "sh -c 'echo ran $NN_RUN $NN_ATTEMPT >>$NN_SPOOL/../ran; cd $NN_CHECKPOINTS
    for i in 1 2 3; do echo $i >$i.npz; touch -d 2026-01-0$i $i.npz; done'";

/// A script with these commands in it; retries at once.
fn script(text: &str) -> String {
    text.replace("JOB", JOB).replace("FAIL", FAIL).replace("SAVE", SAVE)
}

impl Verb {
    fn starts(&self) -> bool {
        self.act.contains("nn-run") || self.act.contains("work")
    }
}

/// What goes wrong: in which program, at its k-th operation, how.
#[derive(Clone, Debug)]
struct Fault {
    program: String,
    k: usize,
    what: String,
}

impl Fault {
    fn label(&self, verb: &Verb) -> String {
        format!("{}, NN_FAIL_IN={} NN_FAIL={}:{}", verb.act, self.program, self.k, self.what)
    }
}

fn shell(place: &Place, script: &str, fail: Option<&Fault>) -> Output {
    let mut sh = place.command("sh");
    // exec, so that a kill is seen as one.
    sh.args(["-c", &self::script(script)]).env("NN_FAIL_LOG", place.dir.join("operations")).env("NN_BACKOFF", "0s");
    if let Some(fail) = fail {
        sh.env("NN_FAIL", format!("{}:{}", fail.k, fail.what)).env("NN_FAIL_IN", &fail.program);
    }
    output_within(&mut sh, Duration::from_secs(30))
}

fn act(place: &Place, verb: &Verb, fail: Option<&Fault>) -> Output {
    // Short of room or files, a worker waits for better times: what fails each time is waited for for ever.
    let limit = if fail.is_some() && verb.act.contains("work") { "timeout -s KILL 3 " } else { "" };
    shell(place, &format!("exec {limit}{}", verb.act), fail)
}

fn case(verb: &Verb, template: &Path, fault: &Fault) {
    let (label, what) = (fault.label(verb), fault.what.as_str());
    let place = Place::quick("verb");
    copy(template, &place.dir);
    let dir = place.dir.join("spool");
    let output = act(&place, verb, Some(fault));
    let killed = output.status.signal() == Some(9) || output.status.code() == Some(137);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    let text = format!("{label}: {} {message}", output.status);
    assert!(!message.contains("panicked") && !message.contains("os error"), "{text}");
    let failed = !killed && !output.status.success();
    if failed {
        // A stale name means that somebody else has the run.
        let stale = what.contains("ESTALE") && message.contains("run 1");
        let said = stale || message.contains("cannot ") || message.contains("died") || verb.starts();
        // 3 is the command's own.
        assert!(said && matches!(output.status.code(), Some(1 | 2 | 3 | 75 | 111 | 125)), "{text}");
    }
    // While a command lives whose runner was killed, its run is left alone.
    let started = Instant::now();
    loop {
        let recover = shell(&place, "exec nn-queue recover", None);
        assert!(recover.status.success(), "{label}: recover: {recover:?}");
        let left = fs::read_dir(dir.join("running")).unwrap().count();
        if left == 0 {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(5), "{text}: left in running/");
        std::thread::sleep(Duration::from_millis(5));
    }
    spool::assert_whole(&dir);
    let state = spool::states(&dir).get(&1).map_or("", |t| t.folder);
    let allowed = verb.before.contains(&state) || state == verb.after;
    assert!(allowed, "{text}: stands in '{state}'");
    let said_done = output.status.success() && !verb.starts();
    assert!(!said_done || state == verb.after, "{text}: said 0, stands in '{state}'");
    let ran = lines(&place, "ran");
    let distinct: BTreeSet<&String> = ran.iter().collect();
    assert_eq!(ran.len(), distinct.len(), "{text}: ran twice in one attempt: {ran:?}");
    let runs = if verb.prepare.contains("--retries 1") || verb.act.contains("--retries 1") { 2 } else { 1 };
    let most = if verb.prepare.contains("-g g") { 2 } else { runs };
    assert!(ran.len() <= most, "{text}: {ran:?}");
    if !what.contains("sticky") {
        let operations = fs::read_to_string(place.dir.join("operations")).unwrap_or_default();
        names_are_new(&label, &operations);
    }
    // Nothing stands in the way of another try.
    if verb.before[0] == state && !state.is_empty() {
        act(&place, verb, None);
        let state = spool::states(&dir).get(&1).map_or("", |t| t.folder);
        assert!(state == verb.after || verb.starts() && verb.before.contains(&state), "{text}: again: '{state}'");
    }
}

/// The spool before a verb, and its operations when nothing fails.
fn prepared(verb: &Verb) -> (Place, Vec<String>) {
    let place = Place::quick("verb-template");
    let template = place.dir.join("template");
    fs::create_dir_all(&template).unwrap();
    let prepare = if verb.prepare.is_empty() { ":" } else { verb.prepare };
    let mut sh = place.command("sh");
    sh.args(["-c", &script(&format!("nn-queue init && cd template && {prepare}"))])
        .env("NN_SPOOL", template.join("spool"));
    let output = output_within(&mut sh, Duration::from_secs(20));
    assert!(output.status.success(), "{}: {output:?}", verb.prepare);
    copy(&template, &place.dir);
    let output = act(&place, verb, None);
    assert!(output.status.success() || verb.after == "failed", "{}: {output:?}", verb.act);
    let operations = lines(&place, "operations");
    assert!(!operations.is_empty(), "{} changes nothing", verb.act);
    (place, operations)
}

#[test]
fn every_point_of_every_verb() {
    if !cfg!(feature = "failpoints") {
        return say("skipped: crash points of verbs: needs cargo test --features failpoints");
    }
    let places: Vec<(Place, Vec<String>)> = VERBS.iter().map(prepared).collect();
    let mut cases = Vec::new();
    for (i, (_, operations)) in places.iter().enumerate() {
        // Where there is much to do, each refusal strikes every other time; NN_CRASH_ALL=1 does all.
        let rare = operations.len() > 12 && std::env::var_os("NN_CRASH_ALL").is_none();
        for operation in operations {
            let mut parts = operation.splitn(3, ' ');
            let (at, name) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
            let (k, program) = at.split_once('@').unwrap_or_else(|| panic!("{operation}"));
            let k = k.parse::<usize>().unwrap();
            let mut faults: Vec<String> = KILLS.iter().map(|f| f.to_string()).collect();
            faults.retain(|f| f != "half" || name == "write");
            for (n, errno) in REFUSALS.iter().enumerate() {
                let turn = (n + k + i) % REFUSALS.len();
                faults.extend((!rare || turn < 3).then(|| errno.to_string()));
                faults.extend((!rare || turn == 4).then(|| format!("{errno}:sticky")));
            }
            if matches!(name, "mv" | "rename") {
                faults.push("lost".to_string());
            }
            cases.extend(faults.into_iter().map(|what| (i, Fault { program: program.to_string(), k, what })));
        }
    }
    let only = std::env::var("NN_CRASH").unwrap_or_default();
    cases.retain(|(i, fault)| fault.label(&VERBS[*i]).contains(&only));
    let queue = Mutex::new(cases.iter());
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                loop {
                    let Some((i, fault)) = queue.lock().unwrap().next() else { break };
                    let template = places[*i].0.dir.join("template");
                    if std::panic::catch_unwind(|| case(&VERBS[*i], &template, fault)).is_err() {
                        failures.lock().unwrap().push(fault.label(&VERBS[*i]));
                    }
                }
            });
        }
    });
    say(&format!("crash points: {} cases of {} verbs", cases.len(), VERBS.len()));
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} cases failed (NN_CRASH=part runs some):\n{}", failures.len(), failures.join("\n"));
}

/// A worker that stays is refused a few operations in a row, whichever: all that was queued is still done, once.
#[test]
fn a_worker_outlives_bad_times() {
    if !cfg!(feature = "failpoints") {
        return say("skipped: bad times: needs cargo test --features failpoints");
    }
    let errnos = ["EIO", "ENOSPC", "EMFILE", "ESTALE"];
    let cases: Vec<(usize, &str)> = (2..=9).flat_map(|k| errnos.map(|errno| (k, errno))).collect();
    crate::crash::each(&cases, |(k, errno)| {
        let place = Place::quick("bad-times");
        let setup = shell(&place, "nn-queue init && nn-queue add -- JOB && nn-queue add -- JOB", None);
        assert!(setup.status.success(), "{setup:?}");
        let fault = Fault { program: "nn-queue".into(), k: *k, what: format!("{errno}:4") };
        let work = "nn-queue work --forever -q & until [ $(ls spool/done | wc -l) = 2 ]; do sleep 0.02; done; kill $!; wait $!";
        let output = shell(&place, work, Some(&fault));
        let ran = lines(&place, "ran");
        assert_eq!(ran.len(), 2, "{fault:?}: {ran:?}, {output:?}");
        spool::assert_whole(&place.dir.join("spool"));
    });
    say(&format!("bad times: {} cases of a worker that stays", cases.len()));
}
