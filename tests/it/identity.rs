//! Who is who: a process id that is given anew, a container's own process ids, processes that are hidden, commands with
//! names that look like something else. A run is called dead only when it is. What needs root or namespaces is skipped
//! where the system refuses them.

use crate::hosts::Host;
use crate::place::{Place, output_within, say};
use std::process::Output;
use std::time::Duration;

const TOOLS: &str = r#"
until_ok() { n=0; until "$@" >/dev/null 2>&1; do n=$((n+1)); [ $n -lt 3000 ] || { echo "gave up: $*"; exit 9; }; sleep 0.01; done; }
command_of() { sed 's/.*"pid":\([0-9]*\).*/\1/' spool/runs/$1/attempt.json; }
"#;

/// Runs a script in a shell that is started by `prefix`.
fn sh(place: &Place, prefix: &[&str], script: &str) -> Output {
    let script = format!("{TOOLS}{script}");
    let words: Vec<&str> = prefix.iter().copied().chain(["sh", "-c", &script]).collect();
    output_within(place.command(words[0]).args(&words[1..]), Duration::from_secs(60))
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

const CONTAINER: [&str; 4] = ["unshare", "-fp", "--mount-proc", "--kill-child"];

fn has_containers(place: &Place, test: &str) -> bool {
    let works = output_within(place.command("unshare").args(["-fp", "--mount-proc", "true"]), Duration::from_secs(20));
    if !works.status.success() {
        say(&format!("skipped: {test}: needs root and pid namespaces"));
    }
    works.status.success()
}

#[test]
fn a_process_id_is_given_anew() {
    let place = Place::new("reuse");
    if !has_containers(&place, "process ids given anew") {
        return;
    }
    let script = r#"
nn-queue init >/dev/null
nn-run -q -- sleep 600 & R=$!
until_ok grep -q pid spool/runs/1/attempt.json; C=$(command_of 1)
kill -9 $R $C; wait
gone() { [ ! -e /proc/$R ] && [ ! -e /proc/$C ]; }
until_ok gone
for p in $R $C; do
    for try in 1 2 3 4 5 6 7 8 9; do
        echo $((p - 1)) >/proc/sys/kernel/ns_last_pid || exit 99
        sleep 600 & [ $! = $p ] && break; kill $!
    done
    [ $! = $p ] || exit 98
done
nn-queue list | cut -f2,8; nn-queue recover; ls spool/failed; kill -0 $R && kill -0 $C && echo strangers live
"#;
    let output = sh(&place, &CONTAINER, script);
    match output.status.code() {
        Some(99) => say("skipped: process ids given anew: ns_last_pid cannot be written"),
        Some(98) => say("skipped: process ids given anew: others were quicker"),
        _ => {
            let expected =
                "running\trunner dead: nn-queue recover\n1\tits runner and command died: lost\n0000001.1~lost\n";
            assert_eq!(text(&output), format!("{expected}strangers live\n"));
        }
    }
}

#[test]
fn a_container_is_another_place() {
    let place = Place::new("container");
    if !has_containers(&place, "containers") {
        return;
    }
    let host = nn::base::sys::host_name();
    let script = r#"
CONTAINER sh -c 'nn-queue init >/dev/null; nn-run -q -- sleep 600 & wait' & U=$!
until_ok grep -q pid spool/runs/1/attempt.json
nn-queue list | cut -f2,8; nn-queue recover; ls spool/running | wc -l
kill -9 $(cat /proc/$U/task/$U/children); wait
P=$(ls spool/running | sed 's/[^~]*~\([^,]*,[^,]*,[^,]*\),.*/\1/')
touch -d '3 hours ago' spool/runs/1/attempt.json; nn-queue list | cut -f2,8 | sed 's/3h[ 0-9]*m*/3h/'
nn-queue recover; timeout 20 nn-queue work; ls spool/running | wc -l
nn-queue recover --host-is-dead HOST; nn-queue recover --host-is-dead $P; ls spool/failed
"#;
    let script = script.replace("CONTAINER", &CONTAINER.join(" ")).replace("HOST", &host);
    let output = sh(&place, &[], &script);
    let expected = format!(
        "running\ton {host}\n1\nrunning\tunknown, silent for 3h, on {host}\n1\n1\t{host} is said to be dead: lost\n0000001.1~lost\n"
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{output:?}");
    assert!(text(&output).contains("is this host, and it lives"), "{output:?}");
}

#[test]
fn a_reboot_needs_a_silent_lease() {
    if !cfg!(feature = "failpoints") {
        return say("skipped: a reboot: needs cargo test --features failpoints");
    }
    let place = Place::new("reboot");
    let Some(before) = Host::new(&place, "node", 1, "a reboot") else { return };
    let Some(after) = Host::new(&place, "node", 2, "a reboot") else { return };
    let run = |host: &Host, script: &str| {
        let mut sh = host.command(&place, "sh");
        text(&output_within(sh.args(["-c", &format!("{TOOLS}{script}")]), Duration::from_secs(60)))
    };
    let begun = r#"
nn-queue init >/dev/null; nn-run -q -- sleep 600 >/dev/null 2>&1 & R=$!
until_ok grep -q pid spool/runs/1/attempt.json; kill -9 $R $(command_of 1); ls spool/running | wc -l
"#;
    assert_eq!(run(&before, begun), "1\n");
    let once = run(&after, "nn-queue list | cut -f2; nn-queue recover; ls spool/running | wc -l");
    assert_eq!(once, "running\n1\n");
    let waited = run(&after, "nn-queue recover --wait; ls spool/failed; nn-queue show 1 | grep evidence");
    assert!(waited.starts_with("1\tnode was rebooted: lost\n0000001.1~lost\n"), "{waited}");
    assert!(waited.contains("nothing was heard of the runner for a whole lease"), "{waited}");
}

#[test]
fn a_command_may_be_called_anything() {
    let place = Place::new("comm");
    let script = r#"
nn-queue init >/dev/null
name='a) R 1 1
(b'
cp /bin/sleep "$name"; nn-run -q -- "./$name" 600 & R=$!
until_ok grep -q pid spool/runs/1/attempt.json; nn-queue list | cut -f2,8
kill -9 $R; wait; nn-queue recover; kill $(command_of 1); nn-queue wait 1
"#;
    let output = sh(&place, &[], script);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.starts_with("running\t\n1\tits nn-run died, its command goes on: adopted\n1\tfailed\t"), "{output:?}");
}

#[test]
fn what_is_hidden_is_not_dead() {
    let place = Place::new("hidepid");
    let script = r#"
mount -t proc -o hidepid=2 proc /proc 2>/dev/null && command -v setpriv >/dev/null || exit 99
other() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
NN=$(command -v nn-queue); other "$NN" --version >/dev/null || exit 99
chmod 755 .. . && nn-queue init >/dev/null && nn-run -q -- sleep 600 & R=$!
until_ok grep -q pid spool/runs/1/attempt.json; chown -R 65534:65534 spool
other "$NN" list >said || exit 98
cut -f2,8 said; other "$NN" recover; ls spool/running | wc -l; kill -9 $(command_of 1)
"#;
    let output = sh(&place, &["unshare", "-m"], script);
    if matches!(output.status.code(), Some(1 | 98 | 99)) {
        return say("skipped: hidden processes: needs root, hidepid, setpriv, and binaries that others may execute");
    }
    let host = nn::base::sys::host_name();
    assert_eq!(text(&output), format!("running\ton {host}\n1\n"));
}
