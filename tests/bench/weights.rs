//! nn-weights on a file of 2 GB, beside numpy on the same file where there is one, and beside wc(1), which only reads it;
//! and the memory it takes.

use super::{Bench, in_turns, ms, ratio, status};
use std::fs;
use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

const WEIGHTS: &str = env!("CARGO_BIN_EXE_nn-weights");
/// Numbers of four bytes in the file.
const NUMBERS: usize = 500_000_000;
/// The same facts by numpy, piece by piece, as one who has more memory than the file would not do it.
const NUMPY: &str = "
import sys, numpy as np
a = np.load(sys.argv[1], mmap_mode='r')
n = s = q = zeros = bad = 0
low, high = np.inf, -np.inf
for i in range(0, a.size, 1 << 20):
    x = a[i:i + (1 << 20)].astype(np.float64)
    s += x.sum(); q += np.dot(x, x); low = min(low, x.min()); high = max(high, x.max())
    zeros += (x == 0).sum(); bad += (~np.isfinite(x)).sum()
print(q ** .5, s / a.size, low, high, zeros, bad)
";

/// The rows.
pub fn measure(b: &mut Bench) {
    let file = b.dir.join("big.npy");
    write(&file);
    let mut ours = b.command(WEIGHTS, "s-weights");
    let mut child = ours.arg("big.npy").spawn().unwrap();
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        most = most.max(status(child.id(), "VmHWM:"));
        std::thread::sleep(Duration::from_millis(5));
    }
    let most = most as f64 / 1024.0;
    b.row("nn-weights on 2 GB: memory", format!("{most:.1} MB"), "< 50 MB", most < 50.0);
    let ours = || {
        let mut command = b.command(WEIGHTS, "s-weights");
        command.arg("big.npy");
        command
    };
    let theirs = |program: &str, args: &[&str]| {
        let mut command = b.command(program, "s-weights");
        command.args(args).arg("big.npy").stderr(Stdio::null());
        command
    };
    let (time, floor) = in_turns(3, ours(), theirs("wc", &["-l"]));
    let read = format!("{:.2}x ({:.0} ms, {:.0} ms)", ratio(time, floor), ms(time), ms(floor));
    let python = std::env::var("NN_BENCH_PYTHON").unwrap_or_else(|_| "python3".into());
    if !theirs(&python, &["-c", "import numpy"]).status().is_ok_and(|status| status.success()) {
        println!(
            "nn-weights on 2 GB, over wc -l: {read}; not measured over numpy: NN_BENCH_PYTHON names a python that has it"
        );
        return;
    }
    let (time, numpy) = in_turns(3, ours(), theirs(&python, &["-c", NUMPY]));
    let r = ratio(time, numpy);
    b.row(
        "nn-weights on 2 GB, over numpy",
        format!("{r:.2}x ({:.0} ms, {:.0} ms; {read} wc)", ms(time), ms(numpy)),
        "<= 1x",
        r <= 1.0,
    );
    fs::remove_file(&file).unwrap();
}

/// One array of float32, little-endian.
fn write(file: &std::path::Path) {
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({NUMBERS},), }}");
    header += &" ".repeat(117 - header.len());
    header.push('\n');
    let mut out = fs::File::create(file).unwrap();
    out.write_all(b"\x93NUMPY\x01\x00\x76\x00").unwrap();
    out.write_all(header.as_bytes()).unwrap();
    let mut state = 1u64;
    let mut number = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / (1 << 24) as f32 - 0.5).to_le_bytes()
    };
    let block: Vec<u8> = (0..1_000_000).flat_map(|_| number()).collect();
    for _ in 0..NUMBERS / 1_000_000 {
        out.write_all(&block).unwrap();
    }
}
