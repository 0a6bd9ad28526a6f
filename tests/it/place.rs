//! Where a test works: a fresh directory outside any git work tree, an environment that is the same everywhere,
//! and the lines that go past the test harness to the person.
//!
//! A `Place` is removed when it is dropped by a test that passed, and kept for a look when the test failed; processes
//! that still live inside it are killed first (found by their working directory, so nobody else's are hit).

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A directory of its own for one test.
pub struct Place {
    pub dir: PathBuf,
}

impl Place {
    /// Makes the directory; `name` is for people only.
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("nn-it.{}.{count}", std::process::id())).join(name);
        fs::create_dir_all(&dir).unwrap();
        Place { dir: dir.canonicalize().unwrap() }
    }

    /// `program` (one of ours, or of the system) in this place and nothing of the caller's environment.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.dir)
            .env_clear()
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", bins().display()))
            .env("HOME", &self.dir)
            .env("NN_SPOOL", self.dir.join("spool"))
            .env("TESTS", tests())
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .env("TERM", "dumb")
            .stdin(std::process::Stdio::null());
        command
    }

    /// Kills what still works inside this place.
    pub fn kill_leftovers(&self) {
        let pids: Vec<String> = fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .flatten()
            .filter(|e| fs::read_link(e.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(&self.dir)))
            .filter_map(|e| e.file_name().into_string().ok())
            .collect();
        if !pids.is_empty() {
            let _ = Command::new("kill").arg("-9").args(pids).output();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.kill_leftovers();
        if std::thread::panicking() {
            say(&format!("kept: {}", self.dir.display()));
        } else {
            let _ = fs::remove_dir_all(self.dir.parent().unwrap_or(&self.dir));
        }
    }
}

/// The directory of the binaries under test.
pub fn bins() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_nn-queue")).parent().unwrap()
}

/// The top of the source tree.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The `tests` folder, `$TESTS` in a transcript.
pub fn tests() -> PathBuf {
    root().join("tests")
}

/// One line to the person, whether or not the harness captures the test's output.
pub fn say(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}
