//! A person's or a script's message, and sending what is kept.

use crate::Opts;
use crate::letter::{Letter, curve_or_warn, headline, thread};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Doing, Error, Result};
use nn::base::text::escape;
use nn::mail::message::{Address, Part};
use nn::mail::outgoing::{Box, Flush, News, Outgoing, flush as send_all};
use nn::mail::settings::{Settings, default_recipients, sender};
use nn::spool::select::select_one;
use nn::spool::store::Spool;
use std::io::{IsTerminal, Read};
use std::path::Path;

/// The longest text.
const MOST_TEXT: u64 = 8 << 20;
/// All attachments together; few servers take more.
const MOST_ATTACHED: u64 = 50 << 20;

/// Sends a message, or keeps it.
///
/// # Errors
/// It cannot be read or kept.
pub fn send(opts: &Opts, to: Vec<Address>) -> Result<Exit> {
    let spool = Spool::find()?;
    let config = spool.config()?;
    let from = sender(&config)?;
    let to = if to.is_empty() { default_recipients(&config)? } else { to };
    if to.is_empty() {
        return Err(Error::usage("to whom? give an address, or set mail.to"));
    }
    let run = opts.run.as_ref().map(|run| select_one(&spool, run)).transpose()?;
    let attachments = attachments(&opts.files)?;
    let mut letter = Letter { text: text()?, attachments, ..Letter::default() };
    if let Some(run) = run {
        let headline = headline(&spool, run)?;
        letter.text = if letter.text.trim().is_empty() { format!("{headline}\n") } else { letter.text };
        letter.subject = headline;
        letter.thread = Some(thread(&spool, run));
        letter.curve = curve_or_warn(&spool, run);
    }
    letter.subject = opts.subject.clone().unwrap_or(letter.subject);
    let outgoing = Outgoing::open(&spool)?;
    let name = Outgoing::fresh_name();
    outgoing.add(&name, &letter.message(&name, from, to))?;
    if opts.later { Ok(Exit::DONE) } else { deliver(&spool, &outgoing, &name) }
}

/// Tries to send what has just been added; kept is as good.
///
/// # Errors
/// The spool cannot be changed.
pub fn deliver(spool: &Spool, outgoing: &Outgoing, name: &str) -> Result<Exit> {
    announce(spool, outgoing, &Flush::Only(vec![name.to_string()]))
}

/// Sends, and tells only of what went wrong; kept is as good as sent.
///
/// # Errors
/// The spool cannot be changed.
pub fn announce(spool: &Spool, outgoing: &Outgoing, which: &Flush) -> Result<Exit> {
    let kept = |why: &str| cli::warn(&format!("{why}; the message is kept, nn-mail --flush tries again"));
    if outgoing.entries(Box::New)?.is_empty() {
        return Ok(Exit::DONE);
    }
    let settings = match spool.config().and_then(|config| Settings::read(&config)) {
        Ok(settings) => settings,
        Err(err) => {
            kept(&err.to_string());
            return Ok(Exit::DONE);
        }
    };
    send_all(outgoing, &settings, which, &mut |news| match news {
        News::Sent(..) => {}
        News::Kept(_, why, _) => kept(&why),
        News::Failed(name, why) => cli::complain(&refused(&name, &why)),
    })?;
    Ok(Exit::DONE)
}

fn refused(name: &str, why: &str) -> Error {
    Error::other(format!("not sent: {why} (mail/failed/{name})"))
}

/// Sends what is kept.
///
/// # Errors
/// The settings are wrong, or the spool cannot be changed.
pub fn flush(opts: &Opts, out: &mut Out) -> Result<Exit> {
    let spool = Spool::find()?;
    let outgoing = Outgoing::open(&spool)?;
    if outgoing.entries(Box::New)?.is_empty() {
        // Also where mail was never set up: cron has nothing to complain of.
        return Ok(Exit::DONE);
    }
    let settings = Settings::read(&spool.config()?)?;
    let which = if opts.all { Flush::All } else { Flush::Due };
    let mut printed = Ok(());
    let whole = send_all(&outgoing, &settings, &which, &mut |news| match news {
        News::Sent(name, to) if printed.is_ok() => printed = writeln!(out, "{name}\tsent\t{}", escape(&to.join(", "))),
        News::Sent(..) => {}
        News::Kept(name, why, _) => cli::tell(&format!("{name}: {why}; kept")),
        News::Failed(name, why) => cli::complain(&refused(&name, &why)),
    })?;
    printed?;
    Ok(if whole { Exit::DONE } else { Exit::AGAIN })
}

/// Standard input; nothing when it is /dev/null.
fn text() -> Result<String> {
    let input = std::io::stdin();
    if input.is_terminal() {
        cli::report("the message, ended by ^D on a line of its own:");
    }
    let mut bytes = Vec::new();
    input.lock().take(MOST_TEXT + 1).read_to_end(&mut bytes).doing("read", "standard input")?;
    if bytes.len() as u64 > MOST_TEXT {
        return Err(Error::other("the text has more than 8M: attach it (-a FILE)"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn attachments(files: &[std::path::PathBuf]) -> Result<Vec<Part>> {
    let mut left = MOST_ATTACHED;
    files.iter().map(|path| attachment(path, &mut left)).collect()
}

fn attachment(path: &Path, left: &mut u64) -> Result<Part> {
    let file = std::fs::File::open(path).doing("read", path)?;
    let mut bytes = Vec::new();
    file.take(*left + 1).read_to_end(&mut bytes).doing("read", path)?;
    let size = bytes.len() as u64;
    *left = left.checked_sub(size).ok_or_else(|| Error::data(path, 0, "attachments of more than 50M are not sent"))?;
    let name = path.file_name().map_or("attachment".into(), |name| name.to_string_lossy().into_owned());
    Ok(Part::attachment(&name, bytes))
}
