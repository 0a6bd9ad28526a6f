//! What a run used while it ran, from resources.jsonl: processor and memory, and of each of its GPUs how busy it was.

use crate::app::Answered;
use nn::base::error::{Doing, Result};
use nn::base::files;
use nn::base::json::{self, Value};
use nn::base::time::Time;
use nn::draw::chart::{Curve, fewer};
use nn::spool::store::Spool;
use nn::web::response::Response;
use std::io::{BufRead, BufReader, Read};

/// Longest line that is read.
const LINE: u64 = 1 << 20;
/// Most GPUs that are told of.
const GPUS: usize = 64;

/// The series of a run.
pub fn of_run(spool: &Spool, run: u64, points: usize) -> Answered {
    let series = read(spool, run, points).map_err(|err| Response::error(500, &err.to_string()))?;
    Ok(Response::json(series.to_string()))
}

/// The same as a value.
///
/// # Errors
/// It cannot be read. A file that is not there is empty.
pub fn read(spool: &Spool, run: u64, points: usize) -> Result<Value> {
    let path = spool.run_dir(run).join("resources.jsonl");
    let mut series: Vec<(String, Curve)> = Vec::new();
    let file = match files::open_regular(&path) {
        Err(err) if err.io().is_some_and(|err| err.kind() == std::io::ErrorKind::NotFound) => None,
        file => Some(file?),
    };
    let mut gpus: Vec<String> = Vec::new();
    let mut start = None;
    let mut reader = file.map(BufReader::new);
    let mut line = Vec::new();
    while let Some(reader) = reader.as_mut()
        && reader.take(LINE).read_until(b'\n', &mut line).doing("read", &path)? > 0
    {
        let sample = str::from_utf8(&line).ok().and_then(|text| Value::parse(text).ok());
        line.clear();
        let Some(sample) = sample else { continue };
        let Some(t) = sample.str("t").and_then(Time::parse).map(|t| t.ms() as f64 / 1000.0) else { continue };
        let t = t - *start.get_or_insert(t);
        for (name, value) in numbers(&sample, &mut gpus) {
            curve(&mut series, name, points).push(t, value);
        }
    }
    let series = series.into_iter().map(|(name, curve)| (name, columns(&fewer(curve.points(), points))));
    Ok(json::map([("series", json::map(series))]))
}

/// The numbers of a sample: processors in use, bytes of memory, and how busy each GPU is, as a part of one.
fn numbers(sample: &Value, gpus: &mut Vec<String>) -> Vec<(String, f64)> {
    let mut found = Vec::new();
    found.extend(sample.num("cpu_percent").map(|percent| ("cpu".to_string(), percent / 100.0)));
    found.extend(sample.num("rss").map(|bytes| ("ram".to_string(), bytes)));
    for gpu in sample.list("gpus").unwrap_or_default() {
        let Some(uuid) = gpu.str("uuid") else { continue };
        let at = gpus.iter().position(|known| known == uuid).unwrap_or(gpus.len());
        if at == gpus.len() && at < GPUS {
            gpus.push(uuid.to_string());
        }
        if at < gpus.len() {
            found.extend(gpu.num("utilisation").map(|percent| (format!("gpu{at}"), percent / 100.0)));
            found.extend(gpu.num("memory").map(|bytes| (format!("gpu{at}_memory"), bytes)));
        }
    }
    found
}

fn curve(series: &mut Vec<(String, Curve)>, name: String, points: usize) -> &mut Curve {
    let at = series.iter().position(|(known, _)| *known == name).unwrap_or(series.len());
    if at == series.len() {
        series.push((name, Curve::new(points)));
    }
    &mut series[at].1
}

fn columns(points: &[(f64, f64)]) -> Value {
    let column = |pick: fn(&(f64, f64)) -> f64| Value::List(points.iter().map(pick).map(json::number).collect());
    json::map([("t", column(|point| point.0)), ("y", column(|point| point.1))])
}
