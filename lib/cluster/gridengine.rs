//! Grid Engine (SGE 6.2, Son of Grid Engine, Open Cluster Scheduler, Univa): qsub, qstat -xml, qdel, and qacct for what
//! has ended. A batch is an array, tasks 1 to n, and a run's id is `JOB.TASK`, as qdel takes it.
//!
//! There is no standard for what a job needs: each site names its own resources and parallel environments. So each need
//! has a setting, `gridengine.gpus = -l gpu={}`, whose words go to qsub. Always: `-r n` (to start a script again behind our
//! back is refused, and so not asked for), `-notify` (USR2 comes a while before KILL, USR1 before STOP), and no `-V`.
//!
//! Absent from qstat is no proof of anything but that Grid Engine has no such job now; how it ended tells qacct, where
//! accounting is kept.

mod answers;

use super::batch::{Batch, Record};
use super::engine::{Engine, Fate, Handed, Limits};
use super::program::{self, Said};
use crate::base::error::{Error, Result};
use crate::spool::config::Config;
use crate::spool::job::shell_word;
use answers::{Id, Listed};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use std::time::Duration;

/// How long a question may take: a busy qmaster takes its time.
const PATIENCE: Duration = Duration::from_secs(60);
/// qsub, whose answer must not be missed.
const LONG_PATIENCE: Duration = Duration::from_secs(180);
/// qacct, which reads all of a file that may be long.
const ACCOUNTING_PATIENCE: Duration = Duration::from_secs(20);
/// Most jobs that one question of accounting is about, and of errors.
const MOST_ASKED: usize = 20;
/// Most words of tasks on one command line.
const MOST_WORDS: usize = 500;
/// Most tasks in one array, whatever the site allows: the script has a line for each.
const MOST_TASKS: usize = 10_000;

/// Grid Engine, with a site's settings.
#[derive(Debug)]
pub struct GridEngine {
    config: Config,
}

impl GridEngine {
    /// With these settings.
    pub fn new(config: &Config) -> GridEngine {
        GridEngine { config: config.clone() }
    }

    fn ask_program(&self, name: &str, args: &[&str], limit: Duration) -> Result<Said> {
        program::run(NAME, name, args, limit)
    }

    /// What is in Grid Engine now of these people.
    fn listed(&self, users: &str) -> Result<Vec<Listed>> {
        let said = self.ask_program("qstat", &["-xml", "-u", users], PATIENCE)?;
        if said.code != Some(0) {
            return Err(no_answer(&said));
        }
        answers::listed(&said.out).map_err(|what| Error::Again(format!("{NAME}: cannot understand qstat -xml: {what}")))
    }

    /// The entries about these tasks: one's own; where one is missing, it may be of somebody who shares the spool.
    fn entries(&self, ids: &[Id]) -> Result<HashMap<Id, Listed>> {
        let mut found = HashMap::new();
        for users in [MINE, EVERYBODY] {
            if ids.iter().all(|id| found.contains_key(id)) {
                break;
            }
            let mut by_job: HashMap<u64, Vec<Listed>> = HashMap::new();
            for entry in self.listed(users)? {
                by_job.entry(entry.job).or_default().push(entry);
            }
            for id in ids {
                let entries = by_job.get(&id.job).map(Vec::as_slice).unwrap_or_default();
                let entry = entries.iter().find(|entry| entry.is_about(*id));
                found.extend(entry.map(|entry| (*id, entry.clone())));
            }
        }
        Ok(found)
    }

