//! A laid out chart as pixels.
//!
//! Each item is first drawn into a mask of coverage, one byte a pixel: a pixel's coverage by a line follows from its
//! distance to the line's middle, and the greatest of all segments counts, so that joints and crossings of one curve do
//! not darken. Then the mask is blended with the item's colour. Coverage is rounded to 16 levels, which the eye does not
//! see and which keeps most pictures within a palette of 256 colours.

use super::chart::{Anchor, Item, Rgb, Scene, Spot};
use super::{font, png};

/// The picture as a PNG file.
pub fn png(scene: &Scene) -> Vec<u8> {
    let canvas = draw(scene);
    png::encode(canvas.width, canvas.height, &canvas.rgb, "nn-tools")
}

struct Canvas {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
    mask: Vec<u8>,
    /// The first and last row and column touched since the last blending.
    touched: Option<[usize; 4]>,
}

fn draw(scene: &Scene) -> Canvas {
    let size = scene.width * scene.height;
    let (rgb, mask) = (vec![255; size * 3], vec![0; size]);
    let mut canvas = Canvas { width: scene.width, height: scene.height, rgb, mask, touched: None };
    for item in &scene.items {
        match item {
            Item::Lines { pieces, color, width, dash, .. } => {
                for piece in pieces {
                    if dash.is_empty() {
                        canvas.path(piece, *width);
                    } else {
                        dashed(piece, dash, &mut |part| canvas.path(part, *width));
                    }
                }
                canvas.blend(*color);
            }
            Item::Shape { corners, color } => {
                canvas.fill(corners);
                canvas.blend(*color);
            }
            Item::Text { at, text, anchor, color, bold } => {
                let share = [0.0, 0.5, 1.0].get(*anchor as usize).copied().unwrap_or(0.0);
                debug_assert!(*anchor != Anchor::End || share == 1.0);
                let left = (at.0 - font::width(text, scene.scale) * share).round();
                let width = (if *bold { 1.75 } else { 1.12 }) * scene.scale;
                for stroke in font::strokes(text, scene.scale) {
                    let moved: Vec<Spot> = stroke.iter().map(|s| (s.0 + left, s.1 + at.1)).collect();
                    canvas.path(&moved, width);
                }
                canvas.blend(*color);
            }
        }
    }
    canvas
}

/// Calls `draw` with each dash of a path; the pattern runs on around corners.
fn dashed(path: &[Spot], pattern: &[f64], draw: &mut dyn FnMut(&[Spot])) {
    let mut lengths = pattern.iter().copied().cycle();
    let (mut left, mut on) = (lengths.next().unwrap_or(1.0), true);
    let mut part: Vec<Spot> = path.first().copied().into_iter().collect();
    for (a, b) in path.iter().zip(path.iter().skip(1)) {
        let length = (b.0 - a.0).hypot(b.1 - a.1);
        let mut gone = 0.0;
        while length - gone > left {
            gone += left;
            let t = gone / length;
            let spot = (a.0 + (b.0 - a.0) * t, a.1 + (b.1 - a.1) * t);
            if on {
                part.push(spot);
                draw(&part);
            }
            on = !on;
            part = vec![spot];
            left = lengths.next().unwrap_or(1.0).max(0.1);
        }
        left -= length - gone;
        part.push(*b);
    }
    if on {
        draw(&part);
    }
}

impl Canvas {
    fn path(&mut self, path: &[Spot], width: f64) {
        if let [only] = path {
            self.segment(*only, *only, width);
        }
        for (a, b) in path.iter().zip(path.iter().skip(1)) {
            self.segment(*a, *b, width);
        }
    }

    /// One straight line with round ends: row by row, the pixels near it.
    fn segment(&mut self, a: Spot, b: Spot, width: f64) {
        let reach = width / 2.0 + 0.5;
        let (a, b) = if a.1 <= b.1 { (a, b) } else { (b, a) };
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let square = dx * dx + dy * dy;
        let limit = |v: f64, end: usize| v.clamp(0.0, end as f64) as usize;
        let (top, bottom) = (limit((a.1 - reach).floor(), self.height), limit((b.1 + reach).ceil(), self.height));
        let (left_end, right_end) = (a.0.min(b.0) - reach, a.0.max(b.0) + reach);
        for row in top..bottom {
            let y = row as f64 + 0.5;
            // where this row, widened by the reach, meets the line
            let (mut left, mut right) = (left_end, right_end);
            if dy > 1e-9 {
                let at = |y: f64| a.0 + dx * ((y - a.1) / dy).clamp(0.0, 1.0);
                let slant = reach * (square.sqrt() / dy).min(1e6);
                let (one, other) = (at(y), at(y));
                left = left.max(one.min(other) - slant);
                right = right.min(one.max(other) + slant);
                if !(a.1..=b.1).contains(&y) {
                    (left, right) = (left_end.max(left - slant), right_end.min(right + slant));
                }
            }
            let (from, to) = (limit(left.floor(), self.width), limit(right.ceil(), self.width));
            let Some(line) = self.mask.get_mut(row * self.width + from..row * self.width + to.max(from)) else {
                continue;
            };
            for (n, cell) in line.iter_mut().enumerate() {
                let x = (from + n) as f64 + 0.5;
                let t = if square > 0.0 { (((x - a.0) * dx + (y - a.1) * dy) / square).clamp(0.0, 1.0) } else { 0.0 };
                let (ox, oy) = (x - a.0 - t * dx, y - a.1 - t * dy);
                let cover = (reach - (ox * ox + oy * oy).sqrt()).clamp(0.0, 1.0).min(width);
                *cell = (*cell).max((cover * 255.0) as u8);
            }
            self.touch(row, from, to);
        }
    }

