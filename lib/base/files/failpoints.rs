//! Failures on purpose, for tests: NN_FAIL=`K:WHAT[:sticky|:N]` strikes at the K-th operation (from 1) that changes a file
//! system, with `sticky` at every one from then on, with a number at so many.
//!
//! WHAT: `before` and `after` kill the process there, as kill -9 would; `half` writes half of the bytes and kills it;
//! `stop` stops the process before it, as a suspended machine would, until somebody sends CONT;
//! `lost` does the operation and reports ENOENT (a lost reply of NFS); an errno by name (`EIO`, `ENOSPC`, …) does nothing and
//! reports that. NN_FAIL_IN=PROGRAM spares all other programs, NN_FAIL_PATH=TEXT all paths without that text. NN_FAIL_LOG=FILE
//! gets a line an operation, `K@PROGRAM NAME PATH`, so that a test knows how many there are.

use crate::base::sys::{self, Signal};
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Clone, Copy, PartialEq)]
enum What {
    Before,
    After,
    Half,
    Stop,
    Lost,
    Errno(i32),
}

struct Plan {
    at: u64,
    what: What,
    times: u64,
}

static COUNT: AtomicU64 = AtomicU64::new(0);

fn plan() -> Option<&'static Plan> {
    static PLAN: OnceLock<Option<Plan>> = OnceLock::new();
    PLAN.get_or_init(|| parse(&std::env::var("NN_FAIL").ok()?).filter(|_| is_meant())).as_ref()
}

/// Whether failures are for this program.
fn is_meant() -> bool {
    std::env::var_os("NN_FAIL_IN").is_none_or(|only| only == program())
}

/// This program's name.
fn program() -> OsString {
    let exe = std::env::current_exe().ok();
    exe.and_then(|exe| exe.file_name().map(OsString::from)).unwrap_or_default()
}

fn parse(text: &str) -> Option<Plan> {
    let mut parts = text.split(':');
    let at = parts.next()?.parse().ok()?;
    let what = match parts.next()? {
        "before" => What::Before,
        "after" => What::After,
        "half" => What::Half,
        "stop" => What::Stop,
        "lost" => What::Lost,
        "ENOENT" => What::Errno(2),
        "EIO" => What::Errno(5),
        "EACCES" => What::Errno(13),
        "EMFILE" => What::Errno(24),
        "ENOSPC" => What::Errno(28),
        "EROFS" => What::Errno(30),
        "ESTALE" => What::Errno(116),
        "EDQUOT" => What::Errno(122),
        _ => return None,
    };
    let times = match parts.next() {
        Some("sticky") => u64::MAX,
        Some(times) => times.parse().ok()?,
        None => 1,
    };
    Some(Plan { at, what, times })
}

/// Counts an operation; says what is to happen to it.
fn strike(name: &str, path: &Path) -> Option<What> {
    if std::env::var("NN_FAIL_PATH").is_ok_and(|text| !path.to_string_lossy().contains(&text)) {
        return None;
    }
    let count = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
    if let Some(log) = std::env::var_os("NN_FAIL_LOG")
        && let Ok(mut log) = OpenOptions::new().append(true).create(true).open(log)
    {
        let _ = writeln!(log, "{count}@{} {name} {}", program().display(), path.display());
    }
    let what = plan().filter(|plan| count >= plan.at && count - plan.at < plan.times).map(|plan| plan.what);
    if what == Some(What::Stop) {
        let _ = sys::kill(std::process::id(), Signal(SIGSTOP));
        return None;
    }
    what
}

/// signal(7), the same on every architecture with failpoints' tests.
const SIGSTOP: i32 = 19;

fn die() -> ! {
    let _ = sys::kill(std::process::id(), Signal::KILL);
    loop {
        std::thread::park();
    }
}

/// Does an operation, or what the plan says.
pub(super) fn operation<T>(name: &str, path: &Path, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    match strike(name, path) {
        None | Some(What::Stop) => act(),
        Some(What::Before | What::Half) => die(),
        Some(What::After) => {
            let _ = act();
            die()
        }
        Some(What::Lost) => {
            let _ = act();
            Err(io::ErrorKind::NotFound.into())
        }
        Some(What::Errno(errno)) => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// Writes bytes, or what the plan says.
pub(super) fn write_bytes(path: &Path, file: &mut File, bytes: &[u8]) -> io::Result<()> {
    match strike("write", path) {
        None | Some(What::Stop) => file.write_all(bytes),
        Some(What::Before) => die(),
        Some(What::Half) => {
            let _ = file.write_all(bytes.get(..bytes.len() / 2).unwrap_or_default());
            die()
        }
        Some(What::After) => {
            let _ = file.write_all(bytes);
            die()
        }
        Some(What::Lost) => Err(io::ErrorKind::NotFound.into()),
        Some(What::Errno(errno)) => {
            let _ = file.write_all(bytes.get(..bytes.len() / 2).unwrap_or_default());
            Err(io::Error::from_raw_os_error(errno))
        }
    }
}
