//! The lines of nn-tools in scripts that a real Slurm runs (tests/servers/slurm): those of scripts/examples, as they are.
//! Only with NN_ENGINES=1, which `scripts/test --all` sets, as root; skipped, by name, elsewhere.

use crate::place::{Place, output_within, root, say, tests};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(240);

/// What the scripts expect of their site: a trainer that can go on, and the command `module`.
const PYTHON: &str = r#"#!/bin/sh
[ "$1" = lang_experiment.py ] || exit 1 # nn-run asks python for its packages
for e in 1 2 3; do
    [ -e "../saved/$e" ] && continue
    echo "epoch=$e loss=0.$e"
    echo "{\"epoch\":$e,\"valid_cost\":1.$e}" >>valid.json
    touch "../saved/$e"
    [ "$e" != 1 ] || until [ -e ../go ]; do sleep 0.1; done
done
"#;

struct Cluster {
    child: Child,
    place: Place,
}

impl Cluster {
    fn start(test: &str) -> Option<Cluster> {
        if std::env::var_os("NN_ENGINES").is_none() {
            say(&format!("skipped: {test}: starts a Slurm: only with scripts/test --all"));
            return None;
        }
        let place = Place::new("slurm-scripts");
        let mut command = Command::new(tests().join("servers/slurm"));
        command.arg(place.dir.join("slurm")).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line != "ready\n" {
            let _ = child.wait();
            say(&format!("skipped: {test}: needs root, namespaces and Debian's packages"));
            return None;
        }
        Some(Cluster { child, place })
    }

    /// A script of sh on the cluster; what it printed, both ways.
    fn sh(&self, script: &str) -> String {
        let mut command = self.place.command(&self.place.dir.join("slurm/in").to_string_lossy());
        command.args(["sh", "-c", script]);
        let output = output_within(&mut command, LIMIT);
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    fn until(&self, script: &str) {
        let begun = Instant::now();
        while self.sh(&format!("({script}) >/dev/null 2>&1 && echo yes")) != "yes\n" {
            let state =
                "squeue; scontrol show job; nn-queue list --all; tail -n 20 scripts/*.out slurm/slurm/slurmctld.log";
            assert!(begun.elapsed() < LIMIT, "{script}: {}", self.sh(state));
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.place.dir.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

#[test]
fn scripts_of_a_real_slurm() {
    let Some(cluster) = Cluster::start("lines in scripts of Slurm") else { return };
    for dir in ["bin", "scripts", "owlet", "saved"] {
        fs::create_dir(cluster.place.dir.join(dir)).unwrap();
    }
    cluster.write("bin/python", PYTHON);
    cluster.write("bin/module", "#!/bin/sh\n");
    for name in ["slurm-run.sbatch", "slurm-lines.sbatch"] {
        // The machine of the test may have less room than a training wants.
        let text = fs::read_to_string(root().join("scripts/examples").join(name)).unwrap();
        cluster
            .write(&format!("scripts/{name}"), &text.replace("--need 20G", "--need 1M").replace("sleep 60", "sleep 1"));
    }
    let submit = |name: &str| {
        let script = format!("cd scripts && PATH=$HOME/bin:$PATH sbatch --parsable {name}");
        cluster.sh(&script).trim().to_string()
    };
    assert_eq!(cluster.sh("nn-queue init >/dev/null"), "");
    let curve = "nn-log export last | sed 's/\"t\":\"[^\"]*\",//' | sort";

    // nn-run: cut off in the middle, and started again by Slurm.
    let job = submit("slurm-run.sbatch");
    cluster.until("test -e saved/1");
    assert_eq!(cluster.sh("nn-queue list | cut -f1,2,5"), "1\trunning\tLM_miuc\n");
    let said = cluster.sh(&format!("scontrol requeue {job}"));
    assert_eq!(said, "");
    cluster.until("ls spool/failed | grep '1.1~preempted'");
    // Slurm refuses to start it in the same second.
    assert_eq!(cluster.sh("sleep 3; touch go"), "");
    assert_eq!(cluster.sh(&format!("scontrol update jobid={job} starttime=now")), "");
    cluster.until("ls spool/done | grep .");
    assert_eq!(cluster.sh("nn-queue list --all | cut -f1,2,5,8"), "1\tdone\tLM_miuc\t\n");
    let shown = cluster.sh("nn-queue show 1 | grep ^batch");
    assert_eq!(
        shown.split_whitespace().skip(1).collect::<Vec<_>>().join(" "),
        format!("slurm {job}, LM_miuc in gpu, started again 1 time")
    );
    assert_eq!(cluster.sh("nn-log export --csv last | cut -d, -f1,3-"), "run,epoch,loss\n1,1,0.1\n1,2,0.2\n1,3,0.3\n");

    // The three lines around a plain command.
    assert_eq!(cluster.sh("rm saved/* go owlet/*"), "");
    let job = submit("slurm-lines.sbatch");
    cluster.until("nn-log export 2 | grep loss");
    assert_eq!(cluster.sh("nn-queue list | cut -f1,2,5; touch go"), "2\trunning\tLM_miuc\n");
    cluster.until("ls spool/done | grep 2.1");
    let expected: String = (1..=3)
        .map(|e| {
            format!("{{\"run\":2,\"epoch\":{e},\"loss\":0.{e}}}\n{{\"run\":2,\"epoch\":{e},\"valid_cost\":1.{e}}}\n")
        })
        .collect();
    assert_eq!(cluster.sh(curve), expected, "{}", cluster.sh(&format!("cat scripts/miuc_{job}.out")));

    // Killed by Slurm: the script has no word any more.
    assert_eq!(cluster.sh("rm saved/* go owlet/*"), "");
    let job = submit("slurm-lines.sbatch");
    cluster.until("test -e saved/1");
    assert_eq!(cluster.sh(&format!("scancel --signal=KILL --full {job}")), "");
    cluster.until(&format!("nn-queue recover; ls spool/failed | grep '3.1~unknown'; ! squeue -h -j {job} | grep -q R"));
}
