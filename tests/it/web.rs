//! nn-web as browsers meet it, over sockets: what it tells, what it does, when it ends. What attackers send it is in
//! web/hostile.rs.

mod hostile;

use crate::place::{Place, output_within, say};
use nn::base::json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

const TOKEN: &str = "a-token-of-32-characters-or-more";
const LIMIT: Duration = Duration::from_secs(60);

/// A server in a place of its own, which is killed at the end.
struct Server {
    child: Child,
    /// HOST:PORT
    address: String,
}

impl Server {
    fn start(place: &Place, options: &[&str]) -> Server {
        let mut command = place.command("nn-web");
        let mut child = command.args(options).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://").and_then(|line| line.strip_suffix('/'));
        let Some(address) = address else {
            let mut said = String::new();
            child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            panic!("no address: {line}{said}");
        };
        let address = address.replace("0.0.0.0", "127.0.0.1");
        Server { child, address }
    }

    fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(&self.address).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        socket
    }

    /// Sends these bytes; all that comes until the server ends the connection.
    fn raw(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut socket = self.connect();
        // It may have ended it before all was sent.
        let _ = socket.write_all(bytes.as_ref());
        let mut reply = Vec::new();
        let _ = socket.read_to_end(&mut reply);
        String::from_utf8_lossy(&reply).into_owned()
    }

    fn ask(&self, line: &str, headers: &str, body: &str) -> Reply {
        let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let host = &self.address;
        Reply::read(
            &self.raw(format!("{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}{length}\r\n{body}")),
        )
    }

    fn get(&self, path: &str) -> Value {
        let reply = self.ask(&format!("GET {path}"), "", "");
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        Value::parse(&reply.body).unwrap_or_else(|bad| panic!("{path}: {bad}: {}", reply.body))
    }

    fn post(&self, path: &str, body: &str) -> Reply {
        let headers = format!("Authorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n");
        self.ask(&format!("POST {path}"), &headers, body)
    }

    /// Asks until the answer is such.
    fn until(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let since = Instant::now();
        loop {
            let value = self.get(path);
            if is_so(&value) {
                return value;
            }
            assert!(since.elapsed() < LIMIT, "{path} stays {value}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    fn read(text: &str) -> Reply {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
        Reply { status, head: format!("{head}\r\n"), body: body.to_string() }
    }
}

fn sh(place: &Place, script: &str) -> String {
    let output = output_within(place.command("sh").args(["-ec", script]), LIMIT);
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_string()
}

/// Two runs that are done, of one group, one that failed, one that waits for ever.
fn with_runs(name: &str) -> Place {
    let place = Place::new(name);
    sh(
        &place,
        "nn-queue init >/dev/null
        lines='i=1; while [ $i -le 5 ]; do echo epoch $i: cost 0.$((9-i)); i=$((i+1)); done'
        nn-queue add -n first -g g -p lr=0.1 --note hello -- sh -c \"$lines\"
        nn-queue add -n second -g g -p lr=0.01 -- sh -c \"$lines; echo ä\"
        nn-queue add -n third -g g -- sh -c 'echo step=3 cost=nan; exit 3'
        nn-queue work -q || :
        nn-queue add -n fourth --prio 2 --needs gpus=1 -- true
        nn-queue add -n fifth --after 4 -- true",
    );
    place
}

fn with_token(place: &Place) -> String {
    let file = place.dir.join("token");
    fs::write(&file, format!("{TOKEN}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    file.to_string_lossy().into_owned()
}

fn numbers(value: &Value, key: &str) -> Vec<f64> {
    value.list(key).unwrap_or_default().iter().filter_map(Value::as_num).collect()
}

#[test]
fn what_is_told() {
    let place = with_runs("web-told");
    let server = Server::start(&place, &["--listen", "127.0.0.1:0"]);
    let about = server.get("/api/about");
    assert_eq!(
        (about.get("write"), about.str("version")),
        (Some(&Value::Bool(false)), Some(env!("CARGO_PKG_VERSION")))
    );

    let runs = server.get("/api/runs");
    let rows = runs.list("runs").unwrap();
    let column = |key: &str| rows.iter().map(|row| row.get(key).map(Value::plain)).collect::<Vec<_>>();
    let text = |words: &[&str]| words.iter().map(|w| Some(w.to_string()).filter(|w| w != "-")).collect::<Vec<_>>();
    assert_eq!(column("run"), text(&["1", "2", "3", "4", "5"]));
    assert_eq!(column("state"), text(&["done", "done", "failed", "queued", "queued"]));
    assert_eq!(column("how"), text(&["-", "-", "exit 3", "-", "-"]));
    assert_eq!(column("note"), text(&["hello", "-", "-", "-", "-"]));
    assert_eq!(column("waits"), text(&["-", "-", "-", "no worker runs", "after 4"]));
    let cost = rows[0].get("metrics").and_then(|metrics| metrics.get("cost")).unwrap();
    assert_eq!((cost.num("first"), cost.num("last"), cost.num("min")), (Some(0.8), Some(0.4), Some(0.4)));
    assert_eq!(rows[0].get("params").and_then(|params| params.num("lr")), Some(0.1));

    let version = runs.int("version").unwrap();
    let none = server.get(&format!("/api/runs?since={version}"));
    assert_eq!(none.to_string(), format!("{{\"version\":{version},\"runs\":[],\"gone\":[]}}"));

    let run = server.get("/api/runs/3");
    assert_eq!((run.int("good"), run.str("how")), (Some(2), Some("exit 3")));
    assert_eq!(run.get("job").and_then(|job| job.str("name")), Some("third"));
    assert_eq!(run.list("attempts").map(<[Value]>::len), Some(1));
    assert!(run.get("facts").is_some() && run.get("result").is_some());
    let events: Vec<_> = run.list("events").unwrap().iter().filter_map(|event| event.str("event")).collect();
    assert_eq!((events.first(), events.last()), (Some(&"started"), Some(&"ended")));

    let series = server.get("/api/runs/2/history").get("series").and_then(|series| series.get("cost")).unwrap().clone();
    assert_eq!((numbers(&series, "epoch"), numbers(&series, "y")[4]), (vec![1.0, 2.0, 3.0, 4.0, 5.0], 0.4));
    assert!(series.get("step").is_none());
    let curves = server.get("/api/curves?runs=1-3,99&y=cost");
    let found: Vec<_> = curves.list("curves").unwrap().iter().filter_map(|curve| curve.int("run")).collect();
    assert_eq!(found, [1, 2], "a run whose points have no epoch has no curve along it");
    let along = server.get("/api/curves?runs=3&y=cost&x=time");
    assert_eq!(along.list("curves").unwrap()[0].list("y").unwrap()[0].as_str(), Some("NaN"));

    let log = server.get("/api/runs/2/log?from=0");
    assert!(log.str("text").unwrap().ends_with("epoch 5: cost 0.4\nä\n") && log.get("to") == log.get("size"));
    assert_eq!(server.get("/api/runs/2/log?from=-3").str("text"), Some("ä\n"));
    let diff = server.get("/api/diff?a=1&b=2");
    let lr = diff.list("rows").unwrap().iter().find(|row| row.str("what") == Some("param lr")).unwrap();
    assert_eq!((lr.num("a"), lr.num("b")), (Some(0.1), Some(0.01)));
    assert_eq!(server.get("/api/diff?a=1&b=1").list("rows").map(<[Value]>::len), Some(0));
    let columns = server.get("/api/columns?names=cost@5,exit,commit");
    let second =
        columns.list("rows").unwrap().iter().find(|row| row.as_list().unwrap()[0].as_int() == Some(2)).unwrap();
    assert_eq!(second.to_string(), "[2,0.4,0,null]");
    let queue = server.get("/api/queue");
    let queue = queue.list("queue").unwrap();
    assert_eq!(queue.iter().filter_map(|one| one.int("run")).collect::<Vec<_>>(), [4, 5]);
    assert_eq!((queue[0].int("priority"), numbers(&queue[1], "after")), (Some(2), vec![4.0]));
    assert!(server.get("/api/hosts").list("hosts").is_some());
    assert!(server.get("/api/runs/4/history").get("series").is_some());
    assert!(server.get("/api/runs/4/resources").get("series").is_some());
}

#[test]
fn a_spike_is_never_lost() {
    let place = with_runs("web-spike");
    let y = |n: u32| {
        if n == 3456 {
            "99".into()
        } else if n == 777 {
            "\"NaN\"".into()
        } else {
            format!("0.{}", n % 10)
        }
    };
    let line = |n: u32| {
        format!("{{\"t\":\"2026-11-26T03:{:02}:{:02}Z\",\"step\":{n},\"cost\":{}}}\n", n / 60 % 60, n % 60, y(n))
    };
    fs::write(place.dir.join("spool/runs/1/history.jsonl"), (0..3600).map(line).collect::<String>()).unwrap();
    let server = Server::start(&place, &["--listen", "127.0.0.1:0"]);
    let history = server.get("/api/runs/1/history?points=100");
    let series = history.get("series").and_then(|series| series.get("cost")).unwrap();
    let curves = server.get("/api/curves?runs=1&y=cost&x=step&points=100");
    let curve = &curves.list("curves").unwrap()[0];
    for (steps, values) in [("step", series), ("x", curve)].map(|(x, from)| (numbers(from, x), numbers(from, "y"))) {
        assert!(steps.len() == values.len() && (50..=100).contains(&steps.len()), "{}", steps.len());
        let at = |step: f64| steps.iter().position(|s| *s == step).map(|at| values[at]);
        assert!(at(3456.0) == Some(99.0) && at(777.0).is_some_and(f64::is_nan));
        assert!(at(0.0).is_some() && at(3599.0).is_some());
    }
    assert_eq!(numbers(series, "t").last(), Some(&3599.0));
    let whole = server.get("/api/runs/1/history?points=5000");
    assert_eq!(numbers(whole.get("series").and_then(|s| s.get("cost")).unwrap(), "y").len(), 3600);
}

#[test]
fn what_is_used() {
    let place = with_runs("web-used");
    let write = |name: &str, text: &str| fs::write(place.dir.join("spool").join(name), text).unwrap();
    let now = nn::base::time::Time::now();
    write(
        "hosts/box.json",
        &format!(
            "{{\"host\":\"box\",\"t\":\"{now}\",\"cores\":4,\"cpu_percent\":200,\"ram\":1000,\"ram_available\":250,\"disk_free\":7,\
             \"gpus\":[{{\"index\":0,\"name\":\"A\",\"memory\":80,\"memory_used\":20,\"utilisation\":90,\"temperature\":null}}]}}\n"
        ),
    );
    write("hosts/old.json", "{\"host\":\"old\",\"t\":\"2020-01-01T00:00:00Z\",\"cores\":4}\n");
    let line = |second: u32, cpu: u32| {
        format!(
            "{{\"t\":\"2026-11-26T03:00:{second:02}Z\",\"cpu_percent\":{cpu},\"rss\":100,\
             \"gpus\":[{{\"uuid\":\"G\",\"memory\":5,\"utilisation\":50}}]}}\n"
        )
    };
    write("runs/1/resources.jsonl", &format!("{}nonsense\n{}{{\"t\":", line(0, 50), line(10, 150)));
    let server = Server::start(&place, &["--listen", "127.0.0.1:0"]);
    let hosts = server.get("/api/hosts");
    let [host] = hosts.list("hosts").unwrap() else { panic!("{hosts}") };
    assert_eq!(
        (host.str("host"), host.num("cpu"), host.int("cpus"), host.int("workers")),
        (Some("box"), Some(0.5), Some(4), Some(0))
    );
    assert_eq!(host.get("ram").map(Value::to_string).as_deref(), Some("{\"used\":750,\"total\":1000}"));
    let gpu = host.list("gpus").unwrap()[0].to_string();
    assert_eq!(gpu, "{\"index\":0,\"name\":\"A\",\"util\":0.9,\"used\":20,\"total\":80}");
    assert_eq!(host.get("history").map(|history| numbers(history, "gpu")), Some(vec![0.9]));
    let used = server.get("/api/runs/1/resources");
    let used = used.get("series").unwrap();
    let y = |name: &str| numbers(used.get(name).unwrap(), "y");
    assert_eq!((y("cpu"), y("ram"), y("gpu0")), (vec![0.5, 1.5], vec![100.0, 100.0], vec![0.5, 0.5]));
    assert_eq!(numbers(used.get("cpu").unwrap(), "t"), [0.0, 10.0]);
}

#[test]
fn what_is_new() {
    let place = with_runs("web-new");
    let server = Server::start(&place, &["--listen", "127.0.0.1:0"]);
    let version = server.get("/api/runs").int("version").unwrap();
    sh(
        &place,
        "nn-queue cancel 4; nn-queue note remark 1; nn-queue add -n sixth -- true; rm -r spool/failed/0000003* spool/runs/3",
    );
    let path = format!("/api/runs?since={version}");
    let has = |value: &Value, run: i64, key: &str, word: &str| {
        value.list("runs").unwrap().iter().any(|row| row.int("run") == Some(run) && row.str(key) == Some(word))
    };
    let news = server.until(&path, |news| {
        has(news, 1, "note", "remark") && has(news, 4, "state", "cancelled") && has(news, 6, "name", "sixth")
    });
    assert!(!has(&news, 2, "state", "done"), "it has not changed");
    server.until(&path, |news| numbers(news, "gone") == [3.0]);
    // A version of another server, or one too old, gets all.
    assert_eq!(server.get("/api/runs?since=3").list("runs").map(<[Value]>::len), Some(5));
}

/// Reads a stream of events until one is such.
fn await_event(stream: &mut impl BufRead, name: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let (mut event, mut line) = (String::new(), String::new());
    loop {
        line.clear();
        assert!(stream.read_line(&mut line).unwrap() > 0, "the stream ended");
        if let Some(name) = line.trim_end().strip_prefix("event: ") {
            event = name.to_string();
        } else if let Some(data) = line.trim_end().strip_prefix("data: ").filter(|_| event == name) {
            let value = Value::parse(data).unwrap();
            if is_so(&value) {
                return value;
            }
        }
    }
}

#[test]
fn events_come_as_they_happen() {
    let place = with_runs("web-live");
    let server = Server::start(&place, &["--listen", "127.0.0.1:0"]);
    let version = server.get("/api/runs").int("version").unwrap();
    let listen = |path: &str| {
        let mut socket = server.connect();
        write!(socket, "GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", server.address).unwrap();
        BufReader::new(socket)
    };
    let mut all = listen(&format!("/api/live?since={version}"));
    sh(
        &place,
        "nn-queue add -n live -p epochs=4 -- sh -c 'until [ -e go ]; do sleep 0.05; done; echo epoch 1: cost 5
            until [ -e end ]; do sleep 0.05; done; echo epoch 2: cost 4; exit 4'
        nn-queue cancel 4 5
        (nn-queue work -q >/dev/null 2>&1 &)",
    );
    let is = |value: &Value, state: &str| {
        let rows = value.list("runs").unwrap();
        rows.iter().any(|row| row.int("run") == Some(6) && row.str("state") == Some(state))
    };
    await_event(&mut all, "runs", |value| is(value, "running"));
    let (mut one, mut other) = (listen("/api/live?run=6"), listen("/api/live?run=6"));
    // Once a stream has begun, what comes is told.
    for stream in [&mut one, &mut other] {
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            stream.read_line(&mut line).unwrap();
        }
    }
    fs::write(place.dir.join("go"), "").unwrap();
    let point = await_event(&mut one, "points", |_| true);
    assert_eq!(point.list("points").unwrap()[0].num("cost"), Some(5.0));
    let row = await_event(&mut all, "runs", |value| value.to_string().contains("\"progress\":0.25"));
    assert!(row.to_string().contains("\"at\":{\"epoch\":1}"), "{row}");
    fs::write(place.dir.join("end"), "").unwrap();
    let log = await_event(&mut one, "log", |part| part.str("text") == Some("epoch 2: cost 4\n"));
    assert_eq!(log.int("to"), log.int("size"));
    await_event(&mut other, "event", |event| event.str("event") == Some("ended"));
    let end = await_event(&mut all, "runs", |value| is(value, "failed"));
    // Who comes again with the version of the last event has missed nothing.
    drop(all);
    let mut again = listen(&format!("/api/live?since={version}"));
    await_event(&mut again, "runs", |value| is(value, "failed"));
    assert!(end.int("version") > Some(version));
}

#[test]
fn nothing_is_done_while_nobody_looks() {
    let place = with_runs("web-idle");
    let server = Server::start(&place, &["--listen", "127.0.0.1:0"]);
    server.get("/api/runs");
    let woken = || -> u64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", server.child.id())).unwrap();
        let status = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("status")).unwrap());
        let count = |text: String| {
            let line = text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            line.and_then(|n| n.trim().parse::<u64>().ok()).unwrap()
        };
        status.map(count).sum()
    };
    // The connection before may still have to be ended.
    std::thread::sleep(Duration::from_millis(500));
    let before = woken();
    std::thread::sleep(Duration::from_secs(3));
    let times = woken() - before;
    assert!(times <= 2, "woken {times} times in 3 s");
}

