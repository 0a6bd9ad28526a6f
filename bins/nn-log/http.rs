//! One request of HTTP/1.1 (RFC 9112) to a server that may be anything: every wait has its end, every answer its bound.
//!
//! The head goes first and asks for a word (Expect: 100-continue, RFC 9110 section 10.1.1), so that a server which refuses
//! it is not sent megabytes; one that says nothing for a second gets the body all the same. https:// is spoken by the
//! helper that mail has (mail/transport/tls). The token goes over TLS, or to this very machine, and nowhere else unless
//! somebody says so. No redirection is followed.

use nn::base::error::reason;
use nn::base::text::escape;
use nn::mail::smtp::{Fail, Limits, Stream};
use nn::mail::transport::not_found;
use nn::mail::transport::tls::Helper;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// Longest head of an answer.
const LONGEST_HEAD: usize = 16 << 10;
/// Longest answer.
const LONGEST_ANSWER: usize = 256 << 10;
/// How long a word is waited for before the body is sent.
const WORD: Duration = Duration::from_secs(1);
/// Bytes sent at once.
const PIECE: usize = 64 << 10;
/// Most bytes that a server is quoted with.
const QUOTED: usize = 200;

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    is_secure: bool,
    host: String,
    port: u16,
    /// What its paths begin with
    base: String,
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The next try may go better
    Away(String),
    /// A person must change something
    Settings(String),
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// How a server is spoken to.
pub struct Way {
    pub token: String,
    pub ca_file: Option<PathBuf>,
    /// Whether the token may go over a network in the clear
    pub is_plain: bool,
}

impl Url {
    /// Reads `https://box.example.org:8443/nn`.
    pub fn parse(text: &str) -> Result<Url, String> {
        let wrong = |why: &str| format!("'{text}' is no address such as https://box.example.org:8080 ({why})");
        let (scheme, rest) = text.split_once("://").ok_or_else(|| wrong("no http:// or https://"))?;
        let is_secure = match scheme {
            "http" => false,
            "https" => true,
            _ => return Err(wrong("neither http nor https")),
        };
        let (authority, base) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if !text.bytes().all(|b| b.is_ascii_graphic()) || text.contains(['?', '#', '@', '\\']) {
            return Err(wrong("an odd character"));
        }
        let after_host = if authority.starts_with('[') { authority.find(']').map_or(0, |at| at + 1) } else { 0 };
        let (host, port) = match authority.get(after_host..).and_then(|rest| rest.find(':')) {
            Some(at) => {
                let (host, port) = authority.split_at(after_host + at);
                (host, port.get(1..).and_then(|port| port.parse().ok()).ok_or_else(|| wrong("the port"))?)
            }
            None => (authority, if is_secure { 443 } else { 80 }),
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if host.is_empty() {
            return Err(wrong("no host"));
        }
        Ok(Url { is_secure, host: host.into(), port, base: base.trim_end_matches('/').into() })
    }

    fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == if self.is_secure { 443 } else { 80 } { host } else { format!("{host}:{}", self.port) }
    }

    /// Sends `length` bytes, which `fill` gives piece by piece, to a path there; what is answered before `end`.
    ///
    /// # Errors
    /// There is no answer.
    pub fn post(&self, path: &str, way: &Way, length: u64, fill: &mut Fill, end: Instant) -> Result<Answer, Trouble> {
        let named = |words: String| format!("{}: {words}", self.authority());
        self.try_post(path, way, length, fill, end).map_err(|trouble| match trouble {
            Trouble::Away(words) => Trouble::Away(named(words)),
            Trouble::Settings(words) => Trouble::Settings(named(words)),
        })
    }

    fn try_post(&self, path: &str, way: &Way, length: u64, fill: &mut Fill, end: Instant) -> Result<Answer, Trouble> {
        let stream = self.connect(way, end)?;
        let mut dialogue = Dialogue { stream, ahead: Vec::new(), end };
        let head = format!(
            "POST {}{path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/octet-stream\r\n\
             Content-Length: {length}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
            self.base,
            self.authority(),
            way.token
        );
        let sent = dialogue.write(head.as_bytes());
        let mut early = None;
        if sent.is_ok() {
            early = dialogue.word()?;
            if early.is_none()
                && let Err(err) = dialogue.write_all_of(fill)
                && !matches!(err.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset)
            {
                return Err(dialogue.trouble(&err));
            }
        }
        match early {
            Some(head) => dialogue.answer(&head),
            // A server that closes early may still have said why.
            None => dialogue.final_head().and_then(|head| dialogue.answer(&head)),
        }
    }

