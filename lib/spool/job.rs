//! What was asked: job.json of a run, and the same as a line of JSON between nn-sweep and `nn-queue add`. Written once,
//! never rewritten. Members not known here are kept: other tools may have put them there.

use super::notify::{self, Kind};
use super::profile::Profile;
use super::rule::Rule;
use super::snapshot::Code;
use super::source::Source;
use super::state::How;
use crate::base::error::{Error, Result};
use crate::base::glob;
use crate::base::json::{self, Value};
use crate::base::text::did_you_mean;
use crate::base::time::{Time, parse_duration};
use crate::base::units::parse_size;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Priority digit of a run nobody gave one: 0 goes first, 9 last.
pub const PRIORITY: u8 = 5;

/// Time between TERM and KILL when nobody says otherwise.
pub const GRACE: Duration = Duration::from_secs(30);

/// The members a job may have; anything else is a slip of the pen.
const KEYS: [&str; 32] = [
    "argv",
    "cwd",
    "name",
    "group",
    "params",
    "needs",
    "priority",
    "retries",
    "note",
    "tags",
    "hold",
    "added",
    "metrics",
    "pattern",
    "after",
    "after-any",
    "code",
    "live",
    "link",
    "input",
    "origin",
    "checkpoint",
    "weights",
    "keep-checkpoints",
    "finish-up",
    "profile",
    "rules",
    "host",
    "notify",
    "batch",
    "source",
    "reported",
];

/// Members of `needs`.
const NEEDS: [&str; 7] = ["gpus", "gpu-mem", "ram", "disk", "time", "slots", "share"];

/// A job: the JSON object, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// The object itself
    pub json: Value,
}

impl Job {
    /// A job that runs a command in a directory.
    pub fn new(argv: &[OsString], cwd: &Path) -> Job {
        let argv = Value::List(argv.iter().map(|a| json::from_os(a)).collect());
        Job { json: json::map([("argv", argv), ("cwd", json::from_os(cwd.as_os_str()))]) }
    }

    /// Checks an object from outside, such as a line of `nn-queue add`.
    ///
    /// # Errors
    /// A sentence that names the member.
    pub fn check(json: Value) -> std::result::Result<Job, String> {
        match json.get("source") {
            Some(_) => Err("'source' is what importing a run wrote".into()),
            None => Job::on_record(json),
        }
    }

    /// Checks an object that may be that of a run from elsewhere: it has a `source`, and its command may be unknown.
    ///
    /// # Errors
    /// A sentence that names the member.
    pub fn on_record(json: Value) -> std::result::Result<Job, String> {
        let members = json.as_map().ok_or("expected a JSON object")?;
        for (key, value) in members {
            check_member(key, value)?;
        }
        let argv = json.list("argv").unwrap_or_default();
        if argv.is_empty() && json.get("source").is_none() {
            return Err("'argv' is missing".into());
        }
        if argv.iter().any(|a| json::to_os(a).is_none_or(|a| a.as_encoded_bytes().contains(&0))) {
            return Err("'argv' must be a list of strings without NUL".into());
        }
        let job = Job { json };
        if let Some(profile) = job.profile() {
            profile.plan(&job.argv(), Path::new("/"), None)?;
        }
        match (job.finish_up(), job.time_limit()) {
            // How much time a batch job has is known when it runs.
            (Some(_), None) if job.json.get("batch").is_some() => Ok(job),
            (Some(_), None) => Err("'finish-up' is counted back from a time limit, and there is none".into()),
            (Some(before), Some(limit)) if before >= limit => Err("'finish-up' is not less than the time limit".into()),
            _ => Ok(job),
        }
    }

    /// Reads job.json.
    ///
    /// # Errors
    /// It cannot be read, or holds no job.
    pub fn read(path: &Path) -> Result<Job> {
        let text = crate::base::files::read_text(path)?;
        let json = Value::parse(&text).map_err(|bad| Error::data(path, bad.line, bad.to_string()))?;
        Job::on_record(json).map_err(|what| Error::data(path, 0, what))
    }

    /// The command.
    pub fn argv(&self) -> Vec<OsString> {
        self.json.list("argv").unwrap_or_default().iter().filter_map(json::to_os).collect()
    }

