//! Starting the command: the program found in its own PATH, its environment, its log, its process group.
//!
//! The program is found here and not by exec, because a path known beforehand lets std use posix_spawn, which costs a
//! third of fork and exec; and because "not found" and "cannot be run" are different ends (127 and 126, as in a shell).

use crate::engine;
use crate::prepare::{Attempt, variable_name};
use crate::profile;
use nn::base::error::{Doing, Error, Result, reason};
use nn::base::files;
use nn::base::json::{self, Value};
use nn::spool::job::Job;
use nn::spool::needs::{Needs, Placed};
use nn::spool::snapshot::work;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why a command could not be started, and the status a shell would give.
pub struct Refused {
    pub status: i32,
    pub why: String,
    /// The system was short of something: another time it may work
    pub passing: bool,
}

/// Starts the command of an attempt; its pid.
pub fn start(attempt: &Attempt, log: &File) -> std::result::Result<u32, Refused> {
    let own = |why: String| Refused { status: 125, why, passing: false };
    let of_error = |err: Error| Refused { passing: err.io().is_some_and(is_shortage), ..own(err.to_string()) };
    let job = attempt.job.as_ref().map_err(|why| own(why.clone()))?;
    let argv = job.argv();
    if let Some(code) = attempt.code() {
        work::unpack(&attempt.spool, attempt.token.run, &code).map_err(of_error)?;
    }
    job.cwd().ok_or_else(|| own("job.json has no 'cwd'".into()))?;
    let cwd = attempt.cwd();
    std::fs::read_dir(&cwd).doing("enter", &cwd).map_err(of_error)?;
    let plan = profile::plan(attempt, job, &cwd)?;
    let argv = plan.as_ref().map_or(argv, |plan| plan.argv.clone());
    let argv = engine::with_setup(attempt, argv).map_err(of_error)?;
    let Some(name) = argv.first() else { return Err(own("there is no command".into())) };
    let program = find(name, &cwd, &attempt.env)?;
    let mut command = Command::new(program);
    command.arg0(name).args(argv.iter().skip(1)).current_dir(&cwd).process_group(0);
    command.env_clear().envs(attempt.env.iter().map(|(k, v)| (k, v)));
    set_environment(&mut command, attempt, job).map_err(of_error)?;
    command.envs(plan.and_then(|plan| plan.env));
    command.stdin(if attempt.of_worker || io::stdin().is_terminal() { Stdio::null() } else { Stdio::inherit() });
    let output = || log.try_clone().doing("open", attempt.dir().join("log")).map_err(of_error);
    command.stdout(output()?).stderr(output()?);
    match command.spawn() {
        Ok(child) => Ok(child.id()),
        Err(err) => Err(Refused {
            status: if err.kind() == ErrorKind::NotFound { 127 } else { 126 },
            why: format!("cannot run {}: {}", name.to_string_lossy(), reason(&err)),
            passing: is_shortage(&err),
        }),
    }
}

/// Too many open files, in the process or on the machine.
const EMFILE: i32 = 24;
const ENFILE: i32 = 23;

/// The system is short of processes, memory, files or room.
pub fn is_shortage(err: &io::Error) -> bool {
    use ErrorKind::{OutOfMemory, QuotaExceeded, StorageFull, WouldBlock};
    matches!(err.kind(), WouldBlock | OutOfMemory | StorageFull | QuotaExceeded)
        || matches!(err.raw_os_error(), Some(EMFILE | ENFILE))
}

/// The path of a program: with a slash in its name as it is, else the first in PATH that can be executed.
pub fn find(name: &OsStr, cwd: &Path, env: &[(OsString, OsString)]) -> std::result::Result<PathBuf, Refused> {
    let refused = |status, why: &str| {
        Err(Refused { status, why: format!("cannot run {}: {why}", name.to_string_lossy()), passing: false })
    };
    if name.as_encoded_bytes().contains(&b'/') {
        return match std::fs::metadata(cwd.join(name)) {
            Err(err) if err.kind() == ErrorKind::NotFound => refused(127, "No such file or directory"),
            Ok(meta) if meta.is_dir() => refused(126, "Is a directory"),
            Ok(meta) if meta.permissions().mode() & 0o111 == 0 => refused(126, "Permission denied"),
            _ => Ok(PathBuf::from(name)),
        };
    }
    let path = env.iter().rev().find(|(k, _)| k == "PATH").map(|(_, v)| v.clone());
    let path = path.unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    let mut denied = false;
    for dir in std::env::split_paths(&path) {
        let candidate = dir.join(name);
        match std::fs::metadata(cwd.join(&candidate)) {
            Ok(meta) if meta.is_file() && meta.permissions().mode() & 0o111 != 0 => return Ok(candidate),
            Ok(meta) if meta.is_file() => denied = true,
            _ => {}
        }
    }
    if denied { refused(126, "Permission denied") } else { refused(127, "not found in PATH") }
}

