module functrace

go 1.21
