//! What the words of a command tell about its code: which files it names that are not frozen, or would not be found from
//! the copy. A word is a path if something is there; `--data=x` and `data=x` count as `x`, and the text of `sh -c` is cut
//! at blanks and what a shell cuts at.

use nn::base::cli;
use nn::base::error::{Error, Result};
use nn::spool::snapshot::{Snapshot, plain};
use std::collections::{BTreeSet, HashSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Most words that are looked at: a sweep varies numbers, not files.
const MOST: usize = 2000;
/// Longest word that may be a path.
const LONGEST: usize = 4096;
/// Names that are told in one line.
const NAMED: usize = 5;

/// What was noticed.
#[derive(Default)]
pub struct Words {
    looked_at: HashSet<(PathBuf, OsString)>,
    /// The first directory whose code is not frozen, why, and a file there
    live: Option<(PathBuf, &'static str, OsString)>,
    more_live: BTreeSet<PathBuf>,
    missing: BTreeSet<PathBuf>,
    outside: BTreeSet<PathBuf>,
    absolute: BTreeSet<PathBuf>,
}

impl Words {
    /// Whether a word was not looked at before.
    fn is_new(&mut self, dir: &Path, word: &OsStr) -> bool {
        self.looked_at.len() < MOST
            && word.len() <= LONGEST
            && self.looked_at.insert((dir.to_path_buf(), word.to_os_string()))
    }

    /// A job that runs in place: is there a file that somebody may edit before it starts?
    pub fn live(&mut self, cwd: &Path, why: &'static str, argv: &[OsString]) {
        for word in argv {
            if !self.is_new(cwd, word) {
                continue;
            }
            let cut = |b: &u8| b.is_ascii_whitespace() || b";|&<>()'\"=".contains(b);
            let pieces = std::iter::once(word.as_bytes()).chain(word.as_bytes().split(cut));
            let file = pieces.map(OsStr::from_bytes).find(|piece| is_code(cwd, piece));
            let Some(file) = file else { continue };
            if self.live.is_none() {
                self.live = Some((cwd.to_path_buf(), why, file.to_os_string()));
            } else {
                self.more_live.insert(cwd.to_path_buf());
            }
        }
    }

    /// A job that runs in a snapshot.
    ///
    /// # Errors
    /// Its program is there, and not in the snapshot.
    pub fn frozen(
        &mut self,
        argv: &[OsString],
        top: &Path,
        dir: &Path,
        links: &[PathBuf],
        snapshot: &Snapshot,
    ) -> Result<()> {
        let cwd = top.join(dir);
        for (i, word) in argv.iter().enumerate() {
            let is_program = i == 0;
            if is_program && !word.as_bytes().contains(&b'/') || !self.is_new(&cwd, word) {
                continue;
            }
            let value = word.as_bytes().iter().position(|b| *b == b'=').map(|at| &word.as_bytes()[at + 1..]);
            let whole = Some(word.as_bytes()).filter(|word| !word.starts_with(b"-"));
            for text in [whole, value.filter(|_| !is_program)].into_iter().flatten().filter(|text| !text.is_empty()) {
                let named = Path::new(OsStr::from_bytes(text));
                let path = plain(&cwd.join(named));
                if std::fs::symlink_metadata(&path).is_err() {
                    continue;
                }
                let below = path.strip_prefix(top).ok();
                let reached = below.is_none_or(|below| links.iter().any(|link| below.starts_with(link)));
                let held = below.is_some_and(|below| snapshot.holds(below));
                if named.is_absolute() {
                    if held && path.is_file() {
                        self.absolute.insert(named.to_path_buf());
                    }
                } else if below.is_none() || !held && !reached {
                    if is_program {
                        return Err(not_there(named, below.is_some()));
                    }
                    let set = if below.is_some() { &mut self.missing } else { &mut self.outside };
                    set.insert(named.to_path_buf());
                }
            }
        }
        Ok(())
    }

    /// Tells what was noticed, a line each.
    pub fn tell(&self) {
        if let Some((dir, why, file)) = &self.live {
            let more = match self.more_live.iter().filter(|other| *other != dir).count() {
                0 => String::new(),
                n => format!("; nor that in {n} more directories"),
            };
            let file = file.to_string_lossy();
            let edits = format!("what is changed in {file} before a run starts, it sees");
            cli::warn(&format!("the code in {} is not frozen: {why} ({edits}){more}", dir.display()));
        }
        let told = [
            (
                &self.missing,
                "not in the snapshot, for git ignores it or nothing is in it",
                "--link reaches it in the work tree",
            ),
            (&self.outside, "outside of the work tree, and not found from the copy", "give its absolute path"),
            (&self.absolute, "not frozen, being named by an absolute path", "name it from the directory of the run"),
        ];
        for (set, what, advice) in told {
            if !set.is_empty() {
                let mut names: Vec<String> = set.iter().take(NAMED).map(|path| path.display().to_string()).collect();
                if set.len() > NAMED {
                    names.push(format!("and {} more", set.len() - NAMED));
                }
                cli::warn(&format!("{}: {what} ({advice})", names.join(", ")));
            }
        }
    }
}

/// Whether a word names a file that somebody may edit.
fn is_code(cwd: &Path, word: &OsStr) -> bool {
    !word.is_empty() && std::fs::metadata(cwd.join(word)).is_ok_and(|meta| meta.is_file()) && !is_of_system(word)
}

/// A program of the system is nobody's code.
fn is_of_system(word: &OsStr) -> bool {
    ["/usr", "/bin", "/sbin", "/opt", "/lib", "/lib64", "/dev", "/proc", "/sys", "/etc", "/nix"]
        .iter()
        .any(|dir| Path::new(word).starts_with(dir))
}

fn not_there(program: &Path, inside: bool) -> Error {
    let what = match inside {
        true => "is ignored by git, so it is not in the snapshot: --link PATH reaches it in the work tree",
        false => "lies outside of the work tree and is not found from the copy: give its absolute path",
    };
    Error::other(format!("{} {what} (--live runs in place)", program.display()))
}
