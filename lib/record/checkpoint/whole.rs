//! Whether a file is whole, as far as its format tells: a program killed while it writes leaves a beginning.
//!
//! zip (PyTorch, .npz): its directory is at the end. .npy and .safetensors: the header tells the size. HDF5 (Keras): the
//! superblock tells where the file ends. A pickle ends with its stop opcode. Any other file that is not empty counts as
//! whole, and a directory does when it holds files and all of them are.

use crate::base::json::Value;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The end of a zip file: a record of 22 bytes and a comment of at most 65535, APPNOTE.TXT 4.3.16.
const ZIP_END: u64 = 22 + 65535;
/// Longest header of a .safetensors file, as the format's own readers have it.
const LONGEST_HEADER: u64 = 100_000_000;
/// Deepest level of directories and most files looked at in a checkpoint that is a directory.
const DEEPEST: u32 = 4;
const MOST_FILES: u32 = 10_000;

/// Whether a file, or each file in a directory, is whole. What cannot be read is not.
pub fn is_whole(path: &Path) -> bool {
    let mut files = 0;
    all_whole(path, 0, &mut files) && files > 0
}

fn all_whole(path: &Path, depth: u32, files: &mut u32) -> bool {
    let Ok(meta) = std::fs::metadata(path) else { return false };
    if meta.is_file() {
        *files += 1;
        return *files > MOST_FILES || file_is_whole(path, meta.len()).unwrap_or(false);
    }
    let Ok(entries) = std::fs::read_dir(path) else { return false };
    depth < DEEPEST && entries.flatten().all(|entry| all_whole(&entry.path(), depth + 1, files))
}

fn file_is_whole(path: &Path, size: u64) -> io::Result<bool> {
    let file = File::open(path)?;
    let mut head = Vec::new();
    (&file).take(64).read_to_end(&mut head)?;
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    Ok(match () {
        () if size == 0 => false,
        () if head.starts_with(b"PK\x03\x04") => zip(&file, size)?,
        () if head.starts_with(b"\x93NUMPY") => npy(&file, size)?.unwrap_or(true),
        () if head.starts_with(b"\x89HDF\r\n\x1a\n") => hdf5_end(&head).is_none_or(|end| end <= size),
        () if extension == "safetensors" => safetensors(&file, size)?,
        () if matches!(extension, "pkl" | "pickle") && head.starts_with(b"\x80") => {
            let mut last = [0];
            file.read_exact_at(&mut last, size - 1)?;
            last == *b"."
        }
        () => true,
    })
}

