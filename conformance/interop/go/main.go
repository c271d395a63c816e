// Command go-spiffe is a workload in Go: go-spiffe asks an agent and speaks TLS.
// ../README.md has its commands and answers.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/spiffetls"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
	"google.golang.org/grpc/status"
)

const (
	bytesMax = 65_536
	wait     = time.Minute
)

type line map[string]any

type command struct {
	Do       string
	Count    int
	Audience string
	Token    string
	Port     int
	ID       string
}

func say(l line) {
	if err := json.NewEncoder(os.Stdout).Encode(l); err != nil {
		os.Exit(3)
	}
}

func describe(c *workloadapi.X509Context) line {
	ids := []string{}
	leaves := []string{}
	hints := []string{}
	for _, svid := range c.SVIDs {
		ids = append(ids, svid.ID.String())
		leaves = append(leaves, hex.EncodeToString(svid.Certificates[0].Raw))
		hints = append(hints, svid.Hint)
	}
	domains := map[string]int{}
	for _, bundle := range c.Bundles.Bundles() {
		domains[bundle.TrustDomain().Name()] = len(bundle.X509Authorities())
	}
	return line{"event": "context", "ids": ids, "leaves": leaves, "hints": hints, "bundles": domains}
}

// watcher says each context, and ends the watch after the last, or with what went wrong.
type watcher struct {
	left int
	end  context.CancelCauseFunc
}

var errSeen = errors.New("all were seen")

func (w *watcher) OnX509ContextUpdate(c *workloadapi.X509Context) {
	if w.left == 0 {
		return
	}
	say(describe(c))
	w.left--
	if w.left == 0 {
		w.end(errSeen)
	}
}

func (w *watcher) OnX509ContextWatchError(err error) {
	if w.left > 0 {
		w.end(err)
	}
}

func watch(ctx context.Context, addr workloadapi.ClientOption, count int) error {
	inner, end := context.WithCancelCause(ctx)
	defer end(nil)
	err := workloadapi.WatchX509Context(inner, &watcher{left: count, end: end}, addr)
	if cause := context.Cause(inner); !errors.Is(cause, errSeen) {
		return errors.Join(cause, err)
	}
	return nil
}

// judge says what the agent makes of a token, and what go-spiffe makes of it with the agent's JWT bundles.
func judge(ctx context.Context, addr workloadapi.ClientOption, c command) (line, error) {
	verdict := func(svid *jwtsvid.SVID, err error) string {
		if err != nil {
			return "refused: " + err.Error()
		}
		return svid.ID.String()
	}
	remote := verdict(workloadapi.ValidateJWTSVID(ctx, c.Token, c.Audience, addr))
	bundles, err := workloadapi.FetchJWTBundles(ctx, addr)
	if err != nil {
		return nil, err
	}
	local := verdict(jwtsvid.ParseAndValidate(c.Token, bundles, []string{c.Audience}))
	return line{"event": "verdict", "remote": remote, "local": local}, nil
}

func serve(source *workloadapi.X509Source) (line, error) {
	svid, err := source.GetX509SVID()
	if err != nil {
		return nil, err
	}
	member := tlsconfig.AuthorizeMemberOf(svid.ID.TrustDomain())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{
		ReadHeaderTimeout: wait,
		TLSConfig:         tlsconfig.MTLSServerConfig(source, source, member),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			peer, err := spiffetls.PeerIDFromConnectionState(*r.TLS)
			if err != nil {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			fmt.Fprintf(w, "Hello %s from %s", peer, svid.ID)
		}),
	}
	go func() {
		fmt.Fprintln(os.Stderr, "go:", server.ServeTLS(listener, "", ""))
	}()
	return line{"event": "listening", "port": listener.Addr().(*net.TCPAddr).Port}, nil
}

func call(ctx context.Context, source *workloadapi.X509Source, c command) (line, error) {
	wanted, err := spiffeid.FromString(c.ID)
	if err != nil {
		return nil, err
	}
	config := tlsconfig.MTLSClientConfig(source, source, tlsconfig.AuthorizeID(wanted))
	dialer := tls.Dialer{Config: config}
	connection, err := dialer.DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", c.Port))
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); err != nil {
		return nil, err
	}
	received, err := io.ReadAll(io.LimitReader(connection, bytesMax))
	if err != nil {
		return nil, err
	}
	return line{"event": "answer", "text": string(received)}, nil
}

func obey(ctx context.Context, socket string, c command) (line, error) {
	addr := workloadapi.WithAddr("unix://" + socket)
	switch c.Do {
	case "fetch":
		fetched, err := workloadapi.FetchX509Context(ctx, addr)
		if err != nil {
			return nil, err
		}
		return describe(fetched), nil
	case "watch":
		return nil, watch(ctx, addr, c.Count)
	case "jwt":
		svid, err := workloadapi.FetchJWTSVID(ctx, jwtsvid.Params{Audience: c.Audience}, addr)
		if err != nil {
			return nil, err
		}
		ids, hints := []string{svid.ID.String()}, []string{svid.Hint}
		return line{"event": "jwt", "token": svid.Marshal(), "ids": ids, "hints": hints}, nil
	case "judge":
		return judge(ctx, addr, c)
	case "serve", "call":
		source, err := workloadapi.NewX509Source(ctx, workloadapi.WithClientOptions(addr))
		if err != nil {
			return nil, err
		}
		if c.Do == "serve" {
			return serve(source)
		}
		defer source.Close()
		return call(ctx, source, c)
	}
	return nil, fmt.Errorf("unknown command %s", c.Do)
}

func main() {
	commands := bufio.NewScanner(os.Stdin)
	commands.Buffer(nil, bytesMax)
	for commands.Scan() {
		var c command
		if err := json.Unmarshal(commands.Bytes(), &c); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		ctx, cancel := context.WithTimeout(context.Background(), wait)
		answer, err := obey(ctx, os.Args[1], c)
		cancel()
		switch {
		case err != nil:
			say(line{"event": "error", "code": status.Code(err).String(), "text": err.Error()})
		case answer != nil:
			say(answer)
		}
	}
}
