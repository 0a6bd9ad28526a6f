//! Log lines -> counters and values, without regular expressions and without knowing the program that wrote them.
//!
//! `Recogniser` takes clean lines in order and reports what it finds, holding what is in force between lines: counters
//! are sticky (a heading `Epoch 1/3` holds for the lines below it), a table header holds for its rows, an indented block
//! belongs to the heading above. The recognisers are asked in this order: boxed table, rows under a header, object,
//! progress bar, fields. The rule that keeps nonsense out: no value without a counter, and on a line that has none of
//! its own only what surely names a metric. A line in which over a quarter of the values are no numbers is a settings
//! dump. `Extractor` does the whole way from bytes to points, and puts the values of one position together.

use super::history::Point;
use fields::Part;
use head::Own;
use std::fmt::Write;

mod bar;
mod boxed;
mod extract;
mod fields;
mod head;
mod object;
mod prefix;
mod special;
mod table;
#[cfg(test)]
mod tests;
mod token;
mod words;

pub use extract::{Extractor, holds_records};
pub use fields::Fields;
pub use table::counter_of;
pub use token::number_at;

/// What was found on one line.
#[derive(Debug)]
pub struct Found<'a> {
    /// Line in the log, from 1
    pub line: u64,
    /// Which recogniser, or the template
    pub by: &'a str,
    /// Counters and values
    pub point: &'a Point,
}

/// The counters in force.
#[derive(Debug, Default)]
struct Scope {
    own: Own,
    /// The epoch stood alone on its line: it holds for lines that have a step of their own
    heading: bool,
}

/// What the indented lines below a heading are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Block {
    #[default]
    None,
    /// `key: number`
    Pairs,
    /// `key number`, and the counters may come last
    Summary,
}

/// Reads lines in order, see the module.
#[derive(Debug, Default)]
pub struct Recogniser {
    scope: Scope,
    block: Block,
    section: Option<&'static str>,
    /// The columns of a table `name | number | number`
    columns: Option<[&'static str; 2]>,
    /// The measures of a detection report
    measures: Vec<String>,
    fields: fields::Fields,
    members: object::Members,
    bar: bar::Bar,
    boxed: boxed::Boxed,
    table: table::Table,
    point: Point,
    name: String,
}

/// Where what is found goes.
type Sink<'a> = &'a mut dyn FnMut(&Found);

impl Recogniser {
    /// At the start of a log.
    pub fn new() -> Recogniser {
        Recogniser::default()
    }

    /// Reads the next line, which has the number `line`.
    pub fn line(&mut self, line: u64, text: &str, sink: Sink) {
        let text = text.trim_end();
        if boxed::starts(text.trim_start()) && self.in_box(line, text) {
            return;
        }
        if self.block == Block::Summary {
            let rest = prefix::strip(text);
            if self.boxed.read_summary(line, rest) || rest.starts_with(' ') && !rest.trim().is_empty() {
                return;
            }
        }
        if self.boxed.is_open() {
            self.block = Block::None;
            self.close_box(sink);
        }
        if text.is_empty() {
            self.block = Block::None;
            return;
        }
        if let Some((layer, norm)) = special::weights(text) {
            self.report_weights(line, layer, norm, sink);
            return;
        }
        let rest = prefix::strip(text);
        if self.table.is_open() && (self.table.row(text) || rest.len() < text.len() && self.table.row(rest)) {
            self.report_row(line, sink);
            return;
        }
        if !rest.bytes().any(|b| b.is_ascii_digit()) && !has_not_finite(rest) {
            self.heading(rest);
            return;
        }
        if could_be_header(rest) {
            self.table.header(rest);
        }
        if text.contains('{') && self.members.read(text) && self.report_object(line, sink) {
            return;
        }
        self.read_fields(line, rest, sink);
    }

    /// The end of the log, or a pause: reports what waits for more.
    pub fn finish(&mut self, sink: Sink) {
        self.close_box(sink);
    }

    fn in_box(&mut self, line: u64, text: &str) -> bool {
        let row = text.trim_start().starts_with('|') && self.table.is_open() && self.table.row(text);
        let header = !row && text.matches('|').count() > 2 && self.table.header(text);
        if row || header {
            // Rows between bars are reported as rows: not here.
            return header;
        }
        self.boxed.read(line, text) || !text.trim_start().starts_with('|')
    }

