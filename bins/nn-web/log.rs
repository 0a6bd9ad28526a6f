//! Parts of a run's log, as text. A part ends with a whole character, so that the parts put together are the log; bytes
//! that are no text come as U+FFFD.

use crate::app::{Answered, asked_number};
use nn::base::error::Result;
use nn::base::files;
use nn::base::json::{self, Value};
use nn::spool::store::Spool;
use nn::web::http::Head;
use nn::web::response::Response;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Most bytes of a part.
pub const MOST: u64 = 256 << 10;
/// What is read unless something else is asked for: the last so many bytes.
pub const LAST: i64 = -(64 << 10);

/// The part of a log that is asked for.
pub fn part(spool: &Spool, run: u64, head: &Head) -> Answered {
    let from = head.asked("from").map(|text| asked_number(text, "from")).transpose()?;
    let part = read(&spool.run_dir(run), from.unwrap_or(LAST));
    part.map(|part| Response::json(part.to_string())).map_err(|err| Response::error(500, &err.to_string()))
}

/// A part of the log in a run's folder, from a byte on; counted from its end when negative.
///
/// # Errors
/// It cannot be read. One that is not there is empty.
pub fn read(run: &Path, from: i64) -> Result<Value> {
    let path = run.join("log");
    let mut file = match files::open_regular(&path) {
        Err(err) if err.io().is_some_and(|err| err.kind() == std::io::ErrorKind::NotFound) => {
            return Ok(told(0, 0, 0, String::new()));
        }
        file => file?,
    };
    let mut bytes = Vec::new();
    let mut read = || {
        let size = file.seek(SeekFrom::End(0))?;
        let start = if from < 0 { size.saturating_sub(from.unsigned_abs()) } else { from.unsigned_abs().min(size) };
        file.seek(SeekFrom::Start(start))?;
        (&mut file).take(MOST).read_to_end(&mut bytes)?;
        Ok((start, size.max(start + bytes.len() as u64)))
    };
    let (mut start, size) =
        read().map_err(|err: std::io::Error| nn::base::error::Error::Io { doing: "read", path: path.clone(), err })?;
    if from < 0 && start > 0 {
        let torn = bytes.iter().take(3).take_while(|byte| **byte & 0xc0 == 0x80).count();
        bytes.drain(..torn);
        start += torn as u64;
    }
    let whole = whole(&bytes);
    let text = String::from_utf8_lossy(bytes.get(..whole).unwrap_or_default()).into_owned();
    Ok(told(start, start + whole as u64, size, text))
}

fn told(from: u64, to: u64, size: u64, text: String) -> Value {
    json::map([("from", Value::from(from)), ("to", to.into()), ("size", size.into()), ("text", text.into())])
}

/// Bytes up to a character that is cut off at the end; all of them if there is nothing else.
fn whole(bytes: &[u8]) -> usize {
    let from = bytes.len().saturating_sub(3);
    let tail = bytes.get(from..).unwrap_or_default();
    let length = |first: u8| match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    };
    let cut = tail.iter().enumerate().rfind(|(_, byte)| **byte & 0xc0 != 0x80);
    match cut {
        Some((at, first)) if at + length(*first) > tail.len() && from + at > 0 => from + at,
        _ => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_fit_together() {
        let dir = std::env::temp_dir().join(format!("nn-web-log-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        assert_eq!(read(&dir, 0).unwrap().to_string(), r#"{"from":0,"to":0,"size":0,"text":""}"#);
        let text = "äöü€😀".repeat(20_000);
        std::fs::write(dir.join("log"), &text).unwrap();
        let (mut all, mut at) = (String::new(), 0);
        while at < text.len() as i64 {
            let part = read(&dir, at).unwrap();
            assert!(part.int("to").unwrap() > at && part.int("size") == Some(text.len() as i64));
            all += part.str("text").unwrap();
            at = part.int("to").unwrap();
        }
        assert!(all == text);
        let last = read(&dir, -3).unwrap();
        assert_eq!(
            (last.str("text"), last.int("from"), last.int("to")),
            (Some(""), last.int("size"), last.int("size"))
        );
        assert_eq!(read(&dir, -4).unwrap().str("text"), Some("😀"));
        assert_eq!(read(&dir, i64::MIN).unwrap().int("from"), Some(0));
        assert_eq!(read(&dir, i64::MAX).unwrap().str("text"), Some(""));
        std::fs::write(dir.join("log"), b"a\xff\xfeb\xf0\x9f").unwrap();
        assert_eq!(read(&dir, 0).unwrap().str("text"), Some("a\u{fffd}\u{fffd}b"));
        assert_eq!(read(&dir, 4).unwrap().str("text"), Some("\u{fffd}"), "nothing but half a character");
        std::fs::remove_dir_all(dir).unwrap();
    }
}
