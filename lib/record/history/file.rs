//! The files of a history. Each is written by one host only (several NFS hosts appending to one file lose lines): nn-run
//! writes `history.jsonl`, nn-log called on HOST writes `history.HOST.jsonl`; readers merge all of them by time.
//!
//! The writer hands whole lines to the system in one write; what a full disk refused is kept and continued later, byte
//! for byte. A torn last line is closed by the next writer with a newline, and passed over by readers; a broken line in
//! the middle is counted. The reader streams: one buffer a file, one point a file; what a later attempt did again is
//! passed over (history/join), for which the later parts of the files of a resumed run are read twice.

use super::join::{self, Seam};
use super::{Axis, Point};
use crate::base::error::{Doing, Error, Result};
use crate::base::time::Time;
use crate::base::{files, sys};
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Longest line read, bytes: more is no history.
const LONGEST: usize = 1 << 20;
/// Bytes gathered before they are written.
const BATCH: usize = 1 << 16;
/// Bytes kept while the disk is full; later points are dropped.
const KEPT: usize = 4 << 20;

/// `history.HOST.jsonl` for this host: what any program but nn-run writes.
pub fn file_of_host() -> String {
    let host: String =
        sys::host_name().chars().map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' }).collect();
    format!("history.{host}.jsonl")
}

/// Appends points to one file.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    file: File,
    waiting: String,
    /// How much of it waited when the file took nothing more
    refused: usize,
    lost: u64,
    /// The time of the last point, and its text
    stamp: (Option<Time>, Option<String>),
}

impl Writer {
    /// Opens or creates the file, and closes a torn last line.
    ///
    /// # Errors
    /// The file cannot be opened or read.
    pub fn open(path: impl Into<PathBuf>) -> Result<Writer> {
        let path = path.into();
        let mut file = files::open_append(&path).doing("open", &path)?;
        let waiting = if files::ends_torn(&mut file).doing("read", &path)? { "\n".into() } else { String::new() };
        Ok(Writer { path, file, waiting, refused: 0, lost: 0, stamp: (None, None) })
    }

    /// Adds a point; it reaches the file when enough have gathered, or by `flush`.
    ///
    /// # Errors
    /// The file cannot be written; the point is kept and written later.
    pub fn add(&mut self, point: &Point) -> Result<()> {
        if self.waiting.len() > KEPT {
            self.lost += 1;
        } else {
            if self.stamp.0 != point.t {
                self.stamp = (point.t, point.t.map(|t| t.to_string()));
            }
            point.write_stamped(self.stamp.1.as_deref(), &mut self.waiting);
        }
        // On a full disk not with each point: what waits is much.
        let enough = self.waiting.len() >= self.refused + BATCH && self.waiting.len() <= KEPT;
        if enough { self.flush() } else { Ok(()) }
    }

    /// Writes what has gathered.
    ///
    /// # Errors
    /// The file cannot be written; what was refused is kept and written later.
    pub fn flush(&mut self) -> Result<()> {
        let mut done = 0;
        let written = loop {
            match self.waiting.as_bytes().get(done..) {
                None | Some([]) => break Ok(()),
                Some(rest) => match self.file.write(rest) {
                    Ok(0) => break Err(std::io::ErrorKind::WriteZero.into()),
                    Ok(n) => done += n,
                    Err(err) if err.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(err) => break Err(err),
                },
            }
        };
        if done == self.waiting.len() {
            self.waiting.clear();
        } else if done > 0 {
            // A write may stop inside a character; the rest must stay text.
            self.waiting =
                String::from_utf8_lossy(self.waiting.as_bytes().get(done..).unwrap_or_default()).into_owned();
        }
        self.refused = self.waiting.len();
        written.doing("write", &self.path)
    }

    /// Points dropped because the disk stayed full.
    pub fn lost(&self) -> u64 {
        self.lost
    }
}

/// Reads points in the order of time.
#[derive(Debug)]
pub struct Reader {
    sources: Vec<Source>,
    seams: Vec<Seam>,
    current: Option<usize>,
    bad: usize,
}

