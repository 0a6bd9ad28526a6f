//! A command as a profiler wants it: job member `profile`.
//!
//! `python` puts cProfile between the interpreter's own options and the script; `theano` adds to THEANO_FLAGS; `perf` and any other words go before the command, with `{out}` replaced by the file. What comes of it is named by the
//! attempt and the kind, in runs/N/profile/, and the name tells how it is read.

use super::job::shell_word;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// `python -m cProfile -o FILE SCRIPT…` that ends as the script does: cProfile by itself makes every sys.exit a success.
const DRIVER: &str = "\
import cProfile, sys
end, run = [], cProfile.Profile.runctx
def runctx(*args):
    try:
        return run(*args)
    except SystemExit as e:
        end.append(e)
        raise
cProfile.Profile.runctx = runctx
sys.argv[:1] = ['cProfile.py', '-o']
cProfile.main()
if end: raise end[0]
";

/// How a command is to be profiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Python's cProfile
    Python,
    /// Theano's own profiler
    Theano,
    /// perf(1)
    Perf,
    /// These words before the command
    Prefix(Vec<String>),
}

/// What to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The words
    pub argv: Vec<OsString>,
    /// A variable to set
    pub env: Option<(&'static str, OsString)>,
    /// What must succeed for the profiler to be there, and what to say if it does not
    pub check: Option<(Vec<OsString>, String)>,
}

impl Profile {
    /// Reads it as people write it.
    ///
    /// # Errors
    /// A sentence without the name of the member.
    pub fn parse(text: &str) -> Result<Profile, String> {
        if text.contains('\0') {
            return Err("there is a NUL in it".into());
        }
        match text.trim() {
            "" => Err("expected python, theano, perf, or the words to put before the command".into()),
            "python" => Ok(Profile::Python),
            "theano" => Ok(Profile::Theano),
            "perf" => Ok(Profile::Perf),
            text => words(text).map(Profile::Prefix),
        }
    }

    /// The file an attempt writes, below the run's directory.
    pub fn file(&self, attempt: i64) -> PathBuf {
        let kind = match self {
            Profile::Python => "pstats".to_string(),
            Profile::Theano => "theano.txt".into(),
            Profile::Perf => "perf.data".into(),
            Profile::Prefix(words) => {
                let program = words.first().map(|word| word.rsplit('/').next().unwrap_or(word)).unwrap_or_default();
                let plain = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' };
                format!("{}.out", program.chars().take(60).map(plain).collect::<String>())
            }
        };
        Path::new("profile").join(format!("{attempt}.{kind}"))
    }

    /// The command that writes a profile to `out`. `theano_flags`: what THEANO_FLAGS is so far.
    ///
    /// # Errors
    /// A sentence: the profiler cannot do this.
    pub fn plan(&self, argv: &[OsString], out: &Path, theano_flags: Option<&OsStr>) -> Result<Plan, String> {
        let mut plan = Plan { argv: argv.to_vec(), env: None, check: None };
        let before = |words: Vec<OsString>| words.into_iter().chain(argv.iter().cloned()).collect();
        match self {
            Profile::Python => return python(argv, out),
            Profile::Theano => plan.env = Some(("THEANO_FLAGS", flags(theano_flags.unwrap_or_default(), out))),
            Profile::Perf => {
                let words = ["perf", "record", "-q", "-g", "-o"].map(OsString::from);
                plan.argv = before(words.into_iter().chain([out.into(), "--".into()]).collect());
            }
            Profile::Prefix(words) => plan.argv = before(words.iter().map(|word| filled(word, out)).collect()),
        }
        Ok(plan)
    }
}

/// How a file in runs/N/profile/ is read: the command for it, if it is none that can simply be looked at.
pub fn reader(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let word = shell_word(&path.to_string_lossy());
    if name.ends_with(".pstats") {
        Some(format!("python3 -m pstats {word}"))
    } else if name.ends_with(".perf.data") {
        Some(format!("perf report -i {word}"))
    } else {
        None
    }
}

