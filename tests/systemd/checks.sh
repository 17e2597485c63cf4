# What is tried in the container, and how it is told. Sourced by `run`.
#
# A check is a function: it ends with success, or says why not with `fail`. Each begins with a service that runs.

key=fake-key-of-the-shop
token=123456:fake-token-of-the-bot
configuration=/etc/posbell/posbell.toml
data=/var/lib/private/posbell
failed=()

checks=(
    the_service_is_active_when_start_returns
    the_shop_is_found_by_its_name_and_its_key_and_the_chat_by_its_token
    the_secrets_are_readable_to_root_and_the_service_alone
    a_secret_that_the_unit_does_not_load_is_named
    a_stopped_process_is_ended_by_the_watchdog_and_started_again
    a_fed_watchdog_ends_nothing
    an_ended_process_is_started_again
    a_hangup_ends_nothing_and_is_one_line_of_the_journal
    a_wrong_configuration_is_78_and_no_restart
    a_stop_is_quick_and_a_success
    what_root_asks_of_a_running_service_leaves_it_alone
    root_can_ask_a_service_that_listens_nowhere
    what_root_asks_of_a_stopped_service_leaves_it_startable
    a_backup_is_restored_as_documented
    an_ordinary_user_gets_the_problems_of_a_running_service
    an_ordinary_user_gets_the_problems_of_a_stopped_service
    the_journal_has_the_levels_of_the_log
    a_reboot_starts_it_without_a_new_baseline
    what_root_asks_before_the_first_start_leaves_it_startable
    systemd_has_no_complaint_about_the_unit
)

seconds_since() {
    awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }'
}

# Ends a check.
fail() {
    echo "$*" >"$logs/why"
    exit 1
}

