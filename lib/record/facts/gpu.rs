//! GPUs, driver and CUDA among the facts of a run. The answer is kept in hosts/HOST.facts.json until the next boot,
//! because without persistence mode each question wakes the cards for seconds. A failure, and an answer that did not
//! come in time, are kept for a while, so that of many short runs only one waits for a driver that hangs. A run that
//! lives longer than that asks again.

use crate::base::files;
use crate::base::json::{self, Value};
use crate::base::sys;
use crate::base::time::since_boot;
use crate::record::gpu::{self, Asking, Gpu, Told};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// For so long a failure stands at least.
const FAILURE_KEPT: Duration = Duration::from_secs(300);
/// And for so many times what was waited for the answer.
const WAITED_TIMES: u32 = 20;

/// What is being found out about GPUs.
pub struct Gpus {
    cache: PathBuf,
    asking: Option<Asking>,
    again: Option<Instant>,
    abandoned: Vec<u32>,
}

impl Gpus {
    /// Nobody is asked.
    pub fn none() -> Gpus {
        Gpus { cache: PathBuf::new(), asking: None, again: None, abandoned: Vec::new() }
    }

    /// Begins; with what is known already.
    pub fn begin(hosts: &Path) -> (Gpus, Option<Value>) {
        let cache = hosts.join(format!("{}.facts.json", sys::host_name()));
        let mut gpus = Gpus { cache, asking: None, again: None, abandoned: Vec::new() };
        let known = gpus.recall();
        (gpus, known)
    }

    /// What is known since this boot; asks when there is nothing.
    fn recall(&mut self) -> Option<Value> {
        let Some((facts, left)) = known(&self.cache) else {
            self.again = None;
            self.asking = gpu::source().map(|source| Asking::begin(source, false));
            return None;
        };
        self.again = left.and_then(|left| Instant::now().checked_add(left));
        Some(facts)
    }

    /// Whether an answer is outstanding: there may be a process that works on it.
    pub fn is_asking(&self) -> bool {
        self.asking.is_some()
    }

    /// What has come in.
    pub fn look(&mut self) -> Option<Value> {
        if let Some(asking) = &mut self.asking {
            let ended = asking.wait(Duration::ZERO) || asking.age() > gpu::LIMIT * 2;
            return if ended { self.take() } else { None };
        }
        if self.again.is_some_and(|at| Instant::now() >= at) { self.recall() } else { None }
    }

    /// The run has ended: an answer may come until its question is this old. Processes that even killing did not end
    /// are returned: nobody can wait for them.
    pub fn finish(&mut self, limit: Duration) -> (Option<Value>, Vec<u32>) {
        if let Some(asking) = &mut self.asking {
            asking.wait(limit.saturating_sub(asking.age()));
        }
        (self.take(), std::mem::take(&mut self.abandoned))
    }

    fn take(&mut self) -> Option<Value> {
        let asking = self.asking.take()?;
        let waited = asking.age();
        let source = asking.source();
        let (facts, good) = facts(asking.take().map(|look| look.gpus));
        self.abandoned.extend(source.child());
        let mut kept = json::map([("boot", Value::from(boot_id())), ("facts", facts.clone())]);
        if !good {
            let stands = FAILURE_KEPT.max(waited * WAITED_TIMES);
            self.again = Instant::now().checked_add(stands);
            kept.set("until", since_boot().unwrap_or_default().saturating_add(stands).as_secs());
        }
        // Only a cache: it is asked again when it is missing.
        let _ = files::write_atomic(&self.cache, format!("{kept}\n").as_bytes());
        Some(facts)
    }
}

fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_string()
}

/// What was found since this boot, and how long it stands if not until the next one.
fn known(cache: &Path) -> Option<(Value, Option<Duration>)> {
    let text = std::fs::read_to_string(cache).ok()?;
    let cached = Value::parse(&text).ok().filter(|c| c.str("boot") == Some(&boot_id()))?;
    let left = match cached.get("until") {
        None => None,
        Some(until) => {
            let until = Duration::from_secs(u64::try_from(until.as_int()?).ok()?);
            let left = until.checked_sub(since_boot()?).filter(|left| !left.is_zero())?;
            // More than any failure stands: written by another.
            Some(left).filter(|left| *left <= gpu::LIMIT * (2 * WAITED_TIMES + 1)).map(Some)?
        }
    };
    Some((cached.get("facts")?.clone(), left))
}

