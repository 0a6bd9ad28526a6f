//! What quotas leave: the answers of quota(1) and `lfs quota`, read by hand. Both print, under a heading a user or group,
//! a row a file system: used, soft and hard limit and grace for space (in KiB), then the same for files. What varies:
//! a grace column that is left empty, `*` behind what is over, `[n]` for what is incomplete, long names that push the
//! numbers into the next line, sizes with units, `none`. Whatever does not read so is not counted, and said.
//!
//! Of limits the hard one counts; the soft one where there is no other, or once the grace is over.

use super::mounts::Mount;
use super::{By, Limit};
use crate::base::sys;
use crate::base::text::fit;
use crate::record::ask::Asked;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// How long a quota program may take: it may have to ask a server.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most output of one that is read, bytes.
const MOST: u64 = 1 << 18;

/// Limits found, and what could not be found out, in words.
#[derive(Debug, Default)]
pub struct Quotas {
    /// A limit a quota that is set
    pub limits: Vec<Limit>,
    /// What could not be read, or is close to being refused
    pub warnings: Vec<String>,
}

/// Asks what quotas there are on a mount for this user and a group. Programs that are not installed are no error.
pub fn ask(mount: &Mount, group: u32) -> Quotas {
    ask_with(mount, group, Path::new("quota"), Path::new("lfs"), PATIENCE)
}

fn ask_with(mount: &Mount, group: u32, quota: &Path, lfs: &Path, patience: Duration) -> Quotas {
    let mut quotas = Quotas::default();
    if mount.kind.contains("lustre") {
        for (flag, id) in [("-u", sys::effective_user_id()), ("-g", group)] {
            let mut command = Command::new(lfs);
            command.args(["quota", flag, &id.to_string()]).arg(&mount.point);
            quotas.take(command, "lfs quota", patience, group, |_| true);
        }
    } else {
        let mut command = Command::new(quota);
        // Only this file system: another one's server may be down.
        command.args(["-w", "-v", "-Q", "-u", "-g", "-f"]).arg(&mount.point);
        quotas.take(command, "quota", patience, group, |name| is_same(mount, name));
    }
    quotas
}

impl Quotas {
    fn take(&mut self, mut command: Command, name: &str, patience: Duration, group: u32, ours: impl Fn(&str) -> bool) {
        command.env("LC_ALL", "C");
        let mut asked = Asked::begin(command, MOST);
        asked.wait(patience);
        let Some(answer) = asked.take() else {
            self.warnings
                .push(format!("{name} did not answer within {} s: quotas are not counted", patience.as_secs()));
            return;
        };
        let text = String::from_utf8_lossy(&answer.out);
        // The exit status says whether somebody is over quota, or nothing.
        if text.trim().is_empty() {
            let words = answer.words.trim();
            let absent = answer.code.is_none() || words.contains("no quota enabled") || words.contains("not enabled");
            if !absent && !words.is_empty() {
                self.warnings.push(format!("quotas are not counted: {}", fit(words, 200)));
            }
            return;
        }
        match parse(&text).filter(|_| !answer.cut) {
            Some(sections) => self.add(&sections, group, ours),
            None => self.warnings.push(format!("cannot read what {name} prints: quotas are not counted")),
        }
    }

    fn add(&mut self, sections: &[Section], group: u32, ours: impl Fn(&str) -> bool) {
        let counts =
            |s: &&Section| s.of == By::UserQuota || s.of == By::GroupQuota && s.id.is_none_or(|id| id == group);
        for section in sections.iter().filter(counts) {
            for row in section.rows.iter().filter(|row| ours(&row.file_system)) {
                let limit = Limit { by: section.of, free: row.space.free(), inodes: row.files.free() };
                if limit.free.is_some() || limit.inodes.is_some() {
                    self.limits.push(limit);
                }
                for (what, line) in [("space", &row.space), ("files", &row.files)] {
                    if let Some(warning) = line.warning() {
                        self.warnings.push(format!("{}: {what}: {warning}", section.of.words()));
                    }
                }
            }
        }
    }
}

/// Whether a name quota(1) prints is this mount.
fn is_same(mount: &Mount, name: &str) -> bool {
    let real = |path: &str| std::fs::canonicalize(path).ok();
    let local = name.starts_with("/dev/") && mount.source.starts_with("/dev/");
    name == mount.source
        || Path::new(name) == mount.point
        || local && real(name).is_some_and(|p| Some(p) == real(&mount.source))
}

/// One user's or group's quotas.
#[derive(Debug, PartialEq)]
struct Section {
    of: By,
    id: Option<u32>,
    rows: Vec<Row>,
}

#[derive(Debug, PartialEq)]
struct Row {
    file_system: String,
    space: Line,
    files: Line,
}

/// Use and limits of one kind, in bytes or files; a limit of 0 is none.
#[derive(Debug, Default, PartialEq)]
struct Line {
    used: u64,
    soft: u64,
    hard: u64,
    grace: String,
    incomplete: bool,
}

impl Line {
    fn is_over_soft(&self) -> bool {
        self.soft > 0 && self.used > self.soft
    }

    /// "none" is how both programs say that the grace is over.
    fn is_refused(&self) -> bool {
        self.is_over_soft() && matches!(self.grace.as_str(), "none" | "expired")
    }