    /// The directory it runs in.
    pub fn cwd(&self) -> Option<PathBuf> {
        self.json.get("cwd").and_then(json::to_os).map(PathBuf::from)
    }

    /// The name a person gave it.
    pub fn name(&self) -> Option<&str> {
        self.json.str("name")
    }

    /// The sweep or other set it belongs to.
    pub fn group(&self) -> Option<&str> {
        self.json.str("group")
    }

    /// Its parameters, in order.
    pub fn params(&self) -> &[(String, Value)] {
        self.json.get("params").and_then(Value::as_map).unwrap_or_default()
    }

    /// Priority digit.
    pub fn priority(&self) -> u8 {
        self.json.int("priority").and_then(|p| u8::try_from(p).ok()).unwrap_or(PRIORITY)
    }

    /// How many times it may be run again after a failure that is not its own.
    pub fn retries(&self) -> u32 {
        self.json.int("retries").and_then(|n| u32::try_from(n).ok()).unwrap_or(0)
    }

    /// Whether it is run again by itself after an attempt (from 1) that failed so, for which its command could be started.
    pub fn is_retried(&self, attempt: i64, how: How) -> bool {
        // What may well have done its work is not done again unasked.
        !matches!(how, How::Rule | How::Unknown) && attempt <= i64::from(self.retries())
    }

    /// Whether it starts held.
    pub fn hold(&self) -> bool {
        self.json.get("hold").and_then(Value::as_bool).unwrap_or(false)
    }

    /// The runs it comes after: they must be done (`after`) or have ended (`after-any`).
    pub fn after(&self, key: &str) -> Vec<u64> {
        let runs = self.json.list(key).unwrap_or_default().iter();
        runs.filter_map(|run| u64::try_from(run.as_int()?).ok()).collect()
    }

    /// The hosts it may start on, as patterns; None: any.
    pub fn host(&self) -> Option<&str> {
        self.json.str("host")
    }

    /// The host that it ran on by itself, and that told of it; None: it is a run of this spool. It never starts here.
    pub fn reported(&self) -> Option<&str> {
        self.json.str("reported")
    }

    /// Whether it may start on a host: one of its patterns fits the name, or what stands before the first dot of it.
    pub fn may_start_on(&self, host: &str) -> bool {
        let short = host.split('.').next().unwrap_or_default();
        let fits = |pattern: &str| [host, short].iter().any(|name| glob::fits(pattern.as_bytes(), name.as_bytes()));
        self.host().is_none_or(|patterns| host_patterns(patterns).any(fits))
    }

    /// Its time limit.
    pub fn time_limit(&self) -> Option<Duration> {
        self.json.get("needs")?.get("time").and_then(|v| parse_duration(&v.plain()))
    }

    /// The snapshot it runs in; None: it runs in place.
    pub fn code(&self) -> Option<Code> {
        self.json.get("code").and_then(Code::of)
    }

    /// Whether it shall run in place, with the code as it is then.
    pub fn live(&self) -> bool {
        self.json.get("live").and_then(Value::as_bool).unwrap_or(false)
    }

    /// Paths in the work tree that are to be reached through links.
    pub fn links(&self) -> Vec<OsString> {
        self.json.list("link").unwrap_or_default().iter().filter_map(json::to_os).collect()
    }

    /// Files and directories that go with it to a host that does not share them.
    pub fn inputs(&self) -> Vec<PathBuf> {
        let paths = self.json.list("input").unwrap_or_default().iter();
        paths.filter_map(json::to_os).map(PathBuf::from).filter(|path| path.is_absolute()).collect()
    }

    /// How long before its time limit it is told to finish up.
    pub fn finish_up(&self) -> Option<Duration> {
        self.json.str("finish-up").and_then(parse_duration)
    }

    /// The pattern of files whose layers are measured.
    pub fn weights(&self) -> Option<&str> {
        self.json.str("weights")
    }

    /// The pattern of its checkpoints.
    pub fn checkpoint(&self) -> Option<&str> {
        self.json.str("checkpoint")
    }

    /// Which of its checkpoints to keep.
    pub fn keep_checkpoints(&self) -> Option<&str> {
        self.json.str("keep-checkpoints")
    }

    /// How it is to be profiled.
    pub fn profile(&self) -> Option<Profile> {
        self.json.str("profile").and_then(|text| Profile::parse(text).ok())
    }

