//! nn-diskcheck: is there room (disk, inodes, quota, RAM, GPU memory) before and during a run
//!
//! One record a path: what is free, what limits it, what is needed, yes or no. Free is the least of file system, quotas
//! and, with --probe, of what can truly be allocated. A need is given, or estimated from an earlier run: what it left
//! in its directory and the most memory it used, and a quarter more. Records go to standard output, what is missing to
//! standard error in words; the exit status is the answer, for a line of a batch script. No spool is needed but for
//! --like.

mod like;

use nn::base::args::{Arg, Args};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Error, Result};
use nn::base::json::{self, Value};
use nn::base::table::{Cell, Format, Table};
use nn::base::units::{parse_size, show_size};
use nn::record::gpu;
use nn::record::room::{self, Disk, Lack};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "
usage: nn-diskcheck [--need SIZE] [--inodes N] [--ram SIZE] [--gpu-mem SIZE]
                    [--like RUN] [--probe] [--json] [PATH...]

  --need SIZE    bytes that must be free at each path: 20G, 512M
  --inodes N     files that must fit there
  --ram SIZE     memory that must be available
  --gpu-mem SIZE memory that must be free on one GPU
  --like RUN     as much as this run used, and a quarter more
  --probe        see whether as much can truly be allocated
  --json         one JSON object a line
  -h, --help     print this
  -V, --version  print the version

Without PATH: the current directory. Exit status: 0 there is room, 1 there is not, 2 failure.
";

fn main() -> ExitCode {
    cli::main("nn-diskcheck", USAGE, run)
}

#[derive(Default)]
struct Opts {
    need: Need,
    like: Option<String>,
    probe: bool,
    json: bool,
    paths: Vec<PathBuf>,
}

/// What must be free; None: whatever there is.
#[derive(Clone, Copy, Debug, Default)]
struct Need {
    disk: Option<u64>,
    inodes: Option<u64>,
    ram: Option<u64>,
    gpu_mem: Option<u64>,
}

impl Need {
    fn or(self, other: Need) -> Need {
        Need {
            disk: self.disk.or(other.disk),
            inodes: self.inodes.or(other.inodes),
            ram: self.ram.or(other.ram),
            gpu_mem: self.gpu_mem.or(other.gpu_mem),
        }
    }
}

fn run(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let mut opts = parse(args)?;
    if let Some(run) = &opts.like {
        let like = like::need(run)?;
        opts.need = opts.need.or(like);
    }
    let mut records = Records::new(if opts.json { Format::Json } else { Format::detect(out) });
    let mut devices: Vec<u64> = Vec::new();
    for path in &opts.paths {
        match disk(path, &opts, &mut devices) {
            Ok((disk, paths)) => records.disk(&disk, opts.need, paths),
            Err(err) => cli::complain(&err),
        }
    }
    memory(&mut records, opts.need);
    records.table.print(out, records.format)?;
    out.flush()?;
    for lack in &records.lacks {
        cli::tell(&lack.to_string());
    }
    Ok(if records.lacks.is_empty() { Exit::DONE } else { Exit::NO })
}

fn parse(args: &mut Args) -> Result<Opts> {
    let mut opts = Opts::default();
    let size = |args: &mut Args| args.with("a size such as 20G", parse_size);
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Long(name) => match name.as_str() {
                "need" => opts.need.disk = Some(size(args)?),
                "inodes" => opts.need.inodes = Some(args.parse("a number of files")?),
                "ram" => opts.need.ram = Some(size(args)?),
                "gpu-mem" => opts.need.gpu_mem = Some(size(args)?),
                "like" => opts.like = Some(args.text()?),
                "probe" => opts.probe = true,
                "json" => opts.json = true,
                _ => return Err(Arg::Long(name).unexpected()),
            },
            // "$WRKDIR" of a script, not set: the current directory is not what was meant.
            Arg::Value(path) if path.is_empty() => return Err(Error::usage("an empty PATH")),
            Arg::Value(path) => opts.paths.push(PathBuf::from(path)),
            arg => return Err(arg.unexpected()),
        }
    }
    if opts.probe && opts.need.disk.is_none() && opts.like.is_none() {
        return Err(Error::usage("option '--probe' allocates what is needed: give --need or --like"));
    }
    if opts.paths.is_empty() {
        opts.paths.push(PathBuf::from("."));
    }
    Ok(opts)
}

