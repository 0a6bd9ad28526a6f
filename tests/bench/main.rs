//! What the tools cost, as ratios against the plain thing measured in the same run: `scripts/bench`.
//!
//! Wall times are medians, the two sides of a ratio taken in turns, so that a busy moment hits both. CPU time is the
//! growth of the children's user and system time in /proc/self/stat over many runs (a tick is 10 ms). Memory and wake-ups are read
//! from /proc/PID/status. The table shows the goal beside each figure; a miss is shown, not failed.
//! `scripts/bench PART` measures only rows whose name contains PART. NN_BENCH_DIR: where (default: the temporary directory).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr)]

#[path = "../corpus/mod.rs"]
mod corpus;
mod frozen;
mod mail;
mod submit;
mod tick;
mod watch;
mod web;
mod weights;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The bench's directory and spools.
struct Bench {
    dir: PathBuf,
    rows: usize,
    missed: usize,
    only: Vec<String>,
}

const QUEUE: &str = env!("CARGO_BIN_EXE_nn-queue");
const RUN: &str = env!("CARGO_BIN_EXE_nn-run");

/// A part measures and adds rows.
type Part = fn(&mut Bench);

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

impl Bench {
    fn spool(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// A program at work on one of the bench's spools, which is made when it is missing.
    fn command(&self, program: &str, spool: &str) -> Command {
        if !self.spool(spool).join("version").exists() {
            let init = Command::new(QUEUE).arg("init").arg(self.spool(spool)).output().unwrap();
            assert!(init.status.success(), "nn-queue init: {init:?}");
        }
        let mut command = Command::new(program);
        command
            .current_dir(&self.dir)
            .env("HOME", &self.dir)
            .env("NN_SPOOL", self.spool(spool))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit());
        command
    }

    fn wanted(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|o| name.contains(o))
    }

    fn row(&mut self, what: &'static str, figure: String, goal: &'static str, met: bool) {
        println!("{what:<58} {figure:>30}  {goal:<18} {}", if met { "met" } else { "MISSED" });
        self.rows += 1;
        self.missed += usize::from(!met);
    }

    /// Puts `count` jobs `true` into a spool, through `add`.
    fn fill(&self, spool: &str, count: usize) {
        let mut add = self.command(QUEUE, spool).arg("add").stdin(Stdio::piped()).spawn().unwrap();
        add.stdin.take().unwrap().write_all(jobs(count).as_bytes()).unwrap();
        assert!(add.wait().unwrap().success(), "nn-queue add of {count} jobs failed");
    }
}

fn jobs(count: usize) -> String {
    (0..count).map(|i| format!("{{\"argv\":[\"true\"],\"name\":\"job-{i}\",\"params\":{{\"seed\":{i}}}}}\n")).collect()
}

