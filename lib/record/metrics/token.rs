//! A log line as tokens: words, numbers, ratios (`64/1437`), separators (`=` `:`), breaks between fields (`,` `;` `|`
//! ` - `), brackets and parenthesised groups. Only what is wholly a number is one: times, dates, versions, addresses
//! and sizes such as `3x3` are words; a known unit glued to a number (`52.2ms` `4.34GB` `98%`) is passed over.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Anything that is nothing else
    Word,
    /// `0.5` `1,234` `nan` `52.2ms` `0.44+0.01`
    Number,
    /// `64/1437` or `20/  40000`: two whole numbers
    Ratio,
    /// `=` or `:`
    Sep,
    /// `,` `;` `|` or a dash between blanks
    Break,
    /// `[` or `{`
    Open,
    /// `]` or `}`
    Close,
    /// `( … )`
    Group,
}

/// A token and where it lies in the line.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// What it is
    pub kind: Kind,
    /// First byte
    pub from: usize,
    /// Byte after the last
    pub to: usize,
    /// Blanks before it: 0, 1, or 2 for more or a tab
    pub gap: u8,
    /// The number; the first of a ratio
    pub value: f64,
    /// The second of a ratio; the deviation of `0.44+0.01`, else NaN
    pub total: f64,
    /// Written without point, exponent and unit
    pub whole: bool,
    /// Something is glued to it
    pub unit: bool,
    /// The first byte, to tell the breaks and separators apart
    pub byte: u8,
}

/// Tokens looked at in a line: more belong to no metric.
const MOST: usize = 2048;

/// Cuts a line into tokens.
pub fn tokenize(line: &str, tokens: &mut Vec<Token>) {
    tokens.clear();
    let b = line.as_bytes();
    let mut at = 0;
    while tokens.len() < MOST {
        let start = at;
        let mut tab = false;
        while let Some(c @ (b' ' | b'\t')) = b.get(at) {
            tab |= *c == b'\t';
            at += 1;
        }
        let Some(&byte) = b.get(at) else { break };
        let gap = if tab { 2 } else { (at - start).min(2) as u8 };
        let mut token = Token {
            kind: Kind::Word,
            from: at,
            to: at + 1,
            gap,
            value: 0.0,
            total: f64::NAN,
            whole: false,
            unit: false,
            byte,
        };
        let next = b.get(at + 1).copied().unwrap_or(b' ');
        match byte {
            b'=' if matches!(next, b'=' | b'>') => token.to = word_end(b, at + 2),
            b'=' | b':' => token.kind = Kind::Sep,
            b',' | b';' | b'|' => token.kind = Kind::Break,
            b'[' | b'{' => token.kind = Kind::Open,
            b']' | b'}' => token.kind = Kind::Close,
            b'(' => match group_end(b, at) {
                Some(end) if !tokens.is_empty() => (token.kind, token.to) = (Kind::Group, end),
                _ => token.kind = Kind::Break,
            },
            b')' => token.kind = Kind::Break,
            b'-' if matches!(next, b' ' | b'\t') => token.kind = Kind::Break,
            b'/' if tokens.last().is_some_and(|t| t.kind == Kind::Number && t.to == at) => token.kind = Kind::Break,
            b'"' | b'\'' | b'`' => token.to = quote_end(b, at).unwrap_or_else(|| word_end(b, at + 1)),
            b'0'..=b'9' | b'.' | b'-' | b'+' | b'n' | b'N' | b'i' | b'I' => {
                if !number(line, b, &mut token) {
                    token.kind = Kind::Word;
                    token.to = if byte.is_ascii_digit() { odd_end(b, at) } else { word_end(b, at + 1) };
                }
            }
            _ => token.to = word_end(b, at + 1),
        }
        at = token.to;
        tokens.push(token);
    }
}

