//! Reads a specification: keys at the top, then sections. Every mistake is an error with its line.
//!
//! The lines are read once into a draft; then experiments take over what their parents say, and what an experiment sets
//! itself takes that parameter out of the factors.

use crate::condition::Condition;
use crate::random::Dist;
use crate::sweep::{Factor, KEYS, Setting, Settings, Sweep, Variant};
use crate::values::{Items, Values, pieces, unquote};
use crate::words::{self, Template};
use nn::base::error::{Error, Result};
use nn::base::text::did_you_mean;
use std::path::Path;

const SECTIONS: [&str; 7] = ["params", "grid", "zip", "random", "repeat", "exclude", "experiment"];

/// Where a line belongs.
#[derive(Clone)]
enum Section {
    Top,
    Params,
    Grid,
    /// The number of its factor, once it has one
    Zip(Option<usize>),
    Random {
        factor: Option<usize>,
        many: u64,
        seed: u64,
    },
    Exclude,
    Experiment(usize),
}

struct Experiment {
    name: String,
    parent: Option<String>,
    line: usize,
    settings: Settings,
    fixed: Vec<(usize, String)>,
}

#[derive(Default)]
struct Draft {
    sweep: Sweep,
    top: Settings,
    fixed: Vec<(usize, String)>,
    factors: Vec<Factor>,
    experiments: Vec<Experiment>,
    /// The line that gave a parameter its values, by number
    given: Vec<(usize, usize)>,
    /// The line of each of the excludes
    exclude_lines: Vec<usize>,
}

type Said<T> = std::result::Result<T, String>;

/// Reads a specification. `path` is for messages.
///
/// # Errors
/// The first mistake, with its line.
pub fn parse(path: &Path, text: &str) -> Result<Sweep> {
    let mut draft = Draft::default();
    draft.sweep.path = path.to_path_buf();
    let mut section = Section::Top;
    for (line, text) in logical_lines(text) {
        draft.line(&mut section, line, &text).map_err(|what| Error::data(path, line, what))?;
    }
    draft.finish()
}

/// Lines without comments and blanks around them; a `\` at the end joins the next one.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut joining = false;
    for (i, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = uncommented(line).trim();
        let (line, joins) = match line.strip_suffix('\\') {
            Some(before) if before.is_empty() || before.ends_with(char::is_whitespace) => (before.trim_end(), true),
            _ => (line, false),
        };
        match lines.last_mut().filter(|_| joining) {
            Some((_, before)) => {
                before.push(' ');
                before.push_str(line);
            }
            None => lines.push((i + 1, line.to_string())),
        }
        joining = joins;
    }
    lines.retain(|(_, line)| !line.is_empty());
    lines
}

/// The line before a `#` that begins it or follows a blank, outside of quotes.
fn uncommented(line: &str) -> &str {
    let (mut quote, mut blank) = (None, true);
    for (at, c) in line.char_indices() {
        let rest = line.get(at + c.len_utf8()..).unwrap_or_default();
        match (c, quote) {
            (c, Some(q)) if c == q => quote = None,
            ('\'' | '"', None) if rest.contains(c) => quote = Some(c),
            ('#', None) if blank => return line.get(..at).unwrap_or_default(),
            _ => {}
        }
        blank = c.is_whitespace();
    }
    line
}

