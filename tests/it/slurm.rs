//! Runs handed to a real Slurm: Debian's slurmctld and slurmd in namespaces of their own (tests/servers/slurm), one node with
//! four processors and two GPUs.
//! Not tested here: other than 22.05 of Debian 12; several nodes.

use crate::cluster::Cluster;
use std::time::Instant;

/// A job as JSON, of group sweep, that needs a GPU.
const SWEEP: &str = r#"for i in $(seq 2 40); do
    argv='"sh","train","2","0.1"'
    [ $i != 13 ] || argv='"sh","-c","echo no; exit 3"'
    echo '{"name":"r'$i'","group":"sweep","needs":{"gpus":1},"argv":['$argv']}'
done | nn-queue add --again --live"#;

fn start(name: &str) -> Option<Cluster> {
    Cluster::start("slurm", name)
}

fn kill_controller(cluster: &Cluster) {
    cluster.good("kill -9 $(cat slurm/slurmctld.pid)");
}

fn start_controller(cluster: &Cluster) {
    cluster.good("slurmctld && until scontrol ping | grep -q UP; do sleep 0.1; done");
}

/// A sweep on two GPUs, in which one fails, one is called off while it waits and one while it runs, one is pushed out by the
/// others, and in the middle of which the controller is killed.
#[test]
fn sweep() {
    let Some(cluster) = start("sweep") else { return };
    let pushed = "[ -z \"$NN_CHECKPOINT\" ] || exec sh train 6 0.1; sh train 2 0.1; sleep 600";
    cluster.good(&format!("nn-queue add --live -n pushed --needs gpus=2 -- sh -c '{pushed}'"));
    cluster.good("nn-queue submit --to slurm -o '-p low'");
    cluster.until("it saves", || cluster.sh("ls spool/runs/1/checkpoints/c-2").status.success());
    cluster.good(SWEEP);
    cluster.good("nn-queue add --live -n long --needs gpus=1 --prio 4 -- sleep 600");
    let said = cluster.good("nn-queue submit --to slurm");
    assert_eq!(said.lines().count(), 40, "{said}");
    assert!(said.lines().all(|line| line.contains("\tsubmitted\tslurm 2_")), "{said}");
    assert_eq!(cluster.good("nn-queue cancel 40"), "40\tcancelled\n");
    cluster
        .until("some are done, and the long one runs", || cluster.count("done") > 3 && cluster.folder(41) == "running");
    // Pushed out while it ran, it is not lost, and does not go to the queue, where any worker would take it.
    assert!(cluster.states()[&1].1.starts_with("2~slurm,"), "{:?}", cluster.states()[&1]);

    // What the controller has not saved before it is killed it starts a second time, which the fence refuses; and then it takes
    // its node for broken, which nobody here could mend: so nothing starts for a while.
    cluster.good("scontrol update partition=gpu state=DOWN");
    cluster.until("only the long one runs", || cluster.count("running") == 1);
    std::thread::sleep(std::time::Duration::from_secs(7));
    // Without a controller nothing is known, and nothing is concluded from that.
    kill_controller(&cluster);
    let before = cluster.states();
    let said = cluster.sh("nn-queue sync; nn-queue list");
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.contains("slurm: ") && said.contains("Unable to contact"), "{said}");
    let after = cluster.states();
    for (run, (folder, _)) in &before {
        let now = &after[run].0;
        let started = folder == "submitted" && (now == "running" || now == "done");
        assert!(folder == now || folder == "running" && now == "done" || started, "{run}: {folder} {now}");
    }
    start_controller(&cluster);
    cluster.good("scontrol update partition=gpu state=UP");
    cluster.until("many are done", || cluster.count("done") > 12);
    assert_eq!(cluster.good("nn-queue cancel long"), "41\tstopping\n");
    cluster.until("all have ended", || cluster.have_ended());
    let states = cluster.states();
    let not_done: Vec<_> = states.iter().filter(|(_, (folder, _))| folder != "done").collect();
    let is = |run: u64, folder: &str, rest: &str| (states[&run].0 == folder) && states[&run].1 == rest;
    assert!(is(41, "cancelled", "1") && is(40, "cancelled", "1") && is(13, "failed", "1~exit,3"), "{not_done:?}");
    assert_eq!((not_done.len(), states.len()), (3, 41), "{not_done:?}");
    assert_eq!(cluster.epochs(20), [1, 2]);
    assert_eq!(cluster.epochs(1), [1, 2, 3, 4, 5, 6]);
    assert!(cluster.good("cat spool/runs/1/result.json spool/runs/1/attempt.json").contains("preempted"));
    assert!(cluster.good("squeue -h").is_empty());
}

