//! Bringing back what runs at hosts left, and their ends: one connection a host, for all its runs. What was called off here
//! is called off there; what a host does not have yet, for a cable was cut, is brought again; whose worker is gone gets
//! another one. A host that cannot be reached changes nothing.

use crate::adopt::herald;
use crate::host::submit::bring;
use crate::runs::Refused;
use nn::base::cli;
use nn::base::error::{Error, Result};
use nn::base::json::{self, Value};
use nn::base::role::{self, Role};
use nn::base::time::Time;
use nn::cluster::handover;
use nn::cluster::ssh::deliver;
use nn::cluster::ssh::fetch::{self, Standing};
use nn::cluster::ssh::host::{Host, is_host};
use nn::cluster::ssh::link::Link;
use nn::cluster::ssh::parcel::Parcel;
use nn::cluster::ssh::record::Reach;
use nn::mail::news;
use nn::spool::attempts::attempts;
use nn::spool::config::Config;
use nn::spool::recover::LEASE;
use nn::spool::state::{Folder, How, State, Token};
use nn::spool::store::Spool;
use std::collections::{BTreeMap, BTreeSet};

/// A run at a host, and its id there.
type There = (Token, String);

/// What came of it.
#[derive(Debug, Default)]
pub struct Synced {
    /// A line for each run whose state has changed
    pub lines: Vec<String>,
    /// Hosts that could not be asked, and why
    pub troubles: Vec<Error>,
}

/// Brings up to date all runs that hosts have; `only` those of hosts that have one of these runs when some are given.
/// Hosts are asked at the same time.
///
/// # Errors
/// The spool or its settings cannot be read.
pub fn sync(spool: &Spool, only: Option<&BTreeSet<u64>>) -> Result<Synced> {
    let config = spool.config()?;
    let mut hosts = at_hosts(spool)?;
    hosts.retain(|_, runs| only.is_none_or(|only| runs.iter().any(|(token, _)| only.contains(&token.run))));
    let mut synced = Synced::default();
    std::thread::scope(|scope| {
        let config = &config;
        let ask = |(name, runs): (String, Vec<There>)| {
            scope.spawn(move || {
                let mut lines = Vec::new();
                let done = one(spool, config, &name, runs, &mut lines);
                (lines, done.err())
            })
        };
        let asked: Vec<_> = hosts.into_iter().map(ask).collect();
        for answer in asked {
            let failed = || (Vec::new(), Some(Error::other("a thread failed")));
            let (lines, trouble) = answer.join().unwrap_or_else(|_| failed());
            synced.lines.extend(lines);
            synced.troubles.extend(trouble);
        }
    });
    if let Err(err) = news::tell_if_any(spool) {
        cli::warn(&format!("nothing is told now: {err}"));
    }
    Ok(synced)
}

/// Tells hosts at once what was called off here; one that cannot be reached is told by a later sync.
///
/// # Errors
/// The spool or its settings cannot be read.
pub fn call_off(spool: &Spool) -> Result<()> {
    let runs = at_hosts(spool)?.into_values().flatten().map(|(token, _)| token.run);
    let wanted: BTreeSet<u64> = runs.filter(|run| spool.run_dir(*run).join("cancel").exists()).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    for trouble in sync(spool, Some(&wanted))?.troubles {
        cli::warn(&format!("{trouble}: it is called off there when it can be reached again (nn-queue sync)"));
    }
    Ok(())
}

/// The runs that hosts have, by host.
///
/// # Errors
/// The spool cannot be read.
pub fn at_hosts(spool: &Spool) -> Result<BTreeMap<String, Vec<There>>> {
    let mut hosts: BTreeMap<String, Vec<There>> = BTreeMap::new();
    let mut tokens = spool.tokens(Folder::Submitted)?;
    tokens.sort_by_key(|token| token.run);
    for token in tokens {
        let State::Submitted(engine, id) = &token.state else { continue };
        // The names of engines are no names of hosts.
        if is_host(engine) {
            let (engine, id) = (engine.clone(), id.clone());
            hosts.entry(engine).or_default().push((token, id));
        }
    }
    Ok(hosts)
}

fn one(spool: &Spool, config: &Config, name: &str, runs: Vec<There>, lines: &mut Vec<String>) -> Result<()> {
    let host = Host::find(config, name)?;
    // Two that fetch at once do no harm, and no good.
    let Some(_role) = role(spool, name) else { return Ok(()) };
    let link = Link::open(&host, spool.dir());
    let mut link = match link {
        Ok(link) => link,
        Err(err) => {
            Reach::note(spool, name, Some(&err));
            return Err(err);
        }
    };
    let synced = with(spool, &host, &mut link, runs, lines);
    Reach::note(spool, name, synced.as_ref().err());
    synced
}

fn role(spool: &Spool, host: &str) -> Option<Option<Role>> {
    match role::name_of("nn-sync", spool.dir()).and_then(|name| Role::take(&format!("{name}.{host}"))) {
        Ok(None) => None,
        Ok(role) => Some(role),
        // Without such sockets there is no order to keep.
        Err(_) => Some(None),
    }
}

