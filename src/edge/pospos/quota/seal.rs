//! By what is a line known to stand where it was written, with every line before it?
//!
//! Behind each line of the ledger stands a part of its *seal*: a hash of the line and of the seal of the line before. So a
//! line that is changed, or taken out, breaks the seals of all that follow; what is cut off at the end breaks none, and
//! is known by the *mark*, a second file that holds the seal of the last line that must be there.
//!
//! The hashes find damage. They do not withstand somebody who forges both files.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// What stands between a line and its seal.
const BEFORE: &str = " #";

/// Of a seal so many hexadecimal digits stand behind the line.
const DIGITS: usize = 8;

/// The seal of a line: of it and of all before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Seal(u64);

impl Seal {
    /// The seal of this line, where that of the line before is `self`.
    fn after(self, line: &str) -> Self {
        Self(xxh3_64_with_seed(line.as_bytes(), self.0))
    }

    /// Seals each of these lines, and gives the seal of the last.
    pub fn close(self, lines: &str) -> (String, Self) {
        let (mut text, mut seal) = (String::with_capacity(lines.len() * 2), self);
        for line in lines.lines() {
            seal = seal.after(line);
            text.extend([line, BEFORE, &seal.written()[..DIGITS], "\n"]);
        }
        (text, seal)
    }

    /// What stands in a line that ends with its line break, and its seal where it is the right one after `self`.
    pub fn open(self, line: &str) -> (&str, Option<Self>) {
        let whole = line.strip_suffix('\n');
        let Some((body, digits)) = whole.unwrap_or(line).rsplit_once(BEFORE) else { return (line, None) };
        let seal = self.after(body);
        let is_right = whole.is_some() && digits == &seal.written()[..DIGITS];
        (body, is_right.then_some(seal))
    }

    /// The seal as sixteen hexadecimal digits.
    pub fn written(self) -> String {
        format!("{:016x}", self.0)
    }

    /// The seal that is written so.
    pub fn read(text: &str) -> Option<Self> {
        (text.len() == 16).then(|| u64::from_str_radix(text, 16).ok().map(Self))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of these lines are sealed rightly, one after the other.
    fn right(text: &str) -> usize {
        let mut seal = Seal::default();
        let is_right = |line: &&str| match seal.open(line).1 {
            Some(next) => {
                seal = next;
                true
            }
            None => false,
        };
        text.split_inclusive('\n').take_while(is_right).count()
    }

    #[test]
    fn a_line_that_is_changed_or_gone_breaks_the_seals_behind_it() {
        let (text, last) = Seal::default().close("a 1\nb 2\nc 3\n");
        assert_eq!(right(&text), 3);
        assert_eq!(Seal::read(&last.written()), Some(last));
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        assert!(lines[1].starts_with("b 2 #"), "{text}");
        assert_eq!(right(&text.replace("b 2", "b 3")), 1);
        assert_eq!(right(&[lines[0], lines[2]].concat()), 1);
        assert_eq!(right(&[lines[1], lines[0], lines[2]].concat()), 0);
        for cut in 0..text.len() {
            assert_eq!(right(&text[..cut]), text[..cut].matches('\n').count(), "{cut}");
        }
        let (more, _) = last.close("d 4\n");
        assert_eq!(right(&(text + &more)), 4);
    }
}