/// Its time over, a run saves, leaves, and goes on in the next job with one curve; one that leaves nothing to go on from has
/// failed; and one that a person ends in Slurm does not come back.
#[test]
fn time_limit() {
    let Some(cluster) = start("time") else { return };
    cluster.good("nn-queue add --live -n limited --time 1m --finish-up 15s -- sh train 45 1");
    cluster.good("nn-queue add --live -n useless --time 1m -- sleep 600");
    cluster.good("nn-queue submit --to slurm");
    cluster.good("nn-queue add --live -n ended -- sleep 600");
    cluster.good("nn-queue add --live -n unwanted --needs gpus=2 -- sleep 600");
    cluster.good("nn-queue add --live -n waits --needs gpus=2 -- sleep 600");
    cluster.good("nn-queue submit --to slurm");
    cluster.until("they run", || cluster.count("running") == 4);
    cluster.good("scancel --name \"$(squeue -h -o %j | grep ^ended)\"");
    cluster.until("it is cancelled", || cluster.folder(3) == "cancelled");
    // Taken back there while it waits.
    cluster.good("scancel $(squeue -h -t PD -o %i)");
    cluster.until("it is cancelled too", || cluster.folder(5) == "cancelled");
    assert_eq!(cluster.good("nn-queue cancel 4"), "4\tstopping\n");
    cluster.until("all have ended", || cluster.have_ended());
    assert_eq!((cluster.folder(1), cluster.states()[&2].1.clone()), ("done".into(), "1~time".into()));
    assert_eq!(cluster.epochs(1), (1..=45).collect::<Vec<u32>>());
    assert!(cluster.states()[&1].1.parse::<u32>().unwrap() > 1, "one attempt did all");
}

/// What cannot be handed over stays queued, and the person is told why; a job that never gets as far as nn-run fails, and
/// says why; and one that is started again by hand runs nothing.
#[test]
fn refused() {
    let Some(cluster) = start("refused") else { return };
    cluster.good("nn-queue add -n one --live --needs 'gpus=1 slots=2 ram=100M' -- true");
    for (script, words) in [
        ("PATH=$(dirname $(command -v nn-queue)) nn-queue submit --to slurm", "is slurm on this host, and in PATH?"),
        ("nn-queue submit --to slurm -o '-p nosuch'", "Invalid partition name specified"),
        ("nn-queue submit --to slurm -o --gres=gpu:7", "Requested node configuration is not available"),
        ("nn-queue submit --to slurm -o --nonsense", "unrecognized option '--nonsense'"),
        ("NN_SLURM_OPTIONS=\"-p 'x\" nn-queue submit --to slurm", "a quote is not closed"),
        ("nn-queue submit --to slrm", "did you mean 'slurm'?"),
        ("nn-queue submit", "--to slurm"),
        ("nn-queue submit --to slurm --max-parallel 0", "then none would ever start"),
        ("kill -9 $(cat slurm/slurmctld.pid); nn-queue submit --to slurm", "Unable to contact slurm controller"),
    ] {
        let said = cluster.bad(script);
        assert!(said.contains(words), "{script}: {said}");
        assert_eq!(cluster.count("queued"), 1, "{script}: {:?}", cluster.states());
        assert_eq!(cluster.good("ls spool/batches"), "", "{script}");
    }
    start_controller(&cluster);
    // A job that is not able to become nn-run.
    cluster.good(
        "mkdir tools && cp $(dirname $(command -v nn-queue))/nn-queue $(dirname $(command -v nn-run))/nn-run tools",
    );
    let run = cluster.good("nn-queue add --again --live -n never -- true").trim().parse::<u64>().unwrap();
    cluster.good("tools/nn-queue submit --to slurm -o -H && rm tools/nn-run && scontrol release $(squeue -h -o %A)");
    cluster.until("it has failed", || cluster.folder(run) == "failed");
    let shown = cluster.good(&format!("nn-queue show {run}"));
    assert!(shown.contains("before nn-run had the run") && shown.contains("tools/nn-run: not found"), "{shown}");

    // A second start of the same job finds no token.
    let run = cluster.good("nn-queue add --again --live -n once -- true").trim().parse::<u64>().unwrap();
    cluster.good("nn-queue submit --to slurm");
    cluster.until("it is done", || cluster.folder(run) == "done");
    let script =
        format!("SLURM_ARRAY_TASK_ID=0 SLURM_RESTART_COUNT=1 sh $(grep -l ' {run}.1 ' spool/batches/*/script)");
    let again = cluster.sh(&script);
    assert_eq!(again.status.code(), Some(111), "{again:?}");
    assert_eq!(cluster.folder(run), "done");
}

