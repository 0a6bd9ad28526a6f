//! host: the hosts that runs can be handed to by ssh: which there are, whether they are fit, and making them so. How runs
//! go there is in submit.rs, how they come back in sync.rs (and while
//! somebody waits for them in following.rs), how the tools get there in setup.rs.

pub mod following;
pub mod setup;
pub mod submit;
pub mod sync;

use nn::base::args::{Arg, Args};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Error, Result};
use nn::base::json::{self, Value};
use nn::base::table::{Cell, Format, Table, time_cell};
use nn::base::text::{did_you_mean, escape};
use nn::base::units::show_size;
use nn::cluster::ssh::host::{Host, absolute};
use nn::cluster::ssh::link::Link;
use nn::cluster::ssh::record::{Reach, Record};
use nn::spool::state::{Folder, State, Token};
use nn::spool::store::Spool;
use std::collections::HashMap;
use std::path::PathBuf;

/// What `host` was asked.
#[derive(Default)]
pub struct Opts {
    json: bool,
    from: Option<PathBuf>,
    names: Vec<String>,
}

/// list, check or setup.
pub fn host(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let verbs = ["list", "check", "setup"];
    let verb = match args.next()? {
        Some(Arg::Value(verb)) => verb.to_string_lossy().into_owned(),
        Some(arg) => return Err(arg.unexpected()),
        None => return Err(Error::usage("say what to do with hosts: list, check or setup")),
    };
    let mut opts = Opts::default();
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Long(name) if name == "json" && verb != "setup" => opts.json = true,
            Arg::Long(name) if name == "from" && verb == "setup" => opts.from = Some(PathBuf::from(args.value()?)),
            Arg::Value(name) if verb != "list" => opts.names.push(name.to_string_lossy().into_owned()),
            arg => return Err(arg.unexpected()),
        }
    }
    let spool = Spool::find()?;
    match verb.as_str() {
        "list" => list(&spool, &opts, out),
        "check" => check(&spool, &opts, out),
        "setup" if opts.names.is_empty() => Err(Error::usage("set up which host?")),
        "setup" => setup::setup(&spool, &named(&spool, &opts)?, &opts, out),
        _ => Err(Error::usage(format!("host {verb}: unknown verb{}", did_you_mean(&verb, verbs)))),
    }
}

/// The hosts that operands name; without any, all.
fn named(spool: &Spool, opts: &Opts) -> Result<Vec<Host>> {
    let config = spool.config()?;
    if opts.names.is_empty() {
        return Host::all(&config);
    }
    let mut hosts: Vec<Host> = Vec::new();
    for name in &opts.names {
        for host in Host::named(&config, name)? {
            if !hosts.iter().any(|other| other.name == host.name) {
                hosts.push(host);
            }
        }
    }
    Ok(hosts)
}

fn none_there(spool: &Spool) -> Exit {
    let path = spool.dir().join("config");
    cli::tell(&format!("there are no hosts: a section [host NAME] in {} makes one", path.display()));
    Exit::NO
}

fn list(spool: &Spool, opts: &Opts, out: &mut Out) -> Result<Exit> {
    let hosts = named(spool, opts)?;
    if hosts.is_empty() {
        return Ok(none_there(spool));
    }
    let mut there: HashMap<String, u64> = HashMap::new();
    for token in spool.tokens(Folder::Submitted)? {
        if let State::Submitted(engine, _) = token.state {
            *there.entry(engine).or_default() += 1;
        }
    }
    let mut table = Table::new(&["host", "ssh", "groups", "engine", "runs", "reached", "note"]);
    for host in hosts {
        let reach = Reach::of(spool, &host.name);
        table.row(vec![
            host.name.as_str().into(),
            host.destination.as_str().into(),
            host.groups.join(" ").into(),
            host.engine.name().into(),
            there.get(&host.name).copied().unwrap_or(0).into(),
            reach.reached().map_or_else(Cell::empty, time_cell),
            reach.trouble().map_or_else(Cell::empty, Cell::from),
        ]);
    }
    let format = if opts.json { Format::Json } else { Format::detect(out) };
    table.print(out, format)?;
    Ok(Exit::DONE)
}

