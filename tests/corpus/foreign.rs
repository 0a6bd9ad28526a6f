//! Curves of other forms than those the detectors were made with: other schedules, other losses, other lengths, other noise.
//! Healthy ones first, then sick ones.

use super::{Case, Counter, Family, Random, counter, curve, points};
use std::f64::consts::{PI, TAU};

const FAMILIES: [Family; 34] = [
    ("one cycle", one_cycle),
    ("warm-up, then cosine to nothing", warm_cosine),
    ("label smoothing", smoothed),
    ("perplexity", perplexity),
    ("accuracy in per cent, all four", four),
    ("adversarial", adversarial),
    ("double descent", double_descent),
    ("late understanding", grokking),
    ("curriculum", curriculum),
    ("tiny batches", tiny_batches),
    ("spikes of heavy tails", heavy_spikes),
    ("returns that collapse and recover", returns),
    ("evidence bound", bound),
    ("log likelihood", likelihood),
    ("very short", short),
    ("a million points", million),
    ("validation now and then", now_and_then),
    ("loss printed as mean of the epoch", running_mean),
    ("fine-tuning that starts low", fine_tune),
    ("rises of warm-up", warm_rise),
    ("regularisation that falls after the rise", regular),
    ("NaN late", late_nan),
    ("infinite at the end", infinite),
    ("slow divergence", slow_divergence),
    ("explodes, then flat", explodes_flat),
    ("explodes and saturates", saturates),
    ("plateau after the first fall", stuck),
    ("dead", dead),
    ("dead at chance, label smoothing", dead_smoothed),
    ("overfits slowly", overfit_slowly),
    ("overfits fast", overfit_fast),
    ("stall", stall),
    ("steps creep to thrice the time", creep),
    ("gradients vanish and explode", gradients),
];

/// So many curves of each family.
pub fn cases(seed: u64, each: u64) -> Vec<Case> {
    super::cases(&FAMILIES, seed * 1_000_081 + 900_000, 1031, each)
}

fn size(r: &mut Random) -> usize {
    r.log(40.0, 5000.0) as usize
}

fn healthy_loss(r: &mut Random) -> impl Fn(f64) -> f64 + use<> {
    let (start, end, tau, power) =
        (r.uniform(1.0, 11.0), r.uniform(0.01, 0.7), r.uniform(0.03, 0.3), r.pick(&[true, false]));
    move |x: f64| start * (end + (1.0 - end) * if power { (1.0 + x / tau * 3.0).powf(-0.8) } else { (-x / tau).exp() })
}

fn one_cycle(r: &mut Random) -> Case {
    let (n, noise, bump) = (size(r), r.pick(&[0.0, 0.01, 0.04]), r.uniform(0.0, 0.25));
    let base = healthy_loss(r);
    // The rate is greatest at a third, and there the loss is held up.
    curve(r, "train_loss", n, noise, |x| base(x) + bump * base(0.2) * (-((x - 0.35) / 0.15).powi(2)).exp())
}

fn warm_cosine(r: &mut Random) -> Case {
    let (n, noise, warm) = (size(r), r.pick(&[0.005, 0.02, 0.05]), r.uniform(0.01, 0.1));
    let (start, end) = (r.uniform(4.0, 11.0), r.uniform(1.5, 3.5));
    curve(r, "loss", n, noise, |x| {
        let fall = if x < warm { 0.25 * (x / warm).powi(2) } else { 0.25 + 0.6 * (1.0 - (-(x - warm) * 12.0).exp()) };
        let late = 0.15 * (1.0 - (PI * x).cos()) / 2.0;
        start - (start - end) * (fall + late)
    })
}

fn smoothed(r: &mut Random) -> Case {
    let (n, noise, tau) = (size(r), r.uniform(0.001, 0.03), r.uniform(0.03, 0.3));
    let (floor, start) = (r.uniform(0.8, 2.2), r.uniform(2.5, 7.0));
    curve(r, "loss", n, noise, |x| floor + (start - floor) * (-x / tau).exp())
}

fn perplexity(r: &mut Random) -> Case {
    let (n, start, end, tau) = (size(r), r.uniform(6.0, 10.8), r.uniform(2.5, 5.0), r.uniform(0.05, 0.3));
    let (name, noise) = (r.pick(&["ppl", "valid_ppl", "perplexity"]), r.uniform(0.002, 0.05));
    curve(r, name, n, noise, |x| (end + (start - end) * (-x / tau).exp()).exp())
}

