//! What a message with news says. About one run: how it ended or what was found, the last lines of its log with the
//! traceback, what it used, what was different from the last good run, its curve. About many: each in a line, the worst
//! first, of those that finished the best first, and the report of the first that failed. Everything of a run is hostile
//! and made harmless.

use crate::letter::{Letter, curve};
use crate::template::{Templates, fill};
use nn::base::error::Result;
use nn::base::files;
use nn::base::json::Value;
use nn::base::text::{escape, escape_bytes, fit};
use nn::base::time::{Time, show_duration};
use nn::base::units::{show_number, show_size};
use nn::mail::news::News;
use nn::record::meaning;
use nn::record::results::{Results, Row, Summary};
use nn::spool::notify::Kind;
use nn::spool::state::{Folder, Token};
use nn::spool::store::Spool;
use std::cell::OnceCell;
use std::fmt::Write;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::time::Duration;

/// The end of a log that is read.
const TAIL: u64 = 64 << 10;
/// Lines of it that are shown.
const LAST_LINES: usize = 15;
/// Lines of a traceback that are shown: the last ones tell most.
const TRACEBACK: usize = 30;
/// Lines before a traceback that are shown: how far it was.
const BEFORE: usize = 5;
/// Columns of a line.
const COLUMNS: usize = 160;
/// Runs that have a line of their own in a message about many.
const MOST_LINES: usize = 40;
/// Good runs that are looked at for one to compare with.
const LOOK_BACK: usize = 50;

/// All that is known of a run, as far as it can be read.
struct Run<'a> {
    spool: &'a Spool,
    row: Row,
    facts: Value,
    /// What was recorded, once it was read
    metrics: OnceCell<Vec<(String, Summary)>>,
}

