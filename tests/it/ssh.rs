//! Hosts by ssh that share no file system: real sshd in namespaces of their own, on cables that can be cut
//! (tests/servers/hosts). Only with NN_SSH_HOSTS=1, which `scripts/test --all` sets, as root; skipped, by name, elsewhere.

use crate::place::{Place, bins, output_within, say, tests};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(150);

struct Hosts {
    child: Child,
    lines: BufReader<ChildStdout>,
    place: Place,
}

impl Hosts {
    /// Two hosts. None, and said: they cannot be had here.
    fn start(name: &str) -> Option<Hosts> {
        let skip = |why: &str| {
            say(&format!("skipped: ssh-{name}: {why}"));
            None
        };
        if std::env::var_os("NN_SSH_HOSTS").is_none() {
            return skip("starts sshd in namespaces: only with scripts/test --all");
        }
        let place = Place::new(name);
        let net = place.dir.join("net");
        fs::create_dir(&net).unwrap();
        let mut command = Command::new(tests().join("servers/hosts"));
        command.arg(&net).arg("2").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        if line != "ready\n" {
            let _ = child.wait();
            return skip("needs root, namespaces, openssh-server and iproute2");
        }
        let hosts = Hosts { child, lines, place };
        hosts.configure(
            "[host gpu1]\ngroup = servers\nslots = 4\n[host gpu2]\ngroup = servers\nslots = 8\nwork = ~/w\n",
        );
        let git =
            "git init -q . && echo data >.gitignore && git add . && git -c user.email=a@b -c user.name=a commit -qm x";
        hosts.sh(&format!(
            "nn-queue init; mkdir proj && cd proj && echo 'echo \"$1\"' >t.sh && {git} && mkdir data && echo x >data/d"
        ));
        Some(hosts)
    }

    fn configure(&self, text: &str) {
        fs::create_dir_all(self.place.dir.join(".config/nn")).unwrap();
        fs::write(self.place.dir.join(".config/nn/config"), text).unwrap();
    }

