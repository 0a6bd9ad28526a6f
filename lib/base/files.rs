//! Every operation that changes a file system: the one place that knows how a file becomes durable and that a rename may
//! have been done although it failed.
//!
//! A file appears whole or not at all: written under a name readers ignore, fsynced, renamed, and its directory fsynced
//! before anybody is told. With the cargo feature `failpoints` each operation is counted and can be made to fail, or to
//! kill the process, at a chosen count (files/failpoints.rs).

use super::error::{Doing, Error, Result};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

mod draft;
#[cfg(feature = "failpoints")]
mod failpoints;
mod unnamed;

pub use draft::{Draft, Grower, remove_empty, symlink, write_copy};
#[cfg(feature = "failpoints")]
use failpoints::{operation, write_bytes};
pub use unnamed::unnamed;

#[cfg(not(feature = "failpoints"))]
fn operation<T>(_name: &str, _path: &Path, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    act()
}

#[cfg(not(feature = "failpoints"))]
fn write_bytes(_path: &Path, file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)
}

/// open(2) flag: fail on a symbolic link.
#[cfg(any(target_arch = "aarch64", target_arch = "arm"))]
const O_NOFOLLOW: i32 = 0o100000;
#[cfg(not(any(target_arch = "aarch64", target_arch = "arm")))]
const O_NOFOLLOW: i32 = 0o400000;

static GROUP_SHARED: AtomicBool = AtomicBool::new(false);

/// From now on files are 0660 and directories 2770, whatever the umask: for a spool shared by a group.
pub fn share_with_group() {
    GROUP_SHARED.store(true, Ordering::Relaxed);
}

fn shared() -> bool {
    GROUP_SHARED.load(Ordering::Relaxed)
}

fn file_mode() -> u32 {
    if shared() { 0o660 } else { 0o600 }
}

fn adopt_mode(path: &Path, mode: u32) -> io::Result<()> {
    if shared() { std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)) } else { Ok(()) }
}

/// A whole file as text.
///
/// # Errors
/// It cannot be read, or is no UTF-8.
pub fn read_text(path: impl AsRef<Path>) -> Result<String> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).doing("read", path)?;
    String::from_utf8(bytes).map_err(|err| {
        let before = err.as_bytes().get(..err.utf8_error().valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|&&b| b == b'\n').count() + 1;
        Error::data(path, line, "not valid UTF-8")
    })
}

/// Opens a regular file for reading: no symbolic link, and never waiting for the other end of a pipe.
///
/// # Errors
/// It cannot be opened, or is something else.
pub fn open_regular(path: &Path) -> Result<File> {
    open_with(path, O_NOFOLLOW)
}

/// Opens a regular file for reading, through symbolic links, and never waiting for the other end of a pipe.
///
/// # Errors
/// It cannot be opened, or is something else.
pub fn open_foreign(path: &Path) -> Result<File> {
    open_with(path, 0)
}

fn open_with(path: &Path, flags: i32) -> Result<File> {
    const O_NONBLOCK: i32 = 0o4000;
    let open = || {
        let file = OpenOptions::new().read(true).custom_flags(flags | O_NONBLOCK).open(path)?;
        if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("not a regular file")) }
    };
    open().doing("read", path)
}

/// A whole file as text; None when there is none.
///
/// # Errors
/// It cannot be read, or is no UTF-8.
pub fn read_text_if_any(path: impl AsRef<Path>) -> Result<Option<String>> {
    match read_text(path) {
        Ok(text) => Ok(Some(text)),
        Err(err) if err.io().is_some_and(|e| e.kind() == io::ErrorKind::NotFound) => Ok(None),
        Err(err) => Err(err),
    }
}

/// Makes a directory. False: it is there already. Of several who try exactly one gets true, on NFS too.
///
/// # Errors
/// It cannot be made.
pub fn make_dir(path: &Path) -> Result<bool> {
    let mode = if shared() { 0o2770 } else { 0o700 };
    let made = operation("mkdir", path, || {
        DirBuilder::new().mode(mode).create(path)?;
        adopt_mode(path, mode)
    });
    won(made).doing("make the directory", path)
}

