//! Runs that other tools recorded, and runs for them to read: Sacred's FileStorageObserver, TensorBoard's event files, the
//! file store of MLflow, CSV, plain logs.
//!
//! A format finds the runs in a path, and reads one of them: what is known of it as a `Foreign`, its points one after the
//! other into a sink. A run is read twice, once to see that it is whole and what it is, once to be written, so that nothing
//! of many runs must be kept in memory. All that is read is hostile until it is parsed: what is wrong is told with its
//! file and place, a record that its writer has not finished yet is left out and said, and every size has a bound.

use super::history::Point;
use super::pattern::Pattern;
use super::results::Results;
use crate::base::error::{Doing, Error, Result};
use crate::base::files;
use crate::base::json::{self, Value};
use crate::base::text::cut;
use crate::base::time::Time;
use crate::spool::job::Job;
use crate::spool::source::Source;
use crate::spool::state::{How, State};
use crate::spool::store::Ended;
use std::io::Read;
use std::path::{Path, PathBuf};

mod events;
mod gather;
mod lines;
mod mlflow;
mod protobuf;
pub mod sacred;
pub mod tensorboard;

use gather::Gather;

/// The largest description of a run (settings, states) that is read, bytes.
const LARGEST: u64 = 16 << 20;
/// Variables of one run of which a summary is kept.
const SUMMARIES: usize = 1000;
/// The longest name and the longest note of a run, bytes.
const LONGEST_NAME: usize = 200;
const LONGEST_NOTE: usize = 65_536;
/// The most parameters of a run.
const MOST_PARAMS: usize = 10_000;
/// Deepest folder that is looked into.
const DEEPEST: usize = 32;

/// Where points go.
pub type Sink<'a> = &'a mut dyn FnMut(&Point) -> Result<()>;

/// What wrote a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A folder of Sacred's FileStorageObserver, or one run in it
    Sacred,
    /// A folder with event files, at any depth
    TensorBoard,
    /// `mlruns`, an experiment in it, or a run
    Mlflow,
    /// A table with a heading
    Csv,
    /// What a program printed
    Log,
}

/// A run that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// What wrote it
    pub format: Format,
    /// Its file or directory, absolute
    pub path: PathBuf,
    /// What it may be called, if it does not say itself
    pub name: String,
    /// The set it belongs to, if it does not say itself
    pub group: Option<String>,
}

/// What is known of a run that another tool recorded.
#[derive(Clone, Debug)]
pub struct Foreign {
    /// Where it is
    pub source: Source,
    /// What it is called
    pub name: String,
    /// The set it belongs to
    pub group: Option<String>,
    /// What a person said of it
    pub note: Option<String>,
    /// Words of its own
    pub tags: Vec<String>,
    /// Its parameters
    pub params: Vec<(String, Value)>,
    /// The command, if it is known
    pub argv: Vec<String>,
    /// The directory it ran in
    pub cwd: Option<PathBuf>,
    /// How it ended
    pub state: State,
    /// The same in the words of its tool
    pub evidence: String,
    /// When it began
    pub started: Option<Time>,
    /// When it ended
    pub ended: Option<Time>,
    /// What was found at its start, as in facts.json
    pub facts: Value,
    /// What it printed
    pub log: Option<PathBuf>,
    /// What a person must be told of it
    pub remarks: Vec<String>,
}

/// What is known of a run after it was read once.
#[derive(Clone, Debug)]
pub struct Survey {
    /// The run
    pub foreign: Foreign,
    /// A summary of its values
    pub results: Results,
    /// How many points it has
    pub points: u64,
}

impl Format {
    /// All.
    pub const ALL: [Format; 5] = [Format::Sacred, Format::TensorBoard, Format::Mlflow, Format::Csv, Format::Log];

    /// Its name, as in options and in `source`.
    pub fn name(self) -> &'static str {
        match self {
            Format::Sacred => "sacred",
            Format::TensorBoard => "tensorboard",
            Format::Mlflow => "mlflow",
            Format::Csv => "csv",
            Format::Log => "log",
        }
    }

    /// The runs in a path, in a fixed order; and what must be told of others there.
    ///
    /// # Errors
    /// It cannot be read, or holds none.
    pub fn find(self, path: &Path) -> Result<(Vec<Found>, Vec<String>)> {
        let path = path.canonicalize().doing("read", path)?;
        let mut remarks = Vec::new();
        let found = match self {
            Format::Sacred => sacred::find(&path)?,
            Format::TensorBoard => tensorboard::find(&path)?,
            Format::Mlflow => mlflow::find(&path, &mut remarks)?,
            Format::Csv | Format::Log => vec![Found::new(self, &path)],
        };
        Ok((found, remarks))
    }
}

