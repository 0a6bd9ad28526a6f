//! The server: one loop that reads and writes all connections without ever blocking, and a pool of threads that answer.
//!
//! A thread sees a request only when all of it is there, and is free again when its answer is made, not when it is sent;
//! so clients that drip, that say nothing, or that read slowly cost a connection and no thread. Connections are limited:
//! when all are taken, the client that holds the most loses the one that has been about its request the longest.
//! Answers that wait to be read are limited together, in bytes. Long bodies are read by threads of their own (transfer),
//! streams of events are connections that stay (feed).

use super::caller::Caller;
use super::conn::{Conn, Got, LONGEST_BODY, State};
use super::feed::{self, Feed, Waker};
use super::http::{Head, Method, Refused};
use super::pool::Pool;
use super::response::Response;
use super::transfer::Body;
use crate::base::error::{Doing, Result};
use crate::base::sys::{self, Signals, Watch};
use std::collections::HashMap;
use std::io::ErrorKind;
use std::io::Read;
use std::net::{IpAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Most connections.
const CONNECTIONS: usize = 512;
/// Most of them that are streams of events.
const STREAMS: usize = 64;
/// Most long bodies at a time.
const TRANSFERS: usize = 4;
/// Threads that answer.
const THREADS: usize = 8;
/// Most bytes of answers that wait to be read.
const MOST_WAITING: usize = 64 << 20;
/// Without file descriptors, so long no connection is accepted.
const NO_ROOM: Duration = Duration::from_millis(100);
/// When told to stop, so long answers may still be sent.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How the body of a request is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// Whole, in memory
    Whole,
    /// As a stream of at most so many bytes
    Stream(u64),
}

/// What is answered.
pub enum Answer {
    /// All of it
    Whole(Response),
    /// Events, as they come
    Live(Feed),
}

/// What a server serves.
pub trait App: Send + Sync + 'static {
    /// Decides by the head alone whether a request is answered. Called by the server's loop: must not wait for anything.
    ///
    /// # Errors
    /// The answer to a request that is refused.
    fn admit(&self, head: &Head) -> std::result::Result<Admitted, Response>;

    /// Answers a request.
    fn answer(&self, head: &Head, body: &[u8], caller: &Caller) -> Answer;

    /// Answers a request whose body is admitted as a stream. What it leaves unread is thrown away.
    fn receive(&self, head: &Head, body: &mut dyn Read) -> Response;
}

/// Answers that are ready, by connection.
type Ready = Arc<Mutex<Vec<(u64, bool, Answer)>>>;

struct Loop<A> {
    app: Arc<A>,
    pool: Pool,
    conns: HashMap<u64, Conn>,
    next: u64,
    ready: Ready,
    waker: Waker,
    transfers: Arc<AtomicUsize>,
    /// No connection is accepted before
    accept_from: Instant,
}

/// Serves until a signal comes.
///
/// # Errors
/// The system has no threads or file descriptors for it.
pub fn serve(listener: &TcpListener, app: Arc<impl App>, signals: &Signals) -> Result<()> {
    let begin = || {
        listener.set_nonblocking(true)?;
        let (waker, woken) = Waker::pair()?;
        Ok((Pool::new(THREADS)?, waker, woken))
    };
    let (pool, waker, woken) = begin().doing("serve", "requests")?;
    let mut server = Loop {
        app,
        pool,
        conns: HashMap::new(),
        next: 0,
        ready: Ready::default(),
        waker,
        transfers: Arc::default(),
        accept_from: Instant::now(),
    };
    while signals.wait(Some(Duration::ZERO)).is_none() {
        server.turn(Some((listener, signals)), &woken);
    }
    server.finish(&woken);
    Ok(())
}

