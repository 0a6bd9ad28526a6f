//! nvidia-smi(1), run and read.
//!
//! Its CSV is not quoted: cells are taken by position, and the one column that may hold commas stands where it can be
//! cut out from both sides. A cell in brackets, N/A or ERR! is no number. On a failure the reason stands on standard
//! output, and nothing else of it is read. An old driver refuses the whole question for one unknown column: then a
//! shorter one is asked. One lost card spoils the answer for all: then each is asked for itself.

use super::{Gpu, Instance, LIMIT, Process, Source, Told};
use crate::base::sys::{self, Signal};
use crate::record::ask::{Answer, Asked};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const COLUMNS: &str = "index,uuid,memory.total,memory.used,memory.free,utilization.gpu,temperature.gpu,power.draw,mig.mode.current,driver_version,name";
const FEWER: &str =
    "index,uuid,memory.total,memory.used,memory.free,utilization.gpu,temperature.gpu,power.draw,driver_version,name";
const APPS: &str = "gpu_uuid,pid,process_name,used_gpu_memory";
/// Exit codes that come with something: all is well; there are no devices; a column is unknown; all is well but for a
/// damaged infoROM.
const OK: i32 = 0;
const UNKNOWN_COLUMN: i32 = 2;
const NO_DEVICES: i32 = 6;
const INFOROM: i32 = 14;
/// What the reason begins with when one card is lost.
const LOST: &str = "Unable to determine the device handle";
/// Most output read, bytes.
const MOST: u64 = 1 << 20;
/// Most cards asked for themselves.
const MOST_CARDS: u32 = 32;
const MIB: f64 = 1024.0 * 1024.0;

/// The program.
pub struct Smi {
    program: PathBuf,
    /// Where the pid of the process that works on an answer stands
    child: Mutex<Arc<AtomicU32>>,
}

impl Smi {
    pub fn new(program: PathBuf) -> Smi {
        Smi { program, child: Mutex::default() }
    }

    fn ask(&self, args: &[&str], deadline: Instant) -> Told<Answer> {
        let mut command = Command::new(&self.program);
        command.args(args).env("LC_ALL", "C");
        let mut asked = Asked::begin(command, MOST);
        if let Ok(mut child) = self.child.lock() {
            *child = asked.pid_place();
        }
        asked.wait(deadline.saturating_duration_since(Instant::now()));
        asked.take().ok_or_else(|| format!("{} has not answered within {} s", self.name(), LIMIT.as_secs()))
    }

    /// The text of a good answer, empty when there are no devices.
    fn text(&self, answer: Answer) -> Told<String> {
        let text = String::from_utf8_lossy(&answer.out).into_owned();
        match answer.code {
            Some(OK | INFOROM) => Ok(text),
            // Its code is unknown; what is no row is left out anyway.
            None if answer.waited_for_elsewhere => Ok(text),
            Some(NO_DEVICES) => Ok(String::new()),
            code => Err(self.reason(&text, &answer.words, code)),
        }
    }

    /// The first line that says something.
    fn reason(&self, text: &str, words: &str, code: Option<i32>) -> String {
        let said = text.lines().chain([words]).map(str::trim).find(|line| !line.is_empty());
        let how = || code.map_or("it was killed".to_string(), |code| format!("it ended with {code}"));
        format!("{}: {}", self.name(), said.map_or_else(how, str::to_string))
    }

    /// One question about GPUs, with fewer columns when one is unknown.
    fn rows(&self, card: Option<u32>, deadline: Instant) -> Told<(String, bool)> {
        let one = card.map(|card| format!("--id={card}"));
        let query = |columns: &str| {
            let query = format!("--query-gpu={columns}");
            let mut args = vec![query.as_str(), "--format=csv,noheader,nounits"];
            args.extend(one.as_deref());
            self.ask(&args, deadline)
        };
        let answer = query(COLUMNS)?;
        if answer.code == Some(UNKNOWN_COLUMN) {
            return Ok((self.text(query(FEWER)?)?, false));
        }
        Ok((self.text(answer)?, true))
    }

    /// Each card for itself; those that cannot be asked are left out.
    fn card_by_card(&self, deadline: Instant) -> Vec<Gpu> {
        let mut gpus = Vec::new();
        for card in 0..MOST_CARDS {
            match self.rows(Some(card), deadline) {
                Ok((text, _)) if text.trim().is_empty() => break,
                Ok((text, whole)) => gpus.extend(read_gpus(&text, whole)),
                Err(why) if why.contains(LOST) => {}
                Err(_) => break,
            }
        }
        gpus
    }

    fn instances(&self, gpus: &mut [Gpu], deadline: Instant) {
        // Without them such a GPU is merely of no use.
        if let Ok(text) = self.ask(&["-L"], deadline).and_then(|answer| self.text(answer)) {
            read_instances(&text, gpus);
        }
    }
}

impl Source for Smi {
    fn name(&self) -> String {
        let name = self.program.file_name().unwrap_or(self.program.as_os_str());
        name.to_string_lossy().into_owned()
    }

