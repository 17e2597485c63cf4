//! A configuration file as it may be shown: with `*` in the place of what could be a secret.
//!
//! A mistake is shown with its line, and the line of a mistyped key may hold the key itself; under systemd it would go
//! into the journal. So what stands behind anything that sounds like a secret is blotted out before a line is shown,
//! byte for byte, so that places still fit.

/// What a key that holds a secret, or an address with one in it, has in its name.
const SOUNDS_SECRET: &[&str] = &["key", "secret", "password", "token", "url", "smtp", "headers"];

/// The text with every possible secret blotted out; as long as before, line by line.
pub(super) fn mask(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut open = Open::Nothing;
    for line in text.split_inclusive('\n') {
        let from = match open {
            Open::Nothing => secret_from(line),
            Open::List | Open::Text => Some(0),
        };
        match from {
            None => masked.push_str(line),
            Some(from) => {
                masked.push_str(&line[..from]);
                masked.push_str(&blot(&line[from..]));
                open = open.after(&line[from..]);
            }
        }
    }
    masked
}

/// What goes on in the next line.
#[derive(Clone, Copy)]
enum Open {
    Nothing,
    List,
    Text,
}

impl Open {
    fn after(self, line: &str) -> Open {
        let quotes = line.matches("\"\"\"").count() + line.matches("'''").count();
        match self {
            Open::Text if quotes == 0 => Open::Text,
            Open::Nothing | Open::List if quotes % 2 == 1 => Open::Text,
            Open::List if !line.contains(']') => Open::List,
            Open::Nothing if line.contains('[') && !line.contains(']') => Open::List,
            _ => Open::Nothing,
        }
    }
}

/// Where the first secret of a line may begin.
fn secret_from(line: &str) -> Option<usize> {
    let line = line.to_ascii_lowercase();
    let mut from = 0;
    while let Some(at) = line[from..].find('=') {
        let key = line[from..from + at].trim_end_matches([' ', '"', '\'']);
        let key = key.rsplit([' ', '{', ',', '.', '"', '\'']).next().unwrap_or_default();
        // The name of a file or of a variable is no secret, and the person needs to see it.
        let only_names = key.ends_with("_file") || key.ends_with("_env");
        if !only_names && SOUNDS_SECRET.iter().any(|word| key.contains(word)) {
            return Some(from + at + 1);
        }
        from += at + 1;
    }
    // A line that no key explains, with a secret of a known form in it.
    ["whsec_", "whsk_", "eyj"].iter().filter_map(|form| line.find(form)).min()
}

fn blot(text: &str) -> String {
    let keep = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n' | '"' | '\'' | '[' | ']' | '{' | '}' | ',' | '=' | '#');
    let mut blotted = String::with_capacity(text.len());
    for c in text.chars() {
        match keep(c) {
            true => blotted.push(c),
            false => blotted.extend(std::iter::repeat_n('*', c.len_utf8())),
        }
    }
    blotted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_left_to_be_shown() {
        for (text, shown) in [
            ("api_key = \"abc\"\n", "api_key = \"***\"\n"),
            ("apikey = \"abc", "apikey = \"***"),
            ("id = \"main\" # x\n", "id = \"main\" # x\n"),
            ("api_key_file = \"pospos-key\"\n", "api_key_file = \"pospos-key\"\n"),
            ("secret = [\n  \"abc\",\n]\nname = \"x\"\n", "secret = [\n  \"***\",\n]\nname = \"x\"\n"),
            ("token = \"\"\"\nabc\n\"\"\"\nname = \"x\"\n", "token = \"\"\"\n***\n\"\"\"\nname = \"x\"\n"),
            ("x = { type = \"webhook\", secret = \"abc\" }\n", "x = { type = \"webhook\", secret = \"***\" }\n"),
            ("\"secret\" = \"ร้\"\n", "\"secret\" = \"******\"\n"),
            ("name = \"whsec_abc\"\n", "name = \"*********\"\n"),
        ] {
            assert_eq!(mask(text), shown);
            assert_eq!(mask(text).len(), text.len());
        }
    }
}
