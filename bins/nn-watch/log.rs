//! nn-watch FILE|-: a log of any program is judged as nn-run judges its run, without a spool. What was found is printed as
//! it is found, JSON lines or lines for people; the exit status says whether somebody should look.
//!
//! What stands in a file already has the times that its records tell (history.jsonl); without, how fast it came nobody
//! knows. What comes while this program watches has those at which it came.

use crate::Opts;
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Doing, Error, Result};
use nn::base::sys::{self, Signal, Signals};
use nn::base::table::{Format, Table};
use nn::base::text::escape;
use nn::base::time::Time;
use nn::judge::event::{Event, Level};
use nn::judge::judge::Judge;
use nn::record::history::Point;
use nn::record::metrics::Extractor;
use nn::record::pattern::Pattern;
use nn::spool::rule::{Action, Rule};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Between two looks at a file that grows, and at the clock.
const LOOK: Duration = Duration::from_millis(500);
/// Bytes read at once.
const CHUNK: usize = 1 << 16;

/// Whether an operand is a log: `-`, a path with a slash, or a file that is there. A number is a run.
pub fn is_log(operand: &OsStr) -> bool {
    let is_number = operand.as_bytes().iter().all(u8::is_ascii_digit);
    let is_path = operand == "-" || operand.as_bytes().contains(&b'/');
    is_path || !is_number && std::fs::metadata(operand).is_ok_and(|meta| !meta.is_dir())
}

/// Judges a log. 1: something was found that is more than a note.
///
/// # Errors
/// It cannot be read, or nothing in it was understood.
pub fn judge(opts: Opts, out: &mut Out) -> Result<Exit> {
    let [operand] = opts.runs.as_slice() else { return Err(Error::usage("one log at a time")) };
    let mut rules = Vec::new();
    for text in &opts.rules {
        rules.push(rule(text)?);
    }
    let patterns: Result<Vec<Pattern>> =
        opts.patterns.iter().map(|text| Pattern::parse(text).map_err(Error::Usage)).collect();
    let is_input = operand == "-";
    let path = PathBuf::from(if is_input { OsStr::new("standard input") } else { operand });
    let json = opts.json || !out.is_terminal();
    let table = (!json && !opts.follow).then(|| Table::new(&["at", "level", "found by", "why"]));
    let log = Log {
        extractor: Extractor::for_path(&path, patterns?),
        judge: Judge::with_rules(rules.clone()),
        path,
        rules,
        json,
        table,
        points: 0,
        worst: None,
        is_stopped: false,
    };
    if is_input { log.read_input(out) } else { log.read_file(opts.follow, out) }
}

/// Of the actions of a rule two make sense for a program that is not this one's: to say it, and to end watching.
fn rule(text: &str) -> Result<Rule> {
    let rule = Rule::parse(text).map_err(Error::Usage)?;
    match rule.action {
        Action::Run(_) | Action::Mail => {
            Err(Error::usage("rule: column 1: of a log 'warn' and 'stop' are possible: the exit status tells"))
        }
        Action::Warn | Action::Stop => Ok(rule),
    }
}

struct Log {
    extractor: Extractor,
    judge: Judge,
    path: PathBuf,
    rules: Vec<Rule>,
    json: bool,
    table: Option<Table>,
    points: u64,
    worst: Option<Level>,
    /// A rule has said stop
    is_stopped: bool,
}

impl Log {
    fn read_input(mut self, out: &mut Out) -> Result<Exit> {
        let stdin = io::stdin();
        let mut buffer = vec![0; CHUNK];
        while !self.is_stopped {
            if !sys::wait_readable(&stdin, LOOK) {
                self.silence(out)?;
                continue;
            }
            let n = match stdin.lock().read(&mut buffer) {
                Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
                read => read.doing("read", &self.path)?,
            };
            if n == 0 {
                break;
            }
            self.feed(buffer.get(..n).unwrap_or_default(), Some(Time::now()), out)?;
        }
        self.finish(Some(Time::now()), out)
    }

