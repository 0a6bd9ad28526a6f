//! One run on the whole screen: how it stands, its curves, what was said of it, the end of its log. The curves are read
//! when the run is chosen, and then what is new of them.

use crate::keys::Key;
use crate::model::Model;
use crate::row::{judged, progress, words};
use nn::base::error::Result;
use nn::base::json::Value;
use nn::base::text::{escape, escape_bytes, fit};
use nn::base::time::{Time, show_duration};
use nn::base::units::{show_number, show_size};
use nn::draw::chart::{Chart, Curve, Series};
use nn::draw::term::Style;
use nn::record::history::{Axis, News, Point, Tail};
use nn::spool::store::Spool;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

/// Bytes of the log's end that are looked at.
const LOG: u64 = 16 << 10;
/// Variables whose curves are kept.
const CURVES: usize = 50;
/// Warnings that are shown.
const WARNINGS: usize = 3;

/// One run in full.
pub struct Detail {
    run: u64,
    tail: Tail,
    curves: BTreeMap<String, Curve>,
    /// Points without a place of their own are counted
    points: u64,
    /// Which pair of variables is drawn
    shown: usize,
    log: Vec<String>,
    resources: Value,
    trouble: Option<String>,
}

impl Detail {
    /// Read now.
    pub fn new(spool: &Spool, run: u64) -> Detail {
        let tail = Tail::new(spool.run_dir(run));
        let mut detail = Detail {
            run,
            tail,
            curves: BTreeMap::new(),
            points: 0,
            shown: 0,
            log: Vec::new(),
            resources: Value::Null,
            trouble: None,
        };
        detail.look(spool);
        detail
    }

    /// Reads what is new.
    pub fn look(&mut self, spool: &Spool) {
        let dir = spool.run_dir(self.run);
        let (curves, points) = (&mut self.curves, &mut self.points);
        let looked = self.tail.look(&mut |news| match news {
            News::Over => {
                curves.clear();
                *points = 0;
            }
            News::Point(point) => add(curves, points, point),
        });
        self.trouble = looked.err().map(|err| err.to_string());
        self.log = end_of(&dir.join("log")).unwrap_or_default();
        let sample = end_of(&dir.join("resources.jsonl")).ok();
        let sample = sample.and_then(|lines| Value::parse(lines.last()?).ok());
        self.resources = sample.unwrap_or(Value::Null);
    }

    /// Other variables.
    pub fn on_key(&mut self, key: Key) {
        match key {
            Key::Down | Key::PageDown => self.shown = self.shown.saturating_add(1),
            Key::Up | Key::PageUp => self.shown = self.shown.saturating_sub(1),
            Key::Home => self.shown = 0,
            _ => {}
        }
    }

    /// The screen.
    pub fn lines(&self, model: &Model, columns: usize, lines: usize, colours: bool) -> Vec<String> {
        let mut text: Vec<String> = self.head(model).iter().map(|line| fit(&escape(line), columns)).collect();
        if let Some(run) = model.runs.get(&self.run) {
            let from = run.course.warnings.len().saturating_sub(WARNINGS);
            for warning in run.course.warnings.iter().skip(from) {
                let when = warning.str("t").and_then(Time::parse).map(Time::local).unwrap_or_default();
                let line = fit(&escape(&format!("{when}  {}", words(warning))), columns);
                text.push(if colours { format!("\x1b[33m{line}") } else { line });
            }
        }
        if let Some(trouble) = &self.trouble {
            text.push(fit(&escape(trouble), columns));
        }
        let room = lines.saturating_sub(text.len() + 1);
        let chart = self.chart(model);
        if chart.has_points() && room >= 14 {
            let drawn = chart.render_text(columns, room * 3 / 5, Style { color: colours, ascii: false });
            text.extend(drawn.lines().map(String::from));
        }
        let room = lines.saturating_sub(text.len() + 1);
        let from = self.log.len().saturating_sub(room);
        text.extend(self.log.iter().skip(from).map(|line| fit(line, columns)));
        text.resize(lines.saturating_sub(1), String::new());
        text.truncate(lines.saturating_sub(1));
        let footer = fit("q back   up, down: other variables", columns);
        text.push(if colours { format!("\x1b[2m{footer}") } else { footer });
        text
    }

