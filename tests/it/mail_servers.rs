//! nn-mail against real servers on loopback: Debian's Postfix and OpenSMTPD, each in a namespace of its own
//! (tests/servers/mail). What arrives is read by python's email package. Only with NN_MAIL_SERVERS=1, which
//! `scripts/test --all` sets, as root; skipped, by name, elsewhere.
//! Not tested here: TLS of OpenSMTPD, whose Debian 12 package fails in it whoever asks.

use crate::place::{Place, output_within, say, tests};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(120);

struct Server {
    child: Child,
    lines: BufReader<ChildStdout>,
    place: Place,
    port: u16,
}

impl Server {
    /// None, and said: it cannot be had here.
    fn start(kind: &str, offset: u16) -> Option<Server> {
        let skip = |why: &str| {
            say(&format!("skipped: mail-{kind}: {why}"));
            None
        };
        if std::env::var_os("NN_MAIL_SERVERS").is_none() {
            return skip("starts a mail server: only with scripts/test --all");
        }
        let place = Place::new(kind);
        // Below those that the system gives to clients.
        let port = 20_000 + offset + (std::process::id() % 600) as u16 * 10;
        let mut command = Command::new(tests().join("servers/mail"));
        command.arg(kind).arg(&place.dir).arg(port.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        if line != "ready\n" {
            let status = child.wait().unwrap();
            // Installed, it must start.
            if let Ok(said) = fs::read_to_string(place.dir.join("start.log")) {
                panic!("{kind}: {status}: {said}");
            }
            return skip("needs root, namespaces, openssl and Debian's packages");
        }
        assert!(place.command("nn-queue").arg("init").status().unwrap().success());
        Some(Server { child, lines, place, port })
    }

    fn mail(&self, port: u16, variables: &[(&str, &str)], script: &str) -> Output {
        let mut command = self.place.command("sh");
        command.args(["-c", script]).env("NN_MAIL_SERVER", format!("localhost:{}", self.port + port));
        command.env("NN_MAIL_FROM", "Mé <me@example.org>").env("NN_MAIL_CA_FILE", self.place.dir.join("ca.pem"));
        output_within(command.envs(variables.iter().copied()), LIMIT)
    }

    /// Runs a script that must say nothing and leave nothing unsent.
    fn sent(&self, port: u16, variables: &[(&str, &str)], script: &str) {
        let output = self.mail(port, variables, script);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.is_empty(), "{script}: {} {said}", output.status);
        assert_eq!(self.files("new"), Vec::<String>::new(), "{script}");
    }

    /// What python reads in the newest message, in which nothing is odd; waits for it to arrive.
    fn received(&self, so_many: usize) -> String {
        let text = self.read_newest(so_many);
        assert!(text.ends_with("odd: nothing\n"), "{text}");
        text
    }

