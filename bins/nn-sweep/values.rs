//! The values of a parameter: `a, b, c`, `1 .. 3`, `range LO HI STEP`, `linspace LO HI N`, `log LO HI N`, draws.
//!
//! Nothing is laid out in memory but what stands in the file: a value is worked out when it is asked for, so a range of
//! 10^12 costs as much as one of three. Numbers are rounded to twelve digits, those of `log` to six, and printed shortest,
//! so that `log 1e-4 1e-1 4` gives 0.0001, 0.001, 0.01 and 0.1.

use super::random::Dist;

/// The values of one parameter, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Values(Vec<Piece>);

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    Whole { from: i64, step: i64, many: u64 },
    Steps { from: f64, step: f64, many: u64 },
    Even { from: f64, to: f64, many: u64 },
    Log { from: f64, to: f64, many: u64 },
    Drawn { dist: Dist, seed: u64, name: String, many: u64 },
}

/// Items of a list, each with whether it was quoted.
#[derive(Debug)]
pub struct Items(pub Vec<(String, bool)>);

impl Items {
    /// Splits at `separator` outside of quotes. Items lose the blanks around them, and their quotes.
    ///
    /// # Errors
    /// A quote is not closed, or an item is missing.
    pub fn split(text: &str, separator: char) -> Result<Items, String> {
        let mut items = Vec::new();
        for part in pieces(text, separator)? {
            let part = part.trim();
            if part.is_empty() {
                let what =
                    if items.is_empty() && text.trim().is_empty() { "there is no value" } else { "a value is missing" };
                return Err(format!("{what} (write '' for an empty one)"));
            }
            items.push(unquote(part));
        }
        Ok(Items(items))
    }

    /// The items as they are meant.
    pub fn into_texts(self) -> Vec<String> {
        self.0.into_iter().map(|(text, _)| text).collect()
    }
}

/// The parts of a text between separators outside of quotes. A quote opens only where an item begins.
pub fn pieces(text: &str, separator: char) -> Result<Vec<&str>, String> {
    let mut parts = Vec::new();
    let (mut start, mut quote, mut fresh) = (0, None, true);
    for (at, c) in text.char_indices() {
        match (c, quote) {
            (c, Some(q)) if c == q => quote = None,
            (_, Some(_)) => {}
            ('\'' | '"', None) if fresh => quote = Some(c),
            (c, None) if c == separator => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + c.len_utf8();
            }
            _ => {}
        }
        fresh = c == separator || c == ',' || (fresh && c.is_whitespace());
    }
    if let Some(q) = quote {
        return Err(format!("a quote ({q}) is not closed"));
    }
    parts.push(text.get(start..).unwrap_or_default());
    Ok(parts)
}

/// A text without the quotes around it, and whether there were any.
pub fn unquote(text: &str) -> (String, bool) {
    for q in ['\'', '"'] {
        if let Some(inner) = text.strip_prefix(q).and_then(|t| t.strip_suffix(q))
            && !inner.contains(q)
        {
            return (inner.to_string(), true);
        }
    }
    (text.to_string(), false)
}

impl Values {
    /// Reads a list whose items are texts, numbers, ranges.
    ///
    /// # Errors
    /// A sentence that says what is wrong with which item.
    pub fn parse(text: &str) -> Result<Values, String> {
        let piece = |(text, quoted): (String, bool)| if quoted { Ok(Piece::Text(text)) } else { piece(&text) };
        Items::split(text, ',')?.0.into_iter().map(piece).collect::<Result<_, _>>().map(Values)
    }

    /// Texts as they are.
    pub fn texts(texts: impl IntoIterator<Item = String>) -> Values {
        Values(texts.into_iter().map(Piece::Text).collect())
    }

    /// So many draws for the parameter of this name.
    pub fn drawn(dist: Dist, seed: u64, name: &str, many: u64) -> Values {
        Values(vec![Piece::Drawn { dist, seed, name: name.to_string(), many }])
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.0.iter().fold(0u64, |sum, piece| sum.saturating_add(piece.len()))
    }

    /// Value number `i`, from 0.
    pub fn get(&self, mut i: u64) -> String {
        for piece in &self.0 {
            if i < piece.len() {
                return piece.get(i);
            }
            i -= piece.len();
        }
        String::new()
    }
}

