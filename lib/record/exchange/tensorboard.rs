//! TensorBoard: folders with files of events. A folder is a run, all its event files together are its values, as the
//! program itself has it. An event (tensorflow/core/util/event.proto) has a time, a step, and a summary of values:
//! a float, or, since TensorFlow 2, a tensor of one element whose metadata say that it is a scalar. What the plugin of
//! hyperparameters keeps are the parameters, and perhaps how the run ended. Pictures, histograms, graphs are passed over.

use super::events::Records;
use super::protobuf::{Bad, Message, Wire};
use super::{DEEPEST, Foreign, Format, Found, Gather, LARGEST, MOST_PARAMS, Sink, folders, seconds};
use crate::base::error::{Error, Result};
use crate::base::files;
use crate::spool::state::{How, State};
use message::{Summary, element, field, parameter};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

mod message;
mod write;

pub use write::Writer;

/// What the name of an event file contains.
const MARK: &str = "tfevents";

/// The folders with event files in a folder, at any depth; or one such file.
///
/// # Errors
/// A folder cannot be read, or there is none.
pub fn find(path: &Path) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    if path.is_file() {
        found.push(Found::new(Format::TensorBoard, path));
        return Ok(found);
    }
    look(path, path, 0, &mut found)?;
    if found.is_empty() {
        return Err(Error::data(path, 0, "holds no event files of TensorBoard (events.out.tfevents.…)"));
    }
    Ok(found)
}

fn look(top: &Path, dir: &Path, depth: usize, found: &mut Vec<Found>) -> Result<()> {
    if !event_files(dir)?.is_empty() {
        let below = dir.strip_prefix(top).unwrap_or(dir);
        let own = Found::new(Format::TensorBoard, top).name;
        let is_top = below.as_os_str().is_empty();
        let name = if is_top { own.clone() } else { below.to_string_lossy().into_owned() };
        let group = Some(own).filter(|_| !is_top);
        found.push(Found { format: Format::TensorBoard, path: dir.to_path_buf(), name, group });
    }
    if depth < DEEPEST {
        for name in folders(dir)? {
            look(top, &dir.join(name), depth + 1, found)?;
        }
    }
    Ok(())
}

/// In the order in which they were begun, which is that of their names.
fn event_files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = files::names(dir)?
        .into_iter()
        .filter(|name| name.to_string_lossy().contains(MARK))
        .map(|name| dir.join(name))
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    Ok(paths)
}

/// Reads a run.
///
/// # Errors
/// A file is damaged or cannot be read, or the sink fails.
pub fn read(found: &Found, sink: Sink) -> Result<Foreign> {
    let mut foreign = found.foreign("TensorBoard does not tell how a run ended");
    let paths = if found.path.is_file() { vec![found.path.clone()] } else { event_files(&found.path)? };
    let gather = Gather::new(&found.path, sink);
    let mut reader = Reader { foreign: &mut foreign, gather, scalars: HashSet::new(), size: 0 };
    let mut torn = 0;
    for path in &paths {
        let mut records = Records::open(path)?;
        while let Some((bytes, at)) = records.next()? {
            reader.event(path, Message { bytes, at })?;
        }
        torn += usize::from(records.is_torn());
    }
    reader.gather.finish()?;
    if torn > 0 {
        foreign.remarks.push("its last record is cut off, as of a writer that was killed or still writes".into());
    }
    Ok(foreign)
}

/// Reads events one after the other.
struct Reader<'a> {
    foreign: &'a mut Foreign,
    gather: Gather<'a>,
    /// Tags whose tensors are scalars: only the first value of a tag must say so
    scalars: HashSet<usize>,
    /// Bytes of parameters
    size: u64,
}

