//! JSON, RFC 8259, by hand: integers stay integers, key order is kept, unknown keys survive a rewrite, duplicate keys are
//! an error, depth is limited, errors carry line and column, and printing is always one line, so that grep, sort and
//! `tail -f` work on it. NaN and infinities are written as the strings "NaN", "Infinity", "-Infinity" and read back as
//! numbers where a number is asked for; bare NaN, Infinity and -Infinity are read too, for others write them so.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fmt::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Deepest nesting accepted: more is an attack or an accident.
const MAX_DEPTH: usize = 128;
/// From so many keys of one object on, whether a key is new is asked of a set.
const MANY_KEYS: usize = 32;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// null
    Null,
    /// true, false
    Bool(bool),
    /// A number written without point and exponent that fits
    Int(i64),
    /// Any other number
    Num(f64),
    /// A string
    Str(String),
    /// An array
    List(Vec<Value>),
    /// An object, in the order of the text
    Map(Vec<(String, Value)>),
}

/// Why a text is not JSON, and where.
#[derive(Debug, PartialEq)]
pub struct Bad {
    /// Line, from 1
    pub line: usize,
    /// Column in characters, from 1
    pub column: usize,
    /// What was expected or is wrong
    pub what: String,
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.what)
    }
}

impl Value {
    /// Reads one value and nothing after it.
    ///
    /// # Errors
    /// The text is not JSON.
    pub fn parse(text: &str) -> Result<Value, Bad> {
        let mut parser = Parser { text, at: 0 };
        let parsed = parser.value(0).and_then(|value| {
            parser.blanks();
            if parser.at < text.len() { Err("unexpected text after the value".to_string()) } else { Ok(value) }
        });
        parsed.map_err(|what| {
            let before = text.get(..parser.at).unwrap_or(text);
            let line_start = before.rfind('\n').map_or(0, |i| i + 1);
            let line = before.matches('\n').count() + 1;
            Bad { line, column: before[line_start..].chars().count() + 1, what }
        })
    }

    /// The member of an object, if this is one and has it.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.iter().find(|(k, _)| k == key).map(|(_, v)| v)
    }

    /// The string member `key`.
    pub fn str(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// The integer member `key`.
    pub fn int(&self, key: &str) -> Option<i64> {
        self.get(key)?.as_int()
    }

    /// The number member `key`.
    pub fn num(&self, key: &str) -> Option<f64> {
        self.get(key)?.as_num()
    }

    /// The array member `key`.
    pub fn list(&self, key: &str) -> Option<&[Value]> {
        self.get(key)?.as_list()
    }

    /// Sets a member of an object, in place or at the end. Anything else becomes an object first.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        if !matches!(self, Value::Map(_)) {
            *self = Value::Map(Vec::new());
        }
        if let Value::Map(members) = self {
            match members.iter_mut().find(|(k, _)| k == key) {
                Some((_, old)) => *old = value.into(),
                None => members.push((key.to_string(), value.into())),
            }
        }
    }

    /// Sets all members that another object has.
    pub fn extend(&mut self, other: &Value) {
        for (key, value) in other.as_map().unwrap_or_default() {
            self.set(key, value.clone());
        }
    }

    /// As text, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        if let Value::Str(text) = self { Some(text) } else { None }
    }

    /// As an integer, if it is one (3.0 is).
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(i) => Some(*i),
            Value::Num(x) if x.fract() == 0.0 && x.abs() < 9e15 => Some(*x as i64),
            _ => None,
        }
    }

    /// As a number: integers, numbers, and the three strings for what JSON lacks.
    pub fn as_num(&self) -> Option<f64> {
        match self {
            Value::Int(i) => Some(*i as f64),
            Value::Num(x) => Some(*x),
            Value::Str(text) => not_finite(text),
            _ => None,
        }
    }

    /// As a truth value.
    pub fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(b) = self { Some(*b) } else { None }
    }

    /// As an array.
    pub fn as_list(&self) -> Option<&[Value]> {
        if let Value::List(items) = self { Some(items) } else { None }
    }

    /// As an object's members.
    pub fn as_map(&self) -> Option<&[(String, Value)]> {
        if let Value::Map(members) = self { Some(members) } else { None }
    }

    /// For people: strings without quotes, everything else as JSON.
    pub fn plain(&self) -> String {
        match self {
            Value::Str(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        }
    }
}

