package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
)

var errStopping = errors.New("the daemon is stopping")

// question is a request whose arguments are checked: what it answers is
// written as JSON.
type question func(r *http.Request, args url.Values) (any, error)

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	add := func(method, path string, q question, args ...string) {
		mux.HandleFunc(method+" "+path, answer(q, args))
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", method)
			fail(w, http.StatusMethodNotAllowed, fmt.Errorf("%s is asked by %s, not by %s", path, method, r.Method))
		})
	}
	add(http.MethodGet, "/status", s.status)
	add(http.MethodGet, "/explain", s.explain, "path")
	add(http.MethodPost, "/wait", s.wait, "path")
	add(http.MethodPost, "/verified", s.verified, "mirror", "node")
	add(http.MethodPost, "/level", s.level, "level")
	for _, o := range []Order{Pause, Resume, Resync, Approve, Verify} {
		add(http.MethodPost, "/"+string(o), s.order(o), "node")
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, http.StatusNotFound, fmt.Errorf("there is no %q here", r.URL.Path))
	})
	return mux
}

// answer is the handler of a question that takes the named arguments.
func answer(q question, names []string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		args, err := arguments(r.URL.RawQuery, names)
		if err != nil {
			fail(w, http.StatusBadRequest, err)
			return
		}
		v, err := q(r, args)
		_, usage := errors.AsType[*UsageError](err)
		switch {
		case err == nil:
			write(w, http.StatusOK, v)
		case usage:
			fail(w, http.StatusNotFound, err)
		case errors.Is(err, errStopping), errors.Is(err, errTooMany):
			fail(w, http.StatusServiceUnavailable, err)
		default:
			fail(w, http.StatusConflict, err)
		}
	}
}

// arguments reads a query of the named arguments.
func arguments(query string, names []string) (url.Values, error) {
	args, err := url.ParseQuery(query)
	if err != nil {
		return nil, fmt.Errorf("reading the query: %w", err)
	}
	for name, values := range args {
		switch {
		case !slices.Contains(names, name):
			return nil, fmt.Errorf("there is no argument %q here", name)
		case name == "path" && len(values) > 1:
			return nil, errors.New("one path at a time")
		case name == "path" && !goodPath(values[0]):
			return nil, fmt.Errorf("the path %q is not absolute", values[0])
		}
	}
	return args, nil
}

func (s *Server) verified(_ *http.Request, args url.Values) (any, error) {
	if len(args["mirror"]) != 1 || len(args["node"]) != 1 {
		return nil, &UsageError{"which node of which mirror was verified?"}
	}
	return struct{}{}, s.daemon.Verified(Node{Mirror: args.Get("mirror"), Node: args.Get("node")})
}

// levels are those that log_level can have.
var levels = []string{"debug", "info", "warn", "error"}

func (s *Server) level(_ *http.Request, args url.Values) (any, error) {
	v := s.daemon.LogLevel()
	if level := args.Get("level"); args.Has("level") {
		if !slices.Contains(levels, level) {
			return nil, &UsageError{fmt.Sprintf("the level %q is none of %q", level, levels)}
		}
		if err := v.UnmarshalText([]byte(level)); err != nil {
			return nil, fmt.Errorf("setting the level of the log: %w", err)
		}
		s.log.Info("log level set", "to", level)
	}
	return map[string]string{"level": strings.ToLower(v.Level().String())}, nil
}

func goodPath(p string) bool { return path.IsAbs(p) && !strings.Contains(p, "\x00") }

func (s *Server) status(*http.Request, url.Values) (any, error) { return s.daemon.Status(), nil }

func (s *Server) explain(_ *http.Request, args url.Values) (any, error) {
	if !args.Has("path") {
		return nil, &UsageError{"which path is to be explained?"}
	}
	return s.daemon.Explain(args.Get("path"))
}

func (s *Server) order(o Order) question {
	return func(_ *http.Request, args url.Values) (any, error) {
		if o == Approve && !args.Has("node") {
			return nil, &UsageError{"which node is to be approved?"}
		}
		return s.daemon.Order(o, args["node"])
	}
}

var errTooMany = errors.New("too many are waiting already")

// wait ends when the daemon has answered, or the client has gone.
func (s *Server) wait(r *http.Request, args url.Values) (any, error) {
	select {
	case s.waits <- struct{}{}:
		defer func() { <-s.waits }()
	default:
		return nil, errTooMany
	}
	err := s.daemon.Wait(r.Context(), args.Get("path"))
	if err != nil && r.Context().Err() != nil {
		err = errStopping
	}
	return struct{}{}, err
}

func fail(w http.ResponseWriter, code int, err error) {
	write(w, code, map[string]string{"error": err.Error()})
}

// write writes v. That the other end is gone is its own affair.
func write(w http.ResponseWriter, code int, v any) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeLimit))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
}
