//! Five questions, a try, and the settings are written: from nothing to the first mail.
//!
//! Answers are lines of standard input; on a terminal the password is not shown. The settings go into the person's
//! ~/.config/nn/config, in place of what stood there for the same keys, the password into a file of its own with mode
//! 0600. Only what was tried and works is written, unless the person insists.

use crate::check;
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Doing, Error, Result};
use nn::base::files;
use nn::mail::message::Address;
use nn::mail::settings::Settings;
use nn::spool::config::{self, Config};
use nn::spool::store::Spool;
use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Asks, tries, writes.
///
/// # Errors
/// An answer is no answer, the files cannot be written, or it does not work.
pub fn setup(out: &mut Out) -> Result<Exit> {
    let dir = config::person_dir().ok_or_else(|| Error::other("there is no home directory"))?;
    let known = Config::of_person()?;
    let now = |key: &str| known.get(key).unwrap_or_default();
    let from = ask_until(out, "1. Your address, from which mail comes", &now("mail.from"), address)?;
    let to_now = if now("mail.to").is_empty() { from.mailbox.clone() } else { now("mail.to") };
    let to = ask_until(out, "2. Where news goes", &to_now, Address::parse_list)?;
    let guess = match now("mail.server") {
        server if !server.is_empty() => server,
        _ if now("mail.via") == "sendmail" => "sendmail".into(),
        _ => guess(from.domain()),
    };
    let server = ask(out, "3. The server that takes your mail, HOST or HOST:PORT; or sendmail", &guess)?;
    let mut pairs = vec![("mail.from", from.to_string()), ("mail.to", list(&to))];
    let mut password = None;
    if server == "sendmail" {
        pairs.push(("mail.via", "sendmail".into()));
    } else {
        let is_here = ["localhost", "127.", "[::1]"].iter().any(|start| server.starts_with(start));
        pairs.push(("mail.server", server));
        let user = ask(
            out,
            "4. Your user name there (often the address; '-' for none)",
            &user_guess(&now("mail.user"), &from, is_here),
        )?;
        if user != "-" {
            pairs.push(("mail.user", user));
            password = Some(ask_password(out)?);
        }
    }
    let path = dir.join("config");
    std::fs::create_dir_all(&dir).doing("make the directory", &dir)?;
    let secret = dir.join("mail-password");
    let before = files::read_text_if_any(&path)?.unwrap_or_default();
    match password.as_deref() {
        None => {}
        Some(text) if text.starts_with('!') => {
            pairs.push(("mail.password-command", text.trim_start_matches('!').trim().to_string()));
        }
        Some("") => pairs.push(("mail.password-file", secret.to_string_lossy().into_owned())),
        Some(text) => {
            files::write_durable(&secret, format!("{text}\n").as_bytes())?;
            pairs.push(("mail.password-file", secret.to_string_lossy().into_owned()));
        }
    }
    write(&path, &merged(&before, &pairs))?;
    let spool = Spool::find()?;
    let tried = spool.config().and_then(|config| Settings::read(&config)).and_then(|s| check::dialogue(&s, out));
    if let Err(err) = tried {
        cli::complain(&err);
        let keep = ask(out, "This does not work. Keep these settings all the same? (yes, no)", "no")?;
        if keep != "yes" {
            write(&path, &before)?;
            cli::report("Nothing was changed.");
            return Ok(Exit::FAILED);
        }
        return written(&path, out).map(|()| Exit::FAILED);
    }
    written(&path, out)?;
    let sent = check::send(&spool, to, out)?;
    writeln!(
        out,
        "From now on a run tells when it has failed, has finished, or goes wrong: see mail.notify in nn-mail(1)."
    )?;
    Ok(sent)
}

fn written(path: &Path, out: &mut Out) -> Result<()> {
    writeln!(out, "The settings are in {}.", path.display())
}

fn write(path: &Path, text: &str) -> Result<()> {
    files::write_durable(path, text.as_bytes())
}

