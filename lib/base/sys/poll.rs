//! Waiting for many descriptors at once, poll(2).

use super::{PollFd, poll};
use std::ffi::{c_int, c_ulong};
use std::os::fd::AsRawFd;
use std::time::Duration;

const POLLIN: i16 = 1;
const POLLOUT: i16 = 4;

/// One descriptor that is waited for, and for what.
#[repr(transparent)]
pub struct Watch(PollFd);

impl Watch {
    /// For something to read, for room to write, or both. Its end, or an error on it, wakes either way.
    pub fn new(fd: &impl AsRawFd, read: bool, write: bool) -> Watch {
        let events = if read { POLLIN } else { 0 } | if write { POLLOUT } else { 0 };
        Watch(PollFd { fd: fd.as_raw_fd(), events, revents: 0 })
    }

    /// Whether reading will not block: there is something, the other side is gone, or there is an error to be told.
    pub fn is_readable(&self) -> bool {
        self.0.revents & !POLLOUT != 0
    }

    /// Whether writing will not block.
    pub fn is_writable(&self) -> bool {
        self.0.revents & !POLLIN != 0
    }
}

/// Waits until one of them is ready, at most `limit` (None: for ever).
pub fn wait_for_any(watches: &mut [Watch], limit: Option<Duration>) {
    let ms = limit.map_or(-1, |d| c_int::try_from(d.as_nanos().div_ceil(1_000_000)).unwrap_or(c_int::MAX));
    watches.iter_mut().for_each(|watch| watch.0.revents = 0);
    // SAFETY: Watch is a pollfd, and there are as many as said.
    unsafe { poll(watches.as_mut_ptr().cast(), watches.len() as c_ulong, ms) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    #[test]
    fn what_is_ready() {
        let (mut here, there) = UnixStream::pair().unwrap();
        let mut watches = [Watch::new(&there, true, false), Watch::new(&there, true, true)];
        wait_for_any(&mut watches, Some(Duration::ZERO));
        assert!(!watches[0].is_readable() && !watches[1].is_readable() && watches[1].is_writable());
        here.write_all(b"x").unwrap();
        wait_for_any(&mut watches, None);
        assert!(watches.iter().all(Watch::is_readable) && !watches[0].is_writable());
        drop(here);
        wait_for_any(&mut watches, None);
        assert!(watches[0].is_readable());
    }
}
