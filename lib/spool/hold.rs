//! Files that one process at a time holds: a message on its way, news that is being told, a cursor. To hold one is to move
//! it to a name with its holder in it, `NAME~OWNER~TIME.N`, which exactly one can; to let go is to move it on. What a dead
//! holder has is taken back.

use super::owner::{Life, Owner};
use crate::base::time::Time;
use std::sync::atomic::{AtomicU32, Ordering};

/// A file's name, and who holds it since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name it has when nobody holds it
    pub name: String,
    /// Who holds it
    pub held: Option<Hold>,
}

/// Who holds a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    owner: Owner,
    /// Since which second of his clock
    since: i64,
    /// How many he had taken before: no name twice
    count: u32,
}

impl Entry {
    /// An entry nobody holds.
    pub fn free(name: &str) -> Entry {
        Entry { name: name.to_string(), held: None }
    }

    /// An entry this process holds from now on.
    pub fn held_by(name: &str, me: &Owner) -> Entry {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let hold = Hold { owner: me.clone(), since: Time::now().ms() / 1000, count };
        Entry { name: name.to_string(), held: Some(hold) }
    }

    /// Whether whoever held it is dead, or cannot be judged from here and had it for far too long.
    pub fn is_abandoned(&self) -> bool {
        let Some(hold) = &self.held else { return false };
        match hold.owner.life() {
            Life::Dead => true,
            Life::Alive => false,
            Life::Rebooted | Life::Unknown => (Time::now().ms() / 1000).abs_diff(hold.since) > TAKE_BACK,
        }
    }

    /// Reads a file's name.
    pub fn parse(file: &str) -> Option<Entry> {
        let mut parts = file.split('~');
        let name = parts.next().filter(|name| is_name(name))?.to_string();
        let held = match (parts.next(), parts.next()) {
            (None, _) => None,
            (Some(owner), Some(time)) => {
                let (since, count) = time.split_once('.')?;
                Some(Hold { owner: Owner::parse(owner)?, since: since.parse().ok()?, count: count.parse().ok()? })
            }
            _ => return None,
        };
        parts.next().is_none().then_some(Entry { name, held })
    }

    /// The file's name.
    pub fn file(&self) -> String {
        match &self.held {
            None => self.name.clone(),
            Some(Hold { owner, since, count }) => format!("{}~{owner}~{since}.{count}", self.name),
        }
    }
}

/// A name that can be held: what is safe in a file name, and in a Message-ID.
pub fn is_name(name: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
    !name.is_empty() && name.len() <= 120 && !name.starts_with(['.', '-']) && name.bytes().all(good)
}

/// After so many seconds a file whose holder cannot be judged from here is taken back: far longer than anything done with
/// one may take.
pub const TAKE_BACK: u64 = 6 * 3600;
