//! The tensors in a file of weights: .npy, .npz (numpy), .safetensors, and the zip files of PyTorch.
//!
//! `Weights::open` reads what the file says of its tensors; `values` then gives the numbers of one, as a stream of blocks,
//! and no more of a file than that is ever in memory. Files are told by how they begin, not by their names. What a file
//! says is not believed before it is checked: sizes against the file, shapes against sizes, places against each other.
//! Arrays that hold no numbers (text, objects) are left out and named.

mod bytes;
mod change;
mod kind;
mod layout;
mod npy;
mod pickle;
mod safetensors;
mod singular;
mod stats;
mod torch;
mod zip;

pub use change::{Change, change};
pub use kind::Kind;
pub use layout::{Values, show_shape};
pub use singular::largest_singular;
pub use stats::Stats;

use crate::base::error::{Doing, Error, Result, reason};
use crate::base::files;
use bytes::{Bytes, Range};
use layout::Layout;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zip::Zip;

/// One tensor.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// Its name in the file; the file's own, without ending, for a .npy file
    pub name: String,
    /// Sizes of its dimensions
    pub shape: Vec<u64>,
    /// Its numbers
    pub kind: Kind,
    big: bool,
    layout: Layout,
    place: Place,
}

/// Where the first element of a tensor is.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// In the file
    At(u64),
    /// In an entry of the zip file: its number, and bytes before
    In(usize, u64),
}

impl Tensor {
    /// Elements.
    pub fn count(&self) -> u64 {
        self.layout.count
    }

    /// Bytes its numbers take as f64.
    pub fn bytes_as_f64(&self) -> u64 {
        self.count().saturating_mul(8 * self.kind.parts())
    }
}

/// A file of weights.
#[derive(Debug)]
pub struct Weights {
    path: PathBuf,
    file: Arc<File>,
    zip: Option<Zip>,
    /// The tensors in the order of the file
    pub tensors: Vec<Tensor>,
    /// Names of what is left out, and why
    pub others: Vec<(String, String)>,
}

/// How files begin that are known and not read, and what to do.
const UNREAD: [(&[u8], &str); 4] = [
    (
        b"\x89HDF\r\n\x1a\n",
        "HDF5 is not read: save the weights by numpy.savez or safetensors \
         (Keras: numpy.savez(FILE, **{v.path: v.numpy() for v in model.weights}))",
    ),
    (
        b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19",
        "PyTorch's format from before 1.6 is not read: save it again with torch.save of version 1.6 or later",
    ),
    (b"\x1f\x8b", "gzip: unpack it first"),
    (b"\x80", "a pickle is a program, and is not run: save the weights by numpy.savez, torch.save or safetensors"),
];

impl Weights {
    /// Opens a file and reads what tensors it has.
    ///
    /// # Errors
    /// It cannot be read, is damaged, or is of another format.
    pub fn open(path: &Path) -> Result<Weights> {
        let file = files::open_regular(path)?;
        let size = file.metadata().doing("read", path)?.len();
        let mut head = Vec::new();
        (&file).take(512).read_to_end(&mut head).doing("read", path)?;
        let file = Arc::new(file);
        let mut weights =
            Weights { path: path.to_path_buf(), file, zip: None, tensors: Vec::new(), others: Vec::new() };
        let read = match () {
            () if head.is_empty() => Err("it is empty".into()),
            () if head.starts_with(b"\x93NUMPY") => weights.npy(size),
            () if head.starts_with(b"PK") => weights.zip(size),
            () if is_safetensors(&head) => weights.safetensors(size),
            () => Err(match UNREAD.iter().find(|(magic, _)| head.starts_with(magic)) {
                Some((_, what)) => (*what).to_string(),
                None if head.get(257..262) == Some(b"ustar") => "a tar file: unpack it first".into(),
                None => "neither .npy, .npz, .safetensors nor a PyTorch zip file".into(),
            }),
        };
        read.map_err(|what| Error::data(path, 0, what)).map(|()| weights)
    }

    /// The path it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The numbers of a tensor, repeated ones once.
    ///
    /// # Errors
    /// Its entry in the zip file cannot be read.
    pub fn values(&self, tensor: &Tensor) -> Result<Values> {
        let bytes = match (tensor.place, &self.zip) {
            (Place::In(number, before), Some(zip)) => {
                let mut bytes = self.entry(zip, number).map_err(|what| self.wrong(tensor, &what))?;
                bytes.skip(before).map_err(|err| self.wrong(tensor, &reason(&err)))?;
                bytes
            }
            (Place::At(at) | Place::In(_, at), _) => {
                Bytes::Plain(Range::new(self.file.clone(), at, tensor.layout.span.saturating_mul(tensor.kind.size())))
            }
        };
        Ok(Values::new(bytes, tensor.kind, tensor.big, &tensor.layout))
    }

