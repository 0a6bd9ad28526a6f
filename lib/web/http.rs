//! The head of a request, HTTP/1.1 (RFC 9112), read strictly: what two readers could understand in two ways is refused.
//!
//! `scan` looks for the end of a head in what has come so far and refuses at once what cannot become one: a bare line
//! feed, a control character, a line or a head that is too long. `Head::parse` then takes it apart. A folded line, a name
//! before which or after which blanks stand, two lengths, two hosts, a length beside an encoding are refused; an encoding
//! alone too, for every client of this server knows the length. The target is decoded once; a path is for comparing with
//! what is served, never for opening a file.

use crate::base::json::Value;
use std::fmt::Write;

/// Longest request line.
const LONGEST_LINE: usize = 8 << 10;
/// Longest head: request line and headers.
const LONGEST_HEAD: usize = 16 << 10;
/// Most header lines.
const MOST_HEADERS: usize = 100;

/// A request that is refused: status, and words for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub u16, pub &'static str);

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// HEAD
    Head,
    /// POST
    Post,
    /// Any other: understood, and never allowed
    Other,
}

/// A request without its body.
#[derive(Clone, Debug)]
pub struct Head {
    /// What is asked for
    pub method: Method,
    /// The path, decoded; begins with '/'
    pub path: String,
    /// Names and values of the query, decoded
    pub query: Vec<(String, String)>,
    /// Whether it is HTTP/1.0
    pub is_old: bool,
    /// The host it is meant for, with the port if one was said; None in HTTP/1.0 only
    pub host: Option<String>,
    /// Bytes of its body
    pub length: u64,
    headers: Vec<(String, String)>,
}

/// Where a head ends.
#[derive(Debug, PartialEq, Eq)]
pub enum Scan {
    /// Not yet
    More,
    /// After so many bytes
    End(usize),
}

/// Looks for the end of the head. `bytes` begins with the request line; `from`: so many were looked at before.
///
/// # Errors
/// It is none, or too long.
pub fn scan(bytes: &[u8], from: usize) -> Result<Scan, Refused> {
    for (at, byte) in bytes.iter().enumerate().skip(from) {
        let is_after = |before: &[u8]| bytes.get(..at).is_some_and(|start| start.ends_with(before));
        match byte {
            b'\n' if is_after(b"\r\n\r") => return Ok(Scan::End(at + 1)),
            b'\n' if !is_after(b"\r") => return Err(Refused(400, "a line ends without a carriage return")),
            b'\n' => {}
            _ if is_after(b"\r") => return Err(Refused(400, "a carriage return within a line")),
            b'\r' | b'\t' => {}
            0..=0x1f | 0x7f => return Err(Refused(400, "a control character in the head")),
            _ => {}
        }
        if at == LONGEST_LINE && !bytes.get(..at).unwrap_or_default().contains(&b'\n') {
            return Err(Refused(414, "the request line is too long"));
        }
        if at >= LONGEST_HEAD {
            return Err(Refused(431, "the headers are too long"));
        }
    }
    Ok(Scan::More)
}

impl Head {
    /// Takes a whole head apart, the empty line at its end included.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(bytes: &[u8]) -> Result<Head, Refused> {
        let text = bytes.strip_suffix(b"\r\n\r\n").unwrap_or(bytes);
        let mut lines = text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let first = str::from_utf8(lines.next().unwrap_or_default());
        let first = first.map_err(|_| Refused(400, "the request line is no text"))?;
        let (method, target, is_old) = request_line(first)?;
        let headers = lines.map(header).collect::<Result<Vec<_>, _>>()?;
        if headers.len() > MOST_HEADERS {
            return Err(Refused(431, "too many headers"));
        }
        let (authority, target) = split_target(target)?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut head = Head {
            method,
            path: decode(path, false)?,
            query: pairs(query)?,
            is_old,
            host: authority.map(str::to_string),
            length: 0,
            headers,
        };
        head.length = head.find_length()?;
        head.check_host()?;
        Ok(head)
    }

    /// The header of a name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// All headers of a name (in lower case).
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// A value of the query.
    pub fn asked(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Whether the client wants the connection closed after the answer.
    pub fn closes(&self) -> bool {
        self.is_old || self.headers("connection").any(|value| has_word(value, "close"))
    }

    /// Whether the client waits for a word before it sends the body.
    ///
    /// # Errors
    /// It expects something else.
    pub fn waits(&self) -> Result<bool, Refused> {
        match self.header("expect") {
            None => Ok(false),
            Some(word) if word.eq_ignore_ascii_case("100-continue") => Ok(!self.is_old),
            Some(_) => Err(Refused(417, "what is expected is not known here")),
        }
    }

    fn find_length(&self) -> Result<u64, Refused> {
        let mut lengths = self.headers("content-length");
        let (first, more) = (lengths.next(), lengths.next().is_some());
        if let Some(coding) = self.header("transfer-encoding") {
            return Err(match (first, self.is_old, coding.eq_ignore_ascii_case("chunked")) {
                (None, false, true) => Refused(411, "a body in chunks: say its length"),
                (None, false, false) => Refused(501, "an encoding that is not known here"),
                _ => Refused(400, "an encoding where there can be none"),
            });
        }
        let Some(text) = first else { return Ok(0) };
        if more || text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Refused(400, "not one length of the body"));
        }
        text.parse().map_err(|_| Refused(413, "the body is too long"))
    }

    /// One host, said in the target or else by the header, which must be there all the same.
    fn check_host(&mut self) -> Result<(), Refused> {
        let first = self.header("host").map(str::to_string);
        let more = self.headers("host").count() > 1;
        let is_plain = |host: &str| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte));
        if more || first.is_none() && !self.is_old || !first.as_deref().is_none_or(is_plain) {
            return Err(Refused(400, "not one host"));
        }
        if self.host.as_deref().is_some_and(|host| !is_plain(host)) {
            return Err(Refused(400, "the target is no address of this server"));
        }
        self.host = self.host.take().or(first);
        Ok(())
    }
}

