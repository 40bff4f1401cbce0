"""The Go sender of FUNCTRACE=otlp: built from runtime_go/otlp, and driven as a program would."""
