//! What Grid Engine's programs print, read without asking them: qstat -xml (sge_qstat(5)), qstat -j, qacct -j
//! (sge_accounting(5)), qsub -terse, qconf -sconf. Tested with what version 8.1.9 really printed.
//!
//! An array's pending tasks stand in one entry, with their numbers as `1-40:1` or `3,7-9:1`; each running task has one of
//! its own. A job is of the states of sge_status(5), a letter each: `qw`, `hqw`, `Eqw`, `t`, `r`, `dr`, `Rr`, `s`, `S`, `T`.

use crate::base::time::parse_duration;
use crate::cluster::engine::{End, Fate, Handed};
use crate::cluster::xml::Element;
use std::collections::HashMap;
use std::time::Duration;

/// The exit status of a shell, and so of a job, whose program a signal ended, less the signal.
const BY_SIGNAL: i32 = 128;
/// The exit status of qsub when the number of jobs is at its limit.
const TRY_LATER: i32 = 25;
/// Codes of `failed` of a task that goes back to the queue: rescheduled, or migrating.
const NOT_AN_END: [i64; 2] = [24, 25];
/// The code of `failed` of one that ran into a limit of its own.
const LIMIT: i64 = 37;
/// From this code on the job itself ran, and something was the matter afterwards.
const AFTER_JOB: i64 = 100;

/// Why a job waits that is in error.
pub const IN_ERROR: &str = "in error there";

/// A task of an array, or a job that is none: `4711.3`, `4711`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id {
    /// Number of the job
    pub job: u64,
    /// Number of the task, from 1
    pub task: Option<u64>,
}

impl Id {
    /// Reads what `Display` wrote.
    pub fn parse(text: &str) -> Option<Id> {
        let (job, task) = match text.split_once('.') {
            Some((job, task)) => (job, Some(number(task)?)),
            None => (text, None),
        };
        Some(Id { job: number(job)?, task })
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self.task {
            Some(task) => write!(f, "{}.{task}", self.job),
            None => write!(f, "{}", self.job),
        }
    }
}

fn number(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.len() < 19 && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

/// Numbers of tasks: `3`, `1-40:1`, `1,4-10:3`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tasks(Vec<(u64, u64, u64)>);

impl Tasks {
    fn parse(text: &str) -> Option<Tasks> {
        let part = |part: &str| {
            let (range, step) = part.split_once(':').unwrap_or((part, "1"));
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last, step) = (number(first)?, number(last)?, number(step)?);
            (first > 0 && first <= last && step > 0).then_some((first, last, step))
        };
        text.split(',').map(|text| part(text.trim())).collect::<Option<Vec<_>>>().map(Tasks)
    }

    fn contains(&self, task: u64) -> bool {
        let is_in = |(first, last, step): &(u64, u64, u64)| {
            task >= *first && task <= *last && (task - first).is_multiple_of(*step)
        };
        self.0.iter().any(is_in)
    }
}

/// An entry of qstat.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Number of the job
    pub job: u64,
    /// Which of its tasks; None: it is no array
    pub tasks: Option<Tasks>,
    /// Its whole name
    pub name: String,
    /// Its state, a letter each
    pub state: String,
}

impl Listed {
    /// Whether it is about this task.
    pub fn is_about(&self, id: Id) -> bool {
        match (&self.tasks, id.task) {
            (Some(tasks), Some(task)) => self.job == id.job && tasks.contains(task),
            (None, None) => self.job == id.job,
            _ => false,
        }
    }

    /// What its state says. None: what it says is not known here.
    pub fn fate(&self) -> Option<Fate> {
        let has = |letters: &str| self.state.contains(|c| letters.contains(c));
        if self.state.is_empty() || self.state.contains(|c: char| !"hqwEtrdRsSTNP".contains(c)) {
            return None;
        }
        // Suspended, by a person, its queue or a load, is no end.
        if has("trsSTN") || has("d") && has("qw") {
            return Some(if has("d") { Fate::TakenBack } else { Fate::Running });
        }
        let why = match (self.is_in_error(), has("h")) {
            (true, _) => IN_ERROR,
            (false, true) => "held there",
            (false, false) => "",
        };
        has("qw").then(|| Fate::Waiting(why.into()))
    }

    /// Whether it is in error: it waits until a person clears that.
    pub fn is_in_error(&self) -> bool {
        self.state.contains('E')
    }
}

