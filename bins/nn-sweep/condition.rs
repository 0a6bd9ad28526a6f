//! Conditions of `[exclude]`: `activation=relu lr>0.05`; all on one line must hold. Numbers compare as numbers. What a
//! parameter of another experiment asks for does not hold where the parameter is missing, but for `!=`.

use std::cmp::Ordering;

/// One comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The parameter
    pub name: String,
    op: Op,
    value: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Op {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

const OPS: [(&str, Op); 7] = [
    ("!=", Op::NotEqual),
    ("<=", Op::LessOrEqual),
    (">=", Op::GreaterOrEqual),
    ("==", Op::Equal),
    ("=", Op::Equal),
    ("<", Op::Less),
    (">", Op::Greater),
];

impl Condition {
    /// The conditions of one line.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn parse_all(line: &str) -> Result<Vec<Condition>, String> {
        let mut conditions = Vec::new();
        let mut rest = line.trim();
        while !rest.is_empty() {
            let wrong = || format!("'{rest}': expected PARAMETER=VALUE, or != < <= > >=");
            let at = rest.find(['!', '=', '<', '>']).ok_or_else(wrong)?;
            let (name, after) = rest.split_at(at);
            let (sign, op) = *OPS.iter().find(|(sign, _)| after.starts_with(sign)).ok_or_else(wrong)?;
            let after = after.get(sign.len()..).unwrap_or_default().trim_start();
            let (value, left) = value(after)?;
            if name.trim().is_empty() || (value.is_empty() && !after.starts_with(['\'', '"'])) {
                return Err(wrong());
            }
            let ordered = !matches!(op, Op::Equal | Op::NotEqual);
            if ordered && number(value).is_none() {
                return Err(format!("'{value}' is no number: only = and != compare texts"));
            }
            conditions.push(Condition { name: name.trim().to_string(), op, value: value.to_string() });
            rest = left.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        }
        Ok(conditions)
    }

    /// Whether it holds for this value of the parameter.
    pub fn holds(&self, value: Option<&str>) -> bool {
        let Some(value) = value else { return self.op == Op::NotEqual };
        let order = match (number(value), number(&self.value)) {
            (Some(a), Some(b)) => a.partial_cmp(&b),
            _ if value == self.value => Some(Ordering::Equal),
            _ => None,
        };
        match self.op {
            Op::Equal => order == Some(Ordering::Equal),
            Op::NotEqual => order != Some(Ordering::Equal),
            Op::Less => order == Some(Ordering::Less),
            Op::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Op::Greater => order == Some(Ordering::Greater),
            Op::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        }
    }
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// The value at the start of a text, and what follows it.
fn value(text: &str) -> Result<(&str, &str), String> {
    if let Some(quote) = text.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        let inner = text.get(1..).unwrap_or_default();
        return inner.split_once(quote).ok_or_else(|| format!("a quote ({quote}) is not closed"));
    }
    let end = text.find(|c: char| c.is_whitespace() || c == ',').unwrap_or(text.len());
    Ok(text.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_and_held_against_values() {
        let read = |text: &str| Condition::parse_all(text).unwrap();
        assert_eq!(read("activation=relu lr > 0.05, sequence len != '1 2'").len(), 3);
        assert_eq!(read("a=1 sequence len != '1 2'")[1].name, "sequence len");
        for (text, value, holds) in [
            ("a=1", Some("1.0"), true),
            ("a==x", Some("x"), true),
            ("a=x", Some("y"), false),
            ("a!=x", None, true),
            ("a=x", None, false),
            ("a<0.1", Some("1e-3"), true),
            ("a>=2", Some("2"), true),
            ("a<=2", Some("x"), false),
            ("a=''", Some(""), true),
        ] {
            assert_eq!(read(text)[0].holds(value), holds, "{text} {value:?}");
        }
    }

    #[test]
    fn refused() {
        for text in ["a", "=1", "a=", "a!1", "a<x", "a='x", "a=1 b"] {
            assert!(Condition::parse_all(text).is_err(), "{text}");
        }
    }
}
