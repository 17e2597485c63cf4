//! What does a source file name? A small reader of Rust by its text: enough for the rules of the house, and no parser.
//!
//! Comments and the inside of string literals are taken out first, so that a word in a sentence is no import. Macros
//! are read like everything else.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Words that may stand before a path that begins with `::`.
const KEYWORDS: &[&str] =
    &["as", "dyn", "else", "for", "if", "impl", "in", "match", "move", "mut", "return", "use", "where"];

/// One file of the repository.
pub struct Source {
    /// From the top level, with `/`.
    pub path: String,
    /// As it stands.
    pub text: String,
    /// Line for line the same, without comments and the inside of literals.
    pub code: String,
    /// The first line that only tests see; all lines of a test module's own file.
    pub tests_from: usize,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Source {
        let code = strip(text);
        let in_tests = path.starts_with("tests/") || path.ends_with("/tests.rs") || path.contains("/tests/");
        let tests_from = if in_tests { 1 } else { test_module(&code) };
        Source { path: path.to_owned(), text: text.to_owned(), code, tests_from }
    }

    /// The modules from the root of the crate: `src/edge/store/mod.rs` is `[edge, store]`.
    pub fn module(&self) -> Vec<&str> {
        let path = self.path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
        if path == "lib" { Vec::new() } else { path.split('/').collect() }
    }

    /// Every path in the part that ships, `use` trees spelled out, `self` and `super` resolved: `(line, segments)`.
    pub fn paths(&self) -> BTreeSet<(usize, Vec<String>)> {
        let mut found = BTreeSet::new();
        let tokens: Vec<(usize, &str)> = tokens(&self.code).into_iter().filter(|t| t.0 < self.tests_from).collect();
        let mut at = 0;
        while at < tokens.len() {
            at = if begins_a_path(&tokens, at) {
                let line = tokens[at].0;
                spell_out(&tokens, at, &mut Vec::new(), &mut |path| {
                    found.insert((line, self.resolve(path)));
                })
            } else {
                at + 1
            };
        }
        found
    }

    fn resolve(&self, path: &[String]) -> Vec<String> {
        let mut base: Vec<String> = self.module().into_iter().map(str::to_owned).collect();
        let mut rest = path;
        match rest.first().map(String::as_str) {
            Some("crate") => base = Vec::new(),
            Some("posbell") if self.path == "src/main.rs" => base = Vec::new(),
            Some("self") => {}
            Some("super") => {
                while rest.first().is_some_and(|segment| segment == "super") {
                    base.pop();
                    rest = &rest[1..];
                }
                return [vec!["crate".to_owned()], base, rest.to_vec()].concat();
            }
            _ => return path.to_vec(),
        }
        rest = &rest[1..];
        [vec!["crate".to_owned()], base, rest.to_vec()].concat()
    }
}

/// Every text file below `root`, but for what is built and what git keeps.
pub fn tree(root: &Path) -> Vec<Source> {
    let mut sources = Vec::new();
    walk(root, root, &mut sources);
    mark_test_modules(&mut sources);
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

fn walk(root: &Path, directory: &Path, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(directory).expect("the repository can be read") {
        let path = entry.expect("the repository can be read").path();
        let name = path.strip_prefix(root).expect("is below").to_string_lossy().replace('\\', "/");
        if ["target", ".git"].contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            walk(root, &path, sources);
        } else if let Ok(text) = fs::read_to_string(&path) {
            sources.push(Source::new(&name, &text));
        }
    }
}

/// Marks the files of modules that are declared for tests alone: a line `mod simulation;` below `#[cfg(test)]`.
pub fn mark_test_modules(sources: &mut [Source]) {
    let mut modules: Vec<String> = Vec::new();
    for source in sources.iter().filter(|source| source.path.starts_with("src/") && source.path.ends_with(".rs")) {
        let lines: Vec<&str> = source.code.lines().map(str::trim).collect();
        for pair in lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]") {
            if let Some(name) = pair[1].strip_prefix("mod ").and_then(|name| name.strip_suffix(';')) {
                modules.push([source.module(), vec![name]].concat().join("/"));
            }
        }
    }
    for source in sources {
        let module = source.module().join("/");
        if modules.iter().any(|tests| module == *tests || module.starts_with(&format!("{tests}/"))) {
            source.tests_from = 1;
        }
    }
}

/// The line on which the file's inline test module begins; after the last line where it has none.
fn test_module(code: &str) -> usize {
    let lines: Vec<&str> = code.lines().map(str::trim).collect();
    let opens = |line: &&&str| !line.starts_with("#[") && !line.is_empty();
    let begins = |at: &usize| {
        let item = lines[at + 1..].iter().find(opens);
        lines[*at].starts_with("#[cfg(test)]") && item.is_some_and(|i| i.starts_with("mod ") && i.contains('{'))
    };
    (0..lines.len()).find(begins).map_or(usize::MAX, |at| at + 1)
}

