//! Tables with a header row, in columns of blanks (skorch, fastai, spaCy, Chainer, ultralytics), between bars, or as CSV
//! (by commas, semicolons or tabs). A header names a counter in its first column, or in any of a CSV; a row begins with a
//! whole number and has as many cells. Cells of a row that lacks some are told by where they stand below the header.

use super::head::Own;
use super::token::{Kind, Token, tokenize};
use super::words::{self, Counts, Plain};

#[derive(Debug)]
struct Column {
    name: String,
    from: usize,
    to: usize,
    counts: Option<Counts>,
}

/// How cells are parted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Parted {
    #[default]
    Blanks,
    Bars,
    By(u8),
}

/// The table in force, and its last row.
#[derive(Debug, Default)]
pub struct Table {
    columns: Vec<Column>,
    parted: Parted,
    /// The counters of the row
    pub own: Own,
    /// Name and number of each cell of the row
    pub cells: Vec<(usize, f64)>,
    spans: Vec<(usize, usize)>,
    tokens: Vec<Token>,
}

impl Table {
    /// Whether a header was seen.
    pub fn is_open(&self) -> bool {
        !self.columns.is_empty()
    }

    /// Whether the rows are records of a CSV.
    pub fn is_csv(&self) -> bool {
        self.is_open() && matches!(self.parted, Parted::By(_))
    }

    /// The name of a column.
    pub fn name(&self, column: usize) -> &str {
        self.columns.get(column).map(|c| c.name.as_str()).unwrap_or_default()
    }

    /// Takes a line as header if it is one.
    pub fn header(&mut self, line: &str) -> bool {
        let text = line.trim();
        if text.len() > 4000 || text.contains(['=', '{']) || text.is_empty() {
            return false;
        }
        let parted = if text.starts_with('|') && text.ends_with('|') {
            Parted::Bars
        } else {
            match [b',', b';', b'\t'].into_iter().find(|c| text.as_bytes().contains(c)) {
                Some(b'\t') if text.contains("  ") || text.contains(' ') && !text.starts_with("epoch\t") => {
                    Parted::Blanks
                }
                Some(c) => Parted::By(c),
                None => Parted::Blanks,
            }
        };
        let mut spans = Vec::new();
        cut(line, parted, &mut spans);
        let columns: Vec<Column> = spans.iter().map(|span| column(line, *span)).collect();
        let is_counter = |c: &Column| matches!(c.counts, Some(Counts::Epoch | Counts::Step));
        let first = columns.first().is_some_and(|c| is_counter(c) && c.to - c.from < 16 && c.name != "#");
        let counted = if matches!(parted, Parted::By(_)) { columns.iter().any(is_counter) } else { first };
        let named = columns.iter().all(|c| !c.name.is_empty() && !c.name.starts_with(|c: char| c.is_ascii_digit()));
        let plain = parted != Parted::By(b',') || !columns.iter().any(|c| c.name.contains(':'));
        let prose = parted == Parted::Blanks && columns.iter().any(|c| c.name.split(' ').any(words::is_verb));
        if prose || columns.len() < 2 || !counted || !named || !plain {
            return false;
        }
        self.columns = columns;
        self.parted = parted;
        true
    }

    /// Reads a line as a row. False: it is none.
    pub fn row(&mut self, line: &str) -> bool {
        self.cells.clear();
        self.own = Own::default();
        let mut spans = std::mem::take(&mut self.spans);
        cut(line, self.parted, &mut spans);
        let good = self.fill(line, &spans);
        self.spans = spans;
        good
    }

    fn fill(&mut self, line: &str, spans: &[(usize, usize)]) -> bool {
        let n = self.columns.len();
        let csv = matches!(self.parted, Parted::By(_));
        let barred = |span: &(usize, usize)| line.get(span.0..span.1).is_some_and(|cell| cell.contains(": "));
        let spans = match spans.get(..n) {
            Some(cells) if self.parted == Parted::Blanks && cells.last().is_some_and(barred) => cells,
            _ => spans,
        };
        if spans.len() > n || spans.is_empty() || (spans.len() < n && (csv || spans.len() * 2 < n)) {
            return false;
        }
        let whole = spans.len() == n;
        if whole && line.bytes().all(|b| matches!(b, b'-' | b'=' | b' ')) {
            // The ruler shows how wide the columns are.
            for (column, span) in self.columns.iter_mut().zip(spans.iter()) {
                (column.from, column.to) = *span;
            }
            return false;
        }
        let mut odd = 0;
        for (i, span) in spans.iter().enumerate() {
            let at = if whole { Some(i) } else { self.under(*span, i) };
            let Some(at) = at else { return false };
            let text = line.get(span.0..span.1).unwrap_or_default().trim().trim_matches('"');
            // What follows a colon is a progress bar.
            let text = if csv { text } else { text.split(": ").next().unwrap_or(text) };
            tokenize(text, &mut self.tokens);
            let token = match self.tokens.as_slice() {
                [one] if matches!(one.kind, Kind::Number | Kind::Ratio) => *one,
                _ => {
                    odd += usize::from(!text.is_empty());
                    continue;
                }
            };
            match self.columns.get(at).and_then(|c| c.counts) {
                // Chainer's elapsed time is a column like the others.
                Some(Counts::Nothing) | None if token.kind == Kind::Number => self.cells.push((at, token.value)),
                Some(Counts::Epoch) => self.own.epoch = self.own.epoch.or(Some(token.value)),
                Some(Counts::Step) => self.own.step = Some(token.value),
                Some(Counts::Batch) => self.own.batch = Some(token.value),
                _ => {}
            }
        }
        let counted = self.own.epoch.is_some() || self.own.step.is_some();
        counted && odd <= self.cells.len() && (csv || self.first_is_whole(line, spans))
    }