/// The end of a word; parentheses inside it belong to it, as in `D(G(z))`.
fn word_end(b: &[u8], mut at: usize) -> usize {
    let mut depth = 0usize;
    while let Some(c) = b.get(at) {
        match c {
            b' ' | b'\t' | b'=' | b',' | b';' | b'|' | b'[' | b']' | b'{' | b'}' | b'"' => break,
            b':' if b.get(at + 1..at + 3) != Some(b"//") => break,
            b'(' => depth += 1,
            b')' if depth == 0 => break,
            b')' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    at
}

/// The end of what starts like a number and is none: a time, a date, a version.
fn odd_end(b: &[u8], mut at: usize) -> usize {
    let mut dated = true;
    while let Some(c) = b.get(at) {
        let joins = matches!(c, b':' | b',') && dated && b.get(at + 1).is_some_and(u8::is_ascii_digit);
        if !joins
            && matches!(c, b' ' | b'\t' | b'=' | b':' | b',' | b';' | b'|' | b'[' | b']' | b'(' | b')' | b'{' | b'}')
        {
            break;
        }
        dated &= c.is_ascii_digit() || joins || matches!(c, b'.' | b'-' | b'/' | b'T' | b'+');
        at += 1;
    }
    at
}

fn group_end(b: &[u8], from: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (i, c) in b.get(from..)?.iter().take(400).enumerate() {
        match c {
            b'(' => depth += 1,
            b')' if depth == 1 => return Some(from + i + 1),
            b')' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn quote_end(b: &[u8], from: usize) -> Option<usize> {
    let quote = *b.get(from)?;
    let end = b.get(from + 1..)?.iter().take(400).position(|c| *c == quote)?;
    Some(from + end + 2)
}

/// The number at the start of a text, and its length. Whatever follows it is left alone.
pub fn number_at(text: &str) -> Option<(f64, usize)> {
    let b = text.as_bytes();
    let digits = usize::from(matches!(b.first(), Some(b'-' | b'+')));
    if let Some(found) = not_finite(b, 0, digits) {
        return Some(found);
    }
    let plain = plain_number(b, digits)?;
    let value = text.get(..plain.end)?.replace(',', "").parse().ok()?;
    Some((value, plain.end))
}

/// Tries to read a number, with its unit, at the token's start.
fn number(line: &str, b: &[u8], token: &mut Token) -> bool {
    let start = token.from;
    let digits = start + usize::from(matches!(b.get(start), Some(b'-' | b'+')));
    if let Some((value, end)) = not_finite(b, start, digits) {
        (token.kind, token.value, token.to) = (Kind::Number, value, end);
        return true;
    }
    let Some(plain) = plain_number(b, digits) else { return false };
    let text = line.get(start..plain.end).unwrap_or_default();
    let value = if plain.grouped { text.replace(',', "").parse() } else { text.parse() };
    let Ok(value) = value else { return false };
    token.value = value;
    token.kind = Kind::Number;
    token.to = plain.end;
    if plain.whole && ratio(b, plain.end, token) {
        return true;
    }
    token.whole = plain.whole;
    if let Some((spread, end)) = spread(line, plain.end) {
        (token.total, token.to, token.whole) = (spread, end, false);
        return true;
    }
    let Some(end) = unit_end(b, plain.end) else { return false };
    token.unit = end > plain.end;
    token.whole &= !token.unit;
    token.to = end;
    true
}

struct Plain {
    end: usize,
    whole: bool,
    grouped: bool,
}

/// `12`, `12.5`, `.5`, `1e-05`, `12,345`.
fn plain_number(b: &[u8], from: usize) -> Option<Plain> {
    let digits = |mut at: usize| {
        while b.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    let mut end = digits(from);
    let mut whole = true;
    let mut grouped = false;
    if (1..=3).contains(&(end - from)) {
        while b.get(end) == Some(&b',') && digits(end + 1) == end + 4 && b.get(from) != Some(&b'0') {
            end += 4;
            grouped = true;
        }
    }
    let int_end = end;
    if b.get(end) == Some(&b'.') {
        let after = digits(end + 1);
        if after > end + 1 {
            whole = false;
            end = after;
        } else if int_end > from && !b.get(end + 1).is_some_and(u8::is_ascii_alphanumeric) {
            end += 1;
        }
    }
    if end == from {
        return None;
    }
    if matches!(b.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(b.get(end + 1), Some(b'-' | b'+')));
        let after = digits(end + 1 + sign);
        if after > end + 1 + sign {
            whole = false;
            end = after;
        }
    }
    Some(Plain { end, whole, grouped })
}

fn not_finite(b: &[u8], start: usize, from: usize) -> Option<(f64, usize)> {
    let value = match b.get(from..from + 3)? {
        b"nan" | b"NaN" | b"NAN" => f64::NAN,
        b"inf" | b"Inf" | b"INF" => f64::INFINITY,
        _ => return None,
    };
    let end = if b.get(from..from + 8) == Some(b"Infinity") { from + 8 } else { from + 3 };
    let ends = !b.get(end).is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'/' | b'\''));
    ends.then_some((if b.get(start) == Some(&b'-') { -value } else { value }, end))
}

/// `/ 1437` after a whole number: makes the token a ratio. A second slash makes it a date.
fn ratio(b: &[u8], after: usize, token: &mut Token) -> bool {
    let blanks = |mut at: usize| {
        while b.get(at) == Some(&b' ') {
            at += 1;
        }
        at
    };
    let slash = blanks(after);
    if b.get(slash) != Some(&b'/') {
        return false;
    }
    let from = blanks(slash + 1);
    let Some(plain) = plain_number(b, from) else { return false };
    let end = plain.end;
    let ends = !b.get(end).is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, b'/' | b'_' | b'.' | b'-'));
    if !plain.whole || !ends || (b.get(end) == Some(&b':') && b.get(end + 1).is_some_and(u8::is_ascii_digit)) {
        return false;
    }
    token.kind = Kind::Ratio;
    token.total = b
        .get(from..end)
        .unwrap_or_default()
        .iter()
        .filter(|c| c.is_ascii_digit())
        .fold(0.0, |v, d| v * 10.0 + f64::from(d - b'0'));
    token.to = end;
    true
}

/// The deviation that follows a mean: `+0.01`, ` + 0.01`, `±0.01`.
fn spread(line: &str, end: usize) -> Option<(f64, usize)> {
    let rest = line.get(end..)?;
    let from = ["+", " + ", "±", " ± ", " +- "]
        .into_iter()
        .find_map(|sign| rest.strip_prefix(sign).filter(|after| after.starts_with(|c: char| c.is_ascii_digit())))?;
    let at = line.len() - from.len();
    let plain = plain_number(line.as_bytes(), at)?;
    Some((line.get(at..plain.end)?.parse().ok()?, plain.end))
}

/// The end of a number with what is glued to it, None when that makes it no number.
fn unit_end(b: &[u8], end: usize) -> Option<usize> {
    let next = b.get(end + 1).copied().unwrap_or(b' ');
    match b.get(end).copied().unwrap_or(b' ') {
        b'%' => Some(end + 1),
        b':' if next.is_ascii_digit() => None,
        b'-' | b'_' | b'@' | b'#' | b'.' | b'\'' if next != b' ' => None,
        b'/' if next.is_ascii_digit() => None,
        b'a'..=b'z' | b'A'..=b'Z' | 0xc2 => {
            let mut to = end;
            while b.get(to).is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, b'/' | 0xc2 | 0xb5 | b'?')) {
                to += 1;
            }
            is_unit(b.get(end..to).unwrap_or_default()).then_some(to)
        }
        _ => Some(end),
    }
}

