//! nn-mail against servers that misbehave: scripted here, one for each way. Whatever a server does, nn-mail ends by itself,
//! with little memory, says what was wrong, and the message is still in mail/new; a second copy is sent only where no
//! answer came to a whole message, and it is the same to the byte.
//! Not tested here: a server that accepts and then loses.

use crate::place::{Place, output_within};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Output;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Far longer than anything here may take.
const LIMIT: Duration = Duration::from_secs(90);

/// What a server does, step by step, until it stops.
pub type Act = fn(&mut Talk);

/// One side of a dialogue, and all bodies that came.
pub struct Talk {
    pub stream: TcpStream,
    reader: BufReader<TcpStream>,
    bodies: Arc<Mutex<Vec<String>>>,
}

impl Talk {
    /// Says something; a client that has gone is not the server's problem.
    pub fn say(&mut self, text: &str) -> bool {
        self.stream.write_all(text.replace('\n', "\r\n").as_bytes()).is_ok()
    }

    /// One line of the client; empty at its end.
    pub fn hear(&mut self) -> String {
        let mut line = String::new();
        let _ = self.reader.read_line(&mut line);
        line
    }

    /// Hears a command and answers it.
    pub fn answer(&mut self, text: &str) -> String {
        let line = self.hear();
        self.say(text);
        line
    }

    pub fn greet(&mut self, offers: &str) {
        self.say("220 here\n");
        self.answer(&format!("250-here\n{offers}250 HELP\n"));
    }

    /// Takes the lines of a body.
    pub fn body(&mut self) {
        let mut body = String::new();
        loop {
            let line = self.hear();
            if line.is_empty() || line == ".\r\n" {
                break;
            }
            body += &line;
        }
        self.bodies.lock().unwrap().push(body);
    }

    pub fn until_data(&mut self) {
        self.greet("");
        self.answer("250 ok\n");
        self.answer("250 ok\n");
        self.answer("354 go on\n");
    }
}

/// A server that does the same in every dialogue.
pub struct Server {
    pub port: u16,
    pub bodies: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn new(act: Act) -> Server {
        Server::with(act)
    }

    pub fn with(act: impl Fn(&mut Talk) + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, bodies) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
        let (theirs, act) = (bodies.clone(), Arc::new(act));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let reader = BufReader::new(stream.try_clone().unwrap());
                let mut talk = Talk { stream, reader, bodies: theirs.clone() };
                let act = act.clone();
                std::thread::spawn(move || {
                    act(&mut talk);
                    // An end, not a reset: what was said last arrives.
                    let _ = talk.stream.shutdown(std::net::Shutdown::Write);
                    let _ = talk.stream.set_read_timeout(Some(Duration::from_secs(5)));
                    let _ = std::io::copy(&mut talk.reader, &mut std::io::sink());
                });
            }
        });
        Server { port, bodies }
    }
}

pub fn place(name: &str) -> Place {
    let place = Place::new(name);
    assert!(place.command("nn-queue").arg("init").output().unwrap().status.success());
    place
}

fn mail(place: &Place, server: &Server, args: &str, tls: &str) -> Output {
    mail_with(place, server.port, args, &[("NN_MAIL_TLS", tls)])
}

/// Runs nn-mail with 64 MB of address space.
pub fn mail_with(place: &Place, port: u16, args: &str, variables: &[(&str, &str)]) -> Output {
    let script = format!("ulimit -v 65536; echo text | nn-mail {args}");
    let mut command = place.command("sh");
    command.args(["-c", &script]).env("NN_MAIL_SERVER", format!("127.0.0.1:{port}"));
    command.env("NN_MAIL_TIMEOUT", "1s").env("NN_MAIL_FROM", "me@example.org");
    output_within(command.envs(variables.iter().copied()), LIMIT)
}

pub fn files(place: &Place, folder: &str) -> Vec<String> {
    let dir = place.dir.join("spool/mail").join(folder);
    fs::read_dir(dir).unwrap().flatten().map(|e| e.file_name().into_string().unwrap()).collect()
}

