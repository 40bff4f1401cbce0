//go:build trace

package functrace

import (
	"math"
	"os"
	"strconv"
	"testing"
)

func config1(env map[string]string) (config, error) {
	return readConfig(func(name string) string { return env[name] })
}

func TestDefaultsPrintEverything(t *testing.T) {
	c, err := config1(nil)
	if err != nil || c.mode == modeOff || c.out != "" || c.depth != math.MaxInt || !c.isTraced("main.main") {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestMisspeltValuesAreErrors(t *testing.T) {
	for name, value := range map[string]string{
		"FUNCTRACE":              "txet",
		"FUNCTRACE_CLOCK":        "sun",
		"FUNCTRACE_DEPTH":        "-1",
		"FUNCTRACE_FULL":         "maybe",
		"FUNCTRACE_MIN_DURATION": "-1us",
		"FUNCTRACE_INCLUDE":      "!Get",
		"FUNCTRACE_EXCLUDE":      "store/...",
		"FUNCTRACE_PROPAGATE":    "on",
		"FUNCTRACE_REQUEST_URLS": "all",
	} {
		if _, err := config1(map[string]string{name: value}); err == nil {
			t.Errorf("%s=%s is accepted", name, value)
		}
	}
	for _, budget := range []string{"3", "0%", "-1%", "101%", "1e1%", "%", "nan%", "inf%", "3%%", "0.00001%", "on"} {
		if _, err := config1(map[string]string{"FUNCTRACE_BUDGET": budget}); err == nil {
			t.Errorf("FUNCTRACE_BUDGET=%s is accepted", budget)
		}
	}
	for _, size := range []string{"0", "-1", "M", "1.5G", "1T", "9999999999G"} {
		if n, ok := parseSize(size); ok {
			t.Errorf("the size %s is taken for %d", size, n)
		}
	}
}

func TestBudgets(t *testing.T) {
	for _, c := range []struct {
		mode, budget, minDuration string
		want                      int
	}{
		{"ring", "", "", 30_000},
		{"ring", "off", "", 0},
		{"ring", "", "1ms", 0},
		{"record", "", "", 0},
		{"record", "0.5%", "", 5_000},
		{"record", "100%", "", 1_000_000},
		{"record", "off", "1ms", 0},
	} {
		got, err := config1(map[string]string{
			"FUNCTRACE": c.mode, "FUNCTRACE_BUDGET": c.budget, "FUNCTRACE_MIN_DURATION": c.minDuration,
		})
		if err != nil || got.budget != c.want {
			t.Errorf("%+v: %d parts per million, %v", c, got.budget, err)
		}
	}
	_, err := config1(map[string]string{"FUNCTRACE_BUDGET": "3%", "FUNCTRACE_MIN_DURATION": "1ms"})
	if err == nil {
		t.Error("a budget is accepted together with a minimum duration")
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{"77": 77, "2K": 2048, "500M": 500 << 20, "2G": 2 << 30} {
		if got, ok := parseSize(text); !ok || got != want {
			t.Errorf("%s is %d", text, got)
		}
	}
}

func TestExcludeWinsOverInclude(t *testing.T) {
	c, _ := config1(map[string]string{
		"FUNCTRACE_INCLUDE": "main.*,store.*",
		"FUNCTRACE_EXCLUDE": "*.Len",
	})
	for name, want := range map[string]bool{"main.f": true, "store.Len": false, "http.Get": false} {
		if c.isTraced(name) != want {
			t.Errorf("shows(%s) = %v", name, !want)
		}
	}
}

func TestExpand(t *testing.T) {
	if got, want := expand("a-%p-100%%"), "a-"+strconv.Itoa(os.Getpid())+"-100%"; got != want {
		t.Errorf("%s, not %s", got, want)
	}
}