/// The facts in an answer, and whether they hold until the next boot.
fn facts(told: Told<Vec<Gpu>>) -> (Value, bool) {
    let gpus = match told {
        Ok(gpus) => gpus,
        Err(why) => return (json::map([("gpus", json::map([("error", why.into())]))]), false),
    };
    let good = !gpus.is_empty();
    let driver = gpus.iter().find_map(|gpu| gpu.driver.clone());
    let list: Vec<Value> = gpus.into_iter().map(described).collect();
    let mut facts = json::map([("gpus", Value::List(list)), ("driver", driver.into())]);
    if let Some(cuda) = cuda_version() {
        facts.set("cuda", cuda);
    }
    (facts, good)
}

fn described(gpu: Gpu) -> Value {
    let mut told = json::map([
        ("index", Value::from(gpu.index.map(u64::from))),
        ("uuid", gpu.uuid.into()),
        ("name", gpu.name.into()),
        ("memory_mib", gpu.memory_total.map(|bytes| bytes >> 20).into()),
    ]);
    if gpu.mig {
        let instances: Vec<Value> = gpu
            .instances
            .into_iter()
            .map(|part| json::map([("uuid", Value::from(part.uuid)), ("profile", part.profile.into())]))
            .collect();
        told.set("mig", Value::List(instances));
    }
    told
}

/// The toolkit's version, from the file it installs; cuDNN's from its header.
fn cuda_version() -> Option<Value> {
    let home = std::env::var_os("CUDA_HOME").or_else(|| std::env::var_os("CUDA_PATH"));
    let home = home.map_or_else(|| PathBuf::from("/usr/local/cuda"), PathBuf::from);
    let text = std::fs::read_to_string(home.join("version.json")).ok()?;
    let version = Value::parse(&text).ok()?.get("cuda")?.str("version")?.to_string();
    let mut cuda = json::map([("version", Value::from(version))]);
    if let Some(cudnn) = cudnn_version(&home) {
        cuda.set("cudnn", cudnn);
    }
    Some(cuda)
}

fn cudnn_version(home: &Path) -> Option<String> {
    let headers = [home.join("include/cudnn_version.h"), PathBuf::from("/usr/include/cudnn_version.h")];
    let text = headers.iter().find_map(|path| std::fs::read_to_string(path).ok())?;
    let part = |name: &str| {
        text.lines().find_map(|l| l.strip_prefix("#define ")?.strip_prefix(name)?.trim().parse::<u32>().ok())
    };
    Some(format!("{}.{}.{}", part("CUDNN_MAJOR")?, part("CUDNN_MINOR")?, part("CUDNN_PATCHLEVEL")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_stands_for_a_while() {
        let path = std::env::temp_dir().join(format!("nn-gpu-facts-{}", std::process::id()));
        let now = since_boot().unwrap().as_secs();
        let left = |until: &str| {
            std::fs::write(&path, format!(r#"{{"boot":"{}","facts":{{"gpus":[]}}{until}}}"#, boot_id())).unwrap();
            known(&path).map(|(_, left)| left)
        };
        assert_eq!(left(""), Some(None));
        assert!(left(&format!(r#","until":{}"#, now + 100)).unwrap().is_some_and(|left| left.as_secs() > 10));
        for over in [format!("{}", now - 1), format!("{}", now + 1_000_000), "-1".into(), "\"x\"".into()] {
            assert_eq!(left(&format!(r#","until":{over}"#)), None, "{over}");
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn what_is_told() {
        let card = Gpu { uuid: "GPU-a".into(), memory_total: Some(1 << 30), ..Gpu::default() };
        let (told, good) =
            facts(Ok(vec![Gpu { driver: Some("550.1".into()), ..card.clone() }, Gpu { mig: true, ..card }]));
        assert!(good && told.str("driver") == Some("550.1"));
        assert_eq!(told.list("gpus").unwrap()[0].int("memory_mib"), Some(1024));
        assert!(told.list("gpus").unwrap()[1].list("mig").is_some());
        assert!(!facts(Ok(Vec::new())).1);
        let (told, good) = facts(Err("no driver".into()));
        assert_eq!((told.get("gpus").unwrap().str("error"), good), (Some("no driver"), false));
    }
}
