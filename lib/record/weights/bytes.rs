//! The bytes of one tensor as a stream: a part of a file, or an entry of a zip file.

use super::zip::Unpacked;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// A part of a file, read by its own position.
#[derive(Debug)]
pub struct Range {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Range {
    /// So many bytes of a file from `at` on.
    pub fn new(file: Arc<File>, at: u64, length: u64) -> Range {
        Range { file, at, end: at.saturating_add(length) }
    }

    /// Passes over bytes.
    pub fn skip(&mut self, bytes: u64) {
        self.at = self.at.saturating_add(bytes).min(self.end);
    }
}

impl Read for Range {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(into.len());
        let n = self.file.read_at(into.get_mut(..most).unwrap_or_default(), self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

/// Where the bytes of a tensor come from.
#[derive(Debug)]
pub enum Bytes {
    /// A part of a file
    Plain(Range),
    /// An entry of a zip file
    Zipped(Unpacked),
}

impl Bytes {
    /// Fills all of `into`.
    ///
    /// # Errors
    /// It cannot be read, is damaged, or ends before.
    pub fn fill(&mut self, into: &mut [u8]) -> io::Result<()> {
        let filled = match self {
            Bytes::Plain(range) => range.read_exact(into),
            Bytes::Zipped(unpacked) => unpacked.read_exact(into),
        };
        filled.map_err(|err| match err.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::new(io::ErrorKind::UnexpectedEof, "the file ends in it"),
            _ => err,
        })
    }

    /// Passes over bytes.
    ///
    /// # Errors
    /// As `fill`.
    pub fn skip(&mut self, bytes: u64) -> io::Result<()> {
        match self {
            Bytes::Plain(range) => range.skip(bytes),
            Bytes::Zipped(unpacked) => unpacked.skip(bytes)?,
        }
        Ok(())
    }
}
