//! Whether the kernel killed processes of a run for lack of memory. Two witnesses, asked before the command starts and
//! again at its end:
//!
//! - the control group this process is in counts such kills: memory.events of version 2, which adds up what is below it,
//!   or memory.oom_control of version 1, for which the groups below are added up here;
//! - the kernel log names each victim by its pid (oom/log.rs). Where it can be read it knows more than the count: the
//!   victim may have been somebody else in the same group.

mod log;

use super::room::memory_group;
use log::KernelLog;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Processes of a run that are remembered, and groups below its own that are looked at, at most.
const MOST: usize = 4096;
const MOST_GROUPS: usize = 64;

/// Watches for such kills from its beginning on.
#[derive(Debug)]
pub struct Watch {
    group: Option<PathBuf>,
    before: Option<u64>,
    log: Option<KernelLog>,
    pids: BTreeSet<u32>,
}

/// What the witnesses say at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Kills counted by the control group; None: there is no count
    pub counted: Option<u64>,
    /// The run's own processes that the kernel log names, with their command's name; None: it cannot be read
    pub named: Option<Vec<(u32, String)>>,
}

impl Watch {
    /// Begins: the count of now, and the end of the kernel log.
    pub fn begin() -> Watch {
        let group = memory_group();
        let before = group.as_deref().and_then(count);
        Watch { group, before, log: KernelLog::open(), pids: BTreeSet::new() }
    }

    /// Takes note of the run's command, and of the processes it has started so far: the log names the dead, who tell nobody
    /// any more whose they were.
    pub fn see(&mut self, pid: u32) {
        let mut next = vec![pid];
        while let Some(pid) = next.pop().filter(|_| self.pids.len() < MOST) {
            self.pids.insert(pid);
            let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
            next.extend(children.split_ascii_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        }
    }

    /// What happened since, to the run that is this command's.
    pub fn found(&mut self, command: u32) -> Found {
        self.pids.insert(command);
        let now = self.group.as_deref().and_then(count);
        let counted = self.before.zip(now).map(|(before, now)| now.saturating_sub(before));
        let named = self.log.as_mut().map(|log| {
            let mut victims = log.victims();
            victims.retain(|(pid, _)| self.pids.contains(pid));
            victims
        });
        Found { counted, named }
    }
}

impl Found {
    /// Whether a process that was ended by a KILL was one of the victims.
    pub fn has_killed(&self, pid: u32) -> bool {
        match &self.named {
            Some(named) => named.iter().any(|(victim, _)| *victim == pid),
            None => self.counted.is_some_and(|n| n > 0),
        }
    }

    /// Whether any process of the run was one, by the log.
    pub fn is_named(&self) -> bool {
        self.named.as_ref().is_some_and(|named| !named.is_empty())
    }

    /// Whether any process was one, by the log or by the count.
    pub fn is_any(&self) -> bool {
        self.is_named() || self.counted.is_some_and(|n| n > 0)
    }

    /// What is known, in words; None: nothing can be.
    pub fn words(&self) -> Option<String> {
        let named = self.named.as_ref().map(|named| match named.as_slice() {
            [] => "the kernel log names no process of this run as killed for lack of memory".to_string(),
            victims => {
                let victims: Vec<String> =
                    victims.iter().take(8).map(|(pid, name)| format!("{pid} ({name})")).collect();
                format!("killed for lack of memory, says the kernel log: {}", victims.join(", "))
            }
        });
        let counted = self.counted.filter(|n| *n > 0 || self.named.is_none()).map(|n| match n {
            0 => "the control group counts no kill for lack of memory".to_string(),
            n => format!("the control group counts {n} killed for lack of memory"),
        });
        let parts: Vec<String> = named.into_iter().chain(counted).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// Kills for lack of memory in a group and those below it, of either version.
fn count(group: &Path) -> Option<u64> {
    if let Some(n) = read_count(&group.join("memory.events")) {
        return Some(n);
    }
    let own = read_count(&group.join("memory.oom_control"))?;
    let (mut total, mut next, mut seen) = (own, vec![group.to_path_buf()], 0);
    while let Some(dir) = next.pop() {
        for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
            if seen < MOST_GROUPS && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                seen += 1;
                total = total.saturating_add(read_count(&entry.path().join("memory.oom_control")).unwrap_or(0));
                next.push(entry.path());
            }
        }
    }
    Some(total)
}

fn read_count(path: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| line.strip_prefix("oom_kill "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_are_counted() {
        let top = std::env::temp_dir().join(format!("nn-oom-{}", std::process::id()));
        let group = |name: &str, files: &[(&str, &str)]| {
            let dir = top.join(name);
            std::fs::create_dir_all(&dir).unwrap();
            files.iter().for_each(|(file, text)| std::fs::write(dir.join(file), text).unwrap());
            dir
        };
        let two = group("two", &[("memory.events", "low 0\noom 9\noom_kill 3\noom_group_kill 1\n")]);
        assert_eq!(count(&two), Some(3));
        let one = group("one", &[("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n")]);
        group("one/a/b", &[("memory.oom_control", "oom_kill 4\n")]);
        assert_eq!(count(&one), Some(5));
        assert_eq!(count(&group("odd", &[("memory.events", "oom_kill x\n")])), None);
        std::fs::remove_dir_all(top).unwrap();
    }

    #[test]
    fn the_log_knows_better_than_the_count() {
        let found = |counted, named: Option<&[u32]>| Found {
            counted,
            named: named.map(|pids| pids.iter().map(|pid| (*pid, "py".to_string())).collect()),
        };
        assert!(found(None, Some(&[7])).has_killed(7) && !found(Some(1), Some(&[8])).has_killed(7));
        assert!(found(Some(1), None).has_killed(7) && !found(Some(0), None).has_killed(7));
        assert_eq!(found(None, None).words(), None);
        assert_eq!(
            found(Some(2), Some(&[7])).words().unwrap(),
            "killed for lack of memory, says the kernel log: 7 (py); the control group counts 2 killed for lack of memory"
        );
    }
}