/// Creates an empty file. False: it is there already.
///
/// # Errors
/// It cannot be created.
pub fn create_empty(path: &Path) -> Result<bool> {
    won(operation("create", path, || open_new(path).map(drop))).doing("create", path)
}

/// Creates an empty file and makes it durable, but for its directory entry. False: it is there already.
///
/// # Errors
/// It cannot be created or written out.
pub fn create_empty_durable(path: &Path) -> Result<bool> {
    won(operation("create", path, || open_new(path)?.sync_all())).doing("create", path)
}

/// Gives a file a second name. False: it could not be done (the name exists, too many links, no links here).
pub fn link(file: &Path, name: &Path) -> bool {
    operation("link", name, || std::fs::hard_link(file, name)).is_ok()
}

fn won(made: io::Result<()>) -> io::Result<bool> {
    match made {
        Ok(()) => Ok(true),
        Err(err) if err.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(err) => Err(err),
    }
}

fn open_new(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(file_mode()).open(path)?;
    adopt_mode(path, file_mode())?;
    Ok(file)
}

/// Creates a file with these bytes; it must not exist. Visible while being written: for names nobody reads yet.
///
/// # Errors
/// It exists, or cannot be written; then it is gone again.
pub fn write_new(path: &Path, bytes: &[u8], durable: bool) -> Result<()> {
    let mut file = operation("create", path, || open_new(path)).doing("create", path)?;
    let written = write_bytes(path, &mut file, bytes)
        .and_then(|()| if durable { operation("fsync", path, || file.sync_all()) } else { Ok(()) });
    if written.is_err() {
        let _ = std::fs::remove_file(path);
    }
    written.doing("write", path)
}

/// Replaces a file, or creates it, in one step: through a temporary file in `tmp_dir` (of the same file system).
/// Durable: survives a power cut once this has returned.
///
/// # Errors
/// It cannot be written; what was there before still is.
pub fn put(tmp_dir: &Path, path: &Path, bytes: &[u8], durable: bool) -> Result<()> {
    let tmp = write_tmp(tmp_dir, bytes, durable).map_err(|err| naming(err, path))?;
    if let Err(err) = operation("rename", path, || std::fs::rename(&tmp, path)) {
        let _ = std::fs::remove_file(&tmp);
        return Err(err).doing("write", path);
    }
    match path.parent() {
        Some(dir) if durable => sync_dir(dir),
        _ => Ok(()),
    }
}

/// `put` of many files of one directory, durably: one syncfs in place of an fsync a file.
///
/// # Errors
/// One cannot be written. Those before it may be there, whole.
pub fn put_many(tmp_dir: &Path, dir: &Path, files: &[(String, Vec<u8>)]) -> Result<()> {
    let mut written: Vec<PathBuf> = Vec::with_capacity(files.len());
    let mut put = || {
        for (name, bytes) in files {
            written.push(write_tmp(tmp_dir, bytes, false).map_err(|err| naming(err, &dir.join(name)))?);
        }
        sync_file_system(tmp_dir)?;
        for ((name, _), tmp) in files.iter().zip(&written) {
            let path = dir.join(name);
            operation("rename", &path, || std::fs::rename(tmp, &path)).doing("write", &path)?;
        }
        sync_dir(dir)
    };
    let done = put();
    if done.is_err() {
        // What has its name already is not there any more.
        written.iter().for_each(|tmp| drop(std::fs::remove_file(tmp)));
    }
    done
}

/// Writes a new file under a name readers ignore. Another host or container may use the same name: then the next.
fn write_tmp(dir: &Path, bytes: &[u8], durable: bool) -> Result<PathBuf> {
    loop {
        let tmp = tmp_name(dir);
        match write_new(&tmp, bytes, durable) {
            Err(err) if err.io().is_some_and(|e| e.kind() == io::ErrorKind::AlreadyExists) => {}
            written => return written.map(|()| tmp),
        }
    }
}

/// A name for a new file that readers ignore.
fn tmp_name(dir: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    dir.join(format!(".{}.{}.{count}.tmp", super::sys::host_name(), std::process::id()))
}

