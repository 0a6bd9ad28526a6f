//! A client of SMTP, RFC 5321, over any stream that knows time limits (`Stream`).
//!
//! EHLO, or HELO where that is not known; MAIL and RCPT in one go where PIPELINING is offered; SIZE, 8BITMIME, SMTPUTF8;
//! AUTH PLAIN and LOGIN. The body is read in pieces, its line ends made CRLF, its dots stuffed. What the server says is
//! bounded in every way: length of a line, lines of a reply, time of a reply, time of all together. The code of a reply
//! decides, its text is for people. Whether a message was taken is known but in one case: no answer after the last dot.

mod stuff;

use super::message::encode_base64;
use std::fmt;
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

pub use stuff::Stuffed;

/// Longest command without its line end, section 4.5.3.1.4.
const LONGEST_COMMAND: usize = 510;
/// Longest line of a reply: RFC 5321 section 4.5.3.1.5 has 512.
const LONGEST_LINE: usize = 4096;
/// Most lines of a reply.
const MOST_LINES: usize = 256;
/// Most recipients of one transaction that every server takes, section 4.5.3.1.8.
pub const MOST_RECIPIENTS: usize = 100;
/// Bytes written at once.
const PIECE: usize = 1 << 14;

/// A connection whose reads and writes give up after a time.
pub trait Stream: Read + Write + Send + fmt::Debug {
    /// From now on a read or a write ends with an error after this time.
    ///
    /// # Errors
    /// The system's.
    fn set_limit(&self, limit: Duration) -> io::Result<()>;

    /// Why it ended, where the stream itself knows more than that it did.
    fn why(&mut self) -> Option<Fail> {
        None
    }
}

impl Stream for std::net::TcpStream {
    fn set_limit(&self, limit: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(limit)).and_then(|()| self.set_write_timeout(Some(limit)))
    }
}

impl Stream for std::os::unix::net::UnixStream {
    fn set_limit(&self, limit: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(limit)).and_then(|()| self.set_write_timeout(Some(limit)))
    }
}

/// What a server answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The code
    pub code: u16,
    /// The text after the code, a line each
    pub lines: Vec<String>,
}

impl Reply {
    /// Whether it says yes (2xx).
    pub fn is_yes(&self) -> bool {
        self.code / 100 == 2
    }

    /// Whether trying again later may help (4xx).
    pub fn is_later(&self) -> bool {
        self.code / 100 == 4
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} {}", self.code, self.lines.join(" "))
    }
}

/// Why a dialogue ended early. Nothing was taken, but perhaps with `Unknown`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fail {
    /// No connection, silence, nonsense, or not now: the next try may go better
    Broken(String),
    /// The settings and this server do not go together: a person must change something
    Settings(String),
    /// The server said no to this message
    Refused(Reply),
    /// The message was handed over, and no answer came
    Unknown(String),
}

impl fmt::Display for Fail {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Fail::Broken(why) | Fail::Settings(why) | Fail::Unknown(why) => f.write_str(why),
            Fail::Refused(reply) => write!(f, "the server says {reply}"),
        }
    }
}

/// What the server can do, by its answer to EHLO.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    /// STARTTLS
    pub starttls: bool,
    /// PIPELINING
    pub pipelining: bool,
    /// 8BITMIME
    pub eight_bit: bool,
    /// SMTPUTF8
    pub utf8: bool,
    /// SIZE, and the greatest message; 0: not said
    pub size: Option<u64>,
    /// Mechanisms of AUTH
    pub auth: Vec<String>,
}

impl Offers {
    fn of(reply: &Reply) -> Offers {
        let mut offers = Offers::default();
        for line in reply.lines.iter().skip(1) {
            let line = line.to_ascii_uppercase().replace("AUTH=", "AUTH ");
            let mut words = line.split_whitespace();
            match words.next().unwrap_or_default() {
                "STARTTLS" => offers.starttls = true,
                "PIPELINING" => offers.pipelining = true,
                "8BITMIME" => offers.eight_bit = true,
                "SMTPUTF8" => offers.utf8 = true,
                "SIZE" => offers.size = Some(words.next().and_then(|n| n.parse().ok()).unwrap_or(0)),
                "AUTH" => offers.auth.extend(words.map(String::from)),
                _ => {}
            }
        }
        offers
    }
}

/// Time limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For each reply; after the last dot five times as long
    pub reply: Duration,
    /// When all must be over
    pub end: Instant,
}

/// One message for some people.
#[derive(Clone, Debug)]
pub struct Envelope<'a> {
    /// Who gets it back when it cannot be delivered
    pub from: &'a str,
    /// Whom it is for: `MOST_RECIPIENTS` at most
    pub to: &'a [String],
    /// Bytes of the message, about
    pub size: u64,
    /// Whether it has bytes above 127
    pub eight_bit: bool,
}

