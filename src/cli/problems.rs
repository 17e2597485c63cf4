//! Printing mistakes: the file, the line and the column, the line itself, and what to do.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::Path;

use super::mask::mask;
use crate::config::{Problem, Weight};

/// How many problems are shown: nobody reads more at once, and the next run shows the rest.
const MOST: usize = 100;

/// Prints the problems to standard error, mistakes first, and how many there are.
pub(super) fn print(problems: &[Problem]) {
    // Where nobody reads them any more, nothing is left to do.
    let _ = std::io::stderr().lock().write_all(listed(problems, std::io::stderr().is_terminal()).as_bytes());
}

fn listed(problems: &[Problem], styled: bool) -> String {
    let of = |weight| problems.iter().filter(move |problem| problem.weight == weight);
    let mut listed = String::new();
    let mut pictures = Pictures { styled, masked: BTreeMap::new() };
    for problem in of(Weight::Error).chain(of(Weight::Warning)).take(MOST) {
        listed += &format!("{}\n\n", pictures.text(problem));
    }
    if let Some(more) = problems.len().checked_sub(MOST).filter(|more| *more > 0) {
        listed += &format!("and {more} more\n");
    }
    match (of(Weight::Error).count(), of(Weight::Warning).count()) {
        (0, 0) => {}
        (0, warnings) => listed += &format!("{}\n", counted(warnings, "warning")),
        (errors, 0) => listed += &format!("{}\n", counted(errors, "mistake")),
        (errors, warnings) => {
            listed += &format!("{}, {}\n", counted(errors, "mistake"), counted(warnings, "warning"));
        }
    }
    listed
}

/// `1 mistake`, `2 mistakes`.
pub(super) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Draws problems. What may be shown of a file is found once for all problems in it.
struct Pictures<'p> {
    styled: bool,
    masked: BTreeMap<&'p Path, String>,
}

impl<'p> Pictures<'p> {
    /// One problem as a person reads it.
    fn text(&mut self, problem: &'p Problem) -> String {
        let level = match problem.weight {
            Weight::Error => Level::ERROR,
            Weight::Warning => Level::WARNING,
        };
        let renderer = if self.styled { Renderer::styled() } else { Renderer::plain() }.decor_style(DecorStyle::Ascii);
        let path = problem.file.path.display().to_string();
        let title = level.primary_title(&problem.mistake.message);
        let help = problem.mistake.help.as_ref().map(|help| Level::HELP.message(help.as_str()));
        if problem.file.text.is_empty() {
            let group = title.element(Level::NOTE.message(format!("in {path}")));
            return renderer.render(&[group.elements(help)]);
        }
        let source = self.masked.entry(&problem.file.path).or_insert_with(|| mask(&problem.file.text));
        let span = clamp(problem.mistake.span.clone(), source);
        // Only the line: the renderer looks through all that it is given, for every problem.
        let begins = source[..span.start].rfind('\n').map_or(0, |at| at + 1);
        let ends = source[begins..].find('\n').map_or(source.len(), |at| begins + at);
        let number = source[..begins].matches('\n').count() + 1;
        let annotation = AnnotationKind::Primary.span(span.start - begins..span.end - begins);
        let snippet = Snippet::source(&source[begins..ends]).line_start(number).path(path).annotation(annotation);
        renderer.render(&[title.element(snippet).elements(help)])
    }
}

/// A place inside the text, on character borders, on its first line only: a mistake about a whole table is shown at
/// its head.
fn clamp(span: std::ops::Range<usize>, text: &str) -> std::ops::Range<usize> {
    let inside = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (start, end) = (inside(span.start), inside(span.end));
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    start..end.clamp(start, line_end.max(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SourceFile;
    use crate::domain::mistake::Mistake;
    use std::sync::Arc;

    fn problem(source: &str, span: std::ops::Range<usize>, message: &str, weight: Weight) -> Problem {
        let file = Arc::new(SourceFile { path: "rules/x.toml".into(), text: source.to_owned() });
        Problem { file, mistake: Mistake::new(span, message).help("did you mean `severity`?"), weight }
    }

    #[test]
    fn a_mistake_is_shown_with_file_line_column_and_advice() {
        let source = "a = 1\nsevrity = \"info\"\nb = 2\n";
        let shown = listed(&[problem(source, 6..13, "unknown key `sevrity`", Weight::Error)], false);
        for part in [
            "error: unknown key `sevrity`",
            "rules/x.toml:2:1",
            "2 | sevrity = \"info\"",
            "^^^^^^^",
            "help: did you mean `severity`?",
            "\n1 mistake\n",
        ] {
            assert!(shown.contains(part), "no {part} in {shown}");
        }
        let shown = listed(&[problem("", 0..0, "nobody is told", Weight::Warning)], false);
        for part in ["warning: nobody is told", "in rules/x.toml", "help: did you mean", "\n1 warning\n"] {
            assert!(shown.contains(part), "no {part} in {shown}");
        }
    }

    #[test]
    fn a_hundred_problems_are_shown_mistakes_first() {
        let some = |count, weight, message| (0..count).map(move |_| problem("a\n", 0..1, message, weight));
        let problems: Vec<Problem> =
            some(70, Weight::Warning, "warned").chain(some(60, Weight::Error, "mistaken")).collect();
        let shown = listed(&problems, false);
        assert_eq!((shown.matches("error: mistaken").count(), shown.matches("warning: warned").count()), (60, 40));
        assert!(shown.ends_with("\nand 30 more\n60 mistakes, 70 warnings\n"), "{shown}");
    }

    #[test]
    fn a_place_outside_of_the_text_is_no_panic() {
        for source in ["ร้าน", "ร้าน\n", "\n\n"] {
            for span in [0..0, 1..2, 5..900, 900..901] {
                listed(&[problem(source, span, "m", Weight::Warning)], false);
            }
        }
    }
}
