//! nn-sweep: expand a specification of experiments into one JSON job a line
//!
//! The specification is read whole, and up to a million experiments are made and checked before the first is printed: so
//! nothing comes out of one with a mistake, and experiments that repeat another are found. Beyond that they are printed as
//! they are made, in constant memory. The same specification gives the same jobs, for ever.

mod condition;
mod jobs;
mod random;
mod sheet;
mod spec;
mod sweep;
mod values;
mod words;

use jobs::{COMMAND, EXPERIMENT, Maker, fingerprint};
use nn::base::args::{Arg, Args};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Doing, Error, Result};
use nn::base::files;
use nn::base::text::escape;
use nn::spool::job::Job;
use std::collections::HashSet;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use sweep::{Setting, Sweep, Variant};

const USAGE: &str = "
usage: nn-sweep [-n] [--command TEMPLATE] [SPEC]

  -n, --dry-run       count them, and show the commands as one would type them
  --command TEMPLATE  the command of experiments that have none: 'python3 rnn.py -lr {lr}'

SPEC is a text of keys and sections, or a table (CSV, TSV) with an experiment a row; - or nothing
is standard input. Queue them: nn-sweep SPEC | nn-queue add

Keys: name command dir needs note group priority retries tags hold metrics pattern rule
Sections: [params] [grid] [zip] [random N seed=S] [repeat] [exclude] [experiment NAME : PARENT]
Values: a, b, c   1 .. 3   range LO HI STEP   linspace LO HI N   log LO HI N
Draws: uniform LO HI   loguniform LO HI   int LO HI   choice A, B, C
";

/// As many experiments are looked at before the first is printed.
const LOOKED_AHEAD: u128 = 1_000_000;

/// Repeated experiments named one by one; of more the number is told.
const NAMED: usize = 10;

fn main() -> ExitCode {
    cli::main("nn-sweep", USAGE, run)
}

#[derive(Default)]
struct Opts {
    dry: bool,
    command: Option<String>,
    /// None: standard input
    spec: Option<PathBuf>,
}

fn run(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let opts = parse(args)?;
    let sweep = load(&opts)?;
    sweep.check()?;
    let mut maker = Maker::new(&sweep, opts.spec.as_deref())?;
    let total =
        sweep.total().ok_or_else(|| Error::data(&sweep.path, 0, "these are more experiments than can be counted"))?;
    let ahead = if total <= LOOKED_AHEAD { Some(look_ahead(&sweep, &mut maker, opts.dry)?) } else { None };
    if ahead.as_ref().is_some_and(|ahead| ahead.kept == 0) {
        cli::tell(&format!("{}: there is no experiment to run", escape(&sweep.path.to_string_lossy())));
        return Ok(Exit::NO);
    }
    if opts.dry {
        headline(&sweep, total, ahead.as_ref(), out)?;
    }
    let mut dir = maker.here().to_path_buf();
    let mut number = 0u64;
    sweep.each(|variant, values| {
        let repeats = ahead.as_ref().is_some_and(|ahead| ahead.repeats.contains(&number));
        number = number.wrapping_add(1);
        if repeats {
            return Ok(());
        }
        let job = maker.job(variant, values)?;
        if opts.dry { show(&job, &mut dir, out) } else { writeln!(out, "{}", job.json) }
    })?;
    Ok(Exit::DONE)
}

fn parse(args: &mut Args) -> Result<Opts> {
    let mut opts = Opts::default();
    let mut operand = None;
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Short('n') => opts.dry = true,
            Arg::Long(name) if name == "dry-run" => opts.dry = true,
            Arg::Long(name) if name == "command" => opts.command = Some(args.text()?),
            Arg::Value(value) if operand.is_none() => operand = Some(PathBuf::from(value)),
            Arg::Value(_) => return Err(Error::usage("one specification at a time")),
            arg => return Err(arg.unexpected()),
        }
    }
    if operand.is_none() && std::io::stdin().is_terminal() {
        return Err(Error::usage("which specification? give a file, or - for standard input"));
    }
    opts.spec = operand.filter(|path| path.as_os_str() != "-");
    Ok(opts)
}

/// Reads the specification, and gives its experiments the command of the command line where they have none.
fn load(opts: &Opts) -> Result<Sweep> {
    let given = match &opts.command {
        Some(text) => {
            let words = words::split(text).map_err(|what| Error::usage(format!("option '--command': {what}")))?;
            Some(Setting { line: 0, words })
        }
        None => None,
    };
    let (path, text) = match &opts.spec {
        Some(path) => (path.as_path(), files::read_text(path)?),
        None => (Path::new("standard input"), read_input()?),
    };
    let mut sweep = if sheet::is_table(path, &text) { sheet::parse(path, &text) } else { spec::parse(path, &text) }?;
    if let Some(given) = given {
        for variant in &mut sweep.variants {
            variant.settings.entry("command").or_insert_with(|| given.clone());
        }
    }
    Ok(sweep)
}

