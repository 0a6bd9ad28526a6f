//! A person who watches: nn-queue list and show are asked again and again while the storm goes on, and each answer is
//! compared with the folders, read the plain way right before and right after it. A token that lay there both times lay
//! there all the time, for no name is used twice, so the answer must tell exactly that; otherwise it must tell something
//! that lies between. No run may be missing, none told twice, and nobody called dead or alive who was not.

use crate::place::{Place, output_within};
use crate::spool::{self, Token};
use nn::base::json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

/// What was seen and what of it was a lie.
#[derive(Debug, Default)]
pub struct Sight {
    pub answers: usize,
    pub rows: usize,
    pub noted_dead: usize,
    pub lies: Vec<String>,
}

/// Asks once in each way.
pub fn look(place: &Place, jobs: u64, random: usize, sight: &mut Sight) {
    let spool = place.dir.join("spool");
    let before = snapshot(&spool);
    let answer = ask(place, &["list", "--json", "--all"]);
    let after = snapshot(&spool);
    let rows = parse(&answer, sight);
    every_run_once(&rows, jobs, sight);
    for row in &rows {
        row_is_true(row, &before, &after, sight);
    }
    let open = parse(&ask(place, &["list", "--json"]), sight);
    open_are_told(&open, &after, &snapshot(&spool), sight);
    let running: Vec<u64> = rows.iter().filter(|r| r.str("state") == Some("running")).filter_map(run_of).collect();
    let run = running.get(random % running.len().max(1)).copied().unwrap_or(1 + random as u64 % jobs);
    show_is_true(place, run, sight);
    sight.answers += 3;
    sight.rows += rows.len() + open.len() + 1;
}

/// The folders at one time, and which tokens in running/ had a dead owner then.
struct Snapshot {
    tokens: BTreeMap<u64, Vec<Token>>,
    dead: BTreeSet<String>,
}

fn snapshot(spool: &Path) -> Snapshot {
    let tokens = spool::tokens(spool);
    let running = tokens.values().flatten().filter(|token| token.folder == "running");
    let dead = running.filter(|token| !owner_lives(token)).map(|token| token.name.clone()).collect();
    Snapshot { tokens, dead }
}

/// Whether the process that holds a run lives: worker of a claimed one, nn-run of a started one.
fn owner_lives(token: &Token) -> bool {
    let owner = token.name.rsplit('~').nth(1).unwrap_or("");
    let mut parts = owner.split(',').skip(3);
    let (pid, start) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    fields.first().is_some_and(|state| !matches!(*state, "Z" | "X")) && fields.get(19) == Some(&start)
}

fn ask(place: &Place, args: &[&str]) -> String {
    let output = output_within(place.command("nn-queue").args(args), Duration::from_secs(60));
    assert!(output.status.success() && output.stderr.is_empty(), "nn-queue {args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn parse(text: &str, sight: &mut Sight) -> Vec<Value> {
    let parse = |line: &str| Value::parse(line).map_err(|_| sight.lies.push(format!("no JSON: {line}"))).ok();
    text.lines().filter_map(parse).collect()
}

fn run_of(row: &Value) -> Option<u64> {
    u64::try_from(row.int("run")?).ok()
}

fn every_run_once(rows: &[Value], jobs: u64, sight: &mut Sight) {
    let runs: Vec<u64> = rows.iter().filter_map(run_of).collect();
    let distinct: BTreeSet<u64> = runs.iter().copied().collect();
    if distinct.len() != runs.len() {
        sight.lies.push(format!("a run is told twice: {runs:?}"));
    }
    let missing: Vec<u64> = (1..=jobs).filter(|run| !distinct.contains(run)).collect();
    if !missing.is_empty() || distinct.len() as u64 > jobs {
        sight.lies.push(format!("not told of {missing:?}, {} rows", rows.len()));
    }
}

/// The token of a run that lay in the same place before and after.
fn unmoved<'a>(run: u64, before: &'a Snapshot, after: &Snapshot) -> Option<&'a Token> {
    let [token] = before.tokens.get(&run)?.as_slice() else { return None };
    (after.tokens.get(&run)?.as_slice() == [token.clone()]).then_some(token)
}