    /// A filled polygon: four lines of samples a row, exact sideways.
    fn fill(&mut self, corners: &[Spot]) {
        let ends = |f: fn(f64, f64) -> f64, start: f64| corners.iter().map(|c| c.1).fold(start, f);
        let limit = |v: f64, end: usize| v.clamp(0.0, end as f64) as usize;
        let top = limit(ends(f64::min, f64::MAX).floor(), self.height);
        let bottom = limit(ends(f64::max, f64::MIN).ceil(), self.height);
        for row in top..bottom {
            let mut cover = vec![0.0f64; self.width];
            for sample in [0.125, 0.375, 0.625, 0.875] {
                let y = row as f64 + sample;
                let next = corners.iter().skip(1).chain(corners.first());
                let mut hits: Vec<f64> = corners
                    .iter()
                    .zip(next)
                    .filter(|(a, b)| (a.1 <= y) != (b.1 <= y))
                    .map(|(a, b)| a.0 + (b.0 - a.0) * (y - a.1) / (b.1 - a.1))
                    .collect();
                hits.sort_by(f64::total_cmp);
                for pair in hits.as_chunks::<2>().0 {
                    let (from, to) = (limit(pair[0].floor(), self.width), limit(pair[1].ceil(), self.width));
                    for (x, cell) in cover.iter_mut().enumerate().take(to).skip(from) {
                        *cell += (pair[1].min(x as f64 + 1.0) - pair[0].max(x as f64)).max(0.0) / 4.0;
                    }
                }
            }
            let Some(line) = self.mask.get_mut(row * self.width..(row + 1) * self.width) else { continue };
            for (cell, cover) in line.iter_mut().zip(cover) {
                *cell = (*cell).max((cover.min(1.0) * 255.0) as u8);
            }
            self.touch(row, 0, self.width);
        }
    }

    fn touch(&mut self, row: usize, from: usize, to: usize) {
        let [top, bottom, left, right] = self.touched.unwrap_or([row, row, from, to]);
        self.touched = Some([top.min(row), bottom.max(row), left.min(from), right.max(to)]);
    }

    fn blend(&mut self, color: Rgb) {
        let Some([top, bottom, left, right]) = self.touched.take() else { return };
        for row in top..=bottom {
            for cell in row * self.width + left..row * self.width + right {
                let Some(mask) = self.mask.get_mut(cell) else { continue };
                let cover = (u32::from(*mask) + 8) / 17 * 17;
                *mask = 0;
                if cover == 0 {
                    continue;
                }
                let Some(pixel) = self.rgb.get_mut(cell * 3..cell * 3 + 3) else { continue };
                for (under, over) in pixel.iter_mut().zip(color) {
                    *under = ((u32::from(*under) * (255 - cover) + u32::from(over) * cover + 127) / 255) as u8;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blank(width: usize, height: usize) -> Canvas {
        Canvas { width, height, rgb: vec![255; width * height * 3], mask: vec![0; width * height], touched: None }
    }

    #[test]
    fn a_line_on_pixel_centres_is_sharp_and_slanted_ones_cover_their_area() {
        let mut canvas = blank(20, 20);
        canvas.segment((2.5, 5.5), (15.5, 5.5), 1.0);
        assert_eq!(canvas.mask[5 * 20 + 8], 255);
        assert_eq!(canvas.mask[4 * 20 + 8], 0);
        for (dx, dy) in [(12.0, 3.0), (3.0, 12.0), (10.0, 10.0), (1.0, 14.0), (14.0, 0.3)] {
            let mut canvas = blank(20, 20);
            canvas.segment((3.2, 3.1), (3.2 + dx, 3.1 + dy), 2.0);
            let covered: f64 = canvas.mask.iter().map(|m| f64::from(*m) / 255.0).sum();
            let area = f64::hypot(dx, dy) * 2.0 + std::f64::consts::PI;
            assert!((covered - area).abs() < area * 0.08, "{dx},{dy}: {covered} of {area}");
        }
    }

    #[test]
    fn shapes_cover_their_area_and_nothing_is_drawn_outside() {
        let mut canvas = blank(20, 20);
        canvas.fill(&[(2.0, 2.0), (12.0, 2.0), (2.0, 12.0)]);
        let covered: f64 = canvas.mask.iter().map(|m| f64::from(*m) / 255.0).sum();
        assert!((covered - 50.0).abs() < 1.0, "{covered}");
        canvas.fill(&[(-50.0, -50.0), (-40.0, 90.0), (1e9, 3.0)]);
        canvas.path(&[(-1e9, -5.0), (1e9, 500.0), (5.0, 1e9)], 3.0);
        canvas.blend([1, 2, 3]);
        assert!(canvas.mask.iter().all(|m| *m == 0));
    }

    #[test]
    fn dashes_run_on_around_corners() {
        let mut parts = Vec::new();
        dashed(&[(0.0, 0.0), (4.0, 0.0), (4.0, 4.0)], &[3.0, 2.0], &mut |part| parts.push(part.to_vec()));
        assert_eq!(parts, [vec![(0.0, 0.0), (3.0, 0.0)], vec![(4.0, 1.0), (4.0, 4.0)]]);
    }
}
