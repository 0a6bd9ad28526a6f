//! Paths by patterns: `*` stands for anything and `?` for any one byte, within one part of a path. A name that begins
//! with a dot is met only by a pattern that does, as in a shell.

use super::files;
use std::path::{Path, PathBuf};

/// What is there and fits a path with `*` and `?` in any part of it, sorted.
pub fn matching(glob: &Path) -> Vec<PathBuf> {
    let mut paths = vec![PathBuf::new()];
    for part in glob.components() {
        let part = part.as_os_str();
        let bytes = part.as_encoded_bytes();
        if !bytes.contains(&b'*') && !bytes.contains(&b'?') {
            paths.iter_mut().for_each(|path| path.push(part));
            continue;
        }
        let in_dir = |dir: &PathBuf| -> Vec<PathBuf> {
            let names = files::names(dir).unwrap_or_default();
            names.iter().filter(|n| fits(bytes, n.as_encoded_bytes())).map(|n| dir.join(n)).collect()
        };
        paths = paths.iter().flat_map(in_dir).collect();
    }
    paths.retain(|path| path.exists());
    paths.sort();
    paths
}

/// Whether a name fits a pattern: greedy, going back to the last star only.
pub fn fits(pattern: &[u8], name: &[u8]) -> bool {
    if name.first() == Some(&b'.') && pattern.first() != Some(&b'.') {
        return false;
    }
    let (mut p, mut n, mut star) = (0, 0, None);
    while let Some(byte) = name.get(n) {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == b'?' || c == byte => (p, n) = (p + 1, n + 1),
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, n) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_names() {
        for (pattern, name, good) in [
            ("*.csv", "metrics.csv", true),
            ("*.csv", "metrics.csvx", false),
            ("a*b*c", "aXbYbZc", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*", "", true),
            ("*", ".hidden", false),
            (".h*", ".hidden", true),
            ("v*_*", "version_0", true),
        ] {
            assert_eq!(fits(pattern.as_bytes(), name.as_bytes()), good, "{pattern} {name}");
        }
    }
}
