//! Settings: `key = value` lines in the spool's `config` and in ~/.config/nn/config. The spool's win over the person's,
//! and the environment wins over both: key `a.b-c` is NN_A_B_C. An unknown key is an error with file and line.
//! After a line `[host NAME]` the keys are that host's (config/section.rs).

mod section;

pub use section::{Section, is_name};

use crate::base::error::{Error, Result};
use crate::base::files::read_text_if_any;
use crate::base::text::did_you_mean;
use crate::base::time::parse_duration;
use crate::base::units::parse_size;
use crate::spool::rule::Rule;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Every key there is; `table.` stands for any name after it.
const KEYS: [&str; 46] = [
    "spool",
    "grace",
    "slots",
    "pattern",
    "table.",
    "backoff",
    "breaker",
    "resources.every",
    "judge",
    "rule",
    "snapshot.file-limit",
    "snapshot.limit",
    "snapshot.link",
    "mail.server",
    "mail.tls",
    "mail.ca-file",
    "mail.user",
    "mail.password-file",
    "mail.password-command",
    "mail.from",
    "mail.to",
    "mail.via",
    "mail.timeout",
    "mail.notify",
    "mail.digest",
    "mail.limit",
    "mail.quiet",
    "mail.subject",
    "mail.body",
    "report.server",
    "report.token-file",
    "report.ca-file",
    "report.plain",
    "report.timeout",
    "report.limit",
    "report.runs",
    "slurm.options",
    "slurm.setup",
    "gridengine.options",
    "gridengine.setup",
    "gridengine.slots",
    "gridengine.gpus",
    "gridengine.gpu-mem",
    "gridengine.ram",
    "gridengine.disk",
    "gridengine.time",
];

/// Those that may stand several times: all of their lines count, the person's before the spool's.
const LISTS: [&str; 4] = ["slurm.options", "slurm.setup", "gridengine.options", "gridengine.setup"];

/// The settings in force.
#[derive(Clone, Debug, Default)]
pub struct Config {
    values: BTreeMap<String, (String, PathBuf, usize)>,
    rules: Vec<Rule>,
    /// Of keys that may stand several times
    lists: BTreeMap<String, Vec<String>>,
    hosts: BTreeMap<String, Section>,
}

impl Config {
    /// The person's settings alone.
    ///
    /// # Errors
    /// The file cannot be read, or a line is wrong.
    pub fn of_person() -> Result<Config> {
        let mut config = Config::default();
        if let Some(dir) = person_dir() {
            config.add(&dir.join("config"))?;
        }
        Ok(config)
    }

    /// The person's settings, and over them the spool's.
    ///
    /// # Errors
    /// A file cannot be read, or a line is wrong.
    pub fn load(spool: &Path) -> Result<Config> {
        let mut config = Config::of_person()?;
        config.add(&spool.join("config"))?;
        Ok(config)
    }

    fn add(&mut self, path: &Path) -> Result<()> {
        let text = read_text_if_any(path)?.unwrap_or_default();
        let mut host: Option<String> = None;
        for (i, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if line.starts_with('[') {
                let name = section::host_of(line).map_err(|what| Error::data(path, i + 1, what))?;
                self.hosts.entry(name.clone()).or_default();
                host = Some(name);
                continue;
            }
            let (key, value) =
                line.split_once('=').ok_or_else(|| Error::data(path, i + 1, "expected 'key = value'"))?;
            let (key, value) = (key.trim(), value.trim());
            if let Some(host) = &host {
                let section = self.hosts.entry(host.clone()).or_default();
                let set = section.set(key, (value.to_string(), path.to_path_buf(), i + 1));
                set.map_err(|what| Error::data(path, i + 1, what))?;
                continue;
            }
            if !KEYS.iter().any(|k| *k == key || k.ends_with('.') && key.len() > k.len() && key.starts_with(k)) {
                return Err(Error::data(path, i + 1, format!("unknown key '{key}'{}", did_you_mean(key, KEYS))));
            }
            // There may be many, and those of the spool come on top of the person's.
            if key == "rule" {
                self.rules.push(Rule::parse(value).map_err(|what| Error::data(path, i + 1, what))?);
                continue;
            }
            if LISTS.contains(&key) {
                self.lists.entry(key.to_string()).or_default().push(value.to_string());
                continue;
            }
            self.values.insert(key.to_string(), (value.to_string(), path.to_path_buf(), i + 1));
        }
        Ok(())
    }

    /// A setting: from the environment, else from the files.
    pub fn get(&self, key: &str) -> Option<String> {
        twin(key).or_else(|| self.values.get(key).map(|(value, ..)| value.clone()))
    }