impl<A: App> Loop<A> {
    /// Waits for something to happen, and acts on it.
    fn turn(&mut self, door: Option<(&TcpListener, &Signals)>, woken: &UnixStream) {
        let now = Instant::now();
        let mut watches = vec![Watch::new(woken, true, false)];
        if let Some((listener, signals)) = door {
            watches.push(Watch::new(signals, true, false));
            watches.push(Watch::new(listener, now >= self.accept_from, false));
        }
        let fixed = watches.len();
        // A connection that is being answered is not looked at: its end would wake the loop again and again.
        let watched: Vec<u64> =
            self.conns.iter().filter(|(_, conn)| conn.wants() != (false, false)).map(|(id, _)| *id).collect();
        let wanted = watched.iter().filter_map(|id| self.conns.get(id));
        watches.extend(wanted.map(|conn| Watch::new(&conn.socket, conn.wants().0, conn.wants().1)));
        let deadlines = self.conns.values().filter_map(Conn::deadline);
        let opens = (self.accept_from > now).then_some(self.accept_from);
        let until = deadlines.chain(opens).min().map(|at| at.saturating_duration_since(now));
        sys::wait_for_any(&mut watches, until.or(door.is_none().then_some(LAST_WORDS)));
        if watches.first().is_some_and(Watch::is_readable) {
            feed::empty(woken);
        }
        for (id, watch) in watched.into_iter().zip(watches.iter().skip(fixed)) {
            if watch.is_readable() || watch.is_writable() {
                self.act(id, watch);
            }
        }
        self.send_ready();
        self.send_events();
        self.expire();
        self.bound_waiting();
        if let Some((listener, _)) = door {
            self.accept(listener);
        }
    }

