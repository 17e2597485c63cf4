//! What the tests share: the outside world, played on loopback.

/// Another time on the wall for the program.
pub mod clock;
/// A mail server that says whatever bytes it likes.
pub mod raw_smtp;
/// A shop, a receiver, and the real program between them.
pub mod rig;
/// A mail server that speaks real SMTP.
pub mod smtp;
/// A Bot API server that answers as told.
pub mod telegram;
