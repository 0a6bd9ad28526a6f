//! A chart laid out as lines, shapes and texts at places in pixels.
//!
//! From the top: title, y title (level, above its axis), plot, x labels, x title, legend. The legend stands inside the
//! plot where a corner is free of curves; otherwise below, in columns, never taking more than a third of the height: what
//! finds no room is counted. Texts are cut in the middle to the room they have. Colours are those of Okabe and Ito, which
//! colour-blind people tell apart, less yellow, which is faint on white; then dash patterns distinguish.

use super::trace::{Sign, Spot, Trace, trace};
use super::{Axis, Chart, Ticks, ticks};
use crate::draw::font;

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// How many colours there are before they repeat.
pub const COLORS: usize = PALETTE.len();

/// The colours, in the order of their use.
pub const PALETTE: [Rgb; 7] =
    [[0, 114, 178], [213, 94, 0], [0, 158, 115], [204, 121, 167], [230, 159, 0], [86, 180, 233], [40, 40, 40]];
const DASHES: [&[f64]; 5] = [&[], &[7.0, 3.5], &[1.5, 3.0], &[9.0, 3.0, 1.5, 3.0], &[14.0, 4.0]];

const INK: Rgb = [51, 51, 51];
const PALE: Rgb = [110, 110, 110];
const GRID: Rgb = [228, 228, 228];
const FRAME: Rgb = [130, 130, 130];
const WHITE: Rgb = [255, 255, 255];

/// Which part of a text stands at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Its beginning.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

/// One thing to draw.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// Lines of one colour; where they cross each other they do not darken.
    Lines {
        /// Each a row of places that are connected.
        pieces: Vec<Vec<Spot>>,
        /// Colour.
        color: Rgb,
        /// Thickness in pixels.
        width: f64,
        /// Lengths of dashes and gaps in turn, in pixels; empty for a solid line.
        dash: Vec<f64>,
        /// What it shows, if it is a curve.
        name: String,
    },
    /// A filled polygon.
    Shape {
        /// Its corners.
        corners: Vec<Spot>,
        /// Colour.
        color: Rgb,
    },
    /// A line of text.
    Text {
        /// Where `anchor` and the base line are.
        at: Spot,
        /// The text.
        text: String,
        /// Which part stands at `at`.
        anchor: Anchor,
        /// Colour.
        color: Rgb,
        /// True for headings.
        bold: bool,
    },
}

/// A chart laid out.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Size of texts and lines: 1 for a picture of 640x400.
    pub scale: f64,
    /// What to draw, in order.
    pub items: Vec<Item>,
}

/// A rectangle: left, top, width, height.
#[derive(Clone, Copy, Debug)]
struct Area {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

/// Where the legend is and how its entries stand.
struct Legend {
    entries: Vec<(usize, String)>,
    columns: usize,
    column_width: f64,
    more: usize,
}

impl Legend {
    fn rows(&self) -> usize {
        (self.entries.len() + usize::from(self.more > 0)).div_ceil(self.columns.max(1))
    }
}

impl Scene {
    /// Lays out `chart` in a picture of this size (at least 64 pixels each way are taken).
    pub fn of(chart: &Chart, width: usize, height: usize) -> Scene {
        let (width, height) = (width.max(64), height.max(64));
        let scale = (width as f64 / 640.0).min(height as f64 / 400.0).sqrt().clamp(0.85, 4.0);
        let mut scene = Scene { width, height, scale, items: Vec::new() };
        let inside = scene.legend(chart, true);
        let area = scene.plot_area(chart, 0);
        if let Some(legend) = inside {
            let traces = scene.traces(chart, area);
            if let Some(corner) = scene.free_corner(&legend, area, &traces) {
                scene.draw(chart, area, &traces);
                scene.draw_legend(chart, &legend, corner);
                return scene;
            }
        }
        let below = scene.legend(chart, false);
        let rows = below.as_ref().map_or(0, Legend::rows);
        let area = scene.plot_area(chart, rows);
        let traces = scene.traces(chart, area);
        scene.draw(chart, area, &traces);
        if let Some(legend) = below {
            let top = height as f64 - scene.pad() - rows as f64 * scene.line();
            scene.draw_legend(chart, &legend, (scene.pad(), top));
        }
        scene
    }

    fn line(&self) -> f64 {
        (font::LINE * self.scale).round()
    }

    fn pad(&self) -> f64 {
        (8.0 * self.scale).round()
    }