fn four(r: &mut Random) -> Case {
    let (n, of, gap, tau) = (size(r).min(500), r.pick(&[1.0, 100.0]), r.uniform(0.0, 0.15), r.uniform(0.05, 0.4));
    let noise = r.uniform(0.001, 0.02);
    let names = ["loss", "accuracy", "val_loss", "val_accuracy"];
    let list = points(Counter::Epoch, 20.0, &names, n, |k, i| {
        let x = (1.0 - (-(i as f64 + 1.0) / n as f64 / tau).exp()) * (1.0 - gap * (k / 2) as f64);
        let e = noise * r.normal();
        if k % 2 == 0 { 2.3 * (1.0 - 0.95 * x) + e } else { of * (0.1 + 0.88 * x + e).clamp(0.0, 1.0) }
    });
    Case::new("", None, list)
}

fn adversarial(r: &mut Random) -> Case {
    let (n, counter, noise, drift) = (size(r), counter(r), r.uniform(0.05, 0.5), r.uniform(-1.0, 3.0));
    let names = r.pick(&[["loss_d", "loss_g"], ["D_loss", "G_loss"], ["lossD", "lossG"], ["d/loss", "g/loss"]]);
    let mut walk = 0.0;
    let list = points(counter, 1.0, &names, n, |k, i| {
        walk = 0.98 * walk + 0.1 * r.normal();
        let x = i as f64 / n as f64;
        if k == 0 {
            (0.7 - 0.4 * x + walk).abs() + noise * r.normal().abs()
        } else {
            1.0 + drift.max(0.0) * x - walk + noise * r.normal()
        }
    });
    Case::new("", None, list)
}

fn double_descent(r: &mut Random) -> Case {
    let (n, noise, at, height) =
        (size(r).max(100), r.uniform(0.002, 0.03), r.uniform(0.15, 0.4), r.uniform(0.03, 0.12));
    // Held-out error falls, rises for a while, and falls below.
    curve(r, "test_error", n, noise, |x| {
        0.2 + 0.7 * (-x * 15.0).exp() + height * (-((x - at) / 0.08).powi(2)).exp() - 0.08 * x
    })
}

fn grokking(r: &mut Random) -> Case {
    let (n, at, noise) = (size(r).max(200), r.uniform(0.3, 0.8), r.uniform(0.002, 0.02));
    let names = ["train_loss", "train_acc", "val_acc"];
    let list = points(Counter::Step(100), 1.0, &names, n, |k, i| {
        let x = i as f64 / n as f64;
        let e = noise * r.normal();
        let late = 1.0 / (1.0 + (-(x - at) * 40.0).exp());
        [
            4.5 * (-x * 60.0).exp() + 0.02 + e.abs() * 0.1,
            (1.0 - (-x * 60.0).exp() + e).clamp(0.0, 1.0),
            (0.05 + 0.94 * late + e).clamp(0.0, 1.0),
        ][k]
    });
    Case::new("", None, list)
}

fn curriculum(r: &mut Random) -> Case {
    let (n, stages, noise) = (size(r).max(150), r.uniform(2.0, 6.0).floor(), r.uniform(0.005, 0.03));
    let jump = r.uniform(0.1, 0.5);
    // Each stage is harder: the loss jumps up, and falls again.
    curve(r, "loss", n, noise, |x| {
        let phase = (x * stages).fract();
        let first = if x * stages < 1.0 { 1.0 } else { jump };
        2.0 * (0.15 + first * (-phase * 6.0).exp())
    })
}

fn tiny_batches(r: &mut Random) -> Case {
    let (n, noise) = (size(r), r.uniform(0.2, 0.7));
    let base = healthy_loss(r);
    let counter = counter(r);
    let list = points(counter, 1.0, &["loss"], n, |_, i| base(i as f64 / n as f64) * (noise * r.normal()).exp());
    Case::new("", None, list)
}

fn heavy_spikes(r: &mut Random) -> Case {
    let (n, often) = (size(r), r.uniform(0.002, 0.05));
    let base = healthy_loss(r);
    let counter = counter(r);
    let list = points(counter, 1.0, &["train_loss"], n, |_, i| {
        let spike = if r.uniform(0.0, 1.0) < often { 0.3 * r.uniform(1e-4, 1.0).powf(-0.7) } else { 0.0 };
        base(i as f64 / n as f64) * (1.0 + 0.02 * r.normal()) + spike
    });
    Case::new("", None, list)
}

