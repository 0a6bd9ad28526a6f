//! A real Slurm that has forgotten, that starts a job again, and that stands behind ssh: tests/servers/slurm, with slurmdbd,
//! or an sshd beside it.
//! Not tested here: an accounting other than slurmdbd's.

use crate::cluster::Cluster;
use crate::place::say;

fn start(name: &str) -> Option<Cluster> {
    Cluster::start("slurm", name)
}

/// Slurm may not start a run's job again; should an operator allow it and do so, what it starts runs nothing, and the run
/// goes on in a job of its own with one curve.
#[test]
fn requeued() {
    let Some(cluster) = start("requeued") else { return };
    cluster.good("nn-queue add --live -n twice -- sh train 12 0.5");
    cluster.good("nn-queue submit --to slurm");
    cluster.until("it saves", || cluster.sh("ls spool/runs/1/checkpoints/c-2").status.success());
    let job = cluster.good("squeue -h -o %i");
    let job = job.trim();
    assert!(!cluster.sh(&format!("scontrol requeue {job}")).status.success());
    cluster.good(&format!("scontrol update JobId={job} Requeue=1 && scontrol requeue {job}"));
    cluster.until("it is interrupted", || cluster.folder(1) == "submitted");
    cluster.good(&format!("scontrol update JobId={job} StartTime=now"));
    cluster.until("it is done", || cluster.have_ended());
    assert_eq!((cluster.folder(1), cluster.epochs(1)), ("done".into(), (1..=12).collect::<Vec<u32>>()));
    assert_eq!(cluster.states()[&1].1, "2");
}

/// What the controller has forgotten, the accounting still knows: a job that failed before nn-run, and one that was called
/// off while it waited. Without it both would only be gone, and their runs queued again.
#[test]
fn accounting() {
    let Some(cluster) = Cluster::start_with("slurm", "accounting", &["accounting"]) else { return };
    // Where it was when the job was handed over it is no more.
    cluster.good("mkdir tools && for tool in nn-queue nn-run; do cp \"$(command -v $tool)\" tools; done");
    cluster.good("nn-queue add --live -n fails -- true && tools/nn-queue submit --to slurm -o --hold");
    cluster.good("rm tools/nn-run && scontrol release 1");
    cluster.good("nn-queue add --live -n waits -- true && nn-queue submit --to slurm -o --begin=now+1hour");
    // What the accounting says before it has all of a job's story it does not say of a task.
    let known = |line: &str| {
        let look = format!("sacct -nXP -o JobID,State -j 1,2 | grep -q '^{line}' && exit; sleep 0.1");
        cluster.good(&format!("for i in $(seq 300); do {look}; done; sacct; exit 1"));
    };
    known("1_0|FAILED");
    cluster.good("scancel 2");
    known("2_.0.|CANCELLED");
    cluster.good("kill -9 $(cat slurm/slurmctld.pid)");
    cluster.good("slurmctld -c && until scontrol ping | grep -q UP; do sleep 0.1; done");
    assert_eq!(cluster.good("squeue -h -t all"), "");
    cluster.good("nn-queue sync");
    let states = cluster.states();
    assert_eq!(states[&1], ("failed".into(), "1~exit,127".into()));
    assert_eq!(states[&2], ("cancelled".into(), "1".into()));
}

/// An sshd on the host of the cluster, and that host as one of a spool of its own.
const SSHD: &str = r#"
mkdir -p /run/sshd there/work && chmod 700 . && exec 2>&1
ssh-keygen -q -t ed25519 -N '' -f host && ssh-keygen -q -t ed25519 -N '' -f user && cp user.pub allowed
printf '%s\n' 'Port 2222' 'ListenAddress 127.0.0.1' "HostKey $PWD/host" "AuthorizedKeysFile $PWD/allowed" \
    "PidFile $PWD/sshd.pid" 'StrictModes no' 'UsePAM no' 'PermitRootLogin yes' "SetEnv SLURM_CONF=$SLURM_CONF" >config
/usr/sbin/sshd -f "$PWD/config" -E "$PWD/sshd.log"
printf '%s\n' 'Host cluster' '  HostName 127.0.0.1' '  Port 2222' "  IdentityFile $PWD/user" \
    '  StrictHostKeyChecking no' "  UserKnownHostsFile $PWD/known" '  LogLevel ERROR' >client
printf '%s\n' '[host cluster]' "spool = $PWD/there/nn" "work = $PWD/there/work" "bin = $PWD/there/bin" \
    'engine = slurm' >>spool/config
nn-queue host setup cluster
"#;

/// A login host reached by ssh, whose own nn-queue hands over to Slurm: what ends, fails and is called off there is so here.
#[test]
fn behind_ssh() {
    let Some(cluster) = start("ssh") else { return };
    if !std::path::Path::new("/usr/sbin/sshd").exists() {
        return say("skipped: slurm-ssh: no sshd");
    }
    let sh = |script: &str| cluster.good(&format!("export NN_SSH=\"ssh -F $PWD/client\"; {script}"));
    sh(SSHD);
    sh("nn-queue add --live -n ends -- sh -c 'echo epoch=1 cost=2'");
    sh("nn-queue add --live -n fails -- sh -c 'exit 5'; nn-queue add --live -n long -- sh -c 'echo here; sleep 600'");
    let said = sh("nn-queue submit --to cluster");
    assert_eq!(said, "1\tsubmitted\tcluster 1\n2\tsubmitted\tcluster 2\n3\tsubmitted\tcluster 3\n");
    sh(
        "for i in $(seq 300); do nn-queue sync >/dev/null; nn-queue log 3 2>/dev/null | grep -q here && exit; sleep 0.1; done; exit 1",
    );
    assert_eq!(sh("nn-queue cancel 3"), "3\tstopping\n");
    sh("nn-queue wait 1 2 3 || [ $? = 1 ]");
    let states = cluster.states();
    assert_eq!(states[&1], ("done".into(), "1".into()));
    assert_eq!(states[&2], ("failed".into(), "1~exit,5".into()));
    assert_eq!(states[&3].0, "cancelled");
    assert_eq!(cluster.epochs(1), [1]);
    assert_eq!(sh("squeue -h; kill $(cat sshd.pid)"), "");
}
