//! Templates for log lines that the recognisers do not understand: `Epoch {epoch}/{_} - loss: {train_loss}`.
//!
//! Literal text matches itself, one blank any run of blanks and tabs; a template may match anywhere in the line, `^`
//! first holds it to the start. `{name}` is a number; `{epoch}` `{step}` `{batch}` `{batches}` are counters and stay in
//! force; `{_}` is a number passed over; `{*}` the shortest text up to what follows; `{kv}` reads the rest of the line as
//! `key=value` fields, `{kv test/}` with a prefix; `{=test/}` sets a prefix for the lines below; `{{` is a brace. The
//! first template that matches a line wins; one without metrics just sets counters. Only `{*}` looks for a second place.

use super::history::{COUNTERS, Point, is_reserved};
use super::metrics::{Fields, Found, number_at};

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Literal(String),
    Blank,
    Counter(&'static str),
    Metric(String),
    Skip,
    Any,
    Fields(String),
    Prefix(String),
}

/// One template.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    parts: Vec<Part>,
    anchored: bool,
}

impl Pattern {
    /// Reads a template.
    ///
    /// # Errors
    /// A sentence that names the template and the column.
    pub fn parse(text: &str) -> Result<Pattern, String> {
        let anchored = text.starts_with('^');
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut chars = text.char_indices().skip(usize::from(anchored)).peekable();
        while let Some((at, c)) = chars.next() {
            let fail = |what: &str| {
                let column = text.get(..at).map_or(0, |before| before.chars().count()) + 1;
                Err(format!("pattern '{text}', column {column}: {what}"))
            };
            let doubled = matches!(chars.peek(), Some((_, next)) if *next == c);
            match c {
                '{' | '}' if doubled => {
                    chars.next();
                    literal.push(c);
                }
                '{' => {
                    end_literal(&mut parts, &mut literal);
                    let inner: String = chars.by_ref().map(|(_, c)| c).take_while(|c| *c != '}').collect();
                    if !text.get(at + 1 + inner.len()..).is_some_and(|rest| rest.starts_with('}')) {
                        return fail("'{' without '}' (a brace itself is '{{')");
                    }
                    match placeholder(&inner) {
                        Ok(part) => parts.push(part),
                        Err(what) => return fail(&what),
                    }
                }
                '}' => return fail("'}' without '{' (a brace itself is '}}')"),
                ' ' | '\t' => {
                    end_literal(&mut parts, &mut literal);
                    if parts.last() != Some(&Part::Blank) {
                        parts.push(Part::Blank);
                    }
                }
                c => literal.push(c),
            }
        }
        end_literal(&mut parts, &mut literal);
        if !parts.iter().any(|p| !matches!(p, Part::Literal(_) | Part::Blank | Part::Any | Part::Skip)) {
            return Err(format!("pattern '{text}', column 1: nothing to extract: no {{name}}, {{epoch}} or {{kv}}"));
        }
        Ok(Pattern { text: text.to_string(), parts, anchored })
    }
}

fn end_literal(parts: &mut Vec<Part>, literal: &mut String) {
    if !literal.is_empty() {
        parts.push(Part::Literal(std::mem::take(literal)));
    }
}

fn placeholder(inner: &str) -> Result<Part, String> {
    let prefix = |text: &str| {
        let text = text.trim();
        let good = !text.contains(|c: char| c.is_whitespace() || c.is_control() || "{\"\\".contains(c));
        good.then(|| text.to_string()).ok_or_else(|| format!("'{text}' cannot be a prefix"))
    };
    if let Some(counter) = COUNTERS.into_iter().find(|c| *c == inner) {
        return Ok(Part::Counter(counter));
    }
    match inner {
        "_" => return Ok(Part::Skip),
        "*" => return Ok(Part::Any),
        "kv" => return Ok(Part::Fields(String::new())),
        "" => return Err("{} needs a name".into()),
        _ => {}
    }
    if let Some(rest) = inner.strip_prefix("kv ") {
        return prefix(rest).map(Part::Fields);
    }
    if let Some(rest) = inner.strip_prefix('=') {
        return prefix(rest).map(Part::Prefix);
    }
    let odd = |c: char| c.is_whitespace() || c.is_control() || "{\"\\*=".contains(c);
    if inner.contains(odd) || is_reserved(inner) {
        return Err(format!("'{inner}' cannot name a metric"));
    }
    Ok(Part::Metric(inner.to_string()))
}

