//! News: what of all events a person wants to hear by mail, and the name under which each is told once.
//!
//! An event is a line of JSON with `run`: a change of state as in runs/N/events.jsonl (`event`: ended, recovered, breaker)
//! or what nn-watch found (`level`, `detector`, `metric`, `why`). A run that was preempted, or is tried again, or was
//! cancelled by a person is no news.

use nn::base::error::{Error, Result};
use nn::base::json::Value;
use nn::base::text::did_you_mean;
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

/// The attempt it is about: as the event says, else as the run's own files do.
fn generation(spool: &Spool, run: u64, event: &Value) -> i64 {
    let of = |name: &str| spool.read(run, name).ok().flatten().and_then(|value| value.int("generation"));
    event.int("generation").or_else(|| of("attempt.json")).or_else(|| of("result.json")).unwrap_or(1).clamp(0, 1 << 40)
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
