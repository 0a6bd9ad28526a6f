//! Reading runs and files as points, and points as curves.

use super::labels::Subject;
use super::table::Table;
use nn::base::error::{Doing, Result};
use nn::draw::chart::{Curve, Smoother, Smoothing};
use nn::record::history::{Axis, Point, Reader};
use nn::record::metrics::Extractor;
use nn::record::pattern::Pattern;
use nn::spool::store::Spool;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many points of each source are looked at to learn what there is.
const FIRST: usize = 2000;

/// Where values are.
pub enum Source {
    /// A run's history.
    Run(Spool, u64),
    /// A log, a history, CSV or JSON lines.
    File(PathBuf),
    /// The same, already read, and what to call it.
    Bytes(String, Vec<u8>),
}

/// What stands on the x axis.
#[derive(Clone, Debug, PartialEq)]
pub enum Along {
    /// The epoch as printed; with a batch, the part of it that is done.
    Epoch,
    /// The step as printed.
    Step,
    /// Updates of the parameters.
    Updates,
    /// Seconds since the first point.
    Time,
    /// Another value of the same point.
    Column(String),
    /// The number of the point.
    Number,
}

impl Along {
    /// Reads what -x was given.
    pub fn parse(name: &str) -> Along {
        match Axis::parse(name) {
            Some(Axis::Epoch) => Along::Epoch,
            Some(Axis::Step) => Along::Step,
            Some(Axis::Updates) => Along::Updates,
            Some(Axis::Time) => Along::Time,
            None => Along::Column(name.to_string()),
        }
    }

    /// The title of the axis.
    pub fn label(&self) -> &str {
        match self {
            Along::Epoch => "epoch",
            Along::Step => "step",
            Along::Updates => "updates",
            Along::Time => "time since the start",
            Along::Column(name) => name,
            Along::Number => "point",
        }
    }

    fn of(&self, point: &Point, number: u64, start: &mut Option<f64>) -> Option<f64> {
        match self {
            Along::Epoch => point.epochs(),
            Along::Step => point.x(Axis::Step),
            Along::Updates => point.x(Axis::Updates),
            Along::Time => {
                let now = point.x(Axis::Time)?;
                Some(now - *start.get_or_insert(now))
            }
            Along::Column(name) => point.value(name).or_else(|| point.counter(name)),
            Along::Number => Some(number as f64),
        }
    }
}

/// What a first look found.
#[derive(Default)]
pub struct Looks {
    /// Names of variables in order of appearance, and in how many sources they are.
    pub names: Vec<(String, usize)>,
    /// For each name: points, and how many of them have an epoch, a step, a batch.
    counted: HashMap<String, [usize; 4]>,
    /// The first column, where all sources are tables that begin with the same one and it is no counter.
    column: Option<String>,
}

impl Looks {
    /// What to draw these variables along: the step if all their points have one, the updates if all have a batch,
    /// the epoch if all have one, the first column of a table, else whatever counts them.
    pub fn along(&self, names: &[String]) -> Along {
        let mut sum = [0; 4];
        for counts in names.iter().filter_map(|name| self.counted.get(name)) {
            sum.iter_mut().zip(counts).for_each(|(s, c)| *s += c);
        }
        let [points, epochs, steps, batches] = sum;
        match &self.column {
            Some(column) if !names.contains(column) => Along::Column(column.clone()),
            _ if steps == points => Along::Step,
            _ if batches == points => Along::Updates,
            _ if epochs == points => Along::Epoch,
            _ if epochs + steps + batches == 0 => Along::Number,
            _ => Along::Updates,
        }
    }

    fn add(&mut self, point: &Point, seen: &mut Vec<String>) {
        let has = |name: &str| usize::from(point.counter(name).is_some());
        for (name, _) in point.values() {
            if !seen.iter().any(|s| s == name) {
                seen.push(name.to_string());
                match self.names.iter_mut().find(|n| n.0 == name) {
                    Some(known) => known.1 += 1,
                    None => self.names.push((name.to_string(), 1)),
                }
            }
            let entry = match self.counted.get_mut(name) {
                Some(entry) => entry,
                None => self.counted.entry(name.to_string()).or_default(),
            };
            let now = [1, has("epoch"), has("step"), has("batch")];
            entry.iter_mut().zip(now).for_each(|(e, n)| *e += n);
        }
    }
}

/// Looks at the beginning of each source.
pub fn look(subjects: &[Subject], patterns: &[Pattern]) -> Result<Looks> {
    let mut looks = Looks::default();
    let mut columns: Vec<Option<String>> = Vec::new();
    for subject in subjects {
        let (mut left, mut seen) = (FIRST, Vec::new());
        let mut sink = |point: &Point| {
            looks.add(point, &mut seen);
            left -= 1;
            left > 0
        };
        columns.push(points(&subject.source, patterns, &mut sink)?);
    }
    let first = columns.first().cloned().flatten();
    looks.column = first.filter(|column| columns.iter().all(|c| c.as_ref() == Some(column)));
    Ok(looks)
}

/// What to read.
pub struct Plan {
    /// The variables.
    pub names: Vec<String>,
    /// What they are drawn along.
    pub along: Along,
    /// How, and over how many values, they are smoothed.
    pub smoothing: Option<(Smoothing, usize)>,
    /// How lines of logs are read.
    pub patterns: Vec<Pattern>,
}

