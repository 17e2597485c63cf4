//! How is a command said to a mail server, and what of its reply counts?
//!
//! The mail library's own connection reads a reply into a text without a bound, reads all of it again at each line, and
//! takes a letter outside of UTF-8 for a broken connection, also after the server has taken the mail. So the
//! conversation is held here: a reply is bytes, of which the code decides and the words are for people. A server may
//! say [`MOST`] bytes in all; a code that was read counts, also where the rest of its reply never comes.

use std::sync::Arc;
use std::time::Duration;

use lettre::transport::smtp::extension::ServerInfo;
use lettre::transport::smtp::response::{Category, Code, Detail, Response, Severity};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio_rustls::TlsConnector;

use super::super::transport::reason_of;
use crate::domain::outbox::{Outcome, Reason};

/// How much a server may say in one conversation. An ordinary one is a hundredth of that.
const MOST: usize = 64 * 1024;

/// How much of a reply's words is kept: more than any list of what a server can do.
const KEPT: usize = 4 * 1024;

/// How long the rest of a reply is waited for once its code is all that matters.
const REST: Duration = Duration::from_secs(1);

/// What a conversation is held over.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A conversation with one server.
pub(super) struct Conversation {
    stream: BufReader<Box<dyn Stream>>,
    /// How much the server may still say.
    left: usize,
}

/// What a server says to one command.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    /// What stands behind the code, line by line.
    lines: Vec<String>,
}

/// How much of a reply is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    /// Its end, since another reply follows it; of a refusal nothing follows, and its end is waited for only for a moment.
    End,
    /// A yes: nothing follows it but a goodbye.
    Yes,
}

impl Conversation {
    pub(super) fn over(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Conversation {
        Conversation { stream: BufReader::new(Box::new(stream)), left: MOST }
    }

    /// The same conversation, in a way that nobody else can read. The handshake is begun here.
    pub(super) async fn encrypted(self, tls: &Arc<ClientConfig>, host: &str) -> Result<Conversation, Outcome> {
        // What came in the clear behind the server's yes may be from somebody on the way.
        if !self.stream.buffer().is_empty() {
            return Err(Outcome::retry(Reason::BadAnswer));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Outcome::retry(Reason::Tls))?;
        let handshake = TlsConnector::from(Arc::clone(tls)).connect(name, self.stream.into_inner());
        let stream = Box::pin(handshake).await.map_err(|error| Outcome::retry(reason_of(&error)))?;
        Ok(Conversation { stream: BufReader::new(Box::new(stream)), left: self.left })
    }

    /// The greeting.
    pub(super) async fn greeting(&mut self) -> Result<Reply, Outcome> {
        self.reply(Until::End).await
    }

    /// Says a command, with its line break, and hears the reply to it.
    pub(super) async fn say(&mut self, command: impl ToString) -> Result<Reply, Outcome> {
        self.write(command.to_string().as_bytes()).await?;
        self.reply(Until::End).await
    }

    /// Hands over the text of a mail, and hears whether it is taken.
    pub(super) async fn hand_over(&mut self, mail: &[u8]) -> Result<Reply, Outcome> {
        self.write(&with_end(mail)).await?;
        self.reply(Until::Yes).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Outcome> {
        let writing = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        writing.await.map_err(|error| Outcome::retry(reason_of(&error)))
    }

    /// Reads one reply.
    async fn reply(&mut self, until: Until) -> Result<Reply, Outcome> {
        let mut reading = Reading::default();
        while !reading.is_whole {
            match reading.reply.code {
                200..300 if until == Until::Yes => break,
                400.. => {
                    let rest = async { while !reading.is_whole && self.read_some(&mut reading).await.is_ok() {} };
                    // What has been read of a refusal counts.
                    let _ = tokio::time::timeout(REST, rest).await;
                    break;
                }
                _ => self.read_some(&mut reading).await.map_err(Outcome::retry)?,
            }
        }
        Ok(reading.reply())
    }

    /// Takes in what has come, at most to the end of a line.
    async fn read_some(&mut self, reading: &mut Reading) -> Result<(), Reason> {
        let come = self.stream.fill_buf().await.map_err(|error| reason_of(&error))?;
        if come.is_empty() {
            // A last line may lack its break.
            let is_line = reading.line.len() >= 3;
            if is_line {
                reading.take(b"\n")?;
            }
            return if reading.is_whole { Ok(()) } else { Err(Reason::Connection) };
        }
        let line = come.iter().position(|byte| *byte == b'\n').map_or(come.len(), |at| at + 1);
        let count = line.min(self.left);
        let taken = reading.take(&come[..count]);
        self.stream.consume(count);
        self.left -= count;
        taken?;
        if self.left > 0 || reading.is_whole { Ok(()) } else { Err(Reason::BadAnswer) }
    }
}

/// A reply that is being read.
#[derive(Default)]
struct Reading {
    reply: Reply,
    /// The line that has not ended.
    line: Vec<u8>,
    /// How many bytes of words are kept.
    kept: usize,
    is_whole: bool,
}

impl Reading {
    /// Takes in a part of a line, or the end of one.
    fn take(&mut self, part: &[u8]) -> Result<(), Reason> {
        self.line.extend_from_slice(part);
        let has_ended = part.ends_with(b"\n");
        if self.line.len() < 4 && !has_ended {
            return Ok(());
        }
        let (code, goes_on) = code_of(&self.line).ok_or(Reason::BadAnswer)?;
        self.reply.code = code;
        if has_ended {
            self.keep_line();
            self.is_whole = !goes_on;
        }
        Ok(())
    }

    fn keep_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let words = line.get(4..).unwrap_or_default().trim_ascii_end();
        let words = &words[..words.len().min(KEPT - self.kept)];
        // Empty lines count too: a server can say ten thousand of them.
        self.kept = (self.kept + words.len() + 1).min(KEPT);
        if self.kept < KEPT || !words.is_empty() {
            self.reply.lines.push(text(words));
        }
    }

    /// What has been read of it.
    fn reply(mut self) -> Reply {
        if self.line.len() > 4 {
            self.keep_line();
        }
        self.reply
    }
}

impl Reply {
    /// All of it in one line. An enhanced status code that each line repeats (RFC 2034) is said once.
    pub(super) fn words(&self) -> String {
        let Some((first, rest)) = self.lines.split_first() else { return self.code.to_string() };
        let is_status =
            |word: &&str| word.split('.').count() == 3 && word.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let repeated = first.split(' ').next().filter(is_status);
        let rest = rest.iter().map(|line| match repeated.and_then(|status| line.strip_prefix(status)) {
            Some(behind) if behind.starts_with(' ') => behind.trim_start(),
            _ => line,
        });
        let lines = std::iter::once(first.as_str()).chain(rest).collect::<Vec<_>>();
        format!("{} {}", self.code, lines.join(" "))
    }

