//! Which mount a path lies on, from /proc/self/mountinfo, proc_pid_mountinfo(5): the one with the longest mount point
//! that the path begins with; of those at the same place the last, which covers the others. Device numbers are no help:
//! btrfs gives each subvolume one of its own.

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// Most of the table that is read, bytes.
const MOST: u64 = 8 << 20;

/// A mounted file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Where it is mounted
    pub point: PathBuf,
    /// What is mounted: a device, `server:/export`, or a word
    pub source: String,
    /// `ext4`, `nfs4`, `lustre`…
    pub kind: String,
    /// Which folder of the file system is mounted there
    pub root: String,
}

/// The mount that holds an absolute path without symbolic links.
pub fn of(path: &Path) -> Option<Mount> {
    all("/proc/self/mountinfo").into_iter().filter(|mount| path.starts_with(&mount.point)).fold(None, longer)
}

fn longer(best: Option<Mount>, mount: Mount) -> Option<Mount> {
    let shorter = |best: &Mount| mount.point.as_os_str().len() < best.point.as_os_str().len();
    if best.as_ref().is_some_and(shorter) { best } else { Some(mount) }
}

/// All mounts, in their order; none when the table cannot be read.
pub fn all(table: impl AsRef<Path>) -> Vec<Mount> {
    let mut bytes = Vec::new();
    if let Ok(file) = std::fs::File::open(table) {
        let _ = file.take(MOST).read_to_end(&mut bytes);
    }
    bytes.split(|b| *b == b'\n').filter_map(parse).collect()
}

/// `31 23 0:28 ROOT POINT options [tags…] - KIND SOURCE options`
fn parse(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|b| *b == b' ');
    let (root, point) = (fields.nth(3)?, fields.next()?);
    fields.find(|field| *field == b"-")?;
    let (kind, source) = (fields.next()?, fields.next()?);
    let text = |field: &[u8]| String::from_utf8_lossy(&unescape(field)).into_owned();
    let point = PathBuf::from(OsString::from_vec(unescape(point)));
    Some(Mount { point, source: text(source), kind: text(kind), root: text(root) })
}

/// Blank, TAB, newline and backslash stand as `\040` and the like.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut left = field;
    while let Some((first, rest)) = left.split_first() {
        let octal = rest.get(..3).filter(|digits| *first == b'\\' && digits.iter().all(|d| (b'0'..b'8').contains(d)));
        let value = octal.map(|digits| digits.iter().fold(0u32, |n, d| n * 8 + u32::from(d - b'0')));
        match value.and_then(|n| u8::try_from(n).ok()) {
            Some(byte) => {
                plain.push(byte);
                left = rest.get(3..).unwrap_or_default();
            }
            None => {
                plain.push(*first);
                left = rest;
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let mount =
            parse(br"36 35 98:0 /mnt1 /mnt\0402 rw,noatime master:1 - ext3 /dev/root rw,errors=continue").unwrap();
        assert_eq!((mount.point.as_path(), mount.root.as_str()), (Path::new("/mnt 2"), "/mnt1"));
        assert_eq!((mount.source.as_str(), mount.kind.as_str()), ("/dev/root", "ext3"));
        for bad in ["", "36 35", "36 35 98:0 / /x rw", "36 35 98:0 / /x rw - ext4", "\\", "\\999 - "] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(unescape(br"a\04\1777\777"), b"a\\04\x7f7\\777");
    }

    #[test]
    fn the_last_of_the_longest_holds_a_path() {
        let mount = |point: &str, source: &str| Mount {
            point: point.into(),
            source: source.into(),
            kind: "x".into(),
            root: "/".into(),
        };
        let best = [mount("/", "a"), mount("/home", "b"), mount("/home", "c"), mount("/", "d")];
        assert_eq!(best.into_iter().fold(None, longer).unwrap().source, "c");
        assert!(of(Path::new("/proc/self")).is_some_and(|m| m.kind == "proc"));
    }
}
