//! Channels that are wrong in one way each.

use super::*;

#[test]
fn mistakes_of_a_webhook_and_of_any_channel() {
    let webhook = "type = \"webhook\"\nurl = \"https://example.com\"\n";
    for (name, lines, want) in [
        ("no type", "url = \"https://example.com\"", "4:1 `type` is missing"),
        ("an unknown type", "type = \"webhok\"", "5:8 there are no `webhok` channels; did you mean `webhook`?"),
        ("a type of nothing", "type = \"fax\"", "5:8 there are no `fax` channels; a channel is one of: webhook, email"),
        ("a type for later", "type = \"line\"", "5:8 `line` channels do not work in this version of posbell yet"),
        ("an unknown key", &format!("{webhook}timout = \"1s\""), "7:1 unknown key `timout`; did you mean `timeout`?"),
        ("a key for later", &format!("{webhook}order = \"none\""), &format!("7:1 `order` {LATER}")),
        ("no sender at once", &format!("{webhook}concurrency = 0"), "7:15 `concurrency` must be from 1 to 64"),
        ("no address", "type = \"webhook\"", "4:1 `url` is missing"),
        ("an address of another kind", "type = \"webhook\"\nurl = \"mailto:a@b.c\"", "6:7 `url` must be an http://"),
        (
            "an address with a token and without a scheme",
            "type = \"webhook\"\nurl = \"example.com/TOKEN\"",
            "6:7 `url` must be an http:// or https:// address",
        ),
        (
            "two forms of a secret",
            &format!("{webhook}secret = \"a\"\nsecret_file = \"b\""),
            "8:15 give one of `secret`, `secret_env` and `secret_file`, not several",
        ),
        (
            "a secret that is a number",
            &format!("{webhook}secret = 5"),
            "7:10 `secret` must be text in quotes, or a list of texts",
        ),
        (
            "a header that is a number",
            &format!("{webhook}headers = {{ x-a = 5 }}"),
            "7:19 `x-a` must be text in quotes; put quotes around it",
        ),
        ("headers that are a list", &format!("{webhook}headers = []"), "7:11 `headers` must be a table"),
        (
            "a network that is none",
            &format!("{webhook}allow_networks = [\"10.0.0.0/8\", \"192.168.1\"]"),
            "7:33 `192.168.1` is no network; write it as `192.168.1.0/24`",
        ),
    ] {
        check_channel(name, lines, want);
    }
    check(
        "a name with a space",
        &format!("{LEAST}[channel.\"a b\"]\n{webhook}"),
        "4:10 the name of a channel must be 1 to 64 letters, digits, `-`",
    );
    check(
        "a channel without a name",
        &format!("{LEAST}[channel]\ntype = \"webhook\"\n"),
        "5:1 `type` belongs to no channel; write it below the name of one: [channel.NAME]",
    );
    check(
        "channels in a list",
        &format!("{LEAST}[[channel]]\ntype = \"webhook\"\n"),
        "4:1 `channel` must be a table; write it once, in single brackets",
    );
}

#[test]
fn mistakes_of_how_much_and_how_loudly_a_channel_sends() {
    let webhook = "type = \"webhook\"\nurl = \"https://example.com\"\n";
    for (name, lines, want) in [
        (
            "a rate without a list",
            format!("{webhook}rate = \"20/1s\""),
            "7:8 `rate` must be a list; write it in brackets: rate = [\"20/1s\"]",
        ),
        ("a rate of nothing", format!("{webhook}rate = [\"0/1s\"]"), "7:9 `rate`: `0/1s`: the count before the `/`"),
        ("no rate", format!("{webhook}rate = []"), "7:8 `rate` is empty; write it as `[\"20/1s\"]`, or leave it out"),
        ("arrays of nothing", format!("{webhook}batch = 0"), "7:9 `batch` must be from 1 to 1000"),
        (
            "a sound of a webhook",
            format!("{webhook}silent = [\"info\"]"),
            "7:1 `silent` belongs to telegram channels; take it out here",
        ),
    ] {
        check_channel(name, &lines, want);
    }
}

