//! A letter: what is said, about which run, and its curve. Made into a message of text that can be read alone, and of HTML
//! with the picture.

use nn::base::cli;
use nn::base::error::Result;
use nn::base::text::escape;
use nn::mail::message::{Address, Message, Part, checksum};
use nn::mail::outgoing::Outgoing;
use nn::record::ask::Asked;
use nn::record::results::Row;
use nn::spool::store::Spool;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// The time nn-plot gets to draw a curve.
const DRAWING: Duration = Duration::from_secs(20);
/// The greatest picture that is taken.
const MOST_BYTES: u64 = 4 << 20;
/// Columns of a curve in text: as wide as a line of mail may be.
const COLUMNS: &str = "72";

/// A curve in both forms.
#[derive(Clone, Debug, Default)]
pub struct Curve {
    pub ascii: String,
    pub png: Vec<u8>,
}

/// What a message is made of.
#[derive(Clone, Debug, Default)]
pub struct Letter {
    pub subject: String,
    pub text: String,
    pub curve: Option<Curve>,
    pub attachments: Vec<Part>,
    /// The run's thread
    pub thread: Option<String>,
    pub automatic: bool,
}

impl Letter {
    /// The message under this name, which another spool may have too: its id is nowhere else, for servers and readers drop
    /// what has the id of something they saw before.
    pub fn message(self, name: &str, from: Address, to: Vec<Address>) -> Message {
        let mut text = self.text;
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        let domain = if from.domain().is_ascii() { from.domain() } else { "localhost" };
        // A literal cannot stand in an id as it does in an address.
        let domain = domain.trim_matches(['[', ']']).replace(':', ".");
        let unique = checksum(Outgoing::fresh_name().as_bytes());
        let mut message = Message {
            id: format!("nn.{name}.{unique:016x}@{domain}"),
            references: self.thread.map(|thread| format!("nn.{thread}@{domain}")).into_iter().collect(),
            subject: self.subject,
            automatic: self.automatic,
            attachments: self.attachments,
            from,
            to,
            ..Message::default()
        };
        if let Some(curve) = self.curve {
            message.html = Some(html(&text, curve.png.is_empty().then_some(curve.ascii.as_str())));
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&curve.ascii);
            if !curve.png.is_empty() {
                let cid = format!("curve.{}", message.id);
                message.html = message.html.map(|html| html.replace("cid:curve", &format!("cid:{cid}")));
                message.pictures =
                    vec![Part { name: "curve.png".into(), kind: "image/png".into(), cid, bytes: curve.png }];
            }
        }
        message.text = text;
        message
    }
}

fn html(text: &str, curve: Option<&str>) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut out =
        format!("<!DOCTYPE html>\n<html><body>\n<pre style=\"white-space:pre-wrap\">{}</pre>\n", escaped(text));
    match curve {
        Some(curve) => out += &format!("<pre>{}</pre>\n", escaped(curve)),
        None => out += "<p><img src=\"cid:curve\" alt=\"the curve\" style=\"max-width:100%\"></p>\n",
    }
    out + "</body></html>\n"
}

/// The curve of runs, of this variable or of the main one; None: there is none yet, or nn-plot is missing.
pub fn curve(spool: &Spool, runs: &[u64], metric: Option<&str>) -> Option<Curve> {
    // A comma or a star would mean several.
    let metric = metric.filter(|name| !name.is_empty() && !name.contains([',', '*', '?']));
    let found = plotted(spool, runs, metric);
    if found.is_none() && metric.is_some() { plotted(spool, runs, None) } else { found }
}

fn plotted(spool: &Spool, runs: &[u64], metric: Option<&str>) -> Option<Curve> {
    drawn(&|args| {
        let mut command = Command::new(sibling("nn-plot"));
        if let Some(name) = metric {
            command.arg(format!("--values={name}"));
        }
        command.args(args).args(runs.iter().map(u64::to_string)).env("NN_SPOOL", spool.dir());
        command
    })
}

/// A curve that is made up, to see whether curves arrive.
pub fn sample() -> Option<Curve> {
    const SCRIPT: &str = r#"i=0
        for cost in 2.31 1.74 1.35 1.12 0.93 0.81 0.74 0.66 0.63 0.57 0.55 0.52 0.51 0.49 0.49 0.48; do
            i=$((i + 1)); echo "epoch=$i valid_cost=$cost"
        done | "$0" --title "a sample" "$@" -"#;
    drawn(&|args| {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT]).arg(sibling("nn-plot")).args(args);
        command
    })
}

/// A curve in both forms, by nn-plot with these arguments.
fn drawn(plot: &dyn Fn(&[&str]) -> Command) -> Option<Curve> {
    let plot = |args: &[&str]| {
        let mut command = plot(args);
        command.env("NO_COLOR", "1");
        Asked::begin(command, MOST_BYTES)
    };
    let mut text = plot(&["--format", "text", "--ascii", "--width", COLUMNS, "--height", "18", "-o", "-"]);
    let mut png = plot(&["--format", "png", "--size", "640x400", "-o", "-"]);
    text.wait(DRAWING);
    png.wait(DRAWING);
    let good =
        |asked: Asked| asked.take().filter(|answer| answer.code == Some(0) && !answer.cut).map(|answer| answer.out);
    let ascii = String::from_utf8(good(text)?).ok()?;
    Some(Curve { ascii, png: good(png).unwrap_or_default() })
}

/// Another tool: beside this one, else wherever the shell would find it.
fn sibling(name: &str) -> PathBuf {
    cli::sibling(name).ok().filter(|path| path.exists()).unwrap_or_else(|| PathBuf::from(name))
}

/// The thread of a run: the same for all its messages, another in another spool.
pub fn thread(spool: &Spool, run: u64) -> String {
    let added = spool.job(run).ok().and_then(|job| job.added()).map(|t| t.to_string()).unwrap_or_default();
    let of = format!("{} {} {added}", nn::base::sys::host_name(), spool.dir().display());
    format!("run{run}.{:08x}", checksum(of.as_bytes()) as u32)
}

/// `run 17 rnn-tanh: failed (exit code 1)`, in one harmless line.
pub fn headline(spool: &Spool, run: u64) -> Result<String> {
    let row = Row::read(spool, run, spool.state_of(run)?)?;
    let name = row.job.name().map(|name| format!(" {name}")).unwrap_or_default();
    let how = row.how().map(|how| format!(" ({how})")).unwrap_or_default();
    Ok(escape(&format!("run {run}{name}: {}{how}", row.state())).into_owned())
}

/// The curve of a run, or a word to the person that there is none.
pub fn curve_or_warn(spool: &Spool, run: u64) -> Option<Curve> {
    let curve = curve(spool, &[run], None);
    if curve.is_none() {
        cli::warn(&format!("run {run} has no values to draw"));
    }
    curve
}