impl Draft {
    fn line(&mut self, section: &mut Section, line: usize, text: &str) -> Said<()> {
        if text.contains('\0') {
            return Err("a NUL stands here".into());
        }
        if text.contains('\r') {
            return Err("a carriage return stands here: lines end with LF, or CR LF".into());
        }
        if let Some(header) = text.strip_prefix('[') {
            let header = header.strip_suffix(']').ok_or("expected ']' at the end of the line")?;
            *section = self.section(line, header.trim())?;
            return Ok(());
        }
        if let Section::Exclude = section {
            self.sweep.excludes.push(Condition::parse_all(text)?);
            self.exclude_lines.push(line);
            return Ok(());
        }
        let (key, value) = text.split_once('=').ok_or("expected KEY = VALUE or [SECTION]")?;
        let (key, value) = (key.trim(), value.trim());
        if key.is_empty() {
            return Err("expected KEY = VALUE or [SECTION]".into());
        }
        if value.is_empty() {
            return Err(format!("'{key}' has no value (write '' for an empty one)"));
        }
        match section {
            Section::Top => setting(&mut self.top, line, key, value),
            Section::Params => {
                let slot = self.give(line, key)?;
                self.fixed.push((slot, unquote(value).0));
                Ok(())
            }
            Section::Grid => {
                let slot = self.give(line, key)?;
                let values = Values::parse(value).map_err(|what| format!("'{key}': {what}"))?;
                self.factors.push(Factor(vec![(slot, values)]));
                Ok(())
            }
            Section::Zip(factor) => self.zip(factor, line, key, value),
            Section::Random { factor, many, seed } => {
                let slot = self.give(line, key)?;
                let dist = Dist::parse(value).map_err(|what| format!("'{key}': {what}"))?;
                self.couple(factor, key, vec![(slot, Values::drawn(dist, *seed, key, *many))])
            }
            Section::Experiment(number) => {
                let number = *number;
                let known = KEYS.contains(&key);
                let slot = if known { None } else { Some(self.slot(key)?) };
                let Some(experiment) = self.experiments.get_mut(number) else { return Ok(()) };
                let Some(slot) = slot else { return setting(&mut experiment.settings, line, key, value) };
                if experiment.fixed.iter().any(|(known, _)| *known == slot) {
                    return Err(format!("'{key}' is given twice in this section"));
                }
                experiment.fixed.push((slot, unquote(value).0));
                Ok(())
            }
            Section::Exclude => Ok(()),
        }
    }

    fn section(&mut self, line: usize, header: &str) -> Said<Section> {
        let (word, rest) = header.split_once(char::is_whitespace).unwrap_or((header, ""));
        let rest = rest.trim();
        if !rest.is_empty() && matches!(word, "params" | "grid" | "zip" | "repeat" | "exclude") {
            return Err(format!("[{word}] takes nothing, not '{rest}'"));
        }
        match word {
            "params" => Ok(Section::Params),
            "grid" | "repeat" => Ok(Section::Grid),
            "zip" => Ok(Section::Zip(None)),
            "exclude" => Ok(Section::Exclude),
            "random" => random(rest),
            "experiment" => {
                let (name, parent) = match rest.split_once(':') {
                    Some((name, parent)) => (name.trim(), Some(parent.trim().to_string())),
                    None => (rest, None),
                };
                if name.is_empty() || parent.as_ref().is_some_and(String::is_empty) {
                    return Err("expected [experiment NAME] or [experiment NAME : PARENT]".into());
                }
                if let Some(other) = self.experiments.iter().find(|e| e.name == name) {
                    return Err(format!("experiment '{name}' is there already, in line {}", other.line));
                }
                let (settings, fixed) = (Settings::new(), Vec::new());
                self.experiments.push(Experiment { name: name.to_string(), parent, line, settings, fixed });
                Ok(Section::Experiment(self.experiments.len() - 1))
            }
            other => Err(format!("unknown section '{other}'{}", did_you_mean(other, SECTIONS))),
        }
    }

    /// The number of a parameter, new or known.
    fn slot(&mut self, name: &str) -> Said<usize> {
        let name = unquote(name).0;
        if name.contains(['{', '}', ',']) {
            return Err(format!("'{name}' cannot be the name of a parameter (coupled ones belong into [zip])"));
        }
        Ok(self.sweep.param(&name).unwrap_or_else(|| {
            self.sweep.params.push(name);
            self.sweep.params.len() - 1
        }))
    }

    /// The same for a parameter that gets its values here, and nowhere else.
    fn give(&mut self, line: usize, name: &str) -> Said<usize> {
        let slot = self.slot(name)?;
        if let Some((_, before)) = self.given.iter().find(|(known, _)| *known == slot) {
            return Err(format!("parameter '{name}' has its values from line {before} already"));
        }
        self.given.push((slot, line));
        Ok(slot)
    }

