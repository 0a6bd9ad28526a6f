//! The token by which a server knows who may do what: in a file that nobody else can read, and never on a command line.

use crate::base::error::{Doing, Error, Result};
use crate::base::sys;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Least length: what is shorter can be guessed.
const SHORTEST: usize = 16;
/// Longest file.
const LONGEST: u64 = 4096;

/// Reads the token from a file that nobody else can read.
///
/// # Errors
/// It cannot be read, others can read it, or what is in it is no token.
pub fn read(path: &Path) -> Result<String> {
    let file = File::open(path).doing("read", path)?;
    let meta = file.metadata().doing("read", path)?;
    let shown = path.display();
    if meta.mode() & 0o077 != 0 {
        return Err(Error::other(format!("{shown}: others can read it: chmod 600 {shown}")));
    }
    if meta.uid() != sys::effective_user_id() {
        return Err(Error::other(format!("{shown}: it is somebody else's file")));
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).doing("read", path)?;
    let token = text.trim();
    if token.len() < SHORTEST || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        let hint = format!("(umask 077; head -c 24 /dev/urandom | base64 >{shown})");
        let what = format!("{shown}: a token is one word of at least {SHORTEST} characters {hint}");
        return Err(Error::other(what));
    }
    Ok(token.to_string())
}
