//! What stands on a connection: lines of JSON, and after some of them as many bytes as they say. The one who asks waits for
//! the answer, so neither can block the other. Whatever comes from the other end is hostile: lines have a greatest length.

use crate::base::error::{Error, Result, reason};
use crate::base::json::Value;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};

/// Longest line: thousands of jobs fit.
pub const LONGEST: usize = 64 << 20;
/// Bytes read or written at once.
const PIECE: usize = 1 << 16;

/// One end of a connection.
pub struct Wire<R: Read, W: Write> {
    from: BufReader<R>,
    to: BufWriter<W>,
}

impl<R: Read, W: Write> Wire<R, W> {
    /// Over these two.
    pub fn new(from: R, to: W) -> Wire<R, W> {
        Wire { from: BufReader::with_capacity(PIECE, from), to: BufWriter::with_capacity(PIECE, to) }
    }

    /// Writes a line; `flush` sends it.
    ///
    /// # Errors
    /// The other end is gone.
    pub fn say(&mut self, value: &Value) -> Result<()> {
        writeln!(self.to, "{value}").map_err(|err| broken(&err))
    }

    /// Writes bytes as they are.
    ///
    /// # Errors
    /// The other end is gone.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.to.write_all(bytes).map_err(|err| broken(&err))
    }

    /// Sends what was written.
    ///
    /// # Errors
    /// The other end is gone.
    pub fn flush(&mut self) -> Result<()> {
        self.to.flush().map_err(|err| broken(&err))
    }

    /// The next line without its end, at most so long; None: the other end is gone.
    ///
    /// # Errors
    /// It is longer, or cannot be read.
    pub fn line(&mut self, longest: usize) -> Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let most = u64::try_from(longest).unwrap_or(u64::MAX).saturating_add(1);
        (&mut self.from).take(most).read_until(b'\n', &mut line).map_err(|err| broken(&err))?;
        if line.last() == Some(&b'\n') {
            line.pop();
            return Ok(Some(line));
        }
        if line.len() > longest { Err(Error::other("a line is too long")) } else { Ok(None) }
    }

    /// The next line, which must be JSON; None: the other end is gone.
    ///
    /// # Errors
    /// It is something else.
    pub fn hear(&mut self) -> Result<Option<Value>> {
        let Some(line) = self.line(LONGEST)? else { return Ok(None) };
        let text = std::str::from_utf8(&line).map_err(|_| Error::other("a message is not UTF-8"))?;
        Value::parse(text).map(Some).map_err(|bad| Error::other(format!("a message is not JSON: {bad}")))
    }

    /// Hands on exactly so many bytes, piece by piece.
    ///
    /// # Errors
    /// They end too early, or `sink` refuses them.
    pub fn take(&mut self, size: u64, mut sink: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut left = size;
        let mut piece = vec![0; PIECE];
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            let n = self.from.read(piece.get_mut(..most).unwrap_or_default()).map_err(|err| broken(&err))?;
            if n == 0 {
                return Err(Error::Again("the connection ended in the middle".into()));
            }
            sink(piece.get(..n).unwrap_or_default())?;
            left = left.saturating_sub(n as u64);
        }
        Ok(())
    }

    /// What comes, as bytes.
    pub fn reader(&mut self) -> &mut BufReader<R> {
        &mut self.from
    }
}

fn broken(err: &std::io::Error) -> Error {
    Error::Again(format!("the connection broke: {}", reason(err)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_bytes() {
        let text = b"{\"a\":1}\nabcdef{\"b\":2}\n[\n".to_vec();
        let mut wire = Wire::new(text.as_slice(), Vec::new());
        assert_eq!(wire.hear().unwrap().unwrap().int("a"), Some(1));
        let mut got = Vec::new();
        wire.take(4, |piece| {
            got.extend_from_slice(piece);
            Ok(())
        })
        .unwrap();
        assert_eq!(got, b"abcd");
        wire.take(2, |_| Ok(())).unwrap();
        assert_eq!(wire.hear().unwrap().unwrap().int("b"), Some(2));
        assert!(wire.hear().is_err());
        assert!(wire.hear().unwrap().is_none());
        assert!(wire.take(1, |_| Ok(())).is_err());
        let mut wire = Wire::new(&b"longer than that\n"[..], Vec::new());
        assert!(wire.line(5).is_err());
        assert!(Wire::new(&b"no end"[..], Vec::new()).line(50).unwrap().is_none());
    }
}