    /// What is to be done when something is so.
    pub fn rules(&self) -> Vec<Rule> {
        let texts = self.json.list("rules").unwrap_or_default().iter();
        texts.filter_map(|text| Rule::parse(text.as_str()?).ok()).collect()
    }

    /// Of which news somebody is to be told; None: as the settings say.
    pub fn notify(&self) -> Option<Vec<Kind>> {
        self.json.str("notify").and_then(|text| notify::parse(text).ok())
    }

    /// Where it came from, if it ran elsewhere and was imported.
    pub fn source(&self) -> Option<Source> {
        self.json.get("source").and_then(Source::of)
    }

    /// Why it is never run from here, if it ran elsewhere.
    pub fn elsewhere(&self) -> Option<String> {
        let imported = self.source().map(|_| "imported: it ran elsewhere and cannot be run from here".into());
        imported.or_else(|| Some(format!("reported by {}: it has never run here", self.reported()?)))
    }

    /// When it was added.
    pub fn added(&self) -> Option<Time> {
        self.json.str("added").and_then(Time::parse)
    }

    /// The command as one line a shell would take.
    pub fn command_line(&self) -> String {
        let argv = self.argv();
        let mut words: Vec<String> = argv.iter().map(|a| shell_word(&a.to_string_lossy())).collect();
        // Unquoted, a first word with '=' sets a variable.
        if let Some(first) = words.first_mut().filter(|first| first.contains('=') && !first.starts_with('\'')) {
            *first = format!("'{first}'");
        }
        words.join(" ")
    }
}

/// A word as a shell takes it: as it is when it is harmless, else in single quotes.
pub fn shell_word(word: &str) -> String {
    let harmless = |c: char| c.is_alphanumeric() || "-_./=:,@%+^".contains(c);
    if !word.is_empty() && word.chars().all(harmless) {
        word.to_string()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// Patterns with commas or blanks between them.
fn host_patterns(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ' ', '\t']).filter(|pattern| !pattern.is_empty())
}

fn is_host_patterns(text: &str) -> bool {
    let is_good = |c: char| c.is_ascii_alphanumeric() || "-._*?, \t".contains(c);
    text.len() <= 1000 && text.chars().all(is_good) && host_patterns(text).next().is_some()
}

