//! nn-run: run one experiment and record everything about it
//!
//! 1. Make a run, claimed by this process, or take over one that a worker claimed.
//! 2. Begin to ask git; move the token to started, on disk: the fence. If it is lost, run nothing.
//! 3. Start the command in a process group of its own, its output straight into runs/N/log: there is no pipe that could
//!    slow it down, and it survives the death of this process.
//! 4. Until it ends: wait for signals and time; read what the log has grown by; turn it into history.
//! 5. End what is left of it, write result.json, move the token to its last folder.
//!
//! 6. A run of its own making that may be run again: from 2, after a pause.
//!
//! One thread, woken by signals and at most a few times a second.

mod adopt;
mod batch;
mod command;
mod end;
mod engine;
mod follow;
mod judge;
mod keep;
mod news;
mod prepare;
mod profile;
mod room;
mod sampler;
mod told;
mod verdict;
mod watch;
mod weights;

use end::Next;
use prepare::Plan;

use nn::base::args::{Arg, Args};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Error, Result};
use nn::base::json::Value;
use nn::base::sys;
use nn::base::time::parse_duration;
use nn::record::checkpoint::Keep;
use nn::record::pattern::Pattern;
use nn::spool::job::parse_param;
use nn::spool::notify;
use nn::spool::rule::Rule;
use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "
usage: nn-run [-q] [-n NAME] [-g GROUP] [-p KEY=VALUE]... [--note TEXT] [--tag TAG]...
              [--time DURATION] [--finish-up DURATION] [--grace DURATION]
              [--retries N] [--checkpoint GLOB] [--keep-checkpoints RULE] [--weights GLOB]
              [--pattern TEMPLATE]... [--metrics GLOB] [--profile PROFILER]
              [--rule RULE]... [--notify KINDS]
              [--] COMMAND [ARGUMENT]...
       nn-run [-q] [--grace DURATION] --resume RUN
       nn-run [-q] [--grace DURATION] --claimed TOKEN
       nn-run [-q] [--grace DURATION] --claim RUN.GENERATION
       nn-run [-q] [--grace DURATION] --adopt TOKEN

  -n, --name NAME        name of the run
  -g, --group GROUP      the sweep or other set it belongs to
  -p, --param KEY=VALUE  a parameter, for the record and as NN_PARAM_KEY
      --note TEXT        a note
      --tag TAG          a tag
      --time DURATION    end the command after this time
      --finish-up DURATION  send it USR1 so long before, to save and leave
      --grace DURATION   time between TERM and KILL (default 30s)
      --retries N        run it again after a failure, at most N times
      --checkpoint GLOB  what it saves, to be resumed from
      --keep-checkpoints last=K,best=METRIC[:max]  remove the others
      --weights GLOB     record the norms of the layers in such checkpoints
      --pattern TEMPLATE read the log by this template, see nn-log(1)
      --metrics GLOB     also read these CSV or JSON-lines files, which the command writes
      --profile PROFILER python, theano, perf, or words to put before the command
      --rule 'warn|stop|mail|run CMD if CONDITION'  what to do when
      --notify KINDS     failed, finished, warning: what is told by mail; or none
  -q, --quiet            do not print the log
      --resume RUN       go on with a run that has ended or waits
      --claimed TOKEN    run what a worker claimed under this token
      --claim RUN.GENERATION  in a job of an engine: run what was submitted
      --adopt TOKEN      follow the command of a run whose nn-run was killed
";

/// Own failures have a status that commands seldom use, as those of env(1) and timeout(1).
const FAILED: Exit = Exit(125);

fn main() -> ExitCode {
    cli::main_failing_as(FAILED, "nn-run", USAGE, run)
}

/// What was asked on the command line.
#[derive(Default)]
pub struct Opts {
    name: Option<String>,
    group: Option<String>,
    params: Vec<(String, Value)>,
    note: Option<String>,
    tags: Vec<String>,
    time: Option<String>,
    finish_up: Option<String>,
    retries: Option<u32>,
    checkpoint: Option<String>,
    weights: Option<String>,
    keep: Option<String>,
    grace: Option<Duration>,
    patterns: Vec<String>,
    metrics: Option<String>,
    rules: Vec<String>,
    notify: Option<String>,
    profile: Option<String>,
    quiet: bool,
    claimed: Option<String>,
    claim: Option<String>,
    adopt: Option<String>,
    resume: Option<String>,
    command: Vec<OsString>,
}

