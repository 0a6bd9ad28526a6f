//! The cursor: how far `--new` has told what happened, and what `--tick` has seen of hosts: the file watch/cursor of a spool,
//! see nn-spool(5). Who looks holds it, by a rename that one process wins, and lets it go when what was new is printed.
//!
//! Of runs that do not run only the number and the generation are kept, by folder, as ranges: a sweep that has ended is one
//! range, however many its runs.

use nn::base::cli;
use nn::base::error::{Error, Result};
use nn::base::files::{self, Moved};
use nn::base::json::{self, Value};
use nn::base::time::Time;
use nn::spool::hold::Entry;
use nn::spool::owner::Owner;
use nn::spool::state::{Folder, Token};
use nn::spool::store::Spool;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Its name when nobody holds it.
const NAME: &str = "cursor";
/// So often it is tried to hold it: others may make it, or take it back, at the same time.
const TRIES: u32 = 16;

/// The cursor, held by this process.
pub struct Cursor {
    dir: PathBuf,
    tmp: PathBuf,
    held: Entry,
    pub state: State,
}

/// What it says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// When it was looked last; None: never
    pub t: Option<Time>,
    pub folders: BTreeMap<Folder, Seen>,
    /// Runs whose events are read, by number
    pub runs: BTreeMap<u64, Place>,
    /// Heartbeats by owner: the counter, and since when it has not changed (milliseconds)
    pub beats: BTreeMap<String, (String, i64)>,
    /// What was found and is not over
    pub found: Vec<String>,
}

/// A folder of tokens.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// Its time of change in nanoseconds; 0: it must be listed again
    pub changed: i64,
    pub runs: Runs,
}

/// How far the events of a run were read, by file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    /// Since when it does not run any more (milliseconds)
    pub since: Option<i64>,
    pub files: Vec<(String, u64)>,
}

/// Runs with their generations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Runs(Vec<(u64, u64, u32)>);

impl Runs {
    /// Of these tokens.
    pub fn of<'a>(tokens: impl Iterator<Item = &'a Token>) -> Runs {
        let mut all: Vec<(u64, u32)> = tokens.map(|token| (token.run, token.generation)).collect();
        all.sort_unstable();
        let mut runs = Runs::default();
        all.into_iter().for_each(|(run, generation)| runs.push(run, run, generation));
        runs
    }

    fn push(&mut self, first: u64, last: u64, generation: u32) {
        match self.0.last_mut() {
            Some((_, end, g)) if *g == generation && end.checked_add(1) == Some(first) => *end = last,
            _ => self.0.push((first, last, generation)),
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u32)> {
        self.0.iter().flat_map(|(first, last, generation)| (*first..=*last).map(|run| (run, *generation)))
    }

    /// The generation of a run.
    pub fn generation(&self, run: u64) -> Option<u32> {
        let at = self.0.partition_point(|(_, last, _)| *last < run);
        self.0.get(at).filter(|(first, ..)| *first <= run).map(|(.., generation)| *generation)
    }

    fn parse(text: &str) -> Option<Runs> {
        let mut runs = Runs::default();
        for word in text.split_whitespace() {
            let (range, generation) = word.split_once('.').unwrap_or((word, "1"));
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            runs.push(first.parse().ok()?, last.parse().ok()?, generation.parse().ok()?);
        }
        runs.0.is_sorted().then_some(runs)
    }

    fn text(&self) -> String {
        let word = |&(first, last, generation): &(u64, u64, u32)| {
            let range = if first == last { first.to_string() } else { format!("{first}-{last}") };
            if generation == 1 { range } else { format!("{range}.{generation}") }
        };
        self.0.iter().map(word).collect::<Vec<_>>().join(" ")
    }
}

