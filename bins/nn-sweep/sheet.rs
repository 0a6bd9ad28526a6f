//! Reads a table of experiments, a row each, the way people keep them in spreadsheets.
//!
//! The names of the columns stand in the first row, or in the second when the first holds headings over groups of columns
//! (`Test`, `Train`, `Params`): such a row has gaps, fewer cells than the next, and the next holds no number. Where there
//! is a column `status`, the rows that say TODO are the jobs; else every row that is not empty. Columns of results, dates,
//! status and commits are no parameters; name, command, note and the like are what they say.

use crate::spec::read_setting;
use crate::sweep::{Setting, Sweep, Variant};
use crate::values::show;
use crate::words::Template;
use nn::base::csv::{self, Row};
use nn::base::error::{Error, Result};
use std::path::Path;

/// What a column is for.
#[derive(Clone, Debug, PartialEq)]
enum Use {
    Param(usize),
    Setting(&'static str),
    Status,
    /// Nothing to start a run with
    None,
    /// No heading: nothing may stand there
    Nameless,
}

/// Headings over results.
const RESULTS: [&str; 10] =
    ["test", "train", "valid", "validation", "dev", "eval", "result", "results", "metrics", "scores"];

/// Whether text is a table rather than a specification, going by its first line that says something.
pub fn is_table(path: &Path, text: &str) -> bool {
    match path.extension().and_then(|e| e.to_str()) {
        Some(e) if e.eq_ignore_ascii_case("csv") || e.eq_ignore_ascii_case("tsv") => return true,
        _ => {}
    }
    let mut lines = text.trim_start_matches('\u{feff}').split(['\n', '\r']).map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#')).unwrap_or_default();
    !first.starts_with('[') && !first.contains('=') && first.contains([',', ';', '\t'])
}

/// Reads a table. `path` is for messages.
///
/// # Errors
/// The first mistake, with its line.
pub fn parse(path: &Path, text: &str) -> Result<Sweep> {
    let text = text.trim_start_matches('\u{feff}');
    let wrong = |line: usize, what: String| Error::data(path, line, what);
    let rows = csv::parse(text, csv::separator(text)).map_err(|(line, what)| wrong(line, what))?;
    let rows: Vec<Row> = rows.into_iter().filter(|row| !row.is_empty()).collect();
    let (names, groups, jobs) = match rows.as_slice() {
        [groups, names, jobs @ ..] if is_group_row(groups, names) => (names, Some(groups), jobs),
        [names, jobs @ ..] => (names, None, jobs),
        [] => return Err(wrong(0, "the table is empty".into())),
    };
    let mut sweep = Sweep { path: path.to_path_buf(), is_table: true, ..Sweep::default() };
    let uses = columns(&mut sweep, names, groups).map_err(|what| wrong(names.line, what))?;
    let status = uses.iter().position(|u| *u == Use::Status);
    for row in jobs {
        let is_job = |column| row.cell(column).eq_ignore_ascii_case("TODO");
        if status.is_none_or(is_job) {
            let variant = variant(&sweep, &uses, row).map_err(|what| wrong(row.line, what))?;
            sweep.variants.push(variant);
        }
    }
    Ok(sweep)
}

fn is_group_row(groups: &Row, names: &Row) -> bool {
    let filled = |row: &Row| row.cells.iter().filter(|cell| !cell.is_empty()).count();
    let last = groups.cells.iter().rposition(|cell| !cell.is_empty()).unwrap_or(0);
    let gaps = groups.cells.iter().take(last).any(String::is_empty);
    gaps && filled(groups) < filled(names) && names.cells.iter().all(|cell| cell.parse::<f64>().is_err())
}

/// What each column is for; parameters are noted in the sweep.
fn columns(sweep: &mut Sweep, names: &Row, groups: Option<&Row>) -> std::result::Result<Vec<Use>, String> {
    let mut uses: Vec<Use> = Vec::with_capacity(names.cells.len());
    let mut group = String::new();
    for (column, name) in names.cells.iter().enumerate() {
        if let Some(heading) = groups.map(|row| row.cell(column)).filter(|heading| !heading.is_empty()) {
            group = heading.to_lowercase();
        }
        let of_results = RESULTS.contains(&group.as_str());
        let known = known(name);
        let what = match known {
            Some(known) => known,
            None if of_results || name.contains('@') => Use::None,
            None => {
                if sweep.param(name).is_some() {
                    return Err(format!("two columns are named '{name}'"));
                }
                if name.contains(['{', '}']) {
                    return Err(format!("'{name}' cannot be the name of a parameter"));
                }
                sweep.params.push(name.clone());
                Use::Param(sweep.params.len() - 1)
            }
        };
        if matches!(what, Use::Setting(_) | Use::Status) && uses.contains(&what) {
            return Err(format!("column '{name}': there is another one of this meaning"));
        }
        uses.push(what);
    }
    Ok(uses)
}

/// The columns that are no parameters, by their names.
fn known(name: &str) -> Option<Use> {
    Some(match name.to_lowercase().as_str() {
        "" => Use::Nameless,
        "status" | "state" => Use::Status,
        "date" | "git" | "commit" | "run" | "result" | "results" => Use::None,
        "name" => Use::Setting("name"),
        "command" | "cmd" | "exact command" | "pyth" => Use::Setting("command"),
        "dir" | "directory" | "cwd" => Use::Setting("dir"),
        "needs" => Use::Setting("needs"),
        "note" | "notes" | "comment" | "comments" => Use::Setting("note"),
        "group" => Use::Setting("group"),
        "priority" => Use::Setting("priority"),
        "retries" => Use::Setting("retries"),
        "tags" => Use::Setting("tags"),
        "hold" => Use::Setting("hold"),
        _ => return None,
    })
}

fn variant(sweep: &Sweep, uses: &[Use], row: &Row) -> std::result::Result<Variant, String> {
    let mut variant = Variant { line: row.line, fixed: vec![None; sweep.params.len()], ..Variant::default() };
    for (column, cell) in row.cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
        if cell.contains('\0') {
            return Err(format!("a NUL stands in column {}", column + 1));
        }
        match uses.get(column) {
            Some(Use::Param(slot)) => {
                if let Some(value) = variant.fixed.get_mut(*slot) {
                    *value = Some(number_as_typed(cell));
                }
            }
            Some(Use::Setting(key)) => {
                let words = match *key {
                    "command" | "tags" => read_setting(key, cell).map_err(|what| format!("'{key}': {what}"))?,
                    _ => vec![Template::literal(cell)],
                };
                variant.settings.insert(key, Setting { line: row.line, words });
            }
            Some(Use::Status | Use::None) => {}
            Some(Use::Nameless) | None => {
                return Err(format!("'{cell}' stands in column {}, which has no name", column + 1));
            }
        }
    }
    Ok(variant)
}

