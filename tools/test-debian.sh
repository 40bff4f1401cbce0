# Tests on the newest Python that is supported, from Debian testing in a chroot below build/.
# Needs root, mmdebstrap and Debian's and PyPI's packages; skips with a sentence without them.
# With arguments: what pytest is to run, instead of the tests of what depends on the version of Python.
set -eu
python=python3.14
root=$PWD/build/debian
tests=${*:-tests/python_runtime tests/python_run tests/python_rewriter tests/live tests/tracefile tests/cache tests/rings}
packages=$python-dev,$python-venv,gcc,libc6-dev,git,ca-certificates

skip() {
	echo "test-debian: skipped, $*"
	exit 0
}

make_chroot() {
	if ! command -v mmdebstrap >/dev/null && [ "${CI:-}" = true ]; then
		# A machine of CI is thrown away; on any other, its owner decides.
		{ apt-get update && apt-get install --yes mmdebstrap; } >build/debian.log 2>&1 || true
	fi
	command -v mmdebstrap >/dev/null || skip "mmdebstrap is not installed: apt install mmdebstrap"
	rm -rf "$root.partial"
	# A mirror may lag behind. What it has is still checked against Debian's signature.
	mmdebstrap --variant=minbase --include="$packages" \
		--aptopt='Acquire::Check-Valid-Until "false"' testing "$root.partial" >build/debian.log 2>&1 ||
		skip "Debian testing cannot be installed: $(grep '^E:' build/debian.log | head -n 1)"
	mv "$root.partial" "$root"
}

# The same registries, and the same trust in them, as outside.
copy_network_settings() {
	for file in /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
		if [ -e "$file" ]; then cp -L "$file" "$root$file"; fi
	done
}

# The files of the working tree, without what is built from them.
copy_sources() {
	rm -rf "$root/functrace"
	mkdir "$root/functrace"
	git ls-files -z --cached --others --exclude-standard --deduplicate |
		tar --create --null --files-from=- --ignore-failed-read 2>/dev/null | # files that are deleted
		tar --extract --directory="$root/functrace" --no-same-owner
}

# inside COMMAND: with /dev and /proc, which end with the command
inside() {
	unshare --mount --pid --fork --kill-child sh -euc '
		mount --bind /dev "$0/dev"
		mount -t proc proc "$0/proc"
		mount -t tmpfs tmpfs "$0/dev/shm" 2>/dev/null || true
		exec chroot "$0" env -i HOME=/root LANG=C.UTF-8 TERM=dumb PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -euc "$1"
	' "$root" "$1"
}

[ "$(uname)" = Linux ] && [ "$(id -u)" = 0 ] || skip "a chroot requires root on Linux"
unshare --mount --pid --fork true 2>/dev/null || skip "this system does not allow mounts in a namespace"
mkdir -p build
[ -d "$root" ] || make_chroot
copy_network_settings
copy_sources
inside "cd /functrace && $python -m venv /venv && /venv/bin/python -m pip install --quiet --group test" \
	>build/debian.log 2>&1 || skip "what the tests require cannot be installed: $(tail -n 1 build/debian.log)"
inside "cd /functrace && /venv/bin/python -m pip install --quiet --editable ." >build/debian.log 2>&1 || {
	cat build/debian.log
	exit 1
}
echo "pytest on $(inside "$python --version")"
inside "cd /functrace && /venv/bin/python -m pytest -q -n auto --dist worksteal $tests"
