//! Freezing the code of jobs that are added: one snapshot a work tree (and set of links), whatever the number of jobs; and
//! finding out that a job was there before.
//!
//! All is taken and looked at before anything is put into the spool. What a person may not expect is told once an
//! add: that code is not frozen, what is not in the snapshot although the command names it, what is frozen and named by an
//! absolute path. A program that would not be found is an error.

mod words;

use crate::after;
use nn::base::cli;
use nn::base::error::{Doing, Error, Result};
use nn::base::json::{self, Value};
use nn::base::text::escape_bytes;
use nn::record::facts::git::{self, Found};
use nn::spool::job::Job;
use nn::spool::snapshot::{Code, LeftOut, Limits, Snapshot, Source, asked, plain, work};
use nn::spool::state::{Folder, State};
use nn::spool::store::{Spool, variables};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;
use words::Words;

/// Largest file that is not tracked, and all of them together, unless the config says otherwise: bytes.
const LIMITS: Limits = Limits { file: 10 << 20, all: 100 << 20 };
/// How often a work tree is read when files change meanwhile.
const TRIES: usize = 3;
/// The longest that git may take to say what has changed.
const GIT_LIMIT: Duration = Duration::from_secs(60);
/// Names that are told in one line.
const NAMED: usize = 10;
/// Names that are put on record.
const RECORDED: usize = 1000;
/// Stands for the name of facts that are not kept yet.
const NO_FACTS: &str = "00000000000000000000000000000000";

/// Where a job runs.
enum Place {
    /// In place; why
    Live(&'static str),
    /// In a snapshot: the top of its work tree, and the directory below it
    Tree(PathBuf, PathBuf),
    /// In the snapshot of the run that adds it
    Same(Code),
}

/// A snapshot, and what git said.
struct Taken {
    snapshot: Snapshot,
    facts: Value,
    patch: Option<Vec<u8>>,
}

/// What a snapshot is of: a work tree but for these links.
type Key = (PathBuf, Vec<PathBuf>);

struct Freezer<'a> {
    spool: &'a Spool,
    limits: Limits,
    /// Links for every job
    links: Vec<OsString>,
    places: HashMap<PathBuf, Place>,
    taken: HashMap<Key, Taken>,
    words: Words,
}

/// What becomes of jobs that were there before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repeats {
    /// Nothing is added
    #[default]
    Refuse,
    /// The others are added
    Skip,
    /// They are added too
    Add,
}

/// Freezes the code of these jobs, as their member `code`. False: nothing is to be added, for jobs were there before.
///
/// # Errors
/// A snapshot cannot be taken or written; nothing is added.
pub fn freeze(spool: &Spool, jobs: &mut Vec<Job>, repeats: Repeats) -> Result<bool> {
    let config = spool.config()?;
    let limits = Limits {
        file: config.size("snapshot.file-limit")?.unwrap_or(LIMITS.file),
        all: config.size("snapshot.limit")?.unwrap_or(LIMITS.all),
    };
    let links = config.get("snapshot.link").unwrap_or_default();
    let links = links.split_whitespace().map(OsString::from).collect();
    let (places, taken) = (HashMap::new(), HashMap::new());
    let mut freezer = Freezer { spool, limits, links, places, taken, words: Words::default() };
    let mut keys = Vec::with_capacity(jobs.len());
    for job in jobs.iter_mut() {
        keys.push(freezer.job(job)?);
    }
    let before = if repeats == Repeats::Add { vec![None; jobs.len()] } else { before(spool, jobs)? };
    let seen: Vec<u64> = before.iter().flatten().copied().collect();
    if !seen.is_empty() {
        let left = jobs.len() - seen.len();
        let what = match (repeats, left) {
            (Repeats::Skip, _) => "not added again",
            (_, 0) if jobs.len() == 1 => "--again adds it all the same",
            (_, 0) => "--again adds them all the same",
            _ => "--new adds the others, --again all",
        };
        cli::tell(&format!("{} ({what})", the_same(&seen)));
        if repeats == Repeats::Refuse || left == 0 {
            return Ok(false);
        }
        after::leave_out(jobs, &before);
        let mut is_new = before.iter().map(Option::is_none);
        keys.retain(|_| is_new.next().unwrap_or(true));
    }
    freezer.tell();
    let mut facts = HashMap::new();
    let used: HashSet<&Key> = keys.iter().flatten().collect();
    for (key, taken) in freezer.taken.into_iter().filter(|(key, _)| used.contains(key)) {
        facts.insert(key, taken.snapshot.keep(spool, &taken.facts, taken.patch.as_deref())?);
    }
    for (job, key) in jobs.iter_mut().zip(&keys) {
        if let (Some(mut code), Some(facts)) = (job.code(), key.as_ref().and_then(|key| facts.get(key))) {
            code.facts = facts.clone();
            job.json.set("code", code.to_json());
        }
    }
    Ok(true)
}

