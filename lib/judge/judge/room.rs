//! The judge of what a run uses up, and of GPUs that rest: which of them there are, how long the run takes yet, the words.

use super::{Judge, seconds};
use crate::base::time::Time;
use crate::base::units::{show_number, show_size};
use crate::judge::event;
use crate::judge::reserve::{Finding, Level, What};
use crate::record::progress;
use std::time::Duration;

/// Reserves and GPUs that are watched, at most.
const MOST: usize = 64;
/// A run that prints nothing has started up after so long.
const START: Duration = Duration::from_secs(1800);

/// What is known under a name; None: there are too many.
fn entry<'a, K: Copy + PartialEq, V: Default>(list: &'a mut Vec<((K, String), V)>, of: (K, &str)) -> Option<&'a mut V> {
    let known = list.iter().position(|((kind, name), _)| (*kind, name.as_str()) == of);
    if known.is_none() {
        if list.len() >= MOST {
            return None;
        }
        list.push(((of.0, of.1.to_string()), V::default()));
    }
    let at = known.unwrap_or(list.len() - 1);
    list.get_mut(at).map(|(_, value)| value)
}

impl Judge {
    /// Judges what is left of what can be used up.
    pub fn levels(&mut self, now: Time, levels: &[Level]) {
        let looked = *self.looked.get_or_insert(now);
        let starts = self.points == 0 && now.since(looked) < START;
        let needs = self.needs(now);
        for room in levels {
            let Some(reserve) = entry(&mut self.reserves, (room.what, &room.of)) else { continue };
            if let Some(found) = reserve.add(now, room, starts, needs) {
                self.say_of_room(now, room, found, needs);
            }
        }
    }

    /// Judges how busy the run's GPUs are, per cent.
    pub fn gpus(&mut self, now: Time, gpus: &[(String, f64)]) {
        for (name, per_cent) in gpus {
            let Some(idle) = entry(&mut self.gpus, ((), name)) else { continue };
            if let Some(resting) = idle.add(now, *per_cent, self.points, self.pace.epochs()) {
                self.t = Some(now);
                let words = seconds(resting.for_seconds);
                let why = match resting.before {
                    Some(before) => {
                        format!("{name} has hardly worked for {words}, it was busy for {before:.0} % before")
                    }
                    None => format!("{name} has not worked for {words}, while the run goes on"),
                };
                let figures = [("idle", resting.for_seconds), ("before", resting.before.unwrap_or(0.0))];
                self.say(event::Level::Warning, "gpu-idle", None, why, &figures);
                self.concerns(name);
            }
        }
    }

    /// How long the run takes yet, seconds, as far as that is known.
    fn needs(&self, now: Time) -> Option<f64> {
        let by_pace = self.begin.as_ref().zip(self.pace.last()).and_then(|((begin, first), last)| {
            let left = progress::left(&self.goals, first, &self.whole_place(), last.since(*begin))?;
            Some(left.saturating_sub(now.since(last)))
        });
        let by_limit = self.deadline.map(|deadline| deadline.since(now));
        by_pace.into_iter().chain(by_limit).min().map(|left| left.as_secs_f64())
    }

    pub(super) fn whole_place(&self) -> Vec<(String, f64)> {
        let batches = self.batches.map(|batches| ("batches".to_string(), batches));
        self.at.iter().cloned().chain(batches).collect()
    }

    fn say_of_room(&mut self, now: Time, room: &Level, found: Finding, needs: Option<f64>) {
        let size = |x: f64| if room.what == What::Inodes { show_number(x.round()) } else { show_size(x as u64) };
        let of = match room.what {
            What::Disk => format!("disk of {}", room.of),
            What::Inodes => format!("number of files on {}", room.of),
            What::Ram => format!("memory ({})", room.of),
            What::GpuMemory => format!("memory of {}", room.of),
        };
        self.t = Some(now);
        let (free, total) = (size(room.free), size(room.total));
        let mut figures = vec![("free", room.free), ("total", room.total)];
        let why = match found {
            Finding::Full if room.total > room.free => format!("{of} is nearly full: {free} of {total} left"),
            Finding::Full => format!("{of} is nearly full: {free} left"),
            Finding::Soon { lasts, speed } => {
                figures.extend([("lasts", lasts.round()), ("speed", speed)]);
                figures.extend(needs.map(|needs| ("needs", needs.round())));
                let until = needs.map_or(String::new(), |needs| format!(", the run needs {}", seconds(needs)));
                let used = size(speed * 3600.0);
                format!("{of} will be full in {}{until}: {free} left, {used} less an hour", seconds(lasts))
            }
        };
        self.say(event::Level::Warning, room.what.detector(), None, why, &figures);
        self.concerns(&room.of);
    }

    /// The last event is about this place or device.
    fn concerns(&mut self, of: &str) {
        if let Some(event) = self.events.last_mut() {
            event.evidence.set("of", of);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::json::Value;
    use crate::record::history::Point;
    use crate::record::progress::Goal;

    const MINUTE: i64 = 60_000;

    fn at(minute: i64) -> Time {
        Time(1_800_000_000_000 + minute * MINUTE)
    }

    #[test]
    fn a_forecast_is_held_against_what_the_run_needs() {
        let of = |epochs: f64| {
            let mut judge = Judge::new();
            judge.ends(vec![Goal { counter: "epoch", end: epochs }], None);
            let mut said = Vec::new();
            for minute in 0..200 {
                if minute % 10 == 0 {
                    let mut point = Point::new();
                    point.t = Some(at(minute));
                    point.set_counter("epoch", (minute / 10) as f64);
                    judge.point(&point);
                }
                let free = (1u64 << 38) as f64 - minute as f64 * 1e9;
                let level = Level { what: What::Disk, of: "/scratch".into(), free, total: (1u64 << 40) as f64 };
                judge.levels(at(minute), &[level]);
                said.extend(judge.take());
            }
            said
        };
        assert_eq!(of(20.0), [], "it ends before");
        let said = of(100.0);
        let [event] = said.as_slice() else { panic!("{said:?}") };
        assert_eq!((event.detector, event.evidence.str("of")), ("disk", Some("/scratch")));
        assert!(event.why.starts_with("disk of /scratch will be full in 2h4m"), "{}", event.why);
        assert!(event.why.contains(", the run needs 14h10m"), "{}", event.why);
        assert!(event.evidence.num("lasts") < event.evidence.num("needs"));
    }

    #[test]
    fn a_gpu_that_rests() {
        let mut judge = Judge::new();
        let mut point = Point::new();
        let mut said = Vec::new();
        for minute in 0..200 {
            point.t = Some(at(minute));
            point.set_counter("epoch", (minute / 20) as f64);
            judge.point(&point);
            let busy = if minute < 100 { 80.0 } else { 0.0 };
            judge.gpus(at(minute), &[("GPU 3".to_string(), busy), ("GPU 4".to_string(), 80.0)]);
            said.extend(judge.take());
        }
        let [event] = said.as_slice() else { panic!("{said:?}") };
        assert_eq!(event.why, "GPU 3 has hardly worked for 10m, it was busy for 80 % before");
        assert_eq!(event.evidence.get("of"), Some(&Value::from("GPU 3")));
    }
}
