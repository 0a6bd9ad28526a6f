//! TLS by a helper: `openssl s_client` speaks it on a connection that is ours, through a private socket.
//!
//! Two threads carry bytes between the connection and the helper's socket; the dialogue goes over the helper's standard
//! input and output. Certificate and host name are verified: that takes `-verify_return_error` and `-verify_hostname`
//! together (each alone lets something through), and an openssl that knows neither ends at once. `-quiet` and
//! `-nocommands` keep lines that begin with Q or R from being taken for commands. What the helper says on standard error
//! tells why it ended.

use crate::base::error::reason;
use crate::base::sys::{self, Signal};
use crate::mail::smtp::{Fail, Limits, Stream};
use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// The longest time for the helper to take up its socket.
const START: Duration = Duration::from_secs(20);
/// Bytes of its words that are kept.
const MOST_WORDS: usize = 8192;
/// After the end of a connection, the time for its last words.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How TLS is to be done.
pub struct Helper<'a> {
    /// The settings it follows: what stands before the dot in their names
    pub settings: &'static str,
    /// Whose certificate it must be
    pub host: &'a str,
    /// Whom to trust besides the system's authorities
    pub ca_file: Option<&'a Path>,
    /// Time limits
    pub limits: Limits,
}

/// A program whose standard input and output are the dialogue.
#[derive(Debug)]
pub struct Piped {
    socket: UnixStream,
    child: Child,
    words: Arc<Mutex<Vec<u8>>>,
    listener: Option<JoinHandle<()>>,
    /// By which settings, and whose certificate it checks; None: not ours to explain
    checks: Option<(&'static str, String)>,
}

impl Helper<'_> {
    /// Puts TLS around a connection.
    ///
    /// # Errors
    /// The helper cannot be started. What it thinks of the certificate shows with the first byte read.
    pub fn wrap(&self, stream: TcpStream) -> Result<Piped, Fail> {
        let private =
            PrivateDir::new().map_err(|err| Fail::Broken(format!("cannot make a socket: {}", reason(&err))))?;
        let path = private.0.join("tls");
        let listener = UnixListener::bind(&path)
            .map_err(|err| Fail::Broken(format!("cannot make a socket at {}: {}", path.display(), reason(&err))))?;
        let mut command = Command::new("openssl");
        command
            .args(["s_client", "-quiet", "-verify_quiet", "-nocommands", "-verify_return_error", "-unix"])
            .arg(&path);
        if self.host.parse::<IpAddr>().is_ok() {
            command.args(["-noservername", "-verify_ip", self.host]);
        } else {
            command.args(["-servername", self.host, "-verify_hostname", self.host]);
        }
        if let Some(file) = self.ca_file {
            command.arg("-CAfile").arg(file);
        }
        let mut piped = start(command, Some((self.settings, self.host.to_string()))).map_err(|err| {
            let hint = if self.settings == "mail" { " (or set mail.tls = COMMAND)" } else { "" };
            Fail::Settings(format!("cannot run openssl, which does TLS here: {}{hint}", reason(&err)))
        })?;
        if !sys::wait_readable(&listener, START.min(self.limits.reply)) {
            return Err(piped.why().unwrap_or(Fail::Broken("openssl does not start".into())));
        }
        let inner = listener.accept().map_err(|err| Fail::Broken(reason(&err)))?.0;
        carry(stream, inner).map_err(|err| Fail::Broken(format!("cannot start a thread: {}", reason(&err))))?;
        Ok(piped)
    }
}

/// A person's own command as the connection.
///
/// # Errors
/// It cannot be started.
pub fn command(text: &str, host: &str, port: u16) -> Result<Piped, Fail> {
    let mut command = Command::new("sh");
    command.args(["-c", text]).env("NN_MAIL_HOST", host).env("NN_MAIL_PORT", port.to_string());
    start(command, None).map_err(|err| Fail::Settings(format!("cannot run mail.tls: {}", reason(&err))))
}

fn start(mut command: Command, checks: Option<(&'static str, String)>) -> io::Result<Piped> {
    let (socket, theirs) = UnixStream::pair()?;
    let (input, output) = (OwnedFd::from(theirs.try_clone()?), OwnedFd::from(theirs));
    command.stdin(input).stdout(output).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn()?;
    let words = Arc::new(Mutex::new(Vec::new()));
    let listener = child.stderr.take().map(|stderr| {
        let words = words.clone();
        std::thread::Builder::new().stack_size(1 << 16).spawn(move || listen(stderr, &words))
    });
    let listener = listener.transpose()?;
    // The command keeps its copies of the other end: dropped, so that its death is the end of the stream.
    drop(command);
    Ok(Piped { socket, child, words, listener, checks })
}

fn listen(mut stderr: impl Read, words: &Mutex<Vec<u8>>) {
    let mut piece = [0; 1024];
    while let Ok(n @ 1..) = stderr.read(&mut piece) {
        if let Ok(mut words) = words.lock() {
            let room = MOST_WORDS.saturating_sub(words.len());
            words.extend_from_slice(piece.get(..n.min(room)).unwrap_or_default());
        }
    }
}

/// Carries bytes both ways until one side ends.
fn carry(tcp: TcpStream, inner: UnixStream) -> io::Result<()> {
    // The limits of the dialogue hold at the other end of the helper.
    tcp.set_read_timeout(None)?;
    tcp.set_write_timeout(None)?;
    let (tcp_too, inner_too) = (tcp.try_clone()?, inner.try_clone()?);
    let thread = || std::thread::Builder::new().stack_size(1 << 17);
    thread().spawn(move || {
        let _ = io::copy(&mut &tcp, &mut &inner);
        let _ = inner.shutdown(Shutdown::Write);
    })?;
    thread().spawn(move || {
        let _ = io::copy(&mut &inner_too, &mut &tcp_too);
        let _ = tcp_too.shutdown(Shutdown::Both);
    })?;
    Ok(())
}

impl Read for Piped {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.socket.read(into)
    }
}