/// How long a command takes from start to end.
fn wall(command: &mut Command) -> Duration {
    let started = Instant::now();
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
    started.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Medians of two commands, run in turns after a warming-up of each.
fn in_turns(count: usize, mut a: Command, mut b: Command) -> (Duration, Duration) {
    wall(&mut a);
    wall(&mut b);
    let pairs: Vec<(Duration, Duration)> = (0..count).map(|_| (wall(&mut a), wall(&mut b))).collect();
    let (a, b) = pairs.into_iter().unzip();
    (median(a), median(b))
}

/// User and system time of all children that have ended.
fn children_cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let after = stat.rsplit(')').next().unwrap();
    let ticks: u64 = after.split_whitespace().skip(13).take(2).map(|f| f.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// CPU time of one run of a command, from the sum over many.
fn cpu_of(count: u32, command: &mut Command) -> Duration {
    let before = children_cpu();
    for _ in 0..count {
        wall(command);
    }
    (children_cpu() - before) / count
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

/// A number of /proc/PID/status.
fn status(pid: u32, key: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find(|l| l.starts_with(key)).unwrap_or("");
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0)
}

fn end(mut child: Child) {
    let _ = Command::new("kill").arg(child.id().to_string()).status();
    let _ = child.wait();
}

fn run_of_true(b: &mut Bench) {
    let mut plain = b.command("sh", "s-true");
    plain.args(["-c", "true"]);
    let mut ours = b.command(RUN, "s-true");
    ours.args(["-q", "--", "true"]);
    let (ours, plain) = in_turns(20, ours, plain);
    let more = ms(ours) - ms(plain);
    b.row(
        "nn-run true, over sh -c true",
        format!("{more:.1} ms ({:.1}, {:.1})", ms(ours), ms(plain)),
        "< 10 ms",
        more < 10.0,
    );
}

fn run_memory(b: &mut Bench) {
    let child = b.command(RUN, "s-memory").args(["-q", "--", "sleep", "1"]).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let peak = status(child.id(), "VmHWM:") as f64 / 1024.0;
    end(child);
    b.row("nn-run: peak resident memory", format!("{peak:.1} MB"), "< 6 MB", peak > 0.0 && peak < 6.0);
}

fn add_many(b: &mut Bench) {
    let times: Vec<Duration> = ["s-a", "s-b", "s-c"]
        .map(|spool| {
            let started = Instant::now();
            b.fill(spool, 10_000);
            started.elapsed()
        })
        .into();
    let time = median(times);
    b.row("10,000 jobs added from stdin", format!("{:.2} s", time.as_secs_f64()), "< 1 s", time.as_secs_f64() < 1.0);
}

fn add_one(b: &mut Bench) {
    b.fill("s-one-full", 10_000);
    b.fill("s-one-empty", 1);
    let add = |spool: &str| {
        let mut add = b.command(QUEUE, spool);
        add.args(["add", "--", "true"]);
        add
    };
    let (full, empty) = in_turns(41, add("s-one-full"), add("s-one-empty"));
    let plain = cpu_of(300, &mut b.command("/bin/true", "s-one-empty"));
    let cpu = cpu_of(300, &mut add("s-one-empty"));
    let r = ratio(cpu, plain);
    b.row(
        "one add: CPU, over /bin/true",
        format!("{r:.1}x ({:.2} ms, {:.2} ms)", ms(cpu), ms(plain)),
        "<= 3x",
        r <= 3.0,
    );
    let r = ratio(full, empty);
    b.row(
        "one add: wall, 10,000 queued over none",
        format!("{r:.2}x ({:.1} ms, {:.1} ms)", ms(full), ms(empty)),
        "<= 1.2x",
        r <= 1.2,
    );
}

fn idle_worker(b: &mut Bench) {
    b.fill("s-idle", 1);
    wall(b.command(QUEUE, "s-idle").args(["work", "-q"]));
    let child = b.command(QUEUE, "s-idle").args(["work", "--forever"]).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    let switches = |pid| status(pid, "voluntary_ctxt_switches:");
    let before = switches(child.id());
    std::thread::sleep(Duration::from_secs(20));
    let wakes = (switches(child.id()) - before) as f64 / 20.0;
    let alive = before > 0;
    end(child);
    b.row("idle worker: wake-ups a second", format!("{wakes:.2}"), "< 1", alive && wakes < 1.0);
}

/// Time on a processor so far, /proc/PID/schedstat.
fn on_cpu(pid: u32) -> Duration {
    let text = fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap_or_default();
    Duration::from_nanos(text.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0))
}

/// Twenty sleeping runs whose use is sampled beside twenty whose is not, for a minute.
fn sampling(b: &mut Bench) {
    const RUNS: u32 = 20;
    const MINUTE: Duration = Duration::from_secs(60);
    let start = |spool: &str, every: &str| -> Vec<Child> {
        let mut run = b.command(RUN, spool);
        run.args(["-q", "--", "sleep", "600"]).env("NN_RESOURCES_EVERY", every);
        (0..RUNS).map(|_| run.spawn().unwrap()).collect()
    };
    let sampled = start("s-sampled", "10s");
    let plain = start("s-plain", "0");
    std::thread::sleep(Duration::from_secs(3));
    let sum = |children: &[Child]| children.iter().map(|child| on_cpu(child.id())).sum::<Duration>();
    let before = (sum(&sampled), sum(&plain));
    std::thread::sleep(MINUTE);
    let after = (sum(&sampled), sum(&plain));
    sampled.into_iter().chain(plain).for_each(end);
    let percent = |after: Duration, before: Duration| ratio(after - before, MINUTE) / f64::from(RUNS) * 100.0;
    let (with, without) = (percent(after.0, before.0), percent(after.1, before.1));
    let more = with - without;
    b.row(
        "sampling what 20 runs use: of a core, for each",
        format!("{more:.4} % ({with:.4} %, {without:.4} %)"),
        "< 0.1 %",
        with > 0.0 && more < 0.1,
    );
}

fn list(b: &mut Bench) {
    b.fill("s-list", 10_000);
    b.fill("s-list-done", 10_000);
    finished(&b.spool("s-list-done"), 100_000);
    let of = |spool: &str| {
        let mut list = b.command(QUEUE, spool);
        list.arg("list");
        list
    };
    let (done, none) = in_turns(11, of("s-list-done"), of("s-list"));
    b.row("list, 10,000 queued", format!("{:.0} ms", ms(none)), "< 250 ms", ms(none) < 250.0);
    let r = ratio(done, none);
    b.row(
        "list, 100,000 finished over none",
        format!("{r:.2}x ({:.0} ms, {:.0} ms)", ms(done), ms(none)),
        "<= 1.1x",
        r <= 1.1,
    );
}

/// Finished runs made by hand, as nn-spool(5) says.
fn finished(spool: &Path, count: usize) {
    let job = fs::read(spool.join("runs/1/job.json")).unwrap();
    for n in 1_000_000..1_000_000 + count {
        let dir = spool.join(format!("runs/{n}"));
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("job.json"), &job).unwrap();
        fs::write(spool.join(format!("done/{n:07}.1")), "").unwrap();
    }
}

