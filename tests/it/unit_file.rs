//! Does the systemd unit keep what the README promises? Lines are compared as systemd reads them: comments skipped,
//! a repeated key collects. How tight the sandbox is, `systemd-analyze security` measures in `.ci/run`; a test that
//! is skipped where the command is missing could not fail.

use std::path::Path;

/// `(section, key, value)` of every setting, in order.
fn settings() -> Vec<(String, String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd/posbell.service");
    let unit = std::fs::read_to_string(path).expect("the unit is part of the repository");
    let mut section = String::new();
    let mut settings = Vec::new();
    for (number, line) in unit.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with(['#', ';']))
    {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("line {} is no setting: {line}", number + 1));
        settings.push((section.clone(), key.trim().to_owned(), value.trim().to_owned()));
    }
    settings
}

/// Every value of that key, in order.
fn values(section: &str, key: &str) -> Vec<String> {
    settings().into_iter().filter(|(s, k, _)| s == section && k == key).map(|(_, _, value)| value).collect()
}

#[test]
fn the_unit_says_when_it_is_ready_and_restarts_on_everything_but_a_wrong_configuration() {
    let promised = [
        ("Service", "Type", "notify"),
        ("Service", "TimeoutStartSec", "3min"),
        ("Service", "WatchdogSec", "60s"),
        ("Service", "ExecStart", "/usr/bin/posbell --config /etc/posbell/posbell.toml run"),
        ("Service", "Restart", "always"),
        ("Service", "RestartPreventExitStatus", "78"),
        ("Service", "RestartSec", "5s"),
        ("Service", "LimitNOFILE", "8192"),
        ("Service", "LimitCORE", "0"),
        ("Service", "RuntimeDirectory", "posbell"),
        ("Service", "RuntimeDirectoryPreserve", "restart"),
        ("Service", "Environment", "MALLOC_ARENA_MAX=1"),
        ("Unit", "StartLimitIntervalSec", "0"),
        ("Install", "WantedBy", "multi-user.target"),
    ];
    for (section, key, value) in promised {
        assert_eq!(values(section, key), [value], "[{section}] {key}");
    }
}

#[test]
fn the_unit_has_a_user_and_a_directory_of_its_own_and_secrets_that_only_it_can_read() {
    assert_eq!(values("Service", "DynamicUser"), ["yes"]);
    assert_eq!(values("Service", "StateDirectory"), ["posbell"]);
    assert_eq!(values("Service", "StateDirectoryMode"), ["0700"]);
    assert_eq!(values("Service", "UMask"), ["0077"]);
    // Only the key: a credential whose file is missing keeps the unit from starting.
    assert_eq!(values("Service", "LoadCredential"), ["pospos-key:/etc/posbell/pospos-key"]);
}

#[test]
fn the_unit_can_call_out_and_can_do_little_else() {
    assert_eq!(values("Service", "RestrictAddressFamilies"), ["AF_INET AF_INET6 AF_UNIX"]);
    assert_eq!(values("Service", "CapabilityBoundingSet"), [""]);
    assert_eq!(values("Service", "AmbientCapabilities"), [""]);
    assert_eq!(values("Service", "ProtectSystem"), ["strict"]);
    assert_eq!(values("Service", "SystemCallFilter"), ["@system-service", "~@privileged @resources"]);
    let on = [
        "LockPersonality",
        "MemoryDenyWriteExecute",
        "NoNewPrivileges",
        "PrivateDevices",
        "PrivateTmp",
        "PrivateUsers",
        "ProtectClock",
        "ProtectControlGroups",
        "ProtectHome",
        "ProtectHostname",
        "ProtectKernelLogs",
        "ProtectKernelModules",
        "ProtectKernelTunables",
        "RestrictNamespaces",
        "RestrictRealtime",
        "RestrictSUIDSGID",
    ];
    for key in on {
        assert_eq!(values("Service", key), ["yes"], "{key}");
    }
    for key in ["PrivateNetwork", "IPAddressDeny"] {
        assert!(values("Service", key).is_empty(), "{key} would stop a service that works");
    }
}
