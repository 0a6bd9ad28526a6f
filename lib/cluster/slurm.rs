//! Slurm, by its own programs: sbatch hands over, squeue tells of jobs (and sacct, where there is accounting, of those that
//! the controller has forgotten), scancel takes back.
//!
//! Always --no-requeue: Slurm would start the script again by itself, behind our back. The environment of whoever submits is
//! not that of the run: sbatch is given none of it but what it needs itself, and told to pass that on; with --export=NONE it
//! would run the person's login files for each task, which can take a minute. The signal USR1 comes so long before the time
//! limit that the run can save.

mod answers;

use super::batch::{Batch, Record};
use super::engine::{Engine, Fate, Handed, Limits};
use super::program::{self, Said};
use crate::base::error::{Error, Result};
use crate::spool::config::Config;
use answers::{Job, jobs};
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

/// Its name as an engine.
pub const NAME: &str = "slurm";
/// sbatch itself waits up to 100 s for a controller (MessageTimeout), and tries again.
const SUBMIT: Duration = Duration::from_secs(180);
/// For a question.
const ASK: Duration = Duration::from_secs(30);
/// Slurm never gives notice later than it was asked to, but up to a minute earlier: sbatch(1), --signal. So little is added.
const MARGIN: Duration = Duration::from_secs(10);

/// Slurm, see the module.
#[derive(Debug)]
pub struct Slurm {
    options: Vec<String>,
}

impl Slurm {
    /// With the options of the settings.
    pub fn new(config: &Config) -> Slurm {
        Slurm { options: config.list("slurm.options") }
    }

    /// The command line of sbatch.
    fn sbatch(&self, batch: &Batch) -> Result<Vec<String>> {
        let mut args = wants(batch);
        for text in self.options.iter() {
            args.extend(program::words(text).map_err(|what| Error::other(format!("setting slurm.options: {what}")))?);
        }
        args.extend(batch.how.options.iter().cloned());
        // Last, and so beyond options: what the protocol rests on.
        let throttle = batch.how.max_parallel.map(|most| format!("%{most}")).unwrap_or_default();
        args.extend([
            "--parsable".into(),
            format!("--job-name={}", batch.job_name()),
            format!("--array=0-{}{throttle}", batch.tasks.len().saturating_sub(1)),
            "--no-requeue".into(),
            "--export=ALL".into(),
            "--open-mode=append".into(),
            format!("--output={}", slurm_path(&batch.output("%a"))),
            format!("--error={}", slurm_path(&batch.output("%a"))),
            "--chdir=/".into(),
            batch.script().to_string_lossy().into_owned(),
        ]);
        Ok(args)
    }
}

/// What sbatch and a job may see of this environment: Slurm's own settings, and who and where we are.
fn is_for_sbatch(name: &str) -> bool {
    const NAMES: [&str; 9] =
        ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "LD_LIBRARY_PATH", "KRB5CCNAME"];
    NAMES.contains(&name) || name.starts_with("SLURM_") || name.starts_with("SBATCH_")
}

/// What the runs want, in Slurm's words.
fn wants(batch: &Batch) -> Vec<String> {
    let wants = &batch.wants;
    let mut args = vec!["--nodes=1".to_string(), "--ntasks=1".into()];
    if wants.needs.slots > 1 {
        args.push(format!("--cpus-per-task={}", wants.needs.slots));
    }
    if wants.needs.gpu_count() > 0 {
        args.push(format!("--gres=gpu:{}", wants.needs.gpu_count()));
    }
    if wants.needs.ram > 0 {
        args.push(format!("--mem={}M", wants.needs.ram.div_ceil(1 << 20)));
    }
    if let Some(limit) = wants.time {
        args.push(format!("--time={}", limit.as_secs().div_ceil(60).max(1)));
    }
    args.push(format!("--signal=B:USR1@{}", notice(batch).as_secs()));
    args
}

