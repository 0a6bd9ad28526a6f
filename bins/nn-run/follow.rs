//! Following what the command writes: its log, and files of metrics beside it. Every byte is read once, through one
//! buffer; shown if a person wants to see it; and what is understood goes to history.jsonl, whole lines at a time.

use crate::judge::Judging;
use crate::prepare::Attempt;
use nn::base::cli::{self, Out};
use nn::base::error::{Doing, Error, Result};
use nn::base::glob;
use nn::base::json::Value;
use nn::base::text;
use nn::base::time::Time;
use nn::record::history::Recorded;
use nn::record::history::join::Start;
use nn::record::history::{Point, Writer};
use nn::record::metrics::Extractor;
use nn::record::pattern::Pattern;
use nn::record::results::Results;
use nn::spool::job::Job;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Bytes read at once.
const CHUNK: usize = 1 << 16;
/// Variables summed up in result.json at most: more is not a set of variables of interest.
const MOST_VARIABLES: usize = 200;
/// Silence of so many looks hands on the values that may belong together with later ones.
const SILENT_LOOKS: u32 = 4;

/// One file that grows.
struct Source {
    file: File,
    at: u64,
    extractor: Extractor,
    silent: u32,
}

/// What to follow, and how.
pub struct Following<'a> {
    /// The run's directory
    pub dir: &'a Path,
    pub job: Option<&'a Job>,
    /// The command's directory
    pub cwd: &'a Path,
    /// Where the attempt begins
    pub start: Start,
    /// What of it is in the history already
    pub recorded: Recorded,
    /// Who judges what is read
    pub judging: Judging,
    /// Print the log through
    pub show: bool,
    /// To a terminal
    pub escape: bool,
}

/// Everything a run writes.
pub struct Follower {
    log: Source,
    files: HashMap<PathBuf, Source>,
    /// Where those begin that were there before the attempt
    starts: Vec<(PathBuf, u64)>,
    /// Files of metrics: their directory and pattern
    glob: Option<PathBuf>,
    /// When files were looked for last, in looks
    looks: u32,
    /// Shown to the person
    show: bool,
    escape: bool,
    record: Record,
    buffer: Vec<u8>,
}

/// The history and its summary.
struct Record {
    path: PathBuf,
    writer: Option<Writer>,
    told: bool,
    recorded: Recorded,
    judging: Judging,
    summary: Results,
    points: u64,
    /// The counters of the last point
    place: Point,
}

impl Follower {
    /// Follows a log.
    pub fn new(log: File, following: Following) -> Follower {
        let Following { dir, job, cwd, start, recorded, judging, show, escape } = following;
        let list = job.and_then(|job| job.json.list("pattern")).unwrap_or_default();
        let patterns = list.iter().filter_map(|p| Pattern::parse(p.as_str()?).ok()).collect();
        let record = Record {
            path: dir.join("history.jsonl"),
            writer: None,
            told: false,
            recorded,
            judging,
            summary: Results::default(),
            points: 0,
            place: Point::new(),
        };
        Follower {
            log: Source { file: log, at: start.log, extractor: Extractor::new(patterns), silent: 0 },
            files: HashMap::new(),
            starts: start.files,
            glob: metrics_glob(job, cwd),
            looks: 0,
            show,
            escape,
            record,
            buffer: Vec::new(),
        }
    }

    /// Reads what there is. True: there was something.
    pub fn look(&mut self, out: &mut Out) -> bool {
        let mut grew = false;
        let (show, escape) = (&mut self.show, self.escape);
        let mut each = |bytes: &[u8]| {
            if *show && print(out, bytes, escape).is_err() {
                // Nobody reads any more: no reason to stop.
                *show = false;
            }
        };
        grew |= self.log.look(&mut self.buffer, &mut self.record, &mut each);
        if *show && out.flush().is_err() {
            *show = false;
        }
        grew |= self.look_at_files();
        self.record.flush();
        grew
    }

    fn look_at_files(&mut self) -> bool {
        let Some(glob) = &self.glob else { return false };
        if self.looks.is_multiple_of(8) {
            for path in glob::matching(glob) {
                if path.is_file()
                    && !self.files.contains_key(&path)
                    && let Ok(file) = File::open(&path)
                {
                    let extractor = Extractor::for_path(&path, Vec::new());
                    let at = self.starts.iter().find(|(p, _)| *p == path).map_or(0, |(_, at)| *at);
                    self.files.insert(path, Source { file, at, extractor, silent: 0 });
                }
            }
        }
        self.looks = self.looks.wrapping_add(1);
        let mut grew = false;
        for source in self.files.values_mut() {
            grew |= source.look(&mut self.buffer, &mut self.record, &mut |_| {});
        }
        grew
    }

    /// The command has ended: reads to the end, also a last line without newline.
    pub fn finish(&mut self, out: &mut Out) {
        self.looks = 0;
        self.look(out);
        let record = &mut self.record;
        for source in std::iter::once(&mut self.log).chain(self.files.values_mut()) {
            let now = Time::now();
            source.extractor.finish(&mut |point| record.add(point, now));
        }
        record.flush();
    }

    /// The counters in force.
    pub fn place(&self) -> Point {
        let waiting = self.log.extractor.waiting();
        let newest = if waiting.counters().next().is_some() { waiting } else { &self.record.place };
        let mut place = Point::new();
        newest.counters().for_each(|(name, value)| place.set_counter(name, value));
        place
    }

