//! Sales, stock and credit reach a webhook, a Telegram chat and a mailbox through the same outbox.

use posbell::demo::shop::Line;
use posbell::domain::event::EventKind;
use posbell::domain::model::{EntityId, Quantity};

use crate::support::rig::{PATIENCE, Rig, RigPlan};
use crate::support::smtp::MailServer;
use crate::support::telegram::BotApi;

const TO_ALL: &str = r#"
[[threshold]]
low = 5

[[rule]]
name = "all of it to everyone"
on = ["sale.created", "stock.out", "credit.overdue", "shop.baseline"]
to = ["receiver", "owner", "accountant"]
group = "0s"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn one_change_reaches_a_webhook_a_chat_and_two_mailboxes() {
    let (mail, bot) = (MailServer::start().await, BotApi::start().await);
    let config = format!(
        r#"
[channel.owner]
type = "telegram"
token = "123456:telegram-test-token"
chat_id = -1001234567890
api_url = "{}"

[channel.accountant]
type = "email"
smtp = "{}"
from = "posbell <shop@example.com>"
to = ["first@example.com", "second@example.com"]
"#,
        bot.url(),
        mail.url()
    );
    let rig = Rig::new(RigPlan { config, rules: TO_ALL.to_owned(), ..RigPlan::default() });
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;

    let full = |id: &EntityId| rig.shop.quantity(id).is_some_and(|left| left >= Quantity::from(6));
    let product = rig.shop.products().into_iter().find(full).expect("something is on the shelf");
    let quantity = rig.shop.quantity(&product).expect("is known");
    rig.shop.sell(&[Line { product, quantity }]).expect("is sold");
    rig.told(EventKind::StockOut).await;
    let credit = rig.shop.credits().first().expect("someone owes").clone();
    rig.shop.let_fall_due(&credit).expect("falls due");
    let received = rig.told(EventKind::CreditOverdue).await;
    rig.told(EventKind::SaleCreated).await;

    let everyone = async {
        while bot.messages().len() < 4 || mail.mails().len() < 8 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, everyone).await.expect("everyone is told");
    let chat: Vec<String> = bot.messages().iter().map(|message| message.text.clone()).collect();
    for sign in ["🔔", "🧾", "🔴", "⏰"] {
        assert!(chat.iter().any(|text| text.starts_with(sign)), "no {sign} in {chat:?}");
    }
    assert!(chat.iter().all(|text| !text.contains("Test shop")), "the name of the only shop in {chat:?}");
    for address in ["first@example.com", "second@example.com"] {
        let mails = mail.mails();
        let own = mails.iter().filter(|mail| mail.to.iter().any(|to| to.contains(address)));
        assert_eq!(own.count(), 4, "{address} is told each of the four once");
    }
    assert!(received.len() >= 3);
    drop(service);
}
