//! Tables as text: CSV after RFC 4180, TSV, and the semicolons of some spreadsheets. A row is its cells and the line it
//! begins at; a quoted cell may hold separators, doubled quotes and line ends. Lines end with LF, CR LF or, from
//! spreadsheets on a Macintosh, CR.

/// A row and the line it begins at.
#[derive(Debug, PartialEq)]
pub struct Row {
    /// From 1
    pub line: usize,
    /// Without the blanks around them
    pub cells: Vec<String>,
}

impl Row {
    /// The cell of a column; empty where the row is shorter.
    pub fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }

    /// Whether nothing stands in it.
    pub fn is_empty(&self) -> bool {
        self.cells.iter().all(String::is_empty)
    }
}

/// The character between cells: whichever of TAB, semicolon and comma the first line has most of.
pub fn separator(text: &str) -> char {
    let first = text.split(['\n', '\r']).next().unwrap_or_default();
    let count = |c: char| first.matches(c).count();
    [',', ';', '\t'].into_iter().max_by_key(|c| (count(*c), *c == ',')).unwrap_or(',')
}

/// All rows.
///
/// # Errors
/// The line, and a sentence: a quote is not closed.
pub fn parse(text: &str, separator: char) -> Result<Vec<Row>, (usize, String)> {
    let mut rows = Vec::new();
    let mut row = Row { line: 1, cells: Vec::new() };
    let (mut cell, mut line, mut opened) = (String::new(), 1, None);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let ends_line = c == '\n' || (c == '\r' && chars.peek() != Some(&'\n'));
        line += usize::from(ends_line);
        match c {
            '"' if opened.is_some() => match chars.next_if_eq(&'"') {
                Some(quote) => cell.push(quote),
                None => opened = None,
            },
            c if opened.is_some() => cell.push(c),
            '"' if cell.trim().is_empty() => {
                cell.clear();
                opened = Some(line);
            }
            _ if ends_line => {
                row.cells.push(take(&mut cell));
                rows.push(std::mem::replace(&mut row, Row { line, cells: Vec::new() }));
            }
            c if c == separator => row.cells.push(take(&mut cell)),
            c => cell.push(c),
        }
    }
    if let Some(line) = opened {
        return Err((line, "a quote (\") is not closed".into()));
    }
    if !cell.is_empty() || !row.cells.is_empty() {
        row.cells.push(take(&mut cell));
        rows.push(row);
    }
    Ok(rows)
}

fn take(cell: &mut String) -> String {
    let text = cell.trim().to_string();
    cell.clear();
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<Vec<String>> {
        parse(text, separator(text)).unwrap().into_iter().map(|row| row.cells).collect()
    }

    #[test]
    fn quotes_and_line_ends() {
        assert_eq!(cells("a,b\r\n1,\"x, \"\"y\"\"\r\nz\"\n"), [["a", "b"], ["1", "x, \"y\"\r\nz"]]);
        assert_eq!(cells("a\tb\n1, 2\t3"), [["a", "b"], ["1, 2", "3"]]);
        assert_eq!(cells("a;b\n0,1;2\n"), [["a", "b"], ["0,1", "2"]]);
        assert_eq!(cells("a,b\n,\n\n5\" disk,x"), [vec!["a", "b"], vec!["", ""], vec![""], vec!["5\" disk", "x"]]);
        assert_eq!(cells("a,b\r1;2,\"x\ry\"\r\r3,4"), [vec!["a", "b"], vec!["1;2", "x\ry"], vec![""], vec!["3", "4"]]);
        let rows = parse("a\n\"x\ny\"\nz", ',').unwrap();
        assert_eq!(rows.iter().map(|r| r.line).collect::<Vec<_>>(), [1, 2, 4]);
        assert_eq!(parse("a\nb,\"x\n", ',').unwrap_err().0, 2);
    }
}