fn drain(b: &mut Bench) {
    let mut walls = (Vec::new(), Vec::new());
    let mut cpus = (Duration::ZERO, Duration::ZERO);
    for round in 0..3 {
        let spool = format!("s-drain-{round}");
        b.fill(&spool, 1000);
        let before = children_cpu();
        walls.0.push(wall(b.command(QUEUE, &spool).args(["work", "-j2"]).stderr(Stdio::null())));
        let between = children_cpu();
        walls.1.push(wall(b.command("sh", &spool).args(["-c", "seq 1000 | xargs -P2 -n1 true"])));
        cpus.0 += between - before;
        cpus.1 += children_cpu() - between;
        let done = fs::read_dir(b.spool(&spool).join("done")).unwrap().count();
        assert_eq!(done, 1000, "work left jobs behind");
    }
    let (ours, plain) = (median(walls.0), median(walls.1));
    let r = ratio(ours, plain);
    b.row(
        "work -j2, 1,000 true: wall, over xargs -P2",
        format!("{r:.1}x ({:.2} s, {:.2} s)", ms(ours) / 1e3, ms(plain) / 1e3),
        "<= 4x",
        r <= 4.0,
    );
    let r = ratio(cpus.0, cpus.1);
    let (ours, plain) = (cpus.0.as_secs_f64() / 3.0, cpus.1.as_secs_f64() / 3.0);
    b.row(
        "work -j2, 1,000 true: CPU, over xargs -P2",
        format!("{r:.1}x ({ours:.2} s, {plain:.2} s)"),
        "<= 3x",
        r <= 3.0,
    );
}

/// What the shell's `times` says of its children: user and system time, such as `0m0.25s 0m1.5s` on its second line.
fn shell_times(path: &Path) -> Duration {
    let text = fs::read_to_string(path).unwrap();
    let seconds = |word: &str| -> f64 {
        let (minutes, seconds) = word.trim_end_matches('s').split_once('m').unwrap();
        minutes.parse::<f64>().unwrap() * 60.0 + seconds.parse::<f64>().unwrap()
    };
    let children = text.lines().nth(1).unwrap();
    Duration::from_secs_f64(children.split_whitespace().map(seconds).sum())
}

