//! What the tests share: the outside world, played on loopback.

/// A mail server that speaks real SMTP.
pub mod smtp;
/// A Bot API server that answers as told.
pub mod telegram;
