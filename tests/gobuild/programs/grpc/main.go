// A gRPC server and its client, one scenario a run.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

type server struct {
	pb.UnimplementedHealthServer
	below pb.HealthClient
}

func (s *server) Check(ctx context.Context, r *pb.HealthCheckRequest) (*pb.HealthCheckResponse, error) {
	switch r.Service {
	case "below":
		return s.below.Check(ctx, &pb.HealthCheckRequest{})
	case "missing":
		return nil, status.Error(codes.NotFound, "no such service")
	case "down":
		return nil, status.Error(codes.Unavailable, "down")
	case "plain":
		return nil, errors.New("an error without a code")
	case "headers":
		received, _ := metadata.FromIncomingContext(ctx)
		fmt.Println(received["traceparent"], received["tracestate"])
	}
	return &pb.HealthCheckResponse{Status: pb.HealthCheckResponse_SERVING}, nil
}

func (s *server) Watch(r *pb.HealthCheckRequest, stream pb.Health_WatchServer) error {
	if r.Service == "below" {
		s.below.Check(stream.Context(), &pb.HealthCheckRequest{})
	}
	for i := 0; i < 3; i++ {
		if err := stream.Send(&pb.HealthCheckResponse{}); err != nil {
			return err
		}
	}
	if r.Service == "down" {
		return status.Error(codes.Unavailable, "down")
	}
	return nil
}

func logged(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoker grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	work()
	return invoker(ctx, method, req, reply, cc, opts...)
}

func work() {}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	var options []grpc.DialOption
	if os.Args[1] == "interceptors" {
		options = append(options, grpc.WithUnaryInterceptor(logged))
	}
	options = append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := grpc.Dial(listener.Addr().String(), options...)
	must(err)
	client := pb.NewHealthClient(conn)
	s := grpc.NewServer()
	pb.RegisterHealthServer(s, &server{below: client})
	go s.Serve(listener)

	ctx := context.Background()
	switch os.Args[1] {
	case "unary", "interceptors":
		for _, service := range []string{"", "below", "missing", "down", "plain"} {
			client.Check(ctx, &pb.HealthCheckRequest{Service: service})
		}
	case "headers":
		ctx = metadata.AppendToOutgoingContext(ctx, "traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
		client.Check(ctx, &pb.HealthCheckRequest{Service: "headers"})
		client.Check(context.Background(), &pb.HealthCheckRequest{Service: "headers"})
	case "stream":
		for _, service := range []string{"", "below", "down"} {
			watch(client, service)
		}
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		client.Watch(ctx, &pb.HealthCheckRequest{})
	}
	s.GracefulStop()
	conn.Close()
}

// watch begins a stream here, and ends it on another goroutine.
func watch(client pb.HealthClient, service string) {
	stream, err := client.Watch(context.Background(), &pb.HealthCheckRequest{Service: service})
	must(err)
	received := make(chan int)
	go func() {
		n := 0
		for {
			if _, err := stream.Recv(); err != nil {
				if err != io.EOF {
					fmt.Println(err)
				}
				break
			}
			n++
		}
		received <- n
	}()
	fmt.Println(<-received)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