    /// Adds to jobs in error why they are.
    fn explain<'a>(&self, listed: impl Iterator<Item = &'a Listed>, fates: &mut HashMap<String, Fate>) {
        let in_error = listed.filter(|entry| entry.is_in_error()).map(|entry| entry.job);
        let in_error: Vec<u64> = in_error.collect::<BTreeSet<u64>>().into_iter().take(MOST_ASKED).collect();
        if in_error.is_empty() {
            return;
        }
        let jobs: Vec<String> = in_error.iter().map(u64::to_string).collect();
        // Without an answer it is known all the same that they are in error.
        let said = self.ask_program("qstat", &["-j", &jobs.join(",")], PATIENCE).unwrap_or_default();
        let reasons = answers::error_reasons(&said.out);
        for (id, fate) in fates {
            let reason = Id::parse(id).and_then(|id| reasons.get(&id.job));
            if let (Fate::Waiting(why), Some(reason)) = (fate, reason)
                && why == answers::IN_ERROR
            {
                let _ = write!(why, ": {reason}");
            }
        }
    }

    /// How those ended that are not there any more, as far as accounting tells.
    fn account(&self, gone: &[Id], fates: &mut HashMap<String, Fate>) {
        let jobs: BTreeSet<u64> = gone.iter().map(|id| id.job).collect();
        for job in jobs.into_iter().take(MOST_ASKED) {
            let said = self.ask_program("qacct", &["-j", &job.to_string()], ACCOUNTING_PATIENCE);
            let ends = said.map(|said| answers::ends(&said.out)).unwrap_or_default();
            for (id, end) in ends.into_iter().filter(|(id, _)| gone.contains(id)) {
                fates.insert(id.to_string(), Fate::Ended(end));
            }
        }
    }

    /// The words that ask for one need.
    fn words_for(&self, key: &str, value: &str, slots: usize) -> Result<Vec<String>> {
        let setting = format!("{NAME}.{key}");
        let standard = DEFAULTS.iter().find(|(known, _)| *known == key).map(|(_, words)| words.to_string());
        let Some(words) = self.config.get(&setting).or(standard) else { return Ok(Vec::new()) };
        let whole = words.replace("{}", value).replace("{slots}", &slots.to_string());
        program::words(&whole).map_err(|what| Error::other(format!("setting {setting}: {what}")))
    }

    /// What the runs of a batch need, in this site's words.
    fn needs(&self, batch: &Batch) -> Result<Vec<String>> {
        let needs = &batch.wants.needs;
        let slots = needs.slots.max(1);
        let mut words = Vec::new();
        if slots > 1 {
            words.extend(self.words_for("slots", &slots.to_string(), slots)?);
        }
        if needs.gpu_count() > 0 {
            words.extend(self.words_for("gpus", &needs.gpu_count().to_string(), slots)?);
        }
        for (key, bytes) in [("gpu-mem", needs.gpu_mem), ("ram", needs.ram), ("disk", needs.disk)] {
            if bytes > 0 {
                // Consumables are counted a slot.
                let each = if key == "ram" { bytes.div_ceil(slots as u64) } else { bytes };
                words.extend(self.words_for(key, &format!("{}M", each.div_ceil(1 << 20)), slots)?);
            }
        }
        if let Some(time) = batch.wants.time {
            words.extend(self.words_for("time", &time.as_secs().max(1).to_string(), slots)?);
        }
        Ok(words)
    }
}

/// Whose jobs qstat lists: it puts in the name of who asks itself.
const MINE: &str = "$user";
const EVERYBODY: &str = "*";

/// Its name.
pub const NAME: &str = "gridengine";

/// How a need is told to qsub where no setting says otherwise. The memory a host has free is asked for; a limit, that is
/// `h_vmem`, would count what programs with GPUs only reserve.
const DEFAULTS: [(&str, &str); 4] =
    [("slots", "-pe smp {}"), ("gpus", "-l gpu={}"), ("ram", "-l mem_free={}"), ("time", "-l h_rt={}")];

