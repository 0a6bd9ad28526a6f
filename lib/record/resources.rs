//! What runs use while they run: runs/N/resources.jsonl, and hosts/HOST.json for the host.
//!
//! One sampler a host serves all: of the nn-run processes on a host whoever holds the role (base/role) reads /proc once
//! for all runs and replaces hosts/HOST.json; the others read that file. Each writes the line of its own run. The role
//! dies with its holder, and at the next tick another takes it. Who finds no line for his run in the file (two
//! containers with one host name, a holder that hangs) looks himself.
//!
//! Times between samples are those since boot: a clock that is set changes no rate. Reading /proc may take 1/1000 of a
//! core, asking for GPUs 1/500; where that is not enough, samples are taken less often.

mod host;
mod proc;

use crate::base::files;
use crate::base::json::{self, Value};
use crate::base::role::Role;
use crate::base::sys;
use crate::base::time::{Time, since_boot};
use crate::record::gpu::{Look, Looker, Unseen};
use crate::record::room;
use crate::spool::owner::Owner;
use crate::spool::state::{Folder, State};
use crate::spool::store::Spool;
use proc::{Processes, Scanner, Stat, Use};
use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Time between samples unless `resources.every` says otherwise.
pub const EVERY: Duration = Duration::from_secs(10);
/// Reading /proc may take one part in so many of a core's time.
const SCAN_SHARE: u32 = 1000;
/// Samples are this many times rarer at most.
const RARER: u32 = 6;
/// Time between two looks at the GPUs, at least.
const GPU_EVERY: Duration = Duration::from_secs(60);
/// Asking for them may take one part in so many of the time.
const GPU_SHARE: u32 = 500;
/// Shared memory is told apart once in so many samples,
const PSS_EVERY: u32 = 6;
/// of trees up to this size, bytes: the kernel walks all their pages.
const PSS_MOST: u64 = 512 << 20;

/// What is known from the sample before.
#[derive(Clone, Copy, Debug, Default)]
struct Past {
    /// Since boot, seconds
    at: f64,
    used: f64,
    io: (u64, u64),
}

/// Takes samples for one run, and for all of the host while it holds the role.
pub struct Sampler {
    run: u64,
    path: PathBuf,
    name: String,
    every: Duration,
    role: Option<Role>,
    scanner: Scanner,
    past: HashMap<u64, Past>,
    host: host::Before,
    looker: Option<Looker>,
    /// The host's GPUs as seen last
    gpus: Vec<Value>,
    /// Since boot: of the last line, seconds
    last: f64,
    rss_peak: u64,
    round: u32,
}

impl Sampler {
    /// For a run of this process.
    pub fn new(spool: &Spool, run: u64, me: &Owner, every: Duration) -> Sampler {
        let path = spool.dir().join("hosts").join(format!("{}.json", me.host));
        // Of this spool and this pid namespace: of others nothing can be seen.
        let place = std::fs::metadata(spool.dir()).map(|meta| (meta.dev(), meta.ino())).unwrap_or_default();
        let name = format!("nn-sampler,{},{},{},{}", place.0, place.1, me.namespace, sys::effective_user_id());
        Sampler {
            run,
            path,
            name,
            every,
            role: None,
            scanner: Scanner::default(),
            past: HashMap::new(),
            host: host::Before::default(),
            looker: Some(Looker::new()).filter(Looker::has_source),
            gpus: Vec::new(),
            last: 0.0,
            rss_peak: 0,
            round: 0,
        }
    }

    /// Whether a question about GPUs is on its way: this process may have a child that is not the command's.
    pub fn is_asking(&self) -> bool {
        self.looker.as_ref().is_some_and(Looker::is_asking)
    }

    /// Stops; processes of its own that did not end even when killed are returned.
    pub fn end(mut self) -> Vec<u32> {
        self.looker.as_mut().map(Looker::abandon).unwrap_or_default()
    }

    /// The host's GPUs as they were seen last, as in hosts/HOST.json; none when nobody looked.
    pub fn gpus(&self) -> &[Value] {
        &self.gpus
    }

    /// Takes a sample: the line to append to resources.jsonl, if there is one, and the time until the next.
    pub fn tick(&mut self, spool: &Spool) -> (Option<Value>, Duration) {
        let Some(now) = since_boot().map(|time| time.as_secs_f64()) else { return (None, self.every * RARER) };
        if self.role.is_none() {
            self.role = Role::take(&self.name).unwrap_or(None);
            if self.role.is_some() {
                self.inherit(now);
            }
        }
        let begun = sys::thread_time();
        let line = if self.role.is_some() {
            self.of_host(spool, now)
        } else {
            self.by_another(now).or_else(|| self.of_own(spool, now))
        };
        // Who asks for more than usual has chosen what it costs.
        let rarest = if self.every < EVERY { self.every } else { self.every * RARER };
        let pause = (sys::thread_time().saturating_sub(begun) * SCAN_SHARE).clamp(self.every, rarest);
        (line.map(|line| self.finished(line, now)), pause)
    }

