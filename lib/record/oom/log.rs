//! The kernel log as a witness of kills for lack of memory: /dev/kmsg, see the kernel's dev-kmsg. One read gives one record
//! `PRIORITY,SEQUENCE,TIME,FLAGS;TEXT`, never waiting; records that were overwritten are skipped by the kernel.
//!
//! Only the kernel's own records count (facility 0: anybody who may write there gets another). Its pids are those of the
//! machine: in a container with pids of its own they say nothing, and the log is not read.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;

/// Inode of the machine's own pid namespace, fixed in the kernel.
const MACHINE: &str = "pid:[4026531836]";
/// Longest record, and most records read at once: a log that is written faster than it is read has no end.
const LONGEST: usize = 8192;
const MOST: usize = 1 << 17;

/// The kernel log, from where it ended when this was made.
#[derive(Debug)]
pub(super) struct KernelLog {
    file: File,
}

impl KernelLog {
    /// None: it cannot be read here.
    pub(super) fn open() -> Option<KernelLog> {
        const O_NONBLOCK: i32 = 0o4000;
        if std::fs::read_link("/proc/self/ns/pid").ok()?.to_str() != Some(MACHINE) {
            return None;
        }
        let mut file = File::options().read(true).custom_flags(O_NONBLOCK).open("/dev/kmsg").ok()?;
        file.seek(SeekFrom::End(0)).ok()?;
        Some(KernelLog { file })
    }

    /// Pid and command name of what was killed since the last look.
    pub(super) fn victims(&mut self) -> Vec<(u32, String)> {
        const EPIPE: i32 = 32;
        let mut found = Vec::new();
        let mut record = vec![0; LONGEST];
        for _ in 0..MOST {
            match self.file.read(&mut record) {
                Ok(0) => break,
                Ok(n) => found.extend(record.get(..n).and_then(victim)),
                Err(err) if err.kind() == ErrorKind::Interrupted || err.raw_os_error() == Some(EPIPE) => {}
                Err(_) => break,
            }
        }
        // Two lines tell of each.
        found.sort();
        found.dedup_by_key(|(pid, _)| *pid);
        found
    }
}

/// The process a record says was killed.
fn victim(record: &[u8]) -> Option<(u32, String)> {
    let text = String::from_utf8_lossy(record);
    let (head, text) = text.split_once(';')?;
    let priority: u32 = head.split(',').next()?.parse().ok()?;
    let text = text.lines().next()?;
    if priority >= 8 {
        return None;
    }
    // "Memory cgroup out of memory: Killed process 71 (python3) total-vm:…"; the name may hold anything.
    if let Some((_, rest)) = text.split_once("Killed process ") {
        let (pid, rest) = rest.split_once(|c: char| !c.is_ascii_digit())?;
        let name = rest.strip_prefix('(')?.rsplit_once(')')?.0;
        return Some((pid.parse().ok()?, name.to_string()));
    }
    // "oom-kill:constraint=…,task_memcg=/a,task=python3,pid=71,uid=0"
    let rest = text.strip_prefix("oom-kill:")?;
    let (rest, pid) = rest.rsplit_once(",pid=")?;
    let pid = pid.split(',').next()?.parse().ok()?;
    Some((pid, rest.split_once(",task=")?.1.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_several_kernels() {
        let killed = |text: &str| victim(text.as_bytes());
        let is = |pid, name: &str| Some((pid, name.to_string()));
        for (text, victim) in [
            ("3,1,2,-;Out of memory: Killed process 71 (python3) total-vm:9kB, anon-rss:8kB", is(71, "python3")),
            (
                "3,1,2,-;Memory cgroup out of memory: Killed process 71 (a) (b) total-vm:9kB\n SUBSYSTEM=x",
                is(71, "a) (b"),
            ),
            ("3,1,2,-;Killed process 71 (x,pid=3,) total-vm:9kB", is(71, "x,pid=3,")),
            (
                "6,1,2,-;oom-kill:constraint=CONSTRAINT_MEMCG,task_memcg=/a,task=py,pid=4,x,pid=71,uid=0",
                is(71, "py,pid=4,x"),
            ),
            ("6,1,2,-;oom_reaper: reaped process 71 (python3), now anon-rss:0kB", None),
            ("12,1,2,-;Killed process 71 (forged) total-vm:9kB", None),
            ("3,1,2,-;Killed process 99999999999 (x) total", None),
            ("3,1,2,-;Killed process  (x)", None),
            ("3;Killed process 71", None),
            ("oom-kill:,task=,pid=", None),
            ("6,1,2,-;oom-kill:,pid=", None),
            ("", None),
        ] {
            assert_eq!(killed(text), victim, "{text}");
        }
        assert_eq!(victim(b"3,1,2,-;Killed process 71 (\xff) t"), is(71, "\u{fffd}"));
    }
}
