//! One connection to a host: ssh(1) with a `nn-queue peer` at its other end, and questions to it.
//!
//! Nothing here waits for ever: no question for a password, a limit for connecting, signs of life every few seconds, and a
//! guard that ends ssh when nothing came for long. What a login script prints before the peer speaks is passed over: the
//! peer begins with a word that was made up for this connection.

use super::PROTOCOL;
use super::host::{Host, shell_path};
use super::wire::Wire;
use crate::base::error::{Error, Result, reason};
use crate::base::files;
use crate::base::hash::random_hex;
use crate::base::json::Value;
use crate::base::text::escape;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// With so little heard, the connection is given up.
const SILENCE: Duration = Duration::from_secs(180);
/// How long ssh may take to end by itself.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same, when the connection broke and nothing is to be expected of it.
const SHORTLY: Duration = Duration::from_millis(300);
/// Lines and bytes of a login script that are passed over.
const GARBAGE: usize = 1 << 20;
/// Most of what ssh says that is kept.
const MOST_WORDS: usize = 1 << 14;
/// A connection is kept for the next one so long.
const KEPT: &str = "60";
/// The path of a socket has 108 bytes, of which ssh takes 41 for the name and 18 while it makes it.
const LONGEST_DIR: usize = 48;

/// What the peer says of itself.
#[derive(Clone, Debug)]
pub struct Hello {
    /// Its version
    pub version: String,
    /// The host's name for itself
    pub host: String,
    /// The home there
    pub home: PathBuf,
}

/// An open connection.
pub struct Link {
    /// Who is at the other end
    pub hello: Hello,
    host: String,
    wire: Wire<Watched<ChildStdout>, Watched<ChildStdin>>,
    ssh: Ssh,
}