#[test]
fn what_is_done_to_runs() {
    let place = with_runs("web-act");
    let token = with_token(&place);
    let server = Server::start(&place, &["--listen", "127.0.0.1:0", "--token-file", &token]);
    assert_eq!(server.get("/api/about").get("write"), Some(&Value::Bool(true)));
    let state = |run: u64| server.get(&format!("/api/runs/{run}")).str("state").unwrap().to_string();
    for (path, run, expected) in
        [("hold", 4, "held"), ("release", 4, "queued"), ("cancel", 4, "cancelled"), ("retry", 3, "queued")]
    {
        let reply = server.post(&format!("/api/runs/{run}/{path}"), "");
        assert_eq!((reply.status, state(run).as_str()), (200, expected), "{path}: {}", reply.body);
        assert!(reply.body.starts_with("{\"ok\":true,\"said\":\""), "{}", reply.body);
    }
    let note = r#"{"note":"--json -x $(id) 'ä'\nline"}"#;
    assert_eq!(server.post("/api/runs/1/note", note).status, 200);
    assert_eq!(server.get("/api/runs/1").str("note"), Some("--json -x $(id) 'ä'\nline"));
    let refused = server.post("/api/runs/1/cancel", "");
    assert!(refused.status == 409 && refused.body.contains("\"error\":"), "{}", refused.body);
    assert_eq!(server.post("/api/runs/99/cancel", "").status, 404);
    assert_eq!(server.post("/api/runs/1/note", "{\"note\":3}").status, 400);
    assert_eq!(server.post("/api/runs/1/note", "{\"note\":").status, 400);
}