    fn text_width(&self, text: &str) -> f64 {
        font::width(text, self.scale)
    }

    /// The ticks of an upright axis of this many pixels.
    fn upright(&self, chart: &Chart, height: f64) -> Ticks {
        let line = self.line();
        ticks(&chart.axes(1.0, height).1, &|_| line, line * if chart.log_y { 0.3 } else { 0.9 })
    }

    fn level(&self, axis: &Axis) -> Ticks {
        ticks(axis, &|label| self.text_width(label), 18.0 * self.scale)
    }

    fn plot_area(&self, chart: &Chart, legend_rows: usize) -> Area {
        let (line, pad) = (self.line(), self.pad());
        let heading = if chart.title.is_empty() { 0.0 } else { line * 1.25 };
        let top = pad + heading + line * 1.2;
        let title = if chart.x_label.is_empty() { 0.0 } else { line };
        let legend = if legend_rows > 0 { legend_rows as f64 * line + pad * 0.5 } else { 0.0 };
        let bottom = self.height as f64 - pad - legend - title - line - pad * 0.5;
        let height = (bottom - top).max(10.0).round();
        let labels = self.upright(chart, height);
        let widest = labels.list.iter().map(|t| self.text_width(&t.label)).fold(0.0, f64::max);
        let left = (pad + widest + 6.0 * self.scale).round();
        // half of the last x label reaches over the right end
        let x = chart.axes((self.width as f64 - left - pad).max(10.0), 1.0).0;
        let over = self
            .level(&x)
            .list
            .last()
            .map_or(0.0, |t| x.position(t.value) + self.text_width(&t.label) / 2.0 - x.length);
        let width = (self.width as f64 - left - pad - over.max(0.0)).max(10.0).round();
        Area { left, top: top.round(), width, height }
    }

    fn traces(&self, chart: &Chart, area: Area) -> Vec<[Trace; 2]> {
        let (x, y) = chart.axes(area.width, area.height);
        let one = |points: &[(f64, f64)]| trace(points, &x, &y, 10.0 * self.scale);
        chart.series.iter().map(|s| [one(&s.points), one(&s.behind)]).collect()
    }

    /// The legend's entries: for inside the plot, or for below it. `None` if there is nothing to say, or no room inside.
    fn legend(&self, chart: &Chart, inside: bool) -> Option<Legend> {
        let named: Vec<(usize, &str)> =
            chart.series.iter().enumerate().map(|(n, s)| (n, s.label.as_str())).filter(|s| !s.1.is_empty()).collect();
        let around = self.swatch() + 14.0 * self.scale;
        let room = if inside { self.width as f64 * 0.45 } else { self.width as f64 - 2.0 * self.pad() };
        let widest = named.iter().map(|s| self.text_width(s.1)).fold(0.0, f64::max);
        if named.is_empty() || inside && (named.len() > 8 || widest + around > room) {
            return None;
        }
        // many entries: at least two columns, the longest names cut
        let share = if named.len() > 4 && !inside { room / 2.0 } else { room };
        let column_width = (widest + around).ceil().min(share).max(1.0);
        let columns = if inside { 1 } else { ((room / column_width) as usize).clamp(1, named.len()) };
        let rows = if inside { named.len() } else { ((self.height as f64 / 3.2 / self.line()) as usize).max(1) };
        let shown = if named.len() > rows * columns { rows * columns - 1 } else { named.len() };
        let text = |label: &str| font::fit(label, self.scale, column_width - around + 0.01);
        let entries = named.iter().take(shown).map(|(n, label)| (*n, text(label))).collect();
        Some(Legend { entries, columns, column_width, more: named.len() - shown })
    }

    fn swatch(&self) -> f64 {
        24.0 * self.scale
    }