fn check_member(key: &str, value: &Value) -> std::result::Result<(), String> {
    let text = |longest: usize| match value {
        Value::Str(text) if text.len() <= longest && !text.contains('\0') => Ok(()),
        Value::Str(_) => Err(format!("'{key}' is longer than {longest} bytes, or holds a NUL")),
        _ => Err(format!("'{key}' must be a string")),
    };
    let whole = |most: i64| match value.as_int() {
        Some(n) if (0..=most).contains(&n) => Ok(()),
        _ => Err(format!("'{key}' must be a whole number from 0 to {most}")),
    };
    match key {
        "argv" if value.as_list().is_some() => Ok(()),
        "argv" => Err("'argv' must be a list of strings".into()),
        "cwd" => match json::to_os(value) {
            Some(dir) if Path::new(&dir).is_absolute() => Ok(()),
            _ => Err("'cwd' must be an absolute path".into()),
        },
        "batch" => match value.as_map() {
            Some(members) if members.iter().all(|(_, v)| v.as_str().is_some()) => Ok(()),
            _ => Err("'batch' is what a run in a batch job has, or nothing".into()),
        },
        "reported" => text(256),
        "host" if value.as_str().is_some_and(is_host_patterns) => Ok(()),
        "host" => Err("'host' must be names of hosts, or patterns such as \"gpu*\"".into()),
        "name" | "group" => text(200),
        "note" => text(65536),
        "added" | "metrics" | "checkpoint" | "weights" | "keep-checkpoints" => text(4096),
        "finish-up" if value.as_str().and_then(parse_duration).is_some() => Ok(()),
        "finish-up" => Err("'finish-up' must be a duration such as \"5m\"".into()),
        "profile" => text(4096).and_then(|()| {
            Profile::parse(value.as_str().unwrap_or_default()).map(drop).map_err(|what| format!("'profile': {what}"))
        }),
        "notify" => text(200).and_then(|()| {
            notify::parse(value.as_str().unwrap_or_default()).map(drop).map_err(|what| format!("'notify': {what}"))
        }),
        "params" => match value.as_map() {
            Some(members) if members.iter().all(|(_, v)| !matches!(v, Value::Map(_))) => Ok(()),
            _ => Err("'params' must be an object of strings, numbers, truth values or lists".into()),
        },
        "needs" => check_needs(value),
        "priority" => whole(9),
        "retries" => whole(1000),
        "tags" | "pattern" => match value.as_list() {
            Some(items) if items.iter().all(|v| matches!(v, Value::Str(_) | Value::Int(_))) => Ok(()),
            _ => Err(format!("'{key}' must be a list")),
        },
        "after" | "after-any" => match value.as_list() {
            Some(runs) if runs.iter().all(|run| run.as_int().is_some_and(|run| run > 0)) => Ok(()),
            _ => Err(format!("'{key}' must be a list of numbers of runs")),
        },
        "rules" => {
            let texts = value.as_list().unwrap_or(std::slice::from_ref(value));
            let wrong = |text: &Value| {
                text.as_str().map_or(Some("it must be a list of strings".into()), |t| Rule::parse(t).err())
            };
            texts.iter().find_map(wrong).map_or(Ok(()), |what| Err(format!("'rules': {what}")))?;
            value.as_list().map(drop).ok_or_else(|| "'rules' must be a list".into())
        }
        "hold" | "live" => value.as_bool().map(drop).ok_or_else(|| format!("'{key}' must be true or false")),
        "link" | "input" => match value.as_list() {
            Some(items) if items.iter().all(|v| json::to_os(v).is_some_and(|path| !path.is_empty())) => Ok(()),
            _ => Err(format!("'{key}' must be a list of paths")),
        },
        "origin" => value.as_map().map(drop).ok_or_else(|| "'origin' is what another spool wrote".to_string()),
        "source" => Source::of(value).map(drop).ok_or_else(|| "'source' is what importing a run wrote".to_string()),
        "code" => Code::of(value).map(drop).ok_or_else(|| "'code' is what adding a job wrote, or nothing".to_string()),
        other => Err(format!("unknown key '{other}'{}", did_you_mean(other, KEYS))),
    }
}

fn check_needs(value: &Value) -> std::result::Result<(), String> {
    for (key, value) in value.as_map().ok_or("'needs' must be an object")? {
        let good = match key.as_str() {
            "gpus" | "slots" => value.as_int().is_some_and(|n| (0..=1024).contains(&n)),
            "gpu-mem" | "ram" | "disk" => parse_size(&value.plain()).is_some(),
            "time" => parse_duration(&value.plain()).is_some(),
            "share" => value.as_bool().is_some(),
            other => return Err(format!("unknown need '{other}'{}", did_you_mean(other, NEEDS))),
        };
        if !good {
            return Err(format!("need '{key}': '{}' is not understood", value.plain()));
        }
    }
    Ok(())
}

/// Reads a parameter as people write it, `KEY=VALUE`: a number or truth value where JSON has one, else a string.
///
/// # Errors
/// A sentence that names the text.
pub fn parse_param(text: &str) -> std::result::Result<(String, Value), String> {
    let (key, value) = text
        .split_once('=')
        .filter(|(key, _)| !key.is_empty())
        .ok_or_else(|| format!("'{text}': expected KEY=VALUE"))?;
    let value = match Value::parse(value) {
        Ok(read @ (Value::Int(_) | Value::Num(_) | Value::Bool(_))) => read,
        _ => Value::from(value),
    };
    Ok((key.to_string(), value))
}