/// Asks each host what it has.
pub fn check(spool: &Spool, opts: &Opts, out: &mut Out) -> Result<Exit> {
    let hosts = named(spool, opts)?;
    if hosts.is_empty() {
        return Ok(none_there(spool));
    }
    let mut table = Table::new(&["host", "version", "gpus", "cores", "load", "ram", "disk", "runs", "worker"]);
    let mut all = true;
    let format = if opts.json { Format::Json } else { Format::detect(out) };
    for (host, state) in ask_all(spool, &hosts) {
        match state {
            Ok((link, state)) => {
                all &= is_fit(&host, &state);
                table.row(row(&host, &link, &state));
            }
            Err(err) => {
                all = false;
                cli::complain(&err);
            }
        }
    }
    if !table.is_empty() {
        table.print(out, format)?;
    }
    Ok(if all { Exit::DONE } else { Exit::NO })
}

fn row(host: &Host, link: &Link, state: &Value) -> Vec<Cell> {
    let count = |key: &str| state.int(key).and_then(|n| u64::try_from(n).ok());
    let size = |key: &str| count(key).map_or_else(Cell::empty, |n| Cell::shown(n, show_size(n)));
    let number = |key: &str| count(key).map_or_else(Cell::empty, Cell::from);
    let busy = count("queued").unwrap_or(0) + count("submitted").unwrap_or(0) + count("running").unwrap_or(0);
    vec![
        host.name.as_str().into(),
        link.hello.version.as_str().into(),
        number("gpus"),
        number("cores"),
        state.num("load").map_or_else(Cell::empty, |load| json::number(load).into()),
        size("ram_available"),
        size("disk_free"),
        busy.into(),
        if state.get("worker").and_then(Value::as_bool) == Some(true) { "yes".into() } else { "no".into() },
    ]
}

/// Whether what the settings say of a host is there; what is not is told.
fn is_fit(host: &Host, state: &Value) -> bool {
    let mut fit = true;
    let mut lacks = |what: String| {
        cli::tell(&format!("{}: {what}", host.name));
        fit = false;
    };
    let gpus = state.int("gpus");
    if let Some(why) = state.str("gpu_trouble") {
        lacks(format!("its GPUs cannot be asked: {}", escape(why)));
    } else if let (Some(said), Some(has)) = (host.gpus, gpus)
        && i64::from(said) > has
    {
        lacks(format!("it has {has} GPUs, and the settings say {said}"));
    }
    for (key, place) in [("disk_free", &host.spool), ("work_free", &host.work)] {
        if let Some(free) = state.int(key).filter(|free| *free < LEAST_ROOM) {
            lacks(format!("only {} is left in {place}", show_size(u64::try_from(free).unwrap_or(0))));
        }
    }
    fit
}

/// Less room than this is trouble at once, bytes.
const LEAST_ROOM: i64 = 256 << 20;

/// Whether a run was running at a host that answered when it was last asked.
pub fn is_running(spool: &Spool, token: &Token) -> bool {
    let State::Submitted(host, _) = &token.state else { return false };
    let record = Record::of(spool, token.run);
    record.is_at(host) && record.state() == Folder::Running.name() && Reach::of(spool, host).trouble().is_none()
}

/// Asks several hosts at the same time what they have and do; the connections stay open.
pub fn ask_all(spool: &Spool, hosts: &[Host]) -> Vec<(Host, Result<(Link, Value)>)> {
    let ask = |host: &Host| -> Result<(Link, Value)> {
        let mut link = Link::open(host, spool.dir())?;
        let mut ask = json::map([("op", Value::from("state"))]);
        ask.set("work", json::from_os(absolute(&host.work, &link.hello.home).as_os_str()));
        let state = link.ask(&ask)?;
        Ok((link, state))
    };
    std::thread::scope(|scope| {
        let asked: Vec<_> = hosts.iter().map(|host| (host, scope.spawn(move || ask(host)))).collect();
        let answers = asked.into_iter().map(|(host, answer)| {
            let answer = answer.join().unwrap_or_else(|_| Err(Error::other("a thread failed")));
            Reach::note(spool, &host.name, answer.as_ref().err());
            (host.clone(), answer)
        });
        answers.collect()
    })
}
