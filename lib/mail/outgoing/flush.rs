//! Sending what is to be sent: each message whose time has come, over one connection as long as that holds. Any number of
//! processes may do this at the same time. Without a connection there is no point in going on, so the first failure to get
//! one ends it; when one was had after all, those that had failed for want of it are tried too.

use super::{Box, Entry, Outgoing, Ticket, Tries};
use crate::base::error::{Doing, Error, Result};
use crate::base::files;
use crate::base::time::Time;
use crate::mail::settings::Settings;
use crate::mail::smtp::{Envelope, Fail, MOST_RECIPIENTS, Reply};
use crate::mail::transport::Way;
use crate::spool::owner::Owner;
use std::io::{Read, Seek, SeekFrom};

/// What became of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// A server took it for these
    Sent(String, Vec<String>),
    /// It will be tried again, why, and when
    Kept(String, String, Option<Time>),
    /// Some recipient will not get it, and why
    Failed(String, String),
}

/// What is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flush {
    /// Whatever is due
    Due,
    /// All there is
    All,
    /// These, due or not
    Only(Vec<String>),
}

/// Dialogues that may break before it is enough for now.
const MOST_BROKEN: u32 = 3;

/// Sends, and tells of each message. True: there was nothing left that could not be sent now.
///
/// # Errors
/// The folder cannot be read or changed.
pub fn flush(outgoing: &Outgoing, settings: &Settings, which: &Flush, tell: &mut dyn FnMut(News)) -> Result<bool> {
    outgoing.recover()?;
    let me = Owner::me()?;
    let mut sender = Sender { outgoing, settings, me, way: None, broken: 0, connected: false, whole: true };
    let entries = outgoing.entries(Box::New)?;
    let free = || entries.iter().filter(|entry| entry.held.is_none()).map(|entry| entry.name.as_str());
    let (mut now, mut rest) = (Vec::new(), Vec::new());
    for name in free() {
        let due = match which {
            Flush::All => true,
            Flush::Only(names) => names.iter().any(|n| n == name),
            Flush::Due => outgoing.tries(name).is_due(),
        };
        if due { now.push(name) } else { rest.push(name) }
    }
    if *which == Flush::Due {
        rest.retain(|name| outgoing.tries(name).no_connection);
    } else {
        rest.clear();
    }
    for name in &now {
        if sender.is_over() {
            break;
        }
        sender.message(name, tell)?;
    }
    for name in &rest {
        if sender.is_over() || !sender.connected {
            break;
        }
        sender.message(name, tell)?;
    }
    if let Some(way) = sender.way {
        way.close();
    }
    Ok(sender.whole)
}

struct Sender<'a> {
    outgoing: &'a Outgoing,
    settings: &'a Settings,
    me: Owner,
    way: Option<Way<'static>>,
    broken: u32,
    connected: bool,
    whole: bool,
}

