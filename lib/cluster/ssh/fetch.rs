//! Bringing back what runs left at a host, and their end. One question for all runs: how much of each file is here. The
//! answer has what is more. Bytes of files that grow are written at their place, so that two who fetch at once write the
//! same; how much is here is told by the file itself, so that nothing depends on a note about it. The token moves when all
//! is here and on disk.

use super::growth::{self, Kind, name_here};
use super::host::Host;
use super::link::Link;
use super::record::Record;
use crate::base::error::{Error, Result};
use crate::base::files::{self, Grower, Moved};
use crate::base::json::{self, Value};
use crate::record::history::join::RESUMED;
use crate::spool::state::{Folder, How, State, Token};
use crate::spool::store::Spool;

/// Largest file that comes as a whole.
const MOST: u64 = 64 << 20;
/// How often more is asked for at a time: a host that always has more is no reason never to end.
const ROUNDS: usize = 1000;

/// What a host says of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// It knows no such id
    Unknown,
    /// It will never run it
    Refused,
    /// It had it, and has removed it
    Gone,
    /// It waits or runs there
    Open,
    /// It has ended
    Ended(State),
}

/// Fetches what there is of these runs; what the host says of each.
///
/// # Errors
/// The connection broke, or something cannot be written here.
pub fn fetch(spool: &Spool, host: &Host, link: &mut Link, runs: &[(Token, String)]) -> Result<Vec<Standing>> {
    let mut all = vec![Standing::Unknown; runs.len()];
    let mut waiting: Vec<usize> = (0..runs.len()).collect();
    for _ in 0..ROUNDS {
        let mut ask = json::map([("op", Value::from("report"))]);
        let questions: Vec<Value> =
            waiting.iter().filter_map(|i| runs.get(*i)).map(|run| question(spool, host, run)).collect();
        ask.set("runs", questions);
        link.say(&ask)?;
        let mut more = Vec::new();
        for i in waiting {
            let Some(run) = runs.get(i) else { continue };
            let (standing, is_all) = one(spool, host, link, run)?;
            if !is_all {
                more.push(i);
            }
            if let Some(place) = all.get_mut(i) {
                *place = standing;
            }
        }
        if more.is_empty() {
            break;
        }
        waiting = more;
    }
    Ok(all)
}

/// What is here of a run.
fn question(spool: &Spool, host: &Host, (token, id): &(Token, String)) -> Value {
    let record = Record::of(spool, token.run);
    let mut question = json::map([("id", Value::from(id.as_str()))]);
    if !record.is_at(&host.name) {
        return question;
    }
    let dir = spool.run_dir(token.run);
    let mut have = Value::Map(Vec::new());
    for name in files::names(&dir).unwrap_or_default().iter().filter_map(|name| name.to_str()) {
        let there = growth::name_there(name, &host.name);
        if let Some(there) = there.filter(|name| growth::kind(name) == Some(Kind::Grows)) {
            let size = std::fs::symlink_metadata(dir.join(name)).map_or(0, |meta| meta.len());
            have.set(&there, size.saturating_sub(record.base(name)));
        }
    }
    question.set("have", have);
    question.set("seen", record.all_seen());
    question
}

/// Takes the answer about one run. False: there is more, or it must be asked again.
fn one(spool: &Spool, host: &Host, link: &mut Link, (token, id): &(Token, String)) -> Result<(Standing, bool)> {
    let answer = link.answer()?;
    if answer.str("id") != Some(id) {
        return Err(Error::other(format!("{}: an answer is about another run", host.name)));
    }
    match answer.str("origin") {
        Some("unknown") => return Ok((Standing::Unknown, true)),
        Some("refused") => return Ok((Standing::Refused, true)),
        Some("gone") => return Ok((Standing::Gone, true)),
        _ => {}
    }
    let wrong = |what: &str| Error::other(format!("{}: run {}: {what} makes no sense", host.name, token.run));
    let born = answer.str("born").ok_or_else(|| wrong("its birth"))?;
    let number = answer.int("run").ok_or_else(|| wrong("its number"))?;
    let state = answer.str("state").ok_or_else(|| wrong("its state"))?;
    let mut record = Record::of(spool, token.run);
    let is_known = record.continues(&host.name, born);
    if !is_known {
        record = Record::begin(spool, token.run, &host.name, born)?;
    }
    let mut result = None;
    for file in answer.list("files").unwrap_or_default() {
        let name = file.str("name").ok_or_else(|| wrong("the name of a file"))?;
        let size = file.int("size").and_then(|n| u64::try_from(n).ok()).ok_or_else(|| wrong("a size"))?;
        let from = file.int("from").and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
        match growth::kind(name) {
            None => return Err(wrong("the name of a file")),
            // What was asked was about another run.
            Some(_) if !is_known && from > 0 => link.take(size, |_| Ok(()))?,
            Some(Kind::Grows) => {
                let here = name_here(name, &host.name);
                let path = spool.run_dir(token.run).join(&here);
                let is_new = file.get("anew").and_then(Value::as_bool) == Some(true);
                let mut grower = Grower::open(&path, record.base(&here).saturating_add(from), is_new)?;
                link.take(size, |bytes| grower.write(bytes))?;
            }
            Some(kind) => {
                if size > MOST {
                    return Err(wrong("the size of a file"));
                }
                let mut bytes = Vec::new();
                link.take(size, |piece| {
                    bytes.extend_from_slice(piece);
                    Ok(())
                })?;
                if name == "result.json" {
                    result = Some(bytes);
                } else {
                    write_whole(spool, token, &record, name, &bytes, answer.int("generation"))?;
                }
                if let (Kind::Whole, Some(stamp)) = (kind, file.str("stamp")) {
                    record.see(name, stamp);
                }
            }
        }
    }
    record.tell(spool, token.run, id, number, state)?;
    if !is_known || answer.get("more").and_then(Value::as_bool) == Some(true) {
        return Ok((Standing::Open, false));
    }
    let Some(end) = end(state, answer.str("how")) else { return Ok((Standing::Open, true)) };
    let end = end.ok_or_else(|| wrong("its end"))?;
    finish_files(spool, token, &record, &end, result)?;
    Ok((Standing::Ended(end), true))
}

