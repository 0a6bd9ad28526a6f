//! The terminal while the screen is live: keys one by one, without echo, on the alternate screen; all put back at the end.
//! stty(1) sets and restores the terminal, for it is on every machine.

use nn::base::cli::Out;
use nn::base::error::{Doing, Error, Result};
use nn::base::sys::{self, Signals};
use std::fs::File;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The terminal of this process, whatever standard input is.
const TTY: &str = "/dev/tty";
/// Alternate screen, no cursor, no line goes on in the next; and back.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[H\x1b[2J";
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/// What was typed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Key {
    Char(char),
    Enter,
    Escape,
    Back,
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
}

/// The terminal in our hands.
pub struct Terminal {
    /// What stty printed before
    settings: String,
    file: File,
    /// Bytes that were read and are not a whole key
    bytes: Vec<u8>,
}

impl Terminal {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// There is no terminal, or no stty.
    pub fn enter(out: &mut Out) -> Result<Terminal> {
        let file = File::open(TTY).doing("read", TTY)?;
        let terminal = Terminal { settings: stty(&["-g"])?, file, bytes: Vec::new() };
        terminal.resume(out)?;
        Ok(terminal)
    }

    /// Takes it over again, after `leave`.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn resume(&self, out: &mut Out) -> Result<()> {
        stty(&["-icanon", "-echo", "min", "0", "time", "0"])?;
        write!(out, "{ENTER}")?;
        out.flush()
    }

    /// Gives it back as it was.
    pub fn leave(&self, out: &mut Out) {
        let _ = write!(out, "{LEAVE}");
        let _ = out.flush();
        let _ = stty(&[&self.settings]);
    }

    /// Waits for a key or a signal, at most `limit`. False: the terminal is gone.
    pub fn wait(&mut self, signals: &Signals, limit: Duration) -> bool {
        let [typed, _] = sys::wait_readable_of([Some(self.file.as_raw_fd()), Some(signals.as_raw_fd())], limit);
        if !typed {
            return true;
        }
        let mut buffer = [0; 256];
        match self.file.read(&mut buffer) {
            Ok(0) => false,
            Ok(n) => {
                self.bytes.extend_from_slice(buffer.get(..n).unwrap_or_default());
                true
            }
            Err(err) => err.kind() == std::io::ErrorKind::Interrupted,
        }
    }

    /// The next key of what was typed.
    pub fn key(&mut self) -> Option<Key> {
        while !self.bytes.is_empty() {
            let (key, length) = read_key(&self.bytes);
            self.bytes.drain(..length);
            if key.is_some() {
                return key;
            }
        }
        None
    }
}

/// The first key in some bytes, and how many bytes it takes; None for what is no key of ours.
fn read_key(bytes: &[u8]) -> (Option<Key>, usize) {
    let sequences: [(&[u8], Key); 14] = [
        (b"\x1b[A", Key::Up),
        (b"\x1bOA", Key::Up),
        (b"\x1b[B", Key::Down),
        (b"\x1bOB", Key::Down),
        (b"\x1b[5~", Key::PageUp),
        (b"\x1b[6~", Key::PageDown),
        (b"\x1b[H", Key::Home),
        (b"\x1bOH", Key::Home),
        (b"\x1b[1~", Key::Home),
        (b"\x1b[F", Key::End),
        (b"\x1bOF", Key::End),
        (b"\x1b[4~", Key::End),
        (b"\r", Key::Enter),
        (b"\n", Key::Enter),
    ];
    if let Some((sequence, key)) = sequences.iter().find(|(sequence, _)| bytes.starts_with(sequence)) {
        return (Some(*key), sequence.len());
    }
    match bytes {
        [0x1b, b'[' | b'O', rest @ ..] => {
            // Another sequence: to its final byte.
            let end = rest.iter().position(|b| (0x40..=0x7e).contains(b)).map_or(rest.len(), |at| at + 1);
            (None, 2 + end)
        }
        [0x1b, ..] => (Some(Key::Escape), 1),
        [0x7f | 0x08, ..] => (Some(Key::Back), 1),
        [byte, ..] if *byte < 0x20 => (None, 1),
        [first, ..] => {
            let length = match first {
                0xc0..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xf7 => 4,
                _ => 1,
            };
            let text = bytes.get(..length).and_then(|bytes| str::from_utf8(bytes).ok());
            (text.and_then(|text| text.chars().next()).map(Key::Char), length.min(bytes.len()))
        }
        [] => (None, 0),
    }
}

fn stty(args: &[&str]) -> Result<String> {
    let mut command = Command::new("stty");
    command.args(args).stdin(File::open(TTY).doing("read", TTY)?).stderr(Stdio::null());
    match command.output() {
        Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).trim().to_string()),
        Ok(_) => Err(Error::other("the terminal cannot be set up: 'nn-watch --once' needs none")),
        Err(err) => Err(Error::Io { doing: "run", path: "stty".into(), err }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_out_of_bytes() {
        let mut bytes: &[u8] = b"q\x1b[A\x1bOB\x1b[1;5Cx\r\x1b[5~\x7f\xc3\xa4\x01/\x1b";
        let mut keys = Vec::new();
        while !bytes.is_empty() {
            let (key, length) = read_key(bytes);
            keys.extend(key);
            bytes = &bytes[length..];
        }
        use Key::*;
        let expected = [Char('q'), Up, Down, Char('x'), Enter, PageUp, Back, Char('ä'), Char('/'), Escape];
        assert_eq!(keys, expected);
        for bytes in [&b"\xc3"[..], b"\xff\xff", b"\x1b[", b"\x1b[99", b"\xf0\x9f"] {
            assert!(read_key(bytes).1 > 0, "{bytes:?} goes on");
        }
    }
}
