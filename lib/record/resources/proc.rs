//! /proc read once: every process with its parent, its group and what it has used, proc_pid_stat(5). One file a process;
//! only for those of our runs more is read. Threads of the kernel, of which a big machine has thousands, are remembered
//! and left out.

use crate::base::sys;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;

/// So many scans a thread of the kernel is left out unseen: its pid may have become another's.
const FORGET: u32 = 30;
/// The parent of all threads of the kernel.
const KTHREADD: u32 = 2;

/// What one process shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stat {
    pub pid: u32,
    pub parent: u32,
    pub group: u32,
    pub session: u32,
    /// Its own ticks of processor time and those of children it has waited for
    pub ticks: u64,
    pub threads: u64,
    /// Resident pages
    pub pages: u64,
    /// Ticks since boot
    pub start: u64,
}

/// Reads one line of /proc/PID/stat.
pub fn parse(pid: u32, stat: &[u8]) -> Option<Stat> {
    let after = stat.iter().rposition(|&b| b == b')')?;
    let text = std::str::from_utf8(stat.get(after + 1..)?).ok()?;
    let fields: Vec<&str> = text.split_ascii_whitespace().take(22).collect();
    let number = |i: usize| fields.get(i).and_then(|field| field.parse::<u64>().ok());
    let pid_at = |i: usize| number(i).and_then(|n| u32::try_from(n).ok());
    let ticks = (11..15).filter_map(number).fold(0u64, u64::saturating_add);
    Some(Stat {
        pid,
        parent: pid_at(1)?,
        group: pid_at(2).unwrap_or(0),
        session: pid_at(3).unwrap_or(0),
        ticks,
        threads: number(17)?,
        pages: number(21)?,
        start: number(19)?,
    })
}

/// Reads /proc again and again.
#[derive(Debug, Default)]
pub struct Scanner {
    kernel: HashSet<u32>,
    scans: u32,
}

/// All processes at one time.
#[derive(Debug, Default)]
pub struct Processes {
    stats: HashMap<u32, Stat>,
    children: HashMap<u32, Vec<u32>>,
}

impl Scanner {
    /// Everything there is now.
    pub fn scan(&mut self) -> Processes {
        if self.scans.is_multiple_of(FORGET) {
            self.kernel.clear();
        }
        self.scans = self.scans.wrapping_add(1);
        let mut found = Vec::new();
        let mut buffer = [0; 1024];
        for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let pid = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok());
            let Some(pid) = pid.filter(|pid| !self.kernel.contains(pid)) else { continue };
            let read = File::open(format!("/proc/{pid}/stat")).and_then(|mut file| file.read(&mut buffer));
            let stat = read.ok().and_then(|n| parse(pid, buffer.get(..n)?));
            match stat {
                Some(stat) if stat.parent == KTHREADD || pid == KTHREADD => _ = self.kernel.insert(pid),
                Some(stat) => found.push(stat),
                None => {}
            }
        }
        Processes::of(found)
    }
}

impl Processes {
    /// These.
    pub fn of(found: Vec<Stat>) -> Processes {
        let mut all = Processes::default();
        for stat in found {
            all.children.entry(stat.parent).or_default().push(stat.pid);
            all.stats.insert(stat.pid, stat);
        }
        all
    }

    /// A process.
    pub fn get(&self, pid: u32) -> Option<&Stat> {
        self.stats.get(&pid)
    }

    /// What runs below a runner, which gathers the orphans of its command. Its own helpers are not of the run: they stay
    /// in its process group, in which the command never is.
    pub fn below(&self, runner: u32) -> Vec<&Stat> {
        let Some(own) = self.get(runner).map(|stat| stat.group) else { return Vec::new() };
        let first = self.children.get(&runner).into_iter().flatten();
        let first = first.filter(|pid| self.get(**pid).is_some_and(|stat| stat.group != own)).copied();
        self.descend(first.collect())
    }

    /// A command whose runner is another than its parent: it, its group and session, and what is below them.
    pub fn command(&self, pid: u32, start: u64) -> Vec<&Stat> {
        let is_it = self.get(pid).is_none_or(|stat| stat.start == start);
        let first = self.stats.values().filter(|stat| stat.pid == pid || stat.group == pid || stat.session == pid);
        if is_it { self.descend(first.map(|stat| stat.pid).collect()) } else { Vec::new() }
    }

    fn descend(&self, mut next: Vec<u32>) -> Vec<&Stat> {
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        while let Some(pid) = next.pop() {
            if !seen.insert(pid) {
                continue;
            }
            found.extend(self.get(pid));
            next.extend(self.children.get(&pid).into_iter().flatten());
        }
        found
    }
}

