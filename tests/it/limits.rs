//! Real refusals of the system: a full disk, no inodes, a read-only file system, no file descriptors, no processes. What
//! was acknowledged stays whole, what cannot be done is said with path and cause and exit 2, nothing half-written is
//! seen, and all goes on once there is room again.
//!
//! The file systems are tmpfs in a mount namespace of the test's own, which needs root; skipped otherwise.

use crate::place::{Place, output_within, say};
use std::process::Output;
use std::time::Duration;

/// Runs a script in a mount namespace with a tmpfs at $PWD/spool; None (and said) where that cannot be.
fn on_tmpfs(place: &Place, options: &str, script: &str) -> Option<Output> {
    let script =
        format!("mkdir -p spool && mount -t tmpfs -o mode=0700,{options} tmpfs spool || exit 99\nexec 2>&1\n{script}");
    let mut unshare = place.command("unshare");
    unshare.args(["-m", "sh", "-c", &script]);
    if place.command("unshare").args(["-m", "true"]).status().is_ok_and(|s| s.success()) {
        let output = output_within(&mut unshare, Duration::from_secs(60));
        if output.status.code() != Some(99) {
            return Some(output);
        }
    }
    say(&format!("skipped: tmpfs {options}: needs root and mount namespaces"));
    None
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Adds until it is refused, then checks; `$said` and `$n` are left for what follows.
const FILL: &str = r#"
nn-queue init >/dev/null || exit 1
n=0
while said=$(nn-queue add -n "job $n" -- sh -c 'exit 0' aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 2>&1); do
    n=$((n + 1)); [ $n -lt 5000 ] || break
done
nn-queue add -- true >/dev/null 2>&1; echo "exit $?"
echo "$said" | sed 's/runs\/[0-9]*/runs\/N/; s/queued\/[-0-9.]*/TOKEN/'
[ "$n" -gt 3 ] && echo "some were added"
[ "$(nn-queue list | wc -l)" = "$n" ] && echo "all that were acknowledged are listed"
[ "$(ls spool/queued | wc -l)" = "$n" ] && echo "and no other"
for run in $(nn-queue list | cut -f1); do nn-queue show "$run" >/dev/null || echo "$run is damaged"; done
"#;

#[test]
fn a_full_disk() {
    let place = Place::new("full");
    let script = format!(
        "{FILL}
dd if=/dev/zero of=spool/filler bs=1k 2>/dev/null
nn-queue cancel $(nn-queue list | head -n 1 | cut -f1) >/dev/null && ls spool/cancelled | wc -l
rm spool/filler spool/runs/[1-9]/env
nn-queue add -- true >/dev/null && echo 'there is room again'
"
    );
    let Some(output) = on_tmpfs(&place, "size=1m", &script) else { return };
    let text = text(&output);
    assert!(text.starts_with("exit 2\nnn-queue: cannot "), "{text}");
    assert!(
        text.lines().nth(1).is_some_and(|l| l.contains("/spool/") && l.ends_with(": No space left on device")),
        "{text}"
    );
    let rest: Vec<&str> = text.lines().skip(2).collect();
    let expected =
        ["some were added", "all that were acknowledged are listed", "and no other", "1", "there is room again"];
    assert_eq!(rest, expected, "{text}");
}

#[test]
fn no_inodes() {
    let place = Place::new("inodes");
    let Some(output) = on_tmpfs(&place, "size=4m,nr_inodes=80", FILL) else { return };
    let text = text(&output);
    assert!(
        text.lines().nth(1).is_some_and(|l| l.contains("/spool/") && l.ends_with(": No space left on device")),
        "{text}"
    );
    let expected = "some were added\nall that were acknowledged are listed\nand no other\n";
    assert!(text.starts_with("exit 2\n") && text.ends_with(expected), "{text}");
}

#[test]
fn a_disk_that_fills_up_under_a_run() {
    let place = Place::new("filling");
    // When the command ends the disk is full (but for a page that tmpfs may still find); then room comes back.
    let script = "
nn-queue init >/dev/null
nn-run -q -- sh -c 'dd if=/dev/zero of=spool/filler bs=1k; exit 3' >/dev/null 2>told &
until grep -qs 'trying again' told; do [ -e spool/runs/1/result.json ] && break; sleep 0.02; done
cat told | head -n 1
rm -f spool/filler
wait; echo \"exit $?\"; ls spool/failed spool/running
";
    let Some(output) = on_tmpfs(&place, "size=1m", script) else { return };
    let text = text(&output);
    assert!(text.contains("0000001.1~exit,3") && text.contains("No space left on device"), "{text}");
}

#[test]
fn a_read_only_spool() {
    let place = Place::new("read-only");
    let script = "
nn-queue init >/dev/null; nn-queue add -- true
mount -o remount,ro spool || exit 99
nn-queue add -- true; echo \"exit $?\"
nn-queue list | cut -f1,2; echo \"exit $?\"
nn-queue cancel 1; echo \"exit $?\"
nn-queue work; echo \"exit $?\"
nn-run -- echo ran; echo \"exit $?\"
";
    let Some(output) = on_tmpfs(&place, "size=1m", script) else { return };
    let text = text(&output);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "1", "{text}");
    let refused = lines.iter().filter(|l| l.contains("spool") && l.ends_with(": Read-only file system")).count();
    assert!(refused >= 3, "{text}");
    assert_eq!(lines.iter().filter(|l| **l == "exit 2").count(), 3, "{text}");
    assert!(text.contains("1\tqueued\nexit 0\n"), "{text}");
    assert!(lines.last() == Some(&"exit 125"), "{text}");
}

