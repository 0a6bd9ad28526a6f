//! Runs that go on elsewhere and of which their own host tells, see nn-spool(5), "Reports". Such a run is known by a key:
//! `origins/report_KEY` is the link to its number, made once, so that it is one run however often it is told of. Its token
//! is `submitted/N.G~report,KEY`, which nothing here starts or takes for dead, until it is told how the run ended.

use super::{Origin, Spool, UNBORN};
use crate::base::error::Result;
use crate::base::files::{self, Moved};
use crate::base::hash::is_hex;
use crate::spool::job::Job;
use crate::spool::state::{Folder, REPORT, State, Token};

/// What the links of reported runs begin with.
const PREFIX: &str = "report_";
/// Digits of a key.
const KEY: usize = 32;

/// Whether a text is a key: hexadecimal digits.
pub fn is_key(text: &str) -> bool {
    is_hex(text, KEY)
}

/// The token of a reported run that goes on.
pub fn token(run: u64, generation: u32, key: &str) -> Token {
    Token { run, generation, state: State::Submitted(REPORT.into(), key.into()) }
}

impl Spool {
    /// The run that a key stands for; None: nothing yet.
    ///
    /// # Errors
    /// The link cannot be read, or says something else.
    pub fn reported(&self, key: &str) -> Result<Option<Origin>> {
        let origin = self.origin(&format!("{PREFIX}{key}"))?;
        origin.map(|origin| self.bear(origin, key)).transpose()
    }

    /// How many runs were ever reported, as far as it is known.
    ///
    /// # Errors
    /// The links cannot be listed.
    pub fn count_reported(&self) -> Result<usize> {
        self.make_origins()?;
        let names = files::names(&self.origins())?;
        Ok(names.iter().filter(|name| name.as_encoded_bytes().starts_with(PREFIX.as_bytes())).count())
    }

    /// Adds a reported run, or finds that it was added before; durable once it has returned.
    ///
    /// # Errors
    /// Something cannot be written. It may have been added all the same: ask again.
    pub fn add_reported(&self, key: &str, job: &Job, generation: u32) -> Result<Origin> {
        self.make_origins()?;
        let id = format!("{PREFIX}{key}");
        if self.origin(&id)?.is_none() {
            let mut runs = Vec::with_capacity(1);
            let made = self.add_files(std::slice::from_ref(job), b"", &mut runs).and_then(|()| self.unborn(&runs));
            let linked = made.and_then(|()| runs.first().map_or(Ok(false), |run| self.link(&id, *run, generation)));
            if !matches!(linked, Ok(true)) {
                // Somebody else was quicker, or the disk is full.
                runs.iter().for_each(|run| drop(files::remove_tree(&self.run_dir(*run))));
            }
            linked?;
        }
        files::sync_dir(&self.origins())?;
        let origin = self.origin(&id)?.unwrap_or(Origin::Refused);
        self.bear(origin, key)
    }

    /// Moves the token of an added run to submitted/, if that was not done.
    fn bear(&self, origin: Origin, key: &str) -> Result<Origin> {
        let Origin::Run(run, generation) = origin else { return Ok(origin) };
        let unborn = self.run_dir(run).join(UNBORN);
        if unborn.exists() {
            let (Moved::Won | Moved::Lost) = files::mv(&unborn, &self.dir().join(token(run, generation, key).path()))?;
            files::sync_dir(&self.folder(Folder::Submitted))?;
        }
        Ok(origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_key_is_one_run() {
        let dir = std::env::temp_dir().join(format!("nn-reported-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let spool = Spool::init(&dir, false).unwrap();
        let job = Job::new(&["true".into()], Path::new("/"));
        let key = "0123456789abcdef0123456789abcdef";
        assert!(is_key(key) && !is_key("x") && !is_key(&key.to_uppercase()) && !is_key(&format!("{key}0")));
        assert_eq!(spool.reported(key).unwrap(), None);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert!(matches!(spool.add_reported(key, &job, 2).unwrap(), Origin::Run(_, 2))));
            }
        });
        let tokens = spool.tokens(Folder::Submitted).unwrap();
        assert_eq!(tokens.len(), 1);
        let born = &tokens[0];
        assert_eq!((born.generation, born.reported()), (2, Some(key)));
        assert!(born.is_sound() && *born == token(born.run, 2, key));
        assert_eq!(spool.count_reported().unwrap(), 1);
        // A crash before the token was moved.
        std::fs::rename(dir.join(born.path()), spool.run_dir(born.run).join(UNBORN)).unwrap();
        assert_eq!(spool.reported(key).unwrap(), Some(Origin::Run(born.run, 2)));
        assert_eq!(spool.state_of(born.run).unwrap().as_ref(), Some(born));
        std::fs::remove_dir_all(dir).unwrap();
    }
}
