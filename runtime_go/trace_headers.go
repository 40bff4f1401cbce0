//go:build trace && go1.21

package functrace

// Trace headers of requests: W3C traceparent and tracestate, and B3. tests/vectors/trace_headers.json
// defines what is read and sent. Values are hostile: a value that is not printable ASCII, or too long, counts as absent.

import (
	"strconv"
	"strings"
)

// Indices of the headers.
const (
	traceparentHeader = iota
	tracestateHeader
	b3Header
	traceIDHeader // the first of B3 with several headers
	spanIDHeader
	parentSpanIDHeader
	sampledHeader
	flagsHeader
	headerCount
)

// headerNames has the names by protocol: keys of http.Header, and of metadata.MD.
var headerNames = [...][headerCount]string{
	HTTP: {
		"Traceparent", "Tracestate", "B3",
		"X-B3-Traceid", "X-B3-Spanid", "X-B3-Parentspanid", "X-B3-Sampled", "X-B3-Flags",
	},
	GRPC: {
		"traceparent", "tracestate", "b3",
		"x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags",
	},
}

const (
	maxHeader      = 4096
	maxMembers     = 32
	maxTracestate  = 512
	maxLargeMember = 128
	maxMemberPart  = 256 // key or value
)

// A traceContext is what the trace headers of a request contain.
type traceContext struct {
	traceID     string // 16 or 32 hexadecimal digits; empty if there are none
	spanID      string
	isSampled   bool
	processKey  uint64 // of the member ft of tracestate; 0 if there is none
	number      uint64
	traceparent string // if it is valid
	tracestate  string // if traceparent is valid
	isInvalid   bool   // tracestate is not valid
	b3          string // if it is valid
	multi       [headerCount]string
}

// parseTraceHeaders returns what the headers contain, which have the names of the protocol.
func parseTraceHeaders(protocol Protocol, headers map[string][]string) (c traceContext) {
	names := &headerNames[protocol]
	c.parseW3C(singleHeader(headers[names[traceparentHeader]]), headers[names[tracestateHeader]])
	c.parseB3(singleHeader(headers[names[b3Header]]))
	for i := traceIDHeader; i < headerCount; i++ {
		c.multi[i] = singleHeader(headers[names[i]])
	}
	c.parseMulti()
	return c
}

// singleHeader returns the value of a header that was sent once; "" otherwise, or if it is hostile.
func singleHeader(values []string) string {
	if len(values) != 1 {
		return ""
	}
	if value := strings.Trim(values[0], " \t"); isSendable(value) {
		return value
	}
	return ""
}

func isSendable(value string) bool {
	for i := 0; i < len(value); i++ {
		if c := value[i]; (c < ' ' || c > '~') && c != '\t' {
			return false
		}
	}
	return len(value) <= maxHeader
}

func (c *traceContext) parseW3C(traceparent string, tracestate []string) {
	if isTraceparent(traceparent) {
		c.traceparent = traceparent
		c.traceID, c.spanID = traceparent[3:35], traceparent[36:52]
		c.isSampled = hexDigit(traceparent[54])&1 != 0
	}
	state := joinTrimmed(tracestate)
	if state == "" || !isSendable(state) {
		return
	}
	isValid := c.parseMembers(state)
	if c.traceparent != "" {
		c.tracestate, c.isInvalid = state, !isValid
	}
}

// isTraceparent reports whether a value is valid. Version 00 ends behind the flags.
func isTraceparent(v string) bool {
	const size = 55
	if len(v) < size || v[2] != '-' || v[35] != '-' || v[52] != '-' {
		return false
	}
	isHex := isLowerHex(v[:2]) && isID(v[3:35]) && isID(v[36:52]) && isLowerHex(v[53:size])
	if !isHex || v[:2] == "ff" {
		return false
	}
	return len(v) == size || v[:2] != "00" && v[size] == '-'
}

// joinTrimmed returns the values of a header in order as one.
func joinTrimmed(values []string) string {
	if len(values) == 0 {
		return ""
	}
	joined := strings.Trim(values[0], " \t")
	if len(joined) > maxHeader {
		return joined
	}
	for _, value := range values[1:] {
		if len(joined)+len(value) > 2*maxHeader {
			return joined + "," + value // too long in any case
		}
		joined += "," + strings.Trim(value, " \t")
	}
	return joined
}

