//! The columns of the overview: as wide as what is in them, so that at the width of the terminal there is room for the
//! values, which matter most. On a narrow one the curve goes first, then the times, then what is done.

use crate::row::Row;
use nn::base::text::{escape, fit, width};
use nn::base::time::show_duration;
use std::time::Duration;

/// The widest curve.
pub const CURVE: usize = 16;
/// Columns that are kept for values and what is said of a run.
const VALUES: usize = 24;
const HEADINGS: [&str; 7] = ["run", "state", "name", "done", "time", "left", "curve"];
const REST: &str = "values, and what is said of it";

/// Widths of the columns before the last; 0: not shown.
pub struct Layout {
    widths: [usize; 7],
}

impl Layout {
    /// For these rows, on a terminal of so many columns.
    pub fn of(rows: &[Row], columns: usize) -> Layout {
        let mut widths = HEADINGS.map(str::len);
        for row in rows {
            for (widest, cell) in widths.iter_mut().zip(cells(row)) {
                *widest = (*widest).max(width(&cell));
            }
        }
        widths[2] = widths[2].min((columns / 5).max(8));
        let mut layout = Layout { widths };
        // What is dropped for room, the least telling first: half of the curve, all of it, left, time, done.
        for (column, least) in [(6, CURVE / 2), (6, 0), (5, 0), (4, 0), (3, 0)] {
            if layout.used() + VALUES > columns {
                layout.widths[column] = layout.widths[column].min(least);
            }
        }
        layout
    }

    fn used(&self) -> usize {
        self.widths.iter().filter(|width| **width > 0).map(|width| width + 1).sum()
    }

    /// The line above the rows, over the whole width.
    pub fn heading(&self, columns: usize) -> String {
        let line = fit(&self.columns(HEADINGS.map(String::from), REST), columns);
        let space = columns.saturating_sub(width(&line));
        format!("{line}{:space$}", "")
    }

    /// A row.
    pub fn line(&self, row: &Row, columns: usize) -> String {
        let said = [row.warning.as_str(), row.note.as_str()].into_iter().find(|text| !text.is_empty());
        let mut rest = row.numbers();
        if let Some(said) = said {
            rest = if rest.is_empty() { said.to_string() } else { format!("{rest}  {said}") };
        }
        fit(&self.columns(cells(row), &escape(&rest)), columns)
    }

    fn columns(&self, cells: [String; 7], rest: &str) -> String {
        let mut line = String::new();
        for (i, (cell, most)) in cells.iter().zip(self.widths).enumerate().filter(|(_, (_, width))| *width > 0) {
            let cell = if i == 6 { shorter(cell, most) } else { fit(cell, most) };
            let space = " ".repeat(most.saturating_sub(width(&cell)));
            // Numbers stand to the right.
            let is_number = matches!(i, 0 | 3 | 4 | 5);
            let [first, second] = if is_number { [&space, &cell] } else { [&cell, &space] };
            line += &format!("{first}{second} ");
        }
        line + rest
    }
}

fn cells(row: &Row) -> [String; 7] {
    let time = |d: Option<Duration>| d.map(|d| show_duration(Duration::from_secs(d.as_secs()))).unwrap_or_default();
    let done = row.done.map(|part| format!("{:.0} %", part * 100.0)).unwrap_or_default();
    [
        row.run.to_string(),
        row.state.clone(),
        escape(&row.name).into_owned(),
        done,
        time(row.elapsed),
        time(row.left),
        row.curve.clone(),
    ]
}

/// A curve in fewer columns: every second one, or third.
fn shorter(curve: &str, columns: usize) -> String {
    let step = curve.chars().count().div_ceil(columns.max(1)).max(1);
    // The last is how it stands: counted from the end.
    let kept: Vec<char> = curve.chars().rev().step_by(step).collect();
    kept.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str) -> Row {
        let time = |s| Some(Duration::from_secs(s));
        Row {
            run: 12,
            state: "running".into(),
            name: name.into(),
            group: String::new(),
            done: Some(0.4),
            elapsed: time(75),
            left: time(3600),
            at: vec![("epoch".into(), 4.0)],
            values: vec![("valid_cost".into(), 0.25)],
            curve: "▁▂▃▄▅▆▇█▁▂▃▄▅▆▇█".into(),
            warning: String::new(),
            note: String::new(),
        }
    }

    #[test]
    fn there_is_room_for_values_at_any_width() {
        for name in ["tanh", "日本語の長い名前です", "a\x1b[2Jb", &"x".repeat(200)] {
            let rows = [row(name)];
            for columns in 1..220 {
                let layout = Layout::of(&rows, columns);
                let (line, heading) = (layout.line(&rows[0], columns), layout.heading(columns));
                assert!(width(&line) <= columns && width(&heading) == columns, "{columns}: {line}");
                assert!(!line.contains('\x1b'));
                assert!(columns < 40 || line.contains("epoch=4 valid"), "{columns}: {line}");
                assert!(columns < 100 || line.contains("▁▂▃▄▅▆▇█▁▂▃▄▅▆▇█"), "{columns}: {line}");
            }
        }
        assert_eq!(shorter("▁▂▃▄▅", 2), "▂▅");
    }
}
