//! Reading log and data files on, each call from where the one before came to. What is found goes into a file of its own,
//! `history.HOST.files.jsonl`; `progress.json` tells how long that was and how far each file was read. It is replaced when the
//! points are written, so a crash before leaves points that nobody knows of: the next call cuts them off and reads them
//! again. One call at a time works on a run (base/role).
//!
//! A recogniser needs what stood before: the beginning of a file, for its header, and a stretch before the place where
//! reading goes on are read once more, and what is found there is dropped. A file that was begun anew (another inode,
//! shorter, or other bytes before that place) is read from its beginning. A data file that is one JSON value, written
//! anew each time, is read as its elements, and gives what the history lacks of it.

use crate::report;
use crate::script::absolute;
use nn::base::cli;
use nn::base::error::{Doing, Error, Result};
use nn::base::files::{self, Grower};
use nn::base::glob;
use nn::base::hash::Hasher;
use nn::base::json::{self, Value};
use nn::base::role::{self, Role};
use nn::base::sys;
use nn::base::time::Time;
use nn::record::history::{Point, Recorded, Writer, file_of_host};
use nn::record::metrics::Extractor;
use nn::record::pattern::Pattern;
use nn::spool::attempts::is_of_script;
use nn::spool::owner::Owner;
use nn::spool::state::{State, Token};
use nn::spool::store::Spool;
use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

const FILE: &str = "progress.json";
/// Where a run that is reported keeps what its logs say.
const LOG: &str = "log";
/// Bytes of a file's beginning, and before the place where reading goes on, that are read once more.
const HEAD: u64 = 1 << 16;
const CONTEXT: u64 = 1 << 18;
/// Bytes read at once.
const CHUNK: usize = 1 << 16;
/// Bytes before that place by which a file is known again.
const MARK: u64 = 64;
/// The largest file that is taken for one JSON value, bytes.
const LARGEST_VALUE: u64 = 64 << 20;
/// The longest wait for another call.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was named by --log or --data.
pub struct Source {
    pub glob: PathBuf,
    pub is_data: bool,
}

/// How far one file was read.
#[derive(Clone)]
struct Place {
    path: PathBuf,
    is_data: bool,
    at: u64,
    inode: u64,
    mark: String,
}

/// What is known of a run's files.
struct Known {
    /// How long the file of points was
    points: u64,
    /// How long it was when the attempt began
    from: u64,
    /// How long the run's own log is, when it keeps one
    log: Option<u64>,
    places: Vec<Place>,
}

/// Reads what is new; `last`: nothing more will come.
///
/// # Errors
/// The run is another host's matter, or something cannot be read or written; the next call begins where this one did.
pub fn read(spool: &Spool, token: &Token, sources: Vec<Source>, patterns: &[Pattern], last: bool) -> Result<()> {
    let dir = spool.run_dir(token.run);
    if let State::Started(_, owner) = &token.state
        && owner.host != sys::host_name()
    {
        let (run, host) = (token.run, &owner.host);
        return Err(Error::other(format!("run {run} is one of {host}: its files are read there")));
    }
    let _turn = turn(&dir)?;
    let mut known = known(&dir)?;
    for source in sources {
        let glob = absolute(&source.glob);
        let paths = glob::matching(&glob);
        if paths.is_empty() && !glob.as_os_str().as_encoded_bytes().iter().any(|b| matches!(b, b'*' | b'?')) {
            cli::warn(&format!("{} is not there yet", glob.display()));
        }
        for path in paths {
            if !known.places.iter().any(|place| place.path == path) {
                known.places.push(Place { path, is_data: source.is_data, at: 0, inode: 0, mark: String::new() });
            }
        }
    }
    let keeps = report::is_reported(spool, token.run) && is_of_script(spool, token);
    known.log = known.log.or(keeps.then_some(0));
    let points = dir.join(file_of_files());
    let mut kept = known.log.map(|length| Kept { path: dir.join(LOG), length, file: None });
    let mut writer = None;
    for place in &mut known.places {
        go_on(place, patterns, last, &points, known.from, &mut writer, kept.as_mut())?;
    }
    if let Some(writer) = &mut writer {
        writer.flush()?;
    }
    known.log = kept.map(|kept| kept.length);
    known.points = std::fs::metadata(&points).map_or(0, |meta| meta.len());
    write(spool, token.run, &known)
}

/// Cuts off what a call that was killed has left.
///
/// # Errors
/// It cannot be read or cut.
pub fn settle(dir: &Path) -> Result<()> {
    let _turn = turn(dir)?;
    known(dir).map(drop)
}

/// A sign of life of a script, for those who look from other hosts.
pub fn beat(spool: &Spool, owner: &Owner) {
    let path = spool.dir().join("hosts").join(owner.to_string());
    let beats: u64 = std::fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    let _ = files::overwrite(&path, format!("{}\n", beats.saturating_add(1)).as_bytes());
}

