//! XML 1.0 as command-line tools print it: elements, text, the five named entities and numbered characters. Attributes,
//! comments and instructions are passed over. What a program printed is hostile until read: nesting and size are limited,
//! a document type is refused (entities that expand each other), and so is everything that is not closed.

/// Deepest nesting accepted.
const MAX_DEPTH: usize = 32;
/// Most elements in one document: more than a task each for the largest arrays.
const MAX_ELEMENTS: usize = 2_000_000;

/// An element: its name, the text directly in it, and what it holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Element {
    /// Its name, with any prefix
    pub name: String,
    /// The text directly in it, joined
    pub text: String,
    /// Its elements, in order
    pub children: Vec<Element>,
}

impl Element {
    /// Reads a whole document: its one element.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it, and at which byte.
    pub fn parse(text: &str) -> Result<Element, String> {
        let mut reader = Reader { text, at: 0 };
        // The document, as if it were the content of an element.
        let mut open = vec![Element::default()];
        let mut count = 0;
        reader.document(&mut open, &mut count).map_err(|what| format!("{what} at byte {}", reader.at))?;
        match open.pop() {
            Some(Element { mut children, text, .. }) if children.len() == 1 && text.trim().is_empty() => {
                Ok(children.remove(0))
            }
            _ => Err("expected one element".into()),
        }
    }

    /// The first element of this name directly in it.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first element of this name directly in it, without blanks around it.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim())
    }

    /// Every element of this name at any depth below it, in order.
    pub fn all<'a>(&'a self, name: &str) -> Vec<&'a Element> {
        let mut found = Vec::new();
        for child in &self.children {
            if child.name == name {
                found.push(child);
            }
            found.extend(child.all(name));
        }
        found
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn document(&mut self, open: &mut Vec<Element>, count: &mut usize) -> Result<(), String> {
        while let Some(rest) = self.rest() {
            let Some(inside) = rest.strip_prefix('<') else {
                let text = self.until("<").unwrap_or_else(|| self.take(rest.len()));
                let text = entities(text)?;
                open.last_mut().ok_or("unexpected text")?.text.push_str(&text);
                continue;
            };
            if inside.starts_with("?") {
                self.past("?>")?;
            } else if inside.starts_with("!--") {
                self.past("-->")?;
            } else if let Some(data) = inside.strip_prefix("![CDATA[") {
                let length = data.find("]]>").ok_or("a CDATA section without an end")?;
                open.last_mut().ok_or("unexpected text")?.text.push_str(data.get(..length).unwrap_or_default());
                self.past("]]>")?;
            } else if inside.starts_with('!') {
                return Err("a document type, which is not read,".into());
            } else if inside.starts_with('/') {
                let tag = self.past(">")?;
                let name = tag.trim_start_matches("</").trim_end_matches('>').trim_end();
                close(open, name)?;
            } else {
                let tag = self.tag()?;
                *count += 1;
                if open.len() > MAX_DEPTH || *count > MAX_ELEMENTS {
                    return Err("more than can be read".into());
                }
                let empty = tag.ends_with('/');
                let name = tag.split(|c: char| c.is_ascii_whitespace() || c == '/').next().unwrap_or_default();
                if !is_name(name) {
                    return Err("an element without a name".into());
                }
                open.push(Element { name: name.to_string(), ..Element::default() });
                if empty {
                    close(open, name)?;
                }
            }
        }
        if open.len() == 1 { Ok(()) } else { Err("an element without an end".into()) }
    }

    fn rest(&self) -> Option<&'a str> {
        self.text.get(self.at..).filter(|rest| !rest.is_empty())
    }

    fn take(&mut self, length: usize) -> &'a str {
        let taken = self.text.get(self.at..self.at + length).unwrap_or_default();
        self.at += length;
        taken
    }

    /// What comes before the next `mark`.
    fn until(&mut self, mark: &str) -> Option<&'a str> {
        let length = self.rest()?.find(mark)?;
        Some(self.take(length))
    }

    /// What comes before the next `mark`, and that.
    fn past(&mut self, mark: &str) -> Result<&'a str, String> {
        let length = self.rest().and_then(|rest| rest.find(mark)).ok_or_else(|| format!("no '{mark}' any more"))?;
        Ok(self.take(length + mark.len()))
    }

    /// The inside of a start tag. A '>' in an attribute's value does not end it.
    fn tag(&mut self) -> Result<&'a str, String> {
        let rest = self.rest().unwrap_or_default();
        let mut quote = None;
        for (i, c) in rest.char_indices() {
            match (quote, c) {
                (None, '"' | '\'') => quote = Some(c),
                (Some(open), c) if open == c => quote = None,
                (None, '>') => {
                    self.take(i + 1);
                    return Ok(rest.get(1..i).unwrap_or_default());
                }
                _ => {}
            }
        }
        Err("a tag without an end".into())
    }
}

