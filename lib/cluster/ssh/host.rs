//! A host by its section of the settings, and how paths here are called there.

use crate::base::error::{Error, Result};
use crate::base::text::did_you_mean;
use crate::spool::config::{Config, Section, is_name};
use crate::spool::job::shell_word;
use std::path::{Path, PathBuf};

/// What runs the runs there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A worker of nn-queue, started when it is needed
    Worker,
    /// The Slurm there
    Slurm,
    /// The Grid Engine there
    GridEngine,
}

impl Engine {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Worker => "worker",
            Engine::Slurm => "slurm",
            Engine::GridEngine => "gridengine",
        }
    }

    /// The engine so written.
    pub fn parse(text: &str) -> Option<Engine> {
        [Engine::Worker, Engine::Slurm, Engine::GridEngine].into_iter().find(|engine| engine.name() == text)
    }
}

/// A host.
#[derive(Clone, Debug)]
pub struct Host {
    /// What it is called here
    pub name: String,
    /// What ssh(1) calls it
    pub destination: String,
    /// More options for ssh(1)
    pub options: Vec<String>,
    /// The directory of the tools there; `~/` is the home there
    pub bin: String,
    /// The spool there
    pub spool: String,
    /// What stands there for the home here
    pub work: String,
    /// What runs the runs
    pub engine: Engine,
    /// Options for `submit` there, when the engine is a scheduler
    pub engine_options: Vec<String>,
    /// How many run at a time; None: as many as it has GPUs, or one
    pub slots: Option<u32>,
    /// GPUs that may be used; None: all
    pub gpus: Option<u32>,
    /// The groups it belongs to
    pub groups: Vec<String>,
    /// Variables of a run's environment that go with it
    pub env: Vec<String>,
}

impl Host {
    /// By its name.
    ///
    /// # Errors
    /// There is no such section, or something in it is wrong.
    pub fn find(config: &Config, name: &str) -> Result<Host> {
        match config.hosts().get(name) {
            Some(section) => Host::of(name, section),
            None => Err(unknown(config, name)),
        }
    }

    /// The hosts that a name stands for: itself, or those of a group.
    ///
    /// # Errors
    /// There is neither, or something in a section is wrong.
    pub fn named(config: &Config, name: &str) -> Result<Vec<Host>> {
        if config.hosts().contains_key(name) {
            return Ok(vec![Host::find(config, name)?]);
        }
        let mut hosts = Host::all(config)?;
        hosts.retain(|host| host.groups.iter().any(|group| group == name));
        if hosts.is_empty() { Err(unknown(config, name)) } else { Ok(hosts) }
    }

    /// Whether a name is that of a host or a group.
    ///
    /// # Errors
    /// Something in a section is wrong.
    pub fn is_known(config: &Config, name: &str) -> Result<bool> {
        Ok(config.hosts().contains_key(name) || Host::all(config)?.iter().any(|h| h.groups.iter().any(|g| g == name)))
    }

    /// All of them.
    ///
    /// # Errors
    /// Something in a section is wrong.
    pub fn all(config: &Config) -> Result<Vec<Host>> {
        config.hosts().iter().map(|(name, section)| Host::of(name, section)).collect()
    }

