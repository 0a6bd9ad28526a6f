//! The house rules, as tests: what the sources, pages, completions and the manifest must look like.
//!
//! Each rule is a function that returns sentences, `FILE:LINE: what is wrong`; a test fails with all of them. A tool
//! counts from the moment its main file is more than `//! (empty)`. Options are read from what `--help` prints, so that
//! page and completions are held against the program, not against a copy.

use crate::place::{Place, bins, root, say};
use crate::transcript;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The floors of lib, from the ground up; each may import itself and what is below.
const FLOORS: [&str; 8] = ["base", "spool", "record", "judge", "draw", "mail", "cluster", "web"];
const LONGEST_FILE: usize = 600;
const LONGEST_README: usize = 160;

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_default()
}

/// All files below these folders, as paths from the top.
fn files(folders: &[&str]) -> Vec<String> {
    let mut left: Vec<PathBuf> = folders.iter().map(|f| root().join(f)).collect();
    let mut found = Vec::new();
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().flatten().map(|e| e.path()));
        } else if let Ok(path) = path.strip_prefix(root())
            && root().join(path).is_file()
        {
            found.push(path.to_string_lossy().into_owned());
        }
    }
    found.sort();
    found
}

fn sources(folders: &[&str]) -> Vec<String> {
    files(folders).into_iter().filter(|p| p.ends_with(".rs")).collect()
}

/// The lines of a Rust file with their numbers, comments left out.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(i, line)| (i + 1, line.split("//").next().unwrap_or("")))
}

/// The words of a text, cut at everything but letters, digits and the characters of `also`.
fn words<'a>(text: &'a str, also: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(move |c: char| !c.is_ascii_alphanumeric() && !also.contains(c))
}

/// The tools that are there: name, path of the main file.
fn tools() -> Vec<(String, String)> {
    let manifest = read("Cargo.toml");
    let mut tools = Vec::new();
    for part in manifest.split("[[bin]]").skip(1) {
        let field = |key: &str| {
            let line = part.lines().find(|l| l.starts_with(key))?;
            line.split('"').nth(1).map(str::to_string)
        };
        let (name, path) = (field("name").unwrap(), field("path").unwrap());
        if !read(&path).starts_with("//! (empty)") {
            tools.push((name, path));
        }
    }
    tools
}

/// What a tool prints for `--help`.
fn help(tool: &str) -> String {
    let place = Place::new("help");
    let output = place.command(&bins().join(tool).to_string_lossy()).arg("--help").output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The options in a usage text, with their dashes. What follows ` -- ` belongs to somebody else's command.
fn options(usage: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in usage.lines() {
        let line = line.split(" -- ").next().unwrap_or("");
        for word in line.split(|c: char| c.is_whitespace() || "[]|(),/'\"=;".contains(c)) {
            let name: String = word.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
            if let Some(long) = name.strip_prefix("--") {
                let long = long.trim_end_matches('-');
                if long.starts_with(|c: char| c.is_ascii_lowercase()) {
                    found.insert(format!("--{long}"));
                }
            } else if let Some(short) = name.strip_prefix('-') {
                let mut chars = short.chars();
                if let Some(c) = chars.next().filter(char::is_ascii_alphabetic)
                    && !chars.next().is_some_and(|c| c.is_ascii_lowercase() || c == '-')
                {
                    found.insert(format!("-{c}"));
                }
            }
        }
    }
    for everywhere in ["-h", "--help", "-V", "--version"] {
        found.remove(everywhere);
    }
    found
}

/// The flags a page in mdoc names: what stands after `Fl`, up to the next macro.
fn flags(page: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let page = page.replace("\\-", "-").replace("\\&", "");
    for line in page.lines().filter(|l| l.starts_with('.')) {
        let mut in_flags = false;
        for token in line.trim_start_matches('.').split_whitespace() {
            let token = token.trim_matches('"');
            if token == "Fl" {
                in_flags = true;
            } else if token.len() == 2 && token.starts_with(|c: char| c.is_ascii_uppercase()) {
                in_flags = false;
            } else if in_flags && !"|,.".contains(token) {
                found.insert(format!("-{}", token.split('=').next().unwrap_or("")));
            }
        }
    }
    found
}

/// The flags fish is told of for one tool.
fn fish_flags(text: &str, tool: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in text.replace("\\\n", " ").lines().filter(|l| l.trim_start().starts_with("complete ")) {
        let tokens: Vec<&str> = line.split_whitespace().map(|t| t.trim_matches(['"', '\''])).collect();
        if !tokens.windows(2).any(|w| matches!(w[0], "-c" | "--command") && w[1] == tool) {
            continue;
        }
        for pair in tokens.windows(2) {
            match pair[0] {
                "-l" | "--long-option" => found.insert(format!("--{}", pair[1])),
                "-s" | "--short-option" => found.insert(format!("-{}", pair[1])),
                _ => false,
            };
        }
    }
    found
}

/// The words of the function of a tool in the completions of bash or zsh: `_nn_queue() {` to the `}` at a line's start.
fn function_words(text: &str, tool: &str) -> BTreeSet<String> {
    let plain = tool.replace('-', "_");
    let mut inside = false;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        let start = line.trim_start_matches("function ").replace('-', "_");
        if start.starts_with(&format!("_{plain}()")) || start.starts_with(&format!("_{plain} ()")) {
            inside = true;
        }
        if inside {
            found.extend(words(line, "-").map(str::to_string));
        }
        inside &= line != "}";
    }
    found
}

