//! Where an axis has its ticks, and what stands beside them.
//!
//! Ticks are whole multiples of a step of 1, 2 or 5 times a power of ten (of 1, 2, 5, 10, 15, 30 seconds, minutes …,
//! hours, days on a time axis; decades, then 1-2-5 within decades, on a logarithmic one). From the finest step upwards,
//! the first is taken whose labels stand clear of each other. Labels are made from whole numbers, never by rounding a
//! fraction: digits times a power of ten, plain, with k or M, or as 2e-05 is written here: 2e-5. Numbers that differ only
//! far behind the first digit are shown less a common offset, which the axis title names.

/// What the numbers on an axis are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Any numbers.
    #[default]
    Number,
    /// Whole numbers, such as epochs: no tick falls between two of them.
    Whole,
    /// Durations in seconds.
    Seconds,
    /// Any positive numbers, on a logarithmic scale.
    Log,
}

/// An axis: which numbers fall where.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    /// The number at position 0.
    pub low: f64,
    /// The number at position `length`; greater than `low`.
    pub high: f64,
    /// What the numbers are.
    pub kind: Kind,
    /// Length in pixels, dots or cells.
    pub length: f64,
}

impl Axis {
    /// The position of a number, 0 at the low end; it may lie outside. Minus infinity where a logarithm does not exist.
    pub fn position(&self, value: f64) -> f64 {
        let share = if self.kind == Kind::Log {
            (value.log10() - self.low.log10()) / (self.high.log10() - self.low.log10())
        } else {
            // halves, so that -1e308..1e308 does not overflow
            (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0)
        };
        if share.is_nan() { f64::NEG_INFINITY } else { share * self.length }
    }
}

/// A tick of an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// The number.
    pub value: f64,
    /// What stands beside it; empty at the small ticks between two labels.
    pub label: String,
}

/// The ticks of an axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ticks {
    /// The ticks, rising.
    pub list: Vec<Tick>,
    /// What has been taken off every label, if anything: `12345600`.
    pub offset: Option<String>,
}

/// The ticks of `axis`. `size` is how much of the axis a label takes, `gap` the room to leave between two of them.
pub fn ticks(axis: &Axis, size: &dyn Fn(&str) -> f64, gap: f64) -> Ticks {
    let clear = |ticks: &Ticks| {
        let labelled = ticks.list.iter().filter(|t| !t.label.is_empty());
        let spans: Vec<(f64, f64)> = labelled
            .map(|t| {
                let (at, half) = (axis.position(t.value), size(&t.label) / 2.0);
                (at - half, at + half)
            })
            .collect();
        spans.iter().zip(spans.iter().skip(1)).all(|(a, b)| b.0 - a.1 >= gap)
    };
    let mut last = Ticks::default();
    for candidate in candidates(axis) {
        if clear(&candidate) {
            return candidate;
        }
        last = candidate;
    }
    last.list.truncate(1);
    last
}

/// Sets of ticks from the finest sensible step to a single tick.
fn candidates(axis: &Axis) -> Box<dyn Iterator<Item = Ticks> + '_> {
    let span = axis.high - axis.low;
    match axis.kind {
        Kind::Log if axis.high / axis.low >= 8.0 => Box::new(decades(axis.low, axis.high)),
        Kind::Seconds if span >= 5.0 && axis.low.abs().max(axis.high.abs()) < 1e12 => {
            Box::new(time_steps(axis.low, axis.high))
        }
        kind => {
            // the finest step gives 20 to 50 ticks; 40 steps up there is none left
            let finest = Step::above(axis.high / 40.0 - axis.low / 40.0, kind == Kind::Whole);
            let unit = if kind == Kind::Seconds { "s" } else { "" };
            let steps = std::iter::successors(Some(finest), |s| Some(s.next()));
            Box::new(steps.take(40).map(move |s| s.ticks(axis.low, axis.high, unit)))
        }
    }
}

/// A step of 1, 2 or 5 times ten to the power of `exponent`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    digit: i64,
    exponent: i32,
}

