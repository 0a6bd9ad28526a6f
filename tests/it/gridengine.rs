//! Runs handed to a real Grid Engine: Debian's qmaster and execd in namespaces of their own (tests/servers/gridengine), one
//! host with two slots and two counted GPUs.
//! Not tested here: other than 8.1.9 of Debian 12; parallel environments over several hosts; resources with names (RSMAP).

use crate::cluster::Cluster;
use crate::place::root;

const TRAIN_20: &str = "sh train 20 0.5";

/// A sweep on two GPUs, in which one fails, one is called off while it waits and one while it runs, and in the middle of
/// which the qmaster is killed.
#[test]
fn sweep() {
    let Some(cluster) = Cluster::start("gridengine", "sweep") else { return };
    cluster.good("nn-queue add -n long --prio 4 --needs gpus=1 -- sleep 600");
    cluster.good(
        "for i in $(seq 2 40); do
            argv='\"sh\",\"train\",\"2\",\"0.1\"'
            [ $i != 13 ] || argv='\"sh\",\"-c\",\"echo no; exit 3\"'
            echo '{\"name\":\"r'$i'\",\"group\":\"sweep\",\"needs\":{\"gpus\":1},\"argv\":['$argv']}'
        done | nn-queue add --again",
    );
    let said = cluster.good("nn-queue submit --to gridengine");
    assert_eq!(said.lines().count(), 40, "{said}");
    assert!(said.lines().all(|line| line.contains("\tsubmitted\tgridengine 1.")), "{said}");
    assert_eq!(cluster.good("nn-queue cancel 40"), "40\tcancelled\n");
    cluster
        .until("some are done, and the long one runs", || cluster.count("done") > 3 && cluster.folder(1) == "running");

    // Without a qmaster nothing is known, and nothing is concluded from that.
    cluster.good("pkill -9 sge_qmaster");
    let before = cluster.states();
    let said = cluster.sh("nn-queue sync; nn-queue list");
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.contains("gridengine: ") && said.contains("Connection refused"), "{said}");
    let after = cluster.states();
    // What runs goes on, and of what waits nothing is decided.
    let forward = ["submitted", "running", "done", "failed"];
    let rank = |folder: &str| forward.iter().position(|name| *name == folder);
    for (run, (folder, generation)) in before.iter().filter(|(run, _)| **run != 40) {
        let now = &after[run];
        assert!(rank(folder) <= rank(&now.0) && now.1[..1] == generation[..1], "{run}: {folder} {now:?}");
    }
    assert!(cluster.bad("nn-queue submit --to gridengine").contains("nothing is queued"));
    cluster.good("start-qmaster </dev/null &");
    cluster.until("many are done", || cluster.count("done") > 12);
    assert_eq!(cluster.good("nn-queue cancel long"), "1\tstopping\n");
    cluster.until("all have ended", || cluster.count("submitted") + cluster.count("running") == 0);
    let states = cluster.states();
    let not_done: Vec<_> = states.iter().filter(|(_, (folder, _))| folder != "done").collect();
    let is = |run: u64, folder: &str, rest: &str| (states[&run].0 == folder) && states[&run].1 == rest;
    assert!(is(1, "cancelled", "1") && is(40, "cancelled", "1") && is(13, "failed", "1~exit,3"), "{not_done:?}");
    assert_eq!((not_done.len(), states.len()), (3, 40), "{not_done:?}");
    assert_eq!(cluster.epochs(20), [1, 2]);
    // Nothing of the environment here got there, and nothing of ours is in the way.
    cluster.until("its jobs are gone as well", || cluster.good("qstat").is_empty());
}

