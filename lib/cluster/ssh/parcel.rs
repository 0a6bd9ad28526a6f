//! What a run is for a host: its job with the paths as they are called there, the code it needs, the files that go along,
//! and the variables. Made of job.json, which never changes: the same each time.

use super::host::{Host, absolute, mapped};
use crate::base::error::{Error, Result};
use crate::base::json::{self, Value};
use crate::base::sys::host_name;
use crate::spool::snapshot::Code;
use crate::spool::state::Token;
use crate::spool::store::{Spool, read_environment};
use std::path::{Path, PathBuf};

/// Members of a job that mean something only here.
const LOCAL: [&str; 5] = ["after", "after-any", "hold", "added", "input"];

/// A run on its way to a host.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// Its token, in submitted/
    pub token: Token,
    /// Its id there
    pub id: String,
    /// The job for the host
    pub job: Value,
    /// The code it needs
    pub code: Option<Code>,
    /// Files that go along, and the directory there that gets them
    pub inputs: Vec<(PathBuf, PathBuf)>,
    /// Variables that go along
    pub env: Value,
}

impl Parcel {
    /// Of a run, for a host whose home is known.
    ///
    /// # Errors
    /// Its job.json is damaged.
    pub fn new(spool: &Spool, token: &Token, id: &str, host: &Host, home_there: &Path) -> Result<Parcel> {
        let run = token.run;
        let job = spool.job(run)?;
        let map = Map::new(absolute(&host.work, home_there));
        let mut json = job.json.clone();
        if let Value::Map(members) = &mut json {
            members.retain(|(key, _)| !LOCAL.contains(&key.as_str()));
        }
        if let Some(cwd) = job.cwd() {
            json.set("cwd", json::from_os(map.there(&cwd).as_os_str()));
        }
        let code = job.code();
        if let Some(code) = &code {
            json.set("code", Code { root: map.there(&code.root), ..code.clone() }.to_json());
        }
        let origin = [("id", Value::from(id)), ("host", host_name().into()), ("run", run.into())];
        json.set("origin", json::map(origin));
        // What happens there is told from here, once it is fetched.
        json.set("notify", "none");
        json.set("priority", i64::from(spool.priority_of(run)));
        let above = |input: PathBuf| {
            let there = map.there(&input);
            let dir = there.parent().unwrap_or(Path::new("/")).to_path_buf();
            (input, dir)
        };
        let inputs = job.inputs().into_iter().map(above).collect();
        let env = variables(spool, run, host)?;
        Ok(Parcel { token: token.clone(), id: id.to_string(), job: json, code, inputs, env })
    }
}

/// The variables that the host's settings name, as the run has them.
fn variables(spool: &Spool, run: u64, host: &Host) -> Result<Value> {
    if host.env.is_empty() {
        return Ok(Value::Map(Vec::new()));
    }
    let all = read_environment(&spool.run_dir(run).join("env"))?;
    let named = all.into_iter().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    let wanted = named.filter(|(name, _)| host.env.contains(name));
    Ok(json::map(wanted.map(|(name, value)| (name, json::from_os(&value)))))
}

/// Paths here and there.
struct Map {
    homes: Vec<PathBuf>,
    work: PathBuf,
}

impl Map {
    fn new(work: PathBuf) -> Map {
        let home = std::env::home_dir().filter(|home| home.is_absolute());
        // A directory may be known by the name behind a link.
        let real = home.as_ref().and_then(|home| home.canonicalize().ok());
        Map { homes: home.into_iter().chain(real).collect(), work }
    }

    fn there(&self, path: &Path) -> PathBuf {
        let home = self.homes.iter().find(|home| path.starts_with(home));
        home.map_or_else(|| path.to_path_buf(), |home| mapped(path, home, &self.work))
    }
}

/// Whether a run can be handed over at all: why not, in words.
///
/// # Errors
/// Its job.json is damaged.
pub fn fits(spool: &Spool, run: u64, host: &Host) -> Result<Option<String>> {
    let job = spool.job(run)?;
    let gpus = job.json.get("needs").and_then(|needs| needs.int("gpus")).unwrap_or(0);
    if let Some(has) = host.gpus.filter(|has| gpus > i64::from(*has)) {
        return Ok(Some(format!("it needs {gpus} GPUs, and {} has {has}", host.name)));
    }
    if let Some(code) = job.code().filter(|code| !code.is_there(spool)) {
        return Err(Error::other(format!("run {run}: its code, {}, is gone", code.folder(spool).display())));
    }
    Ok(None)
}
