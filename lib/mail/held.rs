//! News on its way to a message: the folders `mail/held` and `mail/told` of a spool, see nn-spool(5). What happened is kept
//! under a name made from what it is, so that it is told once, however often it is heard of; whoever makes a message takes
//! the news in it by a rename that exactly one can win.

use super::outgoing::{Box, Outgoing};
use crate::base::error::{Error, Result};
use crate::base::files::{self, Moved};
use crate::base::json::Value;
use crate::spool::hold::{Entry, is_name};
use crate::spool::owner::Owner;
use crate::spool::store::Spool;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// From so many on they are written out together.
const MANY: usize = 8;

/// Where news waits.
pub fn dir(spool: &Spool) -> PathBuf {
    spool.dir().join("mail/held")
}

/// The names of what waits, in no order; none where nothing was ever kept.
pub fn waiting_names(spool: &Spool) -> Vec<String> {
    let names = files::names(&dir(spool)).unwrap_or_default();
    let free = |name: &std::ffi::OsString| Entry::parse(name.to_str()?).filter(|entry| entry.held.is_none());
    names.iter().filter_map(free).map(|entry| entry.name).collect()
}

/// News of a spool.
#[derive(Debug)]
pub struct Held {
    held: PathBuf,
    told: PathBuf,
    tmp: PathBuf,
}

impl Held {
    /// That of this spool; its folders are made when they are missing.
    ///
    /// # Errors
    /// They cannot be made.
    pub fn open(spool: &Spool, outgoing: &Outgoing) -> Result<Held> {
        let (held, told) = (outgoing.dir().join("held"), outgoing.dir().join("told"));
        for dir in [&held, &told] {
            if !dir.is_dir() {
                files::make_dir(dir)?;
            }
        }
        Ok(Held { held, told, tmp: spool.dir().join("tmp") })
    }

    /// Keeps news. False: it is known already.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn keep(&self, name: &str, news: &Value) -> Result<bool> {
        Ok(self.keep_all(&[(name.to_string(), news.clone())])? > 0)
    }

    /// Keeps all of these that are not known already; says how many they are.
    ///
    /// # Errors
    /// They cannot be written; some may be kept.
    pub fn keep_all(&self, news: &[(String, Value)]) -> Result<usize> {
        if let Some((bad, _)) = news.iter().find(|(name, _)| !is_name(name)) {
            return Err(Error::other(format!("'{bad}' is no name for news")));
        }
        // Told is looked at last: what is being told moves there meanwhile.
        let mut known: HashSet<String> = self.entries()?.into_iter().map(|entry| entry.name).collect();
        let is_new = |(name, _): &&(String, Value)| known.insert(name.clone()) && !self.told.join(name).exists();
        let new: Vec<(String, Vec<u8>)> =
            news.iter().filter(is_new).map(|(name, news)| (name.clone(), format!("{news}\n").into_bytes())).collect();
        if new.len() < MANY {
            for (name, bytes) in &new {
                files::put(&self.tmp, &self.held.join(name), bytes, true)?;
            }
        } else {
            files::put_many(&self.tmp, &self.held, &new)?;
        }
        Ok(new.len())
    }

    fn entries(&self) -> Result<Vec<Entry>> {
        let names = files::names(&self.held)?;
        Ok(names.iter().filter_map(|name| Entry::parse(name.to_str()?)).collect())
    }

    /// What waits, in order of name. What cannot be read is left alone.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn waiting(&self) -> Result<Vec<(String, Value)>> {
        let mut waiting: Vec<(String, Value)> = Vec::new();
        for entry in self.entries()?.into_iter().filter(|entry| entry.held.is_none()) {
            if let Some(news) = self.read(&self.held.join(&entry.name)) {
                waiting.push((entry.name, news));
            }
        }
        waiting.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(waiting)
    }

    fn read(&self, path: &Path) -> Option<Value> {
        let text = files::read_text_if_any(path).ok().flatten()?;
        Value::parse(text.trim_end()).ok()
    }

    /// Takes news to tell it. None: somebody else has it.
    ///
    /// # Errors
    /// It is unknown whether it was taken.
    pub fn take(&self, name: &str, me: &Owner) -> Result<Option<Entry>> {
        let entry = Entry::held_by(name, me);
        Ok(match files::mv(&self.held.join(name), &self.held.join(entry.file()))? {
            Moved::Won => Some(entry),
            Moved::Lost => None,
        })
    }

    /// Makes durable what was taken: after a power cut it is not told a second time.
    ///
    /// # Errors
    /// It cannot be written out.
    pub fn sync(&self) -> Result<()> {
        files::sync_dir(&self.held)
    }

    /// It has been told: the message is in the spool.
    ///
    /// # Errors
    /// It cannot be moved.
    pub fn told(&self, entry: &Entry) -> Result<()> {
        files::mv(&self.held.join(entry.file()), &self.told.join(&entry.name)).map(drop)
    }

    /// Mends what a crash left: takes back what the dead have, or files it when there is a message with it.
    ///
    /// # Errors
    /// It cannot be done.
    pub fn recover(&self, outgoing: &Outgoing) -> Result<()> {
        let gone: Vec<Entry> = self.entries()?.into_iter().filter(Entry::is_abandoned).collect();
        if gone.is_empty() {
            return Ok(());
        }
        let mut told = HashSet::new();
        for place in Box::ALL {
            for entry in outgoing.entries(place)? {
                told.extend(outgoing.read(place, &entry).map(|(ticket, _)| ticket.news).unwrap_or_default());
            }
        }
        for entry in gone {
            if told.contains(&entry.name) {
                self.told(&entry)?;
            } else {
                files::mv(&self.held.join(entry.file()), &self.held.join(&entry.name))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::json;
    use crate::mail::message::{Address, Message};

    #[test]
    fn told_once_whatever_dies() {
        let dir = std::env::temp_dir().join(format!("nn-held-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let spool = Spool::init(&dir, false).unwrap();
        let outgoing = Outgoing::open(&spool).unwrap();
        let held = Held::open(&spool, &outgoing).unwrap();
        let news = json::map([("run", Value::from(1))]);
        assert!(held.keep("run1.1.ended", &news).unwrap());
        assert!(!held.keep("run1.1.ended", &news).unwrap());
        assert!(held.keep("../x", &news).is_err());
        let mut dead = Owner::me().unwrap();
        dead.start += 1;
        // It died before the message was there: taken back.
        assert!(held.take("run1.1.ended", &dead).unwrap().is_some());
        assert!(held.take("run1.1.ended", &dead).unwrap().is_none());
        assert!(!held.keep("run1.1.ended", &news).unwrap(), "it is being told");
        assert!(held.waiting().unwrap().is_empty());
        held.recover(&outgoing).unwrap();
        assert_eq!(held.waiting().unwrap(), [("run1.1.ended".to_string(), news.clone())]);
        // It died after: told.
        held.take("run1.1.ended", &dead).unwrap();
        let me = Address::parse("me@example.org").unwrap();
        let message = Message { from: me.clone(), to: vec![me], ..Message::default() };
        outgoing.add_news("x", &message, &["run1.1.ended".to_string()]).unwrap();
        held.recover(&outgoing).unwrap();
        assert!(held.waiting().unwrap().is_empty());
        assert!(!held.keep("run1.1.ended", &news).unwrap());
        // The living are left alone.
        held.keep("run2.1.ended", &news).unwrap();
        held.take("run2.1.ended", &Owner::me().unwrap()).unwrap();
        held.recover(&outgoing).unwrap();
        assert!(held.waiting().unwrap().is_empty());
        std::fs::remove_dir_all(dir).unwrap();
    }
}
