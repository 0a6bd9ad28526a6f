//! Checksums of 32 bits, by their reflected polynomials: CRC-32 as zip, gzip and PNG have it (ISO 3309), and CRC-32C
//! (Castagnoli, RFC 3720) as files of events have it. Sixteen bytes a step: a table for each place a byte can have in a
//! step, so that the look-ups of one step do not wait for each other.

const STEP: usize = 16;

/// The checksum of zip and PNG.
pub type Crc32 = Crc<0xedb8_8320>;
/// The checksum of iSCSI, and of TensorBoard's files.
pub type Crc32c = Crc<0x82f6_3b78>;

const fn tables(polynomial: u32) -> [[u32; 256]; STEP] {
    let mut tables = [[0; 256]; STEP];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ polynomial } else { crc >> 1 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut place = 1;
    while place < STEP {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[place - 1][byte];
            tables[place][byte] = before >> 8 ^ tables[0][(before & 0xff) as usize];
            byte += 1;
        }
        place += 1;
    }
    tables
}

/// A checksum in the making.
#[derive(Clone, Copy, Debug)]
pub struct Crc<const POLYNOMIAL: u32>(u32);

impl<const POLYNOMIAL: u32> Default for Crc<POLYNOMIAL> {
    fn default() -> Self {
        Crc(u32::MAX)
    }
}

impl<const POLYNOMIAL: u32> Crc<POLYNOMIAL> {
    const TABLES: &'static [[u32; 256]; STEP] = &tables(POLYNOMIAL);

    /// Takes bytes. How they are cut into calls makes no difference.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let (steps, rest) = bytes.as_chunks::<STEP>();
        for step in steps {
            let [a, b, c, d, ..] = *step;
            let first = (u32::from_le_bytes([a, b, c, d]) ^ self.0).to_le_bytes();
            let looked_up = |place: usize| {
                let byte = if place < 4 { first[place] } else { step[place] };
                Self::TABLES[STEP - 1 - place][usize::from(byte)]
            };
            self.0 = (0..STEP).fold(0, |crc, place| crc ^ looked_up(place));
        }
        for byte in rest {
            self.0 = self.0 >> 8 ^ Self::TABLES[0][(self.0 as u8 ^ byte) as usize];
        }
    }

    /// The checksum of what was taken.
    pub fn value(self) -> u32 {
        !self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_check_value_however_it_is_cut() {
        let mut crc = Crc32::default();
        crc.bytes(b"123456789");
        assert_eq!(crc.value(), 0xcbf4_3926);
        let mut castagnoli = Crc32c::default();
        castagnoli.bytes(b"123456789");
        assert_eq!(castagnoli.value(), 0xe306_9283);
        let mut zeros = Crc32c::default();
        zeros.bytes(&[0; 32]);
        assert_eq!(zeros.value(), 0x8a91_36aa, "RFC 3720, B.4");
        let text: Vec<u8> = (0..1000u32).map(|n| (n * n % 251) as u8).collect();
        let mut whole = Crc32::default();
        whole.bytes(&text);
        for cut in [0, 1, 15, 16, 17, 500, 999] {
            let mut parts = Crc32::default();
            parts.bytes(&text[..cut]);
            parts.bytes(&text[cut..]);
            assert_eq!(parts.value(), whole.value());
        }
    }
}