impl Engine for GridEngine {
    fn name(&self) -> &'static str {
        NAME
    }

    fn limits(&self) -> Result<Limits> {
        let said = self.ask_program("qconf", &["-sconf"], PATIENCE)?;
        let number = |key: &str| answers::setting(&said.out, key)?.parse::<usize>().ok();
        let Some(tasks) = number("max_aj_tasks").filter(|_| said.code == Some(0)) else {
            return Err(no_answer(&said));
        };
        // Each queue says how long before KILL it tells; a job may come into any.
        let queues = self.ask_program("qconf", &["-sq", "*"], PATIENCE)?;
        let kill_wait = answers::shortest_notice(&queues.out);
        Ok(Limits { tasks: Some(if tasks == 0 { MOST_TASKS } else { tasks.min(MOST_TASKS) }), kill_wait })
    }

    fn script(&self, batch: &Batch) -> Result<String> {
        // These have a meaning for qsub -o, and there is no way to quote them.
        if batch.dir.to_str().is_none_or(|path| path.contains([',', ':', '$', '\n'])) {
            let what = "Grid Engine takes no path with a comma, a colon or a dollar sign";
            return Err(Error::other(format!("{}: {what}", batch.dir.display())));
        }
        let script = super::script::of(batch, "${SGE_TASK_ID:?}", 1)?;
        // Tasks are numbered from 1 there, and what they print from 0.
        let output = format!("exec >>{}/$((SGE_TASK_ID - 1)).out 2>&1\n", shell_word(&batch.dir.to_string_lossy()));
        Ok(script.replacen('\n', &format!("\n{output}"), 1))
    }

    fn submit(&self, batch: &Batch) -> Handed {
        let refused = |why: String| Handed::Refused { why, too_many: false };
        let mut args = match self.needs(batch) {
            Ok(words) => words,
            Err(err) => return refused(err.to_string()),
        };
        for text in self.config.list("gridengine.options") {
            match program::words(&text) {
                Ok(words) => args.extend(words),
                Err(what) => return refused(format!("setting gridengine.options: {what}")),
            }
        }
        args.extend(batch.how.options.iter().cloned());
        if let Some(most) = batch.how.max_parallel {
            args.extend(["-tc".to_string(), most.to_string()]);
        }
        let (dir, start) = (batch.dir.to_string_lossy(), batch.dir.join("start.out"));
        let (tasks, name, start) = (format!("1-{}", batch.tasks.len()), batch.job_name(), start.to_string_lossy());
        let own = ["-terse", "-N", &name, "-t", &tasks, "-wd", &dir, "-o", &start, "-j", "y", "-S", "/bin/sh"];
        args.extend(own.map(String::from));
        // After all that people may say: these it does not do without.
        args.extend(["-b", "n", "-r", "n", "-notify"].map(String::from));
        args.push(batch.script().to_string_lossy().into_owned());
        let said = match program::run(NAME, "qsub", &args, LONG_PATIENCE) {
            Ok(said) => said,
            Err(err @ Error::Again(_)) => return Handed::Unclear(err.to_string()),
            Err(err) => return refused(err.to_string()),
        };
        match (said.code, answers::submitted(&said.out)) {
            (Some(0), Some(job)) => Handed::Taken(ids(job, batch.tasks.len())),
            _ => answers::refusal(said.code, &said.err),
        }
    }

    fn find(&self, record: &Record) -> Result<Option<Vec<String>>> {
        let name = record.job_name();
        for users in [MINE, EVERYBODY] {
            if let Some(entry) = self.listed(users)?.into_iter().find(|entry| entry.name == name) {
                return Ok(Some(ids(entry.job, record.tasks.len())));
            }
        }
        Ok(None)
    }

    fn ask(&self, wanted: &[String]) -> Result<HashMap<String, Fate>> {
        let wanted: Vec<Id> = wanted.iter().filter_map(|id| Id::parse(id)).collect();
        let entries = self.entries(&wanted)?;
        let gone: Vec<Id> = wanted.into_iter().filter(|id| !entries.contains_key(id)).collect();
        let known = entries.iter().filter_map(|(id, entry)| Some((id.to_string(), entry.fate()?)));
        let mut fates: HashMap<String, Fate> = known.collect();
        fates.extend(gone.iter().map(|id| (id.to_string(), Fate::Gone)));
        self.explain(entries.values(), &mut fates);
        self.account(&gone, &mut fates);
        Ok(fates)
    }

    fn cancel(&self, wanted: &[String]) -> Result<()> {
        for words in ranges(wanted).chunks(MOST_WORDS) {
            let said = program::run(NAME, "qdel", words, PATIENCE)?;
            let complaints = format!("{}\n{}", said.out, said.err);
            let refused = answers::not_deleted(&complaints);
            if said.code != Some(0) && !refused.is_empty() {
                return Err(Error::other(format!("{NAME}: {refused}")));
            }
        }
        Ok(())
    }
}

