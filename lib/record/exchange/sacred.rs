//! Sacred, as its FileStorageObserver writes it: a directory a run, `run.json` with what and how, `config.json` with the
//! settings, `metrics.json` with a list of steps, values and times for each variable, `cout.txt` with what was printed.
//! Values that are no JSON are as jsonpickle writes them: `{"py/tuple":[1,2]}`, `{"py/object":"numpy.float64","value":3}`.
//! Times are UTC without saying so. The files are rewritten in place, so one may be cut off: that is damage.

use super::{Foreign, Format, Found, Gather, LARGEST, MOST_PARAMS, Sink, folders, read_json, utc};
use crate::base::error::{Error, Result};
use crate::base::json::{self, Value};
use crate::base::time::Time;
use crate::spool::state::{How, State};
use std::path::Path;

mod write;

pub use write::Writer;

/// The largest metrics.json that is read, bytes: it can only be read as a whole.
const LARGEST_METRICS: u64 = 256 << 20;
/// Deepest setting that gets a parameter of its own.
const DEEPEST: usize = 8;

/// The runs in the directory of an observer, by number; or the directory itself if it is one.
///
/// # Errors
/// It cannot be read, or holds none.
pub fn find(path: &Path) -> Result<Vec<Found>> {
    if path.join("run.json").is_file() {
        return Ok(vec![Found::new(Format::Sacred, path)]);
    }
    let mut found = Vec::new();
    for name in folders(path)? {
        // A directory with a number that lacks it is one that its observer has begun.
        let is_number = name.bytes().all(|b| b.is_ascii_digit());
        if is_number || path.join(&name).join("run.json").is_file() {
            found.push(Found::new(Format::Sacred, &path.join(name)));
        }
    }
    if found.is_empty() {
        return Err(Error::data(path, 0, "holds no runs of Sacred (directories with a run.json)"));
    }
    Ok(found)
}

/// Reads a run.
///
/// # Errors
/// A file is damaged, missing or too large, or the sink fails.
pub fn read(found: &Found, sink: Sink) -> Result<Foreign> {
    let dir = &found.path;
    let path = dir.join("run.json");
    let run = read_json(&path, LARGEST)?.ok_or_else(|| Error::data(&path, 0, "is missing: this is no whole run"))?;
    let mut foreign = found.foreign("");
    describe(&mut foreign, &run);
    end(&mut foreign, &run).map_err(|what| Error::data(&path, 0, what))?;
    if let Some(config) = read_json(&dir.join("config.json"), LARGEST)? {
        let path = dir.join("config.json");
        flatten(&mut foreign.params, "", &config, 0).map_err(|what| Error::data(&path, 0, what))?;
    }
    let path = dir.join("metrics.json");
    if let Some(Value::Map(metrics)) = read_json(&path, LARGEST_METRICS)? {
        let mut gather = Gather::new(dir, sink);
        for (name, metric) in &metrics {
            add(&mut gather, name, metric).map_err(|err| match err {
                Error::Other(what) => Error::data(&path, 0, format!("'{name}': {what}")),
                err => err,
            })?;
        }
        gather.finish()?;
    }
    foreign.log = Some(dir.join("cout.txt")).filter(|log| log.is_file());
    Ok(foreign)
}

/// Name, command, host, code.
fn describe(foreign: &mut Foreign, run: &Value) {
    let experiment = run.get("experiment").unwrap_or(&Value::Null);
    if let Some(name) = experiment.str("name") {
        foreign.name = format!("{name}-{}", foreign.name);
        foreign.group = Some(name.to_string());
    }
    foreign.argv = command(run, experiment);
    foreign.cwd = experiment.str("base_dir").map(Into::into);
    let meta = run.get("meta").unwrap_or(&Value::Null);
    foreign.note = meta.str("comment").or_else(|| meta.get("options")?.str("--comment")).map(String::from);
    foreign.started = time(run.get("start_time"));
    foreign.ended = time(run.get("stop_time"));
    let mut facts: Vec<(&str, Value)> = Vec::new();
    if let Some(host) = run.get("host") {
        let os = host.list("os").and_then(|os| os.last()).and_then(Value::as_str);
        let members = [("name", host.str("hostname")), ("os", os.or(host.str("os"))), ("cpu", host.str("cpu"))];
        facts.push(("host", json::map(members.into_iter().filter_map(|(key, text)| Some((key, text?.into()))))));
        if let Some(version) = host.str("python_version") {
            facts.push(("python", json::map([("version", Value::from(version))])));
        }
    }
    if let Some(repository) = experiment.list("repositories").and_then(<[Value]>::first) {
        let members = ["commit", "dirty", "url"].map(|key| (key, repository.get(key).cloned().unwrap_or(Value::Null)));
        facts.push(("git", json::map(members)));
    }
    foreign.facts = if facts.is_empty() { Value::Null } else { json::map(facts) };
}

