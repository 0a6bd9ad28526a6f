//! nn-log: record variables of interest from any language, or out of log lines
//!
//! `nn-log epoch=3 cost=0.12` appends one point to the run's `history.HOST.jsonl`. `nn-log -` reads lines and appends
//! what the recognisers, or the templates given with --pattern, find in them, as it comes; it never ends before its
//! input does, for a trainer may stand before it in the pipe. Counters beside the `-` hold where the lines tell of none. `nn-log --try FILE` shows what would be found, with the
//! line and the recogniser that found it, and records nothing. `nn-log export` gives what is recorded, `nn-log import` takes
//! what other tools recorded.

mod export;
mod http;
mod import;
mod progress;
mod report;
mod script;

use nn::base::args::{Arg, Args};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Doing, Error, Result};
use nn::base::json::Value;
use nn::base::sys;
use nn::base::table::{Cell, Format, Table};
use nn::base::text::escape;
use nn::base::time::Time;
use nn::record::history::{COUNTERS, Point, Writer, file_of_host, write_number};
use nn::record::metrics::{Extractor, Found};
use nn::record::pattern::Pattern;
use nn::spool::select::select_one;
use nn::spool::store::Spool;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "
Usage: nn-log [-r RUN] NAME=VALUE...
       nn-log [-r RUN] [-p TEMPLATE]... - [COUNTER=N]...
       nn-log --try [--json] [-p TEMPLATE]... FILE|-
       nn-log export [--csv|--json|--tensorboard DIR|--sacred DIR] RUNS
       nn-log import [--sacred DIR...] [--tensorboard DIR...] [--mlflow DIR...] [--csv FILE...] [--log FILE...]
              [-p TEMPLATE]... [-g GROUP] [--tag TAG]... [--new|--again]
       nn-log start [-n NAME] [-g GROUP] [--param KEY=VALUE]... [--note TEXT] [--tag TAG]...
                    [--server URL]
       nn-log progress [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--server URL]
       nn-log finish [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--status N]
                     [--server URL]
       nn-log report [--server URL] [RUNS]

Record variables of interest from any language, or out of log lines.

  -r, --run RUN           the run; without it the one this is called in
  -p, --pattern TEMPLATE  how values stand in a line: 'Epoch {epoch}: loss {loss}'
      --try               show what would be recorded, and record nothing
      --json              with --try: one JSON object a value
      --csv               export CSV instead of JSON lines; import such files
      --tensorboard DIR   export for TensorBoard; import what was logged for it
      --sacred DIR        export as Sacred's files; import such
      --mlflow DIR        import the file store of MLflow
      --new, --again      import: leave out what is here already; import it once more
  -n, --name NAME         start: what the run is called; else as the batch job is
  -g, --group GROUP       start, import: the set it belongs to
      --param KEY=VALUE   start: a parameter
      --note TEXT         start: a note
      --tag TAG           start, import: a tag
      --log FILE...       read what is new in these logs; import them, a run each
      --data FILE...      read what is new in these files of CSV, JSON or JSON lines
      --status N          finish: how it ended, as in $?
      --server URL        report the run to the nn-web there, too
  -h, --help              print this
  -V, --version           print the version
";

/// Silence on the input after which what was found is written.
const PAUSE: Duration = Duration::from_millis(100);
/// Longest name of a value, bytes.
const LONGEST_NAME: usize = 200;

fn main() -> ExitCode {
    cli::main("nn-log", USAGE, run)
}

/// What takes the rest of the line.
type Verb = fn(&mut Args, &mut Out) -> Result<Exit>;

const VERBS: [(&str, Verb); 6] = [
    ("export", export::export),
    ("import", import::import),
    ("start", script::start),
    ("progress", script::progress),
    ("finish", script::finish),
    ("report", report::report),
];

#[derive(Default)]
struct Opts {
    run: Option<String>,
    patterns: Vec<Pattern>,
    only_try: bool,
    json: bool,
    /// Does all that follows
    verb: Option<Verb>,
    operands: Vec<OsString>,
}

fn run(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let opts = options(args)?;
    if let Some(verb) = opts.verb {
        return verb(args, out);
    }
    if opts.only_try {
        return show(opts, out);
    }
    if opts.operands.iter().any(|operand| operand == "-") {
        return follow(opts);
    }
    let mut point = point(&opts.operands)?;
    point.t = Some(Time::now());
    let mut writer = Writer::open(history(opts.run.as_deref())?)?;
    writer.add(&point)?;
    writer.flush()?;
    Ok(Exit::DONE)
}

