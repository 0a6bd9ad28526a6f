//! Mail, killed and refused at each of its operations: a message that was acknowledged is sent, news is told, and what is
//! sent twice is the same to the byte; nothing stays behind. Needs the cargo feature `failpoints`.

use crate::crash::{KILLS, REFUSALS, copy, each};
use crate::place::{Place, output_within, say};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

/// What is prepared, what fails on its way, and what is done after it until all is well.
struct Act {
    prepare: &'static str,
    act: &'static str,
    after: &'static str,
    /// It must be sent whatever was said
    always: bool,
}

const EVENT: &str = r#"{"run":1,"event":"ended","state":"done"}"#;

const ACTS: [Act; 3] = [
    Act {
        prepare: ":",
        act: "echo text | nn-mail -s x you@example.org",
        after: "nn-mail --flush --all",
        always: false,
    },
    Act {
        prepare: "echo text | nn-mail --later -s x you@example.org",
        act: "nn-mail --flush",
        after: "nn-mail --flush --all",
        always: true,
    },
    Act {
        prepare: "nn-run -q -- true",
        act: "echo EVENT | nn-mail --events",
        after: "echo EVENT | nn-mail --events --later && nn-mail --flush --all",
        always: true,
    },
];

fn shell(place: &Place, script: &str, fail: Option<&str>) -> Output {
    let mut sh = place.command("sh");
    sh.args(["-c", &script.replace("EVENT", &format!("'{EVENT}'"))]).env("NN_FAIL_LOG", place.dir.join("operations"));
    sh.env("NN_MAIL_VIA", "cat >>got; echo END >>got #")
        .env("NN_MAIL_FROM", "me@example.org")
        .env("NN_MAIL_TO", "you@example.org");
    if let Some(fail) = fail {
        sh.env("NN_FAIL", fail).env("NN_FAIL_IN", "nn-mail");
    }
    output_within(&mut sh, Duration::from_secs(60))
}

fn case(template: &Path, act: &Act, k: usize, what: &str) {
    let label = format!("{}, NN_FAIL={k}:{what}", act.act);
    let place = Place::quick("mail-crash");
    copy(template, &place.dir);
    // The status of the last of a pipe, with a signal as a shell tells it.
    let output = shell(&place, act.act, Some(&format!("{k}:{what}")));
    let killed = output.status.signal() == Some(9) || output.status.code() == Some(137);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!message.contains("panicked") && !message.contains("os error"), "{label}: {message}");
    assert!(killed || output.status.success() || !message.is_empty(), "{label}: {output:?}");
    for _ in 0..3 {
        let after = shell(&place, act.after, None);
        assert!(after.status.success(), "{label}: {after:?}");
    }
    let got = fs::read_to_string(place.dir.join("got")).unwrap_or_default();
    let mut copies: Vec<&str> = got.split("END\n").filter(|copy| !copy.is_empty()).collect();
    let number = copies.len();
    copies.dedup();
    assert!(number <= 2 && copies.len() <= 1, "{label}: {number} copies: {got}");
    assert!(number > 0 || !act.always && !output.status.success(), "{label}: not sent: {output:?}");
    for folder in ["new", "held", "failed", "tries"] {
        let left: Vec<_> =
            fs::read_dir(place.dir.join("spool/mail").join(folder)).into_iter().flatten().flatten().collect();
        assert!(left.is_empty(), "{label}: {folder}: {left:?}");
    }
}