impl Freezer<'_> {
    /// Which snapshot a job runs in; None: it runs in place.
    fn job(&mut self, job: &mut Job) -> Result<Option<Key>> {
        if let Value::Map(members) = &mut job.json {
            members.retain(|(key, _)| key != "code");
        }
        let Some(cwd) = job.cwd().filter(|_| !job.live()) else { return Ok(None) };
        let (top, dir) = match self.place(&cwd)? {
            Place::Tree(top, dir) => (top.clone(), dir.clone()),
            Place::Live(why) => {
                let why = *why;
                self.words.live(&cwd, why, &job.argv());
                return Ok(None);
            }
            Place::Same(code) => {
                job.json.set("cwd", json::from_os(code.below(&code.root).as_os_str()));
                job.json.set("code", code.to_json());
                return Ok(None);
            }
        };
        let links = self.links_of(job, &top, &dir)?;
        let key = (top, links);
        if !self.taken.contains_key(&key) {
            let taken = self.take(&key)?;
            self.taken.insert(key.clone(), taken);
        }
        let Some(taken) = self.taken.get(&key) else { return Ok(None) };
        let (top, links) = &key;
        if !taken.snapshot.holds(&dir) {
            self.words.live(&cwd, "git ignores that directory", &job.argv());
            return Ok(None);
        }
        self.words.frozen(&job.argv(), top, &dir, links, &taken.snapshot)?;
        let tree = taken.snapshot.tree.clone();
        let code = Code { tree, dir, root: top.clone(), links: links.clone(), facts: NO_FACTS.into() };
        job.json.set("code", code.to_json());
        Ok(Some(key))
    }

    fn place(&mut self, cwd: &Path) -> Result<&Place> {
        if !self.places.contains_key(cwd) {
            self.places.insert(cwd.to_path_buf(), self.find_place(cwd)?);
        }
        Ok(self.places.entry(cwd.to_path_buf()).or_insert(Place::Live("")))
    }

    fn find_place(&self, cwd: &Path) -> Result<Place> {
        // The run will tell that its directory is missing.
        let Ok(real) = cwd.canonicalize() else { return Ok(Place::Live("there is no such directory here")) };
        if let Some(code) = self.code_of_adder(&real) {
            return Ok(Place::Same(code));
        }
        Ok(match git::find(&real) {
            Found::Nowhere => Place::Live("it is in no git work tree"),
            Found::NoGit => Place::Live("there is no git to ask"),
            Found::Unknown(why) => return Err(cannot(&real, &why)),
            Found::Tree(top) => {
                let dir = real.strip_prefix(&top).unwrap_or(Path::new("")).to_path_buf();
                Place::Tree(top, dir)
            }
        })
    }

    /// A run adds another, from the copy of its own code: that will be gone, and its snapshot will not.
    fn code_of_adder(&self, cwd: &Path) -> Option<Code> {
        let (run, dir) = work::run_of(self.spool, cwd)?;
        Some(Code { dir, ..self.spool.job(run).ok()?.code()? })
    }

    /// The links of a job as paths below the top: what it names must be there, what the config names may be.
    fn links_of(&self, job: &Job, top: &Path, dir: &Path) -> Result<Vec<PathBuf>> {
        let mut links = BTreeSet::new();
        let mut own = job.links();
        // What goes along to other hosts is reached in the same way.
        own.extend(job.inputs().into_iter().filter(|input| input.starts_with(top)).map(OsString::from));
        for (name, needed) in own.iter().map(|name| (name, true)).chain(self.links.iter().map(|name| (name, false))) {
            let places = [top.join(dir).join(name), top.join(name)].map(|path| plain(&path));
            let path = places.iter().find(|path| std::fs::metadata(path).is_ok());
            let inside = |path: &PathBuf| path.strip_prefix(top).ok().map(Path::to_path_buf);
            match (path, path.and_then(inside)) {
                (Some(_), Some(link)) if !dir.starts_with(&link) => drop(links.insert(link)),
                _ if !needed => {}
                (Some(path), Some(_)) => {
                    let what = format!("--link {}: the command runs in it", path.display());
                    return Err(Error::other(what));
                }
                (Some(path), None) => {
                    let what = "lies outside of the work tree: name it by its absolute path in the command";
                    return Err(Error::other(format!("--link {}: {what}", path.display())));
                }
                (None, _) => {
                    let [path, _] = &places;
                    return Err(Error::other(format!("--link {}: No such file or directory", path.display())));
                }
            }
        }
        // A link reaches all that is below it.
        let links: Vec<PathBuf> = links.into_iter().collect();
        let below = |link: &&PathBuf| link.ancestors().skip(1).any(|above| links.iter().any(|other| other == above));
        Ok(links.iter().filter(|link| !below(link)).cloned().collect())
    }

    fn take(&self, (top, links): &Key) -> Result<Taken> {
        let mut without = links.clone();
        // A spool inside of the work tree would hold itself.
        let spool = self.spool.dir().canonicalize().doing("find", self.spool.dir())?;
        without.extend(spool.strip_prefix(top).ok().map(Path::to_path_buf));
        let mut tries = 0;
        loop {
            tries += 1;
            let mut asked = git::begin(top, &variables());
            let files = git::files(top).map_err(|why| cannot(top, &why))?;
            let source = |path, tracked| Source { path, tracked };
            let new = files.new.into_iter().map(|path| source(path, false));
            let sources = files.tracked.into_iter().map(|path| source(path, true)).chain(new).collect();
            let snapshot = match Snapshot::take(self.spool, top, sources, &without, self.limits) {
                Err(Error::Again(_)) if tries < TRIES => continue,
                snapshot => snapshot?,
            };
            if let Some(asked) = &mut asked {
                asked.wait(GIT_LIMIT);
            }
            let (mut facts, patch) = asked.map(|asked| asked.finish(false)).unwrap_or((Value::Map(Vec::new()), None));
            if let Some(path) = snapshot.changed(top) {
                if tries < TRIES {
                    continue;
                }
                // Such as the log of another program: what the snapshot has of it is what was there at one moment.
                cli::warn(&format!("{} changes all the time: taken as it was at one moment", path.display()));
            }
            if !snapshot.left_out.is_empty() {
                let names = snapshot.left_out.iter().take(RECORDED).map(|left| Value::from(escape_bytes(&left.path)));
                facts.set("left_out", Value::List(names.collect()));
            }
            return Ok(Taken { snapshot, facts, patch });
        }
    }

    /// What was left out, and what was noticed in the commands.
    fn tell(&self) {
        let mut keys: Vec<&Key> = self.taken.keys().collect();
        keys.sort();
        for key in keys {
            let left_out = self.taken.get(key).map(|taken| taken.snapshot.left_out.as_slice()).unwrap_or_default();
            if !left_out.is_empty() {
                cli::warn(&format!("not in the snapshot of {}: {}", key.0.display(), names(left_out)));
            }
        }
        self.words.tell();
    }
}

