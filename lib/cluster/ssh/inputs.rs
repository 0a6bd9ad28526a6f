//! Files that are sent along: what `--input` names. They get the place there that the host's `work` gives them, and only
//! those go that the host lacks: of another size, or changed at another second. Each replaces in one step what stands at its
//! place, so that who reads that has it whole; nothing is ever removed.
//!
//! An input that is a link counts as what it leads to; a link below one goes as a link.

use crate::base::error::{Doing, Error, Result};
use crate::base::files;
use crate::base::json::{self, Value};
use crate::spool::snapshot::tar::{self, Entry, Kind};
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Bytes read at once.
const PIECE: u64 = 1 << 20;

/// The files and links at and below a path, named from the directory that holds it, in order.
///
/// # Errors
/// Something cannot be read.
pub fn list(input: &Path) -> Result<Vec<Entry>> {
    let name = input.file_name().ok_or_else(|| Error::data(input, 0, "is no input: it has no name"))?;
    let meta = std::fs::metadata(input).doing("read", input)?;
    let mut entries = Vec::new();
    let mut waiting = vec![(PathBuf::from(name), meta)];
    let above = input.parent().unwrap_or(Path::new("/"));
    while let Some((path, meta)) = waiting.pop() {
        let whole = above.join(&path);
        if !meta.is_dir() {
            entries.extend(entry(&path, &whole, &meta)?);
            continue;
        }
        for child in std::fs::read_dir(&whole).doing("read", &whole)? {
            let child = child.doing("read", &whole)?;
            waiting.push((path.join(child.file_name()), child.metadata().doing("read", child.path())?));
        }
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(entries)
}

fn entry(path: &Path, whole: &Path, meta: &Metadata) -> Result<Option<Entry>> {
    let kind = if meta.is_symlink() {
        Kind::Link(std::fs::read_link(whole).doing("read", whole)?.as_os_str().as_bytes().to_vec())
    } else if meta.is_file() {
        Kind::File(meta.mode() & 0o111 != 0)
    } else {
        // A socket or a pipe is nothing that can be sent.
        return Ok(None);
    };
    let size = if meta.is_file() { meta.len() } else { 0 };
    Ok(Some(Entry { path: path.as_os_str().as_bytes().to_vec(), kind, size, mtime: meta.mtime().max(0) }))
}

/// An entry in a question: `[path, size, seconds]` or `[path, target]`.
pub fn to_json(entry: &Entry) -> Value {
    let os = |bytes: &[u8]| json::from_os(OsStr::from_bytes(bytes));
    Value::List(match &entry.kind {
        Kind::File(_) => vec![os(&entry.path), entry.size.into(), entry.mtime.into()],
        Kind::Link(target) => vec![os(&entry.path), os(target)],
    })
}

/// Whether what an entry of a question tells of is not, or not so, below `base`.
pub fn is_lacking(base: &Path, entry: &Value) -> Option<bool> {
    let items = entry.as_list()?;
    let path = json::to_os(items.first()?).filter(|path| tar::is_inside(path.as_bytes()))?;
    let whole = base.join(path);
    Some(match items.get(1..)? {
        [target] => std::fs::read_link(&whole).ok().map(PathBuf::into_os_string) != json::to_os(target),
        [size, mtime] => {
            let (size, mtime) = (u64::try_from(size.as_int()?).ok()?, mtime.as_int()?);
            !std::fs::metadata(&whole).is_ok_and(|m| m.is_file() && m.len() == size && m.mtime() == mtime)
        }
        _ => return None,
    })
}

/// Sends the entries as an archive.
///
/// # Errors
/// A file cannot be read or has changed, which ends the connection; or that broke.
pub fn send(above: &Path, entries: &[Entry], mut to: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut piece = Vec::new();
    for entry in entries {
        to(&tar::header(entry))?;
        let path = above.join(OsStr::from_bytes(&entry.path));
        if matches!(entry.kind, Kind::Link(_)) {
            continue;
        }
        let mut file = File::open(&path).doing("read", &path)?;
        let mut left = entry.size;
        while left > 0 {
            piece.clear();
            let n = (&mut file).take(left.min(PIECE)).read_to_end(&mut piece).doing("read", &path)?;
            if n == 0 {
                return Err(Error::Again(format!("{} changes while it is sent: try again", path.display())));
            }
            to(&piece)?;
            left = left.saturating_sub(n as u64);
        }
        to(tar::padding(entry.size))?;
        let now = std::fs::metadata(&path).doing("read", &path)?;
        if now.len() != entry.size || now.mtime().max(0) != entry.mtime {
            return Err(Error::Again(format!("{} changed while it was sent: try again", path.display())));
        }
    }
    to(&tar::END)
}

/// Receives what `send` sends, into `base`. What goes wrong with one file is told at the end: the archive is read to its
/// end in any case.
///
/// # Errors
/// The archive is damaged or cut off; or a file could not be written.
pub fn receive(base: &Path, from: &mut impl Read) -> Result<()> {
    let mut wrong = None;
    while let Some(entry) = tar::next(from).doing("read", "what was sent")? {
        let whole = entry.size + tar::padding(entry.size).len() as u64;
        let mut body = from.take(whole);
        if wrong.is_none() {
            wrong = write(base, &entry, &mut body).err();
        }
        let rest = body.limit();
        let skipped = std::io::copy(&mut body, &mut std::io::sink()).doing("read", "what was sent")?;
        if skipped < rest {
            return Err(Error::Again("what was sent ends in the middle".into()));
        }
    }
    let mut rest = [0; tar::BLOCK];
    from.read_exact(&mut rest).doing("read", "what was sent")?;
    wrong.map_or(Ok(()), Err)
}

fn write(base: &Path, entry: &Entry, body: &mut impl Read) -> Result<()> {
    let path = base.join(OsStr::from_bytes(&entry.path));
    let dir = path.parent().unwrap_or(base);
    std::fs::create_dir_all(dir).doing("make the directory", dir)?;
    let aside =
        dir.join(format!(".nn-{}.{}", std::process::id(), path.file_name().unwrap_or_default().to_string_lossy()));
    match &entry.kind {
        Kind::Link(target) => {
            files::symlink(Path::new(OsStr::from_bytes(target)), &aside)?;
            std::fs::rename(&aside, &path).doing("write", &path)
        }
        Kind::File(exec) => files::write_copy(&aside, &path, *exec, entry.mtime, |file| {
            match std::io::copy(&mut body.take(entry.size), file)? == entry.size {
                true => Ok(()),
                false => Err(std::io::ErrorKind::UnexpectedEof.into()),
            }
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_lacking_goes() {
        let dir = std::env::temp_dir().join(format!("nn-inputs-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let (here, there) = (dir.join("here"), dir.join("there"));
        std::fs::create_dir_all(here.join("data/deep")).unwrap();
        std::fs::write(here.join("data/a"), "aaa").unwrap();
        std::fs::write(here.join("data/deep/b"), "bb").unwrap();
        std::os::unix::fs::symlink("a", here.join("data/link")).unwrap();
        let entries = list(&here.join("data")).unwrap();
        let names: Vec<String> = entries.iter().map(|e| String::from_utf8_lossy(&e.path).into_owned()).collect();
        assert_eq!(names, ["data/a", "data/deep/b", "data/link"]);
        let lacking = || entries.iter().map(|e| is_lacking(&there, &to_json(e)).unwrap()).collect::<Vec<_>>();
        assert_eq!(lacking(), [true; 3]);
        let mut archive = Vec::new();
        send(&here, &entries, |bytes| {
            archive.extend_from_slice(bytes);
            Ok(())
        })
        .unwrap();
        receive(&there, &mut archive.as_slice()).unwrap();
        assert_eq!(lacking(), [false; 3]);
        assert_eq!(std::fs::read(there.join("data/link")).unwrap(), b"aaa");
        std::fs::write(there.join("data/a"), "changed").unwrap();
        assert_eq!(lacking(), [true, false, false]);
        assert!(receive(&there, &mut &archive[..700]).is_err());
        // A place that cannot be written is told once all is read.
        std::fs::write(dir.join("file"), "").unwrap();
        assert!(receive(&dir.join("file"), &mut archive.as_slice()).is_err());
        let hostile = Value::parse(r#"["../x",1,1]"#).unwrap();
        assert_eq!(is_lacking(&there, &hostile), None);
        std::fs::remove_dir_all(dir).unwrap();
    }
}
