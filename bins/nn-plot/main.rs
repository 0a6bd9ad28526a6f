//! nn-plot: curves to the terminal, PNG, SVG
//!
//! Each operand is a run, a file or `-`. A first look at the beginning of each tells which variables there are and what
//! counts them: that decides what is drawn when -y or -x are not given. Then each is read once, several at a time, and
//! every point goes straight into a curve of bounded size. The rest is nn's chart: ranges, ticks, legend, picture.

mod labels;
mod read;
mod table;

use labels::Subject;
use nn::base::args::{Arg, Args};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Doing, Error, Result};
use nn::base::files;
use nn::base::sys;
use nn::base::text::did_you_mean;
use nn::draw::bars::Bars;
use nn::draw::chart::{Chart, Series, Smoothing};
use nn::draw::term;
use nn::record::pattern::Pattern;
use nn::spool::select;
use nn::spool::store::Spool;
use read::{Along, Curves, Plan, Source};
use std::ffi::OsString;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "
Usage: nn-plot [-y NAME]... [-x AXIS] [--log] [--smooth N] [-o FILE] [RUNS | FILE | -]...

Curves to the terminal, PNG, SVG: of runs, of logs, CSV and JSON lines, or of what comes in on '-'.

  -y, --values NAME       the variables; NAME may hold * and ?, and commas between several
  -x, --along AXIS        epoch, step, time, updates, or a column of a CSV file
      --log               logarithmic y axis
      --smooth N          the median of the last N values, the values themselves faintly behind
      --mean              --smooth takes the mean
      --ymin Y, --ymax Y  ends of the y axis
      --bars              the last value of each as a bar, the greatest first
      --full              a y axis that leaves nothing out, however far off
  -o, --output FILE       write FILE.png, FILE.svg or FILE.txt; '-' is standard output
      --format FORMAT     png, svg or text, whatever the file is called
      --size WxH          size of a picture in pixels (640x400)
      --width N           columns of text (those of the terminal, or 80)
      --height N          lines of text (those of the terminal, or 24)
      --ascii             text in ASCII only
      --title TEXT        heading
  -p, --pattern TEMPLATE  how values stand in the lines of a log: 'Epoch {epoch}: loss {loss}'
  -h, --help              print this
  -V, --version           print the version
";

/// The most pixels of a picture's side.
const LARGEST: usize = 10_000;

fn main() -> ExitCode {
    cli::main("nn-plot", USAGE, run)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Format {
    Png,
    Svg,
    Text,
}

#[derive(Default)]
struct Opts {
    names: Vec<String>,
    along: Option<Along>,
    log: bool,
    smooth: Option<usize>,
    mean: bool,
    ends: (Option<f64>, Option<f64>),
    full: bool,
    bars: bool,
    output: Option<OsString>,
    format: Option<Format>,
    size: Option<(usize, usize)>,
    width: Option<usize>,
    height: Option<usize>,
    ascii: bool,
    title: Option<String>,
    patterns: Vec<Pattern>,
    operands: Vec<OsString>,
}

fn run(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let mut opts = options(args)?;
    let format = output_format(&opts, out)?;
    let subjects = subjects(std::mem::take(&mut opts.operands))?;
    let subjects: Vec<Subject> = subjects.into_iter().map(Subject::new).collect::<Result<_>>()?;
    let looks = read::look(&subjects, &opts.patterns)?;
    let names = wanted(&opts.names, &looks.names, subjects.len())?;
    if names.is_empty() {
        cli::tell(if subjects.is_empty() { "there are no runs" } else { "there is nothing to plot yet" });
        return Ok(Exit::NO);
    }
    if opts.bars {
        return bars(&opts, format, &subjects, names, out);
    }
    let along = opts.along.clone().unwrap_or_else(|| looks.along(&names));
    let smoothing = opts.smooth.map(|n| (if opts.mean { Smoothing::Mean } else { Smoothing::Median }, n));
    let plan = Plan { names, along, smoothing, patterns: opts.patterns.clone() };
    let curves = read::curves(&subjects, &plan)?;
    warn_of_missing(&subjects, &plan, &curves);
    let chart = chart(&opts, &subjects, &plan, &curves);
    if !chart.has_points() {
        cli::tell(&nothing_to_draw(&chart, &plan));
        return Ok(Exit::NO);
    }
    write(&opts, format, &chart, out)?;
    Ok(Exit::DONE)
}

fn options(args: &mut Args) -> Result<Opts> {
    let mut opts = Opts::default();
    let size = |text: &str| {
        let (w, h) = text.split_once(['x', 'X'])?;
        let side = |t: &str| t.parse().ok().filter(|n| (64..=LARGEST).contains(n));
        Some((side(w)?, side(h)?))
    };
    let cells = |text: &str| text.parse().ok().filter(|n| (1..=LARGEST).contains(n));
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Short('y') => opts.names.push(args.text()?),
            Arg::Short('x') => opts.along = Some(Along::parse(&args.text()?)),
            Arg::Short('o') => opts.output = Some(args.value()?),
            Arg::Short('p') => opts.patterns.push(pattern(args)?),
            Arg::Long(name) => match name.as_str() {
                "values" => opts.names.push(args.text()?),
                "along" => opts.along = Some(Along::parse(&args.text()?)),
                "log" => opts.log = true,
                "smooth" => opts.smooth = Some(args.with("a number of values, from 1", cells)?),
                "mean" => opts.mean = true,
                "ymin" => opts.ends.0 = Some(args.with("a number", finite)?),
                "ymax" => opts.ends.1 = Some(args.with("a number", finite)?),
                "bars" => opts.bars = true,
                "full" => opts.full = true,
                "output" => opts.output = Some(args.value()?),
                "format" => opts.format = Some(args.with("png, svg or text", format_named)?),
                "size" => opts.size = Some(args.with("WIDTHxHEIGHT, each from 64 to 10000", size)?),
                "width" => opts.width = Some(args.with("a number of columns", cells)?),
                "height" => opts.height = Some(args.with("a number of lines", cells)?),
                "ascii" => opts.ascii = true,
                "title" => opts.title = Some(args.text()?),
                "pattern" => opts.patterns.push(pattern(args)?),
                _ => return Err(Arg::Long(name).unexpected()),
            },
            Arg::Value(value) => opts.operands.push(value),
            arg => return Err(arg.unexpected()),
        }
    }
    if let (Some(low), Some(high)) = opts.ends
        && low >= high
    {
        return Err(Error::usage("--ymin must be less than --ymax"));
    }
    let curved = opts.log || opts.full || opts.smooth.is_some() || opts.along.is_some() || opts.ends != (None, None);
    if opts.bars && curved {
        return Err(Error::usage(
            "--bars has no axes: neither --along, --log, --smooth, --ymin, --ymax nor --full go with it",
        ));
    }
    if opts.log && [opts.ends.0, opts.ends.1].iter().flatten().any(|end| *end <= 0.0) {
        return Err(Error::usage("a logarithmic axis has positive ends only"));
    }
    Ok(opts)
}

fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|v: &f64| v.is_finite())
}

fn pattern(args: &mut Args) -> Result<Pattern> {
    Pattern::parse(&args.text()?).map_err(|what| Error::usage(format!("--pattern: {what}")))
}

fn format_named(text: &str) -> Option<Format> {
    match text {
        "png" => Some(Format::Png),
        "svg" => Some(Format::Svg),
        "text" | "txt" => Some(Format::Text),
        _ => None,
    }
}

/// What to write, by --format or by the name of the file; nothing has been read yet when this fails.
fn output_format(opts: &Opts, out: &Out) -> Result<Format> {
    let to_screen = opts.output.as_ref().is_none_or(|o| o == "-");
    let format = match (opts.format, &opts.output) {
        (Some(format), _) => format,
        (None, Some(name)) if name != "-" => {
            let ending = Path::new(name).extension().and_then(|e| e.to_str()).unwrap_or_default();
            format_named(&ending.to_ascii_lowercase()).ok_or_else(|| {
                let name = name.to_string_lossy();
                Error::usage(format!("'{name}': .png, .svg or .txt is expected, or --format"))
            })?
        }
        _ => Format::Text,
    };
    if format == Format::Png && to_screen && out.is_terminal() {
        return Err(Error::usage("a PNG picture is not for the terminal; give it a file with -o"));
    }
    Ok(format)
}

/// What the operands name. A file is taken for one if it is there and its name is no run number, range, `last` or group.
fn subjects(operands: Vec<OsString>) -> Result<Vec<Source>> {
    let Some(operands) =
        (if operands.is_empty() { cli::operands_if_any(operands)?.map(as_os) } else { Some(operands) })
    else {
        let spool = Spool::find()?;
        let all = select::all(&spool)?;
        return Ok(all.into_iter().map(|run| Source::Run(spool.clone(), run)).collect());
    };
    let mut sources = Vec::new();
    let mut spool: Option<Spool> = None;
    for operand in operands {
        let text = operand.to_str().unwrap_or_default();
        let path = PathBuf::from(&operand);
        if text == "-" {
            sources.push(Source::Bytes("standard input".into(), read::standard_input()?));
        } else if looks_like_path(text) && path.metadata().is_ok_and(|m| !m.is_file() && !m.is_dir()) {
            // a pipe can be read once only
            sources.push(Source::Bytes(text.to_string(), std::fs::read(&path).doing("read", &path)?));
        } else if !names_runs(text) && (path.is_file() || text.is_empty() || looks_like_path(text)) {
            sources.push(Source::File(path));
        } else {
            let spool = match &spool {
                Some(spool) => spool,
                None => spool.insert(Spool::find()?),
            };
            let runs = select::select(spool, &[text.to_string()])?;
            sources.extend(runs.into_iter().map(|run| Source::Run(spool.clone(), run)));
        }
    }
    Ok(sources)
}

