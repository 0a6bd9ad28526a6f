//! Memory: what the kernel says can be had without swapping (MemAvailable), and what is left below the limits of the
//! control groups this process is in, whose limits hold for it and all its children. Version 2 (memory.max,
//! memory.current) and version 1 (memory.limit_in_bytes, memory.usage_in_bytes), each level up the hierarchy: the least
//! counts. What a group has cached of files can be taken back, and counts as free.

use super::mounts;
use std::path::{Component, Path, PathBuf};

/// What limits memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemoryBy {
    /// The machine's own
    Machine,
    /// The limit of a control group, by its path below the hierarchy
    Group(String),
    /// The limit of one process's address space, `ulimit -v`
    AddressSpace,
}

impl MemoryBy {
    /// In words.
    pub fn words(&self) -> String {
        match self {
            MemoryBy::Machine => "machine".to_string(),
            MemoryBy::Group(path) => format!("cgroup {path}"),
            MemoryBy::AddressSpace => "ulimit -v".to_string(),
        }
    }
}

/// Room for memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Bytes that can be had now
    pub available: u64,
    /// What they are limited by
    pub by: MemoryBy,
    /// Bytes in all, within that limit
    pub total: u64,
}

/// How much memory there is for this process and its children. None: the kernel does not say.
pub fn memory() -> Option<Memory> {
    read(Path::new("/"))
}

/// The same, with /proc and /sys below `root`.
fn read(root: &Path) -> Option<Memory> {
    let text = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default();
    let meminfo = text("proc/meminfo");
    let kib = |name: &str| field(&meminfo, name).map(|kib| kib.saturating_mul(1024));
    // Kernels before 3.14 have no MemAvailable.
    let free = || kib("MemFree:").map(|free| free.saturating_add(kib("Cached:").unwrap_or(0)));
    let machine = kib("MemAvailable:").or_else(free).map(|available| Memory {
        available,
        by: MemoryBy::Machine,
        total: kib("MemTotal:").unwrap_or(available),
    });
    let limits = text("proc/self/limits");
    let address = limits.lines().find_map(|line| line.strip_prefix("Max address space")).and_then(|rest| {
        let limit = rest.split_whitespace().next()?.parse().ok()?;
        Some(Memory { available: limit, by: MemoryBy::AddressSpace, total: limit })
    });
    let groups = groups(root, &text("proc/self/cgroup"));
    machine.into_iter().chain(groups).chain(address).min_by_key(|memory| memory.available)
}

/// The number behind a name: `name 123`, one a line.
fn field(text: &str, name: &str) -> Option<u64> {
    let mut words = text.lines().map(str::split_whitespace);
    words.find_map(|mut line| (line.next() == Some(name)).then(|| line.next()?.parse().ok())?)
}

/// The limits of all groups from this process's own up to the top, of both versions.
fn groups(root: &Path, cgroup: &str) -> Vec<Memory> {
    let mut found = Vec::new();
    let mounts = mounts::all(root.join("proc/self/mountinfo"));
    for line in cgroup.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(id), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else { continue };
        let is_two = id == "0" && controllers.is_empty();
        if !is_two && !controllers.split(',').any(|c| c == "memory") {
            continue;
        }
        let (kind, names) = if is_two { ("cgroup2", &TWO) } else { ("cgroup", &ONE) };
        for mount in mounts.iter().filter(|mount| mount.kind == kind) {
            let top = root.join(mount.point.strip_prefix("/").unwrap_or(&mount.point));
            // In a container the mount shows only what is below its root.
            let below = Path::new(path).strip_prefix(&mount.root).unwrap_or(Path::new(""));
            let plain: PathBuf = below.components().filter(|c| matches!(c, Component::Normal(_))).collect();
            for level in plain.ancestors() {
                found.extend(group(&top.join(level), level, names));
            }
        }
    }
    found
}