impl Sender<'_> {
    fn is_over(&self) -> bool {
        self.broken >= MOST_BROKEN || self.broken > 0 && !self.connected
    }

    fn message(&mut self, name: &str, tell: &mut dyn FnMut(News)) -> Result<()> {
        let Some(held) = self.outgoing.claim(name, &self.me)? else { return Ok(()) };
        let (ticket, mut file) = match self.outgoing.read(Box::New, &held) {
            Ok(read) => read,
            Err(err) => {
                // Not a message: out of the way of the others, and told.
                self.whole = false;
                self.outgoing.release(&held, Box::Failed)?;
                tell(News::Failed(name.to_string(), err.to_string()));
                return Ok(());
            }
        };
        let done = self.hand_over(&ticket, &mut file);
        self.settle(&held, ticket, file, done, tell)
    }

    /// An answer for each of `ticket.to`.
    fn hand_over(&mut self, ticket: &Ticket, file: &mut std::fs::File) -> std::result::Result<Vec<Reply>, Fail> {
        let broken = |err: std::io::Error| Fail::Broken(crate::base::error::reason(&err));
        let start = file.stream_position().map_err(broken)?;
        let (mut size, mut eight_bit) = (0u64, false);
        let mut piece = vec![0; 1 << 16];
        loop {
            let n = file.read(&mut piece).map_err(broken)?;
            if n == 0 {
                break;
            }
            size += n as u64;
            eight_bit |= !piece.get(..n).unwrap_or_default().is_ascii();
        }
        if self.way.is_none() {
            self.way = Some(Way::open(self.settings, None)?);
            self.connected = true;
        }
        let mut replies = Vec::new();
        for to in ticket.to.chunks(MOST_RECIPIENTS) {
            file.seek(SeekFrom::Start(start)).map_err(broken)?;
            let envelope = Envelope { from: &ticket.from, to, size, eight_bit };
            let Some(way) = &mut self.way else { break };
            match way.send(&envelope, &mut &*file) {
                Ok(these) => replies.extend(these),
                // What was taken already is not to be sent again: the rest alone is tried later.
                Err(fail) if !replies.is_empty() => {
                    self.way = None;
                    let later = Reply { code: 451, lines: vec![fail.to_string()] };
                    replies.resize(ticket.to.len(), later);
                    break;
                }
                Err(fail) => return Err(fail),
            }
        }
        Ok(replies)
    }

    fn settle(
        &mut self,
        held: &Entry,
        ticket: Ticket,
        file: std::fs::File,
        done: std::result::Result<Vec<Reply>, Fail>,
        tell: &mut dyn FnMut(News),
    ) -> Result<()> {
        let name = held.name.clone();
        let replies = match done {
            Ok(replies) => {
                self.broken = 0;
                replies
            }
            Err(Fail::Refused(reply)) => {
                self.broken = 0;
                vec![reply; ticket.to.len()]
            }
            Err(fail) => {
                self.way = None;
                self.broken += 1;
                let no_connection = !self.connected;
                return self.keep(held, &ticket, &fail.to_string(), no_connection, tell);
            }
        };
        let mut next = Ticket { to: Vec::new(), ..ticket.clone() };
        let (mut taken, mut said) = (Vec::new(), String::new());
        for (to, reply) in ticket.to.iter().zip(&replies) {
            if reply.is_yes() {
                taken.push(to.clone());
                continue;
            }
            said = format!("{to}: the server says {reply}");
            if reply.is_later() { next.to.push(to.clone()) } else { next.refused.push(to.clone()) }
        }
        if !taken.is_empty() {
            tell(News::Sent(name.clone(), taken));
        }
        if next.to.is_empty() && next.refused.is_empty() {
            return self.outgoing.release(held, Box::Sent);
        }
        if next != ticket {
            self.rewrite(held, &next, file)?;
        }
        if !next.to.is_empty() {
            return self.keep(held, &next, &said, false, tell);
        }
        // Those were refused in an earlier try.
        let said = if said.is_empty() { format!("refused for {}", next.refused.join(", ")) } else { said };
        self.fail(held, &said, tell)
    }

    fn keep(
        &mut self,
        held: &Entry,
        ticket: &Ticket,
        said: &str,
        no_connection: bool,
        tell: &mut dyn FnMut(News),
    ) -> Result<()> {
        let tries = self.outgoing.tries(&held.name).again(said, no_connection);
        if tries.is_enough(ticket.added) {
            return self.fail(held, &format!("given up after {} tries: {said}", tries.count), tell);
        }
        self.whole = false;
        // Refused (a full disk): then it is tried earlier than it could be.
        let _ = self.outgoing.write_tries(&held.name, &tries);
        self.outgoing.release(held, Box::New)?;
        tell(News::Kept(held.name.clone(), said.to_string(), tries.next));
        Ok(())
    }

    fn fail(&mut self, held: &Entry, said: &str, tell: &mut dyn FnMut(News)) -> Result<()> {
        self.whole = false;
        let tries = Tries { next: None, ..self.outgoing.tries(&held.name).again(said, false) };
        let _ = self.outgoing.write_tries(&held.name, &tries);
        self.outgoing.release(held, Box::Failed)?;
        tell(News::Failed(held.name.clone(), said.to_string()));
        Ok(())
    }

    /// The same message with another envelope.
    fn rewrite(&self, held: &Entry, ticket: &Ticket, mut file: std::fs::File) -> Result<()> {
        let path = self.outgoing.path(Box::New, held);
        let (_, mut from_start) = super::ticket::open(&path).map_err(|_| Error::other("the message is gone"))?;
        let start = from_start.stream_position().doing("read", &path)?;
        file.seek(SeekFrom::Start(start)).doing("read", &path)?;
        let mut bytes = ticket.line().into_bytes();
        file.read_to_end(&mut bytes).doing("read", &path)?;
        files::put(&self.outgoing.tmp, &path, &bytes, true)
    }
}
