//! Mail addresses: `me@example.org`, `Me <me@example.org>`. Narrower than RFC 5322 on purpose: no comments, no quoted
//! local parts, nothing that could be taken for an option or another command.

use super::encode;
use std::fmt;

/// Somebody's address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// The name people see; may be empty
    pub name: String,
    /// `LOCAL@DOMAIN`
    pub mailbox: String,
}

impl Address {
    /// Reads one address.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Address, String> {
        let text = text.trim();
        let (name, mailbox) = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
            Some((name, mailbox)) => (unquoted(name.trim()), mailbox),
            None => (String::new(), text),
        };
        if text.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
            return Err(format!("'{text}' is no mail address: it holds control characters"));
        }
        check(mailbox).map_err(|why| format!("'{text}' is no mail address: {why}"))?;
        Ok(Address { name, mailbox: mailbox.to_string() })
    }

    /// Reads several, separated by commas; `"Doe, Jane" <jane@example.org>` is one.
    ///
    /// # Errors
    /// One of them is wrong.
    pub fn parse_list(text: &str) -> Result<Vec<Address>, String> {
        let (mut quoted, mut escaped) = (false, false);
        let is_between = |c: char| {
            quoted ^= c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            c == ',' && !quoted
        };
        text.split(is_between).filter(|part| !part.trim().is_empty()).map(Address::parse).collect()
    }

    /// What follows the `@`.
    pub fn domain(&self) -> &str {
        self.mailbox.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// As it stands in a header.
    pub(super) fn header(&self) -> String {
        if self.name.is_empty() {
            return self.mailbox.clone();
        }
        let phrase = encode::phrase(&self.name);
        let short = !phrase.contains('\r') && phrase.len() + self.mailbox.len() < 60;
        format!("{phrase}{} <{}>", if short { "" } else { "\r\n" }, self.mailbox)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.name.as_str() {
            "" => f.write_str(&self.mailbox),
            // As it would be taken apart when it is read back.
            name if name.contains([',', '"', '\\']) => {
                write!(f, "\"{}\" <{}>", name.replace('\\', "\\\\").replace('"', "\\\""), self.mailbox)
            }
            name => write!(f, "{name} <{}>", self.mailbox),
        }
    }
}

/// `"Doe, \"J\""` without its quotes; what is not quoted as it is.
fn unquoted(name: &str) -> String {
    let Some(inner) = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) else { return name.to_string() };
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        out.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    out
}

/// What is wrong with `LOCAL@DOMAIN`, in words. Lengths are those of RFC 5321 section 4.5.3.1.
fn check(mailbox: &str) -> Result<(), &'static str> {
    let (local, domain) = mailbox.rsplit_once('@').ok_or("it has no '@'")?;
    if local.is_empty() || domain.is_empty() {
        return Err("nothing on one side of the '@'");
    }
    if local.len() > 64 || domain.len() > 255 {
        return Err("it is too long");
    }
    if mailbox.starts_with('-') {
        return Err("it begins with '-'");
    }
    let atom =
        |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c) || (!c.is_ascii() && !c.is_control());
    let in_domain = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c) || c.is_alphanumeric();
    if !local.chars().all(atom) || local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return Err("what stands before the '@' holds characters that do not belong there");
    }
    let literal = domain.strip_prefix('[').and_then(|d| d.strip_suffix(']'));
    let good = match literal {
        Some(ip) => ip.bytes().all(|b| b.is_ascii_hexdigit() || b".:IPv6".contains(&b)),
        None => domain.chars().all(in_domain) && !domain.starts_with(['.', '-']) && !domain.ends_with(['.', '-']),
    };
    if good { Ok(()) } else { Err("what stands after the '@' is no name of a host") }
}
