//! Asking another program without waiting for it: a thread reads what it prints, up to a limit, and hands it over when it
//! has ended. A program that hangs is killed, and left alone when even that does not end it.

use crate::base::sys::{self, Signal};
use std::io::Read;
use std::os::fd::AsRawFd;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Most bytes of an error message that are kept.
const MOST_WORDS: usize = 4096;
/// Between two looks whether it has ended while something else holds its output open.
const LOOK: Duration = Duration::from_millis(250);

/// What a program answered.
#[derive(Debug, Default)]
pub struct Answer {
    /// Exit code; None: it could not be run, or was killed
    pub code: Option<i32>,
    /// What it printed
    pub out: Vec<u8>,
    /// It printed more than that
    pub cut: bool,
    /// Somebody else in this process waited for it and has its exit code
    pub waited_for_elsewhere: bool,
    /// Its first line on standard error, or why it could not be run
    pub words: String,
    /// All it said there
    pub errors: String,
}

/// A program that was asked.
#[derive(Debug)]
pub struct Asked {
    answers: Receiver<Answer>,
    answer: Option<Answer>,
    pid: Arc<AtomicU32>,
    since: Instant,
}

impl Asked {
    /// Starts it; at most `most` bytes of its output are kept.
    pub fn begin(mut command: Command, most: u64) -> Asked {
        let (sender, answers) = channel();
        let pid = Arc::new(AtomicU32::new(0));
        let its_pid = pid.clone();
        let body = move || {
            let _ = sender.send(answer(&mut command, most, &its_pid));
        };
        // Out of threads: there is no answer, which wait and take report as such.
        let _ = std::thread::Builder::new().stack_size(1 << 16).spawn(body);
        Asked { answers, answer: None, pid, since: Instant::now() }
    }

    /// Waits at most so long; whether it has ended.
    pub fn wait(&mut self, limit: Duration) -> bool {
        if self.answer.is_none() {
            self.answer = self.answers.recv_timeout(limit).ok();
        }
        self.answer.is_some()
    }

    /// Whether it has ended.
    pub fn is_finished(&mut self) -> bool {
        self.wait(Duration::ZERO)
    }

    /// How long ago it was started.
    pub fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Where its process id stands while it runs, else 0.
    pub fn pid_place(&self) -> Arc<AtomicU32> {
        self.pid.clone()
    }

    /// Its process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        Some(self.pid.load(Ordering::Relaxed)).filter(|pid| *pid != 0)
    }

    /// Its answer. None: it had none by now, and was killed.
    pub fn take(mut self) -> Option<Answer> {
        if !self.is_finished()
            && let Some(pid) = self.pid()
        {
            let _ = sys::kill(pid, Signal::KILL);
            // Usually enough to be rid of it; in the kernel's hands nothing helps.
            self.wait(Duration::from_millis(100));
            return None;
        }
        self.answer
    }
}

fn answer(command: &mut Command, most: u64, pid: &AtomicU32) -> Answer {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(err) => return Answer { words: crate::base::error::reason(&err), ..Answer::default() },
    };
    pid.store(child.id(), Ordering::Relaxed);
    let mut answer = Answer::default();
    let words = read_both(&mut child, most, &mut answer);
    if answer.cut {
        let _ = child.kill();
    }
    answer.errors = String::from_utf8_lossy(&words).into_owned();
    answer.words = answer.errors.lines().next().unwrap_or_default().to_string();
    match child.wait() {
        Ok(status) => answer.code = status.code(),
        Err(_) => answer.waited_for_elsewhere = true,
    }
    pid.store(0, Ordering::Relaxed);
    answer
}

/// Reads both pipes as they fill, so that neither can block the program, until both are closed, too much has come, or
/// the program has ended and only others hold them. What is on standard error is returned.
fn read_both(child: &mut Child, most: u64, answer: &mut Answer) -> Vec<u8> {
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut words = Vec::new();
    let mut buffer = vec![0; 1 << 14];
    while out.is_some() || err.is_some() {
        let fds = [out.as_ref().map(AsRawFd::as_raw_fd), err.as_ref().map(AsRawFd::as_raw_fd)];
        let [out_ready, err_ready] = sys::wait_readable_of(fds, LOOK);
        if out_ready && !read_some(&mut out, &mut buffer, &mut answer.out, usize::MAX) {
            out = None;
        }
        if err_ready && !read_some(&mut err, &mut buffer, &mut words, MOST_WORDS) {
            err = None;
        }
        if answer.out.len() > most {
            answer.out.truncate(most);
            answer.cut = true;
            return words;
        }
        if !out_ready && !err_ready && !matches!(child.try_wait(), Ok(None)) {
            return words;
        }
    }
    words
}

/// One read, of which at most so much is kept in all; false at the end.
fn read_some(from: &mut Option<impl Read>, buffer: &mut [u8], into: &mut Vec<u8>, most: usize) -> bool {
    let n = from.as_mut().and_then(|from| from.read(buffer).ok()).unwrap_or(0);
    let room = most.saturating_sub(into.len());
    into.extend_from_slice(buffer.get(..n.min(room)).unwrap_or_default());
    n > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, most: u64) -> Asked {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Asked::begin(command, most)
    }

    #[test]
    fn answers() {
        let mut asked = sh("echo a; echo why >&2; exit 3", 100);
        assert!(asked.wait(Duration::from_secs(20)));
        let answer = asked.take().unwrap();
        assert_eq!((answer.code, answer.out.as_slice(), answer.words.as_str()), (Some(3), &b"a\n"[..], "why"));
        let mut asked = sh("while :; do echo aaaaaaaaaaaaaaaa; done", 1000);
        assert!(asked.wait(Duration::from_secs(20)));
        let answer = asked.take().unwrap();
        assert!(answer.cut && answer.out.len() == 1000);
        // Neither a full standard error nor a child that keeps the output open may block it.
        let mut asked = sh("head -c 300000 /dev/zero >&2; echo b; sleep 30 & exit 0", 100);
        assert!(asked.wait(Duration::from_secs(20)));
        assert_eq!(asked.take().unwrap().out, b"b\n");
        let mut asked = Asked::begin(Command::new("/no/such"), 1);
        assert!(asked.wait(Duration::from_secs(20)));
        assert_eq!(asked.take().unwrap().words, "No such file or directory");
    }

    #[test]
    fn one_that_hangs_is_killed() {
        let mut asked = sh("exec sleep 600", 10);
        while asked.pid().is_none() {
            std::thread::yield_now();
        }
        assert!(!asked.is_finished());
        let pid = asked.pid().unwrap();
        assert!(asked.take().is_none());
        let begun = Instant::now();
        while crate::spool::owner::start_of(pid).is_some() && begun.elapsed() < Duration::from_secs(20) {
            std::thread::yield_now();
        }
        assert!(crate::spool::owner::start_of(pid).is_none());
    }
}