fn page(tool: &str) -> String {
    read(&format!("man/{tool}.1"))
}

fn none(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn unsafe_stands_in_sys_only() {
    let mut wrong = Vec::new();
    for path in sources(&["lib", "bins", "tests"]) {
        let at_home = path == "lib/base/sys.rs" || path.starts_with("lib/base/sys/") || path == "tests/it/tidy.rs";
        for (line, text) in code(&read(&path)).filter(|_| !at_home) {
            if words(text, "_").any(|w| w == "unsafe") {
                wrong.push(format!("{path}:{line}: unsafe belongs into lib/base/sys.rs"));
            }
            if text.contains("allow(unsafe_code)") && path != "lib/lib.rs" {
                wrong.push(format!("{path}:{line}: allows unsafe code"));
            }
        }
    }
    none(wrong);
}

#[test]
fn only_cli_prints_and_nobody_exits() {
    let forbidden = ["println!", "eprintln!", "print!", "eprint!", "dbg!", "todo!", "unimplemented!", "process::exit"];
    let mut wrong = Vec::new();
    for path in sources(&["lib", "bins"]).into_iter().filter(|p| p != "lib/base/cli.rs") {
        for (line, text) in code(&read(&path)) {
            let found = forbidden.iter().find(|f| match text.find(*f) {
                Some(at) => !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_'),
                None => false,
            });
            wrong.extend(found.map(|f| format!("{path}:{line}: {f}")));
        }
    }
    none(wrong);
}

#[test]
fn nothing_is_left_for_later_and_no_path_of_one_machine() {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")];
    let places = [concat!("/wo", "rk/"), concat!("/tmp/", "wt-"), concat!("/ro", "ot/")];
    let mut wrong = Vec::new();
    for path in files(&["lib", "bins", "tests", "scripts", "man", "README.md", "Cargo.toml", ".ci"]) {
        let Ok(text) = fs::read_to_string(root().join(&path)) else { continue };
        for (i, line) in text.lines().enumerate() {
            // A comment that begins with the word; elsewhere it may be data, like the rows so marked in a table of experiments.
            let comment = line.split_once("//").or(line.split_once('#')).map_or("", |(_, c)| c.trim_start());
            for mark in marks.iter().filter(|m| comment.starts_with(**m)) {
                wrong.push(format!("{path}:{}: {mark}", i + 1));
            }
            for place in places {
                let before = line.find(place).map(|at| line[..at].chars().last());
                if before.is_some_and(|c| !c.is_some_and(|c| c.is_alphanumeric() || "$}.*".contains(c))) {
                    wrong.push(format!("{path}:{}: {place} is a path of one machine", i + 1));
                }
            }
        }
    }
    none(wrong);
}

#[test]
fn every_source_says_what_it_is_and_is_short() {
    let mut wrong = Vec::new();
    for path in sources(&["lib", "bins", "tests"]) {
        let text = read(&path);
        if !text.starts_with("//! ") {
            wrong.push(format!("{path}:1: does not open with //! and what it is"));
        }
        let lines = text.lines().count();
        if lines > LONGEST_FILE {
            wrong.push(format!("{path}: {lines} lines, more than {LONGEST_FILE}: split it by idea"));
        }
    }
    let lines = read("README.md").lines().count();
    if lines > LONGEST_README {
        wrong.push(format!("README.md: {lines} lines, more than {LONGEST_README}"));
    }
    none(wrong);
}

#[test]
fn floors_import_downwards_only() {
    let mut wrong = Vec::new();
    for path in sources(&["lib"]).into_iter().filter(|p| p != "lib/lib.rs") {
        let floor = path.split('/').nth(1).unwrap_or("");
        let Some(own) = FLOORS.iter().position(|f| *f == floor) else {
            wrong.push(format!("{path}: '{floor}' is no floor"));
            continue;
        };
        for (line, text) in code(&read(&path)) {
            for after in text.split("crate::").skip(1) {
                let other = words(after, "_").next().unwrap_or("");
                match FLOORS.iter().position(|f| *f == other) {
                    Some(floor) if floor <= own => {}
                    Some(_) => wrong.push(format!("{path}:{line}: {floor} must not know {other}")),
                    None => wrong.push(format!("{path}:{line}: name the floor: crate::FLOOR::…")),
                }
            }
        }
    }
    none(wrong);
}

#[test]
fn single_file_tools_declare_no_modules() {
    let mut wrong = Vec::new();
    for path in sources(&["bins"]).into_iter().filter(|p| p.matches('/').count() == 1) {
        for (line, text) in code(&read(&path)) {
            let text = text.trim_start_matches("pub ");
            if text.starts_with("mod ") && !text.starts_with("mod tests") {
                wrong.push(format!("{path}:{line}: a module: make it a folder with main.rs"));
            }
        }
    }
    none(wrong);
}

#[test]
fn nothing_is_depended_on() {
    let mut wrong = Vec::new();
    let mut section = String::new();
    for (i, line) in read("Cargo.toml").lines().enumerate() {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']).to_string();
            if section.contains("dependencies") && section != "dependencies" {
                wrong.push(format!("Cargo.toml:{}: [{section}]", i + 1));
            }
        } else if section == "dependencies" {
            let optional = line.starts_with("nvml-wrapper") && line.contains("optional = true");
            if !optional && !line.trim().is_empty() && !line.starts_with('#') {
                wrong.push(format!("Cargo.toml:{}: {line}", i + 1));
            }
        }
    }
    none(wrong);
}

