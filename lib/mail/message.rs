//! A mail message, RFC 5322 with MIME (RFC 2045 to 2047, 2231): what is said becomes bytes every server takes.
//!
//! Lines end in CRLF and have at most 78 characters where they can be folded; all is 7-bit but for addresses that are
//! not ASCII themselves. The plain text comes first and can be read alone; then HTML, the pictures it shows, and
//! attachments: mixed{ related{ alternative{ text, html }, pictures }, attachments }, of which only what is needed is
//! there. No field can begin another header: control characters in names, subjects and file names become blanks.

mod address;
mod encode;
mod read;

pub use address::Address;
pub use encode::{decode_base64, encode_base64};
pub use read::{Reading, read};

use crate::base::time::Time;
use std::fmt::Write;

/// A picture or a file that goes with a message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// Its file name, without a path
    pub name: String,
    /// Its media type, `image/png`
    pub kind: String,
    /// What the HTML calls it (`cid:…`); empty for an attachment
    pub cid: String,
    /// What is in it
    pub bytes: Vec<u8>,
}

impl Part {
    /// An attachment, its type told by the ending of its name and by what is in it.
    pub fn attachment(name: &str, bytes: Vec<u8>) -> Part {
        Part { name: name.to_string(), kind: kind_of(name, &bytes), cid: String::new(), bytes }
    }
}

/// A message to be written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// Who sends it
    pub from: Address,
    /// Whom it is for
    pub to: Vec<Address>,
    /// What it is about
    pub subject: String,
    /// When it was written
    pub date: Option<Time>,
    /// Its Message-ID, without the angle brackets
    pub id: String,
    /// Message-IDs of the thread it belongs to, the first one first
    pub references: Vec<String>,
    /// It was made by a program, not by a person: nobody's auto-reply shall answer
    pub automatic: bool,
    /// The text, readable alone
    pub text: String,
    /// The same in HTML
    pub html: Option<String>,
    /// Pictures in the HTML
    pub pictures: Vec<Part>,
    /// Attachments
    pub attachments: Vec<Part>,
}

impl Message {
    /// The message as it goes over the wire, but for dot-stuffing.
    pub fn render(&self) -> Vec<u8> {
        let mut out = String::new();
        let header = |out: &mut String, name: &str, value: &str| {
            let _ = write!(out, "{name}: {value}\r\n");
        };
        let date = self.date.unwrap_or_else(Time::now).of_protocols();
        header(&mut out, "Date", &format!("{date} +0000"));
        header(&mut out, "From", &self.from.header());
        let to: Vec<String> = self.to.iter().map(Address::header).collect();
        header(&mut out, "To", &to.join(",\r\n "));
        header(&mut out, "Message-ID", &format!("<{}>", self.id));
        if let Some(last) = self.references.last() {
            header(&mut out, "In-Reply-To", &format!("<{last}>"));
            let all: Vec<String> = self.references.iter().map(|id| format!("<{id}>")).collect();
            header(&mut out, "References", &all.join("\r\n "));
        }
        header(&mut out, "Subject", &encode::unstructured(&self.subject, "Subject: ".len()));
        if self.automatic {
            header(&mut out, "Auto-Submitted", "auto-generated");
        }
        header(&mut out, "MIME-Version", "1.0");
        let mut bytes = out.into_bytes();
        self.tree().write(&mut bytes, &self.boundary(), &mut 0);
        bytes
    }

    /// The parts as a tree.
    fn tree(&self) -> Tree<'_> {
        let mut body = Tree::Text("plain", &self.text);
        if let Some(html) = &self.html {
            body = Tree::Multi("alternative", vec![body, Tree::Text("html", html)]);
            if !self.pictures.is_empty() {
                let mut related = vec![body];
                related.extend(self.pictures.iter().map(Tree::File));
                body = Tree::Multi("related", related);
            }
        }
        if !self.attachments.is_empty() {
            let mut mixed = vec![body];
            mixed.extend(self.attachments.iter().map(Tree::File));
            body = Tree::Multi("mixed", mixed);
        }
        body
    }

    /// What parts are told apart by: in no text. Base64 knows no `_`.
    fn boundary(&self) -> String {
        let mut sum = checksum(self.id.as_bytes());
        loop {
            let boundary = format!("=_{sum:016x}");
            let texts = [Some(self.text.as_str()), self.html.as_deref()];
            if !texts.into_iter().flatten().any(|text| text.contains(&boundary)) {
                return boundary;
            }
            sum = sum.wrapping_add(1);
        }
    }
}

