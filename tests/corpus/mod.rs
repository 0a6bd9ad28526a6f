//! Curves made by formulas and seeded noise, to measure the judge by: healthy ones of many shapes, and sick ones of each
//! kind whose onset is known. `measure` feeds them all and counts, for a detector: curves, caught, missed, median delay;
//! and of the healthy ones those on which anything was said.
//!
//! Every curve draws its scale, length, noise and cadence anew. Two sets of seeds: by the first the detectors were tuned,
//! the second was held out. A third set, `foreign`, has other families, which were tuned by as well, later; a fourth,
//! `fresh`, has those with other seeds, and some more, which showed what was to be mended and so are tuned by, too. A fifth,
//! `unseen`, was written when all that was done; nn-judge(7) tells its first result, and what was changed after it. A sixth,
//! `games`, has what those five lack.

mod foreign;
mod fresh;
mod games;
mod healthy;
mod sick;
mod traces;
mod unseen;
mod unseen_sick;
mod unseen_traces;

use nn::base::time::Time;
use nn::judge::event::Event;
use nn::judge::judge::Judge;
use nn::record::history::Point;

/// The seeds of the set that the detectors were tuned by, of the one that was held out, and of the other ones.
pub const SEEDS: [(&str, u64); 6] = [
    ("tuned", 1),
    ("held out", 20_261_124),
    (FOREIGN, 7),
    (FRESH, 20_261_126),
    (UNSEEN, 20_261_127),
    (GAMES, 20_261_128),
];
const FOREIGN: &str = "foreign";
const FRESH: &str = "fresh";
const UNSEEN: &str = "unseen";
const GAMES: &str = "games";

/// SplitMix64 (Steele, Lea, Flood 2014), and what is drawn from it.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// Evenly between two numbers.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Evenly in the logarithm.
    pub fn log(&mut self, low: f64, high: f64) -> f64 {
        self.uniform(low.ln(), high.ln()).exp()
    }

    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[(self.next() % of.len() as u64) as usize]
    }

    /// Gaussian, by Box and Muller.
    pub fn normal(&mut self) -> f64 {
        let (u, v) = (self.uniform(1e-12, 1.0), self.uniform(0.0, 1.0));
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }
}