/// How long before the end of its time a job is told: what the run needs to finish up.
fn notice(batch: &Batch) -> Duration {
    let margin = batch.wants.time.map_or(MARGIN, |limit| MARGIN.min(limit / 10));
    batch.wants.finish_up.unwrap_or(batch.grace) + margin
}

/// A path in which Slurm finds nothing to replace.
fn slurm_path(path: &Path) -> String {
    let text = path.to_string_lossy();
    match text.rsplit_once('/') {
        // Only the name is a pattern.
        Some((dir, name)) => format!("{}/{name}", dir.replace('%', "%%")),
        None => text.into_owned(),
    }
}

impl Engine for Slurm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn limits(&self) -> Result<Limits> {
        let said = program::run(NAME, "scontrol", &["show", "config"], ASK)?;
        if said.code != Some(0) {
            return Err(refusal("scontrol show config", &said));
        }
        let number = |key: &str| {
            let line = said.out.lines().find(|line| line.split('=').next().is_some_and(|k| k.trim() == key))?;
            let value = line.split_once('=')?.1.trim();
            value.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u64>().ok()
        };
        Ok(Limits {
            // The greatest index is one less, and so is the number of tasks from 0.
            tasks: number("MaxArraySize").and_then(|n| usize::try_from(n).ok()),
            kill_wait: number("KillWait").map(Duration::from_secs),
        })
    }

    fn script(&self, batch: &Batch) -> Result<String> {
        super::script::of(batch, "${SLURM_ARRAY_TASK_ID:?}", 0)
    }

    fn submit(&self, batch: &Batch) -> Handed {
        let args = match self.sbatch(batch) {
            Ok(args) => args,
            Err(err) => return Handed::Refused { why: err.to_string(), too_many: false },
        };
        match program::run_keeping(is_for_sbatch, NAME, "sbatch", &args, SUBMIT) {
            Ok(said) => handed(&said, batch.tasks.len()),
            Err(Error::Again(why)) => Handed::Unclear(why),
            Err(err) => Handed::Refused { why: err.to_string(), too_many: false },
        }
    }

    fn find(&self, record: &Record) -> Result<Option<Vec<String>>> {
        let name = record.job_name();
        let all = squeue(&["--name", &name])?;
        let mut arrays: Vec<&str> = all.iter().filter(|job| job.name == name).map(Job::array).collect();
        arrays.sort_unstable();
        arrays.dedup();
        Ok(arrays.first().map(|array| task_ids(array, record.tasks.len())))
    }

    fn ask(&self, ids: &[String]) -> Result<HashMap<String, Fate>> {
        let answered = squeue(&["--jobs", &arrays(ids.iter().map(String::as_str))])?;
        let mut fates: HashMap<String, Fate> =
            answered.into_iter().filter_map(|job| Some((job.id.clone(), job.fate()?))).collect();
        let mut missing: Vec<&str> = ids.iter().map(String::as_str).filter(|id| !fates.contains_key(*id)).collect();
        missing.sort_unstable();
        if !missing.is_empty() {
            let gone = forgotten(&missing)?;
            fates.extend(gone);
        }
        Ok(fates)
    }

    fn cancel(&self, ids: &[String]) -> Result<()> {
        // A command line has room for some thousands.
        for ids in ids.chunks(2000) {
            let said = program::run(NAME, "scancel", ids, ASK)?;
            let is_over =
                |text: &str| text.contains("Invalid job id") || text.contains("already completing or completed");
            if said.code != Some(0) && !is_over(&said.err) {
                return Err(refusal("scancel", &said));
            }
        }
        Ok(())
    }
}

/// The job arrays of tasks, for one question.
fn arrays<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    let mut arrays: Vec<&str> = ids.map(array_of).collect();
    arrays.sort_unstable();
    arrays.dedup();
    arrays.join(",")
}

/// `4711` of `4711_3`.
fn array_of(id: &str) -> &str {
    id.split('_').next().unwrap_or(id)
}

fn task_ids(array: &str, tasks: usize) -> Vec<String> {
    (0..tasks).map(|index| format!("{array}_{index}")).collect()
}

