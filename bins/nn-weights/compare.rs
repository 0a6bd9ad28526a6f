//! What became of each layer from one file to another: a record for each that is in either.

use crate::each::shape;
use crate::{Opts, open};
use nn::base::cli;
use nn::base::error::Result;
use nn::base::json;
use nn::base::table::{Cell, Format, Table};
use nn::base::units::show_size;
use nn::record::weights::{Tensor, Weights, change, show_shape};
use std::collections::{HashMap, HashSet};
use std::path::Path;

type Numbers = [Option<f64>; 5];

/// The layers in the order of the first file, then those that only the second has.
pub fn compare(opts: &Opts, first: &Path, second: &Path, format: Format) -> Result<Table> {
    let (before, after) = (open(first)?, open(second)?);
    let (old, new) = (opts.wanted(&before), opts.wanted(&after));
    let by_name: HashMap<&str, &Tensor> = new.iter().map(|tensor| (tensor.name.as_str(), *tensor)).collect();
    // Two .npy files are one array each, whatever they are called.
    let only = match (old.as_slice(), new.as_slice()) {
        ([_], [other]) if is_npy(first) && is_npy(second) => Some(*other),
        _ => None,
    };
    let mut table = Table::new(&["layer", "shape", "what", "before", "after", "change", "relative", "cosine"]);
    let mut seen = HashSet::new();
    for tensor in old {
        let other = only.or_else(|| by_name.get(tensor.name.as_str()).copied());
        seen.extend(other.map(|other| other.name.as_str()));
        let (shown, numbers) = record(opts, (&before, tensor), other.map(|other| (&after, other)))?;
        table.row(row(other.unwrap_or(tensor), &shown, numbers, format));
    }
    for tensor in new.into_iter().filter(|tensor| !seen.contains(tensor.name.as_str())) {
        let norm = after.stats(tensor)?.norm();
        table.row(row(tensor, "added", [None, Some(norm), None, None, None], format));
    }
    Ok(table)
}

fn is_npy(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "npy")
}

/// What became of a layer: a word, and its norms before and after, change, relative change and cosine.
fn record(opts: &Opts, a: (&Weights, &Tensor), b: Option<(&Weights, &Tensor)>) -> Result<(String, Numbers)> {
    let Some(b) = b else {
        return Ok(("removed".into(), [Some(a.0.stats(a.1)?.norm()), None, None, None, None]));
    };
    let norms =
        || -> Result<Numbers> { Ok([Some(a.0.stats(a.1)?.norm()), Some(b.0.stats(b.1)?.norm()), None, None, None]) };
    if a.1.shape != b.1.shape || a.1.kind.parts() != b.1.kind.parts() {
        return Ok((format!("was {}", show_shape(&a.1.shape)), norms()?));
    }
    let Some(found) = change(a, b, opts.memory)? else {
        let limit = show_size(opts.memory);
        cli::warn(&format!("'{}' is too large to be compared in another order: --memory is {limit}", a.1.name));
        return Ok(("reordered".into(), norms()?));
    };
    let what = if found.difference == 0.0 { "same" } else { "changed" };
    let numbers = [found.norms.0, found.norms.1, found.difference, found.relative(), found.cosine];
    Ok((what.into(), numbers.map(Some)))
}

fn row(tensor: &Tensor, what: &str, numbers: Numbers, format: Format) -> Vec<Cell> {
    let mut cells: Vec<Cell> = vec![tensor.name.as_str().into(), shape(tensor, format), what.into()];
    cells.extend(numbers.map(|x| x.map_or_else(Cell::empty, |x| json::number(x).into())));
    cells
}
