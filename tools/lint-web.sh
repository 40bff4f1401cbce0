# Types of the page of the viewer, where npm is on PATH.
set -eu
if ! command -v npm > /dev/null; then
	echo "lint: page of the viewer skipped, npm is not on PATH"
	exit 0
fi
echo "lint: page of the viewer"
cd "$(dirname "$0")/../functrace/view/web"
npm ci --silent
npm run --silent check
