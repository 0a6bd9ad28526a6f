//! What a person is told of an owner that may not live: dead by proof, rebooted, or how long it has been silent. For people
//! only: file times and the words made of them decide nothing (spool/recover does, by its own observation).

use super::owner::{Life, Owner};
use super::recover::LEASE;
use super::store::Spool;
use crate::base::time::show_duration;
use std::time::Duration;

/// What is to be said of an owner that may not live; None: it does.
pub fn owner_note(spool: &Spool, run: u64, worker: &Owner, owner: &Owner, what: &str) -> Option<String> {
    let host = &owner.host;
    let silence = || silence(spool, run, worker, owner);
    match owner.life() {
        Life::Alive => None,
        Life::Dead => Some(format!("{what} dead: nn-queue recover")),
        Life::Rebooted if silence().is_some_and(|silence| silence < LEASE) => Some(format!("on another {host}")),
        Life::Rebooted => Some(format!("{host} was rebooted: nn-queue recover --wait")),
        Life::Unknown => Some(match silence() {
            Some(silence) if silence < LEASE => format!("on {host}"),
            Some(silence) => format!("unknown, silent for {}, on {host}", show_duration(silence)),
            None => format!("unknown, no sign of life, on {host}"),
        }),
    }
}

/// How long nothing was heard of a run's owner on another host. For people only: file times decide nothing.
fn silence(spool: &Spool, run: u64, worker: &Owner, owner: &Owner) -> Option<Duration> {
    let hosts = spool.dir().join("hosts");
    let (worker, owner) = (hosts.join(worker.to_string()), hosts.join(owner.to_string()));
    // A runner writes its heartbeat when it has run for a while.
    let signs = [worker, owner, spool.run_dir(run).join("attempt.json")];
    // A clock that is behind makes a sign of life look like one of the future.
    let age = |path| Some(std::fs::metadata(path).ok()?.modified().ok()?.elapsed().unwrap_or_default());
    signs.into_iter().filter_map(age).min()
}
