//! From bytes to points: the line reader, then templates or the recognisers, then the values of one position put
//! together into one point. A point is handed on when another position begins or a value repeats; `flush` hands on what
//! is there (for a log that is silent for a while), `finish` also reads the last line when its newline is missing.

use super::{Found, Recogniser, Sink};
use crate::record::history::Point;
use crate::record::lines::LineReader;
use crate::record::pattern::{Pattern, Patterns};
use std::path::Path;

/// Whether a file of that name holds records (CSV, JSON lines) rather than a log.
pub fn holds_records(path: &Path) -> bool {
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    matches!(ending.as_str(), "csv" | "tsv" | "jsonl" | "ndjson" | "json")
}

#[derive(Debug)]
enum How {
    Recognise(Box<Recogniser>),
    Match(Box<Patterns>),
}

impl How {
    fn line(&mut self, number: u64, text: &str, sink: Sink) {
        match self {
            How::Recognise(recogniser) => recogniser.line(number, text, sink),
            How::Match(patterns) => patterns.line(number, text, sink),
        }
    }
}

/// Bytes in, points out.
#[derive(Debug)]
pub struct Extractor {
    lines: LineReader,
    how: How,
    gathered: Point,
}

impl Extractor {
    /// For a log: by the templates if there are any, else by the recognisers.
    pub fn new(patterns: Vec<Pattern>) -> Extractor {
        let how = if patterns.is_empty() {
            How::Recognise(Box::new(Recogniser::new()))
        } else {
            How::Match(Box::new(Patterns::new(patterns)))
        };
        Extractor { lines: LineReader::new(), how, gathered: Point::new() }
    }

    /// For a file of that name: templates are for logs only, so a file of records (CSV, JSON lines) is read by the recognisers.
    pub fn for_path(path: &Path, patterns: Vec<Pattern>) -> Extractor {
        Extractor::new(if holds_records(path) { Vec::new() } else { patterns })
    }

    /// Reads a chunk; `sink` gets each point that is whole. Its time is the one its line tells, if it is a
    /// record with one.
    pub fn feed(&mut self, bytes: &[u8], sink: &mut dyn FnMut(&mut Point)) {
        let (how, gathered) = (&mut self.how, &mut self.gathered);
        self.lines.feed(bytes, &mut |number, text| how.line(number, text, &mut |found| gather(gathered, found, sink)));
    }

    /// The point that is being put together.
    pub fn waiting(&self) -> &Point {
        &self.gathered
    }

    /// Hands on the point that is being put together.
    pub fn flush(&mut self, sink: &mut dyn FnMut(&mut Point)) {
        if !self.gathered.is_empty() {
            sink(&mut self.gathered);
        }
        self.gathered.clear();
    }

    /// The end of the log.
    pub fn finish(&mut self, sink: &mut dyn FnMut(&mut Point)) {
        let gathered = &mut self.gathered;
        let (lines, how) = (&mut self.lines, &mut self.how);
        finish(lines, how, &mut |found| gather(gathered, found, sink));
        self.flush(sink);
    }

    /// Like `feed`, line by line, nothing put together: to show what is found where.
    pub fn feed_lines(&mut self, bytes: &[u8], sink: &mut dyn FnMut(&Found)) {
        let how = &mut self.how;
        self.lines.feed(bytes, &mut |number, text| how.line(number, text, sink));
    }

    /// Like `finish`, line by line.
    pub fn finish_lines(&mut self, sink: &mut dyn FnMut(&Found)) {
        finish(&mut self.lines, &mut self.how, sink);
    }
}

fn finish(lines: &mut LineReader, how: &mut How, sink: &mut dyn FnMut(&Found)) {
    lines.finish(&mut |number, text| how.line(number, text, sink));
    if let How::Recognise(recogniser) = how {
        recogniser.finish(sink);
    }
}

/// Adds what was found to the point that is being put together, or begins the next.
fn gather(gathered: &mut Point, found: &Found, sink: &mut dyn FnMut(&mut Point)) {
    if !gathered.is_empty() {
        let fits =
            gathered.same_place(found.point) && found.point.values().all(|(name, _)| gathered.value(name).is_none());
        if !fits {
            sink(gathered);
            gathered.clear();
        }
    }
    if gathered.is_empty() {
        gathered.clear();
        gathered.t = found.point.t;
        for (name, value) in found.point.counters() {
            gathered.set_counter(name, value);
        }
    }
    for (name, value) in found.point.values() {
        gathered.push_value(name, value);
    }
}
