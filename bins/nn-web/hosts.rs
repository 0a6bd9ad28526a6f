//! The hosts: what each does now, by its last sample, and what it did while somebody looked.

use nn::base::json::{self, Value};
use nn::base::sys;
use nn::base::time::Time;
use nn::record::{hosts, room};
use nn::spool::store::Spool;
use nn::spool::waits;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Moments of a host that are kept: an hour of samples.
const MOMENTS: usize = 360;

/// What a host did at one moment: parts of all its processors, memory, GPUs.
#[derive(Clone, Copy)]
struct Moment {
    t: Time,
    cpu: Option<f64>,
    ram: Option<f64>,
    gpu: Option<f64>,
}

/// What hosts did while somebody looked.
#[derive(Default)]
pub struct Hosts(Mutex<BTreeMap<String, VecDeque<Moment>>>);

impl Hosts {
    /// All hosts as JSON.
    pub fn tell(&self, spool: &Spool) -> Value {
        let workers = waits::at_work(spool).unwrap_or_default();
        let samples = hosts::samples(spool.dir());
        let mut past = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        past.retain(|name, _| samples.iter().any(|sample| sample.str("host") == Some(name)));
        let mut told: Vec<Value> = Vec::new();
        for sample in &samples {
            let Some(name) = sample.str("host") else { continue };
            let moments = past.entry(name.to_string()).or_default();
            remember(moments, sample);
            let mut host = now(sample, workers.iter().filter(|host| *host == name).count());
            host.set("disks", Value::List(disks(spool, sample, name)));
            host.set("history", history(moments));
            told.push(host);
        }
        let silent = |host: &&String| !samples.iter().any(|sample| sample.str("host") == Some(host));
        let mut others: BTreeMap<&str, u64> = BTreeMap::new();
        for host in workers.iter().filter(silent) {
            *others.entry(host).or_default() += 1;
        }
        told.extend(
            others.into_iter().map(|(host, n)| json::map([("host", Value::from(host)), ("workers", n.into())])),
        );
        json::map([("hosts", Value::List(told))])
    }
}

fn remember(moments: &mut VecDeque<Moment>, sample: &Value) {
    let Some(t) = sample.str("t").and_then(Time::parse) else { return };
    if moments.back().is_some_and(|last| last.t.ms() >= t.ms()) {
        return;
    }
    let gpus = sample.list("gpus").unwrap_or_default();
    let busy: Vec<f64> = gpus.iter().filter_map(|gpu| gpu.num("utilisation")).collect();
    let gpu = (!busy.is_empty()).then(|| busy.iter().sum::<f64>() / busy.len() as f64 / 100.0);
    let ram = sample.num("ram").zip(sample.num("ram_available")).map(|(all, free)| (all - free) / all);
    moments.push_back(Moment { t, cpu: cpu(sample), ram, gpu });
    if moments.len() > MOMENTS {
        moments.pop_front();
    }
}

/// The part of all processors that is at work.
fn cpu(sample: &Value) -> Option<f64> {
    let cores = sample.num("cores").filter(|cores| *cores > 0.0)?;
    Some((sample.num("cpu_percent")? / 100.0 / cores).clamp(0.0, 1.0))
}

/// An object of the members that are known.
fn known<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    json::map(members.into_iter().filter_map(|(key, value)| Some((key, value.filter(|v| *v != Value::Null)?))))
}

fn now(sample: &Value, workers: usize) -> Value {
    let copy = |key: &str| sample.get(key).cloned();
    let used = sample.num("ram").zip(sample.num("ram_available")).map(|(all, free)| (all - free).max(0.0) as u64);
    let ram = used.map(|used| known([("used", Some(used.into())), ("total", copy("ram"))]));
    let gpus = sample.list("gpus").unwrap_or_default().iter().map(gpu).collect::<Vec<_>>();
    known([
        ("host", copy("host")),
        ("workers", Some((workers as u64).into())),
        ("seen", copy("t")),
        ("cpu", cpu(sample).map(json::number)),
        ("cpus", copy("cores")),
        ("load", copy("load")),
        ("ram", ram),
        ("gpus", Some(Value::List(gpus))),
    ])
}

fn gpu(gpu: &Value) -> Value {
    let copy = |key: &str| gpu.get(key).cloned();
    known([
        ("index", copy("index")),
        ("name", copy("name")),
        ("util", gpu.num("utilisation").map(|percent| json::number(percent / 100.0))),
        ("used", copy("memory_used")),
        ("total", copy("memory")),
        ("temp", copy("temperature")),
        ("power", copy("power")),
        ("trouble", copy("trouble")),
    ])
}

/// The room on the spool's file system, as the host saw it; how large it is can be told of this host's.
fn disks(spool: &Spool, sample: &Value, name: &str) -> Vec<Value> {
    let free = sample.get("disk_free").filter(|free| **free != Value::Null).cloned();
    let here = (name == sys::host_name()).then(|| room::disk_quick(spool.dir()).ok()).flatten();
    let free = here.as_ref().map(|disk| Value::from(disk.free())).or(free);
    let total = here.as_ref().map(|disk| Value::from(disk.total));
    let path = spool.dir().to_string_lossy().into_owned();
    let disk = free.map(|free| known([("path", Some(path.into())), ("free", Some(free)), ("total", total)]));
    disk.into_iter().collect()
}

fn history(moments: &VecDeque<Moment>) -> Value {
    let column = |pick: fn(&Moment) -> Option<f64>| {
        let values: Vec<Option<f64>> = moments.iter().map(pick).collect();
        let number = |value: Option<f64>| json::number(value.unwrap_or(f64::NAN));
        values.iter().any(Option::is_some).then(|| Value::List(values.into_iter().map(number).collect()))
    };
    let times = moments.iter().map(|moment| json::number(moment.t.ms() as f64 / 1000.0)).collect();
    known([
        ("t", Some(Value::List(times))),
        ("cpu", column(|moment| moment.cpu)),
        ("ram", column(|moment| moment.ram)),
        ("gpu", column(|moment| moment.gpu)),
    ])
}
