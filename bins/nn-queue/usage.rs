//! What a run uses and has used, in words: the last line of runs/N/resources.jsonl, what result.json tells of its end, and
//! its profiles.

use nn::base::files;
use nn::base::json::Value;
use nn::base::time::{Time, show_duration};
use nn::base::units::{show_number, show_size};
use nn::spool::job::Job;
use nn::spool::profile;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

fn bytes(value: &Value, key: &str) -> Option<String> {
    value.int(key).and_then(|n| u64::try_from(n).ok()).map(show_size)
}

/// The last sample, if it is of this attempt. A torn last line is no sample.
pub fn last(lines: &[Vec<u8>], attempt: &Value) -> Value {
    let parsed = |line: &Vec<u8>| Value::parse(&String::from_utf8_lossy(line)).ok();
    let last = lines.iter().rev().find_map(parsed).unwrap_or(Value::Null);
    if last.get("attempt") == attempt.get("attempt") { last } else { Value::Null }
}

/// `98 % cpu, 1.2G memory (at most 1.5G), 3G read, 20M written, 12 threads, 40 files, 3 processes, 2.3G of GPU-aa (95 %)`
pub fn words(sample: &Value) -> String {
    let count =
        |key: &str| sample.int(key).map(|n| format!("{n} {}", if n == 1 { key.trim_end_matches('s') } else { key }));
    let percent = |value: &Value, key: &str| value.num(key).map(|p| show_number(p.round()));
    let mut parts = vec![
        percent(sample, "cpu_percent").map(|p| format!("{p} % cpu")),
        bytes(sample, "rss").map(|rss| match bytes(sample, "rss_peak") {
            Some(peak) if peak != rss => format!("{rss} memory (at most {peak})"),
            _ => format!("{rss} memory"),
        }),
        bytes(sample, "read").map(|n| format!("{n} read")),
        bytes(sample, "written").map(|n| format!("{n} written")),
        count("threads"),
        count("files"),
        sample.int("processes").map(|n| format!("{n} process{}", if n == 1 { "" } else { "es" })),
    ];
    for gpu in sample.list("gpus").unwrap_or_default() {
        let memory = bytes(gpu, "memory").unwrap_or_else(|| "some".into());
        let busy = percent(gpu, "utilisation").map(|p| format!(" ({p} %)")).unwrap_or_default();
        parts.push(Some(format!("{memory} of {}{busy}", gpu.str("uuid").unwrap_or_default())));
    }
    let mut text = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    if let Some(time) = sample.str("t").and_then(Time::parse) {
        text += &format!(" at {}", time.local());
    }
    text
}

/// Each profile of a run, and how it is read; what was asked for, as long as there is none.
pub fn profiles(dir: &Path, job: &Job) -> Vec<String> {
    let dir = dir.join("profile");
    let mut names = files::names(&dir).unwrap_or_default();
    names.sort();
    let line = |name: &OsString| {
        let path = dir.join(name);
        match profile::reader(&path) {
            Some(command) => command,
            None => path.to_string_lossy().into_owned(),
        }
    };
    let asked = job.json.str("profile").filter(|_| names.is_empty());
    names.iter().map(line).chain(asked.map(|asked| format!("{asked}: nothing written"))).collect()
}

/// Processor time and memory of the command in all.
pub fn in_all(result: &Value) -> String {
    let seconds = |key: &str| result.num(key).and_then(|s| Duration::try_from_secs_f64(s).ok()).map(show_duration);
    let parts = [
        seconds("cpu_user").map(|t| format!("{t} user")),
        seconds("cpu_system").map(|t| format!("{t} system")),
        bytes(result, "max_rss").map(|n| format!("{n} memory")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
