//! What the curves are called: the parameters in which the runs differ, else their names, else their numbers.

use super::read::Source;
use nn::base::error::Result;
use nn::spool::job::Job;

/// Something to draw curves of.
pub struct Subject {
    /// Where its values are.
    pub source: Source,
    /// What messages call it: the run's number, or the file's name.
    pub name: String,
    /// What was asked of it, if it is a run.
    job: Option<Job>,
}

impl Subject {
    /// Looks up what is known of a source. A run whose job.json is damaged still has curves.
    pub fn new(source: Source) -> Result<Subject> {
        let (name, job) = match &source {
            Source::Run(spool, run) => (run.to_string(), spool.job(*run).ok()),
            Source::File(path) => (path.to_string_lossy().into_owned(), None),
            Source::Bytes(name, _) => (name.clone(), None),
        };
        Ok(Subject { source, name, job })
    }

    fn params(&self) -> Vec<(String, String)> {
        let list = self.job.as_ref().map_or(&[][..], Job::params);
        list.iter().map(|(key, value)| (key.clone(), value.plain())).collect()
    }

    /// What a label may call it: a file without its folder.
    fn short_name(&self) -> String {
        match &self.source {
            Source::File(path) => path.file_name().map_or(self.name.clone(), |n| n.to_string_lossy().into_owned()),
            _ => self.name.clone(),
        }
    }

    /// `17 rnn-tanh`, or the file's name.
    fn title(&self) -> String {
        let name = self.job.as_ref().and_then(Job::name).unwrap_or_default();
        format!("{} {name}", self.short_name()).trim().to_string()
    }
}

/// A label for each, all of them different, and the heading of the chart.
pub fn labels(subjects: &[Subject]) -> (Vec<String>, String) {
    if let [only] = subjects {
        return (vec![String::new()], only.title());
    }
    let all: Vec<Vec<(String, String)>> = subjects.iter().map(Subject::params).collect();
    let mut keys: Vec<&str> = Vec::new();
    for (key, _) in all.iter().flatten() {
        if !keys.contains(&key.as_str()) {
            keys.push(key);
        }
    }
    let value = |params: &[(String, String)], key: &str| params.iter().find(|p| p.0 == key).map(|p| p.1.clone());
    keys.retain(|key| {
        let first = all.first().and_then(|p| value(p, key));
        all.iter().any(|p| value(p, key) != first)
    });
    let differing = |params: &[(String, String)]| {
        let words: Vec<String> = keys.iter().filter_map(|k| Some(format!("{k}={}", value(params, k)?))).collect();
        words.join(" ")
    };
    let mut labels: Vec<String> = Vec::new();
    for (subject, params) in subjects.iter().zip(&all) {
        let text = differing(params);
        let own_name = || subject.job.as_ref().and_then(Job::name).map(String::from);
        let fallback = || if subject.job.is_some() { format!("run {}", subject.name) } else { subject.short_name() };
        labels.push(if text.is_empty() { own_name().unwrap_or_else(fallback) } else { text });
    }
    let twice: Vec<bool> = labels.iter().map(|l| labels.iter().filter(|m| *m == l).count() > 1).collect();
    for ((label, subject), twice) in labels.iter_mut().zip(subjects).zip(twice) {
        if twice {
            let is_run = subject.job.is_some();
            *label = if is_run { format!("{} {label}", subject.name) } else { subject.name.clone() };
        }
    }
    let group = |s: &Subject| s.job.as_ref().and_then(Job::group).map(String::from);
    let first = subjects.first().and_then(group);
    let shared = first.filter(|g| subjects.iter().all(|s| group(s).as_ref() == Some(g)));
    (labels, shared.map_or(String::new(), |g| format!("@{g}")))
}

/// Whether `name` is of the form `pattern`, where `*` stands for anything and `?` for one character.
pub fn glob(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || Some(c) == name.get(n) => {
                p += 1;
                n += 1;
            }
            _ => {
                // let the last star take one more
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                p = at + 1;
                n = taken + 1;
            }
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn stars_and_question_marks() {
        assert!(glob("*cost*", "valid_cost") && glob("*", "") && glob("v?l*_*t", "valid_cost"));
        assert!(!glob("cost", "valid_cost") && !glob("*x", "valid_cost") && !glob("?", ""));
        assert!(!glob("*a*a*a*a*a*a*a*b", &"a".repeat(2000)));
    }
}
