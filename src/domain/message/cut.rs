//! Where may a text end when it is too long?
//!
//! Only between whole letters. A Thai vowel or tone mark, an accent typed as a code point of its own, the second half
//! of a flag and the members of a family are code points that stand for nothing alone, so a cut falls between grapheme
//! clusters (Unicode UAX 29). The limits still count characters or UTF-16 units: a cluster has no bound of its own.

use unicode_segmentation::UnicodeSegmentation;

/// Stands for what was cut off.
const ELLIPSIS: char = '…';

/// ZERO WIDTH JOINER: makes one picture of the emoji around it.
const JOINER: char = '\u{200d}';

/// At most `most` characters of `text`, cut between letters; an ellipsis stands for the rest.
pub(super) fn cut(text: &str, most: usize) -> String {
    cut_by(text, most, char_count)
}

/// At most `most_units` UTF-16 code units of `text`, cut between letters; an ellipsis stands for the rest.
pub fn cut_utf16(text: &str, most_units: usize) -> String {
    cut_by(text, most_units, |text| text.encode_utf16().count())
}

fn char_count(text: &str) -> usize {
    text.chars().count()
}

fn cut_by(text: &str, most: usize, size: impl Fn(&str) -> usize) -> String {
    if size(text) <= most {
        return text.to_owned();
    }
    // The ellipsis is one character and one unit.
    let mut room = most.saturating_sub(1);
    let fitting = text.graphemes(true).take_while(|letter| match room.checked_sub(size(letter)) {
        Some(rest) => {
            room = rest;
            true
        }
        None => false,
    });
    let mut kept: String = fitting.collect();
    kept.truncate(kept.trim_end().len());
    kept.push(ELLIPSIS);
    kept
}

/// The text without the joiners that join nothing: one at the end of a letter hides what stands beside it.
pub(super) fn without_loose_joiners(text: &str) -> String {
    text.graphemes(true).map(|letter| letter.trim_matches(JOINER)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Letters of several code points, and how many UTF-16 units each has.
    const LETTERS: [(&str, usize); 7] =
        [("ก่", 2), ("น้ำ", 3), ("ปู่", 3), ("e\u{301}", 2), ("🇹🇭", 4), ("👨\u{200d}👩\u{200d}👧", 8), ("👍🏽", 4)];

    #[test]
    fn a_cut_falls_between_whole_letters() {
        for (letter, units) in LETTERS {
            let text = letter.repeat(130);
            for most in 1..=90 {
                let kept = cut(&text, most);
                let letters = kept.strip_suffix(ELLIPSIS).expect("is cut");
                assert_eq!(letters, letter.repeat((most - 1) / char_count(letter)), "{letter} {most}");
            }
            for most in 1..=90 {
                let kept = cut_utf16(&text, most);
                let letters = kept.strip_suffix(ELLIPSIS).expect("is cut");
                assert_eq!(letters, letter.repeat((most - 1) / units), "{letter} {most}");
            }
            assert_eq!(cut(&text, char_count(&text)), text);
            assert_eq!(cut_utf16(&text, 130 * units), text);
        }
    }

    #[test]
    fn a_letter_larger_than_the_limit_is_left_out_whole() {
        let heap = format!("a{}", "\u{301}".repeat(500));
        assert_eq!(cut(&heap, 80), "…");
        assert_eq!(cut(&format!("ร้าน {heap}"), 80), "ร้าน…");
        assert_eq!(cut_utf16(&heap, 0), "…");
    }

    #[test]
    fn a_joiner_stays_only_where_it_joins() {
        for (text, expected) in [
            ("👨\u{200d}👩\u{200d}👧 ครอบครัว", "👨\u{200d}👩\u{200d}👧 ครอบครัว"),
            ("🏳\u{fe0f}\u{200d}🌈", "🏳\u{fe0f}\u{200d}🌈"),
            ("0812\u{200d}345\u{200d}678", "0812345678"),
            ("👨\u{200d}0812", "👨0812"),
            ("\u{200d}a\u{200d}\u{200d}b\u{200d}", "ab"),
        ] {
            assert_eq!(without_loose_joiners(text), expected);
        }
    }
}
