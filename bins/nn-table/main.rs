//! nn-table: the lab notebook: runs, parameters and results as a table
//!
//! Columns are named in words: what the spool knows of a run, its parameters, and variables of interest as
//! `valid_cost@last`, `@min`, `@max`, `@first`, or `@10` for the value at epoch 10. Without --columns the table shows what
//! tells the runs apart: the parameters that differ, and the last and best values of the main variables. A history is
//! read only when a column, a condition or the sorting asks for it, and once.

mod columns;
mod diff;
mod filter;

use columns::{Column, Columns};
use filter::Condition;
use nn::base::args::{Arg, Args};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Error, Result};
use nn::base::json::Value;
use nn::base::table::{Cell, Format, Table};
use nn::record::results::{Results, Row};
use nn::spool::select;
use nn::spool::state::Folder;
use nn::spool::store::Spool;
use std::ffi::OsString;
use std::process::ExitCode;

const USAGE: &str = "
usage: nn-table [-r] [-t] [--where CONDITION]... [--sort COLUMN] [--columns LIST]
                [--csv | --json | --markdown | --tsv] [RUNS]
       nn-table diff [--all] [--csv | --json | --markdown | --tsv] RUN RUN

  --where CONDITION   only runs for which it holds: lr>0.01, state=failed, valid_cost@min<1
  --sort COLUMN       by this column; what has no value comes last
  -r, --reverse       the greatest first
  --columns LIST      these columns, comma-separated; HEADING=COLUMN renames; @NAME takes
                      the list 'table.NAME' of the config
  -t, --table         aligned under headings, in a pipe too
  --csv --json --markdown --tsv
                      in this form
  --all               (diff) also what is the same in both

Columns: run state how name group note tags command dir priority attempt added started ended
duration date host commit branch dirty exit, any parameter, any variable as NAME, NAME@last,
NAME@min, NAME@max, NAME@first, NAME@EPOCH.
";

fn main() -> ExitCode {
    cli::main("nn-table", USAGE, run)
}

#[derive(Default)]
struct Opts {
    conditions: Vec<Condition>,
    sort: Option<Column>,
    reverse: bool,
    columns: Option<String>,
    format: Option<Format>,
    all: bool,
    operands: Vec<OsString>,
}

fn run(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let mut opts = parse(args)?;
    let spool = Spool::find()?;
    let format = opts.format.unwrap_or_else(|| Format::detect(out));
    if opts.operands.first().is_some_and(|word| word == "diff") {
        opts.operands.remove(0);
        return diff(&spool, opts, out, format);
    }
    let operands = cli::operands_if_any(std::mem::take(&mut opts.operands))?;
    let runs = match operands {
        Some(operands) => select::select(&spool, &operands)?,
        None => select::all(&spool)?,
    };
    let wanted = match &opts.columns {
        Some(list) => Some(Columns::parse(list, &spool)?),
        None => None,
    };
    let table = build(&spool, &runs, &opts, wanted)?;
    table.print(out, format)?;
    Ok(if table.is_empty() { Exit::NO } else { Exit::DONE })
}

fn parse(args: &mut Args) -> Result<Opts> {
    let mut opts = Opts::default();
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Long(name) => match name.as_str() {
                "where" => opts.conditions.push(Condition::parse(&args.text()?)?),
                "sort" => opts.sort = Some(Column::parse(&args.text()?)),
                "reverse" => opts.reverse = true,
                "columns" => opts.columns = Some(args.text()?),
                "table" => opts.format = Some(Format::Screen),
                "csv" => opts.format = Some(Format::Csv),
                "json" => opts.format = Some(Format::Json),
                "markdown" => opts.format = Some(Format::Markdown),
                "tsv" => opts.format = Some(Format::Tsv),
                "all" => opts.all = true,
                _ => return Err(Arg::Long(name).unexpected()),
            },
            Arg::Short('r') => opts.reverse = true,
            Arg::Short('t') => opts.format = Some(Format::Screen),
            Arg::Value(value) => opts.operands.push(value),
            arg => return Err(arg.unexpected()),
        }
    }
    let is_diff = opts.operands.first().is_some_and(|word| word == "diff");
    if opts.all && !is_diff {
        return Err(Error::usage("option '--all' belongs to 'nn-table diff'"));
    }
    if is_diff && (opts.columns.is_some() || opts.sort.is_some() || opts.reverse || !opts.conditions.is_empty()) {
        return Err(Error::usage(
            "'nn-table diff' compares two runs: --columns, --where and --sort have no place there",
        ));
    }
    Ok(opts)
}

