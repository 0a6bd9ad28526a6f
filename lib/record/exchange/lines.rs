//! Files of lines. A CSV is a table with a heading: a column whose heading names a counter is one, a column of times is
//! when a row was, every other holds values; where no column counts, the rows do. A log is read as `nn-run` reads one.
//!
//! A cell that is empty, or no number, is no value, but a row with more cells than the heading, or a quote that is not
//! closed, is an error: then the file is no such table.

use super::{Foreign, Found, Sink, seconds, utc};
use crate::base::csv;
use crate::base::error::{Doing, Error, Result};
use crate::base::files;
use crate::base::time::Time;
use crate::record::history::{COUNTERS, Point};
use crate::record::metrics::{Extractor, counter_of};
use crate::record::pattern::Pattern;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::time::UNIX_EPOCH;

/// The longest line of a table, bytes, and the most columns.
const LONGEST: u64 = 1 << 20;
const MOST_COLUMNS: usize = 1000;

/// What a column holds.
#[derive(Clone, Debug, PartialEq)]
enum Column {
    Time,
    Counter(&'static str),
    /// The number of a run, as `nn-log export --csv` writes it
    Run,
    Value(String),
}

/// Reads a table.
///
/// # Errors
/// It is none, holds several runs or no value, cannot be read, or the sink fails.
pub fn read_csv(found: &Found, sink: Sink) -> Result<Foreign> {
    let path = &found.path;
    let mut file = BufReader::new(files::open_foreign(path)?);
    let wrong = |line: usize, what: &str| Error::data(path, line, what);
    let Some(head) = next_line(&mut file, path, 1)? else { return Err(wrong(0, "is empty")) };
    let head = head.strip_prefix('\u{feff}').unwrap_or(&head).to_string();
    let separator = csv::separator(&head);
    let columns = columns(&cells(&head, separator, path, 1)?);
    if columns.len() > MOST_COLUMNS {
        return Err(wrong(1, "has too many columns"));
    }
    let mut table = Table { columns, run: None, rows: 0 };
    let (mut number, mut point, mut values) = (1, Point::new(), 0);
    while let Some(line) = next_line(&mut file, path, number + 1)? {
        number += 1;
        let cells = cells(&line, separator, path, number)?;
        if !cells.iter().all(String::is_empty) {
            table.row(&cells, &mut point).map_err(|what| wrong(number, what))?;
            values += point.len();
            if !point.is_empty() {
                sink(&point)?;
            }
        }
    }
    if values == 0 {
        return Err(wrong(0, "holds no values: no number stands below a heading that is no counter"));
    }
    Ok(found.foreign("CSV does not tell how a run ended"))
}

/// The next line, without its end. None: there is none.
fn next_line(file: &mut impl BufRead, path: &Path, number: usize) -> Result<Option<String>> {
    let mut bytes = Vec::new();
    file.take(LONGEST).read_until(b'\n', &mut bytes).doing("read", path)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if bytes.len() as u64 == LONGEST {
        return Err(Error::data(path, number, "a line that is too long"));
    }
    let text = String::from_utf8(bytes).map_err(|_| Error::data(path, number, "is not valid UTF-8"))?;
    Ok(Some(text.trim_end_matches(['\n', '\r']).to_string()))
}

fn cells(line: &str, separator: char, path: &Path, number: usize) -> Result<Vec<String>> {
    let rows = csv::parse(line, separator).map_err(|(_, what)| Error::data(path, number, what))?;
    Ok(rows.into_iter().next().map(|row| row.cells).unwrap_or_default())
}

/// What the columns hold, by their headings. Of two for the same counter the first is it.
fn columns(headings: &[String]) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for (at, heading) in headings.iter().enumerate() {
        let exact = COUNTERS.into_iter().find(|name| name == heading);
        let column = match heading.to_ascii_lowercase().as_str() {
            "t" | "timestamp" | "_timestamp" | "wall_time" | "wall time" | "walltime" | "datetime" => Column::Time,
            "run" if at == 0 && headings.get(1).is_some_and(|next| next == "t") => Column::Run,
            _ => exact.or_else(|| counter_of(heading)).map_or(Column::Value(heading.clone()), Column::Counter),
        };
        let is_twice = !matches!(column, Column::Value(_)) && columns.contains(&column);
        columns.push(if is_twice { Column::Value(heading.clone()) } else { column });
    }
    columns
}

struct Table {
    columns: Vec<Column>,
    run: Option<String>,
    rows: u64,
}

impl Table {
    /// Fills a point with a row.
    fn row(&mut self, cells: &[String], point: &mut Point) -> std::result::Result<(), &'static str> {
        if cells.len() > self.columns.len() {
            return Err("has more cells than the heading");
        }
        self.rows += 1;
        point.clear();
        for (column, cell) in self.columns.iter().zip(cells) {
            let number = cell.parse::<f64>().ok();
            match (column, number) {
                (Column::Time, _) => point.t = time(cell),
                (Column::Run, _) if self.run.as_ref().is_some_and(|run| run != cell) => {
                    return Err("begins another run: one file a run, 'nn-log export --csv N > N.csv'");
                }
                (Column::Run, _) => self.run = Some(cell.clone()),
                (Column::Counter(name), Some(x)) if x.is_finite() => point.set_counter(name, x),
                (Column::Value(name), Some(x)) => point.push_value(name, x),
                _ => {}
            }
        }
        if !self.columns.iter().any(|column| matches!(column, Column::Counter(_))) {
            point.set_counter("iter", self.rows as f64);
        }
        Ok(())
    }
}

