//! Taking runs over, and having them started: by a worker, if none works here yet, or by the scheduler of this host. What
//! cannot run here is refused for ever under its id, so that the other end may have it run elsewhere.

use nn::base::error::{Doing, Error, Result};
use nn::base::files;
use nn::base::json::{self, Value};
use nn::cluster::ssh::host::Engine;
use nn::record::gpu;
use nn::spool::job::Job;
use nn::spool::owner::Life;
use nn::spool::recover::LEASE;
use nn::spool::state::{Folder, State, Token};
use nn::spool::store::{Given, Origin, Spool, environment, is_id};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Adds runs, each once, and starts what starts them.
pub fn add(spool: &Spool, question: &Value) -> Result<Value> {
    let asked = question.list("jobs").unwrap_or_default();
    let mut origins: Vec<(String, Option<Origin>, Option<String>)> = Vec::with_capacity(asked.len());
    // Those of one environment are added together.
    let mut lots: Vec<(&Value, Vec<(usize, Given)>)> = Vec::new();
    for (i, one) in asked.iter().enumerate() {
        let id = one.str("id").filter(|id| is_id(id)).ok_or_else(|| Error::other("a run has no id"))?;
        let env = one.get("env").unwrap_or(&Value::Null);
        origins.push((id.to_string(), None, None));
        match given(id, one) {
            Ok(given) => match lots.iter_mut().find(|(other, _)| *other == env) {
                Some((_, lot)) => lot.push((i, given)),
                None => lots.push((env, vec![(i, given)])),
            },
            Err(why) => {
                if let Some(place) = origins.get_mut(i) {
                    *place = (id.to_string(), Some(spool.refuse(id)?), Some(why));
                }
            }
        }
    }
    for (env, lot) in lots {
        let given: Vec<Given> = lot.iter().map(|(_, given)| given.clone()).collect();
        let added = spool.add_once(&given, &with(environment(), env))?;
        for ((i, _), origin) in lot.iter().zip(added) {
            if let Some(place) = origins.get_mut(*i) {
                place.1 = Some(origin);
            }
        }
    }
    let runs = origins.into_iter().map(|(id, origin, why)| {
        let mut answer = json::map([("id", Value::from(id))]);
        match origin {
            Some(Origin::Run(run, _)) => answer.set("run", run),
            Some(Origin::Gone(_)) => answer.set("origin", "gone"),
            _ => answer.set("refused", why.unwrap_or_else(|| "it was called off".into())),
        }
        answer
    });
    let mut answer = json::map([("runs", Value::List(runs.collect()))]);
    if let Some(trouble) = start(spool, question)?.str("trouble") {
        answer.set("trouble", trouble);
    }
    Ok(answer)
}

/// A run as it is asked for; why it cannot run here.
fn given(id: &str, one: &Value) -> std::result::Result<Given, String> {
    let job = Job::check(one.get("job").cloned().unwrap_or(Value::Null))?;
    let missing = |path: &Path| format!("there is no {} there", path.display());
    match job.code() {
        None => {
            if let Some(cwd) = job.cwd().filter(|cwd| !cwd.is_dir()) {
                return Err(missing(&cwd));
            }
        }
        Some(code) => {
            let links = code.links.iter().map(|link| code.root.join(link));
            if let Some(link) = links.into_iter().find(|link| std::fs::metadata(link).is_err()) {
                return Err(format!("{}: put it there, or send it along by --input", missing(&link)));
            }
        }
    }
    Ok(Given { id: id.to_string(), former: one.str("former").map(String::from), job })
}

/// An environment with variables that came along.
fn with(mut env: Vec<u8>, more: &Value) -> Vec<u8> {
    for (name, value) in more.as_map().unwrap_or_default() {
        let Some(value) = json::to_os(value).filter(|value| !value.as_bytes().contains(&0)) else { continue };
        if name.is_empty() || name.contains(['=', '\0']) {
            continue;
        }
        // The first of two is what counts nowhere for sure: there is to be one only.
        let begins = format!("{name}=");
        let kept: Vec<&[u8]> =
            env.split_inclusive(|b| *b == 0).filter(|pair| !pair.starts_with(begins.as_bytes())).collect();
        env = kept.concat();
        env.extend_from_slice(begins.as_bytes());
        env.extend_from_slice(value.as_bytes());
        env.push(0);
    }
    env
}