#[test]
fn who_may_what() {
    let place = with_runs("web-may");
    let token = with_token(&place);
    let json = "Content-Type: application/json\r\n";
    let reader = Server::start(&place, &["--listen", "127.0.0.1:0"]);
    let bearer = format!("{json}Authorization: Bearer {TOKEN}\r\n");
    let reply = reader.ask("POST /api/runs/4/cancel", &bearer, "{}");
    assert!(reply.status == 403 && reply.body.contains("--token-file"), "{}", reply.body);
    drop(reader);
    let server = Server::start(&place, &["--listen", "127.0.0.1:0", "--token-file", &token]);
    let cancel = |headers: String| server.ask("POST /api/runs/4/cancel", &headers, "{}").status;
    assert_eq!(cancel(json.into()), 401);
    assert_eq!(cancel(format!("{json}Authorization: Bearer {TOKEN}x\r\n")), 403);
    assert_eq!(cancel(format!("Content-Type: text/plain\r\nAuthorization: Bearer {TOKEN}\r\n")), 415);
    assert_eq!(cancel(format!("{bearer}Origin: http://evil.example\r\n")), 403);
    assert_eq!(server.get("/api/runs/4").str("state"), Some("queued"));
    assert_eq!(cancel(format!("{bearer}Origin: http://{}\r\n", server.address)), 200);
    drop(server);

    let open = Server::start(&place, &["--listen", "0.0.0.0:0", "--token-file", &token, "--host", "box"]);
    let get = |headers: &str| open.ask("GET /api/runs", headers, "").status;
    assert_eq!((get(""), open.ask("GET /", "", "").status), (401, 200));
    let log_in = |body: &str| open.ask("POST /api/login", json, body);
    assert_eq!(log_in("{\"token\":\"wrong\"}").status, 403);
    let reply = log_in(&format!("{{\"token\":\"{TOKEN}\"}}"));
    let cookie = reply.head.lines().find_map(|line| line.strip_prefix("Set-Cookie: ")).unwrap().to_string();
    assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Path=/") && !cookie.contains(TOKEN), "{cookie}");
    let cookie = format!("Cookie: {}\r\n", cookie.split(';').next().unwrap());
    assert_eq!((get(&cookie), get(&format!("Authorization: Bearer {TOKEN}\r\n"))), (200, 200));
    let act = open.ask("POST /api/runs/1/note", &format!("{json}{cookie}"), "{\"note\":\"x\"}").status;
    assert_eq!(act, 401, "a cookie does nothing");
    let named = |host: &str| Reply::read(&open.raw(format!("GET / HTTP/1.0\r\nHost: {host}\r\n\r\n"))).status;
    assert_eq!((named("box"), named("evil.example"), named("localhost")), (200, 421, 421));
}