/// Whether these letters after a number are a unit.
pub fn is_unit(unit: &[u8]) -> bool {
    let unit = unit.strip_suffix(b".").unwrap_or(unit);
    const UNITS: [&[u8]; 47] = [
        b"s",
        b"ms",
        b"us",
        b"ns",
        b"\xc2\xb5s",
        b"m",
        b"min",
        b"h",
        b"hr",
        b"sec",
        b"secs",
        b"second",
        b"seconds",
        b"K",
        b"k",
        b"M",
        b"G",
        b"T",
        b"B",
        b"KB",
        b"MB",
        b"GB",
        b"TB",
        b"kB",
        b"Kb",
        b"Mb",
        b"Gb",
        b"mb",
        b"gb",
        b"KiB",
        b"MiB",
        b"GiB",
        b"TiB",
        b"TFLOPS",
        b"TFLOPs",
        b"GFLOPS",
        b"GFLOPs",
        b"FLOPS",
        b"FLOPs",
        b"W",
        b"C",
        b"bits",
        b"samples",
        b"wps",
        b"fps",
        b"percent",
        b"%",
    ];
    UNITS.contains(&unit) || is_rate(unit)
}

/// `it/s`, `samples/sec`, `ms/step`, `tok/s`.
pub fn is_rate(unit: &[u8]) -> bool {
    let Some(slash) = unit.iter().position(|c| *c == b'/') else { return false };
    let per: [&[u8]; 9] = [b"s", b"sec", b"second", b"it", b"iter", b"step", b"batch", b"epoch", b"sample"];
    slash > 0 && slash < 12 && per.contains(&unit.get(slash + 1..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(line: &str) -> String {
        let mut tokens = Vec::new();
        tokenize(line, &mut tokens);
        let show = |t: &Token| match t.kind {
            Kind::Number => format!("{}", t.value),
            Kind::Ratio => format!("{}/{}", t.value, t.total),
            Kind::Sep => "=".into(),
            Kind::Break => "|".into(),
            _ => format!("<{}>", &line[t.from..t.to]),
        };
        tokens.iter().map(show).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn numbers_and_what_is_none() {
        for (line, wanted) in [
            ("a=1 b=-2.5e-3 c=.5 d=nan e=-inf", "<a> = 1 <b> = -0.0025 <c> = 0.5 <d> = NaN <e> = -inf"),
            ("52.2ms 4.34GB 98% 31ms/step 0us 12.3it/s", "52.2 4.34 98 31 0 12.3"),
            ("1,234 12,345,678 1,2345 0.44+0.01 5±1", "1234 12345678 1 | 2345 0.44 5"),
            ("64/1437 20/  40000 3 / 4", "64/1437 20/40000 3/4"),
            (
                "0:03:35 12:30:12,123 2021-03-08 1.2.3 10.0.0.1",
                "<0:03:35> <12:30:12,123> <2021-03-08> <1.2.3> <10.0.0.1>",
            ),
            (
                "3x3 8-bit 1st 0x1f 1/2/2020 3s512ms nanogpt info",
                "<3x3> <8-bit> <1st> <0x1f> <1/2/2020> <3s512ms> <nanogpt> <info>",
            ),
            ("D(G(z)): 0.6 / 0.01", "<D(G(z))> = 0.6 </> 0.01"),
            ("x (ms): 3 [a, b]", "<x> <(ms)> = 3 <[> <a> | <b> <]>"),
            ("e 0, i 0:V inf - z", "<e> 0 | <i> 0 = <V> inf | <z>"),
            ("to 0.001.", "<to> 0.001 <.>"),
            ("epoch=0/step=10", "<epoch> = 0 | <step> = 10"),
        ] {
            assert_eq!(shape(line), wanted, "{line}");
        }
    }
}
