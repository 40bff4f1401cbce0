//go:build trace && go1.21

package functrace

import "testing"

func TestServiceAndReleaseComeFromTheEnvironment(t *testing.T) {
	const attributes = " service.name = my%20shop ,x,service.version=1.4, deployment=blue"
	for _, c := range []struct {
		name, service, release string
		variables              map[string]string
	}{
		{name: "none"},
		{"attributes", "my shop", "1.4", map[string]string{"OTEL_RESOURCE_ATTRIBUTES": attributes}},
		{"OpenTelemetry's own name", "otel", "1.4", map[string]string{
			"OTEL_RESOURCE_ATTRIBUTES": attributes, "OTEL_SERVICE_NAME": "otel"}},
		{"functrace's", "shop", "1.5", map[string]string{
			"OTEL_RESOURCE_ATTRIBUTES": attributes, "OTEL_SERVICE_NAME": "otel",
			"FUNCTRACE_SERVICE": "shop", "FUNCTRACE_RELEASE": "1.5"}},
		{"of two, the last", "b", "", map[string]string{"OTEL_RESOURCE_ATTRIBUTES": "service.name=a,service.name=b"}},
		{"invalid escapes", "50%", "%zz", map[string]string{
			"OTEL_RESOURCE_ATTRIBUTES": "service.name=50%,service.version=%zz"}},
		{"invalid UTF-8", "a\ufffd", "", map[string]string{"OTEL_RESOURCE_ATTRIBUTES": "service.name=a%ff"}},
	} {
		found, err := readConfig(func(name string) string { return c.variables[name] })
		if err != nil || found.service != c.service || found.release != c.release {
			t.Errorf("%s: service %q, release %q, %v", c.name, found.service, found.release, err)
		}
	}
}
