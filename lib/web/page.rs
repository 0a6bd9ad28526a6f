//! The page: all its files, in the program itself. The server hands them out by name, an export writes them down.

/// One file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct File {
    /// Its name; that of the page itself is index.html
    pub name: &'static str,
    /// Its media type
    pub kind: &'static str,
    /// What is in it
    pub bytes: &'static [u8],
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// All of them.
pub const FILES: [File; 27] = [
    File { name: "index.html", kind: HTML, bytes: include_bytes!("page/index.html") },
    File { name: "style.css", kind: CSS, bytes: include_bytes!("page/style.css") },
    File { name: "theme.js", kind: SCRIPT, bytes: include_bytes!("page/theme.js") },
    File { name: "dom.js", kind: SCRIPT, bytes: include_bytes!("page/dom.js") },
    File { name: "words.js", kind: SCRIPT, bytes: include_bytes!("page/words.js") },
    File { name: "data.js", kind: SCRIPT, bytes: include_bytes!("page/data.js") },
    File { name: "files.js", kind: SCRIPT, bytes: include_bytes!("page/files.js") },
    File { name: "columns.js", kind: SCRIPT, bytes: include_bytes!("page/columns.js") },
    File { name: "more.js", kind: SCRIPT, bytes: include_bytes!("page/more.js") },
    File { name: "expr.js", kind: SCRIPT, bytes: include_bytes!("page/expr.js") },
    File { name: "table.js", kind: SCRIPT, bytes: include_bytes!("page/table.js") },
    File { name: "scale.js", kind: SCRIPT, bytes: include_bytes!("page/scale.js") },
    File { name: "curves.js", kind: SCRIPT, bytes: include_bytes!("page/curves.js") },
    File { name: "pointer.js", kind: SCRIPT, bytes: include_bytes!("page/pointer.js") },
    File { name: "legend.js", kind: SCRIPT, bytes: include_bytes!("page/legend.js") },
    File { name: "actions.js", kind: SCRIPT, bytes: include_bytes!("page/actions.js") },
    File { name: "runs.js", kind: SCRIPT, bytes: include_bytes!("page/runs.js") },
    File { name: "log.js", kind: SCRIPT, bytes: include_bytes!("page/log.js") },
    File { name: "trends.js", kind: SCRIPT, bytes: include_bytes!("page/trends.js") },
    File { name: "diff.js", kind: SCRIPT, bytes: include_bytes!("page/diff.js") },
    File { name: "run.js", kind: SCRIPT, bytes: include_bytes!("page/run.js") },
    File { name: "relate.js", kind: SCRIPT, bytes: include_bytes!("page/relate.js") },
    File { name: "bars.js", kind: SCRIPT, bytes: include_bytes!("page/bars.js") },
    File { name: "compare.js", kind: SCRIPT, bytes: include_bytes!("page/compare.js") },
    File { name: "hosts.js", kind: SCRIPT, bytes: include_bytes!("page/hosts.js") },
    File { name: "queue.js", kind: SCRIPT, bytes: include_bytes!("page/queue.js") },
    File { name: "app.js", kind: SCRIPT, bytes: include_bytes!("page/app.js") },
];

/// The file at a path: `/` is the page.
pub fn find(path: &str) -> Option<&'static File> {
    let name = if path == "/" { "index.html" } else { path.strip_prefix('/')? };
    FILES.iter().find(|file| file.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_its_files_and_no_others() {
        let page = String::from_utf8_lossy(find("/").unwrap().bytes);
        let named: Vec<&str> =
            page.split([' ', '>']).filter_map(|word| word.strip_prefix("src=\"")?.strip_suffix('"')).collect();
        let scripts: Vec<&str> = FILES.iter().filter(|file| file.kind == SCRIPT).map(|file| file.name).collect();
        assert_eq!(named, scripts);
    }

    /// Elements are made by nn.h alone, of texts: there is no way in for markup, and nothing of other hosts.
    #[test]
    fn scripts_make_no_markup() {
        let forbidden = [
            "innerHTML",
            "outerHTML",
            "insertAdjacent",
            "document.write",
            "eval(",
            "new Function",
            "setTimeout('",
            "createContextualFragment",
            "https:",
            "http:",
            "srcdoc",
        ];
        for file in FILES.iter().filter(|file| file.kind != CSS) {
            let text = String::from_utf8_lossy(file.bytes);
            for word in forbidden {
                assert!(!text.contains(word), "{}: {word}", file.name);
            }
            assert!(text.lines().count() < 400, "{}", file.name);
        }
    }
}
