//! What it costs to hand a thousand runs over, without what the engine itself takes: its programs are scripts that answer at
//! once. The floor is what the protocol needs of the file system, two renames a run.

use super::{Bench, QUEUE, median, ms, ratio};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

const RUNS: usize = 1000;

/// Two renames a run, between folders as those of a spool.
fn renames(b: &Bench) -> Duration {
    let dir = b.dir.join("renames");
    for folder in ["queued", "submitted"] {
        fs::create_dir_all(dir.join(folder)).unwrap();
    }
    for i in 0..RUNS {
        fs::write(dir.join(format!("queued/{i}")), "").unwrap();
    }
    let begun = Instant::now();
    for i in 0..RUNS {
        fs::rename(dir.join(format!("queued/{i}")), dir.join(format!("submitted/{i}~sending"))).unwrap();
    }
    for i in 0..RUNS {
        fs::rename(dir.join(format!("submitted/{i}~sending")), dir.join(format!("submitted/{i}~4711"))).unwrap();
    }
    let took = begun.elapsed();
    fs::remove_dir_all(dir).unwrap();
    took
}

/// One thousand runs, one call of sbatch.
pub fn measure(b: &mut Bench) {
    let bin = b.dir.join("slurm");
    fs::create_dir_all(&bin).unwrap();
    for (name, answer) in [("scontrol", "MaxArraySize = 1001"), ("sbatch", "4711")] {
        let path = bin.join(name);
        fs::write(&path, format!("#!/bin/sh\necho {answer}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for i in 0..5 {
        let spool = format!("s-submit-{i}");
        b.fill(&spool, RUNS);
        let begun = Instant::now();
        let status = b.command(QUEUE, &spool).env("PATH", &path).args(["submit", "--to", "slurm"]).status().unwrap();
        ours.push(begun.elapsed());
        assert!(status.success());
        floor.push(renames(b));
    }
    let (ours, floor) = (median(ours), median(floor));
    b.row(
        "submit, 1,000 runs as one array",
        format!("{:.0} ms ({:.0}x the renames)", ms(ours), ratio(ours, floor)),
        "< 3000 ms",
        ms(ours) < 3000.0,
    );
}
