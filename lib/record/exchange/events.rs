//! The frame of TensorBoard's event files, which is that of TensorFlow's records: the length of the data (eight bytes), the
//! masked CRC-32C of that, the data, the masked CRC-32C of the data; little-endian.
//!
//! A writer that lives, or was killed, leaves a last record that is cut off: it ends the file, and is told. Anything else
//! that does not fit is damage. A length is trusted only for as many bytes as the file has; a record too large to be one
//! of numbers (pictures, a graph) is passed over in pieces.

use crate::base::crc32::Crc32c;
use crate::base::error::{Doing, Error, Result};
use crate::base::files;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

/// The largest record that is looked into, bytes.
const LARGEST: u64 = if cfg!(test) { 1 << 20 } else { 64 << 20 };
/// Bytes read at once of what is passed over.
const PIECE: usize = 1 << 16;

/// The records of a file.
#[derive(Debug)]
pub struct Records {
    path: PathBuf,
    file: BufReader<File>,
    /// Where the next record begins
    at: u64,
    data: Vec<u8>,
    torn: bool,
}

/// What one step of reading finds.
enum Step {
    Data,
    PassedOver,
    End,
}

impl Records {
    /// Opens a file.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(path: &Path) -> Result<Records> {
        let file = BufReader::with_capacity(PIECE, files::open_foreign(path)?);
        Ok(Records { path: path.to_path_buf(), file, at: 0, data: Vec::new(), torn: false })
    }

    /// The data of the next record, and where it stands in the file. None: the end.
    ///
    /// # Errors
    /// The file is damaged, or cannot be read.
    pub fn next(&mut self) -> Result<Option<(&[u8], u64)>> {
        loop {
            let at = self.at + 12;
            match self.step()? {
                Step::Data => return Ok(Some((&self.data, at))),
                Step::PassedOver => {}
                Step::End => return Ok(None),
            }
        }
    }

    /// Whether the file ended with a record that is cut off.
    pub fn is_torn(&self) -> bool {
        self.torn
    }

    fn step(&mut self) -> Result<Step> {
        let Some([a, b, c, d, e, f, g, h, head @ ..]) = self.exactly::<12>()? else { return Ok(Step::End) };
        let length = [a, b, c, d, e, f, g, h];
        if masked(&length) != u32::from_le_bytes(head) {
            return Err(self.damage("the length of a record does not fit its checksum"));
        }
        let length = u64::from_le_bytes(length);
        let is_small = length <= LARGEST;
        let Some(sum) = (if is_small { self.take(length)? } else { self.pass_over(length)? }) else {
            self.torn = true;
            return Ok(Step::End);
        };
        let Some(tail) = self.exactly::<4>()? else {
            self.torn = true;
            return Ok(Step::End);
        };
        if mask(sum) != u32::from_le_bytes(tail) {
            return Err(self.damage("a record does not fit its checksum"));
        }
        self.at = self.at.saturating_add(16).saturating_add(length);
        Ok(if is_small { Step::Data } else { Step::PassedOver })
    }

    fn damage(&self, what: &str) -> Error {
        Error::data(&self.path, 0, format!("byte {}: {what}: the file is damaged", self.at))
    }

    /// So many bytes, if there are any. Fewer are what a writer left.
    fn exactly<const N: usize>(&mut self) -> Result<Option<[u8; N]>> {
        let mut bytes = Vec::with_capacity(N);
        (&mut self.file).take(N as u64).read_to_end(&mut bytes).doing("read", &self.path)?;
        self.torn |= !bytes.is_empty() && bytes.len() < N;
        Ok(bytes.try_into().ok())
    }

    /// Reads data that grows as it comes; its checksum. None: it is cut off.
    fn take(&mut self, length: u64) -> Result<Option<Crc32c>> {
        self.data.clear();
        (&mut self.file).take(length).read_to_end(&mut self.data).doing("read", &self.path)?;
        let mut sum = Crc32c::default();
        sum.bytes(&self.data);
        Ok((self.data.len() as u64 == length).then_some(sum))
    }

    fn pass_over(&mut self, length: u64) -> Result<Option<Crc32c>> {
        let (mut left, mut sum, mut piece) = (length, Crc32c::default(), vec![0; PIECE]);
        while left > 0 {
            let most = usize::try_from(left).map_or(PIECE, |left| left.min(PIECE));
            match self.file.read(piece.get_mut(..most).unwrap_or_default()) {
                Ok(0) => return Ok(None),
                Ok(n) => {
                    sum.bytes(piece.get(..n).unwrap_or_default());
                    left -= n as u64;
                }
                Err(err) if err.kind() == std::io::ErrorKind::Interrupted => {}
                Err(err) => return Err(err).doing("read", &self.path),
            }
        }
        Ok(Some(sum))
    }
}

