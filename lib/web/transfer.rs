//! A long body, read as it comes: by a thread of its own, at most a few at a time, with a limit on its length, its pace
//! and its pauses. Nothing of it is kept here.

use super::http::Head;
use super::response::Response;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// Longest pause within a body, and longest wait for room to send the answer.
const PAUSE: Duration = Duration::from_secs(20);
/// Least bytes a second.
const SLOWEST: u64 = 16 << 10;
/// Most bytes that are thrown away after a body that was refused midway.
const MOST_THROWN: u64 = 1 << 20;

/// A body: so many bytes, no more, and no later than they should.
pub struct Body {
    socket: TcpStream,
    /// What had come with the head
    first: io::Cursor<Vec<u8>>,
    left: u64,
    deadline: Instant,
}

impl Body {
    /// The body of a request, of which `first` has come.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn new(socket: TcpStream, first: Vec<u8>, head: &Head) -> io::Result<Body> {
        socket.set_read_timeout(Some(PAUSE))?;
        socket.set_write_timeout(Some(PAUSE))?;
        let deadline = Instant::now() + PAUSE + Duration::from_secs(head.length / SLOWEST);
        Ok(Body { socket, first: io::Cursor::new(first), left: head.length, deadline })
    }

    /// Tells a client that waits for it to send.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn ask(&mut self) -> io::Result<()> {
        self.socket.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
    }

    /// Sends the answer and ends the connection.
    pub fn answer(mut self, response: &Response) {
        let sent = self.socket.write_all(&response.head(true)).and_then(|()| self.socket.write_all(&response.body));
        if sent.is_ok() && self.socket.shutdown(Shutdown::Write).is_ok() {
            // Closed with bytes unread the client might lose the answer.
            let _ = self.socket.set_read_timeout(Some(Duration::from_secs(2)));
            let _ = io::copy(&mut (&self.socket).take(MOST_THROWN), &mut io::sink());
        }
    }
}

impl Read for Body {
    /// # Errors
    /// `UnexpectedEof`: it ends before its length; `TimedOut`: it comes too slowly.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        if Instant::now() > self.deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let place = buffer.get_mut(..most).unwrap_or_default();
        let mut n = self.first.read(place)?;
        if n == 0 {
            n = match self.socket.read(place) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(err) if err.kind() == io::ErrorKind::WouldBlock => return Err(io::ErrorKind::TimedOut.into()),
                read => read?,
            };
        }
        self.left -= n as u64;
        Ok(n)
    }
}
