//! posbell: the bell on the till.
//!
//! # Bird's-eye view
//!
//! POSPOS, a Thai point-of-sale cloud, can only be asked, never listened to: its API has no webhooks and no "changed
//! since". posbell asks often, remembers what it was told, and turns the differences into events that it delivers to
//! webhooks, mailboxes and chats.
//!
//! ```text
//!              rhythm: what is read how often, by quota, sales and opening hours
//!                │
//! POSPOS ──► pospos ──► diff ──► publish ──┐ one durable commit:
//!            (edge)     (pure)   (pure)    ▼ rows + events + deliveries + what rules remember + cursor
//!                                                 store (sled)
//!                                                   │ wake-up without data
//!                                                   ▼
//!                               outbox (settle) ◄── deliver ──► channel ──► webhook / mail / Telegram
//! ```
//!
//! Two loops around a durable middle. [`service::poll`] reads a resource, compares it, and commits what follows in one
//! step. [`service::deliver`] takes what is due, sends it and settles it. Neither keeps anything between turns except
//! in the store, so a killed process and a slow one are the same case, and there is one code path for both.
//!
//! Beside them a sale has a short way of its own: a pass over the sales leaves the codes of what was sold, and
//! `service::pass::refresh` reads just those products, so that a shortage need not wait for the next pass over the stock.
//! A pass over a long list holds no list: it knows the stored rows by their heads (fingerprint, level, code), decodes
//! what has changed, and keeps what makes events until the guard has seen the whole.
//!
//! Three watchers look after the loops and tell people when something stops them: `service::stale` (a list is not read),
//! `service::channels` (a channel takes nothing) and `service::notices` (nobody has taken a notice). What they tell goes
//! through the same outbox. [`service::problems`] is one list with four views: `status --check`, `/readyz`,
//! `/api/v1/problems` and the heartbeat.
//!
//! What outlives the store: `service::disk` closes and opens it as the disk allows and tells people past the outbox,
//! `server::listeners` answers at the socket and at the admin address from the start of the process to its end, and
//! `service::watchdog` says to systemd that everything turns.
//!
//! # Reading order
//!
//! 1. [`domain::model`]: what a shop is made of, in exact numbers.
//! 2. [`domain::event`]: what can happen, its public JSON, and ids that are computed and never drawn.
//! 3. [`domain::diff`]: from what was known and what was read to what happened; the stock level machine; the guard against
//!    a whole reading that is wrong.
//! 4. [`domain::rules`]: which events go where, and what "low" means. [`domain::publish`]: the one place where events become
//!    deliveries.
//! 5. [`domain::outbox`]: deliveries as a state machine; digests, catching up after an outage, and a person's word.
//!    [`domain::rhythm`]: how often each resource is read, and when that is too much for the quota.
//!    [`domain::stale`]: when a list has not been read for too long.
//! 6. [`domain::message`]: what a person reads, in Thai and English.
//! 7. [`edge::pospos`]: the API, page by page, and never over its quota.
//! 8. [`edge::store`]: the disk, copies of it and what becomes of them.
//! 9. [`edge::channel`]: webhooks, mail, Telegram.
//! 10. [`service`]: where all of it meets; [`service::app`] is what every request is answered from. [`config`]: what the
//!     files say.
//! 11. [`server`]: the service over HTTP, in the words of [`api`]. [`cli`]: the commands, clients of it.
//! 12. [`demo`]: a simulated shop and a receiver, for `posbell demo` and for the tests.
//!
//! # Invariants
//!
//! Each is held by a test; `docs/guarantees.md` names them.
//!
//! **One commit.** What a pass found, the events of it and the deliveries of these become durable in one step, before
//! anything is sent; so does what waits for the end of a group. There is no moment at which a crash loses a message or
//! leaves one without its event.
//!
//! **Stable ids.** An event's id is a function of the change. Whoever sends twice sends the same id.
//!
//! **Never over the quota.** A call's place in the quota is on the disk before the call leaves. What may have been
//! sent counts as sent.
//!
//! **What was not read whole is not compared.** Completeness is a type, [`domain::model::Whole`], that only the page
//! reader can make. A page that failed is missing, not empty.
//!
//! **No clock is believed alone.** The time in the API's answers is held against this machine's. While they are far
//! apart nothing is read, and nothing is forgotten or given up before they have been seen to agree.
//!
//! **The domain is pure.** It reads no clock, no file and no socket, and draws no random number: the time, the jitter
//! and the answers come in as arguments.
//!
//! **It cannot stop silently.** Whatever keeps a list from being read or a channel from taking messages reaches a person,
//! by the rules or in spite of them, and stands among the problems until it is over. `docs/guarantees.md` begins with
//! the table.
//!
//! **One road.** A command, and whoever asks over HTTP, go the same way: `client → server → service`. Where no service
//! runs, the command calls the same router in its own process, over an application without loops.
//!
//! **Directions.** `main → cli → server → service → edge → domain`, never back; edges do not know each other; each
//! foreign crate has one owner.
//!
//! # What is absent
//!
//! No event bus and no in-memory queue between the loops: the store is the queue. No retries inside a channel or the
//! API's client: the outbox alone repeats. No clock outside of `service::clock`. No sending before the commit.

pub mod api;
pub mod cli;
pub mod config;
pub mod demo;
pub mod domain;
pub mod edge;
pub mod server;
pub mod service;