/// Sees to it that what is queued gets started. `trouble`: why it does not.
pub fn start(spool: &Spool, question: &Value) -> Result<Value> {
    let engine = question.str("engine").and_then(Engine::parse).unwrap_or(Engine::Worker);
    let options = question.list("options").unwrap_or_default().iter().filter_map(|word| word.as_str());
    let began = match engine {
        Engine::Worker => worker(spool, question),
        _ => submit(spool, engine, options.map(OsString::from).collect()),
    };
    let mut answer = Value::Map(Vec::new());
    if let Err(err) = began {
        answer.set("trouble", err.to_string());
    }
    Ok(answer)
}

fn worker(spool: &Spool, question: &Value) -> Result<()> {
    if nn::spool::waits::somebody_works(spool)? {
        return Ok(());
    }
    mend(spool)?;
    if spool.tokens(Folder::Queued)?.is_empty() {
        return Ok(());
    }
    let gpus = question.int("gpus");
    let has = || gpu::gpus().ok().and_then(|gpus| i64::try_from(gpus.len()).ok());
    let slots = question.int("slots").or(gpus).or_else(has).filter(|n| (1..=1024).contains(n)).unwrap_or(1);
    let mut words: Vec<OsString> =
        vec!["work".into(), "--detach".into(), "-q".into(), "-j".into(), slots.to_string().into()];
    match gpus {
        None => {}
        Some(0) => words.extend(["--gpus".into(), "none".into()]),
        Some(n) => {
            let numbers: Vec<String> = (0..n.min(1024)).map(|i| i.to_string()).collect();
            words.extend(["--gpus".into(), numbers.join(",").into()]);
        }
    }
    nn_queue(spool, &words)
}

/// What a worker does beside its runs, where none works: of runs that a crash or a reboot cut off the end is found.
fn mend(spool: &Spool) -> Result<()> {
    let is_cut_off = |token: &Token| match &token.state {
        State::Claimed(owner) | State::Started(_, owner) => owner.life() != Life::Alive,
        _ => false,
    };
    if !spool.tokens(Folder::Running)?.iter().any(is_cut_off) {
        return Ok(());
    }
    nn_queue(spool, &["recover".into()])?;
    let is_of_former_boot = |token: &Token| match &token.state {
        State::Claimed(owner) | State::Started(_, owner) => owner.life() == Life::Rebooted,
        _ => false,
    };
    // A proof that takes a minute and a half is not waited for: the next look finds it done.
    let mark = spool.dir().join("hosts").join("mending");
    let age = || std::fs::metadata(&mark).ok()?.modified().ok()?.elapsed().ok();
    if !spool.tokens(Folder::Running)?.iter().any(is_of_former_boot) || age().is_some_and(|age| age < LEASE * 2) {
        return Ok(());
    }
    files::overwrite(&mark, b"\n")?;
    let exe = std::env::current_exe().doing("find", "this program")?;
    let mut command = Command::new(&exe);
    command.args(["recover", "--wait"]).env("NN_SPOOL", spool.dir()).current_dir(spool.dir());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().doing("run", &exe).map(drop)
}

/// Hands to the scheduler of this host what other spools handed here and still waits; and asks it how the rest stands.
fn submit(spool: &Spool, engine: Engine, options: Vec<OsString>) -> Result<()> {
    nn_queue(spool, &["sync".into()])?;
    let mut runs = Vec::new();
    for token in spool.tokens(Folder::Queued)? {
        let is_handed_here = spool.job(token.run).is_ok_and(|job| job.json.get("origin").is_some());
        if matches!(token.state, State::Queued(_)) && is_handed_here {
            runs.push(token.run);
        }
    }
    if runs.is_empty() {
        return Ok(());
    }
    runs.sort_unstable();
    let mut words: Vec<OsString> = vec!["submit".into(), "--to".into(), engine.name().into()];
    words.extend(options);
    words.extend(runs.iter().map(|run| OsString::from(run.to_string())));
    nn_queue(spool, &words)
}

/// This same program with another verb; its words when it fails.
fn nn_queue(spool: &Spool, words: &[OsString]) -> Result<()> {
    let exe = std::env::current_exe().doing("find", "this program")?;
    let mut command = Command::new(&exe);
    command.args(words).env("NN_SPOOL", spool.dir()).stdin(Stdio::null());
    let output = command.output().doing("run", &exe)?;
    if matches!(output.status.code(), Some(0 | 1)) {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(Error::other(said.lines().last().unwrap_or("nn-queue failed").trim_start_matches("nn-queue: ").to_string()))
}