/// `digits` times ten to the power of `exponent`, rounded once.
fn scaled(digits: i64, exponent: i32) -> f64 {
    let whole = digits as f64;
    match exponent {
        0.. => whole * 10f64.powi(exponent),
        -300..0 => whole / 10f64.powi(-exponent),
        _ => whole / 1e300 / 10f64.powi(-exponent - 300),
    }
}

impl Step {
    /// The least step not below `size`.
    fn above(size: f64, whole: bool) -> Step {
        let exponent = (size.max(1e-305).log10().floor() as i32).max(if whole { 0 } else { -305 });
        let mut step = Step { digit: 1, exponent };
        while scaled(step.digit, step.exponent) < size * (1.0 - 1e-9) {
            step = step.next();
        }
        step
    }

    fn next(self) -> Step {
        match self.digit {
            1 => Step { digit: 2, ..self },
            2 => Step { digit: 5, ..self },
            _ => Step { digit: 1, exponent: self.exponent + 1 },
        }
    }

    fn ticks(self, low: f64, high: f64, unit: &str) -> Ticks {
        let step = scaled(self.digit, self.exponent);
        let (first, last) = ((low / step - 1e-6).ceil(), (high / step + 1e-6).floor());
        if !(first.abs() < 1e15 && last.abs() < 1e15) || last - first > 200.0 {
            return Ticks::default();
        }
        let digits: Vec<i64> = (first as i64..=last as i64).map(|n| n * self.digit).collect();
        let (labels, offset) = labels(&digits, self.exponent);
        let list = digits.iter().zip(labels);
        let list = list.map(|(n, label)| Tick { value: scaled(*n, self.exponent), label: label + unit });
        Ticks { list: list.collect(), offset }
    }
}

/// Labels for `digits` times ten to the power of `exponent`, all written the same way.
fn labels(digits: &[i64], exponent: i32) -> (Vec<String>, Option<String>) {
    let largest = digits.iter().map(|n| n.abs()).max().unwrap_or(0);
    let magnitude = largest.max(1).ilog10() as i32 + exponent;
    let all = |one: &dyn Fn(i64) -> String| (digits.iter().map(|n| one(*n)).collect(), None);
    let significant = magnitude - exponent + 1;
    if (-4..4).contains(&magnitude) && exponent >= -7 {
        return all(&|n| plain(n, exponent));
    }
    if (4..6).contains(&magnitude) && exponent >= 1 {
        return all(&|n| with_suffix(n, exponent - 3, "k"));
    }
    if (6..9).contains(&magnitude) && exponent >= 3 {
        return all(&|n| with_suffix(n, exponent - 6, "M"));
    }
    if significant <= 4 {
        return all(&|n| scientific(n, exponent));
    }
    if (0..7).contains(&magnitude) && significant <= 8 {
        return all(&|n| plain(n, exponent));
    }
    // the common offset has three digits fewer than the numbers, so that what is left is short
    let base = digits.first().copied().unwrap_or(0) / 1000 * 1000;
    if base == 0 {
        return all(&|n| scientific(n, exponent));
    }
    let rest: Vec<i64> = digits.iter().map(|n| n - base).collect();
    let offset = if (0..12).contains(&magnitude) { plain(base, exponent) } else { scientific(base, exponent) };
    (labels(&rest, exponent).0, Some(offset))
}

fn plain(digits: i64, exponent: i32) -> String {
    let sign = if digits < 0 { "-" } else { "" };
    let mut text = digits.unsigned_abs().to_string();
    if exponent >= 0 {
        if digits != 0 {
            text.extend(std::iter::repeat_n('0', exponent as usize));
        }
        return format!("{sign}{text}");
    }
    if digits == 0 {
        return "0".into();
    }
    let places = exponent.unsigned_abs() as usize;
    let (whole, fraction) = match text.len().checked_sub(places) {
        Some(split @ 1..) => text.split_at(split),
        _ => ("0", text.as_str()),
    };
    format!("{sign}{whole}.{fraction:0>places$}")
}

