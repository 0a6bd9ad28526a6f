//! What runs use up and how busy their GPUs are, a look a minute: healthy traces of many shapes, and sick ones whose onset is
//! known. A trace of a leak ends where nothing is left: what is said later is missed. The delay is in minutes.

use super::{Outcome, Random, Sickness};
use nn::base::time::Time;
use nn::judge::judge::Judge;
use nn::judge::reserve::{Level, What};
use nn::record::history::Point;

/// What was seen in one minute.
#[derive(Clone, Default)]
pub struct Look {
    levels: Vec<Level>,
    busy: Option<f64>,
    /// The run has not printed anything yet
    starts: bool,
}

/// A trace.
pub struct Trace {
    pub sick: Option<Sickness>,
    pub looks: Vec<Look>,
    /// Minutes that the run takes, as far as that is known
    pub takes: Option<f64>,
}

/// A family: what it is called, and one trace of it.
pub type Family = (&'static str, fn(&mut Random) -> Trace);

const HEALTHY: [Family; 14] = [
    ("checkpoints written and removed", saw_tooth),
    ("checkpoints that grow, few of them kept", kept),
    ("page cache and bursts of memory", cache),
    ("a leak too small to matter", small_leak),
    ("a leak, and a run that ends before", short_run),
    ("memory that fills up and stays", warm_up),
    ("start: data are loaded and unpacked", start),
    ("a disk that others use", shared),
    ("GPU memory taken at once", taken),
    ("GPU memory that grows to the longest batch", longest_batch),
    ("validation on the processor", validation),
    ("GPU waits for data now and then", dips),
    ("GPU of reinforcement learning", games),
    ("hardly any GPU", hardly),
];

const SICK: [Family; 11] = [
    ("memory leaks", leak),
    ("memory leaks by steps", leak_by_steps),
    ("checkpoints never removed", never_removed),
    ("logs fill the disk", logs),
    ("others fill the disk", others),
    ("disk full at once", at_once),
    ("files run out", inodes),
    ("GPU memory leaks", gpu_leak),
    ("GPU goes idle", goes_idle),
    ("GPU goes idle after dips", idle_after_dips),
    ("GPU never used", never_used),
];

/// So many traces of each family, judged.
pub fn outcomes(seed: u64, each: u64) -> Vec<Outcome> {
    let families: Vec<Family> = HEALTHY.iter().chain(&SICK).copied().collect();
    of_each(&families, seed * 1_000_037, each)
}

/// So many traces of each of these families, judged.
pub fn of_each(families: &[Family], base: u64, each: u64) -> Vec<Outcome> {
    let of = |(k, (name, make)): (usize, &Family)| {
        (0..each)
            .map(move |i| judge(format!("{name} {i}"), make(&mut Random::new(base + k as u64 * 1021 + i))))
            .collect::<Vec<Outcome>>()
    };
    families.iter().enumerate().flat_map(of).collect()
}

fn judge(name: String, trace: Trace) -> Outcome {
    let begin = 1_795_000_000_000i64;
    let time = |minute: usize| Time(begin + minute as i64 * 60_000);
    let mut judge = Judge::new();
    judge.ends(Vec::new(), trace.takes.map(|minutes| Time(begin + (minutes * 60_000.0) as i64)));
    let mut said = Vec::new();
    for (i, look) in trace.looks.iter().enumerate() {
        let mut point = Point::new();
        point.t = Some(time(i));
        point.set_counter("epoch", (i / 30 + 1) as f64);
        point.set_counter("step", i as f64);
        if !look.starts {
            judge.point(&point);
        }
        judge.levels(time(i), &look.levels);
        if let Some(busy) = look.busy {
            judge.gpus(time(i), &[("GPU 0".to_string(), busy)]);
        }
        said.extend(judge.take().into_iter().map(|event| (event.detector, i, event.why)));
    }
    Outcome { name, sick: trace.sick, points: trace.looks.len(), said }
}

pub fn minutes(r: &mut Random) -> usize {
    r.log(120.0, 2500.0) as usize
}

/// A trace of one reserve: the part of it that is free, at each minute.
pub fn of(what: What, total: f64, n: usize, mut free: impl FnMut(usize) -> f64) -> Trace {
    let look = |i: usize| {
        let level = Level { what, of: "it".into(), free: (free(i) * total).max(0.0).round(), total };
        Look { levels: vec![level], ..Look::default() }
    };
    Trace { sick: None, looks: (0..n).map(look).collect(), takes: None }
}

/// The same, sick from the onset on, cut where nothing is left.
pub fn sick(detector: &'static str, onset: usize, mut trace: Trace) -> Trace {
    let full = trace.looks.iter().position(|look| look.levels.iter().any(|level| level.free <= 0.0));
    trace.looks.truncate(full.unwrap_or(trace.looks.len()));
    trace.sick = Some((detector, onset));
    trace
}

pub fn disk(r: &mut Random) -> f64 {
    r.log(5e10, 5e13)
}

pub fn ram(r: &mut Random) -> f64 {
    r.log(1.6e10, 2e12)
}

/// What others write and remove: a walk that comes back, of this width.
pub fn walk(r: &mut Random, n: usize, width: f64) -> Vec<f64> {
    let mut at = 0.0;
    (0..n)
        .map(|_| {
            at = 0.99 * at + 0.14 * width * r.normal();
            at
        })
        .collect()
}

fn saw_tooth(r: &mut Random) -> Trace {
    let (n, total, free) = (minutes(r), disk(r), r.uniform(0.1, 0.9));
    let (every, writes, size) = (r.log(5.0, 200.0), r.uniform(0.0, 0.8), r.uniform(0.02, 0.3) * free);
    let others = walk(r, n, 0.01 * free);
    of(What::Disk, total, n, |i| {
        let phase = (i as f64 / every).fract();
        // It is written for a part of the time, stays, and is removed.
        free - size * (phase / writes.max(0.01)).min(1.0) + others[i]
    })
}

fn kept(r: &mut Random) -> Trace {
    let (n, total, free) = (minutes(r), disk(r), r.uniform(0.1, 0.9));
    let (every, keep) = (r.log(5.0, 100.0), r.pick(&[2.0, 3.0, 5.0]));
    let size = r.uniform(0.01, 0.2) * free / keep;
    let others = walk(r, n, 0.01 * free);
    of(What::Disk, total, n, |i| free - size * (i as f64 / every).floor().min(keep) + others[i])
}

fn cache(r: &mut Random) -> Trace {
    let (n, total, free, noise) = (minutes(r), ram(r), r.uniform(0.2, 0.9), r.uniform(0.002, 0.03));
    let (burst, often) = (r.uniform(0.0, 0.5) * free, r.uniform(0.0, 0.2));
    of(What::Ram, total, n, |_| {
        let bursts = if r.uniform(0.0, 1.0) < often { burst } else { 0.0 };
        (free - bursts + noise * r.normal()).max(0.08)
    })
}

fn small_leak(r: &mut Random) -> Trace {
    let (n, total, free, noise) = (minutes(r), ram(r), r.uniform(0.3, 0.9), r.uniform(0.001, 0.01));
    // It would be full in two days to a year.
    let lasts = r.log(2.0, 365.0) * 1440.0;
    of(What::Ram, total, n.min(2000), |i| free * (1.0 - i as f64 / lasts) + noise * r.normal())
}

fn short_run(r: &mut Random) -> Trace {
    let (n, total, free, noise) = (minutes(r), disk(r), r.uniform(0.3, 0.9), r.uniform(0.0, 0.005));
    let lasts = n as f64 * r.uniform(1.2, 3.0);
    let trace = of(What::Disk, total, n, |i| free * (1.0 - i as f64 / lasts) + noise * r.normal());
    Trace { takes: Some(n as f64), ..trace }
}

fn warm_up(r: &mut Random) -> Trace {
    let (n, total, free, noise) = (minutes(r), ram(r), r.uniform(0.4, 0.9), r.uniform(0.001, 0.01));
    let (of_it, tau) = (r.uniform(0.1, 0.5), r.log(1.0, 300.0));
    of(What::Ram, total, n, |i| free * (1.0 - of_it * (1.0 - (-(i as f64) / tau).exp())) + noise * r.normal())
}

fn start(r: &mut Random) -> Trace {
    let (n, total, free, until) = (minutes(r), disk(r), r.uniform(0.4, 0.9), r.uniform(3.0, 28.0));
    let (disk, ram) = (r.uniform(0.2, 0.8), r.uniform(0.2, 0.8));
    let level = |what: What, free: f64| Level { what, of: "it".into(), free: free * total, total };
    let look = |i: usize| {
        let done = (i as f64 / until).min(1.0);
        let levels = vec![
            level(What::Disk, free * (1.0 - disk * done)),
            level(What::Ram, free * (1.0 - ram * done) + 1e-3 * r.normal()),
        ];
        let starts = (i as f64) < until;
        Look { levels, busy: Some(if starts { 0.0 } else { r.uniform(60.0, 99.0) }), starts }
    };
    Trace { sick: None, looks: (0..n).map(look).collect(), takes: None }
}

fn shared(r: &mut Random) -> Trace {
    let (n, total, free) = (minutes(r), disk(r), r.uniform(0.1, 0.6));
    let width = r.uniform(0.01, 0.05) * free;
    let others = walk(r, n, width);
    let (at, chunk) = (r.uniform(0.1, 0.9) * n as f64, r.uniform(0.0, 0.2) * free);
    let takes = r.log(1.0, 60.0);
    of(What::Disk, total, n, |i| free - chunk * ((i as f64 - at) / takes).clamp(0.0, 1.0) + others[i])
}

fn taken(r: &mut Random) -> Trace {
    let (n, left) = (minutes(r), r.log(0.001, 0.3));
    of(What::GpuMemory, 8.5e10, n, |i| if i == 0 { 0.9 } else { left })
}

fn longest_batch(r: &mut Random) -> Trace {
    let (n, most, tau) = (minutes(r), r.uniform(0.2, 0.5), r.log(2.0, 100.0));
    let mut used: f64 = 0.3;
    of(What::GpuMemory, 8.5e10, n, |i| {
        // Records become rarer; the allocator keeps what it has once had.
        let longest = most * (1.0 - (-(i as f64) / tau).exp()) * r.uniform(0.9, 1.0);
        used = used.max(0.3 + longest);
        1.0 - used
    })
}

pub fn busy(n: usize, mut at: impl FnMut(usize) -> f64) -> Trace {
    let looks = (0..n).map(|i| Look { busy: Some(at(i).clamp(0.0, 100.0).round()), ..Look::default() }).collect();
    Trace { sick: None, looks, takes: None }
}

fn validation(r: &mut Random) -> Trace {
    let (n, work, every, pause) = (minutes(r), r.uniform(40.0, 98.0), r.log(20.0, 300.0), r.uniform(1.0, 9.0));
    busy(n, |i| if (i as f64 + pause) % every < pause && i > 20 { 0.0 } else { work + 3.0 * r.normal() })
}

fn dips(r: &mut Random) -> Trace {
    let (n, work, idle) = (minutes(r), r.uniform(20.0, 98.0), r.uniform(0.0, 0.4));
    busy(n, |_| if r.uniform(0.0, 1.0) < idle { 0.0 } else { work * r.uniform(0.5, 1.0) })
}

fn games(r: &mut Random) -> Trace {
    let (n, work, idle) = (minutes(r), r.uniform(20.0, 98.0), r.uniform(0.5, 0.9));
    busy(n, |_| if r.uniform(0.0, 1.0) < idle { 0.0 } else { work * r.uniform(0.3, 1.0) })
}

fn hardly(r: &mut Random) -> Trace {
    let (n, work) = (minutes(r), r.uniform(2.0, 8.0));
    busy(n, |_| (work + 2.0 * r.normal()).max(0.0))
}

/// Free until the onset, then less and less until nothing is left.
fn falls(r: &mut Random, detector: &'static str, what: What, total: f64, steps: bool) -> Trace {
    let (free, noise) = (r.uniform(0.15, 0.9), r.uniform(0.0, 0.01));
    let (onset, lasts) = (r.log(10.0, 600.0) as usize, r.log(45.0, 1000.0));
    let step = if steps { r.uniform(1.0, lasts / 20.0) } else { 1.0 };
    let n = onset + lasts as usize + 2;
    let trace = of(what, total, n, |i| {
        let since = (i.saturating_sub(onset) as f64 / step).floor() * step;
        free * (1.0 - since / lasts + noise * r.normal())
    });
    let takes = r.pick(&[None, Some(n as f64 + 300.0)]);
    sick(detector, onset, Trace { takes, ..trace })
}

fn leak(r: &mut Random) -> Trace {
    let total = ram(r);
    falls(r, "ram", What::Ram, total, false)
}

fn leak_by_steps(r: &mut Random) -> Trace {
    let total = ram(r);
    falls(r, "ram", What::Ram, total, true)
}

fn never_removed(r: &mut Random) -> Trace {
    let total = disk(r);
    falls(r, "disk", What::Disk, total, true)
}

fn logs(r: &mut Random) -> Trace {
    let total = disk(r);
    falls(r, "disk", What::Disk, total, false)
}

fn others(r: &mut Random) -> Trace {
    let (total, free, onset, lasts) = (disk(r), r.uniform(0.1, 0.6), r.log(30.0, 600.0) as usize, r.log(20.0, 200.0));
    let n = onset + lasts as usize + 2;
    let width = r.uniform(0.0, 0.02) * free;
    let walk = walk(r, n, width);
    sick("disk", onset, of(What::Disk, total, n, |i| free * (1.0 - i.saturating_sub(onset) as f64 / lasts) + walk[i]))
}

fn at_once(r: &mut Random) -> Trace {
    let (n, total, onset) = (minutes(r), r.log(5e10, 9e11), r.log(10.0, 100.0) as usize);
    let left = r.uniform(0.0005, 0.008);
    sick("disk", onset, of(What::Disk, total, n, |i| if i < onset { 0.5 } else { left }))
}

fn inodes(r: &mut Random) -> Trace {
    let total = r.log(1e6, 1e9);
    falls(r, "disk", What::Inodes, total, false)
}

fn gpu_leak(r: &mut Random) -> Trace {
    let total = r.log(8e9, 1.4e11);
    falls(r, "gpu-memory", What::GpuMemory, total, false)
}

fn goes_idle(r: &mut Random) -> Trace {
    let (work, onset) = (r.uniform(30.0, 99.0), r.log(70.0, 1000.0) as usize);
    let n = onset + onset.clamp(90, 300);
    let left = r.pick(&[0.0, 0.0, 1.0]);
    Trace { sick: Some(("gpu-idle", onset)), ..busy(n, |i| if i < onset { work + 3.0 * r.normal() } else { left }) }
}

fn idle_after_dips(r: &mut Random) -> Trace {
    let (work, onset, idle) = (r.uniform(30.0, 99.0), r.log(70.0, 1000.0) as usize, r.uniform(0.05, 0.5));
    let n = onset + onset.clamp(120, 300);
    let trace = busy(n, |i| if i >= onset || r.uniform(0.0, 1.0) < idle { 0.0 } else { work });
    Trace { sick: Some(("gpu-idle", onset)), ..trace }
}

fn never_used(r: &mut Random) -> Trace {
    Trace { sick: Some(("gpu-idle", 0)), ..busy(minutes(r), |_| 0.0) }
}
