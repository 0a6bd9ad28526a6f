//! How mail leaves: the settings `mail.…`, checked. nn-mail(1) tells what each means.

use super::message::Address;
use crate::base::error::{Error, Result, reason};
use crate::base::sys;
use crate::record::ask::Asked;
use crate::spool::config::Config;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// How the connection is made secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Asked for within the dialogue
    Starttls,
    /// From the first byte on
    Whole,
    /// Not at all
    None,
    /// This command is the connection
    Command(String),
}

/// What mail goes through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// A server
    Smtp {
        /// Its name
        host: String,
        /// Its port
        port: u16,
        /// How the connection is made secret
        tls: Tls,
    },
    /// A program that takes a message on standard input and recipients as arguments
    Program(String),
}

/// All of it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What mail goes through
    pub via: Via,
    /// Who sends
    pub from: Address,
    /// The user the server knows
    pub user: Option<String>,
    /// A file that holds the password
    password_file: Option<PathBuf>,
    /// A command that prints it
    password_command: Option<String>,
    /// Whom to trust besides the system's authorities
    pub ca_file: Option<PathBuf>,
    /// The longest time a server may take for a reply
    pub timeout: Duration,
}

/// The time a server gets for a reply, unless mail.timeout says otherwise; RFC 5321 section 4.5.3.2 has 2 to 5 minutes.
const TIMEOUT: Duration = Duration::from_secs(120);
/// The time a command gets to print a password: it may ask a person.
const PASSWORD_LIMIT: Duration = Duration::from_secs(60);
/// Longest password.
const LONGEST_PASSWORD: u64 = 4096;

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// One is missing or wrong.
    pub fn read(config: &Config) -> Result<Settings> {
        let get = |key: &str| config.get(key).map(|value| value.trim().to_string()).filter(|value| !value.is_empty());
        let user = get("mail.user");
        Ok(Settings {
            via: via(&get, user.is_some())?,
            from: from(&get, user.as_deref())?,
            password_file: config.path("mail.password-file"),
            password_command: get("mail.password-command"),
            ca_file: config.path("mail.ca-file"),
            timeout: config.duration("mail.timeout")?.filter(|t| !t.is_zero()).unwrap_or(TIMEOUT),
            user,
        })
    }

    /// The password. It is read when it is needed, and goes nowhere but to the server.
    ///
    /// # Errors
    /// A sentence: there is none, its file may be read by others, the command failed.
    pub fn password(&self) -> std::result::Result<String, String> {
        let text = match (&self.password_file, &self.password_command) {
            (Some(path), _) => password_of_file(path)?,
            (None, Some(command)) => password_of_command(command)?,
            (None, None) => {
                return Err("mail.user is set, but neither mail.password-file nor mail.password-command".into());
            }
        };
        let line = text.lines().next().unwrap_or_default().to_string();
        if line.is_empty() || line.contains('\0') {
            return Err("the password is empty, or holds a NUL".into());
        }
        Ok(line)
    }
}

/// Whom mail is for when nobody is named.
///
/// # Errors
/// mail.to is wrong.
pub fn default_recipients(config: &Config) -> Result<Vec<Address>> {
    let text = config.get("mail.to").unwrap_or_default();
    Address::parse_list(&text).map_err(|what| Error::other(format!("mail.to: {what}")))
}

/// Who sends, also where nothing else is set up.
///
/// # Errors
/// mail.from is wrong.
pub fn sender(config: &Config) -> Result<Address> {
    let get = |key: &str| config.get(key).map(|value| value.trim().to_string()).filter(|value| !value.is_empty());
    from(&get, get("mail.user").as_deref())
}

type Get<'a> = &'a dyn Fn(&str) -> Option<String>;

fn from(get: Get, user: Option<&str>) -> Result<Address> {
    if let Some(text) = get("mail.from") {
        return Address::parse(&text).map_err(|what| Error::other(format!("mail.from: {what}")));
    }
    if let Some(address) = user.and_then(|user| Address::parse(user).ok()) {
        return Ok(address);
    }
    let name = std::env::var("LOGNAME").or_else(|_| std::env::var("USER")).unwrap_or_else(|_| "nobody".into());
    let host = sys::host_name();
    Address::parse(&format!("{name}@{host}"))
        .map_err(|what| Error::other(format!("{what}: set mail.from to your address")))
}

