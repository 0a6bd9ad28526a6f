//! Kills for lack of memory, by the kernel itself: in a control group of the test's own below this process's, with little
//! memory. Needs root and a memory controller that may be used so; skipped otherwise.

use crate::place::{Place, output_within, say};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// A control group that is removed again.
struct Group(PathBuf);

impl Group {
    /// With 32 MiB; None where that cannot be.
    fn new() -> Option<Group> {
        let cgroup = fs::read_to_string("/proc/self/cgroup").ok()?;
        let own = |mark: &str| cgroup.lines().find_map(|line| line.split_once(mark).map(|(_, path)| path.to_string()));
        let name = format!("nn-it-{}", std::process::id());
        let one = own(":memory:").map(|path| (format!("/sys/fs/cgroup/memory{path}/{name}"), "memory.limit_in_bytes"));
        let two = own("0::").map(|path| (format!("/sys/fs/cgroup{path}/{name}"), "memory.max"));
        one.into_iter().chain(two).find_map(|(dir, limit)| {
            fs::create_dir(&dir).ok()?;
            let group = Group(dir.into());
            // A directory elsewhere would take any file.
            let limit = group.0.join(limit);
            (limit.exists() && fs::write(&limit, "33554432").is_ok()).then_some(group)
        })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // What was killed may take a moment to leave it.
        for _ in 0..100 {
            if fs::remove_dir(&self.0).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn kills_for_lack_of_memory() {
    let Some(group) = Group::new() else {
        return say("skipped: out of memory: needs root and a memory cgroup that may be divided");
    };
    let place = Place::new("oom");
    let script = r#"
echo 0 >"$GROUP/cgroup.procs" || exit 99
nn-queue init >/dev/null
nn-run -q -- tail /dev/zero; echo "exit $?"
nn-run -q -- sh -c 'tail /dev/zero; exit $?'; echo "exit $?"
nn-run -q -- sh -c 'tail /dev/zero; exit 3'; echo "exit $?"
nn-run -q -- sh -c 'kill -9 $$'; echo "exit $?"
ls spool/failed
"#;
    let mut sh = place.command("sh");
    sh.args(["-c", script]).env("GROUP", &group.0);
    let output = output_within(&mut sh, Duration::from_secs(60));
    if output.status.code() == Some(99) {
        return say("skipped: out of memory: the memory cgroup takes no process");
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let evidence = |run: u32| {
        let result = fs::read_to_string(place.dir.join(format!("spool/runs/{run}/result.json"))).unwrap();
        result.split("\"evidence\":\"").nth(1).unwrap_or_default().split('"').next().unwrap_or_default().to_string()
    };
    let says: Vec<String> = (1..=4).map(evidence).collect();
    let all = format!("{text}{says:#?}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.starts_with("exit 137\nexit 137\nexit 3\nexit 137\n"), "{all}");
    for failed in ["0000001.1~oom", "0000002.1~oom", "0000003.1~exit,3", "0000004.1~signal,9"] {
        assert!(text.contains(failed), "{failed}: {all}");
    }
    assert!(says[0].contains("(tail)") || says[0].contains("control group counts"), "{all}");
    assert!(says[2].contains("killed for lack of memory"), "{all}");
    assert!(says[3].starts_with("KILL came from elsewhere"), "{all}");
}
