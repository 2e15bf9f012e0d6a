package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"

	"golang.org/x/sys/unix"

	"inosyncd/internal/status"
)

const (
	maxAnswer   = 64 << 20          // bytes that are read of an answer
	maxQuestion = maxHeader - 1<<10 // bytes of a question, beside which a head has little
)

// Client asks the daemon behind a control socket. It keeps nothing between
// calls, which any goroutine may make. Their errors are a *NotRunningError, a
// *UsageError, that of ctx, or what the daemon said.
type Client struct{ paths []string }

// NewClient returns a client for the daemon that answers at the first of paths
// at which one does.
func NewClient(paths ...string) *Client { return &Client{paths} }

// Status asks how the daemon stands.
func (c *Client) Status(ctx context.Context) (status.Status, error) {
	return ask[status.Status](ctx, c, http.MethodGet, "/status", nil)
}

// Wait returns when the absolute path, or with "" everything that was changed
// before, is on every node.
func (c *Client) Wait(ctx context.Context, path string) error {
	args := url.Values{}
	if path != "" {
		args.Set("path", path)
	}
	_, err := ask[struct{}](ctx, c, http.MethodPost, "/wait", args)
	return err
}

// Explain asks what becomes of an absolute path.
func (c *Client) Explain(ctx context.Context, path string) ([]Explanation, error) {
	return ask[[]Explanation](ctx, c, http.MethodGet, "/explain", url.Values{"path": {path}})
}

// Order has something done to the nodes of these names, or to all.
func (c *Client) Order(ctx context.Context, o Order, names []string) ([]Node, error) {
	return ask[[]Node](ctx, c, http.MethodPost, "/"+string(o), url.Values{"node": names})
}

// Verified tells that a node was just compared by content, and was equal.
func (c *Client) Verified(ctx context.Context, n Node) error {
	_, err := ask[struct{}](ctx, c, http.MethodPost, "/verified", url.Values{"mirror": {n.Mirror}, "node": {n.Node}})
	return err
}

// dial connects to the daemon.
func (c *Client) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	var first error
	for _, path := range c.paths {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
		if err == nil {
			return conn, nil
		}
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ECONNREFUSED) {
			err = &NotRunningError{path}
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

// ask makes one request on a connection of its own.
func ask[T any](ctx context.Context, c *Client, method, path string, args url.Values) (T, error) {
	var v T
	transport := &http.Transport{DialContext: c.dial, DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	u := url.URL{Scheme: "http", Host: "inosyncd", Path: path, RawQuery: args.Encode()}
	if len(u.RequestURI()) > maxQuestion {
		return v, &UsageError{"asking the daemon: the path or the names are too long"}
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return v, fmt.Errorf("asking the daemon: %w", err)
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return v, unreachable(ctx, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return v, unreachable(ctx, err)
	}
	if resp.StatusCode != http.StatusOK {
		return v, refusal(resp.StatusCode, body)
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return v, fmt.Errorf("reading the daemon's answer: %w", err)
	}
	return v, nil
}

// unreachable is the error of a request that got no answer.
func unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if e, ok := errors.AsType[*NotRunningError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // the rest is about HTTP, which does not matter here
	}
	if errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf("%w: run the command as root or as the user that runs the daemon", err)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the daemon has ended")
	}
	return fmt.Errorf("asking the daemon: %w", err)
}

// refusal is the error in an answer.
func refusal(code int, body []byte) error {
	var v struct{ Error string }
	if json.Unmarshal(body, &v) != nil || v.Error == "" {
		return fmt.Errorf("asking the daemon: it answered %d %s", code, http.StatusText(code))
	}
	if code == http.StatusBadRequest || code == http.StatusNotFound {
		return &UsageError{v.Error}
	}
	return errors.New(v.Error)
}
