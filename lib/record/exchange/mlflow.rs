//! MLflow's file store: `mlruns/EXPERIMENT/RUN/`, with `meta.yaml` (flat keys), a file of lines `TIME VALUE STEP` for each
//! variable below `metrics/`, a file with its value for each parameter below `params/` and each tag below `tags/`. Names
//! with slashes are paths. What was deleted there, experiment or run, is left out.

use super::{DEEPEST, Foreign, Format, Found, Gather, LARGEST, MOST_PARAMS, Sink};
use super::{folders, milliseconds, read_small, read_up_to};
use crate::base::error::{Doing, Error, Result};
use crate::base::files;
use crate::base::json::{self, Value};
use crate::base::time::Time;
use crate::spool::job::parse_param;
use crate::spool::state::{How, State};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

mod yaml;

/// The longest parameter or tag, and the longest line of a variable, bytes.
const LONGEST_VALUE: u64 = 1 << 20;
const LONGEST_LINE: u64 = 4096;
/// The most files of a run for variables, parameters, or tags.
const MOST_FILES: usize = 100_000;
const META: &str = "meta.yaml";

/// The runs of all experiments in a folder, of one, or one run.
///
/// # Errors
/// It cannot be read, or holds none.
pub fn find(path: &Path, remarks: &mut Vec<String>) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    match meta(path)? {
        Some(of_run) if of_run.get("run_id").is_some() || of_run.get("run_uuid").is_some() => {
            found.push(Found { group: experiment_of(path), ..Found::new(Format::Mlflow, path) });
        }
        Some(of_experiment) => experiment(path, &of_experiment, &mut found, remarks)?,
        None => {
            for name in folders(path)? {
                let dir = path.join(name);
                if let Some(of_experiment) = meta(&dir)?.filter(|meta| meta.get("experiment_id").is_some()) {
                    experiment(&dir, &of_experiment, &mut found, remarks)?;
                }
            }
        }
    }
    if found.is_empty() {
        return Err(Error::data(path, 0, "holds no runs of MLflow (directories with a meta.yaml)"));
    }
    Ok(found)
}

fn experiment_of(run: &Path) -> Option<String> {
    meta(run.parent()?).ok()??.str("name").map(String::from)
}

fn experiment(dir: &Path, about: &Value, found: &mut Vec<Found>, remarks: &mut Vec<String>) -> Result<()> {
    let name = about.str("name").map(String::from);
    if is_deleted(about) {
        remarks.push(format!("{}: the experiment was deleted: left out", dir.display()));
        return Ok(());
    }
    let mut deleted = 0;
    for run in folders(dir)? {
        let path = dir.join(run);
        // Other folders of an experiment have no such file, and no runs; a damaged one is told of when it is read.
        match meta(&path) {
            Ok(None) => {}
            Ok(Some(about)) if is_deleted(&about) => deleted += 1,
            _ => found.push(Found { group: name.clone(), ..Found::new(Format::Mlflow, &path) }),
        }
    }
    if deleted > 0 {
        remarks.push(format!("{}: deleted runs, {deleted} in all, are left out", dir.display()));
    }
    Ok(())
}

fn is_deleted(meta: &Value) -> bool {
    meta.str("lifecycle_stage") == Some("deleted")
}

fn meta(dir: &Path) -> Result<Option<Value>> {
    let path = dir.join(META);
    let Some(text) = read_small(&path)? else { return Ok(None) };
    yaml::parse(&text).map(Some).map_err(|(line, what)| Error::data(&path, line, what))
}

/// Reads a run.
///
/// # Errors
/// A file is damaged, missing or too large, or the sink fails.
pub fn read(found: &Found, sink: Sink) -> Result<Foreign> {
    let dir = &found.path;
    let about = meta(dir)?.ok_or_else(|| Error::data(dir.join(META), 0, "is missing: this is no whole run"))?;
    let mut foreign = found.foreign("");
    foreign.source.id = about.str("run_id").or(about.str("run_uuid")).map(String::from);
    if let Some(name) = about.str("run_name").or(about.str("name")).filter(|name| !name.is_empty()) {
        foreign.name = name.to_string();
    }
    let at = |key: &str| about.str(key)?.parse().ok().filter(|ms| *ms > 0).and_then(milliseconds);
    (foreign.started, foreign.ended) = (at("start_time"), at("end_time"));
    end(&mut foreign, about.str("status").unwrap_or_default());
    each_value(&dir.join("params"), &mut |name, text| {
        if foreign.params.len() == MOST_PARAMS {
            return Err(Error::data(dir, 0, format!("has more than {MOST_PARAMS} parameters")));
        }
        foreign.params.push((name.to_string(), parameter(text)));
        Ok(())
    })?;
    tags(&mut foreign, dir)?;
    metrics(found, sink)?;
    Ok(foreign)
}

