//! Tokens: the state of a run is the folder that holds its token, an EMPTY file whose name says the rest.
//!
//! ```text
//! queued/5-0000017.1      priority digit, number, generation: `ls` order is queue order
//! held/5-0000017.1        submitted/0000017.1~slurm,4711_3
//! running/0000017.1~W~c   claimed by worker W, certainly not started
//! running/0000017.1~W~S~s started under S, its nn-run
//! done/0000017.1          failed/0000017.1~exit,1        cancelled/0000017.1
//! ```
//! The generation grows whenever a run comes back to the queue, so no name is ever used twice. Of two tokens of one run
//! the one with the greater (generation, rank) is the truth and the other a ghost of a power cut.

use super::owner::Owner;
use crate::base::json::{self, Value};
use std::fmt;

/// The folders that hold tokens, in the order in which readers must list them: what moves forward is seen at least once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Folder {
    Queued,
    Held,
    Submitted,
    Running,
    Done,
    Failed,
    Cancelled,
}

impl Folder {
    /// All, in listing order.
    pub const ALL: [Folder; 7] = [
        Folder::Queued,
        Folder::Held,
        Folder::Submitted,
        Folder::Running,
        Folder::Done,
        Folder::Failed,
        Folder::Cancelled,
    ];

    /// Those whose runs have not come to an end.
    pub const OPEN: [Folder; 4] = [Folder::Queued, Folder::Held, Folder::Submitted, Folder::Running];

    /// The folder's name, which is the name of the state.
    pub fn name(self) -> &'static str {
        match self {
            Folder::Queued => "queued",
            Folder::Held => "held",
            Folder::Submitted => "submitted",
            Folder::Running => "running",
            Folder::Done => "done",
            Folder::Failed => "failed",
            Folder::Cancelled => "cancelled",
        }
    }

    /// The folder so named.
    pub fn parse(name: &str) -> Option<Folder> {
        Folder::ALL.into_iter().find(|f| f.name() == name)
    }

    /// Whether a run here has come to an end.
    pub fn is_end(self) -> bool {
        matches!(self, Folder::Done | Folder::Failed | Folder::Cancelled)
    }
}

/// How a run failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum How {
    /// Exit code, not 0
    Exit(i32),
    /// Killed by a signal
    Signal(i32),
    /// Killed for memory
    Oom,
    /// Ran past its time limit
    Time,
    /// Ended because its runner was told to: the machine or its scheduler wanted it gone
    Preempted,
    /// Stopped by a rule
    Rule,
    /// It ended while its runner was dead or no parent of it: how is not known
    Unknown,
    /// Its runner and command died without a trace
    Lost,
}

impl How {
    /// Reads what `Display` wrote.
    pub fn parse(text: &str) -> Option<How> {
        let (word, number) = match text.split_once(',') {
            Some((word, number)) => (word, Some(number.parse::<u8>().ok()?)),
            None => (text, None),
        };
        match (word, number) {
            ("exit", Some(code)) => Some(How::Exit(code.into())),
            ("signal", Some(signal)) => Some(How::Signal(signal.into())),
            ("oom", None) => Some(How::Oom),
            ("time", None) => Some(How::Time),
            ("preempted", None) => Some(How::Preempted),
            ("rule", None) => Some(How::Rule),
            ("unknown", None) => Some(How::Unknown),
            ("lost", None) => Some(How::Lost),
            _ => None,
        }
    }

    /// In words: "exit 1", "signal 9 (KILL)", "time limit".
    pub fn words(self) -> String {
        match self {
            How::Exit(code) => format!("exit {code}"),
            How::Signal(n) => match crate::base::sys::signal_name(n) {
                Some(name) => format!("signal {n} ({name})"),
                None => format!("signal {n}"),
            },
            How::Oom => "out of memory".into(),
            How::Time => "time limit".into(),
            How::Preempted => "preempted".into(),
            How::Rule => "stopped by rule".into(),
            How::Unknown => "exit status unknown".into(),
            How::Lost => "lost".into(),
        }
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            How::Exit(code) => write!(f, "exit,{code}"),
            How::Signal(n) => write!(f, "signal,{n}"),
            How::Oom => f.write_str("oom"),
            How::Time => f.write_str("time"),
            How::Preempted => f.write_str("preempted"),
            How::Rule => f.write_str("rule"),
            How::Unknown => f.write_str("unknown"),
            How::Lost => f.write_str("lost"),
        }
    }
}

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Waits; the priority digit, 0 first
    Queued(u8),
    /// Parked by a person; the priority digit
    Held(u8),
    /// Handed to an engine: its name and the job's id there
    Submitted(String, String),
    /// Claimed by this worker, certainly not started
    Claimed(Owner),
    /// Started: the worker, and the nn-run it runs under
    Started(Owner, Owner),
    /// Ended well
    Done,
    /// Ended badly
    Failed(How),
    /// Called off by a person
    Cancelled,
}

/// What stands in the place of an engine in the token of a run that goes on elsewhere and is told of by its own host.
pub const REPORT: &str = "report";

/// One token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Token {
    /// The run's number
    pub run: u64,
    /// Generation, from 1
    pub generation: u32,
    /// Its state
    pub state: State,
}

impl Token {
    /// The same run in another state.
    pub fn to(&self, state: State) -> Token {
        Token { state, ..self.clone() }
    }

    /// Back to the queue (or held): the next generation.
    pub fn again(&self, state: State) -> Token {
        Token { run: self.run, generation: self.generation.saturating_add(1), state }
    }

    /// The folder that holds it.
    pub fn folder(&self) -> Folder {
        match self.state {
            State::Queued(_) => Folder::Queued,
            State::Held(_) => Folder::Held,
            State::Submitted(..) => Folder::Submitted,
            State::Claimed(_) | State::Started(..) => Folder::Running,
            State::Done => Folder::Done,
            State::Failed(_) => Folder::Failed,
            State::Cancelled => Folder::Cancelled,
        }
    }