    fn connect(&self, way: &Way, end: Instant) -> Result<Box<dyn Stream>, Trouble> {
        let addresses = self.look_up(end)?;
        let mut last = Trouble::Away("the host has no address".into());
        for address in addresses {
            if !self.is_secure && !way.is_plain && !is_here(address.ip()) {
                last = Trouble::Settings(
                    "the token would cross the network in the clear: take https://, or a tunnel to this machine, or \
                     set report.plain = yes"
                        .into(),
                );
                continue;
            }
            let Some(left) = left(end) else { return Err(too_slow()) };
            match TcpStream::connect_timeout(&address, left) {
                Ok(stream) => return self.wrap(stream, way, end),
                Err(err) => last = Trouble::Away(format!("no connection: {}", reason(&err))),
            }
        }
        Err(last)
    }

    /// The addresses of the host. The system may take longer than anybody wants to wait.
    fn look_up(&self, end: Instant) -> Result<Vec<SocketAddr>, Trouble> {
        let (sender, found) = channel();
        let place = (self.host.clone(), self.port);
        std::thread::spawn(move || sender.send(place.to_socket_addrs().map(Iterator::collect)));
        let found = found.recv_timeout(left(end).unwrap_or_default());
        found
            .unwrap_or_else(|_| Err(io::Error::other("no answer in time")))
            .map_err(|err| Trouble::Away(not_found(&err)))
    }

    fn wrap(&self, stream: TcpStream, way: &Way, end: Instant) -> Result<Box<dyn Stream>, Trouble> {
        // The head is small, and answered.
        let _ = stream.set_nodelay(true);
        if !self.is_secure {
            return Ok(Box::new(stream));
        }
        let limits = Limits { reply: left(end).ok_or_else(too_slow)?, end };
        let ca_file = way.ca_file.as_deref();
        let helper = Helper { settings: "report", host: &self.host, ca_file, limits };
        Ok(Box::new(helper.wrap(stream).map_err(explained)?))
    }
}

/// Gives the next bytes of a body; none: its end.
pub type Fill<'a> = dyn FnMut(&mut [u8]) -> io::Result<usize> + 'a;

