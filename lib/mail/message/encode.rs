//! How text that is not plain ASCII goes into a message: base64 (RFC 4648), encoded words in headers (RFC 2047) and
//! parameters of headers (RFC 2231). Lines are folded; what could end a line early is a blank.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Appends bytes in base64, in lines of `width` characters (a multiple of 4; 0: one line without an end).
pub fn encode_base64(bytes: &[u8], width: usize, out: &mut Vec<u8>) {
    let per_line = if width == 0 { bytes.len().max(1) } else { width / 4 * 3 };
    out.reserve(bytes.len() / 3 * 4 + bytes.len() / per_line * 2 + 8);
    for line in bytes.chunks(per_line) {
        for chunk in line.chunks(3) {
            let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
            let bits = at(0) << 16 | at(1) << 8 | at(2);
            for i in 0..4 {
                let digit = DIGITS.get((bits >> (18 - 6 * i) & 63) as usize).copied().unwrap_or(b'=');
                out.push(if i <= chunk.len() { digit } else { b'=' });
            }
        }
        if width > 0 {
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// The bytes of base64 text; blanks and line ends between are passed over. None: it is something else.
pub fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count, mut ended) = (0u32, 0, false);
    for &b in text.iter().filter(|b| !b.is_ascii_whitespace()) {
        if b == b'=' {
            ended = true;
            continue;
        }
        let digit = DIGITS.iter().position(|d| *d == b).filter(|_| !ended)?;
        bits = bits << 6 | digit as u32;
        count += 1;
        if count == 4 {
            out.extend_from_slice(bits.to_be_bytes().get(1..)?);
            (bits, count) = (0, 0);
        }
    }
    match count {
        0 => {}
        2 => out.push((bits >> 4) as u8),
        3 => out.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]),
        _ => return None,
    }
    Some(out)
}

/// Text without anything that could end a line or move a cursor: such characters, and runs of blanks, are one blank.
pub fn one_line(text: &str) -> String {
    let hostile = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '\u{2028}' | '\u{2029}');
    text.split(hostile).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Longest line of a header, where it can be folded.
const FOLD: usize = 76;

/// The value of a header such as Subject, folded; `used`: columns the line has already.
pub fn unstructured(text: &str, used: usize) -> String {
    let text = one_line(text);
    let plain = text.is_ascii() && !text.contains("=?") && text.split(' ').all(|word| word.len() < FOLD - 12);
    if !plain {
        return words(&text, used);
    }
    let mut out = String::new();
    let mut column = used;
    for (i, word) in text.split(' ').enumerate() {
        if i > 0 {
            let fold = column + 1 + word.len() > FOLD;
            out.push_str(if fold { "\r\n " } else { " " });
            column = if fold { 1 } else { column + 1 };
        }
        out.push_str(word);
        column += word.len();
    }
    out
}

/// A name before an address.
pub fn phrase(text: &str) -> String {
    let text = one_line(text);
    if text.is_ascii() && !text.contains("=?") && text.len() < FOLD - 12 {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        words(&text, 12)
    }
}

/// Encoded words, each of at most 75 characters and of whole characters.
fn words(text: &str, used: usize) -> String {
    const HEAD: &str = "=?utf-8?B?";
    // 75 less the frame is 63, of which 60 are base64 of 45 bytes; the first line has less room.
    let mut room = (FOLD.saturating_sub(used + HEAD.len() + 2) / 4 * 3).clamp(6, 45);
    let mut lines: Vec<String> = Vec::new();
    let mut piece = String::new();
    for c in text.chars() {
        if piece.len() + c.len_utf8() > room {
            lines.push(word(HEAD, &piece));
            piece.clear();
            room = 45;
        }
        piece.push(c);
    }
    lines.push(word(HEAD, &piece));
    lines.join("\r\n ")
}

fn word(head: &str, piece: &str) -> String {
    let mut out = head.as_bytes().to_vec();
    encode_base64(piece.as_bytes(), 0, &mut out);
    String::from_utf8_lossy(&out).into_owned() + "?="
}

/// A parameter of a header with its semicolon, on lines of its own: quoted where it can be, else in pieces by RFC 2231.
pub fn parameter(name: &str, value: &str) -> String {
    let value = one_line(value);
    if value.is_ascii() && value.len() < FOLD - name.len() - 6 && !value.contains(['"', '\\']) {
        return format!(";\r\n {name}=\"{value}\"");
    }
    let encoded: Vec<String> =
        value.bytes().map(|b| if is_plain(b) { (b as char).into() } else { format!("%{b:02X}") }).collect();
    let mut pieces = vec![String::new()];
    for unit in encoded {
        if let Some(last) = pieces.last_mut().filter(|last| last.len() + unit.len() <= 50) {
            last.push_str(&unit);
        } else {
            pieces.push(unit);
        }
    }
    if let [only] = pieces.as_slice() {
        return format!(";\r\n {name}*=utf-8''{only}");
    }
    let line = |(i, piece): (usize, &String)| {
        let charset = if i == 0 { "utf-8''" } else { "" };
        format!(";\r\n {name}*{i}*={charset}{piece}")
    };
    pieces.iter().enumerate().map(line).collect()
}

/// attribute-char of RFC 2231.
fn is_plain(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&b)
}
