//! The least of the limits, paths that are not there yet, what is missing in words. Real refusals: tests/it.

use super::*;

fn disk_of(limits: &[(By, Option<u64>, Option<u64>)]) -> Disk {
    let limits = limits.iter().map(|&(by, free, inodes)| Limit { by, free, inodes }).collect();
    Disk { at: "/scratch".into(), limits, ..disk_quick("/").unwrap() }
}

#[test]
fn the_least_counts() {
    let g = 1u64 << 30;
    let disk = disk_of(&[
        (By::FileSystem, Some(100 * g), Some(1000)),
        (By::UserQuota, Some(12 * g), None),
        (By::GroupQuota, None, Some(5)),
    ]);
    assert_eq!((disk.free(), disk.limited_by()), (12 * g, By::UserQuota));
    assert_eq!(disk.inodes(), Some((5, By::GroupQuota)));
    assert_eq!(disk.lacks(12 * g, 5, 0), []);
    assert_eq!(disk.lacks(0, 0, u64::MAX), []);
    let words = |lacks: Vec<Lack>| lacks.iter().map(Lack::to_string).collect::<Vec<_>>();
    assert_eq!(
        words(disk.lacks(20 * g, 6, 0)),
        ["disk: 20G needed, 12G free (user quota of /scratch)", "inodes: 6 needed, 5 free (group quota of /scratch)"]
    );
    assert_eq!(
        words(disk.lacks(10 * g, 0, 3 * g)),
        ["disk: 10G needed, 12G free, 3G of it promised to other runs (user quota of /scratch)"]
    );
    assert_eq!(
        words(disk.lacks(12 * g + 1, 0, 0)),
        ["disk: 12884901889 needed, 12884901888 free (user quota of /scratch)"]
    );
    let full = disk_of(&[(By::FileSystem, Some(0), Some(0))]);
    assert_eq!(
        words(full.lacks(1, 2, 0)),
        ["disk: none free (file system of /scratch)", "inodes: 2 needed, none free (file system of /scratch)"]
    );
    let memory = Memory { available: g, by: MemoryBy::Group("/job_7".to_string()), total: 4 * g };
    assert_eq!(memory.lacks(g, 0), None);
    assert_eq!(memory.lacks(2 * g, 0).unwrap().to_string(), "ram: 2G needed, 1G free (cgroup /job_7)");
}

#[test]
fn a_path_that_is_not_there_yet() {
    let dir = std::env::temp_dir().join(format!("nn-room-{}", std::process::id()));
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("file"), "x").unwrap();
    std::os::unix::fs::symlink("nowhere", dir.join("link")).unwrap();
    let real = std::fs::canonicalize(&dir).unwrap();
    let disk = disk_quick(dir.join("a/b/c")).unwrap();
    assert_eq!((disk.at.as_path(), disk.path.ends_with("a/b/c")), (real.as_path(), true));
    assert!(disk.total >= disk.free() && disk.mount.is_some_and(|m| real.starts_with(m.point)));
    assert_eq!(disk_quick(dir.join("file")).unwrap().at, real.join("file"));
    let err = disk_quick(dir.join("file/x")).unwrap_err().to_string();
    assert!(err.starts_with("cannot look at ") && err.ends_with("/file/x: Not a directory"), "{err}");
    let err = disk_quick(dir.join("link/x")).unwrap_err().to_string();
    assert!(err.ends_with("/link is a symbolic link to nowhere"), "{err}");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn what_hangs_is_left_behind() {
    let (_keep, never) = channel::<()>();
    let err = within(Duration::from_millis(10), "/x".into(), move || never.recv()).unwrap_err();
    assert_eq!(err.to_string(), "cannot look at /x: the file system does not answer");
}

#[test]
fn a_probe_leaves_nothing() {
    let dir = std::env::temp_dir().join(format!("nn-probe-{}", std::process::id()));
    std::fs::create_dir(&dir).unwrap();
    let mut disk = disk_quick(&dir).unwrap();
    probe(&mut disk, 1 << 20).unwrap();
    assert!(disk.probed == Some(1 << 20) || !disk.warnings.is_empty(), "{disk:?}");
    assert_eq!(disk.limits.len(), 1);
    disk.probed = None;
    probe(&mut disk, u64::MAX).unwrap();
    assert_eq!(disk.probed, None, "what is certainly not there is not tried");
    std::fs::remove_dir(&dir).unwrap();
}

#[test]
fn quotas_are_remembered() {
    let mut rooms = Rooms::new();
    let disk = rooms.disk("/").unwrap();
    if let Some(mount) = disk.mount {
        let key = (mount.point, disk.group);
        let limit = Limit { by: By::UserQuota, free: Some(7), inodes: None };
        let quotas = quota::Quotas { limits: vec![limit], warnings: Vec::new() };
        rooms.quotas.insert(key, (Instant::now(), quotas));
        assert_eq!(rooms.disk("/").unwrap().limits.last(), Some(&limit));
    }
}

#[test]
fn silence_is_remembered() {
    let mut rooms = Rooms::new();
    let path = Path::new("/x");
    let said = |looked: Result<Disk>| looked.unwrap_err().to_string();
    assert!(said(rooms.disk_by(path, |_| Err(silence()).doing("look at", "/x"))).contains("does not answer"));
    assert!(said(rooms.disk_by(path, |_| panic!("asked again"))).contains("/x: the file system does not answer"));
    assert!(said(rooms.disk_by(Path::new("/y"), |_| Err(Error::other("gone")))).contains("gone"));
    assert!(said(rooms.disk_by(Path::new("/y"), |_| Err(Error::other("still")))).contains("still"));
}

/// Random damage to what is read from outside: read or refused, never a panic.
#[test]
fn damaged_answers() {
    let samples = [
        "Disk quotas for user jane (uid 1000): \n  Filesystem  blocks   quota   limit   grace   files\n  /dev/sda1  210* 200 250 6days 10 20 25\n",
        "Disk quotas for grp g (gid 7):\n/lustre/long\n  [5.9G]* 1T 2T - 1 0 0 -\ngid 7 is using default block quota setting\n",
        "36 35 98:0 /mnt1 /mnt\\040x rw,noatime master:1 - ext3 /dev/root rw\n0::/job\n4:memory:/a/b\n",
    ];
    let parts =
        ["", " ", "\n", "*", "[", "]", "99999999999999999999", "-", "9e9", "K", "é", "\\7", "Disk quotas for ", ")"];
    let mut seed = 1u64;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below as u64).unwrap()
    };
    let table = std::env::temp_dir().join(format!("nn-damaged-{}", std::process::id()));
    for round in 0..20_000 {
        let mut chars: Vec<char> = samples[round % samples.len()].chars().collect();
        for _ in 0..=random(4) {
            let (from, part) = (random(chars.len() + 1), parts[random(parts.len())]);
            let to = (from + random(6)).min(chars.len());
            chars.splice(from..to, part.chars());
        }
        let text: String = chars.into_iter().collect();
        quota::damage(&text);
        if round % 40 == 2 {
            std::fs::write(&table, &text).unwrap();
            let _ = mounts::all(&table);
        }
    }
    let _ = std::fs::remove_file(table);
}
