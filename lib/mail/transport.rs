//! A way for messages: a dialogue with a server, ready to take them, or a program.
//!
//! Greeting, EHLO and STARTTLS are spoken here, so that a server that is only busy is told from one that is not to be
//! trusted; TLS itself is done by `openssl s_client` (transport/tls.rs). A password goes over TLS, over a connection that
//! does not leave the machine, or over the person's own command, and nowhere else.

mod program;
pub mod tls;

use super::settings::{Settings, Tls, Via};
use super::smtp::{Client, Envelope, Fail, Limits, Reply, Witness};
use crate::base::error::reason;
use crate::base::sys;
use std::io::Read;
use std::net::{IpAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// For each address of a server.
const CONNECT: Duration = Duration::from_secs(20);
/// Slowest line that is waited for, bytes in a second.
const SLOWEST: u64 = 10_000;

/// A way for messages, open.
#[derive(Debug)]
pub enum Way<'w> {
    /// A dialogue with a server
    Smtp(Box<Client<'w>>, Duration),
    /// A command
    Program(String, Duration),
}

impl<'w> Way<'w> {
    /// Opens it.
    ///
    /// # Errors
    /// There is no way now, or not with these settings.
    pub fn open(settings: &Settings, witness: Witness<'w>) -> Result<Way<'w>, Fail> {
        match &settings.via {
            Via::Program(command) => Ok(Way::Program(command.clone(), settings.timeout)),
            Via::Smtp { host, port, tls } => {
                let client = connect(settings, (host, *port), tls, witness).map_err(|fail| at(fail, host, *port))?;
                Ok(Way::Smtp(Box::new(client), settings.timeout))
            }
        }
    }

    /// Hands over a message: an answer for each recipient.
    ///
    /// # Errors
    /// As `Client::send`.
    pub fn send(&mut self, envelope: &Envelope, body: &mut dyn Read) -> Result<Vec<Reply>, Fail> {
        match self {
            Way::Smtp(client, timeout) => {
                client.set_limits(limits(*timeout, envelope.size));
                client.send(envelope, body)
            }
            Way::Program(command, timeout) => program::send(command, *timeout, envelope, body),
        }
    }

    /// Closes it in good manners.
    pub fn close(self) {
        if let Way::Smtp(client, _) = self {
            client.quit();
        }
    }
}

/// Time limits for so many bytes.
fn limits(reply: Duration, bytes: u64) -> Limits {
    let all = reply.saturating_mul(10) + Duration::from_secs(bytes / SLOWEST);
    let now = Instant::now();
    Limits { reply, end: now.checked_add(all).unwrap_or(now) }
}

/// Names the server in what went wrong.
fn at(fail: Fail, host: &str, port: u16) -> Fail {
    match fail {
        Fail::Broken(why) => Fail::Broken(format!("{host}:{port}: {why}")),
        Fail::Settings(why) => Fail::Settings(format!("{host}:{port}: {why}")),
        fail => fail,
    }
}

fn connect<'w>(
    settings: &Settings,
    (host, port): (&str, u16),
    tls: &Tls,
    witness: Witness<'w>,
) -> Result<Client<'w>, Fail> {
    let limits = limits(settings.timeout, 0);
    // Before anything else: without it there is no point.
    let password = match &settings.user {
        Some(_) => Some(settings.password().map_err(Fail::Settings)?),
        None => None,
    };
    let helper = tls::Helper { settings: "mail", host, ca_file: settings.ca_file.as_deref(), limits };
    let mut name = own_name(None);
    let mut client = match tls {
        Tls::Command(command) => Client::new(Box::new(tls::command(command, host, port)?), limits, witness),
        _ => {
            let stream = tcp(host, port, settings.timeout.min(CONNECT))?;
            name = own_name(stream.local_addr().ok().map(|address| address.ip()));
            let other = stream.try_clone().map_err(|err| Fail::Broken(reason(&err)))?;
            if *tls == Tls::Whole {
                Client::new(Box::new(helper.wrap(other)?), limits, witness)
            } else {
                let mut client = Client::new(Box::new(stream), limits, witness);
                if *tls == Tls::Starttls {
                    client.greeting()?;
                    client.hello(&name)?;
                    client = client.starttls(|_| Ok(Box::new(helper.wrap(other)?)))?;
                }
                client
            }
        }
    };
    if *tls != Tls::Starttls {
        client.greeting()?;
    }
    client.hello(&name)?;
    if let (Some(user), Some(password)) = (&settings.user, password) {
        client.auth(user, &password)?;
    }
    Ok(client)
}

/// That a host is not found, in words.
pub fn not_found(err: &std::io::Error) -> String {
    let why = reason(err);
    format!("the host is not found: {}", why.strip_prefix("failed to lookup address information: ").unwrap_or(&why))
}

fn tcp(host: &str, port: u16, limit: Duration) -> Result<TcpStream, Fail> {
    let addresses = (host, port).to_socket_addrs();
    let addresses = addresses.map_err(|err| Fail::Broken(not_found(&err)))?;
    let mut last = "the host has no address".to_string();
    for address in addresses {
        match TcpStream::connect_timeout(&address, limit) {
            Ok(stream) => {
                // Small commands one after the other: not worth waiting to fill a packet.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(err) => last = format!("no connection: {}", reason(&err)),
        }
    }
    Err(Fail::Broken(last))
}

/// What this host calls itself: its full name, else its address. RFC 5321 section 4.1.3.
fn own_name(ip: Option<IpAddr>) -> String {
    let name = sys::host_name();
    match ip {
        _ if name.contains('.') => name,
        Some(IpAddr::V6(ip)) => format!("[IPv6:{ip}]"),
        Some(IpAddr::V4(ip)) => format!("[{ip}]"),
        None => "[127.0.0.1]".into(),
    }
}