impl Reader {
    /// All history of a run, given its folder; a run without any is an empty history.
    ///
    /// # Errors
    /// The folder or a file in it cannot be read.
    pub fn open(run: &Path) -> Result<Reader> {
        let mut names: Vec<PathBuf> = Vec::new();
        let mut resumed = false;
        for name in files::names(run)? {
            resumed |= name == join::RESUMED;
            if join::is_history(&name) {
                names.push(run.join(name));
            }
        }
        names.sort();
        let mut reader = Reader::files(&names)?;
        if resumed {
            reader.seams = Seam::read(run)?;
            Reader::files(&names)?.see(&mut reader.seams)?;
        }
        Ok(reader)
    }

    /// One file from a byte on.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn file_from(path: &Path, from: u64) -> Result<Reader> {
        let mut source = Source::open(path)?;
        source.skip_to(from)?;
        Ok(Reader { sources: vec![source], seams: Vec::new(), current: None, bad: 0 })
    }

    /// Shows each seam the points of its own attempt.
    fn see(mut self, seams: &mut [Seam]) -> Result<()> {
        for source in &mut self.sources {
            source.skip_to(seams.first().map_or(0, |first| first.start(&source.name)))?;
            while source.advance(&mut self.bad)? {
                let own = seams.iter_mut().rfind(|seam| seam.start(&source.name) <= source.from);
                if let Some(seam) = own {
                    seam.see(&source.point);
                }
            }
        }
        Ok(())
    }

    /// The history in these files.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn files(paths: &[PathBuf]) -> Result<Reader> {
        let sources = paths.iter().map(|path| Source::open(path)).collect::<Result<_>>()?;
        Ok(Reader { sources, seams: Vec::new(), current: None, bad: 0 })
    }

    /// The next point, in the order of time; None at the end.
    ///
    /// # Errors
    /// A file cannot be read.
    #[allow(clippy::should_implement_trait)] // an iterator cannot lend the one point that is filled again and again
    pub fn next(&mut self) -> Result<Option<&Point>> {
        match self.current {
            Some(i) => self.advance(i)?,
            None => {
                for i in (0..self.sources.len()).rev() {
                    self.advance(i)?;
                }
            }
        }
        // The first of the earliest: files in the order of their names when the times are equal.
        self.current = (0..self.sources.len()).min_by_key(|i| self.sources[*i].point.t);
        Ok(self.current.map(|i| &self.sources[i].point))
    }

    /// Reads on in one file to a point of the curve, and closes it at its end.
    fn advance(&mut self, i: usize) -> Result<()> {
        loop {
            let source = &mut self.sources[i];
            if !source.advance(&mut self.bad)? {
                self.sources.remove(i);
                return Ok(());
            }
            let replaced = |seam: &Seam| source.from < seam.start(&source.name) && seam.replaces(&source.point);
            if !self.seams.iter().any(replaced) {
                return Ok(());
            }
        }
    }

    /// Lines that were no points so far; a torn last line does not count.
    pub fn bad_lines(&self) -> usize {
        self.bad
    }

    /// What is left as a curve: (x, value) of every point that has both.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn series(&mut self, metric: &str, axis: Axis) -> Result<Vec<(f64, f64)>> {
        let mut series = Vec::new();
        while let Some(point) = self.next()? {
            if let (Some(value), Some(x)) = (point.value(metric), point.x(axis)) {
                series.push((x, value));
            }
        }
        Ok(series)
    }
}

#[derive(Debug)]
pub(super) struct Source {
    path: PathBuf,
    name: String,
    file: BufReader<File>,
    /// Where the line of `point` begins, and where the next one does
    pub(super) from: u64,
    pub(super) to: u64,
    line: Vec<u8>,
    pub(super) point: Point,
}

