//! A chart as text: curves in braille, eight dots a character, or one character a cell where only ASCII is to be had.
//!
//! Laid out in cells like the other back ends lay out in pixels, from the same ranges, ticks and traces: y title, plot with
//! labels to its left, x labels, x title, legend. Where colours cannot tell the curves apart (none, or more
//! curves than colours), each carries its letter, a to z, at a few places, and the legend says which.

use super::chart::{Axis, Chart, Sign, Spot, Ticks, Trace, ticks, trace};
use super::font::cut_middle;
use crate::base::text::escape;

/// How the text is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// With escape sequences for colours.
    pub color: bool,
    /// With ASCII characters only.
    pub ascii: bool,
}

/// Colours of the 256-colour palette near those of the pictures; none is lost on black or on white.
const COLORS: [u8; 7] = [33, 202, 36, 175, 178, 75, 245];

/// The chart in at most this many columns and rows (at least 20 and 8 are taken). Every line ends with a newline.
pub fn text(chart: &Chart, columns: usize, rows: usize, style: Style) -> String {
    let (columns, rows) = (columns.max(20), rows.max(8));
    let letters = chart.series.len() > 1 && (!style.color || chart.series.len() > COLORS.len());
    let legend = legend(chart, columns, (rows / 3).max(1), style, letters);
    let heading = usize::from(!chart.title.is_empty());
    let x_title = usize::from(!chart.x_label.is_empty());
    let height = rows.saturating_sub(heading + 1 + 2 + x_title + legend.len()).max(3);
    let (_, y) = chart.axes(1.0, height as f64);
    let upright = ticks(&y, &|_| 1.0, if height > 14 && !chart.log_y { 2.0 } else { 1.0 });
    let left = upright.list.iter().map(|t| t.label.chars().count()).max().unwrap_or(0) + 1;
    let width = columns.saturating_sub(left + 1).max(5);
    let (x, _) = chart.axes(width as f64, 1.0);
    let level = ticks(&x, &|label| label.chars().count() as f64, 3.0);

    let mut canvas = Canvas::new(width, height, style.ascii);
    let across = Axis { length: (width * canvas.across) as f64 - 1.0, ..x };
    let up = Axis { length: (height * canvas.up) as f64 - 1.0, ..y };
    let apart = 2.0 * canvas.across as f64;
    let traces: Vec<Trace> = chart.series.iter().map(|s| trace(&s.points, &across, &up, apart)).collect();
    for (n, trace) in traces.iter().enumerate() {
        canvas.draw(n, chart.style_of(n).0, trace, letters);
    }

    let mut out = Vec::new();
    if heading > 0 {
        out.push(cut(&chart.title, columns, style));
    }
    let mut note = chart.footnote(traces.iter());
    if style.ascii {
        note = note.replace('×', "x").replace('▲', "^").replace('▼', "v");
    }
    let room = columns.saturating_sub(note.chars().count() + 2);
    let title = cut(&with_offset(&chart.y_label, &upright), room, style);
    let space = columns.saturating_sub(title.chars().count() + note.chars().count());
    out.push(if note.is_empty() { title } else { format!("{title}{:space$}{note}", "") });
    plot_rows(&mut out, &canvas, &y, &upright, left, style);
    x_rows(&mut out, &x, &level, (left, width), style);
    if x_title > 0 {
        let label = cut(&with_offset(&chart.x_label, &level), width, style);
        out.push(format!("{:>1$}{label}", "", left + 1 + (width - label.chars().count()) / 2));
    }
    out.extend(legend);
    out.iter().map(|line| line.trim_end().to_string() + "\n").collect()
}

fn with_offset(label: &str, ticks: &Ticks) -> String {
    match &ticks.offset {
        Some(offset) => format!("{label} - {offset}").trim().to_string(),
        None => label.to_string(),
    }
}

/// A text of others, made harmless and cut in the middle.
fn cut(text: &str, columns: usize, style: Style) -> String {
    let mut text = cut_middle(&escape(text), |t| t.chars().count() <= columns);
    if style.ascii {
        text = text
            .chars()
            .map(|c| {
                if c == '…' {
                    '~'
                } else if c.is_ascii() {
                    c
                } else {
                    '?'
                }
            })
            .collect();
    }
    text
}

pub(super) fn painted(text: &str, color: usize, style: Style) -> String {
    match COLORS.get(color % COLORS.len()) {
        Some(code) if style.color => format!("\x1b[38;5;{code}m{text}\x1b[0m"),
        _ => text.to_string(),
    }
}

/// The letter that stands for a curve; there are 52 before they repeat.
fn letter(n: usize) -> char {
    let index = (n % 52) as u8;
    char::from(if index < 26 { b'a' + index } else { b'A' + index - 26 })
}

