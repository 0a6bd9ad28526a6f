//! Outgoing mail: the folder `mail/` of a spool, maildir fashion. nn-spool(5) tells each step and what a crash before it
//! leaves.
//!
//! A message is a file, whole before it has its name, and never lost: a process that sends it moves it to a name with its
//! own in it, which exactly one can, and at the end to sent/, to failed/, or back. What fails for now is tried again after
//! 5, 15, 30, then every 60 minutes, for five days. Only the answer after the last dot can get lost: then the message is
//! sent again, the same to the byte.

mod flush;
mod ticket;

pub use flush::{Flush, News, flush};
pub use ticket::{Ticket, Tries};

use super::message::Message;
use crate::base::error::Result;
use crate::base::files::{self, Moved};
use crate::base::time::Time;
use crate::spool::hold::Entry;
use crate::spool::owner::Owner;
use crate::spool::store::Spool;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Box {
    /// To be sent
    New,
    /// Taken by a server
    Sent,
    /// Some recipient will not get it
    Failed,
}

impl Box {
    /// All, in the order in which a message goes through them.
    pub const ALL: [Box; 3] = [Box::New, Box::Sent, Box::Failed];

    /// The folder's name.
    pub fn name(self) -> &'static str {
        match self {
            Box::New => "new",
            Box::Sent => "sent",
            Box::Failed => "failed",
        }
    }
}

/// Outgoing mail of a spool.
#[derive(Clone, Debug)]
pub struct Outgoing {
    dir: PathBuf,
    tmp: PathBuf,
}

impl Outgoing {
    /// That of this spool; its folders are made when they are missing.
    ///
    /// # Errors
    /// They cannot be made.
    pub fn open(spool: &Spool) -> Result<Outgoing> {
        let dir = spool.dir().join("mail");
        for path in [dir.clone(), dir.join("new"), dir.join("sent"), dir.join("failed"), dir.join("tries")] {
            if !path.is_dir() {
                files::make_dir(&path)?;
            }
        }
        Ok(Outgoing { dir, tmp: spool.dir().join("tmp") })
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn path(&self, place: Box, entry: &Entry) -> PathBuf {
        self.dir.join(place.name()).join(entry.file())
    }

    /// A name nobody has: time, host, process.
    pub fn fresh_name() -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let host = crate::base::sys::host_name();
        // NN_NOW may stand still: a real clock keeps names apart.
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        format!("{}.{host}.{}.{count}", now.as_millis(), std::process::id())
    }

    /// The messages in a folder, in order of name; what is no message is passed over.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn entries(&self, place: Box) -> Result<Vec<Entry>> {
        let names = files::names(&self.dir.join(place.name()))?;
        let mut entries: Vec<Entry> = names.iter().filter_map(|name| Entry::parse(name.to_str()?)).collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// Where a message is, if there is one of this name.
    ///
    /// # Errors
    /// A folder cannot be read.
    pub fn find(&self, name: &str) -> Result<Option<(Box, Entry)>> {
        // Twice: one that comes back meanwhile could hide from one reading.
        for place in [Box::New, Box::Sent, Box::Failed, Box::New] {
            if place != Box::New {
                if self.path(place, &Entry::free(name)).exists() {
                    return Ok(Some((place, Entry::free(name))));
                }
            } else if let Some(entry) = self.entries(place)?.into_iter().find(|entry| entry.name == name) {
                return Ok(Some((place, entry)));
            }
        }
        Ok(None)
    }

    /// Adds a message, durably. False: there is one of this name already, and that is as good.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn add(&self, name: &str, message: &Message) -> Result<bool> {
        self.add_news(name, message, &[])
    }

    /// The same for a message that tells this news.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn add_news(&self, name: &str, message: &Message, news: &[String]) -> Result<bool> {
        if self.find(name)?.is_some() {
            return Ok(false);
        }
        let mailboxes = message.to.iter().map(|to| to.mailbox.clone()).collect();
        let ticket = Ticket {
            from: message.from.mailbox.clone(),
            to: mailboxes,
            subject: message.subject.clone(),
            added: Some(Time::now()),
            news: news.to_vec(),
            ..Ticket::default()
        };
        let mut bytes = ticket.line().into_bytes();
        bytes.extend_from_slice(&message.render());
        files::put(&self.tmp, &self.path(Box::New, &Entry::free(name)), &bytes, true)?;
        Ok(true)
    }

    /// Takes a message to send it. None: somebody else has it.
    ///
    /// # Errors
    /// It is unknown whether it was taken.
    fn claim(&self, name: &str, me: &Owner) -> Result<Option<Entry>> {
        let held = Entry::held_by(name, me);
        Ok(match files::mv(&self.path(Box::New, &Entry::free(name)), &self.path(Box::New, &held))? {
            Moved::Won => Some(held),
            Moved::Lost => None,
        })
    }

    /// Moves a message that is held to where it belongs now.
    fn release(&self, held: &Entry, to: Box) -> Result<()> {
        // Lost: it was taken back, after six hours; whoever did that decides.
        files::mv(&self.path(Box::New, held), &self.path(to, &Entry::free(&held.name)))?;
        if to != Box::New {
            files::sync_dir(&self.dir.join(to.name()))?;
        }
        if to == Box::Sent {
            files::remove(&self.tries_path(&held.name))?;
        }
        Ok(())
    }

    /// Mends what a crash left: takes back what the dead hold, and unlinks what was sent already.
    ///
    /// # Errors
    /// It cannot be done.
    pub fn recover(&self) -> Result<()> {
        for entry in self.entries(Box::New)? {
            if self.path(Box::Sent, &Entry::free(&entry.name)).exists() {
                files::remove(&self.path(Box::New, &entry))?;
                continue;
            }
            if entry.is_abandoned() {
                files::mv(&self.path(Box::New, &entry), &self.path(Box::New, &Entry::free(&entry.name)))?;
            }
        }
        Ok(())
    }

    fn tries_path(&self, name: &str) -> PathBuf {
        self.dir.join("tries").join(name)
    }

    /// What is known of the tries of a message so far.
    pub fn tries(&self, name: &str) -> Tries {
        let text = files::read_text_if_any(self.tries_path(name)).ok().flatten();
        text.and_then(|text| Tries::parse(&text)).unwrap_or_default()
    }

    fn write_tries(&self, name: &str, tries: &Tries) -> Result<()> {
        files::put(&self.tmp, &self.tries_path(name), tries.line().as_bytes(), false)
    }

    /// The envelope of a message, and the message itself.
    ///
    /// # Errors
    /// It cannot be read, or has no envelope.
    pub fn read(&self, place: Box, entry: &Entry) -> Result<(Ticket, std::fs::File)> {
        ticket::open(&self.path(place, entry))
    }
}

#[cfg(test)]
mod tests;