/// Appends a record.
pub fn put(out: &mut Vec<u8>, data: &[u8]) {
    let length = (data.len() as u64).to_le_bytes();
    out.extend_from_slice(&length);
    out.extend_from_slice(&masked(&length).to_le_bytes());
    out.extend_from_slice(data);
    out.extend_from_slice(&masked(data).to_le_bytes());
}

fn masked(bytes: &[u8]) -> u32 {
    let mut sum = Crc32c::default();
    sum.bytes(bytes);
    mask(sum)
}

/// A checksum that may stand in data of which a checksum is taken.
fn mask(sum: Crc32c) -> u32 {
    sum.value().rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, bytes: &[u8]) -> PathBuf {
        let path = std::env::temp_dir().join(format!("nn-events-{}-{name}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The data of all records, whether the last is torn, and what is wrong.
    fn read(name: &str, bytes: &[u8]) -> (Vec<Vec<u8>>, bool, Option<String>) {
        let path = file(name, bytes);
        let mut records = Records::open(&path).unwrap();
        let (mut found, mut wrong) = (Vec::new(), None);
        loop {
            match records.next() {
                Ok(Some((data, at))) => {
                    assert_eq!(bytes.get(at as usize..at as usize + data.len()), Some(data));
                    found.push(data.to_vec());
                }
                Ok(None) => break,
                Err(err) => {
                    wrong = Some(err.to_string().replace(&path.display().to_string(), "F"));
                    break;
                }
            }
        }
        std::fs::remove_file(path).unwrap();
        (found, records.is_torn(), wrong)
    }

    #[test]
    fn the_frame_of_a_real_file() {
        // The first record of a file that TensorBoard's own writer wrote, but for its time.
        let mut out = Vec::new();
        put(&mut out, b"\x09\x00\x00\x00\x00\x00\x00\x00\x00\x1a\x0dbrain.Event:2");
        assert_eq!(out[..12], [24, 0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22]);
        assert_eq!(read("real", &out).0, [out[12..36].to_vec()]);
    }

    #[test]
    fn cut_anywhere_and_damaged_anywhere() {
        let mut whole = Vec::new();
        put(&mut whole, b"one");
        let first = whole.len();
        put(&mut whole, b"");
        put(&mut whole, b"three");
        let all = vec![b"one".to_vec(), vec![], b"three".to_vec()];
        assert_eq!(read("cut", &whole), (all.clone(), false, None));
        for end in 0..whole.len() {
            let (found, torn, wrong) = read("cut", &whole[..end]);
            assert_eq!(found, all[..found.len()], "{end}");
            let edges = [0, first, first + 16];
            assert_eq!((torn, wrong), (!edges.contains(&end), None), "{end}");
        }
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            let (found, _, wrong) = read("flip", &bytes);
            assert_eq!(found, all[..found.len()], "{at}");
            assert!(wrong.is_some_and(|w| w.starts_with("F: byte ")), "{at}");
        }
    }

    #[test]
    fn lengths_that_lie_and_records_of_pictures() {
        let length = (1u64 << 60).to_le_bytes();
        let lie = [&length[..], &masked(&length).to_le_bytes(), b"short"].concat();
        assert_eq!(read("lie", &lie), (vec![], true, None));
        let length = u64::MAX.to_le_bytes();
        let lie = [&length[..], &masked(&length).to_le_bytes()].concat();
        assert_eq!(read("lie", &lie), (vec![], true, None));
        let mut out = Vec::new();
        put(&mut out, &vec![7; LARGEST as usize + 1]);
        put(&mut out, b"after");
        assert_eq!(read("large", &out), (vec![b"after".to_vec()], false, None));
        let at = out.len() / 2;
        out[at] = 8;
        assert!(read("large", &out).2.unwrap().contains("byte 0: a record does not fit"));
    }
}
