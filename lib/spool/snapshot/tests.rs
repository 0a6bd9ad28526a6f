//! Snapshots: what is the same, what is taken, the copy and its end.

use super::*;
use crate::base::files;
use crate::spool::job::Job;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

const LIMITS: Limits = Limits { file: 100, all: 150 };

/// A spool and a work tree with a file, a program, a link and names that are no text.
fn place(name: &str) -> (Spool, PathBuf) {
    let top = std::env::temp_dir().join(format!("nn-snapshot-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&top);
    let spool = Spool::init(&top.join("spool"), false).unwrap();
    let root = top.join("tree");
    fs::create_dir_all(root.join("sub/deep")).unwrap();
    fs::write(root.join("a.py"), "x = 1\n").unwrap();
    fs::write(root.join("sub/run"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(root.join("sub/run"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink("../a.py", root.join("sub/l")).unwrap();
    symlink("../../outside", root.join("sub/out")).unwrap();
    fs::write(root.join(OsStr::from_bytes(b"sub/deep/\xff\n name")), [0u8; 2000]).unwrap();
    (spool, root)
}

use std::ffi::OsStr;

fn sources() -> Vec<Source> {
    let names: [&[u8]; 6] = [b"sub/run", b"a.py", b"sub/l", b"sub/out", b"sub/deep/\xff\n name", b"gone"];
    names.iter().map(|name| Source { path: name.to_vec(), tracked: true }).collect()
}

fn take(spool: &Spool, root: &Path) -> Snapshot {
    Snapshot::take(spool, root, sources(), &[], LIMITS).unwrap()
}

fn code(spool: &Spool, root: &Path, links: &[&str]) -> Code {
    let snapshot = take(spool, root);
    let tree = snapshot.tree.clone();
    let facts = snapshot.keep(spool, &Value::Null, Some(b"diff")).unwrap();
    let links = links.iter().map(PathBuf::from).collect();
    let code = Code { tree, dir: "sub".into(), root: root.to_path_buf(), links, facts };
    assert_eq!(Code::of(&code.to_json()), Some(code.clone()));
    assert!(code.is_there(spool) && code.git_patch(spool).exists());
    code
}

/// A job that runs in a snapshot.
fn frozen(code: &Code, text: &str) -> Job {
    let mut json = Value::parse(text).unwrap();
    json.set("code", code.to_json());
    Job::check(json).unwrap()
}

/// A run with a directory.
fn run(spool: &Spool) -> u64 {
    spool.add(&[Job::new(&["true".into()], Path::new("/"))], b"").unwrap()[0]
}

fn end(spool: &Spool) {
    fs::remove_dir_all(spool.dir().parent().unwrap()).unwrap();
}

#[test]
fn the_same_code_is_there_once() {
    let (spool, root) = place("same");
    let first = code(&spool, &root, &[]).tree;
    // Another time of change is no other code.
    fs::File::open(root.join("a.py")).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(code(&spool, &root, &[]).tree, first);
    assert_eq!(files::names(&spool.dir().join("code")).unwrap().len(), 1);
    assert_eq!(fs::read_dir(spool.dir().join("tmp")).unwrap().count(), 0);
    let mut trees = std::collections::BTreeSet::from([first]);
    let mut differs = |what: &str| assert!(trees.insert(take(&spool, &root).tree), "{what}");
    fs::write(root.join("a.py"), "x = 2\n").unwrap();
    differs("bytes");
    fs::set_permissions(root.join("a.py"), fs::Permissions::from_mode(0o744)).unwrap();
    differs("mode");
    fs::remove_file(root.join("sub/l")).unwrap();
    differs("a file less");
    symlink("run", root.join("sub/l")).unwrap();
    differs("a link's target");
    end(&spool);
}

#[test]
fn limits_and_what_is_left_out() {
    let (spool, root) = place("limits");
    for (name, size) in [("big", 101), ("b", 100), ("c", 60), ("d", 50)] {
        fs::write(root.join(name), vec![b'x'; size]).unwrap();
    }
    let untracked = ["big", "b", "c", "d"].map(|name| Source { path: name.into(), tracked: false });
    let all: Vec<Source> = sources().into_iter().chain(untracked).collect();
    let snapshot = Snapshot::take(&spool, &root, all, &["sub/deep".into()], LIMITS).unwrap();
    let names: Vec<&[u8]> = snapshot.left_out.iter().map(|left| left.path.as_slice()).collect();
    assert_eq!(names, [b"big".as_slice(), b"c"]);
    assert_eq!(snapshot.left_out[0].why, "101, more than 100");
    assert!(["", "a.py", "sub", "sub/run", "b"].iter().all(|path| snapshot.holds(Path::new(path))));
    assert!(["gone", "sub/deep", "su", "c", "sub/run/x"].iter().all(|path| !snapshot.holds(Path::new(path))));
    assert_eq!(snapshot.changed(&root), None);
    fs::write(root.join("b"), "y").unwrap();
    assert_eq!(snapshot.changed(&root), Some(root.join("b")));
    drop(snapshot);
    assert_eq!(fs::read_dir(spool.dir().join("tmp")).unwrap().count(), 0);
    end(&spool);
}

#[test]
fn no_path_leads_through_a_link() {
    let (spool, root) = place("through");
    fs::create_dir(root.join("real")).unwrap();
    fs::write(root.join("real/f"), "f").unwrap();
    symlink("real", root.join("alias")).unwrap();
    let listed = ["alias", "alias/f", "real/f", "/etc/passwd", "../spool/version"];
    let listed = listed.map(|name| Source { path: name.into(), tracked: true }).to_vec();
    let snapshot = Snapshot::take(&spool, &root, listed, &[], LIMITS).unwrap();
    assert!(snapshot.holds(Path::new("alias")) && snapshot.holds(Path::new("real/f")));
    assert!(!snapshot.holds(Path::new("alias/f")) && !snapshot.holds(Path::new("/etc/passwd")));
    end(&spool);
}

#[test]
fn a_copy_of_its_own_that_keeps_what_was_written() {
    let (spool, root) = place("copy");
    fs::create_dir(root.join("data")).unwrap();
    fs::write(root.join("data/d"), "d").unwrap();
    let code = code(&spool, &root, &["data"]);
    fs::write(root.join("a.py"), "edited\n").unwrap();
    let [one, two] = [run(&spool), run(&spool)];
    for run in [one, two] {
        work::unpack(&spool, run, &code).unwrap();
    }
    let job = frozen(&code, r#"{"argv":["a"]}"#);
    let dir_of = |run| work::cwd(&spool, run, &job).unwrap();
    let dir = dir_of(one);
    assert_eq!(work::run_of(&spool, &dir.canonicalize().unwrap()), Some((one, "sub".into())));
    assert_eq!(work::run_of(&spool, &spool.run_dir(one)), None);
    assert_eq!(fs::read_to_string(dir.join("l")).unwrap(), "x = 1\n");
    assert_eq!(fs::metadata(dir.join("run")).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(dir.join("../a.py")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_to_string(dir.join("../data/d")).unwrap(), "d");
    assert_eq!(fs::read_link(dir.join("out")).unwrap(), root.parent().unwrap().join("outside"));
    assert_eq!(fs::read(dir.join(OsStr::from_bytes(b"deep/\xff\n name"))).unwrap().len(), 2000);
    // One changes its code and writes; the other has its own.
    fs::write(dir.join("../a.py"), "broken").unwrap();
    fs::create_dir_all(dir.join("results")).unwrap();
    fs::write(dir.join("results/r"), "1").unwrap();
    fs::create_dir(dir.join("__pycache__")).unwrap();
    fs::remove_file(dir.join("run")).unwrap();
    assert_eq!(fs::read_to_string(dir_of(two).join("../a.py")).unwrap(), "x = 1\n");
    for run in [one, two] {
        work::prune(&spool, run, &code).unwrap();
    }
    let left = |dir: &Path| -> Vec<String> {
        let mut names: Vec<String> =
            files::names(dir).unwrap().iter().map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(left(dir.parent().unwrap()), ["a.py", "sub"]);
    assert_eq!(left(&dir), ["results"]);
    assert!(!spool.run_dir(two).join("work").exists());
    assert_eq!(fs::read_to_string(root.join("data/d")).unwrap(), "d");
    // Another attempt: what the first wrote stays, the rest is put back.
    work::unpack(&spool, one, &code).unwrap();
    assert_eq!(fs::read_to_string(dir.join("../a.py")).unwrap(), "broken");
    assert_eq!(fs::read_to_string(dir.join("run")).unwrap(), "#!/bin/sh\n");
    assert_eq!(fs::read_to_string(dir.join("results/r")).unwrap(), "1");
    // A power cut took the bytes of a file.
    fs::write(dir.join("run"), "").unwrap();
    work::unpack(&spool, one, &code).unwrap();
    assert_eq!(fs::read_to_string(dir.join("run")).unwrap(), "#!/bin/sh\n");
    end(&spool);
}

#[test]
fn what_is_gone_is_said() {
    let (spool, root) = place("gone");
    let mut code = code(&spool, &root, &["data"]);
    let run = run(&spool);
    let why = work::unpack(&spool, run, &code).unwrap_err().to_string();
    assert!(why.starts_with("cannot link ") && why.ends_with("data: No such file or directory"), "{why}");
    assert!(!spool.run_dir(run).join("work").exists() && !spool.run_dir(run).join(".work").exists());
    code.links.clear();
    let archive = code.folder(&spool).join("tree.tar");
    let bytes = fs::read(&archive).unwrap();
    fs::write(&archive, &bytes[..bytes.len() - 1600]).unwrap();
    assert!(work::unpack(&spool, run, &code).unwrap_err().to_string().contains("tree.tar"));
    fs::remove_dir_all(code.folder(&spool)).unwrap();
    assert!(work::unpack(&spool, run, &code).is_err());
    assert!(!spool.run_dir(run).join("work").exists());
    end(&spool);
}

#[test]
fn the_same_job_is_known_again() {
    let (spool, root) = place("asked");
    let code = code(&spool, &root, &[]);
    let job = |text: &str| frozen(&code, text);
    let first = job(r#"{"argv":["a"],"params":{"x":1,"y":2},"name":"n"}"#);
    let same = job(r#"{"argv":["a"],"params":{"y":2,"x":1},"note":"other"}"#);
    let other = job(r#"{"argv":["a"],"params":{"x":1,"y":3}}"#);
    assert_eq!(asked::digest(&first), asked::digest(&same));
    assert_ne!(asked::digest(&first), asked::digest(&other));
    assert_eq!(asked::digest(&Job::new(&["a".into()], Path::new("/"))), None);
    let runs = spool.add(&[first.clone(), other], b"").unwrap();
    let known = asked::known(&spool, &code.tree);
    assert_eq!(known.get(&asked::digest(&same).unwrap()), Some(&vec![runs[0]]));
    // Lines of another host count too; a torn one does not.
    fs::write(code.folder(&spool).join("asked.far"), format!("{} 77\nabc 9", asked::digest(&same).unwrap())).unwrap();
    assert_eq!(asked::known(&spool, &code.tree).values().flatten().count(), 3);
    fs::remove_dir_all(code.folder(&spool)).unwrap();
    let refused = spool.add(&[first], b"").unwrap_err().to_string();
    assert!(refused.contains("removed meanwhile"), "{refused}");
    assert_eq!(files::names(&spool.dir().join("runs")).unwrap().len(), 2);
    end(&spool);
}
