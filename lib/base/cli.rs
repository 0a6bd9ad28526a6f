//! What is the same in every tool: help and version, buffered standard output that is flushed and checked, one message
//! form, the exit status. The only module that prints to standard error or chooses an exit status.
//!
//! Status: 0 done or yes; 1 the tool worked and the answer is no; 2 usage or failure; 75 could not now, try again. A
//! closed pipe on standard output is a quiet 0 (`nn-queue list | head`).

use super::args::Args;
use super::error::{Doing, Error, Result};
use super::text::escape;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, BufRead, BufWriter, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

static NAME: OnceLock<&'static str> = OnceLock::new();
static COMPLAINED: AtomicBool = AtomicBool::new(false);

/// An exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit(pub u8);

impl Exit {
    /// Done, or yes.
    pub const DONE: Exit = Exit(0);
    /// It worked, and the answer is no.
    pub const NO: Exit = Exit(1);
    /// Usage or failure.
    pub const FAILED: Exit = Exit(2);
    /// Could not now, try again.
    pub const AGAIN: Exit = Exit(75);
}

/// What a tool does: reads its arguments, writes records, answers with a status.
pub type Run = fn(&mut Args, &mut Out) -> Result<Exit>;

/// The main function of every tool. `usage` is what `--help` prints.
pub fn main(name: &'static str, usage: &str, run: Run) -> ExitCode {
    main_failing_as(Exit::FAILED, name, usage, run)
}

/// The same for a tool that passes a command's status through, and so needs another one for its own failures.
pub fn main_failing_as(failed: Exit, name: &'static str, usage: &str, run: Run) -> ExitCode {
    NAME.get_or_init(|| name);
    let mut args = Args::new(std::env::args_os().skip(1));
    let mut out = Out { to: BufWriter::with_capacity(1 << 16, io::stdout()) };
    let ended = run(&mut args, &mut out);
    let flushed = out.flush();
    let ended = match ended {
        Err(Error::Help) => out.write_all(usage.trim_start().as_bytes()).map(|()| Exit::DONE),
        Err(Error::Version) => writeln!(out, "{name} {}", env!("CARGO_PKG_VERSION")).map(|()| Exit::DONE),
        ended => ended,
    };
    let ended = ended.and_then(|exit| flushed.and_then(|()| out.flush()).map(|()| exit));
    // Whatever is left in the buffer was refused once already: not written again when dropped.
    let (_, _) = out.to.into_parts();
    ExitCode::from(status(ended, usage, failed).0)
}

fn status(ended: Result<Exit>, usage: &str, failed: Exit) -> Exit {
    match ended {
        Ok(exit) if COMPLAINED.load(Ordering::Relaxed) && exit.0 < 2 => failed,
        Ok(exit) => exit,
        Err(Error::Stdout(err)) if err.kind() == io::ErrorKind::BrokenPipe => Exit::DONE,
        Err(err @ Error::Usage(_)) => {
            tell(&err.to_string());
            let synopsis = usage.trim_start().lines().take_while(|line| !line.is_empty());
            for line in synopsis {
                say(line);
            }
            failed
        }
        Err(err @ Error::Again(_)) => {
            tell(&err.to_string());
            Exit::AGAIN
        }
        Err(err) => {
            tell(&err.to_string());
            failed
        }
    }
}

/// One line to standard error as it is, above the bar if there is one. Nobody is left to tell when that fails.
fn say(line: &str) {
    let clear = if BAR_SHOWN.swap(false, Ordering::Relaxed) { CLEAR } else { "" };
    let _ = io::stderr().lock().write_all(format!("{clear}{line}\n").as_bytes());
}

/// One line of a report to the person, without the tool's name.
pub fn report(what: &str) {
    say(&escape(what));
}

/// One line to the person, with the tool's name.
pub fn tell(what: &str) {
    say(&format!("{}: {}", NAME.get().unwrap_or(&"nn"), escape(what)));
}

/// A warning to the person.
pub fn warn(what: &str) {
    tell(&format!("warning: {what}"));
}

/// Tells of an error that does not stop the work on other operands; the final status will be a failure.
pub fn complain(err: &Error) {
    COMPLAINED.store(true, Ordering::Relaxed);
    tell(&err.to_string());
}

