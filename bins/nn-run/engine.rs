//! Inside a job of an engine: `--claim N.g` takes over what was submitted. The move from submitted/ to started is the
//! fence: whoever took the run back was quicker, or this is a second start of the same job, and nothing runs.

use nn::base::error::{Error, Result};
use nn::base::files::Moved;
use nn::base::json::Value;
use nn::cluster::environment;
use nn::spool::owner::Owner;
use nn::spool::state::{Folder, State, Token};
use nn::spool::store::Spool;

/// So often a token is looked for that whoever hands it over is just moving on.
const LOOKS: u32 = 5;

/// The job this process runs in.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineJob {
    /// The engine's name
    pub engine: String,
    /// The job's id there
    pub id: String,
}

impl EngineJob {
    /// Writes it into attempt.json.
    pub fn note(&self, record: &mut Value) {
        record.set("engine", self.engine.as_str());
        record.set("job", self.id.as_str());
    }

    /// Reads it from there.
    pub fn of_record(record: &Value) -> Option<EngineJob> {
        Some(EngineJob { engine: record.str("engine")?.to_string(), id: record.str("job")?.to_string() })
    }
}

/// The token of a submitted run, `N.GENERATION`. None: it was taken back.
///
/// # Errors
/// It is not so named, or the spool cannot be read.
pub fn submitted(spool: &Spool, word: &str) -> Result<Option<(Token, EngineJob)>> {
    let (run, generation) =
        parse(word).ok_or_else(|| Error::usage(format!("--claim {word}: expected RUN.GENERATION, as in 17.1")))?;
    let Some(token) = find(spool, run, generation)? else { return Ok(None) };
    let State::Submitted(engine, id) = &token.state else { return Ok(None) };
    // The name may still say that it is being handed over.
    let id = environment::job_id(engine).unwrap_or_else(|| id.clone());
    let job = EngineJob { engine: engine.clone(), id };
    Ok(Some((token, job)))
}

fn parse(word: &str) -> Option<(u64, u32)> {
    let (run, generation) = word.split_once('.')?;
    Some((run.parse().ok().filter(|run| *run > 0)?, generation.parse().ok()?))
}

fn find(spool: &Spool, run: u64, generation: u32) -> Result<Option<Token>> {
    let tokens = spool.tokens(Folder::Submitted)?;
    Ok(tokens.into_iter().find(|token| token.run == run && token.generation == generation))
}

/// submitted -> started, durably. None: it was taken back.
///
/// # Errors
/// It is unknown whether it was done: the command must not run.
pub fn fence(spool: &Spool, submitted: &Token, runner: &Owner) -> Result<Option<Token>> {
    let mut from = submitted.clone();
    for _ in 0..LOOKS {
        let started = from.to(State::Started(runner.clone(), runner.clone()));
        if spool.shift_durably(&from, &started)? == Moved::Won {
            return Ok(Some(started));
        }
        // Whoever hands it over has perhaps just learnt its id.
        match find(spool, submitted.run, submitted.generation)? {
            Some(token) => from = token,
            None => return Ok(None),
        }
    }
    Ok(None)
}