/// What nn-run adds to the environment; it wins over what was recorded.
fn set_environment(command: &mut Command, attempt: &Attempt, job: &Job) -> Result<()> {
    let dir = attempt.dir();
    let checkpoints = attempt.checkpoint_dir();
    let anything_left = !files::make_dir(&checkpoints)? && !files::names(&checkpoints)?.is_empty();
    command.env("NN_RUN", attempt.token.run.to_string()).env("NN_RUN_DIR", &dir);
    command.env("NN_SPOOL", attempt.spool.dir()).env("NN_CHECKPOINTS", checkpoints);
    command.env("NN_ATTEMPT", attempt.number.to_string());
    if attempt.code().is_some() {
        // The copy is in no work tree, though a folder above the spool may be in one.
        command.env("PWD", attempt.cwd()).env("GIT_CEILING_DIRECTORIES", &dir);
    }
    if let Some(gpus) = gpus(attempt, job) {
        command.env("CUDA_VISIBLE_DEVICES", &gpus).env("NN_GPUS", gpus);
    }
    command.env_remove("NN_RESUME").env_remove("NN_CHECKPOINT");
    if attempt.number > 1 && (anything_left || attempt.checkpoint.is_some()) {
        command.env("NN_RESUME", "1");
    }
    if let Some(checkpoint) = &attempt.checkpoint {
        command.env("NN_CHECKPOINT", checkpoint);
    }
    if !attempt.env.iter().any(|(name, _)| name == "PYTHONUNBUFFERED") {
        command.env("PYTHONUNBUFFERED", "1");
    }
    let params = job.params();
    if params.is_empty() {
        return Ok(());
    }
    for (name, value) in params {
        let mut variable = OsString::from("NN_PARAM_");
        variable.push(variable_name(name));
        command.env(variable, json::to_os(value).unwrap_or_else(|| value.to_string().into()));
    }
    attempt.spool.put_lazily(attempt.token.run, "params.json", &json::map(params.iter().cloned()))?;
    command.env("NN_PARAMS", dir.join("params.json"));
    Ok(())
}

/// The GPUs the command may see, by UUID: those its worker gave it, or none when it asked for none. None: nobody said.
fn gpus(attempt: &Attempt, job: &Job) -> Option<String> {
    let needs = Needs::of(job);
    if needs.gpus == Some(0) {
        return Some(String::new());
    }
    let placed = needs.gpus.and_then(|_| Placed::read(&attempt.spool, attempt.token.run, attempt.token.generation));
    placed.map(|placed| placed.gpus.join(","))
}

/// Opens the log for the command and for reading; later attempts append after a line that says so.
pub fn open_log(attempt: &Attempt) -> Result<(File, u64)> {
    let path = attempt.dir().join("log");
    if attempt.number > 1 {
        files::append(&path, &format!("--- attempt {} ---\n", attempt.number))?;
    }
    let log = files::open_append(&path).doing("open", &path)?;
    let from = log.metadata().doing("read", &path)?.len();
    Ok((log, from))
}

/// attempt.json: who runs what since when.
pub fn record(attempt: &Attempt, pid: Option<u32>, started: nn::base::time::Time) -> Value {
    let start = pid.and_then(nn::spool::owner::start_of);
    let worker = match &attempt.token.state {
        nn::spool::state::State::Started(worker, _) => worker.to_string(),
        _ => String::new(),
    };
    let mut record = json::map([
        ("attempt", Value::from(attempt.number)),
        ("generation", attempt.token.generation.into()),
        ("host", attempt.runner.host.as_str().into()),
        ("worker", worker.into()),
        ("runner", attempt.runner.to_string().into()),
        ("pid", pid.into()),
        ("start", start.into()),
        ("started", started.into()),
    ]);
    if let Some(engine) = &attempt.engine {
        engine.note(&mut record);
    }
    if let Some(checkpoint) = &attempt.checkpoint {
        record.set("checkpoint", json::from_os(checkpoint.as_os_str()));
    }
    if !attempt.former.is_empty() {
        record.set("former", Value::List(attempt.former.clone()));
    }
    record
}
