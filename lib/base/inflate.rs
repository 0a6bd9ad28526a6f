//! Reads deflated bytes (RFC 1951) as they come: what is kept is the last 32 KiB, which later parts may repeat, and at
//! most as much again that was not taken yet.
//!
//! Codes of up to ten bits are looked up in one table, the longer ones found canonically, length by length. Bytes that
//! are no deflate stream give an `InvalidData` error, and an end too early `UnexpectedEof`; nothing is claimed in
//! advance, so that whoever reads decides how much is too much.

use std::io::{self, Read};

/// Bytes read at once.
const CHUNK: usize = 1 << 16;
/// The last bytes written and those not yet taken: a window of 32 KiB, and room.
const RING: usize = 1 << 17;
/// So much may wait to be taken.
const WAITING: u64 = 1 << 16;
/// Longest code that is looked up at once.
const FAST: u32 = 10;
const LONGEST: usize = 15;

/// Lengths from symbol 257 on, RFC 1951 3.2.5: the least of each, and the extra bits that follow.
#[rustfmt::skip]
const LENGTHS: [(u16, u8); 29] = [
    (3, 0), (4, 0), (5, 0), (6, 0), (7, 0), (8, 0), (9, 0), (10, 0), (11, 1), (13, 1), (15, 1), (17, 1), (19, 2),
    (23, 2), (27, 2), (31, 2), (35, 3), (43, 3), (51, 3), (59, 3), (67, 4), (83, 4), (99, 4), (115, 4), (131, 5),
    (163, 5), (195, 5), (227, 5), (258, 0),
];
/// Distances, in the same way.
#[rustfmt::skip]
const DISTANCES: [(u16, u8); 30] = [
    (1, 0), (2, 0), (3, 0), (4, 0), (5, 1), (7, 1), (9, 2), (13, 2), (17, 3), (25, 3), (33, 4), (49, 4), (65, 5),
    (97, 5), (129, 6), (193, 6), (257, 7), (385, 7), (513, 8), (769, 8), (1025, 9), (1537, 9), (2049, 10), (3073, 10),
    (4097, 11), (6145, 11), (8193, 12), (12289, 12), (16385, 13), (24577, 13),
];
/// In which order the lengths of the code of lengths are given.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// What was deflated, as a reader.
#[derive(Debug)]
pub struct Inflate<R> {
    input: Input<R>,
    ring: Vec<u8>,
    /// Bytes written and taken since the beginning
    written: u64,
    taken: u64,
    state: State,
    is_last: bool,
    symbols: Code,
    distances: Code,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Block,
    Stored(u32),
    Coded,
    End,
}

impl<R: Read> Inflate<R> {
    /// What `input` deflates to.
    pub fn new(input: R) -> Inflate<R> {
        Inflate {
            input: Input { from: input, buffer: vec![0; CHUNK], at: 0, end: 0, bits: 0, count: 0 },
            ring: vec![0; RING],
            written: 0,
            taken: 0,
            state: State::Block,
            is_last: false,
            symbols: Code::default(),
            distances: Code::default(),
        }
    }

    /// Decodes until enough waits to be taken, or the end.
    fn fill(&mut self) -> io::Result<()> {
        while self.written - self.taken < WAITING && self.state != State::End {
            match self.state {
                State::Block => self.block()?,
                State::Stored(left) => self.stored(left)?,
                State::Coded => self.coded()?,
                State::End => {}
            }
        }
        Ok(())
    }

    fn block(&mut self) -> io::Result<()> {
        if self.is_last {
            self.state = State::End;
            return Ok(());
        }
        self.is_last = self.input.take(1)? == 1;
        self.state = match self.input.take(2)? {
            0 => {
                self.input.drop_to_byte();
                let (length, check) = (self.input.take(16)?, self.input.take(16)?);
                if length != !check & 0xffff {
                    return Err(bad("a stored block whose length is not what its check says"));
                }
                State::Stored(length)
            }
            1 => {
                let length = |n| {
                    if n < 144 {
                        8
                    } else if n < 256 {
                        9
                    } else if n < 280 {
                        7
                    } else {
                        8
                    }
                };
                let lengths: Vec<u8> = (0..288).map(length).collect();
                self.symbols = Code::of(&lengths)?;
                self.distances = Code::of(&[5; 32])?;
                State::Coded
            }
            2 => {
                self.codes()?;
                State::Coded
            }
            _ => return Err(bad("a block of a kind that is none")),
        };
        Ok(())
    }