impl Write for Piped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

impl Stream for Piped {
    fn set_limit(&self, limit: Duration) -> io::Result<()> {
        self.socket.set_limit(limit)
    }

    fn why(&mut self) -> Option<Fail> {
        let begun = std::time::Instant::now();
        while begun.elapsed() < LAST_WORDS && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.end();
        let words = self.words.lock().map(|words| words.clone()).unwrap_or_default();
        let words = String::from_utf8_lossy(&words).into_owned();
        match &self.checks {
            Some((settings, host)) => explain(&words, settings, host),
            None => {
                let line = words.lines().find(|line| !line.trim().is_empty())?;
                Some(Fail::Broken(format!("mail.tls: {}", line.trim())))
            }
        }
    }
}

impl Piped {
    fn end(&mut self) {
        let _ = sys::kill_group(self.child.id(), Signal::KILL);
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(listener) = self.listener.take().filter(|_| self.checks.is_some()) {
            let _ = listener.join();
        }
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        self.end();
    }
}

/// What openssl's words mean. None: nothing of its own.
fn explain(words: &str, settings: &str, host: &str) -> Option<Fail> {
    if let Some((_, error)) = words.split_once("verify error:num=") {
        let line = error.lines().next().unwrap_or_default();
        let (number, text) = line.split_once(':').unwrap_or((line, ""));
        let hint = match number {
            "18" | "19" | "20" | "21" => format!(" ({settings}.ca-file names whom to trust besides)"),
            "9" | "10" => " (or the clock here is wrong)".into(),
            "62" => format!(" ({settings}.server must be the name in the certificate)"),
            _ => String::new(),
        };
        return Some(Fail::Settings(format!("the certificate is not that of {host}: {text}{hint}")));
    }
    if words.contains("wrong version number") || words.contains("packet length too long") {
        return Some(Fail::Broken(format!(
            "what answers does not speak TLS (wrong port, or wrong settings {settings}.…)"
        )));
    }
    if words.contains("nknown option") {
        return Some(Fail::Settings("this openssl is too old to verify host names: nothing is sent".into()));
    }
    let telling = |line: &&str| line.contains("error") || line.contains("alert") || line.contains("rror ");
    let line = words.lines().find(telling)?.trim();
    // `40E7…:error:0A000410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:../ssl/…:1600:SSL alert number 40`
    let parts: Vec<&str> = line.split(':').collect();
    let short = match parts.as_slice() {
        [_, "error", _, _, _, text, ..] => text,
        _ => line,
    };
    (!line.starts_with("write:errno")).then(|| Fail::Broken(format!("TLS failed: {short}")))
}

/// A directory only this user can look into; gone when dropped.
struct PrivateDir(PathBuf);

impl PrivateDir {
    fn new() -> io::Result<PrivateDir> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("nn-mail.{}.{count}", std::process::id()));
            match std::fs::DirBuilder::new().mode(0o700).create(&path) {
                Err(err) if err.kind() == io::ErrorKind::AlreadyExists && count < 10_000 => {}
                made => return made.map(|()| PrivateDir(path)),
            }
        }
    }
}

impl Drop for PrivateDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.0.join("tls"));
        let _ = std::fs::remove_dir(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_openssl() {
        let words = |text: &str| explain(text, "mail", "mx").map(|fail| fail.to_string()).unwrap_or_default();
        assert!(
            words("depth=0 CN = x\nverify error:num=10:certificate has expired\nx")
                .contains("certificate has expired (or the clock")
        );
        assert!(words("verify error:num=62:hostname mismatch\n").contains("not that of mx: hostname mismatch"));
        assert!(
            words("40:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../ssl:1:\n")
                .contains("does not speak TLS")
        );
        assert_eq!(
            words("40:error:0A000410:SSL routines:f:sslv3 alert handshake failure:x:1:y\n"),
            "TLS failed: sslv3 alert handshake failure"
        );
        assert_eq!(
            words("s_client: Unknown option: -nocommands\n"),
            "this openssl is too old to verify host names: nothing is sent"
        );
        assert_eq!(words("write:errno=32\n"), "");
        assert_eq!(words(""), "");
    }
}
