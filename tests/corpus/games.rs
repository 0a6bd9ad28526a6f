//! What the sets before lack: returns, scores and losses of players, curves over decades, and what comes to rest slowly. The
//! detectors were mended by curves like these.

use super::{Case, Counter, Family, Random, counter, points};
use nn::record::history::Point;
use std::f64::consts::TAU;

const FAMILIES: [Family; 17] = [
    ("dips of exploration", dips),
    ("win rate about a half", even),
    ("players that hover", hover),
    ("reward that comes late", late),
    ("residuals over decades", decades),
    ("rounds with new examples", rounds),
    ("bound and penalty", bound),
    ("critic that rises", critic),
    ("return falls back", falls_back),
    ("bound without a bottom", bottomless),
    ("player that runs away", runs_away),
    ("rises again over decades", rises_again),
    ("chance again after few epochs", chance_again),
    ("comes to rest halfway", halfway),
    ("settles near its start", settles),
    ("score that rests low", rests_low),
    ("return that never moves", never),
];

/// So many curves of each family.
pub fn cases(seed: u64, each: u64) -> Vec<Case> {
    super::cases(&FAMILIES, seed * 1_000_187 + 700_000, 1031, each)
}

fn size(r: &mut Random) -> usize {
    r.log(120.0, 3000.0) as usize
}

/// Several curves, by which of them it is and the part of the run that is over.
fn curves(r: &mut Random, names: &[&str], n: usize, mut at: impl FnMut(&mut Random, usize, f64) -> f64) -> Vec<Point> {
    let (counter, seconds) = (counter(r), r.log(0.5, 60.0));
    points(counter, seconds, names, n, |k, i| at(r, k, i as f64 / n as f64))
}

fn healthy(points: Vec<Point>) -> Case {
    Case::new("", None, points)
}

fn sick(detector: &'static str, at: f64, points: Vec<Point>) -> Case {
    let onset = (at * points.len() as f64) as usize;
    Case::new("", Some((detector, onset)), points)
}

/// From 0 to 1, most of it in the first part `tau`.
fn grown(x: f64, tau: f64) -> f64 {
    1.0 - (-x / tau).exp()
}

fn dips(r: &mut Random) -> Case {
    let (n, top, noise, tau) = (size(r), r.log(1.0, 5000.0), r.uniform(0.03, 0.15), r.uniform(0.1, 0.3));
    let (at, deep, wide) = (r.uniform(0.3, 0.8), r.uniform(0.2, 0.5), r.uniform(0.01, 0.04));
    healthy(curves(r, &["episode_return"], n, |r, _, x| {
        let dip = deep * (-((x - at) / wide).powi(2)).exp();
        top * (0.03 + 0.97 * grown(x, tau) * (1.0 - dip) + noise * r.normal())
    }))
}

fn even(r: &mut Random) -> Case {
    let (n, noise) = (size(r), r.uniform(0.01, 0.08));
    healthy(curves(r, &["win_rate", "elo"], n, |r, k, x| match k {
        0 => (0.5 + noise * r.normal()).clamp(0.0, 1.0),
        _ => 1000.0 + 900.0 * grown(x, 0.3) + 5.0 * r.normal(),
    }))
}

fn hover(r: &mut Random) -> Case {
    let (n, noise, drift, cycles) = (size(r), r.uniform(0.05, 0.3), r.uniform(-0.3, 0.6), r.uniform(0.0, 12.0));
    healthy(curves(r, &["d_loss", "g_loss", "fid"], n, |r, k, x| {
        let swing = 0.3 * (TAU * cycles * x).sin();
        match k {
            0 => (1.2 - swing).max(0.1) * (noise * r.normal()).exp(),
            1 => (1.3 + swing) * (1.0 + drift * x) * (noise * r.normal()).exp(),
            _ => (20.0 + 200.0 * (-x / 0.2).exp()) * (0.03 * r.normal()).exp(),
        }
    }))
}

