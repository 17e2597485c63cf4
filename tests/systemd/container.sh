# Boots the tree as a container, enters it and boots it again. Sourced by `run` in namespaces of its own.

# Mounts the tree under a layer in memory, so that the kept one stays as it was built, and prepares what nspawn needs.
prepare_container() {
    local layer=$work/layer
    ip link set lo up || cannot "loopback cannot be brought up in a network namespace"
    mkdir -p "$layer" && mount -t tmpfs -o size=1g tmpfs "$layer" || cannot "a tmpfs cannot be mounted"
    mkdir "$layer/upper" "$layer/work" "$layer/root"
    mount -t overlay overlay -o "lowerdir=$tree,upperdir=$layer/upper,workdir=$layer/work" "$layer/root" ||
        cannot "an overlay cannot be mounted"
    root=$layer/root
    mount -t cgroup2 none /sys/fs/cgroup || cannot "a cgroup2 hierarchy cannot be mounted"
    mkdir "/sys/fs/cgroup/$cgroup" || cannot "no cgroup can be made"
    # nspawn leaves its own things here, and must not meet those of the host.
    mount -t tmpfs tmpfs /run
}

# Boots, and waits until the system is up. As a service manager would, it boots again when the container asks for it.
boot() {
    (
        status=133
        while [ "$status" -eq 133 ]; do
            status=0
            run_nspawn || status=$?
        done
    ) </dev/null >>"$logs/console" 2>&1 &
    supervisor=$!
    within 20 is_up
}

# Of a host with cgroup1 the container still gets a hierarchy of the new kind, as Debian has it. nspawn gets a cgroup of
# its own, because a cgroup with processes in it can pass no controllers on.
run_nspawn() {
    (
        echo "$BASHPID" >"/sys/fs/cgroup/$cgroup/cgroup.procs"
        echo "$BASHPID" >"$work/nspawn"
        SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 exec systemd-nspawn --boot --quiet --directory="$root" \
            --register=no --keep-unit --console=pipe --resolv-conf=off --timezone=off --link-journal=no
    )
}

# The container's first process, seen from outside.
leader() {
    local nspawn
    nspawn=$(cat "$work/nspawn")
    cut -d ' ' -f 1 "/proc/$nspawn/task/$nspawn/children"
}

is_up() {
    [[ $(inside systemctl is-system-running) =~ ^(running|degraded)$ ]]
}

# Runs a command in the container as root, as from a login there.
inside() {
    nsenter --target "$(leader)" --mount --uts --ipc --net --pid --cgroup \
        env -i --chdir=/ PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/"root" LANG=C.UTF-8 "$@"
}

# Polls until the command succeeds; fails after so many seconds.
within() {
    local until=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$until" ]; then
            return 1
        fi
        sleep 0.1
    done
}

# Asks the container to boot again, and waits until it has.
reboot_container() {
    local first
    first=$(leader)
    # There is no login manager to be asked, so systemctl complains of it before it asks systemd itself.
    inside systemctl reboot || true
    within 20 is_up_but_not_as "$first" || fail "the container did not come up again"
}

is_up_but_not_as() {
    [ "$(leader)" != "$1" ] && is_up
}

end_container() {
    inside systemctl poweroff 2>/dev/null || true
    wait "$supervisor" || true
}

# Removes what outlives the namespaces.
remove_cgroup() {
    unshare --mount bash -euc "mount -t cgroup2 none /sys/fs/cgroup
        find /sys/fs/cgroup/$cgroup -depth -type d -exec rmdir {} +" || true
}
