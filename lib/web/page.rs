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
pub const FILES: [File; 3] = [
    File { name: "index.html", kind: HTML, bytes: include_bytes!("page/index.html") },
    File { name: "style.css", kind: CSS, bytes: include_bytes!("page/style.css") },
    File { name: "app.js", kind: SCRIPT, bytes: include_bytes!("page/app.js") },
];

/// The file at a path: `/` is the page.
pub fn find(path: &str) -> Option<&'static File> {
    let name = if path == "/" { "index.html" } else { path.strip_prefix('/')? };
    FILES.iter().find(|file| file.name == name)
}