    fn free(&self) -> Option<u64> {
        match (self.hard, self.soft) {
            _ if self.is_refused() => Some(0),
            (0, 0) => None,
            (0, soft) => Some(soft.saturating_sub(self.used)),
            (hard, _) => Some(hard.saturating_sub(self.used)),
        }
    }

    fn warning(&self) -> Option<String> {
        if self.incomplete {
            return Some("the use is known in part only".to_string());
        }
        if self.is_refused() {
            return Some("over the soft limit, and the grace is over".to_string());
        }
        let time = Some(self.grace.as_str()).filter(|grace| !matches!(*grace, "" | "-" | "0"));
        let left = time.map_or(String::new(), |grace| format!(", grace {grace}"));
        (self.is_over_soft() && self.hard > 0).then(|| format!("over the soft limit{left}"))
    }
}

/// The sections of an answer; None when it is something else.
fn parse(text: &str) -> Option<Vec<Section>> {
    let mut sections: Vec<Section> = Vec::new();
    let mut pushed: Option<&str> = None;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if let Some(heading) = line.trim_start().strip_prefix("Disk quotas for ") {
            sections.push(section(heading)?);
            pushed = None;
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.first() == Some(&"Filesystem") || line.contains(" is using default ") {
            continue;
        }
        // lfs: words about servers that did not answer; the rows then carry brackets.
        if line.starts_with("Some errors happened") || line.starts_with("The data in \"[]\"") {
            continue;
        }
        let rows = &mut sections.last_mut()?.rows;
        let name = pushed.take();
        match name.and_then(|name| row(name, &words)).or_else(|| split_row(line, &words)) {
            Some(row) => rows.push(row),
            None if words.len() == 1 && name.is_none() => pushed = Some(line.trim()),
            None => return None,
        }
    }
    (pushed.is_none() && !sections.is_empty()).then_some(sections)
}

/// `user jane (uid 1000):`, `grp staff (gid 20):`, with `none` behind it where there is no quota. The name may be anything.
fn section(heading: &str) -> Option<Section> {
    let (kind, rest) = heading.split_once(' ')?;
    let of = match kind {
        "user" | "usr" => By::UserQuota,
        "group" | "grp" => By::GroupQuota,
        _ => return None,
    };
    let id = rest.rsplit_once("id ").and_then(|(_, id)| id.split(')').next()?.trim().parse().ok());
    Some(Section { of, id, rows: Vec::new() })
}

/// The row of a line that begins with its name, which may contain blanks.
fn split_row(line: &str, words: &[&str]) -> Option<Row> {
    (1..=words.len().checked_sub(6)?)
        .find_map(|at| {
            let (name, columns) = words.split_at_checked(at)?;
            let name = if at == 1 { name.first()?.to_string() } else { name.join(" ") };
            row(&name, columns)
        })
        .filter(|_| line.len() < 8192)
}

/// Six to eight columns: either grace may be missing. Of seven, what is over has it, though not always.
fn row(name: &str, columns: &[&str]) -> Option<Row> {
    let splits = match columns.len() {
        6 => [3, 3],
        7 if columns.first()?.ends_with('*') => [4, 3],
        7 => [3, 4],
        8 => [4, 4],
        _ => return None,
    };
    splits.into_iter().find_map(|first| {
        let (space, files) = columns.split_at_checked(first)?;
        Some(Row { file_system: name.to_string(), space: self::line(space, 1024)?, files: self::line(files, 1)? })
    })
}

fn line(columns: &[&str], unit: u64) -> Option<Line> {
    let mut incomplete = false;
    let mut number = |word: &&str| {
        let word = word.trim_end_matches('*');
        let inner = word.strip_prefix('[').and_then(|word| word.strip_suffix(']'));
        incomplete |= inner.is_some();
        amount(inner.map_or(word, |word| word.trim_end_matches('*')), unit)
    };
    let (used, soft, hard) = (number(columns.first()?)?, number(columns.get(1)?)?, number(columns.get(2)?)?);
    Some(Line { used, soft, hard, grace: columns.get(3).unwrap_or(&"").to_string(), incomplete })
}

/// `1234` in the column's unit, `97.7M` (powers of 1024), and of files `12k` (of 1000).
fn amount(text: &str, unit: u64) -> Option<u64> {
    if text == "-" {
        return Some(0);
    }
    if text.len() <= 20 && text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty() {
        return text.parse::<u64>().ok()?.checked_mul(unit);
    }
    let (number, suffix) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let power = "kmgtpe".find(&suffix.to_ascii_lowercase()).filter(|_| !suffix.is_empty())? as i32 + 1;
    let plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let number: f64 = number.parse().ok().filter(|_| plain)?;
    let base: f64 = if unit == 1 { 1000.0 } else { 1024.0 };
    let value = number * base.powi(power);
    (value < u64::MAX as f64).then_some(value as u64)
}

/// Reads anything, for tests.
#[cfg(test)]
pub fn damage(text: &str) {
    if let Some(sections) = parse(text) {
        Quotas::default().add(&sections, 7, |_| true);
    }
}

#[cfg(test)]
mod tests;
