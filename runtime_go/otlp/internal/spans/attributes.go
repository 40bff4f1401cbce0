package spans

import (
	"math"
	"strconv"

	common "go.opentelemetry.io/proto/otlp/common/v1"
)

func attribute(key string, value *common.AnyValue) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: value}
}

func text(key, value string) *common.KeyValue { return attribute(key, textValue(value)) }

func textValue(value string) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}
}

func texts(key string, values []string) *common.KeyValue {
	list := &common.ArrayValue{}
	for _, value := range values {
		list.Values = append(list.Values, textValue(value))
	}
	return attribute(key, &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: list}})
}

func number(key string, value int64) *common.KeyValue {
	return attribute(key, &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: value}})
}

// unsigned returns a text if the number exceeds the protocol's integers.
func unsigned(key string, value uint64) *common.KeyValue {
	if value > math.MaxInt64 {
		return text(key, strconv.FormatUint(value, 10))
	}
	return number(key, int64(value))
}

func boolean(key string) *common.KeyValue {
	return attribute(key, &common.AnyValue{Value: &common.AnyValue_BoolValue{BoolValue: true}})
}
