//! News: what of all events a person wants to hear by mail, and the name under which each is told once.
//!
//! An event is a line of JSON with `run`: a change of state as in runs/N/events.jsonl (`event`: ended, recovered, breaker)
//! or what was found in a run (`level`, `detector`, `metric`, `why`). A run that was preempted, or is tried again, or was
//! cancelled by a person is no news.
//!
//! Whoever sees something happen keeps it (`raise`, which costs nothing where no mail is set up) before the change of state
//! that it belongs to, and then has it told by nn-mail, which it does not wait for (`tell`).

use super::held::{self, Held};
use super::message::checksum;
use super::outgoing::Outgoing;
use crate::base::cli;
use crate::base::error::{Doing, Error, Result};
use crate::base::files;
use crate::base::json::{self, Value};
use crate::base::time::Time;
use crate::spool::config::Config;
use crate::spool::notify::{self, Kind};
use crate::spool::state::How;
use crate::spool::store::{Spool, is_of_a_run};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct News {
    /// Made from run, generation and what it is: the same is told once
    pub name: String,
    /// The run's number
    pub run: u64,
    /// The kind of news
    pub kind: Kind,
    /// The event
    pub event: Value,
}

/// The event of something that was found in a run.
const JUDGED: &str = "judged";

/// Which news is told.
#[derive(Clone, Debug)]
pub struct Wanted(Vec<Kind>);

impl Wanted {
    /// By mail.notify; all kinds unless it says otherwise.
    ///
    /// # Errors
    /// It names something else.
    pub fn read(config: &Config) -> Result<Wanted> {
        let text = config.get("mail.notify");
        let kinds = text.map_or(Ok(Kind::ALL.to_vec()), |text| notify::parse(&text));
        kinds.map(Wanted).map_err(|what| Error::other(format!("mail.notify: {what}")))
    }

    /// Whether these are told: somebody has asked for them, or else the job or the settings name their kind.
    pub fn holds(&self, spool: &Spool, news: &News) -> bool {
        let own = || spool.job(news.run).ok().and_then(|job| job.notify());
        news.is_asked_for() || own().as_ref().unwrap_or(&self.0).contains(&news.kind)
    }
}

impl News {
    /// What an event means. None: nothing to tell by mail.
    pub fn of(spool: &Spool, event: &Value) -> Option<News> {
        let mut news = News::kept(String::new(), event.clone())?;
        spool.run_dir(news.run).is_dir().then_some(())?;
        let generation = generation(spool, news.run, event);
        let what = match event.str("event") {
            None | Some(JUDGED) => what_of_watch(event),
            Some(name) => what_of_state(name).to_string(),
        };
        news.name = format!("run{}.{generation}.{what}", news.run);
        Some(news)
    }

    /// Whether a rule says that somebody is to be told.
    pub fn is_asked_for(&self) -> bool {
        self.event.get("notify").and_then(Value::as_bool) == Some(true)
    }

    /// News that was kept under this name.
    pub fn kept(name: String, event: Value) -> Option<News> {
        let run = event.int("run").and_then(|run| u64::try_from(run).ok()).filter(|run| *run > 0)?;
        let kind = match event.str("event") {
            None | Some(JUDGED) => of_watch(&event)?,
            Some(name) => of_state(name, &event)?,
        };
        Some(News { name, run, kind, event })
    }

    /// As it is kept.
    pub fn to_json(&self) -> Value {
        let mut value = self.event.clone();
        value.set("run", self.run);
        value
    }

    /// What it says in words, without the run: `failed (exit 1)`, `train_cost is NaN`.
    pub fn words(&self) -> String {
        if self.event.str("event") == Some("breaker") {
            return "runs fail one after the other: the queue is held".into();
        }
        match self.kind {
            Kind::Finished => "done".into(),
            Kind::Failed => {
                let how = self.event.str("how").and_then(How::parse);
                how.map_or("failed".into(), |how| format!("failed ({})", how.words()))
            }
            Kind::Warning => {
                let why = self.event.str("why").or_else(|| self.event.str("detector")).unwrap_or("warning");
                why.to_string()
            }
        }
    }
}

