//! One line of history.jsonl -> a point. Lines as our own writers print them (a flat object of plain names, numbers and
//! strings) are read in place; anything else goes through the JSON parser, and nested values are passed over.

use super::{COUNTERS, Point};
use crate::base::json::Value;
use crate::base::time::Time;

impl Point {
    /// Fills the point from a line of history.jsonl. False: it is no JSON object, and the point is empty.
    pub fn read_line(&mut self, line: &str) -> bool {
        self.clear();
        if flat(self, line.trim_ascii().as_bytes()).is_some() {
            return true;
        }
        self.clear();
        let Ok(Value::Map(members)) = Value::parse(line) else { return false };
        for (name, value) in &members {
            match value {
                Value::Str(text) => self.put_text(name, text),
                value => {
                    if let Some(x) = value.as_num() {
                        self.put(name, x);
                    }
                }
            }
        }
        true
    }

    fn put(&mut self, name: &str, value: f64) {
        if COUNTERS.contains(&name) {
            self.set_counter(name, value);
        } else {
            self.push_value(name, value);
        }
    }

    fn put_text(&mut self, name: &str, text: &str) {
        match text {
            _ if name == "t" => self.t = Time::parse(text),
            "NaN" | "nan" => self.put(name, f64::NAN),
            "Infinity" | "inf" => self.put(name, f64::INFINITY),
            "-Infinity" | "-inf" => self.put(name, f64::NEG_INFINITY),
            _ => {}
        }
    }
}

/// A flat object without escapes; None: something else.
fn flat(point: &mut Point, line: &[u8]) -> Option<()> {
    let mut rest = blanks(line.strip_prefix(b"{")?);
    if rest == b"}" {
        return Some(());
    }
    loop {
        let (name, after) = quoted(rest)?;
        let after = blanks(blanks(after).strip_prefix(b":")?);
        rest = if after.first() == Some(&b'"') {
            let (text, after) = quoted(after)?;
            point.put_text(name, text);
            blanks(after)
        } else {
            let end = after.iter().position(|b| matches!(b, b',' | b'}' | b' '))?;
            let number = after.get(..end)?;
            if !matches!(number.first(), Some(b'-' | b'0'..=b'9')) {
                return None;
            }
            point.put(name, str::from_utf8(number).ok()?.parse().ok()?);
            blanks(after.get(end..)?)
        };
        match rest {
            [b',', after @ ..] => rest = blanks(after),
            [b'}'] => return Some(()),
            _ => return None,
        }
    }
}

/// A string without escapes at the start, and what follows it.
fn quoted(text: &[u8]) -> Option<(&str, &[u8])> {
    let text = text.strip_prefix(b"\"")?;
    let end = text.iter().position(|b| matches!(b, b'"' | b'\\'))?;
    let (name, after) = text.split_at_checked(end)?;
    Some((str::from_utf8(name).ok()?, after.strip_prefix(b"\"")?))
}

fn blanks(text: &[u8]) -> &[u8] {
    text.trim_ascii_start()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<String> {
        let mut point = Point::new();
        point.push_value("old", 1.0);
        let mut out = String::new();
        point.read_line(line).then(|| {
            point.write_line(&mut out);
            out.trim_end().to_string()
        })
    }

    #[test]
    fn lines() {
        let same = [
            r#"{}"#,
            r#"{"t":"2026-11-22T23:00:00.123Z","epoch":1,"loss":1.05}"#,
            r#"{"epoch":0.5,"loss":"NaN","a":"Infinity","b":"-Infinity"}"#,
            r#"{"a b":1,"Train-acc":-2e-7}"#,
        ];
        for line in same {
            assert_eq!(read(line).as_deref(), Some(line));
        }
        let other = [
            (r#" { "loss" : 1.50 , "epoch" : 2 } "#, r#"{"epoch":2,"loss":1.5}"#),
            (r#"{"loss":1,"note":"hm","x":[1,2],"y":null,"z":true}"#, r#"{"loss":1}"#),
            (r#"{"lo\u0073s":1,"t":"yesterday"}"#, r#"{"loss":1}"#),
            (r#"{"loss":"nan"}"#, r#"{"loss":"NaN"}"#),
        ];
        for (line, wanted) in other {
            assert_eq!(read(line).as_deref(), Some(wanted), "{line}");
        }
        for line in ["", "{", r#"{"loss":1.0"#, r#"{"loss":1.0}x"#, "1", "[1]", r#"{"a":1,}"#, r#"{"a":inf}"#] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