/// The templates of a log, and the counters and the prefix in force.
#[derive(Debug)]
pub struct Patterns {
    all: Vec<Pattern>,
    scope: Point,
    prefix: String,
    fields: Fields,
    point: Point,
}

/// What a template took from a line.
#[derive(Default)]
struct Taken<'a> {
    counters: Vec<(&'static str, f64)>,
    metrics: Vec<(&'a str, f64)>,
    fields: Option<(&'a str, usize)>,
    prefix: Option<&'a str>,
}

impl Patterns {
    /// To be tried in this order.
    pub fn new(all: Vec<Pattern>) -> Patterns {
        Patterns { all, scope: Point::new(), prefix: String::new(), fields: Fields::default(), point: Point::new() }
    }

    /// Reads the next line of a log.
    pub fn line(&mut self, line: u64, text: &str, sink: &mut dyn FnMut(&Found)) {
        let matched = self.all.iter().find_map(|p| find(p, text).map(|taken| (p, taken)));
        let Some((pattern, taken)) = matched else { return };
        if let Some(prefix) = taken.prefix {
            self.prefix = prefix.to_string();
        }
        enter(&mut self.scope, &taken.counters);
        self.point.clear();
        for (name, value) in self.scope.counters() {
            self.point.set_counter(name, value);
        }
        for (name, value) in &taken.metrics {
            self.point.push_value(&format!("{}{name}", self.prefix), *value);
        }
        if let Some((prefix, from)) = taken.fields {
            let rest = text.get(from..).unwrap_or_default();
            let prefix = if prefix.is_empty() { self.prefix.as_str() } else { prefix };
            self.fields.read_rest(rest, prefix, &mut self.point);
            for (name, value) in self.point.counters() {
                self.scope.set_counter(name, value);
            }
        }
        if !self.point.is_empty() {
            sink(&Found { line, by: &pattern.text, point: &self.point });
        }
    }
}

/// A new epoch ends what was in force within the old one.
fn enter(scope: &mut Point, counters: &[(&'static str, f64)]) {
    if counters.iter().any(|(name, value)| *name == "epoch" && scope.counter("epoch") != Some(*value)) {
        scope.clear();
    }
    for (name, value) in counters {
        scope.set_counter(name, *value);
    }
}

/// Finds the first place where a template matches.
fn find<'a>(pattern: &'a Pattern, text: &str) -> Option<Taken<'a>> {
    if pattern.anchored {
        return match_at(&pattern.parts, text, 0).ok();
    }
    let mut from = 0;
    loop {
        if let Some(Part::Literal(literal)) = pattern.parts.first() {
            from += text.get(from..)?.find(literal.as_str())?;
        }
        match match_at(&pattern.parts, text, from) {
            Ok(taken) => return Some(taken),
            Err(Miss::Everywhere) => return None,
            Err(Miss::Here) => {}
        }
        from += text.get(from..)?.chars().next()?.len_utf8();
    }
}

/// Why a template does not match from a place on.
enum Miss {
    /// It may from a later one
    Here,
    /// What follows a `{*}` was looked for up to the end of the line: it is in vain from any later place too
    Everywhere,
}

/// Matches from a place on; `{*}` is the only part that is tried at several places, always the last one met.
fn match_at<'a>(parts: &'a [Part], text: &str, from: usize) -> Result<Taken<'a>, Miss> {
    let mut taken = Taken::default();
    let (mut i, mut at) = (0, from);
    let mut retry: Option<(usize, usize, usize, usize)> = None;
    while let Some(part) = parts.get(i) {
        let matched = match part {
            Part::Any => {
                retry = Some((i + 1, at, taken.counters.len(), taken.metrics.len()));
                Some(at)
            }
            part => take(part, text, at, &mut taken),
        };
        match (matched, retry.as_mut()) {
            (Some(next), _) => (i, at) = (i + 1, next),
            (None, None) => return Err(Miss::Here),
            (None, Some((part, place, counters, metrics))) => {
                let skipped = text.get(*place..).and_then(|rest| rest.chars().next()).ok_or(Miss::Everywhere)?;
                *place += skipped.len_utf8();
                taken.counters.truncate(*counters);
                taken.metrics.truncate(*metrics);
                (i, at) = (*part, *place);
            }
        }
    }
    Ok(taken)
}

