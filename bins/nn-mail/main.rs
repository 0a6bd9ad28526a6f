//! nn-mail: send what happened, with the curve, by SMTP
//!
//! A message is written into the spool first (mail/new), durably, and then sent; what cannot be sent now is kept and tried
//! again by whoever says --flush, cron for instance. A message is text that can be read alone; with a run it carries its
//! curve, in ASCII in the text and as a picture in HTML, drawn by nn-plot, and belongs to the run's thread. What happened to
//! runs (--events) is told the same way, each thing once, together what belongs together (events.rs).

mod check;
mod events;
mod letter;
mod list;
mod report;
mod send;
mod setup;
mod template;

use nn::base::args::{Arg, Args};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Error, Result};
use nn::mail::message::Address;
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "
usage: nn-mail [-s SUBJECT] [-a FILE]... [-r RUN] [--later] [TO...]
       nn-mail --events [--later] [TO...]
       nn-mail --flush [--all]
       nn-mail --list [--all] [--json]
       nn-mail --print [--raw] [MESSAGE]
       nn-mail --test [TO]
       nn-mail --setup

Sends what it reads; without TO to mail.to of the settings.

  -s, --subject TEXT  what it is about
  -a, --attach FILE   attach this file
  -r, --run RUN       with the curve of this run, in its thread
      --later         only keep it for --flush
      --events        read events, tell what a person wants to know, and send what is due
      --flush         send what is kept and due; with --all also what is not due
      --list          what is kept or failed; with --all also what was sent
      --json          one JSON object a line
      --print         show a message: this one, or the newest that is kept
      --raw           as it goes out
      --test          show the dialogue with the server; with TO also send a message
      --setup         ask for what is needed, try it, and write the settings
  -h, --help          print this
  -V, --version       print the version

Exit status: 0 sent or kept, 1 there is no message, 2 failure, 75 some cannot be sent now.
";

fn main() -> ExitCode {
    cli::main("nn-mail", USAGE, run)
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Mode {
    #[default]
    Send,
    Events,
    Flush,
    List,
    Print,
    Test,
    Setup,
}

/// What is on the command line.
#[derive(Debug, Default)]
pub struct Opts {
    mode: Mode,
    subject: Option<String>,
    files: Vec<PathBuf>,
    run: Option<String>,
    later: bool,
    all: bool,
    json: bool,
    raw: bool,
    operands: Vec<String>,
}

fn run(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let opts = parse(args)?;
    match opts.mode {
        Mode::Send => send::send(&opts, addresses(&opts.operands)?),
        Mode::Events => events::events(&opts, addresses(&opts.operands)?),
        Mode::Flush => send::flush(&opts, out),
        Mode::List => list::list(&opts, out),
        Mode::Print => list::print(&opts, out),
        Mode::Test => check::test(addresses(&opts.operands)?, out),
        Mode::Setup => setup::setup(out),
    }
}

fn parse(args: &mut Args) -> Result<Opts> {
    let mut opts = Opts::default();
    let mut given: Vec<String> = Vec::new();
    while let Some(arg) = args.next()? {
        match &arg {
            Arg::Short(c) => given.push(format!("-{c}")),
            Arg::Long(name) => given.push(format!("--{name}")),
            Arg::Value(_) => {}
        }
        match arg {
            Arg::Value(value) => {
                let text = value.into_string();
                opts.operands.push(text.map_err(|v| Error::usage(format!("'{}' is not UTF-8", v.to_string_lossy())))?);
            }
            Arg::Short('s') => opts.subject = Some(args.text()?),
            Arg::Short('a') => opts.files.push(args.value()?.into()),
            Arg::Short('r') => opts.run = Some(args.text()?),
            Arg::Long(name) => match name.as_str() {
                "subject" => opts.subject = Some(args.text()?),
                "attach" => opts.files.push(args.value()?.into()),
                "run" => opts.run = Some(args.text()?),
                "later" => opts.later = true,
                "all" => opts.all = true,
                "json" => opts.json = true,
                "raw" => opts.raw = true,
                "events" => opts.mode = one(opts.mode, Mode::Events)?,
                "flush" => opts.mode = one(opts.mode, Mode::Flush)?,
                "list" => opts.mode = one(opts.mode, Mode::List)?,
                "print" => opts.mode = one(opts.mode, Mode::Print)?,
                "test" => opts.mode = one(opts.mode, Mode::Test)?,
                "setup" => opts.mode = one(opts.mode, Mode::Setup)?,
                _ => return Err(Arg::Long(name).unexpected()),
            },
            arg => return Err(arg.unexpected()),
        }
    }
    fits(&opts, &given)?;
    Ok(opts)
}

fn one(before: Mode, now: Mode) -> Result<Mode> {
    if before == Mode::Send || before == now {
        return Ok(now);
    }
    Err(Error::usage("one of --events, --flush, --list, --print, --test and --setup at a time"))
}

/// Options of one mode say nothing in another.
fn fits(opts: &Opts, given: &[String]) -> Result<()> {
    let (own, operands): (&[&str], usize) = match opts.mode {
        Mode::Send => (&["-s", "--subject", "-a", "--attach", "-r", "--run", "--later"], usize::MAX),
        Mode::Events => (&["--events", "--later"], usize::MAX),
        Mode::Flush => (&["--flush", "--all"], 0),
        Mode::List => (&["--list", "--all", "--json"], 0),
        Mode::Print => (&["--print", "--raw"], 1),
        Mode::Test => (&["--test"], 1),
        Mode::Setup => (&["--setup"], 0),
    };
    if let Some(option) = given.iter().find(|option| !own.contains(&option.as_str())) {
        let mode = if opts.mode == Mode::Send { "a message to send" } else { own.first().unwrap_or(&"") };
        return Err(Error::usage(format!("option '{option}' does not go with {mode}")));
    }
    match opts.operands.get(operands) {
        Some(operand) => Err(Error::usage(format!("unexpected argument '{operand}'"))),
        None => Ok(()),
    }
}

fn addresses(operands: &[String]) -> Result<Vec<Address>> {
    let lists = operands.iter().map(|text| Address::parse_list(text).map_err(Error::Usage));
    Ok(lists.collect::<Result<Vec<_>>>()?.concat())
}
