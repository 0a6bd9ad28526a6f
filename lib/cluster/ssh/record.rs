//! What is known here of a run at a host: `runs/N/host.json`. Where in the files here those of the host begin must survive
//! everything and is written durably before the first byte of them; the rest is for people, or saves work.
//!
//! A run there is known by the id it was born with: when the host tells of another one, what is here belongs to attempts
//! before, and what comes is put after it. And what is known of a host: `hosts/NAME.ssh`, for people.

use super::growth::{self, Kind};
use crate::base::error::{Error, Result};
use crate::base::files;
use crate::base::json::{self, Value};
use crate::base::text::escape;
use crate::base::time::{Time, show_duration};
use crate::record::history::join::{RESUMED, note};
use crate::spool::attempts::attempts;
use crate::spool::store::Spool;
use std::path::PathBuf;

const FILE: &str = "host.json";

/// One run at a host.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    json: Value,
}

impl Record {
    /// What is known; nothing when it was never at a host.
    pub fn of(spool: &Spool, run: u64) -> Record {
        let json = spool.read(run, FILE).ok().flatten().filter(|json| json.as_map().is_some());
        Record { json: json.unwrap_or(Value::Map(Vec::new())) }
    }

    /// Whether this is about that host.
    pub fn is_at(&self, host: &str) -> bool {
        self.json.str("host") == Some(host)
    }

    /// The id it had when it was last heard of.
    pub fn id(&self) -> Option<&str> {
        self.json.str("id")
    }

    /// Its number there.
    pub fn number(&self) -> Option<u64> {
        self.json.int("run").and_then(|run| u64::try_from(run).ok())
    }

    /// The state there, when it was last heard of.
    pub fn state(&self) -> &str {
        self.json.str("state").unwrap_or("unknown")
    }

    /// Whether the files here go on with those of the run that was born so.
    pub fn continues(&self, host: &str, born: &str) -> bool {
        self.is_at(host) && self.json.str("born") == Some(born)
    }

    /// Where the host's part of a file begins here.
    pub fn base(&self, name: &str) -> u64 {
        number(self.json.get("base"), name)
    }

    /// Attempts before the first one there.
    pub fn before(&self) -> i64 {
        self.json.int("before").unwrap_or(0)
    }

    /// Those, as they are on record.
    pub fn former(&self) -> &[Value] {
        self.json.list("former").unwrap_or_default()
    }

    /// What was last seen of the files that come as a whole.
    pub fn all_seen(&self) -> Value {
        self.json.get("seen").cloned().unwrap_or(Value::Map(Vec::new()))
    }

    /// Notes what a file that comes as a whole looks like there.
    pub fn see(&mut self, name: &str, stamp: &str) {
        let mut seen = self.all_seen();
        seen.set(name, stamp);
        self.json.set("seen", seen);
    }

    /// Notes what the host said of the run; not durable. False: it is what was known.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn tell(&mut self, spool: &Spool, run: u64, id: &str, number: i64, state: &str) -> Result<()> {
        let before = self.json.clone();
        self.json.set("id", id);
        self.json.set("run", number);
        self.json.set("state", state);
        if self.json == before && spool.run_dir(run).join(FILE).exists() {
            return Ok(());
        }
        self.json.set("t", Value::from(Time::now()));
        spool.put_lazily(run, FILE, &self.json)
    }

    /// From now on the files go on with those of a run that was born so: durable once it has returned.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn begin(spool: &Spool, run: u64, host: &str, born: &str) -> Result<Record> {
        let dir = spool.run_dir(run);
        let (next, former) = attempts(spool, run);
        let size = |name: &str| std::fs::symlink_metadata(dir.join(name)).map_or(0, |meta| meta.len());
        if next > 1 {
            // What is here belongs to the attempts before.
            note(&dir, next, None, size("log"), &[])?;
        }
        let mut base = Value::Map(Vec::new());
        for name in files::names(&dir)?.iter().filter_map(|name| name.to_str()) {
            if growth::kind(name) == Some(Kind::Grows) || name == RESUMED {
                base.set(name, size(name));
            }
        }
        let mut json = json::map([("host", Value::from(host)), ("born", born.into()), ("base", base)]);
        json.set("before", next - 1);
        if !former.is_empty() {
            json.set("former", former);
        }
        spool.put(run, FILE, &json)?;
        Ok(Record { json })
    }
}

fn number(map: Option<&Value>, name: &str) -> u64 {
    map.and_then(|map| map.int(name)).and_then(|n| u64::try_from(n).ok()).unwrap_or(0)
}

/// What is known of a host.
#[derive(Clone, Debug)]
pub struct Reach {
    json: Value,
}

impl Reach {
    /// By its name; nothing when it was never asked.
    pub fn of(spool: &Spool, host: &str) -> Reach {
        let text = files::read_text_if_any(path(spool, host)).ok().flatten().unwrap_or_default();
        Reach { json: Value::parse(&text).unwrap_or(Value::Null) }
    }

    /// Notes that it answered, or why it did not. For people only: what is refused is left out.
    pub fn note(spool: &Spool, host: &str, trouble: Option<&Error>) {
        let mut json = Reach::of(spool, host).json;
        if json.as_map().is_none() {
            json = Value::Map(Vec::new());
        }
        let now = Value::from(Time::now());
        match trouble {
            None => json = json::map([("reached", now)]),
            Some(err) => {
                json.set("failed", now);
                json.set("why", err.to_string());
            }
        }
        let _ = files::put(&spool.dir().join("tmp"), &path(spool, host), format!("{json}\n").as_bytes(), false);
    }

    /// When it answered last.
    pub fn reached(&self) -> Option<Time> {
        self.json.str("reached").and_then(Time::parse)
    }

    /// Why it did not answer when it was last asked.
    pub fn trouble(&self) -> Option<&str> {
        self.json.str("why")
    }

    /// What is to be said of a run there.
    pub fn words(&self, host: &str, record: &Record) -> String {
        let number = record.number().map(|n| format!(", run {n} there")).unwrap_or_default();
        let ago = |t: Time| show_duration(Time::now().since(t));
        match (self.trouble(), self.reached()) {
            (Some(why), Some(t)) => {
                format!("unknown for {}, was {} on {host}: {}", ago(t), record.state(), escape(why))
            }
            (Some(why), None) => format!("unknown, on {host}: {}", escape(why)),
            (None, _) if !record.is_at(host) => format!("handed to {host}"),
            (None, Some(t)) => format!("{} on {host}{number}, {} ago", escape(record.state()), ago(t)),
            (None, None) => format!("{} on {host}{number}", escape(record.state())),
        }
    }
}

fn path(spool: &Spool, host: &str) -> PathBuf {
    spool.dir().join("hosts").join(format!("{host}.ssh"))
}