/// Hears every line of both sides, `<` and `>` before it; secrets are left out.
pub type Witness<'w> = Option<&'w mut dyn FnMut(char, &str)>;

/// A dialogue with a server.
pub struct Client<'w> {
    stream: Box<dyn Stream>,
    limits: Limits,
    /// Read, and not yet understood
    ahead: Vec<u8>,
    offers: Offers,
    witness: Witness<'w>,
}

impl fmt::Debug for Client<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Client").field("stream", &self.stream).field("offers", &self.offers).finish_non_exhaustive()
    }
}

type Result<T> = std::result::Result<T, Fail>;

impl<'w> Client<'w> {
    /// A dialogue over this stream; nothing is said yet.
    pub fn new(stream: Box<dyn Stream>, limits: Limits, witness: Witness<'w>) -> Client<'w> {
        Client { stream, limits, ahead: Vec::new(), offers: Offers::default(), witness }
    }

    /// What the server can do.
    pub fn offers(&self) -> &Offers {
        &self.offers
    }

    /// Other limits from now on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Waits for the server to say its name.
    ///
    /// # Errors
    /// It does not, or will not talk.
    pub fn greeting(&mut self) -> Result<()> {
        let reply = self.reply(1, "its greeting")?;
        if reply.code == 220 { Ok(()) } else { Err(Fail::Broken(format!("the server does not want to talk: {reply}"))) }
    }

    /// Introduces this host and learns what the server can do.
    ///
    /// # Errors
    /// The server refuses.
    pub fn hello(&mut self, name: &str) -> Result<()> {
        let reply = self.command(&format!("EHLO {name}"))?;
        self.offers = Offers::of(&reply);
        if reply.is_yes() {
            return Ok(());
        }
        self.offers = Offers::default();
        if reply.code / 100 != 5 {
            return Err(Fail::Broken(format!("the server refuses EHLO: {reply}")));
        }
        let reply = self.command(&format!("HELO {name}"))?;
        if reply.is_yes() { Ok(()) } else { Err(Fail::Broken(format!("the server refuses HELO: {reply}"))) }
    }

    /// Asks for TLS; `wrap` puts it around the stream. What was known of the server is forgotten.
    ///
    /// # Errors
    /// It is not offered or refused; or the server said something more, which would be taken for its words under TLS; or
    /// TLS fails.
    pub fn starttls(mut self, wrap: impl FnOnce(Box<dyn Stream>) -> Result<Box<dyn Stream>>) -> Result<Client<'w>> {
        if !self.offers.starttls {
            let what = "the server does not offer STARTTLS, so nothing is sent (mail.tls = none sends in the clear)";
            return Err(Fail::Settings(what.into()));
        }
        let reply = self.command("STARTTLS")?;
        if reply.code != 220 {
            return Err(Fail::Broken(format!("the server refuses STARTTLS: {reply}")));
        }
        if !self.ahead.is_empty() {
            return Err(Fail::Broken("the server, or somebody between, spoke on before TLS: not trusted".into()));
        }
        Ok(Client { stream: wrap(self.stream)?, offers: Offers::default(), ..self })
    }

    /// Says who sends.
    ///
    /// # Errors
    /// The server knows no way this client knows, or refuses.
    pub fn auth(&mut self, user: &str, password: &str) -> Result<()> {
        let has = |name: &str| self.offers.auth.iter().any(|offer| offer == name);
        let base64 = |text: &str| {
            let mut out = Vec::new();
            encode_base64(text.as_bytes(), 0, &mut out);
            String::from_utf8_lossy(&out).into_owned()
        };
        let reply = if has("PLAIN") {
            self.plain(&base64(&format!("\0{user}\0{password}")))?
        } else if has("LOGIN") {
            let mut reply = self.command("AUTH LOGIN")?;
            for word in [user, password] {
                if reply.code == 334 {
                    reply = self.secret(&base64(word), "***")?;
                }
            }
            reply
        } else {
            let what = match self.offers.auth.as_slice() {
                [] => "the server takes no password here, but mail.user is set".to_string(),
                ways => format!("the server takes a password by {} only, not by PLAIN or LOGIN", ways.join(", ")),
            };
            return Err(Fail::Settings(what));
        };
        match reply {
            reply if reply.code == 235 => Ok(()),
            reply if reply.is_later() => {
                Err(Fail::Broken(format!("the server cannot check the password now: {reply}")))
            }
            reply => Err(Fail::Settings(format!("the server does not take user '{user}' and the password: {reply}"))),
        }
    }