#[test]
fn addresses_that_would_always_be_refused() {
    for (name, lines, want) in [
        (
            "an address of this machine",
            "type = \"webhook\"\nurl = \"http://127.0.0.1:9000/hook\"",
            "6:7 127.0.0.1 is a loopback address; add allow_networks = [\"127.0.0.1/32\"] to the channel to allow it",
        ),
        (
            "the name of this machine",
            "type = \"webhook\"\nurl = \"http://localhost:9000/hook\"",
            "6:7 localhost is a loopback address; add allow_networks = [\"127.0.0.0/8\", \"::1/128\"] to the channel",
        ),
        (
            "a private address that is not listed",
            "type = \"webhook\"\nurl = \"https://[fd00::1]/\"\nallow_networks = [\"192.168.1.0/24\"]",
            "6:7 fd00::1 is a private address; add allow_networks = [\"fd00::1/128\"] to the channel to allow it",
        ),
        (
            "an address that is never called",
            "type = \"webhook\"\nurl = \"http://169.254.169.254/\"\nallow_networks = [\"169.254.0.0/16\"]",
            "6:7 169.254.169.254 is a link-local address, which posbell never calls",
        ),
    ] {
        check_channel(name, lines, want);
    }
}

#[test]
fn mistakes_of_a_mailbox_and_of_a_chat() {
    let mail = "type = \"email\"\nfrom = \"a@b.c\"\n";
    let chat = "type = \"telegram\"\nchat_id = 5\n";
    for (name, lines, want) in [
        ("mail without a server", format!("{mail}to = [\"d@e.f\"]").as_str(), "4:1 `smtp` is missing"),
        ("mail to nobody", &format!("{mail}to = []\nsmtp = \"smtp://127.0.0.1\""), "7:6 `to` is empty: the mail would"),
        (
            "a password in the address",
            &format!("{mail}to = [\"d@e.f\"]\nsmtp = \"smtps://u:p@example.com\""),
            "8:8 `smtp`: the password does not belong into the address: give it as password_file",
        ),
        ("a bot without a token", chat, "4:1 the bot has no token; add `token_file`"),
        (
            "a token that is a number",
            &format!("{chat}token = 5"),
            "7:9 `token` must be text in quotes; put quotes around it",
        ),
        ("no chat", "type = \"telegram\"\ntoken = \"t\"", "4:1 `chat_id` is missing"),
        (
            "a chat without its sign",
            "type = \"telegram\"\ntoken = \"t\"\nchat_id = \"my_shop\"",
            "7:11 `chat_id` must be a chat's number such as -1001234567890, or a public name such as \"@channel\"; \
             did you mean \"@my_shop\"?",
        ),
        (
            "a chat by its address",
            "type = \"telegram\"\ntoken = \"t\"\nchat_id = \"https://t.me/my_shop\"",
            "7:11 `chat_id` must be a chat's number such as -1001234567890, or a public name such as \"@channel\"; \
             did you mean \"@my_shop\"?",
        ),
        (
            "no chat's number",
            "type = \"telegram\"\ntoken = \"t\"\nchat_id = 0",
            "7:11 `chat_id` must be a chat's number",
        ),
        (
            "a severity that is none",
            &format!("{chat}token = \"t\"\nsilent = [\"info\", \"warn\"]"),
            "8:19 `silent` must be \"info\", \"warning\" or \"critical\"; did you mean \"warning\"?",
        ),
        (
            "a batch for a chat",
            &format!("{chat}token = \"t\"\nbatch = 5"),
            "8:1 `batch` belongs to webhook channels; take it out here",
        ),
    ] {
        check_channel(name, lines, want);
    }
}

#[test]
fn names_that_no_mail_server_is_greeted_by() {
    let mail = "type = \"email\"\nfrom = \"a@b.c\"\n";
    let chat = "type = \"telegram\"\nchat_id = 5\n";
    for (name, lines, want) in [
        (
            "a machine without a whole name",
            format!("{mail}to = [\"d@e.f\"]\nsmtp = \"smtp://127.0.0.1\"\nehlo = \"raspberrypi\""),
            "9:8 `ehlo` must be a whole name with a dot in it, such as shop.example.com, or an address such as [192.0.2.1]",
        ),
        (
            "an address without its brackets",
            format!("{mail}to = [\"d@e.f\"]\nsmtp = \"smtp://127.0.0.1\"\nehlo = \"10.0.0.1\""),
            "9:8 `ehlo` must be a whole name with a dot in it, such as shop.example.com, or an address such as [192.0.2.1]; \
             did you mean \"[10.0.0.1]\"?",
        ),
        (
            "a greeting of a chat",
            format!("{chat}token = \"t\"\nehlo = \"a.b\""),
            "8:1 `ehlo` belongs to email channels",
        ),
    ] {
        check_channel(name, &lines, want);
    }
}
