//! What the numbers of a tensor are, and how bytes become f64: exactly, but for integers beyond 2^53.

/// A kind of number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Truth values, a byte each
    Bool,
    /// Signed integers
    I8,
    /// of 16 bits
    I16,
    /// of 32 bits
    I32,
    /// of 64 bits
    I64,
    /// Unsigned integers
    U8,
    /// of 16 bits
    U16,
    /// of 32 bits
    U32,
    /// of 64 bits
    U64,
    /// IEEE 754 half precision
    F16,
    /// The upper half of single precision
    Bf16,
    /// Single precision
    F32,
    /// Double precision
    F64,
    /// 4 bits of exponent, 3 of mantissa, no infinities (the `fn` of OCP's 8-bit formats)
    F8E4m3,
    /// 5 bits of exponent, 2 of mantissa, as a shortened half
    F8E5m2,
    /// A power of two
    F8E8m0,
    /// Complex numbers, two single precision ones each
    C64,
    /// Complex numbers, two double precision ones each
    C128,
}

/// All, with the names that numpy and PyTorch have for them.
const NAMES: [(Kind, &str); 18] = [
    (Kind::Bool, "bool"),
    (Kind::I8, "int8"),
    (Kind::I16, "int16"),
    (Kind::I32, "int32"),
    (Kind::I64, "int64"),
    (Kind::U8, "uint8"),
    (Kind::U16, "uint16"),
    (Kind::U32, "uint32"),
    (Kind::U64, "uint64"),
    (Kind::F16, "float16"),
    (Kind::Bf16, "bfloat16"),
    (Kind::F32, "float32"),
    (Kind::F64, "float64"),
    (Kind::F8E4m3, "float8_e4m3fn"),
    (Kind::F8E5m2, "float8_e5m2"),
    (Kind::F8E8m0, "float8_e8m0fnu"),
    (Kind::C64, "complex64"),
    (Kind::C128, "complex128"),
];

impl Kind {
    /// The name that numpy and PyTorch have for it.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Kind> {
        NAMES.iter().find(|(_, own)| *own == name).map(|(kind, _)| *kind)
    }

    /// Bytes of an element.
    pub fn size(self) -> u64 {
        self.width() * self.parts()
    }

    /// Numbers of an element: 2 of a complex one.
    pub fn parts(self) -> u64 {
        if matches!(self, Kind::C64 | Kind::C128) { 2 } else { 1 }
    }

    /// Bytes of a number.
    fn width(self) -> u64 {
        match self {
            Kind::Bool | Kind::I8 | Kind::U8 | Kind::F8E4m3 | Kind::F8E5m2 | Kind::F8E8m0 => 1,
            Kind::I16 | Kind::U16 | Kind::F16 | Kind::Bf16 => 2,
            Kind::I32 | Kind::U32 | Kind::F32 | Kind::C64 => 4,
            Kind::I64 | Kind::U64 | Kind::F64 | Kind::C128 => 8,
        }
    }

    /// The numbers in whole elements, added to `out`. With `big`, the byte of most weight comes first.
    pub fn decode(self, bytes: &[u8], big: bool, out: &mut Vec<f64>) {
        match self {
            Kind::Bool => out.extend(bytes.iter().map(|b| f64::from(u8::from(*b != 0)))),
            Kind::U8 => out.extend(bytes.iter().map(|b| f64::from(*b))),
            Kind::I8 => out.extend(bytes.iter().map(|b| f64::from(b.cast_signed()))),
            Kind::F8E4m3 => out.extend(bytes.iter().map(|b| e4m3(*b))),
            Kind::F8E5m2 => out.extend(bytes.iter().map(|b| half(u16::from(*b) << 8))),
            Kind::F8E8m0 => out.extend(bytes.iter().map(|b| e8m0(*b))),
            Kind::I16 => each(bytes, big, out, |b| f64::from(i16::from_le_bytes(b))),
            Kind::U16 => each(bytes, big, out, |b| f64::from(u16::from_le_bytes(b))),
            Kind::F16 => each(bytes, big, out, |b| half(u16::from_le_bytes(b))),
            Kind::Bf16 => {
                each(bytes, big, out, |b| f64::from(f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16)));
            }
            Kind::I32 => each(bytes, big, out, |b| f64::from(i32::from_le_bytes(b))),
            Kind::U32 => each(bytes, big, out, |b| f64::from(u32::from_le_bytes(b))),
            Kind::F32 | Kind::C64 => each(bytes, big, out, |b| f64::from(f32::from_le_bytes(b))),
            Kind::I64 => each(bytes, big, out, |b| i64::from_le_bytes(b) as f64),
            Kind::U64 => each(bytes, big, out, |b| u64::from_le_bytes(b) as f64),
            Kind::F64 | Kind::C128 => each(bytes, big, out, f64::from_le_bytes),
        }
    }
}

