//! show: everything about one run on a screen: what was asked, where it stands, how it went, what it left. Every word of
//! it may be hostile and is escaped.

use crate::engines;
use crate::labels;
use crate::log::start_of_last;
use crate::usage;
use nn::base::args::{Arg, Args};
use nn::base::cli::{Exit, Out};
use nn::base::error::{Error, Result};
use nn::base::files;
use nn::base::json::{self, Value};
use nn::base::text::{escape, escape_bytes};
use nn::base::time::{Time, show_duration};
use nn::base::units::{show_number, show_size};
use nn::record::results::{Results, Row, took};
use nn::spool::job::Job;
use nn::spool::needs::Placed;
use nn::spool::select::select_one;
use nn::spool::sign::owner_note;
use nn::spool::state::{REPORT, State, Token};
use nn::spool::store::Spool;
use nn::spool::waits::Waits;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Lines of the log and of the events that are shown.
const LINES: u64 = 8;
/// Longest end of a file that is read for them.
const TAIL: u64 = 16384;
/// A run that moves while it is read is read again, so often at most.
const TRIES: u32 = 10;
/// Columns of the names on the left.
const LEFT: usize = 11;

/// All of a run.
struct Run {
    row: Row,
    /// What is to be said of its worker or nn-run
    owner: Option<String>,
    facts: Value,
    results: Results,
    /// The last line of resources.jsonl
    resources: Value,
    files: Vec<(String, u64)>,
    events: Vec<Value>,
    log: Vec<String>,
}

/// Shows a run.
pub fn show(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let (mut as_json, mut operand) = (false, None);
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Long(name) if name == "json" => as_json = true,
            Arg::Value(value) if operand.is_none() => operand = Some(value.to_string_lossy().into_owned()),
            arg => return Err(arg.unexpected()),
        }
    }
    let operand = operand.ok_or_else(|| Error::usage("which run? its number, its name, or last"))?;
    let spool = Spool::find()?;
    let number = select_one(&spool, &operand)?;
    let mut run = read(&spool, number)?;
    for _ in 0..TRIES {
        // Several files are one truth only if the run has not moved meanwhile.
        match &run.row.token {
            Some(token) if !spool.dir().join(token.path()).exists() => run = read(&spool, number)?,
            _ => break,
        }
    }
    if as_json {
        writeln!(out, "{}", to_json(&run))?;
    } else {
        on_screen(&spool, &run, out)?;
    }
    Ok(Exit::DONE)
}

fn read(spool: &Spool, run: u64) -> Result<Run> {
    let row = Row::read(spool, run, spool.state_of(run)?)?;
    let owner = match row.token.as_ref().map(|token| &token.state) {
        Some(State::Claimed(worker)) => owner_note(spool, run, worker, worker, "worker"),
        Some(State::Started(worker, runner)) => owner_note(spool, run, worker, runner, "runner"),
        Some(State::Submitted(..)) => {
            let tokens: Vec<&Token> = row.token.iter().collect();
            engines::notes(spool, &tokens)?.remove(&run)
        }
        _ => None,
    };
    let dir = spool.run_dir(run);
    let mut found = Vec::new();
    let mut events = Vec::new();
    for name in files::names(&dir)? {
        let name = name.to_string_lossy().into_owned();
        let path = dir.join(&name);
        let Ok(meta) = std::fs::symlink_metadata(&path) else { continue };
        if meta.is_dir() {
            found.push((format!("{name}/"), files::names(&path).map_or(0, |n| n.len() as u64)));
        } else {
            found.push((name.clone(), meta.len()));
        }
        if name.starts_with("events.") {
            events.extend(tail(&path).iter().filter_map(|line| Value::parse(&String::from_utf8_lossy(line)).ok()));
        }
    }
    found.sort();
    events.sort_by_key(|event| event.str("t").map(String::from));
    let facts = spool.read(run, "facts.json").ok().flatten().unwrap_or(Value::Null);
    let results = Results::read(spool, run, &[]).unwrap_or_default();
    let resources = usage::last(&tail(&dir.join("resources.jsonl")), &row.attempt);
    let log = tail(&dir.join("log")).iter().map(|line| last_state(line)).collect();
    Ok(Run { row, owner, facts, results, resources, files: found, events, log })
}

/// The last lines of a file, without their ends.
fn tail(path: &Path) -> Vec<Vec<u8>> {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.seek(SeekFrom::End(0))?;
        let from = start_of_last(&mut file, LINES)?.max(length.saturating_sub(TAIL));
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    if text.is_empty() { Vec::new() } else { text.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect() }
}

