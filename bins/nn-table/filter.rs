//! Conditions (`lr>0.01`, `state=failed`) and sorting. Numbers compare as numbers; a condition on a value that is missing
//! does not hold, but for `!=`; what is missing or NaN is sorted last in both directions.

use crate::Entry;
use crate::columns::Column;
use nn::base::error::{Error, Result};
use nn::base::json::Value;
use std::cmp::Ordering;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Test {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Contains,
}

/// Longer signs first, so that `<=` is not read as `<`.
const TESTS: [(&str, Test); 8] = [
    ("!=", Test::Unequal),
    ("<=", Test::LessOrEqual),
    (">=", Test::GreaterOrEqual),
    ("==", Test::Equal),
    ("=", Test::Equal),
    ("<", Test::Less),
    (">", Test::Greater),
    ("~", Test::Contains),
];

/// What must hold of a run.
pub struct Condition {
    column: Column,
    test: Test,
    word: String,
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// There is no comparison in it.
    pub fn parse(text: &str) -> Result<Condition> {
        let at = text.find(['=', '!', '<', '>', '~']);
        let found = at.and_then(|at| {
            let (column, rest) = text.split_at(at);
            let (sign, test) = TESTS.into_iter().find(|(sign, _)| rest.starts_with(sign))?;
            Some((column.trim(), test, rest[sign.len()..].trim()))
        });
        match found {
            Some((column, test, word)) if !column.is_empty() => {
                Ok(Condition { column: Column::parse(column), test, word: word.to_string() })
            }
            _ => Err(Error::usage(format!("--where: '{text}': expected COLUMN=VALUE, or != < <= > >= ~ (contains)"))),
        }
    }

    /// The column it asks about.
    pub fn column(&self) -> &Column {
        &self.column
    }

    /// Whether it holds.
    pub fn holds(&self, entry: &Entry, epochs: &[f64]) -> bool {
        let value = self.column.value(entry, epochs);
        if value == Value::Null {
            return self.test == Test::Unequal;
        }
        let word = self.word.as_str();
        if self.test == Test::Contains {
            return value.plain().contains(word);
        }
        let order = match (number(&value), number(&Value::from(word))) {
            (Some(a), Some(b)) => a.partial_cmp(&b),
            _ => Some(value.plain().as_str().cmp(word)),
        };
        match self.test {
            Test::Equal => order == Some(Ordering::Equal),
            Test::Unequal => order != Some(Ordering::Equal),
            Test::Less => order == Some(Ordering::Less),
            Test::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Test::Greater => order == Some(Ordering::Greater),
            Test::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            Test::Contains => false,
        }
    }
}

/// A value as a number, also when it stands as text.
fn number(value: &Value) -> Option<f64> {
    value.as_num().or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

/// Sorts by a column; equal ones stay in their order.
pub fn sort(entries: &mut [Entry], column: &Column, reverse: bool, epochs: &[f64]) {
    entries.sort_by_cached_key(|entry| Key::new(column.value(entry, epochs), reverse));
}

/// Numbers before texts before nothing.
struct Key {
    rank: u8,
    number: f64,
    text: String,
    reverse: bool,
}

impl Key {
    fn new(value: Value, reverse: bool) -> Key {
        let number = number(&value);
        match number {
            Some(number) if !number.is_nan() => Key { rank: 0, number, text: String::new(), reverse },
            None if value != Value::Null => Key { rank: 1, number: 0.0, text: value.plain(), reverse },
            _ => Key { rank: 2, number: 0.0, text: String::new(), reverse },
        }
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Key) -> Ordering {
        let within = self.number.total_cmp(&other.number).then_with(|| self.text.cmp(&other.text));
        self.rank.cmp(&other.rank).then(if self.reverse { within.reverse() } else { within })
    }
}
impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Key {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs() {
        for (text, test) in [
            ("a=1", Test::Equal),
            ("a == 1", Test::Equal),
            ("a!=1", Test::Unequal),
            ("a<=1", Test::LessOrEqual),
            ("a<1", Test::Less),
            ("a~x=y", Test::Contains),
        ] {
            assert_eq!(Condition::parse(text).ok().map(|c| c.test), Some(test), "{text}");
        }
        for text in ["", "a", "=1", "a!1"] {
            assert!(Condition::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn nothing_comes_last_both_ways() {
        for reverse in [false, true] {
            let key = |v: Value| Key::new(v, reverse);
            assert!(key(Value::Int(1)) < key(Value::Null));
            assert!(key(Value::Int(1)) < key(f64::NAN.into()));
            assert_eq!(key(Value::Int(1)) < key(Value::Num(2.5)), !reverse);
            assert!(key("x".into()) < key(Value::Null));
        }
    }
}