#[test]
fn every_tool_has_page_transcripts_and_completions() {
    let mut wrong = Vec::new();
    let transcripts = transcript::files();
    for (tool, path) in tools() {
        let own = |p: &&PathBuf| {
            let stem = p.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            stem == tool || stem.starts_with(&format!("{tool}-"))
        };
        let said: String = transcripts.iter().filter(own).map(|p| fs::read_to_string(p).unwrap()).collect();
        for (what, mark) in [("", "  $ "), (" with `| head`", "| head"), (" with `>/dev/full`", "/dev/full")] {
            if !said.contains(mark) {
                wrong.push(format!("tests/transcripts/{tool}-*.t: none{what}"));
            }
        }
        if page(&tool).is_empty() {
            wrong.push(format!("man/{tool}.1: missing"));
        }
        let usage = help(&tool);
        if !usage.contains(&tool) {
            wrong.push(format!("{path}: --help does not print its usage"));
        }
        let bash = read("scripts/completions/nn.bash");
        let zsh = read("scripts/completions/_nn");
        let fish = read("scripts/completions/nn.fish");
        let of_bash = bash.lines().filter(|l| l.trim_start().starts_with("complete "));
        if !of_bash.flat_map(|l| words(l, "-")).any(|w| w == tool) {
            wrong.push(format!("scripts/completions/nn.bash: no `complete … {tool}`"));
        }
        if !zsh.lines().next().is_some_and(|l| l.starts_with("#compdef") && words(l, "-").any(|w| w == tool)) {
            wrong.push(format!("scripts/completions/_nn: {tool} is not in #compdef"));
        }
        let pages = [
            (format!("man/{tool}.1"), flags(&page(&tool))),
            ("scripts/completions/nn.bash".to_string(), function_words(&bash, &tool)),
            ("scripts/completions/_nn".to_string(), function_words(&zsh, &tool)),
            ("scripts/completions/nn.fish".to_string(), fish_flags(&fish, &tool)),
        ];
        for (file, known) in pages {
            let missing: Vec<String> = options(&usage).difference(&known).cloned().collect();
            if !missing.is_empty() {
                wrong.push(format!("{file}: {tool}: missing {}", missing.join(" ")));
            }
        }
    }
    none(wrong);
}

