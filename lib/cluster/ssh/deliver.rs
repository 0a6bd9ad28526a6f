//! Bringing runs to a host: first all that takes time and changes no state (code, inputs), then, in one question, the runs
//! themselves under their ids. To do it all once more does nothing that was done.

use super::host::{Host, absolute};
use super::inputs;
use super::link::Link;
use super::parcel::Parcel;
use crate::base::error::{Doing, Error, Result};
use crate::base::json::{self, Value};
use crate::base::text::escape;
use crate::base::units::show_size;
use crate::spool::snapshot::Code;
use crate::spool::snapshot::tar::Entry;
use crate::spool::store::Spool;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Room that must be left there beside what is sent, bytes.
const SPARE: u64 = 16 << 20;
/// Files that are asked for at a time.
const MANY: usize = 4096;

/// What the host did with a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Delivered {
    /// It has it, under this number
    Taken(i64),
    /// It will never run it under this id; why
    Refused(String),
    /// It had it before, and has removed it
    Gone,
}

/// Sends what the host lacks of the code and the inputs. Nothing that has a state is touched.
///
/// # Errors
/// The connection broke, there is no room there, or something cannot be read here.
pub fn prepare(spool: &Spool, host: &Host, link: &mut Link, parcels: &[Parcel]) -> Result<()> {
    let codes: BTreeMap<(String, String), Code> =
        parcels.iter().filter_map(|p| p.code.clone()).map(|c| ((c.tree.clone(), c.facts.clone()), c)).collect();
    let named = |code: &Code| {
        json::map([("tree", Value::from(code.tree.as_str())), ("facts", Value::from(code.facts.as_str()))])
    };
    let mut ask = json::map([("op", Value::from("have"))]);
    ask.set("code", codes.values().map(named).collect::<Vec<_>>());
    ask.set("work", json::from_os(absolute(&host.work, &link.hello.home).as_os_str()));
    let answer = link.ask(&ask)?;
    let lacks = |code: &Code| answer.list("lack").unwrap_or_default().iter().any(|one| *one == named(code));
    let code: Vec<&Code> = codes.values().filter(|code| lacks(code)).collect();
    let places: BTreeSet<&(PathBuf, PathBuf)> = parcels.iter().flat_map(|p| &p.inputs).collect();
    let mut inputs = Vec::new();
    for (input, base) in places {
        inputs.push((input.as_path(), base.as_path(), lacking(link, input, base)?));
    }
    let trees: u64 = code.iter().map(|c| c.folder(spool).join("tree.tar").metadata().map_or(0, |m| m.len())).sum();
    let all: u64 = inputs.iter().flat_map(|(.., files)| files).map(|file| file.size).sum();
    room(host, &answer, trees, all)?;
    for code in code {
        send_code(spool, link, code)?;
    }
    for (input, base, files) in inputs.iter().filter(|(.., files)| !files.is_empty()) {
        let above = input.parent().unwrap_or(Path::new("/"));
        link.say(&json::map([("op", Value::from("put")), ("base", json::from_os(base.as_os_str()))]))?;
        inputs::send(above, files, |bytes| link.bytes(bytes))?;
        link.answer()?;
    }
    Ok(())
}

fn room(host: &Host, answer: &Value, trees: u64, inputs: u64) -> Result<()> {
    let free = |key: &str| answer.int(key).and_then(|n| u64::try_from(n).ok());
    let same = free("same").is_some_and(|n| n > 0);
    let (in_spool, in_work) = if same { (trees + inputs, 0) } else { (trees, inputs) };
    for (key, need, at) in [("free", in_spool, &host.spool), ("free-work", in_work, &host.work)] {
        if let Some(free) = free(key).filter(|free| *free < need.saturating_add(SPARE)) {
            let what = format!("{} is left in {at}, and {} is to be sent", show_size(free), show_size(need));
            return Err(Error::other(format!("{}: no room: {what}", host.name)));
        }
    }
    Ok(())
}

