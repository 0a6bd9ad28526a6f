//! Columns: what a word means for a run. A built-in name first, then a parameter, then a variable of interest; `p.NAME`
//! is always a parameter, and what has an `@` is always a variable.

use crate::Entry;
use nn::base::error::{Error, Result};
use nn::base::json::{self, Value};
use nn::base::table::{Cell, time_cell};
use nn::base::text::did_you_mean;
use nn::base::time::{Time, show_duration};
use nn::record::meaning;
use nn::record::results::{Row, Summary, took};
use nn::spool::store::Spool;

/// What the spool knows of every run.
const BUILT_IN: [&str; 21] = [
    "run", "state", "how", "name", "group", "note", "tags", "command", "dir", "priority", "attempt", "added",
    "started", "ended", "duration", "date", "host", "commit", "branch", "dirty", "exit",
];

/// Which value of a variable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pick {
    /// The last
    Last,
    /// The smallest
    Min,
    /// The greatest
    Max,
    /// The first
    First,
    /// At this epoch
    At(f64),
}

impl Pick {
    fn parse(text: &str) -> Option<Pick> {
        match text {
            "last" => Some(Pick::Last),
            "min" => Some(Pick::Min),
            "max" => Some(Pick::Max),
            "first" => Some(Pick::First),
            epoch => epoch.parse().ok().filter(|e: &f64| e.is_finite()).map(Pick::At),
        }
    }

    fn of(self, summary: &Summary, epochs: &[f64]) -> Option<f64> {
        match self {
            Pick::Last => Some(summary.last),
            Pick::Min => Some(summary.min),
            Pick::Max => Some(summary.max),
            Pick::First => Some(summary.first),
            Pick::At(epoch) => epochs.iter().position(|e| *e == epoch).and_then(|i| *summary.at.get(i)?),
        }
    }
}

/// One column.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// What the spool knows of every run
    BuiltIn(&'static str),
    /// A parameter
    Param(String),
    /// A value of a variable
    Metric(String, Pick),
    /// A parameter, else a variable's last value
    Either(String),
}

impl Column {
    /// What a word means.
    pub fn parse(word: &str) -> Column {
        if let Some(name) = BUILT_IN.into_iter().find(|name| *name == word) {
            return Column::BuiltIn(name);
        }
        if let Some(name) = word.strip_prefix("p.") {
            return Column::Param(name.to_string());
        }
        match word.rsplit_once('@').and_then(|(name, pick)| Some((name, Pick::parse(pick)?))) {
            Some((name, pick)) if !name.is_empty() => Column::Metric(name.to_string(), pick),
            _ => Column::Either(word.to_string()),
        }
    }

    /// Whether the histories must be read for it.
    pub fn needs_history(&self, rows: &[Row]) -> bool {
        match self {
            Column::Metric(..) => true,
            Column::Either(name) => !rows.iter().any(|row| param(row, name).is_some()),
            _ => false,
        }
    }

    /// Whether facts.json must be read for it.
    pub fn needs_facts(&self) -> bool {
        matches!(self, Column::BuiltIn(name) if FACTS.contains(name))
    }

    /// Its value for a run; null: it has none.
    pub fn value(&self, entry: &Entry, epochs: &[f64]) -> Value {
        let metric = |name: &str, pick: Pick| {
            entry.results.get(name).and_then(|s| pick.of(s, epochs)).map_or(Value::Null, Value::from)
        };
        match self {
            Column::BuiltIn(name) if self.needs_facts() => entry.facts.get(name).cloned().unwrap_or(Value::Null),
            Column::BuiltIn(name) => built_in(name, &entry.row),
            Column::Param(name) => param(&entry.row, name).cloned().unwrap_or(Value::Null),
            Column::Metric(name, pick) => metric(name, *pick),
            Column::Either(name) => param(&entry.row, name).cloned().unwrap_or_else(|| metric(name, Pick::Last)),
        }
    }

    /// Its cell for a run.
    pub fn cell(&self, entry: &Entry, epochs: &[f64]) -> Cell {
        match self {
            Column::BuiltIn("commit") => match self.value(entry, epochs).as_str() {
                Some(commit) => Cell::shown(commit, commit.chars().take(10).collect::<String>()),
                None => Cell::empty(),
            },
            Column::BuiltIn("added" | "started" | "ended") => {
                let value = self.value(entry, epochs);
                value.as_str().and_then(Time::parse).map_or(Cell::empty(), time_cell)
            }
            Column::BuiltIn("duration") => match self.value(entry, epochs).as_num() {
                Some(seconds) if (0.0..1e12).contains(&seconds) => {
                    Cell::shown(seconds, show_duration(std::time::Duration::from_secs_f64(seconds)))
                }
                _ => Cell::empty(),
            },
            _ => Cell::from(self.value(entry, epochs)),
        }
    }
}

