//! init and add: a spool, and runs in its queue. Jobs from standard input are all checked before the first is written;
//! options are laid over each of them. Their code is frozen (freeze.rs); all other facts of a run are taken when it starts.

use crate::after::{self, Names};
use crate::freeze::{self, Repeats};
use nn::base::args::{Arg, Args};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Doing, Error, Result};
use nn::base::files;
use nn::base::json::{self, Value};
use nn::base::time::parse_duration;
use nn::record::checkpoint::Keep;
use nn::spool::job::{Job, parse_needs, parse_param};
use nn::spool::notify;
use nn::spool::rule::Rule;
use nn::spool::snapshot::plain;
use nn::spool::store::{Spool, environment};
use std::ffi::OsString;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

/// Makes a spool: here, where it is looked for, or in the directory given.
pub fn init(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let (mut dir, mut group) = (None, false);
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Long(name) if name == "group" => group = true,
            Arg::Value(value) if dir.is_none() => dir = Some(PathBuf::from(value)),
            arg => return Err(arg.unexpected()),
        }
    }
    let (place, _) = Spool::place()?;
    let dir = dir.as_deref().map(files::absolute).transpose()?.unwrap_or_else(|| place.clone());
    let existed = dir.join("version").exists();
    let spool = Spool::init(&dir, group)?;
    if existed {
        cli::tell(&format!("{} is a spool already", dir.display()));
    }
    writeln!(out, "{}", spool.dir().display())?;
    if dir != place {
        cli::tell(&format!("to use it: export NN_SPOOL={}", nn::spool::job::shell_word(&dir.to_string_lossy())));
    }
    Ok(Exit::DONE)
}

