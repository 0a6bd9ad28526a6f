//! How the elements of a tensor lie in its bytes: sizes and strides, walked in the order of the bytes, which is one
//! forward pass whatever order the dimensions have (C, Fortran, transposed). Views with gaps are walked over their gaps;
//! a dimension without a stride repeats the others; elements that otherwise share bytes are refused.

use super::bytes::Bytes;
use super::kind::Kind;
use super::stats::BLOCK;
use std::io;

/// Bytes read at once where elements have gaps between them.
const SPAN: u64 = 1 << 16;

/// Sizes and strides, counted in elements.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// Elements in all, the repeated ones too
    pub count: u64,
    /// How often each one comes
    pub repeat: u64,
    /// Elements from the first to behind the last
    pub span: u64,
    /// The dimensions from the widest stride to the narrowest: which, and its size and stride
    dims: Vec<(usize, u64, u64)>,
    shape: Vec<u64>,
}

impl Layout {
    /// Elements side by side, the last dimension the densest; with `fortran` the first.
    ///
    /// # Errors
    /// More elements than can be counted.
    pub fn dense(shape: &[u64], fortran: bool) -> Result<Layout, String> {
        let mut strides = vec![0; shape.len()];
        let mut stride = 1u64;
        let order: Vec<usize> = if fortran { (0..shape.len()).collect() } else { (0..shape.len()).rev().collect() };
        for dim in order {
            strides[dim] = stride;
            stride = stride.saturating_mul(shape[dim].max(1));
        }
        Layout::strided(shape, &strides)
    }

    /// Elements at sums of multiples of strides.
    ///
    /// # Errors
    /// More elements than can be counted, or elements that share bytes.
    pub fn strided(shape: &[u64], strides: &[u64]) -> Result<Layout, String> {
        let too_many = || format!("the shape {} has more elements than can be", show_shape(shape));
        // Zero elements, whatever the other sides are.
        let sides = if shape.contains(&0) { &[0][..] } else { shape };
        let count = sides.iter().try_fold(1u64, |all, side| all.checked_mul(*side)).filter(|all| *all < 1 << 60);
        let count = count.ok_or_else(too_many)?;
        let mut layout = Layout { count, repeat: 1, span: 0, dims: Vec::new(), shape: shape.to_vec() };
        if count == 0 {
            return Ok(layout);
        }
        for (dim, (size, stride)) in shape.iter().zip(strides).enumerate() {
            match (size, stride) {
                (1, _) => {}
                (_, 0) => layout.repeat *= size,
                _ => layout.dims.push((dim, *size, *stride)),
            }
        }
        layout.dims.sort_by_key(|(_, _, stride)| std::cmp::Reverse(*stride));
        layout.span = 1;
        for (_, size, stride) in layout.dims.iter().rev() {
            if *stride < layout.span {
                return Err("its strides make elements share bytes".into());
            }
            let reach = stride.checked_mul(size - 1).and_then(|reach| reach.checked_add(layout.span));
            layout.span = reach.ok_or_else(too_many)?;
        }
        Ok(layout)
    }

    /// Whether two tensors of one shape come in the same order.
    pub fn is_in_order_of(&self, other: &Layout) -> bool {
        let order = |layout: &Layout| layout.dims.iter().map(|(dim, ..)| *dim).collect::<Vec<_>>();
        self.repeat == other.repeat && order(self) == order(other)
    }

    /// The elements in the order of the indices, last one first, given those in the order of the bytes.
    pub fn in_order<T: Copy>(&self, walked: &[T], parts: usize) -> Vec<T> {
        let mut strides = vec![0; self.shape.len()];
        let mut stride = parts;
        for (dim, size, _) in self.dims.iter().rev() {
            strides[*dim] = stride;
            stride *= *size as usize;
        }
        let mut out = Vec::with_capacity(self.count as usize * parts);
        let mut index = vec![0u64; self.shape.len()];
        for _ in 0..self.count {
            let at: usize = index.iter().zip(&strides).map(|(i, stride)| *i as usize * stride).sum();
            out.extend_from_slice(walked.get(at..at + parts).unwrap_or_default());
            next_index(&mut index, &self.shape);
        }
        out
    }

    /// The same with neighbours that lie side by side as one dimension.
    fn runs(&self) -> Vec<(u64, u64)> {
        let mut runs: Vec<(u64, u64)> = Vec::new();
        for (_, size, stride) in &self.dims {
            match runs.last_mut() {
                Some(last) if last.1 == size * stride => *last = (last.0 * size, *stride),
                _ => runs.push((*size, *stride)),
            }
        }
        runs
    }
}

fn next_index(index: &mut [u64], sizes: &[u64]) -> bool {
    for (i, size) in index.iter_mut().zip(sizes).rev() {
        *i += 1;
        if *i < *size {
            return true;
        }
        *i = 0;
    }
    false
}

/// A shape as people write it: `64x3x7x7`; one number is a `scalar`.
pub fn show_shape(shape: &[u64]) -> String {
    let sides: Vec<String> = shape.iter().map(u64::to_string).collect();
    if sides.is_empty() { "scalar".into() } else { sides.join("x") }
}

/// The numbers of a tensor, block by block in the order of its bytes, repetitions left out.
#[derive(Debug)]
pub struct Values {
    bytes: Bytes,
    kind: Kind,
    big: bool,
    raw: Vec<u8>,
    sizes: Vec<u64>,
    strides: Vec<u64>,
    /// Of the innermost run: elements, and what is between their beginnings
    run: (u64, u64),
    index: Vec<u64>,
    done: u64,
    /// Elements passed since the first
    at: u64,
    finished: bool,
}

