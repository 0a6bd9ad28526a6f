//! Answers in the forms of quota 4.06 and lfs 2.12 to 2.15, and answers that are none.

use super::*;
use std::os::unix::fs::PermissionsExt;

const KIB: u64 = 1024;

fn rows(text: &str) -> Vec<Row> {
    parse(text).unwrap_or_default().into_iter().flat_map(|s| s.rows).collect()
}

/// (free bytes, free files) of the only row.
fn free(row: &str) -> Option<(Option<u64>, Option<u64>)> {
    let rows = rows(&format!("Disk quotas for user jane (uid 1000): \n{row}\n"));
    assert!(rows.len() < 2, "{row}");
    rows.first().map(|row| (row.space.free(), row.files.free()))
}

#[test]
fn graces_that_are_there_or_not() {
    let k = |n: u64| Some(n * KIB);
    for (row, expected) in [
        // quota -w: nothing over, space over, files over, both over
        ("      /dev/sda1     100     200     250              10      20      25        ", (k(150), Some(15))),
        ("      /dev/sda1     210*    200     250   6days      10      20      25        ", (k(40), Some(15))),
        ("      /dev/sda1     100     200     250              22*     20      25   23:59", (k(150), Some(3))),
        ("      /dev/sda1     210*    200     250    none      22*     20      25    none", (Some(0), Some(0))),
        // a hard limit reached, which has no grace
        ("      /dev/sda1     250*      0     250              22*     20      25   6days", (Some(0), Some(3))),
        // -p: the grace as a time, always there
        ("      /dev/sda1     100     200     250       0      10       0       0       0", (k(150), None)),
        // -s
        (
            "      /dev/sda1     97M    100M    200M             12k     20k     25k        ",
            (k(103 * KIB), Some(13000)),
        ),
        // no limits; only a soft one; more used than the limit
        ("      /dev/sda1     100       0       0              10       0       0        ", (None, None)),
        ("      /dev/sda1     100     200       0              10      20       0        ", (k(100), Some(10))),
        ("      /dev/sda1     300*    200     250   6days      10       0       0        ", (Some(0), None)),
        // lfs: `-` where there is no grace
        ("       /scratch     100       0     250       -      10       0      25       -", (k(150), Some(15))),
        ("       /scratch  [210]*  [200]     250  6d23h59m59s   10       0      25       -", (k(40), Some(15))),
        (
            "       /scratch   5.95G      0  9.537T       -     128k       0      1M       -",
            (Some(10479653630247), Some(872000)),
        ),
        // a name with blanks
        ("      /mnt/my disk     100     200     250              10      20      25     ", (k(150), Some(15))),
    ] {
        assert_eq!(free(row), Some(expected), "{row}");
    }
}

#[test]
fn long_names_push_the_numbers_into_the_next_line() {
    let text = "Disk quotas for user jane (uid 1000): 
     Filesystem  blocks   quota   limit   grace   files   quota   limit   grace
fileserver.cs.example.org:/export/home/jane
                    100     200     250              10      20      25        
Disk quotas for group (staff) (gid 20): none
Disk quotas for group a b (gid 7): 
     Filesystem  blocks   quota   limit   grace   files   quota   limit   grace
      /dev/sda1       1       0       5               1       0       0        
";
    let sections = parse(text).unwrap();
    let told: Vec<_> = sections.iter().map(|s| (s.of, s.id, s.rows.len())).collect();
    assert_eq!(told, [(By::UserQuota, Some(1000), 1), (By::GroupQuota, Some(20), 0), (By::GroupQuota, Some(7), 1)]);
    assert_eq!(sections[0].rows[0].file_system, "fileserver.cs.example.org:/export/home/jane");
}

#[test]
fn what_lfs_says_besides() {
    let text = "Disk quotas for usr jane (uid 1000):
     Filesystem  kbytes   quota   limit   grace   files   quota   limit   grace
/lustre/scratch-with-a-long-name
                  [100]     200     250       -      10       0       0       -
uid 1000 is using default block quota setting
uid 1000 is using default file quota setting
Some errors happened when getting quota info. Some devices may be not working or deactivated. The data in \"[]\" is inaccurate.
";
    let rows = rows(text);
    assert_eq!((rows[0].space.free(), rows[0].space.incomplete), (Some(150 * KIB), true));
    assert_eq!(rows[0].space.warning().as_deref(), Some("the use is known in part only"));
}