    /// AUTH PLAIN with everything in the command, or as the answer to a challenge where that would be too long for a
    /// command, RFC 4954 section 4.
    fn plain(&mut self, word: &str) -> Result<Reply> {
        let command = format!("AUTH PLAIN {word}");
        if command.len() <= LONGEST_COMMAND {
            return self.secret(&command, "AUTH PLAIN ***");
        }
        let reply = self.command("AUTH PLAIN")?;
        if reply.code == 334 { self.secret(word, "***") } else { Ok(reply) }
    }

    /// Hands over one message: an answer for each recipient, in their order.
    ///
    /// # Errors
    /// The message as a whole is refused, or the dialogue broke.
    pub fn send(&mut self, envelope: &Envelope, body: &mut dyn Read) -> Result<Vec<Reply>> {
        let mail = self.mail_command(envelope)?;
        let rcpts: Vec<String> = envelope.to.iter().map(|to| format!("RCPT TO:<{to}>")).collect();
        let mut replies = Vec::new();
        let first;
        if self.offers.pipelining {
            let all: Vec<&str> = std::iter::once(mail.as_str()).chain(rcpts.iter().map(String::as_str)).collect();
            self.say(&all)?;
            first = self.reply(1, "the answer to MAIL")?;
            for _ in &rcpts {
                replies.push(self.reply(1, "the answer to RCPT")?);
            }
        } else {
            first = self.command(&mail)?;
            for rcpt in rcpts.iter().filter(|_| first.is_yes()) {
                replies.push(self.command(rcpt)?);
            }
        }
        if !first.is_yes() {
            self.command("RSET")?;
            return Err(no(first));
        }
        if !replies.iter().any(Reply::is_yes) {
            self.command("RSET")?;
            return Ok(replies);
        }
        let reply = self.command("DATA")?;
        if reply.code != 354 {
            self.command("RSET")?;
            return Err(no(reply));
        }
        self.body(body)?;
        let end = self.reply(5, "the answer to the end of the message");
        let end = end.map_err(|fail| Fail::Unknown(format!("the message was handed over, but {fail}")))?;
        if !end.is_yes() {
            return Err(no(end));
        }
        let taken = |reply: Reply| if reply.is_yes() { end.clone() } else { reply };
        Ok(replies.into_iter().map(taken).collect())
    }

    /// Takes leave; nothing depends on the answer.
    pub fn quit(mut self) {
        self.limits.end = self.limits.end.min(Instant::now() + Duration::from_secs(5));
        let _ = self.command("QUIT");
    }

    fn mail_command(&self, envelope: &Envelope) -> Result<String> {
        let mut mail = format!("MAIL FROM:<{}>", envelope.from);
        let refuse = |code: u16, what: String| Err(Fail::Refused(Reply { code, lines: vec![what] }));
        if let Some(most) = self.offers.size {
            if most > 0 && envelope.size > most {
                let sizes = (crate::base::units::show_size(envelope.size), crate::base::units::show_size(most));
                return refuse(
                    552,
                    format!("(not said by it) a message of {}, and it takes {} at most", sizes.0, sizes.1),
                );
            }
            mail += &format!(" SIZE={}", envelope.size);
        }
        let utf8 = !envelope.from.is_ascii() || envelope.to.iter().any(|to| !to.is_ascii());
        if envelope.eight_bit || utf8 {
            if !self.offers.eight_bit {
                return refuse(
                    554,
                    "(not said by it) the message has 8-bit characters, and it does not take them".into(),
                );
            }
            mail += " BODY=8BITMIME";
        }
        if utf8 {
            if !self.offers.utf8 {
                return refuse(
                    553,
                    "(not said by it) an address is not ASCII, and it does not take such (SMTPUTF8)".into(),
                );
            }
            mail += " SMTPUTF8";
        }
        Ok(mail)
    }

    fn body(&mut self, body: &mut dyn Read) -> Result<()> {
        let mut stuffed = Stuffed::default();
        let mut piece = vec![0; PIECE];
        let mut out = Vec::with_capacity(2 * PIECE);
        loop {
            let n = match body.read(&mut piece) {
                Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
                // Broken off without the dot: the server drops what it has.
                read => read.map_err(|err| Fail::Broken(format!("cannot read the message: {}", reason(&err))))?,
            };
            out.clear();
            stuffed.feed(piece.get(..n).unwrap_or_default(), &mut out);
            if n == 0 {
                stuffed.end(&mut out);
            }
            if let Err(fail) = self.write(&out) {
                // It may have said why before it closed.
                let said = self.reply(1, "the answer to the message").ok().map(|reply| format!(", saying {reply}"));
                return Err(Fail::Broken(format!("in the middle of the message {fail}{}", said.unwrap_or_default())));
            }
            if n == 0 {
                return Ok(());
            }
        }
    }

    fn command(&mut self, line: &str) -> Result<Reply> {
        self.secret(line, line)
    }

