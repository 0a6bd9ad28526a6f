//! A run as Sacred's FileStorageObserver would have left it. metrics.json has all values of one variable together, so they
//! are gathered before it is written; run.json comes last, so that what has it is whole.

use super::super::each_piece;
use crate::base::error::{Error, Result};
use crate::base::files::{self, Draft};
use crate::base::json::{self, Value, quote};
use crate::base::time::Time;
use crate::record::history::{Axis, Point, write_number};
use crate::record::results::Row;
use crate::spool::state::{Folder, How, State};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Bytes that gather before they are written.
const PIECE: usize = 1 << 16;

/// One value of a variable.
struct Entry {
    step: f64,
    t: Option<Time>,
    value: f64,
}

/// Gathers the values of a run, and writes it.
#[derive(Default)]
pub struct Writer {
    names: Vec<String>,
    numbers: HashMap<String, usize>,
    values: Vec<Vec<Entry>>,
    points: u64,
}

impl Writer {
    /// Takes a point. Its step is where it stands among the updates, else which point it is.
    pub fn add(&mut self, point: &Point) {
        let step = point.x(Axis::Updates).unwrap_or(self.points as f64);
        self.points += 1;
        for (name, value) in point.values() {
            let number = self.numbers.get(name).copied().unwrap_or_else(|| {
                self.names.push(name.to_string());
                self.values.push(Vec::new());
                self.numbers.insert(name.to_string(), self.names.len() - 1);
                self.names.len() - 1
            });
            if let Some(values) = self.values.get_mut(number) {
                values.push(Entry { step, t: point.t, value });
            }
        }
    }

    /// Makes the next directory of an observer's, and writes the run into it, with its log.
    ///
    /// # Errors
    /// Something cannot be written; then the directory is gone again.
    pub fn publish(&self, base: &Path, row: &Row, facts: &Value, log: &Path) -> Result<PathBuf> {
        let dir = next(base)?;
        if let Err(err) = self.fill(&dir, row, facts, log) {
            let _ = files::remove_tree(&dir);
            return Err(err);
        }
        Ok(dir)
    }

    fn fill(&self, dir: &Path, row: &Row, facts: &Value, log: &Path) -> Result<()> {
        let config = Value::Map(row.job.params().to_vec());
        files::write_durable(dir.join("config.json"), format!("{config}\n").as_bytes())?;
        if !self.names.is_empty() {
            self.metrics(dir)?;
        }
        let mut draft = Draft::new(dir)?;
        if log.exists() {
            each_piece(log, &mut |piece| draft.write(piece))?;
        }
        draft.publish(&dir.join("cout.txt"))?;
        files::write_durable(dir.join("run.json"), format!("{}\n", description(row, facts)).as_bytes())
    }

    fn metrics(&self, dir: &Path) -> Result<()> {
        let mut draft = Draft::new(dir)?;
        let mut text = String::new();
        for (at, (name, values)) in self.names.iter().zip(&self.values).enumerate() {
            text.push(if at == 0 { '{' } else { ',' });
            // Writing to a string cannot fail.
            let _ = quote(&mut text, name);
            text.push_str(":{\"steps\":");
            list(&mut draft, &mut text, values, |text, entry| write_number(text, entry.step))?;
            text.push_str(",\"timestamps\":");
            list(&mut draft, &mut text, values, |text, entry| {
                text.push_str(&Value::from(naive(entry.t.unwrap_or(Time(0)))).to_string());
            })?;
            text.push_str(",\"values\":");
            list(&mut draft, &mut text, values, |text, entry| python_number(text, entry.value))?;
            text.push('}');
        }
        text.push_str("}\n");
        draft.write(text.as_bytes())?;
        draft.publish(&dir.join("metrics.json"))
    }
}

/// Writes a list, and hands on what has gathered.
fn list(draft: &mut Draft, text: &mut String, values: &[Entry], put: impl Fn(&mut String, &Entry)) -> Result<()> {
    text.push('[');
    for (at, entry) in values.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        put(text, entry);
        if text.len() > PIECE {
            draft.write(text.as_bytes())?;
            text.clear();
        }
    }
    text.push(']');
    Ok(())
}

