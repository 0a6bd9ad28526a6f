//! Curves as JSON, in as many points as are asked for: of each stretch its extremes are kept, so that a spike is never
//! lost. Histories are read point by point and never held whole.

use crate::app::{Answered, Web, number};
use nn::base::error::Result;
use nn::base::json;
use nn::draw::chart::{Curve, fewer};
use nn::record::course::VARIABLES;
use nn::record::history::{Axis, Point, Reader, write_number};
use nn::spool::store::Spool;
use nn::web::http::Head;
use nn::web::response::Response;
use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Most runs in one picture.
const RUNS: usize = 500;
/// Threads that read for one request.
const READERS: usize = 4;

/// Where a point stands: seconds since the first, the epoch, the step; NaN for what it lacks.
type Place = [f64; 3];
/// Their names, in that order.
const COLUMNS: [&str; 3] = ["t", "epoch", "step"];

/// Every variable of a run.
pub fn history(spool: &Spool, run: u64, points: usize) -> Answered {
    let text = read(spool, run, points).map_err(|err| Response::error(500, &err.to_string()))?;
    Ok(Response::json(text))
}

/// The same as text.
///
/// # Errors
/// The history cannot be read.
pub fn read(spool: &Spool, run: u64, points: usize) -> Result<String> {
    let mut reader = Reader::open(&spool.run_dir(run))?;
    let mut series: Vec<(String, Curve<Place>)> = Vec::new();
    let mut start = None;
    while let Some(point) = reader.next()? {
        let place = [since(point, &mut start), epochs(point), steps(point)].map(|x| x.unwrap_or(f64::NAN));
        for (i, (name, value)) in point.values().enumerate() {
            let is_there = series.get(i).is_some_and(|(known, _)| known == name);
            let at = if is_there { Some(i) } else { series.iter().position(|(known, _)| known == name) };
            let at = at.unwrap_or(series.len());
            if at == series.len() && at < VARIABLES {
                series.push((name.to_string(), Curve::new(points)));
            }
            if let Some((_, curve)) = series.get_mut(at) {
                curve.push(place, value);
            }
        }
    }
    let mut out = format!("{{\"run\":{run},\"series\":{{");
    for (i, (name, curve)) in series.into_iter().enumerate() {
        out.push_str(if i > 0 { "," } else { "" });
        let _ = json::quote(&mut out, &name);
        out.push(':');
        write_series(&mut out, &fewer(curve.points(), points));
    }
    out.push_str("}}");
    Ok(out)
}

/// Seconds since the first point.
fn since(point: &Point, start: &mut Option<f64>) -> Option<f64> {
    let now = point.t?.ms() as f64;
    Some((now - *start.get_or_insert(now)) / 1000.0)
}

/// The epoch and the part of it that is done, to six digits.
fn epochs(point: &Point) -> Option<f64> {
    point.epochs().map(|epoch| (epoch * 1e6).round() / 1e6)
}

/// The step, or what else counts the updates; not the epoch.
fn steps(point: &Point) -> Option<f64> {
    let counts = ["step", "batch", "iter"].iter().any(|name| point.counter(name).is_some());
    point.x(Axis::Updates).filter(|_| counts)
}

fn write_series(out: &mut String, points: &[(Place, f64)]) {
    out.push('{');
    for (i, name) in COLUMNS.iter().enumerate() {
        let column = points.iter().map(|(place, _)| place.get(i).copied().unwrap_or(f64::NAN));
        if column.clone().any(|x| !x.is_nan()) {
            let _ = write!(out, "\"{name}\":");
            write_list(out, column);
            out.push(',');
        }
    }
    out.push_str("\"y\":");
    write_list(out, points.iter().map(|(_, y)| *y));
    out.push('}');
}

fn write_list(out: &mut String, numbers: impl Iterator<Item = f64>) {
    out.push('[');
    for (i, x) in numbers.enumerate() {
        if i > 0 {
            out.push(',');
        }
        write_number(out, x);
    }
    out.push(']');
}

/// What stands on the x axis.
#[derive(Clone, Copy)]
enum Along {
    Epoch,
    Step,
    Time,
}

impl Along {
    fn of(self, point: &Point, start: &mut Option<f64>) -> Option<f64> {
        match self {
            Along::Epoch => epochs(point),
            Along::Step => steps(point),
            Along::Time => since(point, start),
        }
    }
}

