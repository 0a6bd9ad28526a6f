//! A report as it goes over HTTP: how far a run is that goes on elsewhere, and the bytes of its files that the server lacks.
//!
//! The body of `POST /api/report` is a line of JSON and after it the bytes of the parts that the line lists, one after the
//! other. A run is known by its key. Files that grow (cluster/ssh/growth) are told of by their whole length, and come in
//! pieces from where the server has them; the others come whole. The server answers how much it has. So whatever is sent
//! twice, or was sent and never answered, changes nothing: see nn-spool(5), "Reports".

use crate::base::json::{self, Value};
use crate::cluster::ssh::growth::{self, Kind};
use crate::spool::state::{Folder, How, State};
use crate::spool::store::report::is_key;

/// Where a server takes reports.
pub const PATH: &str = "/api/report";
/// Most bytes of one request.
pub const MOST: u64 = 64 << 20;
/// Longest first line.
pub const LONGEST_LINE: u64 = 256 << 10;
/// Largest file that comes whole.
pub const LARGEST_WHOLE: u64 = 4 << 20;
/// Most files of a run.
pub const MOST_FILES: usize = 200;
/// What is said of the run itself.
pub const JOB: &str = "job.json";
/// What goes only with the end of a run.
pub const RESULT: &str = "result.json";

/// Bytes of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its name in the directory of the run
    pub name: String,
    /// Where they begin in it
    pub from: u64,
    /// How many they are
    pub size: u64,
}

/// The first line.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Which run it is
    pub key: String,
    /// The host that tells
    pub host: String,
    /// The run's number there
    pub run: u64,
    /// Its generation there
    pub generation: u32,
    /// Where it stands there
    pub folder: Folder,
    /// How it failed
    pub how: Option<How>,
    /// How long each file is that grows
    pub sizes: Vec<(String, u64)>,
    /// What follows
    pub parts: Vec<Part>,
}

/// How a file of a run goes to a server; None: it does not.
pub fn kind(name: &str) -> Option<Kind> {
    match name {
        JOB => Some(Kind::Whole),
        name if name.contains('/') => None,
        name => growth::kind(name),
    }
}

impl Report {
    /// The end of the run; None: it goes on.
    pub fn end(&self) -> Option<State> {
        match (self.folder, self.how) {
            (Folder::Done, _) => Some(State::Done),
            (Folder::Cancelled, _) => Some(State::Cancelled),
            (Folder::Failed, how) => Some(State::Failed(how.unwrap_or(How::Unknown))),
            _ => None,
        }
    }

    /// Bytes after the line.
    pub fn size(&self) -> u64 {
        self.parts.iter().fold(0, |sum, part| sum.saturating_add(part.size))
    }

    /// The line, with its end.
    pub fn line(&self) -> String {
        let part = |part: &Part| {
            json::map([
                ("name", Value::from(part.name.as_str())),
                ("from", part.from.into()),
                ("size", part.size.into()),
            ])
        };
        let mut line = json::map([
            ("key", Value::from(self.key.as_str())),
            ("host", self.host.as_str().into()),
            ("run", self.run.into()),
            ("generation", self.generation.into()),
            ("state", self.folder.name().into()),
        ]);
        if let Some(how) = self.how {
            line.set("how", how.to_string());
        }
        line.set("sizes", json::map(self.sizes.iter().map(|(name, size)| (name.as_str(), Value::from(*size)))));
        line.set("parts", self.parts.iter().map(part).collect::<Vec<_>>());
        format!("{line}\n")
    }

    /// Reads the line.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(line: &[u8]) -> Result<Report, String> {
        let text = str::from_utf8(line).map_err(|_| "the first line is not UTF-8")?;
        let json = Value::parse(text.trim_end()).map_err(|bad| format!("the first line: {bad}"))?;
        let text = |key: &str, fits: fn(&str) -> bool| {
            json.str(key).filter(|text| fits(text)).map(String::from).ok_or(format!("the first line: no '{key}'"))
        };
        let folder = json.str("state").and_then(Folder::parse).ok_or("the first line: no 'state'")?;
        let report = Report {
            key: text("key", is_key)?,
            host: text("host", |host| !host.is_empty() && host.len() <= 255 && !host.contains(char::is_control))?,
            run: number(&json, "run").filter(|run| *run > 0).ok_or("the first line: no 'run'")?,
            generation: number(&json, "generation")
                .and_then(|g| u32::try_from(g).ok().filter(|g| *g > 0))
                .ok_or("the first line: no 'generation'")?,
            folder,
            how: json.str("how").and_then(How::parse),
            sizes: sizes(&json)?,
            parts: parts(&json)?,
        };
        if folder == Folder::Failed && report.how.is_none() {
            return Err("the first line: no 'how'".into());
        }
        Ok(report)
    }
}