/// Columns whose values were found at the start of a run.
const FACTS: [&str; 4] = ["host", "commit", "branch", "dirty"];

/// What these columns need of facts.json, which may be large.
pub fn facts(facts: &Value) -> Value {
    let found = |name: &str| match name {
        "host" => facts.get("host").map(|host| host.get("name").unwrap_or(host)).cloned(),
        name => facts.get("git").and_then(|git| git.get(name)).cloned(),
    };
    json::map(FACTS.into_iter().filter_map(|name| Some((name, found(name)?))))
}

fn param<'a>(row: &'a Row, name: &str) -> Option<&'a Value> {
    row.job.params().iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

fn built_in(name: &str, row: &Row) -> Value {
    let job = &row.job.json;
    let text = |value: Option<&str>| value.map_or(Value::Null, Value::from);
    match name {
        "run" => row.run.into(),
        "state" => row.state().into(),
        "how" => row.how().into(),
        "name" => text(row.job.name()),
        "group" => text(row.job.group()),
        "note" => text(row.note()),
        "tags" => tags(row),
        "command" => row.job.command_line().into(),
        "dir" => row.job.cwd().map(|dir| dir.to_string_lossy().into_owned()).into(),
        "priority" => i64::from(row.job.priority()).into(),
        "attempt" => row.attempt.get("attempt").cloned().unwrap_or(Value::Null),
        "added" => job.get("added").cloned().unwrap_or(Value::Null),
        "started" => started(row).map_or(Value::Null, Value::from),
        "ended" => ended(row).map_or(Value::Null, Value::from),
        "duration" => took(&row.result).map(|took| took.as_secs_f64()).into(),
        "exit" => row.result.get("exit").cloned().unwrap_or(Value::Null),
        "date" => started(row).map(|t| t.local().chars().take(10).collect::<String>()).into(),
        _ => Value::Null,
    }
}

fn tags(row: &Row) -> Value {
    let tags = row.labels.list("tags").or_else(|| row.job.json.list("tags")).unwrap_or_default();
    let words: Vec<String> = tags.iter().map(Value::plain).collect();
    if words.is_empty() { Value::Null } else { words.join(" ").into() }
}

fn started(row: &Row) -> Option<Time> {
    let started = row.result.str("started").or_else(|| row.attempt.str("started"))?;
    Time::parse(started)
}

fn ended(row: &Row) -> Option<Time> {
    row.result.str("ended").and_then(Time::parse)
}

/// The epochs at which values are wanted.
pub fn epochs<'a>(columns: impl Iterator<Item = &'a Column>) -> Vec<f64> {
    let at = columns.filter_map(|c| if let Column::Metric(_, Pick::At(epoch)) = c { Some(*epoch) } else { None });
    let mut epochs: Vec<f64> = at.collect();
    epochs.sort_by(f64::total_cmp);
    epochs.dedup();
    epochs
}

/// The columns of a table, with their headings.
pub struct Columns(Vec<(String, Column)>);

impl Columns {
    /// Reads a list as a person writes it.
    ///
    /// # Errors
    /// An empty word, or a template that is not in the config.
    pub fn parse(list: &str, spool: &Spool) -> Result<Columns> {
        let list = match list.strip_prefix('@') {
            Some(name) => spool.config()?.get(&format!("table.{name}")).ok_or_else(|| {
                Error::usage(format!("there is no 'table.{name}' in {}", spool.dir().join("config").display()))
            })?,
            None => list.to_string(),
        };
        let mut columns = Vec::new();
        for word in list.split(',').map(str::trim) {
            if word.is_empty() {
                return Err(Error::usage("--columns: a name is missing between two commas"));
            }
            let (heading, column) = word.split_once('=').unwrap_or((word, word));
            columns.push((heading.trim().to_string(), Column::parse(column.trim())));
        }
        Ok(Columns(columns))
    }