#[test]
fn anything_else_is_not_counted() {
    let heading = "Disk quotas for user jane (uid 1000): \n";
    for text in [
        "quota: command not configured\n",
        "Filesystem Size Used\n/dev/sda1 1 2 3 4 5 6\n",
        &format!("{heading}/dev/sda1 1 2\n"),
        &format!("{heading}/dev/sda1\n"),
        &format!("{heading}/dev/sda1\n/dev/sda2\n1 2 3 4 5 6\n"),
        &format!("{heading}/dev/sda1 1 2 3 4 5 6 7 8 9\nx"),
        &format!("{heading}/dev/sda1 -1 2 3 4 5 6\n"),
        &format!("{heading}/dev/sda1 1e9 2 3 4 5 6\n"),
        &format!("{heading}/dev/sda1 99999999999999999999 2 3 4 5 6\n"),
        &format!("{heading}/dev/sda1 18446744073709551615 2 3 4 5 6\n"),
        &format!("{heading}/dev/sda1 9e9E 2 3 4 5 6\n"),
        &format!("{heading}/dev/sda1 * 2 3 4 5 6\n"),
        &format!("{heading}/dev/sda1 [ 2 3 4 5 6\n"),
        &format!("{heading}/dev/sda1 K 2 3 4 5 6\n"),
        &format!("{heading}/dev/sda1 é 2 3 4 5 6\n"),
        "Disk quotas for \n",
        "Disk quotas for prj 7 (pid 7):\n",
    ] {
        assert_eq!(parse(text), None, "{text}");
    }
    assert_eq!(parse("Disk quotas for user root (uid 0): none\n").unwrap()[0].rows, []);
}

fn script(name: &str, body: &str) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("nn-quota-{}-{name}", std::process::id()));
    std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path
}

#[test]
fn programs_are_asked_and_may_fail() {
    let mount = |kind: &str| Mount { point: "/x".into(), source: "s:/e".into(), kind: kind.into(), root: "/".into() };
    let none = Path::new("/no/such/program");
    let long = Duration::from_secs(60);
    let nothing = ask_with(&mount("ext4"), 20, none, none, long);
    assert!(nothing.limits.is_empty() && nothing.warnings.is_empty(), "{nothing:?}");
    let ours = script(
        "ours",
        "echo \"Disk quotas for user u (uid 1):\"; echo 's:/e 1 0 3 1 0 0'; echo 'other:/e 1 0 2 1 0 0'
echo 'Disk quotas for group g (gid 20):'; echo ' /x 1 0 4 1 0 9'
echo 'Disk quotas for group h (gid 21):'; echo ' /x 1 0 2 1 0 9'; exit 1",
    );
    let found = ask_with(&mount("ext4"), 20, &ours, none, long);
    let limit = |by, free, inodes| Limit { by, free: Some(free), inodes };
    assert_eq!(found.limits, [limit(By::UserQuota, 2048, None), limit(By::GroupQuota, 3072, Some(8))]);
    let lfs = script(
        "lfs",
        "[ \"$1 $4\" = 'quota /x' ] || exit 3; case $2 in -u) echo \"Disk quotas for usr $3 (uid $3):\";; *) echo \"Disk quotas for grp $3 (gid $3):\";; esac
echo '/x 1* 1 3 6d - 1 0 0 -' | sed 's/ - 1/ 1/'",
    );
    let found = ask_with(&mount("lustre"), 20, none, &lfs, long);
    assert_eq!(found.limits, [limit(By::UserQuota, 2048, None), limit(By::GroupQuota, 2048, None)], "{found:?}");
    for (name, body, said) in [
        ("odd", "echo your quota is fine", "cannot read what quota prints: quotas are not counted"),
        (
            "endless",
            "exec yes 'Disk quotas for user u (uid 1): none'",
            "cannot read what quota prints: quotas are not counted",
        ),
        (
            "refused",
            "echo 'quota: Cannot open quotafile' >&2; exit 1",
            "quotas are not counted: quota: Cannot open quotafile",
        ),
    ] {
        let odd = script(name, body);
        let found = ask_with(&mount("nfs"), 20, &odd, none, long);
        assert_eq!((found.limits.len(), found.warnings), (0, vec![said.to_string()]));
        let _ = std::fs::remove_file(odd);
    }
    let hangs = script("hangs", "exec sleep 600");
    let found = ask_with(&mount("nfs"), 20, &hangs, none, Duration::from_millis(50));
    assert!(found.warnings[0].starts_with("quota did not answer within"), "{found:?}");
    for path in [ours, lfs, hangs] {
        let _ = std::fs::remove_file(path);
    }
}
