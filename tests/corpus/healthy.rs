//! Healthy curves: nothing is to be said of them.

use super::{Case, Counter, Family, Random, counter, points};
use std::f64::consts::{PI, TAU};

const FAMILIES: [Family; 27] = [
    ("exponential decay", exponential),
    ("power law", power_law),
    ("cosine schedule", cosine),
    ("warm restarts", restarts),
    ("warm restarts, longer each", longer_restarts),
    ("step schedule", steps),
    ("spikes that recover", spikes),
    ("noisy returns", returns),
    ("accuracy", accuracy),
    ("late start", late),
    ("oscillation of two players", players),
    ("oscillation that decays", damped),
    ("tiny losses", tiny),
    ("negative losses", negative),
    ("constant metrics", constant),
    ("few points", few),
    ("many points", many),
    ("per batch and per epoch", mixed),
    ("training and validation", pair),
    ("validation that flattens", flattens),
    ("warm-up of norms", norms),
    ("norms with spikes", norm_spikes),
    ("losses of reinforcement learning", reinforcement),
    ("gaps of evaluation", gaps),
    ("jitter of step times", jitter),
    ("heavy tails", heavy),
    ("scores with NaN, norms with infinities", odd_numbers),
];

/// So many curves of each family.
pub fn cases(seed: u64, each: u64) -> Vec<Case> {
    super::cases(&FAMILIES, seed * 1_000_003, 1009, each)
}

fn size(r: &mut Random) -> usize {
    r.log(30.0, 3000.0) as usize
}

fn name(r: &mut Random) -> &'static str {
    r.pick(&["loss", "train_loss", "cost", "train_cost", "val_loss", "valid_cost", "nll", "training/loss"])
}

/// One curve of a loss, of any scale, with noise in proportion to its level and its range.
fn one(r: &mut Random, n: usize, shape: impl Fn(f64) -> f64) -> Case {
    let (scale, noise) = (r.log(1e-3, 1e3), r.pick(&[0.0, 0.005, 0.02, 0.05, 0.1]));
    let (name, counter, seconds) = (name(r), counter(r), r.log(0.2, 300.0));
    let list = points(counter, seconds, &[name], n, |_, i| {
        let x = shape(i as f64 / n as f64);
        scale * (x + noise * r.normal() * (0.3 + 0.7 * x.abs()).min(1.0))
    });
    Case::new("", None, list)
}

fn exponential(r: &mut Random) -> Case {
    let (floor, tau, n) = (r.uniform(0.02, 0.6), r.uniform(0.03, 0.5), size(r));
    one(r, n, |x| floor + (1.0 - floor) * (-x / tau).exp())
}

fn power_law(r: &mut Random) -> Case {
    let (floor, a, n) = (r.uniform(0.1, 0.6), r.uniform(0.2, 1.0), size(r));
    one(r, n, |x| floor + (1.0 - floor) * (1.0 + x * n as f64).powf(-a))
}

fn cosine(r: &mut Random) -> Case {
    let (floor, n) = (r.uniform(0.05, 0.4), size(r));
    one(r, n, |x| floor + (1.0 - floor) * (0.6 * (-x * 10.0).exp() + 0.2 * (1.0 + (PI * x).cos())))
}

fn restarts(r: &mut Random) -> Case {
    let (cycles, height, floor, n) =
        (r.uniform(2.0, 8.0).floor(), r.uniform(0.05, 0.5), r.uniform(0.05, 0.3), size(r).max(60));
    one(r, n, |x| {
        let phase = (x * cycles).fract();
        floor + (1.0 - floor) * ((-x * 8.0).exp() + height * (-x).exp() * 0.5 * (1.0 + (PI * phase).cos()))
    })
}

fn longer_restarts(r: &mut Random) -> Case {
    let (height, floor, n) = (r.uniform(0.1, 0.5), r.uniform(0.05, 0.3), size(r).max(90));
    one(r, n, |x| {
        let y = x * 7.0 + 1.0;
        let phase = y / 2f64.powf(y.log2().floor()) - 1.0;
        floor + (1.0 - floor) * ((-x * 10.0).exp() + height * 0.5 * (1.0 + (PI * phase).cos()))
    })
}

fn steps(r: &mut Random) -> Case {
    let (first, second, n) = (r.uniform(0.25, 0.4), r.uniform(0.5, 0.75), size(r));
    let drop = r.uniform(0.25, 0.6);
    one(r, n, |x| {
        let stage = drop.powi(i32::from(x > first) + i32::from(x > second));
        0.05 + 0.45 * stage + 0.5 * (-x * 20.0).exp()
    })
}

