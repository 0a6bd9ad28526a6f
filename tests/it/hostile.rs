//! Names, notes, parameters, commands and logs that try to leave their place: newlines, `../`, escapes that drive a terminal, bytes
//! that are no UTF-8, very long ones. None becomes part of a file name, none reaches a person raw; what is refused is
//! refused with one line and exit 2, and nothing half-written stays. Tokens planted in the state folders are
//! left alone.

use crate::place::{Place, output_within};
use crate::spool;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::process::Output;
use std::time::Duration;

fn corpus() -> Vec<OsString> {
    let mut corpus: Vec<OsString> = [
        "a\nb",
        "\r",
        "\t",
        "\x1b[2J\x1b]0;owned\x07",
        "\x1b]52;c;aGk=\x07",
        "\x1b]8;;http://x/\x1b\\y",
        "\u{9b}31m",
        "\u{85}",
        "\x7f",
        "../../../etc/passwd",
        "..",
        ".",
        "/",
        "/etc/passwd",
        "-rf",
        "--",
        "~",
        "~root",
        ".nfs0001",
        "$(touch pwned)",
        "`touch pwned`",
        "; touch pwned",
        "%s%n",
        "*",
        "\u{202e}txt.exe",
        "a\u{301}\u{301}\u{301}",
        "\u{2066}x\u{2069}",
        "\u{feff}",
        "e\u{0}",
        "名前",
        "😀",
        "'",
        "\"",
        "\\",
        "{}",
        "5-0000001.1",
        "last",
        "1",
        "@x",
        " ",
        "",
    ]
    .map(|s| OsString::from(s.replace('\0', "")))
    .into();
    corpus.push(OsString::from_vec(b"\xff\xfe\x80".to_vec()));
    corpus.push(OsString::from_vec((1..=255).collect()));
    corpus.push("x".repeat(300).into());
    corpus.push("x".repeat(64 << 10).into());
    corpus
}

/// What would drive a terminal or mislead the eye.
fn is_raw(c: char) -> bool {
    let control = c.is_control() && !"\n\t".contains(c);
    control || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn assert_calm(output: &Output, of: &str) {
    for (stream, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        let text = String::from_utf8_lossy(bytes);
        if let Some(at) = text.find(is_raw) {
            panic!("{of}: raw {:?} on {stream}: {:?}", text[at..].chars().next(), text);
        }
    }
}

fn run(place: &Place, args: &[&OsStr]) -> Output {
    let (program, args) = args.split_first().unwrap();
    output_within(place.command(&program.to_string_lossy()).args(args), Duration::from_secs(20))
}

fn words(text: &str) -> Vec<&OsStr> {
    text.split(' ').map(OsStr::new).collect()
}

/// All paths below a directory that hold a character no file of ours has.
fn odd_names(dir: &Path, odd: &mut Vec<OsString>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if !name.as_bytes().iter().all(|b| b.is_ascii_alphanumeric() || b".,~-_".contains(b)) {
            odd.push(name);
        }
        if entry.file_type().is_ok_and(|t| t.is_dir()) {
            odd_names(&entry.path(), odd);
        }
    }
}

