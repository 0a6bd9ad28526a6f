//! A file without a name: it is gone when its last descriptor is closed, however the process ends. O_TMPFILE, and where
//! the file system does not know that, a new file that is unlinked at once.

use super::{O_NOFOLLOW, operation};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// open(2) flag: a file without a name in the directory. It contains O_DIRECTORY, which differs.
#[cfg(any(target_arch = "aarch64", target_arch = "arm"))]
const O_TMPFILE: i32 = 0o20040000;
#[cfg(not(any(target_arch = "aarch64", target_arch = "arm")))]
const O_TMPFILE: i32 = 0o20200000;

/// A new file on the file system of `dir` that nobody else sees.
///
/// # Errors
/// Nothing can be made there.
pub fn unnamed(dir: &Path) -> io::Result<File> {
    let open = || OpenOptions::new().read(true).write(true).custom_flags(O_TMPFILE).mode(0o600).open(dir);
    match operation("unnamed", dir, open) {
        Err(err) if !matches!(err.kind(), io::ErrorKind::Unsupported | io::ErrorKind::IsADirectory) => Err(err),
        Ok(file) => Ok(file),
        Err(_) => unlinked(dir),
    }
}

fn unlinked(dir: &Path) -> io::Result<File> {
    let path = dir.join(format!(".nn-{}-{}", crate::base::sys::host_name(), std::process::id()));
    let open = || {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .custom_flags(O_NOFOLLOW)
            .mode(0o600)
            .open(&path)?;
        std::fs::remove_file(&path)?;
        Ok(file)
    };
    operation("unnamed", &path, open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_seen() {
        let dir = std::env::temp_dir().join(format!("nn-unnamed-{}", std::process::id()));
        std::fs::create_dir(&dir).unwrap();
        for make in [unnamed, unlinked] {
            let file = make(&dir).unwrap();
            file.set_len(100).unwrap();
            assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 0);
        }
        std::fs::remove_dir(&dir).unwrap();
        assert!(unnamed(&dir).is_err() && unlinked(&dir).is_err());
    }
}
