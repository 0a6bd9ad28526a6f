//! Sick curves of each kind, in several severities; the onset is known.

use super::{Case, Counter, Family, Random, counter, points};
use nn::base::time::Time;
use std::f64::consts::TAU;

const FAMILIES: [Family; 20] = [
    ("NaN for good", nan),
    ("one NaN", one_nan),
    ("infinite", infinite),
    ("NaN in accuracy", nan_score),
    ("exponential growth", grows),
    ("a jump to chance", jump),
    ("a linear rise", linear),
    ("oscillation that grows", swings),
    ("accuracy collapses", collapse),
    ("stuck half way", stuck),
    ("accuracy stuck", stuck_score),
    ("overfitting", overfit),
    ("overfitting, accuracy", overfit_score),
    ("overfitting, few epochs", overfit_few),
    ("silence", silence),
    ("dead from the start", dead),
    ("dead, few epochs", dead_few),
    ("steps take longer", slow),
    ("norms explode", explode),
    ("norms vanish", vanish),
];

/// So many curves of each family.
pub fn cases(seed: u64, each: u64) -> Vec<Case> {
    super::cases(&FAMILIES, seed * 1_000_033 + 500_000, 1013, each)
}

fn size(r: &mut Random) -> usize {
    r.log(60.0, 3000.0) as usize
}

/// A healthy loss up to the onset, at a share of its length; from there what `after` makes of it, from the level there
/// and the points since.
fn turning(r: &mut Random, detector: &'static str, n: usize, onset: f64, after: impl Fn(f64, f64) -> f64) -> Case {
    let onset = (onset * n as f64) as usize;
    let (scale, noise, floor) = (r.log(1e-3, 1e3), r.pick(&[0.0, 0.01, 0.03, 0.06]), r.uniform(0.05, 0.4));
    let (name, counter, tau) = (r.pick(&["loss", "train_loss", "cost", "nll"]), counter(r), r.uniform(0.05, 0.2));
    let seconds = r.log(0.5, 100.0);
    let list = points(counter, seconds, &[name], n, |_, i| {
        let x = i.min(onset) as f64 / n as f64;
        let healthy = floor + (1.0 - floor) * (-x / tau).exp();
        let y = if i < onset { healthy } else { after(healthy, (i - onset) as f64 + 1.0) };
        scale * (y + noise * r.normal() * healthy.max(0.2))
    });
    Case::new("", Some((detector, onset)), list)
}

fn nan(r: &mut Random) -> Case {
    let (n, at) = (size(r), r.uniform(0.0, 0.9));
    turning(r, "nan", n, at, |_, _| f64::NAN)
}

fn one_nan(r: &mut Random) -> Case {
    let (n, at) = (size(r), r.uniform(0.1, 0.9));
    turning(r, "nan", n, at, |level, since| if since == 1.0 { f64::NAN } else { level })
}

fn infinite(r: &mut Random) -> Case {
    let (n, at) = (size(r), r.uniform(0.1, 0.9));
    turning(r, "nan", n, at, |_, _| f64::INFINITY)
}

fn nan_score(r: &mut Random) -> Case {
    let (n, counter) = (size(r), counter(r));
    let onset = n / 2;
    let list = points(counter, 1.0, &["acc"], n, |_, i| if i < onset { 0.5 + 0.01 * r.normal() } else { f64::NAN });
    Case::new("", Some(("nan", onset)), list)
}

fn grows(r: &mut Random) -> Case {
    let (n, at, rate) = (size(r), r.uniform(0.3, 0.7), r.log(0.02, 1.0));
    let rate = rate.max(30.0 / n as f64);
    turning(r, "divergence", n, at, |level, since| level * (rate * since).min(600.0).exp())
}

fn jump(r: &mut Random) -> Case {
    let (n, at, to) = (size(r), r.uniform(0.3, 0.65), r.uniform(0.85, 3.0));
    turning(r, "divergence", n, at, |_, _| to)
}

fn linear(r: &mut Random) -> Case {
    let (n, at, by) = (size(r), r.uniform(0.25, 0.5), r.uniform(0.8, 5.0));
    turning(r, "divergence", n, at, |level, since| level + by * since / (0.4 * n as f64))
}