/// The files of an input that the host lacks.
fn lacking(link: &mut Link, input: &Path, base: &Path) -> Result<Vec<Entry>> {
    let entries = inputs::list(input)?;
    let mut lacking = Vec::new();
    for some in entries.chunks(MANY) {
        let mut ask = json::map([("op", Value::from("files")), ("base", json::from_os(base.as_os_str()))]);
        ask.set("files", some.iter().map(inputs::to_json).collect::<Vec<_>>());
        let answer = link.ask(&ask)?;
        let places = answer.list("lack").unwrap_or_default().iter().filter_map(Value::as_int);
        lacking.extend(places.filter_map(|at| some.get(usize::try_from(at).ok()?)).cloned());
    }
    Ok(lacking)
}

fn send_code(spool: &Spool, link: &mut Link, code: &Code) -> Result<()> {
    let mut ask = json::map([("op", Value::from("code")), ("tree", code.tree.as_str().into())]);
    ask.set("facts", code.facts.as_str());
    let mut files = Vec::new();
    let mut sizes = Vec::new();
    for (kind, path) in [
        ("tar", code.folder(spool).join("tree.tar")),
        ("json", code.git_facts(spool)),
        ("patch", code.git_patch(spool)),
    ] {
        let file = match File::open(&path) {
            Err(err) if err.kind() == std::io::ErrorKind::NotFound && kind == "patch" => continue,
            file => file.doing("read", &path)?,
        };
        let size = file.metadata().doing("read", &path)?.len();
        sizes.push(json::map([("kind", Value::from(kind)), ("size", size.into())]));
        files.push((path, file, size));
    }
    ask.set("files", sizes);
    link.say(&ask)?;
    let mut piece = Vec::new();
    for (path, mut file, size) in files {
        let mut left = size;
        while left > 0 {
            piece.clear();
            let n = (&mut file).take(left.min(1 << 20)).read_to_end(&mut piece).doing("read", &path)?;
            if n == 0 {
                return Err(Error::data(&path, 0, "became shorter"));
            }
            link.bytes(&piece)?;
            left = left.saturating_sub(n as u64);
        }
    }
    link.answer().map(drop)
}

/// Hands over the runs, whose tokens say so already, and has them started. Also tells, in words, what is wrong with the
/// engine there, if anything is.
///
/// # Errors
/// There is no answer: it is unknown which it has. Ask again with the same ids.
pub fn add(
    host: &Host,
    link: &mut Link,
    parcels: &[Parcel],
    former: &[Option<String>],
) -> Result<(Vec<Delivered>, Option<String>)> {
    let mut ask = json::map([("op", Value::from("add"))]);
    engine(host, &mut ask);
    let one = |(parcel, former): (&Parcel, &Option<String>)| {
        let mut one = json::map([("id", Value::from(parcel.id.as_str())), ("job", parcel.job.clone())]);
        if let Some(former) = former {
            one.set("former", former.as_str());
        }
        one.set("env", parcel.env.clone());
        one
    };
    ask.set("jobs", parcels.iter().zip(former).map(one).collect::<Vec<_>>());
    let answer = link.ask(&ask)?;
    let items = answer.list("runs").unwrap_or_default();
    let read = |(parcel, item): (&Parcel, &Value)| match (item.int("run"), item.str("refused"), item.str("origin")) {
        _ if item.str("id") != Some(&parcel.id) => None,
        (_, _, Some("gone")) => Some(Delivered::Gone),
        (_, Some(why), _) => Some(Delivered::Refused(escape(why).into_owned())),
        (Some(run), ..) => Some(Delivered::Taken(run)),
        _ => None,
    };
    let read: Option<Vec<Delivered>> = parcels.iter().zip(items).map(read).collect();
    let all = read.filter(|all| all.len() == parcels.len());
    let all = all.ok_or_else(|| Error::other(format!("{}: its answer makes no sense", host.name)))?;
    Ok((all, answer.str("trouble").map(|what| escape(what).into_owned())))
}

/// What a question says of the engine there.
pub fn engine(host: &Host, ask: &mut Value) {
    ask.set("engine", host.engine.name());
    ask.set("options", host.engine_options.iter().map(|word| Value::from(word.as_str())).collect::<Vec<_>>());
    if let Some(slots) = host.slots {
        ask.set("slots", i64::from(slots));
    }
    if let Some(gpus) = host.gpus {
        ask.set("gpus", i64::from(gpus));
    }
}
