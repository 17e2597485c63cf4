//! Is a secret read from where it is named, and shown nowhere?

use super::*;

/// What reading the key of the shop gives, with this line for it.
fn key(dir: &TempDir, line: &str, env: &[(&str, &str)]) -> Result<String, SecretError> {
    fs::write(dir.path().join("posbell.toml"), format!("[[shop]]\nid = \"main\"\n{line}\n")).unwrap();
    let config = load(dir, env).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let value = |name: &str| env.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    config.shops[0].api_key.read(&value).map(|secret| secret.expose_secret().to_owned())
}

#[track_caller]
fn check(dir: &TempDir, line: &str, env: &[(&str, &str)], want: Result<&str, &str>) {
    let got = key(dir, line, env).map_err(|error| error.to_string());
    assert_eq!(got.as_deref().map_err(String::as_str), want, "{line} {env:?}");
}

#[test]
fn a_secret_stands_in_the_file_in_a_variable_or_in_a_file_of_its_own() {
    let dir = files(&[("pospos-key", "from a file\n"), ("keys/main", "  from below \r\n")]);
    check(&dir, "api_key = \"in the file\"", &[], Ok("in the file"));
    check(&dir, "api_key_env = \"KEY\"", &[("KEY", "in a variable")], Ok("in a variable"));
    check(&dir, "api_key_file = \"pospos-key\"", &[], Ok("from a file"));
    check(&dir, "api_key_file = \"keys/main\"", &[], Ok("from below"));
    let absolute = format!("api_key_file = \"{}\"", dir.path().join("pospos-key").display());
    check(&dir, &absolute, &[("CREDENTIALS_DIRECTORY", "/nowhere")], Ok("from a file"));
}

#[test]
fn a_bare_file_name_is_looked_up_among_the_credentials_first() {
    let dir = files(&[("pospos-key", "beside"), ("keys/main", "below")]);
    let credentials = files(&[("pospos-key", "credential\n"), ("keys/main", "wrong")]);
    let env = [("CREDENTIALS_DIRECTORY", credentials.path().to_str().unwrap())];
    check(&dir, "api_key_file = \"pospos-key\"", &env, Ok("credential"));
    check(&dir, "api_key_file = \"keys/main\"", &env, Ok("below"));
    let elsewhere = files(&[("other", "x")]);
    let env = [("CREDENTIALS_DIRECTORY", elsewhere.path().to_str().unwrap())];
    check(&dir, "api_key_file = \"pospos-key\"", &env, Ok("beside"));
}

#[test]
fn a_secret_that_is_not_there_is_missing_in_and_outside_of_the_unit() {
    let dir = files(&[]);
    let env = [("CREDENTIALS_DIRECTORY", dir.path().to_str().unwrap())];
    for (line, env) in [
        ("api_key_file = \"pospos-key\"", &[][..]),
        ("api_key_file = \"pospos-key\"", &env[..]),
        ("api_key_file = \"keys/main\"", &[]),
        ("api_key_file = \"/nowhere/pospos-key\"", &[]),
        ("api_key_env = \"KEY\"", &[]),
    ] {
        assert!(matches!(key(&dir, line, env), Err(SecretError::Missing(_))), "{line}");
    }
    check(&dir, "api_key_file = \"/nowhere/key\"", &[], Err("there is no file /nowhere/key"));
    check(&dir, "api_key_env = \"KEY\"", &[], Err("the environment variable KEY is not set"));
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_secret() {
    let dir = files(&[("bom", "\u{feff}k\r\n")]);
    check(&dir, "api_key_file = \"bom\"", &[], Ok("k"));
    check(&dir, "api_key_env = \"KEY\"", &[("KEY", "\u{feff}k")], Ok("k"));
    check(&dir, "api_key = \"\u{feff}k\"", &[], Ok("k"));
    let utf16: Vec<u8> = "\u{feff}k\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let path = dir.path().join("utf16");
    fs::write(&path, utf16).unwrap();
    let want = format!("{} is saved as UTF-16; save it as UTF-8", path.display());
    check(&dir, "api_key_file = \"utf16\"", &[], Err(&want));
    check(&dir, "api_key_file = \"/dev/zero\"", &[], Err("/dev/zero is a device or a pipe, not a file"));
}

#[test]
fn an_empty_secret_is_none() {
    let dir = files(&[("pospos-key", "\n")]);
    for (line, env) in [
        ("api_key = \"\"", &[][..]),
        ("api_key = \"  \"", &[]),
        ("api_key_env = \"KEY\"", &[("KEY", "")]),
        ("api_key_file = \"pospos-key\"", &[]),
    ] {
        check(&dir, line, env, Err("the secret is empty"));
    }
}

#[test]
fn what_is_found_beside_a_secret_is_not_part_of_it() {
    let dir = files(&[]);
    check(&dir, "api_key = \" k \"", &[], Ok("k"));
    check(&dir, "api_key_env = \"KEY\"", &[("KEY", "k\n")], Ok("k"));
}

#[test]
fn several_secrets_of_a_webhook_are_read_in_their_order() {
    let dir = files(&[("old", "o"), ("new", "n")]);
    for (line, want) in [
        ("secret = \"a\"", &["a"][..]),
        ("secret = [\"a\", \"b\"]", &["a", "b"]),
        ("secret_env = [\"A\", \"B\"]", &["A!", "B!"]),
        ("secret_file = [\"new\", \"old\"]", &["n", "o"]),
    ] {
        let text = format!("[channel.erp]\ntype = \"webhook\"\nurl = \"https://example.com\"\n{line}\n{LEAST}");
        fs::write(dir.path().join("posbell.toml"), text).unwrap();
        let config = load(&dir, &[]).unwrap();
        let ChannelKind::Webhook { secrets, .. } = &config.channels[0].kind else { panic!() };
        let env = |name: &str| (name.len() == 1).then(|| format!("{name}!"));
        let read: Vec<_> = secrets.iter().map(|secret| secret.read(&env).unwrap().expose_secret().to_owned()).collect();
        assert_eq!(read, want, "{line}");
    }
}

#[test]
fn a_configuration_that_is_printed_shows_no_secret() {
    let text = "[[shop]]\nid = \"main\"\napi_key = \"TOPSECRET1\"\n\
                [admin]\ntoken = \"TOPSECRET2\"\n\
                [channel.erp]\ntype = \"webhook\"\nurl = \"https://example.com\"\nsecret = [\"TOPSECRET3\", \"TOPSECRET4\"]\n\
                [channel.owner]\ntype = \"telegram\"\ntoken = \"TOPSECRET5\"\nchat_id = 1\n\
                [channel.mail]\ntype = \"email\"\nsmtp = \"smtps://u@example.com\"\npassword = \"TOPSECRET6\"\n\
                from = \"a@b.c\"\nto = [\"d@e.f\"]\n";
    let config = read(text);
    for shown in [format!("{config:?}"), format!("{config:#?}")] {
        assert!(shown.contains("example.com") && !shown.contains("TOPSECRET"), "{shown}");
    }
    let problems = load(&files(&[("posbell.toml", &format!("nonsense = 1\n{text}"))]), &[]).unwrap_err();
    assert!(!format!("{problems:#?}").contains("TOPSECRET"), "{problems:#?}");
}
