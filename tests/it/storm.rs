//! The kill storm: workers that run jobs while workers, runners and commands are killed with kill -9 at random moments, then
//! recovery. Afterwards every job came to an end, or was started again only with its former attempt on record; none is
//! lost, none is in two places, and no command ever ran while another of the same run did: each writes a line when it starts and when
//! it ends, and the intervals are compared.
//!
//! The moments and victims come from a seed, which is printed; NN_STORM_SEED repeats one (as far as the scheduler plays along),
//! NN_STORM_JOBS makes it longer (60).

use crate::place::{Place, output_within, say};
use crate::spool;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const WORKERS: usize = 3;

/// xorshift64*: any sequence will do, if it can be had again.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % n
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()
}

/// Pids of the processes of this spool that execute `name`; for "sh" those that run job.sh and lead their group, so that
/// a child of theirs, which until it executes date looks the same, is no victim: nobody would see that.
fn pids(place: &Place, name: &str) -> Vec<u32> {
    let spool = format!("NN_SPOOL={}", place.dir.join("spool").display());
    let is_one = |pid: &u32| {
        let read = |file: &str| fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        let args = read("cmdline");
        let args: Vec<&[u8]> = args.split(|b| *b == 0).collect();
        let named = match name {
            "sh" => args.get(1).is_some_and(|a| a.ends_with(b"job.sh")) && leads_its_group(*pid),
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
    work.args(["work", "-j2", "--forever"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// What the jobs wrote, by run: attempt, pid, start, end.
#[derive(Debug)]
struct Life {
    attempt: u64,
    pid: u32,
    start: u128,
    end: Option<u128>,
}

fn lives(place: &Place) -> BTreeMap<u64, Vec<Life>> {
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

/// Waits until nothing is left in running/ and queued/, recovering and working.
fn drain(place: &Place) {
    let spool = place.dir.join("spool");
    let left = |folder: &str| fs::read_dir(spool.join(folder)).unwrap().count();
    let started = Instant::now();
    while left("running") + left("queued") > 0 {
        assert!(started.elapsed() < Duration::from_secs(60), "not at rest: {:?}", spool::tokens(&spool));
        let recover = output_within(place.command("nn-queue").arg("recover"), Duration::from_secs(20));
        assert!(recover.status.success(), "{recover:?}");
        output_within(place.command("nn-queue").args(["work", "-j4"]), Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn kill_storm() {
    let seed = number("NN_STORM_SEED").unwrap_or(now() as u64 | 1);
    let jobs = number("NN_STORM_JOBS").unwrap_or(60);
    say(&format!("kill storm: NN_STORM_SEED={seed} NN_STORM_JOBS={jobs}"));
    let mut random = Random(seed);
    let place = Place::new("storm");
    let dir = place.dir.join("spool");
    fs::write(
        place.dir.join("job.sh"),
        "date \"+START $NN_RUN $NN_ATTEMPT $$ %s%N\" >>lives\nsleep 0.0$1\ndate \"+END $NN_RUN $NN_ATTEMPT $$ %s%N\" >>lives\n",
    )
    .unwrap();
    let lines: String = (0..jobs)
        .map(|i| {
            format!(
                "{{\"argv\":[\"sh\",\"job.sh\",\"{}\"],\"retries\":{}}}\n",
                2 + random.below(7),
                if i % 2 == 0 { 0 } else { 20 }
            )
        })
        .collect();
    fs::write(place.dir.join("jobs"), lines).unwrap();
    let sh = |script: &str| output_within(place.command("sh").args(["-c", script]), Duration::from_secs(20));
    let added = sh("nn-queue init >/dev/null 2>&1 && nn-queue add <jobs");
    assert!(added.status.success(), "{added:?}");
    assert_eq!(added.stdout.iter().filter(|b| **b == b'\n').count() as u64, jobs);

    let mut workers: Vec<Child> = (0..WORKERS).map(|_| worker(&place)).collect();
    let mut kills: BTreeMap<&str, usize> = BTreeMap::new();
    let mut killed_commands: BTreeMap<u32, u128> = BTreeMap::new();
    let started = Instant::now();
    while fs::read_dir(dir.join("queued")).unwrap().count() > 0 && started.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(10 + random.below(60) as u64));
        let kind = ["nn-queue", "nn-run", "nn-run", "nn-run", "sh"][random.below(5)];
        let victims = pids(&place, kind);
        if !victims.is_empty() {
            let victim = victims[random.below(victims.len())];
            kill(victim);
            *kills.entry(kind).or_default() += 1;
            if kind == "sh" {
                killed_commands.insert(victim, now());
            }
        }
        for worker_slot in &mut workers {
            if worker_slot.try_wait().unwrap().is_some() {
                *worker_slot = worker(&place);
            }
        }
    }
    for mut worker in workers {
        kill(worker.id());
        let _ = worker.wait();
    }
    drain(&place);
    check(&dir, jobs, &lives(&place), &killed_commands, &kills);
}

fn check(
    dir: &Path,
    jobs: u64,
    lives: &BTreeMap<u64, Vec<Life>>,
    killed: &BTreeMap<u32, u128>,
    kills: &BTreeMap<&str, usize>,
) {
    let states = spool::states(dir);
    spool::assert_whole(dir);
    assert_eq!(states.len() as u64, jobs, "runs there");
    let (mut lost, mut again) = (0, 0);
    for (run, token) in &states {
        let none = Vec::new();
        let lives = lives.get(run).unwrap_or(&none);
        let attempt = spool::json(dir, *run, "attempt.json");
        let former = attempt.as_ref().and_then(|a| a.list("former")).map_or(0, |f| f.len());
        let all = format!("run {run}: {token:?}, {lives:?}, {attempt:?}");
        assert!(matches!(token.folder, "done" | "failed"), "not at an end: {all}");
        let is_lost = token.name.ends_with("~lost");
        // A command may be killed before it has written its first line.
        let silent = is_lost || token.name.ends_with("~signal,9");
        assert!(silent || !lives.is_empty(), "ended and never ran: {all}");
        for pair in lives.windows(2) {
            let over = pair[0].end.or_else(|| killed.get(&pair[0].pid).copied());
            let over = over.unwrap_or_else(|| panic!("started again, and its end was not seen: {all}"));
            assert!(pair[1].start > over, "two at once: {all}");
            assert!(pair[1].attempt > pair[0].attempt, "one attempt ran twice: {all}");
        }
        assert!(lives.len() <= 1 + former, "a former attempt is not on record: {all}");
        assert!(run % 2 == 0 || lives.len() <= 1, "no retries were asked for: {all}");
        if token.folder == "done" {
            assert!(lives.last().is_some_and(|l| l.end.is_some()), "done, and did not come to its end: {all}");
        }
        lost += usize::from(is_lost);
        again += lives.len().saturating_sub(1);
    }
    let runners = kills.get("nn-run").copied().unwrap_or(0);
    assert!(lost + again <= runners, "{lost} lost and {again} again, of {runners} kills of runners");
    say(&format!("kill storm: {jobs} jobs, kills {kills:?}, {lost} lost, {again} started again"));
}
