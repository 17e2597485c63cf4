//! Which chat is meant: a number, or the public name of a channel or group?

use std::fmt;
use std::str::FromStr;

use teloxide::types::{ChatId, Recipient};

/// A chat as the Bot API takes it.
#[derive(Clone, PartialEq, Eq)]
pub enum ChatTarget {
    /// A person's number, or a group's with its minus sign. Never 0.
    Id(i64),
    /// A public name with its `@`.
    Username(String),
}

/// A text that names no chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a chat's number such as -1001234567890, or a public name such as \"@channel\"")]
pub struct NoChat;

impl ChatTarget {
    /// Whether it is a person's own chat: groups have a minus sign, public channels and groups a name.
    pub(super) fn is_person(&self) -> bool {
        matches!(self, ChatTarget::Id(id) if *id > 0)
    }

    pub(super) fn recipient(&self) -> Recipient {
        match self {
            ChatTarget::Id(id) => Recipient::Id(ChatId(*id)),
            ChatTarget::Username(name) => Recipient::ChannelUsername(name.clone()),
        }
    }
}

impl From<i64> for ChatTarget {
    fn from(id: i64) -> Self {
        ChatTarget::Id(id)
    }
}

impl FromStr for ChatTarget {
    type Err = NoChat;

    /// Public names have 4 to 32 letters, digits and `_`, and begin with a letter.
    fn from_str(text: &str) -> Result<Self, NoChat> {
        if let Ok(id) = text.parse::<i64>() {
            return if id == 0 { Err(NoChat) } else { Ok(ChatTarget::Id(id)) };
        }
        let name = text.strip_prefix('@').ok_or(NoChat)?;
        let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
        let is_name = begins && (4..=32).contains(&name.len());
        if is_name && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            Ok(ChatTarget::Username(text.to_owned()))
        } else {
            Err(NoChat)
        }
    }
}

/// As it is written in the configuration.
impl fmt::Display for ChatTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChatTarget::Id(id) => id.fmt(f),
            ChatTarget::Username(name) => name.fmt(f),
        }
    }
}

impl fmt::Debug for ChatTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_is_a_number_or_a_public_name() {
        let name = |name: &str| Ok(ChatTarget::Username(name.to_owned()));
        for (text, want) in [
            ("-1001234567890", Ok(ChatTarget::Id(-1_001_234_567_890))),
            ("42", Ok(ChatTarget::Id(42))),
            ("@shop_main", name("@shop_main")),
            ("0", Err(NoChat)),
            ("shop", Err(NoChat)),
            ("@", Err(NoChat)),
            ("@abc", Err(NoChat)),
            ("@1shop", Err(NoChat)),
            ("@ร้านค้า", Err(NoChat)),
            ("@shop/../x", Err(NoChat)),
            ("99999999999999999999", Err(NoChat)),
            ("", Err(NoChat)),
        ] {
            assert_eq!(text.parse(), want, "{text}");
        }
    }
}