    /// The codes of a block, themselves coded, RFC 1951 3.2.7.
    fn codes(&mut self) -> io::Result<()> {
        let symbols = self.input.take(5)? as usize + 257;
        let distances = self.input.take(5)? as usize + 1;
        let given = self.input.take(4)? as usize + 4;
        let mut lengths = [0; 19];
        for place in ORDER.iter().take(given) {
            lengths[*place] = self.input.take(3)? as u8;
        }
        let code = Code::of(&lengths)?;
        let mut lengths: Vec<u8> = Vec::with_capacity(symbols + distances);
        while lengths.len() < symbols + distances {
            let (length, times) = match self.input.symbol(&code)? {
                16 => {
                    let last =
                        lengths.last().copied().ok_or_else(|| bad("a length is to be repeated before the first"))?;
                    (last, 3 + self.input.take(2)?)
                }
                17 => (0, 3 + self.input.take(3)?),
                18 => (0, 11 + self.input.take(7)?),
                length => (length as u8, 1),
            };
            lengths.extend(std::iter::repeat_n(length, times as usize));
        }
        if lengths.len() > symbols + distances || symbols > 286 || distances > 30 {
            return Err(bad("more codes than there are symbols"));
        }
        let (of_symbols, of_distances) = lengths.split_at(symbols);
        self.symbols = Code::of(of_symbols)?;
        self.distances = Code::of(of_distances)?;
        Ok(())
    }

    fn stored(&mut self, mut left: u32) -> io::Result<()> {
        while left > 0 && self.written - self.taken < WAITING {
            let byte = self.input.take(8)? as u8;
            self.put(byte);
            left -= 1;
        }
        self.state = if left == 0 { State::Block } else { State::Stored(left) };
        Ok(())
    }

    fn coded(&mut self) -> io::Result<()> {
        while self.written - self.taken < WAITING {
            let symbol = self.input.symbol(&self.symbols)?;
            if symbol < 256 {
                self.put(symbol as u8);
                continue;
            }
            if symbol == 256 {
                self.state = State::Block;
                return Ok(());
            }
            let length = LENGTHS.get(usize::from(symbol) - 257).ok_or_else(|| bad("a length that is none"))?;
            let length = u64::from(length.0) + u64::from(self.input.take(length.1.into())?);
            let symbol = self.input.symbol(&self.distances)?;
            let distance = DISTANCES.get(usize::from(symbol)).ok_or_else(|| bad("a distance that is none"))?;
            let distance = u64::from(distance.0) + u64::from(self.input.take(distance.1.into())?);
            if distance > self.written {
                return Err(bad("it repeats what was before its beginning"));
            }
            for _ in 0..length {
                let byte = self.ring[(self.written - distance) as usize & (RING - 1)];
                self.put(byte);
            }
        }
        Ok(())
    }

    fn put(&mut self, byte: u8) {
        self.ring[self.written as usize & (RING - 1)] = byte;
        self.written += 1;
    }
}

impl<R: Read> Read for Inflate<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.written == self.taken {
            self.fill()?;
        }
        let from = self.taken as usize & (RING - 1);
        let waiting = (self.written - self.taken) as usize;
        let n = waiting.min(into.len()).min(RING - from);
        if let (Some(to), Some(from)) = (into.get_mut(..n), self.ring.get(from..from + n)) {
            to.copy_from_slice(from);
        }
        self.taken += n as u64;
        Ok(n)
    }
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the deflated bytes are damaged: {what}"))
}

/// Bits out of bytes, the lowest first.
#[derive(Debug)]
struct Input<R> {
    from: R,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    bits: u64,
    count: u32,
}

impl<R: Read> Input<R> {
    /// As many bits as can be held, or as there are: at least 56 before the end.
    fn refill(&mut self) -> io::Result<()> {
        if let Some(bytes) = self.buffer.get(self.at..self.end).and_then(|rest| rest.first_chunk::<8>()) {
            self.bits |= u64::from_le_bytes(*bytes) << self.count;
            self.at += ((63 - self.count) >> 3) as usize;
            self.count |= 56;
            return Ok(());
        }
        while self.count <= 56 {
            if self.at == self.end {
                self.at = 0;
                self.end = loop {
                    match self.from.read(&mut self.buffer) {
                        Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                        read => break read?,
                    }
                };
                if self.end == 0 {
                    break;
                }
            }
            self.bits |= u64::from(self.buffer[self.at]) << self.count;
            self.at += 1;
            self.count += 8;
        }
        Ok(())
    }

    /// The next bits as a number, at most 16 of them.
    fn take(&mut self, count: u32) -> io::Result<u32> {
        if self.count < count {
            self.refill()?;
        }
        let bits = self.bits as u32 & ((1 << count) - 1);
        self.used(count)?;
        Ok(bits)
    }

    fn used(&mut self, count: u32) -> io::Result<()> {
        if count > self.count {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the deflated bytes end too early"));
        }
        self.bits >>= count;
        self.count -= count;
        Ok(())
    }

