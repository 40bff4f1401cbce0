package spans

import (
	"encoding/json"
	"os"
	"testing"
)

func TestWithoutVersion(t *testing.T) {
	content, err := os.ReadFile("../../../../tests/vectors_of_names.json")
	if os.IsNotExist(err) {
		t.Skip("not in the repository: no test vectors")
	}
	var names [][2]string
	if err := json.Unmarshal(content, &names); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if got := withoutVersion(name[0]); got != name[1] {
			t.Errorf("withoutVersion(%q) = %q, want %q", name[0], got, name[1])
		}
	}
}
