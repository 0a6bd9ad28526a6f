//! What a crash or a refusal at any one operation leaves, and whether recovery mends it.
//!
//! Each scenario is done by a process of its own (this test program again, which then only runs `actor`) with NN_FAIL set, so that
//! it is killed before or after its k-th change of the file system, half-way through a write, or told EIO, ENOSPC, … once or from
//! then on, or told ENOENT for a rename that was done. k goes over all operations the scenario has. Then the spool
//! is recovered, twice, and read the plain way (spool.rs):
//! every acknowledged run is in exactly one state; nothing half-written can be seen; no command ran twice for one generation, nor
//! again after it may have run, unless retries were asked for; no name of a token is used twice; a failure
//! tells which path and why, and an add that failed left nothing.
//!
//! Needs the cargo feature `failpoints`.

use crate::place::{self, Place, say};
use crate::spool;
use nn::base::files::Moved;
use nn::base::json::{self, Value};
use nn::spool::job::Job;
use nn::spool::owner::Owner;
use nn::spool::recover::Recovery;
use nn::spool::state::{Folder, How, State, Token};
use nn::spool::store::{Claims, Spool};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

/// What may go wrong at an operation.
pub const KILLS: [&str; 3] = ["before", "after", "half"];
pub const REFUSALS: [&str; 7] = ["EIO", "ENOSPC", "EDQUOT", "EMFILE", "EROFS", "EACCES", "ESTALE"];

type Act = fn(&Spool) -> nn::base::error::Result<()>;
type Prepare = fn(&Spool);

/// A scenario: what is there before, what the process does, and how often the command of a run may run in all.
pub struct Scenario {
    pub name: &'static str,
    prepare: Prepare,
    act: Act,
    runs: usize,
}

pub const SCENARIOS: [Scenario; 10] = [
    Scenario { name: "add", prepare: |_| (), act: |s| add(s, 1), runs: 1 },
    Scenario { name: "add-three", prepare: |_| (), act: |s| add(s, 3), runs: 1 },
    Scenario { name: "add-many", prepare: |_| (), act: |s| add(s, 12), runs: 1 },
    Scenario { name: "life", prepare: |s| two_jobs(s, 0), act: life, runs: 1 },
    Scenario { name: "life-with-retry", prepare: |s| two_jobs(s, 1), act: life, runs: 2 },
    Scenario { name: "give-back", prepare: |s| two_jobs(s, 0), act: give_back, runs: 1 },
    Scenario { name: "moves", prepare: |s| two_jobs(s, 0), act: moves, runs: 1 },
    Scenario { name: "called-off", prepare: called_off, act: recover, runs: 1 },
    Scenario { name: "ghosts", prepare: ghosts, act: recover, runs: 1 },
    Scenario { name: "recover", prepare: wreck, act: recover, runs: 1 },
];

fn job(retries: i64) -> Job {
    let mut job = Job::new(&["true".into()], Path::new("/"));
    job.json.set("retries", retries);
    job
}

/// Says to the test that something is promised now.
fn acknowledge(what: &str) {
    let path = std::env::var("NN_IT_ACKS").unwrap();
    let mut text = fs::read_to_string(&path).unwrap_or_default();
    text += &format!("{what}\n");
    fs::write(path, text).unwrap();
}

fn add(spool: &Spool, count: usize) -> nn::base::error::Result<()> {
    for run in spool.add(&vec![job(0); count], b"A=b\0")? {
        acknowledge(&format!("added {run}"));
    }
    Ok(())
}

fn two_jobs(spool: &Spool, retries: i64) {
    spool.add(&[job(retries), job(retries)], b"").unwrap();
}

/// What stands for the command: a line, once.
fn ran(spool: &Spool, token: &Token) {
    let path = spool.dir().join("../ran");
    let mut text = fs::read_to_string(&path).unwrap_or_default();
    text += &format!("{} {}\n", token.run, token.generation);
    fs::write(path, text).unwrap();
}

