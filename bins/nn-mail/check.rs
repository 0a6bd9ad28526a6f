//! The dialogue with the server, shown line by line up to where a message would follow, and what it means.

use crate::letter::{Letter, sample};
use crate::send::deliver;
use nn::base::cli::{Exit, Out};
use nn::base::error::{Error, Result};
use nn::mail::message::Address;
use nn::mail::outgoing::Outgoing;
use nn::mail::settings::{Settings, Tls, Via, sender};
use nn::mail::smtp::Fail;
use nn::mail::transport::Way;
use nn::spool::store::Spool;

/// Tries the connection, and with `to` sends a message.
///
/// # Errors
/// It does not work: why.
pub fn test(to: Vec<Address>, out: &mut Out) -> Result<Exit> {
    let spool = Spool::find()?;
    let settings = Settings::read(&spool.config()?)?;
    dialogue(&settings, out)?;
    if to.is_empty() {
        return Ok(Exit::DONE);
    }
    send(&spool, to, out)
}

/// Shows the dialogue.
///
/// # Errors
/// What went wrong, as a sentence.
pub fn dialogue(settings: &Settings, out: &mut Out) -> Result<()> {
    let mut printed = Ok(());
    let mut witness = |side: char, line: &str| {
        if printed.is_ok() {
            printed = writeln!(out, "{side} {line}").and_then(|()| out.flush());
        }
    };
    let opened = Way::open(settings, Some(&mut witness)).map(Way::close);
    printed?;
    opened.map_err(|fail| match fail {
        Fail::Broken(why) => Error::Again(why),
        fail => Error::other(fail.to_string()),
    })?;
    let user = settings.user.as_deref().map(|user| format!(", and takes the password of {user}")).unwrap_or_default();
    match &settings.via {
        Via::Program(command) => writeln!(out, "mail goes through '{command}': only a message can try it (--test TO)"),
        Via::Smtp { host, port, tls } => {
            let how = match tls {
                Tls::Starttls | Tls::Whole => "over TLS, its certificate verified",
                Tls::None => "in the clear",
                Tls::Command(_) => "by mail.tls",
            };
            writeln!(out, "{host}:{port} answers {how}{user}")
        }
    }
}

/// Sends a message that says that it works.
///
/// # Errors
/// The server refused it.
pub fn send(spool: &Spool, to: Vec<Address>, out: &mut Out) -> Result<Exit> {
    let whom: Vec<&str> = to.iter().map(|to| to.mailbox.as_str()).collect();
    let whom = whom.join(", ");
    let host = nn::base::sys::host_name();
    let letter = Letter {
        subject: format!("nn-mail on {host} works"),
        text: format!(
            "This came from {host}, where experiments run. Their news will come the same way,\neach with its curve; this \
             one is made up:\n"
        ),
        curve: sample(),
        automatic: true,
        ..Letter::default()
    };
    let from = sender(&spool.config()?)?;
    let outgoing = Outgoing::open(spool)?;
    let name = Outgoing::fresh_name();
    outgoing.add(&name, &letter.message(&name, from, to))?;
    deliver(spool, &outgoing, &name)?;
    match outgoing.find(&name)? {
        Some((nn::mail::outgoing::Box::Sent, _)) => {
            writeln!(out, "a message to {whom} was taken: look whether it arrives")?;
            Ok(Exit::DONE)
        }
        Some((nn::mail::outgoing::Box::New, _)) => Ok(Exit::AGAIN),
        _ => Ok(Exit::FAILED),
    }
}