    /// `a, b = 1, 2 ; 3, 4`, or `a = 1, 3` above `b = 2, 4`.
    fn zip(&mut self, factor: &mut Option<usize>, line: usize, key: &str, value: &str) -> Said<()> {
        let names: Vec<&str> = key.split(',').map(str::trim).collect();
        let mut slots = Vec::with_capacity(names.len());
        for name in &names {
            if name.is_empty() {
                return Err(format!("'{key}': a name is missing"));
            }
            slots.push(self.give(line, name)?);
        }
        let said = |what: String| format!("'{key}': {what}");
        if let &[slot] = slots.as_slice() {
            return self.couple(factor, key, vec![(slot, Values::parse(value).map_err(said)?)]);
        }
        let mut columns = vec![Vec::new(); slots.len()];
        for row in pieces(value, ';').map_err(said)? {
            let items = Items::split(row, ',').map_err(said)?.into_texts();
            if items.len() != slots.len() {
                let row = row.trim();
                return Err(format!("'{key}': expected {} values between semicolons, not '{row}'", slots.len()));
            }
            for (column, item) in columns.iter_mut().zip(items) {
                column.push(item);
            }
        }
        self.couple(factor, key, slots.into_iter().zip(columns.into_iter().map(Values::texts)).collect())
    }

    /// Adds parameters to the factor of a section, whose values all go together.
    fn couple(&mut self, factor: &mut Option<usize>, key: &str, columns: Vec<(usize, Values)>) -> Said<()> {
        let number = *factor.get_or_insert_with(|| {
            self.factors.push(Factor(Vec::new()));
            self.factors.len() - 1
        });
        let Some(factor) = self.factors.get_mut(number) else { return Ok(()) };
        let (before, now) = (factor.0.first().map(|(_, v)| v.len()), columns.first().map(|(_, v)| v.len()));
        if let (Some(before), Some(now)) = (before, now)
            && before != now
        {
            return Err(format!("'{key}' has {now} values, and what it is coupled with has {before}"));
        }
        factor.0.extend(columns);
        Ok(())
    }

    fn finish(mut self) -> Result<Sweep> {
        for (conditions, line) in self.sweep.excludes.iter().zip(&self.exclude_lines) {
            if let Some(condition) = conditions.iter().find(|c| self.sweep.param(&c.name).is_none()) {
                let near = did_you_mean(&condition.name, self.sweep.params.iter().map(String::as_str));
                let what = format!("'{}' is no parameter{near}", condition.name);
                return Err(Error::data(&self.sweep.path, *line, what));
            }
        }
        let mut base = Variant { settings: std::mem::take(&mut self.top), ..Variant::default() };
        base.fixed = vec![None; self.sweep.params.len()];
        for (slot, value) in std::mem::take(&mut self.fixed) {
            put(&mut base.fixed, slot, value);
        }
        base.factors = std::mem::take(&mut self.factors);
        let mut variants = Vec::with_capacity(self.experiments.len().max(1));
        for experiment in &self.experiments {
            variants.push(self.inherit(&base, experiment)?);
        }
        if variants.is_empty() {
            variants.push(base);
        }
        self.sweep.variants = variants;
        Ok(self.sweep)
    }

    /// What an experiment comes to: the top of the file, its ancestors from the eldest on, itself.
    fn inherit(&self, base: &Variant, experiment: &Experiment) -> Result<Variant> {
        let mut line_of_descent = vec![experiment];
        let mut youngest = experiment;
        while let Some(name) = &youngest.parent {
            let wrong = |what: String| Error::data(&self.sweep.path, youngest.line, what);
            let Some(parent) = self.experiments.iter().find(|e| e.name == *name) else {
                if name == "base" {
                    break;
                }
                let near = did_you_mean(name, self.experiments.iter().map(|e| e.name.as_str()));
                return Err(wrong(format!("there is no experiment '{name}'{near}")));
            };
            if line_of_descent.len() > self.experiments.len() || std::ptr::eq(parent, experiment) {
                return Err(wrong(format!("the parents of '{}' go round in a circle", experiment.name)));
            }
            line_of_descent.push(parent);
            youngest = parent;
        }
        let mut variant = base.clone();
        variant.label = Some(experiment.name.clone());
        variant.line = experiment.line;
        for ancestor in line_of_descent.iter().rev() {
            variant.settings.extend(ancestor.settings.iter().map(|(k, v)| (*k, v.clone())));
            for (slot, value) in &ancestor.fixed {
                put(&mut variant.fixed, *slot, value.clone());
                for factor in &mut variant.factors {
                    factor.0.retain(|(other, _)| other != slot);
                }
            }
        }
        variant.factors.retain(|factor| !factor.0.is_empty());
        let own_name = || Setting { line: experiment.line, words: vec![Template::literal(&experiment.name)] };
        variant.settings.entry("name").or_insert_with(own_name);
        Ok(variant)
    }
}

