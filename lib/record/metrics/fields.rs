//! A line of fields: `Epoch: [1][ 10/50]  loss: 0.52 (0.61)  acc 81.2`, `step=5, lr=[0.1, 0.2]`, `loss = 4.2, step = 0`.
//!
//! A key is the text since the last value or break; a separator makes the pair explicit, without one it is bare and must
//! look the part (few words, no prose, an end after the number). Parentheses after a number repeat it and are passed
//! over, further numbers after it make a vector (`name.0` `name.1`). What counts (epoch, step) is told from what is
//! measured by its name. Nothing is decided here: the caller knows what is in force.

use super::head::{self, Own};
use super::push;
use super::token::{Kind, Token, is_rate, is_unit, tokenize};
use super::words::{self, Counts, Plain};
use crate::record::history::Point;

/// What a number is of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it
    Whole,
    /// One of a vector
    Item(u32),
    /// The deviation
    Spread,
}

/// A key with a number.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// First byte of the key in the line
    pub from: usize,
    /// Byte after it
    pub to: usize,
    /// The number
    pub value: f64,
    /// Which part of the value it is
    pub part: Part,
    /// Without `=` or `:` between
    pub bare: bool,
    /// With `=` between
    pub equals: bool,
    /// The prefix that the line gives it
    pub split: Option<&'static str>,
    /// Written as a duration in words: `3.2 seconds`
    pub spelled: bool,
    /// Written as a whole number
    pub whole: bool,
}

/// What a line holds; its buffers are used again for the next.
#[derive(Debug, Default)]
pub struct Fields {
    tokens: Vec<Token>,
    /// The pairs that may be metrics
    pub pairs: Vec<Pair>,
    /// The counters
    pub own: Own,
    /// The prefix that the head of the line gives
    pub split: Option<&'static str>,
    /// Pairs whose value is no number
    pub others: usize,
    /// Whether the line starts with an asterisk, as summaries do
    pub starred: bool,
}

/// The key that is being read.
#[derive(Clone, Copy)]
struct Key {
    first: usize,
    last: usize,
}

/// Where the scan stands.
#[derive(Default)]
struct Scan {
    key: Option<Key>,
    /// The separator after the key
    sep: Option<u8>,
    /// The key follows a separator: the text may be the value of what stands before it
    text: bool,
    /// The pair whose number was just read, and its token
    number: Option<(usize, usize)>,
    split: Option<&'static str>,
}

/// Longest key, bytes.
const LONGEST_KEY: usize = 64;

impl Fields {
    /// Reads a line.
    pub fn read(&mut self, line: &str) {
        tokenize(line, &mut self.tokens);
        self.pairs.clear();
        self.others = 0;
        self.starred = self.tokens.first().is_some_and(|t| t.byte == b'*');
        let head = head::read(line, &self.tokens);
        self.own = head.own;
        self.split = head.split;
        self.scan(line, head.end);
        let first = self.tokens.first().map(|t| text(line, t)).unwrap_or_default();
        let leads = !self.pairs.is_empty() && words::counts(Plain::of(first).str()) == Some(Counts::StepOfEpoch);
        self.own.settle(leads);
    }

    /// Reads the rest of a line that a template matched, into a point.
    pub fn read_rest(&mut self, rest: &str, prefix: &str, point: &mut Point) {
        self.read(rest);
        for (name, value) in self.own.named() {
            point.set_counter(name, value);
        }
        let mut name = String::new();
        for pair in &self.pairs {
            push(point, &mut name, prefix, rest.get(pair.from..pair.to).unwrap_or_default(), pair.part, pair.value);
        }
    }

    /// Keeps the pairs that `wanted` says, given each with its key.
    pub fn keep(&mut self, line: &str, wanted: impl Fn(&Pair, &str) -> bool) {
        self.pairs.retain(|pair| wanted(pair, line.get(pair.from..pair.to).unwrap_or_default()));
    }

