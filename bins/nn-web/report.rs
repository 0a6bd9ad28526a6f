//! Reports of runs that go on elsewhere, taken in: bytes are written from where they are durably here, at a place that the
//! files themselves tell; how a run ended is believed when all is here. One request a run at a time. Whatever is cut off,
//! by the client, by a crash, by a full disk, leaves less, and the answer says how much: the client goes on from there.

use crate::app::{Answered, Web};
use nn::base::error::Error;
use nn::base::files::{self, Grower, Moved};
use nn::base::json::{self, Value};
use nn::base::role::{self, Role};
use nn::base::units::show_size;
use nn::cluster::ssh::growth::{Kind, name_here};
use nn::spool::job::Job;
use nn::spool::reported::Reported;
use nn::spool::state::{State, Token};
use nn::spool::store::report::token;
use nn::spool::store::{Origin, Spool};
use nn::web::http::Head;
use nn::web::report::{JOB, LARGEST_WHOLE, LONGEST_LINE, MOST_FILES, RESULT, Report, kind};
use nn::web::response::Response;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::time::Duration;

/// Most bytes of a run, unless the setting report.limit says otherwise.
const LIMIT: u64 = 2 << 30;
/// Most runs, unless the setting report.runs says otherwise.
const RUNS: u64 = 100_000;
/// Time for another request about the same run to be over.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes read at once.
const CHUNK: usize = 64 << 10;
/// What of a job is taken: what people read. What a tool would act on is for the host that has it.
const MEMBERS: [&str; 9] = ["argv", "cwd", "name", "group", "params", "note", "tags", "metrics", "pattern"];

type Body<'a> = BufReader<&'a mut dyn Read>;

/// Takes a report.
pub fn receive(web: &Web, head: &Head, body: &mut dyn Read) -> Answered {
    let mut body = BufReader::with_capacity(CHUNK, body);
    let report = first_line(&mut body, head.length)?;
    let _turn = turn(&web.spool, &report.key)?;
    let (run, done) = find(&web.spool, &report, &mut body)?;
    let mut taking = Taking { spool: &web.spool, run, known: Reported::of(&web.spool, run), whole: HashMap::new() };
    let taken = taking.parts(&report, done, &mut body);
    // What came before it broke off is here all the same.
    taking.settle(&report).map_err(|err| refused(&err))?;
    taken?;
    let before = taking.token()?;
    let after = taking.advance(&report, before.clone()).map_err(|err| refused(&err))?;
    // A new run, or one that moved.
    if done > 0 || after != before {
        web.model().doubt(run);
        web.streams.wake();
    }
    Ok(taking.answer(&after))
}

fn bad(words: &str) -> Response {
    Response::error(400, words)
}

/// Not now: the client keeps what it has.
fn refused(err: &Error) -> Response {
    Response::error(503, &err.to_string())
}

fn broken_off() -> Response {
    bad("the body broke off, or came too slowly")
}

fn first_line(body: &mut Body, length: u64) -> Result<Report, Response> {
    let mut line = Vec::new();
    body.take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(|_| broken_off())?;
    if line.last() != Some(&b'\n') {
        return Err(bad("the first line does not end, or is too long"));
    }
    let report = Report::parse(&line).map_err(|words| bad(&words))?;
    if report.size().checked_add(line.len() as u64) != Some(length) {
        return Err(bad("the parts are not as long as the body"));
    }
    Ok(report)
}

fn turn(spool: &Spool, key: &str) -> Result<Role, Response> {
    let busy = || Response::error(503, "another report of this run is being taken").with("Retry-After", "1");
    let name = role::name_of("nn-report", spool.dir()).map_err(|_| busy())?;
    Role::within(&format!("{name}.{key}"), PATIENCE).ok().flatten().ok_or_else(busy)
}

