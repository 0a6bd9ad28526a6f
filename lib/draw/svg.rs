//! A laid out chart as SVG 1.1: one path a curve, real text. All texts are escaped; characters XML cannot hold are
//! replaced. The name of a curve is its tooltip.

use std::fmt::Write;

use super::chart::{Anchor, Item, Rgb, Scene, Spot};

/// The picture as an SVG document.
pub fn document(scene: &Scene) -> String {
    let mut out = String::new();
    let (width, height) = (scene.width, scene.height);
    let size = short(12.0 * scene.scale * 0.96);
    out += &format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"Verdana, DejaVu Sans, Arial, Helvetica, sans-serif\" font-size=\"{size}\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    for item in &scene.items {
        // writing to a string cannot fail
        let _ = write_item(&mut out, item, scene.scale);
    }
    out + "</svg>\n"
}

fn write_item(out: &mut String, item: &Item, scale: f64) -> std::fmt::Result {
    match item {
        Item::Lines { pieces, color, width, dash, name } => {
            let paths: String = pieces.iter().map(|p| path(p)).collect();
            write!(
                out,
                "<path d=\"{paths}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"",
                hex(*color),
                short(*width)
            )?;
            if !name.is_empty() {
                write!(out, " stroke-linejoin=\"round\" stroke-linecap=\"round\"")?;
            }
            if !dash.is_empty() {
                let lengths: Vec<String> = dash.iter().map(|d| short(*d)).collect();
                write!(out, " stroke-dasharray=\"{}\"", lengths.join(" "))?;
            }
            if name.is_empty() {
                writeln!(out, "/>")
            } else {
                writeln!(out, "><title>{}</title></path>", escaped(name))
            }
        }
        Item::Shape { corners, color } => {
            let spots: Vec<String> = corners.iter().map(|s| format!("{},{}", short(s.0), short(s.1))).collect();
            writeln!(out, "<polygon points=\"{}\" fill=\"{}\"/>", spots.join(" "), hex(*color))
        }
        Item::Text { text, .. } if text.is_empty() => Ok(()),
        Item::Text { at, text, anchor, color, bold } => {
            let (x, y) = (short(at.0), short(at.1));
            write!(out, "<text x=\"{x}\" y=\"{y}\" fill=\"{}\"", hex(*color))?;
            match anchor {
                Anchor::Start => {}
                Anchor::Middle => write!(out, " text-anchor=\"middle\"")?,
                Anchor::End => write!(out, " text-anchor=\"end\"")?,
            }
            if *bold {
                write!(out, " font-weight=\"bold\"")?;
            }
            // never wider than laid out, whatever font the reader has
            let room = super::font::width(text, scale);
            if text.chars().count() > 12 {
                write!(out, " textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\"", short(room))?;
            }
            writeln!(out, ">{}</text>", escaped(text))
        }
    }
}

fn path(piece: &[Spot]) -> String {
    let mut text = String::new();
    for (n, spot) in piece.iter().enumerate() {
        text += match n {
            0 => "M",
            1 => "L",
            _ => " ",
        };
        // half a tenth of a pixel is not seen
        let tenth = |v: f64| short((v * 10.0).round() / 10.0);
        text += &format!("{},{}", tenth(spot.0), tenth(spot.1));
    }
    text
}

/// A number to two places, without needless zeros.
fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.into() }
}

fn hex(color: Rgb) -> String {
    let [r, g, b] = color;
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            '\u{0}'..'\u{20}' | '\u{7f}'..'\u{a0}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::chart::{Chart, Series};

    #[test]
    fn texts_are_escaped_and_numbers_short() {
        let points = vec![(0.0, 1.0), (1.0, 2.0), (2.0, 1.5)];
        let series = Series { label: "<a & \"b\">\u{1b}'".into(), points, ..Series::default() };
        let chart = Chart { title: "x<y".into(), series: vec![series], ..Chart::default() };
        let text = chart.render_svg(640, 400);
        assert!(text.starts_with("<svg ") && text.ends_with("</svg>\n"));
        assert!(text.contains("x&lt;y") && text.contains("&lt;a &amp; &quot;b&quot;&gt;\u{fffd}&#39;"));
        assert!(!text.contains("NaN") && !text.contains("inf"));
        assert_eq!(
            (short(1.0), short(-0.001), short(2.346), short(100.0)),
            ("1".into(), "0".into(), "2.35".into(), "100".into())
        );
    }
}
