//! Traces of resources in other shapes than those of `traces`, written before the detectors had seen one of them.

use super::traces::{Family, Trace, busy, disk, minutes, of, of_each, ram, sick, walk};
use super::{Outcome, Random};
use nn::judge::reserve::What;

const FAMILIES: [Family; 13] = [
    ("memory of an epoch, freed at its end", epochs),
    ("caches that fill up and are dropped", dropped),
    ("a data set copied for an hour", copied),
    ("best checkpoints replace worse ones", best),
    ("GPU memory by length of the batch", lengths),
    ("GPU that evaluates for long, now and then", evaluates),
    ("memory leaks by epochs, freed in part", leaks_under_saw),
    ("memory leaks ever faster", leaks_faster),
    ("checkpoints that grow", checkpoints_grow),
    ("a core file of each failed worker", core_files),
    ("fragments of GPU memory", fragments),
    ("GPU fades and stops", fades),
    ("GPU stops after evaluations", stops),
];

/// So many traces of each family, judged.
pub fn outcomes(seed: u64, each: u64) -> Vec<Outcome> {
    of_each(&FAMILIES, seed * 1_000_133 + 100_000, each)
}

fn epochs(r: &mut Random) -> Trace {
    let (n, total, free, takes) = (minutes(r), ram(r), r.uniform(0.4, 0.9), r.log(4.0, 400.0));
    let (grows, noise) = (r.uniform(0.1, 0.7), r.uniform(0.001, 0.02));
    of(What::Ram, total, n, |i| free * (1.0 - grows * (i as f64 / takes).fract()) + noise * r.normal())
}

fn dropped(r: &mut Random) -> Trace {
    let (n, total, free, tau) = (minutes(r), ram(r), r.uniform(0.3, 0.9), r.log(10.0, 200.0));
    let (mut used, often) = (0.0, r.uniform(0.005, 0.05));
    of(What::Ram, total, n, |_| {
        used = if r.uniform(0.0, 1.0) < often { 0.1 * used } else { used + (0.6 - used) / tau };
        free * (1.0 - used) + 0.003 * r.normal()
    })
}

fn copied(r: &mut Random) -> Trace {
    let (n, total, free) = (minutes(r).max(240), disk(r), r.uniform(0.3, 0.8));
    let (begin, takes, size) = (r.uniform(10.0, 100.0), r.uniform(20.0, 60.0), r.uniform(0.05, 0.3));
    of(What::Disk, total, n, |i| free * (1.0 - size * ((i as f64 - begin) / takes).clamp(0.0, 1.0)))
}

fn best(r: &mut Random) -> Trace {
    let (n, total, free, size) = (minutes(r), disk(r), r.uniform(0.1, 0.8), r.uniform(0.02, 0.2));
    let (every, others) = (r.log(5.0, 60.0) as usize + 1, walk(r, n, 0.01 * free));
    of(What::Disk, total, n, |i| {
        // The new one is written before the old one is removed.
        let kept = if i < every { 0.0 } else { 1.0 };
        free * (1.0 - size * (kept + if i % every < 2 { 1.0 } else { 0.0 })) + others[i]
    })
}

fn lengths(r: &mut Random) -> Trace {
    let (n, least, most) = (minutes(r), r.uniform(0.2, 0.4), r.uniform(0.1, 0.5));
    of(What::GpuMemory, 8.5e10, n, |_| 1.0 - least - most * r.uniform(0.0, 1.0).powi(3))
}

fn evaluates(r: &mut Random) -> Trace {
    let (n, work, every, takes) = (minutes(r), r.uniform(50.0, 99.0), r.log(40.0, 200.0), r.uniform(2.0, 8.0));
    let low = r.uniform(0.0, 4.0);
    busy(n, |i| if i as f64 % every > every - takes { low } else { work + 4.0 * r.normal() })
}

fn falling(r: &mut Random, detector: &'static str, what: What, total: f64, used: impl Fn(f64) -> f64) -> Trace {
    let (free, noise) = (r.uniform(0.2, 0.9), r.uniform(0.0, 0.008));
    let (onset, lasts) = (r.log(15.0, 400.0) as usize, r.log(60.0, 900.0));
    let trace = of(what, total, onset + lasts as usize + 2, |i| {
        free * (1.0 - used(i.saturating_sub(onset) as f64 / lasts) + noise * r.normal())
    });
    sick(detector, onset, trace)
}

fn leaks_under_saw(r: &mut Random) -> Trace {
    let (total, times, part) = (ram(r), r.uniform(8.0, 40.0), r.uniform(0.02, 0.15));
    falling(r, "ram", What::Ram, total, |x| if x == 0.0 { 0.0 } else { x + part * ((x * times).fract() - 0.5) })
}

fn leaks_faster(r: &mut Random) -> Trace {
    let (total, power) = (ram(r), r.uniform(1.2, 2.0));
    falling(r, "ram", What::Ram, total, |x| x.powf(power))
}

fn checkpoints_grow(r: &mut Random) -> Trace {
    let (total, times) = (disk(r), r.uniform(10.0, 40.0));
    falling(r, "disk", What::Disk, total, |x| ((x * times).floor() / times).powf(1.3))
}

fn core_files(r: &mut Random) -> Trace {
    let (total, times, wave) = (disk(r), r.uniform(12.0, 60.0), r.uniform(0.0, 0.3));
    falling(r, "disk", What::Disk, total, |x| ((x + wave * 0.1 * (x * 20.0).sin()).max(0.0) * times).floor() / times)
}

fn fragments(r: &mut Random) -> Trace {
    let power = r.uniform(0.8, 1.0);
    falling(r, "gpu-memory", What::GpuMemory, 8.5e10, |x| x.powf(power))
}

fn fades(r: &mut Random) -> Trace {
    let (work, onset, takes) = (r.uniform(40.0, 99.0), r.log(80.0, 800.0) as usize, r.uniform(5.0, 30.0));
    let n = onset + 200;
    let trace = busy(n, |i| {
        let left = 1.0 - (i as f64 - (onset as f64 - takes)) / takes;
        (work + 3.0 * r.normal()) * left.clamp(0.0, 1.0)
    });
    Trace { sick: Some(("gpu-idle", onset)), ..trace }
}

fn stops(r: &mut Random) -> Trace {
    let (work, onset, every, takes) =
        (r.uniform(40.0, 99.0), r.log(100.0, 800.0) as usize, r.log(30.0, 90.0), r.uniform(2.0, 6.0));
    let trace =
        busy(
            onset + 150,
            |i| {
                if i >= onset || i as f64 % every > every - takes { 0.0 } else { work + 4.0 * r.normal() }
            },
        );
    Trace { sick: Some(("gpu-idle", onset)), ..trace }
}