/// Claim, start, run and finish, as worker and runner in one.
fn life(spool: &Spool) -> nn::base::error::Result<()> {
    let me = Owner::me()?;
    let Some(claimed) = Claims::new(me.clone()).claim(spool)? else { return Ok(()) };
    let Some(started) = spool.start(&claimed, &me)? else { return Ok(()) };
    // What nn-run writes beside, in its order; without it the run goes on.
    let attempt = json::map([("attempt", Value::from(1)), ("generation", started.generation.into())]);
    let _ = spool.put_lazily(started.run, "attempt.json", &attempt);
    ran(spool, &started);
    let _ = spool.event(started.run, true, "started", Value::Null);
    spool.finish(&started, State::Done, &Value::Null)?;
    acknowledge(&format!("done {}", started.run));
    Ok(())
}

fn give_back(spool: &Spool) -> nn::base::error::Result<()> {
    let mut claims = Claims::new(Owner::me()?);
    let Some(claimed) = claims.claim(spool)? else { return Ok(()) };
    claims.give_back(spool, &claimed)?;
    acknowledge(&format!("queued {}", claimed.run));
    Ok(())
}

/// What a person does to a run that does not run: hold, release, cancel, retry, and cancel it for good.
fn moves(spool: &Spool) -> nn::base::error::Result<()> {
    let run = spool.tokens(Folder::Queued)?.iter().map(|t| t.run).min().unwrap_or(1);
    let mut token = Token { run, generation: 1, state: State::Queued(5) };
    for (state, again) in [
        (State::Held(5), false),
        (State::Queued(5), true),
        (State::Cancelled, false),
        (State::Queued(5), true),
        (State::Held(5), false),
        (State::Cancelled, false),
    ] {
        let next = if again { token.again(state) } else { token.to(state) };
        if spool.shift_durably(&token, &next)? == Moved::Lost {
            return Ok(());
        }
        token = next;
    }
    acknowledge(&format!("cancelled {run}"));
    Ok(())
}

/// Started under the dead, and called off; one of them had come to its end before.
fn called_off(spool: &Spool) {
    let me = Owner::me().unwrap();
    let dead = Owner { start: me.start + 1, ..me };
    for (run, has_result) in spool.add(&vec![job(3); 2], b"").unwrap().into_iter().zip([false, true]) {
        let token = Token { run, generation: 1, state: State::Queued(5) };
        let started = token.to(State::Started(dead.clone(), dead.clone()));
        spool.shift(&token, &started).unwrap();
        ran(spool, &started);
        fs::write(spool.run_dir(run).join("cancel"), "").unwrap();
        if has_result {
            spool.write_result(&started, &State::Done, &Value::Null).unwrap();
        }
    }
}

/// What a power cut can leave: tokens of every state a run has been in.
fn ghosts(spool: &Spool) {
    let me = Owner::me().unwrap();
    let dead = Owner { start: me.start + 1, ..me };
    let run = spool.add(&[job(0)], b"").unwrap()[0];
    let token = Token { run, generation: 1, state: State::Queued(5) };
    for state in [State::Held(5), State::Claimed(dead.clone()), State::Started(dead.clone(), dead), State::Done] {
        fs::write(spool.dir().join(token.to(state).path()), "").unwrap();
    }
    ran(spool, &token);
}

fn recover(spool: &Spool) -> nn::base::error::Result<()> {
    Recovery::new().whole(spool).map(drop)
}

/// One run at each point where its worker or runner may have died.
fn wreck(spool: &Spool) {
    let me = Owner::me().unwrap();
    let dead = Owner { start: me.start + 1, ..me };
    let runs = spool.add(&vec![job(0); 5], b"").unwrap();
    let token = |at: usize| Token { run: runs[at], generation: 1, state: State::Queued(5) };
    let started = |at: usize| token(at).to(State::Started(dead.clone(), dead.clone()));
    spool.shift(&token(0), &token(0).to(State::Claimed(dead.clone()))).unwrap();
    for at in [1, 2, 3] {
        spool.shift(&token(at), &started(at)).unwrap();
        ran(spool, &started(at));
    }
    spool.write_result(&started(2), &State::Done, &Value::Null).unwrap();
    spool.write_result(&started(3), &State::Failed(How::Exit(3)), &Value::Null).unwrap();
    fs::write(spool.dir().join(token(4).to(State::Cancelled).path()), "").unwrap();
}