/// A time as RFC 3339, or in seconds, or milliseconds, since 1970.
fn time(cell: &str) -> Option<Time> {
    /// Seconds until the year 5138, and no millisecond after March 1973.
    const MOST_SECONDS: f64 = 1e11;
    let number = || cell.parse::<f64>().ok();
    let since = |x: f64| seconds(if x < MOST_SECONDS { x } else { x / 1000.0 });
    utc(cell).or_else(|| number().and_then(since))
}

/// Reads a log, by templates if there are any. When it was written last is when the run ended.
///
/// # Errors
/// It cannot be read, or the sink fails.
pub fn read_log(found: &Found, patterns: &[Pattern], sink: Sink) -> Result<Foreign> {
    let path = &found.path;
    let mut foreign = found.foreign("a log does not tell how a run ended");
    let file = files::open_foreign(path)?;
    let written = file.metadata().and_then(|meta| meta.modified()).doing("read", path)?;
    foreign.ended = written.duration_since(UNIX_EPOCH).ok().and_then(|since| seconds(since.as_secs_f64()));
    let mut extractor = Extractor::for_path(path, patterns.to_vec());
    let mut failed = Ok(());
    let mut hand_on = |point: &mut Point| {
        if failed.is_ok() {
            failed = sink(point);
        }
    };
    super::each_piece(path, &mut |piece| {
        extractor.feed(piece, &mut hand_on);
        Ok(())
    })?;
    extractor.finish(&mut hand_on);
    failed?;
    foreign.log = Some(path.clone());
    Ok(foreign)
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::super::tests::{Dir, shown};

    fn read(text: &str) -> Result<Vec<String>, String> {
        let dir = Dir::new(&format!("csv-{:x}", text.len() * 31 + usize::from(text.as_bytes()[0])));
        dir.write("x.csv", text);
        let found = Format::Csv.find(&dir.path.join("x.csv")).unwrap().0;
        let shown = shown(&found[0]).map(|(_, lines)| lines);
        shown.map_err(|err| err.to_string().replace(&found[0].path.display().to_string(), "x.csv"))
    }

    #[test]
    fn tables() {
        let own = "run,t,epoch,batches,loss,\"a,b\"\n7,2026-11-22T20:00:00.000Z,1,50,0.5,nan\n7,,2,50,,inf\n";
        assert_eq!(
            read(own).unwrap(),
            [
                r#"{"t":"2026-11-22T20:00:00.000Z","epoch":1,"batches":50,"loss":0.5,"a,b":"NaN"}"#,
                r#"{"epoch":2,"batches":50,"a,b":"Infinity"}"#
            ]
        );
        let board = "Wall time,Step,Value\r\n1795739414.5,3,0.25\r\n\r\n1795739415500,4,1e-3";
        assert_eq!(
            read(board).unwrap(),
            [
                r#"{"t":"2026-11-27T00:30:14.500Z","step":3,"Value":0.25}"#,
                r#"{"t":"2026-11-27T00:30:15.500Z","step":4,"Value":0.001}"#
            ]
        );
        assert_eq!(
            read("loss;who\n0.5;me\n;\n1;you\n").unwrap(),
            [r#"{"iter":1,"loss":0.5}"#, r#"{"iter":2,"loss":1}"#]
        );
        assert_eq!(read("iteration\tstep\tloss\n1\t2\t3\n").unwrap(), [r#"{"step":1,"loss":3}"#]);
    }

    #[test]
    fn no_tables() {
        for (text, wrong) in [
            ("a,b\n1,2,3\n", "x.csv:2: has more cells than the heading"),
            ("a,b\n1,\"2\n", "x.csv:2: a quote (\") is not closed"),
            ("epoch,who\n1,me\n", "x.csv: holds no values: no number stands below a heading that is no counter"),
            ("run,t,a\n1,,2\n2,,2\n", "x.csv:3: begins another run: one file a run, 'nn-log export --csv N > N.csv'"),
        ] {
            assert_eq!(read(text).unwrap_err(), wrong);
        }
        let dir = Dir::new("csv-bytes");
        dir.write("x.csv", b"a,b\n\xff,1\n");
        let found = Format::Csv.find(&dir.path.join("x.csv")).unwrap().0;
        assert!(shown(&found[0]).unwrap_err().to_string().ends_with("x.csv:2: is not valid UTF-8"));
        dir.write("x.csv", "");
        assert!(shown(&found[0]).unwrap_err().to_string().ends_with("is empty"));
    }

    #[test]
    fn a_log() {
        let dir = Dir::new("log");
        dir.write("train.log", "epoch 1: loss 0.5\nepoch 2: loss 0.25");
        let found = Format::Log.find(&dir.path.join("train.log")).unwrap().0;
        let (foreign, lines) = shown(&found[0]).unwrap();
        assert_eq!(lines, [r#"{"epoch":1,"loss":0.5}"#, r#"{"epoch":2,"loss":0.25}"#]);
        assert!(foreign.log.is_some() && foreign.ended.is_some());
    }
}
