//! gc removes what nobody can miss: runs that were never acknowledged, files whose writer died, snapshots of code that no
//! run refers to, heartbeats of the dead; and, only when asked, runs that ended long ago.
//!
//! An ended run is removed so that a retry at the same moment wins or loses cleanly, and a crash leaves nothing for ever:
//! its token is moved to tmp/gone-N.G, then runs/N removed, then that file. Who finds such a file goes on from there.

mod batches;
mod code;

use crate::prune;
use nn::base::args::{Arg, Args};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Doing, Error, Result};
use nn::base::files::{self, Moved};
use nn::base::time::{Time, parse_duration, show_duration};
use nn::record::checkpoint::Keep;
use nn::spool::job::Job;
use nn::spool::owner::{Life, Owner};
use nn::spool::state::{Folder, State, Token};
use nn::spool::store::{IMPORTED, Origin, Spool, UNBORN, is_id};
use nn::spool::waits;
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;

/// Remains that are younger may still be somebody's work; far longer than any two clocks differ.
const REMAINS: Duration = Duration::from_secs(36 * 3600);

/// Mail is kept for so long after it was sent.
const MAIL: Duration = Duration::from_secs(30 * 86_400);

/// After so long nobody asks for a run that another spool handed over: a year and a day.
const ORIGIN: Duration = Duration::from_secs(366 * 86_400);

/// In tmp/, the token of a run that is being removed.
const GONE: &str = "gone-";

#[derive(Default)]
struct Opts {
    dry_run: bool,
    older_than: Option<Duration>,
    states: Vec<Folder>,
    keep: Option<Keep>,
    runs: Vec<OsString>,
}

/// Removes remains.
pub fn gc(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let mut opts = Opts::default();
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Long(name) if name == "dry-run" => opts.dry_run = true,
            Arg::Long(name) if name == "older-than" => {
                opts.older_than = Some(args.with("a duration such as 90d", parse_duration)?);
            }
            Arg::Long(name) if name == "state" => {
                for word in args.text()?.split(',') {
                    opts.states.push(crate::list::folder(word)?);
                }
            }
            Arg::Long(name) if name == "keep-checkpoints" => {
                let keep = Keep::parse(&args.text()?);
                opts.keep = Some(keep.map_err(|what| Error::usage(format!("--keep-checkpoints: {what}")))?);
            }
            Arg::Value(value) if opts.keep.is_some() => opts.runs.push(value),
            arg => return Err(arg.unexpected()),
        }
    }
    if let Some(keep) = &opts.keep {
        return match opts.older_than {
            None if opts.states.is_empty() => prune::prune(keep, opts.runs, opts.dry_run, out),
            _ => Err(Error::usage("--keep-checkpoints takes the runs that are named")),
        };
    }
    if let Some(open) = opts.states.iter().find(|folder| !folder.is_end()) {
        return Err(Error::usage(format!("runs that are {} have not ended: none is removed", open.name())));
    }
    if !opts.states.is_empty() && opts.older_than.is_none() {
        return Err(Error::usage("--state goes with --older-than: how long ago must they have ended?"));
    }
    let spool = Spool::find()?;
    let mut gc = Gc { spool: &spool, opts: &opts, out };
    gc.ended()?;
    gc.without_token()?;
    gc.remains()?;
    gc.snapshots()?;
    batches::batches(&mut gc)?;
    gc.heartbeats()?;
    gc.origins()?;
    gc.mail()?;
    gc.batch()?;
    Ok(Exit::DONE)
}

struct Gc<'a> {
    spool: &'a Spool,
    opts: &'a Opts,
    out: &'a mut Out,
}

