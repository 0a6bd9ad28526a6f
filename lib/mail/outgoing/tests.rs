//! Outgoing mail with a command as the server: what each of its answers makes of a message.

use super::*;
use crate::mail::message::Address;
use crate::mail::settings::Settings;
use crate::spool::config::Config;
use crate::spool::hold::TAKE_BACK;

struct Post {
    dir: PathBuf,
    outgoing: Outgoing,
}

impl Drop for Post {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

impl Post {
    fn new(name: &str) -> Post {
        let dir = std::env::temp_dir().join(format!("nn-post-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let spool = Spool::init(&dir, false).unwrap();
        Post { outgoing: Outgoing::open(&spool).unwrap(), dir }
    }

    fn add(&self, name: &str) -> bool {
        let message = Message {
            from: Address::parse("me@example.org").unwrap(),
            to: Address::parse_list("a@example.org, b@example.org").unwrap(),
            subject: "s".into(),
            id: format!("{name}@example.org"),
            text: "text\n".into(),
            ..Message::default()
        };
        self.outgoing.add(name, &message).unwrap()
    }

    fn flush(&self, via: &str, which: Flush) -> (bool, Vec<News>) {
        std::fs::write(self.dir.join("config"), format!("mail.via = {via}\n")).unwrap();
        let settings = Settings::read(&Config::load(&self.dir).unwrap()).unwrap();
        let mut news = Vec::new();
        let whole = flush(&self.outgoing, &settings, &which, &mut |n| news.push(n)).unwrap();
        (whole, news)
    }

    fn names(&self, place: Box) -> Vec<String> {
        self.outgoing.entries(place).unwrap().into_iter().map(|e| e.file()).collect()
    }
}

#[test]
fn sent_once() {
    let post = Post::new("once");
    assert!(post.add("run1.1.ended"));
    assert!(!post.add("run1.1.ended"));
    let got = post.dir.join("got");
    let (whole, news) = post.flush(&format!("cat >>{} # ", got.display()), Flush::Due);
    assert!(whole);
    assert!(matches!(&news[..], [News::Sent(name, to)] if name == "run1.1.ended" && to.len() == 2), "{news:?}");
    assert!(std::fs::read_to_string(&got).unwrap().contains("Message-ID: <run1.1.ended@example.org>\n"));
    assert_eq!((post.names(Box::New), post.names(Box::Sent)), (vec![], vec!["run1.1.ended".to_string()]));
    assert!(!post.add("run1.1.ended"), "it was sent already");
    assert_eq!(post.flush("false", Flush::All), (true, vec![]));
}

#[test]
fn kept_refused_again() {
    let post = Post::new("kept");
    post.add("m");
    let (whole, news) = post.flush("exit 75 #", Flush::Due);
    assert!(!whole && matches!(&news[..], [News::Kept(_, why, Some(_))] if why.contains("status 75")), "{news:?}");
    assert_eq!(post.outgoing.tries("m").count, 1);
    assert_eq!(post.flush("true", Flush::Due).1, vec![], "not its time yet");
    assert_eq!(post.names(Box::New), ["m"]);
    let (_, news) = post.flush("exit 67 #", Flush::All);
    assert!(matches!(&news[..], [News::Failed(..)]), "{news:?}");
    assert_eq!(post.names(Box::Failed), ["m"]);
    assert!(post.outgoing.tries("m").said.contains("status 67"));
}

#[test]
fn the_dead_hold_nothing() {
    let post = Post::new("dead");
    for name in ["a", "b", "c", "d"] {
        post.add(name);
    }
    let new = post.dir.join("mail/new");
    let mut dead = Owner::me().unwrap();
    dead.start += 1;
    let foreign = Owner { host: "elsewhere".into(), ..dead.clone() };
    let alive = Owner::me().unwrap();
    let now = Time::now().ms() / 1000;
    std::fs::rename(new.join("a"), new.join(format!("a~{dead}~{now}.0"))).unwrap();
    std::fs::rename(new.join("b"), new.join(format!("b~{foreign}~{now}.0"))).unwrap();
    std::fs::rename(new.join("c"), new.join(format!("c~{foreign}~{}.7", now + TAKE_BACK as i64 + 60))).unwrap();
    std::fs::rename(new.join("d"), new.join(format!("d~{alive}~0.0"))).unwrap();
    assert!(!post.add("a") && !post.add("b"), "what is being sent is there");
    let (_, news) = post.flush("true", Flush::All);
    let sent: Vec<&str> =
        news.iter().filter_map(|n| if let News::Sent(name, _) = n { Some(name.as_str()) } else { None }).collect();
    assert_eq!(sent, ["a", "c"]);
    assert_eq!(post.names(Box::New).len(), 2);
}

#[test]
fn what_is_no_message_is_out_of_the_way() {
    let post = Post::new("nonsense");
    let new = post.dir.join("mail/new");
    std::fs::write(new.join("empty"), "").unwrap();
    std::fs::write(new.join("evil"), "{\"from\":\"\",\"to\":[\"-oX@a\"]}\nx").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", new.join("link")).unwrap();
    std::fs::write(new.join("not a name"), "").unwrap();
    std::fs::write(new.join("x~y"), "").unwrap();
    post.add("good");
    let (whole, news) = post.flush("true", Flush::Due);
    assert!(!whole);
    assert_eq!(news.iter().filter(|n| matches!(n, News::Failed(..))).count(), 3, "{news:?}");
    assert_eq!(post.names(Box::Sent), ["good"]);
}

#[test]
fn many_at_once_send_each_once() {
    let post = Post::new("many");
    for i in 0..40 {
        post.add(&format!("m{i:02}"));
    }
    let got = post.dir.join("got");
    let via = format!("echo x >>{} #", got.display());
    std::fs::write(post.dir.join("config"), format!("mail.via = {via}\n")).unwrap();
    let settings = Settings::read(&Config::load(&post.dir).unwrap()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| flush(&post.outgoing, &settings, &Flush::Due, &mut |_| {}).unwrap());
        }
    });
    assert_eq!(std::fs::read_to_string(got).unwrap().lines().count(), 40);
    assert_eq!(post.names(Box::Sent).len(), 40);
}

#[test]
fn waiting() {
    let first = Tries::default().again("x", true);
    assert!(!first.is_due() && first.no_connection && first.count == 1);
    assert_eq!(Tries::parse(&first.line()), Some(first.clone()));
    let far = Tries { next: Some(Time(Time::now().ms() + 86_400_000)), ..first };
    assert!(far.is_due(), "the clock was set back");
    let many = Tries { count: 30, ..Tries::default() };
    assert!(
        many.is_enough(Some(Time(0)))
            && !many.is_enough(Some(Time::now()))
            && !Tries::default().is_enough(Some(Time(0)))
    );
}