/// Keeps what happened to a run now as news, durably, if mail is set up (somebody is named in mail.to) and it is wanted.
/// True: there is something to be told.
///
/// # Errors
/// It cannot be kept, or a setting is wrong.
pub fn raise(spool: &Spool, run: u64, event: &str, details: &Value) -> Result<bool> {
    let config = spool.config()?;
    if config.get("mail.to").is_none_or(|to| to.trim().is_empty()) {
        return Ok(false);
    }
    let mut whole = json::map([("t", Value::from(Time::now())), ("run", run.into()), ("event", event.into())]);
    whole.extend(details);
    let Some(news) = News::of(spool, &whole).filter(|news| Wanted::read(&config).is_ok_and(|w| w.holds(spool, news)))
    else {
        return Ok(false);
    };
    Held::open(spool, &Outgoing::open(spool)?)?.keep(&news.name, &news.to_json())
}

/// Starts nn-mail, which tells what is kept and sends what is due. Nobody need wait for it; what it has to say goes to
/// mail/log.
///
/// # Errors
/// The system refuses it.
pub fn tell(spool: &Spool) -> Result<Child> {
    let program = cli::sibling("nn-mail")?;
    let path: PathBuf = spool.dir().join("mail/log");
    let log = files::open_append(&path).doing("open", &path)?;
    if log.metadata().is_ok_and(|meta| meta.len() > LONGEST_LOG) {
        let _ = log.set_len(0);
    }
    let mut command = Command::new(&program);
    // Of the run it may be told from nothing goes with it: it is no part of that.
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_of_a_run(name)) {
        command.env_remove(name);
    }
    command.arg("--events").env("NN_SPOOL", spool.dir()).current_dir(spool.dir());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).process_group(0);
    command.spawn().doing("run", &program)
}

/// `tell`, if there is anything to be told.
///
/// # Errors
/// The system refuses it.
pub fn tell_if_any(spool: &Spool) -> Result<()> {
    if held::waiting_names(spool).is_empty() { Ok(()) } else { tell(spool).map(drop) }
}

/// The longest mail/log; then it begins anew.
const LONGEST_LOG: u64 = 64 << 10;

/// An attempt: its generation, when it was started, when it ended.
type Attempt = (i64, Option<Time>, Option<Time>);

/// All attempts on record: attempt.json, in it those before, and result.json.
fn attempts(spool: &Spool, run: u64) -> Vec<Attempt> {
    let read = |name: &str| spool.read(run, name).ok().flatten().unwrap_or(Value::Null);
    let time = |value: Option<&Value>, key: &str| value.and_then(|v| v.str(key)).and_then(Time::parse);
    let (attempt, result) = (read("attempt.json"), read("result.json"));
    let former = attempt.list("former").unwrap_or_default().iter();
    let mut attempts: Vec<Attempt> = former
        .filter_map(|a| Some((a.int("generation")?, time(Some(a), "started"), time(a.get("result"), "ended"))))
        .collect();
    for (record, ended) in [(&attempt, None), (&result, time(Some(&result), "ended"))] {
        let Some(generation) = record.int("generation") else { continue };
        match attempts.iter_mut().find(|(g, ..)| *g == generation) {
            Some(known) => known.2 = known.2.or(ended),
            None => attempts.push((generation, time(Some(record), "started"), ended)),
        }
    }
    attempts
}

/// The generation it is about: as the event says; else of the attempt that had ended last by then, or, for what is no end,
/// that was started last. A run that was tried again meanwhile must not be taken for what it was before.
fn generation(spool: &Spool, run: u64, event: &Value) -> String {
    if let Some(generation) = event.int("generation") {
        return generation.clamp(0, 1 << 40).to_string();
    }
    let attempts = attempts(spool, run);
    let t = event.str("t").and_then(Time::parse);
    let by_then = |time: Option<Time>| time.filter(|time| t.is_none_or(|t| *time <= t));
    let last_started = || attempts.iter().filter(|a| by_then(a.1).is_some()).max_by_key(|a| a.1);
    let last_ended = || attempts.iter().filter(|a| by_then(a.2).is_some()).max_by_key(|a| a.2);
    let is_end = event.str("event") == Some("ended");
    let found = if is_end { last_ended().or_else(last_started) } else { last_started() };
    found.map_or(0, |(generation, ..)| (*generation).clamp(0, 1 << 40)).to_string()
}

