//! Frozen code when things go wrong: adding, running and collecting fail at each of their operations in every way. After
//! recovery every run that waits has its snapshot whole; the same can be added and run at once; what ran printed the old
//! text, never the edited one; and gc leaves nothing but what runs refer to. The user's work tree is as it was.

use crate::crash::{KILLS, REFUSALS, copy, lines};
use crate::place::{Place, output_within, say};
use crate::spool;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Output;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What is prepared by a shell in a repository, what is done there, and by which program.
struct Deed {
    prepare: &'static str,
    act: &'static str,
    program: &'static str,
}

const JOB: &str = "sh -c 'cat text; echo out >>made'";
const DEEDS: [Deed; 4] = [
    Deed { prepare: ":", act: "nn-queue add -- JOB", program: "nn-queue" },
    Deed { prepare: "nn-queue add -- JOB; echo new >text", act: "nn-queue work -q", program: "nn-run" },
    Deed {
        prepare: "nn-queue add -- JOB; echo new >text; nn-queue work -q; nn-queue retry --done 1",
        act: "nn-queue work -q",
        program: "nn-run",
    },
    Deed {
        prepare: "nn-queue add -- JOB; mkdir x; touch x/y; nn-queue add -- true; rm -r x ../spool/runs/2 ../spool/queued/*2.1; AGE",
        act: "nn-queue gc",
        program: "nn-queue",
    },
];

/// Makes everything in the spool look old.
const AGE: &str = "find ../spool/code ../spool/tmp ../spool/runs -exec touch -h -d '2 days ago' {} +";

fn shell(place: &Path, here: &Place, script: &str, fail: Option<(&Deed, usize, &str)>) -> Output {
    let mut sh = here.command("sh");
    sh.args(["-c", &script.replace("AGE", AGE).replace("JOB", JOB)]);
    sh.current_dir(place.join("tree")).env("NN_SPOOL", place.join("spool"));
    sh.env("NN_FAIL_LOG", place.join("operations"));
    if let Some((deed, k, what)) = fail {
        sh.env("NN_FAIL", format!("{k}:{what}")).env("NN_FAIL_IN", deed.program);
    }
    output_within(&mut sh, Duration::from_secs(30))
}

/// The place before a deed, and the names of its operations when nothing fails.
fn prepared(deed: &Deed) -> (Place, Vec<String>) {
    let place = Place::quick("frozen-template");
    let template = place.dir.join("template");
    fs::create_dir_all(template.join("tree/sub")).unwrap();
    let made = shell(&template, &place, "nn-queue init && git init -q && echo old >text && git add text", None);
    assert!(made.status.success(), "{made:?}");
    let done = shell(&template, &place, deed.prepare, None);
    assert!(done.status.success(), "{}: {done:?}", deed.prepare);
    let _ = fs::remove_file(template.join("operations"));
    again(&template, &place.dir);
    let output = shell(&place.dir, &place, &format!("exec {}", deed.act), None);
    assert!(output.status.success(), "{}: {output:?}", deed.act);
    let is_meant =
        |line: &&String| line.split(' ').next().is_some_and(|at| at.ends_with(&format!("@{}", deed.program)));
    let names = |line: &String| line.split(' ').nth(1).unwrap_or("").to_string();
    let operations: Vec<String> = lines(&place, "operations").iter().filter(is_meant).map(names).collect();
    assert!(!operations.is_empty(), "{}: {operations:?}", deed.act);
    (place, operations)
}

/// Copies a place, file times included where they matter.
fn again(template: &Path, to: &Path) {
    copy(template, to);
    for entry in fs::read_dir(template.join("spool/code")).unwrap().flatten() {
        let name = entry.file_name();
        let used = Path::new("spool/code").join(name).join("used");
        let old = fs::metadata(template.join(&used)).and_then(|meta| meta.modified()).unwrap();
        fs::File::open(to.join(&used)).unwrap().set_modified(old).unwrap();
    }
}

