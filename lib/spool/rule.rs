//! What a person wants done when: `warn|stop|mail|run 'COMMAND' if CONDITION [for N points|DURATION] [after epoch N]`. A
//! parser by recursive descent over words that know their column; what the condition means is lib/judge's matter.
//!
//!     condition  = and { "or" and }            and = term { "and" term }
//!     term       = "not" term | "(" condition ")" | function "(" name [ "," number ] ")" | name compare number
//!     compare    = < <= > >= == !=             number: 0.1, 1e-3, 5G
//!
//! A name may have `@last @min @max @first` after it. One that is no word is put in double quotes.

use crate::base::text::did_you_mean;
use crate::base::time::parse_duration;
use crate::base::units::parse_size;
use std::time::Duration;

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Say it
    Warn,
    /// End the run
    Stop,
    /// Tell somebody
    Mail,
    /// Run this in a shell
    Run(String),
}

/// How long a condition has to hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Hold {
    /// So many points in a row
    Points(u64),
    /// So long
    Time(Duration),
}

/// Which value of a variable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pick {
    /// The last
    Last,
    /// The smallest so far
    Min,
    /// The greatest so far
    Max,
    /// The first
    First,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    /// <
    Less,
    /// <=
    AtMost,
    /// >
    More,
    /// >=
    AtLeast,
    /// ==
    Is,
    /// !=
    IsNot,
}

/// When it is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// One of them
    Or(Vec<Condition>),
    /// All of them
    And(Vec<Condition>),
    /// Not this
    Not(Box<Condition>),
    /// A variable or a resource against a number
    Compare(String, Pick, Op, f64),
    /// The last value is no number, or infinite
    Nan(String),
    /// The best value has not improved for so many points
    Plateau(String, u64),
    /// The detector of divergence has found it
    Diverged(String),
}

/// A rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// As it was written
    pub text: String,
    /// What is to be done
    pub action: Action,
    /// When
    pub condition: Condition,
    /// For how long
    pub hold: Hold,
    /// Not before the end of this epoch
    pub after_epoch: Option<f64>,
}

/// The resources a condition may name.
pub const RESOURCES: [&str; 5] = ["disk_free", "inodes_free", "ram_free", "gpu_memory_free", "gpu_busy"];
const ACTIONS: [&str; 4] = ["warn", "stop", "mail", "run"];
const FUNCTIONS: [&str; 3] = ["nan", "plateau", "diverged"];
const PICKS: [(&str, Pick); 4] = [("last", Pick::Last), ("min", Pick::Min), ("max", Pick::Max), ("first", Pick::First)];
/// Points without improvement that are a plateau unless a number is given.
const PLATEAU: u64 = 20;
/// Conditions within conditions, at most.
const DEEPEST: u32 = 64;
/// The longest rule, bytes.
const LONGEST: usize = 4096;

type Said<T> = Result<T, String>;

#[derive(Clone, Debug, PartialEq)]
struct Word {
    column: usize,
    text: String,
    quoted: bool,
}

impl Rule {
    /// Reads a rule.
    ///
    /// # Errors
    /// A sentence with the column, from 1.
    pub fn parse(text: &str) -> Said<Rule> {
        if text.len() > LONGEST {
            return Err(format!("rule: longer than {LONGEST} bytes"));
        }
        let mut parser = Parser { words: words(text)?, at: 0, end: text.chars().count() + 1, depth: 0 };
        let action = parser.action()?;
        parser.expect("if")?;
        let condition = parser.condition()?;
        let hold = if parser.take("for") { parser.hold()? } else { Hold::Points(1) };
        let after_epoch = if parser.take("after") {
            parser.expect("epoch")?;
            Some(parser.number()?)
        } else {
            None
        };
        match parser.words.get(parser.at) {
            None => Ok(Rule { text: text.trim().to_string(), action, condition, hold, after_epoch }),
            Some(word) => Err(parser.wrong(&format!("nothing more was expected, found '{}'", word.text))),
        }
    }