    fn close_box(&mut self, sink: Sink) {
        if self.boxed.is_good() {
            for i in 0..self.boxed.rows.len() {
                self.point.clear();
                put_counters(&mut self.point, &self.boxed.own);
                let Some(row) = self.boxed.rows.get(i) else { break };
                push(&mut self.point, &mut self.name, "", &row.name, Part::Whole, row.value);
                sink(&Found { line: row.line, by: "box", point: &self.point });
            }
        }
        self.boxed.clear();
    }

    fn report_row(&mut self, line: u64, sink: Sink) {
        self.point.clear();
        put_counters(&mut self.point, &self.table.own);
        self.scope = Scope { own: self.table.own, heading: false };
        for (column, value) in &self.table.cells {
            push(&mut self.point, &mut self.name, "", self.table.name(*column), Part::Whole, *value);
        }
        let by = if self.table.is_csv() { "csv" } else { "table" };
        self.report(line, by, sink);
    }

    /// The one kind of value that needs no counter: nobody else writes such lines.
    fn report_weights(&mut self, line: u64, layer: &str, norm: f64, sink: Sink) {
        self.point.clear();
        put_counters(&mut self.point, &self.scope.own);
        self.name.clear();
        self.name.push_str("norm/");
        self.name.push_str(layer);
        self.point.push_value(&self.name, norm);
        self.report(line, "weights", sink);
    }

    fn report(&mut self, line: u64, by: &str, sink: Sink) {
        if !self.point.is_empty() {
            sink(&Found { line, by, point: &self.point });
        }
    }

    /// Lines without a number: what they say of the lines below.
    fn heading(&mut self, rest: &str) {
        if rest.len() > 4000 {
            return;
        }
        let words = rest.trim();
        let is_header = could_be_header(rest) && self.table.header(rest);
        if is_header {
            return;
        }
        self.columns = special::columns(words).or(self.columns.filter(|_| words.contains('|')));
        let lower = words.to_ascii_lowercase();
        let lower = lower.trim_matches(['*', ' ', ':', '=', '-', '#']);
        if words.ends_with([':', '*']) && matches!(lower, "final results" | "final result" | "results" | "run summary")
            || lower.ends_with(" metrics") && words.starts_with("*****")
        {
            self.scope = Scope::default();
            self.section = None;
            self.block = if lower == "run summary" { Block::Summary } else { Block::Pairs };
        } else if words.ends_with(':') && is_section(lower) {
            self.section = lower.split(' ').find_map(words::split);
        } else if !rest.starts_with([' ', '\t']) {
            self.block = Block::None;
        }
    }

    fn report_object(&mut self, line: u64, sink: Sink) -> bool {
        let members = &self.members;
        let mut own = Own::default();
        for (name, value) in &members.numbers {
            let last = name.rsplit('/').next().unwrap_or(name);
            own.set_named(last, *value);
        }
        let dump = members.others * 2 > members.numbers.len() || (!own.any() && members.others > 0);
        let counters = if own.any() { own } else { self.scope.own };
        if dump || !counters.any() {
            return false;
        }
        self.point.clear();
        self.point.t = members.t;
        put_counters(&mut self.point, &counters);
        for (name, value) in &members.numbers {
            let last = name.rsplit('/').next().unwrap_or(name);
            if !Own::default().set_named(last, *value) {
                push(&mut self.point, &mut self.name, "", name, Part::Whole, *value);
            }
        }
        self.report(line, "object", sink);
        true
    }

