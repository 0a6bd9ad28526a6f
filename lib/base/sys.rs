//! The operating system, where std ends: signals, process groups, terminal size, file systems, local time. The only file
//! with `unsafe`. Every function is safe to call and typed; -1 becomes an `io::Error` in one place. Numbers are those of
//! Linux on 64-bit machines (asm-generic: x86_64, aarch64, riscv64), checked below where the compiler can.

use std::ffi::{c_char, c_int, c_long, c_ulong, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
compile_error!("nn-tools knows the system interface of 64-bit Linux only");

mod disk;
#[cfg(feature = "nvml")]
pub mod nvml;
mod poll;
mod process;
pub use disk::{Space, allocate, space};
pub use poll::{Watch, wait_for_any};
pub use process::{Process, plays_old_kernel};

/// A signal by its number, see signal(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal(pub c_int);

#[allow(missing_docs)]
impl Signal {
    pub const HUP: Signal = Signal(1);
    pub const INT: Signal = Signal(2);
    pub const KILL: Signal = Signal(9);
    pub const USR1: Signal = Signal(10);
    pub const USR2: Signal = Signal(12);
    pub const TERM: Signal = Signal(15);
    pub const CHLD: Signal = Signal(17);
    pub const CONT: Signal = Signal(18);
    pub const TSTP: Signal = Signal(20);
    pub const WINCH: Signal = Signal(28);
}

#[repr(C)]
struct PollFd {
    fd: c_int,
    events: i16,
    revents: i16,
}

/// struct sigaction of glibc and musl: handler, mask of 128 bytes, flags, restorer.
#[repr(C)]
struct SigAction {
    handler: usize,
    mask: [c_ulong; 16],
    flags: c_int,
    restorer: usize,
}
const _: () = assert!(size_of::<SigAction>() == 152);

#[repr(C)]
struct Winsize {
    rows: u16,
    cols: u16,
    x: u16,
    y: u16,
}

/// struct rusage: two times, then fourteen longs of which the first is the greatest resident size in KiB.
#[repr(C)]
struct RUsage {
    user: [c_long; 2],
    system: [c_long; 2],
    max_rss: c_long,
    rest: [c_long; 13],
}
const _: () = assert!(size_of::<RUsage>() == 144);

/// struct tm: nine ints, then the zone.
#[repr(C)]
struct Tm {
    sec: c_int,
    min: c_int,
    hour: c_int,
    mday: c_int,
    mon: c_int,
    year: c_int,
    wday: c_int,
    yday: c_int,
    isdst: c_int,
    gmtoff: c_long,
    zone: *const c_char,
}

unsafe extern "C" {
    safe fn getuid() -> u32;
    safe fn geteuid() -> u32;
    safe fn getegid() -> u32;
    #[link_name = "kill"]
    safe fn c_kill(pid: c_int, signal: c_int) -> c_int;
    safe fn prctl(option: c_int, a: c_ulong, b: c_ulong, c: c_ulong, d: c_ulong) -> c_int;
    safe fn syncfs(fd: c_int) -> c_int;
    safe fn umask(mask: u32) -> u32;
    safe fn setsid() -> c_int;
    safe fn nice(increment: c_int) -> c_int;
    safe fn sysconf(name: c_int) -> c_long;
    fn sigaction(signal: c_int, new: *const SigAction, old: *mut SigAction) -> c_int;
    fn poll(fds: *mut PollFd, n: c_ulong, timeout: c_int) -> c_int;
    fn pipe2(fds: *mut c_int, flags: c_int) -> c_int;
    fn write(fd: c_int, bytes: *const c_void, n: usize) -> isize;
    fn read(fd: c_int, bytes: *mut c_void, n: usize) -> isize;
    fn ioctl(fd: c_int, request: c_ulong, ...) -> c_int;
    fn localtime_r(time: *const i64, out: *mut Tm) -> *mut Tm;
    fn mktime(tm: *mut Tm) -> i64;
    fn clock_gettime(clock: c_int, out: *mut [c_long; 2]) -> c_int;
    fn wait4(pid: c_int, status: *mut c_int, options: c_int, usage: *mut RUsage) -> c_int;
}

fn check(rc: c_int) -> io::Result<c_int> {
    if rc == -1 { Err(io::Error::last_os_error()) } else { Ok(rc) }
}

/// Sends a signal to one process, kill(2).
///
/// # Errors
/// ESRCH when there is none, EPERM when it is somebody else's.
pub fn kill(pid: u32, signal: Signal) -> io::Result<()> {
    check(c_kill(positive(pid)?, signal.0)).map(drop)
}

/// Sends a signal to a process group.
///
/// # Errors
/// ESRCH when it is empty, EPERM when none of it may be signalled.
pub fn kill_group(group: u32, signal: Signal) -> io::Result<()> {
    check(c_kill(-positive(group)?, signal.0)).map(drop)
}

/// Whether a process group has a member.
pub fn group_exists(group: u32) -> bool {
    match positive(group).map(|g| check(c_kill(-g, 0))) {
        Ok(Ok(_)) => true,
        Ok(Err(err)) => err.raw_os_error() != Some(ESRCH),
        Err(_) => false,
    }
}

/// "No such process".
const ESRCH: c_int = 3;

/// 0, 1 and what does not fit would mean "everybody": never.
fn positive(pid: u32) -> io::Result<c_int> {
    match c_int::try_from(pid) {
        Ok(pid) if pid > 1 => Ok(pid),
        _ => Err(io::Error::from_raw_os_error(ESRCH)),
    }
}

/// Leaves the terminal and the process group this process was started in, setsid(2).
///
/// # Errors
/// It leads a process group already.
pub fn new_session() -> io::Result<()> {
    check(setsid()).map(drop)
}

/// Makes this process the parent of orphans among its descendants, prctl(2) PR_SET_CHILD_SUBREAPER.
///
/// # Errors
/// The kernel is older than 3.4.
pub fn become_subreaper() -> io::Result<()> {
    const PR_SET_CHILD_SUBREAPER: c_int = 36;
    check(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)).map(drop)
}