    fn read_newest(&self, so_many: usize) -> String {
        let dir = self.place.dir.join("box/new");
        let begun = Instant::now();
        loop {
            let mut files: Vec<_> = fs::read_dir(&dir).unwrap().flatten().map(|e| e.path()).collect();
            assert!(files.len() <= so_many, "{} messages, {so_many} sent", files.len());
            if files.len() == so_many {
                files.sort_by_key(|path| path.metadata().and_then(|meta| meta.modified()).unwrap());
                let file = fs::File::open(files.last().unwrap()).unwrap();
                let mut python = Command::new("python3");
                python.arg(tests().join("servers/read.py")).args(self.newest_sent()).stdin(file);
                let output = python.output().unwrap();
                return String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
            }
            assert!(begun.elapsed() < LIMIT, "{} messages of {so_many}", files.len());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The message sent last, as it went out.
    fn newest_sent(&self) -> Option<PathBuf> {
        let dirs = ["sent", "failed"].map(|folder| self.place.dir.join("spool/mail").join(folder));
        let files = dirs.iter().filter_map(|dir| fs::read_dir(dir).ok()).flatten().flatten().map(|e| e.path());
        // A name begins with the time.
        files.max_by_key(|path| path.file_name().map(|name| name.to_os_string()))
    }

    fn files(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.place.dir.join("spool/mail").join(folder)).into_iter().flatten().flatten();
        entries.map(|e| e.file_name().into_string().unwrap()).collect()
    }

    /// What both servers must take.
    fn usual(&self) -> usize {
        self.sent(0, &[], "echo plain | nn-mail -s plain you@example.org they@example.org");
        let text = self.received(2);
        assert!(text.contains("to: you@example.org, they@example.org\ntext/plain - None 6 "), "{text}");
        self.sent(
            0,
            &[],
            "printf 'ünï\\n.\\n..dots\\nFrom me\\n' | nn-mail -s 'Ünïcode 🎉 subject' -a spool/version you@example.org",
        );
        let text = self.received(3);
        let body = "text: 'ünï\\n.\\n..dots\\nFrom me\\n'";
        assert!(text.contains("subject: Ünïcode 🎉 subject\n") && text.contains(body), "{text}");
        assert!(text.contains("text/plain attachment version 2 "), "{text}");
        let run = "nn-run -q -n tiny -- sh -c 'for i in 1 2 3 4 5 6; do echo \"epoch=$i valid_cost=0.$i\"; done'";
        self.sent(0, &[], &format!("{run} && nn-mail -r last you@example.org </dev/null"));
        let text = self.received(4);
        assert!(
            text.contains("multipart/related\nmultipart/alternative\ntext/plain")
                && text.contains("image/png inline curve.png "),
            "{text}"
        );
        self.sent(
            0,
            &[],
            "head -c 10000000 /dev/urandom >big.bin; echo big | nn-mail -s big -a big.bin you@example.org",
        );
        let text = self.received(5);
        let sum = self.mail(0, &[], "sha256sum big.bin | head -c 16");
        let sum = String::from_utf8_lossy(&sum.stdout).into_owned();
        assert!(text.contains(&format!("application/octet-stream attachment big.bin 10000000 {sum}")), "{text}");
        let output =
            self.mail(0, &[], "head -c 16000000 /dev/zero >huge; echo x | nn-mail -s huge -a huge you@example.org");
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("at most") && output.status.code() == Some(2),
            "{output:?}"
        );
        let output = self.mail(0, &[], "echo x | nn-mail -s x refused@example.org you@example.org");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("refused@example.org: the server says 550") && output.status.code() == Some(2), "{said}");
        assert_eq!(self.files("failed").len(), 2);
        self.received(6);
        6 + self.broken_off(6)
    }

    /// A connection that breaks in the middle of a message, and one that breaks when the message was taken, but before the
    /// answer came: nothing is lost, and sent twice is only what nobody can know of, which is said.
    fn broken_off(&self, before: usize) -> usize {
        let address = relay(self.port, |client, server| {
            let _ = std::io::copy(&mut client.take(3_000_000), server);
        });
        let script = "echo x | nn-mail -s cut -a big.bin you@example.org";
        let output = self.mail(0, &[("NN_MAIL_SERVER", &address)], script);
        assert!(String::from_utf8_lossy(&output.stderr).contains("in the middle of the message"), "{output:?}");
        assert_eq!(self.files("new").len(), 1);
        let output = self.mail(0, &[], "nn-mail --flush --all");
        assert!(output.status.success() && self.files("new").is_empty(), "{output:?}");
        assert!(self.received(before + 1).contains("attachment big.bin 10000000 "));
        let address = relay(self.port, until_taken);
        let output = self.mail(0, &[("NN_MAIL_SERVER", &address)], "echo x | nn-mail -s twice you@example.org");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("the message was handed over, but the server closed the connection"), "{said}");
        let id = |text: &str| text.lines().next().unwrap().to_string();
        let first = id(&self.read_newest(before + 2));
        let output = self.mail(0, &[], "nn-mail --flush --all");
        assert!(output.status.success() && self.files("new").is_empty(), "{output:?}");
        // The same id: whoever reads them both can tell, and most programs show one.
        assert!(first.starts_with("id: <nn.") && id(&self.received(before + 3)) == first, "{first}");
        3
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its standard input is the end of its namespace, and of all in it.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// The address of a relay to a port of this host, for one connection: answers are passed on until `forth`, which passes on
/// what the client says, is over; then both sides are closed.
fn relay(port: u16, forth: fn(&mut TcpStream, &mut TcpStream)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        forth(&mut client, &mut server);
        for stream in [client, server] {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    });
    address
}

