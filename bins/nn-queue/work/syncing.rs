//! While something is submitted, the engines are asked about it now and then, by a process of its own, `nn-queue sync`: the
//! worker itself never waits for an engine.

use super::detach;
use nn::base::cli;
use nn::spool::recover::HASTE;
use nn::spool::state::Folder;
use nn::spool::store::Spool;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Between two questions: what an engine starts does not wait for them.
const PAUSE: Duration = Duration::from_millis(60_000 / HASTE as u64);

/// When the engines are asked next, and by whom now.
#[derive(Default)]
pub struct Syncing {
    last: Option<Instant>,
    asking: Option<u32>,
}

impl Syncing {
    /// Asks, if it is time, nobody asks, and something is submitted.
    pub fn look(&mut self, spool: &Spool) {
        let is_time = self.last.is_none_or(|last| last.elapsed() >= PAUSE);
        if !is_time || self.asking.is_some() || spool.tokens(Folder::Submitted).is_ok_and(|tokens| tokens.is_empty()) {
            return;
        }
        self.last = Some(Instant::now());
        let Ok(queue) = std::env::current_exe() else { return };
        let mut command = Command::new(queue);
        command.arg("sync").env("NN_SPOOL", spool.dir()).process_group(0);
        detach::clean(&mut command);
        // What it changes it notes with each run; what it cannot learn now is asked again.
        match command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
            Ok(child) => self.asking = Some(child.id()),
            Err(err) => cli::warn(&format!("cannot ask the engines: {err}")),
        }
    }

    /// Whether this was the one that asked.
    pub fn ended(&mut self, pid: u32) -> bool {
        self.asking.take_if(|asking| *asking == pid).is_some()
    }

    /// The process that asks.
    pub fn pid(&self) -> Option<u32> {
        self.asking
    }
}