/// The command as Sacred's own command line takes it: what was called, and which settings were not the usual ones. Of a run
/// that was exported, the command that it had.
fn command(run: &Value, experiment: &Value) -> Vec<String> {
    if let Some(argv) = run.get("meta").and_then(|meta| meta.list("argv")) {
        return argv.iter().filter_map(Value::as_str).map(String::from).collect();
    }
    let Some(file) = experiment.str("mainfile") else { return Vec::new() };
    let mut argv = vec![file.to_string()];
    argv.extend(run.str("command").map(String::from));
    let meta = run.get("meta").unwrap_or(&Value::Null);
    let named = meta.list("named_configs").unwrap_or_default().iter().filter_map(Value::as_str).map(String::from);
    let updates = meta.get("config_updates").and_then(Value::as_map).unwrap_or_default();
    let settings: Vec<String> = named.chain(updates.iter().map(|(key, value)| format!("{key}={value}"))).collect();
    if !settings.is_empty() {
        argv.push("with".into());
        argv.extend(settings);
    }
    argv.retain(|word| !word.contains('\0'));
    argv
}

/// How it ended, from its status.
fn end(foreign: &mut Foreign, run: &Value) -> std::result::Result<(), String> {
    let status = run.str("status").ok_or("has no status: this is no run of Sacred")?;
    foreign.evidence = format!("Sacred: {status}");
    foreign.state = match status {
        "COMPLETED" => State::Done,
        "INTERRUPTED" => State::Cancelled,
        "TIMEOUT" => State::Failed(How::Time),
        "QUEUED" => return Err("is queued, and has not run".into()),
        "RUNNING" | "DIED" => {
            let heartbeat = time(run.get("heartbeat"));
            foreign.lost(status, heartbeat);
            foreign.ended = foreign.ended.or(heartbeat);
            return Ok(());
        }
        // An exception, or a word that the experiment itself chose.
        _ => State::Failed(How::Unknown),
    };
    let trace = run.list("fail_trace").unwrap_or_default();
    if let Some(last) = trace.iter().rev().filter_map(Value::as_str).map(str::trim).find(|line| !line.is_empty()) {
        foreign.evidence += &format!(": {last}");
    }
    Ok(())
}

fn time(value: Option<&Value>) -> Option<Time> {
    utc(value?.as_str()?)
}

/// Settings as parameters: those in an object get its name and a point before their own.
fn flatten(
    params: &mut Vec<(String, Value)>,
    name: &str,
    value: &Value,
    depth: usize,
) -> std::result::Result<(), String> {
    match plain(value) {
        Value::Map(members) if depth < DEEPEST && !members.is_empty() => {
            for (key, value) in &members {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                flatten(params, &name, value, depth + 1)?;
            }
        }
        _ if params.len() == MOST_PARAMS => return Err(format!("holds more than {MOST_PARAMS} settings")),
        Value::List(items) if items.iter().any(|item| matches!(item, Value::Map(_) | Value::List(_))) => {
            params.push((name.to_string(), Value::List(items).to_string().into()));
        }
        value @ Value::Map(_) => params.push((name.to_string(), value.to_string().into())),
        value => params.push((name.to_string(), value)),
    }
    Ok(())
}

/// What jsonpickle wrote, as JSON.
fn plain(value: &Value) -> Value {
    let Value::Map(members) = value else { return value.clone() };
    match members.as_slice() {
        [(key, inner)] if matches!(key.as_str(), "py/tuple" | "py/set") => inner.clone(),
        [(key, Value::Str(name))] if key.starts_with("py/") => Value::Str(name.clone()),
        _ if value.get("py/object").is_some() => {
            let inner = value.get("value").or_else(|| value.get("values"));
            inner.cloned().unwrap_or_else(|| value.clone())
        }
        _ => value.clone(),
    }
}

