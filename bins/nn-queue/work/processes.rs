//! Which processes of this host belong to which run: those below its nn-run, and those that carry its directory in their
//! environment, should they have left it. One reading of /proc serves a whole look.

use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Deepest family tree that is followed.
const DEEPEST: usize = 64;
/// Bytes of a page, where the kernel's are the smallest; larger ones only make a run seem smaller than it is.
const PAGE: u64 = 4096;

/// Parent and resident pages of each process.
pub struct Processes(HashMap<u32, (u32, u64)>);

impl Processes {
    /// Reads /proc.
    pub fn read() -> Processes {
        let Ok(entries) = std::fs::read_dir("/proc") else { return Processes(HashMap::new()) };
        let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        Processes(pids.filter_map(|pid| Some((pid, parent_and_pages(pid)?))).collect())
    }

    /// Whether there is such a process here.
    pub fn has(&self, pid: u32) -> bool {
        self.0.contains_key(&pid)
    }

    /// The run that a process belongs to, given the nn-run of each and the folder of all runs.
    pub fn run_of(&self, pid: u32, runners: &HashMap<u32, u64>, runs: &Path) -> Option<u64> {
        let mut ancestor = pid;
        for _ in 0..DEEPEST {
            if let Some(run) = runners.get(&ancestor) {
                return Some(*run);
            }
            ancestor = self.0.get(&ancestor)?.0;
            if ancestor < 2 {
                break;
            }
        }
        let wanted = [b"NN_RUN_DIR=", runs.as_os_str().as_bytes(), b"/"].concat();
        let environ = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
        let number = environ.split(|b| *b == 0).find_map(|pair| pair.strip_prefix(wanted.as_slice()))?;
        std::str::from_utf8(number).ok()?.parse().ok()
    }

    /// Bytes of memory of each run, its nn-run included.
    pub fn memory(&self, runners: &HashMap<u32, u64>) -> HashMap<u64, u64> {
        let mut memory = HashMap::new();
        for (pid, (_, pages)) in &self.0 {
            let mut ancestor = *pid;
            for _ in 0..DEEPEST {
                if let Some(run) = runners.get(&ancestor) {
                    *memory.entry(*run).or_insert(0) += pages.saturating_mul(PAGE);
                    break;
                }
                match self.0.get(&ancestor) {
                    Some((parent, _)) if *parent > 1 => ancestor = *parent,
                    _ => break,
                }
            }
        }
        memory
    }
}

/// Fields 4 and 24 of /proc/PID/stat, proc_pid_stat(5).
fn parent_and_pages(pid: u32) -> Option<(u32, u64)> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    let after = stat.iter().rposition(|&b| b == b')')?;
    let mut fields = std::str::from_utf8(stat.get(after + 1..)?).ok()?.split_ascii_whitespace();
    let parent = fields.nth(1)?.parse().ok()?;
    Some((parent, fields.nth(19)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_belongs_to_its_parent() {
        let all = Processes::read();
        let me = std::process::id();
        let parent = all.0[&me].0;
        let runners = HashMap::from([(parent, 7)]);
        assert!(all.has(me) && all.run_of(me, &runners, Path::new("/x")) == Some(7));
        assert!(all.memory(&runners)[&7] > 1 << 16);
        assert_eq!(all.run_of(me, &HashMap::new(), Path::new("/no/such")), None);
    }
}
