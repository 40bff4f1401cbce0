"""The Go sender of FUNCTRACE=otlp, built from runtime_go/otlp."""