/// The person asked for `path`: the temporary file's name would tell her nothing.
fn naming(err: Error, path: &Path) -> Error {
    match err {
        Error::Io { err, .. } => Error::Io { doing: "write", path: path.to_path_buf(), err },
        err => err,
    }
}

/// Replaces a file, or creates it, in one step.
///
/// # Errors
/// It cannot be written; what was there before still is.
pub fn write_atomic(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    let path = path.as_ref();
    put(parent(path), path, bytes, false)
}

/// `write_atomic` that survives a power cut once it has returned.
///
/// # Errors
/// It cannot be written; what was there before still is.
pub fn write_durable(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    let path = path.as_ref();
    put(parent(path), path, bytes, true)
}

/// `put` for everybody the umask lets read it, and not durable.
///
/// # Errors
/// It cannot be written; what was there before still is.
pub fn publish(tmp_dir: &Path, path: &Path, bytes: &[u8]) -> Result<()> {
    let tmp = tmp_name(tmp_dir);
    let write = || {
        let mut file = operation("create", path, || OpenOptions::new().write(true).create_new(true).open(&tmp))?;
        write_bytes(path, &mut file, bytes)?;
        operation("rename", path, || std::fs::rename(&tmp, path))
    };
    let written = write();
    if written.is_err() {
        let _ = std::fs::remove_file(&tmp);
    }
    written.doing("write", path)
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Cuts a file off.
///
/// # Errors
/// It cannot be written.
pub fn cut(path: &Path, length: u64) -> Result<()> {
    let cut = || OpenOptions::new().write(true).custom_flags(O_NOFOLLOW).open(path)?.set_len(length);
    operation("cut", path, cut).doing("write", path)
}

/// Opens a file to write over what is in it, or makes it.
fn open_whole(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(file_mode()).custom_flags(O_NOFOLLOW).open(path)
}

/// Overwrites a small file in place, without any promise: for hints and heartbeats.
///
/// # Errors
/// It cannot be written.
pub fn overwrite(path: &Path, bytes: &[u8]) -> Result<()> {
    let written = operation("overwrite", path, || {
        let mut file = open_whole(path)?;
        file.write_all(bytes)?;
        file.set_len(bytes.len() as u64)
    });
    written.doing("write", path)
}

/// Appends whole lines in one write. A last line that was torn by a crash is closed first.
///
/// # Errors
/// It cannot be written.
pub fn append(path: &Path, lines: &str) -> Result<()> {
    let mut file = operation("open", path, || open_append(path)).doing("open", path)?;
    let torn = ends_torn(&mut file).doing("read", path)?;
    let text = if torn { format!("\n{lines}") } else { lines.to_string() };
    write_bytes(path, &mut file, text.as_bytes()).doing("write", path)
}

/// Opens for appending (and reading), creating the file when there is none. Never through a symbolic link.
///
/// # Errors
/// It cannot be opened.
pub fn open_append(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).mode(file_mode()).custom_flags(O_NOFOLLOW).open(path)
}

/// Whether a file's last line lacks its newline.
///
/// # Errors
/// It cannot be read.
pub fn ends_torn(file: &mut File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// What became of a `mv`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// It was done.
    Won,
    /// The source is gone: somebody else has it.
    Lost,
}

/// The one primitive of the spool: renames `from` to `to`, a name never used before.
///
/// On an error the file at `to` is opened (not looked up: on NFS a name never looked up is asked of the server): it is there
/// when the reply was lost but the rename done, rename(2) BUGS.
///
/// # Errors
/// It is unknown whether it was done; neither is assumed.
pub fn mv(from: &Path, to: &Path) -> Result<Moved> {
    let Err(err) = operation("mv", to, || std::fs::rename(from, to)) else { return Ok(Moved::Won) };
    if is_there(to) {
        return Ok(Moved::Won);
    }
    const ESTALE: i32 = 116;
    if err.kind() == io::ErrorKind::NotFound || err.raw_os_error() == Some(ESTALE) {
        return Ok(Moved::Lost);
    }
    // Reading the directory makes NFS ask the server again.
    let _ = std::fs::read_dir(parent(to)).map(Iterator::count);
    if is_there(to) { Ok(Moved::Won) } else { Err(err).doing("rename", from) }
}