fn case(deed: &Deed, template: &Path, k: usize, what: &str) {
    let place = Place::quick("frozen");
    again(template, &place.dir);
    let tree = |name: &str| fs::read_to_string(place.dir.join("tree").join(name)).unwrap_or_default();
    let index = fs::read(place.dir.join("tree/.git/index")).unwrap();
    let text = tree("text");
    let output = shell(&place.dir, &place, &format!("exec {}", deed.act), Some((deed, k, what)));
    let killed = output.status.signal() == Some(9);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let label = format!("{}; {}, NN_FAIL={k}:{what}: {} {said}", deed.prepare, deed.act, output.status);
    assert!(!said.contains("panicked") && !said.contains("os error"), "{label}");
    let refused = !killed && !output.status.success() && deed.program == "nn-queue";
    assert!(!refused || said.contains("cannot ") || said.contains("try again"), "{label}");
    let do_it = |script: &str| shell(&place.dir, &place, script, None);
    let dir = place.dir.join("spool");
    let started = Instant::now();
    loop {
        assert!(do_it("nn-queue recover").status.success(), "{label}");
        if fs::read_dir(dir.join("running")).unwrap().count() == 0 {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "{label}: left in running/");
        std::thread::sleep(Duration::from_millis(5));
    }
    spool::assert_whole(&dir);
    let tree_of = |run: u64| {
        let job = spool::json(&dir, run, "job.json")?;
        Some(job.get("code")?.str("tree")?.to_string())
    };
    let states = spool::states(&dir);
    for run in states.keys() {
        let archive = dir.join("code").join(tree_of(*run).unwrap()).join("tree.tar");
        let read = do_it(&format!("tar -tf {}", archive.display()));
        assert!(read.status.success() && String::from_utf8_lossy(&read.stdout).contains("text"), "{label}: {read:?}");
    }
    // What was interrupted is done after all, and another is added and run.
    do_it("nn-queue release 1; nn-queue retry 1; nn-queue work -q; nn-queue add --again -- JOB; nn-queue work -q");
    let states = spool::states(&dir);
    let last = *states.keys().max().unwrap();
    for (run, token) in &states {
        let log = fs::read_to_string(spool::run_dir(&dir, *run).join("log")).unwrap_or_default();
        let now = if *run == last { text.as_str() } else { "old\n" };
        assert!(token.folder == "done" && log.ends_with(now), "{label}: run {run}: {token:?}: {log}");
        let work = spool::run_dir(&dir, *run).join("work");
        assert!(fs::read_to_string(work.join("made")).is_ok_and(|made| made.contains("out")), "{label}: run {run}");
        // What could not be removed is told.
        let told = said.contains("cannot remove");
        assert!(told || !work.join("text").exists(), "{label}: run {run}");
        assert!(!spool::run_dir(&dir, *run).join(".work").exists(), "{label}: {run}");
    }
    let collected = do_it(&format!("{AGE}; nn-queue gc"));
    assert!(collected.status.success(), "{label}: {collected:?}");
    let names = |folder: &str| -> BTreeSet<String> {
        fs::read_dir(dir.join(folder))
            .unwrap()
            .flatten()
            .map(|e| e.file_name().to_string_lossy().into_owned())
            .collect()
    };
    assert_eq!(names("code"), states.keys().filter_map(|run| tree_of(*run)).collect(), "{label}");
    assert!(names("tmp").is_empty(), "{label}: {:?}", names("tmp"));
    let runs: BTreeSet<String> = states.keys().map(u64::to_string).collect();
    assert_eq!(names("runs"), runs, "{label}");
    assert!(tree("text") == text && tree("made").is_empty(), "{label}");
    assert!(fs::read(place.dir.join("tree/.git/index")).unwrap() == index, "{label}: the index");
}

#[test]
fn frozen_code_survives() {
    if !cfg!(feature = "failpoints") {
        return say("skipped: crash points of frozen code: needs cargo test --features failpoints");
    }
    let places: Vec<(Place, Vec<String>)> = DEEDS.iter().map(prepared).collect();
    let mut cases = Vec::new();
    for (i, (_, operations)) in places.iter().enumerate() {
        for (k, name) in operations.iter().enumerate().map(|(k, name)| (k + 1, name)) {
            let kills = KILLS.iter().filter(|what| **what != "half" || name == "write");
            cases.extend(kills.map(|what| (i, k, what.to_string())));
            let errno = REFUSALS[k % REFUSALS.len()];
            // When the system is short of something a worker tries again, for ever in this case.
            if DEEDS[i].program == "nn-run" {
                cases.push((i, k, ["EIO", "EACCES", "ESTALE"][k % 3].to_string()));
                continue;
            }
            cases.push((i, k, errno.to_string()));
            cases.push((i, k, format!("{errno}:sticky")));
        }
    }
    let only = std::env::var("NN_CRASH").unwrap_or_default();
    cases.retain(|(i, k, what)| format!("{}, NN_FAIL={k}:{what}", DEEDS[*i].act).contains(&only));
    let queue = Mutex::new(cases.iter());
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some((i, k, what)) = queue.lock().unwrap().next() else { break };
                    let template = places[*i].0.dir.join("template");
                    if std::panic::catch_unwind(|| case(&DEEDS[*i], &template, *k, what)).is_err() {
                        failures.lock().unwrap().push(format!("{}, NN_FAIL={k}:{what}", DEEDS[*i].act));
                    }
                }
            });
        }
    });
    say(&format!("crash points: {} cases of frozen code", cases.len()));
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} cases failed (NN_CRASH=part runs some):\n{}", failures.len(), failures.join("\n"));
}
