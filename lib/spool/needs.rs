//! What a run needs of its host (`needs` of its job), and what a worker gave it: placed.json, written between the claim and
//! the start of a run that needs more than slots. It counts for the generation it names, and as long as the token of that
//! generation is in running/; so nothing has to be given back.

use super::job::Job;
use super::store::Spool;
use crate::base::error::Result;
use crate::base::json::{self, Value};
use crate::base::units::parse_size;

/// What a job asks for; 0: nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Needs {
    /// GPUs; None: not said, which is not the same as none
    pub gpus: Option<usize>,
    /// Bytes of memory on each of them: with this, several runs share a GPU
    pub gpu_mem: u64,
    /// Others may use the GPUs too
    pub share: bool,
    /// Bytes of main memory
    pub ram: u64,
    /// Bytes it is going to write
    pub disk: u64,
    /// Slots of a worker
    pub slots: usize,
}

impl Needs {
    /// What a job says.
    pub fn of(job: &Job) -> Needs {
        let Some(needs) = job.json.get("needs") else { return Needs { slots: 1, ..Needs::default() } };
        let size = |key: &str| needs.get(key).and_then(|v| parse_size(&v.plain())).unwrap_or(0);
        let count = |key: &str| needs.int(key).and_then(|n| usize::try_from(n).ok());
        let share = needs.get("share").and_then(Value::as_bool).unwrap_or(false);
        let (gpus, gpu_mem) = (count("gpus"), size("gpu-mem"));
        // Memory of a GPU, or to share one, needs one.
        let gpus = gpus.or_else(|| (gpu_mem > 0 || share).then_some(1));
        Needs { gpus, gpu_mem, share, ram: size("ram"), disk: size("disk"), slots: count("slots").unwrap_or(1) }
    }

    /// Whether it needs more than slots.
    pub fn is_more_than_slots(&self) -> bool {
        self.gpu_count() > 0 || self.ram > 0 || self.disk > 0
    }

    /// How many GPUs.
    pub fn gpu_count(&self) -> usize {
        self.gpus.unwrap_or(0)
    }

    /// Whether its GPUs must be free of everybody else.
    pub fn is_alone(&self) -> bool {
        self.gpu_mem == 0 && !self.share
    }
}

/// What a run was given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Placed {
    /// The generation it was given to
    pub generation: u32,
    /// The host
    pub host: String,
    /// UUIDs of its GPUs
    pub gpus: Vec<String>,
    /// What it needed
    pub needs: Needs,
    /// Device numbers (st_dev) of the file systems on which it was promised room
    pub devices: Vec<u64>,
}

const FILE: &str = "placed.json";

impl Placed {
    /// What was given to this generation of a run. None: nothing, or what is there cannot be understood.
    pub fn read(spool: &Spool, run: u64, generation: u32) -> Option<Placed> {
        let json = spool.read(run, FILE).ok().flatten()?;
        if json.int("generation") != Some(i64::from(generation)) {
            return None;
        }
        let bytes = |key: &str| json.int(key).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
        let texts = |key: &str| json.list(key).unwrap_or_default().iter().filter_map(Value::as_str).map(String::from);
        let gpus: Vec<String> = texts("gpus").collect();
        let needs = Needs {
            gpus: json.get("gpus").map(|_| gpus.len()),
            gpu_mem: bytes("gpu-mem"),
            share: json.get("share").and_then(Value::as_bool).unwrap_or(false),
            ram: bytes("ram"),
            disk: bytes("disk"),
            slots: usize::try_from(bytes("slots")).unwrap_or(1),
        };
        let devices = json.list("devices").unwrap_or_default().iter();
        let devices = devices.filter_map(|device| u64::try_from(device.as_int()?).ok()).collect();
        Some(Placed { generation, host: json.str("host")?.to_string(), gpus, needs, devices })
    }

    /// Writes it, in one step. Not synced: after a power cut the run has not started.
    ///
    /// # Errors
    /// It cannot be written: then the run must not be started.
    pub fn write(&self, spool: &Spool, run: u64) -> Result<()> {
        let Needs { gpus, gpu_mem, share, ram, disk, slots } = &self.needs;
        let int = |n: u64| Value::from(i64::try_from(n).unwrap_or(i64::MAX));
        let mut json = json::map([("generation", Value::from(self.generation)), ("host", self.host.as_str().into())]);
        if gpus.is_some() {
            json.set("gpus", Value::List(self.gpus.iter().map(|uuid| uuid.as_str().into()).collect()));
        }
        for (key, bytes) in [("gpu-mem", *gpu_mem), ("ram", *ram), ("disk", *disk)] {
            if bytes > 0 {
                json.set(key, int(bytes));
            }
        }
        if *share {
            json.set("share", true);
        }
        json.set("slots", int(*slots as u64));
        if !self.devices.is_empty() {
            json.set("devices", Value::List(self.devices.iter().map(|device| int(*device)).collect()));
        }
        spool.put_lazily(run, FILE, &json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::job::parse_needs;
    use std::path::Path;

    fn needs(text: &str) -> Needs {
        let mut job = Job::new(&["true".into()], Path::new("/"));
        job.json.set("needs", parse_needs(text).unwrap());
        Needs::of(&job)
    }

    #[test]
    fn what_jobs_say() {
        assert_eq!(Needs::of(&Job::new(&["true".into()], Path::new("/"))), Needs { slots: 1, ..Needs::default() });
        let all = needs("gpus=2 gpu-mem=1K ram=2K disk=3K slots=3 share");
        let same = Needs { gpus: Some(2), gpu_mem: 1024, share: true, ram: 2048, disk: 3072, slots: 3 };
        assert_eq!(all, same);
        assert_eq!((needs("gpu-mem=1G").gpus, needs("share").gpus, needs("gpus=0").gpus), (Some(1), Some(1), Some(0)));
        assert!(needs("gpus=1").is_alone() && !needs("gpu-mem=1G").is_alone() && !needs("share").is_alone());
        assert!(!needs("gpus=0 slots=2 time=1h").is_more_than_slots());
    }

    #[test]
    fn given_and_read_back() {
        let dir = std::env::temp_dir().join(format!("nn-needs-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let spool = Spool::init(&dir, false).unwrap();
        let run = spool.add(&[Job::new(&["true".into()], Path::new("/"))], b"").unwrap()[0];
        let placed = Placed {
            generation: 3,
            host: "h".into(),
            gpus: vec!["GPU-a".into(), "GPU-b".into()],
            needs: needs("gpus=2 gpu-mem=1K ram=2K disk=3K share"),
            devices: vec![66305],
        };
        placed.write(&spool, run).unwrap();
        assert_eq!(Placed::read(&spool, run, 3), Some(placed));
        assert_eq!(Placed::read(&spool, run, 2), None);
        std::fs::write(spool.run_dir(run).join(FILE), "{\"generation\":3").unwrap();
        assert_eq!(Placed::read(&spool, run, 3), None);
        std::fs::remove_dir_all(dir).unwrap();
    }
}