/// Matches one part, giving the place after it.
fn take<'a>(part: &'a Part, text: &str, at: usize, taken: &mut Taken<'a>) -> Option<usize> {
    let rest = text.get(at..)?;
    match part {
        Part::Literal(literal) => rest.starts_with(literal.as_str()).then_some(at + literal.len()),
        Part::Blank => {
            let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
            (blanks > 0).then_some(at + blanks)
        }
        Part::Any => Some(at),
        Part::Fields(prefix) => {
            taken.fields = Some((prefix, at));
            Some(text.len())
        }
        Part::Prefix(prefix) => {
            taken.prefix = Some(prefix);
            Some(at)
        }
        Part::Counter(_) | Part::Metric(_) | Part::Skip => {
            let (value, len) = number_at(rest)?;
            match part {
                Part::Counter(name) => taken.counters.push((name, value)),
                Part::Metric(name) => taken.metrics.push((name, value)),
                _ => {}
            }
            Some(at + len)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(templates: &[&str], log: &str) -> Vec<String> {
        let mut patterns = Patterns::new(templates.iter().map(|t| Pattern::parse(t).unwrap()).collect());
        let mut shown = Vec::new();
        for (number, line) in (1..).zip(log.lines()) {
            patterns.line(number, line, &mut |found| {
                let mut out = String::new();
                found.point.write_line(&mut out);
                shown.push(format!("{number} {}", out.trim_end()));
            });
        }
        shown
    }

    #[test]
    fn templates() {
        let cases: [(&[&str], &str, &[&str]); 12] = [
            (
                &["Epoch {epoch}/{_} - loss: {train_loss}"],
                "x Epoch 3/10  -\tloss: 1e-2s",
                &[r#"1 {"epoch":3,"train_loss":0.01}"#],
            ),
            (&["^loss {a}"], "a loss 1\nloss nan", &[r#"2 {"a":"NaN"}"#]),
            (&["loss {a}"], "loss x loss 5", &[r#"1 {"a":5}"#]),
            (&["^Epoch {epoch} of", "cost:{*}{cost} %"], "Epoch 2 of 9\ncost: a 1 2 %", &[r#"2 {"epoch":2,"cost":2}"#]),
            (&["{*}={a};{*}={b}"], "k=1; x=y =2", &[r#"1 {"a":1,"b":2}"#]),
            (&["step {step}: {kv}"], "step 4: a=1, b = 2 | c: x", &[r#"1 {"step":4,"a":1,"b":2}"#]),
            (&["eval: {kv test/}"], "eval: a=1 step=9", &[r#"1 {"step":9,"test/a":1}"#]),
            (
                &["on test{=test/}", "on train{=train/}", "acc {acc}"],
                "on test\nacc 1\non train\nacc 2",
                &[r#"2 {"test/acc":1}"#, r#"4 {"train/acc":2}"#],
            ),
            (&["{{{x}}}"], "{5}", &[r#"1 {"x":5}"#]),
            (
                &["epoch {epoch}", "batch {batch} {x}"],
                "epoch 1\nbatch 2 3\nepoch 2\nbatch 1 4",
                &[r#"2 {"epoch":1,"batch":2,"x":3}"#, r#"4 {"epoch":2,"batch":1,"x":4}"#],
            ),
            (&["a {x}", "a {y}"], "a 1", &[r#"1 {"x":1}"#]),
            (&["größe {größe}"], "die größe -5", &[r#"1 {"größe":-5}"#]),
        ];
        for (templates, log, wanted) in cases {
            assert_eq!(found(templates, log), wanted, "{templates:?} on {log}");
        }
    }

    #[test]
    fn what_cannot_be_a_template() {
        for (text, wanted) in [
            ("a {b", "column 3: '{' without '}' (a brace itself is '{{')"),
            ("é} {b}", "column 2: '}' without '{' (a brace itself is '}}')"),
            ("{}", "column 1: {} needs a name"),
            ("^x {a b}", "column 4: 'a b' cannot name a metric"),
            ("{t}", "column 1: 't' cannot name a metric"),
            ("just text {_}{*}", "column 1: nothing to extract: no {name}, {epoch} or {kv}"),
            ("", "column 1: nothing to extract: no {name}, {epoch} or {kv}"),
        ] {
            let told = Pattern::parse(text).err();
            assert_eq!(told, Some(format!("pattern '{text}', {wanted}")));
        }
    }

    #[test]
    fn long_lines_end() {
        let line = "a=".repeat(30_000);
        assert_eq!(found(&["a={x}"], &line), [""; 0]);
        assert_eq!(found(&["a{*}={x} {y}"], &line), [""; 0]);
    }
}
