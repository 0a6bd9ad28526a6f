//! --events: events in, messages out, and not too many of them.
//!
//! What is wanted is kept (mail/held). Then, by one process a host at a time, what makes one message is put together: the
//! news of a sweep, or of a run that belongs to none. A sweep's first failure or warning is told at once, the rest of its
//! news when mail.digest is over since the last message about it, or when none of it is left to run; runs that merely
//! finish wait for that too, a day at most. More than a few messages at once become one, no more than mail.limit are made
//! an hour, and none in quiet hours: what is not told waits for the next time.

use crate::Opts;
use crate::letter::{Letter, thread};
use crate::report;
use crate::send::announce;
use crate::template::Templates;
use nn::base::cli::{self, Exit};
use nn::base::error::{Doing, Error, Result};
use nn::base::files;
use nn::base::json::{self, Value};
use nn::base::role::Role;
use nn::base::sys;
use nn::base::time::Time;
use nn::mail::held::{Held, waiting_names};
use nn::mail::message::{Address, checksum};
use nn::mail::news::{News, Wanted};
use nn::mail::outgoing::{Flush, Outgoing};
use nn::mail::settings::{default_recipients, sender};
use nn::spool::config::Config;
use nn::spool::job::Job;
use nn::spool::notify::Kind;
use nn::spool::owner::Owner;
use nn::spool::state::Folder;
use nn::spool::store::Spool;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::BufRead;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

/// After a message about a sweep its other news waits so long, unless mail.digest says otherwise.
const DIGEST: Duration = Duration::from_secs(600);
/// The longest time that runs which merely finish wait for the rest of their sweep.
const LONGEST_WAIT: Duration = Duration::from_secs(86_400);
/// Messages an hour, unless mail.limit says otherwise.
const LIMIT: u64 = 10;
/// More messages at once than these become one.
const AT_ONCE: usize = 3;
/// When events come in for as long as there are any (`nn-watch --events -f`): after the last one so long,
const PAUSE: Duration = Duration::from_secs(2);
/// and without any so often, what is due is told.
const EVERY: Duration = Duration::from_secs(60);
/// Lines that may wait to be looked at.
const AHEAD: usize = 1000;
/// The longest line that is read.
const LONGEST_LINE: usize = 1 << 20;