    /// Says a line of which others see only `shown`.
    fn secret(&mut self, line: &str, shown: &str) -> Result<Reply> {
        self.tell('>', shown);
        self.write(format!("{line}\r\n").as_bytes())?;
        self.reply(1, &format!("the answer to {}", shown.split(' ').next().unwrap_or_default()))
    }

    fn say(&mut self, lines: &[&str]) -> Result<()> {
        for line in lines {
            self.tell('>', line);
        }
        self.write(lines.iter().map(|line| format!("{line}\r\n")).collect::<String>().as_bytes())
    }

    fn tell(&mut self, side: char, line: &str) {
        if let Some(witness) = &mut self.witness {
            witness(side, line);
        }
    }

    /// Time left until `until`, or until all must be over.
    fn left(&self, until: Instant) -> Result<Duration> {
        let left = until.min(self.limits.end).saturating_duration_since(Instant::now());
        if left.is_zero() { Err(Fail::Broken("the server takes too long".into())) } else { Ok(left) }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let until = Instant::now() + self.limits.reply;
        let mut rest = bytes;
        while !rest.is_empty() {
            let limit = self.left(until)?;
            let written = self.stream.set_limit(limit).and_then(|()| self.stream.write(rest));
            match written {
                Ok(0) => return Err(self.ended("the connection was closed".into())),
                Ok(n) => rest = rest.get(n..).unwrap_or_default(),
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) => return Err(self.broken(&err)),
            }
        }
        Ok(())
    }

    /// The stream ended; it may know better than what the system says.
    fn ended(&mut self, what: String) -> Fail {
        self.stream.why().unwrap_or(Fail::Broken(what))
    }

    fn broken(&mut self, err: &io::Error) -> Fail {
        match err.kind() {
            // It did not end: there is nothing to be asked.
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                Fail::Broken("the server does not answer in time".into())
            }
            _ => self.ended(format!("the connection broke: {}", reason(err))),
        }
    }

    /// Reads one reply; `patience`: so many times the usual time; `what` it is, in words.
    fn reply(&mut self, patience: u32, what: &str) -> Result<Reply> {
        let until = Instant::now() + self.limits.reply * patience;
        let mut reply = Reply::default();
        loop {
            let line = self.line(until).map_err(|fail| match fail {
                Fail::Broken(why) => Fail::Broken(format!("{why} (waiting for {what})")),
                fail => fail,
            })?;
            self.tell('<', &line);
            let nonsense = || {
                Fail::Broken(format!(
                    "this is no answer of a mail server: '{}'",
                    line.chars().take(80).collect::<String>()
                ))
            };
            let digits = line.get(..3).filter(|code| code.bytes().all(|b| b.is_ascii_digit()));
            let code: u16 = digits.and_then(|code| code.parse().ok()).ok_or_else(nonsense)?;
            let more = match line.as_bytes().get(3) {
                Some(b'-') => true,
                None | Some(b' ') => false,
                _ => return Err(nonsense()),
            };
            if !(200..600).contains(&code) || (!reply.lines.is_empty() && code != reply.code) {
                return Err(nonsense());
            }
            reply.code = code;
            reply.lines.push(line.get(4..).unwrap_or_default().trim().to_string());
            if !more {
                // Going away, whatever it was asked: nothing more is taken from it.
                return if code == 421 { Err(Fail::Broken(format!("the server closes: {reply}"))) } else { Ok(reply) };
            }
            if reply.lines.len() >= MOST_LINES {
                return Err(Fail::Broken(format!("an answer of more than {MOST_LINES} lines")));
            }
        }
    }

    /// One line without its end, made harmless for whoever sees it.
    fn line(&mut self, until: Instant) -> Result<String> {
        loop {
            if let Some(at) = self.ahead.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.ahead.drain(..=at).collect();
                let text = line.trim_ascii_end();
                return Ok(crate::base::text::escape_bytes(text));
            }
            if self.ahead.len() > LONGEST_LINE {
                return Err(Fail::Broken(format!("a line of more than {LONGEST_LINE} bytes")));
            }
            let limit = self.left(until)?;
            let mut piece = [0; LONGEST_LINE];
            match self.stream.set_limit(limit).and_then(|()| self.stream.read(&mut piece)) {
                Ok(0) => return Err(self.ended("the server closed the connection".into())),
                Ok(n) => self.ahead.extend_from_slice(piece.get(..n).unwrap_or_default()),
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) => return Err(self.broken(&err)),
            }
        }
    }
}

fn no(reply: Reply) -> Fail {
    if reply.code / 100 == 5 { Fail::Refused(reply) } else { Fail::Broken(format!("the server says {reply}")) }
}

fn reason(err: &io::Error) -> String {
    crate::base::error::reason(err)
}

#[cfg(test)]
mod tests;
