//! Reporting a run to an nn-web elsewhere. What is to be told is what is on record here: nothing is copied for it, and how
//! much the server has is its own word. So a server that is away, or comes back without its last bytes, is told the rest
//! by a later line; and what it was told twice is one run.
//!
//! `reports/N` (an empty file) says that there may be something to tell of run N, `runs/N/report.json` to whom, under which
//! key, and how much is known to be there. nn-spool(5), "Reports", has the steps.

use crate::http::{Answer, Trouble, Url, Way, quoted};
use crate::progress;
use nn::base::args::{Arg, Args};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Doing, Error, Result};
use nn::base::files;
use nn::base::hash::{Hasher, random_hex};
use nn::base::json::{self, Value};
use nn::base::role::{self, Role};
use nn::base::sys;
use nn::base::text::escape;
use nn::base::time::Time;
use nn::cluster::ssh::growth::Kind;
use nn::spool::select::select;
use nn::spool::state::{How, State, Token};
use nn::spool::store::Spool;
use nn::web::report::{self, JOB, LARGEST_WHOLE, Part, RESULT, Report};
use nn::web::token;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const FILE: &str = "report.json";
/// The folder of those of whom there may be something to tell.
const FOLDER: &str = "reports";
/// Time for a line of a script, unless the setting report.timeout says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Time for one request when nobody waits.
const REQUEST: Duration = Duration::from_secs(120);
/// Bytes of a request, about.
const PIECE: u64 = 8 << 20;
/// After a failure a script's next lines do not try for so long, doubled with each; at most `LONGEST_PAUSE`.
const PAUSE: Duration = Duration::from_secs(15);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// Most requests about one run: a log that always grows is no reason never to end.
const ROUNDS: usize = 10_000;
/// While a server is busy, so long until it is asked again.
const BUSY: Duration = Duration::from_millis(500);

/// How eagerly it is told.
#[derive(Clone, Copy, PartialEq)]
pub enum Haste {
    /// In passing: not right after a failure, and not for long
    Passing,
    /// Now, but not for long
    Now,
    /// Until all is told
    Whole,
}

/// The server that is to be told, from the option or the setting.
///
/// # Errors
/// It is no address, or a setting cannot be read.
pub fn server(spool: &Spool, given: Option<&str>) -> Result<Option<String>> {
    let set =
        || Ok(spool.config()?.get("report.server").map(|url| url.trim().to_string()).filter(|url| !url.is_empty()));
    let url = given.map_or_else(set, |url| Ok(Some(url.to_string())))?;
    url.as_deref().map_or(Ok(()), check)?;
    Ok(url)
}

/// Refuses what is no address of a server.
///
/// # Errors
/// It is none.
pub fn check(url: &str) -> Result<()> {
    Url::parse(url).map(drop).map_err(Error::usage)
}

/// Whether a run is to be reported.
pub fn is_reported(spool: &Spool, run: u64) -> bool {
    spool.run_dir(run).join(FILE).exists()
}

/// From now on a run is to be reported to this server; durable.
///
/// # Errors
/// It cannot be written.
pub fn ask(spool: &Spool, run: u64, server: &str) -> Result<()> {
    mark(spool, run)?;
    let known = spool.read(run, FILE)?;
    if known.as_ref().is_some_and(|known| known.str("server") == Some(server)) {
        return Ok(());
    }
    let mut key = known.as_ref().and_then(|known| known.str("key")).unwrap_or_default().to_string();
    if key.is_empty() {
        key = random_hex::<16>()?;
    }
    // Another server knows nothing yet of what this one was told.
    spool.put(run, FILE, &json::map([("server", Value::from(server)), ("key", key.into())]))
}

/// There may be something to tell of a run.
fn mark(spool: &Spool, run: u64) -> Result<()> {
    let folder = spool.dir().join(FOLDER);
    files::make_dir(&folder)?;
    files::create_empty(&folder.join(run.to_string())).map(drop)
}

