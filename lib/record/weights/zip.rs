//! The directory of a zip file (APPNOTE.TXT, with its 64-bit forms), and the bytes of its entries, stored or deflated.
//!
//! Nothing in it is believed: entries must lie between the beginning and the directory without touching each other,
//! sizes must be what comes out, and what was read to its end must have the checksum that the directory tells.

use super::bytes::Range;
use crate::base::crc32::Crc32;
use crate::base::inflate::Inflate;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// The end record and the longest comment.
const END: u64 = 22 + 65535;
/// Largest directory that is read: some hundred thousand entries.
const LARGEST: u64 = 64 << 20;
/// So many bytes are read rather than passed over, so that the checksum is one of all: the header of an array.
const SKIPPED: u64 = 1 << 16;
/// Deflate cannot make more of a byte than this.
const BEST_RATIO: u64 = 1032;

/// A file in a zip file.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name, folders and all
    pub name: String,
    /// Bytes it has when it is read
    pub size: u64,
    /// Where its bytes are, and how many, as they stand
    pub at: u64,
    /// Bytes as they stand
    pub packed: u64,
    /// They are what they are, not deflated
    pub is_stored: bool,
    crc: u32,
    flags: u16,
    method: u16,
}

/// A zip file.
#[derive(Debug)]
pub struct Zip {
    file: Arc<File>,
    /// What is in it, in the order of its directory
    pub entries: Vec<Entry>,
}