fn spikes(r: &mut Random) -> Case {
    let (n, floor) = (size(r).max(60), r.uniform(0.05, 0.4));
    let list: Vec<(f64, f64, f64)> =
        (0..r.uniform(1.0, 6.0) as u32).map(|_| (r.uniform(0.1, 0.95), r.log(0.3, 10.0), r.log(0.2, 4.0))).collect();
    one(r, n, |x| {
        let spike = |(at, height, width): &(f64, f64, f64)| {
            let since = (x - at) * n as f64;
            if since < 0.0 { 0.0 } else { height * (-since / width).exp() }
        };
        floor + (1.0 - floor) * (-x * 9.0).exp() + list.iter().map(spike).sum::<f64>()
    })
}

fn returns(r: &mut Random) -> Case {
    let (n, top, noise, dip) = (size(r), r.log(1.0, 1e4), r.uniform(0.1, 0.4), r.uniform(0.0, 0.5));
    let (at, name, counter) = (r.uniform(0.3, 0.8), r.pick(&["episode_return", "mean_reward", "reward"]), counter(r));
    let list = points(counter, 1.0, &[name], n, |_, i| {
        let x = i as f64 / n as f64;
        let level = 1.0 / (1.0 + (-(x - 0.4) * 10.0).exp()) - dip * (-((x - at) / 0.05).powi(2)).exp();
        top * (level + noise * r.normal())
    });
    Case::new("", None, list)
}

fn accuracy(r: &mut Random) -> Case {
    let (n, chance, top, tau) = (size(r), r.uniform(0.01, 0.5), r.uniform(0.7, 0.99), r.uniform(0.05, 0.4));
    let (of, noise, counter) = (r.pick(&[1.0, 100.0]), r.pick(&[0.001, 0.01, 0.03]), counter(r));
    let name = r.pick(&["acc", "val_acc", "accuracy", "top1", "f1", "mAP"]);
    let list = points(counter, 5.0, &[name], n, |_, i| {
        let x = i as f64 / n as f64;
        of * (top - (top - chance) * (-x / tau).exp() + noise * r.normal()).clamp(0.0, 1.0)
    });
    Case::new("", None, list)
}

fn late(r: &mut Random) -> Case {
    let (n, begins, steep) = (size(r).max(60), r.uniform(0.02, 0.2), r.uniform(15.0, 60.0));
    let n = if begins * n as f64 > 60.0 { (60.0 / begins) as usize } else { n };
    let (counter, noise) = (Counter::Step(10), r.uniform(0.002, 0.03));
    let list = points(counter, 1.0, &["loss"], n, |_, i| {
        let x = i as f64 / n as f64;
        2.3 - 2.1 / (1.0 + (-(x - begins) * steep).exp()) + noise * r.normal()
    });
    Case::new("", None, list)
}

fn players(r: &mut Random) -> Case {
    let (n, periods, of) = (size(r).max(100), r.uniform(4.0, 40.0), r.uniform(0.05, 0.35));
    let names = r.pick(&[
        ["d_loss", "g_loss"],
        ["Loss_D", "Loss_G"],
        ["errD", "errG"],
        ["loss_disc", "loss_gen"],
        ["loss", "aux_loss"],
    ]);
    let (phase, noise, counter) = (r.uniform(0.0, TAU), r.uniform(0.01, 0.1), counter(r));
    let list = points(counter, 1.0, &names, n, |k, i| {
        let x = i as f64 / n as f64;
        0.7 + k as f64 + of * (TAU * periods * x + phase + 2.0 * k as f64).sin() + noise * r.normal()
    });
    Case::new("", None, list)
}

fn damped(r: &mut Random) -> Case {
    let (n, periods, of) = (size(r).max(60), r.uniform(2.0, 20.0), r.uniform(0.05, 0.4));
    one(r, n, |x| 0.2 + (-x * 6.0).exp() * (0.8 + of * (TAU * periods * x).sin()))
}

fn tiny(r: &mut Random) -> Case {
    let (n, decades, jitter) = (size(r), r.uniform(3.0, 11.0), r.uniform(0.0, 1.0));
    let (scale, counter, name) = (r.log(1e-6, 1.0), counter(r), name(r));
    let list = points(counter, 1.0, &[name], n, |_, i| {
        let x = i as f64 / n as f64;
        scale * 10f64.powf(-decades * (1.0 - (-x * 4.0).exp()) + jitter * r.normal() * 0.3)
    });
    Case::new("", None, list)
}

