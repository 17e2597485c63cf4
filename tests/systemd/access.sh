# Who may do and see what: the service with its secrets, root, and an ordinary user. Sourced by `run`.

the_secrets_are_readable_to_root_and_the_service_alone() {
    local file user
    for file in /etc/posbell/{pospos-key,bot-token} /run/credentials/posbell.service/{pospos-key,bot-token}; do
        for user in nobody "$(inside stat -c %u $data)"; do
            if inside setpriv --reuid="$user" --regid=nogroup --clear-groups cat "$file"; then
                [[ $user != nobody && $file == /run/* ]] || fail "user $user can read $file"
            fi
        done
    done
    [ "$(inside stat -c '%a %U' /etc/posbell/pospos-key)" = "600 root" ] || fail "the key is open"
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

root_can_ask_a_service_that_listens_nowhere() {
    printf '[admin]\nlisten = "off"\n' | inside tee -a $configuration
    inside systemctl restart posbell
    [ "$(inside stat -c '%a %F' $data/posbell.sock)" = "600 socket" ] || fail "the socket is open to others, or none"
    root_looks
    [[ $(inside posbell status) == *"is running"* ]] || fail "status does not know that the service runs"
    inside cp /srv/posbell.toml $configuration
    inside systemctl restart posbell
}

what_root_asks_of_a_stopped_service_leaves_it_startable() {
    inside systemctl stop posbell
    root_looks
    nothing_belongs_to_root
    inside systemctl start posbell
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
    lines=$(documented README.md "Backup and restore" console | sed -n 's/^# //p')
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