/// Reads the answer of qstat -xml. An entry that is not understood is left out.
///
/// # Errors
/// It is no whole answer of qstat.
pub fn listed(text: &str) -> Result<Vec<Listed>, String> {
    let answer = Element::parse(text)?;
    if answer.name != "job_info" || answer.child("job_info").is_none() {
        return Err(format!("'{}' is not what qstat -xml prints", answer.name));
    }
    let entry = |entry: &Element| {
        let tasks = match entry.value("tasks") {
            Some(text) => Some(Tasks::parse(text)?),
            None => None,
        };
        Some(Listed {
            job: number(entry.value("JB_job_number")?)?,
            tasks,
            name: entry.value("JB_name").unwrap_or_default().to_string(),
            state: entry.value("state")?.to_string(),
        })
    };
    Ok(answer.all("job_list").into_iter().filter_map(entry).collect())
}

/// Why jobs are in error, by their numbers: from qstat -j, which tells it for each task; one of them will do.
pub fn error_reasons(text: &str) -> HashMap<u64, String> {
    let mut reasons = HashMap::new();
    let mut job = None;
    for line in text.lines() {
        if let Some(value) = line.strip_prefix("job_number:") {
            job = number(value.trim());
        } else if let (Some(job), Some(rest)) = (job, line.strip_prefix("error reason")) {
            let words = rest.split_once(':').map_or(rest, |(_, words)| words).trim();
            // 11/26/2026 20:42:10 [0:3124]: error: can't open …
            let words = words.split_once("]: ").map_or(words, |(_, words)| words);
            reasons.entry(job).or_insert_with(|| words.strip_prefix("error: ").unwrap_or(words).to_string());
        }
    }
    reasons
}

/// How the tasks ended of which qacct -j tells that they did.
pub fn ends(text: &str) -> HashMap<Id, End> {
    let mut ends = HashMap::new();
    for record in text.split("\n====").filter(|record| record.contains("\njobnumber")) {
        let value = |key: &str| {
            let is_it = |line: &&str| line.split_ascii_whitespace().next() == Some(key);
            record.lines().find(is_it).and_then(|line| line.get(key.len()..)).map(str::trim)
        };
        let first = |key: &str| value(key)?.split_ascii_whitespace().next();
        let Some(job) = first("jobnumber").and_then(number) else { continue };
        let id = Id { job, task: first("taskid").and_then(number) };
        let (failed, status) = (first("failed").and_then(whole), first("exit_status").and_then(whole));
        let (Some(failed), Some(status)) = (failed, status.and_then(|n| i32::try_from(n).ok())) else { continue };
        if !NOT_AN_END.contains(&failed) {
            let words = value("failed").and_then(|text| text.split_once(':')).map_or("", |(_, words)| words.trim());
            ends.insert(id, end(failed, status, words, value("category").unwrap_or_default()));
        }
    }
    ends
}

fn whole(text: &str) -> Option<i64> {
    text.parse().ok()
}

fn end(failed: i64, status: i32, words: &str, category: &str) -> End {
    let asked = |limit: &str| category.contains(&format!("{limit}="));
    match failed {
        // It does not tell which of its limits; but what was not asked for is seldom there.
        LIMIT if asked("h_rt") && !asked("h_vmem") && !asked("h_cpu") => End::Time,
        0 | AFTER_JOB if status > BY_SIGNAL && status < BY_SIGNAL + 65 => End::Signal(status - BY_SIGNAL),
        0 => End::Exit(status),
        _ => End::Other(words.to_string()),
    }
}

/// The number of the job in the answer of qsub -terse: `4711` or `4711.1-40:1`, after what a site may say before.
pub fn submitted(text: &str) -> Option<u64> {
    let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
    let (job, tasks) = line.split_once('.').map_or((line, None), |(job, tasks)| (job, Some(tasks)));
    if tasks.is_some_and(|tasks| Tasks::parse(tasks).is_none()) {
        return None;
    }
    number(job).filter(|job| *job > 0)
}

