//! Answers that go on for long, line by line: they have no time limit, but they are never silent for long, and they say
//! themselves whether they are whole.

use std::marker::PhantomData;

use anyhow::{Context, bail};
use serde::de::DeserializeOwned;

use super::{Answer, OTHER_VERSION};
use crate::api::FetchLine;

/// The most bytes of one line of a long answer: a row is a part of an answer of the API, which is no longer.
const LONGEST_LINE: usize = 64 * 1024 * 1024;

/// The lines of an answer as they come.
pub(in crate::cli) struct Lines<L> {
    answer: Answer,
    /// What has come and is not handed out yet: from `taken` on, and without an end of a line up to `looked`.
    come: Vec<u8>,
    taken: usize,
    looked: usize,
    of: PhantomData<fn() -> L>,
}

impl<L> Lines<L> {
    pub(super) fn of(answer: Answer) -> Lines<L> {
        Lines { answer, come: Vec::new(), taken: 0, looked: 0, of: PhantomData }
    }

    #[cfg(test)]
    pub(in crate::cli) fn of_texts(texts: Vec<String>) -> Lines<L> {
        let texts = texts.into_iter().map(|text| Ok((text + "\n").into_bytes()));
        Lines::of(Answer(Box::pin(futures_util::stream::iter(texts))))
    }
}

impl<L: DeserializeOwned> Lines<L> {
    /// The next line; nothing at the end of the answer.
    pub(in crate::cli) async fn next(&mut self) -> anyhow::Result<Option<L>> {
        loop {
            let end = self.come[self.looked..].iter().position(|byte| *byte == b'\n');
            if let Some(end) = end.map(|end| self.looked + end) {
                let line = serde_json::from_slice(&self.come[self.taken..end]).context(OTHER_VERSION)?;
                (self.taken, self.looked) = (end + 1, end + 1);
                return Ok(Some(line));
            }
            self.come.drain(..self.taken);
            (self.taken, self.looked) = (0, self.come.len());
            anyhow::ensure!(self.looked <= LONGEST_LINE, "the service's answer has a line that is too long");
            match self.answer.next().await? {
                Some(bytes) => self.come.extend_from_slice(&bytes),
                None => return Ok(None),
            }
        }
    }
}

/// Hands each line to `take` as it comes; the last of them says how it went. What `take` returns an error for ends it
/// all: no further call is made.
pub(in crate::cli) async fn each_row(
    mut lines: Lines<FetchLine>,
    mut take: impl FnMut(FetchLine) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    while let Some(line) = lines.next().await? {
        let is_last = matches!(line, FetchLine::Done(_) | FetchLine::Error(_));
        let taken = take(line);
        if is_last {
            // To the end, behind which nothing of it is under way.
            while lines.next().await?.is_some() {}
            return taken;
        }
        taken?;
    }
    bail!("the answer ended before the list did; ask again")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn handed_out(lines: Vec<FetchLine>) -> anyhow::Result<usize> {
        let texts = lines.iter().map(|line| serde_json::to_string(line).expect("can be written")).collect();
        let mut taken = 0;
        each_row(Lines::of_texts(texts), |_| {
            taken += 1;
            Ok(())
        })
        .await?;
        Ok(taken)
    }

    #[tokio::test]
    async fn an_answer_without_its_last_line_is_not_taken_for_a_whole_one() {
        let row = || FetchLine::Row(serde_json::value::to_raw_value(&1).expect("is JSON"));
        assert_eq!(handed_out(vec![row(), row(), FetchLine::Done(2)]).await.expect("is whole"), 3);
        for cut in [vec![], vec![row(), row()], vec![FetchLine::Waiting("for the quota".to_owned())]] {
            let error = handed_out(cut).await.expect_err("is cut off");
            assert!(error.to_string().contains("ask again"), "{error}");
        }
    }
}
