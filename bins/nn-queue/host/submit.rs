//! Handing runs to hosts. What takes time and may fail comes first, while the runs are still queued; then their tokens say
//! where they go, and only then the host is asked to add them. Whatever becomes of the connection after that, `sync` asks
//! again under the same ids.

use crate::host::ask_all;
use crate::host::sync::back;
use crate::runs::Refused;
use nn::base::cli;
use nn::base::error::{Error, Result};
use nn::base::files::{self, Moved};
use nn::base::json::{self, Value};
use nn::cluster::ssh::deliver::{self, Delivered};
use nn::cluster::ssh::fetch;
use nn::cluster::ssh::host::Host;
use nn::cluster::ssh::link::{Link, nonce};
use nn::cluster::ssh::parcel::{self, Parcel};
use nn::cluster::ssh::record::{Reach, Record};
use nn::spool::state::{Folder, State, Token};
use nn::spool::store::Spool;

/// Hands queued runs to a host, or to those of a group.
///
/// # Errors
/// There is no such host, or none can be reached; then all are still queued.
pub fn submit(
    spool: &Spool,
    to: &str,
    tokens: Vec<Token>,
    refused: &mut Refused,
    lines: &mut Vec<String>,
) -> Result<()> {
    let hosts = Host::named(&spool.config()?, to)?;
    if let [host] = hosts.as_slice() {
        let link = Link::open(host, spool.dir());
        Reach::note(spool, &host.name, link.as_ref().err());
        return hand(spool, host, &mut link?, tokens, refused, lines);
    }
    let mut open = Vec::new();
    for (host, answer) in ask_all(spool, &hosts) {
        match answer {
            Ok((link, state)) => open.push(Free { slots: capacity(&host, &state), busy: busy(&state), host, link }),
            Err(err) => cli::warn(&format!("{err}: left out")),
        }
    }
    if open.is_empty() {
        return Err(Error::Again(format!("no host of {to} can be reached: the runs stay queued")));
    }
    let mut lots: Vec<Vec<Token>> = open.iter().map(|_| Vec::new()).collect();
    for token in tokens {
        match choose(spool, &mut open, &token)? {
            Ok(at) => lots.get_mut(at).into_iter().for_each(|lot| lot.push(token.clone())),
            Err(why) => refused.add(token.run, why),
        }
    }
    for (free, lot) in open.iter_mut().zip(lots) {
        if let Err(err) = hand(spool, &free.host, &mut free.link, lot, refused, lines) {
            cli::complain(&err);
        }
    }
    Ok(())
}

/// A host of a group, and what it is busy with.
struct Free {
    host: Host,
    link: Link,
    slots: u32,
    busy: f64,
}

fn capacity(host: &Host, state: &Value) -> u32 {
    host.slots(state.int("gpus").and_then(|gpus| u32::try_from(gpus).ok()))
}

/// Runs there; between hosts with as many, the processors decide.
fn busy(state: &Value) -> f64 {
    let count = |key: &str| state.int(key).unwrap_or(0).clamp(0, 1_000_000) as f64;
    let load = state.num("load").unwrap_or(0.0).max(0.0) / count("cores").max(1.0);
    count("queued") + count("submitted") + count("running") + (load / (1.0 + load)) * 0.5
}

/// The host with most free slots; when none has any, the one where least waits for each slot.
fn choose(spool: &Spool, open: &mut [Free], token: &Token) -> Result<std::result::Result<usize, String>> {
    let mut best: Option<(usize, f64)> = None;
    let mut why = String::new();
    for (i, free) in open.iter().enumerate() {
        if let Some(obstacle) = parcel::fits(spool, token.run, &free.host)? {
            why = obstacle;
            continue;
        }
        let left = f64::from(free.slots) - free.busy;
        let score = if left > 0.0 { left } else { left / f64::from(free.slots.max(1)) };
        if best.is_none_or(|(_, best)| score > best) {
            best = Some((i, score));
        }
    }
    let Some((at, _)) = best else { return Ok(Err(why)) };
    if let Some(free) = open.get_mut(at) {
        free.busy += 1.0;
    }
    Ok(Ok(at))
}

