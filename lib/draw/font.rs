//! A sans-serif font of our own, drawn with a pen: each glyph is a few strokes on a grid of pixels.
//!
//! A stroke is written as its corners, two characters each: x, then y. Digits are whole pixels, `A`..`H` are 0.5..7.5,
//! `a`..`c` are -1..-3. The base line is y=0, small letters reach to 6, capitals to 8, descenders to -3. `~` after a corner
//! rounds it, `z` closes the stroke, a blank starts the next one. At scale 1 all stems fall on pixel centres, so that
//! small text is crisp; at other scales each corner is moved to the nearest pixel centre, which does the same.
//! Letters with accents lose them; what the font does not have is shown as a box.

/// Height of a line of text at scale 1, in pixels.
pub const LINE: f64 = 15.0;

/// Height of a capital letter at scale 1, in pixels.
pub const CAP: f64 = 9.0;

const RADIUS: f64 = 2.4;

/// The strokes of the printable ASCII characters, from the blank to the tilde.
#[rustfmt::skip]
const ASCII: [&str; 95] = [
    "",                                     // blank
    "0803 0000",                            // !
    "0806 2826",                            // "
    "1018 4048 0252 0656",                  // #
    "4647~07~04~44~41~01~02 2820",          // $
    "08~28~25~05~z 53~73~70~50~z 6810",     // %
    "5016~18~38~36~03~00~40~53",            // &
    "0806",                                 // '
    "2907~00~2b",                           // (
    "0927~20~0b",                           // )
    "2428 0547 0745",                       // *
    "2125 0343",                            // +
    "110b",                                 // ,
    "0333",                                 // -
    "0000",                                 // .
    "490a",                                 // /
    "08~48~40~00~z",                        // 0
    "062820 0040",                          // 1
    "0708~48~45~0040",                      // 2
    "0708~48~44~14 1444~40~00~01",          // 3
    "30380242",                             // 4
    "48080545~40~00~01",                    // 5
    "4748~08~00~40~45~05",                  // 6
    "084810",                               // 7
    "08~48~44~04~z 04~44~40~00~z",          // 8
    "0100~40~48~08~03~43",                  // 9
    "0000 0505",                            // :
    "110b 1515",                            // ;
    "460340",                               // <
    "0242 0545",                            // =
    "064300",                               // >
    "0708~48~45~24~22 2020",                // ?
    "7000~08~88~82~62~66 6636~32~62",       // @
    "003860 1353",                            // A
    "000848~44~04 0454~50~00",              // B
    "5758~08~00~50~51",                     // C
    "000858~50~00",                         // D
    "58080050 0444",                        // E
    "580800 0444",                          // F
    "5758~08~00~50~5434",                   // G
    "0008 5058 0454",                       // H
    "0008",                                 // I
    "3830~00~02",                           // J
    "0008 5803 2550",                       // K
    "080050",                               // L
    "0008346860",                           // M
    "00085058",                             // N
    "08~58~50~00~z",                        // O
    "000858~53~03",                         // P
    "08~58~50~00~z 325a",                   // Q
    "000858~54~04 3450",                    // R
    "5758~08~04~54~50~00~01",               // S
    "0868 3038",                            // T
    "0800~50~58",                           // U
    "083068",                               // V
    "0820476088",                           // W
    "0058 0850",                            // X
    "083468 3430",                          // Y
    "08580050",                             // Z
    "29090b2b",                             // [
    "094a",                                 // \
    "09292b0b",                             // ]
    "052845",                               // ^
    "0a5a",                                 // _
    "0817",                                 // `
    "0506~46~40 4303~00~40",                // a
    "0008 0646~40~00",                      // b
    "4546~06~00~40~41",                     // c
    "4048 4606~00~40",                      // d
    "034346~06~00~40~41",                   // e
    "3818~10 0636",                         // f
    "464c~0c~0b 4606~00~40",                // g
    "0008 0646~40",                         // h
    "0006 0808",                            // i
    "161c~0c 1818",                         // j
    "0008 4602 1340",                       // k
    "0800~20",                              // l
    "0006 0636~30 3666~60",                 // m
    "0006 0646~40",                         // n
    "06~46~40~00~z",                        // o
    "060c 0646~40~00",                      // p
    "464c 4606~00~40",                      // q
    "0006 0416~36",                         // r
    "4546~06~03~43~40~00~01",               // s
    "1810~30 0636",                         // t
    "0600~40 4640",                         // u
    "062046",                               // v
    "06B036E066",                           // w
    "0046 0640",                            // x
    "0620 461c",                            // y
    "06460040",                             // z
    "3919~1D~0D 0D1D~1b~3b",                // {
    "090b",                                 // |
    "0929~2D~3D 3D2D~2b~0b",                // }
    "0314~42~53",                           // ~
];

