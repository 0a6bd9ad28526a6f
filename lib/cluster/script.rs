//! The script of a job array: task by task it becomes the nn-run of one run. There is nothing else in it, so that all that
//! happens to a run happens under nn-run's eyes.

use super::batch::Batch;
use crate::base::error::{Error, Result};
use crate::spool::job::shell_word;
use std::path::Path;

/// The script; `index` is the shell's word for the task's index, which begins at `first`.
///
/// # Errors
/// A path is not UTF-8.
pub fn of(batch: &Batch, index: &str, first: usize) -> Result<String> {
    let runs: Vec<String> = batch.tasks.iter().map(|task| task.word()).collect();
    let mut lines = String::new();
    for chunk in runs.chunks(10) {
        lines += &format!("    {} \\\n", chunk.join(" "));
    }
    let (spool, runner) = (quoted(&batch.spool)?, quoted(&batch.runner)?);
    // For nn-run itself, which asks git and others; the command has its own.
    let path = std::env::var_os("PATH")
        .map(|path| quoted(Path::new(&path)))
        .transpose()?
        .unwrap_or_else(|| "/usr/bin:/bin".into());
    let grace = batch.grace.as_secs().max(1);
    let skip = if first == 0 { format!("\"{index}\"") } else { format!("\"$(({index} - {first}))\"") };
    Ok(format!(
        "#!/bin/sh\n\
         # Batch {} of nn-queue(1): each task is one run, N.GENERATION.\n\
         set -- \\\n{lines}\n\
         shift {skip} || exit 2\n\
         export PATH={path} NN_SPOOL={spool}\n\
         exec {runner} -q --grace {grace}s --claim \"$1\"\n",
        batch.name
    ))
}

/// One word for sh.
fn quoted(path: &Path) -> Result<String> {
    let text = path.to_str().ok_or_else(|| Error::other(format!("{}: the path is not UTF-8", path.display())))?;
    Ok(shell_word(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting() {
        assert_eq!(quoted(Path::new("/a b/it's")).unwrap(), "'/a b/it'\\''s'");
    }
}
