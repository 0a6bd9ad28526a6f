//! export: the history of runs as data, attempts joined to one curve each: JSON lines as in history.jsonl with the run's
//! number first; CSV with a column for every name there is (for which the history is read twice); or directories that
//! TensorBoard or Sacred's tools read, whose paths are printed.

use nn::base::args::{Arg, Args};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Doing, Error, Result};
use nn::base::files;
use nn::base::json::Value;
use nn::base::sys;
use nn::base::table::csv_field;
use nn::base::time::Time;
use nn::record::exchange::{sacred, tensorboard};
use nn::record::history::{COUNTERS, Point, Reader, write_number};
use nn::record::results::Row;
use nn::spool::select::select;
use nn::spool::state::{Folder, Token};
use nn::spool::store::Spool;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Longest part of a run's name in the name of a directory, characters.
const LONGEST: usize = 100;

enum As {
    Json,
    Csv,
    TensorBoard(PathBuf),
    Sacred(PathBuf),
}

/// Prints the history of the runs named, or writes it for other tools.
///
/// # Errors
/// There is no such run, its history cannot be read, or something cannot be written.
pub fn export(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let (mut form, mut given) = (As::Json, Vec::new());
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Long(name) if name == "csv" => form = As::Csv,
            Arg::Long(name) if name == "json" => form = As::Json,
            Arg::Long(name) if name == "tensorboard" => form = As::TensorBoard(args.value()?.into()),
            Arg::Long(name) if name == "sacred" => form = As::Sacred(args.value()?.into()),
            Arg::Value(value) => given.push(value),
            arg => return Err(arg.unexpected()),
        }
    }
    let spool = Spool::find()?;
    let runs = select(&spool, &cli::operands(given)?)?;
    let is_any = match form {
        As::Json => json(&spool, &runs, out)? > 0,
        As::Csv => csv(&spool, &runs, out)? > 0,
        As::TensorBoard(dir) => directories(&spool, &runs, &dir, (is_free, to_tensorboard), out)?,
        As::Sacred(dir) => directories(&spool, &runs, &dir, (|_, _| Ok(()), to_sacred), out)?,
    };
    Ok(if is_any { Exit::DONE } else { Exit::NO })
}

fn json(spool: &Spool, runs: &[u64], out: &mut Out) -> Result<u64> {
    let (mut line, mut points) = (String::new(), 0);
    for run in runs {
        points += each(spool, *run, &mut |point| {
            line.clear();
            json_line(*run, point, &mut line);
            out.write_all(line.as_bytes())
        })?;
    }
    Ok(points)
}

fn csv(spool: &Spool, runs: &[u64], out: &mut Out) -> Result<u64> {
    let columns = columns(spool, runs)?;
    let heads: Vec<String> = columns.iter().map(|name| csv_field(name)).collect();
    writeln!(out, "run,t{}{}", if heads.is_empty() { "" } else { "," }, heads.join(","))?;
    let (mut line, mut points) = (String::new(), 0);
    for run in runs {
        points += each(spool, *run, &mut |point| {
            line.clear();
            csv_line(*run, point, &columns, &mut line);
            out.write_all(line.as_bytes())
        })?;
    }
    Ok(points)
}

/// Sees whether a run can be written below a directory; writes it, and tells the path it has there.
type Write = (fn(&Row, &Path) -> Result<()>, fn(&Spool, &Row, &Path) -> Result<PathBuf>);

/// Writes each run into a directory of its own, and prints the paths. All are seen to before the first is written.
fn directories(spool: &Spool, runs: &[u64], dir: &Path, (check, write): Write, out: &mut Out) -> Result<bool> {
    let mut states: HashMap<u64, Token> = spool.states(&Folder::ALL)?;
    let mut rows = Vec::with_capacity(runs.len());
    for run in runs {
        rows.push(Row::read(spool, *run, states.remove(run))?);
    }
    rows.iter().try_for_each(|row| check(row, dir))?;
    std::fs::create_dir_all(dir).doing("make the directory", dir)?;
    for row in &rows {
        writeln!(out, "{}", write(spool, row, dir)?.display())?;
    }
    Ok(!rows.is_empty())
}

fn time(value: &Value, key: &str) -> Option<Time> {
    value.str(key).and_then(Time::parse)
}