const BOX: &str = "00404808z";

/// The strokes of a character.
fn strokes_of(c: char) -> &'static str {
    let code = c as usize;
    if let Some(at) = code.checked_sub(0x20)
        && let Some(strokes) = ASCII.get(at)
    {
        return strokes;
    }
    match c {
        '…' => "0000 2020 4040",
        '·' => "0303",
        '×' => "0145 0541",
        '−' | '–' => "0343",
        '—' => "0373",
        '±' => "2226 0444 0040",
        '°' => "08~28~26~06~z",
        '▲' => "002640z",
        '▼' => "062046z",
        'µ' | 'μ' => "060c 0600~40 4640",
        _ => match plain(c) {
            Some(base) => strokes_of(base),
            None => BOX,
        },
    }
}

/// The letter under an accent.
fn plain(c: char) -> Option<char> {
    const FROM: &str = "ÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝàáâãäåçèéêëìíîïñòóôõöøùúûüýÿ\u{a0}‘’“”‐‑";
    const TO: &str = "AAAAAACEEEEIIIINOOOOOOUUUUYaaaaaaceeeeiiiinoooooouuuuyy ''\"\"--";
    FROM.chars().zip(TO.chars()).find(|(from, _)| *from == c).map(|(_, to)| to)
}

/// One corner of a stroke on the grid.
#[derive(Clone, Copy)]
struct Corner {
    x: f64,
    y: f64,
    round: bool,
}

fn coordinate(c: char) -> f64 {
    match c {
        '0'..='9' => f64::from(c as u32 - '0' as u32),
        'A'..='H' => f64::from(c as u32 - 'A' as u32) + 0.5,
        'a'..='c' => -1.0 - f64::from(c as u32 - 'a' as u32),
        _ => 0.0,
    }
}

/// The corners of one stroke, and whether it is closed.
fn corners(stroke: &str) -> (Vec<Corner>, bool) {
    let mut list: Vec<Corner> = Vec::new();
    let mut chars = stroke.chars();
    while let Some(c) = chars.next() {
        match (c, list.last_mut()) {
            ('~', Some(last)) => last.round = true,
            ('z', _) => return (list, true),
            _ => {
                let y = chars.next().map_or(0.0, coordinate);
                list.push(Corner { x: coordinate(c), y, round: false });
            }
        }
    }
    (list, false)
}

/// How far the pen moves on after this character, at scale 1: the ink and two pixels of room.
fn advance(c: char) -> f64 {
    if c == ' ' {
        return 4.0;
    }
    if c.is_ascii_digit() {
        return 7.0;
    }
    let right = strokes_of(c).split(' ').flat_map(|s| corners(s).0).map(|k| k.x).fold(0.0, f64::max);
    right.ceil() + 3.0
}

/// Width of `text` in pixels at `scale`. Control characters count as boxes.
pub fn width(text: &str, scale: f64) -> f64 {
    text.chars().map(|c| (advance(c) * scale).round()).sum()
}

/// The pen strokes of `text`, its base line starting at (0, 0), y downwards, in pixels at `scale`.
pub fn strokes(text: &str, scale: f64) -> Vec<Vec<(f64, f64)>> {
    let mut pen = 0.0;
    let mut all = Vec::new();
    for c in text.chars() {
        for stroke in strokes_of(c).split(' ').filter(|s| !s.is_empty()) {
            let (mut list, closed) = corners(stroke);
            for corner in &mut list {
                corner.x = (corner.x * scale).round() + 0.5 + pen;
                corner.y = -((corner.y * scale).round() + 0.5);
            }
            all.push(bend(&list, closed, RADIUS * scale));
        }
        pen += (advance(c) * scale).round();
    }
    all
}

