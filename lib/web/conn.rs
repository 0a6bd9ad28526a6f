//! One connection of the server: what has come of a request, what is left to be sent, and by when something must happen.
//! Its socket never blocks. It reads one request at a time; what a client sends ahead waits, in the socket for the most
//! part.

use super::feed::Feed;
use super::http::{self, Head, Refused, Scan};
use super::response::{Body, Response};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Time for a whole head, from its first byte, and for a body.
const REQUEST_TIME: Duration = Duration::from_secs(10);
/// Time until a request begins, on a connection that stays open.
const IDLE_TIME: Duration = Duration::from_secs(30);
/// Time to take an answer, beside that for its length.
const ANSWER_TIME: Duration = Duration::from_secs(20);
/// Least bytes a second of a long answer.
const SLOWEST: u64 = 16 << 10;
/// Time for the last bytes of a client whose request was refused: so that it reads the answer before the end.
const LINGER_TIME: Duration = Duration::from_secs(2);
/// Between two signs of life in a stream of events.
const BEAT: Duration = Duration::from_secs(15);
/// Longest body that is kept in memory.
pub const LONGEST_BODY: u64 = 64 << 10;
/// Bytes read at once.
const CHUNK: usize = 16 << 10;

/// What is done with a connection.
pub enum State {
    /// A request is awaited, or the rest of its head
    Reading,
    /// The rest of its body
    Body(Box<Head>),
    /// It is being answered
    Busy,
    /// The answer is being sent
    Writing,
    /// Events are sent as they come
    Live(Feed),
    /// Refused: what still comes is thrown away
    Lingering,
}

/// What a connection has for the server.
pub enum Got {
    /// Nothing yet
    Nothing,
    /// A head whose body may still have to come
    Head(Box<Head>),
    /// A whole request
    Request(Box<Head>, Vec<u8>),
    /// Its end
    End,
}

/// One connection.
pub struct Conn {
    pub socket: TcpStream,
    pub peer: SocketAddr,
    pub state: State,
    /// When its state began
    pub since: Instant,
    deadline: Instant,
    input: Vec<u8>,
    /// So much of it holds no end of a head
    scanned: usize,
    head: Vec<u8>,
    body: Body,
    written: usize,
    closes: bool,
}

impl Conn {
    /// A connection just accepted.
    ///
    /// # Errors
    /// It is gone already.
    pub fn new(socket: TcpStream, peer: SocketAddr) -> io::Result<Conn> {
        socket.set_nonblocking(true)?;
        socket.set_nodelay(true)?;
        let now = Instant::now();
        Ok(Conn {
            socket,
            peer,
            state: State::Reading,
            since: now,
            deadline: now + REQUEST_TIME,
            input: Vec::new(),
            scanned: 0,
            head: Vec::new(),
            body: Body::Fixed(b""),
            written: 0,
            closes: false,
        })
    }

    /// When something must have happened; None: it waits for the server.
    pub fn deadline(&self) -> Option<Instant> {
        (!matches!(self.state, State::Busy)).then_some(self.deadline)
    }

    /// Whether it waits for bytes, and whether for room to send.
    pub fn wants(&self) -> (bool, bool) {
        match self.state {
            State::Reading | State::Body(_) | State::Lingering => (true, false),
            State::Busy => (false, false),
            State::Writing => (false, true),
            // What a client of a stream says is of no interest, but its end is.
            State::Live(_) => (true, self.left() > 0),
        }
    }

    /// Bytes to be sent.
    pub fn left(&self) -> usize {
        self.head.len() + self.body.len() - self.written
    }

    /// Bytes that are kept for it alone.
    pub fn held(&self) -> usize {
        self.head.len() + if let Body::Own(bytes) = &self.body { bytes.len() } else { 0 }
    }

    fn enter(&mut self, state: State, time: Duration) {
        self.state = state;
        self.since = Instant::now();
        self.deadline = self.since + time;
    }

    /// Reads what has come.
    pub fn read(&mut self) -> Result<Got, Refused> {
        let mut chunk = [0; CHUNK];
        let n = match self.socket.read(&mut chunk) {
            Ok(0) => return Ok(Got::End),
            Ok(n) => n,
            Err(err) if matches!(err.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                return Ok(Got::Nothing);
            }
            Err(_) => return Ok(Got::End),
        };
        if matches!(self.state, State::Live(_) | State::Lingering) {
            return Ok(Got::Nothing);
        }
        if self.input.is_empty() {
            // Not for ever, should nothing but empty lines come.
            self.deadline = (Instant::now() + REQUEST_TIME).min(self.since + IDLE_TIME + REQUEST_TIME);
        }
        self.input.extend_from_slice(chunk.get(..n).unwrap_or_default());
        self.next()
    }