fn turn(dir: &Path) -> Result<Role> {
    let name = role::name_of("nn-progress", dir).doing("read", dir)?;
    let role = Role::within(&name, PATIENCE).doing("take turns with", "other calls")?;
    role.ok_or_else(|| Error::Again("another call reads the files of this run: try again".into()))
}

fn file_of_files() -> String {
    format!("{}files.jsonl", file_of_host().trim_end_matches("jsonl"))
}

/// What the calls before have left on record; points that none of them knows of are cut off.
fn known(dir: &Path) -> Result<Known> {
    let path = dir.join(FILE);
    let text = files::read_text_if_any(&path)?.unwrap_or_else(|| "{}".into());
    let json = Value::parse(&text).map_err(|bad| Error::data(&path, bad.line, bad.to_string()))?;
    let number = |value: &Value, key: &str| value.int(key).and_then(|n| u64::try_from(n).ok());
    let place = |value: &Value| {
        Some(Place {
            path: json::to_os(value.get("path")?)?.into(),
            is_data: value.get("data").and_then(Value::as_bool).unwrap_or(false),
            at: number(value, "at")?,
            inode: number(value, "inode")?,
            mark: value.str("mark")?.to_string(),
        })
    };
    let here = json.str("host") == Some(&sys::host_name());
    // On another host than before the file of points is another one.
    let length = if here { number(&json, "points").unwrap_or(0) } else { 0 };
    let points = dir.join(file_of_files());
    if here && std::fs::metadata(&points).is_ok_and(|meta| meta.len() > length) {
        files::cut(&points, length)?;
    }
    let log = number(&json, "log");
    if let Some(length) = log.filter(|length| std::fs::metadata(dir.join(LOG)).is_ok_and(|meta| meta.len() > *length)) {
        files::cut(&dir.join(LOG), length)?;
    }
    let places = json.list("files").unwrap_or_default().iter().filter_map(place).collect();
    let from = number(&json, "from").filter(|_| here).unwrap_or(0);
    Ok(Known { points: length, from, log, places })
}

fn write(spool: &Spool, run: u64, known: &Known) -> Result<()> {
    let file = |place: &Place| {
        json::map([
            ("path", json::from_os(place.path.as_os_str())),
            ("data", place.is_data.into()),
            ("at", place.at.into()),
            ("inode", place.inode.into()),
            ("mark", place.mark.as_str().into()),
        ])
    };
    let mut whole = json::map([
        ("host", Value::from(sys::host_name())),
        ("points", known.points.into()),
        ("from", known.from.into()),
    ]);
    if let Some(length) = known.log {
        whole.set("log", length);
    }
    whole.set("files", known.places.iter().map(file).collect::<Vec<_>>());
    spool.put_lazily(run, FILE, &whole)
}

/// How long the files are that calls of progress write, as far as that is on record. What is more may be cut off again.
pub fn noted(dir: &Path) -> Vec<(String, u64)> {
    let text = files::read_text_if_any(dir.join(FILE)).ok().flatten().unwrap_or_default();
    let Ok(json) = Value::parse(&text) else { return Vec::new() };
    let host = json.str("host").unwrap_or_default();
    let length = |key: &str| json.int(key).and_then(|n| u64::try_from(n).ok());
    let points = length("points").map(|length| (format!("history.{host}.files.jsonl"), length));
    points.into_iter().chain(length("log").map(|length| (LOG.to_string(), length))).collect()
}

/// The run's own log: what logs said, in the order in which it was read.
struct Kept {
    path: PathBuf,
    length: u64,
    file: Option<Grower>,
}

impl Kept {
    fn add(&mut self, bytes: &[u8]) -> Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(Grower::open(&self.path, self.length, true)?),
        };
        file.write(bytes)?;
        self.length += bytes.len() as u64;
        Ok(())
    }
}

/// Reads one file on.
fn go_on(
    place: &mut Place,
    patterns: &[Pattern],
    last: bool,
    points: &Path,
    from: u64,
    writer: &mut Option<Writer>,
    kept: Option<&mut Kept>,
) -> Result<()> {
    let file = match files::open_regular(&place.path) {
        Ok(file) => file,
        // A later call may read it.
        Err(err) => {
            cli::warn(&err.to_string());
            return Ok(());
        }
    };
    let meta = file.metadata().doing("read", &place.path)?;
    let length = meta.len();
    let is_same = meta.ino() == place.inode && length >= place.at && mark(&file, place.at) == place.mark;
    if is_same && length == place.at {
        return Ok(());
    }
    let from_here = if is_same { place.at } else { 0 };
    let mut sink = Sink { points, writer, recorded: None, failed: Ok(()) };
    let to = match whole_value(&file, place, length) {
        Some(lines) => {
            sink.recorded = Some(Recorded::read(points, from));
            let mut extractor = Extractor::new(Vec::new());
            extractor.feed(lines.as_bytes(), &mut |point| sink.add(point));
            extractor.finish(&mut |point| sink.add(point));
            length
        }
        None => {
            let to = if last { length } else { end_of_lines(&file, from_here, length) };
            read_lines(&file, place, patterns, (from_here, to), last, &mut sink);
            if let Some(kept) = kept.filter(|_| !place.is_data) {
                let mut added = Ok(());
                feed(&file, from_here, to, &mut |bytes| {
                    if added.is_ok() {
                        added = kept.add(bytes);
                    }
                });
                added?;
            }
            to
        }
    };
    sink.failed?;
    (place.at, place.inode, place.mark) = (to, meta.ino(), mark(&file, to));
    Ok(())
}

