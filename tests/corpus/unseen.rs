//! Healthy curves as trainings of today print them, written before the detectors had seen one of them: contests, returns and
//! their losses, cyclic rates, curricula, rises of warm-up, wrong labels, evaluation at powers, counted scores, losses below
//! zero, skipped steps, two phases, passes learned by heart, very few and very many points.

use super::{Case, Counter, Family, Random, counter, curve, points};
use std::f64::consts::{PI, TAU};

const FAMILIES: [Family; 22] = [
    ("contest of images", contest),
    ("returns of a policy", policy),
    ("triangular rates", triangular),
    ("longer sequences by stages", stages),
    ("warm-up that rises", warm_rise),
    ("wrong labels", wrong_labels),
    ("evaluation at powers", at_powers),
    ("accuracy of few cases", counted),
    ("similarity below zero", similarity),
    ("flow, bits and likelihood", flow),
    ("steps of half precision skipped", skipped),
    ("two phases", two_phases),
    ("passes learned by heart", by_heart),
    ("means that begin anew each epoch", anew),
    ("hardly any points", hardly_any),
    ("fifty thousand points", fifty_thousand),
    ("contrast of many", contrast),
    ("overlap that begins late", overlap),
    ("denoising", denoising),
    ("equations", equations),
    ("sudden insight", insight),
    ("error rates, step schedule", error_rates),
];

/// So many curves of each family.
pub fn cases(seed: u64, each: u64) -> Vec<Case> {
    super::cases(&FAMILIES, seed * 1_000_117 + 300_000, 1019, each)
}

fn size(r: &mut Random) -> usize {
    r.log(40.0, 4000.0) as usize
}

/// Falls as a power law from 1 to 0, nearly.
fn power(x: f64, tau: f64, a: f64) -> f64 {
    (1.0 + x / tau).powf(-a)
}

fn contest(r: &mut Random) -> Case {
    let (n, counter, period, wins) = (size(r), counter(r), r.uniform(0.02, 0.2), r.uniform(0.0, 2.0));
    let names = ["loss_D", "loss_G", "loss_cycle", "loss_idt"];
    let list = points(counter, 1.0, &names, n, |k, i| {
        let x = i as f64 / n as f64;
        let wave = (TAU * x / period).sin();
        [
            0.35 - 0.1 * x + 0.15 * wave + 0.1 * r.normal().abs(),
            0.6 + wins * x - 0.3 * wave + 0.2 * r.normal().abs(),
            (0.5 + 1.5 * power(x, 0.02, 0.6)) * (1.0 + 0.2 * r.normal()).abs(),
            (0.3 + 1.0 * power(x, 0.02, 0.6)) * (1.0 + 0.25 * r.normal()).abs(),
        ][k]
    });
    Case::new("", None, list)
}

fn policy(r: &mut Random) -> Case {
    let (n, counter, top, late) = (size(r), counter(r), r.log(1.0, 3000.0), r.uniform(0.1, 0.6));
    let noise = r.uniform(0.05, 0.3);
    let names = ["ep_rew_mean", "value_loss", "policy_gradient_loss", "entropy", "success_rate"];
    let mut walk = 0.0;
    let list = points(counter, 5.0, &names, n, |k, i| {
        let x = i as f64 / n as f64;
        walk = 0.95 * walk + 0.1 * r.normal();
        let learned = 1.0 / (1.0 + (-(x - late) * 12.0).exp());
        [
            top * (learned * (1.0 + walk) - 0.3 + noise * r.normal()),
            top * (0.02 + learned * 0.3) * (noise * 3.0 * r.normal()).exp(),
            0.02 * r.normal() - 0.005,
            1.38 - 1.1 * learned,
            (learned * (1.0 + walk)).clamp(0.0, 1.0),
        ][k]
    });
    Case::new("", None, list)
}

fn triangular(r: &mut Random) -> Case {
    let (n, cycles, height, noise) = (size(r), r.uniform(2.0, 10.0), r.uniform(0.1, 0.6), r.uniform(0.002, 0.05));
    let (halves, tau) = (r.pick(&[true, false]), r.uniform(0.03, 0.2));
    curve(r, "loss", n, noise, |x| {
        let (cycle, phase) = ((x * cycles).floor(), (x * cycles).fract());
        let up = if phase < 0.5 { phase * 2.0 } else { 2.0 - phase * 2.0 };
        let height = if halves { height / 2f64.powf(cycle) } else { height };
        (0.2 + 2.0 * (-x / tau).exp()) * (1.0 + height * up)
    })
}