/// A number that a spreadsheet wrote out (`2.0000000000000001E-4`) as a person would have typed it (`0.0002`).
fn number_as_typed(cell: &str) -> String {
    let written_out = cell.contains('E') || (cell.contains('.') && cell.len() >= 17);
    match cell.parse::<f64>() {
        Ok(x) if written_out && x.is_finite() && shaped(cell) => show(x),
        _ => cell.to_string(),
    }
}

/// Whether only digits and what belongs to a number stand here.
fn shaped(cell: &str) -> bool {
    cell.bytes().all(|b| b.is_ascii_digit() || b"+-.E".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHEET: &str = "\
,,,Test,,Train,Code,Params,,
date,status,name,10ep,50ep,10ep,pyth,task,sequence len,comments
2015-05-20,,a,0.1,2E-3,9.9000000000000005E-2,python x.py,trend,10,
,,,,,,,,,
,todo,,,,,,trend,20,\"one, two\"
,TODO,b,,,,,lag,2.0000000000000001E-4,
";

    #[test]
    fn a_spreadsheet_with_headings_over_groups() {
        let sweep = parse(Path::new("x.csv"), SHEET).unwrap();
        assert_eq!(sweep.params, ["task", "sequence len"]);
        assert_eq!(sweep.variants.iter().map(|v| v.line).collect::<Vec<_>>(), [5, 6]);
        assert_eq!(sweep.variants[1].fixed, [Some("lag".to_string()), Some("0.0002".to_string())]);
        assert!(sweep.variants[0].settings.contains_key("note") && !sweep.variants[0].settings.contains_key("name"));
        assert_eq!(sweep.param("sequence_len"), Some(1));
    }

    #[test]
    fn one_row_of_names_and_no_status() {
        let sweep = parse(Path::new("x"), "lr\tact\n0.1\ttanh\n\n0.2\t\n").unwrap();
        assert_eq!(sweep.variants.len(), 2);
        assert_eq!(sweep.variants[1].fixed, [Some("0.2".to_string()), None]);
    }

    #[test]
    fn refused() {
        for (text, part) in [
            ("", "empty"),
            ("a,a\n1,2\n", "x:1: two columns are named 'a'"),
            ("a,b\n1,2,3\n", "x:2: '3' stands in column 3"),
            ("a,note,comment\n", "another one"),
            ("a,b\n1,\"2\n", "x:2: a quote"),
            ("a,cmd\n1,x | y\n", "would need a shell"),
        ] {
            let what = parse(Path::new("x"), text).unwrap_err().to_string();
            assert!(what.contains(part), "{text}: {what}");
        }
    }

    #[test]
    fn what_is_a_table() {
        assert!(is_table(Path::new("a.CSV"), "a = 1"));
        assert!(is_table(Path::new("-"), "a,b\rx=1,2\r"));
        assert!(is_table(Path::new("-"), "\n,,Test\na,b,c\n"));
        assert!(!is_table(Path::new("-"), "# a, b\nname = a, b\n"));
        assert!(!is_table(Path::new("-"), "[grid]\na = 1, 2\n"));
    }
}