/// `{out}` replaced, wherever it stands in a word.
fn filled(word: &str, out: &Path) -> OsString {
    let mut bytes = Vec::new();
    for (i, part) in word.split("{out}").enumerate() {
        if i > 0 {
            bytes.extend_from_slice(out.as_os_str().as_bytes());
        }
        bytes.extend_from_slice(part.as_bytes());
    }
    OsString::from_vec(bytes)
}

/// The flags with profiling, which win over those before them. Where the profile goes is left to flags that say so; a
/// path with a comma would be cut there, and the profile then goes to standard error.
fn flags(before: &OsStr, out: &Path) -> OsString {
    let mut flags = before.to_os_string();
    let add = |flags: &mut OsString, parts: [&OsStr; 2]| {
        if !flags.is_empty() {
            flags.push(",");
        }
        parts.iter().for_each(|part| flags.push(part));
    };
    add(&mut flags, ["profile=True".as_ref(), OsStr::new("")]);
    let has_destination = before.to_string_lossy().contains("profiling.destination");
    if !has_destination && !out.as_os_str().as_bytes().contains(&b',') {
        add(&mut flags, ["profiling.destination=".as_ref(), out.as_os_str()]);
    }
    flags
}

/// `python3 -u train.py -x` -> `python3 -u -c DRIVER OUT train.py -x`.
fn python(argv: &[OsString], out: &Path) -> Result<Plan, String> {
    let name = argv.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = name.rsplit('/').next().unwrap_or_default();
    let version = stem.strip_prefix("python").or_else(|| stem.strip_prefix("pypy"));
    if !version.is_some_and(|version| version.bytes().all(|b| b.is_ascii_digit() || b == b'.')) {
        return Err(format!("profile python: the command must begin with python, not with '{name}'"));
    }
    let (own, rest) = own_options(argv)?;
    let interpreter: Vec<OsString> = argv.get(..1).unwrap_or_default().iter().chain(&own).cloned().collect();
    let mut words = interpreter.clone();
    words.extend(["-c", DRIVER].map(OsString::from));
    words.push(out.into());
    words.extend(rest);
    let check: Vec<OsString> = interpreter.into_iter().chain(["-c".into(), "import cProfile".into()]).collect();
    Ok(Plan { argv: words, env: None, check: Some((check, format!("{name} has no module cProfile"))) })
}

/// The interpreter's own options, and what it runs, a script or `-m MODULE`, with its arguments; python(1).
fn own_options(argv: &[OsString]) -> Result<(Vec<OsString>, Vec<OsString>), String> {
    let no_script = || Err("profile python: there is no script to profile".to_string());
    let mut own = Vec::new();
    let mut rest = argv.iter().skip(1).cloned();
    loop {
        let Some(word) = rest.next() else { return no_script() };
        let Some(text) = word.to_str().filter(|text| text.starts_with('-')) else {
            return Ok((own, [word].into_iter().chain(rest).collect()));
        };
        match text {
            "-" => return no_script(),
            "--" => {
                let rest: Vec<OsString> = rest.collect();
                return if rest.is_empty() { no_script() } else { Ok((own, rest)) };
            }
            "--check-hash-based-pycs" => {
                own.push(word);
                own.extend(rest.next());
                continue;
            }
            _ if text.starts_with("--") => {
                own.push(word);
                continue;
            }
            _ => {}
        }
        let Some(i) = text.find(['c', 'm', 'W', 'X']) else {
            own.push(word);
            continue;
        };
        let (flags, argument) = (text.get(..i).unwrap_or_default(), text.get(i + 1..).unwrap_or_default());
        match text.as_bytes().get(i) {
            Some(b'c') => {
                return Err("profile python: cProfile cannot profile 'python -c': put the code into a file".into());
            }
            Some(b'm') => {
                if flags.len() > 1 {
                    own.push(flags.into());
                }
                let module = if argument.is_empty() { rest.next() } else { Some(argument.into()) };
                let Some(module) = module else { return no_script() };
                return Ok((own, ["-m".into(), module].into_iter().chain(rest).collect()));
            }
            _ => {
                let takes_next = argument.is_empty();
                own.push(word);
                if takes_next {
                    own.extend(rest.next());
                }
            }
        }
    }
}

