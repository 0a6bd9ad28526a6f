//! work: the local worker. It claims runs and starts an nn-run for each, waits for signals, and does nothing else: what
//! happens to a run is the matter of its nn-run, so that runs outlive their worker.
//!
//! One loop: write the heartbeat when due; reap what has ended; mend what others left, now and then; claim and start while
//! slots are free; sleep until a child ends, a signal comes, or the next of these is due. The queue is looked at when a
//! slot becomes free, and every other second while one is. Nothing is claimed while the own heartbeat cannot be written.

mod bar;
mod breaker;
mod children;
mod choose;
mod chooser;
mod detach;
mod gpus;
mod host;
mod processes;
mod syncing;
mod telling;
mod view;
mod worker;

use gpus::Choice;
use nn::base::args::{Arg, Args};
use nn::base::cli::{Exit, Out};
use nn::base::error::{Error, Result};
use nn::spool::store::Spool;

/// What `work` was asked.
#[derive(Debug, Default)]
pub struct Opts {
    slots: Option<u32>,
    gpus: Option<(String, Choice)>,
    forever: bool,
    detach: bool,
    quiet: bool,
}

/// Most slots that make sense on one machine.
const MOST_SLOTS: u32 = 1024;

/// Runs what is queued.
pub fn work(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let mut opts = Opts::default();
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Short('j') => opts.slots = Some(args.with("a number of slots from 1 to 1024", slots)?),
            Arg::Long(name) if name == "slots" => {
                opts.slots = Some(args.with("a number of slots from 1 to 1024", slots)?)
            }
            Arg::Long(name) if name == "gpus" => {
                let choice = |text: &str| Some((text.to_string(), Choice::parse(text)?));
                opts.gpus = Some(args.with("'all', 'none', or numbers or UUIDs with commas between them", choice)?);
            }
            Arg::Long(name) if name == "forever" => opts.forever = true,
            Arg::Long(name) if name == "detach" => opts.detach = true,
            Arg::Short('q') => opts.quiet = true,
            Arg::Long(name) if name == "quiet" => opts.quiet = true,
            arg => return Err(arg.unexpected()),
        }
    }
    let spool = Spool::find()?;
    let configured = spool.config()?.number("slots")?;
    let slots = match (opts.slots, configured) {
        (Some(slots), _) => slots,
        (None, Some(n)) => {
            slots(&n.to_string()).ok_or_else(|| Error::other(format!("setting slots: {n} is not from 1 to 1024")))?
        }
        (None, None) => 1,
    };
    if opts.detach {
        return detach::start(&spool, slots, &opts, out);
    }
    detach::settle()?;
    worker::Worker::new(spool, slots as usize, &opts)?.work()
}

fn slots(text: &str) -> Option<u32> {
    text.parse().ok().filter(|n| (1..=MOST_SLOTS).contains(n))
}
