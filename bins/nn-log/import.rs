//! import: runs that other tools recorded become runs of the spool, with their parameters, values, times and what they
//! printed, done or failed as they were.
//!
//! All are read once before the first is written. One that is damaged is named and left out, and the status tells; the
//! others come all or none. Each keeps where it came from, by which it is known again: what is here already is refused,
//! unless --new leaves it out or --again wants it twice.

use nn::base::args::{Arg, Args};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Doing, Error, Result};
use nn::base::files::{self, Grower};
use nn::base::json::Value;
use nn::base::role::{self, Role};
use nn::record::exchange::{Format, Found, Survey, each_piece};
use nn::record::pattern::Pattern;
use nn::spool::store::Spool;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Bytes that gather before they are written.
const PIECE: usize = 1 << 20;
/// Numbers of runs that are named in one message.
const NAMED: usize = 10;

/// What becomes of runs that are here already.
#[derive(Clone, Copy, Default, PartialEq)]
enum Repeats {
    /// Nothing is imported
    #[default]
    Refuse,
    /// The others are
    Skip,
    /// They are, once more
    Add,
}

#[derive(Default)]
struct Opts {
    paths: Vec<(Format, PathBuf)>,
    patterns: Vec<Pattern>,
    group: Option<String>,
    tags: Vec<String>,
    repeats: Repeats,
}

/// A run that was read.
struct Read {
    found: Found,
    survey: Survey,
}

/// Imports the runs in the paths given, and prints their numbers.
///
/// # Errors
/// A path holds no runs, or nothing can be written.
pub fn import(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let opts = parse(args)?;
    let found = find(&opts.paths)?;
    let spool = Spool::find()?;
    let _turn = turn(&spool)?;
    let mut read = survey(found, &opts);
    if !leave_out_known(&spool, &mut read, opts.repeats)? {
        return Ok(Exit::NO);
    }
    let mut ended = Vec::with_capacity(read.len());
    for one in &read {
        ended.push(one.survey.ended(opts.group.as_deref(), &opts.tags)?);
    }
    let runs = spool.add_ended(&ended, &mut |at, dir| match read.get(at) {
        Some(one) => fill(one, &opts.patterns, dir),
        None => Ok(()),
    })?;
    for (run, one) in runs.iter().zip(&read) {
        let survey = &one.survey;
        let none = (survey.points == 0).then(|| "no values were found in it".to_string());
        for remark in survey.foreign.remarks.iter().chain(&none) {
            cli::warn(&format!("run {run}, {}: {remark}", one.found.path.display()));
        }
        writeln!(out, "{run}")?;
    }
    Ok(if runs.is_empty() { Exit::NO } else { Exit::DONE })
}

fn parse(args: &mut Args) -> Result<Opts> {
    let mut opts = Opts::default();
    // A shell makes several words of --log *.out.
    let mut last = None;
    while let Some(arg) = args.next()? {
        let format = |name: &str| Format::ALL.into_iter().find(|format| format.name() == name);
        match arg {
            Arg::Long(name) if format(&name).is_some() => {
                last = format(&name);
                let path = args.value()?.into();
                opts.paths.extend(last.map(|format| (format, path)));
            }
            Arg::Value(more) => match last {
                Some(format) => opts.paths.push((format, more.into())),
                None => return Err(Arg::Value(more).unexpected()),
            },
            Arg::Short('p') => opts.patterns.push(Pattern::parse(&args.text()?).map_err(Error::Usage)?),
            Arg::Long(name) if name == "pattern" => {
                opts.patterns.push(Pattern::parse(&args.text()?).map_err(Error::Usage)?);
            }
            Arg::Short('g') => opts.group = Some(args.text()?),
            Arg::Long(name) if name == "group" => opts.group = Some(args.text()?),
            Arg::Long(name) if name == "tag" => opts.tags.push(args.text()?),
            Arg::Long(name) if name == "again" || name == "new" => {
                let wanted = if name == "new" { Repeats::Skip } else { Repeats::Add };
                if opts.repeats != Repeats::Refuse && opts.repeats != wanted {
                    return Err(Error::usage("--new and --again exclude each other"));
                }
                opts.repeats = wanted;
            }
            arg => return Err(arg.unexpected()),
        }
    }
    if opts.paths.is_empty() {
        return Err(Error::usage("import what? give --sacred, --tensorboard, --mlflow, --csv or --log and paths"));
    }
    if !opts.patterns.is_empty() && !opts.paths.iter().any(|(format, _)| *format == Format::Log) {
        return Err(Error::usage("--pattern goes with --log"));
    }
    Ok(opts)
}

