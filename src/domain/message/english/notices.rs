//! What posbell says of itself in English.

use super::resource;
use crate::domain::event::{ChannelFault, StaleCause};
use crate::domain::message::words::NoticeWords;
use crate::domain::model::Resource;

/// The words.
pub(super) const NOTICES: NoticeWords = NoticeWords {
    units: [
        |days| if days == 1 { "1 day".to_owned() } else { format!("{days} days") },
        |hours| format!("{hours} h"),
        |minutes| format!("{minutes} min"),
    ],
    under_a_minute: "less than a minute",
    because: |cause| format!("Cause: {cause}"),
    this_shop: "this shop",

    still_stale: "The shop still cannot be read",
    last_read: |moment| format!("Last read {moment}"),
    unread_for: |lasted, moment| format!("Not read for {lasted} (last read {moment})"),
    never_read: "Never read so far",
    no_alerts_about: |lists| {
        format!("Until then there are no alerts about {lists}: a quiet phone does not mean a quiet shop")
    },
    stale_cause,
    stale_remedy,
    catches_up: "When it is read again, posbell tells what changed meanwhile",
    lasted: |lasted, moment| format!("It lasted {lasted} (since {moment})"),
    read_at_last: "Read for the first time",
    changes_found: |count| format!("Changes found meanwhile: {count}"),
    for_technician: |why| format!("(for the technician: {why})"),
    alerts_again: "Alerts come as usual again",

    channel_failing: |channel| format!("Messages to {channel} do not arrive"),
    channel_recovered: |channel| format!("Messages to {channel} arrive again"),
    since: |moment| format!("Since {moment}"),
    waiting: |count| format!("messages waiting: {count}"),
    channel_fault,
    last_attempt: |why| format!("The last attempt said: “{why}”"),
    channel_means,
    channel_remedy,
    sends_waiting: |count| format!("Messages that waited are being sent: {count}"),
    none_waits: "No message is waiting",

    key_refused_head: "All alerts of the shop are off: POSPOS refuses its key",
    key_refused: |status| {
        format!(
            "POSPOS refused the shop's key ({status}). The shop is not read, and nothing is told, until this is settled"
        )
    },
    new_key,

    held_head: |of| format!("Alerts about {} are off: POSPOS data look wrong", resource(of)),
    held_means,
    held_of: |of, known, what| format!("Of {known} known {}: {what}", resource(of)),
    vanished: |count| format!("{count} vanished"),
    quantity_lost: |count| format!("{count} without a quantity"),
    to_zero: |count| format!("{count} fell to zero"),
    renamed: |count| format!("{count} have another name or code"),
    emptied: |count| format!("{count} lost something else, such as a price"),
    rewritten: |count| format!("{count} changed in what hardly ever changes"),
    cancelled: |count| format!("{count} were cancelled"),
    doubled: |count| format!("{count} came once more under another id"),
    implausible: |count| format!("{count} have implausible figures"),
    not_accepted_since: |moment| format!("Not accepted since {moment}"),
    held_remedy: |shop, of| {
        let resource = of.name();
        vec![
            format!("Ask your technician to look first: posbell held show {shop} {resource}"),
            format!("If it is right, type: posbell held release {shop} {resource}"),
            format!("If it is wrong, type: posbell held drop {shop} {resource}"),
        ]
    },
};

fn stale_cause(cause: StaleCause) -> &'static str {
    match cause {
        StaleCause::ApiUnreachable => "POSPOS cannot be reached; the internet connection or POSPOS itself may be down",
        StaleCause::ApiError => "POSPOS answers that it has an error of its own",
        StaleCause::TooManyCalls => "POSPOS says that it is called too often; another program may use the same key",
        StaleCause::BadAnswer => {
            "POSPOS answers, but not with what was asked for, or not with all of it; that is not used"
        }
        StaleCause::AnotherShop => "The key seems to belong to another shop; what it brings is not used",
        StaleCause::ClockApart => "The clock of the machine that posbell runs on and that of POSPOS differ",
        StaleCause::KeyRefused => "POSPOS refuses the shop's key",
        StaleCause::Held => "What was read looks wrong and waits for a person",
        StaleCause::Quota => {
            "posbell stopped calling so as not to go over the POSPOS quota: it cannot note its calls, or another posbell \
             uses the same quota"
        }
        StaleCause::TooSlow => {
            "Reading does not end in time: there is much data, POSPOS is slow, or the quota is too small"
        }
    }
}