/// What the files of a version are called.
struct Names {
    max: &'static str,
    used: &'static str,
    /// Of memory.stat, with what the groups below hold: what can be taken back
    cached: [&'static str; 3],
}

const TWO: Names =
    Names { max: "memory.max", used: "memory.current", cached: ["inactive_file", "active_file", "slab_reclaimable"] };
const ONE: Names = Names {
    max: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    cached: ["total_inactive_file", "total_active_file", ""],
};

/// The folder of the control group whose memory this process's is counted with, of either version.
pub fn memory_group() -> Option<PathBuf> {
    let cgroup = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let is_there = |dir: &Path| ["memory.events", "memory.oom_control"].iter().any(|name| dir.join(name).exists());
    let mut paths: Vec<(&str, &str)> = Vec::new();
    for line in cgroup.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(id), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else { continue };
        if controllers.split(',').any(|c| c == "memory") {
            paths.insert(0, ("cgroup", path));
        } else if id == "0" && controllers.is_empty() {
            paths.push(("cgroup2", path));
        }
    }
    // Where they usually are; the table of mounts is long, and read only where they are not.
    for (kind, path) in &paths {
        let usual: &[&str] =
            if *kind == "cgroup" { &["/sys/fs/cgroup/memory"] } else { &["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] };
        let below = path.trim_start_matches('/');
        let is_plain = Path::new(below).components().all(|c| matches!(c, Component::Normal(_)));
        if let Some(dir) = usual.iter().map(|top| Path::new(top).join(below)).find(|dir| is_plain && is_there(dir)) {
            return Some(dir);
        }
    }
    if paths.iter().all(|(_, path)| *path == "/") {
        return None;
    }
    let mounts = mounts::all("/proc/self/mountinfo");
    for (kind, path) in &paths {
        for mount in mounts.iter().filter(|mount| mount.kind == *kind) {
            let below = Path::new(path).strip_prefix(&mount.root).unwrap_or(Path::new(""));
            let plain: PathBuf = below.components().filter(|c| matches!(c, Component::Normal(_))).collect();
            let dir = mount.point.join(plain);
            if is_there(&dir) {
                return Some(dir);
            }
        }
    }
    None
}

/// The room in one group, if it has a limit. ("max" is no number; version 1 shows no limit as a huge one.)
fn group(dir: &Path, level: &Path, names: &Names) -> Option<Memory> {
    let text = |name: &str| std::fs::read_to_string(dir.join(name)).ok();
    let total: u64 = text(names.max)?.trim().parse().ok().filter(|max| *max < 1 << 62)?;
    let used: u64 = text(names.used)?.trim().parse().ok()?;
    let stat = text("memory.stat").unwrap_or_default();
    let cached = names.cached.iter().filter_map(|name| field(&stat, name)).fold(0, u64::saturating_add);
    let available = total.saturating_sub(used.saturating_sub(cached));
    Some(Memory { available, by: MemoryBy::Group(format!("/{}", level.display())), total })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(name: &str, files: &[(&str, &str)]) -> PathBuf {
        let root = std::env::temp_dir().join(format!("nn-memory-{}-{name}", std::process::id()));
        for (path, text) in files {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    const MEMINFO: (&str, &str) = ("proc/meminfo", "MemTotal:  1000 kB\nMemFree:  100 kB\nMemAvailable:  500 kB\n");

    #[test]
    fn the_least_of_machine_and_groups_counts() {
        let alone = root("alone", &[MEMINFO]);
        let machine = Memory { available: 500 * 1024, by: MemoryBy::Machine, total: 1000 * 1024 };
        assert_eq!(read(&alone), Some(machine.clone()));
        let two = root(
            "two",
            &[
                MEMINFO,
                ("proc/self/cgroup", "0::/job_7/step\n"),
                ("proc/self/mountinfo", "1 2 0:3 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"),
                ("sys/fs/cgroup/job_7/step/memory.max", "max\n"),
                ("sys/fs/cgroup/job_7/step/memory.current", "5\n"),
                ("sys/fs/cgroup/job_7/memory.max", "300000\n"),
                ("sys/fs/cgroup/job_7/memory.current", "290000\n"),
                ("sys/fs/cgroup/job_7/memory.stat", "file 9\ninactive_file 100000\nactive_file 50000\n"),
            ],
        );
        let job = Memory { available: 160_000, by: MemoryBy::Group("/job_7".to_string()), total: 300_000 };
        assert_eq!(read(&two), Some(job));
        // Version 1 in a container: the path in the file begins above the mount.
        let one = root(
            "one",
            &[
                MEMINFO,
                ("proc/self/cgroup", "4:cpu,memory:/docker/abc/x\n1:name=systemd:/y\n0::/\n"),
                ("proc/self/mountinfo", "1 2 0:3 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"),
                ("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "9223372036854771712\n"),
                ("sys/fs/cgroup/memory/x/memory.usage_in_bytes", "1\n"),
                ("sys/fs/cgroup/memory/memory.limit_in_bytes", "4096\n"),
                ("sys/fs/cgroup/memory/memory.usage_in_bytes", "8192\n"),
            ],
        );
        assert_eq!(read(&one), Some(Memory { available: 0, by: MemoryBy::Group("/".to_string()), total: 4096 }));
        let ulimit = root(
            "ulimit",
            &[MEMINFO, ("proc/self/limits", "Max address space         4096         unlimited  bytes\n")],
        );
        assert_eq!(read(&ulimit).unwrap().by, MemoryBy::AddressSpace);
        let odd = root(
            "odd",
            &[
                MEMINFO,
                ("proc/self/cgroup", "\n::\n0::/../../x\n4:memory\n"),
                ("proc/self/mountinfo", "nonsense\n1 2 0:3 / /sys rw - cgroup2 c rw\n"),
                ("sys/x/memory.max", "-1\n"),
            ],
        );
        assert_eq!(read(&odd), Some(machine));
        for root in [alone, two, one, ulimit, odd] {
            std::fs::remove_dir_all(root).unwrap();
        }
        assert!(memory().is_some_and(|m| m.available > 0 && m.available <= m.total));
    }
}
