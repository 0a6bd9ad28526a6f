//! Templates for subject and body of a message about one run: text with {placeholders}. `{{` is a brace. An unknown name is
//! an error before anything is sent.

use nn::base::error::{Error, Result};
use nn::base::text::did_you_mean;
use nn::spool::config::Config;

/// Every placeholder.
pub const NAMES: [&str; 14] = [
    "run", "name", "group", "state", "what", "why", "host", "command", "params", "duration", "values", "log",
    "headline", "report",
];

/// Both templates; None: as it is without.
#[derive(Debug, Default)]
pub struct Templates {
    pub subject: Option<String>,
    pub body: Option<String>,
}

impl Templates {
    /// Those of the settings, checked. In one line of a file `\n` is the end of a line.
    ///
    /// # Errors
    /// One names a placeholder that there is none of.
    pub fn read(config: &Config) -> Result<Templates> {
        let get = |key: &str| -> Result<Option<String>> {
            let Some(text) = config.get(key).filter(|text| !text.is_empty()) else { return Ok(None) };
            fill(&text, &|_| String::new()).map_err(|what| Error::other(format!("{key}: {what}")))?;
            Ok(Some(text.replace("\\n", "\n")))
        };
        Ok(Templates { subject: get("mail.subject")?, body: get("mail.body")? })
    }
}

/// The text with every placeholder replaced; what is put in is not looked at again.
///
/// # Errors
/// A name that there is none of, or a brace that is not closed.
pub fn fill(template: &str, value: &dyn Fn(&str) -> String) -> std::result::Result<String, String> {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('{') {
            out.push('{');
            rest = after;
            continue;
        }
        let (name, after) = after.split_once('}').ok_or("'{' without '}' ('{{' is a brace)")?;
        if !NAMES.contains(&name) {
            return Err(format!(
                "there is no {{{name}}}{}; there are: {}",
                did_you_mean(name, NAMES),
                NAMES.join(", ")
            ));
        }
        out.push_str(&value(name));
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders() {
        let value = |name: &str| format!("<{name}{{run}}>");
        assert_eq!(fill("a {run} {{b} {name}", &value).unwrap(), "a <run{run}> {b} <name{run}>");
        assert!(fill("{rum}", &value).unwrap_err().contains("there is no {rum} (did you mean 'run'?)"));
        assert!(fill("{run", &value).is_err());
    }
}