/// The room at a path, and how many paths up to this one share it: what is free there is not free for each of them.
fn disk(path: &Path, opts: &Opts, devices: &mut Vec<u64>) -> Result<(Disk, u64)> {
    let mut disk = room::disk(path)?;
    devices.push(disk.device);
    let paths = devices.iter().filter(|device| **device == disk.device).count() as u64;
    if let Some(need) = opts.need.disk.filter(|_| opts.probe) {
        room::probe(&mut disk, need.saturating_mul(paths))?;
    }
    for warning in &disk.warnings {
        cli::warn(&format!("{}: {warning}", disk.at.display()));
    }
    Ok((disk, paths))
}

fn memory(records: &mut Records, wanted: Need) {
    if let Some(need) = wanted.ram {
        let memory = room::memory().ok_or_else(|| Error::other("the kernel does not say how much memory there is"));
        match memory {
            Ok(m) => records.memory("ram", (m.available, m.total), &m.by.words(), need, m.lacks(need, 0)),
            Err(err) => cli::complain(&err),
        }
    }
    if let Some(need) = wanted.gpu_mem {
        let visible = std::env::var("CUDA_VISIBLE_DEVICES").ok();
        match gpu::gpus().and_then(|gpus| room::gpu_memory(&gpus, visible.as_deref())) {
            Ok(m) => records.memory("gpu-mem", (m.free, m.total), &m.by, need, m.lacks(need)),
            Err(why) => cli::complain(&Error::other(why)),
        }
    }
}

/// What is printed, and what is missing.
struct Records {
    format: Format,
    table: Table,
    lacks: Vec<Lack>,
}

impl Records {
    fn new(format: Format) -> Records {
        let mut headings = vec!["path", "what", "free", "limit", "need", "room"];
        if format == Format::Json {
            headings.extend(["at", "mount", "total", "probed", "limits"]);
        }
        Records { format, table: Table::new(&headings), lacks: Vec::new() }
    }

    fn disk(&mut self, disk: &Disk, need: Need, paths: u64) {
        let (free, by) = (disk.free(), disk.limited_by());
        let all = |need: Option<u64>| need.map_or(1, |need| need.saturating_mul(paths));
        let lacks = disk.lacks(all(need.disk), all(need.inodes), 0);
        let missing = |what: &str| lacks.iter().any(|lack| lack.what == what);
        self.row(disk, "disk", size(free), by.words(), need.disk.map(size), !missing("disk"));
        // Everything needs a file: said when that is what is missing.
        if need.inodes.is_some() || missing("inodes") {
            let (free, by) = match disk.inodes() {
                Some((free, by)) => (free.into(), by.words()),
                None => (Cell::empty(), "not counted"),
            };
            self.row(disk, "inodes", free, by, need.inodes.map(Cell::from), !missing("inodes"));
        }
        self.lacks.extend(lacks);
    }

    fn row(&mut self, disk: &Disk, what: &str, free: Cell, limit: &str, need: Option<Cell>, room: bool) {
        let mut cells = vec![
            json::from_os(disk.path.as_os_str()).into(),
            what.into(),
            free,
            limit.into(),
            need.unwrap_or_else(Cell::empty),
            self.yes(room),
        ];
        if self.format == Format::Json {
            let limit = |limit: &room::Limit| {
                let members = json::map([("free", Value::from(limit.free)), ("inodes", limit.inodes.into())]);
                (limit.by.words(), members)
            };
            cells.extend([
                Cell::from(json::from_os(disk.at.as_os_str())),
                disk.mount.as_ref().map(|mount| json::from_os(mount.point.as_os_str())).into(),
                disk.total.into(),
                disk.probed.into(),
                json::map(disk.limits.iter().map(limit)).into(),
            ]);
        }
        self.table.row(cells);
    }

    fn yes(&self, room: bool) -> Cell {
        match (self.format, room) {
            (Format::Json, room) => room.into(),
            (_, true) => "yes".into(),
            (_, false) => "no".into(),
        }
    }

    fn memory(&mut self, what: &str, (free, total): (u64, u64), limit: &str, need: u64, lack: Option<Lack>) {
        let no_path = if self.format == Format::Json { Cell::empty() } else { "-".into() };
        let mut cells = vec![no_path, what.into(), size(free), limit.into(), size(need), self.yes(lack.is_none())];
        if self.format == Format::Json {
            cells.extend([Cell::empty(), Cell::empty(), total.into(), Cell::empty(), Cell::empty()]);
        }
        self.table.row(cells);
        self.lacks.extend(lack);
    }
}

fn size(bytes: u64) -> Cell {
    Cell::shown(bytes, show_size(bytes))
}