/// Tells what there is to be told of a run, if it is to be reported. What goes wrong is a warning: it is told later.
pub fn tell(spool: &Spool, run: u64, haste: Haste) {
    if !is_reported(spool, run) {
        return;
    }
    match Telling::begin(spool, run).and_then(|telling| telling.map_or(Ok(None), |telling| telling.deliver(haste))) {
        Ok(None) => {}
        Ok(Some(why)) => cli::warn(&format!("run {run} is not reported now: {why} ('nn-log report' does it later)")),
        Err(err) => cli::warn(&format!("run {run} is not reported now: {err}")),
    }
}

/// nn-log report: tells all that is left to be told.
pub fn report(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let (mut given, mut to) = (Vec::new(), None);
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Long(name) if name == "server" => to = Some(args.text()?),
            Arg::Value(value) => given.push(value.to_string_lossy().into_owned()),
            arg => return Err(arg.unexpected()),
        }
    }
    let spool = Spool::find()?;
    let to = server(&spool, to.as_deref())?;
    let runs = if given.is_empty() { waiting(&spool)? } else { select(&spool, &given)? };
    let mut exit = Exit::DONE;
    for run in runs {
        match (&to, is_reported(&spool, run)) {
            (Some(server), _) if !given.is_empty() => ask(&spool, run, server)?,
            (_, true) => {}
            (None, false) if !given.is_empty() => {
                return Err(Error::usage("say where to: --server URL, or report.server"));
            }
            // It was being asked for, or is gone.
            _ => continue,
        }
        let Some(telling) = Telling::begin(&spool, run)? else { continue };
        match telling.deliver(Haste::Whole) {
            Ok(None) => writeln!(out, "{run}\t{}", words(&spool, run))?,
            Ok(Some(why)) => {
                cli::warn(&format!("run {run}: {why}"));
                exit = Exit(75);
            }
            Err(err) => {
                cli::complain(&err);
                exit = Exit(2);
            }
        }
    }
    Ok(exit)
}

/// What became of a report: the state there, and the number.
fn words(spool: &Spool, run: u64) -> String {
    let known = spool.read(run, FILE).ok().flatten().unwrap_or(Value::Null);
    let there = known.int("run").map(|run| format!("\trun {run} there")).unwrap_or_default();
    format!("{}{there}", known.str("state").unwrap_or("removed"))
}

/// The runs of which there may be something to tell.
fn waiting(spool: &Spool) -> Result<Vec<u64>> {
    let folder = spool.dir().join(FOLDER);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let names = files::names(&folder)?;
    let mut runs: Vec<u64> = names.iter().filter_map(|name| name.to_str()?.parse().ok()).collect();
    runs.sort_unstable();
    for run in runs.iter().filter(|run| !spool.run_dir(**run).is_dir()) {
        files::remove(&folder.join(run.to_string()))?;
    }
    runs.retain(|run| spool.run_dir(*run).is_dir());
    Ok(runs)
}

/// One run that is to be told of.
struct Telling<'a> {
    spool: &'a Spool,
    run: u64,
    token: Token,
    known: Value,
}

/// What an answer leads to.
enum Next {
    /// Go on
    More,
    /// Ask again in a moment
    Wait(String),
    /// Not as it is
    Refused(String),
    /// There is nothing more to be told, ever
    Over,
}

