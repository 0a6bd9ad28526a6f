//! Tests of reading and printing JSON.

use super::*;

#[test]
fn round_trips() {
    for text in [
        r#"{"b":1,"a":[1.5,-2,true,null,"x\ny"],"c":{}}"#,
        "9007199254740993",
        "[]",
        r#""\u0007 \" \\ ä 日 \u009b""#,
        "1e-7",
        "1e300",
        "0.1",
        "-0.0",
    ] {
        assert_eq!(Value::parse(text).unwrap().to_string(), text);
    }
}

#[test]
fn numbers_json_has_no_word_for() {
    let v = Value::parse(r#"{"a":NaN,"b":-Infinity,"c":"Infinity"}"#).unwrap();
    assert!(v.num("a").unwrap().is_nan());
    assert_eq!(v.num("b"), Some(f64::NEG_INFINITY));
    assert_eq!(v.num("c"), Some(f64::INFINITY));
    assert_eq!(v.to_string(), r#"{"a":"NaN","b":"-Infinity","c":"Infinity"}"#);
    assert_eq!(Value::parse("1e400").unwrap().as_num(), Some(f64::INFINITY));
}

#[test]
fn refused_with_a_place() {
    for (text, line, column) in [
        ("", 1, 1),
        ("{\"a\":1,\n \"a\":2}", 2, 2),
        ("[1,]", 1, 4),
        ("01", 1, 3),
        ("\"a", 1, 3),
        ("[1 2]", 1, 4),
        ("\"\u{1}\"", 1, 2),
        ("tru", 1, 1),
        ("1 x", 1, 3),
        ("{a:1}", 1, 2),
        ("\"\\u12\"", 1, 4),
        ("1.", 1, 3),
        ("-", 1, 2),
    ] {
        let bad = Value::parse(text).unwrap_err();
        assert_eq!((bad.line, bad.column), (line, column), "{text:?}: {bad}");
    }
    assert!(Value::parse(&"[".repeat(100_000)).is_err());
    assert_eq!(Value::parse("\"\\ud800x\"").unwrap(), Value::Str("\u{fffd}x".into()));
    assert_eq!(Value::parse("\"\\ud83d\\ude00\"").unwrap(), Value::Str("😀".into()));
}

#[test]
fn any_argument_without_loss() {
    for bytes in [b"plain".to_vec(), vec![0xff, b'a', 0xfe]] {
        let os = OsString::from_vec(bytes);
        assert_eq!(to_os(&from_os(&os)).unwrap(), os);
    }
    assert_eq!(to_os(&Value::parse(r#"{"hex":"f"}"#).unwrap()), None);
}

#[test]
fn members() {
    let mut v = Value::Null;
    v.set("a", 1i64);
    v.set("b", "x");
    v.set("a", 2i64);
    assert_eq!(v.to_string(), r#"{"a":2,"b":"x"}"#);
}

#[test]
fn many_keys() {
    let object = |last: &str| {
        let members: Vec<String> = (0..200_000).map(|i| format!("\"k{i}\":{i}")).collect();
        format!("{{{},\"{last}\":0}}", members.join(","))
    };
    assert_eq!(Value::parse(&object("new")).unwrap().int("k199999"), Some(199_999));
    for twice in ["k0", "k31", "k32", "k199999"] {
        assert!(Value::parse(&object(twice)).unwrap_err().what.contains("twice"), "{twice}");
    }
}
