//! Whoever waits for runs, or follows what they print, wants to see those at hosts move as well: as long as this lives, what
//! these left is fetched every few seconds, beside everything else.

use super::sync;
use nn::base::cli;
use nn::spool::store::Spool;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Between two looks at a host.
const PAUSE: Duration = Duration::from_secs(3);
/// Between two looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(100);

/// Fetches while it lives.
pub struct Following(Arc<AtomicBool>);

impl Following {
    /// Begins, for these runs.
    pub fn begin(spool: &Spool, runs: BTreeSet<u64>) -> Following {
        let over = Arc::new(AtomicBool::new(false));
        let (spool, is_over) = (spool.clone(), over.clone());
        let body = move || {
            let mut told = HashSet::new();
            while !is_over.load(Ordering::Relaxed) {
                look(&spool, &runs, &mut told);
                let mut slept = Duration::ZERO;
                while slept < PAUSE && !is_over.load(Ordering::Relaxed) {
                    std::thread::sleep(LOOK);
                    slept += LOOK;
                }
            }
        };
        // Out of threads: then only what others fetch is seen.
        let _ = std::thread::Builder::new().spawn(body);
        Following(over)
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The same trouble is told once.
fn look(spool: &Spool, runs: &BTreeSet<u64>, told: &mut HashSet<String>) {
    let troubles = match sync::sync(spool, Some(runs)) {
        Ok(synced) => synced.troubles,
        Err(err) => vec![err],
    };
    if troubles.is_empty() {
        told.clear();
    }
    for trouble in troubles {
        let words = trouble.to_string();
        if told.insert(words.clone()) {
            cli::warn(&words);
        }
    }
}