/// Passes on a small message whole, and lets the server take it while the client hears no more.
fn until_taken(client: &mut TcpStream, server: &mut TcpStream) {
    let (mut piece, mut said) = ([0; 1 << 16], Vec::new());
    loop {
        let n = client.read(&mut piece).unwrap();
        said.extend_from_slice(&piece[..n]);
        let whole = said.ends_with(b"\r\n.\r\n");
        if whole {
            let _ = client.shutdown(std::net::Shutdown::Both);
        }
        server.write_all(&piece[..n]).unwrap();
        if whole {
            // Its answer goes nowhere; that it has taken the message shows in the box.
            std::thread::sleep(Duration::from_secs(2));
            return;
        }
    }
}

#[test]
fn opensmtpd() {
    let Some(server) = Server::start("opensmtpd", 0) else { return };
    server.usual();
}

#[test]
fn postfix() {
    let Some(mut server) = Server::start("postfix", 6000) else { return };
    let mut count = server.usual();
    let password = [("NN_MAIL_USER", "nn@localhost"), ("NN_MAIL_PASSWORD_COMMAND", "echo secret")];
    server.sent(1, &password, "seq 200000 | sed 's/^/RQk./' | nn-mail -s starttls you@example.org");
    count += 1;
    server.received(count);
    server.sent(
        2,
        &[("NN_MAIL_TLS", "tls")],
        "head -c 3000000 /dev/zero >zeros; echo x | nn-mail -s tls -a zeros you@example.org",
    );
    count += 1;
    assert!(server.received(count).contains("attachment zeros 3000000 "));
    for (port, variables, words) in [
        (3, &[("NN_MAIL_TLS", "tls")][..], "certificate has expired"),
        (4, &[("NN_MAIL_TLS", "tls")], "ostname mismatch"),
        (5, &[("NN_MAIL_TLS", "tls")], "unable to get local issuer"),
        (2, &[("NN_MAIL_TLS", "tls"), ("NN_MAIL_CA_FILE", "")], "unable to get local issuer"),
        (0, &[("NN_MAIL_TLS", "starttls")], "does not offer STARTTLS"),
        (1, &[("NN_MAIL_USER", "nn@localhost"), ("NN_MAIL_PASSWORD_COMMAND", "echo wrong")], "535"),
    ] {
        let output = server.mail(port, variables, "echo x | nn-mail -s bad you@example.org; rm spool/mail/new/*");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(words), "{words}: {said}");
    }
    server.sent(0, &[], "nn-mail --flush --all");
    // 8-bit addresses, where the server takes them.
    server.sent(0, &[], "echo x | nn-mail -s utf8 pelé@example.org");
    count += 1;
    assert!(server.read_newest(count).contains("to: pelé@example.org\n"));
    // Greylisted, then taken, once.
    let output = server.mail(0, &[], "echo x | nn-mail -s grey grey@example.org");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("greylisted, come back; the message is kept"),
        "{output:?}"
    );
    server.child.stdin.as_mut().unwrap().write_all(b"grey\n").unwrap();
    server.lines.read_line(&mut String::new()).unwrap();
    let begun = Instant::now();
    while !server.files("new").is_empty() {
        assert!(begun.elapsed() < LIMIT);
        server.mail(0, &[], "nn-mail --flush --all");
    }
    count += 1;
    assert!(server.received(count).contains("subject: grey\n"));
}
