//! Sections of the settings: after a line `[host NAME]`, keys belong to that host until the next section begins. A section
//! may stand in both files; the spool's keys win.

use crate::base::error::{Error, Result};
use crate::base::text::did_you_mean;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The keys of a `[host NAME]`.
const HOST_KEYS: [&str; 11] =
    ["ssh", "options", "bin", "spool", "work", "engine", "engine-options", "slots", "gpus", "group", "env"];
/// Names that mean something else where a host may be named.
const TAKEN: [&str; 7] = ["slurm", "gridengine", "report", "local", "all", "none", "sending"];
/// The longest name: it stands in the names of tokens.
const LONGEST: usize = 64;

/// A value and where it stands.
pub(super) type Placed = (String, PathBuf, usize);

/// What is said of one host.
#[derive(Clone, Debug, Default)]
pub struct Section {
    values: BTreeMap<String, Placed>,
}

impl Section {
    /// A key's value.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(|(value, ..)| value.as_str())
    }

    /// A key's value, read; `what` says in words what it must be.
    ///
    /// # Errors
    /// It is something else: file and line, and what it should be.
    pub fn read<T>(&self, key: &str, what: &str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>> {
        let Some((value, path, line)) = self.values.get(key) else { return Ok(None) };
        let wrong = || Error::data(path, *line, format!("{key}: '{value}' is not {what}"));
        read(value).map(Some).ok_or_else(wrong)
    }

    /// Sets a key; a sentence when there is none of that name.
    pub(super) fn set(&mut self, key: &str, placed: Placed) -> std::result::Result<(), String> {
        if !HOST_KEYS.contains(&key) {
            return Err(format!("unknown key '{key}' of a host{}", did_you_mean(key, HOST_KEYS)));
        }
        self.values.insert(key.to_string(), placed);
        Ok(())
    }
}

/// The host that a line in brackets begins.
pub(super) fn host_of(line: &str) -> std::result::Result<String, String> {
    let inside = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).ok_or("expected ']' at its end")?;
    let (kind, name) = inside.trim().split_once(char::is_whitespace).unwrap_or((inside.trim(), ""));
    let name = name.trim();
    if kind != "host" {
        return Err(format!("unknown section '{kind}'{}: there is [host NAME]", did_you_mean(kind, ["host"])));
    }
    if !is_name(name) {
        return Err(format!(
            "'{name}' is no name for a host: letters, digits, '.', '-' and '_', and not one of {}",
            TAKEN.join(" ")
        ));
    }
    Ok(name.to_string())
}

/// Whether a host or group may be called so.
pub fn is_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let first = name.bytes().next();
    first.is_some_and(|b| b.is_ascii_alphanumeric())
        && name.len() <= LONGEST
        && name.bytes().all(fits)
        && !TAKEN.contains(&name)
}
