//! GPUs, driver and CUDA, as nvidia-smi(1) tells them; the answer is kept in hosts/HOST.facts.json until the next boot,
//! because without persistence mode each question wakes the cards for seconds. Its CSV is matched by position; a cell
//! in brackets or N/A is no number; on a failure the reason stands on standard output, and nothing of it is parsed.

use crate::base::files;
use crate::base::json::{self, Value};
use crate::base::sys;
use crate::record::ask::{Answer, Asked};
use std::path::{Path, PathBuf};
use std::process::Command;

const QUERY: &str = "--query-gpu=index,uuid,name,memory.total,driver_version";
/// Most output read, bytes.
const MOST: u64 = 1 << 20;

fn cache(hosts: &Path) -> PathBuf {
    hosts.join(format!("{}.facts.json", sys::host_name()))
}

fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_string()
}

/// What was found since this boot.
pub fn known(hosts: &Path) -> Option<Value> {
    let text = std::fs::read_to_string(cache(hosts)).ok()?;
    let cached = Value::parse(&text).ok().filter(|c| c.str("boot") == Some(&boot_id()))?;
    cached.get("facts").cloned()
}

/// Asks, if there is a program to ask: $NN_NVIDIA_SMI, or nvidia-smi in PATH.
pub fn ask() -> Option<Asked> {
    let program = match std::env::var_os("NN_NVIDIA_SMI").filter(|p| !p.is_empty()) {
        Some(program) => PathBuf::from(program),
        None => {
            let path = std::env::var_os("PATH")?;
            std::env::split_paths(&path).map(|dir| dir.join("nvidia-smi")).find(|p| p.is_file())?
        }
    };
    let mut command = Command::new(program);
    command.args([QUERY, "--format=csv,noheader,nounits"]).env("LC_ALL", "C");
    Some(Asked::begin(command, MOST))
}

/// The facts in an answer; good ones are kept.
pub fn answer(asked: Asked, hosts: &Path) -> Value {
    let Some(answer) = asked.take() else {
        return json::map([("gpus", json::map([("error", "nvidia-smi did not answer in time".into())]))]);
    };
    let facts = read(&answer);
    if answer.code == Some(0) {
        let kept = json::map([("boot", Value::from(boot_id())), ("facts", facts.clone())]);
        // Only a cache: it is asked again when it is missing.
        let _ = files::write_atomic(cache(hosts), format!("{kept}\n").as_bytes());
    }
    facts
}

fn read(answer: &Answer) -> Value {
    let text = String::from_utf8_lossy(&answer.out);
    // 14: a warning about the infoROM together with good output.
    if !matches!(answer.code, Some(0 | 14)) {
        let why = text.lines().find(|l| !l.trim().is_empty()).unwrap_or(&answer.words).to_string();
        return json::map([("gpus", json::map([("error", why.into())]))]);
    }
    let mut driver = Value::Null;
    let mut gpus = Vec::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.trim_end_matches('\r').split(", ").collect();
        let [index, uuid, name, memory, version] = cells.as_slice() else { continue };
        driver = word(version);
        gpus.push(json::map([
            ("index", number(index)),
            ("uuid", word(uuid)),
            ("name", word(name)),
            ("memory_mib", number(memory)),
        ]));
    }
    let mut facts = json::map([("gpus", Value::List(gpus)), ("driver", driver)]);
    if let Some(cuda) = cuda_version() {
        facts.set("cuda", cuda);
    }
    facts
}

fn is_missing(cell: &str) -> bool {
    cell.starts_with('[') || cell == "N/A" || cell == "ERR!" || cell.is_empty()
}

fn word(cell: &str) -> Value {
    if is_missing(cell) { Value::Null } else { cell.into() }
}

fn number(cell: &str) -> Value {
    cell.parse::<i64>().ok().filter(|_| !is_missing(cell)).into()
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

    fn answer(code: i32, out: &str) -> Answer {
        Answer { code: Some(code), out: out.as_bytes().to_vec(), ..Answer::default() }
    }

    #[test]
    fn two_cards_and_one_that_does_not_tell() {
        let facts = read(&answer(
            0,
            "0, GPU-aaaa, NVIDIA Thing 24GB, 24576, 550.10\r\n1, GPU-bbbb, NVIDIA Other, [N/A], 550.10\r\nnonsense\r\n",
        ));
        let gpus = facts.list("gpus").unwrap();
        assert_eq!(gpus.len(), 2);
        assert_eq!(gpus[0].int("memory_mib"), Some(24576));
        assert_eq!(gpus[1].get("memory_mib"), Some(&Value::Null));
        assert_eq!(facts.str("driver"), Some("550.10"));
    }

    #[test]
    fn failures_are_told_and_not_parsed() {
        let facts = read(&answer(9, "\nIt has failed because the driver does not answer.\n"));
        assert_eq!(facts.get("gpus").unwrap().str("error"), Some("It has failed because the driver does not answer."));
    }
}
