//! An answer: status, headers, body. Each carries the headers that keep a browser from doing with it what it is not for:
//! no script but the page's own, no frame around it, no guess at its type, nothing told to other sites.

use super::http::{self, Head, Refused};
use crate::base::hash::Hasher;
use crate::base::time::Time;
use std::fmt::Write;
use std::ops::Deref;
use std::sync::Arc;

/// What every answer says of how it may be used.
const SECURITY: &str = "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n\
     X-Content-Type-Options: nosniff\r\n\
     Referrer-Policy: no-referrer\r\n\
     Cross-Origin-Resource-Policy: same-origin\r\n";

/// The type of JSON.
const JSON: &str = "application/json; charset=utf-8";

/// What is in an answer.
#[derive(Clone, Debug)]
pub enum Body {
    /// A part of the program
    Fixed(&'static [u8]),
    /// Made for this answer
    Own(Vec<u8>),
    /// The same for many who ask
    Shared(Arc<Vec<u8>>),
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Body::Fixed(bytes) => bytes,
            Body::Own(bytes) => bytes,
            Body::Shared(bytes) => bytes,
        }
    }
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status
    pub status: u16,
    kind: &'static str,
    caching: &'static str,
    headers: Vec<(&'static str, String)>,
    /// Its body
    pub body: Body,
}

impl Response {
    /// JSON that is written out already.
    pub fn json(text: impl Into<String>) -> Response {
        let mut bytes = text.into().into_bytes();
        bytes.shrink_to_fit();
        Response::of_body(Body::Own(bytes))
    }

    /// The same for many who ask.
    pub fn shared_json(text: Arc<Vec<u8>>) -> Response {
        Response::of_body(Body::Shared(text))
    }

    fn of_body(body: Body) -> Response {
        Response { status: 200, kind: JSON, caching: "no-store", headers: Vec::new(), body }
    }

    /// A file of the page, or that it is still the one that the client has.
    pub fn file(kind: &'static str, bytes: &'static [u8], head: &Head) -> Response {
        let mut hasher = Hasher::new();
        hasher.bytes(bytes);
        let tag = format!("\"{}\"", hasher.finish());
        let has_it = head.header("if-none-match") == Some(&tag);
        let (status, body) = if has_it { (304, Body::Fixed(b"")) } else { (200, Body::Fixed(bytes)) };
        Response { status, kind, caching: "no-cache", headers: vec![("ETag", tag)], body }
    }

    /// A failure, in words for a person.
    pub fn error(status: u16, words: &str) -> Response {
        Response { status, ..Response::json(http::error_text(words)) }
    }

    /// The beginning of a stream of events, which ends with the connection.
    pub fn events() -> Response {
        Response { kind: "text/event-stream", ..Response::json("") }
    }

    /// One more header. A line feed in it would begin another: such a value is left out.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Response {
        let value = value.into();
        if !value.chars().any(char::is_control) {
            self.headers.push((name, value));
        }
        self
    }

    /// The head as it is sent. `closes`: the connection ends after it.
    pub fn head(&self, closes: bool) -> Vec<u8> {
        let mut text = String::with_capacity(1024);
        let _ = write!(text, "HTTP/1.1 {} {}\r\n", self.status, http::reason(self.status));
        let _ = write!(text, "Date: {} GMT\r\nContent-Type: {}\r\n", Time::now().of_protocols(), self.kind);
        if self.kind != "text/event-stream" && self.status != 304 {
            let _ = write!(text, "Content-Length: {}\r\n", self.body.len());
        }
        let _ = write!(text, "Cache-Control: {}\r\n{SECURITY}", self.caching);
        for (name, value) in &self.headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        text.push_str(if closes { "Connection: close\r\n\r\n" } else { "\r\n" });
        text.into_bytes()
    }
}

impl From<Refused> for Response {
    fn from(Refused(status, words): Refused) -> Response {
        Response::error(status, words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_no_header() {
        let head = Response::error(403, "a \"b\"").with("X", "a\r\nY: b").with("Z", "c").head(true);
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 403 Forbidden\r\n") && head.ends_with("Connection: close\r\n\r\n"));
        assert!(head.contains("\r\nZ: c\r\n") && !head.contains("Y: b"));
        assert!(head.contains("\r\nContent-Length: 19\r\n"), "{head}");
    }
}