/// Leaves the processor to others when it is short: for what only watches.
pub fn step_back() {
    // Refused is as good: -1 is also a priority.
    let _ = nice(10);
}

/// How a child ended, from its wait status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// exit code
    Code(i32),
    /// killed by a signal; whether it dumped core
    Signal(i32, bool),
}

impl Ended {
    /// Reads a wait status.
    pub fn of_status(status: i32) -> Ended {
        match status & 0x7f {
            0 => Ended::Code((status >> 8) & 0xff),
            signal => Ended::Signal(signal, status & 0x80 != 0),
        }
    }
}

/// What a child and all it waited for used, getrusage(2).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Seconds of processor time in the program
    pub user: f64,
    /// Seconds of processor time in the kernel
    pub system: f64,
    /// Greatest resident size of one process, bytes
    pub max_rss: u64,
}

/// A child that has ended, if any has: (pid, how). `Ok(None)`: there are children, none has ended.
///
/// # Errors
/// ECHILD: there are no children.
pub fn reap() -> io::Result<Option<(u32, Ended)>> {
    reap_with_usage().map(|ended| ended.map(|(pid, how, _)| (pid, how)))
}

/// `reap`, and what the child used.
///
/// # Errors
/// ECHILD: there are no children.
pub fn reap_with_usage() -> io::Result<Option<(u32, Ended, Usage)>> {
    wait_for(-1)
}

/// How this child ended, if it has.
///
/// # Errors
/// ECHILD: it is no child of this process, or was waited for already.
pub fn reap_child(pid: u32) -> io::Result<Option<(Ended, Usage)>> {
    wait_for(positive(pid)?).map(|ended| ended.map(|(_, how, usage)| (how, usage)))
}