    fn entry(&self, zip: &Zip, number: usize) -> std::result::Result<Bytes, String> {
        let entry = zip.entries.get(number).ok_or("it has no such entry")?;
        zip.read(entry).map(Bytes::Zipped)
    }

    /// What is known of the numbers of a tensor.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn stats(&self, tensor: &Tensor) -> Result<Stats> {
        let mut stats = Stats::default();
        self.each_block(tensor, &mut |block| stats.block(block))?;
        stats.repeat(tensor.layout.repeat);
        Ok(stats)
    }

    /// All numbers of a tensor in the order of the indices, the last the fastest.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn load(&self, tensor: &Tensor) -> Result<Vec<f64>> {
        let mut walked = Vec::new();
        self.each_block(tensor, &mut |block| walked.extend_from_slice(block))?;
        let in_order = tensor.layout.repeat == 1 && tensor.layout.is_in_order_of(&self.dense(tensor)?);
        let parts = tensor.kind.parts() as usize;
        Ok(if in_order { walked } else { tensor.layout.in_order(&walked, parts) })
    }

    fn dense(&self, tensor: &Tensor) -> Result<Layout> {
        Layout::dense(&tensor.shape, false).map_err(|what| self.wrong(tensor, &what))
    }

    fn each_block(&self, tensor: &Tensor, take: &mut dyn FnMut(&[f64])) -> Result<()> {
        let mut values = self.values(tensor)?;
        let mut block = Vec::new();
        while values.next(&mut block).map_err(|err| self.wrong(tensor, &reason(&err)))? {
            take(&block);
        }
        Ok(())
    }

    fn wrong(&self, tensor: &Tensor, what: &str) -> Error {
        Error::data(&self.path, 0, format!("'{}': {what}", tensor.name))
    }

    fn npy(&mut self, size: u64) -> std::result::Result<(), String> {
        let mut range = Range::new(self.file.clone(), 0, size);
        let header = npy::header(&mut range)?;
        let name = self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let place = Place::At(header.length);
        self.array(name, header, size, place)
    }

    /// A numpy array in a file or entry of this size.
    fn array(&mut self, name: String, header: npy::Header, size: u64, place: Place) -> std::result::Result<(), String> {
        let kind = match header.kind {
            Ok(kind) => kind,
            Err(why) => {
                self.others.push((name, why));
                return Ok(());
            }
        };
        let layout = Layout::dense(&header.shape, header.fortran)?;
        let bytes = layout.count.saturating_mul(kind.size());
        let there = size.saturating_sub(header.length);
        if bytes != there {
            let shape = show_shape(&header.shape);
            let what = if bytes < there { "one array a file is read" } else { "it is cut off" };
            return Err(format!("{shape} times {} takes {bytes} bytes, and there are {there}: {what}", kind.name()));
        }
        self.tensors.push(Tensor { name, shape: header.shape, kind, big: header.big, layout, place });
        Ok(())
    }

    fn zip(&mut self, size: u64) -> std::result::Result<(), String> {
        let zip = Zip::open(self.file.clone(), size)?;
        if let Some(prefix) = torch::prefix(&zip) {
            self.tensors = torch::tensors(&zip, &prefix, size)?;
            self.zip = Some(zip);
            return Ok(());
        }
        let ends = |end: &str| zip.entries.iter().find(|entry| entry.name.ends_with(end));
        if let Some(entry) = ends(".h5").filter(|_| ends(".npy").is_none()) {
            return Err(format!("'{}' in it is HDF5, which is not read: {}", entry.name, "save by numpy.savez"));
        }
        for (number, entry) in zip.entries.iter().enumerate() {
            let Some(name) = entry.name.strip_suffix(".npy") else {
                if !entry.name.ends_with('/') {
                    self.others.push((entry.name.clone(), "no .npy file".into()));
                }
                continue;
            };
            let in_entry = |what: String| format!("'{name}': {what}");
            let header = zip.read(entry).and_then(|mut bytes| npy::header(&mut bytes)).map_err(in_entry)?;
            let before = header.length;
            self.array(name.to_string(), header, entry.size, Place::In(number, before)).map_err(in_entry)?;
        }
        let mut names: Vec<&str> = self.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("there are two arrays '{}'", twice[0]));
        }
        self.zip = Some(zip);
        Ok(())
    }

    fn safetensors(&mut self, size: u64) -> std::result::Result<(), String> {
        let mut length = [0; 8];
        self.file.read_exact_at(&mut length, 0).map_err(|err| reason(&err))?;
        let length = u64::from_le_bytes(length);
        if length > safetensors::LONGEST {
            return Err(format!("a header of {length} bytes: at most {} are read", safetensors::LONGEST));
        }
        let behind = (size - 8).checked_sub(length).ok_or("the file ends in its header")?;
        let mut text = vec![0; usize::try_from(length).unwrap_or_default()];
        self.file.read_exact_at(&mut text, 8).map_err(|err| reason(&err))?;
        let text = str::from_utf8(&text).map_err(|_| "the header is not UTF-8")?;
        for member in safetensors::members(text, behind)? {
            let in_member = |what| format!("tensor '{}': {what}", member.name);
            match member.kind {
                Err(why) => self.others.push((member.name, why)),
                Ok(kind) => {
                    let layout = Layout::dense(&member.shape, false).map_err(in_member)?;
                    let place = Place::At(8 + length + member.bytes.0);
                    let (name, shape) = (member.name, member.shape);
                    self.tensors.push(Tensor { name, shape, kind, big: false, layout, place });
                }
            }
        }
        Ok(())
    }
}

