//! What happened to a run: events.jsonl and events.HOST.jsonl, an object a line, `{"t":…,"event":"started",…}`. Each look
//! hands on only what has come since the one before, whole lines only, the files merged by time.

use crate::base::error::{Doing, Result};
use crate::base::files;
use crate::base::json::Value;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Bytes of one file read in one look; what is more comes with the next.
const MOST: u64 = 16 << 20;

/// Where reading stands.
#[derive(Debug)]
pub struct Events {
    run: PathBuf,
    files: Vec<(String, u64)>,
}

impl Events {
    /// From the beginning, given a run's folder.
    pub fn new(run: impl Into<PathBuf>) -> Events {
        Events { run: run.into(), files: Vec::new() }
    }

    /// From these bytes on of these files; from the beginning of others.
    pub fn at(run: impl Into<PathBuf>, files: Vec<(String, u64)>) -> Events {
        Events { run: run.into(), files }
    }

    /// How far each file was read.
    pub fn places(&self) -> &[(String, u64)] {
        &self.files
    }

    /// Passes over what is there, unread.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn skip(&mut self) -> Result<()> {
        self.files.clear();
        for name in files::names(&self.run)? {
            if let Some(name) = name.to_str().filter(|name| is_events(name)) {
                let length = std::fs::metadata(self.run.join(name)).map_or(0, |meta| meta.len());
                self.files.push((name.to_string(), length));
            }
        }
        Ok(())
    }

    /// Hands on what is new. A line that is no event is passed over.
    ///
    /// # Errors
    /// The folder or a file in it cannot be read.
    pub fn look(&mut self, act: &mut dyn FnMut(Value)) -> Result<()> {
        let mut found = Vec::new();
        for name in files::names(&self.run)? {
            let Some(name) = name.to_str().filter(|name| is_events(name)) else {
                continue;
            };
            let path = self.run.join(name);
            let at = match self.files.iter_mut().find(|(known, _)| known == name) {
                Some((_, at)) => at,
                None => {
                    self.files.push((name.to_string(), 0));
                    let Some((_, at)) = self.files.last_mut() else { continue };
                    at
                }
            };
            if std::fs::metadata(&path).is_ok_and(|meta| meta.len() > *at) {
                *at += read(&path, *at, &mut found)?;
            }
        }
        found.sort_by(|a, b| a.str("t").cmp(&b.str("t")));
        found.into_iter().for_each(act);
        Ok(())
    }
}

fn is_events(name: &str) -> bool {
    name.starts_with("events.") && name.ends_with("jsonl")
}

/// Reads whole lines from a byte on; how many bytes they are.
fn read(path: &Path, from: u64, found: &mut Vec<Value>) -> Result<u64> {
    let mut file = File::open(path).doing("read", path)?;
    file.seek(SeekFrom::Start(from)).doing("read", path)?;
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes).doing("read", path)?;
    let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    // A line longer than all that is read at once is no event.
    let whole = if whole == 0 && bytes.len() as u64 == MOST { bytes.len() } else { whole };
    let lines = bytes.get(..whole).unwrap_or_default().split(|b| *b == b'\n');
    let is_event = |value: &Value| value.str("event").is_some() || value.str("detector").is_some();
    let event = |line: &[u8]| Value::parse(str::from_utf8(line).ok()?).ok().filter(is_event);
    found.extend(lines.filter_map(event));
    Ok(whole as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_new_in_order() {
        let dir = std::env::temp_dir().join(format!("nn-events-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let write = |name: &str, text: &str| files::append(&dir.join(name), text).unwrap();
        let mut events = Events::new(&dir);
        let mut look = || {
            let mut seen = Vec::new();
            events.look(&mut |event| seen.push(event.str("event").unwrap_or("-").to_string())).unwrap();
            seen.join(" ")
        };
        write(
            "events.jsonl",
            "{\"t\":\"2026-01-01T00:00:01Z\",\"event\":\"a\"}\n{\"t\":\"2026-01-01T00:00:03Z\",\"event\":\"c\"}\n",
        );
        write("events.far.jsonl", "{\"t\":\"2026-01-01T00:00:02Z\",\"event\":\"b\"}\nnonsense\n{\"t\":");
        assert_eq!(look(), "a b c");
        assert_eq!(look(), "");
        std::fs::write(dir.join("events.jsonl.tmp"), "{}\n").unwrap();
        write("events.jsonl", "{\"t\":\"2026-01-01T00:00:04Z\",\"event\":\"d\"}\n");
        assert_eq!(look(), "d");
        std::fs::remove_dir_all(dir).unwrap();
    }
}