    fn read_fields(&mut self, line: u64, rest: &str, sink: Sink) {
        let indent = rest.len() - rest.trim_start().len();
        if self.special(line, rest, sink) {
            return;
        }
        if self.block == Block::None && !promising(rest) {
            return;
        }
        let is_bar = rest.contains("%|") && self.bar.read(rest);
        if is_bar {
            self.fields.read(&self.bar.text);
            if self.bar.at.is_some() && self.fields.own.batch.is_none() {
                self.fields.own = self.fields.own.with_batch(self.bar.at);
            }
        } else {
            // A bar of blocks (rich) wraps its values over the lines below: nothing there can be told apart.
            let blocks = rest.contains('━') && !rest.trim_start().starts_with(|c: char| c.is_ascii_digit());
            if blocks {
                return;
            }
            self.fields.read(rest);
        }
        let numbers = self.fields.pairs.len();
        if self.fields.others * 3 > numbers + 1 && self.fields.others * 4 > self.fields.others + numbers {
            if indent == 0 {
                self.block = Block::None;
            }
            // A settings dump, unless it only says where we are.
            if numbers == 0 && self.fields.own.any() && self.fields.others < 2 {
                self.enter(true, indent);
            }
            return;
        }
        let own = self.fields.own.any();
        let line_text = if is_bar { self.bar.text.as_str() } else { rest };
        choose(&mut self.fields, line_text, indent, &self.scope, self.block, self.section);
        let heading = self.fields.pairs.is_empty();
        if own {
            self.enter(heading, indent);
        } else if indent == 0 {
            self.block = Block::None;
        }
        if heading {
            return;
        }
        self.point.clear();
        let counters = if own { self.scope.own } else { self.inherited(rest) };
        put_counters(&mut self.point, &counters);
        let line_text = if is_bar { self.bar.text.as_str() } else { rest };
        for pair in &self.fields.pairs {
            let split = pair.split.or(if own { None } else { self.section }).unwrap_or_default();
            let key = line_text.get(pair.from..pair.to).unwrap_or_default();
            push(&mut self.point, &mut self.name, split, key, pair.part, pair.value);
        }
        let by = match (is_bar, own, self.block) {
            (true, ..) => "bar",
            (_, false, Block::Pairs) => "block",
            _ => "fields",
        };
        self.report(line, by, sink);
    }

    /// Lines whose form is their own, see there.
    fn special(&mut self, line: u64, rest: &str, sink: Sink) -> bool {
        if let Some(splits) = self.columns {
            let Some((name, numbers)) = special::row(rest) else {
                self.columns = None;
                return false;
            };
            let values = splits.into_iter().zip(numbers).filter_map(|(split, value)| Some((split, name, value?)));
            report_epoch(&mut self.point, &mut self.name, &self.scope, line, values, sink);
            return true;
        }
        if let Some(measures) = special::detection_heading(rest) {
            self.measures = measures;
            return true;
        }
        if !self.measures.is_empty()
            && let Some(numbers) = special::detection_row(rest, self.measures.len())
        {
            let values = self.measures.iter().zip(numbers).map(|(name, value)| ("", name.as_str(), value));
            report_epoch(&mut self.point, &mut self.name, &self.scope, line, values, sink);
            return true;
        }
        self.darknet(line, rest, sink)
    }

    fn darknet(&mut self, line: u64, rest: &str, sink: Sink) -> bool {
        if rest.starts_with("v3 (") || rest.starts_with("Region ") {
            // What it says of each part of a batch.
            return true;
        }
        if !rest.contains(" rate, ") {
            return false;
        }
        let Some((step, values)) = special::darknet(rest) else { return false };
        self.scope = Scope::default();
        self.scope.own.set_named("step", step);
        self.point.clear();
        put_counters(&mut self.point, &self.scope.own);
        for (name, value) in values {
            self.point.push_value(name, value);
        }
        self.report(line, "darknet", sink);
        true
    }

    /// Puts the line's own counters in force.
    fn enter(&mut self, heading: bool, indent: usize) {
        let own = self.fields.own;
        let scope = &mut self.scope;
        if heading && own.epoch.is_none() && own.step.is_none() {
            // A bar of anything: a download.
            return;
        }
        if own.epoch.is_some() {
            *scope = Scope { own, heading };
        } else if own.batch.is_some() {
            let epoch = scope.own.epoch;
            scope.own = own.with_epoch(epoch);
        } else {
            let epoch = scope.own.epoch.filter(|_| scope.heading);
            scope.own = own.with_epoch(epoch);
            scope.heading &= epoch.is_some();
        }
        if own.epoch.is_some() && !heading {
            self.section = None;
        }
        if heading {
            self.block = Block::Pairs;
        } else if indent == 0 {
            self.block = Block::None;
        }
    }