fn le(bytes: &[u8], at: usize, width: usize) -> u64 {
    let field = bytes.get(at..at + width).unwrap_or_default();
    field.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

impl Zip {
    /// Reads the directory of a file of this size.
    ///
    /// # Errors
    /// In words: it is no zip file, it is damaged, or it lies.
    pub fn open(file: Arc<File>, size: u64) -> Result<Zip, String> {
        let read = |at: u64, length: u64| -> Result<Vec<u8>, String> {
            let mut bytes = vec![0; usize::try_from(length).map_err(|_| "too large".to_string())?];
            file.read_exact_at(&mut bytes, at).map_err(|err| crate::base::error::reason(&err)).map(|()| bytes)
        };
        let (start, length, count) = directory(size, &read)?;
        if length > LARGEST {
            return Err(format!("its zip directory is of {length} bytes: at most {LARGEST} are read"));
        }
        let bytes = read(start, length)?;
        let mut entries = Vec::new();
        let mut at = 0;
        for number in 0..count {
            let record = bytes.get(at..).unwrap_or_default();
            let (entry, length) =
                entry(record).map_err(|what| format!("entry {} of the zip directory: {what}", number + 1))?;
            entries.push(entry);
            at += length;
        }
        let mut zip = Zip { file: file.clone(), entries };
        zip.place(start, &read)?;
        Ok(zip)
    }

    /// Finds where the bytes of each entry are, behind its own header, and that no two share any.
    fn place(&mut self, end: u64, read: &dyn Fn(u64, u64) -> Result<Vec<u8>, String>) -> Result<(), String> {
        let mut order: Vec<&mut Entry> = self.entries.iter_mut().collect();
        order.sort_by_key(|entry| entry.at);
        let mut free = 0;
        for entry in order {
            let lies = |what: &str| Err(format!("entry '{}' {what}", entry.name));
            if entry.at < free {
                return lies("overlaps another");
            }
            if entry.at.saturating_add(30) > end {
                return lies("begins beyond the file");
            }
            let header = read(entry.at, 30)?;
            if !header.starts_with(b"PK\x03\x04") {
                return lies("is not where the zip directory says");
            }
            let begin = entry.at + 30 + le(&header, 26, 2) + le(&header, 28, 2);
            free = begin.saturating_add(entry.packed);
            if free > end {
                return lies("reaches beyond the file");
            }
            if entry.is_stored && entry.packed != entry.size {
                return lies("is stored, and of two sizes");
            }
            if entry.size / BEST_RATIO > entry.packed {
                return lies("cannot hold as many bytes as it says");
            }
            entry.at = begin;
        }
        Ok(())
    }

    /// The bytes of an entry.
    ///
    /// # Errors
    /// It is encrypted, or compressed by another way than deflate.
    pub fn read(&self, entry: &Entry) -> Result<Unpacked, String> {
        if entry.flags & 1 != 0 {
            return Err("it is encrypted".into());
        }
        let range = Range::new(self.file.clone(), entry.at, entry.packed);
        let from = match entry.method {
            0 => From::Stored(range),
            8 => From::Deflated(Box::new(Inflate::new(range))),
            other => return Err(format!("compressed by method {other}: only deflate (8) is read")),
        };
        Ok(Unpacked { from, left: entry.size, crc: Some(Crc32::default()), expected: entry.crc })
    }
}

/// Where the directory begins, how long it is, and how many entries it has.
fn directory(size: u64, read: &dyn Fn(u64, u64) -> Result<Vec<u8>, String>) -> Result<(u64, u64, u64), String> {
    let from = size.saturating_sub(END);
    let tail = read(from, size - from)?;
    let is_end = |at: &usize| {
        let record = tail.get(*at..).unwrap_or_default();
        record.starts_with(b"PK\x05\x06") && record.len() as u64 == 22 + le(record, 20, 2)
    };
    let at = (0..tail.len().saturating_sub(21)).rev().find(is_end);
    let at = at.ok_or("the zip directory at its end is missing: it is cut off, or still being written")?;
    let record = tail.get(at..).unwrap_or_default();
    let mut found = (le(record, 16, 4), le(record, 12, 4), le(record, 10, 2));
    let mut end = from + at as u64;
    if found.0 == u64::from(u32::MAX) || found.1 == u64::from(u32::MAX) || found.2 == u64::from(u16::MAX) {
        // The locator of 20 bytes stands right before, and tells where the record with the true numbers is.
        let locator = end.checked_sub(20).map(|at| read(at, 20)).transpose()?.unwrap_or_default();
        if locator.starts_with(b"PK\x06\x07") {
            let at = le(&locator, 8, 8);
            if at.saturating_add(56) > end {
                return Err("the zip directory is said to be beyond the file".into());
            }
            let record = read(at, 56)?;
            if !record.starts_with(b"PK\x06\x06") {
                return Err("the 64-bit record of the zip directory is not where it is said to be".into());
            }
            found = (le(&record, 48, 8), le(&record, 40, 8), le(&record, 32, 8));
            end = at;
        }
    }
    let (start, length, count) = found;
    if start.checked_add(length).is_none_or(|last| last > end) || count > length / 46 {
        return Err("the zip directory is said to be larger than the file".into());
    }
    Ok((start, length, count))
}

/// An entry of the directory, its `at` that of its own header; and how long the record is.
fn entry(record: &[u8]) -> Result<(Entry, usize), String> {
    if !record.starts_with(b"PK\x01\x02") || record.len() < 46 {
        return Err("it is missing".into());
    }
    let (name, extra, comment) = (le(record, 28, 2), le(record, 30, 2), le(record, 32, 2));
    let (name, extra, comment) = (name as usize, extra as usize, comment as usize);
    let Some(bytes) = record.get(46..46 + name) else { return Err("its name is cut off".into()) };
    let mut entry = Entry {
        name: String::from_utf8_lossy(bytes).into_owned(),
        size: le(record, 24, 4),
        packed: le(record, 20, 4),
        at: le(record, 42, 4),
        is_stored: le(record, 10, 2) == 0,
        crc: le(record, 16, 4) as u32,
        flags: le(record, 8, 2) as u16,
        method: le(record, 10, 2) as u16,
    };
    let mut fields = record.get(46 + name..46 + name + extra).unwrap_or_default();
    while fields.len() >= 4 {
        let (id, length) = (le(fields, 0, 2), le(fields, 2, 2) as usize);
        let Some(field) = fields.get(4..4 + length) else { break };
        if id == 1 {
            // The true numbers of those that are all ones, in this order, 4.5.3.
            let numbers = [&mut entry.size, &mut entry.packed, &mut entry.at];
            let wanted = numbers.into_iter().filter(|number| **number == u64::from(u32::MAX));
            for (number, bytes) in wanted.zip(field.chunks_exact(8)) {
                *number = le(bytes, 0, 8);
            }
        }
        fields = fields.get(4 + length..).unwrap_or_default();
    }
    Ok((entry, 46 + name + extra + comment))
}

/// The bytes of an entry, in order.
#[derive(Debug)]
pub struct Unpacked {
    from: From,
    left: u64,
    crc: Option<Crc32>,
    expected: u32,
}

#[derive(Debug)]
enum From {
    Stored(Range),
    Deflated(Box<Inflate<Range>>),
}

impl Unpacked {
    /// Passes over bytes: many at once where they are stored, but then nothing can be checked any more.
    ///
    /// # Errors
    /// It cannot be read, or is damaged.
    pub fn skip(&mut self, mut bytes: u64) -> io::Result<()> {
        if let From::Stored(range) = &mut self.from
            && bytes > SKIPPED
        {
            self.crc = None;
            self.left = self.left.saturating_sub(bytes);
            range.skip(bytes);
            return Ok(());
        }
        let mut buffer = [0; 4096];
        while bytes > 0 {
            let most = usize::try_from(bytes).unwrap_or(usize::MAX).min(buffer.len());
            match self.read(buffer.get_mut(..most).unwrap_or_default())? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => bytes -= n as u64,
            }
        }
        Ok(())
    }
}

impl Read for Unpacked {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        let into = into.get_mut(..most).unwrap_or_default();
        let n = match &mut self.from {
            From::Stored(range) => range.read(into)?,
            From::Deflated(inflate) => inflate.read(into)?,
        };
        if n == 0 && most > 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it holds less than the zip directory says"));
        }
        self.left -= n as u64;
        if let Some(crc) = &mut self.crc {
            crc.bytes(into.get(..n).unwrap_or_default());
            if self.left == 0 && crc.value() != self.expected {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "its checksum is wrong: the file is damaged"));
            }
        }
        Ok(n)
    }
}