fn wait_for(pid: c_int) -> io::Result<Option<(u32, Ended, Usage)>> {
    const WNOHANG: c_int = 1;
    let mut status = 0;
    let mut usage = MaybeUninit::<RUsage>::zeroed();
    // SAFETY: valid places for one int and one struct rusage, for which all zeroes is a valid value.
    let (pid, usage) = unsafe {
        let pid = check(wait4(pid, &mut status, WNOHANG, usage.as_mut_ptr()))?;
        (pid, usage.assume_init())
    };
    if pid == 0 {
        return Ok(None);
    }
    let ended = Ended::of_status(status);
    let seconds = |time: [c_long; 2]| time[0] as f64 + time[1] as f64 / 1e6;
    let max_rss = u64::try_from(usage.max_rss).unwrap_or(0).saturating_mul(1024);
    Ok(Some((pid as u32, ended, Usage { user: seconds(usage.user), system: seconds(usage.system), max_rss })))
}

/// The write end of the self-pipe, for the handler.
static SELF_PIPE: AtomicI32 = AtomicI32::new(-1);

extern "C" fn on_signal(signal: c_int) {
    let byte = signal as u8;
    // SAFETY: write(2) is async-signal-safe; the byte lives on this stack. A full pipe loses the byte, not the wake-up.
    // errno may change, which matters only to code interrupted between a call and its errno: std reads it at once.
    unsafe { write(SELF_PIPE.load(Ordering::Relaxed), (&raw const byte).cast(), 1) };
}

/// Signals received as bytes of a pipe, so that a main loop can wait for them together with time and files.
///
/// Handlers, not a mask: exec resets handlers by itself, so a child starts with default dispositions. A signal that was
/// ignored at the start (nohup) stays ignored.
#[derive(Debug)]
pub struct Signals {
    read_end: RawFd,
}

impl Signals {
    /// Catches these signals from now on. Once a process.
    ///
    /// # Errors
    /// Out of file descriptors.
    pub fn catch(signals: &[Signal]) -> io::Result<Signals> {
        const O_NONBLOCK_CLOEXEC: c_int = 0o4000 | 0o2000000;
        let mut fds = [0; 2];
        // SAFETY: two ints for two descriptors.
        check(unsafe { pipe2(fds.as_mut_ptr(), O_NONBLOCK_CLOEXEC) })?;
        SELF_PIPE.store(fds[1], Ordering::Relaxed);
        for signal in signals {
            install(*signal)?;
        }
        Ok(Signals { read_end: fds[0] })
    }

    /// Waits for a signal, at most `limit` (None: for ever). None: time is up, or another wake-up.
    pub fn wait(&self, limit: Option<Duration>) -> Option<Signal> {
        self.wait_or_end(None, limit)
    }

    /// The same, until a process has ended at the latest.
    pub fn wait_or_end(&self, process: Option<&Process>, limit: Option<Duration>) -> Option<Signal> {
        if let Some(signal) = self.take() {
            return Some(signal);
        }
        let ms = limit.map_or(-1, |d| c_int::try_from(d.as_nanos().div_ceil(1_000_000)).unwrap_or(c_int::MAX));
        // A negative descriptor is passed over.
        let other = process.map_or(-1, AsRawFd::as_raw_fd);
        let mut fds = [self.read_end, other].map(|fd| PollFd { fd, events: 1, revents: 0 });
        // SAFETY: two valid pollfds.
        unsafe { poll(fds.as_mut_ptr(), 2, ms) };
        self.take()
    }

    fn take(&self) -> Option<Signal> {
        let mut byte = 0u8;
        // SAFETY: room for the one byte asked for; the descriptor is ours and non-blocking.
        let n = unsafe { read(self.read_end, (&raw mut byte).cast(), 1) };
        (n == 1).then_some(Signal(c_int::from(byte)))
    }
}

impl AsRawFd for Signals {
    fn as_raw_fd(&self) -> RawFd {
        self.read_end
    }
}

/// Stops this process as the terminal's suspend character would by itself, and returns once it is continued. For a
/// program that catches TSTP to put the terminal right before.
pub fn suspend() {
    let default = SigAction { handler: 0, mask: [0; 16], flags: 0, restorer: 0 };
    // SAFETY: a complete struct sigaction with the default action.
    unsafe { sigaction(Signal::TSTP.0, &default, std::ptr::null_mut()) };
    let _ = kill(std::process::id(), Signal::TSTP);
    let _ = install(Signal::TSTP);
}

