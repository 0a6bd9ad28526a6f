//! --tick: one pass over a spool, as cron makes it: what a crash left is mended (by nn-queue), owners that have fallen silent
//! and a host that runs short are noted as events of runs, and what somebody wants to be told is told (by nn-mail).
//! --new: what has happened since the last such call is printed.
//!
//! Both hold the cursor; who does not get it leaves at once, for another does the same.

use crate::cursor::{Cursor, State};
use crate::fresh::look_for_new;
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Doing, Result};
use nn::base::files;
use nn::base::json::{self, Value};
use nn::base::sys;
use nn::base::time::{Time, show_duration};
use nn::base::units::show_size;
use nn::mail::news;
use nn::record::room::memory;
use nn::spool::owner::{Life, Owner};
use nn::spool::recover::LEASE;
use nn::spool::state::{Folder, State as At, Token};
use nn::spool::store::Spool;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// An owner that was not heard for so long is silent: twice what proves that he is dead on another host.
const SILENT: Duration = LEASE.saturating_mul(2);
/// A disk has little room with less than this part of it free,
const PART: u64 = 20;
/// unless it is this much,
const ENOUGH: u64 = 10 << 30;
/// and in any case with less than this.
const LEAST: u64 = 256 << 20;
/// Inodes and memory are short with less than this part left.
const SMALL_PART: u64 = 50;

/// A pass, and what is new.
///
/// # Errors
/// The spool cannot be used, or the output not written.
pub fn pass(tick: bool, new: bool, out: &mut Out) -> Result<Exit> {
    let spool = Spool::find()?;
    let Some(mut cursor) = Cursor::hold(&spool)? else { return Ok(Exit::DONE) };
    match work(&spool, &mut cursor.state, tick, new, out) {
        Ok(()) => cursor.keep().map(|()| Exit::DONE),
        Err(err) => {
            let _ = cursor.let_go();
            Err(err)
        }
    }
}

fn work(spool: &Spool, state: &mut State, tick: bool, new: bool, out: &mut Out) -> Result<()> {
    if new && state.t.is_none() {
        look_for_new(spool, state)?;
    }
    if tick {
        self::tick(spool, state)?;
    }
    if new {
        for event in look_for_new(spool, state)? {
            writeln!(out, "{event}")?;
        }
        // What cannot be written is not told.
        out.flush()?;
    }
    Ok(())
}

fn tick(spool: &Spool, state: &mut State) -> Result<()> {
    let tokens = spool.tokens(Folder::Running)?;
    if tokens.iter().any(needs_mending) {
        mend(spool)?;
    }
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    silent(spool, state, &tokens, &mut found);
    short(spool, &tokens, &mut found);
    for (_, found) in found.iter().filter(|(key, _)| !state.found.contains(key)) {
        note(spool, found);
    }
    // Over is what is not found any more.
    state.found = found.into_keys().collect();
    let waits =
        |folder: &str| files::names(&spool.dir().join("mail").join(folder)).is_ok_and(|names| !names.is_empty());
    if waits("held") || waits("new") {
        news::tell(spool)?;
    }
    Ok(())
}

/// Whether its owner is not known to live.
fn needs_mending(token: &Token) -> bool {
    match &token.state {
        At::Claimed(worker) => worker.life() != Life::Alive,
        At::Started(_, runner) => runner.life() != Life::Alive,
        _ => false,
    }
}

fn mend(spool: &Spool) -> Result<()> {
    let program = cli::sibling("nn-queue")?;
    let mut command = Command::new(&program);
    command.arg("recover").env("NN_SPOOL", spool.dir()).stdin(Stdio::null()).stdout(Stdio::null());
    let status = command.status().doing("run", &program)?;
    if !status.success() {
        cli::warn(&format!("nn-queue recover: {status}"));
    }
    Ok(())
}

/// Something that is not as it should be, and of which run it is told.
struct Found {
    run: u64,
    generation: u32,
    detector: &'static str,
    metric: Option<String>,
    why: String,
    evidence: Value,
}

