//! Which GPUs a run could have: the devices of this host, what runs of this spool hold on them, and what it needs.
//!
//! A run that names neither memory nor `share` has its GPUs alone. Runs with `gpu-mem` share one as far as its memory goes,
//! counting what they were promised and do not use yet. A GPU that strangers compute on is free only for `share`. MIG
//! instances are devices; which of them a stranger uses is not told, so he counts for all of his GPU.

use nn::base::units::{parse_size, show_size};
use nn::record::gpu::{Gpu, Look, Process};
use nn::spool::needs::Needs;

/// The GPUs a worker may give.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Choice {
    #[default]
    All,
    /// Numbers as nvidia-smi shows them, or UUIDs or how they begin
    These(Vec<String>),
}

impl Choice {
    /// `0,1`, `GPU-8f3a`, `none`, `all`.
    pub fn parse(text: &str) -> Option<Choice> {
        match text {
            "all" => return Some(Choice::All),
            "none" => return Some(Choice::These(Vec::new())),
            _ => {}
        }
        let words: Vec<String> = text.split(',').map(|w| w.trim().to_string()).collect();
        let is_uuid = |w: &str| (w.starts_with("GPU-") || w.starts_with("MIG-")) && w.len() > 4;
        let is_number = |w: &str| w.parse::<u32>().is_ok();
        words.iter().all(|w| is_uuid(w) || is_number(w)).then_some(Choice::These(words))
    }

    /// What the worker was given itself: its CUDA_VISIBLE_DEVICES; all when there is none, or it cannot be understood.
    pub fn of_environment() -> Choice {
        match std::env::var("CUDA_VISIBLE_DEVICES") {
            Ok(none) if none.is_empty() => Choice::These(Vec::new()),
            Ok(some) => Choice::parse(&some).unwrap_or_default(),
            Err(_) => Choice::All,
        }
    }

    fn has(&self, device: &Device) -> bool {
        let named = |word: &String| match word.parse::<u32>() {
            Ok(index) => device.index == Some(index),
            Err(_) => device.uuid.starts_with(word.as_str()) || device.parent.starts_with(word.as_str()),
        };
        match self {
            Choice::All => true,
            Choice::These(words) => words.iter().any(named),
        }
    }
}

/// What a run can be given: a GPU, or an instance of one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Device {
    pub uuid: String,
    /// The GPU it is (part of)
    parent: String,
    index: Option<u32>,
    /// Memory in all and free, bytes, where it is told
    total: Option<u64>,
    free: Option<u64>,
    /// It should not be given to anybody now
    broken: bool,
    /// Processes on it that belong to no run of this spool
    pub strangers: usize,
}

/// What a run holds.
#[derive(Clone, Debug, Default)]
pub struct Share {
    pub gpus: Vec<String>,
    pub alone: bool,
    /// Promised on each, bytes
    pub memory: u64,
    /// Used already: GPU and bytes
    pub used: Vec<(String, u64)>,
}

impl Share {
    fn used_on(&self, device: &Device) -> u64 {
        self.used.iter().filter(|(gpu, _)| *gpu == device.uuid).fold(0, |sum, (_, bytes)| sum.saturating_add(*bytes))
    }
}

/// Whether a run can have what it needs.
#[derive(Clone, Debug, PartialEq)]
pub enum Fit {
    /// These
    Now(Vec<String>),
    /// Once runs of this spool have ended; so many are free
    AfterOurs(usize),
    /// Once strangers have gone; so many are free, and so many theirs
    AfterOthers(usize, usize),
    /// Never on this host, which has so many that would do
    Never(usize),
}

/// The devices in a look that a worker may give. `is_ours`: whether a process belongs to a run.
pub fn devices(look: &Look, choice: &Choice, is_ours: impl Fn(&Process) -> bool) -> Vec<Device> {
    let mut devices: Vec<Device> = look.gpus.iter().flat_map(of_gpu).filter(|device| choice.has(device)).collect();
    for process in look.processes.iter().filter(|process| !is_ours(process)) {
        for device in devices.iter_mut().filter(|d| d.uuid == process.gpu || d.parent == process.gpu) {
            device.strangers += 1;
        }
    }
    devices
}

fn of_gpu(gpu: &Gpu) -> Vec<Device> {
    let device = Device {
        uuid: gpu.uuid.clone(),
        parent: gpu.uuid.clone(),
        index: gpu.index,
        total: gpu.memory_total,
        free: gpu.memory_free,
        broken: gpu.trouble.is_some(),
        strangers: 0,
    };
    if !gpu.mig {
        return vec![device];
    }
    let instance = |instance: &nn::record::gpu::Instance| {
        // `3g.40gb`, `1g.10gb+me`: what follows the point is its memory.
        let size = instance.profile.split_once('.').map(|(_, size)| size.split('+').next().unwrap_or_default());
        let total = size.and_then(parse_size);
        Device { uuid: instance.uuid.clone(), total, free: total, ..device.clone() }
    };
    gpu.instances.iter().map(instance).collect()
}

