//! A role on this host that one process at a time may hold: a name bound in the kernel's abstract namespace of unix
//! sockets, unix(7). It dies with its process, however that ends, and leaves no file behind. Containers with a network
//! namespace of their own have roles of their own.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::time::{Duration, Instant};

/// The longest name, bytes.
const LONGEST: usize = 100;
/// Between two looks whether it is free.
const LOOK: Duration = Duration::from_millis(20);

/// The name of a role that has to do with one file or directory, whatever path leads there.
///
/// # Errors
/// It cannot be looked at.
pub fn name_of(what: &str, place: &Path) -> io::Result<String> {
    let meta = std::fs::metadata(place)?;
    Ok(format!("{what}.{:x}.{:x}", meta.dev(), meta.ino()))
}

/// Held until it is dropped.
#[derive(Debug)]
pub struct Role {
    _socket: UnixDatagram,
}

impl Role {
    /// Takes a role if nobody holds it. None: somebody does.
    ///
    /// # Errors
    /// The system has no such sockets, or is out of descriptors.
    pub fn take(name: &str) -> io::Result<Option<Role>> {
        let name = name.get(..LONGEST).unwrap_or(name);
        let address = SocketAddr::from_abstract_name(name)?;
        match UnixDatagram::bind_addr(&address) {
            Ok(socket) => Ok(Some(Role { _socket: socket })),
            Err(err) if err.kind() == io::ErrorKind::AddrInUse => Ok(None),
            Err(err) => Err(err),
        }
    }

    /// Takes a role when it is free, within some time. None: it was not.
    ///
    /// # Errors
    /// As `take`.
    pub fn within(name: &str, patience: Duration) -> io::Result<Option<Role>> {
        let begun = Instant::now();
        loop {
            match Role::take(name)? {
                None if begun.elapsed() < patience => std::thread::sleep(LOOK),
                taken => return Ok(taken),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time() {
        let name = format!("nn-test-{}", std::process::id());
        let held = Role::take(&name).unwrap();
        assert!(held.is_some());
        assert!(Role::take(&name).unwrap().is_none());
        drop(held);
        assert!(Role::take(&name).unwrap().is_some());
    }
}
