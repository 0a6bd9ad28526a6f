//! Files that are too long to stand in memory, and copies with the mode and time of what they are copies of.

use super::{
    O_NOFOLLOW, adopt_mode, file_mode, open_new, open_whole, operation, shared, sync_dir, tmp_name, write_bytes,
};
use crate::base::error::{Doing, Result};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Bytes collected before they are written.
const CHUNK: usize = 1 << 20;

/// A file that is being written under a name readers ignore. Dropped before it is published, it is gone.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
    published: bool,
}

impl Draft {
    /// Begins one in `tmp_dir`, of the file system it shall be published in.
    ///
    /// # Errors
    /// It cannot be created.
    pub fn new(tmp_dir: &Path) -> Result<Draft> {
        loop {
            let path = tmp_name(tmp_dir);
            match operation("create", &path, || open_new(&path)) {
                Err(err) if err.kind() == ErrorKind::AlreadyExists => {}
                file => {
                    let file = file.doing("create", &path)?;
                    return Ok(Draft { path, file, buffer: Vec::new(), published: false });
                }
            }
        }
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK { self.write_out() } else { Ok(()) }
    }

    fn write_out(&mut self) -> Result<()> {
        let written = write_bytes(&self.path, &mut self.file, &self.buffer);
        self.buffer.clear();
        written.doing("write", &self.path)
    }

    /// Gives it its name, durably and in one step, in place of what may stand there.
    ///
    /// # Errors
    /// It cannot be written out or renamed.
    pub fn publish(mut self, path: &Path) -> Result<()> {
        if !self.buffer.is_empty() {
            self.write_out()?;
        }
        operation("fsync", &self.path, || self.file.sync_all()).doing("write", path)?;
        operation("rename", path, || std::fs::rename(&self.path, path)).doing("write", path)?;
        self.published = true;
        path.parent().map_or(Ok(()), sync_dir)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.published {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// A file that gets bytes at places that are known: who writes the same bytes once more, or beside another who does, changes
/// nothing.
#[derive(Debug)]
pub struct Grower {
    path: PathBuf,
    file: File,
}

impl Grower {
    /// Opens a file, or makes it, to write from a place on which is not beyond its end. `cut`: what stands there goes first.
    ///
    /// # Errors
    /// It cannot be opened, is a link, or ends before that place.
    pub fn open(path: &Path, at: u64, cut: bool) -> Result<Grower> {
        let open = || {
            let mut file = open_whole(path)?;
            let length = file.metadata()?.len();
            if length < at {
                return Err(io::Error::new(ErrorKind::InvalidData, "it is shorter than it was"));
            }
            if cut {
                file.set_len(at)?;
            }
            file.seek(SeekFrom::Start(at))?;
            Ok(file)
        };
        let file = operation("open", path, open).doing("write", path)?;
        Ok(Grower { path: path.to_path_buf(), file })
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        write_bytes(&self.path, &mut self.file, bytes).doing("write", &self.path)
    }
}

/// Writes a new file with what `fill` gives, as somebody's own copy: executable or not, changed last so many seconds
/// after 1970. It appears whole, under `path`, which must not exist; `aside` is the name it has until then.
///
/// # Errors
/// It cannot be written; then it is not there.
pub fn write_copy(
    aside: &Path,
    path: &Path,
    exec: bool,
    mtime: i64,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<()> {
    let mode = file_mode() | if !exec { 0 } else { 0o100 | if shared() { 0o010 } else { 0 } };
    let written = operation("copy", path, || {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(mode)
            .custom_flags(O_NOFOLLOW)
            .open(aside)?;
        adopt_mode(aside, mode)?;
        fill(&mut file)?;
        file.flush()?;
        let seconds = Duration::from_secs(u64::try_from(mtime).unwrap_or(0));
        if let Some(time) = SystemTime::UNIX_EPOCH.checked_add(seconds) {
            // A time that the file system cannot hold is no reason to stop.
            let _ = file.set_modified(time);
        }
        if aside == path { Ok(()) } else { std::fs::rename(aside, path) }
    });
    if written.is_err() {
        let _ = std::fs::remove_file(aside);
    }
    written.doing("write", path)
}

/// Makes a symbolic link. False: something stands there already.
///
/// # Errors
/// It cannot be made.
pub fn symlink(target: &Path, path: &Path) -> Result<bool> {
    super::won(operation("symlink", path, || std::os::unix::fs::symlink(target, path))).doing("make the link", path)
}

/// Removes a directory if nothing is in it. False: there is something, or it is gone.
///
/// # Errors
/// It cannot be removed.
pub fn remove_empty(path: &Path) -> Result<bool> {
    match operation("rmdir", path, || std::fs::remove_dir(path)) {
        Ok(()) => Ok(true),
        Err(err) if matches!(err.kind(), ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty) => Ok(false),
        Err(err) => Err(err).doing("remove", path),
    }
}
