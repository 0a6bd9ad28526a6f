//! Who holds a run: a process named so that no other can be taken for it, on any host and after any reboot.
//!
//! `HOST,BOOT8,PIDNS,PID,START`: host name, first 8 hex digits of boot_id, inode of the pid namespace, pid, and field 22
//! of /proc/PID/stat (start time in clock ticks since boot, read after the LAST `)`: a command may be called anything).
//! Death is only ever proved, never guessed from silence: same host, boot and namespace, and the pid gone, a zombie, or
//! with another start time.

use crate::base::error::{Doing, Result};
use crate::base::sys;
use std::fmt;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

/// A process, see the module.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// Host name, as `sys::host_name` reduces it
    pub host: String,
    /// First 8 hex digits of the boot id
    pub boot: String,
    /// Inode of the pid namespace
    pub namespace: u64,
    /// Process id
    pub pid: u32,
    /// Start time in clock ticks since boot
    pub start: u64,
}

/// What is known of an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It runs.
    Alive,
    /// Proved dead.
    Dead,
    /// The same host name, another boot: dead if it is the same machine, which only a silent lease can add.
    Rebooted,
    /// On another host or in another container: nothing is known from here.
    Unknown,
}

/// This machine as seen from this process, read once.
#[derive(Clone, Debug)]
struct Here {
    host: String,
    boot: String,
    namespace: u64,
}

fn here() -> &'static Here {
    static HERE: OnceLock<Here> = OnceLock::new();
    HERE.get_or_init(|| {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let boot: String = boot.chars().filter(char::is_ascii_hexdigit).take(8).collect();
        let namespace = std::fs::read_link("/proc/self/ns/pid").ok();
        let namespace = namespace.and_then(|link| {
            let text = link.to_string_lossy().into_owned();
            text.trim_start_matches("pid:[").trim_end_matches(']').parse().ok()
        });
        Here {
            host: sys::host_name(),
            boot: if boot.len() == 8 { boot } else { "00000000".into() },
            namespace: namespace.unwrap_or(0),
        }
    })
}

impl Owner {
    /// This process.
    ///
    /// # Errors
    /// /proc cannot be read.
    pub fn me() -> Result<Owner> {
        Owner::of(std::process::id())
    }

    /// A living process of this host.
    ///
    /// # Errors
    /// There is none, or /proc cannot be read.
    pub fn of(pid: u32) -> Result<Owner> {
        let path = format!("/proc/{pid}/stat");
        let stat = std::fs::read(&path).doing("read", &path)?;
        let (_, start) =
            parse_stat(&stat).ok_or_else(|| crate::base::error::Error::data(&path, 0, "not in the form of proc(5)"))?;
        let Here { host, boot, namespace } = here().clone();
        Ok(Owner { host, boot, namespace, pid, start })
    }

    /// Reads what `Display` wrote.
    pub fn parse(text: &str) -> Option<Owner> {
        let mut parts = text.split(',');
        let host = parts.next().filter(|h| is_name(h, 60))?.to_string();
        let boot = parts.next().filter(|b| is_name(b, 8))?.to_string();
        let namespace = number(parts.next()?)?;
        let pid = u32::try_from(number(parts.next()?)?).ok()?;
        let start = number(parts.next()?)?;
        parts.next().is_none().then_some(Owner { host, boot, namespace, pid, start })
    }

    /// Whether it lives, as far as can be known from here.
    pub fn life(&self) -> Life {
        let here = here();
        if self.host != here.host {
            return Life::Unknown;
        }
        if self.boot != here.boot {
            return Life::Rebooted;
        }
        if self.namespace != here.namespace {
            return Life::Unknown;
        }
        match std::fs::read(format!("/proc/{}/stat", self.pid)) {
            Ok(stat) => match parse_stat(&stat) {
                Some((state, start)) if start == self.start && !matches!(state, b'Z' | b'X') => Life::Alive,
                Some(_) => Life::Dead,
                None => Life::Unknown,
            },
            // hidepid may hide what lives: only the kernel's own "no such process" is proof.
            Err(_) => match sys::kill(self.pid, sys::Signal(0)) {
                Err(err) if err.raw_os_error() == Some(3) => Life::Dead,
                _ => Life::Unknown,
            },
        }
    }

    /// Whether it is of that host, or of that `HOST,BOOT` or `HOST,BOOT,NS`: a boot or a container of it.
    pub fn is_of(&self, place: &str) -> bool {
        self.to_string().strip_prefix(place).is_some_and(|rest| rest.starts_with(','))
    }

    /// How long ago it was started, by a clock that nobody sets; None: it is not on this host.
    pub fn age(&self) -> Option<Duration> {
        let uptime = std::fs::read_to_string("/proc/uptime").ok().filter(|_| self.is_here())?;
        let uptime: f64 = uptime.split(' ').next()?.parse().ok()?;
        Some(Duration::try_from_secs_f64(uptime - self.start as f64 / sys::clock_ticks() as f64).unwrap_or_default())
    }

    /// Whether it is on this host and in this pid namespace, so that it can be signalled.
    pub fn is_here(&self) -> bool {
        let here = here();
        self.host == here.host && self.boot == here.boot && self.namespace == here.namespace
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{},{},{},{},{}", self.host, self.boot, self.namespace, self.pid, self.start)
    }
}

fn is_name(text: &str, longest: usize) -> bool {
    !text.is_empty()
        && text.len() <= longest
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}

fn number(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.len() <= 20 && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

/// The fields of /proc/PID/stat from the third on, proc_pid_stat(5).
fn stat_fields(stat: &[u8]) -> Option<std::str::SplitAsciiWhitespace<'_>> {
    let after = stat.iter().rposition(|&b| b == b')')?;
    std::str::from_utf8(stat.get(after + 1..)?).ok().map(str::split_ascii_whitespace)
}