/// The run of a report, and how many of its parts are read already. A new one is made of the job, which then comes first.
fn find(spool: &Spool, report: &Report, body: &mut Body) -> Result<(u64, usize), Response> {
    let known = spool.reported(&report.key).map_err(|err| refused(&err))?;
    match known {
        Some(Origin::Run(run, _)) => return Ok((run, 0)),
        Some(_) => return Err(Response::error(410, "the run was removed here")),
        None => {}
    }
    let first = report.parts.first().filter(|part| part.name == JOB);
    let Some(first) = first else {
        return Err(Response::error(409, "no such run is known here: its job must come first"));
    };
    let job = job(&read_whole(body, first.size)?, &report.host)?;
    let config = spool.config().map_err(|err| refused(&err))?;
    let most = config.number("report.runs").map_err(|err| refused(&err))?.unwrap_or(RUNS);
    if spool.count_reported().map_err(|err| refused(&err))? as u64 >= most {
        return Err(Response::error(413, &format!("{most} runs were reported: no more is taken (report.runs)")));
    }
    match spool.add_reported(&report.key, &job, report.generation).map_err(|err| refused(&err))? {
        Origin::Run(run, _) => Ok((run, 1)),
        Origin::Gone(_) | Origin::Refused => Err(Response::error(410, "the run was removed here")),
    }
}

fn read_whole(body: &mut Body, size: u64) -> Result<Vec<u8>, Response> {
    let mut bytes = Vec::new();
    body.take(size.min(LARGEST_WHOLE)).read_to_end(&mut bytes).map_err(|_| broken_off())?;
    if bytes.len() as u64 == size { Ok(bytes) } else { Err(broken_off()) }
}

fn object(bytes: &[u8], name: &str) -> Result<Value, Response> {
    let json = str::from_utf8(bytes).ok().and_then(|text| Value::parse(text.trim_end()).ok());
    json.filter(|json| json.as_map().is_some()).ok_or_else(|| bad(&format!("{name} is no JSON object")))
}

fn job(bytes: &[u8], host: &str) -> Result<Job, Response> {
    let all = object(bytes, JOB)?;
    let known = MEMBERS.iter().filter_map(|key| Some((*key, all.get(key)?.clone())));
    let mut json = json::map(known);
    json.set("reported", host);
    Job::check(json).map_err(|words| bad(&format!("{JOB}: {words}")))
}

/// One request about a run that is here.
struct Taking<'a> {
    spool: &'a Spool,
    run: u64,
    known: Reported,
    /// What came whole
    whole: HashMap<String, Vec<u8>>,
}