// parseMembers reads the member ft of tracestate and reports whether all members are valid.
func (c *traceContext) parseMembers(state string) bool {
	var count int
	var own string
	for rest, more := state, true; more; {
		var member string
		member, rest, more = strings.Cut(rest, ",")
		if member = strings.Trim(member, " \t"); member == "" {
			continue
		}
		if count++; count > maxMembers || !isMember(member) {
			return false
		}
		if own == "" && strings.HasPrefix(member, "ft=") {
			own = member
		}
	}
	if own != "" {
		c.processKey, c.number = parseOwnMember(own)
	}
	return true
}

// isMember reports whether a member of tracestate is valid.
func isMember(member string) bool {
	key, value, _ := strings.Cut(member, "=")
	if key == "" || len(key) > maxMemberPart || value == "" || len(value) > maxMemberPart {
		return false
	}
	for i := 0; i < len(key); i++ {
		c := key[i]
		isFirst := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !isFirst && (i == 0 || strings.IndexByte("_-*/@", c) < 0) {
			return false
		}
	}
	for i := 0; i < len(value); i++ {
		if c := value[i]; c < ' ' || c > '~' || c == ',' || c == '=' {
			return false
		}
	}
	return value[len(value)-1] != ' '
}

// parseOwnMember returns the process and the number in the member ft; zeros if it is not valid.
func parseOwnMember(member string) (processKey, number uint64) {
	key, digits, _ := strings.Cut(member[len("ft="):], ":")
	if len(key) != 16 || !isID(key) || digits == "" || len(digits) > 16 || !isID(digits) {
		return 0, 0
	}
	processKey, _ = strconv.ParseUint(key, 16, 64)
	number, _ = strconv.ParseUint(digits, 16, 64)
	return processKey, number
}

func (c *traceContext) parseB3(value string) {
	if value == "0" || value == "1" || value == "d" {
		c.b3 = value
		if c.traceID == "" {
			c.isSampled = value != "0"
		}
		return
	}
	traceID, spanID, sampled, _, ok := splitB3(value)
	if !ok {
		return
	}
	c.b3 = value
	c.setIDs(traceID, spanID, sampled == "1" || sampled == "d")
}

// splitB3 returns the parts of the header b3, and whether it is valid.
func splitB3(value string) (traceID, spanID, sampled, parent string, ok bool) {
	traceID, value, _ = strings.Cut(value, "-")
	spanID, value, hasSampled := strings.Cut(value, "-")
	sampled, parent, hasParent := strings.Cut(value, "-")
	isValid := isTraceID(traceID) && isSpanID(spanID) &&
		(!hasSampled || len(sampled) == 1 && strings.Contains("01d", sampled)) &&
		(!hasParent || len(parent) == 16 && isLowerHex(parent))
	return traceID, spanID, sampled, parent, isValid
}

// parseMulti checks the values in c.multi and removes those that are not valid.
func (c *traceContext) parseMulti() {
	m := &c.multi
	traceID, spanID := m[traceIDHeader], m[spanIDHeader]
	hasIDs := traceID != "" || spanID != ""
	if hasIDs && !(isTraceID(traceID) && isSpanID(spanID)) {
		*m = [headerCount]string{}
		return
	}
	switch m[sampledHeader] {
	case "0", "1", "true", "false":
	default:
		m[sampledHeader] = ""
	}
	if m[flagsHeader] != "0" && m[flagsHeader] != "1" {
		m[flagsHeader] = ""
	}
	if !hasIDs || !isSpanID(m[parentSpanIDHeader]) {
		m[parentSpanIDHeader] = ""
	}
	isSampled := m[flagsHeader] == "1" || m[sampledHeader] == "1" || m[sampledHeader] == "true"
	if hasIDs {
		c.setIDs(traceID, spanID, isSampled)
	} else if c.traceID == "" && c.b3 == "" {
		c.isSampled = isSampled
	}
}

func (c *traceContext) setIDs(traceID, spanID string, isSampled bool) {
	if c.traceID == "" {
		c.traceID, c.spanID, c.isSampled = traceID, spanID, isSampled
	}
}

func (c *traceContext) hasMulti() bool { return c.multi != [headerCount]string{} }

// A Header is one that an outbound call sends in addition to the program's.
type Header struct{ Name, Value string }

// forwarded returns the headers that continue the trace of an inbound call unchanged. processKey and
// number identify the outbound call that sends them.
func (c *traceContext) forwarded(protocol Protocol, processKey, number uint64) []Header {
	names := &headerNames[protocol]
	var headers []Header
	if c.traceparent != "" {
		headers = append(headers, Header{names[traceparentHeader], c.traceparent})
	}
	headers = append(headers, Header{names[tracestateHeader], c.outboundState(processKey, number)})
	if c.b3 != "" {
		headers = append(headers, Header{names[b3Header], c.b3})
	}
	return c.appendMulti(headers, names, c.multi)
}

