//! Takes off what loggers put before the message: dates, times, levels, module names, process tags. `INFO:absl:`,
//! `I0914 09:42:56.544800  6584 solver.cpp:228]`, `2021-03-08 12:30:12 | INFO | `, `[2024-06-21 10:50:42,167] [INFO] `,
//! `11/22 20:44:07 - mmengine - INFO - `, `[04/05 01:30:24 d2.utils.events]: `, `wandb: `, `<trainer> `.

use crate::base::text::cut;

/// The message of a line, with its indentation.
pub fn strip(line: &str) -> &str {
    let mut rest = line;
    for _ in 0..8 {
        let trimmed = rest.trim_start_matches([' ', '\t']);
        let Some(next) = one(trimmed) else { return rest };
        rest = next;
    }
    rest
}

const LEVELS: [&str; 12] =
    ["INFO", "DEBUG", "WARNING", "WARN", "ERROR", "CRITICAL", "NOTICE", "TRACE", "SUCCESS", "Info", "FATAL", "info"];

/// One thing taken off the start.
fn one(text: &str) -> Option<&str> {
    let first = *text.as_bytes().first()?;
    match first {
        b'0'..=b'9' => after_time(text).map(after_name_and_level),
        b'[' => bracketed(text).map(after_name_and_level),
        b'<' => tag(text),
        b'(' => {
            let end = text.get(..80.min(text.len())).and_then(|t| t.find(") "))?;
            level(text.get(end + 2..)?)
        }
        b'I' | b'W' | b'E' | b'F' if text.as_bytes().get(1..5).is_some_and(|d| d.iter().all(u8::is_ascii_digit)) => {
            let head = text.get(..100.min(text.len()))?;
            text.get(head.find("] ")? + 2..)
        }
        b'w' => text.strip_prefix("wandb: ").or_else(|| text.strip_prefix("warning: ")),
        _ => level(text),
    }
}

/// After `INFO:name:`, `INFO - name - `, `INFO `, `INFO: `.
fn level(text: &str) -> Option<&str> {
    let word = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let name = text.get(..word).filter(|w| LEVELS.contains(w))?;
    let rest = text.get(name.len()..)?;
    if let Some(named) = rest.strip_prefix(':')
        && !named.starts_with(' ')
    {
        let end = named.bytes().take(80).position(|b| b == b':' || b == b' ')?;
        if named.as_bytes().get(end) == Some(&b':') {
            return named.get(end + 1..);
        }
    }
    let spaced = rest.trim_start_matches([' ', ']', ':']);
    if spaced.len() == rest.len() {
        return None;
    }
    Some(after_module(after_bar(spaced).unwrap_or(if rest.starts_with(": ") { &rest[1..] } else { spaced })))
}

/// After `| ` or `- `.
fn after_bar(text: &str) -> Option<&str> {
    text.strip_prefix("| ").or_else(|| text.strip_prefix("- ")).or_else(|| text.strip_prefix("-- "))
}

/// After `package.module - ` or `package.module:function:12 | `.
fn after_module(text: &str) -> &str {
    let end = text.bytes().take(100).position(|b| b == b' ').unwrap_or(0);
    let (word, rest) = text.split_at_checked(end).unwrap_or(("", text));
    let module =
        word.contains(['.', '_', ':']) && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:<>-".contains(&b));
    let module = module && !word.contains('=') && word.contains(|c: char| c.is_ascii_alphabetic());
    match after_bar(rest.trim_start()) {
        Some(after) if module && word.contains(['.', ':']) => after,
        _ => text,
    }
}

/// After a date or a time, and what parts it from the rest.
fn after_time(text: &str) -> Option<&str> {
    let end = text.bytes().take_while(|b| b.is_ascii_digit() || b":-/.,TZ+".contains(b)).count();
    let word = text.get(..end)?;
    let rest = text.get(end..)?;
    let colons = word.matches(':').count();
    let time = colons >= 1 && word.contains(|c: char| c.is_ascii_digit()) && !word.ends_with(':') && two_digits(word);
    let date = (word.matches('-').count() == 2 || word.matches('/').count() == 2) && word.len() >= 8;
    // `11/22 20:44:07`: a day is one only before a time.
    let day = word.len() == 5 && word.as_bytes().get(2) == Some(&b'/') && clock(rest.trim_start());
    if !(time || date || day) || rest.is_empty() || !rest.starts_with([' ', '\t', ']', '|']) {
        return None;
    }
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    Some(after_bar(rest.trim_start_matches(' ')).unwrap_or(rest))
}

/// Whether each part of a time but the first has two digits at its start.
fn two_digits(word: &str) -> bool {
    let clock = word.rsplit(['T', '-']).find(|part| part.contains(':')).unwrap_or(word);
    clock.split(':').skip(1).all(|part| part.bytes().take_while(u8::is_ascii_digit).count() == 2)
}

fn clock(text: &str) -> bool {
    let b = text.as_bytes();
    matches!(b.get(..5), Some([h, _, b':', m, _]) if h.is_ascii_digit() && m.is_ascii_digit())
}

