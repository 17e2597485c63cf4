//! Printing mistakes: the file, the line and the column, the line itself, and what to do.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use std::io::IsTerminal;

use super::mask::mask;
use crate::config::{Problem, Weight};

/// Prints every problem to standard error, and how many there are.
pub(super) fn print(problems: &[Problem]) {
    let styled = std::io::stderr().is_terminal();
    for problem in problems {
        eprintln!("{}\n", text(problem, styled));
    }
    let count = |weight| problems.iter().filter(|problem| problem.weight == weight).count();
    match (count(Weight::Error), count(Weight::Warning)) {
        (0, 0) => {}
        (0, warnings) => eprintln!("{}", counted(warnings, "warning")),
        (errors, 0) => eprintln!("{}", counted(errors, "mistake")),
        (errors, warnings) => eprintln!("{}, {}", counted(errors, "mistake"), counted(warnings, "warning")),
    }
}

/// `1 mistake`, `2 mistakes`.
pub(super) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// One problem as a person reads it.
pub(super) fn text(problem: &Problem, styled: bool) -> String {
    let level = match problem.weight {
        Weight::Error => Level::ERROR,
        Weight::Warning => Level::WARNING,
    };
    let source = mask(&problem.file.text);
    let path = problem.file.path.display().to_string();
    let span = clamp(problem.mistake.span.clone(), &source);
    let renderer = if styled { Renderer::styled() } else { Renderer::plain() }.decor_style(DecorStyle::Ascii);
    let title = level.primary_title(&problem.mistake.message);
    if source.is_empty() {
        let note = Level::NOTE.message(format!("in {path}"));
        return renderer.render(&[title.element(note)]);
    }
    let annotation = AnnotationKind::Primary.span(span);
    let mut group = title.element(Snippet::source(source.as_str()).path(path).annotation(annotation));
    if let Some(help) = &problem.mistake.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group])
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

    #[test]
    fn a_mistake_is_shown_with_file_line_column_and_advice() {
        let source = "a = 1\nsevrity = \"info\"\n";
        let file = Arc::new(SourceFile { path: "rules/x.toml".into(), text: source.to_owned() });
        let mistake = Mistake::new(6..13, "unknown key `sevrity`").help("did you mean `severity`?");
        let shown = text(&Problem { file, mistake, weight: Weight::Error }, false);
        assert!(shown.contains("error: unknown key `sevrity`"), "{shown}");
        assert!(shown.contains("rules/x.toml:2:1"), "{shown}");
        assert!(shown.contains("2 | sevrity = \"info\""), "{shown}");
        assert!(shown.contains("^^^^^^^"), "{shown}");
        assert!(shown.contains("help: did you mean `severity`?"), "{shown}");
    }

    #[test]
    fn a_place_outside_of_the_text_is_no_panic() {
        let file = Arc::new(SourceFile { path: "x".into(), text: "ร้าน".to_owned() });
        for span in [0..0, 1..2, 5..900, 900..901] {
            let mistake = Mistake::new(span, "m");
            text(&Problem { file: Arc::clone(&file), mistake, weight: Weight::Warning }, false);
        }
    }
}
