//! What a former runner of an adopted command had told: the events of its judge on record, by detector, variable, rule and
//! place, and how often each. The judge that comes after it finds them once more, since it is fed the attempt's points from
//! the first on; those are absorbed, each as often as it stands there.

use crate::prepare::Attempt;
use nn::base::json::Value;
use nn::judge::event::Event;
use nn::mail::held;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// No line is longer than this but a broken one, bytes.
const LONGEST: u64 = 1 << 20;

/// Events on record.
#[derive(Default)]
pub struct Told {
    events: HashMap<String, u32>,
    /// It has not been asked yet whether news waits that the former runner kept
    ask: bool,
}

impl Told {
    /// Those of an attempt; none when they cannot be read, for told twice is better than never.
    pub fn read(run: &Path, attempt: i64) -> Told {
        let mut told = Told { events: HashMap::new(), ask: true };
        let Ok(file) = File::open(run.join("events.jsonl")) else { return told };
        let (mut reader, mut line) = (BufReader::new(file), Vec::new());
        while reader.by_ref().take(LONGEST).read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            let event = std::str::from_utf8(&line).ok().and_then(|line| Value::parse(line.trim_end()).ok());
            let is_of_judge =
                |event: &Value| event.str("event") == Some("judged") && event.int("attempt") == Some(attempt);
            if let Some(event) = event.filter(is_of_judge) {
                let evidence = event.get("evidence").unwrap_or(&Value::Null);
                let key = key(event.str("detector").unwrap_or_default(), event.str("metric"), evidence);
                *told.events.entry(key).or_default() += 1;
            }
            line.clear();
        }
        told
    }

    /// Whether this one is on record, and had not been met before.
    pub fn absorbs(&mut self, event: &Event) -> bool {
        match self.events.get_mut(&key(event.detector, event.metric.as_deref(), &event.evidence)) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        }
    }

    /// Once: whether the former runner has kept news of the run that nobody has told.
    pub fn is_unsent(&mut self, attempt: &Attempt) -> bool {
        let of_the_run = format!("run{}.", attempt.token.run);
        std::mem::take(&mut self.ask)
            && held::waiting_names(&attempt.spool).iter().any(|name| name.starts_with(&of_the_run))
    }
}

/// What makes two events the same.
fn key(detector: &str, metric: Option<&str>, evidence: &Value) -> String {
    let of = ["rule", "of"].map(|name| evidence.str(name).unwrap_or_default());
    format!("{detector}\0{}\0{}\0{}", metric.unwrap_or_default(), of[0], of[1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use nn::base::json;
    use nn::judge::event::Level;

    #[test]
    fn each_as_often_as_it_stands_there() {
        let dir = std::env::temp_dir().join(format!("nn-told-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let of = |detector: &'static str, metric: Option<&str>, place: &str| Event {
            t: None,
            level: Level::Warning,
            detector,
            metric: metric.map(str::to_string),
            at: Vec::new(),
            why: String::new(),
            evidence: json::map([("of", Value::from(place))]),
            notify: false,
            action: None,
        };
        let nan = of("nan", Some("loss"), "");
        let line = |attempt: i64, event: &Event| {
            let mut line = json::map([("event", Value::from("judged")), ("attempt", attempt.into())]);
            event.members().iter().for_each(|(key, value)| line.set(key, value.clone()));
            format!("{line}\n")
        };
        let disk = of("disk", None, "/scratch");
        let text = line(1, &nan) + &line(2, &nan) + "{torn\n" + &line(2, &nan) + &line(2, &disk) + "{\"event\":\"jud";
        std::fs::write(dir.join("events.jsonl"), text).unwrap();
        let mut told = Told::read(&dir, 2);
        assert!(told.absorbs(&nan) && told.absorbs(&nan) && !told.absorbs(&nan));
        assert!(!told.absorbs(&of("nan", Some("cost"), "")));
        assert!(!told.absorbs(&of("disk", None, "/home")) && told.absorbs(&disk) && !told.absorbs(&disk));
        assert!(!Told::read(&dir.join("none"), 2).absorbs(&nan));
        std::fs::remove_dir_all(dir).unwrap();
    }
}
