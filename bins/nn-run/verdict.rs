//! How a command ended, and by what evidence. What made it end comes first (called off, its time was over, the machine wanted
//! it gone); else its exit status tells, and for one that was killed the witnesses of a lack of memory.
//!
//! A KILL that nn-run did not send is that of the kernel if the kernel log names the command or, where the log cannot be
//! read, if the control group counts a kill. A shell that leaves with 137, or a command that fails after one of its
//! processes was killed for memory, failed for memory as well.

use crate::engine::Notice;
use crate::watch::Cause;
use nn::base::sys::{Ended, Signal, signal_name};
use nn::base::time::show_duration;
use nn::record::oom::Found;
use nn::spool::state::{How, State};

/// What a shell returns for a command that was ended by KILL.
const SHELL_KILLED: i32 = 137;
/// Signals that a program brings upon itself: QUIT is not among them.
const OWN: [i32; 7] = [4, 5, 6, 7, 8, 11, 31];

/// The state a run comes to, and the evidence for it. `ended`: None when nobody can tell how. `is_gone`: nobody
/// saw it end either. `found` is asked for only where it matters.
pub fn verdict(
    pid: u32,
    cause: Option<Cause>,
    ended: Option<Ended>,
    is_gone: bool,
    found: impl FnOnce() -> Found,
) -> (State, Option<String>) {
    let Some(ended) = ended else {
        let how = if is_gone { How::Lost } else { How::Unknown };
        return (by_cause(cause).unwrap_or(State::Failed(how)), words(cause));
    };
    if let Some(state) = by_cause(cause) {
        return (state, words(cause));
    }
    match ended {
        Ended::Code(0) => (State::Done, words(cause)),
        Ended::Code(code) => {
            let found = found();
            let is_short = found.is_named() || code == SHELL_KILLED && found.is_any();
            let how = if is_short { How::Oom } else { How::Exit(code) };
            // For any other failure the witnesses have nothing to say, unless there was a kill.
            let told = found.words().filter(|_| found.is_any() || code == SHELL_KILLED);
            (State::Failed(how), both(words(cause), told))
        }
        Ended::Signal(signal, core) => {
            let is_kill = signal == Signal::KILL.0;
            let found = if is_kill { found() } else { Found::default() };
            if is_kill && found.has_killed(pid) {
                return (State::Failed(How::Oom), both(words(cause), found.words()));
            }
            let whose = words(cause).or_else(|| whence(signal));
            let told = if is_kill { found.words().or_else(nothing_known) } else { None };
            let core = core.then(|| "core dumped".to_string());
            (State::Failed(How::Signal(signal)), both(both(whose, told), core))
        }
    }
}

fn by_cause(cause: Option<Cause>) -> Option<State> {
    match cause? {
        Cause::Cancelled => Some(State::Cancelled),
        Cause::TimeLimit(_) | Cause::FinishUp(..) => Some(State::Failed(How::Time)),
        Cause::Notice(Notice::Time | Notice::Kill) => Some(State::Failed(How::Time)),
        Cause::Notice(Notice::Stop) | Cause::Signal(Signal::TERM) => Some(State::Failed(How::Preempted)),
        Cause::Rule => Some(State::Failed(How::Rule)),
        Cause::Signal(_) => None,
    }
}

fn words(cause: Option<Cause>) -> Option<String> {
    Some(match cause? {
        Cause::Cancelled => "cancelled: TERM was sent".into(),
        Cause::Rule => "stopped by a rule: TERM was sent".into(),
        Cause::TimeLimit(limit) => format!("the time limit of {} was over", show_duration(limit)),
        Cause::FinishUp(before, limit) => format!(
            "told to finish up {} before the time limit of {}, and left",
            show_duration(before),
            show_duration(limit)
        ),
        Cause::Notice(notice) => format!("the engine gave notice: {}", notice.words()),
        Cause::Signal(signal) => {
            format!("nn-run got {} and passed it on", signal_name(signal.0).unwrap_or("a signal"))
        }
    })
}