#[test]
fn no_file_descriptors_and_no_processes() {
    let place = Place::new("descriptors");
    let run = |script: &str| text(&output_within(place.command("sh").args(["-c", script]), Duration::from_secs(60)));
    run("nn-queue init; nn-queue add -- true");
    for limit in [4, 6, 7, 8, 9, 10] {
        let said = run(&format!("exec 2>&1; ulimit -n {limit}; nn-queue add -- true; echo \"exit $?\""));
        let good = said.ends_with("exit 0\n") || said.ends_with("exit 2\n") || said.contains("error while loading");
        assert!(good && !said.contains("panicked"), "ulimit -n {limit}: {said}");
        let said = run(&format!("exec 2>&1; ulimit -n {limit}; nn-queue list; echo \"exit $?\""));
        assert!(!said.contains("panicked"), "ulimit -n {limit}: {said}");
        run(&format!("ulimit -n {limit}; timeout 3 nn-queue work"));
    }
    let said = run(
        "exec 2>&1; nn-queue recover; nn-queue work; ls spool/queued spool/running; ls spool/done | wc -l; ls spool/failed",
    );
    assert!(!said.contains("~c") && !said.contains("5-"), "runs are stuck: {said}");
    assert!(!said.contains("~exit"), "failed for want of a file descriptor: {said}");
    crate::spool::assert_whole(&place.dir.join("spool"));
}

#[test]
fn a_run_that_fills_the_disk() {
    let place = Place::new("fills");
    // What it prints fills the disk, so its log stops there. It goes on, and its end is on record once there is room.
    let script = "
nn-queue init >/dev/null
dd if=/dev/zero of=spool/filler bs=1k count=300 2>/dev/null
nn-run -q -- sh -c 'yes epoch=1 loss=1 2>/dev/null | head -c 3000000; echo lost; exit 4' >/dev/null 2>told &
until grep -qs 'trying again' told || [ -e spool/runs/1/result.json ]; do sleep 0.01; done
nn-queue list --all | cut -f1,2; nn-queue show 1 >/dev/null && echo shown
rm spool/filler
wait $!; echo \"exit $?\"; ls spool/failed spool/running spool/runs/1/result.json
grep -c 'No space left on device' told
nn-queue add -- true && nn-queue work -q && nn-queue recover; ls spool/done
";
    let Some(output) = on_tmpfs(&place, "size=1m", script) else { return };
    let text = text(&output);
    assert!(
        text.starts_with("1\trunning\nshown\nexit 4\n") || text.starts_with("1\tfailed\nshown\nexit 4\n"),
        "{text}"
    );
    assert!(text.contains("0000001.1~exit,4") && text.ends_with("0000002.1\n"), "{text}");
    // With failpoints the patience is so short that the room may come too late.
    assert!(text.contains("/result.json\n") || cfg!(feature = "failpoints"), "{text}");
}

/// Who is not root may be refused a process at any time: what was claimed is given back, seldom, and runs later.
#[test]
fn no_more_processes() {
    let place = Place::new("processes");
    let script = "chown 64321:64321 . && exec setpriv --reuid 64321 --regid 64321 --clear-groups sh -c \"$1\"";
    // Processes are counted by user, and this one has no others: the shell, timeout, the worker, and then …
    let work = "exec 2>&1
nn-queue init >/dev/null || exit 99; nn-queue add -- sh -c 'echo ran >>ran'; nn-queue add -- sh -c 'echo ran >>ran'
for limit in 2 4 4; do timeout 2 prlimit --nproc=$limit nn-queue work -q; done
echo; ls spool/failed spool/done spool/running; ls spool/queued
nn-queue work -q; echo \"exit $?\"; cat ran; ls spool/done";
    let mut sh = place.command("sh");
    let output = output_within(sh.args(["-c", script, "sh", work]), Duration::from_secs(60));
    let text = text(&output);
    if output.status.code() == Some(99) || text.is_empty() {
        return say("skipped: no more processes: needs root, to be somebody else");
    }
    let refused = text.lines().filter(|l| l.ends_with(": Resource temporarily unavailable")).count();
    assert!(refused >= 3, "{text}");
    let generations =
        text.lines().filter(|l| l.starts_with("5-0000001.")).filter_map(|l| l.rsplit('.').next()?.parse().ok());
    // Six seconds, less than five tries a second.
    assert!(generations.max().is_some_and(|g: u32| g > 1 && g < 30), "{text}");
    let end = text.rsplit("exit 0\n").next().unwrap_or_default();
    assert!(end.matches("ran\n").count() == 2 && end.lines().count() == 4, "{text}");
}