fn is_here(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

fn left(end: Instant) -> Option<Duration> {
    Some(end.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
}

fn too_slow() -> Trouble {
    Trouble::Away("it does not answer in time".into())
}

fn explained(fail: Fail) -> Trouble {
    match fail {
        Fail::Settings(words) => Trouble::Settings(words),
        fail => Trouble::Away(fail.to_string()),
    }
}

struct Dialogue {
    stream: Box<dyn Stream>,
    /// Read, and not yet understood
    ahead: Vec<u8>,
    end: Instant,
}

/// Status and length of what follows, if it was said.
type Head = (u16, Option<usize>);

impl Dialogue {
    fn limit(&self, most: Option<Duration>) -> io::Result<()> {
        let left = left(self.end).ok_or(ErrorKind::TimedOut)?;
        self.stream.set_limit(most.map_or(left, |most| most.min(left)))
    }

    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.limit(None)?;
            match self.stream.write(bytes) {
                Ok(0) => return Err(ErrorKind::BrokenPipe.into()),
                Ok(n) => bytes = bytes.get(n..).unwrap_or_default(),
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(err) => return Err(err),
            }
        }
        self.stream.flush()
    }

    fn write_all_of(&mut self, fill: &mut Fill) -> io::Result<()> {
        let mut piece = vec![0; PIECE];
        loop {
            match fill(&mut piece)? {
                0 => return Ok(()),
                n => self.write(piece.get(..n).unwrap_or_default())?,
            }
        }
    }

    fn read(&mut self, most: Option<Duration>) -> io::Result<usize> {
        let mut piece = [0; 4096];
        loop {
            self.limit(most)?;
            match self.stream.read(&mut piece) {
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(err) if err.kind() == ErrorKind::WouldBlock => return Err(ErrorKind::TimedOut.into()),
                read => {
                    let n = read?;
                    self.ahead.extend_from_slice(piece.get(..n).unwrap_or_default());
                    return Ok(n);
                }
            }
        }
    }

    /// What went wrong, as the stream itself knows it or as the system says.
    fn trouble(&mut self, err: &io::Error) -> Trouble {
        if err.kind() == ErrorKind::TimedOut || left(self.end).is_none() {
            return too_slow();
        }
        let own = self.stream.why().map(explained);
        own.unwrap_or_else(|| match err.kind() {
            ErrorKind::UnexpectedEof => Trouble::Away("it closed the connection without an answer".into()),
            _ => Trouble::Away(format!("the connection broke: {}", reason(err))),
        })
    }

    /// Waits a moment for a word. Some: it is the answer already.
    fn word(&mut self) -> Result<Option<Head>, Trouble> {
        let until = Instant::now() + WORD;
        loop {
            match self.take_head()? {
                Some((100, _)) => return Ok(None),
                Some(head) => return Ok(Some(head)),
                None => {}
            }
            let Some(moment) = left(until) else { return Ok(None) };
            match self.read(Some(moment)) {
                Ok(0) => return Err(self.trouble(&ErrorKind::UnexpectedEof.into())),
                Ok(_) => {}
                Err(err) if err.kind() == ErrorKind::TimedOut && left(self.end).is_some() => return Ok(None),
                Err(err) => return Err(self.trouble(&err)),
            }
        }
    }

    fn final_head(&mut self) -> Result<Head, Trouble> {
        loop {
            match self.take_head()? {
                Some((100..=199, _)) => {}
                Some(head) => return Ok(head),
                None => match self.read(None) {
                    Ok(0) => return Err(self.trouble(&ErrorKind::UnexpectedEof.into())),
                    Ok(_) => {}
                    Err(err) => return Err(self.trouble(&err)),
                },
            }
        }
    }

    /// Takes a head from what has come, if all of it has.
    fn take_head(&mut self) -> Result<Option<Head>, Trouble> {
        let Some(at) = self.ahead.windows(4).position(|end| end == b"\r\n\r\n") else {
            let begin = self.ahead.get(..5).unwrap_or(&self.ahead);
            if !b"HTTP/".starts_with(begin) {
                return Err(Trouble::Away(format!("what answers speaks no HTTP: {}", quoted(&self.ahead))));
            }
            if self.ahead.len() > LONGEST_HEAD {
                return Err(Trouble::Away("the head of its answer is too long".into()));
            }
            return Ok(None);
        };
        let head: Vec<u8> = self.ahead.drain(..at + 4).collect();
        let text = String::from_utf8_lossy(&head);
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok());
        let status: u16 = status
            .filter(|status| (100..=599).contains(status))
            .ok_or_else(|| Trouble::Away(format!("what answers speaks no HTTP: {}", quoted(&head))))?;
        let header = |name: &str| {
            let mut found = text.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
            found.find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
        };
        if (300..400).contains(&status) {
            let to = header("location").map(|to| format!(" to {}", quoted(to.as_bytes()))).unwrap_or_default();
            return Err(Trouble::Settings(format!("it redirects{to}: give that address, none is followed")));
        }
        if status >= 200 && header("transfer-encoding").is_some() {
            return Err(Trouble::Away("it answers in an encoding that is not known here".into()));
        }
        let length = header("content-length").map(|length| length.parse().unwrap_or(usize::MAX));
        Ok(Some((status, length)))
    }

    fn answer(&mut self, head: &Head) -> Result<Answer, Trouble> {
        let (status, length) = *head;
        let is_long = |n: usize| n > LONGEST_ANSWER;
        while length.is_none_or(|length| self.ahead.len() < length) {
            if length.is_some_and(is_long) || is_long(self.ahead.len()) {
                return Err(Trouble::Away("its answer is too long".into()));
            }
            match self.read(None) {
                Ok(0) if length.is_none() => break,
                Ok(0) => return Err(self.trouble(&ErrorKind::UnexpectedEof.into())),
                Ok(_) => {}
                Err(err) => return Err(self.trouble(&err)),
            }
        }
        let mut body = std::mem::take(&mut self.ahead);
        body.truncate(length.unwrap_or(body.len()));
        Ok(Answer { status, body })
    }
}

/// The beginning of what a server said, for a person.
pub fn quoted(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes.get(..QUOTED).unwrap_or(bytes)).into_owned();
    format!("'{}'", escape(text.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let url = |text: &str| Url::parse(text).unwrap();
        assert_eq!((url("http://box").authority(), url("http://box").port), ("box".into(), 80));
        assert_eq!((url("https://box/").authority(), url("https://box/").port), ("box".into(), 443));
        assert_eq!(url("https://[::1]:8443/nn/").authority(), "[::1]:8443");
        assert_eq!(url("https://[::1]:8443/nn/").base, "/nn");
        assert_eq!(url("http://[::1]").host, "::1");
        for text in [
            "box:8080",
            "ftp://box",
            "http://",
            "http://:80",
            "http://me@box",
            "http://box:x",
            "http://box:99999",
            "http://box/a?b",
            "http://box\r\nX: y",
            "http://b ox",
        ] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
    }
}