#[test]
fn hostile_text_stays_text() {
    let place = Place::quick("hostile");
    let dir = place.dir.join("spool");
    assert!(run(&place, &words("nn-queue init")).status.success());
    let mut accepted = 0;
    for text in corpus() {
        for option in ["-n", "-p", "-g", "--note", "--tag", "argument"] {
            let mut args = words("nn-queue add");
            let param = [b"key=", text.as_bytes()].concat();
            match option {
                "argument" => args.extend(["--", "echo"].map(OsStr::new)),
                option => args.push(OsStr::new(option)),
            }
            args.push(if option == "-p" { OsStr::from_bytes(&param) } else { &text });
            if option != "argument" {
                args.extend(["--", "true"].map(OsStr::new));
            }
            let before = spool::states(&dir).len();
            let output = run(&place, &args);
            let label = format!("add {option} {:?}", text.to_string_lossy().chars().take(40).collect::<String>());
            assert_calm(&output, &label);
            let more = spool::states(&dir).len() - before;
            match output.status.code() {
                Some(0) => assert_eq!(more, 1, "{label}"),
                Some(2) => {
                    assert_eq!(more, 0, "{label}: refused and added");
                    assert!(!output.stderr.is_empty(), "{label}: no word");
                }
                _ => panic!("{label}: {output:?}"),
            }
            accepted += more;
        }
    }
    assert!(accepted > 100, "only {accepted} were accepted");
    spool::assert_whole(&dir);
    for command in [
        "nn-queue list",
        "nn-queue list --json",
        "nn-queue list --all",
        "nn-table --all",
        "nn-queue show last",
        "nn-queue show 1",
    ] {
        assert_calm(&run(&place, &words(command)), command);
    }
    for run_number in spool::states(&dir).keys() {
        assert_calm(&run(&place, &words(&format!("nn-queue show {run_number}"))), &format!("show {run_number}"));
    }
    let mut odd = Vec::new();
    odd_names(&dir, &mut odd);
    assert!(odd.is_empty(), "names in the spool: {odd:?}");
    assert!(!place.dir.join("pwned").exists());
}

#[test]
fn planted_names_are_left_alone() {
    let place = Place::quick("planted");
    let dir = place.dir.join("spool");
    assert!(run(&place, &words("nn-queue init")).status.success());
    assert!(run(&place, &words("nn-queue add -- true")).status.success());
    let planted = [
        "queued/README",
        "queued/5-0000001.1 ",
        "queued/5-..%2f.1",
        "queued/5-0000099.1~x",
        "queued/99999999999999999999",
        "queued/a\nb",
        "queued/.nfs0000001",
        "queued/\u{1b}[2J",
        "running/0000007.1~a~c",
        "running/0000007.1",
        "running/0000007.1~~~~~s",
        "failed/0000003.1",
        "failed/0000003.1~exit,999",
        "done/0000004.01",
        "done/x",
        "cancelled/-0000004.1",
        "held/10-0000005.1",
    ];
    for name in planted {
        fs::write(dir.join(name), "").unwrap();
    }
    std::os::unix::fs::symlink("/etc/passwd", dir.join("queued/link")).unwrap();
    fs::create_dir(dir.join("queued/folder")).unwrap();
    for command in [
        "nn-queue list",
        "nn-queue list --all",
        "nn-queue recover",
        "nn-queue work",
        "nn-queue gc",
        "nn-queue list --all",
    ] {
        let output = run(&place, &words(command));
        assert_calm(&output, command);
        assert!(output.status.success(), "{command}: {output:?}");
    }
    for name in planted.iter().chain(&["queued/link", "queued/folder"]) {
        assert!(dir.join(name).symlink_metadata().is_ok(), "{name} was taken");
    }
    assert!(dir.join("done/0000001.1").exists(), "the good run did not run");
}

#[test]
fn logs_reach_a_person_calm() {
    let place = Place::quick("logs");
    let mut shell = words("nn-run -q -- sh -c");
    let script =
        "printf 'loss=1 \\033[31mred\\033[0m \\033]0;title\\007\\rloss=2\\233\\n'; printf '\\377\\376\\n'; exit 3";
    shell.push(OsStr::new(script));
    run(&place, &words("nn-queue init"));
    let output = run(&place, &shell);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    for command in ["nn-queue list --all", "nn-queue show last", "nn-table --all", "nn-queue list --all --json"] {
        assert_calm(&run(&place, &words(command)), command);
    }
    let history = fs::read(place.dir.join("spool/runs/1/history.jsonl")).unwrap_or_default();
    assert!(!history.contains(&0x1b) && !history.contains(&b'\r'), "{}", String::from_utf8_lossy(&history));
}
