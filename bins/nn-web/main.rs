//! nn-web: the runs in a browser, live; and as static files
//!
//! A server on this machine alone, unless told otherwise, that only shows, unless it is given a token. What it shows are the
//! files of the page (lib/web/page), which take all they know from the JSON that app.rs hands out. The model (model.rs)
//! holds a row for each run and reads only what is new; the watcher (live.rs) looks while somebody listens, and not at all
//! while nobody does. What is done to runs is done by nn-queue.

mod act;
mod app;
mod curves;
mod entry;
mod export;
mod guard;
mod hosts;
mod live;
mod log;
mod model;
mod report;
mod resources;
mod run;

use app::Web;
use export::export;
use guard::Guard;
use nn::base::args::{Arg, Args};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Doing, Error, Result};
use nn::base::sys::{Signal, Signals};
use nn::spool::store::Spool;
use nn::web::{server, token};
use std::ffi::OsString;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

const USAGE: &str = "
usage: nn-web [--listen ADDRESS:PORT] [--host NAME]... [--token-file FILE]
              [--report-token-file FILE]
       nn-web --export DIR [RUNS]

Show the runs in a browser: a table, their curves, their logs, the hosts, the queue.

  -l, --listen ADDRESS:PORT  where to be reached (127.0.0.1:8080: from this machine alone);
                             port 0 takes one that is free
      --host NAME[:PORT]     another name this server is reached by (again for more)
      --token-file FILE      allow who knows the token in it to cancel, retry, hold, release
                             and note; away from this machine, also to read
      --report-token-file FILE  take reports of runs elsewhere from who knows this one
      --export DIR           write the page and what it shows as files, and end
  -h, --help     print this
  -V, --version  print the version
";

fn main() -> ExitCode {
    cli::main("nn-web", USAGE, run)
}

#[derive(Default)]
struct Opts {
    listen: String,
    hosts: Vec<String>,
    token_file: Option<PathBuf>,
    report_token_file: Option<PathBuf>,
    export: Option<PathBuf>,
    runs: Vec<OsString>,
}

fn run(args: &mut Args, out: &mut Out) -> Result<Exit> {
    let opts = parse(args)?;
    if let Some(dir) = &opts.export {
        return export(&Spool::find()?, dir, opts.runs);
    }
    let address = address(&opts.listen)?;
    let token = opts.token_file.as_deref().map(token::read).transpose()?;
    let report_token = opts.report_token_file.as_deref().map(token::read).transpose()?;
    if token.is_none() && !address.ip().is_loopback() {
        return Err(Error::usage(format!(
            "{address} can be reached from other machines: give a --token-file, or listen on 127.0.0.1"
        )));
    }
    let spool = Spool::find()?;
    let signals = Signals::catch(&[Signal::INT, Signal::TERM, Signal::HUP]).doing("catch", "signals")?;
    let listener = listen(address)?;
    let address = listener.local_addr().doing("listen on", &opts.listen)?;
    let guard = Guard::new(address, &opts.hosts, token)?.with_report_token(report_token);
    let web = Arc::new(Web::new(spool, guard));
    live::start(&web)?;
    writeln!(out, "http://{address}/")?;
    out.flush()?;
    server::serve(&listener, web, &signals)?;
    Ok(Exit::DONE)
}

fn parse(args: &mut Args) -> Result<Opts> {
    let mut opts = Opts { listen: "127.0.0.1:8080".into(), ..Opts::default() };
    let mut serves = false;
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Value(value) => opts.runs.push(value),
            Arg::Short('l') => opts.listen = args.text()?,
            Arg::Long(name) => {
                serves |= name != "export";
                match name.as_str() {
                    "listen" => opts.listen = args.text()?,
                    "host" => opts.hosts.push(args.with("a name such as box or box:80", guard::host_name)?),
                    "token-file" => opts.token_file = Some(args.value()?.into()),
                    "report-token-file" => opts.report_token_file = Some(args.value()?.into()),
                    "export" => opts.export = Some(args.value()?.into()),
                    _ => return Err(Arg::Long(name).unexpected()),
                }
            }
            arg => return Err(arg.unexpected()),
        }
    }
    match &opts.export {
        Some(_) if serves => Err(Error::usage("--export writes files and ends: the other options are for a server")),
        None if !opts.runs.is_empty() => Err(Error::usage("runs are named for --export: a server shows all")),
        _ => Ok(opts),
    }
}

/// The address that `--listen` names: `127.0.0.1:8080`, `localhost:0`, `[::1]:8080`, a port alone.
fn address(text: &str) -> Result<SocketAddr> {
    let whole = if text.bytes().all(|b| b.is_ascii_digit()) { format!("127.0.0.1:{text}") } else { text.to_string() };
    let found = whole.to_socket_addrs().ok().and_then(|mut all| all.next());
    found.ok_or_else(|| Error::usage(format!("'{text}' is no address such as 127.0.0.1:8080")))
}

fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).map_err(|err| match err.kind() {
        std::io::ErrorKind::AddrInUse => Error::other(format!(
            "{address} is taken, perhaps by another nn-web: choose another with --listen {}:PORT, or port 0",
            address.ip()
        )),
        _ => Error::Io { doing: "listen on", path: address.to_string().into(), err },
    })
}
