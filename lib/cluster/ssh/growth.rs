//! Which files of a run come back from a host, and how: those that only grow from where they are here on, the others as a
//! whole. Names are those of nn-spool(5) and no others: what the other end says never leads out of the run's directory.

use crate::base::sys::host_name;

/// How a file comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is only ever added to
    Grows,
    /// It is replaced
    Whole,
    /// It is replaced, and says something only when the run has ended
    Last,
}

/// How a file of a run comes back; None: it does not.
pub fn kind(name: &str) -> Option<Kind> {
    match name {
        "log" | "resources.jsonl" => return Some(Kind::Grows),
        "attempt.json" | "facts.json" | "code.patch" | "resumed.jsonl" => return Some(Kind::Whole),
        "result.json" => return Some(Kind::Last),
        _ => {}
    }
    if let Some(file) = name.strip_prefix("profile/") {
        return is_plain(file).then_some(Kind::Last);
    }
    let between = |kind: &str| name.strip_prefix(kind).and_then(|rest| rest.strip_suffix("jsonl"));
    let middle = between("history.").or_else(|| between("events."))?;
    let host = middle.strip_suffix('.').unwrap_or(middle);
    (host.is_empty() || middle.ends_with('.') && is_plain(host)).then_some(Kind::Grows)
}

/// A name of one file that does nothing to anybody.
fn is_plain(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'+');
    !name.is_empty() && name.len() <= 128 && !name.starts_with('.') && name.bytes().all(fits)
}

/// What a file is called here: one that somebody on a host of this host's name wrote must not meet this host's own.
pub fn name_here(name: &str, host: &str) -> String {
    for kind in ["history", "events"] {
        if name == format!("{kind}.{}.jsonl", host_name()) {
            return format!("{kind}.{}.at.{host}.jsonl", host_name());
        }
    }
    name.to_string()
}

/// The other way: what a file here is called there; None: it is of this host.
pub fn name_there(name: &str, host: &str) -> Option<String> {
    if let Some(begin) = name.strip_suffix(&format!(".at.{host}.jsonl")) {
        return Some(format!("{begin}.jsonl"));
    }
    (name_here(name, host) == name).then(|| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in ["log", "history.jsonl", "history.gpu1.example.org.jsonl", "events.jsonl", "events.gpu1.jsonl"] {
            assert_eq!(kind(name), Some(Kind::Grows), "{name}");
        }
        assert_eq!((kind("facts.json"), kind("profile/1.pstats")), (Some(Kind::Whole), Some(Kind::Last)));
        for name in [
            "job.json",
            "env",
            "../log",
            "history.../x.jsonl",
            "events./../x.jsonl",
            "profile/../x",
            "profile/.x",
            "historyjsonl",
            "history.a/b.jsonl",
            "checkpoints/a",
            "cancel",
            "",
            "log\0",
        ] {
            assert_eq!(kind(name), None, "{name}");
        }
        let own = format!("events.{}.jsonl", host_name());
        assert_ne!(name_here(&own, "gpu1"), own);
        assert_eq!(kind(&name_here(&own, "gpu1")), Some(Kind::Grows));
        assert_eq!(name_there(&name_here(&own, "gpu1"), "gpu1"), Some(own.clone()));
        assert_eq!(name_there(&own, "gpu1"), None);
        assert_eq!(name_here("events.jsonl", "gpu1"), "events.jsonl");
    }
}