fn stages(r: &mut Random) -> Case {
    let (n, count, noise) = (size(r).max(80), r.uniform(2.0, 6.0).floor(), r.uniform(0.003, 0.04));
    let (harder, jump) = (r.uniform(0.0, 0.12), r.uniform(0.1, 0.4));
    // Each stage is harder for good, by a little, and at first by more.
    curve(r, "train_loss", n, noise, |x| {
        let (stage, phase) = ((x * count).floor(), (x * count).fract());
        let fall = if stage == 0.0 { 1.5 } else { jump };
        0.5 + harder * stage * 0.5 + fall * (-phase * 8.0).exp()
    })
}

fn warm_rise(r: &mut Random) -> Case {
    let (n, until, by, noise) = (size(r).max(60), r.uniform(0.02, 0.12), r.uniform(0.05, 0.5), r.uniform(0.0, 0.03));
    let (start, tau) = (r.uniform(0.7, 10.0), r.uniform(0.05, 0.2));
    curve(r, "loss", n, noise, |x| {
        let top = start * (1.0 + by);
        if x < until { start + (top - start) * (x / until) } else { top * (0.1 + 0.9 * (-(x - until) / tau).exp()) }
    })
}

fn wrong_labels(r: &mut Random) -> Case {
    let (n, floor, tau, noise) = (size(r), r.uniform(0.5, 0.85), r.uniform(0.01, 0.1), r.uniform(0.002, 0.03));
    let (start, a) = (r.uniform(0.7, 7.0), r.uniform(0.4, 1.5));
    curve(r, "train_loss", n, noise, |x| start * (floor + (1.0 - floor) * power(x, tau, a)))
}

/// Each point a fifth further than the last.
fn at_powers(r: &mut Random) -> Case {
    let (n, factor, a, noise) = (r.uniform(12.0, 70.0) as usize, r.uniform(1.1, 2.0), r.uniform(0.1, 0.5), 0.01);
    let (floor, start) = (r.uniform(0.5, 2.0), r.uniform(5.0, 11.0));
    let mut list = points(Counter::Step(1), 1.0, &["train_loss", "val_loss"], n, |k, i| {
        let step = f64::powf(factor, i as f64);
        (floor + 0.05 * k as f64 + (start - floor) * (1.0 + step / 10.0).powf(-a)) * (1.0 + noise * r.normal())
    });
    let mut t = 1_795_000_000_000.0;
    for (i, point) in list.iter_mut().enumerate() {
        let step = f64::powf(factor, i as f64).ceil() + i as f64;
        t += 1000.0 * (1.0 + step * (factor - 1.0) * 0.01);
        point.set_counter("step", step);
        point.t = Some(nn::base::time::Time(t as i64));
    }
    Case::new("", None, list)
}

fn counted(r: &mut Random) -> Case {
    let (n, cases, tau) = (size(r).min(600), r.pick(&[50.0, 100.0, 500.0, 1000.0]), r.uniform(0.03, 0.4));
    let (chance, top, of) = (r.uniform(0.02, 0.5), r.uniform(0.6, 0.99), r.pick(&[1.0, 100.0]));
    let list = points(Counter::Epoch, 20.0, &["train_acc", "test_acc"], n, |k, i| {
        let x = i as f64 / n as f64;
        let p = top - (top - chance) * (-x / tau).exp() - 0.05 * k as f64 * x.min(0.1) * 10.0;
        let spread = (p * (1.0 - p) / cases).max(0.0).sqrt() * 0.5;
        of * ((p + spread * r.normal()).clamp(0.0, 1.0) * cases).round() / cases
    });
    Case::new("", None, list)
}

fn similarity(r: &mut Random) -> Case {
    let (n, tau, noise, to) = (size(r), r.uniform(0.02, 0.3), r.uniform(0.002, 0.03), r.uniform(0.7, 0.98));
    let (counter, dip) = (counter(r), r.uniform(0.0, 0.15));
    let list = points(counter, 1.0, &["loss", "std"], n, |k, i| {
        let x = i as f64 / n as f64;
        let early = dip * (-((x - 0.05) / 0.02).powi(2)).exp();
        if k == 0 { -to * (1.0 - (-x / tau).exp()) - early + noise * r.normal() } else { 0.04 + 0.001 * r.normal() }
    });
    Case::new("", None, list)
}

fn flow(r: &mut Random) -> Case {
    let (n, tau, noise, dimensions) = (size(r), r.uniform(0.02, 0.2), r.uniform(0.001, 0.02), r.log(2.0, 3072.0));
    let counter = counter(r);
    let names = r.pick(&[["nll", "elbo", "bpd"], ["loss", "log_likelihood", "bits"], ["neg_elbo_loss", "kl", "bpd"]]);
    let list = points(counter, 1.0, &names, n, |k, i| {
        let x = i as f64 / n as f64;
        let gained = 1.0 - power(x, tau, 1.0);
        let e = noise * r.normal();
        [dimensions * (1.4 - 3.0 * gained + e), dimensions * (3.0 * gained - 1.4 + e), 8.0 - 4.5 * gained + e][k]
    });
    Case::new("", None, list)
}

