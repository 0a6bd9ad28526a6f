//! Sick curves in other shapes than all before, written before the detectors had seen one of them; the onset is known.

use super::{Case, Counter, Family, Random, counter, points};
use nn::base::time::Time;
use std::f64::consts::TAU;

const FAMILIES: [Family; 21] = [
    ("NaN in one part of a loss", nan_part),
    ("NaN now and then", nan_at_times),
    ("grows beyond all numbers", overflows),
    ("rises by stairs", stairs_up),
    ("rises ever faster", parabola),
    ("rises as a root", root),
    ("collapses after swings", swings),
    ("accuracy lost by thirds", thirds),
    ("unlearned in a while", unlearned),
    ("stops after it had fallen ever faster", stops),
    ("stops after a late fall", stops_late),
    ("score stops low", score_stops),
    ("overfits as a parabola", overfits_round),
    ("overfits as a logarithm", overfits_log),
    ("exactly constant", constant),
    ("chance, with waves", chance),
    ("silence after pauses", silence),
    ("steps take longer, by variable", slow_variable),
    ("steps take longer at once", slow_at_once),
    ("norms explode by stairs", explode),
    ("norms fade away", fade),
];

/// So many curves of each family.
pub fn cases(seed: u64, each: u64) -> Vec<Case> {
    super::cases(&FAMILIES, seed * 1_000_121 + 600_000, 1021, each)
}

fn size(r: &mut Random) -> usize {
    r.log(80.0, 4000.0) as usize
}

/// A loss that falls as a power law until the onset, and goes on from its level there with the part of the run since.
fn turning(r: &mut Random, name: &str, detector: &'static str, at: f64, after: impl Fn(f64, f64) -> f64) -> Case {
    let (n, noise, counter, seconds) = (size(r), r.uniform(0.002, 0.06), counter(r), r.log(0.5, 60.0));
    let (start, floor, tau, a) = (r.log(0.1, 20.0), r.uniform(0.03, 0.3), r.uniform(0.01, 0.05), r.uniform(0.6, 1.5));
    let onset = (at * n as f64) as usize;
    let list = points(counter, seconds, &[name], n, |_, i| {
        let x = i.min(onset) as f64 / n as f64;
        let level = floor + (1.0 - floor) * (1.0 + x / tau).powf(-a);
        let y = if i < onset { level } else { after(level, (i - onset + 1) as f64 / n as f64) };
        start * (y + noise * level * r.normal())
    });
    Case::new("", Some((detector, onset)), list)
}

fn nan_part(r: &mut Random) -> Case {
    let (n, counter, at) = (size(r), counter(r), r.uniform(0.05, 0.95));
    let onset = (at * n as f64) as usize;
    let list = points(counter, 1.0, &["loss", "box_loss", "cls_loss"], n, |k, i| {
        let level = (0.2 + (-(i as f64) / n as f64 * 5.0).exp()) * (1.0 + 0.02 * r.normal());
        if k == 1 && i >= onset { f64::NAN } else { level }
    });
    Case::new("", Some(("nan", onset)), list)
}

fn nan_at_times(r: &mut Random) -> Case {
    let (n, counter, at, every) = (size(r), counter(r), r.uniform(0.1, 0.9), r.pick(&[2, 3, 7, 20]));
    let onset = (at * n as f64) as usize;
    let list = points(counter, 1.0, &["loss"], n, |_, i| {
        let level = (0.2 + (-(i as f64) / n as f64 * 5.0).exp()) * (1.0 + 0.02 * r.normal());
        if i >= onset && (i - onset).is_multiple_of(every) { f64::NAN } else { level }
    });
    Case::new("", Some(("nan", onset)), list)
}

fn overflows(r: &mut Random) -> Case {
    let (at, rate) = (r.uniform(0.2, 0.8), r.uniform(20.0, 200.0));
    turning(r, "train_loss", "divergence", at, |level, since| level * (rate * since * since * 100.0).exp())
}

fn stairs_up(r: &mut Random) -> Case {
    let (at, step, height) = (r.uniform(0.25, 0.5), r.uniform(0.02, 0.06), r.uniform(0.15, 0.6));
    turning(r, "loss", "divergence", at, |level, since| level + height * (since / step).ceil())
}

fn parabola(r: &mut Random) -> Case {
    let (at, by) = (r.uniform(0.2, 0.5), r.uniform(1.0, 6.0));
    turning(r, "loss", "divergence", at, |level, since| level + by * (since / 0.5).powi(2))
}

fn root(r: &mut Random) -> Case {
    let (at, by) = (r.uniform(0.2, 0.5), r.uniform(0.8, 3.0));
    turning(r, "train_loss", "divergence", at, |level, since| level + by * since.sqrt())
}

