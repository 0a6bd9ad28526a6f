//! From the points of a curve to what is drawn of it, in pixels or dots of the plot.
//!
//! Of all consecutive points that fall into one column of pixels the first, lowest, highest and last are kept, so a
//! spike is never lost and a million points draw as quickly as a thousand. The line breaks where a value or its x is no number.
//! It is clipped at the edges of the plot; each place where it leaves, or begins to be NaN or infinite, gets a mark there.

use super::ticks::Axis;

/// A place in the plot: from its left edge and from its top edge.
pub type Spot = (f64, f64);

/// What a mark at an edge says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The value is not a number; drawn at the top edge.
    Nan,
    /// The curve leaves through the top edge, or is infinite.
    Above,
    /// The curve leaves through the bottom edge, or is minus infinity, or not positive on a logarithmic axis.
    Below,
}

/// What is to be drawn of one curve.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// Connected lines.
    pub pieces: Vec<Vec<Spot>>,
    /// Points without a neighbour to be connected to.
    pub dots: Vec<Spot>,
    /// Marks at the edges: distance from the left, and what they say.
    pub marks: Vec<(f64, Sign)>,
}

/// Traces `points` in a plot with these axes; marks of one kind stand at least `apart` from each other.
pub fn trace(points: &[(f64, f64)], x: &Axis, y: &Axis, apart: f64) -> Trace {
    let mut tracer =
        Tracer { width: x.length, height: y.length, apart, column: None, line: Vec::new(), done: Trace::default() };
    let mut before = None;
    for (at, value) in points {
        if !at.is_finite() {
            tracer.end_line();
            continue;
        }
        let across = x.position(*at);
        let sign = match *value {
            v if v.is_nan() => Some(Sign::Nan),
            f64::INFINITY => Some(Sign::Above),
            f64::NEG_INFINITY => Some(Sign::Below),
            v if y.kind == super::Kind::Log && v <= 0.0 => Some(Sign::Below),
            _ => None,
        };
        match sign {
            Some(sign) => {
                tracer.end_line();
                if before != Some(sign) {
                    tracer.mark(across, sign);
                }
            }
            None => tracer.add((across, (y.length - y.position(*value)).clamp(-1e9, 1e9))),
        }
        before = sign;
    }
    tracer.end_line();
    tracer.done
}

/// The points of one column of pixels, in order of arrival: number, place.
struct Column {
    at: f64,
    count: usize,
    first: Spot,
    top: (usize, Spot),
    bottom: (usize, Spot),
    last: Spot,
}

struct Tracer {
    width: f64,
    height: f64,
    apart: f64,
    column: Option<Column>,
    line: Vec<Spot>,
    done: Trace,
}

impl Tracer {
    fn add(&mut self, spot: Spot) {
        let at = spot.0.floor();
        match &mut self.column {
            Some(c) if c.at == at => {
                c.count += 1;
                if spot.1 < c.top.1.1 {
                    c.top = (c.count, spot);
                }
                if spot.1 > c.bottom.1.1 {
                    c.bottom = (c.count, spot);
                }
                c.last = spot;
            }
            _ => {
                self.end_column();
                self.column = Some(Column { at, count: 0, first: spot, top: (0, spot), bottom: (0, spot), last: spot });
            }
        }
    }

    fn end_column(&mut self) {
        let Some(c) = self.column.take() else { return };
        self.line.push(c.first);
        let (a, b) = if c.top.0 < c.bottom.0 { (c.top, c.bottom) } else { (c.bottom, c.top) };
        for (number, spot) in [a, b] {
            if number > 0 && number < c.count {
                self.line.push(spot);
            }
        }
        if c.count > 0 {
            self.line.push(c.last);
        }
    }

    fn end_line(&mut self) {
        self.end_column();
        let line = std::mem::take(&mut self.line);
        let inside = |s: &Spot| (-0.5..=self.width + 0.5).contains(&s.0) && (-0.5..=self.height + 0.5).contains(&s.1);
        if let [lone] = line.as_slice() {
            let lone = *lone;
            if inside(&lone) {
                self.done.dots.push(lone);
            } else {
                self.mark(lone.0, if lone.1 < 0.0 { Sign::Above } else { Sign::Below });
            }
            return;
        }
        let mut piece: Vec<Spot> = Vec::new();
        for (n, (a, b)) in line.iter().zip(line.iter().skip(1)).enumerate() {
            let Some((from, to)) = clip(*a, *b, self.height) else {
                if n == 0 || piece.len() > 1 {
                    self.leave(*a);
                }
                self.keep(&mut piece);
                continue;
            };
            if from != *a && n == 0 {
                self.leave((from.0, a.1));
            }
            if piece.last() != Some(&from) {
                self.keep(&mut piece);
                piece.push(from);
            }
            piece.push(to);
            if to != *b {
                self.leave((to.0, b.1));
                self.keep(&mut piece);
            } else if from != *a && n > 0 {
                self.leave((from.0, a.1));
            }
        }
        self.keep(&mut piece);
    }