fn with_suffix(digits: i64, exponent: i32, suffix: &str) -> String {
    if digits == 0 { "0".into() } else { plain(digits, exponent) + suffix }
}

fn scientific(digits: i64, exponent: i32) -> String {
    if digits == 0 {
        return "0".into();
    }
    let sign = if digits < 0 { "-" } else { "" };
    let text = digits.unsigned_abs().to_string();
    let magnitude = text.len() as i32 - 1 + exponent;
    let (first, rest) = text.split_at(1);
    let rest = rest.trim_end_matches('0');
    let dot = if rest.is_empty() { "" } else { "." };
    format!("{sign}{first}{dot}{rest}e{magnitude}")
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn time_steps(low: f64, high: f64) -> impl Iterator<Item = Ticks> {
    const FIRST: [i64; 19] = [
        1,
        2,
        5,
        10,
        15,
        30,
        MINUTE,
        2 * MINUTE,
        5 * MINUTE,
        10 * MINUTE,
        15 * MINUTE,
        30 * MINUTE,
        HOUR,
        2 * HOUR,
        3 * HOUR,
        6 * HOUR,
        12 * HOUR,
        DAY,
        2 * DAY,
    ];
    let days = std::iter::successors(Some(Step { digit: 5, exponent: 0 }), |s| Some(s.next()));
    let days = days.take(30).map(|s| DAY as f64 * scaled(s.digit, s.exponent));
    let steps = FIRST.into_iter().map(|s| s as f64).chain(days);
    steps.skip_while(move |step| (high - low) / step > 60.0).map(move |step| {
        let (first, last) = ((low / step - 1e-6).ceil(), (high / step + 1e-6).floor());
        let numbers = (0..).map(|n| first + f64::from(n)).take_while(|n| *n <= last);
        let list = numbers.map(|n| Tick { value: n * step, label: duration(n * step) }).collect();
        Ticks { list, offset: None }
    })
}

/// Whole seconds as `90s` is never written: `1m30s`; the two largest units that are not zero.
fn duration(seconds: f64) -> String {
    let total = seconds.abs() as i64;
    let sign = if seconds < 0.0 { "-" } else { "" };
    let units = [(DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (1, "s")];
    let mut rest = total;
    let mut text = String::from(sign);
    for (unit, name) in units {
        if rest >= unit {
            text += &format!("{}{name}", rest / unit);
            rest %= unit;
        }
    }
    if total == 0 { "0".into() } else { text }
}

/// Ticks of a logarithmic axis: 1-2-5 within decades, decades, every second, fifth, tenth … decade.
fn decades(low: f64, high: f64) -> impl Iterator<Item = Ticks> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let every = [0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500];
    every.into_iter().map(move |every| {
        let inside = |v: &f64| (low * (1.0 - 1e-9)..=high * (1.0 + 1e-9)).contains(v);
        let plainly = low > 1.1e-5 && high < 1e5;
        let mut list = Vec::new();
        for exponent in first..=last {
            let labelled = every < 2 || exponent.rem_euclid(every) == 0;
            if !labelled && every > 10 {
                continue;
            }
            for digit in 1..10 {
                let named = labelled && (digit == 1 || every == 0 && (digit == 2 || digit == 5));
                let drawn = named || every < 2 && last - first <= 12 || digit == 1;
                let value = scaled(digit, exponent);
                if !drawn || !inside(&value) {
                    continue;
                }
                let text = if plainly { plain(digit, exponent) } else { scientific(digit, exponent) };
                list.push(Tick { value, label: if named { text } else { String::new() } });
            }
        }
        Ticks { list, offset: None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(low: f64, high: f64, kind: Kind, length: f64) -> String {
        let axis = Axis { low, high, kind, length };
        let found = ticks(&axis, &|label| 7.0 * label.chars().count() as f64, 14.0);
        let labels: Vec<String> = found.list.into_iter().map(|t| t.label).filter(|l| !l.is_empty()).collect();
        labels.join(" ") + &found.offset.map(|o| format!(" + {o}")).unwrap_or_default()
    }

    #[test]
    fn ticks_stand_at_round_numbers() {
        let table = [
            (0.0, 1.0, Kind::Number, "0 0.2 0.4 0.6 0.8 1.0"),
            (1.0, 200.0, Kind::Whole, "50 100 150 200"),
            (1.0, 4.0, Kind::Whole, "1 2 3 4"),
            (0.9999, 0.99991, Kind::Number, "0.999900 0.999905 0.999910"),
            (-3.0, 2.0, Kind::Number, "-3 -2 -1 0 1 2"),
            (0.0, 50_000.0, Kind::Whole, "0 10k 20k 30k 40k 50k"),
            (0.0, 4.2e6, Kind::Whole, "0 1M 2M 3M 4M"),
            (0.0, 3e-5, Kind::Number, "0 5e-6 1e-5 1.5e-5 2e-5 2.5e-5 3e-5"),
            (0.0, 1e30, Kind::Number, "0 2e29 4e29 6e29 8e29 1e30"),
            (0.0, 600.0, Kind::Seconds, "0 2m 4m 6m 8m 10m"),
            (0.0, 100.0, Kind::Seconds, "0 30s 1m 1m30s"),
            (0.0, 2.0, Kind::Seconds, "0s 0.5s 1.0s 1.5s 2.0s"),
            (0.0, 3e5, Kind::Seconds, "0 12h 1d 1d12h 2d 2d12h 3d"),
            (1e-4, 10.0, Kind::Log, "0.0001 0.001 0.01 0.1 1 10"),
            (1e-12, 1e3, Kind::Log, "1e-12 1e-9 1e-6 1e-3 1e0 1e3"),
            (0.02, 0.9, Kind::Log, "0.02 0.05 0.1 0.2 0.5"),
            (0.3, 0.5, Kind::Log, "0.30 0.35 0.40 0.45 0.50"),
            (123456789.0, 123456790.0, Kind::Number, "89.0 89.2 89.4 89.6 89.8 90.0 + 123456700.0"),
        ];
        for (low, high, kind, expected) in table {
            assert_eq!(shown(low, high, kind, 300.0), expected, "{low}..{high} {kind:?}");
        }
    }

    #[test]
    fn labels_never_collide_nor_repeat() {
        let mut state = 99u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        for round in 0..4000 {
            let low = (random() - 0.5) * 10f64.powf(random() * 40.0 - 20.0);
            let high = low + 10f64.powf(random() * 40.0 - 20.0).max(low.abs() * 1e-9);
            let kind = [Kind::Number, Kind::Whole, Kind::Seconds, Kind::Log][round % 4];
            let (low, high) = match kind {
                Kind::Log => (low.abs(), low.abs() + high.abs()),
                Kind::Whole => (low.floor(), high.ceil() + 1.0),
                _ => (low, high),
            };
            let axis = Axis { low, high, kind, length: 40.0 + random() * 600.0 };
            let wide = |label: &str| 7.0 * label.chars().count() as f64;
            let found = ticks(&axis, &wide, 10.0);
            let spots: Vec<(f64, &str)> = found
                .list
                .iter()
                .filter(|t| !t.label.is_empty())
                .map(|t| (axis.position(t.value), t.label.as_str()))
                .collect();
            for pair in spots.windows(2) {
                let room = pair[1].0 - pair[0].0 - (wide(pair[0].1) + wide(pair[1].1)) / 2.0;
                assert!(room >= 9.99, "{axis:?}: {spots:?}");
                assert_ne!(pair[0].1, pair[1].1, "{axis:?}");
            }
            for (at, label) in spots {
                assert!((-1.0..=axis.length + 1.0).contains(&at), "{axis:?}: {label} at {at}");
            }
        }
    }

    #[test]
    fn whole_axes_have_no_fractions_and_extremes_do_not_hang() {
        assert_eq!(shown(1.0, 1.5, Kind::Whole, 500.0), "1");
        shown(-1e308, 1e308, Kind::Number, 300.0);
        shown(5e-324, 1e-300, Kind::Log, 300.0);
        shown(1e15, 1e15 + 2.0, Kind::Number, 300.0);
    }
}
