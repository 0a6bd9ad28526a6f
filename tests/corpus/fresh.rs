//! Healthy curves of forms that were written down after the detectors were settled, to see whether those fit more than what
//! they were made with.

use super::{Case, Counter, Family, Random, curve, points};
use std::f64::consts::TAU;

const FAMILIES: [Family; 5] = [
    ("stairs", stairs),
    ("two speeds", two_speeds),
    ("slow start, then an S", late_start),
    ("cyclic rates", cyclic),
    ("distillation, two losses", distilled),
];

/// So many curves of each family.
pub fn cases(seed: u64, each: u64) -> Vec<Case> {
    super::cases(&FAMILIES, seed * 1_000_099 + 700_000, 1013, each)
}

/// One thing learned after the other, each all at once, the first soon.
fn stairs(r: &mut Random) -> Case {
    let (n, steps, noise) = (r.log(60.0, 3000.0) as usize, r.uniform(2.0, 6.0).floor(), r.uniform(0.002, 0.04));
    let (start, width) = (r.uniform(1.0, 8.0), r.uniform(15.0, 60.0));
    curve(r, "loss", n, noise, |x| {
        let done: f64 =
            (0..steps as u32).map(|k| 1.0 / (1.0 + (-(x - (f64::from(k) + 0.3) * 0.7 / steps) * width).exp())).sum();
        start * (1.0 - 0.9 * done / steps)
    })
}

fn two_speeds(r: &mut Random) -> Case {
    let (n, noise, share) = (r.log(40.0, 8000.0) as usize, r.uniform(0.0, 0.05), r.uniform(0.3, 0.7));
    let (fast, slow, start) = (r.uniform(0.005, 0.03), r.uniform(0.3, 1.0), r.log(0.1, 30.0));
    curve(r, "train_loss", n, noise, |x| {
        start * (0.1 + 0.9 * (share * (-x / fast).exp() + (1.0 - share) * (-x / slow).exp()))
    })
}

fn late_start(r: &mut Random) -> Case {
    let (n, noise, at) = (r.log(60.0, 2000.0) as usize, r.uniform(0.002, 0.03), r.uniform(0.05, 0.2));
    let (start, end) = (r.uniform(2.0, 9.0), r.uniform(0.1, 0.6));
    curve(r, "loss", n, noise, |x| start * (end + (1.0 - end) / (1.0 + ((x - at) * 25.0).exp())))
}

fn cyclic(r: &mut Random) -> Case {
    let (n, noise, cycles) = (r.log(80.0, 4000.0) as usize, r.uniform(0.005, 0.04), r.uniform(3.0, 12.0));
    let (tau, depth) = (r.uniform(0.1, 0.4), r.uniform(0.05, 0.2));
    curve(r, "training_loss", n, noise, |x| {
        (0.15 + 2.0 * (-x / tau).exp()) * (1.0 + depth * (0.5 - 0.5 * (TAU * cycles * x).cos()))
    })
}

fn distilled(r: &mut Random) -> Case {
    let (n, noise, tau) = (r.uniform(12.0, 200.0) as usize, r.uniform(0.002, 0.03), r.uniform(0.1, 0.4));
    let names = ["loss", "kd_loss", "val_loss", "val_acc"];
    let (teacher, student) = (r.uniform(0.2, 0.6), r.uniform(0.5, 0.9));
    let list = points(Counter::Epoch, 120.0, &names, n, |k, i| {
        let x = 1.0 - (-(i as f64 + 1.0) / n as f64 / tau).exp();
        [2.3 - 1.9 * x, 4.0 * (1.0 - (1.0 - teacher) * x), 2.2 - 1.6 * x, 0.1 + student * x * 0.98][k]
            * (1.0 + noise * r.normal())
    });
    Case::new("", None, list)
}
