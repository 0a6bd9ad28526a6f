//! start, progress, finish: three lines of a script, around a plain command, that make a run of it.
//!
//! The run's owner is the script itself: the process that has called start, or the one that process was only forked from, as
//! a shell forks for `$(…)`. It is in the token, in the place of nn-run; so the later lines find their run by what they
//! descend from, whatever the environment, and a script that ends without a word is known to be dead by the same proof as
//! any owner. A script that is itself under nn-run makes no run of its own: its lines speak of that one.

use crate::progress::{self, Source};
use crate::report::{self, Haste};
use nn::base::args::{Arg, Args};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Doing, Error, Result};
use nn::base::files::{self, Moved};
use nn::base::json::{self, Value};
use nn::base::time::Time;
use nn::record::facts::{Facts, git};
use nn::record::history::join;
use nn::record::pattern::Pattern;
use nn::record::results::Results;
use nn::spool::attempts::{attempts, is_of_script};
use nn::spool::batch::{Batch, Former, former};
use nn::spool::job::{Job, parse_param};
use nn::spool::owner::{Owner, parent_of};
use nn::spool::select::select_one;
use nn::spool::state::{Folder, How, State, Token};
use nn::spool::store::{Spool, environment, variables};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The longest that git may take before the script goes on, and everything else.
const GIT_LIMIT: Duration = Duration::from_millis(500);
const FACTS_LIMIT: Duration = Duration::from_secs(2);
/// Between two looks for answers.
const LOOK: Duration = Duration::from_millis(10);

/// Makes the run, and prints its number.
pub fn start(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let mut members: Vec<(&str, Value)> = Vec::new();
    let (mut params, mut tags, mut server) = (Vec::new(), Vec::new(), None);
    while let Some(arg) = args.next()? {
        let arg = match arg {
            Arg::Short('n') => Arg::Long("name".into()),
            Arg::Short('g') => Arg::Long("group".into()),
            arg => arg,
        };
        match &arg {
            Arg::Long(name) if name == "name" => members.push(("name", args.text()?.into())),
            Arg::Long(name) if name == "group" => members.push(("group", args.text()?.into())),
            Arg::Long(name) if name == "note" => members.push(("note", args.text()?.into())),
            Arg::Long(name) if name == "param" => params.push(parse_param(&args.text()?).map_err(Error::usage)?),
            Arg::Long(name) if name == "server" => server = Some(args.text()?),
            Arg::Long(name) if name == "tag" => tags.push(Value::from(args.text()?)),
            _ => return Err(arg.unexpected()),
        }
    }
    if let Some(run) = surrounding() {
        cli::tell(&format!("inside run {run}, which nn-run records: no other is made"));
        writeln!(out, "{run}")?;
        return match (server, run.parse()) {
            (Some(server), Ok(run)) => reported(&Spool::find()?, run, Some(&server), Haste::Now),
            _ => Ok(Exit::DONE),
        };
    }
    let spool = Spool::find()?;
    let server = report::server(&spool, server.as_deref())?;
    let owner = script()?;
    if let Some(token) = started(&spool)?.into_iter().find(|token| owner_of(token) == Some(&owner)) {
        return Err(Error::other(format!("run {} of this script goes on: 'nn-log finish' ends it", token.run)));
    }
    let batch = Batch::here();
    let cwd = std::env::current_dir().doing("find", "the working directory")?;
    let mut json = Job::new(&command_line(owner.pid), &cwd).json;
    if let Some(name) = batch.as_ref().and_then(Batch::run_name) {
        json.set("name", name);
    }
    for (key, value) in members {
        json.set(key, value);
    }
    if !params.is_empty() {
        json.set("params", json::map(params));
    }
    if !tags.is_empty() {
        json.set("tags", tags);
    }
    if let Some(batch) = &batch {
        json.set("batch", batch.record());
    }
    let job = Job::check(json).map_err(Error::usage)?;
    let token = match batch.as_ref().map_or(Ok(Former::None), |batch| former(&spool, batch, &job))? {
        Former::None => spool.add_started(&job, &environment(), &owner, batch.as_ref())?,
        Former::Done(run) => {
            cli::tell(&format!("run {run} of this job is done"));
            writeln!(out, "{run}")?;
            return Ok(Exit::NO);
        }
        Former::GoesOn(from) => again(&spool, &from, &owner)?,
    };
    begin(&spool, &token, &owner, &job, &cwd)?;
    writeln!(out, "{}", token.run)?;
    reported(&spool, token.run, server.as_deref(), Haste::Now)
}