    /// Adds what only this process knows of its run.
    fn finished(&mut self, mut line: Value, now: f64) -> Value {
        self.last = now;
        let rss = line.int("rss").and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
        self.rss_peak = self.rss_peak.max(rss);
        line.set("rss_peak", self.rss_peak);
        line
    }

    /// What the holder before knew.
    fn inherit(&mut self, now: f64) {
        let Some((at, file)) = self.read() else { return };
        let runs = file.get("runs").and_then(Value::as_map).unwrap_or_default();
        for (run, line) in runs {
            let used = line.num("cpu").filter(|_| at <= now);
            let io = |key: &str| line.int(key).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
            if let (Ok(run), Some(used)) = (run.parse(), used) {
                self.past.insert(run, Past { at, used, io: (io("read"), io("written")) });
            }
        }
    }

    /// hosts/HOST.json of this boot, and when it was written.
    fn read(&self) -> Option<(f64, Value)> {
        let file = Value::parse(&std::fs::read_to_string(&self.path).ok()?).ok()?;
        let this_boot = file.str("boot") == Some(&host::boot_id());
        Some((file.num("uptime").filter(|_| this_boot)?, file))
    }

    /// The line another sampler made for this run since the last time.
    fn by_another(&mut self, now: f64) -> Option<Value> {
        let (at, file) = self.read()?;
        let fresh = at > self.last && at <= now && now - at <= (self.every * RARER).as_secs_f64();
        let line = file.get("runs").and_then(|runs| runs.get(&self.run.to_string())).filter(|_| fresh).cloned()?;
        self.gpus = file.list("gpus").unwrap_or_default().to_vec();
        Some(line)
    }

    /// This run alone.
    fn of_own(&mut self, spool: &Spool, now: f64) -> Option<Value> {
        // The holder may merely be a little later than this process.
        if self.last > 0.0 && now - self.last < (self.every * 2).as_secs_f64() {
            return None;
        }
        let all = self.scanner.scan();
        self.round = self.round.wrapping_add(1);
        let tree = tree(&all, spool, self.run, std::process::id());
        (!tree.is_empty()).then(|| self.line(self.run, &tree, None, now))
    }

    /// All runs of this host, and the host.
    fn of_host(&mut self, spool: &Spool, now: f64) -> Option<Value> {
        let gpus = self.look_at_gpus();
        let all = self.scanner.scan();
        let mut runs = Vec::new();
        let mut tokens = spool.tokens(Folder::Running).unwrap_or_default();
        tokens.sort_by_key(|token| token.run);
        for token in tokens {
            let State::Started(_, runner) = &token.state else { continue };
            if !runner.is_here() {
                continue;
            }
            let tree = tree(&all, spool, token.run, runner.pid);
            if !tree.is_empty() {
                runs.push((token.run, self.line(token.run, &tree, gpus.as_deref(), now)));
            }
        }
        self.past.retain(|run, _| runs.iter().any(|(open, _)| open == run));
        self.round = self.round.wrapping_add(1);
        let own = runs.iter().find(|(run, _)| *run == self.run).map(|(_, line)| line.clone());
        self.write(spool, now, gpus.as_deref(), runs);
        own
    }

    fn write(&mut self, spool: &Spool, now: f64, gpus: Option<&Look>, runs: Vec<(u64, Value)>) {
        let mut file = self.host.describe(now);
        file.set("disk_free", room::disk_quick(spool.dir()).ok().map(|disk| disk.free()));
        self.gpus = gpus.iter().flat_map(|look| look.gpus.iter().map(host::gpu)).collect();
        if gpus.is_some() {
            file.set("gpus", self.gpus.clone());
        }
        file.set("runs", json::map(runs.into_iter().map(|(run, line)| (run.to_string(), line))));
        // Lost, refused, overwritten by a container of the same name: it is only of help.
        let _ = files::put(&spool.dir().join("tmp"), &self.path, format!("{file}\n").as_bytes(), false);
    }

