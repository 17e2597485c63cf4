# How a check is run and told, and what checks are made of. Sourced by `run`.

key=fake-key-of-the-shop
token=123456:fake-token-of-the-bot
configuration=/etc/posbell/posbell.toml
data=/var/lib/private/posbell
failed=()

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

# The text of the first block of a kind, or of the one with that number, below a heading of a file, without its indentation.
documented() {
    awk -v heading="$2" -v fence='```'"$3" -v number="${4:-1}" '
        /^## / { below = $0 == "## " heading }
        !below { next }
        inside && /^ *```$/ { exit }
        inside { print substr($0, indent + 1) }
        !inside && $0 ~ "^ *" fence "$" && ++count == number { inside = 1; indent = index($0, "`") - 1 }' "$1"
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
