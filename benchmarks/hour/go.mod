module example.com/hour

go 1.21
