//! Tests of messages: what is said is read back, whatever it is, and nothing said becomes a header.

use super::*;

fn message(subject: &str, text: &str) -> Message {
    Message {
        from: Address::parse("Me <me@example.org>").unwrap(),
        to: vec![Address::parse("you@example.org").unwrap()],
        subject: subject.into(),
        date: Some(Time(1_000_000_000_000)),
        id: "1.2@example.org".into(),
        text: text.into(),
        ..Message::default()
    }
}

fn well_formed(bytes: &[u8]) {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(text.ends_with("\r\n"));
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    assert_eq!(text.matches('\r').count(), text.matches("\r\n").count());
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    for line in head.split("\r\n") {
        assert!(line.len() <= 78, "{line}");
        assert!(
            line.starts_with(' ')
                || line
                    .split_once(": ")
                    .is_some_and(|(name, _)| name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-')),
            "{line}"
        );
    }
}

#[test]
fn plain() {
    let bytes = message("done", "all is well\n").render();
    well_formed(&bytes);
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        "Date: Sun, 09 Sep 2001 01:46:40 +0000\r\nFrom: \"Me\" <me@example.org>\r\nTo: you@example.org\r\n\
         Message-ID: <1.2@example.org>\r\nSubject: done\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\nall is well\r\n"
    );
}

#[test]
fn no_field_begins_a_header() {
    let ends = ["\r\n", "\n", "\r", "\u{85}", "\u{2028}", "\u{b}", "\0", "\r\n\r\n"];
    for end in ends {
        let evil = format!("a{end}Bcc: x@example.org");
        let mut m = message(&evil, "text");
        m.from.name = evil.clone();
        m.attachments = vec![Part::attachment(&evil, b"x".to_vec())];
        let bytes = m.render();
        well_formed(&bytes);
        let text = String::from_utf8(bytes).unwrap();
        assert!(!text.lines().any(|line| line.starts_with("Bcc")), "{text}");
        assert!(Address::parse(&format!("a@example.org{end}Bcc: x")).is_err());
        assert!(Address::parse(&format!("N{end}X <a@example.org>")).is_err());
    }
}

#[test]
fn subjects_are_read_back() {
    let long = "ä".repeat(5000);
    let word = "x".repeat(3000);
    let many = "word ".repeat(400);
    for subject in ["", "a", "=?utf-8?Q?x?=", "ääkkönen 日本語 🎉", &long, &word, many.trim(), "ends with é"] {
        let bytes = message(subject, "text").render();
        well_formed(&bytes);
        assert_eq!(read(&bytes).header("subject"), Some(subject));
    }
}

#[test]
fn texts_are_read_back() {
    let long = "x".repeat(5000);
    for text in
        ["", "a\n", ".\n..\n.x\n", "From me\n", "ä\n", "trailing \n", "tab\there\n", &format!("{long}\n"), "--=_\n"]
    {
        let bytes = message("s", text).render();
        well_formed(&bytes);
        assert!(bytes.is_ascii());
        assert_eq!(read(&bytes).text, text);
    }
    assert_eq!(read(&message("s", "a\r\nb\rc\n").render()).text, "a\nb\rc\n");
}

#[test]
fn parts() {
    let mut m = message("s", "text ä\n");
    m.html = Some("<img src=\"cid:curve\">".into());
    m.pictures =
        vec![Part { name: "curve.png".into(), kind: "image/png".into(), cid: "curve".into(), bytes: vec![0; 1000] }];
    m.attachments = vec![
        Part::attachment("ää \"quoted\" 日本.log", b"text".to_vec()),
        Part::attachment(&"n".repeat(300), vec![0, 255]),
        Part::attachment("a;b=\"c\".json", b"{}".to_vec()),
    ];
    let bytes = m.render();
    well_formed(&bytes);
    assert!(bytes.is_ascii());
    let reading = read(&bytes);
    assert_eq!(reading.text, "text ä\n");
    let parts: Vec<_> = reading.parts.iter().map(|(k, n, b)| (k.as_str(), n.as_str(), *b)).collect();
    let long = "n".repeat(300);
    assert_eq!(
        parts,
        [
            ("text/html", "", 23),
            ("image/png", "curve.png", 1000),
            ("text/plain", "ää \"quoted\" 日本.log", 4),
            ("application/octet-stream", long.as_str(), 2),
            ("application/json", "a;b=\"c\".json", 2),
        ]
    );
}

