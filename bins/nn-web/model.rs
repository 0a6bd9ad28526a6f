//! A row for each run, kept up to date by reading only what is new. Each row is kept as the JSON text that is sent, with the
//! version of the model in which it last changed.
//!
//! A look asks the seven state folders for their times. Only a folder that has changed is listed, and twice more, for
//! times are coarse; those of ended runs, which are long, only when they have changed or a run has left the others. Of a
//! run that has moved the small files are read again, of one that runs what its history and events have grown by. Whose
//! folder has changed otherwise (a note on a run that has ended) is found out by looking at so many runs each time, in
//! turn. So a look costs the same however many runs have ended.

use crate::entry;
use nn::base::error::Result;
use nn::base::json::{self, Value};
use nn::base::time::Time;
use nn::cluster::ssh::host::is_host;
use nn::record::course::Course;
use nn::record::results::Row;
use nn::spool::state::{Folder, REPORT, State, Token};
use nn::spool::store::Spool;
use nn::spool::waits::Waits;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// Between two looks at the spool, at least.
const PAUSE: Duration = Duration::from_millis(500);
/// Between two looks at what waiting runs wait for.
const WAITS_PAUSE: Duration = Duration::from_secs(5);
/// Waiting runs of which that is found out, the first ones.
const WAITING: usize = 1000;
/// Listings of a folder after one in which it had changed.
const LISTINGS: u8 = 2;
/// Runs whose folders are looked at each time, in turn.
const SWEPT: usize = 200;
/// From so many runs on they are read by two threads.
const MANY: usize = 200;
/// Most runs that are remembered to be gone.
const GONE: usize = 10_000;

/// A run whose end is still to come.
struct Open {
    row: Row,
    /// Of a run that runs
    course: Option<Course>,
    waits: Option<String>,
}

/// What is known of a run.
struct Known {
    token: Token,
    version: u64,
    /// The row, as JSON
    text: String,
    /// When its folder changed last
    stamp: Option<SystemTime>,
    name: Option<Box<str>>,
    group: Option<Box<str>>,
    open: Option<Box<Open>>,
}

/// All of it.
pub struct Model {
    pub spool: Spool,
    known: BTreeMap<u64, Known>,
    version: u64,
    /// What has happened since this version is known in full
    complete_since: u64,
    /// Runs that are there no more, by the version
    gone: Vec<(u64, u64)>,
    stamps: HashMap<Folder, (Option<SystemTime>, u8)>,
    looked: Option<Instant>,
    waited: Option<Instant>,
    swept: u64,
    /// All rows as they were told last, and the version
    told: Option<(u64, Arc<Vec<u8>>)>,
}

impl Model {
    /// Nothing read yet. Versions begin with the time, so that those of a server that was here before are lower.
    pub fn new(spool: Spool) -> Model {
        let version = u64::try_from(Time::now().ms()).unwrap_or(1);
        Model {
            spool,
            known: BTreeMap::new(),
            version,
            complete_since: version,
            gone: Vec::new(),
            stamps: HashMap::new(),
            looked: None,
            waited: None,
            swept: 0,
            told: None,
        }
    }

