//! The header of a .safetensors file: its length, then JSON with a member a tensor. Each member is parsed by itself, so
//! that a header of many megabytes needs no more memory than its own text and the list of tensors.

use super::kind::Kind;
use crate::base::json::Value;

/// Longest header, bytes, as the format's own readers have it.
pub const LONGEST: u64 = 100_000_000;
/// Longest description of one tensor, bytes.
const LONGEST_MEMBER: usize = 1 << 16;

/// What the header says of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its name
    pub name: String,
    /// The numbers, or why they are none
    pub kind: Result<Kind, String>,
    /// Sizes of the dimensions
    pub shape: Vec<u64>,
    /// Its first byte and that after its last, behind the header
    pub bytes: (u64, u64),
}

/// The tensors, in the order of their bytes.
///
/// # Errors
/// In words: it is no such header, or tensors overlap, leave holes or reach beyond the `size` bytes behind it.
pub fn members(text: &str, size: u64) -> Result<Vec<Member>, String> {
    let mut found = Vec::new();
    let mut rest = text.strip_prefix('{').ok_or("the header is no JSON object")?.trim_start();
    while let Some(after) = rest.strip_prefix('"') {
        let at = || text.len() - rest.len();
        let end = end_of_string(after).ok_or_else(|| format!("a name at byte {} of the header does not end", at()))?;
        let (name, after) = rest.split_at(end + 1);
        let name = Value::parse(name).ok().and_then(|name| name.as_str().map(str::to_string));
        let name = name.ok_or_else(|| format!("a name at byte {} of the header is none", at()))?;
        let value = after.trim_start().strip_prefix(':').map(str::trim_start).filter(|value| value.starts_with('{'));
        let value = value.ok_or_else(|| format!("'{name}' in the header is not followed by an object"))?;
        let length = end_of_object(value).ok_or_else(|| format!("'{name}' in the header does not end"))?;
        let (value, after) = value.split_at(length);
        if name != "__metadata__" {
            found.push(member(name, value)?);
        }
        rest = after.trim_start();
        rest = rest.strip_prefix(',').map_or(rest, str::trim_start);
    }
    if rest.strip_prefix('}').is_none_or(|rest| !rest.trim().is_empty()) {
        return Err(format!("the header is no JSON object from its byte {} on", text.len() - rest.len()));
    }
    found.sort_by_key(|member| member.bytes);
    let mut free = 0;
    for Member { name, bytes: (from, to), .. } in &found {
        if *from != free || to < from {
            return Err(format!("tensor '{name}' is at bytes {from} to {to}: that before it ends at {free}"));
        }
        if *to > size {
            return Err(format!("tensor '{name}' ends at byte {to}: the file has {size} behind its header"));
        }
        free = *to;
    }
    if free != size {
        return Err(format!("{} bytes belong to no tensor", size - free));
    }
    let mut names: Vec<&str> = found.iter().map(|member| member.name.as_str()).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("there are two tensors '{}'", twice[0]));
    }
    Ok(found)
}

fn member(name: String, text: &str) -> Result<Member, String> {
    let wrong = |what: &str| format!("tensor '{name}': {what}");
    if text.len() > LONGEST_MEMBER {
        return Err(wrong("its description is too long"));
    }
    let value = Value::parse(text).map_err(|err| wrong(&err.what))?;
    let number = |value: &Value| value.as_int().and_then(|number| u64::try_from(number).ok());
    let numbers = |key: &str| value.list(key)?.iter().map(number).collect::<Option<Vec<u64>>>();
    let shape = numbers("shape").filter(|shape| shape.len() <= 64).ok_or_else(|| wrong("no shape"))?;
    let Some(&[from, to]) = numbers("data_offsets").as_deref().and_then(|list| <&[u64; 2]>::try_from(list).ok()) else {
        return Err(wrong("no data_offsets"));
    };
    let kind = kind_of(value.str("dtype").ok_or_else(|| wrong("no dtype"))?);
    if let Ok(kind) = kind {
        let bytes = shape.iter().try_fold(kind.size(), |all, side| all.checked_mul(*side));
        if bytes.is_none() || bytes != to.checked_sub(from) {
            let shape = super::layout::show_shape(&shape);
            return Err(wrong(&format!("bytes {from} to {to} are not {shape} times {}", kind.name())));
        }
    }
    Ok(Member { name, kind, shape, bytes: (from, to) })
}

