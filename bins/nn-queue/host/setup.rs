//! Bringing the tools to a host: the programs that stand beside this one, their pages and completions, and a spool. They
//! are tried there before they take the place of others: programs that need a newer C library than there is do not.

use super::{Opts, check};
use nn::base::cli::{self, Exit, Out};
use nn::base::error::{Doing, Error, Result, reason};
use nn::base::text::escape;
use nn::cluster::ssh::host::{Host, shell_path};
use nn::cluster::ssh::link::Ssh;
use nn::spool::snapshot::tar::{self, Entry, Kind};
use nn::spool::store::Spool;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Sets up each of these hosts, and checks it.
pub fn setup(spool: &Spool, hosts: &[Host], opts: &Opts, out: &mut Out) -> Result<Exit> {
    let top = match &opts.from {
        Some(dir) => dir.clone(),
        None => std::env::current_exe().doing("find", "this program")?.parent().unwrap_or(Path::new("/")).to_path_buf(),
    };
    let files = tools(&top)?;
    let mut names = Vec::new();
    for host in hosts {
        match bring(spool, host, &files) {
            Ok(()) => names.push(host.name.clone()),
            Err(err) => cli::complain(&err),
        }
    }
    if names.is_empty() {
        return Ok(Exit::DONE);
    }
    check(spool, &Opts { names, ..Opts::default() }, out)
}

/// What is to be brought: where it is, and its path below the directory above that of the programs.
fn tools(dir: &Path) -> Result<Vec<(PathBuf, String)>> {
    // What an installation has: bin/ and share/ beside it.
    let bin = if dir.join("bin").join("nn-queue").exists() { dir.join("bin") } else { dir.to_path_buf() };
    let mut tools = Vec::new();
    for entry in std::fs::read_dir(&bin).doing("read", &bin)? {
        let path = entry.doing("read", &bin)?.path();
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default().to_string();
        let is_tool = name.strip_prefix("nn-").is_some_and(|n| n.bytes().all(|b| b.is_ascii_lowercase()));
        if is_tool && path.metadata().is_ok_and(|meta| meta.is_file() && meta.mode() & 0o111 != 0) {
            tools.push((path, format!("bin/{name}")));
        }
    }
    if !tools.iter().any(|(_, path)| path == "bin/nn-queue") {
        return Err(Error::data(&bin, 0, "has no nn-queue"));
    }
    let share = bin.parent().unwrap_or(&bin).join("share");
    for folder in [
        "man/man1",
        "man/man5",
        "man/man7",
        "bash-completion/completions",
        "zsh/site-functions",
        "fish/vendor_completions.d",
    ] {
        for entry in std::fs::read_dir(share.join(folder)).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("nn") || name == "_nn" {
                tools.push((entry.path(), format!("share/{folder}/{name}")));
            }
        }
    }
    tools.sort();
    Ok(tools)
}

fn bring(spool: &Spool, host: &Host, files: &[(PathBuf, String)]) -> Result<()> {
    let here = machine()?;
    // What comes in is unpacked beside the place, tried, and only then moved there, name by name.
    let bin = shell_path(host.bin.trim_end_matches('/'));
    let script = format!(
        "set -e; umask 022; d={bin}; top=${{d%/*}}; [ -n \"$top\" ] || top=/; mkdir -p \"$d\"; \
         new=\"$top/.nn-setup.$$\"; trap 'rm -rf \"$new\"' EXIT; mkdir \"$new\"; \
         echo \"nn-machine $(uname -sm)\"; tar -C \"$new\" -xpf - --no-same-owner; \
         if ! v=$(\"$new/bin/nn-queue\" --version 2>&1); then echo \"nn-trouble $v\"; exit 3; fi; \
         for f in \"$new\"/bin/*; do mv -f \"$f\" \"$d/${{f##*/}}\"; done; \
         if [ -d \"$new/share\" ]; then mkdir -p \"$top/share\"; cp -Rf \"$new/share/.\" \"$top/share/\"; fi; \
         NN_SPOOL={spool} \"$d/nn-queue\" init; echo \"nn-done $v\"",
        spool = shell_path(&host.spool)
    );
    let command = format!("sh -c {}", nn::spool::job::shell_word(&script));
    let mut ssh = Ssh::start(host, &command, spool.dir())?;
    let sent = ssh.child.stdin.take().map_or(Ok(()), |stdin| send(ssh.watched(stdin), files));
    let mut said = String::new();
    if let Some(stdout) = ssh.child.stdout.take() {
        let mut bytes = Vec::new();
        let _ = ssh.watched(stdout).take(1 << 20).read_to_end(&mut bytes);
        said = String::from_utf8_lossy(&bytes).into_owned();
    }
    let after =
        |mark: &str| said.lines().find_map(|line| line.split_once(mark)).map(|(_, rest)| escape(rest).into_owned());
    if let Some(version) = after("nn-done ") {
        cli::tell(&format!("{}: {version} is in {}", host.name, host.bin));
        return Ok(());
    }
    let name = &host.name;
    if let Some(there) = after("nn-machine ").filter(|there| *there != here) {
        return Err(Error::other(format!("{name} is {there}, this is {here}: build there, or use --from")));
    }
    if let Some(trouble) = after("nn-trouble ") {
        let what = "static programs run everywhere: scripts/install --static --prefix DIR, then host setup --from DIR";
        return Err(Error::other(format!("{name}: the programs do not run there: {trouble} ({what})")));
    }
    match (ssh.why(host), sent) {
        (Error::Again(what), _) => Err(Error::Again(what)),
        (_, _) => Err(Error::other(format!("{name}: cannot set up: {}", ssh.words(Duration::ZERO)))),
    }
}

/// System and processor, as uname(1) calls them.
fn machine() -> Result<String> {
    let output = Command::new("uname").arg("-sm").output();
    let output = output.map_err(|err| Error::other(format!("cannot run uname: {}", reason(&err))))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
}

fn send(mut to: impl Write, files: &[(PathBuf, String)]) -> std::io::Result<()> {
    for (path, name) in files {
        let mut file = File::open(path)?;
        let meta = file.metadata()?;
        let kind = Kind::File(meta.mode() & 0o111 != 0);
        let entry = Entry { path: OsStr::new(name).as_bytes().to_vec(), kind, size: meta.len(), mtime: meta.mtime() };
        to.write_all(&tar::header(&entry))?;
        std::io::copy(&mut (&mut file).take(meta.len()), &mut to)?;
        to.write_all(tar::padding(meta.len()))?;
    }
    to.write_all(&tar::END)?;
    to.flush()
}
