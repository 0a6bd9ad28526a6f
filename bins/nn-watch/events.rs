//! --events: what happened to runs, as JSON lines, each with the number of its run; and with --follow what happens from
//! then on. What is on record comes in the order of time; what happens, as it is seen.

use crate::Opts;
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Doing, Result};
use nn::base::json::{self, Value};
use nn::base::sys::{Signal, Signals};
use nn::record::events::Events;
use nn::spool::select::{all, select};
use nn::spool::state::Folder;
use nn::spool::store::Spool;
use std::collections::{BTreeMap, HashSet};
use std::io::ErrorKind;
use std::time::Duration;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);

/// Prints events.
///
/// # Errors
/// The spool cannot be read, or the output not written.
pub fn print(opts: Opts, out: &mut Out) -> Result<Exit> {
    let spool = Spool::find()?;
    let named = cli::operands_if_any(opts.runs)?.filter(|named| !named.is_empty());
    let runs = match &named {
        Some(named) => select(&spool, named)?,
        None => all(&spool)?,
    };
    let mut readers: BTreeMap<u64, Events> =
        runs.into_iter().map(|run| (run, Events::new(spool.run_dir(run)))).collect();
    let mut found = Vec::new();
    for (run, reader) in &mut readers {
        look(*run, reader, &mut found)?;
    }
    let any = show(&mut found, out)?;
    if !opts.follow {
        return Ok(if any { Exit::DONE } else { Exit::NO });
    }
    let signals = Signals::catch(&[Signal::INT, Signal::TERM]).doing("catch", "signals")?;
    // Runs that were open at the look before have perhaps ended since, with an event of it.
    let mut open: HashSet<u64> = readers.keys().copied().collect();
    loop {
        out.flush()?;
        if signals.wait(Some(LOOK)).is_some() {
            return Ok(Exit::DONE);
        }
        let before = open;
        open = spool.states(&Folder::OPEN)?.into_keys().collect();
        for run in before.union(&open) {
            if named.is_none() && !readers.contains_key(run) {
                readers.insert(*run, Events::new(spool.run_dir(*run)));
            }
            if let Some(reader) = readers.get_mut(run) {
                look(*run, reader, &mut found)?;
            }
        }
        show(&mut found, out)?;
    }
}

/// What is new of a run, unless the run itself has been removed.
pub fn look(run: u64, reader: &mut Events, found: &mut Vec<Value>) -> Result<()> {
    let looked = reader.look(&mut |event| {
        let mut whole = json::map([("t", event.get("t").cloned().unwrap_or(Value::Null)), ("run", Value::from(run))]);
        for (key, value) in event.as_map().unwrap_or_default().iter().filter(|(key, _)| key != "t") {
            whole.set(key, value.clone());
        }
        found.push(whole);
    });
    looked.or_else(|err| if err.io().is_some_and(|err| err.kind() == ErrorKind::NotFound) { Ok(()) } else { Err(err) })
}

/// Prints and forgets them, in the order of time.
fn show(found: &mut Vec<Value>, out: &mut Out) -> Result<bool> {
    found.sort_by(|a, b| a.str("t").cmp(&b.str("t")));
    for event in found.iter() {
        writeln!(out, "{event}")?;
    }
    let any = !found.is_empty();
    found.clear();
    Ok(any)
}