/// What another user of this machine is answered.
fn as_somebody_else(place: &Place, server: &Server, headers: &str) -> String {
    let script = "import os, socket, sys
os.setgid(65534)
os.setuid(65534)
host, port = sys.argv[1].split(':')
s = socket.create_connection((host, int(port)))
s.sendall(('GET /api/runs HTTP/1.1\\r\\nHost: %s\\r\\nConnection: close\\r\\n%s\\r\\n' % (sys.argv[1], sys.argv[2])).encode())
print(s.recv(100).decode().split()[1])";
    let output = output_within(place.command("python3").args(["-c", script, &server.address, headers]), LIMIT);
    String::from_utf8_lossy(&output.stdout).trim().to_string()
}

#[test]
fn other_users_of_this_machine() {
    let is_root = nn::base::sys::effective_user_id() == 0;
    if !is_root || std::process::Command::new("python3").arg("--version").output().is_err() {
        return say("skipped: other_users_of_this_machine: needs root and python3 to be another user");
    }
    let place = with_runs("web-others");
    let server = Server::start(&place, &["--listen", "127.0.0.1:0"]);
    assert_eq!(as_somebody_else(&place, &server, ""), "403");
    server.get("/api/runs");
    let token = with_token(&place);
    let server = Server::start(&place, &["--listen", "127.0.0.1:0", "--token-file", &token]);
    assert_eq!(as_somebody_else(&place, &server, ""), "401");
    assert_eq!(as_somebody_else(&place, &server, &format!("Authorization: Bearer {TOKEN}\r\n")), "200");
}