fn as_os(words: Vec<String>) -> Vec<OsString> {
    words.into_iter().map(OsString::from).collect()
}

fn names_runs(text: &str) -> bool {
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let range = || text.split_once('-').is_some_and(|(a, b)| digits(a) && digits(b));
    digits(text) || range() || text.starts_with('@') || text == "last" || text.starts_with("last~")
}

fn looks_like_path(text: &str) -> bool {
    const ENDINGS: [&str; 6] = [".log", ".txt", ".csv", ".tsv", ".json", ".jsonl"];
    text.contains('/') || ENDINGS.iter().any(|ending| text.ends_with(ending))
}

/// The variables to draw, out of those there are (`known`: name, and in how many of the `number` runs or files).
fn wanted(asked: &[String], known: &[(String, usize)], number: usize) -> Result<Vec<String>> {
    if asked.is_empty() {
        return Ok(main_variable(known).into_iter().collect());
    }
    if known.is_empty() {
        return Ok(Vec::new());
    }
    let mut names: Vec<String> = Vec::new();
    for word in asked {
        let whole = known.iter().any(|(name, _)| name == word);
        let parts: Vec<&str> = if whole { vec![word] } else { word.split(',').map(str::trim).collect() };
        for part in parts {
            let found: Vec<&str> =
                known.iter().map(|k| k.0.as_str()).filter(|n| *n == part || labels::glob(part, n)).collect();
            if found.is_empty() {
                let near = did_you_mean(part, known.iter().map(|k| k.0.as_str()));
                let all: Vec<&str> = known.iter().map(|k| k.0.as_str()).take(20).collect();
                let here = if number == 1 { "here" } else { "in any of them" };
                let more = if known.len() > 20 { ", …" } else { "" };
                let all = all.join(", ");
                return Err(Error::other(format!("there is no '{part}' {here}{near}; there are: {all}{more}")));
            }
            names.extend(found.into_iter().map(String::from));
        }
    }
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    Ok(names)
}

/// Without -y: of the variables that most have, one of validation or test before others, a cost or a score before the
/// rest, the first that comes.
fn main_variable(known: &[(String, usize)]) -> Option<String> {
    let most = known.iter().map(|k| k.1).max()?;
    let rank = |name: &str| {
        let name = name.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|w| name.contains(w));
        let judged = usize::from(!has(&["val", "test", "dev", "eval"]));
        let cost = usize::from(!has(&["loss", "cost", "err", "nll", "perplexity", "ppl"]));
        let score = usize::from(!has(&["acc", "f1", "auc", "bleu", "reward", "score"]));
        let dull = usize::from(has(&["time", "lr", "learning", "speed", "mem", "rate", "sec", "eta"]));
        (dull, judged, cost, score)
    };
    known.iter().filter(|k| k.1 * 2 > most).min_by_key(|k| rank(&k.0)).map(|k| k.0.clone())
}

fn warn_of_missing(subjects: &[Subject], plan: &Plan, curves: &[Curves]) {
    let without: Vec<&str> = subjects
        .iter()
        .zip(curves)
        .filter(|(_, c)| c.lines.iter().all(|line| line.front.count() == 0))
        .map(|(s, _)| s.name.as_str())
        .collect();
    if !without.is_empty() && without.len() < subjects.len() {
        let shown: Vec<&str> = without.iter().take(8).copied().collect();
        let more = if without.len() > 8 { ", …" } else { "" };
        let names = plan.names.join(", ");
        cli::warn(&format!("no values of {names} along {} in: {}{more}", plan.along.label(), shown.join(", ")));
    }
}

fn nothing_to_draw(chart: &Chart, plan: &Plan) -> String {
    let any = chart.series.iter().any(|s| !s.points.is_empty());
    let names = plan.names.join(", ");
    if !any {
        return format!("no values of {names} along {}", plan.along.label());
    }
    let why = if chart.log_y { "a positive number, as --log needs" } else { "a finite number" };
    format!("no value of {names} is {why}")
}