fn list(addresses: &[Address]) -> String {
    addresses.iter().map(Address::to_string).collect::<Vec<_>>().join(", ")
}

fn address(text: &str) -> std::result::Result<Address, String> {
    Address::parse(text)
}

/// Asks until the answer can be read; without a terminal there is nobody to ask again.
fn ask_until<T>(
    out: &mut Out,
    question: &str,
    usual: &str,
    read: impl Fn(&str) -> std::result::Result<T, String>,
) -> Result<T> {
    loop {
        match read(&ask(out, question, usual)?) {
            Ok(answer) => return Ok(answer),
            Err(what) if std::io::stdin().is_terminal() => cli::tell(&what),
            Err(what) => return Err(Error::other(what)),
        }
    }
}

/// One line of an answer; empty: the usual one.
fn ask(out: &mut Out, question: &str, usual: &str) -> Result<String> {
    let shown = if usual.is_empty() { String::new() } else { format!(" [{usual}]") };
    writeln!(out, "{question}{shown}:")?;
    out.flush()?;
    let answer = line()?.ok_or_else(|| Error::other("no answer: nothing was changed"))?;
    Ok(if answer.is_empty() { usual.to_string() } else { answer })
}

fn line() -> Result<Option<String>> {
    let mut answer = String::new();
    let n = std::io::stdin().lock().read_line(&mut answer).doing("read", "standard input")?;
    Ok((n > 0).then(|| answer.trim().to_string()))
}

fn ask_password(out: &mut Out) -> Result<String> {
    writeln!(
        out,
        "5. The password (kept in a file only you can read; '!COMMAND' for a command that prints it; empty: as before):"
    )?;
    out.flush()?;
    let hidden = std::io::stdin().is_terminal() && stty("-echo");
    let answer = line();
    if hidden {
        stty("echo");
        writeln!(out)?;
    }
    answer?.ok_or_else(|| Error::other("no answer: nothing was changed"))
}

/// Whether stty(1) did it.
fn stty(what: &str) -> bool {
    Command::new("stty").arg(what).stdin(Stdio::inherit()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
}

/// Who takes mail: a program here that does, else the name most domains have for it.
fn guess(domain: &str) -> String {
    let here = ["/usr/sbin/sendmail", "/usr/lib/sendmail"].iter().any(|path| PathBuf::from(path).exists());
    if here { "sendmail".into() } else { format!("smtp.{domain}:587") }
}

/// A server of this machine asks nobody who he is.
fn user_guess(now: &str, from: &Address, is_here: bool) -> String {
    match now {
        "" if is_here => "-".into(),
        "" => from.mailbox.clone(),
        now => now.to_string(),
    }
}

/// The file with these settings: each in its old place, new ones at the end; what contradicts them is gone.
fn merged(before: &str, pairs: &[(&str, String)]) -> String {
    const OURS: [&str; 7] =
        ["mail.from", "mail.to", "mail.server", "mail.via", "mail.user", "mail.password-file", "mail.password-command"];
    let mut left: Vec<&(&str, String)> = pairs.iter().collect();
    let mut out = String::new();
    for text in before.lines() {
        let key = text.split_once('=').map_or("", |(key, _)| key.trim());
        if let Some(at) = left.iter().position(|(name, _)| *name == key) {
            let (name, value) = left.remove(at);
            out += &format!("{name} = {value}\n");
        } else if !OURS.contains(&key) {
            out += &format!("{text}\n");
        }
    }
    for (name, value) in left {
        out += &format!("{name} = {value}\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_merged() {
        let before = "# mine\nmail.to = a@b\nslots = 2\nmail.via = sendmail\nmail.timeout = 5s\n";
        let pairs = [("mail.from", "x@y".to_string()), ("mail.to", "x@y".to_string())];
        let after = "# mine\nmail.to = x@y\nslots = 2\nmail.timeout = 5s\nmail.from = x@y\n";
        assert_eq!(merged(before, &pairs), after);
        assert_eq!(merged(after, &pairs), after);
    }
}