    /// The version after the last change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Reads what is new, unless that was done a moment ago.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn look(&mut self) -> Result<()> {
        if self.looked.is_some_and(|at| at.elapsed() < PAUSE) {
            return Ok(());
        }
        let next = self.version + 1;
        match self.tokens() {
            Ok(Some((tokens, is_all))) => self.take(tokens, is_all, next),
            Ok(None) => {}
            Err(err) => {
                // What has changed was not seen: the next look shall.
                self.stamps.clear();
                return Err(err);
            }
        }
        self.go_on(next);
        self.sweep(next);
        self.find_waits(next);
        self.told.take_if(|(version, _)| *version != self.version);
        self.looked = Some(Instant::now());
        Ok(())
    }

    /// The next look will be a real one, and read this run anew.
    pub fn doubt(&mut self, run: u64) {
        self.looked = None;
        self.waited = None;
        if let Some(known) = self.known.get_mut(&run) {
            known.stamp = None;
        }
        self.reread(run, self.version + 1);
    }

    /// The tokens of the folders that may have changed, and whether they are all there are. None: nothing has changed.
    fn tokens(&mut self) -> Result<Option<(HashMap<u64, Token>, bool)>> {
        let (open, ended) = (self.has_changed(&Folder::OPEN), self.has_changed(&Folder::ALL[Folder::OPEN.len()..]));
        if !open && !ended {
            return Ok(None);
        }
        if !ended {
            let tokens = self.spool.states(&Folder::OPEN)?;
            let mut were_open = self.known.values().filter(|known| !known.token.folder().is_end());
            if were_open.all(|known| tokens.contains_key(&known.token.run)) {
                return Ok(Some((tokens, false)));
            }
        }
        Ok(Some((self.spool.states(&Folder::ALL)?, true)))
    }

    fn has_changed(&mut self, folders: &[Folder]) -> bool {
        let mut changed = false;
        for folder in folders {
            let stamp = modified(&self.spool.folder(*folder));
            let (known, left) = self.stamps.entry(*folder).or_insert((None, 0));
            let is_new = *known != stamp || stamp.is_none();
            changed |= is_new || *left > 0;
            (*known, *left) = (stamp, if is_new { LISTINGS } else { left.saturating_sub(1) });
        }
        changed
    }

    /// Takes in where the runs stand now.
    fn take(&mut self, tokens: HashMap<u64, Token>, is_all: bool, version: u64) {
        if is_all {
            let gone: Vec<u64> = self.known.keys().copied().filter(|run| !tokens.contains_key(run)).collect();
            for run in gone {
                self.known.remove(&run);
                self.gone.push((version, run));
                self.version = version;
            }
            let more = self.gone.len().saturating_sub(GONE);
            if let Some((version, _)) = self.gone.drain(..more).next_back() {
                self.complete_since = version;
            }
        }
        let is_new = |token: &Token| self.known.get(&token.run).is_none_or(|known| known.token != *token);
        let moved: Vec<Token> = tokens.into_values().filter(is_new).collect();
        for known in read_all(&self.spool, moved) {
            self.insert(known, version);
        }
    }

    fn insert(&mut self, mut known: Known, version: u64) {
        let run = known.token.run;
        if let Some(before) = self.known.remove(&run) {
            // The course of a run whose small files alone have changed goes on.
            if let (Some(old), Some(new)) = (before.open, known.open.as_mut())
                && before.token == known.token
            {
                (new.course, new.waits) = (old.course, old.waits);
                known.retell(0);
            }
            if before.text == known.text {
                known.version = before.version;
            }
        }
        if known.version == 0 {
            known.version = version;
            self.version = version;
        }
        self.known.insert(run, known);
    }

    /// Reads on in what runs.
    fn go_on(&mut self, version: u64) {
        let running: Vec<u64> =
            self.known.iter().filter(|(_, known)| goes(&known.token)).map(|(run, _)| *run).collect();
        for run in running {
            let Some(known) = self.known.get(&run) else { continue };
            if known.stamp != modified(&self.spool.run_dir(run)) {
                self.reread(run, version);
            }
            let Some(known) = self.known.get_mut(&run) else { continue };
            let Some(open) = known.open.as_mut() else { continue };
            let started = entry::started(&open.row);
            // What cannot be read now may be read the next time.
            let _ = open.course.as_mut().map(|course| course.look(started, &mut |_, _| {}));
            if known.retell(version) {
                self.version = version;
            }
        }
    }

    fn reread(&mut self, run: u64, version: u64) {
        if let Some(known) = self.known.get(&run) {
            let fresh = read(&self.spool, known.token.clone());
            self.insert(fresh, version);
        }
    }

    /// Looks whether the folders of the next few runs have changed.
    fn sweep(&mut self, version: u64) {
        let after = (Bound::Excluded(self.swept), Bound::Unbounded);
        let next: Vec<u64> = self.known.range(after).map(|(run, _)| *run).take(SWEPT).collect();
        self.swept = if next.len() < SWEPT { 0 } else { next.last().copied().unwrap_or(0) };
        for run in next {
            let has_changed = |known: &Known| known.stamp != modified(&self.spool.run_dir(run));
            if self.known.get(&run).is_some_and(has_changed) {
                self.reread(run, version);
            }
        }
    }

    /// Finds out, now and then, what waiting runs wait for. What cannot be found out is not told: all else is to be seen.
    fn find_waits(&mut self, version: u64) {
        if self.waited.is_some_and(|at| at.elapsed() < WAITS_PAUSE) {
            return;
        }
        self.waited = Some(Instant::now());
        let queue = self.in_turn();
        if queue.is_empty() {
            return;
        }
        let Ok(mut waits) = Waits::new(&self.spool) else { return };
        for run in queue.into_iter().take(WAITING) {
            let Some(known) = self.known.get_mut(&run) else { continue };
            let Some(open) = known.open.as_mut() else { continue };
            open.waits = waits.words(&known.token, &open.row.job).ok().filter(|words| !words.is_empty());
            if known.retell(version) {
                self.version = version;
            }
        }
    }

    /// The queued runs in the order in which they will start.
    fn in_turn(&self) -> Vec<u64> {
        let turn = |known: &Known| match known.token.state {
            State::Queued(priority) => Some((priority, known.token.run)),
            _ => None,
        };
        let mut queue: Vec<(u8, u64)> = self.known.values().filter_map(turn).collect();
        queue.sort_unstable();
        queue.into_iter().map(|(_, run)| run).collect()
    }

    /// All rows, as JSON, which many may ask for.
    pub fn all(&mut self) -> Arc<Vec<u8>> {
        if let Some((version, text)) = &self.told
            && *version == self.version
        {
            return text.clone();
        }
        let mut text = self.changes(None).into_bytes();
        text.shrink_to_fit();
        let text = Arc::new(text);
        self.told = Some((self.version, text.clone()));
        text
    }

    /// The rows that have changed since a version, as JSON; all of them when it is not given or too long ago.
    pub fn changes(&self, since: Option<u64>) -> String {
        let since = since.filter(|since| (self.complete_since..=self.version).contains(since));
        let from = since.unwrap_or(0);
        let changed = self.known.values().filter(|known| known.version > from);
        let mut text = format!("{{\"version\":{},\"runs\":[", self.version);
        for (i, known) in changed.enumerate() {
            if i > 0 {
                text.push(',');
            }
            text.push_str(&known.text);
        }
        text.push(']');
        match since {
            Some(since) => {
                let gone = self.gone.iter().filter(|(version, run)| *version > since && !self.known.contains_key(run));
                let gone: Vec<String> = gone.map(|(_, run)| run.to_string()).collect();
                text.push_str(&format!(",\"gone\":[{}]}}", gone.join(",")));
            }
            None => text.push_str(",\"all\":true}"),
        }
        text
    }

    /// The row of a run.
    pub fn row(&self, run: u64) -> Option<Value> {
        self.known.get(&run).and_then(|known| Value::parse(&known.text).ok())
    }

    /// The numbers of all runs.
    pub fn runs(&self) -> Vec<u64> {
        self.known.keys().copied().collect()
    }

    /// The last other run that is done and of the same group, or else of the same name.
    pub fn good(&self, run: u64) -> Option<u64> {
        let known = self.known.get(&run)?;
        let done =
            || self.known.values().rev().filter(|other| other.token.run != run && other.token.state == State::Done);
        let group = known.group.as_ref().and_then(|group| done().find(|other| other.group.as_ref() == Some(group)));
        let name = || known.name.as_ref().and_then(|name| done().find(|other| other.name.as_ref() == Some(name)));
        group.or_else(name).map(|other| other.token.run)
    }

    /// The queue, in the order in which it will start, as JSON.
    pub fn queue(&self) -> Value {
        let rows = self.in_turn().into_iter().filter_map(|run| self.known.get(&run)?.open.as_ref());
        let members = |open: &Open| {
            let job = &open.row.job;
            let priority = u32::from(entry::priority(&open.row));
            let mut one = json::map([("run", Value::from(open.row.run)), ("priority", priority.into())]);
            if let Some(waits) = &open.waits {
                one.set("waits", waits.as_str());
            }
            let after: Vec<u64> = ["after", "after-any"].iter().flat_map(|key| job.after(key)).collect();
            if !after.is_empty() {
                one.set("after", after);
            }
            if let Some(needs) = job.json.get("needs") {
                one.set("needs", needs.clone());
            }
            one
        };
        Value::List(rows.map(|open| members(open)).collect())
    }
}