/// A run and, once asked for, its results and facts.
struct Entry {
    row: Row,
    results: Results,
    /// Of facts.json what has a column
    facts: Value,
}

fn build(spool: &Spool, runs: &[u64], opts: &Opts, wanted: Option<Columns>) -> Result<Table> {
    let asked = wanted.iter().flat_map(Columns::columns);
    let asked: Vec<Column> =
        asked.chain(&opts.sort).chain(opts.conditions.iter().map(Condition::column)).cloned().collect();
    let epochs = columns::epochs(asked.iter());
    let rows = rows(spool, runs)?;
    // A name that is no parameter of any run may be a variable: only then are the histories read.
    let needs_history = wanted.is_none() || asked.iter().any(|c| c.needs_history(&rows));
    let needs_facts = asked.iter().any(Column::needs_facts);
    let mut entries = Vec::with_capacity(rows.len());
    for row in rows {
        let results = if needs_history { read_results(spool, &row, &epochs) } else { Results::default() };
        let facts = if needs_facts { read_facts(spool, &row) } else { Value::Null };
        entries.push(Entry { row, results, facts });
    }
    columns::check(&asked, &entries)?;
    entries.retain(|entry| opts.conditions.iter().all(|c| c.holds(entry, &epochs)));
    if let Some(column) = &opts.sort {
        filter::sort(&mut entries, column, opts.reverse, &epochs);
    } else if opts.reverse {
        entries.reverse();
    }
    let columns = wanted.unwrap_or_else(|| Columns::telling(&entries));
    let mut table = Table::new(&columns.headings());
    for entry in &entries {
        table.row(columns.columns().map(|c| c.cell(entry, &epochs)).collect::<Vec<Cell>>());
    }
    Ok(table)
}

fn rows(spool: &Spool, runs: &[u64]) -> Result<Vec<Row>> {
    let mut states = spool.states(&Folder::ALL)?;
    let mut rows = Vec::with_capacity(runs.len());
    for &run in runs {
        match Row::read(spool, run, states.remove(&run)) {
            // Never acknowledged: a run that is being added, or the remains of one.
            Ok(row) if row.token.is_none() => {}
            Ok(row) => rows.push(row),
            Err(_) if !spool.run_dir(run).join("job.json").exists() => {}
            Err(err) => cli::complain(&err),
        }
    }
    Ok(rows)
}

fn read_facts(spool: &Spool, row: &Row) -> Value {
    let facts = spool.read(row.run, "facts.json").unwrap_or_else(|err| {
        cli::complain(&err);
        None
    });
    facts.map_or(Value::Null, |facts| columns::facts(&facts))
}

fn read_results(spool: &Spool, row: &Row, epochs: &[f64]) -> Results {
    Results::read(spool, row.run, epochs).unwrap_or_else(|err| {
        cli::complain(&err);
        Results::default()
    })
}

fn diff(spool: &Spool, opts: Opts, out: &mut Out, format: Format) -> Result<Exit> {
    let operands = cli::operands(opts.operands)?;
    let [a, b] = operands.as_slice() else {
        return Err(Error::usage(format!("'nn-table diff' compares two runs, not {}", operands.len())));
    };
    let (a, b) = (select::select_one(spool, a)?, select::select_one(spool, b)?);
    let table = diff::compare(spool, a, b, opts.all)?;
    table.print(out, format)?;
    Ok(if table.is_empty() { Exit::NO } else { Exit::DONE })
}