fn put(fixed: &mut [Option<String>], slot: usize, value: String) {
    if let Some(place) = fixed.get_mut(slot) {
        *place = Some(value);
    }
}

/// `[random N seed=S]`; without a seed it is 0.
fn random(rest: &str) -> Said<Section> {
    let wrong = || "expected [random N] or [random N seed=S]".to_string();
    let mut words = rest.split_whitespace();
    let many = words.next().and_then(|n| n.parse::<u64>().ok()).filter(|n| *n > 0).ok_or_else(wrong)?;
    let seed = match words.next() {
        None => 0,
        Some(word) => word.strip_prefix("seed=").and_then(|s| s.parse::<u64>().ok()).ok_or_else(wrong)?,
    };
    if words.next().is_some() { Err(wrong()) } else { Ok(Section::Random { factor: None, many, seed }) }
}

/// Adds `key = value` to settings.
fn setting(settings: &mut Settings, line: usize, key: &str, value: &str) -> Said<()> {
    let Some(known) = KEYS.into_iter().find(|k| *k == key) else {
        let near = did_you_mean(key, KEYS.into_iter().chain(SECTIONS));
        let hint = if near.is_empty() { ": parameters belong into a section, [params] or [grid]" } else { "" };
        return Err(format!("unknown key '{key}'{near}{hint}"));
    };
    let said = |what: String| format!("'{key}': {what}");
    let words = read_setting(known, value).map_err(said)?;
    match settings.get_mut(known) {
        // Each line holds one pattern or rule, for it may hold anything.
        Some(before) if matches!(known, "pattern" | "rule") => before.words.extend(words),
        Some(before) => return Err(format!("'{key}' is given already, in line {}", before.line)),
        None => drop(settings.insert(known, Setting { line, words })),
    }
    Ok(())
}

