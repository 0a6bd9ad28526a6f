//! What must hold after a storm, read the plain way: every run at an end, in one place and whole; no command ever beside
//! another of the same run; none again without its former attempt on record; every end but "done" traced to a death that
//! was caused. What does not hold is returned, not asserted, so that a test can see that violations are found.

use super::{Kill, Life};
use crate::spool;
use nn::base::json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// What a storm did and what the commands wrote.
pub struct Record<'a> {
    pub dir: &'a Path,
    pub jobs: u64,
    pub lives: BTreeMap<u64, Vec<Life>>,
    pub kills: &'a [Kill],
}

/// What was found besides.
#[derive(Debug, Default)]
pub struct Counts {
    pub lost: usize,
    pub again: usize,
    pub signalled: usize,
    pub unsaid: usize,
}

impl Record<'_> {
    /// Everything that must not be.
    pub fn violations(&self) -> (Vec<String>, Counts) {
        let (mut bad, mut counts) = (Vec::new(), Counts::default());
        let tokens = spool::tokens(self.dir);
        if tokens.len() as u64 != self.jobs {
            bad.push(format!("{} runs are there of {}", tokens.len(), self.jobs));
        }
        for (run, tokens) in &tokens {
            let [token] = tokens.as_slice() else {
                bad.push(format!("run {run} is in more than one place: {tokens:?}"));
                continue;
            };
            let none = Vec::new();
            let lives = self.lives.get(run).unwrap_or(&none);
            let attempt = spool::json(self.dir, *run, "attempt.json");
            let all = format!("run {run}: {token:?}, {lives:?}, {attempt:?}");
            let found = self
                .of_run(token, lives, attempt.as_ref())
                .into_iter()
                .chain(self.unexplained(token, attempt.as_ref()));
            bad.extend(found.map(|what| format!("{what}: {all}")));
            counts.lost += usize::from(token.name.ends_with("~lost"));
            counts.signalled += usize::from(token.name.contains("~signal"));
            let again = lives.len().saturating_sub(1);
            counts.again += again;
            counts.unsaid += again.saturating_sub(self.said_again(*run));
        }
        let runners = self.kills.iter().filter(|k| k.what == "nn-run").count();
        // The event is written after the move: who is killed between the two does not tell.
        if counts.unsaid > self.kills.iter().filter(|k| k.what == "nn-queue").count() {
            bad.push(format!("{} started again, and no event tells why", counts.unsaid));
        }
        if counts.lost > runners {
            bad.push(format!("{} lost, of {runners} kills of runners", counts.lost));
        }
        (bad, counts)
    }

    fn of_run(&self, token: &spool::Token, lives: &[Life], attempt: Option<&Value>) -> Vec<&'static str> {
        let mut bad = Vec::new();
        if !matches!(token.folder, "done" | "failed") {
            bad.push("not at an end");
        }
        // A command may be killed before it has written its first line.
        let silent = token.name.ends_with("~lost") || token.name.ends_with("~signal,9");
        if lives.is_empty() && !silent {
            bad.push("ended and never ran");
        }
        for pair in lives.windows(2) {
            let killed = self.kills.iter().find(|k| k.pid == pair[0].pid);
            match pair[0].end.or(killed.map(|k| k.at)) {
                None => bad.push("started again, and its end was not seen"),
                Some(over) if pair[1].start <= over => bad.push("two at once"),
                _ => {}
            }
            if pair[1].attempt <= pair[0].attempt {
                bad.push("one attempt ran twice");
            }
        }
        let former = attempt.and_then(|a| a.list("former")).map_or(0, |f| f.len());
        if lives.len() > 1 + former {
            bad.push("a former attempt is not on record");
        }
        if token.run % 2 == 1 && lives.len() > 1 {
            bad.push("no retries were asked for");
        }
        if token.folder == "done" && lives.last().is_none_or(|l| l.end.is_none()) {
            bad.push("done, and did not come to its end");
        }
        bad
    }

    /// An end other than done has a cause, on record and in fact.
    fn unexplained(&self, token: &spool::Token, attempt: Option<&Value>) -> Vec<&'static str> {
        let mut bad = Vec::new();
        let result = spool::json(self.dir, token.run, "result.json")
            .filter(|r| r.int("generation").and_then(|g| u64::try_from(g).ok()) == Some(token.generation));
        let said = |key: &str| result.as_ref().and_then(|r| r.get(key)).is_some();
        let caused = |what: &str| self.kills.iter().any(|k| k.what == what && k.run == Some(token.run));
        // Until it executes its command, the child of an nn-run looks like an nn-run.
        let command = attempt.and_then(|a| a.int("pid")).and_then(|pid| u32::try_from(pid).ok());
        let command_was_hit = caused("sh") || self.kills.iter().any(|k| Some(k.pid) == command);
        if result.is_none() {
            bad.push("ended without a result");
        }
        match token.name.split_once('~').map(|(_, how)| how) {
            None => {}
            Some("lost") if !said("evidence") => bad.push("lost without evidence"),
            Some("lost") if !caused("nn-run") && !self.runner_was_hit(token.run) => {
                bad.push("lost, and nobody killed its runner")
            }
            Some("signal,9") if !said("signal") => bad.push("killed, and its result does not say so"),
            Some("signal,9") if !command_was_hit => bad.push("killed, and not by us"),
            Some("lost" | "signal,9") => {}
            Some(_) => bad.push("failed in a way that nobody caused"),
        }
        bad
    }

    /// Until it executes nn-run, the child of a worker looks like a worker; the event of the recovery names its pid.
    fn runner_was_hit(&self, run: u64) -> bool {
        let runner = |event: &Value| event.str("from")?.rsplit('~').nth(1)?.split(',').nth(3)?.parse().ok();
        self.recovered(run).iter().filter_map(runner).any(|pid: u32| self.kills.iter().any(|k| k.pid == pid))
    }

    /// How often its events say that it goes back to the queue: by a recovery, or by its own runner after a failure.
    fn said_again(&self, run: u64) -> usize {
        let again = |event: &Value| event.get("again").and_then(Value::as_bool) == Some(true);
        self.events(run).iter().filter(|event| event.str("event") == Some("recovered") || again(event)).count()
    }

    fn recovered(&self, run: u64) -> Vec<Value> {
        let mut events = self.events(run);
        events.retain(|event| event.str("event") == Some("recovered"));
        events
    }

    fn events(&self, run: u64) -> Vec<Value> {
        let files = std::fs::read_dir(spool::run_dir(self.dir, run)).into_iter().flatten().flatten();
        let events = files.filter(|e| e.file_name().to_string_lossy().starts_with("events."));
        let texts: Vec<String> = events.filter_map(|e| std::fs::read_to_string(e.path()).ok()).collect();
        texts.iter().flat_map(|text| text.lines()).filter_map(|line| Value::parse(line).ok()).collect()
    }
}