/// FNV-1a: a short name for something longer, where nobody gains by finding another of the same.
pub fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325u64, |sum, b| (sum ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3))
}

enum Tree<'a> {
    Text(&'static str, &'a str),
    File(&'a Part),
    Multi(&'static str, Vec<Tree<'a>>),
}

impl Tree<'_> {
    fn write(&self, out: &mut Vec<u8>, boundary: &str, count: &mut u32) {
        match self {
            Tree::Text(kind, text) => write_text(out, kind, text),
            Tree::File(part) => write_file(out, part),
            Tree::Multi(kind, parts) => {
                *count += 1;
                let own = format!("{boundary}.{count}");
                out.extend_from_slice(
                    format!("Content-Type: multipart/{kind};\r\n boundary=\"{own}\"\r\n\r\n").as_bytes(),
                );
                for part in parts {
                    out.extend_from_slice(format!("--{own}\r\n").as_bytes());
                    part.write(out, boundary, count);
                }
                out.extend_from_slice(format!("--{own}--\r\n").as_bytes());
            }
        }
    }
}

/// Longest line that is sent as it stands: RFC 5322 allows 998.
const LONGEST_LINE: usize = 900;

fn write_text(out: &mut Vec<u8>, kind: &str, text: &str) {
    let lines: Vec<&str> = text.lines().map(|line| line.trim_end_matches('\r')).collect();
    let plain = |line: &&str| {
        line.len() <= LONGEST_LINE
            && line.bytes().all(|b| b == b'\t' || (b' '..0x7f).contains(&b))
            && !line.ends_with(' ')
    };
    let header = |charset: &str, how: &str| {
        format!("Content-Type: text/{kind}; charset={charset}\r\nContent-Transfer-Encoding: {how}\r\n\r\n")
    };
    let whole = lines.iter().fold(String::with_capacity(text.len() + lines.len()), |all, line| all + line + "\r\n");
    if lines.iter().all(plain) {
        out.extend_from_slice(header("us-ascii", "7bit").as_bytes());
        out.extend_from_slice(whole.as_bytes());
    } else {
        out.extend_from_slice(header("utf-8", "base64").as_bytes());
        encode_base64(whole.as_bytes(), 76, out);
    }
}

fn write_file(out: &mut Vec<u8>, part: &Part) {
    let mut head = format!("Content-Type: {}\r\nContent-Transfer-Encoding: base64\r\n", part.kind);
    let disposition = if part.cid.is_empty() { "attachment" } else { "inline" };
    let _ = write!(head, "Content-Disposition: {disposition}{}\r\n", encode::parameter("filename", &part.name));
    if !part.cid.is_empty() {
        let _ = write!(head, "Content-ID: <{}>\r\n", part.cid);
    }
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(b"\r\n");
    encode_base64(&part.bytes, 76, out);
}

/// The media type of a file.
fn kind_of(name: &str, bytes: &[u8]) -> String {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    let kind = match ending.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "svg" => "image/svg+xml",
        "pdf" => "application/pdf",
        "json" => "application/json",
        "zip" | "npz" => "application/zip",
        "gz" | "tgz" => "application/gzip",
        "csv" => "text/csv",
        "html" | "htm" => "text/html",
        _ => "text/plain",
    };
    let is_text = || !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok();
    match kind {
        text if text.starts_with("text/") && is_text() => format!("{text}; charset=utf-8"),
        text if text.starts_with("text/") => "application/octet-stream".into(),
        kind => kind.into(),
    }
}

#[cfg(test)]
mod tests;
