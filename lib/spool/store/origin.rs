//! Runs that another spool hands over, each known by the id it has there: `origins/ID` is a symbolic link whose text is
//! `RUN.GENERATION`, made once and never changed. Whoever asks a second time, because an answer was lost, finds the link
//! and gets the same run. The link `refused` says that the id shall never be added: of somebody who adds and somebody who
//! takes the run back exactly one makes the link.
//!
//! The token of such a run is born as runs/R/token and moved to the queue, so that this, too, happens once: the source is
//! gone after the first time. nn-spool(5), "Hand over to a host", has the steps and what a crash before each leaves.

use super::Spool;
use crate::base::error::{Doing, Error, Result};
use crate::base::files::{self, Moved};
use crate::spool::job::Job;
use crate::spool::state::{Folder, State, Token};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The folder of the links.
const ORIGINS: &str = "origins";
/// The text of a link that stands for no run.
const REFUSED: &str = "refused";
/// The token of a run on its way to the queue.
pub const UNBORN: &str = "token";
/// Longest id.
const LONGEST: usize = 64;
/// From so many runs on, one syncfs is cheaper than an fsync a file.
const MANY: usize = 8;

/// A run that is handed over.
#[derive(Clone, Debug)]
pub struct Given {
    /// Its id: `is_id`
    pub id: String,
    /// The id under which it ran here before: then that run is queued again, if it is still here
    pub former: Option<String>,
    /// What is asked
    pub job: Job,
}

/// What an id stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This run, from this generation on
    Run(u64, u32),
    /// A run that is not here any more
    Gone(u64),
    /// None, for ever
    Refused,
}

/// Whether a text may be an id: it becomes the name of a file.
pub fn is_id(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    !text.is_empty() && text.len() <= LONGEST && text.bytes().all(fits)
}

impl Spool {
    /// What an id stands for; None: nothing yet.
    ///
    /// # Errors
    /// The link cannot be read, or says something else.
    pub fn origin(&self, id: &str) -> Result<Option<Origin>> {
        let path = self.origin_path(id)?;
        let text = match std::fs::read_link(&path) {
            Err(err) if err.kind() == ErrorKind::NotFound => return Ok(None),
            text => text.doing("read", &path)?,
        };
        let text = text.to_string_lossy();
        if text == REFUSED {
            return Ok(Some(Origin::Refused));
        }
        let read = text.split_once('.').and_then(|(run, g)| Some((run.parse().ok()?, g.parse().ok()?)));
        let (run, generation) = read.ok_or_else(|| Error::data(&path, 0, "is not the link of a run"))?;
        let is_here = self.run_dir(run).join("job.json").exists();
        Ok(Some(if is_here { Origin::Run(run, generation) } else { Origin::Gone(run) }))
    }

    /// Makes sure that an id is never added from now on, durably, if it was not; what it stands for then.
    ///
    /// # Errors
    /// The link cannot be made.
    pub fn refuse(&self, id: &str) -> Result<Origin> {
        self.make_origins()?;
        let path = self.origin_path(id)?;
        if files::symlink(Path::new(REFUSED), &path)? {
            files::sync_dir(&self.origins())?;
            return Ok(Origin::Refused);
        }
        self.origin(id)?.ok_or_else(|| Error::data(&path, 0, "comes and goes"))
    }

    /// Adds each of these runs, or finds that it was added before; durable once it has returned, in the same order.
    ///
    /// # Errors
    /// Something cannot be written. Some may have been added all the same: ask again with the same ids.
    pub fn add_once(&self, given: &[Given], env: &[u8]) -> Result<Vec<Origin>> {
        self.make_origins()?;
        let mut origins = Vec::with_capacity(given.len());
        for one in given {
            origins.push(match self.origin(&one.id)? {
                None => self.again_of(one)?,
                known => known,
            });
        }
        let fresh: Vec<usize> = (0..given.len()).filter(|i| origins.get(*i).is_some_and(Option::is_none)).collect();
        self.add_fresh(given, &fresh, env, &mut origins)?;
        files::sync_dir(&self.origins())?;
        let origins: Vec<Origin> = origins.into_iter().flatten().collect();
        let settled = origins.iter().map(|origin| self.settle(*origin)).collect::<Result<Vec<_>>>()?;
        files::sync_dir(&self.folder(Folder::Queued))?;
        Ok(settled)
    }

    /// A run that ran here before under another id, and has ended: its next generation is this one's.
    fn again_of(&self, one: &Given) -> Result<Option<Origin>> {
        let Some(former) = &one.former else { return Ok(None) };
        let Some(Origin::Run(run, _)) = self.origin(former)? else { return Ok(None) };
        let Some(token) = self.state_of(run)?.filter(|token| token.folder().is_end()) else { return Ok(None) };
        let next = token.generation.saturating_add(1);
        self.link(&one.id, run, next).map(|_| ())?;
        self.origin(&one.id)
    }

    fn add_fresh(&self, given: &[Given], fresh: &[usize], env: &[u8], origins: &mut [Option<Origin>]) -> Result<()> {
        let fresh: Vec<(usize, &Given)> = fresh.iter().filter_map(|i| Some((*i, given.get(*i)?))).collect();
        if fresh.is_empty() {
            return Ok(());
        }
        let jobs: Vec<Job> = fresh.iter().map(|(_, one)| one.job.clone()).collect();
        let mut runs = Vec::with_capacity(jobs.len());
        let made = self.add_files(&jobs, env, &mut runs).and_then(|()| self.check_code(&jobs));
        let made = made.and_then(|()| self.unborn(&runs));
        if let Err(err) = made {
            runs.iter().for_each(|run| drop(files::remove_tree(&self.run_dir(*run))));
            return Err(err);
        }
        for ((at, one), run) in fresh.iter().zip(runs) {
            let linked = self.link(&one.id, run, 1);
            if !matches!(linked, Ok(true)) {
                // Somebody else was quicker, or the disk is full.
                let _ = files::remove_tree(&self.run_dir(run));
            }
            linked?;
            if let Some(place) = origins.get_mut(*at) {
                *place = self.origin(&one.id)?;
            }
        }
        Ok(())
    }

