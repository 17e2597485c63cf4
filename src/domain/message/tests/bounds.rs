//! What no message may ever be: long, broken, blank, or a leak.

use proptest::prelude::*;

use super::*;
use crate::domain::event::{ChannelFailing, ChannelFault, ChannelRecovered, ShopRecovered, ShopStale, StaleCause};
use crate::domain::model::ChannelName;

/// The telephone number of every customer in here.
const PHONE: &str = "0899999997";

/// Any text, often long, often with what breaks lines, seldom absent.
fn any_text() -> impl Strategy<Value = Option<String>> {
    let wild =
        prop_oneof![".{0,40}", "[\u{0}-\u{ff}]{0,300}", "[0-9 -]{0,30}", "(?s).{0,200}", "[ก-๛\n\t\u{202e}]{0,500}"];
    prop::option::weighted(0.8, wild)
}

fn any_number() -> impl Strategy<Value = Option<Money>> {
    let number = (any::<i64>(), 0u32..=18).prop_map(|(number, scale)| rust_decimal::Decimal::new(number, scale));
    prop::option::of(
        prop_oneof![number, Just(rust_decimal::Decimal::MAX), Just(rust_decimal::Decimal::MIN)].prop_map(Money::from),
    )
}

fn any_time() -> impl Strategy<Value = Timestamp> {
    let edges = [Timestamp::MIN_UTC, Timestamp::MAX_UTC];
    prop_oneof![
        (-10_000_000_000i64..10_000_000_000).prop_map(|s| Timestamp::from_timestamp(s, 0).unwrap()),
        prop::sample::select(edges.to_vec()),
    ]
}

prop_compose! {
    fn any_event()(
        kind in prop::sample::select(EventKind::ALL.to_vec()),
        texts in prop::collection::vec(any_text(), 8),
        numbers in prop::collection::vec(any_number(), 4),
        time in any_time(),
        lines in 0usize..30,
        which in 0u32..11,
    ) -> Event {
        let text = |i: usize| texts[i].clone();
        let counted = |i: usize| numbers[i].map(|n| Quantity::from(n.decimal()));
        let party = Party { code: text(0), name: text(1) };
        let line = SaleLine { product_code: text(2), name: text(3), quantity: counted(0), total: numbers[1], ..line("", "1", "1") };
        let payment = Payment { kind: PaymentKind::Cash, code: None, amount: numbers[2], tendered: None };
        let sale = Sale {
            code: text(4), receipt: text(5), sold_at: Some(time), cancelled_at: Some(time), total: numbers[0], discount: numbers[3],
            comment: text(6), staff: text(7), member: Some(party), payments: vec![payment; 3], lines: vec![line; lines], ..bare_sale()
        };
        let product = Product { code: text(0), name: text(1), unit: text(2), quantity: counted(1), ..product("1") };
        let customer = Customer { code: text(3), name: text(4), phone: some(PHONE) };
        let credit = Credit { code: text(0), sale_code: text(1), customer: Some(customer), amount: numbers[0], balance: numbers[1],
            due_at: Some(time), days_overdue: Some(i64::MAX), ..credit() };
        let changed: Vec<String> = texts.iter().flatten().cloned().collect();
        let threshold = ThresholdView { level: Level::Low, below: counted(2), rearm: None };
        let data = match which {
            0 => EventData::Sale { previous: Some(Box::new(super::sale())), sale: Box::new(sale), changed },
            1 => EventData::Product { product: Box::new(product), previous: None, changed, threshold: Some(threshold) },
            2 => EventData::Credit { credit: Box::new(credit), previous: None, changed },
            3 => {
                let member = Member { code: text(0), name: some(PHONE), nickname: some(PHONE), phone: some(PHONE),
                    email: some(PHONE), kind: text(1), points: counted(3), ..member() };
                let previous = Some(Box::new(Member { points: counted(0), ..member.clone() }));
                EventData::Member { member: Box::new(member), previous, changed }
            }
            4 => {
                let vendor = Vendor { code: text(0), name: text(1), phone: some(PHONE), email: some(PHONE), ..vendor() };
                EventData::Vendor { vendor: Box::new(vendor), previous: None, changed }
            }
            5 => {
                let line = PurchaseLine { name: text(2), product_code: text(3), quantity: counted(1), unit_price: None, total: numbers[2] };
                let vendor = Some(Party { code: text(4), name: some(PHONE) });
                let purchase = Purchase { code: text(5), vendor, total: numbers[0], lines: vec![line; lines], ..purchase() };
                let previous = Some(Box::new(Purchase { total: numbers[3], ..purchase.clone() }));
                EventData::Purchase { purchase: Box::new(purchase), previous, changed }
            }
            6 => {
                let counts = HeldCounts { known: u64::MAX, vanished: u64::MAX, ..HeldCounts::default() };
                scribe().pass_held(1, Resource::Members, time, counts).data
            }
            _ => any_notice(which, time, texts.iter().flatten().cloned().collect::<String>() + " " + PHONE),
        };
        Event { kind, time, data, ..scribe().key_rejected(1, 401) }
    }
}

/// The notices that quote another program.
fn any_notice(which: u32, since: Timestamp, why: String) -> EventData {
    let channel = ChannelName::new("owner").unwrap();
    let (lasted_s, waiting, resources) = (u64::MAX, u64::MAX, Resource::ALL.to_vec());
    let event = match which {
        7 => {
            let (cause, since) = (StaleCause::Quota, Some(since));
            scribe().shop_stale(1, ShopStale { resources, since, cause, why, again: true })
        }
        8 => scribe().shop_recovered(1, ShopRecovered { resources, since: Some(since), lasted_s, changes: u64::MAX }),
        9 => {
            let cause = ChannelFault::Refused;
            scribe().channel_failing(1, ChannelFailing { channel, since, cause, why, waiting })
        }
        _ => scribe().channel_recovered(1, ChannelRecovered { channel, since, lasted_s, waiting }),
    };
    event.data
}

proptest! {
    // Each case renders up to 25 events of long texts; the default of 256 takes seconds.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_the_api_says_a_message_is_short_visible_and_without_the_telephone_number(
        events in prop::collection::vec(any_event(), 0..25),
        shop in any_text(),
        thai in any::<bool>(),
        count in prop_oneof![Just(0), Just(1), any::<u64>()],
        timezone in prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec()),
    ) {
        let language = if thai { Language::Thai } else { Language::English };
        let wording = Wording { language, timezone };
        let Text { title, body } = match count {
            0 => render(&events, shop.as_deref(), &wording),
            count => render_newest(&events, &vec![count; events.len()], shop.as_deref(), &wording),
        };
        prop_assert!(!title.trim().is_empty() && title.chars().count() <= LINE_MOST, "{title}");
        prop_assert!(body.chars().count() <= BODY_MOST);
        prop_assert!(body.lines().count() <= EVENTS_SHOWN + 1);
        prop_assert!(!title.chars().any(char::is_control));
        prop_assert!(!body.chars().any(|c| c.is_control() && c != '\n'));
        prop_assert!(!title.contains(PHONE) && !body.contains(PHONE));
        for line in body.lines() {
            prop_assert!(!line.trim().is_empty() && line.chars().count() <= LINE_MOST, "{line}");
        }
    }
}
