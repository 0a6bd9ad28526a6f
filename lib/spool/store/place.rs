//! Where the spool is and what a spool looks like: finding it, making it, refusing what is none or is not safe.

use crate::base::error::{Doing, Error, Result};
use crate::base::files;
use crate::spool::config::Config;
use crate::spool::job::Job;
use crate::spool::state::Folder;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Format of this spool: the contents of its `version` file.
const VERSION: &str = "1";

/// Folders beside those of the states.
const OTHER_FOLDERS: [&str; 5] = ["runs", "code", "hosts", "batches", "tmp"];

/// An opened spool.
#[derive(Clone, Debug)]
pub struct Spool {
    dir: PathBuf,
}

impl Spool {
    /// Where the spool is: $NN_SPOOL, else `spool` in the person's config, else ~/.nn. True: it is that default.
    ///
    /// # Errors
    /// The config is wrong, or there is no home.
    pub fn place() -> Result<(PathBuf, bool)> {
        if let Some(dir) = Config::of_person()?.get("spool").filter(|dir| !dir.is_empty()) {
            let home = std::env::home_dir().unwrap_or_default();
            let dir = dir.strip_prefix("~/").map_or_else(|| PathBuf::from(&dir), |rest| home.join(rest));
            return Ok((files::absolute(&dir)?, false));
        }
        let home = std::env::home_dir().filter(|h| h.is_absolute());
        home.map(|home| (home.join(".nn"), true))
            .ok_or_else(|| Error::other("no home directory: say with NN_SPOOL where the spool is"))
    }

    /// The spool, wherever it is. The default one is made when there is none; one named by a person is not, for its file
    /// system may just not be mounted.
    ///
    /// # Errors
    /// There is none, it is of another format, or unsafe.
    pub fn find() -> Result<Spool> {
        let (dir, is_default) = Spool::place()?;
        if is_default && !dir.exists() {
            return Spool::init(&dir, false);
        }
        Spool::open(&dir)
    }

    /// Opens the spool in a directory.
    ///
    /// # Errors
    /// There is none, it is of another format, or unsafe: others may write to it, or a folder is a symbolic link.
    pub fn open(dir: &Path) -> Result<Spool> {
        let version = files::read_text_if_any(dir.join("version"))?.ok_or_else(|| {
            let what = if dir.exists() { "is not a spool" } else { "there is no spool here" };
            Error::data(dir, 0, format!("{what} (make one with 'nn-queue init')"))
        })?;
        if version.trim() != VERSION {
            let what = format!("is a spool of version '{}', this is for version {VERSION}", version.trim());
            return Err(Error::data(dir, 0, what));
        }
        let top = std::fs::metadata(dir).doing("read", dir)?;
        if top.mode() & 0o002 != 0 {
            return Err(Error::data(dir, 0, "anybody may write here, so nothing in it can be trusted (chmod o-w)"));
        }
        for name in Folder::ALL.iter().map(|f| f.name()).chain(OTHER_FOLDERS) {
            let path = dir.join(name);
            match std::fs::symlink_metadata(&path) {
                Ok(meta) if meta.is_dir() => {}
                Ok(_) => return Err(Error::data(&path, 0, "is not a directory")),
                // A spool made by hand may lack what it does not need yet.
                Err(err) if err.kind() == std::io::ErrorKind::NotFound => drop(files::make_dir(&path)?),
                Err(err) => return Err(err).doing("read", &path),
            }
        }
        if top.mode() & 0o020 != 0 {
            files::share_with_group();
        }
        Ok(Spool { dir: dir.to_path_buf() })
    }

    /// Makes a spool in a new or empty directory; on one that is a spool already it only mends missing folders.
    ///
    /// # Errors
    /// The directory holds something else, or cannot be made.
    pub fn init(dir: &Path, group: bool) -> Result<Spool> {
        if dir.join("version").exists() {
            return Spool::open(dir);
        }
        std::fs::create_dir_all(dir).doing("make the directory", dir)?;
        if std::fs::read_dir(dir).doing("read", dir)?.next().is_some() {
            return Err(Error::data(dir, 0, "is not empty and not a spool: choose another directory"));
        }
        if group {
            files::share_with_group();
        }
        let mode = if group { 0o2770 } else { 0o700 };
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(mode)).doing("change the mode of", dir)?;
        for name in Folder::ALL.iter().map(|f| f.name()).chain(OTHER_FOLDERS) {
            files::make_dir(&dir.join(name))?;
        }
        // Last: what has a version is whole.
        files::write_durable(dir.join("version"), format!("{VERSION}\n").as_bytes())?;
        Ok(Spool { dir: dir.to_path_buf() })
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The directory of a state.
    pub fn folder(&self, folder: Folder) -> PathBuf {
        self.dir.join(folder.name())
    }

    /// The directory of a run, for ever.
    pub fn run_dir(&self, run: u64) -> PathBuf {
        self.dir.join("runs").join(run.to_string())
    }

    /// What was asked of a run.
    ///
    /// # Errors
    /// There is no such run, or its job.json is damaged.
    pub fn job(&self, run: u64) -> Result<Job> {
        let path = self.run_dir(run).join("job.json");
        match Job::read(&path) {
            Err(err) if err.io().is_some_and(|e| e.kind() == std::io::ErrorKind::NotFound) => {
                Err(Error::other(format!("there is no run {run} in {}", self.dir.display())))
            }
            job => job,
        }
    }

    /// The settings in force here.
    ///
    /// # Errors
    /// A config file is wrong.
    pub fn config(&self) -> Result<Config> {
        Config::load(&self.dir)
    }
}