fn stale_remedy(cause: StaleCause, shop: &str) -> Vec<String> {
    let lines: &[&str] = match cause {
        StaleCause::ApiUnreachable => &[
            "Open POSPOS to see whether it works. If it does, ask your technician to check the internet connection of the \
             machine that posbell runs on",
        ],
        StaleCause::ApiError => {
            &["posbell keeps trying. If it lasts a day, ask your technician to tell POSPOS support"]
        }
        StaleCause::TooManyCalls => &[
            "Ask your technician at once to stop other programs that use this key, or to lower the shop's quota in \
             posbell.toml",
            "POSPOS can cancel a key that goes over its quota",
        ],
        StaleCause::BadAnswer => {
            &["posbell keeps trying. If it lasts a day, ask your technician to type: posbell status"]
        }
        StaleCause::AnotherShop => {
            &["Ask your technician to check this shop's POSPOS key in posbell.toml and to put in the right one"]
        }
        StaleCause::ClockApart => {
            &["Ask your technician to set the machine's clock or, where it is right, to tell POSPOS support"]
        }
        StaleCause::KeyRefused => return new_key(shop),
        StaleCause::Held => &["Ask your technician to type: posbell held"],
        StaleCause::Quota => &["Ask your technician to check the disk space, and whether posbell runs twice"],
        StaleCause::TooSlow => &[
            "Ask your technician to type: posbell status",
            "and to lengthen the intervals of this shop ([shop.poll] in posbell.toml)",
        ],
    };
    lines.iter().map(|line| (*line).to_owned()).collect()
}

fn new_key(shop: &str) -> Vec<String> {
    vec![
        "1. Ask your technician to have POSPOS support check the key or give a new one".to_owned(),
        "2. With a new key: the technician puts it in and restarts: systemctl restart posbell".to_owned(),
        format!("3. If the old key works again, the technician types: posbell resume {shop}"),
    ]
}

fn channel_fault(fault: ChannelFault) -> &'static str {
    match fault {
        ChannelFault::Refused => {
            "The other side refuses the sender or has no such receiver: the bot was blocked or removed, the password \
             changed, or the address is wrong"
        }
        ChannelFault::RejectsMessages => "The other side answers, but refused three messages in a row",
        ChannelFault::Unreachable => {
            "Nothing could be sent for over 15 minutes; the other side or the internet connection may be down"
        }
        ChannelFault::Overflow => "It takes no messages, and as many wait as may be kept waiting",
    }
}

fn channel_means(fault: ChannelFault, channel: &str) -> String {
    match fault {
        ChannelFault::Overflow => format!("New messages to {channel} are kept and not tried. Nothing is lost"),
        _ => format!(
            "The readers of {channel} get no alerts for now. Nothing is lost: posbell keeps them and tries again"
        ),
    }
}

fn channel_remedy(fault: ChannelFault, channel: &str) -> Vec<String> {
    let look = "Ask your technician to see what is wrong: posbell status";
    match fault {
        ChannelFault::Refused => vec![
            "Ask your technician to correct the settings or the rights of this channel".to_owned(),
            format!("Then type: posbell retry --channel {channel}"),
        ],
        ChannelFault::RejectsMessages => vec![look.to_owned(), "and to correct it on the other side".to_owned()],
        ChannelFault::Unreachable => vec![
            "Ask your technician to check the other side and the internet connection; the cause: posbell status"
                .to_owned(),
        ],
        ChannelFault::Overflow => vec![
            look.to_owned(),
            format!("When it takes messages again, type: posbell retry --dead --channel {channel}"),
        ],
    }
}

fn held_means(of: Resource, new_are_told: bool) -> String {
    let off = match (of, new_are_told) {
        (Resource::Stock, _) => "Products that run low, run out or change are not told",
        (Resource::Transactions, true) => "New sales are still told; cancels and changes are not",
        (Resource::Transactions, false) => "New sales, cancels and changes are not told",
        (Resource::Credit, true) => "New credits are still told; paid and overdue ones are not",
        (Resource::Credit, false) => "New, paid and overdue credits are not told",
        (Resource::Members, _) => "New, changed and removed members are not told",
        (Resource::Vendors, _) => "New, changed and removed vendors are not told",
        (Resource::BuyDocuments, _) => "New, changed and removed purchase documents are not told",
    };
    format!("{off} until somebody decides or the data are right again")
}