impl Found {
    fn new(format: Format, path: &Path) -> Found {
        let name = if path.is_dir() { path.file_name() } else { path.file_stem() };
        let name = name.unwrap_or_default().to_string_lossy().into_owned();
        Found { format, path: path.to_path_buf(), name, group: None }
    }

    /// Reads the run. Templates are for logs.
    ///
    /// # Errors
    /// It is damaged, too large, or cannot be read; or the sink fails.
    pub fn read(&self, patterns: &[Pattern], sink: Sink) -> Result<Foreign> {
        let mut foreign = match self.format {
            Format::Sacred => sacred::read(self, sink),
            Format::TensorBoard => tensorboard::read(self, sink),
            Format::Mlflow => mlflow::read(self, sink),
            Format::Csv => lines::read_csv(self, sink),
            Format::Log => lines::read_log(self, patterns, sink),
        }?;
        foreign.name = shortened(&foreign.name, LONGEST_NAME);
        foreign.group = foreign.group.map(|group| shortened(&group, LONGEST_NAME));
        foreign.note = foreign.note.map(|note| shortened(&note, LONGEST_NOTE));
        Ok(foreign)
    }

    /// Reads it and keeps none of its points.
    ///
    /// # Errors
    /// As `read`.
    pub fn survey(&self, patterns: &[Pattern]) -> Result<Survey> {
        let (mut results, mut points, mut times) = (Results::default(), 0, None);
        let mut foreign = self.read(patterns, &mut |point| {
            results.add(point, &[], SUMMARIES);
            points += 1;
            if let Some(t) = point.t {
                let (first, last) = times.unwrap_or((t, t));
                times = Some((t.min(first), t.max(last)));
            }
            Ok(())
        })?;
        foreign.started = foreign.started.or(times.map(|(first, _)| first));
        foreign.ended = foreign.ended.or(times.map(|(_, last)| last));
        Ok(Survey { foreign, results, points })
    }

    fn source(&self, id: Option<String>) -> Source {
        Source { format: self.format.name().into(), path: self.path.clone(), id }
    }

    /// A run of which nothing is known but where it is. Its format does not tell how it ended.
    fn foreign(&self, evidence: &str) -> Foreign {
        Foreign {
            source: self.source(None),
            name: self.name.clone(),
            group: self.group.clone(),
            note: None,
            tags: Vec::new(),
            params: Vec::new(),
            argv: Vec::new(),
            cwd: None,
            state: State::Done,
            evidence: evidence.into(),
            started: None,
            ended: None,
            facts: Value::Null,
            log: None,
            remarks: Vec::new(),
        }
    }
}

impl Foreign {
    /// No end of it is on record: like any run of which nobody knows how it ended.
    fn lost(&mut self, word: &str, last: Option<Time>) {
        self.state = State::Failed(How::Lost);
        let since = last.map(|t| format!(", last heard of at {t}")).unwrap_or_default();
        self.remarks.push(format!("it is on record as {word}{since}: its end is not, and it counts as lost"));
    }
}

impl Survey {
    /// The run as the spool has it, with a group and tags of the importer's own.
    ///
    /// # Errors
    /// What does not fit into a job.
    pub fn ended(&self, group: Option<&str>, tags: &[String]) -> Result<Ended> {
        let run = &self.foreign;
        let mut members: Vec<(&str, Value)> = Vec::new();
        if !run.argv.is_empty() {
            members.push(("argv", run.argv.clone().into()));
        }
        let cwd = run.cwd.as_deref().filter(|dir| dir.is_absolute());
        members.extend(cwd.map(|dir| ("cwd", json::from_os(dir.as_os_str()))));
        members.push(("name", run.name.as_str().into()));
        members.extend(group.or(run.group.as_deref()).map(|group| ("group", group.into())));
        if !run.params.is_empty() {
            members.push(("params", Value::Map(run.params.clone())));
        }
        members.extend(run.note.as_deref().map(|note| ("note", note.into())));
        let tags: Vec<Value> = run.tags.iter().chain(tags).map(|tag| tag.as_str().into()).collect();
        if !tags.is_empty() {
            members.push(("tags", tags.into()));
        }
        members.push(("source", run.source.to_json()));
        let job = Job::on_record(json::map(members)).map_err(|what| Error::data(&run.source.path, 0, what))?;
        Ok(Ended { job, state: run.state.clone(), result: self.result() })
    }

    fn result(&self) -> Value {
        let Foreign { started, ended, evidence, .. } = &self.foreign;
        let took = started.zip(*ended).map(|(from, to)| to.since(from).as_secs_f64());
        json::map([
            ("started", Value::from(*started)),
            ("ended", (*ended).into()),
            ("duration", took.into()),
            ("evidence", evidence.as_str().into()),
            ("metrics", self.results.to_json()),
        ])
    }
}