/// It rises and comes back, two or three times, before it does so no more.
fn swings(r: &mut Random) -> Case {
    let (n, counter, noise, times) = (size(r).max(120), counter(r), r.uniform(0.02, 0.2), r.pick(&[2.0, 3.0]));
    let (at, width, height) = (r.uniform(0.4, 0.55), r.uniform(0.01, 0.03), r.uniform(1.0, 4.0));
    let onset = (at * n as f64) as usize;
    let list = points(counter, 1.0, &["train_cost"], n, |_, i| {
        let x = i as f64 / n as f64;
        let bump = |k: f64| (-((x - at * k / (times + 1.0)) / width).powi(2)).exp();
        let bumps: f64 = (1..=times as u32).map(|k| bump(f64::from(k))).sum();
        let level = 0.1 + 0.9 * (-x * 40.0).exp() + if i < onset { height * bumps } else { height };
        level * (noise * r.normal()).exp()
    });
    Case::new("", Some(("divergence", onset)), list)
}

fn thirds(r: &mut Random) -> Case {
    let (n, counter, of, noise) = (size(r), counter(r), r.pick(&[1.0, 100.0]), r.uniform(0.002, 0.02));
    let (at, step) = (r.uniform(0.35, 0.5), r.uniform(0.02, 0.06));
    let onset = (at * n as f64) as usize;
    let list = points(counter, 10.0, &["val_accuracy"], n, |_, i| {
        let x = i as f64 / n as f64;
        let lost = if i < onset { 0.0 } else { ((x - at) / step).ceil().clamp(1.0, 3.0) / 3.0 };
        of * (0.85 - 0.75 * (-x * 20.0).exp() - 0.75 * lost + noise * r.normal()).clamp(0.0, 1.0)
    });
    Case::new("", Some(("divergence", onset)), list)
}

fn unlearned(r: &mut Random) -> Case {
    let (at, takes, to) = (r.uniform(0.3, 0.6), r.uniform(0.005, 0.05), r.uniform(0.9, 1.5));
    turning(r, "loss", "divergence", at, |level, since| level + (to - level) * (1.0 - (-since / takes).exp()))
}

fn stuck(r: &mut Random, name: &str, rises: bool, way: impl Fn(f64) -> f64) -> Case {
    let (n, counter, noise) = (size(r), counter(r), r.uniform(0.001, 0.008));
    let (at, gone, scale) = (r.uniform(0.1, 0.4), r.uniform(0.3, 0.6), if rises { 1.0 } else { r.log(0.01, 100.0) });
    let onset = (at * n as f64) as usize;
    let list = points(counter, 1.0, &[name], n, |_, i| {
        let fallen = gone * way((i as f64 / onset as f64).min(1.0));
        scale * if rises { 0.05 + fallen + noise * r.normal() } else { 1.0 - fallen + noise * r.normal() }
    });
    Case::new("", Some(("plateau", onset)), list)
}

fn stops(r: &mut Random) -> Case {
    let power = r.uniform(1.2, 2.5);
    stuck(r, "loss", false, |x| x.powf(power))
}

fn stops_late(r: &mut Random) -> Case {
    let wait = r.uniform(0.1, 0.4);
    stuck(r, "train_loss", false, |x| ((x - wait) / (1.0 - wait)).max(0.0))
}

fn score_stops(r: &mut Random) -> Case {
    let power = r.uniform(0.9, 1.6);
    stuck(r, "acc", true, |x| x.powf(power))
}

fn overfits(r: &mut Random, rise: impl Fn(f64) -> f64) -> Case {
    let (n, noise, at, by) =
        (r.log(30.0, 400.0) as usize, r.uniform(0.0, 0.02), r.uniform(0.15, 0.45), r.uniform(0.3, 1.5));
    let (onset, scale) = ((at * n as f64) as usize, r.log(0.2, 10.0));
    let names = r.pick(&[["loss", "val_loss"], ["train_loss", "eval_loss"], ["train/loss", "valid/loss"]]);
    let list = points(Counter::Epoch, 100.0, &names, n, |k, i| {
        let x = i as f64 / n as f64;
        let train = 0.02 + 0.98 * (1.0 + x / 0.05).powf(-0.8);
        let held_out = 0.45 + 0.55 * (1.0 + x.min(at) / 0.03).powf(-1.2) + by * rise(((x - at) / (1.0 - at)).max(0.0));
        scale * if k == 0 { train * (1.0 + 0.3 * noise * r.normal()) } else { held_out * (1.0 + noise * r.normal()) }
    });
    Case::new("", Some(("overfit", onset)), list)
}

fn overfits_round(r: &mut Random) -> Case {
    overfits(r, |x| x * x)
}

fn overfits_log(r: &mut Random) -> Case {
    overfits(r, |x| (1.0 + 9.0 * x).ln() / 10f64.ln())
}