impl Gc<'_> {
    /// Does it, unless only asked what would be done; and tells. An error does not stop the rest.
    fn act(&mut self, what: &str, why: &str, act: impl FnOnce() -> Result<()>) -> Result<()> {
        if !self.opts.dry_run
            && let Err(err) = act()
        {
            cli::complain(&err);
            return Ok(());
        }
        writeln!(self.out, "{what}\t{why}")
    }

    /// `act` for a file of the spool that is not needed any more.
    fn remove(&mut self, path: &Path, why: &str) -> Result<()> {
        let shown = path.strip_prefix(self.spool.dir()).unwrap_or(path).to_string_lossy().into_owned();
        self.act(&nn::base::text::escape(&shown), why, || files::remove(path).map(drop))
    }

    /// Runs that ended so long ago, when asked for; but not those that waiting runs come after.
    fn ended(&mut self) -> Result<()> {
        let Some(limit) = self.opts.older_than else { return Ok(()) };
        let spool = self.spool;
        let mut tokens: Vec<Token> = spool.states(&Folder::ALL)?.into_values().collect();
        let is_wanted = |f: Folder| f.is_end() && (self.opts.states.is_empty() || self.opts.states.contains(&f));
        let open = tokens.iter().filter(|token| !token.folder().is_end());
        let jobs = open.filter_map(|token| spool.job(token.run).ok());
        let needed: HashSet<u64> = jobs.flat_map(|job| [job.after("after"), job.after("after-any")].concat()).collect();
        tokens.retain(|token| is_wanted(token.folder()) && !needed.contains(&token.run));
        tokens.sort_by_key(|token| token.run);
        for token in tokens {
            let Some(age) = ended_since(spool, &token).filter(|age| *age >= limit) else { continue };
            let why = format!("{} {} ago", token.folder().name(), show_duration(age));
            self.act(&format!("runs/{}", token.run), &why, || remove_run(spool, &token))?;
        }
        Ok(())
    }

    /// Runs that were never acknowledged: no token, nothing but what `add` writes, and old.
    fn without_token(&mut self) -> Result<()> {
        let spool = self.spool;
        let first = spool.states(&Folder::ALL)?;
        for run in nn::spool::select::all(spool)? {
            let dir = spool.run_dir(run);
            let Some(age) = age(&dir).filter(|age| *age > REMAINS && !first.contains_key(&run)) else { continue };
            // A run that somebody is just moving against the order of reading can hide from one look, not from two.
            if only_added(&dir)? && !is_anywhere(spool, run)? {
                let why = format!("never acknowledged, {} old", show_duration(age));
                self.act(&format!("runs/{run}"), &why, || files::remove_tree(&dir))?;
            }
        }
        Ok(())
    }

    /// What a process that died left in tmp/.
    fn remains(&mut self) -> Result<()> {
        let dir = self.spool.dir().join("tmp");
        for entry in std::fs::read_dir(&dir).doing("read", &dir)? {
            let path = entry.doing("read", &dir)?.path();
            if let Some(run) = path.file_name().and_then(|name| gone(name.to_str()?)) {
                let spool = self.spool;
                self.act(&format!("runs/{run}"), "half removed", || finish_removing(spool, run, &path))?;
                continue;
            }
            let Some(age) = age(&path).filter(|age| *age > REMAINS) else { continue };
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let why = format!("left behind {} ago", show_duration(age));
            self.act(&format!("tmp/{}", nn::base::text::escape(&name)), &why, || {
                if path.is_dir() { files::remove_tree(&path) } else { files::remove(&path).map(drop) }
            })?;
        }
        Ok(())
    }

    /// Mail that was sent, and news that was told, so long ago that nobody will tell it again; and what is known of tries of
    /// messages that are gone.
    fn mail(&mut self) -> Result<()> {
        let dir = self.spool.dir().join("mail");
        for folder in ["sent", "told", "tries"].into_iter().filter(|folder| dir.join(folder).is_dir()) {
            for name in files::names(&dir.join(folder))? {
                let path = dir.join(folder).join(&name);
                let wanted =
                    folder == "tries" && ["new", "failed"].iter().any(|place| is_mail(&dir.join(place), &name));
                let Some(age) = age(&path).filter(|age| *age > MAIL && !wanted) else { continue };
                self.remove(&path, &format!("{} old", show_duration(age)))?;
            }
        }
        Ok(())
    }

    /// Which batch job made which run, when the run is gone, or has ended so long ago that no job is started again.
    fn batch(&mut self) -> Result<()> {
        let dir = self.spool.dir().join("batch");
        if !dir.is_dir() {
            return Ok(());
        }
        let open = self.spool.states(&Folder::OPEN)?;
        for name in files::names(&dir)? {
            let path = dir.join(&name);
            let run = std::fs::read_to_string(&path).ok().and_then(|text| text.trim_end().parse::<u64>().ok());
            let Some(age) = age(&path).filter(|age| *age > REMAINS) else { continue };
            let is_there = run.is_some_and(|run| self.spool.run_dir(run).is_dir());
            let is_open = run.is_some_and(|run| open.contains_key(&run));
            if is_there && (is_open || age <= MAIL) {
                continue;
            }
            self.remove(&path, &format!("{} old", show_duration(age)))?;
        }
        Ok(())
    }

    /// What was known of runs of other spools, which are gone here, and which nobody will ask for any more.
    fn origins(&mut self) -> Result<()> {
        let dir = self.spool.dir().join("origins");
        for name in if dir.is_dir() { files::names(&dir)? } else { Vec::new() } {
            let Some(id) = name.to_str().filter(|id| is_id(id)) else { continue };
            let limit = match self.spool.origin(id)? {
                Some(Origin::Refused) => MAIL,
                Some(Origin::Gone(_)) => ORIGIN,
                _ => continue,
            };
            let path = dir.join(id);
            if let Some(age) = age(&path).filter(|age| *age > limit) {
                self.remove(&path, &format!("its run is gone, {} old", show_duration(age)))?;
            }
        }
        Ok(())
    }

    /// Heartbeats of workers that are dead and hold nothing.
    fn heartbeats(&mut self) -> Result<()> {
        let mut holding = HashSet::new();
        for token in self.spool.tokens(Folder::Running)? {
            match token.state {
                State::Claimed(worker) => holding.extend([worker]),
                State::Started(worker, runner) => holding.extend([worker, runner]),
                _ => {}
            }
        }
        let dir = self.spool.dir().join("hosts");
        for name in files::names(&dir)? {
            let owner = name.to_str().and_then(|name| Owner::parse(name).or_else(|| waits::worker(name)));
            let Some(owner) = owner.filter(|owner| !holding.contains(owner)) else { continue };
            let path = dir.join(&name);
            let old = age(&path).is_some_and(|age| age > REMAINS);
            if owner.life() == Life::Dead || old && owner.life() != Life::Alive {
                self.remove(&path, "dead")?;
            }
        }
        Ok(())
    }
}

