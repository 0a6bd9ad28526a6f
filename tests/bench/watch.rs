//! What it costs to watch 100 runs with histories of 100,000 points: the live screen on a terminal once it has caught up,
//! while each run goes on, and the same printed once.

use super::{Bench, QUEUE, ms, on_cpu, ratio, status, wall};
use nn::spool::owner::Owner;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const WATCH: &str = env!("CARGO_BIN_EXE_nn-watch");
const RUNS: usize = 100;
const POINTS: usize = 100_000;
/// So long it is watched.
const WATCHED: Duration = Duration::from_secs(30);

fn point(i: usize) -> String {
    let (second, epoch) = (i % 60, 1 + i / 1000);
    let cost = 3.0 * (-(i as f64) / 20_000.0).exp() + 0.3;
    format!(
        "{{\"t\":\"2026-11-22T23:{:02}:{second:02}.123Z\",\"epoch\":{epoch},\"batch\":{},\"batches\":1000,\"train_cost\":{cost:.6},\"valid_cost\":{:.6}}}\n",
        i / 60 % 60,
        1 + i % 1000,
        cost * 1.1
    )
}

/// Runs that are under way, their owner this process, made by hand as nn-spool(5) says. Their histories are one file: a
/// point that is added is one for each of them.
fn runs(spool: &Path) -> std::path::PathBuf {
    let mut text = String::new();
    (0..POINTS).for_each(|i| text += &point(i));
    let history = spool.join("history");
    fs::write(&history, text).unwrap();
    let me = Owner::me().unwrap();
    for run in 1..=RUNS {
        let dir = spool.join("runs").join(run.to_string());
        fs::hard_link(&history, dir.join("history.jsonl")).unwrap();
        let started = "2026-11-22T23:00:00.000Z";
        fs::write(dir.join("attempt.json"), format!("{{\"generation\":1,\"started\":\"{started}\"}}\n")).unwrap();
        fs::write(dir.join("events.jsonl"), format!("{{\"t\":\"{started}\",\"event\":\"started\"}}\n")).unwrap();
        let token = format!("{run:07}.1");
        fs::rename(spool.join(format!("queued/5-{token}")), spool.join(format!("running/{token}~{me}~{me}~s")))
            .unwrap();
    }
    history
}

/// The rows.
pub fn measure(b: &mut Bench) {
    let mut jobs = String::new();
    for i in 0..RUNS {
        let _ =
            writeln!(jobs, "{{\"argv\":[\"true\"],\"name\":\"rnn-{i}\",\"params\":{{\"epochs\":200,\"seed\":{i}}}}}");
    }
    let mut add = b.command(QUEUE, "s-watch").arg("add").stdin(Stdio::piped()).spawn().unwrap();
    add.stdin.take().unwrap().write_all(jobs.as_bytes()).unwrap();
    assert!(add.wait().unwrap().success());
    let history = runs(&b.spool("s-watch"));
    once(b, &history);
    live(b, &history);
}

/// Beside a program that splits the same lines into their members.
fn once(b: &mut Bench, history: &Path) {
    let mut watch = b.command(WATCH, "s-watch");
    watch.arg("--once");
    let mut awk = b.command("awk", "s-watch");
    awk.args(["-F[:,]", "{ v = $NF; n += NF } END { print n, v }"]).args(vec![history; RUNS]);
    let (watch, awk) = (wall(&mut watch), wall(&mut awk));
    let r = ratio(watch, awk);
    b.row(
        "nn-watch --once, 10,000,000 points, over awk",
        format!("{r:.2}x ({:.1} s, {:.1} s)", watch.as_secs_f64(), awk.as_secs_f64()),
        "<= 1x",
        r <= 1.0,
    );
}

/// Bytes a process has read, from files and elsewhere: /proc/PID/io.
fn was_read(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
    text.lines().find_map(|line| line.strip_prefix("rchar: ")?.parse().ok()).unwrap_or(0)
}

fn live(b: &mut Bench, history: &Path) {
    let script = format!("stty rows 50 cols 160; echo $$ >pid; exec {WATCH}");
    let mut terminal = b.command("script", "s-watch");
    terminal.args(["-qfc", &script, "/dev/null"]).env("TERM", "xterm").stdin(Stdio::piped());
    let Ok(mut terminal) = terminal.spawn() else {
        return println!("nn-watch, live: not measured, no script(1)");
    };
    let begun = Instant::now();
    let mut pid = 0;
    // Caught up when it has read all there is, and a little time for what it reads last.
    let all = fs::metadata(history).unwrap().len() * RUNS as u64;
    while begun.elapsed() < Duration::from_secs(300) && was_read(pid) < all {
        std::thread::sleep(Duration::from_millis(100));
        pid = fs::read_to_string(b.dir.join("pid")).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    }
    let caught_up = begun.elapsed();
    std::thread::sleep(Duration::from_secs(5));
    let mut file = fs::File::options().append(true).open(history).unwrap();
    let (before, began) = (on_cpu(pid), Instant::now());
    let mut i = POINTS;
    while began.elapsed() < WATCHED {
        std::thread::sleep(Duration::from_secs(1));
        file.write_all(point(i).as_bytes()).unwrap();
        i += 1;
    }
    let percent = ratio(on_cpu(pid) - before, began.elapsed()) * 100.0;
    let (now, peak) = (status(pid, "VmRSS:"), status(pid, "VmHWM:"));
    drop(terminal.stdin.take());
    let _ = Command::new("kill").arg(pid.to_string()).status();
    let _ = terminal.wait();
    println!("(caught up after {:.0} ms)", ms(caught_up));
    b.row(
        "nn-watch, live, 100 runs of 100,000 points: of a core",
        format!("{percent:.2} %"),
        "< 1 %",
        percent > 0.0 && percent < 1.0,
    );
    b.row(
        "nn-watch, live, 100 runs of 100,000 points: memory",
        format!("{:.1} MB (at most {:.1})", now as f64 / 1e3, peak as f64 / 1e3),
        "< 20 MB",
        now > 0 && peak < 20_000,
    );
}
