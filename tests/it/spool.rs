//! A spool read the plain way, by listing folders: so that what the library believes is checked by something else.

use nn::base::json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub const FOLDERS: [&str; 7] = ["queued", "held", "submitted", "running", "done", "failed", "cancelled"];

/// One token as it lies in its folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub run: u64,
    pub generation: u64,
    pub folder: &'static str,
    pub name: String,
}

/// All tokens, by run. What is no token is a failure of the test.
pub fn tokens(spool: &Path) -> BTreeMap<u64, Vec<Token>> {
    let mut tokens: BTreeMap<u64, Vec<Token>> = BTreeMap::new();
    for folder in FOLDERS {
        for entry in fs::read_dir(spool.join(folder)).into_iter().flatten().flatten() {
            let name = entry.file_name().into_string().unwrap();
            let token = parse(folder, &name).unwrap_or_else(|| panic!("{folder}/{name} is no token"));
            assert_eq!(entry.metadata().map_or(0, |m| m.len()), 0, "{folder}/{name} is not empty");
            tokens.entry(token.run).or_default().push(token);
        }
    }
    tokens
}

fn parse(folder: &'static str, name: &str) -> Option<Token> {
    let rest = match folder {
        "queued" | "held" => name.split_once('-').filter(|(p, _)| p.len() == 1)?.1,
        _ => name,
    };
    let (run, generation) = rest.split('~').next()?.split_once('.')?;
    let whole = |n: &str| n.parse::<u64>().ok().filter(|_| n.bytes().all(|b| b.is_ascii_digit()));
    Some(Token { run: whole(run)?, generation: whole(generation)?, folder, name: name.to_string() })
}

/// The one token of each run; a run in two places is a failure.
pub fn states(spool: &Path) -> BTreeMap<u64, Token> {
    let one = |(run, mut tokens): (u64, Vec<Token>)| {
        assert_eq!(tokens.len(), 1, "run {run} is in more than one place: {tokens:?}");
        (run, tokens.remove(0))
    };
    tokens(spool).into_iter().map(one).collect()
}

pub fn run_dir(spool: &Path, run: u64) -> PathBuf {
    spool.join("runs").join(run.to_string())
}

/// A JSON file of a run, whole; None when there is none.
pub fn json(spool: &Path, run: u64, name: &str) -> Option<Value> {
    let path = run_dir(spool, run).join(name);
    let text = fs::read_to_string(&path).ok()?;
    Some(Value::parse(&text).unwrap_or_else(|_| panic!("{} is cut: {text:?}", path.display())))
}

/// Every run that can be seen is whole: its directory, job.json and env are there and complete.
pub fn assert_whole(spool: &Path) {
    for run in tokens(spool).keys() {
        let job = json(spool, *run, "job.json").unwrap_or_else(|| panic!("run {run} has no job.json"));
        if job.get("source").is_some() {
            // It ran elsewhere: no environment, perhaps no command, but an end.
            json(spool, *run, "result.json").unwrap_or_else(|| panic!("run {run} has no result.json"));
            continue;
        }
        assert!(job.list("argv").is_some_and(|argv| !argv.is_empty()), "run {run}: {job}");
        assert!(run_dir(spool, *run).join("env").exists(), "run {run} has no env");
        for name in ["attempt.json", "result.json", "facts.json"] {
            json(spool, *run, name);
        }
    }
}