/// A text without NUL, and not longer than so many bytes.
fn shortened(text: &str, most: usize) -> String {
    cut(text, most).replace('\0', " ")
}

/// A time, which is UTC where it does not say otherwise.
fn utc(text: &str) -> Option<Time> {
    Time::parse(text).or_else(|| Time::parse(&format!("{text}Z")))
}

/// A small file as text; None: there is none.
fn read_small(path: &Path) -> Result<Option<String>> {
    read_up_to(path, LARGEST)
}

/// A file of so many bytes at most as text; None: there is none.
fn read_up_to(path: &Path, most: u64) -> Result<Option<String>> {
    let file = match files::open_foreign(path) {
        Err(err) if err.io().is_some_and(|err| err.kind() == std::io::ErrorKind::NotFound) => return Ok(None),
        file => file?,
    };
    let mut bytes = Vec::new();
    let is_larger = file.metadata().doing("read", path)?.len() > most;
    if !is_larger {
        // It may grow meanwhile.
        file.take(most + 1).read_to_end(&mut bytes).doing("read", path)?;
    }
    if is_larger || bytes.len() as u64 > most {
        return Err(Error::data(path, 0, format!("is larger than {} MiB", most >> 20)));
    }
    String::from_utf8(bytes).map(Some).map_err(|_| Error::data(path, 0, "is not valid UTF-8"))
}

/// A JSON file; None: there is none.
fn read_json(path: &Path, most: u64) -> Result<Option<Value>> {
    let Some(text) = read_up_to(path, most)? else { return Ok(None) };
    Value::parse(&text).map(Some).map_err(|bad| Error::data(path, bad.line, bad.to_string()))
}

/// The directories in a directory, by name; numbers in their order first. Links are not followed.
fn folders(dir: &Path) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for name in files::names(dir)? {
        let is_folder = std::fs::symlink_metadata(dir.join(&name)).is_ok_and(|meta| meta.is_dir());
        // A name that is no text is none that these tools give.
        names.extend(name.into_string().ok().filter(|_| is_folder));
    }
    names.sort_by_cached_key(|name| (name.parse::<u64>().unwrap_or(u64::MAX), name.clone()));
    Ok(names)
}

/// Seconds since 1970 as a time that can be written; None: no such time.
fn seconds(t: f64) -> Option<Time> {
    (t > 0.0).then(|| (t * 1000.0).round() as i64).and_then(milliseconds)
}

/// Milliseconds since 1970 as a time that can be written; None: no such time.
fn milliseconds(t: i64) -> Option<Time> {
    /// The first of the year 10000.
    const END: i64 = 253_402_300_800_000;
    (0..END).contains(&t).then_some(Time(t))
}