/// After `[…]` that holds a time, a level, a file or a rank.
fn bracketed(text: &str) -> Option<&str> {
    let end = text.bytes().take(160).position(|b| b == b']')?;
    let inner = text.get(1..end)?;
    let worded =
        |word: &str| LEVELS.contains(&word.trim_end_matches(':')) || is_file(word) || word.eq_ignore_ascii_case("rank");
    let words = || inner.split([' ', '|', '@']).filter(|w| !w.is_empty());
    let rest = text.get(end + 1..)?;
    let timed = rest.strip_prefix(' ').is_some_and(|rest| after_time(rest).is_some());
    let known = timed
        || words().any(worded)
        || words().any(clock)
        || dated(inner)
        || is_rank(inner)
        || inner.starts_with("INFO:");
    if !known {
        return None;
    }
    Some(rest.trim_start_matches(':'))
}

fn dated(inner: &str) -> bool {
    after_time(&format!("{inner} ")).is_some()
}

fn is_rank(inner: &str) -> bool {
    inner.strip_prefix("rank").is_some_and(|n| n.trim_start().bytes().all(|b| b.is_ascii_digit()))
}

/// `logging.py:96:log_dist`
fn is_file(word: &str) -> bool {
    word.contains(".py:") || word.contains(".cc:") || word.contains(".cpp:") || word.ends_with(".py")
}

/// After `<trainer> `.
fn tag(text: &str) -> Option<&str> {
    let end = text.find("> ")?;
    let name = text.get(1..end)?;
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_').then(|| text.get(end + 1..))?
}

/// After a time: `name - INFO - `, `| INFO | `, `(who:12) INFO: `, `name INFO: `, `INFO `.
fn after_name_and_level(text: &str) -> &str {
    let start = text.trim_start_matches([' ', ':']);
    if let Some(rest) = level(start) {
        return rest;
    }
    let head = cut(start, 90);
    let mut at = 0;
    for _ in 0..4 {
        let Some(blank) = head.get(at..).and_then(|rest| rest.find(' ')) else { break };
        let word = head.get(at..at + blank).unwrap_or_default();
        let number = word.starts_with(|c: char| c.is_ascii_digit()) && !word.contains(':');
        if word.contains('=') || number {
            break;
        }
        at += blank + 1;
        if let Some(rest) = start.get(at..).and_then(level) {
            return rest;
        }
    }
    after_module(text)
}

#[cfg(test)]
mod tests {
    use super::strip;

    #[test]
    fn what_loggers_write() {
        for (line, wanted) in [
            ("INFO:absl:epoch:  1, loss: 2", "epoch:  1, loss: 2"),
            ("INFO:main.utils:e 0, i 0:V", "e 0, i 0:V"),
            ("I0914 09:42:56.544800  6584 solver.cpp:228] Iteration 18", "Iteration 18"),
            ("I0914 09:42:56.544800  6584 solver.cpp:244]     Train net", "    Train net"),
            ("2021-03-08 12:30:12 | INFO | train_inner | epoch 1", "train_inner | epoch 1"),
            ("2021-03-08 12:30:12 | INFO | fairseq_cli.train | done", "done"),
            ("[2024-06-21 10:50:42,167] [INFO] [logging.py:96:log_dist] [Rank 0] step=10", " step=10"),
            ("11/22 20:44:07 - mmengine - INFO - Epoch(train) [1][10/29]", "Epoch(train) [1][10/29]"),
            ("[04/05 01:30:24 d2.utils.events]:  eta: 0:03:35  iter: 19", "  eta: 0:03:35  iter: 19"),
            ("[04/14 09:05:02] d2.utils.events INFO:  eta: 1", "  eta: 1"),
            ("2019-05-27 10:48:54,461 maskrcnn_benchmark.trainer INFO: eta: 0", " eta: 0"),
            ("2019-08-21 14:56:44,024 INFO Epoch[101] Batch [250]", "Epoch[101] Batch [250]"),
            ("[gpu1:0/2] 2021-05-06 14:06:56,789 (trainer:1) INFO: x", " x"),
            ("2020-07-24 15:20:56,429 [24] allennlp.x.log l283 INFO | loss  |  1.0", "loss  |  1.0"),
            ("2021-05-06 14:06:56,789 (trainer:653) INFO: 1epoch:train", " 1epoch:train"),
            ("2026-01-02 10:00:00.123 | INFO     | yolox.core.trainer:after_iter:250 - epoch: 1", "epoch: 1"),
            ("20:32:05 Temp-dir: 0 mb", "Temp-dir: 0 mb"),
            ("[rank0]:2024-08-09 10:00:00,111 - root - INFO - step:  1", "step:  1"),
            ("<trainer> on testing Set:", " on testing Set:"),
            ("wandb:   accuracy 0.95", "  accuracy 0.95"),
            ("[2018-03-01 10:00:00] Ep. 1 : Up. 5", " Ep. 1 : Up. 5"),
            ("[03/15/17 10:20:30 INFO] Epoch 1 ; It", " Epoch 1 ; It"),
            ("[0]\ttrain-auc:0.9", "[0]\ttrain-auc:0.9"),
            ("[1][10/29] x", "[1][10/29] x"),
            ("64/1437 [>...] - loss: 1", "64/1437 [>...] - loss: 1"),
            ("0:\ttest: 0.98", "0:\ttest: 0.98"),
            ("Iteration 3, loss = 4", "Iteration 3, loss = 4"),
            ("[LightGBM] [Info] x", "[LightGBM] [Info] x"),
        ] {
            assert_eq!(strip(line), wanted, "{line}");
        }
    }
}