fn names(left_out: &[LeftOut]) -> String {
    let one = |left: &LeftOut| format!("{} ({})", escape_bytes(&left.path), left.why);
    let mut names: Vec<String> = left_out.iter().take(NAMED).map(one).collect();
    if left_out.len() > NAMED {
        names.push(format!("and {} more", left_out.len() - NAMED));
    }
    names.join(", ")
}

fn cannot(dir: &Path, why: &str) -> Error {
    Error::other(format!("cannot freeze the code in {}: {why} (--live runs in place)", dir.display()))
}

/// The newest run that waits, runs or is done and is the same, for each of these jobs.
fn before(spool: &Spool, jobs: &[Job]) -> Result<Vec<Option<u64>>> {
    let mut known = HashMap::new();
    let mut states = None;
    let mut before = vec![None; jobs.len()];
    for (job, before) in jobs.iter().zip(&mut before) {
        let (Some(code), Some(digest)) = (job.code(), asked::digest(job)) else { continue };
        let known = known.entry(code.tree.clone()).or_insert_with(|| asked::known(spool, &code.tree));
        let Some(runs) = known.get(&digest) else { continue };
        if states.is_none() {
            states = Some(spool.states(&Folder::ALL)?);
        }
        let states = states.get_or_insert_default();
        // A run that failed or was called off is no reason not to try again.
        let counts = |run: &&u64| {
            let state = states.get(run).map(|token| &token.state);
            let counts = state.is_some_and(|state| !matches!(state, State::Failed(_) | State::Cancelled));
            counts && spool.job(**run).is_ok_and(|job| asked::digest(&job).as_ref() == Some(&digest))
        };
        *before = runs.iter().filter(counts).max().copied();
    }
    Ok(before)
}

/// `run 17 is the same`, or the same of several.
fn the_same(runs: &[u64]) -> String {
    let mut named: Vec<String> = runs.iter().take(NAMED).map(u64::to_string).collect();
    if runs.len() > NAMED {
        named.push(format!("and {} more", runs.len() - NAMED));
    }
    let (run, is) = if runs.len() == 1 { ("run", "is") } else { ("runs", "are") };
    format!("{run} {} {is} the same command with the same parameters and code", named.join(" "))
}
