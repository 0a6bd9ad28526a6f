//! An engine's own programs: run with a limit of time, with plain messages, and what they said kept whole.

use crate::base::error::{Error, Result};
use crate::record::ask::Asked;
use std::ffi::OsStr;
use std::process::Command;
use std::time::Duration;

/// Most bytes of an answer: a line of 200 bytes for each of a hundred thousand jobs.
const MOST: u64 = 20 << 20;

/// What a program said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// Exit code; None: a signal ended it
    pub code: Option<i32>,
    /// What it printed
    pub out: String,
    /// What it printed on standard error, its lines joined by "; ", without its own name before each
    pub err: String,
}

/// Runs a program of an engine. Its messages are in English, and its environment is this process's.
///
/// # Errors
/// It cannot be run, or has not ended in time and was killed: then nobody knows what it has done.
pub fn run<S: AsRef<OsStr>>(engine: &str, name: &str, args: &[S], limit: Duration) -> Result<Said> {
    let mut command = Command::new(name);
    command.args(args).env("LC_ALL", "C");
    answer(engine, name, command, limit)
}

/// The same with nothing of the environment but what is to be kept.
///
/// # Errors
/// As `run`.
pub fn run_keeping<S: AsRef<OsStr>>(
    keep: fn(&str) -> bool,
    engine: &str,
    name: &str,
    args: &[S],
    limit: Duration,
) -> Result<Said> {
    let mut command = Command::new(name);
    let kept = std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(keep));
    command.args(args).env_clear().envs(kept).env("LC_ALL", "C");
    answer(engine, name, command, limit)
}

fn answer(engine: &str, name: &str, command: Command, limit: Duration) -> Result<Said> {
    let mut asked = Asked::begin(command, MOST);
    asked.wait(limit);
    let Some(answer) = asked.take() else {
        return Err(Error::Again(format!("{engine}: {name} did not answer within {} seconds", limit.as_secs())));
    };
    if answer.code.is_none() && answer.errors.is_empty() && !answer.words.is_empty() {
        let hint = if answer.words.starts_with("No such file") {
            format!(": is {engine} on this host, and in PATH?")
        } else {
            String::new()
        };
        return Err(Error::other(format!("cannot run {name}: {}{hint}", answer.words)));
    }
    if answer.cut {
        return Err(Error::other(format!("{engine}: {name} printed more than can be true")));
    }
    let lines = answer.errors.lines().map(|line| own_words(name, line)).filter(|line| !line.is_empty());
    let err = lines.collect::<Vec<_>>().join("; ");
    Ok(Said { code: answer.code, out: String::from_utf8_lossy(&answer.out).into_owned(), err })
}

/// A line without `sbatch: error: ` before it.
fn own_words<'a>(name: &str, line: &'a str) -> &'a str {
    let line = line.trim();
    let line = line.strip_prefix(name).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(line);
    line.strip_prefix("error: ").unwrap_or(line)
}

/// Words of a command line as a person writes them for a shell: blanks part them, quotes and backslashes keep blanks.
///
/// # Errors
/// A quote is not closed.
pub fn words(text: &str) -> std::result::Result<Vec<String>, String> {
    let (mut words, mut word) = (Vec::new(), None::<String>);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => words.extend(word.take()),
            '\'' | '"' => {
                let into = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some(end) if end == c => break,
                        Some('\\') if c == '"' => into.extend(chars.next()),
                        Some(other) => into.push(other),
                        None => return Err(format!("'{text}': a quote is not closed")),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(chars.next()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said() {
        let limit = Duration::from_secs(20);
        let said = run("x", "sh", &["-c", "echo a; echo 'sh: error: one' >&2; echo two >&2; exit 3"], limit).unwrap();
        assert_eq!(said, Said { code: Some(3), out: "a\n".into(), err: "one; two".into() });
        let missing = run::<&str>("slurm", "nn-no-such-program", &[], limit).unwrap_err().to_string();
        assert_eq!(
            missing,
            "cannot run nn-no-such-program: No such file or directory: is slurm on this host, and in PATH?"
        );
        let slow = run("x", "sh", &["-c", "exec sleep 600"], Duration::from_millis(50)).unwrap_err();
        assert!(matches!(slow, Error::Again(_)), "{slow}");
    }

    #[test]
    fn words_of_a_person() {
        assert_eq!(
            words("-p gpu  --comment='a b' \"x\\\"y\" c\\ d ''").unwrap(),
            ["-p", "gpu", "--comment=a b", "x\"y", "c d", ""]
        );
        assert!(words("'a").is_err());
    }
}