    /// Where a legend fits into the plot without touching a curve: its left upper corner.
    fn free_corner(&self, legend: &Legend, area: Area, traces: &[[Trace; 2]]) -> Option<Spot> {
        let edge = 8.0 * self.scale;
        let (width, height) = (legend.column_width + edge, legend.rows() as f64 * self.line() + edge);
        if height > area.height * 0.6 {
            return None;
        }
        let (right, low) = (area.width - width - edge, area.height - height - edge);
        let middle = (area.width - width) / 2.0;
        let corners = [(right, edge), (right, low), (edge, edge), (edge, low), (middle, edge), (middle, low)];
        let free = |corner: &&Spot| {
            let (a, b) = ((corner.0 - edge / 2.0, corner.1 - edge / 2.0), (corner.0 + width, corner.1 + height));
            traces.iter().flatten().all(|t| {
                let dots = t.dots.iter().all(|d| d.0 < a.0 || d.0 > b.0 || d.1 < a.1 || d.1 > b.1);
                let marks = t.marks.iter().all(|m| {
                    let far = edge * 1.5;
                    m.0 < a.0 - edge
                        || m.0 > b.0 + edge
                        || if m.1 == Sign::Below { b.1 < area.height - far } else { a.1 > far }
                });
                let touches = |p: &Vec<Spot>| p.iter().zip(p.iter().skip(1)).any(|(p, q)| crosses(*p, *q, a, b));
                dots && marks && !t.pieces.iter().any(touches)
            })
        };
        corners.iter().find(free).map(|c| (area.left + c.0 + edge / 2.0, area.top + c.1 + edge / 2.0))
    }

    fn draw(&mut self, chart: &Chart, area: Area, traces: &[[Trace; 2]]) {
        let (x, y) = chart.axes(area.width, area.height);
        let (level, upright) = (self.level(&x), self.upright(chart, area.height));
        self.draw_axes(area, (&x, &level), (&y, &upright));
        self.draw_titles(chart, area, &level, &upright, traces);
        let number = chart.series.len();
        let thickness = if number <= 8 {
            1.7
        } else if number <= 20 {
            1.4
        } else {
            1.1
        } * self.scale;
        for (n, [_, behind]) in traces.iter().enumerate() {
            self.draw_curve(chart, area, n, behind, (thickness * 0.7, 0.28));
        }
        for (n, [front, _]) in traces.iter().enumerate() {
            self.draw_curve(chart, area, n, front, (thickness, 1.0));
        }
    }

    /// A text, cut in the middle if it is wider than `room`.
    fn text(&mut self, at: Spot, text: &str, anchor: Anchor, color: Rgb, room: f64) {
        let text = font::fit(text, self.scale, room);
        self.items.push(Item::Text { at: (at.0.round(), at.1.round()), text, anchor, color, bold: false });
    }

    fn rule(&mut self, from: Spot, to: Spot, color: Rgb) {
        let width = self.scale.round().max(1.0);
        // odd widths are sharp in the middle of a pixel, even ones between two
        let shift = if width % 2.0 == 1.0 { 0.5 } else { 0.0 };
        let sharp = |s: Spot| (s.0.round() + shift, s.1.round() + shift);
        let pieces = vec![vec![sharp(from), sharp(to)]];
        self.items.push(Item::Lines { pieces, color, width, dash: Vec::new(), name: String::new() });
    }

    fn draw_axes(&mut self, area: Area, level: (&Axis, &Ticks), upright: (&Axis, &Ticks)) {
        let (right, bottom) = (area.left + area.width, area.top + area.height);
        let tick = 4.0 * self.scale;
        for t in upright.1.list.iter().rev() {
            let y = bottom - upright.0.position(t.value);
            if t.label.is_empty() {
                self.rule((area.left - tick * 0.5, y), (area.left, y), FRAME);
                continue;
            }
            self.rule((area.left, y), (right, y), GRID);
            self.rule((area.left - tick, y), (area.left, y), FRAME);
            let base = y + (font::CAP * self.scale / 2.0).round();
            self.text((area.left - tick - 2.0 * self.scale, base), &t.label, Anchor::End, INK, area.left);
        }
        for t in &level.1.list {
            let x = area.left + level.0.position(t.value);
            self.rule((x, area.top), (x, bottom), GRID);
            self.rule((x, bottom), (x, bottom + tick), FRAME);
            self.text((x, bottom + tick + font::CAP * self.scale + 3.0), &t.label, Anchor::Middle, INK, area.width);
        }
        self.rule((area.left, area.top), (area.left, bottom), FRAME);
        self.rule((area.left, bottom), (right, bottom), FRAME);
    }

