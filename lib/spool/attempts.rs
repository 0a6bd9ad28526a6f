//! The attempts of a run: attempt.json, which tells of the current one and of those before, and result.json, which tells
//! how it ended. Either may be missing or be that of another attempt, for a crash or a full disk came between.

use super::state::{How, State, Token};
use super::store::Spool;
use crate::base::error::Result;
use crate::base::files;
use crate::base::json::{self, Value};

/// The number of a run's next attempt, and what is on record of those before. An attempt whose attempt.json was refused
/// by a full disk is known by its result: otherwise it would not count, and a run that fails be tried for ever.
pub fn attempts(spool: &Spool, run: u64) -> (i64, Vec<Value>) {
    let read = |name: &str| spool.read(run, name).ok().flatten();
    let (mut number, mut former) = (0, Vec::new());
    let mut result = read("result.json");
    if let Some(mut last) = read("attempt.json") {
        number = last.int("attempt").unwrap_or(1);
        former = last.list("former").unwrap_or_default().to_vec();
        last.set("former", Value::Null);
        // The result may be that of the attempt before, or of one after.
        let generation = last.int("generation");
        if let Some(own) = result.take_if(|r| r.int("generation") == generation || r.int("generation").is_none()) {
            last.set("result", own);
        }
        former.push(last);
    }
    if let Some((result, tried)) = result.and_then(|r| r.int("attempt").map(|tried| (r, tried)))
        && tried > number
    {
        number = tried;
        let generation = result.get("generation").cloned().unwrap_or(Value::Null);
        former.push(json::map([("attempt", Value::from(tried)), ("generation", generation), ("result", result)]));
    }
    (number + 1, former)
}

/// Whether the events of an attempt say that a rule stops it: its runner had begun to end it.
pub fn is_stopped_by_rule(spool: &Spool, run: u64, attempt: i64) -> bool {
    let text = files::read_text_if_any(spool.run_dir(run).join("events.jsonl")).ok().flatten().unwrap_or_default();
    let judged = text.lines().filter(|line| line.contains("\"judged\"")).filter_map(|line| Value::parse(line).ok());
    let mut of_attempt = judged.filter(|e| e.str("event") == Some("judged") && e.int("attempt") == Some(attempt));
    // Of all rules only those that stop a run are errors.
    of_attempt.any(|event| event.str("detector") == Some("rule") && event.str("level") == Some("error"))
}

/// Whether a started run is that of a script (nn-log start), which owns it itself: no command of its own is to be found.
pub fn is_of_script(spool: &Spool, token: &Token) -> bool {
    let attempt = spool.read(token.run, "attempt.json").ok().flatten().unwrap_or(Value::Null);
    let is_current = attempt.int("generation") == Some(i64::from(token.generation));
    is_current && attempt.get("script").and_then(Value::as_bool) == Some(true)
}

/// An attempt whose runner died before it could write attempt.json: without this record it would not count, and a run
/// that always dies so early would be tried for ever.
pub(super) fn record_unrecorded(spool: &Spool, token: &Token, attempt: i64, former: Vec<Value>) -> Result<()> {
    let mut record = json::map([
        ("attempt", Value::from(attempt)),
        ("generation", token.generation.into()),
        ("evidence", "its runner died before it wrote more".into()),
    ]);
    if !former.is_empty() {
        record.set("former", Value::List(former));
    }
    spool.put_lazily(token.run, "attempt.json", &record)
}

/// Where result.json says that the run goes, if it is of this generation.
pub(super) fn recorded_end(spool: &Spool, token: &Token) -> Option<Token> {
    // A damaged one, which no crash leaves, tells nothing; it must not hold up the other runs.
    let result = spool.read(token.run, "result.json").ok().flatten()?;
    if result.int("generation") != Some(i64::from(token.generation)) {
        return None;
    }
    if result.get("again").and_then(Value::as_bool) == Some(true) {
        // Handed over to an engine again, or queued.
        let submitted = result.str("submitted").and_then(|text| text.split_once(','));
        let submitted = submitted.map(|(engine, id)| token.again(State::Submitted(engine.into(), id.into())));
        return Some(submitted.filter(Token::is_sound).unwrap_or_else(|| spool.again(token)));
    }
    let end = match (result.str("state"), result.str("how").and_then(How::parse)) {
        (Some("done"), _) => State::Done,
        (Some("cancelled"), _) => State::Cancelled,
        (Some("failed"), Some(how)) => State::Failed(how),
        _ => return None,
    };
    Some(token.to(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::job::Job;
    use std::path::Path;

    #[test]
    fn attempts_are_counted() {
        let dir = std::env::temp_dir().join(format!("nn-attempts-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let spool = Spool::init(&dir, false).unwrap();
        let run = spool.add(&[Job::new(&["true".into()], Path::new("/"))], b"").unwrap()[0];
        let put = |name: &str, text: &str| spool.put(run, name, &Value::parse(text).unwrap()).unwrap();
        let told = || attempts(&spool, run);
        assert_eq!(told(), (1, Vec::new()));
        // attempt.json was refused, the result was not.
        put("result.json", r#"{"attempt":1,"generation":1,"exit":3}"#);
        let (next, former) = told();
        assert_eq!((next, former.len(), former[0].get("result").and_then(|r| r.int("exit"))), (2, 1, Some(3)));
        // The second left no result: that of the first is not its own.
        put("attempt.json", r#"{"attempt":2,"generation":2,"former":[{"attempt":1}]}"#);
        let (next, former) = told();
        assert_eq!((next, former.len(), former[1].get("result")), (3, 2, None));
        put("result.json", r#"{"attempt":2,"generation":2,"exit":4}"#);
        assert_eq!(told().1[1].get("result").and_then(|r| r.int("exit")), Some(4));
        put("result.json", r#"{"attempt":3,"generation":3,"exit":5}"#);
        assert_eq!((told().0, told().1.len()), (4, 3));
        std::fs::remove_dir_all(spool.dir()).unwrap();
    }
}
