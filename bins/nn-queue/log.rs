//! log: what a run printed. Bytes as they are into a pipe or file; on a terminal every control character but the line's
//! end and TAB is shown as an escape, for a log may hold anything.
//!
//! `-f` looks for more four times a second, and ends when the run has ended and all is shown. What a run at another host
//! prints is fetched meanwhile.

use crate::host::following::Following;
use nn::base::args::{Arg, Args};
use nn::base::cli::{Exit, Out};
use nn::base::error::{Doing, Error, Result};
use nn::base::text::escape_bytes;
use nn::spool::select::select_one;
use nn::spool::state::Folder;
use nn::spool::store::Spool;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

/// Pause between two looks of `-f`.
const PAUSE: Duration = Duration::from_millis(250);
/// Looks at the log between two looks at the run's state.
const STATE_EVERY: u32 = 4;
/// Bytes read at once.
const PIECE: usize = 1 << 16;

/// Prints a log.
pub fn log(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let (mut follow, mut lines, mut operand) = (false, None, None);
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Short('f') => follow = true,
            Arg::Long(name) if name == "follow" => follow = true,
            Arg::Short('n') => lines = Some(args.parse::<u64>("a number of lines")?),
            Arg::Long(name) if name == "lines" => lines = Some(args.parse::<u64>("a number of lines")?),
            Arg::Value(value) if operand.is_none() => operand = Some(value.to_string_lossy().into_owned()),
            arg => return Err(arg.unexpected()),
        }
    }
    let operand = operand.ok_or_else(|| Error::usage("which run? its number, its name, or last"))?;
    let spool = Spool::find()?;
    let run = select_one(&spool, &operand)?;
    let path = spool.run_dir(run).join("log");
    let mut printer = Printer { safe: out.is_terminal(), line: Vec::new() };
    let mut file = open(&path)?;
    if let (Some(file), Some(lines)) = (&mut file, lines) {
        let at = start_of_last(file, lines).doing("read", &path)?;
        file.seek(SeekFrom::Start(at)).doing("read", &path)?;
    }
    let _following = follow.then(|| Following::begin(&spool, [run].into()));
    let mut looks: u32 = 0;
    loop {
        // Asked before the last reading: what was written until the end is then read.
        let ended = !follow || looks.is_multiple_of(STATE_EVERY) && !is_open(&spool, run)?;
        if file.is_none() {
            file = open(&path)?;
        }
        if let Some(file) = &mut file {
            copy(file, &mut printer, out).map_err(|err| match err {
                Error::Io { doing, err, .. } => Error::Io { doing, path: path.clone(), err },
                err => err,
            })?;
        }
        out.flush()?;
        if ended {
            return printer.end(out).map(|()| Exit::DONE);
        }
        looks += 1;
        std::thread::sleep(PAUSE);
    }
}

/// The log; None: the run has not started yet.
fn open(path: &Path) -> Result<Option<File>> {
    match File::open(path) {
        Err(err) if err.kind() == ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some).doing("read", path),
    }
}

/// Whether a run can still write.
fn is_open(spool: &Spool, run: u64) -> Result<bool> {
    if spool.states(&Folder::OPEN)?.contains_key(&run) {
        return Ok(true);
    }
    // It may have come back to the queue between two folders: ended is only what is seen among the ended.
    Ok(spool.state_of(run)?.is_some_and(|token| !token.folder().is_end()))
}

/// Everything from where the file stands to its present end.
fn copy(file: &mut File, printer: &mut Printer, out: &mut Out) -> Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let n = file.read(&mut piece).doing("read", "")?;
        if n == 0 {
            return Ok(());
        }
        printer.print(piece.get(..n).unwrap_or_default(), out)?;
    }
}

/// Writes bytes as they are, or so that they do nothing to a terminal.
struct Printer {
    safe: bool,
    /// An unfinished line: a character may be cut in two
    line: Vec<u8>,
}

impl Printer {
    fn print(&mut self, bytes: &[u8], out: &mut Out) -> Result<()> {
        if !self.safe {
            return out.write_all(bytes);
        }
        // A carriage return begins a new state of a progress bar: a line of its own.
        for &byte in bytes {
            if byte != b'\n' && byte != b'\r' {
                self.line.push(byte);
            }
            if byte == b'\n' || self.line.len() > PIECE || byte == b'\r' && !self.line.is_empty() {
                self.end_line(out)?;
            }
        }
        Ok(())
    }

    fn end_line(&mut self, out: &mut Out) -> Result<()> {
        let parts: Vec<String> = self.line.split(|b| *b == b'\t').map(escape_bytes).collect();
        self.line.clear();
        writeln!(out, "{}", parts.join("\t"))
    }

    fn end(&mut self, out: &mut Out) -> Result<()> {
        if self.line.is_empty() { Ok(()) } else { self.end_line(out) }
    }
}

/// Where the last `lines` lines of a file begin, read backwards.
pub fn start_of_last(file: &mut File, lines: u64) -> std::io::Result<u64> {
    let end = file.seek(SeekFrom::End(0))?;
    let (mut at, mut found) = (end, 0);
    while at > 0 && lines > 0 {
        let from = at.saturating_sub(PIECE as u64);
        file.seek(SeekFrom::Start(from))?;
        let mut piece = Vec::new();
        Read::by_ref(file).take(at - from).read_to_end(&mut piece)?;
        for (i, _) in piece.iter().enumerate().rev().filter(|(_, b)| **b == b'\n') {
            let next_line = from + i as u64 + 1;
            // The newline at the very end closes the last line and begins none.
            found += u64::from(next_line < end);
            if found == lines {
                return Ok(next_line);
            }
        }
        at = from;
    }
    Ok(if lines == 0 { end } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines() {
        let path = std::env::temp_dir().join(format!("nn-queue-log-{}", std::process::id()));
        let last = |text: &str, lines| {
            std::fs::write(&path, text).unwrap();
            let at = start_of_last(&mut File::open(&path).unwrap(), lines).unwrap() as usize;
            text[at..].to_string()
        };
        assert_eq!(last("a\nb\nc\n", 2), "b\nc\n");
        assert_eq!(last("a\nb\nc", 2), "b\nc");
        assert_eq!(last("a\nb\nc", 1), "c");
        assert_eq!(last("a\nb\n", 9), "a\nb\n");
        assert_eq!(last("a\nb\n", 0), "");
        assert_eq!(last("a\nb", 0), "");
        assert_eq!(last("", 3), "");
        assert_eq!(last("\n\n\n", 2), "\n\n");
        let long = format!("{}\nend\n", "x".repeat(3 * PIECE));
        assert_eq!(last(&long, 1), "end\n");
        assert_eq!(last(&long, 2), long);
        std::fs::remove_file(path).unwrap();
    }
}
