//! Room on file systems: statvfs(3), and fallocate(2) to see what is truly given.

use super::check;
use std::ffi::{CString, c_char, c_int, c_ulong};
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// struct statvfs of 64-bit Linux.
#[repr(C)]
struct StatVfs {
    bsize: c_ulong,
    frsize: c_ulong,
    blocks: u64,
    bfree: u64,
    bavail: u64,
    files: u64,
    ffree: u64,
    favail: u64,
    fsid: c_ulong,
    flag: c_ulong,
    namemax: c_ulong,
    spare: [c_int; 6],
}
const _: () = assert!(size_of::<StatVfs>() == 112);

unsafe extern "C" {
    safe fn fallocate(fd: c_int, mode: c_int, from: i64, length: i64) -> c_int;
    fn statvfs(path: *const c_char, out: *mut StatVfs) -> c_int;
}

/// Room on a file system.
#[derive(Clone, Copy, Debug)]
pub struct Space {
    /// Bytes in all
    pub total: u64,
    /// Bytes free to this user
    pub free: u64,
    /// Inodes in all (0: the file system does not count them)
    pub inodes: u64,
    /// Inodes free to this user
    pub inodes_free: u64,
    /// Nothing can be written there at all
    pub read_only: bool,
}

/// Room on the file system that holds `path`, statvfs(3).
///
/// # Errors
/// The path cannot be reached.
pub fn space(path: &Path) -> io::Result<Space> {
    const ST_RDONLY: c_ulong = 1;
    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut out = MaybeUninit::<StatVfs>::zeroed();
    // SAFETY: a NUL-terminated path and room for one struct statvfs, for which all zeroes is a valid value.
    let out = unsafe {
        check(statvfs(path.as_ptr(), out.as_mut_ptr()))?;
        out.assume_init()
    };
    let unit = out.frsize.max(1);
    Ok(Space {
        total: out.blocks.saturating_mul(unit),
        free: out.bavail.saturating_mul(unit),
        inodes: out.files,
        inodes_free: out.favail,
        read_only: out.flag & ST_RDONLY != 0,
    })
}

/// Has the file system set so many bytes aside for a file, fallocate(2). Unlike posix_fallocate(3) it never writes
/// them one by one where the file system cannot do that.
///
/// # Errors
/// ENOSPC, EDQUOT: there are not so many. EOPNOTSUPP: the file system sets nothing aside. EFBIG, EINTR.
pub fn allocate(file: &File, from: u64, length: u64) -> io::Result<()> {
    let signed = |n: u64| i64::try_from(n).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge));
    check(fallocate(file.as_raw_fd(), 0, signed(from)?, signed(length)?)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_agrees_with_itself() {
        let space = super::space(Path::new("/")).unwrap();
        assert!(space.total >= space.free && space.total > 0);
        assert!(super::space(Path::new("/no/such")).is_err());
        assert!(super::space(Path::new("a\0b")).is_err());
    }
}
