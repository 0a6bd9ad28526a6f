//! The runs that a job comes after, as a person or a program names them: RUNS of the spool, and in JSON lines also the name
//! of a job further up in the same input, which has no number yet. Only what is there already can be named, so that no two
//! runs can wait for each other.

use nn::base::error::{Error, Result};
use nn::base::json::Value;
use nn::spool::job::Job;
use nn::spool::select::select;
use nn::spool::store::Spool;
use std::collections::HashMap;

/// The members of a job that name others.
pub const MEMBERS: [&str; 2] = ["after", "after-any"];

/// The jobs of one input so far, and the spool once it is needed.
#[derive(Default)]
pub struct Names {
    /// Name -> place in the input, from 1; None: several are called so
    places: HashMap<String, Option<usize>>,
    count: usize,
    spool: Option<Spool>,
}

impl Names {
    /// The next job of the input.
    pub fn add(&mut self, name: Option<&str>) {
        self.count += 1;
        if let Some(name) = name {
            let place = if self.places.contains_key(name) { None } else { Some(self.count) };
            self.places.insert(name.to_string(), place);
        }
    }

    /// The numbers that RUNS of an option stand for: words between commas or blanks.
    ///
    /// # Errors
    /// A word names no run.
    pub fn of_option(&mut self, text: &str) -> Result<Vec<Value>> {
        let words: Vec<String> = text.split([',', ' ']).filter(|w| !w.is_empty()).map(String::from).collect();
        if words.is_empty() {
            return Err(Error::usage("after which runs?"));
        }
        self.in_spool(&words)
    }

    /// What a member of a job stands for: a number, a string, or a list of such. A job further up is named by its place,
    /// which the spool replaces by its number.
    ///
    /// # Errors
    /// A sentence that names what is wrong.
    pub fn of_member(&mut self, member: &Value) -> std::result::Result<Vec<Value>, String> {
        let items = member.as_list().map_or_else(|| vec![member.clone()], <[Value]>::to_vec);
        let mut runs = Vec::new();
        for item in items {
            let word = match &item {
                Value::Str(word) => word,
                Value::Int(run) => &run.to_string(),
                _ => return Err("expected numbers or names of runs".into()),
            };
            match self.places.get(word) {
                Some(Some(place)) => runs.push(Value::from(format!("+{place}"))),
                Some(None) => return Err(format!("several jobs above are called '{word}'")),
                None => runs.extend(self.in_spool(std::slice::from_ref(word)).map_err(|err| err.to_string())?),
            }
        }
        Ok(runs)
    }

    fn in_spool(&mut self, words: &[String]) -> Result<Vec<Value>> {
        let spool = match self.spool.take() {
            Some(spool) => spool,
            None => Spool::find()?,
        };
        let runs = select(&spool, words);
        self.spool = Some(spool);
        Ok(runs?.into_iter().filter_map(|run| i64::try_from(run).ok()).map(Value::from).collect())
    }
}

/// Takes jobs out of an input, those with the number of the run that takes their place; who comes after one of them comes
/// after that run, and the places of the others move up.
pub fn leave_out(jobs: &mut Vec<Job>, runs: &[Option<u64>]) {
    let mut place = 0;
    let mut places = Vec::with_capacity(runs.len());
    for run in runs {
        place += usize::from(run.is_none());
        places.push(match run {
            Some(run) => i64::try_from(*run).map(Value::from).unwrap_or(Value::Null),
            None => Value::from(format!("+{place}")),
        });
    }
    let moved = |item: &Value| {
        let old = item.as_str().and_then(|text| text.strip_prefix('+')?.parse::<usize>().ok());
        old.and_then(|old| places.get(old.checked_sub(1)?)).unwrap_or(item).clone()
    };
    for job in jobs.iter_mut() {
        for member in MEMBERS {
            if let Some(items) = job.json.list(member).map(|items| items.iter().map(moved).collect::<Vec<_>>()) {
                job.json.set(member, items);
            }
        }
    }
    let mut stays = runs.iter().map(Option::is_none);
    jobs.retain(|_| stays.next().unwrap_or(true));
}