/// The legend in columns, in at most this many lines.
fn legend(chart: &Chart, columns: usize, most: usize, style: Style, letters: bool) -> Vec<String> {
    let named: Vec<usize> = (0..chart.series.len()).filter(|n| !chart.series[*n].label.is_empty()).collect();
    if named.is_empty() {
        return Vec::new();
    }
    let label = |n: usize, room: usize| chart.series.get(n).map_or(String::new(), |s| cut(&s.label, room, style));
    let longest = named.iter().map(|n| label(*n, columns).chars().count()).max().unwrap_or(0);
    let share = if named.len() > 4 { columns / 2 } else { columns };
    let cell = (longest + 6).min(share).max(8);
    let across = (columns / cell).clamp(1, named.len());
    let room = most * across;
    let shown = if named.len() > room { room.saturating_sub(1) } else { named.len() };
    let down = (shown + usize::from(shown < named.len())).div_ceil(across).max(1);
    let mut lines = vec![String::new(); down];
    for (place, n) in named.iter().take(shown).enumerate() {
        let bar = if style.ascii { '-' } else { '─' };
        let middle = if letters || style.ascii { letter(*n) } else { bar };
        let sample = painted(&format!("{bar}{middle}{bar}"), chart.style_of(*n).0, style);
        let text = label(*n, cell - 6);
        let pad = cell - 4 - text.chars().count();
        lines[place % down] += &format!("{sample} {text}{:pad$}", "");
    }
    if shown < named.len() {
        lines[shown % down] += &format!("+ {} more", named.len() - shown);
    }
    lines
}

fn plot_rows(out: &mut Vec<String>, canvas: &Canvas, y: &Axis, upright: &Ticks, left: usize, style: Style) {
    let (tick, edge) = if style.ascii { ('+', '|') } else { ('┤', '│') };
    let mut labels = vec![None; canvas.height];
    for t in upright.list.iter().filter(|t| !t.label.is_empty()) {
        let row = (y.length - y.position(t.value)).floor().clamp(0.0, y.length - 1.0) as usize;
        if let Some(label) = labels.get_mut(row) {
            *label = Some(t.label.as_str());
        }
    }
    for (row, label) in labels.iter().enumerate() {
        let side = if label.is_some() { tick } else { edge };
        out.push(format!("{:>left$}{side}{}", label.unwrap_or(""), canvas.line(row, style)));
    }
}

fn x_rows(out: &mut Vec<String>, x: &Axis, level: &Ticks, (left, width): (usize, usize), style: Style) {
    let (corner, bar, tick) = if style.ascii { ('+', '-', '+') } else { ('└', '─', '┬') };
    let mut rule = vec![bar; width];
    let mut labels = vec![' '; left + 1 + width];
    for t in level.list.iter().filter(|t| !t.label.is_empty()) {
        let at = (x.position(t.value).floor() as usize).min(width.saturating_sub(1));
        if let Some(cell) = rule.get_mut(at) {
            *cell = tick;
        }
        let length = t.label.chars().count();
        let start = (left + 1 + at).saturating_sub(length / 2).min((left + 1 + width).saturating_sub(length));
        for (cell, c) in labels.iter_mut().skip(start).zip(t.label.chars()) {
            *cell = c;
        }
    }
    out.push(format!("{:left$}{corner}{}", "", rule.iter().collect::<String>()));
    out.push(labels.into_iter().collect());
}

#[derive(Clone, Copy, Default)]
struct Cell {
    dots: u8,
    mark: Option<char>,
    color: usize,
}

/// The plot in cells of `across` times `up` dots.
struct Canvas {
    width: usize,
    height: usize,
    across: usize,
    up: usize,
    cells: Vec<Cell>,
}

impl Canvas {
    fn new(width: usize, height: usize, ascii: bool) -> Canvas {
        let (across, up) = if ascii { (1, 1) } else { (2, 4) };
        Canvas { width, height, across, up, cells: vec![Cell::default(); width * height] }
    }

    fn cell(&mut self, x: usize, y: usize) -> Option<&mut Cell> {
        let (column, row) = (x / self.across, y / self.up);
        if column < self.width { self.cells.get_mut(row * self.width + column) } else { None }
    }

    fn draw(&mut self, n: usize, color: usize, trace: &Trace, letters: bool) {
        let own = if self.across == 1 { Some(letter(n)) } else { None };
        for piece in &trace.pieces {
            for (a, b) in piece.iter().zip(piece.iter().skip(1)) {
                self.line_between(*a, *b, color, own);
            }
        }
        for dot in &trace.dots {
            self.line_between(*dot, *dot, color, own);
        }
        if letters && self.across > 1 {
            self.letters(letter(n), n, trace);
        }
        for (at, sign) in &trace.marks {
            let ascii = self.across == 1;
            let (mark, row) = match sign {
                Sign::Nan => (if ascii { 'x' } else { '×' }, 0),
                Sign::Above => (if ascii { '^' } else { '▲' }, 0),
                Sign::Below => (if ascii { 'v' } else { '▼' }, (self.height * self.up).saturating_sub(1)),
            };
            if let Some(cell) = self.cell(at.max(0.0).round() as usize, row) {
                *cell = Cell { mark: Some(mark), color, ..*cell };
            }
        }
    }

