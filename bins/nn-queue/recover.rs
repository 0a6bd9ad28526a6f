//! recover: mends at once what workers mend at their start and while idle, and tells of what is no token.
//!
//! One look proves the death of processes of this host. That an owner elsewhere is silent shows only after a whole lease,
//! which `--wait` waits for. What was started on a host that is never heard again needs a person's word, and that word is
//! not taken for a host that lives or has just given a sign of life.

use crate::adopt;
use crate::host::sync::give_up;
use nn::base::args::{Arg, Args};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Error, Result};
use nn::base::files;
use nn::base::text::did_you_mean;
use nn::base::time::show_duration;
use nn::mail::news;
use nn::spool::owner::Owner;
use nn::spool::recover::{HASTE, LEASE, Mended, Recovery};
use nn::spool::state::{Folder, State};
use nn::spool::store::Spool;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Between two looks while waiting.
const LOOK: Duration = Duration::from_millis(3000 / HASTE as u64);
/// Longer than a lease, by what one look may take.
const LONG_ENOUGH: Duration = LEASE.saturating_add(LOOK.saturating_mul(3));

/// Mends what a crash left.
pub fn recover(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let (mut wait, mut dead) = (false, None);
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Long(name) if name == "wait" => wait = true,
            Arg::Long(name) if name == "host-is-dead" => dead = Some(args.text()?),
            arg => return Err(arg.unexpected()),
        }
    }
    let spool = Spool::find()?;
    if let Some(lines) = dead.as_ref().map_or(Ok(None), |place| give_up(&spool, place))? {
        for line in lines {
            writeln!(out, "{line}")?;
        }
        return Ok(Exit::DONE);
    }
    let mut recovery = match &dead {
        Some(place) => {
            check_dead(&spool, place)?;
            Recovery::knowing_dead(place)
        }
        None => Recovery::new(),
    }
    .with_runners()
    .heard_by(adopt::herald);
    let begun = Instant::now();
    loop {
        for Mended { run, what } in recovery.whole(&spool)? {
            writeln!(out, "{run}\t{what}")?;
        }
        for token in recovery.take_orphans() {
            match adopt::start_and_wait(&spool, &token) {
                Ok(true) => writeln!(out, "{}\tits nn-run died, its command goes on: adopted", token.run)?,
                Ok(false) => {}
                Err(err) => cli::complain(&err),
            }
        }
        for token in recovery.take_unread() {
            match adopt::start_and_wait_for_end(&spool, &token) {
                Ok(end) => writeln!(out, "{}\tits runner and command died: {end}", token.run)?,
                Err(err) => {
                    cli::warn(&err.to_string());
                    recovery = Recovery::new().heard_by(adopt::herald);
                }
            }
        }
        if !wait || !recovery.is_undecided() || begun.elapsed() > LONG_ENOUGH {
            break;
        }
        out.flush()?;
        std::thread::sleep(LOOK);
    }
    if let Err(err) = news::tell_if_any(&spool) {
        cli::warn(&format!("nothing is told now: {err}"));
    }
    for path in spool.strays()? {
        cli::warn(&format!("{} is no token: left alone", path.display()));
    }
    Ok(Exit::DONE)
}

/// Whether a person's word can be taken: it is about somebody who owns runs here, and is not known to live.
fn check_dead(spool: &Spool, place: &str) -> Result<()> {
    let me = Owner::me()?;
    if me.is_of(place) {
        let other = "a container or an earlier boot of it is named HOST,BOOT,NS, as in the names in running/";
        return Err(Error::other(format!("{place} is this host, and it lives ({other})")));
    }
    let mut owners: Vec<Owner> = Vec::new();
    for token in spool.tokens(Folder::Running)? {
        match token.state {
            State::Claimed(worker) => owners.push(worker),
            State::Started(worker, runner) => owners.extend([worker, runner]),
            _ => {}
        }
    }
    if !owners.iter().any(|owner| owner.is_of(place)) {
        let known: BTreeSet<&str> = owners.iter().map(|owner| owner.host.as_str()).collect();
        let near = did_you_mean(place, known.iter().copied());
        return Err(Error::other(format!("nothing in running/ is of {place}{near}")));
    }
    let hosts = spool.dir().join("hosts");
    for name in files::names(&hosts)? {
        let owner = name.to_str().and_then(Owner::parse).filter(|owner| owner.is_of(place));
        let heard = std::fs::metadata(hosts.join(&name)).and_then(|meta| meta.modified()).ok();
        // A clock that is ahead says nothing.
        let silence = heard.and_then(|at| at.elapsed().ok());
        if let (Some(owner), Some(silence)) = (owner, silence.filter(|silence| *silence < LEASE)) {
            let ago = show_duration(Duration::from_secs(silence.as_secs()));
            return Err(Error::Again(format!("{} gave a sign of life {ago} ago: it is not dead", owner.host)));
        }
    }
    Ok(())
}