#[test]
fn boundaries_are_in_no_text() {
    let mut m = message("s", "");
    let first = m.boundary();
    m.text = format!("--{first}.1\n");
    m.attachments = vec![Part::attachment("a", b"a".to_vec())];
    assert_ne!(m.boundary(), first);
    assert_eq!(read(&m.render()).text, m.text);
}

#[test]
fn base64() {
    for n in 0..200usize {
        let bytes: Vec<u8> = (0..n).map(|i| (i * 7) as u8).collect();
        for width in [0, 4, 76] {
            let mut text = Vec::new();
            encode_base64(&bytes, width, &mut text);
            assert_eq!(decode_base64(&text), Some(bytes.clone()));
        }
    }
    assert_eq!(decode_base64(b"QUI="), Some(b"AB".to_vec()));
    assert_eq!(decode_base64(b"Q"), None);
    assert_eq!(decode_base64(b"Q=Q="), None);
    assert_eq!(decode_base64(b"\xff\xff"), None);
}

#[test]
fn addresses() {
    let a = Address::parse(" Jo \"the\" Doe <jo@example.org> ").unwrap();
    assert_eq!((a.name.as_str(), a.mailbox.as_str(), a.domain()), ("Jo \"the\" Doe", "jo@example.org", "example.org"));
    assert!(Address::parse("pelé@exämple.org").is_ok());
    assert!(Address::parse("a@[127.0.0.1]").is_ok());
    for bad in [
        "",
        "a",
        "@b",
        "a@",
        "-a@b",
        "a b@c",
        "a..b@c",
        "a@b c",
        "a@b>",
        "<a@b",
        "a..@",
        "\"a\"@b",
        "a@-b",
        "a,b@c",
        &format!("{}@b", "a".repeat(65)),
    ] {
        assert!(Address::parse(bad).is_err(), "{bad}");
    }
    assert_eq!(Address::parse_list("a@b, c <d@e>,").unwrap().len(), 2);
    let quoted = r#""Doe, Jane" <jane@example.org>, "a \"b,c\" \\" <x@y>, Jo "the" Doe <jo@example.org>"#;
    let list = Address::parse_list(quoted).unwrap();
    let names: Vec<&str> = list.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(names, ["Doe, Jane", "a \"b,c\" \\", "Jo \"the\" Doe"]);
    let shown = list.iter().map(Address::to_string).collect::<Vec<_>>().join(", ");
    assert_eq!(Address::parse_list(&shown).unwrap(), list);
}

/// Whatever stands in mail/new, showing it must not fail: messages with bytes changed, cut and doubled at random.
#[test]
fn anything_can_be_read() {
    let mut m = message("ünï", "text ä\n");
    m.html = Some("<b>".into());
    m.pictures = vec![Part { name: "p.png".into(), kind: "image/png".into(), cid: "c".into(), bytes: vec![1; 90] }];
    m.attachments = vec![Part::attachment("ä.log", b"text".to_vec())];
    let whole = m.render();
    let mut state = 7u64;
    let mut random = |n: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % n.max(1)
    };
    for _ in 0..3000 {
        let mut bytes = whole.clone();
        for _ in 0..random(20) {
            let at = random(bytes.len());
            match random(4) {
                0 => bytes[at] = random(256) as u8,
                1 => bytes.truncate(at + 1),
                2 => drop(bytes.remove(at)),
                _ => bytes.splice(at..at, whole[random(whole.len())..].iter().copied().take(40)).for_each(drop),
            }
            if bytes.is_empty() {
                break;
            }
        }
        let reading = read(&bytes);
        assert!(reading.text.len() <= bytes.len() * 3);
        let _ = Address::parse(&String::from_utf8_lossy(&bytes[..bytes.len().min(80)]));
    }
}
