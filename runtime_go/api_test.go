package functrace

import "context"

// The hooks for requests compile against both variants of the runtime.
var (
	_ func() bool                                                                                              = MayRecordRequests
	_ func() bool                                                                                              = RecordsRequests
	_ func(context.Context, Protocol, string, string, string, map[string][]string) (context.Context, *Request) = BeginInbound
	_ func(context.Context, Protocol, string, string, string, string, map[string][]string) *Request            = BeginOutbound
	_ func(context.Context, Protocol, string, map[string][]string) *Request                                    = BeginStream
	_ func(*Request) []Header                                                                                  = (*Request).Headers
	_ func(*Request, int, string, any)                                                                         = (*Request).End
	_                                                                                                          = [...]Protocol{HTTP, GRPC}
	_                                                                                                          = Header{Name: "", Value: ""}
)