fn is_free(row: &Row, dir: &Path) -> Result<()> {
    let dir = dir.join(directory_name(row));
    if !dir.exists() {
        return Ok(());
    }
    Err(Error::data(dir, 0, "is there already: export into another directory, or remove it"))
}

fn to_tensorboard(spool: &Spool, row: &Row, dir: &Path) -> Result<PathBuf> {
    let dir = dir.join(directory_name(row));
    files::make_dir(&dir)?;
    let started = time(&row.result, "started").or_else(|| time(&row.attempt, "started")).or_else(|| row.job.added());
    events(spool, row, &dir, started)?;
    Ok(dir)
}

fn events(spool: &Spool, row: &Row, dir: &Path, started: Option<Time>) -> Result<()> {
    let mut writer = tensorboard::Writer::new(dir, started)?;
    writer.params(&directory_name(row), row.job.params())?;
    each(spool, row.run, &mut |point| writer.add(point))?;
    let seconds = started.map_or(0, |t| t.ms().div_euclid(1000));
    let path = dir.join(format!("events.out.tfevents.{seconds:010}.{}", sys::host_name()));
    let state = row.token.as_ref().map_or(Folder::Queued, Token::folder);
    writer.finish(state, time(&row.result, "ended"), !row.job.params().is_empty(), &path)
}

/// `17-rnn-tanh`: the number, and the name as far as it fits into the name of a file.
fn directory_name(row: &Row) -> String {
    let harmless = |c: char| if c.is_alphanumeric() || "-_.=+,".contains(c) { c } else { '_' };
    let name: String = row.job.name().unwrap_or_default().chars().take(LONGEST).map(harmless).collect();
    format!("{}{}{name}", row.run, if name.is_empty() { "" } else { "-" })
}

fn to_sacred(spool: &Spool, row: &Row, dir: &Path) -> Result<PathBuf> {
    let mut writer = sacred::Writer::default();
    each(spool, row.run, &mut |point| {
        writer.add(point);
        Ok(())
    })?;
    let facts = spool.read(row.run, "facts.json").ok().flatten().unwrap_or(Value::Null);
    writer.publish(dir, row, &facts, &spool.run_dir(row.run).join("log"))
}

/// Hands on each point of a run's curve; how many there were.
fn each(spool: &Spool, run: u64, act: &mut dyn FnMut(&Point) -> Result<()>) -> Result<u64> {
    let mut points = 0;
    let mut reader = Reader::open(&spool.run_dir(run))?;
    while let Some(point) = reader.next()? {
        act(point)?;
        points += 1;
    }
    match reader.bad_lines() {
        0 => {}
        bad => cli::warn(&format!("run {run}: {bad} lines of its history are no points")),
    }
    Ok(points)
}

/// The counters there are, then the other names in the order in which they come.
fn columns(spool: &Spool, runs: &[u64]) -> Result<Vec<String>> {
    let (mut counters, mut names): ([bool; COUNTERS.len()], Vec<String>) = Default::default();
    for run in runs {
        let mut reader = Reader::open(&spool.run_dir(*run))?;
        while let Some(point) = reader.next()? {
            for (there, name) in counters.iter_mut().zip(COUNTERS) {
                *there |= point.counter(name).is_some();
            }
            for (i, (name, _)) in point.values().enumerate() {
                // Mostly each point has the same names as the one before it.
                if names.get(i).is_none_or(|known| known != name) && !names.iter().any(|known| known == name) {
                    names.push(name.to_string());
                }
            }
        }
    }
    let counters = counters.iter().zip(COUNTERS).filter(|(there, _)| **there).map(|(_, name)| name.to_string());
    Ok(counters.chain(names).collect())
}

fn csv_line(run: u64, point: &Point, columns: &[String], line: &mut String) {
    line.push_str(&run.to_string());
    line.push(',');
    line.push_str(&point.t.map(|t| t.to_string()).unwrap_or_default());
    for name in columns {
        line.push(',');
        match point.counter(name).or_else(|| point.value(name)) {
            Some(value) if value.is_finite() => write_number(line, value),
            Some(value) => line.push_str(&value.to_string().to_lowercase()),
            None => {}
        }
    }
    line.push('\n');
}

fn json_line(run: u64, point: &Point, line: &mut String) {
    point.write_line(line);
    let rest = if line.starts_with("{}") { "" } else { "," };
    line.replace_range(..1, &format!("{{\"run\":{run}{rest}"));
}