#[test]
fn actor() {
    let Some(name) = std::env::var("NN_IT_ACTOR").ok() else { return };
    let scenario = SCENARIOS.iter().find(|s| s.name == name).unwrap();
    let spool = Spool::open(&std::env::var_os("NN_SPOOL").map(PathBuf::from).unwrap());
    if let Err(err) = spool.and_then(|spool| (scenario.act)(&spool)) {
        eprintln!("message: {err}");
        std::process::exit(2);
    }
}

pub fn act(place: &Place, name: &str, fail: Option<&str>) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "crash::actor", "--nocapture", "--test-threads=1"])
        .env("NN_IT_ACTOR", name)
        .env("NN_IT_ACKS", place.dir.join("acks"))
        .env("NN_SPOOL", place.dir.join("spool"))
        .env("NN_FAIL_LOG", place.dir.join("operations"));
    if let Some(fail) = fail {
        command.env("NN_FAIL", fail);
    }
    place::output_within(&mut command, Duration::from_secs(20))
}

pub fn lines(place: &Place, name: &str) -> Vec<String> {
    fs::read_to_string(place.dir.join(name)).unwrap_or_default().lines().map(str::to_string).collect()
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to)
        } else {
            _ = fs::copy(entry.path(), to).unwrap()
        }
    }
}

/// What is asked of `k:what` in one scenario.
fn case(scenario: &Scenario, template: &Path, k: usize, what: &str) {
    let label = format!("{}, NN_FAIL={k}:{what}", scenario.name);
    let place = Place::quick("case");
    copy(template, &place.dir);
    let output = act(&place, scenario.name, Some(&format!("{k}:{what}")));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    let killed = output.status.signal() == Some(9);
    assert!(!KILLS.contains(&what) || killed, "{label}: not killed: {}", output.status);
    let refused = !killed && !output.status.success();
    if refused {
        assert!(message.contains("cannot ") && message.contains("spool"), "{label}: {message}");
        assert!(!message.contains("os error"), "{label}: {message}");
    }
    let operations = fs::read_to_string(place.dir.join("operations")).unwrap_or_default();
    if what == "lost" && refused {
        let operation = operations.lines().nth(k - 1).unwrap_or("");
        assert!(!operation.contains(" mv "), "{label}: the reply was lost, the rename was not: {message}");
    }
    let acks = !lines(&place, "acks").is_empty();
    let promises = !matches!(scenario.name, "recover" | "called-off" | "ghosts");
    assert!(!promises || what != "lost" || refused || acks, "{label}: not done");
    mended(&label, scenario, &place);
    if scenario.name.starts_with("add") && refused && !acks && !what.contains("sticky") {
        let states = spool::states(&place.dir.join("spool"));
        assert!(states.is_empty(), "{label}: the add failed and left {states:?}");
    }
    if !what.contains("sticky") {
        names_are_new(&label, &operations);
    }
}

/// Recovers, twice, and asks for what must hold then.
pub fn mended(label: &str, scenario: &Scenario, place: &Place) {
    let dir = place.dir.join("spool");
    for _ in 0..2 {
        let made = Spool::open(&dir).unwrap_or_else(|e| panic!("{label}: {e}"));
        Recovery::new().whole(&made).unwrap_or_else(|e| panic!("{label}: recovery: {e}"));
    }
    let states = spool::states(&dir);
    spool::assert_whole(&dir);
    for ack in lines(place, "acks") {
        let (what, run) = ack.split_once(' ').unwrap();
        let token = states.get(&run.parse().unwrap()).unwrap_or_else(|| panic!("{label}: {ack}, and is gone"));
        assert!(what == "added" || what == token.folder, "{label}: {ack}, but {token:?}");
    }
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for line in lines(place, "ran") {
        *count.entry(line).or_default() += 1;
    }
    assert!(count.values().all(|n| *n == 1), "{label}: ran twice in one generation: {count:?}");
    for token in states.values() {
        let starts = count.keys().filter(|line| line.starts_with(&format!("{} ", token.run))).count();
        assert!(starts <= scenario.runs, "{label}: ran {starts} times");
        if starts > 0 && scenario.runs == 1 {
            assert!(!matches!(token.folder, "queued" | "held"), "{label}: may have run and is queued: {token:?}");
        }
        // On a disk that takes nothing the name alone tells it.
        if token.name.ends_with("~lost") && !label.contains("sticky") {
            let result = spool::json(&dir, token.run, "result.json").is_some_and(|r| r.get("evidence").is_some());
            let files = fs::read_dir(spool::run_dir(&dir, token.run)).unwrap().flatten();
            let event = files.map(|e| e.file_name().into_string().unwrap()).any(|n| n.starts_with("events."));
            assert!(result || event, "{label}: lost, and nothing tells why: {token:?}");
        }
    }
    assert_eq!(fs::read_dir(dir.join("running")).unwrap().count(), 0, "{label}: left in running/");
}