    /// What is in the bytes that have come already.
    pub fn next(&mut self) -> Result<Got, Refused> {
        if let State::Body(head) = &self.state {
            return Ok(match usize::try_from(head.length) {
                Ok(length) if self.input.len() >= length => {
                    let State::Body(head) = std::mem::replace(&mut self.state, State::Busy) else {
                        return Ok(Got::Nothing);
                    };
                    Got::Request(head, self.input.drain(..length).collect())
                }
                _ => Got::Nothing,
            });
        }
        // Empty lines before a request are left out, RFC 9112 section 2.2.
        while self.input.starts_with(b"\r\n") {
            self.input.drain(..2);
            self.scanned = 0;
        }
        match http::scan(&self.input, self.scanned)? {
            Scan::More => {
                self.scanned = self.input.len();
                Ok(Got::Nothing)
            }
            Scan::End(length) => {
                self.scanned = 0;
                let head: Vec<u8> = self.input.drain(..length).collect();
                let head = Head::parse(&head)?;
                self.closes = head.closes();
                Ok(Got::Head(Box::new(head)))
            }
        }
    }

    /// The body is awaited.
    pub fn await_body(&mut self, head: Box<Head>, waits: bool) {
        if waits {
            // A few bytes into an empty socket; if they are refused, the client sends its body after a while anyway.
            let _ = self.socket.write(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        self.enter(State::Body(head), REQUEST_TIME);
    }

    /// Sends an answer; `body` false: its head alone.
    pub fn answer(&mut self, response: Response, body: bool, closes: bool) {
        self.closes |= closes;
        self.head = response.head(self.closes);
        self.body = if body { response.body } else { Body::Fixed(b"") };
        self.written = 0;
        let length = Duration::from_secs(self.left() as u64 / SLOWEST);
        self.enter(State::Writing, ANSWER_TIME + length);
    }

    /// From now on events are sent.
    pub fn go_live(&mut self, feed: Feed) {
        self.input = Vec::new();
        self.head = Response::events().head(true);
        self.enter(State::Live(feed), BEAT);
    }

    /// Sends what there is and can be sent. False: the connection is at its end.
    pub fn write(&mut self) -> bool {
        loop {
            self.refill();
            let from_head = self.head.get(self.written..).filter(|left| !left.is_empty());
            let body = || self.body.get(self.written - self.head.len()..).unwrap_or_default();
            let left = from_head.unwrap_or_else(body);
            if left.is_empty() {
                return self.is_written();
            }
            match self.socket.write(left) {
                Ok(0) => return false,
                Ok(n) => self.written += n,
                Err(err) if err.kind() == ErrorKind::WouldBlock => return true,
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
            if matches!(self.state, State::Live(_)) {
                self.deadline = Instant::now() + BEAT;
            }
        }
    }

    /// Takes new events when those before are sent.
    fn refill(&mut self) {
        if let State::Live(feed) = &self.state
            && self.left() == 0
        {
            self.head = feed.take();
            self.written = 0;
        }
    }

    fn is_written(&mut self) -> bool {
        match self.state {
            State::Writing if self.closes => {
                let _ = self.socket.shutdown(Shutdown::Write);
                self.enter(State::Lingering, LINGER_TIME);
            }
            State::Writing => {
                (self.head, self.written) = (Vec::new(), 0);
                self.body = Body::Fixed(b"");
                self.input.shrink_to(CHUNK);
                self.enter(State::Reading, if self.input.is_empty() { IDLE_TIME } else { REQUEST_TIME });
            }
            _ => {}
        }
        true
    }

    /// Its time is up. False: the connection is at its end.
    pub fn expire(&mut self) -> bool {
        match &self.state {
            State::Reading if self.input.is_empty() => false,
            State::Reading | State::Body(_) => {
                self.answer(Response::error(408, "the request took too long"), true, true);
                true
            }
            State::Live(feed) if self.left() == 0 && !feed.is_over() => {
                // A comment: it goes nowhere, but tells whether the client is still there.
                (self.head, self.written) = (b":\n\n".to_vec(), 0);
                self.deadline = Instant::now() + BEAT;
                true
            }
            State::Busy => true,
            _ => false,
        }
    }

    /// What has come of a body that is read elsewhere; the socket then blocks.
    ///
    /// # Errors
    /// It is gone.
    pub fn into_parts(mut self) -> io::Result<(TcpStream, Vec<u8>)> {
        self.socket.set_nonblocking(false)?;
        Ok((self.socket.try_clone()?, std::mem::take(&mut self.input)))
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        if let State::Live(feed) = &self.state {
            feed.end();
        }
    }
}
