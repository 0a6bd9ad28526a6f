//! The live screen: counts and hosts, then a line a run, one of them chosen; Enter shows that one in full (detail.rs).
//!
//! One loop: look, draw the whole screen, wait for a key, a signal, or the next look. Each line is cut to the width of the
//! terminal and goes to its own place, so that nothing scrolls and nothing is left over.

use crate::Opts;
use crate::detail::Detail;
use crate::keys::{Key, Terminal};
use crate::layout::{CURVE, Layout};
use crate::model::Model;
use crate::row::{Row, rows};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Doing, Result};
use nn::base::sys::{self, Signal, Signals};
use nn::base::text::{escape, fit, width};
use nn::base::time::Time;
use nn::spool::state::Folder;
use std::time::{Duration, Instant};

/// Between two looks at the spool.
const LOOK: Duration = Duration::from_secs(2);

/// What rows can be sorted by.
const ORDERS: [&str; 4] = ["queue", "name", "time", "value"];

struct Screen {
    model: Model,
    rows: Vec<Row>,
    /// Number of the run that is chosen
    chosen: Option<u64>,
    top: usize,
    order: usize,
    filter: String,
    /// The filter is being typed
    typing: bool,
    detail: Option<Detail>,
    colours: bool,
    trouble: Option<String>,
}

/// Shows it until q is typed.
///
/// # Errors
/// There is no spool, or no terminal to be set up.
pub fn live(opts: Opts, out: &mut Out) -> Result<Exit> {
    let model = Model::new(opts)?;
    let caught = [Signal::INT, Signal::TERM, Signal::HUP, Signal::WINCH, Signal::TSTP, Signal::CONT];
    let signals = Signals::catch(&caught).doing("catch", "signals")?;
    let mut screen = Screen {
        model,
        rows: Vec::new(),
        chosen: None,
        top: 0,
        order: 0,
        filter: String::new(),
        typing: false,
        detail: None,
        colours: cli::colours(true),
        trouble: None,
    };
    let mut terminal = Terminal::enter(out)?;
    let ended = screen.run(&mut terminal, &signals, out);
    terminal.leave(out);
    ended
}

impl Screen {
    fn run(&mut self, terminal: &mut Terminal, signals: &Signals, out: &mut Out) -> Result<Exit> {
        let mut look_at = Instant::now();
        loop {
            if Instant::now() >= look_at {
                self.look();
                look_at = Instant::now() + LOOK;
            }
            self.draw(out)?;
            if !terminal.wait(signals, look_at.saturating_duration_since(Instant::now())) {
                return Ok(Exit::DONE);
            }
            while let Some(signal) = signals.wait(Some(Duration::ZERO)) {
                match signal {
                    Signal::INT | Signal::TERM | Signal::HUP => return Ok(Exit::DONE),
                    Signal::TSTP => {
                        terminal.leave(out);
                        sys::suspend();
                        terminal.resume(out)?;
                    }
                    _ => {}
                }
            }
            while let Some(key) = terminal.key() {
                if !self.on_key(key) {
                    return Ok(Exit::DONE);
                }
            }
        }
    }

    fn look(&mut self) {
        self.trouble = self.model.look().err().map(|err| err.to_string());
        self.sort();
        if let Some(detail) = &mut self.detail {
            detail.look(&self.model.spool);
        }
    }

    /// The rows that the filter lets through, in the order chosen.
    fn sort(&mut self) {
        let mut rows = rows(&self.model, CURVE);
        let wanted = self.filter.to_lowercase();
        let fits = |row: &Row| {
            [&row.name, &row.group, &row.state, &row.note, &row.run.to_string()]
                .iter()
                .any(|text| text.to_lowercase().contains(&wanted))
        };
        rows.retain(fits);
        let value = |row: &Row| row.values.first().map_or(f64::INFINITY, |(_, value)| *value);
        match ORDERS.get(self.order) {
            Some(&"name") => rows.sort_by(|a, b| a.name.cmp(&b.name)),
            Some(&"time") => rows.sort_by_key(|row| std::cmp::Reverse(row.elapsed)),
            Some(&"value") => rows.sort_by(|a, b| value(a).total_cmp(&value(b))),
            _ => {}
        }
        self.rows = rows;
        if self.place().is_none() {
            self.chosen = self.rows.first().map(|row| row.run);
        }
    }

    /// Where the chosen run stands among the rows.
    fn place(&self) -> Option<usize> {
        self.rows.iter().position(|row| Some(row.run) == self.chosen)
    }