    fn scan(&mut self, line: &str, from: usize) {
        let mut scan = Scan { split: self.split, ..Scan::default() };
        let mut i = from;
        while let Some(&token) = self.tokens.get(i) {
            let mut next = i + 1;
            match token.kind {
                Kind::Word => self.word(line, &mut scan, i, &token),
                Kind::Group => {
                    let repeats = scan.number.is_some_and(|(_, at)| at + 1 == i);
                    if let (false, Some(key)) = (repeats, scan.key.as_mut()) {
                        key.last = i;
                    }
                    self.others += usize::from(scan.sep.is_some());
                    scan.sep = None;
                }
                // ` : ` after a number parts fields: `Cost 6.5 * 12,345 : Time 1.2s`.
                Kind::Sep if token.gap > 0 && self.is_number(i.wrapping_sub(1)) => self.end_field(&mut scan),
                Kind::Sep => {
                    scan.sep = scan.key.map(|_| token.byte);
                    scan.text = false;
                    scan.number = None;
                }
                Kind::Number | Kind::Ratio => self.number(line, &mut scan, i, &token),
                Kind::Open => next = self.open(line, &mut scan, i),
                Kind::Break | Kind::Close => self.end_field(&mut scan),
            }
            i = next;
        }
        self.end_field(&mut scan);
    }

    fn end_field(&mut self, scan: &mut Scan) {
        self.others += usize::from(scan.text);
        *scan = Scan { split: scan.split, ..Scan::default() };
    }

    fn word(&mut self, line: &str, scan: &mut Scan, i: usize, token: &Token) {
        let text = text(line, token);
        let after_number = token.gap == 1 && scan.key.is_none() && self.is_number(i.wrapping_sub(1));
        if after_number && self.tokens.get(i + 1).is_none_or(|t| t.kind != Kind::Sep || t.gap > 0) {
            let spelled = matches!(text, "minutes" | "minute" | "hours" | "hour" | "days" | "day");
            let pair = scan.number.filter(|(_, at)| at + 1 == i).map(|(pair, _)| pair);
            if spelled && pair.is_some_and(|pair| pair + 1 == self.pairs.len()) {
                self.pairs.pop();
            } else if matches!(text, "seconds" | "second")
                && let Some(pair) = pair.and_then(|pair| self.pairs.get_mut(pair))
            {
                pair.spelled = true;
            }
            if spelled || is_unit(text.as_bytes()) || is_rate(text.as_bytes()) {
                scan.number = None;
                return;
            }
        }
        if let (Some(_), Some(key)) = (scan.sep, scan.key)
            && key.first == key.last
            && let Some(split) = self.tokens.get(key.first).and_then(|t| words::split(self::text(line, t)))
        {
            // `train: loss 0.5 | val: loss 0.6`
            *scan = Scan { split: Some(split), key: Some(Key { first: i, last: i }), ..Scan::default() };
            return;
        }
        if scan.sep.is_none() && token.byte.is_ascii_digit() && text.contains(':') {
            // `eta 0:15:12 lr 0.1`
            scan.key = None;
            return;
        }
        if scan.sep.take().is_some() {
            // A time is neither a number nor the text of a setting.
            scan.text = !token.byte.is_ascii_digit() && !self.counts_nothing(line, scan.key);
            scan.key = Some(Key { first: i, last: i });
        } else if let Some(key) = scan.key.as_mut().filter(|_| token.gap < 2) {
            key.last = i;
        } else {
            self.others += usize::from(scan.text);
            scan.text = false;
            scan.key = Some(Key { first: i, last: i });
        }
    }

