//! Protocol buffers as they stand in bytes (protobuf.dev, "Encoding"), no more than is needed: the fields of a message one
//! after the other, and how to write some. Who reads descends into the messages he knows, so depth has no say; a length
//! that goes beyond its message, a varint of more than ten bytes, and groups are errors, with their place.

/// A field as it stands in a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wire<'a> {
    /// An integer, a truth value or an enumeration
    Varint(u64),
    /// Eight bytes: a double
    Eight([u8; 8]),
    /// A text, bytes, a message, or packed numbers
    Bytes(Message<'a>),
    /// Four bytes: a float
    Four([u8; 4]),
}

/// The bytes of a message, and where they begin in what it was read from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Message<'a> {
    /// Its bytes
    pub bytes: &'a [u8],
    /// Where the first of them stands
    pub at: u64,
}

/// What is wrong, and at which byte.
#[derive(Debug, PartialEq)]
pub struct Bad {
    /// The byte
    pub at: u64,
    /// What is wrong
    pub what: &'static str,
}

impl<'a> Message<'a> {
    /// Its fields: number and contents.
    pub fn fields(self) -> Fields<'a> {
        Fields { left: self.bytes, at: self.at }
    }

    /// As text; what is no UTF-8 is replaced.
    pub fn text(self) -> String {
        String::from_utf8_lossy(self.bytes).into_owned()
    }
}

/// The fields that are left.
#[derive(Debug)]
pub struct Fields<'a> {
    left: &'a [u8],
    at: u64,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Wire<'a>), Bad>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.left = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Result<(u64, Wire<'a>), Bad> {
        let began = self.at;
        let key = self.varint()?;
        let wire = match key & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Eight(self.take(8)?.bytes.try_into().unwrap_or_default()),
            2 => {
                let length = self.varint()?;
                Wire::Bytes(self.take(length)?)
            }
            5 => Wire::Four(self.take(4)?.bytes.try_into().unwrap_or_default()),
            _ => return Err(Bad { at: began, what: "a field of unknown type" }),
        };
        match key >> 3 {
            0 => Err(Bad { at: began, what: "a field with the number 0" }),
            number => Ok((number, wire)),
        }
    }

    fn take(&mut self, length: u64) -> Result<Message<'a>, Bad> {
        let split = usize::try_from(length).ok().and_then(|length| self.left.split_at_checked(length));
        let (bytes, left) = split.ok_or(Bad { at: self.at, what: "a field that is longer than its message" })?;
        let message = Message { bytes, at: self.at };
        (self.left, self.at) = (left, self.at + length);
        Ok(message)
    }

    /// A number, seven bits a byte, the low ones first. Bits beyond 64 are an error.
    fn varint(&mut self) -> Result<u64, Bad> {
        let began = self.at;
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let Some((&byte, left)) = self.left.split_first() else {
                return Err(Bad { at: began, what: "a number that is cut off" });
            };
            (self.left, self.at) = (left, self.at + 1);
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Bad { at: began, what: "a number of more than 64 bits" })
    }
}

/// Appends a number of seven bits a byte.
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a field that is an integer.
pub fn put_varint(out: &mut Vec<u8>, field: u64, number: u64) {
    put_number(out, field << 3);
    put_number(out, number);
}

/// Appends a field that is a double.
pub fn put_double(out: &mut Vec<u8>, field: u64, x: f64) {
    put_number(out, field << 3 | 1);
    out.extend_from_slice(&x.to_le_bytes());
}

/// Appends a field that is a float.
pub fn put_float(out: &mut Vec<u8>, field: u64, x: f32) {
    put_number(out, field << 3 | 5);
    out.extend_from_slice(&x.to_le_bytes());
}

/// Appends a field that is a text or a message.
pub fn put_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    put_number(out, field << 3 | 2);
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad(bytes: &[u8]) -> Bad {
        let message = Message { bytes, at: 100 };
        let mut fields: Vec<_> = message.fields().collect();
        assert!(fields.iter().rev().skip(1).all(Result::is_ok), "nothing comes after an error");
        fields.pop().unwrap().unwrap_err()
    }

    #[test]
    fn written_and_read() {
        let mut out = Vec::new();
        put_varint(&mut out, 1, u64::MAX);
        put_varint(&mut out, 300, 5);
        put_double(&mut out, 2, -0.5);
        put_float(&mut out, 3, 1.5);
        put_bytes(&mut out, 4, b"abc");
        let fields: Vec<_> = Message { bytes: &out, at: 7 }.fields().map(Result::unwrap).collect();
        let Wire::Bytes(text) = fields[4].1 else { panic!() };
        assert_eq!((text.text(), text.at), ("abc".to_string(), 7 + out.len() as u64 - 3));
        assert_eq!(
            fields[..3],
            [(1, Wire::Varint(u64::MAX)), (300, Wire::Varint(5)), (2, Wire::Eight((-0.5f64).to_le_bytes())),]
        );
    }

    #[test]
    fn hostile() {
        assert_eq!(bad(&[0x0a, 5, b'x']), Bad { at: 102, what: "a field that is longer than its message" });
        let lies = [&[0x0a][..], &[0xff; 9], &[1]].concat();
        assert_eq!(bad(&lies).what, "a field that is longer than its message");
        assert_eq!(
            bad(&[[0x08].as_slice(), &[0x80; 20]].concat()),
            Bad { at: 101, what: "a number of more than 64 bits" }
        );
        assert_eq!(bad(&[[0x08].as_slice(), &[0xff; 9], &[2]].concat()).what, "a number of more than 64 bits");
        assert_eq!(bad(&[0x08, 1, 0x08, 0x80]), Bad { at: 103, what: "a number that is cut off" });
        assert_eq!(bad(&[0x0b]), Bad { at: 100, what: "a field of unknown type" });
        assert_eq!(bad(&[0x00, 1]), Bad { at: 100, what: "a field with the number 0" });
        assert_eq!(bad(&[0x09, 1, 2]).at, 101);
    }
}
