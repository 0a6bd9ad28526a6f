//! The head of a line: where it stands and which data it speaks of, before the first metric. `Train Epoch: 1 [0/60000`,
//! `Epoch(val) [1][5/29]`, `[Epoch 0 Batch 100/1000]`, `iteration  20/ 40000 |`, `* Finished epoch # 1`, `12/12 ━━━ -`,
//! `[7]<tab>`, `7:<tab>`, `e 0, i 0:`, `1epoch:train:1-682batch:`, `validation loss at iteration 1000 |`.

use super::fields::text;
use super::token::{Kind, Token};
use super::words::{self, Counts, Plain};

/// The counters of a line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Own {
    /// Passes
    pub epoch: Option<f64>,
    /// Updates
    pub step: Option<f64>,
    /// Position within the epoch
    pub batch: Option<f64>,
    /// Its end
    pub batches: Option<f64>,
    /// A step that was printed as `n/m`: within an epoch, it is a batch
    step_of: Option<f64>,
    /// `iters`, a counter only beside an epoch
    weak_step: Option<f64>,
}

impl Own {
    /// Whether it says where the line stands. A batch alone does not.
    pub fn any(&self) -> bool {
        self.epoch.is_some() || self.step.is_some() || self.batches.is_some()
    }

    /// Takes a number under a name that counts; the first of a kind holds.
    pub fn set(&mut self, counts: Option<Counts>, token: &Token) {
        let total = (token.kind == Kind::Ratio).then_some(token.total);
        match counts {
            Some(Counts::Epoch) => _ = self.epoch.get_or_insert(token.value),
            Some(Counts::Step) if self.step.is_none() => {
                self.step = Some(token.value);
                self.step_of = total;
            }
            Some(Counts::StepOfEpoch) => {
                self.weak_step.get_or_insert(token.value);
                self.step_of = self.step_of.or(total);
            }
            Some(Counts::Batch) if self.batch.is_none() => {
                self.batch = Some(token.value);
                self.batches = total;
            }
            _ => {}
        }
    }

    /// Takes a number under any name. False: the name is that of a metric.
    pub fn set_named(&mut self, name: &str, value: f64) -> bool {
        let counts = words::counts(Plain::of(name).str());
        match counts {
            None => return false,
            Some(Counts::Epoch) => _ = self.epoch.get_or_insert(value),
            Some(Counts::Nothing) => {}
            Some(_) if value.fract() != 0.0 => return false,
            Some(Counts::Batch) => _ = self.batch.get_or_insert(value),
            Some(Counts::Step | Counts::StepOfEpoch) => _ = self.step.get_or_insert(value),
        }
        true
    }

    /// The same within an epoch.
    pub fn with_epoch(self, epoch: Option<f64>) -> Own {
        Own { epoch, ..self }
    }

    /// The same at the position within the epoch and its end, or at none.
    pub fn with_batch(self, position: Option<(f64, f64)>) -> Own {
        Own { batch: position.map(|p| p.0), batches: position.map(|p| p.1), ..self }
    }

    /// The counters that are known, by name.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let all = [("epoch", self.epoch), ("batch", self.batch), ("batches", self.batches), ("step", self.step)];
        all.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }

    /// A bare `n/m`.
    fn set_batch(&mut self, token: &Token) {
        if self.batch.is_none() {
            self.batch = Some(token.value);
            self.batches = Some(token.total);
        }
    }

    /// Decides what depends on the whole line; `steps` leads it when its first key does.
    pub fn settle(&mut self, leads: bool) {
        if self.epoch.is_none() {
            self.step = self.step.or(self.weak_step.filter(|_| leads));
            return;
        }
        if let (None, Some(step)) = (self.step, self.weak_step) {
            self.step = Some(step);
        }
        if let (Some(step), Some(total), None) = (self.step, self.step_of, self.batch) {
            (self.batch, self.batches) = (Some(step), Some(total));
            self.step = None;
        }
    }
}

/// What the head says, and the first token after it.
#[derive(Debug, Default)]
pub struct Head {
    /// The counters
    pub own: Own,
    /// The prefix for names
    pub split: Option<&'static str>,
    /// The first token that is not head
    pub end: usize,
}

/// Reads the head.
pub fn read(line: &str, tokens: &[Token]) -> Head {
    let mut reader = Reader { line, tokens, own: Own::default(), split: None };
    let mut at = 0;
    let mut end = 0;
    while let Some(next) = reader.step(at) {
        at = next;
        if reader.own.any() || reader.own.batch.is_some() || reader.split.is_some() {
            end = at;
        }
    }
    Head { own: reader.own, split: reader.split, end }
}

struct Reader<'a> {
    line: &'a str,
    tokens: &'a [Token],
    own: Own,
    split: Option<&'static str>,
}