fn run(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let opts = parse(args)?;
    // Before anything can be started: whatever the command leaves behind becomes a child of this process.
    let orphans_come_here = sys::become_subreaper();
    if let Err(err) = orphans_come_here {
        cli::warn(&format!("processes that leave the command's group cannot be found: {err}"));
    }
    if let Some(token) = opts.adopt.clone() {
        return adopt::adopt(opts, &token, out);
    }
    let mut attempt = match prepare::prepare(opts)? {
        Plan::Start(attempt) => attempt,
        Plan::Leave(exit) => return Ok(exit),
    };
    loop {
        match watch::run(*attempt, out)? {
            Next::Ended(exit) => return Ok(exit),
            Next::Again(next) => attempt = next,
        }
    }
}

fn parse(args: &mut Args) -> Result<Opts> {
    let mut opts = Opts::default();
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Value(first) => {
                opts.command = args.rest_from(first);
                break;
            }
            Arg::Short('q') => opts.quiet = true,
            Arg::Short('n') => opts.name = Some(args.text()?),
            Arg::Short('g') => opts.group = Some(args.text()?),
            Arg::Short('p') => opts.params.push(parse_param(&args.text()?).map_err(Error::usage)?),
            Arg::Long(name) => long(&mut opts, args, &name)?,
            arg => return Err(arg.unexpected()),
        }
    }
    check(&opts)?;
    Ok(opts)
}

fn long(opts: &mut Opts, args: &mut Args, name: &str) -> Result<()> {
    let duration = |args: &mut Args| {
        args.with("a duration such as 90s or 2h30m", |t| parse_duration(t).map(|d| (t.to_string(), d)))
    };
    match name {
        "quiet" => opts.quiet = true,
        "name" => opts.name = Some(args.text()?),
        "group" => opts.group = Some(args.text()?),
        "param" => opts.params.push(parse_param(&args.text()?).map_err(Error::usage)?),
        "note" => opts.note = Some(args.text()?),
        "tag" => opts.tags.push(args.text()?),
        "time" => opts.time = Some(duration(args)?.0),
        "grace" => opts.grace = Some(duration(args)?.1),
        "pattern" => {
            let text = args.text()?;
            Pattern::parse(&text).map_err(Error::usage)?;
            opts.patterns.push(text);
        }
        "metrics" => opts.metrics = Some(args.text()?),
        "rule" => {
            let text = args.text()?;
            Rule::parse(&text).map_err(Error::usage)?;
            opts.rules.push(text);
        }
        "notify" => {
            let text = args.text()?;
            notify::parse(&text).map_err(|what| Error::usage(format!("--notify: {what}")))?;
            opts.notify = Some(text);
        }
        "finish-up" => opts.finish_up = Some(duration(args)?.0),
        "retries" => opts.retries = Some(args.parse("a whole number")?),
        "checkpoint" => opts.checkpoint = Some(args.text()?),
        "weights" => opts.weights = Some(args.text()?),
        "keep-checkpoints" => {
            let text = args.text()?;
            Keep::parse(&text).map_err(|what| Error::usage(format!("--keep-checkpoints: {what}")))?;
            opts.keep = Some(text);
        }
        "profile" => opts.profile = Some(args.text()?),
        "adopt" => opts.adopt = Some(args.text()?),
        "claim" => opts.claim = Some(args.text()?),
        "claimed" => opts.claimed = Some(args.text()?),
        "resume" => opts.resume = Some(args.text()?),
        name => return Err(Arg::Long(name.to_string()).unexpected()),
    }
    Ok(())
}

fn check(opts: &Opts) -> Result<()> {
    let texts = [
        &opts.name,
        &opts.group,
        &opts.note,
        &opts.time,
        &opts.finish_up,
        &opts.checkpoint,
        &opts.keep,
        &opts.profile,
        &opts.metrics,
        &opts.notify,
        &opts.weights,
    ];
    let described = texts.iter().any(|text| text.is_some()) || opts.retries.is_some();
    let described = described
        || !opts.params.is_empty()
        || !opts.tags.is_empty()
        || !opts.patterns.is_empty()
        || !opts.rules.is_empty();
    let of_spool =
        [("--claimed", &opts.claimed), ("--claim", &opts.claim), ("--resume", &opts.resume), ("--adopt", &opts.adopt)];
    let of_spool: Vec<&str> = of_spool.iter().filter(|(_, run)| run.is_some()).map(|(name, _)| *name).collect();
    let given = match of_spool.as_slice() {
        [] if opts.command.is_empty() => return Err(Error::usage("which command?")),
        [] => return Ok(()),
        [given] => given,
        [one, other, ..] => return Err(Error::usage(format!("{one} and {other}: one of them"))),
    };
    if !opts.command.is_empty() {
        return Err(Error::usage(format!("{given} takes the command from the spool")));
    }
    if described {
        return Err(Error::usage(format!("{given} takes name, parameters and limits from the spool")));
    }
    Ok(())
}
