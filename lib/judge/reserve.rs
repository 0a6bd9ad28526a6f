//! What a run can use up: disk, inodes, memory, GPU memory. Whether it is nearly full, and when it will be.
//!
//! What is free is kept in windows of 20 s, 40 s, … to 3 h a bin, 32 bins each, and of a bin the least: what counts of a
//! saw-tooth is its lowest. In each window whose newest bin is whole, the slope of Theil and Sen (Sen 1968) and the sign
//! test of Mann and Kendall tell whether it falls and how fast. A forecast is believed when
//! - it falls surely, in the later half nearly as fast as in all of the window (filling up at the start slows down),
//! - and to where it has never been in what came before (a file that is written and removed comes back),
//! - and what is left lasts no longer than it was seen to fall: half of what was free is gone, and twice in a row.
//!
//! It is said when the run needs longer than that, or a day where nobody knows what it needs.

use super::event::Alarm;
use super::sketch::{median, trend};
use crate::base::time::Time;

/// Bins of a window.
const BINS: usize = 32;
/// Bins that tell something.
const LEAST_BINS: usize = 12;
/// Length of a bin of the finest window, seconds.
const FINEST: f64 = 20.0;
/// Windows, each with bins twice as long.
const WINDOWS: usize = 10;
/// What is left lasts so many times the window, at most: nothing is foretold for longer than it was seen.
const REACH: f64 = 1.0;
/// Nobody is told of what is so far away, seconds.
const FARTHEST: f64 = 86_400.0;
/// Looks in a row at which it is nearly full, or at which a forecast is the same.
const TWICE: u32 = 2;

/// What can be used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Bytes on a disk
    Disk,
    /// Files on a disk
    Inodes,
    /// Main memory
    Ram,
    /// Memory of a GPU
    GpuMemory,
}

impl What {
    /// The detector that watches it.
    pub fn detector(self) -> &'static str {
        match self {
            What::Disk | What::Inodes => "disk",
            What::Ram => "ram",
            What::GpuMemory => "gpu-memory",
        }
    }

    /// So much left of all is nearly nothing. Of a GPU's memory programs take all, and live well.
    fn little(self, total: f64) -> f64 {
        const GIB: f64 = (1u64 << 30) as f64;
        match self {
            What::Disk => (0.01 * total).min(10.0 * GIB),
            What::Inodes => (0.01 * total).min(20_000.0),
            What::Ram => (0.03 * total).min(2.0 * GIB),
            What::GpuMemory => 0.0,
        }
    }
}

/// What was free at one look.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// Of what
    pub what: What,
    /// Where: a path, a GPU
    pub of: String,
    /// Bytes or files free
    pub free: f64,
    /// In all; where that is not known, the same as free
    pub total: f64,
}

/// What there is to say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Finding {
    /// It is nearly full
    Full,
    /// It will be full
    Soon {
        /// In so many seconds
        lasts: f64,
        /// What is used, a second
        speed: f64,
    },
}

/// What is known of one reserve.
#[derive(Clone, Debug, Default)]
pub struct Reserve {
    windows: Vec<Window>,
    last: Option<Time>,
    /// The greatest total told
    total: f64,
    low: u32,
    /// Free when a forecast was told
    told_at: f64,
    near: Alarm,
    soon: Alarm,
}

impl Reserve {
    /// Adds a look. `starts`: nothing is known of the run yet, which fills what it needs; `needs`: seconds until its end.
    pub fn add(&mut self, t: Time, level: &Level, starts: bool, needs: Option<f64>) -> Option<Finding> {
        if !level.free.is_finite() || level.free < 0.0 {
            return None;
        }
        if self.last.is_some_and(|last| t <= last) {
            // The clock was set back: times before say nothing.
            self.windows.clear();
        }
        self.last = Some(t);
        self.total = self.total.max(level.total);
        let little = level.what.little(self.total);
        self.low = if level.free < little { self.low + 1 } else { 0 };
        // Once said it is over when there is twice as much.
        let is_full = self.low >= TWICE || self.near.is_on() && level.free < 2.0 * little;
        if self.near.see(is_full) {
            return Some(Finding::Full);
        }
        if starts {
            return None;
        }
        let needed = needs.unwrap_or(FARTHEST).min(FARTHEST);
        let found = self.forecast(t, level.free).filter(|(lasts, _)| *lasts < needed);
        let goes_on = self.soon.is_on() && level.free < 1.1 * self.told_at;
        if !self.soon.see((found.is_some() || goes_on) && !self.near.is_on()) {
            return None;
        }
        self.told_at = level.free;
        found.map(|(lasts, speed)| Finding::Soon { lasts, speed })
    }

    /// The earliest end that a window tells: in seconds, and what is used a second.
    fn forecast(&mut self, t: Time, free: f64) -> Option<(f64, f64)> {
        if self.windows.is_empty() {
            self.windows = (0..WINDOWS).map(|i| Window::new(FINEST * f64::from(1u32 << i))).collect();
        }
        let seconds = t.ms() as f64 / 1000.0;
        let found = self.windows.iter_mut().filter_map(|window| window.add(seconds, free));
        found.map(|speed| (free / speed, speed)).min_by(|a, b| a.0.total_cmp(&b.0))
    }
}