    /// How the run stands, in records and events: `state`, and of a failure `how`.
    pub fn outcome(&self) -> Value {
        let mut outcome = json::map([("state", Value::from(self.folder().name()))]);
        if let State::Failed(how) = self.state {
            outcome.set("how", how.to_string());
        }
        outcome
    }

    /// The key of a run that goes on elsewhere, and of which its own host reports; None: it is no such run.
    pub fn reported(&self) -> Option<&str> {
        match &self.state {
            State::Submitted(engine, key) if engine == REPORT => Some(key),
            _ => None,
        }
    }

    /// Which of two tokens of one run is the truth: the greater.
    pub fn rank(&self) -> (u32, u8) {
        let rank = match self.state {
            State::Queued(_) => 0,
            State::Held(_) => 1,
            State::Submitted(..) => 2,
            State::Claimed(_) => 3,
            State::Started(..) => 4,
            State::Done | State::Failed(_) | State::Cancelled => 5,
        };
        (self.generation, rank)
    }

    /// The file's name.
    pub fn name(&self) -> String {
        let Token { run, generation: g, state } = self;
        match state {
            State::Queued(priority) | State::Held(priority) => format!("{priority}-{run:07}.{g}"),
            State::Submitted(engine, id) => format!("{run:07}.{g}~{engine},{id}"),
            State::Claimed(worker) => format!("{run:07}.{g}~{worker}~c"),
            State::Started(worker, runner) => format!("{run:07}.{g}~{worker}~{runner}~s"),
            State::Failed(how) => format!("{run:07}.{g}~{how}"),
            State::Done | State::Cancelled => format!("{run:07}.{g}"),
        }
    }

    /// Whether its name reads back as itself: what came into it from outside fits into a name.
    pub fn is_sound(&self) -> bool {
        let name = self.name();
        name.len() <= 255 && !name.contains(['/', '\0']) && Token::parse(self.folder(), &name).as_ref() == Some(self)
    }

    /// Path below the spool.
    pub fn path(&self) -> String {
        format!("{}/{}", self.folder().name(), self.name())
    }

    /// Reads a name found in a folder. None: not a token of ours, to be left alone and reported.
    pub fn parse(folder: Folder, name: &str) -> Option<Token> {
        let (priority, rest) = match folder {
            Folder::Queued | Folder::Held => {
                let (digit, rest) = name.split_once('-')?;
                (digit.parse::<u8>().ok().filter(|p| *p < 10 && digit.len() == 1)?, rest)
            }
            _ => (0, name),
        };
        let mut parts = rest.split('~');
        let (run, generation) = parts.next()?.split_once('.')?;
        let (run, generation) = (digits(run)?, u32::try_from(digits(generation)?).ok()?);
        let tail: Vec<&str> = parts.collect();
        let state = match (folder, tail.as_slice()) {
            (Folder::Queued, []) => State::Queued(priority),
            (Folder::Held, []) => State::Held(priority),
            (Folder::Submitted, [job]) => {
                let (engine, id) = job.split_once(',')?;
                State::Submitted(engine.into(), id.into())
            }
            (Folder::Running, [worker, "c"]) => State::Claimed(Owner::parse(worker)?),
            (Folder::Running, [worker, runner, "s"]) => State::Started(Owner::parse(worker)?, Owner::parse(runner)?),
            (Folder::Done, []) => State::Done,
            (Folder::Failed, [how]) => State::Failed(How::parse(how)?),
            (Folder::Cancelled, []) => State::Cancelled,
            _ => return None,
        };
        // One state has one name: leading zeros and signs would make a second.
        let token = Token { run, generation, state };
        (run > 0 && generation > 0 && token.name() == name).then_some(token)
    }
}

fn digits(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        let w = Owner::me().unwrap();
        let s = Owner { pid: 4711, ..w.clone() };
        for state in [
            State::Queued(5),
            State::Held(0),
            State::Submitted("slurm".into(), "4711_3".into()),
            State::Claimed(w.clone()),
            State::Started(w, s),
            State::Done,
            State::Failed(How::Exit(1)),
            State::Failed(How::Signal(9)),
            State::Failed(How::Lost),
            State::Cancelled,
        ] {
            let token = Token { run: 17, generation: 2, state };
            let name = token.name();
            assert!(name.len() <= 255);
            assert_eq!(Token::parse(token.folder(), &name), Some(token), "{name}");
        }
    }

    #[test]
    fn strangers_are_refused() {
        for (folder, name) in [
            (Folder::Queued, "0000017.1"),
            (Folder::Queued, "5-17.1"),
            (Folder::Queued, "5-0000017.01"),
            (Folder::Queued, "5-0000000.1"),
            (Folder::Queued, "55-0000017.1"),
            (Folder::Queued, "5-0000017.1~x"),
            (Folder::Queued, "5-0000017.99999999999"),
            (Folder::Running, "0000017.1"),
            (Folder::Running, "0000017.1~../../x~c"),
            (Folder::Done, "0000017.1~exit,1"),
            (Folder::Failed, "0000017.1~exit,300"),
            (Folder::Failed, "0000017.1~exit,+1"),
            (Folder::Done, "README"),
            (Folder::Done, ""),
        ] {
            assert_eq!(Token::parse(folder, name), None, "{name}");
        }
    }

    #[test]
    fn the_most_advanced_is_the_truth() {
        let t = |generation, state| Token { run: 1, generation, state }.rank();
        assert!(t(1, State::Done) > t(1, State::Queued(5)));
        assert!(t(2, State::Queued(5)) > t(1, State::Done));
    }
}