fn skipped(r: &mut Random) -> Case {
    let (n, tau, noise, often) = (size(r), r.uniform(0.05, 0.3), r.uniform(0.01, 0.1), r.uniform(0.002, 0.03));
    let (counter, start) = (counter(r), r.uniform(1.0, 10.0));
    let (mut scale, mut skips, mut last) = (65536.0, false, start);
    let list = points(counter, 1.0, &["loss", "grad_norm", "loss_scale"], n, |k, i| {
        let x = i as f64 / n as f64;
        match k {
            0 => {
                skips = i < 3 || r.uniform(0.0, 1.0) < often;
                scale = if skips { scale / 2.0 } else { scale * 1.001 };
                last = start * (0.2 + 0.8 * (-x / tau).exp()) * (1.0 + noise * r.normal());
                last
            }
            1 if skips => f64::INFINITY,
            1 => (0.4 * r.normal()).exp() * (0.5 + last / start),
            _ => scale,
        }
    });
    Case::new("", None, list)
}

fn two_phases(r: &mut Random) -> Case {
    let (n, at, noise) = (size(r).max(80), r.uniform(0.3, 0.7), r.uniform(0.002, 0.03));
    let (first, level) = (r.uniform(2.0, 10.0), r.uniform(0.3, 1.0));
    // Another task, that begins below or near where the first one began.
    curve(r, "loss", n, noise, |x| {
        if x < at {
            first * (0.3 + 0.7 * (-x / at * 6.0).exp())
        } else {
            first * level * (0.1 + 0.9 * (-(x - at) / (1.0 - at) * 8.0).exp())
        }
    })
}

fn by_heart(r: &mut Random) -> Case {
    let (passes, noise, down) = (r.uniform(2.0, 6.0).floor(), r.uniform(0.01, 0.1), r.uniform(0.1, 0.4));
    let n = size(r);
    // Of a small text a model remembers each pass: the loss falls at once where the next begins.
    curve(r, "loss", n, noise, |x| {
        let pass = (x * passes).floor();
        (1.2 + 0.8 * (-x * 60.0).exp() - 0.03 * (x * passes).fract()) * (1.0 - down).powf(pass)
    })
}

fn anew(r: &mut Random) -> Case {
    let (epochs, batches) = (r.uniform(3.0, 40.0) as usize, r.pick(&[20usize, 50, 200]));
    let (n, noise, tau) = (epochs * batches, r.uniform(0.05, 0.6), r.uniform(0.05, 0.4));
    let (mut seen, floor) = (0.0, r.uniform(0.05, 0.5));
    let list = points(Counter::Batch(batches as u32), 0.3, &["loss", "acc"], n, |k, i| {
        let x = 0.9 * (-(i as f64) / n as f64 / tau).exp() + floor;
        if k == 0 {
            let now = 2.0 * x * (noise * r.normal()).exp();
            seen = if i % batches == 0 { now } else { seen + (now - seen) / (i % batches + 1) as f64 };
            return seen;
        }
        100.0 * (1.0 - 0.65 * x + 0.02 * r.normal()).clamp(0.0, 1.0)
    });
    Case::new("", None, list)
}

fn hardly_any(r: &mut Random) -> Case {
    let (n, rate, noise) = (r.uniform(3.0, 10.0) as usize, r.uniform(0.0, 1.5), r.uniform(0.0, 0.02));
    let names = r.pick(&[["loss", "eval_loss"], ["train_loss", "val_loss"], ["loss", "eval_accuracy"]]);
    let list = points(Counter::Epoch, 1800.0, &names, n, |k, i| {
        let x = 0.4 + 0.6 * (-(i as f64) * rate).exp() + noise * r.normal();
        if names[k].ends_with("accuracy") { 1.0 - 0.4 * x } else { (0.8 + 0.1 * k as f64) * x }
    });
    Case::new("", None, list)
}

fn fifty_thousand(r: &mut Random) -> Case {
    // Fewer where it would take too long.
    let n = if cfg!(debug_assertions) { 5000 } else { 50_000 };
    let (a, noise) = (r.uniform(0.1, 0.6), r.uniform(0.02, 0.5));
    let (start, floor, warm) = (r.uniform(2.0, 11.0), r.uniform(0.1, 0.6), r.uniform(1.0, 3000.0));
    let list = points(Counter::Step(1), 0.2, &["loss"], n, |_, i| {
        let x = floor + (1.0 - floor) * (1.0 + i as f64 / warm).powf(-a);
        start * x * (noise * r.normal()).exp()
    });
    Case::new("", None, list)
}

