//! A table with a heading, separated by tabs, commas or semicolons, as points: columns named like counters count, the others
//! are values. A cell that is empty or no number is left out. Quotes may stand around a cell, but a row is a line.

use nn::record::history::{COUNTERS, Point};

/// The longest line taken, in bytes; what is longer is no table.
const LONGEST: usize = 1 << 20;

/// A table that is being read.
pub struct Table {
    separator: char,
    columns: Vec<String>,
    line: Vec<u8>,
    is_heading: bool,
    point: Point,
}

impl Table {
    /// A table, if a file that begins so is one: the first line holds names only, the second as many cells, and a number.
    pub fn beginning(head: &[u8]) -> Option<Table> {
        let text = String::from_utf8_lossy(head);
        let mut lines = text.lines();
        let (first, second) = (lines.next()?, lines.next()?);
        let separator = ['\t', ',', ';'].into_iter().find(|s| first.contains(*s))?;
        let columns = cells(first.trim_start_matches('\u{feff}'), separator);
        let values = cells(second, separator);
        let names = columns.iter().all(|c| number(c).is_none() && !c.contains(['=', ':', '{']));
        // the second line may be cut where the head ends
        let whole = values.len() == columns.len() || text.len() >= 4096;
        if !names || !whole || !values.iter().any(|v| number(v).is_some()) {
            return None;
        }
        let columns = columns.into_iter().map(|c| c.trim().to_string()).collect();
        Some(Table { separator, columns, line: Vec::new(), is_heading: true, point: Point::new() })
    }

    /// The first column, if it is no counter.
    pub fn first_column(self) -> Option<String> {
        self.columns.into_iter().next().filter(|name| !COUNTERS.contains(&name.as_str()))
    }

    /// Reads a chunk.
    pub fn feed(&mut self, mut bytes: &[u8], each: &mut dyn FnMut(&Point)) {
        while let Some(end) = bytes.iter().position(|b| *b == b'\n') {
            let (line, rest) = bytes.split_at(end);
            self.line.extend_from_slice(line);
            self.row(each);
            bytes = rest.get(1..).unwrap_or_default();
        }
        if self.line.len() < LONGEST {
            self.line.extend_from_slice(bytes);
        }
    }

    /// The end of the table.
    pub fn finish(&mut self, each: &mut dyn FnMut(&Point)) {
        self.row(each);
    }

    fn row(&mut self, each: &mut dyn FnMut(&Point)) {
        let line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.is_heading) {
            return;
        }
        self.point.clear();
        let text = String::from_utf8_lossy(&line);
        for (name, cell) in self.columns.iter().zip(cells(text.trim_end_matches('\r'), self.separator)) {
            let Some(value) = number(&cell) else { continue };
            if COUNTERS.contains(&name.as_str()) {
                self.point.set_counter(name, value);
            } else if !name.is_empty() {
                self.point.push_value(name, value);
            }
        }
        if !self.point.is_empty() {
            each(&self.point);
        }
    }
}

fn number(cell: &str) -> Option<f64> {
    let cell = cell.trim();
    // a name such as "nan" or "inf" is a number too: so say the files
    if cell.is_empty() { None } else { cell.parse().ok() }
}

fn cells(line: &str, separator: char) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match cells.last_mut() {
            Some(_) if c == separator && !quoted => cells.push(String::new()),
            _ if c == '"' => quoted = !quoted,
            Some(cell) => cell.push(c),
            None => {}
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(Vec<String>, Option<String>)> {
        let mut table = Table::beginning(text.as_bytes())?;
        let mut rows = Vec::new();
        let mut show = |point: &Point| {
            let list = point.counters().chain(point.values());
            rows.push(list.map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join(" "));
        };
        for chunk in text.as_bytes().chunks(7) {
            table.feed(chunk, &mut show);
        }
        table.finish(&mut show);
        Some((rows, table.first_column()))
    }

    #[test]
    fn tables_are_read_and_logs_are_not() {
        let (rows, column) = read("epoch,\"a,b\",c\r\n1,0.5,\r\n2,,nan\n3,x,7").unwrap();
        assert_eq!(rows, ["epoch=1 a,b=0.5", "epoch=2 c=NaN", "epoch=3 c=7"]);
        assert_eq!(column, None);
        assert_eq!(read("x\ty\n1\t2\n").unwrap(), (vec!["x=1 y=2".to_string()], Some("x".to_string())));
        assert!(read("Epoch 1, loss 0.5\nEpoch 2, loss 0.4\n").is_none());
        assert!(read("1,2\n3,4\n").is_none() && read("a,b\n").is_none() && read("").is_none());
    }
}
