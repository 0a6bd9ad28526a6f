//! Bytes of a log -> clean logical lines.
//!
//! Escape sequences (CSI, OSC and the rest) are dropped always, not only on terminals: many programs write them into
//! files. A carriage return is a line editor: of one physical line the last segment that is not blank counts, so a
//! progress bar yields its final state. A backspace moves back, and what is written next replaces from there. Other
//! control characters and NULs are dropped, invalid UTF-8 becomes U+FFFD. At most `LONGEST` bytes of a segment are kept,
//! so megabytes of a bar without a newline cost nothing. Lines without anything special are handed out where they lie.

/// Longest segment kept, bytes.
pub const LONGEST: usize = 1 << 16;

/// Where in an escape sequence the reader stands.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Text,
    /// After ESC, or in its intermediate bytes
    Escape,
    /// In `ESC [ …`, until a letter
    Csi,
    /// In `ESC ] …` and its like, until BEL or ESC
    Osc,
}

/// Makes lines of chunks of any size.
#[derive(Debug)]
pub struct LineReader {
    state: State,
    /// Lines begun so far
    number: u64,
    /// The segment being read
    current: Vec<u8>,
    /// The last segment before it that was not blank
    kept: Vec<u8>,
    /// Backspaces seen since the last text
    back: usize,
}

impl Default for LineReader {
    fn default() -> LineReader {
        LineReader::new()
    }
}

impl LineReader {
    /// At the start of a log.
    pub fn new() -> LineReader {
        LineReader { state: State::Text, number: 0, current: Vec::new(), kept: Vec::new(), back: 0 }
    }

    /// Reads a chunk and hands out each line it completes, with its number from 1.
    pub fn feed(&mut self, mut bytes: &[u8], each: &mut dyn FnMut(u64, &str)) {
        while let Some(&first) = bytes.first() {
            if self.state != State::Text {
                self.escape(first);
                if first != b'\n' && first != b'\r' {
                    bytes = bytes.get(1..).unwrap_or_default();
                    continue;
                }
            }
            let run = bytes.iter().position(|b| is_special(*b)).unwrap_or(bytes.len());
            let (text, rest) = bytes.split_at(run);
            let (special, next) = match rest {
                [b'\r', b'\n', ..] => (b'\n', 2),
                [b, ..] => (*b, 1),
                [] => (0, 0),
            };
            if special == b'\n' && self.current.is_empty() && self.kept.is_empty() {
                self.number += 1;
                hand_out(self.number, text, each);
            } else {
                self.text(text);
                self.special(special, each);
            }
            bytes = rest.get(next..).unwrap_or_default();
        }
    }

    /// The end of the log: what stands after the last newline is a line too.
    pub fn finish(&mut self, each: &mut dyn FnMut(u64, &str)) {
        if !self.current.is_empty() || !self.kept.is_empty() {
            self.special(b'\n', each);
        }
    }

    fn text(&mut self, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        for _ in 0..std::mem::take(&mut self.back).min(self.current.len()) {
            while self.current.pop().is_some_and(|b| b & 0xc0 == 0x80) {}
        }
        let room = LONGEST.saturating_sub(self.current.len());
        self.current.extend_from_slice(text.get(..room).unwrap_or(text));
    }

    fn special(&mut self, byte: u8, each: &mut dyn FnMut(u64, &str)) {
        match byte {
            b'\n' => {
                self.end_segment();
                self.number += 1;
                hand_out(self.number, &self.kept, each);
                self.kept.clear();
            }
            b'\r' => self.end_segment(),
            0x08 => self.back += 1,
            0x1b => self.state = State::Escape,
            _ => {}
        }
    }

    fn end_segment(&mut self) {
        if !self.current.trim_ascii().is_empty() {
            std::mem::swap(&mut self.current, &mut self.kept);
        }
        self.current.clear();
        self.back = 0;
    }