    /// Writes the tokens beside the runs, durably.
    pub(super) fn unborn(&self, runs: &[u64]) -> Result<()> {
        let many = runs.len() >= MANY;
        for run in runs {
            let path = self.run_dir(*run).join(UNBORN);
            if many {
                files::create_empty(&path)?;
            } else {
                files::create_empty_durable(&path)?;
                files::sync_dir(&self.run_dir(*run))?;
            }
        }
        if many { files::sync_file_system(self.dir()) } else { Ok(()) }
    }

    /// Moves the token of an added run to the queue, if that was not done.
    ///
    /// # Errors
    /// It is unknown whether it was done.
    pub fn settle(&self, origin: Origin) -> Result<Origin> {
        let Origin::Run(run, generation) = origin else { return Ok(origin) };
        let queued = Token { run, generation, state: State::Queued(self.priority_of(run)) };
        if generation == 1 {
            let unborn = self.run_dir(run).join(UNBORN);
            if unborn.exists() {
                files::mv(&unborn, &self.dir().join(queued.path()))?;
            }
            return Ok(if self.run_dir(run).exists() { origin } else { Origin::Gone(run) });
        }
        let before = self.state_of(run)?.filter(|token| token.folder().is_end() && token.generation < generation);
        if let Some(token) = before {
            // The old request is not meant for the new attempt.
            files::remove(&self.run_dir(run).join("cancel"))?;
            // Lost: somebody else has done it.
            let (Moved::Won | Moved::Lost) = self.shift(&token, &queued)?;
        }
        Ok(origin)
    }

    pub(super) fn link(&self, id: &str, run: u64, generation: u32) -> Result<bool> {
        let (text, path) = (format!("{run}.{generation}"), self.origin_path(id)?);
        let made = files::symlink(Path::new(&text), &path);
        // Made, and only the answer was lost.
        let is_ours = || std::fs::read_link(&path).is_ok_and(|there| there.as_os_str() == text.as_str());
        if matches!(made, Ok(true)) || is_ours() { Ok(true) } else { made }
    }

    pub(super) fn make_origins(&self) -> Result<()> {
        if files::make_dir(&self.origins())? { files::sync_dir(self.dir()) } else { Ok(()) }
    }

    /// The folder of the links.
    pub(super) fn origins(&self) -> PathBuf {
        self.dir().join(ORIGINS)
    }

    fn origin_path(&self, id: &str) -> Result<PathBuf> {
        if is_id(id) {
            return Ok(self.origins().join(id));
        }
        Err(Error::other(format!("'{id}' is not the id of a run")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::state::How;

    fn given(id: &str, former: Option<&str>) -> Given {
        Given { id: id.into(), former: former.map(String::from), job: Job::new(&["true".into()], Path::new("/")) }
    }

    #[test]
    fn what_is_asked_twice_is_added_once() {
        let dir = std::env::temp_dir().join(format!("nn-origin-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let spool = Spool::init(&dir, false).unwrap();
        let runs = |given: &[Given]| spool.add_once(given, b"A=1\0").unwrap();
        assert_eq!(spool.origin("a").unwrap(), None);
        let first = runs(&[given("a", None), given("b", None)]);
        assert_eq!(first, [Origin::Run(1, 1), Origin::Run(2, 1)]);
        assert_eq!(
            runs(&[given("b", None), given("c", None), given("a", None)]),
            [Origin::Run(2, 1), Origin::Run(3, 1), Origin::Run(1, 1)]
        );
        assert_eq!(spool.states(&Folder::ALL).unwrap().len(), 3);
        // It has begun meanwhile, and is asked for once more: no second token.
        let token = spool.state_of(1).unwrap().unwrap();
        spool.shift(&token, &token.to(State::Failed(How::Exit(1)))).unwrap();
        assert_eq!(runs(&[given("a", None)]), [Origin::Run(1, 1)]);
        assert_eq!(spool.state_of(1).unwrap().unwrap().state, State::Failed(How::Exit(1)));
        // A crash before the token was moved.
        let token = spool.state_of(2).unwrap().unwrap();
        std::fs::rename(dir.join(token.path()), spool.run_dir(2).join(UNBORN)).unwrap();
        assert_eq!(runs(&[given("b", None)]), [Origin::Run(2, 1)]);
        assert_eq!(spool.state_of(2).unwrap(), Some(token));
        // The same run again, under a new id, as often as it is asked for.
        for _ in 0..2 {
            assert_eq!(runs(&[given("a2", Some("a"))]), [Origin::Run(1, 2)]);
            assert_eq!(spool.state_of(1).unwrap().unwrap().to_owned().generation, 2);
        }
        // Taken back before it came: it never will be.
        assert_eq!(spool.refuse("d").unwrap(), Origin::Refused);
        assert_eq!(runs(&[given("d", None)]), [Origin::Refused]);
        assert_eq!(spool.refuse("c").unwrap(), Origin::Run(3, 1));
        files::remove_tree(&spool.run_dir(3)).unwrap();
        assert_eq!(runs(&[given("c", None)]), [Origin::Gone(3)]);
        assert!(spool.add_once(&[given("../x", None)], b"").is_err() && spool.origin("").is_err());
        assert_eq!(spool.states(&Folder::ALL).unwrap().len(), 3);
        std::fs::remove_dir_all(dir).unwrap();
    }
}