fn not_finite(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// A number as a value: NaN and infinities as their strings, whole numbers below 2^53 as they print shortest.
pub fn number(x: f64) -> Value {
    if x.is_nan() {
        Value::Str("NaN".into())
    } else if x.is_infinite() {
        Value::Str(if x > 0.0 { "Infinity" } else { "-Infinity" }.into())
    } else {
        Value::Num(x)
    }
}

/// An object from its members.
pub fn map<K: Into<String>>(members: impl IntoIterator<Item = (K, Value)>) -> Value {
    Value::Map(members.into_iter().map(|(k, v)| (k.into(), v)).collect())
}

/// Any operating system string, without loss: a string, or `{"hex":"ff00"}` when it is not UTF-8.
pub fn from_os(text: &OsStr) -> Value {
    match text.to_str() {
        Some(text) => Value::Str(text.to_string()),
        None => {
            let hex = text.as_bytes().iter().fold(String::new(), |mut out, b| {
                let _ = write!(out, "{b:02x}");
                out
            });
            map([("hex", Value::Str(hex))])
        }
    }
}

/// The operating system string that `from_os` wrote; numbers and truth values as they print.
pub fn to_os(value: &Value) -> Option<OsString> {
    match value {
        Value::Str(text) => Some(OsString::from(text)),
        Value::Int(_) | Value::Num(_) | Value::Bool(_) => Some(OsString::from(value.to_string())),
        Value::Map(_) => {
            let hex = value.str("hex")?.as_bytes();
            let bytes = hex.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
            bytes.collect::<Option<Vec<u8>>>().filter(|_| hex.len().is_multiple_of(2)).map(OsString::from_vec)
        }
        _ => None,
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Str(text.to_string())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Str(text)
    }
}
impl From<bool> for Value {
    fn from(b: bool) -> Value {
        Value::Bool(b)
    }
}
impl From<i64> for Value {
    fn from(i: i64) -> Value {
        Value::Int(i)
    }
}
impl From<i32> for Value {
    fn from(i: i32) -> Value {
        Value::Int(i.into())
    }
}
impl From<u32> for Value {
    fn from(i: u32) -> Value {
        Value::Int(i.into())
    }
}
impl From<u64> for Value {
    fn from(i: u64) -> Value {
        i64::try_from(i).map_or(Value::Num(i as f64), Value::Int)
    }
}
impl From<f64> for Value {
    fn from(x: f64) -> Value {
        number(x)
    }
}
impl From<super::time::Time> for Value {
    fn from(time: super::time::Time) -> Value {
        Value::Str(time.to_string())
    }
}
impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Value {
        Value::List(items.into_iter().map(Into::into).collect())
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(item: Option<T>) -> Value {
        item.map_or(Value::Null, Into::into)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(b) => write!(f, "{b}"),
            Value::Int(i) => write!(f, "{i}"),
            Value::Num(x) if !x.is_finite() => number(*x).fmt(f),
            Value::Num(x) if *x != 0.0 && !(1e-5..1e16).contains(&x.abs()) => write!(f, "{x:e}"),
            Value::Num(x) => write!(f, "{x:?}"),
            Value::Str(text) => quote(f, text),
            Value::List(items) => {
                f.write_char('[')?;
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        f.write_char(',')?;
                    }
                    item.fmt(f)?;
                }
                f.write_char(']')
            }
            Value::Map(members) => {
                f.write_char('{')?;
                for (i, (key, value)) in members.iter().enumerate() {
                    if i > 0 {
                        f.write_char(',')?;
                    }
                    quote(f, key)?;
                    f.write_char(':')?;
                    value.fmt(f)?;
                }
                f.write_char('}')
            }
        }
    }
}

/// Writes text as a JSON string. C1 controls and line separators are escaped too: a file stays harmless when shown.
///
/// # Errors
/// The writer's own.
pub fn quote(out: &mut impl Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    let mut plain = 0;
    for (at, c) in text.char_indices() {
        let short = match c {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            c if c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => "",
            _ => continue,
        };
        out.write_str(&text[plain..at])?;
        plain = at + c.len_utf8();
        if short.is_empty() { write!(out, "\\u{:04x}", c as u32)? } else { out.write_str(short)? }
    }
    out.write_str(&text[plain..])?;
    out.write_char('"')
}

/// Recursive descent over bytes; `at` is where it stands, and where the error is.
struct Parser<'a> {
    text: &'a str,
    at: usize,
}