/// Who is thought away.
#[derive(Clone, Copy, PartialEq)]
enum Without {
    Nobody,
    Ours,
    /// Strangers, too
    All,
}

/// Chooses GPUs for a run: in order for one that is alone; else those with the most room first, so that nobody is crowded
/// while a GPU is idle.
pub fn fit(devices: &[Device], shares: &[Share], needs: &Needs) -> Fit {
    let could = |without: Without| {
        let rooms = devices.iter().filter_map(|device| Some((room(device, shares, needs, without)?, device)));
        rooms.collect::<Vec<(u64, &Device)>>()
    };
    let wanted = needs.gpu_count();
    let mut now = could(Without::Nobody);
    if now.len() >= wanted {
        if !needs.is_alone() {
            now.sort_by_key(|(room, _)| std::cmp::Reverse(*room));
        }
        now.truncate(wanted);
        let chosen = devices.iter().filter(|device| now.iter().any(|(_, d)| d.uuid == device.uuid));
        return Fit::Now(chosen.map(|device| device.uuid.clone()).collect());
    }
    let free = now.len();
    let without_ours = could(Without::Ours).len();
    if without_ours >= wanted {
        return Fit::AfterOurs(free);
    }
    let all = could(Without::All).len();
    if all < wanted {
        return Fit::Never(all);
    }
    Fit::AfterOthers(free, all.saturating_sub(without_ours))
}

/// Memory that a run would find on a device, as far as that is known. None: it cannot have it.
fn room(device: &Device, shares: &[Share], needs: &Needs, without: Without) -> Option<u64> {
    let on_it = || shares.iter().filter(|share| share.gpus.contains(&device.uuid));
    if without != Without::All && (device.broken || device.strangers > 0 && !needs.share) {
        return None;
    }
    if without == Without::Nobody && on_it().any(|share| share.alone || needs.is_alone()) {
        return None;
    }
    let free = if without == Without::All { device.total } else { device.free };
    let Some(free) = free else {
        // Nobody knows how much there is: then it is one run's.
        let is_empty = without != Without::Nobody || on_it().next().is_none();
        let is_quiet = without == Without::All || device.strangers == 0;
        return (needs.gpu_mem == 0 || is_empty && is_quiet).then_some(0);
    };
    let sum = |of: &dyn Fn(&Share) -> u64| on_it().map(of).fold(0, u64::saturating_add);
    let room = match without {
        Without::All => free,
        Without::Ours => free.saturating_add(sum(&|share| share.used_on(device))),
        Without::Nobody => free.saturating_sub(sum(&|share| share.memory.saturating_sub(share.used_on(device)))),
    };
    let room = room.min(device.total.unwrap_or(room));
    (needs.gpu_mem <= room).then_some(room)
}