/// Lines from a byte on, with what must be known of those before.
fn read_lines(file: &File, place: &Place, patterns: &[Pattern], (from, to): (u64, u64), last: bool, sink: &mut Sink) {
    let patterns = if place.is_data { Vec::new() } else { patterns.to_vec() };
    let mut extractor = Extractor::for_path(&place.path, patterns);
    let head = HEAD.min(from);
    let context = from.saturating_sub(CONTEXT).max(head);
    // From the beginning of a line on.
    let context = if context == head { head } else { end_of_lines(file, head, context).max(head) };
    let mut dropped = |_: &mut Point| {};
    feed(file, 0, head, &mut |bytes| extractor.feed(bytes, &mut dropped));
    feed(file, context, from, &mut |bytes| extractor.feed(bytes, &mut dropped));
    extractor.flush(&mut dropped);
    feed(file, from, to, &mut |bytes| extractor.feed(bytes, &mut |point| sink.add(point)));
    if last { extractor.finish(&mut |point| sink.add(point)) } else { extractor.flush(&mut |point| sink.add(point)) }
}

/// A data file that is one JSON value over several lines, or without an end of its line: a line an element.
fn whole_value(file: &File, place: &Place, length: u64) -> Option<String> {
    let is_json = place.is_data && place.path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json"));
    if !is_json || length > LARGEST_VALUE {
        return None;
    }
    let mut bytes = Vec::new();
    feed(file, 0, length, &mut |more| bytes.extend_from_slice(more));
    let value = Value::parse(std::str::from_utf8(&bytes).ok()?.trim()).ok()?;
    Some(match &value {
        Value::List(elements) => elements.iter().map(|element| format!("{element}\n")).collect(),
        value => format!("{value}\n"),
    })
}

/// Where points go: into the file, but for those that are there.
struct Sink<'a> {
    points: &'a Path,
    writer: &'a mut Option<Writer>,
    recorded: Option<Recorded>,
    failed: Result<()>,
}

impl Sink<'_> {
    fn add(&mut self, point: &mut Point) {
        point.t = Some(Time::now());
        let missing = self.recorded.as_mut().map(|recorded| recorded.lacks(point));
        if missing.as_ref().is_some_and(Point::is_empty) || self.failed.is_err() {
            return;
        }
        if self.writer.is_none() {
            match Writer::open(self.points) {
                Ok(writer) => *self.writer = Some(writer),
                Err(err) => return self.failed = Err(err),
            }
        }
        if let Some(writer) = self.writer {
            self.failed = writer.add(missing.as_ref().unwrap_or(point));
        }
    }
}

fn feed(file: &File, from: u64, to: u64, act: &mut dyn FnMut(&[u8])) {
    let mut buffer = vec![0; CHUNK];
    let mut at = from;
    while at < to {
        let most = usize::try_from(to - at).unwrap_or(CHUNK).min(CHUNK);
        match file.read_at(buffer.get_mut(..most).unwrap_or_default(), at) {
            Ok(0) => return,
            Ok(n) => {
                act(buffer.get(..n).unwrap_or_default());
                at += n as u64;
            }
            Err(err) if err.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// The end of the last whole line between two bytes; the first of them when there is none.
fn end_of_lines(file: &File, from: u64, to: u64) -> u64 {
    let mut end = to;
    while end > from {
        let start = end.saturating_sub(CHUNK as u64).max(from);
        let mut bytes = Vec::new();
        feed(file, start, end, &mut |more| bytes.extend_from_slice(more));
        if let Some(newline) = bytes.iter().rposition(|b| *b == b'\n') {
            return start + newline as u64 + 1;
        }
        end = start;
    }
    from
}

/// A fingerprint of what stands before a byte.
fn mark(file: &File, at: u64) -> String {
    let mut hasher = Hasher::new();
    feed(file, at.saturating_sub(MARK), at, &mut |bytes| hasher.bytes(bytes));
    hasher.finish()
}
