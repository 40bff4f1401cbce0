//go:build trace

package functrace_test

import "functrace"

func a() {
	defer functrace.Trace()()
	b()
}

func b() {
	defer functrace.Trace()()
	c()
}

func c() {
	defer functrace.Trace()()
	d()
}

func d() {
	defer functrace.Trace()()
}

func Example() {
	a()
	// Output:
	// g[01]:	->functrace_test.a
	// g[01]:		->functrace_test.b
	// g[01]:			->functrace_test.c
	// g[01]:				->functrace_test.d
	// g[01]:				<-functrace_test.d
	// g[01]:			<-functrace_test.c
	// g[01]:		<-functrace_test.b
	// g[01]:	<-functrace_test.a
}
