//! JSON objects and Python dicts, anywhere in a line: `{"loss": 0.1, "iter": 5}`, `{'loss': '0.69', 'epoch': 0.5}`,
//! with `np.float64(0.5)`, `tensor(0.1, device='cuda:0')`, numbers as strings, nan, lists (`name.0`), objects in objects
//! (`outer/inner`). One pass, no building of values; nesting is limited.

use super::token::{Kind, Token, tokenize};
use crate::base::time::Time;

/// Deepest nesting looked into.
const DEEPEST: usize = 4;

/// What an object holds.
#[derive(Debug, Default)]
pub struct Members {
    /// Names and numbers in order
    pub numbers: Vec<(String, f64)>,
    /// Members that are no numbers
    pub others: usize,
    /// When it was written, as history.jsonl has it
    pub t: Option<Time>,
    tokens: Vec<Token>,
}

impl Members {
    /// Reads the first object of a line that has a number in it. False: there is none.
    pub fn read(&mut self, line: &str) -> bool {
        let mut from = 0;
        for _ in 0..4 {
            let Some(open) = line.get(from..).and_then(|rest| rest.find('{')) else { return false };
            self.numbers.clear();
            (self.others, self.t) = (0, None);
            from += open + 1;
            let mut cursor = Cursor { text: line, at: from };
            if self.members(&mut cursor, "", 0).is_some() && !self.numbers.is_empty() {
                return true;
            }
        }
        false
    }

    /// The members up to the closing brace.
    fn members(&mut self, cursor: &mut Cursor, outer: &str, depth: usize) -> Option<()> {
        loop {
            cursor.blanks();
            if cursor.take(b'}') {
                return Some(());
            }
            let name = cursor.quoted()?;
            cursor.blanks();
            if !cursor.take(b':') {
                return None;
            }
            cursor.blanks();
            let name = if outer.is_empty() { name.to_string() } else { format!("{outer}/{name}") };
            if cursor.peek() == Some(b'{') && depth < DEEPEST {
                cursor.at += 1;
                self.members(cursor, &name, depth + 1)?;
            } else {
                let value = cursor.value()?;
                self.value(name, value);
            }
            cursor.blanks();
            if !cursor.take(b',') {
                return cursor.take(b'}').then_some(());
            }
        }
    }

    fn value(&mut self, name: String, text: &str) {
        if let Some(x) = self.scalar(text) {
            self.numbers.push((name, x));
            return;
        }
        if name == "t" && self.t.is_none() {
            self.t = Time::parse(text.trim_matches('"'));
        }
        let list = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
        let items: Vec<Option<f64>> =
            list.map(|t| t.split(',').take(64).map(|i| self.scalar(i)).collect()).unwrap_or_default();
        if items.is_empty() || items.contains(&None) {
            self.others += 1;
        } else {
            self.numbers.extend(items.into_iter().flatten().enumerate().map(|(i, x)| (format!("{name}.{i}"), x)));
        }
    }

    /// `0.5`, `'0.5'`, `nan`, `tensor(0.5, …)`, `np.float64(0.5)`.
    fn scalar(&mut self, text: &str) -> Option<f64> {
        let mut text = text.trim();
        for quote in ['"', '\''] {
            text = text.strip_prefix(quote).and_then(|t| t.strip_suffix(quote)).unwrap_or(text);
        }
        for call in ["tensor", "np.", "numpy.", "array", "Array", "jnp."] {
            if text.starts_with(call) {
                let inner = text.split_once('(')?.1;
                text = inner.split([',', ')']).next()?.trim();
            }
        }
        if text.len() > 40 {
            return None;
        }
        tokenize(text, &mut self.tokens);
        match self.tokens.as_slice() {
            [one] if one.kind == Kind::Number && one.to == text.len() && !text.contains('%') => Some(one.value),
            _ => None,
        }
    }
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    /// A quoted name, without undoing escapes: names of metrics have none.
    fn quoted(&mut self) -> Option<&'a str> {
        let quote = self.peek().filter(|b| matches!(b, b'"' | b'\''))?;
        let from = self.at + 1;
        let len = self.text.as_bytes().get(from..)?.iter().take(200).position(|b| *b == quote)?;
        self.at = from + len + 1;
        self.text.get(from..from + len).filter(|name| !name.is_empty())
    }

    /// The text of a value: up to a comma or brace outside of brackets and quotes.
    fn value(&mut self) -> Option<&'a str> {
        let from = self.at;
        let mut depth = 0usize;
        let mut quote = None;
        while let Some(b) = self.peek() {
            match (quote, b) {
                (Some(_), b'\\') => self.at += 1,
                (Some(q), b) if q == b => quote = None,
                (Some(_), _) => {}
                (None, b'"' | b'\'') => quote = Some(b),
                (None, b'(' | b'[' | b'{') => depth += 1,
                (None, b',' | b'}') if depth == 0 => return self.text.get(from..self.at).map(str::trim),
                (None, b')' | b']' | b'}') => depth = depth.checked_sub(1)?,
                _ => {}
            }
            self.at += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<Vec<(String, f64)>> {
        let mut members = Members::default();
        members.read(line).then_some(members.numbers)
    }

    #[test]
    fn objects_in_lines() {
        let show = |line| read(line).map(|m| m.iter().map(|(n, x)| format!("{n}={x}")).collect::<Vec<_>>().join(" "));
        for (line, wanted) in [
            (r#"json_stats: {"acc": 1.000000, "eta": "0:21:51", "iter": 5}"#, Some("acc=1 iter=5")),
            ("{'loss': '0.69', 'epoch': 0.5, 'x': nan}", Some("loss=0.69 epoch=0.5 x=NaN")),
            ("{'a': np.float64(0.5), 'b': tensor(0.25, device='cuda:0'), 'c': None}", Some("a=0.5 b=0.25")),
            (r#"{"a": {"b": 1, "c": [1, 2]}, "d": [[1]]}"#, Some("a/b=1 a/c.0=1 a/c.1=2")),
            (r#"f{x} {"k": 1}"#, Some("k=1")),
            (r#"{"k": 1"#, None),
            ("{}", None),
            ("{k: 1}", None),
            (r#"{"k": "}{"}"#, None),
        ] {
            assert_eq!(show(line).as_deref(), wanted, "{line}");
        }
        assert_eq!(read(&r#"{"a":"#.repeat(20_000)), None);
        assert_eq!(read(&"{".repeat(60_000)), None);
        assert_eq!(read(&format!("{}1{}", r#"{"a":"#.repeat(20), "}".repeat(20))), None);
    }
}