    /// The variables and resources that its condition names, each once.
    pub fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.condition.names(&mut names);
        names
    }
}

impl Condition {
    fn names<'a>(&'a self, names: &mut Vec<&'a str>) {
        match self {
            Condition::Or(all) | Condition::And(all) => all.iter().for_each(|one| one.names(names)),
            Condition::Not(one) => one.names(names),
            Condition::Compare(name, ..)
            | Condition::Nan(name)
            | Condition::Plateau(name, _)
            | Condition::Diverged(name) => {
                if !names.contains(&name.as_str()) {
                    names.push(name);
                }
            }
        }
    }
}

fn words(text: &str) -> Said<Vec<Word>> {
    let chars: Vec<char> = text.chars().collect();
    let mut words = Vec::new();
    let mut i = 0;
    while let Some(c) = chars.get(i).copied() {
        let column = i + 1;
        let rest = chars.get(i..).unwrap_or_default();
        let (text, length, quoted) = match c {
            c if c.is_whitespace() => {
                i += 1;
                continue;
            }
            '"' | '\'' => {
                let inner: String = rest.iter().skip(1).take_while(|d| **d != c).collect();
                let length = inner.chars().count() + 2;
                if length > rest.len() {
                    return Err(format!("rule: column {column}: the quote {c} is not closed"));
                }
                (inner, length, true)
            }
            '<' | '>' | '=' | '!' => {
                let length = if rest.get(1) == Some(&'=') { 2 } else { 1 };
                (rest.iter().take(length).collect(), length, false)
            }
            '(' | ')' | ',' => (c.to_string(), 1, false),
            _ => {
                let part = |d: &&char| !d.is_whitespace() && !"<>=!(),\"'".contains(**d);
                let word: String = rest.iter().take_while(part).collect();
                let length = word.chars().count();
                (word, length, false)
            }
        };
        words.push(Word { column, text, quoted });
        i += length;
    }
    Ok(words)
}

struct Parser {
    words: Vec<Word>,
    at: usize,
    /// The column after the last
    end: usize,
    depth: u32,
}

impl Parser {
    fn wrong(&self, what: &str) -> String {
        let column = self.words.get(self.at).map_or(self.end, |word| word.column);
        format!("rule: column {column}: {what}")
    }

    fn expected(&self, what: &str) -> String {
        let found = self.words.get(self.at).map_or("the end".to_string(), |word| format!("'{}'", word.text));
        self.wrong(&format!("expected {what}, found {found}"))
    }

    fn is(&self, text: &str) -> bool {
        self.words.get(self.at).is_some_and(|word| !word.quoted && word.text == text)
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self.is(text);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, text: &str) -> Said<()> {
        if self.take(text) { Ok(()) } else { Err(self.expected(&format!("'{text}'"))) }
    }

    fn action(&mut self) -> Said<Action> {
        let word = self.words.first().map_or("", |word| word.text.as_str()).to_string();
        let action = match word.as_str() {
            "warn" => Action::Warn,
            "stop" => Action::Stop,
            "mail" => Action::Mail,
            "run" => {
                self.at = 1;
                let command = self.words.get(1).filter(|word| word.quoted).map(|word| word.text.clone());
                Action::Run(command.ok_or_else(|| self.expected("a command in quotes"))?)
            }
            other => return Err(self.expected("warn, stop, mail or run") + &did_you_mean(other, ACTIONS)),
        };
        self.at += 1;
        Ok(action)
    }

