//! The command under a profiler: what to start instead, and whether the profiler is there at all.

use crate::command::{Refused, find};
use crate::prepare::Attempt;
use nn::base::files;
use nn::record::ask::Asked;
use nn::spool::job::Job;
use nn::spool::profile::Plan;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// An interpreter that has not said within this time whether it has a profiler is believed to.
const LIMIT: Duration = Duration::from_secs(20);

/// What to start. None: the command as it is. A profiler that is missing or cannot do it is a refusal: nothing has run.
pub fn plan(attempt: &Attempt, job: &Job, cwd: &Path) -> Result<Option<Plan>, Refused> {
    let Some(profile) = job.profile() else { return Ok(None) };
    let own = |why: String| Refused { status: 125, why, passing: false };
    let argv = job.argv();
    // Behind a profiler that is there, a command that is not would end in the profiler's own way.
    if let Some(name) = argv.first() {
        find(name, cwd, &attempt.env)?;
    }
    let out = attempt.dir().join(profile.file(attempt.number));
    let flags = attempt.env.iter().rev().find(|(name, _)| name == "THEANO_FLAGS").map(|(_, flags)| flags.as_os_str());
    let plan = profile.plan(&argv, &out, flags).map_err(own)?;
    if let Some(dir) = out.parent() {
        files::make_dir(dir).map_err(|err| own(err.to_string()))?;
    }
    if let Some((words, what)) = &plan.check
        && let Some((name, rest)) = words.split_first()
    {
        let mut command = Command::new(find(name, cwd, &attempt.env)?);
        command.args(rest).current_dir(cwd).env_clear().envs(attempt.env.iter().map(|(k, v)| (k, v)));
        let mut asked = Asked::begin(command, 1 << 16);
        asked.wait(LIMIT);
        if asked.take().is_some_and(|answer| answer.code != Some(0)) {
            return Err(Refused { status: 127, why: format!("cannot profile: {what}"), passing: false });
        }
    }
    Ok(Some(plan))
}
