//! Which words a language must give for what posbell says of itself.
//!
//! Written for the owner of a small shop. Each notice says what happened and since when, what that means, and what to do
//! and who does it: what is done on the machine is for a technician. A command that is to be typed is short enough to
//! stand whole on its line.

use super::Around;
use crate::domain::event::{ChannelFault, StaleCause};
use crate::domain::model::Resource;

/// The words of notices in one language. Texts that are handed in are already cleaned and formatted.
pub(in crate::domain::message) struct NoticeWords {
    /// So many days, hours, minutes.
    pub units: [fn(u64) -> String; 3],
    /// Shorter than a minute.
    pub under_a_minute: &'static str,
    /// Why it is so.
    pub because: Around,
    /// The shop, where no list is named.
    pub this_shop: &'static str,

    /// The headword of lists that are still not read.
    pub still_stale: &'static str,
    /// When they were last read.
    pub last_read: Around,
    /// For how long they have not been read, and when they last were.
    pub unread_for: fn(&str, &str) -> String,
    /// They have never been read.
    pub never_read: &'static str,
    /// What not reading these lists means.
    pub no_alerts_about: Around,
    /// Why they are not read.
    pub stale_cause: fn(StaleCause) -> &'static str,
    /// What to do about it, and who, for the shop of that id.
    pub stale_remedy: fn(StaleCause, &str) -> Vec<String>,
    /// What happens when they are read again.
    pub catches_up: &'static str,
    /// How long it lasted, and since when.
    pub lasted: fn(&str, &str) -> String,
    /// Lists that had never been read are.
    pub read_at_last: &'static str,
    /// So many changes were found by the passes that ended it.
    pub changes_found: Around,
    /// What the program says, in English, for whoever mends it.
    pub for_technician: Around,
    /// Alerts come again.
    pub alerts_again: &'static str,

    /// The headword of that channel when it takes no messages.
    pub channel_failing: Around,
    /// And when it takes them again.
    pub channel_recovered: Around,
    /// Since that moment.
    pub since: Around,
    /// So many messages wait.
    pub waiting: Around,
    /// Why the channel takes none.
    pub channel_fault: fn(ChannelFault) -> &'static str,
    /// What the latest attempt said.
    pub last_attempt: Around,
    /// What it means for those who read that channel.
    pub channel_means: fn(ChannelFault, &str) -> String,
    /// What to do about it, and who.
    pub channel_remedy: fn(ChannelFault, &str) -> Vec<String>,
    /// So many messages that waited are sent now.
    pub sends_waiting: Around,
    /// None waits.
    pub none_waits: &'static str,

    /// The headword of a refused key.
    pub key_refused_head: &'static str,
    /// The API refused the key with that status, and what that means.
    pub key_refused: fn(u16) -> String,
    /// What to do then, and who, for the shop of that id.
    pub new_key: fn(&str) -> Vec<String>,

    /// The headword of a held pass: the alerts about that resource are off.
    pub held_head: fn(Resource) -> String,
    /// What that means; whether new sales or credits are still told.
    pub held_means: fn(Resource, bool) -> String,
    /// So many rows of a resource were known, and what became of them.
    pub held_of: fn(Resource, &str, &str) -> String,
    /// So many of them vanished.
    pub vanished: Around,
    /// So many have no quantity any more.
    pub quantity_lost: Around,
    /// So many have nothing left.
    pub to_zero: Around,
    /// So many have another name or code.
    pub renamed: Around,
    /// So many have nothing in another field that had something.
    pub emptied: Around,
    /// So many are another in a field that hardly ever changes.
    pub rewritten: Around,
    /// So many were cancelled.
    pub cancelled: Around,
    /// So many would be there once more under another id.
    pub doubled: Around,
    /// So many have figures that no shop's day makes.
    pub implausible: Around,
    /// Since when nothing of it is accepted.
    pub not_accepted_since: Around,
    /// What to type, and who: to see it, when it is right, and when it is wrong.
    pub held_remedy: fn(&str, Resource) -> Vec<String>,
}