impl<'a> Telling<'a> {
    fn begin(spool: &'a Spool, run: u64) -> Result<Option<Telling<'a>>> {
        let (Some(known), Some(token)) = (spool.read(run, FILE)?, spool.state_of(run)?) else { return Ok(None) };
        Ok(Some(Telling { spool, run, token, known }))
    }

    /// Tells it. Some: why it is not all told.
    fn deliver(self, haste: Haste) -> Result<Option<String>> {
        let config = self.spool.config()?;
        let timeout = config.duration("report.timeout")?.filter(|t| !t.is_zero()).unwrap_or(TIMEOUT);
        if haste == Haste::Passing && self.rests() {
            return Ok(None);
        }
        let dir = self.spool.run_dir(self.run);
        let name = role::name_of("nn-reporting", &dir).doing("read", &dir)?;
        let patience = if haste == Haste::Passing { Duration::ZERO } else { timeout };
        let Some(_role) = Role::within(&name, patience).doing("take turns with", "other calls")? else {
            return Ok((haste != Haste::Passing).then(|| "another call is at it".into()));
        };
        // Meanwhile another call may have told more, and the run may have ended.
        let Some(mut telling) = Telling::begin(self.spool, self.run)? else { return Ok(None) };
        if telling.known.get("gone").is_some() {
            return telling.is_over().map(|()| None);
        }
        mark(self.spool, self.run)?;
        let url = Url::parse(telling.known.str("server").unwrap_or_default()).map_err(Error::other)?;
        let way = match way(&config) {
            Ok(way) => way,
            Err(err) => return Ok(Some(err.to_string())),
        };
        let end = if haste == Haste::Whole { None } else { Some(Instant::now() + timeout) };
        let why = telling.talk(&url, &way, end)?;
        telling.note(why.is_some())?;
        Ok(why)
    }

    /// Whether the last failure was a moment ago, by a clock that may have been set back since.
    fn rests(&self) -> bool {
        let tries = self.known.int("tries").and_then(|tries| u32::try_from(tries).ok()).unwrap_or(0);
        let failed = self.known.str("failed").and_then(Time::parse).filter(|failed| *failed <= Time::now());
        let pause = PAUSE.saturating_mul(1 << tries.saturating_sub(1).min(10)).min(LONGEST_PAUSE);
        tries > 0 && failed.is_some_and(|failed| Time::now().since(failed) < pause)
    }

    fn talk(&mut self, url: &Url, way: &Way, end: Option<Instant>) -> Result<Option<String>> {
        let sizes = self.sizes()?;
        for _ in 0..ROUNDS {
            let (report, bytes) = self.compose(&sizes)?;
            let until = end.unwrap_or_else(|| Instant::now() + REQUEST);
            let answered = self.send(url, way, &report, &bytes, until);
            let next = match answered {
                Ok(answer) => self.take(&report, &bytes, &answer)?,
                Err(Trouble::Away(why) | Trouble::Settings(why)) => return Ok(Some(why)),
            };
            match next {
                Next::Over => {
                    self.is_over()?;
                    return Ok(None);
                }
                Next::Refused(why) => return Ok(Some(why)),
                Next::More if self.is_told(&sizes, &report) => {
                    if report.end().is_some() {
                        self.is_over()?;
                    }
                    return Ok(None);
                }
                Next::More => {}
                Next::Wait(why) if until.saturating_duration_since(Instant::now()) < BUSY => return Ok(Some(why)),
                Next::Wait(_) => std::thread::sleep(BUSY),
            }
            if end.is_some_and(|end| Instant::now() >= end) {
                return Ok(Some("it takes longer".into()));
            }
        }
        Ok(Some("there is always more to tell".into()))
    }

    /// The files that grow, and how long they are. What a call of progress has written and not yet noted may be cut off
    /// again: it is not told.
    fn sizes(&self) -> Result<Vec<(String, u64)>> {
        let dir = self.spool.run_dir(self.run);
        let noted = progress::noted(&dir);
        let mut sizes = Vec::new();
        for name in files::names(&dir)?.iter().filter_map(|name| name.to_str()) {
            if report::kind(name) == Some(Kind::Grows) && sizes.len() < report::MOST_FILES {
                let size = std::fs::symlink_metadata(dir.join(name)).map_or(0, |meta| meta.len());
                let noted = noted.iter().find(|(noted, _)| noted == name).map_or(size, |(_, noted)| *noted);
                sizes.push((name.to_string(), size.min(noted)));
            }
        }
        // Curves before logs.
        sizes.sort_by_key(|(name, _)| (name == "log", name.clone()));
        Ok(sizes)
    }

    fn have(&self, name: &str) -> u64 {
        let have = self.known.get("have").and_then(|have| have.int(name));
        have.and_then(|size| u64::try_from(size).ok()).unwrap_or(0)
    }

    /// The next report: what comes whole and has changed, then what is more of the others, as much as one request takes.
    fn compose(&self, sizes: &[(String, u64)]) -> Result<(Report, Vec<Vec<u8>>)> {
        let mut report = self.empty_report(sizes);
        let mut bytes = Vec::new();
        for name in [JOB, "attempt.json", "facts.json", "resumed.jsonl", "code.patch", RESULT] {
            if name == RESULT && report.end().is_none() {
                continue;
            }
            if let Some(whole) = self.changed(name)? {
                report.parts.push(Part { name: name.into(), from: 0, size: whole.len() as u64 });
                bytes.push(whole);
            }
        }
        let mut room = PIECE;
        for (name, size) in sizes {
            let from = self.have(name).min(*size);
            let more = (size - from).min(room);
            if more > 0 {
                report.parts.push(Part { name: name.clone(), from, size: more });
                room -= more;
            }
        }
        Ok((report, bytes))
    }

    fn empty_report(&self, sizes: &[(String, u64)]) -> Report {
        let how = match self.token.state {
            State::Failed(how) => Some(how),
            _ => None::<How>,
        };
        Report {
            key: self.known.str("key").unwrap_or_default().into(),
            host: sys::host_name(),
            run: self.run,
            generation: self.token.generation,
            folder: self.token.folder(),
            how,
            sizes: sizes.to_vec(),
            parts: Vec::new(),
        }
    }

    /// A file that goes whole, when the server does not have it as it is. The result goes with each word of the end.
    fn changed(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let path = self.spool.run_dir(self.run).join(name);
        let file = match files::open_regular(&path) {
            Err(err) if err.io().is_some_and(|err| err.kind() == std::io::ErrorKind::NotFound) => return Ok(None),
            file => file?,
        };
        let mut bytes = Vec::new();
        file.take(LARGEST_WHOLE + 1).read_to_end(&mut bytes).doing("read", &path)?;
        let is_known = self.known.get("seen").and_then(|seen| seen.str(name)) == Some(&fingerprint(&bytes));
        let fits = bytes.len() as u64 <= LARGEST_WHOLE;
        Ok(Some(bytes).filter(|_| fits && (!is_known || name == RESULT)))
    }

    fn send(
        &self,
        url: &Url,
        way: &Way,
        report: &Report,
        whole: &[Vec<u8>],
        end: Instant,
    ) -> std::result::Result<Answer, Trouble> {
        let mut first = report.line().into_bytes();
        let length = report.size() + first.len() as u64;
        whole.iter().for_each(|bytes| first.extend_from_slice(bytes));
        let mut places: Vec<(PathBuf, u64, u64)> = Vec::new();
        for part in report.parts.iter().skip(whole.len()).rev() {
            places.push((self.spool.run_dir(self.run).join(&part.name), part.from, part.size));
        }
        let mut open: Option<File> = None;
        let mut head = std::io::Cursor::new(first);
        let mut fill = |piece: &mut [u8]| -> std::io::Result<usize> {
            let n = head.read(piece)?;
            if n > 0 {
                return Ok(n);
            }
            while let Some((path, from, left)) = places.last_mut() {
                if *left == 0 {
                    places.pop();
                    open = None;
                    continue;
                }
                if open.is_none() {
                    open = Some(files::open_regular(path).map_err(|err| std::io::Error::other(err.to_string()))?);
                }
                let most = usize::try_from(*left).unwrap_or(usize::MAX).min(piece.len());
                let place = piece.get_mut(..most).unwrap_or_default();
                let n = open.as_ref().map_or(Ok(0), |file| file.read_at(place, *from))?;
                if n == 0 {
                    return Err(std::io::Error::other(format!("{} is shorter than it was", path.display())));
                }
                (*from, *left) = (*from + n as u64, *left - n as u64);
                return Ok(n);
            }
            Ok(0)
        };
        url.post(report::PATH, way, length, &mut fill, end)
    }

    /// Takes in what the server says.
    fn take(&mut self, report: &Report, whole: &[Vec<u8>], answer: &Answer) -> Result<Next> {
        let json = str::from_utf8(&answer.body).ok().and_then(|text| Value::parse(text.trim_end()).ok());
        let said = || match json.as_ref().and_then(|json| json.str("error")) {
            Some(words) => escape(words).into_owned(),
            None => format!("the server answers {}: {}", answer.status, quoted(&answer.body)),
        };
        match answer.status {
            200 => {}
            409 if self.known.get("have").is_some() || self.known.get("seen").is_some() => {
                // It has forgotten the run: from the beginning.
                self.forget()?;
                return Ok(Next::More);
            }
            410 => {
                cli::warn(&format!("run {}: {}: nothing more of it is reported", self.run, said()));
                self.known.set("gone", true);
                self.put()?;
                return Ok(Next::Over);
            }
            503 => return Ok(Next::Wait(said())),
            _ => return Ok(Next::Refused(said())),
        }
        let json = json.filter(|json| json.get("have").and_then(Value::as_map).is_some() && json.int("run").is_some());
        let Some(json) = json else {
            return Ok(Next::Refused(format!("what answers is no nn-web: {}", quoted(&answer.body))));
        };
        self.learn(report, whole, &json)?;
        if json.get("cancel").and_then(Value::as_bool) == Some(true) {
            self.cancel();
        }
        Ok(Next::More)
    }

    fn forget(&mut self) -> Result<()> {
        if let Value::Map(members) = &mut self.known {
            members.retain(|(key, _)| matches!(key.as_str(), "server" | "key"));
        }
        self.put()
    }

    fn learn(&mut self, report: &Report, whole: &[Vec<u8>], answer: &Value) -> Result<()> {
        for name in ["run", "generation", "state"] {
            let value = answer.get(name).filter(|value| value.plain().len() < 100).cloned().unwrap_or(Value::Null);
            self.known.set(name, value);
        }
        let have = report.sizes.iter().filter_map(|(name, _)| Some((name.as_str(), answer.get("have")?.int(name)?)));
        self.known.set("have", json::map(have.map(|(name, size)| (name, Value::from(size)))));
        let mut seen = self.known.get("seen").cloned().unwrap_or(Value::Map(Vec::new()));
        for (part, bytes) in report.parts.iter().zip(whole) {
            seen.set(&part.name, fingerprint(bytes));
        }
        self.known.set("seen", seen);
        self.put()
    }

    /// Whether the server has all, and knows how the run stands.
    fn is_told(&self, sizes: &[(String, u64)], report: &Report) -> bool {
        let is_end = |state: &str| nn::spool::state::Folder::parse(state).is_some_and(|folder| folder.is_end());
        let knows = report.end().is_none() || is_end(self.known.str("state").unwrap_or_default());
        knows && sizes.iter().all(|(name, size)| self.have(name) >= *size)
    }

    /// All is told, unless the run goes on once more.
    fn is_over(&self) -> Result<()> {
        files::remove(&self.spool.dir().join(FOLDER).join(self.run.to_string())).map(drop)
    }

    /// Notes how the try went.
    fn note(&mut self, has_failed: bool) -> Result<()> {
        let tries = self.known.int("tries").unwrap_or(0);
        if has_failed {
            self.known.set("tries", tries.saturating_add(1));
            self.known.set("failed", Value::from(Time::now()));
        } else if tries > 0 {
            self.known.set("tries", 0);
        } else {
            return Ok(());
        }
        self.put()
    }

    fn put(&self) -> Result<()> {
        self.spool.put_lazily(self.run, FILE, &self.known)
    }

    /// Somebody called the run off there: so it is here, once.
    fn cancel(&self) {
        if self.token.folder().is_end() || self.spool.run_dir(self.run).join("cancel").exists() {
            return;
        }
        cli::tell(&format!("run {} was called off on the server", self.run));
        let called_off = cli::sibling("nn-queue").and_then(|tool| {
            let mut command = Command::new(&tool);
            command.args(["cancel", "--", &self.run.to_string()]).env("NN_SPOOL", self.spool.dir());
            command.stdin(Stdio::null()).stdout(Stdio::null()).status().doing("run", &tool)
        });
        if let Err(err) = called_off {
            cli::complain(&err);
        }
    }
}

fn way(config: &nn::spool::config::Config) -> Result<Way> {
    let path = config.path("report.token-file");
    let path = path.ok_or_else(|| Error::other("report.token-file does not say where the token is"))?;
    let is_plain = config.get("report.plain").is_some_and(|text| matches!(text.trim(), "yes" | "1" | "true"));
    Ok(Way { token: token::read(&path)?, ca_file: config.path("report.ca-file"), is_plain })
}

fn fingerprint(bytes: &[u8]) -> String {
    let mut hasher = Hasher::new();
    hasher.bytes(bytes);
    hasher.finish()
}