/// One variable of one source.
#[derive(Default)]
pub struct Line {
    /// The curve.
    pub front: Curve,
    /// What it was before smoothing.
    pub behind: Curve,
    /// Its last value.
    pub value: Option<f64>,
    smoother: Option<Smoother>,
    last: Option<f64>,
}

/// The variables of one source, in the plan's order.
#[derive(Default)]
pub struct Curves {
    /// One for each variable.
    pub lines: Vec<Line>,
}

/// Reads all sources, as many at a time as there are processors.
pub fn curves(subjects: &[Subject], plan: &Plan) -> Result<Vec<Curves>> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(subjects.len()).min(8);
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Result<Curves>)>> = Mutex::new(Vec::new());
    let work = || {
        while let Some((n, subject)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|n| Some((n, subjects.get(n)?)))
        {
            let curves = read_one(&subject.source, plan);
            if let Ok(mut done) = done.lock() {
                done.push((n, curves));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..workers {
            scope.spawn(work);
        }
        work();
    });
    let mut all = done.into_inner().unwrap_or_default();
    all.sort_by_key(|(n, _)| *n);
    all.into_iter().map(|(_, curves)| curves).collect()
}

fn read_one(source: &Source, plan: &Plan) -> Result<Curves> {
    let smoother = || plan.smoothing.map(|(how, n)| Smoother::new(how, n));
    let mut lines: Vec<Line> = plan.names.iter().map(|_| Line { smoother: smoother(), ..Line::default() }).collect();
    let (mut number, mut start) = (0, None);
    points(source, &plan.patterns, &mut |point| {
        number += 1;
        let Some(x) = plan.along.of(point, number, &mut start) else { return true };
        for (name, line) in plan.names.iter().zip(&mut lines) {
            let Some(value) = point.value(name) else { continue };
            line.value = Some(value);
            // a run that was taken up again, or counts anew: no line leads back
            if line.last.replace(x).is_some_and(|last| x < last) {
                line.behind.push(f64::NAN, f64::NAN);
                line.front.push(f64::NAN, f64::NAN);
            }
            match &mut line.smoother {
                Some(smoother) => {
                    line.behind.push(x, value);
                    line.front.push(x, smoother.next(value));
                }
                None => line.front.push(x, value),
            }
        }
        true
    })?;
    Ok(Curves { lines })
}

/// All of standard input.
pub fn standard_input() -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).doing("read", Path::new("standard input"))?;
    Ok(bytes)
}

/// Hands the points of a source to `sink` until it returns false. Gives the name of the first column if the source is
/// a table whose first column is no counter.
fn points(source: &Source, patterns: &[Pattern], sink: &mut dyn FnMut(&Point) -> bool) -> Result<Option<String>> {
    match source {
        Source::Run(spool, run) => of_history(Reader::open(&spool.run_dir(*run))?, sink),
        Source::File(path) => {
            let mut file = File::open(path).doing("read", path)?;
            let mut head = vec![0; 4096];
            let length = file.read(&mut head).doing("read", path)?;
            head.truncate(length);
            if is_history(&head) {
                return of_history(Reader::files(std::slice::from_ref(path))?, sink);
            }
            let extractor = Extractor::for_path(path, patterns.to_vec());
            of_bytes(&mut head.as_slice().chain(file), path, (&head, extractor, patterns), sink)
        }
        Source::Bytes(name, bytes) => {
            let head = bytes.get(..bytes.len().min(4096)).unwrap_or_default();
            let extractor = Extractor::new(patterns.to_vec());
            if is_history(head) {
                return Ok(of_lines(bytes, sink));
            }
            of_bytes(&mut bytes.as_slice(), Path::new(name), (head, extractor, patterns), sink)
        }
    }
}

/// Whether a file begins as a history does.
fn is_history(head: &[u8]) -> bool {
    head.starts_with(b"{\"t\":\"")
}

fn of_history(mut reader: Reader, sink: &mut dyn FnMut(&Point) -> bool) -> Result<Option<String>> {
    while let Some(point) = reader.next()? {
        if !sink(point) {
            break;
        }
    }
    Ok(None)
}

fn of_lines(bytes: &[u8], sink: &mut dyn FnMut(&Point) -> bool) -> Option<String> {
    let mut point = Point::new();
    for line in bytes.split(|b| *b == b'\n') {
        point.clear();
        if std::str::from_utf8(line).is_ok_and(|line| point.read_line(line)) && !sink(&point) {
            break;
        }
    }
    None
}

type How<'a> = (&'a [u8], Extractor, &'a [Pattern]);

fn of_bytes(
    input: &mut dyn Read,
    path: &Path,
    (head, mut extractor, patterns): How,
    sink: &mut dyn FnMut(&Point) -> bool,
) -> Result<Option<String>> {
    let mut table = if patterns.is_empty() { Table::beginning(head) } else { None };
    let mut buffer = vec![0; 1 << 16];
    let mut more = true;
    while more {
        let n = match input.read(&mut buffer) {
            Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
            read => read.doing("read", path)?,
        };
        let bytes = buffer.get(..n).unwrap_or_default();
        let mut each = |point: &Point| more = more && sink(point);
        match &mut table {
            Some(table) if n == 0 => table.finish(&mut each),
            Some(table) => table.feed(bytes, &mut each),
            None if n == 0 => extractor.finish(&mut |point| each(point)),
            None => extractor.feed(bytes, &mut |point| each(point)),
        }
        if n == 0 {
            break;
        }
    }
    Ok(table.and_then(|table| table.first_column()))
}