/// The end of a line: the run is reported, when that is asked for; that it cannot be is no failure.
fn reported(spool: &Spool, run: u64, server: Option<&str>, haste: Haste) -> Result<Exit> {
    if let Some(server) = server {
        report::check(server)?;
        report::ask(spool, run, server)?;
    }
    report::tell(spool, run, haste);
    Ok(Exit::DONE)
}

/// The run of a batch job that was started again: the script itself is the proof that it has started.
fn again(spool: &Spool, from: &Token, owner: &Owner) -> Result<Token> {
    let token = from.again(State::Started(owner.clone(), owner.clone()));
    if spool.shift_durably(from, &token)? == Moved::Lost {
        return Err(Error::Again(format!("run {} of this job: somebody else was quicker, look again", from.run)));
    }
    cli::tell(&format!("run {} goes on: the job was started again", from.run));
    Ok(token)
}

/// attempt.json, where the attempt begins in the history, the facts.
fn begin(spool: &Spool, token: &Token, owner: &Owner, job: &Job, cwd: &Path) -> Result<()> {
    let run = token.run;
    let env = variables();
    let git = git::begin(cwd, &env);
    let (number, former) = attempts(spool, run);
    let mut attempt = json::map([
        ("attempt", Value::from(number)),
        ("generation", token.generation.into()),
        ("host", owner.host.as_str().into()),
        ("worker", owner.to_string().into()),
        ("runner", owner.to_string().into()),
        // Nothing else is to be looked for when the script is dead: what it started is its own matter.
        ("script", true.into()),
        ("started", Time::now().into()),
    ]);
    if !former.is_empty() {
        attempt.set("former", former);
    }
    spool.put_lazily(run, "attempt.json", &attempt)?;
    if number > 1 {
        progress::settle(&spool.run_dir(run))?;
        join::note(&spool.run_dir(run), number, None, 0, &[])?;
    }
    let details = json::map([("attempt", Value::from(number)), ("pid", owner.pid.into())]);
    spool.event(run, true, "started", details)?;
    take_facts(spool, run, number, job, cwd, &env, git);
    Ok(())
}

fn take_facts(
    spool: &Spool,
    run: u64,
    number: i64,
    job: &Job,
    cwd: &Path,
    env: &[(OsString, OsString)],
    mut git: Option<git::Taking>,
) {
    let in_time = git.as_mut().is_none_or(|git| git.wait(GIT_LIMIT));
    let hosts = spool.dir().join("hosts");
    let mut facts = Facts::begin(&hosts, git, in_time, &job.argv(), cwd, env).of_attempt(number);
    let begun = Instant::now();
    facts.look(spool, run);
    while !facts.is_settled() && begun.elapsed() < FACTS_LIMIT {
        std::thread::sleep(LOOK);
        facts.look(spool, run);
    }
    if !facts.is_settled() {
        facts.finish(spool, run, cwd);
    }
}

/// What progress and finish are asked.
#[derive(Default)]
struct Asked {
    run: Option<String>,
    status: i32,
    sources: Vec<Source>,
    patterns: Vec<Pattern>,
    server: Option<String>,
}

