//! note and tag: what a person says about a run afterwards, in labels.json. job.json is never rewritten.

use crate::runs;
use nn::base::args::{Arg, Args};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Error, Result};
use nn::base::json::Value;
use nn::spool::store::Spool;

/// Sets a member of a run's labels.json, or takes it out.
pub fn set(spool: &Spool, run: u64, key: &str, value: Option<Value>) -> Result<()> {
    let labels = spool.read(run, "labels.json")?.unwrap_or(Value::Map(Vec::new()));
    let mut members = labels.as_map().unwrap_or_default().to_vec();
    let old = members.iter().position(|(k, _)| k == key);
    match (old, value) {
        (Some(i), Some(value)) if members.get(i).is_some_and(|(_, old)| *old == value) => return Ok(()),
        (Some(i), Some(value)) => {
            if let Some(member) = members.get_mut(i) {
                member.1 = value;
            }
        }
        (Some(i), None) => drop(members.remove(i)),
        (None, Some(value)) => members.push((key.to_string(), value)),
        (None, None) => return Ok(()),
    }
    spool.put(run, "labels.json", &Value::Map(members))
}

/// The tags in force: those given later, else those of the job.
pub fn tags(labels: &Value, job: &Value) -> Vec<String> {
    let list = labels.list("tags").or_else(|| job.list("tags")).unwrap_or_default();
    list.iter().map(Value::plain).collect()
}

/// Writes a note; an empty one takes it away.
pub fn note(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let mut given = runs::operands(args)?;
    if given.is_empty() {
        return Err(Error::usage("say the note, then the runs"));
    }
    let text = given.remove(0).into_string().map_err(|_| Error::usage("the note is not valid UTF-8"))?;
    if text.len() > 65536 || text.contains('\0') {
        return Err(Error::usage("the note is longer than 65536 bytes"));
    }
    // Empty, not absent: the note of the job shall be gone too.
    each(given, out, |spool, run| set(spool, run, "note", Some(text.as_str().into())))
}

/// Adds tags, or takes them away.
pub fn tag(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let (mut delete, mut given) = (false, Vec::new());
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Short('d') => delete = true,
            Arg::Long(name) if name == "delete" => delete = true,
            Arg::Value(value) => given.push(value),
            arg => return Err(arg.unexpected()),
        }
    }
    if given.is_empty() {
        return Err(Error::usage("say the tags, separated by commas, then the runs"));
    }
    let words = given.remove(0).into_string().map_err(|_| Error::usage("the tags are not valid UTF-8"))?;
    let words: Vec<&str> = words.split(',').map(str::trim).filter(|w| !w.is_empty()).collect();
    if words.is_empty() || words.iter().any(|w| w.len() > 200) {
        return Err(Error::usage("a tag is a word of at most 200 bytes"));
    }
    each(given, out, |spool, run| {
        let labels = spool.read(run, "labels.json")?.unwrap_or(Value::Null);
        let mut tags = tags(&labels, &spool.job(run)?.json);
        tags.retain(|t| !words.contains(&t.as_str()));
        if !delete {
            tags.extend(words.iter().map(|w| w.to_string()));
        }
        set(spool, run, "tags", Some(tags.into()))
    })
}

/// Does it to each run, and prints the numbers of those it was done to.
fn each(given: Vec<std::ffi::OsString>, out: &mut Out, act: impl Fn(&Spool, u64) -> Result<()>) -> Result<Exit> {
    let spool = Spool::find()?;
    for run in runs::find(&spool, given)? {
        match act(&spool, run) {
            Ok(()) => writeln!(out, "{run}")?,
            Err(err) => cli::complain(&err),
        }
    }
    Ok(Exit::DONE)
}