/// The first loss is the logarithm of the number of candidates, and stays there for a while.
fn contrast(r: &mut Random) -> Case {
    let (n, at, noise) = (size(r).max(100), r.uniform(0.02, 0.12), r.uniform(0.001, 0.02));
    let (start, to) = (r.uniform(4.0, 9.0), r.uniform(0.05, 0.5));
    let list = points(Counter::Step(50), 20.0, &["loss", "top1"], n, |k, i| {
        let x = i as f64 / n as f64;
        let learned = if x < at { 0.01 * x / at } else { 1.0 - 0.99 * power(x - at, 0.05, 0.9) };
        if k == 0 {
            start * (1.0 - (1.0 - to) * learned) * (1.0 + noise * r.normal())
        } else {
            (0.005 + 0.8 * learned + 0.3 * noise * r.normal()).clamp(0.0, 1.0)
        }
    });
    Case::new("", None, list)
}

fn overlap(r: &mut Random) -> Case {
    let (n, at, steep, noise) = (size(r).min(600), r.uniform(0.05, 0.4), r.uniform(15.0, 80.0), r.uniform(0.003, 0.03));
    let (to, counter) = (r.uniform(0.05, 0.35), r.pick(&[Counter::Step(10), Counter::Step(100), Counter::Batch(20)]));
    let list = points(counter, 20.0, &["dice_loss", "dice"], n, |k, i| {
        let x = i as f64 / n as f64;
        let dice = 0.02 + (0.98 - to) / (1.0 + (-(x - at) * steep).exp()) + noise * r.normal();
        if k == 0 { 1.0 - dice.clamp(0.0, 1.0) } else { dice.clamp(0.0, 1.0) }
    });
    Case::new("", None, list)
}

fn denoising(r: &mut Random) -> Case {
    let (n, fast, level, noise) = (size(r), r.uniform(0.002, 0.02), r.uniform(0.02, 0.2), r.uniform(0.05, 0.4));
    let slow = r.uniform(0.0, 0.2);
    curve(r, "train/loss", n, noise, |x| level * (1.0 - slow * x.sqrt()) + (1.0 - level) * (-x / fast).exp())
}

fn equations(r: &mut Random) -> Case {
    let (n, decades, noise, often) = (size(r), r.uniform(2.0, 7.0), r.uniform(0.05, 0.5), r.uniform(0.0, 0.03));
    let counter = counter(r);
    let mut spike = 0.0;
    let list = points(counter, 0.5, &["loss", "loss_pde", "loss_bc"], n, |k, i| {
        let x = i as f64 / n as f64;
        spike = if k == 0 && r.uniform(0.0, 1.0) < often { r.uniform(0.5, 2.5) } else { spike * 0.9 };
        let share = [1.0, 0.7, 0.3][k];
        share * 10f64.powf(1.0 - decades * x.powf(0.6) + spike + noise * 0.5 * r.normal())
    });
    Case::new("", None, list)
}

/// A power law with a bump at which something is understood at once, or two.
fn insight(r: &mut Random) -> Case {
    let (n, bumps, noise) = (size(r), r.pick(&[1, 2]), r.uniform(0.002, 0.03));
    let (at, width, by) = (r.uniform(0.15, 0.4), r.uniform(0.01, 0.06), r.uniform(0.1, 0.3));
    let a = r.uniform(0.15, 0.5);
    curve(r, "loss", n, noise, |x| {
        let gained: f64 = (1..=bumps).map(|k| by / (1.0 + (-(x - at * f64::from(k)) / width).exp())).sum();
        9.0 * (0.2 + 0.8 * power(x, 0.005, a)) * (1.0 - gained)
    })
}

fn error_rates(r: &mut Random) -> Case {
    let (n, noise, drop) = (r.uniform(30.0, 350.0) as usize, r.uniform(0.002, 0.02), r.uniform(0.5, 0.8));
    let (first, second, tau) = (r.uniform(0.3, 0.5), r.uniform(0.55, 0.8), r.uniform(0.02, 0.1));
    let list = points(Counter::Epoch, 300.0, &["train_err", "val_err", "lr"], n, |k, i| {
        let x = i as f64 / n as f64;
        let stage = i32::from(x > first) + i32::from(x > second);
        let since = [x, x - first, x - second][stage as usize];
        let settled = 1.0 - 0.2 * (1.0 - (PI * since).cos()) / 2.0;
        let err = drop.powi(stage) * (35.0 * settled) + 60.0 * (-x / tau).exp();
        [err, err * 0.95 + 2.0, 0.1 * f64::powi(0.1, stage)][k] * if k < 2 { 1.0 + noise * r.normal() } else { 1.0 }
    });
    Case::new("", None, list)
}