/// The same lines without comments and without what stands in string literals.
pub fn strip(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = match chars[at] {
            '/' if chars.get(at + 1) == Some(&'/') => find(&chars, at, "\n"),
            '/' if chars.get(at + 1) == Some(&'*') => after_comment(&chars, at),
            '"' => after_string(&chars, at),
            'r' if !at.checked_sub(1).is_some_and(|before| word(chars[before])) => after_raw_string(&chars, at),
            '\'' => after_char(&chars, at),
            _ => at,
        };
        if end == at {
            code.push(chars[at]);
            at += 1;
        } else {
            code.extend(chars[at..end].iter().filter(|c| **c == '\n'));
            at = end;
        }
    }
    code
}

/// Where `needle` begins, from `at` on; the end where it does not.
fn find(chars: &[char], at: usize, needle: &str) -> usize {
    let needle: Vec<char> = needle.chars().collect();
    chars[at..].windows(needle.len()).position(|window| window == needle).map_or(chars.len(), |found| at + found)
}

fn after_comment(chars: &[char], at: usize) -> usize {
    let mut depth = 0;
    let mut end = at;
    while end < chars.len() {
        match (chars[end], chars.get(end + 1)) {
            ('/', Some('*')) => (depth, end) = (depth + 1, end + 2),
            ('*', Some('/')) => (depth, end) = (depth - 1, end + 2),
            _ => end += 1,
        }
        if depth == 0 {
            break;
        }
    }
    end.min(chars.len())
}

fn after_string(chars: &[char], at: usize) -> usize {
    let mut end = at + 1;
    while end < chars.len() && chars[end] != '"' {
        end += if chars[end] == '\\' { 2 } else { 1 };
    }
    (end + 1).min(chars.len())
}

fn after_raw_string(chars: &[char], at: usize) -> usize {
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    if chars.get(at + 1 + hashes) != Some(&'"') {
        return at;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    (find(chars, at + 2 + hashes, &close) + close.len()).min(chars.len())
}

/// A character literal; a lifetime is left as it is.
fn after_char(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => (find(chars, at + 3, "'") + 1).min(chars.len()),
        (Some(_), Some('\'')) => at + 3,
        _ => at,
    }
}

fn word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_word(token: &str) -> bool {
    token.starts_with(word)
}

/// Words, `::`, and every other sign alone, each with its line.
fn tokens(code: &str) -> Vec<(usize, &str)> {
    let mut tokens = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = match first {
                ':' if rest.starts_with("::") => 2,
                c if word(c) => rest.find(|c| !word(c)).unwrap_or(rest.len()),
                c => c.len_utf8(),
            };
            tokens.push((number + 1, &rest[..length]));
            rest = rest[length..].trim_start();
        }
    }
    tokens
}

/// Whether a path begins at `at`: a word that `::` follows or `use` leads to, and that is not the middle of one.
fn begins_a_path(tokens: &[(usize, &str)], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).map_or("", |at| tokens[at].1);
    let leads = tokens.get(at + 1).is_some_and(|next| next.1 == "::");
    let imported = before(1) == "use" || (before(2) == "extern" && before(1) == "crate");
    let continues = before(1) == "::" && (before(2) == ">" || (is_word(before(2)) && !KEYWORDS.contains(&before(2))));
    let named = is_word(tokens[at].1) && !KEYWORDS.contains(&tokens[at].1);
    named && (leads || imported) && !continues
}

/// Calls `tell` for every path of the tree that begins at `at`, and returns where the tree ends.
fn spell_out(tokens: &[(usize, &str)], at: usize, path: &mut Vec<String>, tell: &mut impl FnMut(&[String])) -> usize {
    let depth = path.len();
    let mut at = at;
    let token = |at: usize| tokens.get(at).map_or("", |token| token.1);
    loop {
        if token(at) == "{" {
            at += 1;
            while !matches!(token(at), "}" | "") {
                at = if matches!(token(at), "," | "::") {
                    at + 1
                } else {
                    spell_out(tokens, at, path, tell).max(at + 1)
                };
            }
            at += 1;
            break;
        }
        if is_word(token(at)) || token(at) == "*" {
            path.push(token(at).to_owned());
            at += 1;
        }
        let goes_on = is_word(token(at + 1)) || matches!(token(at + 1), "{" | "*");
        if token(at) != "::" || !goes_on {
            tell(path);
            if token(at) == "as" {
                at += 2;
            }
            break;
        }
        at += 1;
    }
    path.truncate(depth);
    at
}
