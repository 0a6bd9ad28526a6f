//! nn-watch: see what runs, judge how it goes; judge any log
//!
//! Live on a terminal: hosts, runs, their progress and curves, and one run in full; `--once` prints the same as records.
//! `--events` prints what happened to runs, in order, `why` says what a run's time goes into, and a log of any program is
//! judged when it is named in place of a run.
//!
//! The model (model.rs) reads only what is new: the names of tokens, the ends of histories and events. What is shown is
//! made from it anew each time (row.rs, layout.rs, screen.rs, detail.rs).

mod cursor;
mod detail;
mod events;
mod fresh;
mod hosts;
mod keys;
mod layout;
mod log;
mod model;
mod once;
mod row;
mod screen;
mod spark;
mod tick;
mod why;

use nn::base::args::{Arg, Args};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Error, Result};
use std::ffi::OsString;
use std::process::ExitCode;

const USAGE: &str = "
usage: nn-watch [-a] [--once] [--json] [RUNS]
       nn-watch --events [-f] [RUNS]
       nn-watch [--tick] [--new]
       nn-watch why RUN
       nn-watch [-f] [--json] [-p TEMPLATE]... [--rule RULE]... FILE|-

See what runs, and what is said of it: live on a terminal. Or judge a log.

  -a, --all      also runs that have ended
      --once     print it once, as records
      --json     the same as JSON, one object a run
      --events   print what happened to runs, as JSON lines
      --tick     one pass: mend what a crash left, note what hangs or runs short, have it told
      --new      print what happened since the last such call, as JSON lines
  -f, --follow   and what happens from now on
  -p, --pattern TEMPLATE  how values stand in a line of the log: 'Epoch {epoch}: loss {loss}'
      --rule RULE         'warn|stop if CONDITION', beside what is looked for anyway
  -h, --help     print this
  -V, --version  print the version

  q quit   arrows choose   Enter one run   s sort   / filter
";

fn main() -> ExitCode {
    cli::main("nn-watch", USAGE, run)
}

/// What was asked on the command line.
#[derive(Default)]
pub struct Opts {
    all: bool,
    once: bool,
    json: bool,
    events: bool,
    follow: bool,
    tick: bool,
    new: bool,
    patterns: Vec<String>,
    rules: Vec<String>,
    runs: Vec<OsString>,
}

fn run(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let opts = parse(args)?;
    if opts.tick || opts.new {
        return tick::pass(opts.tick, opts.new, out);
    }
    if is_log(&opts) {
        return log::judge(opts, out);
    }
    if opts.events {
        return events::print(opts, out);
    }
    if opts.runs.first().is_some_and(|word| word == "why") {
        return why::explain(opts, out);
    }
    let is_live = out.is_terminal() && !is_dumb() && !opts.once && !opts.json;
    if is_live { screen::live(opts, out) } else { once::print(opts, out) }
}

/// Whether the terminal, by its name, does not know of lines and columns.
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb")
}

fn parse(args: &mut Args) -> Result<Opts> {
    let mut opts = Opts::default();
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Short('a') => opts.all = true,
            Arg::Short('f') => opts.follow = true,
            Arg::Short('p') => opts.patterns.push(args.text()?),
            Arg::Long(name) => match name.as_str() {
                "all" => opts.all = true,
                "once" => opts.once = true,
                "json" => opts.json = true,
                "events" => opts.events = true,
                "follow" => opts.follow = true,
                "tick" => opts.tick = true,
                "new" => opts.new = true,
                "pattern" => opts.patterns.push(args.text()?),
                "rule" => opts.rules.push(args.text()?),
                _ => return Err(Arg::Long(name).unexpected()),
            },
            Arg::Value(value) => opts.runs.push(value),
            arg => return Err(arg.unexpected()),
        }
    }
    let is_of_log = !opts.patterns.is_empty() || !opts.rules.is_empty();
    match &opts {
        opts if opts.tick || opts.new => {
            match opts.all || opts.once || opts.json || opts.follow || is_of_log || !opts.runs.is_empty() {
                true => Err(Error::usage("--tick and --new are about the whole spool: they take nothing else")),
                false => Ok(()),
            }
        }
        opts if is_log(opts) && (opts.all || opts.once || opts.events) => {
            Err(Error::usage("a log is judged: it takes --follow, --json, --pattern and --rule"))
        }
        opts if is_log(opts) => Ok(()),
        _ if is_of_log => Err(Error::usage("--pattern and --rule go with a log: name a file that is there, or '-'")),
        Opts { follow: true, events: false, .. } => Err(Error::usage("--follow goes with --events, or with a log")),
        Opts { events: true, once, all, json, .. } if *once || *all || *json => {
            Err(Error::usage("--events prints all that is on record of the runs, as JSON: it takes --follow alone"))
        }
        _ => Ok(()),
    }?;
    Ok(opts)
}

/// Whether what is named is no run.
fn is_log(opts: &Opts) -> bool {
    opts.runs.iter().any(|operand| log::is_log(operand))
}
