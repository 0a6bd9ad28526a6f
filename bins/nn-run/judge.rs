//! A run is judged while it runs: what follows the log hands each point on, what was found goes to events.jsonl and is said
//! on standard error in one line, and rules are carried out.
//!
//! An attempt that goes on from a checkpoint is judged from what stands before its own first point: those points are fed
//! first, unsaid. One that begins anew, or of which it is not known, is judged afresh. What a former runner of an adopted
//! command has seen is judged once more, at the times on record, but for what it had told (told.rs): it may have died in
//! between.

use crate::news;
use crate::prepare::Attempt;
use crate::told::Told;
use nn::base::cli;
use nn::base::json::{self, Value};
use nn::base::sys;
use nn::base::text::escape;
use nn::base::time::Time;
use nn::judge::event::{Event, Level};
use nn::judge::judge::Judge;
use nn::judge::reserve::{Level as Room, What};
use nn::record::history::{Axis, Point, Reader};
use nn::record::progress;
use nn::record::room::memory;
use nn::spool::job::Job;
use nn::spool::needs::Placed;
use nn::spool::rule::Action;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Events of one attempt at most: more help nobody.
const MOST_EVENTS: u32 = 500;
/// Between two looks at resources.
const ROOM: Duration = Duration::from_secs(10);
/// What they tell.
const ROOMS: [&str; 3] = ["disk_free", "inodes_free", "ram_free"];
/// The judge of an attempt.
pub struct Judging {
    judge: Option<Judge>,
    /// The history to be fed before the first point
    before: Option<PathBuf>,
    said: u32,
    /// When resources are looked at next; None: no rule asks
    room_at: Option<Instant>,
    /// What a former runner of this attempt has told
    told: Told,
    /// A former runner has seen all points so far
    is_behind: bool,
    /// The rule that ends the run, and its values
    stopped: Option<String>,
    /// A former runner had begun to end it
    was_stopped: bool,
    /// Processes that rules started, and that tell the news
    started: Vec<u32>,
    /// UUIDs of the run's GPUs: those it was given, and those it was seen to use
    gpus: Vec<String>,
}

impl Judging {
    /// By the settings and the job, of an attempt that began then; `is_adopted`: under another runner. Settings that are
    /// wrong were refused before the start.
    pub fn of(attempt: &Attempt, began: Time, is_adopted: bool) -> Judging {
        let config = attempt.spool.config().ok();
        let off = config.as_ref().and_then(|config| config.get("judge")).is_some_and(|text| text == "off");
        let mut rules = config.and_then(|config| config.rules().ok()).unwrap_or_default();
        rules.extend(attempt.job.as_ref().ok().map(Job::rules).unwrap_or_default());
        let goes_on = attempt.number > 1 && attempt.checkpoint.is_some();
        let mut judge = (!off).then(|| Judge::with_rules(rules));
        if let (Some(judge), Ok(job)) = (&mut judge, &attempt.job) {
            let limit = job.time_limit().and_then(|limit| i64::try_from(limit.as_millis()).ok());
            let deadline = limit.and_then(|limit| began.ms().checked_add(limit)).map(Time);
            judge.ends(progress::goals(job.params()), deadline);
        }
        let placed = Placed::read(&attempt.spool, attempt.token.run, attempt.token.generation);
        Judging {
            room_at: judge.as_ref().filter(|judge| judge.asks_for(&ROOMS)).map(|_| Instant::now()),
            judge,
            before: goes_on.then(|| attempt.dir()),
            said: 0,
            told: if is_adopted { Told::read(&attempt.dir(), attempt.number) } else { Told::default() },
            is_behind: is_adopted,
            stopped: None,
            was_stopped: false,
            started: Vec::new(),
            gpus: placed.map(|placed| placed.gpus).unwrap_or_default(),
        }
    }

