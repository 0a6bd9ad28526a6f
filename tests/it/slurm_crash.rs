//! nn-queue killed while it hands runs to a real Slurm: tests/servers/slurm.
//! Not tested here: Slurm itself killed, which tests/it/slurm.rs has.

use crate::cluster::Cluster;
use crate::place::say;

/// Killed at any point of handing over: no run is lost, none runs twice, none stays submitted for ever.
#[test]
fn killed() {
    if !cfg!(feature = "failpoints") {
        return say("skipped: slurm-killed: needs cargo test --features failpoints");
    }
    let Some(cluster) = Cluster::start("slurm", "killed") else { return };
    let mut runs = 0;
    for k in 1.. {
        let script = "echo $NN_RUN >>\"$HOME/ran\"";
        for _ in 0..2 {
            cluster.good(&format!("nn-queue add --live --again -n k{k} -- sh -c '{script}'"));
            runs += 1;
        }
        let what = if k % 2 == 0 { "before" } else { "after" };
        let output = cluster.sh(&format!("NN_FAIL={k}:{what} NN_FAIL_IN=nn-queue nn-queue submit --to slurm"));
        if output.status.success() {
            break;
        }
        assert!(k < 200, "{output:?}");
    }
    assert!(runs > 20, "{runs}");
    cluster.until("all are done", || {
        cluster.sh("nn-queue submit --to slurm");
        cluster.count("done") == runs
    });
    let mut ran: Vec<usize> = cluster.good("cat ran").lines().map(|line| line.parse().unwrap()).collect();
    ran.sort_unstable();
    assert_eq!(ran, (1..=runs).collect::<Vec<_>>());
    cluster.until("nothing is left there", || cluster.good("squeue -h").is_empty());
}
