//! sync: asks the engines what became of the runs they have, brings the spool up to date, and hands over again what was
//! interrupted.

use crate::adopt;
use crate::host;
use crate::runs::Refused;
use crate::submit;
use nn::base::args::{Arg, Args};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::Result;
use nn::cluster::engine::{self, Engine};
use nn::cluster::sync::{self, Synced};
use nn::spool::store::Spool;

/// Asks, and does what follows. A run of which nothing is known is no failure; it is told.
pub fn sync(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let mut ending = None;
    while let Some(arg) = args.next()? {
        match arg {
            // For nn-run at the end of its own job, which the engine still takes for running.
            Arg::Long(name) if name == "ending" => ending = Some(args.text()?),
            arg => return Err(arg.unexpected()),
        }
    }
    let spool = Spool::find()?;
    let config = spool.config()?;
    for name in engine::NAMES {
        if let Some(engine) = engine::by_name(name, &config) {
            one(&spool, engine.as_ref(), ending.as_deref(), out)?;
        }
    }
    if ending.is_none() {
        let synced = host::sync::sync(&spool, None)?;
        for line in synced.lines {
            writeln!(out, "{line}")?;
        }
        synced.troubles.iter().for_each(cli::complain);
    }
    Ok(Exit::DONE)
}

fn one(spool: &Spool, engine: &dyn Engine, ending: Option<&str>, out: &mut Out) -> Result<()> {
    let Synced { changed, again, unknown } = sync::sync(spool, engine, &adopt::runner()?, ending)?;
    for (run, what) in changed {
        writeln!(out, "{run}\t{what}")?;
    }
    let mut refused = Refused::default();
    submit::tell(spool, engine.name(), &again, &mut refused, out)?;
    refused.complain("submit");
    let mut unsure = Refused::default();
    unknown.into_iter().for_each(|(run, why)| unsure.add(run, why));
    unsure.lines().for_each(|line| cli::tell(&format!("nothing is known of {line}")));
    Ok(())
}