    fn gpus(&self) -> Told<Vec<Gpu>> {
        let deadline = Instant::now() + LIMIT;
        let (text, whole) = match self.rows(None, deadline) {
            Ok(rows) => rows,
            Err(why) if why.contains(LOST) => {
                let gpus = self.card_by_card(deadline);
                return if gpus.is_empty() { Err(why) } else { Ok(gpus) };
            }
            Err(why) => return Err(why),
        };
        let mut gpus = read_gpus(&text, whole);
        if gpus.is_empty() && !text.trim().is_empty() && !text.contains("No devices were found") {
            return Err(format!("{}: not understood: {}", self.name(), text.trim().lines().next().unwrap_or_default()));
        }
        if gpus.iter().any(|gpu| gpu.mig) {
            self.instances(&mut gpus, deadline);
        }
        Ok(gpus)
    }

    fn processes(&self) -> Told<Vec<Process>> {
        let query = format!("--query-compute-apps={APPS}");
        let answer = self.ask(&[&query, "--format=csv,noheader,nounits"], Instant::now() + LIMIT)?;
        Ok(read_processes(&self.text(answer)?))
    }

    fn child(&self) -> Option<u32> {
        self.child.lock().ok().map(|child| child.load(Ordering::Relaxed)).filter(|pid| *pid != 0)
    }

    fn abandon(&self) {
        if let Some(pid) = self.child() {
            let _ = sys::kill(pid, Signal::KILL);
            // Usually enough to be rid of it; in the kernel's hands nothing helps.
            let begun = Instant::now();
            while self.child().is_some() && begun.elapsed() < Duration::from_millis(100) {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

fn is_missing(cell: &str) -> bool {
    cell.starts_with('[') || cell == "N/A" || cell == "ERR!" || cell.is_empty()
}

fn word(cell: &str) -> Option<String> {
    (!is_missing(cell)).then(|| cell.to_string())
}

fn number(cell: &str) -> Option<f64> {
    cell.parse().ok().filter(|n: &f64| n.is_finite() && *n >= 0.0)
}

fn mebibytes(cell: &str) -> Option<u64> {
    number(cell).map(|n| (n * MIB) as u64)
}

/// A GPU's or an instance's name for CUDA: nothing that could be something else to who reads it.
fn uuid(cell: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '/';
    let named = (cell.starts_with("GPU-") || cell.starts_with("MIG-")) && cell.len() <= 100;
    (named && cell.chars().all(plain)).then(|| cell.to_string())
}

/// What a cell in brackets says, if that is bad and not merely unknown.
fn trouble(cell: &str) -> Option<String> {
    if cell == "ERR!" {
        return Some(cell.into());
    }
    let said = cell.strip_prefix('[')?.strip_suffix(']')?;
    let harmless = ["N/A", "Not Supported", "Not Found", "Function Not Found", "Insufficient Permissions"];
    (!harmless.contains(&said) && !said.contains("deprecated")).then(|| said.to_string())
}

/// The cells of a line. The cell before the `last` ones may hold commas.
fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().map(|line| line.trim_end_matches('\r').split(", ").map(str::trim).collect())
}

/// Rows of `COLUMNS`, or of `FEWER`.
fn read_gpus(text: &str, whole: bool) -> Vec<Gpu> {
    lines(text).filter_map(|cells| read_gpu(&cells, whole)).collect()
}

fn read_gpu(cells: &[&str], whole: bool) -> Option<Gpu> {
    let [index, id, total, used, free, utilisation, temperature, power, rest @ ..] = cells else { return None };
    let (mig, rest) = if whole { rest.split_first()? } else { (&"", rest) };
    let (driver, name) = rest.split_first()?;
    Some(Gpu {
        index: index.parse().ok(),
        uuid: uuid(id)?,
        name: word(&name.join(", ")).unwrap_or_default(),
        memory_total: mebibytes(total),
        memory_used: mebibytes(used),
        memory_free: mebibytes(free),
        utilisation: number(utilisation),
        temperature: number(temperature),
        power: number(power),
        mig: *mig == "Enabled",
        instances: Vec::new(),
        driver: word(driver),
        trouble: [total, used, free, utilisation, temperature].into_iter().find_map(|cell| trouble(cell)),
    })
}

/// Rows of `APPS`; the program's name may hold commas. A row without a number for pid still says that somebody is there.
fn read_processes(text: &str) -> Vec<Process> {
    lines(text).filter_map(|cells| read_process(&cells)).collect()
}

fn read_process(cells: &[&str]) -> Option<Process> {
    let (gpu, rest) = cells.split_first()?;
    let (pid, rest) = rest.split_first()?;
    let (memory, name) = rest.split_last().unwrap_or((&"", &[]));
    Some(Process { gpu: uuid(gpu)?, pid: pid.parse().ok(), memory: mebibytes(memory), name: word(&name.join(", ")) })
}

/// `nvidia-smi -L`: a line for each GPU, and indented below it one for each instance.
fn read_instances(text: &str, gpus: &mut [Gpu]) {
    let mut current: Option<&mut Gpu> = None;
    let mut left: Vec<Option<&mut Gpu>> = gpus.iter_mut().map(Some).collect();
    for line in text.lines() {
        let id = line.rsplit_once("UUID:").and_then(|(_, id)| uuid(id.trim().trim_end_matches(')')));
        let Some(id) = id else { continue };
        if let Some(instance) = line.trim_start().strip_prefix("MIG ") {
            let profile = instance.split_whitespace().next().unwrap_or_default().to_string();
            if let Some(gpu) = &mut current {
                gpu.instances.push(Instance { uuid: id, profile });
            }
        } else {
            let found = left.iter_mut().find(|gpu| gpu.as_ref().is_some_and(|gpu| gpu.uuid == id));
            current = found.and_then(Option::take);
        }
    }
}

#[cfg(test)]
mod tests;
