//! A run as the page's table has it: a JSON object of what is known, without what is not. Of a run that has ended it is
//! made once, from the small files; of one that runs again whenever its history has grown.

use nn::base::json::{self, Value};
use nn::base::time::Time;
use nn::cluster::ssh::host::is_host;
use nn::record::course::Course;
use nn::record::meaning;
use nn::record::results::{Results, Row, took};
use nn::spool::state::{REPORT, State, Token};
use nn::spool::store::Spool;
use std::path::Path;

/// Most variables of a run in the table, the most telling ones.
const METRICS: usize = 50;
/// Longest command in the table; all of it is with the run.
const COMMAND: usize = 500;

/// What there is to be told of a run, in the order of the table.
struct Members(Vec<(&'static str, Value)>);

impl Members {
    fn add(&mut self, name: &'static str, value: Option<impl Into<Value>>) {
        self.0.extend(value.map(|value| (name, value.into())).filter(|(_, value)| *value != Value::Null));
    }
}

/// The row of a run.
pub fn row(row: &Row, course: Option<&Course>, waits: Option<&str>, warned: usize) -> Value {
    let mut members = Members(Vec::new());
    let m = &mut members;
    m.add("run", Some(row.run));
    m.add("state", Some(row.state()));
    m.add("how", row.how());
    m.add("name", row.job.name());
    m.add("group", row.job.group());
    m.add("note", row.note().filter(|note| !note.is_empty()));
    m.add("tags", row.labels.get("tags").or_else(|| row.job.json.get("tags")).cloned());
    m.add("params", Some(Value::Map(row.job.params().to_vec())));
    m.add("added", row.job.added());
    times(row, m);
    m.add("command", Some(short(row.job.command_line())));
    m.add("attempt", row.attempt.int("attempt").or_else(|| row.result.int("attempt")));
    m.add("priority", Some(u32::from(priority(row))));
    if let Some(course) = course {
        going(row, course, m);
    } else {
        m.add("metrics", row.result.get("metrics").map(telling));
    }
    m.add("warnings", (warned > 0).then_some(warned as u64));
    m.add("waits", waits);
    json::map(members.0)
}

/// What can be told of a run that cannot be read.
pub fn damaged(token: &Token, words: &str) -> Value {
    json::map([("run", Value::from(token.run)), ("state", token.folder().name().into()), ("error", words.into())])
}

/// Its place in the queue, or the one it was asked for with.
pub fn priority(row: &Row) -> u8 {
    match row.token.as_ref().map(|token| &token.state) {
        Some(State::Queued(priority) | State::Held(priority)) => *priority,
        _ => row.job.priority(),
    }
}

/// Start and end, and where it ran.
fn times(row: &Row, m: &mut Members) {
    let Some(token) = &row.token else { return };
    match &token.state {
        State::Started(_, runner) => {
            m.add("started", started(row).map(Value::from));
            m.add("host", Some(runner.host.as_str()));
        }
        State::Done | State::Failed(_) | State::Cancelled => {
            m.add("started", row.result.str("started"));
            m.add("ended", row.result.str("ended"));
            m.add("duration", took(&row.result).map(|time| time.as_millis() as f64 / 1000.0));
            m.add("host", row.attempt.str("host"));
        }
        State::Submitted(engine, _) if engine == REPORT => {
            m.add("started", started(row).map(Value::from));
            m.add("host", row.job.reported());
        }
        State::Submitted(engine, id) => {
            m.add("host", Some(engine.as_str()));
            m.add("waits", Some(id.as_str()).filter(|_| !is_host(engine)).map(|id| format!("{engine} {id}")));
        }
        _ => {}
    }
}

/// When the current attempt of a run that runs was started.
pub fn started(row: &Row) -> Option<Time> {
    let generation = row.token.as_ref().map(|token| i64::from(token.generation));
    let is_this = row.attempt.int("generation") == generation;
    row.attempt.str("started").and_then(Time::parse).filter(|_| is_this)
}

/// How far it is, and its variables so far.
fn going(row: &Row, course: &Course, m: &mut Members) {
    let counters = course.at.iter().map(|(name, value)| (name.clone(), number(*value)));
    m.add("at", Some(json::map(counters)).filter(|_| !course.at.is_empty()));
    let (done, left) = course.progress(row.job.params());
    m.add("progress", done);
    m.add("left", left.map(|left| left.as_secs()));
    m.add("metrics", Some(telling(&course.results.to_json())).filter(|_| !course.results.metrics.is_empty()));
}

/// Whole numbers without a point.
fn number(x: f64) -> Value {
    if x.fract() == 0.0 && x.abs() < 1e15 { Value::Int(x as i64) } else { json::number(x) }
}

/// The most telling variables, in their order.
fn telling(metrics: &Value) -> Value {
    let all = metrics.as_map().unwrap_or_default();
    if all.len() <= METRICS {
        return metrics.clone();
    }
    let mut places: Vec<usize> = (0..all.len()).collect();
    places.sort_by_key(|at| all.get(*at).map(|(name, _)| meaning::weight(name)));
    places.truncate(METRICS);
    places.sort_unstable();
    Value::Map(places.into_iter().filter_map(|at| all.get(at).cloned()).collect())
}

fn short(mut command: String) -> String {
    if let Some((at, _)) = command.char_indices().nth(COMMAND) {
        command.truncate(at);
        command.push('…');
    }
    command
}

/// The summaries of a run that has ended without writing them into its result.
pub fn results_if_missing(spool: &Spool, row: &mut Row) {
    let is_end = row.token.as_ref().is_some_and(|token| token.folder().is_end());
    if is_end && row.result.get("metrics").is_none() {
        let results = Results::read(spool, row.run, &[]).unwrap_or_default();
        if !results.metrics.is_empty() {
            row.result.set("metrics", results.to_json());
        }
    }
}

/// How many warnings a run that has ended was given, by the events of its own runner.
pub fn count_warnings(run: &Path) -> usize {
    let text = std::fs::read(run.join("events.jsonl")).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let may_be = text.lines().filter(|line| line.contains("\"level\""));
    let is_one =
        |line: &str| Value::parse(line).is_ok_and(|event| matches!(event.str("level"), Some("warning" | "error")));
    may_be.filter(|line| is_one(line)).count()
}