/// Whether there is a message of this name, held by somebody or not.
fn is_mail(folder: &Path, name: &std::ffi::OsStr) -> bool {
    let of = |file: &std::ffi::OsString| {
        file.as_encoded_bytes().split(|b| *b == b'~').next() == Some(name.as_encoded_bytes())
    };
    files::names(folder).is_ok_and(|files| files.iter().any(of))
}

/// How long ago a file was changed, by file time: good enough for what is a day and a half old.
fn age(path: &Path) -> Option<Duration> {
    std::fs::symlink_metadata(path).and_then(|meta| meta.modified()).ok()?.elapsed().ok()
}

/// How long ago a run ended.
fn ended_since(spool: &Spool, token: &Token) -> Option<Duration> {
    let result = spool.read(token.run, "result.json").ok().flatten();
    let ended = result.and_then(|result| result.str("ended").and_then(Time::parse));
    ended.map(|ended| Time::now().since(ended)).or_else(|| age(&spool.run_dir(token.run)))
}

/// Whether a run's folder holds nothing but what adding it, or importing it, wrote.
fn only_added(dir: &Path) -> Result<bool> {
    let names = files::names(dir)?;
    let only = |written: &[&str]| names.iter().all(|name| written.iter().any(|w| OsStr::new(w) == name));
    let is_import = || Job::read(&dir.join("job.json")).is_ok_and(|job| job.source().is_some());
    Ok(only(&["job.json", "env", UNBORN]) || only(&IMPORTED) && is_import())
}

/// Whether any folder, read in the other order, holds a token of a run.
fn is_anywhere(spool: &Spool, run: u64) -> Result<bool> {
    for folder in Folder::ALL.into_iter().rev() {
        if spool.tokens(folder)?.iter().any(|token| token.run == run) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes an ended run, if nobody has it meanwhile.
fn remove_run(spool: &Spool, token: &Token) -> Result<()> {
    let gone = spool.dir().join("tmp").join(format!("{GONE}{}.{}", token.run, token.generation));
    match files::mv(&spool.dir().join(token.path()), &gone)? {
        Moved::Won => finish_removing(spool, token.run, &gone),
        Moved::Lost => Err(Error::other(format!("run {} was queued again meanwhile: not removed", token.run))),
    }
}

/// The run whose removal was begun, from the name of the file that says so.
fn gone(name: &str) -> Option<u64> {
    name.strip_prefix(GONE)?.split_once('.')?.0.parse().ok()
}

fn finish_removing(spool: &Spool, run: u64, gone: &Path) -> Result<()> {
    // Its number may have been given out again, when the hint of the next number was lost too.
    if !is_anywhere(spool, run)? {
        files::remove_tree(&spool.run_dir(run))?;
    }
    files::remove(gone).map(drop)
}