fn no_answer(said: &Said) -> Error {
    let why = if said.err.is_empty() { "no answer that can be understood" } else { &said.err };
    Error::Again(format!("{NAME}: {why}"))
}

fn ids(job: u64, tasks: usize) -> Vec<String> {
    (1..=tasks as u64).map(|task| Id { job, task: Some(task) }.to_string()).collect()
}

/// The tasks as qdel takes them, neighbours in one word: `4711.1-40`.
fn ranges(wanted: &[String]) -> Vec<String> {
    let mut tasks: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    let mut words = Vec::new();
    for id in wanted.iter().filter_map(|id| Id::parse(id)) {
        match id.task {
            Some(task) => drop(tasks.entry(id.job).or_default().insert(task)),
            None => words.push(id.to_string()),
        }
    }
    for (job, tasks) in tasks {
        let mut rest = tasks.into_iter().peekable();
        while let Some(first) = rest.next() {
            let mut last = first;
            while let Some(next) = rest.next_if_eq(&(last + 1)) {
                last = next;
            }
            words.push(if first == last { format!("{job}.{first}") } else { format!("{job}.{first}-{last}") });
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::batch::{How, Task, Wants};
    use crate::spool::job::{Job, parse_needs};
    use crate::spool::owner::Owner;
    use std::path::Path;

    fn batch(needs: &str, dir: &str) -> Batch {
        let mut job = Job::new(&["true".into()], Path::new("/"));
        job.json.set("needs", parse_needs(needs).unwrap());
        Batch {
            name: "0badcafe".into(),
            engine: NAME.into(),
            submitter: Owner::me().unwrap(),
            label: "sweep".into(),
            how: How::default(),
            wants: Wants::of(&job),
            grace: Duration::from_secs(30),
            tasks: vec![Task { run: 17, generation: 1 }, Task { run: 18, generation: 3 }],
            dir: dir.into(),
            spool: dir.into(),
            runner: "/opt/nn/bin/nn-run".into(),
        }
    }

    #[test]
    fn needs_in_its_words() {
        let engine = GridEngine::new(&Config::default());
        let words = |needs: &str| engine.needs(&batch(needs, "/s")).unwrap().join(" ");
        assert_eq!(words("gpus=1 ram=1G time=2h"), "-l gpu=1 -l mem_free=1024M -l h_rt=7200");
        // Of memory each slot its share; what no setting names is not asked for.
        assert_eq!(words("slots=4 ram=10M disk=20G gpus=0"), "-pe smp 4 -l mem_free=3M");
        assert_eq!(words("slots=1"), "");
    }

    #[test]
    fn the_script_of_a_task() {
        let engine = GridEngine::new(&Config::default());
        let script = engine.script(&batch("slots=1", "/a b")).unwrap();
        assert!(script.starts_with("#!/bin/sh\nexec >>'/a b'/$((SGE_TASK_ID - 1)).out 2>&1\n"), "{script}");
        for (task, expected) in [("1", "-q --grace 30s --claim 17.1\n"), ("2", "-q --grace 30s --claim 18.3\n")] {
            let script = script.replace("/a b'/", "/dev/'").replace("$((SGE_TASK_ID - 1)).out", "stdout");
            let script = script.replace("/opt/nn/bin/nn-run", "echo");
            let mut command = std::process::Command::new("sh");
            let output = command.args(["-c", &script]).env("SGE_TASK_ID", task).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{script} {output:?}");
        }
        assert!(engine.script(&batch("slots=1", "/a,b")).is_err());
    }

    #[test]
    fn neighbours_in_one_word() {
        let wanted = ["7.3", "7.1", "7.2", "9", "8.1", "7.5", "bad", "7.1"].map(String::from);
        assert_eq!(ranges(&wanted), ["9", "7.1-3", "7.5", "8.1"]);
    }
}