fn options(args: &mut Args) -> Result<Opts> {
    let mut opts = Opts::default();
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Short('r') => opts.run = Some(args.text()?),
            Arg::Long(name) if name == "run" => opts.run = Some(args.text()?),
            Arg::Short('p') => opts.patterns.push(Pattern::parse(&args.text()?).map_err(Error::Usage)?),
            Arg::Long(name) if name == "pattern" => {
                opts.patterns.push(Pattern::parse(&args.text()?).map_err(Error::Usage)?);
            }
            Arg::Long(name) if name == "try" => opts.only_try = true,
            Arg::Long(name) if name == "json" => opts.json = true,
            Arg::Value(value) if opts.operands.is_empty() && VERBS.iter().any(|(name, _)| value == *name) => {
                // What follows is its own.
                opts.verb = VERBS.iter().find(|(name, _)| value == *name).map(|(_, verb)| *verb);
                break;
            }
            Arg::Value(value) => opts.operands.push(value),
            arg => return Err(arg.unexpected()),
        }
    }
    check(&opts)?;
    Ok(opts)
}

fn check(opts: &Opts) -> Result<()> {
    let input = opts.operands.iter().any(|operand| operand == "-");
    let is_verb = opts.verb.is_some();
    let wrong = match opts.operands.len() {
        _ if is_verb && (opts.only_try || opts.json || opts.run.is_some() || !opts.patterns.is_empty()) => {
            "export, import, start, progress, finish, report come first: nn-log export RUNS"
        }
        _ if is_verb => return Ok(()),
        0 if opts.only_try => "--try needs a file, or '-' for standard input",
        0 => "nothing to record: give NAME=VALUE, or '-' for lines on standard input",
        n if n > 1 && opts.only_try => "--try takes one file",
        _ if opts.only_try && opts.run.is_some() => "--try records nothing, so it takes no --run",
        _ if opts.json && !opts.only_try => "--json goes with --try",
        _ if !opts.patterns.is_empty() && !opts.only_try && !input => "--pattern goes with '-' or --try",
        _ => return Ok(()),
    };
    Err(Error::usage(wrong))
}

/// The point that operands like `epoch=3` make.
fn point(operands: &[OsString]) -> Result<Point> {
    let mut point = Point::new();
    for operand in operands {
        let text = operand.to_string_lossy();
        let Some((name, number)) = operand.to_str().and_then(|text| text.split_once('=')) else {
            return Err(Error::Usage(format!("'{text}' is not NAME=VALUE")));
        };
        if name.is_empty() || name == "t" || name.len() > LONGEST_NAME || name.contains(is_odd) {
            return Err(Error::Usage(format!("'{name}' cannot name a value")));
        }
        let Ok(value) = number.trim().parse::<f64>() else {
            return Err(Error::Usage(format!("{name}: '{number}' is not a number")));
        };
        if point.counter(name).is_some() || point.value(name).is_some() {
            return Err(Error::Usage(format!("{name} is given twice")));
        }
        if !COUNTERS.contains(&name) {
            point.push_value(name, value);
        } else if value.is_finite() {
            point.set_counter(name, value);
        } else {
            return Err(Error::Usage(format!("{name} is a counter and cannot be {number}")));
        }
    }
    if point.is_empty() {
        return Err(Error::Usage(format!("nothing but counters ({}): what was measured?", COUNTERS.join(", "))));
    }
    Ok(point)
}

fn is_odd(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

/// The file to append to: that of this host in the run's folder.
fn history(run: Option<&str>) -> Result<PathBuf> {
    let dir = match (run, std::env::var_os("NN_RUN_DIR"), std::env::var("NN_RUN")) {
        (Some(run), ..) => {
            let spool = Spool::find()?;
            spool.run_dir(select_one(&spool, run)?)
        }
        (None, Some(dir), _) if !dir.is_empty() => dir.into(),
        (None, _, Ok(run)) if !run.is_empty() => {
            let spool = Spool::find()?;
            spool.run_dir(select_one(&spool, &run)?)
        }
        _ => return Err(Error::usage("not called inside a run: name one with --run")),
    };
    Ok(dir.join(file_of_host()))
}

/// Records what is found in the lines on standard input, until its end.
fn follow(opts: Opts) -> Result<Exit> {
    let given = counters(&opts.operands)?;
    let mut writer = Writer::open(history(opts.run.as_deref())?)?;
    let mut extractor = Extractor::new(opts.patterns);
    let stdin = io::stdin();
    let mut buffer = vec![0; 1 << 16];
    let mut complained = false;
    loop {
        if !sys::wait_readable(&stdin, PAUSE) {
            let now = Time::now();
            extractor.flush(&mut |point| keep(&mut writer, at(point, &given), now, &mut complained));
            report(writer.flush(), &mut complained);
        }
        let n = match stdin.lock().read(&mut buffer) {
            Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
            read => read.doing("read", Path::new("standard input"))?,
        };
        let now = Time::now();
        let mut sink = |point: &mut Point| keep(&mut writer, at(point, &given), now, &mut complained);
        if n == 0 {
            extractor.finish(&mut sink);
            break;
        }
        extractor.feed(buffer.get(..n).unwrap_or_default(), &mut sink);
    }
    // Said once is enough; the status tells of it in any case.
    report(writer.flush(), &mut complained);
    match writer.lost() {
        0 => Ok(Exit::DONE),
        lost => Err(Error::other(format!("{lost} points could not be written"))),
    }
}

/// The counters beside the `-`.
fn counters(operands: &[OsString]) -> Result<Point> {
    let mut given = Point::new();
    let mut is_input = false;
    for operand in operands {
        let text = operand.to_string_lossy();
        if text == "-" && !is_input {
            is_input = true;
            continue;
        }
        let pair = text.split_once('=').filter(|(name, _)| COUNTERS.contains(name));
        let Some((name, number)) = pair else {
            let names = COUNTERS.join(", ");
            return Err(Error::Usage(format!(
                "'{text}': beside '-', counters only ({names}): values come from the lines"
            )));
        };
        let Some(value) = number.parse::<f64>().ok().filter(|value| value.is_finite()) else {
            return Err(Error::Usage(format!("{name}: '{number}' is not a number")));
        };
        given.set_counter(name, value);
    }
    Ok(given)
}

/// A point at the counters that were given, unless it has its own.
fn at<'a>(point: &'a mut Point, given: &Point) -> &'a mut Point {
    if point.counters().next().is_none() {
        given.counters().for_each(|(name, value)| point.set_counter(name, value));
    }
    point
}

