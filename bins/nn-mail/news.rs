//! News: what of all events a person wants to hear by mail, and the name under which each is told once.
//!
//! An event is a line of JSON with `run`: a change of state as in runs/N/events.jsonl (`event`: ended, recovered, breaker)
//! or what nn-watch found (`level`, `detector`, `metric`, `why`). A run that was preempted, or is tried again, or was
//! cancelled by a person is no news.

use nn::base::error::{Error, Result};
use nn::base::json::Value;
use nn::base::text::did_you_mean;
use nn::base::time::Time;
use nn::mail::message::checksum;
use nn::spool::config::Config;
use nn::spool::state::{How, State};
use nn::spool::store::Spool;

/// What kind of news it is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Failed,
    Warning,
    Finished,
}

/// Names of the kinds in mail.notify.
const KINDS: [(&str, Kind); 3] = [("failed", Kind::Failed), ("warning", Kind::Warning), ("finished", Kind::Finished)];

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct News {
    pub name: String,
    pub run: u64,
    pub kind: Kind,
    /// The event
    pub event: Value,
}

/// The kinds that are told, by mail.notify.
///
/// # Errors
/// It names something else.
pub fn wanted(config: &Config) -> Result<Vec<Kind>> {
    let text = config.get("mail.notify").unwrap_or_else(|| "failed, finished, warning".into());
    let mut kinds = Vec::new();
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty() && *word != "none") {
        let known = KINDS.iter().find(|(name, _)| *name == word).map(|(_, kind)| *kind);
        kinds.push(known.ok_or_else(|| {
            let near = did_you_mean(word, KINDS.map(|(name, _)| name));
            Error::other(format!("mail.notify: '{word}' is not failed, finished, warning or none{near}"))
        })?);
    }
    Ok(kinds)
}

impl News {
    /// What an event means. None: nothing to tell by mail.
    pub fn of(spool: &Spool, event: &Value) -> Option<News> {
        let run = event.int("run").and_then(|run| u64::try_from(run).ok()).filter(|run| *run > 0)?;
        spool.run_dir(run).is_dir().then_some(())?;
        let generation = generation(spool, run, event);
        let (kind, what) = match event.str("event") {
            Some(name) => (of_state(spool, run, name, event)?, what_of_state(name).to_string()),
            None => (of_watch(event)?, what_of_watch(event)),
        };
        Some(News { name: format!("run{run}.{generation}.{what}"), run, kind, event: event.clone() })
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
                let how = how.or_else(|| (self.event.str("event") == Some("recovered")).then_some(How::Lost));
                how.map_or("failed".into(), |how| format!("failed ({})", how.words()))
            }
            Kind::Warning => {
                let why = self.event.str("why").or_else(|| self.event.str("detector")).unwrap_or("warning");
                why.to_string()
            }
        }
    }
}

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

fn of_state(spool: &Spool, run: u64, name: &str, event: &Value) -> Option<Kind> {
    match name {
        "breaker" => Some(Kind::Warning),
        "ended" if event.get("again").and_then(Value::as_bool) == Some(true) => None,
        "ended" => match event.str("state")? {
            "done" => Some(Kind::Finished),
            "failed" if event.str("how").and_then(How::parse) == Some(How::Preempted) => None,
            "failed" => Some(Kind::Failed),
            _ => None,
        },
        // Somebody else found how it ended: its runner died.
        "recovered" => match spool.state_of(run).ok().flatten()?.state {
            State::Failed(How::Preempted) => None,
            State::Failed(_) => Some(Kind::Failed),
            State::Done => Some(Kind::Finished),
            _ => None,
        },
        _ => None,
    }
}

fn of_watch(event: &Value) -> Option<Kind> {
    matches!(event.str("level")?, "warning" | "error").then_some(Kind::Warning)
}

/// What is one incident: a detector, and what it looks at.
fn what_of_watch(event: &Value) -> String {
    let detector: String =
        event.str("detector").unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).take(20).collect();
    let of = format!("{} {}", event.str("metric").unwrap_or_default(), event.str("rule").unwrap_or_default());
    format!("{}.{:08x}", if detector.is_empty() { "warning" } else { &detector }, checksum(of.as_bytes()) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nn::base::json;
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
