//! What an engine sets for a job, and what of it the command of a run gets: its own environment is that of the time it was
//! queued, which may have been inside a job; of that job nothing is true any more.

use crate::spool::batch::Batch;
use std::ffi::{OsStr, OsString};

/// Prefixes and names of the variables that engines set.
const PREFIXES: [&str; 4] = ["SLURM_", "SLURMD_", "SGE_", "PE_"];
const NAMES: [&str; 18] = [
    "CUDA_VISIBLE_DEVICES",
    "GPU_DEVICE_ORDINAL",
    "ROCR_VISIBLE_DEVICES",
    "ZE_AFFINITY_MASK",
    "TMPDIR",
    "NSLOTS",
    "NHOSTS",
    "NQUEUES",
    "QUEUE",
    "JOB_ID",
    "JOB_NAME",
    "JOB_SCRIPT",
    "REQUEST",
    "RESTARTED",
    "ARC",
    "ENVIRONMENT",
    "CLUSTER",
    "HOSTNAME",
];
/// What a job has of its node and user, when the run's own environment says nothing.
const OF_NODE: [&str; 5] = ["HOME", "USER", "LOGNAME", "SHELL", "PATH"];

/// Whether an engine sets it.
pub fn is_of_engine(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
}

/// The environment of a command in a job: the run's own, without what an engine once set, with what this one set.
pub fn of_job(own: Vec<(OsString, OsString)>, job: Vec<(OsString, OsString)>) -> Vec<(OsString, OsString)> {
    let mut all: Vec<(OsString, OsString)> = own.into_iter().filter(|(name, _)| !is_of_engine(name)).collect();
    for (name, value) in job {
        let is_missing = || !all.iter().any(|(other, _)| *other == name);
        if is_of_engine(&name) || name.to_str().is_some_and(|name| OF_NODE.contains(&name)) && is_missing() {
            all.push((name, value));
        }
    }
    all
}

/// The id of the job that this process runs in, if it is one of this engine, as it writes it in answers.
pub fn job_id(engine: &str) -> Option<String> {
    Batch::here().filter(|job| job.engine == engine).map(|job| job.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_run_and_of_the_job() {
        let pairs = |list: &[(&str, &str)]| list.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect::<Vec<_>>();
        let own = pairs(&[("PATH", "/venv/bin"), ("SLURM_JOB_ID", "1"), ("CUDA_VISIBLE_DEVICES", "7"), ("X", "y")]);
        let job = pairs(&[
            ("PATH", "/bin"),
            ("SLURM_JOB_ID", "2"),
            ("CUDA_VISIBLE_DEVICES", "0"),
            ("LEAK", "z"),
            ("HOME", "/h"),
        ]);
        let expected = pairs(&[
            ("PATH", "/venv/bin"),
            ("X", "y"),
            ("SLURM_JOB_ID", "2"),
            ("CUDA_VISIBLE_DEVICES", "0"),
            ("HOME", "/h"),
        ]);
        assert_eq!(of_job(own, job), expected);
    }
}