/// One variable of many runs.
pub fn many(web: &Web, head: &Head, points: usize) -> Answered {
    let wrong = |words: String| Response::error(400, &words);
    let y = head.asked("y").ok_or_else(|| wrong("say which variable: y=NAME".into()))?;
    let (x, along) = match head.asked("x").unwrap_or("epoch") {
        "epoch" => ("epoch", Along::Epoch),
        "step" => ("step", Along::Step),
        "time" => ("time", Along::Time),
        other => return Err(wrong(format!("x is epoch, step or time, not '{other}'"))),
    };
    let runs = choose(&web.fresh_model()?.runs(), head.asked("runs").unwrap_or_default()).map_err(wrong)?;
    let curves = read_many(&web.spool, &runs, |point, start| Some((along.of(point, start)?, point.value(y)?)), points);
    let mut out = String::from("{\"y\":");
    let _ = json::quote(&mut out, y);
    let _ = write!(out, ",\"x\":\"{x}\",\"curves\":[{}]}}", curves.join(","));
    Ok(Response::json(out))
}

/// The runs that are there of a list such as 1-200,305.
fn choose(all: &[u64], list: &str) -> std::result::Result<Vec<u64>, String> {
    let mut chosen = Vec::new();
    for part in list.split(',').filter(|part| !part.is_empty()) {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (Some(from), Some(to)) = (number(from), number(to)) else {
            return Err(format!("runs are numbers and ranges such as 1-200,305, not '{part}'"));
        };
        chosen.extend(all.iter().filter(|run| (from..=to).contains(run)));
        if chosen.len() > RUNS {
            return Err(format!("more than {RUNS} runs in one picture"));
        }
    }
    Ok(chosen)
}

/// Reads a curve of each run that has it, as JSON.
fn read_many(
    spool: &Spool,
    runs: &[u64],
    pick: impl Fn(&Point, &mut Option<f64>) -> Option<(f64, f64)> + Sync,
    points: usize,
) -> Vec<String> {
    let readers = std::thread::available_parallelism().map_or(1, usize::from).min(READERS).min(runs.len());
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, String)>> = Mutex::new(Vec::new());
    let read = || {
        while let Some((at, run)) = Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, *runs.get(at)?)))
        {
            // What cannot be read leaves no curve; the run itself says why.
            if let Ok(Some(text)) = read_curve(spool, run, &pick, points) {
                done.lock().unwrap_or_else(PoisonError::into_inner).push((at, text));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..readers {
            scope.spawn(read);
        }
        read();
    });
    let mut all = done.into_inner().unwrap_or_default();
    all.sort_unstable_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, text)| text).collect()
}

fn read_curve(
    spool: &Spool,
    run: u64,
    pick: &impl Fn(&Point, &mut Option<f64>) -> Option<(f64, f64)>,
    points: usize,
) -> Result<Option<String>> {
    let mut reader = Reader::open(&spool.run_dir(run))?;
    let (mut curve, mut start) = (Curve::new(points), None);
    while let Some(point) = reader.next()? {
        if let Some((x, y)) = pick(point, &mut start) {
            curve.push(x, y);
        }
    }
    let kept = fewer(curve.points(), points);
    if kept.is_empty() {
        return Ok(None);
    }
    let mut out = format!("{{\"run\":{run},\"x\":");
    write_list(&mut out, kept.iter().map(|(x, _)| *x));
    out.push_str(",\"y\":");
    write_list(&mut out, kept.iter().map(|(_, y)| *y));
    out.push('}');
    Ok(Some(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_runs() {
        let all = [1, 2, 3, 7, 305];
        assert_eq!(choose(&all, "1-3,305,400"), Ok(vec![1, 2, 3, 305]));
        assert_eq!(choose(&all, ""), Ok(vec![]));
        assert_eq!(choose(&all, "1-99999999999"), Ok(all.to_vec()));
        for bad in ["a", "1-", "-3", "../1", "1-2-3", "0"] {
            assert!(choose(&all, bad).is_err(), "{bad}");
        }
        let many: Vec<u64> = (1..=600).collect();
        assert!(choose(&many, "1-600").is_err());
    }
}