/// What processes use together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Use {
    /// Seconds of processor time
    pub cpu: f64,
    /// Resident bytes; what several share counts for each
    pub rss: u64,
    /// Bytes read from and written to disks; None: the kernel does not tell
    pub io: Option<(u64, u64)>,
    pub threads: u64,
    /// Open files; None: they are somebody else's
    pub files: Option<u64>,
    pub processes: u64,
}

/// Adds up.
pub fn measure(tree: &[&Stat]) -> Use {
    let mut sum = Use::default();
    let ticks: u64 = tree.iter().map(|stat| stat.ticks).sum();
    sum.cpu = ticks as f64 / sys::clock_ticks() as f64;
    let add = |sum: &mut Option<u64>, n: u64| *sum = Some(sum.unwrap_or(0).saturating_add(n));
    for stat in tree {
        sum.rss = sum.rss.saturating_add(stat.pages.saturating_mul(sys::page_size()));
        sum.threads += stat.threads;
        sum.processes += 1;
        if let Some((read, written)) = io(stat.pid) {
            let before = sum.io.unwrap_or_default();
            sum.io = Some((before.0.saturating_add(read), before.1.saturating_add(written)));
        }
        if let Some(n) = open_files(stat.pid) {
            add(&mut sum.files, n);
        }
    }
    sum
}

/// proc_pid_io(5): what went to and came from disks. It includes that of children which were waited for.
fn io(pid: u32) -> Option<(u64, u64)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/io")).ok()?;
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    Some((field("read_bytes:")?, field("write_bytes:")?))
}

/// Since Linux 6.2 the size of /proc/PID/fd is their number; before it is 0, and they are counted.
fn open_files(pid: u32) -> Option<u64> {
    let path = format!("/proc/{pid}/fd");
    match std::fs::metadata(&path).ok()?.len() {
        0 => Some(std::fs::read_dir(path).ok()?.count() as u64),
        n => Some(n),
    }
}

/// Resident bytes in which each shared page counts by the part of it that falls to these, /proc/PID/smaps_rollup. Takes the
/// kernel 15 ms for each GiB, during which the process cannot map memory.
pub fn proportional(tree: &[&Stat]) -> Option<u64> {
    let pss = |stat: &&Stat| {
        let text = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", stat.pid)).ok()?;
        let kib =
            text.lines().find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix("kB")?.trim().parse().ok());
        kib.map(|kib: u64| kib.saturating_mul(1024))
    };
    tree.iter().map(pss).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stat(pid: u32, parent: u32, group: u32) -> Stat {
        Stat { pid, parent, group, session: group, start: 7, ..Stat::default() }
    }

    #[test]
    fn fields() {
        let line = b"42 (a) b\n(c)) S 1 40 39 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 300 x";
        let expected =
            Stat { pid: 42, parent: 1, group: 40, session: 39, ticks: 50, threads: 17, pages: 300, start: 4711 };
        assert_eq!(parse(42, line), Some(expected));
        assert_eq!(parse(1, b"1 (x"), None);
        assert_eq!(parse(1, b"1 (x) S 1 2 3"), None);
    }

    #[test]
    fn a_run_is_what_is_below_its_runner() {
        let all = Processes::of(vec![
            stat(10, 1, 10),
            stat(11, 10, 11),
            stat(12, 11, 11),
            stat(13, 10, 13), // an orphan that left the group
            stat(14, 10, 10), // git, asked by the runner
            stat(15, 14, 10),
            stat(20, 1, 20),
        ]);
        let mut pids: Vec<u32> = all.below(10).iter().map(|stat| stat.pid).collect();
        pids.sort_unstable();
        assert_eq!(pids, [11, 12, 13]);
        assert!(all.below(99).is_empty());
        assert_eq!(all.command(11, 7).len(), 2);
        assert!(all.command(11, 8).is_empty());
    }

    #[test]
    fn circles_end() {
        let all = Processes::of(vec![stat(1, 2, 9), stat(2, 1, 9), stat(3, 3, 3)]);
        assert_eq!(all.command(9, 7).len(), 2);
        assert_eq!(all.command(3, 7).len(), 1);
    }

    #[test]
    fn this_process() {
        let mut scanner = Scanner::default();
        let all = scanner.scan();
        let me = all.get(std::process::id()).unwrap();
        let used = measure(&[me]);
        assert!(used.rss > 0 && used.threads > 0 && used.files.unwrap() > 0 && used.processes == 1);
        assert!(proportional(&[me]).is_none_or(|pss| pss > 0));
    }
}