    /// A connection can be read or written.
    fn act(&mut self, id: u64, watch: &Watch) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        let (reads, writes) = conn.wants();
        if writes && watch.is_writable() && !conn.write() {
            self.conns.remove(&id);
            return;
        }
        if reads && watch.is_readable() {
            let got = conn.read();
            self.on(id, got);
        }
        self.go_on(id);
    }

    /// What was sent ahead, once an answer is sent.
    fn go_on(&mut self, id: u64) {
        while let Some(conn) = self.conns.get_mut(&id).filter(|conn| matches!(conn.state, State::Reading)) {
            match conn.next() {
                Ok(Got::Nothing) => return,
                got => self.on(id, got),
            }
        }
    }

    fn on(&mut self, id: u64, got: std::result::Result<Got, Refused>) {
        match got {
            Ok(Got::Nothing) => {}
            Ok(Got::End) => drop(self.conns.remove(&id)),
            Ok(Got::Head(head)) => self.on_head(id, head),
            Ok(Got::Request(head, body)) => self.ask(id, head, body),
            Err(refused) => self.answer(id, refused.into(), true, true),
        }
    }

    /// Sends an answer; `closes`: and ends the connection.
    fn answer(&mut self, id: u64, response: Response, with_body: bool, closes: bool) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        conn.answer(response, with_body, closes);
        if !conn.write() {
            self.conns.remove(&id);
        }
    }

    fn on_head(&mut self, id: u64, head: Box<Head>) {
        let has_body = head.method != Method::Head;
        let admitted = self.app.admit(&head).and_then(|admitted| {
            let most = if let Admitted::Stream(most) = admitted { most } else { LONGEST_BODY };
            if head.length > most {
                return Err(Response::error(413, &format!("the body is longer than {most} bytes")));
            }
            Ok((admitted, head.waits()?))
        });
        match admitted {
            Err(response) => self.answer(id, response, has_body, head.length > 0),
            Ok((Admitted::Whole, waits)) => {
                let Some(conn) = self.conns.get_mut(&id) else { return };
                conn.await_body(head, waits);
                let got = conn.next();
                self.on(id, got);
            }
            Ok((Admitted::Stream(_), waits)) => self.transfer(id, head, waits),
        }
    }

    /// Has a whole request answered.
    fn ask(&mut self, id: u64, head: Box<Head>, body: Vec<u8>) {
        let Some(conn) = self.conns.get(&id) else { return };
        let Ok(local) = conn.socket.local_addr() else { return drop(self.conns.remove(&id)) };
        let caller = Caller { peer: conn.peer, local, waker: self.waker.clone() };
        let (app, ready) = (self.app.clone(), self.ready.clone());
        self.pool.run(move || {
            let has_body = head.method != Method::Head;
            let answer = app.answer(&head, &body, &caller);
            ready.lock().unwrap_or_else(PoisonError::into_inner).push((id, has_body, answer));
            caller.waker.wake();
        });
    }

    /// Has a long body read by a thread of its own.
    fn transfer(&mut self, id: u64, head: Box<Head>, waits: bool) {
        if self.transfers.load(Ordering::Relaxed) >= TRANSFERS {
            let busy = Response::error(503, "busy: try again").with("Retry-After", "5");
            return self.answer(id, busy, true, true);
        }
        let Some(Ok((socket, first))) = self.conns.remove(&id).map(Conn::into_parts) else { return };
        let (app, transfers) = (self.app.clone(), self.transfers.clone());
        transfers.fetch_add(1, Ordering::Relaxed);
        let receive = move || {
            receive(app.as_ref(), socket, first, &head, waits);
            transfers.fetch_sub(1, Ordering::Relaxed);
        };
        if std::thread::Builder::new().name("web-body".into()).spawn(receive).is_err() {
            self.transfers.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Sends the answers that are ready.
    fn send_ready(&mut self) {
        let ready = std::mem::take(&mut *self.ready.lock().unwrap_or_else(PoisonError::into_inner));
        for (id, has_body, answer) in ready {
            match answer {
                Answer::Whole(response) => self.answer(id, response, has_body, false),
                Answer::Live(feed) => self.go_live(id, feed, has_body),
            }
            self.go_on(id);
        }
    }

    fn go_live(&mut self, id: u64, feed: Feed, has_body: bool) {
        let streams = self.conns.values().filter(|conn| matches!(conn.state, State::Live(_))).count();
        if streams >= STREAMS || !has_body {
            feed.end();
            let full = Response::error(503, "too many streams of events").with("Retry-After", "30");
            return self.answer(id, if has_body { full } else { Response::events() }, has_body, true);
        }
        match self.conns.get_mut(&id) {
            Some(conn) => conn.go_live(feed),
            None => feed.end(),
        }
    }

    /// Sends what is new to the streams; those whose client is too slow end.
    fn send_events(&mut self) {
        self.conns.retain(|_, conn| match &conn.state {
            State::Live(feed) => !feed.is_over() && (conn.left() > 0 || conn.write()),
            _ => true,
        });
    }

    fn expire(&mut self) {
        let now = Instant::now();
        let is_late = |conn: &Conn| conn.deadline().is_some_and(|at| at <= now);
        self.conns.retain(|_, conn| !is_late(conn) || conn.expire() && conn.write());
    }

    /// Drops answers that have waited longest when all of them together are too much.
    fn bound_waiting(&mut self) {
        while self.conns.values().map(Conn::held).sum::<usize>() > MOST_WAITING {
            let oldest = self.conns.iter().filter(|(_, conn)| conn.held() > 0).min_by_key(|(_, conn)| conn.since);
            let Some(id) = oldest.map(|(id, _)| *id) else { return };
            self.conns.remove(&id);
        }
    }

    fn accept(&mut self, listener: &TcpListener) {
        while Instant::now() >= self.accept_from {
            match listener.accept() {
                Ok((socket, peer)) => {
                    if self.conns.len() >= CONNECTIONS {
                        self.make_room();
                    }
                    if let Ok(conn) = Conn::new(socket, peer)
                        && self.conns.len() < CONNECTIONS
                    {
                        self.conns.insert(self.next, conn);
                        self.next += 1;
                    }
                }
                Err(err) if matches!(err.kind(), ErrorKind::ConnectionAborted | ErrorKind::Interrupted) => {}
                Err(err) if err.kind() == ErrorKind::WouldBlock => return,
                Err(_) => {
                    // Out of file descriptors: the client waits in the queue of the system.
                    self.make_room();
                    self.accept_from = Instant::now() + NO_ROOM;
                }
            }
        }
    }

    /// Takes a connection from the address that holds the most: the one that has been about its request the longest.
    fn make_room(&mut self) {
        let may_go = |conn: &&Conn| !matches!(conn.state, State::Busy | State::Live(_));
        let mut held: HashMap<IpAddr, usize> = HashMap::new();
        for conn in self.conns.values().filter(may_go) {
            *held.entry(conn.peer.ip()).or_default() += 1;
        }
        let Some((most, _)) = held.into_iter().max_by_key(|(_, n)| *n) else { return };
        let of_most = self.conns.iter().filter(|(_, conn)| conn.peer.ip() == most && may_go(conn));
        if let Some(id) = of_most.min_by_key(|(_, conn)| conn.since).map(|(id, _)| *id) {
            self.conns.remove(&id);
        }
    }

    /// Accepts nobody any more, and gives those that are being answered a moment.
    fn finish(&mut self, woken: &UnixStream) {
        let until = Instant::now() + LAST_WORDS;
        loop {
            self.conns.retain(|_, conn| matches!(conn.state, State::Busy | State::Writing));
            if self.conns.is_empty() || Instant::now() >= until {
                return;
            }
            self.turn(None, woken);
        }
    }
}

fn receive(app: &impl App, socket: TcpStream, first: Vec<u8>, head: &Head, waits: bool) {
    let Ok(mut body) = Body::new(socket, first, head) else { return };
    if waits && body.ask().is_err() {
        return;
    }
    let response = app.receive(head, &mut body);
    body.answer(&response);
}

#[cfg(test)]
mod tests;
