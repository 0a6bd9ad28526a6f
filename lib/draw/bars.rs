//! Bars: one number a name and run, the greatest first, in text, PNG or SVG.
//!
//! Bars begin at zero, and go left where a number is negative; the number itself stands behind its bar. The part that all
//! names share is said once, in the heading. A picture is as high as it takes; where its height is given, what finds no
//! room is counted.

use super::chart::{Anchor, Item, PALETTE, Rgb, Scene};
use super::{font, raster, svg, term};
use crate::base::text::{escape, fit, width};
use crate::base::units::show_number;

const INK: Rgb = [51, 51, 51];
const PALE: Rgb = [110, 110, 110];
/// Parts of a column, from nothing to all of it.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
/// Highest picture in pixels.
const HIGHEST: usize = 10_000;

/// What to draw.
#[derive(Clone, Debug, Default)]
pub struct Bars {
    /// Heading
    pub title: String,
    /// The runs, if there are several
    pub runs: Vec<String>,
    /// A name, and its number in each run
    pub rows: Vec<(String, Vec<Option<f64>>)>,
}

impl Bars {
    /// Rows by their numbers in the first run, the greatest first, those without a number last.
    pub fn new(title: String, runs: Vec<String>, mut rows: Vec<(String, Vec<Option<f64>>)>) -> Bars {
        let key = |row: &(String, Vec<Option<f64>>)| row.1.iter().flatten().copied().find(|x| !x.is_nan());
        rows.sort_by(|a, b| match (key(a), key(b)) {
            (Some(a), Some(b)) => b.total_cmp(&a),
            (a, b) => b.is_some().cmp(&a.is_some()),
        });
        let shared = shared(rows.iter().map(|row| row.0.as_str()));
        rows.iter_mut().for_each(|row| drop(row.0.drain(..shared.len())));
        let title = if shared.is_empty() { title } else { format!("{} {title}", shared.trim_end_matches('/')) };
        Bars { title: title.trim().to_string(), runs, rows }
    }

    /// Whether there is a number at all.
    pub fn has_numbers(&self) -> bool {
        self.rows.iter().any(|row| row.1.iter().any(Option::is_some))
    }

    /// The least and the greatest number, with zero between them.
    fn range(&self) -> (f64, f64) {
        let finite = self.rows.iter().flat_map(|row| row.1.iter().flatten().copied()).filter(|x| x.is_finite());
        let (low, high) = finite.fold((0.0, 0.0), |(low, high): (f64, f64), x| (low.min(x), high.max(x)));
        if low == high { (0.0, 1.0) } else { (low, high) }
    }

    /// Lines of at most this many columns.
    pub fn render_text(&self, columns: usize, style: term::Style) -> String {
        let columns = columns.max(20);
        let names: Vec<String> = self.rows.iter().map(|row| escape(&row.0).into_owned()).collect();
        let left = names.iter().map(|name| width(name)).max().unwrap_or(0).min(columns / 3);
        let texts = |row: &(String, Vec<Option<f64>>)| row.1.iter().map(|x| number(*x)).collect::<Vec<_>>();
        let right = self.rows.iter().flat_map(texts).map(|text| text.len()).max().unwrap_or(0);
        let room = columns.saturating_sub(left + right + 2).max(4);
        let mut out = String::new();
        if !self.title.is_empty() {
            out += &format!("{}\n", fit(&escape(&self.title), columns));
        }
        for (n, run) in self.runs.iter().enumerate() {
            out += &format!(
                "{} {}\n",
                paint(n, if style.ascii { mark(n) } else { "█" }, style),
                fit(&escape(run), columns - 2)
            );
        }
        for (name, row) in names.iter().zip(&self.rows) {
            for (n, x) in row.1.iter().enumerate() {
                let name = if n == 0 { fit(name, left) } else { String::new() };
                let pad = " ".repeat(left - width(&name));
                let bar = self.bar(*x, room, n, style);
                out += &format!("{}{pad} {bar} {}\n", name, number(*x));
            }
        }
        out
    }