/// Owners of started runs whose heartbeat has not changed since an earlier look that is long ago.
fn silent(spool: &Spool, state: &mut State, tokens: &[Token], found: &mut BTreeMap<String, Found>) {
    let now = Time::now().ms();
    let mut beats = BTreeMap::new();
    for token in tokens {
        let At::Started(_, runner) = &token.state else { continue };
        let name = runner.to_string();
        let beat = std::fs::read_to_string(spool.dir().join("hosts").join(&name)).unwrap_or_default();
        // A clock that was set back begins anew.
        let same = state.beats.get(&name).filter(|(known, since)| *known == beat && *since <= now);
        let since = same.map_or(now, |(_, since)| *since);
        beats.insert(name.clone(), (beat, since));
        let silence = Duration::from_millis(u64::try_from(now - since).unwrap_or(0));
        if silence < SILENT || runner.life() == Life::Dead {
            continue;
        }
        let silence_shown = show_duration(Duration::from_secs(silence.as_secs()));
        found.insert(
            format!("silent {name}"),
            Found {
                run: token.run,
                generation: token.generation,
                detector: "stall",
                metric: None,
                why: words(runner, &silence_shown),
                evidence: json::map([("silent_seconds", Value::from(silence.as_secs())), ("owner", name.into())]),
            },
        );
    }
    state.beats = beats;
}

fn words(runner: &Owner, silence: &str) -> String {
    if runner.is_here() {
        format!("its nn-run {} hangs: no sign of life for {silence}", runner.pid)
    } else {
        format!("no sign of life of its nn-run on {} for {silence}", runner.host)
    }
}

/// What this host is short of, where runs of it run: told once a file system, of the first run there.
fn short(spool: &Spool, tokens: &[Token], found: &mut BTreeMap<String, Found>) {
    let is_here = |token: &&Token| matches!(&token.state, At::Started(_, runner) if runner.is_here());
    let mut here: Vec<&Token> = tokens.iter().filter(is_here).collect();
    here.sort_unstable_by_key(|token| token.run);
    let Some(first) = here.first() else { return };
    let host = sys::host_name();
    let mut places: BTreeMap<u64, (PathBuf, &Token)> = BTreeMap::new();
    let spool_dir = std::iter::once((spool.dir().to_path_buf(), *first));
    let cwds = here.iter().filter_map(|token| Some((spool.job(token.run).ok()?.cwd()?, *token)));
    for (dir, token) in spool_dir.chain(cwds) {
        if let Ok(meta) = std::fs::metadata(&dir) {
            places.entry(meta.dev()).or_insert((dir, token));
        }
    }
    for (device, (dir, token)) in places {
        let Ok(space) = sys::space(&dir) else { continue };
        let shown = dir.display().to_string();
        let few = space.inodes > 0 && space.inodes_free < space.inodes / SMALL_PART;
        let little = space.free < LEAST.min(space.total / 2) || space.free < ENOUGH && space.free < space.total / PART;
        if !little && !few {
            continue;
        }
        let why = if little {
            format!("{shown} on {host}: {} of {} left", show_size(space.free), show_size(space.total))
        } else {
            format!("{shown} on {host}: {} of {} inodes left", space.inodes_free, space.inodes)
        };
        let evidence = [("free", space.free), ("total", space.total), ("inodes_free", space.inodes_free)];
        let evidence = json::map(evidence.map(|(name, n)| (name, Value::from(n))));
        let what = Found { why, evidence, metric: Some(shown), ..Found::of(token, "disk") };
        found.insert(format!("disk {host} {device:x}"), what);
    }
    if let Some(memory) = memory().filter(|memory| memory.available < memory.total / SMALL_PART) {
        let why = format!("memory of {host}: {} of {} left", show_size(memory.available), show_size(memory.total));
        let evidence = [("available", memory.available), ("total", memory.total)];
        let evidence = json::map(evidence.map(|(name, n)| (name, Value::from(n))));
        found.insert(format!("ram {host}"), Found { why, evidence, ..Found::of(first, "ram") });
    }
}

impl Found {
    fn of(token: &Token, detector: &'static str) -> Found {
        let (why, evidence) = (String::new(), Value::Null);
        Found { run: token.run, generation: token.generation, detector, metric: None, why, evidence }
    }
}

/// On record, and kept as news.
fn note(spool: &Spool, found: &Found) {
    let mut details = json::map([("run", Value::from(found.run)), ("generation", found.generation.into())]);
    details.set("level", "warning");
    details.set("detector", found.detector);
    if let Some(metric) = &found.metric {
        details.set("metric", metric.as_str());
    }
    details.set("why", found.why.as_str());
    details.set("evidence", found.evidence.clone());
    let noted = news::raise(spool, found.run, "judged", &details)
        .and_then(|_| spool.event(found.run, false, "judged", details));
    if let Err(err) = noted {
        cli::warn(&format!("run {}: {}: {err}", found.run, found.why));
    }
}
