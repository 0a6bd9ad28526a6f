//! submit: hands waiting runs to hosts (host/submit.rs), or to an engine, those with equal needs as one job array. What the engine refuses stays queued,
//! and the person is told why. The steps, and what a crash between them leaves, are in nn-spool(5) and lib/cluster.

use crate::adopt;
use crate::host;
use crate::runs::{self, Refused};
use nn::base::args::{Arg, Args};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Error, Result};
use nn::cluster::batch::How;
use nn::cluster::engine::{self, Engine};
use nn::cluster::handover::{Outcome, Ready, Sender};
use nn::cluster::program;
use nn::cluster::ssh::host::Host;
use nn::spool::state::{Folder, State, Token};
use nn::spool::store::Spool;
use nn::spool::waits::Waits;
use std::collections::HashMap;
use std::ffi::OsString;

struct Opts {
    to: String,
    how: How,
    runs: Vec<OsString>,
}

/// Hands runs over; without operands, all that are queued.
pub fn submit(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let opts = parse(args)?;
    let spool = Spool::find()?;
    let config = spool.config()?;
    match engine::by_name(&opts.to, &config) {
        Some(engine) => to_engine(&spool, engine.as_ref(), opts, out),
        None if Host::is_known(&config, &opts.to)? => to_hosts(&spool, opts, out),
        None => Err(engine::unknown(&opts.to, config.hosts().keys().map(String::as_str))),
    }
}

fn parse(args: &mut Args) -> Result<Opts> {
    let (mut to, mut how, mut runs) = (None, How::default(), Vec::new());
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Long(name) if name == "to" => to = Some(args.text()?),
            Arg::Short('o') => how.options.extend(options(&args.text()?)?),
            Arg::Long(name) if name == "option" => how.options.extend(options(&args.text()?)?),
            Arg::Long(name) if name == "max-parallel" => {
                let most: usize = args.parse("a number of runs")?;
                if most == 0 {
                    return Err(Error::usage("--max-parallel 0: then none would ever start"));
                }
                how.max_parallel = Some(most);
            }
            Arg::Value(value) => runs.push(value),
            arg => return Err(arg.unexpected()),
        }
    }
    let to = to.ok_or_else(|| Error::usage(format!("say to which engine: --to {}", engine::NAMES.join(" or "))))?;
    Ok(Opts { to, how, runs })
}

fn options(text: &str) -> Result<Vec<String>> {
    program::words(text).map_err(|what| Error::usage(format!("-o {what}")))
}

/// To a host or a group of hosts.
fn to_hosts(spool: &Spool, opts: Opts, out: &mut Out) -> Result<Exit> {
    if !opts.how.options.is_empty() || opts.how.max_parallel.is_some() {
        let what = "-o and --max-parallel are for engines: what a host needs stands in its settings";
        return Err(Error::usage(format!("{what}, as slots and engine-options")));
    }
    let mut refused = Refused::default();
    let tokens = wanted(spool, opts.runs, &mut refused)?;
    let ready = ready(spool, tokens, &mut refused)?;
    if ready.is_empty() {
        return Ok(nothing(&refused));
    }
    let mut lines = Vec::new();
    let tokens = ready.into_iter().map(|ready| ready.token).collect();
    let handed = host::submit::submit(spool, &opts.to, tokens, &mut refused, &mut lines);
    for line in lines {
        writeln!(out, "{line}")?;
    }
    refused.complain("submit");
    handed.map(|()| Exit::DONE)
}

fn nothing(refused: &Refused) -> Exit {
    refused.complain("submit");
    if refused.is_empty() {
        cli::tell("nothing is queued");
        return Exit::NO;
    }
    Exit::DONE
}

fn to_engine(spool: &Spool, engine: &dyn Engine, opts: Opts, out: &mut Out) -> Result<Exit> {
    let mut refused = Refused::default();
    let tokens = wanted(spool, opts.runs, &mut refused)?;
    let ready = ready(spool, tokens, &mut refused)?;
    if ready.is_empty() {
        return Ok(nothing(&refused));
    }
    let outcome = Sender::new(spool, engine, &adopt::runner()?, opts.how)?.send(ready)?;
    tell(spool, engine.name(), &outcome, &mut refused, out)?;
    refused.complain("submit");
    Ok(Exit::DONE)
}

/// The tokens of the runs named, in their order; of all that are queued, in the order of the queue.
fn wanted(spool: &Spool, given: Vec<OsString>, refused: &mut Refused) -> Result<Vec<Token>> {
    let Some(words) = cli::operands_if_any(given)? else {
        let mut tokens = spool.tokens(Folder::Queued)?;
        tokens.sort_by_cached_key(Token::name);
        return Ok(tokens);
    };
    if words.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = runs::find(spool, words.into_iter().map(OsString::from).collect())?;
    let states: HashMap<u64, Token> = runs::states(spool, &wanted)?;
    let mut tokens = Vec::with_capacity(wanted.len());
    for run in wanted {
        match states.get(&run) {
            Some(token) if matches!(token.state, State::Queued(_)) => tokens.push(token.clone()),
            Some(token) => refused.add(run, crate::change::reason(&token.state)),
            None => refused.add(run, "it has no state"),
        }
    }
    Ok(tokens)
}

/// Those that may start, and what they want; what has to wait for other runs stays queued.
fn ready(spool: &Spool, tokens: Vec<Token>, refused: &mut Refused) -> Result<Vec<Ready>> {
    let mut waits = Waits::new(spool)?;
    let mut ready = Vec::with_capacity(tokens.len());
    for token in tokens {
        let job = match spool.job(token.run) {
            Ok(job) => job,
            Err(err) => {
                refused.add(token.run, err.to_string());
                continue;
            }
        };
        match waits.behind(&nn::spool::turn::After::of(&job))? {
            Some(behind) => refused.add(token.run, format!("it comes {}", behind.words())),
            None => ready.push(Ready { token, job }),
        }
    }
    Ok(ready)
}

/// One line a run: its number, `submitted`, and its id there; and on standard error what was refused.
///
/// # Errors
/// Standard output cannot be written.
pub fn tell(spool: &Spool, engine: &str, outcome: &Outcome, refused: &mut Refused, out: &mut Out) -> Result<()> {
    for (run, id) in &outcome.taken {
        writeln!(out, "{run}\tsubmitted\t{engine} {id}")?;
    }
    for (run, why) in &outcome.refused {
        refused.add(*run, format!("{engine}: {why}"));
        let details = nn::base::json::map([("engine", engine.into()), ("why", why.as_str().into())]);
        let _ = spool.event(*run, false, "refused", details);
    }
    for (run, why) in &outcome.unclear {
        refused.add(*run, format!("{engine}: {why}: whether it has them is unknown, 'nn-queue sync' finds out"));
    }
    Ok(())
}
