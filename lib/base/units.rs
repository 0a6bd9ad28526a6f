//! Sizes and numbers as people write and read them.

/// Bytes of `20G`, `512M`, `1.5GiB`, `100`: powers of 1024, as Slurm and df -h mean them.
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().ok()?;
    let power = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 1,
        "m" | "mb" | "mib" => 2,
        "g" | "gb" | "gib" => 3,
        "t" | "tb" | "tib" => 4,
        "p" | "pb" | "pib" => 5,
        _ => return None,
    };
    let bytes = number * 1024f64.powi(power);
    (bytes.is_finite() && bytes < u64::MAX as f64).then_some(bytes as u64)
}

/// `20G`, `1.5G`, `512M`, `100`: at most three significant digits, no unit below 1 K.
pub fn show_size(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["", "K", "M", "G", "T", "P"] {
        if value < 999.5 || unit == "P" {
            return if unit.is_empty() || value >= 99.95 || value.fract() == 0.0 {
                format!("{value:.0}{unit}")
            } else if value >= 9.995 {
                format!("{}{unit}", trim_zeros(&format!("{value:.1}")))
            } else {
                format!("{}{unit}", trim_zeros(&format!("{value:.2}")))
            };
        }
        value /= 1024.0;
    }
    format!("{bytes}")
}

/// A number with up to six significant digits, the way `%g` prints it: `0.1`, `1e-05`, `1.5e+30`, `nan`, `inf`.
pub fn show_number(value: f64) -> String {
    if value.is_nan() {
        return "nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf".into() } else { "-inf".into() };
    }
    if value == 0.0 {
        return "0".into();
    }
    let scientific = format!("{value:.5e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-5..6).contains(&exponent) {
        trim_zeros(&format!("{value:.*}", (5 - exponent).max(0) as usize)).to_string()
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}e{sign}{:02}", trim_zeros(mantissa), exponent.abs())
    }
}

/// The digits without zeros (and a point) at the end that say nothing.
fn trim_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let g = 1 << 30;
        for (text, bytes) in
            [("20G", 20 * g), ("1.5GiB", g * 3 / 2), ("512m", 512 << 20), ("7", 7), ("1 k", 1024), ("0", 0)]
        {
            assert_eq!(parse_size(text), Some(bytes), "{text}");
        }
        for text in ["", "G", "-1", "1X", "1e99G", "1.2.3", "nan", "99999999P"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
        for (bytes, text) in [(0, "0"), (999, "999"), (1000, "0.98K"), (20 * g, "20G"), (g * 3 / 2, "1.5G")] {
            assert_eq!(show_size(bytes), text);
        }
    }

    #[test]
    fn numbers() {
        for (value, text) in [
            (0.1, "0.1"),
            (1e-5, "0.00001"),
            (1.23456789e-6, "1.23457e-06"),
            (123456.0, "123456"),
            (1234567.0, "1.23457e+06"),
            (-2.5, "-2.5"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
            (0.999999999, "1"),
            (100.0, "100"),
        ] {
            assert_eq!(show_number(value), text);
        }
    }
}