fn returns(r: &mut Random) -> Case {
    let (n, collapses, noise) = (size(r).max(100), r.uniform(1.0, 5.0) as u32, r.uniform(0.05, 0.3));
    let at: Vec<f64> = (0..collapses).map(|_| r.uniform(0.2, 0.9)).collect();
    let (counter, name) = (counter(r), r.pick(&["episode_reward", "ep_rew_mean", "return", "eval/mean_return"]));
    let list = points(counter, 1.0, &[name], n, |_, i| {
        let x = i as f64 / n as f64;
        let down: f64 = at.iter().map(|at| if x > *at { (-(x - at) / 0.05).exp() } else { 0.0 }).sum();
        200.0 * ((1.0 - (-x * 5.0).exp()) * (1.0 - down.min(1.0)) + noise * r.normal())
    });
    Case::new("", None, list)
}

fn bound(r: &mut Random) -> Case {
    let (n, noise, tau) = (size(r), r.uniform(0.001, 0.02), r.uniform(0.05, 0.3));
    let (counter, annealed) = (counter(r), r.uniform(5.0, 30.0));
    let list = points(counter, 1.0, &["loss", "recon_loss", "kl"], n, |k, i| {
        let x = i as f64 / n as f64;
        let recon = 90.0 + 450.0 * (-x / tau).exp();
        let kl = annealed * (x * 5.0).min(1.0);
        [recon + kl, recon, kl][k] * (1.0 + noise * r.normal())
    });
    Case::new("", None, list)
}

fn likelihood(r: &mut Random) -> Case {
    let (n, noise, from, to) = (size(r), r.uniform(0.001, 0.02), r.uniform(1.0, 100.0), -r.log(1.0, 3000.0));
    let (counter, tau) = (counter(r), r.uniform(0.05, 0.5));
    let name = r.pick(&["nll", "loss", "train_loss", "neg_log_likelihood_loss"]);
    let list = points(counter, 1.0, &[name], n, |_, i| {
        to + (from - to) * ((-(i as f64) / n as f64 / tau).exp() + noise * r.normal())
    });
    Case::new("", None, list)
}

fn short(r: &mut Random) -> Case {
    let (n, rate, noise) = (r.uniform(5.0, 16.0) as usize, r.uniform(0.1, 1.0), r.uniform(0.0, 0.08));
    let floor = r.uniform(0.05, 0.6);
    let list = points(Counter::Epoch, 600.0, &["train_loss", "val_loss", "val_acc"], n, |k, i| {
        let x = floor + (1.0 - floor) * (-(i as f64) * rate).exp();
        [
            0.7 * x * (1.0 + 0.3 * noise * r.normal()),
            0.7 * (x * 0.9 + 0.12) * (1.0 + noise * r.normal()),
            1.0 - 0.5 * x + 0.1 * noise * r.normal(),
        ][k]
    });
    Case::new("", None, list)
}

fn million(r: &mut Random) -> Case {
    let base = healthy_loss(r);
    let noise = r.uniform(0.05, 0.4);
    // Fewer where it would take too long.
    let n = r.pick(&[200_000usize, 1_000_000]) / if cfg!(debug_assertions) { 50 } else { 1 };
    let list = points(Counter::Step(1), 0.1, &["loss"], n, |_, i| {
        base(i as f64 / n as f64) * (1.0 + noise * r.normal()).abs()
    });
    Case::new("", None, list)
}

fn now_and_then(r: &mut Random) -> Case {
    let (epochs, every, noise) = (r.log(20.0, 400.0) as usize, r.uniform(2.0, 20.0) as usize, r.uniform(0.0, 0.04));
    let (base, gap) = (healthy_loss(r), r.uniform(0.0, 0.2));
    let mut list = points(Counter::Epoch, 60.0, &["train_loss"], epochs, |_, i| {
        base(i as f64 / epochs as f64) * (1.0 + noise * r.normal())
    });
    for (i, point) in list.iter_mut().enumerate().filter(|(i, _)| i % every == every - 1) {
        point.push_value("valid_loss", (base(i as f64 / epochs as f64) * 0.95 + gap) * (1.0 + noise * r.normal()));
    }
    Case::new("", None, list)
}