fn swings(r: &mut Random) -> Case {
    let (n, at) = (size(r).max(100), r.uniform(0.3, 0.5));
    let period = r.uniform(3.0, 9.0);
    turning(r, "divergence", n, at, |level, since| {
        level + (since / n as f64 * 20.0).exp() * 0.01 * (1.5 + (TAU * since / period).sin())
    })
}

fn collapse(r: &mut Random) -> Case {
    let (n, counter, noise, of) = (size(r), counter(r), r.uniform(0.002, 0.02), r.pick(&[1.0, 100.0]));
    let onset = (n as f64 * r.uniform(0.35, 0.65)) as usize;
    let list = points(counter, 1.0, &["val_acc"], n, |_, i| {
        let x = i as f64 / n as f64;
        let level = if i < onset { 0.9 - 0.8 * (-x * 15.0).exp() } else { 0.1 };
        of * (level + noise * r.normal()).clamp(0.0, 1.0)
    });
    Case::new("", Some(("divergence", onset)), list)
}

fn stuck(r: &mut Random) -> Case {
    let (n, counter, scale) = (size(r).max(80), counter(r), r.log(1e-2, 1e2));
    let (level, noise, at) = (r.uniform(0.35, 0.8), r.uniform(0.001, 0.01), r.uniform(0.1, 0.35));
    let onset = (at * n as f64) as usize;
    let list = points(counter, 1.0, &["loss"], n, |_, i| {
        let x = (i as f64 / onset as f64).min(1.0);
        scale * (1.0 - (1.0 - level) * x + noise * r.normal())
    });
    Case::new("", Some(("plateau", onset)), list)
}

fn stuck_score(r: &mut Random) -> Case {
    let (n, counter, of) = (size(r).max(80), counter(r), r.pick(&[1.0, 100.0]));
    let (level, noise, at) = (r.uniform(0.3, 0.6), r.uniform(0.001, 0.01), r.uniform(0.1, 0.35));
    let onset = (at * n as f64) as usize;
    let list = points(counter, 1.0, &["accuracy"], n, |_, i| {
        let x = (i as f64 / onset as f64).min(1.0);
        of * (0.1 + (level - 0.1) * x + noise * r.normal()).max(0.0)
    });
    Case::new("", Some(("plateau", onset)), list)
}

/// Training falls throughout; held-out values fall to the onset and rise after it, by a share of what they fell.
fn overfitting(r: &mut Random, names: &[&str; 2], n: usize, noise: f64, rises: bool) -> Case {
    let (at, by, scale) = (r.uniform(0.2, 0.5), r.uniform(0.25, 1.5), if rises { 1.0 } else { r.log(0.1, 100.0) });
    let onset = ((at * n as f64) as usize).max(2);
    let list = points(Counter::Epoch, 60.0, names, n, |k, i| {
        let (x, o) = (i as f64 / n as f64, onset as f64 / n as f64);
        let train = 0.05 + 0.7 * (-x * 4.0).exp();
        let held_out = 0.1 + 0.7 * (-x.min(o) * 4.0).exp() + by * 0.35 * ((x - o) / (1.0 - o)).max(0.0);
        let y = [train, held_out][k] + noise * r.normal();
        scale * if rises { (1.0 - y).clamp(0.0, 1.0) } else { y }
    });
    Case::new("", Some(("overfit", onset)), list)
}

fn overfit(r: &mut Random) -> Case {
    let (names, n, noise) = (
        r.pick(&[
            ["loss", "val_loss"],
            ["train_cost", "valid_cost"],
            ["train/loss", "eval/loss"],
            ["train_err", "test_err"],
        ]),
        r.log(20.0, 400.0) as usize,
        r.uniform(0.0, 0.02),
    );
    overfitting(r, &names, n, noise, false)
}

fn overfit_score(r: &mut Random) -> Case {
    let (names, n) = (r.pick(&[["acc", "val_acc"], ["train_acc", "test_acc"]]), r.log(30.0, 300.0) as usize);
    let noise = r.uniform(0.0, 0.01);
    overfitting(r, &names, n, noise, true)
}