fn is_there(path: &Path) -> bool {
    OpenOptions::new().read(true).custom_flags(O_NOFOLLOW).open(path).is_ok()
}

/// Removes a file. False: it was gone.
///
/// # Errors
/// It cannot be removed.
pub fn remove(path: &Path) -> Result<bool> {
    match operation("unlink", path, || std::fs::remove_file(path)) {
        Ok(()) => Ok(true),
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(err) => Err(err).doing("remove", path),
    }
}

/// Removes a directory and all in it.
///
/// # Errors
/// Something cannot be removed.
pub fn remove_tree(path: &Path) -> Result<()> {
    match operation("rmtree", path, || std::fs::remove_dir_all(path)) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done.doing("remove", path),
    }
}

/// Makes what is in a file durable.
///
/// # Errors
/// It cannot be written out.
pub fn sync_file(path: &Path) -> Result<()> {
    operation("fsync", path, || File::open(path)?.sync_all()).doing("write out", path)
}

/// Makes the entries of a directory durable.
///
/// # Errors
/// It cannot be written out.
pub fn sync_dir(path: &Path) -> Result<()> {
    operation("fsync", path, || File::open(path)?.sync_all()).doing("write out", path)
}

/// Makes everything on the file system of a directory durable: one call for thousands of new files.
///
/// # Errors
/// It cannot be written out.
pub fn sync_file_system(path: &Path) -> Result<()> {
    operation("syncfs", path, || super::sys::sync_file_system(&File::open(path)?)).doing("write out", path)
}

/// The names in a directory but for dot files, in no order. Never a stat.
///
/// # Errors
/// It cannot be read.
pub fn names(dir: &Path) -> Result<Vec<std::ffi::OsString>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).doing("read", dir)? {
        let name = entry.doing("read", dir)?.file_name();
        if !name.as_encoded_bytes().starts_with(b".") {
            names.push(name);
        }
    }
    Ok(names)
}

/// The path made absolute and free of `.` and `..`, without asking the file system.
///
/// # Errors
/// The working directory is gone.
pub fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).doing("find", path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dir(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("nn-files-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir(&dir).unwrap();
        dir
    }

    #[test]
    fn a_file_is_replaced_whole() {
        let dir = dir("put");
        write_durable(dir.join("a"), b"one").unwrap();
        write_atomic(dir.join("a"), b"two").unwrap();
        assert_eq!(read_text(dir.join("a")).unwrap(), "two");
        assert_eq!(names(&dir).unwrap().len(), 1);
        put_many(&dir, &dir, &[("b".into(), b"1".to_vec()), ("c".into(), b"2".to_vec())]).unwrap();
        assert_eq!((names(&dir).unwrap().len(), read_text(dir.join("c")).unwrap().as_str()), (3, "2"));
        let mode = std::fs::metadata(dir.join("a")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn one_wins_and_the_torn_line_is_closed() {
        let dir = dir("mv");
        assert!(create_empty(&dir.join("t")).unwrap());
        assert!(!create_empty(&dir.join("t")).unwrap());
        assert_eq!(mv(&dir.join("t"), &dir.join("u")).unwrap(), Moved::Won);
        assert_eq!(mv(&dir.join("t"), &dir.join("v")).unwrap(), Moved::Lost);
        // The reply was lost: the source is gone, the destination there.
        assert_eq!(mv(&dir.join("t"), &dir.join("u")).unwrap(), Moved::Won);
        assert!(mv(&dir.join("u"), &dir.join("no/such")).is_ok_and(|m| m == Moved::Lost));
        std::fs::write(dir.join("log"), "whole\ntorn").unwrap();
        append(&dir.join("log"), "next\n").unwrap();
        assert_eq!(read_text(dir.join("log")).unwrap(), "whole\ntorn\nnext\n");
        std::fs::remove_dir_all(dir).unwrap();
    }
}