/// What has to be said of a curve: the detector, and the index of the first sick point.
pub type Sickness = (&'static str, usize);

/// A curve, or several of one run.
pub struct Case {
    pub name: String,
    pub sick: Option<Sickness>,
    pub points: Vec<Point>,
    /// Silence after the last point, seconds
    pub silence: f64,
}

impl Case {
    pub fn new(name: impl Into<String>, sick: Option<Sickness>, points: Vec<Point>) -> Case {
        Case { name: name.into(), sick, points, silence: 0.0 }
    }
}

/// A family: what it is called, and one curve of it.
pub type Family = (&'static str, fn(&mut Random) -> Case);

/// So many curves of each family; the seed of each follows from `base`, `stride` and where it stands.
fn cases(families: &[Family], base: u64, stride: u64, each: u64) -> Vec<Case> {
    let of = |(k, (name, make)): (usize, &Family)| {
        (0..each)
            .map(move |i| Case { name: format!("{name} {i}"), ..make(&mut Random::new(base + k as u64 * stride + i)) })
            .collect::<Vec<Case>>()
    };
    families.iter().enumerate().flat_map(of).collect()
}

/// How positions are printed.
#[derive(Clone, Copy)]
pub enum Counter {
    Epoch,
    /// Every so many steps
    Step(u32),
    /// Epochs of so many batches
    Batch(u32),
}

/// Draws a cadence.
pub fn counter(random: &mut Random) -> Counter {
    match random.pick(&[0, 1, 2]) {
        0 => Counter::Epoch,
        1 => Counter::Step(random.pick(&[1, 10, 50, 100])),
        _ => Counter::Batch(random.pick(&[10, 40, 100])),
    }
}

/// Points of some curves, a second apart or so.
pub fn points(
    counter: Counter,
    seconds: f64,
    names: &[&str],
    n: usize,
    mut at: impl FnMut(usize, usize) -> f64,
) -> Vec<Point> {
    let begin = 1_795_000_000_000i64;
    let make = |i: usize| {
        let mut point = Point::new();
        point.t = Some(Time(begin + (i as f64 * seconds * 1000.0) as i64));
        match counter {
            Counter::Epoch => point.set_counter("epoch", i as f64 + 1.0),
            Counter::Step(every) => point.set_counter("step", ((i as u32 + 1) * every).into()),
            Counter::Batch(batches) => {
                point.set_counter("epoch", (i as u32 / batches + 1).into());
                point.set_counter("batch", (i as u32 % batches).into());
                point.set_counter("batches", batches.into());
            }
        }
        names.iter().enumerate().for_each(|(k, name)| point.push_value(name, at(k, i)));
        point
    };
    (0..n).map(make).collect()
}

/// One curve of this name; `shape` of the part of the run that is over, with noise of that part of its level.
pub fn curve(r: &mut Random, name: &str, n: usize, noise: f64, shape: impl Fn(f64) -> f64) -> Case {
    let (counter, seconds) = (counter(r), r.log(0.5, 60.0));
    let list = points(counter, seconds, &[name], n, |_, i| {
        let y = shape(i as f64 / n as f64);
        y + noise * y.abs() * r.normal()
    });
    Case::new("", None, list)
}

/// What came of one curve.
pub struct Outcome {
    name: String,
    pub sick: Option<Sickness>,
    points: usize,
    /// Detector, index of the point, words
    pub said: Vec<(&'static str, usize, String)>,
}

impl Outcome {
    /// Points from the onset to the event.
    pub fn delay(&self) -> Option<usize> {
        let (detector, onset) = self.sick?;
        self.said.iter().find(|said| said.0 == detector && said.1 >= onset).map(|said| said.1 - onset)
    }

    /// Anything of a healthy curve, or before the onset.
    pub fn false_alarms(&self) -> impl Iterator<Item = &(&'static str, usize, String)> {
        let onset = self.sick.map_or(usize::MAX, |sick| sick.1);
        self.said.iter().filter(move |said| said.1 < onset)
    }
}

/// Feeds a curve to a judge.
pub fn judge(case: &Case) -> Outcome {
    let mut judge = Judge::new();
    let mut said = Vec::new();
    let mut take = |judge: &mut Judge, i: usize| {
        let is_news = |event: &Event| case.sick.is_some() || !(event.detector == "plateau" && rests(case, event, i));
        said.extend(judge.take().into_iter().filter(is_news).map(|event| (event.detector, i, event.why)));
    };
    for (i, point) in case.points.iter().enumerate() {
        // As a runner does: it looks at the clock before the next point comes.
        if let Some(t) = point.t {
            judge.tick(Time(t.ms() - 1));
        }
        judge.point(point);
        take(&mut judge, i);
    }
    if let Some(last) = case.points.last().and_then(|point| point.t).filter(|_| case.silence > 0.0) {
        judge.tick(Time(last.ms() + (case.silence * 1000.0) as i64));
        take(&mut judge, case.points.len());
    }
    Outcome { name: case.name.clone(), sick: case.sick, points: case.points.len(), said }
}

/// Whether a curve rests, as a plateau says of it at a point: of the points since a quarter of what is over, the means of both
/// halves differ by less than a fiftieth of what it fell before, and what comes later is no lower by a twentieth.
fn rests(case: &Case, event: &Event, at: usize) -> bool {
    let name = event.metric.as_deref().unwrap_or_default();
    let values: Vec<f64> = case.points.iter().filter_map(|point| point.value(name)).filter(|x| x.is_finite()).collect();
    let at = case.points.iter().take(at + 1).filter(|point| point.value(name).is_some()).count();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let (over, later) = values.split_at(at.min(values.len()));
    let (before, now) = over.split_at(over.len() / 4);
    let (then, now) = now.split_at(now.len() / 2);
    let gone = mean(&before[..5.min(before.len())]) - mean(now);
    (mean(then) - mean(now)).abs() < gone.abs() / 50.0
        && (later.is_empty() || mean(now) - mean(later) < gone.abs() / 20.0)
}

/// So many curves of each family of a set, judged.
pub fn outcomes(set: &str, seed: u64, each: u64) -> Vec<Outcome> {
    let (cases, traces) = match set {
        FOREIGN => (vec![foreign::cases(seed, each)], Vec::new()),
        FRESH => (vec![foreign::cases(seed, each), fresh::cases(seed, each)], Vec::new()),
        GAMES => (vec![games::cases(seed, each)], Vec::new()),
        UNSEEN => {
            (vec![unseen::cases(seed, each), unseen_sick::cases(seed, each)], unseen_traces::outcomes(seed, each))
        }
        _ => (vec![healthy::cases(seed, each), sick::cases(seed, each)], traces::outcomes(seed, each)),
    };
    cases.iter().flatten().map(judge).chain(traces).collect()
}

/// What was wrong, a sentence each.
pub fn wrong(outcomes: &[Outcome]) -> Vec<String> {
    let mut said = Vec::new();
    for o in outcomes {
        let of = format!("{} of {} points", o.name, o.points);
        said.extend(o.false_alarms().map(|(detector, i, why)| format!("false: {of}: {detector} at {i}: {why}")));
        if o.sick.is_some() && o.delay().is_none() {
            said.push(format!("missed: {of}: {:?}, said {:?}", o.sick, o.said));
        }
    }
    said
}

/// A line of the table.
pub struct Row {
    pub detector: &'static str,
    pub curves: usize,
    pub caught: usize,
    /// Curves on which it said something that is not so
    pub false_alarms: usize,
    pub delay: Option<usize>,
}

/// For each detector what it caught; the last row is of the healthy curves.
pub fn table(outcomes: &[Outcome]) -> Vec<Row> {
    let mut detectors: Vec<&'static str> = Vec::new();
    for (detector, _) in outcomes.iter().filter_map(|o| o.sick) {
        if !detectors.contains(&detector) {
            detectors.push(detector);
        }
    }
    let row = |detector: &'static str| {
        let of: Vec<&Outcome> = outcomes.iter().filter(|o| o.sick.is_some_and(|sick| sick.0 == detector)).collect();
        let mut delays: Vec<usize> = of.iter().filter_map(|o| o.delay()).collect();
        delays.sort_unstable();
        let wrong = outcomes.iter().filter(|o| o.false_alarms().any(|said| said.0 == detector)).count();
        Row {
            detector,
            curves: of.len(),
            caught: delays.len(),
            false_alarms: wrong,
            delay: delays.get(delays.len() / 2).copied(),
        }
    };
    let mut rows: Vec<Row> = detectors.into_iter().map(row).collect();
    let healthy: Vec<&Outcome> = outcomes.iter().filter(|o| o.sick.is_none()).collect();
    let wrong = healthy.iter().filter(|o| !o.said.is_empty()).count();
    rows.push(Row { detector: "healthy", curves: healthy.len(), caught: 0, false_alarms: wrong, delay: None });
    rows
}

/// The table as text.
pub fn show(rows: &[Row]) -> String {
    let mut text = format!(
        "{:<12} {:>6} {:>6} {:>6} {:>12} {:>12}\n",
        "detector", "curves", "caught", "missed", "false alarms", "median delay"
    );
    for row in rows {
        let delay = row.delay.map_or("-".to_string(), |d| d.to_string());
        let (caught, missed) = match row.detector {
            "healthy" => ("-".to_string(), "-".to_string()),
            _ => (row.caught.to_string(), (row.curves - row.caught).to_string()),
        };
        text += &format!(
            "{:<12} {:>6} {caught:>6} {missed:>6} {:>12} {delay:>12}\n",
            row.detector, row.curves, row.false_alarms
        );
    }
    text
}
