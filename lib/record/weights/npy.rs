//! The header of a .npy file (numpy.lib.format, versions 1 to 3): a Python dictionary of type, order and shape, of which
//! just so much is understood as such a dictionary may hold.

use super::kind::Kind;
use std::io::Read;

/// Longest header that is read, bytes: numpy's own is 128 but for arrays of records.
const LONGEST: u64 = 1 << 20;
const DEEPEST: u32 = 16;

/// What the header says.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// The numbers, or why they are none
    pub kind: Result<Kind, String>,
    /// The byte of most weight comes first
    pub big: bool,
    /// The first dimension is the densest
    pub fortran: bool,
    /// Sizes of the dimensions
    pub shape: Vec<u64>,
    /// Bytes before the array
    pub length: u64,
}

/// Reads the header.
///
/// # Errors
/// In words: it is none.
pub fn header(from: &mut dyn Read) -> Result<Header, String> {
    let mut start = [0; 8];
    let mut fill = |into: &mut [u8]| match from.read_exact(into) {
        Err(err) if err.kind() == std::io::ErrorKind::UnexpectedEof => Err("it ends in its header".to_string()),
        read => read.map_err(|err| crate::base::error::reason(&err)),
    };
    fill(&mut start)?;
    let [magic @ .., version, _] = start;
    if magic != *b"\x93NUMPY" {
        return Err("it does not begin as a .npy file does".into());
    }
    let mut digits = [0; 4];
    let width = if version == 1 { 2 } else { 4 };
    fill(digits.get_mut(..width).unwrap_or_default())?;
    let length = u64::from(u32::from_le_bytes(digits));
    if !(1..=3).contains(&version) || length > LONGEST {
        return Err(format!("version {version} with a header of {length} bytes is not read"));
    }
    let mut text = vec![0; length as usize];
    fill(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    let mut header = understood(&text).ok_or_else(|| format!("the header is none: {}", text.trim()))?;
    header.length = 8 + width as u64 + length;
    Ok(header)
}

fn understood(text: &str) -> Option<Header> {
    let mut rest = text;
    let Literal::Map(members) = literal(&mut rest, 0)? else { return None };
    let get = |key: &str| members.iter().find(|(name, _)| name == key).map(|(_, value)| value);
    let Literal::Bool(fortran) = get("fortran_order")? else { return None };
    let Literal::List(sides) = get("shape")? else { return None };
    let side = |literal: &Literal| if let Literal::Int(side) = literal { Some(*side) } else { None };
    let shape: Vec<u64> = sides.iter().map(side).collect::<Option<_>>()?;
    let (kind, big) = match get("descr")? {
        Literal::Text(descr) => (kind_of(descr), descr.starts_with('>')),
        _ => (Err("records of several types".into()), false),
    };
    (rest.trim().is_empty() && shape.len() <= 64).then_some(Header { kind, big, fortran: *fortran, shape, length: 0 })
}

fn kind_of(descr: &str) -> Result<Kind, String> {
    let kind = match descr.trim_start_matches(['<', '>', '|', '=']) {
        "b1" => Kind::Bool,
        "i1" => Kind::I8,
        "i2" => Kind::I16,
        "i4" => Kind::I32,
        "i8" => Kind::I64,
        "u1" => Kind::U8,
        "u2" => Kind::U16,
        "u4" => Kind::U32,
        "u8" => Kind::U64,
        "f2" => Kind::F16,
        "f4" => Kind::F32,
        "f8" => Kind::F64,
        "c8" => Kind::C64,
        "c16" => Kind::C128,
        "f16" | "f12" | "c32" | "c24" => return Err("long double, which each machine has its own way of".into()),
        other => {
            let what = match other.chars().next() {
                Some('O') => "Python objects",
                Some('S' | 'U' | 'a') => "text",
                Some('M' | 'm') => "dates or times",
                Some('V') => "bytes of no known type",
                _ => "of no known type",
            };
            return Err(format!("{what} ({descr})"));
        }
    };
    Ok(kind)
}

#[derive(Debug)]
enum Literal {
    Text(String),
    Bool(bool),
    Int(u64),
    List(Vec<Literal>),
    Map(Vec<(String, Literal)>),
}

/// One Python literal at the beginning of `rest`, which then begins behind it.
fn literal(rest: &mut &str, depth: u32) -> Option<Literal> {
    *rest = rest.trim_start();
    let first = rest.chars().next().filter(|_| depth < DEEPEST)?;
    match first {
        '\'' | '"' => {
            let (text, after) = rest.get(1..)?.split_once(first)?;
            *rest = after;
            Some(Literal::Text(text.to_string()))
        }
        '0'..='9' => {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let (digits, after) = rest.split_at(end);
            // The long integers of Python 2.
            *rest = after.strip_prefix('L').unwrap_or(after);
            digits.parse().ok().map(Literal::Int)
        }
        '(' | '[' => {
            let mut items = Vec::new();
            members(rest, if first == '(' { ')' } else { ']' }, &mut |rest| {
                items.push(literal(rest, depth + 1)?);
                Some(())
            })?;
            Some(Literal::List(items))
        }
        '{' => {
            let mut items = Vec::new();
            members(rest, '}', &mut |rest| {
                let Literal::Text(key) = literal(rest, depth + 1)? else { return None };
                *rest = rest.trim_start().strip_prefix(':')?;
                items.push((key, literal(rest, depth + 1)?));
                Some(())
            })?;
            Some(Literal::Map(items))
        }
        _ => {
            for (word, value) in [("True", true), ("False", false)] {
                if let Some(after) = rest.strip_prefix(word) {
                    *rest = after;
                    return Some(Literal::Bool(value));
                }
            }
            None
        }
    }
}

/// What stands between brackets, with commas between and perhaps after.
fn members(rest: &mut &str, end: char, member: &mut dyn FnMut(&mut &str) -> Option<()>) -> Option<()> {
    *rest = rest.get(1..)?.trim_start();
    loop {
        if let Some(after) = rest.strip_prefix(end) {
            *rest = after;
            return Some(());
        }
        member(rest)?;
        *rest = rest.trim_start();
        match rest.strip_prefix(',') {
            Some(after) => *rest = after.trim_start(),
            None if rest.starts_with(end) => {}
            None => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Header, String> {
        let mut file = b"\x93NUMPY\x01\0".to_vec();
        file.extend((text.len() as u16).to_le_bytes());
        file.extend(text.bytes());
        header(&mut file.as_slice())
    }

    #[test]
    fn what_numpy_writes() {
        let found = read("{'descr': '>f8', 'fortran_order': True, 'shape': (3, 4), }      \n").unwrap();
        let length = 10 + 65;
        assert_eq!(found, Header { kind: Ok(Kind::F64), big: true, fortran: true, shape: vec![3, 4], length });
        let old = read("{'shape': (3L,), 'fortran_order': False, \"descr\": '|u1'}").unwrap();
        assert_eq!((old.kind, old.shape), (Ok(Kind::U8), vec![3]));
        assert_eq!(read("{'descr': '<f4', 'fortran_order': False, 'shape': ()}").unwrap().shape, []);
        for (descr, what) in [
            ("'|O'", "Python objects"),
            ("'<U5'", "text"),
            ("[('a', '<f4'), ('b', '<i4', (2,))]", "records"),
            ("'<f16'", "long double"),
            ("'<M8[s]'", "dates"),
        ] {
            let header = read(&format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (1,)}}")).unwrap();
            assert!(header.kind.unwrap_err().starts_with(what), "{descr}");
        }
    }

    #[test]
    fn what_is_no_header() {
        for text in [
            "",
            "{}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
            "{'descr': '<f4', 'fortran_order': __import__('os'), 'shape': ()}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': ()} + 1",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1,",
        ] {
            assert!(read(text).unwrap_err().starts_with("the header is none"), "{text}");
        }
        assert!(read(&"[".repeat(60_000)).is_err() && read(&format!("{{'descr': {}", "(".repeat(50_000))).is_err());
        assert!(header(&mut &b"\x93NUMPY\x01\0\xff\xff{"[..]).unwrap_err().contains("ends in its header"));
        assert!(header(&mut &b"\x93NUMPY\x02\0\xff\xff\xff\xff{"[..]).unwrap_err().contains("4294967295 bytes"));
        assert!(header(&mut &b"PK"[..]).is_err() && header(&mut &b"12345678"[..]).is_err());
    }
}