    fn draw_titles(&mut self, chart: &Chart, area: Area, level: &Ticks, upright: &Ticks, traces: &[[Trace; 2]]) {
        let (pad, line) = (self.pad(), self.line());
        let room = self.width as f64 - 2.0 * pad;
        let title = font::fit(&chart.title, self.scale, room);
        if !title.is_empty() {
            let at = (pad, (pad + font::CAP * self.scale).round());
            self.items.push(Item::Text { at, text: title, anchor: Anchor::Start, color: INK, bold: true });
        }
        let with_offset = |label: &str, ticks: &Ticks| match &ticks.offset {
            Some(offset) => format!("{label} - {offset}").trim().to_string(),
            None => label.to_string(),
        };
        let note = chart.footnote(traces.iter().map(|t| &t[0]));
        let above = area.top - (line * 0.45).round();
        let right = self.width as f64 - pad;
        self.text((right, above), &note, Anchor::End, PALE, room / 2.0);
        let rest = room - self.text_width(&note).min(room / 2.0) - pad;
        self.text((pad, above), &with_offset(&chart.y_label, upright), Anchor::Start, PALE, rest);
        let below = area.top + area.height + 2.0 * line + 1.0;
        let middle = area.left + area.width / 2.0;
        self.text((middle, below), &with_offset(&chart.x_label, level), Anchor::Middle, PALE, room);
    }

    fn draw_curve(&mut self, chart: &Chart, area: Area, n: usize, trace: &Trace, (thickness, strength): (f64, f64)) {
        let (color, dash) = self.look(chart, n);
        let color = color.map(|c| (255.0 - (255.0 - f64::from(c)) * strength).round() as u8);
        let moved = |s: &Spot| (area.left + s.0, area.top + s.1);
        let pieces: Vec<Vec<Spot>> = trace.pieces.iter().map(|p| p.iter().map(moved).collect()).collect();
        if !pieces.is_empty() {
            let name = chart.series.get(n).map_or(String::new(), |s| s.label.clone());
            self.items.push(Item::Lines { pieces, color, width: thickness, dash, name });
        }
        let r = 1.6 * thickness;
        for (x, y) in trace.dots.iter().map(moved) {
            let corners = (0..12).map(|i| (f64::from(i) / 6.0 * std::f64::consts::PI).sin_cos());
            self.items.push(Item::Shape { corners: corners.map(|(s, c)| (x + r * c, y + r * s)).collect(), color });
        }
        if strength < 1.0 {
            return;
        }
        let r = 3.5 * self.scale;
        for (at, sign) in &trace.marks {
            let x = area.left + at;
            let (top, bottom) = (area.top, area.top + area.height);
            match sign {
                Sign::Nan => {
                    let y = top + r + 1.0;
                    let pieces = vec![vec![(x - r, y - r), (x + r, y + r)], vec![(x - r, y + r), (x + r, y - r)]];
                    let width = 1.8 * self.scale;
                    self.items.push(Item::Lines { pieces, color, width, dash: Vec::new(), name: String::new() });
                }
                Sign::Above => {
                    let corners = vec![(x - r, top + 2.0 * r), (x + r, top + 2.0 * r), (x, top)];
                    self.items.push(Item::Shape { corners, color });
                }
                Sign::Below => {
                    let corners = vec![(x - r, bottom - 2.0 * r), (x + r, bottom - 2.0 * r), (x, bottom)];
                    self.items.push(Item::Shape { corners, color });
                }
            }
        }
    }

    fn look(&self, chart: &Chart, n: usize) -> (Rgb, Vec<f64>) {
        let (color, dash) = chart.style_of(n);
        let pattern = DASHES.get(dash % DASHES.len()).copied().unwrap_or(&[]);
        let color = PALETTE.get(color % COLORS).copied().unwrap_or(INK);
        (color, pattern.iter().map(|d| d * self.scale).collect())
    }

