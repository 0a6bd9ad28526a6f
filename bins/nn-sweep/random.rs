//! Random draws that stay the same for ever, on every machine.
//!
//! A draw is a hash of the seed, the parameter's name and the number of the draw (SplitMix64, Steele, Lea and Flood 2014).
//! So more draws keep the first ones, and another parameter beside it changes nothing. Draws are rounded to six digits,
//! which also hides the last bit, where mathematical libraries differ.

use super::values::{Items, round_to, show};

/// What is drawn from.
#[derive(Clone, Debug, PartialEq)]
pub enum Dist {
    /// Any number between the two
    Uniform(f64, f64),
    /// Any number between the two, every order of magnitude alike
    LogUniform(f64, f64),
    /// A whole number between the two, both included
    Int(i64, i64),
    /// One of these
    Choice(Vec<String>),
}

impl Dist {
    /// `uniform LO HI`, `loguniform LO HI`, `int LO HI` or `choice A, B, ...`.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn parse(text: &str) -> Result<Dist, String> {
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let two = || {
            let mut numbers = rest.split_whitespace().map(|n| n.parse::<f64>().ok().filter(|n| n.is_finite()));
            match (numbers.next(), numbers.next(), numbers.next()) {
                (Some(Some(lo)), Some(Some(hi)), None) if lo < hi && (hi - lo).is_finite() => Ok((lo, hi)),
                _ => Err(format!("'{text}': expected {word} LO HI, two numbers, the smaller first")),
            }
        };
        match word {
            "uniform" => two().map(|(lo, hi)| Dist::Uniform(lo, hi)),
            "loguniform" => match two()? {
                (lo, hi) if lo > 0.0 => Ok(Dist::LogUniform(lo, hi)),
                _ => Err(format!("'{text}': loguniform needs numbers above 0")),
            },
            "int" => {
                let mut numbers = rest.split_whitespace().map(|n| n.parse::<i64>().ok());
                match (numbers.next(), numbers.next(), numbers.next()) {
                    (Some(Some(lo)), Some(Some(hi)), None) if lo <= hi => Ok(Dist::Int(lo, hi)),
                    _ => Err(format!("'{text}': expected int LO HI, two whole numbers, the smaller first")),
                }
            }
            "choice" => Ok(Dist::Choice(Items::split(rest, ',')?.into_texts())),
            other => {
                let known = ["uniform", "loguniform", "int", "choice"];
                let near = nn::base::text::did_you_mean(other, known);
                Err(format!("'{other}': expected uniform, loguniform, int or choice{near}"))
            }
        }
    }

    /// Draw number `i`.
    pub fn draw(&self, seed: u64, name: &str, i: u64) -> String {
        let bits = bits(seed, name, i);
        let unit = (bits >> 11) as f64 / (1u64 << 53) as f64;
        match self {
            Dist::Uniform(lo, hi) => {
                let place = 10f64.powi((hi - lo).log10().floor() as i32 - 6);
                let x = ((lo + unit * (hi - lo)) / place).round() * place;
                show(round_to(x, 12).clamp(*lo, *hi))
            }
            Dist::LogUniform(lo, hi) => {
                let digits = if hi / lo < 1.1 { 12 } else { 6 };
                show(round_to((lo.ln() + unit * (hi.ln() - lo.ln())).exp(), digits).clamp(*lo, *hi))
            }
            Dist::Int(lo, hi) => {
                let many = i128::from(*hi) - i128::from(*lo) + 1;
                (i128::from(*lo) + scaled(bits, many)).to_string()
            }
            Dist::Choice(items) => items.get(scaled(bits, items.len() as i128) as usize).cloned().unwrap_or_default(),
        }
    }
}

/// A whole number from 0 below `many`, in proportion to 64 random bits.
fn scaled(bits: u64, many: i128) -> i128 {
    ((u128::from(bits) * many.unsigned_abs()) >> 64) as i128
}

/// Sixty-four bits that depend on all three.
fn bits(seed: u64, name: &str, i: u64) -> u64 {
    let name = name.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    mix(mix(seed ^ mix(name)).wrapping_add(i.wrapping_add(1).wrapping_mul(GOLDEN)))
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of SplitMix64.
fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_for_ever() {
        // The reference output of SplitMix64 for seed 0 begins so.
        assert_eq!(mix(GOLDEN), 0xe220_a839_7b1d_cdaf);
        let draws = |text: &str| (0..3).map(|i| Dist::parse(text).unwrap().draw(7, "lr", i)).collect::<Vec<_>>();
        assert_eq!(draws("uniform 0 1"), DRAWS[0]);
        assert_eq!(draws("loguniform 1e-4 1e-1"), DRAWS[1]);
        assert_eq!(draws("int 1 100"), DRAWS[2]);
        assert_eq!(draws("choice a, b, 'c, d'"), DRAWS[3]);
    }

    const DRAWS: [[&str; 3]; 4] = [
        ["0.732226", "0.101224", "0.753469"],
        ["0.0157281", "0.000201221", "0.0182141"],
        ["74", "11", "76"],
        ["c, d", "a", "c, d"],
    ];

    #[test]
    fn within_bounds_and_spread() {
        for text in ["uniform -3 5", "loguniform 1e-5 1", "int -3 3", "uniform 1000000 1000001"] {
            let dist = Dist::parse(text).unwrap();
            let (lo, hi) = match dist {
                Dist::Uniform(lo, hi) | Dist::LogUniform(lo, hi) => (lo, hi),
                Dist::Int(lo, hi) => (lo as f64, hi as f64),
                Dist::Choice(_) => unreachable!(),
            };
            let draws: Vec<f64> = (0..1000).map(|i| dist.draw(0, "x", i).parse().unwrap()).collect();
            assert!(draws.iter().all(|x| (lo..=hi).contains(x)), "{text}");
            let middle = if lo > 0.0 { (lo * hi).sqrt() } else { (lo + hi) / 2.0 };
            let below = draws.iter().filter(|x| **x < middle).count();
            assert!((350..650).contains(&below), "{text}: {below}");
        }
        let wide = Dist::parse(&format!("int {} {}", i64::MIN, i64::MAX)).unwrap();
        assert!(wide.draw(0, "x", u64::MAX).parse::<i64>().is_ok());
    }

    #[test]
    fn refused() {
        for text in
            ["uniform 1", "uniform 2 1", "loguniform 0 1", "int 1 2.5", "choice a,,b", "unifrom 1 2", "uniform 0 inf"]
        {
            assert!(Dist::parse(text).is_err(), "{text}");
        }
        assert!(Dist::parse("unifrom 1 2").unwrap_err().contains("did you mean 'uniform'"));
    }
}