fn late(r: &mut Random) -> Case {
    let (n, at, width, of) = (size(r).min(1000), r.uniform(0.1, 0.35), r.uniform(0.03, 0.1), r.pick(&[20.0, 100.0]));
    healthy(curves(r, &["success_rate"], n, |r, _, x| {
        let share = 0.005 + 0.9 / (1.0 + (-(x - at - 2.0 * width) / width).exp());
        // So many tries went well of so many.
        ((share + (share * (1.0 - share) / of).sqrt() * r.normal()) * of).round().clamp(0.0, of) / of
    }))
}

fn decades(r: &mut Random) -> Case {
    let (n, fall, noise) = (size(r), r.uniform(3.0, 6.0), r.uniform(0.02, 0.15));
    let (at, high, wide) = (r.uniform(0.1, 0.5), r.uniform(0.0, 0.5), r.uniform(0.01, 0.05));
    healthy(curves(r, &["loss", "bc_loss"], n, |r, k, x| {
        let hump = if k == 1 { high * (-((x - at) / wide).powi(2)).exp() } else { 0.0 };
        10f64.powf(0.7 - k as f64 * 0.3 - fall * x + hump) * (noise * r.normal()).exp()
    }))
}

fn rounds(r: &mut Random) -> Case {
    let (n, count, noise) = (size(r), r.pick(&[4.0, 6.0, 9.0]), r.uniform(0.01, 0.05));
    let (jump, tau) = (r.uniform(0.2, 0.6), r.uniform(0.15, 0.4));
    healthy(curves(r, &["loss", "val_acc"], n, |r, k, x| {
        let (round, within) = ((x * count).floor(), (x * count).fract());
        let low = 1.0 / (1.0 + 0.5 * round);
        match k {
            0 => {
                low * (1.0
                    + jump * (-within / tau).exp()
                    + if round == 0.0 { 2.0 * (-within / tau).exp() } else { 0.0 })
            }
            _ => 0.9 - 0.5 * low,
        }
        .max(0.0)
            * (noise * r.normal()).exp()
    }))
}

fn bound(r: &mut Random) -> Case {
    let (n, tau, noise) = (size(r), r.uniform(0.05, 0.3), r.uniform(0.005, 0.03));
    healthy(curves(r, &["elbo", "kl", "recon_loss"], n, |r, k, x| {
        let (kl, rest) = (0.1 + 15.0 * grown(x, tau * 2.0), 90.0 + 300.0 * (1.0 - grown(x, tau)));
        [-(kl + rest), kl, rest][k] * (1.0 + noise * r.normal())
    }))
}

fn critic(r: &mut Random) -> Case {
    let (n, by, noise, top) = (size(r), r.uniform(0.3, 2.0), r.uniform(0.1, 0.3), r.log(10.0, 5000.0));
    healthy(curves(r, &["td_loss", "q_mean", "return"], n, |r, k, x| match k {
        0 => 0.05 * (1.0 + by * x) * (noise * r.normal()).exp(),
        1 => 1.0 + 3.0 * grown(x, 0.3) + 0.1 * r.normal(),
        _ => top * (0.05 + 0.95 * grown(x, 0.25) + 0.08 * r.normal()),
    }))
}

fn falls_back(r: &mut Random) -> Case {
    let (n, at, tau, noise) = (size(r), r.uniform(0.35, 0.6), r.uniform(0.01, 0.1), r.uniform(0.02, 0.1));
    let (low, wide) = (r.pick(&[0.0, -1500.0]), r.log(50.0, 5000.0));
    let list = curves(r, &["return"], n, |r, _, x| {
        let top = grown(x.min(at), at * 0.4);
        let left = if x < at { 1.0 } else { 0.05 + 0.95 * (-(x - at) / tau).exp() };
        low + wide * (top * left + noise * r.normal())
    });
    sick("divergence", at, list)
}

