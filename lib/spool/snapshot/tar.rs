//! Archives as tar(1) reads them, the GNU form: files and symbolic links, by header of 512 bytes and contents filled up to a
//! multiple of that. Names longer than a header's field come before it in a record of their own. Any bytes may stand in a
//! name but NUL; sizes and times have no limit.
//!
//! The reader trusts nothing: a damaged header, or a path that is absolute or leads upwards, is an error.

use std::io::{self, Read};

/// Bytes of a block.
pub const BLOCK: usize = 512;
/// What ends an archive.
pub const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];
/// Longest name that is believed.
const LONGEST: u64 = 1 << 16;

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file; whether it may be executed
    File(bool),
    /// A symbolic link, and what it says
    Link(Vec<u8>),
}

/// A file or link of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path, relative
    pub path: Vec<u8>,
    /// What it is
    pub kind: Kind,
    /// Bytes that follow the header
    pub size: u64,
    /// When it was changed last, seconds since 1970
    pub mtime: i64,
}

/// The header of an entry, and before it the records of what is too long for it.
pub fn header(entry: &Entry) -> Vec<u8> {
    let mut out = Vec::with_capacity(BLOCK);
    let target: &[u8] = if let Kind::Link(target) = &entry.kind { target } else { &[] };
    for (kind, text) in [(b'K', target), (b'L', entry.path.as_slice())] {
        if text.len() > 100 {
            block(&mut out, b"././@LongLink", kind, &[], text.len() as u64 + 1, 0, 0o644);
            out.extend_from_slice(text);
            out.push(0);
            out.extend_from_slice(padding(text.len() as u64 + 1));
        }
    }
    let (kind, mode) = match entry.kind {
        Kind::File(exec) => (b'0', if exec { 0o755 } else { 0o644 }),
        Kind::Link(_) => (b'2', 0o777),
    };
    block(&mut out, &entry.path, kind, target, entry.size, entry.mtime, mode);
    out
}

/// What fills contents of this size up to a whole block.
pub fn padding(size: u64) -> &'static [u8] {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    if over == 0 { &[] } else { END.get(..BLOCK - over).unwrap_or_default() }
}

fn block(out: &mut Vec<u8>, name: &[u8], kind: u8, target: &[u8], size: u64, mtime: i64, mode: u64) {
    let mut block = [0u8; BLOCK];
    let mut put = |at: usize, bytes: &[u8], most: usize| {
        let field = block.iter_mut().skip(at).take(most);
        field.zip(bytes).for_each(|(to, from)| *to = *from);
    };
    put(0, name, 100);
    put(100, &number(mode, 8), 8);
    put(108, &number(0, 8), 8);
    put(116, &number(0, 8), 8);
    put(124, &number(size, 12), 12);
    put(136, &number(u64::try_from(mtime).unwrap_or(0), 12), 12);
    put(148, b"        ", 8);
    put(156, &[kind], 1);
    put(157, target, 100);
    put(257, b"ustar  ", 8);
    let sum: u64 = block.iter().map(|b| u64::from(*b)).sum();
    let text = format!("{sum:06o}\0 ");
    block.iter_mut().skip(148).zip(text.bytes()).for_each(|(to, from)| *to = from);
    out.extend_from_slice(&block);
}

/// A number as octal digits, or where those have no room as bytes after a set first bit.
fn number(n: u64, width: usize) -> Vec<u8> {
    let digits = width - 1;
    let text = format!("{n:0digits$o}");
    if text.len() <= digits {
        return [text.as_bytes(), &[0]].concat();
    }
    let mut bytes = vec![0; width.saturating_sub(8)];
    bytes.extend_from_slice(&n.to_be_bytes());
    if let Some(first) = bytes.first_mut() {
        *first |= 0x80;
    }
    bytes
}

fn read_number(field: &[u8]) -> Option<u64> {
    if field.first().is_some_and(|b| b & 0x80 != 0) {
        let mut value = field.iter().enumerate().map(|(i, b)| if i == 0 { b & 0x7f } else { *b });
        return value.try_fold(0u64, |all, b| all.checked_mul(256)?.checked_add(u64::from(b)));
    }
    let text = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
}