impl Link {
    /// Connects, and starts the peer.
    ///
    /// # Errors
    /// The host cannot be reached, or has no nn-tools of this kind: a sentence that says what to do.
    pub fn open(host: &Host, sockets: &Path) -> Result<Link> {
        let nonce = nonce()?;
        let nn_queue = shell_path(&format!("{}/nn-queue", host.bin.trim_end_matches('/')));
        let command = format!("exec env NN_SPOOL={} {nn_queue} peer {nonce}", shell_path(&host.spool));
        let mut ssh = Ssh::start(host, &command, sockets)?;
        let (Some(from), Some(to)) = (ssh.child.stdout.take(), ssh.child.stdin.take()) else {
            return Err(Error::other("ssh has no pipes"));
        };
        let mut wire = Wire::new(ssh.watched(from), ssh.watched(to));
        let hello = match greeting(&mut wire, &nonce) {
            Ok(Some(hello)) => hello,
            Ok(None) => return Err(ssh.why(host)),
            Err(err) => return Err(Error::Again(format!("{}: {err}", host.name))),
        };
        let hello = check(host, &hello)?;
        Ok(Link { hello, host: host.name.clone(), wire, ssh })
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// The connection broke, or the host says no: its words.
    pub fn ask(&mut self, question: &Value) -> Result<Value> {
        self.say(question)?;
        self.answer()
    }

    /// Says something to which `answer` will be the answer.
    ///
    /// # Errors
    /// The connection broke.
    pub fn say(&mut self, question: &Value) -> Result<()> {
        let said = self.wire.say(question);
        said.map_err(|err| self.naming(err))
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// The connection broke.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let sent = self.wire.bytes(bytes);
        sent.map_err(|err| self.naming(err))
    }

    /// The next answer.
    ///
    /// # Errors
    /// The connection broke, or the host says no: its words.
    pub fn answer(&mut self) -> Result<Value> {
        let heard = self.wire.flush().and_then(|()| self.wire.hear());
        let answer = match heard {
            Ok(Some(answer)) => answer,
            Ok(None) => return Err(self.naming(Error::Again("the connection ended".into()))),
            Err(err) => return Err(self.naming(err)),
        };
        match answer.str("error") {
            Some(what) => Err(Error::other(format!("{}: {}", self.host, escape(what)))),
            None => Ok(answer),
        }
    }

    /// Takes bytes that an answer announced.
    ///
    /// # Errors
    /// The connection broke, or `sink` refuses them.
    pub fn take(&mut self, size: u64, sink: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.wire.take(size, sink)
    }

    fn naming(&mut self, err: Error) -> Error {
        match err {
            Error::Again(what) => {
                let words = self.ssh.words(SHORTLY);
                let more = if words.is_empty() { String::new() } else { format!(" ({words})") };
                Error::Again(format!("{}: {what}{more}", self.host))
            }
            err => Error::other(format!("{}: {err}", self.host)),
        }
    }
}

/// What comes after the garbage. None: nothing that begins with the word.
fn greeting(wire: &mut Wire<Watched<ChildStdout>, Watched<ChildStdin>>, nonce: &str) -> Result<Option<Value>> {
    let begins = format!("nn-peer {nonce} ");
    let mut left = GARBAGE;
    while let Some(line) = wire.line(left)? {
        left = left.saturating_sub(line.len() + 1);
        let line = String::from_utf8_lossy(&line).into_owned();
        // A login script may have printed half a line.
        if let Some((_, rest)) = line.split_once(&begins) {
            return Ok(Value::parse(rest).ok());
        }
    }
    Ok(None)
}

fn check(host: &Host, hello: &Value) -> Result<Hello> {
    let name = &host.name;
    let version = escape(hello.str("version").unwrap_or("?")).into_owned();
    match hello.int("protocol") {
        Some(PROTOCOL) => {}
        Some(other) => {
            let (theirs, older) = if other < PROTOCOL { ("older", name.as_str()) } else { ("newer", "here") };
            let what =
                format!("{name} has nn-tools {version}, {theirs} than those here ({})", env!("CARGO_PKG_VERSION"));
            let mend = if older == "here" {
                "install that version here".to_string()
            } else {
                format!("nn-queue host setup {name}")
            };
            return Err(Error::other(format!("{what}, and they do not understand each other: {mend}")));
        }
        None => return Err(Error::other(format!("{name}: what answers there is not nn-queue"))),
    }
    if let Some(what) = hello.str("error") {
        return Err(Error::other(format!("{name}: {} (nn-queue host setup {name})", escape(what))));
    }
    let home = hello.str("home").map(PathBuf::from).filter(|home| home.is_absolute());
    let home = home.ok_or_else(|| Error::other(format!("{name}: there is no home directory there")))?;
    Ok(Hello { version, host: escape(hello.str("host").unwrap_or("?")).into_owned(), home })
}

/// ssh(1) at work.
pub struct Ssh {
    /// The process; its standard input and output are for the caller to take
    pub child: Child,
    words: Arc<Mutex<Vec<u8>>>,
    heard: Arc<AtomicU64>,
    since: Instant,
    name: String,
}

impl Ssh {
    /// Runs a command for the shell there.
    ///
    /// # Errors
    /// ssh cannot be run.
    pub fn start(host: &Host, command: &str, sockets: &Path) -> Result<Ssh> {
        let given = std::env::var("NN_SSH").ok().filter(|words| !words.trim().is_empty());
        let mut words = given.as_deref().unwrap_or("ssh").split_whitespace();
        let program = words.next().unwrap_or("ssh");
        let mut ssh = Command::new(program);
        ssh.args(words).args(["-T", "-x", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10"]);
        ssh.args(["-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3", "-o", "ClearAllForwardings=yes"]);
        if let Some(dir) = socket_dir(sockets) {
            ssh.args(["-o", "ControlMaster=auto", "-o", &format!("ControlPath={dir}/%C")]);
            ssh.args(["-o", &format!("ControlPersist={KEPT}")]);
        }
        ssh.args(&host.options).arg("--").arg(&host.destination).arg(command);
        ssh.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = ssh.spawn().map_err(|err| Error::other(format!("cannot run {program}: {}", reason(&err))))?;
        let words = Arc::new(Mutex::new(Vec::new()));
        if let Some(stderr) = child.stderr.take() {
            let kept = words.clone();
            // Not waited for: a connection that is kept for the next one may hold it open.
            let _ = std::thread::Builder::new().stack_size(1 << 16).spawn(move || keep_words(stderr, &kept));
        }
        let ssh = Ssh { child, words, heard: Arc::default(), since: Instant::now(), name: host.name.clone() };
        ssh.guard();
        Ok(ssh)
    }

    /// One of its pipes, so that the guard sees what passes.
    pub fn watched<T>(&self, inner: T) -> Watched<T> {
        Watched { inner, heard: self.heard.clone(), since: self.since }
    }

    /// Ends ssh when nothing has passed for long. The guard itself ends when the process is gone.
    fn guard(&self) {
        let (heard, since, pid) = (self.heard.clone(), self.since, self.child.id());
        let start = crate::spool::owner::start_of(pid);
        let body = move || {
            loop {
                std::thread::sleep(Duration::from_secs(1));
                if crate::spool::owner::start_of(pid) != start {
                    return;
                }
                let silent = since.elapsed().saturating_sub(Duration::from_millis(heard.load(Ordering::Relaxed)));
                if silent > SILENCE {
                    let _ = crate::base::sys::kill(pid, crate::base::sys::Signal::KILL);
                    return;
                }
            }
        };
        let _ = std::thread::Builder::new().stack_size(1 << 16).spawn(body);
    }

    /// What it said last, in a line; it is ended when it does not end by itself for so long.
    pub fn words(&mut self, patience: Duration) -> String {
        let _ = self.end_within(patience);
        // The reader may be a moment behind.
        std::thread::sleep(Duration::from_millis(20));
        let words = self.words.lock().map(|words| words.clone()).unwrap_or_default();
        let text = String::from_utf8_lossy(&words).into_owned();
        let told =
            |line: &&str| !line.is_empty() && !line.starts_with('@') && !line.starts_with("Warning: Permanently");
        let last = text.lines().map(str::trim).rfind(told).unwrap_or_default();
        escape(last.strip_prefix("ssh: ").unwrap_or(last)).into_owned()
    }

    /// Its end; it is killed when it does not come.
    pub fn end(&mut self) -> Option<ExitStatus> {
        self.end_within(PATIENCE)
    }

    fn end_within(&mut self, patience: Duration) -> Option<ExitStatus> {
        let began = Instant::now();
        drop(self.child.stdin.take());
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if began.elapsed() < patience => std::thread::sleep(Duration::from_millis(5)),
                _ => {
                    let _ = self.child.kill();
                    return self.child.wait().ok();
                }
            }
        }
    }