fn negative(r: &mut Random) -> Case {
    let (n, low, high) = (size(r), -r.log(0.1, 1e4), r.log(0.01, 1e2));
    let (tau, noise, counter, name) =
        (r.uniform(0.05, 0.6), r.uniform(0.001, 0.05), counter(r), r.pick(&["loss", "nll", "elbo_loss"]));
    let list = points(counter, 1.0, &[name], n, |_, i| {
        low + (high - low) * ((-(i as f64) / n as f64 / tau).exp() + noise * r.normal())
    });
    Case::new("", None, list)
}

fn constant(r: &mut Random) -> Case {
    let n = size(r);
    let (value, counter) = (r.pick(&[0.0, 1.0, 0.5, 1e-4, 100.0]), counter(r));
    let names = ["lr", "momentum", "aux_loss", "weight_norm", "accuracy"];
    let constant = [value, 0.9, 0.0, value, 1.0];
    Case::new("", None, points(counter, 2.0, &names, n, |k, _| constant[k]))
}

fn few(r: &mut Random) -> Case {
    let (n, rate, floor, noise) =
        (r.uniform(5.0, 14.0) as usize, r.uniform(0.2, 0.9), r.uniform(0.0, 0.5), r.uniform(0.0, 0.05));
    let names = ["train_loss", "val_loss", "val_acc"];
    let list = points(Counter::Epoch, r.log(5.0, 3600.0), &names, n, |k, i| {
        let x = floor + (1.0 - floor) * (-(i as f64) * rate).exp() + noise * r.normal() * 0.5;
        [2.3 * x, 2.3 * x * 1.1 + 0.05, 1.0 - x.clamp(0.0, 1.0)][k]
    });
    Case::new("", None, list)
}

fn many(r: &mut Random) -> Case {
    let (n, a, noise) = (r.pick(&[10_000usize, 20_000, 100_000]), r.uniform(0.05, 0.3), r.uniform(0.02, 0.15));
    let list = points(Counter::Step(1), 0.3, &["loss"], n, |_, i| {
        let spike = if i % 9973 == 9972 { 3.0 } else { 0.0 };
        1.5 + 9.3 * (1.0 + i as f64 / 20.0).powf(-a) + noise * r.normal() + spike
    });
    Case::new("", None, list)
}

fn mixed(r: &mut Random) -> Case {
    let (epochs, batches, noise) = (r.uniform(5.0, 40.0) as usize, 30usize, r.uniform(0.02, 0.2));
    let mut list = points(Counter::Batch(30), 2.0, &["loss"], epochs * batches, |_, i| {
        let x = i as f64 / (epochs * batches) as f64;
        0.2 + 2.1 * (-x * 6.0).exp() * (1.0 + noise * r.normal()) + noise * 0.2 * r.normal().abs()
    });
    // After each epoch the means of it, at a position of their own.
    for epoch in (1..=epochs).rev() {
        let mut point = list[epoch * batches - 1].clone();
        let t = point.t;
        point.clear();
        point.t = t;
        point.set_counter("epoch", epoch as f64);
        let x = epoch as f64 / epochs as f64;
        point.push_value("loss", 0.2 + 2.1 * (-x * 6.0).exp());
        point.push_value("val_loss", 0.3 + 2.0 * (-x * 6.0).exp() + 0.01 * r.normal());
        list.insert(epoch * batches, point);
    }
    Case::new("", None, list)
}

fn pair(r: &mut Random) -> Case {
    let (n, gap, tau, noise) = (size(r).min(300), r.uniform(0.02, 0.3), r.uniform(0.1, 0.5), r.uniform(0.0, 0.03));
    let names = r.pick(&[["loss", "val_loss"], ["train_cost", "valid_cost"], ["train/err", "test/err"]]);
    let scale = r.log(0.1, 100.0);
    let list = points(Counter::Epoch, 30.0, &names, n, |k, i| {
        let x = i as f64 / n as f64;
        scale * (0.1 + (-x / tau).exp() + gap * k as f64 + noise * (1.0 + k as f64) * r.normal())
    });
    Case::new("", None, list)
}

fn flattens(r: &mut Random) -> Case {
    let (n, noise) = (size(r).min(400), r.uniform(0.005, 0.05));
    let drift = r.uniform(0.0, 0.01);
    let list = points(Counter::Epoch, 30.0, &["loss", "val_loss", "acc", "val_acc"], n, |k, i| {
        let x = i as f64 / n as f64;
        let held_out = 0.5 + 0.5 * (-x * 12.0).exp() + drift * x;
        let train = 0.1 + 0.9 * (-x * 4.0).exp();
        let e = noise * 0.4 * r.normal();
        [train + e, held_out + e, 1.0 - 0.5 * train + e * 0.2, 1.0 - 0.6 * held_out + e * 0.2][k]
    });
    Case::new("", None, list)
}

