//! Lines whose form is their own: darknet's `1000: 1.23, 1.5 avg loss, 0.001 rate, 4.2 seconds, 64000 images`, with the
//! numbers before their names; AllenNLP's table of an epoch, `loss | 0.240 | 0.190` below `Training | Validation`; the
//! line `all` below `Class Images Instances Box(P R mAP50 mAP50-95)` of YOLO; the records of nn-weights.

use super::token::number_at;
use super::words;
use crate::record::weights::Kind;

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

/// The measures that the heading of a detection report names.
pub fn detection_heading(line: &str) -> Option<Vec<String>> {
    let words = line.trim_start().strip_prefix("Class ")?.trim_start();
    let words = words.strip_prefix("Images ")?;
    let words = words.split(": ").next().unwrap_or(words);
    let mut group = "";
    let mut names = Vec::new();
    for word in words.split_whitespace().skip(1) {
        let name = match word.split_once('(') {
            Some((of, name)) => {
                group = if of == "Box" { "" } else { of };
                name
            }
            None => word,
        };
        let name = name.trim_end_matches([')', ':']);
        names.push(if group.is_empty() { name.to_string() } else { format!("{group}/{name}") });
    }
    (!names.is_empty()).then_some(names)
}

/// The numbers of its line for all classes: one for each measure.
pub fn detection_row(line: &str, measures: usize) -> Option<Vec<f64>> {
    let numbers = line.trim_start().strip_prefix("all ")?;
    let numbers: Option<Vec<f64>> = numbers.split_whitespace().map(whole).collect();
    numbers.filter(|n| n.len() == measures + 2).map(|mut n| n.split_off(2))
}

/// The layer and its norm in a record of nn-weights: name, shape, type and count, which say the same, and nine numbers or
/// so, with tabs between.
pub fn weights(line: &str) -> Option<(&str, f64)> {
    let cells: Vec<&str> = line.splitn(14, '\t').collect();
    let [layer, shape, kind, count, norm, ..] = cells.as_slice() else { return None };
    let sides = if *shape == "scalar" { "1" } else { shape };
    let sides = sides.split('x').try_fold(1u64, |all, side| all.checked_mul(side.parse().ok()?));
    let good = (12..=13).contains(&cells.len())
        && !layer.is_empty()
        && Kind::named(kind).is_some()
        && sides.is_some()
        && sides == count.parse().ok();
    good.then(|| norm.parse().ok().map(|norm| (*layer, norm)))?
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
        let names = detection_heading("   Class  Images  Instances  Box(P  R  Mask(P  mAP50-95): 100% ━━ 1/1").unwrap();
        assert_eq!(names, ["P", "R", "Mask/P", "Mask/mAP50-95"]);
        let names =
            detection_heading("Class     Images     Labels     P     R     mAP@.5 mAP@.5:.95: 100%|██| 4/4 [00:01]")
                .unwrap();
        assert_eq!(names, ["P", "R", "mAP@.5", "mAP@.5:.95"]);
        assert_eq!(detection_heading("Class 1"), None);
        assert_eq!(detection_row("   all   4   9   0.5   0.25", 2), Some(vec![0.5, 0.25]));
        assert_eq!(detection_row("all 4 of 9", 1), None);
        let record = "fc 1.weight\t2x3\tfloat32\t6\t1.5e+20\t0\t1\t-1\t1\t0\t0\t0";
        assert_eq!(weights(record), Some(("fc 1.weight", 1.5e20)));
        assert!(weights(&format!("{}\t2.5", record.replace("1.5e+20", "nan"))).is_some_and(|(_, norm)| norm.is_nan()));
        for (from, to) in [("2x3", "2x4"), ("float32", "float"), ("\t0\t0", ""), ("\t0\t0", "\t0\t0\t0\t0\t0")] {
            assert_eq!(weights(&record.replace(from, to)), None, "{from}");
        }
    }
}
