//! A program instead of a server: sendmail, msmtp, or anything that takes a message on standard input and recipients as
//! arguments. Its exit status is the answer, by sysexits(3): 64 to 69 but for a server that cannot be reached mean no,
//! anything else that it may go better later.

use crate::base::error::reason;
use crate::base::sys::{self, Signal};
use crate::mail::smtp::{Envelope, Fail, Reply};
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Statuses of sysexits(3) that mean no: usage, data, no user, no host.
const NO: [i32; 4] = [64, 65, 67, 68];
/// Bytes of its words that are kept.
const MOST_WORDS: u64 = 4096;

/// Hands over a message.
///
/// # Errors
/// It cannot be run, fails, or takes longer than ten times `limit`.
pub fn send(text: &str, limit: Duration, envelope: &Envelope, body: &mut dyn Read) -> Result<Vec<Reply>, Fail> {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{text} \"$@\""), "sh"]).args(envelope.to).process_group(0);
    let cannot = |err: io::Error| Fail::Broken(format!("cannot run '{text}': {}", reason(&err)));
    let mut words = crate::base::files::unnamed(&std::env::temp_dir()).map_err(cannot)?;
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(words.try_clone().map_err(cannot)?);
    let mut child = command.spawn().map_err(cannot)?;
    let until = Instant::now() + limit.saturating_mul(10);
    let input = child.stdin.take();
    let mut bytes = Vec::new();
    body.read_to_end(&mut bytes).map_err(|err| Fail::Broken(format!("cannot read the message: {}", reason(&err))))?;
    // A program wants lines as they are here. It may stop reading when it has seen enough: its status tells.
    bytes.retain(|b| *b != b'\r');
    let writer = std::thread::spawn(move || input.map(|mut input| input.write_all(&bytes)));
    let code = wait(&mut child, until);
    // It may have left somebody behind who still reads; somebody who does not is not waited for.
    while code.is_some() && !writer.is_finished() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(1));
    }
    let said = read_words(&mut words);
    match code {
        Some(0) => Ok(envelope.to.iter().map(|_| Reply { code: 250, lines: vec!["taken".into()] }).collect()),
        Some(code) if NO.contains(&code) => {
            Err(Fail::Refused(Reply { code: 554, lines: vec![format!("(status {code} of '{text}') {said}")] }))
        }
        Some(127) => Err(Fail::Settings(format!("cannot run '{text}': {said}"))),
        Some(code) => {
            let said = if said.is_empty() { said } else { format!(": {said}") };
            Err(Fail::Broken(format!("'{text}' ended with status {code}{said}")))
        }
        None => Err(Fail::Unknown(format!("'{text}' took too long"))),
    }
}

/// Its status, 128 and the signal if one ended it; None: killed, for time was up.
fn wait(child: &mut Child, until: Instant) -> Option<i32> {
    let mut pause = Duration::from_millis(1);
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status.code().unwrap_or(128 + status.signal().unwrap_or(0)));
        }
        if Instant::now() > until {
            let _ = sys::kill_group(child.id(), Signal::KILL);
            let _ = child.wait();
            return None;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

fn read_words(file: &mut std::fs::File) -> String {
    use std::io::{Seek, SeekFrom};
    let mut bytes = Vec::new();
    let _ = file.seek(SeekFrom::Start(0));
    let _ = file.take(MOST_WORDS).read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes)
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .take(3)
        .collect::<Vec<_>>()
        .join("; ")
}
