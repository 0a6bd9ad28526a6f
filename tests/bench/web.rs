//! nn-web from its start: when the first page is there, what it takes with 200 runs of 1,000 points, and how soon it lists
//! ten thousand runs; beside TensorBoard and MLflow's page over the same 200 runs, where a python has them.

use super::{Bench, ms, status};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const WEB: &str = env!("CARGO_BIN_EXE_nn-web");
const LOG: &str = env!("CARGO_BIN_EXE_nn-log");
const POINTS: usize = 1000;
/// The longest that a server is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server that runs until it is dropped.
struct Server {
    child: Child,
    started: Instant,
}

impl Server {
    fn start(command: &mut Command) -> Server {
        let started = Instant::now();
        Server { child: command.spawn().unwrap(), started }
    }

    /// The time from its start to the end of its first page, and the memory of its processes then.
    fn first_page(&self, port: u16) -> (Duration, f64) {
        while get(port, "/").is_none() {
            assert!(self.started.elapsed() < PATIENCE, "no page on port {port}");
            std::thread::sleep(Duration::from_millis(2));
        }
        (self.started.elapsed(), memory(self.child.id()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new("pkill").args(["-P", &self.child.id().to_string()]).status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Megabytes that a process and its children hold.
fn memory(pid: u32) -> f64 {
    let children = Command::new("pgrep").args(["-P", &pid.to_string()]).output().unwrap().stdout;
    let children = String::from_utf8(children).unwrap();
    let below: f64 = children.lines().map(|child| memory(child.parse().unwrap())).sum();
    status(pid, "VmRSS:") as f64 / 1024.0 + below
}

/// A whole answer to a GET, if it is a good one.
fn get(port: u16, path: &str) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    answer.starts_with(b"HTTP/1.1 200").then_some(answer)
}

/// Runs that are done, made by hand as nn-spool(5) says; with a history if they have points.
fn runs(spool: &Path, count: usize, points: usize) {
    for run in 1..=count {
        let dir = spool.join(format!("runs/{run}"));
        fs::create_dir(&dir).unwrap();
        let job = format!(
            "{{\"argv\":[\"train\"],\"cwd\":\"/\",\"name\":\"rnn-{run}\",\"group\":\"grid\",\"params\":{{\"lr\":0.{run},\"seed\":{run}}}}}\n"
        );
        fs::write(dir.join("job.json"), job).unwrap();
        let metrics = "{\"valid_cost\":{\"first\":3,\"last\":0.3,\"min\":0.3,\"max\":3}}";
        let result =
            format!("{{\"generation\":1,\"state\":\"done\",\"duration\":60,\"exit\":0,\"metrics\":{metrics}}}\n");
        fs::write(dir.join("result.json"), result).unwrap();
        if points > 0 {
            let point = |i: usize| {
                let cost = 3.0 * (-(i as f64) / 200.0).exp() + 0.3 + (i * run % 7) as f64 / 100.0;
                format!(
                    "{{\"t\":\"2026-11-22T23:{:02}:{:02}.000Z\",\"epoch\":{i},\"valid_cost\":{cost:.6}}}\n",
                    i / 60 % 60,
                    i % 60
                )
            };
            fs::write(dir.join("history.jsonl"), (1..=points).map(point).collect::<String>()).unwrap();
        }
        fs::write(spool.join(format!("done/{run:07}.1")), "").unwrap();
    }
}

/// nn-web on a spool, and its port.
fn serve(b: &Bench, spool: &str) -> (Server, u16) {
    let mut command = b.command(WEB, spool);
    let mut server = Server::start(command.args(["--listen", "127.0.0.1:0"]).stdout(Stdio::piped()));
    let mut line = String::new();
    BufReader::new(server.child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.trim().trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap();
    (server, port)
}

/// What `mlflow ui` reads: the same curves in its file store.
fn mlruns(b: &Bench, count: usize) {
    let top = b.dir.join("mlruns/1");
    let meta = |dir: &Path, text: &str| {
        fs::create_dir_all(dir).unwrap();
        fs::write(dir.join("meta.yaml"), text).unwrap();
    };
    let place = top.display();
    meta(&top, &format!("artifact_location: {place}\nexperiment_id: '1'\nlifecycle_stage: active\nname: grid\n"));
    for run in 1..=count {
        let id = format!("{run:032x}");
        let dir = top.join(&id);
        let text = format!(
            "artifact_uri: {place}/{id}/artifacts\nend_time: 1790000000000\nentry_point_name: ''\nexperiment_id: '1'\nlifecycle_stage: active\nrun_id: {id}\nrun_name: rnn-{run}\nrun_uuid: {id}\nsource_name: ''\nsource_type: 4\nsource_version: ''\nstart_time: 1789990000000\nstatus: 3\ntags: []\nuser_id: me\n"
        );
        meta(&dir, &text);
        for folder in ["params", "metrics", "tags", "artifacts"] {
            fs::create_dir_all(dir.join(folder)).unwrap();
        }
        fs::write(dir.join("params/lr"), format!("0.{run}")).unwrap();
        let line = |i: usize| format!("{} {:.6} {i}\n", 1_789_990_000_000_u64 + i as u64, 3.0 / i as f64);
        fs::write(dir.join("metrics/valid_cost"), (1..=POINTS).map(line).collect::<String>()).unwrap();
    }
}

/// What others take for the same.
fn others(b: &Bench) -> String {
    let python = std::env::var("NN_BENCH_PYTHON").unwrap_or_default();
    let bin = Path::new(&python).parent().map(Path::to_path_buf).unwrap_or_default();
    let mut told = Vec::new();
    let mut add = |name: &str, port: u16, args: &[&str]| {
        let mut command = b.command(&bin.join(name).to_string_lossy(), "s-web");
        command.args(args).args(["--host", "127.0.0.1", "--port", &port.to_string()]).stderr(Stdio::null());
        let path = std::env::join_paths([bin.clone(), "/usr/bin".into(), "/bin".into()]).unwrap();
        let server = Server::start(command.env("PATH", path));
        let (time, megabytes) = server.first_page(port);
        told.push(format!("{name} {:.1} s, {megabytes:.0} MB", time.as_secs_f64()));
    };
    if bin.join("tensorboard").exists() {
        let mut export = b.command(LOG, "s-web");
        assert!(export.args(["export", "--tensorboard", "tb", "1-200"]).status().unwrap().success());
        add("tensorboard", 21_841, &["--logdir", "tb", "--load_fast", "false"]);
    }
    if bin.join("mlflow").exists() {
        mlruns(b, 200);
        add("mlflow", 21_842, &["ui", "--workers", "1", "--backend-store-uri", "mlruns"]);
    }
    if told.is_empty() {
        "NN_BENCH_PYTHON names a python that has tensorboard and mlflow".into()
    } else {
        told.join("; ")
    }
}

/// The rows.
pub fn measure(b: &mut Bench) {
    assert!(b.command("true", "s-web").status().unwrap().success());
    runs(&b.spool("s-web"), 200, POINTS);
    let (server, port) = serve(b, "s-web");
    let (time, _) = server.first_page(port);
    let begun = Instant::now();
    get(port, "/api/runs").unwrap();
    get(port, "/api/curves?runs=1-200&y=valid_cost&x=epoch&points=1000").unwrap();
    let curves = begun.elapsed();
    let megabytes = memory(server.child.id());
    drop(server);
    b.row("nn-web: from its start to its first page", format!("{:.1} ms", ms(time)), "< 50 ms", ms(time) < 50.0);
    b.row(
        "nn-web: list and curves of 200 runs of 1,000 points",
        format!("{:.0} ms", ms(curves)),
        "< 200 ms",
        ms(curves) < 200.0,
    );
    b.row("nn-web: memory then", format!("{megabytes:.1} MB"), "< 30 MB", megabytes < 30.0);
    println!("(others, to their first page over the same runs: {})", others(b));
    assert!(b.command("true", "s-web-many").status().unwrap().success());
    runs(&b.spool("s-web-many"), 10_000, 0);
    let (server, port) = serve(b, "s-web-many");
    let bytes = get(port, "/api/runs").unwrap().len();
    let time = server.started.elapsed();
    let what = format!("{:.0} ms ({:.1} MB)", ms(time), bytes as f64 / 1e6);
    b.row("nn-web: from its start to a list of 10,000 runs", what, "< 500 ms", ms(time) < 500.0);
}