/// A thousand runs are one call of sbatch for each array.
#[test]
fn thousand() {
    let Some(cluster) = start("thousand") else { return };
    cluster.good("mkdir shims; printf '#!/bin/sh\\necho call >>calls\\nexec /usr/bin/sbatch \"$@\"\\n' >shims/sbatch; chmod +x shims/sbatch");
    cluster.good(
        "for i in $(seq 1500); do echo '{\"name\":\"r'$i'\",\"argv\":[\"true\"]}'; done | nn-queue add --again --live",
    );
    let begun = Instant::now();
    let out = cluster.good("PATH=$PWD/shims:$PATH; nn-queue submit --to slurm -o -H --max-parallel 7");
    println!("1500 runs handed over in {:?}", begun.elapsed());
    assert_eq!(out.lines().count(), 1500);
    assert_eq!(cluster.good("cat calls"), "call\ncall\n");
    assert_eq!((cluster.count("submitted"), cluster.count("queued")), (1500, 0));
    let jobs = cluster.good("squeue -h -o '%F %K' ");
    assert!(jobs.contains("1 0-1000%3") && jobs.contains("0-498%3"), "{jobs}");
    cluster.good("nn-queue cancel 1-1500");
    cluster.until("nothing is left there", || cluster.good("squeue -h").is_empty());
    assert_eq!(cluster.count("cancelled"), 1500);
}

/// The command gets its own environment and that of the job, and nothing of whoever submitted it; and what the settings say
/// is done before it.
#[test]
fn environment() {
    let Some(cluster) = start("environment") else { return };
    cluster.good("printf 'slurm.setup = greeting() { echo set up; }\\nslurm.setup = greeting; export FROM_SETUP=1\\nslurm.options = --comment=c\\n' >spool/config");
    cluster.good(
        "OWN=mine SLURM_JOB_ID=7 nn-queue add --live -n one --needs gpus=1 -- sh -c 'env | sort; squeue -h -o %k'",
    );
    cluster.good("printf 'slurm.setup = false\\n' >other; LEAK=1 nn-queue submit --to slurm");
    cluster.until("it is done", || cluster.folder(1) == "done");
    let log = cluster.good("nn-queue log 1");
    for line in ["set up", "OWN=mine", "FROM_SETUP=1", "SLURM_ARRAY_TASK_ID=0", "NN_RUN=1", "c"] {
        assert!(log.lines().any(|other| other == line), "{line}: {log}");
    }
    assert!(log.contains("HOME=") && log.contains("CUDA_VISIBLE_DEVICES=") && !log.contains("LEAK"), "{log}");
    assert!(!log.lines().any(|line| line == "SLURM_JOB_ID=7"), "{log}");
    cluster.good("cp other spool/config; nn-queue add --live -n two -- true; nn-queue submit --to slurm");
    cluster.until("it has failed", || cluster.folder(2) == "failed");
    assert_eq!(cluster.good("nn-queue log 2"), "nn-run: slurm.setup: line failed with 1\n");
}
