package http

import (
	"strconv"
	"sync"

	"functrace.invalid/functrace"
)

// ServeHTTP reports the request that functraceServeHTTP, the former ServeHTTP, serves.
func (sh serverHandler) ServeHTTP(rw ResponseWriter, req *Request) {
	if !functrace.RecordsRequests() {
		sh.functraceServeHTTP(rw, req)
		return
	}
	call := functraceInbound{rw: rw, req: req}
	call.begin()
	defer call.functraceEndRequest()
	sh.functraceServeHTTP(rw, req)
	call.hasReturned = true
}

type functraceInbound struct {
	request     *functrace.Request
	rw          ResponseWriter
	req         *Request
	hasReturned bool
}

func (c *functraceInbound) begin() {
	req := c.req
	if req.URL == nil {
		return
	}
	ctx, r := functrace.BeginInbound(req.Context(), functrace.HTTP, req.Method, functracePath(req), req.URL.RawQuery, req.Header)
	if c.request = r; r != nil {
		req.ctx = ctx
	}
}

func (c *functraceInbound) functraceEndRequest() {
	if c.request == nil {
		return
	}
	status := c.status()
	var failure any
	if status >= 500 {
		failure = functraceStatusText(status)
	}
	c.request.End(status, functraceRoute(c.req), failure)
}

// status returns the status of the response, -1 if it is not known. A handler that returned without a
// response has sent 200.
func (c *functraceInbound) status() int {
	status := functraceHTTP2Status(c.rw)
	if w, ok := c.rw.(*response); ok {
		if w.wroteHeader {
			return w.status
		}
		status = 0
		if w.conn.hijacked() {
			return -1
		}
	}
	if status == 0 && c.hasReturned {
		return StatusOK
	}
	if status == 0 {
		return -1
	}
	return status
}

// functracePath returns the path as it was sent, where that differs from its usual form.
func functracePath(req *Request) string {
	if req.URL.RawPath != "" {
		return req.URL.RawPath
	}
	if req.URL.Path == "" {
		return req.URL.Opaque
	}
	return req.URL.Path
}

func functraceStatusText(status int) string {
	text := strconv.Itoa(status)
	if name := StatusText(status); name != "" {
		text += " " + name
	}
	return text
}

// roundTrip reports the request that functraceRoundTrip, the former roundTrip, makes.
func (t *Transport) roundTrip(req *Request) (*Response, error) {
	isHTTP := functrace.RecordsRequests() && req.URL != nil && req.Header != nil &&
		(req.URL.Scheme == "http" || req.URL.Scheme == "https")
	if !isHTTP {
		return t.functraceRoundTrip(req)
	}
	call := functraceOutbound{status: -1}
	sent := call.begin(req)
	defer call.functraceEndRequest()
	var response *Response
	if sent != req {
		functraceSent.add(req, sent)
		defer func() { functraceForgetSent(req, sent, response) }()
	}
	response, err := t.functraceRoundTrip(sent)
	call.hasEnded(response, err)
	if response != nil && response.Request == sent {
		response.Request = req
	}
	return response, err
}

// functraceSent has the copies that are being sent, by the requests of the program. A sync.Map would keep
// some of what is removed from it, before Go 1.24.
var functraceSent = functraceCopies{copies: map[*Request]*Request{}}

type functraceCopies struct {
	mu     sync.Mutex
	copies map[*Request]*Request
}

func (c *functraceCopies) add(req, sent *Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.copies[req] = sent
}

// find returns the copy of a request, or the request itself if it has none.
func (c *functraceCopies) find(req *Request) *Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	if sent, ok := c.copies[req]; ok {
		return sent
	}
	return req
}

// remove removes a copy, unless there is another copy of its request by now.
func (c *functraceCopies) remove(req, sent *Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.copies[req] == sent {
		delete(c.copies, req)
	}
}

// functraceForgetSent removes a copy from functraceSent once the transport would not cancel it any more.
func functraceForgetSent(req, sent *Request, response *Response) {
	forget := func() { functraceSent.remove(req, sent) }
	if response == nil || !functraceOnEnd(sent.Context(), response.Body, forget) {
		forget()
	}
}

// CancelRequest cancels what is sent for the request.
func (t *Transport) CancelRequest(req *Request) {
	t.functraceCancelRequest(functraceSent.find(req))
}

type functraceOutbound struct {
	request *functrace.Request
	status  int
	failure any
}

// begin returns the request to send: a copy if headers are added.
func (c *functraceOutbound) begin(req *Request) *Request {
	method := req.Method
	if method == "" {
		method = MethodGet
	}
	c.request = functrace.BeginOutbound(
		req.Context(), functrace.HTTP, method, req.URL.Host, functracePath(req), req.URL.RawQuery, req.Header,
	)
	added := c.request.Headers()
	if len(added) == 0 {
		return req
	}
	copied := new(Request)
	*copied = *req
	copied.Header = make(Header, len(req.Header)+len(added))
	for name, values := range req.Header {
		copied.Header[name] = values
	}
	for _, header := range added {
		copied.Header[header.Name] = []string{header.Value}
	}
	return copied
}

func (c *functraceOutbound) hasEnded(response *Response, err error) {
	if err != nil {
		c.failure = err
		return
	}
	if response == nil {
		return
	}
	c.status = response.StatusCode
	if c.status >= 400 {
		c.failure = functraceStatusText(c.status)
	}
}

func (c *functraceOutbound) functraceEndRequest() { c.request.End(c.status, "", c.failure) }
