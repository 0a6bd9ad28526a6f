//! What is known of a run of which its own host tells: `runs/N/reported.json`. `have` says how long each file was when it
//! was last made durable, so that what a crash left behind that is written anew; the rest is for people.

use super::store::Spool;
use crate::base::error::Result;
use crate::base::json::{self, Value};
use crate::base::text::escape;
use crate::base::time::{Time, show_duration};

const FILE: &str = "reported.json";

/// One reported run.
#[derive(Clone, Debug, PartialEq)]
pub struct Reported {
    json: Value,
}

impl Reported {
    /// What is known; nothing when it is none.
    pub fn of(spool: &Spool, run: u64) -> Reported {
        let json = spool.read(run, FILE).ok().flatten().filter(|json| json.as_map().is_some());
        Reported { json: json.unwrap_or(Value::Map(Vec::new())) }
    }

    /// How much of a file is here, durably.
    pub fn have(&self, name: &str) -> u64 {
        let have = self.json.get("have").and_then(|have| have.int(name));
        have.and_then(|size| u64::try_from(size).ok()).unwrap_or(0)
    }

    /// The same of all files.
    pub fn all(&self) -> &[(String, Value)] {
        self.json.get("have").and_then(Value::as_map).unwrap_or_default()
    }

    /// Notes how much of a file is here.
    pub fn set_have(&mut self, name: &str, size: u64) {
        let mut have = json::map(self.all().to_vec());
        have.set(name, size);
        self.json.set("have", have);
    }

    /// Notes who told, now, and puts it on record. A crash before it loses what is known of the bytes that came last: they
    /// come again.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn tell(&mut self, spool: &Spool, run: u64, host: &str, number: u64) -> Result<()> {
        self.json.set("host", host);
        self.json.set("run", number);
        self.json.set("heard", Value::from(Time::now()));
        spool.put_lazily(run, FILE, &self.json)
    }

    /// In words: by whom, and when it was last heard of.
    pub fn words(&self) -> String {
        let host = escape(self.json.str("host").unwrap_or("its host"));
        let number = self.json.int("run").map(|run| format!(" (run {run} there)")).unwrap_or_default();
        match self.json.str("heard").and_then(Time::parse) {
            Some(heard) => {
                format!("reported by {host}{number}, last heard of {} ago", show_duration(Time::now().since(heard)))
            }
            None => format!("reported by {host}{number}"),
        }
    }
}
