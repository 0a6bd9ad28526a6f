//! What the verbs need of engines beside submit and sync: what they say of the runs they have, for people; and that jobs
//! are let go whose runs were taken back. A job that cannot be let go now finds no run when it starts, and ends at once.

use nn::base::cli;
use nn::base::error::Result;
use nn::cluster::batch::Id;
use nn::cluster::engine::{self, Fate};
use nn::cluster::ssh::host::is_host;
use nn::cluster::ssh::record::{Reach, Record};
use nn::cluster::sync;
use nn::spool::reported::Reported;
use nn::spool::state::{State, Token};
use nn::spool::store::Spool;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// A person who only looks waits no longer for an engine.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is to be said of each submitted run among these; nothing is asked when there is none.
///
/// # Errors
/// The settings are wrong.
pub fn notes(spool: &Spool, tokens: &[&Token]) -> Result<HashMap<u64, String>> {
    let submitted: Vec<Token> =
        tokens.iter().filter(|token| matches!(token.state, State::Submitted(..))).map(|t| (*t).clone()).collect();
    let fates = if submitted.is_empty() { HashMap::new() } else { sync::fates(spool, &submitted, PATIENCE)? };
    let note = |token: &Token| {
        let State::Submitted(engine, id) = &token.state else { return None };
        if is_host(engine) {
            return Some((token.run, Reach::of(spool, engine).words(engine, &Record::of(spool, token.run))));
        }
        if token.reported().is_some() {
            return Some((token.run, Reported::of(spool, token.run).words()));
        }
        let fate = fates.get(&token.run);
        Some((token.run, format!("{engine}{}", words(&Id::parse(id), fate))))
    };
    Ok(submitted.iter().filter_map(note).collect())
}

fn words(id: &Id, fate: Option<&std::result::Result<Fate, String>>) -> String {
    match id {
        Id::Sending(..) => ": being handed over".into(),
        Id::Again(job) => format!(" {job}: interrupted, to be handed over again ('nn-queue sync')"),
        Id::Job(job) => {
            let said = match fate {
                Some(Ok(Fate::Waiting(reason))) if reason.is_empty() || reason == "None" => "waits".into(),
                Some(Ok(Fate::Waiting(reason))) => format!("waits, {reason}"),
                Some(Ok(Fate::Running)) => "starts".into(),
                Some(Ok(Fate::TakenBack)) => "was taken back, and is about to go".into(),
                Some(Ok(Fate::Ended(end))) => format!("{} before the run began ('nn-queue sync')", end.words()),
                Some(Ok(Fate::Gone)) => "is not known there any more ('nn-queue sync')".into(),
                Some(Err(why)) => format!("unknown: {why}"),
                None => "unknown".into(),
            };
            format!(" {job}: {said}")
        }
    }
}

/// Lets the jobs of runs go that are not their engine's any more, by one call for each engine.
///
/// # Errors
/// The settings are wrong. What an engine refuses is told, and is no failure.
pub fn let_go<'a>(spool: &Spool, tokens: impl Iterator<Item = &'a Token>) -> Result<()> {
    let mut jobs: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for token in tokens {
        if let State::Submitted(engine, id) = &token.state
            && let Id::Job(job) = Id::parse(id)
        {
            jobs.entry(engine).or_default().push(job);
        }
    }
    if jobs.is_empty() {
        return Ok(());
    }
    let config = spool.config()?;
    for (name, ids) in jobs {
        let Some(engine) = engine::by_name(name, &config) else { continue };
        if let Err(err) = engine.cancel(&ids) {
            cli::warn(&format!("{err}: its jobs stay there, and will find nothing to run: {}", ids.join(" ")));
        }
    }
    Ok(())
}

/// Whether a run can be taken back from where it was submitted: what is there has not started, and is kept from it.
///
/// # Errors
/// The settings are wrong.
pub fn is_engine(spool: &Spool, name: &str) -> Result<bool> {
    Ok(engine::by_name(name, &spool.config()?).is_some())
}