#[test]
fn crash_points_of_mail() {
    if !cfg!(feature = "failpoints") {
        return say("skipped: crash points of mail: needs cargo test --features failpoints");
    }
    let mut count = 0;
    for act in &ACTS {
        let place = Place::quick("mail-template");
        let template = place.dir.join("template");
        fs::create_dir_all(&template).unwrap();
        let script = format!("nn-queue init >/dev/null && {}", act.prepare);
        let mut sh = place.command("sh");
        sh.args(["-c", &script]).env("NN_SPOOL", template.join("spool")).env("NN_MAIL_FROM", "me@example.org");
        assert!(output_within(&mut sh, Duration::from_secs(60)).status.success());
        copy(&template, &place.dir);
        assert!(shell(&place, act.act, None).status.success());
        let operations = fs::read_to_string(place.dir.join("operations")).unwrap();
        let number = operations.lines().filter(|line| line.contains("@nn-mail ")).count();
        assert!(number > 4, "{operations}");
        let whats = KILLS.iter().chain(&REFUSALS).chain(&["lost"]);
        let cases: Vec<(usize, &str)> = whats.flat_map(|what| (1..=number).map(move |k| (k, *what))).collect();
        each(&cases, |(k, what)| case(&template, act, *k, what));
        count += cases.len();
    }
    say(&format!("crash points of mail: {count} cases"));
}

/// nn-run with mail set up, killed at each of its operations: once all is mended, how the run ended is told once; it is
/// told twice only as a message may be sent twice.
fn telling(k: usize, what: &str, number: &mut usize) {
    let label = format!("nn-run, NN_FAIL={k}:{what}");
    let place = Place::quick("mail-telling");
    assert!(shell(&place, "nn-queue init >/dev/null", None).status.success());
    let mut sh = place.command("sh");
    sh.args(["-c", "nn-run -q -- sh -c 'echo epoch=1 loss=2; exit 3'"]);
    sh.env("NN_FAIL_LOG", place.dir.join("operations"))
        .env("NN_FAIL", format!("{k}:{what}"))
        .env("NN_FAIL_IN", "nn-run");
    let output = output_within(mail(&mut sh), Duration::from_secs(60));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains("panicked"), "{label}: {said}");
    *number =
        fs::read_to_string(place.dir.join("operations")).unwrap().lines().filter(|l| l.contains("@nn-run ")).count();
    let mend =
        "nn-queue recover >/dev/null; nn-queue work -q 2>/dev/null; nn-mail --events </dev/null; nn-mail --flush --all";
    let waiting = || {
        let folders = ["held", "new"].map(|folder| fs::read_dir(place.dir.join("spool/mail").join(folder)));
        folders.into_iter().flatten().flatten().count()
    };
    // What nn-run started may still be sending.
    let begun = std::time::Instant::now();
    loop {
        output_within(mail(place.command("sh").args(["-c", mend])), Duration::from_secs(60));
        let runs = fs::read_dir(place.dir.join("spool/running")).unwrap().count();
        if waiting() == 0 && runs == 0 {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{label}: {said}");
        std::thread::sleep(Duration::from_millis(20));
    }
    let ended = fs::read_dir(place.dir.join("spool/failed")).unwrap().count();
    let told = || fs::read_dir(place.dir.join("spool/mail/sent")).into_iter().flatten().count();
    assert!(ended <= 1 && told() <= ended, "{label}: {ended} ended, {} told", told());
    assert!(told() == ended || said.contains("cannot be kept"), "{label}: not told: {said}");
    let got = fs::read_to_string(place.dir.join("got")).unwrap_or_default();
    assert_eq!(got.split("END\n").filter(|copy| !copy.is_empty()).count(), told(), "{label}: {got}");
}

fn mail(command: &mut std::process::Command) -> &mut std::process::Command {
    command
        .env("NN_MAIL_VIA", "cat >>$NN_SPOOL/../got; echo END >>$NN_SPOOL/../got #")
        .env("NN_MAIL_FROM", "me@example.org")
        .env("NN_MAIL_TO", "you@example.org")
        .env("NN_MAIL_LIMIT", "100")
}

#[test]
fn crash_points_of_telling() {
    if !cfg!(feature = "failpoints") {
        return say("skipped: crash points of telling: needs cargo test --features failpoints");
    }
    let mut number = 0;
    telling(9999, "before", &mut number);
    assert!(number > 10, "{number} operations");
    let whats = KILLS.iter().chain(&["ENOSPC"]);
    let cases: Vec<(usize, &str)> = whats.flat_map(|what| (1..=number).map(move |k| (k, *what))).collect();
    each(&cases, |(k, what)| telling(*k, what, &mut 0));
    say(&format!("crash points of telling: {} cases", cases.len()));
}