// child returns the headers that continue the trace of an inbound call with a span of its own. traceID
// has 32 digits. Ids that came in headers of B3 alone are sent in these alone: a sidecar that replaces
// the span id there with its own would leave that in traceparent, which its receiver prefers.
func (c *traceContext) child(protocol Protocol, processKey, number uint64, traceID, spanID string) []Header {
	names := &headerNames[protocol]
	var headers []Header
	if c.traceparent != "" || c.traceID == "" {
		headers = append(headers, Header{names[traceparentHeader], "00-" + traceID + "-" + spanID + "-" + c.childFlags()})
	}
	headers = append(headers, Header{names[tracestateHeader], c.outboundState(processKey, number)})
	if c.b3 != "" {
		headers = append(headers, Header{names[b3Header], childOfB3(c.b3, spanID)})
	}
	multi := c.multi
	if multi[spanIDHeader] != "" {
		multi[parentSpanIDHeader], multi[spanIDHeader] = multi[spanIDHeader], spanID
	}
	return c.appendMulti(headers, names, multi)
}

// childFlags returns the flags of traceparent: sampled, unless the caller decided otherwise.
func (c *traceContext) childFlags() string {
	isUndecided := c.traceID == "" && c.b3 == "" && !c.hasMulti()
	if c.isSampled || isUndecided {
		return "01"
	}
	return "00"
}

func (c *traceContext) appendMulti(headers []Header, names *[headerCount]string, multi [headerCount]string) []Header {
	for i := traceIDHeader; i < headerCount; i++ {
		if multi[i] != "" {
			headers = append(headers, Header{names[i], multi[i]})
		}
	}
	return headers
}

// childOfB3 returns the header b3 for a span below that of value.
func childOfB3(value, spanID string) string {
	traceID, parent, sampled, _, ok := splitB3(value)
	if !ok {
		return value // a decision without ids
	}
	child := traceID + "-" + spanID
	if sampled != "" {
		child += "-" + sampled + "-" + parent
	}
	return child
}

// outboundState returns tracestate: the members of the inbound call behind our own, as far as the limits
// permit.
func (c *traceContext) outboundState(processKey, number uint64) string {
	if c.isInvalid {
		return c.tracestate
	}
	members := []string{"ft=" + hex16(processKey) + ":" + strconv.FormatUint(number, 16)}
	for _, member := range strings.Split(c.tracestate, ",") {
		member = strings.Trim(member, " \t")
		if member != "" && !strings.HasPrefix(member, "ft=") && len(members) < maxMembers {
			members = append(members, member)
		}
	}
	size := len(members) - 1
	for _, member := range members {
		size += len(member)
	}
	for size > maxTracestate {
		last := len(members) - 1
		for i := last; i > 0; i-- {
			if len(members[i]) > maxLargeMember {
				last = i
				break
			}
		}
		size -= len(members[last]) + 1
		members = append(members[:last], members[last+1:]...)
	}
	return strings.Join(members, ",")
}

// hex16 returns the number as 16 hexadecimal digits.
func hex16(number uint64) string {
	digits := strconv.FormatUint(number, 16)
	return "0000000000000000"[len(digits):] + digits
}

func isTraceID(text string) bool { return (len(text) == 16 || len(text) == 32) && isID(text) }

func isSpanID(text string) bool { return len(text) == 16 && isID(text) }

// isID reports whether the text consists of lowercase hexadecimal digits that are not all zero.
func isID(text string) bool { return isLowerHex(text) && strings.Trim(text, "0") != "" }

func isLowerHex(text string) bool {
	for i := 0; i < len(text); i++ {
		if c := text[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// hexDigit returns the value of a lowercase hexadecimal digit.
func hexDigit(c byte) byte {
	if c >= 'a' {
		return c - 'a' + 10
	}
	return c - '0'
}

// idWords returns the ids as the words of a record: the bytes of the trace id, behind zeros if it has 8,
// then those of the span id.
func idWords(traceID, spanID string) (words [3]uint64) {
	var bytes [24]byte
	putHex(bytes[16-len(traceID)/2:16], traceID)
	putHex(bytes[16:], spanID)
	for i, b := range bytes {
		words[i/8] |= uint64(b) << (8 * (i % 8))
	}
	return words
}

func putHex(bytes []byte, digits string) {
	for i := 0; i < len(digits)/2; i++ {
		bytes[i] = hexDigit(digits[2*i])<<4 | hexDigit(digits[2*i+1])
	}
}