    /// What a server can do, where this is its reply to `EHLO`.
    pub(super) fn server_info(&self) -> ServerInfo {
        // Keywords are the same in small letters (RFC 5321, 2.4), which the library does not know.
        let lines = self.lines.iter().map(|line| line.to_ascii_uppercase());
        // And takes for granted that a line says something.
        let lines = lines.filter(|line| !line.trim().is_empty()).collect();
        let code = Code::new(Severity::PositiveCompletion, Category::MailSystem, Detail::Zero);
        ServerInfo::from_response(&Response::new(code, lines)).unwrap_or_default()
    }
}

/// The code at the beginning of a line, and whether more lines follow.
fn code_of(line: &[u8]) -> Option<(u16, bool)> {
    let (digits, rest) = line.split_at_checked(3)?;
    let code = std::str::from_utf8(digits).ok()?.parse().ok().filter(|code| (200..600).contains(code))?;
    match rest.first() {
        Some(b'-') => Some((code, true)),
        None | Some(b' ' | b'\t' | b'\r' | b'\n') => Some((code, false)),
        Some(_) => None,
    }
}

/// The words in a reply: UTF-8, or else TIS-620, the older encoding of Thai.
fn text(words: &[u8]) -> String {
    let thai = |byte: &u8| match byte {
        0..0x80 => char::from(*byte),
        0xa1..=0xda | 0xdf..=0xfb => char::from_u32(0x0e00 + u32::from(byte - 0xa0)).unwrap_or_default(),
        _ => char::REPLACEMENT_CHARACTER,
    };
    std::str::from_utf8(words).map_or_else(|_| words.iter().map(thai).collect(), str::to_owned)
}

/// The text of a mail with the dot that ends it; a dot of its own at the beginning of a line is doubled (RFC 5321, 4.5.2).
fn with_end(mail: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(mail.len() + 8);
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            text.push(b'.');
        }
        text.extend_from_slice(line);
    }
    if !text.ends_with(b"\r\n") {
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b".\r\n");
    text
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use lettre::transport::smtp::authentication::Mechanism;
    use lettre::transport::smtp::extension::Extension;
    use tokio::io::{AsyncReadExt, join, repeat, sink};

    use super::*;

    fn conversation(said: impl AsyncRead + Send + Unpin + 'static) -> Conversation {
        Conversation::over(join(said, sink()))
    }

    async fn reply(said: &[u8]) -> Result<String, Outcome> {
        conversation(Cursor::new(said.to_vec())).greeting().await.map(|reply| reply.words())
    }

    #[tokio::test]
    async fn a_reply_is_its_code_and_its_words_in_whatever_charset() {
        let thai = |before: &str, words: &[u8]| [before.as_bytes(), words, b"\r\n"].concat();
        for (said, words) in [
            (b"220 mail.example.com ESMTP\r\n".to_vec(), "220 mail.example.com ESMTP"),
            (b"250\r\n".to_vec(), "250 "),
            (b"250 no carriage return\n".to_vec(), "250 no carriage return"),
            (b"250-one\r\n250-two\r\n250 three\r\n".to_vec(), "250 one two three"),
            (b"550-5.1.1 No such\r\n550 5.1.1 mailbox\r\n".to_vec(), "550 5.1.1 No such mailbox"),
            (thai("550 5.1.1 ", "ไม่มี".as_bytes()), "550 5.1.1 ไม่มี"),
            (thai("550 5.1.1 ", b"\xe4\xc1\xe8\xc1\xd5 a@b"), "550 5.1.1 ไม่มี a@b"),
            (thai("250 ", b"\xff\x80"), "250 \u{fffd}\u{fffd}"),
        ] {
            assert_eq!(reply(&said).await.as_deref(), Ok(words));
        }
    }

    #[tokio::test]
    async fn what_has_been_read_of_a_refusal_counts_and_a_yes_must_be_whole() {
        let broken = || Err(Outcome::retry(Reason::Connection));
        let bad = || Err(Outcome::retry(Reason::BadAnswer));
        for (said, expected) in [
            (&b"550 5.1.1 No su"[..], Ok("550 5.1.1 No su")),
            (b"550-5.1.1 No\r\n", Ok("550 5.1.1 No")),
            (b"550-5.1.1 No\r\n55", Ok("550 5.1.1 No")),
            (b"421", Ok("421 ")),
            (b"220 o", Ok("220 o")),
            (b"250-one\r\n", broken()),
            (b"250-one\r\n25", broken()),
            (b"25", broken()),
            (b"", broken()),
            (b"\r\n", bad()),
            (b"SSH-2.0-OpenSSH_9.9\r\n", bad()),
            (b"2500 no code\r\n", bad()),
            (b"199 no code\r\n", bad()),
            (b"250-one\r\nno code\r\n", bad()),
        ] {
            let said = said.to_vec();
            assert_eq!(reply(&said).await.as_deref(), expected.as_ref().copied(), "{}", String::from_utf8_lossy(&said));
        }
    }

    #[tokio::test]
    async fn a_server_is_not_listened_to_for_ever() {
        let bad = Outcome::retry(Reason::BadAnswer);
        for begins in ["", "220 ", "220-"] {
            let endless = Cursor::new(begins).chain(repeat(b'x'));
            assert_eq!(conversation(endless).greeting().await, Err(bad.clone()), "{begins}");
        }
        let refusal = conversation(Cursor::new("554 ").chain(repeat(b'x'))).greeting().await.expect("has a code");
        assert!(refusal.code == 554 && refusal.words().len() <= KEPT + 4, "{}", refusal.words().len());
        for line in ["250-\r\n", "250-AUTH PLAIN\r\n"] {
            let mut conversation = conversation(Cursor::new(line.repeat(100_000)));
            assert_eq!(conversation.greeting().await, Err(bad.clone()), "{line}");
            assert_eq!(conversation.left, 0);
        }
        // Over all replies together.
        let mut chatty = conversation(Cursor::new(format!("250 {}\r\n", "x".repeat(994)).repeat(1_000)));
        let mut heard = 0;
        while chatty.say("NOOP\r\n").await.is_ok() {
            heard += 1;
        }
        assert_eq!(heard, MOST / 1_000);
    }

    #[tokio::test]
    async fn a_mail_is_taken_by_its_code_alone() {
        for said in ["250 2.0.0 Ok\r\n", "250 2.0.", "250-", "250"] {
            let taken = conversation(Cursor::new(said)).hand_over(b"text\r\n").await;
            assert_eq!(taken.map(|reply| reply.code), Ok(250), "{said}");
        }
        let taken = conversation(Cursor::new("250 ").chain(repeat(b'x'))).hand_over(b"text\r\n").await;
        assert_eq!(taken.map(|reply| reply.code), Ok(250));
    }

    #[test]
    fn what_a_server_can_do_is_read_however_it_is_written() {
        let info = |lines: &[&str]| {
            let lines = lines.iter().map(|line| (*line).to_owned()).collect();
            Reply { code: 250, lines }.server_info()
        };
        let able = info(&["mail.example.com", "8bitmime", "SMTPUTF8", "starttls", "Auth Login Plain", ""]);
        assert!(able.supports_feature(Extension::EightBitMime) && able.supports_feature(Extension::StartTls));
        assert_eq!(able.get_auth_mechanism(&[Mechanism::Plain, Mechanism::Login]), Some(Mechanism::Plain));
        for nothing in [&[][..], &[""], &["mail.example.com", " ", "\u{a0}\u{3000}"]] {
            assert!(!info(nothing).supports_feature(Extension::StartTls));
        }
    }

    #[test]
    fn a_dot_that_begins_a_line_is_doubled_and_the_text_ends_once() {
        for (mail, sent) in [
            ("", "\r\n.\r\n"),
            ("text", "text\r\n.\r\n"),
            ("text\r\n", "text\r\n.\r\n"),
            (".text\r\n..\r\n.\r\nt.xt\r\n", "..text\r\n...\r\n..\r\nt.xt\r\n.\r\n"),
            ("text\n.\nmore\r\n", "text\n..\nmore\r\n.\r\n"),
        ] {
            assert_eq!(String::from_utf8_lossy(&with_end(mail.as_bytes())), sent, "{mail:?}");
        }
    }
}