fn parse(args: &mut Args, is_end: bool) -> Result<Asked> {
    let mut asked = Asked::default();
    // A shell makes several words of --log *.out.
    let mut last = None;
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Short('r') => asked.run = Some(args.text()?),
            Arg::Long(name) if name == "run" => asked.run = Some(args.text()?),
            Arg::Long(name) if name == "log" || name == "data" => {
                last = Some(name == "data");
                asked.sources.push(Source { glob: args.value()?.into(), is_data: name == "data" });
            }
            Arg::Value(more) => match last {
                Some(is_data) => asked.sources.push(Source { glob: more.into(), is_data }),
                None => return Err(Arg::Value(more).unexpected()),
            },
            Arg::Short('p') => asked.patterns.push(Pattern::parse(&args.text()?).map_err(Error::Usage)?),
            Arg::Long(name) if name == "pattern" => {
                asked.patterns.push(Pattern::parse(&args.text()?).map_err(Error::Usage)?);
            }
            Arg::Long(name) if name == "server" => asked.server = Some(args.text()?),
            Arg::Long(name) if name == "status" && is_end => {
                let status = |text: &str| text.parse().ok().filter(|n| (0..=255).contains(n));
                asked.status = args.with("an exit status from 0 to 255", status)?;
            }
            arg => return Err(arg.unexpected()),
        }
    }
    Ok(asked)
}

/// Reads what is new in log and data files into the history of the script's run.
pub fn progress(args: &mut Args, _: &mut Out) -> Result<Exit> {
    let asked = parse(args, false)?;
    let (spool, token) = of_script(asked.run.as_deref())?;
    let server = will_be_reported(&spool, &token, &asked)?;
    progress::read(&spool, &token, asked.sources, &asked.patterns, false)?;
    if let Some(owner) = owner_of(&token).filter(|_| is_of_script(&spool, &token)) {
        progress::beat(&spool, owner);
    }
    reported(&spool, token.run, server.as_deref(), Haste::Passing)?;
    if spool.run_dir(token.run).join("cancel").exists() {
        cli::tell(&format!("run {} was called off", token.run));
        return Ok(Exit::NO);
    }
    Ok(Exit::DONE)
}

/// Records the end of the script's run.
pub fn finish(args: &mut Args, _: &mut Out) -> Result<Exit> {
    let asked = parse(args, true)?;
    let (spool, token) = of_script(asked.run.as_deref())?;
    let run = token.run;
    let server = will_be_reported(&spool, &token, &asked)?;
    let is_own = is_of_script(&spool, &token);
    // Inside a run the script's last line says nothing that nn-run does not see.
    if !is_own && (asked.run.is_some() || surrounding() != Some(run.to_string())) {
        return Err(Error::other(format!("run {run} is under nn-run, which records its end")));
    }
    progress::read(&spool, &token, asked.sources, &asked.patterns, true)?;
    if is_own {
        end(&spool, &token, asked.status)?;
    }
    reported(&spool, run, server.as_deref(), Haste::Now)
}

/// The server, and, before the files are read, that the run is reported: then what its logs say is kept.
fn will_be_reported(spool: &Spool, token: &Token, asked: &Asked) -> Result<Option<String>> {
    let given = asked.server.as_deref();
    let server =
        if given.is_none() && report::is_reported(spool, token.run) { None } else { report::server(spool, given)? };
    if let Some(server) = &server {
        report::ask(spool, token.run, server)?;
    }
    Ok(server)
}

fn end(spool: &Spool, token: &Token, status: i32) -> Result<()> {
    let run = token.run;
    let attempt = spool.read(run, "attempt.json")?.unwrap_or(Value::Null);
    let number = attempt.int("attempt").unwrap_or(1);
    let job = spool.job(run)?;
    if let Some(mut facts) = Facts::on_record(spool, run, number) {
        facts.finish(spool, run, &job.cwd().unwrap_or_default());
    }
    let now = Time::now();
    let started = attempt.str("started").and_then(Time::parse);
    let mut result = json::map([
        ("attempt", Value::from(number)),
        ("started", started.into()),
        ("ended", now.into()),
        ("duration", started.map(|at| now.since(at).as_secs_f64()).into()),
        ("exit", status.into()),
    ]);
    result.set("metrics", Results::read(spool, run, &[])?.to_json());
    let state = match status {
        _ if spool.run_dir(run).join("cancel").exists() => State::Cancelled,
        0 => State::Done,
        status => State::Failed(How::Exit(status)),
    };
    spool.keep(run)?;
    spool.write_result(token, &state, &result)?;
    let to = token.to(state);
    // Less than the result, which stands there already.
    let _ = spool.event(run, true, "ended", to.outcome());
    if spool.shift_durably(token, &to)? == Moved::Lost {
        cli::tell(&format!("run {run}: somebody else has decided how it ended"));
    }
    if let Some(owner) = owner_of(token) {
        let _ = files::remove(&spool.dir().join("hosts").join(owner.to_string()));
    }
    Ok(())
}