fn install(signal: Signal) -> io::Result<()> {
    const SIG_IGN: usize = 1;
    const SA_RESTART: c_int = 0x1000_0000;
    let mut old = MaybeUninit::<SigAction>::zeroed();
    // SAFETY: `old` has the size and layout of struct sigaction; all zeroes is a valid value of it.
    let old = unsafe {
        check(sigaction(signal.0, std::ptr::null(), old.as_mut_ptr()))?;
        old.assume_init()
    };
    if old.handler == SIG_IGN && signal != Signal::CHLD {
        return Ok(());
    }
    let new = SigAction { handler: on_signal as *const () as usize, mask: [0; 16], flags: SA_RESTART, restorer: 0 };
    // SAFETY: a complete struct sigaction whose handler only calls write(2).
    check(unsafe { sigaction(signal.0, &new, std::ptr::null_mut()) }).map(drop)
}

/// Waits until a descriptor can be read, at most `limit`. True: it can (or its writers are gone).
pub fn wait_readable(fd: &impl AsRawFd, limit: Duration) -> bool {
    let mut poll_fd = PollFd { fd: fd.as_raw_fd(), events: 1, revents: 0 };
    let ms = c_int::try_from(limit.as_millis()).unwrap_or(c_int::MAX);
    // SAFETY: one valid pollfd.
    unsafe { poll(&mut poll_fd, 1, ms) > 0 }
}

/// Waits until one of several descriptors can be read, at most `limit`; which of them can (or has no writer any more).
pub fn wait_readable_of<const N: usize>(fds: [Option<RawFd>; N], limit: Duration) -> [bool; N] {
    // poll(2) leaves out negative descriptors.
    let mut poll_fds = fds.map(|fd| PollFd { fd: fd.unwrap_or(-1), events: 1, revents: 0 });
    let ms = c_int::try_from(limit.as_millis()).unwrap_or(c_int::MAX);
    // SAFETY: N valid pollfds.
    let n = unsafe { poll(poll_fds.as_mut_ptr(), N as c_ulong, ms) };
    poll_fds.map(|fd| n > 0 && fd.revents != 0)
}

/// Columns and rows of the terminal behind a descriptor, if it is one and says.
pub fn terminal_size(fd: &impl AsRawFd) -> Option<(usize, usize)> {
    const TIOCGWINSZ: c_ulong = 0x5413;
    let mut size = Winsize { rows: 0, cols: 0, x: 0, y: 0 };
    // SAFETY: TIOCGWINSZ fills one struct winsize.
    let rc = unsafe { ioctl(fd.as_raw_fd(), TIOCGWINSZ, &raw mut size) };
    (rc == 0 && size.cols > 0 && size.rows > 0).then_some((size.cols.into(), size.rows.into()))
}

/// Writes out everything on the file system that holds the open file, syncfs(2).
///
/// # Errors
/// A write failed.
pub fn sync_file_system(file: &impl AsRawFd) -> io::Result<()> {
    check(syncfs(file.as_raw_fd())).map(drop)
}

/// A point in local time, by the zone of TZ or /etc/localtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Local {
    pub year: i64,
    pub month: u32,
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
}

/// Local time of seconds since 1970 UTC, localtime_r(3).
pub fn local_time(seconds: i64) -> Option<Local> {
    let mut tm = MaybeUninit::<Tm>::zeroed();
    // SAFETY: a valid time and room for one struct tm; on success it is filled.
    let tm = unsafe {
        if localtime_r(&seconds, tm.as_mut_ptr()).is_null() {
            return None;
        }
        tm.assume_init()
    };
    Some(Local {
        year: i64::from(tm.year) + 1900,
        month: tm.mon as u32 + 1,
        day: tm.mday as u32,
        hour: tm.hour as u32,
        minute: tm.min as u32,
        second: tm.sec as u32,
    })
}

