//! NVIDIA's management library in place of nvidia-smi, with the cargo feature `nvml`: no process to start. It is started
//! for each question and stopped after it. A card that cannot be asked is left out, as long as another can.

use super::{Gpu, Instance, Process, Source, Told};
use crate::base::sys::nvml::{Device, Library, Session};

/// The library's name, which its versions keep.
const NAME: &str = "libnvidia-ml.so.1";

/// The library as a source.
pub struct Nvml {
    library: Library,
}

impl Nvml {
    /// None: there is no such library.
    pub fn load() -> Option<Nvml> {
        Nvml::from(NAME)
    }

    fn from(path: &str) -> Option<Nvml> {
        Library::load(path).map(|library| Nvml { library })
    }

    /// What each card tells; an error only when none tells anything.
    fn each<T>(&self, ask: impl Fn(&Session, u32, &Device) -> Told<Vec<T>>) -> Told<Vec<T>> {
        let wrong = |why: String| format!("{NAME}: {why}");
        let session = self.library.start().map_err(wrong)?;
        let mut all = Vec::new();
        let mut failure = None;
        let mut told = false;
        for index in 0..session.count().map_err(wrong)? {
            match session.device(index).and_then(|device| ask(&session, index, &device)) {
                Ok(some) => {
                    told = true;
                    all.extend(some);
                }
                Err(why) => failure = Some(format!("GPU {index}: {why}")),
            }
        }
        match failure {
            Some(why) if !told => Err(wrong(why)),
            _ => Ok(all),
        }
    }
}

impl Source for Nvml {
    fn name(&self) -> String {
        NAME.into()
    }

    fn gpus(&self) -> Told<Vec<Gpu>> {
        self.each(|session, index, device| Ok(vec![describe(session, index, device)?]))
    }

    fn processes(&self) -> Told<Vec<Process>> {
        self.each(|session, _, device| {
            let gpu = device.uuid().ok_or("it has no UUID")?;
            let told =
                |(pid, memory)| Process { gpu: gpu.clone(), pid: Some(pid), memory, name: session.process_name(pid) };
            Ok(device.processes()?.into_iter().map(told).collect())
        })
    }
}

