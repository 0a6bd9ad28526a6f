//! What the host as a whole does: processor time out of /proc/stat, load, memory, GPUs.

use crate::base::json::{self, Value};
use crate::base::sys;
use crate::base::time::Time;
use crate::record::gpu::Gpu;

/// Processor time at the sample before.
#[derive(Debug, Default)]
pub struct Before {
    at: Option<(f64, u64)>,
}

/// This boot, as the kernel names it.
pub fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_string()
}

impl Before {
    /// hosts/HOST.json but for GPUs and runs; `now` is in seconds since boot.
    pub fn describe(&mut self, now: f64) -> Value {
        let busy = busy_ticks(&std::fs::read_to_string("/proc/stat").unwrap_or_default());
        let before = std::mem::replace(&mut self.at, busy.map(|busy| (now, busy)));
        let percent = before.zip(busy).filter(|((at, _), _)| now > *at).map(|((at, before), busy)| {
            let seconds = busy.saturating_sub(before) as f64 / sys::clock_ticks() as f64;
            json::number((seconds / (now - at) * 10_000.0).round() / 100.0)
        });
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load: Vec<Value> =
            load.split_whitespace().take(3).filter_map(|n| n.parse().ok()).map(json::number).collect();
        let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        json::map([
            ("host", Value::from(sys::host_name())),
            ("boot", boot_id().into()),
            ("uptime", json::number((now * 1000.0).round() / 1000.0)),
            ("t", Time::now().into()),
            ("sampler", std::process::id().into()),
            ("cores", std::thread::available_parallelism().ok().map(|n| n.get() as u64).into()),
            ("cpu_percent", percent.into()),
            ("load", load.into()),
            ("ram", kib(&memory, "MemTotal:").into()),
            ("ram_available", kib(&memory, "MemAvailable:").into()),
        ])
    }
}

/// Ticks that processors have worked: the first line of /proc/stat without idle and waiting for disks. Guests are
/// counted in user time already.
fn busy_ticks(stat: &str) -> Option<u64> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let fields: Vec<u64> = line.split_whitespace().filter_map(|field| field.parse().ok()).collect();
    let [user, nice, system, _idle, _waiting, rest @ ..] = fields.as_slice() else { return None };
    Some(rest.iter().take(3).chain([user, nice, system]).fold(0u64, |sum, n| sum.saturating_add(*n)))
}

fn kib(meminfo: &str, name: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib.saturating_mul(1024))
}

/// A GPU in hosts/HOST.json.
pub fn gpu(gpu: &Gpu) -> Value {
    json::map([
        ("index", Value::from(gpu.index.map(u64::from))),
        ("uuid", gpu.uuid.as_str().into()),
        ("name", gpu.name.as_str().into()),
        ("memory", gpu.memory_total.into()),
        ("memory_used", gpu.memory_used.into()),
        ("utilisation", gpu.utilisation.map(json::number).into()),
        ("temperature", gpu.temperature.map(json::number).into()),
        ("power", gpu.power.map(json::number).into()),
        ("trouble", gpu.trouble.as_deref().into()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_need_two_samples() {
        assert_eq!(busy_ticks("cpu  10 1 5 1000 7 2 3 4 99 0\ncpu0 1\n"), Some(25));
        assert_eq!(busy_ticks("cpu0 1"), None);
        let mut before = Before::default();
        assert_eq!(before.describe(10.0).get("cpu_percent"), Some(&Value::Null));
        let second = before.describe(20.0);
        assert!(second.num("cpu_percent").is_some_and(|p| p >= 0.0));
        assert!(second.int("ram").is_some() && second.list("load").is_some_and(|load| load.len() == 3));
        // A time that stands still gives no rate.
        assert_eq!(before.describe(20.0).get("cpu_percent"), Some(&Value::Null));
    }
}
