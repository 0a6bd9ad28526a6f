//! Other hosts, as far as one machine can play them: a UTS namespace with a host name of its own, and a boot id of its own
//! bound over the kernel's in a mount namespace. Pids are the machine's, so that a test can signal every process; with
//! `alone` they are the host's own, and so is its network. Needs root.

use crate::place::{Place, say};
use std::fs;
use std::process::Command;

/// A host by its name.
#[derive(Clone, Debug)]
pub struct Host {
    name: String,
    boot: String,
    more: &'static [&'static str],
}

/// What makes a namespace of pids and one of networks, which die with their first process.
const ALONE: &[&str] = &["-n", "-p", "-f", "--mount-proc", "--kill-child"];

impl Host {
    /// A host; None, and said, where the system refuses that. `boot` is any digit: the same name with another is a reboot.
    pub fn new(place: &Place, name: &str, boot: u8, test: &str) -> Option<Host> {
        Host::with(place, name, boot, test, &[])
    }

    /// A host with process ids and a network of its own. The pid of a child is that of unshare, above the host's first.
    pub fn alone(place: &Place, name: &str, boot: u8, test: &str) -> Option<Host> {
        Host::with(place, name, boot, test, ALONE)
    }

    fn with(place: &Place, name: &str, boot: u8, test: &str, more: &'static [&'static str]) -> Option<Host> {
        let id = format!("{boot:08x}-0000-4000-8000-000000000000\n");
        let file = place.dir.join(format!("boot-{boot}"));
        fs::write(&file, id).unwrap();
        let host = Host { name: name.to_string(), boot: file.to_string_lossy().into_owned(), more };
        let told = host.command(place, "sh").args(["-c", "hostname; cat /proc/sys/kernel/random/boot_id"]).output();
        let told = told.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
        if told.starts_with(&format!("{name}\n{boot:08x}-")) {
            return Some(host);
        }
        say(&format!("skipped: {test}: needs root and namespaces to play another host"));
        None
    }

    /// A program on this host; the pid of the child is that of the program itself.
    pub fn command(&self, place: &Place, program: &str) -> Command {
        let script = "hostname \"$1\" && mount --bind \"$2\" /proc/sys/kernel/random/boot_id && shift 2 && exec \"$@\"";
        let mut command = place.command("unshare");
        command.args(["-m", "-u"]).args(self.more).args(["sh", "-c", script, "sh", &self.name, &self.boot, program]);
        command
    }
}
