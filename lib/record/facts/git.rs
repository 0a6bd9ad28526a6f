//! The code: commit, branch, uncommitted change, untracked files, from git(1) itself, asked twice at the same time
//! (status and diff). Outside a work tree no process is started. Asking must not write into the repository, nor leave a
//! daemon behind.

use crate::base::json::Value;
use crate::base::text::escape_bytes;
use crate::record::ask::{Answer, Asked};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

mod list;

pub use list::{Files, Found, files, find};

/// Largest change that is kept, bytes.
const MOST_PATCH: u64 = 10 << 20;
/// Most output of status that is read, bytes.
const MOST_STATUS: u64 = 4 << 20;
/// Most names of untracked files that are kept.
const MOST_NAMES: usize = 1000;

/// git being asked.
#[derive(Debug)]
pub struct Taking {
    status: Asked,
    diff: Asked,
}

/// Begins to ask about the work tree that holds a directory, with the environment of the run whose code it is: its git is
/// asked, by its settings. None: there is no work tree.
pub fn begin(dir: &Path, env: &[(OsString, OsString)]) -> Option<Taking> {
    work_tree(dir)?;
    let program = program(env);
    let ask = |args: &[&str], most| Asked::begin(git_of(&program, dir, args, env.iter().cloned()), most);
    let status = ask(&["status", "--porcelain=v2", "--branch", "-z", "--untracked-files=normal"], MOST_STATUS);
    let diff = ask(&["diff", "HEAD", "--binary", "--no-ext-diff", "--no-textconv", "--no-color"], MOST_PATCH);
    Some(Taking { status, diff })
}

/// git in a directory: it finds the repository by itself, whatever the caller's variables say (in a hook they name another
/// one), changes nothing, not even what it remembers of file times, and starts no file system monitor.
fn git(dir: &Path, args: &[&str]) -> Command {
    git_of(Path::new("git"), dir, args, std::env::vars_os())
}

fn git_of(program: &Path, dir: &Path, args: &[&str], env: impl Iterator<Item = (OsString, OsString)>) -> Command {
    let mut command = Command::new(program);
    command.arg("-C").arg(dir).args(["-c", "core.fsmonitor=false", "-c", "core.quotepath=false"]);
    command.args(["-c", "diff.autoRefreshIndex=false"]).args(args);
    let elsewhere = |name: &OsString| {
        let name = name.to_string_lossy();
        let kept = name.starts_with("GIT_CONFIG") || name == "GIT_EXEC_PATH" || name == "GIT_CEILING_DIRECTORIES";
        name.starts_with("GIT_") && !kept
    };
    command.env_clear().envs(env.filter(|(name, _)| !elsewhere(name)));
    command.env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C");
    command
}

/// The git in the PATH of an environment. (Found here: by its name alone it would have to be forked, and not spawned.)
fn program(env: &[(OsString, OsString)]) -> PathBuf {
    let path = env.iter().rev().find(|(name, _)| name == "PATH").map(|(_, path)| path.clone()).unwrap_or_default();
    let found =
        std::env::split_paths(&path).map(|dir| dir.join("git")).find(|path| path.is_absolute() && path.is_file());
    found.unwrap_or_else(|| PathBuf::from("git"))
}

impl Taking {
    /// Waits at most so long; whether git has answered.
    pub fn wait(&mut self, limit: Duration) -> bool {
        let begun = Instant::now();
        self.status.wait(limit) && self.diff.wait(limit.saturating_sub(begun.elapsed()))
    }

    /// Whether git has answered.
    pub fn is_finished(&mut self) -> bool {
        self.wait(Duration::ZERO)
    }

    /// What was found, and the change as a patch. `late`: the command was started before git had answered.
    pub fn finish(self, late: bool) -> (Value, Option<Vec<u8>>) {
        let mut facts = Value::Map(Vec::new());
        match self.status.take() {
            None => facts.set("error", "git did not answer in time"),
            Some(answer) if answer.code != Some(0) => facts.set("error", answer.words),
            Some(answer) => read_status(&answer, &mut facts),
        }
        let patch = self.diff.take().filter(|answer| answer.code == Some(0) || answer.cut);
        if let Some(Answer { out, cut, .. }) = &patch
            && !out.is_empty()
        {
            let what = if *cut { "larger than 10 MiB, the rest is missing" } else { "code.patch" };
            facts.set("patch", what);
        }
        if late {
            facts.set("late", true);
        }
        (facts, patch.map(|answer| answer.out))
    }
}

