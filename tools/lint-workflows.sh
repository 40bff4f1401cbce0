# Workflows, the Action and the hooks of pre-commit; needs the tools of .venv and a go on PATH.
set -eu
actionlint=github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
tools=$PWD/build/bin

echo "lint: workflows, hooks"
installed=$tools/actionlint-${actionlint##*@}
if [ -x "$installed" ] || GOBIN="$tools" go install "$actionlint" >build/actionlint.log 2>&1; then
	[ -x "$installed" ] || mv "$tools/actionlint" "$installed"
	"$installed" .github/workflows/*.yml examples/ci/github-actions.yml
else
	echo "lint: actionlint skipped, the Go module proxy does not answer, or this Go is too old"
fi
# Pins by commit, permissions, untrusted input; offline, since a registry's answer may change.
zizmor --offline --no-progress --quiet --min-severity medium .github action.yml
pre-commit validate-config .pre-commit-config.yaml examples/ci/pre-commit-config.yaml
pre-commit validate-manifest .pre-commit-hooks.yaml