/// A number as Python's json writes it.
fn python_number(text: &mut String, x: f64) {
    match x {
        x if x.is_nan() => text.push_str("NaN"),
        f64::INFINITY => text.push_str("Infinity"),
        f64::NEG_INFINITY => text.push_str("-Infinity"),
        x => write_number(text, x),
    }
}

/// A time as Sacred writes it: UTC, without saying so.
fn naive(t: Time) -> String {
    t.to_string().trim_end_matches('Z').to_string()
}

/// The next number that is free: mkdir is the referee.
fn next(base: &Path) -> Result<PathBuf> {
    let names = files::names(base)?;
    let last = names.iter().filter_map(|name| name.to_str()?.parse::<u64>().ok()).max().unwrap_or(0);
    for number in (last..u64::MAX).skip(1) {
        let dir = base.join(number.to_string());
        if files::make_dir(&dir)? {
            return Ok(dir);
        }
    }
    Err(Error::data(base, 0, "has no number left"))
}

/// run.json: what Sacred itself would know of the run; under `meta` its number and command here.
fn description(row: &Row, facts: &Value) -> Value {
    let job = &row.job;
    let text = |text: Option<&str>| text.map_or(Value::Null, Value::from);
    let at = |value: &Value, key: &str| value.str(key).and_then(Time::parse).map(naive).into();
    let host = facts.get("host").unwrap_or(&Value::Null);
    let command = job.command_line();
    let experiment = json::map([
        ("name", text(job.group().or(job.name()).or(Some("nn-tools")))),
        ("base_dir", job.cwd().map(|dir| dir.to_string_lossy().into_owned()).into()),
        ("mainfile", job.argv().first().map(|word| word.to_string_lossy().into_owned()).into()),
        ("sources", Vec::<Value>::new().into()),
        ("dependencies", Vec::<Value>::new().into()),
        ("repositories", facts.get("git").and_then(repository).into_iter().collect::<Vec<_>>().into()),
    ]);
    let started = if row.result.get("started").is_some() { &row.result } else { &row.attempt };
    json::map([
        ("experiment", experiment),
        ("command", command.as_str().into()),
        (
            "host",
            json::map([
                ("hostname", text(host.str("name"))),
                ("os", vec!["Linux", host.str("os").unwrap_or_default()].into()),
                ("cpu", text(host.str("cpu"))),
                ("python_version", text(facts.get("python").and_then(|python| python.str("version")))),
            ]),
        ),
        ("start_time", at(started, "started")),
        ("stop_time", at(&row.result, "ended")),
        ("heartbeat", at(&row.result, "ended")),
        ("status", status(row).into()),
        ("fail_trace", row.result.str("evidence").into_iter().map(Value::from).collect::<Vec<_>>().into()),
        ("result", Value::Null),
        ("resources", Vec::<Value>::new().into()),
        ("artifacts", Vec::<Value>::new().into()),
        (
            "meta",
            json::map([
                ("command", Value::from(command)),
                ("options", json::map([("--comment", text(row.note()))])),
                ("comment", text(row.note())),
                ("argv", job.json.get("argv").cloned().unwrap_or(Value::Null)),
                ("run", row.run.into()),
            ]),
        ),
    ])
}

fn repository(git: &Value) -> Option<Value> {
    let member = |key: &str| git.get(key).cloned().unwrap_or(Value::Null);
    git.str("commit")
        .map(|commit| json::map([("url", member("url")), ("commit", commit.into()), ("dirty", member("dirty"))]))
}

fn status(row: &Row) -> &'static str {
    match row.token.as_ref().map(|token| (token.folder(), &token.state)) {
        Some((Folder::Done, _)) => "COMPLETED",
        Some((_, State::Failed(How::Time))) => "TIMEOUT",
        Some((Folder::Failed, _)) => "FAILED",
        Some((Folder::Cancelled, _)) => "INTERRUPTED",
        Some((Folder::Running, _)) => "RUNNING",
        _ => "QUEUED",
    }
}
