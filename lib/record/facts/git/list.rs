//! Which files make up a work tree: what is tracked, and what is new and not ignored, as git lists them. Submodules and
//! other work trees inside are asked in turn; git itself lists only that they are there.

use super::{git, work_tree};
use crate::record::ask::{Answer, Asked};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The longest that git may take to find a work tree.
const FIND_LIMIT: Duration = Duration::from_secs(20);
/// The longest that git may take to list one.
const LIST_LIMIT: Duration = Duration::from_secs(60);
/// Most bytes of names.
const MOST_LIST: u64 = 64 << 20;
/// Work trees inside each other.
const DEEPEST: usize = 16;

/// Whether a directory is in a work tree.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// It is in none
    Nowhere,
    /// It is in one, and there is no git to ask
    NoGit,
    /// The top of the work tree
    Tree(PathBuf),
    /// git cannot tell; why
    Unknown(String),
}

/// The files of a work tree, by their paths below its top.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// In the index
    pub tracked: Vec<Vec<u8>>,
    /// New, and not ignored
    pub new: Vec<Vec<u8>>,
}

/// Finds the work tree that holds a directory, which must be free of links. Outside of one no process is started.
pub fn find(dir: &Path) -> Found {
    let Some(dot_git) = work_tree(dir) else { return Found::Nowhere };
    // Inside of .git there is no work.
    if dir.ancestors().any(|dir| dir == dot_git) {
        return Found::Nowhere;
    }
    let asked = Asked::begin(git(dir, &["rev-parse", "--show-toplevel"]), 1 << 16);
    match answer(asked, FIND_LIMIT) {
        Ok(out) => {
            let top = PathBuf::from(OsStr::from_bytes(out.strip_suffix(b"\n").unwrap_or(&out)));
            // A .git that is none: the answer is about a work tree further up.
            if top.is_absolute() && dir.starts_with(&top) { Found::Tree(top) } else { Found::Nowhere }
        }
        Err(Refusal { missing: true, .. }) => Found::NoGit,
        // Not even up to where it may look.
        Err(Refusal { words, .. }) if words.starts_with("not a git repository (or any") => Found::Nowhere,
        Err(Refusal { words, .. }) if words.contains("must be run in a work tree") => Found::Nowhere,
        Err(Refusal { words, .. }) => Found::Unknown(words),
    }
}

/// Lists the files of the work tree with this top.
///
/// # Errors
/// What git says, or that it did not answer.
pub fn files(top: &Path) -> Result<Files, String> {
    let mut files = Files::default();
    add(&mut files, top, &[], 0)?;
    Ok(files)
}

fn add(files: &mut Files, top: &Path, prefix: &[u8], depth: usize) -> Result<(), String> {
    let ask = |args: &[&str]| Asked::begin(git(top, args), MOST_LIST);
    let tracked = ask(&["ls-files", "-z", "--stage"]);
    let new = ask(&["ls-files", "-z", "--others", "--exclude-standard"]);
    let tracked = answer(tracked, LIST_LIMIT).map_err(|refusal| refusal.words)?;
    let new = answer(new, LIST_LIMIT).map_err(|refusal| refusal.words)?;
    let whole = |name: &[u8]| [prefix, name].concat();
    let mut inside = Vec::new();
    for entry in tracked.split(|b| *b == 0).filter(|entry| !entry.is_empty()) {
        // `100644 HASH 0<TAB>NAME`
        let Some(tab) = entry.iter().position(|b| *b == b'\t') else { continue };
        let name = entry.get(tab + 1..).unwrap_or_default();
        if entry.starts_with(b"160000 ") { inside.push(name.to_vec()) } else { files.tracked.push(whole(name)) }
    }
    for name in new.split(|b| *b == 0).filter(|name| !name.is_empty()) {
        match name.strip_suffix(b"/") {
            Some(dir) => inside.push(dir.to_vec()),
            None => files.new.push(whole(name)),
        }
    }
    for name in inside {
        let dir = top.join(OsStr::from_bytes(&name));
        // A submodule that was not fetched is an empty directory.
        if depth < DEEPEST && dir.join(".git").exists() {
            add(files, &dir, &[prefix, &name, b"/"].concat(), depth + 1)?;
        }
    }
    Ok(())
}