fn describe(session: &Session, index: u32, device: &Device) -> Told<Gpu> {
    let memory = device.memory();
    let mig = device.has_mig();
    let instance = |part: Device| {
        let profile = part.name().and_then(|name| name.split_whitespace().last().map(str::to_string));
        Some(Instance { uuid: part.uuid()?, profile: profile.unwrap_or_default() })
    };
    Ok(Gpu {
        index: Some(index),
        uuid: device.uuid().ok_or("it has no UUID")?,
        name: device.name().unwrap_or_default(),
        memory_total: memory.map(|(total, _, _)| total),
        memory_used: memory.map(|(_, used, _)| used),
        memory_free: memory.map(|(_, _, free)| free),
        utilisation: device.utilisation().map(f64::from),
        temperature: device.temperature().map(f64::from),
        power: device.power().map(|milliwatts| f64::from(milliwatts) / 1000.0),
        mig,
        instances: if mig { device.instances().into_iter().filter_map(instance).collect() } else { Vec::new() },
        driver: session.driver(),
        trouble: device.trouble(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;
    use std::process::Command;

    /// A library with two cards, of which the second is lost, and 100 processes on the first.
    const FAKE: &str = r#"
#include <string.h>
typedef struct { unsigned version; unsigned long long total, reserved, free, used; } memory;
typedef struct { unsigned pid; unsigned long long used; unsigned a, b; } info;
static int started, lost;
static int put(char *to, unsigned n, const char *text) { strncpy(to, text, n); return 0; }
int nvmlInit_v2(void) { started++; return 0; }
int nvmlShutdown(void) { started--; return 0; }
const char *nvmlErrorString(int code) { return code == 15 ? "GPU is lost" : "Unknown Error"; }
int nvmlSystemGetDriverVersion(char *to, unsigned n) { return put(to, n, "550.1"); }
int nvmlSystemGetProcessName(unsigned pid, char *to, unsigned n) { return pid == 1 ? 6 : put(to, n, "/a, b"); }
int nvmlDeviceGetCount_v2(unsigned *n) { *n = 2; return started == 1 ? 0 : 1; }
int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **to) { *to = &started; return i ? 15 : 0; }
int nvmlDeviceGetUUID(void *of, char *to, unsigned n) { return put(to, n, of == &started ? "GPU-a" : "MIG-b"); }
int nvmlDeviceGetName(void *of, char *to, unsigned n) { return put(to, n, of == &started ? "Card" : "Card MIG 3g.40gb"); }
int nvmlDeviceGetMemoryInfo_v2(void *of, memory *to) {
    if (to->version != (40 | 2 << 24)) return 25;
    to->total = 100; to->used = 30; to->free = 60; return 0;
}
int nvmlDeviceGetUtilizationRates(void *of, unsigned *to) { to[0] = 95; to[1] = 5; return 0; }
int nvmlDeviceGetTemperature(void *of, int sensor, unsigned *to) { *to = 61; return sensor; }
int nvmlDeviceGetPowerUsage(void *of, unsigned *to) { return 3; }
int nvmlDeviceGetMigMode(void *of, unsigned *now, unsigned *then) { *now = 1; *then = 0; return 0; }
int nvmlDeviceGetMaxMigDeviceCount(void *of, unsigned *to) { *to = 7; return 0; }
int nvmlDeviceGetMigDeviceHandleByIndex(void *of, unsigned i, void **to) { *to = &lost; return i ? 6 : 0; }
int nvmlDeviceGetComputeRunningProcesses_v3(void *of, unsigned *n, info *to) {
    if (*n < 100) { *n = 100; return 7; }
    for (unsigned i = 0; i < 100; i++) { to[i].pid = i + 1; to[i].used = i ? 1000 + i : ~0ULL; }
    *n = 100; return 0;
}
"#;

    /// Compiles C code to a library.
    fn library(name: &str, code: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("nn-nvml-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("fake.c"), code).unwrap();
        let built = Command::new("cc").args(["-shared", "-fPIC", "-o", "fake.so", "fake.c"]).current_dir(&dir).status();
        assert!(built.unwrap().success());
        dir
    }

    #[test]
    fn what_the_library_tells() {
        let dir = library("fake", FAKE);
        let nvml = Nvml::from(&dir.join("fake.so").to_string_lossy()).unwrap();
        for _ in 0..2 {
            let gpus = nvml.gpus().unwrap();
            assert_eq!(gpus.len(), 1);
            let gpu = &gpus[0];
            assert_eq!((gpu.memory_total, gpu.memory_used, gpu.memory_free), (Some(100), Some(30), Some(60)));
            assert_eq!((gpu.utilisation, gpu.temperature, gpu.power), (Some(95.0), Some(61.0), None));
            assert_eq!((gpu.uuid.as_str(), gpu.driver.as_deref(), gpu.mig), ("GPU-a", Some("550.1"), true));
            assert_eq!(gpu.instances, [Instance { uuid: "MIG-b".into(), profile: "3g.40gb".into() }]);
        }
        let processes = nvml.processes().unwrap();
        assert_eq!(processes.len(), 100);
        assert_eq!((processes[0].memory, processes[0].name.as_deref()), (None, None));
        assert_eq!((processes[1].memory, processes[1].name.as_deref()), (Some(1001), Some("/a, b")));
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn nothing_and_something_else() {
        assert!(Nvml::from("/no/such.so").is_none());
        let dir = library("other", "int nvmlInit_v2(void) { return 0; }\n");
        assert!(Nvml::from(&dir.join("fake.so").to_string_lossy()).is_none());
        std::fs::remove_dir_all(dir).unwrap();
    }
}