impl Taking<'_> {
    /// Takes the parts after the first so many.
    fn parts(&mut self, report: &Report, done: usize, body: &mut Body) -> Result<(), Response> {
        let config = self.spool.config().map_err(|err| refused(&err))?;
        let limit = config.size("report.limit").map_err(|err| refused(&err))?.unwrap_or(LIMIT);
        for part in report.parts.iter().skip(done) {
            if kind(&part.name) != Some(Kind::Grows) {
                let bytes = read_whole(body, part.size)?;
                if part.name.ends_with(".json") {
                    object(&bytes, &part.name)?;
                }
                self.whole.insert(part.name.clone(), bytes);
                continue;
            }
            let here = name_here(&part.name, "report");
            let all: u64 = self.known.all().iter().map(|(name, _)| self.known.have(name)).sum();
            if all.saturating_add(part.size) > limit {
                let words = format!("run {}: no more than {} of a run is taken", self.run, show_size(limit));
                return Err(Response::error(413, &format!("{words} (report.limit)")));
            }
            if self.known.all().len() >= MOST_FILES && self.known.have(&here) == 0 {
                return Err(bad(&format!("more than {MOST_FILES} files")));
            }
            self.grow(&here, part.from, part.size, body)?;
        }
        Ok(())
    }

    /// How much of a file is here for good.
    fn have(&self, here: &str) -> u64 {
        let size = std::fs::symlink_metadata(self.spool.run_dir(self.run).join(here)).map_or(0, |meta| meta.len());
        self.known.have(here).min(size)
    }

    /// Bytes from a place on. What is here already is passed over; what would leave a gap is too.
    fn grow(&mut self, here: &str, from: u64, size: u64, body: &mut Body) -> Result<(), Response> {
        let have = self.have(here);
        let known = if from > have { size } else { size.min(have - from) };
        let skipped = std::io::copy(&mut body.take(known), &mut std::io::sink()).map_err(|_| broken_off())?;
        if skipped < known {
            return Err(broken_off());
        }
        let path = self.spool.run_dir(self.run).join(here);
        let mut left = size - known;
        if left == 0 {
            return Ok(());
        }
        let mut file = Grower::open(&path, have, true).map_err(|err| refused(&err))?;
        let mut end = have;
        let mut buffer = vec![0; CHUNK];
        let mut copied = Ok(());
        while left > 0 && copied.is_ok() {
            let most = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
            copied = match body.read(buffer.get_mut(..most).unwrap_or_default()) {
                Ok(0) | Err(_) => Err(broken_off()),
                Ok(n) => {
                    left -= n as u64;
                    file.write(buffer.get(..n).unwrap_or_default()).map(|()| end += n as u64).map_err(|e| refused(&e))
                }
            };
        }
        // Noted when it is durable.
        files::sync_file(&path).map_err(|err| refused(&err))?;
        self.known.set_have(here, end);
        copied
    }

    /// Puts on record what is here, and writes what came whole, unless something newer was told before.
    fn settle(&mut self, report: &Report) -> nn::base::error::Result<()> {
        let token = self.spool.state_of(self.run)?;
        let is_old = token.is_some_and(|token| {
            let told = (report.generation, report.end().is_some());
            told < (token.generation, token.folder().is_end())
        });
        for (name, bytes) in self.whole.iter().filter(|(name, _)| !is_old && !matches!(name.as_str(), JOB | RESULT)) {
            files::put(&self.spool.dir().join("tmp"), &self.spool.run_dir(self.run).join(name), bytes, true)?;
        }
        self.known.tell(self.spool, self.run, &report.host, report.run)
    }

    fn token(&self) -> Result<Token, Response> {
        let token = self.spool.state_of(self.run).map_err(|err| refused(&err))?;
        token.ok_or_else(|| Response::error(503, "the run is being moved"))
    }

    /// Moves the token as the report tells: on to a later generation, and to the end when all files are here.
    fn advance(&self, report: &Report, mut token_now: Token) -> nn::base::error::Result<Token> {
        if report.generation > token_now.generation {
            let next = token(self.run, report.generation, &report.key);
            if self.spool.shift_durably(&token_now, &next)? == Moved::Lost {
                return Err(Error::other("the run was moved by somebody else: try again"));
            }
            token_now = next;
        }
        let is_all = |(name, size): &(String, u64)| self.have(&name_here(name, "report")) >= *size;
        let end = report.end().filter(|_| token_now.reported().is_some() && report.generation == token_now.generation);
        let Some(end) = end.filter(|_| report.sizes.iter().all(is_all)) else { return Ok(token_now) };
        self.spool.write_result(&token_now, &end, &self.result())?;
        let ended = token_now.to(end);
        match self.spool.shift_durably(&token_now, &ended)? {
            Moved::Won => Ok(ended),
            Moved::Lost => Err(Error::other("the run was moved by somebody else: try again")),
        }
    }

    fn result(&self) -> Value {
        let told = self.whole.get(RESULT).and_then(|bytes| object(bytes, RESULT).ok());
        let mut result = told.unwrap_or_else(|| {
            let now = nn::base::time::Time::now();
            json::map([("evidence", Value::from("reported without a result")), ("ended", now.into())])
        });
        if let Value::Map(members) = &mut result {
            members.retain(|(key, _)| !matches!(key.as_str(), "generation" | "state" | "how" | "again"));
        }
        result
    }

    /// What is here now.
    fn answer(&self, token: &Token) -> Response {
        let have = self.known.all().iter().filter_map(|(here, _)| {
            let there = nn::cluster::ssh::growth::name_there(here, "report")?;
            Some((there, Value::from(self.have(here))))
        });
        let mut answer = json::map([
            ("run", Value::from(self.run)),
            ("generation", token.generation.into()),
            ("state", token.folder().name().into()),
            ("have", json::map(have)),
        ]);
        let is_open = matches!(token.state, State::Submitted(..));
        if is_open && self.spool.run_dir(self.run).join("cancel").exists() {
            answer.set("cancel", true);
        }
        Response::json(answer.to_string())
    }
}