/// State and start time: fields 3 and 22. Of a process whose first thread has left, which shows as a zombie, the others
/// (their number is field 20) may go on: it sleeps then.
fn parse_stat(stat: &[u8]) -> Option<(u8, u64)> {
    let mut fields = stat_fields(stat)?;
    let state = *fields.next()?.as_bytes().first()?;
    let threads: u64 = fields.nth(16)?.parse().ok()?;
    let start = fields.nth(1)?.parse().ok()?;
    Some((if state == b'Z' && threads > 1 { b'S' } else { state }, start))
}

/// A process's parent, if it lives.
pub fn parent_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    stat_fields(&stat)?.nth(1)?.parse().ok()
}

/// A process's start time, if it lives: with its pid, what no other process shares until the next boot.
pub fn start_of(pid: u32) -> Option<u64> {
    let stat = std::fs::read(Path::new("/proc").join(pid.to_string()).join("stat")).ok()?;
    parse_stat(&stat).map(|(_, start)| start)
}

/// Whether a command that leads its process group lives, or anything of that group. A zombie does not: the first process
/// of a container may never wait for it.
pub fn leader_or_group_lives(pid: u32, start: u64) -> bool {
    let stat_of = |pid: u32| std::fs::read(format!("/proc/{pid}/stat")).ok();
    let is_dead = |state: u8| matches!(state, b'Z' | b'X');
    match stat_of(pid).as_deref().and_then(parse_stat) {
        Some((state, same)) if same == start && !is_dead(state) => return true,
        // Its number was given anew, which is not done while a group bears it.
        Some((_, other)) if other != start => return false,
        _ => {}
    }
    if !sys::group_exists(pid) {
        return false;
    }
    // Where hidepid hides others' processes, that there is a group has to do.
    stat_of(1).is_none() || !group(pid).is_empty()
}

/// The living members of a process group, as far as /proc shows them.
pub fn group(id: u32) -> Vec<u32> {
    let member = |entry: std::fs::DirEntry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read(entry.path().join("stat")).ok()?;
        let (state, _) = parse_stat(&stat)?;
        (stat_fields(&stat)?.nth(2)?.parse() == Ok(id) && !matches!(state, b'Z' | b'X')).then_some(pid)
    };
    std::fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(member).collect()
}

/// The wait status of a zombie, field 52: what its parent has not asked for yet. Shown to whoever may trace it.
pub fn status_of_zombie(pid: u32, start: u64) -> Option<i32> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    let is_it = |(state, same): &(u8, u64)| *state == b'Z' && *same == start && !sys::plays_old_kernel();
    parse_stat(&stat).filter(is_it)?;
    stat_fields(&stat)?.nth(49)?.parse().ok()
}

/// Whether the kernel shows this process all of another, which lives: field 26 is 1 instead of an address otherwise.
pub fn is_shown(pid: u32) -> bool {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat_fields(&stat).and_then(|mut fields| fields.nth(23)).is_some_and(|code| code != "1" && code != "0")
}

/// The process group a process is in, if it lives.
pub fn group_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    stat_fields(&stat)?.nth(2)?.parse().ok()
}

/// How long a process with this start time (field 22 of its stat) has lived.
pub fn age(start: u64) -> Option<Duration> {
    let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
    let uptime: f64 = uptime.split_ascii_whitespace().next()?.parse().ok()?;
    Duration::try_from_secs_f64(uptime - start as f64 / sys::clock_ticks() as f64).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back() {
        let me = Owner::me().unwrap();
        assert_eq!(Owner::parse(&me.to_string()), Some(me.clone()));
        assert_eq!(me.life(), Life::Alive);
        assert!(me.age().is_some_and(|age| age < Duration::from_secs(3600)));
        assert_eq!(Owner { boot: "ffffffff".into(), ..me.clone() }.age(), None);
        let container = format!("{},{},{}", me.host, me.boot, me.namespace);
        assert!([&me.host, &container].iter().all(|place| me.is_of(place)));
        assert!(!me.is_of("") && !me.is_of(&me.host[1..]) && !me.is_of(&container[..container.len() - 1]));
        for bad in
            ["", "a,b,c", "../x,01234567,1,2,3", "h,01234567,1,2,3,4", "h,01234567,-1,2,3", "h,1,1,99999999999,3"]
        {
            assert_eq!(Owner::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn death_is_proved() {
        let me = Owner::me().unwrap();
        assert_eq!(Owner { start: me.start + 1, ..me.clone() }.life(), Life::Dead);
        assert_eq!(Owner { host: "elsewhere".into(), ..me.clone() }.life(), Life::Unknown);
        assert_eq!(Owner { boot: "ffffffff".into(), ..me.clone() }.life(), Life::Rebooted);
        assert_eq!(Owner { namespace: 1, ..me.clone() }.life(), Life::Unknown);
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let owner = Owner::of(child.id());
        child.wait().unwrap();
        if let Ok(owner) = owner {
            assert_eq!(owner.life(), Life::Dead);
        }
    }

    #[test]
    fn any_command_name() {
        let tail = |state| format!("42 (a) b\n(c)) {state} 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 THREADS 18 4711 20");
        assert_eq!(parse_stat(tail("S").replace("THREADS", "1").as_bytes()), Some((b'S', 4711)));
        assert_eq!(parse_stat(tail("Z").replace("THREADS", "1").as_bytes()), Some((b'Z', 4711)));
        assert_eq!(parse_stat(tail("Z").replace("THREADS", "2").as_bytes()), Some((b'S', 4711)));
        assert_eq!(parse_stat(b"42 (x"), None);
        assert_eq!(parse_stat(b"42 (x) S 1"), None);
    }
}