impl Source {
    pub(super) fn open(path: &Path) -> Result<Source> {
        let file = File::open(path).doing("read", path)?;
        let file = BufReader::with_capacity(1 << 16, file);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Source { path: path.into(), name, file, from: 0, to: 0, line: Vec::new(), point: Point::new() })
    }

    /// Goes on at `at`, or at the end of a file that is shorter.
    pub(super) fn skip_to(&mut self, at: u64) -> Result<()> {
        self.to = self.file.seek(SeekFrom::Start(at)).doing("read", &self.path)?;
        Ok(())
    }

    /// Fills `point` with the next whole line that is one. False: there is none yet.
    pub(super) fn advance_whole(&mut self) -> Result<bool> {
        loop {
            match self.read_line()? {
                Line::Whole(true) => return Ok(true),
                Line::Whole(false) | Line::Blank => {}
                Line::Torn(_) | Line::End => {
                    self.to = self.from;
                    return Ok(false);
                }
            }
        }
    }

    /// Fills `point` with the next line that is one. False: the end.
    fn advance(&mut self, bad: &mut usize) -> Result<bool> {
        // A point without a time stands where its file has it.
        let before = self.point.t;
        loop {
            match self.read_line()? {
                Line::End => return Ok(false),
                Line::Whole(true) | Line::Torn(true) => {
                    self.point.t = self.point.t.or(before);
                    return Ok(true);
                }
                Line::Whole(false) => *bad += 1,
                Line::Torn(false) => return Ok(false),
                Line::Blank => {}
            }
        }
    }

    /// Reads one line into `point`.
    fn read_line(&mut self) -> Result<Line> {
        self.line.clear();
        self.from = self.to;
        loop {
            let buffer = match self.file.fill_buf() {
                Ok(buffer) => buffer,
                Err(err) if err.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(err) => return Err(Error::Io { doing: "read", path: self.path.clone(), err }),
            };
            if buffer.is_empty() {
                let torn = !self.line.is_empty();
                return Ok(if torn { Line::Torn(fill(&mut self.point, &self.line)) } else { Line::End });
            }
            let newline = buffer.iter().position(|b| *b == b'\n');
            let part = buffer.get(..newline.unwrap_or(buffer.len())).unwrap_or_default();
            let read = part.len() + usize::from(newline.is_some());
            let whole = newline.map(|_| {
                if self.line.is_empty() {
                    return whole(&mut self.point, part);
                }
                self.line.extend_from_slice(part);
                whole(&mut self.point, &self.line)
            });
            if whole.is_none() && self.line.len() < LONGEST {
                self.line.extend_from_slice(part);
            }
            self.file.consume(read);
            self.to += read as u64;
            if let Some(line) = whole {
                return Ok(line);
            }
        }
    }
}

/// A line was read: ended by a newline or torn, and whether it was a point.
enum Line {
    Whole(bool),
    Torn(bool),
    Blank,
    End,
}

fn whole(point: &mut Point, line: &[u8]) -> Line {
    if line.trim_ascii().is_empty() { Line::Blank } else { Line::Whole(fill(point, line)) }
}

