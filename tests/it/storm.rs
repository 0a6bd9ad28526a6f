//! The kill storm: workers that run jobs while workers, runners and commands are killed with kill -9 at random moments,
//! and somebody watches with nn-queue list and show all the time; then recovery. Afterwards every job came to an end that is
//! explained, or was started again only with its former attempt on record (storm/check.rs: each command writes a line when
//! it starts and when it ends, and the intervals are compared), and nothing that was shown was a lie (storm/sight.rs).
//!
//! The moments and victims come from a seed, which is printed; NN_STORM_SEED repeats one (as far as the scheduler plays
//! along). NN_STORM_JOBS=2000 NN_STORM_WORKERS=8 NN_STORM_KILLS=200 is the full size.

mod check;
mod sight;

use crate::place::{Place, output_within, say};
use check::Record;
use sight::Sight;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// xorshift64*: any sequence will do, if it can be had again.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % n
    }
}

pub fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()
}

/// Pids of the processes of this spool that execute `name`; for "nn-queue" the workers; for "sh" those that run job.sh and lead their group, so that
/// a child of theirs, which until it executes date looks the same, is no victim: nobody would see that.
fn pids(place: &Place, name: &str) -> Vec<u32> {
    let spool = format!("NN_SPOOL={}", place.dir.join("spool").display());
    let is_one = |pid: &u32| {
        let read = |file: &str| fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        let args = read("cmdline");
        let args: Vec<&[u8]> = args.split(|b| *b == 0).collect();
        let named = match name {
            "sh" => args.get(1).is_some_and(|a| a.ends_with(b"job.sh")) && leads_its_group(*pid),
            "nn-queue" => args.first().is_some_and(|a| a.ends_with(b"nn-queue")) && args.get(1) == Some(&&b"work"[..]),
            name => args.first().is_some_and(|a| a.ends_with(name.as_bytes())),
        };
        named && read("environ").split(|b| *b == 0).any(|v| v == spool.as_bytes())
    };
    let all = fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|e| e.file_name().to_str()?.parse().ok()).filter(is_one).collect()
}

/// Field 5 of /proc/PID/stat is the process group.
fn leads_its_group(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    fields.split_whitespace().nth(2) == Some(&pid.to_string())
}

fn kill(pid: u32) {
    let _ = Command::new("kill").args(["-9", &pid.to_string()]).stderr(Stdio::null()).status();
}

