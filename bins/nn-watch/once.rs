//! --once: what the screen shows, as records.

use crate::Opts;
use crate::model::Model;
use crate::row::rows;
use nn::base::cli::{Exit, Out};
use nn::base::error::Result;
use nn::base::table::{Cell, Format, Table};
use nn::base::time::show_duration;

/// Columns of a curve.
const CURVE: usize = 16;

/// Prints it once.
///
/// # Errors
/// The spool cannot be read, or the output not written.
pub fn print(opts: Opts, out: &mut Out) -> Result<Exit> {
    let json = opts.json;
    let mut model = Model::new(Opts { once: true, ..opts })?;
    model.look()?;
    let rows = rows(&model, CURVE);
    let found = if rows.is_empty() { Exit::NO } else { Exit::DONE };
    if json {
        for row in rows {
            let warnings = model.runs.get(&row.run).map(|run| run.course.warnings.as_slice()).unwrap_or_default();
            writeln!(out, "{}", row.to_json(warnings))?;
        }
        return Ok(found);
    }
    let mut table = Table::new(&["run", "state", "name", "done", "time", "left", "values", "curve", "warning", "note"]);
    for row in rows {
        let seconds = |d: Option<std::time::Duration>| {
            d.map_or_else(Cell::empty, |d| {
                Cell::shown(d.as_secs(), show_duration(std::time::Duration::from_secs(d.as_secs())))
            })
        };
        let done = row.done.map_or_else(Cell::empty, |part| Cell::from(format!("{:.0} %", part * 100.0)));
        table.row(vec![
            row.run.into(),
            row.state.as_str().into(),
            row.name.as_str().into(),
            done,
            seconds(row.elapsed),
            seconds(row.left),
            row.numbers().into(),
            row.curve.as_str().into(),
            row.warning.as_str().into(),
            row.note.as_str().into(),
        ]);
    }
    table.print(out, Format::detect(out))?;
    Ok(found)
}