/// Adds the values of one variable.
fn add(gather: &mut Gather, name: &str, metric: &Value) -> Result<()> {
    let list = |key: &str| metric.list(key);
    let (Some(values), Some(steps)) = (list("values"), list("steps")) else {
        return Err(Error::other("has no lists 'values' and 'steps'"));
    };
    if values.len() != steps.len() {
        return Err(Error::other(format!("has {} values and {} steps", values.len(), steps.len())));
    }
    let times = list("timestamps").unwrap_or_default();
    let number = gather.name(name)?;
    for (at, (value, step)) in values.iter().zip(steps).enumerate() {
        // What is no number is no value of a variable of interest.
        if let Some(x) = plain(value).as_num() {
            gather.add(time(times.get(at)), plain(step).as_num(), number, x)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Dir, shown};
    use super::*;

    const RUN: &str = r#"{"command":"main","experiment":{"base_dir":"/home/me","mainfile":"rnn.py","name":"rnn",
        "repositories":[{"commit":"abc","dirty":true,"url":"u"}]},"heartbeat":"2026-11-22T20:00:09.5",
        "host":{"hostname":"gpu1","os":["Linux","Linux-6.1"],"python_version":"3.11.7"},
        "meta":{"config_updates":{"lr":0.1},"named_configs":["big"],"options":{"--comment":"try"}},
        "start_time":"2026-11-22T20:00:00.123456","status":"STATUS","stop_time":"2026-11-22T20:00:10",
        "fail_trace":["Traceback:\n","ValueError: no\n",""]}"#;

    #[test]
    fn a_run() {
        let dir = Dir::new("sacred");
        dir.write("2/run.json", RUN.replace("STATUS", "COMPLETED"));
        dir.write("2/config.json", r#"{"lr":0.1,"net":{"layers":{"py/tuple":[1,2]},"deep":[[1],{"a":2}]},"act":{"py/object":"numpy.float32","dtype":"float32","value":1.5},"f":{"py/function":"a.b"},"none":null}"#);
        dir.write("2/metrics.json", r#"{"loss":{"steps":[0,1],"timestamps":["2026-11-22T20:00:01.100000","2026-11-22T20:00:02"],"values":[0.5,NaN]},
            "acc":{"steps":[0,null],"timestamps":["2026-11-22T20:00:01.200000"],"values":[{"py/object":"numpy.float32","value":0.25},7]}}"#);
        dir.write("2/cout.txt", "hello\n");
        dir.write("10/run.json", RUN.replace("STATUS", "FAILED"));
        dir.write("_sources/a.py", "");
        let (found, _) = Format::Sacred.find(&dir.path).unwrap();
        let names: Vec<&str> = found.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["2", "10"]);
        let (foreign, lines) = shown(&found[0]).unwrap();
        assert_eq!(
            lines,
            [
                r#"{"loss":0}"#.replace(r#""loss":0"#, r#""acc":7"#),
                r#"{"t":"2026-11-22T20:00:01.100Z","step":0,"loss":0.5,"acc":0.25}"#.into(),
                r#"{"t":"2026-11-22T20:00:02.000Z","step":1,"loss":"NaN"}"#.into(),
            ]
        );
        let params: Vec<String> = foreign.params.iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(params.join(" "), r#"lr=0.1 net.layers=[1,2] net.deep="[[1],{\"a\":2}]" act=1.5 f="a.b" none=null"#);
        assert_eq!(foreign.argv.join(" "), "rnn.py main with big lr=0.1");
        assert_eq!(
            (foreign.name.as_str(), foreign.group.as_deref(), foreign.note.as_deref()),
            ("rnn-2", Some("rnn"), Some("try"))
        );
        assert_eq!((foreign.state.clone(), foreign.log), (State::Done, Some(found[0].path.join("cout.txt"))));
        assert_eq!(foreign.started, Time::parse("2026-11-22T20:00:00.123Z"));
        assert_eq!(
            foreign.facts.to_string(),
            r#"{"host":{"name":"gpu1","os":"Linux-6.1"},"python":{"version":"3.11.7"},"git":{"commit":"abc","dirty":true,"url":"u"}}"#
        );
        let (foreign, _) = shown(&found[1]).unwrap();
        assert_eq!(foreign.evidence, "Sacred: FAILED: ValueError: no");
    }

    #[test]
    fn states() {
        let dir = Dir::new("sacred-states");
        for (status, state) in [
            ("COMPLETED", Some(State::Done)),
            ("FAILED", Some(State::Failed(How::Unknown))),
            ("INTERRUPTED", Some(State::Cancelled)),
            ("TIMEOUT", Some(State::Failed(How::Time))),
            ("RUNNING", Some(State::Failed(How::Lost))),
            ("QUEUED", None),
            ("OWN_WORD", Some(State::Failed(How::Unknown))),
        ] {
            dir.write("1/run.json", RUN.replace("STATUS", status));
            let found = Format::Sacred.find(&dir.path.join("1")).unwrap().0;
            let read = shown(&found[0]);
            assert_eq!(read.as_ref().ok().map(|(foreign, _)| foreign.state.clone()), state, "{status}");
            if status == "RUNNING" {
                assert!(read.unwrap().0.remarks[0].contains("last heard of at 2026-11-22T20:00:09.500Z"));
            }
        }
    }

    #[test]
    fn damaged() {
        let dir = Dir::new("sacred-damaged");
        dir.write("1/metrics.json", "{}");
        let wrong = |what: &str| {
            let found = Format::Sacred.find(&dir.path).unwrap().0;
            let said = shown(&found[0]).unwrap_err().to_string();
            assert!(said.contains(what), "{said}");
        };
        wrong("1/run.json: is missing");
        dir.write("1/run.json", "[]");
        wrong("has no status");
        dir.write("1/run.json", "{\"status\":\n");
        wrong("run.json:2: column 1");
        dir.write("1/run.json", r#"{"status":"COMPLETED"}"#);
        dir.write("1/metrics.json", r#"{"loss":{"steps":[1],"values":[]}}"#);
        wrong("metrics.json: 'loss': has 0 values and 1 steps");
        dir.write("1/metrics.json", r#"{"loss":[1]}"#);
        wrong("'loss': has no lists");
        dir.write("1/metrics.json", r#"{"loss":{"steps":[1,"#);
        wrong("metrics.json:1: column");
        assert!(Format::Sacred.find(&dir.path.join("1/none")).is_err());
        std::fs::remove_dir_all(dir.path.join("1")).unwrap();
        assert!(
            Format::Sacred
                .find(&dir.path)
                .unwrap_err()
                .to_string()
                .ends_with("holds no runs of Sacred (directories with a run.json)")
        );
    }
}