type Parsed<T> = Result<T, String>;

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, word: &str) -> bool {
        let there = self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word));
        if there {
            self.at += word.len();
        }
        there
    }

    fn value(&mut self, depth: usize) -> Parsed<Value> {
        if depth > MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH}"));
        }
        self.blanks();
        match self.peek() {
            None => Err("unexpected end".into()),
            Some(b'{') => self.map(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(Value::Str),
            Some(b't') if self.eat("true") => Ok(Value::Bool(true)),
            Some(b'f') if self.eat("false") => Ok(Value::Bool(false)),
            Some(b'n') if self.eat("null") => Ok(Value::Null),
            Some(b'N') if self.eat("NaN") => Ok(Value::Num(f64::NAN)),
            Some(b'I') if self.eat("Infinity") => Ok(Value::Num(f64::INFINITY)),
            Some(b'-') if self.eat("-Infinity") => Ok(Value::Num(f64::NEG_INFINITY)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => Err("expected a value".into()),
        }
    }

    fn list(&mut self, depth: usize) -> Parsed<Value> {
        self.at += 1;
        let mut items = Vec::new();
        self.blanks();
        if self.eat("]") {
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.blanks();
            if self.eat("]") {
                return Ok(Value::List(items));
            }
            if !self.eat(",") {
                return Err("expected ',' or ']'".into());
            }
        }
    }

    fn map(&mut self, depth: usize) -> Parsed<Value> {
        self.at += 1;
        let mut members: Vec<(String, Value)> = Vec::new();
        let mut seen = HashSet::new();
        self.blanks();
        if self.eat("}") {
            return Ok(Value::Map(members));
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return Err("expected a key in double quotes".into());
            }
            let key_at = self.at;
            let key = self.string()?;
            if is_double(&members, &mut seen, &key) {
                self.at = key_at;
                return Err(format!("key '{key}' stands twice"));
            }
            self.blanks();
            if !self.eat(":") {
                return Err("expected ':'".into());
            }
            members.push((key, self.value(depth + 1)?));
            self.blanks();
            if self.eat("}") {
                return Ok(Value::Map(members));
            }
            if !self.eat(",") {
                return Err("expected ',' or '}'".into());
            }
        }
    }

    fn number(&mut self) -> Parsed<Value> {
        let start = self.at;
        self.eat("-");
        let whole = self.digits();
        if whole == 0 || (whole > 1 && self.text.as_bytes().get(self.at - whole) == Some(&b'0')) {
            return Err("malformed number".into());
        }
        let mut integer = true;
        if self.eat(".") {
            integer = false;
            if self.digits() == 0 {
                return Err("malformed number".into());
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            integer = false;
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err("malformed number".into());
            }
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        match text.parse::<i64>() {
            Ok(i) if integer && text != "-0" => Ok(Value::Int(i)),
            _ => text.parse().map(Value::Num).map_err(|_| "malformed number".into()),
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn string(&mut self) -> Parsed<String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let start = self.at;
            while self.peek().is_some_and(|b| b != b'"' && b != b'\\' && b >= 0x20) {
                self.at += 1;
            }
            out.push_str(self.text.get(start..self.at).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    self.at += 1;
                    out.push(self.escape()?);
                }
                Some(_) => return Err("control character in a string".into()),
                None => return Err("string without end".into()),
            }
        }
    }

    fn escape(&mut self) -> Parsed<char> {
        let c = self.peek().ok_or("string without end")?;
        self.at += 1;
        Ok(match c {
            b'"' | b'\\' | b'/' => c as char,
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.hex4()?;
                match high {
                    0xd800..0xdc00 if self.eat("\\u") => {
                        let low = self.hex4()?;
                        // A lone surrogate is no character: shown as the replacement character, never an error.
                        if !(0xdc00..0xe000).contains(&low) {
                            return Ok(char::REPLACEMENT_CHARACTER);
                        }
                        let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
                    }
                    code => char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
                }
            }
            _ => return Err("unknown escape in a string".into()),
        })
    }

    fn hex4(&mut self) -> Parsed<u32> {
        let digits = self.text.get(self.at..self.at + 4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = digits.and_then(|d| u32::from_str_radix(d, 16).ok()).ok_or("expected four hex digits after \\u")?;
        self.at += 4;
        Ok(code)
    }
}

/// Whether a key is there already.
fn is_double(members: &[(String, Value)], seen: &mut HashSet<String>, key: &str) -> bool {
    if members.len() < MANY_KEYS {
        return members.iter().any(|(known, _)| known == key);
    }
    if seen.is_empty() {
        seen.extend(members.iter().map(|(known, _)| known.clone()));
    }
    !seen.insert(key.to_string())
}

#[cfg(test)]
mod tests;
