//! Reports of runs to a real nn-web: taken once however often they come, by whomever at a time; kept while the server is
//! away; the same to the byte when it was killed in between; refused when they are too large, or nonsense. What servers
//! that misbehave do to nn-log, and TLS, is in report/away.rs; kills at each operation are in report/crash.rs.

mod away;
mod crash;

use crate::paused::until;
use crate::place::{Place, output_within};
use nn::base::json::Value;
use nn::base::role::{self, Role};
use nn::spool::state::{Folder, How};
use nn::web::report::{Part, Report};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(60);
const TOKEN: &str = "a-token-that-nobody-guesses";
const KEY: &str = "0123456789abcdef0123456789abcdef";
const JOB: &[u8] = b"{\"argv\":[\"train\"],\"cwd\":\"/\",\"name\":\"far\",\"after\":[1],\"rules\":[\"x\"]}\n";

/// A client, in `spool`, and a server, in `server`.
struct Peers {
    place: Place,
    server: Option<Child>,
    port: u16,
}

impl Peers {
    fn new(name: &str) -> Peers {
        let place = Place::new(name);
        let mut peers = Peers { place, server: None, port: 0 };
        let output = peers
            .sh("umask 077; echo a-token-that-nobody-guesses >token; nn-queue init && NN_SPOOL=server nn-queue init");
        assert!(output.status.success(), "{output:?}");
        peers.start(&[]);
        peers
    }

    /// Starts the server, where it was before.
    fn start(&mut self, variables: &[(&str, &str)]) {
        self.start_with(&[], variables);
    }

    fn start_with(&mut self, options: &[&str], variables: &[(&str, &str)]) {
        let mut command = self.place.command("nn-web");
        command.args(["--token-file", "token", "-l", &self.port.to_string()]).args(options);
        command.env("NN_SPOOL", self.spool()).envs(variables.iter().copied());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim_end().trim_end_matches('/').rsplit(':').next().unwrap();
        self.port = port.parse().unwrap_or_else(|_| panic!("no address: {line}"));
        self.server = Some(child);
    }

