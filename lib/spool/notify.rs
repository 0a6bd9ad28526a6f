//! Of which kinds of news a person wants to be told: `failed, finished, warning`, or `none`; the setting mail.notify, and
//! `notify` of a job, which goes before it.

use crate::base::text::did_you_mean;

/// A kind of news, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A run has failed, and is not tried again
    Failed,
    /// Something was found in a run
    Warning,
    /// A run is done
    Finished,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 3] = [Kind::Failed, Kind::Warning, Kind::Finished];

    /// As it stands in settings and jobs.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Failed => "failed",
            Kind::Warning => "warning",
            Kind::Finished => "finished",
        }
    }
}

/// Reads words with commas between them.
///
/// # Errors
/// A sentence about a word that is no kind.
pub fn parse(text: &str) -> Result<Vec<Kind>, String> {
    let words: Vec<&str> = text.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
    if words == ["none"] {
        return Ok(Vec::new());
    }
    let kind = |word: &&str| {
        Kind::ALL.into_iter().find(|kind| kind.word() == *word).ok_or_else(|| {
            let near = did_you_mean(word, Kind::ALL.map(Kind::word));
            match *word {
                "none" => "'none' goes with nothing else".to_string(),
                word => format!("'{word}' is not failed, finished, warning or none{near}"),
            }
        })
    };
    if words.is_empty() {
        return Err("expected failed, finished, warning or none".into());
    }
    words.iter().map(kind).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        assert_eq!(parse("failed, finished"), Ok(vec![Kind::Failed, Kind::Finished]));
        assert_eq!(parse("none"), Ok(Vec::new()));
        assert!(parse("faild").unwrap_err().ends_with("(did you mean 'failed'?)"));
        assert!(parse("none, failed").unwrap_err().contains("nothing else"));
        assert!(parse(" , ").is_err());
    }
}
