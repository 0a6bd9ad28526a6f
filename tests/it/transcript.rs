//! Replays the shell sessions of tests/transcripts/*.t and compares the full text.
//!
//! A transcript is prose with indented parts: `  $ command` (continued by lines `  > more`), then what the command
//! must print on stdout and stderr together, each line after two blanks, then `  [N]` if it exits with N, not 0. Output
//! without a newline at its end is shown with ` (no newline)`, control characters as `\x1b`.
//! One `/bin/sh` runs a whole file in a fresh directory (see place.rs for its environment), so state carries on from
//! command to command; stdin is /dev/null. After each command a marker with `$?` splits the output.
//! `until_ok COMMAND…` tries again, quietly, until the command succeeds or 30 s are over.
//! What varies is blanked in the transcript, by sed. Rewrite all with NN_BLESS=1, then read the diff.

use crate::place::{Place, say, tests};
use std::fmt::Write;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The most one transcript may take; a debug build on a busy machine needs a tenth of it.
const LIMIT: Duration = Duration::from_secs(120);

const PRELUDE: &str = r#"until_ok() {
    until_ok_n=0
    until "$@" >/dev/null 2>&1; do
        until_ok_n=$((until_ok_n + 1))
        [ "$until_ok_n" -lt 1500 ] || { echo "until_ok: gave up: $*"; return 1; }
        sleep 0.02
    done
}
"#;

/// One command of a transcript: its lines as they stand, and the script text.
struct Step {
    shown: String,
    script: String,
}

/// A transcript, cut up: the prose before each step, the steps, and the prose after the last.
struct Transcript {
    prose: Vec<String>,
    steps: Vec<Step>,
}

fn parse(text: &str) -> Transcript {
    let mut prose = vec![String::new()];
    let mut steps: Vec<Step> = Vec::new();
    let mut continues = false;
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("  $ ") {
            if prose.len() == steps.len() {
                prose.push(String::new());
            }
            steps.push(Step { shown: format!("{line}\n"), script: format!("{command}\n") });
            continues = true;
        } else if let (true, Some(more), Some(step)) = (continues, line.strip_prefix("  > "), steps.last_mut()) {
            step.shown += &format!("{line}\n");
            step.script += &format!("{more}\n");
        } else if line.starts_with("  ") && !steps.is_empty() && prose.len() == steps.len() {
            continues = false;
        } else {
            if prose.len() == steps.len() {
                prose.push(String::new());
            }
            continues = false;
            *prose.last_mut().unwrap() += &format!("{line}\n");
        }
    }
    if prose.len() == steps.len() {
        prose.push(String::new());
    }
    Transcript { prose, steps }
}

/// The file as it is after running its commands.
fn replay(path: &Path) -> Result<String, String> {
    let text = fs::read_to_string(path).map_err(|e| e.to_string())?;
    let transcript = parse(&text);
    let place = Place::new(&path.file_stem().unwrap_or_default().to_string_lossy());
    let mut script = PRELUDE.to_string();
    for (i, step) in transcript.steps.iter().enumerate() {
        let _ = writeln!(script, "{}printf '@@nn {i} %s@@\\n' $?", step.script);
    }
    let output_path = place.dir.with_extension("out");
    let output = File::options().append(true).create(true).open(&output_path).map_err(|e| e.to_string())?;
    let started = Instant::now();
    let mut shell = place
        .command("/bin/sh")
        .args(["-c", &script, "sh"])
        .process_group(0)
        .stderr(output.try_clone().map_err(|e| e.to_string())?)
        .stdout(output)
        .spawn()
        .map_err(|e| e.to_string())?;
    let in_time = loop {
        if shell.try_wait().map_err(|e| e.to_string())?.is_some() {
            break true;
        }
        if started.elapsed() > LIMIT {
            let _ = Command::new("kill").args(["-9", "--", &format!("-{}", shell.id())]).output();
            let _ = shell.wait();
            break false;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let mut bytes = &fs::read(&output_path).map_err(|e| e.to_string())?[..];
    let mut new = transcript.prose[0].clone();
    for (i, step) in transcript.steps.iter().enumerate() {
        let Some((part, status, rest)) = split(bytes, i) else {
            let why = if in_time { "the shell ended in" } else { "took too long:" };
            return Err(format!("{why}\n{}{}", step.shown, indent(bytes)));
        };
        new += &step.shown;
        new += &indent(part);
        if status != "0" {
            let _ = writeln!(new, "  [{status}]");
        }
        new += &transcript.prose[i + 1];
        bytes = rest;
    }
    Ok(new)
}

/// What stands before the marker of step `i`, the status in it, and what follows.
fn split(bytes: &[u8], i: usize) -> Option<(&[u8], &str, &[u8])> {
    let marker = format!("@@nn {i} ");
    let at = bytes.windows(marker.len()).position(|w| w == marker.as_bytes())?;
    let rest = &bytes[at + marker.len()..];
    let end = rest.windows(3).position(|w| w == b"@@\n")?;
    Some((&bytes[..at], std::str::from_utf8(&rest[..end]).ok()?, &rest[end + 3..]))
}

/// Output as it stands in a transcript.
fn indent(bytes: &[u8]) -> String {
    let mut out = String::new();
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        out += "  ";
        let whole = line.strip_suffix(b"\n");
        for chunk in whole.unwrap_or(line).utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '\t' => out.push(c),
                    c if c.is_control() => _ = write!(out, "\\x{:02x}", u32::from(c)),
                    c => out.push(c),
                }
            }
            for b in chunk.invalid() {
                let _ = write!(out, "\\x{b:02x}");
            }
        }
        out += if whole.is_some() { "\n" } else { " (no newline)\n" };
    }
    out
}

