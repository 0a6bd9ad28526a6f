//! Lines whose form is their own: darknet's `1000: 1.23, 1.5 avg loss, 0.001 rate, 4.2 seconds, 64000 images`, with the
//! numbers before their names, and AllenNLP's table of an epoch, `loss | 0.240 | 0.190` below `Training | Validation`.

use super::token::number_at;
use super::words;

/// Reads a line of darknet: the step, and its three numbers.
pub fn darknet(line: &str) -> Option<(f64, [(&'static str, f64); 3])> {
    let (step, rest) = line.trim_start().split_once(": ")?;
    let step: u64 = step.parse().ok()?;
    let mut fields = rest.split(", ");
    let loss = whole(fields.next()?)?;
    let average = fields.next()?;
    let (average_name, average) = match average.strip_suffix(" avg loss") {
        Some(number) => ("avg_loss", number),
        None => ("avg", average.strip_suffix(" avg")?),
    };
    let rate = fields.next()?.strip_suffix(" rate")?;
    Some((step as f64, [("loss", loss), (average_name, whole(average)?), ("rate", whole(rate)?)]))
}

fn whole(text: &str) -> Option<f64> {
    let text = text.trim();
    number_at(text).filter(|(_, len)| *len == text.len()).map(|(value, _)| value)
}

/// The sets of data that a heading `Training |  Validation` names.
pub fn columns(line: &str) -> Option<[&'static str; 2]> {
    let (first, second) = line.split_once('|')?;
    Some([words::split(first.trim())?, words::split(second.trim())?])
}

/// The name and the numbers of a row below such a heading.
pub fn row(line: &str) -> Option<(&str, [Option<f64>; 2])> {
    let mut cells = line.split('|');
    let (name, first, second) = (cells.next()?.trim(), cells.next()?, cells.next()?);
    let numbers = [whole(first), whole(second)];
    let good = cells.next().is_none() && !name.is_empty() && !name.contains(' ') && numbers != [None, None];
    good.then_some((name, numbers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let line = " 1: 612.4, 613.5 avg, 0.000000 rate, 5.1 seconds, 64 images";
        assert_eq!(darknet(line), Some((1.0, [("loss", 612.4), ("avg", 613.5), ("rate", 0.0)])));
        let line = "7: 1.5, -nan avg loss, 0.1 rate, 1 seconds, 64 images, 2.4 hours left";
        assert!(darknet(line).is_some_and(|(_, values)| values[1].0 == "avg_loss" && values[1].1.is_nan()));
        assert_eq!(darknet("1: 2, 3"), None);
        assert_eq!(columns("     Training |  Validation"), Some(["train/", "val/"]));
        assert_eq!(columns("a | b"), None);
        assert_eq!(row("loss    |   0.240 |   N/A"), Some(("loss", [Some(0.24), None])));
        assert_eq!(row("loss | 1 | 2 | 3"), None);
        assert_eq!(row("a b | 1 | 2"), None);
    }
}