/// Reads needs as people write them: `gpus=1 ram=16G time=2-00:00:00`.
///
/// # Errors
/// A sentence that names the need.
pub fn parse_needs(text: &str) -> std::result::Result<Value, String> {
    let mut needs = Value::Map(Vec::new());
    for word in text.split([' ', '\t', ',']).filter(|w| !w.is_empty()) {
        let value = match word.split_once('=') {
            None if word == "share" => (word, Value::Bool(true)),
            None => return Err(format!("need '{word}': expected NAME=VALUE")),
            Some((key @ ("gpus" | "slots"), n)) => {
                (key, n.parse::<i64>().map(Value::Int).map_err(|_| format!("need '{word}': not a whole number"))?)
            }
            Some((key, value)) => (key, Value::from(value)),
        };
        needs.set(value.0, value.1);
    }
    check_needs(&needs).map(|()| needs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> std::result::Result<Job, String> {
        Job::check(Value::parse(text).unwrap())
    }

    #[test]
    fn jobs() {
        let job = check(r#"{"argv":["a","b c"],"cwd":"/x","needs":{"time":"2h"},"priority":3}"#).unwrap();
        assert_eq!(job.command_line(), "a 'b c'");
        assert_eq!(check(r#"{"argv":["a=1","b=2"]}"#).unwrap().command_line(), "'a=1' b=2");
        assert_eq!(job.priority(), 3);
        assert_eq!(job.time_limit(), Some(Duration::from_secs(7200)));
    }

    #[test]
    fn hosts() {
        let job = |host: &str| check(&format!(r#"{{"argv":["a"],"host":"{host}"}}"#)).unwrap();
        for (patterns, host, may) in [
            ("gpu*", "gpu1", true),
            ("gpu*", "cpu1", false),
            ("gpu1, gpu2", "gpu2.cluster", true),
            ("gpu?.cluster", "gpu2.cluster", true),
            ("gpu", "gpu2", false),
        ] {
            assert_eq!(job(patterns).may_start_on(host), may, "{patterns} {host}");
        }
        assert!(check(r#"{"argv":["a"]}"#).unwrap().may_start_on("any"));
    }

    #[test]
    fn refused() {
        for (text, part) in [
            ("{}", "'argv' is missing"),
            (r#"{"argv":[]}"#, "'argv' is missing"),
            (r#"{"argv":["a"],"cwd":"x"}"#, "absolute"),
            (r#"{"argv":["a"],"prams":{}}"#, "did you mean 'params'"),
            (r#"{"argv":["a"],"priority":10}"#, "from 0 to 9"),
            (r#"{"argv":["a"],"needs":{"gpu":1}}"#, "did you mean 'gpus'"),
            (r#"{"argv":["a\u0000"]}"#, "NUL"),
            (r#"{"argv":["a"],"live":1}"#, "'live'"),
            (r#"{"argv":["a"],"link":"data"}"#, "'link'"),
            (r#"{"argv":["a"],"host":"a/b"}"#, "'host'"),
            (r#"{"argv":["a"],"host":" ,"}"#, "'host'"),
            (r#"{"argv":["a"],"code":{"tree":"../../x"}}"#, "'code'"),
            (r#"{"argv":["a"],"source":{"format":"sacred","path":"/a"}}"#, "'source'"),
            ("[1]", "object"),
        ] {
            let what = check(text).unwrap_err();
            assert!(what.contains(part), "{text}: {what}");
        }
    }

    #[test]
    fn from_elsewhere() {
        let read = |text: &str| Job::on_record(Value::parse(text).unwrap());
        let job = read(r#"{"name":"a","source":{"format":"sacred","path":"/a/1"}}"#).unwrap();
        assert!(job.argv().is_empty() && job.command_line().is_empty() && job.source().is_some());
        assert!(read(r#"{"source":{"format":"sacred"}}"#).unwrap_err().contains("'source'"));
        assert!(read(r#"{"name":"a"}"#).unwrap_err().contains("'argv' is missing"));
    }

    #[test]
    fn parameters_keep_their_type() {
        let param = parse_param;
        assert_eq!(param("lr=0.1").unwrap().1, Value::Num(0.1));
        assert_eq!(param("n=12").unwrap().1, Value::Int(12));
        assert_eq!(param("on=true").unwrap().1, Value::Bool(true));
        assert_eq!(param("id=007").unwrap().1, Value::from("007"));
        assert_eq!(param("a=b=c").unwrap(), ("a".to_string(), Value::from("b=c")));
        assert!(param("=1").is_err() && param("x").is_err());
    }

    #[test]
    fn needs_as_people_write_them() {
        let needs = parse_needs("gpus=1 ram=16G, time=2-00:00:00 share").unwrap();
        assert_eq!(needs.to_string(), r#"{"gpus":1,"ram":"16G","time":"2-00:00:00","share":true}"#);
        assert!(parse_needs("gpus").is_err() && parse_needs("ram=lots").is_err());
    }
}