/// Replaces each round corner by an arc of at most `radius`; neighbouring arcs share the edge between them.
fn bend(list: &[Corner], closed: bool, radius: f64) -> Vec<(f64, f64)> {
    let n = list.len();
    let mut path = Vec::new();
    for (i, corner) in list.iter().enumerate() {
        let before = if i > 0 {
            list.get(i - 1)
        } else if closed {
            list.last()
        } else {
            None
        };
        let after = list.get(i + 1).or(if closed && n > 1 { list.first() } else { None });
        let (Some(before), Some(after), true) = (before, after, corner.round) else {
            path.push((corner.x, corner.y));
            continue;
        };
        let (to_before, to_after) =
            ((before.x - corner.x, before.y - corner.y), (after.x - corner.x, after.y - corner.y));
        let (a, b) = (to_before.0.hypot(to_before.1), to_after.0.hypot(to_after.1));
        let room = |length: f64, other: &Corner| if other.round { length / 2.0 } else { length };
        let r = radius.min(room(a, before)).min(room(b, after));
        if r <= 0.0 {
            path.push((corner.x, corner.y));
            continue;
        }
        let from = (corner.x + to_before.0 / a * r, corner.y + to_before.1 / a * r);
        let to = (corner.x + to_after.0 / b * r, corner.y + to_after.1 / b * r);
        for step in 0..=6 {
            let t = f64::from(step) / 6.0;
            path.push(arc(from, (corner.x, corner.y), to, t));
        }
    }
    if closed && let Some(first) = path.first().copied() {
        path.push(first);
    }
    path
}

/// A point on the cubic curve that comes nearest to a quarter circle from `from` to `to` inside `corner`.
fn arc(from: (f64, f64), corner: (f64, f64), to: (f64, f64), t: f64) -> (f64, f64) {
    const K: f64 = 0.5523;
    let near = |p: (f64, f64)| (p.0 + (corner.0 - p.0) * K, p.1 + (corner.1 - p.1) * K);
    let (c1, c2) = (near(from), near(to));
    let u = 1.0 - t;
    let mix =
        |a: f64, b: f64, c: f64, d: f64| u * u * u * a + 3.0 * u * u * t * b + 3.0 * u * t * t * c + t * t * t * d;
    (mix(from.0, c1.0, c2.0, to.0), mix(from.1, c1.1, c2.1, to.1))
}

/// `text` cut in the middle, with `…`, to at most `limit` pixels at `scale`: both ends of a name tell runs apart.
pub fn fit(text: &str, scale: f64, limit: f64) -> String {
    cut_middle(text, |t| width(t, scale) <= limit)
}

/// `text` cut in the middle, with `…`, until it `fits`.
pub fn cut_middle(text: &str, fits: impl Fn(&str) -> bool) -> String {
    if fits(text) {
        return text.to_string();
    }
    let chars: Vec<char> = text.chars().collect();
    let shorter = |keep: usize| -> String {
        let head = keep.div_ceil(2);
        let tail = keep - head;
        let (first, last) = (chars.iter().take(head), chars.iter().skip(chars.len() - tail));
        first.chain(std::iter::once(&'…')).chain(last).collect()
    };
    let (mut low, mut high) = (0, chars.len().saturating_sub(1));
    while low < high {
        let middle = (low + high).div_ceil(2);
        if fits(&shorter(middle)) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    shorter(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_printable_character_has_strokes_on_the_grid() {
        for c in ' '..='~' {
            for stroke in strokes_of(c).split(' ').filter(|s| !s.is_empty()) {
                let (list, _) = corners(stroke);
                assert!(list.len() >= 2, "{c:?}: {stroke}");
                for k in list {
                    assert!((0.0..=8.0).contains(&k.x) && (-3.0..=9.0).contains(&k.y), "{c:?}: {stroke}");
                }
            }
            assert!(advance(c) >= 3.0);
        }
    }

    #[test]
    fn no_two_printable_characters_look_the_same() {
        let mut seen = std::collections::HashMap::new();
        for c in '!'..='~' {
            if let Some(other) = seen.insert(strokes_of(c), c) {
                panic!("{c:?} looks like {other:?}");
            }
        }
    }

    #[test]
    fn names_are_cut_in_the_middle() {
        assert_eq!(cut_middle("abcdefghij", |t| t.chars().count() <= 7), "abc…hij");
        assert_eq!(cut_middle("abc", |t| t.chars().count() <= 7), "abc");
        assert_eq!(cut_middle("abcdef", |_| false), "…");
        assert!(width(&fit("a long name of a run that says much", 1.0, 80.0), 1.0) <= 80.0);
    }

    #[test]
    fn accents_fall_off_and_the_unknown_is_a_box() {
        assert_eq!(strokes_of('é'), strokes_of('e'));
        assert_eq!(strokes_of('漢'), BOX);
        assert_eq!(strokes_of('\u{1b}'), BOX);
    }
}
