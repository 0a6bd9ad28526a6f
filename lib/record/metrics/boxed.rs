//! Boxed tables of two columns, name and number, with group rows (`| rollout/ | |`): stable-baselines, Lightning's
//! `Validate metric`. A counter among the rows (`total_timesteps`, `Epoch`) holds for all of them, also those before it,
//! so rows wait until the box closes. A box without one counts only if its title speaks of metrics.

use super::head::Own;
use super::token::{Kind, Token, tokenize};
use super::words::{self, Counts, Plain};

/// Rows kept of one box.
const MOST: usize = 512;

/// A row: its line, name and number.
#[derive(Debug)]
pub struct Row {
    /// Line in the log
    pub line: u64,
    /// Name with its group
    pub name: String,
    /// The number
    pub value: f64,
}

/// The box that is being read.
#[derive(Debug, Default)]
pub struct Boxed {
    /// Its rows so far
    pub rows: Vec<Row>,
    /// Its counters
    pub own: Own,
    /// A title row spoke of metrics
    titled: bool,
    group: String,
    group_indent: usize,
    tokens: Vec<Token>,
}

/// Whether a line can be part of a box.
pub fn starts(text: &str) -> bool {
    text.starts_with(['|', '│', '┃', '┏', '┡', '└', '├', '╞', '┌', '╒', '╘', '╭', '╰', '║'])
}

impl Boxed {
    /// Whether a box is open.
    pub fn is_open(&self) -> bool {
        self.titled || !self.rows.is_empty() || self.own.any() || !self.group.is_empty()
    }

    /// Whether what was read is worth reporting.
    pub fn is_good(&self) -> bool {
        !self.rows.is_empty() && (self.own.any() || self.titled)
    }

    /// Forgets the box.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.group.clear();
        self.own = Own::default();
        self.titled = false;
    }

    /// Reads a line `name number` of a final summary. False: it is none.
    pub fn read_summary(&mut self, line: u64, text: &str) -> bool {
        let mut words = text.split_whitespace();
        let (Some(name), Some(value), None) = (words.next(), words.next(), words.next()) else { return false };
        tokenize(value, &mut self.tokens);
        let number = match self.tokens.as_slice() {
            [one] if one.kind == Kind::Number => *one,
            _ => return false,
        };
        self.titled = true;
        self.put(line, name, 0, &number);
        true
    }

    /// Reads a line of a box. False: it has not the form of a row with two cells.
    pub fn read(&mut self, line: u64, text: &str) -> bool {
        let text = text.trim();
        let bars = ['|', '│', '┃', '║'];
        let Some(inner) = text.strip_prefix(bars).and_then(|t| t.strip_suffix(bars)) else { return false };
        let mut cells = inner.split(bars);
        let (Some(name), Some(value), None) = (cells.next(), cells.next(), cells.next()) else { return false };
        let indent = name.len() - name.trim_start().len();
        let (name, value) = (name.trim(), value.trim());
        if value.is_empty() {
            if let Some(group) = name.strip_suffix('/') {
                self.group = group.to_string();
                self.group_indent = indent;
            }
            return true;
        }
        tokenize(value, &mut self.tokens);
        let number = match self.tokens.as_slice() {
            [one] if one.kind == Kind::Number => *one,
            _ => {
                self.titled |= name.to_ascii_lowercase().contains("metric");
                return true;
            }
        };
        self.put(line, name, indent, &number);
        true
    }

    fn put(&mut self, line: u64, name: &str, indent: usize, number: &Token) {
        let counts = words::counts(Plain::of(name).str());
        if number.whole && matches!(counts, Some(Counts::Epoch | Counts::Step)) {
            self.own.set(counts, number);
        } else if self.rows.len() < MOST && !name.starts_with('_') && name.bytes().any(|b| b.is_ascii_alphabetic()) {
            let grouped = !self.group.is_empty() && indent > self.group_indent;
            let name = if grouped { format!("{}/{name}", self.group) } else { name.to_string() };
            self.rows.push(Row { line, name, value: number.value });
        }
    }
}