    /// One that says nothing.
    pub fn none() -> Judging {
        Judging {
            judge: None,
            before: None,
            said: 0,
            told: Told::default(),
            is_behind: false,
            room_at: None,
            stopped: None,
            was_stopped: false,
            started: Vec::new(),
            gpus: Vec::new(),
        }
    }

    /// Judges a point. `is_known`: a former runner has put it on record.
    pub fn point(&mut self, point: &Point, is_known: bool) {
        let Some(judge) = &mut self.judge else { return };
        if self.is_behind && !is_known {
            self.is_behind = false;
            judge.unseen();
        }
        if let Some(run) = self.before.take() {
            feed(judge, &run, point);
        }
        judge.point(point);
    }

    /// Judges what is left of what the run may use up.
    pub fn levels(&mut self, levels: &[Room]) {
        if let Some(judge) = &mut self.judge {
            judge.levels(Time::now(), levels);
        }
    }

    /// Judges a sample: a line of resources.jsonl, and the host's GPUs.
    pub fn sample(&mut self, line: &Value, gpus: &[Value]) {
        let Some(judge) = &mut self.judge else { return };
        for uuid in line.list("gpus").unwrap_or_default().iter().filter_map(|gpu| gpu.str("uuid")) {
            if !self.gpus.iter().any(|known| known == uuid) {
                self.gpus.push(uuid.to_string());
            }
        }
        let (mut busy, mut levels) = (Vec::new(), Vec::new());
        for gpu in gpus {
            let Some(uuid) = gpu.str("uuid").filter(|uuid| self.gpus.iter().any(|known| known == uuid)) else {
                continue;
            };
            let name = gpu.int("index").map_or_else(|| uuid.to_string(), |index| format!("GPU {index}"));
            if let Some((total, used)) = gpu.num("memory").zip(gpu.num("memory_used")) {
                levels.push(Room { what: What::GpuMemory, of: name.clone(), free: total - used, total });
            }
            busy.extend(gpu.num("utilisation").map(|per_cent| (name, per_cent)));
        }
        let now = Time::now();
        judge.gpus(now, &busy);
        judge.levels(now, &levels);
        let least = |values: &mut dyn Iterator<Item = f64>| values.min_by(f64::total_cmp);
        let asked = [
            ("gpu_busy", least(&mut busy.iter().map(|(_, per_cent)| *per_cent))),
            ("gpu_memory_free", least(&mut levels.iter().map(|level| level.free))),
        ];
        let asked: Vec<(&'static str, f64)> = asked.into_iter().filter_map(|(name, x)| Some((name, x?))).collect();
        if !asked.is_empty() {
            judge.resources(now, &asked);
        }
    }

    /// Time passes: what was found is put on record and carried out. True: the run is to be stopped.
    pub fn look(&mut self, attempt: &Attempt) -> bool {
        let Some(judge) = &mut self.judge else { return false };
        let now = Time::now();
        judge.tick(now);
        if self.room_at.is_some_and(|at| Instant::now() >= at) {
            self.room_at = Some(Instant::now() + ROOM);
            judge.resources(now, &room(attempt));
        }
        let found = judge.take();
        // The end of a run that is stopped tells of it, in one message.
        let ends = found.iter().any(|event| event.action == Some(Action::Stop));
        let (mut stop, mut is_news) = (false, self.told.is_unsent(attempt));
        for event in found {
            if self.told.absorbs(&event) {
                self.said += 1;
                self.was_stopped |= event.action == Some(Action::Stop);
            } else if self.said < MOST_EVENTS {
                self.said += 1;
                is_news |= put_on_record(attempt, &event, !ends || event.notify);
                if let Some(Action::Run(command)) = &event.action {
                    self.started.extend(start(attempt, command, &event));
                }
            }
            if event.action == Some(Action::Stop) && self.stopped.is_none() {
                self.stopped = Some(event.why);
                stop = true;
            }
        }
        if is_news {
            self.started.extend(news::tell(attempt));
        }
        stop
    }

    /// The run has ended: names in its own rules that never came are told.
    pub fn end(&mut self, attempt: &Attempt) {
        self.look(attempt);
        let own = attempt.job.as_ref().ok().map(Job::rules).unwrap_or_default();
        for what in self.judge.iter().flat_map(|judge| judge.unknown_names(&own)) {
            cli::warn(&format!("run {}: {}", attempt.token.run, escape(&what)));
        }
    }

    /// The rule that ended it, with its values.
    pub fn stopped(&self) -> Option<&str> {
        self.stopped.as_deref()
    }

    /// Whether the rule's event was on record when this runner came: the one before it had begun to end the run.
    pub fn was_stopped(&self) -> bool {
        self.was_stopped
    }

    /// What rules started, and what tells the news.
    pub fn started(&self) -> &[u32] {
        &self.started
    }
}

/// What is left of the resources that rules may ask for.
fn room(attempt: &Attempt) -> Vec<(&'static str, f64)> {
    let places = [attempt.dir(), attempt.cwd()];
    let spaces: Vec<sys::Space> = places.iter().filter_map(|path| sys::space(path).ok()).collect();
    let counted = spaces.iter().filter(|space| space.inodes > 0).map(|space| space.inodes_free);
    let left = [
        ("disk_free", spaces.iter().map(|space| space.free).min()),
        ("inodes_free", counted.min()),
        ("ram_free", memory().map(|memory| memory.available)),
    ];
    left.into_iter().filter_map(|(name, left)| Some((name, left? as f64))).collect()
}

/// The points that stand before one of this attempt.
fn feed(judge: &mut Judge, run: &std::path::Path, first: &Point) {
    let Some(from) = first.x(Axis::Updates) else { return };
    let Ok(mut reader) = Reader::open(run) else { return };
    while let Ok(Some(point)) = reader.next() {
        if point.x(Axis::Updates).is_some_and(|x| x < from) {
            judge.point(point);
        }
    }
    judge.pause();
    judge.take();
}

/// True: it is to be told by mail as well.
fn put_on_record(attempt: &Attempt, event: &Event, may_be_news: bool) -> bool {
    let run = attempt.token.run;
    let place = if event.at.is_empty() { String::new() } else { format!(" at {}", event.place()) };
    let shown = escape(&event.why).into_owned();
    let word = if event.level == Level::Info { "note" } else { event.level.word() };
    cli::tell(&format!("run {run}: {word}: {}: {shown}{place}", event.detector));
    let mut details = json::map([("run", Value::from(run)), ("attempt", attempt.number.into())]);
    for (key, value) in event.members() {
        details.set(&key, value);
    }
    let is_news = may_be_news && news::keep(attempt, "judged", &details);
    // Refused on a full disk: it has been said.
    let _ = attempt.spool.event(run, true, "judged", details);
    is_news
}

/// Starts a rule's command in a shell of its own; nobody waits for it.
fn start(attempt: &Attempt, command: &str, event: &Event) -> Option<u32> {
    let run = attempt.token.run;
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", command]).current_dir(attempt.cwd()).process_group(0).stdin(Stdio::null());
    shell.env_clear().envs(attempt.env.iter().map(|(k, v)| (k, v)));
    shell.env("NN_RUN", run.to_string()).env("NN_RUN_DIR", attempt.dir()).env("NN_SPOOL", attempt.spool.dir());
    shell.env("NN_ATTEMPT", attempt.number.to_string()).env("NN_EVENT", event.json(Some(run)).to_string());
    // Not into the log, where it could be taken for what the command says.
    shell.stdout(std::io::stderr()).stderr(Stdio::inherit());
    match shell.spawn() {
        Ok(child) => Some(child.id()),
        Err(err) => {
            cli::warn(&format!("run {run}: cannot run the command of a rule: {}", nn::base::error::reason(&err)));
            None
        }
    }
}