/// The templates of a setting. Patterns have places of their own, for nn-log.
pub fn read_setting(key: &str, value: &str) -> Said<Vec<Template>> {
    match key {
        "command" => words::split(value),
        "tags" | "link" => Items::split(value, ',')?.into_texts().iter().map(|tag| Template::parse(tag)).collect(),
        // A rule is no word, quotes or not.
        "rule" => Ok(vec![Template::literal(value)]),
        "pattern" | "metrics" | "profile" => Ok(vec![Template::literal(&unquote(value).0)]),
        _ => Ok(vec![Template::parse(&unquote(value).0)?]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of each experiment, in the order of the parameters.
    fn expand(text: &str) -> Vec<String> {
        let sweep = parse(Path::new("x"), text).unwrap();
        let mut all = Vec::new();
        let join = |values: &[Option<String>]| {
            values.iter().map(|v| v.as_deref().unwrap_or("-")).collect::<Vec<_>>().join(" ")
        };
        sweep
            .each(|variant, values| {
                let label = variant.label.as_ref().map(|label| format!("{label}: ")).unwrap_or_default();
                all.push(label + &join(values));
                Ok(())
            })
            .unwrap();
        all
    }

    #[test]
    fn later_sections_and_keys_vary_fastest() {
        assert_eq!(
            expand("[grid]\na = 1, 2\nb = x, y\n[repeat]\ns = 1 .. 2\n").join("/"),
            "1 x 1/1 x 2/1 y 1/1 y 2/2 x 1/2 x 2/2 y 1/2 y 2"
        );
        assert_eq!(expand("command = x").len(), 1);
    }

    #[test]
    fn coupled_values() {
        let expected = ["k 20 0.999", "k 5 0.99"];
        assert_eq!(expand("[params]\nc = k\n[zip]\na, b = 20, 0.999 ; 5, 0.99\n"), expected);
        assert_eq!(expand("[params]\nc = k\n[zip]\na = 20, 5\nb = 0.999, 0.99\n"), expected);
        assert_eq!(expand("[zip]\na, b = 'x; y', 1 ; z, '2, 3'"), ["x; y 1", "z 2, 3"]);
        assert_eq!(expand("[random 2]\na = int 1 9\nb = int 1 9\n[random 2]\nc = int 1 9").len(), 4);
    }

    #[test]
    fn exclusion() {
        let text = "[grid]\na = relu, tanh\nlr = 0.01, 0.1\n[exclude]\na=relu lr>0.05\n";
        assert_eq!(expand(text), ["relu 0.01", "tanh 0.01", "tanh 0.1"]);
    }

    #[test]
    fn experiments_inherit_and_pin() {
        let text = "[params]\nh = 5\n[grid]\na = x, y\n[experiment small : base]\n[experiment big : mid]\nb = 2\n\
                    [experiment mid]\nh = 50\na = z\n";
        assert_eq!(expand(text), ["small: 5 x -", "small: 5 y -", "big: 50 z 2", "mid: 50 z -"]);
        let sweep =
            parse(Path::new("x"), "command = a\nname = n\n[experiment e]\ncommand = b\n[experiment f : e]\n").unwrap();
        assert!(sweep.variants.iter().all(|v| v.settings["command"].words == words::split("b").unwrap()));
    }

    #[test]
    fn comments_and_long_lines() {
        let text = "# one\ncommand = a '# b' c#d \\\n  e # f\n\n[params] # constants\nx = 'a # b' # c\n";
        let sweep = parse(Path::new("x"), text).unwrap();
        assert_eq!(sweep.variants[0].settings["command"].words, words::split("a '# b' c#d e").unwrap());
        assert_eq!(sweep.variants[0].fixed, [Some("a # b".to_string())]);
    }

    #[test]
    fn a_huge_product_is_counted_and_begun() {
        let axis = "= 1 .. 1000000000000\n";
        let sweep = parse(Path::new("x"), &format!("[grid]\na {axis}b {axis}")).unwrap();
        assert_eq!(sweep.total(), Some(10u128.pow(24)));
        let sweep = parse(Path::new("x"), &format!("[grid]\na {axis}b {axis}c {axis}d {axis}")).unwrap();
        assert_eq!(sweep.total(), None);
        let mut seen = 0;
        let stopped = sweep.each(|_, _| {
            seen += 1;
            if seen < 3 { Ok(()) } else { Err(Error::other("enough")) }
        });
        assert!(stopped.is_err() && seen == 3);
    }

    #[test]
    fn mistakes_have_lines() {
        for (text, said) in [
            ("\nprams = 1", "x:2: unknown key 'prams' (did you mean 'params'?)"),
            ("lr = 1", "parameters belong into a section"),
            ("[gird]", "unknown section 'gird' (did you mean 'grid'?)"),
            ("[grid", "expected ']'"),
            ("[grid]\na = ", "'a' has no value"),
            ("[grid]\na = 1,,2", "x:2: 'a': a value is missing"),
            ("[grid]\na = 1\n[params]\na = 2", "x:4: parameter 'a' has its values from line 2 already"),
            ("[grid]\na, b = 1, 2", "belong into [zip]"),
            ("[grid 3]", "takes nothing"),
            ("[zip]\na = 1, 2\nb = 1", "x:3: 'b' has 1 values, and what it is coupled with has 2"),
            ("[zip]\na, b = 1, 2 ; 3", "expected 2 values between semicolons, not '3'"),
            ("[random]\n", "expected [random N]"),
            ("[random 3 sed=1]\n", "expected [random N]"),
            ("[random 3]\na = 1, 2", "expected uniform, loguniform, int or choice"),
            ("[grid]\nlr = 1\n[exclude]\n\nlp>1", "x:5: 'lp' is no parameter (did you mean 'lr'?)"),
            ("[experiment]", "expected [experiment NAME]"),
            ("[experiment a]\n[experiment a]", "is there already, in line 1"),
            ("[experiment a : b]", "x:1: there is no experiment 'b'"),
            ("[experiment a : b]\n[experiment b : a]", "go round in a circle"),
            ("[experiment c : a]\n[experiment a : b]\n[experiment b : a]", "go round in a circle"),
            ("[experiment a]\nx = 1\nx = 2", "x:3: 'x' is given twice"),
            ("name = a\nname = b", "x:2: 'name' is given already, in line 1"),
            ("command = a | b", "x:1: 'command': '|' would need a shell"),
            ("what", "expected KEY = VALUE"),
            ("a\0 = 1", "NUL"),
            ("command = a\r[grid]\rb = 1\r", "x:1: a carriage return"),
        ] {
            let what = parse(Path::new("x"), text).unwrap_err().to_string();
            assert!(what.contains(said), "{text}: {what}");
        }
    }
}