/// What a terminal would show last of a line that was written over with carriage returns.
fn last_state(line: &[u8]) -> String {
    let mut states = line.split(|b| *b == b'\r').filter(|part| !part.is_empty());
    escape_bytes(states.next_back().unwrap_or_default())
}

fn to_json(run: &Run) -> Value {
    let row = &run.row;
    let summary = |(name, s): &(String, nn::record::results::Summary)| {
        let numbers = [("first", s.first), ("last", s.last), ("min", s.min), ("max", s.max)];
        (name.clone(), json::map(numbers.map(|(key, x)| (key, json::number(x)))))
    };
    json::map([
        ("run", Value::from(row.run)),
        ("state", row.state().into()),
        ("how", row.how().into()),
        ("owner", run.owner.as_deref().into()),
        ("generation", row.token.as_ref().map(|token| token.generation).into()),
        ("job", row.job.json.clone()),
        ("labels", row.labels.clone()),
        ("attempt", row.attempt.clone()),
        ("result", row.result.clone()),
        ("facts", run.facts.clone()),
        ("resources", run.resources.clone()),
        ("metrics", json::map(run.results.metrics.iter().map(summary))),
        ("files", json::map(run.files.iter().map(|(name, size)| (name.clone(), Value::from(*size))))),
        ("events", run.events.clone().into()),
    ])
}

/// A line with a name on its left; nothing when there is nothing to say.
fn line(out: &mut Out, name: &str, text: &str) -> Result<()> {
    if text.is_empty() { Ok(()) } else { writeln!(out, "{name:<LEFT$} {}", escape(text)) }
}

fn on_screen(spool: &Spool, run: &Run, out: &mut Out) -> Result<()> {
    let Row { job, labels, attempt, result, .. } = &run.row;
    line(out, "run", format!("{} {}", run.row.run, job.name().unwrap_or_default()).trim_end())?;
    line(out, "state", &state(&run.row, run.owner.as_deref()))?;
    if let Some(token) = run.row.token.as_ref().filter(|token| matches!(token.state, State::Queued(_))) {
        line(out, "waits", &Waits::new(spool)?.words(token, job)?)?;
    }
    line(out, "group", job.group().unwrap_or_default())?;
    line(out, "command", &job.command_line())?;
    line(out, "in", &job.cwd().unwrap_or_default().to_string_lossy())?;
    line(out, "code", &code(job))?;
    line(out, "parameters", &pairs(job.params()))?;
    line(out, "needs", &pairs(job.json.get("needs").and_then(Value::as_map).unwrap_or_default()))?;
    let given = run.row.token.as_ref().and_then(|token| Placed::read(spool, run.row.run, token.generation));
    line(out, "gpus", &given.map(|given| given.gpus.join(" ")).unwrap_or_default())?;
    line(out, "note", run.row.note().unwrap_or_default())?;
    line(out, "tags", &labels::tags(labels, &job.json).join(" "))?;
    line(out, "added", &job.added().map(Time::local).unwrap_or_default())?;
    line(out, "attempt", &this_attempt(attempt))?;
    for former in attempt.list("former").unwrap_or_default() {
        line(out, "", &members(former))?;
    }
    if let (Some(ended), Some(took)) = (result.str("ended").and_then(Time::parse), took(result)) {
        line(out, "ended", &format!("{}, after {}", ended.local(), show_duration(took)))?;
    }
    line(out, "evidence", &result.get("evidence").map(Value::plain).unwrap_or_default())?;
    line(out, "used", &usage::in_all(result))?;
    line(out, "resources", &usage::words(&run.resources))?;
    for (i, text) in usage::profiles(&spool.run_dir(run.row.run), job).iter().enumerate() {
        line(out, if i == 0 { "profile" } else { "" }, text)?;
    }
    line(out, "host", run.facts.get("host").and_then(|host| host.str("name")).unwrap_or_default())?;
    line(out, "batch", &run.facts.get("batch").map(batch).unwrap_or_default())?;
    line(out, "git", &run.facts.get("git").map(git).unwrap_or_default())?;
    for (i, (name, s)) in run.results.metrics.iter().enumerate() {
        let [last, min, max] = [s.last, s.min, s.max].map(show_number);
        let name = escape(name);
        line(out, if i == 0 { "values" } else { "" }, &format!("{name} {last} (from {min} to {max})"))?;
    }
    let files = run.files.iter().map(|(name, size)| match name.strip_suffix('/') {
        Some(_) => format!("{name} ({size})"),
        None => format!("{name} {}", show_size(*size)),
    });
    line(out, "files", &spool.run_dir(run.row.run).to_string_lossy())?;
    line(out, "", &files.collect::<Vec<_>>().join(", "))?;
    let first = run.events.len().saturating_sub(LINES as usize);
    for (i, event) in run.events.iter().skip(first).enumerate() {
        let when = event.str("t").and_then(Time::parse).map(Time::local).unwrap_or_default();
        let details = event.as_map().unwrap_or_default().iter().filter(|(key, _)| key != "t" && key != "event");
        let details: Vec<String> = details.map(|(key, value)| format!("{key}={}", value.plain())).collect();
        let text = format!("{when} {} {}", event.str("event").unwrap_or_default(), details.join(" "));
        line(out, if i == 0 { "events" } else { "" }, text.trim_end())?;
    }
    for (i, text) in run.log.iter().enumerate() {
        // Escaped already, and a log line may be empty.
        writeln!(out, "{:<LEFT$} {text}", if i == 0 { "log" } else { "" })?;
    }
    Ok(())
}