    /// Tells the hosts' script something; what it prints before its "ok".
    fn tell(&mut self, what: &str) -> String {
        writeln!(self.child.stdin.as_mut().unwrap(), "{what}").unwrap();
        let mut all = String::new();
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "{what}: the hosts are gone");
            if line == "ok\n" {
                return all;
            }
            all += &line;
        }
    }

    /// Exit status, standard output and standard error of a script in the work tree here, over this ssh.
    fn over(&self, ssh: &Path, script: &str) -> (i32, String, String) {
        let mut command = self.place.command("sh");
        let proj = self.place.dir.join("proj");
        command.args(["-c", script]).env("NN_SSH", ssh);
        command.current_dir(if proj.is_dir() { &proj } else { &self.place.dir });
        let output = output_within(&mut command, LIMIT);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
    }

    fn sh(&self, script: &str) -> (i32, String, String) {
        self.over(&self.place.dir.join("net/ssh"), script)
    }

    /// What a script that must succeed prints.
    fn good(&self, script: &str) -> String {
        let (code, out, err) = self.sh(script);
        assert_eq!(code, 0, "{script}: {out}{err}");
        out
    }

    fn until(&self, script: &str, what: &str) {
        let began = Instant::now();
        loop {
            let (_, out, err) = self.sh(script);
            if out.contains(what) {
                return;
            }
            assert!(began.elapsed() < LIMIT, "{script}: no '{what}': {out}{err}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// A file of a host's home.
    fn at(&self, host: u32, path: &str) -> PathBuf {
        self.place.dir.join(format!("net/gpu{host}")).join(path)
    }

    /// What the commands wrote to ~/ran of both hosts, in order of the alphabet.
    fn ran(&self) -> Vec<String> {
        let text = |host| fs::read_to_string(self.at(host, "ran")).unwrap_or_default();
        let mut lines: Vec<String> = (text(1) + &text(2)).lines().map(String::from).collect();
        lines.sort();
        lines
    }

    /// The tools on both hosts, without a connection.
    fn install(&self) {
        for host in [1, 2] {
            let bin = self.at(host, ".local/bin");
            fs::create_dir_all(&bin).unwrap();
            for tool in ["nn-queue", "nn-run"] {
                fs::copy(bins().join(tool), bin.join(tool)).unwrap();
            }
            let spool = self.at(host, ".nn");
            let output = Command::new(bins().join("nn-queue")).arg("init").arg(&spool).output().unwrap();
            assert!(output.status.success(), "{output:?}");
        }
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn sorted(n: usize) -> Vec<String> {
    let mut all: Vec<String> = (1..=n).map(|i| format!("r{i}")).collect();
    all.sort();
    all
}

/// Set up from nothing, a hundred runs on a group, the cable cut while they run and while they are fetched.
#[test]
fn a_sweep_on_two_hosts() {
    let Some(mut hosts) = Hosts::start("sweep") else { return };
    fs::write(hosts.at(1, ".bashrc"), "echo 'Welcome to gpu1'; printf 'half a line '\n").unwrap();
    let (code, _, err) = hosts.sh("nn-queue host check");
    assert!(code != 0 && err.contains("gpu1 has no nn-queue in ~/.local/bin: nn-queue host setup gpu1"), "{err}");
    let table = hosts.good("nn-queue host setup servers");
    assert!(table.contains("gpu1\t") && table.contains("gpu2\t"), "{table}");
    assert!(hosts.at(1, ".local/bin/nn-watch").exists() && hosts.at(2, ".nn/version").exists());
    let command = "echo $NN_PARAM_i >>~/ran; sh t.sh begin; cat data/d; sleep 0.5; echo epoch=1 loss=0.5; sh t.sh end";
    let jobs = format!(
        "for i in $(seq 100); do printf '{{\"argv\":[\"sh\",\"-c\",\"%s\"],\"params\":{{\"i\":\"r%s\"}},\"group\":\"g\"}}\\n' '{command}' $i; done"
    );
    hosts.good(&format!("{jobs} | nn-queue add --input data"));
    let out = hosts.good("nn-queue submit --to servers");
    let on = |host: &str| out.lines().filter(|line| line.contains(&format!("\tsubmitted\t{host} "))).count();
    assert_eq!(on("gpu1") + on("gpu2"), 100, "{out}");
    assert!(on("gpu2") > on("gpu1") && on("gpu1") > 20, "{out}");
    assert!(hosts.at(1, "proj/data/d").exists() && hosts.at(2, "w/proj/data/d").exists());
    hosts.until("nn-queue sync; nn-queue list -a", "\tdone\t");
    hosts.tell("cut 1");
    let (_, _, err) = hosts.sh("nn-queue sync");
    assert!(err.contains("gpu1"), "{err}");
    assert!(hosts.good("nn-queue list").contains("unknown for "), "not unknown");
    let here = hosts.good("ls ../spool/submitted | grep -c gpu1 || true");
    std::thread::sleep(Duration::from_secs(2));
    hosts.tell("mend 1");
    // The other one is cut while it is fetched from, as soon as something comes.
    let cutting = hosts
        .place
        .command("sh")
        .args(["-c", "nn-queue wait @g"])
        .env("NN_SSH", hosts.place.dir.join("net/ssh"))
        .spawn();
    hosts.tell("cut 2");
    std::thread::sleep(Duration::from_secs(3));
    hosts.tell("mend 2");
    assert!(cutting.unwrap().wait().unwrap().success(), "{here} were at gpu1");
    assert_eq!(hosts.ran(), sorted(100));
    assert_eq!(hosts.good("ls ../spool/done | wc -l").trim(), "100");
    let logs = hosts.good("cat ../spool/runs/*/log | sort | uniq -c | sed 's/^ *//'");
    assert_eq!(logs, "100 begin\n100 end\n100 epoch=1 loss=0.5\n100 x\n");
    assert_eq!(hosts.good("cat ../spool/runs/*/history.jsonl | grep -c '\"loss\":0.5'").trim(), "100");
    assert_eq!(hosts.good("nn-queue sync; ls ../spool/submitted | wc -l").trim(), "0");
}

/// Each connection ends after so many bytes, to the host or from it: nothing is lost, nothing runs twice.
#[test]
fn cut_at_every_place() {
    let Some(hosts) = Hosts::start("cut") else { return };
    hosts.install();
    let ssh = hosts.place.dir.join("net/ssh");
    let cut = hosts.place.dir.join("cut");
    let up = [0, 100, 250, 400, 600, 800, 1000, 1200, 1500];
    let down = [0, 60, 130, 150, 180, 220, 260, 320, 400, 600];
    let mut n = 0;
    for (way, places) in [("up", &up[..]), ("down", &down[..])] {
        for place in places {
            n += 1;
            let line = match way {
                "up" => format!("dd bs=1 count={place} 2>/dev/null | {} \"$@\"", ssh.display()),
                // Nobody but dd must hold the pipe open.
                _ => format!(
                    "exec 3<&0; mkfifo $0.$$; {} \"$@\" <&3 >$0.$$ & exec dd bs=1 count={place} 2>/dev/null <$0.$$ 3<&-",
                    ssh.display()
                ),
            };
            fs::write(&cut, format!("#!/bin/sh\n{line}\n")).unwrap();
            Command::new("chmod").arg("755").arg(&cut).status().unwrap();
            hosts.good(&format!("nn-queue add --again -n r{n} -- sh -c 'echo r{n} >>~/ran; echo said; ls t.sh'"));
            let (_, out, err) = hosts.over(&cut, &format!("nn-queue submit --to gpu1 r{n}"));
            assert!(!out.is_empty() || !err.is_empty(), "{way} {place}");
            hosts.over(&cut, "nn-queue sync");
            let state = hosts.good(&format!("nn-queue list --json r{n}"));
            if state.contains("\"queued\"") {
                hosts.good(&format!("nn-queue submit --to gpu1 r{n}"));
            }
        }
    }
    hosts.good("nn-queue sync; nn-queue wait $(seq 19)");
    assert_eq!(n, 19);
    assert_eq!(hosts.ran(), sorted(n));
    let logs = hosts.good("cat ../spool/runs/*/log | sort | uniq -c | sed 's/^ *//'");
    assert_eq!(logs, "19 said\n19 t.sh\n");
}

/// What goes wrong is said, and the runs stay where they are.
#[test]
fn troubles() {
    let Some(mut hosts) = Hosts::start("troubles") else { return };
    hosts.install();
    let refused = |hosts: &Hosts, what: &str| {
        let (code, out, err) = hosts.sh("nn-queue submit --to gpu1 1");
        assert!(code != 0 && err.contains(what), "{what}: {code} {out}{err}");
        assert!(hosts.good("nn-queue list 1").contains("1\tqueued\t"), "{what}");
    };
    hosts.good("nn-queue add -n one --link data -- sh -c 'echo hello'");
    refused(&hosts, "gpu1: there is no ");
    assert!(
        hosts
            .sh("nn-queue submit --to gpu1 1")
            .2
            .contains("proj/data there: put it there, or send it along by --input")
    );
    let nn_queue = hosts.at(1, ".local/bin/nn-queue");
    fs::rename(&nn_queue, hosts.at(1, "kept")).unwrap();
    refused(&hosts, "gpu1 has no nn-queue in ~/.local/bin: nn-queue host setup gpu1");
    let fake = |text: &str| {
        fs::write(&nn_queue, format!("#!/bin/sh\n{text}\n")).unwrap();
        Command::new("chmod").arg("755").arg(&nn_queue).status().unwrap();
    };
    fake("echo \"nn-queue: unknown verb 'peer'\" >&2; exit 2");
    refused(&hosts, "gpu1 has nn-tools that are older than those here: nn-queue host setup gpu1");
    fake("echo \"nn-peer $2 {\\\"protocol\\\":0,\\\"version\\\":\\\"0.0.9\\\"}\"; cat");
    refused(&hosts, "gpu1 has nn-tools 0.0.9, older than those here");
    fake("echo \"nn-peer $2 {\\\"protocol\\\":99,\\\"version\\\":\\\"9\\\"}\"; cat");
    refused(&hosts, "newer than those here");
    fake("yes garbage | head -c 3000000");
    refused(&hosts, "gpu1: ");
    fs::rename(hosts.at(1, "kept"), &nn_queue).unwrap();
    // No room.
    hosts.tell("small 1 200k");
    hosts.tell("do 1 NN_SPOOL=/mnt/small/nn .local/bin/nn-queue init /mnt/small/nn");
    hosts.configure("[host gpu1]\nspool = /mnt/small/nn\n");
    refused(&hosts, "gpu1: no room: ");
    hosts.configure("[host gpu1]\nslots = 2\n[host gpu2]\n");
    // Off the cable, and another key.
    hosts.tell("cut 1");
    refused(&hosts, "cannot reach gpu1");
    hosts.tell("mend 1");
    hosts.tell("key 1");
    hosts.until("nn-queue submit --to gpu1 1 2>&1", "gpu1: its host key has changed");
    refused(&hosts, "its host key has changed");
    fs::write(hosts.place.dir.join("net/known"), key_of(&hosts)).unwrap();
    // Called off while the host cannot be reached: it is, when it can.
    hosts.good("nn-queue add -n long --input data -- sh -c 'cat data/d; sleep 600'; nn-queue submit --to gpu1 long");
    hosts.until("nn-queue sync; nn-queue log long", "x");
    hosts.tell("cut 1");
    let (_, out, err) = hosts.sh("nn-queue cancel long");
    assert!(
        out.contains("2\tstopping") && err.contains("it is called off there when it can be reached again"),
        "{out}{err}"
    );
    hosts.tell("mend 1");
    hosts.until("nn-queue sync; nn-queue list -a", "2\tcancelled\t");
}

/// The line of ~/known for a host's present key.
fn key_of(hosts: &Hosts) -> String {
    let key = fs::read_to_string(hosts.at(1, ".sshd/key.pub")).unwrap();
    let known = fs::read_to_string(hosts.place.dir.join("net/known")).unwrap();
    let rest = known.lines().filter(|line| !line.starts_with("10.77.1.2 ")).collect::<Vec<_>>().join("\n");
    format!("10.77.1.2 {}\n{rest}\n", key.trim())
}

/// The same run there when it is handed over again, with one curve; a worker that died is replaced; nothing is written
/// outside of the run's directory, whatever a host says.
#[test]
fn again_and_hostile() {
    let Some(mut hosts) = Hosts::start("again") else { return };
    hosts.install();
    let train = "n=$(cat $NN_CHECKPOINTS/n 2>/dev/null || echo 0); for e in 1 2 3; do n=$((n+1)); echo epoch=$n loss=0.$n; \
                 echo $n >$NN_CHECKPOINTS/n; done; test $n -gt 3";
    hosts.good(&format!("nn-queue add -n train --checkpoint n -- sh -c '{train}'; nn-queue submit --to gpu1 1"));
    hosts.until("nn-queue sync; nn-queue list -a", "1\tfailed\t");
    hosts.good("nn-queue retry 1; nn-queue submit --to gpu1 1; nn-queue wait 1");
    let log = hosts.good("nn-queue log 1");
    assert_eq!(log.lines().count(), 7, "{log}");
    assert!(hosts.good("nn-log export 1 --csv").lines().count() >= 7);
    let show = hosts.good("nn-queue show --json 1");
    assert!(show.contains("\"attempt\":2") && show.contains("\"state\":\"done\""), "{show}");
    // The worker there dies with all else: the next sync starts another one, and nothing is started twice.
    hosts.good("for i in 1 2 3; do nn-queue add --again -n r$i -- sh -c \"echo r$i >>~/ran; sleep 1\"; done");
    hosts.good("nn-queue submit --to gpu1 r1 r2 r3");
    hosts.until("nn-queue sync; nn-queue list -a", "running on gpu1");
    hosts.tell("kill 1");
    hosts.good("nn-queue sync");
    hosts.until("nn-queue sync; ls ../spool/submitted | wc -l", "0");
    let ran = hosts.ran();
    assert_eq!(ran, sorted(3), "{}", hosts.good("nn-queue list -a"));
    // A host that lies.
    hosts.good("nn-queue add --again -n lie -- sh -c 'sleep 600'; nn-queue submit --to gpu1 lie");
    let nn_queue = hosts.at(1, ".local/bin/nn-queue");
    fs::remove_file(&nn_queue).unwrap();
    for (name, what) in
        [("../../outside", "the name of a file makes no sense"), ("checkpoints/x", "the name of a file makes no sense")]
    {
        let answer = format!(
            "{{\"id\":\"'$id'\",\"born\":\"x\",\"run\":7,\"state\":\"done\",\"files\":[{{\"name\":\"{name}\",\"from\":0,\"size\":4}}]}}"
        );
        let text = format!(
            "#!/bin/sh\necho \"nn-peer $2 {{\\\"protocol\\\":1,\\\"version\\\":\\\"1\\\",\\\"home\\\":\\\"/\\\"}}\"\nread q; echo '{{}}'\nread q\nid=$(echo \"$q\" | sed 's/.*\"id\":\"\\([^\"]*\\)\".*/\\1/')\necho '{answer}'; printf evil\n"
        );
        fs::write(&nn_queue, text).unwrap();
        Command::new("chmod").arg("755").arg(&nn_queue).status().unwrap();
        let (_, out, err) = hosts.sh("nn-queue sync");
        assert!(err.contains(what), "{name}: {out}{err}");
        assert!(
            !hosts.place.dir.join("spool/outside").exists() && !hosts.place.dir.join("spool/runs/outside").exists()
        );
        assert!(hosts.good("nn-queue list lie").contains("\tsubmitted\t"));
    }
}
