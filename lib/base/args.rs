//! Command-line arguments, getopt-long style: `-n3 -n 3 --num=3 --num 3 -abc --`.
//!
//! A tool asks `next()` in a loop and matches what comes; an option that takes a value asks `value()` at once. Tools that
//! take a command stop at the first operand with `rest_from`. No abbreviations, no generated help: the usage text is a
//! constant of each tool. `-h --help -V --version` are answered here for all tools, as the errors Help and Version.

use super::error::{Error, Result};
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The arguments not yet read.
#[derive(Debug)]
pub struct Args {
    left: VecDeque<OsString>,
    /// The rest of a group of short options (`-abc` after `a`).
    group: Vec<u8>,
    /// The value given with `--name=value`, until asked for.
    joined: Option<OsString>,
    /// The option just read, as typed, for messages.
    last: String,
    /// `--` was seen: only operands follow.
    operands: bool,
}

/// One thing on the command line.
#[derive(Debug, PartialEq)]
pub enum Arg {
    /// `-x`
    Short(char),
    /// `--name`, without the dashes
    Long(String),
    /// An operand
    Value(OsString),
}

impl Arg {
    /// The error for an option or operand the tool does not know.
    pub fn unexpected(&self) -> Error {
        Error::usage(match self {
            Arg::Short(c) => format!("unknown option '-{c}'"),
            Arg::Long(name) => format!("unknown option '--{name}'"),
            Arg::Value(v) => format!("unexpected argument '{}'", v.to_string_lossy()),
        })
    }
}

impl Args {
    /// Arguments from any source, without the program's name.
    pub fn new(args: impl IntoIterator<Item = OsString>) -> Args {
        Args { left: args.into_iter().collect(), group: Vec::new(), joined: None, last: String::new(), operands: false }
    }

