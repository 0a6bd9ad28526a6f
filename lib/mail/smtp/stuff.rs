//! A body on its way to the server, RFC 5321 section 4.5.2: every line ends in CRLF, whatever ended it, and a dot at its
//! beginning is doubled, so that the one line that is a dot alone is the end.

/// Where the text stands between two pieces.
#[derive(Clone, Copy, Debug)]
pub struct Stuffed {
    line_start: bool,
    after_cr: bool,
}

impl Default for Stuffed {
    fn default() -> Stuffed {
        Stuffed { line_start: true, after_cr: false }
    }
}

impl Stuffed {
    /// Appends the next piece.
    pub fn feed(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        for &byte in piece {
            let after_cr = std::mem::replace(&mut self.after_cr, byte == b'\r');
            match byte {
                b'\n' if after_cr => {}
                b'\n' | b'\r' => {
                    out.extend_from_slice(b"\r\n");
                    self.line_start = true;
                }
                byte => {
                    if byte == b'.' && self.line_start {
                        out.push(b'.');
                    }
                    out.push(byte);
                    self.line_start = false;
                }
            }
        }
    }

    /// Appends the end: of the last line if it has none, and of the body.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.line_start { b".\r\n" } else { b"\r\n.\r\n" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_and_line_ends() {
        for (text, sent) in [
            ("", ".\r\n"),
            ("a", "a\r\n.\r\n"),
            (".", "..\r\n.\r\n"),
            ("a\n.\nb\n", "a\r\n..\r\nb\r\n.\r\n"),
            ("\r\n.\r\n", "\r\n..\r\n.\r\n"),
            ("a\r.b\n\r.", "a\r\n..b\r\n\r\n..\r\n.\r\n"),
            ("a\r\r\nb", "a\r\n\r\nb\r\n.\r\n"),
        ] {
            for size in 1..4 {
                let (mut stuffed, mut out) = (Stuffed::default(), Vec::new());
                text.as_bytes().chunks(size).for_each(|piece| stuffed.feed(piece, &mut out));
                stuffed.end(&mut out);
                assert_eq!(String::from_utf8(out).unwrap(), sent, "{text:?}");
            }
        }
    }
}