/// Told to go, by its own time limit, by that of the queue, and before it is suspended, a run comes back, and goes on.
#[test]
fn told_to_go() {
    let Some(cluster) = Cluster::start("gridengine", "told") else { return };
    let add = |name: &str, options: &str| {
        cluster.good(&format!("nn-queue add --live -n {name} {options} -- sh train 9 1"));
    };
    add("limited", "--time 7s --finish-up 3s");
    cluster.good("nn-queue submit --to gridengine limited");
    add("queue-limit", "");
    cluster.good("nn-queue submit --to gridengine -o '-l h_rt=4' queue-limit");
    cluster.until("both are done", || cluster.count("done") == 2);
    for run in [1, 2] {
        assert_eq!(cluster.epochs(run), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert!(cluster.states()[&run].1.parse::<u32>().unwrap() > 1, "one attempt did all");
    }
    add("suspended", "");
    add("deleted", "--time 1h --finish-up 1m");
    cluster.good("nn-queue submit --to gridengine suspended deleted");
    let saves = |run: u64| cluster.sh(&format!("ls spool/runs/{run}/checkpoints/c-2")).status.success();
    cluster.until("both save", || saves(3) && saves(4));
    let job = |run: u64| {
        cluster.good(&format!("sed -n 's/.*\"job\":\"\\([^\"]*\\)\".*/\\1/p' spool/runs/{run}/attempt.json"))
    };
    // Grid Engine's own words for one who knows no other: the second is not wanted any more.
    cluster.good(&format!("qmod -sj {}", job(3)));
    cluster.good(&format!("qdel {}", job(4)));
    cluster.until("both have ended", || cluster.folder(3) == "done" && cluster.folder(4) == "cancelled");
    assert_eq!(cluster.epochs(3), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert!(cluster.states()[&3].1.parse::<u32>().unwrap() > 1, "it was never interrupted");
}

/// nn-run in a script of a person's own (as scripts/examples/train.qsub): called as the job is, told before that is killed,
/// and the same run when Grid Engine starts the script again.
#[test]
fn own_script() {
    let Some(cluster) = Cluster::start("gridengine", "own") else { return };
    let script = std::fs::read_to_string(root().join("scripts/examples/train.qsub")).unwrap();
    let small = script.replace("20G", "1M").replace("--checkpoint 'checkpoints/*.npz' ", "");
    let small = small.replace("--finish-up 5m --time 47h", "--finish-up $LEAVE --time $TIME");
    std::fs::write(cluster.place.dir.join("train.qsub"), small.replace("python lang_experiment.py", TRAIN_20)).unwrap();
    cluster.good("export LEAVE=2s TIME=5s; qsub -v PATH,NN_SPOOL,LEAVE,TIME -o train.out train.qsub");
    cluster.until("it runs", || cluster.folder(1) == "running");
    cluster
        .good("export LEAVE=1m TIME=1h; qsub -v PATH,NN_SPOOL,LEAVE,TIME -l h_rt=3 -N killed -o killed.out train.qsub");
    cluster.until("both have ended", || cluster.folder(1) == "done" && cluster.folder(2) == "failed");
    let shown = cluster.good("nn-queue show 1");
    for words in ["LM_miuc", "gridengine 1, LM_miuc in main.q, started again"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert_eq!(cluster.epochs(1), (1..=20).collect::<Vec<u32>>());
    assert!(cluster.states()[&1].1.parse::<u32>().unwrap() > 1, "one attempt did all");
    let shown = cluster.good("nn-queue show killed");
    assert!(shown.contains("the engine gave notice: its job will soon be killed"), "{shown}");
    let saved = cluster.epochs(2).len();
    assert!(saved > 2 && cluster.good("ls spool/runs/2/checkpoints").contains(&format!("c-{saved}\n")), "{saved}");
    assert_eq!((cluster.states()[&2].1.as_str(), cluster.states().len()), ("1~time", 2));
}

/// What cannot be handed over stays queued, and the person is told why.
#[test]
fn refused() {
    let Some(cluster) = Cluster::start("gridengine", "refused") else { return };
    cluster.good("nn-queue add -n one --needs 'gpus=1 slots=2' -- true");
    cluster.good("nn-queue add -n two --needs gpus=1 -- true");
    for (script, words) in [
        (
            "PATH=$(dirname $(command -v nn-queue)) nn-queue submit --to gridengine",
            "is gridengine on this host, and in PATH?",
        ),
        (
            "NN_GRIDENGINE_SLOTS='-pe nope {}' nn-queue submit --to gridengine one",
            "the requested parallel environment \"nope\" does not exist",
        ),
        ("NN_GRIDENGINE_GPUS='-l gpus={}' nn-queue submit --to gridengine", "unknown resource \"gpus\""),
        ("nn-queue submit --to gridengine -o '-l gpu=x'", "attribute \"gpu\" is not a integer value"),
        ("nn-queue submit --to gridengine -o '-nonsense'", "invalid option argument"),
        ("NN_GRIDENGINE_OPTIONS=\"-l 'x\" nn-queue submit --to gridengine", "a quote is not closed"),
        ("nn-queue submit --to gridengin", "did you mean 'gridengine'?"),
        ("pkill -9 sge_qmaster; nn-queue submit --to gridengine", "Connection refused"),
    ] {
        let said = cluster.bad(script);
        assert!(said.contains(words), "{script}: {said}");
        assert_eq!(cluster.count("queued"), 2, "{script}: {:?}", cluster.states());
        assert_eq!(cluster.good("ls spool/batches"), "", "{script}");
    }
    cluster.good("start-qmaster </dev/null &");
    cluster.until("it answers", || cluster.sh("qstat").status.success());
    // Limits: of tasks in an array, which are tried by halves, and of jobs, which are not.
    cluster.good("nn-queue cancel one two; for i in $(seq 5); do nn-queue add --again -n many -- true; done");
    let set = |key: &str, value: u32| {
        cluster.good(&format!("qconf -sconf | sed 's/^{key} .*/{key} {value}/' >global && qconf -Mconf global"));
    };
    set("max_aj_tasks", 2);
    set("max_u_jobs", 2);
    let output = cluster.sh("nn-queue submit --to gridengine -o -h");
    let (out, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!((output.status.code(), out.lines().count()), (Some(2), 4), "{out}{said}");
    assert!(said.contains("only 2 jobs are allowed per user"), "{said}");
    assert_eq!((cluster.count("submitted"), cluster.count("queued")), (4, 1));
    // They wait there, held; taken back here they are gone there.
    cluster.good("nn-queue list --state submitted | cut -f1 | nn-queue cancel");
    cluster.until("nothing is left there", || cluster.good("qstat").is_empty());
    assert_eq!(cluster.count("cancelled"), 6);
}

/// A thousand runs are one call of qsub, and taken back are gone. What was cut off while it was handed over is sorted out.
#[test]
fn thousand() {
    let Some(cluster) = Cluster::start("gridengine", "thousand") else { return };
    cluster.good("mkdir shims; printf '#!/bin/sh\\necho call >>calls\\nexec /usr/bin/qsub \"$@\"\\n' >shims/qsub; chmod +x shims/qsub");
    cluster
        .good("for i in $(seq 1000); do echo '{\"name\":\"r'$i'\",\"argv\":[\"true\"]}'; done | nn-queue add --again");
    let script = "PATH=$PWD/shims:$PATH; nn-queue submit --to gridengine -o -h --max-parallel 7";
    assert_eq!(cluster.good(script).lines().count(), 1000);
    assert_eq!(cluster.good("cat calls"), "call\n");
    assert_eq!((cluster.count("submitted"), cluster.count("queued")), (1000, 0));
    let job = cluster.good("qstat -j 1");
    assert!(job.contains("1-1000:1") && job.contains("maximum concurrency:        7"), "{job}");
    cluster.good("nn-queue cancel 1-1000");
    cluster.until("nothing is left there", || cluster.good("qstat").is_empty());
    assert_eq!(cluster.count("cancelled"), 1000);

    // Whoever hands over is killed, after Grid Engine has the job or before: sync finds out which.
    cluster.good("printf '#!/bin/sh\\n[ -e before ] || /usr/bin/qsub \"$@\"\\nkill -9 $PPID\\n' >shims/qsub");
    cluster.good("nn-queue add -n after -- true; nn-queue add -n before -- true");
    cluster.bad(&script.replace("--max-parallel 7", "after"));
    cluster.bad(&format!("touch before; {}", script.replace("--max-parallel 7", "before")));
    assert!(cluster.states()[&1001].1.contains("~gridengine,sending."), "{:?}", cluster.states()[&1001]);
    let told = cluster.good("nn-queue sync");
    assert!(told.contains("1001\tgridengine has it as 2.1\n"), "{told}");
    assert!(told.contains("1002\tgridengine never got it: queued again\n"), "{told}");
    assert_eq!((cluster.states()[&1001].1.as_str(), cluster.folder(1002).as_str()), ("1~gridengine,2.1", "queued"));
}
