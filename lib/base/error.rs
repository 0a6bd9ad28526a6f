//! One error type for all tools, with variants by what the person must do about it.
//!
//! `Display` is the sentence the person reads, without the program's name (base/cli adds it): lower case, "cannot VERB
//! PATH: reason", no full stop, no "(os error 2)", control characters escaped, always one line.

use super::text::escape;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What went wrong, see the module.
#[derive(Debug)]
pub enum Error {
    /// The command line is wrong: nothing was touched.
    Usage(String),
    /// The system refused an operation on a path.
    Io {
        /// The verb, as in "cannot VERB PATH".
        doing: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// The system's reason.
        err: io::Error,
    },
    /// A file holds something else than it should.
    Data {
        /// The file.
        path: PathBuf,
        /// The line, from 1; 0 when there is none to name.
        line: usize,
        /// What was expected, or what is wrong.
        what: String,
    },
    /// Standard output cannot be written.
    Stdout(io::Error),
    /// It could not be done now: try again (exit status 75).
    Again(String),
    /// Anything else, as a whole sentence.
    Other(String),
    /// `--help` was asked for.
    Help,
    /// `--version` was asked for.
    Version,
}

/// What every fallible function here returns.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A mistake on the command line.
    pub fn usage(what: impl Into<String>) -> Error {
        Error::Usage(what.into())
    }

    /// Anything else, as a whole sentence.
    pub fn other(what: impl Into<String>) -> Error {
        Error::Other(what.into())
    }

    /// Wrong contents of `path` at `line` (0: none to name).
    pub fn data(path: impl AsRef<Path>, line: usize, what: impl Into<String>) -> Error {
        Error::Data { path: path.as_ref().to_path_buf(), line, what: what.into() }
    }

    /// The system's reason, where there is one.
    pub fn io(&self) -> Option<&io::Error> {
        match self {
            Error::Io { err, .. } | Error::Stdout(err) => Some(err),
            _ => None,
        }
    }
}

/// The system's reason as people know it: without Rust's "(os error N)".
pub fn reason(err: &io::Error) -> String {
    let text = err.to_string();
    match text.rfind(" (os error ") {
        Some(at) => text[..at].to_string(),
        None => text,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Error::Usage(what) | Error::Other(what) | Error::Again(what) => f.write_str(&escape(what)),
            Error::Io { doing, path, err } => {
                write!(f, "cannot {doing} {}: {}", escape(&path.to_string_lossy()), escape(&reason(err)))
            }
            Error::Data { path, line: 0, what } => write!(f, "{}: {}", escape(&path.to_string_lossy()), escape(what)),
            Error::Data { path, line, what } => {
                write!(f, "{}:{line}: {}", escape(&path.to_string_lossy()), escape(what))
            }
            Error::Stdout(err) => write!(f, "cannot write standard output: {}", reason(err)),
            Error::Help => f.write_str("help"),
            Error::Version => f.write_str("version"),
        }
    }
}

/// Gives an `io::Error` the verb and the path it lacks.
pub trait Doing<T> {
    /// `fs::read(&p).doing("read", &p)?` says "cannot read P: reason".
    fn doing(self, verb: &'static str, path: impl AsRef<Path>) -> Result<T>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, verb: &'static str, path: impl AsRef<Path>) -> Result<T> {
        self.map_err(|err| Error::Io { doing: verb, path: path.as_ref().to_path_buf(), err })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences() {
        let err = std::fs::read("/no/such\nfile").doing("read", "/no/such\nfile").unwrap_err();
        assert_eq!(err.to_string(), "cannot read /no/such\\nfile: No such file or directory");
        assert_eq!(Error::data("a.conf", 7, "unknown key 'x'").to_string(), "a.conf:7: unknown key 'x'");
        assert_eq!(Error::data("a.conf", 0, "empty").to_string(), "a.conf: empty");
    }
}