run_checks() {
    local name
    run_check the_documented_installation_works_as_pasted
    if [ ${#failed[@]} -gt 0 ]; then
        echo "Nothing else was tried."
        return
    fi
    [ $# -gt 0 ] || set -- "${checks[@]}"
    for name in "$@"; do
        run_check "$name"
    done
    echo "$(($# + 1 - ${#failed[@]})) checks passed, ${#failed[@]} failed. Their output is in $logs."
}

run_check() {
    local name=$1 log=$logs/$1 began=$EPOCHREALTIME status
    rm -f "$logs/why"
    # Not as a condition: that would switch `set -e` off in it.
    set +e
    (
        exec >"$log" 2>&1 9>"$log.trace"
        BASH_XTRACEFD=9
        set -ex
        "$name"
    )
    status=$?
    set -e
    if [ "$status" -eq 0 ]; then
        echo "ok $name ($(seconds_since "$began") s)"
        return
    fi
    failed+=("$name")
    [ -e "$logs/why" ] || tail -n 1 "$log.trace" >"$logs/why"
    echo "FAILED $name: $(head -n 1 "$logs/why")"
    { tail -n +2 "$logs/why" && tail -n 20 "$log"; } | sed 's/^/    /'
    inside journalctl --no-pager -n 60 >"$log.journal" || true
    mend
}

# Puts everything back to where a check begins, after one that failed.
mend() {
    rm -f "$work/outside/broken"
    inside sh -c "
        rm -rf /run/systemd/system/posbell.service.d
        cp /srv/posbell.toml $configuration; cp /srv/posbell.service /etc/systemd/system/
        systemctl daemon-reload; systemctl stop posbell
        if [ -e $data ]; then chown -R --reference=$data $data; fi
        systemctl reset-failed posbell; systemctl start posbell" || true
}

# One property of the unit.
property() {
    inside systemctl show --value --property="$1" posbell
}

is_active() {
    [ "$(property ActiveState)" = active ]
}

# Whether it is active in another process than $1, so that a restart is over.
is_active_but_not_as() {
    is_active && [ "$(property MainPID)" -ne "$1" ]
}

# The journal's lines of the program itself, not what systemd says about it.
journal() {
    inside journalctl --no-pager --output=cat -u posbell _COMM=posbell "$@"
}

# The text of the first block of that kind below a heading of README.md, without its indentation.
block_of_readme() {
    awk -v heading="$1" -v fence='```'"$2" '
        /^## / { below = $0 == "## " heading }
        !below { next }
        inside && /^ *```$/ { exit }
        inside { print substr($0, indent + 1) }
        !inside && index($0, fence) && $0 ~ "^ *" fence "$" { inside = 1; indent = index($0, "`") - 1 }' README.md
}

the_documented_installation_works_as_pasted() {
    local source=/srv/source
    mkdir -p "$root$source/posbell" "$root$source/target/release"
    cp -r systemd rules "$root$source/"
    cp -r rules "$root$source/posbell/"
    cp "$work/posbell" "$root$source/target/release/"
    block_of_readme "Use it with your shop" toml |
        sed -e '/^api_key_file/a base_url = "http://api.shop.test:8780/developer/api"' \
            -e '/^token_file/a api_url = "http://bot.shop.test:8780"' >"$root$source/posbell/posbell.toml"
    (umask 077 && echo "$key" >"$root$source/posbell/pospos-key" && echo "$token" >"$root$source/posbell/bot-token")
    # It was built outside.
    printf '#!/bin/sh\n[ "$*" = "build --release" ]\n' >"$root/usr/local/bin/cargo"
    chmod +x "$root/usr/local/bin/cargo"
    echo "nameserver 127.0.0.1" >"$root/etc/resolv.conf"
    block_of_readme "As a service" sh >"$root/srv/install"
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

the_secrets_are_readable_to_root_and_the_service_alone() {
    local file user
    for file in pospos-key bot-token; do
        [ "$(inside stat -c '%a %U' /etc/posbell/$file)" = "600 root" ] || fail "/etc/posbell/$file is open"
        for user in nobody "$(inside stat -c %u $data)"; do
            if inside setpriv --reuid="$user" --regid=nogroup --clear-groups \
                cat "/etc/posbell/$file" "/run/credentials/posbell.service/$file"; then
                fail "user $user can read $file"
            fi
        done
    done
    ! inside sh -c "tr '\0' '\n' </proc/$(property MainPID)/environ" | grep -e "$key" -e "$token" ||
        fail "a secret is in the environment"
}

a_secret_that_the_unit_does_not_load_is_named() {
    local said
    inside sed -i 's/^LoadCredential=bot-token/#&/' /etc/systemd/system/posbell.service
    inside systemctl daemon-reload
    said=$(inside posbell check 2>&1) || true
    [[ $said == *posbell.service*LoadCredential=bot-token* ]] || fail "check does not name the missing line: $said"
    inside systemctl restart posbell && fail "the service starts without the secret, so what it takes for it is wrong"
    journal -n 20 | grep 'bot-token' >/dev/null || fail "the journal does not name the secret"
    inside cp /srv/posbell.service /etc/systemd/system/
    inside systemctl daemon-reload
    inside systemctl start posbell
    said=$(inside posbell check 2>&1)
    [[ $said != *LoadCredential* ]] || fail "check complains of lines that are there: $said"
}

# Lines for the unit, until the next boot.
drop_in() {
    inside mkdir -p /run/systemd/system/posbell.service.d
    printf '%s\n' "[Service]" "$@" | inside tee /run/systemd/system/posbell.service.d/trial.conf
    inside systemctl daemon-reload
    inside systemctl restart posbell
}

no_drop_in() {
    inside rm -r /run/systemd/system/posbell.service.d
    inside systemctl daemon-reload
    inside systemctl restart posbell
}

a_stopped_process_is_ended_by_the_watchdog_and_started_again() {
    local pid restarts
    [[ $(property WatchdogUSec) =~ [1-9] ]] || fail "the unit has no watchdog"
    drop_in WatchdogSec=5s RestartSec=100ms
    pid=$(property MainPID) restarts=$(property NRestarts)
    inside sh -c "kill -STOP $pid"
    within 15 is_active_but_not_as "$pid" || fail "it was not started again: $(property ActiveState)"
    [ "$(property NRestarts)" -gt "$restarts" ] || fail "no restart was counted"
    inside journalctl -u posbell -n 20 | grep "Watchdog timeout" >/dev/null || fail "something else has ended it"
    no_drop_in
}

a_fed_watchdog_ends_nothing() {
    local pid
    drop_in WatchdogSec=2s RestartSec=100ms
    pid=$(property MainPID)
    sleep 6
    [ "$(property MainPID)" -eq "$pid" ] || fail "it was ended, though all is well"
    no_drop_in
}

an_ended_process_is_started_again() {
    local pid signal
    drop_in RestartSec=100ms
    for signal in KILL TERM INT QUIT SEGV; do
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
    local restarts
    inside sed -i 's/^api_key_file/api_key_fiel/' $configuration
    inside systemctl restart posbell || true
    [ "$(property ExecMainStatus)" = 78 ] || fail "the exit status is $(property ExecMainStatus)"
    [ "$(property SubState)" = failed ] || fail "it is $(property SubState), so that it is started again"
    journal -n 30 | grep 'posbell.toml.*:' >/dev/null || fail "the journal does not say where the mistake is"
    inside cp /srv/posbell.toml $configuration
    inside systemctl start posbell
}

a_stop_is_quick_and_a_success() {
    local began=$SECONDS
    inside systemctl stop posbell
    [ $((SECONDS - began)) -le 5 ] || fail "it took $((SECONDS - began)) s"
    [ "$(property Result)" = success ] || fail "the result is $(property Result)"
    inside systemctl start posbell
}

# What a person looks at as root, with a mask that closes what is made.
root_looks() {
    inside bash -euxc 'umask 077
        posbell check; posbell status; posbell events; posbell deliveries; posbell held; posbell retry --dead
        posbell replay --since 2h; posbell fetch stock >/dev/null
        posbell export events >/dev/null; rm -f ~/b; posbell backup ~/b'
    [ "$(inside sh -c 'stat -c "%a %U" ~/b')" = "600 root" ] || fail "the backup is open"
}

nothing_belongs_to_root() {
    [ -z "$(inside find $data -uid 0)" ] || fail "these belong to root: $(inside find $data -uid 0 | tr '\n' ' ')"
}

what_root_asks_of_a_running_service_leaves_it_alone() {
    root_looks
    nothing_belongs_to_root
    inside systemctl restart posbell
}

what_root_asks_of_a_stopped_service_leaves_it_startable() {
    inside systemctl stop posbell
    root_looks
    nothing_belongs_to_root
    inside systemctl start posbell
}

root_can_ask_a_service_that_listens_nowhere() {
    printf '[admin]\nlisten = "off"\n' | inside tee -a $configuration
    inside systemctl restart posbell
    [ "$(inside stat -c '%a %F' $data/posbell.sock)" = "600 socket" ] || fail "the socket is open to others, or none"
    root_looks
    [[ $(inside posbell status) == *"is running"* ]] || fail "status does not know that the service runs"
    inside cp /srv/posbell.toml $configuration
    inside systemctl restart posbell
}

what_root_asks_before_the_first_start_leaves_it_startable() {
    inside systemctl stop posbell
    inside rm -rf $data /var/lib/posbell
    inside bash -euxc 'umask 077; posbell check --online; posbell status || true; posbell events || true'
    inside systemctl start posbell
    nothing_belongs_to_root
}

a_backup_is_restored_as_documented() {
    local lines
    lines=$(block_of_readme "Backup and restore" console | sed -n 's/^# //p')
    [[ $lines == *"posbell backup"*"posbell restore"* ]] || fail "README.md does not say how"
    inside bash -euxc "umask 077; $lines" || fail "a line of README.md failed"
    is_active || fail "it is $(property ActiveState)"
    nothing_belongs_to_root
}

# What `posbell status` says to a user who has no rights here.
ordinary_status() {
    inside setpriv --reuid=nobody --regid=nogroup --clear-groups posbell status "$@" 2>&1 || true
}

no_raw_error() {
    if grep -i -e 'os error' -e 'permission denied' -e 'error sending' -e 'client error' <<<"$1"; then
        fail "a raw error: $1"
    fi
}

an_ordinary_user_gets_the_problems_of_a_running_service() {
    local said
    said=$(ordinary_status)
    echo "$said"
    no_raw_error "$said"
    grep -q -i -e 'problem' <<<"$said" || fail "no word of the problems: $said"
    said=$(ordinary_status --check)
    [ -z "$said" ] || fail "there is no problem, and it says: $said"
}

an_ordinary_user_gets_the_problems_of_a_stopped_service() {
    local said
    inside systemctl stop posbell
    said=$(ordinary_status)
    echo "$said"
    no_raw_error "$said"
    grep -q -e 'does not run' -e 'not running' <<<"$said" || fail "it does not say that the service does not run: $said"
    grep -q sudo <<<"$said" || fail "it does not say what sudo would add: $said"
    [[ $(ordinary_status --check) == *"does not run"* ]] || fail "status --check does not say so"
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

baselines() {
    inside posbell events --type shop.baseline --json | wc -l
}

a_reboot_starts_it_without_a_new_baseline() {
    local boot_id read_before
    [ "$(baselines)" -eq 1 ] || fail "there are $(baselines) baselines before it"
    boot_id=$(inside cat /proc/sys/kernel/random/boot_id)
    reboot_container
    [ "$(inside cat /proc/sys/kernel/random/boot_id)" != "$boot_id" ] || fail "it is the same boot"
    within 10 is_active || fail "it is $(property ActiveState)"
    read_before=$(wc -l <"$work/outside/calls")
    within 40 has_more_calls_than "$read_before" || fail "the shop is not read"
    [ "$(baselines)" -eq 1 ] || fail "there are $(baselines) baselines after it"
}

has_more_calls_than() {
    [ "$(wc -l <"$work/outside/calls")" -gt "$1" ]
}

systemd_has_no_complaint_about_the_unit() {
    local said
    said=$(inside systemd-analyze verify posbell.service 2>&1) || fail "$said"
    [ -z "$said" ] || fail "$said"
}