    /// False: leave.
    fn on_key(&mut self, key: Key) -> bool {
        if self.typing {
            match key {
                Key::Char(c) => self.filter.push(c),
                Key::Back => drop(self.filter.pop()),
                Key::Escape => {
                    self.filter.clear();
                    self.typing = false;
                }
                Key::Enter => self.typing = false,
                _ => {}
            }
            self.sort();
            return true;
        }
        if let Some(detail) = &mut self.detail {
            match key {
                Key::Char('q') | Key::Escape | Key::Back | Key::Enter => self.detail = None,
                key => detail.on_key(key),
            }
            return true;
        }
        let last = self.rows.len().saturating_sub(1);
        let at = self.place().unwrap_or(0);
        let to = match key {
            Key::Char('q') => return false,
            Key::Char('s') => {
                self.order = (self.order + 1) % ORDERS.len();
                self.sort();
                return true;
            }
            Key::Char('/') => {
                self.typing = true;
                return true;
            }
            Key::Escape => {
                self.filter.clear();
                self.sort();
                return true;
            }
            Key::Enter => {
                self.detail = self.chosen.map(|run| Detail::new(&self.model.spool, run));
                return true;
            }
            Key::Up | Key::Char('k') => at.saturating_sub(1),
            Key::Down | Key::Char('j') => at + 1,
            Key::PageUp => at.saturating_sub(10),
            Key::PageDown => at + 10,
            Key::Home => 0,
            Key::End => last,
            _ => at,
        };
        self.chosen = self.rows.get(to.min(last)).map(|row| row.run);
        true
    }

    fn draw(&mut self, out: &mut Out) -> Result<()> {
        let (columns, lines) = out.terminal_size().unwrap_or((80, 24));
        let text = match &self.detail {
            Some(detail) => detail.lines(&self.model, columns, lines, self.colours),
            None => self.overview(columns, lines),
        };
        // Each line in its place: one that a terminal shows wider than it was counted moves no other. It is cleared before,
        // for after a whole line the cursor still stands on its last character.
        for (i, line) in text.iter().take(lines).enumerate() {
            write!(out, "\x1b[{};1H\x1b[2K{line}\x1b[0m", i + 1)?;
        }
        out.flush()
    }

    fn overview(&mut self, columns: usize, lines: usize) -> Vec<String> {
        let mut text = vec![self.heading(columns)];
        let hosts = self.model.hosts.lines();
        // The runs matter more: hosts take a third at most.
        text.extend(hosts.iter().take((lines / 3).max(1)).map(|line| fit(&escape(line), columns)));
        if let Some(trouble) = &self.trouble {
            text.push(fit(&escape(trouble), columns));
        }
        let room = lines.saturating_sub(text.len() + 2).max(1);
        let at = self.place().unwrap_or(0);
        self.top = self.top.min(at).max((at + 1).saturating_sub(room)).min(self.rows.len().saturating_sub(1));
        let layout = Layout::of(&self.rows, columns);
        text.push(self.style("7", &layout.heading(columns)));
        for row in self.rows.iter().skip(self.top).take(room) {
            let line = layout.line(row, columns);
            let style = match (Some(row.run) == self.chosen, row.state.as_str(), row.warning.is_empty()) {
                (true, ..) => "1;7",
                (_, "failed", _) => "31",
                (_, "running", false) => "33",
                (_, "running", true) => "32",
                (_, "queued" | "held", _) => "2",
                _ => "",
            };
            text.push(self.style(style, &line));
        }
        if self.rows.is_empty() {
            text.push(if self.filter.is_empty() { "nothing runs and nothing waits" } else { "no run fits" }.into());
        }
        text.resize(lines.saturating_sub(1), String::new());
        text.push(self.footer(columns));
        text
    }

    fn heading(&self, columns: usize) -> String {
        let counts = Folder::ALL.iter().filter_map(|folder| {
            let count = self.model.counts.get(folder).filter(|count| **count > 0)?;
            Some(format!("{count} {}", folder.name()))
        });
        let counts = counts.collect::<Vec<_>>().join("  ");
        let now = Time::now().local();
        // Where there is little room, the time of day.
        let now = if columns < 100 { now.split(' ').next_back().unwrap_or_default() } else { &now };
        let left = format!("nn-watch  {counts}  {}", self.model.spool.dir().display());
        let left = fit(&escape(&left), columns.saturating_sub(now.len() + 2));
        let space = columns.saturating_sub(width(&left) + now.len());
        self.style("1", &format!("{left}{:space$}{now}", ""))
    }

    fn footer(&self, columns: usize) -> String {
        let text = match (self.typing, self.filter.is_empty()) {
            (true, _) => format!("/{}_   Enter: keep   Esc: all", self.filter),
            (_, false) => format!("filter /{}   Esc: all   q quit", self.filter),
            _ => {
                let order = ORDERS.get(self.order).unwrap_or(&"");
                format!("q quit   arrows choose   Enter one run   s sort ({order})   / filter")
            }
        };
        self.style("2", &fit(&escape(&text), columns))
    }

    fn style(&self, style: &str, text: &str) -> String {
        let marked = style.contains('7');
        if style.is_empty() || !self.colours && !marked { text.into() } else { format!("\x1b[{style}m{text}") }
    }
}