fn constant(r: &mut Random) -> Case {
    let (n, level) = (r.log(90.0, 2000.0) as usize, r.pick(&[2.0f64, 3.0, 10.0, 100.0, 1000.0]).ln());
    let counter = r.pick(&[Counter::Epoch, Counter::Step(10)]);
    Case::new("", Some(("dead", 0)), points(counter, 3.0, &["loss", "accuracy"], n, |k, _| [level, 0.1][k]))
}

fn chance(r: &mut Random) -> Case {
    let (n, wave, period, noise) =
        (r.log(200.0, 3000.0) as usize, r.uniform(0.0, 0.004), r.uniform(7.0, 50.0), r.uniform(0.0, 0.015));
    let counter = r.pick(&[Counter::Epoch, Counter::Step(20)]);
    let list = points(counter, 3.0, &["train_loss", "train_acc"], n, |k, i| {
        let e = noise * r.normal();
        if k == 0 { 4.605 * (1.0 + wave * (TAU * i as f64 / period).sin() + e) } else { (0.01 + 0.1 * e).max(0.0) }
    });
    Case::new("", Some(("dead", 0)), list)
}

/// Points with a time each takes, in seconds, from what it took at first.
fn timed(r: &mut Random, n: usize, each: impl Fn(&mut Random, usize) -> f64) -> Vec<nn::record::history::Point> {
    let counter = counter(r);
    let mut list = points(counter, 1.0, &["loss"], n, |_, i| 0.2 + 2.0 / (1.0 + i as f64 * 0.03) + 0.01 * r.normal());
    let mut t = 1_795_000_000_000i64;
    for (i, point) in list.iter_mut().enumerate() {
        t += (1000.0 * each(r, i)) as i64;
        point.t = Some(Time(t));
    }
    list
}

fn silence(r: &mut Random) -> Case {
    let (n, seconds, pause) = (r.uniform(60.0, 800.0) as usize, r.log(0.5, 60.0), r.uniform(5.0, 40.0));
    let list = timed(r, n, |r, i| seconds * if i % 20 == 19 { pause } else { (0.3 * r.normal()).exp() });
    let mut case = Case::new("", Some(("stall", n)), list);
    case.silence = (seconds * pause * 12.0).max(4000.0);
    case
}

fn slow_variable(r: &mut Random) -> Case {
    let (n, counter, noise, by) = (size(r).max(120), counter(r), r.uniform(0.02, 0.3), r.uniform(2.3, 8.0));
    let (onset, takes) = ((n as f64 * r.uniform(0.3, 0.6)) as usize, r.log(0.01, 10.0));
    let list = points(counter, 1.0, &["loss", "step_time"], n, |k, i| {
        let slower = if i < onset { 1.0 } else { by };
        if k == 0 { 0.2 + 2.0 / (1.0 + i as f64 * 0.03) } else { takes * slower * (noise * r.normal()).exp() }
    });
    Case::new("", Some(("slow", onset)), list)
}

fn slow_at_once(r: &mut Random) -> Case {
    let (n, seconds, by, heavy) = (size(r).max(120), r.log(0.5, 60.0), r.uniform(2.5, 6.0), r.uniform(0.0, 0.1));
    let onset = (n as f64 * r.uniform(0.3, 0.6)) as usize;
    let list = timed(r, n, |r, i| {
        let pause = if r.uniform(0.0, 1.0) < heavy { 4.0 } else { 1.0 };
        seconds * pause * if i < onset { 1.0 } else { by } * (0.1 * r.normal()).exp()
    });
    Case::new("", Some(("slow", onset)), list)
}

fn norms(r: &mut Random, factor: impl Fn(f64) -> f64) -> Case {
    let (n, noise, counter, at) = (size(r), r.uniform(0.05, 0.4), counter(r), r.uniform(0.3, 0.6));
    let (onset, falls) = ((n as f64 * at) as usize, r.uniform(0.0, 1.0));
    let list = points(counter, 1.0, &["grad_norm/encoder", "grad_norm/decoder", "loss"], n, |k, i| {
        let x = i as f64 / n as f64;
        let sick = if k == 1 && i >= onset { factor(x - at) } else { 1.0 };
        if k == 2 { 1.0 + (-x * 5.0).exp() } else { sick * (noise * r.normal() - falls * x).exp() }
    });
    Case::new("", Some(("norm", onset)), list)
}

fn explode(r: &mut Random) -> Case {
    let (step, by) = (r.uniform(0.02, 0.08), r.uniform(4.0, 20.0));
    norms(r, |since| f64::powf(by, (since / step).ceil().clamp(1.0, 5.0)))
}

fn fade(r: &mut Random) -> Case {
    let (takes, to) = (r.uniform(0.1, 0.25), r.log(1e-8, 1e-5));
    norms(r, |since| f64::powf(to, (since / takes).min(1.0)))
}