/// A number or truth value where Python writes one, else a text.
fn parameter(text: &str) -> Value {
    match text {
        "True" => true.into(),
        "False" => false.into(),
        text => parse_param(&format!("x={text}")).map_or(text.into(), |(_, value)| value),
    }
}

/// How it ended: by number, or, in older stores, by word.
fn end(foreign: &mut Foreign, status: &str) {
    let (word, state) = match status {
        "1" | "RUNNING" => ("RUNNING", None),
        "2" | "SCHEDULED" => ("SCHEDULED", None),
        "3" | "FINISHED" => ("FINISHED", Some(State::Done)),
        "4" | "FAILED" => ("FAILED", Some(State::Failed(How::Unknown))),
        "5" | "KILLED" => ("KILLED", Some(State::Cancelled)),
        _ => ("unknown", None),
    };
    foreign.evidence = format!("MLflow: {word}");
    match state {
        Some(state) => foreign.state = state,
        None => foreign.lost(word, None),
    }
}

/// Tags of a person's own are kept as `key=value`; those of MLflow itself say what is known of code and people.
fn tags(foreign: &mut Foreign, dir: &Path) -> Result<()> {
    let mut git: Vec<(&str, Value)> = Vec::new();
    each_value(&dir.join("tags"), &mut |name, text| {
        match name {
            "mlflow.note.content" => foreign.note = Some(text.to_string()),
            "mlflow.source.git.commit" => git.push(("commit", text.into())),
            "mlflow.source.git.branch" => git.push(("branch", text.into())),
            "mlflow.runName" if !text.is_empty() => foreign.name = text.to_string(),
            name if name.starts_with("mlflow.") => {}
            name => foreign.tags.push(if text.is_empty() { name.into() } else { format!("{name}={text}") }),
        }
        Ok(())
    })?;
    if !git.is_empty() {
        foreign.facts = json::map([("git", json::map(git))]);
    }
    Ok(())
}

/// Each file below a directory: its name there, and what is in it without a line end.
fn each_value(dir: &Path, act: &mut dyn FnMut(&str, &str) -> Result<()>) -> Result<()> {
    let mut size = 0;
    for (name, path) in below(dir)? {
        let text = read_up_to(&path, LONGEST_VALUE)?.unwrap_or_default();
        size += text.len() as u64;
        if size > LARGEST {
            return Err(Error::data(dir, 0, format!("holds more than {} MiB of text", LARGEST >> 20)));
        }
        act(&name, text.trim_end_matches('\n'))?;
    }
    Ok(())
}

fn metrics(found: &Found, sink: Sink) -> Result<()> {
    let mut gather = Gather::new(&found.path, sink);
    for (name, path) in below(&found.path.join("metrics"))? {
        let number = gather.name(&name)?;
        let mut file = BufReader::new(files::open_foreign(&path)?);
        let (mut line, mut count) = (Vec::new(), 0);
        loop {
            line.clear();
            (&mut file).take(LONGEST_LINE).read_until(b'\n', &mut line).doing("read", &path)?;
            count += 1;
            // A last line without an end is one that is still being written.
            let Some(text) = line.strip_suffix(b"\n") else {
                if line.len() as u64 == LONGEST_LINE {
                    return Err(Error::data(&path, count, "a line that is too long"));
                }
                break;
            };
            let wrong = || Error::data(&path, count, "is not 'time value step'");
            let (t, step, value) = entry(text).ok_or_else(wrong)?;
            gather.add(Some(t), step, number, value)?;
        }
    }
    gather.finish()
}

/// `TIME VALUE STEP`, in old stores without the step, in new ones perhaps with more.
fn entry(line: &[u8]) -> Option<(Time, Option<f64>, f64)> {
    let mut words = str::from_utf8(line).ok()?.split_ascii_whitespace();
    let t = milliseconds(words.next()?.parse().ok()?)?;
    let value = words.next()?.parse().ok()?;
    let step = match words.next() {
        Some(step) => Some(step.parse::<i64>().ok()? as f64),
        None => None,
    };
    Some((t, step, value))
}

/// All files below a directory with their names there, in order. None if it is missing.
fn below(dir: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    if dir.is_dir() {
        look(dir, "", 0, &mut found)?;
    }
    found.sort();
    Ok(found)
}