    /// One byte of an escape sequence. A line end ends any sequence, so that a cut one cannot swallow the log.
    fn escape(&mut self, byte: u8) {
        self.state = match (self.state, byte) {
            (_, b'\n' | b'\r') => State::Text,
            (State::Escape, b'[') => State::Csi,
            (State::Escape, b']' | b'P' | b'X' | b'^' | b'_') => State::Osc,
            (State::Escape, 0x20..=0x2f) => State::Escape,
            (State::Csi, 0x20..=0x3f) => State::Csi,
            (State::Osc, 0x07) => State::Text,
            (State::Osc | State::Csi, 0x1b) => State::Escape,
            (State::Osc, _) => State::Osc,
            _ => State::Text,
        };
    }
}

fn is_special(byte: u8) -> bool {
    (byte < b' ' && byte != b'\t') || byte == 0x7f
}

fn hand_out(number: u64, line: &[u8], each: &mut dyn FnMut(u64, &str)) {
    let line = line.get(..LONGEST).unwrap_or(line);
    // A byte order mark, as spreadsheets write it.
    let line = if number == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
    match str::from_utf8(line) {
        Ok(line) => each(number, line),
        Err(_) => each(number, &String::from_utf8_lossy(line)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of a log fed in chunks of a size.
    fn lines(log: &[u8], chunk: usize) -> Vec<String> {
        let mut lines = Vec::new();
        let mut reader = LineReader::new();
        let mut keep = |number: u64, line: &str| {
            assert_eq!(number as usize, lines.len() + 1);
            lines.push(line.to_string());
        };
        for part in log.chunks(chunk) {
            reader.feed(part, &mut keep);
        }
        reader.finish(&mut keep);
        lines
    }

    #[test]
    fn the_same_in_chunks_of_any_size() {
        let cases: [(&[u8], &[&str]); 15] = [
            (b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n", &["a", "\u{feff}b"]),
            (b"a\nb\n", &["a", "b"]),
            (b"a\n\nb", &["a", "", "b"]),
            (b"a\r\nb\r\n", &["a", "b"]),
            (b"1%\r50%\r100%\n", &["100%"]),
            (b"1%\r100%\r      \r\n", &["100%"]),
            (b"\r1/2 a\r2/2 b\r\n", &["2/2 b"]),
            (b"\x1b[1mbold\x1b[0m \x1b[38;5;2mx\x1b[K\n", &["bold x"]),
            (b"\x1b]0;title\x07x\x1b]8;;u\x1b\\y\n", &["xy"]),
            (b"\x1b[31\ncut\n\x1b]never ends\nnext\n", &["", "cut", "", "next"]),
            (b"loss 1\x08\x08\x08\x08\x08\x08\n", &["loss 1"]),
            (b"ab\xe2\x96\x88\x08c\x08\x08\x08\x08\x08z\n", &["z"]),
            (b"a\0b\x7f\x01c\n", &["abc"]),
            (b"bad \xff\xfe utf\n", &["bad \u{fffd}\u{fffd} utf"]),
            (b"\x1b(Bx\tno newline", &["x\tno newline"]),
        ];
        for (log, wanted) in cases {
            for chunk in [1, 2, 3, 7, 1000] {
                assert_eq!(lines(log, chunk), wanted, "{:?} by {chunk}", String::from_utf8_lossy(log));
            }
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut reader = LineReader::new();
        let mut long = 0;
        for _ in 0..200 {
            reader.feed(&[b'x'; 10_000], &mut |_, _| {});
        }
        assert!(reader.current.capacity() <= 2 * LONGEST);
        reader.feed(b"\n", &mut |_, line| long = line.len());
        assert_eq!(long, LONGEST);
        let bar = "\r 50%|█████     | 5/10 [00:01<00:01, loss=0.5]".repeat(10_000);
        let mut last = String::new();
        reader.feed(bar.as_bytes(), &mut |_, _| {});
        assert!(reader.current.capacity() + reader.kept.capacity() <= 4 * LONGEST);
        reader.finish(&mut |number, line| last = format!("{number} {line}"));
        assert!(last.starts_with("2  50%"), "{last}");
    }
}
