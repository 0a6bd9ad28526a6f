//! What is new, told as it happens. One thread looks at the spool for all who listen, once a second while somebody does;
//! while nobody does it sleeps. Each stream is sent what has changed since the version it knows, and what one run of its
//! choice has printed, measured and met since it began.

use crate::app::{Web, asked_number, number};
use crate::{log, run};
use nn::base::error::{Doing, Result};
use nn::record::events::Events;
use nn::record::history::{News, Tail};
use nn::spool::store::Spool;
use nn::web::feed::{Feed, Waker};
use nn::web::http::Head;
use nn::web::response::Response;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);
/// Most points of a run that are told at once.
const POINTS: usize = 1000;

/// One run that is followed.
struct Follow {
    run: u64,
    tail: Tail,
    events: Events,
    /// Bytes of its log that were told
    log: u64,
}

/// One who listens.
struct Stream {
    feed: Feed,
    version: u64,
    /// What was told of the hosts
    hosts: String,
    follow: Option<Follow>,
}

/// All who listen.
#[derive(Default)]
pub struct Streams {
    /// Those who are new, and whether to look at once
    new: Mutex<(Vec<Stream>, bool)>,
    woken: Condvar,
}

impl Streams {
    fn add(&self, stream: Stream) {
        let mut new = self.new.lock().unwrap_or_else(PoisonError::into_inner);
        new.0.push(stream);
        new.1 = true;
        self.woken.notify_one();
    }

    /// Something was done: there is news.
    pub fn wake(&self) {
        self.new.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.woken.notify_one();
    }

    /// Waits until it is time to look again; who is new.
    fn wait(&self, nobody: bool) -> Vec<Stream> {
        let mut new = self.new.lock().unwrap_or_else(PoisonError::into_inner);
        while nobody && new.0.is_empty() {
            new = self.woken.wait(new).unwrap_or_else(PoisonError::into_inner);
        }
        if !new.1 {
            new = self.woken.wait_timeout(new, EVERY).map_or_else(|err| err.into_inner().0, |(new, _)| new);
        }
        new.1 = false;
        std::mem::take(&mut new.0)
    }
}

/// Begins a stream.
///
/// # Errors
/// The answer when what is asked for is not there.
pub fn begin(web: &Web, head: &Head, waker: &Waker) -> std::result::Result<Feed, Response> {
    let since = head.header("last-event-id").or_else(|| head.asked("since"));
    let since = since.map(|text| asked_number(text, "since")).transpose()?;
    let follow = match head.asked("run") {
        Some(text) => Some(Follow::begin(&web.spool, text, head)?),
        None => None,
    };
    let version = since.unwrap_or(web.fresh_model()?.version());
    let feed = Feed::new(waker);
    web.streams.add(Stream { feed: feed.clone(), version, hosts: String::new(), follow });
    Ok(feed)
}

/// Starts the thread that looks, which first reads all there is.
///
/// # Errors
/// The system has no thread for it.
pub fn start(web: &Arc<Web>) -> Result<()> {
    let web = web.clone();
    let watch = move || {
        // Who asks is told what is wrong with the spool; here nobody is to be told.
        let _ = web.model().look();
        let mut streams: Vec<Stream> = Vec::new();
        loop {
            let new = web.streams.wait(streams.is_empty());
            streams.extend(new);
            streams.retain(|stream| !stream.feed.is_over());
            if !streams.is_empty() {
                tell(&web, &mut streams);
            }
        }
    };
    std::thread::Builder::new().name("web-live".into()).spawn(watch).map(drop).doing("start", "a thread")
}

/// Tells each what is new for it.
fn tell(web: &Web, streams: &mut [Stream]) {
    let mut model = web.model();
    let _ = model.look();
    let version = model.version();
    // Most know the same version.
    let mut changes: Vec<(u64, String)> = Vec::new();
    for stream in streams.iter().filter(|stream| stream.version != version) {
        if !changes.iter().any(|(since, _)| *since == stream.version) {
            changes.push((stream.version, model.changes(Some(stream.version))));
        }
    }
    drop(model);
    let hosts = web.hosts.tell(&web.spool).to_string();
    for stream in streams.iter_mut() {
        if let Some((_, text)) = changes.iter().find(|(since, _)| *since == stream.version) {
            stream.feed.send("runs", Some(version), text);
            stream.version = version;
        }
        if stream.hosts != hosts {
            stream.feed.send("hosts", None, &hosts);
            stream.hosts.clone_from(&hosts);
        }
        if let Some(follow) = &mut stream.follow {
            follow.tell(&web.spool, &stream.feed);
        }
    }
}

impl Follow {
    /// From now on, or from a byte of the log on.
    fn begin(spool: &Spool, run: &str, head: &Head) -> std::result::Result<Follow, Response> {
        let run = number(run).ok_or_else(|| Response::error(400, "run is no number"))?;
        let dir = run::dir(spool, run)?;
        let size = std::fs::metadata(dir.join("log")).map_or(0, |meta| meta.len());
        let log = head.asked("log").map(|text| asked_number(text, "log")).transpose()?.unwrap_or(size);
        let (mut tail, mut events) = (Tail::new(&dir), Events::new(&dir));
        // What cannot be read now is told once it can be.
        let _ = tail.look(&mut |_| {});
        let _ = events.skip();
        Ok(Follow { run, tail, events, log })
    }

    fn tell(&mut self, spool: &Spool, feed: &Feed) {
        self.tell_points(feed);
        let _ = self.events.look(&mut |event| {
            feed.send("event", None, &event.to_string());
        });
        let from = i64::try_from(self.log).unwrap_or(i64::MAX);
        let Ok(part) = log::read(&spool.run_dir(self.run), from) else { return };
        let number = |key: &str| part.int(key).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
        if number("to") != number("from") {
            feed.send("log", None, &part.to_string());
        }
        self.log = number("to");
    }

    /// The new points. When the curve begins anew (`over`), the page reads the history again.
    fn tell_points(&mut self, feed: &Feed) {
        let (mut lines, mut is_over) = (Vec::new(), false);
        let mut line = String::new();
        let _ = self.tail.look(&mut |news| match news {
            News::Over => is_over = true,
            News::Point(point) if lines.len() < POINTS && !is_over => {
                line.clear();
                point.write_line(&mut line);
                lines.push(line.trim_end().to_string());
            }
            News::Point(_) => is_over = true,
        });
        if is_over {
            feed.send("points", None, "{\"over\":true,\"points\":[]}");
        } else if !lines.is_empty() {
            feed.send("points", None, &format!("{{\"points\":[{}]}}", lines.join(",")));
        }
    }
}
