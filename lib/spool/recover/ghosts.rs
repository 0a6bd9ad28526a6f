//! Ghosts: after a power cut a run may be seen twice. The most advanced token is the truth, the lesser is unlinked.

use super::Mended;
use crate::base::error::Result;
use crate::base::files;
use crate::spool::owner::Life;
use crate::spool::state::{Folder, State, Token};
use crate::spool::store::Spool;
use std::collections::HashMap;

/// Removes the lesser of two tokens of one run. A token that was only moving while the folders were read is gone already.
pub(super) fn unlink(spool: &Spool) -> Result<Vec<Mended>> {
    let mut truth: HashMap<u64, Token> = HashMap::new();
    let mut ghosts = Vec::new();
    for folder in Folder::ALL {
        for token in spool.tokens(folder)? {
            match truth.remove(&token.run) {
                Some(other) if is_ghost(&token, &other) => {
                    truth.insert(token.run, other);
                    ghosts.push(token);
                }
                Some(other) => {
                    if is_ghost(&other, &token) {
                        ghosts.push(other);
                    }
                    truth.insert(token.run, token);
                }
                None => {
                    truth.insert(token.run, token);
                }
            }
        }
    }
    let mut mended = Vec::new();
    for ghost in ghosts {
        if files::remove(&spool.dir().join(ghost.path()))? {
            mended.push(Mended { run: ghost.run, what: format!("a ghost in {}/ removed", ghost.folder().name()) });
        }
    }
    Ok(mended)
}

/// Whether a token is the lesser of two of one run. Of a run that was adopted it is the one whose runner is dead; both are
/// after a power cut, and then either will do.
fn is_ghost(token: &Token, other: &Token) -> bool {
    match (&token.state, &other.state) {
        (State::Started(_, runner), State::Started(_, _)) if token.rank() == other.rank() => {
            matches!(runner.life(), Life::Dead | Life::Rebooted)
        }
        _ => token.rank() <= other.rank(),
    }
}