/// Why qsub took nothing; or, when that is not what it says, that nobody knows.
pub fn refusal(code: Option<i32>, words: &str) -> Handed {
    let why = words.trim_end_matches("; Exiting.").trim_end_matches("Exiting.").trim();
    let why = why.strip_prefix("Unable to run job: ").unwrap_or(why).to_string();
    // The qmaster may have taken it before the wire broke.
    let wire = ["commlib", "unable to send", "unable to contact", "failed receiving", "timeout"];
    match code {
        Some(TRY_LATER) => Handed::Refused { why, too_many: false },
        _ if why.is_empty() => Handed::Unclear("qsub gave no answer that can be understood".into()),
        Some(code) if code != 0 && !wire.iter().any(|sign| words.contains(sign)) => {
            Handed::Refused { too_many: why.contains("with more than"), why }
        }
        _ => Handed::Unclear(why),
    }
}

/// What qdel says of tasks it did not delete, though they are there; empty: of none.
pub fn not_deleted(text: &str) -> String {
    let is_fine = |line: &str| {
        let fine = ["has deleted", "has registered", "does not exist", "already in deletion", "already finished"];
        line.is_empty() || fine.iter().any(|words| line.contains(words))
    };
    let lines = text.lines().flat_map(|line| line.split("; ")).map(str::trim).filter(|line| !is_fine(line));
    lines.take(3).collect::<Vec<_>>().join("; ")
}

/// The shortest time between USR2 and KILL that a queue leaves: `notify` in the answer of qconf -sq, with exceptions for
/// some hosts as `00:00:60,[node1=00:01:30]`.
pub fn shortest_notice(text: &str) -> Option<Duration> {
    let values = text.lines().filter_map(|line| line.strip_prefix("notify")?.strip_prefix(' '));
    let parts = values.flat_map(|value| value.split(',')).map(|part| part.rsplit('=').next().unwrap_or(part));
    parts.filter_map(|part| parse_duration(part.trim().trim_end_matches(']').trim())).min()
}

/// The value of a setting in the answer of qconf -sconf.
pub fn setting<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(|c: char| c.is_ascii_whitespace())).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As 8.1.9 prints it: running tasks, pending ones in one entry, jobs in error, held, and the slip in its own escapes.
    const QSTAT: &str = "<?xml version='1.0'?>
<job_info  xmlns:xsd=\"http://arc.liv.ac.uk/repos/darcs/sge/source/dist/util/resources/schemas/qstat/qstat.xsd\">
  <queue_info>
    <job_list state=\"running\">
      <JB_job_number>1</JB_job_number>
      <JAT_prio>0.50000</JAT_prio>
      <JB_name>sweep.0badcafe</JB_name>
      <JB_owner>me</JB_owner>
      <state>r</state>
      <JAT_start_time>2026-11-26T20:39:04</JAT_start_time>
      <queue_name>main.q@node1</queue_name>
      <slots>1</slots>
      <tasks>2</tasks>
    </job_list>
    <job_list state=\"running\">
      <JB_job_number>9</JB_job_number>
      <JB_name>single</JB_name>
      <state>dr</state>
      <slots>1</slots>
    </job_list>
  </queue_info>
  <job_info>
    <job_list state=\"pending\">
      <JB_job_number>1</JB_job_number>
      <JB_name>sweep.0badcafe</JB_name>
      <state>qw</state>
      <JB_submission_time>2026-11-26T20:39:04</JB_submission_time>
      <queue_name></queue_name>
      <slots>1</slots>
      <tasks>1,4-10:3</tasks>
    </job_list>
    <job_list state=\"pending\">
      <JB_job_number>16</JB_job_number>
      <JB_name>a%lt;b&amp;c</JB_name>
      <state>Eqw</state>
      <tasks>1-3:1</tasks>
    </job_list>
    <job_list state=\"pending\">
      <JB_job_number>17</JB_job_number>
      <JB_name>held</JB_name>
      <state>hqw</state>
    </job_list>
    <job_list state=\"pending\">
      <JB_job_number>18</JB_job_number>
      <JB_name>new</JB_name>
      <state>Xq!</state>
    </job_list>
  </job_info>
