//! What has happened since the last look, by the cursor: the events of runs that run, and of those that have moved since.
//!
//! A folder of tokens is listed when it has changed; of a run that came there the events are read for a while longer, for
//! what is noted after a move. The runs that ended before cost nothing: neither they nor their folders are touched.

use crate::cursor::{Runs, Seen, State};
use crate::events::look;
use nn::base::error::Result;
use nn::base::json::Value;
use nn::base::time::Time;
use nn::record::events::Events;
use nn::spool::state::{Folder, Token};
use nn::spool::store::Spool;
use std::collections::{BTreeMap, HashSet};
use std::os::unix::fs::MetadataExt;

/// For so long after a move the events of a run are looked at, milliseconds.
const WHILE: i64 = 120_000;
/// A folder that changed less than so long ago may change again without a sign, nanoseconds.
const FRESH: i64 = 2_000_000_000;

/// What is new, in the order of time; the state is brought up to date. The first look tells nothing: it begins there.
///
/// # Errors
/// The spool cannot be read.
pub fn look_for_new(spool: &Spool, state: &mut State) -> Result<Vec<Value>> {
    let now = Time::now();
    let is_first = state.t.is_none();
    let was_known = |run: u64, seen: &BTreeMap<Folder, Seen>| seen.values().any(|s| s.runs.generation(run).is_some());
    let before = state.folders.clone();
    let (running, listed) = list(spool, state, now)?;
    let mut moved: Vec<u64> = Vec::new();
    for (folder, seen) in state.folders.iter().filter(|(folder, _)| listed.contains(folder)) {
        let known = before.get(folder);
        moved.extend(
            seen.runs
                .iter()
                .filter(|(run, generation)| {
                    let is_new = known.is_none_or(|known| known.runs.generation(*run) != Some(*generation));
                    // Of what was just added nothing has happened yet.
                    is_new && (*folder != Folder::Queued || *generation > 1 || was_known(*run, &before))
                })
                .map(|(run, _)| run),
        );
    }
    if is_first {
        moved.clear();
    }
    for run in &moved {
        state.runs.entry(*run).or_default().since = Some(now.ms());
    }
    for run in &running {
        state.runs.entry(*run).or_default().since = None;
    }
    let mut found = Vec::new();
    let known: HashSet<u64> = state.runs.keys().copied().filter(|run| was_known(*run, &before)).collect();
    for (run, place) in &mut state.runs {
        if place.since.is_none() && !running.contains(run) {
            place.since = Some(now.ms());
        }
        let is_new_here = place.files.is_empty();
        let mut events = Events::at(spool.run_dir(*run), std::mem::take(&mut place.files));
        if is_first {
            let _ = events.skip();
        } else {
            let from = found.len();
            look(*run, &mut events, &mut found)?;
            // It was known, and let go of: what happened by then was told.
            if is_new_here && known.contains(run) {
                let told = |event: &Value| event.str("t").and_then(Time::parse).is_some_and(|t| Some(t) < state.t);
                let rest: Vec<Value> = found.drain(from..).filter(|event| !told(event)).collect();
                found.extend(rest);
            }
        }
        place.files = events.places().to_vec();
    }
    state.runs.retain(|_, place| place.since.is_none_or(|since| (0..WHILE).contains(&(now.ms() - since))));
    state.t = Some(now);
    found.sort_by(|a, b| a.str("t").cmp(&b.str("t")));
    Ok(found)
}

/// Lists what has changed; tells what runs, and which other folders were listed. In listing order, so that what moves forward is met.
fn list(spool: &Spool, state: &mut State, now: Time) -> Result<(HashSet<u64>, Vec<Folder>)> {
    let (mut running, mut listed) = (HashSet::new(), Vec::new());
    for folder in Folder::ALL {
        if folder == Folder::Running {
            running.extend(spool.tokens(folder)?.iter().map(|token| token.run));
            continue;
        }
        let meta = std::fs::metadata(spool.dir().join(folder.name()));
        let changed =
            meta.map_or(0, |meta| meta.mtime().saturating_mul(1_000_000_000).saturating_add(meta.mtime_nsec()));
        if state.folders.get(&folder).is_some_and(|seen| seen.changed == changed && changed != 0) {
            continue;
        }
        let is_fresh = now.ms().saturating_mul(1_000_000) - changed < FRESH;
        let tokens: Vec<Token> = spool.tokens(folder)?;
        let seen = Seen { changed: if is_fresh { 0 } else { changed }, runs: Runs::of(tokens.iter()) };
        state.folders.insert(folder, seen);
        listed.push(folder);
    }
    Ok((running, listed))
}
