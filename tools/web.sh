# Builds the page of the viewer in FOLDER, by default the one that is committed. Requires Node and npm.
# usage: tools/web.sh [FOLDER]
set -eu
if ! command -v npm > /dev/null; then
	echo "make web requires Node and npm, which are not on PATH" >&2
	exit 1
fi
cd "$(dirname "$0")"
sh lint-web.sh
cd ../functrace/view/web
npm run --silent build -- "${1:-dist}"