    fn head(&self, model: &Model) -> Vec<String> {
        let Some(run) = model.runs.get(&self.run) else { return vec![format!("run {} is gone", self.run)] };
        let mut lines = Vec::new();
        let name = run.job.as_ref().and_then(|job| job.name()).unwrap_or_default();
        let mut state = run.token.folder().name().to_string();
        if let nn::spool::state::State::Failed(how) = run.token.state {
            state += &format!(" ({})", how.words());
        }
        if let Some(started) = run.started {
            state += &format!(", started {}", started.local());
        }
        let (done, left) = progress(run);
        if let Some(done) = done {
            state += &format!(", {:.0} % done", done * 100.0);
        }
        if let Some(left) = left {
            state += &format!(", {} left", show_duration(Duration::from_secs(left.as_secs())));
        }
        lines.push(format!("run {} {name}  {state}", self.run));
        if let Some(job) = &run.job {
            lines.push(job.command_line());
            let params = job.params().iter().map(|(key, value)| format!("{key}={}", value.plain()));
            lines.push(params.collect::<Vec<_>>().join(" "));
        }
        lines.push(self.used());
        lines.retain(|line| !line.is_empty());
        lines
    }

    /// What it uses, by the last sample.
    fn used(&self) -> String {
        let sample = &self.resources;
        let size = |key: &str| sample.int(key).and_then(|n| u64::try_from(n).ok()).map(show_size);
        let parts = [
            sample.num("cpu_percent").map(|percent| format!("cpu {percent:.0} %")),
            size("rss").map(|rss| format!("memory {rss}")),
            size("read").map(|read| format!("read {read}")),
            size("written").map(|written| format!("written {written}")),
            sample.num("cpu").map(|s| {
                let used = Duration::try_from_secs_f64(s).unwrap_or_default();
                format!("cpu time {}", show_duration(Duration::from_secs(used.as_secs())))
            }),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        parts.join("  ")
    }

    /// The variables to judge by, or with the arrows those that come after them.
    fn chart(&self, model: &Model) -> Chart {
        let Some(run) = model.runs.get(&self.run) else { return Chart::default() };
        let mut names: Vec<String> = judged(run).iter().map(|v| v.name.to_string()).collect();
        let results = &run.course.results;
        let others = results.metrics.iter().map(|(name, _)| name.clone()).filter(|name| !names.contains(name));
        let mut all: Vec<Vec<String>> = others.map(|name| vec![name]).collect();
        if let Some(first) = names.first().cloned() {
            // Train and validation of one thing fit into one picture; what differs in kind does not.
            let kind = |name: &str| name.rsplit(['/', '_', '.']).next().unwrap_or_default().to_string();
            let apart: Vec<String> = names.iter().filter(|name| kind(name) != kind(&first)).cloned().collect();
            names.retain(|name| kind(name) == kind(&first));
            for (i, name) in apart.into_iter().enumerate() {
                all.insert(i, vec![name]);
            }
            all.insert(0, names);
        }
        let at = if all.is_empty() { 0 } else { self.shown % all.len() };
        let shown = all.into_iter().nth(at).unwrap_or_default();
        let series = shown.iter().filter_map(|name| {
            let points = self.curves.get(name)?.points();
            let last = results.get(name).map(|v| show_number(v.last)).unwrap_or_default();
            Some(Series { label: format!("{name} {last}"), points, ..Series::default() })
        });
        Chart { series: series.collect(), ..Chart::default() }
    }
}

fn add(curves: &mut BTreeMap<String, Curve>, points: &mut u64, point: &Point) {
    *points += 1;
    let x = point.x(Axis::Updates).unwrap_or(*points as f64);
    for (name, value) in point.values() {
        if let Some(curve) = curves.get_mut(name) {
            curve.push(x, value);
        } else if curves.len() < CURVES {
            curves.entry(name.to_string()).or_default().push(x, value);
        }
    }
}

/// The last lines of a file, of a line that was written over its last state, harmless.
fn end_of(path: &Path) -> Result<Vec<String>> {
    use nn::base::error::Doing;
    let mut file = File::open(path).doing("read", path)?;
    let length = file.seek(SeekFrom::End(0)).doing("read", path)?;
    file.seek(SeekFrom::Start(length.saturating_sub(LOG))).doing("read", path)?;
    let mut bytes = Vec::new();
    file.take(LOG).read_to_end(&mut bytes).doing("read", path)?;
    let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let last = |line: &[u8]| {
        let state = line.split(|b| *b == b'\r').rfind(|part| !part.is_empty()).unwrap_or_default();
        escape_bytes(state)
    };
    let mut lines: Vec<String> = text.split(|b| *b == b'\n').map(last).collect();
    if length > LOG {
        lines.remove(0);
    }
    Ok(lines)
}