    /// What tells these runs apart.
    pub fn telling(entries: &[Entry]) -> Columns {
        let mut columns: Vec<Column> = vec![Column::BuiltIn("run"), Column::BuiltIn("state")];
        if entries.iter().any(|e| e.row.how().is_some()) {
            columns.push(Column::BuiltIn("how"));
        }
        columns.push(Column::BuiltIn(if entries.iter().any(|e| e.row.job.name().is_some()) {
            "name"
        } else {
            "command"
        }));
        columns.extend(differing_params(entries).into_iter().map(Column::Param));
        for name in main_variables(entries) {
            let best = if meaning::rises(&name) { Pick::Max } else { Pick::Min };
            columns.push(Column::Metric(name.clone(), Pick::Last));
            columns.push(Column::Metric(name, best));
        }
        if entries.iter().any(|e| e.row.note().is_some()) {
            columns.push(Column::BuiltIn("note"));
        }
        Columns(columns.into_iter().map(|c| (heading(&c), c)).collect())
    }

    /// The columns.
    pub fn columns(&self) -> impl Iterator<Item = &Column> {
        self.0.iter().map(|(_, column)| column)
    }

    /// Their headings.
    pub fn headings(&self) -> Vec<String> {
        self.0.iter().map(|(heading, _)| heading.clone()).collect()
    }
}

/// Refuses a name that means nothing for any of the runs.
///
/// # Errors
/// There is one.
pub fn check<'a>(columns: impl IntoIterator<Item = &'a Column>, entries: &[Entry]) -> Result<()> {
    let metrics = || entries.iter().flat_map(|e| e.results.metrics.iter().map(|(name, _)| name.as_str()));
    let params = || entries.iter().flat_map(|e| e.row.job.params().iter().map(|(name, _)| name.as_str()));
    for column in columns {
        let unknown = match column {
            Column::BuiltIn(_) => None,
            Column::Param(name) => Some(name).filter(|name| !params().any(|p| p == *name)),
            Column::Metric(name, _) => Some(name).filter(|name| !metrics().any(|m| m == *name)),
            Column::Either(name) => {
                Some(name).filter(|name| !params().any(|p| p == *name) && !metrics().any(|m| m == *name))
            }
        };
        let Some(name) = unknown.filter(|_| !entries.is_empty()) else { continue };
        let near = did_you_mean(name, params().chain(metrics()).chain(BUILT_IN));
        // While nothing has been recorded any name may be that of a variable to come.
        let may_come = metrics().next().is_none() && near.is_empty() && !matches!(column, Column::Param(_));
        if !may_come {
            return Err(Error::usage(format!("no run has '{name}'{near}")));
        }
    }
    Ok(())
}

fn heading(column: &Column) -> String {
    match column {
        Column::BuiltIn(name) => name.to_string(),
        Column::Param(name) | Column::Either(name) => name.clone(),
        Column::Metric(name, Pick::Last) => name.clone(),
        Column::Metric(name, Pick::Min) => format!("{name}@min"),
        Column::Metric(name, Pick::Max) => format!("{name}@max"),
        Column::Metric(name, Pick::First) => format!("{name}@first"),
        Column::Metric(name, Pick::At(epoch)) => format!("{name}@{epoch}"),
    }
}

/// Parameters that do not have one value in all runs, in the order of their first appearance; of one run all.
fn differing_params(entries: &[Entry]) -> Vec<String> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in entries.iter().flat_map(|e| e.row.job.params()) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let differs = |name: &&str| {
        entries.len() < 2 || entries.windows(2).any(|pair| param(&pair[0].row, name) != param(&pair[1].row, name))
    };
    names.into_iter().filter(differs).map(String::from).collect()
}

/// The one or two variables to judge by: those that most runs have, of validation or test before others, costs and
/// scores before the rest.
fn main_variables(entries: &[Entry]) -> Vec<String> {
    let mut names: Vec<(&str, usize)> = Vec::new();
    for (name, _) in entries.iter().flat_map(|e| &e.results.metrics) {
        match names.iter_mut().find(|(n, _)| n == name) {
            Some((_, count)) => *count += 1,
            None => names.push((name, 1)),
        }
    }
    let most = names.iter().map(|(_, count)| *count).max().unwrap_or(0);
    names.retain(|(_, count)| *count * 2 >= most);
    names.sort_by_key(|(name, _)| meaning::weight(name));
    names.into_iter().take(2).map(|(name, _)| name.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        assert_eq!(Column::parse("state"), Column::BuiltIn("state"));
        assert_eq!(Column::parse("p.state"), Column::Param("state".into()));
        assert_eq!(Column::parse("a@10"), Column::Metric("a".into(), Pick::At(10.0)));
        assert_eq!(Column::parse("a@b@min"), Column::Metric("a@b".into(), Pick::Min));
        for word in ["a", "@min", "a@x", "a@inf"] {
            assert_eq!(Column::parse(word), Column::Either(word.into()));
        }
    }
}