#[test]
fn usage_and_synopsis_agree() {
    let mut wrong = Vec::new();
    for (tool, _) in tools() {
        let (usage, page) = (help(&tool), page(&tool));
        let synopsis = page.split(".Sh ").find(|s| s.starts_with("SYNOPSIS")).unwrap_or("");
        let (all, in_page) = (options(&usage), flags(synopsis));
        let first = options(usage.split("\n\n").next().unwrap_or(""));
        for option in first.difference(&in_page) {
            wrong.push(format!("man/{tool}.1: {option} is in the usage's synopsis only"));
        }
        let known =
            |o: &&String| !all.contains(*o) && !matches!(o.as_str(), "--" | "-" | "-h" | "-V" | "--help" | "--version");
        for option in in_page.iter().filter(known) {
            wrong.push(format!("man/{tool}.1: {option} is in the page's synopsis only"));
        }
    }
    none(wrong);
}

#[test]
fn each_page_is_listed_and_clean() {
    let mut wrong = Vec::new();
    let (readme, overview) = (read("README.md"), read("man/nn-tools.7"));
    let mandoc = std::process::Command::new("mandoc").arg("-Tlint").stdin(std::process::Stdio::null()).output().is_ok();
    if !mandoc {
        say("skipped: man pages: no mandoc to check them");
    }
    for path in files(&["man"]) {
        let text = read(&path);
        let name = Path::new(&path).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(line) = text.lines().find_map(|l| l.strip_prefix(".Nd ")).filter(|_| path.ends_with(".1")) {
            for (list, text) in [("README.md", &readme), ("man/nn-tools.7", &overview)] {
                if !text.is_empty() && !text.lines().any(|l| l.contains(line)) {
                    wrong.push(format!("{list}: does not list {name}: {line}"));
                }
            }
        }
        if mandoc {
            let lint =
                std::process::Command::new("mandoc").args(["-Tlint", "-Wwarning"]).arg(root().join(&path)).output();
            wrong.push(String::from_utf8_lossy(&lint.unwrap().stdout).trim().to_string());
        }
    }
    wrong.retain(|w| !w.is_empty());
    none(wrong);
}

#[test]
fn options_are_found_in_usage_page_and_completions() {
    let usage = "nn-x add [-n NAME] [-p k=v]… [--after RUNS|--all] -- COMMAND -z --zz\n\n  -j, --jobs=N   a line\n      --lr-x -1\n";
    let found = options(usage);
    let expected = ["--after", "--all", "--jobs", "--lr-x", "-j", "-n", "-p"];
    assert_eq!(found, expected.map(String::from).into());
    let page = ".Op Fl n Ar NAME\n.Op Fl -after Ar RUNS | Fl -all\n.It Fl j , Fl -jobs Ns = Ns Ar N\n.Fl -lr\\-x p\n";
    assert_eq!(flags(page), ["--after", "--all", "--jobs", "--lr-x", "-j", "-n", "-p"].map(String::from).into());
    assert!(fish_flags("complete -c nn-x -s n -l name\ncomplete -c nn-y -l no\n", "nn-x").contains("--name"));
    assert!(function_words("_nn_x() {\n  opts='-n --name=' \n}\n_nn_y() {\n --no\n}\n", "nn-x").contains("--name"));
    assert!(!function_words("_nn_x() {\n -n\n}\n_nn_y() {\n --no\n}\n", "nn-x").contains("--no"));
}
