//! Hosts reached by ssh that share no file system with this one. A run handed to such a host becomes a run of the spool
//! there; what it leaves is fetched. All goes through one connection at a time, to a `nn-queue peer` that ssh(1) starts
//! there and that ends with it: nothing listens anywhere.
//!
//! host.rs knows the settings `[host NAME]`, link.rs the connection, wire.rs what stands on it, inputs.rs the files that are
//! sent along, parcel.rs what a run is for the host, growth.rs which files come back, and how. nn-spool(5), "Hand over to a
//! host", says why nothing is lost and nothing started twice, wherever the cable is cut.

pub mod deliver;
pub mod fetch;
pub mod growth;
pub mod host;
pub mod inputs;
pub mod link;
pub mod parcel;
pub mod record;
pub mod wire;

/// What both ends must speak alike. It grows when a message changes its meaning.
pub const PROTOCOL: i64 = 1;