/// What `add` was asked: members laid over each job, and the command if there is one.
#[derive(Default)]
struct Opts {
    /// Members that replace those of a job
    members: Vec<(&'static str, Value)>,
    /// Parameters and needs, which join those of a job
    params: Vec<(String, Value)>,
    needs: Vec<(String, Value)>,
    tags: Vec<Value>,
    patterns: Vec<Value>,
    rules: Vec<Value>,
    /// RUNS, by the member they belong to
    after: Vec<(String, String)>,
    /// Lists that join those of a job
    lists: Vec<(String, Vec<Value>)>,
    links: Vec<Value>,
    inputs: Vec<Value>,
    repeats: Repeats,
    command: Vec<OsString>,
}

/// Queues one command, or the jobs on standard input.
pub fn add(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let mut opts = parse(args)?;
    let mut names = Names::default();
    for (member, runs) in std::mem::take(&mut opts.after) {
        let runs = names.of_option(&runs).map_err(|err| Error::other(format!("--{member}: {err}")))?;
        opts.lists.push((member, runs));
    }
    let here = std::env::current_dir().doing("find", "the current directory")?;
    let mut jobs = if opts.command.is_empty() {
        read_jobs(&opts, &here, &mut names)?
    } else {
        let mut json = Job::new(&opts.command, &here).json;
        opts.lay_over(&mut json);
        vec![check(json).map_err(Error::usage)?]
    };
    if jobs.is_empty() {
        cli::tell("there is no job on standard input");
        return Ok(Exit::NO);
    }
    let spool = Spool::find()?;
    if !freeze::freeze(&spool, &mut jobs, opts.repeats)? {
        return Ok(Exit::NO);
    }
    for run in spool.add(&jobs, &environment())? {
        writeln!(out, "{run}")?;
    }
    Ok(Exit::DONE)
}

fn parse(args: &mut Args) -> Result<Opts> {
    let mut opts = Opts::default();
    let mut name_given = false;
    while let Some(arg) = args.next()? {
        let arg = match arg {
            Arg::Value(first) => {
                opts.command = args.rest_from(first);
                break;
            }
            Arg::Short('n') => Arg::Long("name".into()),
            Arg::Short('p') => Arg::Long("param".into()),
            Arg::Short('g') => Arg::Long("group".into()),
            arg => arg,
        };
        let Arg::Long(option) = &arg else { return Err(arg.unexpected()) };
        match option.as_str() {
            "name" => {
                name_given = true;
                opts.members.push(("name", args.text()?.into()));
            }
            "param" => opts.params.push(parse_param(&args.text()?).map_err(Error::usage)?),
            "group" => opts.members.push(("group", args.text()?.into())),
            "needs" => {
                let needs = parse_needs(&args.text()?).map_err(|what| Error::usage(format!("--needs: {what}")))?;
                opts.needs.extend(needs.as_map().unwrap_or_default().to_vec());
            }
            "time" => {
                let limit = |text: &str| parse_duration(text).map(|_| text.to_string());
                opts.needs.push(("time".into(), args.with("a duration such as 2h30m", limit)?.into()));
            }
            "prio" => opts.members.push(("priority", args.with("a digit from 0 to 9", digit)?.into())),
            "retries" => opts.members.push(("retries", args.parse::<u32>("a whole number")?.into())),
            "note" => opts.members.push(("note", args.text()?.into())),
            "checkpoint" => opts.members.push(("checkpoint", args.text()?.into())),
            "weights" => opts.members.push(("weights", args.text()?.into())),
            "keep-checkpoints" => opts.members.push(("keep-checkpoints", args.text()?.into())),
            "finish-up" => {
                let before = |text: &str| parse_duration(text).map(|_| text.to_string());
                opts.members.push(("finish-up", args.with("a duration such as 5m", before)?.into()));
            }
            "metrics" => opts.members.push(("metrics", args.text()?.into())),
            "host" => opts.members.push(("host", args.text()?.into())),
            "profile" => opts.members.push(("profile", args.text()?.into())),
            "notify" => {
                let text = args.text()?;
                notify::parse(&text).map_err(|what| Error::usage(format!("--notify: {what}")))?;
                opts.members.push(("notify", text.into()));
            }
            "tag" => opts.tags.push(args.text()?.into()),
            "pattern" => opts.patterns.push(args.text()?.into()),
            "rule" => {
                let text = args.text()?;
                Rule::parse(&text).map_err(Error::usage)?;
                opts.rules.push(text.into());
            }
            "after" | "after-any" => opts.after.push((option.clone(), args.text()?)),
            "hold" => opts.members.push(("hold", true.into())),
            "live" => opts.members.push(("live", true.into())),
            "link" => opts.links.push(json::from_os(&args.value()?)),
            "input" => opts.inputs.push(json::from_os(&args.value()?)),
            "again" => opts.repeats = Repeats::Add,
            "new" => opts.repeats = Repeats::Skip,
            _ => return Err(arg.unexpected()),
        }
    }
    if name_given && opts.command.is_empty() {
        return Err(Error::usage("--name names one run: give its command after '--'"));
    }
    Ok(opts)
}

/// A priority digit.
pub fn digit(text: &str) -> Option<i64> {
    text.parse().ok().filter(|n| (0..10).contains(n) && text.len() == 1)
}

impl Opts {
    fn lay_over(&self, job: &mut Value) {
        for (key, value) in &self.members {
            job.set(key, value.clone());
        }
        for (member, more) in [("params", &self.params), ("needs", &self.needs)] {
            if !more.is_empty() {
                let mut joined = job.get(member).cloned().unwrap_or(Value::Map(Vec::new()));
                for (key, value) in more {
                    joined.set(key, value.clone());
                }
                job.set(member, joined);
            }
        }
        let lists = self.lists.iter().map(|(member, more)| (member.as_str(), more));
        let own = [
            ("tags", &self.tags),
            ("pattern", &self.patterns),
            ("link", &self.links),
            ("input", &self.inputs),
            ("rules", &self.rules),
        ];
        for (member, more) in own.into_iter().chain(lists) {
            if !more.is_empty() {
                let mut joined = job.list(member).unwrap_or_default().to_vec();
                joined.extend(more.iter().cloned());
                job.set(member, joined);
            }
        }
    }
}

fn read_jobs(opts: &Opts, here: &Path, names: &mut Names) -> Result<Vec<Job>> {
    let mut stdin = std::io::stdin().lock();
    if stdin.is_terminal() {
        return Err(Error::usage("what shall run? give a command after '--', or jobs as JSON lines on standard input"));
    }
    let mut bytes = Vec::new();
    stdin.read_to_end(&mut bytes).doing("read", "standard input")?;
    let mut jobs = Vec::new();
    for (i, line) in bytes.split(|b| *b == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let wrong = |what: String| Error::data("standard input", i + 1, what);
        let text = std::str::from_utf8(line).map_err(|_| wrong("not valid UTF-8".into()))?;
        let json = Value::parse(text).map_err(|bad| wrong(format!("column {}: {}", bad.column, bad.what)))?;
        let job = job(json, opts, here, names).map_err(wrong)?;
        names.add(job.name());
        jobs.push(job);
    }
    Ok(jobs)
}

/// A job from a line: its directory made absolute, the options laid over it, and checked.
fn job(mut json: Value, opts: &Opts, here: &Path, names: &mut Names) -> std::result::Result<Job, String> {
    if json.as_map().is_none() {
        return Err("expected a JSON object".into());
    }
    let cwd = match json.get("cwd").map(json::to_os) {
        None => Some(here.to_path_buf()),
        Some(Some(dir)) if !Path::new(&dir).is_absolute() => Some(here.join(dir)),
        Some(_) => None,
    };
    if let Some(cwd) = cwd {
        json.set("cwd", json::from_os(cwd.as_os_str()));
    }
    let mut named = Vec::new();
    for member in after::MEMBERS {
        if let Some(runs) = json.get(member) {
            named.push((member, names.of_member(runs).map_err(|what| format!("'{member}': {what}"))?));
            json.set(member, Vec::<Value>::new());
        }
    }
    opts.lay_over(&mut json);
    let mut job = check(json)?;
    for (member, mut runs) in named {
        runs.extend(job.json.list(member).unwrap_or_default().iter().cloned());
        job.json.set(member, runs);
    }
    Ok(job)
}

fn check(json: Value) -> std::result::Result<Job, String> {
    let mut job = Job::check(json)?;
    if let Some(inputs) = job.json.list("input") {
        let cwd = job.cwd().unwrap_or_default();
        let inputs = inputs.iter().map(|path| input(&cwd, path)).collect::<std::result::Result<Vec<_>, _>>()?;
        job.json.set("input", inputs);
    }
    match job.keep_checkpoints().map(Keep::parse) {
        Some(Err(what)) => Err(format!("'keep-checkpoints': {what}")),
        _ => Ok(job),
    }
}

/// A file or directory that goes along, from the job's directory; it must be there.
fn input(cwd: &Path, path: &Value) -> std::result::Result<Value, String> {
    let whole = plain(&cwd.join(json::to_os(path).unwrap_or_default()));
    // Above it links are followed, as git does with the work tree it may lie in.
    let above = whole.parent().and_then(|above| above.canonicalize().ok());
    let real = above.zip(whole.file_name()).map(|(above, name)| above.join(name));
    match real.filter(|real| real.exists()) {
        Some(real) => Ok(json::from_os(real.as_os_str())),
        None => Err(format!("input {}: No such file or directory", whole.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_get_a_directory_and_the_options() {
        let opts = Opts { params: vec![("a".into(), Value::Int(1))], ..Opts::default() };
        let read = |text: &str| job(Value::parse(text).unwrap(), &opts, Path::new("/here"), &mut Names::default());
        assert_eq!(read(r#"{"argv":["x"],"cwd":"sub"}"#).unwrap().cwd(), Some("/here/sub".into()));
        assert_eq!(read(r#"{"argv":["x"],"cwd":"/abs"}"#).unwrap().cwd(), Some("/abs".into()));
        let laid = read(r#"{"argv":["x"],"params":{"b":2}}"#).unwrap();
        assert_eq!(laid.cwd(), Some("/here".into()));
        assert_eq!(laid.json.get("params").unwrap().to_string(), r#"{"b":2,"a":1}"#);
        assert!(read("3").unwrap_err().contains("object"));
        assert!(read(r#"{"argv":["x"],"cwd":[]}"#).unwrap_err().contains("'cwd'"));
    }
}