    fn of(name: &str, section: &Section) -> Result<Host> {
        let words = |text: &str| Some(text.split_whitespace().map(String::from).collect::<Vec<_>>());
        let path = |key: &str, default: &str| -> Result<String> {
            let path = section.read(key, "an absolute path, or one that begins with ~/", there)?;
            Ok(path.unwrap_or_else(|| default.to_string()))
        };
        let names = |key: &str, what: &str, fits: fn(&str) -> bool| -> Result<Vec<String>> {
            let list = |text: &str| {
                let names = text.split([' ', ',', '\t']).filter(|name| !name.is_empty());
                let names: Vec<String> = names.map(String::from).collect();
                names.iter().all(|name| fits(name)).then_some(names)
            };
            Ok(section.read(key, what, list)?.unwrap_or_default())
        };
        let count = |text: &str| text.parse::<u32>().ok().filter(|n| *n <= 1024);
        let destination = section.read("ssh", "what ssh may be given as a host", destination)?;
        Ok(Host {
            name: name.to_string(),
            destination: destination.unwrap_or_else(|| name.to_string()),
            options: section.read("options", "options", words)?.unwrap_or_default(),
            bin: path("bin", "~/.local/bin")?,
            spool: path("spool", "~/.nn")?,
            work: path("work", "~")?,
            engine: section.read("engine", "one of worker slurm gridengine", Engine::parse)?.unwrap_or(Engine::Worker),
            engine_options: section.read("engine-options", "options", words)?.unwrap_or_default(),
            slots: section.read("slots", "a number from 1 to 1024", |text| count(text).filter(|n| *n > 0))?,
            gpus: section.read("gpus", "a number from 0 to 1024", count)?,
            groups: names("group", "a list of names", is_name)?,
            env: names("env", "a list of names of variables", is_variable)?,
        })
    }

    /// How many runs it takes at a time, when it says that it has so many GPUs.
    pub fn slots(&self, gpus: Option<u32>) -> u32 {
        self.slots.or(self.gpus).or(gpus).filter(|n| *n > 0).unwrap_or(1)
    }
}

/// Whether what a token of submitted/ names is a host, and no engine of this one, nor a run that is only told of.
pub fn is_host(engine: &str) -> bool {
    is_name(engine)
}

fn unknown(config: &Config, name: &str) -> Error {
    let near = did_you_mean(name, config.hosts().keys().map(String::as_str));
    Error::other(format!("there is no host or group '{name}'{near}: a section [host {name}] in the settings makes one"))
}

fn is_variable(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !name.starts_with(|c: char| c.is_ascii_digit())
}

fn destination(text: &str) -> Option<String> {
    let fits = !text.is_empty() && !text.starts_with('-') && !text.contains(|c: char| c.is_control() || c == ' ');
    fits.then(|| text.to_string())
}

/// A path there.
fn there(text: &str) -> Option<String> {
    let fits = text == "~" || text.starts_with("~/") || text.starts_with('/');
    (fits && !text.contains(char::is_control)).then(|| text.to_string())
}

/// A path there as a word for the shell there, whichever that is.
pub fn shell_path(path: &str) -> String {
    match path.strip_prefix('~') {
        Some("") => "\"$HOME\"".to_string(),
        Some(rest) => format!("\"$HOME\"{}", shell_word(rest)),
        None => shell_word(path),
    }
}

/// A path there, when the home there is known.
pub fn absolute(path: &str, home: &Path) -> PathBuf {
    match path.strip_prefix('~') {
        Some(rest) => home.join(rest.trim_start_matches('/')),
        None => PathBuf::from(path),
    }
}

/// How a path here is called there: what is below the home here is below `work` there, all else has the same name.
pub fn mapped(path: &Path, home: &Path, work: &Path) -> PathBuf {
    match path.strip_prefix(home) {
        Ok(below) if below.as_os_str().is_empty() => work.to_path_buf(),
        Ok(below) => work.join(below),
        Err(_) => path.to_path_buf(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_there() {
        assert_eq!(shell_path("~/a b"), "\"$HOME\"'/a b'");
        assert_eq!(shell_path("/it's"), "'/it'\\''s'");
        assert_eq!(absolute("~/.nn", Path::new("/home/you")), Path::new("/home/you/.nn"));
        assert_eq!(absolute("~", Path::new("/home/you")), Path::new("/home/you"));
        let map = |path: &str| mapped(Path::new(path), Path::new("/home/me"), Path::new("/scratch/you"));
        assert_eq!(map("/home/me/owlet/data"), Path::new("/scratch/you/owlet/data"));
        assert_eq!(map("/home/me"), Path::new("/scratch/you"));
        assert_eq!(map("/home/meg/x"), Path::new("/home/meg/x"));
        assert!(there("x").is_none() && there("~me/x").is_none() && there("/a\nb").is_none());
        assert!(destination("-oProxyCommand=x").is_none() && destination("me@gpu1").is_some());
    }
}
