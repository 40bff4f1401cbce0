module example.com/rpc

go 1.21

require google.golang.org/grpc v1.63.2