    /// The next option or operand.
    ///
    /// # Errors
    /// A value nobody asked for (`--flag=3`), a name that is no UTF-8; Help and Version when asked for.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Arg>> {
        if self.joined.is_some() {
            return Err(Error::usage(format!("option '{}' takes no value", self.last)));
        }
        if let Some(short) = self.next_of_group()? {
            return self.answer(Arg::Short(short)).map(Some);
        }
        let Some(arg) = self.left.pop_front() else { return Ok(None) };
        let bytes = arg.as_bytes();
        if self.operands || bytes == b"-" || !bytes.starts_with(b"-") {
            return Ok(Some(Arg::Value(arg)));
        }
        if bytes == b"--" {
            self.operands = true;
            return self.next();
        }
        match bytes.strip_prefix(b"--") {
            Some(long) => self.long(long).map(Some),
            None => {
                self.group = bytes.get(1..).unwrap_or_default().to_vec();
                self.next()
            }
        }
    }

    fn next_of_group(&mut self) -> Result<Option<char>> {
        let Some(&first) = self.group.first() else { return Ok(None) };
        if !first.is_ascii_graphic() {
            let shown = String::from_utf8_lossy(&self.group).into_owned();
            return Err(Error::usage(format!("unknown option '-{shown}'")));
        }
        self.group.remove(0);
        self.last = format!("-{}", first as char);
        Ok(Some(first as char))
    }

    fn long(&mut self, bytes: &[u8]) -> Result<Arg> {
        let (name, value) = match bytes.iter().position(|&b| b == b'=') {
            Some(at) => (&bytes[..at], bytes.get(at + 1..)),
            None => (bytes, None),
        };
        let name = String::from_utf8(name.to_vec())
            .map_err(|_| Error::usage(format!("unknown option '--{}'", String::from_utf8_lossy(bytes))))?;
        self.last = format!("--{name}");
        self.joined = value.map(|v| OsStr::from_bytes(v).to_os_string());
        self.answer(Arg::Long(name))
    }

    fn answer(&self, arg: Arg) -> Result<Arg> {
        match arg {
            Arg::Short('h') => Err(Error::Help),
            Arg::Short('V') => Err(Error::Version),
            Arg::Long(ref name) if name == "help" => Err(Error::Help),
            Arg::Long(ref name) if name == "version" => Err(Error::Version),
            arg => Ok(arg),
        }
    }

    /// The value of the option just read, from the same word or the next one.
    ///
    /// # Errors
    /// There is none.
    pub fn value(&mut self) -> Result<OsString> {
        if let Some(value) = self.joined.take() {
            return Ok(value);
        }
        if !self.group.is_empty() {
            return Ok(OsString::from_vec(std::mem::take(&mut self.group)));
        }
        self.left.pop_front().ok_or_else(|| Error::usage(format!("option '{}' needs a value", self.last)))
    }

    /// The value as text.
    ///
    /// # Errors
    /// There is none, or it is not UTF-8.
    pub fn text(&mut self) -> Result<String> {
        let last = self.last.clone();
        self.value()?.into_string().map_err(|v| {
            Error::usage(format!("option '{last}': '{}' is not valid UTF-8", v.to_string_lossy().escape_debug()))
        })
    }

    /// The value as a number or any other type with `FromStr`; `what` names it ("a number").
    ///
    /// # Errors
    /// There is none, or it is something else.
    pub fn parse<T: std::str::FromStr>(&mut self, what: &str) -> Result<T> {
        self.with(what, |text| text.parse().ok())
    }

    /// The value through any reading function; `what` names what it should be ("a duration such as 90s").
    ///
    /// # Errors
    /// There is none, or the function refuses it.
    pub fn with<T>(&mut self, what: &str, read: impl Fn(&str) -> Option<T>) -> Result<T> {
        let text = self.text()?;
        read(&text).ok_or_else(|| Error::usage(format!("option '{}': '{text}' is not {what}", self.last)))
    }

    /// Everything left, as it stands.
    pub fn rest(&mut self) -> Vec<OsString> {
        self.left.drain(..).collect()
    }

    /// Everything left, after the operand just read: the command of a tool that takes one.
    pub fn rest_from(&mut self, first: OsString) -> Vec<OsString> {
        std::iter::once(first).chain(self.left.drain(..)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Args {
        Args::new(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn all_the_ways_to_write_an_option() {
        for line in ["-n3 x", "-n 3 x", "--num=3 x", "--num 3 x"] {
            let mut a = args(line);
            assert!(matches!(a.next(), Ok(Some(Arg::Short('n') | Arg::Long(_)))), "{line}");
            assert_eq!(a.parse::<u32>("a number").unwrap(), 3, "{line}");
            assert_eq!(a.next().unwrap(), Some(Arg::Value("x".into())));
            assert_eq!(a.next().unwrap(), None);
        }
    }

    #[test]
    fn groups_operands_and_rest() {
        let mut a = args("-ab - -- -c");
        assert_eq!(a.next().unwrap(), Some(Arg::Short('a')));
        assert_eq!(a.next().unwrap(), Some(Arg::Short('b')));
        assert_eq!(a.next().unwrap(), Some(Arg::Value("-".into())));
        assert_eq!(a.next().unwrap(), Some(Arg::Value("-c".into())));
        let mut a = args("python -u x");
        let Some(Arg::Value(first)) = a.next().unwrap() else { panic!() };
        assert_eq!(a.rest_from(first).len(), 3);
    }

    #[test]
    fn sentences() {
        let mut a = args("--flag=3 -n");
        a.next().unwrap();
        assert_eq!(a.next().unwrap_err().to_string(), "option '--flag' takes no value");
        let mut a = args("-n");
        a.next().unwrap();
        assert_eq!(a.value().unwrap_err().to_string(), "option '-n' needs a value");
        let mut a = args("-nx");
        a.next().unwrap();
        assert_eq!(a.parse::<u32>("a number").unwrap_err().to_string(), "option '-n': 'x' is not a number");
        assert!(matches!(args("-h").next(), Err(Error::Help)));
        assert!(matches!(args("--version").next(), Err(Error::Version)));
        assert!(matches!(Args::new([OsString::from_vec(vec![b'-', 0xff])]).next(), Err(Error::Usage(_))));
    }
}