/// The end record is there, its comment ends with the file, and the directory it tells of lies before it.
fn zip(file: &File, size: u64) -> io::Result<bool> {
    let from = size.saturating_sub(ZIP_END);
    let mut tail = vec![0; usize::try_from(size - from).unwrap_or(0)];
    file.read_exact_at(&mut tail, from)?;
    let is_end = |at: usize| -> bool {
        let Some(record) = tail.get(at..at + 22) else { return false };
        let number = |i: usize| little_endian(record.get(i..i + 4).unwrap_or_default());
        let comment = little_endian(record.get(20..22).unwrap_or_default());
        let (length, start) = (number(12), number(16));
        // All ones: the true number is in the zip64 record before.
        let fits = start == u64::from(u32::MAX) || start.saturating_add(length) <= from + at as u64;
        record.starts_with(b"PK\x05\x06") && fits && at as u64 + 22 + comment == tail.len() as u64
    };
    Ok((0..tail.len()).rev().any(is_end))
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The size that the header tells, numpy.lib.format. None: objects or records, whose size it does not tell.
fn npy(file: &File, size: u64) -> io::Result<Option<bool>> {
    let mut start = [0; 12];
    file.read_exact_at(&mut start, 0)?;
    let digits = if start[6] == 1 { 2 } else { 4 };
    let begin = 8 + digits as u64;
    let length = little_endian(start.get(8..8 + digits).unwrap_or_default());
    if begin + length > size {
        return Ok(Some(false));
    }
    let mut header = vec![0; usize::try_from(length.min(1 << 20)).unwrap_or(0)];
    file.read_exact_at(&mut header, begin)?;
    let header = String::from_utf8_lossy(&header);
    Ok(npy_bytes(&header).map(|bytes| begin.saturating_add(length).saturating_add(bytes) <= size))
}

/// Bytes of the array by a header such as `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
fn npy_bytes(header: &str) -> Option<u64> {
    let kind = header.split_once("'descr':")?.1.trim_start().strip_prefix('\'')?.split('\'').next()?;
    let kind = kind.trim_start_matches(['<', '>', '|', '=']);
    let letter = kind.chars().next()?;
    let width: u64 = kind.get(letter.len_utf8()..)?.parse().ok()?;
    let item = match letter {
        'b' | 'i' | 'u' | 'f' | 'c' | 'S' | 'V' | 'm' | 'M' => width,
        'U' => width.checked_mul(4)?,
        _ => return None,
    };
    let shape = header.split_once("'shape':")?.1.split_once('(')?.1.split(')').next()?;
    let sides = shape.split(',').map(str::trim).filter(|side| !side.is_empty());
    sides.map(|side| side.parse::<u64>().ok()).try_fold(item, |bytes, side| bytes.checked_mul(side?))
}

/// The end-of-file address in the superblock, HDF5 File Format Specification II.A; its versions with addresses of 8 bytes.
fn hdf5_end(head: &[u8]) -> Option<u64> {
    let at = match (head.get(8)?, head.get(9)?, head.get(13)?) {
        (0 | 1, _, 8) if *head.get(8)? == 0 => 40,
        (0 | 1, _, 8) => 44,
        (2 | 3, 8, _) => 28,
        _ => return None,
    };
    Some(little_endian(head.get(at..at + 8)?))
}

/// The header's length, the header as JSON, and the greatest offset in it.
fn safetensors(file: &File, size: u64) -> io::Result<bool> {
    let mut length = [0; 8];
    file.read_exact_at(&mut length, 0)?;
    let length = u64::from_le_bytes(length);
    if length > LONGEST_HEADER || length.saturating_add(8) > size {
        return Ok(false);
    }
    let mut header = vec![0; usize::try_from(length).unwrap_or(0)];
    file.read_exact_at(&mut header, 8)?;
    let Some(header) = str::from_utf8(&header).ok().and_then(|text| Value::parse(text.trim_end()).ok()) else {
        return Ok(false);
    };
    let end = |tensor: &Value| tensor.list("data_offsets")?.get(1)?.as_int().and_then(|end| u64::try_from(end).ok());
    let ends = header.as_map().unwrap_or_default().iter().filter_map(|(_, tensor)| end(tensor));
    Ok(ends.max().unwrap_or(0).saturating_add(8 + length) <= size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn zip_file() -> Vec<u8> {
        let mut file = b"PK\x03\x04stored bytes of one entry".to_vec();
        let start = file.len() as u32;
        file.extend(b"PK\x01\x02directory");
        let length = file.len() as u32 - start;
        file.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
        file.extend(length.to_le_bytes());
        file.extend(start.to_le_bytes());
        file.extend([0, 0]);
        file
    }

    fn npy_file() -> Vec<u8> {
        let header = format!("{:<117}\n", "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }");
        let mut file = b"\x93NUMPY\x01\0".to_vec();
        file.extend((header.len() as u16).to_le_bytes());
        file.extend(header.as_bytes());
        file.extend([1; 48]);
        file
    }

    fn hdf5_file(version: u8) -> Vec<u8> {
        let mut file = b"\x89HDF\r\n\x1a\n".to_vec();
        file.extend([version, if version == 2 { 8 } else { 0 }, 8, 0, 0, 8, 8, 0]);
        file.resize(200, 0);
        let at = [40, 44, 28][version as usize];
        file[at..at + 8].copy_from_slice(&200u64.to_le_bytes());
        file
    }

    fn safetensors_file() -> Vec<u8> {
        let header = r#"{"__metadata__":{"a":"b"},"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#;
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.as_bytes());
        file.extend([7; 16]);
        file
    }

    #[test]
    fn a_beginning_is_not_the_whole() {
        let dir = std::env::temp_dir().join(format!("nn-whole-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let pickle = b"\x80\x04\x95\0\0\0K\x01.".to_vec();
        let files = [
            ("a.pt", zip_file()),
            ("a.npy", npy_file()),
            ("a.h5", hdf5_file(0)),
            ("b.h5", hdf5_file(1)),
            ("c.h5", hdf5_file(2)),
            ("a.safetensors", safetensors_file()),
            ("a.pkl", pickle),
        ];
        for (name, bytes) in files {
            let path = dir.join(name);
            fs::write(&path, &bytes).unwrap();
            assert!(is_whole(&path), "{name}");
            for length in 0..bytes.len() {
                // The magic number itself must be there to know a format by its content.
                let told = length >= 60 || name.ends_with("safetensors") || name == "a.pkl" || length == 0;
                fs::write(&path, &bytes[..length]).unwrap();
                assert!(!told || !is_whole(&path), "{name}, {length} bytes of {}", bytes.len());
            }
            fs::remove_file(&path).unwrap();
        }
        assert!(!is_whole(&dir), "an empty directory");
        fs::write(dir.join("one"), "1").unwrap();
        assert!(is_whole(&dir));
        fs::write(dir.join("two"), "").unwrap();
        assert!(!is_whole(&dir), "it holds an empty file");
        fs::remove_dir_all(dir).unwrap();
    }
}
