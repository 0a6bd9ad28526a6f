//! A process that is nobody's child here, held by a pidfd: its number cannot be given to another meanwhile, its end wakes
//! poll(2), and a kernel since 6.15 tells how it ended, even when its parent has waited for it. Kernels before 5.3 know no
//! pidfd.

use super::{Ended, check, positive};
use std::ffi::{c_int, c_long, c_ulong};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, RawFd};

unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
    fn ioctl(fd: c_int, request: c_ulong, ...) -> c_int;
}

/// The same number on all architectures.
const SYS_PIDFD_OPEN: c_long = 434;

/// struct pidfd_info, its first version.
#[repr(C)]
#[derive(Default)]
struct PidfdInfo {
    mask: u64,
    cgroup: u64,
    ids: [u32; 11],
    exit_code: i32,
}
const _: () = assert!(size_of::<PidfdInfo>() == 64);

const PIDFD_INFO_EXIT: u64 = 1 << 3;
/// _IOWR(0xff, 11, struct pidfd_info)
const PIDFD_GET_INFO: c_ulong = 3 << 30 | 64 << 16 | 0xff << 8 | 11;

/// A process.
#[derive(Debug)]
pub struct Process {
    fd: File,
}

impl Process {
    /// The process that has this number now.
    ///
    /// # Errors
    /// ESRCH: there is none; ENOSYS: the kernel knows no pidfd.
    pub fn open(pid: u32) -> io::Result<Process> {
        let pid = positive(pid)?;
        if plays_old_kernel() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        // SAFETY: pidfd_open(pid, flags) takes two numbers.
        let fd = unsafe { syscall(SYS_PIDFD_OPEN, pid, 0) };
        let fd = check(c_int::try_from(fd).unwrap_or(-1))?;
        // SAFETY: a new descriptor (close-on-exec, as all pidfds are) that nobody else owns.
        Ok(Process { fd: unsafe { File::from_raw_fd(fd) } })
    }

    /// How it ended, once its parent has waited for it. None: not yet, or the kernel does not tell.
    pub fn ended(&self) -> Option<Ended> {
        let mut info = PidfdInfo { mask: PIDFD_INFO_EXIT, ..PidfdInfo::default() };
        // SAFETY: PIDFD_GET_INFO fills one struct pidfd_info of the size that is part of its number.
        let rc = unsafe { ioctl(self.fd.as_raw_fd(), PIDFD_GET_INFO, &raw mut info) };
        (rc == 0 && info.mask & PIDFD_INFO_EXIT != 0).then(|| Ended::of_status(info.exit_code))
    }
}

/// With failpoints, NN_FAIL_PIDFD plays a kernel that knows no pidfd, and shows nobody how another's child ended.
pub fn plays_old_kernel() -> bool {
    cfg!(feature = "failpoints") && std::env::var_os("NN_FAIL_PIDFD").is_some()
}

impl AsRawFd for Process {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::sys::wait_readable;
    use std::time::Duration;

    #[test]
    fn the_end_of_a_process() {
        let mut command = std::process::Command::new("sh");
        let command = command.args(["-c", "read x; exit 7"]).stdin(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        let Ok(process) = Process::open(child.id()) else {
            // An old kernel.
            drop(child.stdin.take());
            return drop(child.wait());
        };
        assert!(!wait_readable(&process, Duration::ZERO));
        assert_eq!(process.ended(), None);
        drop(child.stdin.take());
        assert!(wait_readable(&process, Duration::from_secs(20)));
        assert_eq!(process.ended(), None, "a zombie has not been waited for");
        child.wait().unwrap();
        assert!(matches!(process.ended(), None | Some(Ended::Code(7))));
        assert!(Process::open(0).is_err());
    }
}