    /// Kills the server as a power cut of its process would.
    fn kill(&mut self) {
        let mut child = self.server.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn spool(&self) -> PathBuf {
        self.place.dir.join("server")
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A script on the client's side.
    fn sh(&self, script: &str) -> Output {
        self.sh_with(script, &[])
    }

    fn sh_with(&self, script: &str, variables: &[(&str, &str)]) -> Output {
        let mut sh = self.place.command("sh");
        sh.args(["-c", script]).env("URL", self.url()).env("NN_REPORT_TOKEN_FILE", "token");
        output_within(sh.envs(variables.iter().copied()), LIMIT)
    }

    /// Sends a request with this head and body; status and answer.
    fn post(&self, headers: &str, body: &[u8]) -> (u16, Value) {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        let head = format!("POST /api/report HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n{headers}\r\n", self.port);
        let _ = socket.write_all(head.as_bytes()).and_then(|()| socket.write_all(body));
        let _ = socket.shutdown(std::net::Shutdown::Write);
        let mut reply = String::new();
        let _ = socket.read_to_string(&mut reply);
        let status = reply.split(' ').nth(1).and_then(|status| status.parse().ok());
        let body = reply.split("\r\n\r\n").nth(1).unwrap_or_default();
        (status.unwrap_or_else(|| panic!("no answer: {reply}")), Value::parse(body).unwrap_or(Value::Null))
    }

    fn tell(&self, report: &Report, bytes: &[u8]) -> (u16, Value) {
        let body = [report.line().as_bytes(), bytes].concat();
        self.post(&format!("Authorization: Bearer {TOKEN}\r\nContent-Length: {}\r\n", body.len()), &body)
    }

    /// The tokens at the server.
    fn tokens(&self) -> Vec<String> {
        let mut tokens = Vec::new();
        for folder in Folder::ALL {
            let names = fs::read_dir(self.spool().join(folder.name())).unwrap().flatten();
            tokens.extend(names.map(|e| format!("{}/{}", folder.name(), e.file_name().into_string().unwrap())));
        }
        tokens
    }

    /// A file of the server's only run. What a crash left without a token has a number too.
    fn there(&self, name: &str) -> String {
        let tokens = self.tokens();
        let run = tokens.first().and_then(|token| token.split(['/', '.']).nth(1)).unwrap_or_default();
        let dir = self.spool().join("runs").join(run.trim_start_matches('0'));
        fs::read_to_string(dir.join(name)).unwrap_or_default()
    }

    fn here(&self, name: &str) -> String {
        fs::read_to_string(self.place.dir.join("spool/runs/1").join(name)).unwrap_or_default()
    }

    /// What the client's first run left is at the server, once, and the same to the byte.
    fn is_all_there(&self, label: &str) {
        let tokens = self.tokens();
        assert!(tokens.len() == 1 && tokens[0].starts_with("done/000000"), "{label}: {tokens:?}");
        let names = fs::read_dir(self.place.dir.join("spool/runs/1")).unwrap().flatten();
        let grows = |name: &String| name == "log" || name.starts_with("history.") || name.starts_with("events.");
        let names: Vec<String> = names.map(|e| e.file_name().into_string().unwrap()).filter(grows).collect();
        assert!(names.len() == 3, "{label}: {names:?}");
        for name in names {
            // A server of the same name keeps what it writes itself apart.
            assert_eq!(self.here(&name), self.there(&name), "{label}: {name}");
        }
        assert!(self.there("result.json").contains("\"exit\":0"), "{label}: {}", self.there("result.json"));
        assert!(fs::read_dir(self.place.dir.join("spool/reports")).unwrap().next().is_none(), "{label}");
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        if let Some(mut child) = self.server.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn report(folder: Folder, log: u64, parts: &[(&str, u64, u64)]) -> Report {
    let part = |(name, from, size): &(&str, u64, u64)| Part { name: (*name).into(), from: *from, size: *size };
    Report {
        key: KEY.into(),
        host: "far".into(),
        run: 5,
        generation: 1,
        folder,
        how: (folder == Folder::Failed).then_some(How::Exit(3)),
        sizes: vec![("log".into(), log)],
        parts: parts.iter().map(part).collect(),
    }
}

fn log_there(answer: &Value) -> i64 {
    answer.get("have").and_then(|have| have.int("log")).unwrap_or(0)
}

#[test]
fn what_comes_twice_counts_once() {
    let peers = Peers::new("report-twice");
    let (status, answer) = peers.tell(&report(Folder::Running, 3, &[("log", 0, 3)]), b"abc");
    assert_eq!(status, 409, "{answer}");
    let first = report(Folder::Running, 3, &[("job.json", 0, JOB.len() as u64), ("log", 0, 3)]);
    let bytes = [JOB, b"abc"].concat();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                // At most so many at a time are taken.
                while peers.tell(&first, &bytes).0 == 503 {
                    std::thread::sleep(Duration::from_millis(5));
                }
            });
        }
    });
    assert_eq!(peers.tokens(), [format!("submitted/0000001.1~report,{KEY}")]);
    assert_eq!(
        peers.there("job.json").split(",\"added\"").next(),
        Some("{\"argv\":[\"train\"],\"cwd\":\"/\",\"name\":\"far\",\"reported\":\"far\"")
    );
    // What overlaps, what leaves a gap, and what is from before.
    let log = |from, bytes: &str, size| {
        let size_of = bytes.len() as u64;
        log_there(&peers.tell(&report(Folder::Running, size, &[("log", from, size_of)]), bytes.as_bytes()).1)
    };
    assert_eq!((log(1, "bcde", 5), log(9, "xyz", 12), log(0, "ab", 2), log(5, "f", 6)), (5, 5, 5, 6));
    assert_eq!(peers.there("log"), "abcdef");
    // The end is believed when all is here, and once.
    let end = report(Folder::Failed, 8, &[("result.json", 0, 23)]);
    let result = b"{\"exit\":3,\"how\":\"rule\"}";
    assert_eq!(peers.tell(&end, result).1.str("state"), Some("submitted"));
    assert_eq!(log(6, "gh", 8), 8);
    for _ in 0..2 {
        assert_eq!(peers.tell(&end, result).1.str("state"), Some("failed"));
        assert_eq!(log(6, "gh", 8), 8);
    }
    assert_eq!((peers.tokens(), peers.there("log")), (vec!["failed/0000001.1~exit,3".to_string()], "abcdefgh".into()));
    assert!(peers.there("result.json").contains("\"state\":\"failed\",\"how\":\"exit,3\",\"exit\":3"));
    // It goes on there once more; what is told of the attempt before is late.
    let again = |folder, generation| peers.tell(&Report { generation, ..report(folder, 8, &[]) }, b"").1;
    assert_eq!(again(Folder::Running, 2).str("state"), Some("submitted"));
    assert_eq!(again(Folder::Failed, 1).str("state"), Some("submitted"));
    assert_eq!(peers.tokens(), [format!("submitted/0000001.2~report,{KEY}")]);
    assert_eq!(again(Folder::Done, 2).str("state"), Some("done"));
    assert_eq!(peers.tokens(), ["done/0000001.2"]);
}