fn running_mean(r: &mut Random) -> Case {
    let (epochs, batches) = (r.uniform(5.0, 30.0) as usize, 100usize);
    let (base, noise) = (healthy_loss(r), r.uniform(0.02, 0.3));
    let (mut sum, n) = (0.0, epochs * batches);
    // Bars print the mean since the epoch began.
    let list = points(Counter::Batch(100), 0.5, &["loss"], n, |_, i| {
        let now = base(i as f64 / n as f64) * (1.0 + noise * r.normal()).abs();
        sum = if i % batches == 0 { now } else { sum + now };
        sum / (i % batches + 1) as f64
    });
    Case::new("", None, list)
}

fn fine_tune(r: &mut Random) -> Case {
    let (n, noise, start) = (size(r), r.uniform(0.02, 0.2), r.uniform(0.5, 2.5));
    let gain = r.uniform(0.15, 0.5);
    curve(r, "loss", n, noise, |x| start * (1.0 - gain * (1.0 - (-x * 4.0).exp())))
}

fn warm_rise(r: &mut Random) -> Case {
    let (n, noise, bump) = (size(r).max(60), r.uniform(0.0, 0.02), r.uniform(0.1, 1.0));
    let base = healthy_loss(r);
    // Too great a rate at the end of the warm-up, and then it goes well.
    curve(r, "loss", n, noise, |x| base(x) + bump * base(0.0) * (x / 0.05).min(1.0) * (-x * 12.0).exp())
}

fn regular(r: &mut Random) -> Case {
    let (n, noise, counter) = (size(r), r.uniform(0.001, 0.01), counter(r));
    let base = healthy_loss(r);
    let list = points(counter, 1.0, &["loss", "reg_loss", "weight_norm", "lr"], n, |k, i| {
        let x = i as f64 / n as f64;
        [base(x), 0.1 * (1.0 - (-x * 8.0).exp()) + 0.02, 30.0 + 20.0 * x, 1e-3 * (1.0 - x)][k]
            * (1.0 + noise * r.normal())
    });
    Case::new("", None, list)
}

/// A healthy loss until the onset, then what `after` makes of the level there and the part of the run since.
fn turns(r: &mut Random, detector: &'static str, at: f64, after: impl Fn(f64, f64, f64) -> f64) -> Case {
    let n = r.log(80.0, 5000.0) as usize;
    let (base, noise, counter) = (healthy_loss(r), r.pick(&[0.0, 0.02, 0.08]), counter(r));
    let onset = (at * n as f64) as usize;
    let name = r.pick(&["loss", "train/loss", "total_loss", "training_loss"]);
    let list = points(counter, 2.0, &[name], n, |_, i| {
        let x = i as f64 / n as f64;
        let healthy = base(x.min(at));
        let y = if i < onset { healthy } else { after(healthy, base(0.0), x - at) };
        y + noise * healthy * r.normal()
    });
    Case::new("", Some((detector, onset)), list)
}

fn late_nan(r: &mut Random) -> Case {
    turns(r, "nan", 0.95, |_, _, _| f64::NAN)
}

fn infinite(r: &mut Random) -> Case {
    turns(r, "nan", 0.9, |_, _, since| if since < 0.05 { 1e30 } else { f64::INFINITY })
}

fn slow_divergence(r: &mut Random) -> Case {
    let (at, to) = (r.uniform(0.2, 0.45), r.uniform(0.7, 3.0));
    turns(r, "divergence", at, |level, start, since| level + to * start * since / 0.5)
}

fn explodes_flat(r: &mut Random) -> Case {
    let (at, to) = (r.uniform(0.2, 0.6), r.log(1.2, 1e4));
    turns(r, "divergence", at, |_, start, _| to * start)
}

fn saturates(r: &mut Random) -> Case {
    let (at, to, tau) = (r.uniform(0.2, 0.55), r.log(1.5, 1e3), r.uniform(0.01, 0.1));
    turns(r, "divergence", at, |level, start, since| level + to * start * (1.0 - (-since / tau).exp()))
}

fn stuck(r: &mut Random) -> Case {
    let (n, level, noise) = (r.log(100.0, 4000.0) as usize, r.uniform(0.4, 0.75), r.uniform(0.001, 0.008));
    let at = r.uniform(0.08, 0.3);
    let list = points(counter(r), 1.0, &["train_loss"], n, |_, i| {
        6.9 * (1.0 - (1.0 - level) * (i as f64 / n as f64 / at).min(1.0)) * (1.0 + noise * r.normal())
    });
    Case::new("", Some(("plateau", (at * n as f64) as usize)), list)
}

