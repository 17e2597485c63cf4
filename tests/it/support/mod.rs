//! What the tests share: the outside world, played on loopback.

/// The admin address, asked as another program would.
pub mod admin;
/// Another time on the wall for the program.
pub mod clock;
/// A disk that fails or hangs as a test says.
pub mod faulty_disk;
/// Libraries that stand between the built program and the system.
pub mod preload;
/// A mail server that says whatever bytes it likes.
pub mod raw_smtp;
/// A shop, a receiver, and the real program between them.
pub mod rig;
/// A mail server that speaks real SMTP.
pub mod smtp;
/// A Bot API server that answers as told.
pub mod telegram;
