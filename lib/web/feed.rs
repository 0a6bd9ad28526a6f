//! A stream of server-sent events: what is to be sent to one client that stays. Whoever has news puts them in, the
//! server's loop takes them out as fast as the client reads. A client that reads too slowly is dropped: it connects
//! again and is told what it missed.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};

/// Most bytes that wait for one client, unless one event alone is longer.
const MOST: usize = 2 << 20;

/// Wakes the server's loop.
#[derive(Clone, Debug)]
pub struct Waker(Arc<UnixStream>);

impl Waker {
    /// A waker, and what becomes readable when it is used.
    ///
    /// # Errors
    /// Out of file descriptors.
    pub fn pair() -> std::io::Result<(Waker, UnixStream)> {
        let (waker, woken) = UnixStream::pair()?;
        waker.set_nonblocking(true)?;
        woken.set_nonblocking(true)?;
        Ok((Waker(Arc::new(waker)), woken))
    }

    /// Wakes it. When there is no room for the byte it is awake already.
    pub fn wake(&self) {
        let _ = (&*self.0).write(&[1]);
    }
}

/// Reads away what wakers wrote.
pub fn empty(mut woken: &UnixStream) {
    let mut bytes = [0; 256];
    while woken.read(&mut bytes).is_ok_and(|n| n == bytes.len()) {}
}

#[derive(Debug, Default)]
struct Inner {
    bytes: Vec<u8>,
    is_over: bool,
}

/// One stream, held by its client's connection and by who has news.
#[derive(Clone, Debug)]
pub struct Feed {
    inner: Arc<Mutex<Inner>>,
    waker: Waker,
}

impl Feed {
    /// A stream of a server that this wakes.
    pub fn new(waker: &Waker) -> Feed {
        Feed { inner: Arc::default(), waker: waker.clone() }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        act(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sends an event; `id` is what the client says when it comes again. False: the client is gone, or too slow.
    pub fn send(&self, event: &str, id: Option<u64>, data: &str) -> bool {
        let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
        let lives = self.with(|inner| {
            inner.is_over |= !inner.bytes.is_empty() && inner.bytes.len() + data.len() > MOST;
            if !inner.is_over {
                // JSON on one line: it needs no more than one line of data.
                inner.bytes.extend_from_slice(format!("event: {event}\n{id}data: {data}\n\n").as_bytes());
            }
            !inner.is_over
        });
        self.waker.wake();
        lives
    }

    /// Whether the stream has come to its end.
    pub fn is_over(&self) -> bool {
        self.with(|inner| inner.is_over)
    }

    /// Ends it.
    pub fn end(&self) {
        self.with(|inner| *inner = Inner { bytes: Vec::new(), is_over: true });
    }

    /// What is to be sent now.
    pub(super) fn take(&self) -> Vec<u8> {
        self.with(|inner| std::mem::take(&mut inner.bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_slow_a_client_is_dropped() {
        let (waker, woken) = Waker::pair().unwrap();
        let feed = Feed::new(&waker);
        assert!(feed.send("runs", Some(3), "{}"));
        assert_eq!(feed.take(), b"event: runs\nid: 3\ndata: {}\n\n");
        assert!((&woken).read(&mut [0; 8]).is_ok());
        let much = "x".repeat(MOST / 2);
        assert!(feed.send("log", None, &much) && !feed.send("log", None, &much) && feed.is_over());
        assert!(!feed.send("log", None, "x"));
    }
}