fn is_end(folder: &str) -> bool {
    matches!(folder, "done" | "failed" | "cancelled")
}

fn row_is_true(row: &Value, before: &Snapshot, after: &Snapshot, sight: &mut Sight) {
    let (Some(run), Some(state)) = (run_of(row), row.str("state")) else {
        return sight.lies.push(format!("no run or state: {row}"));
    };
    let note = row.str("note").unwrap_or("");
    if row.num("time").is_some_and(|time| !(0.0..3600.0).contains(&time)) {
        sight.lies.push(format!("an impossible time: {row}"));
    }
    if let Some(token) = unmoved(run, before, after) {
        if token.folder != state {
            sight.lies.push(format!("stood in {token:?} all the time, told as {row}"));
        }
        return owner_is_true(token, note, before, after, sight);
    }
    let now: Vec<&Token> = after.tokens.get(&run).into_iter().flatten().collect();
    // Nothing in a storm brings an ended run back.
    if is_end(state) && !now.is_empty() && now.iter().all(|token| token.folder != state) {
        sight.lies.push(format!("told as {row}, and stands later in {now:?}"));
    }
    if !is_end(state) && before.tokens.get(&run).is_some_and(|tokens| tokens.iter().any(|token| is_end(token.folder))) {
        sight.lies.push(format!("told as {row}, and had ended before"));
    }
}

/// Who was dead before is called dead, and who lives after is not.
fn owner_is_true(token: &Token, note: &str, before: &Snapshot, after: &Snapshot, sight: &mut Sight) {
    let says_dead = note.contains("dead");
    if token.folder == "running" && says_dead && !after.dead.contains(&token.name) {
        sight.lies.push(format!("lives, and is called dead ('{note}'): {token:?}"));
    }
    if before.dead.contains(&token.name) && !says_dead {
        sight.lies.push(format!("was dead, and is not called so ('{note}'): {token:?}"));
    }
    sight.noted_dead += usize::from(says_dead);
}

/// What has not ended is told, what has ended before is not.
fn open_are_told(rows: &[Value], before: &Snapshot, after: &Snapshot, sight: &mut Sight) {
    let told: BTreeSet<u64> = rows.iter().filter_map(run_of).collect();
    for (run, tokens) in &after.tokens {
        let ended = |tokens: &[Token]| tokens.iter().any(|token| is_end(token.folder));
        if !ended(tokens) && !told.contains(run) {
            sight.lies.push(format!("list does not tell of run {run}, which stands in {tokens:?}"));
        }
        if before.tokens.get(run).is_some_and(|tokens| ended(tokens)) && told.contains(run) {
            sight.lies.push(format!("list tells of run {run}, which had ended: {tokens:?}"));
        }
    }
}

/// One run in full: its parts belong together.
fn show_is_true(place: &Place, run: u64, sight: &mut Sight) {
    let spool = place.dir.join("spool");
    let before = snapshot(&spool);
    let answer = ask(place, &["show", "--json", &run.to_string()]);
    let after = snapshot(&spool);
    let Some(shown) = parse(&answer, sight).pop() else { return };
    let (state, generation) = (shown.str("state").unwrap_or(""), shown.int("generation"));
    let mut lie = |what: &str| sight.lies.push(format!("show {run}: {what}: {answer}"));
    if let Some(token) = unmoved(run, &before, &after)
        && (token.folder != state || i64::try_from(token.generation).ok() != generation)
    {
        lie(&format!("stood in {token:?} all the time"));
    }
    if is_end(state) {
        let result = shown.get("result").cloned().unwrap_or(Value::Null);
        if result.str("state") != Some(state) || result.int("generation") != generation {
            lie("its state and its result differ");
        }
        if result.str("ended") < result.str("started") {
            lie("ended before it started");
        }
    }
    if let Some(token) = unmoved(run, &before, &after) {
        owner_is_true(token, shown.str("owner").unwrap_or(""), &before, &after, sight);
    }
}
