//! list: where the runs stand, in the order of time: what has ended (only when asked for), what runs, what waits in the
//! order in which it will start, what is held.
//!
//! The states come from the names of the tokens alone; done/ and its like are never read unless asked for. One small file
//! is opened for each run shown, by two threads when there are many.

use crate::engines;
use nn::base::args::{Arg, Args};
use nn::base::cli::{Exit, Out};
use nn::base::error::{Error, Result};
use nn::base::json::Value;
use nn::base::table::{Cell, Format, Table};
use nn::base::text::did_you_mean;
use nn::base::time::{Time, show_duration};
use nn::cluster::ssh::host::is_host;
use nn::record::results::took;
use nn::spool::job::Job;
use nn::spool::owner::Life;
use nn::spool::select::select;
use nn::spool::sign::owner_note;
use nn::spool::state::{Folder, REPORT, State, Token};
use nn::spool::store::Spool;
use nn::spool::waits::Waits;
use std::collections::HashSet;
use std::io::{Read, Seek, SeekFrom};
use std::time::Duration;

#[derive(Default)]
struct Opts {
    all: bool,
    states: Vec<Folder>,
    json: bool,
    runs: Vec<String>,
}

impl Opts {
    /// Ended runs as well.
    fn everywhere(&self) -> bool {
        self.all || !self.runs.is_empty() || self.states.iter().any(|f| f.is_end())
    }

    fn wants(&self, token: &Token) -> bool {
        let folder = token.folder();
        if self.states.is_empty() { self.everywhere() || !folder.is_end() } else { self.states.contains(&folder) }
    }
}

/// One run as it is shown.
struct Row {
    token: Token,
    job: Result<Job>,
    /// How long it has waited or run, or ran
    time: Option<Duration>,
    progress: String,
    note: String,
    /// What keeps it from starting
    waits: String,
}

/// A column: heading, whether a person sees it even when it is empty, and what stands in it.
type Column = (&'static str, bool, fn(&Row) -> Cell);

/// Shows runs.
pub fn list(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let opts = parse(args)?;
    let spool = Spool::find()?;
    let tokens = find(&spool, &opts)?;
    let mut rows = read(&spool, tokens, &opts)?;
    fill_waits(&spool, &mut rows)?;
    let format = if opts.json { Format::Json } else { Format::detect(out) };
    table(&rows, format).print(out, format)?;
    Ok(Exit::DONE)
}

fn parse(args: &mut Args) -> Result<Opts> {
    let mut opts = Opts::default();
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Long(name) if name == "all" => opts.all = true,
            Arg::Short('a') => opts.all = true,
            Arg::Long(name) if name == "json" => opts.json = true,
            Arg::Long(name) if name == "state" => {
                for word in args.text()?.split(',') {
                    opts.states.push(folder(word)?);
                }
            }
            Arg::Value(run) => opts.runs.push(run.to_string_lossy().into_owned()),
            arg => return Err(arg.unexpected()),
        }
    }
    Ok(opts)
}

/// The state a person names.
pub fn folder(word: &str) -> Result<Folder> {
    let near = || did_you_mean(word, Folder::ALL.map(Folder::name));
    Folder::parse(word).ok_or_else(|| {
        let all = Folder::ALL.map(Folder::name).join(" ");
        Error::usage(format!("there is no state '{word}'{}: one of {all}", near()))
    })
}

/// The tokens asked for, in the order of the list.
fn find(spool: &Spool, opts: &Opts) -> Result<Vec<Token>> {
    let wanted: Option<HashSet<u64>> = match opts.runs.as_slice() {
        [] => None,
        runs => Some(select(spool, runs)?.into_iter().collect()),
    };
    // Later folders are read even when not asked for: a run that is also seen there is not where it seems to be.
    let folders: &[Folder] = if opts.everywhere() { &Folder::ALL } else { &Folder::OPEN };
    let mut tokens: Vec<Token> = spool.states(folders)?.into_values().collect();
    tokens.retain(|t| opts.wants(t));
    tokens.retain(|t| wanted.as_ref().is_none_or(|w| w.contains(&t.run)));
    tokens.sort_by_cached_key(|t| {
        let (when, priority) = match t.state {
            State::Done | State::Failed(_) | State::Cancelled => (0, 0),
            State::Started(..) | State::Claimed(_) => (1, 0),
            State::Submitted(..) => (2, 0),
            State::Queued(priority) => (3, priority),
            State::Held(priority) => (4, priority),
        };
        (when, priority, t.run)
    });
    Ok(tokens)
}

/// Reads what a line needs of each run, by two threads when there are many.
fn read(spool: &Spool, tokens: Vec<Token>, opts: &Opts) -> Result<Vec<Row>> {
    let now = Time::now();
    let half = tokens.len() / 2;
    if half < 200 {
        return Ok(tokens.into_iter().filter_map(|t| row_now(spool, t, now, opts)).collect());
    }
    let mut first = tokens;
    let second = first.split_off(half);
    let rows = |tokens: Vec<Token>| tokens.into_iter().filter_map(|t| row_now(spool, t, now, opts)).collect::<Vec<_>>();
    std::thread::scope(|scope| {
        let other = scope.spawn(|| rows(second));
        let mut all = rows(first);
        all.extend(other.join().map_err(|_| Error::other("a thread failed"))?);
        Ok(all)
    })
}

/// A run as it is shown; None: it has moved meanwhile to where it was not asked for. An owner that is dead now may only
/// have come to the end of its run since the folders were read.
fn row_now(spool: &Spool, token: Token, now: Time, opts: &Opts) -> Option<Row> {
    let shown = row(spool, token, now);
    let is_dead = match &shown.token.state {
        State::Claimed(owner) | State::Started(_, owner) => owner.life() == Life::Dead,
        _ => false,
    };
    if !is_dead || spool.dir().join(shown.token.path()).exists() {
        return Some(shown);
    }
    let token = spool.state_of(shown.token.run).ok().flatten().filter(|token| opts.wants(token))?;
    Some(row(spool, token, now))
}