fn bottomless(r: &mut Random) -> Case {
    let (n, at, by) = (size(r), r.uniform(0.25, 0.6), r.uniform(2.0, 7.0));
    let list = curves(r, &["elbo", "kl"], n, |r, k, x| {
        let kl = if x < at { 15.0 * grown(x, at * 0.3) } else { 15.0 * 10f64.powf(by * (x - at) / (1.0 - at)) };
        let rest = 90.0 + 300.0 * (-x / (at * 0.4)).exp();
        [-(kl + rest), kl][k] * (0.02 * r.normal()).exp()
    });
    sick("divergence", at, list)
}

fn runs_away(r: &mut Random) -> Case {
    let (n, at, tau, by) = (size(r), r.uniform(0.3, 0.6), r.uniform(0.05, 0.2), r.uniform(10.0, 60.0));
    let list = curves(r, &["d_loss", "g_loss"], n, |r, k, x| {
        let since = if x < at { 0.0 } else { grown(x - at, tau) };
        [1.2 * (1.0 - since) + 0.002, 1.3 + by * since][k] * (0.1 * r.normal()).exp()
    });
    sick("divergence", at, list)
}

fn rises_again(r: &mut Random) -> Case {
    let (n, at, fall, by) = (size(r), r.uniform(0.3, 0.6), r.uniform(1.5, 4.0), r.uniform(0.7, 0.95));
    let list = curves(r, &["loss"], n, |r, _, x| {
        let level = -fall * x.min(at) / at + if x < at { 0.0 } else { by * fall * grown(x - at, 0.12) };
        10f64.powf(level) * (0.1 * r.normal()).exp()
    });
    sick("divergence", at, list)
}

fn chance_again(r: &mut Random) -> Case {
    let (n, at, best) = (r.pick(&[34, 40, 50, 60]), r.uniform(0.4, 0.6), r.uniform(0.6, 0.9));
    let list = points(Counter::Epoch, 60.0, &["val_acc"], n, |_, i| {
        let x = i as f64 / n as f64;
        let share = if x < at { 0.1 + (best - 0.1) * grown(x, at * 0.4) } else { 0.1 };
        (share + 0.01 * r.normal()).clamp(0.0, 1.0)
    });
    sick("divergence", at, list)
}

fn halfway(r: &mut Random) -> Case {
    let (n, start, low) = (size(r).max(200), r.log(0.1, 10.0), r.uniform(0.45, 0.7));
    let (tau, noise) = (r.uniform(0.02, 0.05), r.uniform(0.003, 0.015));
    let list =
        curves(r, &["loss"], n, |r, _, x| start * (low + (1.0 - low) * (-x / tau).exp()) * (1.0 + noise * r.normal()));
    sick("plateau", 4.0 * tau, list)
}

fn settles(r: &mut Random) -> Case {
    let (n, start, fall) = (size(r).max(400), r.log(1.0, 10.0), r.uniform(0.1, 0.25));
    let (tau, noise) = (r.uniform(0.003, 0.008), r.uniform(0.003, 0.01));
    let list = curves(r, &["loss", "accuracy"], n, |r, k, x| match k {
        0 => start * (1.0 - fall * grown(x, tau)) * (1.0 + noise * r.normal()),
        _ => 0.1 + 0.02 * r.normal(),
    });
    sick("plateau", 4.0 * tau, list)
}

fn rests_low(r: &mut Random) -> Case {
    let (n, top) = (size(r).max(200), r.uniform(0.25, 0.45));
    let (tau, noise) = (r.uniform(0.02, 0.05), r.uniform(0.003, 0.015));
    let name = r.pick(&["success_rate", "accuracy"]);
    let list = curves(r, &[name], n, |r, _, x| (0.02 + top * grown(x, tau) + noise * r.normal()).clamp(0.0, 1.0));
    sick("plateau", 4.0 * tau, list)
}

fn never(r: &mut Random) -> Case {
    let (n, level, noise) = (size(r).max(900), r.pick(&[0.0, -200.0, 20.0]), r.pick(&[0.0, 5.0]));
    sick("dead", 0.0, curves(r, &["return"], n, |r, _, _| level + noise * r.normal()))
}
