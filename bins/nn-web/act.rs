//! What nn-web has other tools do: nn-queue acts on runs, nn-table compares two and tells columns.

use crate::app::{Answered, Web, asked_number};
use crate::run;
use nn::base::cli;
use nn::base::json::{self, Value};
use nn::record::ask::{self, Asked};
use nn::spool::store::Spool;
use nn::web::http::Head;
use nn::web::response::Response;
use std::process::Command;
use std::time::Duration;

/// Time for a tool to do it.
const PATIENCE: Duration = Duration::from_secs(30);
/// Most bytes that a tool may print.
const MOST: u64 = 8 << 20;
/// Most columns that are asked for at a time.
const MOST_COLUMNS: usize = 20;

/// What can be done to a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// Call it off
    Cancel,
    /// Run it again
    Retry,
    /// Do not start it yet
    Hold,
    /// Let it start
    Release,
    /// Write a remark
    Note,
}

impl Action {
    /// Reads the last word of a path.
    pub fn parse(word: &str) -> Option<Action> {
        let all = [Action::Cancel, Action::Retry, Action::Hold, Action::Release, Action::Note];
        all.into_iter().find(|action| action.verb() == word)
    }

    /// What nn-queue calls it.
    fn verb(self) -> &'static str {
        match self {
            Action::Cancel => "cancel",
            Action::Retry => "retry",
            Action::Hold => "hold",
            Action::Release => "release",
            Action::Note => "note",
        }
    }

    /// What was done, when nn-queue says no more.
    fn done(self) -> &'static str {
        match self {
            Action::Cancel => "called off",
            Action::Retry => "queued again",
            Action::Hold => "held",
            Action::Release => "released",
            Action::Note => "noted",
        }
    }
}

/// Does it.
pub fn act(web: &Web, run: u64, action: Action, body: &Value) -> Answered {
    run::dir(&web.spool, run)?;
    let mut words = vec![action.verb().to_string(), "--".into()];
    if action == Action::Note {
        let note = body.str("note").ok_or_else(|| Response::error(400, "say the note: {\"note\":\"…\"}"))?;
        if note.contains('\0') {
            return Err(Response::error(400, "a note is text"));
        }
        words.push(note.to_string());
    }
    words.push(run.to_string());
    let answer = ask(&web.spool, "nn-queue", &words)?;
    web.model().doubt(run);
    web.streams.wake();
    let said = said(&answer, "nn-queue");
    if answer.code != Some(0) {
        return Err(Response::error(409, &said));
    }
    let said = if said.is_empty() { format!("run {run} {}", action.done()) } else { said };
    Ok(Response::json(json::map([("ok", Value::from(true)), ("said", said.into())]).to_string()))
}

/// What differs between two runs, as nn-table tells it.
pub fn diff(spool: &Spool, head: &Head) -> Answered {
    let run = |name: &str| {
        let text = head.asked(name).unwrap_or_default();
        let run: u64 = asked_number(text, name)?;
        run::dir(spool, run).map(|_| run)
    };
    let (a, b) = (run("a")?, run("b")?);
    let rows = if a == b { Vec::new() } else { differences(spool, a, b)? };
    Ok(Response::json(json::map([("a", Value::from(a)), ("b", b.into()), ("rows", rows.into())]).to_string()))
}

fn differences(spool: &Spool, a: u64, b: u64) -> Result<Vec<Value>, Response> {
    let row = |read: Value| {
        let mut row = json::map([("what", read.get("what")?.clone())]);
        for (name, run) in [("a", a), ("b", b)] {
            if let Some(value) = read.get(&format!("run {run}")).filter(|value| **value != Value::Null) {
                row.set(name, value.clone());
            }
        }
        Some(row)
    };
    let words = ["diff".into(), "--json".into(), a.to_string(), b.to_string()];
    Ok(table(spool, &words, 500)?.into_iter().filter_map(row).collect())
}

/// Columns that no row has: what was found at the start of runs, values at an epoch; as nn-table tells them.
pub fn columns(spool: &Spool, head: &Head) -> Answered {
    let text = head.asked("names").unwrap_or_default();
    let names: Vec<&str> = text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if names.is_empty() || names.len() > MOST_COLUMNS || names.iter().any(|name| name.contains(['=', '\0'])) {
        return Err(Response::error(400, &format!("say at most {MOST_COLUMNS} names=COLUMN,COLUMN")));
    }
    let table = table(spool, &["--json".into(), format!("--columns=run,{}", names.join(","))], 400)?;
    let rows: Vec<Value> = table.iter().filter_map(values).collect();
    Ok(Response::json(json::map([("names", Value::from(names)), ("rows", rows.into())]).to_string()))
}

/// A row of nn-table without its names; None: there is nothing but the run's number in it.
fn values(row: &Value) -> Option<Value> {
    let values: Vec<Value> = row.as_map()?.iter().map(|(_, value)| value.clone()).collect();
    values.iter().skip(1).any(|value| *value != Value::Null).then(|| values.into())
}

/// The rows that nn-table prints; what is wrong with the question is told under this status.
fn table(spool: &Spool, words: &[String], wrong: u16) -> Result<Vec<Value>, Response> {
    let answer = ask(spool, "nn-table", words)?;
    if !matches!(answer.code, Some(0 | 1)) {
        return Err(Response::error(wrong, &said(&answer, "nn-table")));
    }
    let text = String::from_utf8_lossy(&answer.out);
    Ok(text.lines().filter_map(|line| Value::parse(line).ok()).collect())
}

fn ask(spool: &Spool, tool: &str, words: &[String]) -> Result<ask::Answer, Response> {
    let failed = |words: String| Response::error(500, &words);
    let mut command = Command::new(cli::sibling(tool).map_err(|err| failed(err.to_string()))?);
    command.args(words).env("NN_SPOOL", spool.dir());
    let mut asked = Asked::begin(command, MOST);
    asked.wait(PATIENCE);
    let answer = asked.take().ok_or_else(|| failed(format!("{tool} takes too long")))?;
    match answer.code {
        None => Err(failed(format!("{tool} could not be run: {}", answer.words))),
        Some(_) => Ok(answer),
    }
}

/// What a tool said to the person, without its name.
fn said(answer: &ask::Answer, tool: &str) -> String {
    let prefix = format!("{tool}: ");
    let lines = answer.errors.lines().map(|line| line.strip_prefix(&prefix).unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}
