//! A cron tick on a large spool: ten thousand runs that have ended, a hundred that run with histories of a hundred thousand
//! points; and five hundred events told by mail.

use crate::{Bench, children_cpu, cpu_of, ms, wall};
use nn::spool::owner::Owner;
use std::fs;
use std::process::Stdio;
use std::time::Instant;

const WATCH: &str = env!("CARGO_BIN_EXE_nn-watch");
const MAIL: &str = env!("CARGO_BIN_EXE_nn-mail");
const ENDED: u64 = 10_000;
const RUNNING: u64 = 100;
const POINTS: usize = 100_000;
const EVENTS: u64 = 500;

/// The second tick, and telling.
pub fn measure(b: &mut Bench) {
    let mut sleeper = b.command("sleep", "s-tick").arg("600").spawn().unwrap();
    let owner = Owner::of(sleeper.id()).unwrap();
    let spool = b.spool("s-tick");
    let history: String = (0..POINTS).map(|i| format!("{{\"epoch\":{i},\"loss\":0.{i}}}\n")).collect();
    fs::write(spool.join("history"), history).unwrap();
    for run in 1..=ENDED + RUNNING {
        let dir = spool.join(format!("runs/{run}"));
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("job.json"), "{\"argv\":[\"true\"],\"cwd\":\"/\",\"group\":\"grid\"}\n").unwrap();
        fs::write(dir.join("events.jsonl"), "{\"t\":\"2026-01-01T00:00:00Z\",\"event\":\"started\"}\n").unwrap();
        let token = if run <= ENDED {
            format!("done/{run:07}.1")
        } else {
            fs::hard_link(spool.join("history"), dir.join("history.jsonl")).unwrap();
            format!("running/{run:07}.1~{owner}~{owner}~s")
        };
        fs::write(spool.join(token), "").unwrap();
    }
    let before = children_cpu();
    wall(b.command(WATCH, "s-tick").args(["--tick", "--new"]));
    let first = children_cpu() - before;
    // A folder that has just changed is listed once more.
    std::thread::sleep(std::time::Duration::from_secs(3));
    wall(b.command(WATCH, "s-tick").args(["--tick", "--new"]));
    let second = cpu_of(50, b.command(WATCH, "s-tick").args(["--tick", "--new"]));
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
    b.row(
        "second tick, 10,000 ended and 100 running: CPU",
        format!("{:.1} ms (the first {:.0} ms)", ms(second), ms(first)),
        "< 20 ms",
        ms(second) < 20.0,
    );
    let events: String = (1..=EVENTS)
        .map(|run| {
            let end = if run % 167 == 100 { "\"failed\",\"how\":\"exit,1\"" } else { "\"done\"" };
            format!("{{\"t\":\"2026-01-01T00:00:00Z\",\"run\":{run},\"event\":\"ended\",\"state\":{end}}}\n")
        })
        .collect();
    fs::write(b.dir.join("events"), events).unwrap();
    let before = children_cpu();
    let started = Instant::now();
    let events = fs::File::open(b.dir.join("events")).unwrap();
    let mut tell = b.command(MAIL, "s-tick");
    tell.args(["--events", "--later", "me@example.org"])
        .env("NN_MAIL_FROM", "me@example.org")
        .stdin(Stdio::from(events));
    wall(&mut tell);
    let time = started.elapsed();
    b.row(
        "500 events of a sweep told by one nn-mail",
        format!("{:.2} s (CPU {:.0} ms)", time.as_secs_f64(), ms(children_cpu() - before)),
        "< 10 s",
        time.as_secs_f64() < 10.0,
    );
}
