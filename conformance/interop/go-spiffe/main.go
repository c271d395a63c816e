// Command go-spiffe calls an agent through go-spiffe v2, as a workload would, and prints JSON lines.
//
//	go-spiffe fetch SOCKET           one X.509 context
//	go-spiffe watch SOCKET N         each update until N were seen
//	go-spiffe serve SOCKET           an HTTPS server that accepts members of its trust domain
//	go-spiffe call SOCKET URL ID     calls an HTTPS server that must be ID
//	go-spiffe jwt SOCKET AUDIENCE    a JWT-SVID, judged by the agent and by go-spiffe's own bundles
//	go-spiffe judge SOCKET AUDIENCE TOKEN   judges somebody else's JWT-SVID, both ways
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/spiffetls"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
	"google.golang.org/grpc/status"
)

type line map[string]any

func say(l line) {
	if err := json.NewEncoder(os.Stdout).Encode(l); err != nil {
		os.Exit(3)
	}
}

func describe(c *workloadapi.X509Context) line {
	ids := []string{}
	serials := []string{}
	hints := []string{}
	for _, svid := range c.SVIDs {
		ids = append(ids, svid.ID.String())
		serials = append(serials, svid.Certificates[0].SerialNumber.String())
		hints = append(hints, svid.Hint)
	}
	domains := map[string]int{}
	for _, bundle := range c.Bundles.Bundles() {
		domains[bundle.TrustDomain().Name()] = len(bundle.X509Authorities())
	}
	return line{"event": "context", "ids": ids, "serials": serials, "hints": hints, "bundles": domains}
}

type watcher struct {
	left   int
	cancel context.CancelFunc
}

func (w *watcher) OnX509ContextUpdate(c *workloadapi.X509Context) {
	say(describe(c))
	w.left--
	if w.left == 0 {
		w.cancel()
	}
}

func (w *watcher) OnX509ContextWatchError(err error) {
	if errors.Is(err, context.Canceled) || status.Code(err).String() == "Canceled" {
		return
	}
	say(line{"event": "error", "code": status.Code(err).String(), "text": err.Error()})
}

func run(ctx context.Context, args []string) error {
	if len(args) < 2 {
		return errors.New("too few arguments")
	}
	addr := workloadapi.WithAddr("unix://" + args[1])
	switch args[0] {
	case "fetch":
		c, err := workloadapi.FetchX509Context(ctx, addr)
		if err != nil {
			say(line{"event": "error", "code": status.Code(err).String(), "text": err.Error()})
			return nil
		}
		say(describe(c))
		return nil
	case "watch":
		n, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		inner, cancel := context.WithCancel(ctx)
		defer cancel()
		err = workloadapi.WatchX509Context(inner, &watcher{left: n, cancel: cancel}, addr)
		if err != nil && inner.Err() == nil {
			return err
		}
		return ctx.Err()
	case "serve":
		return serve(ctx, addr)
	case "call":
		return call(ctx, addr, args[2], args[3])
	case "jwt":
		svid, err := workloadapi.FetchJWTSVID(ctx, jwtsvid.Params{Audience: args[2]}, addr)
		if err != nil {
			say(line{"event": "error", "code": status.Code(err).String(), "text": err.Error()})
			return nil
		}
		say(line{"event": "jwt", "token": svid.Marshal(), "ids": []string{svid.ID.String()}, "hints": []string{svid.Hint}})
		return judge(ctx, addr, args[2], svid.Marshal())
	case "judge":
		return judge(ctx, addr, args[2], args[3])
	}
	return fmt.Errorf("unknown command %s", args[0])
}

// judge says what the agent makes of a token, and what go-spiffe makes of it with the agent's JWT bundles.
func judge(ctx context.Context, addr workloadapi.ClientOption, audience, token string) error {
	verdict := func(svid *jwtsvid.SVID, err error) string {
		if err != nil {
			return "refused: " + err.Error()
		}
		return svid.ID.String()
	}
	remote := verdict(workloadapi.ValidateJWTSVID(ctx, token, audience, addr))
	bundles, err := workloadapi.FetchJWTBundles(ctx, addr)
	if err != nil {
		return err
	}
	local := verdict(jwtsvid.ParseAndValidate(token, bundles, []string{audience}))
	say(line{"event": "verdict", "remote": remote, "local": local})
	return nil
}

func serve(ctx context.Context, addr workloadapi.ClientOption) error {
	source, err := workloadapi.NewX509Source(ctx, workloadapi.WithClientOptions(addr))
	if err != nil {
		return err
	}
	defer source.Close()
	svid, err := source.GetX509SVID()
	if err != nil {
		return err
	}
	member := tlsconfig.AuthorizeMemberOf(svid.ID.TrustDomain())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
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
	say(line{"event": "listening", "port": listener.Addr().(*net.TCPAddr).Port})
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	// The end of stdin is the end of the test.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Close()
	}()
	err = server.ServeTLS(listener, "", "")
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func call(ctx context.Context, addr workloadapi.ClientOption, url string, id string) error {
	source, err := workloadapi.NewX509Source(ctx, workloadapi.WithClientOptions(addr))
	if err != nil {
		return err
	}
	defer source.Close()
	wanted, err := spiffeid.FromString(id)
	if err != nil {
		return err
	}
	config := tlsconfig.MTLSClientConfig(source, source, tlsconfig.AuthorizeID(wanted))
	client := http.Client{Transport: &http.Transport{TLSClientConfig: config}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		say(line{"event": "error", "text": err.Error()})
		return nil
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 65536))
	if err != nil {
		return err
	}
	say(line{"event": "answer", "status": response.StatusCode, "body": string(body)})
	return nil
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