impl Known {
    /// Writes the row of an open run anew. True: it has changed.
    fn retell(&mut self, version: u64) -> bool {
        let Some(open) = &self.open else { return false };
        let warned = open.course.as_ref().map_or(0, |course| course.warned);
        let text = entry::row(&open.row, open.course.as_ref(), open.waits.as_deref(), warned).to_string();
        let has_changed = text != self.text;
        if has_changed {
            (self.text, self.version) = (text, version);
        }
        has_changed
    }
}

fn modified(path: &std::path::Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}

/// Whether there is more to come of a run's history.
fn goes(token: &Token) -> bool {
    match &token.state {
        State::Started(..) | State::Claimed(_) => true,
        State::Submitted(engine, _) => is_host(engine) || engine == REPORT,
        _ => false,
    }
}

/// Reads runs, by two threads when they are many.
fn read_all(spool: &Spool, mut tokens: Vec<Token>) -> Vec<Known> {
    let read_some = |tokens: Vec<Token>| tokens.into_iter().map(|token| read(spool, token)).collect::<Vec<_>>();
    if tokens.len() < MANY {
        return read_some(tokens);
    }
    let half = tokens.split_off(tokens.len() / 2);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| read_some(half));
        let mut all = read_some(tokens);
        all.extend(other.join().unwrap_or_default());
        all
    })
}

/// Reads the small files of a run.
fn read(spool: &Spool, token: Token) -> Known {
    let dir = spool.run_dir(token.run);
    let stamp = modified(&dir);
    let empty =
        |token: Token, text: String| Known { token, version: 0, text, stamp, name: None, group: None, open: None };
    let mut row = match Row::read(spool, token.run, Some(token.clone())) {
        Ok(row) => row,
        Err(err) => {
            let text = entry::damaged(&token, &err.to_string()).to_string();
            return empty(token, text);
        }
    };
    let (name, group) = (row.job.name().map(Box::from), row.job.group().map(Box::from));
    if token.folder().is_end() {
        entry::results_if_missing(spool, &mut row);
        let text = entry::row(&row, None, None, entry::count_warnings(&dir)).to_string();
        return Known { name, group, ..empty(token, text) };
    }
    let course = goes(&token).then(|| Course::new(&dir));
    let open = Some(Box::new(Open { row, course, waits: None }));
    let mut known = Known { name, group, open, ..empty(token, String::new()) };
    known.retell(0);
    known
}