    fn number(&mut self, line: &str, scan: &mut Scan, i: usize, token: &Token) {
        if scan.key.is_none() {
            self.vector(scan, i, token);
            return;
        }
        let Some(key) = scan.key else { return };
        let bare = scan.sep.is_none();
        if bare && (scan.text || !self.good_bare(line, key, i)) {
            // The number is a word of a longer key: `time to learn 1 sample = 1.75ms`.
            scan.key = (token.gap < 2).then_some(Key { first: key.first, last: i });
            scan.number = None;
            return;
        }
        scan.number = None;
        if let Some((from, to)) = self.key_span(line, key) {
            let value = match token.kind {
                Kind::Ratio => ratio(token),
                _ => Some(token.value),
            };
            let name = line.get(from..to).unwrap_or_default();
            let plain = Plain::of(name);
            let counts = words::counts(plain.str());
            if counts.is_some() && !token.unit && token.value.fract() == 0.0 {
                self.own.set(counts, token);
            } else if let Some(value) = value
                // fairseq's `update` is a fraction of an epoch; other names of counters are no metrics.
                && (counts.is_none() || plain.str() == "update")
                && !(name.contains(' ') && name.split(' ').any(words::is_verdict))
            {
                let equals = scan.sep == Some(b'=');
                let split = scan.split;
                let whole = token.whole;
                let pair = Pair { from, to, value, part: Part::Whole, bare, equals, split, spelled: false, whole };
                self.pairs.push(pair);
                scan.number = Some((self.pairs.len() - 1, i));
                if token.kind == Kind::Number && !token.total.is_nan() {
                    self.pairs.push(Pair { value: token.total, part: Part::Spread, ..pair });
                }
            }
        }
        scan.key = None;
        scan.sep = None;
    }