/// The run that this process is a part of, under nn-run.
fn surrounding() -> Option<String> {
    std::env::var_os("NN_RUN_DIR").filter(|dir| !dir.is_empty())?;
    std::env::var("NN_RUN").ok().filter(|run| !run.is_empty())
}

/// The run that is named, or that of this script: the one around it, the one its nearest ancestor owns, or, on another host
/// of the same batch job, the one that has its id.
fn of_script(given: Option<&str>) -> Result<(Spool, Token)> {
    let spool = Spool::find()?;
    let around = surrounding();
    if let Some(run) = given.or(around.as_deref()) {
        let run = select_one(&spool, run)?;
        let token = spool.state_of(run)?.filter(|token| owner_of(token).is_some());
        return token.map(|token| (spool, token)).ok_or_else(|| Error::other(format!("run {run} does not run")));
    }
    let started = started(&spool)?;
    let mut pid = std::os::unix::process::parent_id();
    while let Ok(owner) = Owner::of(pid) {
        if let Some(token) = started.iter().find(|token| owner_of(token) == Some(&owner)) {
            return Ok((spool, token.clone()));
        }
        match parent_of(pid).filter(|parent| *parent > 0) {
            Some(parent) => pid = parent,
            None => break,
        }
    }
    let batch = Batch::here().map(|batch| batch.record());
    let is_of_batch = |token: &&Token| {
        batch.is_some() && spool.job(token.run).is_ok_and(|job| job.json.get("batch") == batch.as_ref())
    };
    let mut of_batch: Vec<&Token> = started.iter().filter(is_of_batch).collect();
    match (of_batch.pop(), of_batch.pop()) {
        (Some(token), None) => {
            let token = token.clone();
            Ok((spool, token))
        }
        (Some(_), Some(_)) => Err(Error::usage("this job has several runs: name one with --run")),
        _ => Err(Error::usage("this script has started no run: 'nn-log start' first, or name one with --run")),
    }
}

fn started(spool: &Spool) -> Result<Vec<Token>> {
    let mut tokens = spool.tokens(Folder::Running)?;
    tokens.retain(|token| owner_of(token).is_some());
    Ok(tokens)
}

fn owner_of(token: &Token) -> Option<&Owner> {
    if let State::Started(_, owner) = &token.state { Some(owner) } else { None }
}

/// The process of the script: the parent, or, as long as that is a mere fork of the one above, which a shell makes for
/// `$(…)`, for `(…)` and in pipelines, that one.
fn script() -> Result<Owner> {
    let mut pid = std::os::unix::process::parent_id();
    let what = |pid: u32| {
        let exe = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
        Some((exe, std::fs::read(format!("/proc/{pid}/cmdline")).ok().filter(|line| !line.is_empty())?))
    };
    while let Some(parent) = parent_of(pid).filter(|parent| *parent > 0) {
        if what(pid).is_none() || what(pid) != what(parent) {
            break;
        }
        pid = parent;
    }
    Owner::of(pid)
}

/// The words a process was started with.
fn command_line(pid: u32) -> Vec<OsString> {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = line.strip_suffix(b"\0").unwrap_or(&line).split(|b| *b == 0);
    words.map(|word| OsString::from_vec(word.to_vec())).collect()
}

/// A file relative to the directory in which a line of the script is executed.
pub fn absolute(path: &Path) -> PathBuf {
    std::env::current_dir().map_or_else(|_| path.to_path_buf(), |dir| dir.join(path))
}