    /// A bar as text, without the blanks behind it.
    fn bar(&self, x: Option<f64>, room: usize, n: usize, style: term::Style) -> String {
        let (low, high) = self.range();
        let x = x.filter(|x| !x.is_nan()).unwrap_or(0.0).clamp(low, high);
        let eighths = |x: f64| (x / (high - low) * (room * 8) as f64).round() as usize;
        let (zero, length) = (eighths(-low), eighths(x.abs()));
        let full = |columns: usize| (if style.ascii { mark(n) } else { "█" }).repeat(columns);
        if x < 0.0 {
            let columns = length.div_ceil(8).min(zero / 8);
            return " ".repeat(zero / 8 - columns) + &paint(n, &full(columns), style);
        }
        let part = if style.ascii { if length % 8 >= 4 { mark(n) } else { "" } } else { EIGHTHS[length % 8] };
        // The smallest is still something.
        let part = if length == 0 && x > 0.0 { if style.ascii { mark(n) } else { EIGHTHS[1] } } else { part };
        " ".repeat(zero / 8) + &paint(n, &(full(length / 8) + part), style)
    }

    /// A PNG picture; without a height as high as it takes.
    pub fn render_png(&self, width: usize, height: Option<usize>) -> Vec<u8> {
        raster::png(&self.scene(width, height))
    }

    /// An SVG picture.
    pub fn render_svg(&self, width: usize, height: Option<usize>) -> String {
        svg::document(&self.scene(width, height))
    }

    fn scene(&self, width: usize, height: Option<usize>) -> Scene {
        let width = width.max(64);
        let scale = (width as f64 / 640.0).sqrt().clamp(0.85, 4.0);
        let (line, pad) = ((font::LINE * scale).round(), (8.0 * scale).round());
        let head = pad + line * (f64::from(u8::from(!self.title.is_empty())) * 1.25 + self.runs.len() as f64);
        let of_row = line * (self.rows.first().map_or(1, |row| row.1.len()).max(1) as f64) + line * 0.25;
        let whole = head + of_row * self.rows.len() as f64 + pad;
        let height = height.unwrap_or((whole.ceil() as usize).min(HIGHEST)).max(64);
        let fitting = ((height as f64 - head - pad) / of_row).max(0.0) as usize;
        let shown = if fitting >= self.rows.len() { self.rows.len() } else { fitting.saturating_sub(1) };
        let mut scene = Scene { width, height, scale, items: Vec::new() };
        let room = width as f64 - 2.0 * pad;
        let mut text = |at: (f64, f64), text: &str, anchor, color, bold, room: f64| {
            let text = font::fit(text, scale, room);
            scene.items.push(Item::Text { at: (at.0.round(), at.1.round()), text, anchor, color, bold });
        };
        let (cap, mut top) = (font::CAP * scale, pad);
        if !self.title.is_empty() {
            text((pad, top + cap), &self.title, Anchor::Start, INK, true, room);
            top += line * 1.25;
        }
        let mut shapes = Vec::new();
        for (n, run) in self.runs.iter().enumerate() {
            shapes.push(rectangle(pad, top, pad + cap, top + cap, n));
            text((pad + cap * 1.8, top + cap), run, Anchor::Start, PALE, false, room - cap * 2.0);
            top += line;
        }
        let wide = |texts: &mut dyn Iterator<Item = String>| texts.map(|t| font::width(&t, scale)).fold(0.0, f64::max);
        let left = wide(&mut self.rows.iter().map(|row| row.0.clone())).min(room * 0.35);
        let right = wide(&mut self.rows.iter().flat_map(|row| row.1.iter().map(|x| number(*x))));
        let begin = pad + left + pad * 0.75;
        let length = (width as f64 - begin - right - pad * 1.75).max(10.0);
        let (low, high) = self.range();
        let at = |x: f64| begin + (x - low) / (high - low) * length;
        for (name, numbers) in self.rows.iter().take(shown) {
            text((pad + left, top + cap + 1.0), name, Anchor::End, INK, false, left);
            for (n, x) in numbers.iter().enumerate() {
                let end = at(x.filter(|x| !x.is_nan()).unwrap_or(0.0).clamp(low, high));
                shapes.push(rectangle(at(0.0).min(end), top, at(0.0).max(end).max(at(0.0) + 1.0), top + line * 0.8, n));
                let behind = at(0.0).max(end) + pad * 0.5;
                text((behind, top + cap + 1.0), &number(*x), Anchor::Start, PALE, false, right + 1.0);
                top += line;
            }
            top += line * 0.25;
        }
        if shown < self.rows.len() {
            let more = format!("and {} more", self.rows.len() - shown);
            text((pad, top + cap), &more, Anchor::Start, PALE, false, room);
        }
        scene.items.extend(shapes);
        scene
    }
}

