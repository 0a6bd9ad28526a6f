//! The hosts that run something, by hosts/HOST.json: processors, memory, GPUs; and the room on the spool's file system.

use nn::base::json::Value;
use nn::base::units::show_size;
use nn::record::{hosts, room};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Between two looks: samples come every ten seconds.
const EVERY: Duration = Duration::from_secs(5);

/// The hosts, as last seen.
pub struct Hosts {
    spool: PathBuf,
    at: Option<Instant>,
    pub samples: Vec<Value>,
}

impl Hosts {
    /// Of a spool; nothing read yet.
    pub fn new(spool: &Path) -> Hosts {
        Hosts { spool: spool.to_path_buf(), at: None, samples: Vec::new() }
    }

    /// Reads the samples again when it is time.
    pub fn look(&mut self) {
        if self.at.is_some_and(|at| at.elapsed() < EVERY) {
            return;
        }
        self.at = Some(Instant::now());
        self.samples = hosts::samples(&self.spool);
    }

    /// A line a host, a line for each of its GPUs, and the room in the spool.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.samples.iter().flat_map(host).collect();
        if let Some(free) = room::disk_quick(&self.spool).ok().map(|disk| disk.free()) {
            lines.push(format!("spool  {} free", show_size(free)));
        }
        lines
    }
}

fn host(sample: &Value) -> Vec<String> {
    let size = |key: &str| sample.int(key).and_then(|n| u64::try_from(n).ok());
    let mut parts = Vec::new();
    if let Some(percent) = sample.num("cpu_percent") {
        let cores = sample.int("cores").unwrap_or(1).max(1) as f64;
        parts.push(format!("cpu {:.0} %", percent / cores));
    }
    if let (Some(all), Some(free)) = (size("ram"), size("ram_available")) {
        parts.push(format!("ram {} of {}", show_size(all.saturating_sub(free)), show_size(all)));
    }
    if let Some(load) = sample.list("load").and_then(|load| load.first()?.as_num()) {
        parts.push(format!("load {load:.1}"));
    }
    let mut lines = vec![format!("{}  {}", sample.str("host").unwrap_or("?"), parts.join("  "))];
    lines.extend(sample.list("gpus").unwrap_or_default().iter().map(gpu));
    lines
}

fn gpu(gpu: &Value) -> String {
    let size = |key: &str| gpu.int(key).and_then(|n| u64::try_from(n).ok()).map(show_size);
    let mut line = format!("  gpu {}", gpu.get("index").map(Value::plain).unwrap_or_else(|| "?".into()));
    if let Some(percent) = gpu.num("utilisation") {
        line += &format!("  {percent:.0} %");
    }
    if let (Some(used), Some(all)) = (size("memory_used"), size("memory")) {
        line += &format!("  {used} of {all}");
    }
    if let Some(degrees) = gpu.num("temperature") {
        line += &format!("  {degrees:.0} °C");
    }
    format!("{line}  {}", gpu.str("name").unwrap_or_default())
}