    /// A setting that may stand several times: all lines of the files; or the one of the environment.
    pub fn list(&self, key: &str) -> Vec<String> {
        twin(key).map_or_else(|| self.lists.get(key).cloned().unwrap_or_default(), |value| vec![value])
    }

    /// The hosts that have a section, by name.
    pub fn hosts(&self) -> &BTreeMap<String, Section> {
        &self.hosts
    }

    /// The rules for all runs; NN_RULE is one in place of those in the files.
    ///
    /// # Errors
    /// That is no rule.
    pub fn rules(&self) -> Result<Vec<Rule>> {
        match self.get("rule") {
            None => Ok(self.rules.clone()),
            Some(text) => {
                Ok(vec![Rule::parse(&text).map_err(|what| Error::other(format!("setting NN_RULE: {what}")))?])
            }
        }
    }

    /// A setting that is the path of a file; `~/` is the home.
    pub fn path(&self, key: &str) -> Option<PathBuf> {
        let path = self.get(key).map(|path| path.trim().to_string()).filter(|path| !path.is_empty())?;
        Some(match path.strip_prefix("~/") {
            Some(rest) => std::env::home_dir().unwrap_or_default().join(rest),
            None => PathBuf::from(path),
        })
    }

    /// A setting that is a duration.
    ///
    /// # Errors
    /// It is something else.
    pub fn duration(&self, key: &str) -> Result<Option<Duration>> {
        self.read(key, "a duration such as 30s", parse_duration)
    }

    /// A setting that is a whole number.
    ///
    /// # Errors
    /// It is something else.
    pub fn number(&self, key: &str) -> Result<Option<u64>> {
        self.read(key, "a whole number", |text| text.parse().ok())
    }

    /// A setting that is a size, in bytes.
    ///
    /// # Errors
    /// It is something else.
    pub fn size(&self, key: &str) -> Result<Option<u64>> {
        self.read(key, "a size such as 10M", parse_size)
    }

    fn read<T>(&self, key: &str, what: &str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>> {
        let Some(text) = self.get(key) else { return Ok(None) };
        match (read(&text), self.values.get(key)) {
            (Some(value), _) => Ok(Some(value)),
            (None, Some((value, path, line))) if *value == text => {
                Err(Error::data(path, *line, format!("{key}: '{text}' is not {what}")))
            }
            _ => Err(Error::other(format!("setting {key}: '{text}' is not {what}"))),
        }
    }
}

/// The same setting in the environment.
fn twin(key: &str) -> Option<String> {
    std::env::var(format!("NN_{}", key.to_ascii_uppercase().replace(['.', '-'], "_"))).ok()
}

/// Where the person's settings are: `~/.config/nn`. None: there is no home.
pub fn person_dir() -> Option<PathBuf> {
    let own = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|dir| dir.is_absolute());
    own.or_else(|| std::env::home_dir().map(|home| home.join(".config"))).map(|dir| dir.join("nn"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let dir = std::env::temp_dir().join(format!("nn-config-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("config");
        let load = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let mut config = Config::default();
            config.add(&path).map(|()| config)
        };
        let config = load("# comment\ngrace = 5s\ntable.paper = run, cost@10\n").unwrap();
        assert_eq!(config.duration("grace").unwrap(), Some(Duration::from_secs(5)));
        assert_eq!(config.get("table.paper").as_deref(), Some("run, cost@10"));
        let sentence = |text: &str| load(text).unwrap_err().to_string();
        assert!(sentence("\ngrce = 1").ends_with("config:2: unknown key 'grce' (did you mean 'grace'?)"));
        assert!(sentence("grace").ends_with("config:1: expected 'key = value'"));
        assert!(load("grace = x").unwrap().duration("grace").is_err());
        let config = load("grace = 5s\n[host gpu1]\nssh = me@gpu1\n [ host  g-2 ] \n[host gpu1]\ngpus = 4\n").unwrap();
        let names: Vec<&str> = config.hosts().keys().map(String::as_str).collect();
        assert_eq!(names, ["g-2", "gpu1"]);
        assert_eq!(
            (config.hosts()["gpu1"].get("ssh"), config.hosts()["gpu1"].get("gpus")),
            (Some("me@gpu1"), Some("4"))
        );
        assert!(
            sentence("[host a]\ngpsu = 1").ends_with("config:2: unknown key 'gpsu' of a host (did you mean 'gpus'?)")
        );
        assert!(sentence("[hots a]").contains("config:1: unknown section 'hots' (did you mean 'host'?)"));
        for wrong in ["[host]", "[host a,b]", "[host ../x]", "[host slurm]", "[host a~b]", "[host a"] {
            assert!(load(wrong).is_err(), "{wrong}");
        }
        std::fs::remove_dir_all(dir).unwrap();
    }
}
