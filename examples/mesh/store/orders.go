package main

import (
	"context"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// orders is the store: orders 1 to 99, each with its price.
type orders struct{}

// Get returns the price of an order.
func (o *orders) Get(ctx context.Context, order *wrapperspb.StringValue) (*wrapperspb.Int64Value, error) {
	price, err := o.find(order.GetValue())
	if err != nil {
		return nil, err
	}
	return wrapperspb.Int64(price), nil
}

func (o *orders) find(order string) (int64, error) {
	number, err := strconv.Atoi(order)
	if err != nil || number < 1 || number > 99 {
		return 0, status.Errorf(codes.NotFound, "no order %s", order)
	}
	return int64(number) * 100, nil
}