    fn line_between(&mut self, a: Spot, b: Spot, color: usize, mark: Option<char>) {
        let steps = (b.0 - a.0).abs().max((b.1 - a.1).abs()).ceil().max(1.0) as usize;
        for step in 0..=steps {
            let t = step as f64 / steps as f64;
            let x = (a.0 + (b.0 - a.0) * t).round().max(0.0) as usize;
            let y = (a.1 + (b.1 - a.1) * t).round().max(0.0) as usize;
            let bit = DOT.get(y % 4).and_then(|row| row.get(x % 2)).copied().unwrap_or(1);
            if let Some(cell) = self.cell(x, y) {
                *cell = Cell { dots: cell.dots | bit, mark: mark.or(cell.mark), color };
            }
        }
    }

    /// Puts a curve's letter on it about every thirty cells, each curve at places of its own.
    fn letters(&mut self, letter: char, n: usize, trace: &Trace) {
        let spots: Vec<Spot> = trace.pieces.iter().flatten().chain(&trace.dots).copied().collect();
        let every = (30 * self.across) as f64;
        let mut next = ((n % 7) * 4 * self.across) as f64 + every / 5.0;
        let last = spots.last().map_or(0.0, |s| s.0);
        while next < last {
            let after = spots.iter().position(|s| s.0 >= next);
            let pair = after.and_then(|i| Some((spots.get(i.saturating_sub(1))?, spots.get(i)?)));
            if let Some((a, b)) = pair {
                let t = if b.0 > a.0 { ((next - a.0) / (b.0 - a.0)).clamp(0.0, 1.0) } else { 0.0 };
                let y = (a.1 + (b.1 - a.1) * t).round().max(0.0) as usize;
                self.put_letter(next as usize, y, letter, n);
            }
            next += every;
        }
        if let Some(end) = spots.last() {
            self.put_letter(end.0.round() as usize, end.1.round().max(0.0) as usize, letter, n);
        }
    }

    fn put_letter(&mut self, x: usize, y: usize, letter: char, color: usize) {
        if let Some(cell) = self.cell(x, y)
            && cell.mark.is_none()
        {
            *cell = Cell { mark: Some(letter), color, ..*cell };
        }
    }

    fn line(&self, row: usize, style: Style) -> String {
        let mut out = String::new();
        let cells = self.cells.iter().skip(row * self.width).take(self.width);
        for cell in cells {
            let shown = match cell.mark {
                Some(mark) => mark,
                None if cell.dots == 0 => ' ',
                None => char::from_u32(0x2800 + u32::from(cell.dots)).unwrap_or(' '),
            };
            if shown == ' ' { out.push(' ') } else { out += &painted(&shown.to_string(), cell.color, style) }
        }
        out
    }
}

/// Bits of the dots of a braille character: rows from the top, left and right.
const DOT: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

#[cfg(test)]
mod tests {
    use super::super::chart::Series;
    use super::*;

    fn chart(labels: &[&str]) -> Chart {
        let one = |(n, label): (usize, &&str)| Series {
            label: label.to_string(),
            points: (0..=20).map(|x| (f64::from(x), 10.0 / (1.0 + f64::from(x)) + n as f64)).collect(),
            ..Series::default()
        };
        let series = labels.iter().enumerate().map(one).collect();
        Chart { x_label: "epoch".into(), y_label: "cost".into(), series, ..Chart::default() }
    }

    #[test]
    fn a_falling_curve_in_braille() {
        let expected = "\
cost
 10┤⡆
   │⢸
   │ ⡇
  5┤ ⠸⡀
   │  ⠑⢄
   │    ⠉⠒⠤⢄⣀⣀
  0┤          ⠉⠉⠉⠉⠑⠒⠒⠒⠒⠒⠒⠒⠒⠒⠢⠤⠤⠤⠤⠤
   └┬──────┬───────┬──────┬──────┬
    0      5      10     15     20
                epoch
";
        let mut chart = chart(&[""]);
        chart.y_min = Some(0.0);
        let text = text(&chart, 34, 11, Style::default());
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn everything_fits_the_screen() {
        let long = "a-name-that-is-much-too-long-for-any-terminal-that-anybody-has";
        for labels in [&["a"][..], &["a", "b", "c"], &[long; 30]] {
            for (columns, rows) in [(80, 24), (20, 8), (200, 60), (40, 12)] {
                for ascii in [false, true] {
                    let text = text(&chart(labels), columns, rows, Style { ascii, color: false });
                    let lines: Vec<&str> = text.lines().collect();
                    assert!(lines.len() <= rows.max(9), "{columns}x{rows}:\n{text}");
                    assert!(lines.iter().all(|l| l.chars().count() <= columns), "{columns}x{rows}:\n{text}");
                    assert!(!ascii || text.is_ascii(), "{text}");
                }
            }
        }
    }

    #[test]
    fn colours_only_where_wanted_and_names_are_harmless() {
        let plain = text(&chart(&["x\x1b[31my", "z"]), 60, 16, Style::default());
        assert!(!plain.contains('\x1b') && plain.contains('a') && plain.contains('b'));
        let colored = text(&chart(&["x", "z"]), 60, 16, Style { color: true, ascii: false });
        assert!(colored.contains("\x1b[38;5;33m"));
    }
}