/// Old and new text as one listing, `-` and `+` before the lines that differ, three lines around them.
fn difference(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let mut common = vec![vec![0_u32; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] =
                if old[i] == new[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push((' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            lines.push(('-', old[i]));
            i += 1;
        } else {
            lines.push(('+', new[j]));
            j += 1;
        }
    }
    let near = |at: usize| lines[at.saturating_sub(3)..lines.len().min(at + 4)].iter().any(|(sign, _)| *sign != ' ');
    let mut out = String::new();
    let mut gap = false;
    for (at, (sign, line)) in lines.iter().enumerate() {
        if near(at) {
            let _ = writeln!(out, "{}{sign}{line}", if gap { " ...\n" } else { "" });
            gap = false;
        } else {
            gap = true;
        }
    }
    out
}

/// All transcripts, sorted.
pub fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(tests().join("transcripts"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "t"))
        .collect();
    files.sort();
    files
}

#[test]
fn transcripts() {
    let bless = std::env::var_os("NN_BLESS").is_some_and(|v| !v.is_empty());
    let only = std::env::var("NN_TRANSCRIPT").unwrap_or_default();
    let files: Vec<PathBuf> = files().into_iter().filter(|p| p.to_string_lossy().contains(&only)).collect();
    let queue = Mutex::new(files.iter());
    let failures = Mutex::new(Vec::new());
    let work = || {
        loop {
            let Some(path) = queue.lock().unwrap().next() else { break };
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let failure = match (replay(path), fs::read_to_string(path).unwrap_or_default()) {
                (Ok(new), old) if new == old => continue,
                (Ok(new), _) if bless => {
                    fs::write(path, new).unwrap();
                    say(&format!("blessed: {name}"));
                    continue;
                }
                (Ok(new), old) => difference(&old, &new),
                (Err(why), _) => why,
            };
            failures.lock().unwrap().push(format!("\n{name}:\n{failure}"));
        }
    };
    std::thread::scope(|s| {
        s.spawn(work);
        s.spawn(work);
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    say(&format!("transcripts: {} of {} as expected", files.len() - failures.len(), files.len()));
    assert!(failures.is_empty(), "{}\n(NN_BLESS=1 rewrites them)", failures.concat());
}

#[test]
fn a_transcript_is_replayed_to_the_letter() {
    let place = Place::new("runner");
    let path = place.dir.join("sample.t");
    let sample = "Prose.\n\n  $ x=1; cat; echo one; echo two >&2\n  one\n  two\n\nMore.\n\n  $ cat <<E\n  > $x $NN_SPOOL\n  > E\n  1 wrong\n  \
                  $ printf 'a\\033'\n  $ until_ok test -d .; exit_with() { return $1; }; exit_with 3\n  $ pwd | sed 's/.*\\///'\n  sample\n";
    fs::write(&path, sample).unwrap();
    let new = replay(&path).unwrap();
    let changed = difference(sample, &new);
    let spool = new.lines().find(|l| l.starts_with("  1 ")).unwrap();
    assert!(spool.ends_with("/sample/spool"), "{new}");
    assert_eq!(changed.lines().filter(|l| l.starts_with('-')).collect::<Vec<_>>(), ["-  1 wrong"]);
    let added: Vec<&str> = changed.lines().filter(|l| l.starts_with('+')).collect();
    assert_eq!(added[1..], ["+  a\\x1b (no newline)", "+  [3]"]);
    fs::write(&path, "  $ echo a\n  $ exit 4\n  $ echo b\n").unwrap();
    assert!(replay(&path).unwrap_err().starts_with("the shell ended in\n  $ exit 4\n"));
}