impl Reader<'_> {
    fn event(&mut self, path: &Path, event: Message) -> Result<()> {
        let wrong = |bad: Bad| Error::data(path, 0, format!("byte {}: {}: the file is damaged", bad.at, bad.what));
        let (mut t, mut step, mut summary) = (None, 0i64, None);
        for field in event.fields() {
            match field.map_err(wrong)? {
                (field::EVENT_TIME, Wire::Eight(bytes)) => t = seconds(f64::from_le_bytes(bytes)),
                (field::EVENT_STEP, Wire::Varint(number)) => step = number.cast_signed(),
                (field::EVENT_SUMMARY, Wire::Bytes(message)) => summary = Some(message),
                _ => {}
            }
        }
        for field in summary.into_iter().flat_map(Message::fields) {
            let (field::SUMMARY_VALUE, Wire::Bytes(value)) = field.map_err(wrong)? else { continue };
            let summary = Summary::of(value).map_err(wrong)?;
            if let Some(hparams) = summary.hparams {
                self.hparams(hparams).map_err(wrong)?;
            } else if let Some(name) = self.scalar(&summary)?
                && let Some(x) = summary.tensor.map_or(Ok(summary.simple), element).map_err(wrong)?
            {
                self.gather.add(t, Some(step as f64), name, x)?;
            }
        }
        Ok(())
    }

    /// The number of a tag that is a scalar.
    fn scalar(&mut self, summary: &Summary) -> Result<Option<usize>> {
        if summary.tensor.is_some() && !summary.is_scalar {
            return Ok(self.gather.number(&summary.tag).filter(|name| self.scalars.contains(name)));
        }
        if summary.tensor.is_none() && summary.simple.is_none() {
            return Ok(None);
        }
        let name = self.gather.name(&summary.tag)?;
        if summary.is_scalar {
            self.scalars.insert(name);
        }
        Ok(Some(name))
    }

    fn hparams(&mut self, content: Message) -> std::result::Result<(), Bad> {
        for field in content.fields() {
            match field? {
                (field::HPARAMS_START, Wire::Bytes(start)) => self.session_start(start)?,
                (field::HPARAMS_END, Wire::Bytes(end)) => self.session_end(end)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn session_start(&mut self, start: Message) -> std::result::Result<(), Bad> {
        for field in start.fields() {
            match field? {
                (field::START_PARAMS, Wire::Bytes(entry)) => {
                    self.size += entry.bytes.len() as u64;
                    let (name, value) = parameter(entry)?;
                    let params = &mut self.foreign.params;
                    match params.iter().position(|(known, _)| *known == name) {
                        Some(known) => params[known].1 = value,
                        None if params.len() == MOST_PARAMS || self.size > LARGEST => {
                            return Err(Bad { at: entry.at, what: "more parameters than can be true" });
                        }
                        None => params.push((name, value)),
                    }
                }
                (field::START_TIME, Wire::Eight(bytes)) => self.foreign.started = seconds(f64::from_le_bytes(bytes)),
                _ => {}
            }
        }
        // A map has no order in these files.
        self.foreign.params.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(())
    }

    fn session_end(&mut self, end: Message) -> std::result::Result<(), Bad> {
        let mut status = 0;
        for field in end.fields() {
            match field? {
                (field::END_STATUS, Wire::Varint(number)) => status = number,
                (field::END_TIME, Wire::Eight(bytes)) => self.foreign.ended = seconds(f64::from_le_bytes(bytes)),
                _ => {}
            }
        }
        let (state, word) = match status {
            1 => (State::Done, "success"),
            2 => (State::Failed(How::Unknown), "failure"),
            _ => return Ok(()),
        };
        self.foreign.state = state;
        self.foreign.evidence = format!("its session of hyperparameters ended with {word}");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::events;
    use super::super::protobuf::{put_bytes, put_double, put_float, put_varint};
    use super::super::tests::{Dir, shown};
    use super::*;
    use crate::base::json::Value;
    use crate::base::time::Time;
    use crate::record::history::Point;
    use crate::spool::state::Folder;

    const T: f64 = 1_795_739_414.5;

    /// A record with an event that has these values of a summary.
    fn event(step: u64, values: &[Vec<u8>]) -> Vec<u8> {
        let (mut summary, mut event, mut out) = (Vec::new(), Vec::new(), Vec::new());
        values.iter().for_each(|value| put_bytes(&mut summary, 1, value));
        put_double(&mut event, 1, T + step as f64);
        put_varint(&mut event, 2, step);
        put_bytes(&mut event, 5, &summary);
        events::put(&mut out, &event);
        out
    }

    fn simple(tag: &str, x: f32) -> Vec<u8> {
        let mut value = Vec::new();
        put_bytes(&mut value, 1, tag.as_bytes());
        put_float(&mut value, 2, x);
        value
    }

    /// A tensor of this type with this field, of a plugin if one is named.
    fn tensor(tag: &str, kind: u64, field: u64, bytes: &[u8], plugin: &str) -> Vec<u8> {
        let (mut value, mut tensor, mut inner, mut metadata) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        put_varint(&mut tensor, 1, kind);
        if field > 0 {
            put_bytes(&mut tensor, field, bytes);
        }
        put_bytes(&mut value, 1, tag.as_bytes());
        put_bytes(&mut value, 8, &tensor);
        if !plugin.is_empty() {
            put_bytes(&mut inner, 1, plugin.as_bytes());
            put_bytes(&mut metadata, 1, &inner);
            put_bytes(&mut value, 9, &metadata);
        }
        value
    }

    #[test]
    fn values_of_all_kinds() {
        let dir = Dir::new("tb");
        let content = event(
            1,
            &[
                simple("loss", 0.5),
                tensor("content", 1, 4, &0.25f32.to_le_bytes(), "scalars"),
                tensor("packed", 1, 5, &0.3f32.to_le_bytes(), "scalars"),
                tensor("double", 2, 6, &0.1f64.to_le_bytes(), "scalars"),
                tensor("bfloat", 14, 4, &[0x80, 0x3f], "scalars"),
                tensor("zero", 1, 0, b"", "scalars"),
                tensor("two", 1, 4, &[0; 8], "scalars"),
                tensor("words", 7, 8, b"x", "text"),
                tensor("who knows", 1, 4, &0.25f32.to_le_bytes(), ""),
            ],
        );
        let later = event(2, &[tensor("content", 1, 4, &2f32.to_le_bytes(), ""), simple("epoch", 7.0)]);
        dir.write("a/b/events.out.tfevents.1.x", [content.as_slice(), &later].concat());
        dir.write("a/b/other", "no event file");
        let (found, _) = Format::TensorBoard.find(&dir.path).unwrap();
        assert_eq!((found.len(), found[0].name.as_str()), (1, "a/b"));
        let (foreign, lines) = shown(&found[0]).unwrap();
        assert_eq!(
            lines,
            [
                r#"{"t":"2026-11-27T00:30:15.500Z","step":1,"loss":0.5,"content":0.25,"packed":0.3,"double":0.1,"bfloat":1,"zero":0}"#,
                r#"{"t":"2026-11-27T00:30:16.500Z","step":2,"epoch":7,"content":2}"#,
            ]
        );
        assert_eq!((foreign.state, foreign.remarks.len()), (State::Done, 0));
    }

    #[test]
    fn written_and_read() {
        let dir = Dir::new("tb-write");
        let params = vec![
            ("lr".to_string(), Value::Num(0.1)),
            ("n".into(), Value::Int(3)),
            ("on".into(), true.into()),
            ("opt".into(), "adam".into()),
        ];
        let mut writer = Writer::new(&dir.path, Time::parse("2026-11-22T20:00:00Z")).unwrap();
        writer.params("x", &params).unwrap();
        let lines = [
            r#"{"t":"2026-11-22T20:00:01.000Z","step":5,"epoch":2,"loss":0.5,"bad":"NaN"}"#,
            r#"{"t":"2026-11-22T20:00:03.000Z","step":6,"loss":0.1}"#,
        ];
        for line in lines {
            let mut point = Point::new();
            assert!(point.read_line(line));
            writer.add(&point).unwrap();
        }
        let path = dir.path.join("events.out.tfevents.1.x");
        writer.finish(Folder::Failed, Time::parse("2026-11-22T20:00:09Z"), true, &path).unwrap();
        let found = Format::TensorBoard.find(&dir.path).unwrap().0;
        let (foreign, read) = shown(&found[0]).unwrap();
        assert_eq!(read, lines);
        assert_eq!((foreign.params, foreign.state), (params, State::Failed(How::Unknown)));
        assert_eq!(foreign.started, Time::parse("2026-11-22T20:00:00Z"));
        assert_eq!(foreign.ended, Time::parse("2026-11-22T20:00:09Z"));
    }

    #[test]
    fn a_writer_that_lives_and_messages_that_lie() {
        let dir = Dir::new("tb-torn");
        let (one, two) = (event(1, &[simple("a", 1.0)]), event(2, &[simple("a", 2.0)]));
        let bytes = [one.as_slice(), &two].concat();
        dir.write("events.out.tfevents.1", &bytes[..bytes.len() - 3]);
        dir.write("events.out.tfevents.2", event(3, &[simple("a", 3.0)]));
        let found = Format::TensorBoard.find(&dir.path).unwrap().0;
        let (foreign, lines) = shown(&found[0]).unwrap();
        assert_eq!((lines.len(), foreign.remarks.len()), (2, 1));
        let mut lie = Vec::new();
        events::put(&mut lie, &[0x2a, 0x7f, 0x0a]);
        dir.write("events.out.tfevents.2", [one.as_slice(), &lie].concat());
        let said = shown(&found[0]).unwrap_err().to_string();
        let place = one.len() + 12 + 2;
        assert!(
            said.ends_with(&format!(
                "tfevents.2: byte {place}: a field that is longer than its message: the file is damaged"
            )),
            "{said}"
        );
        assert!(Format::TensorBoard.find(&std::env::temp_dir().join("nn-no-such")).is_err());
    }

    #[test]
    fn deep_folders_and_links_end() {
        let dir = Dir::new("tb-deep");
        let deep = format!("{}events.out.tfevents.1", "d/".repeat(40));
        dir.write(&deep, "");
        std::os::unix::fs::symlink(&dir.path, dir.path.join("d/loop")).unwrap();
        assert!(Format::TensorBoard.find(&dir.path).is_err());
    }
}
