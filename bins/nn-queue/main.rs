//! nn-queue: keeps, orders and starts experiments. One verb, then its options and operands; a file here holds one verb or
//! a group of them. Every state change is a rename done by `nn::spool`, so verbs may race with workers: who comes too late
//! is told what happened instead.

mod add;
mod adopt;
mod after;
mod change;
mod engines;
mod freeze;
mod gc;
mod host;
mod hosts;
mod labels;
mod list;
mod log;
mod peer;
mod prune;
mod recover;
mod runs;
mod show;
mod submit;
mod sync;
mod usage;
mod wait;
mod work;

use nn::base::args::{Arg, Args};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Error, Result};
use nn::base::text::did_you_mean;
use std::process::ExitCode;

const USAGE: &str = "
usage: nn-queue VERB [OPTION]... [OPERAND]...

  init [--group] [DIR]       make a spool (--group: shared by a group)
  add [OPTION]... -- COMMAND...
  add [OPTION]... <JOBS      queue a command, or jobs read as JSON lines
    -n, --name NAME            what to call it
    -p, --param KEY=VALUE      a parameter (again for more)
    -g, --group GROUP          the set it belongs to
    --needs 'NAME=VALUE ...'   what it needs: slots time gpus gpu-mem ram disk share
    --host PATTERN             start it only on such hosts, as 'gpu*'
    --time D                   its time limit, such as 2h30m
    --prio N                   0 goes first, 9 last (5)
    --retries N                run it again after a failure, so often
    --after RUNS               start it when they are done
    --after-any RUNS           start it when they have ended, however
    --note TEXT  --tag TAG     remarks
    --pattern P                how its log lines look, see nn-log (again for more)
    --metrics GLOB             files of its own that hold metrics
    --checkpoint GLOB          what it saves, to be resumed from
    --weights GLOB             record the norms of the layers in such checkpoints
    --keep-checkpoints RULE    remove others: last=K,best=METRIC[:max]
    --finish-up D              send it USR1 so long before its time limit
    --rule RULE                what to do when, see nn-judge(7) (again for more)
    --notify KINDS             failed, finished, warning: what is told by mail; or none
    --profile PROFILER         python, theano, perf, or words to put before the command
    --hold                     do not start it yet
    --live                     run in place, with the code as it is then
    --link PATH                reach what git ignores there by a link (again for more)
    --input PATH               the same, and it goes along to other hosts (again for more)
    --again                    even if the same was added before
    --new                      only what was not added before
  list [-a] [--state S]... [--json] [RUNS]
                             where they stand (-a, --all: also what has ended)
  hosts [--json]             who works here, and what is free
  show [--json] RUN          everything about one
  log [-f] [-n LINES] RUN    what it printed (-f, --follow: until it has ended)
  work [-j SLOTS] [--gpus LIST] [--forever] [--detach] [-q]
                             start what is queued, until nothing is left
  submit --to ENGINE|HOST|GROUP [-o OPTIONS]... [--max-parallel N] [RUNS]
                             hand what is queued to slurm (-o, --option: words
                             for its own command line), or to hosts by ssh
  sync                       ask the engines and hosts what became of it, hand
                             over again what was interrupted
  host list [--json]         hosts that runs can be handed to
  host check [--json] [HOST]...
  host setup [--from DIR] HOST...
                             bring the tools there
  peer WORD                  what another nn-queue starts here by ssh
  hold RUNS                  do not start them before they are released
  release RUNS
  cancel RUNS                call them off; stop those that run
  retry [--done] RUNS        run again what failed or was cancelled (--done: or is done)
  prio N RUNS                change their place in the queue
  note TEXT RUNS             write a remark
  tag [-d] TAG[,TAG]... RUNS label them (-d: take the labels away)
  wait [--timeout D] [RUNS]  until they have ended
  gc [--dry-run] [--older-than D] [--state S]...
                             remove remains (and runs that ended so long ago)
  gc [--dry-run] --keep-checkpoints RULE RUNS
                             remove the other checkpoints of runs that have ended
  recover [--wait] [--host-is-dead HOST]
                             mend at once what a crash left

RUNS: 17 name last last~2 12-20 @group, or numbers on standard input
";

type Verb = fn(&mut Args, &mut Out) -> Result<Exit>;

const VERBS: [(&str, Verb); 21] = [
    ("init", add::init),
    ("add", add::add),
    ("list", list::list),
    ("hosts", hosts::hosts),
    ("work", work::work),
    ("submit", submit::submit),
    ("sync", sync::sync),
    ("hold", change::hold),
    ("release", change::release),
    ("cancel", change::cancel),
    ("retry", change::retry),
    ("prio", change::prio),
    ("note", labels::note),
    ("tag", labels::tag),
    ("wait", wait::wait),
    ("show", show::show),
    ("log", log::log),
    ("gc", gc::gc),
    ("recover", recover::recover),
    ("peer", peer::peer),
    ("host", host::host),
];

fn main() -> ExitCode {
    cli::main("nn-queue", USAGE, run)
}

fn run(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let verb = match args.next()? {
        Some(Arg::Value(verb)) => verb.to_string_lossy().into_owned(),
        Some(option) => return Err(option.unexpected()),
        None => return Err(Error::usage("say what to do: a verb such as add, list or work")),
    };
    match VERBS.iter().find(|(name, _)| *name == verb) {
        Some((_, act)) => act(args, out),
        None => {
            let near = did_you_mean(&verb, VERBS.map(|(name, _)| name));
            Err(Error::usage(format!("unknown verb '{verb}'{near}")))
        }
    }
}