/// The message is kept, and the warning says these words.
fn kept(name: &str, act: Act, tls: &str, words: &str) {
    let place = place("kept");
    let server = Server::new(act);
    let output = mail(&place, &server, "-s x you@example.org", tls);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains(words), "{name}: {}: {said}", output.status);
    let new = files(&place, "new");
    assert!(new.len() == 1 && !new[0].contains('~'), "{name}: {new:?}");
    assert_eq!(files(&place, "tries").len(), 1, "{name}");
    assert!(files(&place, "sent").is_empty() && files(&place, "failed").is_empty(), "{name}");
}

#[test]
fn servers_without_measure() {
    kept(
        "drip",
        |t| {
            while t.say("2") {
                std::thread::sleep(Duration::from_millis(20))
            }
        },
        "auto",
        "the server",
    );
    kept(
        "drip of lines",
        |t| {
            t.say("220 here\n");
            t.hear();
            while t.say("250-x\n") {
                std::thread::sleep(Duration::from_millis(20));
            }
        },
        "auto",
        "the server",
    );
    kept(
        "a line of 100 MB",
        |t| {
            let mb = "x".repeat(1 << 20);
            while t.say(&mb) {}
        },
        "auto",
        "more than 4096 bytes",
    );
    kept(
        "10,000 lines",
        |t| {
            t.say(&"220-x\n".repeat(10_000));
        },
        "auto",
        "more than 256 lines",
    );
    kept(
        "NULs",
        |t| {
            t.say("220 here\n");
            t.answer("\0\0\0\n");
            t.hear();
        },
        "auto",
        "no answer of a mail server",
    );
    kept(
        "silence",
        |t| {
            let _ = t.stream.read(&mut [0; 100]);
            std::thread::sleep(Duration::from_secs(3));
        },
        "auto",
        "in time",
    );
    kept(
        "another protocol",
        |t| {
            t.say("HTTP/1.1 400 Bad Request\n");
        },
        "auto",
        "no answer of a mail server",
    );
}

#[test]
fn servers_that_close() {
    kept("at once", |_| {}, "auto", "closed");
    kept(
        "after the greeting",
        |t| {
            t.say("220 here\n");
        },
        "auto",
        "closed",
    );
    kept("after EHLO", |t| t.greet(""), "auto", "closed");
    kept(
        "after MAIL",
        |t| {
            t.greet("");
            t.answer("250 ok\n");
        },
        "auto",
        "closed",
    );
    kept(
        "after RCPT",
        |t| {
            t.greet("");
            t.answer("250 ok\n");
            t.answer("250 ok\n");
        },
        "auto",
        "closed",
    );
    kept("after DATA", |t| t.until_data(), "auto", "kept");
    kept(
        "in the middle",
        |t| {
            t.until_data();
            t.hear();
        },
        "auto",
        "kept",
    );
    kept(
        "going away",
        |t| {
            t.greet("");
            t.answer("421 4.3.2 going down\n");
        },
        "auto",
        "421 4.3.2 going down",
    );
}

#[test]
fn not_now() {
    kept(
        "busy",
        |t| {
            t.say("421 busy\n");
        },
        "auto",
        "421 busy",
    );
    kept(
        "MAIL",
        |t| {
            t.greet("");
            t.answer("451 later\n");
            t.answer("250 ok\n");
            t.hear();
        },
        "auto",
        "451 later",
    );
    kept(
        "RCPT",
        |t| {
            t.greet("");
            t.answer("250 ok\n");
            t.answer("450 grey\n");
            t.answer("250 ok\n");
            t.answer("221 bye\n");
        },
        "auto",
        "450 grey",
    );
    kept(
        "the end",
        |t| {
            t.until_data();
            t.body();
            t.answer("221 bye\n");
        },
        "auto",
        "in time",
    );
    kept(
        "after the end",
        |t| {
            t.until_data();
            t.body();
            t.say("452 full\n");
            t.answer("221 bye\n");
        },
        "auto",
        "452 full",
    );
}

