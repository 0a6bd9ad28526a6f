//! What is kept, what failed, what was sent; and one of them, readable.

use crate::Opts;
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Doing, Error, Result};
use nn::base::table::{Cell, Format, Table, time_cell};
use nn::base::text::escape;
use nn::base::time::Time;
use nn::base::units::show_size;
use nn::mail::message::read;
use nn::mail::outgoing::{Box, Outgoing, Ticket, Tries};
use nn::spool::hold::Entry;
use nn::spool::store::Spool;
use std::io::Read;

/// The longest message that is shown.
const MOST_SHOWN: u64 = 200 << 20;

struct Kept {
    place: Box,
    entry: Entry,
    ticket: Ticket,
    tries: Tries,
}

impl Kept {
    fn state(&self) -> &'static str {
        match self.place {
            Box::New if self.entry.held.is_some() => "sending",
            place => place.name(),
        }
    }
}

/// The messages of these folders, the oldest first. What cannot be read is told, and passed over.
fn all(outgoing: &Outgoing, places: &[Box]) -> Result<Vec<Kept>> {
    let mut found = Vec::new();
    for &place in places {
        for entry in outgoing.entries(place)? {
            match outgoing.read(place, &entry) {
                Ok((ticket, _)) => {
                    let tries = outgoing.tries(&entry.name);
                    found.push(Kept { place, entry, ticket, tries });
                }
                Err(err) if err.io().is_some_and(|err| err.kind() == std::io::ErrorKind::NotFound) => {}
                Err(err) => cli::complain(&err),
            }
        }
    }
    found.sort_by(|a, b| (a.ticket.added, &a.entry.name).cmp(&(b.ticket.added, &b.entry.name)));
    Ok(found)
}

/// Lists them.
///
/// # Errors
/// The spool cannot be read.
pub fn list(opts: &Opts, out: &mut Out) -> Result<Exit> {
    let outgoing = Outgoing::open(&Spool::find()?)?;
    let places: &[Box] = if opts.all { &Box::ALL } else { &[Box::New, Box::Failed] };
    let mut table = Table::new(&["message", "state", "added", "to", "subject", "tries", "next", "said"]);
    for kept in all(&outgoing, places)? {
        let whom = [kept.ticket.to.as_slice(), &kept.ticket.refused].concat();
        let time = |time: Option<Time>| time.map_or(Cell::empty(), time_cell);
        table.row(vec![
            kept.entry.name.as_str().into(),
            kept.state().into(),
            time(kept.ticket.added),
            whom.join(", ").into(),
            kept.ticket.subject.as_str().into(),
            kept.tries.count.into(),
            time(kept.tries.next),
            kept.tries.said.as_str().into(),
        ]);
    }
    let format = if opts.json { Format::Json } else { Format::detect(out) };
    table.print(out, format)?;
    Ok(if table.is_empty() { Exit::NO } else { Exit::DONE })
}

/// Shows one.
///
/// # Errors
/// It cannot be read.
pub fn print(opts: &Opts, out: &mut Out) -> Result<Exit> {
    let outgoing = Outgoing::open(&Spool::find()?)?;
    let Some(kept) = wanted(&outgoing, opts.operands.first())? else {
        cli::tell("there are no messages");
        return Ok(Exit::NO);
    };
    let (_, file) = outgoing.read(kept.place, &kept.entry)?;
    let mut bytes = Vec::new();
    file.take(MOST_SHOWN).read_to_end(&mut bytes).doing("read", outgoing.dir())?;
    if opts.raw {
        out.write_all(&bytes)?;
        return Ok(Exit::DONE);
    }
    let reading = read(&bytes);
    writeln!(out, "Message: {}", kept.entry.name)?;
    writeln!(out, "State: {}{}", kept.state(), went(&kept.tries))?;
    for name in ["Date", "From", "To", "Subject"] {
        writeln!(out, "{name}: {}", escape(reading.header(name).unwrap_or_default()))?;
    }
    writeln!(out)?;
    for line in reading.text.lines() {
        let parts: Vec<_> = line.split('\t').map(escape).collect();
        writeln!(out, "{}", parts.join("\t"))?;
    }
    for (kind, name, size) in &reading.parts {
        let name = if name.is_empty() { String::new() } else { format!(" {}", escape(name)) };
        writeln!(out, "[{}{name}, {}]", escape(kind), show_size(*size as u64))?;
    }
    Ok(Exit::DONE)
}

fn went(tries: &Tries) -> String {
    if tries.count == 0 {
        return String::new();
    }
    let times = if tries.count == 1 { "once".to_string() } else { format!("{} times", tries.count) };
    let next = tries.next.map(|next| format!(", again after {}", next.local())).unwrap_or_default();
    format!(", tried {times}{next}: {}", escape(&tries.said))
}

/// The message of this name, or that begins so; else the newest that is kept, failed, or sent.
fn wanted(outgoing: &Outgoing, operand: Option<&String>) -> Result<Option<Kept>> {
    let Some(text) = operand else {
        for place in Box::ALL {
            if let Some(newest) = all(outgoing, &[place])?.pop() {
                return Ok(Some(newest));
            }
        }
        return Ok(None);
    };
    let mut found = all(outgoing, &Box::ALL)?;
    if let Some(at) = found.iter().position(|kept| kept.entry.name == *text) {
        return Ok(Some(found.swap_remove(at)));
    }
    found.retain(|kept| kept.entry.name.starts_with(text.as_str()));
    match found.len() {
        0 => Err(Error::other(format!("there is no message '{text}'"))),
        1 => Ok(found.pop()),
        n => Err(Error::other(format!("'{text}' begins the names of {n} messages, and one is wanted"))),
    }
}