    fn condition(&mut self) -> Said<Condition> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.wrong("too many parentheses"));
        }
        let mut any = vec![self.all()?];
        while self.take("or") {
            any.push(self.all()?);
        }
        self.depth -= 1;
        Ok(if any.len() > 1 { Condition::Or(any) } else { any.swap_remove(0) })
    }

    fn all(&mut self) -> Said<Condition> {
        let mut all = vec![self.term()?];
        while self.take("and") {
            all.push(self.term()?);
        }
        Ok(if all.len() > 1 { Condition::And(all) } else { all.swap_remove(0) })
    }

    fn term(&mut self) -> Said<Condition> {
        let mut negated = false;
        while self.take("not") {
            negated = !negated;
        }
        let term = if self.take("(") {
            let inner = self.condition()?;
            self.expect(")")?;
            inner
        } else if self.words.get(self.at + 1).is_some_and(|word| !word.quoted && word.text == "(") {
            self.function()?
        } else {
            self.comparison()?
        };
        Ok(if negated { Condition::Not(Box::new(term)) } else { term })
    }

    fn name(&mut self) -> Said<String> {
        const KEYWORDS: [&str; 9] = ["if", "and", "or", "not", "for", "after", "(", ")", ","];
        let is_operator = |word: &Word| "<>=!".contains(word.text.chars().next().unwrap_or(' '));
        let is_name = |word: &&Word| {
            word.quoted || !KEYWORDS.contains(&word.text.as_str()) && !is_operator(word) && number(&word.text).is_none()
        };
        let name = self.words.get(self.at).filter(is_name).map(|word| word.text.clone());
        let name = name.filter(|name| !name.is_empty()).ok_or_else(|| self.expected("the name of a variable"))?;
        self.at += 1;
        Ok(name)
    }

    fn function(&mut self) -> Said<Condition> {
        let called = self.words.get(self.at).map_or(String::new(), |word| word.text.clone());
        if !FUNCTIONS.contains(&called.as_str()) {
            return Err(self.wrong(&format!("unknown function '{called}'{}", did_you_mean(&called, FUNCTIONS))));
        }
        self.at += 2;
        let name = self.name()?;
        let points = if called == "plateau" && self.take(",") { self.count()? } else { PLATEAU };
        self.expect(")")?;
        Ok(match called.as_str() {
            "nan" => Condition::Nan(name),
            "plateau" => Condition::Plateau(name, points),
            _ => Condition::Diverged(name),
        })
    }

    fn comparison(&mut self) -> Said<Condition> {
        let before = self.at;
        let name = self.name()?;
        let (name, pick) = match name.rsplit_once('@') {
            None => (name, Pick::Last),
            Some((name, word)) => match PICKS.iter().find(|(known, _)| *known == word) {
                Some((_, pick)) => (name.to_string(), *pick),
                None => {
                    self.at = before;
                    let near = did_you_mean(word, PICKS.map(|(known, _)| known));
                    return Err(self.wrong(&format!("'@{word}' is none of @last @min @max @first{near}")));
                }
            },
        };
        let op = match self.words.get(self.at).filter(|word| !word.quoted).map(|word| word.text.as_str()) {
            Some("<") => Op::Less,
            Some("<=") => Op::AtMost,
            Some(">") => Op::More,
            Some(">=") => Op::AtLeast,
            Some("==" | "=") => Op::Is,
            Some("!=") => Op::IsNot,
            _ => return Err(self.expected("a comparison such as < or >=")),
        };
        self.at += 1;
        Ok(Condition::Compare(name, pick, op, self.number()?))
    }

    fn number(&mut self) -> Said<f64> {
        let word = self.words.get(self.at).filter(|word| !word.quoted);
        let number = word.and_then(|word| number(&word.text)).ok_or_else(|| self.expected("a number"))?;
        self.at += 1;
        Ok(number)
    }

    fn count(&mut self) -> Said<u64> {
        let word =
            self.words.get(self.at).and_then(|word| word.text.parse().ok()).filter(|n| (1..1_000_000_000).contains(n));
        let count = word.ok_or_else(|| self.expected("a whole number from 1"))?;
        self.at += 1;
        Ok(count)
    }

    fn hold(&mut self) -> Said<Hold> {
        let next = self.words.get(self.at + 1).map(|word| word.text.as_str());
        if matches!(next, Some("points" | "point")) {
            let count = self.count()?;
            self.at += 1;
            return Ok(Hold::Points(count));
        }
        let time = self.words.get(self.at).and_then(|word| parse_duration(&word.text));
        let time = time.ok_or_else(|| self.expected("'N points' or a duration such as 5m"))?;
        self.at += 1;
        Ok(Hold::Time(time))
    }
}