impl Piece {
    fn len(&self) -> u64 {
        match self {
            Piece::Text(_) => 1,
            Piece::Whole { many, .. } | Piece::Steps { many, .. } | Piece::Even { many, .. } => *many,
            Piece::Log { many, .. } | Piece::Drawn { many, .. } => *many,
        }
    }

    fn get(&self, i: u64) -> String {
        let part = |many: u64| if many > 1 { i as f64 / (many - 1) as f64 } else { 0.0 };
        match self {
            Piece::Text(text) => text.clone(),
            Piece::Whole { from, step, .. } => (i128::from(*from) + i128::from(*step) * i128::from(i)).to_string(),
            Piece::Steps { from, step, .. } => show(round_to(from + step * i as f64, 12)),
            Piece::Even { to, many, .. } | Piece::Log { to, many, .. } if i > 0 && i + 1 == *many => show(*to),
            Piece::Even { from, to, many } => show(round_to(from + (to - from) * part(*many), 12)),
            Piece::Log { from, .. } if i == 0 => show(*from),
            Piece::Log { from, to, many } => {
                let all = to.ln() - from.ln();
                // Neighbours must stay apart, else six digits say enough.
                let digits = if all.abs() / (*many as f64) < 0.001 { 12 } else { 6 };
                show(round_to((from.ln() + all * part(*many)).exp(), digits))
            }
            Piece::Drawn { dist, seed, name, .. } => dist.draw(*seed, name, i),
        }
    }
}

fn piece(text: &str) -> Result<Piece, String> {
    if let Some((from, to)) = text.split_once("..") {
        let numbers = from.trim().parse::<i64>().ok().zip(to.trim().parse::<i64>().ok());
        match numbers {
            Some((from, to)) => return Ok(whole(from, to, if from <= to { 1 } else { -1 })),
            None if text.contains(" .. ") => return Err(format!("'{text}': expected two whole numbers, as in 1 .. 3")),
            None => {}
        }
    }
    let mut words = text.split_whitespace();
    let name = words.next().unwrap_or_default();
    let form = match name {
        "range" => "range LO HI STEP",
        "linspace" => "linspace LO HI N",
        "log" => "log LO HI N",
        _ => return Ok(Piece::Text(text.to_string())),
    };
    let words: Vec<&str> = words.collect();
    let &[from, to, third] = words.as_slice() else {
        return if words.is_empty() { Ok(Piece::Text(text.to_string())) } else { Err(expected(text, form)) };
    };
    let number = |word: &str| word.parse::<f64>().ok().filter(|x| x.is_finite()).ok_or_else(|| expected(text, form));
    let many = || {
        third.parse::<u64>().ok().filter(|n| *n > 0).ok_or_else(|| format!("'{text}': N is not a whole number above 0"))
    };
    match name {
        "range" => steps(text, form, [from, to, third]),
        "linspace" => match (number(from)?, number(to)?) {
            (from, to) if (to - from).is_finite() => Ok(Piece::Even { from, to, many: many()? }),
            _ => Err(format!("'{text}': too far apart")),
        },
        _ => match (number(from)?, number(to)?) {
            (from, to) if from > 0.0 && to > 0.0 => Ok(Piece::Log { from, to, many: many()? }),
            _ => Err(format!("'{text}': log needs numbers above 0")),
        },
    }
}

fn expected(text: &str, form: &str) -> String {
    format!("'{text}': expected {form}, three numbers (quote a text that begins so)")
}

/// `range`: whole numbers exactly, others by steps; HI is included where a step meets it.
fn steps(text: &str, form: &str, words: [&str; 3]) -> Result<Piece, String> {
    let wrong = || format!("'{text}': STEP does not lead from LO to HI");
    if let [Ok(from), Ok(to), Ok(step)] = words.map(str::parse::<i64>) {
        let leads = step != 0 && (to == from || (to > from) == (step > 0));
        return if leads { Ok(whole(from, to, step)) } else { Err(wrong()) };
    }
    let [Some(from), Some(to), Some(step)] = words.map(|w| w.parse::<f64>().ok().filter(|x| x.is_finite())) else {
        return Err(expected(text, form));
    };
    let many = (to - from) / step;
    if step == 0.0 || many < 0.0 {
        return Err(wrong());
    }
    if many > 9e15 {
        return Err(format!("'{text}': these are more values than can be counted"));
    }
    Ok(Piece::Steps { from, step, many: (many + 1e-9).floor() as u64 + 1 })
}

