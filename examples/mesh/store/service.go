package main

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// getter is the interface of the service, as protoc would generate it.
type getter interface {
	Get(context.Context, *wrapperspb.StringValue) (*wrapperspb.Int64Value, error)
}

var service = grpc.ServiceDesc{
	ServiceName: "store.Store",
	HandlerType: (*getter)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Get", Handler: handleGet}},
}

func handleGet(server any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
	order := new(wrapperspb.StringValue)
	if err := decode(order); err != nil {
		return nil, err
	}
	get := func(ctx context.Context, request any) (any, error) {
		return server.(getter).Get(ctx, request.(*wrapperspb.StringValue))
	}
	if intercept == nil {
		return get(ctx, order)
	}
	info := &grpc.UnaryServerInfo{Server: server, FullMethod: "/store.Store/Get"}
	return intercept(ctx, order, info, get)
}