fn chatty_child(b: &mut Bench) {
    const LINES: usize = 1_000_000;
    let talk = format!(
        "date +%s%N >start; awk 'BEGIN {{ for (i = 1; i <= {LINES}; i++) printf \"epoch=%d loss=%.6f\\n\", i, 1 / i }}'; times >times; date +%s%N >end"
    );
    let stamp = |name: &str| -> u64 { fs::read_to_string(b.dir.join(name)).unwrap().trim().parse().unwrap() };
    let mut times = (Vec::new(), Vec::new(), Vec::new());
    let mut cpus = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let log = fs::File::create(b.dir.join("plain.log")).unwrap();
        wall(b.command("sh", "s-chatty").args(["-c", &talk]).stdout(log));
        times.1.push(Duration::from_nanos(stamp("end") - stamp("start")));
        cpus.1.push(shell_times(&b.dir.join("times")));
        wall(b.command(RUN, "s-chatty").args(["-q", "--", "sh", "-c", &talk]));
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        times.0.push(Duration::from_nanos(stamp("end") - stamp("start")));
        cpus.0.push(shell_times(&b.dir.join("times")));
        times.2.push(now.saturating_sub(Duration::from_nanos(stamp("end"))));
    }
    let (cpu, cpu_alone) = (median(cpus.0), median(cpus.1));
    let r = ratio(cpu, cpu_alone);
    b.row(
        "child of 1,000,000 lines: CPU, under nn-run over alone",
        format!("{r:.2}x ({:.0} ms, {:.0} ms)", ms(cpu), ms(cpu_alone)),
        "<= 1.05x",
        r <= 1.05,
    );
    let (under, alone, lag) = (median(times.0), median(times.1), median(times.2));
    let r = ratio(under, alone);
    b.row(
        "child of 1,000,000 lines: wall, under nn-run over alone",
        format!("{r:.2}x ({:.0} ms, {:.0} ms)", ms(under), ms(alone)),
        "<= 1.05x",
        r <= 1.05,
    );
    b.row("nn-run ends after that child by", format!("{:.0} ms", ms(lag)), "< 500 ms", ms(lag) < 500.0);
    let points = fs::read(b.spool("s-chatty").join("runs/1/history.jsonl")).unwrap_or_default();
    let points = points.iter().filter(|c| **c == b'\n').count();
    b.row("points recorded of that child", points.to_string(), "1000000", points == LINES);
}

/// The judge on the corpus of curves: the tables of nn-judge(7), which have to stand there.
fn judged(b: &mut Bench) {
    let mut on_page = 0;
    for (set, seed) in corpus::SEEDS {
        let begun = Instant::now();
        let outcomes = corpus::outcomes(set, seed, 20);
        let rows = corpus::table(&outcomes);
        let table = format!("{set} seeds:\n{}", corpus::show(&rows));
        println!("{table}\nin {:.1} s", begun.elapsed().as_secs_f64());
        on_page += usize::from(include_str!("../../man/nn-judge.7").contains(&table));
        corpus::wrong(&outcomes).iter().for_each(|what| println!("{what}"));
        let (sick, healthy): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.detector != "healthy");
        let curves: usize = sick.iter().map(|row| row.curves).sum();
        let caught = sick.iter().map(|row| row.caught).sum::<usize>() as f64 * 100.0 / curves as f64;
        let wrong = healthy.iter().map(|row| row.false_alarms as f64 * 100.0 / row.curves as f64).sum::<f64>();
        b.row("sick curves that were caught", format!("{caught:.1} %"), ">= 95 %", caught >= 95.0);
        b.row("healthy curves with a false alarm", format!("{wrong:.2} %"), "< 1 %", wrong < 1.0);
    }
    let all = corpus::SEEDS.len();
    b.row("tables as they stand in nn-judge(7)", format!("{on_page} of {all}"), "all", on_page == all);
}

fn main() {
    let only: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let top = std::env::var_os("NN_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = top.join(format!("nn-bench.{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    let mut bench = Bench { dir, rows: 0, missed: 0, only };
    let parts: [(&str, Part); 17] = [
        ("true", run_of_true),
        ("memory", run_memory),
        ("many", add_many),
        ("add", add_one),
        ("idle", idle_worker),
        ("sampling", sampling),
        ("list", list),
        ("drain", drain),
        ("chatty", chatty_child),
        ("frozen", frozen::measure),
        ("judge", judged),
        ("mail", mail::measure),
        ("watch", watch::measure),
        ("tick", tick::measure),
        ("submit", submit::measure),
        ("weights", weights::measure),
        ("web", web::measure),
    ];
    println!("{:<58} {:>30}  {:<18}", "what", "figure", "goal");
    for (name, part) in parts {
        if bench.wanted(name) {
            part(&mut bench);
        }
    }
    println!("{} of {} goals met", bench.rows - bench.missed, bench.rows);
}