    /// Why there was no answer: a sentence that says what to do.
    pub fn why(&mut self, host: &Host) -> Error {
        let status = self.end().and_then(|status| status.code());
        let words = self.words(PATIENCE);
        let name = &self.name;
        let whole = self.words.lock().map(|w| String::from_utf8_lossy(&w).into_owned()).unwrap_or_default();
        let setup = format!("nn-queue host setup {name}");
        if whole.contains("IDENTIFICATION HAS CHANGED") {
            let place = host.destination.rsplit('@').next().unwrap_or_default();
            return Error::other(format!(
                "{name}: its host key has changed: somebody may be listening in; if it was set up anew, ssh-keygen -R {place}"
            ));
        }
        if whole.contains("unknown verb 'peer'") {
            return Error::other(format!("{name} has nn-tools that are older than those here: {setup}"));
        }
        match status {
            Some(126 | 127) => Error::other(format!("{name} has no nn-queue in {}: {setup}", host.bin)),
            Some(255) | None if words.is_empty() => Error::Again(format!("cannot reach {name}: ssh gave no reason")),
            Some(255) | None => Error::Again(format!("cannot reach {name}: {words}")),
            Some(code) if words.is_empty() => Error::other(format!("{name}: nn-queue ended there with {code}")),
            Some(_) => Error::other(format!("{name}: {words} ({setup})")),
        }
    }
}

impl Drop for Ssh {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

fn keep_words(mut from: impl Read, kept: &Mutex<Vec<u8>>) {
    let mut piece = [0; 1024];
    while let Ok(n) = from.read(&mut piece) {
        let Ok(mut kept) = kept.lock() else { return };
        if n == 0 {
            return;
        }
        if kept.len() < MOST_WORDS {
            kept.extend_from_slice(piece.get(..n).unwrap_or_default());
        }
    }
}

/// A pipe, and when something last passed.
pub struct Watched<T> {
    inner: T,
    heard: Arc<AtomicU64>,
    since: Instant,
}

impl<T> Watched<T> {
    fn note(&self) {
        let now = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard.store(now, Ordering::Relaxed);
    }
}

impl<T: Read> Read for Watched<T> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(into);
        self.note();
        n
    }
}

impl<T: std::io::Write> std::io::Write for Watched<T> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let n = self.inner.write(bytes);
        self.note();
        n
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

/// Where connections that are kept have their sockets: a directory that is this user's alone, with a short path. None:
/// each connection is made anew.
fn socket_dir(spool: &Path) -> Option<String> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(|dir| PathBuf::from(dir).join("nn"));
    let places = runtime.into_iter().chain([spool.join("hosts").join("ssh")]);
    let usable = |dir: &PathBuf| {
        let short = dir.to_str().is_some_and(|d| d.len() <= LONGEST_DIR && !d.contains(['%', ' ', '"', '$']));
        if !short || !dir.is_absolute() || files::make_dir(dir).is_err() {
            return false;
        }
        let Ok(meta) = std::fs::symlink_metadata(dir) else { return false };
        let mine = meta.is_dir() && meta.uid() == crate::base::sys::effective_user_id();
        mine && (meta.mode() & 0o077 == 0
            || std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700)).is_ok())
    };
    places.into_iter().find(usable).and_then(|dir| dir.to_str().map(String::from))
}

/// Sixteen hexadecimal digits that nobody else has.
///
/// # Errors
/// The system gives no random bytes.
pub fn nonce() -> Result<String> {
    random_hex::<8>()
}
