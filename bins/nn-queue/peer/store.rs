//! What runs need that are handed over: code, and files that go along. Nothing here has a state: what is there is there.

use super::Line;
use nn::base::error::{Error, Result};
use nn::base::files::{self, Draft};
use nn::base::json::{self, Value};
use nn::cluster::ssh::inputs;
use nn::record::room;
use nn::spool::snapshot::{Code, USED, is_fingerprint};
use nn::spool::store::Spool;
use std::path::PathBuf;

/// Which of the code it lacks, and how much room there is.
pub fn have(spool: &Spool, question: &Value) -> Result<Value> {
    let mut lack = Vec::new();
    for one in question.list("code").unwrap_or_default() {
        let code = code_of(one)?;
        if code.is_there(spool) {
            // From now on nobody takes it away for being old.
            files::overwrite(&code.folder(spool).join(USED), b"\n")?;
        } else {
            lack.push(one.clone());
        }
    }
    let mut answer = json::map([("lack", Value::List(lack))]);
    let disk = room::disk_quick(spool.dir())?;
    answer.set("free", disk.free());
    if let Some(work) = question.get("work").and_then(json::to_os) {
        let work = room::disk_quick(work)?;
        answer.set("free-work", work.free());
        answer.set("same", u64::from(work.device == disk.device));
    }
    Ok(answer)
}

/// Which of these files it lacks, by their places in the list.
pub fn files(question: &Value) -> Result<Value> {
    let base = base(question)?;
    let mut lack = Vec::new();
    for (i, entry) in question.list("files").unwrap_or_default().iter().enumerate() {
        let lacking = inputs::is_lacking(&base, entry).ok_or_else(|| Error::other("a file has no name and size"))?;
        if lacking {
            lack.push(Value::from(i as u64));
        }
    }
    Ok(json::map([("lack", Value::List(lack))]))
}

/// Takes files.
pub fn put(question: &Value, wire: &mut Line) -> Result<Value> {
    let base = base(question);
    // Even then they are on their way.
    let at = base.as_ref().map_or_else(|_| PathBuf::from("/dev/null"), Clone::clone);
    inputs::receive(&at, wire.reader())?;
    base.map(|_| done())
}

fn base(question: &Value) -> Result<PathBuf> {
    let base = question.get("base").and_then(json::to_os).map(PathBuf::from).filter(|base| base.is_absolute());
    base.ok_or_else(|| Error::other("there is no directory to put files in"))
}

/// Takes a snapshot of code. What is written goes under its name only when it is whole.
pub fn code(spool: &Spool, question: &Value, wire: &mut Line) -> Result<Value> {
    let code = code_of(question)?;
    let folder = code.folder(spool);
    let tmp = spool.dir().join("tmp");
    let mut wrong = None;
    let mut drafts = Vec::new();
    for file in question.list("files").unwrap_or_default() {
        let size =
            file.int("size").and_then(|n| u64::try_from(n).ok()).ok_or_else(|| Error::other("a file has no size"))?;
        let path = match file.str("kind") {
            Some("tar") => folder.join("tree.tar"),
            Some("json") => code.git_facts(spool),
            Some("patch") => code.git_patch(spool),
            _ => return Err(Error::other("a file of code is of no kind")),
        };
        let mut draft = match Draft::new(&tmp) {
            Ok(draft) => Some(draft),
            Err(err) => {
                wrong.get_or_insert(err);
                None
            }
        };
        wire.take(size, |bytes| {
            // All is read in any case: what comes after it is the next question.
            if let Some(Err(err)) = draft.as_mut().map(|draft| draft.write(bytes)) {
                wrong.get_or_insert(err);
                draft = None;
            }
            Ok(())
        })?;
        drafts.extend(draft.map(|draft| (draft, path)));
    }
    if let Some(err) = wrong {
        return Err(err);
    }
    let made = files::make_dir(&folder)?;
    files::overwrite(&folder.join(USED), b"\n")?;
    for (draft, path) in drafts {
        draft.publish(&path)?;
    }
    if made {
        files::sync_dir(&spool.dir().join("code"))?;
    }
    Ok(done())
}

/// Code by its two names.
fn code_of(value: &Value) -> Result<Code> {
    let name = |key: &str| value.str(key).filter(|name| is_fingerprint(name)).map(String::from);
    let (tree, facts) = name("tree").zip(name("facts")).ok_or_else(|| Error::other("code has no name"))?;
    Ok(Code { tree, facts, dir: PathBuf::new(), root: PathBuf::from("/"), links: Vec::new() })
}

fn done() -> Value {
    json::map([("done", Value::from(true))])
}