fn worker(place: &Place) -> Child {
    let mut work = place.command("nn-queue");
    work.env("NN_BACKOFF", "0.05s")
        .args(["work", "-j2", "--forever"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// One death that was caused: kind of victim, its pid, its run, when it was surely over.
#[derive(Debug)]
struct Kill {
    what: &'static str,
    pid: u32,
    run: Option<u64>,
    at: u128,
}

/// The run that a runner or command belongs to, by its environment.
fn run_of(pid: u32) -> Option<u64> {
    let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let dir = environ.split(|b| *b == 0).find_map(|v| v.strip_prefix(b"NN_RUN_DIR="))?;
    String::from_utf8_lossy(dir).rsplit('/').next()?.parse().ok()
}

/// What the jobs wrote, by run: attempt, pid, start, end.
#[derive(Debug)]
pub struct Life {
    attempt: u64,
    pid: u32,
    start: u128,
    pub end: Option<u128>,
}

pub fn lives(place: &Place) -> BTreeMap<u64, Vec<Life>> {
    let mut lives: BTreeMap<u64, Vec<Life>> = BTreeMap::new();
    for line in fs::read_to_string(place.dir.join("lives")).unwrap_or_default().lines() {
        let f: Vec<&str> = line.split(' ').collect();
        let [what, run, attempt, pid, at] = f[..] else { panic!("torn line: {line}") };
        let (run, attempt, pid, at) =
            (run.parse().unwrap(), attempt.parse().unwrap(), pid.parse().unwrap(), at.parse().unwrap());
        let of_run = lives.entry(run).or_default();
        if what == "START" {
            of_run.push(Life { attempt, pid, start: at, end: None });
        } else {
            match of_run.iter_mut().find(|l| l.pid == pid && l.attempt == attempt) {
                Some(life) => life.end = Some(at),
                // The child that was to write START was the victim, its shell went on.
                None => of_run.push(Life { attempt, pid, start: at, end: Some(at) }),
            }
        }
    }
    lives
}

/// Makes the spool and queues jobs; the seconds each runs, and how often it may be tried again.
pub fn prepare(place: &Place, jobs: &[(String, u32)]) {
    let script = "date \"+START $NN_RUN $NN_ATTEMPT $$ %s%N\" >>lives\nsleep $1\n\
        date \"+END $NN_RUN $NN_ATTEMPT $$ %s%N\" >>lives\n";
    fs::write(place.dir.join("job.sh"), script).unwrap();
    let line = |(seconds, retries): &(String, u32)| {
        format!("{{\"argv\":[\"sh\",\"job.sh\",\"{seconds}\"],\"retries\":{retries}}}\n")
    };
    fs::write(place.dir.join("jobs"), jobs.iter().map(line).collect::<String>()).unwrap();
    let add = "nn-queue init >/dev/null 2>&1 && nn-queue add <jobs";
    let added = output_within(place.command("sh").args(["-c", add]), Duration::from_secs(60));
    assert!(added.status.success(), "{added:?}");
    assert_eq!(added.stdout.iter().filter(|b| **b == b'\n').count(), jobs.len());
}

fn count(spool: &Path, folder: &str) -> u64 {
    fs::read_dir(spool.join(folder)).unwrap().count() as u64
}

/// Waits until nothing is left in running/ and queued/, recovering and working.
fn drain(place: &Place) {
    let spool = place.dir.join("spool");
    let (mut left, mut since) = (u64::MAX, Instant::now());
    loop {
        let now = count(&spool, "running") + count(&spool, "queued");
        if now == 0 {
            return;
        }
        if now < left {
            (left, since) = (now, Instant::now());
        }
        assert!(since.elapsed() < Duration::from_secs(60), "not at rest: {:?}", crate::spool::tokens(&spool));
        let recover = output_within(place.command("nn-queue").arg("recover"), Duration::from_secs(20));
        assert!(recover.status.success(), "{recover:?}");
        output_within(place.command("nn-queue").args(["work", "-j4"]), Duration::from_secs(300));
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Kills at random, spread over the time that the jobs take, and starts workers anew.
fn rage(place: &Place, random: &mut Random, jobs: u64, workers: usize, most: u64) -> Vec<Kill> {
    let spool = place.dir.join("spool");
    let mut workers: Vec<Child> = (0..workers).map(|_| worker(place)).collect();
    let mut kills: Vec<Kill> = Vec::new();
    let (mut left, mut since) = (u64::MAX, Instant::now());
    loop {
        let queued = count(&spool, "queued");
        if queued == 0 {
            break;
        }
        if queued < left {
            (left, since) = (queued, Instant::now());
        }
        assert!(since.elapsed() < Duration::from_secs(60), "nothing goes on: {:?}", crate::spool::tokens(&spool));
        if (kills.len() as u64) * jobs <= jobs.saturating_sub(queued) * most {
            let what = ["nn-queue", "nn-run", "nn-run", "sh"][random.below(4)];
            let victims = pids(place, what);
            if !victims.is_empty() {
                let pid = victims[random.below(victims.len())];
                let run = run_of(pid);
                kill(pid);
                kills.push(Kill { what, pid, run, at: now() });
            }
        }
        for worker_slot in &mut workers {
            if worker_slot.try_wait().unwrap().is_some() {
                *worker_slot = worker(place);
            }
        }
        std::thread::sleep(Duration::from_millis(1 + random.below(20) as u64));
    }
    for mut worker in workers {
        kill(worker.id());
        let _ = worker.wait();
    }
    kills
}

#[test]
fn kill_storm() {
    let seed = number("NN_STORM_SEED").unwrap_or(now() as u64 | 1);
    let jobs = number("NN_STORM_JOBS").unwrap_or(100);
    let workers = number("NN_STORM_WORKERS").unwrap_or(4) as usize;
    let most = number("NN_STORM_KILLS").unwrap_or(25);
    say(&format!("kill storm: NN_STORM_SEED={seed} NN_STORM_JOBS={jobs}"));
    let mut random = Random(seed);
    let place = Place::new("storm");
    let dir = place.dir.join("spool");
    // Some long enough that they outlive their runner and are adopted.
    let seconds = |n: usize| if n < 10 { format!("0.{}", 2 + n % 4) } else { format!("0.0{}", 2 + n % 7) };
    let all: Vec<(String, u32)> = (0..jobs).map(|i| (seconds(random.below(70)), (i % 2) as u32 * 20)).collect();
    prepare(&place, &all);
    let (over, mut sight) = (AtomicBool::new(false), Sight::default());
    let began = Instant::now();
    let kills = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut sight = Sight::default();
            let mut random = Random(seed | 2);
            while !over.load(Ordering::Relaxed) {
                sight::look(&place, jobs, random.below(1 << 30), &mut sight);
            }
            sight
        });
        let kills = rage(&place, &mut random, jobs, workers, most);
        drain(&place);
        over.store(true, Ordering::Relaxed);
        sight = watcher.join().unwrap();
        kills
    });
    let took = began.elapsed();
    crate::spool::assert_whole(&dir);
    let of = |what: &str| kills.iter().filter(|k| k.what == what).count();
    let (bad, counts) = Record { dir: &dir, jobs, lives: lives(&place), kills: &kills }.violations();
    say(&format!(
        "kill storm: {jobs} jobs, {workers} workers, kills: {} workers, {} runners, {} commands; {} lost, {} killed, \
         {} started again; {} violations; {:.1} s",
        of("nn-queue"),
        of("nn-run"),
        of("sh"),
        counts.lost,
        counts.signalled,
        counts.again,
        bad.len(),
        took.as_secs_f64()
    ));
    say(&format!(
        "watched: {} answers of list and show, {} rows, {} owners called dead, {} lies",
        sight.answers,
        sight.rows,
        sight.noted_dead,
        sight.lies.len()
    ));
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    assert!(sight.lies.is_empty(), "{}", sight.lies.join("\n"));
}

/// The check has teeth: who takes a dead worker for a dead run, as a naive reaper does, starts it twice, and that is found.
#[test]
fn a_naive_reaper_is_found() {
    let place = Place::new("naive");
    let dir = place.dir.join("spool");
    prepare(&place, &[("2".into(), 20), ("2".into(), 20)]);
    let running = || fs::read_dir(dir.join("running")).unwrap().flatten().map(|e| e.file_name().into_string().unwrap());
    let begun = |n: usize| fs::read_to_string(place.dir.join("lives")).unwrap_or_default().lines().count() >= n;
    let until = |what: &str, done: &dyn Fn() -> bool| {
        let since = Instant::now();
        while !done() {
            assert!(since.elapsed() < Duration::from_secs(60), "no {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    let mut first = worker(&place);
    until("start", &|| begun(2));
    let _ = first.kill();
    let _ = first.wait();
    for name in running() {
        let (run, generation) = name.split_once('~').unwrap().0.split_once('.').unwrap();
        let again = format!("queued/5-{run}.{}", generation.parse::<u64>().unwrap() + 1);
        fs::rename(dir.join("running").join(&name), dir.join(again)).unwrap();
    }
    drain(&place);
    until("end", &|| begun(8));
    let (bad, _) = Record { dir: &dir, jobs: 2, lives: lives(&place), kills: &[] }.violations();
    assert!(bad.iter().any(|what| what.starts_with("two at once")), "not found: {bad:?}, {:?}", lives(&place));
}
