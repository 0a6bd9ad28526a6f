//! What it costs to freeze the code of a large repository, and to lay it out for a run.

use super::{Bench, QUEUE, median, ms, wall};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// A repository of 20,000 files in 200 directories, all committed.
fn repository(dir: &Path) {
    for i in 0..20_000 {
        let folder = dir.join(format!("d{}/e{}", i % 20, i % 200));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("f{i}.py")), format!("x = {i}\n").repeat(1 + i % 800)).unwrap();
    }
    let git = |args: &[&str]| {
        let config = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "gc.auto=0"];
        let status = Command::new("git").arg("-C").arg(dir).args(config).args(args).status().unwrap();
        assert!(status.success(), "git {args:?}");
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "one"]);
}

/// Adding from it, edited and not, and the copy that a run gets.
pub fn measure(b: &mut Bench) {
    let dir = b.dir.join("repository");
    repository(&dir);
    let add = |options: &[&str]| {
        let mut add = b.command(QUEUE, "s-frozen");
        add.current_dir(&dir).arg("add").args(options).args(["--", "true"]);
        add
    };
    let times = |n: usize, edit: bool| -> Vec<Duration> {
        let one = |i| {
            if edit {
                fs::write(dir.join("d0/e0/f0.py"), format!("x = {i}\n")).unwrap();
            }
            wall(&mut add(&["--again"]))
        };
        (0..n).map(one).collect()
    };
    let (first, again) = (median(times(5, true)), median(times(5, false)));
    let live = median((0..5).map(|_| wall(&mut add(&["--live"]))).collect());
    for (what, time) in [("add, new code of 20,000 files, over --live", first), ("add, the same code again", again)] {
        let more = ms(time) - ms(live);
        b.row(what, format!("{more:.0} ms ({:.0}, {:.0})", ms(time), ms(live)), "< 1000 ms", more < 1000.0);
    }
    let held =
        "nn-queue list | cut -f1 | nn-queue hold >/dev/null; nn-queue add $1 -- true >/dev/null; nn-queue work -q";
    let path = Path::new(QUEUE).parent().unwrap().display();
    let run = |option: &str| {
        let script = format!("PATH={path}:$PATH; {held}");
        let mut run = b.command("sh", "s-frozen");
        run.current_dir(&dir).args(["-c", &script, "sh", option]);
        wall(&mut run)
    };
    let (frozen, live) = (run("--again"), run("--live"));
    let copy = wall(b.command("cp", "s-frozen").args(["-r", "repository", "copy"]));
    let more = ms(frozen) - ms(live) - ms(again);
    let r = more / ms(copy);
    b.row(
        "its copy made and taken away, over cp -r",
        format!("{r:.2}x ({more:.0} ms, {:.0} ms)", ms(copy)),
        "<= 1.5x",
        r <= 1.5,
    );
}
