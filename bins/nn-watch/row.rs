//! A run as it is shown: how far it is, how long it takes yet, its last values, what was warned of.
//!
//! How far: the counter that a parameter tells the end of (`epochs=200`), else the batch of its batches within one epoch is
//! no measure. What is left comes from the pace between the attempt's first point and its last.

use crate::model::{Model, Run};
use crate::spark::Spark;
use nn::base::json::{self, Value};
use nn::base::time::Time;
use nn::base::units::show_number;
use nn::cluster::ssh::host::is_host;
use nn::cluster::ssh::record::{Reach, Record};
use nn::record::meaning;
use nn::record::results::took;
use nn::spool::reported::Reported;
use nn::spool::sign::owner_note;
use nn::spool::state::{REPORT, State};
use std::time::Duration;

/// Values that are shown of a run.
const VALUES: usize = 2;

/// One run as it is shown.
pub struct Row {
    pub run: u64,
    pub state: String,
    pub name: String,
    pub group: String,
    /// Part that is done, 0 to 1
    pub done: Option<f64>,
    pub elapsed: Option<Duration>,
    pub left: Option<Duration>,
    pub at: Vec<(String, f64)>,
    pub values: Vec<(String, f64)>,
    pub curve: String,
    pub warning: String,
    pub note: String,
}

/// The rows of all runs that are watched: what has ended, what runs, what waits in its order.
pub fn rows(model: &Model, columns: usize) -> Vec<Row> {
    let mut runs: Vec<&Run> = model.runs.values().collect();
    runs.sort_by_key(|run| match run.token.state {
        State::Started(..) | State::Claimed(_) => (0, 0, run.token.run),
        State::Submitted(..) => (1, 0, run.token.run),
        State::Queued(priority) => (2, priority, run.token.run),
        State::Held(priority) => (3, priority, run.token.run),
        State::Done | State::Failed(_) | State::Cancelled => (4, 0, run.token.run),
    });
    runs.into_iter().map(|run| row(model, run, columns)).collect()
}

fn row(model: &Model, run: &Run, columns: usize) -> Row {
    let job = run.job.as_ref();
    let (done, left) = progress(run);
    let shown = judged(run);
    Row {
        run: run.token.run,
        state: run.token.folder().name().to_string(),
        name: job.map(|job| job.name().map_or_else(|| job.command_line(), String::from)).unwrap_or_default(),
        group: job.and_then(|job| job.group()).unwrap_or_default().to_string(),
        done,
        elapsed: elapsed(run),
        left,
        at: run.course.at.iter().filter(|(name, _)| name != "batches").cloned().collect(),
        values: shown.iter().map(|v| (v.name.to_string(), v.last)).collect(),
        curve: shown.first().map(|v| v.spark.text(columns)).unwrap_or_default(),
        warning: run.course.warnings.last().map(words).unwrap_or_default(),
        note: note(model, run),
    }
}

/// One variable of interest.
pub struct Variable<'a> {
    pub name: &'a str,
    pub last: f64,
    pub spark: &'a Spark,
}

/// The variables to judge by, the most telling first.
pub fn judged(run: &Run) -> Vec<Variable<'_>> {
    let metrics = run.course.results.metrics.iter().zip(&run.sparks);
    let mut variables: Vec<Variable> =
        metrics.map(|((name, summary), spark)| Variable { name, last: summary.last, spark }).collect();
    variables.sort_by_key(|v| meaning::weight(v.name));
    variables.truncate(VALUES);
    variables
}

/// An event in words.
pub fn words(event: &Value) -> String {
    let why = event.str("why").or_else(|| event.str("what")).unwrap_or_default();
    let kind = event.str("detector").or_else(|| event.str("event")).unwrap_or_default();
    format!("{kind}: {why}").trim_end_matches([':', ' ']).to_string()
}

fn note(model: &Model, run: &Run) -> String {
    let (spool, number) = (&model.spool, run.token.run);
    match &run.token.state {
        State::Claimed(worker) => {
            owner_note(spool, number, worker, worker, "worker").unwrap_or_else(|| "starting".into())
        }
        State::Started(worker, runner) => owner_note(spool, number, worker, runner, "runner").unwrap_or_default(),
        State::Failed(how) => how.words(),
        State::Submitted(host, _) if is_host(host) => Reach::of(spool, host).words(host, &Record::of(spool, number)),
        State::Submitted(engine, _) if engine == REPORT => Reported::of(spool, number).words(),
        State::Submitted(engine, id) => format!("{engine} {id}"),
        _ => String::new(),
    }
}

fn elapsed(run: &Run) -> Option<Duration> {
    match &run.token.state {
        State::Started(_, runner) => runner.age().or_else(|| run.started.map(|t| Time::now().since(t))),
        State::Done | State::Failed(_) | State::Cancelled => took(&run.result),
        _ => run.job.as_ref().and_then(|job| job.added()).map(|added| Time::now().since(added)),
    }
}

/// How much is done, and how long the rest takes at the pace so far.
pub fn progress(run: &Run) -> (Option<f64>, Option<Duration>) {
    let State::Started(..) = run.token.state else { return (None, None) };
    run.course.progress(run.job.as_ref().map(|job| job.params()).unwrap_or_default())
}

impl Row {
    /// The counters and values: `epoch=3 valid_cost=0.12`.
    pub fn numbers(&self) -> String {
        let pairs = self.at.iter().chain(&self.values).map(|(name, value)| format!("{name}={}", show_number(*value)));
        pairs.collect::<Vec<_>>().join(" ")
    }

    /// As a JSON object.
    pub fn to_json(&self, warnings: &[Value]) -> Value {
        let seconds = |d: Option<Duration>| d.map(|d| json::number(d.as_millis() as f64 / 1000.0));
        let number = |x: f64| if x.fract() == 0.0 && x.abs() < 1e15 { Value::Int(x as i64) } else { json::number(x) };
        let numbers = |list: &[(String, f64)]| json::map(list.iter().map(|(n, v)| (n.clone(), number(*v))));
        json::map([
            ("run", Value::from(self.run)),
            ("state", self.state.as_str().into()),
            ("name", self.name.as_str().into()),
            ("group", self.group.as_str().into()),
            ("done", self.done.map(json::number).into()),
            ("elapsed", seconds(self.elapsed).into()),
            ("left", seconds(self.left).into()),
            ("at", numbers(&self.at)),
            ("values", numbers(&self.values)),
            ("warnings", warnings.to_vec().into()),
            ("note", self.note.as_str().into()),
        ])
    }
}