fn norms(r: &mut Random) -> Case {
    let (n, growth, noise) = (size(r), r.uniform(1.0, 4.0), r.uniform(0.05, 0.5));
    let counter = counter(r);
    let list = points(counter, 1.0, &["grad_norm", "param_norm", "loss"], n, |k, i| {
        let x = i as f64 / n as f64;
        let e = (noise * r.normal()).exp();
        [
            (0.3 + 2.0 * (x * 20.0).min(1.0)) * e,
            10.0 * (1.0 + growth * x.sqrt()),
            0.3 + 2.0 * (-x * 5.0).exp() * (1.0 + 0.03 * r.normal()),
        ][k]
    });
    Case::new("", None, list)
}

fn norm_spikes(r: &mut Random) -> Case {
    let (n, fall, often) = (size(r), r.uniform(0.0, 1.5), r.pick(&[23, 57, 101]));
    let counter = counter(r);
    let list = points(counter, 1.0, &["gnorm"], n, |_, i| {
        let spike = if i % often == often - 1 { r.log(5.0, 1e3) } else { 1.0 };
        10f64.powf(-fall * i as f64 / n as f64) * (0.3 * r.normal()).exp() * spike
    });
    Case::new("", None, list)
}

fn reinforcement(r: &mut Random) -> Case {
    let (n, counter, growth) = (size(r), counter(r), r.log(1.0, 50.0));
    let mut walk = 0.0;
    let list = points(counter, 1.0, &["policy_loss", "value_loss", "entropy", "mean_reward"], n, |k, i| {
        let x = i as f64 / n as f64;
        walk = 0.97 * walk + 0.2 * r.normal();
        [walk * 0.05, growth * x + 0.5 * walk.abs(), 1.4 * (1.0 - 0.8 * x) + 0.02 * r.normal(), 100.0 * x + 10.0 * walk]
            [k]
    });
    Case::new("", None, list)
}

fn gaps(r: &mut Random) -> Case {
    let (n, batches, pause) = (r.uniform(200.0, 1500.0) as usize, r.pick(&[40u32, 100]), r.uniform(5.0, 30.0));
    let seconds = r.log(1.0, 60.0);
    let mut list = points(Counter::Batch(batches), seconds, &["loss"], n, |_, i| {
        1.0 / (1.0 + i as f64 * 0.01) + 0.01 * r.normal()
    });
    let mut later = 0.0;
    for (i, point) in list.iter_mut().enumerate() {
        if i > 0 && i % batches as usize == 0 {
            later += pause * seconds * r.uniform(0.8, 1.3);
        }
        point.t = point.t.map(|t| nn::base::time::Time(t.ms() + (later * 1000.0) as i64));
    }
    Case::new("", None, list)
}

fn jitter(r: &mut Random) -> Case {
    let (n, spread, seconds) = (size(r).max(100), r.uniform(0.05, 0.5), r.log(1.0, 100.0));
    let mut list = points(Counter::Step(10), seconds, &["loss", "step_time"], n, |k, i| {
        if k == 0 { 1.0 / (1.0 + i as f64 * 0.02) + 0.01 * r.normal() } else { 0.1 * (spread * r.normal()).exp() }
    });
    let mut t = 1_795_000_000_000i64;
    for (i, point) in list.iter_mut().enumerate() {
        let first = if i < 2 { 5.0 } else { 1.0 };
        t += (seconds * 1000.0 * first * (spread * r.normal()).exp()) as i64;
        point.t = Some(nn::base::time::Time(t));
    }
    Case::new("", None, list)
}

fn heavy(r: &mut Random) -> Case {
    let (n, width, floor, counter) = (size(r), r.uniform(0.01, 0.05), r.uniform(0.1, 0.4), counter(r));
    let list = points(counter, 1.0, &["loss"], n, |_, i| {
        let x = i as f64 / n as f64;
        // Student's t with two degrees of freedom.
        let e = r.normal() / (-r.uniform(1e-6, 1.0).ln()).sqrt();
        floor + (-x * 6.0).exp() + width * e.abs()
    });
    Case::new("", None, list)
}

fn odd_numbers(r: &mut Random) -> Case {
    let (n, counter) = (size(r), counter(r));
    let list = points(counter, 1.0, &["AP_small", "ppl", "grad_norm", "loss"], n, |k, i| {
        let x = i as f64 / n as f64;
        let loss = 0.3 + 2.0 * (-x * 5.0).exp() * (1.0 + 0.02 * r.normal());
        let norm = if i == 3 || i % 211 == 210 { f64::INFINITY } else { (0.3 * r.normal()).exp() };
        [f64::NAN, if i == 0 { f64::INFINITY } else { (loss * 3.0).exp() }, norm, loss][k]
    });
    Case::new("", None, list)
}