impl Fit {
    /// In words; empty when it fits.
    pub fn words(&self, needs: &Needs, host: &str) -> String {
        let memory = if needs.gpu_mem > 0 { format!(" with {}", show_size(needs.gpu_mem)) } else { String::new() };
        let start = format!("gpus: {}{memory} needed", needs.gpu_count());
        let count = |n: usize| if n == 0 { "none".to_string() } else { n.to_string() };
        match self {
            Fit::Now(_) => String::new(),
            Fit::AfterOurs(free) => format!("{start}, {} free on {host}", count(*free)),
            Fit::AfterOthers(free, others) => {
                format!("{start}, {} free and {} used by others on {host}", count(*free), count(*others))
            }
            Fit::Never(all) => format!("{start}, {host} has {}", count(*all)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nn::record::gpu::Instance;
    use std::time::Instant;

    const G: u64 = 1 << 30;

    fn look(strangers_on: &[&str]) -> Look {
        let gpu = |i: u32| Gpu {
            index: Some(i),
            uuid: format!("GPU-{i}"),
            memory_total: Some(24 * G),
            memory_free: Some(23 * G),
            ..Gpu::default()
        };
        let process = |gpu: &&str| Process { gpu: gpu.to_string(), pid: Some(1), memory: Some(G), name: None };
        Look {
            gpus: (0..4).map(gpu).collect(),
            processes: strangers_on.iter().map(process).collect(),
            when: Instant::now(),
        }
    }

    fn needs(gpus: usize, gpu_mem: u64, share: bool) -> Needs {
        Needs { gpus: Some(gpus), gpu_mem, share, ..Needs::default() }
    }

    fn share(gpus: &[&str], alone: bool, memory: u64) -> Share {
        Share { gpus: gpus.iter().map(|g| g.to_string()).collect(), alone, memory, used: Vec::new() }
    }

    fn now(gpus: &[&str]) -> Fit {
        Fit::Now(gpus.iter().map(|g| g.to_string()).collect())
    }

    #[test]
    fn alone() {
        let four = devices(&look(&[]), &Choice::All, |_| false);
        assert_eq!(fit(&four, &[], &needs(2, 0, false)), now(&["GPU-0", "GPU-1"]));
        let held = [share(&["GPU-0"], true, 0), share(&["GPU-2"], false, G)];
        assert_eq!(fit(&four, &held, &needs(2, 0, false)), now(&["GPU-1", "GPU-3"]));
        assert_eq!(fit(&four, &held, &needs(3, 0, false)), Fit::AfterOurs(2));
        assert_eq!(fit(&four, &held, &needs(5, 0, false)), Fit::Never(4));
        let strangers = devices(&look(&["GPU-1"]), &Choice::All, |_| false);
        assert_eq!(fit(&strangers, &held, &needs(1, 0, false)), now(&["GPU-3"]));
        assert_eq!(fit(&strangers, &held, &needs(4, 0, false)), Fit::AfterOthers(1, 1));
        assert_eq!(fit(&strangers, &held, &needs(3, 0, false)), Fit::AfterOurs(1));
    }

    #[test]
    fn by_memory() {
        let mut two = devices(&look(&["GPU-1"]), &Choice::parse("0,1").unwrap(), |_| false);
        assert_eq!(two.len(), 2);
        let ten = needs(1, 10 * G, false);
        let mut held = vec![share(&["GPU-0"], false, 10 * G)];
        assert_eq!(fit(&two, &held, &ten), now(&["GPU-0"]));
        held.push(share(&["GPU-0"], false, 10 * G));
        assert_eq!(fit(&two, &held, &ten), Fit::AfterOurs(0));
        assert_eq!(fit(&two, &[share(&["GPU-0"], true, 0)], &ten), Fit::AfterOurs(0));
        // What is used already shows in what is free.
        held[0].used.push(("GPU-0".into(), 10 * G));
        held[1].used.push(("GPU-0".into(), 10 * G));
        two[0].free = Some(3 * G);
        assert_eq!(fit(&two, &held, &needs(1, 22 * G, true)), now(&["GPU-1"]));
        assert_eq!(fit(&two, &held, &needs(1, 3 * G, false)), now(&["GPU-0"]));
        assert_eq!(fit(&two, &[], &needs(1, 30 * G, false)), Fit::Never(0));
        assert_eq!(fit(&two, &held, &needs(1, 23 * G, false)), Fit::AfterOurs(0));
        assert_eq!(fit(&two[1..], &[], &needs(1, 24 * G, true)), Fit::AfterOthers(0, 1));
        // The most room first; and it may be shared with anybody.
        let idle = devices(&look(&[]), &Choice::All, |_| false);
        let held = [share(&["GPU-0"], false, G), share(&["GPU-1"], false, 0)];
        assert_eq!(fit(&idle, &held, &ten), now(&["GPU-1"]));
        assert_eq!(fit(&two, &[share(&["GPU-0"], true, 0)], &needs(1, 0, true)), now(&["GPU-1"]));
    }

    #[test]
    fn instances_and_unknown_memory() {
        let mut look = look(&[]);
        look.gpus[0].mig = true;
        for (uuid, profile) in [("MIG-a", "3g.40gb"), ("MIG-b", "1g.10gb+me")] {
            look.gpus[0].instances.push(Instance { uuid: uuid.into(), profile: profile.into() });
        }
        look.gpus[1].mig = true;
        (look.gpus[2].memory_total, look.gpus[2].memory_free) = (None, None);
        look.gpus[3].trouble = Some("GPU requires reset".into());
        let all = devices(&look, &Choice::All, |_| false);
        let uuids: Vec<&str> = all.iter().map(|d| d.uuid.as_str()).collect();
        assert_eq!(uuids, ["MIG-a", "MIG-b", "GPU-2", "GPU-3"]);
        assert_eq!(fit(&all, &[], &needs(1, 30 * G, false)), now(&["MIG-a"]));
        assert_eq!(fit(&all, &[share(&["MIG-a", "MIG-b"], true, 0)], &needs(1, G, false)), now(&["GPU-2"]));
        assert_eq!(fit(&all, &[], &needs(4, 0, false)), Fit::AfterOthers(3, 1));
        let chosen = devices(&look, &Choice::parse("MIG-b,0").unwrap(), |_| false);
        assert_eq!(chosen.len(), 2);
        assert_eq!(devices(&look, &Choice::parse("none").unwrap(), |_| false), []);
        assert_eq!(Choice::parse("0,x"), None);
    }
}
