//! One spool, several samplers of this process's own.

use super::*;
use crate::spool::job::Job;

struct Place {
    dir: PathBuf,
    spool: Spool,
    me: Owner,
}

fn place(name: &str) -> Place {
    let dir = std::env::temp_dir().join(format!("nn-resources-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    Place { spool: Spool::init(&dir, false).unwrap(), dir, me: Owner::me().unwrap() }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// A started run of this process whose command is a `sleep` in a group of its own.
fn run(place: &Place) -> (u64, std::process::Child) {
    use std::os::unix::process::CommandExt;
    let job = Job::new(&["sleep".into(), "600".into()], &place.dir);
    let token = place.spool.add_claimed(&job, b"", &place.me, None).unwrap();
    place.spool.start(&token, &place.me).unwrap().unwrap();
    (token.run, std::process::Command::new("sleep").arg("600").process_group(0).spawn().unwrap())
}

#[test]
fn one_looks_for_all_and_another_takes_over() {
    let place = place("role");
    let (first_run, mut child) = run(&place);
    let (second_run, mut other) = run(&place);
    let sampler = |run| Sampler::new(&place.spool, run, &place.me, Duration::from_millis(10));
    let (mut first, mut second) = (sampler(first_run), sampler(second_run));
    let (line, pause) = first.tick(&place.spool);
    let line = line.unwrap();
    assert!(line.int("rss").unwrap() > 0 && line.int("rss_peak") == line.int("rss"), "{line}");
    assert!(line.int("processes").unwrap() >= 1 && line.get("cpu_percent").is_none());
    assert_eq!(pause, Duration::from_millis(10));
    assert!(first.role.is_some());
    assert!(second.tick(&place.spool).0.is_some());
    assert!(second.role.is_none());
    let file = Value::parse(&std::fs::read_to_string(&first.path).unwrap()).unwrap();
    assert_eq!(file.get("runs").unwrap().as_map().unwrap().len(), 2, "{file}");
    assert!(file.get("gpus").is_none() || first.looker.is_some());
    first.end();
    let line = second.tick(&place.spool).0.unwrap();
    assert!(second.role.is_some());
    // What the first knew goes on: the rate is known at once.
    assert!(
        line.num("cpu_percent").is_some_and(|percent| percent >= 0.0) || line.get("cpu_percent").is_none(),
        "{line}"
    );
    for child in [&mut child, &mut other] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[test]
fn nonsense_in_the_file_is_not_believed() {
    let place = place("nonsense");
    let (number, mut child) = run(&place);
    let mut other = Sampler::new(&place.spool, number, &place.me, Duration::from_millis(10));
    let _held = Role::take(&other.name).unwrap().unwrap();
    let boot = host::boot_id();
    for text in [
        "".to_string(),
        "[]".into(),
        format!(r#"{{"boot":"{boot}","uptime":1e99,"runs":{{"{number}":{{"rss":1}}}}}}"#),
        format!(r#"{{"boot":"x","uptime":1,"runs":{{"{number}":{{"rss":1}}}}}}"#),
        format!(r#"{{"boot":"{boot}","uptime":"NaN","runs":[]}}"#),
    ] {
        std::fs::write(&other.path, &text).unwrap();
        other.last = 0.0;
        let line = other.tick(&place.spool).0.unwrap();
        assert!(line.int("rss").unwrap() > 1, "{text}: {line}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn sums_never_shrink() {
    let mut used = Use { cpu: 1.0, io: Some((5, 50)), ..Use::default() };
    keep_growing(&mut used, Some(Past { at: 1.0, used: 2.0, io: (10, 20) }));
    assert_eq!((used.cpu, used.io), (2.0, Some((10, 50))));
}
