//! hosts: who works on this spool: each host with its workers, its runs, what it has free, and when it was last heard of.
//!
//! All of it is read from hosts/ and running/: heartbeats (hosts/OWNER, one that has a waits.json beside it is a worker's),
//! samples (hosts/HOST.json), tokens. For people and scripts that choose a host; ages are told by file times, and decide
//! nothing: spool/recover does, by its own observation.

use nn::base::args::Args;
use nn::base::cli::{Exit, Out};
use nn::base::error::Result;
use nn::base::files;
use nn::base::json::Value;
use nn::base::table::{Cell, Format, Table};
use nn::base::time::show_duration;
use nn::base::units::show_size;
use nn::spool::needs::Placed;
use nn::spool::owner::{Life, Owner};
use nn::spool::recover::LEASE;
use nn::spool::state::{Folder, State};
use nn::spool::store::Spool;
use nn::spool::waits;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::time::Duration;

/// A sample that is older says nothing of now.
const STALE: Duration = Duration::from_secs(180);
/// Memory in use on a GPU up to which nobody works there: a driver keeps some.
const IDLE_MEMORY: f64 = 0.1;

const HEADINGS: [&str; 12] =
    ["host", "workers", "runs", "gpus_free", "gpus", "ram_free", "ram", "disk_free", "load", "cores", "heard", "note"];

/// One host as it is shown.
#[derive(Default)]
struct Row {
    workers: u32,
    runs: u32,
    /// Owners that are silent, or dead
    silent: u32,
    dead: u32,
    /// Since the last sign of life
    heard: Option<Duration>,
    /// UUIDs of GPUs that its runs were given
    given: HashSet<String>,
    sample: Option<Value>,
}

impl Row {
    fn hear(&mut self, age: Option<Duration>) {
        self.heard = [self.heard, age].into_iter().flatten().min();
    }

    /// Notes an owner; whether it lives, as far as is known.
    fn meet(&mut self, owner: &Owner, heard: Option<Duration>) -> bool {
        self.hear(heard);
        match owner.life() {
            Life::Alive => {
                self.hear(Some(Duration::ZERO));
                return true;
            }
            Life::Dead => self.dead += 1,
            Life::Unknown | Life::Rebooted if heard.is_some_and(|age| age < LEASE) => return true,
            Life::Unknown | Life::Rebooted => self.silent += 1,
        }
        false
    }

    fn note(&self) -> String {
        if self.silent > 0 && self.heard.is_none_or(|age| age >= LEASE) {
            return match self.heard {
                Some(age) => format!("silent for {}", show_duration(Duration::from_secs(age.as_secs()))),
                None => "no sign of life".into(),
            };
        }
        let count = |n: u32, what: &str| (n > 0).then(|| format!("{n} {what}"));
        let parts = [count(self.silent, "silent"), count(self.dead, "dead: nn-queue recover")];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    fn gpus(&self) -> Option<(u32, u32)> {
        let gpus = self.sample.as_ref()?.list("gpus")?;
        let is_free = |gpu: &&Value| {
            let used = gpu.num("memory_used").unwrap_or(0.0);
            let given = gpu.str("uuid").is_some_and(|uuid| self.given.contains(uuid));
            !given && gpu.num("memory").is_none_or(|all| used <= all * IDLE_MEMORY)
        };
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Some((count(gpus.iter().filter(is_free).count()), count(gpus.len())))
    }

    fn cells(&self, host: &str) -> Vec<Cell> {
        let sample = self.sample.as_ref();
        let size = |key: &str| {
            let bytes = sample.and_then(|sample| u64::try_from(sample.int(key)?).ok());
            bytes.map_or_else(Cell::empty, |bytes| Cell::shown(Value::from(bytes), show_size(bytes)))
        };
        let gpus = self.gpus();
        let load = sample.and_then(|sample| sample.list("load")?.first()?.as_num());
        let heard = self.heard.map(|age| Duration::from_secs(age.as_secs()));
        let note = self.note();
        vec![
            host.into(),
            self.workers.into(),
            self.runs.into(),
            gpus.map_or_else(Cell::empty, |(free, _)| free.into()),
            gpus.map_or_else(Cell::empty, |(_, all)| all.into()),
            size("ram_available"),
            size("ram"),
            size("disk_free"),
            load.map_or_else(Cell::empty, Cell::from),
            sample.and_then(|sample| sample.int("cores")).map_or_else(Cell::empty, Cell::from),
            heard.map_or_else(Cell::empty, |age| Cell::shown(age.as_secs(), show_duration(age))),
            if note.is_empty() { Cell::empty() } else { note.into() },
        ]
    }
}

/// Shows the hosts.
pub fn hosts(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let mut json = false;
    while let Some(arg) = args.next()? {
        match arg {
            nn::base::args::Arg::Long(name) if name == "json" => json = true,
            arg => return Err(arg.unexpected()),
        }
    }
    let spool = Spool::find()?;
    let mut table = Table::new(&HEADINGS);
    for (host, row) in rows(&spool)? {
        table.row(row.cells(&host));
    }
    let format = if json { Format::Json } else { Format::detect(out) };
    table.print(out, format)?;
    Ok(Exit::DONE)
}

fn rows(spool: &Spool) -> Result<BTreeMap<String, Row>> {
    let dir = spool.dir().join("hosts");
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    let names = files::names(&dir)?;
    let names: Vec<&str> = names.iter().filter_map(|name| name.to_str()).collect();
    // A dead one that holds something is met in running/.
    let workers = names.iter().filter_map(|name| waits::worker(name)).filter(|worker| worker.life() != Life::Dead);
    for worker in workers {
        let heard = age(&dir.join(worker.to_string()));
        let row = rows.entry(worker.host.clone()).or_default();
        row.workers += u32::from(row.meet(&worker, heard));
    }
    for token in spool.tokens(Folder::Running)? {
        let (worker, owner) = match &token.state {
            State::Claimed(worker) => (worker, worker),
            State::Started(worker, runner) => (worker, runner),
            _ => continue,
        };
        let row = rows.entry(owner.host.clone()).or_default();
        row.runs += u32::from(matches!(token.state, State::Started(..)));
        let beats =
            [dir.join(owner.to_string()), dir.join(worker.to_string()), spool.run_dir(token.run).join("attempt.json")];
        row.meet(owner, beats.iter().filter_map(|path| age(path)).min());
        row.given
            .extend(Placed::read(spool, token.run, token.generation).map(|placed| placed.gpus).unwrap_or_default());
    }
    let is_sample = |name: &&str| !name.ends_with(".facts.json") && waits::worker(name).is_none();
    for (name, host) in
        names.iter().filter(|n| is_sample(n)).filter_map(|name| Some((name, name.strip_suffix(".json")?)))
    {
        let Some(age) = age(&dir.join(name)).filter(|age| *age < STALE) else { continue };
        let Ok(sample) = Value::parse(&std::fs::read_to_string(dir.join(name)).unwrap_or_default()) else { continue };
        let row = rows.entry(host.to_string()).or_default();
        row.hear(Some(age));
        row.sample = Some(sample);
    }
    Ok(rows)
}

/// A clock that is behind makes a sign of life look like one of the future.
fn age(path: &Path) -> Option<Duration> {
    Some(std::fs::metadata(path).ok()?.modified().ok()?.elapsed().unwrap_or_default())
}