#[test]
fn what_it_refuses_to_start_with() {
    let place = with_runs("web-start");
    let token = with_token(&place);
    let fails = |options: &[&str], words: &str| {
        let output = output_within(place.command("nn-web").args(options), LIMIT);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && said.contains(words), "{options:?}: {said}");
        assert!(output.stdout.is_empty());
    };
    fails(&["--listen", "0.0.0.0:0"], "--token-file");
    fails(&["--listen", "here"], "no address");
    fails(&["--token-file", "missing"], "No such file");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o640)).unwrap();
    fails(&["--token-file", "token"], "chmod 600");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&token, "short\n").unwrap();
    fails(&["--token-file", "token"], "at least 16");
    let server = Server::start(&place, &["--listen", "127.0.0.1:0"]);
    fails(&["--listen", &server.address], "is taken");
}

#[test]
fn it_ends_when_told_to() {
    let place = with_runs("web-end");
    for signal in ["TERM", "INT"] {
        let mut server = Server::start(&place, &["--listen", "127.0.0.1:0"]);
        let _silent = server.connect();
        let mut live = server.connect();
        write!(live, "GET /api/live HTTP/1.1\r\nHost: {}\r\n\r\n", server.address).unwrap();
        live.read_exact(&mut [0; 100]).unwrap();
        sh(&place, &format!("kill -{signal} {}", server.child.id()));
        let since = Instant::now();
        let status = loop {
            match server.child.try_wait().unwrap() {
                Some(status) => break status,
                None => assert!(since.elapsed() < Duration::from_secs(5), "it goes on"),
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        assert_eq!(status.code(), Some(0));
    }
}

#[test]
fn the_same_as_files() {
    let place = with_runs("web-export");
    let export = |words: &str| {
        output_within(place.command("sh").args(["-c", &format!("umask 022; nn-web --export {words}")]), LIMIT)
    };
    assert!(export("out").status.success());
    let read = |name: &str| fs::read_to_string(place.dir.join("out").join(name)).unwrap();
    assert!(read("index.html").contains("<meta name=\"nn-data\" content=\"files\">"));
    let data = |name: &str| {
        let text = read(&format!("data/{name}.js"));
        let json = text.strip_prefix(&format!("nn.put(\"{name}\", ")).and_then(|text| text.strip_suffix(");\n"));
        Value::parse(json.unwrap_or_else(|| panic!("{name}: {text}"))).unwrap()
    };
    assert_eq!(data("runs").list("runs").map(<[Value]>::len), Some(5));
    assert_eq!(data("runs/3").int("good"), Some(2));
    assert!(data("runs/1/history").get("series").and_then(|series| series.get("cost")).is_some());
    assert!(data("runs/1/log").str("text").unwrap().contains("cost 0.8"));
    assert_eq!(data("queue").list("queue").map(<[Value]>::len), Some(2));
    assert!(data("hosts").list("hosts").is_some() && data("runs/1/resources").get("series").is_some());
    assert_eq!(data("about").get("write"), Some(&Value::Bool(false)));
    let mode = |name: &str| fs::metadata(place.dir.join("out").join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("data/runs/1/log.js"), mode("index.html"), mode("data")), (0o644, 0o644, 0o755));
    // Again, of fewer runs: what is no longer told of is gone, and what is not the export's is not touched.
    fs::write(place.dir.join("out/data/runs/notes.txt"), "mine").unwrap();
    assert!(export("out 1-2").status.success());
    assert_eq!(data("runs").list("runs").map(<[Value]>::len), Some(2));
    assert!(!place.dir.join("out/data/runs/3.js").exists() && !place.dir.join("out/data/runs/3").exists());
    assert!(place.dir.join("out/data/runs/notes.txt").exists() && place.dir.join("out/data/runs/2.js").exists());
    // What an export that was killed left goes when it is old; what another is writing stays.
    sh(&place, "touch out/data/tmp/.new.tmp; touch -d '2 days ago' out/data/tmp/.old.tmp");
    assert!(export("out").status.success());
    assert_eq!(sh(&place, "find out -name '*.tmp'"), "out/data/tmp/.new.tmp");
    fs::create_dir(place.dir.join("home")).unwrap();
    fs::write(place.dir.join("home/thesis.tex"), "").unwrap();
    let refused = export("home");
    assert!(refused.status.code() == Some(2) && !place.dir.join("home/data").exists());
}
