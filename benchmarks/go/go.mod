module example.com/functrace-benchmarks

go 1.21

require functrace v0.0.0

replace functrace => ../../runtime_go
