//! What nvidia-smi prints, in the forms seen in the wild; numbers and names are made up.

use super::*;
use std::os::unix::fs::PermissionsExt;

#[test]
fn cards_of_many_kinds() {
    let text = "0, GPU-aa-1, 24576, 19818, 4400, 100, 59, 231.95, Disabled, 550.10, NVIDIA Thing 24GB\r\n\
                1, GPU-bb-2, 81559, 59, 81022, [N/A], 42, 71.15, Enabled, 550.10, NVIDIA Other\n\
                2, GPU-cc-3, [N/A], [N/A], [N/A], 0, 41, [Not Supported], [N/A], 550.10, NVIDIA Unified\n\
                3, GPU-dd-4, 8192, 0, 8000, [GPU requires reset], [GPU requires reset], ERR!, [N/A], 550.10, Sick\n\
                4, [N/A], 1, 2, 3, 4, 5, 6, [N/A], 550.10, Nameless\nnonsense\n";
    let gpus = read_gpus(text, true);
    assert_eq!(gpus.len(), 4);
    assert_eq!(gpus[0].memory_total, Some(24576 << 20));
    assert_eq!((gpus[0].utilisation, gpus[0].power), (Some(100.0), Some(231.95)));
    assert_eq!((gpus[0].driver.as_deref(), gpus[0].name.as_str()), (Some("550.10"), "NVIDIA Thing 24GB"));
    assert!(gpus[1].mig && gpus[1].utilisation.is_none() && gpus[1].trouble.is_none());
    assert_eq!((gpus[2].memory_total, gpus[2].trouble.as_deref()), (None, None));
    assert_eq!(gpus[3].trouble.as_deref(), Some("GPU requires reset"));
    let old = read_gpus("0, GPU-aa, 2048, 1, 2047, [Not Supported], 52, [Unknown Error], 340.1, Old, Card\n", false);
    assert_eq!((old[0].name.as_str(), old[0].driver.as_deref()), ("Old, Card", Some("340.1")));
}

#[test]
fn processes_known_and_hidden() {
    let text = "GPU-a, 77, /a, b, c, d, 12\nGPU-a, 42\nGPU-b, 4242, [Not Found], [N/A]\r\n\
                GPU-b, [Insufficient Permissions], [Insufficient Permissions], [Insufficient Permissions]\n\nx, 1, y, 2\n";
    let found = read_processes(text);
    assert_eq!(found.len(), 4);
    assert_eq!((found[0].name.as_deref(), found[0].memory), (Some("/a, b, c, d"), Some(12 << 20)));
    assert_eq!((found[1].pid, found[1].memory), (Some(42), None));
    assert_eq!((found[2].pid, found[2].name.as_deref()), (Some(4242), None));
    assert_eq!((found[3].gpu.as_str(), found[3].pid), ("GPU-b", None));
}

#[test]
fn instances_belong_to_the_card_above() {
    let mut gpus =
        read_gpus("0, GPU-a, 1, 1, 1, 1, 1, 1, Enabled, 5, X\n1, GPU-b, 1, 1, 1, 1, 1, 1, Enabled, 5, X\n", true);
    let text = "GPU 0: X (UUID: GPU-a)\n  MIG 3g.40gb     Device  0: (UUID: MIG-1)\n  MIG 1g.10gb     Device  1: \
                (UUID: MIG-2)\nGPU 1: X (UUID: GPU-b)\n  MIG 7g.80gb     Device  0: (UUID: MIG-3)\n";
    read_instances(text, &mut gpus);
    assert_eq!(gpus[0].instances.len(), 2);
    assert_eq!(gpus[1].instances, [Instance { uuid: "MIG-3".into(), profile: "7g.80gb".into() }]);
}

/// A program made of a few lines of shell.
fn program(name: &str, script: &str) -> Smi {
    let dir = std::env::temp_dir().join(format!("nn-smi-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.join("nvidia-smi");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    Smi::new(path)
}

fn remove(smi: &Smi) {
    std::fs::remove_dir_all(smi.program.parent().unwrap()).unwrap();
}

const ROW: &str = "GPU-a, 100, 1, 99, 5, 40, 30, Disabled, 550.1, Card";

#[test]
fn failures_are_told_and_not_parsed() {
    for (name, script, expected) in [
        ("none", "echo No devices were found; exit 6", Ok(0)),
        ("odd", "echo No devices were found", Ok(0)),
        ("driver", "echo; echo 'Failed: the driver does not answer'; exit 9", Err("Failed: the driver")),
        ("silent", "exit 255", Err("it ended with 255")),
        ("rubbish", "printf '\\377\\376rubbish\\n'", Err("not understood")),
        ("inforom", &format!("echo 'WARNING: infoROM'; echo '0, {ROW}'; exit 14"), Ok(1)),
        (
            "column",
            &format!(
                "case $1 in *mig.mode*) echo bad field; exit 2;; esac; echo '0, {}'",
                ROW.replace("Disabled, ", "")
            ),
            Ok(1),
        ),
        (
            "lost",
            &format!(
                "case $3 in --id=0) ;; --id=2) echo '2, {ROW}'; exit;; --id=3) exit 6;; esac
            echo 'Unable to determine the device handle for GPU 0: lost'; exit 15"
            ),
            Ok(1),
        ),
    ] {
        let smi = program(name, script);
        let told = smi.gpus();
        match (&told, expected) {
            (Ok(gpus), Ok(n)) => assert_eq!(gpus.len(), n, "{name}"),
            (Err(why), Err(part)) => assert!(why.starts_with("nvidia-smi: ") && why.contains(part), "{name}: {why}"),
            _ => panic!("{name}: {told:?}"),
        }
        remove(&smi);
    }
    assert_eq!(Smi::new("/no/such".into()).gpus().unwrap_err(), "such: No such file or directory");
}

#[test]
fn one_that_hangs_is_abandoned() {
    let smi: std::sync::Arc<dyn Source> = std::sync::Arc::new(program("hang", "exec sleep 600"));
    let mut asking = super::super::Asking::begin(smi, false);
    while asking.child().is_none() {
        std::thread::yield_now();
    }
    assert!(!asking.wait(Duration::ZERO));
    let why = asking.take().unwrap_err();
    assert!(why.starts_with("nvidia-smi has not answered within"), "{why}");
    std::fs::remove_dir_all(std::env::temp_dir().join(format!("nn-smi-hang-{}", std::process::id()))).unwrap();
}