fn dead(r: &mut Random) -> Case {
    let (n, noise, level) = (r.log(160.0, 5000.0) as usize, r.uniform(0.0, 0.03), r.log(0.1, 100.0));
    let counter = r.pick(&[Counter::Step(1), Counter::Step(100)]);
    let list = points(counter, 1.0, &["loss", "acc"], n, |k, _| {
        if k == 0 { level * (1.0 + noise * r.normal()) } else { (0.1 + 0.01 * r.normal()).max(0.0) }
    });
    Case::new("", Some(("dead", 0)), list)
}

fn dead_smoothed(r: &mut Random) -> Case {
    let (n, noise) = (r.uniform(20.0, 60.0) as usize, r.uniform(0.0, 0.004));
    let list = points(Counter::Epoch, 60.0, &["loss", "val_loss", "val_acc"], n, |k, _| {
        if k < 2 { 6.91 * (1.0 + noise * r.normal()) } else { 0.001 }
    });
    Case::new("", Some(("dead", 0)), list)
}

fn overfits(r: &mut Random, at: f64, by: f64) -> Case {
    let (n, noise, every) = (r.log(24.0, 500.0) as usize, r.uniform(0.0, 0.015), r.pick(&[1usize, 1, 2]));
    let onset = (at * n as f64) as usize;
    let mut list = points(Counter::Epoch, 60.0, &["loss"], n, |_, i| {
        0.9 * (-(i as f64) / n as f64 * 4.0).exp() + 0.01 + 0.3 * noise * r.normal().abs()
    });
    for (i, point) in list.iter_mut().enumerate().filter(|(i, _)| i % every == 0) {
        let (x, o) = (i as f64 / n as f64, at);
        let y = 0.35 + 0.6 * (-x.min(o) * 8.0 / o.max(0.2)).exp() + by * ((x - o) / (1.0 - o)).max(0.0);
        point.push_value("val_loss", y * (1.0 + noise * r.normal()));
    }
    Case::new("", Some(("overfit", onset)), list)
}

fn overfit_slowly(r: &mut Random) -> Case {
    let (at, by) = (r.uniform(0.2, 0.4), r.uniform(0.12, 0.3));
    overfits(r, at, by)
}

fn overfit_fast(r: &mut Random) -> Case {
    let (at, by) = (r.uniform(0.15, 0.5), r.uniform(0.5, 3.0));
    overfits(r, at, by)
}

fn stall(r: &mut Random) -> Case {
    let mut case = turns(r, "stall", 1.0, |level, _, _| level);
    case.silence = r.uniform(4000.0, 9000.0);
    case
}

fn creep(r: &mut Random) -> Case {
    let (n, seconds, noise) = (r.log(120.0, 3000.0) as usize, r.log(1.5, 60.0), r.uniform(0.0, 0.2));
    let onset = (0.3 * n as f64) as usize;
    let base = healthy_loss(r);
    let mut list = points(counter(r), seconds, &["loss"], n, |_, i| base(i as f64 / n as f64));
    let mut t = 1_795_000_000_000i64;
    for (i, point) in list.iter_mut().enumerate() {
        let slower = 1.0 + 2.0 * ((i as f64 / n as f64 - 0.3) / 0.3).clamp(0.0, 1.0);
        t += (seconds * 1000.0 * slower * (noise * r.normal()).exp()) as i64;
        point.t = Some(nn::base::time::Time(t));
    }
    Case::new("", Some(("slow", onset)), list)
}

fn gradients(r: &mut Random) -> Case {
    let (n, noise, at) = (r.log(100.0, 4000.0) as usize, r.uniform(0.05, 0.5), r.uniform(0.3, 0.65));
    let (onset, ends) = ((at * n as f64) as usize, r.pick(&[1e-5, 1e-7, 1e3, 1e5]));
    let name = r.pick(&["grad_norm", "train/grad_norm", "gnorm", "grad-norm"]);
    let wave = r.uniform(0.0, 0.3);
    let list = points(counter(r), 1.0, &[name], n, |_, i| {
        let x = i as f64 / n as f64;
        let turn: f64 = ((x - at) / 0.1).clamp(0.0, 1.0);
        (noise * r.normal() + wave * (TAU * 5.0 * x).sin()).exp() * f64::powf(ends, turn)
    });
    Case::new("", Some(("norm", onset)), list)
}