fn via(get: Get, user: bool) -> Result<Via> {
    match get("mail.via").as_deref() {
        None | Some("smtp") => {}
        Some("sendmail") => {
            let known = ["/usr/sbin/sendmail", "/usr/lib/sendmail"].iter().find(|path| PathBuf::from(path).exists());
            let program = known.unwrap_or(&"sendmail");
            return Ok(Via::Program(format!("{program} -i")));
        }
        Some(command) => return Ok(Via::Program(command.to_string())),
    }
    let tls = get("mail.tls").unwrap_or_else(|| "auto".into());
    let server = get("mail.server").unwrap_or_default();
    if server.is_empty() && matches!(tls.as_str(), "auto" | "starttls" | "tls" | "none") {
        return Err(Error::other(
            "no mail server is known: set mail.server or mail.via (nn-mail --setup asks for all)",
        ));
    }
    let (host, port) = split_server(&server)
        .ok_or_else(|| Error::other(format!("mail.server: '{server}' is not HOST or HOST:PORT")))?;
    let local = is_local(&host);
    let (tls, usual) = match tls.as_str() {
        "auto" if port == Some(465) => (Tls::Whole, 465),
        "auto" if local && !user => (Tls::None, 25),
        "auto" | "starttls" => (Tls::Starttls, if user { 587 } else { 25 }),
        "tls" => (Tls::Whole, 465),
        "none" => (Tls::None, 25),
        command => (Tls::Command(command.to_string()), 25),
    };
    if tls == Tls::None && user && !local {
        return Err(Error::other("mail.tls = none with mail.user: a password is never sent in the clear"));
    }
    Ok(Via::Smtp { host, port: port.unwrap_or(usual), tls })
}

/// Whether a connection to this host never leaves the machine.
fn is_local(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// `HOST`, `HOST:PORT`, `[::1]:25`. None: something else.
fn split_server(text: &str) -> Option<(String, Option<u16>)> {
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, rest)) => (host, Some(port(rest.strip_prefix(':')?)?)),
        None if text.matches(':').count() == 1 => {
            let (host, after) = text.split_once(':')?;
            (host, Some(port(after)?))
        }
        None => (text, None),
    };
    let good = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
    (!host.starts_with('-') && host.chars().all(good)).then(|| (host.to_string(), port))
}

fn password_of_file(path: &std::path::Path) -> std::result::Result<String, String> {
    let shown = path.display();
    let cannot = |err: std::io::Error| format!("cannot read {shown}: {}", reason(&err));
    let file = std::fs::File::open(path).map_err(cannot)?;
    let meta = file.metadata().map_err(cannot)?;
    if !meta.is_file() {
        return Err(format!("{shown} is no file"));
    }
    if meta.mode() & 0o077 != 0 {
        return Err(format!("others may read the password in {shown}: chmod 600 {shown}"));
    }
    if ![sys::effective_user_id(), 0].contains(&meta.uid()) {
        return Err(format!("{shown}, the password file, belongs to somebody else"));
    }
    let mut text = String::new();
    file.take(LONGEST_PASSWORD).read_to_string(&mut text).map_err(cannot)?;
    Ok(text)
}

fn password_of_command(text: &str) -> std::result::Result<String, String> {
    let mut command = Command::new("sh");
    command.args(["-c", text]);
    let mut asked = Asked::begin(command, LONGEST_PASSWORD);
    asked.wait(PASSWORD_LIMIT);
    match asked.take() {
        None => Err("mail.password-command takes too long".into()),
        Some(answer) if answer.code != Some(0) => {
            Err(format!("mail.password-command failed: {}", answer.words).trim_end_matches([':', ' ']).to_string())
        }
        Some(answer) => String::from_utf8(answer.out).map_err(|_| "the password is not UTF-8".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(pairs: &[(&str, &str)]) -> std::result::Result<Via, String> {
        let get = |key: &str| pairs.iter().find(|(k, _)| *k == key).map(|(_, v)| v.to_string());
        via(&get, get("mail.user").is_some()).map_err(|err| err.to_string())
    }

    #[test]
    fn ways() {
        let smtp = |host: &str, port, tls| Ok(Via::Smtp { host: host.into(), port, tls });
        assert_eq!(server(&[("mail.server", "mx.org")]), smtp("mx.org", 25, Tls::Starttls));
        assert_eq!(server(&[("mail.server", "mx.org"), ("mail.user", "u")]), smtp("mx.org", 587, Tls::Starttls));
        assert_eq!(server(&[("mail.server", "mx.org:465")]), smtp("mx.org", 465, Tls::Whole));
        assert_eq!(server(&[("mail.server", "localhost")]), smtp("localhost", 25, Tls::None));
        assert_eq!(server(&[("mail.server", "localhost"), ("mail.user", "u")]), smtp("localhost", 587, Tls::Starttls));
        assert_eq!(server(&[("mail.server", "[::1]:2525")]), smtp("::1", 2525, Tls::None));
        assert_eq!(server(&[("mail.server", "mx.org:26"), ("mail.tls", "none")]), smtp("mx.org", 26, Tls::None));
        assert!(server(&[("mail.server", "mx.org"), ("mail.tls", "none"), ("mail.user", "u")]).is_err());
        assert_eq!(server(&[("mail.via", "msmtp -a x")]), Ok(Via::Program("msmtp -a x".into())));
        assert!(server(&[]).unwrap_err().contains("nn-mail --setup"));
        for bad in ["mx:0", "mx:x", "-x", "a b", "[::1", "mx:99999"] {
            assert!(server(&[("mail.server", bad)]).is_err(), "{bad}");
        }
    }
}