fn rectangle(left: f64, top: f64, right: f64, bottom: f64, n: usize) -> Item {
    let corners = vec![(left, top), (right, top), (right, bottom), (left, bottom)];
    Item::Shape { corners, color: PALETTE[n % PALETTE.len()] }
}

/// What stands for a run where there is no colour.
fn mark(n: usize) -> &'static str {
    ["#", "=", "*", "o", "+", "x", "%"][n % 7]
}

fn paint(n: usize, text: &str, style: term::Style) -> String {
    term::painted(text, n, style)
}

fn number(x: Option<f64>) -> String {
    // Four digits: more are not seen in a bar.
    x.map_or_else(|| "-".into(), |x| show_number(format!("{x:.3e}").parse().unwrap_or(x)))
}

/// What all names begin with, up to a slash.
fn shared<'a>(mut names: impl Iterator<Item = &'a str>) -> String {
    let Some(first) = names.next() else { return String::new() };
    let mut shared = first.rfind('/').map_or("", |at| first.get(..=at).unwrap_or_default());
    for name in names {
        while !name.starts_with(shared) {
            let above = shared.trim_end_matches('/');
            shared = above.rfind('/').map_or("", |at| above.get(..=at).unwrap_or_default());
        }
    }
    shared.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars(rows: &[(&str, f64)]) -> Bars {
        let rows = rows.iter().map(|(name, x)| (name.to_string(), vec![Some(*x)])).collect();
        Bars::new("17".into(), Vec::new(), rows)
    }

    #[test]
    fn text_is_sorted_and_begins_at_zero() {
        let style = term::Style { color: false, ascii: true };
        let found = bars(&[("error/a", 1.0), ("error/bb", 4.0), ("error/c", f64::NAN), ("error/d", 2.0)]);
        assert_eq!(found.render_text(20, style), "error 17\nbb ############# 4\nd  ####### 2\na  ### 1\nc   nan\n");
        let found = bars(&[("x", -2.0), ("y", 2.0)]);
        assert_eq!(found.render_text(20, style), "17\ny        ######## 2\nx ####### -2\n");
        assert!(bars(&[("a", 1e-9), ("b", 1.0)]).render_text(20, style).contains("a #"));
        let several = Bars::new(String::new(), vec!["1".into(), "2".into()], vec![("a".into(), vec![Some(1.0), None])]);
        assert_eq!(several.render_text(20, style), "# 1\n= 2\na ################ 1\n   -\n");
        let style = term::Style { color: false, ascii: false };
        assert!(bars(&[("a", 1.0), ("b", 0.53)]).render_text(20, style).contains("b ██████▉ 0.53"));
    }

    #[test]
    fn pictures_have_room_for_all_or_say_so() {
        let rows: Vec<(String, f64)> = (0..40).map(|n| (format!("e/{n}"), f64::from(n))).collect();
        let rows: Vec<(&str, f64)> = rows.iter().map(|(name, x)| (name.as_str(), *x)).collect();
        let found = bars(&rows);
        assert!(
            !found.render_svg(640, None).contains("more")
                && found.render_svg(640, None).matches("<polygon").count() == 40
        );
        assert!(found.render_svg(640, Some(200)).contains("and 33 more"));
        assert!(found.render_png(300, Some(64)).starts_with(b"\x89PNG"));
        assert_eq!(shared(["a/b/c", "a/b/d", "a/x"].into_iter()), "a/");
        assert_eq!(
            (shared(["a", "b"].into_iter()), shared(["x/a", "y/a"].into_iter())),
            (String::new(), String::new())
        );
    }
}
