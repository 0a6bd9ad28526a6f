//! GPU memory: of the GPUs a program started here would see (CUDA_VISIBLE_DEVICES), the one with the most memory free. One
//! that is out of order is left out, and so is one cut into instances, of whose memory nothing is told.

use super::Lack;
use crate::record::gpu::Gpu;

/// Room on a GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpuMemory {
    /// Bytes free
    pub free: u64,
    /// Bytes in all
    pub total: u64,
    /// Which GPU, or why there is none, in words
    pub by: String,
}

impl GpuMemory {
    /// What is missing when so many bytes are needed on one GPU.
    pub fn lacks(&self, bytes: u64) -> Option<Lack> {
        Lack::of("gpu-mem", bytes, self.free, 0, || self.by.clone())
    }
}

/// The most memory free on one of these GPUs; `visible`: CUDA_VISIBLE_DEVICES where it is set. Its numbers are taken as
/// those of nvidia-smi.
///
/// # Errors
/// There are some, and none tells how much memory it has free: a sentence.
pub fn gpu_memory(gpus: &[Gpu], visible: Option<&str>) -> Result<GpuMemory, String> {
    let mut silent = None;
    let mut best: Option<GpuMemory> = None;
    let mut why = "no GPU".to_string();
    for gpu in chosen(gpus, visible)? {
        let name = gpu.index.map_or_else(|| gpu.uuid.clone(), |index| format!("GPU {index}"));
        if let Some(trouble) = &gpu.trouble {
            why = format!("{name}: {trouble}");
            continue;
        }
        let rest = || Some(gpu.memory_total?.saturating_sub(gpu.memory_used?));
        match gpu.memory_free.or_else(rest).filter(|_| !gpu.mig) {
            Some(free) if best.as_ref().is_none_or(|best| best.free < free) => {
                let total = gpu.memory_total.unwrap_or(free);
                best = Some(GpuMemory { free, total, by: format!("{name} {}", gpu.name).trim_end().to_string() });
            }
            Some(_) => {}
            None => silent = Some(name),
        }
    }
    match (best, silent) {
        (Some(best), _) => Ok(best),
        (None, Some(name)) => Err(format!("{name} does not tell how much memory it has free")),
        (None, None) => Ok(GpuMemory { free: 0, total: 0, by: why }),
    }
}

/// Those in the list; what stands behind a word that names none is not seen, as in CUDA.
fn chosen<'a>(gpus: &'a [Gpu], visible: Option<&str>) -> Result<Vec<&'a Gpu>, String> {
    let Some(list) = visible else { return Ok(gpus.iter().collect()) };
    let mut chosen = Vec::new();
    for word in list.split(',').map(str::trim) {
        if word.starts_with("MIG-") {
            return Err(format!("{word} is a part of a GPU: its memory is not told"));
        }
        let is_it = |gpu: &&Gpu| {
            let number = word.parse::<u32>().ok();
            number.is_some() && gpu.index == number || word.starts_with("GPU-") && gpu.uuid.starts_with(word)
        };
        match gpus.iter().find(is_it) {
            Some(gpu) => chosen.push(gpu),
            None => break,
        }
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gpu(index: u32, free: Option<u64>) -> Gpu {
        let uuid = format!("GPU-{index}aa");
        Gpu { index: Some(index), uuid, name: "Card".into(), memory_free: free, ..Gpu::default() }
    }

    #[test]
    fn the_one_with_the_most_counts() {
        let gpus = [gpu(0, Some(5)), gpu(1, Some(9)), gpu(2, Some(7))];
        let free = |visible: Option<&str>| gpu_memory(&gpus, visible).map(|m| (m.free, m.by));
        assert_eq!(free(None), Ok((9, "GPU 1 Card".to_string())));
        assert_eq!(free(Some("0,2")), Ok((7, "GPU 2 Card".to_string())));
        assert_eq!(free(Some("GPU-0")), Ok((5, "GPU 0 Card".to_string())));
        assert_eq!(free(Some("0,7,1")), Ok((5, "GPU 0 Card".to_string())));
        for none in ["", "-1", "NoDevFiles", "GPU-x", "aa"] {
            assert_eq!(free(Some(none)), Ok((0, "no GPU".to_string())), "{none}");
        }
        assert!(free(Some("MIG-1")).is_err());
        let lack = gpu_memory(&gpus, Some("")).unwrap().lacks(8 << 30).unwrap();
        assert_eq!(lack.to_string(), "gpu-mem: 8G needed, none free (no GPU)");
    }

    #[test]
    fn what_is_not_told_is_not_nothing() {
        assert!(gpu_memory(&[gpu(0, None)], None).is_err());
        assert!(gpu_memory(&[Gpu { mig: true, ..gpu(0, Some(9)) }], None).is_err());
        assert_eq!(gpu_memory(&[gpu(0, None), gpu(1, Some(3))], None).unwrap().free, 3);
        let broken = Gpu { trouble: Some("requires reset".into()), ..gpu(0, Some(9)) };
        assert_eq!(gpu_memory(&[broken], None).unwrap().by, "GPU 0: requires reset");
        let counted = Gpu { memory_total: Some(10), memory_used: Some(4), ..gpu(0, None) };
        assert_eq!(gpu_memory(&[counted], None).unwrap().free, 6);
    }
}
