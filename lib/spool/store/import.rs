//! Runs that ended elsewhere, and come with all that is known of them: a number by mkdir, the files, everything to disk,
//! and only then the token, made at once in the folder of the end. They are never queued, so nobody can take one before
//! it is whole; a run without a token was never acknowledged, and `gc` takes it later.

use super::{Spool, whole_result};
use crate::base::error::Result;
use crate::base::files;
use crate::base::json::Value;
use crate::base::time::Time;
use crate::spool::job::Job;
use crate::spool::state::{Folder, State, Token};
use std::collections::HashMap;
use std::path::Path;

/// What stands in the folder of a run that was imported.
pub const IMPORTED: [&str; 5] = ["job.json", "result.json", "facts.json", "history.jsonl", "log"];

/// A run that has ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// What was asked, with its `source`
    pub job: Job,
    /// How it ended: done, failed or cancelled
    pub state: State,
    /// What else result.json says
    pub result: Value,
}

/// Writes what else there is of a run, given its place in the list, into the folder it has here.
pub type Fill<'a> = &'a mut dyn FnMut(usize, &Path) -> Result<()>;

impl Spool {
    /// Adds runs that have ended, all or none, durably; returns their numbers.
    ///
    /// # Errors
    /// Something cannot be written, or `fill` fails; then nothing is left.
    pub fn add_ended(&self, ended: &[Ended], fill: Fill) -> Result<Vec<u64>> {
        let mut tokens = Vec::with_capacity(ended.len());
        let added = self.fill_ended(ended, fill, &mut tokens).and_then(|()| self.acknowledge(&tokens));
        if let Err(err) = added {
            for token in &tokens {
                // The token first: what can be seen is whole.
                if files::remove(&self.dir().join(token.path())).is_ok() {
                    let _ = files::remove_tree(&self.run_dir(token.run));
                }
            }
            return Err(err);
        }
        Ok(tokens.iter().map(|token| token.run).collect())
    }

    fn fill_ended(&self, ended: &[Ended], fill: Fill, tokens: &mut Vec<Token>) -> Result<()> {
        let now = Time::now();
        let mut next = self.first_number()?;
        for (at, one) in ended.iter().enumerate() {
            let token = Token { run: self.make_run(&mut next)?, generation: 1, state: one.state.clone() };
            let dir = self.run_dir(token.run);
            tokens.push(token.clone());
            self.write_job(token.run, &one.job, now, false)?;
            let result = format!("{}\n", whole_result(&token, &one.result));
            files::write_new(&dir.join("result.json"), result.as_bytes(), false)?;
            fill(at, &dir)?;
        }
        self.remember(next);
        files::sync_file_system(self.dir())
    }

    fn acknowledge(&self, tokens: &[Token]) -> Result<()> {
        for token in tokens {
            files::create_empty(&self.dir().join(token.path()))?;
        }
        files::sync_file_system(self.dir())
    }

    /// The runs here that came from elsewhere, by what makes their source known again.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn imported(&self) -> Result<HashMap<String, u64>> {
        let runs = self.states(&Folder::ALL)?.into_keys();
        // A job that is damaged is the matter of other tools.
        let key = |run: u64| Some((self.job(run).ok()?.source()?.key(), run));
        Ok(runs.filter_map(key).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::error::Error;
    use crate::base::json;
    use crate::spool::source::Source;
    use crate::spool::state::How;

    fn ended(id: &str, state: State) -> Ended {
        let source = Source { format: "mlflow".into(), path: format!("/elsewhere/{id}").into(), id: Some(id.into()) };
        let job = Job::on_record(json::map([("name", Value::from(id)), ("source", source.to_json())])).unwrap();
        Ended { job, state, result: json::map([("evidence", Value::from("it said so"))]) }
    }

    #[test]
    fn all_or_none_and_known_again() {
        let dir = std::env::temp_dir().join(format!("nn-import-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let spool = Spool::init(&dir, false).unwrap();
        let two = [ended("a", State::Done), ended("b", State::Failed(How::Unknown))];
        let fails = spool.add_ended(&two, &mut |at, _| if at == 0 { Ok(()) } else { Err(Error::other("no")) });
        assert!(fails.is_err() && std::fs::read_dir(dir.join("runs")).unwrap().next().is_none());
        let fill = &mut |at: usize, dir: &Path| files::write_new(&dir.join("log"), &[b'0' + at as u8], false);
        let runs = spool.add_ended(&two, fill).unwrap();
        assert_eq!(std::fs::read_to_string(spool.run_dir(runs[1]).join("log")).unwrap(), "1");
        let states: Vec<State> = runs.iter().map(|run| spool.state_of(*run).unwrap().unwrap().state).collect();
        assert_eq!(states, [State::Done, State::Failed(How::Unknown)]);
        let result = spool.read(runs[1], "result.json").unwrap().unwrap();
        assert_eq!(result.to_string(), r#"{"generation":1,"state":"failed","how":"unknown","evidence":"it said so"}"#);
        let known = spool.imported().unwrap();
        assert_eq!(known.get(&two[1].job.source().unwrap().key()), Some(&runs[1]));
        assert_eq!(known.len(), 2);
        std::fs::remove_dir_all(dir).unwrap();
    }
}
