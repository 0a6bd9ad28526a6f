//! export: the history of runs as data, attempts joined to one curve each: JSON lines as in history.jsonl with the run's
//! number first, or CSV with a column for every name there is (for which the history is read twice).

use nn::base::args::{Arg, Args};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::Result;
use nn::base::table::csv_field;
use nn::record::history::{COUNTERS, Point, Reader, write_number};
use nn::spool::select::select;
use nn::spool::store::Spool;

/// Prints the history of the runs named.
///
/// # Errors
/// There is no such run, or its history cannot be read.
pub fn export(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let (mut csv, mut given) = (false, Vec::new());
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Long(name) if name == "csv" => csv = true,
            Arg::Long(name) if name == "json" => csv = false,
            Arg::Value(value) => given.push(value),
            arg => return Err(arg.unexpected()),
        }
    }
    let spool = Spool::find()?;
    let runs = select(&spool, &cli::operands(given)?)?;
    let columns = if csv { columns(&spool, &runs)? } else { Vec::new() };
    if csv {
        let heads: Vec<String> = columns.iter().map(|name| csv_field(name)).collect();
        writeln!(out, "run,t{}{}", if heads.is_empty() { "" } else { "," }, heads.join(","))?;
    }
    let (mut line, mut points) = (String::new(), 0u64);
    for run in runs {
        points += each(&spool, run, &mut |point| {
            line.clear();
            if csv {
                csv_line(run, point, &columns, &mut line)
            } else {
                json_line(run, point, &mut line)
            }
            out.write_all(line.as_bytes())
        })?;
    }
    Ok(if points > 0 { Exit::DONE } else { Exit::NO })
}

/// Hands on each point of a run's curve; how many there were.
fn each(spool: &Spool, run: u64, act: &mut dyn FnMut(&Point) -> Result<()>) -> Result<u64> {
    let mut points = 0;
    let mut reader = Reader::open(&spool.run_dir(run))?;
    while let Some(point) = reader.next()? {
        act(point)?;
        points += 1;
    }
    match reader.bad_lines() {
        0 => {}
        bad => cli::warn(&format!("run {run}: {bad} lines of its history are no points")),
    }
    Ok(points)
}

/// The counters there are, then the other names in the order in which they come.
fn columns(spool: &Spool, runs: &[u64]) -> Result<Vec<String>> {
    let (mut counters, mut names): ([bool; COUNTERS.len()], Vec<String>) = Default::default();
    for run in runs {
        let mut reader = Reader::open(&spool.run_dir(*run))?;
        while let Some(point) = reader.next()? {
            for (there, name) in counters.iter_mut().zip(COUNTERS) {
                *there |= point.counter(name).is_some();
            }
            for (i, (name, _)) in point.values().enumerate() {
                // Mostly each point has the same names as the one before it.
                if names.get(i).is_none_or(|known| known != name) && !names.iter().any(|known| known == name) {
                    names.push(name.to_string());
                }
            }
        }
    }
    let counters = counters.iter().zip(COUNTERS).filter(|(there, _)| **there).map(|(_, name)| name.to_string());
    Ok(counters.chain(names).collect())
}

fn csv_line(run: u64, point: &Point, columns: &[String], line: &mut String) {
    line.push_str(&run.to_string());
    line.push(',');
    line.push_str(&point.t.map(|t| t.to_string()).unwrap_or_default());
    for name in columns {
        line.push(',');
        match point.counter(name).or_else(|| point.value(name)) {
            Some(value) if value.is_finite() => write_number(line, value),
            Some(value) => line.push_str(&value.to_string().to_lowercase()),
            None => {}
        }
    }
    line.push('\n');
}

fn json_line(run: u64, point: &Point, line: &mut String) {
    point.write_line(line);
    let rest = if line.starts_with("{}") { "" } else { "," };
    line.replace_range(..1, &format!("{{\"run\":{run}{rest}"));
}
