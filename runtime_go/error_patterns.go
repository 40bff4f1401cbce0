//go:build trace && go1.21

package functrace

// errorPatterns contains the text of well-known error types as patterns, whose syntax format.go
// describes. They yield the text that the Error method returns, except for parts that contain
// errors without a pattern.
var errorPatterns = map[string]string{
	// Types with the text in a field.
	"*errors.errorString": "{s}",
	"*fmt.wrapError":      "{msg}",
	"*fmt.wrapErrors":     "{msg}",
	"*errors.joinError":   "{errs:\n}",

	"*io/fs.PathError":           "{Op} {Path}: {Err}",
	"*os.LinkError":              "{Op} {Old} {New}: {Err}",
	"*os.SyscallError":           "{Syscall}: {Err}",
	"*os/exec.Error":             "exec: {Name:q}: {Err}",
	"*os/exec.ExitError":         "{ProcessState}",
	"*os/exec.wrappedError":      "{prefix}: {err}",
	"os/user.UnknownUserError":   "user: unknown user {}",
	"os/user.UnknownUserIdError": "user: unknown userid {}",

	"syscall.ErrorString":                  "{}",
	"context.deadlineExceededError":        "context deadline exceeded",
	"*internal/poll.DeadlineExceededError": "i/o timeout",
	"internal/poll.errNetClosing":          "use of closed network connection",

	"*strconv.NumError": "strconv.{Func}: parsing {Num:q}: {Err}",

	"*net.OpError":                "{Op}[ {Net}][ {Source}->{Addr}| {Source}| {Addr}|]: {Err}",
	"*net.DNSError":               "lookup {Name}[ on {Server}]: {Err}",
	"*net.AddrError":              "[address {Addr}: ]{Err}",
	"*net.ParseError":             "invalid {Type}: {Text}",
	"*net.timeoutError":           "i/o timeout",
	"net.UnknownNetworkError":     "unknown network {}",
	"net.InvalidAddrError":        "{}",
	"net.canceledError":           "operation was canceled",
	"*net.TCPAddr":                "{IP:host}[%{Zone}]{IP:end}:{Port}",
	"*net.UDPAddr":                "{IP:host}[%{Zone}]{IP:end}:{Port}",
	"*net.IPAddr":                 "{IP:ip}[%{Zone}]",
	"*net.UnixAddr":               "{Name}",
	"*net/url.Error":              "{Op} {URL:q}: {Err}",
	"net/url.EscapeError":         "invalid URL escape {:q}",
	"*net/http.ProtocolError":     "{ErrorString}",
	"*net/http.MaxBytesError":     "http: request body too large",
	"*net/http.timeoutError":      "{err}",
	"*net/textproto.Error":        "{Code} {Msg}",
	"net/textproto.ProtocolError": "{}",

	"*crypto/tls.CertificateVerificationError": "tls: failed to verify certificate: {Err}",
	"crypto/tls.RecordHeaderError":             "tls: {Msg}",
	"crypto/x509.UnknownAuthorityError":        "x509: certificate signed by unknown authority",

	"*encoding/json.SyntaxError":        "{msg}",
	"encoding/hex.InvalidByteError":     "encoding/hex: invalid byte: {}",
	"encoding/base64.CorruptInputError": "illegal base64 data at input byte {}",
	"*regexp/syntax.Error":              "error parsing regexp: {Code}: `{Expr}`",
	"text/template.ExecError":           "{Err}",

	"*github.com/pkg/errors.fundamental": "{msg}",
	"*github.com/pkg/errors.withMessage": "{msg}: {cause}",
	"*github.com/pkg/errors.withStack":   "{error}",

	"*golang.org/x/xerrors.errorString": "{s}",
	"*golang.org/x/xerrors.wrapError":   "{msg}: {err}",
	"*golang.org/x/xerrors.noWrapError": "{msg}: {err}",

	"*go.uber.org/multierr.multiError": "{errors:; }",

	"*google.golang.org/grpc/internal/status.Error": "rpc error: code = {s.s.Code} desc = {s.s.Message}",

	"*github.com/lib/pq.Error":                "pq: {Message}",
	"*github.com/jackc/pgx/v5/pgconn.PgError": "{Severity}: {Message} (SQLSTATE {Code})",
}

func init() {
	const cockroach = "*github.com/cockroachdb/errors/"
	errorPatterns[cockroach+"errutil.leafError"] = "{msg}"
	errorPatterns[cockroach+"errutil.withPrefix"] = "{prefix}: {cause}"
	errorPatterns[cockroach+"errutil.withNewMessage"] = "{message}"
	errorPatterns[cockroach+"barriers.barrierErr"] = "{smsg}"
	errorPatterns[cockroach+"join.joinError"] = "{errs:\n}"
	for _, wrapper := range []string{
		"assert.withAssertionFailure", "contexttags.withContext", "domains.withDomain", "extgrpc.withGrpcCode",
		"exthttp.withHTTPCode", "hintdetail.withDetail", "hintdetail.withHint", "issuelink.withIssueLink",
		"markers.withMark", "safedetails.withSafeDetails", "secondary.withSecondaryError",
		"telemetrykeys.withTelemetry", "withstack.withStack",
	} {
		errorPatterns[cockroach+wrapper] = "{cause}"
	}
}
