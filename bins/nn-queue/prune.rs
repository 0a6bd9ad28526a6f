//! gc --keep-checkpoints: of runs that have ended, removes the checkpoints that a rule does not keep.

use crate::runs::{self, Refused};
use nn::base::cli::{Exit, Out};
use nn::base::error::Result;
use nn::record::checkpoint::{Keep, Place, Plan};
use nn::spool::snapshot::work;
use nn::spool::store::Spool;
use std::ffi::OsString;

/// Removes them, or with `dry_run` only says which.
pub fn prune(keep: &Keep, given: Vec<OsString>, dry_run: bool, out: &mut Out) -> Result<Exit> {
    let spool = Spool::find()?;
    let wanted = runs::find(&spool, given)?;
    let states = runs::states(&spool, &wanted)?;
    let mut refused = Refused::default();
    for run in wanted {
        if !states.get(&run).is_some_and(|token| token.folder().is_end()) {
            refused.add(run, "it has not ended");
            continue;
        }
        match plan(&spool, run, keep) {
            Ok(plan) => {
                if !dry_run {
                    plan.carry_out()?;
                }
                for path in &plan.remove {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    writeln!(out, "runs/{run}/checkpoints/{name}\tnot kept by the rule")?;
                }
            }
            Err(err) => refused.add(run, err.to_string()),
        }
    }
    refused.complain("remove checkpoints of");
    Ok(Exit::DONE)
}

fn plan(spool: &Spool, run: u64, keep: &Keep) -> Result<Plan> {
    let (dir, job) = (spool.run_dir(run), spool.job(run)?);
    let (own, cwd) = (dir.join("checkpoints"), work::cwd(spool, run, &job).unwrap_or_default());
    keep.plan(&dir, &Place { own: &own, cwd: &cwd, pattern: job.checkpoint(), since: None })
}