/// Where a signal came from that nn-run did not pass on.
fn whence(signal: i32) -> Option<String> {
    let name = signal_name(signal).unwrap_or("the signal");
    (!OWN.contains(&signal)).then(|| format!("{name} came from elsewhere, not through nn-run"))
}

fn nothing_known() -> Option<String> {
    Some("whether memory was short cannot be told here".into())
}

fn both(one: Option<String>, other: Option<String>) -> Option<String> {
    match (one, other) {
        (Some(one), Some(other)) => Some(format!("{one}; {other}")),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn found(counted: Option<u64>, named: Option<&[u32]>) -> Found {
        let named = named.map(|pids| pids.iter().map(|pid| (*pid, "py".to_string())).collect());
        Found { counted, named }
    }

    #[test]
    fn end_states_are_kept_apart() {
        let kill = Ended::Signal(9, false);
        let none = || found(None, None);
        let state = |cause, ended, found| verdict(7, cause, ended, false, || found).0;
        for (cause, ended, found, expected) in [
            (None, Some(Ended::Code(0)), found(Some(9), Some(&[7])), State::Done),
            (None, Some(Ended::Code(3)), none(), State::Failed(How::Exit(3))),
            (None, None, none(), State::Failed(How::Unknown)),
            (Some(Cause::Cancelled), None, none(), State::Cancelled),
            (Some(Cause::Cancelled), Some(kill), found(Some(1), None), State::Cancelled),
            (Some(Cause::Notice(Notice::Kill)), Some(Ended::Code(0)), none(), State::Failed(How::Time)),
            (Some(Cause::Notice(Notice::Stop)), Some(Ended::Code(0)), none(), State::Failed(How::Preempted)),
            (Some(Cause::TimeLimit(Duration::ZERO)), Some(kill), none(), State::Failed(How::Time)),
            (Some(Cause::Signal(Signal::TERM)), Some(Ended::Code(0)), none(), State::Failed(How::Preempted)),
            (Some(Cause::Signal(Signal::INT)), Some(Ended::Signal(2, false)), none(), State::Failed(How::Signal(2))),
            (Some(Cause::Rule), Some(Ended::Code(0)), none(), State::Failed(How::Rule)),
            (None, Some(kill), found(Some(1), None), State::Failed(How::Oom)),
            (None, Some(kill), found(Some(1), Some(&[])), State::Failed(How::Signal(9))),
            (None, Some(kill), found(None, Some(&[7])), State::Failed(How::Oom)),
            (None, Some(Ended::Signal(11, true)), found(Some(1), None), State::Failed(How::Signal(11))),
            (None, Some(Ended::Code(137)), found(Some(1), Some(&[])), State::Failed(How::Oom)),
            (None, Some(Ended::Code(137)), found(Some(0), None), State::Failed(How::Exit(137))),
            (None, Some(Ended::Code(1)), found(Some(1), Some(&[8])), State::Failed(How::Oom)),
            (None, Some(Ended::Code(1)), found(Some(1), None), State::Failed(How::Exit(1))),
        ] {
            assert_eq!(state(cause, ended, found.clone()), expected, "{cause:?} {ended:?} {found:?}");
        }
        assert_eq!(verdict(7, None, None, true, none).0, State::Failed(How::Lost));
    }

    #[test]
    fn evidence_says_what_was_asked() {
        let words = |ended, found| verdict(7, None, Some(ended), false, || found).1.unwrap_or_default();
        assert_eq!(words(Ended::Signal(11, true), found(None, None)), "core dumped");
        assert_eq!(words(Ended::Signal(15, false), found(None, None)), "TERM came from elsewhere, not through nn-run");
        let kill = "KILL came from elsewhere, not through nn-run; ";
        assert_eq!(
            words(Ended::Signal(9, false), found(None, None)),
            format!("{kill}whether memory was short cannot be told here")
        );
        assert_eq!(
            words(Ended::Signal(9, false), found(Some(0), None)),
            format!("{kill}the control group counts no kill for lack of memory")
        );
        assert_eq!(words(Ended::Code(1), found(Some(0), Some(&[]))), "");
        assert_eq!(words(Ended::Code(1), found(Some(2), None)), "the control group counts 2 killed for lack of memory");
    }
}
