//! Templates: text with `{parameter}` in it, and commands split into words the way a shell does.
//!
//! A command is split when the specification is read, before anything is put in its places: so a value is one word or
//! part of one, whatever it holds. `{{` and `}}` are braces. What only a shell could do (pipes, variables, patterns) is
//! refused unless it is quoted, for no shell will see it.

use std::iter::Peekable;
use std::str::Chars;

/// A piece of a template.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// As it stands
    Text(String),
    /// What the parameter of this name holds
    Place(String),
}

/// A text with places for parameters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Template(pub Vec<Part>);

impl Template {
    /// A text without places, braces and all.
    pub fn literal(text: &str) -> Template {
        Template(vec![Part::Text(text.to_string())])
    }

    /// Text with places, not split into words.
    ///
    /// # Errors
    /// A sentence about a brace without its partner.
    pub fn parse(text: &str) -> Result<Template, String> {
        let mut template = Template::default();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            template.take(c, &mut chars)?;
        }
        Ok(template)
    }

    /// The names of its places.
    pub fn places(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| if let Part::Place(name) = part { Some(name.as_str()) } else { None })
    }

    fn push(&mut self, c: char) {
        match self.0.last_mut() {
            Some(Part::Text(text)) => text.push(c),
            _ => self.0.push(Part::Text(c.to_string())),
        }
    }

    /// Adds a character, or the place it begins.
    fn take(&mut self, c: char, chars: &mut Peekable<Chars>) -> Result<(), String> {
        match c {
            '{' | '}' if chars.next_if_eq(&c).is_some() => self.push(c),
            '{' => {
                let mut name = String::new();
                loop {
                    match chars.next() {
                        Some('}') => break,
                        Some('{') | None => return Err("'{' without '}' (write '{{' for a brace)".into()),
                        Some(c) => name.push(c),
                    }
                }
                let name = name.trim();
                if name.is_empty() {
                    return Err("'{}' names no parameter (write '{{}}' for the braces)".into());
                }
                self.0.push(Part::Place(name.to_string()));
            }
            '}' => return Err("'}' without '{' (write '}}' for a brace)".into()),
            c => self.push(c),
        }
        Ok(())
    }
}

/// A command as its words.
///
/// # Errors
/// A sentence: a quote or brace without its partner, or something that only a shell could do.
pub fn split(text: &str) -> Result<Vec<Template>, String> {
    let mut words = Vec::new();
    let mut word: Option<Template> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => words.extend(word.take()),
            '\'' => single(word.get_or_insert_default(), &mut chars)?,
            '"' => double(word.get_or_insert_default(), &mut chars)?,
            '\\' => word.get_or_insert_default().push(chars.next().ok_or("'\\' at the end quotes nothing")?),
            '~' if word.is_some() => word.get_or_insert_default().push('~'),
            '|' | '&' | ';' | '<' | '>' | '$' | '`' | '*' | '(' | ')' | '~' => return Err(needs_shell(c)),
            c => word.get_or_insert_default().take(c, &mut chars)?,
        }
    }
    words.extend(word);
    match words.first().and_then(|word| word.0.first()) {
        None => Err("the command is empty".into()),
        Some(Part::Text(text)) if is_assignment(text) => {
            Err(format!("'{text}' would need a shell: begin the command with env"))
        }
        Some(_) => Ok(words),
    }
}

/// Whether a command's first word sets a variable, in a shell.
fn is_assignment(word: &str) -> bool {
    let name = word.split_once('=').map_or("", |(name, _)| name);
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn needs_shell(c: char) -> String {
    format!("'{c}' would need a shell: quote it, or write the command as sh -c '...'")
}

fn single(word: &mut Template, chars: &mut Peekable<Chars>) -> Result<(), String> {
    loop {
        match chars.next().ok_or("a single quote is not closed")? {
            '\'' => return Ok(()),
            c => word.take(c, chars)?,
        }
    }
}

fn double(word: &mut Template, chars: &mut Peekable<Chars>) -> Result<(), String> {
    loop {
        match chars.next().ok_or("a double quote is not closed")? {
            '"' => return Ok(()),
            '\\' => match chars.next_if(|c| "\\\"$`".contains(*c)) {
                Some(c) => word.push(c),
                None => word.push('\\'),
            },
            c @ ('$' | '`') => return Err(needs_shell(c)),
            c => word.take(c, chars)?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Place(name) => format!("<{name}>"),
        };
        split(text).unwrap().iter().map(|word| word.0.iter().map(part).collect()).collect()
    }

    #[test]
    fn words_as_a_shell_splits_them() {
        assert_eq!(shown("python  rnn.py\t-lr {lr}"), ["python", "rnn.py", "-lr", "<lr>"]);
        assert_eq!(shown("a 'b c' \"d \\\" e\" f\\ g '' h'i'j"), ["a", "b c", "d \" e", "f g", "", "hij"]);
        assert_eq!(shown("-n{sequence len} --x='{a b}'"), ["-n<sequence len>", "--x=<a b>"]);
        assert_eq!(shown("sh -c 'cat \"$1\" | wc' sh {file}"), ["sh", "-c", "cat \"$1\" | wc", "sh", "<file>"]);
        assert_eq!(shown("{{}} '{{a}}' a~b \\~"), ["{}", "{a}", "a~b", "~"]);
    }

    #[test]
    fn refused() {
        for (text, part) in [
            ("a | b", "'|' would need a shell"),
            ("a > b", "'>'"),
            ("a $HOME", "'$'"),
            ("a \"$HOME\"", "'$'"),
            ("~/a", "'~'"),
            ("a 'b", "single quote"),
            ("a \"b", "double quote"),
            ("a {b", "without '}'"),
            ("a b}", "without '{'"),
            ("a {}", "names no parameter"),
            ("a \\", "quotes nothing"),
            (" ", "empty"),
            ("''", "empty"),
            ("A=1 b", "begin the command with env"),
        ] {
            let what = split(text).unwrap_err();
            assert!(what.contains(part), "{text}: {what}");
        }
    }
}