fn state(row: &Row, owner: Option<&str>) -> String {
    let Some(Token { state, generation, .. }) = &row.token else {
        return "incomplete: it was being added, and never acknowledged".into();
    };
    let mut text = row.state().to_string();
    match state {
        State::Queued(priority) | State::Held(priority) => text += &format!(", priority {priority}"),
        State::Submitted(engine, _) if engine == REPORT => {}
        State::Submitted(engine, _) => text += &format!(" to {engine}"),
        State::Claimed(worker) => text += &format!(", claimed by the worker {} on {}", worker.pid, worker.host),
        State::Started(_, runner) => text += &format!(" under nn-run {} on {}", runner.pid, runner.host),
        State::Failed(how) => text += &format!(": {}", how.words()),
        State::Done | State::Cancelled => {}
    }
    if let Some(owner) = owner {
        text += &format!(" ({owner})");
    }
    if *generation > 1 {
        text += &format!(" (generation {generation})");
    }
    text
}

fn this_attempt(attempt: &Value) -> String {
    let Some(number) = attempt.int("attempt") else { return String::new() };
    let started = attempt.str("started").and_then(Time::parse).map(Time::local).unwrap_or_default();
    let pid = attempt.int("pid").map(|pid| format!(", pid {pid}")).unwrap_or_default();
    format!("{number}, started {started}{pid}")
}

/// Which code it runs with: a snapshot, or what is there when it starts.
fn code(job: &Job) -> String {
    let Some(code) = job.code() else { return if job.live() { "live".into() } else { String::new() } };
    let links: Vec<String> = code.links.iter().map(|link| format!(", {} linked", link.display())).collect();
    format!("frozen, code/{}{}", code.tree, links.concat())
}

/// `152de6dd5b17 on main, changed`
fn git(git: &Value) -> String {
    let short = |key: &str| git.str(key).map(|commit| commit.chars().take(12).collect::<String>());
    let Some(commit) = short("commit") else {
        return if git.get("commit").is_some() { "no commit yet".into() } else { String::new() };
    };
    let mut text = commit.clone();
    if let Some(branch) = git.str("branch") {
        text += &format!(" on {branch}");
    }
    if git.get("dirty").and_then(Value::as_bool) == Some(true) {
        text += ", changed (code.patch)";
    }
    match short("commit_at_end") {
        Some(end) if end != commit => text + &format!(", at the end {end}"),
        _ => text,
    }
}

/// `slurm 4711_3, LM_miuc in gpu, started again 2 times`
fn batch(batch: &Value) -> String {
    let text = |key: &str| batch.str(key);
    let mut words = format!("{} {}", text("engine").unwrap_or_default(), text("id").unwrap_or_default());
    if let Some(name) = text("name") {
        words += &format!(", {name}");
    }
    if let Some(queue) = text("queue") {
        words += &format!(" in {queue}");
    }
    if let Some(restarts) = batch.int("restarts") {
        words += &format!(", started again {restarts} time{}", if restarts == 1 { "" } else { "s" });
    }
    words
}

fn pairs(members: &[(String, Value)]) -> String {
    members.iter().map(|(key, value)| format!("{key}={}", value.plain())).collect::<Vec<_>>().join(" ")
}

/// The members of an object that fit into a line: no long texts, no lists.
fn members(value: &Value) -> String {
    let short = |v: &Value| !matches!(v, Value::Null | Value::List(_) | Value::Map(_)) && v.plain().len() <= 80;
    let members = value.as_map().unwrap_or_default().iter().filter(|(_, v)| short(v));
    members.map(|(key, value)| format!("{key}={}", value.plain())).collect::<Vec<_>>().join(" ")
}