/// The end that a state names; None: it is no end. Some(None): it is none that is known.
fn end(state: &str, how: Option<&str>) -> Option<Option<State>> {
    match Folder::parse(state)? {
        Folder::Done => Some(Some(State::Done)),
        Folder::Cancelled => Some(Some(State::Cancelled)),
        Folder::Failed => Some(how.and_then(How::parse).map(State::Failed)),
        _ => None,
    }
}

/// A file that comes as a whole, with the numbers it has here.
fn write_whole(
    spool: &Spool,
    token: &Token,
    record: &Record,
    name: &str,
    bytes: &[u8],
    generation: Option<i64>,
) -> Result<()> {
    let path = spool.run_dir(token.run).join(name);
    let bytes = match name {
        "attempt.json" => attempt(token, record, bytes, generation),
        RESUMED => Some(resumed(spool, token, record, bytes)),
        _ => Some(bytes.to_vec()),
    };
    let Some(bytes) = bytes else { return Ok(()) };
    if name.starts_with("profile/") {
        files::make_dir(&spool.run_dir(token.run).join("profile"))?;
    }
    files::put(&spool.dir().join("tmp"), &path, &bytes, false)
}

/// attempt.json with the number and generation that the attempt has here, and those before it. None: it is damaged.
fn attempt(token: &Token, record: &Record, bytes: &[u8], generation: Option<i64>) -> Option<Vec<u8>> {
    let mut json = Value::parse(std::str::from_utf8(bytes).ok()?).ok().filter(|json| json.as_map().is_some())?;
    let shift = |json: &mut Value| json.set("attempt", json.int("attempt").unwrap_or(1) + record.before());
    shift(&mut json);
    let is_current = json.int("generation") == generation;
    json.set("generation", if is_current { Value::from(token.generation) } else { Value::Null });
    let mut former = record.former().to_vec();
    for one in json.list("former").unwrap_or_default() {
        let mut one = one.clone();
        shift(&mut one);
        former.push(one);
    }
    if !former.is_empty() {
        json.set("former", former);
    }
    Some(format!("{json}\n").into_bytes())
}

/// resumed.jsonl: what stood here before, and after it the host's lines with the places that its files have here.
fn resumed(spool: &Spool, token: &Token, record: &Record, bytes: &[u8]) -> Vec<u8> {
    let path = spool.run_dir(token.run).join(RESUMED);
    let mut whole = std::fs::read(path).unwrap_or_default();
    whole.truncate(usize::try_from(record.base(RESUMED)).unwrap_or(usize::MAX));
    for line in String::from_utf8_lossy(bytes).lines() {
        let Ok(mut json) = Value::parse(line) else { continue };
        json.set("attempt", json.int("attempt").unwrap_or(1) + record.before());
        let moved = |name: &str, size: Option<&Value>| {
            let size = size.and_then(Value::as_int).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
            Value::from(size.saturating_add(record.base(name)))
        };
        json.set("log", moved("log", json.get("log")));
        let sizes = json.get("history").and_then(Value::as_map).unwrap_or_default().to_vec();
        let sizes = sizes.iter().map(|(name, size)| (name.clone(), moved(name, Some(size))));
        json.set("history", json::map(sizes));
        whole.extend_from_slice(format!("{json}\n").as_bytes());
    }
    whole
}

/// Makes durable what was fetched, and writes result.json.
fn finish_files(spool: &Spool, token: &Token, record: &Record, end: &State, result: Option<Vec<u8>>) -> Result<()> {
    let dir = spool.run_dir(token.run);
    for name in files::names(&dir)?.iter().filter_map(|name| name.to_str()) {
        if growth::kind(name).is_some() {
            files::sync_file(&dir.join(name))?;
        }
    }
    let read = |bytes: Vec<u8>| Value::parse(std::str::from_utf8(&bytes).ok()?).ok();
    let mut json = result.and_then(read).filter(|json| json.as_map().is_some()).unwrap_or_else(|| {
        json::map([
            ("evidence", Value::from("the host kept no result")),
            ("ended", crate::base::time::Time::now().into()),
        ])
    });
    if let Some(attempt) = json.int("attempt") {
        json.set("attempt", attempt + record.before());
    }
    if let Value::Map(members) = &mut json {
        members.retain(|(key, _)| !matches!(key.as_str(), "generation" | "state" | "how" | "again"));
    }
    // Somebody else may have come to the end meanwhile, and the run be in its next attempt.
    if spool.dir().join(token.path()).exists() { spool.write_result(token, end, &json) } else { Ok(()) }
}

/// Moves the token of a run that has ended, durably. False: somebody else did.
///
/// # Errors
/// It is unknown whether it was done.
pub fn finish(spool: &Spool, token: &Token, end: &State) -> Result<bool> {
    Ok(spool.shift_durably(token, &token.to(end.clone()))? == Moved::Won)
}