    fn drop_to_byte(&mut self) {
        let part = self.count & 7;
        self.bits >>= part;
        self.count -= part;
    }

    /// The next symbol of a code.
    #[inline]
    fn symbol(&mut self, code: &Code) -> io::Result<u16> {
        if self.count < LONGEST as u32 {
            self.refill()?;
        }
        let entry = code.fast[self.bits as usize & ((1 << FAST) - 1)];
        if entry != 0 {
            self.used(u32::from(entry & 15))?;
            return Ok(entry >> 4);
        }
        let (symbol, length) = code.find(self.bits).ok_or_else(|| bad("a code that is none"))?;
        self.used(length)?;
        Ok(symbol)
    }
}

/// A canonical Huffman code.
#[derive(Debug)]
struct Code {
    /// By the next ten bits: symbol and length of a short code, 0 for the others
    fast: [u16; 1 << FAST],
    /// How many codes there are of each length, and their symbols in order
    counts: [u16; LONGEST + 1],
    symbols: Vec<u16>,
}

impl Default for Code {
    fn default() -> Code {
        Code { fast: [0; 1 << FAST], counts: [0; LONGEST + 1], symbols: Vec::new() }
    }
}

impl Code {
    /// The code in which each symbol has a code of this length; 0: it does not occur.
    fn of(lengths: &[u8]) -> io::Result<Code> {
        let mut code = Code::default();
        for length in lengths.iter().filter(|length| **length > 0) {
            code.counts[usize::from(*length) & LONGEST] += 1;
        }
        let mut left: i32 = 1;
        let mut first = [0u32; LONGEST + 2];
        for length in 1..=LONGEST {
            left = left * 2 - i32::from(code.counts[length]);
            first[length + 1] = (first[length] + u32::from(code.counts[length])) << 1;
            if left < 0 {
                return Err(bad("a code with more codes than fit"));
            }
        }
        let used: u16 = code.counts.iter().sum();
        // Incomplete: allowed where there is no more than one code, as for a single distance.
        if left > 0 && used > 1 {
            return Err(bad("a code with codes that mean nothing"));
        }
        for (length, next) in first.iter_mut().enumerate().take(LONGEST + 1).skip(1) {
            for (symbol, _) in lengths.iter().enumerate().filter(|(_, own)| usize::from(**own) == length) {
                code.symbols.push(symbol as u16);
                let bits = *next;
                *next += 1;
                if length <= FAST as usize {
                    let start = bits.reverse_bits() >> (32 - length);
                    let all = (start as usize..1 << FAST).step_by(1 << length);
                    all.for_each(|at| code.fast[at] = (symbol as u16) << 4 | length as u16);
                }
            }
        }
        Ok(code)
    }

    /// The symbol at the beginning of these bits, and the length of its code: length by length.
    fn find(&self, mut bits: u64) -> Option<(u16, u32)> {
        let (mut code, mut first, mut index) = (0u32, 0u32, 0u32);
        for length in 1..=LONGEST {
            code |= bits as u32 & 1;
            bits >>= 1;
            let count = u32::from(self.counts[length]);
            if code < first + count {
                let symbol = self.symbols.get((index + code - first) as usize)?;
                return Some((*symbol, length as u32));
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inflate(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        Inflate::new(bytes).take(1 << 22).read_to_end(&mut out).map(|_| out)
    }

    fn hex(text: &str) -> Vec<u8> {
        text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    #[test]
    fn each_kind_of_block() {
        // Made by zlib: stored, fixed codes, and codes of its own.
        assert_eq!(inflate(&hex("010500faff68656c6c6f")).unwrap(), b"hello");
        assert_eq!(inflate(&hex("4b4c4a4e241d0100")).unwrap(), b"abc".repeat(18));
        let own = "0dccc10900310c03c156d49a2082188c0c67bbffcb6b99cf0e5493f7984ab9758b504882cc1678130cf22b353435b1bdac42\
                   aea143f718d65d0decd451019e598a00bd81f8eacd761e5bc72fdbf903";
        let text = "t eotlhdnaelensehoa eieee enase ahl aiaaroes etotiusuaoo lun edanstn nehuet nnledeo  nttuaea  anui iro \
                    enut  asedn  ausl";
        assert_eq!(inflate(&hex(own)).unwrap(), text.as_bytes());
    }

    #[test]
    fn damage_is_an_error() {
        for (bytes, what) in [
            ("07", "a block of a kind"),
            ("010500faf068656c6c6f", "stored block"),
            ("01", "end too early"),
            ("010500faff6865", "end too early"),
            ("", "end too early"),
        ] {
            let err = inflate(&hex(bytes)).unwrap_err();
            assert!(err.to_string().contains(what), "{bytes}: {err}");
        }
    }
}
