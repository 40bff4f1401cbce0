package requests

import (
	"context"
	"net"
	"testing"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	health_v1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/test/bufconn"
)

func BenchmarkGRPC(b *testing.B) { call(b, nil, nil) }

func BenchmarkGRPCOpenTelemetry(b *testing.B) {
	useOpenTelemetry()
	call(b,
		[]grpc.ServerOption{grpc.StatsHandler(otelgrpc.NewServerHandler())},
		[]grpc.DialOption{grpc.WithStatsHandler(otelgrpc.NewClientHandler())},
	)
}

// call makes unary calls; the server is in the same process.
func call(b *testing.B, of []grpc.ServerOption, to []grpc.DialOption) {
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer(of...)
	health_v1.RegisterHealthServer(server, health.NewServer())
	go server.Serve(listener)
	defer server.Stop()
	dial := func(context.Context, string) (net.Conn, error) { return listener.Dial() }
	to = append(to, grpc.WithContextDialer(dial), grpc.WithTransportCredentials(insecure.NewCredentials()))
	connection, err := grpc.NewClient("passthrough:///shop", to...)
	if err != nil {
		b.Fatal(err)
	}
	defer connection.Close()
	client := health_v1.NewHealthClient(connection)
	measure(b, func() error {
		_, err := client.Check(context.Background(), &health_v1.HealthCheckRequest{})
		return err
	})
}