/// Reads events, keeps what is wanted, tells what is due, and sends.
///
/// # Errors
/// The settings are wrong, or the spool cannot be changed.
pub fn events(opts: &Opts, to: Vec<Address>) -> Result<Exit> {
    let spool = Spool::find()?;
    let config = spool.config()?;
    let to = if to.is_empty() { default_recipients(&config)? } else { to };
    if to.is_empty() {
        return Err(Error::usage("to whom? give an address, or set mail.to"));
    }
    let wanted = Wanted::read(&config)?;
    let plan = Plan::read(&config)?;
    let templates = Templates::read(&config)?;
    let outgoing = Outgoing::open(&spool)?;
    let held = Held::open(&spool, &outgoing)?;
    let teller =
        Teller { spool: &spool, outgoing: &outgoing, held: &held, plan, templates, from: sender(&config)?, to };
    let lines = lines()?;
    let mut exit = Exit::DONE;
    let (mut more, mut new) = (true, Vec::new());
    while more {
        match lines.recv_timeout(if new.is_empty() { EVERY } else { PAUSE }) {
            Ok(line) => {
                let news = event(line?).and_then(|event| News::of(&spool, &event));
                new.extend(
                    news.filter(|news| wanted.holds(&spool, news)).map(|news| (news.name.clone(), news.to_json())),
                );
                if new.len() < AHEAD {
                    continue;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => more = false,
        }
        held.keep_all(&std::mem::take(&mut new))?;
        // Another one that tells, tells this as well, and sends.
        if teller.tell()? && !opts.later {
            exit = announce(&spool, &outgoing, &Flush::Due)?;
        }
    }
    Ok(exit)
}

/// A line, and its number.
type Line = (usize, Vec<u8>);

/// Lines of standard input as they come.
fn lines() -> Result<Receiver<Result<Line>>> {
    let (sender, lines) = sync_channel(AHEAD);
    let read = move || {
        let mut input = std::io::stdin().lock();
        for number in 1.. {
            let mut line = Vec::new();
            let n = std::io::Read::take(&mut input, LONGEST_LINE as u64).read_until(b'\n', &mut line);
            match n.doing("read", "standard input") {
                Ok(0) => return,
                Ok(_) if sender.send(Ok((number, line))).is_ok() => {}
                Ok(_) => return,
                Err(err) => return drop(sender.send(Err(err))),
            }
        }
    };
    std::thread::Builder::new().spawn(read).doing("start", "a thread")?;
    Ok(lines)
}

/// The event in a line; one that is none is told, and passed over.
fn event((number, line): Line) -> Option<Value> {
    let text = String::from_utf8_lossy(&line);
    if text.trim().is_empty() {
        return None;
    }
    match Value::parse(text.trim()) {
        Ok(event) if event.as_map().is_some() => return Some(event),
        Ok(_) => cli::complain(&Error::data("standard input", number, "expected a JSON object")),
        Err(bad) => cli::complain(&Error::data("standard input", number, bad.to_string())),
    }
    None
}

/// How much is told when.
struct Plan {
    digest: Duration,
    limit: u64,
    /// Minutes of the day, local time, from and to
    quiet: Option<(u32, u32)>,
}

impl Plan {
    fn read(config: &Config) -> Result<Plan> {
        let quiet = match config.get("mail.quiet").filter(|text| !text.trim().is_empty()) {
            None => None,
            Some(text) => Some(
                hours(&text)
                    .ok_or_else(|| Error::other(format!("mail.quiet: '{text}' is not of the form 22:00-07:00")))?,
            ),
        };
        Ok(Plan {
            digest: config.duration("mail.digest")?.unwrap_or(DIGEST),
            limit: config.number("mail.limit")?.unwrap_or(LIMIT),
            quiet,
        })
    }

    fn is_quiet(&self, now: Time) -> bool {
        let Some((from, to)) = self.quiet else { return false };
        let Some(local) = sys::local_time(now.ms().div_euclid(1000)) else { return false };
        let minute = local.hour * 60 + local.minute;
        if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to }
    }
}

/// `22:00-07:00` as minutes of the day.
fn hours(text: &str) -> Option<(u32, u32)> {
    let minute = |text: &str| {
        let (hour, minute) = text.trim().split_once(':')?;
        let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
        (hour < 24 && minute < 60).then_some(hour * 60 + minute)
    };
    let (from, to) = text.split_once('-')?;
    Some((minute(from)?, minute(to)?))
}

/// When messages with news were made, and about what: mail/times.
#[derive(Default)]
struct Times {
    last: BTreeMap<String, i64>,
    all: Vec<i64>,
}

impl Times {
    fn read(path: &std::path::Path) -> Times {
        let value = files::read_text_if_any(path).ok().flatten().and_then(|text| Value::parse(text.trim_end()).ok());
        let Some(value) = value else { return Times::default() };
        let last = value.get("last").and_then(Value::as_map).unwrap_or_default();
        let all = value.list("all").unwrap_or_default();
        Times {
            last: last.iter().filter_map(|(key, time)| Some((key.clone(), time.as_int()?))).collect(),
            all: all.iter().filter_map(Value::as_int).collect(),
        }
    }

    /// Forgets what is over; what is ahead is from a clock that was set back.
    fn forget(&mut self, now: Time, digest: Duration) {
        let within =
            |time: i64, limit: Duration| (0..limit.as_millis() as i64).contains(&now.ms().saturating_sub(time));
        self.last.retain(|_, time| within(*time, digest));
        self.all.retain(|time| within(*time, Duration::from_secs(3600)));
    }

    fn write(&self, path: &std::path::Path) -> Result<()> {
        let last = json::map(self.last.iter().map(|(key, time)| (key.clone(), Value::from(*time))));
        let value = json::map([("last", last), ("all", self.all.clone().into())]);
        files::write_atomic(path, format!("{value}\n").as_bytes())
    }
}

struct Teller<'a> {
    spool: &'a Spool,
    outgoing: &'a Outgoing,
    held: &'a Held,
    plan: Plan,
    templates: Templates,
    from: Address,
    to: Vec<Address>,
}

