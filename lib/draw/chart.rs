//! A chart of curves: what to draw, for the three back ends alike.
//!
//! `Chart` is the input. `range` decides which numbers are shown, `ticks` where the axes have ticks, `trace` what is left
//! of a curve at a given width, and `scene` lays all of it out as lines and texts, which the raster and the SVG back end
//! then only draw. The terminal lays out in cells, from the same ranges, ticks and traces. Nothing here knows of runs.

mod range;
mod scene;
mod thin;
mod ticks;
mod trace;

pub use scene::{Anchor, Item, PALETTE, Rgb, Scene};
pub use thin::{Curve, Smoother, Smoothing, fewer};
pub use ticks::{Axis, Kind, Tick, Ticks, ticks};
pub use trace::{Sign, Spot, Trace, trace};

use super::{raster, svg, term};

/// One curve.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Its name in the legend; none if empty.
    pub label: String,
    /// Its points in drawing order. A y that is NaN or infinite breaks the line and is marked; an x that is NaN only
    /// breaks it.
    pub points: Vec<(f64, f64)>,
    /// Points drawn faintly behind it: what was there before smoothing.
    pub behind: Vec<(f64, f64)>,
    /// Number of its colour and of its dash pattern; by its place among the series if `None`.
    pub style: Option<(usize, usize)>,
}

/// A chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chart {
    /// Heading; none if empty.
    pub title: String,
    /// What the x are.
    pub x_label: String,
    /// What the y are.
    pub y_label: String,
    /// True if x are seconds.
    pub x_seconds: bool,
    /// True for a logarithmic y axis.
    pub log_y: bool,
    /// Lower end of the y axis, instead of one that is found.
    pub y_min: Option<f64>,
    /// Upper end of the y axis, instead of one that is found.
    pub y_max: Option<f64>,
    /// True if the y axis leaves nothing out, however far off.
    pub full: bool,
    /// The curves; later ones are drawn over earlier ones.
    pub series: Vec<Series>,
}

impl Chart {
    /// True if there is anything to draw: a point with a number, positive on a logarithmic axis.
    pub fn has_points(&self) -> bool {
        let drawable = |p: &(f64, f64)| p.0.is_finite() && p.1.is_finite() && (!self.log_y || p.1 > 0.0);
        self.series.iter().any(|s| s.points.iter().chain(&s.behind).any(drawable))
    }

    /// A PNG picture of this many pixels; at least 64 each way.
    pub fn render_png(&self, width: usize, height: usize) -> Vec<u8> {
        raster::png(&Scene::of(self, width, height))
    }

    /// An SVG picture of this many pixels.
    pub fn render_svg(&self, width: usize, height: usize) -> String {
        svg::document(&Scene::of(self, width, height))
    }

    /// Lines of text of at most this many columns, in braille.
    pub fn render_text(&self, columns: usize, rows: usize, style: term::Style) -> String {
        term::text(self, columns, rows, style)
    }

    /// The axes for a plot of this size, 0..1 where there are no numbers.
    pub(super) fn axes(&self, width: f64, height: f64) -> (Axis, Axis) {
        let kind = if self.log_y { Kind::Log } else { Kind::Number };
        let sideways = match self.x_seconds {
            true => Kind::Seconds,
            false if range::whole(&self.series) => Kind::Whole,
            false => Kind::Number,
        };
        let none = range::Range { low: if self.log_y { 0.1 } else { 0.0 }, high: 1.0 };
        let x = range::sideways(&self.series).unwrap_or(range::Range { low: 0.0, high: 1.0 });
        let y = range::upwards(&self.series, kind, self.full, self.y_min, self.y_max).unwrap_or(none);
        (
            Axis { low: x.low, high: x.high, kind: sideways, length: width },
            Axis { low: y.low, high: y.high, kind, length: height },
        )
    }

    /// The colour and dash numbers of the series at this place.
    pub(super) fn style_of(&self, place: usize) -> (usize, usize) {
        let own = self.series.get(place).and_then(|s| s.style);
        own.unwrap_or((place % scene::COLORS, place / scene::COLORS))
    }

    /// What the marks at the edges mean, in words: which kinds occur, and how far values go. Empty without marks.
    pub(super) fn footnote<'a>(&self, traces: impl Iterator<Item = &'a Trace>) -> String {
        let mut seen = [false; 3];
        for mark in traces.flat_map(|t| &t.marks) {
            seen[mark.1 as usize] = true;
        }
        let values = self.series.iter().flat_map(|s| &s.points).map(|p| p.1);
        let finite = |v: &f64| v.is_finite();
        let most = values.clone().filter(finite).fold(f64::MIN, f64::max);
        let least = values.clone().filter(finite).fold(f64::MAX, f64::min);
        let far = |infinite: bool, end: f64| {
            if infinite { "inf".to_string() } else { short(end) }
        };
        let mut notes = Vec::new();
        if seen[Sign::Nan as usize] {
            notes.push("× NaN".to_string());
        }
        if seen[Sign::Above as usize] {
            notes.push(format!("▲ up to {}", far(values.clone().any(|v| v == f64::INFINITY), most)));
        }
        if seen[Sign::Below as usize] {
            notes.push(format!("▼ down to {}", far(false, least)));
        }
        notes.join("  ")
    }
}

/// A number to two digits: how far off something is needs no more.
fn short(value: f64) -> String {
    if (0.01..1e4).contains(&value.abs()) {
        let places = (1 - value.abs().log10().floor() as i32).max(0) as usize;
        return format!("{value:.places$}");
    }
    format!("{value:.1e}").replace(".0e", "e")
}