fn look(dir: &Path, prefix: &str, depth: usize, found: &mut Vec<(String, PathBuf)>) -> Result<()> {
    for name in files::names(dir)? {
        let path = dir.join(&name);
        let name = format!("{prefix}{}", name.to_string_lossy());
        match std::fs::symlink_metadata(&path).doing("read", &path)? {
            _ if found.len() == MOST_FILES => {
                return Err(Error::data(dir, 0, format!("holds more than {MOST_FILES} files")));
            }
            meta if meta.is_file() => found.push((name, path)),
            meta if meta.is_dir() && depth < DEEPEST => look(&path, &format!("{name}/"), depth + 1, found)?,
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Dir, shown};
    use super::*;

    const META: &str = "artifact_uri: file:///x\nend_time: 1795739414703\nexperiment_id: '35'\nlifecycle_stage: active\n\
        run_id: ab12\nrun_name: 'it''s one'\nstart_time: 1795739414694\nstatus: 3\ntags: []\nuser_id: me\n";
    const EXPERIMENT: &str = "experiment_id: '35'\nlifecycle_stage: active\nname: ex one\n";

    fn store(name: &str) -> Dir {
        let dir = Dir::new(name);
        dir.write("35/meta.yaml", EXPERIMENT);
        dir.write("35/ab12/meta.yaml", META);
        dir.write("35/traces/x", "");
        dir.write("models/m/meta.yaml", "name: m\n");
        dir
    }

    #[test]
    fn a_run() {
        let dir = store("mlflow");
        dir.write("35/ab12/params/lr", "0.1");
        dir.write("35/ab12/params/net/act", "x\ny");
        dir.write("35/ab12/params/on", "True");
        dir.write("35/ab12/tags/who", "me");
        dir.write("35/ab12/tags/mlflow.note.content", "good");
        dir.write("35/ab12/tags/mlflow.source.git.commit", "abc");
        dir.write("35/ab12/metrics/train/loss", "1795739414700 1.0 0\n1795739414701 0.5 1 data d1g\n1795739414");
        dir.write("35/ab12/metrics/acc", "1795739414702 nan 0\n");
        dir.write("35/ab12/metrics/old", "1795739414800 2\n");
        let (found, remarks) = Format::Mlflow.find(&dir.path).unwrap();
        assert_eq!((found.len(), remarks.len()), (1, 0));
        let (foreign, lines) = shown(&found[0]).unwrap();
        assert_eq!(
            lines,
            [
                r#"{"t":"2026-11-27T00:30:14.700Z","step":0,"train/loss":1,"acc":"NaN"}"#,
                r#"{"t":"2026-11-27T00:30:14.701Z","step":1,"train/loss":0.5}"#,
                r#"{"t":"2026-11-27T00:30:14.800Z","old":2}"#,
            ]
        );
        let params: Vec<String> = foreign.params.iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(params.join(" "), r#"lr=0.1 net/act="x\ny" on=true"#);
        assert_eq!((foreign.name.as_str(), foreign.group.as_deref()), ("it's one", Some("ex one")));
        assert_eq!((foreign.tags, foreign.note.as_deref()), (vec!["who=me".to_string()], Some("good")));
        assert_eq!((foreign.source.id.as_deref(), foreign.state), (Some("ab12"), State::Done));
        assert_eq!(foreign.started, Some(Time(1_795_739_414_694)));
        for place in ["35", "35/ab12"] {
            let again = Format::Mlflow.find(&dir.path.join(place)).unwrap().0;
            assert_eq!(again, found, "{place}");
        }
    }

    #[test]
    fn deleted_and_unfinished() {
        let dir = store("mlflow-deleted");
        dir.write("35/gone/meta.yaml", META.replace("active", "deleted"));
        dir.write("36/meta.yaml", EXPERIMENT.replace("active", "deleted"));
        dir.write("36/ab12/meta.yaml", META);
        let (found, remarks) = Format::Mlflow.find(&dir.path).unwrap();
        assert_eq!((found.len(), remarks.len()), (1, 2));
        for (status, state) in [
            ("1", State::Failed(How::Lost)),
            ("RUNNING", State::Failed(How::Lost)),
            ("4", State::Failed(How::Unknown)),
            ("KILLED", State::Cancelled),
            ("9", State::Failed(How::Lost)),
        ] {
            dir.write("35/ab12/meta.yaml", META.replace("status: 3", &format!("status: {status}")));
            assert_eq!(shown(&found[0]).unwrap().0.state, state, "{status}");
        }
        // No such times: the year 10000, and before the first second.
        dir.write("35/ab12/meta.yaml", META.replace("1795739414703", "253402300800000").replace("1795739414694", "-1"));
        let foreign = shown(&found[0]).unwrap().0;
        assert_eq!((foreign.started, foreign.ended), (None, None));
    }

    #[test]
    fn damaged() {
        let dir = store("mlflow-damaged");
        let wrong = |what: &str| {
            let found = Format::Mlflow.find(&dir.path).unwrap().0;
            let said = shown(&found[0]).unwrap_err().to_string();
            assert!(said.contains(what), "{said}");
        };
        for line in ["x", "1", "1 y", "1 2 z", "-1 2 3", "99999999999999999 1 1"] {
            dir.write("35/ab12/metrics/a/b", format!("1 2 3\n{line}\n"));
            wrong("metrics/a/b:2: is not 'time value step'");
        }
        dir.write("35/ab12/metrics/a/b", "9".repeat(10_000));
        wrong("a line that is too long");
        dir.write("35/ab12/meta.yaml", "a\n");
        wrong("meta.yaml:1: ");
        assert!(Format::Mlflow.find(&dir.path.join("models")).is_err());
    }
}