impl Reader<'_> {
    fn kind(&self, at: usize) -> Option<Kind> {
        self.tokens.get(at).map(|t| t.kind)
    }

    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map(|t| text(self.line, t)).unwrap_or_default()
    }

    /// Reads what stands at a token as part of the head; None: the head ends here.
    fn step(&mut self, at: usize) -> Option<usize> {
        let token = *self.tokens.get(at)?;
        match token.kind {
            Kind::Break | Kind::Sep => Some(at + 1),
            Kind::Group => Some(at + 1),
            Kind::Open => self.bracket(at),
            Kind::Close => Some(at + 1),
            Kind::Ratio => self.ratio(at, &token),
            Kind::Number => self.leading(at, &token),
            Kind::Word => self.word(at),
        }
    }

    /// `64/1437 [=>...]`, `12/12 ━━━`, `23/23 - 3s`, or `100 / 1108` after an epoch.
    fn ratio(&mut self, at: usize, token: &Token) -> Option<usize> {
        let bar = match self.kind(at + 1)? {
            Kind::Open | Kind::Break => true,
            // `268/446 (epoch 0), loss = 2.1`
            Kind::Group => {
                let inner = self.text(at + 1).trim_matches(['(', ')']);
                let epoch = inner.strip_prefix("epoch ").and_then(|n| n.parse::<u32>().ok());
                if at == 0 && self.own.epoch.is_none() {
                    self.own.epoch = epoch.map(f64::from);
                }
                epoch.is_some()
            }
            Kind::Word => self.text(at + 1).starts_with(|c: char| !c.is_ascii()),
            _ => false,
        };
        let leads = at == 0 && bar;
        if !self.own.any() && !leads {
            return None;
        }
        self.own.set_batch(token);
        Some(at + 1)
    }

    /// `7:<tab>test: 0.98`, `0 [D loss: 0.6]`: a bare number at the very start.
    fn leading(&mut self, at: usize, token: &Token) -> Option<usize> {
        let next = self.tokens.get(at + 1)?;
        let after = self.tokens.get(at + 2)?;
        let colon = next.byte == b':' && next.gap == 0 && after.gap == 2 && after.kind == Kind::Word;
        let named = next.kind == Kind::Open && next.gap == 1 && after.kind == Kind::Word;
        if at > 0 || !token.whole || token.value < 0.0 || !(colon || named) || self.own.any() {
            return None;
        }
        self.own.set(Some(Counts::Step), token);
        Some(at + 1)
    }

    fn word(&mut self, at: usize) -> Option<usize> {
        if let Some(next) = self.counter(at) {
            return Some(next);
        }
        if self.split.is_none()
            && let Some(next) = self.split(at)
        {
            return Some(next);
        }
        let word = self.text(at);
        if words::is_filler(word) {
            return Some(at + 1);
        }
        // A field of one word before all others: the module that speaks.
        let lone = at == 0 && matches!(self.tokens.get(1), Some(t) if t.kind == Kind::Break && t.byte != b',');
        if lone { Some(at + 2) } else { self.glued(at) }
    }

    /// A word that counts, with its number.
    fn counter(&mut self, at: usize) -> Option<usize> {
        let word = self.text(at);
        let (base, inner) = match word.split_once('(') {
            Some((base, rest)) => (base, rest.strip_suffix(')').and_then(words::split)),
            None => (word, None),
        };
        let global = base.eq_ignore_ascii_case("global") && self.text(at + 1).eq_ignore_ascii_case("step");
        let counts = if global { Some(Counts::Step) } else { words::counts(Plain::of(base).str()) };
        let counts = counts.or(match base {
            "e" | "E" => Some(Counts::Epoch),
            "i" => Some(Counts::Step),
            _ => None,
        });
        let counts = counts.filter(|c| !matches!(c, Counts::Nothing))?;
        let mut i = at + 1 + usize::from(global);
        let mut bracket = false;
        for _ in 0..3 {
            match self.kind(i)? {
                Kind::Sep => i += 1,
                Kind::Word if matches!(self.text(i), "#" | "." | "no." | "No." | "number") => i += 1,
                Kind::Open if !bracket => (bracket, i) = (true, i + 1),
                _ => break,
            }
        }
        let mut token = *self.tokens.get(i)?;
        if bracket && counts == Counts::Batch && token.kind == Kind::Word {
            // `Batch [0-20]`
            token.value = self.text(i).split_once('-').and_then(|(_, end)| end.parse::<u32>().ok())?.into();
            token.whole = true;
        }
        // `Ep. 24.151` is a place within an epoch.
        let part = counts == Counts::Epoch && token.kind == Kind::Number && !token.unit && token.value.is_finite();
        let counted = token.whole || token.kind == Kind::Ratio || part;
        let ends = !bracket || matches!(self.kind(i + 1), Some(Kind::Close | Kind::Group));
        let short = base.len() == 1 && !matches!(self.kind(i + 1), Some(Kind::Break | Kind::Sep));
        if !counted || !ends || short || token.value < 0.0 {
            return None;
        }
        self.own.set(Some(counts), &token);
        if counts == Counts::Epoch && self.split.is_none() {
            self.split = inner;
        } else if let Some(inner) = inner {
            self.split.get_or_insert(inner);
        }
        i += 1;
        if bracket {
            i += 1 + usize::from(self.kind(i) == Some(Kind::Group));
        }
        if matches!(self.text(i), "of" | "out") && matches!(self.kind(i + 1), Some(Kind::Number)) {
            i += 2;
        }
        Some(i)
    }

    /// `[1]` `[ 10/50 (20%)]` `[Epoch 0 Batch 100/1000]` `[train]`, or brackets that say nothing.
    fn bracket(&mut self, at: usize) -> Option<usize> {
        let close = (at + 1..at + 16).find(|i| self.kind(*i).is_none_or(|k| k == Kind::Close))?;
        let inner = self.tokens.get(at + 1..close)?;
        let first = *inner.first()?;
        match first.kind {
            Kind::Number if inner.len() == 1 && first.whole => {
                let after = self.tokens.get(close + 1);
                let tabbed = at == 0 && after.is_some_and(|t| t.gap == 2 && t.kind == Kind::Word);
                if self.own.epoch.is_some() && self.own.batch.is_none() {
                    self.own.set(Some(Counts::Batch), &first);
                } else if tabbed && !self.own.any() {
                    self.own.set(Some(Counts::Step), &first);
                }
            }
            // `[1,  2000] loss: 2.5`
            Kind::Number if at == 0 && first.whole => {
                if let [_, comma, batch] = inner
                    && (comma.byte, batch.whole) == (b',', true)
                {
                    self.own.set(Some(Counts::Epoch), &first);
                    self.own.set(Some(Counts::Batch), batch);
                }
            }
            Kind::Ratio => {
                let then = self.tokens.get(close + 1..close + 3).unwrap_or_default();
                let two = matches!(then, [open, ratio] if open.kind == Kind::Open && ratio.kind == Kind::Ratio);
                if two && self.own.epoch.is_none() {
                    self.own.set(Some(Counts::Epoch), &first);
                } else {
                    self.own.set_batch(&first);
                }
            }
            Kind::Word if inner.len() == 1 && self.split.is_none() => {
                self.split = words::split(text(self.line, &first))
            }
            Kind::Word if self.counter(at + 1).is_some() => {
                let mut i = at + 1;
                while i < close
                    && let Some(next) = self.counter(i).or_else(|| (self.kind(i) == Some(Kind::Break)).then_some(i + 1))
                {
                    i = next;
                }
            }
            // A field in brackets: not of the head.
            _ if inner.iter().any(|t| t.kind == Kind::Sep) => return None,
            _ => {}
        }
        Some(close + 1)
    }

    /// `Train Epoch: 1`, `Test: [`, `Test set:`, `valid |`, `Train net output #0:`, `validation loss at iteration 9`.
    fn split(&mut self, at: usize) -> Option<usize> {
        let split = words::split(self.text(at))?;
        let (next, after) = (self.kind(at + 1)?, self.kind(at + 2));
        let end = match next {
            Kind::Sep => match after? {
                Kind::Open | Kind::Word => at + 2,
                // `Train: 0 [  10/50`, `Train: 1/3 ( 33%) [  10/50`: an epoch.
                Kind::Number | Kind::Ratio => {
                    let epoch = *self.tokens.get(at + 2)?;
                    let end = at + 3 + usize::from(self.kind(at + 3) == Some(Kind::Group));
                    if self.kind(end) != Some(Kind::Open) || !(epoch.whole || epoch.kind == Kind::Ratio) {
                        return None;
                    }
                    self.own.set(Some(Counts::Epoch), &epoch);
                    end
                }
                _ => return None,
            },
            Kind::Break | Kind::Close | Kind::Open => at + 1,
            Kind::Word => self.split_phrase(at)?,
            _ => return None,
        };
        self.split = Some(split);
        Some(end)
    }

    /// The words after one that names a set of data, up to the end of the heading they make.
    fn split_phrase(&mut self, at: usize) -> Option<usize> {
        let word = Plain::of(self.text(at + 1));
        match word.str() {
            "set" | "results" | "result" | "subset" | "dataset" | "data" | "metrics" | "stats" | "phase" => {
                let ends = matches!(self.kind(at + 2), Some(Kind::Sep | Kind::Break));
                let valued = matches!(self.kind(at + 3), Some(Kind::Number | Kind::Ratio));
                (ends && !valued).then_some(at + 3)
            }
            "net" if self.text(at + 2) == "output" => Some(at + 4),
            _ if words::counts(word.str()).is_some_and(|c| c != Counts::Nothing) => {
                self.counter(at + 1).map(|_| at + 1)
            }
            _ => {
                let place = (at + 1..at + 4).find(|i| self.text(*i) == "at")?;
                self.counter(place + 1)
            }
        }
    }

    /// `1epoch`, `1-682batch`.
    fn glued(&mut self, at: usize) -> Option<usize> {
        let word = self.text(at);
        let mut token = *self.tokens.get(at)?;
        let count = |text: &str| text.parse::<u32>().ok().map(f64::from);
        if let Some(epoch) = word.strip_suffix("epoch") {
            token.value = count(epoch)?;
            self.own.set(Some(Counts::Epoch), &token);
        } else {
            token.value = count(word.strip_suffix("batch")?.split_once('-')?.1)?;
            self.own.set(Some(Counts::Batch), &token);
        }
        Some(at + 1)
    }
}