    /// Whether a row of a printed table begins with its counter.
    fn first_is_whole(&mut self, line: &str, spans: &[(usize, usize)]) -> bool {
        let text = spans.first().and_then(|s| line.get(s.0..s.1)).unwrap_or_default();
        tokenize(text.trim(), &mut self.tokens);
        matches!(self.tokens.as_slice(), [one] if one.whole || one.kind == Kind::Ratio)
    }

    /// The column a cell stands under.
    fn under(&self, span: (usize, usize), index: usize) -> Option<usize> {
        let overlap = |c: &Column| span.1.min(c.to) as isize - span.0.max(c.from) as isize;
        let best = (index..self.columns.len()).max_by_key(|i| self.columns.get(*i).map(overlap))?;
        (overlap(self.columns.get(best)?) > 0).then_some(best)
    }
}

fn column(line: &str, span: (usize, usize)) -> Column {
    let name = line.get(span.0..span.1).unwrap_or_default().trim().trim_matches('"').trim();
    Column { name: name.to_string(), from: span.0, to: span.1, counts: counts(name) }
}

fn counts(name: &str) -> Option<Counts> {
    match name {
        "E" | "Ep" => Some(Counts::Epoch),
        "#" | "Step" | "it" => Some(Counts::Step),
        _ => words::counts(Plain::of(name).str()).filter(|c| !matches!(c, Counts::StepOfEpoch)),
    }
}

/// The counter that a column with this heading holds; None: it holds something else.
pub fn counter_of(heading: &str) -> Option<&'static str> {
    match counts(heading)? {
        Counts::Epoch => Some("epoch"),
        Counts::Step => Some("step"),
        Counts::Batch => Some("batch"),
        _ => None,
    }
}

/// The spans of a line's cells.
fn cut(line: &str, parted: Parted, spans: &mut Vec<(usize, usize)>) {
    spans.clear();
    match parted {
        Parted::By(byte) => {
            let mut from = 0;
            let mut quoted = false;
            for (i, b) in line.bytes().enumerate().chain([(line.len(), byte)]) {
                quoted ^= b == b'"';
                if b == byte && !quoted || i == line.len() {
                    spans.push((from, i));
                    from = i + 1;
                }
                if spans.len() > 2000 {
                    return;
                }
            }
        }
        Parted::Bars => {
            let start = line.find('|').unwrap_or(0) + 1;
            let mut from = start;
            for (i, _) in line.match_indices('|').skip(1) {
                spans.push((from, i));
                from = i + 1;
            }
        }
        Parted::Blanks => by_blanks(line, spans),
    }
}

/// Cells parted by two blanks or a tab; by single blanks when no two stand together.
fn by_blanks(line: &str, spans: &mut Vec<(usize, usize)>) {
    let text = line.trim_end();
    let start = text.len() - text.trim_start().len();
    let inner = text.get(start..).unwrap_or_default();
    let wide = inner.contains("  ") || inner.contains('\t');
    let b = text.as_bytes();
    let is_blank = |i: usize| matches!(b.get(i), Some(b' ' | b'\t'));
    let mut at = start;
    while at < b.len() && spans.len() < 500 {
        let from = at;
        while at < b.len() {
            let two = is_blank(at) && (!wide || is_blank(at + 1) || b.get(at) == Some(&b'\t'));
            if two {
                break;
            }
            at += 1;
        }
        spans.push((from, at));
        while is_blank(at) {
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(lines: &str) -> Vec<String> {
        let mut table = Table::default();
        let mut shown = Vec::new();
        for line in lines.lines() {
            if table.is_open() && table.row(line) {
                let cells: Vec<_> = table.cells.iter().map(|(i, x)| format!("{}={x}", table.name(*i))).collect();
                let own = table.own;
                shown.push(format!("{:?} {:?} {}", own.epoch, own.step, cells.join(" ")));
            } else {
                table.header(line);
            }
        }
        shown
    }

    #[test]
    fn columns_and_csv() {
        let text = "  epoch    trn loss    cp    dur\n-------  ----------  ----  -----\n      1        2.11     +  0.02s\n      2        1.99        0.03s\nnote 3 4 5\n";
        assert_eq!(rows(text), ["Some(1.0) None trn loss=2.11 dur=0.02", "Some(2.0) None trn loss=1.99 dur=0.03"]);
        let text =
            "E    #       LOSS A  SCORE \n---  ------  ------------  ------\n  0      20          3.92    1.00\n";
        assert_eq!(rows(text), ["Some(0.0) Some(20.0) LOSS A=3.92 SCORE=1"]);
        let text = "epoch,loss,\"val acc\",time\n0,0.5,,00:01\n1,nan,0.5,00:01\n";
        assert_eq!(rows(text), ["Some(0.0) None loss=0.5", "Some(1.0) None loss=NaN val acc=0.5"]);
        let text = "| Epoch | Loss |\n|-------|------|\n| 1 | 0.5 |\n";
        assert_eq!(rows(text), ["Some(1.0) None Loss=0.5"]);
        let text = "      Epoch    GPU_mem   box_loss       Size\n        1/2         0G      6.522         64: 100% ━━━ 2/2 3.2it/s\n";
        assert_eq!(rows(text), ["Some(1.0) None GPU_mem=0 box_loss=6.522 Size=64"]);
        let text = "  epoch   box   img_size\n   0/2   0.5    640: 100%|███| 8/8 [00:03<00:00,  2.15it/s]\n";
        assert_eq!(rows(text), ["Some(0.0) None box=0.5 img_size=640"]);
        assert!(rows("epoch one is done\n1 2 3 4\n").is_empty());
        assert!(rows("a,b\n1,2\n").is_empty());
    }
}
