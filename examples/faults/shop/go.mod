module example.com/faults/shop

go 1.21