/// Reads the next header. None: the archive ends here. The contents, filled up to a block, are the caller's to read.
///
/// # Errors
/// It cannot be read, or is no archive of ours.
pub fn next(from: &mut impl Read) -> io::Result<Option<Entry>> {
    let (mut long_path, mut long_target) = (None, None);
    loop {
        let mut block = [0; BLOCK];
        from.read_exact(&mut block)?;
        if block.iter().all(|b| *b == 0) {
            return Ok(None);
        }
        let field = |at: usize, length: usize| block.get(at..at + length).unwrap_or_default();
        let unsummed = block.iter().enumerate().map(|(i, b)| if (148..156).contains(&i) { 32 } else { u64::from(*b) });
        if read_number(field(148, 8)) != Some(unsummed.sum()) {
            return Err(damaged("a header does not add up"));
        }
        let size = read_number(field(124, 12)).ok_or_else(|| damaged("a size is no number"))?;
        let text = |at| field(at, 100).split(|b| *b == 0).next().unwrap_or_default().to_vec();
        let kind = block.get(156).copied().unwrap_or_default();
        match kind {
            b'L' | b'K' => {
                let text = long_text(from, size)?;
                *(if kind == b'L' { &mut long_path } else { &mut long_target }) = Some(text);
            }
            b'0' | b'2' => {
                let path = long_path.take().unwrap_or_else(|| text(0));
                if !is_inside(&path) {
                    return Err(damaged("a path leads out of it"));
                }
                let mtime = read_number(field(136, 12)).and_then(|n| i64::try_from(n).ok()).unwrap_or(0);
                let exec = read_number(field(100, 8)).is_some_and(|mode| mode & 0o100 != 0);
                let (kind, size) = match kind {
                    b'0' => (Kind::File(exec), size),
                    _ => (Kind::Link(long_target.take().unwrap_or_else(|| text(157))), 0),
                };
                return Ok(Some(Entry { path, kind, size, mtime }));
            }
            _ => return Err(damaged("an entry is neither a file nor a link")),
        }
    }
}

fn long_text(from: &mut impl Read, size: u64) -> io::Result<Vec<u8>> {
    if size == 0 || size > LONGEST {
        return Err(damaged("a name is too long"));
    }
    let mut text = Vec::new();
    from.take(size + padding(size).len() as u64).read_to_end(&mut text)?;
    text.truncate(usize::try_from(size - 1).unwrap_or(0));
    Ok(text)
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the archive is damaged: {what}"))
}

/// Whether a path is relative and stays below where it begins.
pub fn is_inside(path: &[u8]) -> bool {
    !path.contains(&0) && path.split(|b| *b == b'/').all(|part| !matches!(part, b"" | b"." | b".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &[u8], size: u64) -> Entry {
        Entry { path: path.to_vec(), kind: Kind::File(true), size, mtime: 1_700_000_000 }
    }

    #[test]
    fn what_is_written_is_read() {
        let long = [b"d/".repeat(90), vec![0xff, b'\n', b' ']].concat();
        let link = Entry { kind: Kind::Link(b"../".repeat(80)), ..file(&long, 0) };
        for entry in [file(b"a", 0), file(&long, 9 << 33), link, Entry { mtime: 1 << 40, ..file(b"x/y", 7) }] {
            let bytes = [header(&entry), END.to_vec()].concat();
            assert_eq!(bytes.len() % BLOCK, 0);
            let mut from = bytes.as_slice();
            assert_eq!(next(&mut from).unwrap(), Some(entry));
            assert_eq!(next(&mut from).unwrap(), None);
        }
    }

    #[test]
    fn tar_reads_it() {
        let dir = std::env::temp_dir().join(format!("nn-tar-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir(&dir).unwrap();
        let long = "e/".repeat(80) + "f";
        let mut bytes = header(&Entry { kind: Kind::File(false), ..file(long.as_bytes(), 3) });
        bytes.extend(b"abc");
        bytes.extend(padding(3));
        bytes.extend(header(&Entry { kind: Kind::Link(b"f".to_vec()), ..file(b"l", 0) }));
        bytes.extend(END);
        std::fs::write(dir.join("t.tar"), bytes).unwrap();
        let tar = std::process::Command::new("tar").args(["-xf", "t.tar"]).current_dir(&dir).status();
        if tar.is_ok_and(|status| status.success()) {
            assert_eq!(std::fs::read(dir.join(long)).unwrap(), b"abc");
            assert_eq!(std::fs::read_link(dir.join("l")).unwrap(), std::path::Path::new("f"));
        }
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn nothing_is_trusted() {
        let read = |bytes: Vec<u8>| next(&mut [bytes, END.to_vec()].concat().as_slice());
        for path in ["/etc/passwd", "../x", "a/../../x", "a//b", "", "."] {
            assert!(read(header(&file(path.as_bytes(), 0))).is_err(), "{path}");
        }
        let mut flipped = header(&file(b"a", 0));
        flipped[0] = b'b';
        assert!(read(flipped).is_err());
        assert!(next(&mut &b"short"[..]).is_err());
        assert!(next(&mut &header(&file(&[b'a'; 200], 0))[..600]).is_err());
    }
}