/// The tool of this name that lies beside this one: all are installed together.
///
/// # Errors
/// Where this one lies cannot be told.
pub fn sibling(name: &str) -> Result<PathBuf> {
    Ok(std::env::current_exe().doing("find", "this program")?.with_file_name(name))
}

/// Operands as text, or one a line from standard input when there are none.
///
/// # Errors
/// There are none at all; text that is not UTF-8; standard input cannot be read.
pub fn operands(given: Vec<OsString>) -> Result<Vec<String>> {
    let none = || Error::usage("which runs? give them as operands or on standard input");
    operands_if_any(given)?.ok_or_else(none)
}

/// Operands as text, or one a line from standard input when there are none and it is a pipe or a file. None: nothing was
/// given, for standard input is a terminal or /dev/null.
///
/// # Errors
/// Text that is not UTF-8; standard input cannot be read.
pub fn operands_if_any(given: Vec<OsString>) -> Result<Option<Vec<String>>> {
    let text = |v: OsString| {
        v.into_string().map_err(|v| Error::usage(format!("'{}' is not valid UTF-8", v.to_string_lossy())))
    };
    if !given.is_empty() {
        return given.into_iter().map(text).collect::<Result<_>>().map(Some);
    }
    let input = io::stdin();
    let device = input.as_fd().try_clone_to_owned().and_then(|fd| std::fs::File::from(fd).metadata());
    if device.is_ok_and(|meta| meta.file_type().is_char_device()) {
        return Ok(None);
    }
    let mut words = Vec::new();
    for line in input.lock().lines() {
        let line = line.map_err(|err| Error::Io { doing: "read", path: "standard input".into(), err })?;
        // The first column: so that the records of one tool are the operands of the next.
        let word = line.split('\t').next().unwrap_or_default().trim();
        if !word.is_empty() {
            words.push(word.to_string());
        }
    }
    Ok(Some(words))
}

/// Whether colours and moving bars may go to a stream that is (`terminal`) a terminal: not with NO_COLOR or TERM=dumb.
pub fn colours(terminal: bool) -> bool {
    terminal
        && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
        && std::env::var_os("TERM").is_some_and(|term| term != "dumb")
}

/// Goes to the start of the terminal's line and empties it.
const CLEAR: &str = "\r\x1b[K";

static BAR_SHOWN: AtomicBool = AtomicBool::new(false);

/// A line at the bottom of the terminal behind standard error that is written anew in its place.
#[derive(Debug)]
pub struct Bar(());

impl Bar {
    /// A bar, if a person is watching and does not mind (NO_COLOR, TERM=dumb).
    pub fn new() -> Option<Bar> {
        colours(io::stderr().is_terminal()).then_some(Bar(()))
    }

    /// Columns it may take.
    pub fn columns(&self) -> usize {
        super::sys::terminal_size(&io::stderr()).map_or(79, |(columns, _)| columns.saturating_sub(1))
    }

    /// Shows this text, cut to the terminal, in place of what was there.
    pub fn show(&mut self, text: &str) {
        let line = format!("{CLEAR}{}", super::text::fit(&escape(text), self.columns()));
        let _ = io::stderr().lock().write_all(line.as_bytes());
        BAR_SHOWN.store(true, Ordering::Relaxed);
    }

    /// Takes it away.
    pub fn clear(&mut self) {
        if BAR_SHOWN.swap(false, Ordering::Relaxed) {
            let _ = io::stderr().lock().write_all(CLEAR.as_bytes());
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Standard output, buffered; its errors are `Error::Stdout`.
#[derive(Debug)]
pub struct Out {
    to: BufWriter<io::Stdout>,
}

impl Out {
    /// What `write!` and `writeln!` call.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn write_fmt(&mut self, what: fmt::Arguments) -> Result<()> {
        self.to.write_fmt(what).map_err(Error::Stdout)
    }

    /// Bytes as they are.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        self.to.write_all(bytes).map_err(Error::Stdout)
    }

    /// Sends what is buffered.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn flush(&mut self) -> Result<()> {
        self.to.flush().map_err(Error::Stdout)
    }

    /// Whether a person is watching.
    pub fn is_terminal(&self) -> bool {
        self.to.get_ref().is_terminal()
    }

    /// Columns and rows of the terminal, if it is one.
    pub fn terminal_size(&self) -> Option<(usize, usize)> {
        self.is_terminal().then(|| super::sys::terminal_size(self.to.get_ref()))?
    }
}