#[inline]
fn each<const N: usize>(bytes: &[u8], big: bool, out: &mut Vec<f64>, number: impl Fn([u8; N]) -> f64) {
    let (chunks, _) = bytes.as_chunks::<N>();
    if big {
        out.extend(chunks.iter().map(|chunk| {
            let mut chunk = *chunk;
            chunk.reverse();
            number(chunk)
        }));
    } else {
        out.extend(chunks.iter().map(|chunk| number(*chunk)));
    }
}

/// Half precision: its 15 lower bits, moved to the place they have in single precision, are the number over 2^112.
#[inline]
fn half(bits: u16) -> f64 {
    let (sign, rest) = (u32::from(bits & 0x8000) << 16, u32::from(bits & 0x7fff));
    let special = rest >= 0x7c00;
    // Infinity and NaN: all ones in the greater exponent too.
    let moved = f32::from_bits(rest << 13 | if special { 0x7f80_0000 } else { 0 });
    let scale = if special { 1.0 } else { f32::from_bits(0x7780_0000) };
    f64::from(f32::from_bits((moved * scale).to_bits() | sign))
}

fn e4m3(bits: u8) -> f64 {
    let (exponent, mantissa) = (i32::from(bits >> 3 & 15), f64::from(bits & 7));
    let size = match (exponent, bits & 7) {
        (15, 7) => f64::NAN,
        (0, _) => mantissa / 8.0 / 64.0,
        _ => (1.0 + mantissa / 8.0) * 2f64.powi(exponent - 7),
    };
    if bits & 0x80 == 0 { size } else { -size }
}

fn e8m0(bits: u8) -> f64 {
    if bits == 255 { f64::NAN } else { 2f64.powi(i32::from(bits) - 127) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: Kind, bytes: &[u8], big: bool) -> Vec<f64> {
        let mut out = Vec::new();
        kind.decode(bytes, big, &mut out);
        out
    }

    #[test]
    fn numbers_out_of_bytes() {
        assert_eq!(of(Kind::F32, &1.5f32.to_be_bytes(), true), [1.5]);
        assert_eq!(of(Kind::I16, &[0xfe, 0xff, 1, 0], false), [-2.0, 1.0]);
        assert_eq!(of(Kind::U64, &u64::MAX.to_le_bytes(), false), [2f64.powi(64)]);
        assert_eq!(of(Kind::Bool, &[0, 1, 7], false), [0.0, 1.0, 1.0]);
        assert_eq!(of(Kind::Bf16, &[0x80, 0x3f], false), [1.0]);
        assert_eq!(of(Kind::C64, &[1f32.to_le_bytes(), 2f32.to_le_bytes()].concat(), false), [1.0, 2.0]);
        assert_eq!(Kind::named("float16"), Some(Kind::F16));
    }

    #[test]
    fn small_floats() {
        for (bits, value) in [
            (0x0000, 0.0),
            (0x0001, 2f64.powi(-24)),
            (0x03ff, 1023.0 * 2f64.powi(-24)),
            (0x0400, 2f64.powi(-14)),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x7c00, f64::INFINITY),
            (0xfc00, f64::NEG_INFINITY),
        ] {
            assert_eq!(half(bits), value, "{bits:04x}");
        }
        assert!(half(0x7c01).is_nan() && half(0xffff).is_nan());
        assert_eq!((e4m3(0x7e), e4m3(0x01), e4m3(0xb8)), (448.0, 2f64.powi(-9), -1.0));
        assert!(e4m3(0x7f).is_nan() && e4m3(0xff).is_nan() && e8m0(255).is_nan());
        assert_eq!((e8m0(127), half(0x7b00)), (1.0, 57344.0));
    }
}