    fn read_file(mut self, follow: bool, out: &mut Out) -> Result<Exit> {
        let signals = Signals::catch(&[Signal::INT, Signal::TERM]).doing("catch", "signals")?;
        let mut file = File::open(&self.path).doing("read", &self.path)?;
        let mut buffer = vec![0; CHUNK];
        let mut at = 0;
        let mut is_new = false;
        while !self.is_stopped {
            let n = match file.read(&mut buffer) {
                Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
                read => read.doing("read", &self.path)?,
            };
            at += n as u64;
            let now = is_new.then(Time::now);
            self.feed(buffer.get(..n).unwrap_or_default(), now, out)?;
            if n > 0 {
                continue;
            }
            if !follow {
                break;
            }
            is_new = true;
            self.silence(out)?;
            if signals.wait(Some(LOOK)).is_some() {
                break;
            }
            // Begun anew, by the same name: what came before was of another training.
            if let Some(other) = replaced(&self.path, &file, at) {
                file = other;
                at = 0;
                self.judge.pause();
            }
        }
        self.finish(None, out)
    }

    fn feed(&mut self, bytes: &[u8], now: Option<Time>, out: &mut Out) -> Result<()> {
        let (judge, points) = (&mut self.judge, &mut self.points);
        self.extractor.feed(bytes, &mut |point| add(judge, points, point, now));
        self.tell(out)
    }

    /// Nothing came for a while: what was put together is handed on, and the silence judged.
    fn silence(&mut self, out: &mut Out) -> Result<()> {
        let now = Time::now();
        let (judge, points) = (&mut self.judge, &mut self.points);
        self.extractor.flush(&mut |point| add(judge, points, point, Some(now)));
        self.judge.tick(now);
        self.tell(out)?;
        out.flush()
    }

    fn tell(&mut self, out: &mut Out) -> Result<()> {
        for event in self.judge.take() {
            self.worst = self.worst.max(Some(event.level));
            self.is_stopped |= event.action == Some(Action::Stop);
            self.show(&event, out)?;
        }
        Ok(())
    }

    fn show(&mut self, event: &Event, out: &mut Out) -> Result<()> {
        let (level, why, place) = (event.level.word(), escape(&event.why), event.place());
        if self.json {
            writeln!(out, "{}", event.json(None))?;
        } else if let Some(table) = &mut self.table {
            table.row(vec![place.as_str().into(), level.into(), event.detector.into(), event.why.as_str().into()]);
        } else {
            let at = if place.is_empty() { String::new() } else { format!(" at {place}") };
            writeln!(out, "{level}: {}: {why}{}", event.detector, escape(&at))?;
        }
        Ok(())
    }

    fn finish(mut self, now: Option<Time>, out: &mut Out) -> Result<Exit> {
        if !self.is_stopped {
            let (judge, points) = (&mut self.judge, &mut self.points);
            self.extractor.finish(&mut |point| add(judge, points, point, now));
        }
        self.tell(out)?;
        if let Some(table) = self.table.as_ref().filter(|table| !table.is_empty()) {
            table.print(out, Format::Screen)?;
        }
        out.flush()?;
        if self.points == 0 {
            let path = self.path.display();
            return Err(Error::other(format!(
                "{path}: no variable of interest was found (nn-log --try shows what is read, --pattern tells how lines look)"
            )));
        }
        for what in self.judge.unknown_names(&self.rules) {
            cli::warn(&escape(&what));
        }
        Ok(if self.worst > Some(Level::Info) { Exit::NO } else { Exit::DONE })
    }
}

fn add(judge: &mut Judge, points: &mut u64, point: &mut Point, now: Option<Time>) {
    point.t = now.or(point.t);
    *points += 1;
    judge.point(point);
}

/// The file that is read from its beginning: of that name another than before, or the same, cut.
fn replaced(path: &Path, file: &File, at: u64) -> Option<File> {
    let there = std::fs::metadata(path).ok()?;
    let own = file.metadata().ok()?;
    let is_other = (there.dev(), there.ino()) != (own.dev(), own.ino()) || there.len() < at;
    is_other.then(|| File::open(path).ok())?
}