    fn is_number(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|t| matches!(t.kind, Kind::Number | Kind::Ratio))
    }

    /// Whether a key is that of a known thing which is no metric: `eta`.
    fn counts_nothing(&self, line: &str, key: Option<Key>) -> bool {
        let span = key.and_then(|key| self.key_span(line, key));
        let name = span.and_then(|(from, to)| line.get(from..to)).unwrap_or_default();
        words::counts(Plain::of(name).str()) == Some(Counts::Nothing)
    }

    /// A number right after a number: the first pair becomes a vector.
    fn vector(&mut self, scan: &mut Scan, i: usize, token: &Token) {
        let Some((pair, at)) = scan.number else { return };
        if at + 1 != i || token.gap != 1 || token.kind != Kind::Number {
            return;
        }
        if let Some(first) = self.pairs.get_mut(pair) {
            let item = if let Part::Item(item) = first.part { item } else { 0 };
            first.part = Part::Item(item);
            let next = Pair { value: token.value, part: Part::Item(item + 1), ..*first };
            self.pairs.push(next);
            scan.number = Some((self.pairs.len() - 1, i));
        }
    }

    /// A bracket: a vector after a separator, a set of data by itself, or the start of another field.
    fn open(&mut self, line: &str, scan: &mut Scan, i: usize) -> usize {
        if let (Some(key), Some(sep)) = (scan.key, scan.sep) {
            let end = (i + 1..).take(130).find(|j| self.tokens.get(*j).is_none_or(|t| t.kind == Kind::Close));
            let end = end.unwrap_or(i);
            let items = self.tokens.get(i + 1..end).unwrap_or_default();
            let numbers = items.iter().filter(|t| t.kind == Kind::Number).count();
            let plain = numbers > 0 && items.iter().all(|t| matches!(t.kind, Kind::Number | Kind::Break));
            if let (true, Some((from, to))) = (plain, self.key_span(line, key)) {
                for (index, item) in (0..).zip(items.iter().filter(|t| t.kind == Kind::Number)) {
                    let (part, split, equals) = (Part::Item(index), scan.split, sep == b'=');
                    let value = item.value;
                    let whole = item.whole;
                    self.pairs.push(Pair { from, to, value, part, bare: false, equals, split, spelled: false, whole });
                }
            } else {
                self.others += 1;
            }
            scan.text = false;
            self.end_field(scan);
            return end.max(i) + 1;
        }
        self.end_field(scan);
        let inner = self.tokens.get(i + 1..i + 3).unwrap_or_default();
        if let [word, close] = inner
            && (word.kind, close.kind) == (Kind::Word, Kind::Close)
            && word.byte.is_ascii_alphabetic()
        {
            scan.split = words::split(text(line, word));
            return i + 3;
        }
        i + 1
    }

    /// Whether a key and a number without a separator are a pair rather than prose.
    fn good_bare(&self, line: &str, key: Key, i: usize) -> bool {
        let tokens = self.tokens.get(key.first..=key.last).unwrap_or_default();
        let named = |t: &Token| t.kind != Kind::Word || !words::is_prose(text(line, t));
        let letters = |t: &Token| text(line, t).bytes().any(|b| b.is_ascii_alphabetic());
        if tokens.len() > 3 || !tokens.iter().all(named) || !tokens.iter().any(letters) {
            return false;
        }
        if tokens.iter().any(|t| matches!(t.kind, Kind::Number | Kind::Ratio)) {
            return false;
        }
        // `nan` between words is a word: `number of nan iterations: 0`.
        let not_finite = self.tokens.get(i).is_some_and(|t| !t.value.is_finite());
        if not_finite && self.tokens.get(i + 1).is_some_and(|t| t.kind == Kind::Word && t.gap < 2) {
            return false;
        }
        // After it: the end of the field, a unit, or another pair.
        let mut j = i + 1;
        while self.tokens.get(j).is_some_and(|t| t.kind == Kind::Group || (t.kind == Kind::Number && t.gap == 1)) {
            j += 1;
        }
        let (mut words, mut prose) = (0, false);
        while let Some(next) = self.tokens.get(j).filter(|t| t.kind == Kind::Word && t.gap < 2) {
            let text = text(line, next).as_bytes();
            if words == 0 && (is_unit(text) || is_rate(text) || !text.iter().any(u8::is_ascii_alphanumeric)) {
                return true;
            }
            prose |= words::is_prose(str::from_utf8(text).unwrap_or_default());
            words += 1;
            j += 1;
        }
        if prose {
            return tokens.iter().any(|t| words::is_metric(self::text(line, t)));
        }
        let after = self.tokens.get(j).map(|t| (t.kind, t.gap));
        words == 0 || words <= 3 && matches!(after, Some((Kind::Number | Kind::Sep | Kind::Ratio, _)))
    }

    /// Where the key's text lies, None when it cannot be one.
    fn key_span(&self, line: &str, key: Key) -> Option<(usize, usize)> {
        let (mut first, mut last) = (key.first, key.last);
        let junk = |t: &Token| !text(line, t).bytes().any(|b| b.is_ascii_alphanumeric() || b >= 0x80 || b == b'%');
        while first < last && self.tokens.get(first).is_some_and(junk) {
            first += 1;
        }
        while last > first && self.tokens.get(last).is_some_and(|t| t.kind == Kind::Word && junk(t)) {
            last -= 1;
        }
        let (from, to) = (self.tokens.get(first)?.from, self.tokens.get(last)?.to);
        let name = line.get(from..to)?;
        let starts = name.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '#' | '%' | '<' | '@' | '$'));
        let good = starts && to - from <= LONGEST_KEY && name.bytes().any(|b| b.is_ascii_alphabetic() || b >= 0x80);
        (good && !name.contains(['"', '\\', '`', '━', '█'])).then_some((from, to))
    }
}

/// A ratio as a metric: `9825/10000` correct.
fn ratio(token: &Token) -> Option<f64> {
    (token.total > 0.0 && token.value >= 0.0 && token.value <= token.total).then(|| token.value / token.total)
}

/// The text of a token.
pub fn text<'a>(line: &'a str, token: &Token) -> &'a str {
    line.get(token.from..token.to).unwrap_or_default()
}
