//! What squeue and sacct print. A state that is not known here is no answer: of that job nothing is known.

use crate::base::error::{Error, Result};
use crate::cluster::engine::{End, Fate};
use std::collections::HashMap;

/// A job as squeue tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// `4711_3`, or `4711` of one that is no array
    pub id: String,
    /// Its name
    pub name: String,
    state: String,
    exit: String,
    reason: String,
}

impl Job {
    /// `4711` of `4711_3`.
    pub fn array(&self) -> &str {
        super::array_of(&self.id)
    }

    /// What it means. None: it is not understood.
    pub fn fate(&self) -> Option<Fate> {
        fate(&self.state, self.exit.parse().ok().map(status), &self.reason)
    }
}

/// Reads squeue's lines `ID|STATE|EXIT|NAME|REASON`.
///
/// # Errors
/// A line is something else: then none is trusted.
pub fn jobs(text: &str) -> Result<Vec<Job>> {
    let job = |line: &str| {
        let mut fields = line.split('|').map(str::trim);
        let mut next = || fields.next().map(str::to_string);
        let (id, state, exit, name, reason) = (next()?, next()?, next()?, next()?, next()?);
        let is_id = id.starts_with(|c: char| c.is_ascii_digit());
        is_id.then_some(Job { id, state, exit, name, reason })
    };
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            job(line).ok_or_else(|| Error::other(format!("slurm: squeue says '{line}', which is not understood")))
        })
        .collect()
}

/// What sacct's lines `ID|STATE|CODE:SIGNAL` say of tasks. Those that never started stand together, as `4711_[3-5,8%2]`.
pub fn accounted(text: &str, ids: &[&str]) -> Vec<(String, Fate)> {
    let line = |line: &'_ str| {
        let mut fields = line.split('|').map(str::trim);
        let (id, state, exit) = (fields.next()?, fields.next()?, fields.next()?);
        let (code, signal) = exit.split_once(':')?;
        let end = match (code.parse().ok()?, signal.parse().ok()?) {
            (code, 0) => End::Exit(code),
            (_, signal) => End::Signal(signal),
        };
        Some((id.to_string(), fate(state.split(' ').next()?, Some(end), "")?))
    };
    let (together, alone): (Vec<_>, Vec<_>) = text.lines().filter_map(line).partition(|(id, _)| id.contains('['));
    let alone: HashMap<String, Fate> = alone.into_iter().collect();
    let fate = |id: &str| {
        let of = || together.iter().find(|(tasks, _)| are_among(tasks, id)).map(|(_, fate)| fate);
        alone.get(id).or_else(of).cloned()
    };
    ids.iter().filter_map(|id| Some((id.to_string(), fate(id)?))).collect()
}

/// Whether `4711_[3-5,8%2]` names the task `4711_4`.
fn are_among(tasks: &str, id: &str) -> bool {
    let names = || {
        let (array, ranges) = tasks.split_once("_[")?;
        let index: u32 = id.strip_prefix(array)?.strip_prefix('_')?.parse().ok()?;
        let ranges = ranges.split([']', '%']).next()?;
        let is_in = |range: &str| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let ends = first.parse().ok().zip(last.parse().ok());
            ends.is_some_and(|(first, last): (u32, u32)| (first..=last).contains(&index))
        };
        Some(ranges.split(',').any(is_in))
    };
    names().unwrap_or(false)
}

/// The wait status that squeue prints as a number.
fn status(raw: i32) -> End {
    match raw & 0x7f {
        0 => End::Exit(raw >> 8 & 0xff),
        signal => End::Signal(signal),
    }
}

/// Job states: squeue(1), JOB STATE CODES.
fn fate(state: &str, end: Option<End>, reason: &str) -> Option<Fate> {
    Some(match state {
        "PENDING" | "REQUEUED" | "REQUEUE_FED" | "REQUEUE_HOLD" | "RESV_DEL_HOLD" | "SPECIAL_EXIT" => {
            Fate::Waiting(reason.to_string())
        }
        "RUNNING" | "CONFIGURING" | "COMPLETING" | "SUSPENDED" | "STOPPED" | "SIGNALING" | "STAGE_OUT" | "RESIZING" => {
            Fate::Running
        }
        "COMPLETED" => Fate::Ended(End::Exit(0)),
        "CANCELLED" | "REVOKED" => Fate::Ended(End::Cancelled),
        "TIMEOUT" | "DEADLINE" => Fate::Ended(End::Time),
        "PREEMPTED" => Fate::Ended(End::Preempted),
        "NODE_FAIL" | "BOOT_FAIL" => Fate::Ended(End::Node),
        "OUT_OF_MEMORY" => Fate::Ended(End::Oom),
        "FAILED" => Fate::Ended(end.unwrap_or_else(|| End::Other("failed".into()))),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squeue_is_read() {
        let text = "4711_3|PENDING|0|grid.0badcafe|Resources\n4711_0|FAILED|256|grid.0badcafe|NonZeroExitCode\n\
                    4712|NEW_STATE|0|x|None\n";
        let jobs = jobs(text).unwrap();
        let fates: Vec<Option<Fate>> = jobs.iter().map(Job::fate).collect();
        let expected = [Some(Fate::Waiting("Resources".into())), Some(Fate::Ended(End::Exit(1))), None];
        assert_eq!(fates, expected);
        assert_eq!((jobs[0].array(), jobs[0].name.as_str()), ("4711", "grid.0badcafe"));
        assert!(super::jobs("slurm is away for lunch\n").is_err());
        assert!(super::jobs("").unwrap().is_empty());
    }

    #[test]
    fn sacct_is_read() {
        let text = "4711_3|CANCELLED by 1000|0:0\n4711_4|FAILED|0:9\n4711_5|COMPLETED|0:0\nnonsense\n\
                    4711_[7-9,12%3]|CANCELLED by 0|0:0\n4712_[3]|PENDING|0:0\n4713_[|FAILED|1:0\n";
        let ids = ["4711_3", "4711_4", "4711_5", "4711_6", "4711_8", "4711_12", "4712_3", "4713_0"];
        let cancelled = Fate::Ended(End::Cancelled);
        let expected = [
            ("4711_3", cancelled.clone()),
            ("4711_4", Fate::Ended(End::Signal(9))),
            ("4711_5", Fate::Ended(End::Exit(0))),
            ("4711_8", cancelled.clone()),
            ("4711_12", cancelled),
            ("4712_3", Fate::Waiting(String::new())),
        ];
        assert_eq!(accounted(text, &ids), expected.map(|(id, fate)| (id.to_string(), fate)));
    }
}