</job_info>
";

    #[test]
    fn jobs_and_their_states() {
        let listed = listed(QSTAT).unwrap();
        let fate = |id: &str| {
            let id = Id::parse(id).unwrap();
            listed.iter().find(|entry| entry.is_about(id)).map(Listed::fate)
        };
        let waits = |why: &str| Some(Some(Fate::Waiting(why.into())));
        assert_eq!(fate("1.2"), Some(Some(Fate::Running)));
        assert_eq!(fate("9"), Some(Some(Fate::TakenBack)));
        for id in ["1.1", "1.4", "1.7", "1.10"] {
            assert_eq!(fate(id), waits(""), "{id}");
        }
        for id in ["1.3", "1.5", "1.11", "1", "9.1", "2.1"] {
            assert_eq!(fate(id), None, "{id}");
        }
        assert_eq!((fate("16.3"), fate("17")), (waits("in error there"), waits("held there")));
        assert_eq!(fate("18"), Some(None), "what is not understood is unknown");
        assert_eq!(listed[0].name, "sweep.0badcafe");
    }

    #[test]
    fn states_as_their_letters_say() {
        let fate = |state: &str| {
            let entry = Listed { job: 1, tasks: None, name: String::new(), state: state.into() };
            entry.fate().map(|fate| if let Fate::Waiting(why) = fate { why } else { format!("{fate:?}") })
        };
        for state in ["t", "r", "Rr", "Rt", "s", "S", "T", "ts", "N", "tsT"] {
            assert_eq!(fate(state).as_deref(), Some("Running"), "{state}");
        }
        for state in ["dr", "dt", "dRr", "dqw", "ds", "dhqw"] {
            assert_eq!(fate(state).as_deref(), Some("TakenBack"), "{state}");
        }
        for (state, why) in [("qw", ""), ("Rq", ""), ("hRwq", "held there"), ("Ehqw", "in error there")] {
            assert_eq!(fate(state).as_deref(), Some(why), "{state}");
        }
        for state in ["", "E", "d", "z", "?", "unknown"] {
            assert_eq!(fate(state), None, "{state}");
        }
    }

    #[test]
    fn no_answer_is_no_answer() {
        let empty = "<?xml version='1.0'?><job_info><queue_info></queue_info><job_info></job_info></job_info>";
        assert_eq!(listed(empty).unwrap(), []);
        let unknown = "<?xml version='1.0'?>\n<unknown_jobs >\n    <ST_name>999999</ST_name>\n</unknown_jobs>\n";
        for text in ["", unknown, "<job_info></job_info>", &QSTAT[..QSTAT.len() - 20]] {
            assert!(listed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_of_tasks() {
        for bad in ["", "0", "4-1:1", "1-3:0", "-3", "1-", "1,,2", "a", "1-99999999999999999999:1"] {
            assert_eq!(Tasks::parse(bad), None, "{bad}");
        }
        for bad in ["", ".", "1.", ".1", "1.2.3", "x", "-1", "+1", "1.1-3"] {
            assert_eq!(Id::parse(bad), None, "{bad}");
        }
        assert_eq!(Id::parse("4711.3").unwrap().to_string(), "4711.3");
        assert!(Tasks::parse("1-999999999999999999:1").unwrap().contains(999_999_999));
    }

    #[test]
    fn reasons_of_errors() {
        let text = "==============================================================
job_number:                 16
exec_file:                  job_scripts/16
error reason          1:      11/26/2026 20:42:10 [0:3124]: error: can't open output file \"/nonexistent/dir/\": No such file or directory
error reason          2:      11/26/2026 20:42:10 [0:3157]: error: can't open output file \"/nonexistent/dir/\": No such file or directory
scheduling info:            Job is in error state
==============================================================
job_number:                 20
error reason          1:      11/26/2026 20:42:16 [0:3505]: error: can't chdir to /no/such/dir: No such file or directory
";
        let reasons = error_reasons(text);
        assert_eq!(reasons[&16], "can't open output file \"/nonexistent/dir/\": No such file or directory");
        assert_eq!(reasons[&20], "can't chdir to /no/such/dir: No such file or directory");
        assert_eq!(error_reasons("error reason 1: x\njob_number: -\nerror reason 1:"), HashMap::new());
    }

    fn record(job: &str, task: &str, failed: &str, status: &str, category: &str) -> String {
        format!(
            "==============================================================
qname        main.q              
jobname      sweep.0badcafe
jobnumber    {job}                  
taskid       {task}
failed       {failed}
exit_status  {status}
ru_wallclock 9s
ar_sub_time  undefined
category     {category}
"
        )
    }

    #[test]
    fn ends_as_they_are_on_record() {
        let text = [
            record("19", "2", "0    ", "3                   ", "NONE"),
            record("19", "5", "100 : assumedly after job", "137                  (Killed)", "NONE"),
            record("19", "8", "37  : qmaster enforced h_rt, h_cpu, or h_vmem limit", "137  (Killed)", "-l h_rt=8"),
            record("20", "undefined", "0", "0", "-l gpu=1"),
            record("21", "1", "25  : rescheduling", "0", "NONE"),
            record("22", "1", "21  : in recognizing job", "0", "NONE"),
            record("23", "1", "37  : qmaster enforced h_rt, h_cpu, or h_vmem limit", "137", "-l h_rt=8,h_vmem=1G"),
            record("24", "1", "what", "0", "NONE"),
        ];
        let ends = ends(&text.concat());
        let end = |id: &str| ends.get(&Id::parse(id).unwrap()).cloned();
        assert_eq!(end("19.2"), Some(End::Exit(3)));
        assert_eq!(end("19.5"), Some(End::Signal(9)));
        assert_eq!(end("19.8"), Some(End::Time));
        assert_eq!(end("20"), Some(End::Exit(0)));
        assert_eq!((end("21.1"), end("24.1")), (None, None));
        assert_eq!(end("22.1"), Some(End::Other("in recognizing job".into())));
        assert_eq!(end("23.1"), Some(End::Other("qmaster enforced h_rt, h_cpu, or h_vmem limit".into())));
        assert!(super::ends("error: job id 99999 not found\n").is_empty());
    }

    #[test]
    fn what_qsub_says() {
        for (text, job) in [
            ("4711.1-40:1\n", Some(4711)),
            ("4711\n", Some(4711)),
            ("Welcome to the cluster\n\n12.1-1:1\n\n", Some(12)),
            ("Your job 4711 (\"x\") has been submitted\n", None),
            ("0\n", None),
            ("12.x\n", None),
            ("", None),
        ] {
            assert_eq!(submitted(text), job, "{text}");
        }
    }

    #[test]
    fn what_qsub_refuses() {
        let refused = |code, words: &str| match refusal(code, words) {
            Handed::Refused { why, too_many } => Some((why, too_many)),
            _ => None,
        };
        let why = |code, words: &str| refused(Some(code), words).map(|(why, too_many)| format!("{why} {too_many}"));
        for (code, words, expected) in [
            (1, "Unable to run job: unknown resource \"nosuch\"; Exiting.", "unknown resource \"nosuch\" false"),
            (
                1,
                "Unable to run job: job rejected: you tried to submit a job with more than 10 tasks; Exiting.",
                "job rejected: you tried to submit a job with more than 10 tasks true",
            ),
            (
                25,
                "Unable to run job: job rejected: only 3 jobs are allowed per user (current job count: 3); Exiting.",
                "job rejected: only 3 jobs are allowed per user (current job count: 3) false",
            ),
        ] {
            assert_eq!(why(code, words).as_deref(), Some(expected));
        }
        let wire = "commlib error: got select error (Connection refused); Unable to run job: unable to send message to \
                    qmaster using port 6444 on host \"node1\": got send error; Exiting.";
        for (code, words) in [(Some(1), wire), (Some(1), ""), (None, ""), (Some(0), ""), (Some(0), "Unable to run job")]
        {
            assert_eq!(refused(code, words), None, "{words}");
        }
    }

    #[test]
    fn what_qdel_says() {
        let fine = "root has deleted job-array tasks 4-6:1 of job 24\nroot has registered the job-array task 4.2 for \
                    deletion\njob \"24\" task \"77\" does not exist\ndenied: job \"99\" does not exist\n\n";
        assert_eq!(not_deleted(fine), "");
        let denied = "denied: user \"me\" may not delete job \"24\"";
        assert_eq!(not_deleted(&format!("{fine}{denied}\n")), denied);
    }

    #[test]
    fn notices() {
        let notice = |text: &str| shortest_notice(text).map(|notice| notice.as_secs());
        assert_eq!(notice("qname main.q\nnotify                00:00:60\nnotify_x 1\n"), Some(60));
        assert_eq!(notice("notify 0:2:0,[node1=00:00:30],[@gpus=00:05:00]\nnotify 00:01:00\n"), Some(30));
        assert_eq!((notice("notify NONE\n"), notice("")), (None, None));
    }

    #[test]
    fn settings() {
        let text = "#global:\nmax_aj_instances             2000\nmax_aj_tasks                 75000\nmax_u_jobs 0\n";
        assert_eq!((setting(text, "max_aj_tasks"), setting(text, "max_aj")), (Some("75000"), None));
    }
}
