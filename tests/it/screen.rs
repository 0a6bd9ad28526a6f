//! nn-watch's live screen on a real terminal, that of tmux(1): what is drawn at several sizes, what keys do, that hostile
//! names and logs move nothing, and that the terminal is as it was after every end. Skipped, by name, where there is no
//! tmux.
//! Not tested here: other terminals; what is shown of a run (transcripts of --once).

use crate::place::{Place, output_within, say};
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(60);

/// A name and a log that try what they can: clear the screen, move the cursor, set the title, reorder, combine.
const NAME: &str = "evil\x1b[2J\x1b[1;1H\u{202e}\x1b]0;x\x07";
const LOG: &str = "printf '\\033[2J\\033[HGONE\\007\\033[31m red \\342\\200\\256 x\\n'; \
    echo 日本語の長い行ですよ日本語の長い行ですよ日本語の長い行ですよ日本語の長い行ですよ👩‍👩‍👧❤️✅🇩🇪; printf 'e\\314\\201\\314\\201 end\\n'";

struct Screen {
    place: Place,
}

impl Screen {
    /// A shell on a terminal of 80 columns and 24 lines, and a spool: one run has ended, one goes on, one waits. None, and
    /// said: there is no tmux.
    fn new(name: &str) -> Option<Screen> {
        let place = Place::new(name);
        let screen = Screen { place };
        if screen.place.command("tmux").arg("-V").output().is_err() {
            say(&format!("skipped: {name}: no tmux"));
            return None;
        }
        let train = "i=0; while [ $i -lt 30 ]; do i=$((i + 1)); echo \"epoch=$i valid_cost=$((60 - i)).5\"; done";
        let script = format!(
            "nn-queue init >/dev/null; nn-run -q -n tanh -p epochs=60 -- sh -c '{train}'
            nn-queue add --live -n \"$NAME\" -p epochs=60 -- sh -c \"$LOG; {}; until [ -e go ]; do sleep 0.05; done\"
            nn-queue add --live -n waits --after 2 -- true
            nn-queue work -q & until grep -q '\"epoch\":30' spool/runs/2/history.jsonl; do sleep 0.02; done 2>/dev/null",
            train.replace('$', "\\$").replace('"', "\\\"")
        );
        let mut sh = screen.place.command("sh");
        sh.args(["-c", &script]).env("NAME", NAME).env("LOG", LOG).stdout(std::process::Stdio::null());
        assert!(sh.status().unwrap().success());
        screen.tmux(&["new-session", "-d", "-x", "80", "-y", "24", "bash --norc --noprofile"]);
        screen.tmux(&["set-option", "-g", "history-limit", "0"]);
        screen.wait("a shell", |text| text.contains("bash"));
        Some(screen)
    }