/// Whether a comma-separated list has a word.
fn has_word(list: &str, word: &str) -> bool {
    list.split(',').any(|item| item.trim().eq_ignore_ascii_case(word))
}

fn is_token(text: &[u8]) -> bool {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && text.iter().all(is_token)
}

fn request_line(line: &str) -> Result<(Method, &str, bool), Refused> {
    let words: Vec<&str> = line.split(' ').collect();
    let [method, target, version] = words.as_slice() else {
        return Err(Refused(400, "the request line is not METHOD TARGET HTTP/1.1"));
    };
    let is_old = match *version {
        "HTTP/1.1" => false,
        "HTTP/1.0" => true,
        other => match other.strip_prefix("HTTP/").map(str::as_bytes) {
            Some([b'1', b'.', b'2'..=b'9']) => false,
            Some([b'0'..=b'9', b'.', b'0'..=b'9']) => return Err(Refused(505, "this server speaks HTTP/1.1")),
            _ => return Err(Refused(400, "the request line is not METHOD TARGET HTTP/1.1")),
        },
    };
    if !is_token(method.as_bytes()) || !target.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Refused(400, "the request line has an odd character"));
    }
    let method = match *method {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        _ => Method::Other,
    };
    Ok((method, *target, is_old))
}

fn header(line: &[u8]) -> Result<(String, String), Refused> {
    let Some(at) = line.iter().position(|byte| *byte == b':') else {
        return Err(Refused(400, "a header without a colon"));
    };
    let (name, value) = line.split_at(at);
    if !is_token(name) {
        return Err(Refused(400, "the name of a header has an odd character"));
    }
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    let value = String::from_utf8_lossy(value.get(1..).unwrap_or_default());
    Ok((name, value.trim_matches([' ', '\t']).to_string()))
}

/// The host of a target in absolute form (`http://HOST/PATH`), and its path and query.
fn split_target(target: &str) -> Result<(Option<&str>, &str), Refused> {
    let bad = Refused(400, "the target is no address of this server");
    if target.contains('#') {
        return Err(bad);
    }
    if target.starts_with('/') {
        return Ok((None, target));
    }
    let scheme = |name: &str| target.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let rest = target.get("http://".len()..).filter(|_| scheme("http://")).ok_or(bad)?;
    Ok(match rest.find(['/', '?']) {
        Some(at) if rest[at..].starts_with('/') => (Some(&rest[..at]), &rest[at..]),
        Some(_) => return Err(Refused(400, "the target has no path")),
        None => (Some(rest), "/"),
    })
}

/// Decodes %XX, and in a query '+'.
fn decode(text: &str, is_query: bool) -> Result<String, Refused> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let pair = digit(rest.next()).zip(digit(rest.next()));
                let (high, low) = pair.ok_or(Refused(400, "a '%' without two digits"))?;
                (high * 16 + low) as u8
            }
            b'+' if is_query => b' ',
            other => other,
        });
    }
    let text = String::from_utf8(bytes).map_err(|_| Refused(400, "the target is not UTF-8"))?;
    if text.chars().any(char::is_control) { Err(Refused(400, "a control character in the target")) } else { Ok(text) }
}

fn pairs(query: &str) -> Result<Vec<(String, String)>, Refused> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    let pair = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        Ok((decode(name, true)?, decode(value, true)?))
    };
    parts.map(pair).collect()
}

/// The words that go with a status.
pub fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "Error",
    }
}

/// What is refused, as JSON: `{"error":"words"}`.
pub fn error_text(words: &str) -> String {
    let mut text = String::from("{\"error\":");
    let _ = write!(text, "{}}}", Value::from(words));
    text
}

#[cfg(test)]
mod tests;