fn with(spool: &Spool, host: &Host, link: &mut Link, runs: Vec<There>, lines: &mut Vec<String>) -> Result<()> {
    let runs = call_off_there(spool, host, link, runs, lines)?;
    let mut start = json::map([("op", Value::from("start"))]);
    deliver::engine(host, &mut start);
    if let Some(trouble) = link.ask(&start)?.str("trouble") {
        cli::warn(&format!("{}: nothing starts there: {}", host.name, nn::base::text::escape(trouble)));
    }
    let standings = fetch::fetch(spool, host, link, &runs)?;
    let mut absent = Vec::new();
    for ((token, id), standing) in runs.iter().zip(standings) {
        match standing {
            Standing::Open => {}
            Standing::Ended(end) => ended(spool, token, &end, lines)?,
            Standing::Unknown => absent.push(Parcel::new(spool, token, id, host, &link.hello.home)?),
            Standing::Refused => {
                back(spool, token, "it was called off there")?;
                lines.push(format!("{}\tqueued", token.run));
            }
            Standing::Gone => {
                let evidence = format!("{} had it, and has removed it before its end was fetched", host.name);
                lost(spool, token, &evidence, lines)?;
            }
        }
    }
    if absent.is_empty() {
        return Ok(());
    }
    let mut refused = Refused::default();
    deliver::prepare(spool, host, link, &absent)?;
    bring(spool, host, link, &absent, &mut refused, lines)?;
    refused.complain("submit");
    Ok(())
}

/// Calls off there what was called off here; what is left.
fn call_off_there(
    spool: &Spool,
    host: &Host,
    link: &mut Link,
    runs: Vec<There>,
    lines: &mut Vec<String>,
) -> Result<Vec<There>> {
    let is_wanted = |(token, _): &There| spool.run_dir(token.run).join("cancel").exists();
    let ids: Vec<Value> = runs.iter().filter(|run| is_wanted(run)).map(|(_, id)| Value::from(id.as_str())).collect();
    if ids.is_empty() {
        return Ok(runs);
    }
    let answer = link.ask(&json::map([("op", Value::from("cancel")), ("ids", Value::List(ids))]))?;
    let mut never = Vec::new();
    for one in answer.list("runs").unwrap_or_default() {
        let Some(id) = one.str("id") else { continue };
        if one.str("did") == Some("never") {
            never.push(id.to_string());
        }
        if let Some(trouble) = one.str("trouble") {
            cli::warn(&format!("{}: {}", host.name, nn::base::text::escape(trouble)));
        }
    }
    let (never, rest): (Vec<There>, Vec<There>) = runs.into_iter().partition(|(_, id)| never.contains(id));
    for (token, _) in never {
        ended(spool, &token, &State::Cancelled, lines)?;
    }
    Ok(rest)
}

fn ended(spool: &Spool, token: &Token, end: &State, lines: &mut Vec<String>) -> Result<()> {
    let to = token.to(end.clone());
    let mut details = json::map([("generation", Value::from(token.generation))]);
    details.extend(&to.outcome());
    herald(spool, token.run, "ended", &details);
    if fetch::finish(spool, token, end)? {
        lines.push(match end {
            State::Failed(how) => format!("{}\t{}\t{}", token.run, to.folder().name(), how.words()),
            _ => format!("{}\t{}", token.run, to.folder().name()),
        });
    }
    Ok(())
}

/// Nobody knows how a run ended.
fn lost(spool: &Spool, token: &Token, evidence: &str, lines: &mut Vec<String>) -> Result<()> {
    let end = State::Failed(How::Lost);
    let result = json::map([("evidence", Value::from(evidence)), ("ended", Time::now().into())]);
    spool.write_result(token, &end, &result)?;
    ended(spool, token, &end, lines)
}

/// A run that a host certainly never runs under its id: back to the queue.
///
/// # Errors
/// It is unknown whether it was done.
pub fn back(spool: &Spool, token: &Token, why: &str) -> Result<()> {
    if handover::give_back(spool, token)?.is_some() {
        let details = json::map([("from", Value::from(token.name())), ("why", why.into())]);
        let _ = spool.event(token.run, false, "refused", details);
    }
    Ok(())
}

/// A person's word that a host is gone for good: its runs are queued again while they have retries left, else they are
/// lost. None: it has none.
///
/// # Errors
/// It answered a moment ago; or something cannot be written.
pub fn give_up(spool: &Spool, host: &str) -> Result<Option<Vec<String>>> {
    let Some(runs) = at_hosts(spool)?.remove(host) else { return Ok(None) };
    let reach = Reach::of(spool, host);
    if reach.trouble().is_none() && reach.reached().is_some_and(|t| Time::now().since(t) < LEASE) {
        return Err(Error::other(format!("{host} answered less than 90 seconds ago")));
    }
    let mut lines = Vec::new();
    for (token, _) in runs {
        let (next, _) = attempts(spool, token.run);
        let is_retried = spool.job(token.run).is_ok_and(|job| job.is_retried((next - 1).max(1), How::Lost));
        if spool.run_dir(token.run).join("cancel").exists() {
            ended(spool, &token, &State::Cancelled, &mut lines)?;
        } else if is_retried {
            back(spool, &token, &format!("a person said that {host} is dead"))?;
            lines.push(format!("{}\tqueued again", token.run));
        } else {
            lost(spool, &token, &format!("a person said that {host} is dead"), &mut lines)?;
        }
    }
    Ok(Some(lines))
}