fn refusal(what: &str, said: &Said) -> Error {
    let words = if said.err.is_empty() { "it failed and said nothing" } else { &said.err };
    Error::other(format!("slurm: {what}: {words}"))
}

/// What sbatch's answer means. `4711` or `4711;cluster`: taken. Refused only in the controller's or sbatch's own words.
fn handed(said: &Said, tasks: usize) -> Handed {
    let id = said.out.trim().split(';').next().unwrap_or_default();
    if said.code == Some(0) && !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) {
        return Handed::Taken(task_ids(id, tasks));
    }
    let why = if said.err.is_empty() { "sbatch failed and said nothing" } else { &said.err }.to_string();
    // No reply, or a broken one: the controller may have taken it all the same.
    const UNCLEAR: [&str; 5] = ["timed out", "Unexpected message", "Zero Bytes", "receive", "Connection reset"];
    let failed = said.code.is_some_and(|code| code != 0);
    if !failed || UNCLEAR.iter().any(|word| why.contains(word)) {
        return Handed::Unclear(why);
    }
    const MANY: [&str; 5] = ["MaxSubmit", "submit limit", "Invalid job array", "MaxArraySize", "job count limit"];
    let too_many = MANY.iter().any(|word| why.contains(word));
    Handed::Refused { why, too_many }
}

/// Jobs, those too that ended some minutes ago, one a task.
fn squeue(which: &[&str]) -> Result<Vec<Job>> {
    let form = "JobArrayID:|,State:|,exit_code:|,Name:|,Reason";
    let mut args = vec!["--noheader", "--array", "--states=all", "--Format", form];
    args.extend(which);
    let said = program::run(NAME, "squeue", &args, ASK)?;
    // Asked for one job it does not know, it says so in these words; asked for several, it leaves those out.
    if said.code != Some(0) && !said.err.contains("Invalid job id specified") {
        return Err(refusal("squeue", &said));
    }
    jobs(&said.out)
}

/// What is known of jobs that the controller has forgotten, or never had.
fn forgotten(ids: &[&str]) -> Result<HashMap<String, Fate>> {
    let mut fates: HashMap<String, Fate> = ids.iter().map(|id| (id.to_string(), Fate::Gone)).collect();
    // Asked for a task that never started, it says nothing.
    let list = arrays(ids.iter().copied());
    let args = ["--noheader", "--parsable2", "--allocations", "--format=JobID,State,ExitCode", "--jobs", &list];
    // Where there is no accounting, that is all that can be known.
    let Ok(said) = program::run(NAME, "sacct", &args, ASK) else { return Ok(fates) };
    if said.code == Some(0) {
        fates.extend(answers::accounted(&said.out, ids));
    }
    Ok(fates)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: i32, out: &str, err: &str) -> Said {
        Said { code: Some(code), out: out.into(), err: err.into() }
    }

    #[test]
    fn what_sbatch_answers() {
        let taken = Handed::Taken(vec!["4711_0".into(), "4711_1".into()]);
        assert_eq!(handed(&said(0, "4711\n", ""), 2), taken);
        assert_eq!(handed(&said(0, "4711;triton\n", "a warning"), 2), taken);
        let refused = |words: &str| handed(&said(1, "", words), 2);
        assert!(matches!(
            refused("Batch job submission failed: Invalid partition name specified"),
            Handed::Refused { too_many: false, .. }
        ));
        let limit = "AssocMaxSubmitJobLimit; Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)";
        assert!(matches!(refused(limit), Handed::Refused { too_many: true, .. }));
        for unclear in ["Batch job submission failed: Socket timed out on send/recv operation", ""] {
            assert!(matches!(
                handed(&said(if unclear.is_empty() { 0 } else { 1 }, "", unclear), 2),
                Handed::Unclear(_)
            ));
        }
    }

    #[test]
    fn paths_are_no_patterns() {
        assert_eq!(slurm_path(Path::new("/a%j/b/%a.out")), "/a%%j/b/%a.out");
    }
}