    fn draw_legend(&mut self, chart: &Chart, legend: &Legend, (left, top): Spot) {
        let (line, swatch) = (self.line(), self.swatch());
        if legend.columns == 1 && legend.more == 0 && top < self.height as f64 - 3.0 * line {
            let (right, bottom) = (left + legend.column_width, top + legend.rows() as f64 * line + 2.0);
            let corners = vec![(left - 3.0, top - 3.0), (right, top - 3.0), (right, bottom), (left - 3.0, bottom)];
            self.items.push(Item::Shape { corners, color: WHITE });
        }
        let rows = legend.rows().max(1);
        let place = |n: usize| (left + (n / rows) as f64 * legend.column_width, top + (n % rows) as f64 * line);
        for (n, (series, label)) in legend.entries.iter().enumerate() {
            let (x, y) = place(n);
            let (color, dash) = self.look(chart, *series);
            let middle = y + (line / 2.0).round();
            let pieces = vec![vec![(x, middle), (x + swatch, middle)]];
            self.items.push(Item::Lines { pieces, color, width: 2.0 * self.scale, dash, name: String::new() });
            let base = y + (line / 2.0 + font::CAP * self.scale / 2.0).round();
            self.text((x + swatch + 6.0 * self.scale, base), label, Anchor::Start, INK, legend.column_width);
        }
        if legend.more > 0 {
            let (x, y) = place(legend.entries.len());
            let base = y + (line / 2.0 + font::CAP * self.scale / 2.0).round();
            self.text((x, base), &format!("+ {} more", legend.more), Anchor::Start, PALE, legend.column_width);
        }
    }
}

/// True if the line from `p` to `q` touches the rectangle between the corners `a` and `b`.
fn crosses(p: Spot, q: Spot, a: Spot, b: Spot) -> bool {
    let (mut enter, mut leave) = (0.0f64, 1.0f64);
    for (start, delta, low, high) in [(p.0, q.0 - p.0, a.0, b.0), (p.1, q.1 - p.1, a.1, b.1)] {
        if delta == 0.0 {
            if start < low || start > high {
                return false;
            }
            continue;
        }
        let (one, other) = ((low - start) / delta, (high - start) / delta);
        enter = enter.max(one.min(other));
        leave = leave.min(one.max(other));
    }
    enter <= leave
}

#[cfg(test)]
mod tests {
    use super::super::Series;
    use super::*;

    fn chart(names: &[&str]) -> Chart {
        let one = |name: &&str| Series {
            label: name.to_string(),
            points: (0..50).map(|x| (f64::from(x), 1.0 / f64::from(x + 1))).collect(),
            ..Series::default()
        };
        Chart { x_label: "epoch".into(), series: names.iter().map(one).collect(), ..Chart::default() }
    }

    fn texts(scene: &Scene) -> Vec<(Spot, f64, &str)> {
        let one = |item: &'_ Item| match item {
            Item::Text { at, text, anchor, .. } => {
                let width = font::width(text, scene.scale);
                let left = at.0 - width * [0.0, 0.5, 1.0][*anchor as usize];
                Some(((left, at.1), width))
            }
            _ => None,
        };
        let spots = scene.items.iter().filter_map(one);
        let words =
            scene.items.iter().filter_map(|i| if let Item::Text { text, .. } = i { Some(text.as_str()) } else { None });
        spots.zip(words).filter(|(_, w)| !w.is_empty()).map(|((s, width), w)| (s, width, w)).collect()
    }

    #[test]
    fn no_text_leaves_the_picture_or_covers_another() {
        let long = "a very long name of a run with lr=0.0001 and much else that somebody wrote into it";
        let many: Vec<String> = (0..50).map(|n| format!("run {n} lr=0.{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for names in [&["a"][..], &["a", "b", "c"], &[long, long, "x"], &[long; 12], &many] {
            for (width, height) in [(640, 400), (300, 200), (1600, 1000), (320, 700), (64, 64)] {
                let mut chart = chart(names);
                chart.title = long.into();
                chart.y_label = long.into();
                let scene = Scene::of(&chart, width, height);
                let all = texts(&scene);
                for (n, (at, wide, word)) in all.iter().enumerate() {
                    if width >= 300 {
                        assert!(at.0 >= -0.5 && at.0 + wide <= width as f64 + 0.5, "{word} at {at:?} in {width}");
                        assert!(at.1 <= height as f64, "{word} at {at:?} in {height}");
                        for (other, other_wide, other_word) in &all[n + 1..] {
                            let apart = (at.1 - other.1).abs() >= 9.0 * scene.scale
                                || at.0 + wide <= other.0
                                || other.0 + other_wide <= at.0;
                            assert!(apart, "{word} covers {other_word} in {width}x{height}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn fifty_entries_leave_most_of_the_height_to_the_plot() {
        let many: Vec<String> = (0..50).map(|n| format!("activation=tanh lr=0.000{n}")).collect();
        let chart = chart(&many.iter().map(String::as_str).collect::<Vec<_>>());
        let scene = Scene::of(&chart, 640, 400);
        assert!(texts(&scene).iter().any(|t| t.2.starts_with("+ ") && t.2.ends_with(" more")));
        let legend = scene.legend(&chart, false).unwrap();
        assert!(scene.plot_area(&chart, legend.rows()).height > 170.0);
    }
}
