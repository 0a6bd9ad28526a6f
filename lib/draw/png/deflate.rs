//! Deflate (RFC 1951): LZ77 by hash chains with one step of lazy matching, then dynamic Huffman codes, or the fixed ones
//! where they come out smaller, in blocks of at most 32,768 symbols. Code lengths over the limit are brought down by
//! flattening the weights and trying again, which ends because equal weights give a balanced tree.

const WINDOW: usize = 32_768;
const SHORTEST: usize = 3;
const LONGEST: usize = 258;
const CHAIN: usize = 64;
const NONE: u32 = u32::MAX;

const LENGTH_BASE: [u16; 29] =
    [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const LENGTH_EXTRA: [u8; 29] = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASE: [u16; 30] = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
    8193, 12289, 16385, 24577,
];
const DISTANCE_EXTRA: [u8; 30] =
    [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// `data` as a raw deflate stream.
pub fn compress(data: &[u8]) -> Vec<u8> {
    let symbols = lz77(data);
    let mut bits = Bits::default();
    let mut blocks = symbols.chunks(32_768).peekable();
    if blocks.peek().is_none() {
        write_block(&mut bits, &[], true);
    }
    while let Some(block) = blocks.next() {
        write_block(&mut bits, block, blocks.peek().is_none());
    }
    bits.finish()
}

#[derive(Clone, Copy)]
enum Symbol {
    Literal(u8),
    Copy { length: u16, distance: u16 },
}

/// Where earlier bytes like those at a place were seen.
struct Chains {
    head: Vec<u32>,
    previous: Vec<u32>,
}

impl Chains {
    fn slot(data: &[u8], at: usize) -> Option<usize> {
        let bytes = data.get(at..at + SHORTEST)?;
        let key = bytes.iter().fold(0u32, |k, b| k << 8 | u32::from(*b));
        Some((key.wrapping_mul(0x9e37_79b1) >> 17) as usize)
    }

    fn insert(&mut self, data: &[u8], at: usize) {
        if let Some(slot) = Chains::slot(data, at) {
            self.previous[at % WINDOW] = self.head[slot];
            self.head[slot] = at as u32;
        }
    }

    /// The longest earlier match for the bytes at `at`: length and distance.
    fn longest(&self, data: &[u8], at: usize) -> Option<(usize, usize)> {
        let mut candidate = self.head[Chains::slot(data, at)?];
        let limit = LONGEST.min(data.len() - at);
        let mut best: Option<(usize, usize)> = None;
        for _ in 0..CHAIN {
            if candidate == NONE || at - candidate as usize > WINDOW - 1 {
                break;
            }
            let from = candidate as usize;
            let least = best.map_or(SHORTEST - 1, |b| b.0);
            if data.get(from + least) == data.get(at + least) {
                let length = data[from..].iter().zip(&data[at..at + limit]).take_while(|(a, b)| a == b).count();
                if length > least {
                    best = Some((length, at - from));
                    if length == limit {
                        break;
                    }
                }
            }
            let next = self.previous[from % WINDOW];
            if next != NONE && next >= candidate {
                break;
            }
            candidate = next;
        }
        best
    }
}

fn lz77(data: &[u8]) -> Vec<Symbol> {
    let mut chains = Chains { head: vec![NONE; 32_768], previous: vec![NONE; WINDOW] };
    let mut symbols = Vec::new();
    let mut at = 0;
    while let Some(byte) = data.get(at) {
        let here = chains.longest(data, at);
        chains.insert(data, at);
        let Some((length, distance)) = here else {
            symbols.push(Symbol::Literal(*byte));
            at += 1;
            continue;
        };
        let better_next = length < 64 && chains.longest(data, at + 1).is_some_and(|next| next.0 > length);
        if better_next {
            symbols.push(Symbol::Literal(*byte));
            at += 1;
            continue;
        }
        symbols.push(Symbol::Copy { length: length as u16, distance: distance as u16 });
        for passed in at + 1..at + length {
            chains.insert(data, passed);
        }
        at += length;
    }
    symbols
}

/// The code (0..) whose base is the last not above `value`.
fn class(bases: &[u16], value: u16) -> usize {
    bases.partition_point(|base| *base <= value).saturating_sub(1)
}

fn write_block(bits: &mut Bits, symbols: &[Symbol], last: bool) {
    let (mut letters, mut distances) = ([0u32; 286], [0u32; 30]);
    letters[256] = 1;
    for symbol in symbols {
        match *symbol {
            Symbol::Literal(byte) => letters[usize::from(byte)] += 1,
            Symbol::Copy { length, distance } => {
                letters[257 + class(&LENGTH_BASE, length)] += 1;
                distances[class(&DISTANCE_BASE, distance)] += 1;
            }
        }
    }
    let (own_letters, own_distances) = (lengths(&letters, 15), lengths(&distances, 15));
    let header = Header::of(&own_letters, &own_distances);
    let (fixed_letters, fixed_distances) = (fixed_lengths(), vec![5u8; 30]);
    let own_size = header.size() + cost(&letters, &own_letters) + cost(&distances, &own_distances);
    let fixed_size = cost(&letters, &fixed_letters) + cost(&distances, &fixed_distances);
    bits.push(u32::from(last), 1);
    if own_size < fixed_size {
        bits.push(2, 2);
        header.write(bits);
        write_symbols(bits, symbols, &own_letters, &own_distances);
    } else {
        bits.push(1, 2);
        write_symbols(bits, symbols, &fixed_letters, &fixed_distances);
    }
}

fn cost(counts: &[u32], lengths: &[u8]) -> usize {
    counts.iter().zip(lengths).map(|(count, length)| *count as usize * usize::from(*length)).sum()
}

fn fixed_lengths() -> Vec<u8> {
    (0..288)
        .map(|i| {
            if i < 144 {
                8
            } else if i < 256 {
                9
            } else if i < 280 {
                7
            } else {
                8
            }
        })
        .collect()
}

fn write_symbols(bits: &mut Bits, symbols: &[Symbol], letters: &[u8], distances: &[u8]) {
    let (letter_codes, distance_codes) = (codes(letters), codes(distances));
    let letter = |bits: &mut Bits, n: usize| bits.push(letter_codes[n], letters[n]);
    for symbol in symbols {
        match *symbol {
            Symbol::Literal(byte) => letter(bits, usize::from(byte)),
            Symbol::Copy { length, distance } => {
                let n = class(&LENGTH_BASE, length);
                letter(bits, 257 + n);
                bits.push(u32::from(length - LENGTH_BASE[n]), LENGTH_EXTRA[n]);
                let d = class(&DISTANCE_BASE, distance);
                bits.push(distance_codes[d], distances[d]);
                bits.push(u32::from(distance - DISTANCE_BASE[d]), DISTANCE_EXTRA[d]);
            }
        }
    }
    letter(bits, 256);
}

/// The two tables of code lengths as a dynamic block announces them: run-length coded, then Huffman coded.
struct Header {
    letters: usize,
    distances: usize,
    runs: Vec<(usize, u32, u8)>,
    counts: [u32; 19],
    lengths: Vec<u8>,
}

impl Header {
    fn of(letters: &[u8], distances: &[u8]) -> Header {
        let used = |list: &[u8], least: usize| list.iter().rposition(|l| *l > 0).map_or(least, |n| (n + 1).max(least));
        let (n, d) = (used(letters, 257), used(distances, 1));
        let all: Vec<u8> = letters.iter().take(n).chain(distances.iter().take(d)).copied().collect();
        let mut runs = Vec::new();
        let mut rest = all.as_slice();
        while let Some(first) = rest.first().copied() {
            let run = rest.iter().take_while(|l| **l == first).count();
            let taken = match (first, run) {
                (0, 11..) => {
                    let taken = run.min(138);
                    runs.push((18, taken as u32 - 11, 7));
                    taken
                }
                (0, 3..) => {
                    runs.push((17, run as u32 - 3, 3));
                    run
                }
                (_, 4..) => {
                    let taken = (run - 1).min(6);
                    runs.push((usize::from(first), 0, 0));
                    runs.push((16, taken as u32 - 3, 2));
                    taken + 1
                }
                _ => {
                    runs.push((usize::from(first), 0, 0));
                    1
                }
            };
            rest = &rest[taken..];
        }
        let mut counts = [0u32; 19];
        runs.iter().for_each(|run| counts[run.0] += 1);
        let lengths = lengths(&counts, 7);
        Header { letters: n, distances: d, runs, counts, lengths }
    }

    /// How many code length codes are sent: up to the last one used, in the order of the standard.
    fn sent(&self) -> usize {
        ORDER.iter().rposition(|n| self.lengths[*n] > 0).map_or(4, |n| (n + 1).max(4))
    }

    fn size(&self) -> usize {
        let extra: usize = self.runs.iter().map(|run| usize::from(run.2)).sum();
        14 + 3 * self.sent() + cost(&self.counts, &self.lengths) + extra
    }

    fn write(&self, bits: &mut Bits) {
        bits.push(self.letters as u32 - 257, 5);
        bits.push(self.distances as u32 - 1, 5);
        bits.push(self.sent() as u32 - 4, 4);
        for n in ORDER.iter().take(self.sent()) {
            bits.push(u32::from(self.lengths[*n]), 3);
        }
        let codes = codes(&self.lengths);
        for (symbol, extra, extra_bits) in &self.runs {
            bits.push(codes[*symbol], self.lengths[*symbol]);
            bits.push(*extra, *extra_bits);
        }
    }
}

/// Huffman code lengths for symbols counted so often, none over `limit`; 0 for what does not occur. A lone symbol gets
/// length 1 and a second, unused one beside it, for some readers refuse an incomplete code.
fn lengths(counts: &[u32], limit: u8) -> Vec<u8> {
    let mut weights: Vec<u32> = counts.to_vec();
    let mut missing = 2usize.saturating_sub(weights.iter().filter(|w| **w > 0).count());
    for weight in weights.iter_mut().filter(|w| **w == 0) {
        if missing == 0 {
            break;
        }
        *weight = 1;
        missing -= 1;
    }
    loop {
        let lengths = huffman(&weights);
        if lengths.iter().all(|l| *l <= limit) {
            return lengths;
        }
        weights.iter_mut().filter(|w| **w > 0).for_each(|w| *w = *w / 2 + 1);
    }
}

/// Depths of the leaves of the Huffman tree, by the method of two queues.
fn huffman(weights: &[u32]) -> Vec<u8> {
    let mut leaves: Vec<usize> = (0..weights.len()).filter(|n| weights[*n] > 0).collect();
    leaves.sort_by_key(|n| weights[*n]);
    let mut weight: Vec<u64> = leaves.iter().map(|n| u64::from(weights[*n])).collect();
    let count = leaves.len();
    let mut parent = vec![0usize; count];
    let (mut leaf, mut node) = (0, count);
    for _ in 1..count {
        let mut sum = 0;
        for _ in 0..2 {
            let take_leaf = leaf < count && (node >= weight.len() || weight[leaf] <= weight[node]);
            let taken = if take_leaf { &mut leaf } else { &mut node };
            sum += weight[*taken];
            parent[*taken] = weight.len();
            *taken += 1;
        }
        weight.push(sum);
        parent.push(0);
    }
    let mut depth = vec![0u8; parent.len()];
    for n in (0..parent.len().saturating_sub(1)).rev() {
        depth[n] = depth[parent[n]].saturating_add(1);
    }
    let mut lengths = vec![0u8; weights.len()];
    leaves.iter().zip(&depth).for_each(|(symbol, depth)| lengths[*symbol] = *depth);
    lengths
}

/// The canonical codes for these lengths, bits reversed as the stream wants them.
fn codes(lengths: &[u8]) -> Vec<u32> {
    let mut next = [0u32; 17];
    let mut code = 0;
    for (bits, first) in (0..16u8).zip(&mut next).skip(1) {
        let count = lengths.iter().filter(|l| **l == bits).count() as u32;
        *first = code;
        code = (code + count) << 1;
    }
    let one = |length: &u8| {
        let slot = &mut next[usize::from(*length)];
        let value = *slot;
        *slot += 1;
        if *length == 0 { 0 } else { value.reverse_bits() >> (32 - u32::from(*length)) }
    };
    lengths.iter().map(one).collect()
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    held: u64,
    count: u8,
}

impl Bits {
    fn push(&mut self, value: u32, bits: u8) {
        self.held |= u64::from(value) << self.count;
        self.count += bits;
        while self.count >= 8 {
            self.bytes.push(self.held as u8);
            self.held >>= 8;
            self.count -= 8;
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.bytes.push(self.held as u8);
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    /// Reads a deflate stream back, by the standard and bit by bit.
    struct Inflate<'a> {
        data: &'a [u8],
        at: usize,
    }

    impl Inflate<'_> {
        fn bits(&mut self, n: u8) -> usize {
            let bit = |i: usize| usize::from(self.data[i / 8] >> (i % 8) & 1);
            let value = (0..usize::from(n)).map(|i| bit(self.at + i) << i).sum();
            self.at += usize::from(n);
            value
        }

        fn symbol(&mut self, lengths: &[u8]) -> usize {
            let codes = codes(lengths);
            let (mut code, mut length) = (0u32, 0u8);
            loop {
                code |= (self.bits(1) as u32) << length;
                length += 1;
                if let Some(n) = (0..lengths.len()).find(|n| lengths[*n] == length && codes[*n] == code) {
                    return n;
                }
                assert!(length < 16, "no such code");
            }
        }

        fn tables(&mut self) -> (Vec<u8>, Vec<u8>) {
            let (letters, distances, sent) = (self.bits(5) + 257, self.bits(5) + 1, self.bits(4) + 4);
            let mut first = vec![0u8; 19];
            ORDER.iter().take(sent).for_each(|n| first[*n] = self.bits(3) as u8);
            let mut all: Vec<u8> = Vec::new();
            while all.len() < letters + distances {
                let (value, times) = match self.symbol(&first) {
                    16 => (*all.last().unwrap(), 3 + self.bits(2)),
                    17 => (0, 3 + self.bits(3)),
                    18 => (0, 11 + self.bits(7)),
                    n => (n as u8, 1),
                };
                all.extend(std::iter::repeat_n(value, times));
            }
            let tail = all.split_off(letters);
            (all, tail)
        }

        fn all(&mut self) -> Vec<u8> {
            let mut out: Vec<u8> = Vec::new();
            loop {
                let last = self.bits(1) == 1;
                let (letters, distances) =
                    if self.bits(2) == 2 { self.tables() } else { (fixed_lengths(), vec![5u8; 30]) };
                loop {
                    match self.symbol(&letters) {
                        256 => break,
                        byte @ 0..256 => out.push(byte as u8),
                        n => {
                            let length = usize::from(LENGTH_BASE[n - 257]) + self.bits(LENGTH_EXTRA[n - 257]);
                            let d = self.symbol(&distances);
                            let distance = usize::from(DISTANCE_BASE[d]) + self.bits(DISTANCE_EXTRA[d]);
                            (0..length).for_each(|_| out.push(out[out.len() - distance]));
                        }
                    }
                }
                if last {
                    return out;
                }
            }
        }
    }

    fn round_trip(data: &[u8]) -> usize {
        let packed = compress(data);
        assert!(Inflate { data: &packed, at: 0 }.all() == data, "not the same back");
        let mut back = Vec::new();
        crate::base::inflate::Inflate::new(packed.as_slice()).read_to_end(&mut back).unwrap();
        assert!(back == data, "not the same back by the reader of the ground floor");
        packed.len()
    }

    fn noise(n: usize, mask: u8) -> Vec<u8> {
        let mut state = 12345u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8 & mask
        };
        (0..n).map(|_| next()).collect()
    }

    #[test]
    fn what_goes_in_comes_out() {
        assert!(round_trip(b"") < 4);
        assert!(round_trip(b"a") < 5);
        round_trip(b"abcabcabcabcabcabc hello hello");
        assert!(round_trip(&[7; 100_000]) < 200);
        round_trip(&noise(5_000, 255));
        round_trip(&noise(40_000, 3));
        let far: Vec<u8> = [noise(600, 255), vec![0; 32_700], noise(600, 255)].concat();
        round_trip(&far);
    }

    #[test]
    fn no_code_is_longer_than_the_limit() {
        let fibonacci: Vec<u32> =
            std::iter::successors(Some((1u32, 1u32)), |(a, b)| Some((*b, a + b))).map(|p| p.0).take(40).collect();
        for limit in [7, 15] {
            let lengths = lengths(&fibonacci, limit);
            assert!(lengths.iter().all(|l| (1..=limit).contains(l)));
            let kraft: u64 = lengths.iter().map(|l| 1u64 << (limit - l)).sum();
            assert_eq!(kraft, 1 << limit);
        }
    }
}
