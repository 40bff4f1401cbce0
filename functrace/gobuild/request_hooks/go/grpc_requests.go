package grpc

import (
	"context"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"functrace.invalid/functrace"
)

// chainUnaryServerInterceptors puts an interceptor that reports requests before those of the program.
func chainUnaryServerInterceptors(s *Server) {
	functraceChainUnaryServerInterceptors(s)
	if next := s.opts.unaryInt; functrace.MayRecordRequests() {
		s.opts.unaryInt = func(ctx context.Context, req interface{}, info *UnaryServerInfo, handler UnaryHandler) (response interface{}, err error) {
			var call functraceCall
			ctx = call.beginInbound(ctx, info.FullMethod)
			defer call.functraceEndRequest()
			if next == nil {
				response, err = handler(ctx, req)
			} else {
				response, err = next(ctx, req, info, handler)
			}
			call.hasReturned(err)
			return response, err
		}
	}
}

// chainStreamServerInterceptors does the same for streams.
func chainStreamServerInterceptors(s *Server) {
	functraceChainStreamServerInterceptors(s)
	if next := s.opts.streamInt; functrace.MayRecordRequests() {
		s.opts.streamInt = func(server interface{}, stream ServerStream, info *StreamServerInfo, handler StreamHandler) error {
			var call functraceCall
			ctx := call.beginInbound(stream.Context(), info.FullMethod)
			defer call.functraceEndRequest()
			if own, ok := stream.(*serverStream); ok {
				own.ctx = ctx
			}
			var err error
			if next == nil {
				err = handler(server, stream)
			} else {
				err = next(server, stream, info, handler)
			}
			call.hasReturned(err)
			return err
		}
	}
}

// chainUnaryClientInterceptors puts an interceptor that reports requests before those of the program.
func chainUnaryClientInterceptors(cc *ClientConn) {
	functraceChainUnaryClientInterceptors(cc)
	if next := cc.dopts.unaryInt; functrace.MayRecordRequests() {
		cc.dopts.unaryInt = func(ctx context.Context, method string, req, reply interface{}, cc *ClientConn, invoker UnaryInvoker, opts ...CallOption) error {
			var call functraceCall
			if functrace.RecordsRequests() {
				sent, _ := metadata.FromOutgoingContext(ctx)
				call.request = functrace.BeginOutbound(ctx, functrace.GRPC, "", "", method, "", sent)
				ctx = call.withHeaders(ctx)
			}
			defer call.functraceEndRequest()
			var err error
			if next == nil {
				err = invoker(ctx, method, req, reply, cc, opts...)
			} else {
				err = next(ctx, method, req, reply, cc, invoker, opts...)
			}
			call.hasReturned(err)
			return err
		}
	}
}

// chainStreamClientInterceptors does the same for streams, which end when gRPC calls functraceStream.finish.
func chainStreamClientInterceptors(cc *ClientConn) {
	functraceChainStreamClientInterceptors(cc)
	if next := cc.dopts.streamInt; functrace.MayRecordRequests() {
		if next == nil {
			next = functraceStreamer
		}
		cc.dopts.streamInt = func(ctx context.Context, desc *StreamDesc, cc *ClientConn, method string, streamer Streamer, opts ...CallOption) (ClientStream, error) {
			if !functrace.RecordsRequests() {
				return next(ctx, desc, cc, method, streamer, opts...)
			}
			var s functraceStream
			sent, _ := metadata.FromOutgoingContext(ctx)
			s.call.request = functrace.BeginStream(ctx, functrace.GRPC, method, sent)
			ctx = s.call.withHeaders(ctx)
			opts = append(opts[:len(opts):len(opts)], OnFinish(s.finish))
			stream, err := next(ctx, desc, cc, method, streamer, opts...)
			s.hasBegun(err)
			return stream, err
		}
	}
}

func functraceStreamer(ctx context.Context, desc *StreamDesc, cc *ClientConn, method string, streamer Streamer, opts ...CallOption) (ClientStream, error) {
	return streamer(ctx, desc, cc, method, opts...)
}

// A functraceStream is the stream of a client. An interceptor of the program may begin several streams and
// return one of them: what ends before counts only if there is none.
type functraceStream struct {
	call  functraceCall
	mu    sync.Mutex
	begun bool
}

func (s *functraceStream) hasBegun(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun = true
	if err != nil {
		s.call.hasReturned(err)
		s.call.functraceEndRequest()
	}
}

func (s *functraceStream) finish(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun {
		s.call.hasReturned(err)
		s.call.functraceEndRequest()
	}
}

// A functraceCall is a request from its start to its end.
type functraceCall struct {
	request  *functrace.Request
	code     int
	failure  interface{}
	isServer bool
	isKnown  bool
}

func (c *functraceCall) beginInbound(ctx context.Context, method string) context.Context {
	c.isServer = true
	if !functrace.RecordsRequests() {
		return ctx
	}
	received, _ := metadata.FromIncomingContext(ctx)
	ctx, c.request = functrace.BeginInbound(ctx, functrace.GRPC, "", method, "", received)
	return ctx
}

// withHeaders returns the context with the headers to add.
func (c *functraceCall) withHeaders(ctx context.Context) context.Context {
	for _, header := range c.request.Headers() {
		ctx = metadata.AppendToOutgoingContext(ctx, header.Name, header.Value)
	}
	return ctx
}

// hasReturned takes the code of the error, as gRPC itself does.
func (c *functraceCall) hasReturned(err error) {
	if c.request == nil {
		return
	}
	state, ok := status.FromError(err)
	if !ok {
		state = status.FromContextError(err)
	}
	code := state.Code()
	c.code, c.isKnown = int(code), true
	if code != codes.OK && (!c.isServer || functraceIsFailure(code)) {
		c.failure = functraceCodeName(code)
	}
}

func (c *functraceCall) functraceEndRequest() {
	code := -1
	if c.isKnown {
		code = c.code
	}
	c.request.End(code, "", c.failure)
}

// functraceIsFailure reports whether the code is a failure of the server.
func functraceIsFailure(code codes.Code) bool {
	switch code {
	case codes.Unknown, codes.DeadlineExceeded, codes.Unimplemented, codes.Internal, codes.Unavailable, codes.DataLoss:
		return true
	}
	return false
}

var functraceCodes = [...]string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
	"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
	"INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
}

func functraceCodeName(code codes.Code) string {
	if int(code) < len(functraceCodes) {
		return functraceCodes[code]
	}
	return code.String()
}