fn kind_of(dtype: &str) -> Result<Kind, String> {
    Ok(match dtype {
        "BOOL" => Kind::Bool,
        "U8" => Kind::U8,
        "I8" => Kind::I8,
        "F8_E5M2" => Kind::F8E5m2,
        "F8_E4M3" => Kind::F8E4m3,
        "F8_E8M0" => Kind::F8E8m0,
        "I16" => Kind::I16,
        "U16" => Kind::U16,
        "F16" => Kind::F16,
        "BF16" => Kind::Bf16,
        "I32" => Kind::I32,
        "U32" => Kind::U32,
        "F32" => Kind::F32,
        "F64" => Kind::F64,
        "I64" => Kind::I64,
        "U64" => Kind::U64,
        "C64" => Kind::C64,
        other => return Err(format!("of the type {other}, which is not read")),
    })
}

/// Where the quote is that ends a string which has begun.
fn end_of_string(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if !escaped => return Some(at + 1),
            _ => escaped = byte == b'\\' && !escaped,
        }
    }
    None
}

/// How long the object is that begins here.
fn end_of_object(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0u32, 0);
    while let Some(byte) = text.as_bytes().get(at) {
        match byte {
            b'"' => at += end_of_string(text.get(at + 1..)?)?,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written() {
        let text = r#"{"__metadata__":{"format":"pt","a":"}\"{"},"b\"c":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},
            "a":{"dtype":"BF16","shape":[],"data_offsets":[16,18]}, "q":{"dtype":"F4","shape":[4],"data_offsets":[18,20]}}   "#;
        let found = members(text, 20).unwrap();
        let (a, first) = (&found[1], &found[0]);
        assert_eq!((a.name.as_str(), a.kind.clone(), a.bytes), ("a", Ok(Kind::Bf16), (16, 18)));
        assert_eq!((first.name.as_str(), first.shape.as_slice()), ("b\"c", &[2, 2][..]));
        assert!(found[2].kind.is_err());
        assert_eq!(members("{}", 0).unwrap(), []);
    }

    #[test]
    fn lies() {
        let one = |shape: &str, from: u64, to: u64| {
            format!(r#"{{"a":{{"dtype":"F32","shape":[{shape}],"data_offsets":[{from},{to}]}}}}"#)
        };
        for (text, size, what) in [
            (one("4", 0, 16), 15, "the file has 15"),
            (one("4", 0, 16), 17, "1 bytes belong to no tensor"),
            (one("4", 4, 20), 20, "that before it ends at 0"),
            (one("4", 0, 12), 12, "are not 4 times float32"),
            (one("4", 16, 0), 16, "are not 4 times float32"),
            (one("9223372036854775807,9223372036854775807", 0, 4), 4, "are not"),
            (one("-1", 0, 4), 4, "no shape"),
            (r#"{"a":{"dtype":"F32","shape":[1]}}"#.into(), 4, "no data_offsets"),
            (r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
                .into(), 4, "that before it ends at 4"),
            (r#"{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#
                .into(), 0, "two tensors 'a'"),
            ("{\"a\":".to_string() + &"{".repeat(100_000), 0, "does not end"),
            ("{\"a\":".to_string() + &"[".repeat(100_000), 0, "not followed by an object"),
            (format!("{{\"a\":{}1{}}}", "{\"x\":".repeat(5000), "}".repeat(5000)), 0, "deep"),
            ("{\"a".into(), 0, "does not end"),
            ("[]".into(), 0, "no JSON object"),
            ("{} x".into(), 0, "no JSON object"),
        ] {
            let err = members(&text, size).unwrap_err();
            assert!(err.contains(what), "{}: {err}", text.get(..60).unwrap_or(&text));
        }
    }
}
