//! Integration tests: the tools as a user meets them, the house rules, and what a crash may leave.
//! `cargo test` runs all. A test that lacks something of the machine says so on a line `skipped: NAME: why`, which
//! `scripts/test` counts. Variables: NN_BLESS=1 rewrites the transcripts, NN_TRANSCRIPT=part runs only some;
//! NN_STORM_JOBS=2000 NN_STORM_WORKERS=8 NN_STORM_KILLS=200 and NN_PAUSE_STOPS=100 are the full sizes of storm and pauses,
//! NN_CRASH_ALL=1 all crash points, NN_CRASH=part some.
//! Not tested here: power cuts, real NFS.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr)]

mod adopt;
mod clock;
mod cluster;
mod compound;
mod concurrent;
mod corpus;
mod crash;
mod exchange;
mod frozen;
mod gpus;
mod gridengine;
mod groups;
mod hostile;
mod hosts;
mod identity;
mod judged;
mod limits;
mod mail;
mod mail_crash;
mod mail_many;
mod mail_servers;
mod mail_tls;
mod oom;
mod paused;
mod place;
mod python;
mod report;
mod room;
mod screen;
mod shared;
mod slurm;
mod slurm_crash;
mod slurm_more;
mod slurm_scripts;
mod spool;
mod ssh;
mod storm;
mod tidy;
mod transcript;
mod verbs;
mod web;
mod web_page;