fn is_name(name: &str) -> bool {
    let starts = name.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
    starts && name.chars().all(|c| c.is_alphanumeric() || "_-.:".contains(c))
}

/// Ends the innermost element, which must have this name.
fn close(open: &mut Vec<Element>, name: &str) -> Result<(), String> {
    match open.pop() {
        Some(element) if element.name == name && !open.is_empty() => {
            if let Some(parent) = open.last_mut() {
                parent.children.push(element);
            }
            Ok(())
        }
        _ => Err(format!("'</{name}>' where another element ends")),
    }
}

/// Text with its entities replaced.
fn entities(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        let (name, after) = after.split_once(';').ok_or("an '&' without a ';'")?;
        out.push_str(before);
        out.push(entity(name).ok_or_else(|| format!("an unknown entity '&{name};'"))?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_and_text() {
        let text = "<?xml version='1.0'?>\n<!-- <x> -->\n<a x=\"1>2\" y='/'>\n <b>1 &lt; 2 &amp;&#65;&#x42;</b><c/><c d='e' />\n <b/><f><c>in</c></f><![CDATA[<raw>]]></a >\n";
        let a = Element::parse(text).unwrap();
        assert_eq!((a.name.as_str(), a.text.trim()), ("a", "<raw>"));
        assert_eq!(a.value("b"), Some("1 < 2 &AB"));
        assert_eq!((a.all("c").len(), a.child("c").unwrap().text.as_str(), a.value("nothing")), (3, "", None));
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        for text in [
            "",
            "text",
            "<a>",
            "<a><b></a></b>",
            "</a>",
            "<a></a><a></a>",
            "<a></a>text",
            "<a",
            "<a b='>'",
            "<a>&amp</a>",
            "<a>&nbsp;</a>",
            "<a>&#xd800;</a>",
            "<a>&#99999999999;</a>",
            "< a></a>",
            "<></>",
            "<a><!-- </a>",
            "<a><![CDATA[</a>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            "error: commlib error: got select error (Connection refused)",
        ] {
            assert!(Element::parse(text).is_err(), "{text}");
        }
        // Neither the stack nor memory is at the mercy of who prints it.
        assert!(Element::parse(&"<a>".repeat(1_000_000)).is_err());
        let deep = format!("{}{}", "<a>".repeat(MAX_DEPTH), "</a>".repeat(MAX_DEPTH));
        assert!(Element::parse(&deep).is_ok());
        assert!(Element::parse(&format!("<a>{deep}</a>")).is_err());
    }

    #[test]
    fn cut_or_changed_anywhere_it_does_not_break() {
        let text = "<?xml version='1.0'?><a b='c'><d>&amp;é<!-- - --></d><e/></a>";
        for (i, _) in text.char_indices() {
            assert!(Element::parse(&text[..i]).is_err(), "{i}");
            for c in ['<', '>', '&', ';', '/', '"', '\0', 'é'] {
                let changed: String = text.char_indices().map(|(j, own)| if i == j { c } else { own }).collect();
                let _ = Element::parse(&changed);
            }
        }
    }
}
