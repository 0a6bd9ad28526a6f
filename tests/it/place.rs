//! Where a test works: a fresh directory outside any git work tree, an environment that is the same everywhere,
//! and the lines that go past the test harness to the person.
//!
//! A `Place` is removed when it is dropped by a test that passed, and kept for a look when the test failed; processes
//! that still live inside it are killed first (found by their working directory, so nobody else's are hit).

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A directory of its own for one test.
pub struct Place {
    pub dir: PathBuf,
}

impl Place {
    /// Makes the directory; `name` is for people only.
    pub fn new(name: &str) -> Self {
        Place::below(&std::env::temp_dir(), name)
    }

    /// The same in memory where the system has that, for thousands of small cases that need no disk.
    pub fn quick(name: &str) -> Self {
        let shm = Path::new("/dev/shm");
        let usable = fs::create_dir_all(shm.join(format!("nn-it.{}", std::process::id()))).is_ok();
        if usable { Place::below(shm, name) } else { Place::new(name) }
    }

    fn below(top: &Path, name: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = top.join(format!("nn-it.{}/{count}", std::process::id())).join(name);
        // Another test may be removing the common parent, which is empty for a moment.
        while fs::create_dir_all(&dir).is_err() {
            assert!(top.is_dir(), "there is no {}", top.display());
        }
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
            .stdin(Stdio::null());
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
            let own = self.dir.parent().unwrap_or(&self.dir);
            let _ = fs::remove_dir_all(own);
            let _ = own.parent().map(fs::remove_dir);
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

/// What a command prints and how it ends; a failure of the test when it takes longer than `limit`.
pub fn output_within(command: &mut Command, limit: Duration) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let read = |mut from: Box<dyn Read + Send>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            from.read_to_end(&mut bytes).map(|_| bytes).unwrap_or_default()
        })
    };
    let (stdout, stderr) = (read(Box::new(stdout)), read(Box::new(stderr)));
    let started = Instant::now();
    // What it leaves behind may hold its output open.
    while child.try_wait().unwrap().is_none() || !stdout.is_finished() || !stderr.is_finished() {
        if started.elapsed() > limit {
            let _ = child.kill();
            panic!("took longer than {limit:?}: {command:?}");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Output { status: child.wait().unwrap(), stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
}