fn number(json: &Value, key: &str) -> Option<u64> {
    json.int(key).and_then(|n| u64::try_from(n).ok())
}

fn sizes(json: &Value) -> Result<Vec<(String, u64)>, String> {
    let all = json.get("sizes").and_then(Value::as_map).ok_or("the first line: no 'sizes'")?;
    if all.len() > MOST_FILES {
        return Err(format!("more than {MOST_FILES} files"));
    }
    let size = |(name, size): &(String, Value)| match (kind(name), size.as_int().and_then(|n| u64::try_from(n).ok())) {
        (Some(Kind::Grows), Some(size)) => Ok((name.clone(), size)),
        _ => Err(format!("'{name}' is no file that grows, or its size is none")),
    };
    all.iter().map(size).collect()
}

fn parts(json: &Value) -> Result<Vec<Part>, String> {
    let all = json.list("parts").ok_or("the first line: no 'parts'")?;
    if all.len() > MOST_FILES {
        return Err(format!("more than {MOST_FILES} parts"));
    }
    let mut parts: Vec<Part> = Vec::with_capacity(all.len());
    for part in all {
        let name = part.str("name").unwrap_or_default().to_string();
        let (from, size) = number(part, "from").zip(number(part, "size")).ok_or("a part without its place")?;
        match kind(&name) {
            None => return Err(format!("'{name}' is no file of a report")),
            Some(_) if parts.iter().any(|other| other.name == name) => return Err(format!("'{name}' comes twice")),
            Some(Kind::Grows) if from.checked_add(size).is_some() => {}
            Some(Kind::Whole | Kind::Last) if from == 0 && size <= LARGEST_WHOLE => {}
            Some(_) => return Err(format!("the place of '{name}' makes no sense")),
        }
        parts.push(Part { name, from, size });
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report {
            key: "0123456789abcdef0123456789abcdef".into(),
            host: "gpu7".into(),
            run: 3,
            generation: 2,
            folder: Folder::Failed,
            how: Some(How::Exit(1)),
            sizes: vec![("log".into(), 10), ("history.gpu7.files.jsonl".into(), 7)],
            parts: vec![Part { name: JOB.into(), from: 0, size: 5 }, Part { name: "log".into(), from: 4, size: 6 }],
        }
    }

    #[test]
    fn a_line_reads_back() {
        let report = report();
        assert_eq!(Report::parse(report.line().as_bytes()), Ok(report.clone()));
        assert_eq!((report.size(), report.end()), (11, Some(State::Failed(How::Exit(1)))));
        assert_eq!(Report { folder: Folder::Running, ..report }.end(), None);
    }

    #[test]
    fn what_is_none_is_refused() {
        let line = report().line();
        for (good, bad) in [
            ("0123456789abcdef", "../../../etc/pas"),
            ("\"gpu7\"", "\"\""),
            ("\"gpu7\"", "\"a\\u001b[2J\""),
            ("\"run\":3", "\"run\":0"),
            ("\"run\":3", "\"run\":-3"),
            ("\"generation\":2", "\"generation\":99999999999"),
            ("\"failed\"", "\"running/x\""),
            (",\"how\":\"exit,1\"", ""),
            ("\"log\":10", "\"job.json\":10"),
            ("\"log\":10", "\"log\":-1"),
            ("\"log\":10", "\"../log\":10"),
            ("\"name\":\"log\"", "\"name\":\"env\""),
            ("\"name\":\"log\"", "\"name\":\"job.json\""),
            ("\"name\":\"log\"", "\"name\":\"profile/x\""),
            ("\"name\":\"log\"", "\"name\":\"facts.json\""),
            ("\"from\":4,\"size\":6", "\"from\":9223372036854775807,\"size\":-6"),
            ("\"parts\"", "\"pats\""),
        ] {
            let bad = line.replacen(good, bad, 1);
            assert!(bad != line && Report::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(Report::parse(b"\xff").is_err() && Report::parse("[".repeat(100_000).as_bytes()).is_err());
    }
}
