//! Differences between two runs: state, command, parameters, code, environment, versions, results; a line each.
//!
//! facts.json is compared member by member whatever it holds; a list of `name==version` becomes a member a name. Of the
//! environments the names are told, and values unless a name looks like a secret.

use nn::base::error::Result;
use nn::base::json::Value;
use nn::base::table::{Cell, Table};
use nn::record::results::{Results, Row};
use nn::spool::state::Folder;
use nn::spool::store::{Spool, read_environment};
use std::collections::BTreeMap;

/// Members of facts.json that differ between any two runs and tell nothing.
const NOISE: [&str; 3] = ["t", "pid", "taken"];

/// Names in the order of their section, then of their first appearance.
type Side = Vec<(String, Value)>;

/// The table of what differs, or of everything.
///
/// # Errors
/// A run cannot be read.
pub fn compare(spool: &Spool, a: u64, b: u64, all: bool) -> Result<Table> {
    let (left, right) = (side(spool, a)?, side(spool, b)?);
    let mut table = Table::new(&["what".to_string(), format!("run {a}"), format!("run {b}")]);
    let find = |side: &Side, name: &str| side.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    let mut names: Vec<&String> = left.iter().map(|(name, _)| name).collect();
    names.extend(right.iter().map(|(name, _)| name).filter(|name| find(&left, name).is_none()));
    for name in names {
        let (x, y) = (find(&left, name), find(&right, name));
        if all || !same(&x, &y) {
            let cell = |v: Option<Value>| v.map_or(Cell::empty(), Cell::from);
            table.row(vec![Cell::from(name.as_str()), cell(x), cell(y)]);
        }
    }
    Ok(table)
}

fn same(x: &Option<Value>, y: &Option<Value>) -> bool {
    let nan = |v: &Option<Value>| v.as_ref().and_then(Value::as_num).is_some_and(f64::is_nan);
    x == y || nan(x) && nan(y)
}

fn side(spool: &Spool, run: u64) -> Result<Side> {
    let row = Row::read(spool, run, spool.states(&Folder::ALL)?.remove(&run))?;
    let mut side: Side = vec![("state".into(), row.state().into())];
    let mut push = |name: &str, value: Option<Value>| side.extend(value.map(|value| (name.to_string(), value)));
    push("how", row.how().map(Value::from));
    push("name", row.job.name().map(Value::from));
    push("group", row.job.group().map(Value::from));
    push("note", row.note().map(Value::from));
    push("command", Some(row.job.command_line().into()));
    push("dir", row.job.cwd().map(|dir| dir.to_string_lossy().into_owned().into()));
    for (name, value) in row.job.params() {
        push(&format!("param {name}"), Some(value.clone()));
    }
    if let Some(needs) = row.job.json.get("needs") {
        flatten("need", needs, &mut |name, value| push(name, Some(value)));
    }
    if let Some(facts) = spool.read(run, "facts.json")? {
        flatten("", &facts, &mut |name, value| push(name, Some(value)));
    }
    push("code.patch", patch(spool, run));
    for (name, value) in environment(spool, run) {
        push(&format!("env {name}"), Some(value.into()));
    }
    for (name, summary) in Results::read(spool, run, &[])?.metrics {
        push(&format!("{name}@last"), Some(summary.last.into()));
        push(&format!("{name}@min"), Some(summary.min.into()));
        push(&format!("{name}@max"), Some(summary.max.into()));
    }
    Ok(side)
}

/// Every scalar below a value under its path.
fn flatten(path: &str, value: &Value, push: &mut impl FnMut(&str, Value)) {
    let below = |name: &str| if path.is_empty() { name.to_string() } else { format!("{path} {name}") };
    match value {
        Value::Map(members) => {
            for (name, value) in members.iter().filter(|(name, _)| !NOISE.contains(&name.as_str())) {
                flatten(&below(name), value, push);
            }
        }
        Value::List(items) => {
            for (i, item) in items.iter().enumerate() {
                match item.as_str().and_then(|text| text.split_once("==")) {
                    Some((name, version)) => push(&below(name), version.into()),
                    None => flatten(&below(&i.to_string()), item, push),
                }
            }
        }
        scalar => push(path, scalar.clone()),
    }
}

/// Size and a checksum (FNV-1a): enough to see that two patches differ.
fn patch(spool: &Spool, run: u64) -> Option<Value> {
    let bytes = std::fs::read(spool.run_dir(run).join("code.patch")).ok()?;
    let sum = bytes.iter().fold(0xcbf2_9ce4_8422_2325u64, |sum, b| (sum ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3));
    Some(format!("{} bytes, checksum {sum:016x}", bytes.len()).into())
}

/// What a shell changes from one command to the next, and what says nothing of a run.
const OF_THE_SHELL: [&str; 4] = ["_", "SHLVL", "PWD", "OLDPWD"];

fn environment(spool: &Spool, run: u64) -> BTreeMap<String, String> {
    let mut pairs = read_environment(&spool.run_dir(run).join("env")).unwrap_or_default();
    pairs.retain(|(name, _)| !OF_THE_SHELL.iter().any(|shell| name == shell));
    let shown = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        let name = name.to_string_lossy().into_owned();
        let upper = name.to_ascii_uppercase();
        let secret = ["TOKEN", "SECRET", "PASSWORD", "PASSWD", "KEY", "CREDENTIAL", "AUTH"];
        let value = if secret.iter().any(|word| upper.contains(word)) {
            "(not shown)".to_string()
        } else {
            value.to_string_lossy().into_owned()
        };
        (name, value)
    };
    pairs.into_iter().map(shown).collect()
}