    /// GPUs and who uses them, as seen last.
    fn look_at_gpus(&mut self) -> Option<Arc<Look>> {
        let looker = self.looker.as_mut()?;
        let oldest = (looker.took() * GPU_SHARE).max(GPU_EVERY);
        match looker.look(oldest, Duration::ZERO) {
            Ok(look) if look.gpus.is_empty() => {
                self.looker = None;
                None
            }
            Ok(look) => Some(look),
            Err(Unseen::Asked) => looker.last().cloned(),
            Err(Unseen::Failed(_)) => None,
        }
    }

    fn line(&mut self, run: u64, tree: &[&Stat], look: Option<&Look>, now: f64) -> Value {
        let mut used = proc::measure(tree);
        let past = self.past.get(&run).copied();
        keep_growing(&mut used, past);
        let percent = past.filter(|past| now > past.at).map(|past| (used.cpu - past.used) / (now - past.at) * 100.0);
        self.past.insert(run, Past { at: now, used: used.cpu, io: used.io.unwrap_or_default() });
        let wants_pss = tree.len() > 1 && used.rss <= PSS_MOST && self.round.is_multiple_of(PSS_EVERY);
        let pss = if wants_pss { proc::proportional(tree) } else { None };
        let hundredths = |x: f64| json::number((x * 100.0).round() / 100.0);
        let mut line = json::map([("t", Value::from(Time::now())), ("cpu", hundredths(used.cpu))]);
        let members = [
            ("cpu_percent", percent.map(hundredths)),
            ("rss", Some(used.rss.into())),
            ("pss", pss.map(Value::from)),
            ("read", used.io.map(|(read, _)| read.into())),
            ("written", used.io.map(|(_, written)| written.into())),
            ("threads", Some(used.threads.into())),
            ("files", used.files.map(Value::from)),
            ("processes", Some(used.processes.into())),
            ("gpus", look.map(|look| on_gpus(tree, look)).filter(|gpus| gpus.as_list() != Some(&[]))),
        ];
        for (key, value) in members {
            if let Some(value) = value {
                line.set(key, value);
            }
        }
        line
    }
}

/// Tells of a host where a worker has nothing to do, so that hosts can be compared: hosts/HOST.json without rates and runs,
/// unless a sampler is at work, or the file is young.
pub fn tell_of_idle_host(spool: &Spool, me: &Owner, gpus: Option<&Look>) {
    let mut sampler = Sampler::new(spool, 0, me, EVERY);
    let age = std::fs::metadata(&sampler.path).and_then(|meta| meta.modified()).ok().and_then(|at| at.elapsed().ok());
    if age.is_some_and(|age| age < EVERY) {
        return;
    }
    sampler.role = Role::take(&sampler.name).unwrap_or(None);
    if let (Some(_), Some(now)) = (&sampler.role, since_boot()) {
        sampler.write(spool, now.as_secs_f64(), gpus, Vec::new());
    }
}

/// Processes that end unseen take what they used with them: the sums never shrink for it.
fn keep_growing(used: &mut Use, past: Option<Past>) {
    let Some(past) = past else { return };
    used.cpu = used.cpu.max(past.used);
    used.io = used.io.map(|(read, written)| (read.max(past.io.0), written.max(past.io.1)));
}

/// The processes of a run: below its runner, else those of the command that attempt.json names.
fn tree<'a>(all: &'a Processes, spool: &Spool, run: u64, runner: u32) -> Vec<&'a Stat> {
    let below = all.below(runner);
    if !below.is_empty() {
        return below;
    }
    let attempt = spool.read(run, "attempt.json").ok().flatten().unwrap_or(Value::Null);
    let pid = attempt.int("pid").and_then(|pid| u32::try_from(pid).ok());
    let start = attempt.int("start").and_then(|start| u64::try_from(start).ok());
    pid.zip(start).map(|(pid, start)| all.command(pid, start)).unwrap_or_default()
}

/// The GPUs these processes compute on: memory of theirs, and how busy the GPU is with whatever.
fn on_gpus(tree: &[&Stat], look: &Look) -> Value {
    let is_ours = |pid: Option<u32>| pid.is_some_and(|pid| tree.iter().any(|stat| stat.pid == pid));
    let mut found = Vec::new();
    for gpu in &look.gpus {
        let mut ours = look.processes.iter().filter(|p| p.gpu == gpu.uuid && is_ours(p.pid)).peekable();
        if ours.peek().is_some() {
            let memory = ours.map(|process| process.memory).sum::<Option<u64>>();
            found.push(json::map([
                ("uuid", Value::from(gpu.uuid.as_str())),
                ("memory", memory.into()),
                ("utilisation", gpu.utilisation.map(json::number).into()),
            ]));
        }
    }
    Value::List(found)
}

#[cfg(test)]
mod tests;
