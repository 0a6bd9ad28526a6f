//! nn-diskcheck against real limits: a tmpfs of a given size and number of inodes, a read-only one, a btrfs subvolume with
//! a limit that no number shows, a control group's memory, a file size limit. Mounted in a namespace of the test's own,
//! which needs root; skipped, by name, where that or the programs are missing.
//! Not tested here: Lustre, NFS, a real quota(1) (what they print is replayed in transcripts and unit tests).

use crate::place::{Place, output_within, say};
use std::time::Duration;

/// What a script prints, run as root of a mount namespace; None (and said) where it exits with 99.
fn mounted(name: &str, needs: &str, script: &str) -> Option<String> {
    let place = Place::new(name);
    let script = format!("exec 2>&1; mkdir d\n{script}");
    let output = output_within(place.command("unshare").args(["-m", "sh", "-c", &script]), Duration::from_secs(60));
    let refused = !place.command("unshare").args(["-m", "true"]).status().is_ok_and(|status| status.success());
    if refused || output.status.code() == Some(99) {
        say(&format!("skipped: {name}: needs {needs}"));
        return None;
    }
    let text = String::from_utf8_lossy(&output.stdout).replace(&*place.dir.to_string_lossy(), ".");
    Some(text)
}

#[test]
fn a_tmpfs_of_a_given_size() {
    let script = "
mount -t tmpfs -o size=1m,nr_inodes=8 tmpfs d || exit 99
nn-diskcheck --need 1M d; echo \"exit $?\"
nn-diskcheck --need 1M --probe --json d/not/yet | grep -o '\"probed\":[0-9]*'
nn-diskcheck --need 1025K --probe --inodes 8 d; echo \"exit $?\"
for time in 0.001 0.003 0.01 0.03; do
    for signal in TERM KILL; do timeout -s $signal $time nn-diskcheck --need 1M --probe d >/dev/null 2>&1; done
done
[ -z \"$(ls -A d)\" ] && [ \"$(df -k --output=used d | tail -n 1)\" -eq 0 ] && echo 'nothing is left'
mkdir d/a d/b
nn-diskcheck --need 600K --probe --inodes 3 d/a d/b; echo \"exit $?\"
nn-diskcheck --need 400K --probe --inodes 2 --json d/a d/b | grep '\"disk\"' | grep -o '\"probed\":[0-9]*,' | tr '\\n' ' '
rmdir d/a d/b
dd if=/dev/zero of=d/file bs=1k count=600 2>/dev/null
nn-diskcheck --need 500K d; echo \"exit $?\"
nn-diskcheck --need 424K --probe d >/dev/null && echo 'the rest can be allocated'
touch d/1 d/2 d/3 d/4 d/5 d/6
nn-diskcheck d; echo \"exit $?\"
mount -o remount,ro d || exit 99
nn-diskcheck d 2>/dev/null | head -n 1
";
    let Some(text) = mounted("sized", "root and mount namespaces", script) else { return };
    let expected = "d\tdisk\t1048576\tfile system\t1048576\tyes
exit 0
\"probed\":1048576
d\tdisk\t1048576\tfile system\t1049600\tno
d\tinodes\t7\tfile system\t8\tno
nn-diskcheck: disk: 1049600 needed, 1048576 free (file system of ./d)
nn-diskcheck: inodes: 8 needed, 7 free (file system of ./d)
exit 1
nothing is left
d/a\tdisk\t1048576\tfile system\t614400\tyes
d/a\tinodes\t5\tfile system\t3\tyes
d/b\tdisk\t1048576\tfile system\t614400\tno
d/b\tinodes\t5\tfile system\t3\tno
nn-diskcheck: disk: 1.17M needed, 1M free (file system of ./d/b)
nn-diskcheck: inodes: 6 needed, 5 free (file system of ./d/b)
exit 1
\"probed\":409600, \"probed\":819200, d\tdisk\t434176\tfile system\t512000\tno
nn-diskcheck: disk: 500K needed, 424K free (file system of ./d)
exit 1
the rest can be allocated
d\tdisk\t434176\tfile system\t\tyes
d\tinodes\t0\tfile system\t\tno
nn-diskcheck: inodes: none free (file system of ./d)
exit 1
d\tdisk\t0\tread-only\t\tno
";
    assert_eq!(text, expected);
}

#[test]
fn a_file_system_that_does_not_answer() {
    let script = "
command -v python3 >/dev/null || exit 99
mkfifo ready end; python3 $TESTS/servers/hung.py d <end >ready &
exec 3>end; read -r line <ready; [ \"$line\" = ready ] || exit 99
nn-diskcheck --need 1K d . | cut -f1,6; nn-diskcheck --need 1K d >/dev/null; echo \"exit $?\"
exec 3>&-
";
    let Some(text) = mounted("hung", "root, mount namespaces, python3 and FUSE", script) else { return };
    let said = "nn-diskcheck: cannot look at d: the file system does not answer\n";
    assert!(text.contains(".\tyes\n") && text.matches(said).count() == 2 && text.contains("exit 2\n"), "{text}");
}

#[test]
fn a_limit_that_shows_in_no_number() {
    let script = "
command -v mkfs.btrfs >/dev/null && command -v btrfs >/dev/null || exit 99
truncate -s 160M image && mkfs.btrfs -q image >/dev/null && mount -o loop image d || exit 99
btrfs quota enable d && btrfs subvolume create d/sub >/dev/null && btrfs qgroup limit 16M d/sub || exit 99
sync
nn-diskcheck --need 32M d/sub | cut -f4-; echo \"exit $?\"
nn-diskcheck --need 8M --probe d/sub | cut -f4-
nn-diskcheck --need 32M --probe d/sub | cut -f2,4-
nn-diskcheck --need 32M --probe d/sub >/dev/null 2>&1; echo \"exit $?\"
ls -A d/sub | wc -l
";
    let Some(text) = mounted("btrfs", "root, mount namespaces, loop devices and btrfs-progs", script) else { return };
    let lines: Vec<&str> = text.lines().filter(|line| !line.contains("needed")).collect();
    let expected = [
        "file system\t33554432\tyes",
        "exit 0",
        "file system\t8388608\tyes",
        "disk\tprobe\t33554432\tno",
        "exit 1",
        "0",
    ];
    assert_eq!(lines, expected, "{text}");
    assert!(text.contains("disk: 32M needed, ") && text.contains(" free (probe of ./d/sub)"), "{text}");
}

#[test]
fn limits_of_the_process() {
    let place = Place::new("ulimit");
    let script = "exec 2>&1
ulimit -f 100; nn-diskcheck --need 1M --probe --json | grep -o '\"probed\":null'
ulimit -v 1000000; nn-diskcheck --ram 900M | tail -n 1 | cut -f2-4,6
nn-diskcheck --ram 1000M | tail -n 1 | cut -f6
";
    let output = output_within(place.command("sh").args(["-c", script]), Duration::from_secs(60));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("not probed: a file may have ") && text.contains("\"probed\":null\n"), "{text}");
    // A machine that has less is its own limit.
    assert!(text.contains("ram\t1024000000\tulimit -v\tyes") || text.contains("ram: 900M needed"), "{text}");
    assert!(text.contains("ram: 1000M needed") || text.contains("ram: 0.98G needed"), "{text}");
}

#[test]
fn memory_of_a_control_group() {
    let place = Place::new("cgroup");
    // The group this process is in, of version 1 or 2; a group below it is given 64 MB.
    let script = "exec 2>&1
path=$(sed -n 's/^[0-9]*:\\([a-z_,]*,\\)*memory\\(,[a-z_,]*\\)*://p' /proc/self/cgroup)
top=/sys/fs/cgroup/memory max=memory.limit_in_bytes
if [ -z \"$path\" ]; then path=$(sed -n 's/^0:://p' /proc/self/cgroup) top=/sys/fs/cgroup max=memory.max; fi
group=$top${path%/}/nn-test-$$
mkdir $group && [ -e $group/$max ] && echo 67108864 > $group/$max || { rmdir $group; exit 99; }
sh -c \"echo \\$\\$ > $group/cgroup.procs || exit 99; nn-diskcheck --ram 200M | tail -n 1 | sed 's/[0-9]\\{8\\}\\t/SOME\\t/'; exec nn-diskcheck --ram 4M\" | cut -f2-
n=0; until rmdir $group || [ $n -gt 500 ]; do n=$((n + 1)); sleep 0.02; done
";
    let output = output_within(place.command("sh").args(["-c", script]), Duration::from_secs(60));
    let text = String::from_utf8_lossy(&output.stdout);
    if output.status.code() == Some(99) || text.contains("cgroup.procs") {
        say("skipped: cgroup: needs root and a memory group of its own");
        return;
    }
    assert!(text.contains("ram: 200M needed, ") && text.contains(" free (cgroup /"), "{text}");
    assert!(text.contains("ram\tSOME\tcgroup /") && text.contains("\t209715200\tno\n"), "{text}");
    assert!(text.trim_end().ends_with("\t4194304\tyes"), "{text}");
}

/// What nn-run says by itself of a disk on which nearly nothing is left, once, and that a rule may ask for it.
#[test]
fn a_run_on_a_disk_that_fills_up() {
    let script = "
mount -t tmpfs -o size=8m,nr_inodes=2000 tmpfs d || exit 99
nn-queue init >/dev/null && echo 'resources.every = 20ms' >spool/config
cd d || exit 99
until_told='until grep -q judged $NN_RUN_DIR/events.jsonl; do sleep 0.05; done'
NN_SPOOL=../spool nn-run -q sh -c \"sleep 0.3; head -c 8360000 /dev/zero >file; $until_told; sleep 0.5\" 2>&1 | sed 's/: [0-9.]*K of/: some of/'
rm file
NN_SPOOL=../spool nn-run -q sh -c \"i=0; while [ \\$i -lt 1990 ]; do : >\\$i; i=\\$((i + 1)); done; $until_told\" 2>&1 | sed 's/: [0-9]* of/: some of/'
rm -- [0-9]*
NN_JUDGE=off NN_SPOOL=../spool nn-run -q sh -c 'head -c 8360000 /dev/zero >file; sleep 0.5'
";
    let Some(text) = mounted("filled", "root and mount namespaces", script) else { return };
    let expected = "nn-run: run 1: warning: disk: disk of ./d is nearly full: some of 8M left
nn-run: run 2: warning: disk: number of files on ./d is nearly full: some of 2000 left
";
    assert_eq!(text, expected);
}
