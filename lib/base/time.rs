//! Points in time and durations. Files hold RFC 3339 UTC with milliseconds; people see local time. Days are counted with
//! the civil-calendar algorithm of Howard Hinnant (chrono-compatible low-level date algorithms), which needs no table.

use super::sys;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Time since the machine was started, which no clock that is set can change; None: /proc does not tell.
pub fn since_boot() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/uptime").ok()?;
    Duration::try_from_secs_f64(text.split_whitespace().next()?.parse().ok()?).ok()
}

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub i64);

impl Time {
    /// Now, or what NN_NOW (RFC 3339) says: for tests.
    pub fn now() -> Time {
        if let Some(time) = std::env::var("NN_NOW").ok().and_then(|text| Time::parse(&text)) {
            return time;
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// Milliseconds since 1970 UTC.
    pub fn ms(self) -> i64 {
        self.0
    }

    /// Time from `earlier` to this; zero when the clock went back.
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Reads RFC 3339: `2026-11-22T23:00:00.123Z`, any offset, `T` or a blank between date and time.
    pub fn parse(text: &str) -> Option<Time> {
        let b = text.as_bytes();
        let separated = *b.get(4)? == b'-' && *b.get(7)? == b'-' && *b.get(13)? == b':' && *b.get(16)? == b':';
        if !separated || !matches!(b.get(10)?, b'T' | b't' | b' ') {
            return None;
        }
        let (year, month, day) = (digits(b, 0, 4)?, digits(b, 5, 2)?, digits(b, 8, 2)?);
        let (hour, minute, second) = (digits(b, 11, 2)?, digits(b, 14, 2)?, digits(b, 17, 2)?);
        let in_range = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
        if !in_range {
            return None;
        }
        let (ms, zone) = fraction(b.get(19..)?);
        let seconds = days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset(zone)?;
        Some(Time(seconds * 1000 + ms))
    }

    /// `2026-11-22 23:00:00` in local time, for people.
    pub fn local(self) -> String {
        match sys::local_time(self.0.div_euclid(1000)) {
            Some(t) => {
                format!("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", t.year, t.month, t.day, t.hour, t.minute, t.second)
            }
            None => self.to_string(),
        }
    }

    /// `Mon, 23 Nov 2026 02:50:33`, UTC, as mail (RFC 5322, with ` +0000`) and HTTP (RFC 9110, with ` GMT`) have it.
    pub fn of_protocols(self) -> String {
        const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let text = self.to_string();
        let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        let weekday = self.ms().div_euclid(86_400_000).rem_euclid(7);
        let weekday = usize::try_from(weekday).ok().and_then(|day| DAYS.get(day)).unwrap_or(&"Thu");
        let month = part(5, 7).parse::<usize>().ok();
        let month = month.and_then(|month| MONTHS.get(month.checked_sub(1)?)).unwrap_or(&"Jan");
        format!("{weekday}, {} {month} {} {}", part(8, 10), part(0, 4), part(11, 19))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (seconds, ms) = (self.0.div_euclid(1000), self.0.rem_euclid(1000));
        let (year, month, day) = civil_from_days(seconds.div_euclid(86400));
        let s = seconds.rem_euclid(86400);
        let (hour, minute, second) = (s / 3600, s / 60 % 60, s % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
    }
}

fn digits(b: &[u8], at: usize, n: usize) -> Option<i64> {
    let part = b.get(at..at + n)?;
    part.iter().all(u8::is_ascii_digit).then(|| part.iter().fold(0, |v, d| v * 10 + i64::from(d - b'0')))
}

/// Milliseconds of `.123456`, and what stands after it.
fn fraction(b: &[u8]) -> (i64, &[u8]) {
    if b.first() != Some(&b'.') {
        return (0, b);
    }
    let n = b[1..].iter().take_while(|c| c.is_ascii_digit()).count();
    let ms = (0..3).fold(0, |v, i| v * 10 + if i < n { i64::from(b[1 + i] - b'0') } else { 0 });
    (ms, &b[1 + n..])
}

/// Seconds east of UTC of `Z`, `+02:00`, `-0530`.
fn offset(b: &[u8]) -> Option<i64> {
    let sign = match b.first()? {
        b'Z' | b'z' => return (b.len() == 1).then_some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let minutes_at = if b.get(3) == Some(&b':') { 4 } else { 3 };
    (b.len() == minutes_at + 2).then_some(())?;
    Some(sign * (digits(b, 1, 2)? * 3600 + digits(b, minutes_at, 2)? * 60))
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719468;
    let era = days.div_euclid(146097);
    let day_of_era = days.rem_euclid(146097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

/// Reads `90s`, `2h30m`, `1.5h`, `500ms`, `90` (seconds), and Slurm's `2:00` `1:30:00` `1-23:59:59` `2-00`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let seconds = if text.contains(':') || text.get(1..).is_some_and(|t| t.contains('-')) {
        clock_seconds(text)? as f64
    } else {
        unit_seconds(text)?
    };
    (0.0..1e12).contains(&seconds).then(|| Duration::from_millis((seconds * 1000.0).round() as u64))
}

/// Slurm's forms: minutes:seconds, hours:minutes:seconds, days-hours[:minutes[:seconds]].
fn clock_seconds(text: &str) -> Option<u64> {
    let number = |part: &str| -> Option<u64> {
        (!part.is_empty() && part.len() < 7 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let (days, clock) = match text.split_once('-') {
        Some((days, clock)) => (Some(number(days)?), clock),
        None => (None, text),
    };
    let parts: Vec<u64> = clock.split(':').map(number).collect::<Option<_>>()?;
    let (h, m, s) = match (days, parts.as_slice()) {
        (_, [h, m, s]) => (*h, *m, *s),
        (Some(_), [h, m]) => (*h, *m, 0),
        (Some(_), [h]) => (*h, 0, 0),
        (None, [m, s]) => (0, *m, *s),
        _ => return None,
    };
    Some(days.unwrap_or(0) * 86400 + h * 3600 + m * 60 + s)
}

fn unit_seconds(text: &str) -> Option<f64> {
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let n = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number: f64 = rest[..n].parse().ok()?;
        let after = &rest[n..];
        let u = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let unit = match &after[..u] {
            "" if total == 0.0 && after.is_empty() => 1.0,
            "ms" => 0.001,
            "s" | "sec" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            "d" => 86400.0,
            "w" => 604800.0,
            _ => return None,
        };
        total += number * unit;
        rest = &after[u..];
    }
    (!text.is_empty()).then_some(total)
}

/// `45s`, `2h30m`, `3d4h`, `0.25s`: the two units that matter.
pub fn show_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 if duration.subsec_millis() > 0 => {
            let text = format!("{:.2}", duration.as_secs_f64());
            format!("{}s", text.trim_end_matches('0').trim_end_matches('.'))
        }
        0..60 => format!("{seconds}s"),
        60..3600 => two(seconds / 60, "m", seconds % 60, "s"),
        3600..86400 => two(seconds / 3600, "h", seconds / 60 % 60, "m"),
        _ => two(seconds / 86400, "d", seconds / 3600 % 24, "h"),
    }
}

fn two(big: u64, big_unit: &str, small: u64, small_unit: &str) -> String {
    if small == 0 { format!("{big}{big_unit}") } else { format!("{big}{big_unit}{small}{small_unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339() {
        for (text, ms) in [
            ("1970-01-01T00:00:00.000Z", 0),
            ("2001-09-09T01:46:40.250Z", 1_000_000_000_250),
            ("2000-02-29T12:00:00.000Z", 951_825_600_000),
            ("1969-12-31T23:59:59.999Z", -1),
        ] {
            assert_eq!(Time::parse(text), Some(Time(ms)), "{text}");
            assert_eq!(Time(ms).to_string(), text);
        }
        assert_eq!(Time::parse("2001-09-09 03:46:40+02:00"), Some(Time(1_000_000_000_000)));
        for bad in ["", "2026", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00", "2026-01-01T25:00:00Z", "é026-01-01T0"]
        {
            assert_eq!(Time::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn durations() {
        for (text, ms) in [
            ("90", 90_000),
            ("90s", 90_000),
            ("2h30m", 9_000_000),
            ("1.5h", 5_400_000),
            ("500ms", 500),
            ("1-23:59:59", 172_799_000),
            ("2-00", 172_800_000),
            ("1:30", 90_000),
            ("1:00:00", 3_600_000),
        ] {
            assert_eq!(parse_duration(text), Some(Duration::from_millis(ms)), "{text}");
        }
        for bad in ["", "h", "-5s", "5x", "1:2:3:4", "1h5", "nan", "1e9", "--", "1--2"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
        for (s, text) in
            [(0.0, "0s"), (0.25, "0.25s"), (59.0, "59s"), (90.0, "1m30s"), (9000.0, "2h30m"), (90000.0, "1d1h")]
        {
            assert_eq!(show_duration(Duration::from_secs_f64(s)), text);
        }
    }
}