fn what_of_state(event: &str) -> &'static str {
    if event == "breaker" { "breaker" } else { "ended" }
}

fn of_state(name: &str, event: &Value) -> Option<Kind> {
    match name {
        "breaker" => Some(Kind::Warning),
        "ended" | "recovered" if event.get("again").and_then(Value::as_bool) == Some(true) => None,
        // Recovered: somebody else found how it ended, for its runner died.
        "ended" | "recovered" => match event.str("state")? {
            "done" => Some(Kind::Finished),
            "failed" if event.str("how").and_then(How::parse) == Some(How::Preempted) => None,
            "failed" => Some(Kind::Failed),
            _ => None,
        },
        _ => None,
    }
}

fn of_watch(event: &Value) -> Option<Kind> {
    let is_asked_for = event.get("notify").and_then(Value::as_bool) == Some(true);
    (is_asked_for || matches!(event.str("level")?, "warning" | "error")).then_some(Kind::Warning)
}

/// What is one incident: a detector, and what it looks at.
fn what_of_watch(event: &Value) -> String {
    let detector: String =
        event.str("detector").unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).take(20).collect();
    let evidence = |name: &str| event.get("evidence").and_then(|evidence| evidence.str(name)).unwrap_or_default();
    // The disk or GPU it is about is named in place of a rule.
    let of = format!("{} {}{}", event.str("metric").unwrap_or_default(), evidence("rule"), evidence("of"));
    format!("{}.{:08x}", if detector.is_empty() { "warning" } else { &detector }, checksum(of.as_bytes()) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::json;
    use std::fs;

    #[test]
    fn an_attempt_is_not_taken_for_another() {
        let dir = std::env::temp_dir().join(format!("nn-mail-news-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        let spool = Spool::init(&dir, false).unwrap();
        let run = dir.join("runs/1");
        fs::create_dir(&run).unwrap();
        let record = |name: &str, generation: i64, stamp: &str, time: &str| {
            let value = json::map([("generation", Value::from(generation)), (stamp, Value::from(time))]);
            fs::write(run.join(name), value.to_string()).unwrap();
        };
        let name = |t: &str, event: &str| {
            let text = format!("{{\"t\":\"2026-11-23T{t}:00Z\",\"run\":1,{event}}}");
            News::of(&spool, &Value::parse(&text).unwrap()).unwrap().name
        };
        let end = r#""event":"ended","state":"failed","how":"exit,1""#;
        let nan = r#""level":"error","detector":"nan""#;
        assert_eq!(name("10:00", end), "run1.0.ended");
        record("attempt.json", 1, "started", "2026-11-23T09:00:00Z");
        assert!(name("09:30", nan).starts_with("run1.1.nan."));
        assert_eq!(name("10:00", end), "run1.1.ended");
        record("result.json", 1, "ended", "2026-11-23T10:00:00Z");
        assert_eq!(name("10:00", end), "run1.1.ended");
        // It was tried again, runs, and ends: what is heard of late, or once more, is about the first attempt.
        let former = r#"{"generation":1,"started":"2026-11-23T09:00:00Z","result":{"ended":"2026-11-23T10:00:00Z"}}"#;
        let again = format!("{{\"generation\":2,\"started\":\"2026-11-23T10:00:00Z\",\"former\":[{former}]}}");
        fs::write(run.join("attempt.json"), again).unwrap();
        for _ in 0..2 {
            assert_eq!(name("10:00", end), "run1.1.ended");
            assert!(name("09:30", nan).starts_with("run1.1.nan."));
            assert!(name("11:30", nan).starts_with("run1.2.nan."));
            record("result.json", 2, "ended", "2026-11-23T12:00:00Z");
        }
        assert_eq!(name("12:00", end), "run1.2.ended");
        assert_eq!(name("10:00", &format!("\"generation\":7,{end}")), "run1.7.ended");
        fs::remove_dir_all(dir).unwrap();
    }
}