impl<'a> Run<'a> {
    fn read(spool: &'a Spool, run: u64) -> Result<Run<'a>> {
        Run::at(spool, run, spool.state_of(run)?)
    }

    fn at(spool: &'a Spool, run: u64, token: Option<Token>) -> Result<Run<'a>> {
        let row = Row::read(spool, run, token)?;
        let facts = spool.read(run, "facts.json").ok().flatten().unwrap_or(Value::Null);
        Ok(Run { spool, row, facts, metrics: OnceCell::new() })
    }

    /// `run 17 rnn-tanh`
    fn title(&self) -> String {
        let name = self.row.job.name().map(|name| format!(" {name}")).unwrap_or_default();
        fit(&escape(&format!("run {}{name}", self.row.run)), 80)
    }

    fn params(&self) -> String {
        let pairs = self.row.job.params().iter().map(|(key, value)| format!("{key}={}", value.plain()));
        escape(&pairs.collect::<Vec<_>>().join(" ")).into_owned()
    }

    fn host(&self) -> String {
        escape(self.facts.get("host").and_then(|host| host.str("name")).unwrap_or_default()).into_owned()
    }

    fn duration(&self) -> String {
        let seconds = self.row.result.num("duration").and_then(|s| Duration::try_from_secs_f64(s).ok());
        seconds.map(show_duration).unwrap_or_default()
    }

    fn command(&self) -> String {
        escape(&self.row.job.command_line()).into_owned()
    }

    fn log(&self) -> Vec<String> {
        log_end(&self.spool.run_dir(self.row.run).join("log"))
    }

    /// `valid_cost 0.31 (from 0.3 to 0.9), …`
    fn values(&self) -> String {
        let one = |(name, s): &(String, Summary)| {
            let [last, min, max] = [s.last, s.min, s.max].map(show_number);
            format!("{} {last} (from {min} to {max})", escape(name))
        };
        self.metrics().iter().take(8).map(one).collect::<Vec<_>>().join(", ")
    }

    /// What was recorded, the most telling first.
    fn metrics(&self) -> &[(String, Summary)] {
        self.metrics.get_or_init(|| {
            let mut metrics = Results::read(self.spool, self.row.run, &[]).unwrap_or_default().metrics;
            metrics.sort_by_key(|(name, _)| meaning::weight(name));
            metrics
        })
    }

    /// How good the most telling variable was at its best: the less, the better.
    fn merit(&self) -> f64 {
        let best = |(name, s): &(String, Summary)| if meaning::rises(name) { -s.max } else { s.min };
        self.metrics().first().map(best).filter(|merit| !merit.is_nan()).unwrap_or(f64::INFINITY)
    }

    /// What the command used.
    fn used(&self) -> String {
        let number = |key: &str| self.row.result.num(key);
        let seconds = |key: &str| number(key).and_then(|s| Duration::try_from_secs_f64(s).ok());
        let cpu = seconds("cpu_user").zip(seconds("cpu_system")).map(|(user, system)| user + system);
        let parts = [
            self.peak().map(|bytes| format!("{} memory at most", show_size(bytes))),
            cpu.map(|time| format!("{} of processor time", show_duration(time))),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// The most memory: of all its processes as sampled, or of the greatest as counted at the end.
    fn peak(&self) -> Option<u64> {
        let path = self.spool.run_dir(self.row.run).join("resources.jsonl");
        let sampled = tail(&path, 4096).and_then(|bytes| {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let line = text.lines().rev().find_map(|line| Value::parse(line).ok())?;
            line.int("rss_peak")
        });
        let counted = self.row.result.int("max_rss");
        sampled.max(counted).and_then(|bytes| u64::try_from(bytes).ok()).filter(|bytes| *bytes > 0)
    }

    /// The newest good run of the same sweep or else of the same program, and what is different here.
    fn against(&self) -> Option<String> {
        let mut done: Vec<u64> = self.spool.tokens(Folder::Done).ok()?.iter().map(|token| token.run).collect();
        done.sort_unstable_by(|a, b| b.cmp(a));
        let jobs: Vec<_> =
            done.into_iter().take(LOOK_BACK).filter_map(|run| Some((run, self.spool.job(run).ok()?))).collect();
        let argv = self.row.job.argv();
        let program = argv.get(..2.min(argv.len()));
        let same_group = jobs.iter().find(|(_, job)| job.group().is_some() && job.group() == self.row.job.group());
        let like = |job: &nn::spool::job::Job| job.argv().get(..2.min(argv.len())) == program;
        let (run, _) = same_group.or_else(|| jobs.iter().find(|(_, job)| like(job)))?;
        let good = Run::read(self.spool, *run).ok()?;
        let mut out = format!("Different from {}, which went well:\n", good.title());
        let mut any = false;
        let mut line = |what: &str, here: &str, there: &str| {
            if here != there {
                any = true;
                let show = |text: &str| if text.is_empty() { "none".to_string() } else { fit(&escape(text), 60) };
                let _ = writeln!(out, "  {}: {}, there {}", escape(what), show(here), show(there));
            }
        };
        let (here, there) = (self.row.job.params(), good.row.job.params());
        let find = |list: &[(String, Value)], key: &str| {
            list.iter().find(|(k, _)| k == key).map(|(_, v)| v.plain()).unwrap_or_default()
        };
        let new = there.iter().filter(|(key, _)| !here.iter().any(|(k, _)| k == key));
        for (key, _) in here.iter().chain(new) {
            line(key, &find(here, key), &find(there, key));
        }
        let git = |run: &Run, key: &str| {
            run.facts.get("git").and_then(|git| git.get(key)).map(Value::plain).unwrap_or_default()
        };
        for (what, key) in [("commit", "commit"), ("branch", "branch"), ("uncommitted changes", "dirty")] {
            line(what, &git(self, key), &git(&good, key));
        }
        line("host", &self.host(), &good.host());
        if here == there {
            line("command", &self.command(), &good.command());
        }
        any.then_some(out)
    }
}

/// A message about one run.
pub fn of_run(spool: &Spool, news: &[News], templates: &Templates) -> Letter {
    let (Some(first), number) = (news.first(), news.first().map_or(0, |news| news.run)) else {
        return Letter::default();
    };
    let words = escape(&first.words()).into_owned();
    let Ok(run) = Run::read(spool, number) else {
        return Letter {
            subject: format!("run {number}: {words}"),
            text: format!("run {number}: {words}\n"),
            ..Letter::default()
        };
    };
    let headline = format!("{}: {}", run.title(), fit(&words, 120));
    let mut text = format!("{headline}\n");
    for other in news.iter().skip(1) {
        let _ = writeln!(text, "{}", escape(&other.words()));
    }
    text += &about(&run, first);
    let log = run.log();
    let value = |name: &str| match name {
        "run" => number.to_string(),
        "name" => escape(run.row.job.name().unwrap_or_default()).into_owned(),
        "group" => escape(run.row.job.group().unwrap_or_default()).into_owned(),
        "state" => run.row.state().to_string(),
        "what" => words.clone(),
        "why" => why(&run, first),
        "host" => run.host(),
        "command" => run.command(),
        "params" => run.params(),
        "duration" => run.duration(),
        "values" => run.values(),
        "log" => log.iter().rev().take(LAST_LINES).rev().map(|line| format!("{line}\n")).collect(),
        "headline" => headline.clone(),
        "report" => text.clone(),
        _ => String::new(),
    };
    let filled = |template: &Option<String>, usual: &str| {
        template.as_ref().and_then(|template| fill(template, &value).ok()).unwrap_or_else(|| usual.to_string())
    };
    Letter {
        subject: filled(&templates.subject, &headline),
        text: filled(&templates.body, &text),
        curve: curve(spool, &[number], first.event.str("metric")),
        ..Letter::default()
    }
}

fn why(run: &Run, news: &News) -> String {
    let text = news.event.str("why").or_else(|| run.row.result.str("evidence")).unwrap_or_default();
    escape(text).into_owned()
}

/// All that helps to see what went on.
fn about(run: &Run, news: &News) -> String {
    let mut text = String::new();
    let mut line = |what: &str, value: String| {
        if !value.is_empty() {
            let _ = writeln!(text, "{what:<11} {value}");
        }
    };
    let when = news.event.str("t").and_then(Time::parse).map(Time::local).unwrap_or_default();
    line("when", when);
    line("host", run.host());
    line("ran for", run.duration());
    line("why", why(run, news));
    if let Some(at) = news.event.get("at").and_then(Value::as_map) {
        let at: Vec<String> = at.iter().map(|(key, value)| format!("{key} {}", value.plain())).collect();
        line("at", escape(&at.join(", ")).into_owned());
    }
    if let Some(evidence) = news.event.get("evidence").and_then(Value::as_map) {
        let evidence: Vec<String> =
            evidence.iter().take(12).map(|(key, value)| format!("{key}={}", fit(&value.plain(), 60))).collect();
        line("evidence", escape(&evidence.join(" ")).into_owned());
    }
    line("group", escape(run.row.job.group().unwrap_or_default()).into_owned());
    line("command", run.command());
    line("parameters", run.params());
    line("values", run.values());
    line("used", run.used());
    if news.kind == Kind::Failed {
        for (title, lines) in telling(&run.log()) {
            listing(&mut text, title, lines);
        }
        if let Some(against) = run.against() {
            let _ = write!(text, "\n{against}");
        }
    }
    let _ = write!(text, "\nMore: nn-queue show {0}, nn-queue log {0}\n", run.row.run);
    text
}

/// What of a log tells most: its end, with the traceback and what came before it; both apart where they are far from
/// each other.
fn telling(log: &[String]) -> Vec<(&'static str, &[String])> {
    let lines = |range: Range<usize>| log.get(range).unwrap_or_default();
    let tail = log.len().saturating_sub(LAST_LINES);
    let Some(traceback) = traceback(log) else { return vec![("The end of its log:", lines(tail..log.len()))] };
    let from = traceback.start.saturating_sub(BEFORE).min(tail);
    if log.len() - from <= BEFORE + TRACEBACK + LAST_LINES {
        return vec![("The end of its log:", lines(from..log.len()))];
    }
    let shown = traceback.start.max(traceback.end.saturating_sub(TRACEBACK))..traceback.end;
    vec![("The traceback:", lines(shown)), ("The end of its log:", lines(tail.max(traceback.end)..log.len()))]
}

fn listing(text: &mut String, title: &str, lines: &[String]) {
    if !lines.is_empty() {
        let _ = writeln!(text, "\n{title}");
        for line in lines {
            let _ = writeln!(text, "  {line}");
        }
    }
}

/// A message about many runs, of one sweep or of several.
pub fn of_many(spool: &Spool, group: Option<&str>, news: &[News]) -> Letter {
    let count = |kind: Kind| news.iter().filter(|news| news.kind == kind).count();
    let warnings = count(Kind::Warning);
    let parts = [
        (count(Kind::Failed), "failed".to_string()),
        (warnings, if warnings == 1 { "warning".into() } else { "warnings".to_string() }),
        (count(Kind::Finished), "finished".to_string()),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let of = group.map_or(String::new(), |group| format!("@{}: ", fit(&escape(group), 60)));
    let subject = format!("{of}{}", parts.join(", "));
    let mut text = format!("{subject}\n\n");
    for (news, run) in listed(spool, news) {
        let title = run.as_ref().map_or_else(|| format!("run {}", news.run), Run::title);
        let detail = match (&run, news.kind) {
            (Some(run), Kind::Failed) => run.log().pop().unwrap_or_default(),
            (Some(run), Kind::Finished) => run.values(),
            _ => String::new(),
        };
        let _ = writeln!(text, "{title}: {}", escape(&news.words()));
        if !detail.is_empty() {
            let _ = writeln!(text, "    {}", fit(&detail, COLUMNS));
        }
    }
    if news.len() > MOST_LINES {
        let _ = writeln!(text, "and {} more", news.len() - MOST_LINES);
    }
    let failed = news.iter().find(|news| news.kind == Kind::Failed);
    if let Some((failed, run)) = failed.and_then(|news| Some((news, Run::read(spool, news.run).ok()?))) {
        let _ = write!(text, "\nThe first that failed, {}\n{}", run.title(), about(&run, failed));
    }
    let mut runs: Vec<u64> = news.iter().map(|news| news.run).collect();
    runs.sort_unstable();
    runs.dedup();
    runs.truncate(12);
    if let Some(group) = group {
        let _ = write!(text, "\nAll of it: nn-table @{}\n", escape(group));
    }
    Letter { subject, text, curve: group.and_then(|_| curve(spool, &runs, None)), ..Letter::default() }
}

/// Those that have a line of their own, what finished in the order of merit.
fn listed<'a>(spool: &'a Spool, news: &'a [News]) -> Vec<(&'a News, Option<Run<'a>>)> {
    let states = spool.states(&Folder::ALL).unwrap_or_default();
    let mut listed: Vec<_> = news
        .iter()
        .take(MOST_LINES)
        .map(|news| (news, Run::at(spool, news.run, states.get(&news.run).cloned()).ok()))
        .collect();
    let merit = |(news, run): &(&News, Option<Run>)| match run {
        Some(run) if news.kind == Kind::Finished => run.merit(),
        _ => 0.0,
    };
    listed.sort_by(|a, b| a.0.kind.cmp(&b.0.kind).then(merit(a).total_cmp(&merit(b))));
    listed
}

fn tail(path: &std::path::Path, most: u64) -> Option<Vec<u8>> {
    let mut file = files::open_regular(path).ok()?;
    let size = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(most))).ok()?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The last lines of a log as a terminal would show them, harmless, without those that are empty at its end.
fn log_end(path: &std::path::Path) -> Vec<String> {
    let bytes = tail(path, TAIL).unwrap_or_default();
    let shown = |line: &[u8]| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // Of a progress bar the last state.
        let last = line.rsplit(|b| *b == b'\r').find(|part| !part.is_empty()).unwrap_or_default();
        let plain = without_escapes(last);
        fit(escape_bytes(&plain).replace("\\t", "    ").trim_end(), COLUMNS)
    };
    let mut lines: Vec<String> = bytes.split(|b| *b == b'\n').map(shown).collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// Without escape sequences of colours and cursors: ESC [ … letter.
fn without_escapes(line: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len());
    let mut left = line;
    while let Some((first, rest)) = left.split_first() {
        let sequence = (*first == 0x1b && rest.first() == Some(&b'['))
            .then(|| rest.iter().skip(1).position(|b| (0x40..0x7f).contains(b)))
            .flatten();
        match sequence {
            Some(at) => left = rest.get(at + 2..).unwrap_or_default(),
            None => {
                out.push(*first);
                left = rest;
            }
        }
    }
    out
}

/// The last traceback of Python in a log: from its first line to that of the exception.
fn traceback(log: &[String]) -> Option<Range<usize>> {
    let start = log.iter().rposition(|line| line.trim_start().starts_with("Traceback (most recent call last)"))?;
    let indent = |line: &str| line.len() - line.trim_start().len();
    let own = log.get(start).map_or(0, |line| indent(line));
    let length = log.iter().skip(start + 1).position(|line| !line.is_empty() && indent(line) <= own);
    Some(start..length.map_or(log.len(), |length| start + 2 + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracebacks() {
        let log =
            "epoch 1\nTraceback (most recent call last):\n  File \"a.py\", line 1, in f\n    x()\nValueError: no\nbye";
        let lines: Vec<String> = log.lines().map(String::from).collect();
        assert_eq!(traceback(&lines), Some(1..5));
        assert_eq!(traceback(&lines[..1]), None);
        assert_eq!(traceback(&lines[..3]), Some(1..3));
    }

    #[test]
    fn what_of_a_log_is_shown() {
        let log = |before: usize, traceback: usize, after: usize| {
            let mut lines: Vec<String> = (0..before).map(|i| format!("before {i}")).collect();
            if traceback > 0 {
                lines.push("Traceback (most recent call last):".into());
                lines.extend((0..traceback).map(|i| format!("  {i}")));
                lines.push("RecursionError".into());
            }
            lines.extend((0..after).map(|i| format!("after {i}")));
            lines
        };
        let shown = |log: &[String]| -> Vec<(usize, String)> {
            let ends = |(_, lines): (&str, &[String])| (lines.len(), lines.first().cloned().unwrap_or_default());
            telling(log).into_iter().map(ends).collect()
        };
        assert_eq!(shown(&log(100, 0, 0)), [(15, "before 85".to_string())]);
        assert_eq!(shown(&log(0, 0, 0)), [(0, String::new())]);
        assert_eq!(shown(&log(100, 3, 2)), [(15, "before 92".to_string())]);
        // A longer one, with the lines before it.
        assert_eq!(shown(&log(100, 20, 2)), [(5 + 22 + 2, "before 95".to_string())]);
        assert_eq!(shown(&log(0, 99, 0)), [(30, "  70".to_string()), (0, String::new())]);
        assert_eq!(
            shown(&log(9, 9, 99)),
            [(11, "Traceback (most recent call last):".to_string()), (15, "after 84".to_string())]
        );
    }

    #[test]
    fn ends_of_logs() {
        let path = std::env::temp_dir().join(format!("nn-mail-log-{}", std::process::id()));
        std::fs::write(&path, b"a\x1b[31mred\x1b[0m\n10%\r20%\r\n\x07\xff\ta\n\n\n").unwrap();
        assert_eq!(log_end(&path), ["ared", "20%", "\\x07\\xff    a"]);
        std::fs::remove_file(&path).unwrap();
        assert!(log_end(&path).is_empty());
    }
}