fn keep(writer: &mut Writer, point: &mut Point, now: Time, complained: &mut bool) {
    point.t = Some(now);
    report(writer.add(point), complained);
}

/// Says once that points cannot be written: they are kept for a while, and the input is read on.
fn report(written: Result<()>, complained: &mut bool) {
    if let (Err(err), false) = (written, *complained) {
        cli::complain(&err);
        *complained = true;
    }
}

/// Shows what is found in a file.
fn show(opts: Opts, out: &mut Out) -> Result<Exit> {
    let file = opts.operands.first().cloned().unwrap_or_default();
    let is_input = file == "-";
    let path = PathBuf::from(if is_input { "standard input".into() } else { file });
    let mut input: Box<dyn Read> =
        if is_input { Box::new(io::stdin()) } else { Box::new(File::open(&path).doing("read", &path)?) };
    let mut extractor = Extractor::for_path(&path, opts.patterns);
    let mut shower = Shower::new(opts.json, out);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let n = match input.read(&mut buffer) {
            Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
            read => read.doing("read", &path)?,
        };
        if n == 0 {
            break;
        }
        extractor.feed_lines(buffer.get(..n).unwrap_or_default(), &mut |found| shower.show(found));
        if shower.failed.is_err() {
            break;
        }
        if is_input && shower.table.is_none() {
            shower.out.flush()?;
        }
    }
    extractor.finish_lines(&mut |found| shower.show(found));
    shower.finish()
}

/// Prints what is found: as it comes, or at the end as a table when a person is watching.
struct Shower<'a> {
    json: bool,
    table: Option<Table>,
    out: &'a mut Out,
    failed: Result<()>,
}

impl Shower<'_> {
    fn new(json: bool, out: &mut Out) -> Shower<'_> {
        let screen = !json && Format::detect(out) == Format::Screen;
        let table = screen.then(|| Table::new(&["line", "at", "name", "value", "by"]));
        Shower { json, table, out, failed: Ok(()) }
    }

    fn show(&mut self, found: &Found) {
        if self.failed.is_ok() {
            self.failed = if self.json { self.as_json(found) } else { self.as_words(found) };
        }
    }

    fn as_json(&mut self, found: &Found) -> Result<()> {
        let mut at = String::new();
        for (name, value) in found.point.counters() {
            let _ = write!(at, "{}\"{name}\":", if at.is_empty() { "" } else { "," });
            write_number(&mut at, value);
        }
        for (name, value) in found.point.values() {
            let mut number = String::new();
            write_number(&mut number, value);
            let name = Value::from(name);
            writeln!(self.out, "{{\"line\":{},\"at\":{{{at}}},\"name\":{name},\"value\":{number}}}", found.line)?;
        }
        Ok(())
    }

    fn as_words(&mut self, found: &Found) -> Result<()> {
        let mut at = String::new();
        for (name, value) in found.point.counters() {
            let _ = write!(at, "{}{name}=", if at.is_empty() { "" } else { " " });
            write_number(&mut at, value);
        }
        for (name, value) in found.point.values() {
            if let Some(table) = &mut self.table {
                let line = i64::try_from(found.line).unwrap_or(i64::MAX);
                table.row(vec![line.into(), at.as_str().into(), name.into(), value.into(), Cell::from(found.by)]);
                continue;
            }
            let mut number = String::new();
            write_number(&mut number, value);
            let (name, number) = (escape(name), number.trim_matches('"'));
            writeln!(self.out, "{}\t{at}\t{name}\t{number}\t{}", found.line, escape(found.by))?;
        }
        Ok(())
    }

    fn finish(self) -> Result<Exit> {
        self.failed?;
        if let Some(table) = self.table {
            table.print(self.out, Format::Screen)?;
        }
        Ok(Exit::DONE)
    }
}