/// `git status --porcelain=v2 --branch -z`: entries ended by NUL; a rename is followed by a second name.
fn read_status(answer: &Answer, facts: &mut Value) {
    let mut entries = answer.out.split(|b| *b == 0).filter(|entry| !entry.is_empty());
    let (mut changed, mut untracked, mut more) = (0i64, Vec::new(), 0i64);
    while let Some(entry) = entries.next() {
        let text = String::from_utf8_lossy(entry);
        if let Some(commit) = text.strip_prefix("# branch.oid ") {
            facts.set("commit", if commit == "(initial)" { Value::Null } else { commit.into() });
        } else if let Some(branch) = text.strip_prefix("# branch.head ") {
            facts.set("branch", branch);
        } else if let Some(name) = entry.strip_prefix(b"? ") {
            if untracked.len() < MOST_NAMES { untracked.push(escape_bytes(name)) } else { more += 1 }
        } else if !entry.starts_with(b"#") {
            changed += 1;
            if entry.starts_with(b"2 ") {
                entries.next();
            }
        }
    }
    facts.set("dirty", changed > 0);
    if changed > 0 {
        facts.set("changed", changed);
    }
    if !untracked.is_empty() {
        facts.set("untracked", untracked);
    }
    if more > 0 || answer.cut {
        facts.set("more_untracked", more);
    }
}

/// The `.git` of the work tree that holds a directory.
fn work_tree(dir: &Path) -> Option<PathBuf> {
    dir.ancestors().map(|dir| dir.join(".git")).find(|git| git.exists())
}

/// The commit HEAD stands at, read by hand: gitrepository-layout(5), without a process.
pub fn head(dir: &Path) -> Option<String> {
    let dot_git = work_tree(dir)?;
    let git = match std::fs::read_to_string(&dot_git) {
        // A linked work tree or submodule.
        Ok(text) => dot_git.parent()?.join(text.strip_prefix("gitdir:")?.trim()),
        Err(_) => dot_git,
    };
    let head = std::fs::read_to_string(git.join("HEAD")).ok()?;
    let Some(name) = head.trim().strip_prefix("ref:").map(str::trim) else { return is_commit(head.trim()) };
    let common = match std::fs::read_to_string(git.join("commondir")) {
        Ok(common) => git.join(common.trim()),
        Err(_) => git.clone(),
    };
    for place in [&git, &common] {
        if let Ok(commit) = std::fs::read_to_string(place.join(name)) {
            return is_commit(commit.trim());
        }
    }
    let packed = std::fs::read_to_string(common.join("packed-refs")).ok()?;
    packed.lines().find_map(|line| line.strip_suffix(name)?.strip_suffix(' ').and_then(is_commit))
}

fn is_commit(text: &str) -> Option<String> {
    (matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())).then(|| text.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(dir: &Path, args: &[&str]) -> bool {
        let mut command = Command::new("git");
        command.arg("-C").arg(dir).args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]);
        command.args(args).output().is_ok_and(|out| out.status.success())
    }

    fn facts_of(dir: &Path) -> (Value, Option<Vec<u8>>) {
        let mut taking = begin(dir, &std::env::vars_os().collect::<Vec<_>>()).unwrap();
        assert!(taking.wait(Duration::from_secs(60)));
        taking.finish(false)
    }

    #[test]
    fn a_real_repository() {
        let dir = std::env::temp_dir().join(format!("nn-git-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(dir.join("sub")).unwrap();
        if !git(&dir, &["init", "-q"]) {
            return;
        }
        // Nothing committed yet.
        assert_eq!(facts_of(&dir).0.get("commit"), Some(&Value::Null));
        assert_eq!(head(&dir), None);
        std::fs::write(dir.join("a.py"), "x = 1\n").unwrap();
        assert!(git(&dir, &["add", "-A"]) && git(&dir, &["commit", "-qm", "one"]));
        let (clean, patch) = facts_of(&dir.join("sub"));
        assert_eq!(clean.get("dirty"), Some(&Value::Bool(false)));
        assert_eq!(clean.str("branch"), Some("main"));
        assert_eq!(clean.str("commit").map(String::from), head(&dir.join("sub")));
        assert_eq!(patch, Some(Vec::new()));
        std::fs::write(dir.join("a.py"), "x = 2\n").unwrap();
        std::fs::write(dir.join("new\nname"), "").unwrap();
        let (dirty, patch) = facts_of(&dir);
        assert_eq!(dirty.get("dirty"), Some(&Value::Bool(true)));
        assert_eq!(dirty.list("untracked").unwrap(), [Value::from("new\\nname")]);
        assert!(String::from_utf8(patch.unwrap()).unwrap().contains("+x = 2"));
        // A file whose time alone has changed makes git diff want to note that.
        std::fs::File::open(dir.join("a.py")).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
        let index = std::fs::read(dir.join(".git/index")).unwrap();
        facts_of(&dir);
        assert!(std::fs::read(dir.join(".git/index")).unwrap() == index, "the index was written");
        // Packed references and a linked work tree.
        let linked = dir.join("linked");
        assert!(git(&dir, &["pack-refs", "--all"]) && git(&dir, &["worktree", "add", "-q", "linked"]));
        assert_eq!(head(&linked), head(&dir));
        assert!(head(&dir).is_some());
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn outside() {
        assert!(begin(Path::new("/proc"), &[]).is_none());
        assert_eq!(head(Path::new("/proc")), None);
    }
}