impl Values {
    /// Reads `bytes`, which begin with the first element.
    pub fn new(bytes: Bytes, kind: Kind, big: bool, layout: &Layout) -> Values {
        let mut runs = layout.runs();
        let run = runs.pop().unwrap_or((1, 1));
        Values {
            bytes,
            kind,
            big,
            raw: Vec::new(),
            index: vec![0; runs.len()],
            sizes: runs.iter().map(|run| run.0).collect(),
            strides: runs.iter().map(|run| run.1).collect(),
            run,
            done: 0,
            at: 0,
            finished: layout.count == 0,
        }
    }

    /// The next numbers, in place of what was in `block`. False: there are no more.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn next(&mut self, block: &mut Vec<f64>) -> io::Result<bool> {
        block.clear();
        while !self.finished && block.len() < BLOCK {
            self.piece(block)?;
        }
        Ok(!block.is_empty())
    }

    fn piece(&mut self, block: &mut Vec<f64>) -> io::Result<()> {
        let (count, stride) = self.run;
        let size = self.kind.size();
        let base: u64 = self.index.iter().zip(&self.strides).map(|(i, stride)| i * stride).sum();
        let target = base + self.done * stride;
        if target > self.at {
            self.bytes.skip((target - self.at) * size)?;
        }
        let room = (BLOCK as u64 - block.len() as u64).div_ceil(self.kind.parts());
        let most = if stride == 1 { room } else { room.min((SPAN / size / stride).max(1)) };
        let n = most.min(count - self.done);
        let span = (n - 1) * stride + 1;
        self.raw.resize((span * size) as usize, 0);
        self.bytes.fill(&mut self.raw)?;
        if stride == 1 {
            self.kind.decode(&self.raw, self.big, block);
        } else {
            let elements = self.raw.chunks((stride * size) as usize);
            elements.for_each(|e| self.kind.decode(e.get(..size as usize).unwrap_or_default(), self.big, block));
        }
        self.at = target + span;
        self.done += n;
        if self.done == count {
            self.done = 0;
            self.finished = !next_index(&mut self.index, &self.sizes);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::weights::bytes::Range;
    use std::io::Write;
    use std::sync::Arc;

    /// The numbers of a layout over 0, 1, 2…, walked and in order.
    fn walk(layout: &Layout, name: &str) -> (Vec<f64>, Vec<f64>) {
        let path = std::env::temp_dir().join(format!("nn-layout-{name}-{}", std::process::id()));
        let numbers: Vec<u8> = (0..layout.span as u16).flat_map(u16::to_be_bytes).collect();
        std::fs::File::create(&path).unwrap().write_all(&numbers).unwrap();
        let file = Arc::new(std::fs::File::open(&path).unwrap());
        std::fs::remove_file(path).unwrap();
        let bytes = Bytes::Plain(Range::new(file, 0, numbers.len() as u64));
        let mut values = Values::new(bytes, Kind::U16, true, layout);
        let (mut all, mut block) = (Vec::new(), Vec::new());
        while values.next(&mut block).unwrap() {
            all.extend_from_slice(&block);
        }
        let in_order = layout.in_order(&all, 1);
        (all, in_order)
    }

    #[test]
    fn dense_in_both_orders() {
        let (c, f) = (Layout::dense(&[2, 3], false).unwrap(), Layout::dense(&[2, 3], true).unwrap());
        let up: Vec<f64> = (0..6).map(f64::from).collect();
        assert_eq!(walk(&c, "c"), (up.clone(), up.clone()));
        assert_eq!(walk(&f, "f"), (up, vec![0.0, 2.0, 4.0, 1.0, 3.0, 5.0]));
        assert!(!c.is_in_order_of(&f));
        assert!(Layout::dense(&[7, 1], true).unwrap().is_in_order_of(&Layout::dense(&[7, 1], false).unwrap()));
        assert_eq!(walk(&Layout::dense(&[100, 99], false).unwrap(), "large").0.len(), 9900);
    }

    #[test]
    fn views() {
        // [:, :2] of 3x5, its transpose, every third, one repeated.
        let part = Layout::strided(&[3, 2], &[5, 1]).unwrap();
        assert_eq!((walk(&part, "part").0, part.span), (vec![0.0, 1.0, 5.0, 6.0, 10.0, 11.0], 12));
        let turned = Layout::strided(&[2, 3], &[1, 5]).unwrap();
        assert_eq!(walk(&turned, "turned").1, [0.0, 5.0, 10.0, 1.0, 6.0, 11.0]);
        assert_eq!(walk(&Layout::strided(&[4], &[3]).unwrap(), "third").0, [0.0, 3.0, 6.0, 9.0]);
        let repeated = Layout::strided(&[2, 3], &[1, 0]).unwrap();
        assert_eq!(walk(&repeated, "repeated"), (vec![0.0, 1.0], vec![0.0, 0.0, 0.0, 1.0, 1.0, 1.0]));
        assert_eq!((repeated.count, repeated.repeat), (6, 3));
        assert_eq!(walk(&Layout::strided(&[], &[]).unwrap(), "scalar").0, [0.0]);
        assert_eq!(walk(&Layout::strided(&[0, 4], &[4, 1]).unwrap(), "none").0, []);
        assert!(Layout::strided(&[3, 3], &[1, 1]).is_err());
    }

    #[test]
    fn absurd_shapes() {
        for shape in [&[1 << 40, 1 << 40][..], &[u64::MAX], &[1 << 32, 1 << 32, 2], &[1 << 61]] {
            assert!(Layout::dense(shape, false).is_err(), "{shape:?}");
        }
        assert_eq!(Layout::dense(&[u64::MAX, 0, u64::MAX], false).unwrap().count, 0);
        assert!(Layout::strided(&[2, 2], &[u64::MAX, 1]).is_err());
    }
}
