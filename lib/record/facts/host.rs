//! What /proc and the environment tell at once: host, limits, modules, the scheduler's variables, and those variables of
//! the environment that change results or speed. By allow-list; values whose names look like secrets are never written.

use crate::base::json::{self, Value};
use crate::base::sys;
use crate::base::text::cut;
use std::ffi::OsString;
use std::io::Read;

/// Variables that are recorded, and beginnings of such.
const NAMES: [&str; 14] = [
    "PATH",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "PYTHONPATH",
    "PYTHONHASHSEED",
    "VIRTUAL_ENV",
    "LANG",
    "TZ",
    "SHELL",
    "USER",
    "HOME",
    "MODULEPATH",
    "DISPLAY",
    "TMPDIR",
];
const BEGINNINGS: [&str; 18] = [
    "CONDA_",
    "CUDA_",
    "CUBLAS_",
    "CUDNN_",
    "NVIDIA_",
    "NCCL_",
    "OMP_",
    "MKL_",
    "OPENBLAS_",
    "TF_",
    "XLA_",
    "JAX_",
    "TORCH_",
    "PYTORCH_",
    "KERAS_",
    "THEANO_",
    "LC_",
    "MASTER_",
];
/// The schedulers' own.
const SCHEDULERS: [&str; 10] =
    ["SLURM_", "SGE_", "PBS_", "LSB_", "OAR_", "JOB_ID", "JOB_NAME", "QUEUE", "NSLOTS", "RESTARTED"];
const SECRETS: [&str; 7] = ["TOKEN", "SECRET", "PASSW", "KEY", "CREDENTIAL", "AUTH", "COOKIE"];
/// Longest value kept, bytes.
const LONGEST: usize = 4096;

/// Adds the facts of the host and the environment.
pub fn tell(facts: &mut Value, env: &[(OsString, OsString)]) {
    facts.set("host", host());
    facts.set("user", i64::from(sys::user_id()));
    facts.set("limits", limits());
    let names: Vec<(&str, &str)> = env.iter().filter_map(|(k, v)| Some((k.to_str()?, v.to_str()?))).collect();
    if let Some((_, modules)) = names.iter().find(|(name, _)| *name == "LOADEDMODULES") {
        let modules: Vec<&str> = modules.split(':').filter(|m| !m.is_empty()).collect();
        facts.set("modules", modules);
    }
    let chosen = |wanted: &dyn Fn(&str) -> bool| {
        let mut chosen: Vec<(&str, &str)> = names.iter().copied().filter(|(name, _)| wanted(name)).collect();
        chosen.sort_unstable();
        json::map(chosen.into_iter().map(|(name, value)| (name, shown(name, value))))
    };
    let scheduler = chosen(&|name| SCHEDULERS.iter().any(|s| name == *s || s.ends_with('_') && name.starts_with(s)));
    if scheduler.as_map().is_some_and(|members| !members.is_empty()) {
        facts.set("scheduler", scheduler);
    }
    facts.set("env", chosen(&|name| NAMES.contains(&name) || BEGINNINGS.iter().any(|b| name.starts_with(b))));
}

fn shown(name: &str, value: &str) -> Value {
    if SECRETS.iter().any(|word| name.to_ascii_uppercase().contains(word)) {
        return "(masked)".into();
    }
    cut(value, LONGEST).into()
}

fn host() -> Value {
    let line = |path: &str| std::fs::read_to_string(path).ok().map(|text| text.trim().to_string());
    let release = line("/etc/os-release").unwrap_or_default();
    let os =
        release.lines().find_map(|l| l.strip_prefix("PRETTY_NAME=")).map(|name| name.trim_matches('"').to_string());
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let ram =
        memory.lines().find_map(|l| l.strip_prefix("MemTotal:")?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    json::map([
        ("name", Value::from(sys::host_name())),
        ("os", os.into()),
        ("kernel", line("/proc/sys/kernel/osrelease").into()),
        ("arch", std::env::consts::ARCH.into()),
        ("cpu", cpu_model().into()),
        ("cores", std::thread::available_parallelism().ok().map(|n| n.get() as u64).into()),
        ("ram", ram.map(|kib| kib * 1024).into()),
    ])
}

/// The first processor's name: of a machine with hundreds of them the file is long, so only its beginning is read.
fn cpu_model() -> Option<String> {
    let mut start = [0; 2048];
    let n = std::fs::File::open("/proc/cpuinfo").ok()?.read(&mut start).ok()?;
    let text = String::from_utf8_lossy(start.get(..n)?).into_owned();
    let named = |line: &str| {
        let (key, value) = line.split_once(':')?;
        matches!(key.trim(), "model name" | "Model" | "cpu model").then(|| value.trim().to_string())
    };
    text.lines().find_map(named)
}

/// Soft limits that are not unlimited, proc_pid_limits(5): the name takes 26 columns.
fn limits() -> Value {
    let text = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let limit = |line: &str| {
        let (name, rest) = (line.get(..26)?.trim().strip_prefix("Max ")?, line.get(26..)?);
        let soft: u64 = rest.split_whitespace().next()?.parse().ok()?;
        Some((name.to_string(), Value::from(soft)))
    };
    json::map(text.lines().skip(1).filter_map(limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_stay_out() {
        let env: Vec<(OsString, OsString)> = [
            ("WANDB_API_KEY", "canary"),
            ("CUDA_TOKEN", "canary"),
            ("CUDA_VISIBLE_DEVICES", "0,1"),
            ("MY_THING", "canary"),
            ("SLURM_JOB_ID", "4711"),
            ("JOB_ID", "12"),
            ("LOADEDMODULES", "gcc/12:cuda/12.4"),
        ]
        .map(|(k, v)| (k.into(), v.into()))
        .to_vec();
        let mut facts = Value::Null;
        tell(&mut facts, &env);
        assert!(!facts.to_string().contains("canary"), "{facts}");
        assert_eq!(facts.get("env").unwrap().str("CUDA_VISIBLE_DEVICES"), Some("0,1"));
        assert_eq!(facts.get("env").unwrap().str("CUDA_TOKEN"), Some("(masked)"));
        assert_eq!(facts.get("scheduler").unwrap().as_map().unwrap().len(), 2);
        assert_eq!(facts.list("modules").unwrap().len(), 2);
        assert!(facts.get("host").unwrap().int("ram").unwrap() > 0);
    }
}
