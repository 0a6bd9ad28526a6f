//! What a specification comes to: variants (the file itself, a named experiment, a row of a table), each multiplied by
//! factors (an axis of a grid, coupled rows, draws). Experiments are made one after the other like the figures of a
//! counter, the last factor fastest, so that any number of them takes no more memory than one.

use crate::condition::Condition;
use crate::values::Values;
use crate::words::Template;
use nn::base::error::{Error, Result};
use nn::base::text::did_you_mean;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What may be said of an experiment besides its parameters: members of a job, and `dir` for its `cwd`.
pub const KEYS: [&str; 22] = [
    "name",
    "command",
    "dir",
    "needs",
    "note",
    "group",
    "priority",
    "retries",
    "tags",
    "hold",
    "metrics",
    "pattern",
    "rule",
    "checkpoint",
    "weights",
    "keep-checkpoints",
    "finish-up",
    "live",
    "link",
    "profile",
    "host",
    "notify",
];

/// A value of one of the KEYS.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Where it stands; 0: on the command line
    pub line: usize,
    /// The words of a command, the tags, the patterns; else one
    pub words: Vec<Template>,
}

/// Settings by key.
pub type Settings = BTreeMap<&'static str, Setting>;

/// Parameters (by number) that change together.
#[derive(Clone, Debug)]
pub struct Factor(pub Vec<(usize, Values)>);

impl Factor {
    fn len(&self) -> u64 {
        self.0.first().map_or(1, |(_, values)| values.len())
    }
}

/// What is multiplied by its factors.
#[derive(Clone, Debug, Default)]
pub struct Variant {
    /// The name of the experiment's section
    pub label: Option<String>,
    /// Where it stands; 0 when it is the file itself
    pub line: usize,
    /// What is said of it
    pub settings: Settings,
    /// Its constants, by number of the parameter
    pub fixed: Vec<Option<String>>,
    /// In the order of the file
    pub factors: Vec<Factor>,
}

/// A specification, read.
#[derive(Debug, Default)]
pub struct Sweep {
    /// For messages
    pub path: PathBuf,
    /// Whether it is a table: variants are rows
    pub is_table: bool,
    /// The names of the parameters, in the order of the file
    pub params: Vec<String>,
    /// One after the other
    pub variants: Vec<Variant>,
    /// Whoever fulfils all of one line is left out
    pub excludes: Vec<Vec<Condition>>,
}

impl Sweep {
    /// The number of a parameter; `_` and blanks are the same in a name.
    pub fn param(&self, name: &str) -> Option<usize> {
        let alike = |known: &String| {
            known.len() == name.len() && known.bytes().map(underscored).eq(name.bytes().map(underscored))
        };
        self.params.iter().position(|known| known == name).or_else(|| self.params.iter().position(alike))
    }

    /// How many experiments there are before exclusion; None beyond 2^128.
    pub fn total(&self) -> Option<u128> {
        self.variants.iter().try_fold(0u128, |sum, variant| {
            let product = variant.factors.iter().try_fold(1u128, |p, f| p.checked_mul(f.len().into()))?;
            sum.checked_add(product)
        })
    }

    /// Checks that every place in a template and every condition names a parameter that is there.
    ///
    /// # Errors
    /// The first that does not.
    pub fn check(&self) -> Result<()> {
        for variant in &self.variants {
            if !variant.settings.contains_key("command") {
                return Err(Error::data(&self.path, variant.line, self.no_command()));
            }
            for (key, setting) in &variant.settings {
                for place in setting.words.iter().flat_map(Template::places) {
                    self.check_place(variant, key, setting.line, place)?;
                }
            }
        }
        Ok(())
    }

    fn no_command(&self) -> String {
        let what = if self.is_table { "this row has no command" } else { "there is no 'command'" };
        format!("{what}: give one with --command")
    }

    fn check_place(&self, variant: &Variant, key: &str, line: usize, place: &str) -> Result<()> {
        let Some(param) = self.param(place) else {
            if place == "experiment" && variant.label.is_some() {
                return Ok(());
            }
            let near = did_you_mean(place, self.params.iter().map(String::as_str));
            let what = format!("'{key}' has a place for '{place}', which is no parameter{near}");
            let to_usage = |what: String| Error::usage(format!("option '--command': {what}"));
            return Err(if line == 0 { to_usage(what) } else { Error::data(&self.path, line, what) });
        };
        let in_factor = variant.factors.iter().any(|f| f.0.iter().any(|(slot, _)| *slot == param));
        if in_factor || variant.fixed.get(param).is_some_and(Option::is_some) {
            return Ok(());
        }
        let what = match &variant.label {
            Some(label) => format!("experiment '{label}' has no '{place}', which its {key} asks for"),
            None => format!("'{place}' is empty here, and the {key} asks for it"),
        };
        Err(Error::data(&self.path, variant.line, what))
    }

    /// Shows every experiment that is not excluded: its variant, and the values of the parameters by number.
    ///
    /// # Errors
    /// Those of `visit`, which end it.
    pub fn each(&self, mut visit: impl FnMut(&Variant, &[Option<String>]) -> Result<()>) -> Result<()> {
        for variant in &self.variants {
            let mut values = variant.fixed.clone();
            values.resize(self.params.len(), None);
            let mut at = vec![0; variant.factors.len()];
            for factor in &variant.factors {
                set(factor, 0, &mut values);
            }
            loop {
                if !self.excluded(&values) {
                    visit(variant, &values)?;
                }
                if !advance(&variant.factors, &mut at, &mut values) {
                    break;
                }
            }
        }
        Ok(())
    }

    fn excluded(&self, values: &[Option<String>]) -> bool {
        let value = |c: &Condition| self.param(&c.name).and_then(|slot| values.get(slot)?.as_deref());
        self.excludes.iter().any(|line| line.iter().all(|c| c.holds(value(c))))
    }
}

/// The next figure of the counter; false when it is through.
fn advance(factors: &[Factor], at: &mut [u64], values: &mut [Option<String>]) -> bool {
    for (factor, at) in factors.iter().zip(at).rev() {
        *at += 1;
        let carry = *at >= factor.len();
        if carry {
            *at = 0;
        }
        set(factor, *at, values);
        if !carry {
            return true;
        }
    }
    false
}

fn set(factor: &Factor, i: u64, values: &mut [Option<String>]) {
    for (slot, of) in &factor.0 {
        if let Some(value) = values.get_mut(*slot) {
            *value = Some(of.get(i));
        }
    }
}

fn underscored(b: u8) -> u8 {
    if b == b' ' { b'_' } else { b }
}
