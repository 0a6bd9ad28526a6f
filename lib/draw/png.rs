//! PNG pictures (ISO 15948) out of RGB pixels.
//!
//! At most 256 colours: a palette, at the fewest bits a pixel that hold it; more: RGB. Rows are written twice, unfiltered
//! and with the filter of the least sum of absolute differences for each row, and the smaller result is kept.
//! Compression is the `deflate` module's, CRC-32 that of the ground floor; Adler-32 is computed here.

mod deflate;

use crate::base::crc32::Crc32;
use std::collections::HashMap;

const SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n'];

/// A PNG file showing `rgb`, three bytes a pixel in rows from the top; missing pixels are black.
/// `comment` is stored as a text chunk (Latin-1; other characters become `?`), for instance which program drew it.
pub fn encode(width: usize, height: usize, rgb: &[u8], comment: &str) -> Vec<u8> {
    let palette = Palette::of(rgb);
    let (depth, kind, rows) = match &palette {
        Some(p) => (p.bits(), 3, p.rows(width, height, rgb)),
        None => (8, 2, rgb.chunks(3 * width.max(1)).take(height).map(<[u8]>::to_vec).collect()),
    };
    let mut file = SIGNATURE.to_vec();
    let mut header = Vec::new();
    header.extend((width as u32).to_be_bytes());
    header.extend((height as u32).to_be_bytes());
    header.extend([depth, kind, 0, 0, 0]);
    chunk(&mut file, *b"IHDR", &header);
    if let Some(p) = &palette {
        chunk(&mut file, *b"PLTE", &p.colors.concat());
    }
    if !comment.is_empty() {
        let mut text = b"Software\0".to_vec();
        text.extend(comment.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')));
        chunk(&mut file, *b"tEXt", &text);
    }
    let plain = zlib(&unfiltered(&rows));
    let data = if kind == 2 {
        let filtered = zlib(&filtered(&rows, 3));
        if filtered.len() < plain.len() { filtered } else { plain }
    } else {
        plain
    };
    chunk(&mut file, *b"IDAT", &data);
    chunk(&mut file, *b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
    file.extend((data.len() as u32).to_be_bytes());
    file.extend(name);
    file.extend(data);
    let mut crc = Crc32::default();
    crc.bytes(&name);
    crc.bytes(data);
    file.extend(crc.value().to_be_bytes());
}

/// The colours of a picture of few colours, in order of their first use.
struct Palette {
    colors: Vec<[u8; 3]>,
    index: HashMap<[u8; 3], u8>,
}

impl Palette {
    fn of(rgb: &[u8]) -> Option<Palette> {
        let mut palette = Palette { colors: Vec::new(), index: HashMap::new() };
        let mut last = None;
        for pixel in rgb.as_chunks::<3>().0 {
            if last == Some(*pixel) {
                continue;
            }
            last = Some(*pixel);
            if !palette.index.contains_key(pixel) {
                palette.index.insert(*pixel, u8::try_from(palette.colors.len()).ok()?);
                palette.colors.push(*pixel);
            }
        }
        if palette.colors.is_empty() {
            palette.colors.push([0; 3]);
        }
        Some(palette)
    }

    fn bits(&self) -> u8 {
        match self.colors.len() {
            0..=2 => 1,
            3..=4 => 2,
            5..=16 => 4,
            _ => 8,
        }
    }

    fn rows(&self, width: usize, height: usize, rgb: &[u8]) -> Vec<Vec<u8>> {
        let bits = self.bits();
        let mut pixels = rgb.as_chunks::<3>().0.iter();
        let mut row = || {
            let mut bytes = vec![0u8; (width * usize::from(bits)).div_ceil(8)];
            for x in 0..width {
                let index = pixels.next().and_then(|p| self.index.get(p)).copied().unwrap_or(0);
                let at = x * usize::from(bits);
                if let Some(byte) = bytes.get_mut(at / 8) {
                    *byte |= index << (8 - usize::from(bits) - at % 8);
                }
            }
            bytes
        };
        (0..height).map(|_| row()).collect()
    }
}

fn unfiltered(rows: &[Vec<u8>]) -> Vec<u8> {
    let mut all = Vec::new();
    for row in rows {
        all.push(0);
        all.extend(row);
    }
    all
}

/// Each row with the filter (0..4) whose bytes, taken as signed, are smallest in sum.
fn filtered(rows: &[Vec<u8>], bytes_a_pixel: usize) -> Vec<u8> {
    let mut all = Vec::new();
    let empty = vec![0u8; rows.first().map_or(0, Vec::len)];
    let mut above = &empty;
    for row in rows {
        let best = (0..5u8)
            .map(|kind| (kind, filter(kind, row, above, bytes_a_pixel)))
            .min_by_key(|(_, bytes)| bytes.iter().map(|b| u64::from((*b as i8).unsigned_abs())).sum::<u64>());
        if let Some((kind, bytes)) = best {
            all.push(kind);
            all.extend(bytes);
        }
        above = row;
    }
    all
}

fn filter(kind: u8, row: &[u8], above: &[u8], bytes_a_pixel: usize) -> Vec<u8> {
    let byte = |line: &[u8], at: Option<usize>| at.and_then(|i| line.get(i)).copied().unwrap_or(0);
    row.iter()
        .enumerate()
        .map(|(i, value)| {
            let left = i.checked_sub(bytes_a_pixel);
            let (a, b, c) = (byte(row, left), byte(above, Some(i)), byte(above, left));
            let guess = match kind {
                1 => a,
                2 => b,
                3 => ((u16::from(a) + u16::from(b)) / 2) as u8,
                4 => paeth(a, b, c),
                _ => 0,
            };
            value.wrapping_sub(guess)
        })
        .collect()
}

fn paeth(a: u8, b: u8, c: u8) -> u8 {
    let [x, y, z] = [a, b, c].map(i16::from);
    let p = x + y - z;
    let (pa, pb, pc) = ((p - x).abs(), (p - y).abs(), (p - z).abs());
    if pa <= pb && pa <= pc {
        a
    } else if pb <= pc {
        b
    } else {
        c
    }
}

/// A zlib stream (RFC 1950) of `data`.
fn zlib(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x9c];
    out.extend(deflate::compress(data));
    out.extend(adler32(data).to_be_bytes());
    out
}

fn adler32(data: &[u8]) -> u32 {
    let (mut a, mut b) = (1u32, 0u32);
    for block in data.chunks(5552) {
        for byte in block {
            a += u32::from(*byte);
            b += a;
        }
        a %= 65521;
        b %= 65521;
    }
    b << 16 | a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standards() {
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    }

    #[test]
    fn few_colours_take_few_bits() {
        let pixels: Vec<u8> = (0..64 * 64).flat_map(|i| if i % 3 == 0 { [255, 0, 0] } else { [1, 2, 3] }).collect();
        let file = encode(64, 64, &pixels, "");
        assert_eq!(&file[..8], &SIGNATURE);
        assert_eq!(&file[24..26], &[1, 3]);
        assert!(file.len() < 200, "{}", file.len());
    }

    #[test]
    fn filtered_rows_are_restored() {
        let rows: Vec<Vec<u8>> = (0..9u32).map(|y| (0..30u32).map(|x| (x * y * 7 + x) as u8).collect()).collect();
        let bytes = filtered(&rows, 3);
        let mut above = vec![0u8; 30];
        for (row, line) in rows.iter().zip(bytes.chunks(31)) {
            let mut back: Vec<u8> = Vec::new();
            for i in 0..30 {
                let (a, b) = (if i < 3 { 0 } else { back[i - 3] }, above[i]);
                let c = if i < 3 { 0 } else { above[i - 3] };
                let guess = [0, a, b, ((u16::from(a) + u16::from(b)) / 2) as u8, paeth(a, b, c)][usize::from(line[0])];
                back.push(line[1 + i].wrapping_add(guess));
            }
            assert_eq!(&back, row);
            above = back;
        }
    }

    #[test]
    fn a_picture_without_pixels_is_still_a_file() {
        assert!(encode(0, 0, &[], "x").ends_with(&0xae42_6082u32.to_be_bytes()));
    }
}