fn overfit_few(r: &mut Random) -> Case {
    let n = r.uniform(12.0, 20.0) as usize;
    overfitting(r, &["loss", "val_loss"], n, 0.002, false)
}

fn silence(r: &mut Random) -> Case {
    let (n, seconds, spread) = (r.uniform(40.0, 600.0) as usize, r.log(0.5, 200.0), r.uniform(0.0, 0.4));
    let counter = counter(r);
    let mut list = points(counter, seconds, &["loss"], n, |_, i| 1.0 / (1.0 + i as f64 * 0.05) + 0.005 * r.normal());
    let mut t = 1_795_000_000_000i64;
    for point in &mut list {
        t += (seconds * 1000.0 * (spread * r.normal()).exp()) as i64;
        point.t = Some(Time(t));
    }
    let mut case = Case::new("", Some(("stall", n)), list);
    case.silence = (seconds * 30.0).max(90.0).max(4000.0);
    case
}

fn dead(r: &mut Random) -> Case {
    let (n, noise, level, name) = (
        size(r).max(150),
        r.pick(&[0.0, 0.002, 0.01, 0.02]),
        r.log(0.05, 10.0),
        r.pick(&["loss", "train_loss", "cost"]),
    );
    let counter = r.pick(&[Counter::Epoch, Counter::Step(10), Counter::Batch(10)]);
    Case::new("", Some(("dead", 0)), points(counter, 1.0, &[name], n, |_, _| level * (1.0 + noise * r.normal())))
}

fn dead_few(r: &mut Random) -> Case {
    let (n, noise) = (r.uniform(12.0, 25.0) as usize, r.uniform(0.0, 0.004));
    let list = points(Counter::Epoch, 60.0, &["train_loss", "val_loss", "acc"], n, |k, _| {
        [2.303, 2.305, 0.1][k] * (1.0 + noise * r.normal())
    });
    Case::new("", Some(("dead", 0)), list)
}

fn slow(r: &mut Random) -> Case {
    let (n, spread, by, seconds) = (size(r).max(100), r.uniform(0.0, 0.3), r.uniform(2.2, 10.0), r.log(1.0, 100.0));
    let (onset, counter) = ((n as f64 * r.uniform(0.3, 0.7)) as usize, counter(r));
    let mut list = points(counter, seconds, &["loss"], n, |_, i| 1.0 / (1.0 + i as f64 * 0.05) + 0.005 * r.normal());
    let mut t = 1_795_000_000_000i64;
    for (i, point) in list.iter_mut().enumerate() {
        t += (seconds * 1000.0 * if i < onset { 1.0 } else { by } * (spread * r.normal()).exp()) as i64;
        point.t = Some(Time(t));
    }
    Case::new("", Some(("slow", onset)), list)
}

fn norm(r: &mut Random, factor: impl Fn(f64) -> f64) -> Case {
    let (n, noise, counter, level) = (size(r), r.uniform(0.0, 0.4), counter(r), r.log(1e-2, 1e2));
    let onset = (n as f64 * r.uniform(0.3, 0.7)) as usize;
    let name = r.pick(&["grad_norm", "gnorm", "train/grad_norm", "grad_norm/layer1"]);
    let list = points(counter, 1.0, &[name], n, |_, i| {
        let since = (i as f64 - onset as f64) / n as f64;
        level * (noise * r.normal()).exp() * if since < 0.0 { 1.0 } else { factor(since) }
    });
    Case::new("", Some(("norm", onset)), list)
}

fn explode(r: &mut Random) -> Case {
    let by = r.log(100.0, 1e6);
    let sudden = r.pick(&[true, false]);
    norm(r, |since| if sudden { by } else { by.powf((since * 8.0).min(1.0)) })
}

fn vanish(r: &mut Random) -> Case {
    let by = r.log(1e4, 1e9);
    let sudden = r.pick(&[true, false]);
    norm(r, |since| 1.0 / if sudden { by } else { by.powf((since * 8.0).min(1.0)) })
}