/// `0.1`, `-3`, `1e-5`, `5G`.
fn number(text: &str) -> Option<f64> {
    let begins = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    let plain = text.parse::<f64>().ok().filter(|x| x.is_finite());
    begins.then(|| plain.or_else(|| parse_size(text).map(|bytes| bytes as f64)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules() {
        let rule = Rule::parse("warn if valid_cost > 10 for 3 points after epoch 5").unwrap();
        assert_eq!(rule.condition, Condition::Compare("valid_cost".into(), Pick::Last, Op::More, 10.0));
        assert_eq!((rule.hold, rule.after_epoch), (Hold::Points(3), Some(5.0)));
        let rule = Rule::parse("run './fix.sh' if disk_free < 5G for 5m").unwrap();
        assert_eq!(rule.action, Action::Run("./fix.sh".into()));
        assert_eq!(rule.condition, Condition::Compare("disk_free".into(), Pick::Last, Op::Less, 5.0 * 1073741824.0));
        assert_eq!(rule.hold, Hold::Time(Duration::from_secs(300)));
        let rule = Rule::parse("mail if not (plateau(a, 5) and nan(\"b c\")) or val/acc@max<1e-3 or a<2").unwrap();
        let Condition::Or(any) = &rule.condition else { panic!("{rule:?}") };
        assert!(matches!(&any[0], Condition::Not(inner) if matches!(**inner, Condition::And(_))));
        assert_eq!(any[1], Condition::Compare("val/acc".into(), Pick::Max, Op::Less, 1e-3));
        assert_eq!(rule.names(), ["a", "b c", "val/acc"]);
        assert_eq!(Rule::parse("stop if plateau(x)").unwrap().condition, Condition::Plateau("x".into(), PLATEAU));
    }

    #[test]
    fn mistakes_have_a_column() {
        for (text, said) in [
            ("", "rule: column 1: expected warn, stop, mail or run, found the end"),
            ("stp if nan(x)", "rule: column 1: expected warn, stop, mail or run, found 'stp' (did you mean 'stop'?)"),
            ("stop nan(x)", "rule: column 6: expected 'if', found 'nan'"),
            ("stop if nam(x)", "rule: column 9: unknown function 'nam' (did you mean 'nan'?)"),
            ("stop if nan(x", "rule: column 14: expected ')', found the end"),
            ("stop if x", "rule: column 10: expected a comparison such as < or >=, found the end"),
            ("stop if x < y", "rule: column 13: expected a number, found 'y'"),
            ("stop if < 3", "rule: column 9: expected the name of a variable, found '<'"),
            ("stop if x@mn < 3", "rule: column 9: '@mn' is none of @last @min @max @first (did you mean 'min'?)"),
            ("run fix if nan(x)", "rule: column 5: expected a command in quotes, found 'fix'"),
            ("warn if nan(x) for ages", "rule: column 20: expected 'N points' or a duration such as 5m, found 'ages'"),
            ("warn if nan(x) after step 3", "rule: column 22: expected 'epoch', found 'step'"),
            ("warn if nan(x) x", "rule: column 16: nothing more was expected, found 'x'"),
            ("run 'a if nan(x)", "rule: column 5: the quote ' is not closed"),
            ("stop if plateau(x, 0)", "rule: column 20: expected a whole number from 1, found '0'"),
        ] {
            assert_eq!(Rule::parse(text).unwrap_err(), said, "{text}");
        }
        assert!(Rule::parse(&format!("stop if {}x", "(".repeat(1000))).is_err());
    }
}
