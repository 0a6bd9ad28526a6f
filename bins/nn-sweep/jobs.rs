//! Makes jobs of experiments: what `nn-queue add` reads, a JSON object each.

use crate::sweep::{Sweep, Variant};
use crate::words::{Part, Template};
use nn::base::error::{Doing, Error, Result};
use nn::base::files;
use nn::base::json::{self, Value};
use nn::spool::job::{Job, parse_needs};
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

/// Makes the jobs of one sweep.
#[derive(Debug)]
pub struct Maker<'a> {
    sweep: &'a Sweep,
    /// The group of those that name none
    group: Option<String>,
    /// Where those run that name no directory
    here: PathBuf,
    /// What a directory in the specification is relative to
    beside: PathBuf,
    /// The last directory asked for, and what it came to
    dir: (String, PathBuf),
}

impl<'a> Maker<'a> {
    /// For a specification in a file, or on standard input (None).
    ///
    /// # Errors
    /// The working directory is gone.
    pub fn new(sweep: &'a Sweep, file: Option<&Path>) -> Result<Maker<'a>> {
        let here = std::env::current_dir().doing("find", "the current directory")?;
        let beside = match file.and_then(Path::parent) {
            Some(dir) => here.join(dir),
            None => here.clone(),
        };
        let group = file.and_then(Path::file_stem).map(|stem| stem.to_string_lossy().into_owned());
        Ok(Maker { sweep, group, here, beside, dir: Default::default() })
    }

    /// The directory that commands run in unless they are told otherwise.
    pub fn here(&self) -> &Path {
        &self.here
    }

    /// The job of an experiment, checked as `nn-queue add` will check it.
    ///
    /// # Errors
    /// A member that is not what it should be, with the line of the setting or the experiment.
    pub fn job(&mut self, variant: &Variant, values: &[Option<String>]) -> Result<Job> {
        let text = |key: &str| -> Option<String> {
            let template = variant.settings.get(key)?.words.first()?;
            Some(self.fill(template, variant, values)).filter(|text| !text.is_empty())
        };
        let list = |key: &str| -> Option<Vec<String>> {
            Some(variant.settings.get(key)?.words.iter().map(|t| self.fill(t, variant, values)).collect())
        };
        let wrong = |key: &str, what: String| {
            let line = variant.settings.get(key).map_or(variant.line, |setting| setting.line);
            Error::data(&self.sweep.path, line, what)
        };
        let whole = |key: &str| match text(key) {
            Some(text) => match text.parse::<i64>() {
                Ok(n) => Ok(Some(Value::Int(n))),
                Err(_) => Err(wrong(key, format!("'{key}': '{text}' is not a whole number"))),
            },
            None => Ok(None),
        };
        let yes = |key: &str| match text(key).map(|text| text.to_lowercase()).as_deref() {
            Some("yes" | "true") => Ok(Some(true.into())),
            None | Some("no" | "false") => Ok(None),
            Some(other) => Err(wrong(key, format!("'{key}': '{other}' is neither yes nor no"))),
        };
        let needs = text("needs").map(|text| parse_needs(&text).map_err(|what| wrong("needs", what))).transpose()?;
        let params = self.sweep.params.iter().zip(values);
        let params = params.filter_map(|(name, value)| Some((name.clone(), typed(value.as_deref()?))));
        let members = [
            ("name", text("name").map(Value::from)),
            ("group", text("group").or_else(|| self.group.clone()).map(Value::from)),
            ("argv", list("command").map(Value::from)),
            ("cwd", Some(Value::Null)),
            ("params", Some(Value::Map(params.collect()))),
            ("needs", needs),
            ("priority", whole("priority")?),
            ("retries", whole("retries")?),
            ("note", text("note").map(Value::from)),
            ("tags", list("tags").map(Value::from)),
            ("hold", yes("hold")?),
            ("live", yes("live")?),
            ("link", list("link").map(Value::from)),
            ("metrics", text("metrics").map(Value::from)),
            ("pattern", list("pattern").map(Value::from)),
            ("rules", list("rule").map(Value::from)),
            ("checkpoint", text("checkpoint").map(Value::from)),
            ("weights", text("weights").map(Value::from)),
            ("keep-checkpoints", text("keep-checkpoints").map(Value::from)),
            ("finish-up", text("finish-up").map(Value::from)),
            ("profile", text("profile").map(Value::from)),
            ("host", text("host").map(Value::from)),
            ("notify", text("notify").map(Value::from)),
        ];
        let mut job = json::map(members.into_iter().filter_map(|(key, value)| Some((key, value?))));
        let dir = text("dir").map(|dir| self.directory(dir));
        job.set("cwd", json::from_os(dir.as_deref().unwrap_or(&self.here).as_os_str()));
        // The sentence names the member in quotes.
        Job::check(job).map_err(|what| {
            let key = what.split('\'').nth(1).unwrap_or_default().replace("rules", "rule");
            let line = variant.settings.get(key.as_str()).map_or(variant.line, |setting| setting.line);
            Error::data(&self.sweep.path, line, what)
        })
    }

    fn fill(&self, template: &Template, variant: &Variant, values: &[Option<String>]) -> String {
        let mut filled = String::new();
        for part in &template.0 {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Place(name) => filled.push_str(match self.sweep.param(name).and_then(|slot| values.get(slot)) {
                    Some(value) => value.as_deref().unwrap_or_default(),
                    None => variant.label.as_deref().unwrap_or_default(),
                }),
            }
        }
        filled
    }

    /// A directory as it is named beside the specification, made absolute. One that is there loses its `..`.
    fn directory(&mut self, named: String) -> PathBuf {
        if self.dir.0 != named {
            let home = std::env::home_dir().filter(|_| named == "~" || named.starts_with("~/"));
            let path = match home {
                Some(home) => home.join(named.trim_start_matches('~').trim_start_matches('/')),
                None => self.beside.join(&named),
            };
            let path = path.canonicalize().or_else(|_| files::absolute(&path)).unwrap_or(path);
            self.dir = (named, path);
        }
        self.dir.1.clone()
    }
}

/// A number or truth value that prints as it was written, else the text: nothing a program is given changes.
fn typed(text: &str) -> Value {
    match Value::parse(text) {
        Ok(value @ (Value::Int(_) | Value::Num(_) | Value::Bool(_))) if value.to_string() == text => value,
        _ => Value::from(text),
    }
}

/// What makes two commands the same.
pub const COMMAND: [&str; 2] = ["argv", "cwd"];

/// What makes two experiments the same.
pub const EXPERIMENT: [&str; 3] = ["argv", "cwd", "params"];

/// A number for what these members hold.
pub fn fingerprint(job: &Job, members: &[&str]) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        salt.hash(&mut hasher);
        for member in members {
            job.json.get(member).map(Value::to_string).hash(&mut hasher);
        }
        hasher.finish()
    };
    u128::from(half(0)) << 64 | u128::from(half(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_print_back_are_numbers() {
        for text in ["0.001", "20", "-3", "0.5", "true", "1e-6"] {
            assert!(!matches!(typed(text), Value::Str(_)), "{text}");
        }
        for text in ["007", "1.10", "1e-4", "+1", "", "NaN", "0x10", "null", "\"a\"", "12345678901234567890"] {
            assert!(matches!(typed(text), Value::Str(_)), "{text}");
        }
    }
}