#[test]
fn tls_is_not_talked_out_of() {
    kept("stripped", |t| t.greet(""), "starttls", "does not offer STARTTLS");
    kept(
        "refused",
        |t| {
            t.greet("250-STARTTLS\n");
            t.answer("454 not now\n");
        },
        "starttls",
        "454 not now",
    );
    kept(
        "injected",
        |t| {
            t.greet("250-STARTTLS\n");
            t.answer("220 go\n250 injected\n");
            t.hear();
        },
        "starttls",
        "before TLS",
    );
    if std::process::Command::new("openssl").arg("version").output().is_err() {
        crate::place::say("skipped: mail-tls: no openssl");
        return;
    }
    kept(
        "plain after all",
        |t| {
            t.greet("250-STARTTLS\n");
            t.answer("220 go\n");
            let _ = t.stream.read(&mut [0; 9]);
            t.say("250-here\n250 HELP\n");
            t.hear();
        },
        "starttls",
        "TLS",
    );
    kept(
        "closed",
        |t| {
            t.greet("250-STARTTLS\n");
            t.answer("220 go\n");
        },
        "starttls",
        "TLS failed",
    );
    kept(
        "plain on the port of TLS",
        |t| {
            t.say("220 here\n");
            t.hear();
        },
        "tls",
        "does not speak TLS",
    );
}

#[test]
fn no_answer_to_a_whole_message() {
    let place = place("unknown");
    let server = Server::new(|t| {
        t.until_data();
        t.body();
        // The first time it goes without a word.
        if t.bodies.lock().unwrap().len() > 1 {
            t.say("250 taken\n");
            t.answer("221 bye\n");
        }
    });
    let output = mail(&place, &server, "-s once you@example.org", "auto");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("was handed over, but"), "{said}");
    assert_eq!(files(&place, "new").len(), 1);
    let output = mail(&place, &server, "--flush --all", "auto");
    assert!(output.status.success(), "{output:?}");
    let bodies = server.bodies.lock().unwrap();
    assert_eq!(bodies.len(), 2);
    assert!(bodies[0] == bodies[1] && bodies[0].contains("Message-ID: <nn."), "{bodies:?}");
    assert_eq!((files(&place, "new").len(), files(&place, "sent").len()), (0, 1));
}

#[test]
fn many_at_once_send_each_once() {
    let place = place("many");
    let server = Server::new(|t| {
        t.greet("");
        while t.answer("250 ok\n").starts_with("MAIL") {
            t.answer("250 ok\n");
            t.answer("354 go on\n");
            t.body();
            t.say("250 taken\n");
        }
    });
    let script = "for i in $(seq 30); do echo $i | nn-mail --later -s m$i you@example.org || exit; done";
    let mut command = place.command("sh");
    assert!(output_within(command.args(["-c", script]).env("NN_MAIL_FROM", "me@example.org"), LIMIT).status.success());
    // Twenty, as if cron had started them in one minute; each ends well whether or not there was something left for it.
    let flush = "pids=; for i in $(seq 20); do nn-mail --flush & pids=\"$pids $!\"; done
        for pid in $pids; do wait $pid || exit; done";
    let mut command = place.command("sh");
    command.args(["-c", flush]).env("NN_MAIL_SERVER", format!("127.0.0.1:{}", server.port));
    let output = output_within(&mut command, LIMIT);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 30);
    let mut ids: Vec<String> = Vec::new();
    for body in server.bodies.lock().unwrap().iter() {
        ids.extend(body.lines().filter(|line| line.starts_with("Message-ID: ")).map(String::from));
    }
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), server.bodies.lock().unwrap().len(), files(&place, "sent").len()), (30, 30, 30));
    assert!(files(&place, "new").is_empty() && files(&place, "tries").is_empty());
}