/// The last bins of one length.
#[derive(Clone, Debug)]
struct Window {
    width: f64,
    /// Time of the bin's least value, and that value
    bins: Vec<(f64, f64)>,
    open: Option<(f64, f64)>,
    /// The least of the bins that were dropped
    lowest: f64,
    /// Looks in a row at which it falls
    falls: u32,
}

impl Window {
    fn new(width: f64) -> Window {
        Window { width, bins: Vec::new(), open: None, lowest: f64::INFINITY, falls: 0 }
    }

    /// Adds a look. Some: a bin is whole, and it falls so fast.
    fn add(&mut self, t: f64, free: f64) -> Option<f64> {
        let of = |t: f64| (t / self.width).floor();
        match &mut self.open {
            Some((then, least)) if of(*then) == of(t) => {
                if free < *least {
                    (*then, *least) = (t, free);
                }
                return None;
            }
            open => {
                let whole = open.replace((t, free))?;
                if self.bins.len() == BINS {
                    self.lowest = self.lowest.min(self.bins.remove(0).1);
                }
                self.bins.push(whole);
            }
        }
        let speed = self.falling();
        self.falls = if speed.is_some() { self.falls + 1 } else { 0 };
        speed.filter(|_| self.falls >= TWICE)
    }

    fn falling(&self) -> Option<f64> {
        let n = self.bins.len();
        if n < LEAST_BINS {
            return None;
        }
        let free: Vec<f64> = self.bins.iter().map(|bin| bin.1).collect();
        let (first, last) = (median(free.get(..3)?), median(free.get(n - 3..)?));
        // Hardly anything is gone: that is so nearly always.
        if last > 1.5 * REACH * (first - last) {
            return None;
        }
        let (tau, deviations) = trend(&free);
        let speed = -slope(&self.bins);
        if speed <= 0.0 || tau > -0.7 || deviations > -4.0 {
            return None;
        }
        let (earlier, later) = self.bins.split_at(n / 2);
        let goes_on = -slope(later) > 0.85 * speed && slope(earlier) < 0.0;
        let is_new = self.lowest - last > 0.5 * (first - last);
        let span = self.bins.last()?.0 - self.bins.first()?.0;
        (goes_on && is_new && last / speed < REACH * span).then_some(speed)
    }
}

/// The median slope of all pairs, a second.
fn slope(bins: &[(f64, f64)]) -> f64 {
    let mut slopes = Vec::with_capacity(bins.len() * bins.len() / 2);
    for (i, a) in bins.iter().enumerate() {
        slopes.extend(bins.iter().skip(i + 1).filter(|b| b.0 > a.0).map(|b| (b.1 - a.1) / (b.0 - a.0)));
    }
    median(&slopes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(reserve: &mut Reserve, from: i64, n: i64, needs: Option<f64>, free: impl Fn(i64) -> f64) -> Vec<Finding> {
        let level = |free| Level { what: What::Disk, of: "/".into(), free, total: 1e12 };
        let look = |i: i64| reserve.add(Time(1_800_000_000_000 + (from + i) * 60_000), &level(free(i)), false, needs);
        (0..n).filter_map(look).collect()
    }

    #[test]
    fn what_falls_is_told_once_when_it_will_not_last() {
        let mut reserve = Reserve::default();
        // 40 G of 400 G an hour.
        let falls = |i: i64| 4e11 - 4e10 / 60.0 * i as f64;
        let said = feed(&mut reserve, 0, 400, Some(9.0 * 3600.0), falls);
        let [Finding::Soon { lasts, speed }] = said.as_slice() else { panic!("{said:?}") };
        assert!((speed * 3600.0 - 4e10).abs() < 1e8 && *lasts < 8.0 * 3600.0, "{said:?}");
        assert_eq!(feed(&mut Reserve::default(), 0, 400, Some(3600.0), falls), [], "it lasts for the run");
        let flat = feed(&mut Reserve::default(), 0, 400, None, |i| 4e11 + (i % 7) as f64);
        assert_eq!(flat, []);
    }

    #[test]
    fn nearly_full_is_told_once_until_there_is_room() {
        let mut reserve = Reserve::default();
        assert_eq!(feed(&mut reserve, 0, 20, None, |_| 5e9), [Finding::Full]);
        assert_eq!(feed(&mut reserve, 20, 20, None, |_| 1.5e10), [], "hardly more");
        assert_eq!(feed(&mut reserve, 40, 20, None, |_| 9e11), []);
        assert_eq!(feed(&mut reserve, 60, 20, None, |_| 5e9), [Finding::Full]);
    }

    #[test]
    fn constant_memory() {
        let mut reserve = Reserve::default();
        feed(&mut reserve, 0, 3000, None, |i| 5e11 + (i % 100) as f64);
        assert!(reserve.windows.len() == WINDOWS && reserve.windows.iter().all(|w| w.bins.len() <= BINS));
    }
}
