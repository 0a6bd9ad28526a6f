//! The interpreter, when the command is python: its version and the packages it would find. It is run once, in the
//! command's own directory and environment, to say its version and path; the packages are then read off the names of
//! `*.dist-info` and `*.egg-info` folders, which costs nothing beside asking pip.

use crate::base::json::{self, Value};
use crate::base::text::escape;
use crate::record::ask::Asked;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;

const PROGRAM: &str = "import sys
print(sys.version.split()[0])
print(sys.executable)
for p in sys.path: print(p)";
/// Most output read, bytes.
const MOST: u64 = 1 << 18;
/// Most packages kept.
const MOST_PACKAGES: usize = 2000;

/// Asks the interpreter, if the command is one.
pub fn ask(argv: &[OsString], cwd: &Path, env: &[(OsString, OsString)]) -> Option<Asked> {
    let name = argv.first()?;
    let stem = Path::new(name).file_name()?.to_str()?;
    let is_python = stem.strip_prefix("python").or_else(|| stem.strip_prefix("pypy"))?;
    is_python.bytes().all(|b| b.is_ascii_digit() || b == b'.').then_some(())?;
    let mut command = Command::new(name);
    command.args(["-c", PROGRAM]).current_dir(cwd).env_clear().envs(env.iter().map(|(k, v)| (k, v)));
    Some(Asked::begin(command, MOST))
}

/// What it answered.
pub fn answer(asked: Asked) -> Value {
    let Some(answer) = asked.take() else {
        return json::map([("error", "the interpreter did not answer in time".into())]);
    };
    if answer.code != Some(0) {
        return json::map([("error", answer.words.into())]);
    }
    let text = String::from_utf8_lossy(&answer.out).into_owned();
    let mut lines = text.lines();
    let (version, program) = (lines.next(), lines.next());
    let mut packages: Vec<String> =
        lines.filter(|dir| !dir.is_empty()).flat_map(|dir| packages(Path::new(dir))).collect();
    packages.sort_unstable();
    packages.dedup();
    packages.truncate(MOST_PACKAGES);
    json::map([("version", version.into()), ("program", program.into()), ("packages", packages.into())])
}

fn packages(dir: &Path) -> Vec<String> {
    let names = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.filter_map(|name| package(&name)).collect()
}

/// `numpy-1.26.4.dist-info` -> `numpy==1.26.4`.
fn package(name: &OsStr) -> Option<String> {
    let name = name.to_str()?;
    let stem = name.strip_suffix(".dist-info").or_else(|| name.strip_suffix(".egg-info"))?;
    let (package, version) = stem.split_once('-')?;
    let version = version.split("-py").next().unwrap_or(version);
    Some(escape(&format!("{package}=={version}")).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_folders() {
        let of = |name: &str| package(OsStr::new(name));
        assert_eq!(of("numpy-1.26.4.dist-info").as_deref(), Some("numpy==1.26.4"));
        assert_eq!(of("six-1.16.0-py3.11.egg-info").as_deref(), Some("six==1.16.0"));
        assert_eq!(of("numpy"), None);
    }

    #[test]
    fn only_interpreters_are_asked() {
        for (name, asked) in [("python-config", false), ("true", false), ("/x/pythonic", false)] {
            assert_eq!(ask(&[name.into()], Path::new("/"), &[]).is_some(), asked, "{name}");
        }
    }
}