#[test]
fn what_is_no_report_is_refused() {
    let peers = Peers::new("report-refused");
    let bearer = format!("Authorization: Bearer {TOKEN}\r\n");
    let begun = Instant::now();
    let (status, answer) = peers.post(&format!("{bearer}Content-Length: 1000000000\r\n"), b"");
    assert!(status == 413 && answer.str("error").unwrap().contains("longer than"), "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(peers.post("Content-Length: 5\r\n", b"12345").0, 401);
    assert_eq!(peers.post("Authorization: Bearer another-token-altogether\r\nContent-Length: 5\r\n", b"12345").0, 403);
    let nested = format!("{}\n", "[".repeat(100_000));
    let long = format!("\"{}\"\n", "x".repeat(1 << 20));
    let first = report(Folder::Running, 3, &[("job.json", 0, 4), ("log", 0, 3)]).line();
    for (body, words) in [
        ("", "does not end"),
        ("{}", "does not end"),
        ("{}\n", "no 'state'"),
        ("\n\n", "the first line"),
        (&nested, "the first line"),
        (&long, "too long"),
        ("\u{0}\n", "the first line"),
        (&format!("{first}null"), "not as long as the body"),
        (&format!("{first}nullabc"), "job.json is no JSON object"),
        (&format!("{first}{{}}  abc"), "'argv' is missing"),
    ] {
        let (status, answer) = peers.post(&format!("{bearer}Content-Length: {}\r\n", body.len()), body.as_bytes());
        let said = answer.str("error").unwrap_or_default();
        assert!(status == 400 && said.contains(words), "{:.60}: {status} {answer}", body);
    }
    assert_eq!(peers.tokens(), Vec::<String>::new());
}

#[test]
fn sizes_and_numbers_have_their_limits() {
    let mut peers = Peers::new("report-limits");
    peers.kill();
    peers.start(&[("NN_REPORT_LIMIT", "8"), ("NN_REPORT_RUNS", "1")]);
    let job = JOB.len() as u64;
    let first = report(Folder::Running, 6, &[("job.json", 0, job), ("log", 0, 6)]);
    assert_eq!(peers.tell(&first, &[JOB, b"abcdef"].concat()).0, 200);
    let (status, answer) = peers.tell(&report(Folder::Running, 9, &[("log", 6, 3)]), b"ghi");
    assert!(status == 413 && answer.str("error").unwrap().contains("report.limit"), "{answer}");
    assert_eq!(peers.there("log"), "abcdef");
    let other = Report { key: KEY.replace('0', "1"), ..first };
    let (status, answer) = peers.tell(&other, &[JOB, b"abcdef"].concat());
    assert!(status == 413 && answer.str("error").unwrap().contains("report.runs"), "{answer}");
    assert_eq!(peers.tokens().len(), 1);
}

#[test]
fn half_a_body_is_gone_on_with() {
    let peers = Peers::new("report-half");
    let first = report(Folder::Running, 9, &[("job.json", 0, JOB.len() as u64), ("log", 0, 9)]);
    let body = [first.line().as_bytes(), JOB, b"abcd"].concat();
    let headers = format!("Authorization: Bearer {TOKEN}\r\nContent-Length: {}\r\n", body.len() + 5);
    assert_eq!(peers.post(&headers, &body).0, 400);
    // What stands behind what was noted is not believed.
    fs::OpenOptions::new().append(true).open(peers.spool().join("runs/1/log")).unwrap().write_all(b"\0\0\0").unwrap();
    let answer = peers.tell(&report(Folder::Running, 9, &[]), b"").1;
    assert_eq!(log_there(&answer), 4);
    assert_eq!(log_there(&peers.tell(&report(Folder::Running, 6, &[("log", 4, 2)]), b"ef").1), 6);
    assert_eq!(peers.there("log"), "abcdef");
}

/// The three lines, with a server that is killed after the first, and one that has lost its spool.
#[test]
fn kept_while_the_server_is_away() {
    let mut peers = Peers::new("report-kept");
    let job = "nn-log start -n kept --server $URL >number
        for e in 1 2 3; do
            echo \"epoch=$e loss=0.$e\" >>train.out; echo \"{\\\"epoch\\\":$e,\\\"valid_cost\\\":1.$e}\" >>valid.jsonl
            nn-log progress --log train.out --data valid.jsonl || echo status $?
            touch step$e; until [ -e go$e ]; do sleep 0.02; done
        done
        nn-log finish; echo finished $?";
    fs::write(peers.place.dir.join("job.sh"), job).unwrap();
    let mut sh = peers.place.command("sh");
    sh.arg("job.sh").env("URL", peers.url()).env("NN_REPORT_TOKEN_FILE", "token");
    let child = sh.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let dir = peers.place.dir.clone();
    let wait_for = |name: &str| {
        let begun = Instant::now();
        while !dir.join(name).exists() {
            assert!(begun.elapsed() < LIMIT, "{name}");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    wait_for("step1");
    assert_eq!(peers.there("log"), "epoch=1 loss=0.1\n");
    peers.kill();
    for (go, step) in [("go1", "step2"), ("go2", "step3")] {
        fs::write(dir.join(go), "").unwrap();
        wait_for(step);
    }
    fs::write(dir.join("go3"), "").unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "finished 0\n", "{said}");
    assert!(
        said.contains("warning: run 1 is not reported now: 127.0.0.1:") && said.contains("Connection refused"),
        "{said}"
    );
    // What is reported is here: the script's own files may go.
    fs::remove_file(dir.join("train.out")).unwrap();
    assert_eq!(peers.sh("nn-log report").status.code(), Some(75));
    peers.start(&[]);
    let output = peers.sh("nn-log report && nn-log report && nn-log report 1");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1\tdone\trun 1 there\n1\tdone\trun 1 there\n", "{output:?}");
    peers.is_all_there("kept");
    // A server that has forgotten the run is told all of it again; one that has removed it, nothing.
    peers.kill();
    let output = peers.sh("mv server old; NN_SPOOL=server nn-queue init");
    assert!(output.status.success());
    peers.start(&[]);
    assert!(peers.sh("nn-log report 1").status.success());
    peers.is_all_there("forgotten");
    assert!(peers.sh("NN_SPOOL=server nn-queue gc --older-than 0s").status.success());
    let said = String::from_utf8_lossy(&peers.sh("nn-log report 1").stderr).into_owned();
    assert!(said.contains("the run was removed here: nothing more of it is reported"), "{said}");
    assert_eq!(peers.tokens(), Vec::<String>::new());
}

/// Called off at the server: the script hears of it. Nothing there starts, loses or cleans away such a run.
#[test]
fn called_off_at_the_server() {
    let peers = Peers::new("report-cancel");
    let script = "trap 'echo told; nn-log finish --status 1; exit' TERM; nn-log start -n off --server $URL >/dev/null
        NN_SPOOL=server nn-queue recover; NN_SPOOL=server nn-queue work; NN_SPOOL=server nn-queue sync; NN_SPOOL=server nn-queue gc
        NN_SPOOL=server nn-queue hold 1; NN_SPOOL=server nn-run --claim 1.1; NN_SPOOL=server nn-run --resume 1
        NN_SPOOL=server nn-queue cancel 1; nn-log progress; sleep 30 & wait; echo not told";
    let output = peers.sh(&format!("{script}\n"));
    let (out, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(out, "1\tstopping\ntold\n", "{said}");
    for words in [
        "cannot hold 1: it goes on elsewhere, and its host only tells of it",
        "run 1 goes on elsewhere: its host only tells of it",
        "run 1 was reported by",
        "it is stopped there with its next report",
        "run 1 was called off on the server",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(peers.tokens(), ["cancelled/0000001.1"]);
    let output = peers.sh("NN_SPOOL=server nn-queue retry 1");
    assert!(String::from_utf8_lossy(&output.stderr).contains("it has never run here"), "{output:?}");
    // Asked twice, nobody waits for a host that does not tell any more.
    let output = peers.sh(
        "sh -c 'nn-log start --server $URL' >/dev/null; export NN_SPOOL=server; nn-queue cancel 2; nn-queue cancel 2",
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout), "2\tstopping\n2\tcancelled\n", "{output:?}");
}

/// The run ends while a report of it waits for its turn: what is told then is the end, and nothing is left to be told.
#[test]
fn ended_while_its_report_waited() {
    let peers = Peers::new("report-waited");
    let script = "nn-log start -n waited --server $URL >number; echo epoch=1 loss=0.5 >train.out; touch started
        until [ -e go ]; do sleep 0.02; done; NN_REPORT_TIMEOUT=100ms nn-log finish --log train.out";
    let mut sh = peers.place.command("sh");
    sh.args(["-c", script]).env("URL", peers.url()).env("NN_REPORT_TOKEN_FILE", "token");
    let sh = sh.stderr(Stdio::piped()).spawn().unwrap();
    until("it starts", || peers.place.dir.join("started").exists());
    let turn = role::name_of("nn-reporting", &peers.place.dir.join("spool/runs/1")).unwrap();
    let turn = Role::take(&turn).unwrap().unwrap();
    let mut waits = peers.place.command("nn-log");
    waits.args(["report", "1"]).env("NN_REPORT_TOKEN_FILE", "token").env("NN_REPORT_TIMEOUT", "60s");
    let waits = waits.stdout(Stdio::piped()).spawn().unwrap();
    // Between two looks it sleeps: before, it has hardly any reason to.
    let status = format!("/proc/{}/status", waits.id());
    until("it waits", || {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let naps = text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        naps.and_then(|naps| naps.trim().parse::<u64>().ok()).is_some_and(|naps| naps > 50)
    });
    fs::write(peers.place.dir.join("go"), "").unwrap();
    let finished = sh.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&finished.stderr).contains("another call is at it"), "{finished:?}");
    drop(turn);
    let output = waits.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1\tdone\trun 1 there\n");
    peers.is_all_there("waited");
}
