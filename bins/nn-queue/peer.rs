//! peer: the other end of a connection, on the host that runs are handed to. Another nn-queue starts it by ssh, asks, and
//! gets answers; it ends with the connection. Each question is complete in itself, so it does not matter where the cable
//! is cut; what changes a state is done by the spool's own steps, once however often it is asked for.

mod add;
mod report;
mod store;

use nn::base::args::Args;
use nn::base::cli::{Exit, Out};
use nn::base::error::{Error, Result};
use nn::base::json::{self, Value};
use nn::base::sys;
use nn::cluster::ssh::PROTOCOL;
use nn::cluster::ssh::wire::Wire;
use nn::record::{gpu, room};
use nn::spool::state::Folder;
use nn::spool::store::{Origin, Spool, is_id};
use std::io::{Stdin, Stdout};

/// The connection as this end has it.
type Line = Wire<Stdin, Stdout>;

/// Answers until the connection ends.
pub fn peer(args: &mut Args, _: &mut Out) -> Result<Exit> {
    let given = crate::runs::operands(args)?;
    let nonce = match given.as_slice() {
        [nonce] => nonce.to_str().filter(|nonce| is_id(nonce)),
        _ => None,
    };
    let nonce = nonce.ok_or_else(|| Error::usage("another nn-queue starts this, by ssh"))?;
    let mut wire = Wire::new(std::io::stdin(), std::io::stdout());
    let spool = Spool::find();
    let hello = hello(spool.as_ref().err());
    wire.bytes(format!("nn-peer {nonce} {hello}\n").as_bytes())?;
    wire.flush()?;
    let spool = spool?;
    while let Some(question) = wire.hear()? {
        if let Err(err) = answer(&spool, &question, &mut wire) {
            // What cannot be read any more cannot be answered either.
            if matches!(err, Error::Again(_)) {
                return Err(err);
            }
            wire.say(&json::map([("error", Value::from(err.to_string()))]))?;
        }
        wire.flush()?;
    }
    Ok(Exit::DONE)
}

fn hello(trouble: Option<&Error>) -> Value {
    let mut hello = json::map([("protocol", Value::from(PROTOCOL)), ("version", env!("CARGO_PKG_VERSION").into())]);
    hello.set("host", sys::host_name());
    if let Some(home) = std::env::home_dir().as_deref().and_then(|home| home.to_str()) {
        hello.set("home", home);
    }
    if let Some(trouble) = trouble {
        hello.set("error", trouble.to_string());
    }
    hello
}

fn answer(spool: &Spool, question: &Value, wire: &mut Line) -> Result<()> {
    let answer = match question.str("op").unwrap_or_default() {
        "state" => state(spool, question)?,
        "have" => store::have(spool, question)?,
        "files" => store::files(question)?,
        "put" => store::put(question, wire)?,
        "code" => store::code(spool, question, wire)?,
        "add" => add::add(spool, question)?,
        "start" => add::start(spool, question)?,
        "report" => return report::report(spool, question, wire),
        "cancel" => cancel(spool, question)?,
        other => return Err(Error::other(format!("it is asked for '{other}', which it does not know"))),
    };
    wire.say(&answer)
}

/// What there is, and what it is busy with.
fn state(spool: &Spool, question: &Value) -> Result<Value> {
    let mut state = Value::Map(Vec::new());
    for folder in [Folder::Queued, Folder::Submitted, Folder::Running] {
        state.set(folder.name(), spool.tokens(folder)?.len() as u64);
    }
    state.set("cores", std::thread::available_parallelism().map_or(1, usize::from) as u64);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    if let Some(load) = load.split(' ').next().and_then(|load| load.parse::<f64>().ok()) {
        state.set("load", json::number(load));
    }
    if let Some(memory) = room::memory() {
        state.set("ram", memory.total);
        state.set("ram_available", memory.available);
    }
    let disk = room::disk(spool.dir())?;
    state.set("disk", disk.total);
    state.set("disk_free", disk.free());
    if let Some(work) = question.get("work").and_then(json::to_os) {
        state.set("work_free", room::disk(work)?.free());
    }
    match gpu::gpus() {
        Ok(gpus) => {
            state.set("gpus", gpus.len() as u64);
            let names = gpus.iter().map(|gpu| Value::from(gpu.name.as_str())).collect::<Vec<_>>();
            state.set("gpu_names", names);
        }
        Err(why) => state.set("gpu_trouble", why),
    }
    state.set("worker", nn::spool::waits::somebody_works(spool)?);
    Ok(state)
}

/// Calls runs off, whether they have come here or not.
fn cancel(spool: &Spool, question: &Value) -> Result<Value> {
    let mut answers = Vec::new();
    for id in question.list("ids").unwrap_or_default().iter().filter_map(Value::as_str) {
        let mut answer = json::map([("id", Value::from(id))]);
        // Whoever is bringing it at this moment is refused from now on.
        match spool.refuse(id)? {
            Origin::Refused => answer.set("did", "never"),
            Origin::Gone(_) => answer.set("did", "gone"),
            origin @ Origin::Run(run, _) => {
                spool.settle(origin)?;
                match crate::change::call_off(spool, run) {
                    Ok(word) => answer.set("did", word),
                    Err(err) => answer.set("trouble", err.to_string()),
                }
            }
        }
        answers.push(answer);
    }
    Ok(json::map([("runs", Value::List(answers))]))
}