/// No token's name was made twice, but by trying the very same change again.
pub fn names_are_new(label: &str, operations: &str) {
    let mut made: BTreeMap<&str, usize> = BTreeMap::new();
    for line in operations.lines() {
        let mut parts = line.splitn(3, ' ').skip(1);
        if let (Some("create" | "mv"), Some(path)) = (parts.next(), parts.next())
            && spool::FOLDERS.iter().any(|f| path.contains(&format!("/{f}/")))
        {
            *made.entry(path).or_default() += 1;
        }
    }
    // Twice: once refused or in doubt, once by the recovery that went on with it.
    assert!(made.values().all(|n| *n <= 2), "{label}: names used again: {made:?}");
}

#[test]
fn every_point_of_every_scenario() {
    if !cfg!(feature = "failpoints") {
        return say("skipped: crash points: needs cargo test --features failpoints");
    }
    let mut cases = Vec::new();
    let places: Vec<(usize, Place, usize)> = SCENARIOS.iter().enumerate().map(|(i, s)| prepared(i, s)).collect();
    for (i, place, operations) in &places {
        let writes = lines(place, "operations");
        for k in 1..=*operations {
            let mut faults: Vec<String> = KILLS.iter().map(|f| f.to_string()).collect();
            let operation = writes.get(k - 1).map_or("", |l| l.split(' ').nth(1).unwrap_or(""));
            faults.retain(|f| f != "half" || operation == "write");
            for errno in REFUSALS {
                faults.push(errno.to_string());
                faults.push(format!("{errno}:sticky"));
            }
            if operation == "mv" || operation == "rename" {
                faults.push("lost".to_string());
            }
            cases.extend(faults.into_iter().map(|f| (*i, k, f)));
        }
    }
    each(&cases, |(i, k, what)| case(&SCENARIOS[*i], &places[*i].1.dir.join("template"), *k, what));
    say(&format!("crash points: {} cases of {} scenarios", cases.len(), SCENARIOS.len()));
}

/// Does all cases, two at a time.
pub fn each<T: Sync>(cases: &[T], act: impl Fn(&T) + Sync) {
    assert!(failing(2, cases, act).is_empty(), "see above");
}

/// Those of the cases that fail, when so many are tried at a time.
pub fn failing<T: Sync>(threads: usize, cases: &[T], act: impl Fn(&T) + Sync) -> Vec<&T> {
    let (queue, failed) = (std::sync::Mutex::new(cases.iter()), std::sync::Mutex::new(Vec::new()));
    let next = || queue.lock().unwrap().next();
    let fails = |case: &T| std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| act(case))).is_err();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(case) = next() {
                    if fails(case) {
                        failed.lock().unwrap().push(case);
                    }
                }
            });
        }
    });
    failed.into_inner().unwrap()
}

/// A scenario's spool before it, and how many operations it has when nothing goes wrong.
pub fn prepared(i: usize, scenario: &Scenario) -> (usize, Place, usize) {
    let place = Place::new(scenario.name);
    let template = place.dir.join("template");
    fs::create_dir_all(&template).unwrap();
    (scenario.prepare)(&Spool::init(&template.join("spool"), false).unwrap());
    copy(&template, &place.dir);
    let output = act(&place, scenario.name, None);
    assert!(output.status.success(), "{}: {output:?}", scenario.name);
    let operations = lines(&place, "operations").len();
    assert!(operations > 0, "{} changes nothing", scenario.name);
    (i, place, operations)
}
