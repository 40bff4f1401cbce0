package spans

import (
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"sort"
	"strconv"
	"strings"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"

	"functrace/otlp/internal/follow"
)

// Version of functrace.
const Version = "0.1.0"

// Resource returns the resource of a trace's spans: the process that writes the trace.
// OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES override its attributes.
func Resource(file *follow.Follower, trace string, variable func(name string) string) *resource.Resource {
	process := process{file.Facts.Process, file.Header.Language, trace}
	byKey := map[string]*common.KeyValue{}
	add := func(attributes ...*common.KeyValue) {
		for _, each := range attributes {
			byKey[each.Key] = each
		}
	}
	add(
		text("service.name", process.service()),
		text("service.instance.id", Identity(&file.Facts, &file.Header).Instance()),
		number("process.pid", int64(file.Header.PID)),
		text("telemetry.sdk.name", "functrace"),
		text("telemetry.sdk.version", Version),
		text("telemetry.sdk.language", process.language),
	)
	add(process.attributes()...)
	add(process.runtime()...)
	add(fromEnvironment(variable)...)
	keys := make([]string, 0, len(byKey))
	for key := range byKey {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	found := &resource.Resource{}
	for _, key := range keys {
		found.Attributes = append(found.Attributes, byKey[key])
	}
	return found
}

// A process as described by the facts.
type process struct {
	facts    map[string]any
	language string
	trace    string // the file
}

func (p process) text(key string) string { return textOf(p.facts[key]) }

func textOf(value any) string {
	found, _ := value.(string)
	return found
}

func (p process) arguments() []string {
	values, _ := p.facts["argv"].([]any)
	words := make([]string, 0, len(values))
	for _, value := range values {
		words = append(words, fmt.Sprint(value))
	}
	return words
}

func (p process) build(key string) string {
	build, _ := p.facts["build"].(map[string]any)
	return textOf(build[key])
}

// service returns the program's name; for an interpreter, the module or script that it runs.
func (p process) service() string {
	main := strings.TrimSuffix(p.build("main"), ".__main__")
	if strings.HasSuffix(main, ".pyc") {
		main = argumentAfter(main, p.arguments())
	}
	if p.language != "python" || main == "" {
		return p.name()
	}
	if strings.Contains(main, "/") || strings.HasSuffix(main, ".py") {
		return stem(main)
	}
	return main
}

// argumentAfter returns the script or module that functrace run passes after the compiled file that it
// runs.
func argumentAfter(compiled string, arguments []string) string {
	isAfter := false
	for _, word := range arguments {
		if isAfter && word != "-m" {
			return word
		}
		isAfter = isAfter || word == compiled
	}
	return ""
}

// name returns the program's file name; the trace's if the arguments are unknown.
func (p process) name() string {
	if words := p.arguments(); len(words) > 0 && words[0] != "" {
		return path.Base(words[0])
	}
	return stem(p.trace)
}

func stem(file string) string {
	base := path.Base(file)
	if dot := strings.LastIndexByte(base, '.'); dot > 0 {
		return base[:dot]
	}
	return base
}

func (p process) attributes() (found []*common.KeyValue) {
	if words := p.arguments(); len(words) > 0 {
		found = append(found, texts("process.command_args", words))
	}
	if host := p.text("host"); host != "" {
		found = append(found, text("host.name", host))
	}
	if executable := p.text("executable"); executable != "" {
		found = append(found,
			text("process.executable.path", executable),
			text("process.executable.name", path.Base(executable)))
	}
	if parent, isNumber := p.facts["ppid"].(json.Number); isNumber {
		if id, err := strconv.ParseInt(string(parent), 10, 64); err == nil {
			found = append(found, number("process.parent_pid", id))
		}
	}
	if version := p.build("version"); version != "" {
		found = append(found, text("service.version", version))
	}
	return found
}

// runtime parses the description that the recorder wrote, such as "go1.27.3 linux/amd64" or
// "CPython 3.13.0 linux".
func (p process) runtime() []*common.KeyValue {
	description := p.text("runtime")
	words := strings.Fields(description)
	if len(words) < 2 {
		return nil
	}
	name, version := "go", words[0]
	if p.language != "go" {
		name, version = strings.ToLower(words[0]), words[1]
	}
	return []*common.KeyValue{
		text("process.runtime.name", name),
		text("process.runtime.version", version),
		text("process.runtime.description", description),
	}
}

// fromEnvironment parses key=value,key=value with percent-encoded values.
func fromEnvironment(variable func(name string) string) (found []*common.KeyValue) {
	for _, item := range strings.Split(variable("OTEL_RESOURCE_ATTRIBUTES"), ",") {
		key, value, isPair := strings.Cut(item, "=")
		if !isPair {
			continue
		}
		value = strings.TrimSpace(value)
		if decoded, err := url.PathUnescape(value); err == nil {
			value = decoded
		}
		found = append(found, text(strings.TrimSpace(key), strings.ToValidUTF8(value, "\ufffd")))
	}
	if name := variable("OTEL_SERVICE_NAME"); name != "" {
		found = append(found, text("service.name", strings.ToValidUTF8(name, "\ufffd")))
	}
	return found
}
