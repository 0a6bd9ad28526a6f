//! A record a layer: its numbers summed up.

use crate::{Opts, open};
use nn::base::cli;
use nn::base::error::Result;
use nn::base::json::{self, Value};
use nn::base::table::{Cell, Format, Table};
use nn::base::units::show_size;
use nn::record::weights::{Tensor, Weights, largest_singular, show_shape};
use std::path::PathBuf;

/// The records of all files; a file that cannot be read is told of, and the others go on.
pub fn each(opts: &Opts, files: &[PathBuf], format: Format) -> Result<Table> {
    let mut headings =
        vec!["layer", "shape", "dtype", "count", "norm", "mean", "std", "min", "max", "zeros", "nan", "inf"];
    if opts.singular {
        headings.push("sigma");
    }
    if files.len() > 1 {
        headings.push("file");
    }
    let mut rows = Vec::new();
    for file in files {
        let mut records = || -> Result<()> {
            let weights = open(file)?;
            for tensor in opts.wanted(&weights) {
                let mut cells = record(opts, &weights, tensor, format)?;
                if files.len() > 1 {
                    cells.push(json::from_os(file.as_os_str()).into());
                }
                rows.push(cells);
            }
            Ok(())
        };
        match records() {
            Err(err) if files.len() > 1 => cli::complain(&err),
            done => done?,
        }
    }
    Ok(table(&headings, rows, format))
}

/// A person is spared what the shape tells, and columns of zeros: there are many columns.
fn table(headings: &[&str], rows: Vec<Vec<Cell>>, format: Format) -> Table {
    let is_zero =
        |place: usize| rows.iter().all(|row| row.get(place).is_some_and(|cell| cell.value().as_int() == Some(0)));
    let is_spared = |place: usize| match headings.get(place) {
        Some(&"count") => true,
        Some(&"nan" | &"inf") => is_zero(place),
        _ => false,
    };
    let kept: Vec<bool> = (0..headings.len()).map(|place| format != Format::Screen || !is_spared(place)).collect();
    let chosen = |place: &usize| kept.get(*place).copied().unwrap_or(true);
    let names: Vec<&str> =
        headings.iter().enumerate().filter(|(place, _)| chosen(place)).map(|(_, name)| *name).collect();
    let mut table = Table::new(&names);
    for row in rows {
        table.row(row.into_iter().enumerate().filter(|(place, _)| chosen(place)).map(|(_, cell)| cell).collect());
    }
    table
}

fn record(opts: &Opts, weights: &Weights, tensor: &Tensor, format: Format) -> Result<Vec<Cell>> {
    let stats = weights.stats(tensor)?;
    let number = |x: Option<f64>| x.map_or_else(Cell::empty, |x| Cell::from(json::number(x)));
    let extremes = stats.extremes();
    let mut cells = vec![
        tensor.name.as_str().into(),
        shape(tensor, format),
        tensor.kind.name().into(),
        tensor.count().into(),
        number(Some(stats.norm())),
        number(stats.mean()),
        number(stats.deviation()),
        number(extremes.map(|(low, _)| low)),
        number(extremes.map(|(_, high)| high)),
        stats.zeros.into(),
        stats.nan.into(),
        stats.infinite.into(),
    ];
    if opts.singular {
        cells.push(number(singular(opts, weights, tensor)?));
    }
    Ok(cells)
}

/// A list for programs that read JSON, else `64x3x7x7`.
pub fn shape(tensor: &Tensor, format: Format) -> Cell {
    match format {
        Format::Json => Value::List(tensor.shape.iter().map(|side| Value::from(*side)).collect()).into(),
        _ => show_shape(&tensor.shape).into(),
    }
}

/// Of the matrix whose rows are what the first dimension counts, as PyTorch's spectral_norm takes it.
fn singular(opts: &Opts, weights: &Weights, tensor: &Tensor) -> Result<Option<f64>> {
    let needs = tensor.bytes_as_f64();
    let why = match () {
        () if tensor.kind.size() > 8 || tensor.kind.parts() > 1 => "complex numbers".to_string(),
        () if needs > opts.memory => {
            format!("it takes {}, and --memory is {}", show_size(needs), show_size(opts.memory))
        }
        () => {
            let rows = tensor.shape.first().copied().unwrap_or(1).max(1);
            let columns = usize::try_from(tensor.count() / rows).unwrap_or_default();
            return Ok(Some(largest_singular(weights.load(tensor)?, columns)));
        }
    };
    cli::warn(&format!("{}: '{}': no singular value: {why}", weights.path().display(), tensor.name));
    Ok(None)
}
