# The Debian that is booted: built once for each list of packages and kept in target/systemd. Sourced by `run`.

# Of the host's own release, so that a program that was built here runs there.
tree_packages=systemd,systemd-sysv,ca-certificates
tree_release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")

# Prints the Debian sources of the host, and nothing of other vendors'.
debian_sources() {
    local file
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
        case $file in
            *.sources) awk -v RS= '/^(.*\n)?URIs:[^\n]*debian/ { print $0 "\n" }' "$file" ;;
            *.list) grep -E '^deb .*debian' "$file" || true ;;
        esac
    done 2>/dev/null | grep -v '^#'
}

# Builds the tree unless it is there, and sets `tree` to its directory.
build_tree() {
    local key began=$SECONDS
    [ -n "$tree_release" ] || cannot "the host's release has no name in /etc/os-release"
    key=$(printf '%s\n' "$tree_release" "$tree_packages" "$(dpkg --print-architecture)" | sha256sum | cut -c1-12)
    tree=$work/tree-$key
    if [ -d "$tree" ]; then
        echo "The Debian tree $tree is there already."
        return
    fi
    rm -rf "$tree.new"
    # A tree that is cut off by a power cut is built anew, so nothing of it need be synced.
    if ! debian_sources | mmdebstrap --quiet --variant=minbase --include="$tree_packages" \
        --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        "$tree_release" "$tree.new" - >"$work/mmdebstrap.log" 2>&1; then
        tail -n 5 "$work/mmdebstrap.log" >&2
        rm -rf "$tree.new"
        cannot "mmdebstrap could not build a Debian tree (no mirror?)"
    fi
    mv "$tree.new" "$tree"
    echo "The Debian tree $tree was built in $((SECONDS - began)) s."
}
