//! The page and what it shows as files, which a browser opens without a server.
//!
//! Each file is replaced in one step, the data of the runs first and what leads to them last; so that who reads meanwhile
//! sees a page that works, and an export that is interrupted leaves what was there, and in data/tmp at most a file that
//! a later one removes. Data of runs that are no longer among those exported is removed at the end. A folder that holds
//! something else is left alone.

use crate::app::about;
use crate::hosts::Hosts;
use crate::model::Model;
use crate::{curves, log, resources, run};
use nn::base::cli::{self, Exit};
use nn::base::error::{Doing, Error, Result};
use nn::base::files;
use nn::base::json::{self, Value};
use nn::spool::select::select;
use nn::spool::store::Spool;
use nn::web::page;
use std::collections::HashSet;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

/// Points of a curve.
const POINTS: usize = 1000;
/// Points of what was used.
const RESOURCES: usize = 500;
/// A file that is being written is not so old.
const REMAINS: Duration = Duration::from_secs(3600);
/// Tells the page that its data lies in files.
const MARK: &str = "<meta name=\"nn-data\" content=\"files\">";

/// Writes all of it.
///
/// # Errors
/// The folder is something else's, or a file cannot be written.
pub fn export(spool: &Spool, dir: &Path, operands: Vec<OsString>) -> Result<Exit> {
    let mut model = Model::new(spool.clone());
    model.look()?;
    let chosen = choose(spool, operands)?;
    let is_chosen = |run: &u64| chosen.as_ref().is_none_or(|chosen| chosen.contains(run));
    let runs: Vec<u64> = model.runs().into_iter().filter(is_chosen).collect();
    make_place(dir)?;
    for run in &runs {
        export_run(&model, dir, *run)?;
    }
    let rows = runs.iter().filter_map(|run| model.row(*run)).collect();
    put(dir, "runs", &json::map([("version", Value::from(model.version())), ("runs", Value::List(rows))]).to_string())?;
    put(dir, "hosts", &Hosts::default().tell(spool).to_string())?;
    put(dir, "queue", &json::map([("queue", queue(&model, &is_chosen))]).to_string())?;
    put(dir, "about", &about(spool, false).to_string())?;
    for file in page::FILES.iter().rev() {
        let bytes = if file.name == "index.html" { marked(file.bytes) } else { file.bytes.to_vec() };
        write(dir, file.name, &bytes)?;
    }
    remove_others(dir, &runs)?;
    Ok(if runs.is_empty() { Exit::NO } else { Exit::DONE })
}

/// The runs that are named, by '-' on standard input. None: all. An input that is merely there names none: that of cron is
/// an empty pipe.
fn choose(spool: &Spool, operands: Vec<OsString>) -> Result<Option<HashSet<u64>>> {
    let named = match operands.as_slice() {
        [] => return Ok(None),
        [one] if one == "-" => cli::operands(Vec::new())?,
        _ => cli::operands(operands)?,
    };
    Ok(Some(select(spool, &named)?.into_iter().collect()))
}

/// Makes the folder, unless it is there and is that of an export, or empty.
fn make_place(dir: &Path) -> Result<()> {
    let exists = dir.exists();
    if exists && !files::names(dir)?.is_empty() && !dir.join("data").join("about.js").exists() {
        let words = "it holds something else than an export: name a new folder, or an empty one";
        return Err(Error::other(format!("{}: {words}", dir.display())));
    }
    let data = dir.join("data");
    for path in [dir, &data, &data.join("runs"), &data.join("tmp")] {
        std::fs::create_dir_all(path).doing("make the directory", path)?;
    }
    remove_remains(&data.join("tmp"))?;
    // Tells the next export that this folder is one, should this one be interrupted.
    if !exists || !dir.join("data").join("about.js").exists() {
        write(dir, "data/about.js", b"")?;
    }
    Ok(())
}

fn export_run(model: &Model, dir: &Path, run: u64) -> Result<()> {
    let Some(whole) = run::tell(model, run) else { return Ok(()) };
    let spool = &model.spool;
    let own = dir.join("data").join("runs").join(run.to_string());
    std::fs::create_dir_all(&own).doing("make the directory", &own)?;
    let name = |part: &str| format!("runs/{run}/{part}");
    put(dir, &name("history"), &curves::read(spool, run, POINTS)?)?;
    put(dir, &name("resources"), &resources::read(spool, run, RESOURCES)?.to_string())?;
    put(dir, &name("log"), &log::read(&spool.run_dir(run), log::LAST)?.to_string())?;
    put(dir, &format!("runs/{run}"), &whole.to_string())
}

/// Writes one piece of data as the script that hands it to the page.
fn put(dir: &Path, name: &str, json: &str) -> Result<()> {
    let text = format!("nn.put({}, {json});\n", Value::from(name));
    write(dir, &format!("data/{name}.js"), text.as_bytes())
}

/// Writes a file, unless it is there as it shall be: what copies the folder elsewhere has less to copy.
fn write(dir: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = dir.join(name);
    if std::fs::read(&path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    files::publish(&dir.join("data").join("tmp"), &path, bytes)
}

/// Removes what exports before this one had begun to write when they were killed.
fn remove_remains(tmp: &Path) -> Result<()> {
    for entry in std::fs::read_dir(tmp).doing("read", tmp)? {
        let path = entry.doing("read", tmp)?.path();
        let age = std::fs::metadata(&path).and_then(|meta| meta.modified()).ok().and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age > REMAINS) {
            files::remove(&path)?;
        }
    }
    Ok(())
}

fn queue(model: &Model, is_chosen: &impl Fn(&u64) -> bool) -> Value {
    let all = model.queue();
    let run = |entry: &Value| entry.int("run").and_then(|run| u64::try_from(run).ok());
    let chosen = all.as_list().unwrap_or_default().iter().filter(|entry| run(entry).is_some_and(|run| is_chosen(&run)));
    Value::List(chosen.cloned().collect())
}

/// The page, told where its data is.
fn marked(page: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(page).replacen("<head>", &format!("<head>\n{MARK}"), 1).into_bytes()
}

/// Removes what an export before this one wrote of other runs.
fn remove_others(dir: &Path, runs: &[u64]) -> Result<()> {
    let kept: HashSet<u64> = runs.iter().copied().collect();
    let folder = dir.join("data").join("runs");
    for name in files::names(&folder)? {
        let Some(name) = name.to_str() else { continue };
        let number = crate::app::number(name.strip_suffix(".js").unwrap_or(name));
        if number.is_some_and(|run| !kept.contains(&run)) {
            let path = folder.join(name);
            if name.ends_with(".js") {
                files::remove(&path)?;
            } else {
                files::remove_tree(&path)?;
            }
        }
    }
    Ok(())
}
