//! Telling how runs stand and what is new in their files. The state of a run is read before its files: what was written
//! until its end is then there.

use super::Line;
use nn::base::error::{Doing, Error, Result};
use nn::base::files;
use nn::base::json::{self, Value};
use nn::cluster::ssh::growth::{self, Kind};
use nn::spool::state::{State, Token};
use nn::spool::store::{Origin, Spool};
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// So many bytes of a file at a time.
const MOST: u64 = 32 << 20;
/// Largest file that goes as a whole.
const MOST_WHOLE: u64 = 64 << 20;

/// A part of a file that goes.
struct Part {
    name: String,
    from: u64,
    anew: bool,
    stamp: Option<String>,
    bytes: Bytes,
}

enum Bytes {
    /// So many from where it stands
    Of(File, u64),
    Held(Vec<u8>),
}

/// Answers for each run, in order.
pub fn report(spool: &Spool, question: &Value, wire: &mut Line) -> Result<()> {
    let asked = question.list("runs").unwrap_or_default();
    let mut origins = Vec::with_capacity(asked.len());
    for one in asked {
        origins.push(one.str("id").map_or(Ok(None), |id| spool.origin(id))?);
    }
    let run = |origin: &Option<Origin>| if let Some(Origin::Run(run, _)) = origin { Some(*run) } else { None };
    let runs: Vec<u64> = origins.iter().filter_map(run).collect();
    let states = crate::runs::states(spool, &runs)?;
    for (one, origin) in asked.iter().zip(origins) {
        tell(spool, one, origin, &states, wire)?;
    }
    Ok(())
}

fn tell(
    spool: &Spool,
    one: &Value,
    origin: Option<Origin>,
    states: &HashMap<u64, Token>,
    wire: &mut Line,
) -> Result<()> {
    let id = one.str("id").unwrap_or_default();
    let mut answer = json::map([("id", Value::from(id))]);
    let (run, generation) = match origin {
        Some(Origin::Run(run, generation)) => (run, generation),
        other => {
            answer.set(
                "origin",
                match other {
                    None => "unknown",
                    Some(Origin::Refused) => "refused",
                    _ => "gone",
                },
            );
            return wire.say(&answer);
        }
    };
    // Without a token, or with that of the time before, it is still to be brought to the queue.
    let Some(token) = states.get(&run).filter(|token| token.generation >= generation) else {
        answer.set("origin", "unknown");
        return wire.say(&answer);
    };
    let job = spool.job(run)?;
    let born = job.json.get("origin").and_then(|origin| origin.str("id")).unwrap_or(id);
    answer.set("born", born);
    answer.set("run", run);
    answer.set("generation", token.generation);
    answer.set("state", token.folder().name());
    if let State::Failed(how) = &token.state {
        answer.set("how", how.to_string());
    }
    let (parts, more) = parts(spool, token, one)?;
    let list = parts.iter().map(|part| {
        let size = match &part.bytes {
            Bytes::Of(_, size) => *size,
            Bytes::Held(bytes) => bytes.len() as u64,
        };
        let mut item = json::map([("name", Value::from(part.name.as_str())), ("from", part.from.into())]);
        item.set("size", size);
        if part.anew {
            item.set("anew", true);
        }
        if let Some(stamp) = &part.stamp {
            item.set("stamp", stamp.as_str());
        }
        item
    });
    answer.set("files", list.collect::<Vec<_>>());
    answer.set("more", more);
    wire.say(&answer)?;
    parts.into_iter().try_for_each(|part| send(part, wire))
}

fn send(part: Part, wire: &mut Line) -> Result<()> {
    let (mut file, size) = match part.bytes {
        Bytes::Held(bytes) => return wire.bytes(&bytes),
        Bytes::Of(file, size) => (file, size),
    };
    let mut left = size;
    let mut piece = vec![0; 1 << 16];
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(piece.len()).min(piece.len());
        let n = file.read(piece.get_mut(..most).unwrap_or_default()).unwrap_or(0);
        if n == 0 {
            // Other bytes than those announced must not come in their place: the connection ends here.
            return Err(Error::Again(format!("{} became shorter or cannot be read", part.name)));
        }
        wire.bytes(piece.get(..n).unwrap_or_default())?;
        left = left.saturating_sub(n as u64);
    }
    Ok(())
}

/// What is new in the files of a run. True: there is more.
fn parts(spool: &Spool, token: &Token, one: &Value) -> Result<(Vec<Part>, bool)> {
    let dir = spool.run_dir(token.run);
    let mut names: Vec<String> = files::names(&dir)?.into_iter().filter_map(|name| name.into_string().ok()).collect();
    let profiles = files::names(&dir.join("profile")).unwrap_or_default();
    names.extend(profiles.iter().filter_map(|name| Some(format!("profile/{}", name.to_str()?))));
    names.sort();
    let (mut parts, mut more) = (Vec::new(), false);
    for name in names {
        let Some(kind) = growth::kind(&name) else { continue };
        if kind == Kind::Last && !token.folder().is_end() {
            continue;
        }
        // What is no regular file, or went away, is nothing that can go.
        let Ok(file) = files::open_regular(&dir.join(&name)) else { continue };
        let part = match kind {
            Kind::Grows => grown(name, file, one, &mut more)?,
            _ => whole(name, file, token, one, &dir)?,
        };
        parts.extend(part);
    }
    Ok((parts, more))
}

fn grown(name: String, mut file: File, one: &Value, more: &mut bool) -> Result<Option<Part>> {
    let length = file.metadata().doing("read", &name)?.len();
    let has = one.get("have").and_then(|have| have.int(&name)).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    let anew = length < has;
    let from = if anew { 0 } else { has };
    if length == from && !anew {
        return Ok(None);
    }
    let size = (length - from).min(MOST);
    *more |= from + size < length;
    file.seek(SeekFrom::Start(from)).doing("read", &name)?;
    Ok(Some(Part { name, from, anew, stamp: None, bytes: Bytes::Of(file, size) }))
}

fn whole(name: String, file: File, token: &Token, one: &Value, dir: &Path) -> Result<Option<Part>> {
    let meta = file.metadata().doing("read", dir.join(&name))?;
    let stamp = format!("{}-{}.{:09}-{}", meta.len(), meta.mtime(), meta.mtime_nsec(), meta.ino());
    let is_seen = one.get("seen").and_then(|seen| seen.str(&name)) == Some(&stamp);
    if is_seen || meta.len() > MOST_WHOLE {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.take(MOST_WHOLE).read_to_end(&mut bytes).doing("read", dir.join(&name))?;
    if name == "result.json" {
        let json = std::str::from_utf8(&bytes).ok().and_then(|text| Value::parse(text).ok());
        // That of an attempt before says nothing of this end.
        if json.and_then(|json| json.int("generation")) != Some(i64::from(token.generation)) {
            return Ok(None);
        }
    }
    Ok(Some(Part { name, from: 0, anew: false, stamp: Some(stamp), bytes: Bytes::Held(bytes) }))
}
