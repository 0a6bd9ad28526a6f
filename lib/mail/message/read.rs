//! Reads back what `Message::render` wrote, for people: the main headers, the text, and what else there is. Of messages
//! from elsewhere it shows what it can.

use super::encode::decode_base64;

/// A message as a person wants to see it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// Headers with their names, unfolded and decoded
    pub headers: Vec<(String, String)>,
    /// The plain text
    pub text: String,
    /// The other parts: type, file name, bytes
    pub parts: Vec<(String, String, usize)>,
}

impl Reading {
    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// Deepest nesting of parts that is looked into.
const DEEPEST: usize = 8;

/// Reads a message.
pub fn read(bytes: &[u8]) -> Reading {
    let text = String::from_utf8_lossy(bytes);
    let (headers, body) = split(&text);
    let mut reading = Reading::default();
    part(&headers, body, 0, &mut reading);
    reading.headers = headers.into_iter().map(|(name, value)| (name, decode_words(&value))).collect();
    reading
}

type Headers = Vec<(String, String)>;

/// Headers, unfolded, and what follows the empty line.
fn split(text: &str) -> (Headers, &str) {
    let mut headers: Headers = Vec::new();
    let mut rest = text;
    while let Some((line, after)) = rest.split_once('\n') {
        rest = after;
        let line = line.trim_end_matches('\r');
        if line.is_empty() {
            break;
        }
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = headers.last_mut() {
                *value = format!("{value} {}", line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            headers.push((name.to_string(), value.trim().to_string()));
        }
    }
    (headers, rest)
}

fn part(headers: &[(String, String)], body: &str, depth: usize, into: &mut Reading) {
    let header =
        |name: &str| headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map_or("", |(_, v)| v.as_str());
    let kind = header("Content-Type");
    let short = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if short.starts_with("multipart/") && depth < DEEPEST {
        let boundary =
            kind.split_once("boundary=").map_or("", |(_, b)| b.split(';').next().unwrap_or_default().trim_matches('"'));
        let separator = format!("--{boundary}");
        let mut current: Option<String> = None;
        for line in body.split_inclusive('\n') {
            let bare = line.trim_end();
            if bare == separator || bare == format!("{separator}--") {
                if let Some(text) = current.take() {
                    let (headers, body) = split(&text);
                    part(&headers, body, depth + 1, into);
                }
                current = (bare == separator).then(String::new);
            } else if let Some(current) = &mut current {
                current.push_str(line);
            }
        }
        return;
    }
    let bytes = match header("Content-Transfer-Encoding").to_ascii_lowercase().as_str() {
        "base64" => decode_base64(body.as_bytes()).unwrap_or_default(),
        _ => body.as_bytes().to_vec(),
    };
    let is_text = short.is_empty() || short == "text/plain";
    if is_text && into.text.is_empty() && !header("Content-Disposition").starts_with("attachment") {
        into.text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
    } else {
        into.parts.push((short, file_name(header("Content-Disposition")), bytes.len()));
    }
}

/// The file name of a Content-Disposition, plain or by RFC 2231.
fn file_name(disposition: &str) -> String {
    let mut plain = String::new();
    let mut bytes = Vec::new();
    for parameter in disposition.split(';').skip(1) {
        let Some((name, value)) = parameter.trim().split_once('=') else { continue };
        if name == "filename" {
            plain = value.trim_matches('"').to_string();
        } else if name.starts_with("filename*") {
            percent(value.strip_prefix("utf-8''").unwrap_or(value), &mut bytes);
        }
    }
    if bytes.is_empty() { plain } else { String::from_utf8_lossy(&bytes).into_owned() }
}

fn percent(text: &str, out: &mut Vec<u8>) {
    let mut left = text.as_bytes();
    while let Some((first, rest)) = left.split_first() {
        let hex = rest.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match hex.filter(|_| *first == b'%') {
            Some(byte) => {
                out.push(byte);
                left = rest.get(2..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                left = rest;
            }
        }
    }
}

/// Encoded words of RFC 2047 in base64 as text; blanks between two of them mean nothing.
fn decode_words(text: &str) -> String {
    let mut out = String::new();
    let mut after_word = false;
    for word in text.split(' ') {
        let inner = word.strip_prefix("=?utf-8?B?").and_then(|w| w.strip_suffix("?="));
        let decoded = inner.and_then(|w| decode_base64(w.as_bytes())).and_then(|b| String::from_utf8(b).ok());
        if !(out.is_empty() || after_word && decoded.is_some()) {
            out.push(' ');
        }
        after_word = decoded.is_some();
        out.push_str(decoded.as_deref().unwrap_or(word));
    }
    out
}