/// The news that makes one message, and what it is about: `@grid`, or a run.
struct Bundle {
    key: String,
    group: Option<String>,
    news: Vec<News>,
}

impl Teller<'_> {
    /// Tells what is due. False: another process of this host does. One process at a time, so that two do not share what
    /// belongs together. What the others kept while it told, it looks at again: each of them had kept it before it met
    /// this one.
    fn tell(&self) -> Result<bool> {
        let name = format!("nn-mail {:016x}", checksum(self.spool.dir().as_os_str().as_encoded_bytes()));
        let mut told = false;
        loop {
            let role = match Role::take(&name) {
                Ok(None) => return Ok(told),
                Ok(role) => role,
                // Without roles two messages may share what belongs together, which is better than none.
                Err(_) => None,
            };
            let seen: HashSet<String> = waiting_names(self.spool).into_iter().collect();
            self.tell_all()?;
            drop(role);
            told = true;
            if waiting_names(self.spool).iter().all(|name| seen.contains(name)) {
                return Ok(true);
            }
        }
    }

    fn tell_all(&self) -> Result<()> {
        self.held.recover(self.outgoing)?;
        let now = Time::now();
        if self.plan.is_quiet(now) {
            return Ok(());
        }
        let path: PathBuf = self.outgoing.dir().join("times");
        let mut times = Times::read(&path);
        times.forget(now, self.plan.digest);
        // Before the news is listed: a run keeps its news before it ends.
        let open = self.spool.states(&Folder::OPEN)?;
        let bundles = self.bundles()?;
        let open = self.open_groups(open.into_keys(), &bundles);
        let mut bundles = self.due(bundles, &open, &times, now);
        let room = usize::try_from(self.plan.limit).unwrap_or(usize::MAX).saturating_sub(times.all.len());
        if bundles.is_empty() || room == 0 {
            return Ok(());
        }
        bundles.sort_by_key(|bundle| bundle.news.iter().map(|news| news.kind).min());
        let messages = if bundles.len() > AT_ONCE.min(room) {
            vec![bundles]
        } else {
            bundles.into_iter().map(|b| vec![b]).collect()
        };
        for bundles in messages {
            for bundle in &bundles {
                times.last.insert(bundle.key.clone(), now.ms());
            }
            times.all.push(now.ms());
            // Before the message: a crash in between makes one message less in this hour, not one more.
            let _ = times.write(&path);
            self.message(bundles)?;
        }
        Ok(())
    }

    fn bundles(&self) -> Result<Vec<Bundle>> {
        let mut bundles: Vec<Bundle> = Vec::new();
        let mut at: HashMap<String, usize> = HashMap::new();
        for (name, event) in self.held.waiting()? {
            let Some(news) = News::kept(name, event) else { continue };
            let group = self.spool.job(news.run).ok().and_then(|job| job.group().map(String::from));
            let key = group.as_ref().map_or_else(|| format!("run{}", news.run), |group| format!("@{group}"));
            let place = *at.entry(key.clone()).or_insert(bundles.len());
            match bundles.get_mut(place) {
                Some(bundle) => bundle.news.push(news),
                None => bundles.push(Bundle { key, group, news: vec![news] }),
            }
        }
        for bundle in &mut bundles {
            bundle.news.sort_by_key(|news| (news.kind, news.run));
        }
        Ok(bundles)
    }

    /// Those whose time has come.
    fn due(&self, bundles: Vec<Bundle>, open: &HashSet<String>, times: &Times, now: Time) -> Vec<Bundle> {
        let is_due = |bundle: &Bundle| {
            let over = bundle.group.as_ref().is_none_or(|group| !open.contains(group));
            let merely = bundle.group.is_some() && bundle.news.iter().all(|news| news.kind == Kind::Finished);
            let oldest = bundle.news.iter().filter_map(|news| news.event.str("t").and_then(Time::parse)).min();
            let waited = oldest.is_some_and(|oldest| now.since(oldest) >= LONGEST_WAIT);
            let recent = times.last.contains_key(&bundle.key);
            if bundle.group.is_none() {
                !recent || bundle.news.iter().any(ended)
            } else {
                over || !recent && (!merely || waited)
            }
        };
        bundles.into_iter().filter(is_due).collect()
    }

    /// Groups of which something is still to come: of these runs, which had not ended, but for those whose end is news here.
    /// Only groups with news matter, and each is looked for until a run of it is found.
    fn open_groups(&self, open: impl Iterator<Item = u64>, bundles: &[Bundle]) -> HashSet<String> {
        let ended: HashSet<u64> =
            bundles.iter().flat_map(|b| &b.news).filter(|news| ended(news)).map(|news| news.run).collect();
        let asked: HashSet<&str> = bundles.iter().filter_map(|bundle| bundle.group.as_deref()).collect();
        let mut found = HashSet::new();
        for run in open.filter(|run| !ended.contains(run)) {
            if found.len() == asked.len() {
                break;
            }
            let job = self.spool.job(run).ok();
            found.extend(job.as_ref().and_then(Job::group).filter(|group| asked.contains(group)).map(String::from));
        }
        found
    }

    /// Takes the news, makes the message, and files the news.
    fn message(&self, bundles: Vec<Bundle>) -> Result<()> {
        let me = Owner::me()?;
        let group = match bundles.as_slice() {
            [only] => only.group.clone(),
            _ => None,
        };
        let (mut taken, mut mine) = (Vec::new(), Vec::new());
        for news in bundles.into_iter().flat_map(|bundle| bundle.news) {
            if let Some(entry) = self.held.take(&news.name, &me)? {
                taken.push(entry);
                mine.push(news);
            }
        }
        let Some(first) = mine.first() else { return Ok(()) };
        self.held.sync()?;
        let names: Vec<String> = mine.iter().map(|news| news.name.clone()).collect();
        let name = match mine.as_slice() {
            [only] => only.name.clone(),
            _ => format!("news.{:016x}", checksum(names.join(" ").as_bytes())),
        };
        let one_run = mine.iter().all(|news| news.run == first.run);
        let mut letter: Letter = if one_run {
            report::of_run(self.spool, &mine, &self.templates)
        } else {
            report::of_many(self.spool, group.as_deref(), &mine)
        };
        letter.automatic = true;
        letter.thread = match &group {
            _ if one_run => Some(thread(self.spool, first.run)),
            Some(group) => Some(format!(
                "group.{:08x}",
                checksum(format!("{} {group}", self.spool.dir().display()).as_bytes()) as u32
            )),
            None => None,
        };
        self.outgoing.add_news(&name, &letter.message(&name, self.from.clone(), self.to.clone()), &names)?;
        for entry in &taken {
            self.held.told(entry)?;
        }
        Ok(())
    }
}

/// Whether it is about the end of a run.
fn ended(news: &News) -> bool {
    matches!(news.event.str("event"), Some("ended" | "recovered"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours() {
        assert_eq!(hours("22:00-07:30"), Some((1320, 450)));
        for bad in ["22-7", "24:00-1:00", "x", "1:00", "1:60-2:00"] {
            assert_eq!(hours(bad), None, "{bad}");
        }
    }

    #[test]
    fn times_are_forgotten() {
        let mut times = Times {
            last: [("@a".to_string(), 1000), ("@b".to_string(), 900_000)].into(),
            all: vec![0, 3_000_000, 9_000_000_000],
        };
        times.forget(Time(3_600_000), Duration::from_secs(3000));
        assert_eq!((times.last.len(), times.all.as_slice()), (1, &[3_000_000][..]));
    }
}