/// The runs in all paths, each once.
fn find(paths: &[(Format, PathBuf)]) -> Result<Vec<Found>> {
    let (mut all, mut seen) = (Vec::new(), HashSet::new());
    for (format, path) in paths {
        let (found, remarks) = format.find(path)?;
        remarks.iter().for_each(|remark| cli::warn(remark));
        all.extend(found.into_iter().filter(|one| seen.insert((one.format.name(), one.path.clone()))));
    }
    Ok(all)
}

/// One import of a host at a time, so that two of the same cannot miss each other.
fn turn(spool: &Spool) -> Result<Role> {
    let name = role::name_of("nn-import", spool.dir()).doing("read", spool.dir())?;
    let role = Role::take(&name).doing("take turns with", "other imports")?;
    role.ok_or_else(|| Error::Again("another import into this spool goes on: try again when it is done".into()))
}

/// Reads all of them. Those that are damaged are told of and left out, and so are event files without a value: most
/// folders of TensorBoard that have none hold pictures.
fn survey(found: Vec<Found>, opts: &Opts) -> Vec<Read> {
    let mut read = Vec::with_capacity(found.len());
    for found in found {
        match found.survey(&opts.patterns) {
            Ok(survey) if survey.points == 0 && found.format == Format::TensorBoard => {
                cli::warn(&format!("{}: no scalars in it: left out", found.path.display()));
            }
            Ok(survey) => read.push(Read { found, survey }),
            Err(err) => cli::complain(&err),
        }
    }
    read
}

/// Those that are here already. False: nothing is to be imported.
fn leave_out_known(spool: &Spool, read: &mut Vec<Read>, repeats: Repeats) -> Result<bool> {
    if repeats != Repeats::Add {
        let known = spool.imported()?;
        let run_of = |one: &Read| known.get(&one.survey.foreign.source.key()).copied();
        let seen: Vec<u64> = read.iter().filter_map(run_of).collect();
        if !seen.is_empty() {
            let what = match repeats {
                Repeats::Skip => "not imported again",
                _ if seen.len() < read.len() => "--new imports the others, --again all",
                _ if seen.len() == 1 => "--again imports it once more",
                _ => "--again imports them once more",
            };
            cli::tell(&format!("here already as {} ({what})", numbers(&seen)));
            read.retain(|one| repeats == Repeats::Skip && run_of(one).is_none());
        }
    }
    Ok(!read.is_empty())
}

/// `run 17`, `runs 17 18 and 3 more`
fn numbers(runs: &[u64]) -> String {
    let named: Vec<String> = runs.iter().take(NAMED).map(u64::to_string).collect();
    let more = runs.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("run{} {}{more}", if runs.len() == 1 { "" } else { "s" }, named.join(" "))
}

/// Writes what is known of a run into its folder, but for its job and its end.
fn fill(one: &Read, patterns: &[Pattern], dir: &Path) -> Result<()> {
    let mut history = Grower::open(&dir.join("history.jsonl"), 0, true)?;
    let mut text = String::new();
    one.found.read(patterns, &mut |point| {
        point.write_line(&mut text);
        if text.len() >= PIECE {
            history.write(text.as_bytes())?;
            text.clear();
        }
        Ok(())
    })?;
    history.write(text.as_bytes())?;
    let foreign = &one.survey.foreign;
    if let Some(log) = &foreign.log {
        let mut copy = Grower::open(&dir.join("log"), 0, true)?;
        each_piece(log, &mut |piece| copy.write(piece))?;
    }
    if foreign.facts != Value::Null {
        files::write_new(&dir.join("facts.json"), format!("{}\n", foreign.facts).as_bytes(), false)?;
    }
    Ok(())
}
