//! nn-weights: norms and other statistics of each layer in a file of weights, and what changed between two
//!
//! Each tensor is read once, as a stream of blocks (record/weights), so that the size of a file matters to the clock
//! only. One file gives a record a layer, two give what became of each layer from the first to the second. Largest
//! singular values, and comparing layers that lie in different orders, need whole layers in memory: --memory limits it.

mod compare;
mod each;

use nn::base::args::{Arg, Args};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Error, Result};
use nn::base::glob;
use nn::base::table::Format;
use nn::base::units::parse_size;
use nn::record::weights::{Tensor, Weights};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "
usage: nn-weights [--layer GLOB]... [--singular] [--memory SIZE] [--json] FILE
       nn-weights [--layer GLOB]... [--memory SIZE] [--json] FILE FILE
       nn-weights --each [--layer GLOB]... [--singular] [--memory SIZE] [--json] FILE...

  -l, --layer GLOB   only layers with such names
  -s, --singular     the largest singular value of each as well, by power iteration
  -e, --each         tell of each file, also of two: not of what changed between them
      --memory SIZE  most that one layer may take where it must be in memory (256M)
      --json         one JSON object a line
  -h, --help         print this
  -V, --version      print the version

Files: .npy, .npz, .safetensors, and those of torch.save since PyTorch 1.6.
";

fn main() -> ExitCode {
    cli::main("nn-weights", USAGE, run)
}

struct Opts {
    layers: Vec<String>,
    singular: bool,
    each: bool,
    memory: u64,
    json: bool,
    files: Vec<PathBuf>,
}

impl Opts {
    fn wants(&self, name: &str) -> bool {
        self.layers.is_empty() || self.layers.iter().any(|layer| glob::fits(layer.as_bytes(), name.as_bytes()))
    }

    /// The layers of a file that are asked for, whose arrays without numbers are told of.
    fn wanted<'a>(&self, weights: &'a Weights) -> Vec<&'a Tensor> {
        for (name, why) in weights.others.iter().filter(|(name, _)| self.wants(name)) {
            cli::warn(&format!("{}: '{name}' is left out: {why}", weights.path().display()));
        }
        weights.tensors.iter().filter(|tensor| self.wants(&tensor.name)).collect()
    }
}

fn run(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let opts = parse(args)?;
    let format = if opts.json { Format::Json } else { Format::detect(out) };
    let table = match opts.files.as_slice() {
        [first, second] if !opts.each => compare::compare(&opts, first, second, format)?,
        files => each::each(&opts, files, format)?,
    };
    if table.is_empty() {
        let which = if opts.layers.is_empty() { String::new() } else { format!(" named {}", opts.layers.join(" or ")) };
        cli::tell(&format!("there is no layer{which} in {}", names(&opts.files)));
        return Ok(Exit::NO);
    }
    table.print(out, format)?;
    Ok(Exit::DONE)
}

fn names(files: &[PathBuf]) -> String {
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    names.join(", ")
}

fn parse(args: &mut Args) -> Result<Opts> {
    let mut opts =
        Opts { layers: Vec::new(), singular: false, each: false, memory: 256 << 20, json: false, files: Vec::new() };
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Short('l') => opts.layers.push(args.text()?),
            Arg::Short('s') => opts.singular = true,
            Arg::Short('e') => opts.each = true,
            Arg::Long(name) => match name.as_str() {
                "layer" => opts.layers.push(args.text()?),
                "singular" => opts.singular = true,
                "each" => opts.each = true,
                "memory" => opts.memory = args.with("a size such as 256M", parse_size)?,
                "json" => opts.json = true,
                _ => return Err(Arg::Long(name).unexpected()),
            },
            Arg::Value(file) if file.is_empty() => return Err(Error::usage("an empty FILE")),
            Arg::Value(file) => opts.files.push(PathBuf::from(file)),
            arg => return Err(arg.unexpected()),
        }
    }
    match opts.files.len() {
        0 => Err(Error::usage("which file?")),
        2 if opts.singular && !opts.each => {
            Err(Error::usage("--singular tells of each file: with two, give --each too"))
        }
        _ => Ok(opts),
    }
}

/// Opens a file. A directory is one of somebody's checkpoints, and what to read in it is theirs to say.
fn open(path: &Path) -> Result<Weights> {
    if path.is_dir() {
        return Err(Error::data(path, 0, "is a directory: name the files in it"));
    }
    Weights::open(path)
}