    fn keep(&mut self, piece: &mut Vec<Spot>) {
        if piece.len() > 1 {
            self.done.pieces.push(std::mem::take(piece));
        }
        piece.clear();
    }

    fn leave(&mut self, outside: Spot) {
        self.mark(outside.0, if outside.1 < 0.0 { Sign::Above } else { Sign::Below });
    }

    fn mark(&mut self, at: f64, sign: Sign) {
        let near = |m: &&(f64, Sign)| m.1 == sign && (m.0 - at).abs() < self.apart;
        if (-0.5..=self.width + 0.5).contains(&at) && !self.done.marks.iter().rev().any(|m| near(&m)) {
            self.done.marks.push((at, sign));
        }
    }
}

/// The part of a line from `a` to `b` between the top (0) and the bottom (`height`).
fn clip(a: Spot, b: Spot, height: f64) -> Option<(Spot, Spot)> {
    let cross = |edge: f64| (a.0 + (b.0 - a.0) * ((edge - a.1) / (b.1 - a.1)), edge);
    let inside = |s: Spot| (0.0..=height).contains(&s.1);
    let edge_of = |s: Spot| if s.1 < 0.0 { 0.0 } else { height };
    match (inside(a), inside(b)) {
        (true, true) => Some((a, b)),
        (true, false) => Some((a, cross(edge_of(b)))),
        (false, true) => Some((cross(edge_of(a)), b)),
        (false, false) if edge_of(a) == edge_of(b) => None,
        (false, false) => Some((cross(edge_of(a)), cross(edge_of(b)))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;

    fn axis(low: f64, high: f64, length: f64) -> Axis {
        Axis { low, high, kind: Kind::Number, length }
    }

    fn traced(points: &[(f64, f64)]) -> Trace {
        trace(points, &axis(0.0, 10.0, 100.0), &axis(0.0, 1.0, 50.0), 8.0)
    }

    #[test]
    fn a_spike_among_a_million_points_is_kept() {
        let mut points: Vec<(f64, f64)> =
            (0..100_000).map(|n| (f64::from(n) / 10_000.0, 0.5 + f64::from(n % 7) / 1000.0)).collect();
        points[54_321].1 = 1.0;
        points[12_345].1 = 0.0;
        let all: Vec<Spot> = traced(&points).pieces.concat();
        assert!(all.len() <= 404, "{}", all.len());
        assert!(all.iter().any(|s| s.1 == 0.0 && (s.0 - 54.321).abs() < 1e-9));
        assert!(all.iter().any(|s| s.1 == 50.0 && (s.0 - 12.345).abs() < 1e-9));
        assert!(all.windows(2).all(|w| w[0].0 <= w[1].0));
    }

    #[test]
    fn lines_break_where_there_is_no_number() {
        let t = traced(&[
            (0.0, 0.1),
            (1.0, 0.2),
            (2.0, f64::NAN),
            (3.0, 0.3),
            (4.0, f64::INFINITY),
            (5.0, 0.1),
            (6.0, 0.1),
        ]);
        assert_eq!(t.pieces.len(), 2);
        assert_eq!(t.dots, [(30.0, 35.0)]);
        assert_eq!(t.marks, [(20.0, Sign::Nan), (40.0, Sign::Above)]);
    }

    #[test]
    fn lines_end_at_the_edges_and_are_marked_there() {
        let t = traced(&[(0.0, 0.5), (2.0, 1.5), (4.0, 9.0), (6.0, 0.5), (8.0, -0.5)]);
        assert_eq!(t.pieces[0], [(0.0, 25.0), (10.0, 0.0)]);
        assert!(t.pieces.concat().iter().all(|s| (0.0..=50.0).contains(&s.1)));
        assert_eq!(t.marks.iter().map(|m| m.1).collect::<Vec<_>>(), [Sign::Above, Sign::Above, Sign::Below]);
        assert_eq!(traced(&[(0.0, 0.1), (1.0, 0.1), (f64::NAN, 0.1), (0.0, 0.2), (1.0, 0.2)]).pieces.len(), 2);
        let outside = traced(&[(0.0, 5.0), (1.0, 5.0), (9.0, 6.0)]);
        assert_eq!((outside.pieces.len(), outside.marks.len()), (0, 1));
    }
}
