module example.com/gen-demo

go 1.21