struct Refusal {
    /// There is no git
    missing: bool,
    words: String,
}

fn answer(mut asked: Asked, limit: Duration) -> Result<Vec<u8>, Refusal> {
    asked.wait(limit);
    let refusal =
        |words: &str| Refusal { missing: false, words: words.strip_prefix("fatal: ").unwrap_or(words).into() };
    match asked.take() {
        None => Err(refusal(&format!("git did not answer within {} s", limit.as_secs()))),
        Some(Answer { cut: true, .. }) => Err(refusal("git lists too many files")),
        Some(Answer { code: Some(0), out, .. }) => Ok(out),
        Some(Answer { code: None, words, .. }) if words.is_empty() => Err(refusal("git was killed")),
        Some(Answer { code: None, words, .. }) => Err(Refusal {
            missing: words == "No such file or directory",
            ..refusal(&format!("cannot run git: {words}"))
        }),
        Some(Answer { words, .. }) => Err(refusal(&words)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(dir: &Path, args: &[&str]) -> bool {
        let config = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always"];
        git(dir, &[]).args(config).args(args).output().is_ok_and(|out| out.status.success())
    }

    #[test]
    fn tracked_new_and_inside() {
        let dir = std::env::temp_dir().join(format!("nn-list-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(dir.join("lib/sub")).unwrap();
        std::fs::create_dir_all(dir.join("top/deep")).unwrap();
        let dir = dir.canonicalize().unwrap();
        let (lib, top) = (dir.join("lib"), dir.join("top"));
        if !run(&lib, &["init", "-q"]) {
            return;
        }
        std::fs::write(lib.join("sub/a"), "a").unwrap();
        assert!(run(&lib, &["add", "."]) && run(&lib, &["commit", "-qm", "one"]) && run(&top, &["init", "-q"]));
        assert!(run(&top, &["submodule", "add", "-q", &lib.to_string_lossy(), "module"]));
        std::fs::write(top.join("module/new"), "").unwrap();
        std::fs::write(top.join("deep/b\nc"), "").unwrap();
        std::fs::write(top.join(".gitignore"), "ignored\n").unwrap();
        std::fs::write(top.join("ignored"), "").unwrap();
        assert!(run(&top, &["add", ".gitignore"]) && run(&dir, &["init", "-q", "top/deep/inner"]));
        std::fs::write(top.join("deep/inner/d"), "").unwrap();
        let mut files = files(&top).unwrap();
        files.tracked.sort();
        files.new.sort();
        let text =
            |list: &[Vec<u8>]| list.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect::<Vec<_>>();
        assert_eq!(text(&files.tracked), [".gitignore", ".gitmodules", "module/sub/a"]);
        assert_eq!(text(&files.new), ["deep/b\nc", "deep/inner/d", "module/new"]);
        assert_eq!(find(&top.join("deep")), Found::Tree(top.clone()));
        assert_eq!(find(&top.join("module/sub")), Found::Tree(top.join("module")));
        assert_eq!(find(&top.join(".git/hooks")), Found::Nowhere);
        assert_eq!(find(&dir), Found::Nowhere);
        // A bare repository has no work tree; a broken one is not passed over.
        assert!(run(&dir, &["init", "-q", "--bare", "bare.git"]));
        assert_eq!(find(&dir.join("bare.git")), Found::Nowhere);
        std::fs::write(top.join(".git/config"), "[core").unwrap();
        assert!(matches!(find(&top), Found::Unknown(why) if why.contains("config")));
        std::fs::remove_dir_all(dir).unwrap();
    }
}