fn fill(point: &mut Point, line: &[u8]) -> bool {
    line.len() <= LONGEST && str::from_utf8(line).is_ok_and(|line| point.read_line(line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn dir(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("nn-history-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        dir
    }

    fn losses(reader: &mut Reader) -> Vec<f64> {
        let mut losses = Vec::new();
        while let Some(point) = reader.next().unwrap() {
            losses.push(point.value("loss").unwrap());
        }
        losses
    }

    #[test]
    fn a_torn_line_is_closed_and_passed_over() {
        let dir = dir("torn");
        let path = dir.join("history.jsonl");
        fs::write(&path, "{\"epoch\":1,\"loss\":1}\n{\"epoch\":2,\"lo").unwrap();
        let mut reader = Reader::open(&dir).unwrap();
        assert_eq!((losses(&mut reader), reader.bad_lines()), (vec![1.0], 0));
        let mut point = Point::new();
        point.set_counter("epoch", 3.0);
        point.push_value("loss", 3.0);
        let mut writer = Writer::open(&path).unwrap();
        writer.add(&point).unwrap();
        writer.flush().unwrap();
        let mut reader = Reader::open(&dir).unwrap();
        assert_eq!((losses(&mut reader), reader.bad_lines()), (vec![1.0, 3.0], 1));
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, "{\"epoch\":1,\"loss\":1}\n{\"epoch\":2,\"lo\n{\"epoch\":3,\"loss\":3}\n");
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn files_merge_by_time() {
        let dir = dir("merge");
        let line = |t: i64, loss: f64| {
            let mut point = Point::new();
            point.t = Some(Time(t));
            point.push_value("loss", loss);
            let mut out = String::new();
            point.write_line(&mut out);
            out
        };
        fs::write(
            dir.join("history.jsonl"),
            line(1000, 1.0) + &line(3000, 3.0) + "{\"loss\":3.5}\n" + &line(5000, 5.0),
        )
        .unwrap();
        fs::write(dir.join("history.far.jsonl"), line(2000, 2.0) + "junk\n\n" + &line(4000, 4.0)).unwrap();
        fs::write(dir.join("historical.jsonl"), line(1, 9.0)).unwrap();
        let mut reader = Reader::open(&dir).unwrap();
        assert_eq!((losses(&mut reader), reader.bad_lines()), (vec![1.0, 2.0, 3.0, 3.5, 4.0, 5.0], 1));
        let series = Reader::open(&dir).unwrap().series("loss", Axis::Time).unwrap();
        assert_eq!(series.len(), 6);
        assert_eq!(series[0], (1.0, 1.0));
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn attempts_make_one_curve() {
        let dir = dir("join");
        let lines = |epochs: std::ops::RangeInclusive<u32>, loss: f64| -> String {
            epochs.map(|epoch| format!("{{\"epoch\":{epoch},\"loss\":{loss}}}\n")).collect()
        };
        let path = dir.join("history.jsonl");
        let append = |text: &str| files::append(&path, text).unwrap();
        let curve = || Reader::open(&dir).unwrap().series("loss", Axis::Epoch).unwrap();
        append(&(lines(1..=5, 1.0) + "{\"loss\":9}\n{\"epoch\":6,\"lo"));
        join::note(&dir, 2, Some(Path::new("c3")), 0, &[]).unwrap();
        assert_eq!(curve().len(), 5, "an attempt without points changes nothing");
        append(&lines(4..=7, 2.0));
        let expected = vec![(1.0, 1.0), (2.0, 1.0), (3.0, 1.0), (4.0, 2.0), (5.0, 2.0), (6.0, 2.0), (7.0, 2.0)];
        assert_eq!(curve(), expected);
        // The third from another host's file, its clock far back.
        join::note(&dir, 3, Some(Path::new("c6")), 0, &[]).unwrap();
        fs::write(dir.join("history.far.jsonl"), "{\"t\":\"1999-01-01T00:00:00Z\",\"epoch\":7,\"loss\":3}\n").unwrap();
        let mut joined = curve();
        joined.sort_by(|a, b| a.partial_cmp(b).unwrap());
        assert_eq!(joined.get(5..), Some(&[(6.0, 2.0), (7.0, 3.0)][..]));
        // The fourth starts over.
        join::note(&dir, 4, None, 70, &[("/m.csv".into(), 8)]).unwrap();
        let start = join::Start::of_last(&dir).unwrap();
        assert_eq!((start.log, start.files), (70, vec![(PathBuf::from("/m.csv"), 8)]));
        assert_eq!(start.history, fs::metadata(&path).unwrap().len());
        append(&lines(1..=2, 4.0));
        assert_eq!(curve(), [(1.0, 4.0), (2.0, 4.0)]);
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_line_of_any_length_is_survived() {
        let dir = dir("long");
        let path = dir.join("history.jsonl");
        let mut bytes = vec![b'x'; LONGEST + 70_000];
        bytes.extend_from_slice(b"\n{\"loss\":2}\n\xff\xfe{}\n\0\n{\"loss\":3}");
        fs::write(&path, bytes).unwrap();
        let mut reader = Reader::files(&[path]).unwrap();
        assert_eq!((losses(&mut reader), reader.bad_lines()), (vec![2.0, 3.0], 3));
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn no_history_is_an_empty_one() {
        let dir = dir("none");
        assert!(Reader::open(&dir).unwrap().next().unwrap().is_none());
        assert!(Reader::open(&dir.join("gone")).is_err());
        fs::remove_dir_all(dir).unwrap();
    }
}
