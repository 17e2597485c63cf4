# What happens to the service: it is installed, started, ended, asked to end, and booted with the machine. Sourced by `run`.

the_documented_installation_works_as_pasted() {
    local source=/srv/source
    mkdir -p "$root$source/posbell" "$root$source/target/release"
    cp -r systemd rules "$root$source/"
    cp -r rules "$root$source/posbell/"
    cp "$work/posbell" "$root$source/target/release/"
    documented README.md "Use it with your shop" toml |
        sed -e '/^api_key_file/a base_url = "http://api.shop.test:8780/developer/api"' \
            -e '/^token_file/a api_url = "http://bot.shop.test:8780"' >"$root$source/posbell/posbell.toml"
    (umask 077 && echo "$key" >"$root$source/posbell/pospos-key" && echo "$token" >"$root$source/posbell/bot-token")
    # It was built outside.
    printf '#!/bin/sh\n[ "$*" = "build --release" ]\n' >"$root/usr/local/bin/cargo"
    chmod +x "$root/usr/local/bin/cargo"
    echo "nameserver 127.0.0.1" >"$root/etc/resolv.conf"
    documented README.md "As a service" sh >"$root/srv/install"
    [ -s "$root/srv/install" ] || fail "README.md has no installation to paste"
    inside bash -euxc "umask 077; cd $source; . /srv/install" || fail "a line of README.md failed"
    inside cp $configuration /etc/systemd/system/posbell.service /srv/
    is_active || fail "the service is $(property ActiveState)"
}

the_service_is_active_when_start_returns() {
    inside systemctl stop posbell
    inside systemctl start posbell
    is_active || fail "it is $(property ActiveState)"
    [ "$(property Type)" = notify ] || fail "systemd does not wait for READY=1"
}

the_shop_is_found_by_its_name_and_its_key_and_the_chat_by_its_token() {
    within 40 grep -q "^GET /developer/api/stock.* $key$" "$work/outside/calls" || fail "the shop was not read"
    within 40 grep -q "^POST /bot$token/SendMessage" "$work/outside/calls" || fail "the baseline was not told"
}

systemd_has_no_complaint_about_the_unit() {
    local said
    said=$(inside systemd-analyze verify posbell.service 2>&1) || fail "$said"
    [ -z "$said" ] || fail "$said"
}

the_watchdog_ends_a_process_that_hangs_and_no_other() {
    local pid
    [[ $(property WatchdogUSec) =~ [1-9] ]] || fail "the unit has no watchdog"
    drop_in WatchdogSec=4s RestartSec=100ms
    pid=$(property MainPID)
    sleep 6
    [ "$(property MainPID)" -eq "$pid" ] || fail "it was ended, though all is well"
    inside sh -c "kill -STOP $pid"
    within 15 is_active_but_not_as "$pid" || fail "it was not started again: $(property ActiveState)"
    inside journalctl -u posbell -n 20 | grep "Watchdog timeout" >/dev/null || fail "something else has ended it"
    no_drop_in
}

an_ended_process_is_started_again() {
    local pid signal
    drop_in RestartSec=100ms
    for signal in KILL TERM INT QUIT ABRT; do
        pid=$(property MainPID)
        inside sh -c "kill -$signal $pid"
        within 15 is_active_but_not_as "$pid" || fail "after SIG$signal it is $(property ActiveState)"
    done
    no_drop_in
}

a_hangup_ends_nothing_and_is_one_line_of_the_journal() {
    local pid before
    pid=$(property MainPID) before=$(journal | wc -l)
    inside sh -c "kill -HUP $pid"
    within 5 hangup_is_told "$before" || fail "the journal does not tell of it"
    is_active || fail "it is $(property ActiveState)"
    [ "$(property MainPID)" -eq "$pid" ] || fail "it was started again"
    [ "$(journal | tail -n +$((before + 1)) | grep -c SIGHUP)" -eq 1 ] || fail "it is told more than once"
}

hangup_is_told() {
    journal | tail -n +$(($1 + 1)) | grep SIGHUP >/dev/null
}

a_wrong_configuration_is_78_and_no_restart() {
    inside sed -i 's/^api_key_file/api_key_fiel/' $configuration
    inside systemctl restart posbell || true
    [ "$(property ExecMainStatus)" = 78 ] || fail "the exit status is $(property ExecMainStatus)"
    [ "$(property SubState)" = failed ] || fail "it is $(property SubState), so that it is started again"
    journal -n 30 | grep 'posbell.toml.*:' >/dev/null || fail "the journal does not say where the mistake is"
    inside cp /srv/posbell.toml $configuration
    inside systemctl start posbell
}

the_documented_on_failure_unit_runs_after_a_wrong_configuration() {
    local units=/etc/systemd/system
    inside mkdir -p $units/posbell.service.d
    documented docs/operating.md "Outside monitors" ini 1 | inside tee $units/posbell.service.d/onfailure.conf
    documented docs/operating.md "Outside monitors" ini 2 | sed 's|^ExecStart=.*|ExecStart=touch /run/told|' |
        inside tee $units/posbell-failed.service
    inside sed -i 's/^api_key_file/api_key_fiel/' $configuration
    inside systemctl daemon-reload
    inside systemctl restart posbell || true
    within 10 inside test -e /run/told || fail "it did not run"
    inside rm -r $units/posbell.service.d
    inside cp /srv/posbell.toml $configuration
    inside systemctl daemon-reload
    inside systemctl start posbell
}

a_stop_is_quick_and_a_success() {
    local began=$SECONDS
    inside systemctl stop posbell
    [ $((SECONDS - began)) -le 5 ] || fail "it took $((SECONDS - began)) s"
    [ "$(property Result)" = success ] || fail "the result is $(property Result)"
    inside systemctl start posbell
}

the_journal_has_the_levels_of_the_log() {
    touch "$work/outside/broken"
    inside systemctl restart posbell
    within 20 has_a_warning || fail "journalctl -p warning shows no warning"
    rm "$work/outside/broken"
    journal -p warning | grep 'is running' && fail "journalctl -p warning shows what is none" || true
    [ -n "$(journal -p info..info | grep 'is running')" ] || fail "the journal does not know what is only information"
    [ -z "$(journal | grep '^<[0-7]>')" ] || fail "a level stands in the text"
}

has_a_warning() {
    journal -p warning..warning | grep 500 >/dev/null
}

a_reboot_starts_it_without_a_new_baseline() {
    local boot_id read_before
    within 40 has_one_baseline || fail "there are $(baselines) baselines before it"
    boot_id=$(inside cat /proc/sys/kernel/random/boot_id)
    reboot_container
    [ "$(inside cat /proc/sys/kernel/random/boot_id)" != "$boot_id" ] || fail "it is the same boot"
    within 10 is_active || fail "it is $(property ActiveState)"
    read_before=$(wc -l <"$work/outside/calls")
    within 40 has_more_calls_than "$read_before" || fail "the shop is not read"
    has_one_baseline || fail "there are $(baselines) baselines after it"
}

baselines() {
    inside posbell events --type shop.baseline --json | wc -l
}

has_one_baseline() {
    [ "$(baselines)" -eq 1 ]
}

has_more_calls_than() {
    [ "$(wc -l <"$work/outside/calls")" -gt "$1" ]
}