fn whole(from: i64, to: i64, step: i64) -> Piece {
    let many = (i128::from(to) - i128::from(from)) / i128::from(step) + 1;
    Piece::Whole { from, step, many: u64::try_from(many).unwrap_or(u64::MAX) }
}

/// The number with so many significant digits.
pub fn round_to(x: f64, digits: usize) -> f64 {
    format!("{x:.*e}", digits.saturating_sub(1)).parse().unwrap_or(x)
}

/// The number printed shortest: `0.001`, `20`, `1e-6`.
pub fn show(x: f64) -> String {
    if x != 0.0 && !(1e-5..1e16).contains(&x.abs()) { format!("{x:e}") } else { format!("{}", x + 0.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<String> {
        let values = Values::parse(text).unwrap();
        (0..values.len()).map(|i| values.get(i)).collect()
    }

    #[test]
    fn lists() {
        assert_eq!(all("linear, tanh,relu"), ["linear", "tanh", "relu"]);
        assert_eq!(all("'a, b', \"c d\", '', don't, 5'"), ["a, b", "c d", "", "don't", "5'"]);
        assert_eq!(all("1e-4, 007"), ["1e-4", "007"]);
        assert_eq!(
            all("0, log 1 100 3, 7 .. 5, 'log 1 2 3', log"),
            ["0", "1", "10", "100", "7", "6", "5", "log 1 2 3", "log"]
        );
    }

    #[test]
    fn numbers_print_round() {
        assert_eq!(all("log 1e-4 1e-1 4"), ["0.0001", "0.001", "0.01", "0.1"]);
        assert_eq!(all("log 1e-1 1e-7 7"), ["0.1", "0.01", "0.001", "0.0001", "0.00001", "1e-6", "1e-7"]);
        assert_eq!(all("range 0 1 0.1").join(" "), "0 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9 1");
        assert_eq!(all("range 1 10 2"), ["1", "3", "5", "7", "9"]);
        assert_eq!(all("range 10 1 -3"), ["10", "7", "4", "1"]);
        assert_eq!(all("linspace 0 1 3, linspace -0.3 0.3 3"), ["0", "0.5", "1", "-0.3", "0", "0.3"]);
        assert_eq!(all("linspace 2 3 1, 1..2, 3 .. 3"), ["2", "1", "2", "3"]);
        assert_eq!(all("log 2 3 1, log 1 2 3"), ["2", "1", "1.41421", "2"]);
        assert_eq!(all("log 1e-300 1e300 3"), ["1e-300", "1", "1e300"]);
        assert!(Values::parse("range 0 1e300 1e-300").unwrap_err().contains("more values than can be counted"));
        let fine = all("log 1 1.001 1000");
        assert!(fine.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn what_is_huge_costs_nothing() {
        let values = Values::parse("1 .. 1000000000000, linspace 0 1 1000000000001").unwrap();
        assert_eq!(values.len(), 2_000_000_000_001);
        assert_eq!(values.get(999_999_999_999), "1000000000000");
        assert_eq!(values.get(1_500_000_000_000), "0.5");
        assert_eq!(Values::parse(&format!("{} .. {}", i64::MIN, i64::MAX)).unwrap().len(), u64::MAX);
    }

    #[test]
    fn refused() {
        for (text, part) in [
            ("", "there is no value"),
            ("a,,b", "a value is missing"),
            ("a,", "a value is missing"),
            ("'a", "not closed"),
            ("log 1 2", "expected log LO HI N"),
            ("log 0 2 3", "above 0"),
            ("linspace -1e308 1e308 3", "too far apart"),
            ("log 1 2 0", "above 0"),
            ("log 1 2 x", "whole number"),
            ("range 1 2 0", "does not lead"),
            ("range 1 2 -1", "does not lead"),
            ("range 0.1 2 0", "does not lead"),
            ("linspace a b 3", "three numbers"),
            ("1 .. x", "two whole numbers"),
        ] {
            let what = Values::parse(text).unwrap_err();
            assert!(what.contains(part), "{text}: {what}");
        }
    }
}
