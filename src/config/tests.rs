//! Does a configuration mean what it says, and is every mistake in it found where it stands?

mod advice;
mod broken;
mod secrets;

use std::fs;

use secrecy::ExposeSecret;
use tempfile::TempDir;
use url::Url;

use super::*;
use crate::domain::diff::guard::GuardLimits;
use crate::domain::event::Severity;
use crate::domain::model::{Resource, ShopId};
use crate::domain::rhythm::hours::OpenHours;
use crate::domain::rhythm::stock_way::StockList;
use crate::edge::channel::email::SmtpServer;
use crate::edge::channel::telegram::ChatTarget;
use crate::edge::pospos::FieldMap;

/// A directory with these files.
fn files(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn load(dir: &TempDir, env: &[(&str, &str)]) -> Result<Config, Vec<Problem>> {
    let value = |name: &str| env.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    Config::load(&dir.path().join("posbell.toml"), &value)
}

/// Reads a file that has no mistakes, and no rules beside it.
#[track_caller]
fn read(text: &str) -> Config {
    load(&files(&[("posbell.toml", text)]), &[]).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

const LEAST: &str = "[[shop]]\nid = \"main\"\napi_key = \"k\"\n";

const FULL: &str = r#"
data_dir = "data"
rules = "my-rules"
timezone = "Asia/Tokyo"
language = "en"

[store]
retain = "30d"
max_waiting = 500

[admin]
listen = "0.0.0.0:9000"
token_file = "admin-token"

[heartbeat]
url = "https://hc.example.net/ping/TOKEN"
every = "1m"

[delivery]
retry_for = "24h"
retry_first = "10s"
retry_max = "1h"

[[shop]]
id = "main"
name = "ร้านตัวอย่าง"
api_key_file = "pospos-key"
base_url = "http://127.0.0.1:8080/api"
quota = ["300/10s", "10000/1d"]
page_size = 50
timeout = "5s"
trailing_window = "7d"
open = "07:00-12:00, 17:00-01:00"
stale_after = "20m"
stock_list = "pages"
[shop.poll]
transactions = "30s"
stock = "off"
trailing = "2h"
[shop.guard]
max_changed = "35%"
min_changed = 50
accept_after = "1h 30m"
[shop.fields.stock]
quantity = "/amount/left"
[shop.fields.credit]
due_at = "/due"
[shop.query.transactions]
dbname = "x"

[[shop]]
id = "second"
api_key_env = "SECOND_KEY"

[channel.erp]
type = "webhook"
url = "https://erp.example.com/hooks/posbell"
secret_file = ["old-secret", "new-secret"]
headers = { "x-team" = "shop" }
allow_networks = ["192.168.1.0/24", "10.1.2.3", "fd00::/8"]
timeout = "3s"
concurrency = 8
rate = ["20/1s", "1000/1h"]
batch = 100
retry_first = "1s"

[channel.owner]
type = "telegram"
token = "123:abc"
chat_id = -1001234567890
api_url = "http://127.0.0.1:8081"
silent = ["info", "warning"]

[channel.accountant]
type = "email"
smtp = "smtps://user@mail.example.com:465"
password_env = "SMTP_PASSWORD"
ehlo = "shop.example.com"
from = "posbell <shop@example.com>"
to = ["accountant@example.com", "owner@example.com"]
"#;

/// The full file with rules, and a directory that is theirs.
fn full() -> (Config, TempDir) {
    let first =
        "[[threshold]]\nlow = 5\n\n[[rule]]\nname = \"a\"\non = [\"*\"]\nto = [\"erp\"]\nshops = [\"second\"]\n";
    let second = "[[rule]]\nname = \"b\"\non = [\"sale.*\"]\nto = [\"owner\", \"accountant\"]\n";
    let dir = files(&[
        ("posbell.toml", FULL),
        ("my-rules/20-first.toml", first),
        ("my-rules/30-second.toml", second),
        ("my-rules/10-notes.md", "no rules"),
        ("my-rules/examples/40-third.toml", "no TOML"),
    ]);
    let config = load(&dir, &[("STATE_DIRECTORY", "/var/lib/posbell")]).unwrap_or_else(|p| panic!("{p:#?}"));
    (config, dir)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn what_stands_at_the_top_is_read() {
    let (config, dir) = full();
    assert_eq!(config.file.path, dir.path().join("posbell.toml"));
    assert_eq!(config.data_dir, dir.path().join("data"));
    assert_eq!((config.wording.language, config.wording.timezone), (Language::English, Tz::Asia__Tokyo));
    assert_eq!((config.retain, config.max_waiting), (seconds(30 * 86_400), 500));
    let heartbeat = config.heartbeat.unwrap();
    assert_eq!((heartbeat.url.path(), heartbeat.every), ("/ping/TOKEN", seconds(60)));
    assert_eq!(format!("{heartbeat:?}"), "HeartbeatConfig { every: 60s, .. }", "its address is a secret");
    let admin = config.admin.unwrap();
    assert_eq!((admin.listen.to_string().as_str(), admin.token.is_some()), ("0.0.0.0:9000", true));
}

#[test]
fn a_shop_is_read() {
    let (config, _) = full();
    let [shop, second] = &config.shops[..] else { panic!("{:?}", config.shops) };
    assert_eq!((shop.id.as_str(), shop.name.as_str()), ("main", "ร้านตัวอย่าง"));
    assert_eq!(shop.base_url.as_str(), "http://127.0.0.1:8080/api");
    let quota: Vec<_> = shop.quota.iter().map(|limit| (limit.calls, limit.window)).collect();
    assert_eq!(quota, [(300, seconds(10)), (10_000, seconds(86_400))]);
    assert_eq!((shop.page_size, shop.timeout), (50, seconds(5)));
    assert_eq!(shop.trailing_window, seconds(7 * 86_400));
    assert_eq!(shop.poll[&Resource::Transactions], seconds(30));
    assert!(!shop.poll.contains_key(&Resource::Stock) && shop.poll.len() == 5);
    assert_eq!(shop.trailing, Some(seconds(7_200)));
    assert_eq!(shop.open, Some("07:00-12:00,17:00-01:00".parse::<OpenHours>().unwrap()));
    assert_eq!((shop.stale_after, shop.stock_list), (seconds(1_200), StockList::Pages));
    let guard = GuardLimits {
        max_changed_percent: 35,
        min_changed: 50,
        accept_after: seconds(5_400),
        ..GuardLimits::default()
    };
    assert_eq!((shop.guard, second.guard), (guard, GuardLimits::default()));
    assert_eq!(shop.fields.stock.quantity, "/amount/left");
    assert_eq!(shop.fields.credit.due_at, "/due");
    let query = vec![("dbname".to_owned(), "x".to_owned())];
    assert_eq!(shop.query, [("transactions".to_owned(), query)].into());
    assert_eq!((second.id.as_str(), second.name.as_str()), ("second", "second"));
}

#[test]
fn a_webhook_is_read() {
    let (config, _) = full();
    let erp = config.channels.iter().find(|channel| channel.name.as_str() == "erp").unwrap();
    assert_eq!((erp.timeout, erp.concurrency, erp.batch), (seconds(3), 8, Some(100)));
    assert_eq!(erp.rate.as_deref(), Some(&[(20, seconds(1)), (1000, seconds(3_600))][..]));
    let policy = RetryPolicy { retry_for: seconds(86_400), retry_first: seconds(1), retry_max: seconds(3_600) };
    assert_eq!(erp.retry, policy);
    let ChannelKind::Webhook { url, secrets, headers, allow_networks } = &erp.kind else { panic!("{erp:?}") };
    assert_eq!((url.as_str(), secrets.len()), ("https://erp.example.com/hooks/posbell", 2));
    assert_eq!(headers, &[("x-team".to_owned(), "shop".to_owned())]);
    let networks: Vec<String> = allow_networks.iter().map(ToString::to_string).collect();
    assert_eq!(networks, ["192.168.1.0/24", "10.1.2.3/32", "fd00::/8"]);
}

#[test]
fn a_mailbox_and_a_chat_are_read() {
    let (config, _) = full();
    let kind = |name: &str| &config.channels.iter().find(|channel| channel.name.as_str() == name).unwrap().kind;
    let ChannelKind::Telegram { token, chat_id, api_url, silent } = kind("owner") else { panic!() };
    assert_eq!(token.read(&|_| None).unwrap().expose_secret(), "123:abc");
    assert_eq!(chat_id, &ChatTarget::Id(-1_001_234_567_890));
    assert_eq!(api_url.as_ref().map(Url::as_str), Some("http://127.0.0.1:8081/"));
    assert_eq!(silent, &[Severity::Info, Severity::Warning]);
    let ChannelKind::Email { smtp, password, from, to, ehlo } = kind("accountant") else { panic!() };
    assert_eq!(smtp, &SmtpServer::parse("smtps://user@mail.example.com:465").unwrap());
    assert_eq!(password.as_ref().unwrap().read(&|_| Some("p".to_owned())).unwrap().expose_secret(), "p");
    assert_eq!(from, "posbell <shop@example.com>");
    assert_eq!(to, &["accountant@example.com", "owner@example.com"]);
    assert_eq!(ehlo, &"shop.example.com".parse().ok());
}

#[test]
fn rules_are_read_in_the_order_of_their_files_and_only_from_their_directory() {
    let (config, _) = full();
    assert_eq!(config.rules.rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(config.rules.rules[0].shops, [ShopId::new("second").unwrap()]);
    assert_eq!(config.rules.thresholds.len(), 1);
}

#[test]
fn rules_can_stand_in_one_file_anywhere() {
    let elsewhere = files(&[("rules.toml", "[[threshold]]\nlow = 5\n")]);
    let path = elsewhere.path().join("rules.toml");
    let config = read(&format!("rules = \"{}\"\n{LEAST}", path.display()));
    assert_eq!(config.rules.thresholds.len(), 1);
}

#[test]
fn what_is_left_out_has_the_value_of_the_contract() {
    let config = read(LEAST);
    assert_eq!(config.data_dir, config.file.path.with_file_name("posbell-data"));
    assert_eq!((config.wording.language, config.wording.timezone), (Language::Thai, Tz::Asia__Bangkok));
    assert_eq!((config.retain, config.max_waiting), (seconds(90 * 86_400), 100_000));
    assert_eq!(config.admin.map(|admin| admin.listen.to_string()).as_deref(), Some("127.0.0.1:8787"));
    assert!(config.heartbeat.is_none());
    assert!(config.channels.is_empty() && config.rules.rules.is_empty() && config.rules.thresholds.is_empty());
    let shop = &config.shops[0];
    assert_eq!(shop.base_url.as_str(), "https://go.pospos.co/developer/api");
    assert_eq!(shop.quota.iter().map(|limit| (limit.calls, limit.window)).collect::<Vec<_>>(), [(300, seconds(10))]);
    assert_eq!((shop.page_size, shop.timeout), (200, seconds(30)));
    assert_eq!(shop.trailing_window, seconds(3 * 86_400));
    let poll = [
        (Resource::Transactions, 15),
        (Resource::Stock, 120),
        (Resource::Credit, 600),
        (Resource::Members, 3_600),
        (Resource::Vendors, 21_600),
        (Resource::BuyDocuments, 3_600),
    ];
    assert_eq!(shop.poll, poll.map(|(resource, every)| (resource, seconds(every))).into());
    assert_eq!((&shop.trailing, &shop.open), (&None, &None));
    assert_eq!((shop.stale_after, shop.stock_list), (seconds(900), StockList::Auto));
    let guard = GuardLimits {
        max_changed_percent: 20,
        min_changed: 10,
        accept_after: seconds(3_600),
        ..GuardLimits::default()
    };
    assert_eq!(shop.guard, guard);
    assert_eq!(*shop.fields, FieldMap::default());
    assert!(shop.query.is_empty());
}

#[test]
fn a_channel_that_leaves_everything_out_has_the_values_of_the_contract() {
    let text = "[channel.erp]\ntype = \"webhook\"\nurl = \"https://example.com\"\n\
                [channel.mail]\ntype = \"email\"\nsmtp = \"smtp://127.0.0.1\"\nfrom = \"a@b.c\"\nto = [\"d@e.f\"]\n";
    let config = read(&(text.to_owned() + LEAST));
    let [erp, mail] = &config.channels[..] else { panic!("{:?}", config.channels) };
    for (channel, concurrency) in [(erp, 4), (mail, 1)] {
        assert_eq!((channel.timeout, channel.concurrency), (seconds(15), concurrency));
        assert_eq!((&channel.rate, channel.batch), (&None, None));
        let policy =
            RetryPolicy { retry_for: seconds(72 * 3600), retry_first: seconds(5), retry_max: seconds(6 * 3600) };
        assert_eq!(channel.retry, policy);
    }
    let ChannelKind::Webhook { secrets, headers, allow_networks, .. } = &erp.kind else { panic!() };
    assert!(secrets.is_empty() && headers.is_empty() && allow_networks.is_empty());
}

#[test]
fn the_data_is_where_the_file_says_then_where_systemd_says_then_beside_the_file() {
    let named = format!("data_dir = \"data\"\n{LEAST}");
    let absolute = format!("data_dir = \"/srv/data\"\n{LEAST}");
    for (text, env, want) in [
        (named.as_str(), &[("STATE_DIRECTORY", "/var/lib/posbell")][..], "data"),
        (&absolute, &[], "/srv/data"),
        (LEAST, &[("STATE_DIRECTORY", "/var/lib/posbell")], "/var/lib/posbell"),
        (LEAST, &[("STATE_DIRECTORY", "")], "posbell-data"),
        (LEAST, &[], "posbell-data"),
    ] {
        let dir = files(&[("posbell.toml", text)]);
        assert_eq!(load(&dir, env).unwrap().data_dir, dir.path().join(want), "{text} {env:?}");
    }
}

#[test]
fn a_heartbeat_is_every_five_minutes_unless_the_file_says_otherwise() {
    let config = read(&format!("[heartbeat]\nurl = \"https://hc.example.net/ping\"\n{LEAST}"));
    assert_eq!(config.heartbeat.map(|heartbeat| heartbeat.every), Some(seconds(300)));
}

#[test]
fn a_chat_is_a_number_with_or_without_quotes_or_a_public_name() {
    for (written, want) in [
        ("-1001234", ChatTarget::Id(-1_001_234)),
        ("\"-1001234\"", ChatTarget::Id(-1_001_234)),
        ("\" 42 \"", ChatTarget::Id(42)),
        ("\"@channel\"", ChatTarget::Username("@channel".to_owned())),
    ] {
        let text = format!("{LEAST}[channel.owner]\ntype = \"telegram\"\ntoken = \"t\"\nchat_id = {written}\n");
        let config = read(&text);
        let ChannelKind::Telegram { chat_id, silent, .. } = &config.channels[0].kind else { panic!() };
        assert_eq!((chat_id, &silent[..]), (&want, &[Severity::Info][..]), "{written}");
    }
}

#[test]
fn the_admin_address_can_be_switched_off() {
    assert!(read(&format!("[admin]\nlisten = \"off\"\n{LEAST}")).admin.is_none());
}

#[test]
fn each_way_to_read_the_stock_list_can_be_asked_for() {
    for (word, want) in [("auto", StockList::Auto), ("whole", StockList::Whole), ("pages", StockList::Pages)] {
        assert_eq!(read(&format!("{LEAST}stock_list = \"{word}\"\n")).shops[0].stock_list, want, "{word}");
    }
}

#[test]
fn nothing_has_to_be_polled() {
    let off: String = Resource::ALL.iter().map(|resource| format!("{resource} = \"off\"\n")).collect();
    assert!(read(&format!("{LEAST}[shop.poll]\n{off}")).shops[0].poll.is_empty());
}