fn chart(opts: &Opts, subjects: &[Subject], plan: &Plan, curves: &[Curves]) -> Chart {
    let (texts, heading) = labels::labels(subjects);
    let several = plan.names.len() > 1;
    let by_name = several && subjects.len() > 1 && subjects.len() <= 7 && plan.names.len() <= 5;
    let mut series = Vec::new();
    for (run, (text, curves)) in texts.iter().zip(curves).enumerate() {
        for (number, (name, line)) in plan.names.iter().zip(&curves.lines).enumerate() {
            if line.front.count() == 0 {
                continue;
            }
            let label = match (several, subjects.len() > 1) {
                (true, true) => format!("{text} {name}"),
                (true, false) => name.clone(),
                (false, _) => text.clone(),
            };
            let (points, behind) = (line.front.points(), line.behind.points());
            series.push(Series { label, points, behind, style: by_name.then_some((run, number)) });
        }
    }
    let y_label = plan.names.join(", ");
    let smoothed = match plan.smoothing {
        Some((how, n)) => format!(" ({} of {n})", if how == Smoothing::Mean { "mean" } else { "median" }),
        None => String::new(),
    };
    Chart {
        title: opts.title.clone().unwrap_or(heading),
        x_label: plan.along.label().to_string(),
        y_label: y_label + &smoothed,
        x_seconds: plan.along == Along::Time,
        log_y: opts.log,
        y_min: opts.ends.0,
        y_max: opts.ends.1,
        full: opts.full,
        series,
    }
}

/// The last value of each variable in each run.
fn bars(opts: &Opts, format: Format, subjects: &[Subject], names: Vec<String>, out: &mut Out) -> Result<Exit> {
    let plan = Plan { names, along: Along::Number, smoothing: None, patterns: opts.patterns.clone() };
    let curves = read::curves(subjects, &plan)?;
    let (texts, heading) = labels::labels(subjects);
    let values = |place: usize| curves.iter().map(|c| c.lines.get(place)?.value).collect();
    let rows = plan.names.iter().enumerate().map(|(place, name)| (name.clone(), values(place))).collect();
    let runs = if subjects.len() > 1 { texts } else { Vec::new() };
    let mut bars = Bars::new(heading, runs, rows);
    if let Some(title) = &opts.title {
        bars.title.clone_from(title);
    }
    if !bars.has_numbers() {
        cli::tell(&format!("no values of {}", plan.names.join(", ")));
        return Ok(Exit::NO);
    }
    let (width, height) = opts.size.map_or((640, None), |(width, height)| (width, Some(height)));
    let bytes = match format {
        Format::Png => bars.render_png(width, height),
        Format::Svg => bars.render_svg(width, height).into_bytes(),
        Format::Text => {
            let (columns, _, style) = text_style(opts, out);
            bars.render_text(columns, style).into_bytes()
        }
    };
    put(opts, &bytes, out)?;
    Ok(Exit::DONE)
}

/// Columns, rows and how text is drawn.
fn text_style(opts: &Opts, out: &Out) -> (usize, usize, term::Style) {
    let to_file = opts.output.as_ref().is_some_and(|name| name != "-");
    let screen = if to_file { None } else { out.terminal_size() };
    let (columns, rows) = screen.map_or((80, 24), |(columns, rows)| (columns, rows.saturating_sub(2)));
    let console = out.is_terminal() && std::env::var_os("TERM").is_some_and(|t| t == "linux" || t == "dumb");
    let color = !to_file && cli::colours(out.is_terminal());
    let style = term::Style { color, ascii: opts.ascii || console && !to_file };
    (opts.width.unwrap_or(columns), opts.height.unwrap_or(rows), style)
}

fn write(opts: &Opts, format: Format, chart: &Chart, out: &mut Out) -> Result<()> {
    let (width, height) = opts.size.unwrap_or((640, 400));
    let bytes = match format {
        Format::Png => chart.render_png(width, height),
        Format::Svg => chart.render_svg(width, height).into_bytes(),
        Format::Text => {
            let (columns, rows, style) = text_style(opts, out);
            chart.render_text(columns, rows, style).into_bytes()
        }
    };
    put(opts, &bytes, out)
}

fn put(opts: &Opts, bytes: &[u8], out: &mut Out) -> Result<()> {
    match opts.output.as_ref().filter(|name| *name != "-") {
        None => out.write_all(bytes),
        Some(name) => {
            let path = Path::new(name);
            // a device or a pipe is written, not replaced
            if path.metadata().is_ok_and(|meta| !meta.is_file()) {
                std::fs::write(path, bytes).doing("write", path)
            } else {
                let mode = mode_of(path);
                files::write_atomic(path, bytes)?;
                std::fs::set_permissions(path, Permissions::from_mode(mode)).doing("set the mode of", path)
            }
        }
    }
}

/// The mode of a picture: as it was, or as the umask leaves it; unlike what is in a spool, it is made to be shown.
fn mode_of(path: &Path) -> u32 {
    let before = path.metadata().map(|meta| meta.permissions().mode() & 0o777);
    before.unwrap_or_else(|_| {
        let mask = sys::set_umask(0o077);
        sys::set_umask(mask);
        0o666 & !mask
    })
}