impl Cursor {
    /// Holds it. None: another process does.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub fn hold(spool: &Spool) -> Result<Option<Cursor>> {
        let dir = spool.dir().join("watch");
        if !dir.is_dir() {
            files::make_dir(&dir)?;
        }
        let me = Owner::me()?;
        for _ in 0..TRIES {
            let names = files::names(&dir)?;
            let mut entries = names.iter().filter_map(|name| Entry::parse(name.to_str()?)).filter(|e| e.name == NAME);
            let free = dir.join(NAME);
            match entries.clone().find(|entry| entry.held.is_none()).or_else(|| entries.next()) {
                None => drop(files::create_empty(&free)?),
                Some(entry) if entry.held.is_none() => {
                    let held = Entry::held_by(NAME, &me);
                    if files::mv(&free, &dir.join(held.file()))? == Moved::Won {
                        let text = files::read_text(dir.join(held.file()))?;
                        let state = Value::parse(text.trim_end()).ok().and_then(|value| State::of(&value));
                        if state.is_none() && !text.is_empty() {
                            cli::warn("watch/cursor cannot be read: what is new begins here");
                        }
                        let state = state.unwrap_or_default();
                        return Ok(Some(Cursor { dir, tmp: spool.dir().join("tmp"), held, state }));
                    }
                }
                Some(entry) if entry.is_abandoned() => drop(files::mv(&dir.join(entry.file()), &free)?),
                Some(_) => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Writes it, durably, and lets it go.
    ///
    /// # Errors
    /// It cannot be written; what was there before still is.
    pub fn keep(self) -> Result<()> {
        let path = self.dir.join(self.held.file());
        files::put(&self.tmp, &path, format!("{}\n", self.state.json()).as_bytes(), true)?;
        self.let_go()
    }

    /// Lets it go as it was.
    ///
    /// # Errors
    /// It cannot be renamed.
    pub fn let_go(self) -> Result<()> {
        match files::mv(&self.dir.join(self.held.file()), &self.dir.join(NAME))? {
            Moved::Won => Ok(()),
            Moved::Lost => Err(Error::other("watch/cursor was taken away meanwhile: what is new may be told twice")),
        }
    }
}

impl State {
    fn of(value: &Value) -> Option<State> {
        let map = |value: &Value, key: &str| value.get(key).and_then(Value::as_map).unwrap_or_default().to_vec();
        // A tick alone, which prints nothing, leaves it null.
        let t = match value.get("t")? {
            Value::Null => None,
            t => Some(t.as_str().and_then(Time::parse)?),
        };
        let mut state = State { t, ..State::default() };
        for folder in Folder::ALL {
            if let Some(seen) = value.get("folders").and_then(|folders| folders.get(folder.name())) {
                let seen = Seen { changed: seen.int("changed")?, runs: Runs::parse(seen.str("runs")?)? };
                state.folders.insert(folder, seen);
            }
        }
        for (run, place) in map(value, "runs") {
            let length = |(name, length): (String, Value)| Some((name, u64::try_from(length.as_int()?).ok()?));
            let files = map(&place, "files").into_iter().map(length).collect::<Option<_>>()?;
            state.runs.insert(run.parse().ok()?, Place { since: place.int("since"), files });
        }
        for (owner, beat) in map(value, "beats") {
            state.beats.insert(owner, (beat.str("beat")?.to_string(), beat.int("since")?));
        }
        let found = value.list("found").unwrap_or_default();
        state.found = found.iter().filter_map(|found| found.as_str().map(String::from)).collect();
        Some(state)
    }

    fn json(&self) -> Value {
        let folder = |(folder, seen): (&Folder, &Seen)| {
            let seen = json::map([("changed", Value::from(seen.changed)), ("runs", seen.runs.text().into())]);
            (folder.name().to_string(), seen)
        };
        let file = |(name, length): &(String, u64)| (name.clone(), Value::from(*length));
        let run = |(run, place): (&u64, &Place)| {
            let mut value = json::map([("files", json::map(place.files.iter().map(file)))]);
            if let Some(since) = place.since {
                value.set("since", since);
            }
            (run.to_string(), value)
        };
        let beat = |(owner, (beat, since)): (&String, &(String, i64))| {
            (owner.clone(), json::map([("beat", Value::from(beat.as_str())), ("since", (*since).into())]))
        };
        json::map([
            ("t", self.t.into()),
            ("folders", json::map(self.folders.iter().map(folder))),
            ("runs", json::map(self.runs.iter().map(run))),
            ("beats", json::map(self.beats.iter().map(beat))),
            ("found", self.found.clone().into()),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spool(name: &str) -> Spool {
        let dir = std::env::temp_dir().join(format!("nn-cursor-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        Spool::init(&dir, false).unwrap()
    }

    #[test]
    fn runs_are_ranges() {
        let runs = Runs::parse("1-5000 5001 5003.2 5004.2").unwrap();
        assert_eq!(runs.text(), "1-5001 5003-5004.2");
        assert_eq!(
            [1, 5001, 5002, 5004, 5005].map(|run| runs.generation(run)),
            [Some(1), Some(1), None, Some(2), None]
        );
        assert_eq!(Runs::parse("5 3"), None);
        assert_eq!(Runs::parse("x"), None);
    }

    #[test]
    fn one_holds_it_and_the_dead_do_not() {
        let spool = spool("hold");
        let mut cursor = Cursor::hold(&spool).unwrap().unwrap();
        assert_eq!(cursor.state, State::default());
        assert!(Cursor::hold(&spool).unwrap().is_none());
        cursor.state.t = Time::parse("2026-11-22T23:00:00Z");
        cursor.state.runs.insert(7, Place { since: Some(5), files: vec![("events.jsonl".into(), 9)] });
        cursor.state.beats.insert("x".into(), ("3".into(), 4));
        cursor.state.folders.insert(Folder::Done, Seen { changed: 8, runs: Runs::parse("1-9").unwrap() });
        cursor.state.found.push("disk".into());
        let state = cursor.state.clone();
        cursor.keep().unwrap();
        let cursor = Cursor::hold(&spool).unwrap().unwrap();
        assert_eq!(cursor.state, state);
        // It dies.
        let mut dead = Owner::me().unwrap();
        dead.start += 1;
        let watch = spool.dir().join("watch");
        std::fs::rename(watch.join(cursor.held.file()), watch.join(Entry::held_by(NAME, &dead).file())).unwrap();
        assert!(cursor.let_go().is_err());
        Cursor::hold(&spool).unwrap().unwrap().let_go().unwrap();
        std::fs::remove_dir_all(spool.dir()).unwrap();
    }
}