/// Hands on a file in pieces.
///
/// # Errors
/// It cannot be read, or `act` fails.
pub fn each_piece(path: &Path, act: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut file = files::open_foreign(path)?;
    let mut piece = vec![0; 1 << 16];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(n) => act(piece.get(..n).unwrap_or_default())?,
            Err(err) if err.kind() == std::io::ErrorKind::Interrupted => {}
            Err(err) => return Err(err).doing("read", path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory for the files of one test.
    pub struct Dir {
        pub path: PathBuf,
    }

    impl Dir {
        pub fn new(name: &str) -> Dir {
            let path = std::env::temp_dir().join(format!("nn-exchange-{}-{name}", std::process::id()));
            let _ = std::fs::remove_dir_all(&path);
            std::fs::create_dir_all(&path).unwrap();
            Dir { path: path.canonicalize().unwrap() }
        }

        pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
            let path = self.path.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, contents).unwrap();
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }

    /// A run, and its points as lines.
    pub fn shown(found: &Found) -> Result<(Foreign, Vec<String>)> {
        let mut lines = Vec::new();
        let foreign = found.read(&[], &mut |point| {
            let mut line = String::new();
            point.write_line(&mut line);
            lines.push(line.trim_end().to_string());
            Ok(())
        })?;
        Ok((foreign, lines))
    }

    #[test]
    fn a_job_of_it() {
        let dir = Dir::new("job");
        dir.write("a.csv", "epoch,t,loss\n1,2026-11-22T20:00:00Z,0.5\n2,2026-11-22T20:00:09Z,nan\n");
        let (found, _) = Format::Csv.find(&dir.path.join("a.csv")).unwrap();
        let survey = found[0].survey(&[]).unwrap();
        let ended = survey.ended(Some("old"), &["x".into()]).unwrap();
        let source = Source { format: "csv".into(), path: dir.path.join("a.csv"), id: None };
        assert_eq!((ended.job.name(), ended.job.group(), ended.job.source()), (Some("a"), Some("old"), Some(source)));
        assert_eq!(
            ended.result.to_string(),
            r#"{"started":"2026-11-22T20:00:00.000Z","ended":"2026-11-22T20:00:09.000Z","duration":9.0,"evidence":"CSV does not tell how a run ended","metrics":{"loss":{"first":0.5,"last":"NaN","min":0.5,"max":0.5}}}"#
        );
    }

    /// Whatever a byte is changed to, or where a file is cut off: an answer, and no panic.
    #[test]
    fn every_byte_of_every_file() {
        let dir = Dir::new("fuzz");
        dir.write(
            "sacred/1/run.json",
            r#"{"status":"COMPLETED","experiment":{"name":"a"},"start_time":"2026-11-22T20:00:00"}"#,
        );
        dir.write("sacred/1/config.json", r#"{"a":{"b":[1,{"py/tuple":[2]}]}}"#);
        dir.write(
            "sacred/1/metrics.json",
            r#"{"a":{"steps":[1],"values":[0.5],"timestamps":["2026-11-22T20:00:00"]}}"#,
        );
        dir.write("mlruns/1/meta.yaml", "experiment_id: '1'\nname: \"a\\tb\"\n");
        dir.write("mlruns/1/r/meta.yaml", "run_id: r\nrun_name: 'a'\nstatus: 3\nstart_time: 1795739414694\n");
        dir.write("mlruns/1/r/metrics/a", "1795739414700 1.0 0\n");
        dir.write("x.csv", "t,epoch,a\n2026-11-22T20:00:00Z,1,\"0.5\"\n");
        let mut writer = tensorboard::Writer::new(&dir.path, Some(Time(1_795_739_414_694))).unwrap();
        writer.params("x", &[("lr".into(), Value::Num(0.1))]).unwrap();
        let mut point = Point::new();
        assert!(point.read_line(r#"{"t":"2026-11-22T20:00:00Z","epoch":1,"a":0.5}"#));
        writer.add(&point).unwrap();
        std::fs::create_dir(dir.path.join("board")).unwrap();
        let events = "board/events.out.tfevents.1";
        writer.finish(crate::spool::state::Folder::Done, None, true, &dir.path.join(events)).unwrap();
        let (mut good, mut bad) = (0, 0);
        let mut read = |format: Format, top: &str| {
            let found = format.find(&dir.path.join(top));
            for one in found.map(|(found, _)| found).unwrap_or_default() {
                let is_good = one.survey(&[]).and_then(|survey| survey.ended(None, &[])).is_ok();
                *(if is_good { &mut good } else { &mut bad }) += 1;
            }
        };
        for (format, top, file) in [
            (Format::Sacred, "sacred", "sacred/1/run.json"),
            (Format::Sacred, "sacred", "sacred/1/config.json"),
            (Format::Sacred, "sacred", "sacred/1/metrics.json"),
            (Format::Mlflow, "mlruns", "mlruns/1/meta.yaml"),
            (Format::Mlflow, "mlruns", "mlruns/1/r/meta.yaml"),
            (Format::Mlflow, "mlruns", "mlruns/1/r/metrics/a"),
            (Format::Csv, "x.csv", "x.csv"),
            (Format::TensorBoard, "board", events),
        ] {
            let whole = std::fs::read(dir.path.join(file)).unwrap();
            for at in 0..whole.len() {
                for change in [0x01, 0x80] {
                    let mut bytes = whole.clone();
                    bytes[at] ^= change;
                    dir.write(file, &bytes);
                    read(format, top);
                }
                dir.write(file, &whole[..at]);
                read(format, top);
            }
            dir.write(file, &whole);
        }
        assert!(good > 200 && bad > 200, "{good} {bad}");
    }

    #[test]
    fn no_file_of_any_size_and_no_pipe() {
        let dir = Dir::new("sizes");
        dir.write("1/run.json", r#"{"status":"COMPLETED"}"#);
        let large = std::fs::File::create(dir.path.join("1/metrics.json")).unwrap();
        large.set_len(1 << 40).unwrap();
        let said = |format: Format| {
            let found = format.find(&dir.path).unwrap().0;
            shown(&found[0]).unwrap_err().to_string()
        };
        assert!(said(Format::Sacred).ends_with("1/metrics.json: is larger than 256 MiB"));
        std::fs::remove_file(dir.path.join("1/metrics.json")).unwrap();
        std::fs::create_dir(dir.path.join("1/metrics.json")).unwrap();
        assert!(said(Format::Sacred).contains("cannot read"));
    }

    #[test]
    fn texts_that_are_too_long() {
        assert_eq!(shortened("a\0b", 9), "a b");
        assert_eq!(shortened("éé", 3), "é");
    }
}
