//! The YAML of MLflow's meta.yaml: an object of plain, single-quoted or double-quoted texts, as PyYAML prints it, which
//! folds a long text: lines that begin with a blank go on with the one before. Lists and objects in it are passed over.

use crate::base::json::{self, Value};

/// Reads an object; all its values are texts.
///
/// # Errors
/// The line, and what is wrong there.
pub fn parse(text: &str) -> Result<Value, (usize, String)> {
    let mut members: Vec<(usize, String, String)> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with(['#', '-']) && !line.starts_with("-:") || line == "..." {
            continue;
        }
        if line.starts_with(' ') {
            let Some((_, _, value)) = members.last_mut() else { return Err((at + 1, "goes on with nothing".into())) };
            match value.strip_suffix('\\').map(str::len) {
                // In double quotes: no blank here.
                Some(end) if value.starts_with('"') => value.truncate(end),
                _ => value.push(' '),
            }
            let rest = line.trim_start();
            value.push_str(rest.strip_prefix('\\').filter(|_| value.starts_with('"')).unwrap_or(rest));
            continue;
        }
        let Some((key, value)) = line.split_once(':') else { return Err((at + 1, "is not 'key: value'".into())) };
        members.push((at + 1, key.to_string(), value.trim_start().to_string()));
    }
    let mut read = Vec::with_capacity(members.len());
    for (line, key, value) in members {
        let value = scalar(&value).ok_or((line, format!("'{key}' has a text in quotes that are not closed")))?;
        read.extend(value.map(|value| (key, Value::from(value))));
    }
    Ok(json::map(read))
}

/// A text; Some(None): nothing, or something else than a text.
fn scalar(text: &str) -> Option<Option<String>> {
    if let Some(rest) = text.strip_prefix('\'') {
        return rest.strip_suffix('\'').map(|inner| Some(inner.replace("''", "'")));
    }
    if let Some(rest) = text.strip_prefix('"') {
        return rest.strip_suffix('"').and_then(unescaped).map(Some);
    }
    Some(
        Some(text.to_string())
            .filter(|text| !text.starts_with(['[', '{']) && !matches!(text.as_str(), "" | "null" | "~")),
    )
}

/// Double-quoted text; None: it ends within an escape.
fn unescaped(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let escape = chars.next()?;
        let mut code = |digits: usize| {
            let code: String = chars.by_ref().take(digits).collect();
            (code.len() == digits).then_some(())?;
            char::from_u32(u32::from_str_radix(&code, 16).ok()?)
        };
        out.push(match escape {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            '0' => '\0',
            'x' => code(2)?,
            'u' => code(4)?,
            'U' => code(8)?,
            other => other,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_pyyaml_prints_it() {
        let text = "a: 1\nb: 'it''s'\nc: \"x\\ty \\xe9 \\u65e5\\\n  \\ z\\n\"\nd: null\ne: ''\ntags: []\nlist:\n- x\n- y\nf: one two\n  three\n";
        let read = parse(text).unwrap();
        assert_eq!(read.to_string(), r#"{"a":"1","b":"it's","c":"x\ty é 日 z\n","e":"","f":"one two three"}"#);
        for (text, line) in [(" a: 1", 1), ("a: 1\nb", 2), ("a: 'x", 1), ("a: \"\\u12\"", 1), ("a: \"x\\\"", 1)] {
            assert_eq!(parse(text).unwrap_err().0, line, "{text}");
        }
    }
}
