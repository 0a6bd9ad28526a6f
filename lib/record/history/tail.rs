//! Reading on in a run's history: each look hands on only what has come since the one before, whole lines only. When an
//! attempt begins, or a file was cut, what was handed on is void and the joined curve is read from its beginning; and once
//! more after the attempt's first points, which decide what they replace.

use super::Point;
use super::file::Source;
use super::join::{self, RESUMED, Seam};
use crate::base::error::Result;
use crate::base::files;
use std::path::PathBuf;

/// What a look finds.
#[derive(Debug)]
pub enum News<'a> {
    /// What was handed on before is void
    Over,
    /// A point
    Point(&'a Point),
}

/// Where reading stands.
#[derive(Debug)]
pub struct Tail {
    run: PathBuf,
    files: Vec<(String, u64)>,
    /// Length of what resumed attempts noted
    resumed: u64,
    /// An attempt has begun, and no point of it was seen
    begun: bool,
}

impl Tail {
    /// From the beginning of a run's history, given its folder.
    pub fn new(run: impl Into<PathBuf>) -> Tail {
        Tail { run: run.into(), files: Vec::new(), resumed: 0, begun: false }
    }

    /// Hands on what is new, file by file.
    ///
    /// # Errors
    /// The folder or a file in it cannot be read.
    pub fn look(&mut self, act: &mut dyn FnMut(News)) -> Result<()> {
        let (mut resumed, mut cut, mut grown) = (0, false, Vec::new());
        for name in files::names(&self.run)? {
            let length = || std::fs::metadata(self.run.join(&name)).map_or(0, |meta| meta.len());
            if name == RESUMED {
                resumed = length();
            } else if join::is_history(&name) {
                let length = length();
                let name = name.to_string_lossy().into_owned();
                let read = self.files.iter().find(|(known, _)| *known == name).map_or(0, |(_, at)| *at);
                cut |= length < read;
                grown.push((name, read, length));
            }
        }
        let begun = resumed != self.resumed;
        let first_points = self.begun && grown.iter().any(|(_, read, length)| length > read);
        let seams = if begun || cut || first_points { Some(Seam::read(&self.run)?) } else { None };
        self.resumed = resumed;
        self.begun = begun || self.begun && !first_points;
        grown.sort();
        match seams {
            Some(seams) => self.read_all(&grown, seams, act),
            None => grown.into_iter().filter(|(_, read, length)| length > read).try_for_each(|(name, read, _)| {
                let at = self.read(&name, read, &mut |_, point| act(News::Point(point)))?;
                self.keep(name, at);
                Ok(())
            }),
        }
    }

    fn read_all(
        &mut self,
        files: &[(String, u64, u64)],
        mut seams: Vec<Seam>,
        act: &mut dyn FnMut(News),
    ) -> Result<()> {
        act(News::Over);
        for (name, ..) in files {
            let from = seams.first().map_or(0, |first| first.start(name));
            self.read(name, from, &mut |at, point| {
                if let Some(seam) = seams.iter_mut().rfind(|seam| seam.start(name) <= at) {
                    seam.see(point);
                }
            })?;
        }
        for (name, ..) in files {
            let at = self.read(name, 0, &mut |at, point| {
                if !seams.iter().any(|seam| at < seam.start(name) && seam.replaces(point)) {
                    act(News::Point(point));
                }
            })?;
            self.keep(name.clone(), at);
        }
        Ok(())
    }

    /// Hands on the points of a file from a byte on, each with where its line begins; where reading stopped.
    fn read(&self, name: &str, from: u64, act: &mut dyn FnMut(u64, &Point)) -> Result<u64> {
        let mut source = Source::open(&self.run.join(name))?;
        source.skip_to(from)?;
        while source.advance_whole()? {
            act(source.from, &source.point);
        }
        Ok(source.to)
    }

    fn keep(&mut self, name: String, at: u64) {
        match self.files.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = at,
            None => self.files.push((name, at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn only_what_is_new() {
        let dir = std::env::temp_dir().join(format!("nn-tail-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("history.jsonl");
        let mut tail = Tail::new(&dir);
        let mut look = || {
            let mut seen = Vec::new();
            tail.look(&mut |news| match news {
                News::Over => seen.push("over".to_string()),
                News::Point(point) => {
                    seen.push(format!("{}:{}", point.counter("epoch").unwrap(), point.value("loss").unwrap()))
                }
            })
            .unwrap();
            seen
        };
        let append = |text: &str| {
            use std::io::Write;
            let mut file = std::fs::File::options().append(true).create(true).open(&path).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        };
        assert!(look().is_empty());
        append("{\"epoch\":1,\"loss\":5}\n{\"epoch\":2,");
        assert_eq!(look(), ["1:5"]);
        assert!(look().is_empty(), "a line that is not whole");
        append("\"loss\":4}\n{\"epoch\":3,\"loss\":3}\n");
        assert_eq!(look(), ["2:4", "3:3"]);
        join::note(&dir, 2, Some(Path::new("c")), 0, &[]).unwrap();
        assert_eq!(look(), ["over", "1:5", "2:4", "3:3"]);
        assert!(look().is_empty());
        append("{\"epoch\":2,\"loss\":2}\n");
        assert_eq!(look(), ["over", "1:5", "2:2"]);
        append("{\"epoch\":3,\"loss\":1}\n");
        assert_eq!(look(), ["3:1"]);
        std::fs::write(&path, "{\"epoch\":9,\"loss\":9}\n").unwrap();
        assert_eq!(look()[0], "over");
        std::fs::remove_dir_all(dir).unwrap();
    }
}
