//! Who asks: both ends of the connection, and of one that stays on this machine the user at its other end. The kernel
//! lists its sockets with their owners in /proc/net/tcp and tcp6, see proc_net_tcp in its documentation.

use super::feed::Waker;
use crate::base::error::{Doing, Result};
use std::net::{IpAddr, SocketAddr};

/// The state of a socket whose process is done with it: it has no owner any more.
const TIME_WAIT: &str = "06";

/// The other end of a connection.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Its address
    pub peer: SocketAddr,
    /// The address it reached here
    pub local: SocketAddr,
    /// Wakes the server, for a stream to this caller
    pub waker: Waker,
}

impl Caller {
    /// The user whose process it is, when it runs on this machine. None: there is no such socket (any more).
    ///
    /// # Errors
    /// The kernel does not tell of its sockets.
    pub fn user(&self) -> Result<Option<u32>> {
        let path = if self.peer.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
        let table = std::fs::read_to_string(path).doing("read", path)?;
        Ok(owner(&table, self.peer, self.local))
    }
}

/// The owner of the socket that is bound to `own` and connected to `other`.
fn owner(table: &str, own: SocketAddr, other: SocketAddr) -> Option<u32> {
    let (own, other) = (shown(own), shown(other));
    table.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let is_it = words.next() == Some(&own) && words.next() == Some(&other) && words.next() != Some(TIME_WAIT);
        if is_it { words.nth(3)?.parse().ok() } else { None }
    })
}

/// An address as the kernel lists it: words of 32 bits in the machine's order, in hexadecimal digits.
fn shown(address: SocketAddr) -> String {
    let bytes = match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let words = bytes.as_chunks().0.iter().map(|word| format!("{:08X}", u32::from_ne_bytes(*word)));
    format!("{}:{:04X}", words.collect::<String>(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::sys;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn whose_socket() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let there = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (socket, peer) = listener.accept().unwrap();
            let local = socket.local_addr().unwrap();
            let (waker, _woken) = Waker::pair().unwrap();
            let caller = Caller { peer, local, waker };
            assert_eq!(caller.user().unwrap(), Some(sys::effective_user_id()), "{address}");
            drop(socket);
            drop(there);
            let stranger = Caller { peer: "127.0.0.1:1".parse().unwrap(), ..caller };
            assert_eq!(stranger.user().unwrap(), None);
        }
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn a_line_of_the_table() {
        let line =
            "   1: 0100007F:8C4E 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 5 1 f 20 0\n";
        let at = |text: &str| text.parse().unwrap();
        assert_eq!(owner(line, at("127.0.0.1:35918"), at("127.0.0.1:8080")), Some(1000));
        assert_eq!(owner(line, at("127.0.0.1:8080"), at("127.0.0.1:35918")), None);
        assert_eq!(owner(&line.replace(" 01 ", " 06 "), at("127.0.0.1:35918"), at("127.0.0.1:8080")), None);
        assert_eq!(shown(at("[::1]:80")), "00000000000000000000000001000000:0050");
    }
}