/// Eight bytes of length, and the beginning of a JSON object.
fn is_safetensors(head: &[u8]) -> bool {
    head.get(8) == Some(&b'{')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::crc32::Crc32;
    use std::fs;

    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("nn-weights-{name}-{}", std::process::id()))
    }

    /// All layers and their norms, or what is wrong with the file.
    fn read(name: &str, bytes: &[u8]) -> std::result::Result<Vec<(String, f64)>, String> {
        let path = path(name);
        fs::write(&path, bytes).unwrap();
        let read = || -> Result<Vec<(String, f64)>> {
            let weights = Weights::open(&path)?;
            weights.tensors.iter().map(|t| Ok((t.name.clone(), weights.stats(t)?.norm()))).collect()
        };
        let read = read().map_err(|err| err.to_string());
        fs::remove_file(path).unwrap();
        read
    }

    fn npy(shape: &str, numbers: &[f32]) -> Vec<u8> {
        let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}");
        let mut bytes = b"\x93NUMPY\x01\0".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.bytes());
        bytes.extend(numbers.iter().flat_map(|x| x.to_le_bytes()));
        bytes
    }

    /// A zip file of stored entries, and where the record of each is in its directory.
    fn zip(entries: &[(&str, Vec<u8>)]) -> (Vec<u8>, Vec<usize>) {
        let (mut file, mut directory, mut records) = (Vec::new(), Vec::new(), Vec::new());
        for (name, bytes) in entries {
            let mut crc = Crc32::default();
            crc.bytes(bytes);
            let mut fields = crc.value().to_le_bytes().to_vec();
            fields.extend([bytes.len() as u32, bytes.len() as u32].iter().flat_map(|n| n.to_le_bytes()));
            fields.extend((name.len() as u32).to_le_bytes());
            records.push(directory.len());
            directory.extend(b"PK\x01\x02\x14\0\x14\0\0\0\0\0\0\0\0\0");
            directory.extend(&fields);
            directory.extend([0; 10]);
            directory.extend((file.len() as u32).to_le_bytes());
            directory.extend(name.bytes());
            file.extend(b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0");
            file.extend(&fields);
            file.extend(name.bytes().chain(bytes.iter().copied()));
        }
        let start = file.len();
        let count = (entries.len() as u16).to_le_bytes();
        file.extend(&directory);
        file.extend(b"PK\x05\x06\0\0\0\0");
        file.extend(count.iter().chain(&count));
        file.extend([directory.len() as u32, start as u32].iter().flat_map(|n| n.to_le_bytes()));
        file.extend([0, 0]);
        (file, records.iter().map(|record| start + record).collect())
    }

    fn torch(pickle: &[u8]) -> Vec<u8> {
        zip(&[("a/data.pkl", pickle.to_vec()), ("a/data/0", 2f32.to_le_bytes().repeat(4))]).0
    }

    /// {'w': _rebuild_tensor_v2(('storage', FloatStorage, '0', 'cpu', 4), offset, size, stride, …)}
    fn pickled(offset: u8, size: &[u8], stride: &[u8]) -> Vec<u8> {
        let tuple = |numbers: &[u8]| {
            [b"(", numbers.iter().flat_map(|n| [b'K', *n]).collect::<Vec<_>>().as_slice(), b"t"].concat()
        };
        [
            b"\x80\x02}U\x01wctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK\x04tQK",
            &[offset][..],
            &tuple(size),
            &tuple(stride),
            b"\x89NtRs.",
        ]
        .concat()
    }

    #[test]
    fn files_of_each_format() {
        assert_eq!(read("npy", &npy("2,", &[3.0, 4.0])).unwrap()[0].1, 5.0);
        let (file, _) = zip(&[("a.npy", npy("1, 2", &[3.0, 4.0])), ("b/c.npy", npy("", &[-2.0]))]);
        assert_eq!(read("npz", &file).unwrap(), [("a".to_string(), 5.0), ("b/c".to_string(), 2.0)]);
        assert_eq!(read("torch", &torch(&pickled(0, &[2, 2], &[2, 1]))).unwrap(), [("w".to_string(), 4.0)]);
        assert_eq!(read("view", &torch(&pickled(1, &[2], &[2]))).unwrap()[0].1, 8f64.sqrt());
        assert_eq!(read("repeated", &torch(&pickled(3, &[9], &[0]))).unwrap()[0].1, 6.0);
    }

    #[test]
    fn zip_files_that_lie() {
        let entries = [("a.npy", npy("2,", &[3.0, 4.0])), ("b.npy", npy("2,", &[3.0, 4.0]))];
        let (file, records) = zip(&entries);
        let second = records[1];
        let end = file.len() - 22;
        for (at, bytes, what) in [
            (second + 42, &[0, 0, 0, 0][..], "overlaps another"),
            (second + 42, &[file[second + 42] + 1], "not where the zip directory says"),
            (second + 42, &[0, 0, 0, 9], "begins beyond the file"),
            (second + 20, &[255, 255, 0, 0], "reaches beyond the file"),
            (second + 24, &[255, 255, 0, 0], "of two sizes"),
            (second + 10, &[8, 0], "'b'"),
            (second + 10, &[12, 0], "compressed by method 12"),
            (second + 8, &[1, 0], "encrypted"),
            (second + 16, &[1, 2, 3, 4], "checksum is wrong"),
            (second + 46, b"a", "two arrays 'a'"),
            (second, b"X", "entry 2 of the zip directory: it is missing"),
            (end + 10, &[9, 0], "larger than the file"),
            (end + 12, &[255, 255, 255, 0], "larger than the file"),
            (end + 16, &[255, 255, 255, 255], "larger than the file"),
            (end, b"X", "directory at its end is missing"),
        ] {
            let mut lie = file.clone();
            lie[at..at + bytes.len()].copy_from_slice(bytes);
            let err = read("lie", &lie).unwrap_err();
            assert!(err.contains(what), "{what}: {err}");
        }
        // A million million bytes out of twenty.
        let mut bomb = file.clone();
        bomb[second + 10] = 8;
        bomb[second + 24..second + 28].copy_from_slice(&[0, 0, 0, 255]);
        assert!(read("bomb", &bomb).unwrap_err().contains("cannot hold as many bytes"));
    }

    #[test]
    fn tensors_that_lie() {
        for (pickle, what) in [
            (pickled(0, &[5], &[1]), "beyond its storage"),
            (pickled(4, &[1], &[1]), "beyond its storage"),
            (pickled(0, &[2, 2], &[1, 1]), "share bytes"),
            (pickled(0, &[2, 2], &[1]), "do not fit"),
            (b"\x80\x02cos\nsystem\nU\x02id\x85R.".to_vec(), "it names os.system"),
        ] {
            let err = read("tensor", &torch(&pickle)).unwrap_err();
            assert!(err.contains(what), "{what}: {err}");
        }
        let script = zip(&[("a/data.pkl", b".".to_vec()), ("a/constants.pkl", b".".to_vec())]).0;
        assert!(read("script", &script).unwrap_err().contains("TorchScript"));
    }

    /// Whatever byte is whatever else: an answer or an error, no panic and no end of memory.
    #[test]
    fn any_byte_wrong() {
        let tensors = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
        let mut safetensors = (tensors.len() as u64).to_le_bytes().to_vec();
        safetensors.extend(tensors.bytes().chain([0; 8]));
        let files = [
            npy("2,", &[3.0, 4.0]),
            zip(&[("a.npy", npy("1, 2", &[3.0, 4.0]))]).0,
            torch(&pickled(1, &[2], &[2])),
            safetensors,
        ];
        for file in files {
            for at in 0..file.len() {
                for byte in [0, 1, 0x7f, 0x80, 0xff, file[at] ^ 1, file[at].wrapping_add(1)] {
                    let mut wrong = file.clone();
                    wrong[at] = byte;
                    let _ = read("wrong", &wrong);
                }
                let _ = read("cut", &file[..at]);
            }
        }
    }
}
