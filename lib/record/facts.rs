//! What was found at the start of an attempt: facts.json. Nothing here may delay a command or fail a run: what cannot be
//! found out is said to be so, or left out.
//!
//! git is asked before the command can change anything (facts/git.rs). All else is gathered once the command runs: what
//! /proc and the environment tell at the first look; what takes a process (GPUs, the interpreter's packages) whenever
//! it answers. facts.json is written at the first look, again when all is known, and at the end.

pub mod git;
mod gpu;
mod host;
pub mod python;

use crate::base::error::reason;
use crate::base::files;
use crate::base::json::{self, Value};
use crate::base::time::Time;
use crate::record::ask::Asked;
use crate::spool::batch::Batch;
use crate::spool::snapshot::Code;
use crate::spool::store::Spool;
use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

/// The longest that the end of a run waits for GPUs: a driver takes its time, once a boot.
const GPU_PATIENCE: Duration = Duration::from_secs(2);
/// The longest that the end of a run waits for git and the interpreter.
const PATIENCE: Duration = Duration::from_millis(500);
/// An interpreter that has not answered for so long hangs.
const PYTHON_LIMIT: Duration = Duration::from_secs(20);

/// Facts being gathered.
pub struct Facts {
    attempt: i64,
    json: Value,
    git: Option<git::Taking>,
    git_late: bool,
    gpus: gpu::Gpus,
    python: Option<Asked>,
    begun: Instant,
    written: bool,
}

impl Facts {
    /// Begins to ask what takes a process. `git` was begun before the command; `in_time`: it has ended before it.
    pub fn begin(
        hosts: &Path,
        git: Option<git::Taking>,
        in_time: bool,
        argv: &[OsString],
        cwd: &Path,
        env: &[(OsString, OsString)],
    ) -> Facts {
        let mut json = json::map([("taken", Value::from(Time::now()))]);
        host::tell(&mut json, env);
        if let Some(batch) = Batch::here() {
            json.set("batch", batch.facts());
        }
        let (gpus, known) = gpu::Gpus::begin(hosts);
        if let Some(known) = known {
            merge(&mut json, known);
        }
        let python = python::ask(argv, cwd, env);
        Facts { attempt: 0, json, git, git_late: !in_time, gpus, python, begun: Instant::now(), written: false }
    }

    /// The code is a snapshot: what git said of it stands beside it.
    pub fn frozen(&mut self, spool: &Spool, run: u64, code: &Code) {
        let mut git = json::map([("tree", Value::from(code.tree.as_str()))]);
        git.set("root", json::from_os(code.root.as_os_str()));
        let path = code.git_facts(spool);
        match std::fs::read_to_string(&path).map(|text| Value::parse(&text)) {
            Ok(Ok(said)) => merge(&mut git, said),
            Ok(Err(bad)) => git.set("error", bad.to_string()),
            Err(err) => git.set("error", reason(&err)),
        }
        self.json.set("git", git);
        let (patch, own) = (code.git_patch(spool), spool.run_dir(run).join("code.patch"));
        if patch.exists() && !own.exists() && !files::link(&patch, &own) {
            // Facts must not stop a run; the patch stands beside the snapshot all the same.
            let _ = std::fs::read(&patch).map(|bytes| files::put(&spool.dir().join("tmp"), &own, &bytes, false));
        }
    }

    /// Those that another process wrote who is dead now: only the commit at the end is missing. None: of this attempt
    /// there are none.
    pub fn on_record(spool: &Spool, run: u64, attempt: i64) -> Option<Facts> {
        let json = spool.read(run, "facts.json").ok()??;
        (json.int("attempt") == Some(attempt)).then(|| Facts { json, ..Facts::none(attempt) })
    }

    /// Nothing is found out.
    pub fn none(attempt: i64) -> Facts {
        Facts {
            attempt,
            json: Value::Null,
            git: None,
            git_late: false,
            gpus: gpu::Gpus::none(),
            python: None,
            begun: Instant::now(),
            written: true,
        }
    }

    /// Takes what has come in, and writes facts.json when there is something new.
    pub fn look(&mut self, spool: &Spool, run: u64) {
        let mut news = !self.written;
        if self.git.as_mut().is_some_and(git::Taking::is_finished) {
            self.take_git(spool, run);
            news = true;
        }
        if let Some(told) = self.gpus.look() {
            merge(&mut self.json, told);
            news = true;
        }
        if self.python.as_mut().is_some_and(|python| python.is_finished() || python.age() > PYTHON_LIMIT) {
            self.take_python();
            news = true;
        }
        if news {
            self.write(spool, run);
        }
    }

    /// The run has ended: waits a little for what is outstanding, adds the commit of now, writes. Processes that do not
    /// end even when killed are returned: nobody can wait for them.
    pub fn finish(&mut self, spool: &Spool, run: u64, cwd: &Path) -> Vec<u32> {
        let wait = |limit: Duration, begun: Instant| limit.saturating_sub(begun.elapsed());
        if let Some(git) = &mut self.git {
            git.wait(wait(PATIENCE, self.begun));
            self.take_git(spool, run);
        }
        if let Some(python) = &mut self.python {
            python.wait(wait(PATIENCE, self.begun));
            self.take_python();
        }
        let (told, abandoned) = self.gpus.finish(GPU_PATIENCE);
        if let Some(told) = told {
            merge(&mut self.json, told);
        }
        if self.json.get("git").is_some_and(|git| git.get("tree").is_none())
            && let (Some(head), Value::Map(members)) = (git::head(cwd), &mut self.json)
            && let Some((_, git)) = members.iter_mut().find(|(key, _)| key == "git")
        {
            git.set("commit_at_end", head);
        }
        self.write(spool, run);
        abandoned
    }

    /// Whether no process of its own is left.
    pub fn is_settled(&self) -> bool {
        self.git.is_none() && !self.gpus.is_asking() && self.python.is_none()
    }

    fn take_git(&mut self, spool: &Spool, run: u64) {
        let Some(git) = self.git.take() else { return };
        let (facts, patch) = git.finish(self.git_late);
        self.json.set("git", facts);
        if let Some(patch) = patch.filter(|patch| !patch.is_empty()) {
            let path = spool.run_dir(run).join("code.patch");
            if let Err(err) = files::put(&spool.dir().join("tmp"), &path, &patch, false)
                && let Value::Map(members) = &mut self.json
                && let Some((_, git)) = members.iter_mut().find(|(key, _)| key == "git")
            {
                git.set("patch", err.to_string());
            }
        }
    }

    fn take_python(&mut self) {
        if let Some(python) = self.python.take() {
            self.json.set("python", python::answer(python));
        }
    }

    /// Says which attempt these facts are of.
    pub fn of_attempt(mut self, attempt: i64) -> Facts {
        self.attempt = attempt;
        self
    }

    fn write(&mut self, spool: &Spool, run: u64) {
        let mut whole = json::map([("attempt", Value::from(self.attempt))]);
        merge(&mut whole, self.json.clone());
        let waiting = [("git", self.git.is_some()), ("gpus", self.gpus.is_asking()), ("python", self.python.is_some())];
        for (name, _) in waiting.iter().filter(|(_, waits)| *waits) {
            whole.set(name, json::map([("late", Value::Bool(true))]));
        }
        self.written = true;
        // A full disk must not end a training over a list of versions; result.json will say what is wrong.
        let _ = spool.put_lazily(run, "facts.json", &whole);
    }
}

/// Adds the members of one object to another.
fn merge(into: &mut Value, from: Value) {
    if let Value::Map(members) = from {
        for (key, value) in members {
            into.set(&key, value);
        }
    }
}