fn row(spool: &Spool, token: Token, now: Time) -> Row {
    let job = spool.job(token.run);
    let (mut time, mut progress, mut note) = (None, String::new(), String::new());
    match &token.state {
        State::Queued(_) | State::Held(_) | State::Submitted(..) => {
            time = job.as_ref().ok().and_then(Job::added).map(|added| now.since(added));
            if let State::Submitted(engine, _) = &token.state
                && (is_host(engine) || engine == REPORT)
            {
                progress = last_point(spool, token.run);
            }
        }
        State::Claimed(worker) => {
            note = owner_note(spool, token.run, worker, worker, "worker").unwrap_or("starting".into())
        }
        State::Started(worker, runner) => {
            time = runner.age().or_else(|| started(spool, token.run, "attempt.json").map(|at| now.since(at)));
            progress = last_point(spool, token.run);
            note = owner_note(spool, token.run, worker, runner, "runner").unwrap_or_default();
        }
        State::Done | State::Failed(_) | State::Cancelled => {
            time = duration(spool, token.run);
            if let State::Failed(how) = token.state {
                note = how.words();
            }
        }
    }
    if let Err(err) = &job {
        note = err.to_string();
    }
    Row { token, job, time, progress, note, waits: String::new() }
}

/// What the queued ones and the submitted ones wait for.
fn fill_waits(spool: &Spool, rows: &mut [Row]) -> Result<()> {
    let tokens: Vec<&Token> = rows.iter().map(|row| &row.token).collect();
    let mut notes = engines::notes(spool, &tokens)?;
    for row in rows.iter_mut() {
        row.waits = notes.remove(&row.token.run).unwrap_or_default();
    }
    let is_queued = |row: &Row| matches!(row.token.state, State::Queued(_));
    if !rows.iter().any(is_queued) {
        return Ok(());
    }
    let mut waits = Waits::new(spool)?;
    for row in rows.iter_mut().filter(|row| is_queued(row)) {
        if let Ok(job) = &row.job {
            row.waits = waits.words(&row.token, job)?;
        }
    }
    Ok(())
}

fn started(spool: &Spool, run: u64, file: &str) -> Option<Time> {
    Time::parse(spool.read(run, file).ok()??.str("started")?)
}

fn duration(spool: &Spool, run: u64) -> Option<Duration> {
    took(&spool.read(run, "result.json").ok()??)
}

/// The last point of a run's history: `epoch=3 valid_cost=0.12`. Only the end of the file is read.
pub fn last_point(spool: &Spool, run: u64) -> String {
    let tail = || {
        let mut file = std::fs::File::open(spool.run_dir(run).join("history.jsonl")).ok()?;
        let length = file.seek(SeekFrom::End(0)).ok()?;
        file.seek(SeekFrom::Start(length.saturating_sub(4096))).ok()?;
        let mut bytes = Vec::new();
        file.take(4096).read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let whole = text.rsplit_once('\n')?.0;
        Value::parse(whole.lines().last()?).ok()
    };
    let point = tail().unwrap_or(Value::Null);
    let members = point.as_map().unwrap_or_default().iter().filter(|(key, v)| key != "t" && v.as_num().is_some());
    let shown = members.map(|(key, v)| format!("{key}={}", nn::base::units::show_number(v.as_num().unwrap_or(0.0))));
    shown.collect::<Vec<_>>().join(" ")
}

fn text(value: Option<&str>) -> Cell {
    value.map_or_else(Cell::empty, Cell::from)
}

fn columns(format: Format) -> Vec<Column> {
    let name: Column = match format {
        Format::Screen => ("name", true, |row| {
            let job = row.job.as_ref().ok();
            job.map_or_else(Cell::empty, |job| job.name().map_or_else(|| job.command_line().into(), Cell::from))
        }),
        _ => ("name", true, |row| text(row.job.as_ref().ok().and_then(Job::name))),
    };
    let mut columns: Vec<Column> = vec![
        ("run", true, |row| row.token.run.into()),
        ("state", true, |row| row.token.folder().name().into()),
        ("prio", false, |row| match row.token.state {
            State::Queued(priority) | State::Held(priority) => u32::from(priority).into(),
            _ => Cell::empty(),
        }),
        ("group", false, |row| text(row.job.as_ref().ok().and_then(Job::group))),
        name,
        ("time", false, |row| match row.time {
            Some(time) => Cell::shown(time.as_secs_f64(), show_duration(time)),
            None => Cell::empty(),
        }),
        ("progress", false, |row| if row.progress.is_empty() { Cell::empty() } else { row.progress.clone().into() }),
        ("note", false, |row| if row.note.is_empty() { Cell::empty() } else { row.note.clone().into() }),
    ];
    if format != Format::Screen {
        columns.push(("command", true, |row| {
            row.job.as_ref().map_or_else(|_| Cell::empty(), |job| job.command_line().into())
        }));
    }
    columns.push(("waits", false, |row| if row.waits.is_empty() { Cell::empty() } else { row.waits.clone().into() }));
    columns
}

fn table(rows: &[Row], format: Format) -> Table {
    let mut columns = columns(format);
    if format == Format::Screen {
        columns.retain(|(_, always, cell)| *always || rows.iter().any(|row| *cell(row).value() != Value::Null));
    }
    let headings: Vec<&str> = columns.iter().map(|(heading, ..)| *heading).collect();
    let mut table = Table::new(&headings);
    for row in rows {
        table.row(columns.iter().map(|(.., cell)| cell(row)).collect());
    }
    table
}
