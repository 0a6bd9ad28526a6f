//! What a judge has to say: an event as it stands in events.jsonl and as `nn-watch --events` prints it,
//! `{"t":…,"run":17,"level":"warning","detector":"nan","metric":"loss","at":{"epoch":31},"why":"…","evidence":{…}}`.
//!
//! Once said, a thing is not said again before it has been over for a while: `Alarm`.

use crate::base::json::{self, Value};
use crate::base::time::Time;
use crate::record::history::Point;
use crate::spool::rule::Action;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Worth knowing
    Info,
    /// Somebody should look
    Warning,
    /// It is broken
    Error,
}

impl Level {
    /// As it stands in an event.
    pub fn word(self) -> &'static str {
        match self {
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

/// Something a detector or a rule has found.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When; None: the history has no times
    pub t: Option<Time>,
    /// How bad it is
    pub level: Level,
    /// Who found it: nan divergence plateau overfit stall dead slow norm gpu-idle gpu-memory ram disk rule
    pub detector: &'static str,
    /// The variable it is about, if it is about one
    pub metric: Option<String>,
    /// The counters in force
    pub at: Vec<(String, f64)>,
    /// In words
    pub why: String,
    /// The figures it rests on
    pub evidence: Value,
    /// Somebody is to be told, whatever the settings for notification
    pub notify: bool,
    /// What a rule wants done
    pub action: Option<Action>,
}

impl Event {
    /// As JSON; `run`: its number, if it is known.
    pub fn json(&self, run: Option<u64>) -> Value {
        let mut event = json::map([("t", self.t.map(|t| t.to_string()).into())]);
        if let Some(run) = run {
            event.set("run", run);
        }
        for (key, value) in self.members() {
            event.set(&key, value);
        }
        event
    }

    /// The members after `t` and `run`.
    pub fn members(&self) -> Vec<(String, Value)> {
        let at = json::map(self.at.iter().map(|(name, value)| (name.as_str(), number(*value))));
        let mut members = vec![("level", Value::from(self.level.word())), ("detector", self.detector.into())];
        if let Some(metric) = &self.metric {
            members.push(("metric", metric.as_str().into()));
        }
        members.extend([("at", at), ("why", self.why.as_str().into()), ("evidence", self.evidence.clone())]);
        if self.notify {
            members.push(("notify", true.into()));
        }
        members.into_iter().map(|(key, value)| (key.to_string(), value)).collect()
    }

    /// Where it was found, for people: `epoch 3, batch 10`.
    pub fn place(&self) -> String {
        let shown: Vec<String> =
            self.at.iter().map(|(n, v)| format!("{n} {}", crate::base::units::show_number(*v))).collect();
        shown.join(", ")
    }
}

/// A number as JSON; whole ones without a point.
pub fn number(x: f64) -> Value {
    if x.fract() == 0.0 && x.abs() < 1e15 { Value::Int(x as i64) } else { json::number(x) }
}

/// The counters of a point, but for those that only say how many there are.
pub fn place_of(point: &Point) -> Vec<(String, f64)> {
    point.counters().filter(|(name, _)| *name != "batches").map(|(name, value)| (name.to_string(), value)).collect()
}

/// Something that is said once, until it has been over for a while.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alarm {
    on: bool,
    calm: u32,
}

/// After so many looks in a row at which all was well it may be said again.
const CALM: u32 = 8;

impl Alarm {
    /// Tells whether this look finds it; true: it is to be said.
    pub fn see(&mut self, found: bool) -> bool {
        if found {
            self.calm = 0;
            return !std::mem::replace(&mut self.on, true);
        }
        self.calm += 1;
        if self.calm >= CALM {
            *self = Alarm::default();
        }
        false
    }

    /// Whether it has been said and is not over.
    pub fn is_on(&self) -> bool {
        self.on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn said_once_until_it_is_over() {
        let mut alarm = Alarm::default();
        assert!(alarm.see(true) && !alarm.see(true));
        (1..CALM).for_each(|_| assert!(!alarm.see(false)));
        assert!(!alarm.see(true), "not over for long enough");
        (0..CALM).for_each(|_| assert!(!alarm.see(false)));
        assert!(!alarm.is_on() && alarm.see(true));
    }

    #[test]
    fn as_json() {
        let event = Event {
            t: Time::parse("2026-11-22T23:00:00Z"),
            level: Level::Error,
            detector: "nan",
            metric: Some("loss".into()),
            at: vec![("epoch".into(), 31.0)],
            why: "loss is NaN".into(),
            evidence: json::map([("value", json::number(f64::NAN))]),
            notify: true,
            action: None,
        };
        assert_eq!(
            event.json(Some(17)).to_string(),
            r#"{"t":"2026-11-22T23:00:00.000Z","run":17,"level":"error","detector":"nan","metric":"loss","at":{"epoch":31},"why":"loss is NaN","evidence":{"value":"NaN"},"notify":true}"#
        );
    }
}