#[test]
fn each_recipient_has_an_answer() {
    let place = place("each");
    let server = Server::new(|t| {
        t.greet("250-PIPELINING\n");
        let first = t.bodies.lock().unwrap().is_empty();
        t.answer("250 ok\n");
        if first {
            for reply in ["250 ok\n", "450 grey\n", "550 no such user\n"] {
                t.answer(reply);
            }
        } else {
            assert_eq!(t.answer("250 ok\n"), "RCPT TO:<b@example.org>\r\n");
        }
        t.answer("354 go on\n");
        t.body();
        t.say("250 taken\n");
        t.answer("221 bye\n");
    });
    let output = mail(&place, &server, "-s x a@example.org b@example.org c@example.org", "auto");
    assert!(output.status.success() && files(&place, "new").len() == 1, "{output:?}");
    let output = mail(&place, &server, "--flush --all", "auto");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.ends_with("sent\tb@example.org\n"), "{output:?}");
    assert_eq!(server.bodies.lock().unwrap().len(), 2);
    // a and b have it; that c has not is on file.
    let failed = files(&place, "failed");
    assert_eq!(failed.len(), 1, "{output:?}");
    let text = fs::read_to_string(place.dir.join("spool/mail/failed").join(&failed[0])).unwrap();
    assert!(
        text.lines().next().unwrap().contains("\"to\":[]") && text.contains("\"refused\":[\"c@example.org\"]"),
        "{text}"
    );
}

#[test]
fn the_password_is_nowhere() {
    let place = place("secret");
    fs::write(place.dir.join("password"), "canary-7351\n").unwrap();
    assert!(place.command("chmod").args(["600", "password"]).status().unwrap().success());
    let server = Server::new(|t| {
        t.greet("250-AUTH PLAIN\n");
        assert!(t.answer("535 no\n").starts_with("AUTH PLAIN "));
    });
    let script = "exec nn-mail --test";
    let mut command = place.command("sh");
    command.args(["-c", script]).env("NN_MAIL_SERVER", format!("127.0.0.1:{}", server.port)).env("NN_MAIL_TLS", "none");
    command.env("NN_MAIL_USER", "me").env("NN_MAIL_PASSWORD_FILE", place.dir.join("password"));
    let output = output_within(&mut command, LIMIT);
    let all = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(2));
    assert!(all.contains("> AUTH PLAIN ***") && all.contains("535 no"), "{all}");
    assert!(!all.contains("canary") && !all.contains("AG1lAGNhbmFyeS03MzUx"), "{all}");
}

#[test]
fn setup_asks_tries_and_writes() {
    let place = Place::new("setup");
    let server = Server::new(|t| {
        t.greet("");
        if t.answer("250 ok\n").starts_with("MAIL") {
            t.answer("250 ok\n");
            t.answer("354 go on\n");
            t.body();
            t.say("250 taken\n");
            t.answer("221 bye\n");
        }
    });
    let ask = |answers: &str| {
        let script = format!("printf '{answers}' | nn-mail --setup");
        // A new user: the usual spool.
        output_within(place.command("sh").args(["-c", &script]).env_remove("NN_SPOOL"), LIMIT)
    };
    let refused = ask("me@example.org\\n\\n127.0.0.1:9\\n-\\nno\\n");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("Connection refused") && said.contains("Nothing was changed"), "{refused:?}");
    let output = ask(&format!("Me <me@example.org>\\n\\n127.0.0.1:{}\\n-\\n", server.port));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("a message to me@example.org was taken"), "{output:?}");
    let config = fs::read_to_string(place.dir.join(".config/nn/config")).unwrap();
    let expected =
        format!("mail.from = Me <me@example.org>\nmail.to = me@example.org\nmail.server = 127.0.0.1:{}\n", server.port);
    assert_eq!(config, expected);
    // What comes is what news will be: a curve in the text, and as a picture.
    let body = server.bodies.lock().unwrap()[0].clone();
    assert!(body.contains("Subject: nn-mail on ") && body.contains("Content-Type: image/png"), "{body}");
    assert!(body.contains("\r\nvalid_cost\r\n    |a\r\n"), "{body}");
    // A password goes into a file of its own, which only the user reads; without TLS it is not sent.
    let output = ask(&format!("\\n\\n127.0.0.1:{}\\nme\\ncanary-7351\\nyes\\n", server.port));
    assert!(!format!("{output:?}").contains("canary"), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("does not offer STARTTLS"), "{output:?}");
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &fs::metadata(place.dir.join(".config/nn/mail-password")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
}