fn read_input() -> Result<String> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes).doing("read", "standard input")?;
    String::from_utf8(bytes).map_err(|err| {
        let before = err.as_bytes().get(..err.utf8_error().valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|&&b| b == b'\n').count() + 1;
        Error::data("standard input", line, "not valid UTF-8")
    })
}

/// What is known before anything is printed.
#[derive(Default)]
struct Ahead {
    /// Those printed
    kept: u64,
    /// Not excluded, but left out as the same as an earlier one, by number among those not excluded
    repeats: HashSet<u64>,
}

fn look_ahead(sweep: &Sweep, maker: &mut Maker, dry: bool) -> Result<Ahead> {
    let mut ahead = Ahead::default();
    let mut seen = HashSet::new();
    let mut commands = HashSet::new();
    let mut alike = false;
    let mut named = Vec::new();
    let (mut number, mut again) = (0, 0);
    sweep.each(|variant, values| {
        let job = maker.job(variant, values)?;
        let repeats = !seen.insert(fingerprint(&job, &EXPERIMENT));
        if repeats {
            again += 1;
            if named.len() < NAMED {
                named.push(called(&job, variant, number));
            }
        }
        // Somebody wrote this row: that is a wish, not an accident of two sections.
        if repeats && !is_row(variant) {
            ahead.repeats.insert(number);
        } else {
            ahead.kept += 1;
            alike |= dry && !commands.insert(fingerprint(&job, &COMMAND)) && !repeats;
        }
        number += 1;
        Ok(())
    })?;
    if again > 0 {
        let more = again - named.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let (path, named) = (escape(&sweep.path.to_string_lossy()).into_owned(), named.join(", "));
        let done = if ahead.repeats.is_empty() { "rows that repeat" } else { "left out what repeats" };
        cli::warn(&format!("{path}: {done} an earlier experiment: {named}{more}"));
    }
    if alike {
        warn_of_places(sweep);
    }
    Ok(ahead)
}

/// Some commands are the same: tells which parameters they have no place for, unless they have none for any.
fn warn_of_places(sweep: &Sweep) {
    let commands = sweep.variants.iter().filter_map(|variant| variant.settings.get("command"));
    let places = commands.flat_map(|command| command.words.iter().flat_map(words::Template::places));
    let used: HashSet<usize> = places.filter_map(|place| sweep.param(place)).collect();
    let unused = sweep.params.iter().enumerate().filter(|(slot, _)| !used.contains(slot));
    let unused: Vec<String> = unused.map(|(_, name)| format!("{{{name}}}")).collect();
    if !used.is_empty() && !unused.is_empty() {
        let (path, unused) = (escape(&sweep.path.to_string_lossy()).into_owned(), unused.join(" "));
        cli::warn(&format!("{path}: some commands are the same: there is no place in them for {unused}"));
    }
}

/// Whether it is a row of a table.
fn is_row(variant: &Variant) -> bool {
    variant.line > 0 && variant.label.is_none()
}

/// What to call an experiment in a message.
fn called(job: &Job, variant: &Variant, number: u64) -> String {
    match job.name() {
        _ if is_row(variant) => format!("line {}", variant.line),
        Some(name) => format!("'{name}'"),
        None => format!("number {}", number + 1),
    }
}

fn headline(sweep: &Sweep, total: u128, ahead: Option<&Ahead>, out: &mut Out) -> Result<()> {
    let Some(ahead) = ahead else {
        let before = if sweep.excludes.is_empty() { "" } else { " before exclusion" };
        return writeln!(out, "# {total} experiments{before}");
    };
    let plural = if ahead.kept == 1 { "" } else { "s" };
    let repeats = ahead.repeats.len() as u128;
    let excluded = total.saturating_sub(u128::from(ahead.kept)).saturating_sub(repeats);
    let left_out = [(excluded, "excluded"), (repeats, "repeated")];
    let left_out = left_out.iter().filter(|(many, _)| *many > 0).map(|(many, what)| format!(", {many} {what}"));
    writeln!(out, "# {} experiment{plural}{}", ahead.kept, left_out.collect::<String>())
}

/// The command as one would type it, after a `cd` wherever the directory changes.
fn show(job: &Job, dir: &mut PathBuf, out: &mut Out) -> Result<()> {
    let shown = |out: &Out, text: &str| if out.is_terminal() { escape(text).into_owned() } else { text.to_string() };
    if let Some(cwd) = job.cwd().filter(|cwd| cwd != dir) {
        let line = format!("cd {}", nn::spool::job::shell_word(&cwd.to_string_lossy()));
        writeln!(out, "{}", shown(out, &line))?;
        *dir = cwd;
    }
    writeln!(out, "{}", shown(out, &job.command_line()))
}