/// A line as its words: blanks cut, quotes and backslashes hold together, as in a shell and nothing more.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\\', Some('"') | None) => {
                word.get_or_insert_default().push(chars.next().ok_or("'\\' at the end quotes nothing")?);
            }
            (c, Some(_)) => word.get_or_insert_default().push(c),
            ('\'' | '"', None) => {
                word.get_or_insert_default();
                quote = Some(c);
            }
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, None) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err("a quote is not closed".into());
    }
    words.extend(word);
    if words.first().is_none_or(String::is_empty) { Err("the first word is empty".into()) } else { Ok(words) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn os(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    fn plan(profile: &str, line: &str) -> Result<String, String> {
        let plan = Profile::parse(profile)?.plan(&os(line), Path::new("/o"), None)?;
        let text = plan.argv.iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ");
        Ok(text.replace(DRIVER, "DRIVER"))
    }

    #[test]
    fn python_before_the_script() {
        for (line, expected) in [
            ("python train.py -m x", "python -c DRIVER /o train.py -m x"),
            ("/opt/py/bin/python3.11 -uB t.py", "/opt/py/bin/python3.11 -uB -c DRIVER /o t.py"),
            ("python3 -W ignore -X dev -O t.py -c", "python3 -W ignore -X dev -O -c DRIVER /o t.py -c"),
            ("python3 -Wignore -Xdev t.py", "python3 -Wignore -Xdev -c DRIVER /o t.py"),
            ("python3 -m pkg.train -x", "python3 -c DRIVER /o -m pkg.train -x"),
            ("python3 -um pkg.train", "python3 -u -c DRIVER /o -m pkg.train"),
            ("python3 -mpkg a", "python3 -c DRIVER /o -m pkg a"),
            ("python3 --check-hash-based-pycs always t.py", "python3 --check-hash-based-pycs always -c DRIVER /o t.py"),
            ("python3 -uW error t.py", "python3 -uW error -c DRIVER /o t.py"),
        ] {
            assert_eq!(plan("python", line).as_deref(), Ok(expected));
        }
        for (line, part) in [
            ("python3 -c print(1)", "put the code into a file"),
            ("python3 -uc print(1)", "put the code into a file"),
            ("python3", "no script"),
            ("python3 -", "no script"),
            ("python3 -m", "no script"),
            ("sh train.sh", "not with 'sh'"),
            ("python3-config x", "not with"),
        ] {
            let what = plan("python", line).unwrap_err();
            assert!(what.contains(part), "{line}: {what}");
        }
    }

    #[test]
    fn words_before_the_command() {
        assert_eq!(plan("perf", "a b").unwrap(), "perf record -q -g -o /o -- a b");
        assert_eq!(plan("strace -f -o {out}.x '--a b'", "c").unwrap(), "strace -f -o /o.x --a b c");
        let prefix = |text: &str| Profile::parse(text);
        assert_eq!(prefix("a \"b c\" d\\ e ''"), Ok(Profile::Prefix(["a", "b c", "d e", ""].map(String::from).into())));
        for bad in ["", " ", "a 'b", "a \\", "'' b", "a\0b"] {
            assert!(prefix(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn theano_keeps_its_flags() {
        let flags = |before: &str, out: &str| {
            let plan = Profile::Theano.plan(&os("x"), Path::new(out), Some(OsStr::new(before))).unwrap();
            plan.env.unwrap().1.into_string().unwrap()
        };
        assert_eq!(flags("", "/o"), "profile=True,profiling.destination=/o");
        assert_eq!(flags("floatX=float32,profile=False", "/a,b"), "floatX=float32,profile=False,profile=True");
        assert_eq!(flags("profiling.destination=x", "/o"), "profiling.destination=x,profile=True");
    }

    #[test]
    fn files_and_how_they_are_read() {
        let file = |text: &str| Profile::parse(text).unwrap().file(2).to_string_lossy().into_owned();
        assert_eq!(file("python"), "profile/2.pstats");
        assert_eq!(file("/usr/bin/time -v"), "profile/2.time.out");
        assert_eq!(file("./../.. x"), "profile/2.__.out");
        assert_eq!(reader(Path::new("/a b/2.pstats")).as_deref(), Some("python3 -m pstats '/a b/2.pstats'"));
        assert_eq!(reader(Path::new("/a/2.time.out")), None);
    }
}
