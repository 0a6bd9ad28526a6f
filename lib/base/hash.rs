//! A fingerprint that stays the same for ever: SipHash-2-4 with 128 bits (Aumasson, Bernstein), over whatever it is fed.
//!
//! std's hashers may change with each release, and what is named by a fingerprint outlives that. The key is public: it tells
//! different contents apart, it does not resist somebody who wants two of them to collide. Names that nobody shall guess are
//! random, and written in the same digits.

use super::error::{Doing, Result};
use std::io::Read;

/// Takes bytes, and makes 128 bits of them.
#[derive(Clone, Debug)]
pub struct Hasher {
    state: [u64; 4],
    /// Bytes that do not fill a word yet, and how many
    tail: [u8; 8],
    pending: usize,
    length: u64,
}

/// The key of the published test vectors.
const KEY: [u64; 2] = [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908];

impl Default for Hasher {
    fn default() -> Hasher {
        Hasher::new()
    }
}

impl Hasher {
    /// Nothing taken yet.
    pub fn new() -> Hasher {
        let state = [
            KEY[0] ^ 0x736f_6d65_7073_6575,
            KEY[1] ^ 0x646f_7261_6e64_6f6d ^ 0xee,
            KEY[0] ^ 0x6c79_6765_6e65_7261,
            KEY[1] ^ 0x7465_6462_7974_6573,
        ];
        Hasher { state, tail: [0; 8], pending: 0, length: 0 }
    }

    /// Takes bytes. How they are cut into calls makes no difference.
    pub fn bytes(&mut self, mut bytes: &[u8]) {
        self.length = self.length.wrapping_add(bytes.len() as u64);
        while self.pending > 0 || bytes.len() < 8 {
            let Some((&first, rest)) = bytes.split_first() else { return };
            if let Some(place) = self.tail.get_mut(self.pending) {
                *place = first;
            }
            self.pending += 1;
            bytes = rest;
            if self.pending == 8 {
                self.pending = 0;
                self.word(u64::from_le_bytes(self.tail));
            }
        }
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            self.word(u64::from_le_bytes(word.try_into().unwrap_or_default()));
        }
        for (place, byte) in self.tail.iter_mut().zip(words.remainder()) {
            *place = *byte;
        }
        self.pending = words.remainder().len();
    }

    /// Takes a number.
    pub fn number(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    /// Takes a text as a whole: its length comes first, so that `ab` and `c` differ from `a` and `bc`.
    pub fn text(&mut self, text: &[u8]) {
        self.number(text.len() as u64);
        self.bytes(text);
    }

    /// The fingerprint: 32 hexadecimal digits.
    pub fn finish(mut self) -> String {
        let mut last = [0; 8];
        for (place, byte) in last.iter_mut().zip(self.tail.iter().take(self.pending)) {
            *place = *byte;
        }
        last[7] = self.length.to_le_bytes()[0];
        self.word(u64::from_le_bytes(last));
        let mut half = |at: usize, mark: u64| {
            self.state[at] ^= mark;
            for _ in 0..4 {
                round(&mut self.state);
            }
            self.state.iter().fold(0, |all, word| all ^ word)
        };
        let (first, second) = (half(2, 0xee), half(1, 0xdd));
        let bytes = [first.to_le_bytes(), second.to_le_bytes()].concat();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn word(&mut self, word: u64) {
        self.state[3] ^= word;
        round(&mut self.state);
        round(&mut self.state);
        self.state[0] ^= word;
    }
}

fn round([a, b, c, d]: &mut [u64; 4]) {
    *a = a.wrapping_add(*b);
    *b = b.rotate_left(13) ^ *a;
    *a = a.rotate_left(32);
    *c = c.wrapping_add(*d);
    *d = d.rotate_left(16) ^ *c;
    *a = a.wrapping_add(*d);
    *d = d.rotate_left(21) ^ *a;
    *c = c.wrapping_add(*b);
    *b = b.rotate_left(17) ^ *c;
    *c = c.rotate_left(32);
}

/// Whether a text is so many hexadecimal digits, in lower case.
pub fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// So many random bytes, in hexadecimal digits.
///
/// # Errors
/// The system gives none.
pub fn random_hex<const N: usize>() -> Result<String> {
    let (path, mut bytes) = ("/dev/urandom", [0; N]);
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut bytes)).doing("read", path)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> String {
        let mut hasher = Hasher::new();
        hasher.bytes(bytes);
        hasher.finish()
    }

    #[test]
    fn published_vectors() {
        assert_eq!(of(&[]), "a3817f04ba25a8e66df67214c7550293");
        assert_eq!(of(&[0]), "da87c1d86b99af44347659119b22fc45");
        assert_eq!(of(&[0, 1]), "8177228da4a45dc7fca38bdef60affe4");
    }

    #[test]
    fn cuts_make_no_difference_and_lengths_do() {
        let bytes: Vec<u8> = (0..=255).collect();
        for cut in [1, 3, 7, 8, 9, 64, 100] {
            let mut hasher = Hasher::new();
            bytes.chunks(cut).for_each(|chunk| hasher.bytes(chunk));
            assert_eq!(hasher.finish(), of(&bytes), "{cut}");
        }
        let texts = |a: &[u8], b: &[u8]| {
            let mut hasher = Hasher::new();
            hasher.text(a);
            hasher.text(b);
            hasher.finish()
        };
        assert_ne!(texts(b"ab", b"c"), texts(b"a", b"bc"));
    }
}
