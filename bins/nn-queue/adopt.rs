//! Adoption as seen from nn-queue: a started run whose nn-run is dead and whose command lives gets a new nn-run, which takes
//! it over by itself (`nn-run --adopt`). Of several that try, one wins; the others run nothing. The
//! news of what is found to have ended is kept.

use nn::base::cli;
use nn::base::error::{Doing, Error, Result};
use nn::base::json::Value;
use nn::mail::news;
use nn::spool::recover::{HASTE, Recovery};
use nn::spool::state::{State, Token};
use nn::spool::store::Spool;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The longest that a new nn-run is waited for until it has taken over.
const PATIENCE: Duration = Duration::from_secs(10);

/// The nn-run beside this program.
///
/// # Errors
/// There is none.
pub fn runner() -> Result<PathBuf> {
    let runner = cli::sibling("nn-run")?;
    std::fs::metadata(&runner).doing("run", &runner)?;
    Ok(runner)
}

/// Recovery by a program that starts an nn-run where one is needed, and keeps the news of what ends.
pub fn recovery() -> Recovery {
    Recovery::new().with_runners().heard_by(herald)
}

/// Keeps the news of what was found.
pub fn herald(spool: &Spool, run: u64, event: &str, details: &Value) {
    if let Err(err) = news::raise(spool, run, event, details) {
        cli::warn(&format!("run {run}: the news cannot be kept: {err}"));
    }
}

/// Starts an nn-run that adopts a run. What it has to tell goes where this process's words go, unless it is to be silent.
///
/// # Errors
/// The system refuses it.
pub fn start(runner: &Path, spool: &Spool, token: &Token, silent: bool) -> Result<Child> {
    let mut command = Command::new(runner);
    command.args(["-q", "--adopt", &token.name()]).env("NN_SPOOL", spool.dir()).env_remove("NN_RUN_DIR");
    command.stdin(Stdio::null()).stdout(Stdio::null());
    if silent {
        command.stderr(Stdio::null());
    }
    command.spawn().map_err(|err| Error::Io { doing: "run", path: runner.to_path_buf(), err })
}

/// The same, until it has taken over. False: it has not; the run ended meanwhile, or somebody else was quicker.
///
/// # Errors
/// The system refuses it.
pub fn start_and_wait(spool: &Spool, token: &Token) -> Result<bool> {
    let mut child = start(&runner()?, spool, token, true)?;
    let (begun, path) = (Instant::now(), spool.dir().join(token.path()));
    while path.exists() {
        let failed = child.try_wait().is_ok_and(|status| status.is_some_and(|status| !status.success()));
        if failed || begun.elapsed() > PATIENCE {
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(20 / u64::from(HASTE).min(4)));
    }
    // 111 says that it was not this one.
    Ok(child.try_wait().is_ok_and(|status| status.is_none_or(|status| status.code() != Some(111))))
}

/// The same for a run whose command has ended too, until its log is read and it has come to its end; in words which.
///
/// # Errors
/// The system refuses it, or the run is still where it was.
pub fn start_and_wait_for_end(spool: &Spool, token: &Token) -> Result<String> {
    start(&runner()?, spool, token, true)?.wait().doing("wait for", "nn-run")?;
    Ok(match spool.state_of(token.run)?.map(|token| token.state) {
        Some(State::Failed(how)) => how.words(),
        Some(State::Queued(_)) => "queued again".to_string(),
        Some(State::Started(..)) => return Err(Error::other(format!("run {}: its nn-run failed", token.run))),
        Some(state) => token.to(state).folder().name().to_string(),
        None => "gone".to_string(),
    })
}

/// Tells that a run is under a new nn-run.
pub fn tell(token: &Token) {
    if let State::Started(_, runner) = &token.state {
        cli::tell(&format!("run {}: its nn-run {} died, its command goes on: adopted", token.run, runner.pid));
    }
}
