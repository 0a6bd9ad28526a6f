//! Records as text: an aligned table with headings for people, TAB-separated lines for the next program, JSON lines, CSV
//! (RFC 4180) or Markdown. One table, one way to fill it; the format only decides how cells are written.

use super::cli::Out;
use super::error::Result;
use super::json::{self, Value};
use super::text::{escape, fit, width};
use super::time::Time;
use super::units::show_number;

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns under headings, cut to the terminal
    Screen,
    /// TAB-separated, no headings
    Tsv,
    /// One JSON object a line
    Json,
    /// Comma-separated with a heading line
    Csv,
    /// A Markdown table
    Markdown,
}

impl Format {
    /// Screen on a terminal, else Tsv.
    pub fn detect(out: &Out) -> Format {
        if out.is_terminal() { Format::Screen } else { Format::Tsv }
    }
}

/// One cell: what it means, and how people see it.
#[derive(Clone, Debug)]
pub struct Cell {
    value: Value,
    /// What people see, when it is not what the value prints as.
    shown: Option<String>,
}

impl Cell {
    /// A value that people see in another form than programs.
    pub fn shown(value: impl Into<Value>, shown: impl Into<String>) -> Cell {
        Cell { value: value.into(), shown: Some(shown.into()) }
    }

    /// Nothing.
    pub fn empty() -> Cell {
        Cell { value: Value::Null, shown: None }
    }

    /// The value.
    pub fn value(&self) -> &Value {
        &self.value
    }

    fn text(&self, format: Format) -> String {
        let text = match (&self.shown, &self.value) {
            (Some(shown), _) if matches!(format, Format::Screen | Format::Markdown) => shown.clone(),
            (_, Value::Num(x)) => show_number(*x),
            (_, value) => value.as_num().filter(|x| !x.is_finite()).map_or_else(|| value.plain(), show_number),
        };
        if format == Format::Csv { text } else { escape(&text).into_owned() }
    }

    fn is_number(&self) -> bool {
        self.value.as_num().is_some()
    }
}

impl<T: Into<Value>> From<T> for Cell {
    fn from(value: T) -> Cell {
        Cell { value: value.into(), shown: None }
    }
}

/// A time: local for people, RFC 3339 for programs.
pub fn time_cell(time: Time) -> Cell {
    Cell::shown(time, time.local())
}

/// Headings and rows.
#[derive(Clone, Debug)]
pub struct Table {
    headings: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty table.
    pub fn new<S: Into<String> + Clone>(headings: &[S]) -> Table {
        Table { headings: headings.iter().cloned().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Adds a row: a cell a heading (missing ones are empty).
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Writes it.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn print(&self, out: &mut Out, format: Format) -> Result<()> {
        match format {
            Format::Screen => self.screen(out),
            Format::Tsv => self.tsv(out),
            Format::Json => self.json(out),
            Format::Csv => self.csv(out),
            Format::Markdown => self.markdown(out),
        }
    }

    fn texts(&self, format: Format) -> Vec<Vec<String>> {
        self.rows.iter().map(|row| row.iter().map(|cell| cell.text(format)).collect()).collect()
    }

    fn screen(&self, out: &mut Out) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let texts = self.texts(Format::Screen);
        let columns = self.headings.len();
        let right: Vec<bool> = (0..columns)
            .map(|i| {
                let mut cells = self.rows.iter().filter_map(|r| r.get(i)).filter(|c| c.value != Value::Null).peekable();
                cells.peek().is_some() && cells.all(Cell::is_number)
            })
            .collect();
        let widths = self.widths(&texts, out.terminal_size().map(|(columns, _)| columns));
        let headings: Vec<String> = self.headings.iter().map(|h| escape(h).into_owned()).collect();
        for row in std::iter::once(&headings).chain(&texts) {
            let mut line = String::new();
            for (i, &w) in widths.iter().enumerate() {
                let text = fit(row.get(i).map_or("", String::as_str), w);
                let pad = " ".repeat(w - width(&text));
                let gap = if i == 0 { "" } else { "  " };
                if right[i] {
                    line.extend([gap, &pad, &text]);
                } else {
                    line.extend([gap, &text, &pad]);
                }
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    /// Column widths; when the terminal is too narrow, the widest columns give first.
    fn widths(&self, texts: &[Vec<String>], terminal: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = self.headings.iter().map(|h| width(&escape(h))).collect();
        for row in texts {
            for (w, text) in widths.iter_mut().zip(row) {
                *w = (*w).max(width(text));
            }
        }
        let Some(limit) = terminal else { return widths };
        let mut total = widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
        while total > limit {
            match widths.iter_mut().max() {
                Some(widest) if *widest > 8 => *widest -= 1,
                _ => break,
            }
            total -= 1;
        }
        widths
    }

    fn tsv(&self, out: &mut Out) -> Result<()> {
        for row in self.texts(Format::Tsv) {
            writeln!(out, "{}", row.join("\t"))?;
        }
        Ok(())
    }

    fn json(&self, out: &mut Out) -> Result<()> {
        for row in &self.rows {
            let members = self.headings.iter().cloned().zip(row.iter().map(|cell| cell.value.clone()));
            writeln!(out, "{}", json::map(members))?;
        }
        Ok(())
    }

    fn csv(&self, out: &mut Out) -> Result<()> {
        for row in std::iter::once(&self.headings).chain(&self.texts(Format::Csv)) {
            let fields: Vec<String> = row.iter().map(|text| csv_field(text)).collect();
            writeln!(out, "{}", fields.join(","))?;
        }
        Ok(())
    }

    fn markdown(&self, out: &mut Out) -> Result<()> {
        let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
        let escaped = |cells: &[String]| cells.iter().map(|c| c.replace('|', "\\|")).collect::<Vec<_>>();
        writeln!(out, "{}", line(&escaped(&self.headings)))?;
        writeln!(out, "{}", line(&vec!["---".to_string(); self.headings.len()]))?;
        for row in self.texts(Format::Markdown) {
            writeln!(out, "{}", line(&escaped(&row)))?;
        }
        Ok(())
    }
}

/// A field of CSV, quoted where it must be, RFC 4180.
pub fn csv_field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_string() }
}
