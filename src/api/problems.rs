//! What a person should mend, as the four views of it show it.
//!
//! It shows kinds, shop ids, channel names and times, and nothing of any row, because whoever may reach the admin
//! address may read it.

use serde::{Deserialize, Serialize};

use crate::domain::disk::DiskFault;
use crate::domain::model::Timestamp;

/// Whether posbell can do its work in spite of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemClass {
    /// It cannot: silence means nothing.
    Bell,
    /// It can.
    Other,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// The service does not run.
    NotRunning,
    /// The disk is full or does not take what is written.
    Disk,
    /// The API refused a shop's key.
    KeyRefused,
    /// A list has not been read for too long.
    Stale,
    /// A pass looked wrong and waits for a person.
    Held,
    /// Every channel for people fails.
    NoChannelForPeople,
    /// So many messages wait for a channel that new ones are dead letters.
    Overflow,
    /// One of several channels fails.
    ChannelFailing,
    /// Messages were given up in the last 24 hours.
    DeadLetters,
    /// The service cannot listen at its admin address, or at its socket.
    AdminAddress,
}

/// Something that a person should mend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What it is.
    pub kind: ProblemKind,
    /// Whether posbell can do its work.
    pub class: ProblemClass,
    /// The shop's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shop: Option<String>,
    /// The list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The channel's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Since when; `null` where that is not known.
    pub since: Option<Timestamp>,
    /// What is wrong with the disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<DiskFault>,
    /// How many, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// The answer at `/api/v1/problems`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Problems {
    /// Those of class `bell` first.
    pub data: Vec<Problem>,
}

impl Problem {
    /// A problem of this kind, about nothing in particular.
    pub fn of(kind: ProblemKind, since: Option<Timestamp>) -> Problem {
        let class = match kind {
            ProblemKind::ChannelFailing | ProblemKind::DeadLetters | ProblemKind::AdminAddress => ProblemClass::Other,
            _ => ProblemClass::Bell,
        };
        Problem { kind, class, shop: None, resource: None, channel: None, since, fault: None, count: None }
    }

    /// One line for a person: what is wrong, and the command that says more.
    pub fn line(&self) -> String {
        let shop = self.shop.as_deref().unwrap_or_default();
        let resource = self.resource.as_deref().unwrap_or_default();
        let channel = self.channel.as_deref().unwrap_or_default();
        let count = self.count.unwrap_or_default();
        match self.kind {
            ProblemKind::NotRunning => "the service does not run: start it".to_owned(),
            ProblemKind::Disk => match self.fault {
                Some(fault) => format!("the disk {fault}: nothing is read and nothing sent until it works"),
                None => "the disk takes nothing: nothing is read and nothing sent until it does".to_owned(),
            },
            ProblemKind::KeyRefused => format!(
                "shop {shop}: its key was refused and nothing is read; put a new key in place and restart, or `posbell resume {shop}`"
            ),
            ProblemKind::Stale => format!("shop {shop}: {resource} is not read; `posbell status` says why"),
            ProblemKind::Held => {
                format!("shop {shop}: a pass over {resource} is held; `posbell held show {shop} {resource}`")
            }
            ProblemKind::NoChannelForPeople => {
                "no channel for people takes messages; `posbell status` says why".to_owned()
            }
            ProblemKind::Overflow => format!(
                "channel {channel}: too many messages wait, {count} are dead letters; mend it, then `posbell retry \
                 --dead --channel {channel}`"
            ),
            ProblemKind::ChannelFailing => {
                format!("channel {channel} does not take messages; `posbell status` says why")
            }
            ProblemKind::DeadLetters => {
                format!("{count} dead letters in the last 24 hours; `posbell deliveries --state dead`")
            }
            ProblemKind::AdminAddress => "posbell cannot listen at its admin address (the log says why): end the \
                                          program that has it, or change `[admin] listen` and restart"
                .to_owned(),
        }
    }
}

impl Problems {
    /// Whether posbell cannot do its work.
    pub fn silence_the_bell(&self) -> bool {
        self.data.iter().any(|problem| problem.class == ProblemClass::Bell)
    }
}
