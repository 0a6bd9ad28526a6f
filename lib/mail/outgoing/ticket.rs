//! What is known of a message beside the message: its envelope, in the first line of its file, and its tries, in a file of
//! their own that may be lost.

use crate::base::error::{Doing, Error, Result};
use crate::base::files;
use crate::base::json::{self, Value};
use crate::base::time::Time;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

/// Longest first line.
const LONGEST: u64 = 1 << 20;

/// An envelope.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ticket {
    /// Who gets it back when it cannot be delivered
    pub from: String,
    /// Who has not got it yet
    pub to: Vec<String>,
    /// Whom a server refused it for
    pub refused: Vec<String>,
    /// What it is about
    pub subject: String,
    /// When it was added
    pub added: Option<Time>,
    /// The news it tells
    pub news: Vec<String>,
}

impl Ticket {
    /// As the first line of the file.
    pub fn line(&self) -> String {
        let mut value = json::map([
            ("from", Value::from(self.from.as_str())),
            ("to", self.to.clone().into()),
            ("subject", self.subject.as_str().into()),
            ("added", self.added.into()),
        ]);
        if !self.refused.is_empty() {
            value.set("refused", self.refused.clone());
        }
        if !self.news.is_empty() {
            value.set("news", self.news.clone());
        }
        format!("{value}\n")
    }

    /// Reads that line. None: it is something else, or names somebody no server should hear of.
    pub fn parse(line: &str) -> Option<Ticket> {
        let value = Value::parse(line.trim_end()).ok()?;
        let is_address = |text: &&str| super::super::message::Address::parse(text).is_ok_and(|a| a.mailbox == **text);
        let list = |key: &str| -> Option<Vec<String>> {
            let items = value.list(key).unwrap_or_default().iter();
            items.map(|item| item.as_str().filter(is_address).map(String::from)).collect()
        };
        Some(Ticket {
            from: value.str("from").filter(|from| from.is_empty() || is_address(from))?.to_string(),
            to: list("to")?,
            refused: list("refused")?,
            subject: value.str("subject").unwrap_or_default().to_string(),
            added: value.str("added").and_then(Time::parse),
            news: value.list("news").unwrap_or_default().iter().filter_map(|n| n.as_str().map(String::from)).collect(),
        })
    }
}

/// Opens a message: its envelope, and the file where the message itself begins.
pub fn open(path: &Path) -> Result<(Ticket, File)> {
    let mut file = files::open_regular(path)?;
    let mut head = Vec::new();
    let mut size = 4096;
    let line = loop {
        file.seek(SeekFrom::Start(0)).doing("read", path)?;
        head.clear();
        (&file).take(size).read_to_end(&mut head).doing("read", path)?;
        if let Some(at) = head.iter().position(|b| *b == b'\n') {
            break head.get(..=at).unwrap_or_default();
        }
        if (head.len() as u64) < size || size >= LONGEST {
            return Err(Error::data(path, 1, "has no envelope"));
        }
        size *= 4;
    };
    let ticket = std::str::from_utf8(line).ok().and_then(Ticket::parse);
    let ticket = ticket.ok_or_else(|| Error::data(path, 1, "is no envelope of a message"))?;
    file.seek(SeekFrom::Start(line.len() as u64)).doing("read", path)?;
    Ok((ticket, file))
}

/// How it went so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tries {
    /// How often it was tried
    pub count: u32,
    /// When it may be tried again
    pub next: Option<Time>,
    /// What was said last
    pub said: String,
    /// There was no connection: nothing was said of this message
    pub no_connection: bool,
}

/// Pauses after the first tries; the last one also after all others. Towards the server that takes one's own mail these
/// may be shorter than the 30 minutes of RFC 5321 section 4.5.4.1.
const PAUSES: [u64; 4] = [5, 15, 30, 60];
/// For so long a message is tried, RFC 5321 section 4.5.4.1.
const GIVE_UP: Duration = Duration::from_secs(5 * 86400);
/// And at least so often: a clock may jump.
const LEAST: u32 = 20;

impl Tries {
    /// After one more that failed.
    pub fn again(&self, said: &str, no_connection: bool) -> Tries {
        let last = PAUSES.len() - 1;
        let pause = PAUSES.get((self.count as usize).min(last)).copied().unwrap_or(60);
        let next = Time(Time::now().ms().saturating_add((pause * 60_000) as i64));
        Tries { count: self.count.saturating_add(1), next: Some(next), said: said.to_string(), no_connection }
    }

    /// Whether its time has come. A time too far ahead is that of a clock that was set back.
    pub fn is_due(&self) -> bool {
        let longest = PAUSES.iter().max().copied().unwrap_or(60) * 60;
        self.next.is_none_or(|next| next.since(Time::now()).is_zero() || next.since(Time::now()).as_secs() > longest)
    }

    /// Whether it was tried long enough.
    pub fn is_enough(&self, added: Option<Time>) -> bool {
        self.count >= LEAST && added.is_some_and(|added| Time::now().since(added) > GIVE_UP)
    }

    /// As the line of its file.
    pub fn line(&self) -> String {
        let value = json::map([
            ("tries", Value::from(self.count)),
            ("next", self.next.into()),
            ("said", self.said.as_str().into()),
            ("no-connection", self.no_connection.into()),
        ]);
        format!("{value}\n")
    }

    /// Reads that line.
    pub fn parse(line: &str) -> Option<Tries> {
        let value = Value::parse(line.trim_end()).ok()?;
        Some(Tries {
            count: value.int("tries").and_then(|n| u32::try_from(n).ok())?,
            next: value.str("next").and_then(Time::parse),
            said: value.str("said").unwrap_or_default().to_string(),
            no_connection: value.get("no-connection").and_then(Value::as_bool).unwrap_or(false),
        })
    }
}
