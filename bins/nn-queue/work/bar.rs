//! How far a worker is, in one line: a bar, counts, the time left by the mean of the runs so far, and what runs.

use nn::base::time::show_duration;
use std::time::Duration;

/// What the line is made of.
#[derive(Debug, Default)]
pub struct Progress {
    /// Runs that ended well, ended badly, run, and wait
    pub done: usize,
    /// See `done`
    pub failed: usize,
    /// See `done`
    pub running: usize,
    /// See `done`
    pub left: usize,
    /// Slots of this worker
    pub slots: usize,
    /// Time that the ended runs took, all together
    pub spent: Duration,
    /// How long those that run have run
    pub elapsed: Vec<Duration>,
}

/// Columns of the bar itself.
const BAR: usize = 24;

impl Progress {
    /// Time until all is done, as far as the mean of the ended runs can tell.
    pub fn left_time(&self) -> Option<Duration> {
        let ended = u32::try_from(self.done + self.failed).ok().filter(|n| *n > 0)?;
        let mean = self.spent / ended;
        let of_running: Duration = self.elapsed.iter().map(|e| mean.saturating_sub(*e)).sum();
        let waiting = mean.checked_mul(u32::try_from(self.left).ok()?)?;
        let slots = u32::try_from(self.slots.max(1)).ok()?;
        Some(waiting.checked_add(of_running)? / slots)
    }

    /// What was done, when all is over.
    pub fn summary(&self, took: Duration) -> String {
        match self.done + self.failed {
            0 => "nothing was queued".into(),
            ended => {
                let failed =
                    if self.failed > 0 { format!(", {} of them not well", self.failed) } else { String::new() };
                let s = if ended == 1 { "" } else { "s" };
                format!("{ended} run{s} ended{failed}, in {}", show_duration(took))
            }
        }
    }

    /// The line, with `names` of what runs at its end.
    pub fn line(&self, names: &str) -> String {
        let ended = self.done + self.failed;
        let total = ended + self.running + self.left;
        let filled = (ended * BAR).checked_div(total).unwrap_or(0);
        let mut line = format!("[{}{}] {ended}/{total}", "=".repeat(filled), " ".repeat(BAR - filled));
        if self.failed > 0 {
            line += &format!("  {} failed", self.failed);
        }
        match self.left_time() {
            _ if ended == total => {}
            Some(left) => line += &format!("  {} left", show_duration(Duration::from_secs(left.as_secs().max(1)))),
            None => {}
        }
        if !names.is_empty() {
            line += "  ";
            line += names;
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line() {
        let secs = Duration::from_secs;
        let mut p = Progress { left: 6, running: 2, slots: 2, ..Progress::default() };
        assert_eq!(p.line(""), "[                        ] 0/8");
        p = Progress { done: 3, failed: 1, spent: secs(40), elapsed: vec![secs(4), secs(30)], ..p };
        assert_eq!(p.left_time(), Some(secs(33)));
        assert_eq!(p.line("a"), "[========                ] 4/12  1 failed  33s left  a");
        p = Progress { left: 0, running: 0, elapsed: vec![], ..p };
        assert_eq!(p.line(""), "[========================] 4/4  1 failed");
        assert_eq!(p.summary(secs(90)), "4 runs ended, 1 of them not well, in 1m30s");
    }
}