    fn tmux(&self, args: &[&str]) -> String {
        let mut tmux = self.place.command("tmux");
        tmux.args(["-L", "nn", "-f", "/dev/null"]).args(args).env("TMUX_TMPDIR", &self.place.dir);
        let output = output_within(tmux.env("LC_ALL", "C.UTF-8"), LIMIT);
        assert!(output.status.success(), "tmux {args:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What stands on the screen.
    fn text(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    fn keys(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    fn command(&self, line: &str) {
        self.tmux(&["send-keys", "-l", line]);
        self.keys(&["Enter"]);
    }

    /// Waits until the screen is as it should be.
    fn wait(&self, what: &str, is: impl Fn(&str) -> bool) -> String {
        let begun = Instant::now();
        loop {
            let text = self.text();
            if is(&text) {
                return text;
            }
            assert!(begun.elapsed() < LIMIT, "{what}:\n{text}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The live screen, whole: its heading first, its keys last, a line for each run.
    fn watch(&self, what: &str, lines: usize) -> String {
        let whole = |text: &str| {
            let all: Vec<&str> = text.lines().collect();
            let ends = all.first().is_some_and(|l| l.starts_with("nn-watch  ")) && all.len() == lines;
            ends && all.last().is_some_and(|l| l.starts_with("q quit"))
        };
        self.wait(what, whole)
    }

    /// Starts it; how it ended is in `status`, and what the terminal was before and after in `before` and `after`.
    fn start(&self, variables: &str) {
        let _ = fs::remove_file(self.place.dir.join("status"));
        let watch = format!("{variables} bash -c 'echo $$ >pid; exec nn-watch -a'");
        self.command(&format!("clear; stty -a >before; {watch}; s=$?; stty -a >after; echo $s >status"));
    }

    /// Waits for its end: status 0, and the terminal as it was.
    fn ended(&self, what: &str) {
        let begun = Instant::now();
        while !self.place.dir.join("status").exists() {
            assert!(begun.elapsed() < LIMIT, "{what}:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
        let read = |name: &str| fs::read_to_string(self.place.dir.join(name)).unwrap();
        let begun = Instant::now();
        while read("status").is_empty() && begun.elapsed() < LIMIT {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!((read("status").as_str(), read("after")), ("0\n", read("before")), "{what}");
        self.restored(what);
    }

    fn restored(&self, what: &str) {
        let modes = self.tmux(&["display-message", "-p", "#{alternate_on} #{cursor_flag} #{wrap_flag}"]);
        assert_eq!(modes, "0 1 1\n", "{what}: alternate screen, cursor, wrapping");
        assert!(!self.text().contains("nn-watch  "), "{what}:\n{}", self.text());
    }

    fn signal(&self, signal: &str) {
        let pid = fs::read_to_string(self.place.dir.join("pid")).unwrap();
        assert!(self.place.command("kill").args([signal, pid.trim()]).status().unwrap().success());
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let mut tmux = Command::new("tmux");
        tmux.args(["-L", "nn", "kill-server"]).env("TMUX_TMPDIR", &self.place.dir);
        let _ = tmux.stderr(std::process::Stdio::null()).status();
    }
}

#[test]
fn the_screen_and_its_keys() {
    let Some(screen) = Screen::new("screen") else { return };
    screen.start("");
    let text = screen.watch("drawn", 24);
    let line = |text: &str, start: &str| text.lines().find(|l| l.starts_with(start)).unwrap_or_default().to_string();
    assert!(line(&text, "nn-watch  ").contains("1 queued  1 running  1 done"), "{text}");
    assert!(line(&text, "  2 running evil\\x1b[2J").contains("50 %"), "{text}");
    assert!(line(&text, "  1 done    tanh").contains("epoch=30 valid_cost=30.5"), "{text}");
    assert!(text.contains("  3 queued  waits") && text.contains("spool  ") && text.contains(" free"), "{text}");
    // One run in full, the first of them: its log is harmless, and each line in its place.
    screen.keys(&["Enter"]);
    let whole = |text: &str, lines: usize| {
        text.lines().count() == lines && text.lines().last().is_some_and(|l| l.starts_with("q back"))
    };
    let text = screen.wait("one run", |text| whole(text, 24));
    assert!(text.starts_with("run 2 evil\\x1b[2J\\x1b[1;1H\\u{202e}\\x1b]0;x\\x07  running"), "{text}");
    assert!(
        text.contains("valid_cost 30.5") && text.contains("epoch=30 valid_cost=30.5") && text.contains('┤'),
        "{text}"
    );
    // All of the log, on a greater screen.
    screen.tmux(&["resize-window", "-x", "200", "-y", "90"]);
    let text = screen.wait("the whole log", |text| whole(text, 90));
    assert!(text.contains("\\x1b[2J\\x1b[HGONE\\x07\\x1b[31m red \\u{202e} x\n"), "{text}");
    assert!(text.contains("日本語の長い行ですよ") && text.contains(" end\n"), "{text}");
    screen.keys(&["q"]);
    screen.watch("back", 90);
    for (columns, lines) in [("40", "10"), ("200", "50"), ("20", "5"), ("80", "24")] {
        screen.tmux(&["resize-window", "-x", columns, "-y", lines]);
        let text = screen.wait("resized", |text| {
            text.lines().count() == lines.parse::<usize>().unwrap()
                && text.starts_with("nn-watch")
                && text.lines().last().is_some_and(|l| l.starts_with("q quit"))
        });
        assert!(text.contains("  2 running"), "{columns}x{lines}:\n{text}");
    }
    // Another one, another order, some of them.
    screen.keys(&["Down", "Down", "Enter"]);
    screen.wait("the third", |text| text.starts_with("run 1 tanh  done"));
    screen.keys(&["Escape"]);
    screen.watch("back again", 24);
    screen.keys(&["s"]);
    let text = screen.wait("by name", |text| text.contains("s sort (name)"));
    let order: Vec<&str> = text.lines().filter_map(|l| l.strip_prefix("  ")?.split(' ').next()).collect();
    assert_eq!(order, ["2", "1", "3"], "{text}");
    screen.keys(&["/", "t", "a", "n"]);
    let text = screen.wait("filtered", |text| text.contains("/tan_") && !text.contains("evil"));
    assert!(text.contains("tanh") && !text.contains("waits"), "{text}");
    screen.keys(&["Escape"]);
    screen.watch("all", 24);
    // It sees what happens.
    fs::write(screen.place.dir.join("go"), "").unwrap();
    screen.wait("the end of them", |text| text.contains("  3 done") && text.contains("  2 done"));
    screen.keys(&["q"]);
    screen.ended("q");
    // Put aside, and taken up again.
    screen.command("clear; nn-watch -a");
    screen.watch("once more", 24);
    screen.keys(&["C-z"]);
    screen.wait("stopped", |text| text.contains("Stopped"));
    screen.restored("stopped");
    screen.command("fg");
    screen.watch("again", 24);
    screen.keys(&["q"]);
    screen.wait("the shell", |text| text.contains("bash"));
    screen.restored("q again");
}

#[test]
fn the_terminal_is_as_it_was() {
    let Some(screen) = Screen::new("terminal") else { return };
    for end in ["-INT", "-TERM", "-HUP", "C-c"] {
        screen.start("");
        screen.watch(end, 24);
        if end == "C-c" {
            screen.keys(&["C-c"])
        } else {
            screen.signal(end)
        }
        screen.ended(end);
    }
    // The spool goes away, and comes back.
    screen.start("NO_COLOR=1");
    screen.watch("a spool", 24);
    let colours = screen.tmux(&["capture-pane", "-p", "-e"]);
    let coloured = (0..8).any(|n| colours.contains(&format!("[3{n}m")));
    assert!(!coloured && colours.contains("\x1b[7m"), "only the heading and the chosen run are marked: {colours:?}");
    let dir = &screen.place.dir;
    fs::rename(dir.join("spool"), dir.join("gone")).unwrap();
    screen.wait("no spool", |text| text.contains("No such file or directory"));
    fs::rename(dir.join("gone"), dir.join("spool")).unwrap();
    screen.wait("the spool again", |text| !text.contains("No such file") && text.contains("  2 running"));
    screen.keys(&["q"]);
    screen.ended("q after all");
    // A terminal that cannot do it gets the same once.
    screen.start("TERM=dumb");
    screen.wait("printed once", |text| text.contains("tanh") && text.contains("waits"));
    screen.ended("dumb");
}