    /// The counters for a line that has none: the position within an epoch belongs to the data it was printed for.
    fn inherited(&self, line: &str) -> Own {
        let own = self.scope.own;
        let fields = &self.fields;
        let first = fields.pairs.first().and_then(|pair| line.get(pair.from..pair.to)).unwrap_or_default();
        let told = words::split(first.split(' ').next().unwrap_or_default()).is_some();
        let other = told || fields.split.is_some() || fields.starred || self.section.is_some();
        if other { own.with_batch(None) } else { own }
    }
}

/// Reports values that belong to the epoch in force, if there is one.
fn report_epoch<'a>(
    point: &mut Point,
    name: &mut String,
    scope: &Scope,
    line: u64,
    values: impl Iterator<Item = (&'a str, &'a str, f64)>,
    sink: Sink,
) {
    if !scope.own.any() {
        return;
    }
    point.clear();
    put_counters(point, &scope.own.with_batch(None));
    for (split, key, value) in values {
        push(point, name, split, key, Part::Whole, value);
    }
    if !point.is_empty() {
        sink(&Found { line, by: "table", point });
    }
}

/// Leaves only the pairs that are metrics, given what is in force.
fn choose(
    fields: &mut fields::Fields,
    line: &str,
    indent: usize,
    scope: &Scope,
    block: Block,
    section: Option<&'static str>,
) {
    if fields.own.any() {
        return;
    }
    let inherits = scope.own.any() && indent < 40;
    let block = if indent > 0 && indent < 40 { block } else { Block::None };
    let told = fields.starred || fields.split.is_some();
    // A line of a block is one pair.
    let first = fields.pairs.first().map_or(0, |p| p.from);
    let alone = fields.others == 0 && first <= indent + 3 && fields.pairs.iter().all(|p| p.from == first);
    fields.keep(line, |pair, key| match block {
        Block::Pairs if alone && !pair.bare => true,
        _ => {
            let sure = words::is_metric(key) || (pair.equals && section.is_some() && key.starts_with("time"));
            let prose = key.contains(' ') && !pair.equals && key.split(' ').any(words::is_prose);
            let whole = pair.whole || matches!(pair.part, Part::Item(_));
            inherits && sure && !prose && (told || !pair.bare && !whole) && !pair.spelled && !words::is_setting(key)
        }
    });
}

/// `nan` or `inf` as a word.
fn has_not_finite(text: &str) -> bool {
    let b = text.as_bytes();
    b.windows(3).any(|w| matches!(w, b"nan" | b"NaN" | b"inf" | b"Inf" | b"NAN"))
}

fn could_be_header(text: &str) -> bool {
    let b = text.as_bytes();
    let from = b.iter().position(|c| !matches!(c, b' ' | b'\t' | b'|' | b'"')).unwrap_or(b.len());
    let starts = |word: &str| b.get(from..from + word.len()).is_some_and(|s| s.eq_ignore_ascii_case(word.as_bytes()));
    let first = b.get(from).is_some_and(|c| matches!(c, b'e' | b'E' | b's' | b'S' | b'i' | b'I' | b'#'));
    (first && ["epoch", "e ", "step", "iter", "#"].into_iter().any(starts)) || !b.contains(&b' ') && b.contains(&b',')
}

/// Whether a line can hold fields at all: it has a separator, or names a counter, or is a summary.
fn promising(text: &str) -> bool {
    let separated = text.bytes().any(|b| matches!(b, b'=' | b':' | b'[' | b'|' | b'\t'));
    separated || ["poch", "tep", "ter", "pdate"].iter().any(|w| text.contains(w)) || text.trim_start().starts_with('*')
}

/// Only words such as `on testing set`.
fn is_section(lower: &str) -> bool {
    let mut splits = 0;
    let known = lower.split(' ').all(|word| {
        splits += usize::from(words::split(word).is_some());
        words::split(word).is_some() || matches!(word, "on" | "the" | "set" | "data" | "dataset" | "subset")
    });
    known && splits == 1
}

fn put_counters(point: &mut Point, own: &Own) {
    for (name, value) in own.named() {
        point.set_counter(name, value);
    }
}

/// Adds a value under its name: as printed, blanks to `_`.
fn push(point: &mut Point, name: &mut String, split: &str, key: &str, part: Part, value: f64) {
    name.clear();
    name.push_str(split);
    let mut blank = false;
    for c in key.trim().chars() {
        if c == ' ' || c == '\t' {
            blank = true;
            continue;
        }
        if std::mem::take(&mut blank) {
            name.push('_');
        }
        name.push(c);
    }
    match part {
        Part::Whole => {}
        Part::Item(index) => _ = write!(name, ".{index}"),
        Part::Spread => name.push_str(".std"),
    }
    point.push_value(name, value);
}
