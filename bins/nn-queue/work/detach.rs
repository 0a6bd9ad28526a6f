//! A worker that goes on without its terminal: the same program again, in a session of its own, writing to
//! hosts/HOST.work.log in the spool. The caller returns when its heartbeat is there: it works.

use super::Opts;
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Doing, Error, Result};
use nn::base::{files, sys};
use nn::spool::owner::Owner;
use nn::spool::store::Spool;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Tells the new process that it is the detached one.
const MARK: &str = "NN_QUEUE_DETACHED";
/// How long the new worker may take until it works.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts the worker in the background and prints its pid.
pub fn start(spool: &Spool, slots: u32, opts: &Opts, out: &mut Out) -> Result<Exit> {
    let path = spool.dir().join("hosts").join(format!("{}.work.log", sys::host_name()));
    let log = files::open_append(&path).doing("open", &path)?;
    let exe = std::env::current_exe().doing("find", "this program")?;
    let mut command = Command::new(&exe);
    command.args(["work", "-j", &slots.to_string()]);
    command.args([("--forever", opts.forever), ("-q", opts.quiet)].iter().filter(|o| o.1).map(|o| o.0));
    if let Some((gpus, _)) = &opts.gpus {
        command.args(["--gpus", gpus]);
    }
    command.env(MARK, "1").env("NN_SPOOL", spool.dir()).stdin(Stdio::null());
    // Its own directory may be unmounted or removed while it works.
    command.current_dir(spool.dir());
    command.stderr(log.try_clone().doing("open", &path)?).stdout(log);
    let mut child = command.spawn().doing("run", &exe)?;
    let pid = child.id();
    wait_until_up(spool, &mut child)
        .map_err(|what| Error::other(format!("the worker {what}: see {}", path.display())))?;
    cli::tell(&format!("worker {pid} works in the background; it tells what it does in {}", path.display()));
    writeln!(out, "{pid}")?;
    Ok(Exit::DONE)
}

fn wait_until_up(spool: &Spool, child: &mut Child) -> std::result::Result<(), &'static str> {
    let started = Instant::now();
    let owner = Owner::of(child.id()).map(|owner| spool.dir().join("hosts").join(owner.to_string()));
    loop {
        if owner.as_ref().is_ok_and(|beat| beat.exists()) {
            return Ok(());
        }
        match child.try_wait() {
            // So little was queued that it is through already.
            Ok(Some(status)) if matches!(status.code(), Some(0 | 1)) => return Ok(()),
            Ok(Some(_)) => return Err("ended at once"),
            _ if started.elapsed() > PATIENCE => return Err("did not come up"),
            _ => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// In the detached process: leaves the caller's session.
pub fn settle() -> Result<()> {
    if is_detached() { sys::new_session().doing("start", "a session") } else { Ok(()) }
}

/// Whether this process is the detached one.
pub fn is_detached() -> bool {
    std::env::var_os(MARK).is_some()
}

/// Takes out of a command's environment what is between this program and itself.
pub fn clean(command: &mut Command) {
    command.env_remove(MARK);
}