    /// Values that come from elsewhere than what the command writes.
    pub fn add(&mut self, point: &mut Point) {
        self.record.put(point, Time::now());
        self.record.flush();
    }

    /// Carries out what the judge found. True: the run is to be stopped.
    pub fn judge(&mut self, attempt: &Attempt) -> bool {
        self.record.judging.look(attempt)
    }

    /// The judge.
    pub fn judging(&mut self) -> &mut Judging {
        &mut self.record.judging
    }

    /// Of each variable: first, last, smallest, greatest.
    pub fn summary(&self) -> Value {
        self.record.summary.to_json()
    }
}

/// The files of metrics that a job names.
fn metrics_glob(job: Option<&Job>, cwd: &Path) -> Option<PathBuf> {
    job.and_then(|job| job.json.str("metrics")).map(|glob| cwd.join(glob))
}

/// The files of metrics there are, with their lengths: what is in them is not the next attempt's.
pub fn lengths(job: Option<&Job>, cwd: &Path) -> Vec<(PathBuf, u64)> {
    let paths = metrics_glob(job, cwd).map(|glob| glob::matching(&glob)).unwrap_or_default();
    let length = |path: PathBuf| std::fs::metadata(&path).ok().filter(|m| m.is_file()).map(|m| (path, m.len()));
    paths.into_iter().filter_map(length).collect()
}

/// Reads the log of an attempt whose runner died once more, and puts into the history what that one had not read yet.
///
/// # Errors
/// The log cannot be read.
pub fn catch_up(dir: &Path, job: Option<&Job>, cwd: &Path, out: &mut Out) -> Result<()> {
    let path = dir.join("log");
    let start = Start::of_last(dir)?;
    let recorded = Recorded::read(&dir.join("history.jsonl"), start.history);
    let log = File::open(&path).doing("read", &path)?;
    let following = Following { dir, job, cwd, start, recorded, judging: Judging::none(), show: false, escape: false };
    Follower::new(log, following).finish(out);
    Ok(())
}

impl Source {
    fn look(&mut self, buffer: &mut Vec<u8>, record: &mut Record, each: &mut dyn FnMut(&[u8])) -> bool {
        let start = self.at;
        match self.file.metadata().map(|meta| meta.len()) {
            // A file that was cut short is read from its beginning.
            Ok(len) if len < self.at => self.at = 0,
            Ok(len) if len == self.at => return self.wait(record),
            _ => {}
        }
        buffer.resize(CHUNK, 0);
        let now = Time::now();
        while let Some(bytes) = read(&self.file, buffer, self.at) {
            each(bytes);
            self.at += bytes.len() as u64;
            self.extractor.feed(bytes, &mut |point| record.add(point, now));
        }
        if self.at == start {
            return self.wait(record);
        }
        self.silent = 0;
        true
    }

    /// Nothing new. False, for `look`.
    fn wait(&mut self, record: &mut Record) -> bool {
        self.silent = self.silent.saturating_add(1);
        if self.silent == SILENT_LOOKS {
            let now = Time::now();
            self.extractor.flush(&mut |point| record.add(point, now));
        }
        false
    }
}

fn read<'a>(file: &File, buffer: &'a mut [u8], at: u64) -> Option<&'a [u8]> {
    loop {
        match file.read_at(buffer, at) {
            Ok(0) => return None,
            Ok(n) => return buffer.get(..n),
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}

impl Record {
    fn add(&mut self, point: &mut Point, now: Time) {
        self.place.clear();
        point.counters().for_each(|(name, value)| self.place.set_counter(name, value));
        self.put(point, now);
    }

    fn put(&mut self, point: &mut Point, now: Time) {
        point.t = Some(now);
        self.points += 1;
        self.summary.add(point, &[], MOST_VARIABLES);
        let missing = (!self.recorded.is_empty()).then(|| self.recorded.lacks(point));
        self.judging.point(point, missing.as_ref().is_some_and(Point::is_empty));
        if self.writer.is_none() {
            match Writer::open(&self.path) {
                Ok(writer) => self.writer = Some(writer),
                Err(err) => return self.tell(&err),
            }
        }
        let lacking = missing.as_ref().unwrap_or(point);
        let written = self.writer.as_mut().filter(|_| missing.is_none() || !lacking.is_empty());
        let written = written.map(|writer| writer.add(lacking));
        if let Some(Err(err)) = written {
            self.tell(&err);
        }
    }

    fn flush(&mut self) {
        if let Some(Err(err)) = self.writer.as_mut().map(Writer::flush) {
            self.tell(&err);
        }
    }

    /// Once: a full disk refuses every line.
    fn tell(&mut self, err: &Error) {
        if !self.told {
            cli::warn(&err.to_string());
        }
        self.told = true;
    }
}

/// Through to the person: bytes as they are into a pipe; harmless on a terminal, but for the carriage returns of bars.
fn print(out: &mut Out, bytes: &[u8], escape: bool) -> Result<()> {
    if !escape {
        return out.write_all(bytes);
    }
    for line in bytes.split_inclusive(|b| matches!(b, b'\n' | b'\r' | b'\t')) {
        let (text, end) = match line.split_last() {
            Some((end @ (b'\n' | b'\r' | b'\t'), text)) => (text, Some(*end)),
            _ => (line, None),
        };
        out.write_all(text::escape_bytes(text).as_bytes())?;
        if let Some(end) = end {
            out.write_all(&[end])?;
        }
    }
    Ok(())
}