/// Hands runs to one host.
fn hand(
    spool: &Spool,
    host: &Host,
    link: &mut Link,
    tokens: Vec<Token>,
    refused: &mut Refused,
    lines: &mut Vec<String>,
) -> Result<()> {
    let nonce = nonce()?;
    let mut parcels = Vec::with_capacity(tokens.len());
    for (i, queued) in tokens.into_iter().enumerate() {
        let id = format!("{nonce}_{i}");
        let token = queued.to(State::Submitted(host.name.clone(), id.clone()));
        let parcel = match parcel::fits(spool, token.run, host) {
            Ok(None) => Parcel::new(spool, &token, &id, host, &link.hello.home),
            Ok(Some(why)) => Err(Error::other(why)),
            Err(err) => Err(err),
        };
        match parcel {
            Ok(parcel) => parcels.push((queued, parcel)),
            Err(err) => refused.add(token.run, err.to_string()),
        }
    }
    let all: Vec<Parcel> = parcels.iter().map(|(_, parcel)| parcel.clone()).collect();
    if all.is_empty() {
        return Ok(());
    }
    if let Err(err) = deliver::prepare(spool, host, link, &all) {
        all.iter().for_each(|parcel| refused.add(parcel.token.run, err.to_string()));
        return Ok(());
    }
    let mut moved = Vec::with_capacity(parcels.len());
    for (queued, parcel) in parcels {
        match spool.shift(&queued, &parcel.token)? {
            Moved::Won => moved.push(parcel),
            Moved::Lost => refused.add(queued.run, "a worker was quicker"),
        }
    }
    files::sync_dir(&spool.folder(Folder::Submitted))?;
    note(spool, host, &moved);
    bring(spool, host, link, &moved, refused, lines)
}

fn note(spool: &Spool, host: &Host, parcels: &[Parcel]) {
    for parcel in parcels {
        let details = json::map([("to", Value::from(host.name.as_str())), ("id", parcel.id.as_str().into())]);
        // The state is right already; the note about it may fail on a full disk.
        let _ = spool.event(parcel.token.run, false, "submit", details);
    }
}

/// Has a host add runs whose tokens say already that it has them, and tells of each.
///
/// # Errors
/// A change is in doubt.
pub fn bring(
    spool: &Spool,
    host: &Host,
    link: &mut Link,
    parcels: &[Parcel],
    refused: &mut Refused,
    lines: &mut Vec<String>,
) -> Result<()> {
    let former: Vec<Option<String>> = parcels.iter().map(|parcel| former(spool, host, parcel)).collect();
    let (delivered, trouble) = match deliver::add(host, link, parcels, &former) {
        Ok(answer) => answer,
        Err(err) => {
            let what = format!("{err}: whether it has them is unknown, 'nn-queue sync' finds out");
            parcels.iter().for_each(|parcel| refused.add(parcel.token.run, what.as_str()));
            return Ok(());
        }
    };
    let mut taken = Vec::new();
    for (parcel, delivered) in parcels.iter().zip(delivered) {
        let run = parcel.token.run;
        match delivered {
            Delivered::Taken(number) => {
                lines.push(format!("{run}\tsubmitted\t{} {number}", host.name));
                taken.push((parcel.token.clone(), parcel.id.clone()));
            }
            Delivered::Refused(why) => {
                back(spool, &parcel.token, &why)?;
                refused.add(run, format!("{}: {why}", host.name));
            }
            Delivered::Gone => refused.add(run, format!("{} had it, and has removed it", host.name)),
        }
    }
    if let Some(trouble) = trouble {
        cli::warn(&format!("{}: nothing starts there yet: {trouble}", host.name));
    }
    // The first look, so that their numbers there are known; the next sync would do it as well.
    let _ = fetch::fetch(spool, host, link, &taken);
    Ok(())
}

/// The id under which an earlier attempt ran there.
fn former(spool: &Spool, host: &Host, parcel: &Parcel) -> Option<String> {
    let record = Record::of(spool, parcel.token.run);
    let id = record.id().filter(|id| record.is_at(&host.name) && *id != parcel.id)?;
    Some(id.to_string())
}
