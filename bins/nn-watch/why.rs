//! why RUN: what the time of a run goes into, from its samples (resources.jsonl): the GPU, one processor core, all cores,
//! the disk, memory that runs out, or waiting; the evidence beside it. Medians over the last samples, so that a pause for
//! validation or a checkpoint says nothing.

use crate::Opts;
use nn::base::cli::{Exit, Out};
use nn::base::error::{Error, Result};
use nn::base::files;
use nn::base::json::Value;
use nn::base::time::{Time, show_duration};
use nn::base::units::show_size;
use nn::spool::select::select_one;
use nn::spool::store::Spool;
use std::time::Duration;

/// Samples that are looked at: ten minutes of them.
const SAMPLES: usize = 60;
/// A GPU that works so much of the time is what the run waits for, per cent.
const GPU_BUSY: f64 = 80.0;
/// One that works less waits for something else.
const GPU_IDLE: f64 = 30.0;
/// A core that is used so much is full.
const CORE_FULL: f64 = 85.0;
/// Below this the processes mostly wait.
const CPU_IDLE: f64 = 15.0;
/// Traffic of a disk that may hold something up, bytes a second.
const BUSY_DISK: f64 = 20e6;
/// Memory of the host that is left when it is scarce, a part.
const SCARCE: f64 = 0.05;

/// What was measured, medians.
#[derive(Debug, Default, PartialEq)]
struct Measured {
    samples: usize,
    span: Duration,
    cpu: Option<f64>,
    gpu: Option<f64>,
    threads: Option<f64>,
    /// Bytes a second
    disk: Option<f64>,
    rss: Option<f64>,
    /// Part of the host's memory that is left, and its cores, when the host could be asked
    ram_left: Option<f64>,
    cores: Option<f64>,
}

/// Says it.
///
/// # Errors
/// There is no such run, or it has no samples.
pub fn explain(opts: Opts, out: &mut Out) -> Result<Exit> {
    let [_, run] = opts.runs.as_slice() else { return Err(Error::usage("why: which run? One is wanted")) };
    let spool = Spool::find()?;
    let run = select_one(&spool, &run.to_string_lossy())?;
    let path = spool.run_dir(run).join("resources.jsonl");
    let text = files::read_text_if_any(&path)?.unwrap_or_default();
    let samples: Vec<Value> = text.lines().filter_map(|line| Value::parse(line).ok()).collect();
    let last = samples.get(samples.len().saturating_sub(SAMPLES)..).unwrap_or_default();
    if last.len() < 2 {
        return Err(Error::other(format!("run {run} has too few samples yet: the first comes after ten seconds")));
    }
    let host = spool.read(run, "attempt.json").ok().flatten().and_then(|a| a.str("host").map(String::from));
    let sample = host.and_then(|host| {
        let path = spool.dir().join("hosts").join(format!("{host}.json"));
        Value::parse(&files::read_text(path).ok()?).ok()
    });
    let measured = measure(last, sample.as_ref());
    writeln!(out, "run {run}: {}", verdict(&measured))?;
    for line in evidence(&measured) {
        writeln!(out, "  {line}")?;
    }
    Ok(Exit::DONE)
}

fn measure(samples: &[Value], host: Option<&Value>) -> Measured {
    let of = |key: &'static str| median(samples.iter().filter_map(|sample| sample.num(key)).collect());
    let gpu = |sample: &Value| {
        let gpus = sample.list("gpus")?.iter().filter_map(|gpu| gpu.num("utilisation"));
        gpus.reduce(f64::max)
    };
    let time = |sample: &Value| sample.str("t").and_then(Time::parse);
    let traffic = |sample: &Value| Some(sample.num("read")? + sample.num("written")?);
    let rates = samples.windows(2).filter_map(|pair| {
        let seconds = time(pair.get(1)?)?.since(time(pair.first()?)?).as_secs_f64();
        Some((traffic(pair.get(1)?)? - traffic(pair.first()?)?).max(0.0) / seconds).filter(|_| seconds > 0.0)
    });
    let ends = samples.first().and_then(time).zip(samples.last().and_then(time));
    Measured {
        samples: samples.len(),
        span: ends.map(|(first, last)| last.since(first)).unwrap_or_default(),
        cpu: of("cpu_percent"),
        gpu: median(samples.iter().filter_map(gpu).collect()),
        threads: of("threads"),
        disk: median(rates.collect()),
        rss: of("rss"),
        ram_left: host.and_then(|host| Some(host.num("ram_available")? / host.num("ram").filter(|all| *all > 0.0)?)),
        cores: host.and_then(|host| host.num("cores")),
    }
}

fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied()
}

/// What it is bound by, and what may help.
fn verdict(m: &Measured) -> &'static str {
    let above = |value: Option<f64>, limit: f64| value.is_some_and(|value| value >= limit);
    let below = |value: Option<f64>, limit: f64| value.is_some_and(|value| value < limit);
    let all_cores = m.cores.map(|cores| cores * CORE_FULL);
    let gpu_waits = below(m.gpu, GPU_IDLE);
    match () {
        () if below(m.ram_left, SCARCE) => "memory-bound: the host has next to none left, and may be swapping",
        () if above(m.gpu, GPU_BUSY) => "GPU-bound: the GPU works nearly all the time, as it should",
        () if above(m.disk, BUSY_DISK) && below(m.cpu, CORE_FULL) => {
            "I/O-bound: it reads and writes a lot, and its processors wait meanwhile"
        }
        () if all_cores.is_some_and(|all| above(m.cpu, all)) && gpu_waits => {
            "CPU-bound: all cores work, and the GPU waits for them"
        }
        () if all_cores.is_some_and(|all| above(m.cpu, all)) => "CPU-bound: all cores work",
        () if above(m.cpu, CORE_FULL) && gpu_waits => {
            "CPU-bound: about one core works while the GPU waits, as when data are loaded or prepared in one process"
        }
        () if above(m.cpu, CORE_FULL) => "CPU-bound: it works without a pause on the cores it uses",
        () if below(m.cpu, CPU_IDLE) => "waiting: it hardly works; for the network, a lock, sleep, or other processes",
        () => "bound by nothing in particular: part of the time it works, part it waits",
    }
}

fn evidence(m: &Measured) -> Vec<String> {
    let percent = |what: &str, value: Option<f64>| value.map(|value| format!("{what} {value:.0} %"));
    let size = |value: f64| show_size(value.max(0.0) as u64);
    let cores = m.cores.map(|cores| format!(" of {:.0} %", cores * 100.0)).unwrap_or_default();
    let lines = [
        percent("cpu", m.cpu).map(|line| line + &cores),
        percent("GPU", m.gpu),
        m.disk.map(|rate| format!("disk {} a second", size(rate))),
        m.rss.map(|rss| format!("memory {}", size(rss))),
        m.ram_left.map(|left| format!("memory of the host: {:.0} % left", left * 100.0)),
        m.threads.map(|threads| format!("threads {threads:.0}")),
        Some(format!("medians of {} samples over {}", m.samples, show_duration(m.span))),
    ];
    lines.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(lines: &[&str]) -> Vec<Value> {
        lines.iter().map(|line| Value::parse(line).unwrap()).collect()
    }

    #[test]
    fn measured_and_judged() {
        let lines = samples(&[
            r#"{"t":"2026-01-01T00:00:00Z","cpu_percent":99,"read":0,"written":0,"rss":1000,"threads":4,"gpus":[{"utilisation":10}]}"#,
            r#"{"t":"2026-01-01T00:00:10Z","cpu_percent":97,"read":1000,"written":0,"rss":1000,"threads":4,"gpus":[{"utilisation":5}]}"#,
            r#"{"t":"2026-01-01T00:00:20Z","cpu_percent":98,"read":2000,"written":0,"rss":1000,"threads":4}"#,
        ]);
        let host = Value::parse(r#"{"cores":8,"ram":100,"ram_available":50}"#).unwrap();
        let m = measure(&lines, Some(&host));
        assert_eq!((m.cpu, m.gpu, m.disk, m.ram_left), (Some(98.0), Some(10.0), Some(100.0), Some(0.5)));
        assert!(verdict(&m).contains("one core works while the GPU waits"), "{m:?}");
        for (m, word) in [
            (Measured { gpu: Some(95.0), ..Measured::default() }, "GPU-bound"),
            (Measured { cpu: Some(790.0), cores: Some(8.0), ..Measured::default() }, "all cores work"),
            (Measured { cpu: Some(30.0), disk: Some(1e8), ..Measured::default() }, "I/O-bound"),
            (Measured { cpu: Some(3.0), ..Measured::default() }, "waiting"),
            (Measured { ram_left: Some(0.01), gpu: Some(99.0), ..Measured::default() }, "memory-bound"),
            (Measured { cpu: Some(50.0), ..Measured::default() }, "nothing in particular"),
        ] {
            assert!(verdict(&m).contains(word), "{m:?}: {}", verdict(&m));
        }
    }
}