/// Seconds since 1970 UTC of a local time, mktime(3).
pub fn seconds_of(local: Local) -> Option<i64> {
    let mut tm = Tm {
        sec: local.second as c_int,
        min: local.minute as c_int,
        hour: local.hour as c_int,
        mday: local.day as c_int,
        mon: local.month as c_int - 1,
        year: c_int::try_from(local.year - 1900).ok()?,
        wday: 0,
        yday: 0,
        isdst: -1,
        gmtoff: 0,
        zone: std::ptr::null(),
    };
    // SAFETY: a complete struct tm, which mktime may normalise in place.
    let seconds = unsafe { mktime(&mut tm) };
    (seconds != -1 || local.year == 1969).then_some(seconds)
}

/// The real user's number.
pub fn user_id() -> u32 {
    getuid()
}

/// The effective user's number: whose permissions count.
pub fn effective_user_id() -> u32 {
    geteuid()
}

/// The effective group's number: whose files new ones are.
pub fn effective_group_id() -> u32 {
    getegid()
}

/// Sets the file mode creation mask; returns the former one.
pub fn set_umask(mask: u32) -> u32 {
    umask(mask)
}

/// This host's name, reduced to what may stand in a file name (letters, digits, `-`, `.`), at most 60 bytes. Read once: a
/// process has one name.
pub fn host_name() -> String {
    static NAME: OnceLock<String> = OnceLock::new();
    let name = NAME.get_or_init(|| {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let kept = name.trim().chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' });
        let kept: String = kept.take(60).collect();
        let kept = kept.trim_start_matches('.');
        if kept.is_empty() { "localhost".into() } else { kept.into() }
    });
    name.clone()
}

/// Kernel clock ticks per second, the unit of times in /proc/PID/stat.
pub fn clock_ticks() -> u64 {
    const SC_CLK_TCK: c_int = 2;
    u64::try_from(sysconf(SC_CLK_TCK)).unwrap_or(100).max(1)
}

/// Processor time this thread has used, clock_gettime(2).
pub fn thread_time() -> Duration {
    const CLOCK_THREAD_CPUTIME_ID: c_int = 3;
    let mut time = [0; 2];
    // SAFETY: room for one struct timespec, on 64-bit Linux two longs.
    let _ = unsafe { clock_gettime(CLOCK_THREAD_CPUTIME_ID, &mut time) };
    let [seconds, nanoseconds] = time;
    Duration::new(u64::try_from(seconds).unwrap_or(0), u32::try_from(nanoseconds).unwrap_or(0))
}

/// Bytes of a page of memory, the unit of resident sizes in /proc/PID/stat.
pub fn page_size() -> u64 {
    const SC_PAGESIZE: c_int = 30;
    u64::try_from(sysconf(SC_PAGESIZE)).unwrap_or(4096).max(1)
}

/// The name of a signal: "TERM" for 15.
pub fn signal_name(number: i32) -> Option<&'static str> {
    const NAMES: [&str; 31] = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
        "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
        "WINCH", "IO", "PWR", "SYS",
    ];
    NAMES.get(usize::try_from(number).ok()?.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_everybody() {
        assert!(kill(0, Signal::CONT).is_err());
        assert!(kill(1, Signal::CONT).is_err());
        assert!(kill_group(u32::MAX, Signal::CONT).is_err());
        assert!(!group_exists(0));
    }

    #[test]
    fn local_time_round_trip() {
        let local = local_time(1_000_000_000).unwrap();
        assert_eq!(seconds_of(local), Some(1_000_000_000));
    }

    #[test]
    fn time_of_a_thread() {
        let before = thread_time();
        while thread_time() == before {}
        assert!(thread_time() > before && thread_time() < Duration::from_secs(3600));
    }

    #[test]
    fn signals_arrive_as_bytes() {
        let signals = Signals::catch(&[Signal::USR2]).unwrap();
        kill(std::process::id(), Signal::USR2).unwrap();
        assert_eq!(signals.wait(Some(Duration::from_secs(5))), Some(Signal::USR2));
        assert_eq!(signals.wait(Some(Duration::ZERO)), None);
        assert_eq!(signal_name(9), Some("KILL"));
        assert_eq!(signal_name(0), None);
    }
}
